//! What is wrong with a body before any instance of it: calls, kinds, fields, ranks, elements.
//!
//! A walk over the tree with the sorts of names in scope ([`sort`]), no values and no IR. It finds
//! what can be seen from the text and the heads that it names, so that a function that no kernel
//! reaches is looked at too; where a type is not written, it says nothing. An instance finds the same
//! and more, in the same words: what it says stands, and what is found here at the same place goes.
//!
//! Absent on purpose: host code, whose tensors have no types before it runs.

mod calls;
mod operators;
mod signature;
mod sort;

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{
    Binding, Block, BracketArg, Clause, ClauseKind, Cond, Expr, ExprKind, Fn, FnKind, If, Impl,
    Item, ItemKind, Name, Param, Pattern, PatternKind, Span, Stmt, StmtKind,
};

use self::signature::Signature;
use self::sort::{Sort, Types};
use crate::db::{self, Db, ItemSource, SourceFile};
use crate::diagnostic::Diagnostic;
use crate::dtype::DType;
use crate::ir::{ItemKey, Place};
use crate::names::TypeRef;
use crate::report;

/// What is wrong with an item before any instance; nothing if its text is damaged.
#[salsa::tracked(returns(ref))]
pub(super) fn body<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: ItemSource<'db>,
) -> Arc<[Diagnostic]> {
    let parsed = db::parsed(db, item);
    if !parsed.errors.is_empty() {
        return Arc::from([]);
    }
    let key = item.key(db).clone();
    let text = item.text(db);
    let mut walk = Walk::new(db, file, key, text);
    walk.item(&parsed.item);
    walk.found.into()
}

/// What is known of the expressions and names of an item from the text alone, by place: for a function
/// that no instance reaches.
#[salsa::tracked(returns(ref))]
pub(super) fn sorts<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: ItemSource<'db>,
) -> Vec<(Span, String)> {
    let mut walk = Walk::new(db, file, item.key(db).clone(), item.text(db));
    walk.sorts = Some(Vec::new());
    walk.item(&db::parsed(db, item).item);
    let mut sorts = walk.sorts.unwrap_or_default();
    sorts.sort();
    sorts.dedup();
    sorts
}

struct Walk<'db> {
    db: &'db dyn Db,
    file: SourceFile,
    key: ItemKey,
    text: &'db str,
    scope: Vec<(SmolStr, Sort)>,
    /// The struct whose `init` is looked at: there its constructor is the bare struct.
    builds: Option<TypeRef>,
    found: Vec<Diagnostic>,
    /// What was seen, if anybody asked.
    sorts: Option<Vec<(Span, String)>>,
}

impl<'db> Walk<'db> {
    fn new(db: &'db dyn Db, file: SourceFile, key: ItemKey, text: &'db str) -> Walk<'db> {
        let (scope, found) = (Vec::new(), Vec::new());
        Walk { db, file, key, text, scope, builds: None, found, sorts: None }
    }
}

impl Walk<'_> {
    /// Keeps what stands at a span, if anybody asked and something is known.
    fn see(&mut self, span: Span, sort: &Sort) {
        if let Some(sorts) = &mut self.sorts
            && *sort != Sort::Unknown
        {
            sorts.push((span, sort.describe()));
        }
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Fn(it) | ItemKind::Kernel(it) => self.function(it, None),
            ItemKind::Impl(it) => {
                for member in &it.members {
                    if let ItemKind::Fn(decl) = &member.kind {
                        self.function(decl, Some(it));
                    }
                }
            }
            _ => {}
        }
    }

    fn place(&self, span: Span) -> Place {
        Place { item: self.key.clone(), span }
    }

    fn text(&self, span: Span) -> &str {
        self.text.get(span.lo as usize..span.hi as usize).unwrap_or_default()
    }

    fn types(&self) -> Types<'_> {
        Types { db: self.db, file: self.file, scope: &self.scope }
    }

    fn function(&mut self, it: &Fn, owner: Option<&Impl>) {
        let mut generics = owner.map(|it| it.generics.clone()).unwrap_or_default();
        generics.extend(it.generics.iter().cloned());
        self.scope = sort::generics(self.db, self.file, &generics);
        let owner = owner.and_then(|it| {
            let path = ExprKind::Path(vec![it.name.clone()]);
            self.types().struct_of(&Expr { kind: Box::new(path), span: it.name.span })
        });
        self.params(&it.params, owner.as_ref());
        self.builds = owner.filter(|_| it.kind == FnKind::Init);
        it.clauses.iter().for_each(|it| self.clause(it));
        it.body.iter().for_each(|it| drop(self.block(it)));
    }

    fn clause(&mut self, it: &Clause) {
        match &it.kind {
            ClauseKind::Where(exprs) | ClauseKind::Grid { dims: exprs, .. } => {
                exprs.iter().for_each(|it| drop(self.expr(it)));
            }
            ClauseKind::Warps(_)
            | ClauseKind::Cluster(_)
            | ClauseKind::Requires(_)
            | ClauseKind::Expect(_)
            | ClauseKind::Allow { .. }
            | ClauseKind::Pdl => {}
        }
    }

    fn params(&mut self, params: &[Param], this: Option<&TypeRef>) {
        for it in params {
            let sort = match (&it.ty, &it.pattern.kind, this) {
                (Some(ty), ..) => self.types().members(ty),
                (None, PatternKind::Name(name), Some(this)) if name.text == "self" => {
                    Sort::Struct(this.clone())
                }
                _ => Sort::Unknown,
            };
            it.default.iter().for_each(|it| drop(self.expr(it)));
            self.bind(&it.pattern, sort);
        }
    }

    fn bind(&mut self, pattern: &Pattern, sort: Sort) {
        match &pattern.kind {
            PatternKind::Name(name) => {
                self.see(pattern.span, &sort);
                self.scope.push((name.text.clone(), sort));
            }
            PatternKind::Ignore => {}
            PatternKind::Tuple(parts) => {
                parts.iter().for_each(|it| self.bind(it, Sort::Unknown));
            }
        }
    }

    fn block(&mut self, block: &Block) -> Sort {
        let mark = self.scope.len();
        block.stmts.iter().for_each(|it| self.stmt(it));
        let sort = block.value.as_ref().map_or(Sort::Unknown, |it| self.expr(it));
        self.scope.truncate(mark);
        sort
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { binding, pattern, ty, value } => {
                let value = value.as_ref().map_or(Sort::Unknown, |it| self.expr(it));
                let sort = match (ty, value) {
                    (Some(ty), _) => self.types().members(ty),
                    // A `var` of a number takes its type from what happens to it.
                    (None, Sort::Int | Sort::Float | Sort::Bool) if *binding == Binding::Var => {
                        Sort::Unknown
                    }
                    (None, sort) => sort,
                };
                self.bind(pattern, sort);
            }
            StmtKind::Const(it) => {
                let sort = self.expr(&it.value);
                self.scope.push((it.name.text.clone(), sort));
            }
            StmtKind::Assign { place, op, value } => {
                let (place, value_sort) = (self.expr(place), self.expr(value));
                if let Some(op) = op {
                    self.binary(*op, (&place, stmt.span), (&value_sort, value.span), stmt.span);
                }
            }
            StmtKind::Expr(it) => drop(self.expr(it)),
            StmtKind::For(it) => {
                self.iterated(&it.iter);
                let mark = self.scope.len();
                it.patterns.iter().for_each(|it| self.bind(it, Sort::Unknown));
                self.block(&it.body);
                self.scope.truncate(mark);
            }
            StmtKind::While(it) => {
                let mark = self.scope.len();
                self.cond(&it.cond);
                self.block(&it.body);
                self.scope.truncate(mark);
            }
            StmtKind::Return(it) | StmtKind::Yield(it) => {
                it.iter().for_each(|it| drop(self.expr(it)));
            }
            StmtKind::Roles(roles) => {
                for role in roles {
                    let mark = self.scope.len();
                    let copy = role.copies.iter().map(|it| (it.0.text.clone(), Sort::Unknown));
                    self.scope.extend(copy);
                    self.block(&role.body);
                    self.scope.truncate(mark);
                }
            }
            StmtKind::Elect(body) | StmtKind::Trust { body, .. } => drop(self.block(body)),
            StmtKind::Hole(_) => {}
        }
    }

    /// What a loop runs over: a call there may mean an `iter`, whose name a function may share.
    fn iterated(&mut self, it: &Expr) {
        match &*it.kind {
            ExprKind::Call(callee, args) => {
                if let ExprKind::Field(receiver, _) = &*callee.kind {
                    self.expr(receiver);
                }
                args.iter().for_each(|it| drop(self.expr(&it.value)));
            }
            _ => drop(self.expr(it)),
        }
    }

    fn cond(&mut self, cond: &Cond) {
        match cond {
            Cond::Expr(it) => drop(self.expr(it)),
            Cond::Let(pattern, it) => {
                self.expr(it);
                self.bind(pattern, Sort::Unknown);
            }
        }
    }

    fn branch(&mut self, it: &If) {
        let mark = self.scope.len();
        self.cond(&it.cond);
        self.block(&it.then);
        self.scope.truncate(mark);
        it.otherwise.iter().for_each(|it| drop(self.expr(it)));
    }

    /// The sort of an expression; what is wrong in it is reported on the way.
    fn expr(&mut self, expr: &Expr) -> Sort {
        let sort = stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.expr_grown(expr));
        self.see(expr.span, &sort);
        sort
    }

    fn expr_grown(&mut self, expr: &Expr) -> Sort {
        match &*expr.kind {
            ExprKind::Int(_) => Sort::Int,
            ExprKind::Float(_) => Sort::Float,
            ExprKind::Str(_) => Sort::Str,
            ExprKind::Bool(_) => Sort::Bool,
            ExprKind::Path(path) => self.path(path),
            ExprKind::Paren(it) => self.expr(it),
            ExprKind::Unary(op, it) => {
                let sort = self.expr(it);
                self.unary(*op, sort, expr.span)
            }
            ExprKind::Binary(op, a, b) => {
                let (lhs, rhs) = (self.expr(a), self.expr(b));
                self.binary(*op, (&lhs, a.span), (&rhs, b.span), expr.span)
            }
            ExprKind::At(shape, layout) => {
                self.expr(layout);
                self.expr(shape)
            }
            ExprKind::Call(callee, args) => self.call(callee, args, expr.span),
            ExprKind::Field(base, name) => {
                let base = self.expr(base);
                self.field(&base, name)
            }
            ExprKind::If(it) => {
                self.branch(it);
                Sort::Unknown
            }
            ExprKind::Block(it) => self.block(it),
            ExprKind::Closure(params, body) => {
                let mark = self.scope.len();
                self.params(params, None);
                self.expr(body);
                self.scope.truncate(mark);
                Sort::Unknown
            }
            _ => self.parts(expr),
        }
    }

    /// What has parts and no sort of its own.
    fn parts(&mut self, expr: &Expr) -> Sort {
        match &*expr.kind {
            ExprKind::Bracket(base, args) => {
                self.expr(base);
                for arg in args {
                    match arg {
                        BracketArg::Value(it) | BracketArg::Named(_, it) => drop(self.expr(it)),
                        BracketArg::Whole(_) => {}
                    }
                }
            }
            ExprKind::TupleField(it, ..) | ExprKind::Optional(it) => drop(self.expr(it)),
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(|it| drop(self.expr(it)));
            }
            ExprKind::Record(parts) => parts.iter().for_each(|it| drop(self.expr(&it.1))),
            ExprKind::Repeat(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Range(it) => {
                let parts = it.lo.iter().chain(&it.hi).chain(&it.step);
                parts.for_each(|it| drop(self.expr(it)));
            }
            _ => {}
        }
        Sort::Unknown
    }

    fn path(&self, path: &[Name]) -> Sort {
        let [name] = path else { return Sort::Unknown };
        match self.scope.iter().rev().find(|it| it.0 == name.text) {
            Some((_, sort)) => sort.clone(),
            None if DType::from_name(&name.text).is_some() => Sort::Type,
            None => Sort::Unknown,
        }
    }

    /// `x.name`, where `x` is a struct.
    fn field(&mut self, base: &Sort, name: &Name) -> Sort {
        let Sort::Struct(ty) = base else { return Sort::Unknown };
        let Some(decl) = signature::of(self.db, &ty.item, None) else { return Sort::Unknown };
        if let Some(it) = decl.params.iter().find(|it| it.name == name.text) {
            return it.sort.clone();
        }
        // The stage of a permit has fields that its type's arguments name.
        if decl.is_permit {
            return Sort::Unknown;
        }
        if !self.has_more(&decl, &name.text) && !name.text.is_empty() {
            let known: Vec<SmolStr> = decl.params.iter().map(|it| it.name.clone()).collect();
            let place = self.place(name.span);
            self.found.push(report::names::no_field(place, &name.text, &decl.name, &known));
        }
        Sort::Unknown
    }

    /// Whether a struct has something of that name that is no field.
    fn has_more(&self, decl: &Signature, name: &str) -> bool {
        decl.generics.iter().any(|it| it.name == name) || decl.sizes.iter().any(|it| it == name)
    }
}
