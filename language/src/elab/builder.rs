//! The IR of the kernel being elaborated: values, open regions, places.
//!
//! Regions are a stack: the innermost open one takes new instructions. Nothing is ever removed from
//! the list of values; tidying renumbers them at the end.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;
use tile_layout::{MemoryMap, Spec};

use crate::dtype::DType;
use crate::ir::{Elem, Fact, Inst, Region, Site, SiteId, Tensor, Type, Value, ValueDecl};
use crate::op::{MemoryOp, Op, SharedOp};

/// The IR so far.
#[derive(Debug, Default)]
pub struct Builder {
    /// All values, by number.
    pub values: Vec<ValueDecl>,
    /// The tensor arguments.
    pub tensors: Vec<Tensor>,
    /// What holds at every launch.
    pub facts: Vec<Fact>,
    /// Places, each once.
    pub sites: Vec<Site>,
    site_ids: FxHashMap<Site, SiteId>,
    layout_origins: FxHashMap<Value, SiteId>,
    tensors_behind: FxHashMap<Value, u32>,
    regions: Vec<Region>,
}

impl Builder {
    /// The number of a place.
    pub fn site(&mut self, site: Site) -> SiteId {
        *self.site_ids.entry(site).or_insert_with_key(|site| {
            self.sites.push(site.clone());
            SiteId(self.sites.len() as u32 - 1)
        })
    }

    /// A value without a definition yet: a region's parameter.
    pub fn value(&mut self, ty: Type) -> Value {
        self.values.push(ValueDecl { ty, name: SmolStr::default() });
        Value(self.values.len() as u32 - 1)
    }

    /// Remembers the variable that a value is bound to first.
    pub fn name(&mut self, value: Value, name: &SmolStr) {
        let known = &mut self.values[value.0 as usize].name;
        if known.is_empty() {
            *known = name.clone();
        }
    }

    /// Opens a region with these parameters.
    pub fn open(&mut self, params: Vec<Value>) {
        self.regions.push(Region { params, ..Region::default() });
    }

    /// Closes the innermost region.
    pub fn close(&mut self) -> Region {
        self.regions.pop().expect("regions are opened and closed in pairs")
    }

    /// Opens a closed region again, to add to its end.
    pub fn reopen(&mut self, region: Region) {
        self.regions.push(region);
    }

    /// Appends an instruction to the innermost region.
    pub fn emit(
        &mut self,
        op: Op,
        operands: &[Value],
        results: &[Type],
        regions: Vec<Region>,
        site: SiteId,
    ) -> SmallVec<[Value; 1]> {
        let results: SmallVec<[Value; 1]> =
            results.iter().map(|ty| self.value(ty.clone())).collect();
        for &result in &results {
            self.trace(&op, operands, result, site);
        }
        let inst = Inst { op, operands: operands.into(), results: results.clone(), regions, site };
        self.regions.last_mut().expect("an instruction stands in a region").insts.push(inst);
        results
    }

    /// Remembers where a result's layout was chosen, and through which tensor a pointer was made.
    fn trace(&mut self, op: &Op, operands: &[Value], result: Value, site: SiteId) {
        let layout = |of: Value, it: &Self| it.values[of.0 as usize].ty.layout.clone();
        let wanted = layout(result, self);
        let handed_on = operands.iter().find(|it| layout(**it, self) == wanted);
        let origin = handed_on.and_then(|it| self.layout_origins.get(it)).copied();
        self.layout_origins.insert(result, origin.unwrap_or(site));
        let behind = match op {
            Op::Memory(MemoryOp::At { tensor }) => Some(*tensor),
            _ if self.is_pointer(result) => {
                operands.iter().find_map(|it| self.tensors_behind.get(it)).copied()
            }
            _ => None,
        };
        self.tensors_behind.extend(behind.map(|it| (result, it)));
    }

    fn is_pointer(&self, value: Value) -> bool {
        matches!(self.values[value.0 as usize].ty.elem, Elem::Pointer(_))
    }

    /// Where the layout of a value was chosen; `None` for a region's parameter.
    pub fn layout_origin(&self, value: Value) -> Option<SiteId> {
        self.layout_origins.get(&value).copied()
    }

    /// The tensor argument that a pointer points into, if it is made from one.
    pub fn tensor_behind(&self, pointer: Value) -> Option<u32> {
        self.tensors_behind.get(&pointer).copied()
    }

    /// What makes a value, in the regions that are open; `None` for their parameters.
    pub fn definition(&self, value: Value) -> Option<&Inst> {
        let insts = self.regions.iter().rev().flat_map(|it| it.insts.iter().rev());
        insts.into_iter().find(|it| it.results.contains(&value))
    }

    /// Whether a value is a buffer as it was declared.
    pub fn is_buffer(&self, value: Value) -> bool {
        let makes = |it: &Inst| {
            matches!(it.op, Op::Shared(SharedOp::Alloc { .. } | SharedOp::Overlay))
                && it.results.contains(&value)
        };
        self.regions.iter().flat_map(|it| &it.insts).any(makes)
    }

    /// Makes two buffers one memory; `None` if they were not made in one region. The first of them gives
    /// its place to bytes that hold either, over which both are laid.
    pub fn overlay(&mut self, a: Value, b: Value) -> Option<()> {
        let makes =
            |region: &Region, it: Value| region.insts.iter().any(|i| i.results.contains(&it));
        let at = self.regions.iter().position(|it| makes(it, a) && makes(it, b))?;
        let mut insts = std::mem::take(&mut self.regions[at].insts);
        let [a, b] = [a, b].map(|it| self.bytes_under(&mut insts, it));
        if a != b {
            let place = |insts: &[Inst], it| {
                insts.iter().position(|i| i.results.contains(&it)).expect("it was made there")
            };
            let (kept, other) = if place(&insts, a) < place(&insts, b) { (a, b) } else { (b, a) };
            let (moved, mut rest): (Vec<Inst>, Vec<Inst>) = insts
                .into_iter()
                .partition(|it| it.results.contains(&other) || it.operands.contains(&other));
            let first = place(&rest, kept);
            let (align, overlays) =
                moved.into_iter().fold((1, Vec::new()), |(align, mut all), it| match it.op {
                    Op::Shared(SharedOp::Alloc { align: own }) => (align.max(own), all),
                    _ => {
                        all.push(Inst { operands: [kept].into_iter().collect(), ..it });
                        (align, all)
                    }
                });
            if let Op::Shared(SharedOp::Alloc { align: own }) = &mut rest[first].op {
                *own = align.max(*own);
            }
            rest.splice(first + 1..first + 1, overlays);
            insts = rest;
            let [kept, other] = [kept, other].map(|it| it.0 as usize);
            let (of_kept, of_other) = (self.values[kept].clone(), self.values[other].clone());
            let longer =
                if of_kept.ty.len() < of_other.ty.len() { of_other.ty } else { of_kept.ty };
            let name = smol_str::format_smolstr!("{}, {}", of_kept.name, of_other.name);
            self.values[kept] = ValueDecl { ty: longer, name };
        }
        self.regions[at].insts = insts;
        Some(())
    }

    /// The bytes that a buffer is laid over; those of its own, if it was not laid over any.
    fn bytes_under(&mut self, insts: &mut Vec<Inst>, buffer: Value) -> Value {
        let at = insts.iter().position(|it| it.results.contains(&buffer));
        let at = at.expect("the buffer is made here");
        if insts[at].op == Op::Shared(SharedOp::Overlay) {
            return insts[at].operands[0];
        }
        let ValueDecl { ty, name } = self.values[buffer.0 as usize].clone();
        let n_bytes = (ty.map().buffer_len() * ty.elem.bits()).div_ceil(8);
        let plain = Spec::Plain.apply_in_memory(&[n_bytes], 8);
        let plain = MemoryMap::of(&plain.expect("bytes lie in a row"));
        let bytes = self.value(Type::view(DType::U8, plain));
        self.values[bytes.0 as usize].name = name;
        insts[at].results = [bytes].into_iter().collect();
        let site = insts[at].site;
        let operands = [bytes].into_iter().collect();
        let results = [buffer].into_iter().collect();
        let op = Op::Shared(SharedOp::Overlay);
        insts.insert(at + 1, Inst { op, operands, results, regions: Vec::new(), site });
        bytes
    }

    /// Appends the instructions of a region to the innermost one.
    pub fn splice(&mut self, region: Region) {
        self.regions
            .last_mut()
            .expect("an instruction stands in a region")
            .insts
            .extend(region.insts);
    }

    /// How many regions are open.
    pub fn depth(&self) -> usize {
        self.regions.len()
    }

    /// The innermost region, as it is.
    pub fn innermost(&self) -> Option<&Region> {
        self.regions.last()
    }
}
