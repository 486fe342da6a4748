//! The walk over an item's tree with the names in scope, which finds out what each name means.
//!
//! Here are items and their heads; statements and expressions are in `body`, what a name means in
//! `meaning`.

mod body;
mod meaning;

use smol_str::SmolStr;
use tile_syntax::ast::{
    BracketArg, Clause, ClauseKind, Const, Expr, ExprKind, Fn, FnKind, Generic, Item, ItemKind,
    Name, Param, Pattern, PatternKind, Span, Struct, UseTree,
};

use super::types::Structs;
use super::{Access, Local, LocalKind, Meaning, Mention, Mentions, Stand, Unknown};
use crate::db::{Db, SourceFile};
use crate::dtype::DType;
use crate::ir::ItemKey;
use crate::names::{self, Found, TypeRef};

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

    /// Notes a name that nothing declares.
    fn unknown(&mut self, name: SmolStr, span: Span, stand: Stand) {
        if stand == Stand::Word || name.is_empty() {
            return;
        }
        let scope = self.scope.iter().map(|it| it.name.clone()).collect();
        self.found.unknown.push(Unknown { span, name, stand, scope });
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
                if types.is_empty() {
                    self.unknown(it.name.text.clone(), it.name.span, Stand::Name);
                }
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
            field.default.iter().for_each(|it| self.value(it));
        }
    }

    fn generics(&mut self, generics: &[Generic]) {
        for it in generics {
            it.ty.iter().for_each(|it| self.expr(it));
            it.default.iter().for_each(|it| self.value(it));
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
        param.default.iter().for_each(|it| self.value(it));
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
            | ClauseKind::Cluster(exprs) => exprs.iter().for_each(|it| self.expr(it)),
            // What is measured has names of its own.
            ClauseKind::Expect(exprs) => {
                let n_unknown = self.found.unknown.len();
                exprs.iter().for_each(|it| self.expr(it));
                self.found.unknown.truncate(n_unknown);
            }
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
