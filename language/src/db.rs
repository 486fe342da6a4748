//! The database: texts go in, everything else is computed from them and kept as long as it holds.
//!
//! # Definition
//! Inputs are [`SourceFile`]s and the one [`Package`] that lists them. A file is cut into
//! [`ItemSource`]s, named by an [`ItemKey`] that survives edits elsewhere; each is parsed alone, so
//! that an edit inside one item leaves every other item's tree, and all that follows from it, as it
//! was. Where an item begins in its file is a separate query ([`item_starts`]) that only rendering
//! asks.
//!
//! # Invariants
//! * Queries depend on inputs alone.
//! * Trees and diagnostics hold spans relative to their item.
//! * Diagnostics are returned, never accumulated.
#![expect(missing_docs, reason = "salsa's macros make items without docs")]

use std::sync::Arc;

use smol_str::SmolStr;
use tile_syntax::ast::Item;

use crate::diagnostic::Diagnostic;
use crate::ir::{ItemKey, Place};

/// What queries need.
#[salsa::db]
pub trait Db: salsa::Database {}

/// A source text.
#[salsa::input(debug)]
pub struct SourceFile {
    /// Its number in [`ItemKey::file`].
    #[returns(copy)]
    pub number: u32,
    /// How people call it.
    #[returns(ref)]
    pub path: String,
    /// Its module, `["std", "reduce"]`, `["softmax"]`.
    #[returns(ref)]
    pub module: Vec<SmolStr>,
    /// The text.
    #[returns(ref)]
    pub text: String,
}

/// All files: the standard library's first, then the user's, each at the place of its number.
#[salsa::input(singleton)]
pub struct Package {
    /// The files.
    #[returns(ref)]
    pub files: Vec<SourceFile>,
}

/// The text of one item, docs included.
#[salsa::tracked(debug)]
pub struct ItemSource<'db> {
    /// What it is called.
    #[returns(ref)]
    pub key: ItemKey,
    /// Its text.
    #[tracked]
    #[returns(ref)]
    pub text: String,
}

/// A parsed item.
#[derive(Clone, PartialEq, Debug)]
pub struct Parsed {
    /// The tree.
    pub item: Arc<Item>,
    /// What is wrong with its text.
    pub errors: Arc<[Diagnostic]>,
}

/// The items of a file, in order.
#[salsa::tracked(returns(ref))]
pub fn items(db: &dyn Db, file: SourceFile) -> Vec<ItemSource<'_>> {
    let text = file.text(db);
    keyed(file.number(db), text)
        .into_iter()
        .map(|(key, lo, hi)| ItemSource::new(db, key, text[lo as usize..hi as usize].to_owned()))
        .collect()
}

/// Mistakes in what stands between items: characters that begin no token. Their places are of no
/// item, which has an empty name and begins where the file does.
#[salsa::tracked(returns(ref))]
pub fn between_items(db: &dyn Db, file: SourceFile) -> Vec<Diagnostic> {
    let text = file.text(db);
    let chunks = tile_syntax::split(text);
    let inside = |at: u32| chunks.iter().any(|it| it.lo <= at && at < it.hi);
    let key = ItemKey { file: file.number(db), item: SmolStr::default() };
    let errors = tile_syntax::lex(text).errors;
    let outside = errors.iter().filter(|it| !inside(it.span.lo));
    outside.map(|it| crate::report::syntax::error(&key, it)).collect()
}

/// Where each item begins, in bytes of the file.
#[salsa::tracked(returns(ref))]
pub fn item_starts(db: &dyn Db, file: SourceFile) -> Vec<(ItemKey, u32)> {
    keyed(file.number(db), file.text(db)).into_iter().map(|(key, lo, _)| (key, lo)).collect()
}

/// An item's tree.
#[salsa::tracked(returns(ref))]
pub fn parsed<'db>(db: &'db dyn Db, item: ItemSource<'db>) -> Parsed {
    let key = item.key(db);
    let result = tile_syntax::parse_item(item.text(db));
    let errors = result.errors.iter().map(|it| crate::report::syntax::error(key, it)).collect();
    Parsed { item: Arc::new(result.item), errors }
}

/// The file of that number.
pub fn file(db: &dyn Db, number: u32) -> Option<SourceFile> {
    Package::get(db).files(db).get(number as usize).copied()
}

/// The item of that key.
pub fn item_source<'db>(db: &'db dyn Db, key: &ItemKey) -> Option<ItemSource<'db>> {
    items(db, file(db, key.file)?).iter().copied().find(|it| it.key(db) == key)
}

/// The tree of the item of that key.
pub fn item(db: &dyn Db, key: &ItemKey) -> Option<Arc<Item>> {
    Some(parsed(db, item_source(db, key)?).item.clone())
}

/// The file and the absolute bytes of a place; `None` if its item is gone.
pub fn resolve(db: &dyn Db, place: &Place) -> Option<(SourceFile, tile_syntax::ast::Span)> {
    let file = file(db, place.item.file)?;
    let start = match place.item.item.is_empty() {
        true => 0,
        false => item_starts(db, file).iter().find(|it| it.0 == place.item)?.1,
    };
    Some((file, place.span.shifted(start)))
}

/// The items of a text: key, first byte, end.
fn keyed(file: u32, text: &str) -> Vec<(ItemKey, u32, u32)> {
    let mut seen = rustc_hash::FxHashMap::<SmolStr, u32>::default();
    tile_syntax::split(text)
        .into_iter()
        .map(|chunk| {
            let base = name_of(&text[chunk.lo as usize..chunk.hi as usize]);
            let n = seen.entry(base.clone()).or_default();
            let item = if *n == 0 { base } else { SmolStr::from(format!("{base}#{n}")) };
            *n += 1;
            (ItemKey { file, item }, chunk.lo, chunk.hi)
        })
        .collect()
}

/// What an item is called by its first words: `gemm`, `impl Ring`, `test "title"`, `use`.
fn name_of(text: &str) -> SmolStr {
    let head = text.lines().map(str::trim_start).find(|it| !it.is_empty() && !it.starts_with("//"));
    let head = head.unwrap_or_default();
    let head = head.strip_prefix("pub").map_or(head, str::trim_start);
    let end = |it: &str| it.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(it.len());
    let (keyword, rest) = head.split_at(end(head));
    let rest = rest.trim_start();
    match keyword {
        "test" | "bench" => {
            let title = rest.get(1..).and_then(|it| it.split_once('"')).map_or("", |it| it.0);
            SmolStr::from(format!("{keyword} \"{title}\""))
        }
        "impl" | "tune" => SmolStr::from(format!("{keyword} {}", &rest[..end(rest)])),
        "use" => SmolStr::new("use"),
        _ => SmolStr::new(&rest[..end(rest)]),
    }
}
