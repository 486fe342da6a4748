//! The algebra of linear maps over F2 between named dimensions.
//!
//! # Definition
//! A [`LinearMap`] takes a vector of bits, split into named input dimensions, to one split into
//! named output dimensions. Dimensions are listed from the least significant on, which matters where
//! they are flattened and nowhere else. Maps are equal if they agree in dimensions, order and values.
//!
//! # Laws (each is a test of the same name)
//! * the identity is neutral for composition and for the product of nothing;
//! * composition is application one after the other, and associative;
//! * a product of maps acts on the low bits as the first and on the high bits as the second;
//! * an inverse undoes a map, a pseudo-inverse finds some preimage, the least one;
//! * division undoes the product, from either side;
//! * a quotient takes out an identity;
//! * reshapes keep the flat map, transposes keep the values;
//! * a bit permutation moves values as it moves columns.

use crate::bits::{self, Echelon, apply, complement};
use crate::layout::{In, Layout};

/// The name of a dimension of a map.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dim {
    /// An input of a layout.
    In(In),
    /// A dimension of a tile.
    Axis(u8),
}

/// A named dimension and its bits.
pub type DimBits = (Dim, u32);

/// A linear map over F2 between named dimensions.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinearMap {
    // Invariant: names are distinct; there is a column for every input bit, none beyond the outputs.
    ins: Vec<DimBits>,
    outs: Vec<DimBits>,
    columns: Vec<u64>,
}

impl LinearMap {
    /// The map with these flat columns.
    ///
    /// # Panics
    /// If the number of columns is not that of the input bits, or one is too large.
    pub fn new(ins: Vec<DimBits>, outs: Vec<DimBits>, columns: Vec<u64>) -> LinearMap {
        assert_eq!(total(&ins) as usize, columns.len(), "one column for every input bit");
        assert!(columns.iter().all(|&it| it >> total(&outs) == 0), "columns fit the outputs");
        LinearMap { ins, outs, columns }
    }

    /// No bits to no bits.
    pub fn empty() -> LinearMap {
        LinearMap { ins: Vec::new(), outs: Vec::new(), columns: Vec::new() }
    }

    /// `n` bits of `input` unchanged to `output`.
    pub fn identity(n: u32, input: Dim, output: Dim) -> LinearMap {
        LinearMap::new(vec![(input, n)], vec![(output, n)], (0..n).map(|bit| 1 << bit).collect())
    }

    /// `n` bits of `input` that change none of the `n_out` bits of `output`.
    pub fn zeros(n: u32, input: Dim, output: Dim, n_out: u32) -> LinearMap {
        LinearMap::new(vec![(input, n)], vec![(output, n_out)], vec![0; n as usize])
    }

    /// The input dimensions.
    pub fn ins(&self) -> &[DimBits] {
        &self.ins
    }

    /// The output dimensions.
    pub fn outs(&self) -> &[DimBits] {
        &self.outs
    }

    /// The images of the flat input bits.
    pub fn columns(&self) -> &[u64] {
        &self.columns
    }

    /// The flat image of a flat vector.
    pub fn apply(&self, x: u64) -> u64 {
        apply(&self.columns, x)
    }

    /// Whether every output is reached.
    pub fn is_surjective(&self) -> bool {
        bits::rank(&self.columns) == total(&self.outs)
    }

    /// Whether no two inputs have the same image.
    pub fn is_injective(&self) -> bool {
        bits::rank(&self.columns) as usize == self.columns.len()
    }

    /// Both: every output has exactly one input.
    pub fn is_invertible(&self) -> bool {
        self.is_surjective() && self.is_injective()
    }

    /// The direct sum: in every dimension, the bits of `self` below those of `other`.
    #[must_use]
    pub fn product(&self, other: &LinearMap) -> LinearMap {
        let ins = joined(&self.ins, &other.ins);
        let outs = joined(&self.outs, &other.outs);
        let place = |map: &LinearMap, column: u64, above: Option<&LinearMap>| {
            map.outs.iter().fold(0, |sum, &(dim, _)| {
                let shift = above.map_or(0, |below| size(&below.outs, dim).unwrap_or(0));
                sum | part(&map.outs, column, dim) << (start(&outs, dim) + shift)
            })
        };
        let columns = ins.iter().flat_map(|&(dim, _)| {
            let low = self.columns_of(dim).iter().map(|&it| place(self, it, None));
            let high = other.columns_of(dim).iter().map(|&it| place(other, it, Some(self)));
            low.chain(high).collect::<Vec<_>>()
        });
        let columns = columns.collect();
        LinearMap::new(ins, outs, columns)
    }

    /// `self` after `inner`.
    ///
    /// # Panics
    /// If the outputs of `inner` are not the inputs of `self`, in whatever order.
    #[must_use]
    pub fn compose(&self, inner: &LinearMap) -> LinearMap {
        let names: Vec<Dim> = self.ins.iter().map(|it| it.0).collect();
        let inner = inner.transpose_outs(&names);
        assert_eq!(inner.outs, self.ins, "the inner map ends where the outer begins");
        let columns = inner.columns.iter().map(|&it| self.apply(it)).collect();
        LinearMap::new(inner.ins, self.outs.clone(), columns)
    }

    /// The map that undoes this one; `None` unless it is invertible.
    pub fn invert(&self) -> Option<LinearMap> {
        if self.is_invertible() { self.pseudo_invert() } else { None }
    }

    /// A map that finds an input for every output, of free bits the zero; `None` unless surjective.
    pub fn pseudo_invert(&self) -> Option<LinearMap> {
        let span = Echelon::new(self.columns.iter().copied());
        let columns =
            (0..total(&self.outs)).map(|bit| span.solve(1 << bit)).collect::<Option<_>>()?;
        Some(LinearMap::new(self.outs.clone(), self.ins.clone(), columns))
    }

    /// `x` such that `outer` after `x` is `self`; free bits of `outer` are zero. `None` if there is none.
    pub fn invert_and_compose(&self, outer: &LinearMap) -> Option<LinearMap> {
        let names: Vec<Dim> = outer.outs.iter().map(|it| it.0).collect();
        let wanted = self.transpose_outs(&names);
        if wanted.outs != outer.outs {
            return None;
        }
        let span = Echelon::new(outer.columns.iter().copied());
        let columns = wanted.columns.iter().map(|&it| span.solve(it)).collect::<Option<_>>()?;
        Some(LinearMap::new(self.ins.clone(), outer.ins.clone(), columns))
    }

    /// `q` such that `by * q` is `self`, if there is one.
    pub fn divide_left(&self, by: &LinearMap) -> Option<LinearMap> {
        let rest = |dims: &[DimBits], by: &[DimBits]| remainder(dims, by);
        let (ins, outs) = (rest(&self.ins, &by.ins)?, rest(&self.outs, &by.outs)?);
        let columns = ins.iter().flat_map(|&(dim, _)| {
            let low = size(&by.ins, dim).unwrap_or(0) as usize;
            self.columns_of(dim)[low..].iter().map(|&it| {
                outs.iter().fold(0, |sum, &(out, _)| {
                    let shift = size(&by.outs, out).unwrap_or(0);
                    sum | part(&self.outs, it, out) >> shift << start(&outs, out)
                })
            })
        });
        let columns = columns.collect();
        let quotient = LinearMap::new(ins, outs, columns);
        self.agrees_with(&by.product(&quotient)).then_some(quotient)
    }

    /// `q` such that `q * by` is `self`, if there is one.
    pub fn divide_right(&self, by: &LinearMap) -> Option<LinearMap> {
        let (ins, outs) = (remainder(&self.ins, &by.ins)?, remainder(&self.outs, &by.outs)?);
        let columns = ins.iter().flat_map(|&(dim, n)| {
            self.columns_of(dim)[..n as usize].iter().map(|&it| {
                outs.iter().fold(0, |sum, &(out, n_out)| {
                    sum | (part(&self.outs, it, out) & mask(n_out)) << start(&outs, out)
                })
            })
        });
        let columns = columns.collect();
        let quotient = LinearMap::new(ins, outs, columns);
        self.agrees_with(&quotient.product(by)).then_some(quotient)
    }

    /// The rest of the map if `dims` go to themselves unchanged and nothing else touches them.
    pub fn quotient(&self, dims: &[Dim]) -> Option<LinearMap> {
        for &dim in dims {
            let n = size(&self.ins, dim)?;
            let own = start(&self.outs, dim);
            if size(&self.outs, dim) != Some(n) {
                return None;
            }
            let trivial =
                self.columns_of(dim).iter().enumerate().all(|(i, &it)| it == 1 << (own + i as u32));
            let others = self.ins.iter().filter(|it| it.0 != dim);
            let untouched = others
                .flat_map(|it| self.columns_of(it.0))
                .all(|&it| part(&self.outs, it, dim) == 0);
            if !trivial || !untouched {
                return None;
            }
        }
        let kept = |list: &[DimBits]| -> Vec<Dim> {
            list.iter().map(|it| it.0).filter(|it| !dims.contains(it)).collect()
        };
        Some(self.sublayout(&kept(&self.ins), &kept(&self.outs)))
    }

    /// The map between some of the dimensions, the other inputs being zero and outputs left out.
    #[must_use]
    pub fn sublayout(&self, ins: &[Dim], outs: &[Dim]) -> LinearMap {
        let pick = |list: &[DimBits], names: &[Dim]| -> Vec<DimBits> {
            list.iter().copied().filter(|it| names.contains(&it.0)).collect()
        };
        let (ins, outs) = (pick(&self.ins, ins), pick(&self.outs, outs));
        let columns = ins.iter().flat_map(|it| self.columns_of(it.0)).map(|&it| {
            outs.iter()
                .fold(0, |sum, &(dim, _)| sum | part(&self.outs, it, dim) << start(&outs, dim))
        });
        let columns = columns.collect();
        LinearMap::new(ins, outs, columns)
    }

    /// The map without an output dimension.
    #[must_use]
    pub fn slice(&self, out: Dim) -> LinearMap {
        let names = |list: &[DimBits]| list.iter().map(|it| it.0).collect::<Vec<_>>();
        let kept: Vec<Dim> = names(&self.outs).into_iter().filter(|&it| it != out).collect();
        self.sublayout(&names(&self.ins), &kept)
    }

    /// The same flat map with the input bits split into other dimensions.
    ///
    /// # Panics
    /// If the number of bits differs.
    #[must_use]
    pub fn reshape_ins(&self, ins: Vec<DimBits>) -> LinearMap {
        LinearMap::new(ins, self.outs.clone(), self.columns.clone())
    }

    /// The same flat map with the output bits split into other dimensions.
    ///
    /// # Panics
    /// If the number of bits differs.
    #[must_use]
    pub fn reshape_outs(&self, outs: Vec<DimBits>) -> LinearMap {
        assert_eq!(total(&outs), total(&self.outs), "a reshape keeps the bits");
        LinearMap::new(self.ins.clone(), outs, self.columns.clone())
    }

    /// The input dimensions in another order.
    #[must_use]
    pub fn transpose_ins(&self, order: &[Dim]) -> LinearMap {
        let ins = reordered(&self.ins, order);
        let columns = ins.iter().flat_map(|it| self.columns_of(it.0)).copied().collect();
        LinearMap::new(ins, self.outs.clone(), columns)
    }

    /// The output dimensions in another order.
    #[must_use]
    pub fn transpose_outs(&self, order: &[Dim]) -> LinearMap {
        let outs = reordered(&self.outs, order);
        let turn = |&it: &u64| {
            outs.iter()
                .fold(0, |sum, &(dim, _)| sum | part(&self.outs, it, dim) << start(&outs, dim))
        };
        let columns = self.columns.iter().map(turn).collect();
        LinearMap::new(self.ins.clone(), outs, columns)
    }

    /// The inputs of `other` after those of `self`; both have the same outputs.
    ///
    /// # Panics
    /// If the outputs differ.
    #[must_use]
    pub fn concat_ins(&self, other: &LinearMap) -> LinearMap {
        assert_eq!(self.outs, other.outs, "maps with joined inputs have the same outputs");
        LinearMap::new(
            [&self.ins[..], &other.ins].concat(),
            self.outs.clone(),
            [&self.columns[..], &other.columns].concat(),
        )
    }

    /// The outputs of `other` after those of `self`; both have the same inputs.
    ///
    /// # Panics
    /// If the inputs differ.
    #[must_use]
    pub fn concat_outs(&self, other: &LinearMap) -> LinearMap {
        assert_eq!(self.ins, other.ins, "maps with joined outputs have the same inputs");
        let shift = total(&self.outs);
        let both = self.columns.iter().zip(&other.columns);
        LinearMap::new(
            self.ins.clone(),
            [&self.outs[..], &other.outs].concat(),
            both.map(|(low, high)| low | high << shift).collect(),
        )
    }

    /// Input `dim` with `n` bits: the highest are cut off, new ones change nothing.
    #[must_use]
    pub fn resize_in(&self, dim: Dim, n: u32) -> LinearMap {
        let ins: Vec<DimBits> =
            self.ins.iter().map(|&it| if it.0 == dim { (dim, n) } else { it }).collect();
        let columns = ins.iter().flat_map(|&(it, n)| {
            let old = self.columns_of(it).iter().copied().chain(std::iter::repeat(0));
            old.take(n as usize).collect::<Vec<_>>()
        });
        let columns = columns.collect();
        LinearMap::new(ins, self.outs.clone(), columns)
    }

    /// For every input, its bits that lie in the span of the bits before them.
    pub fn free_masks(&self) -> Vec<(Dim, u64)> {
        let mut span = Echelon::default();
        let mut free = |dim| {
            let bits = self.columns_of(dim).iter().enumerate();
            bits.fold(0, |mask, (i, &it)| if span.add(it) { mask } else { mask | 1 << i })
        };
        self.ins.iter().map(|it| (it.0, free(it.0))).collect()
    }

    /// The largest power of two of consecutive values of `input` that are consecutive in `output`,
    /// starting at its multiples, and nothing else changes those bits.
    pub fn n_consecutive(&self, input: Dim, output: Dim) -> u64 {
        let own = self.columns_of(input);
        let at = start(&self.outs, output);
        let limit = size(&self.outs, output).unwrap_or(0).min(own.len() as u32);
        let fits = |n: u32| {
            let low = mask(n) << at;
            let units = (0..n).all(|i| own[i as usize] == 1 << (at + i));
            let others = self.columns.iter().filter(|&&it| it & low != 0).count() == n as usize;
            units && others
        };
        1 << (0..=limit).rev().find(|&n| fits(n)).unwrap_or(0)
    }

    /// The permutation of the bits of `input` that puts those of `by` first, if `by` then divides
    /// the map from the left.
    pub fn permutation_for_divide(&self, input: Dim, by: &LinearMap) -> Option<BitPermutation> {
        let own = self.columns_of(input);
        let mut from = Vec::new();
        let names: Vec<Dim> = self.outs.iter().map(|it| it.0).collect();
        for &wanted in by.columns_of(input) {
            let wanted = names.iter().fold(0, |sum, &dim| {
                sum | size(&by.outs, dim).map_or(0, |_| part(&by.outs, wanted, dim))
                    << start(&self.outs, dim)
            });
            let free = |it: &usize| own[*it] == wanted && !from.contains(&(*it as u32));
            from.push((0..own.len()).find(free)? as u32);
        }
        from.extend(complement_of(&from, own.len() as u32));
        let res = BitPermutation { input, from };
        res.apply(self).divide_left(by).map(|_| res)
    }

    fn columns_of(&self, dim: Dim) -> &[u64] {
        match size(&self.ins, dim) {
            Some(n) => {
                let at = start(&self.ins, dim) as usize;
                &self.columns[at..at + n as usize]
            }
            None => &[],
        }
    }

    /// Equality up to the order of dimensions and up to dimensions without bits.
    fn agrees_with(&self, other: &LinearMap) -> bool {
        let plain = |map: &LinearMap| {
            let mut names: [Vec<Dim>; 2] = [&map.ins, &map.outs]
                .map(|list| list.iter().filter(|it| it.1 > 0).map(|it| it.0).collect());
            names.iter_mut().for_each(|it| it.sort_unstable());
            map.sublayout(&names[0], &names[1]).transpose_ins(&names[0]).transpose_outs(&names[1])
        };
        plain(self) == plain(other)
    }
}

/// A choice and order of the bits of one input, applicable to maps and to lists of values alike.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BitPermutation {
    /// The input.
    pub input: Dim,
    /// The old bit of each new one; bits left out are taken as zero.
    pub from: Vec<u32>,
}

impl BitPermutation {
    /// The permutation that leaves out the bits of `input` that are in the span of the others
    /// before them in the same input.
    pub fn without_copies(map: &LinearMap, input: Dim) -> BitPermutation {
        let mut span = Echelon::default();
        let own = map.columns_of(input).iter().enumerate();
        let from = own.filter(|it| span.add(*it.1)).map(|it| it.0 as u32).collect();
        BitPermutation { input, from }
    }

    /// The map in which the bits stand in the new order.
    pub fn apply(&self, map: &LinearMap) -> LinearMap {
        let ins: Vec<DimBits> = map
            .ins
            .iter()
            .map(|&it| if it.0 == self.input { (it.0, self.from.len() as u32) } else { it })
            .collect();
        let columns = ins.iter().flat_map(|&(dim, _)| {
            let own = map.columns_of(dim);
            if dim == self.input {
                self.from.iter().map(|&bit| own[bit as usize]).collect()
            } else {
                own.to_vec()
            }
        });
        let columns = columns.collect();
        LinearMap::new(ins, map.outs.clone(), columns)
    }

    /// The values, one for every number of the input, in the new order.
    pub fn apply_to<T: Clone>(&self, values: &[T]) -> Vec<T> {
        let old = |new: u64| {
            self.from.iter().enumerate().fold(0, |at, (i, &bit)| at | (new >> i & 1) << bit)
        };
        (0..1u64 << self.from.len()).map(|new| values[old(new) as usize].clone()).collect()
    }
}

impl Layout {
    /// The map of the box: from the inputs that have bits to the dimensions, the last one least significant.
    pub fn linear_map(&self) -> LinearMap {
        let ins = self.inputs().iter().map(|(input, bases)| (Dim::In(*input), bases.len() as u32));
        let extents = self.extents();
        let outs =
            (0..self.rank()).rev().map(|d| (Dim::Axis(d as u8), bits::log2(extents[d].into())));
        LinearMap::new(ins.collect(), outs.collect(), self.columns().to_vec())
    }
}

fn total(dims: &[DimBits]) -> u32 {
    dims.iter().map(|it| it.1).sum()
}

fn mask(n: u32) -> u64 {
    (1 << n) - 1
}

fn size(dims: &[DimBits], dim: Dim) -> Option<u32> {
    dims.iter().find(|it| it.0 == dim).map(|it| it.1)
}

fn start(dims: &[DimBits], dim: Dim) -> u32 {
    total(&dims[..dims.iter().position(|it| it.0 == dim).unwrap_or(0)])
}

fn part(dims: &[DimBits], flat: u64, dim: Dim) -> u64 {
    size(dims, dim).map_or(0, |n| flat >> start(dims, dim) & mask(n))
}

fn joined(a: &[DimBits], b: &[DimBits]) -> Vec<DimBits> {
    let both = a.iter().map(|&(dim, n)| (dim, n + size(b, dim).unwrap_or(0)));
    let new = b.iter().copied().filter(|it| size(a, it.0).is_none());
    both.chain(new).collect()
}

/// `dims` less the bits of `by`; `None` if `by` has something that `dims` lacks.
fn remainder(dims: &[DimBits], by: &[DimBits]) -> Option<Vec<DimBits>> {
    if by.iter().any(|&(dim, n)| size(dims, dim).is_none_or(|it| it < n)) {
        return None;
    }
    Some(dims.iter().map(|&(dim, n)| (dim, n - size(by, dim).unwrap_or(0))).collect())
}

fn reordered(dims: &[DimBits], order: &[Dim]) -> Vec<DimBits> {
    let res: Vec<DimBits> =
        order.iter().filter_map(|&dim| size(dims, dim).map(|n| (dim, n))).collect();
    assert_eq!(res.len(), dims.len(), "an order names every dimension");
    res
}

fn complement_of(taken: &[u32], n: u32) -> Vec<u32> {
    let units: Vec<u64> = taken.iter().map(|&it| 1 << it).collect();
    complement(&units, n).into_iter().map(bits::log2).collect()
}
