//! Who calls a function, and whom it calls.

use rustc_hash::FxHashMap;
use tile_language::db::{self, Db, SourceFile};
use tile_language::names::mentions::{self, Access, Declaration, Meaning};
use tile_syntax::ast::{ItemKind, Span};

use super::navigation::usages_of;

/// A function with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// Its name; the title of a test.
    pub name: String,
    /// What it is.
    pub means: Meaning,
    /// Where.
    pub at: Declaration,
}

/// Calls between two functions.
#[derive(Clone, PartialEq, Debug)]
pub struct Calls {
    /// The other function.
    pub function: Function,
    /// The names that are called, in bytes of the caller's file.
    pub places: Vec<Span>,
}

/// The function whose name stands at a byte, or in which it lies.
pub fn function_at(db: &dyn Db, file: SourceFile, at: u32) -> Option<Function> {
    let named = mentions::at(db, file, at).into_iter().find_map(|(_, it)| function(db, &it));
    named.or_else(|| around(db, file, at))
}

/// The function of a meaning; `None` if it is none.
fn function(db: &dyn Db, means: &Meaning) -> Option<Function> {
    let is_function = match means {
        Meaning::Item(key) => {
            matches!(db::item(db, key)?.kind, ItemKind::Fn(_) | ItemKind::Kernel(_))
        }
        Meaning::Member(key, n) => match &db::item(db, key)?.kind {
            ItemKind::Impl(it) => {
                matches!(it.members.get(*n as usize)?.kind, ItemKind::Fn(_))
            }
            _ => false,
        },
        _ => false,
    };
    let at = mentions::declaration(db, means).filter(|_| is_function)?;
    let name = super::navigation::text(db, at.file, at.name).to_string();
    Some(Function { name, means: means.clone(), at })
}

/// The innermost function, test or other item around a byte.
fn around(db: &dyn Db, file: SourceFile, at: u32) -> Option<Function> {
    let sources = db::items(db, file).iter().zip(db::item_starts(db, file));
    let (source, (key, start)) = sources
        .into_iter()
        .find(|(source, (_, start))| *start <= at && at <= start + source.text(db).len() as u32)?;
    let tree = &db::parsed(db, *source).item;
    let relative = at - start;
    match &tree.kind {
        ItemKind::Impl(it) => {
            let holds =
                |it: &tile_syntax::ast::Item| it.span.lo <= relative && relative <= it.span.hi;
            let n = it.members.iter().position(holds)?;
            function(db, &Meaning::Member(key.clone(), n as u32))
        }
        ItemKind::Fn(_) | ItemKind::Kernel(_) => function(db, &Meaning::Item(key.clone())),
        ItemKind::Test(it) | ItemKind::Bench(it) => {
            let (name, all) = (it.title_span.shifted(*start), tree.span.shifted(*start));
            let at = Declaration { file, name, all };
            Some(Function { name: it.title.to_string(), means: Meaning::Item(key.clone()), at })
        }
        _ => None,
    }
}

/// The functions that call one.
pub fn incoming(db: &dyn Db, of: &Function) -> Vec<Calls> {
    let calls = usages_of(db, of.at.file, &of.means);
    let calls = calls.into_iter().filter(|it| it.access == Access::Calls);
    grouped(calls.filter_map(|it| Some((around(db, it.file, it.span.lo)?, it.span))))
}

/// The functions that one calls.
pub fn outgoing(db: &dyn Db, of: &Function) -> Vec<Calls> {
    let (Meaning::Item(key) | Meaning::Member(key, _)) = &of.means else { return Vec::new() };
    let Some(source) = db::item_source(db, key) else { return Vec::new() };
    let Some(start) = db::item_starts(db, of.at.file).iter().find(|it| it.0 == *key) else {
        return Vec::new();
    };
    let list = mentions::mentions(db, of.at.file, source).list.iter();
    let calls = list.filter(|it| it.access == Access::Calls);
    let inside = calls.map(|it| (it.span.shifted(start.1), &it.means));
    let inside = inside.filter(|it| of.at.all.lo <= it.0.lo && it.0.hi <= of.at.all.hi);
    grouped(inside.filter_map(|(span, means)| Some((function(db, means)?, span))))
}

fn grouped(calls: impl Iterator<Item = (Function, Span)>) -> Vec<Calls> {
    let mut order: FxHashMap<Meaning, usize> = FxHashMap::default();
    let mut found: Vec<Calls> = Vec::new();
    for (function, span) in calls {
        let n = *order.entry(function.means.clone()).or_insert(found.len());
        match found.get_mut(n) {
            Some(it) => it.places.push(span),
            None => found.push(Calls { function, places: vec![span] }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn calls_are_found_both_ways() {
        let it = Fixture::new(
            "fn a() { }\nfn b$0() { a(); a(); }\nfn c() { b(); }\ntest \"t\" { b(); }\n",
        );
        let b = function_at(&it.db, it.file, it.cursor).expect("`b` is a function");
        let names = |calls: Vec<Calls>| -> Vec<(String, usize)> {
            calls.into_iter().map(|it| (it.function.name, it.places.len())).collect()
        };
        assert_eq!(names(outgoing(&it.db, &b)), [("a".to_owned(), 2)]);
        assert_eq!(names(incoming(&it.db, &b)), [("c".to_owned(), 1), ("t".to_owned(), 1)]);
    }
}
