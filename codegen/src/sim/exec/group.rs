//! Products of warp groups, which end later.
//!
//! A warp computes the 16 rows that are its own; the four warps of a group do so for themselves, since nothing of one's
//! sums depends on another's. Shared memory is read by what the descriptors say (PTX ISA 9.7.15.5.1), when the
//! product starts; who writes there before its warp has waited for the product, races with it.
//!
//! Sums are *held back* until they are waited for: the registers have tokens meanwhile, NaNs that only another
//! product and a wait can turn into what they stand for. A program that looks too early finds no numbers.

use std::collections::HashMap;

use super::super::bytecode::{GroupLeft, GroupProduct, Number, Real, Rounding, Row, Slot};
use super::super::error::{Kind, SimError};
use super::super::memory::Region;
use super::super::race::{How, Later};
use super::Turn;
use super::number::{decode, encode};

/// Rows of a product that a warp computes.
const ROWS: usize = 16;
/// Bytes that always lie together, by what descriptors can say.
const UNIT: usize = 16;
/// The first token: a quiet NaN in single precision and two of them in halves.
const TOKENS: u32 = 0xfff8_0000;
/// Tokens until they come again.
const TOKENS_MAX: u32 = 1 << 18;

/// A register of a sum that is held back.
#[derive(Clone, Debug)]
struct Held {
    /// Its group; from 1.
    time: u32,
    word: Vec<u32>,
}

/// The products of a warp that have not ended, and what has not been asked for.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Products {
    held: HashMap<u32, Held>,
    next: u32,
    /// The group that the next products belong to.
    time: u32,
    /// The last group that was waited for.
    ended: u32,
}

impl Products {
    pub(super) fn new() -> Self {
        Products { held: HashMap::new(), next: 0, time: 1, ended: 0 }
    }
}

/// A descriptor, taken apart.
struct Descriptor {
    start: u64,
    leading: u64,
    stride: u64,
    /// The swizzle's width in bytes, 16 for none.
    width: u64,
    /// Bits of an address that it changes.
    changed: u64,
}

impl Descriptor {
    fn of(word: u64) -> Result<Descriptor, SimError> {
        let field = |at: u32| (word >> at & 0x3fff) << 4;
        if word >> 49 & 7 != 0 {
            return Err(SimError::unsupported("a matrix descriptor with a base offset"));
        }
        let (width, changed) = match word >> 62 {
            0 => (16, 0),
            1 => (128, 0x70),
            2 => (64, 0x30),
            _ => (32, 0x10),
        };
        Ok(Descriptor { start: field(0), leading: field(16), stride: field(32), width, changed })
    }

    /// Where 16 bytes begin: those of element (`outer`, `k`), which is the first of them.
    fn unit(&self, turned: bool, bytes: u64, outer: u64, k: u64) -> u64 {
        let (inner, across) = if turned { (outer, k) } else { (k, outer) };
        // Along the dimension whose neighbours lie together, and across it.
        let (on, down) = if turned && self.changed == 0 {
            (self.stride, self.leading)
        } else {
            (self.leading, self.stride)
        };
        let along = inner * bytes;
        let along = if self.changed != 0 && !turned {
            along
        } else {
            along % self.width + along / self.width * on
        };
        let address = self.start + along + across % 8 * self.width + across / 8 * down;
        address ^ address >> 3 & self.changed
    }
}

/// A factor of a product, row-major: rows by depth, or columns by depth.
struct Factor(Vec<f64>);

impl<const L: usize> Turn<'_, '_, L> {
    /// Starts a product.
    pub(super) fn group_product(&mut self, product: &GroupProduct) -> Result<(), SimError> {
        let GroupProduct { n, k, numbers: [left, right, sum], .. } = *product;
        let left = match &product.left {
            GroupLeft::Registers(rows) => self.left_in_registers(rows, left, k),
            GroupLeft::Memory { word, turned } => {
                let first = u64::from(self.warp.index % 4) * ROWS as u64;
                self.factor(*word, *turned, left, [first, ROWS as u64, k as u64])?
            }
        };
        let right =
            self.factor(product.right, product.right_turned, right, [0, n as u64, k as u64])?;
        let adds = self.flag(product.adds) & self.mask != 0;
        let mut words = Vec::new();
        for &row in &product.d {
            let Slot::Word(row) = row else {
                return Err(SimError::unsupported("a sum that is not in 32-bit registers"));
            };
            let token = self.warp.rows.words[row as usize];
            let own = self.warp.products.held.remove(&token[0]).map(|it| it.word);
            words.push(own.unwrap_or_else(|| token.to_vec()));
        }
        let packed = if sum == Number::Real(Real::F16) { 2 } else { 1 };
        for lane in 0..L {
            for (register, word) in words.iter_mut().enumerate() {
                let mut made = 0;
                for e in 0..packed {
                    let bits = 32 / packed as u32;
                    let before = word[lane] >> (bits * e as u32);
                    let before = if packed == 2 { before & 0xffff } else { before };
                    let at = register * packed + e;
                    let row = lane / 4 + 8 * (at >> 1 & 1);
                    let column = 8 * (at >> 2) + 2 * (lane % 4) + (at & 1);
                    let terms = (left.0[row * k..][..k].iter()).zip(&right.0[column * k..][..k]);
                    let value = summed(sum, if adds { before } else { 0 }, terms);
                    made |= value << (bits * e as u32);
                }
                word[lane] = made;
            }
        }
        self.hold_back(&product.d, words);
        Ok(())
    }

    /// Keeps sums until they are waited for; the registers have tokens.
    fn hold_back(&mut self, rows: &[Slot], words: Vec<Vec<u32>>) {
        let products = &mut self.warp.products;
        for (row, word) in rows.iter().zip(words) {
            let token = TOKENS + products.next % TOKENS_MAX;
            products.next += 1;
            products.held.insert(token, Held { time: products.time, word });
            self.warp.rows.fill(*row, token.into());
        }
    }

    /// Closes the group of the products since the last one.
    pub(super) fn commit_products(&mut self) {
        self.warp.products.time += 1;
    }

    /// Ends all but the `pending` newest groups, and gives out what of them is in these rows.
    pub(super) fn await_products(&mut self, pending: u32, rows: &[Slot]) {
        let products = &mut self.warp.products;
        let ended = products.ended.max((products.time - 1).saturating_sub(pending));
        products.ended = ended;
        for row in rows {
            let Slot::Word(row) = *row else { continue };
            let word = &mut self.warp.rows.words[row as usize];
            if products.held.get(&word[0]).is_some_and(|it| it.time <= ended)
                && let Some(it) = products.held.remove(&word[0])
            {
                word.copy_from_slice(&it.word);
            }
        }
        if let Some(race) = &mut self.race {
            race.multiplied(self.agent, ended);
        }
    }

    /// PTX ISA 9.7.15.5, the registers of the matrix A.
    fn left_in_registers(&self, rows: &[Slot], number: Number, k: usize) -> Factor {
        let packed = 32 / width(number) as usize;
        let mut res = vec![0.0; ROWS * k];
        for lane in 0..L {
            for (register, row) in rows.iter().enumerate() {
                let word = self.warp.rows.read(*row, lane);
                for e in 0..packed {
                    let at_row = lane / 4 + 8 * (register & 1);
                    let depth = lane % 4 * packed + e + 4 * packed * (register >> 1);
                    let bits = word >> (width(number) as usize * e);
                    res[at_row * k + depth] = value(number, bits);
                }
            }
        }
        Factor(res)
    }

    /// What a descriptor names: `outer` rows or columns from `first` on, `k` deep.
    fn factor(
        &mut self,
        word: Row,
        turned: bool,
        number: Number,
        [first, outer, k]: [u64; 3],
    ) -> Result<Factor, SimError> {
        let words = self.get::<u64>(word);
        if words.iter().any(|it| *it != words[0]) {
            let message = "the lanes of a warp have different matrix descriptors";
            return Err(SimError::new(Kind::Divergence, message));
        }
        let descriptor = Descriptor::of(words[0])?;
        let bytes = u64::from(width(number)) / 8;
        let together = UNIT as u64 / bytes;
        let time = Some(Later::Product(self.warp.products.time));
        let mut res = vec![0.0; (outer * k) as usize];
        let (_, mut window) = self.open(Region::Shared);
        let [along, across] = if turned { [outer, k] } else { [k, outer] };
        for at in 0..across {
            for unit in 0..along.div_ceil(together) {
                let inner = unit * together;
                let (i, depth) = if turned { (first + inner, at) } else { (first + at, inner) };
                let from = descriptor.unit(turned, bytes, i, depth);
                let n = together.min(along - inner);
                let len = (n * bytes) as usize;
                let unit = window.read_in_flight(from, len, 0, How::Multiply, time)?;
                for (e, code) in (0..n).zip(unit.chunks_exact(bytes as usize)) {
                    let (i, depth) = if turned { (inner + e, at) } else { (at, inner + e) };
                    let mut bits = [0; 8];
                    bits[..code.len()].copy_from_slice(code);
                    res[(i * k + depth) as usize] = value(number, u64::from_le_bytes(bits));
                }
            }
        }
        Ok(Factor(res))
    }
}

/// Bits of an element.
fn width(number: Number) -> u8 {
    match number {
        Number::Truncated => 32,
        Number::Signed { bits } | Number::Unsigned { bits } => bits,
        Number::Real(Real::F16 | Real::Bf16) => 16,
        Number::Real(Real::E4m3 | Real::E5m2) => 8,
        Number::Real(_) => 32,
    }
}

/// An element's value; the bits above it are somebody else's.
fn value(number: Number, bits: u64) -> f64 {
    match number {
        // The low 13 bits have no effect (PTX ISA 9.7.15.3).
        Number::Truncated => f64::from(f32::from_bits(bits as u32 & !0x1fff)),
        Number::Signed { .. } => f64::from(bits as u8 as i8),
        Number::Unsigned { .. } => f64::from(bits as u8),
        Number::Real(real) => decode(real, bits & ((1 << width(number)) - 1)),
    }
}

/// A sum's bits after the terms of one instruction were added to it, in order.
fn summed<'t>(sum: Number, before: u32, terms: impl Iterator<Item = (&'t f64, &'t f64)>) -> u32 {
    if let Number::Signed { .. } = sum {
        let add = |sum: i32, (a, b): (&f64, &f64)| sum.wrapping_add((a * b) as i32);
        return terms.fold(before as i32, add) as u32;
    }
    let Number::Real(real) = sum else { return 0 };
    let first = decode(real, before.into()) as f32;
    let total = terms.fold(first, |sum, (a, b)| (*a as f32).mul_add(*b as f32, sum));
    encode(real, total.into(), Rounding::Nearest, false) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_reads_as_the_manual_draws_it() {
        // Address 0x400, 256 and 128 bytes, without swizzle.
        let of = Descriptor::of(0x0000_0008_0010_0040).unwrap();
        assert_eq!((of.start, of.leading, of.stride, of.width), (0x400, 256, 128, 16));
        // Row 9, the second 16 bytes: 8 rows on and one column.
        assert_eq!(of.unit(false, 2, 9, 8), 0x400 + 16 + 128 + 256);
    }

    #[test]
    fn swizzles_are_those_of_the_golden_values() {
        let of = |mode: u64| Descriptor::of(mode << 62 | 64 << 32).unwrap();
        // 128 bytes: row 5, byte 32; 64 bytes: row 3, byte 16.
        assert_eq!(of(1).unit(false, 1, 5, 32), 752);
        assert_eq!(of(2).unit(false, 1, 3, 16), 192);
        assert_eq!(of(3).unit(false, 1, 5, 0), 176);
    }
}
