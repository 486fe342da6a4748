//! Waits for copies in flight: before an access that needs one, as late and as little as is right.
//!
//! # Requires
//! Nothing.
//!
//! # Establishes
//! * Every copy is in a group: if the program closes none itself, every copy is one of its own.
//! * Before an access to what a copy may still write, and in place of `copy.land`, stands a `copy.wait` that
//!   leaves in flight as many groups as are surely younger, on every path; before one that
//!   writes what a product may still read, an `mma.wait`.
//! * Before an access that writes what a box on its way out may still read, and before an arrival that others may
//!   take for the right to write it, stands a `copy.wait_out`.
//!
//! It is part of the meaning of a program ("the role's next conflicting use: there the compiler
//! waits, and shows it"), so engines see its result. The end of a kernel needs no wait.

use super::flow::{self, Rule};
use super::place::{Placed, new_inst, place};
use super::runs;
use crate::ir::{Kernel, Region};
use crate::op::{CopyOp, MmaOp, Op};

/// The kernel with its waits, and which were put in.
pub fn waits(mut kernel: Kernel) -> (Kernel, Vec<Placed>) {
    let (mut copies, mut commits, mut products) = (false, false, false);
    kernel.body.walk(&mut |inst| {
        copies |= matches!(inst.op, Op::Copy(CopyOp::Async | CopyOp::BoxOut { .. }));
        commits |=
            matches!(inst.op, Op::Copy(CopyOp::Commit | CopyOp::Hold | CopyOp::Signal { .. }));
        products |= matches!(inst.op, Op::Mma(MmaOp::Wgmma { .. }));
    });
    if !copies && !products {
        return (kernel, Vec::new());
    }
    if !commits {
        close_each(&mut kernel.body);
    }
    let found = runs::walk(&kernel, Rule::Landed);
    let decisions = found.unwrap_or_else(|| flow::walk(&kernel, Rule::Landed)).decisions;
    let placed = place(&mut kernel, &decisions);
    drop_lands(&mut kernel.body);
    (kernel, placed)
}

/// Takes away what stands for waits, which are in their places.
fn drop_lands(region: &mut Region) {
    region.insts.retain(|it| it.op != Op::Copy(CopyOp::Land));
    let inner = region.insts.iter_mut().flat_map(|it| &mut it.regions);
    inner.for_each(drop_lands);
}

/// Makes every copy a group of its own.
fn close_each(region: &mut Region) {
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        inst.regions.iter_mut().for_each(close_each);
        let commit = (inst.op == Op::Copy(CopyOp::Async))
            .then(|| new_inst(Op::Copy(CopyOp::Commit), inst.site));
        region.insts.push(inst);
        region.insts.extend(commit);
    }
}
