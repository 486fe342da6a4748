//! Compile-time integers, and changes of element type.

use super::rows;
use crate::elab::rules::{casts, numbers, stochastic};

rows! {
    /// `a / b` rounded up, for `a` not negative and `b` positive.
    ///
    /// Example:
    /// ```tile
    /// let n_blocks = cdiv(1000, 128);
    /// ```
    Function "cdiv" (a: Required, b: Required) "cdiv(a: int, b: int) -> int",
        numbers::cdiv, source "language.md section 3";

    /// The smallest power of two that is not below `n`, at compile time.
    ///
    /// Example:
    /// ```tile
    /// const N = next_pow2(100);
    /// ```
    Function "next_pow2" (n: Required) "next_pow2(n: int) -> int",
        numbers::next_pow2, source "language.md section 4";

    /// Whether `n` is a power of two, at compile time.
    ///
    /// Example:
    /// ```tile
    /// static_assert(is_pow2(64), "a power of two");
    /// ```
    Function "is_pow2" (n: Required) "is_pow2(n: int) -> bool",
        numbers::is_pow2, source "language.md section 4";

    /// Converts every element to `T`.
    ///
    /// Floats round as `round` says and saturate in types of 8 bits and fewer; float to integer goes towards
    /// zero and saturates, a NaN gives 0; integers keep their low bits.
    ///
    /// Shapes: that of `x`
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = x.to(bf16);
    /// let z = x.to(f16, round: zero);
    /// ```
    Method "to" (x: Required, T: Required, round: Word) "x.to(T: type, round: nearest|zero|up|down|stochastic(bits) = nearest) -> as x, of T",
        casts::to, source "language.md section 3";

    /// A rounding for `.to` from `f32` to floats of at most 16 bits: random `bits` are added below the
    /// last bit that is kept, then the rest is cut off.
    ///
    /// With uniform bits a number goes up as often as it is near to the upper neighbour. The low
    /// bits are used, 13 for `f16`, 16 for `bf16`, 20 for `f8e4m3`, 21 for `f8e5m2`.
    ///
    /// Shapes: `bits` is a scalar or repeats to the shape of what is converted
    /// Errors: E0251 a type to which nothing rounds so
    ///
    /// Example:
    /// ```tile
    /// let y = x.to(bf16, round: stochastic(i.bits(u32) * 2654435769));
    /// ```
    Function "stochastic" (bits: Required) "stochastic(bits: u32) -> rounding",
        stochastic::rounding, source "language.md section 3";

    /// Reads the bits of every element as a `T` of the same width.
    ///
    /// Shapes: that of `x`
    /// Layout: that of `x`
    /// Errors: E0251 the widths differ
    ///
    /// Example:
    /// ```tile
    /// let y = x.bits(u32);
    /// ```
    Method "bits" (x: Required, T: Required) "x.bits(T: type) -> as x, of T",
        casts::bits, source "language.md section 3";
}
