//! Statements and expressions: which names they hold, in which scopes.

use tile_syntax::ast::{
    Arg, Binding, Block, BracketArg, Cond, Expr, ExprKind, If, Note, Role, Stmt, StmtKind,
};

use super::super::types::Owner;
use super::super::{Access, LocalKind, Stand};
use super::Walk;
use crate::op::surface::Builtin;

impl Walk<'_> {
    pub(super) fn block(&mut self, block: &Block) {
        let mark = self.scope.len();
        block.stmts.iter().for_each(|it| self.stmt(it));
        block.value.iter().for_each(|it| self.expr(it));
        self.scope.truncate(mark);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { binding, pattern, ty, value } => {
                ty.iter().for_each(|it| self.expr(it));
                value.iter().for_each(|it| self.value(it));
                let of = match (ty, value) {
                    (Some(ty), _) => self.structs.of_type(ty),
                    (None, Some(value)) => self.struct_of(value),
                    (None, None) => None,
                };
                let kind = match binding {
                    Binding::Let => LocalKind::Let,
                    Binding::Var => LocalKind::Var,
                };
                self.bind_pattern(pattern, kind, of);
            }
            StmtKind::Const(it) => {
                self.constant(it);
                self.declare_local(&it.name, LocalKind::Const, None);
            }
            StmtKind::Assign { place, op: _, value } => {
                self.place(place);
                self.value(value);
            }
            StmtKind::Expr(it) => self.expr(it),
            StmtKind::For(it) => {
                self.expr(&it.iter);
                self.notes(&it.notes);
                let mark = self.scope.len();
                it.patterns.iter().for_each(|it| self.pattern(it, None));
                self.block(&it.body);
                self.scope.truncate(mark);
            }
            StmtKind::While(it) => {
                let mark = self.scope.len();
                self.cond(&it.cond);
                self.notes(&it.notes);
                self.block(&it.body);
                self.scope.truncate(mark);
            }
            StmtKind::Return(it) | StmtKind::Yield(it) => it.iter().for_each(|it| self.expr(it)),
            StmtKind::Roles(roles) => roles.iter().for_each(|it| self.role(it)),
            StmtKind::Elect(body) | StmtKind::Trust { body, .. } => self.block(body),
            StmtKind::Hole(body) => body.iter().for_each(|it| self.block(it)),
        }
    }

    fn notes(&mut self, notes: &[Note]) {
        notes.iter().flat_map(|it| &it.args).for_each(|it| self.value(&it.value));
    }

    fn role(&mut self, role: &Role) {
        let mark = self.scope.len();
        if let Some((name, span)) = &role.copies {
            self.expr(span);
            self.declare_local(name, LocalKind::Pattern, None);
        }
        role.warps.iter().chain(&role.regs).for_each(|it| self.expr(it));
        self.block(&role.body);
        self.scope.truncate(mark);
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(it) => self.expr(it),
            Cond::Let(pattern, it) => {
                self.expr(it);
                let of = self.struct_of(it);
                self.pattern(pattern, of);
            }
        }
    }

    /// What is assigned: the name itself is written, what it is indexed with is read.
    fn place(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) => self.path(path, Access::Writes, Stand::Name),
            ExprKind::Field(base, name) => {
                self.expr(base);
                self.field(base, name, Access::Writes);
            }
            ExprKind::Tuple(parts) => parts.iter().for_each(|it| self.place(it)),
            _ => self.expr(expr),
        }
    }

    /// An expression where a lone name may be a word or a variant, which only an instance knows.
    pub(super) fn value(&mut self, expr: &Expr) {
        self.lone(expr, Stand::Value);
    }

    /// An expression that is a name alone, if that stands for something else there than elsewhere.
    fn lone(&mut self, expr: &Expr, stand: Stand) {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => self.path(path, Access::Reads, stand),
            _ => self.expr(expr),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.expr_grown(expr));
    }

    fn expr_grown(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) => self.path(path, Access::Reads, Stand::Name),
            ExprKind::Field(base, name) => {
                self.expr(base);
                self.field(base, name, Access::Reads);
            }
            ExprKind::Call(callee, args) => self.call(callee, args),
            ExprKind::Bracket(base, args) => {
                let owner = self.owner(base, Access::Reads);
                self.expr(base);
                self.bracket_args(args, owner.as_ref());
            }
            ExprKind::Unary(_, a) | ExprKind::TupleField(a, ..) => self.expr(a),
            ExprKind::Optional(a) | ExprKind::Paren(a) => self.expr(a),
            ExprKind::Binary(_, a, b) => {
                self.value(a);
                self.value(b);
            }
            ExprKind::At(a, b) | ExprKind::Repeat(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(|it| self.expr(it));
            }
            ExprKind::Record(parts) => parts.iter().for_each(|it| self.expr(&it.1)),
            ExprKind::Range(it) => {
                it.lo.iter().chain(&it.hi).chain(&it.step).for_each(|it| self.expr(it));
            }
            ExprKind::Memory(it) => {
                self.expr(&it.ty);
                it.strides.iter().flatten().chain(&it.align).for_each(|it| self.expr(it));
            }
            ExprKind::If(it) => self.branch(it),
            ExprKind::Block(it) => self.block(it),
            ExprKind::Closure(params, body) => {
                let mark = self.scope.len();
                for it in params {
                    it.ty.iter().for_each(|it| self.expr(it));
                    it.default.iter().for_each(|it| self.value(it));
                    self.pattern(
                        &it.pattern,
                        it.ty.as_ref().and_then(|it| self.structs.of_type(it)),
                    );
                }
                self.expr(body);
                self.scope.truncate(mark);
            }
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Missing => {}
        }
    }

    fn branch(&mut self, it: &If) {
        let mark = self.scope.len();
        self.cond(&it.cond);
        self.block(&it.then);
        self.scope.truncate(mark);
        it.otherwise.iter().for_each(|it| self.expr(it));
    }

    fn call(&mut self, callee: &Expr, args: &[Arg]) {
        let (base, brackets) = match &*callee.kind {
            ExprKind::Bracket(base, brackets) => (base, &brackets[..]),
            _ => (callee, &[][..]),
        };
        let owner = self.owner(base, Access::Calls);
        match &*base.kind {
            ExprKind::Path(path) => self.path(path, Access::Calls, Stand::Callee),
            ExprKind::Field(receiver, name) => {
                self.expr(receiver);
                self.field(receiver, name, Access::Calls);
            }
            _ => self.expr(base),
        }
        self.bracket_args(brackets, owner.as_ref());
        for arg in args {
            if let Some(label) = &arg.name {
                self.label(label, owner.as_ref());
            }
            match takes_word(callee, arg) {
                Word::Alone => self.lone(&arg.value, Stand::Word),
                Word::Called => self.word(&arg.value),
                Word::None => self.value(&arg.value),
            }
        }
    }

    /// `round: stochastic(bits)`: a word with arguments.
    fn word(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Call(callee, args) => {
                self.lone(callee, Stand::Word);
                args.iter().for_each(|it| self.value(&it.value));
            }
            _ => self.lone(expr, Stand::Word),
        }
    }

    fn bracket_args(&mut self, args: &[BracketArg], owner: Option<&Owner>) {
        for arg in args {
            match arg {
                BracketArg::Value(it) => self.value(it),
                BracketArg::Named(label, it) => {
                    self.label(label, owner);
                    self.value(it);
                }
                BracketArg::Whole(_) => {}
            }
        }
    }
}

/// What an argument's word is.
enum Word {
    /// None: it is an expression.
    None,
    /// `evict: last`: the word belongs to the callee, and only a named argument can be one.
    Alone,
    /// One that may have arguments of its own.
    Called,
}

fn takes_word(callee: &Expr, arg: &Arg) -> Word {
    if matches!(&*callee.kind, ExprKind::Field(_, name) if name.text == "has") {
        return Word::Alone;
    }
    let Some(name) = &arg.name else { return Word::None };
    if let ExprKind::Path(path) = &*callee.kind {
        let texts: Vec<_> = path.iter().map(|it| it.text.clone()).collect();
        if Builtin::function(&texts).is_some_and(|it| it.takes_word(&name.text)) {
            return Word::Called;
        }
    }
    Word::Alone
}
