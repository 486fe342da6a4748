//! Loops: unrolled where everything is known, regions with carried variables otherwise.
//!
//! # Which variables a loop carries
//! The body is run with the variables as they are; the journal tells what it assigned. Parts that
//! came out different are made parameters of the region, and the body is run again, until nothing
//! new differs. The first guess is what the same loop needed last time, so that nested loops cost
//! one more run a level and not twice as many. A number that was a literal takes the type that the
//! body gives it.

use tile_syntax::ast::{BinaryOp, Block, Cond, Expr, For, Note, Span, While};

use super::cx::{Elab, Mode};
use super::env::{self, JournalMark};
use super::stmt::Condition;
use super::types::literal_fits;
use super::value::{RangeValue, Tile, TileLayout, Value};
use crate::dtype::DType;
use crate::ir::{self, Elem, Region, Type};
use crate::op::FlowOp;
use crate::report;

/// What becomes of a leaf: `None` if it stays what it is, otherwise what the parameter is like.
type Leaf = Option<(Elem, Option<Tile>)>;

/// A variable that a loop carries.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    slot: u32,
    leaves: Vec<Leaf>,
    span: Span,
}

/// One try of a loop's body.
struct Attempt {
    regions: Vec<Region>,
    /// Values of the carried leaves before the loop.
    init: Vec<ir::Value>,
}

/// What stands between a loop's head and its body.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Notes {
    /// `unroll(n)`
    pub(super) unroll: Option<u32>,
    /// `pipelined(n)`
    pub(super) stages: Option<u32>,
}

impl Elab<'_> {
    pub(super) fn for_stmt(&mut self, it: &For, span: Span) {
        if let Some(run) = self.iter_call(&it.iter) {
            return self.run_iter(run, it, span);
        }
        let value = if it.is_static { self.eval_const(&it.iter) } else { self.eval(&it.iter) };
        let pattern = match &it.patterns[..] {
            [one] => one.clone(),
            many => tile_syntax::ast::Pattern {
                kind: tile_syntax::ast::PatternKind::Tuple(many.to_vec()),
                span: many.first().map_or(span, |it| it.span),
            },
        };
        match value {
            Value::Error => {}
            Value::Range(range) if self.mode == Mode::Kernel && !it.is_static => {
                let Some(notes) = self.loop_notes(&it.notes) else { return };
                let notes = self.with_notes_around(&it.body, notes);
                self.range_loop(&range, notes, span, &mut |cx, index| {
                    let scope = cx.enter_scope();
                    cx.bind(&pattern, index, false);
                    cx.block_in_scope(&it.body);
                    cx.leave_scope(scope);
                });
            }
            Value::Range(range) => self.known_loop(&range, it.iter.span, &mut |cx, index| {
                let scope = cx.enter_scope();
                cx.bind(&pattern, index, false);
                cx.block_in_scope(&it.body);
                cx.leave_scope(scope);
            }),
            Value::Array(parts) | Value::Tuple(parts) => {
                for part in parts.iter() {
                    let scope = self.enter_scope();
                    self.bind(&pattern, part.clone(), false);
                    self.block_in_scope(&it.body);
                    self.leave_scope(scope);
                    if self.frame().returned.is_some() || self.failure.is_some() {
                        return;
                    }
                }
            }
            other => {
                let got = self.describe(&other);
                self.report(report::types::not_iterable(self.place(it.iter.span), &got));
            }
        }
    }

    pub(super) fn loop_notes(&mut self, notes: &[Note]) -> Option<Notes> {
        let mut res = Notes::default();
        for note in notes {
            match &*note.name.text {
                "unroll" => {
                    res.unroll = u32::try_from(self.note_number(note)?).ok();
                }
                "pipelined" => {
                    let n = self.note_number(note)?;
                    let Some(stages) = u32::try_from(n).ok().filter(|it| (1..=16).contains(it))
                    else {
                        self.report(report::types::stages(self.place(note.name.span), n));
                        return None;
                    };
                    res.stages = Some(stages);
                }
                other => {
                    self.report(report::names::unknown_note(self.place(note.name.span), other));
                }
            }
        }
        Some(res)
    }

    /// The only argument of a note.
    fn note_number(&mut self, note: &Note) -> Option<i128> {
        let [arg] = &note.args[..] else {
            let place = self.place(note.name.span);
            self.report(report::types::missing_argument(place, "n", &note.name.text));
            return None;
        };
        self.eval_int(&arg.value)
    }

    /// A loop whose bounds are known, run now.
    fn known_loop(
        &mut self,
        range: &RangeValue,
        span: Span,
        body: &mut dyn FnMut(&mut Self, Value),
    ) {
        let known = self.known(Value::Range(range.clone().into()), span);
        let (Value::Int(lo), Value::Int(hi), Value::Int(step)) =
            (&range.lo, &range.hi, &range.step)
        else {
            if known != Value::Error {
                let got = self.describe(&known);
                self.report(report::types::not_iterable(self.place(span), &got));
            }
            return;
        };
        let (lo, hi, step) = (*lo, *hi, (*step).max(1));
        let count = if hi <= lo { 0 } else { hi.saturating_sub(lo).saturating_sub(1) / step + 1 };
        for n in 0..count {
            let turn = if range.reversed { count - 1 - n } else { n };
            if !self.step(span) {
                return;
            }
            body(self, Value::Int(lo.saturating_add(turn.saturating_mul(step))));
            if self.frame().returned.is_some() || self.failure.is_some() {
                return;
            }
        }
    }

    /// A loop over a span of run-time integers.
    pub(super) fn range_loop(
        &mut self,
        range: &RangeValue,
        notes: Notes,
        span: Span,
        body: &mut dyn FnMut(&mut Self, Value),
    ) {
        let Some((elem, range)) = self.index_range(range, span) else { return };
        let count = if range.reversed {
            self.range_count(range.lo.clone(), range.hi.clone(), range.step.clone(), span)
        } else {
            Value::Int(0)
        };
        let (lo, hi, step) = if range.reversed {
            (Value::Int(0), count.clone(), Value::Int(1))
        } else {
            (range.lo.clone(), range.hi.clone(), range.step.clone())
        };
        if [&lo, &hi, &step].contains(&&Value::Error) {
            return;
        }
        let bounds = [
            self.as_ir(&lo, elem, span),
            self.as_ir(&hi, elem, span),
            self.as_ir(&step, elem, span),
        ];
        let op = FlowOp::For { unroll: notes.unroll, stages: notes.stages };
        self.carry(op, &bounds, span, &mut |cx, params| {
            let index = cx.ir.value(Type::single(elem));
            let mut all = vec![index];
            all.extend(params);
            cx.ir.open(all);
            let mut value = Value::scalar(index);
            if range.reversed {
                let last = cx.apply(BinaryOp::Sub, count.clone(), Value::Int(1), span);
                let turn = cx.apply(BinaryOp::Sub, last, value, span);
                value = match range.step {
                    Value::Int(1) => turn,
                    _ => cx.apply(BinaryOp::Mul, turn, range.step.clone(), span),
                };
                if range.lo != Value::Int(0) {
                    value = cx.apply(BinaryOp::Add, range.lo.clone(), value, span);
                }
            }
            body(cx, value);
            vec![cx.ir.close()]
        });
    }

    /// The integer type of a span, and the span with its parts of that type or literal.
    fn index_range(&mut self, range: &RangeValue, span: Span) -> Option<(Elem, RangeValue)> {
        let mut elem = Elem::Data(DType::I32);
        let mut found = false;
        for part in [&range.lo, &range.hi, &range.step] {
            match part {
                Value::Int(_) => {}
                Value::Tile(tile) => {
                    let ty = self.ty(tile.value).clone();
                    let integer = ty.is_scalar() && ty.elem.data().is_some_and(DType::is_int);
                    if !integer || (found && ty.elem != elem) {
                        let got = self.describe(&Value::Range(range.clone().into()));
                        self.report(report::types::not_iterable(self.place(span), &got));
                        return None;
                    }
                    (elem, found) = (ty.elem, true);
                }
                other => {
                    let got = self.describe(other);
                    self.report(report::types::mismatch(self.place(span), "an integer", &got));
                    return None;
                }
            }
        }
        Some((elem, range.clone()))
    }

    pub(super) fn while_stmt(&mut self, it: &While, span: Span) {
        let cond = match &it.cond {
            Cond::Expr(cond) => cond,
            Cond::Let(pattern, option) => return self.while_let(pattern, option, &it.body),
        };
        if self.mode != Mode::Kernel {
            loop {
                match self.condition(cond) {
                    Some(Condition::Known(true)) => {}
                    _ => return,
                }
                self.block(&it.body);
                if self.frame().returned.is_some() || self.failure.is_some() || !self.step(span) {
                    return;
                }
            }
        }
        if self.loop_notes(&it.notes).is_none() {
            return;
        }
        self.carry(FlowOp::While, &[], span, &mut |cx, params| {
            cx.while_regions(cond, &it.body, params)
        });
    }

    fn while_regions(&mut self, cond: &Expr, body: &Block, params: Vec<ir::Value>) -> Vec<Region> {
        self.ir.open(params.clone());
        let asked = match self.condition(cond) {
            Some(Condition::Open(it)) => it,
            Some(Condition::Known(it)) => {
                self.as_ir(&Value::Bool(it), Elem::Data(DType::Bool), cond.span)
            }
            None => self.ir.value(Type::scalar(DType::Bool)),
        };
        let mut first = self.ir.close();
        first.yields = vec![asked];
        self.ir.open(params);
        self.block(body);
        vec![first, self.ir.close()]
    }

    fn while_let(&mut self, pattern: &tile_syntax::ast::Pattern, option: &Expr, body: &Block) {
        loop {
            match self.eval(option) {
                Value::None | Value::Error => return,
                value if self.step(option.span) => {
                    let scope = self.enter_scope();
                    self.bind(pattern, value, false);
                    self.block_in_scope(body);
                    self.leave_scope(scope);
                }
                _ => return,
            }
            if self.frame().returned.is_some() {
                return;
            }
        }
    }

    /// Runs a loop until what it carries is known, and emits it. `run` gets the parameters for the
    /// carried leaves and gives the loop's regions, the last of which yields.
    fn carry(
        &mut self,
        op: FlowOp,
        bounds: &[ir::Value],
        span: Span,
        run: &mut dyn FnMut(&mut Self, Vec<ir::Value>) -> Vec<Region>,
    ) {
        let site = self.site(span);
        let mut carried = self.carried.get(&site).cloned().unwrap_or_default();
        carried.retain(|it| self.still_fits(it));
        let permits = self.ended();
        for _ in 0..64 {
            let mark = self.journal_mark();
            let (reported, observed) = (self.diagnostics.len(), self.observer_mark());
            self.ir.open(Vec::new());
            let attempt = self.attempt(&carried, span, run);
            let before = self.ir.close();
            let changed = self.changed_since(mark);
            let grown = self.grow(&mut carried, changed, mark);
            if !grown {
                self.unchanged_by_loop(&permits, span);
                self.ir.splice(before);
                self.finish(op, bounds, attempt, &carried, mark, span);
                self.carried.insert(site, carried);
                return;
            }
            self.undo_to(mark);
            self.back_to(&permits);
            self.diagnostics.truncate(reported);
            self.forget_since(observed);
        }
        self.report(report::comptime::loop_unsettled(self.place(span)));
    }

    /// Whether what a loop carried last time can be its first guess now.
    fn still_fits(&self, carried: &Carried) -> bool {
        let Some(slot) = self.slots.get(carried.slot as usize) else { return false };
        let mut leaves = Vec::new();
        env::leaves(&slot.value, &mut |it| leaves.push(it));
        let fits = |leaf: &Value, like: &Leaf| match (leaf, like) {
            (_, None) => true,
            (Value::Tile(is), Some((_, Some(was)))) => {
                self.ty(is.value) == self.ty(was.value) && is.layout == was.layout
            }
            (Value::Tile(is), Some((elem, None))) => {
                self.ty(is.value).is_scalar() && self.ty(is.value).elem == *elem
            }
            (known, Some((Elem::Data(dtype), None))) => literal_fits(known, *dtype),
            _ => false,
        };
        leaves.len() == carried.leaves.len()
            && leaves.iter().zip(&carried.leaves).all(|(leaf, like)| fits(leaf, like))
    }

    /// Runs the body once with the carried leaves as parameters.
    fn attempt(
        &mut self,
        carried: &[Carried],
        span: Span,
        run: &mut dyn FnMut(&mut Self, Vec<ir::Value>) -> Vec<Region>,
    ) -> Attempt {
        let (mut params, mut init) = (Vec::new(), Vec::new());
        for it in carried {
            let value = self.slots[it.slot as usize].value.clone();
            let mut leaves = Vec::new();
            env::leaves(&value, &mut |leaf| leaves.push(leaf.clone()));
            for (leaf, like) in leaves.iter().zip(&it.leaves) {
                let Some((elem, _)) = like else { continue };
                let start = self.as_ir(leaf, *elem, span);
                init.push(start);
                params.push(self.ir.value(self.ty(start).clone()));
            }
            let mut next = params[params.len() - it.leaves.iter().flatten().count()..].iter();
            let rebuilt = rebuild(&value, it, &mut next);
            self.write(&env::VarPlace { slot: it.slot, path: Vec::new() }, rebuilt, it.span);
        }
        Attempt { regions: run(self, params), init }
    }

    /// Adds what came out different; whether there was anything.
    fn grow(
        &mut self,
        carried: &mut Vec<Carried>,
        changed: env::Changed,
        mark: JournalMark,
    ) -> bool {
        let mut grown = false;
        for (slot, end, span) in changed {
            let start = self.value_before(slot, mark);
            let at = carried.iter().position(|it| it.slot == slot);
            let known = at.map(|it| carried[it].leaves.clone());
            let Some(leaves) = self.leaves_of(&start, &end, known.as_deref(), span) else {
                continue;
            };
            grown |= known.as_ref() != Some(&leaves) && leaves.iter().any(Option::is_some);
            match at {
                Some(at) => {
                    carried[at].leaves = leaves;
                    carried[at].span = span;
                }
                None if leaves.iter().any(Option::is_some) => {
                    carried.push(Carried { slot, leaves, span })
                }
                None => {}
            }
        }
        grown
    }

    /// Which leaves of a variable are carried, from its values before and after the body.
    fn leaves_of(
        &mut self,
        start: &Value,
        end: &Value,
        known: Option<&[Leaf]>,
        span: Span,
    ) -> Option<Vec<Leaf>> {
        if *start == Value::Error || *end == Value::Error {
            return None;
        }
        if !env::same_structure(start, end) {
            let (a, b) = (self.describe(start), self.describe(end));
            self.report(report::types::var_changes(self.place(span), &a, &b));
            return None;
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        env::leaves(start, &mut |it| before.push(it.clone()));
        env::leaves(end, &mut |it| after.push(it.clone()));
        let mut leaves = Vec::new();
        for (n, (a, b)) in before.iter().zip(&after).enumerate() {
            if let Some(Some(it)) = known.and_then(|it| it.get(n)) {
                leaves.push(Some(it.clone()));
                continue;
            }
            if a == b || *a == Value::Error || *b == Value::Error {
                leaves.push(None);
                continue;
            }
            let common = self.common_type(a, b);
            if common.is_none() {
                let (a, b) = (self.describe(a), self.describe(b));
                self.report(report::types::var_changes(self.place(span), &a, &b));
                return None;
            }
            leaves.push(common);
        }
        Some(leaves)
    }

    /// A slot's value when `mark` was made.
    fn value_before(&self, slot: u32, mark: JournalMark) -> Value {
        let first = self.first_write(slot, mark);
        first.unwrap_or_else(|| self.slots[slot as usize].value.clone())
    }

    fn finish(
        &mut self,
        op: FlowOp,
        bounds: &[ir::Value],
        attempt: Attempt,
        carried: &[Carried],
        mark: JournalMark,
        span: Span,
    ) {
        let Attempt { mut regions, init } = attempt;
        let ends: Vec<Value> =
            carried.iter().map(|it| self.slots[it.slot as usize].value.clone()).collect();
        self.undo_to(mark);
        let last = regions.pop().expect("a loop has a body");
        self.ir.reopen(last);
        let mut yields = Vec::new();
        for (it, end) in carried.iter().zip(&ends) {
            let mut leaves = Vec::new();
            env::leaves(end, &mut |leaf| leaves.push(leaf.clone()));
            for (leaf, like) in leaves.iter().zip(&it.leaves) {
                let Some((elem, _)) = like else { continue };
                let value = self.as_ir(leaf, *elem, it.span);
                let want = self.ty(init[yields.len()]).clone();
                if *self.ty(value) != want && *leaf != Value::Error {
                    let start =
                        Value::Tile(Tile { value: init[yields.len()], layout: TileLayout::Scalar });
                    let (a, b) = (self.describe(&start), self.describe(leaf));
                    self.report(report::types::var_changes(self.place(it.span), &a, &b));
                }
                yields.push(value);
            }
        }
        let mut last = self.ir.close();
        last.yields = yields;
        regions.push(last);
        let types: Vec<Type> = init.iter().map(|it| self.ty(*it).clone()).collect();
        let operands: Vec<ir::Value> = bounds.iter().copied().chain(init).collect();
        let site = self.site(span);
        let results = self.ir.emit(op.into(), &operands, &types, regions, site);
        let mut results = results.iter();
        for it in carried {
            let value = self.slots[it.slot as usize].value.clone();
            let value = rebuild(&value, it, &mut results);
            self.write(&env::VarPlace { slot: it.slot, path: Vec::new() }, value, it.span);
        }
    }
}

/// The variable with its carried leaves replaced, in order.
fn rebuild(value: &Value, carried: &Carried, next: &mut std::slice::Iter<'_, ir::Value>) -> Value {
    let mut leaves = Vec::new();
    env::leaves(value, &mut |it| leaves.push(it.clone()));
    let mut pairs = leaves.into_iter().zip(&carried.leaves);
    env::with_leaves(value, &mut || match pairs.next() {
        Some((leaf, None)) => leaf,
        Some((_, Some((_, like)))) => {
            let layout = like.as_ref().map_or(TileLayout::Scalar, |it| it.layout.clone());
            next.next().map_or(Value::Error, |it| Value::Tile(Tile { value: *it, layout }))
        }
        None => Value::Error,
    })
}
