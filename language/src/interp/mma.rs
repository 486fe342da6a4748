//! The `mma` family: products of tiles.
//!
//! # Definition
//! Every sum is a chain in the order of `k`, rounded to nearest even at each step: in 32-bit wrapping
//! integers; in `f64` and, for `f32` factors, in `f32` with one rounding a step; for narrower factors
//! in `f32`, where their products are exact. A sum for an `f16` accumulator is kept in `f32` over the
//! depth of one instruction and rounded to `f16` after each.
//!
//! Products of a warp group are computed where they start, and the memory that they read may not be written until they
//! are waited for.
//!
//! A row of the accumulator is summed over a few `k` at a time, so that it is read and written once for
//! them: loops that a compiler turns into vector instructions without changing any bit.

use std::borrow::Cow;
use std::rc::Rc;

use super::arith;
use super::buffers::Reading;
use super::elements::Elements;
use super::{Block, Fault};
use crate::dtype::DType;
use crate::ir::{Inst, Value};
use crate::op::MmaOp;
use crate::op::tile::Round;

/// Extents of a product.
#[derive(Clone, Copy)]
struct Extents {
    m: usize,
    n: usize,
    k: usize,
}

/// What an instruction computes.
#[derive(Clone, Copy)]
struct Numbers {
    a: DType,
    b: DType,
    acc: DType,
    /// Depth of one instruction.
    k: u32,
}

impl<'a> Block<'_, 'a> {
    pub(super) fn mma(&mut self, op: &MmaOp, inst: &'a Inst) -> Result<(), Fault> {
        let numbers = match op {
            MmaOp::Mma { instruction } => {
                let row = instruction.row();
                Numbers { a: row.a, b: row.b, acc: row.acc, k: row.k }
            }
            MmaOp::Wgmma { instruction, .. } => {
                let row = instruction.row();
                Numbers { a: row.a, b: row.b, acc: row.acc, k: row.k }
            }
            MmaOp::Wait { in_flight } => {
                let products = &mut self.own.shared.flights.products;
                let n_left = in_flight.unwrap_or(0) as usize;
                products.drain(..products.len().saturating_sub(n_left));
                let data = (0..inst.operands.len()).map(|it| self.share(inst.operands[it]));
                let data = data.collect();
                self.bind(&inst.results, data);
                return Ok(());
            }
        };
        let kernel = self.machine.kernel;
        let [a, b] = [0, 1].map(|it| &kernel.ty(inst.operands[it]).shape);
        let rank = a.len();
        let extents =
            Extents { m: a[rank - 2] as usize, n: b[rank - 1] as usize, k: a[rank - 1] as usize };
        let (a, b) = (self.factor(inst.operands[0])?, self.factor(inst.operands[1])?);
        let data = product(numbers, extents, &a, &b, self.operand(inst, 2));
        self.bind(&inst.results, vec![Rc::new(data)]);
        if matches!(op, MmaOp::Wgmma { .. }) {
            self.read_until_waited_for(inst);
        }
        Ok(())
    }

    /// A product reads its factors in shared memory until it is waited for.
    fn read_until_waited_for(&mut self, inst: &Inst) {
        let factors = inst.operands[..2].iter().filter(|&&it| self.ty(it).is_view());
        let factors: Vec<Value> = factors.copied().collect();
        let read = |it: Value| {
            let (view, runs) = self.place(it);
            Reading::start(view, runs)
        };
        let readings = factors.into_iter().map(read).collect();
        self.own.shared.flights.products.push_back(readings);
    }

    /// A tile, or what a view of shared memory holds.
    fn factor(&mut self, value: Value) -> Result<Rc<Elements>, Fault> {
        match self.ty(value).is_view() {
            true => self.read_view(value).map(Rc::new),
            false => Ok(self.share(value)),
        }
    }
}

fn product(row: Numbers, extents: Extents, a: &Elements, b: &Elements, acc: &Elements) -> Elements {
    match acc {
        Elements::I32(acc) => {
            let (a, b) = (whole_numbers(row.a, a), whole_numbers(row.b, b));
            let sum = |c: i32, a: i32, b: i32| c.wrapping_add(a.wrapping_mul(b));
            Elements::I32(chains(extents, &a, &b, acc.clone(), sum))
        }
        Elements::F64(acc) => {
            let (Elements::F64(a), Elements::F64(b)) = (a, b) else {
                panic!("V11: factors of a sum of doubles are doubles")
            };
            let sums = chains(extents, a, b, acc.clone(), |c, a, b| a.mul_add(b, c));
            Elements::F64(
                sums.into_iter().map(|it| if it.is_nan() { f64::NAN } else { it }).collect(),
            )
        }
        Elements::F32(acc) => {
            let (a, b) = (factors(row.a, a), factors(row.b, b));
            Elements::F32(singles(row, extents, &a, &b, acc.clone()))
        }
        halves => {
            let (a, b) = (factors(row.a, a), factors(row.b, b));
            in_steps(row, extents, &a, &b, halves)
        }
    }
}

fn singles(row: Numbers, extents: Extents, a: &[f32], b: &[f32], acc: Vec<f32>) -> Vec<f32> {
    let sums = if row.a == DType::F32 {
        chains(extents, a, b, acc, |c, a, b| a.mul_add(b, c))
    } else {
        chains(extents, a, b, acc, |c, a, b| c + a * b)
    };
    sums.into_iter().map(|it| if it.is_nan() { f32::NAN } else { it }).collect()
}

/// Sums of halves: rounded after the depth of each instruction.
fn in_steps(row: Numbers, extents: Extents, a: &[f32], b: &[f32], acc: &Elements) -> Elements {
    let Extents { m, n, k } = extents;
    let depth = row.k as usize;
    let n_products = a.len() / (m * k);
    let mut acc = acc.clone();
    for first in (0..k).step_by(depth) {
        let a: Vec<f32> =
            a.chunks_exact(k).flat_map(|it| &it[first..first + depth]).copied().collect();
        let b: Vec<f32> = (0..n_products)
            .flat_map(|it| &b[(it * k + first) * n..][..depth * n])
            .copied()
            .collect();
        let sums = factors(row.acc, &acc).into_owned();
        let sums = singles(row, Extents { m, n, k: depth }, &a, &b, sums);
        acc = arith::cast(DType::F32, row.acc, Round::Nearest, &Elements::F32(sums));
    }
    acc
}

/// Numbers as `f32`, which holds all that are narrower; of `tf32` the bits that matrix units read.
fn factors(dtype: DType, data: &Elements) -> Cow<'_, [f32]> {
    const READ: u32 = 0xffff_e000;
    match (dtype, data) {
        (DType::F32, Elements::F32(data)) => Cow::Borrowed(data),
        (DType::Tf32, Elements::F32(data)) => {
            data.iter().map(|it| f32::from_bits(it.to_bits() & READ)).collect()
        }
        _ => match arith::cast(dtype, DType::F32, Round::Nearest, data) {
            Elements::F32(it) => Cow::Owned(it),
            _ => panic!("V11: factors of a sum of floats are floats"),
        },
    }
}

fn whole_numbers(dtype: DType, data: &Elements) -> Vec<i32> {
    match arith::cast(dtype, DType::I32, Round::Nearest, data) {
        Elements::I32(it) => it,
        _ => panic!("V11: factors of a sum of integers are integers"),
    }
}

/// Depths that a row of sums takes at once.
const AT_ONCE: usize = 4;

/// `acc[i][j]` and the terms of every `k`, one after the other, in that order.
fn chains<T: Copy>(
    Extents { m, n, k }: Extents,
    a: &[T],
    b: &[T],
    mut acc: Vec<T>,
    sum: impl Fn(T, T, T) -> T,
) -> Vec<T> {
    let products =
        acc.chunks_exact_mut(m * n).zip(a.chunks_exact(m * k).zip(b.chunks_exact(k * n)));
    for (acc, (a, b)) in products {
        for (acc, a) in acc.chunks_exact_mut(n).zip(a.chunks_exact(k)) {
            let (fours, rest) = (a.chunks_exact(AT_ONCE), a.chunks_exact(AT_ONCE).remainder());
            for (a, b) in fours.zip(b.chunks_exact(AT_ONCE * n)) {
                let [b0, b1, b2, b3] = [0, 1, 2, 3].map(|it| &b[it * n..][..n]);
                for (j, acc) in acc.iter_mut().enumerate() {
                    let c = sum(sum(*acc, a[0], b0[j]), a[1], b1[j]);
                    *acc = sum(sum(c, a[2], b2[j]), a[3], b3[j]);
                }
            }
            let done = k - rest.len();
            for (&a, b) in rest.iter().zip(b[done * n..].chunks_exact(n)) {
                acc.iter_mut().zip(b).for_each(|(acc, &b)| *acc = sum(*acc, a, b));
            }
        }
    }
    acc
}
