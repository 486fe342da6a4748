//! Fetches become buffers and copies.
//!
//! # Requires
//! Nothing.
//!
//! # Establishes
//! No `copy.fetch` is left: each is a `shared.alloc`, a `copy.async` into it, its `copy.commit` and a
//! `copy.wait` for all groups.

use smallvec::smallvec;

use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::{CopyOp, Op, SharedOp};

/// The kernel without fetches.
pub fn pipeline(mut kernel: Kernel) -> Kernel {
    fetch_now(&mut kernel.body);
    kernel
}

fn fetch_now(region: &mut Region) {
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        inst.regions.iter_mut().for_each(fetch_now);
        match inst.op {
            Op::Copy(CopyOp::Fetch { align }) => {
                region.insts.extend(fetched(&inst, align));
            }
            _ => region.insts.push(inst),
        }
    }
}

/// A fetch that is waited for at once.
fn fetched(fetch: &Inst, align: u32) -> [Inst; 4] {
    let buffer: Value = fetch.results[0];
    let mut alloc = new_inst(Op::Shared(SharedOp::Alloc { align }), fetch.site);
    alloc.results = smallvec![buffer];
    let mut copy = new_inst(Op::Copy(CopyOp::Async), fetch.site);
    copy.operands = smallvec![buffer];
    copy.operands.extend(fetch.operands.iter().copied());
    let commit = new_inst(Op::Copy(CopyOp::Commit), fetch.site);
    let wait = new_inst(Op::Copy(CopyOp::Wait { in_flight: 0 }), fetch.site);
    [alloc, copy, commit, wait]
}
