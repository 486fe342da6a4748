//! Elementwise functions.

use super::rows;
use crate::elab::rules::{math, numbers};

rows! {
    /// The absolute value; the most negative integer stays.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = abs(x);
    /// ```
    Either "abs" (x: Required) "abs(x: number) -> as x",
        math::abs, source "language.md section 3";

    /// The square root, correctly rounded.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = sqrt(x);
    /// ```
    Either "sqrt" (x: Required) "sqrt(x: float) -> as x",
        math::sqrt, source "language.md section 3";

    /// 2 to the power of every element, approximated as the accuracy table says.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = exp2(x);
    /// ```
    Either "exp2" (x: Required) "exp2(x: float) -> as x",
        math::exp2, source "language.md section 3";

    /// The logarithm to base 2, approximated as the accuracy table says; of a compile-time integer the position of its highest bit.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = log2(x);
    /// const BITS = log2(128);
    /// ```
    Either "log2" (x: Required) "log2(x: float or int) -> as x",
        numbers::log2, source "language.md section 3";

    /// The reciprocal, approximated as the accuracy table says; `1.0 / x` is correctly rounded.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = rcp(x);
    /// ```
    Either "rcp" (x: Required) "rcp(x: float) -> as x",
        math::rcp, source "language.md section 3";

    /// The reciprocal square root, approximated as the accuracy table says.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = rsqrt(x);
    /// ```
    Either "rsqrt" (x: Required) "rsqrt(x: float) -> as x",
        math::rsqrt, source "language.md section 3";

    /// The sine of radians, approximated as the accuracy table says.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = sin(x);
    /// ```
    Either "sin" (x: Required) "sin(x: float) -> as x",
        math::sin, source "language.md section 3";

    /// The cosine of radians, approximated as the accuracy table says.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = cos(x);
    /// ```
    Either "cos" (x: Required) "cos(x: float) -> as x",
        math::cos, source "language.md section 3";

    /// The hyperbolic tangent, approximated as the accuracy table says.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = tanh(x);
    /// ```
    Either "tanh" (x: Required) "tanh(x: float) -> as x",
        math::tanh, source "language.md section 3";

    /// 2 to the power of every element, correctly rounded.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = exact::exp2(x);
    /// ```
    Function "exact::exp2" (x: Required) "exact::exp2(x: float) -> as x",
        math::exact_exp2, source "language.md section 3";

    /// The logarithm to base 2, correctly rounded.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = exact::log2(x);
    /// ```
    Function "exact::log2" (x: Required) "exact::log2(x: float) -> as x",
        math::exact_log2, source "language.md section 3";

    /// The reciprocal, correctly rounded.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = exact::rcp(x);
    /// ```
    Function "exact::rcp" (x: Required) "exact::rcp(x: float) -> as x",
        math::exact_rcp, source "language.md section 3";

    /// The largest integer that is not above.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = floor(x);
    /// ```
    Either "floor" (x: Required) "floor(x: float) -> as x",
        math::floor, source "language.md section 3";

    /// The smallest integer that is not below.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = ceil(x);
    /// ```
    Either "ceil" (x: Required) "ceil(x: float) -> as x",
        math::ceil, source "language.md section 3";

    /// The nearest integer, ties to even.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = round(x);
    /// ```
    Either "round" (x: Required) "round(x: float) -> as x",
        math::round, source "language.md section 3";

    /// The integer part.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = trunc(x);
    /// ```
    Either "trunc" (x: Required) "trunc(x: float) -> as x",
        math::trunc, source "language.md section 3";

    /// The number of one bits.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = popcount(i);
    /// ```
    Either "popcount" (x: Required) "popcount(x: int) -> as x",
        math::popcount, source "language.md section 3";

    /// The number of zero bits above the highest one; the width for 0.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = leading_zeros(i);
    /// ```
    Either "leading_zeros" (x: Required) "leading_zeros(x: int) -> as x",
        math::leading_zeros, source "language.md section 3";

    /// The bits in reverse order.
    ///
    /// Shapes: any; a scalar gives a scalar
    /// Layout: that of `x`
    ///
    /// Example:
    /// ```tile
    /// let y = reverse_bits(i);
    /// ```
    Either "reverse_bits" (x: Required) "reverse_bits(x: int) -> as x",
        math::reverse_bits, source "language.md section 3";

    /// The smaller; a NaN is ignored.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = min(x, 6.0);
    /// ```
    Function "min" (a: Required, b: Required) "min(a: number, b: number) -> number",
        math::min, source "language.md section 3";

    /// The larger; a NaN is ignored.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = max(x, 0.0);
    /// ```
    Function "max" (a: Required, b: Required) "max(a: number, b: number) -> number",
        math::max, source "language.md section 3";

    /// The smaller; a NaN propagates.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = min_nan(x, 6.0);
    /// ```
    Function "min_nan" (a: Required, b: Required) "min_nan(a: float, b: float) -> float",
        math::min_nan, source "language.md section 3";

    /// The larger; a NaN propagates.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = max_nan(x, 0.0);
    /// ```
    Function "max_nan" (a: Required, b: Required) "max_nan(a: float, b: float) -> float",
        math::max_nan, source "language.md section 3";

    /// The upper half of the product of twice the width.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = mul_high(i, i);
    /// ```
    Function "mul_high" (a: Required, b: Required) "mul_high(a: int, b: int) -> int",
        math::mul_high, source "language.md section 3";

    /// `a * b + c` with one rounding; integers wrap.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = fma(x, 2.0, x);
    /// ```
    Function "fma" (a: Required, b: Required, c: Required) "fma(a: number, b: number, c: number) -> number",
        math::fma, source "IEEE 754-2019 section 5.4.1";

    /// `a` where `cond` holds, `b` elsewhere; both are computed. Tuples are picked part by part.
    ///
    /// Shapes: equal, or 1 on one side; scalars and numbers go everywhere
    /// Layout: equal
    ///
    /// Example:
    /// ```tile
    /// let y = select(x > 0.0, x, 0.0);
    /// ```
    Function "select" (cond: Required, a: Required, b: Required) "select(cond: bool, a, b) -> as a and b",
        math::select, source "language.md section 3";
}
