//! Barriers of one role alone: they order nothing that the order of its program does not.
//!
//! # Requires
//! Waits for copies and barriers between warps stand ([`super::waits`], [`super::barriers`]), found with the rings in
//! place.
//!
//! # Establishes
//! * In a kernel of one role there are no mbarriers: a wait for a phase that the role's own
//!   arrivals complete has nothing to wait for, since it comes after them.

use crate::ir::{Kernel, Region};
use crate::op::{CopyOp, Op, SharedOp, SyncOp};

/// The kernel without mbarriers.
pub(super) fn alone(mut kernel: Kernel) -> Kernel {
    if kernel.roles().is_some() {
        return kernel;
    }
    drop_barriers(&mut kernel.body, &kernel.values);
    kernel
}

fn drop_barriers(region: &mut Region, values: &[crate::ir::ValueDecl]) {
    region.insts.retain(|inst| match &inst.op {
        Op::Sync(
            SyncOp::Mbarriers { .. } | SyncOp::Wait | SyncOp::Arrive { .. } | SyncOp::Expect { .. },
        )
        | Op::Copy(CopyOp::Hold | CopyOp::Signal { .. }) => false,
        Op::Shared(SharedOp::Index { .. }) => {
            values[inst.results[0].0 as usize].ty.elem != crate::ir::Elem::Barrier
        }
        _ => true,
    });
    for inst in &mut region.insts {
        inst.regions.iter_mut().for_each(|it| drop_barriers(it, values));
    }
}
