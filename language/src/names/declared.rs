//! What a file declares: names, kinds and visibility, without bodies.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{Fn, FnKind, Item, ItemKind, Name, PatternKind, UseTree};

use crate::db::{self, Db, SourceFile};
use crate::ir::{ItemKey, Place};

/// The declarations of a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Module {
    /// Named items, in order.
    pub decls: Vec<Decl>,
    /// Names that `use` brings.
    pub uses: Vec<UseDecl>,
    /// `impl` items.
    pub impls: Vec<ImplDecl>,
}

/// A named item.
#[derive(Clone, PartialEq, Debug)]
pub struct Decl {
    /// Its name.
    pub name: SmolStr,
    /// What it is.
    pub kind: DeclKind,
    /// Whether other files see it.
    pub public: bool,
    /// The item.
    pub item: ItemKey,
    /// Where its name stands.
    pub place: Place,
}

/// What an item declares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeclKind {
    /// A constant.
    Const,
    /// A struct or permit.
    Struct,
    /// An enum with its variants.
    Enum(Arc<[SmolStr]>),
    /// A function; whether its first parameter is `self`.
    Fn {
        /// Called as `x.f(…)`.
        method: bool,
    },
    /// An iterator.
    Iter {
        /// Called as `x.f(…)`.
        method: bool,
    },
    /// A kernel.
    Kernel,
    /// An instance that a `build` item names.
    Build,
}

/// A name that `use` brings.
#[derive(Clone, PartialEq, Debug)]
pub struct UseDecl {
    /// What it is called here.
    pub name: SmolStr,
    /// What it means.
    pub path: Vec<SmolStr>,
    /// Whether other files see it.
    pub public: bool,
    /// Where the name stands.
    pub place: Place,
}

/// An `impl` item.
#[derive(Clone, PartialEq, Debug)]
pub struct ImplDecl {
    /// The type's name.
    pub name: SmolStr,
    /// The item.
    pub item: ItemKey,
    /// Where the type's name stands.
    pub place: Place,
    /// Its members, in order.
    pub members: Vec<MemberDecl>,
}

/// A member of an `impl`.
#[derive(Clone, PartialEq, Debug)]
pub struct MemberDecl {
    /// Its name; `init` for a constructor.
    pub name: SmolStr,
    /// How it is called; `None` for a constant.
    pub kind: Option<FnKind>,
    /// Whether its first parameter is `self`.
    pub method: bool,
    /// Whether other files see it.
    pub public: bool,
    /// Where the name stands.
    pub place: Place,
}

/// The declarations of `file`.
///
/// Invariant: depends on heads only; editing a body leaves it equal.
#[salsa::tracked(returns(ref))]
pub fn module(db: &dyn Db, file: SourceFile) -> Module {
    let mut module = Module::default();
    for source in db::items(db, file) {
        module.add(source.key(db), &db::parsed(db, *source).item);
    }
    module
}

impl Module {
    fn add(&mut self, key: &ItemKey, item: &Item) {
        let (name, kind) = match &item.kind {
            ItemKind::Use(tree) => return self.add_use(key, tree, item.public, &mut Vec::new()),
            ItemKind::Impl(it) => {
                let members = it.members.iter().filter_map(|it| member(key, it)).collect();
                let place = Place { item: key.clone(), span: it.name.span };
                self.impls.push(ImplDecl {
                    name: it.name.text.clone(),
                    item: key.clone(),
                    place,
                    members,
                });
                return;
            }
            ItemKind::Const(it) => (&it.name, DeclKind::Const),
            ItemKind::Struct(it) | ItemKind::Permit(it) => (&it.name, DeclKind::Struct),
            ItemKind::Enum(it) => {
                let variants = it.variants.iter().map(|(name, _)| name.text.clone()).collect();
                (&it.name, DeclKind::Enum(variants))
            }
            ItemKind::Fn(it) if it.kind == FnKind::Iter => {
                (&it.name, DeclKind::Iter { method: takes_self(it) })
            }
            ItemKind::Fn(it) => (&it.name, DeclKind::Fn { method: takes_self(it) }),
            ItemKind::Kernel(it) => (&it.name, DeclKind::Kernel),
            ItemKind::Build(it) => (&it.name, DeclKind::Build),
            ItemKind::Tune(_) | ItemKind::Test(_) | ItemKind::Bench(_) | ItemKind::Broken(_) => {
                return;
            }
        };
        if name.text.is_empty() {
            return;
        }
        let place = Place { item: key.clone(), span: name.span };
        self.decls.push(Decl {
            name: name.text.clone(),
            kind,
            public: item.public,
            item: key.clone(),
            place,
        });
    }

    fn add_use(&mut self, key: &ItemKey, tree: &UseTree, public: bool, prefix: &mut Vec<SmolStr>) {
        let depth = prefix.len();
        prefix.extend(tree.path.iter().map(|it| it.text.clone()));
        for branch in &tree.group {
            self.add_use(key, branch, public, prefix);
        }
        if let (true, Some(last)) = (tree.group.is_empty(), tree.path.last()) {
            let name: &Name = tree.alias.as_ref().unwrap_or(last);
            let place = Place { item: key.clone(), span: last.span };
            self.uses.push(UseDecl {
                name: name.text.clone(),
                path: prefix.clone(),
                public,
                place,
            });
        }
        prefix.truncate(depth);
    }
}

fn member(key: &ItemKey, item: &Item) -> Option<MemberDecl> {
    let (name, kind, method) = match &item.kind {
        ItemKind::Fn(it) => (&it.name, Some(it.kind), takes_self(it)),
        ItemKind::Const(it) => (&it.name, None, false),
        // Other items do not stand in an `impl`; the grammar says so. The place is kept all the same.
        _ => {
            return Some(MemberDecl {
                name: SmolStr::default(),
                kind: None,
                method: false,
                public: false,
                place: Place { item: key.clone(), span: item.span },
            });
        }
    };
    let name_text =
        if kind == Some(FnKind::Init) { SmolStr::new("init") } else { name.text.clone() };
    let place = Place { item: key.clone(), span: name.span };
    Some(MemberDecl { name: name_text, kind, method, public: item.public, place })
}

/// Whether the first parameter is `self`.
pub(crate) fn takes_self(it: &Fn) -> bool {
    let first = it.params.first().map(|it| &it.pattern.kind);
    matches!(first, Some(PatternKind::Name(name)) if name.text == "self")
}
