//! Tensor maps: what a copy engine must be told of a tensor before it moves boxes of it.
//!
//! # Definition
//! A [`TensorMap`] is the compiler's part: which tensor, in which order its dimensions lie in memory, and how
//! large a box is. A [`BoundMap`] is that of one launch, with sizes and strides. A device's driver makes
//! the descriptor from it; engines without a device read it as it is.
//!
//! # Invariant
//! A bound map satisfies every [`MapRule`], so a device takes its descriptor.
//!
//! Sources: PTX ISA, "Tensors"; CUDA driver API, `cuTensorMapEncodeTiled`.
//!
//! Absent on purpose: im2col, element strides, fill other than zero.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most dimensions of a tensor map.
pub const RANK_MAX: usize = 5;
/// The largest extent of a box.
pub const EXTENT_MAX: u32 = 256;
/// What divides addresses, outer strides and rows of a box, in bytes.
pub const GRAIN: u64 = 16;
/// Bytes of a descriptor.
pub const DESCRIPTOR_BYTES: u32 = 128;

/// The largest size of a dimension.
const SIZE_MAX: i64 = 1 << 31;
/// Strides are smaller than that, in bytes.
const STRIDE_LIMIT: u64 = 1 << 40;

/// What the compiler knows of a tensor map. Lists are in the engine's order: the contiguous dimension first.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct TensorMap {
    /// The tensor: the number of its parameter.
    pub param: u32,
    /// The tensor's dimensions.
    pub axes: Vec<u32>,
    /// Extents of a box.
    pub extents: Vec<u32>,
    /// Elements: a word of the language.
    pub dtype: String,
    /// Bits of an element.
    pub bits: u32,
    /// Bytes within which rows are permuted in shared memory: 0, 32, 64 or 128.
    pub swizzle: u32,
}

/// A tensor map of one launch. Lists are in the engine's order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BoundMap {
    /// What the compiler said.
    pub map: TensorMap,
    /// Sizes of the tensor.
    pub sizes: Vec<u64>,
    /// Bytes between neighbours of each dimension but the first.
    pub strides: Vec<u64>,
}

/// The rules of tensor maps. Dimensions are the tensor's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the fields are the words of the sentences below")]
pub enum MapRule {
    /// One to five dimensions.
    Rank { rank: usize },
    /// Elements are whole bytes, at most eight.
    Element { bits: u32 },
    /// An extent of a box is 1 to 256.
    Extent { axis: u32, extent: u32 },
    /// A row of a box is a multiple of 16 bytes.
    Row { bytes: u64 },
    /// A row of a box is not longer than what is permuted.
    Swizzle { bytes: u64, swizzle: u32 },
    /// The dimension that boxes begin with is contiguous.
    Contiguous { axis: u32, stride: i64 },
    /// Sizes are 0 to 2^31.
    Size { axis: u32, size: i64 },
    /// Strides are multiples of 16 bytes, positive and below 2^40.
    Stride { axis: u32, bytes: i128 },
    /// The address is a multiple of 16 bytes.
    Address { address: u64 },
}

impl TensorMap {
    /// Bytes that one box brings, those outside of the tensor included.
    pub fn box_bytes(&self) -> u32 {
        self.extents.iter().product::<u32>() * self.bits / 8
    }

    /// The first rule that holds in no launch; `None` if there is none.
    pub fn violated(&self) -> Option<MapRule> {
        let rank = self.axes.len();
        if !(1..=RANK_MAX).contains(&rank) || self.extents.len() != rank {
            return Some(MapRule::Rank { rank });
        }
        if ![8, 16, 32, 64].contains(&self.bits) {
            return Some(MapRule::Element { bits: self.bits });
        }
        let mut extents = self.axes.iter().zip(&self.extents);
        if let Some((&axis, &extent)) = extents.find(|it| !(1..=EXTENT_MAX).contains(it.1)) {
            return Some(MapRule::Extent { axis, extent });
        }
        let bytes = u64::from(self.extents[0]) * u64::from(self.bits / 8);
        if !bytes.is_multiple_of(GRAIN) {
            return Some(MapRule::Row { bytes });
        }
        let swizzle = self.swizzle;
        let fits = swizzle == 0 || [32, 64, 128].contains(&swizzle) && bytes <= swizzle.into();
        (!fits).then_some(MapRule::Swizzle { bytes, swizzle })
    }

    /// The map of a launch in which the tensor has these sizes and strides, in elements, and this address.
    pub(crate) fn bind(
        &self,
        sizes: &[i64],
        strides: &[i64],
        address: u64,
    ) -> Result<BoundMap, MapRule> {
        if let Some(rule) = self.violated() {
            return Err(rule);
        }
        let size = |&axis: &u32| {
            let size = sizes[axis as usize];
            let fits = (0..=SIZE_MAX).contains(&size);
            if fits { Ok(size as u64) } else { Err(MapRule::Size { axis, size }) }
        };
        let is_empty = self.axes.iter().any(|&it| sizes[it as usize] == 0);
        let bytes = |&axis: &u32| {
            let bytes = i128::from(strides[axis as usize]) * i128::from(self.bits / 8);
            let fits = |it: &u64| *it < STRIDE_LIMIT && 0 < *it && it.is_multiple_of(GRAIN);
            // Where there is at most one index, no device reads the stride; the descriptor has a row's.
            match u64::try_from(bytes).ok().filter(fits) {
                Some(it) => Ok(it),
                None if is_empty || sizes[axis as usize] == 1 => Ok(GRAIN),
                None => Err(MapRule::Stride { axis, bytes }),
            }
        };
        let all = self.axes.iter().map(size).collect::<Result<Vec<_>, _>>()?;
        let axis = self.axes[0];
        let stride = strides[axis as usize];
        if stride != 1 && sizes[axis as usize] != 1 && !is_empty {
            return Err(MapRule::Contiguous { axis, stride });
        }
        let strides = self.axes[1..].iter().map(bytes).collect::<Result<_, _>>()?;
        if !address.is_multiple_of(GRAIN) {
            return Err(MapRule::Address { address });
        }
        Ok(BoundMap { map: self.clone(), sizes: all, strides })
    }
}

impl BoundMap {
    /// How far an element lies from the tensor's first, in bytes; `None` outside of the tensor. Coordinates are
    /// in the engine's order.
    pub fn offset(&self, at: impl IntoIterator<Item = i64>) -> Option<u64> {
        let mut offset = 0;
        for (number, at) in at.into_iter().enumerate() {
            let at = u64::try_from(at).ok().filter(|it| *it < self.sizes[number])?;
            let stride = match number {
                0 => u64::from(self.map.bits / 8),
                _ => self.strides[number - 1],
            };
            offset += at * stride;
        }
        Some(offset)
    }
}

impl fmt::Display for MapRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapRule::Rank { rank } => write!(f, "{rank} dimensions, 1 to {RANK_MAX} are possible"),
            MapRule::Element { bits } => {
                write!(f, "elements of {bits} bits, 8, 16, 32 and 64 are possible")
            }
            MapRule::Extent { axis, extent } => write!(
                f,
                "an extent of {extent} along dimension {axis}, at most {EXTENT_MAX} is possible"
            ),
            MapRule::Row { bytes } => {
                write!(f, "rows of {bytes} bytes, multiples of {GRAIN} are possible")
            }
            MapRule::Swizzle { bytes, swizzle } => {
                write!(f, "rows of {bytes} bytes in a pattern of {swizzle} bytes")
            }
            MapRule::Contiguous { axis, stride } => {
                write!(f, "dimension {axis} with a stride of {stride} elements, 1 is possible")
            }
            MapRule::Size { axis, size } => {
                write!(f, "dimension {axis} of size {size}, 0 to {SIZE_MAX} are possible")
            }
            MapRule::Stride { axis, bytes } => write!(
                f,
                "dimension {axis} with a stride of {bytes} bytes, multiples of {GRAIN} below 2^40 are possible"
            ),
            MapRule::Address { address } => {
                write!(f, "the address {address:#x}, multiples of {GRAIN} are possible")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> TensorMap {
        let (axes, extents) = (vec![1, 0], vec![64, 128]);
        TensorMap { param: 0, axes, extents, dtype: "f16".to_owned(), bits: 16, swizzle: 128 }
    }

    #[track_caller]
    fn refused(map: &TensorMap, sizes: &[i64], strides: &[i64], address: u64, expect: &str) {
        let rule = map.bind(sizes, strides, address).expect_err("a rule is violated");
        assert_eq!(rule.to_string(), expect);
    }

    #[test]
    fn an_element_lies_where_sizes_and_strides_say() {
        let bound = map().bind(&[100, 72], &[72, 1], 0x100).expect("no rule is violated");
        assert_eq!((bound.sizes.clone(), bound.strides.clone()), (vec![72, 100], vec![144]));
        assert_eq!(bound.offset([3, 2]), Some(2 * 144 + 6));
        assert_eq!(
            [bound.offset([72, 0]), bound.offset([0, 100]), bound.offset([-1, 0])],
            [None; 3]
        );
    }

    #[test]
    fn what_has_no_elements_is_everywhere_outside() {
        let bound = map().bind(&[100, 0], &[0, 1], 0).expect("no rule is violated");
        assert_eq!([bound.offset([0, 0]), bound.offset([0, 99])], [None; 2]);
    }

    #[test]
    fn a_box_of_a_launch_violates_each_rule_once() {
        refused(
            &map(),
            &[100, (1 << 31) + 1],
            &[0, 1],
            0,
            "dimension 1 of size 2147483649, 0 to 2147483648 are possible",
        );
        refused(
            &map(),
            &[100, 72],
            &[73, 1],
            0,
            "dimension 0 with a stride of 146 bytes, multiples of 16 below 2^40 are possible",
        );
        refused(
            &map(),
            &[100, 72],
            &[1, 128],
            0,
            "dimension 1 with a stride of 128 elements, 1 is possible",
        );
        refused(&map(), &[100, 72], &[72, 1], 8, "the address 0x8, multiples of 16 are possible");
    }

    #[test]
    fn a_box_of_a_program_violates_each_rule_once() {
        let with = |f: fn(&mut TensorMap)| {
            let mut map = map();
            f(&mut map);
            map.violated()
        };
        assert_eq!(map().violated(), None);
        assert_eq!(with(|it| it.axes.clear()), Some(MapRule::Rank { rank: 0 }));
        assert_eq!(with(|it| it.bits = 4), Some(MapRule::Element { bits: 4 }));
        assert_eq!(with(|it| it.extents[1] = 257), Some(MapRule::Extent { axis: 0, extent: 257 }));
        assert_eq!(with(|it| it.extents[0] = 12), Some(MapRule::Row { bytes: 24 }));
        let swizzle = MapRule::Swizzle { bytes: 256, swizzle: 128 };
        assert_eq!(with(|it| it.extents[0] = 128), Some(swizzle));
    }

    #[test]
    fn a_dimension_of_one_index_may_have_any_stride() {
        let bound = map().bind(&[1, 72], &[3, 1], 0).expect("no rule is violated");
        assert_eq!(bound.strides, [GRAIN]);
    }
}
