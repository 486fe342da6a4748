//! Calls: arguments against the signature of what is called.
//!
//! What a name means is decided as the elaborator decides it; where host code gives the same name
//! another meaning, nothing is said.

use smol_str::SmolStr;
use tile_syntax::ast::{Arg, BracketArg, Expr, ExprKind, FnKind, Name, Span};

use super::Walk;
use super::signature::{self, Signature, Slot};
use super::sort::Sort;
use crate::db;
use crate::dtype::DType;
use crate::elab;
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, Found, TypeRef};
use crate::op::surface::{Builtin, Form, Need, Row};
use crate::report;

/// What is called.
enum Callee {
    /// A declared function, or a member of an `impl`.
    Fn(ItemKey, Option<u32>),
    /// A struct's constructor.
    Struct(TypeRef),
    /// An operation of the compiler.
    Builtin(Builtin),
}

/// An argument with its sort.
struct Given<'a> {
    name: Option<&'a SmolStr>,
    sort: Sort,
    span: Span,
    /// The number, if it is written.
    number: Option<i128>,
}

impl Walk<'_> {
    pub(super) fn call(&mut self, callee: &Expr, args: &[Arg], span: Span) -> Sort {
        let (base, brackets) = match &*callee.kind {
            ExprKind::Bracket(base, brackets) if is_named(base) => (base, &brackets[..]),
            _ => (callee, &[][..]),
        };
        let mut given: Vec<Given<'_>> = args.iter().map(|it| self.given(it)).collect();
        let brackets: Vec<Given<'_>> =
            brackets.iter().filter_map(|it| self.in_brackets(it)).collect();
        let has_spread = args.iter().any(|it| it.spread);
        match &*base.kind {
            ExprKind::Field(receiver, name) => {
                let sort = self.expr(receiver);
                if has_spread {
                    return Sort::Unknown;
                }
                self.method(&sort, receiver, name, brackets, given, span)
            }
            ExprKind::Path(path) => match self.callee(path) {
                Some(Callee::Fn(item, member)) => {
                    let Some(decl) = signature::of(self.db, &item, member) else {
                        return Sort::Unknown;
                    };
                    self.generics(&decl, &brackets);
                    if !has_spread {
                        self.arguments(&decl, &mut given, span);
                    }
                    decl.result
                }
                Some(Callee::Struct(ty)) => {
                    let Some(decl) = self.constructor(&ty) else { return Sort::Unknown };
                    self.generics(&decl, &brackets);
                    if !has_spread {
                        self.arguments(&decl, &mut given, span);
                    }
                    Sort::Struct(ty)
                }
                Some(Callee::Builtin(it)) => {
                    if !has_spread {
                        self.row(it.row(), &given, span);
                    }
                    Sort::Unknown
                }
                None => Sort::Unknown,
            },
            _ => {
                self.expr(base);
                Sort::Unknown
            }
        }
    }

    fn given<'a>(&mut self, arg: &'a Arg) -> Given<'a> {
        Given {
            name: arg.name.as_ref().map(|it| &it.text),
            sort: self.expr(&arg.value),
            span: arg.value.span,
            number: number(&arg.value),
        }
    }

    fn in_brackets<'a>(&mut self, arg: &'a BracketArg) -> Option<Given<'a>> {
        let (name, value) = match arg {
            BracketArg::Value(it) => (None, it),
            BracketArg::Named(name, it) => (Some(&name.text), it),
            BracketArg::Whole(_) => return None,
        };
        Some(Given { name, sort: self.expr(value), span: value.span, number: number(value) })
    }

    /// What a path that is called names, in the order in which the elaborator looks.
    fn callee(&self, path: &[Name]) -> Option<Callee> {
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        let is_form = texts.len() == 1
            && matches!(texts[0].as_str(), "static_assert" | "print" | "expect_error");
        let is_local = texts.len() == 1 && self.scope.iter().any(|it| it.0 == texts[0]);
        if is_form || is_local || crate::host::knows(&texts) {
            return None;
        }
        let found = names::resolve(self.db, self.file, &texts);
        let decls = || {
            found.iter().filter_map(|it| match it {
                Found::Decl(it) => Some(it),
                _ => None,
            })
        };
        if let Some(it) = decls().find(|it| it.kind == DeclKind::Fn { method: false }) {
            return Some(Callee::Fn(it.item.clone(), None));
        }
        if decls().any(|it| matches!(it.kind, DeclKind::Kernel | DeclKind::Build)) {
            return None;
        }
        if let Some(it) = decls().find(|it| it.kind == DeclKind::Struct) {
            return Some(Callee::Struct(TypeRef { item: it.item.clone() }));
        }
        let method = decls().find(|it| it.kind == DeclKind::Fn { method: true });
        let only_methods = decls().all(|it| matches!(it.kind, DeclKind::Fn { method: true }));
        match Builtin::function(&texts) {
            Some(it) if only_methods => Some(Callee::Builtin(it)),
            _ => method.map(|it| Callee::Fn(it.item.clone(), None)),
        }
    }

    /// The signature of a struct's constructor: its `init`, or its fields.
    fn constructor(&self, ty: &TypeRef) -> Option<Signature> {
        if self.builds.as_ref() != Some(ty)
            && let Some((item, member)) = self.member(ty, "init", FnKind::Init)
        {
            return signature::of(self.db, &item, Some(member));
        }
        signature::of(self.db, &ty.item, None)
    }

    fn member(&self, ty: &TypeRef, name: &str, kind: FnKind) -> Option<(ItemKey, u32)> {
        let file = db::file(self.db, ty.item.file)?;
        let module = names::module(self.db, file);
        let type_name = &module.decls.iter().find(|it| it.item == ty.item)?.name;
        module.impls.iter().filter(|it| it.name == *type_name).find_map(|it| {
            let at = it.members.iter().position(|it| it.name == name && it.kind == Some(kind))?;
            Some((it.item.clone(), at as u32))
        })
    }

    fn method(
        &mut self,
        this: &Sort,
        receiver: &Expr,
        name: &Name,
        brackets: Vec<Given<'_>>,
        mut given: Vec<Given<'_>>,
        span: Span,
    ) -> Sort {
        if *this == Sort::Unknown {
            return Sort::Unknown;
        }
        let first = Given { name: None, sort: this.clone(), span: receiver.span, number: None };
        let declared = match this {
            Sort::Struct(ty) => {
                self.member(ty, &name.text, FnKind::Fn).map(|it| (it.0, Some(it.1)))
            }
            _ => None,
        };
        if let (Sort::Struct(ty), None) = (this, &declared)
            && signature::of(self.db, &ty.item, None)
                .is_none_or(|it| it.params.iter().any(|it| it.name == name.text))
        {
            return Sort::Unknown;
        }
        let free = || self.free_method(&name.text).map(|it| (it, None));
        if let Some((item, member)) = declared.or_else(free) {
            let Some(decl) = signature::of(self.db, &item, member) else { return Sort::Unknown };
            self.generics(&decl, &brackets);
            if self.is_of_library(&item) {
                self.axis(this, decl.params.iter().map(|it| it.name.as_str()), &given);
            }
            given.insert(0, first);
            self.arguments(&decl, &mut given, span);
            return decl.result;
        }
        match Builtin::method(&name.text) {
            Some(builtin) => self.builtin_method(builtin, this, first, given, span),
            None => {
                if !elab::is_later_method(&name.text) && !name.text.is_empty() {
                    let (place, got) = (self.place(name.span), self.described(this));
                    self.found.push(report::names::no_method(place, &name.text, &got));
                }
                Sort::Unknown
            }
        }
    }

    fn builtin_method<'a>(
        &mut self,
        builtin: Builtin,
        this: &Sort,
        first: Given<'a>,
        mut given: Vec<Given<'a>>,
        span: Span,
    ) -> Sort {
        let row = builtin.row();
        let to = given.first().filter(|it| it.name.is_none()).map(|it| it.span);
        if let (Sort::Tensor { rank, .. }, "at" | "has") = (this, row.path)
            && given.len() != *rank as usize
        {
            let (place, name) = (self.place(span), self.text(first.span).to_owned());
            let wrong = report::memory::wrong_rank(place, &name, *rank as usize, given.len(), None);
            self.found.push(wrong);
            return Sort::Unknown;
        }
        // `expand` puts a dimension in, also behind the last one.
        if row.path != "expand" {
            self.axis(this, row.params.iter().skip(1).map(|it| it.name), &given);
        }
        given.insert(0, first);
        self.row(row, &given, span);
        match (this, row.path, to.and_then(|it| self.dtype_at(it))) {
            (Sort::Tile { rank, .. }, "to" | "bits", Some(dtype)) => Sort::of_elem(dtype, *rank),
            _ => Sort::Unknown,
        }
    }

    /// The element type that stands there in plain text.
    fn dtype_at(&self, span: Span) -> Option<DType> {
        let name = self.text(span);
        DType::from_name(name).filter(|_| !self.scope.iter().any(|it| it.0 == name))
    }

    fn free_method(&self, name: &SmolStr) -> Option<ItemKey> {
        let found = names::resolve(self.db, self.file, std::slice::from_ref(name));
        found.into_iter().find_map(|it| match it {
            Found::Decl(it) if it.kind == DeclKind::Fn { method: true } => Some(it.item),
            _ => None,
        })
    }

    fn is_of_library(&self, item: &ItemKey) -> bool {
        let file = db::file(self.db, item.file);
        file.is_some_and(|it| it.module(self.db).first().is_some_and(|it| it == "std"))
    }

    fn described(&self, sort: &Sort) -> String {
        match sort {
            Sort::Struct(ty) => signature::of(self.db, &ty.item, None)
                .map_or_else(|| sort.describe(), |it| it.name.to_string()),
            _ => sort.describe(),
        }
    }

    /// An axis that is written must be one of the tile's.
    fn axis<'p>(
        &mut self,
        this: &Sort,
        params: impl Iterator<Item = &'p str>,
        given: &[Given<'_>],
    ) {
        let Sort::Tile { rank: Some(rank @ 1..), .. } = this else { return };
        let at = params.filter(|it| *it != "self").position(|it| it == "axis");
        let found = given.iter().enumerate().find(|(n, it)| match it.name {
            Some(name) => name == "axis",
            None => Some(*n) == at,
        });
        if let Some((_, Given { number: Some(number), span, .. })) = found
            && !(0..i128::from(*rank)).contains(number)
        {
            let place = self.place(*span);
            self.found.push(report::ops::out_of_range(place, "axis", *number, *rank));
        }
    }

    /// Compile-time arguments: there are not more than parameters, and of their kinds.
    fn generics(&mut self, decl: &Signature, given: &[Given<'_>]) {
        let mut taken = vec![false; decl.generics.len()];
        for it in given {
            let at = match it.name {
                Some(name) => decl.generics.iter().position(|slot| slot.name == *name),
                None => taken.iter().position(|it| !it),
            };
            let Some(at) = at else {
                let known: Vec<&str> = decl.generics.iter().map(|it| it.name.as_str()).collect();
                let place = self.place(it.span);
                self.found.push(match it.name {
                    Some(name) => report::types::unknown_generic(place, name, &decl.name, &known),
                    None => report::types::too_many_generics(place, &decl.name, known.len()),
                });
                return;
            };
            taken[at] = true;
            self.fits(&decl.generics[at], it);
        }
    }

    fn arguments(&mut self, decl: &Signature, given: &mut Vec<Given<'_>>, span: Span) {
        let params = &decl.params;
        let mut taken = vec![false; params.len()];
        let rest = params.iter().position(|it| it.rest);
        for it in given.drain(..) {
            let at = match it.name {
                Some(name) => params.iter().position(|slot| !slot.rest && slot.name == *name),
                None => (0..params.len()).find(|it| !taken[*it] && Some(*it) != rest),
            };
            let place = self.place(it.span);
            match (at, it.name) {
                (Some(at), name) if taken[at] => {
                    let name = name.cloned().unwrap_or_default();
                    return self.found.push(report::types::argument_twice(place, &name));
                }
                (Some(at), _) => {
                    taken[at] = true;
                    self.fits(&params[at], &it);
                }
                (None, Some(_)) if rest.is_some() => {}
                (None, Some(name)) => {
                    let known: Vec<&str> = params
                        .iter()
                        .map(|it| it.name.as_str())
                        .filter(|it| !it.is_empty())
                        .collect();
                    return self
                        .found
                        .push(report::types::unknown_argument(place, name, &decl.name, &known));
                }
                (None, None) => {
                    return self.found.push(report::types::too_many_arguments(
                        place,
                        &decl.name,
                        params.len(),
                    ));
                }
            }
        }
        let missing =
            params.iter().zip(taken).find(|(it, taken)| !taken && !it.has_default && !it.rest);
        if let Some((it, _)) = missing {
            let name = if it.name.is_empty() { "_" } else { &it.name };
            let place = self.place(span);
            self.found.push(report::types::missing_argument(place, name, &decl.name));
        }
    }

    fn fits(&mut self, slot: &Slot, given: &Given<'_>) {
        if !given.sort.may_be(&slot.sort) {
            let (place, got) = (self.place(given.span), self.described(&given.sort));
            self.found.push(report::types::mismatch(place, &slot.text, &got));
        }
    }

    /// The arguments of an operation of the compiler.
    fn row(&mut self, row: &'static Row, given: &[Given<'_>], span: Span) {
        let mut taken = vec![false; row.params.len()];
        let has_rest = row.params.iter().any(|it| it.need == Need::Rest);
        for it in given {
            let at = match it.name {
                Some(name) => row
                    .params
                    .iter()
                    .position(|param| param.name == name.as_str() && param.need != Need::Rest),
                None => (0..taken.len()).find(|n| !taken[*n] && row.params[*n].need != Need::Rest),
            };
            let at = at.filter(|at| it.name.is_none() || *at > 0 || row.form != Form::Method);
            let place = self.place(it.span);
            match at {
                Some(at) if taken[at] => {
                    let name = row.params[at].name;
                    return self.found.push(report::ops::doubled_argument(place, row, name));
                }
                Some(at) => taken[at] = true,
                None if has_rest => {}
                None => {
                    let name = it.name.map(SmolStr::as_str);
                    return self.found.push(report::ops::extra_argument(place, row, name));
                }
            }
        }
        let is_missing = |(param, taken): &(&crate::op::surface::Param, bool)| {
            param.need == Need::Required && !taken
        };
        if let Some((param, _)) = row.params.iter().zip(taken).find(is_missing) {
            let place = self.place(span);
            self.found.push(report::ops::missing_argument(place, row, param.name));
        }
    }
}

fn is_named(base: &Expr) -> bool {
    matches!(&*base.kind, ExprKind::Path(_) | ExprKind::Field(..))
}

/// The number that an argument is written as.
fn number(expr: &Expr) -> Option<i128> {
    match &*expr.kind {
        ExprKind::Int(Some(it)) => i128::try_from(*it).ok(),
        _ => None,
    }
}
