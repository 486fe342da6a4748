//! Boxes in shared memory: which views a copy engine can fill or read as one box.
//!
//! # Idea
//! The engine lays a box out densely, the contiguous dimension first, and permutes 16-byte units within rows by the
//! absolute address. A view is a box if its map says the same, dimensions of one index apart.
//!
//! # Invariant
//! A swizzled view that is accepted is of a buffer whose pattern is complete, so every stage of it begins where
//! the pattern does, and absolute addresses and offsets agree on it.
//!
//! Source: PTX ISA, "Swizzling modes"; "Tensor dimension, size and format".

use tile_layout::{MapDim, MemoryMap};
use tile_plan::TensorMap;

use super::Type;

/// What divides the address of a box in shared memory, in bytes.
pub const PLACE_ALIGN: u32 = 128;

/// Whether a view lies as the engine lays out a box of the map.
pub fn lies_so(map: &TensorMap, view: &MemoryMap) -> bool {
    let is_whole = view.padding().is_empty() && view.mixed() == mixed(map.swizzle, map.bits);
    if !is_whole || map.violated().is_some() {
        return false;
    }
    let mut pitches = vec![0; map.axes.len()];
    let mut pitch = 1;
    for (&axis, &extent) in map.axes.iter().zip(&map.extents) {
        pitches[axis as usize] = pitch;
        pitch *= extent;
    }
    let mut extents = vec![1; map.axes.len()];
    map.axes.iter().zip(&map.extents).for_each(|(&axis, &it)| extents[axis as usize] = it);
    let of_box = extents.into_iter().zip(pitches).filter(|it| 1 < it.0);
    let of_view = view.dims().iter().filter(|it| 1 < it.extent);
    of_view.clone().count() == of_box.clone().count()
        && of_view.zip(of_box).all(|(dim, (extent, pitch))| is_dense(map, dim, extent, pitch))
}

/// Whether neighbours along a dimension of a view lie `pitch` elements apart, but for the permutation.
fn is_dense(map: &TensorMap, dim: &MapDim, extent: u32, pitch: u32) -> bool {
    let n_bits = dim.columns.len();
    let columns = (0..n_bits).map(|bit| permuted(map, pitch << bit));
    // What is added, not combined by exclusive or, takes no part in a pattern.
    let period = u64::from(8 * map.swizzle).max(1);
    let bytes = u64::from(dim.stride) * u64::from(map.bits / 8);
    let is_whole = extent >> n_bits <= 1;
    dim.extent == extent
        && (n_bits == 0 || pitch.is_power_of_two())
        && columns.eq(dim.columns.iter().copied())
        && (is_whole || dim.stride == pitch << n_bits && bytes.is_multiple_of(period))
}

/// An offset, in elements, with 16-byte units permuted by the number of its 128 bytes.
fn permuted(map: &TensorMap, offset: u32) -> u32 {
    let bytes = map.bits / 8;
    let at = offset * bytes;
    (at ^ (at >> 7 & (map.swizzle.max(16) / 16 - 1)) << 4) / bytes
}

/// The offset bits that a complete pattern of a swizzle permutes, in elements.
fn mixed(swizzle: u32, bits: u32) -> u32 {
    let unit = 128 / bits;
    unit * (swizzle.max(16) / 16 - 1)
}

/// Whether every part of a view that is taken by an index, or by a slice of `len`, of a dimension begins at a
/// multiple of [`PLACE_ALIGN`] if the view does.
pub fn keeps_place(view: &Type, axis: usize, len: u32) -> bool {
    let dim = &view.map().dims()[axis];
    let most = 1 << dim.columns.len();
    let above = dim.columns.iter().skip(len.min(most).ilog2() as usize);
    // What is permuted the engine adds itself.
    let added = above.map(|it| it & !view.map().mixed());
    let bytes = |it: u32| u64::from(it) * u64::from(view.elem.bits()) / 8;
    added.chain([dim.stride]).all(|it| bytes(it).is_multiple_of(PLACE_ALIGN.into()))
}

#[cfg(test)]
mod tests {
    use tile_layout::Spec;

    use super::*;

    fn map(extents: &[u32], bits: u32, swizzle: u32) -> TensorMap {
        let axes = (0..extents.len() as u32).rev().collect();
        let extents = extents.iter().rev().copied().collect();
        TensorMap { param: 0, axes, extents, dtype: format!("u{bits}"), bits, swizzle }
    }

    fn memory(swizzle: u32, shape: &[u32], bits: u32) -> MemoryMap {
        let spec = Spec::Nvmma { swizzle, transposed: false };
        MemoryMap::of(&spec.apply_in_memory(shape, bits).expect("a layout"))
    }

    #[test]
    fn memory_of_one_pattern_is_one_box() {
        for (swizzle, columns) in [(32, 16), (64, 32), (128, 64)] {
            let view = memory(swizzle, &[96, columns], 16);
            assert!(lies_so(&map(&[96, columns], 16, swizzle), &view));
            assert!(!lies_so(&map(&[96, columns], 16, 0), &view));
        }
    }

    #[test]
    fn a_wide_swizzled_view_is_a_box_for_each_row_of_the_pattern() {
        let wide = memory(128, &[128, 128], 16);
        assert!(!lies_so(&map(&[128, 128], 16, 128), &wide));
        let half = wide.slice(1, 64).expect("a slice");
        assert!(lies_so(&map(&[128, 64], 16, 128), &half));
    }

    #[test]
    fn a_pattern_that_is_cut_off_begins_elsewhere_in_each_stage() {
        assert!(!lies_so(&map(&[4, 64], 16, 128), &memory(128, &[4, 64], 16)));
        let part = memory(128, &[16, 64], 16).slice(0, 4).expect("a slice");
        assert!(lies_so(&map(&[4, 64], 16, 128), &part));
    }

    #[test]
    fn a_transposed_view_is_no_box_of_a_row_major_tensor() {
        let turned = memory(128, &[64, 64], 16).permute(&[1, 0]);
        assert!(!lies_so(&map(&[64, 64], 16, 128), &turned));
        let column_major = TensorMap { axes: vec![0, 1], ..map(&[64, 64], 16, 128) };
        assert!(lies_so(&column_major, &turned));
    }

    #[test]
    fn extents_that_are_no_powers_of_two_are_boxes_where_their_memory_is_dense() {
        let fits = |shape: &[u32]| lies_so(&map(shape, 16, 128), &memory(128, shape, 16));
        assert!(fits(&[3, 24, 64]));
        assert!(!fits(&[6, 24, 64]));
    }

    #[test]
    fn leading_dimensions_may_be_stages_of_the_others() {
        let stages = memory(128, &[8, 64], 16).stacked(4);
        assert!(lies_so(&map(&[4, 8, 64], 16, 128), &stages));
        let wide = memory(128, &[8, 128], 16).stacked(4).slice(2, 64).expect("a slice");
        assert!(!lies_so(&map(&[4, 8, 64], 16, 128), &wide));
    }

    #[test]
    fn dimensions_of_one_index_take_no_part() {
        let view = memory(0, &[8, 32], 32);
        assert!(lies_so(&map(&[1, 8, 1, 32], 32, 0), &view));
    }

    #[test]
    fn a_slice_within_sixteen_bytes_moves_its_place() {
        let view = Type::view(crate::dtype::DType::F32, memory(0, &[64, 32], 32));
        assert!(keeps_place(&view, 0, 1));
        assert!(!keeps_place(&view, 1, 16));
    }
}
