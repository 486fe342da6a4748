//! The walk over an item's tree with the names in scope, which finds out what each name means.

use smol_str::SmolStr;
use tile_syntax::ast::{
    Arg, Binding, Block, BracketArg, Clause, ClauseKind, Cond, Const, Expr, ExprKind, Fn, FnKind,
    Generic, If, Item, ItemKind, Name, Note, Param, Pattern, PatternKind, Role, Span, Stmt,
    StmtKind, Struct, UseTree,
};

use super::types::{Owner, Structs};
use super::{Access, Local, LocalKind, Meaning, Mention, Mentions};
use crate::db::{Db, SourceFile};
use crate::dtype::DType;
use crate::elab;
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, Found, TypeRef};
use crate::op::surface::Builtin;

/// The names of an item.
pub(super) fn item(db: &dyn Db, file: SourceFile, key: &ItemKey, tree: &Item) -> Mentions {
    let structs = Structs { db, file };
    let mut walk = Walk {
        db,
        file,
        key,
        structs,
        member: None,
        scope: Vec::new(),
        found: Mentions::default(),
    };
    walk.item(tree);
    // A size that a type binds stands in the type, too: it is declared there, and not read.
    let list = &mut walk.found.list;
    list.sort_by_key(|it| (it.span, it.access));
    list.dedup_by(|b, a| a.span == b.span && a.means == b.means);
    walk.found
}

/// A name in scope.
struct Bound {
    name: SmolStr,
    means: Meaning,
    /// The struct that it is a value of, if that can be seen.
    of: Option<TypeRef>,
    /// Whether its written type shows that it is no struct's value.
    is_plain: bool,
}

struct Walk<'a> {
    db: &'a dyn Db,
    file: SourceFile,
    key: &'a ItemKey,
    structs: Structs<'a>,
    member: Option<u32>,
    scope: Vec<Bound>,
    found: Mentions,
}

impl Walk<'_> {
    fn note(&mut self, span: Span, means: Meaning, access: Access) {
        if span.lo < span.hi {
            self.found.list.push(Mention { span, means, access });
        }
    }

    fn item(&mut self, item: &Item) {
        let own = Meaning::Item(self.key.clone());
        match &item.kind {
            ItemKind::Use(tree) => self.used(tree, &mut Vec::new()),
            ItemKind::Const(it) => {
                self.note(it.name.span, own, Access::Declares);
                self.constant(it);
            }
            ItemKind::Struct(it) | ItemKind::Permit(it) => {
                self.note(it.name.span, own, Access::Declares);
                self.structure(it);
            }
            ItemKind::Enum(it) => {
                self.note(it.name.span, own, Access::Declares);
                for (n, (name, _)) in it.variants.iter().enumerate() {
                    let means = Meaning::Variant(self.key.clone(), n as u32);
                    self.note(name.span, means, Access::Declares);
                }
            }
            ItemKind::Fn(it) | ItemKind::Kernel(it) => {
                self.note(it.name.span, own, Access::Declares);
                self.function(it, None);
            }
            ItemKind::Impl(it) => {
                let owner = self.structs.named(&it.name.text);
                let types = names::resolve(self.db, self.file, std::slice::from_ref(&it.name.text));
                self.mean(&types, it.name.span, Access::Reads);
                self.generics(&it.generics);
                for (n, member) in it.members.iter().enumerate() {
                    self.member = Some(n as u32);
                    self.member(member, n as u32, owner.as_ref());
                    self.member = None;
                }
            }
            ItemKind::Build(it) => {
                self.note(it.name.span, own, Access::Declares);
                self.expr(&it.kernel);
            }
            ItemKind::Tune(it) => {
                self.expr(&it.kernel);
                it.axes.iter().for_each(|it| self.expr(&it.1));
                it.conditions.iter().for_each(|it| self.expr(it));
            }
            ItemKind::Test(it) | ItemKind::Bench(it) => {
                it.body.iter().for_each(|it| self.block(it));
            }
            ItemKind::Broken(_) => {}
        }
    }

    fn member(&mut self, item: &Item, n: u32, owner: Option<&TypeRef>) {
        let own = Meaning::Member(self.key.clone(), n);
        match &item.kind {
            ItemKind::Fn(it) => {
                if it.kind != FnKind::Init {
                    self.note(it.name.span, own, Access::Declares);
                }
                self.function(it, owner);
            }
            ItemKind::Const(it) => {
                self.note(it.name.span, own, Access::Declares);
                self.constant(it);
            }
            _ => {}
        }
    }

    fn used(&mut self, tree: &UseTree, prefix: &mut Vec<SmolStr>) {
        let depth = prefix.len();
        for (n, name) in tree.path.iter().enumerate() {
            prefix.push(name.text.clone());
            let is_last = n + 1 == tree.path.len() && tree.group.is_empty();
            let mut found = names::resolve_use(self.db, self.file, prefix);
            if !is_last {
                found.retain(|it| matches!(it, Found::Module(_) | Found::Decl(_)));
            }
            self.mean(&found, name.span, Access::Reads);
            if let (true, Some(alias)) = (is_last, &tree.alias) {
                self.mean(&found, alias.span, Access::Reads);
            }
        }
        for branch in &tree.group {
            self.used(branch, prefix);
        }
        prefix.truncate(depth);
    }

    /// Mentions all that a name was found to be.
    fn mean(&mut self, found: &[Found], span: Span, access: Access) {
        for it in found {
            let means = match it {
                Found::Decl(it) | Found::Private(it) => Meaning::Item(it.item.clone()),
                Found::Variant(it, n) => Meaning::Variant(it.item.clone(), *n),
                Found::Module(it) => Meaning::Module(it.number(self.db)),
                Found::Circle => continue,
            };
            self.note(span, means, access);
        }
    }

    fn constant(&mut self, it: &Const) {
        it.ty.iter().for_each(|it| self.expr(it));
        self.expr(&it.value);
    }

    fn structure(&mut self, it: &Struct) {
        self.generics(&it.generics);
        for (n, field) in it.fields.iter().enumerate() {
            let means = Meaning::Field(self.key.clone(), n as u32);
            self.note(field.name.span, means, Access::Declares);
            self.sizes(&field.ty);
            self.expr(&field.ty);
            field.default.iter().for_each(|it| self.expr(it));
        }
    }

    fn generics(&mut self, generics: &[Generic]) {
        for it in generics {
            it.ty.iter().for_each(|it| self.expr(it));
            it.default.iter().for_each(|it| self.expr(it));
            self.declare_param(&it.name, None);
        }
    }

    fn function(&mut self, it: &Fn, owner: Option<&TypeRef>) {
        let mark = self.scope.len();
        self.generics(&it.generics);
        it.params.iter().flat_map(|it| &it.ty).for_each(|it| self.sizes(it));
        for param in &it.params {
            self.param(param, owner);
        }
        it.result.iter().for_each(|it| self.expr(it));
        it.clauses.iter().for_each(|it| self.clause(it));
        it.body.iter().for_each(|it| self.block(it));
        self.scope.truncate(mark);
    }

    fn param(&mut self, param: &Param, owner: Option<&TypeRef>) {
        param.ty.iter().for_each(|it| self.expr(it));
        param.default.iter().for_each(|it| self.expr(it));
        match &param.pattern.kind {
            PatternKind::Name(name) => {
                let of = match &param.ty {
                    Some(ty) => self.structs.of_type(ty),
                    None => owner.filter(|_| name.text == "self").cloned(),
                };
                self.declare_param(name, of);
                if let (Some(bound), Some(ty)) = (self.scope.last_mut(), &param.ty) {
                    bound.is_plain = is_plain(ty);
                }
            }
            PatternKind::Ignore | PatternKind::Tuple(_) => self.pattern(&param.pattern, None),
        }
    }

    fn declare_param(&mut self, name: &Name, of: Option<TypeRef>) {
        let (item, member) = (self.key.clone(), self.member);
        let means = Meaning::Param { item, member, name: name.text.clone() };
        self.bind(name, means, of);
    }

    fn declare_local(&mut self, name: &Name, kind: LocalKind, of: Option<TypeRef>) {
        let means = Meaning::Local(self.key.clone(), self.found.locals.len() as u32);
        self.found.locals.push(Local { name: name.text.clone(), span: name.span, kind });
        self.bind(name, means, of);
    }

    fn bind(&mut self, name: &Name, means: Meaning, of: Option<TypeRef>) {
        self.note(name.span, means.clone(), Access::Declares);
        self.found.structs.extend(of.clone().map(|it| (means.clone(), it)));
        self.scope.push(Bound { name: name.text.clone(), means, of, is_plain: false });
    }

    fn clause(&mut self, clause: &Clause) {
        match &clause.kind {
            ClauseKind::Where(exprs)
            | ClauseKind::Grid { dims: exprs, .. }
            | ClauseKind::Cluster(exprs)
            | ClauseKind::Expect(exprs) => exprs.iter().for_each(|it| self.expr(it)),
            ClauseKind::Warps(it) => self.expr(it),
            ClauseKind::Requires(_) | ClauseKind::Allow { .. } | ClauseKind::Pdl => {}
        }
    }

    /// Sizes and strides that a tensor's type binds by naming them for the first time.
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
                    BracketArg::Named(name, _) => self.declare_size(name),
                    BracketArg::Whole(_) => {}
                }
            }
        }
        memory.strides.iter().flatten().for_each(|it| self.size(it));
    }

    fn size(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => self.declare_size(&path[0]),
            ExprKind::Binary(_, a, b) => {
                self.size(a);
                self.size(b);
            }
            _ => {}
        }
    }

    fn declare_size(&mut self, name: &Name) {
        let is_known = self.local(&name.text).is_some()
            || !names::resolve(self.db, self.file, std::slice::from_ref(&name.text)).is_empty();
        if !is_known {
            self.declare_local(name, LocalKind::Size, None);
        }
    }

    fn local(&self, name: &str) -> Option<&Bound> {
        self.scope.iter().rev().find(|it| it.name == name)
    }

    fn pattern(&mut self, pattern: &Pattern, of: Option<TypeRef>) {
        self.bind_pattern(pattern, LocalKind::Pattern, of);
    }

    fn bind_pattern(&mut self, pattern: &Pattern, kind: LocalKind, of: Option<TypeRef>) {
        match &pattern.kind {
            PatternKind::Name(name) => self.declare_local(name, kind, of),
            PatternKind::Ignore => {}
            PatternKind::Tuple(parts) => {
                parts.iter().for_each(|it| self.bind_pattern(it, kind, None));
            }
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
            StmtKind::Let { binding, pattern, ty, value } => {
                ty.iter().for_each(|it| self.expr(it));
                value.iter().for_each(|it| self.expr(it));
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
                self.expr(value);
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
        notes.iter().flat_map(|it| &it.args).for_each(|it| self.expr(&it.value));
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
            ExprKind::Path(path) => self.path(path, Access::Writes),
            ExprKind::Field(base, name) => {
                self.expr(base);
                self.field(base, name, Access::Writes);
            }
            ExprKind::Tuple(parts) => parts.iter().for_each(|it| self.place(it)),
            _ => self.expr(expr),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        stacker::maybe_grow(64 * 1024, 2 * 1024 * 1024, || self.expr_grown(expr));
    }

    fn expr_grown(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Path(path) => self.path(path, Access::Reads),
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
            ExprKind::Binary(_, a, b) | ExprKind::At(a, b) | ExprKind::Repeat(a, b) => {
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
            ExprKind::Path(path) => self.path(path, Access::Calls),
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
            self.expr(&arg.value);
        }
    }

    fn bracket_args(&mut self, args: &[BracketArg], owner: Option<&Owner>) {
        for arg in args {
            match arg {
                BracketArg::Value(it) => self.expr(it),
                BracketArg::Named(label, it) => {
                    self.label(label, owner);
                    self.expr(it);
                }
                BracketArg::Whole(_) => {}
            }
        }
    }

    /// `name:` before an argument.
    fn label(&mut self, label: &Name, owner: Option<&Owner>) {
        if let Some(means) = owner.and_then(|it| self.structs.parameter(it, &label.text)) {
            self.note(label.span, means, Access::Labels);
        }
    }

    /// Whose parameters the arguments of a call are for.
    fn owner(&self, callee: &Expr, access: Access) -> Option<Owner> {
        match &*callee.kind {
            ExprKind::Path(path) => {
                if path.len() == 1 && self.local(&path[0].text).is_some() {
                    return None;
                }
                self.structs.callee(path, access == Access::Calls)
            }
            ExprKind::Field(receiver, name) => {
                let of = self.struct_of(receiver);
                self.structs.method(of.as_ref(), &name.text)
            }
            _ => None,
        }
    }

    fn path(&mut self, path: &[Name], access: Access) {
        if path.iter().any(|it| it.text.is_empty()) {
            return;
        }
        if let [name] = path
            && let Some(bound) = self.local(&name.text)
        {
            let means = bound.means.clone();
            return self.note(name.span, means, access);
        }
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        for n in 1..path.len() {
            let outer = names::resolve(self.db, self.file, &texts[..n]);
            let is_outer = |it: &Found| {
                matches!(it, Found::Module(_))
                    || matches!(it, Found::Decl(it) if matches!(it.kind, DeclKind::Enum(_)))
            };
            let outer: Vec<Found> = outer.into_iter().filter(is_outer).collect();
            self.mean(&outer, path[n - 1].span, Access::Reads);
        }
        let last = path[path.len() - 1].span;
        let found = self.found(&texts, access);
        if !found.is_empty() {
            return self.mean(&found, last, access);
        }
        match Builtin::function(&texts) {
            Some(it) => self.note(last, Meaning::Builtin(it), access),
            None if elab::is_word_of_language(&texts) => self.note(last, Meaning::Word, access),
            None => {
                if let Some(means) = self.structs.only_variant(&texts[texts.len() - 1]) {
                    self.note(last, means, access);
                }
            }
        }
    }

    /// What a path means where it stands: a call means the function, anything else not the module.
    fn found(&self, texts: &[SmolStr], access: Access) -> Vec<Found> {
        let mut found = names::resolve(self.db, self.file, texts);
        if let (Access::Calls, Some(owner)) = (access, self.structs.chosen(&found)) {
            found.retain(|it| matches!(it, Found::Decl(it) if it.item == owner));
        }
        if found.iter().any(|it| matches!(it, Found::Decl(_) | Found::Variant(..))) {
            found.retain(|it| !matches!(it, Found::Module(_)));
        }
        // A method of the library and an operation may share a name; called without a receiver,
        // the operation is meant.
        let is_method =
            |it: &Found| matches!(it, Found::Decl(it) if it.kind == DeclKind::Fn { method: true });
        if found.iter().all(is_method) && Builtin::function(texts).is_some() {
            found.clear();
        }
        found
    }

    /// `.name` after `base`.
    fn field(&mut self, base: &Expr, name: &Name, access: Access) {
        let of = self.struct_of(base);
        let is_plain = matches!(&*base.kind, ExprKind::Path(path)
            if path.len() == 1 && self.local(&path[0].text).is_some_and(|it| it.is_plain));
        let found = match access == Access::Calls {
            true => self.structs.called(of.as_ref(), &name.text, is_plain),
            false => self.structs.field(of.as_ref(), &name.text),
        };
        if let Some(means) = found {
            self.note(name.span, means, access);
        }
    }

    /// The struct that an expression is a value of, if that can be seen.
    fn struct_of(&self, expr: &Expr) -> Option<TypeRef> {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => self.local(&path[0].text)?.of.clone(),
            ExprKind::Paren(it) => self.struct_of(it),
            ExprKind::Block(it) => self.struct_of(it.value.as_deref()?),
            ExprKind::If(it) => self.struct_of(it.then.value.as_deref()?),
            ExprKind::Field(base, name) => {
                let of = self.struct_of(base)?;
                self.structs.type_of_field(&of, &name.text)
            }
            ExprKind::Call(callee, _) => {
                let base = match &*callee.kind {
                    ExprKind::Bracket(base, _) => base,
                    _ => callee,
                };
                let owner = self.owner(base, Access::Calls)?;
                self.structs.result(&owner)
            }
            _ => None,
        }
    }
}

/// Whether a type as it is written is a tensor's or a tile's.
fn is_plain(ty: &Expr) -> bool {
    match &*ty.kind {
        ExprKind::Memory(_) => true,
        ExprKind::Bracket(base, _) | ExprKind::At(base, _) | ExprKind::Optional(base) => {
            is_plain(base)
        }
        ExprKind::Path(path) => path.len() == 1 && DType::from_name(&path[0].text).is_some(),
        _ => false,
    }
}
