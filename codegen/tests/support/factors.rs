//! Elements of factors whose products and sums are exact, so that all engines agree bit for bit.

use tile_language::dtype::DType;
use tile_language::op::tile::Round;
use tile_language::value;

use super::Random;

/// Small multiples of a half; of integers, whole numbers over their range.
pub(crate) fn number(dtype: DType, random: &mut Random) -> f64 {
    match dtype {
        DType::I8 => random.below(256) as f64 - 128.0,
        DType::U8 => random.below(256) as f64,
        DType::I32 => random.below(2000) as f64 - 1000.0,
        _ => (random.below(9) as f64 - 4.0) / 2.0,
    }
}

/// Numbers as they lie in memory.
pub(crate) fn stored(dtype: DType, numbers: &[f64]) -> Vec<u8> {
    let width = dtype.storage_bits() as usize / 8;
    let bits = |it: f64| {
        if dtype.is_int() {
            value::from_int(dtype, it as i128)
        } else {
            value::encode(dtype, it, Round::Nearest)
        }
    };
    numbers.iter().flat_map(|&it| bits(it).to_le_bytes()[..width].to_vec()).collect()
}
