//! Number formats: how reals lie in rows, and how they are rounded.
//!
//! Formats narrower than single precision compute in single precision and round once, which is
//! exact for `+ - * /` and square root (Figueroa 1995: 24 >= 2 * 11 + 2). A fused multiply-add is
//! not; see [`fma_narrow`].

use super::super::bytecode::{Real, Rounding};

/// A binary format of at most 32 bits.
struct Layout {
    exponent: u32,
    mantissa: u32,
    bias: i32,
    special: Special,
}

/// What the codes at the top of a format mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Special {
    /// Infinities and NaNs as in IEEE 754.
    Ieee,
    /// No infinity; the highest code of each sign is NaN (OCP e4m3).
    HighestIsNan,
    /// No infinity, no negative zero: its code is the only NaN.
    NegativeZeroIsNan,
    /// Every code is a number.
    Finite,
}

const fn layout(real: Real) -> Layout {
    let (exponent, mantissa, bias, special) = match real {
        Real::F16 => (5, 10, 15, Special::Ieee),
        Real::Bf16 => (8, 7, 127, Special::Ieee),
        Real::E4m3 => (4, 3, 7, Special::HighestIsNan),
        Real::E5m2 => (5, 2, 15, Special::Ieee),
        Real::E4m3Fnuz => (4, 3, 8, Special::NegativeZeroIsNan),
        Real::E5m2Fnuz => (5, 2, 16, Special::NegativeZeroIsNan),
        Real::E2m3 => (2, 3, 1, Special::Finite),
        Real::E3m2 => (3, 2, 3, Special::Finite),
        Real::E2m1 => (2, 1, 1, Special::Finite),
        Real::F32 | Real::F32Flush | Real::F64 => (8, 23, 127, Special::Ieee),
    };
    Layout { exponent, mantissa, bias, special }
}

impl Layout {
    /// The code of the largest finite number.
    fn largest(&self) -> u32 {
        let all = (1 << (self.exponent + self.mantissa)) - 1;
        match self.special {
            Special::Ieee => all - (1 << self.mantissa),
            Special::HighestIsNan => all - 1,
            Special::NegativeZeroIsNan | Special::Finite => all,
        }
    }

    fn sign_bit(&self) -> u32 {
        1 << (self.exponent + self.mantissa)
    }

    fn nan(&self) -> u32 {
        match self.special {
            Special::Ieee => (1 << (self.exponent + self.mantissa)) - (1 << (self.mantissa - 1)),
            Special::HighestIsNan => (1 << (self.exponent + self.mantissa)) - 1,
            Special::NegativeZeroIsNan => self.sign_bit(),
            Special::Finite => self.largest(),
        }
    }

    /// The code for what is too large: infinity where there is one.
    fn infinity(&self) -> u32 {
        match self.special {
            Special::Ieee => self.largest() + 1,
            Special::HighestIsNan | Special::NegativeZeroIsNan => self.nan(),
            Special::Finite => self.largest(),
        }
    }
}

/// The value of a code.
pub(super) fn decode(real: Real, bits: u64) -> f64 {
    match real {
        Real::F64 => f64::from_bits(bits),
        Real::F32 => f64::from(f32::from_bits(bits as u32)),
        Real::F32Flush => f64::from(flush(f32::from_bits(bits as u32))),
        Real::F16 => f64::from(f16_to_f32(bits as u32)),
        Real::Bf16 => f64::from(f32::from_bits((bits as u32) << 16)),
        _ => decode_small(&layout(real), bits as u32),
    }
}

fn decode_small(it: &Layout, bits: u32) -> f64 {
    let magnitude = bits & (it.sign_bit() - 1);
    let negative = bits & it.sign_bit() != 0;
    let nan = match it.special {
        Special::Ieee => magnitude > it.infinity(),
        Special::HighestIsNan => magnitude == it.nan(),
        Special::NegativeZeroIsNan => bits == it.nan(),
        Special::Finite => false,
    };
    let value = if nan {
        f64::NAN
    } else if it.special == Special::Ieee && magnitude == it.infinity() {
        f64::INFINITY
    } else {
        let field = (magnitude >> it.mantissa) as i32;
        let fraction = magnitude & ((1 << it.mantissa) - 1);
        let implied = u32::from(field > 0) << it.mantissa;
        let scale = field.max(1) - it.bias - it.mantissa as i32;
        f64::from(fraction + implied) * 2f64.powi(scale)
    };
    if negative { -value } else { value }
}

/// The code of `x`, rounded. `finite` asks for the largest number instead of infinity.
pub(in crate::sim) fn encode(real: Real, x: f64, round: Rounding, finite: bool) -> u64 {
    let nearest = round == Rounding::Nearest && !finite;
    match real {
        Real::F64 => return x.to_bits(),
        Real::F32 if nearest => return u64::from(canonical((x as f32).to_bits())),
        Real::F32Flush if nearest => return u64::from(canonical(flush(x as f32).to_bits())),
        _ => {}
    }
    let code = u64::from(encode_small(&layout(real), x, round, finite));
    if real == Real::F32Flush {
        u64::from(flush(f32::from_bits(code as u32)).to_bits())
    } else {
        code
    }
}

fn encode_small(it: &Layout, x: f64, round: Rounding, finite: bool) -> u32 {
    if x.is_nan() {
        return it.nan();
    }
    let negative = x.is_sign_negative();
    let magnitude = x.abs();
    let away = match round {
        Rounding::Nearest | Rounding::Away => true,
        Rounding::Zero => false,
        Rounding::Up => !negative,
        Rounding::Down => negative,
    };
    let code = if magnitude.is_infinite() {
        u32::MAX
    } else {
        round_magnitude(it, magnitude, round, away)
    };
    let code = if code <= it.largest() {
        code
    } else if finite || (!away && magnitude.is_finite()) {
        it.largest()
    } else {
        it.infinity()
    };
    match it.special {
        Special::NegativeZeroIsNan if code == 0 || code == it.nan() => code,
        _ if negative => code | it.sign_bit(),
        _ => code,
    }
}

/// The code of a positive number; may be above the largest one. Mantissa and exponent field are
/// one integer, so that a carry out of the mantissa raises the exponent by itself.
fn round_magnitude(it: &Layout, magnitude: f64, round: Rounding, away: bool) -> u32 {
    if magnitude == 0.0 {
        return 0;
    }
    let lowest = 1 - it.bias;
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(lowest);
    let quantum = exponent - it.mantissa as i32;
    let scaled = magnitude * 2f64.powi(-quantum);
    let whole = match round {
        Rounding::Nearest => scaled.round_ties_even(),
        Rounding::Away => scaled.round(),
        _ if away => scaled.ceil(),
        _ => scaled.floor(),
    };
    if exponent > it.bias + 1 {
        return u32::MAX;
    }
    let field = (exponent - lowest) as u32;
    (field << it.mantissa) + whole as u32
}

/// Half precision as single precision, exactly.
#[inline(always)]
pub(in crate::sim) fn f16_to_f32(bits: u32) -> f32 {
    // The fields as they are mean the value times 2^-112, subnormals too.
    let value = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let top = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(value.to_bits() | top | (bits & 0x8000) << 16)
}

/// Single precision rounded to half precision, ties to even.
pub(super) fn f32_to_f16(x: f32) -> u32 {
    let bits = x.to_bits();
    let sign = bits >> 16 & 0x8000;
    let magnitude = bits & 0x7fff_ffff;
    if magnitude > 0x7f80_0000 {
        return 0x7e00;
    }
    if magnitude >= 0x4780_0000 {
        return sign | 0x7c00;
    }
    if magnitude < 0x3880_0000 {
        // Subnormal: adding 0.5 aligns the last place of the sum with that of the result.
        let sum = f32::from_bits(magnitude) + 0.5;
        return sign | (sum.to_bits() - 0x3f00_0000);
    }
    let odd = magnitude >> 13 & 1;
    sign | (magnitude - (112 << 23) + 0xfff + odd) >> 13
}

/// Single precision rounded to bfloat, ties to even.
pub(super) fn f32_to_bf16(x: f32) -> u32 {
    let bits = x.to_bits();
    if x.is_nan() {
        return 0x7fc0;
    }
    (bits + 0x7fff + (bits >> 16 & 1)) >> 16
}

/// Zero with the sign of `x` if `x` is subnormal.
pub(super) fn flush(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0f32.copysign(x) } else { x }
}

/// One NaN for all: the sign and payload of an operation's NaN are not specified, and the host's
/// differ from the device's.
fn canonical(bits: u32) -> u32 {
    if bits & 0x7fff_ffff > 0x7f80_0000 { 0x7fc0_0000 } else { bits }
}

/// `a * b + c` for numbers of at most 11 bits, so that rounding the result to such a format gives
/// the correctly rounded answer: the product is exact in double precision, and the sum is rounded
/// to odd (Boldo and Melquiond 2008).
pub(super) fn fma_narrow(a: f64, b: f64, c: f64) -> f64 {
    let product = a * b;
    let sum = product + c;
    if !sum.is_finite() {
        return sum;
    }
    let part = sum - product;
    let error = (product - (sum - part)) + (c - part);
    if error == 0.0 || sum.to_bits() & 1 == 1 {
        return sum;
    }
    let up = (error > 0.0) == (sum > 0.0);
    f64::from_bits(if up { sum.to_bits() + 1 } else { sum.to_bits() - 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_way_to_single_and_back() {
        for bits in 0..0x1_0000u32 {
            let back = f32_to_f16(f16_to_f32(bits));
            let nan = bits & 0x7fff > 0x7c00;
            assert!(if nan { back & 0x7fff > 0x7c00 } else { back == bits }, "{bits:#x}");
        }
    }

    #[test]
    fn the_general_encoder_agrees_with_the_fast_ones() {
        let mut bits = 0x1234_5678u32;
        for _ in 0..200_000 {
            bits = bits.wrapping_mul(0x9e37_79b9).wrapping_add(0x7f4a_7c15);
            let x = f32::from_bits(bits);
            if x.is_nan() {
                continue;
            }
            let wide = f64::from(x);
            assert_eq!(
                encode(Real::F16, wide, Rounding::Nearest, false),
                u64::from(f32_to_f16(x)),
                "{x:e}"
            );
            assert_eq!(
                encode(Real::Bf16, wide, Rounding::Nearest, false),
                u64::from(f32_to_bf16(x)),
                "{x:e}"
            );
        }
    }

    #[test]
    fn bytes_decode_and_encode_to_themselves() {
        let bytes = [Real::E4m3, Real::E5m2, Real::E4m3Fnuz, Real::E5m2Fnuz].map(|it| (it, 256));
        let smaller = [(Real::E2m3, 64), (Real::E3m2, 64), (Real::E2m1, 16)];
        for (real, codes) in bytes.into_iter().chain(smaller) {
            for bits in 0..codes {
                let value = decode(real, bits);
                if !value.is_nan() {
                    assert_eq!(
                        encode(real, value, Rounding::Nearest, false),
                        bits,
                        "{real:?} {bits:#x}"
                    );
                }
            }
        }
    }

    #[test]
    fn golden_bytes() {
        // OCP 8-bit floating point specification; FNUZ from the CDNA3 ISA.
        let golden = [
            (0.1, 0x1d, 0x25, 0x2e),
            (17.0, 0x58, 0x60, 0x4c),
            (-0.3, 0xaa, 0xb2, 0xb5),
            (300.0, 0x79, 0x7f, 0x5d),
            (1000.0, 0x7e, 0x7f, 0x64),
        ];
        for (x, e4m3, fnuz, e5m2) in golden {
            assert_eq!(encode(Real::E4m3, x, Rounding::Nearest, true), e4m3);
            assert_eq!(encode(Real::E4m3Fnuz, x, Rounding::Nearest, true), fnuz);
            assert_eq!(encode(Real::E5m2, x, Rounding::Nearest, true), e5m2);
        }
    }

    #[test]
    fn numbers_of_four_and_six_bits_are_those_of_the_specification() {
        let fours: Vec<f64> = (0..8).map(|code| decode(Real::E2m1, code)).collect();
        assert_eq!(fours, [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!((decode(Real::E2m3, 0x1f), decode(Real::E2m3, 0x21)), (7.5, -0.125));
        assert_eq!((decode(Real::E3m2, 0x1f), decode(Real::E3m2, 0x01)), (28.0, 0.0625));
    }

    #[test]
    fn a_narrow_fma_rounds_once() {
        // 1 + 2^-11 lies between two halves; a term far below must break the tie upwards.
        let sum = fma_narrow(1.0, 1.0 + 2f64.powi(-11), 2f64.powi(-60));
        assert_eq!(encode(Real::F16, sum, Rounding::Nearest, false), 0x3c01);
    }
}
