//! Products of small matrices that a warp holds together.
//!
//! Which element a lane holds is a formula of the manual: [`Shape`]. Sums are fused chains over
//! `k` in single precision; the devices' order and width inside a block of `k` are not documented
//! (NVIDIA) or differ (AMD), so results agree within a tolerance.

use super::super::bytecode::{Product, Shape};
use super::Turn;
use super::number::decode;

impl Shape {
    /// Row and column of an element of the left factor.
    fn left(self, lane: usize, s: usize) -> (usize, usize) {
        match self {
            // PTX ISA 9.7.14.5: two elements in a register.
            Shape::Warp16x8 { .. } => {
                let (r, e) = (s / 2, s % 2);
                (lane / 4 + 8 * (r & 1), 2 * (lane % 4) + e + 8 * (r >> 1))
            }
            Shape::Wave { m, k } => (lane % m, m * k / 64 * (lane / m) + s),
        }
    }

    /// Row and column of an element of the right factor.
    fn right(self, lane: usize, s: usize) -> (usize, usize) {
        match self {
            Shape::Warp16x8 { .. } => {
                let (r, e) = (s / 2, s % 2);
                (2 * (lane % 4) + e + 8 * r, lane / 4)
            }
            Shape::Wave { m, k } => (m * k / 64 * (lane / m) + s, lane % m),
        }
    }

    /// Row and column of an element of the sum.
    fn sum(self, lane: usize, s: usize) -> (usize, usize) {
        match self {
            Shape::Warp16x8 { .. } => (lane / 4 + 8 * (s >> 1), 2 * (lane % 4) + (s & 1)),
            Shape::Wave { m: 16, .. } => (4 * (lane / 16) + s, lane % 16),
            Shape::Wave { .. } => (8 * (s / 4) + 4 * (lane / 32) + s % 4, lane % 32),
        }
    }

    /// Rows, columns and depth.
    fn extents(self) -> (usize, usize, usize) {
        match self {
            Shape::Warp16x8 { k } => (16, 8, k),
            Shape::Wave { m, k } => (m, m, k),
        }
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn product(&mut self, product: &Product) {
        let shape = product.shape;
        let (m, n, k) = shape.extents();
        let (mut left, mut right) = (vec![0f32; m * k], vec![0f32; k * n]);
        let element = |turn: &Self, rows: &[u32], lane: usize, s: usize| {
            let row = rows[s / product.packed];
            let bits = turn.warp.words[row as usize][lane] >> (16 * (s % product.packed)) & 0xffff;
            decode(product.real, u64::from(bits)) as f32
        };
        for lane in 0..L {
            for s in 0..product.left.len() * product.packed {
                let (i, j) = shape.left(lane, s);
                left[i * k + j] = element(self, &product.left, lane, s);
            }
            for s in 0..product.right.len() * product.packed {
                let (i, j) = shape.right(lane, s);
                right[i * n + j] = element(self, &product.right, lane, s);
            }
        }
        for (s, (&d, &c)) in product.d.iter().zip(&product.sum).enumerate() {
            let sums = self.get::<u32>(c);
            let out: [u32; L] = std::array::from_fn(|lane| {
                let (i, j) = shape.sum(lane, s);
                let start = f32::from_bits(sums[lane]);
                let terms = (0..k).map(|at| (left[i * k + at], right[at * n + j]));
                terms.fold(start, |sum, (a, b)| a.mul_add(b, sum)).to_bits()
            });
            self.put(d, out);
        }
    }
}
