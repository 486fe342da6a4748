//! The synchronisation of a kernel, run once for each choice of its sizes.
//!
//! # Idea
//! What a kernel does to barriers, copies in flight and stages of shared memory depends on a few scalars: trip
//! counts, conditions, indices of stages. Everything else (tiles, addresses, arithmetic on data) is opaque. So
//! the *skeleton* of a kernel can be run at compile time for every choice of those scalars that could make
//! a difference, event by event, with every stage's number known.
//!
//! Which choices: a ring of `n` stages comes back to where it was after `2 n` steps, so what is wrong for any
//! trip count is wrong for some up to `2 n + 2`. Scalars that the kernel does not compute from others by sums,
//! products, extrema and comparisons are free ([`skeleton`]).
//!
//! | module | what |
//! | --- | --- |
//! | [`skeleton`] | which scalars steer the skeleton, and the choices of the free ones |
//! | [`trace`] | the events of one run |
//! | [`stuck`](stuck()) | waits of one role that never end |
//! | [`check`](check()) | roles: one run stands for every order of events |
//! | [`timeline`] | a counter-example to read |
//!
//! Waits and barriers of kernels with rings come from these runs ([`crate::pass`]).

mod check;
mod clock;
mod meeting;
mod skeleton;
mod stuck;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;

pub use check::{Fault, Verdict, check};
pub use stuck::{Stuck, stuck};
pub use timeline::{Counterexample, Deed, Step};
pub(crate) use trace::Event;

use skeleton::Skeleton;

use crate::ir::Kernel;

/// The events of all runs of a kernel of one role; `None` if they are too many or not decided.
pub(crate) fn runs(kernel: &Kernel) -> Option<Vec<Vec<Event<'_>>>> {
    let skeleton = Skeleton::of(kernel)?;
    let mut runs = Vec::new();
    let mut n_events = 0;
    for choice in skeleton.choices() {
        for rank in 0..kernel.plan.cluster_size() {
            let mut lists = trace::trace(&skeleton, &choice, rank)?;
            let run = lists.swap_remove(0);
            n_events += run.len();
            if EVENTS_MAX < n_events {
                return None;
            }
            runs.push(run);
        }
    }
    Some(runs)
}

/// Events of all runs after which a kernel is left undecided.
const EVENTS_MAX: usize = 1 << 20;
