//! Signatures: what a call must agree with, without the body behind it.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{
    BracketArg, Expr, ExprKind, Fn, FnKind, Generic, Impl, Item, ItemKind, PatternKind, Span,
    Struct,
};

use super::sort::{self, Sort, Types};
use crate::db::{self, Db, ItemSource, SourceFile};
use crate::ir::ItemKey;

/// A parameter, a field or a compile-time parameter.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Slot {
    /// Its name; empty for a pattern that has none.
    pub(super) name: SmolStr,
    /// Its type as it is written.
    pub(super) text: SmolStr,
    /// What it takes.
    pub(super) sort: Sort,
    /// Whether a call may leave it out.
    pub(super) has_default: bool,
    /// Whether it takes the named arguments that no other one does.
    pub(super) rest: bool,
}

/// A function, a method or a struct's constructor, as its callers see it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Signature {
    /// Its name.
    pub(super) name: SmolStr,
    /// Which kind of function; `None` for the fields of a struct.
    pub(super) kind: Option<FnKind>,
    /// What stands in brackets.
    pub(super) generics: Vec<Slot>,
    /// What stands in parentheses.
    pub(super) params: Vec<Slot>,
    /// What it gives, as far as that is written without its compile-time parameters.
    pub(super) result: Sort,
    /// Sizes that the tensors of a struct name.
    pub(super) sizes: Vec<SmolStr>,
    /// Whether it is a permit, whose stage has fields of its own.
    pub(super) is_permit: bool,
}

/// The signatures of an item: one for a function or a struct, one a member for an `impl`. None if the
/// item is damaged, for nobody knows then what it says.
///
/// Invariant: depends on heads only; editing a body leaves it equal.
#[salsa::tracked(returns(ref))]
pub(super) fn signatures<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: ItemSource<'db>,
) -> Arc<[Option<Signature>]> {
    let parsed = db::parsed(db, item);
    if !parsed.errors.is_empty() {
        return Arc::from([]);
    }
    let reader = Reader { db, file, text: item.text(db) };
    match &parsed.item.kind {
        ItemKind::Fn(it) => Arc::from([Some(reader.function(it, None))]),
        ItemKind::Struct(it) => Arc::from([Some(reader.fields(it, false))]),
        ItemKind::Permit(it) => Arc::from([Some(reader.fields(it, true))]),
        ItemKind::Impl(it) => {
            let member = |member: &Item| match &member.kind {
                ItemKind::Fn(decl) => Some(reader.function(decl, Some(it))),
                _ => None,
            };
            it.members.iter().map(member).collect()
        }
        _ => Arc::from([]),
    }
}

/// The signature of a function, or of a member of an `impl`.
pub(super) fn of(db: &dyn Db, key: &ItemKey, member: Option<u32>) -> Option<Signature> {
    let (file, source) = (db::file(db, key.file)?, db::item_source(db, key)?);
    signatures(db, file, source).get(member.unwrap_or(0) as usize)?.clone()
}

struct Reader<'a> {
    db: &'a dyn Db,
    file: SourceFile,
    text: &'a str,
}

impl Reader<'_> {
    fn text(&self, span: Span) -> SmolStr {
        SmolStr::new(self.text.get(span.lo as usize..span.hi as usize).unwrap_or_default())
    }

    fn generics(&self, generics: &[Generic], scope: &[(SmolStr, Sort)]) -> Vec<Slot> {
        let slot = |it: &Generic| Slot {
            name: it.name.text.clone(),
            text: it.ty.as_ref().map(|it| self.text(it.span)).unwrap_or_default(),
            sort: scope
                .iter()
                .find(|known| known.0 == it.name.text)
                .map_or(Sort::Unknown, |it| it.1.clone()),
            has_default: it.default.is_some(),
            rest: false,
        };
        generics.iter().map(slot).collect()
    }

    fn function(&self, it: &Fn, owner: Option<&Impl>) -> Signature {
        let mut all: Vec<Generic> = owner.map(|it| it.generics.clone()).unwrap_or_default();
        all.extend(it.generics.iter().cloned());
        let scope = sort::generics(self.db, self.file, &all);
        let types = Types { db: self.db, file: self.file, scope: &scope };
        let params = it.params.iter().map(|param| Slot {
            name: match &param.pattern.kind {
                PatternKind::Name(name) => name.text.clone(),
                PatternKind::Ignore | PatternKind::Tuple(_) => SmolStr::default(),
            },
            text: param.ty.as_ref().map(|it| self.text(it.span)).unwrap_or_default(),
            sort: param.ty.as_ref().map_or(Sort::Unknown, |it| types.members(it)),
            has_default: param.default.is_some(),
            rest: param.rest,
        });
        let is_init = it.kind == FnKind::Init;
        Signature {
            name: it.name.text.clone(),
            kind: Some(it.kind),
            generics: match owner {
                Some(owner) if is_init => self.generics(&owner.generics, &scope),
                _ => self.generics(&it.generics, &scope),
            },
            params: params.collect(),
            result: it.result.as_ref().map_or(Sort::Unknown, |it| types.members(it)),
            sizes: Vec::new(),
            is_permit: false,
        }
    }

    fn fields(&self, it: &Struct, is_permit: bool) -> Signature {
        let scope = sort::generics(self.db, self.file, &it.generics);
        let types = Types { db: self.db, file: self.file, scope: &scope };
        let params = it.fields.iter().map(|field| Slot {
            name: field.name.text.clone(),
            text: self.text(field.ty.span),
            sort: types.members(&field.ty),
            has_default: field.default.is_some() || field.own,
            rest: false,
        });
        Signature {
            name: it.name.text.clone(),
            kind: None,
            generics: self.generics(&it.generics, &scope),
            params: params.collect(),
            result: Sort::Unknown,
            sizes: it.fields.iter().flat_map(|it| sizes(&it.ty)).collect(),
            is_permit,
        }
    }
}

/// The names that sizes or strides in a tensor's type bind.
fn sizes(ty: &Expr) -> Vec<SmolStr> {
    let memory = match &*ty.kind {
        ExprKind::Optional(inner) | ExprKind::Paren(inner) => return sizes(inner),
        ExprKind::Memory(it) => it,
        _ => return Vec::new(),
    };
    let mut shape = &memory.ty;
    while let ExprKind::Optional(inner) = &*shape.kind {
        shape = inner;
    }
    let ExprKind::Bracket(_, dims) = &*shape.kind else { return Vec::new() };
    let lone = |it: &Expr| it.bound_size().map(|it| it.text.clone());
    let named = dims.iter().filter_map(|it| match it {
        BracketArg::Value(it) => lone(it),
        BracketArg::Named(name, _) => Some(name.text.clone()),
        BracketArg::Whole(_) => None,
    });
    named.chain(memory.strides.iter().flatten().filter_map(lone)).collect()
}
