//! Finding one's way in a tree: the item at a byte, the expressions around it, all bindings.

use std::sync::Arc;

use tile_language::db::{self, Db, SourceFile};
use tile_language::ir::ItemKey;
use tile_syntax::ast::{
    Block, BracketArg, ClauseKind, Cond, Const, Expr, ExprKind, Fn, Generic, If, Item, ItemKind,
    Name, Param, Pattern, Span, Stmt, StmtKind,
};

/// An item around a byte.
pub struct ItemAt {
    /// What it is called.
    pub key: ItemKey,
    /// Its first byte in the file.
    pub start: u32,
    /// The byte, relative to the item.
    pub at: u32,
    /// Its tree.
    pub tree: Arc<Item>,
}

/// The item around a byte; where two touch, the first.
pub fn item_at(db: &dyn Db, file: SourceFile, byte: u32) -> Option<ItemAt> {
    let sources = db::items(db, file).iter().zip(db::item_starts(db, file));
    let mut around = sources.filter(|(source, (_, start))| {
        *start <= byte && byte <= *start + source.text(db).len() as u32
    });
    let (source, (key, start)) = around.next()?;
    let tree = db::parsed(db, *source).item.clone();
    Some(ItemAt { key: key.clone(), start: *start, at: byte - start, tree })
}

/// What a walk over an item meets, in the order of the text.
pub trait Visitor<'t> {
    /// An expression, before its parts.
    fn expr(&mut self, _expr: &'t Expr) {}
    /// What a `let`, `var`, loop, closure or condition binds, with its type and value if they stand there.
    fn binding(&mut self, _pattern: &'t Pattern, _ty: Option<&'t Expr>, _value: Option<&'t Expr>) {}
    /// A constant, at file level or in a body.
    fn constant(&mut self, _it: &'t Const) {}
    /// A compile-time parameter.
    fn generic(&mut self, _it: &'t Generic) {}
    /// A parameter of a function.
    fn param(&mut self, _it: &'t Param) {}
    /// A block is entered.
    fn enter(&mut self, _span: Span) {}
    /// A block is left.
    fn leave(&mut self, _span: Span) {}
    /// A kernel's, function's or role's own name for something: a size in a tensor's shape.
    fn size(&mut self, _name: &'t Name) {}
}

/// Walks over an item.
pub fn walk<'t>(item: &'t Item, visitor: &mut dyn Visitor<'t>) {
    let mut walk = Walk { visitor };
    walk.item(item);
}

/// The expressions around a byte of an item, the smallest last.
pub fn exprs_around(item: &Item, at: u32) -> Vec<&Expr> {
    struct Around<'t> {
        at: u32,
        found: Vec<&'t Expr>,
    }
    impl<'t> Visitor<'t> for Around<'t> {
        fn expr(&mut self, expr: &'t Expr) {
            if expr.span.lo <= self.at && self.at <= expr.span.hi {
                self.found.push(expr);
            }
        }
    }
    let mut around = Around { at, found: Vec::new() };
    walk(item, &mut around);
    around.found.sort_by_key(|it| std::cmp::Reverse(it.span.hi - it.span.lo));
    around.found
}

struct Walk<'v, 't> {
    visitor: &'v mut dyn Visitor<'t>,
}

impl<'t> Walk<'_, 't> {
    fn item(&mut self, item: &'t Item) {
        match &item.kind {
            ItemKind::Const(it) => self.constant(it),
            ItemKind::Struct(it) | ItemKind::Permit(it) => {
                self.generics(&it.generics);
                for field in &it.fields {
                    self.expr(&field.ty);
                    self.exprs(&field.default);
                }
            }
            ItemKind::Fn(it) | ItemKind::Kernel(it) => self.function(it),
            ItemKind::Impl(it) => {
                self.visitor.enter(item.span);
                self.generics(&it.generics);
                it.members.iter().for_each(|it| self.item(it));
                self.visitor.leave(item.span);
            }
            ItemKind::Build(it) => self.expr(&it.kernel),
            ItemKind::Tune(it) => {
                self.expr(&it.kernel);
                it.axes.iter().for_each(|it| self.expr(&it.1));
                self.exprs(&it.conditions);
            }
            ItemKind::Test(it) | ItemKind::Bench(it) => {
                it.body.iter().for_each(|it| self.block(it));
            }
            ItemKind::Use(_) | ItemKind::Enum(_) | ItemKind::Broken(_) => {}
        }
    }

    fn constant(&mut self, it: &'t Const) {
        self.exprs(&it.ty);
        self.expr(&it.value);
        self.visitor.constant(it);
    }

    fn generics(&mut self, generics: &'t [Generic]) {
        for it in generics {
            self.exprs(&it.ty);
            self.exprs(&it.default);
            self.visitor.generic(it);
        }
    }

    fn function(&mut self, it: &'t Fn) {
        let end = it.body.as_ref().map_or(it.name.span, |it| it.span);
        let all = it.name.span.to(end);
        self.visitor.enter(all);
        self.generics(&it.generics);
        for param in &it.params {
            self.exprs(&param.ty);
            self.exprs(&param.default);
            self.visitor.param(param);
        }
        self.exprs(&it.result);
        for clause in &it.clauses {
            match &clause.kind {
                ClauseKind::Where(exprs)
                | ClauseKind::Grid { dims: exprs, .. }
                | ClauseKind::Cluster(exprs)
                | ClauseKind::Expect(exprs) => self.exprs(exprs),
                ClauseKind::Warps(expr) => self.expr(expr),
                ClauseKind::Requires(_) | ClauseKind::Allow { .. } | ClauseKind::Pdl => {}
            }
        }
        it.body.iter().for_each(|it| self.block(it));
        self.visitor.leave(all);
    }

    fn block(&mut self, block: &'t Block) {
        self.visitor.enter(block.span);
        block.stmts.iter().for_each(|it| self.stmt(it));
        block.value.iter().for_each(|it| self.expr(it));
        self.visitor.leave(block.span);
    }

    fn stmt(&mut self, stmt: &'t Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value, .. } => {
                self.exprs(ty);
                self.exprs(value);
                self.visitor.binding(pattern, ty.as_ref(), value.as_ref());
            }
            StmtKind::Const(it) => self.constant(it),
            StmtKind::Assign { place, value, .. } => {
                self.expr(place);
                self.expr(value);
            }
            StmtKind::Expr(it) => self.expr(it),
            StmtKind::For(it) => {
                self.expr(&it.iter);
                it.notes.iter().flat_map(|it| &it.args).for_each(|it| self.expr(&it.value));
                self.visitor.enter(it.body.span);
                it.patterns.iter().for_each(|it| self.visitor.binding(it, None, None));
                self.block(&it.body);
                self.visitor.leave(it.body.span);
            }
            StmtKind::While(it) => {
                self.visitor.enter(stmt.span);
                self.cond(&it.cond);
                it.notes.iter().flat_map(|it| &it.args).for_each(|it| self.expr(&it.value));
                self.block(&it.body);
                self.visitor.leave(stmt.span);
            }
            StmtKind::Return(it) | StmtKind::Yield(it) => self.exprs(it),
            StmtKind::Roles(roles) => {
                for role in roles {
                    self.exprs(&role.warps);
                    self.exprs(&role.regs);
                    role.copies.iter().for_each(|it| self.expr(&it.1));
                    self.visitor.enter(role.span);
                    role.copies.iter().for_each(|it| self.visitor.size(&it.0));
                    self.block(&role.body);
                    self.visitor.leave(role.span);
                }
            }
            StmtKind::Elect(body) | StmtKind::Trust { body, .. } => self.block(body),
            StmtKind::Hole(body) => body.iter().for_each(|it| self.block(it)),
        }
    }

    fn cond(&mut self, cond: &'t Cond) {
        match cond {
            Cond::Expr(it) => self.expr(it),
            Cond::Let(pattern, it) => {
                self.expr(it);
                self.visitor.binding(pattern, None, None);
            }
        }
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'t Expr>) {
        exprs.into_iter().for_each(|it| self.expr(it));
    }

    fn expr(&mut self, expr: &'t Expr) {
        self.visitor.expr(expr);
        match &*expr.kind {
            ExprKind::Unary(_, a) | ExprKind::Field(a, _) | ExprKind::TupleField(a, ..) => {
                self.expr(a);
            }
            ExprKind::Binary(_, a, b) | ExprKind::At(a, b) | ExprKind::Repeat(a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Call(callee, args) => {
                self.expr(callee);
                args.iter().for_each(|it| self.expr(&it.value));
            }
            ExprKind::Bracket(base, args) => {
                self.expr(base);
                self.brackets(args);
            }
            ExprKind::Tuple(parts) | ExprKind::Array(parts) => self.exprs(parts),
            ExprKind::Record(parts) => parts.iter().for_each(|it| self.expr(&it.1)),
            ExprKind::Range(it) => self.exprs(it.lo.iter().chain(&it.hi).chain(&it.step)),
            ExprKind::Optional(it) | ExprKind::Paren(it) => self.expr(it),
            ExprKind::Memory(it) => {
                match &*it.ty.kind {
                    ExprKind::Bracket(base, dims) => {
                        self.visitor.expr(&it.ty);
                        self.expr(base);
                        self.sizes(dims);
                    }
                    _ => self.expr(&it.ty),
                }
                self.exprs(it.strides.iter().flatten());
                self.exprs(&it.align);
            }
            ExprKind::If(it) => self.condition(it, expr.span),
            ExprKind::Block(it) => self.block(it),
            ExprKind::Closure(params, body) => {
                self.visitor.enter(expr.span);
                params
                    .iter()
                    .for_each(|it| self.visitor.binding(&it.pattern, it.ty.as_ref(), None));
                self.expr(body);
                self.visitor.leave(expr.span);
            }
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Path(_)
            | ExprKind::Missing => {}
        }
    }

    fn brackets(&mut self, args: &'t [BracketArg]) {
        for arg in args {
            match arg {
                BracketArg::Value(it) | BracketArg::Named(_, it) => self.expr(it),
                BracketArg::Whole(_) => {}
            }
        }
    }

    /// The extents of a tensor, whose lone names are sizes that it binds.
    fn sizes(&mut self, dims: &'t [BracketArg]) {
        for dim in dims {
            match dim {
                BracketArg::Value(it) => match &*it.kind {
                    ExprKind::Path(path) if path.len() == 1 => {
                        self.visitor.expr(it);
                        self.visitor.size(&path[0]);
                    }
                    _ => self.expr(it),
                },
                BracketArg::Named(name, _) => self.visitor.size(name),
                BracketArg::Whole(_) => {}
            }
        }
    }

    fn condition(&mut self, it: &'t If, span: Span) {
        self.visitor.enter(span);
        self.cond(&it.cond);
        self.block(&it.then);
        self.visitor.leave(span);
        self.exprs(&it.otherwise);
    }
}
