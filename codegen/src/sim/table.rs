//! What every intrinsic and inline-assembly mnemonic means: rows with their source.
//!
//! A row's name is the intrinsic's without the words that choose types or roundings; those are
//! [`Call::words`]. The tables know the vendors' manuals and nothing of how this compiler lowers,
//! so that a mistake there is not repeated here. What has no row is refused at translation.

mod amdgcn;
pub(super) mod asm;
mod copies;
mod generic;
mod group;
mod matrix;
mod nvvm;
mod rows;

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Vendor;
use super::bytecode::{
    Barrier, BarrierMode, BitOp, Cross, CrossMode, IntOp, Op, Product, Real, Real1, Real2,
    Row as RowId, Slot, Special, Vote, VoteMode,
};
use super::error::SimError;
use super::translate::{Call, Lower, Scalar, row};

/// An intrinsic.
pub(super) struct Row {
    /// Its name, or the first words of it.
    pub(super) name: &'static str,
    /// Where its meaning is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by a test"))]
    pub(super) source: &'static str,
    /// What it becomes.
    pub(super) rule: Rule,
}

/// What an intrinsic becomes.
pub(super) enum Rule {
    /// Nothing: a hint, or a promise to the optimiser.
    Ignore,
    /// A number that the launch gives.
    Special(Special),
    /// An operation on one real operand, elementwise.
    Real1(Real1),
    /// An operation on two real operands, elementwise.
    Real2(Real2),
    /// `a * b + c`, elementwise.
    Fma,
    /// An operation on two integers, elementwise.
    Int(IntOp),
    /// An operation on one integer, elementwise.
    Bit(BitOp),
    /// Anything else.
    With(for<'m> fn(&mut Lower<'m>, &Call<'m>) -> Result<(), SimError>),
}

/// A row.
const fn row_of(name: &'static str, source: &'static str, rule: Rule) -> Row {
    Row { name, source, rule }
}

/// The row of `name`, and the words of the name that the row leaves open.
pub(super) fn find(vendor: Vendor, name: &str) -> Option<(&'static Row, Vec<&str>)> {
    static NVIDIA: OnceLock<HashMap<&str, &Row>> = OnceLock::new();
    static AMD: OnceLock<HashMap<&str, &Row>> = OnceLock::new();
    let rows = match vendor {
        Vendor::Nvidia => NVIDIA.get_or_init(|| index(nvvm::ROWS)),
        Vendor::Amd => AMD.get_or_init(|| index(amdgcn::ROWS)),
    };
    let mut end = name.len();
    loop {
        if let Some(row) = rows.get(&name[..end]) {
            let words = name[end..].split('.').filter(|word| !word.is_empty());
            return Some((row, words.collect()));
        }
        end = name[..end].rfind('.')?;
    }
}

fn index(rows: &'static [Row]) -> HashMap<&'static str, &'static Row> {
    generic::ROWS.iter().chain(rows).map(|row| (row.name, row)).collect()
}

/// Translates a call by its row.
pub(super) fn lower<'m>(lower: &mut Lower<'m>, row: &Row, call: &Call<'m>) -> Result<(), SimError> {
    match row.rule {
        Rule::Ignore => lower.ignore(call),
        Rule::Special(what) => {
            let d = lower.word();
            lower.emit(Op::Special { what, d });
            lower.bind(call.inst, vec![Slot::Word(d)]);
            Ok(())
        }
        Rule::Real1(op) => {
            let real = lower.real_of_call(call)?;
            lower.map1(call.inst, |lower, a| Ok(lower.real1(op, real, a)))
        }
        Rule::Real2(op) => {
            let real = lower.real_of_call(call)?;
            lower.map2(call.inst, |lower, _, a, b| Ok(lower.real2(op, real, a, b)))
        }
        Rule::Fma => {
            let real = lower.real_of_call(call)?;
            lower.map3(call, |lower, a, b, c| Ok(lower.fma(real, a, b, c)))
        }
        Rule::Int(op) => lower.map2(call.inst, |lower, bits, a, b| lower.int(op, bits, a, b)),
        Rule::Bit(op) => {
            let bits = lower.element_bits_of(call.args[0].ty())?;
            lower.map1(call.inst, |lower, a| Ok(lower.bit(op, bits, a)))
        }
        Rule::With(with) => with(lower, call),
    }
}

impl<'m> Lower<'m> {
    /// A call without an effect that `sim` can see. Its result, if any, is undefined.
    fn ignore(&mut self, call: &Call<'m>) -> Result<(), SimError> {
        let slots = self.fresh_all(call.inst.ty())?;
        self.bind(call.inst, slots);
        Ok(())
    }

    /// The number format of the first operand, flushing if the name says `ftz`.
    pub(super) fn real_of_call(&mut self, call: &Call<'m>) -> Result<Real, SimError> {
        let real = self.real_of(call.args[0].ty())?;
        Ok(if real == Real::F32 && call.has("ftz") { Real::F32Flush } else { real })
    }

    /// Applies `f` to the scalars of the three operands.
    pub(super) fn map3(
        &mut self,
        call: &Call<'m>,
        f: impl Fn(&mut Self, Slot, Slot, Slot) -> Result<Slot, SimError>,
    ) -> Result<(), SimError> {
        let a = self.slots(call.args[0])?;
        let (b, c) = (self.slots(call.args[1])?, self.slots(call.args[2])?);
        let mut res = Vec::with_capacity(a.len());
        for i in 0..a.len() {
            res.push(f(self, a[i], b[i], c[i])?);
        }
        self.bind(call.inst, res);
        Ok(())
    }

    /// `a * b + c` with one rounding.
    pub(super) fn fma(&mut self, real: Real, a: Slot, b: Slot, c: Slot) -> Slot {
        let d = self.like(a);
        self.emit(Op::Fma { real, d: row(d), a: row(a), b: row(b), c: row(c) });
        d
    }

    /// A bit operation on an integer of `bits` bits, which lies zero-extended in its row.
    pub(super) fn bit(&mut self, op: BitOp, bits: u32, a: Slot) -> Slot {
        let a = match a {
            Slot::Flag(_) => self.resize(false, 1, 8, a),
            _ => a,
        };
        let wide = matches!(a, Slot::Wide(_));
        let spare = (if wide { 64 } else { 32 }) - bits;
        let d = self.like(a);
        self.emit(Op::Bit { op, wide, d: row(d), a: row(a) });
        if spare == 0 {
            return d;
        }
        let bits_type = Scalar::Int(if wide { 64 } else { 32 });
        let fix = match op {
            BitOp::LeadingZeros => IntOp::Sub,
            BitOp::Reverse | BitOp::SwapBytes => IntOp::Lshr,
            BitOp::TrailingZeros => IntOp::MinUnsigned,
            BitOp::Popcount => return d,
        };
        let by = if op == BitOp::TrailingZeros { bits } else { spare };
        let by = self.constant(bits_type, u64::from(by));
        let res = self.like(d);
        self.emit(Op::Int { op: fix, wide, d: row(res), a: row(d), b: row(by) });
        res
    }

    /// The word that argument `i` is.
    pub(super) fn word_arg(&mut self, call: &Call<'m>, i: usize) -> Result<RowId, SimError> {
        let slot = self.slot(call.args[i])?;
        match slot {
            Slot::Word(row) => Ok(row),
            _ => Err(SimError::unsupported(format!("argument {i} of `{}`", call.name))),
        }
    }

    /// The flag that argument `i` is.
    pub(super) fn flag_arg(&mut self, call: &Call<'m>, i: usize) -> Result<RowId, SimError> {
        let slot = self.slot(call.args[i])?;
        match slot {
            Slot::Flag(row) => Ok(row),
            _ => Err(SimError::unsupported(format!("argument {i} of `{}`", call.name))),
        }
    }

    pub(super) fn emit_vote(&mut self, vote: Vote) {
        let table = self.code.votes.len() as u32;
        self.code.votes.push(vote);
        self.emit(Op::Vote { table });
    }

    pub(super) fn emit_cross(&mut self, cross: Cross) {
        let table = self.code.crosses.len() as u32;
        self.code.crosses.push(cross);
        self.emit(Op::Cross { table });
    }

    /// Moves every 32-bit piece of `value` between lanes and puts the result together again.
    pub(super) fn cross_words(
        &mut self,
        value: super::llvm::Value<'m>,
        mode: CrossMode,
        b: RowId,
        old: Option<super::llvm::Value<'m>>,
    ) -> Result<Vec<Slot>, SimError> {
        let slots = self.slots(value)?;
        let leaves = self.leaves(value.ty())?;
        let scalars: Vec<Scalar> = leaves.iter().map(|leaf| leaf.scalar).collect();
        let widths: Vec<u32> = scalars.iter().map(|&s| self.width(s)).collect();
        let words = self.split(&slots, &widths);
        let olds = match old {
            Some(old) => {
                let slots = self.slots(old)?;
                Some(self.split(&slots, &widths))
            }
            None => None,
        };
        let mut moved = Vec::with_capacity(words.len());
        for (i, &word) in words.iter().enumerate() {
            let d = self.word();
            let (a, b) = match &olds {
                Some(olds) => (row(olds[i]), row(word)),
                None => (row(word), b),
            };
            self.emit_cross(Cross { mode, d, also: None, a, b });
            moved.push(Slot::Word(d));
        }
        Ok(self.joined(&moved, &widths, &scalars))
    }

    /// Scalars as whole words: small ones alone, wide ones as two.
    fn split(&mut self, slots: &[Slot], widths: &[u32]) -> Vec<Slot> {
        let mut res = Vec::new();
        for (&slot, &width) in slots.iter().zip(widths) {
            match slot {
                Slot::Word(_) => res.push(slot),
                Slot::Flag(_) => res.push(self.resize(false, 1, 32, slot)),
                Slot::Wide(_) => {
                    let halves = [Scalar::Int(32), Scalar::Int(32)];
                    res.extend(self.repack(&[slot], &[width.max(64)], &halves));
                }
            }
        }
        res
    }

    fn joined(&mut self, words: &[Slot], widths: &[u32], scalars: &[Scalar]) -> Vec<Slot> {
        let mut res = Vec::new();
        let mut words = words.iter().copied();
        let mut next = || words.next().expect("B1: one word for every 32 bits");
        for (&width, &scalar) in widths.iter().zip(scalars) {
            let first = next();
            res.push(match width {
                1 => self.resize(false, 32, 1, first),
                2..=32 => first,
                _ => self.repack(&[first, next()], &[32, 32], &[scalar])[0],
            });
        }
        res
    }

    /// Appends a matrix product.
    pub(super) fn emit_product(&mut self, product: Product) {
        let table = self.code.products.len() as u32;
        self.code.products.push(product);
        self.emit(Op::Product { table });
    }

    /// Appends a barrier.
    pub(super) fn emit_barrier(&mut self, barrier: Barrier) {
        let table = self.code.barriers.len() as u32;
        self.code.barriers.push(barrier);
        self.emit(Op::Barrier { table });
    }
}

impl Call<'_> {
    /// Whether `word` is among the open words of the name.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_a_source() {
        for table in [generic::ROWS, nvvm::ROWS, amdgcn::ROWS] {
            let mut names: Vec<&str> = table.iter().map(|row| row.name).collect();
            names.sort_unstable();
            let doubled = names.windows(2).find(|pair| pair[0] == pair[1]);
            assert_eq!(doubled, None);
            assert!(table.iter().all(|row| !row.source.is_empty()));
        }
    }
}
