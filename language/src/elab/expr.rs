//! Expressions.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{
    self, BinaryOp, BracketArg, Expr, ExprKind, Name, RangeKind, Span, UnaryOp,
};

use super::cx::{Elab, Mode};
use super::host::HostIndex;
use super::rules::{self, Index};
use super::scope::Scope;
use super::value::{Closure, RangeValue, TypeValue, Value};
use super::{constant, env};
use crate::report;

impl Elab<'_> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Value {
        if !self.step(expr.span) {
            return Value::Error;
        }
        let value = stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.eval_grown(expr));
        self.observe(expr.span, &value);
        value
    }

    fn eval_grown(&mut self, expr: &Expr) -> Value {
        let span = expr.span;
        match &*expr.kind {
            ExprKind::Int(value) => self.integer(*value, span),
            ExprKind::Float(text) => {
                Value::Float(text.replace('_', "").parse().unwrap_or(f64::NAN))
            }
            ExprKind::Str(text) => Value::Str(text.clone()),
            ExprKind::Bool(it) => Value::Bool(*it),
            ExprKind::Path(path) => self.path(path, span),
            ExprKind::Unary(op, operand) => self.unary(*op, operand, span),
            ExprKind::Binary(op, lhs, rhs) => self.binary(*op, lhs, rhs, span),
            ExprKind::At(value, layout) => self.at(value, layout, span),
            ExprKind::Call(callee, args) => self.call_expr(callee, args, span),
            ExprKind::Bracket(base, args) => self.bracket(base, args, span),
            ExprKind::Field(base, name) => self.field(base, name, span),
            ExprKind::TupleField(base, n, _) => self.tuple_field(base, *n, span),
            ExprKind::Tuple(parts) => Value::Tuple(parts.iter().map(|it| self.eval(it)).collect()),
            ExprKind::Record(parts) => Value::Record(
                parts.iter().map(|(name, it)| (name.text.clone(), self.eval(it))).collect(),
            ),
            ExprKind::Array(parts) => Value::Array(parts.iter().map(|it| self.eval(it)).collect()),
            ExprKind::Repeat(value, count) => self.repeat(value, count),
            ExprKind::Range(range) => self.range(range, span),
            ExprKind::Optional(inner) => match self.eval_type(inner) {
                Some(it) => Value::Type(TypeValue::Optional(Arc::new(Value::Type(it)))),
                None => Value::Error,
            },
            ExprKind::Memory(memory) => self.memory_type(memory, span),
            ExprKind::If(it) => self.if_expr(it, true, span),
            ExprKind::Block(block) => self.block(block),
            ExprKind::Closure(params, body) => self.closure(params, body),
            ExprKind::Paren(inner) => self.eval(inner),
            ExprKind::Missing => Value::Error,
        }
    }

    fn integer(&mut self, value: Option<u128>, span: Span) -> Value {
        match value.and_then(|it| i128::try_from(it).ok()) {
            Some(it) => Value::Int(it),
            None => self.error(report::comptime::number_too_large(self.place(span))),
        }
    }

    /// The value of an expression that must be known now; what it emits on the way is dropped.
    pub(super) fn eval_const(&mut self, expr: &Expr) -> Value {
        let mode = self.enter_const();
        self.ir.open(Vec::new());
        let value = self.eval(expr);
        self.ir.close();
        self.mode = mode;
        self.known(value, expr.span)
    }

    /// Evaluates at compile time from here on; host code stays host code. Gives the mode to go back to.
    pub(super) fn enter_const(&mut self) -> Mode {
        let next = if self.mode == Mode::Host { Mode::Host } else { Mode::Const };
        std::mem::replace(&mut self.mode, next)
    }

    /// Reports a value that is not known at compile time.
    pub(super) fn known(&mut self, value: Value, span: Span) -> Value {
        let mut unknown = false;
        env::leaves(&value, &mut |it| {
            unknown |= matches!(
                it,
                Value::Tile(_)
                    | Value::Tensor(_)
                    | Value::MaybeTensor(_)
                    | Value::View(_)
                    | Value::Barriers(_)
                    | Value::NamedBarrier(_)
                    | Value::Stages(_)
                    | Value::Permit(..)
                    | Value::Box(_)
                    | Value::Flight(_)
            );
        });
        if !unknown {
            return value;
        }
        let got = self.describe(&value);
        self.error(report::comptime::not_known(self.place(span), &got))
    }

    /// An integer that must be known now.
    pub(super) fn eval_int(&mut self, expr: &Expr) -> Option<i128> {
        let value = self.eval_const(expr);
        self.as_int(value, expr.span)
    }

    pub(super) fn as_int(&mut self, value: Value, span: Span) -> Option<i128> {
        match value {
            Value::Int(it) => Some(it),
            Value::Error => None,
            other => {
                let got = self.describe(&other);
                self.report(report::types::mismatch(self.place(span), "int", &got));
                None
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &Expr, span: Span) -> Value {
        if op == UnaryOp::Pointer {
            return self.pointer_type(operand, span);
        }
        match self.eval(operand) {
            Value::Error => Value::Error,
            it @ Value::Host(_) => self.on_host(span, |host| host.unary(op, &it)),
            it => match constant::unary(op, &it) {
                Some(value) => value,
                None => rules::unary(self, op, it, span),
            },
        }
    }

    fn binary(&mut self, op: BinaryOp, lhs: &Expr, rhs: &Expr, span: Span) -> Value {
        let a = self.eval_or_word(lhs);
        match (op, &a) {
            (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return a,
            _ => {}
        }
        let b = self.eval_or_word(rhs);
        let (a, b) = match (&a, &b) {
            (Value::Variant(ty, _), _) => {
                (a.clone(), self.word_as_variant(b, &ty.clone(), rhs.span))
            }
            (_, Value::Variant(ty, _)) => {
                (self.word_as_variant(a, &ty.clone(), lhs.span), b.clone())
            }
            _ => (self.no_word(a, lhs.span), self.no_word(b, rhs.span)),
        };
        if has_elements(&a, &b) {
            return rules::binary_of(self, op, (a, lhs.span), (b, rhs.span), span);
        }
        self.apply(op, a, b, span)
    }

    /// `a op b` on values.
    pub(super) fn apply(&mut self, op: BinaryOp, a: Value, b: Value, span: Span) -> Value {
        match (&a, &b) {
            (Value::Error, _) | (_, Value::Error) => return Value::Error,
            (Value::Host(_), _) | (_, Value::Host(_)) => {
                return self.on_host(span, |host| host.binary(op, &a, &b));
            }
            (it, _) | (_, it) if is_spread(it) => return rules::binary(self, op, a, b, span),
            _ => {}
        }
        match constant::binary(op, &a, &b) {
            Ok(value) => value,
            Err(constant::Trouble::Operands) => {
                let (a, b) = (self.describe(&a), self.describe(&b));
                self.error(report::types::operands(self.place(span), rules::symbol(op), &a, &b))
            }
            Err(constant::Trouble::Overflow) => {
                self.error(report::comptime::overflow(self.place(span)))
            }
            Err(constant::Trouble::Zero) => {
                self.error(report::comptime::division_by_zero(self.place(span)))
            }
        }
    }

    fn at(&mut self, value: &Expr, layout: &Expr, span: Span) -> Value {
        let value = self.eval(value);
        let layout = self.eval_const(layout);
        match (value, layout) {
            (Value::Error, _) | (_, Value::Error) => Value::Error,
            (Value::Type(ty), Value::Layout(spec)) => self.type_at(ty, spec, span),
            (value, layout) => rules::at_layout(self, value, layout, span),
        }
    }

    fn repeat(&mut self, value: &Expr, count: &Expr) -> Value {
        let element = self.eval(value);
        let Some(n) = self.eval_int(count) else { return Value::Error };
        if !(0..=65_536).contains(&n) {
            return self.error(report::types::array_length(self.place(count.span), n));
        }
        let ty = match &element {
            Value::Type(it) => Some(it.clone()),
            Value::Record(_) | Value::Tuple(_) if is_type(&element) => {
                self.as_type(element.clone(), value.span)
            }
            _ => None,
        };
        if let Some(ty) = ty {
            return Value::Type(TypeValue::Array(Arc::new(Value::Type(ty)), n as u32));
        }
        Value::Array(std::iter::repeat_n(element, n as usize).collect())
    }

    fn range(&mut self, range: &ast::Range, span: Span) -> Value {
        let (Some(lo), Some(hi)) = (&range.lo, &range.hi) else {
            return self.error(report::types::half_open(self.place(span)));
        };
        let lo = self.eval(lo);
        let end = self.eval(hi);
        let hi = match range.kind {
            RangeKind::Exclusive => end,
            RangeKind::Inclusive => self.apply(BinaryOp::Add, end, Value::Int(1), span),
            RangeKind::Length => self.apply(BinaryOp::Add, lo.clone(), end, span),
        };
        let step = range.step.as_ref().map_or(Value::Int(1), |it| self.eval(it));
        if [&lo, &hi, &step].contains(&&Value::Error) {
            return Value::Error;
        }
        if matches!(step, Value::Int(it) if it <= 0) {
            return self.error(report::types::step_not_positive(self.place(span)));
        }
        Value::Range(Arc::new(RangeValue { lo, hi, step, reversed: false }))
    }

    fn closure(&mut self, params: &[ast::Param], body: &Expr) -> Value {
        let frame = self.frame();
        let names = frame.locals.iter().map(|it| (it.name.clone(), self.read(&it.place))).collect();
        let scope = Scope { names, this: frame.this.clone() };
        let item = frame.item.clone();
        Value::Closure(Arc::new(Closure {
            params: params.to_vec(),
            body: body.clone(),
            scope,
            item,
        }))
    }

    fn bracket(&mut self, base: &Expr, args: &[BracketArg], span: Span) -> Value {
        if let Some(callee) = self.callee(base, true) {
            return self.generic_value(callee, args, span);
        }
        match self.eval(base) {
            Value::Error => Value::Error,
            Value::Type(ty) => self.shape_type(ty, args, span),
            Value::Host(tensor) => {
                let Some(at) = self.host_indices(args) else { return Value::Error };
                self.on_host(span, |host| host.index(tensor, &at))
            }
            value @ (Value::Array(_) | Value::Tuple(_)) => self.element(&value, args, span),
            value => {
                let Some(args) = self.indices(args) else { return Value::Error };
                rules::bracket(self, value, args, span)
            }
        }
    }

    /// `array[i]`, `array[1..]`.
    fn element(&mut self, array: &Value, args: &[BracketArg], span: Span) -> Value {
        let (Value::Array(parts) | Value::Tuple(parts)) = array else { return Value::Error };
        let [BracketArg::Value(index)] = args else {
            return self.error(report::types::one_index(self.place(span), args.len()));
        };
        if let ExprKind::Range(range) = &*index.kind {
            let (Some(lo), Some(hi)) =
                (self.bound(&range.lo, 0), self.bound(&range.hi, parts.len() as i128))
            else {
                return Value::Error;
            };
            let hi = match range.kind {
                RangeKind::Exclusive => hi,
                RangeKind::Inclusive => hi.saturating_add(1),
                RangeKind::Length => lo.saturating_add(hi),
            };
            let slice = usize::try_from(lo)
                .ok()
                .zip(usize::try_from(hi).ok())
                .and_then(|(a, b)| parts.get(a..b));
            return match slice {
                Some(it) => Value::Array(it.into()),
                None => self.error(report::types::slice_bounds(
                    self.place(index.span),
                    lo,
                    hi,
                    parts.len(),
                )),
            };
        }
        let Some(i) = self.eval_int(index) else { return Value::Error };
        match usize::try_from(i).ok().and_then(|it| parts.get(it)) {
            Some(it) => it.clone(),
            None => self.error(report::types::index_bounds(self.place(index.span), i, parts.len())),
        }
    }

    fn bound(&mut self, expr: &Option<Expr>, absent: i128) -> Option<i128> {
        match expr {
            Some(it) => self.eval_int(it),
            None => Some(absent),
        }
    }

    fn indices(&mut self, args: &[BracketArg]) -> Option<Vec<Index>> {
        let mut indices = Vec::new();
        for arg in args {
            indices.push(match arg {
                BracketArg::Whole(span) => Index::Whole(*span),
                BracketArg::Value(it) if is_new_axis(it) => Index::New(it.span),
                BracketArg::Value(it) => match &*it.kind {
                    ExprKind::Range(range) => self.slice_index(range, it.span)?,
                    _ => match self.eval(it) {
                        Value::Error => return None,
                        value => Index::Value(value, it.span),
                    },
                },
                BracketArg::Named(name, _) => {
                    self.report(report::types::named_index(self.place(name.span)));
                    return None;
                }
            });
        }
        Some(indices)
    }

    /// `a ..+ n` or `a..b` as an index: the first may be a scalar, the length is known now.
    fn slice_index(&mut self, range: &ast::Range, span: Span) -> Option<Index> {
        let start = range.lo.as_ref().map_or(Value::Int(0), |it| self.eval(it));
        if start == Value::Error {
            return None;
        }
        let Some(end) = range.hi.as_ref().filter(|_| range.step.is_none()) else {
            self.report(report::types::slice_length(self.place(span)));
            return None;
        };
        let end = self.eval_int(end)?;
        let len = match (range.kind, &start) {
            (RangeKind::Length, _) => Some(end),
            (RangeKind::Exclusive, Value::Int(lo)) => end.checked_sub(*lo),
            (RangeKind::Inclusive, Value::Int(lo)) => end.checked_sub(*lo).map(|it| it + 1),
            (RangeKind::Exclusive | RangeKind::Inclusive, _) => None,
        };
        match len.and_then(|it| u32::try_from(it).ok()).filter(|&it| it > 0) {
            Some(len) => Some(Index::Slice { start, len, span }),
            None => {
                self.report(report::types::slice_length(self.place(span)));
                None
            }
        }
    }

    pub(super) fn host_indices(&mut self, args: &[BracketArg]) -> Option<Vec<HostIndex>> {
        let mut indices = Vec::new();
        for arg in args {
            indices.push(match arg {
                BracketArg::Whole(_) => HostIndex::Whole,
                BracketArg::Value(it) if is_new_axis(it) => HostIndex::New,
                BracketArg::Named(name, _) => {
                    self.report(report::types::named_index(self.place(name.span)));
                    return None;
                }
                BracketArg::Value(it) => match &*it.kind {
                    ExprKind::Range(range) => {
                        let lo = self.bound(&range.lo, 0)?;
                        let hi = match &range.hi {
                            Some(it) => Some(self.eval_int(it)?),
                            None => None,
                        };
                        let hi = hi.map(|hi| match range.kind {
                            RangeKind::Exclusive => hi,
                            RangeKind::Inclusive => hi.saturating_add(1),
                            RangeKind::Length => lo.saturating_add(hi),
                        });
                        let narrow = |it: i128| i64::try_from(it).unwrap_or(i64::MAX);
                        let step = self.bound(&range.step, 1)?;
                        if step <= 0 {
                            let place = self.place(it.span);
                            self.report(report::types::step_not_positive(place));
                            return None;
                        }
                        let (first, end) = (narrow(lo), hi.map(narrow));
                        HostIndex::Range { first, end, step: narrow(step) }
                    }
                    _ => HostIndex::At(i64::try_from(self.eval_int(it)?).unwrap_or(i64::MAX)),
                },
            });
        }
        Some(indices)
    }

    fn field(&mut self, base: &Expr, name: &Name, span: Span) -> Value {
        let value = self.eval(base);
        if let Value::Struct(it) = &value
            && self.struct_field(it, &name.text).is_none()
            && let Some(size) = self.size_of_param(base, &name.text)
        {
            return size;
        }
        self.field_of(&value, name, span)
    }

    pub(super) fn field_of(&mut self, value: &Value, name: &Name, span: Span) -> Value {
        if name.text.is_empty() {
            return Value::Error;
        }
        let found = match value {
            Value::Error => return Value::Error,
            Value::Struct(it) => self.struct_field(it, &name.text),
            Value::Permit(_, it) => self.permit_field(it, &name.text),
            Value::Record(it) => it.iter().find(|it| it.0 == name.text).map(|it| it.1.clone()),
            Value::Array(it) if name.text == "len" => Some(Value::Int(it.len() as i128)),
            Value::Range(it) if name.text == "count" => {
                let (lo, hi, step) = (it.lo.clone(), it.hi.clone(), it.step.clone());
                Some(self.range_count(lo, hi, step, span))
            }
            Value::Target => self.target_field(&name.text),
            Value::Host(tensor) => {
                let tensor = *tensor;
                Some(self.on_host(span, |host| host.field(tensor, &name.text)))
            }
            other => rules::field(self, other, &name.text, name.span),
        };
        match found {
            Some(it) => it,
            None => {
                let got = self.describe(value);
                let known = self.field_names(value);
                self.error(report::names::no_field(self.place(name.span), &name.text, &got, &known))
            }
        }
    }

    fn struct_field(&mut self, value: &super::value::StructValue, name: &str) -> Option<Value> {
        let decl = self.struct_decl(&value.ty)?;
        if let Some(n) = decl.fields.iter().position(|it| it.name.text == name) {
            return value.fields.get(n).cloned();
        }
        let n = decl.generics.iter().position(|it| it.name.text == name)?;
        value.args.get(n).cloned()
    }

    /// A field of a permit's stage, or of the permit itself.
    fn permit_field(&mut self, permit: &super::value::StructValue, name: &str) -> Option<Value> {
        let stage = permit.fields.iter().find_map(|it| match it {
            Value::Record(parts) => parts.iter().find(|it| it.0 == name).map(|it| it.1.clone()),
            _ => None,
        });
        stage.or_else(|| self.struct_field(permit, name))
    }

    pub(super) fn field_names(&mut self, value: &Value) -> Vec<SmolStr> {
        match value {
            Value::Record(it) => it.iter().map(|it| it.0.clone()).collect(),
            Value::Struct(it) => {
                let decl = self.struct_decl(&it.ty);
                decl.iter().flat_map(|it| &it.fields).map(|it| it.name.text.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    fn target_field(&self, name: &str) -> Option<Value> {
        let row = self.target();
        match name {
            "name" => Some(Value::Str(row.name.into())),
            "lanes" => Some(Value::Int(row.lanes.into())),
            "sms" => Some(Value::Int(row.sms.into())),
            "shared_bytes" => Some(Value::Int(row.smem_block_bytes_max.into())),
            "access_bytes" => Some(Value::Int(row.access_bytes_max.into())),
            _ => None,
        }
    }

    /// How many integers a span holds: `max(0, (hi - lo + step - 1) / step)`.
    pub(super) fn range_count(&mut self, lo: Value, hi: Value, step: Value, span: Span) -> Value {
        let length = match lo {
            Value::Int(0) => hi,
            lo => self.apply(BinaryOp::Sub, hi, lo, span),
        };
        let up = if step == Value::Int(1) {
            length
        } else {
            let less = self.apply(BinaryOp::Sub, step.clone(), Value::Int(1), span);
            let sum = self.apply(BinaryOp::Add, length, less, span);
            self.apply(BinaryOp::Div, sum, step, span)
        };
        match up {
            Value::Int(n) => Value::Int(n.max(0)),
            Value::Error => Value::Error,
            other => self.call_builtin(&["max"], vec![other, Value::Int(0)], span),
        }
    }

    fn tuple_field(&mut self, base: &Expr, n: u32, span: Span) -> Value {
        match self.eval(base) {
            Value::Error => Value::Error,
            Value::Tuple(parts) => match parts.get(n as usize) {
                Some(it) => it.clone(),
                None => {
                    self.error(report::types::index_bounds(self.place(span), n.into(), parts.len()))
                }
            },
            other => {
                let got = self.describe(&other);
                self.error(report::names::no_field(self.place(span), &n.to_string(), &got, &[]))
            }
        }
    }
}

/// Whether operators on a value are the rules' to decide.
fn is_spread(value: &Value) -> bool {
    matches!(value, Value::Tile(_) | Value::Unplaced(_) | Value::Layout(_))
}

/// Whether an operator works on the elements of a tile and of another one or a number.
fn has_elements(a: &Value, b: &Value) -> bool {
    let is_tile = |it: &Value| matches!(it, Value::Tile(_) | Value::Unplaced(_));
    let is_number = |it: &Value| matches!(it, Value::Int(_) | Value::Float(_) | Value::Bool(_));
    is_tile(a) && (is_tile(b) || is_number(b)) || is_number(a) && is_tile(b)
}

/// Whether a record or a tuple consists of types.
fn is_type(value: &Value) -> bool {
    let mut all = true;
    env::leaves(value, &mut |it| all &= matches!(it, Value::Type(_)));
    all
}

/// Whether an index is `None`.
fn is_new_axis(expr: &Expr) -> bool {
    matches!(&*expr.kind, ExprKind::Path(path) if path.len() == 1 && path[0].text == "None")
}
