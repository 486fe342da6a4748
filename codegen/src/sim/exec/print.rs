//! `vprintf`: a format and arguments that lie in memory (CUDA programming guide, formatted output).

use super::super::bytecode::Space;
use super::super::error::SimError;
use super::super::memory::region_of;
use super::{Turn, lanes_of};

/// Characters that a format may have.
const FORMAT_MAX: usize = 1 << 12;

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn print(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let print = &program.code.prints[table as usize];
        for lane in lanes_of(self.mask) {
            let format = self.warp.rows.read(print.format, lane);
            let format = self.read_text(format, lane)?;
            let args = self.warp.rows.read(print.args, lane);
            let (text, n) = self.format(&format, args, lane)?;
            self.printed.push(text);
            self.warp.rows.write(print.d, lane, n);
        }
        Ok(())
    }

    fn read_text(&mut self, addr: u64, lane: usize) -> Result<Vec<u8>, SimError> {
        let mut res = Vec::new();
        while res.len() < FORMAT_MAX {
            let byte = self.read_memory(addr + res.len() as u64, 1, lane)? as u8;
            if byte == 0 {
                break;
            }
            res.push(byte);
        }
        Ok(res)
    }

    fn read_memory(&mut self, addr: u64, len: usize, lane: usize) -> Result<u64, SimError> {
        let (region, at) = region_of(Space::Generic, addr);
        let (_, window) = self.open(region);
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(window.peek(at, len, lane)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn format(&mut self, format: &[u8], args: u64, lane: usize) -> Result<(String, u64), SimError> {
        let mut text = String::new();
        let mut at = args;
        let mut n = 0;
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                text.push(char::from(byte));
                continue;
            }
            let len = rest.iter().take_while(|b| !b.is_ascii_alphabetic() && **b != b'%').count();
            let flags = String::from_utf8_lossy(&rest[..len]).into_owned();
            rest = &rest[len..];
            let long = rest.iter().take_while(|b| matches!(**b, b'l' | b'h' | b'z' | b'j')).count();
            let wide = rest[..long].iter().any(|b| matches!(b, b'l' | b'z' | b'j'));
            rest = &rest[long..];
            let Some((&kind, after)) = rest.split_first() else {
                break;
            };
            rest = after;
            if kind == b'%' {
                text.push('%');
                continue;
            }
            let size = if wide || b"fFeEgGaAsp".contains(&kind) { 8 } else { 4 };
            at = at.next_multiple_of(size);
            let bits = self.read_memory(at, size as usize, lane)?;
            at += size;
            n += 1;
            let shown = if kind == b's' {
                String::from_utf8_lossy(&self.read_text(bits, lane)?).into_owned()
            } else {
                shown(kind, bits, size, &flags)
            };
            text.push_str(&padded(shown, &flags));
        }
        Ok((text, n))
    }
}

/// One argument, without padding.
fn shown(kind: u8, bits: u64, size: u64, flags: &str) -> String {
    let signed = if size == 4 { i64::from(bits as u32 as i32) } else { bits as i64 };
    let precision = flags.split_once('.').and_then(|(_, digits)| digits.parse().ok());
    let real = f64::from_bits(bits);
    match kind {
        b'd' | b'i' => signed.to_string(),
        b'x' => format!("{bits:x}"),
        b'X' => format!("{bits:X}"),
        b'o' => format!("{bits:o}"),
        b'p' => format!("{bits:#x}"),
        b'c' => char::from(bits as u8).to_string(),
        b'f' | b'F' if real.is_finite() => format!("{real:.*}", precision.unwrap_or(6)),
        b'e' | b'E' if real.is_finite() => exponent(real, precision.unwrap_or(6)),
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' | b'a' | b'A' => {
            general(real, precision.unwrap_or(6))
        }
        _ => bits.to_string(),
    }
}

/// `1.500000e+01`, as C writes it.
fn exponent(real: f64, precision: usize) -> String {
    let text = format!("{real:.precision$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}

/// `%g`: the shorter of the two, without trailing zeros.
fn general(real: f64, precision: usize) -> String {
    if !real.is_finite() {
        let sign = if real.is_sign_negative() && !real.is_nan() { "-" } else { "" };
        return format!("{sign}{}", if real.is_nan() { "nan" } else { "inf" });
    }
    let digits = precision.max(1);
    let text = exponent(real, digits - 1);
    let power: i32 = text.split_once('e').and_then(|(_, p)| p.parse().ok()).unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if power < -4 || power >= digits as i32 {
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{power}", trim(mantissa));
    }
    trim(&format!("{real:.*}", (digits as i32 - 1 - power) as usize))
}

/// Pads to the width in `flags`.
fn padded(text: String, flags: &str) -> String {
    let spec = flags.split('.').next().unwrap_or("");
    let width: usize = spec.trim_start_matches(['-', '+', ' ', '#', '0']).parse().unwrap_or(0);
    if spec.starts_with('-') {
        format!("{text:<width$}")
    } else if spec.starts_with('0') && !text.starts_with('-') {
        format!("{text:0>width$}")
    } else {
        format!("{text:>width$}")
    }
}
