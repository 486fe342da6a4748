//! Which instance an editor shows: types, layouts and costs are those of one kernel with its arguments.
//!
//! A kernel is shown in its canonical instance unless another one is chosen by name, and for the
//! chosen target, or the first one that it can be for. A function is shown as the shown kernels of
//! its file call it.

use std::collections::hash_map::Entry;
use std::iter;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use tile_language::db::{self, Db, SourceFile};
use tile_language::elab::observe::{Nature, Observed};
use tile_language::ir::{ItemKey, Kernel};
use tile_language::names::{self, DeclKind};
use tile_language::query::{self, Instance, NamedInstance};
use tile_language::target::{TARGETS, TargetId};
use tile_syntax::ast::{ItemKind, Span};

use super::cost::Costs;
use super::measured::{Measured, Measurement};

/// Different natures of one place that are shown.
const NATURES_MAX: usize = 4;

/// Instances that a function is looked for in.
const INSTANCES_MAX: usize = 8;

/// What the user chose to see.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The target.
    pub target: TargetId,
    /// The instance of a kernel, by the kernel's name, where it is not the canonical one.
    pub instances: FxHashMap<SmolStr, SmolStr>,
    /// What the compiler measured of them.
    pub measured: Arc<Measured>,
}

impl Shown {
    /// Canonical instances for a target.
    pub fn of(target: TargetId) -> Shown {
        Shown { target, instances: FxHashMap::default(), measured: Arc::default() }
    }
}

#[salsa::tracked(returns(ref))]
fn costs<'db>(db: &'db dyn Db, key: Instance<'db>) -> Option<Costs> {
    query::instance(db, key).kernel.clone().map(Costs::of)
}

/// An instance with its name.
#[derive(Clone, Copy)]
pub struct ShownInstance<'db> {
    /// The name in a library.
    pub name: &'db SmolStr,
    /// The kernel.
    pub kernel: &'db ItemKey,
    /// What it is compiled for.
    pub target: TargetId,
    key: Instance<'db>,
}

impl<'db> ShownInstance<'db> {
    fn new(db: &'db dyn Db, it: NamedInstance, target: TargetId) -> ShownInstance<'db> {
        let key = Instance::new(db, it.kernel, it.args, it.name, target);
        ShownInstance { name: key.name(db), kernel: key.kernel(db), target, key }
    }

    /// Its IR; `None` if something is wrong with it.
    pub fn ir(self, db: &'db dyn Db) -> Option<&'db Kernel> {
        query::instance(db, self.key).kernel.as_deref()
    }

    /// What its operations cost; `None` if something is wrong with it.
    pub fn costs(self, db: &'db dyn Db) -> Option<&'db Costs> {
        costs(db, self.key).as_ref()
    }

    /// The registers of a thread; `None` if something is wrong with it.
    pub fn pressure(
        self,
        db: &'db dyn Db,
    ) -> Option<&'db tile_language::analysis::pressure::Pressure> {
        query::pressure(db, self.key).as_ref()
    }

    /// What the compiler measured of it, as the text is now.
    pub fn measurement(
        self,
        db: &'db dyn Db,
        file: SourceFile,
        shown: &Shown,
    ) -> Option<Measurement> {
        shown.measured.get(file.text(db), self.name, self.target)
    }

    /// What its expressions and names are.
    pub fn observed(self, db: &'db dyn Db) -> &'db Observed {
        query::observed(db, self.key)
    }

    /// What stood at a place, each different nature once.
    pub fn natures(self, db: &'db dyn Db, item: &ItemKey, span: Span) -> &'db [Nature] {
        self.observed(db).at(item, span)
    }
}

/// The instance of that name for the shown target, or another that has it.
pub fn named<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    name: &str,
    shown: &Shown,
) -> Option<ShownInstance<'db>> {
    let others = (0..TARGETS.len() as u8).map(TargetId).filter(|it| *it != shown.target);
    iter::once(shown.target).chain(others).find_map(|target| {
        let found = instances(db, file, target).iter().find(|it| it.name == name)?;
        Some(ShownInstance::new(db, found.clone(), target))
    })
}

/// The instances of a file's kernels for a target: canonical ones, and those that `build` items name.
#[salsa::tracked(returns(ref))]
pub fn instances(db: &dyn Db, file: SourceFile, target: TargetId) -> Vec<NamedInstance> {
    let is_for = |it: &NamedInstance| {
        it.targets.is_empty() || it.targets.iter().any(|name| name == target.row().name)
    };
    query::instances(db, file, target).0.into_iter().filter(is_for).collect()
}

/// The shown instance of every kernel of a file, in the order of their targets and names.
pub fn of_file<'db>(db: &'db dyn Db, file: SourceFile, shown: &Shown) -> Vec<ShownInstance<'db>> {
    let decls = &names::module(db, file).decls;
    let n_kernels = decls.iter().filter(|it| it.kind == DeclKind::Kernel).count();
    let mut chosen: Vec<(&NamedInstance, TargetId)> = Vec::new();
    let mut places: FxHashMap<&ItemKey, usize> = FxHashMap::default();
    let others = (0..TARGETS.len() as u8).map(TargetId).filter(|it| *it != shown.target);
    for target in iter::once(shown.target).chain(others) {
        if places.len() == n_kernels {
            break;
        }
        for it in instances(db, file, target) {
            let is_wanted = shown.instances.get(&it.kernel.item) == Some(&it.name);
            match places.entry(&it.kernel) {
                Entry::Vacant(free) => {
                    free.insert(chosen.len());
                    chosen.push((it, target));
                }
                Entry::Occupied(taken) if is_wanted && chosen[*taken.get()].1 == target => {
                    chosen[*taken.get()].0 = it;
                }
                Entry::Occupied(_) => {}
            }
        }
    }
    chosen.into_iter().map(|(it, target)| ShownInstance::new(db, it.clone(), target)).collect()
}

/// The shown instances that an item's code stands in: its own, or those of its file.
pub fn around<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: &ItemKey,
    shown: &Shown,
) -> Vec<ShownInstance<'db>> {
    of_item(&of_file(db, file, shown), item)
}

/// Of the shown instances of a file those that an item's code stands in. For a function these are the
/// first ones: more would say the same, and each has to be elaborated.
pub fn of_item<'db>(all: &[ShownInstance<'db>], item: &ItemKey) -> Vec<ShownInstance<'db>> {
    match all.iter().find(|it| it.kernel == item) {
        Some(own) => vec![*own],
        None => all.iter().take(INSTANCES_MAX).copied().collect(),
    }
}

/// What stands at a place in these instances, each different nature once.
pub fn natures(
    db: &dyn Db,
    instances: &[ShownInstance<'_>],
    item: &ItemKey,
    span: Span,
) -> Vec<Nature> {
    let mut found: Vec<Nature> = Vec::new();
    for it in instances.iter().flat_map(|it| it.natures(db, item, span)) {
        if found.len() < NATURES_MAX && !found.contains(it) {
            found.push(it.clone());
        }
    }
    if found.is_empty() {
        let of_test = observed_test(db, instances, item).map_or(&[][..], |it| it.at(item, span));
        found.extend_from_slice(of_test);
    }
    found
}

/// What was seen of an item, if that is host code.
pub fn observed_test<'db>(
    db: &'db dyn Db,
    instances: &[ShownInstance<'_>],
    item: &ItemKey,
) -> Option<&'db Observed> {
    let source = db::item_source(db, item)?;
    let kind = &db::parsed(db, source).item.kind;
    let target = instances.first()?.target;
    matches!(kind, ItemKind::Test(_) | ItemKind::Bench(_))
        .then(|| query::observed_test(db, source, target))
}
