//! What can be seen of types without values: which struct a type names, which fields and methods
//! it has, whose parameters a call's arguments are for.

use smol_str::SmolStr;
use tile_syntax::ast::{Expr, ExprKind, Fn, FnKind, ItemKind, Name};

use super::Meaning;
use crate::db::{self, Db, SourceFile};
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, Found, TypeRef};
use crate::op::surface::Builtin;

/// Whose parameters the arguments of a call are for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Owner {
    /// A function, kernel, or a member of an `impl`.
    Fn(ItemKey, Option<u32>),
    /// A struct.
    Struct(TypeRef),
}

/// Types as one file sees them.
#[derive(Clone, Copy)]
pub(super) struct Structs<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) file: SourceFile,
}

impl Structs<'_> {
    /// The struct of that name.
    pub(super) fn named(self, name: &SmolStr) -> Option<TypeRef> {
        self.of_path(std::slice::from_ref(name))
    }

    fn of_path(self, path: &[SmolStr]) -> Option<TypeRef> {
        names::resolve(self.db, self.file, path).into_iter().find_map(|it| match it {
            Found::Decl(it) if matches!(it.kind, DeclKind::Struct | DeclKind::Enum(_)) => {
                Some(TypeRef { item: it.item })
            }
            _ => None,
        })
    }

    /// The struct that a type names.
    pub(super) fn of_type(self, ty: &Expr) -> Option<TypeRef> {
        match &*ty.kind {
            ExprKind::Path(path) => self.of_path(&texts(path)),
            ExprKind::Bracket(base, _) => self.of_type(base),
            ExprKind::Paren(it) | ExprKind::Optional(it) => self.of_type(it),
            _ => None,
        }
    }

    /// The declaration that a call of `found` means, in the order in which the elaborator looks.
    pub(super) fn chosen(self, found: &[Found]) -> Option<ItemKey> {
        let decls = || {
            found.iter().filter_map(|it| match it {
                Found::Decl(it) => Some(it),
                _ => None,
            })
        };
        let of = |wanted: &dyn std::ops::Fn(&DeclKind) -> bool| {
            decls().find(|it| wanted(&it.kind)).map(|it| it.item.clone())
        };
        of(&|it| *it == DeclKind::Fn { method: false })
            .or_else(|| of(&|it| matches!(it, DeclKind::Kernel | DeclKind::Build)))
            .or_else(|| of(&|it| *it == DeclKind::Struct))
    }

    /// Whose parameters the arguments of a call of `path` are for; in brackets a type's come first.
    pub(super) fn callee(self, path: &[Name], is_call: bool) -> Option<Owner> {
        let found = names::resolve(self.db, self.file, &texts(path));
        let item = match self.chosen(&found).filter(|_| is_call) {
            Some(it) => it,
            None => found.into_iter().find_map(|it| match it {
                Found::Decl(it) => Some(it.item),
                _ => None,
            })?,
        };
        let tree = db::item(self.db, &item)?;
        match &tree.kind {
            ItemKind::Struct(_) | ItemKind::Permit(_) => Some(Owner::Struct(TypeRef { item })),
            ItemKind::Fn(_) | ItemKind::Kernel(_) => Some(Owner::Fn(item, None)),
            ItemKind::Build(it) => match &*it.kernel.kind {
                ExprKind::Bracket(base, _) => match &*base.kind {
                    ExprKind::Path(path) => self.callee(path, is_call),
                    _ => None,
                },
                ExprKind::Path(path) => self.callee(path, is_call),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whose parameters the arguments of `.name(…)` are for.
    pub(super) fn method(self, of: Option<&TypeRef>, name: &SmolStr) -> Option<Owner> {
        match self.called(of, name, false)? {
            Meaning::Member(item, n) => Some(Owner::Fn(item, Some(n))),
            Meaning::Item(item) => Some(Owner::Fn(item, None)),
            _ => None,
        }
    }

    /// The parameter, or the field, that `name:` is for.
    pub(super) fn parameter(self, owner: &Owner, name: &SmolStr) -> Option<Meaning> {
        match owner {
            Owner::Fn(item, member) => {
                let tree = db::item(self.db, item)?;
                super::parameter(&tree, *member, name)?;
                Some(Meaning::Param { item: item.clone(), member: *member, name: name.clone() })
            }
            Owner::Struct(ty) => {
                if let Some((item, n)) = self.member(ty, "init") {
                    let init = Owner::Fn(item, Some(n));
                    if let Some(it) = self.parameter(&init, name) {
                        return Some(it);
                    }
                }
                let tree = db::item(self.db, &ty.item)?;
                if super::parameter(&tree, None, name).is_some() {
                    let (item, name) = (ty.item.clone(), name.clone());
                    return Some(Meaning::Param { item, member: None, name });
                }
                self.own_field(ty, name)
            }
        }
    }

    /// The struct that a call gives.
    pub(super) fn result(self, owner: &Owner) -> Option<TypeRef> {
        match owner {
            Owner::Struct(it) => Some(it.clone()),
            Owner::Fn(item, member) => {
                let tree = db::item(self.db, item)?;
                let of_fn = |it: &Fn| self.elsewhere(item)?.of_type(it.result.as_ref()?);
                match (&tree.kind, member) {
                    (ItemKind::Fn(it), None) => of_fn(it),
                    (ItemKind::Impl(it), Some(n)) => match &it.members.get(*n as usize)?.kind {
                        ItemKind::Fn(it) => of_fn(it),
                        _ => None,
                    },
                    _ => None,
                }
            }
        }
    }

    fn elsewhere(self, item: &ItemKey) -> Option<Self> {
        Some(Structs { file: db::file(self.db, item.file)?, ..self })
    }

    /// The struct that a field is a value of.
    pub(super) fn type_of_field(self, of: &TypeRef, name: &str) -> Option<TypeRef> {
        let tree = db::item(self.db, &of.item)?;
        let (ItemKind::Struct(it) | ItemKind::Permit(it)) = &tree.kind else { return None };
        let field = it.fields.iter().find(|it| it.name.text == name)?;
        self.elsewhere(&of.item)?.of_type(&field.ty)
    }

    /// What `.name` means after a value of `of`, or of anything if that is not known.
    pub(super) fn field(self, of: Option<&TypeRef>, name: &SmolStr) -> Option<Meaning> {
        match of {
            Some(of) => self.own_field(of, name).or_else(|| self.own_member(of, name)),
            None => self.by_name(name),
        }
    }

    /// What `.name(…)` means. After what is surely no struct's value, no struct's member is meant.
    pub(super) fn called(
        self,
        of: Option<&TypeRef>,
        name: &SmolStr,
        is_plain: bool,
    ) -> Option<Meaning> {
        if let Some(it) = of.and_then(|of| self.own_member(of, name).or(self.own_field(of, name))) {
            return Some(it);
        }
        if let Some(it) = self.free_method(name) {
            return Some(it);
        }
        let builtin = Builtin::method(name).map(Meaning::Builtin);
        let others = self.by_name(name).filter(|_| of.is_none() && !is_plain);
        match (builtin, others) {
            (Some(_), Some(_)) => None,
            (builtin, others) => builtin.or(others),
        }
    }

    fn own_member(self, of: &TypeRef, name: &str) -> Option<Meaning> {
        self.member(of, name).map(|(item, n)| Meaning::Member(item, n))
    }

    fn own_field(self, of: &TypeRef, name: &str) -> Option<Meaning> {
        let tree = db::item(self.db, &of.item)?;
        let (ItemKind::Struct(it) | ItemKind::Permit(it)) = &tree.kind else { return None };
        let n = it.fields.iter().position(|it| it.name.text == name)?;
        Some(Meaning::Field(of.item.clone(), n as u32))
    }

    /// A member of the `impl`s of a type.
    fn member(self, of: &TypeRef, name: &str) -> Option<(ItemKey, u32)> {
        let module = names::module(self.db, db::file(self.db, of.item.file)?);
        let type_name = &module.decls.iter().find(|it| it.item == of.item)?.name;
        module.impls.iter().filter(|it| it.name == *type_name).find_map(|it| {
            let n = it.members.iter().position(|it| it.name == name)?;
            Some((it.item.clone(), n as u32))
        })
    }

    fn free_method(self, name: &SmolStr) -> Option<Meaning> {
        let found = names::resolve(self.db, self.file, std::slice::from_ref(name));
        found.into_iter().find_map(|it| match it {
            Found::Decl(it) if it.kind == DeclKind::Fn { method: true } => {
                Some(Meaning::Item(it.item))
            }
            _ => None,
        })
    }

    /// The only field or member of that name that this file can see, if there is only one.
    fn by_name(self, name: &str) -> Option<Meaning> {
        let mut found = Vec::new();
        for file in names::neighbours(self.db, self.file) {
            found.extend(fields_and_members(self.db, file, SmolStr::new(name)).iter().cloned());
        }
        if found.len() == 1 { found.pop() } else { None }
    }

    /// The only variant of that name that this file can see, if there is only one.
    pub(super) fn only_variant(self, name: &SmolStr) -> Option<Meaning> {
        let mut found = Vec::new();
        for it in names::visible(self.db, self.file) {
            for it in names::resolve(self.db, self.file, &[it]) {
                if let Found::Decl(decl) = it
                    && let DeclKind::Enum(variants) = &decl.kind
                    && let Some(n) = variants.iter().position(|it| it == name)
                {
                    found.push(Meaning::Variant(decl.item.clone(), n as u32));
                }
            }
        }
        found.dedup();
        if found.len() == 1 { found.pop() } else { None }
    }
}

/// Fields and members of a file of one name.
#[salsa::tracked(returns(ref))]
fn fields_and_members(db: &dyn Db, file: SourceFile, name: SmolStr) -> Vec<Meaning> {
    let module = names::module(db, file);
    let mut found = Vec::new();
    for decl in module.decls.iter().filter(|it| it.kind == DeclKind::Struct) {
        let Some(tree) = db::item(db, &decl.item) else { continue };
        if let ItemKind::Struct(it) | ItemKind::Permit(it) = &tree.kind {
            let n = it.fields.iter().position(|it| it.name.text == name);
            found.extend(n.map(|n| Meaning::Field(decl.item.clone(), n as u32)));
        }
    }
    for it in &module.impls {
        let is_meant = |it: &&(usize, &names::MemberDecl)| {
            it.1.name == name && it.1.kind != Some(FnKind::Init)
        };
        let members = it.members.iter().enumerate().filter(|it| is_meant(&it));
        found.extend(members.map(|(n, _)| Meaning::Member(it.item.clone(), n as u32)));
    }
    found
}

fn texts(path: &[Name]) -> Vec<SmolStr> {
    path.iter().map(|it| it.text.clone()).collect()
}
