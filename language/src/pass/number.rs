//! Scalars as far as they can be told apart: `origin + offset`, perhaps modulo a count.
//!
//! # Definition
//! A [`Number`] is a constant, or a value of the kernel plus a constant, or the remainder of that by a
//! constant count. Two numbers with one origin differ by a constant, which is what shows that two
//! stages of a ring are two. A loop-carried counter that goes round, `select(s + 1 == n, 0, s + 1)`,
//! is an origin modulo `n`.
//!
//! # Invariants
//! * N1: an origin names the value's instance of the present turn of every loop around it. Who keeps
//!   a number over a back edge passes it through [`Numbers::a_turn_later`]; who takes it out of a
//!   loop passes it through [`Numbers::outside`].
//!
//! Nothing is known of ranges: numbers are compared with each other only.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::tile::{BinaryOp, CmpOp};
use crate::op::{FlowOp, Op, TileOp};
use crate::value::to_int;

/// A scalar integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Number {
    /// What it counts from; `None` for a constant.
    origin: Option<Value>,
    offset: i64,
    /// The number is the remainder of the sum by this.
    modulus: Option<u32>,
}

impl Number {
    /// A number known now.
    pub(super) fn constant(value: i64) -> Number {
        Number { origin: None, offset: value, modulus: None }
    }

    fn of(value: Value) -> Number {
        Number { origin: Some(value), offset: 0, modulus: None }
    }

    /// The number, if it is known now.
    pub(super) fn known(self) -> Option<i64> {
        (self.origin.is_none() && self.modulus.is_none()).then_some(self.offset)
    }

    fn moved(self, by: i64) -> Number {
        let offset = self.offset.wrapping_add(by);
        let offset = self.modulus.map_or(offset, |n| offset.rem_euclid(i64::from(n)));
        Number { offset, ..self }
    }

    /// The sum, if it is a number.
    pub(super) fn plus(self, other: Number) -> Option<Number> {
        match (self.known(), other.known()) {
            (_, Some(0)) => Some(self),
            (Some(0), _) => Some(other),
            (_, Some(by)) if self.modulus.is_none() => Some(self.moved(by)),
            (Some(by), _) if other.modulus.is_none() => Some(other.moved(by)),
            _ => None,
        }
    }

    fn modulo(self, n: u32) -> Number {
        match self.known() {
            Some(it) => Number::constant(it % i64::from(n)),
            None => Number { modulus: Some(n), ..self }.moved(0),
        }
    }

    /// Whether `len` from here on and `other_len` from `other` on surely share nothing.
    pub(super) fn is_apart(self, len: u32, other: Number, other_len: u32) -> bool {
        if self.origin != other.origin {
            return false;
        }
        let distance = other.offset.wrapping_sub(self.offset);
        let (len, other_len) = (i64::from(len), i64::from(other_len));
        match (self.modulus, other.modulus) {
            (None, None) => len <= distance || other_len <= -distance,
            (Some(a), Some(b)) if a != b => false,
            // What is apart by remainders is apart.
            (Some(n), _) | (None, Some(n)) => {
                let n = i64::from(n);
                let forward = distance.rem_euclid(n);
                len <= forward && other_len <= n - forward
            }
        }
    }
}

/// Turns after which a number is not followed any more.
const TURNS_FOLLOWED: i64 = 16;

/// A loop as far as numbers go.
struct Turns {
    /// Values defined in it, by order of definition.
    inside: Range<u32>,
    counters: Vec<Counter>,
}

/// A loop's parameter that counts.
struct Counter {
    param: Value,
    begin: Number,
    /// What each turn adds.
    step: i64,
}

/// The numbers of a kernel.
pub(super) struct Numbers<'a> {
    kernel: &'a Kernel,
    definitions: FxHashMap<Value, &'a Inst>,
    numbers: Vec<Number>,
    /// Order of definition, by value.
    born: Vec<u32>,
    n_born: u32,
    /// By the number of the loop's instruction, counted as [`super::flow`] does.
    loops: FxHashMap<usize, Turns>,
    n_insts: usize,
}

impl<'a> Numbers<'a> {
    /// Analyses a kernel.
    pub(super) fn of(kernel: &'a Kernel) -> Numbers<'a> {
        let mut definitions = FxHashMap::default();
        kernel.body.walk(&mut |inst| {
            definitions.extend(inst.results.iter().map(|&it| (it, inst)));
        });
        let mut numbers = Numbers {
            kernel,
            definitions,
            numbers: (0..kernel.values.len() as u32).map(|it| Number::of(Value(it))).collect(),
            born: vec![0; kernel.values.len()],
            n_born: 0,
            loops: FxHashMap::default(),
            n_insts: 0,
        };
        numbers.region(&kernel.body);
        numbers
    }

    /// The number that a scalar is.
    pub(super) fn of_value(&self, value: Value) -> Number {
        self.numbers[value.0 as usize]
    }

    /// What defines a value; `None` for parameters.
    pub(super) fn definition(&self, value: Value) -> Option<&'a Inst> {
        self.definitions.get(&value).copied()
    }

    /// A number from before a loop as it reads in the first turn: itself, and by the loop's counters.
    pub(super) fn entering(&self, loop_no: usize, number: Number) -> Vec<Number> {
        let counters = self.loops[&loop_no].counters.iter().filter_map(|it| {
            let param = self.of_value(it.param);
            let same = it.begin.origin == number.origin && it.begin.modulus == number.modulus;
            let fits = match (number.known(), param.modulus) {
                (Some(at), Some(n)) => 0 <= at && at < i64::from(n),
                (None, Some(n)) => number.modulus == Some(n),
                (_, None) => number.modulus.is_none(),
            };
            (same && fits).then(|| param.moved(number.offset.wrapping_sub(it.begin.offset)))
        });
        std::iter::once(number).chain(counters).collect()
    }

    /// A number of the last turn of a loop as it reads in this one; `None` if it cannot be said.
    pub(super) fn a_turn_later(&self, loop_no: usize, number: Number) -> Option<Number> {
        let turns = &self.loops[&loop_no];
        let Some(origin) = number.origin else { return Some(number) };
        match turns.counters.iter().find(|it| it.param == origin) {
            Some(counter) => {
                let far = counter.step.saturating_abs().saturating_mul(TURNS_FOLLOWED);
                let later = number.moved(counter.step.wrapping_neg());
                (later.modulus.is_some() || -far <= later.offset).then_some(later)
            }
            None => self.outside(loop_no, number),
        }
    }

    /// A number as it reads after the loop; `None` if it is of the loop.
    pub(super) fn outside(&self, loop_no: usize, number: Number) -> Option<Number> {
        let inside = &self.loops[&loop_no].inside;
        let is_inside = number.origin.is_some_and(|it| inside.contains(&self.born[it.0 as usize]));
        (!is_inside).then_some(number)
    }

    fn define(&mut self, value: Value) {
        self.born[value.0 as usize] = self.n_born;
        self.n_born += 1;
    }

    fn region(&mut self, region: &'a Region) {
        region.params.iter().for_each(|&it| self.define(it));
        for inst in &region.insts {
            let loop_no = self.n_insts;
            let first = self.n_born;
            self.n_insts += 1;
            let counters = match &inst.op {
                Op::Flow(FlowOp::For { .. }) => self.counters(inst),
                _ => Vec::new(),
            };
            inst.regions.iter().for_each(|it| self.region(it));
            if matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While)) {
                self.loops.insert(loop_no, Turns { inside: first..self.n_born, counters });
            }
            if let ([result], Op::Tile(op)) = (&inst.results[..], &inst.op) {
                self.numbers[result.0 as usize] =
                    self.result(op, inst).unwrap_or(Number::of(*result));
            }
            inst.results.iter().for_each(|&it| self.define(it));
        }
    }

    fn result(&self, op: &TileOp, inst: &Inst) -> Option<Number> {
        if !self.kernel.ty(inst.results[0]).is_scalar() {
            return None;
        }
        let of = |at: usize| self.of_value(inst.operands[at]);
        match op {
            TileOp::Const { .. } => self.constant(inst.results[0]).map(Number::constant),
            TileOp::Binary { op: BinaryOp::Add } => of(0).plus(of(1)),
            TileOp::Binary { op: BinaryOp::Sub } => {
                of(1).known().and_then(|by| of(0).plus(Number::constant(-by)))
            }
            TileOp::Binary { op: BinaryOp::Rem } => {
                let n = count(of(1).known()?)?;
                let dtype = self.kernel.ty(inst.results[0]).elem.data()?;
                let plain = of(0).modulus.is_none();
                // What wraps around keeps remainders by powers of two only.
                (plain && (dtype.is_signed() || n.is_power_of_two())).then(|| of(0).modulo(n))
            }
            TileOp::Select => {
                let (sum, n) = self.wrapped(inst)?;
                let (origin, by) = self.sum(sum);
                let origin = self.of_value(origin);
                (origin.modulus == Some(n) && 0 < by && by <= i64::from(n))
                    .then(|| origin.moved(by))
            }
            TileOp::Cast { .. } => {
                let bits = |it: Value| self.kernel.ty(it).elem.data().filter(|it| it.is_int());
                let (from, to) = (bits(inst.operands[0])?, bits(inst.results[0])?);
                let keeps = from.bits() <= to.bits() && from.is_signed() == to.is_signed();
                let fits = |it: i64| {
                    let (low, bits) = (to.is_signed(), to.bits() - u32::from(to.is_signed()));
                    let least = if low { -1i128 << bits } else { 0 };
                    (least..1i128 << bits).contains(&i128::from(it))
                };
                let fits = of(0).modulus.is_some() || of(0).known().is_some_and(fits);
                (keeps || fits).then(|| of(0))
            }
            _ => None,
        }
    }

    /// The integer of a constant.
    fn constant(&self, value: Value) -> Option<i64> {
        let inst = self.definition(value)?;
        let Op::Tile(TileOp::Const { bits }) = inst.op else { return None };
        let ty = self.kernel.ty(value);
        let dtype = ty.elem.data().filter(|it| ty.is_scalar() && it.is_int())?;
        to_int(dtype, bits).try_into().ok()
    }

    /// A value as another one plus a constant, by its definitions.
    fn sum(&self, value: Value) -> (Value, i64) {
        let (mut value, mut sum) = (value, 0i64);
        while let Some(inst) = self.definition(value) {
            let (Op::Tile(TileOp::Binary { op }), &[a, b]) = (&inst.op, &inst.operands[..]) else {
                break;
            };
            let (next, by) = match (op, self.constant(a), self.constant(b)) {
                (BinaryOp::Add, _, Some(by)) => (a, by),
                (BinaryOp::Add, Some(by), _) => (b, by),
                (BinaryOp::Sub, _, Some(by)) => (a, -by),
                _ => break,
            };
            (value, sum) = (next, sum.wrapping_add(by));
        }
        (value, sum)
    }

    /// `v` and `n` of `select(v == n, 0, v)`, `select(v >= n, v - n, v)` or the same turned round.
    fn wrapped(&self, select: &Inst) -> Option<(Value, u32)> {
        let &[cond, yes, no] = &select.operands[..] else { return None };
        let test = self.definition(cond)?;
        let Op::Tile(TileOp::Cmp { op }) = test.op else { return None };
        let (tested, n) = (test.operands[0], count(self.constant(test.operands[1])?)?);
        let (over, under) = match op {
            CmpOp::Eq | CmpOp::Ge => (yes, no),
            CmpOp::Lt | CmpOp::Ne => (no, yes),
            CmpOp::Gt | CmpOp::Le => return None,
        };
        let (base, by) = self.sum(over);
        let (tested_base, tested_by) = self.sum(tested);
        let reduced = base == tested_base && by == tested_by - i64::from(n);
        let zeroed = matches!(op, CmpOp::Eq | CmpOp::Ne) && self.constant(over) == Some(0);
        (under == tested && (reduced || zeroed)).then_some((tested, n))
    }

    /// The parameters of a `for` that count; those that go round get their modulus.
    fn counters(&mut self, inst: &'a Inst) -> Vec<Counter> {
        let body = &inst.regions[0];
        let begin = |numbers: &Numbers<'_>, at: usize| numbers.of_value(inst.operands[at]);
        let mut counters = Vec::new();
        if let Some(step) = begin(self, 2).known() {
            counters.push(Counter { param: body.params[0], begin: begin(self, 0), step });
        }
        for (at, &next) in body.yields.iter().enumerate() {
            let (param, begin) = (body.params[at + 1], begin(self, at + 3));
            let (base, step) = self.sum(next);
            if base == param {
                counters.push(Counter { param, begin, step });
                continue;
            }
            let select = self.definition(next).filter(|it| it.op == Op::Tile(TileOp::Select));
            let Some((sum, n)) = select.and_then(|it| self.wrapped(it)) else { continue };
            let (base, step) = self.sum(sum);
            let fits = begin.known().is_some_and(|it| 0 <= it && it < i64::from(n))
                || begin.modulus == Some(n);
            if base == param && 0 < step && step <= i64::from(n) && fits {
                self.numbers[param.0 as usize] = Number { modulus: Some(n), ..Number::of(param) };
                counters.push(Counter { param, begin, step });
            }
        }
        counters
    }
}

fn count(it: i64) -> Option<u32> {
    u32::try_from(it).ok().filter(|&it| 0 < it)
}
