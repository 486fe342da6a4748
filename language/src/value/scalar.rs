//! What every elementwise operation gives on one element, from bits to bits.
//!
//! Written for plainness: integers through `i128`, floats through `f64`. Every float type narrower
//! than `f64` fits into one with room to spare (at least `2p + 2` bits for a significand of `p`), so
//! that `+ - * / sqrt` computed in `f64` and rounded once more are correctly rounded; `fma` goes
//! through rounding to odd.
//!
//! NaN results are some NaN of the type; which one is not part of the meaning.

use super::format::{Exact, decode, encode, encode_exact, nan};
use super::functions as math;
use crate::dtype::{Class, DType};
use crate::op::tile::{BinaryOp, CmpOp, Round, UnaryOp};

/// The integer that bits of an integer or bool type stand for.
pub fn to_int(dtype: DType, bits: u64) -> i128 {
    let unused = 64 - dtype.bits();
    if dtype.is_signed() {
        i128::from(((bits << unused) as i64) >> unused)
    } else {
        i128::from(bits << unused >> unused)
    }
}

/// The low bits of an integer.
pub fn from_int(dtype: DType, value: i128) -> u64 {
    let unused = 64 - dtype.bits();
    (value as u64) << unused >> unused
}

/// A function of one operand.
///
/// # Panics
/// If the operation is not defined on the type (rule V3 of the IR).
pub fn unary(op: UnaryOp, dtype: DType, x: u64) -> u64 {
    match dtype.class() {
        Class::Bool => match op {
            UnaryOp::Not => x ^ 1,
            _ => panic!("V3: `{}` is not defined on bool", op.name()),
        },
        Class::Signed | Class::Unsigned => int_unary(op, dtype, x),
        Class::Float(_) => float_unary(op, dtype, x),
    }
}

fn int_unary(op: UnaryOp, dtype: DType, x: u64) -> u64 {
    let width = dtype.bits();
    match op {
        UnaryOp::Neg => from_int(dtype, -to_int(dtype, x)),
        UnaryOp::Not => from_int(dtype, !to_int(dtype, x)),
        UnaryOp::Abs => from_int(dtype, to_int(dtype, x).abs()),
        UnaryOp::Popcount => u64::from(x.count_ones()),
        UnaryOp::LeadingZeros => u64::from(x.leading_zeros() + width - 64),
        UnaryOp::ReverseBits => x.reverse_bits() >> (64 - width),
        UnaryOp::Sqrt
        | UnaryOp::Exp2
        | UnaryOp::Log2
        | UnaryOp::Rcp
        | UnaryOp::Rsqrt
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tanh
        | UnaryOp::ExactExp2
        | UnaryOp::ExactLog2
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc => panic!("V3: `{}` is not defined on {dtype}", op.name()),
    }
}

fn float_unary(op: UnaryOp, dtype: DType, bits: u64) -> u64 {
    let sign = 1 << (dtype.bits() - 1);
    let x = decode(dtype, bits);
    let value = match op {
        // Formats of 8 bits and fewer may lack a sign or a negative zero, but then no infinity.
        UnaryOp::Neg if dtype.bits() > 8 || x.is_infinite() => return bits ^ sign,
        UnaryOp::Abs if dtype.bits() > 8 || x.is_infinite() => return bits & !sign,
        UnaryOp::Neg => -x,
        UnaryOp::Abs => x.abs(),
        UnaryOp::Sqrt => x.sqrt(),
        UnaryOp::Exp2 if matches!(dtype, DType::F32 | DType::Tf32) => {
            f64::from(math::exp2_f32(x as f32))
        }
        UnaryOp::Exp2 => math::exp2(x),
        UnaryOp::Log2 => math::log2(x),
        UnaryOp::Rcp => 1.0 / x,
        UnaryOp::Rsqrt => 1.0 / x.sqrt(),
        UnaryOp::Sin => math::sin(x),
        UnaryOp::Cos => math::cos(x),
        UnaryOp::Tanh => math::tanh(x),
        UnaryOp::ExactExp2 if dtype == DType::F64 => math::exact_exp2(x),
        UnaryOp::ExactLog2 if dtype == DType::F64 => math::exact_log2(x),
        UnaryOp::ExactExp2 => math::exp2_to_odd(x),
        UnaryOp::ExactLog2 => math::log2_to_odd(x),
        UnaryOp::Floor => x.floor(),
        UnaryOp::Ceil => x.ceil(),
        UnaryOp::Round => x.round_ties_even(),
        UnaryOp::Trunc => x.trunc(),
        UnaryOp::Not | UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits => {
            panic!("V3: `{}` is not defined on {dtype}", op.name())
        }
    };
    encode(dtype, value, Round::Nearest)
}

/// A function of two operands; `None` for an integer division by zero.
///
/// # Panics
/// If the operation is not defined on the type (rule V3 of the IR).
pub fn binary(op: BinaryOp, dtype: DType, x: u64, y: u64) -> Option<u64> {
    match dtype.class() {
        Class::Bool => Some(match op {
            BinaryOp::And => x & y,
            BinaryOp::Or => x | y,
            BinaryOp::Xor => x ^ y,
            _ => panic!("V3: `{}` is not defined on bool", op.name()),
        }),
        Class::Signed | Class::Unsigned => int_binary(op, dtype, x, y),
        Class::Float(_) => Some(float_binary(op, dtype, x, y)),
    }
}

fn int_binary(op: BinaryOp, dtype: DType, x_bits: u64, y_bits: u64) -> Option<u64> {
    let (x, y) = (to_int(dtype, x_bits), to_int(dtype, y_bits));
    let width = dtype.bits();
    // A shift counts as unsigned: a negative one is beyond every width.
    let shift = if y_bits < u64::from(width) { y_bits as u32 } else { width };
    let value = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x.wrapping_mul(y),
        BinaryOp::Div => x.checked_div(y)?,
        BinaryOp::Rem => x.checked_rem(y)?,
        BinaryOp::Min | BinaryOp::MinNan => x.min(y),
        BinaryOp::Max | BinaryOp::MaxNan => x.max(y),
        BinaryOp::And => x & y,
        BinaryOp::Or => x | y,
        BinaryOp::Xor => x ^ y,
        BinaryOp::Shl => x << shift,
        BinaryOp::Shr => x >> shift,
        BinaryOp::MulHigh if dtype.is_signed() => (x * y) >> width,
        BinaryOp::MulHigh => ((x as u128 * y as u128) >> width) as i128,
    };
    Some(from_int(dtype, value))
}

fn float_binary(op: BinaryOp, dtype: DType, x_bits: u64, y_bits: u64) -> u64 {
    let (x, y) = (decode(dtype, x_bits), decode(dtype, y_bits));
    let value = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => x / y,
        BinaryOp::Rem => x % y,
        BinaryOp::Min | BinaryOp::Max | BinaryOp::MinNan | BinaryOp::MaxNan => {
            return extreme(op, dtype, (x, x_bits), (y, y_bits));
        }
        BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::MulHigh => {
            panic!("V3: `{}` is not defined on {dtype}", op.name())
        }
    };
    encode(dtype, value, Round::Nearest)
}

/// The smaller or larger of two floats; minus zero is below zero.
fn extreme(op: BinaryOp, dtype: DType, (x, x_bits): (f64, u64), (y, y_bits): (f64, u64)) -> u64 {
    let propagates = matches!(op, BinaryOp::MinNan | BinaryOp::MaxNan);
    if x.is_nan() || y.is_nan() {
        return match (x.is_nan(), y.is_nan(), propagates) {
            (false, _, false) => x_bits,
            (_, false, false) => y_bits,
            _ => nan(dtype),
        };
    }
    let x_first = x < y || x == y && x.is_sign_negative();
    let smaller = matches!(op, BinaryOp::Min | BinaryOp::MinNan);
    if x_first == smaller { x_bits } else { y_bits }
}

/// A comparison.
pub fn cmp(op: CmpOp, dtype: DType, x: u64, y: u64) -> bool {
    match dtype.class() {
        Class::Float(_) => compare(op, &decode(dtype, x), &decode(dtype, y)),
        Class::Bool | Class::Signed | Class::Unsigned => {
            compare(op, &to_int(dtype, x), &to_int(dtype, y))
        }
    }
}

fn compare<T: PartialOrd>(op: CmpOp, x: &T, y: &T) -> bool {
    match op {
        CmpOp::Eq => x == y,
        CmpOp::Ne => x != y,
        CmpOp::Lt => x < y,
        CmpOp::Le => x <= y,
        CmpOp::Gt => x > y,
        CmpOp::Ge => x >= y,
    }
}

/// `x * y + z` with one rounding; for integers, wrapping.
pub fn fma(dtype: DType, x: u64, y: u64, z: u64) -> u64 {
    match dtype.class() {
        Class::Bool => panic!("V3: `fma` is not defined on bool"),
        Class::Signed | Class::Unsigned => {
            let product = to_int(dtype, x).wrapping_mul(to_int(dtype, y));
            from_int(dtype, product.wrapping_add(to_int(dtype, z)))
        }
        Class::Float(_) => {
            let (x, y, z) = (decode(dtype, x), decode(dtype, y), decode(dtype, z));
            let value =
                if dtype == DType::F64 { math::fma(x, y, z) } else { math::fma_to_odd(x, y, z) };
            encode(dtype, value, Round::Nearest)
        }
    }
}

/// The same number in another type, as [`crate::op::TileOp::Cast`] says.
pub fn cast(from: DType, to: DType, round: Round, x: u64) -> u64 {
    if from == to {
        return x;
    }
    match (from.class(), to.class()) {
        (Class::Float(_), Class::Float(_)) => encode(to, decode(from, x), round),
        (Class::Float(_), Class::Bool) => u64::from(decode(from, x) != 0.0),
        (Class::Float(_), Class::Signed | Class::Unsigned) => float_to_int(to, decode(from, x)),
        (Class::Bool | Class::Signed | Class::Unsigned, Class::Float(_)) => {
            encode_exact(to, Exact::from_int(to_int(from, x)), round)
        }
        (Class::Bool | Class::Signed | Class::Unsigned, Class::Bool) => u64::from(x != 0),
        (Class::Bool | Class::Signed | Class::Unsigned, Class::Signed | Class::Unsigned) => {
            from_int(to, to_int(from, x))
        }
    }
}

/// Towards zero, saturating; 0 for a NaN.
fn float_to_int(to: DType, x: f64) -> u64 {
    let width = to.bits();
    let (lo, hi) = if to.is_signed() {
        (-(1i128 << (width - 1)), (1i128 << (width - 1)) - 1)
    } else {
        (0, (1i128 << width) - 1)
    };
    from_int(to, (x as i128).clamp(lo, hi))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f16(x: f32) -> u64 {
        u64::from(half::f16::from_f32(x).to_bits())
    }

    #[test]
    fn arithmetic_of_16_bits_is_that_of_the_half_crate() {
        let samples: Vec<u16> =
            (0..=u16::MAX).step_by(331).chain([0, 0x8000, 1, 0x7c00, 0x7bff]).collect();
        for &a in &samples {
            for &b in &samples {
                let (x, y) = (half::f16::from_bits(a), half::f16::from_bits(b));
                for (op, wanted) in [
                    (BinaryOp::Add, x + y),
                    (BinaryOp::Sub, x - y),
                    (BinaryOp::Mul, x * y),
                    (BinaryOp::Div, x / y),
                ] {
                    let got = half::f16::from_bits(
                        binary(op, DType::F16, a.into(), b.into()).unwrap() as u16,
                    );
                    assert!(
                        got.to_bits() == wanted.to_bits() || got.is_nan() && wanted.is_nan(),
                        "{x} {} {y}",
                        op.name()
                    );
                }
            }
        }
    }

    #[test]
    fn small_integers_follow_their_native_types() {
        for a in i8::MIN..=i8::MAX {
            for b in i8::MIN..=i8::MAX {
                let run = |op| {
                    binary(op, DType::I8, u64::from(a as u8), u64::from(b as u8))
                        .map(|it| it as u8 as i8)
                };
                assert_eq!(run(BinaryOp::Add), Some(a.wrapping_add(b)));
                assert_eq!(run(BinaryOp::Sub), Some(a.wrapping_sub(b)));
                assert_eq!(run(BinaryOp::Mul), Some(a.wrapping_mul(b)));
                assert_eq!(run(BinaryOp::Div), (b != 0).then(|| a.wrapping_div(b)));
                assert_eq!(run(BinaryOp::Rem), (b != 0).then(|| a.wrapping_rem(b)));
                assert_eq!(
                    run(BinaryOp::MulHigh),
                    Some(((i16::from(a) * i16::from(b)) >> 8) as i8)
                );
                let shift = b as u8;
                assert_eq!(run(BinaryOp::Shl), Some(if shift < 8 { a << shift } else { 0 }));
                assert_eq!(run(BinaryOp::Shr), Some(a >> shift.min(7)));
            }
        }
    }

    #[test]
    fn bits_are_counted_in_the_width_of_the_type() {
        for a in 0..=u8::MAX {
            let run = |op| unary(op, DType::U8, a.into()) as u8;
            assert_eq!(u32::from(run(UnaryOp::Popcount)), a.count_ones());
            assert_eq!(u32::from(run(UnaryOp::LeadingZeros)), a.leading_zeros());
            assert_eq!(run(UnaryOp::ReverseBits), a.reverse_bits());
        }
        assert_eq!(unary(UnaryOp::Abs, DType::I8, 0x80), 0x80);
    }

    #[test]
    fn minimum_and_maximum_know_nan_and_minus_zero() {
        let nan = f16(f32::NAN);
        let run = |op, x, y| binary(op, DType::F16, x, y).unwrap();
        assert_eq!(run(BinaryOp::Min, nan, f16(1.0)), f16(1.0));
        assert_eq!(run(BinaryOp::Max, f16(1.0), nan), f16(1.0));
        assert!(decode(DType::F16, run(BinaryOp::MinNan, nan, f16(1.0))).is_nan());
        assert!(decode(DType::F16, run(BinaryOp::Max, nan, nan)).is_nan());
        assert_eq!(run(BinaryOp::Min, f16(0.0), f16(-0.0)), f16(-0.0));
        assert_eq!(run(BinaryOp::Max, f16(-0.0), f16(0.0)), f16(0.0));
    }

    #[test]
    fn casts_to_integers_saturate_and_to_floats_round_once() {
        let from_f32 = |to, x: f32| cast(DType::F32, to, Round::Nearest, u64::from(x.to_bits()));
        assert_eq!(from_f32(DType::I8, 300.0), 127);
        assert_eq!(from_f32(DType::I8, -300.0), 0x80);
        assert_eq!(from_f32(DType::U8, -1.5), 0);
        assert_eq!(from_f32(DType::I32, f32::NAN), 0);
        assert_eq!(from_f32(DType::I32, -1.9), from_int(DType::I32, -1));
        assert_eq!(from_f32(DType::Bool, f32::NAN), 1);
        // Through f64 this would round twice: 2^60 + 2^36 + 1 lies just above a tie of f32.
        let big = (1u64 << 60) + (1 << 36) + 1;
        let wanted = u64::from(((1u64 << 60) as f32).to_bits() + 1);
        assert_eq!(cast(DType::U64, DType::F32, Round::Nearest, big), wanted);
        assert_eq!(cast(DType::U64, DType::F32, Round::Down, big), wanted - 1);
        assert_eq!(cast(DType::I8, DType::U32, Round::Nearest, 0xff), 0xffff_ffff);
    }

    #[test]
    fn formats_without_a_negative_zero_negate_to_themselves() {
        assert_eq!(unary(UnaryOp::Neg, DType::F8E4M3Fnuz, 0), 0);
        assert_eq!(unary(UnaryOp::Neg, DType::F8E4M3Fnuz, 0x80), 0x80);
        assert_eq!(unary(UnaryOp::Neg, DType::F8E4M3, 0), 0x80);
    }

    #[test]
    fn fma_of_narrow_floats_rounds_once() {
        // 1·2^-14 · 2^-14 + 1: far below half an ulp of 1 in f16, so the tie is decided by it.
        let tiny = f16(2f32.powi(-14));
        let odd = f16(1.0 + 2f32.powi(-10));
        let half_ulp = f16(2f32.powi(-11));
        let one = f16(1.0);
        assert_eq!(fma(DType::F16, half_ulp, one, one), one);
        assert_eq!(fma(DType::F16, half_ulp, odd, one), odd);
        assert_eq!(fma(DType::F16, tiny, tiny, one), one);
        assert_eq!(fma(DType::I32, 3, 4, u64::from(u32::MAX)), 11);
    }
}
