//! Operations on shape and layout.

use super::rows;
use crate::elab::rules::shape;

rows! {
    /// The elements whose index along `axis` has the bit clear, and those that have it set.
    ///
    /// Shapes: the extent of `axis` is halved
    /// Layout: that of `x` without the bit
    /// Errors: E0307 the extent has no such bit
    ///
    /// Free for a bit in registers, a shuffle for one in lanes, a trip through shared memory for one in warps.
    ///
    /// Example:
    /// ```tile
    /// let (low, high) = x.halves(0, bit: 6);
    /// ```
    Method "halves" (x: Required, axis: Required, bit: Required) "x.halves(axis: int, bit: int) -> (tile, tile)",
        shape::halves, source "language.md section 5";

    /// Element `i` of the result is element `i ^ mask` of `x` along `axis`, which may be left out for rank 1.
    ///
    /// Shapes: that of `x`
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let other = x.butterfly(1 << 3);
    /// ```
    Method "butterfly" (x: Required, mask: Required, axis: Optional) "x.butterfly(mask: int, axis: int) -> as x",
        shape::butterfly, source "language.md section 5";

    /// Drops the dimension `axis`, whose extent is 1; rank 1 gives a scalar.
    ///
    /// Layout: the slice of that of `x`
    /// Errors: E0253 the extent is not 1
    ///
    /// Example:
    /// ```tile
    /// let s = zeros(f32[1] @ L).squeeze(0);
    /// ```
    Method "squeeze" (x: Required, axis: Optional) "x.squeeze(axis: int) -> tile",
        shape::squeeze, source "language.md section 5";

    /// Puts in a dimension of extent 1 before `axis`, as `x[:, None]` does.
    ///
    /// Layout: open: any parent whose slice is that of `x`
    ///
    /// Example:
    /// ```tile
    /// let row = m.sum(axis: 1).expand(1) * m;
    /// ```
    Method "expand" (x: Required, axis: Required) "x.expand(axis: int) -> tile",
        shape::expand, source "language.md section 3";

    /// The same elements in row-major order in another shape. No element moves.
    ///
    /// Layout: carried along
    /// Errors: E0253 another number of elements; E0307 odd factors of extents would be split
    ///
    /// Example:
    /// ```tile
    /// let y = x.reshape([4, 32]);
    /// ```
    Method "reshape" (x: Required, shape: Required) "x.reshape(shape: [int]) -> tile",
        shape::reshape, source "language.md section 5";

    /// Dimension `d` of the result is dimension `order[d]` of `x`. No element moves.
    ///
    /// Layout: carried along
    ///
    /// Example:
    /// ```tile
    /// let y = m.permute([1, 0]);
    /// ```
    Method "permute" (x: Required, order: Required) "x.permute(order: [int]) -> tile",
        shape::permute, source "language.md section 5";

    /// Exchanges the last two dimensions. No element moves.
    ///
    /// Layout: carried along
    ///
    /// Example:
    /// ```tile
    /// let y = m.t();
    /// ```
    Method "t" (x: Required) "x.t() -> tile",
        shape::transposed, source "language.md section 5";

    /// Repeats dimensions of extent 1 to the extents of `shape`.
    ///
    /// Layout: that of `x`, spread over the new shape
    ///
    /// Example:
    /// ```tile
    /// let (r, c) = coords(m);
    /// let rows = r.broadcast([16, 32]);
    /// ```
    Method "broadcast" (x: Required, shape: Required) "x.broadcast(shape: [int]) -> tile",
        shape::broadcast, source "language.md section 3";

    /// Two tiles as one, with a new last dimension of extent 2 in the lowest register bit.
    ///
    /// Shapes: equal
    /// Layout: equal; the result has one more register bit
    ///
    /// Example:
    /// ```tile
    /// let both = join(x, x + 1.0);
    /// ```
    Either "join" (x: Required, y: Required) "join(x: tile, y: tile) -> tile",
        shape::join, source "language.md section 5";

    /// The two halves of a last dimension of extent 2; undoes `join`. Of a view of shared memory, its first dimension in
    /// `n` equal parts, as an array of views.
    ///
    /// Errors: E0307 the halves are not in the same thread; E0308 the parts would cut the memory
    ///
    /// Example:
    /// ```tile
    /// let (a, b) = join(x, x + 1.0).split();
    /// ```
    Method "split" (x: Required, n: Optional) "x.split() -> (tile, tile), s.split(n: int) -> [view]",
        shape::split, source "language.md section 5";

    /// Picks elements of `x`, a tile or a view of shared memory, along `axis` by their index there. Of a view, 0 where
    /// `mask` is false.
    ///
    /// Shapes: that of `index`; equal to that of `x` in all other dimensions
    /// Layout: that of `index`
    ///
    /// Example:
    /// ```tile
    /// let y = x.gather(127 - i, axis: 0);
    /// ```
    Method "gather" (x: Required, index: Required, axis: Optional, mask: Optional) "x.gather(index: i32 tile, axis: int, mask: bool = true) -> tile",
        shape::gather, source "language.md section 5";

    /// The elements with one index along `axis`, which keeps extent 1. Of a tuple, of each of its tiles.
    ///
    /// Shapes: that of `x`, with extent 1 in `axis`
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let first = m.take(0, axis: 1).squeeze(1);
    /// ```
    Method "take" (x: Required, index: Required, axis: Optional) "x.take(index: int, axis: int) -> tile",
        shape::take, source "language.md section 5";

    /// How often each of `0 … n - 1` occurs in `x` where `mask` holds; others are not counted.
    ///
    /// Shapes: `T` is `i32[n] @ L`
    /// Layout: that of `T`
    ///
    /// Example:
    /// ```tile
    /// let counts = (i % 16).histogram(i32[128] @ L);
    /// ```
    Method "histogram" (x: Required, T: Required, mask: Optional) "x.histogram(T: type, mask: bool = true) -> T",
        shape::histogram, source "language.md section 5";

    /// The same tile in another layout: nothing, a move between registers, shuffles, or a trip through shared memory.
    ///
    /// Shapes: that of `x`
    /// Layout: the one given
    ///
    /// Example:
    /// ```tile
    /// let y = x.convert(blocked(regs: [1], lanes: [32], warps: [4]));
    /// ```
    Method "convert" (x: Required, layout: Required) "x.convert(layout) -> as x",
        shape::convert, source "language.md section 5";

    /// The bits of the index along `axis` in the order in which reductions fold them: registers, lanes, warps, each from
    /// the lowest up. Of a tuple, those of its first tile.
    ///
    /// Example:
    /// ```tile
    /// const ORDER = x.fold_bits(0);
    /// ```
    Method "fold_bits" (x: Required, axis: Optional) "x.fold_bits(axis: int) -> [int]",
        shape::fold_bits, source "language.md section 5";

    /// The extent of a dimension, `x.shape[axis]`. Of a tuple, that of its first tile.
    ///
    /// Example:
    /// ```tile
    /// const N = m.extent(1);
    /// ```
    Method "extent" (x: Required, axis: Optional) "x.extent(axis: int) -> int",
        shape::extent, source "language.md section 5";
}
