//! How far an engine's approximation may be from the true value: the one table.
//!
//! A row says, for an approximated function and an element type, how many units in the last place of
//! the correctly rounded result, or how much absolutely, an engine may be off; the larger of the two
//! counts. The interpreter gives the correctly rounded result (up to the cases that
//! [`super::functions`] names); `sim` and the targets must lie within the bound, and tests that
//! compare engines use it. Bounds are the largest over all targets.
//!
//! Sources: PTX ISA 9.0, sections 9.7.3 and 9.7.4 (`ex2`, `lg2`, `rcp`, `rsqrt`, `sin`, `cos`,
//! `tanh`, `.approx` forms); AMD CDNA3 ISA, transcendental instructions (one ulp); OpenCL C 3.0,
//! section 7.4, for the AMD device library's `sin` and `cos`.

use crate::dtype::DType;
use crate::op::tile::UnaryOp;

/// How far off a result may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// In units in the last place of the correctly rounded result.
    pub ulp: f64,
    /// Absolutely, where that is more.
    pub absolute: f64,
}

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Row {
    /// The function.
    pub op: UnaryOp,
    /// The element type.
    pub dtype: DType,
    /// How far off it may be.
    pub bound: Bound,
    /// Where that stands.
    pub source: &'static str,
}

const fn row(op: UnaryOp, dtype: DType, ulp: f64, absolute: f64, source: &'static str) -> Row {
    Row { op, dtype, bound: Bound { ulp, absolute }, source }
}

/// 2^-22, the absolute bound of `lg2.approx` between 1/2 and 2.
const LOG2_ABSOLUTE: f64 = 2.384_185_791_015_625e-7;

/// 2^-20.5 within two turns.
const SIN_ABSOLUTE: f64 = 6.743_495_762_000_7e-7;

/// The table. What is not in it is correctly rounded: other types are computed in `f32` and rounded.
pub const ROWS: &[Row] = &[
    row(UnaryOp::Exp2, DType::F32, 2.0, 0.0, "PTX ISA, ex2.approx.f32"),
    row(UnaryOp::Log2, DType::F32, 4.0, LOG2_ABSOLUTE, "PTX ISA, lg2.approx.f32"),
    row(UnaryOp::Rcp, DType::F32, 1.0, 0.0, "PTX ISA, rcp.approx.f32; CDNA3 ISA, V_RCP_F32"),
    row(UnaryOp::Rsqrt, DType::F32, 2.0, 0.0, "PTX ISA, rsqrt.approx.f32; CDNA3 ISA, V_RSQ_F32"),
    row(UnaryOp::Sin, DType::F32, 2.0, SIN_ABSOLUTE, "PTX ISA, sin.approx.f32"),
    row(UnaryOp::Cos, DType::F32, 2.0, SIN_ABSOLUTE, "PTX ISA, cos.approx.f32"),
    row(UnaryOp::Tanh, DType::F32, 8192.0, 0.0, "PTX ISA, tanh.approx.f32: 2^-11 relative"),
    row(UnaryOp::Exp2, DType::F64, 2.0, 0.0, "computed by a series"),
    row(UnaryOp::Log2, DType::F64, 2.0, 0.0, "computed by a series"),
    row(UnaryOp::Rcp, DType::F64, 1.0, 0.0, "computed by division"),
    row(UnaryOp::Rsqrt, DType::F64, 2.0, 0.0, "computed by division and square root"),
    row(UnaryOp::Sin, DType::F64, 2.0, 0.0, "computed by a series"),
    row(UnaryOp::Cos, DType::F64, 2.0, 0.0, "computed by a series"),
    row(UnaryOp::Tanh, DType::F64, 4.0, 0.0, "computed by a series"),
];

/// How far `op` on `dtype` may be from the correctly rounded result.
///
/// Types narrower than `f32` inherit the bound of `f32`, as it shows after rounding: one ulp for
/// what `f32` gets right within half an ulp of the narrow type, more for `tanh`.
pub fn bound(op: UnaryOp, dtype: DType) -> Bound {
    let own = ROWS.iter().find(|it| it.op == op && it.dtype == dtype);
    if let Some(row) = own {
        return row.bound;
    }
    match ROWS.iter().find(|it| it.op == op && it.dtype == DType::F32 && dtype.is_float()) {
        Some(row) if dtype.bits() <= 16 => {
            let narrower = 2f64.powi(if dtype == DType::F16 { -13 } else { -16 });
            Bound { ulp: 1.0 + row.bound.ulp * narrower, absolute: row.bound.absolute }
        }
        Some(row) => row.bound,
        None => Bound { ulp: 0.0, absolute: 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_approximated_function_has_rows_for_f32_and_f64() {
        for op in [
            UnaryOp::Exp2,
            UnaryOp::Log2,
            UnaryOp::Rcp,
            UnaryOp::Rsqrt,
            UnaryOp::Sin,
            UnaryOp::Cos,
            UnaryOp::Tanh,
        ] {
            for dtype in [DType::F32, DType::F64] {
                let rows = ROWS.iter().filter(|it| it.op == op && it.dtype == dtype).count();
                assert_eq!(rows, 1, "{} {dtype}", op.name());
            }
            assert!(bound(op, DType::Bf16).ulp >= 1.0);
        }
        assert_eq!(bound(UnaryOp::Sqrt, DType::F32).ulp, 0.0);
    }
}
