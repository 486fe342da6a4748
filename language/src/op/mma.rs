//! Operations of the matrix units.
//!
//! Shapes: `a` is `[…, m, k]`, `b` is `[…, k, n]`, `acc` and the result are `[…, m, n]`, with equal leading
//! extents. Layouts: those that [`Fragments`](crate::target::mma::Fragments) accepts for the instruction.
//!
//! A product of [`MmaOp::Wgmma`] is *pending* from there until a [`MmaOp::Wait`] says that its group is done: nobody may
//! look at it but a product that adds to it, and nobody may write the memory that it reads. A wait makes a value of
//! the same elements that is ready. Which products are pending is found by flow ([`crate::pass::pending`]).
//!
//! Absent on purpose: accumulators in tensor memory.

use super::family;
use crate::target::mma::MatrixId;
use crate::target::wgmma::WgmmaId;

family! {
    /// Products of tiles.
    MmaOp "mma";

    /// `a · b + acc`, by as many of one instruction as the tiles need.
    ///
    /// Products of integers and their sums wrap. Products of floats are exact. Sums are in the
    /// accumulator's type, in the order of `k`, each rounded to nearest even; only those of an `f16`
    /// accumulator are in `f32` within one instruction's depth, and rounded once after it. The devices
    /// add several products at a time with a few bits more or fewer: within the tolerance of that.
    Mma {
        /// The instruction.
        instruction: MatrixId,
    } = "mma" ("a", "b", "acc") Pure, "PTX ISA 9.7.14.5; CDNA3 ISA section 7";

    /// Starts `a · b + acc` beside the program, as one group. `a` is a tile or a view, `b` a view; the result is pending.
    ///
    /// Its sums are those of `mma`. There are no leading extents.
    Wgmma {
        /// The instruction.
        instruction: WgmmaId,
        /// Columns of one instruction.
        n: u32,
    } = "wgmma" ("a", "b", "acc") Read, "PTX ISA 9.7.15.5, wgmma.mma_async";

    /// Waits until at most `in_flight` groups of products are in flight. The results are the operands.
    Wait {
        /// How many of the youngest groups may stay; `None` if all that are younger than the operands'.
        in_flight: Option<u32>,
    } = "wait" ("x…") ReadWrite, "PTX ISA 9.7.15.7, wgmma.wait_group";
}
