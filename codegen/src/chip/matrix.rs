//! What the lowering asks of a vendor's matrix instructions.

use inkwell::types::BasicTypeEnum;
use inkwell::values::IntValue;
use tile_language::target::mma::MatrixRow;
use tile_language::target::wgmma::WgmmaRow;

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

/// The left factor of a warp group's instruction.
pub(crate) enum Left<'c> {
    /// Its elements, in the order of the instruction's registers.
    Registers(Vec<Val<'c>>),
    /// Its descriptor, and whether its neighbours along `k` are apart.
    Memory { word: IntValue<'c>, turned: bool },
}

/// Matrix instructions of groups of four warps, which run beside the program.
pub(crate) trait WarpGroups {
    /// What was done to registers before is done before the instructions that come next.
    fn fence_registers(&self, emit: &Emit<'_>);

    /// One instruction of `n` columns: the sum's elements after it. `sum` is `None` for zero; `right` is the
    /// descriptor of the right factor, and whether its neighbours along `k` are apart.
    #[expect(clippy::too_many_arguments, reason = "an instruction has that many operands")]
    fn multiply<'c>(
        &self,
        emit: &Emit<'c>,
        row: &WgmmaRow,
        n: u32,
        element: BasicTypeEnum<'c>,
        left: &Left<'c>,
        right: (IntValue<'c>, bool),
        sum: Option<&[Val<'c>]>,
    ) -> Vec<Val<'c>>;

    /// The same values, in registers that are made here.
    fn anchor<'c>(&self, emit: &Emit<'c>, words: &[Val<'c>]) -> Vec<Val<'c>>;

    /// Closes the group of the instructions since the last one.
    fn commit(&self, emit: &Emit<'_>);

    /// Waits until at most `in_flight` groups are in flight, and hands the values through.
    fn wait<'c>(&self, emit: &Emit<'c>, in_flight: u32, values: &[Val<'c>]) -> Vec<Val<'c>>;
}
