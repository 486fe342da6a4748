//! Bits of a number format and the real numbers they stand for.
//!
//! [`decode`] gives the value of an element's bits; every format of the language fits into an
//! `f64` exactly. [`encode`] rounds a value into a format, once. Both follow [`FloatFormat`]'s four
//! numbers; no format has a path of its own except the scale `f8e8m0`, which has neither sign nor
//! zero.
//!
//! # Laws (each is a test of the same name)
//! * F1: `encode(decode(bits)) == bits` for all bits that are no NaN.
//! * F2: `encode(x)` is the format's value that the rounding mode names, found by looking at all.
//! * F3: formats of at most 8 bits saturate: nothing finite or infinite leaves the finite range.
//!
//! Sources: IEEE 754-2019 sections 3.4, 4.3 and 7.4; OCP "8-bit Floating Point Specification"
//! section 5; OCP "Microscaling Formats (MX) v1.0" section 5.3; PTX ISA, `cvt` (a NaN becomes the
//! largest value in the formats that have none; `f8e8m0` ignores the sign).

use crate::dtype::{Class, DType, FloatFormat, Specials};
use crate::op::tile::Round;

/// The value of an element of a float type. NaNs keep neither sign nor payload.
///
/// # Panics
/// If `dtype` is no float type.
pub fn decode(dtype: DType, bits: u64) -> f64 {
    match dtype {
        DType::F64 => f64::from_bits(bits),
        DType::F32 | DType::Tf32 => f64::from(f32::from_bits(bits as u32)),
        _ => decode_narrow(format_of(dtype), bits),
    }
}

fn format_of(dtype: DType) -> FloatFormat {
    match dtype.class() {
        Class::Float(it) => it,
        Class::Bool | Class::Signed | Class::Unsigned => panic!("{dtype} has no float format"),
    }
}

fn is_scale(format: FloatFormat) -> bool {
    format.mantissa == 0
}

fn decode_narrow(format: FloatFormat, bits: u64) -> f64 {
    let p = u32::from(format.mantissa);
    let magnitude_bits = p + u32::from(format.exponent);
    let negative = !is_scale(format) && bits >> magnitude_bits & 1 == 1;
    let magnitude = bits & ((1 << magnitude_bits) - 1);
    if is_nan_code(format, negative, magnitude) {
        return f64::NAN;
    }
    let value = if magnitude > max_finite_code(format) {
        f64::INFINITY
    } else {
        let biased = (magnitude >> p) as i32;
        let fraction = magnitude & ((1 << p) - 1);
        let normal = biased > 0 || is_scale(format);
        let significand = fraction + if normal { 1 << p } else { 0 };
        let exponent = if normal { biased } else { 1 } - format.bias - p as i32;
        significand as f64 * power_of_two(exponent)
    };
    if negative { -value } else { value }
}

fn is_nan_code(format: FloatFormat, negative: bool, magnitude: u64) -> bool {
    match format.specials {
        Specials::Ieee => magnitude > max_finite_code(format) + 1,
        Specials::NanOnly => magnitude > max_finite_code(format),
        Specials::Fnuz => negative && magnitude == 0,
        Specials::Finite => false,
    }
}

/// The largest finite code, without the sign.
fn max_finite_code(format: FloatFormat) -> u64 {
    let all = (1u64 << (format.exponent + format.mantissa)) - 1;
    match format.specials {
        Specials::Ieee => all - (1 << format.mantissa),
        Specials::NanOnly => all - 1,
        Specials::Fnuz | Specials::Finite => all,
    }
}

/// `2^exponent`, exactly, for exponents whose power is a normal `f64`.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// A real number `±magnitude · 2^exponent`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exact {
    /// The sign.
    pub negative: bool,
    /// What the power is multiplied by.
    pub magnitude: u128,
    /// The power of two.
    pub exponent: i32,
}

impl Exact {
    /// The value of a finite `f64`.
    fn from_finite(x: f64) -> Exact {
        let bits = x.to_bits();
        let biased = (bits >> 52 & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let magnitude = if biased == 0 { fraction } else { fraction | 1 << 52 };
        Exact {
            negative: x.is_sign_negative(),
            magnitude: u128::from(magnitude),
            exponent: biased.max(1) - 1075,
        }
    }

    /// The value of an integer.
    pub fn from_int(x: i128) -> Exact {
        Exact { negative: x < 0, magnitude: x.unsigned_abs(), exponent: 0 }
    }
}

/// The bits of `x` rounded into a float type.
///
/// # Panics
/// If `dtype` is no float type.
pub fn encode(dtype: DType, x: f64, round: Round) -> u64 {
    if dtype == DType::F64 {
        return x.to_bits();
    }
    if dtype == DType::F32 && round == Round::Nearest {
        return u64::from((x as f32).to_bits());
    }
    if x.is_nan() {
        nan(dtype)
    } else if x.is_infinite() {
        place(dtype, x < 0.0, overflowed(dtype, format_of(dtype), x < 0.0, None))
    } else {
        encode_exact(dtype, Exact::from_finite(x), round)
    }
}

/// The canonical NaN; the largest value in a format that has none.
pub fn nan(dtype: DType) -> u64 {
    let format = format_of(dtype);
    match format.specials {
        Specials::Ieee => {
            let quiet = 1 << (format.mantissa - 1);
            place(dtype, false, (max_finite_code(format) + 1) | quiet)
        }
        Specials::NanOnly => max_finite_code(format) + 1,
        Specials::Fnuz => 1 << (format.exponent + format.mantissa),
        Specials::Finite => max_finite_code(format),
    }
}

/// The bits of an exact value rounded into a float type.
///
/// # Panics
/// If `dtype` is no float type.
pub fn encode_exact(dtype: DType, x: Exact, round: Round) -> u64 {
    let format = format_of(dtype);
    if x.magnitude == 0 {
        return place(dtype, x.negative, 0);
    }
    let p = i32::from(format.mantissa);
    let lowest = if is_scale(format) { -format.bias } else { 1 - format.bias };
    let leading = 127 - x.magnitude.leading_zeros() as i32 + x.exponent;
    let quantum = leading.max(lowest) - p;
    let significand = shift_rounded(x, quantum, round);
    // A significand that rounded up to the next power carries into the exponent by itself.
    let code = ((quantum + p - lowest) as u64) << p;
    let code =
        if is_scale(format) { (code + significand).saturating_sub(1) } else { code + significand };
    let code = if code > max_finite_code(format) {
        overflowed(dtype, format, x.negative, Some(round))
    } else {
        code
    };
    place(dtype, x.negative, code)
}

/// `x / 2^quantum` rounded to an integer.
fn shift_rounded(x: Exact, quantum: i32, round: Round) -> u64 {
    let right = quantum - x.exponent;
    if right <= 0 {
        return (x.magnitude << -right) as u64;
    }
    let (whole, rest, half) = if right > 127 {
        (0, 1, 2)
    } else {
        (x.magnitude >> right, x.magnitude & ((1 << right) - 1), 1u128 << (right - 1))
    };
    let up = match round {
        Round::Nearest => rest > half || rest == half && whole & 1 == 1,
        Round::Zero => false,
        Round::Up => rest > 0 && !x.negative,
        Round::Down => rest > 0 && x.negative,
    };
    whole as u64 + u64::from(up)
}

/// The code, without sign, of a value beyond the finite ones; `round` is `None` for an infinity.
fn overflowed(dtype: DType, format: FloatFormat, negative: bool, round: Option<Round>) -> u64 {
    let largest = max_finite_code(format);
    let saturates = dtype.bits() <= 8;
    let inwards = match round {
        None | Some(Round::Nearest) => false,
        Some(Round::Zero) => true,
        Some(Round::Up) => negative,
        Some(Round::Down) => !negative,
    };
    if saturates || inwards { largest } else { largest + 1 }
}

/// Puts the sign before a code, and the code where the type keeps it.
fn place(dtype: DType, negative: bool, code: u64) -> u64 {
    let format = format_of(dtype);
    let signless = is_scale(format) || format.specials == Specials::Fnuz && code == 0;
    let sign = u64::from(negative && !signless) << (format.exponent + format.mantissa);
    let unused = if dtype == DType::Tf32 { 13 } else { 0 };
    (sign | code) << unused
}

/// The largest finite value of a float type.
pub fn max_finite(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MAX,
        DType::F32 => f64::from(f32::MAX),
        _ => {
            let format = format_of(dtype);
            decode_narrow(format, max_finite_code(format))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrow_floats() -> impl Iterator<Item = DType> {
        DType::ALL.iter().copied().filter(|it| it.is_float() && it.bits() <= 16)
    }

    #[test]
    fn f1_encode_inverts_decode_on_all_numbers() {
        for dtype in narrow_floats() {
            for bits in 0..1u64 << dtype.bits() {
                let value = decode(dtype, bits);
                let infinite_and_saturates = value.is_infinite() && dtype.bits() <= 8;
                if !value.is_nan() && !infinite_and_saturates {
                    assert_eq!(encode(dtype, value, Round::Nearest), bits, "{dtype} {bits:#x}");
                }
            }
        }
    }

    /// All finite values of a type with their bits, ascending, the positive zero only.
    fn finite_values(dtype: DType) -> Vec<(f64, u64)> {
        let mut all: Vec<(f64, u64)> = (0..1u64 << dtype.bits())
            .map(|bits| (decode(dtype, bits), bits))
            .filter(|it| it.0.is_finite() && !(it.0 == 0.0 && it.0.is_sign_negative()))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    }

    /// Rounds by looking at the two neighbours. `x` lies within the finite range.
    fn by_search(values: &[(f64, u64)], x: f64, round: Round) -> f64 {
        let above = values.partition_point(|it| it.0 < x);
        let (hi, hi_bits) = values[above];
        if hi == x || above == 0 {
            return hi;
        }
        let (lo, lo_bits) = values[above - 1];
        match round {
            Round::Down => lo,
            Round::Up => hi,
            Round::Zero => {
                if x < 0.0 {
                    hi
                } else {
                    lo
                }
            }
            Round::Nearest => {
                let (down, up) = (x - lo, hi - x);
                if down < up || down == up && lo_bits & 1 == 0 {
                    lo
                } else if up < down || hi_bits & 1 == 0 {
                    hi
                } else {
                    lo
                }
            }
        }
    }

    #[test]
    fn f2_encode_finds_the_value_that_a_search_finds() {
        for dtype in narrow_floats().filter(|&it| it != DType::F8E8M0) {
            let values = finite_values(dtype);
            let steps = if dtype.bits() == 16 { 7 } else { 1 };
            for pair in values.windows(2).step_by(steps) {
                let (lo, hi) = (pair[0].0, pair[1].0);
                for quarter in [0.0, 0.25, 0.4999, 0.5, 0.5001, 0.75] {
                    let x = lo + (hi - lo) * quarter;
                    for &round in Round::ALL {
                        let got = decode(dtype, encode(dtype, x, round));
                        assert_eq!(
                            got,
                            by_search(&values, x, round),
                            "{dtype} {x:e} {}",
                            round.name()
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn f3_narrow_formats_saturate() {
        for dtype in narrow_floats().filter(|it| it.bits() <= 8) {
            for x in [1e30, f64::INFINITY, 1e300] {
                for &round in Round::ALL {
                    let wanted = if dtype == DType::F8E8M0 && x < 1e38 {
                        continue;
                    } else {
                        max_finite(dtype)
                    };
                    assert_eq!(decode(dtype, encode(dtype, x, round)), wanted, "{dtype} {x:e}");
                    let negative = if dtype == DType::F8E8M0 { wanted } else { -wanted };
                    assert_eq!(decode(dtype, encode(dtype, -x, round)), negative, "{dtype} -{x:e}");
                }
            }
        }
    }

    #[test]
    fn half_crate_agrees_on_f16_and_bf16() {
        // From `f32`, because the crate's path from `f64` drops bits that decide ties.
        for step in 0..400_000u32 {
            for value in [f32::from_bits(step * 5_347), -f32::from_bits(step << 13 | 0x1000)] {
                if value.is_nan() {
                    continue;
                }
                let f16 = u64::from(half::f16::from_f32(value).to_bits());
                let bf16 = u64::from(half::bf16::from_f32(value).to_bits());
                let value = f64::from(value);
                assert_eq!(encode(DType::F16, value, Round::Nearest), f16, "{value:e}");
                assert_eq!(encode(DType::Bf16, value, Round::Nearest), bf16, "{value:e}");
            }
        }
        for bits in 0..=u16::MAX {
            let (f16, bf16) =
                (half::f16::from_bits(bits).to_f64(), half::bf16::from_bits(bits).to_f64());
            assert!(decode(DType::F16, bits.into()).to_bits() == f16.to_bits() || f16.is_nan());
            assert!(decode(DType::Bf16, bits.into()).to_bits() == bf16.to_bits() || bf16.is_nan());
        }
    }

    #[test]
    fn golden_codes_of_the_8_bit_formats() {
        // Nearest-even, saturating: e4m3, e4m3fnuz, e5m2.
        for (x, e4m3, fnuz, e5m2) in [
            (0.1, 0x1d, 0x25, 0x2e),
            (17.0, 0x58, 0x60, 0x4c),
            (-0.3, 0xaa, 0xb2, 0xb5),
            (300.0, 0x79, 0x7f, 0x5d),
            (1000.0, 0x7e, 0x7f, 0x64),
        ] {
            assert_eq!(encode(DType::F8E4M3, x, Round::Nearest), e4m3);
            assert_eq!(encode(DType::F8E4M3Fnuz, x, Round::Nearest), fnuz);
            assert_eq!(encode(DType::F8E5M2, x, Round::Nearest), e5m2);
        }
        let f4: Vec<f64> = (0..8).map(|it| decode(DType::F4E2M1, it)).collect();
        assert_eq!(f4, [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
    }

    #[test]
    fn a_nan_becomes_a_nan_or_the_largest_value() {
        for &dtype in DType::ALL.iter().filter(|it| it.is_float()) {
            let got = decode(dtype, encode(dtype, f64::NAN, Round::Nearest));
            match format_of(dtype).specials {
                Specials::Finite => assert_eq!(got, max_finite(dtype)),
                Specials::Ieee | Specials::NanOnly | Specials::Fnuz => {
                    assert!(got.is_nan(), "{dtype}")
                }
            }
        }
    }

    #[test]
    fn scales_round_by_their_exponent() {
        let tiny = 2f64.powi(-127);
        let cases = [
            (1.0, 127),
            (1.4, 127),
            (1.5, 128),
            (3.0, 129),
            (-4.0, 129),
            (0.0, 0),
            (tiny * 1.5, 1),
            (tiny / 8.0, 0),
        ];
        for (x, code) in cases {
            assert_eq!(encode(DType::F8E8M0, x, Round::Nearest), code, "{x:e}");
        }
        assert_eq!(encode(DType::F8E8M0, 1.9, Round::Zero), 127);
        assert_eq!(encode(DType::F8E8M0, 1.1, Round::Up), 128);
    }

    #[test]
    fn directed_rounding_overflows_only_outwards() {
        let big = 1e6;
        let (inf, max) = (0x7c00, 0x7bff);
        assert_eq!(encode(DType::F16, big, Round::Nearest), inf);
        assert_eq!(encode(DType::F16, big, Round::Zero), max);
        assert_eq!(encode(DType::F16, big, Round::Up), inf);
        assert_eq!(encode(DType::F16, big, Round::Down), max);
        assert_eq!(encode(DType::F16, -big, Round::Down), 0x8000 | inf);
    }
}
