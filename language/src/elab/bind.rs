//! Entering functions: arguments meet parameters, compile-time parameters are inferred, bodies run.
//!
//! Every call is inlined: the body runs in a new frame whose `caller` is the place of the call.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{
    self, ClauseKind, Expr, Fn, Generic, Item, ItemKind, Param, PatternKind, Span, Struct,
};

use super::call::{Given, GivenGeneric};
use super::cx::Elab;
use super::env::ScopeMark;
use super::types::Bindings;
use super::value::{Closure, StructValue, TypeValue, Value};
use crate::db;
use crate::ir::ItemKey;
use crate::names::TypeRef;
use crate::report;
use crate::target::Cap;

/// A frame that is to be left again.
pub(super) struct Entered {
    mark: ScopeMark,
}

impl Elab<'_> {
    /// Calls a declared function.
    pub(super) fn call_fn(
        &mut self,
        item: &ItemKey,
        member: Option<u32>,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        let Some(tree) = db::item(self.db, item) else { return Value::Error };
        let Some((decl, owner)) = function_of(&tree, member) else { return Value::Error };
        if self.wraps(decl, &given) {
            return self.wrap_on_host(item, member, generics, given, span);
        }
        match self.enter_fn(item, decl, owner, generics, given, span) {
            Some(entered) => {
                let value = self.run_fn(decl);
                self.end_held(entered.mark.first_slot(), &value);
                self.leave_fn(entered);
                value
            }
            None => Value::Error,
        }
    }

    /// Enters a function: its frame has its parameters. `None` if the call was wrong, reported.
    pub(super) fn enter_fn(
        &mut self,
        item: &ItemKey,
        decl: &Fn,
        owner: Option<&ast::Impl>,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Entered> {
        let given = self.match_params(decl, given, span)?;
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(item.clone(), span) {
            return None;
        }
        let done = self.bind_all(decl, owner, generics, given, span);
        if done.is_none() {
            self.leave_fn(Entered { mark });
            return None;
        }
        Some(Entered { mark })
    }

    pub(super) fn leave_fn(&mut self, entered: Entered) {
        self.leave_frame(entered.mark);
    }

    /// Leaves a frame, and drops the slots that it added.
    pub(super) fn leave_frame(&mut self, mark: ScopeMark) {
        self.leave();
        mark.drop_slots(&mut self.slots);
    }

    /// Runs the body of the function just entered.
    pub(super) fn run_fn(&mut self, decl: &Fn) -> Value {
        let Some(body) = &decl.body else { return Value::Error };
        let value = self.run_body(body);
        let Some(result) = &decl.result else { return value };
        match self.eval_type(result) {
            Some(ty) => {
                let span = body.value.as_ref().map_or(body.span, |it| it.span);
                self.coerce(value, &ty, span)
            }
            None => Value::Error,
        }
    }

    fn bind_all(
        &mut self,
        decl: &Fn,
        owner: Option<&ast::Impl>,
        generics: Vec<GivenGeneric>,
        given: Vec<Option<Given>>,
        span: Span,
    ) -> Option<()> {
        if let Some(owner) = owner {
            self.bind_owner(decl, owner, &generics, given.first())?;
        }
        let is_init = decl.kind == ast::FnKind::Init;
        let generics = if is_init { Vec::new() } else { generics };
        let mut bindings = self.explicit(&decl.generics, generics, &decl.name.text, span)?;
        for (param, given) in decl.params.iter().zip(&given) {
            if let (Some(ty), Some(given)) = (&param.ty, given) {
                self.infer(ty, &given.value, &mut bindings);
            }
        }
        self.bind_generics(&decl.generics, bindings, &decl.name.text, span)?;
        let mut fine = true;
        for (param, given) in decl.params.iter().zip(given) {
            fine &= self.bind_param(param, given).is_some();
        }
        fine.then_some(())?;
        self.check_clauses(decl)
    }

    /// `Self` of an `impl`: the type, and its parameters under the names of the `impl`'s head.
    fn bind_owner(
        &mut self,
        decl: &Fn,
        owner: &ast::Impl,
        generics: &[GivenGeneric],
        first: Option<&Option<Given>>,
    ) -> Option<()> {
        let texts = [owner.name.text.clone()];
        let found = crate::names::resolve(self.db, self.frame().file, &texts);
        let ty = found.iter().find_map(|it| match it {
            crate::names::Found::Decl(it) => Some(TypeRef { item: it.item.clone() }),
            _ => None,
        })?;
        let args: Arc<[Value]> = match first {
            Some(Some(Given { value: Value::Struct(it), .. }))
                if decl.kind != ast::FnKind::Init =>
            {
                it.args.clone()
            }
            _ => self.args_of_init(&ty, generics, decl.name.span)?,
        };
        let known = owner.generics.iter().zip(args.iter()).filter(|it| *it.1 != Value::Error);
        for (generic, value) in known {
            self.declare(generic.name.text.clone(), value.clone(), false);
        }
        let frame = self.frame_mut();
        frame.this = Some((ty, args));
        frame.is_init = decl.kind == ast::FnKind::Init;
        Some(())
    }

    /// The compile-time arguments of a type that is constructed, as far as they are said or have defaults; what
    /// follows from the fields stays [`Value::Error`].
    fn args_of_init(
        &mut self,
        ty: &TypeRef,
        given: &[GivenGeneric],
        span: Span,
    ) -> Option<Arc<[Value]>> {
        let decl = self.struct_decl(ty)?;
        let bindings = self.explicit(&decl.generics, given.to_vec(), &decl.name.text, span)?;
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(ty.item.clone(), span) {
            return None;
        }
        let said = decl.generics.iter().zip(bindings);
        let known = said.map(|(generic, (name, value))| {
            if value.is_none() && generic.default.is_none() {
                return Some(Value::Error);
            }
            let (one, callee) = (vec![(name, value)], &decl.name.text);
            self.bind_generics(std::slice::from_ref(generic), one, callee, span)?;
            self.local(&generic.name.text).map(|it| self.read(&it.place.clone()))
        });
        let known = known.collect::<Option<Vec<Value>>>();
        self.leave_frame(mark);
        known.map(Into::into)
    }

    /// Explicit compile-time arguments by position and by name.
    pub(super) fn explicit(
        &mut self,
        generics: &[Generic],
        given: Vec<GivenGeneric>,
        callee: &str,
        span: Span,
    ) -> Option<Bindings> {
        let mut bindings: Bindings =
            generics.iter().map(|it| (it.name.text.clone(), None)).collect();
        for it in given {
            let at = match &it.name {
                Some(name) => bindings.iter().position(|slot| slot.0 == *name),
                None => bindings.iter().position(|it| it.1.is_none()),
            };
            let Some(at) = at else {
                let known: Vec<&str> = generics.iter().map(|it| it.name.text.as_str()).collect();
                let place = self.caller_place(span);
                match it.name {
                    Some(name) => {
                        self.report(report::types::unknown_generic(place, &name, callee, &known))
                    }
                    None => {
                        self.report(report::types::too_many_generics(place, callee, generics.len()))
                    }
                }
                return None;
            };
            bindings[at].1 = Some(it.value);
        }
        Some(bindings)
    }

    /// Declares compile-time parameters; what is not bound takes its default.
    pub(super) fn bind_generics(
        &mut self,
        generics: &[Generic],
        bindings: Bindings,
        callee: &str,
        span: Span,
    ) -> Option<()> {
        let mode = self.enter_const();
        let mut done = Some(());
        for (generic, (name, value)) in generics.iter().zip(bindings) {
            let value = match (value, &generic.default) {
                (Some(it), _) => it,
                (None, Some(default)) => self.eval_or_word_expr(default),
                (None, None) => {
                    let place = self.caller_place(span);
                    self.report(report::types::cannot_infer(place, &name, callee));
                    done = None;
                    Value::Error
                }
            };
            let value = match &generic.ty {
                Some(ty) => match self.eval_type(ty) {
                    Some(ty) => self.coerce(value, &ty, generic.name.span),
                    None => Value::Error,
                },
                None => value,
            };
            self.observe(generic.name.span, &value);
            self.declare(name, value, false);
        }
        self.mode = mode;
        done
    }

    pub(super) fn eval_or_word_expr(&mut self, expr: &Expr) -> Value {
        match &*expr.kind {
            ast::ExprKind::Path(_) => self.eval_or_word(expr),
            _ => self.eval_const(expr),
        }
    }

    fn bind_param(&mut self, param: &Param, given: Option<Given>) -> Option<()> {
        let Some(given) = given else {
            let default =
                param.default.as_ref().expect("a missing argument without default was reported");
            let value = self.eval_or_word_expr(default);
            let value = self.typed(param, value, default.span);
            self.bind(&param.pattern, value, false);
            return Some(());
        };
        if param.var {
            let PatternKind::Name(name) = &param.pattern.kind else { return None };
            match given.place {
                Some((place, mutable)) if mutable || self.has_own_fields(&given.value) => {
                    self.observe(name.span, &given.value);
                    self.declare_place(name.text.clone(), place, true);
                }
                Some(_) => {
                    let place = self.caller_place(given.span);
                    self.report(report::types::changed_let(place));
                    return None;
                }
                None if name.text == "self" => {
                    self.observe(name.span, &given.value);
                    self.declare(name.text.clone(), given.value, true);
                }
                None => {
                    let place = self.caller_place(given.span);
                    self.report(report::types::not_a_variable(place, &name.text));
                    return None;
                }
            }
            return Some(());
        }
        let place = self.caller_place(given.span);
        let before = self.diagnostics.len();
        let value = self.typed(param, given.value, param.pattern.span);
        self.blame_caller(before, place);
        self.bind(&param.pattern, value, false);
        Some(())
    }

    /// Whether a struct has fields that every role has for itself: those change under a `let`.
    fn has_own_fields(&self, value: &Value) -> bool {
        let Value::Struct(it) = value else { return false };
        self.struct_decl(&it.ty).is_some_and(|it| it.fields.iter().any(|it| it.own))
    }

    /// A value that does not fit is the caller's mistake: it is shown where the argument stands.
    fn blame_caller(&mut self, before: usize, place: crate::ir::Place) {
        if let Some(it) = self.diagnostics.get_mut(before) {
            it.place = place;
            it.reasons.retain(|it| it.message != report::names::CALLED_HERE);
        }
    }

    fn typed(&mut self, param: &Param, value: Value, span: Span) -> Value {
        match &param.ty {
            Some(ty) => match self.eval_type(ty) {
                Some(ty) => self.coerce(value, &ty, span),
                None => Value::Error,
            },
            None => self.no_word(value, span),
        }
    }

    /// The place of a span of the caller, while the callee's frame is the innermost.
    fn caller_place(&self, span: Span) -> crate::ir::Place {
        let below = self.frames.len().checked_sub(2).and_then(|it| self.frames.get(it));
        let frame = below.unwrap_or_else(|| self.frame());
        crate::ir::Place { item: frame.item.clone(), span }
    }

    /// Arguments in the order of the parameters; `None` inside where a default is taken.
    fn match_params(
        &mut self,
        decl: &Fn,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Vec<Option<Given>>> {
        let slots = self.match_given(decl, given, span)?;
        for (slot, param) in slots.iter().zip(&decl.params) {
            if slot.is_none() && param.default.is_none() {
                let name = param_name(param).unwrap_or("_");
                self.report(report::types::missing_argument(
                    self.place(span),
                    name,
                    &decl.name.text,
                ));
                return None;
            }
        }
        Some(slots)
    }

    /// Arguments in the order of the parameters; `None` inside where none was given.
    pub(super) fn match_given(
        &mut self,
        decl: &Fn,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Vec<Option<Given>>> {
        let params = &decl.params;
        let mut slots: Vec<Option<Given>> = vec![None; params.len()];
        let rest = params.iter().position(|it| it.rest);
        let mut extra = Vec::new();
        for it in given {
            let at = match &it.name {
                Some(name) => params.iter().position(|param| !param.rest && is_named(param, name)),
                None => (0..params.len()).find(|it| slots[*it].is_none() && Some(*it) != rest),
            };
            match (at, rest, &it.name) {
                (Some(at), _, name) if slots[at].is_some() => {
                    let name = name.clone().unwrap_or_default();
                    self.report(report::types::argument_twice(self.place(it.span), &name));
                    return None;
                }
                (Some(at), ..) => slots[at] = Some(it),
                (None, Some(_), Some(name)) => extra.push((name.clone(), it.value)),
                (None, _, Some(name)) => {
                    let known: Vec<&str> = params.iter().filter_map(param_name).collect();
                    let callee = &decl.name.text;
                    self.report(report::types::unknown_argument(
                        self.place(it.span),
                        name,
                        callee,
                        &known,
                    ));
                    return None;
                }
                (None, ..) => {
                    let place = self.place(it.span);
                    self.report(report::types::too_many_arguments(
                        place,
                        &decl.name.text,
                        params.len(),
                    ));
                    return None;
                }
            }
        }
        if let Some(rest) = rest {
            let value = Value::Record(extra.into());
            slots[rest] = Some(Given { name: None, value, place: None, span });
        }
        Some(slots)
    }

    /// `where` and `requires` of a function, as far as they can be decided now.
    fn check_clauses(&mut self, decl: &Fn) -> Option<()> {
        for clause in &decl.clauses {
            match &clause.kind {
                ClauseKind::Where(conditions) => {
                    for cond in conditions {
                        if self.decide(cond) == Some(false) {
                            let text = self.text_of(cond.span);
                            let place = self
                                .frame()
                                .caller
                                .map(|it| self.ir.sites[it.0 as usize].place.clone());
                            let here = self.place(cond.span);
                            let place = place.unwrap_or_else(|| here.clone());
                            let callee = &decl.name.text;
                            self.report(report::types::where_fails(place, callee, &text, here));
                            return None;
                        }
                    }
                }
                ClauseKind::Requires(caps) => {
                    for cap in caps {
                        self.required(cap, &decl.name.text);
                    }
                }
                ClauseKind::Grid { .. }
                | ClauseKind::Warps(_)
                | ClauseKind::Cluster(_)
                | ClauseKind::Expect(_)
                | ClauseKind::Allow { .. }
                | ClauseKind::Pdl => {}
            }
        }
        Some(())
    }

    /// A capability that a head states.
    pub(super) fn required(&mut self, cap: &ast::Name, callee: &str) {
        match Cap::from_name(&cap.text) {
            Some(it) => self.need(it, &format!("`{callee}`"), cap.span),
            None => {
                let near =
                    crate::names::suggest::nearest(&cap.text, Cap::ALL.iter().map(|it| it.name()));
                self.report(report::names::unknown_capability(
                    self.place(cap.span),
                    &cap.text,
                    near.as_deref(),
                ));
            }
        }
    }

    /// What a condition is, if it is known at compile time.
    pub(super) fn decide(&mut self, cond: &Expr) -> Option<bool> {
        let mode = self.enter_const();
        self.ir.open(Vec::new());
        let before = self.diagnostics.len();
        let value = self.eval(cond);
        self.diagnostics.truncate(before);
        self.ir.close();
        self.mode = mode;
        match value {
            Value::Bool(it) => Some(it),
            _ => None,
        }
    }

    pub(super) fn call_closure(
        &mut self,
        closure: &Arc<Closure>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        if closure.params.len() != given.len() {
            let place = self.place(span);
            return self.error(report::types::closure_arity(
                place,
                closure.params.len(),
                given.len(),
            ));
        }
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(closure.item.clone(), span) {
            return Value::Error;
        }
        self.frame_mut().this = closure.scope.this.clone();
        for (name, value) in closure.scope.names.iter() {
            self.declare(name.clone(), value.clone(), false);
        }
        for (param, given) in closure.params.iter().zip(given) {
            let value = self.no_word(given.value, param.pattern.span);
            let value = self.typed(param, value, param.pattern.span);
            self.bind(&param.pattern, value, false);
        }
        let value = self.eval(&closure.body);
        self.end_held(mark.first_slot(), &value);
        self.leave_fn(Entered { mark });
        value
    }

    /// `Online[M, L]` as a type.
    pub(super) fn struct_type(
        &mut self,
        ty: &TypeRef,
        generics: Vec<GivenGeneric>,
        span: Span,
    ) -> Value {
        let Some(decl) = self.struct_decl(ty) else { return Value::Error };
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(ty.item.clone(), span) {
            return Value::Error;
        }
        let bindings = self.explicit(&decl.generics, generics, &decl.name.text, span);
        let done =
            bindings.and_then(|it| self.bind_generics(&decl.generics, it, &decl.name.text, span));
        let args = self.generic_args(&decl);
        self.leave_fn(Entered { mark });
        match done {
            Some(()) => Value::Type(TypeValue::Struct(ty.clone(), args)),
            None => Value::Error,
        }
    }

    fn generic_args(&self, decl: &Struct) -> Arc<[Value]> {
        let value = |it: &Generic| {
            self.local(&it.name.text).map_or(Value::Error, |it| self.read(&it.place))
        };
        decl.generics.iter().map(value).collect()
    }

    /// `Raster(m: 7, n: 5)`: through `init` if the type has one, field by field otherwise.
    pub(super) fn construct(
        &mut self,
        ty: &TypeRef,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        let within =
            self.frame().is_init && self.frame().this.as_ref().is_some_and(|it| it.0 == *ty);
        if let (Some((item, member)), false) =
            (self.impl_member(ty, "init", ast::FnKind::Init), within)
        {
            return self.call_fn(&item, Some(member), generics, given, span);
        }
        let Some(decl) = self.struct_decl(ty) else { return Value::Error };
        let Some(given) = self.match_fields(&decl, given, span) else { return Value::Error };
        let outer = self.frame().this.clone().filter(|it| it.0 == *ty).map(|it| it.1);
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(ty.item.clone(), span) {
            return Value::Error;
        }
        let value = self.build_struct(ty, &decl, generics, given, outer, span);
        self.leave_fn(Entered { mark });
        value.unwrap_or(Value::Error)
    }

    fn build_struct(
        &mut self,
        ty: &TypeRef,
        decl: &Struct,
        generics: Vec<GivenGeneric>,
        given: Vec<Option<Given>>,
        outer: Option<Arc<[Value]>>,
        span: Span,
    ) -> Option<Value> {
        let mut bindings = self.explicit(&decl.generics, generics, &decl.name.text, span)?;
        for (field, given) in decl.fields.iter().zip(&given) {
            if let Some(given) = given {
                self.infer(&field.ty, &given.value, &mut bindings);
            }
        }
        for ((_, slot), value) in bindings.iter_mut().zip(outer.iter().flat_map(|it| it.iter())) {
            if *value != Value::Error {
                slot.get_or_insert_with(|| value.clone());
            }
        }
        self.bind_generics(&decl.generics, bindings, &decl.name.text, span)?;
        let args = self.generic_args(decl);
        let mut fields = Vec::new();
        for (field, given) in decl.fields.iter().zip(given) {
            let wanted = self.eval_type(&field.ty)?;
            let (value, at) = match (given, &field.default) {
                (Some(it), _) => (it.value, self.caller_place(it.span)),
                (None, Some(default)) => (self.eval_or_word(default), self.place(default.span)),
                (None, None) => {
                    let value = self.default_of(&wanted, field.ty.span)?;
                    (value, self.place(field.ty.span))
                }
            };
            let before = self.diagnostics.len();
            let value = self.coerce(value, &wanted, field.name.span);
            self.blame_caller(before, at);
            if self.refuse_permits(&value, "a struct", field.name.span) {
                return None;
            }
            fields.push(value);
        }
        let value = StructValue { ty: ty.clone(), args, fields };
        match self.is_permit(ty) {
            true => Some(self.take_permit(value, span)),
            false => Some(Value::Struct(Arc::new(value))),
        }
    }

    /// What a field marked `own` begins as: the struct of its defaults, or a list of these.
    fn default_of(&mut self, ty: &TypeValue, span: Span) -> Option<Value> {
        match ty {
            TypeValue::Struct(ty, args) => {
                let generics = args
                    .iter()
                    .map(|it| GivenGeneric { name: None, value: it.clone(), span })
                    .collect();
                Some(self.construct(ty, generics, Vec::new(), span))
            }
            TypeValue::Array(of, n) => {
                let Value::Type(of) = &**of else { return None };
                let each = self.default_of(of, span)?;
                Some(Value::Array(std::iter::repeat_n(each, *n as usize).collect()))
            }
            other => {
                let got = self.describe(&Value::Type(other.clone()));
                self.report(report::types::no_default(self.place(span), &got));
                None
            }
        }
    }

    fn match_fields(
        &mut self,
        decl: &Struct,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Vec<Option<Given>>> {
        let mut slots: Vec<Option<Given>> = vec![None; decl.fields.len()];
        let known: Vec<&str> = decl.fields.iter().map(|it| it.name.text.as_str()).collect();
        for it in given {
            let at = match &it.name {
                Some(name) => decl.fields.iter().position(|field| field.name.text == *name),
                None => slots.iter().position(Option::is_none),
            };
            let name = it.name.clone().unwrap_or_default();
            match at {
                Some(at) if slots[at].is_none() => slots[at] = Some(it),
                Some(_) => {
                    self.report(report::types::argument_twice(self.place(it.span), &name));
                    return None;
                }
                None => {
                    let callee = &decl.name.text;
                    self.report(report::types::unknown_argument(
                        self.place(it.span),
                        &name,
                        callee,
                        &known,
                    ));
                    return None;
                }
            }
        }
        for (slot, field) in slots.iter().zip(&decl.fields) {
            if slot.is_none() && field.default.is_none() && !field.own {
                self.report(report::types::missing_argument(
                    self.place(span),
                    &field.name.text,
                    &decl.name.text,
                ));
                return None;
            }
        }
        Some(slots)
    }

    /// The source text of a span of the item at hand.
    pub(super) fn text_of(&self, span: Span) -> SmolStr {
        self.text_in(&self.frame().item, span)
    }

    /// The source text of a span of an item.
    pub(super) fn text_in(&self, item: &ItemKey, span: Span) -> SmolStr {
        let source = db::item_source(self.db, item);
        let text = source.and_then(|it| it.text(self.db).get(span.lo as usize..span.hi as usize));
        SmolStr::new(text.unwrap_or_default())
    }
}

/// The function of an item, or a member of its `impl`.
pub(super) fn function_of(tree: &Item, member: Option<u32>) -> Option<(&Fn, Option<&ast::Impl>)> {
    match (&tree.kind, member) {
        (ItemKind::Fn(it) | ItemKind::Kernel(it), None) => Some((it, None)),
        (ItemKind::Impl(it), Some(n)) => match &it.members.get(n as usize)?.kind {
            ItemKind::Fn(decl) => Some((decl, Some(it))),
            _ => None,
        },
        _ => None,
    }
}

fn param_name(param: &Param) -> Option<&str> {
    match &param.pattern.kind {
        PatternKind::Name(name) => Some(&name.text),
        PatternKind::Ignore | PatternKind::Tuple(_) => None,
    }
}

fn is_named(param: &Param, name: &str) -> bool {
    param_name(param) == Some(name)
}
