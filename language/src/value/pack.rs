//! Elements in memory: little-endian, sub-byte elements packed low bits first, `bool` a byte.
//!
//! A position counts elements from the start of a buffer. An element of 6 bits may lie across two
//! bytes.

use crate::dtype::DType;

/// The bits of element `position`; `None` if it does not lie in `bytes`.
pub fn read(dtype: DType, bytes: &[u8], position: u64) -> Option<u64> {
    let width = u64::from(dtype.storage_bits());
    let first_bit = position.checked_mul(width)?;
    let first = usize::try_from(first_bit / 8).ok()?;
    let end = usize::try_from((first_bit + width).div_ceil(8)).ok()?;
    let mut word = [0; 8];
    let held = bytes.get(first..end)?;
    word[..held.len()].copy_from_slice(held);
    let bits = u64::from_le_bytes(word) >> (first_bit % 8) & (u64::MAX >> (64 - width));
    Some(if dtype == DType::Bool { u64::from(bits != 0) } else { bits })
}

/// Puts `bits` into element `position`; `None`, with nothing written, if it does not lie in `bytes`.
pub fn write(dtype: DType, bytes: &mut [u8], position: u64, bits: u64) -> Option<()> {
    let width = u64::from(dtype.storage_bits());
    let first_bit = position.checked_mul(width)?;
    let first = usize::try_from(first_bit / 8).ok()?;
    let end = usize::try_from((first_bit + width).div_ceil(8)).ok()?;
    let held = bytes.get_mut(first..end)?;
    let shift = first_bit % 8;
    let mask = (u64::MAX >> (64 - width)) << shift;
    let mut word = [0; 8];
    word[..held.len()].copy_from_slice(held);
    let merged = u64::from_le_bytes(word) & !mask | bits << shift & mask;
    held.copy_from_slice(&merged.to_le_bytes()[..held.len()]);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else_changes() {
        for &dtype in DType::ALL {
            let n = 11u64;
            let mask = u64::MAX >> (64 - dtype.bits());
            let pattern = |it: u64| it.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17) & mask;
            let mut bytes = vec![0xa5; (n * u64::from(dtype.storage_bits())).div_ceil(8) as usize];
            for position in (0..n).rev() {
                write(dtype, &mut bytes, position, pattern(position)).unwrap();
            }
            for position in 0..n {
                assert_eq!(
                    read(dtype, &bytes, position),
                    Some(pattern(position)),
                    "{dtype} {position}"
                );
            }
            assert_eq!(read(dtype, &bytes, n + 8), None);
            assert_eq!(write(dtype, &mut bytes, u64::MAX, 0), None);
        }
    }

    #[test]
    fn elements_of_four_bits_are_packed_low_bits_first() {
        let mut bytes = [0; 2];
        for (position, bits) in [1, 2, 3, 4].into_iter().enumerate() {
            write(DType::F4E2M1, &mut bytes, position as u64, bits).unwrap();
        }
        assert_eq!(bytes, [0x21, 0x43]);
    }

    #[test]
    fn any_byte_but_zero_is_true() {
        assert_eq!(read(DType::Bool, &[0, 7], 1), Some(1));
        assert_eq!(read(DType::Bool, &[0, 7], 0), Some(0));
    }
}
