//! P0113: more values live at once than a thread has registers.
//!
//! The estimate is the one that the editor shows ([`pressure`]). What an assembler makes of a kernel near the limit
//! depends on its order of instructions, so a word is said only beyond what the estimate is known to be off by.
//! Each role of a kernel has the registers that it says, or those of the kernel.

use crate::analysis::pressure;
use crate::diagnostic::Diagnostic;
use crate::ir::Kernel;
use crate::op::flow::Role;
use crate::report;

/// How far off the estimate is for nine of ten kernels.
const SLACK: u32 = 12;

pub(super) fn warnings(kernel: &Kernel) -> Vec<Diagnostic> {
    let row = kernel.target.row();
    let threads = kernel.plan.threads.max(1);
    let limit = row.regs_thread_max.min(row.regs_sm / threads / row.regs_unit * row.regs_unit);
    let found = pressure(kernel);
    let Some((_, roles)) = kernel.roles() else {
        let spills = found.wanted > limit + SLACK;
        return spills.then(|| report::lints::spills(kernel, &found, limit)).into_iter().collect();
    };
    let wanted = roles.iter().zip(found.roles.iter().copied());
    let given = |role: &Role| role.regs.unwrap_or(limit);
    let spilling = wanted.filter(|(role, wanted)| *wanted > given(role) + SLACK);
    spilling
        .map(|(role, wanted)| report::lints::role_spills(kernel, role, wanted, given(role)))
        .collect()
}
