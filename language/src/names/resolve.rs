//! From a path to declarations.
//!
//! # Invariants
//! * A circle of `use` items ends: a pair of file and name is asked once a path.
//! * Only `pub` declarations are found from another file.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::declared::{Decl, DeclKind, module};
use crate::db::{Db, Package, SourceFile};

/// What a path means.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    /// A declaration.
    Decl(Decl),
    /// A variant of an enum, by number.
    Variant(Decl, u32),
    /// A declaration that stands in another file without `pub`.
    Private(Decl),
    /// Another file.
    Module(SourceFile),
    /// Its `use` items go round in a circle.
    Circle,
}

/// What `path` means in `file`; empty if nothing that a file declares.
pub fn resolve(db: &dyn Db, file: SourceFile, path: &[SmolStr]) -> Vec<Found> {
    let mut walk = Walk { db, asked: Vec::new() };
    walk.path(file, path)
}

/// What the path of a `use` item means; empty if nothing.
pub fn resolve_use(db: &dyn Db, file: SourceFile, path: &[SmolStr]) -> Vec<Found> {
    let mut walk = Walk { db, asked: Vec::new() };
    walk.used(file, path)
}

/// Every name that stands for something in `file`, for suggestions.
pub fn visible(db: &dyn Db, file: SourceFile) -> Vec<SmolStr> {
    let own = module(db, file);
    let mut names: Vec<SmolStr> = own.decls.iter().map(|it| it.name.clone()).collect();
    names.extend(own.uses.iter().map(|it| it.name.clone()));
    if let Some(prelude) = prelude(db, file) {
        names.extend(module(db, prelude).uses.iter().map(|it| it.name.clone()));
    }
    names
}

fn prelude(db: &dyn Db, from: SourceFile) -> Option<SourceFile> {
    find_module(db, from, &["std".into(), "prelude".into()])
}

/// The module of that path, as `from` names it: one of its folder, or the library's.
fn find_module(db: &dyn Db, from: SourceFile, path: &[SmolStr]) -> Option<SourceFile> {
    let folder = match path {
        [first, _, ..] if first == "std" => "std",
        _ => from.folder(db),
    };
    modules_of_folder(db).get(folder)?.get(path).copied()
}

/// The files that `from` can use, itself included: those of its folder and the library's.
pub fn neighbours(db: &dyn Db, from: SourceFile) -> Vec<SourceFile> {
    let folder = from.folder(db);
    let folders = [folder.as_str(), "std"];
    let wanted = if folder == "std" { &folders[..1] } else { &folders[..] };
    let modules = modules_of_folder(db);
    let files = wanted.iter().filter_map(|it| modules.get(*it)).flat_map(|it| it.values());
    let mut files: Vec<SourceFile> = files.copied().collect();
    files.sort_by_key(|it| it.number(db));
    files
}

type ModulesOfFolder = FxHashMap<String, FxHashMap<Vec<SmolStr>, SourceFile>>;

/// All modules by their folder and path; of two equal ones the first.
#[salsa::tracked(returns(ref))]
fn modules_of_folder(db: &dyn Db) -> ModulesOfFolder {
    let mut modules = ModulesOfFolder::default();
    for &file in Package::get(db).files(db).iter().filter(|it| !it.module(db).is_empty()) {
        let folder = modules.entry(file.folder(db).clone()).or_default();
        folder.entry(file.module(db).clone()).or_insert(file);
    }
    modules
}

struct Walk<'db> {
    db: &'db dyn Db,
    asked: Vec<(SourceFile, SmolStr)>,
}

impl Walk<'_> {
    fn path(&mut self, file: SourceFile, path: &[SmolStr]) -> Vec<Found> {
        match path {
            [] => Vec::new(),
            [name] => self.name(file, name, true),
            [first, rest @ ..] => {
                let mut found: Vec<Found> = self
                    .name(file, first, true)
                    .into_iter()
                    .flat_map(|it| self.inside(it, file, rest))
                    .collect();
                if found.is_empty() {
                    found = self.absolute(file, path);
                }
                found
            }
        }
    }

    /// A path that begins with a module's own path: `std::reduce::sum`, `self::raster::Place`.
    fn absolute(&mut self, from: SourceFile, path: &[SmolStr]) -> Vec<Found> {
        let path = if path[0] == "self" { &path[1..] } else { path };
        for n in (1..=path.len()).rev() {
            let Some(module) = find_module(self.db, from, &path[..n]) else { continue };
            return match &path[n..] {
                [] => vec![Found::Module(module)],
                rest => self.members(module, from, rest),
            };
        }
        Vec::new()
    }

    fn inside(&mut self, outer: Found, from: SourceFile, rest: &[SmolStr]) -> Vec<Found> {
        match outer {
            Found::Module(module) => self.members(module, from, rest),
            Found::Decl(decl) => match (&decl.kind, rest) {
                (DeclKind::Enum(variants), [name]) => {
                    match variants.iter().position(|it| it == name) {
                        Some(n) => vec![Found::Variant(decl, n as u32)],
                        None => Vec::new(),
                    }
                }
                _ => Vec::new(),
            },
            Found::Circle => vec![Found::Circle],
            Found::Private(_) | Found::Variant(..) => Vec::new(),
        }
    }

    fn members(&mut self, module: SourceFile, from: SourceFile, rest: &[SmolStr]) -> Vec<Found> {
        let [name, deeper @ ..] = rest else { return Vec::new() };
        let found = self.name(module, name, module == from);
        if deeper.is_empty() {
            return found;
        }
        found.into_iter().flat_map(|it| self.inside(it, from, deeper)).collect()
    }

    /// What a single name means in `file`, seen from inside or outside of it.
    fn name(&mut self, file: SourceFile, name: &SmolStr, inside: bool) -> Vec<Found> {
        let key = (file, name.clone());
        if self.asked.contains(&key) {
            return vec![Found::Circle];
        }
        self.asked.push(key);
        let found = self.name_once(file, name, inside);
        self.asked.pop();
        found
    }

    fn name_once(&mut self, file: SourceFile, name: &SmolStr, inside: bool) -> Vec<Found> {
        let own = module(self.db, file);
        let mut found: Vec<Found> = own
            .decls
            .iter()
            .filter(|it| it.name == *name)
            .map(|it| {
                if inside || it.public {
                    Found::Decl(it.clone())
                } else {
                    Found::Private(it.clone())
                }
            })
            .collect();
        for it in own.uses.iter().filter(|it| it.name == *name && (inside || it.public)) {
            found.extend(self.used(file, &it.path));
        }
        if found.is_empty()
            && inside
            && let Some(prelude) = prelude(self.db, file).filter(|it| *it != file)
        {
            let public = |it: &Found| !matches!(it, Found::Private(_));
            found.extend(self.name(prelude, name, false).into_iter().filter(public));
        }
        found
    }

    fn used(&mut self, file: SourceFile, path: &[SmolStr]) -> Vec<Found> {
        let absolute = self.absolute(file, path);
        if absolute.is_empty() && path.len() > 1 { self.path(file, path) } else { absolute }
    }
}
