//! Unknown names in items, also in those that no kernel reaches.
//!
//! A walk over the tree with the names in scope, no values. What only an instance can know is left to
//! it: words of a callee (`evict: last`), variants of an expected enum, functions of host code.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use tile_syntax::ast::{
    Arg, Block, BracketArg, ClauseKind, Cond, Const, Expr, ExprKind, Fn, Generic, If, Item,
    ItemKind, Name, Note, Param, Pattern, PatternKind, Role, Span, Stmt, StmtKind, Struct,
};

use crate::db::{self, Db, ItemSource, Package, SourceFile};
use crate::diagnostic::Diagnostic;
use crate::elab;
use crate::ir::{ItemKey, Place};
use crate::names::{self, DeclKind};
use crate::report;

/// Unknown names in an item.
#[salsa::tracked(returns(ref))]
pub(super) fn item<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: ItemSource<'db>,
) -> Arc<[Diagnostic]> {
    let mut walk = Walk {
        db,
        file,
        key: item.key(db).clone(),
        scope: Vec::new(),
        found: Vec::new(),
        in_host_code: false,
    };
    walk.item(&db::parsed(db, item).item);
    walk.found.into()
}

/// The names of all variants of all enums: what a lone name may be where an enum is expected.
#[salsa::tracked(returns(ref))]
fn names_of_variants(db: &dyn Db) -> FxHashSet<SmolStr> {
    let files = Package::get(db).files(db);
    let decls = files.iter().flat_map(|it| &names::module(db, *it).decls);
    let variants = decls.flat_map(|it| match &it.kind {
        DeclKind::Enum(variants) => &variants[..],
        _ => &[],
    });
    variants.cloned().collect()
}

struct Walk<'db> {
    db: &'db dyn Db,
    file: SourceFile,
    key: ItemKey,
    scope: Vec<SmolStr>,
    found: Vec<Diagnostic>,
    in_host_code: bool,
}

impl Walk<'_> {
    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Const(it) => self.constant(it),
            ItemKind::Struct(it) | ItemKind::Permit(it) => self.structure(it),
            ItemKind::Fn(it) | ItemKind::Kernel(it) => self.function(it),
            ItemKind::Impl(it) => {
                let mark = self.scope.len();
                self.scope.extend(it.generics.iter().map(|it| it.name.text.clone()));
                if names::resolve(self.db, self.file, std::slice::from_ref(&it.name.text))
                    .is_empty()
                    && !it.name.text.is_empty()
                {
                    self.unknown(&it.name.text, it.name.span);
                }
                it.members.iter().for_each(|it| self.item(it));
                self.scope.truncate(mark);
            }
            ItemKind::Build(it) => self.expr(&it.kernel),
            ItemKind::Tune(it) => {
                let place = Place { item: self.key.clone(), span: it.kernel.span };
                self.found.push(report::comptime::unsupported(place, "`tune`"));
            }
            ItemKind::Test(it) | ItemKind::Bench(it) => {
                self.in_host_code = true;
                it.body.iter().for_each(|it| self.block(it));
            }
            ItemKind::Use(_) | ItemKind::Enum(_) | ItemKind::Broken(_) => {}
        }
    }

    fn constant(&mut self, it: &Const) {
        it.ty.iter().for_each(|it| self.expr(it));
        self.expr(&it.value);
    }

    fn generics(&mut self, generics: &[Generic]) {
        for it in generics {
            it.ty.iter().for_each(|it| self.expr(it));
            it.default.iter().for_each(|it| self.value(it));
            self.scope.push(it.name.text.clone());
        }
    }

    fn structure(&mut self, it: &Struct) {
        self.generics(&it.generics);
        it.fields.iter().for_each(|it| self.sizes(&it.ty));
        for field in &it.fields {
            self.expr(&field.ty);
            field.default.iter().for_each(|it| self.value(it));
        }
        self.scope.clear();
    }

    fn function(&mut self, it: &Fn) {
        let mark = self.scope.len();
        self.generics(&it.generics);
        it.params.iter().flat_map(|it| &it.ty).for_each(|it| self.sizes(it));
        self.params(&it.params);
        it.result.iter().for_each(|it| self.expr(it));
        for clause in &it.clauses {
            match &clause.kind {
                ClauseKind::Where(exprs)
                | ClauseKind::Grid { dims: exprs, .. }
                | ClauseKind::Cluster(exprs) => {
                    exprs.iter().for_each(|it| self.expr(it));
                }
                ClauseKind::Warps(it) => self.expr(it),
                ClauseKind::Requires(_)
                | ClauseKind::Expect(_)
                | ClauseKind::Allow { .. }
                | ClauseKind::Pdl => {}
            }
        }
        it.body.iter().for_each(|it| self.block(it));
        self.scope.truncate(mark);
    }

    fn params(&mut self, params: &[Param]) {
        for it in params {
            it.ty.iter().for_each(|it| self.expr(it));
            it.default.iter().for_each(|it| self.value(it));
            self.pattern(&it.pattern);
        }
    }

    /// Sizes and strides that a tensor's type binds by naming them.
    fn sizes(&mut self, mut ty: &Expr) {
        while let ExprKind::Optional(inner) | ExprKind::Paren(inner) = &*ty.kind {
            ty = inner;
        }
        let ExprKind::Memory(memory) = &*ty.kind else { return };
        let mut shape = &memory.ty;
        while let ExprKind::Optional(inner) = &*shape.kind {
            shape = inner;
        }
        if let ExprKind::Bracket(_, dims) = &*shape.kind {
            for dim in dims {
                match dim {
                    BracketArg::Value(it) => self.size(it),
                    BracketArg::Named(name, _) => self.scope.push(name.text.clone()),
                    BracketArg::Whole(_) => {}
                }
            }
        }
        memory.strides.iter().flatten().for_each(|it| self.size(it));
    }

    /// The names in a size: all of them are bound by it.
    fn size(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => self.scope.push(path[0].text.clone()),
            ExprKind::Binary(_, a, b) => {
                self.size(a);
                self.size(b);
            }
            _ => {}
        }
    }

    fn pattern(&mut self, it: &Pattern) {
        match &it.kind {
            PatternKind::Name(name) => self.scope.push(name.text.clone()),
            PatternKind::Ignore => {}
            PatternKind::Tuple(parts) => parts.iter().for_each(|it| self.pattern(it)),
        }
    }

    fn block(&mut self, block: &Block) {
        let mark = self.scope.len();
        block.stmts.iter().for_each(|it| self.stmt(it));
        block.value.iter().for_each(|it| self.expr(it));
        self.scope.truncate(mark);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value, .. } => {
                ty.iter().for_each(|it| self.expr(it));
                value.iter().for_each(|it| self.value(it));
                self.pattern(pattern);
            }
            StmtKind::Const(it) => {
                self.constant(it);
                self.scope.push(it.name.text.clone());
            }
            StmtKind::Assign { place, value, .. } => {
                self.expr(place);
                self.value(value);
            }
            StmtKind::Expr(it) => self.expr(it),
            StmtKind::For(it) => {
                self.expr(&it.iter);
                self.notes(&it.notes);
                let mark = self.scope.len();
                it.patterns.iter().for_each(|it| self.pattern(it));
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
        notes.iter().for_each(|it| self.args(&it.args));
    }

    fn role(&mut self, role: &Role) {
        let mark = self.scope.len();
        if let Some((name, span)) = &role.copies {
            self.expr(span);
            self.scope.push(name.text.clone());
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
                self.pattern(pattern);
            }
        }
    }

    fn args(&mut self, args: &[Arg]) {
        args.iter().for_each(|it| self.value(&it.value));
    }

    /// An expression where a lone name may be a word or a variant, which only an instance knows.
    fn value(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 && self.is_variant(&path[0].text) => {}
            _ => self.expr(expr),
        }
    }

    fn is_variant(&self, name: &str) -> bool {
        self.in_host_code || names_of_variants(self.db).contains(name)
    }

    fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.expr_grown(expr));
    }

    fn expr_grown(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) => self.path(path, expr.span),
            ExprKind::Unary(_, a) | ExprKind::Field(a, _) | ExprKind::TupleField(a, ..) => {
                self.expr(a)
            }
            ExprKind::Optional(a) | ExprKind::Paren(a) => self.expr(a),
            ExprKind::Binary(_, a, b) => {
                self.value(a);
                self.value(b);
            }
            ExprKind::At(a, b) | ExprKind::Repeat(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Call(callee, args) => self.call(callee, args),
            ExprKind::Bracket(base, args) => {
                self.expr(base);
                for arg in args {
                    match arg {
                        BracketArg::Value(it) | BracketArg::Named(_, it) => self.value(it),
                        BracketArg::Whole(_) => {}
                    }
                }
            }
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(|it| self.expr(it))
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
                self.params(params);
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

    fn call(&mut self, callee: &Expr, args: &[Arg]) {
        if !self.is_of_host(callee) {
            self.expr(callee);
        }
        for arg in args {
            // `evict: last`: the word belongs to the callee, and only a named argument can be one.
            let lone = matches!(&*arg.value.kind, ExprKind::Path(path) if path.len() == 1);
            let of_callee = matches!(&*callee.kind, ExprKind::Field(_, name) if name.text == "has");
            let word = of_callee || (lone && arg.name.is_some()) || self.is_word(callee, arg);
            if !word {
                self.value(&arg.value);
            }
        }
    }

    /// Whether a callee is an operation of host code.
    fn is_of_host(&self, callee: &Expr) -> bool {
        let ExprKind::Path(path) = &*callee.kind else { return false };
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        self.in_host_code && (texts == ["expect_error"] || crate::host::knows(&texts))
    }

    /// `round: stochastic(bits)`: a word with arguments.
    fn is_word(&self, callee: &Expr, arg: &Arg) -> bool {
        let (Some(name), ExprKind::Path(path)) = (&arg.name, &*callee.kind) else { return false };
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        crate::op::surface::Builtin::function(&texts).is_some_and(|it| it.takes_word(&name.text))
    }

    fn branch(&mut self, it: &If) {
        let mark = self.scope.len();
        self.cond(&it.cond);
        self.block(&it.then);
        self.scope.truncate(mark);
        it.otherwise.iter().for_each(|it| self.expr(it));
    }

    fn path(&mut self, path: &[Name], span: Span) {
        let lone = |name: &Name| {
            self.scope.contains(&name.text)
                || matches!(&*name.text, "None" | "_" | "self" | "static_assert" | "print")
        };
        if path.iter().any(|it| it.text.is_empty()) || (path.len() == 1 && lone(&path[0])) {
            return;
        }
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        if names::resolve(self.db, self.file, &texts).is_empty()
            && !elab::is_word_of_language(&texts)
        {
            self.unknown(&texts.join("::"), span);
        }
    }

    fn unknown(&mut self, text: &str, span: Span) {
        let last = text.rsplit("::").next().unwrap_or(text);
        let mut known = self.scope.clone();
        known.extend(names::visible(self.db, self.file));
        known.extend(elab::words_of_language());
        let near = names::suggest::nearest(last, known.iter().map(SmolStr::as_str));
        let place = Place { item: self.key.clone(), span };
        self.found.push(report::names::unknown(place, text, near.as_deref()));
    }
}
