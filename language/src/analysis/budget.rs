//! Tiles that no thread can hold, and buffers that no block can.
//!
//! A little too many registers are the assembler's business: it spills, and the report says so. A
//! tile of thousands of registers a thread is a mistake in its shape or in the number of warps, and
//! would keep the backend busy for minutes before it failed.

use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Kernel};
use crate::op::{CopyOp, Op, SharedOp};
use crate::pass::{self, Allocation};
use crate::report;

/// Registers of one tile in one thread beyond which nothing is compiled.
pub const REGISTERS_MAX: u32 = 4096;

/// E0550, if a result of the instruction is larger than that.
pub(super) fn error(kernel: &Kernel, inst: &Inst) -> Option<Diagnostic> {
    let registers = |it| kernel.ty(it).layout.as_ref().map_or(1, tile_layout::Layout::registers);
    let most = inst.results.iter().copied().max_by_key(|&it| registers(it))?;
    let found = registers(most);
    (REGISTERS_MAX < found)
        .then(|| report::budget::tile_too_large(kernel, inst.site, &kernel.ty(most).shape, found))
}

/// E0551, if the kernel's buffers and what its instructions take for themselves do not fit a block, by
/// the very places that the lowering uses.
pub(super) fn shared_error(kernel: &Kernel) -> Option<Diagnostic> {
    let mut has_buffers = false;
    kernel.body.walk(&mut |inst| {
        has_buffers |=
            matches!(inst.op, Op::Shared(SharedOp::Alloc { .. }) | Op::Copy(CopyOp::Fetch { .. }));
    });
    let allocation =
        if has_buffers { pass::prepare(kernel).allocation } else { Allocation::of(kernel) };
    (kernel.target.row().smem_block_bytes_max < allocation.bytes)
        .then(|| report::budget::shared_too_large(kernel, &allocation))
}
