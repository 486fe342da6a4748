//! The IR of the kernel being elaborated: values, open regions, places.
//!
//! Regions are a stack: the innermost open one takes new instructions. Nothing is ever removed from
//! the list of values; tidying renumbers them at the end.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::ir::{Elem, Fact, Inst, Region, Site, SiteId, Tensor, Type, Value, ValueDecl};
use crate::op::{MemoryOp, Op};

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
