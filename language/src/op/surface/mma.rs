//! Matrix units: products of tiles in registers.

use super::rows;
use crate::elab::rules::mma;

rows! {
    /// `a · b + acc` by the warps' matrix unit, `mma.sync`: the deepest instruction for the three types whose depth divides
    /// that of the tiles.
    ///
    /// Shapes:  a [m, k], b [k, n], acc [m, n]; m a multiple of 16, n of 8, and all may have the same leading dimensions
    /// Layout:  acc in `C = mma::acc(…)`, a in `C.a(k_width: w)`, b in `C.b(k_width: w)`: from `C.k_width(T)` up, any power
    /// of two will do that the depth allows
    /// Needs:   mma; mma_fp8 and mma_f64 for some types
    /// Errors:  E0259 no instruction for the types; E0260 extents that no instruction divides; E0309 another layout
    ///
    /// Example:
    /// ```tile
    /// static if target.has(mma) {
    ///     const C = mma::acc(warps: [2, 2]);
    ///     let a = ones(f16[32, 16] @ C.a(k_width: 2));
    ///     let b = ones(f16[16, 32] @ C.b(k_width: 2));
    ///     let y = mma(a, b, zeros(f32[32, 32] @ C));
    /// }
    /// ```
    Function "mma" (a: Required, b: Required, acc: Required) "mma(a: A[m, k] @ C.a(k_width: w), b: B[k, n] @ C.b(k_width: w), acc: T[m, n] @ C) -> T[m, n] @ C",
        mma::mma, needs [Mma], source "PTX ISA 9.7.14.5, mma";

    /// `a · b + acc` by the waves' matrix unit, `v_mfma`: the instruction whose shape the accumulator's layout names.
    ///
    /// Shapes:  a [m, k], b [k, n], acc [m, n]: multiples of the instruction's, and all may have the same leading dimensions
    /// Layout:  acc in `C = mfma::acc(…)`, a in `C.a(k_width: w)`, b in `C.b(k_width: w)`: `C.k_width(T)`, or another power
    /// of two that fills registers and that the depth allows
    /// Needs:   mfma; mfma_xf32, mfma_fnuz, mfma_ocp and mfma_wide for some types and shapes
    /// Errors:  E0259 no instruction for the types; E0260 extents that no instruction divides; E0309 another layout
    ///
    /// Example:
    /// ```tile
    /// static if target.has(mfma) {
    ///     const C = mfma::acc(m: 16, n: 16, k: 16, warps: [2, 2]);
    ///     let a = ones(f16[32, 16] @ C.a(k_width: 4));
    ///     let b = ones(f16[16, 32] @ C.b(k_width: 4));
    ///     let y = mfma(a, b, zeros(f32[32, 32] @ C));
    /// }
    /// ```
    Function "mfma" (a: Required, b: Required, acc: Required) "mfma(a: A[m, k] @ C.a(k_width: w), b: B[k, n] @ C.b(k_width: w), acc: T[m, n] @ C) -> T[m, n] @ C",
        mma::mfma, needs [Mfma], source "CDNA3 ISA section 7";

    /// The depth of the deepest matrix instruction of the target that multiplies elements of `A` and `B` into sums of `T`, for
    /// accumulators of `m` rows; 0 if there is none.
    ///
    /// Example:
    /// ```tile
    /// static if matrix::depth(f16, f16, f32) > 0 { const C = 1; }
    /// ```
    Function "matrix::depth" (A: Required, B: Required, T: Required, m: Optional) "matrix::depth(A: type, B: type, T: type, m: int = 16) -> int",
        mma::depth, source "PTX ISA 9.7.14.5; CDNA3 ISA section 7";

    /// Warns that the function which asks computes a product of `A` and `B` into `T` without a matrix unit.
    ///
    /// Errors: P0102 always
    ///
    /// Example:
    /// ```tile
    /// static if matrix::depth(f32, f16, f32) > 0 { matrix::missing(f32, f16, f32); }
    /// ```
    Function "matrix::missing" (A: Required, B: Required, T: Required) "matrix::missing(A: type, B: type, T: type)",
        mma::missing, source "language.md section 10";

    /// Neighbours along `k` of an operand of type `T` that a thread holds as the instruction's manual draws it.
    ///
    /// Multiples that are powers of two are as good for the instruction; wider accesses to memory may want them.
    ///
    /// Example:
    /// ```tile
    /// const W = mma::acc(warps: [2, 2]).k_width(f16);
    /// ```
    Method "k_width" (layout: Required, T: Required) "C.k_width(T: type) -> int",
        mma::k_width, source "PTX ISA 9.7.14.5; CDNA3 ISA section 7";
}
