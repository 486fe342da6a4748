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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Every element is held exactly once.
    #[track_caller]
    fn check(shape: Shape, lanes: usize, [left, right, sum]: [usize; 3]) {
        let (m, n, k) = shape.extents();
        let places = |f: &dyn Fn(usize, usize) -> (usize, usize), slots: usize| {
            let all = (0..lanes).flat_map(|lane| (0..slots).map(move |s| (lane, s)));
            all.map(|(lane, s)| f(lane, s)).collect::<HashSet<_>>()
        };
        let grid = |rows: usize, columns: usize| {
            (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))).collect::<HashSet<_>>()
        };
        assert_eq!(places(&|lane, s| shape.left(lane, s), left), grid(m, k));
        assert_eq!(places(&|lane, s| shape.right(lane, s), right), grid(k, n));
        assert_eq!(places(&|lane, s| shape.sum(lane, s), sum), grid(m, n));
        assert_eq!((lanes * left, lanes * right, lanes * sum), (m * k, k * n, m * n));
    }

    #[test]
    fn lanes_hold_every_element_once() {
        check(Shape::Warp16x8 { k: 16 }, 32, [8, 4, 4]);
        check(Shape::Warp16x8 { k: 8 }, 32, [4, 2, 4]);
        check(Shape::Wave { m: 32, k: 8 }, 64, [4, 4, 16]);
        check(Shape::Wave { m: 16, k: 16 }, 64, [4, 4, 4]);
        check(Shape::Wave { m: 32, k: 16 }, 64, [8, 8, 16]);
        check(Shape::Wave { m: 16, k: 32 }, 64, [8, 8, 4]);
    }

    #[test]
    fn elements_lie_where_the_manuals_say() {
        let wave = Shape::Wave { m: 32, k: 8 };
        assert_eq!((wave.left(33, 2), wave.sum(33, 5)), ((1, 6), (13, 1)));
        assert_eq!(Shape::Wave { m: 16, k: 32 }.left(17, 3), (1, 11));
        let warp = Shape::Warp16x8 { k: 16 };
        assert_eq!((warp.left(5, 7), warp.right(5, 2), warp.sum(5, 3)), ((9, 11), (10, 1), (9, 3)));
    }
}
