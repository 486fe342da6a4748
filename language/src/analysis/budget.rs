//! Tiles that no thread can hold.
//!
//! A little too many registers are the assembler's business: it spills, and the report says so. A
//! tile of thousands of registers a thread is a mistake in its shape or in the number of warps, and
//! would keep the backend busy for minutes before it failed.

use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Kernel};
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
