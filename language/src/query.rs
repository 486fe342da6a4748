//! The database's face: texts in; findings, instances and tests out.
//!
//! What `tilec` and the server ask. [`Database`] owns the inputs; everything it gives is a query's
//! result or is put together from some. The standard library is there from the beginning.
#![expect(missing_docs, reason = "salsa's macros make items without docs")]

use std::ffi::OsStr;
use std::iter;
use std::path::Path;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use salsa::{Durability, Setter};
use smol_str::SmolStr;
use tile_layout::{Machine, Spec};
use tile_syntax::ast::{self, ClauseKind, ItemKind, Span};

use crate::analysis::Expense;
use crate::analysis::pressure::Pressure;
use crate::db::{self, Db, ItemSource, Package, SourceFile};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::dtype::DType;
use crate::elab::host::HostOps;
use crate::elab::observe::Observed;
use crate::elab::value::{Kind, TypeValue, Value};
use crate::elab::{self, Elaborated, TestEnd};
use crate::host::{Idle, Outline};
use crate::ir::{ItemKey, Kernel, Place};
use crate::target::{Cap, TARGETS, Target, TargetId};
use crate::{analysis, check};

/// Files of the standard library: module and text.
const LIBRARY: &[(&str, &str)] = &[
    ("prelude", include_str!("../../stdlib/prelude.tile")),
    ("layout", include_str!("../../stdlib/layout.tile")),
    ("math", include_str!("../../stdlib/math.tile")),
    ("random", include_str!("../../stdlib/random.tile")),
    ("dot", include_str!("../../stdlib/dot.tile")),
    ("raster", include_str!("../../stdlib/raster.tile")),
    ("ring", include_str!("../../stdlib/ring.tile")),
    ("reduce", include_str!("../../stdlib/reduce.tile")),
    ("softmax", include_str!("../../stdlib/softmax.tile")),
    ("sort", include_str!("../../stdlib/sort.tile")),
];

/// The database with its storage.
#[salsa::db]
#[derive(Clone)]
pub struct Database {
    storage: salsa::Storage<Self>,
}

#[salsa::db]
impl salsa::Database for Database {}

#[salsa::db]
impl Db for Database {}

impl Default for Database {
    fn default() -> Database {
        Database::with_events(None)
    }
}

/// A compile-time argument that can be a key.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Constant {
    /// An integer.
    Int(i128),
    /// A float, by its bits.
    Float(u64),
    /// A bool.
    Bool(bool),
    /// A string.
    Str(SmolStr),
    /// An element type.
    Scalar(DType),
    /// A kind of compile-time values.
    Kind(Kind),
    /// A layout.
    Layout(Spec),
    /// A variant.
    Variant(crate::names::TypeRef, u32),
}

/// A kernel with its compile-time arguments, for a target.
#[salsa::interned(debug)]
pub struct Instance<'db> {
    #[returns(ref)]
    pub kernel: ItemKey,
    #[returns(ref)]
    pub args: Vec<(SmolStr, Constant)>,
    #[returns(ref)]
    pub name: SmolStr,
    #[returns(copy)]
    pub target: TargetId,
}

/// What became of an instance, with what the analyses say about it. Findings live on in the queries
/// that read them; of the kernels themselves, which are large, the latest are kept over an edit.
#[salsa::tracked(returns(ref), lru = 512)]
pub fn instance<'db>(db: &'db dyn Db, key: Instance<'db>) -> Elaborated {
    let args: Vec<(SmolStr, Value)> =
        key.args(db).iter().map(|(name, it)| (name.clone(), it.clone().into_value())).collect();
    let mut done = elab::elaborate(db, key.kernel(db), &args, key.name(db), key.target(db));
    if let Some(kernel) = &done.kernel {
        let findings = analysis::findings(kernel);
        let silent = |it: &Diagnostic| done.allowed.contains(&it.code);
        let is_refused = findings.iter().any(|it| it.severity == Severity::Error);
        done.diagnostics =
            done.diagnostics.iter().cloned().chain(findings).filter(|it| !silent(it)).collect();
        if is_refused {
            done.kernel = None;
        }
    }
    done
}

/// What the expressions and names of an instance are. Elaborates it once more; only editors ask.
#[salsa::tracked(returns(ref), lru = 128)]
pub fn observed<'db>(db: &'db dyn Db, key: Instance<'db>) -> Observed {
    let args: Vec<(SmolStr, Value)> =
        key.args(db).iter().map(|(name, it)| (name.clone(), it.clone().into_value())).collect();
    elab::observe(db, key.kernel(db), &args, key.target(db))
}

/// What the expressions and names of a `test` or `bench` item are, without its numbers ([`Outline`]).
#[salsa::tracked(returns(ref), lru = 32)]
pub fn observed_test<'db>(db: &'db dyn Db, item: ItemSource<'db>, target: TargetId) -> Observed {
    let mut idle = Idle;
    elab::observe_test(db, item.key(db), target, &mut Outline::new(&mut idle))
}

/// The registers that a thread of an instance needs; `None` if something is wrong with it.
#[salsa::tracked(returns(ref))]
pub fn pressure<'db>(db: &'db dyn Db, key: Instance<'db>) -> Option<Pressure> {
    instance(db, key).kernel.as_deref().map(analysis::pressure)
}

/// What moving elements costs an instance, place by place; empty if something is wrong with it.
#[salsa::tracked(returns(ref))]
pub fn expenses<'db>(db: &'db dyn Db, key: Instance<'db>) -> Vec<Expense> {
    instance(db, key).kernel.as_deref().map_or_else(Vec::new, analysis::expenses)
}

/// Compile-time arguments as keys; `None` if one cannot be a key.
pub fn constants(args: &[(SmolStr, Value)]) -> Option<Vec<(SmolStr, Constant)>> {
    args.iter().map(|(name, it)| Some((name.clone(), Constant::of(it)?))).collect()
}

/// The instance with these arguments.
pub fn instance_of<'db>(
    db: &'db dyn Db,
    kernel: &ItemKey,
    args: Vec<(SmolStr, Constant)>,
    name: &str,
    target: TargetId,
) -> &'db Elaborated {
    instance(db, Instance::new(db, kernel.clone(), args, SmolStr::new(name), target))
}

impl Constant {
    fn of(value: &Value) -> Option<Constant> {
        Some(match value {
            Value::Int(it) => Constant::Int(*it),
            Value::Float(it) => Constant::Float(it.to_bits()),
            Value::Bool(it) => Constant::Bool(*it),
            Value::Str(it) => Constant::Str(it.clone()),
            Value::Type(TypeValue::Scalar(it)) => Constant::Scalar(*it),
            Value::Type(TypeValue::Kind(it)) => Constant::Kind(*it),
            Value::Layout(it) => Constant::Layout(it.clone()),
            Value::Variant(ty, n) => Constant::Variant(ty.clone(), *n),
            _ => return None,
        })
    }

    fn into_value(self) -> Value {
        match self {
            Constant::Int(it) => Value::Int(it),
            Constant::Float(it) => Value::Float(f64::from_bits(it)),
            Constant::Bool(it) => Value::Bool(it),
            Constant::Str(it) => Value::Str(it),
            Constant::Scalar(it) => Value::Type(TypeValue::Scalar(it)),
            Constant::Kind(it) => Value::Type(TypeValue::Kind(it)),
            Constant::Layout(it) => Value::Layout(it),
            Constant::Variant(ty, n) => Value::Variant(ty, n),
        }
    }
}

/// A `test` or `bench` item.
#[derive(Clone, PartialEq, Debug)]
pub struct TestItem {
    /// The item.
    pub key: ItemKey,
    /// Its title.
    pub title: SmolStr,
    /// Whether it is a `bench`.
    pub is_bench: bool,
    /// Engines that it is restricted to; empty means all.
    pub engines: Vec<SmolStr>,
    /// Targets that it is restricted to; empty means all.
    pub targets: Vec<SmolStr>,
}

/// An instance that a file gives to a library.
#[derive(Clone, PartialEq, Debug)]
pub struct NamedInstance {
    /// Its name.
    pub name: SmolStr,
    /// The kernel.
    pub kernel: ItemKey,
    /// Its compile-time arguments.
    pub args: Vec<(SmolStr, Constant)>,
    /// Targets that it is made for; empty means all.
    pub targets: Vec<SmolStr>,
}

/// A place in a file, in absolute bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located {
    /// The file.
    pub file: SourceFile,
    /// The bytes.
    pub span: Span,
}

/// The `test` and `bench` items of a file, in order.
#[salsa::tracked(returns(ref))]
pub fn tests(db: &dyn Db, file: SourceFile) -> Vec<TestItem> {
    let mut found = Vec::new();
    for source in db::items(db, file) {
        let tree = &db::parsed(db, *source).item;
        let (test, is_bench) = match &tree.kind {
            ItemKind::Test(it) => (it, false),
            ItemKind::Bench(it) => (it, true),
            _ => continue,
        };
        found.push(TestItem {
            key: source.key(db).clone(),
            title: test.title.clone(),
            is_bench,
            engines: test.engines.iter().map(|it| it.text.clone()).collect(),
            targets: test.targets.iter().map(|it| it.text.clone()).collect(),
        });
    }
    found
}

/// The canonical instance of every kernel of a file, and those of its `build` items.
pub fn instances(
    db: &dyn Db,
    file: SourceFile,
    target: TargetId,
) -> (Vec<NamedInstance>, Vec<Diagnostic>) {
    let named = db::items(db, file).iter().map(|it| named_instance(db, *it, target));
    let (found, wrong): (Vec<_>, Vec<_>) = named.map(|it| (it.0.clone(), &it.1)).unzip();
    (found.into_iter().flatten().collect(), wrong.into_iter().flatten().cloned().collect())
}

/// The instance that an item gives to a library, with what is wrong with its arguments.
#[salsa::tracked(returns(ref))]
fn named_instance<'db>(
    db: &'db dyn Db,
    item: ItemSource<'db>,
    target: TargetId,
) -> (Option<NamedInstance>, Vec<Diagnostic>) {
    let key = item.key(db);
    match &db::parsed(db, item).item.kind {
        ItemKind::Kernel(it) if it.generics.iter().all(|it| it.default.is_some()) => {
            let (name, kernel) = (it.name.text.clone(), key.clone());
            let (args, targets) = (Vec::new(), Vec::new());
            let is_wanted = !is_for_others(it, target);
            (is_wanted.then_some(NamedInstance { name, kernel, args, targets }), Vec::new())
        }
        ItemKind::Build(it) => {
            let (found, wrong) = elab::build_arguments(db, key, target);
            let named = found.and_then(|(kernel, args)| {
                let targets = it.targets.iter().map(|it| it.text.clone()).collect();
                let (name, args) = (it.name.text.clone(), constants(&args)?);
                Some(NamedInstance { name, kernel, args, targets })
            });
            (named, wrong)
        }
        _ => (None, Vec::new()),
    }
}

/// What is wrong with an item for a target: with the value of a constant, or with the instance that
/// it gives to a library.
#[salsa::tracked(returns(ref))]
fn item_findings<'db>(db: &'db dyn Db, item: ItemSource<'db>, target: TargetId) -> Vec<Diagnostic> {
    if let ItemKind::Const(_) = db::parsed(db, item).item.kind {
        return elab::constant_findings(db, item.key(db), target);
    }
    let (named, wrong) = named_instance(db, item, target);
    let mut found = wrong.clone();
    let name = target.row().name;
    if let Some(it) = named
        && (it.targets.is_empty() || it.targets.iter().any(|it| it == name))
    {
        let done = instance_of(db, &it.kernel, it.args.clone(), &it.name, target);
        found.extend(done.diagnostics.iter().cloned());
    }
    found
}

/// Whether a kernel `requires` what other targets have and this one lacks: then it has no canonical
/// instance here. What no target has is a mistake of the kernel's own, for every target.
fn is_for_others(kernel: &ast::Fn, target: TargetId) -> bool {
    let required = kernel.clauses.iter().flat_map(|it| match &it.kind {
        ClauseKind::Requires(caps) => &caps[..],
        _ => &[],
    });
    let caps: Option<Vec<Cap>> = required.map(|it| Cap::from_name(&it.text)).collect();
    let Some(caps) = caps else { return false };
    let has_all = |it: &Target| caps.iter().all(|&cap| it.has(cap));
    !has_all(target.row()) && TARGETS.iter().any(has_all)
}

impl Database {
    /// A database whose queries are told to `events`.
    pub fn with_events(events: Option<Box<dyn Fn(salsa::Event) + Send + Sync>>) -> Database {
        let db = Database { storage: salsa::Storage::new(events) };
        let mut files = Vec::new();
        for (n, (name, text)) in LIBRARY.iter().enumerate() {
            let module = vec![SmolStr::new("std"), SmolStr::new(name)];
            let path = format!("std/{name}.tile");
            let (folder, text) = ("std".to_owned(), (*text).to_owned());
            let file = SourceFile::builder(n as u32, path, folder, module, text)
                .durability(Durability::NEVER_CHANGE)
                .new(&db);
            files.push(file);
        }
        Package::new(&db, files);
        db
    }

    /// Sets the user's files, as path and text; a file that was there keeps its number.
    pub fn set_files(&mut self, files: &[(String, String)]) -> Vec<SourceFile> {
        files.iter().map(|(path, text)| self.set_file(path, text)).collect()
    }

    /// Sets the text of a file, new or known.
    pub fn set_file(&mut self, path: &str, text: &str) -> SourceFile {
        let files = Package::get(self).files(self);
        match files.iter().copied().find(|it| it.path(self) == path) {
            Some(file) => {
                self.set_text(file, text);
                file
            }
            None => self.add_file(path, text),
        }
    }

    /// Adds a file whose path is new. It takes the number of one that was removed, if there is any.
    pub fn add_file(&mut self, path: &str, text: &str) -> SourceFile {
        let part = |it: Option<&OsStr>| it.unwrap_or_default().to_string_lossy().into_owned();
        let at = Path::new(path);
        let folder = part(at.parent().map(Path::as_os_str));
        let module = vec![SmolStr::new(part(at.file_stem()))];
        let mut files = Package::get(self).files(self).clone();
        if let Some(file) = files.iter().copied().find(|it| it.module(self).is_empty()) {
            file.set_path(self).to(path.to_owned());
            file.set_folder(self).to(folder);
            file.set_module(self).to(module);
            file.set_text(self).to(text.to_owned());
            return file;
        }
        let (number, path, text) = (files.len() as u32, path.to_owned(), text.to_owned());
        let file = SourceFile::new(self, number, path, folder, module, text);
        files.push(file);
        Package::get(self).set_files(self).to(files);
        file
    }

    /// Sets the text of a file.
    pub fn set_text(&mut self, file: SourceFile, text: &str) {
        if file.text(self) != text {
            file.set_text(self).to(text.to_owned());
        }
    }

    /// Forgets a file: nothing finds it any more, and its number is free.
    pub fn remove_file(&mut self, file: SourceFile) {
        file.set_path(self).to(String::new());
        file.set_module(self).to(Vec::new());
        file.set_text(self).to(String::new());
    }

    /// The files of the standard library.
    pub fn library(&self) -> Vec<SourceFile> {
        Package::get(self).files(self)[..LIBRARY.len()].to_vec()
    }

    /// Everything that is wrong with a file for these targets, each finding once, in the order of the text.
    pub fn check(&self, file: SourceFile, targets: &[TargetId]) -> Vec<Diagnostic> {
        let mut found: Vec<Diagnostic> = check::file(self, file).to_vec();
        for &target in targets {
            let items = db::items(self, file).iter();
            found.extend(items.flat_map(|it| item_findings(self, *it, target)).cloned());
        }
        let errors = found.iter().filter(|it| it.severity == Severity::Error);
        let told = Told::of(
            errors
                .flat_map(|it| iter::once(&it.place).chain(it.reasons.iter().map(|it| &it.place))),
        );
        found.extend(check::bodies(self, file).filter(|it| !told.overlaps(&it.place)).cloned());
        // A bare name where an enum is expected means a variant, which only the instance knows.
        let variants: FxHashSet<Place> =
            found.iter().filter(|it| it.code == Code::E0107).map(|it| it.place.clone()).collect();
        found.retain(|it| it.code != Code::E0101 || !variants.contains(&it.place));
        // What follows from a syntax error at the same place is no mistake of its own.
        let syntax = found.iter().filter(|it| is_syntax(it.code));
        let syntax = Told::of(syntax.map(|it| &it.place));
        found.retain(|it| is_syntax(it.code) || !syntax.overlaps(&it.place));
        let mut seen = FxHashSet::default();
        let mut unique = found;
        unique.retain(|it| seen.insert((it.code, it.place.clone())));
        unique.sort_by_key(|it| self.locate(&it.place).map(|it| (it.file.number(self), it.span)));
        unique
    }

    /// The clean instances of a file for a target.
    pub fn kernels(&self, file: SourceFile, target: TargetId) -> Vec<(SmolStr, Arc<Kernel>)> {
        let (named, _) = instances(self, file, target);
        let wanted = |it: &NamedInstance| {
            it.targets.is_empty() || it.targets.iter().any(|name| name == target.row().name)
        };
        let made = named.into_iter().filter(wanted).filter_map(|it| {
            let done = instance_of(self, &it.kernel, it.args, &it.name, target);
            Some((it.name, done.kernel.clone()?))
        });
        made.collect()
    }

    /// The tests and benches of a file.
    pub fn tests(&self, file: SourceFile) -> &[TestItem] {
        tests(self, file)
    }

    /// Runs a test or a bench.
    pub fn run_test(&self, test: &ItemKey, target: TargetId, host: &mut dyn HostOps) -> TestEnd {
        elab::run_test(self, test, target, host)
    }

    /// The layout that `text` constructs, for a block of `warps` warps of the target.
    pub fn layout(
        &mut self,
        text: &str,
        target: TargetId,
        warps: u32,
    ) -> Result<Spec, Vec<Diagnostic>> {
        let file = self.set_file("<layout>", &format!("const LAYOUT: layout = {text};"));
        let errors = |it: Vec<Diagnostic>| {
            it.into_iter().filter(|it| it.severity == Severity::Error).collect()
        };
        let wrong: Vec<Diagnostic> = errors(check::file(self, file).to_vec());
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let machine = Machine { lanes: target.row().lanes, warps };
        let key = ItemKey { file: file.number(self), item: "LAYOUT".into() };
        elab::layout_constant(self, &key, target, machine).map_err(errors)
    }

    /// Where a place is; `None` if its item is gone.
    pub fn locate(&self, place: &Place) -> Option<Located> {
        db::resolve(self, place).map(|(file, span)| Located { file, span })
    }
}

/// Whether a code is about the text alone.
fn is_syntax(code: Code) -> bool {
    code.name().starts_with("E00")
}

/// Places of findings, by item.
#[derive(Default)]
struct Told(FxHashMap<ItemKey, Vec<Span>>);

impl Told {
    fn of<'a>(places: impl Iterator<Item = &'a Place>) -> Told {
        let mut told = Told::default();
        places.for_each(|it| told.0.entry(it.item.clone()).or_default().push(it.span));
        told
    }

    fn overlaps(&self, place: &Place) -> bool {
        let span = place.span;
        let spans = self.0.get(&place.item).into_iter().flatten();
        spans.into_iter().any(|it| it.lo < span.hi && span.lo < it.hi)
    }
}
