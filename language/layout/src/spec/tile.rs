//! Products of identities: how constructors are written down.
//!
//! A [`Tile`] starts empty and grows: every [`Tile::put`] appends identity bits of an input along a
//! dimension, above what that dimension already has. That is the product of linear maps, read left
//! to right.

use smallvec::SmallVec;

use super::SpecError;
use crate::bits::log2;
use crate::layout::{Coords, In, Layout, boxed, check_shape};

/// A layout under construction.
pub(super) struct Tile {
    // Extents covered so far: powers of two.
    covered: Vec<u32>,
    ins: Vec<(In, Vec<Coords>)>,
}

impl Tile {
    /// Nothing yet, in `rank` dimensions.
    pub(super) fn new(rank: usize) -> Tile {
        Tile { covered: vec![1; rank], ins: In::ALL.map(|it| (it, Vec::new())).into() }
    }

    /// `n` places of `input` along `axis`; `n` is a power of two.
    pub(super) fn put(mut self, n: u32, input: In, axis: usize) -> Tile {
        for _ in 0..log2(n.into()) {
            let mut basis: Coords = SmallVec::from_elem(0, self.covered.len());
            basis[axis] = self.covered[axis];
            self.covered[axis] = self.covered[axis].saturating_mul(2);
            self.bases(input).push(basis);
        }
        self
    }

    /// `n` places of `input` that all hold the same.
    pub(super) fn copies(mut self, n: u32, input: In) -> Tile {
        let zero: Coords = SmallVec::from_elem(0, self.covered.len());
        self.bases(input).extend((0..log2(n.into())).map(|_| zero.clone()));
        self
    }

    /// `counts[d]` places of `input` along every dimension, in `order`.
    pub(super) fn put_all(self, counts: &[u32], input: In, order: &[usize]) -> Tile {
        order.iter().fold(self, |tile, &d| tile.put(counts[d], input, d))
    }

    /// One place of `input` at `index`, as it is.
    pub(super) fn at(mut self, input: In, index: &[u32]) -> Tile {
        self.bases(input).push(index.into());
        for (covered, &at) in self.covered.iter_mut().zip(index) {
            *covered =
                (*covered).max(at.saturating_mul(2).checked_next_power_of_two().unwrap_or(1));
        }
        self
    }

    /// Covers `shape` with more of `input`, a dimension after the other in `order`.
    pub(super) fn fill(self, shape: &[u32], input: In, order: &[usize]) -> Tile {
        let extents = boxed(shape);
        order.iter().fold(self, |tile, &d| {
            let missing = (extents[d] / tile.covered[d]).max(1);
            tile.put(missing, input, d)
        })
    }

    /// The layout for `shape`: what lies beyond it becomes copies, dropped in registers.
    pub(super) fn finish(self, shape: &[u32]) -> Result<Layout, SpecError> {
        check_shape(shape)?;
        let extents = boxed(shape);
        let clip = |basis: Coords| -> Coords {
            basis
                .iter()
                .zip(&extents)
                .map(|(&at, &extent)| if at < extent { at } else { 0 })
                .collect()
        };
        let ins = self.ins.into_iter().map(|(input, bases)| {
            let bases = bases.into_iter().map(clip);
            (
                input,
                bases.filter(|it| input != In::Register || it.iter().any(|&c| c != 0)).collect(),
            )
        });
        Ok(Layout::try_new(shape, ins.collect())?)
    }

    fn bases(&mut self, input: In) -> &mut Vec<Coords> {
        &mut self.ins[input as usize].1
    }
}

/// Row-major order: the last dimension first.
pub(super) fn row_major(rank: usize) -> Vec<usize> {
    (0..rank).rev().collect()
}

/// The dimensions of `order`, or row-major.
pub(super) fn checked_order(order: Option<&[u32]>, rank: usize) -> Result<Vec<usize>, SpecError> {
    let Some(order) = order else { return Ok(row_major(rank)) };
    let mut sorted = order.to_vec();
    sorted.sort_unstable();
    if sorted.iter().copied().ne(0..rank as u32) {
        return Err(SpecError::Order { order: order.to_vec(), rank: rank as u32 });
    }
    Ok(order.iter().map(|&it| it as usize).collect())
}

/// `value`, if it is a power of two.
pub(super) fn power_of_two(name: &'static str, value: u32) -> Result<u32, SpecError> {
    if value.is_power_of_two() { Ok(value) } else { Err(SpecError::PowerOfTwo { name, value }) }
}

/// Fails unless `rank` is the shape's.
pub(super) fn check_rank(rank: usize, shape: &[u32]) -> Result<(), SpecError> {
    if rank == shape.len() {
        return Ok(());
    }
    Err(SpecError::Rank { wanted: rank as u32, got: shape.len() as u32 })
}
