//! How the values of a region are used: when for the last time, so that their memory is given back
//! then, and whether pointers are only accessed through, so that they need not be spelled out.
//!
//! A value dies after the last instruction of its own region that uses it, itself or in a region of
//! its own; one that is yielded lives to the end. The indices of `memory.at` live as long as its
//! pointers, for the message of an access that is outside. Extents and strides of tensors live to the
//! end, because `memory.at` reads them without naming them.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::ir::{Extent, Inst, Kernel, Region, Value};
use crate::op::{CopyOp, MemoryOp, Op};

/// A region with the last uses of its values.
pub(super) struct Steps<'a> {
    pub(super) region: &'a Region,
    pub(super) steps: Vec<Step<'a>>,
}

/// An instruction with what dies after it.
pub(super) struct Step<'a> {
    pub(super) inst: &'a Inst,
    pub(super) regions: Vec<Steps<'a>>,
    pub(super) dead: Vec<Value>,
    /// Whether the result is only used as the pointers of loads, stores and copies.
    pub(super) only_accessed: bool,
}

impl<'a> Steps<'a> {
    /// The body of a kernel.
    pub(super) fn of_kernel(kernel: &'a Kernel) -> Steps<'a> {
        let extents = kernel.tensors.iter().flat_map(|it| it.dims.iter().chain(&it.strides));
        let pinned: Vec<Value> = extents
            .filter_map(|it| if let Extent::Value(it) = it { Some(*it) } else { None })
            .collect();
        let mut steps = Steps::of(&kernel.body);
        steps.steps.iter_mut().for_each(|it| it.dead.retain(|value| !pinned.contains(value)));
        steps.note_accessed(&seen_values(&kernel.body));
        steps
    }

    fn note_accessed(&mut self, seen: &FxHashSet<Value>) {
        for step in &mut self.steps {
            step.only_accessed = step.inst.results.iter().all(|it| !seen.contains(it));
            step.regions.iter_mut().for_each(|it| it.note_accessed(seen));
        }
    }

    fn of(region: &'a Region) -> Steps<'a> {
        let mut last = FxHashMap::default();
        let mut indices: FxHashMap<Value, &[Value]> = FxHashMap::default();
        for (number, inst) in region.insts.iter().enumerate() {
            for &value in &inst.results {
                last.insert(value, number);
            }
            if let (Op::Memory(MemoryOp::At { .. }), [pointer]) = (&inst.op, &inst.results[..]) {
                indices.insert(*pointer, &inst.operands);
            }
            uses(inst, &mut |value| {
                let with_indices = indices.get(&value).copied().unwrap_or_default();
                for used in with_indices.iter().chain([&value]) {
                    if let Some(it) = last.get_mut(used) {
                        *it = number;
                    }
                }
            });
        }
        last.retain(|value, _| !region.yields.contains(value));
        let mut steps: Vec<Step<'a>> = region.insts.iter().map(Step::of).collect();
        for (value, number) in last {
            steps[number].dead.push(value);
        }
        Steps { region, steps }
    }
}

impl<'a> Step<'a> {
    fn of(inst: &'a Inst) -> Step<'a> {
        let regions = inst.regions.iter().map(Steps::of).collect();
        Step { inst, regions, dead: vec![], only_accessed: false }
    }
}

/// The values that are used for anything but to load, store or copy through them.
fn seen_values(region: &Region) -> FxHashSet<Value> {
    let mut seen: FxHashSet<Value> = region.yields.iter().copied().collect();
    region.walk(&mut |inst| {
        let pointers = match inst.op {
            Op::Memory(MemoryOp::Load { .. } | MemoryOp::Store { .. })
            | Op::Copy(CopyOp::Fetch { .. }) => Some(0),
            Op::Copy(CopyOp::Async) => Some(1),
            _ => None,
        };
        let others = inst.operands.iter().enumerate().filter(|it| Some(it.0) != pointers);
        seen.extend(others.map(|it| it.1));
        seen.extend(inst.regions.iter().flat_map(|it| &it.yields));
    });
    seen
}

/// Calls `f` on every value that an instruction or its regions use.
fn uses(inst: &Inst, f: &mut impl FnMut(Value)) {
    inst.operands.iter().for_each(|&it| f(it));
    for region in &inst.regions {
        region.insts.iter().for_each(|it| uses(it, f));
        region.yields.iter().for_each(|&it| f(it));
    }
}
