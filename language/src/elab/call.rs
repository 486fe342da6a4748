//! Calls: which function a call means, and its evaluated arguments.

use smol_str::SmolStr;
use tile_syntax::ast::{self, BracketArg, Expr, ExprKind, Name, Span};

use super::cx::{Elab, Mode};
use super::env::VarPlace;
use super::path::{Callee, LATER_METHODS};
use super::rules;
use super::value::{Arg, TypeValue, Value};
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, FnRef, Found, TypeRef};
use crate::op::surface::Builtin;
use crate::report;
use crate::target::Cap;

/// An evaluated argument, with its variable if it is one, and whether that may be assigned.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) name: Option<SmolStr>,
    pub(super) value: Value,
    pub(super) place: Option<(VarPlace, bool)>,
    pub(super) span: Span,
}

/// A compile-time argument in brackets.
#[derive(Clone, Debug)]
pub(super) struct GivenGeneric {
    pub(super) name: Option<SmolStr>,
    pub(super) value: Value,
    pub(super) span: Span,
}

impl Elab<'_> {
    /// Calls a closure or a function with these arguments.
    pub fn call(&mut self, callee: &Value, args: Vec<Arg>, span: Span) -> Value {
        let given = args
            .into_iter()
            .map(|it| Given { name: it.name, value: it.value, place: None, span: it.span })
            .collect();
        self.call_given(callee, given, span)
    }

    fn call_given(&mut self, callee: &Value, given: Vec<Given>, span: Span) -> Value {
        match callee {
            Value::Error => Value::Error,
            Value::Closure(closure) => self.call_closure(&closure.clone(), given, span),
            Value::Function(FnRef::Builtin(builtin)) => self.call_rule(*builtin, given, span),
            Value::Function(FnRef::Declared { item, member }) => {
                let (item, member) = (item.clone(), *member);
                self.call_fn(&item, member, Vec::new(), given, span)
            }
            Value::Type(TypeValue::Struct(ty, args)) => {
                let generics = args
                    .iter()
                    .map(|it| GivenGeneric { name: None, value: it.clone(), span })
                    .collect();
                self.construct(&ty.clone(), generics, given, span)
            }
            other => {
                let got = self.describe(other);
                self.error(report::types::not_callable(self.place(span), &got))
            }
        }
    }

    pub(super) fn call_expr(&mut self, callee: &Expr, args: &[ast::Arg], span: Span) -> Value {
        let (base, generics) = match &*callee.kind {
            ExprKind::Bracket(base, generics) if self.takes_generics(base) => (base, &generics[..]),
            _ => (callee, &[][..]),
        };
        if let ExprKind::Field(receiver, name) = &*base.kind {
            return self.method_call(receiver, name, generics, args, span);
        }
        if let ExprKind::Path(path) = &*base.kind
            && let [name] = &path[..]
            && let Some(value) = self.special_form(&name.text, args, span)
        {
            return value;
        }
        let callee = match self.callee(base, false) {
            Some(it) => it,
            None => Callee::Value(self.eval(base)),
        };
        if callee == Callee::Value(Value::Error) {
            return Value::Error;
        }
        let Some(generics) = self.eval_generics(generics) else { return Value::Error };
        let given = self.eval_args(args);
        self.call_callee(callee, generics, given, span)
    }

    /// Whether brackets after `base` are compile-time arguments of a call.
    fn takes_generics(&mut self, base: &Expr) -> bool {
        match &*base.kind {
            ExprKind::Field(..) => true,
            ExprKind::Path(_) => self.callee(base, true).is_some(),
            _ => false,
        }
    }

    fn call_callee(
        &mut self,
        callee: Callee,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        match callee {
            Callee::Fn(item, member) => self.call_fn(&item, member, generics, given, span),
            Callee::Kernel(item) => self.call_kernel(&item, generics, given, span),
            Callee::Struct(ty) => self.construct(&ty, generics, given, span),
            Callee::Builtin(builtin, path) => {
                let on_host = self.mode == Mode::Host
                    && self.host.as_deref().is_some_and(|it| it.knows(&path));
                if on_host {
                    let args = self.plain_args(given);
                    return match args {
                        Some(args) => self.on_host(span, |host| host.call(&path, &args)),
                        None => Value::Error,
                    };
                }
                match builtin {
                    Some(builtin) => self.call_rule(builtin, given, span),
                    None => {
                        self.error(report::types::host_only(self.place(span), &path.join("::")))
                    }
                }
            }
            Callee::Value(value) => self.call_given(&value, given, span),
        }
    }

    /// Calls an operation of the compiler by name.
    pub(super) fn call_builtin(&mut self, path: &[&str], args: Vec<Value>, span: Span) -> Value {
        let path: Vec<SmolStr> = path.iter().map(SmolStr::new).collect();
        match Builtin::function(&path) {
            Some(builtin) => {
                let args = args.into_iter().map(|value| Arg { name: None, value, span }).collect();
                rules::call(self, builtin, args, span)
            }
            None => self.unsupported(&format!("`{}`", path.join("::")), span),
        }
    }

    fn call_rule(&mut self, builtin: Builtin, given: Vec<Given>, span: Span) -> Value {
        let mut args = Vec::new();
        for it in given {
            let word = it.name.as_ref().is_some_and(|name| builtin.takes_word(name));
            let value = match it.value {
                Value::Word(word_text) if word => Value::Str(word_text),
                // A function of the word's name stands not in its way: `reduce: min`.
                Value::Function(it) if word => Value::Str(it.name()),
                other => self.no_word(other, it.span),
            };
            args.push(Arg { name: it.name, value, span: it.span });
        }
        if args.iter().any(|it| it.value == Value::Error) {
            return Value::Error;
        }
        if let (Mode::Host, Some(Value::Host(tensor))) =
            (self.mode, args.first().map(|it| it.value.clone()))
        {
            return self.on_host(span, |host| host.method(tensor, builtin.name(), &args[1..]));
        }
        rules::call(self, builtin, args, span)
    }

    /// Arguments for host code, none of them a word or an error.
    fn plain_args(&mut self, given: Vec<Given>) -> Option<Vec<Arg>> {
        let mut args = Vec::new();
        for it in given {
            let value = match it.value {
                Value::Word(text) if it.name.is_some() => Value::Str(text),
                other => self.no_word(other, it.span),
            };
            args.push(Arg { name: it.name, value, span: it.span });
        }
        args.iter().all(|it| it.value != Value::Error).then_some(args)
    }

    pub(super) fn eval_args(&mut self, args: &[ast::Arg]) -> Vec<Given> {
        let mut given = Vec::new();
        for arg in args {
            let span = arg.value.span;
            let value = self.eval_or_word(&arg.value);
            if arg.spread {
                match value {
                    Value::Record(parts) => given.extend(parts.iter().map(|(name, it)| Given {
                        name: Some(name.clone()),
                        value: it.clone(),
                        place: None,
                        span,
                    })),
                    Value::Error => {}
                    other => {
                        let got = self.describe(&other);
                        self.report(report::types::mismatch(self.place(span), "record", &got));
                    }
                }
                continue;
            }
            let place = self.place_of(&arg.value);
            given.push(Given {
                name: arg.name.as_ref().map(|it| it.text.clone()),
                value,
                place,
                span,
            });
        }
        given
    }

    pub(super) fn eval_generics(&mut self, args: &[BracketArg]) -> Option<Vec<GivenGeneric>> {
        let mut given = Vec::new();
        for arg in args {
            let (name, expr) = match arg {
                BracketArg::Value(it) => (None, it),
                BracketArg::Named(name, it) => (Some(name.text.clone()), it),
                BracketArg::Whole(span) => {
                    self.report(report::types::not_an_extent(self.place(*span)));
                    return None;
                }
            };
            let word = self.eval_or_word_const(expr);
            given.push(GivenGeneric { name, value: word, span: expr.span });
        }
        Some(given)
    }

    fn eval_or_word_const(&mut self, expr: &Expr) -> Value {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 => {
                let value = self.eval_or_word(expr);
                self.known(value, expr.span)
            }
            _ => self.eval_const(expr),
        }
    }

    /// `f[128]` without a call, `Online[M, L]`: a type or a function with compile-time arguments.
    pub(super) fn generic_value(
        &mut self,
        callee: Callee,
        args: &[BracketArg],
        span: Span,
    ) -> Value {
        let Some(generics) = self.eval_generics(args) else { return Value::Error };
        match callee {
            Callee::Struct(ty) => self.struct_type(&ty, generics, span),
            _ => self.error(report::types::generics_without_call(self.place(span))),
        }
    }

    fn method_call(
        &mut self,
        receiver: &Expr,
        name: &Name,
        generics: &[BracketArg],
        args: &[ast::Arg],
        span: Span,
    ) -> Value {
        let place = self.place_of(receiver);
        let value = match &place {
            Some((place, _)) => self.read(place),
            None => self.eval(receiver),
        };
        self.observe(receiver.span, &value);
        if value == Value::Error || name.text.is_empty() {
            return Value::Error;
        }
        if value == Value::Target && name.text == "has" {
            return self.target_has(args, span);
        }
        let Some(generics) = self.eval_generics(generics) else { return Value::Error };
        let mut given = self.eval_args(args);
        let this = Given { name: None, value: value.clone(), place, span: receiver.span };
        if let Some(callee) = self.method_of_type(&value, &name.text, ast::FnKind::Fn) {
            given.insert(0, this);
            return self.call_callee(callee, generics, given, span);
        }
        match &value {
            Value::Record(_) | Value::Struct(_)
                if self.field_names(&value).contains(&name.text) =>
            {
                let field = self.field_of(&value, name, name.span);
                return self.call_given(&field, given, span);
            }
            Value::Range(it) if name.text == "rev" && given.is_empty() => {
                let mut it = (**it).clone();
                it.reversed = !it.reversed;
                return Value::Range(it.into());
            }
            _ => {}
        }
        given.insert(0, this);
        // What lives in memory has methods of its own, whatever the library has for tiles.
        if let (Value::View(_) | Value::Tiles(_), Some(builtin)) =
            (&value, Builtin::method(&name.text))
        {
            return self.call_rule(builtin, given, span);
        }
        if let Some(item) = self.free_method(&name.text) {
            return self.call_fn(&item, None, generics, given, span);
        }
        if let Value::Host(tensor) = value {
            let Some(args) = self.plain_args(given) else { return Value::Error };
            return self.on_host(span, |host| host.method(tensor, &name.text, &args[1..]));
        }
        match Builtin::method(&name.text) {
            Some(builtin) => self.call_rule(builtin, given, span),
            None if LATER_METHODS.contains(&name.text.as_str()) => {
                self.unsupported(&format!("`.{}(…)`", name.text), name.span)
            }
            None => {
                let got = self.describe(&value);
                self.error(report::names::no_method(self.place(name.span), &name.text, &got))
            }
        }
    }

    fn target_has(&mut self, args: &[ast::Arg], span: Span) -> Value {
        let name = match args {
            [ast::Arg { value, .. }] => match &*value.kind {
                ExprKind::Path(path) if path.len() == 1 => path[0].clone(),
                _ => return self.error(report::types::capability_wanted(self.place(value.span))),
            },
            _ => return self.error(report::types::capability_wanted(self.place(span))),
        };
        match Cap::from_name(&name.text) {
            Some(cap) => Value::Bool(self.target().has(cap)),
            None => {
                let near = names::suggest::nearest(&name.text, Cap::ALL.iter().map(|it| it.name()));
                self.error(report::names::unknown_capability(
                    self.place(name.span),
                    &name.text,
                    near.as_deref(),
                ))
            }
        }
    }

    /// The member of that name in the `impl`s of a value's type.
    pub(super) fn method_of_type(
        &mut self,
        value: &Value,
        name: &str,
        kind: ast::FnKind,
    ) -> Option<Callee> {
        let ty = match value {
            Value::Struct(it) => it.ty.clone(),
            Value::Variant(ty, _) => ty.clone(),
            _ => return None,
        };
        let (item, member) = self.impl_member(&ty, name, kind)?;
        Some(Callee::Fn(item, Some(member)))
    }

    /// The `impl` and the place in it of a type's member.
    pub(super) fn impl_member(
        &self,
        ty: &TypeRef,
        name: &str,
        kind: ast::FnKind,
    ) -> Option<(ItemKey, u32)> {
        let file = crate::db::file(self.db, ty.item.file)?;
        let module = names::module(self.db, file);
        let type_name = &module.decls.iter().find(|it| it.item == ty.item)?.name;
        for it in module.impls.iter().filter(|it| it.name == *type_name) {
            let at = it.members.iter().position(|it| it.name == name && it.kind == Some(kind));
            if let Some(at) = at {
                return Some((it.item.clone(), at as u32));
            }
        }
        None
    }

    /// A function of that name whose first parameter is `self`, as the current file sees it.
    fn free_method(&mut self, name: &SmolStr) -> Option<ItemKey> {
        let found = names::resolve(self.db, self.frame().file, std::slice::from_ref(name));
        found.into_iter().find_map(|it| match it {
            Found::Decl(it) if it.kind == DeclKind::Fn { method: true } => Some(it.item),
            _ => None,
        })
    }

    /// Forms that look like calls but are not: they see their arguments' text.
    fn special_form(&mut self, name: &str, args: &[ast::Arg], span: Span) -> Option<Value> {
        if self.local(name).is_some() {
            return None;
        }
        match name {
            "static_assert" => Some(self.static_assert(args, span)),
            "print" => Some(self.print(args, span)),
            "expect_error" if self.mode == Mode::Host => Some(self.expect_error(args, span)),
            _ => None,
        }
    }

    fn static_assert(&mut self, args: &[ast::Arg], span: Span) -> Value {
        let Some((cond, why)) = args.split_first() else {
            return self.error(report::types::missing_argument(
                self.place(span),
                "cond",
                "static_assert",
            ));
        };
        let why = match why.first().map(|it| &*it.value.kind) {
            Some(ExprKind::Str(text)) => Some(text.clone()),
            _ => None,
        };
        match self.eval_const(&cond.value) {
            Value::Bool(true) | Value::Error => Value::unit(),
            Value::Bool(false) => {
                self.report(report::comptime::static_assert(
                    self.place(cond.value.span),
                    why.as_deref(),
                ));
                Value::Error
            }
            other => {
                let got = self.describe(&other);
                self.error(report::types::mismatch(self.place(cond.value.span), "bool", &got))
            }
        }
    }
}
