//! Permits: from the right to use a stage to what its end does.
//!
//! # Requires
//! A permit ends once on every way, and its views are used between; the elaborator says so.
//!
//! # Establishes
//! * No `sync.permit` and no `sync.end`. The end of a stage that copies fill closes their group; every end arrives at
//!   its barrier.
//! * The groups that ends close are as many on every way ([`super::groups`]).
//! * A copy that signals a barrier is the last of its group.
//! * Every `sync.mbarriers` says how many roles arrive in a phase: each that ends permits there or arrives by hand.

use rustc_hash::{FxHashMap, FxHashSet};

use super::groups;
use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::{CopyOp, Op, SharedOp, SyncOp};

/// The kernel without permits.
pub fn permits(mut kernel: Kernel) -> Kernel {
    let mut uses = Uses::default();
    kernel.body.walk(&mut |inst| uses.inst(inst));
    if uses.barriers.is_empty() {
        return kernel;
    }
    rewrite(&mut kernel.body, &uses);
    if !uses.filled.is_empty() || uses.signals {
        groups::even(&mut kernel);
    }
    kernel
}

/// What is done with permits and barriers.
#[derive(Default)]
struct Uses {
    /// What a permit's results were before.
    operands: FxHashMap<Value, Value>,
    /// The permit, named by its `ends`, that a view is of.
    permit_of: FxHashMap<Value, Value>,
    /// Permits whose stages copies fill.
    filled: FxHashSet<Value>,
    /// The list of mbarriers that a barrier is of.
    barriers: FxHashMap<Value, Value>,
    /// Lists of mbarriers that something arrives at.
    arrived: FxHashSet<Value>,
    /// Whether copies signal barriers.
    signals: bool,
}

impl Uses {
    fn inst(&mut self, inst: &Inst) {
        match &inst.op {
            Op::Sync(SyncOp::Mbarriers { .. }) => {
                self.barriers.insert(inst.results[0], inst.results[0]);
            }
            Op::Sync(SyncOp::Permit) => {
                let ends = inst.results[0];
                for (&result, &operand) in inst.results.iter().zip(&inst.operands) {
                    self.operands.insert(result, operand);
                    self.permit_of.insert(result, ends);
                }
                let list = self.barriers[&inst.operands[0]];
                self.barriers.insert(ends, list);
            }
            Op::Shared(SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast) => {
                let (of, result) = (inst.operands[0], inst.results[0]);
                if let Some(&list) = self.barriers.get(&of) {
                    self.barriers.insert(result, list);
                }
                if let Some(&permit) = self.permit_of.get(&of) {
                    self.permit_of.insert(result, permit);
                }
            }
            Op::Copy(CopyOp::Async) => {
                self.filled.extend(self.permit_of.get(&inst.operands[0]));
            }
            Op::Copy(CopyOp::Signal { .. }) => self.signals = true,
            Op::Sync(SyncOp::End | SyncOp::Arrive | SyncOp::Expect { .. }) => {
                self.arrived.insert(self.barriers[&inst.operands[0]]);
            }
            _ => {}
        }
    }
}

fn rewrite(region: &mut Region, uses: &Uses) {
    let before = |it: &mut Value| {
        while let Some(&operand) = uses.operands.get(it) {
            *it = operand;
        }
    };
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        let ends = inst.operands.first().copied();
        inst.operands.iter_mut().for_each(before);
        inst.regions.iter_mut().for_each(|it| rewrite(it, uses));
        match &mut inst.op {
            Op::Sync(SyncOp::Permit) => continue,
            Op::Sync(SyncOp::End) => {
                if ends.is_some_and(|it| uses.filled.contains(&it)) {
                    region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
                }
                inst.op = Op::Sync(SyncOp::Arrive);
            }
            Op::Sync(SyncOp::Mbarriers { arrivals }) => {
                let is_used = uses.arrived.contains(&inst.results[0]);
                *arrivals = (*arrivals).max(u32::from(is_used));
            }
            Op::Copy(CopyOp::Signal { .. }) => {
                region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
            }
            _ => {}
        }
        region.insts.push(inst);
    }
}
