//! What names mean: paths, fields, methods, names of arguments.

use smol_str::SmolStr;
use tile_syntax::ast::{Expr, ExprKind, Name};

use super::super::types::Owner;
use super::super::{Access, Meaning, Stand};
use super::Walk;
use crate::elab;
use crate::names::{self, DeclKind, Found, TypeRef};
use crate::op::surface::Builtin;

impl Walk<'_> {
    /// `name:` before an argument.
    pub(super) fn label(&mut self, label: &Name, owner: Option<&Owner>) {
        if let Some(means) = owner.and_then(|it| self.structs.parameter(it, &label.text)) {
            self.note(label.span, means, Access::Labels);
        }
    }

    /// Whose parameters the arguments of a call are for.
    pub(super) fn owner(&self, callee: &Expr, access: Access) -> Option<Owner> {
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

    pub(super) fn path(&mut self, path: &[Name], access: Access, stand: Stand) {
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
                if names::resolve(self.db, self.file, &texts).is_empty() {
                    let text = texts.join("::").into();
                    self.unknown(text, path[0].span.to(last), stand);
                }
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
    pub(super) fn field(&mut self, base: &Expr, name: &Name, access: Access) {
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
    pub(super) fn struct_of(&self, expr: &Expr) -> Option<TypeRef> {
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
