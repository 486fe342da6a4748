//! Barriers between accesses to shared memory that another thread may have made.
//!
//! # Requires
//! Waits ([`super::waits`]), and places for the buffers ([`super::allocation`]).
//!
//! # Establishes
//! * Between two accesses that conflict, by different threads for all that is known, all threads of
//!   the role meet. What a copy wrote counts as written where it is waited for: first the wait, then
//!   the barrier, then the access.
//! * A barrier stands as late as possible, except that what is needed only for accesses before a
//!   loop is done before the loop.
//!
//! With one warp a barrier is needed all the same: what it costs there is the lowering's business.

use super::allocation::Allocation;
use super::flow::{self, Rule};
use super::place::{Placed, place};
use super::runs;
use crate::ir::Kernel;

/// The kernel with its barriers, and which were put in.
pub fn barriers(mut kernel: Kernel, allocation: &Allocation) -> (Kernel, Vec<Placed>) {
    let rule = Rule::Met(allocation);
    let found = runs::walk(&kernel, rule).unwrap_or_else(|| flow::walk(&kernel, rule));
    let placed = place(&mut kernel, &found.decisions);
    (kernel, placed)
}
