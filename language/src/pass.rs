//! Passes: from a kernel as it was written to one that a machine can run.
//!
//! | pass | requires | establishes |
//! | --- | --- | --- |
//! | [`permits`](permits()) | – | no permits: their ends are arrivals and groups of copies |
//! | [`settle`] | – | every wait for products says how many groups may stay; none is in flight at the end |
//! | [`waits`](waits()) | permits | before every access to what a copy may still write stands a wait |
//! | [`written`](written()) | permits | before every look at what a box may be on its way to stands a wait |
//! | [`pipeline`](pipeline()) | waits | no `copy.fetch`; loops marked so are spread over iterations |
//! | [`Allocation::of`] | no fetch | every buffer has its bytes, and every instruction its scratch |
//! | [`barriers`](barriers()) | waits, places | between conflicting accesses all threads have met |
//! | `fences` | barriers | what warps wrote is fenced before the threads meet and a product reads it |
//! | `alone` | barriers | no mbarriers in a kernel of one role |
//! | `holds` | permits | a barrier is held once for copies that follow each other |
//!
//! Permits and waits belong to the meaning and are made when a kernel is elaborated. The others are made for the
//! lowering, by [`prepare`]: interpreted, a kernel gives the same before and after. All are pure
//! functions of a kernel that the verifier accepts, and give one that it accepts.

mod allocation;
mod alone;
mod barriers;
mod fences;
mod flow;
mod groups;
mod holds;
pub(crate) mod number;
mod pending;
mod permits;
mod pipeline;
mod place;
mod runs;
mod scratch;
#[cfg(test)]
mod tests;
pub(crate) mod touch;
mod waits;
mod written;

pub use allocation::{Allocation, Buffer};
pub use barriers::barriers;
pub use fences::needless_fences;
pub use flow::{Conflict, Order};
pub use pending::{Misuse, misuses, settle};
pub use permits::permits;
pub use pipeline::{Obstacle, Refusal, pipeline, refusals};
pub use place::Placed;
#[cfg(test)]
pub(crate) use place::new_inst;
pub use scratch::ScratchUse;
pub use touch::Verb;
pub use waits::waits;
pub use written::written;

use crate::ir::Kernel;

/// A kernel ready for the lowering.
#[derive(Clone, PartialEq, Debug)]
pub struct Prepared {
    /// Without fetches, with waits and barriers.
    pub kernel: Kernel,
    /// Where its buffers lie.
    pub allocation: Allocation,
    /// What was put in, and why.
    pub placed: Vec<Placed>,
}

/// All passes that come before the lowering.
pub fn prepare(kernel: &Kernel) -> Prepared {
    let (kernel, mut placed) = waits(pipeline(kernel.clone()));
    let allocation = Allocation::of(&kernel);
    let (kernel, more) = barriers(kernel, &allocation);
    placed.extend(more);
    let (kernel, more) = fences::fences(kernel);
    placed.extend(more);
    let kernel = pending::thread(holds::holds(alone::alone(kernel)));
    // The same places, with lives counted in the instructions that there are now.
    Prepared { allocation: Allocation::of(&kernel), kernel, placed }
}
