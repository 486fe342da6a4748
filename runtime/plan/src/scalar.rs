//! Scalar arguments as machine words: range checks and number formats of the element types that a
//! scalar parameter can have.
//!
//! A float is rounded to nearest even. The narrow formats of matrix operands are no scalar types.

use crate::Scalar;

/// The fewest elements of that type that are whole bytes; `None` if one is.
pub(crate) fn elements_of_whole_bytes(dtype: &str) -> Option<i64> {
    match dtype {
        "f4e2m1" => Some(2),
        "f6e2m3" | "f6e3m2" => Some(4),
        _ => None,
    }
}

/// What a scalar parameter's type word stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Bool,
    Signed(u32),
    Unsigned(u32),
    /// Bits of exponent and of stored mantissa.
    Float(u32, u32),
}

impl Format {
    /// The format of that word of the language; `None` if no scalar has it.
    pub(crate) fn from_name(name: &str) -> Option<Format> {
        Some(match name {
            "bool" => Format::Bool,
            "i8" => Format::Signed(8),
            "i16" => Format::Signed(16),
            "i32" => Format::Signed(32),
            "i64" => Format::Signed(64),
            "u8" => Format::Unsigned(8),
            "u16" => Format::Unsigned(16),
            "u32" => Format::Unsigned(32),
            "u64" => Format::Unsigned(64),
            "f16" => Format::Float(5, 10),
            "bf16" => Format::Float(8, 7),
            "f32" => Format::Float(8, 23),
            "f64" => Format::Float(11, 52),
            _ => return None,
        })
    }

    /// The machine word of `value`, zero-extended; `None` if the type has no such number.
    pub(crate) fn encode(self, value: Scalar) -> Option<u64> {
        match (self, value) {
            (Format::Bool, Scalar::Int(it @ (0 | 1))) => Some(it as u64),
            (Format::Signed(bits), Scalar::Int(it)) => {
                let spare = 64 - bits;
                (it << spare >> spare == it).then_some(it as u64 & mask(bits))
            }
            // A u64 arrives with its bits in an i64, so every pattern is a number.
            (Format::Unsigned(64), Scalar::Int(it)) => Some(it as u64),
            (Format::Unsigned(bits), Scalar::Int(it)) => {
                u64::try_from(it).ok().filter(|&it| it <= mask(bits))
            }
            (Format::Float(exponent, mantissa), Scalar::Float(it)) => {
                Some(round(it, exponent, mantissa))
            }
            (Format::Float(exponent, mantissa), Scalar::Int(it)) => {
                Some(round(it as f64, exponent, mantissa))
            }
            (Format::Bool | Format::Signed(_) | Format::Unsigned(_), _) => None,
        }
    }
}

fn mask(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

/// `value` in an IEEE format of that many bits, rounded to nearest even.
fn round(value: f64, exponent_bits: u32, mantissa_bits: u32) -> u64 {
    match (exponent_bits, mantissa_bits) {
        (11, 52) => value.to_bits(),
        (8, 23) => u64::from((value as f32).to_bits()),
        _ => round_narrow(value, exponent_bits, mantissa_bits),
    }
}

fn round_narrow(value: f64, exponent_bits: u32, mantissa_bits: u32) -> u64 {
    let sign = (value.to_bits() >> 63) << (exponent_bits + mantissa_bits);
    let infinity = mask(exponent_bits) << mantissa_bits;
    if value.is_nan() {
        return sign | infinity | 1 << (mantissa_bits - 1);
    }
    let bias = (1 << (exponent_bits - 1)) - 1;
    // Below the smallest normal number the grid stays as wide as there.
    let exponent = binary_exponent(value).max(1 - bias);
    let ulp_exponent = exponent - mantissa_bits as i32;
    let steps = (value.abs() * power_of_two(-ulp_exponent)).round_ties_even();
    if !steps.is_finite() {
        return sign | infinity;
    }
    // `steps` counts from zero on this grid; adding it to the exponent field carries over where
    // rounding reached the next power of two.
    let normal = exponent + bias - 1;
    let magnitude = ((normal as u64) << mantissa_bits) + steps as u64;
    sign | magnitude.min(infinity)
}

/// `e` where `2^e <= |value| < 2^(e + 1)`; the least exponent for zero and subnormal numbers.
fn binary_exponent(value: f64) -> i32 {
    (((value.to_bits() >> 52) & 0x7ff) as i32) - 1023
}

fn power_of_two(exponent: i32) -> f64 {
    2f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dtype: &str, value: Scalar, expect: Option<u64>) {
        let format = Format::from_name(dtype).expect("a scalar type");
        assert_eq!(format.encode(value), expect, "{dtype} of {value:?}");
    }

    #[test]
    fn integers_must_fit() {
        check("i32", Scalar::Int(-1), Some(0xffff_ffff));
        check("i32", Scalar::Int(1 << 31), None);
        check("u8", Scalar::Int(255), Some(255));
        check("u8", Scalar::Int(-1), None);
        check("i64", Scalar::Int(i64::MIN), Some(1 << 63));
        check("bool", Scalar::Int(2), None);
        check("i32", Scalar::Float(1.0), None);
    }

    #[test]
    fn floats_round_to_nearest_even() {
        check("f32", Scalar::Float(0.1), Some(0x3dcc_cccd));
        check("f32", Scalar::Int(1), Some(0x3f80_0000));
        check("bf16", Scalar::Float(1.0 + 1.0 / 256.0), Some(0x3f80));
        check("bf16", Scalar::Float(1.0 + 3.0 / 256.0), Some(0x3f82));
        check("bf16", Scalar::Float(-0.0), Some(0x8000));
    }

    #[test]
    fn the_edges_of_half_precision() {
        check("f16", Scalar::Float(65504.0), Some(0x7bff));
        check("f16", Scalar::Float(65520.0), Some(0x7c00));
        check("f16", Scalar::Float(1e300), Some(0x7c00));
        check("f16", Scalar::Float(f64::INFINITY), Some(0x7c00));
        check("f16", Scalar::Float(2f64.powi(-24)), Some(1));
        check("f16", Scalar::Float(2f64.powi(-25)), Some(0));
        check("f16", Scalar::Float(2f64.powi(-14)), Some(0x0400));
        check("f16", Scalar::Float(f64::NAN), Some(0x7e00));
    }
}
