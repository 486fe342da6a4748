//! What a path means in a body: a local, a declaration of some file, or a word of the compiler.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::{Expr, ExprKind, ItemKind, Name, Span, Struct};

use super::cx::{Elab, Frame, Mode};
use super::rules;
use super::value::{Kind, TypeValue, Value};
use crate::db;
use crate::dtype::DType;
use crate::ir::ItemKey;
use crate::names::{self, DeclKind, FnRef, Found, TypeRef};
use crate::op::surface::Builtin;
use crate::report;

/// Names of the language whose meaning a later release brings.
const LATER: &[&str] = &[
    "mma",
    "wgmma",
    "wmma",
    "mfma",
    "mma_scaled",
    "tcgen05",
    "signal",
    "await",
    "pdl",
    "asm",
    "amd",
    "clock",
    "fits",
];

/// Functions that only launch expressions have.
const LAUNCH: &[&str] = &["num_sms", "max_resident"];

/// Methods of the language whose meaning a later release brings.
pub(super) const LATER_METHODS: &[&str] = &["map_asm"];

/// What a callee's name means.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Callee {
    /// A function, or a member of an `impl`.
    Fn(ItemKey, Option<u32>),
    /// A kernel.
    Kernel(ItemKey),
    /// A struct's constructor.
    Struct(TypeRef),
    /// An operation of the compiler, with its path for host code.
    Builtin(Option<Builtin>, Vec<SmolStr>),
    /// A value: a closure.
    Value(Value),
}

impl Elab<'_> {
    pub(super) fn path(&mut self, path: &[Name], span: Span) -> Value {
        match self.find_path(path, span) {
            Some(it) => it,
            None => self.unknown_name(path, span),
        }
    }

    /// As [`Elab::eval`], but a lone unknown name is a [`Value::Word`].
    pub(super) fn eval_or_word(&mut self, expr: &Expr) -> Value {
        match &*expr.kind {
            ExprKind::Path(path) if path.len() == 1 && !path[0].text.is_empty() => {
                let found = self.find_path(path, expr.span);
                let value = found.unwrap_or_else(|| Value::Word(path[0].text.clone()));
                self.observe(expr.span, &value);
                value
            }
            _ => self.eval(expr),
        }
    }

    /// Reports a word where a value is wanted.
    pub(super) fn no_word(&mut self, value: Value, span: Span) -> Value {
        match value {
            Value::Word(text) => self.unknown_name(&[Name { text, span }], span),
            other => other,
        }
    }

    /// The variant of an enum of that name; `None` if it has none.
    pub(super) fn variant(&self, ty: &TypeRef, name: &str) -> Option<u32> {
        let tree = db::item(self.db, &ty.item);
        let ItemKind::Enum(it) = &tree.as_deref()?.kind else { return None };
        it.variants.iter().position(|it| it.0.text == name).map(|it| it as u32)
    }

    /// A word as a variant of an enum; a variant's name may be a function's too.
    pub(super) fn word_as_variant(&mut self, value: Value, ty: &TypeRef, span: Span) -> Value {
        if let Value::Function(it) = &value
            && let Some(n) = self.variant(ty, &it.name())
        {
            return Value::Variant(ty.clone(), n);
        }
        let Value::Word(word) = value else { return value };
        let tree = db::item(self.db, &ty.item);
        let Some(ItemKind::Enum(it)) = tree.as_deref().map(|it| &it.kind) else {
            return Value::Error;
        };
        match it.variants.iter().position(|(name, _)| name.text == word) {
            Some(n) => Value::Variant(ty.clone(), n as u32),
            None => {
                let known: Vec<&str> =
                    it.variants.iter().map(|(name, _)| name.text.as_str()).collect();
                self.error(report::names::no_variant(
                    self.place(span),
                    &word,
                    &it.name.text,
                    &known,
                ))
            }
        }
    }

    fn find_path(&mut self, path: &[Name], span: Span) -> Option<Value> {
        if path.iter().any(|it| it.text.is_empty()) {
            return Some(Value::Error);
        }
        if let [name] = path
            && name.text == "_"
        {
            return Some(Value::Word(name.text.clone()));
        }
        if let [name] = path
            && let Some(local) = self.local(&name.text)
        {
            return Some(self.read(&local.place.clone()));
        }
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        let found = names::resolve(self.db, self.frame().file, &texts);
        if let Some(value) = self.found_value(&found, span) {
            return Some(value);
        }
        word_of_language(&texts).or_else(|| rules::constant(&texts)).or_else(|| {
            let builtin = Builtin::function(&texts)?;
            Some(Value::Function(FnRef::Builtin(builtin)))
        })
    }

    fn found_value(&mut self, found: &[Found], span: Span) -> Option<Value> {
        let rank = |it: &Found| match it {
            Found::Decl(it) if it.kind == DeclKind::Const => 0,
            Found::Variant(..) => 1,
            Found::Decl(it) if matches!(it.kind, DeclKind::Struct | DeclKind::Enum(_)) => 2,
            Found::Decl(_) => 3,
            Found::Private(_) | Found::Circle => 4,
            Found::Module(_) => 5,
        };
        let value = match found.iter().min_by_key(|it| rank(it))? {
            Found::Variant(decl, n) => Value::Variant(TypeRef { item: decl.item.clone() }, *n),
            Found::Private(decl) => {
                self.error(report::names::private(self.place(span), &decl.name, &decl.place))
            }
            Found::Circle => self.error(report::names::circle(self.place(span))),
            Found::Module(_) => self.error(report::names::module_as_value(self.place(span))),
            Found::Decl(decl) => match &decl.kind {
                DeclKind::Const => self.constant(&decl.item.clone(), span),
                DeclKind::Struct => Value::Type(TypeValue::Struct(
                    TypeRef { item: decl.item.clone() },
                    Arc::from([]),
                )),
                DeclKind::Enum(_) => {
                    Value::Type(TypeValue::Enum(TypeRef { item: decl.item.clone() }))
                }
                DeclKind::Fn { .. }
                | DeclKind::Iter { .. }
                | DeclKind::Kernel
                | DeclKind::Build => {
                    Value::Function(FnRef::Declared { item: decl.item.clone(), member: None })
                }
            },
        };
        Some(value)
    }

    /// The value of a file's constant.
    fn constant(&mut self, key: &ItemKey, span: Span) -> Value {
        match self.constants.get(key) {
            Some(Some(value)) => return value.clone(),
            Some(None) => {
                return self.error(report::comptime::constant_of_itself(self.place(span)));
            }
            None => {}
        }
        let tree = db::item(self.db, key);
        let Some(ItemKind::Const(decl)) = tree.as_deref().map(|it| &it.kind) else {
            return Value::Error;
        };
        self.constants.insert(key.clone(), None);
        let value = match self.enter(key.clone(), span) {
            true => {
                let value = self.const_value(decl);
                self.observe(decl.name.span, &value);
                self.leave();
                value
            }
            false => Value::Error,
        };
        self.constants.insert(key.clone(), Some(value.clone()));
        value
    }

    /// The value of a constant's declaration, checked against its type.
    pub(super) fn const_value(&mut self, decl: &tile_syntax::ast::Const) -> Value {
        let value = self.eval_const(&decl.value);
        let Some(ty) = &decl.ty else { return value };
        let mode = std::mem::replace(&mut self.mode, Mode::Const);
        let value = match self.eval_type(ty) {
            Some(ty) => self.coerce(value, &ty, decl.value.span),
            None => Value::Error,
        };
        self.mode = mode;
        value
    }

    /// Enters a function or constant of `item`, called at `span`; `false`, reported, if that is too deep.
    pub(super) fn enter(&mut self, item: ItemKey, span: Span) -> bool {
        if self.frames.len() >= 256 {
            self.report(report::comptime::too_deep(self.place(span)));
            // Every level may call again; what follows from a depth without end is not worth a step.
            self.steps = self.steps.max(self.steps_max + 1);
            return false;
        }
        let Some(file) = db::file(self.db, item.file) else { return false };
        let caller = (!self.frames.is_empty()).then(|| self.site(span));
        self.push_frame(item, file, caller);
        true
    }

    pub(super) fn push_frame(
        &mut self,
        item: ItemKey,
        file: db::SourceFile,
        caller: Option<crate::ir::SiteId>,
    ) {
        self.frames.push(Frame {
            item,
            file,
            caller,
            locals: Vec::new(),
            this: None,
            is_init: false,
            returned: None,
            return_depth: self.ir.depth(),
            first_slot: self.slots.len(),
            yields_to: None,
        });
    }

    pub(super) fn leave(&mut self) {
        self.frames.pop();
    }

    /// What a callee's expression names, if it is a path to something that is called; in brackets
    /// only what takes compile-time arguments.
    pub(super) fn callee(&mut self, expr: &Expr, in_brackets: bool) -> Option<Callee> {
        let ExprKind::Path(path) = &*expr.kind else { return None };
        if path.len() == 1 && self.local(&path[0].text).is_some() {
            return None;
        }
        let texts: Vec<SmolStr> = path.iter().map(|it| it.text.clone()).collect();
        let found = names::resolve(self.db, self.frame().file, &texts);
        let decls =
            || found.iter().filter_map(|it| if let Found::Decl(it) = it { Some(it) } else { None });
        if let Some(it) = decls().find(|it| it.kind == DeclKind::Fn { method: false }) {
            return Some(Callee::Fn(it.item.clone(), None));
        }
        if let Some(it) = decls().find(|it| matches!(it.kind, DeclKind::Kernel | DeclKind::Build)) {
            return Some(Callee::Kernel(it.item.clone()));
        }
        if let Some(it) = decls().find(|it| it.kind == DeclKind::Struct) {
            return Some(Callee::Struct(TypeRef { item: it.item.clone() }));
        }
        let builtin = Builtin::function(&texts);
        let known = builtin.is_some() || self.host.as_deref().is_some_and(|it| it.knows(&texts));
        if known
            && !in_brackets
            && decls().all(|it| matches!(it.kind, DeclKind::Fn { method: true }))
        {
            return Some(Callee::Builtin(builtin, texts));
        }
        decls()
            .find(|it| it.kind == DeclKind::Fn { method: true })
            .map(|it| Callee::Fn(it.item.clone(), None))
    }

    pub(super) fn unknown_name(&mut self, path: &[Name], span: Span) -> Value {
        let text = path.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("::");
        if LATER.contains(&path[0].text.as_str()) {
            return self.unsupported(&format!("`{text}`"), span);
        }
        let last = path.last().expect("a path has a name");
        let mut known: Vec<SmolStr> =
            self.frame().locals.iter().map(|it| it.name.clone()).collect();
        known.extend(names::visible(self.db, self.frame().file));
        known.extend(words_of_language());
        let near = names::suggest::nearest(&last.text, known.iter().map(SmolStr::as_str));
        self.error(report::names::unknown(self.place(span), &text, near.as_deref()))
    }

    /// Whether a type is a permit.
    pub(super) fn is_permit(&self, ty: &TypeRef) -> bool {
        let tree = db::item(self.db, &ty.item);
        tree.is_some_and(|it| matches!(it.kind, ItemKind::Permit(_)))
    }

    /// The declaration of a struct or permit.
    pub(super) fn struct_decl(&self, ty: &TypeRef) -> Option<Arc<Struct>> {
        let tree = db::item(self.db, &ty.item)?;
        match &tree.kind {
            ItemKind::Struct(it) | ItemKind::Permit(it) => Some(Arc::new((**it).clone())),
            _ => None,
        }
    }
}

/// Whether a path is the compiler's: a type, a kind, an operation, or a form of a later release.
pub fn is_word_of_language(path: &[SmolStr]) -> bool {
    word_of_language(path).is_some()
        || rules::constant(path).is_some()
        || Builtin::function(path).is_some()
        || path
            .first()
            .is_some_and(|it| LATER.contains(&it.as_str()) || LAUNCH.contains(&it.as_str()))
}

/// Whether a method is a word of the language whose meaning a later release brings.
pub fn is_later_method(name: &str) -> bool {
    LATER_METHODS.contains(&name)
}

/// Every word that [`is_word_of_language`] knows in this release, for suggestions.
pub fn words_of_language() -> impl Iterator<Item = SmolStr> {
    let types = DType::ALL.iter().map(|it| SmolStr::new(it.name()));
    types.chain(Builtin::paths().map(SmolStr::new))
}

/// Types, kinds and values that are words of the language.
fn word_of_language(path: &[SmolStr]) -> Option<Value> {
    let [name] = path else { return None };
    let kind = |it| Some(Value::Type(TypeValue::Kind(it)));
    match name.as_str() {
        "int" => kind(Kind::Int),
        "float" => kind(Kind::Float),
        "str" => kind(Kind::Str),
        "type" => kind(Kind::Type),
        "layout" => kind(Kind::Layout),
        "record" => kind(Kind::Record),
        "span" => Some(Value::Type(TypeValue::Span)),
        "barrier" => Some(Value::Type(TypeValue::Barrier(crate::ir::Shape::new()))),
        "named_barrier" => Some(Value::Type(TypeValue::NamedBarrier)),
        "none" => Some(Value::None),
        "target" => Some(Value::Target),
        other => DType::from_name(other).map(|it| Value::Type(TypeValue::Scalar(it))),
    }
}
