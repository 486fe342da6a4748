//! Holds that a later one makes needless.
//!
//! # Requires
//! Permits are gone ([`super::permits`]): after every copy into a stage its barrier is held open.
//!
//! # Establishes
//! * Of the holds of one barrier that nothing but copies and arithmetic stands between, the last alone: it waits
//!   for all copies that the role has started.

use rustc_hash::FxHashSet;

use crate::ir::{Inst, Kernel, Region};
use crate::op::{CopyOp, Op};

/// The kernel without them.
pub(super) fn holds(mut kernel: Kernel) -> Kernel {
    drop_needless(&mut kernel.body);
    kernel
}

fn drop_needless(region: &mut Region) {
    let mut held = FxHashSet::default();
    let mut kept = Vec::with_capacity(region.insts.len());
    for mut inst in std::mem::take(&mut region.insts).into_iter().rev() {
        inst.regions.iter_mut().for_each(drop_needless);
        if inst.op == Op::Copy(CopyOp::Hold) && !held.insert(inst.operands[0]) {
            continue;
        }
        if orders(&inst) {
            held.clear();
        }
        kept.push(inst);
    }
    kept.reverse();
    region.insts = kept;
}

/// Whether a barrier may see more than copies here.
fn orders(inst: &Inst) -> bool {
    matches!(inst.op, Op::Sync(_) | Op::Flow(_))
}
