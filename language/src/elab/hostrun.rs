//! Host code: bodies of `test` and `bench`, run as at compile time with whole tensors beside.
//!
//! Whatever touches a whole tensor goes to [`HostOps`]. Calling a kernel elaborates the instance and
//! launches it; calling a `fn` with tensors makes a kernel of one block around it. The first failure
//! ends the test.

use smol_str::SmolStr;
use tile_plan::LaunchPlan;
use tile_syntax::ast::{self, BinaryOp, BracketArg, Expr, ExprKind, Fn, ItemKind, Span};

use super::call::{Given, GivenGeneric};
use super::cx::{Elab, HostFailure, Mode};
use super::host::{HostError, HostOps};
use super::kernel::{Elaborated, elaborate};
use super::observe::Observed;
use super::params::memory_of;
use super::value::Value;
use crate::db::{self, Db};
use crate::diagnostic::{Diagnostic, Severity};
use crate::ir::ItemKey;
use crate::names::TypeRef;
use crate::report;
use crate::target::TargetId;

/// How a test ended.
#[derive(Clone, PartialEq, Debug)]
pub struct TestEnd {
    /// What is wrong with its text, or with a kernel that it launches.
    pub diagnostics: Vec<Diagnostic>,
    /// What failed while it ran.
    pub failure: Option<HostFailure>,
}

/// Steps that host code may take: it is a person's program, and may loop over elements.
const HOST_STEPS_MAX: u64 = 20_000_000;

/// Steps of host code of which only types are wanted, while somebody waits.
const OUTLINE_STEPS_MAX: u64 = 100_000;

/// Runs a `test` or `bench` item.
pub fn run_test(db: &dyn Db, key: &ItemKey, target: TargetId, host: &mut dyn HostOps) -> TestEnd {
    let mut cx = Elab::new(db, target, Some(host));
    cx.steps_max = HOST_STEPS_MAX;
    cx.host_body(key);
    TestEnd { diagnostics: cx.diagnostics, failure: cx.failure.map(|it| *it) }
}

/// What the expressions and names of a `test` or `bench` item are.
pub fn observe_test(
    db: &dyn Db,
    key: &ItemKey,
    target: TargetId,
    host: &mut dyn HostOps,
) -> Observed {
    let mut cx = Elab::new(db, target, Some(host));
    cx.observer = Some(Box::default());
    cx.steps_max = OUTLINE_STEPS_MAX;
    cx.host_body(key);
    cx.observer.take().map_or_else(Observed::default, |it| it.finish())
}

impl Elab<'_> {
    /// Runs the body of a `test` or `bench` item.
    fn host_body(&mut self, key: &ItemKey) {
        let (Some(tree), Some(file)) = (db::item(self.db, key), db::file(self.db, key.file)) else {
            return;
        };
        let (ItemKind::Test(test) | ItemKind::Bench(test)) = &tree.kind else { return };
        let Some(body) = &test.body else { return };
        self.mode = Mode::Host;
        self.push_frame(key.clone(), file, None);
        self.ir.open(Vec::new());
        self.run_body(body);
    }

    /// Does something with whole tensors; a failure ends the test.
    pub(super) fn on_host<T: Into<Value>>(
        &mut self,
        span: Span,
        run: impl FnOnce(&mut dyn HostOps) -> Result<T, HostError>,
    ) -> Value {
        let Some(host) = self.host.as_deref_mut() else {
            return self.error(report::types::host_only(self.place(span), "this"));
        };
        match run(host) {
            Ok(value) => value.into(),
            Err(error) => {
                let place = self.place(span);
                self.failure.get_or_insert_with(|| Box::new(HostFailure { error, place }));
                Value::Error
            }
        }
    }

    /// `x[i, j] = value` and its like on a whole tensor.
    pub(super) fn assign_host(
        &mut self,
        tensor: crate::host::TensorId,
        args: &[BracketArg],
        op: Option<BinaryOp>,
        value: &Expr,
        span: Span,
    ) {
        let Some(at) = self.host_indices(args) else { return };
        let mut new = self.eval(value);
        if let Some(op) = op {
            let old = self.on_host(span, |host| host.index(tensor, &at));
            new = self.apply(op, old, new, span);
        }
        if new != Value::Error {
            self.on_host(span, |host| host.assign(tensor, &at, &new).map(|()| Value::unit()));
        }
    }

    /// `expect_error("E0301") { … }`: the block must be refused with that code.
    pub(super) fn expect_error(&mut self, args: &[ast::Arg], span: Span) -> Value {
        let [code, block] = args else {
            return self.error(report::types::missing_argument(
                self.place(span),
                "code",
                "expect_error",
            ));
        };
        let Value::Str(code_text) = self.eval(&code.value) else {
            return self.error(report::types::mismatch(
                self.place(code.value.span),
                "str",
                "another value",
            ));
        };
        let before = self.diagnostics.len();
        let failure = self.failure.take();
        if let ExprKind::Closure(_, body) = &*block.value.kind {
            self.eval(body);
        }
        let found = self.diagnostics.drain(before..).any(|it| it.code.name() == code_text);
        let failed = self.failure.take().is_some_and(|it| it.error.code.name() == code_text);
        self.failure = failure;
        if !found && !failed {
            self.report(report::comptime::not_refused(self.place(span), &code_text));
        }
        Value::unit()
    }

    /// Launches a kernel from host code.
    pub(super) fn call_kernel(
        &mut self,
        item: &ItemKey,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        let Some(tree) = db::item(self.db, item) else { return Value::Error };
        let (decl, item, mut args) = match &tree.kind {
            ItemKind::Kernel(decl) => (decl.as_ref().clone(), item.clone(), Vec::new()),
            ItemKind::Build(build) => {
                let Some((key, args)) = self.build_target(item, build) else { return Value::Error };
                let Some(tree) = db::item(self.db, &key) else { return Value::Error };
                let ItemKind::Kernel(decl) = &tree.kind else { return Value::Error };
                (decl.as_ref().clone(), key, args)
            }
            _ => return Value::Error,
        };
        if self.mode != Mode::Host {
            return self.error(report::types::kernel_called(self.place(span), &decl.name.text));
        }
        if self.host.as_deref().is_some_and(|it| !it.launches()) {
            return Value::unit();
        }
        for (n, it) in generics.into_iter().enumerate() {
            let value = self.no_word(it.value, it.span);
            let name = it.name.or_else(|| decl.generics.get(n).map(|it| it.name.text.clone()));
            args.push((name.unwrap_or_default(), value));
        }
        let infers = decl
            .generics
            .iter()
            .any(|it| it.default.is_none() && !args.iter().any(|a| a.0 == it.name.text));
        if infers {
            self.infer_from_tensors(&decl, &given, &mut args);
        }
        let instance = self.instance_of(&item, &args, &decl.name.text);
        self.diagnostics.extend(
            instance.diagnostics.iter().filter(|it| it.severity == Severity::Error).cloned(),
        );
        let Some(kernel) = instance.kernel else { return Value::Error };
        let Some(values) = self.launch_args(&item, &decl, &kernel.plan, given, span) else {
            return Value::Error;
        };
        self.on_host(span, |host| host.launch(&kernel, &values).map(|()| Value::unit()))
    }

    /// The instance of a kernel: a query where its arguments can be kept, at once otherwise.
    pub(super) fn instance_of(
        &mut self,
        item: &ItemKey,
        args: &[(SmolStr, Value)],
        name: &str,
    ) -> Elaborated {
        match crate::query::constants(args) {
            Some(args) => crate::query::instance_of(self.db, item, args, name, self.target).clone(),
            None => elaborate(self.db, item, args, name, self.target),
        }
    }

    /// A kernel's arguments in the order of its plan's parameters; `none` for what is left out.
    fn launch_args(
        &mut self,
        item: &ItemKey,
        decl: &Fn,
        plan: &LaunchPlan,
        given: Vec<Given>,
        span: Span,
    ) -> Option<Vec<Value>> {
        let slots = self.match_given(decl, given, span)?;
        let mut values = Vec::new();
        let mut params = plan.params.iter().map(|it| it.name.as_str()).peekable();
        for (param, slot) in decl.params.iter().zip(slots) {
            let name = self.text_in(item, param.pattern.span);
            let is_struct = params.peek().is_none_or(|it| *it != name);
            let of_param = |it: &&str| *it == name || is_field(it, &name);
            let n_words = std::iter::from_fn(|| params.next_if(of_param)).count();
            match slot {
                Some(it) if is_struct => {
                    let value = self.no_word(it.value, it.span);
                    self.struct_words(item, param, &value, it.span, &mut values)?;
                }
                Some(it) => values.push(self.no_word(it.value, it.span)),
                None => {
                    let optional = param.ty.as_ref().and_then(memory_of).is_some_and(|it| it.1);
                    if param.default.is_none() && !optional {
                        let place = self.place(span);
                        let callee = &decl.name.text;
                        self.report(report::types::missing_argument(place, &name, callee));
                        return None;
                    }
                    values.extend(std::iter::repeat_n(Value::None, n_words));
                }
            }
        }
        (!values.contains(&Value::Error)).then_some(values)
    }

    /// The fields of a struct that is given for a parameter, those of structs in it in their place.
    fn struct_words(
        &mut self,
        item: &ItemKey,
        param: &ast::Param,
        value: &Value,
        span: Span,
        words: &mut Vec<Value>,
    ) -> Option<()> {
        let wanted = param.ty.as_ref().and_then(|it| self.struct_of(item, it, span));
        match value {
            Value::Error => return None,
            Value::Struct(it) if wanted.is_none_or(|wanted| wanted == it.ty) => {}
            other => {
                let want =
                    param.ty.as_ref().map(|it| self.text_in(item, it.span)).unwrap_or_default();
                let got = self.describe(other);
                self.report(report::types::mismatch(self.place(span), &want, &got));
                return None;
            }
        }
        super::env::leaves(value, &mut |it| words.push(it.clone()));
        Some(())
    }

    /// The struct that the type of another item's parameter names.
    fn struct_of(&mut self, item: &ItemKey, ty: &Expr, span: Span) -> Option<TypeRef> {
        let base = match &*ty.kind {
            ExprKind::Bracket(base, _) => base,
            _ => ty,
        };
        if !self.enter(item.clone(), span) {
            return None;
        }
        let callee = self.callee(base, true);
        self.leave();
        match callee {
            Some(super::path::Callee::Struct(it)) => Some(it),
            _ => None,
        }
    }

    /// Binds compile-time parameters that stand alone in a tensor's type from the tensors given.
    fn infer_from_tensors(&mut self, decl: &Fn, given: &[Given], args: &mut Vec<(SmolStr, Value)>) {
        use super::value::TypeValue;
        for (param, it) in decl.params.iter().zip(given.iter().filter(|it| it.name.is_none())) {
            let Value::Host(tensor) = it.value else { continue };
            let Some(ExprKind::Memory(memory)) = param.ty.as_ref().map(|it| &*it.kind) else {
                continue;
            };
            let ExprKind::Bracket(base, _) = &*memory.ty.kind else { continue };
            let ExprKind::Path(path) = &*base.kind else { continue };
            let name = &path[0].text;
            let open = decl.generics.iter().any(|it| it.name.text == *name && it.default.is_none());
            if open
                && !args.iter().any(|it| it.0 == *name)
                && let Some(host) = self.host.as_deref()
            {
                let dtype = host.describe(tensor).0;
                args.push((name.clone(), Value::Type(TypeValue::Scalar(dtype))));
            }
        }
    }

    /// The kernel and the compile-time arguments that a `build` item names.
    pub(super) fn build_target(
        &mut self,
        key: &ItemKey,
        build: &ast::Build,
    ) -> Option<(ItemKey, Vec<(SmolStr, Value)>)> {
        if !self.enter(key.clone(), build.name.span) {
            return None;
        }
        let found = self.build_parts(build);
        self.leave();
        found
    }

    pub(super) fn build_parts(
        &mut self,
        build: &ast::Build,
    ) -> Option<(ItemKey, Vec<(SmolStr, Value)>)> {
        let (base, args) = match &*build.kernel.kind {
            ExprKind::Bracket(base, args) => (base, &args[..]),
            _ => (&build.kernel, &[][..]),
        };
        let key = match self.callee(base, true) {
            Some(super::path::Callee::Kernel(key)) => key,
            _ => {
                let value = self.eval(base);
                if value != Value::Error {
                    let got = self.describe(&value);
                    self.report(report::types::mismatch(self.place(base.span), "a kernel", &got));
                }
                return None;
            }
        };
        let tree = db::item(self.db, &key)?;
        let ItemKind::Kernel(decl) = &tree.kind else { return None };
        let mut values = Vec::new();
        for (n, it) in self.eval_generics(args)?.into_iter().enumerate() {
            let value = self.no_word(it.value, it.span);
            let name = it.name.or_else(|| decl.generics.get(n).map(|it| it.name.text.clone()));
            values.push((name.unwrap_or_default(), value));
        }
        Some((key, values))
    }

    /// Whether a call of a function from host code is run as a kernel: it was given a whole tensor.
    pub(super) fn wraps(&self, decl: &Fn, given: &[Given]) -> bool {
        let whole = |it: &Given| {
            let mut found = false;
            super::env::leaves(&it.value, &mut |it| found |= matches!(it, Value::Host(_)));
            found
        };
        self.mode == Mode::Host && decl.kind != ast::FnKind::Kernel && given.iter().any(whole)
    }
}

/// The kernel and the compile-time arguments of a `build` item, with what is wrong with it.
#[expect(clippy::type_complexity, reason = "a key and its arguments, or nothing, and the findings")]
pub fn build_arguments(
    db: &dyn Db,
    key: &ItemKey,
    target: TargetId,
) -> (Option<(ItemKey, Vec<(SmolStr, Value)>)>, Vec<Diagnostic>) {
    let (Some(tree), Some(file)) = (db::item(db, key), db::file(db, key.file)) else {
        return (None, Vec::new());
    };
    let ItemKind::Build(build) = &tree.kind else { return (None, Vec::new()) };
    let mut cx = Elab::new(db, target, None);
    cx.push_frame(key.clone(), file, None);
    cx.ir.open(Vec::new());
    for name in &build.targets {
        if TargetId::from_name(&name.text).is_none() {
            let known = crate::target::TARGETS.iter().map(|it| it.name);
            let near = crate::names::suggest::nearest(&name.text, known);
            cx.report(report::names::unknown_target(
                cx.place(name.span),
                &name.text,
                near.as_deref(),
            ));
        }
    }
    let found = cx.build_parts(build);
    (found, cx.diagnostics)
}

/// The layout that a file's constant is, on a machine.
pub fn layout_constant(
    db: &dyn Db,
    key: &ItemKey,
    target: TargetId,
    machine: tile_layout::Machine,
) -> Result<tile_layout::Spec, Vec<Diagnostic>> {
    let (Some(tree), Some(file)) = (db::item(db, key), db::file(db, key.file)) else {
        return Err(Vec::new());
    };
    let ItemKind::Const(decl) = &tree.kind else { return Err(Vec::new()) };
    let mut cx = Elab::new(db, target, None);
    cx.machine = machine;
    cx.push_frame(key.clone(), file, None);
    cx.ir.open(Vec::new());
    match cx.const_value(decl) {
        Value::Layout(it) => Ok(it),
        _ => Err(cx.diagnostics),
    }
}

/// What is wrong with the value of a file's constant.
pub fn constant_findings(db: &dyn Db, key: &ItemKey, target: TargetId) -> Vec<Diagnostic> {
    let (Some(tree), Some(file)) = (db::item(db, key), db::file(db, key.file)) else {
        return Vec::new();
    };
    let ItemKind::Const(decl) = &tree.kind else { return Vec::new() };
    let mut cx = Elab::new(db, target, None);
    cx.push_frame(key.clone(), file, None);
    cx.ir.open(Vec::new());
    cx.constants.insert(key.clone(), None);
    cx.const_value(decl);
    cx.diagnostics
}

/// Whether a parameter of a plan is a field of the struct that is the kernel's parameter `name`.
fn is_field(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|it| it.starts_with('.'))
}
