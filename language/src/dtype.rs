//! Element types: the one table of their names, widths and number formats.
//!
//! # Invariants
//! * D1: names are the words of the language; [`DType::from_name`] inverts [`DType::name`].
//! * D2: `bits` counts the bits of one packed element; sub-byte elements are packed low bits first.
//! * D3: a float format is `1 sign + exponent + mantissa` bits, except `f8e8m0`, which has neither
//!   sign nor mantissa.
//!
//! Arithmetic on values lives in `value.rs`; what a target can do with a type in `target/`.
//!
//! Sources: IEEE 754-2019; OCP "8-bit Floating Point Specification" (e4m3, e5m2) and
//! "Microscaling Formats (MX) v1.0" (e3m2, e2m3, e2m1, e8m0); AMD CDNA3 ISA (fnuz formats).

use std::fmt;

/// What kind of number a type holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Class {
    /// `true` or `false`.
    Bool,
    /// Two's complement.
    Signed,
    /// Wraps by definition.
    Unsigned,
    /// A binary floating-point format.
    Float(FloatFormat),
}

/// How the largest exponent of a float format is spent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Specials {
    /// As IEEE 754: infinities and NaNs at the largest exponent.
    Ieee,
    /// One NaN a sign (all ones), no infinity (e4m3).
    NanOnly,
    /// One NaN (the pattern of minus zero), no infinity, no minus zero (fnuz).
    Fnuz,
    /// Neither NaN nor infinity (the 6- and 4-bit formats).
    Finite,
}

/// A binary floating-point format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FloatFormat {
    /// Bits of the exponent.
    pub exponent: u8,
    /// Stored bits of the mantissa.
    pub mantissa: u8,
    /// What is subtracted from the stored exponent.
    pub bias: i32,
    /// What the largest exponent means.
    pub specials: Specials,
}

macro_rules! dtypes {
    ($($variant:ident = $name:literal, $bits:literal, $class:expr, $doc:literal;)*) => {
        /// An element type.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum DType {
            $(#[doc = $doc] $variant,)*
        }

        impl DType {
            /// All types, in the order of the table.
            pub const ALL: &'static [DType] = &[$(DType::$variant),*];

            /// The word of the language.
            pub fn name(self) -> &'static str {
                match self { $(DType::$variant => $name),* }
            }

            /// Width of one packed element in bits.
            pub fn bits(self) -> u32 {
                match self { $(DType::$variant => $bits),* }
            }

            /// The kind of number.
            pub fn class(self) -> Class {
                match self { $(DType::$variant => $class),* }
            }

            /// One sentence about it.
            pub fn doc(self) -> &'static str {
                match self { $(DType::$variant => $doc),* }
            }
        }
    };
}

const fn ieee(exponent: u8, mantissa: u8) -> Class {
    float(exponent, mantissa, (1 << (exponent - 1)) - 1, Specials::Ieee)
}

const fn float(exponent: u8, mantissa: u8, bias: i32, specials: Specials) -> Class {
    Class::Float(FloatFormat { exponent, mantissa, bias, specials })
}

dtypes! {
    Bool = "bool", 1, Class::Bool, "A truth value; one byte in memory.";
    I8 = "i8", 8, Class::Signed, "A signed integer of 8 bits.";
    I16 = "i16", 16, Class::Signed, "A signed integer of 16 bits.";
    I32 = "i32", 32, Class::Signed, "A signed integer of 32 bits.";
    I64 = "i64", 64, Class::Signed, "A signed integer of 64 bits.";
    U8 = "u8", 8, Class::Unsigned, "An unsigned integer of 8 bits.";
    U16 = "u16", 16, Class::Unsigned, "An unsigned integer of 16 bits.";
    U32 = "u32", 32, Class::Unsigned, "An unsigned integer of 32 bits.";
    U64 = "u64", 64, Class::Unsigned, "An unsigned integer of 64 bits.";
    F16 = "f16", 16, ieee(5, 10), "IEEE binary16.";
    Bf16 = "bf16", 16, ieee(8, 7), "The upper half of a binary32.";
    Tf32 = "tf32", 32, ieee(8, 10), "A binary32 of which matrix units read 19 bits.";
    F32 = "f32", 32, ieee(8, 23), "IEEE binary32.";
    F64 = "f64", 64, ieee(11, 52), "IEEE binary64.";
    F8E4M3 = "f8e4m3", 8, float(4, 3, 7, Specials::NanOnly), "OCP E4M3: largest value 448, no infinity.";
    F8E5M2 = "f8e5m2", 8, ieee(5, 2), "OCP E5M2: largest value 57344.";
    F8E4M3Fnuz = "f8e4m3fnuz", 8, float(4, 3, 8, Specials::Fnuz), "E4M3 of CDNA3: largest value 240, one zero, no infinity.";
    F8E5M2Fnuz = "f8e5m2fnuz", 8, float(5, 2, 16, Specials::Fnuz), "E5M2 of CDNA3: largest value 57344, one zero, no infinity.";
    F6E2M3 = "f6e2m3", 6, float(2, 3, 1, Specials::Finite), "OCP MX E2M3: largest value 7.5.";
    F6E3M2 = "f6e3m2", 6, float(3, 2, 3, Specials::Finite), "OCP MX E3M2: largest value 28.";
    F4E2M1 = "f4e2m1", 4, float(2, 1, 1, Specials::Finite), "OCP MX E2M1: largest value 6.";
    F8E8M0 = "f8e8m0", 8, float(8, 0, 127, Specials::NanOnly), "OCP MX scale: a power of two, no sign, no zero.";
}

impl DType {
    /// The type of that name; `None` if there is none.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.iter().copied().find(|it| it.name() == name)
    }

    /// Whether it is a floating-point type.
    pub fn is_float(self) -> bool {
        matches!(self.class(), Class::Float(_))
    }

    /// Whether it is a signed or unsigned integer; `bool` is not.
    pub fn is_int(self) -> bool {
        matches!(self.class(), Class::Signed | Class::Unsigned)
    }

    /// Whether it is a signed integer.
    pub fn is_signed(self) -> bool {
        matches!(self.class(), Class::Signed)
    }

    /// Bits that one element takes in memory: those of [`DType::bits`], but 8 for `bool`.
    pub fn storage_bits(self) -> u32 {
        match self {
            DType::Bool => 8,
            other => other.bits(),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d1_names_are_distinct_and_invert() {
        for &it in DType::ALL {
            assert_eq!(DType::from_name(it.name()), Some(it));
        }
    }

    #[test]
    fn d3_float_bits_add_up() {
        for &it in DType::ALL {
            if let Class::Float(f) = it.class() {
                let sign = u32::from(it != DType::F8E8M0);
                let stored = sign + u32::from(f.exponent) + u32::from(f.mantissa);
                let wanted = if it == DType::Tf32 { 19 } else { it.bits() };
                assert_eq!(stored, wanted, "{it}");
            }
        }
    }
}
