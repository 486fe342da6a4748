//! Statements and blocks.
//!
//! # Early returns
//! A `return` under a run-time condition has no instruction: what follows the `if` becomes the other
//! branch. [`Rest`] is what is left to run of a function; an `if` with a `return` inside runs each
//! branch followed by the rest, and the results of both are the function's. Under a condition that
//! is known now a `return` only sets the frame's flag, at which every block stops.

use tile_syntax::ast::{
    BinaryOp, Binding, Block, Expr, ExprKind, If, Pattern, Span, Stmt, StmtKind,
};

use super::branch::Bound;
use super::cx::{Elab, Mode};
use super::env::{ScopeMark, VarPlace};
use super::value::{Tile, TileLayout, Value};
use crate::report;

/// What is left to run of a function.
struct Rest<'r> {
    stmts: &'r [Stmt],
    value: Option<&'r Expr>,
    /// The scope to leave when these are done.
    scope: ScopeMark,
    next: Option<&'r Rest<'r>>,
}

impl Elab<'_> {
    /// Runs a function's body to its end; its value is the function's.
    pub(super) fn run_body(&mut self, body: &Block) -> Value {
        let scope = self.enter_scope();
        self.run_rest(&Rest { stmts: &body.stmts, value: body.value.as_deref(), scope, next: None })
    }

    fn run_rest(&mut self, rest: &Rest<'_>) -> Value {
        self.frame_mut().return_depth = self.ir.depth();
        for (i, stmt) in rest.stmts.iter().enumerate() {
            if self.failure.is_some() {
                return Value::Error;
            }
            if let StmtKind::Expr(Expr { kind, .. }) = &stmt.kind
                && let ExprKind::If(it) = &**kind
                && !it.is_static
                && returns(it)
            {
                let after = Rest { stmts: &rest.stmts[i + 1..], ..*rest };
                return self.run_split(it, Some(&after), stmt.span);
            }
            self.stmt(stmt);
            if let Some(value) = self.returned() {
                return value;
            }
        }
        let value = match rest.value {
            Some(expr) => match &*expr.kind {
                ExprKind::If(it) if !it.is_static && returns(it) => {
                    return self.run_split(it, rest.next, expr.span);
                }
                _ => self.eval(expr),
            },
            None => Value::unit(),
        };
        if let Some(value) = self.returned() {
            return value;
        }
        match rest.next {
            Some(next) => {
                self.leave_scope(rest.scope);
                self.run_rest(next)
            }
            None => {
                self.end_held(self.frame().first_slot, &value);
                value
            }
        }
    }

    /// What a `return` gave; all that the function held ends.
    fn returned(&mut self) -> Option<Value> {
        let value = self.frame_mut().returned.take()?;
        self.end_held(self.frame().first_slot, &value);
        Some(value)
    }

    /// An `if` whose branches may return, followed by the rest of the function.
    fn run_split(&mut self, it: &If, after: Option<&Rest<'_>>, span: Span) -> Value {
        let Some((cond, bound)) = self.asked(it) else { return Value::Error };
        match cond {
            Condition::Known(true) => self.run_branch(&it.then, bound, after),
            Condition::Known(false) => self.run_otherwise(it.otherwise.as_ref(), after),
            Condition::Open(value) => self.branch(
                value,
                span,
                true,
                |cx| cx.run_branch(&it.then, bound, after),
                |cx| cx.run_otherwise(it.otherwise.as_ref(), after),
            ),
        }
    }

    fn run_branch(&mut self, block: &Block, bound: Bound<'_>, after: Option<&Rest<'_>>) -> Value {
        let scope = self.enter_scope();
        self.bind_asked(bound);
        let rest = Rest { stmts: &block.stmts, value: block.value.as_deref(), scope, next: after };
        let depth = self.frame().return_depth;
        let value = self.run_rest(&rest);
        self.frame_mut().return_depth = depth;
        value
    }

    fn run_otherwise(&mut self, otherwise: Option<&Expr>, after: Option<&Rest<'_>>) -> Value {
        let Some(expr) = otherwise else {
            let depth = self.frame().return_depth;
            let value = after.map_or_else(Value::unit, |it| self.run_rest(it));
            self.frame_mut().return_depth = depth;
            return value;
        };
        match &*expr.kind {
            ExprKind::Block(block) => self.run_branch(block, None, after),
            ExprKind::If(it) => {
                let depth = self.frame().return_depth;
                self.frame_mut().return_depth = self.ir.depth();
                let value = self.run_split(it, after, expr.span);
                self.frame_mut().return_depth = depth;
                value
            }
            _ => Value::Error,
        }
    }

    /// A block as an expression.
    pub(super) fn block(&mut self, block: &Block) -> Value {
        let scope = self.enter_scope();
        let value = self.block_in_scope(block);
        self.leave_scope_with(scope, &value);
        value
    }

    pub(super) fn block_in_scope(&mut self, block: &Block) -> Value {
        for stmt in &block.stmts {
            if self.failure.is_some() {
                return Value::Error;
            }
            self.stmt(stmt);
            if self.frame().returned.is_some() {
                return Value::Error;
            }
        }
        match &block.value {
            Some(it) => self.eval(it),
            None => Value::unit(),
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        if !self.step(stmt.span) {
            return;
        }
        let n_permits = self.n_permits();
        self.run_stmt(stmt);
        self.end_temporaries(n_permits);
    }

    fn run_stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { binding, pattern, ty, value } => {
                self.let_stmt(*binding, pattern, ty.as_ref(), value.as_ref(), stmt.span);
            }
            StmtKind::Const(it) => {
                let value = self.const_value(it);
                self.observe(it.name.span, &value);
                self.declare(it.name.text.clone(), value, false);
            }
            StmtKind::Assign { place, op, value } => self.assign(place, *op, value, stmt.span),
            StmtKind::Expr(expr) => match &*expr.kind {
                ExprKind::If(it) => drop(self.if_expr(it, false, expr.span)),
                _ => drop(self.eval(expr)),
            },
            StmtKind::For(it) => self.for_stmt(it, stmt.span),
            StmtKind::While(it) => self.while_stmt(it, stmt.span),
            StmtKind::Return(value) => self.return_stmt(value.as_ref(), stmt.span),
            StmtKind::Yield(value) => self.yield_stmt(value.as_ref(), stmt.span),
            StmtKind::Roles(roles) => self.run_roles(roles, stmt.span),
            StmtKind::Elect(body) => self.run_elect(body, stmt.span),
            StmtKind::Trust { .. } => drop(self.unsupported("`trust`", stmt.span)),
            StmtKind::Hole(_) => {}
        }
    }

    fn let_stmt(
        &mut self,
        binding: Binding,
        pattern: &Pattern,
        ty: Option<&Expr>,
        value: Option<&Expr>,
        span: Span,
    ) {
        let mutable = binding == Binding::Var;
        let value = match (value, ty) {
            (Some(value), Some(ty)) => {
                let wanted = self.eval_type(ty);
                let got = self.eval_or_word(value);
                wanted.map_or(Value::Error, |it| self.coerce(got, &it, value.span))
            }
            (Some(value), None) => self.eval(value),
            (None, Some(ty)) => match self.eval_type(ty) {
                Some(wanted) => super::rules::allocate(self, &wanted, span),
                None => Value::Error,
            },
            (None, None) => Value::Error,
        };
        if mutable && self.refuse_permits(&value, "a variable", span) {
            return self.bind(pattern, Value::Error, mutable);
        }
        self.bind(pattern, value, mutable);
    }

    fn assign(&mut self, place: &Expr, op: Option<BinaryOp>, value: &Expr, span: Span) {
        if let ExprKind::Bracket(base, args) = &*place.kind
            && self.mode == Mode::Host
            && self.place_of(place).is_none()
            && let Value::Host(tensor) = self.eval(base)
        {
            return self.assign_host(tensor, args, op, value, span);
        }
        if matches!(&*place.kind, ExprKind::Path(path) if path.len() == 1 && path[0].text == "_") {
            drop(self.eval(value));
            return;
        }
        let Some((at, mutable)) = self.place_of(place) else {
            let found = self.eval(place);
            self.eval(value);
            if found != Value::Error {
                self.report(report::types::not_assignable(self.place(place.span)));
            }
            return;
        };
        let old = self.read(&at);
        let new = match &old {
            Value::Variant(ty, _) => {
                let ty = ty.clone();
                let new = self.eval_or_word(value);
                self.word_as_variant(new, &ty, value.span)
            }
            _ => self.eval(value),
        };
        if !mutable {
            let name = self.text_of(place.span);
            self.report(report::types::assigned_let(self.place(place.span), &name));
            return;
        }
        let new = match op {
            Some(op) => self.apply(op, old.clone(), new, span),
            None => new,
        };
        let new = self.fit_var(&old, new, span);
        self.observe(place.span, &new);
        self.write(&at, new, span);
    }

    /// `value` as the next value of a variable that was `old`: the same types, shapes and layouts.
    fn fit_var(&mut self, old: &Value, value: Value, span: Span) -> Value {
        let known = |it: &Value| matches!(it, Value::Int(_) | Value::Float(_) | Value::Bool(_));
        match (old, &value) {
            (Value::Error, _) | (_, Value::Error) => value,
            (Value::Tile(Tile { value: was, layout: TileLayout::Scalar }), it) if known(it) => {
                let elem = self.ty(*was).elem;
                match super::rules::materialize(self, &value, elem, span) {
                    Some(it) => Value::scalar(it),
                    None => Value::Error,
                }
            }
            (Value::Tile(was), Value::Tile(is)) => {
                let same = self.ty(was.value) == self.ty(is.value)
                    && self.tile_shape(was) == self.tile_shape(is)
                    && open_axes(was) == open_axes(is);
                if same {
                    return value;
                }
                let (was, is) = (self.describe(old), self.describe(&value));
                self.error(report::types::var_changes(self.place(span), &was, &is))
            }
            (Value::Tile(_), it) | (it, Value::Tile(_))
                if !known(it) || !matches!(&value, Value::Tile(_)) =>
            {
                let (was, is) = (self.describe(old), self.describe(&value));
                self.error(report::types::var_changes(self.place(span), &was, &is))
            }
            (Value::Int(_) | Value::Float(_) | Value::Bool(_), Value::Tile(it))
                if it.layout != TileLayout::Scalar =>
            {
                let (was, is) = (self.describe(old), self.describe(&value));
                self.error(report::types::var_changes(self.place(span), &was, &is))
            }
            _ => value,
        }
    }

    /// The place that an expression names, and whether it may be assigned.
    pub(super) fn place_of(&mut self, expr: &Expr) -> Option<(VarPlace, bool)> {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => {
                let local = self.local(&path[0].text)?;
                Some((local.place.clone(), local.mutable))
            }
            ExprKind::Paren(inner) => self.place_of(inner),
            ExprKind::TupleField(base, n, _) => {
                let (place, mutable) = self.place_of(base)?;
                self.part(place, *n, mutable)
            }
            ExprKind::Field(base, name) => {
                let (place, mutable) = self.place_of(base)?;
                let n = match self.read(&place) {
                    Value::Struct(it) => self
                        .struct_decl(&it.ty)?
                        .fields
                        .iter()
                        .position(|it| it.name.text == name.text)?,
                    Value::Record(it) => it.iter().position(|it| it.0 == name.text)?,
                    _ => return None,
                };
                self.part(place, n as u32, mutable)
            }
            ExprKind::Bracket(base, args) => {
                let (place, mutable) = self.place_of(base)?;
                let [tile_syntax::ast::BracketArg::Value(index)] = &args[..] else { return None };
                if !matches!(self.read(&place), Value::Array(_))
                    || matches!(&*index.kind, ExprKind::Range(_))
                {
                    return None;
                }
                let n = self.eval_int(index)?;
                self.part(place, u32::try_from(n).ok()?, mutable)
            }
            _ => None,
        }
    }

    fn part(&self, mut place: VarPlace, n: u32, mutable: bool) -> Option<(VarPlace, bool)> {
        super::env::child(&self.read(&place), n)?;
        place.path.push(n);
        Some((place, mutable))
    }

    fn return_stmt(&mut self, value: Option<&Expr>, span: Span) {
        let value = value.map_or_else(Value::unit, |it| self.eval(it));
        if self.mode == Mode::Kernel && self.frame().return_depth < self.ir.depth() {
            self.report(report::types::return_in_loop(self.place(span)));
            return;
        }
        self.frame_mut().returned = Some(value);
    }
}

/// A condition: decided now, or a scalar of the IR.
pub(super) enum Condition {
    /// Known at compile time.
    Known(bool),
    /// Known at run time.
    Open(crate::ir::Value),
}

fn open_axes(tile: &Tile) -> &[u32] {
    match &tile.layout {
        TileLayout::Open { new_axes, .. } => new_axes,
        TileLayout::Scalar | TileLayout::Closed(_) => &[],
    }
}

/// Whether an `if` holds a `return` of the function it stands in.
fn returns(it: &If) -> bool {
    let otherwise = |it: &Expr| match &*it.kind {
        ExprKind::If(it) => returns(it),
        ExprKind::Block(block) => block_returns(block),
        _ => false,
    };
    block_returns(&it.then) || it.otherwise.as_ref().is_some_and(otherwise)
}

fn block_returns(block: &Block) -> bool {
    let value = block.value.iter().any(|it| expr_returns(it));
    value
        || block.stmts.iter().any(|it| match &it.kind {
            StmtKind::Return(_) => true,
            StmtKind::Expr(expr) => expr_returns(expr),
            _ => false,
        })
}

fn expr_returns(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::If(it) => returns(it),
        ExprKind::Block(block) => block_returns(block),
        _ => false,
    }
}
