//! Mentions: every name in a text, and the declaration that it means.
//!
//! # Definition
//! A [`Mention`] is a name at a place with what it [`Meaning`]s there, declarations included. A name
//! that means several things at once, as in a `use`, is mentioned once for each. What needs an
//! instance to be known (the field of a value whose type is inferred from a call of a closure, say)
//! is found by its name if only one declaration has it, and otherwise not mentioned.
//!
//! # Invariants
//! * [`mentions`] of an item depends on its own tree and on the heads of what it names, never on other
//!   bodies.
//! * A meaning names its declaration: two mentions mean the same if and only if their meanings are
//!   equal.

mod types;
mod walk;

use smol_str::SmolStr;
use tile_syntax::ast::{Item, ItemKind, Name, Param, PatternKind, Span};

use crate::db::{self, Db, ItemSource, SourceFile};
use crate::ir::ItemKey;
use crate::names::TypeRef;
use crate::op::surface::Builtin;

/// What a name means.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Meaning {
    /// A name that lives inside an item: the number of its [`Local`].
    Local(ItemKey, u32),
    /// A parameter, of run time or compile time. Calls can name it.
    Param {
        /// The item, or the `impl` around it.
        item: ItemKey,
        /// Its place among the members of the `impl`.
        member: Option<u32>,
        /// The parameter.
        name: SmolStr,
    },
    /// What a named item declares.
    Item(ItemKey),
    /// A member of an `impl`, by its place.
    Member(ItemKey, u32),
    /// A field of a struct, by its place.
    Field(ItemKey, u32),
    /// A variant of an enum, by its place.
    Variant(ItemKey, u32),
    /// A file.
    Module(u32),
    /// An operation of the compiler.
    Builtin(Builtin),
    /// A type, kind or value that is a word of the language.
    Word,
}

/// What is done with a name where it stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// It is declared.
    Declares,
    /// Its value is asked for.
    Reads,
    /// It is called.
    Calls,
    /// It is assigned.
    Writes,
    /// It names an argument.
    Labels,
}

/// A name at a place.
#[derive(Clone, PartialEq, Debug)]
pub struct Mention {
    /// Where, relative to the item.
    pub span: Span,
    /// What it means.
    pub means: Meaning,
    /// What is done with it.
    pub access: Access,
}

/// How a local name came to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LocalKind {
    /// By `let`.
    Let,
    /// By `var`.
    Var,
    /// By `const`.
    Const,
    /// By a loop, a closure, a role or an `if let`.
    Pattern,
    /// As the size or stride of a tensor.
    Size,
}

/// A name that lives inside an item.
#[derive(Clone, PartialEq, Debug)]
pub struct Local {
    /// What it is called.
    pub name: SmolStr,
    /// Where it is declared.
    pub span: Span,
    /// How.
    pub kind: LocalKind,
}

/// The names of an item.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mentions {
    /// In the order of their places.
    pub list: Vec<Mention>,
    /// In the order of their declarations.
    pub locals: Vec<Local>,
    /// Locals and parameters that are values of a struct, as far as that can be seen.
    pub structs: Vec<(Meaning, TypeRef)>,
    /// Names that nothing declares, as far as that can be seen.
    pub unknown: Vec<Unknown>,
}

/// Where a name stands that nothing declares; it may mean something there that only an instance knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stand {
    /// In a larger expression, or where a type is wanted.
    Name,
    /// Alone as a value: it may be a variant of the enum that is wanted.
    Value,
    /// Before arguments.
    Callee,
    /// Alone as an argument that has a name, `evict: last`: a word of the callee.
    Word,
}

/// A name that nothing declares.
#[derive(Clone, PartialEq, Debug)]
pub struct Unknown {
    /// Where, relative to the item.
    pub span: Span,
    /// The name, with `::` if it is a path.
    pub name: SmolStr,
    /// Where it stands.
    pub stand: Stand,
    /// The names in scope there that live inside the item.
    pub scope: Vec<SmolStr>,
}

/// The names of an item and what they mean.
#[salsa::tracked(returns(ref))]
pub fn mentions<'db>(db: &'db dyn Db, file: SourceFile, item: ItemSource<'db>) -> Mentions {
    walk::item(db, file, item.key(db), &db::parsed(db, item).item)
}

/// The mentions at a byte of a file, and where the item begins. A name that ends there counts too.
pub fn at(db: &dyn Db, file: SourceFile, byte: u32) -> Vec<(Span, Meaning)> {
    let sources = db::items(db, file).iter().zip(db::item_starts(db, file));
    let holds = |lo: u32, hi: u32| lo <= byte && byte <= hi;
    let around =
        sources.filter(|(source, (_, start))| holds(*start, *start + source.text(db).len() as u32));
    let found = around.flat_map(|(source, (_, start))| {
        let list = mentions(db, file, *source).list.iter();
        list.map(|it| (it.span.shifted(*start), it.means.clone()))
    });
    let mut found: Vec<_> = found.filter(|it| holds(it.0.lo, it.0.hi)).collect();
    // Where two names touch, the one that begins here is meant.
    if let Some(last) = found.iter().map(|it| it.0.lo).max() {
        found.retain(|it| it.0.lo == last);
    }
    found
}

/// A declaration: where it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Declaration {
    /// The file.
    pub file: SourceFile,
    /// Its name, in bytes of the file.
    pub name: Span,
    /// All of it, in bytes of the file.
    pub all: Span,
}

/// Where something is declared; `None` for what the compiler provides, and for what is gone.
pub fn declaration(db: &dyn Db, means: &Meaning) -> Option<Declaration> {
    let (key, name, all) = match means {
        Meaning::Builtin(_) | Meaning::Word => return None,
        Meaning::Module(number) => {
            let file = db::file(db, *number)?;
            return Some(Declaration { file, name: Span::default(), all: Span::default() });
        }
        Meaning::Local(key, n) => {
            let source = db::item_source(db, key)?;
            let names = mentions(db, db::file(db, key.file)?, source);
            let span = names.locals.get(*n as usize)?.span;
            (key, span, span)
        }
        Meaning::Param { item, member, name } => {
            let tree = db::item(db, item)?;
            let span = parameter(&tree, *member, name)?;
            (item, span, span)
        }
        Meaning::Item(key) => {
            let tree = db::item(db, key)?;
            (key, name_of(&tree)?.span, tree.span)
        }
        Meaning::Member(key, n) => {
            let tree = db::item(db, key)?;
            let ItemKind::Impl(it) = &tree.kind else { return None };
            let member = it.members.get(*n as usize)?;
            (key, name_of(member)?.span, member.span)
        }
        Meaning::Field(key, n) => {
            let tree = db::item(db, key)?;
            let (ItemKind::Struct(it) | ItemKind::Permit(it)) = &tree.kind else { return None };
            let field = it.fields.get(*n as usize)?;
            (key, field.name.span, field.name.span.to(field.ty.span))
        }
        Meaning::Variant(key, n) => {
            let tree = db::item(db, key)?;
            let ItemKind::Enum(it) = &tree.kind else { return None };
            let span = it.variants.get(*n as usize)?.0.span;
            (key, span, span)
        }
    };
    let place = |span| crate::ir::Place { item: key.clone(), span };
    let (file, name) = db::resolve(db, &place(name))?;
    let (_, all) = db::resolve(db, &place(all))?;
    Some(Declaration { file, name, all })
}

/// The name that an item declares.
pub fn name_of(item: &Item) -> Option<&Name> {
    let name = match &item.kind {
        ItemKind::Const(it) => &it.name,
        ItemKind::Struct(it) | ItemKind::Permit(it) => &it.name,
        ItemKind::Enum(it) => &it.name,
        ItemKind::Impl(it) => &it.name,
        ItemKind::Fn(it) | ItemKind::Kernel(it) => &it.name,
        ItemKind::Build(it) => &it.name,
        ItemKind::Broken(name) => name.as_ref()?,
        ItemKind::Use(_) | ItemKind::Tune(_) | ItemKind::Test(_) | ItemKind::Bench(_) => {
            return None;
        }
    };
    Some(name)
}

/// Where a parameter of an item or a member is declared.
fn parameter(tree: &Item, member: Option<u32>, name: &str) -> Option<Span> {
    let of_fn = |it: &tile_syntax::ast::Fn| {
        let generics = it.generics.iter().map(|it| &it.name);
        let params = it.params.iter().filter_map(param_name);
        generics.chain(params).find(|it| it.text == name).map(|it| it.span)
    };
    match (&tree.kind, member) {
        (ItemKind::Fn(it) | ItemKind::Kernel(it), None) => of_fn(it),
        (ItemKind::Struct(it) | ItemKind::Permit(it), None) => {
            it.generics.iter().find(|it| it.name.text == name).map(|it| it.name.span)
        }
        (ItemKind::Impl(it), None) => {
            it.generics.iter().find(|it| it.name.text == name).map(|it| it.name.span)
        }
        (ItemKind::Impl(it), Some(n)) => match &it.members.get(n as usize)?.kind {
            ItemKind::Fn(it) => of_fn(it),
            _ => None,
        },
        _ => None,
    }
}

/// The name of a parameter, unless it is a tuple.
fn param_name(param: &Param) -> Option<&Name> {
    match &param.pattern.kind {
        PatternKind::Name(name) => Some(name),
        PatternKind::Ignore | PatternKind::Tuple(_) => None,
    }
}

/// The struct or enum of which something is a value, as far as that can be seen; a type is its own.
pub fn type_of(db: &dyn Db, means: &Meaning) -> Option<TypeRef> {
    let key = match means {
        Meaning::Local(key, _) | Meaning::Param { item: key, .. } => key,
        Meaning::Item(key) | Meaning::Member(key, _) | Meaning::Field(key, _) => key,
        Meaning::Variant(key, _) => return Some(TypeRef { item: key.clone() }),
        Meaning::Module(_) | Meaning::Builtin(_) | Meaning::Word => return None,
    };
    let file = db::file(db, key.file)?;
    let structs = types::Structs { db, file };
    let tree = db::item(db, key)?;
    match means {
        Meaning::Item(_) if matches!(tree.kind, ItemKind::Fn(_)) => {
            structs.result(&types::Owner::Fn(key.clone(), None))
        }
        Meaning::Item(_) => Some(TypeRef { item: key.clone() }),
        Meaning::Member(_, n) => structs.result(&types::Owner::Fn(key.clone(), Some(*n))),
        Meaning::Field(_, n) => match &tree.kind {
            ItemKind::Struct(it) | ItemKind::Permit(it) => {
                structs.of_type(&it.fields.get(*n as usize)?.ty)
            }
            _ => None,
        },
        _ => {
            let known = &mentions(db, file, db::item_source(db, key)?).structs;
            known.iter().find(|it| it.0 == *means).map(|it| it.1.clone())
        }
    }
}
