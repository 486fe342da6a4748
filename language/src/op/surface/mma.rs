//! Matrix units: products of tiles in registers.

use super::rows;
use crate::elab::rules::{mma, wgmma};

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

    /// Starts `a · b + acc` beside the program, by the matrix units of groups of four warps. The result is pending:
    /// it may be added to by another `wgmma`, or be waited for by `.wait()`, which gives the tile. Without `acc`, or with zeros,
    /// the sum starts from the instruction's own zero.
    ///
    /// Shapes:  a [m, k], b [k, n], acc [m, n]; m a multiple of 64, n of 8 (of 16 from 32 on for integers), k of 32 bytes
    /// Layout:  acc in `C = wgmma::acc(n:)`; b in shared memory, a there or in `C.a(k_width: w)` with `w` elements in 32 bits;
    /// in shared memory `nvmma(swizzle: 32, 64 or 128)` with neighbours along `k` together, so that b is `s.t()` of
    /// columns by depth, or for 16-bit types either way
    /// Needs:   wgmma
    /// Errors:  E0259 no instruction for the types; E0260 extents that no instruction divides; E0309 another layout;
    /// E0310 memory that no descriptor tells; E0720 a use before the wait; E0721 a use after more was added
    ///
    /// Example:
    /// ```tile
    /// static if target.has(wgmma) {
    ///     const S = nvmma(swizzle: 128);
    ///     let s: shared f16[64, 64] @ S;
    ///     s.store(ones(f16[64, 64] @ blocked::coalesced([64, 64], f16)));
    ///     let y = wgmma(s, s.t(), zeros(f32[64, 64] @ wgmma::acc(n: 64))).wait();
    /// }
    /// ```
    Function "wgmma" (a: Required, b: Required, acc: Optional) "wgmma(a: A[m, k], b: B[k, n] view, acc: T[m, n] @ C = zeros) -> T[m, n] @ C, pending",
        wgmma::wgmma, needs [Wgmma], source "PTX ISA 9.7.15, wgmma.mma_async";

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
