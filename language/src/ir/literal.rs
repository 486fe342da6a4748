//! Numbers of constants in the IR's text: readable where that loses nothing, bits otherwise.
//!
//! `tile.const<1.5>` for floats, `tile.const<-3>` for integers, `true` and `false`; a NaN is written
//! as its bits, `0x7fc00001`. [`print`] and [`parse`] are inverse for all bits of all types.

use crate::dtype::{Class, DType};
use crate::ir::Elem;
use crate::op::tile::Round;
use crate::value::{decode, encode};

/// The bits of an element as text.
pub(super) fn print(elem: Elem, bits: u64) -> String {
    let Elem::Data(dtype) = elem else {
        return format!("{bits:#x}");
    };
    match dtype.class() {
        Class::Bool => if bits == 0 { "false" } else { "true" }.to_owned(),
        Class::Unsigned => format!("{bits}"),
        Class::Signed => {
            let unused = 64 - dtype.bits();
            format!("{}", ((bits << unused) as i64) >> unused)
        }
        Class::Float(_) => print_float(dtype, bits),
    }
}

fn print_float(dtype: DType, bits: u64) -> String {
    let text = match dtype {
        DType::F32 => format!("{:?}", f32::from_bits(bits as u32)),
        _ => format!("{:?}", decode(dtype, bits)),
    };
    if parse_float(dtype, &text) == Some(bits) { text } else { format!("{bits:#x}") }
}

/// The bits of an element from text; `None` if the text is no such number.
pub(super) fn parse(elem: Elem, text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        let bits = u64::from_str_radix(digits, 16).ok()?;
        return (elem.bits() == 64 || bits >> elem.bits() == 0).then_some(bits);
    }
    let Elem::Data(dtype) = elem else {
        return None;
    };
    let mask = u64::MAX >> (64 - dtype.bits());
    match dtype.class() {
        Class::Bool => match text {
            "false" => Some(0),
            "true" => Some(1),
            _ => None,
        },
        Class::Unsigned => text.parse::<u64>().ok().filter(|it| it & !mask == 0),
        Class::Signed => {
            let value = text.parse::<i64>().ok()?;
            let bits = value as u64 & mask;
            let unused = 64 - dtype.bits();
            (((bits << unused) as i64) >> unused == value).then_some(bits)
        }
        Class::Float(_) => parse_float(dtype, text),
    }
}

fn parse_float(dtype: DType, text: &str) -> Option<u64> {
    if dtype == DType::F32 {
        let value = text.parse::<f32>().ok()?;
        return (!value.is_nan()).then_some(u64::from(value.to_bits()));
    }
    let value = text.parse::<f64>().ok()?;
    (!value.is_nan()).then(|| encode(dtype, value, Round::Nearest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn print_and_parse_are_inverse_on_all_narrow_types() {
        for &dtype in DType::ALL.iter().filter(|it| it.bits() <= 16) {
            for bits in 0..1u64 << dtype.bits() {
                let text = print(Elem::Data(dtype), bits);
                assert_eq!(parse(Elem::Data(dtype), &text), Some(bits), "{dtype} {text}");
            }
        }
    }

    #[test]
    fn wide_numbers_are_readable() {
        assert_eq!(print(Elem::Data(DType::F32), u64::from(1e-5f32.to_bits())), "1e-5");
        assert_eq!(print(Elem::Data(DType::F32), u64::from(f32::NEG_INFINITY.to_bits())), "-inf");
        assert_eq!(print(Elem::Data(DType::F32), 0x7fc0_0001), "0x7fc00001");
        assert_eq!(print(Elem::Data(DType::I32), 0xffff_fffd), "-3");
        assert_eq!(parse(Elem::Data(DType::I8), "128"), None);
    }
}
