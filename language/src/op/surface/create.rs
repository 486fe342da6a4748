//! Tiles out of nothing: counting, filling, coordinates.

use super::rows;
use crate::elab::rules::create;

rows! {
    /// Counts `0, 1, … n - 1`.
    ///
    /// Layout: none until `@ L`, or an operation with a tile of the same extent
    ///
    /// Example:
    /// ```tile
    /// let j = iota(128) @ L;
    /// ```
    Function "iota" (n: Required) "iota(n: int) -> i32[n]",
        create::iota, source "language.md section 3";

    /// Counts `start, start + 1, … end - 1`.
    ///
    /// Layout: none until `@ L`, or an operation with a tile of the same extent
    ///
    /// Example:
    /// ```tile
    /// let j = arange(1, 129) @ L;
    /// ```
    Function "arange" (start: Required, end: Required) "arange(start: int, end: int) -> i32[end - start]",
        create::arange, source "language.md section 3";

    /// A tile or a scalar of type `T` with `value` in every element.
    ///
    /// Layout: that of `T`; without one it waits for `@ L`
    /// Errors: E0252 `T` does not have that number
    ///
    /// Example:
    /// ```tile
    /// let low = full(-inf, f32[128] @ L);
    /// ```
    Function "full" (value: Required, T: Required) "full(value, T: type) -> T",
        create::full, source "language.md section 3";

    /// A tile or a scalar of type `T` with 0 (or `false`) in every element.
    ///
    /// Layout: that of `T`; without one it waits for `@ L`
    ///
    /// Example:
    /// ```tile
    /// var sum = zeros(f32[128] @ L);
    /// ```
    Function "zeros" (T: Required) "zeros(T: type) -> T",
        create::zeros, source "language.md section 3";

    /// A tile or a scalar of type `T` with 1 (or `true`) in every element.
    ///
    /// Layout: that of `T`; without one it waits for `@ L`
    ///
    /// Example:
    /// ```tile
    /// let all = ones(bool[128] @ L);
    /// ```
    Function "ones" (T: Required) "ones(T: type) -> T",
        create::ones, source "language.md section 3";

    /// The index along `axis` of every element of `x`, whose values do not matter.
    ///
    /// Shapes: that of `x`
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let row = index(m, 0);
    /// ```
    Either "index" (x: Required, axis: Required) "index(x: tile, axis: int) -> i32 of the shape of x",
        create::index, source "language.md section 3";

    /// The indices of a tile, one dimension at a time, so that they repeat where they are used together.
    ///
    /// Shapes: one tile a dimension, of extent 1 in all others
    /// Layout: that of the tile
    ///
    /// Example:
    /// ```tile
    /// let (r, c) = coords(m);
    /// let below = r > c;
    /// ```
    Function "coords" (of: Required) "coords(of: tile or [M, N] @ L) -> (i32[M, 1] @ L, i32[1, N] @ L)",
        create::coords, source "language.md section 3";
}
