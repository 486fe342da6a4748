//! What can be said about a file before any instance: syntax, duplicate and unknown names, and what is
//! wrong with bodies as they are written.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use tile_syntax::ast::Span;

use crate::db::{self, Db, SourceFile};
use crate::diagnostic::Diagnostic;
use crate::ir::Place;
use crate::names::{self, DeclKind};
use crate::report;

mod bodies;
mod names_in_bodies;

/// The findings of a file that hold for every target, in the order of its items.
#[salsa::tracked(returns(ref))]
pub fn file(db: &dyn Db, file: SourceFile) -> Arc<[Diagnostic]> {
    let mut found = db::between_items(db, file).to_vec();
    for source in db::items(db, file) {
        let parsed = db::parsed(db, *source);
        found.extend(parsed.errors.iter().chain(parsed.warnings.iter()).cloned());
        found.extend(names_in_bodies::item(db, file, *source).iter().cloned());
    }
    found.extend(left_out(db, file));
    found.extend(duplicates(db, file));
    found.extend(uses(db, file));
    found.into()
}

/// What is wrong with the bodies of a file before any instance. An instance says the same where it comes
/// by, so these stand only where it says nothing.
pub fn bodies(db: &dyn Db, file: SourceFile) -> impl Iterator<Item = &Diagnostic> {
    db::items(db, file).iter().flat_map(move |it| bodies::body(db, file, *it).iter())
}

/// What is known of the expressions and names of an item from the text alone, by place, in words.
pub fn sorts<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: db::ItemSource<'db>,
) -> &'db [(Span, String)] {
    bodies::sorts(db, file, item)
}

/// That too many items are damaged to mend them all.
fn left_out(db: &dyn Db, file: SourceFile) -> Option<Diagnostic> {
    let damage = db::damage(db, file);
    let item = damage.first_left.clone()?;
    let text = db::item_source(db, &item)?.text(db);
    let word = text.find(char::is_whitespace).unwrap_or(text.len());
    let place = Place { item, span: Span::new(0, word as u32) };
    Some(report::syntax::left_out(place, damage.mended.len(), damage.n_left))
}

/// Two functions of one name, two types of one name.
fn duplicates(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let mut first: FxHashMap<(&str, &str), &names::Decl> = FxHashMap::default();
    let mut found = Vec::new();
    for it in &names::module(db, file).decls {
        let class = class(&it.kind);
        match first.entry((it.name.as_str(), class)) {
            Entry::Vacant(free) => drop(free.insert(it)),
            Entry::Occupied(taken) => {
                let (place, first) = (it.place.clone(), &taken.get().place);
                found.push(report::names::duplicate(place, &it.name, class, first));
            }
        }
    }
    found
}

/// The names that may not be shared.
fn class(kind: &DeclKind) -> &'static str {
    match kind {
        DeclKind::Const => "constant",
        DeclKind::Struct | DeclKind::Enum(_) => "type",
        DeclKind::Fn { .. } | DeclKind::Kernel | DeclKind::Build => "function",
        DeclKind::Iter { .. } => "iterator",
    }
}

/// `use` items that bring nothing.
fn uses(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for it in &names::module(db, file).uses {
        let text = it.path.join("::");
        let means = names::resolve_use(db, file, &it.path);
        if means.is_empty() {
            found.push(report::names::unknown(it.place.clone(), &text, None));
        } else if means.iter().all(|it| *it == names::Found::Circle) {
            found.push(report::names::circle(it.place.clone()));
        } else if let [names::Found::Private(decl)] = &means[..] {
            found.push(report::names::private(it.place.clone(), &decl.name, &decl.place));
        }
    }
    found
}
