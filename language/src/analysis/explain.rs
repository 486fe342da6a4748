//! Why an access is narrow: from the pointer back to the term that nothing is known about.
//!
//! The walk follows operands from an access to the first thing that breaks the property: a size
//! without a known divisor, an index that steps by more than one, a layout. What comes from memory is
//! not blamed: no edit would help. Each step that a reader cannot see at the access is a [`Reason`].

use super::access::{Access, Limit, Parts};
use super::facts::{Facts, Known};
use super::transfer::extent_value;
use crate::diagnostic::Reason;
use crate::ir::{Extent, Inst, Kernel, Region, SiteId, Value};
use crate::op::tile::BinaryOp;
use crate::op::{MemoryOp, Op, TileOp};
use crate::report::performance as wording;

/// Which instruction defines each value.
pub(crate) struct Defs<'a> {
    insts: Vec<Option<&'a Inst>>,
}

impl<'a> Defs<'a> {
    pub(crate) fn of(kernel: &'a Kernel) -> Defs<'a> {
        let mut insts = vec![None; kernel.values.len()];
        kernel.body.walk(&mut |inst| {
            for it in &inst.results {
                insts[it.0 as usize] = Some(inst);
            }
        });
        Defs { insts }
    }

    pub(crate) fn get(&self, value: Value) -> Option<&'a Inst> {
        self.insts[value.0 as usize]
    }
}

/// The end of a walk: what a person could change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Cause {
    /// A size or scalar argument of which no divisor is known; what should divide it.
    Size {
        /// The argument's value.
        value: Value,
        /// Its name.
        name: String,
        /// What should divide it.
        divisor: u64,
    },
    /// The layout gives a thread fewer neighbours than that.
    Layout {
        /// Neighbours that a thread's lowest registers hold.
        run: u32,
    },
    /// Something that is as it is: a constant, a block's id.
    Fixed,
}

/// Why an access is narrow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Why {
    /// What is to blame.
    pub cause: Cause,
    /// The steps from the access to the cause.
    pub reasons: Vec<Reason>,
}

/// Explains a narrow access; `None` if what it moves is scattered by data.
pub(super) fn narrow(
    kernel: &Kernel,
    facts: &Facts,
    defs: &Defs<'_>,
    parts: &Parts,
    found: Access,
    limit: Limit,
) -> Option<Why> {
    let mut walk = Walk { kernel, facts, defs, reasons: Vec::new(), depth: 0 };
    let axis = found.axis as usize;
    let cause = match limit {
        Limit::Layout => Some(Cause::Layout { run: found.elems }),
        Limit::Contiguity => walk.contiguity(parts.pointer, axis, found.ideal_elems),
        Limit::Alignment => walk.pointer(parts.pointer, axis, found.ideal_elems),
        Limit::Mask => walk.mask(parts.mask?, axis, found.ideal_elems),
    }?;
    Some(Why { cause, reasons: walk.reasons })
}

struct Walk<'a> {
    kernel: &'a Kernel,
    facts: &'a Facts,
    defs: &'a Defs<'a>,
    reasons: Vec<Reason>,
    depth: u32,
}

/// Longer chains explain nothing to anybody.
const DEPTH_MAX: u32 = 32;

impl Walk<'_> {
    fn known(&self, value: Value) -> &Known {
        self.facts.of_value(value)
    }

    /// What divides the starts of groups of `group` neighbours.
    fn start(&self, value: Value, axis: usize, group: u32) -> u64 {
        let axes = &self.known(value).axes;
        axes[axis.min(axes.len() - 1)].start_divisor(group)
    }

    fn name(&self, value: Value) -> Option<String> {
        let name = &self.kernel.values[value.0 as usize].name;
        (!name.is_empty()).then(|| format!("`{name}`"))
    }

    fn because(&mut self, site: SiteId, message: String) {
        let place = self.kernel.sites[site.0 as usize].place.clone();
        self.reasons.push(Reason { place, message });
    }

    /// Why a tile of pointers begins its groups at unaligned addresses.
    fn pointer(&mut self, pointer: Value, axis: usize, group: u32) -> Option<Cause> {
        let inst = self.defs.get(pointer)?;
        match &inst.op {
            Op::Memory(MemoryOp::At { tensor }) => self.element(inst, *tensor, axis, group),
            Op::Memory(MemoryOp::Offset) => {
                if self.start(inst.operands[1], axis, group) < u64::from(group) {
                    self.number(inst.operands[1], axis, group, u64::from(group))
                } else if self.start(inst.operands[0], axis, group) < u64::from(group) {
                    self.pointer(inst.operands[0], axis, group)
                } else {
                    Some(Cause::Fixed)
                }
            }
            Op::Tile(_) => self.pointer(*inst.operands.first()?, axis, group),
            _ => None,
        }
    }

    /// Why `x.at(i, j)` begins its groups at unaligned addresses: a row's start, or the index itself.
    fn element(&mut self, inst: &Inst, tensor: u32, axis: usize, group: u32) -> Option<Cause> {
        let it = &self.kernel.tensors[tensor as usize];
        let bits = u64::from(it.dtype.storage_bits());
        if u64::from(it.align) * 8 < u64::from(group) * bits {
            self.because(it.site, wording::base_alignment(&it.name, it.align));
            return Some(Cause::Fixed);
        }
        let wanted = u64::from(group);
        for (&index, &stride) in inst.operands.iter().zip(&it.strides) {
            let by = super::transfer::extent(self.facts, stride, &[]).divisor();
            let here = self.start(index, axis, group).saturating_mul(by);
            if here >= wanted {
                continue;
            }
            if let Some(size) = extent_value(stride) {
                let row = self.plain_name(index).unwrap_or_else(|| "i".to_owned());
                let apart = self.plain_name(size).unwrap_or_else(|| "its size".to_owned());
                self.because(inst.site, wording::row_start(&row, &apart, here * bits));
                return self.number(size, axis, 1, wanted);
            }
            return self.number(index, axis, group, wanted);
        }
        Some(Cause::Fixed)
    }

    fn plain_name(&self, mut value: Value) -> Option<String> {
        for _ in 0..DEPTH_MAX {
            let name = &self.kernel.values[value.0 as usize].name;
            if !name.is_empty() {
                return Some(name.to_string());
            }
            let inst = self.defs.get(value)?;
            match &inst.op {
                Op::Tile(op) if passes(op) => value = inst.operands[0],
                _ => return None,
            }
        }
        None
    }

    /// Why a number is not known to be a multiple of `wanted` at the starts of groups.
    fn number(&mut self, value: Value, axis: usize, group: u32, wanted: u64) -> Option<Cause> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Some(Cause::Fixed);
        }
        let Some(inst) = self.defs.get(value) else {
            return self.parameter(value, wanted);
        };
        match &inst.op {
            Op::Tile(op) if passes(op) => self.number(inst.operands[0], axis, group, wanted),
            Op::Tile(TileOp::Binary { op: BinaryOp::Mul }) => self.factor(inst, axis, wanted),
            Op::Tile(TileOp::Binary { .. } | TileOp::Select | TileOp::Fma) => {
                let data = if matches!(inst.op, Op::Tile(TileOp::Select)) { 1 } else { 0 };
                let weak = inst.operands[data..]
                    .iter()
                    .copied()
                    .find(|it| self.start(*it, axis, group) < wanted)?;
                self.number(weak, axis, group, wanted)
            }
            Op::Memory(_) | Op::Mma(_) | Op::Shared(_) | Op::Copy(_) | Op::Sync(_) => None,
            Op::Tile(_) | Op::Flow(_) => Some(Cause::Fixed),
        }
    }

    /// Of a product, the factor of which least is known; sizes before anything else.
    fn factor(&mut self, inst: &Inst, axis: usize, wanted: u64) -> Option<Cause> {
        let before = self.reasons.len();
        let mut fallback = None;
        for &it in inst.operands.iter().rev() {
            if self.known(it).value().is_some() {
                continue;
            }
            match self.number(it, axis, 1, wanted) {
                found @ Some(Cause::Size { .. }) => return found,
                other => fallback = fallback.or(other),
            }
            self.reasons.truncate(before);
        }
        fallback
    }

    /// A value that no instruction defines: an argument, or what a loop carries.
    fn parameter(&mut self, value: Value, wanted: u64) -> Option<Cause> {
        if !self.kernel.body.params.contains(&value) {
            return self.looped(value, wanted);
        }
        let name = self.name(value)?;
        if let Some(site) = self.declared(value) {
            self.because(site, wording::no_divisor(&name));
        }
        let name = name.trim_matches('`').to_owned();
        Some(Cause::Size { value, name, divisor: wanted })
    }

    fn declared(&self, value: Value) -> Option<SiteId> {
        let this = Extent::Value(value);
        self.kernel.tensors.iter().find_map(|it| {
            let dim = it.dims.iter().position(|extent| *extent == this);
            let stride = it.strides.contains(&this).then_some(it.site);
            dim.map(|d| it.dim_sites[d]).or(stride)
        })
    }

    fn looped(&mut self, value: Value, wanted: u64) -> Option<Cause> {
        let inst = owner(&self.kernel.body, value)?;
        let weak = inst.operands.iter().copied().find(|it| self.known(*it).divisor() < wanted)?;
        self.number(weak, 0, 1, wanted)
    }

    /// Why neighbours of a tile of pointers are no neighbours in memory.
    fn contiguity(&mut self, pointer: Value, axis: usize, group: u32) -> Option<Cause> {
        let inst = self.defs.get(pointer)?;
        let Op::Memory(MemoryOp::At { tensor }) = &inst.op else {
            return None;
        };
        let it = &self.kernel.tensors[*tensor as usize];
        for (&index, &stride) in inst.operands.iter().zip(&it.strides) {
            let known = &self.known(index).axes;
            let along = known[axis.min(known.len() - 1)];
            if along.contiguity < group && along.constancy < group {
                return self.scattered(index);
            }
            let steps = along.constancy < group;
            if steps && stride != Extent::Const(1) {
                let apart = match stride {
                    Extent::Const(it) => it.to_string(),
                    Extent::Value(it) => self.name(it).unwrap_or_else(|| "a size".to_owned()),
                };
                self.because(inst.site, wording::far_apart(axis, &apart));
                return Some(Cause::Layout { run: 1 });
            }
        }
        None
    }

    /// An index that neither counts by one nor stays: blamed on a size if one breaks it, else on data.
    fn scattered(&mut self, index: Value) -> Option<Cause> {
        let inst = self.defs.get(index)?;
        match &inst.op {
            Op::Tile(op) if passes(op) => self.scattered(inst.operands[0]),
            Op::Tile(TileOp::Binary { op: BinaryOp::Mul }) => {
                self.because(inst.site, wording::steps());
                Some(Cause::Fixed)
            }
            _ => None,
        }
    }

    /// Why a mask can change inside a group.
    fn mask(&mut self, mask: Value, axis: usize, group: u32) -> Option<Cause> {
        let inst = self.defs.get(mask)?;
        match &inst.op {
            Op::Tile(TileOp::Cmp { .. }) => {
                let text = self.comparison(inst);
                self.because(inst.site, wording::mask_changes(&text, group));
                let weak = inst
                    .operands
                    .iter()
                    .copied()
                    .find(|it| self.start(*it, axis, group) < u64::from(group))?;
                self.number(weak, axis, group, u64::from(group))
            }
            Op::Tile(op) if passes(op) => self.mask(inst.operands[0], axis, group),
            Op::Tile(_) => {
                let changes = |it: &Value| {
                    let axes = &self.known(*it).axes;
                    axes[axis.min(axes.len() - 1)].constancy < group
                };
                let weak = inst.operands.iter().copied().find(changes)?;
                self.mask(weak, axis, group)
            }
            _ => None,
        }
    }

    fn comparison(&self, inst: &Inst) -> String {
        let side = |it: Value| self.plain_name(it).unwrap_or_else(|| "…".to_owned());
        let sign = match &inst.op {
            Op::Tile(TileOp::Cmp { op }) => op.sign(),
            _ => "?",
        };
        format!("{} {sign} {}", side(inst.operands[0]), side(inst.operands[1]))
    }
}

/// Operations that hand a number on as it is.
fn passes(op: &TileOp) -> bool {
    matches!(
        op,
        TileOp::Splat
            | TileOp::Broadcast
            | TileOp::Expand { .. }
            | TileOp::Squeeze { .. }
            | TileOp::Convert
            | TileOp::Cast { .. }
    )
}

/// The loop whose region has `value` as a parameter.
fn owner(region: &Region, value: Value) -> Option<&Inst> {
    region.insts.iter().find_map(|inst| {
        let here = inst.regions.iter().any(|it| it.params.contains(&value));
        if here { Some(inst) } else { inst.regions.iter().find_map(|it| owner(it, value)) }
    })
}
