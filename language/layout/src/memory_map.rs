//! Where the elements of a buffer lie, and of every view of it: from an index to an offset.
//!
//! # Definition
//! A [`Layout`] of memory says which element lies at an offset; a [`MemoryMap`] is its inverse, and
//! unlike the layout it is closed under taking views. An index `i` of a dimension with `k` columns
//! is split into its low `k` bits and the rest. The offset of an element, in elements, is
//!
//! > `start + sum(rest * stride) + (shift ^ xor(columns of the one low bits))`
//!
//! summed over the dimensions; then padding is put in. A view shares the map's numbers and has its
//! own `start` and `shift`, which are known at run time only: taking an index or a slice adds to
//! them ([`MemoryMap::contribution`]). Offset bits that several index bits reach (those of a
//! swizzle) are in [`MemoryMap::mixed`] and are always combined by exclusive or; every other bit
//! belongs to one index bit alone, so it can be added.
//!
//! # Laws
//! * M1: `MemoryMap::of(layout).offset_of(i)` is `layout.offset_of(i)`, padding included.
//! * M2: an element of a view is the element of the whole at the same place: views commute with indexing.
//! * M3: different indices have different offsets.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::bits::log2;
use crate::layout::{Coords, In, Layout};

/// From an index to an offset.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MemoryMap(Arc<Repr>);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Repr {
    dims: Vec<MapDim>,
    padding: Vec<(u32, u32)>,
    mixed: u32,
}

/// One dimension of a map.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MapDim {
    /// Extent.
    pub extent: u32,
    /// What each of the lowest bits of the index adds by exclusive or, in elements.
    pub columns: SmallVec<[u32; 8]>,
    /// What each unit above those bits adds, in elements.
    pub stride: u32,
}

/// What fixing an index adds to a view's place, in elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Contribution {
    /// By addition.
    pub start: u32,
    /// By exclusive or.
    pub shift: u32,
}

/// Why there is no such view.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ViewError {
    /// A slice's extent cuts the units in which the memory is laid out.
    #[error(
        "a slice of {extent} along dimension {axis} cuts its memory: possible are powers of two up to {most} and multiples of {most}"
    )]
    Extent {
        /// The dimension.
        axis: u32,
        /// The extent asked for.
        extent: u32,
        /// What the map treats as one piece.
        most: u32,
    },
    /// A slice begins where no such piece begins.
    #[error("a slice of {extent} begins at {start}, which is no multiple of {unit}")]
    Start {
        /// Its first index.
        start: u32,
        /// Its extent.
        extent: u32,
        /// What divides the possible beginnings.
        unit: u32,
    },
    /// The elements of the new shape do not lie in the old one's order.
    #[error("memory of shape {from:?} cannot be seen as {to:?}")]
    Reshape {
        /// The shape.
        from: Vec<u32>,
        /// The shape asked for.
        to: Vec<u32>,
    },
    /// The new element type is wider than what lies together.
    #[error(
        "{together} neighbouring elements of {from} bits lie together, an element of {to} bits needs {needed}"
    )]
    Reinterpret {
        /// Bits of an element.
        from: u32,
        /// Bits asked for.
        to: u32,
        /// Neighbours that lie together.
        together: u32,
        /// Neighbours that make one new element.
        needed: u32,
    },
}

impl MemoryMap {
    /// The inverse of a layout of memory.
    pub fn of(layout: &Layout) -> MemoryMap {
        let plain = Layout::new(layout.shape(), layout.inputs().to_vec());
        let unit = |axis: usize, at: u32| {
            let mut index: Coords = SmallVec::from_elem(0, layout.rank());
            index[axis] = at;
            plain.offset_of(&index)
        };
        let dim = |axis: usize| {
            let extent = layout.shape()[axis];
            let n_bits = extent.trailing_zeros();
            let columns = (0..n_bits).map(|bit| unit(axis, 1 << bit)).collect();
            let stride = if extent >> n_bits > 1 { unit(axis, 1 << n_bits) } else { 0 };
            MapDim { extent, columns, stride }
        };
        debug_assert!(!layout.bases(In::Offset).is_empty() || layout.offsets() >= 1);
        let dims = (0..layout.rank()).map(dim).collect();
        MemoryMap::new(dims, layout.padding().to_vec(), 0)
    }

    /// The map with these dimensions; `mixed` names offset bits that are mixed besides those that
    /// several columns share.
    pub fn new(dims: Vec<MapDim>, padding: Vec<(u32, u32)>, mixed: u32) -> MemoryMap {
        let columns = dims.iter().flat_map(|it| &it.columns);
        let (_, mixed) =
            columns.fold((0, mixed), |(seen, mixed), &it| (seen | it, mixed | seen & it));
        // A unit without columns has no stride either, so that equal maps are equal values.
        let settle = |it: MapDim| MapDim {
            stride: if it.extent >> it.columns.len() > 1 { it.stride } else { 0 },
            ..it
        };
        MemoryMap(Arc::new(Repr { dims: dims.into_iter().map(settle).collect(), padding, mixed }))
    }

    fn with_dims(&self, dims: Vec<MapDim>) -> MemoryMap {
        MemoryMap::new(dims, self.0.padding.clone(), self.0.mixed)
    }

    /// `n` buffers one after the other, as a new first dimension.
    pub fn stacked(&self, n: u32) -> MemoryMap {
        let mut dims = self.0.dims.clone();
        let length = self.0.dims.iter().map(|it| it.extent).product();
        dims.insert(0, MapDim { extent: n, columns: SmallVec::new(), stride: length });
        self.with_dims(dims)
    }

    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[MapDim] {
        &self.0.dims
    }

    /// Extents, outermost first.
    pub fn shape(&self) -> Coords {
        self.0.dims.iter().map(|it| it.extent).collect()
    }

    /// `(interval, pad)` in elements.
    pub fn padding(&self) -> &[(u32, u32)] {
        &self.0.padding
    }

    /// Offset bits that several index bits reach, or reached in the buffer that this is a view of.
    pub fn mixed(&self) -> u32 {
        self.0.mixed
    }

    /// Elements from the first to one past the last of a whole buffer, padding included.
    pub fn buffer_len(&self) -> u32 {
        let last: u32 = self.0.dims.iter().map(|it| it.extent).product::<u32>() - 1;
        self.with_padding(last) + 1
    }

    /// The offset of an element from the view's place, without padding.
    pub fn contribution_of(&self, index: &[u32]) -> Contribution {
        let parts = index.iter().enumerate().map(|(axis, &it)| self.contribution(axis, it));
        parts.fold(Contribution::default(), Contribution::and)
    }

    /// The offset of an element of a whole buffer, padding included.
    pub fn offset_of(&self, index: &[u32]) -> u32 {
        self.with_padding(self.contribution_of(index).offset())
    }

    /// Puts in padding.
    pub fn with_padding(&self, offset: u32) -> u32 {
        offset + self.0.padding.iter().map(|&(interval, pad)| offset / interval * pad).sum::<u32>()
    }

    /// What index `at` of a dimension adds to the place of the rest.
    pub fn contribution(&self, axis: usize, at: u32) -> Contribution {
        let dim = &self.0.dims[axis];
        let n_bits = dim.columns.len();
        let low = dim.columns.iter().enumerate().filter(|it| at >> it.0 & 1 == 1);
        let low = low.fold(0, |sum, it| sum ^ it.1);
        let high = (at >> n_bits) * dim.stride;
        Contribution { start: high + (low & !self.0.mixed), shift: low & self.0.mixed }
    }

    /// The view with one index of a dimension fixed; it has a dimension less.
    pub fn without(&self, axis: usize) -> MemoryMap {
        let mut dims = self.0.dims.clone();
        dims.remove(axis);
        self.with_dims(dims)
    }

    /// The view of `extent` indices of a dimension, from a multiple of [`MemoryMap::slice_unit`] on.
    pub fn slice(&self, axis: usize, extent: u32) -> Result<MemoryMap, ViewError> {
        let dim = &self.0.dims[axis];
        let most = 1 << dim.columns.len();
        let mut dims = self.0.dims.clone();
        if extent < most && extent.is_power_of_two() {
            dims[axis].columns.truncate(log2(extent.into()) as usize);
        } else if !extent.is_multiple_of(most) {
            return Err(ViewError::Extent { axis: axis as u32, extent, most });
        }
        dims[axis].extent = extent;
        Ok(self.with_dims(dims))
    }

    /// What divides the first index of a slice.
    pub fn slice_unit(&self, axis: usize, extent: u32) -> u32 {
        extent.min(1 << self.0.dims[axis].columns.len())
    }

    /// Dimension `i` of the result is dimension `perm[i]`.
    pub fn permute(&self, perm: &[u32]) -> MemoryMap {
        self.with_dims(perm.iter().map(|&it| self.0.dims[it as usize].clone()).collect())
    }

    /// The same elements in row-major order in another shape.
    pub fn reshape(&self, shape: &[u32]) -> Result<MemoryMap, ViewError> {
        let fail = || ViewError::Reshape { from: self.shape().to_vec(), to: shape.to_vec() };
        let total: u64 = self.0.dims.iter().map(|it| u64::from(it.extent)).product();
        if shape.iter().map(|&it| u64::from(it)).product::<u64>() != total {
            return Err(fail());
        }
        // Every row-major bit with its column, lowest first; above it whole units with one stride.
        let mut bits: Vec<u32> = Vec::new();
        let mut units: Option<(u32, u32)> = None;
        for dim in self.0.dims.iter().rev().filter(|it| it.extent > 1) {
            let n_units = dim.extent >> dim.columns.len();
            match &mut units {
                None => bits.extend(&dim.columns),
                Some(_) if !dim.columns.is_empty() => return Err(fail()),
                Some((extent, stride)) if *extent * *stride == dim.stride => {
                    *extent *= dim.extent;
                    continue;
                }
                Some(_) => return Err(fail()),
            }
            if n_units > 1 {
                units = Some((n_units, dim.stride));
            }
        }
        let mut bits = bits.into_iter();
        let (mut n_units, mut stride) = units.unwrap_or((1, 0));
        let mut dims = Vec::new();
        for &extent in shape.iter().rev() {
            let wanted = extent.trailing_zeros() as usize;
            let columns: SmallVec<[u32; 8]> = bits.by_ref().take(wanted).collect();
            let rest = extent >> columns.len();
            if rest > 1 && (bits.len() > 0 || !n_units.is_multiple_of(rest)) {
                return Err(fail());
            }
            dims.push(MapDim { extent, columns, stride });
            n_units /= rest;
            stride *= rest;
        }
        dims.reverse();
        Ok(self.with_dims(dims))
    }

    /// The same bytes as elements of another width; the last dimension's extent changes.
    pub fn reinterpret(&self, from_bits: u32, to_bits: u32) -> Result<MemoryMap, ViewError> {
        let mut dims = self.0.dims.clone();
        let last = dims.last_mut().expect("a buffer has a dimension");
        let mut mixed = self.0.mixed;
        let rescale: &dyn Fn(u32) -> u32;
        let (narrower, wider);
        if to_bits <= from_bits {
            let by = log2(u64::from(from_bits / to_bits));
            narrower = move |it: u32| it << by;
            rescale = &narrower;
            last.extent <<= by;
        } else {
            let by = log2(u64::from(to_bits / from_bits)) as usize;
            let together =
                last.columns.iter().enumerate().take_while(|it| *it.1 == 1 << it.0).count();
            let own = self
                .0
                .dims
                .iter()
                .flat_map(|it| &it.columns)
                .filter(|it| **it & ((1 << by) - 1) != 0);
            let pads = self.0.padding.iter().flat_map(|&(interval, pad)| [interval, pad]);
            if together < by
                || own.count() != by
                || !pads.clone().all(|it| it.is_multiple_of(1 << by))
            {
                let (together, needed) = (1 << together.min(by), 1 << by);
                return Err(ViewError::Reinterpret {
                    from: from_bits,
                    to: to_bits,
                    together,
                    needed,
                });
            }
            last.columns.drain(..by);
            last.extent >>= by;
            wider = move |it: u32| it >> by;
            rescale = &wider;
        }
        for dim in &mut dims {
            dim.columns.iter_mut().for_each(|it| *it = rescale(*it));
            dim.stride = rescale(dim.stride);
        }
        if to_bits < from_bits {
            let by = log2(u64::from(from_bits / to_bits));
            let last = dims.last_mut().expect("a buffer has a dimension");
            last.columns.insert_from_slice(0, &(0..by).map(|it| 1 << it).collect::<Vec<u32>>());
        }
        mixed = rescale(mixed);
        let padding =
            self.0.padding.iter().map(|&(interval, pad)| (rescale(interval), rescale(pad)));
        Ok(MemoryMap::new(dims, padding.collect(), mixed))
    }
}

impl Contribution {
    /// Both.
    #[must_use]
    pub fn and(self, other: Contribution) -> Contribution {
        Contribution { start: self.start + other.start, shift: self.shift ^ other.shift }
    }

    /// The offset, without padding.
    pub fn offset(self) -> u32 {
        self.start + self.shift
    }
}
