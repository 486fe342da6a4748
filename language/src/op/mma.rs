//! Operations of the matrix units on tiles in registers.
//!
//! Shapes: `a` is `[…, m, k]`, `b` is `[…, k, n]`, `acc` and the result are `[…, m, n]`, with equal leading
//! extents. Layouts: those that [`Fragments`](crate::target::mma::Fragments) accepts for the instruction.
//!
//! Absent on purpose: operands in shared or tensor memory, and accumulators in flight.

use super::family;
use crate::target::mma::MatrixId;

family! {
    /// Products of tiles in registers.
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
}
