//! What the lowering asks of a vendor's matrix instructions.

use tile_language::target::mma::MatrixRow;

use crate::emit::{Emit, Val};

/// A vendor's matrix instructions.
pub(crate) trait MatrixUnit {
    /// What an operand's elements, in the order of the instruction's slots, are as its arguments.
    fn matrix_operand<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>>;

    /// What an accumulator's elements are as its arguments.
    fn matrix_acc<'c>(&self, emit: &Emit<'c>, elements: &[Val<'c>]) -> Vec<Val<'c>>;

    /// The elements of an accumulator: the inverse of [`MatrixUnit::matrix_acc`].
    fn matrix_elements<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>>;

    /// One instruction: the accumulator after it. `swapped` says that the left factor is `b`.
    fn multiply<'c>(
        &self,
        emit: &Emit<'c>,
        row: &MatrixRow,
        swapped: bool,
        factors: [&[Val<'c>]; 2],
        acc: &[Val<'c>],
    ) -> Vec<Val<'c>>;
}
