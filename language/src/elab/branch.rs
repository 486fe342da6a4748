//! Branches: `if` over what is known and over what is not, and merging what the branches did.
//!
//! Each branch runs in a region of its own. What it assigned is read off the journal and undone;
//! then the two states are merged: a part that is the same in both stays what it is, a part that
//! differs becomes a result of the `if`, for which literals take the type of the other side.

use smallvec::SmallVec;
use tile_syntax::ast::{Cond, Expr, ExprKind, If, Pattern, Span};

use super::cx::{Elab, Mode};
use super::env::{self, Changed};
use super::rules;
use super::stmt::Condition;
use super::value::{Tile, TileLayout, Value};
use crate::dtype::DType;
use crate::ir::{self, Elem, Region, Type};
use crate::op::{FlowOp, MemoryOp};
use crate::report;

/// A part that differs: what it is on either side, and the type of the result.
struct Differing {
    a: Value,
    b: Value,
    elem: Elem,
    like: Option<Tile>,
}

/// What an `if let` binds in its first branch.
pub(super) type Bound<'i> = Option<(&'i Pattern, Value)>;

impl Elab<'_> {
    /// What a condition is.
    pub(super) fn condition(&mut self, expr: &Expr) -> Option<Condition> {
        let value = self.eval(expr);
        self.as_condition(value, expr.span)
    }

    pub(super) fn as_condition(&mut self, value: Value, span: Span) -> Option<Condition> {
        match &value {
            Value::Error => None,
            Value::Bool(it) => Some(Condition::Known(*it)),
            Value::Tile(tile)
                if self.mode == Mode::Kernel
                    && *self.ty(tile.value) == Type::scalar(DType::Bool) =>
            {
                Some(Condition::Open(tile.value))
            }
            Value::Tile(_) if self.mode != Mode::Kernel => {
                self.known(value, span);
                None
            }
            _ => {
                let got = self.describe(&value);
                self.report(report::types::not_a_condition(self.place(span), &got));
                None
            }
        }
    }

    /// What an `if` asks, and what its first branch binds then.
    pub(super) fn asked<'i>(&mut self, it: &'i If) -> Option<(Condition, Bound<'i>)> {
        match &it.cond {
            Cond::Let(pattern, option) => self.asked_option(pattern, option),
            Cond::Expr(cond) if it.is_static => match self.eval_const(cond) {
                Value::Error => None,
                Value::Bool(known) => Some((Condition::Known(known), None)),
                value => Some((self.as_condition(value, cond.span)?, None)),
            },
            Cond::Expr(cond) => Some((self.condition(cond)?, None)),
        }
    }

    /// `if let x = option`: the option is there or not now, or a tensor that the launch decides on.
    fn asked_option<'i>(
        &mut self,
        pattern: &'i Pattern,
        option: &Expr,
    ) -> Option<(Condition, Bound<'i>)> {
        match self.eval(option) {
            Value::Error => None,
            Value::None => Some((Condition::Known(false), None)),
            Value::MaybeTensor(n) => {
                let op = MemoryOp::IsPresent { tensor: n };
                let cond = self.emit_one(op, &[], Type::scalar(DType::Bool), option.span);
                Some((Condition::Open(cond), Some((pattern, Value::Tensor(n)))))
            }
            value => Some((Condition::Known(true), Some((pattern, value)))),
        }
    }

    pub(super) fn if_expr(&mut self, it: &If, wanted: bool, span: Span) -> Value {
        let Some((cond, bound)) = self.asked(it) else { return Value::Error };
        match cond {
            Condition::Known(true) => self.then(it, bound),
            Condition::Known(false) => self.otherwise(it.otherwise.as_ref(), wanted),
            Condition::Open(cond) => self.branch(
                cond,
                span,
                wanted,
                |cx| cx.then(it, bound),
                |cx| cx.otherwise(it.otherwise.as_ref(), wanted),
            ),
        }
    }

    fn then(&mut self, it: &If, bound: Bound<'_>) -> Value {
        let scope = self.enter_scope();
        self.bind_asked(bound);
        let value = self.block_in_scope(&it.then);
        self.leave_scope_with(scope, &value);
        value
    }

    /// Binds what an `if let` found.
    pub(super) fn bind_asked(&mut self, bound: Bound<'_>) {
        if let Some((pattern, value)) = bound {
            self.bind(pattern, value, false);
        }
    }

    fn otherwise(&mut self, otherwise: Option<&Expr>, wanted: bool) -> Value {
        match otherwise {
            None => Value::unit(),
            Some(expr) => match &*expr.kind {
                ExprKind::If(it) => self.if_expr(it, wanted, expr.span),
                ExprKind::Block(block) => self.block(block),
                _ => self.eval(expr),
            },
        }
    }

    /// Runs both branches of a run-time condition and merges what they give and what they assigned.
    pub(super) fn branch(
        &mut self,
        cond: ir::Value,
        span: Span,
        wanted: bool,
        then: impl FnOnce(&mut Self) -> Value,
        otherwise: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let before = self.ended();
        let (mut value_a, changed_a, mut region_a) = self.side(then);
        let ended_a = self.ended();
        self.back_to(&before);
        let (mut value_b, changed_b, mut region_b) = self.side(otherwise);
        let ended_b = self.ended();
        self.agree_on(&before, &ended_a, &ended_b, span);
        if !wanted {
            (value_a, value_b) = (Value::unit(), Value::unit());
        }
        let mut pairs = vec![(value_a, value_b, span)];
        let mut slots = Vec::new();
        for (slot, a, b, at) in self.both(changed_a, changed_b) {
            pairs.push((a, b, at));
            slots.push((slot, at));
        }
        let mut differing = Vec::new();
        for (a, b, at) in &pairs {
            self.compare(a, b, *at, &mut differing);
        }
        let types = self.yield_from(&mut region_a, &differing, span, |it| &it.a);
        self.yield_from(&mut region_b, &differing, span, |it| &it.b);
        let site = self.site(span);
        let results =
            self.ir.emit(FlowOp::If.into(), &[cond], &types, vec![region_a, region_b], site);
        let mut results = results.into_iter().zip(&differing);
        let mut merged =
            pairs.iter().map(|(a, b, _)| merge(a, b, &mut results)).collect::<Vec<_>>().into_iter();
        let value = merged.next().unwrap_or(Value::Error);
        for ((slot, at), value) in slots.into_iter().zip(merged) {
            self.write(&env::VarPlace { slot, path: Vec::new() }, value, at);
        }
        value
    }

    /// Runs one branch in a region; its assignments are undone.
    fn side(&mut self, run: impl FnOnce(&mut Self) -> Value) -> (Value, Changed, Region) {
        let mark = self.journal_mark();
        self.ir.open(Vec::new());
        let value = run(self);
        let changed = self.changed_since(mark);
        self.undo_to(mark);
        (value, changed, self.ir.close())
    }

    /// Every variable that either side assigned, with its value at the end of both.
    fn both(&self, a: Changed, b: Changed) -> Vec<(u32, Value, Value, Span)> {
        let mut slots: Vec<(u32, Span)> = a.iter().chain(&b).map(|it| (it.0, it.2)).collect();
        slots.sort_by_key(|it| it.0);
        slots.dedup_by_key(|it| it.0);
        let at_end = |changed: &Changed, slot: u32| {
            let found = changed.iter().find(|it| it.0 == slot).map(|it| it.1.clone());
            found.unwrap_or_else(|| self.slots[slot as usize].value.clone())
        };
        slots
            .into_iter()
            .map(|(slot, span)| (slot, at_end(&a, slot), at_end(&b, slot), span))
            .collect()
    }

    /// Collects the parts that differ; reports those that cannot be merged.
    fn compare(&mut self, a: &Value, b: &Value, span: Span, out: &mut Vec<Differing>) {
        if *a == Value::Error || *b == Value::Error || a == b {
            return;
        }
        if !env::same_structure(a, b) {
            let (a, b) = (self.describe(a), self.describe(b));
            self.report(report::types::branches_differ(self.place(span), &a, &b));
            return;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        env::leaves(a, &mut |it| left.push(it.clone()));
        env::leaves(b, &mut |it| right.push(it.clone()));
        for (a, b) in left.into_iter().zip(right) {
            if a == b || a == Value::Error || b == Value::Error {
                continue;
            }
            match self.common_type(&a, &b) {
                Some((elem, like)) => out.push(Differing { a, b, elem, like }),
                None => {
                    let (a, b) = (self.describe(&a), self.describe(&b));
                    self.report(report::types::branches_differ(self.place(span), &a, &b));
                    out.push(Differing {
                        a: Value::Error,
                        b: Value::Error,
                        elem: Elem::Data(DType::I32),
                        like: None,
                    });
                }
            }
        }
    }

    /// The type of a part that is `a` on one side and `b` on the other.
    pub(super) fn common_type(&self, a: &Value, b: &Value) -> Option<(Elem, Option<Tile>)> {
        match (a, b) {
            (Value::Tile(x), Value::Tile(y)) => {
                let same = self.ty(x.value) == self.ty(y.value)
                    && self.tile_shape(x) == self.tile_shape(y);
                same.then(|| (self.ty(x.value).elem, Some(x.clone())))
            }
            (Value::Tile(it), known) | (known, Value::Tile(it)) => {
                let ty = self.ty(it.value);
                let fits = match ty.elem {
                    Elem::Data(dtype) => super::types::literal_fits(known, dtype),
                    Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map => false,
                };
                (ty.is_scalar() && fits).then_some((ty.elem, None))
            }
            (Value::Int(_), Value::Int(_)) => Some((Elem::Data(DType::I32), None)),
            (Value::Bool(_), Value::Bool(_)) => Some((Elem::Data(DType::Bool), None)),
            (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
                Some((Elem::Data(DType::F32), None))
            }
            _ => None,
        }
    }

    /// Adds the yields of one side; gives their types.
    fn yield_from(
        &mut self,
        region: &mut Region,
        differing: &[Differing],
        span: Span,
        pick: impl Fn(&Differing) -> &Value,
    ) -> SmallVec<[Type; 4]> {
        self.ir.reopen(std::mem::take(region));
        let mut values = Vec::new();
        for it in differing {
            values.push(self.as_ir(pick(it), it.elem, span));
        }
        *region = self.ir.close();
        region.yields = values.clone();
        values.iter().map(|it| self.ty(*it).clone()).collect()
    }

    /// A tile as it is, a number as a constant of that type; a stand-in for what was reported.
    pub(super) fn as_ir(&mut self, value: &Value, elem: Elem, span: Span) -> ir::Value {
        let made = match value {
            Value::Tile(it) => Some(it.value),
            Value::Error => None,
            known => rules::materialize(self, known, elem, span),
        };
        made.unwrap_or_else(|| {
            let ty = Type::single(elem);
            self.ir.value(ty)
        })
    }
}

/// The aggregate whose differing parts are the results, in order.
fn merge(
    a: &Value,
    b: &Value,
    results: &mut dyn Iterator<Item = (ir::Value, &Differing)>,
) -> Value {
    if *a == Value::Error || *b == Value::Error || !env::same_structure(a, b) {
        return Value::Error;
    }
    if a == b {
        return a.clone();
    }
    let mut right = Vec::new();
    env::leaves(b, &mut |it| right.push(it.clone()));
    let mut left = Vec::new();
    env::leaves(a, &mut |it| left.push(it.clone()));
    let mut pairs = left.into_iter().zip(right);
    env::with_leaves(a, &mut || match pairs.next() {
        Some((a, b)) if a == b => a,
        Some((a, b)) if a == Value::Error || b == Value::Error => Value::Error,
        Some(_) => match results.next() {
            Some((_, Differing { a: Value::Error, .. })) | None => Value::Error,
            Some((value, it)) => {
                let layout = it.like.as_ref().map_or(TileLayout::Scalar, |it| it.layout.clone());
                Value::Tile(Tile { value, layout })
            }
        },
        None => Value::Error,
    })
}
