//! The block in its grid, and what it says.

use super::rows;
use crate::elab::rules::program;

rows! {
    /// The number of this block along an axis of the grid.
    ///
    /// Example:
    /// ```tile
    /// let b = block_id(0);
    /// ```
    Function "block_id" (axis: Optional) "block_id(axis: int = 0) -> i32",
        program::block_id, source "PTX ISA, %ctaid; AMDGPU ABI, workgroup id";

    /// The number of blocks along an axis of the grid.
    ///
    /// Example:
    /// ```tile
    /// let n = num_blocks(0);
    /// ```
    Function "num_blocks" (axis: Optional) "num_blocks(axis: int = 0) -> i32",
        program::num_blocks, source "PTX ISA, %nctaid; AMDGPU implicit arguments";

    /// The warps of the role, or of the block outside roles, at compile time.
    ///
    /// Example:
    /// ```tile
    /// const W = num_warps();
    /// ```
    Function "num_warps" () "num_warps() -> int",
        program::num_warps, source "language.md section 5";

    /// Writes a line for people; `{name}` stands for the value of a scalar in scope. Works on every engine.
    ///
    /// Example:
    /// ```tile
    /// let n = num_blocks(0);
    /// print("blocks = {n}");
    /// ```
    Function "print" (text: Required, values: Rest) "print(text: str)",
        program::written_out, source "language.md section 12";

    /// Stops the kernel unless `cond` holds in every element.
    ///
    /// Example:
    /// ```tile
    /// assert(i >= 0, "indices start at zero");
    /// ```
    Function "assert" (cond: Required, message: Optional) "assert(cond: bool, message: str)",
        program::assert, source "language.md section 12";

    /// States a fact that analyses may use; the checked engines test it.
    ///
    /// Example:
    /// ```tile
    /// assume(i >= 0);
    /// ```
    Function "assume" (cond: Required) "assume(cond: bool)",
        program::assume, source "language.md section 6";

    /// Refuses the instance unless `cond`, known at compile time, holds.
    ///
    /// Example:
    /// ```tile
    /// static_assert(128 % 32 == 0, "whole warps");
    /// ```
    Function "static_assert" (cond: Required, why: Optional) "static_assert(cond: bool, why: str)",
        program::written_out, source "language.md section 3";
}
