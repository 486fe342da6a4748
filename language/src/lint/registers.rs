//! P0113: more values live at once than a thread has registers.
//!
//! The estimate is the one that the editor shows ([`pressure`]). What an assembler makes of a kernel near the limit
//! depends on its order of instructions, so a word is said only beyond what the estimate is known to be off by.
//! Kernels of roles are left out: each role has registers of its own.

use crate::analysis::pressure;
use crate::diagnostic::Diagnostic;
use crate::ir::Kernel;
use crate::report;

/// How far off the estimate is for nine of ten kernels.
const SLACK: u32 = 12;

pub(super) fn warning(kernel: &Kernel) -> Option<Diagnostic> {
    if kernel.roles().is_some() {
        return None;
    }
    let row = kernel.target.row();
    let threads = kernel.plan.threads.max(1);
    let limit = row.regs_thread_max.min(row.regs_sm / threads / row.regs_unit * row.regs_unit);
    let found = pressure(kernel);
    (found.wanted > limit + SLACK).then(|| report::lints::spills(kernel, &found, limit))
}
