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

use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use tile_syntax::ast::{Item, ItemKind, Span};
use tile_syntax::{Chunk, CommentKind, Lexed, Trivia};

use crate::diagnostic::Diagnostic;
use crate::ir::{ItemKey, Place};

/// How many damaged items of a file are mended; those after them are left out with one finding.
const ITEMS_MENDED_MAX: usize = 128;

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
    /// The folder that it lies in: a `use` finds files of the same folder and the library's.
    #[returns(ref)]
    pub folder: String,
    /// Its module, `["std", "reduce"]`, `["softmax"]`; empty if the file is gone.
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
    /// What its text does in vain.
    pub warnings: Arc<[Diagnostic]>,
}

/// How a file is cut: its items with their bytes, and the mistakes in what stands between them.
#[derive(Clone, PartialEq, Debug)]
struct Outline {
    items: Vec<(ItemKey, Span)>,
    between: Vec<Diagnostic>,
}

/// How a file is cut. The only query that reads all of its tokens.
#[salsa::tracked(returns(ref))]
fn outline(db: &dyn Db, file: SourceFile) -> Outline {
    let text = file.text(db);
    let lexed = tile_syntax::lex(text);
    let chunks = tile_syntax::chunks(&lexed);
    let number = file.number(db);
    Outline {
        between: between(&ItemKey { file: number, item: SmolStr::default() }, &lexed, &chunks),
        items: keyed(number, text, &chunks),
    }
}

/// The items of a file, in order.
#[salsa::tracked(returns(ref))]
pub fn items(db: &dyn Db, file: SourceFile) -> Vec<ItemSource<'_>> {
    let text = file.text(db);
    let source = |(key, span): &(ItemKey, Span)| {
        ItemSource::new(db, key.clone(), text[span.lo as usize..span.hi as usize].to_owned())
    };
    outline(db, file).items.iter().map(source).collect()
}

/// Mistakes in what stands between items: characters that begin no token. Their places are of no
/// item, which has an empty name and begins where the file does.
pub fn between_items(db: &dyn Db, file: SourceFile) -> &[Diagnostic] {
    &outline(db, file).between
}

fn between(key: &ItemKey, lexed: &Lexed, chunks: &[Chunk]) -> Vec<Diagnostic> {
    let inside = |at: u32| {
        let next = chunks.partition_point(|it| it.hi <= at);
        chunks.get(next).is_some_and(|it| it.lo <= at)
    };
    let errors = lexed.errors.iter().filter(|it| !inside(it.span.lo));
    let errors = errors.map(|it| crate::report::syntax::error(key, it));
    let stray = lexed.trivia.iter().rev().find_map(|it| match it {
        Trivia::Comment { span, kind: CommentKind::Doc, .. } => Some(*span),
        _ => None,
    });
    let stray = stray.filter(|it| !inside(it.lo)).map(|span| {
        let place = Place { item: key.clone(), span };
        crate::report::syntax::stray_doc(place)
    });
    errors.chain(stray).collect()
}

/// Where each item begins, in bytes of the file.
#[salsa::tracked(returns(ref))]
pub fn item_starts(db: &dyn Db, file: SourceFile) -> Vec<(ItemKey, u32)> {
    outline(db, file).items.iter().map(|(key, span)| (key.clone(), span.lo)).collect()
}

/// The place of each item of a file in [`items`], by its key.
#[salsa::tracked(returns(ref))]
fn numbers_by_key(db: &dyn Db, file: SourceFile) -> FxHashMap<ItemKey, usize> {
    items(db, file).iter().enumerate().map(|(n, it)| (it.key(db).clone(), n)).collect()
}

/// Where each item begins, by its key.
#[salsa::tracked(returns(ref))]
fn starts_by_key(db: &dyn Db, file: SourceFile) -> FxHashMap<ItemKey, u32> {
    item_starts(db, file).iter().cloned().collect()
}

/// An item's tree if nothing is wrong with its text.
#[salsa::tracked(returns(ref))]
fn sound<'db>(db: &'db dyn Db, item: ItemSource<'db>) -> Option<Parsed> {
    let (tree, stray) = tile_syntax::read_item(item.text(db))?;
    let place = |span| Place { item: item.key(db).clone(), span };
    let warnings = stray.iter().map(|it| crate::report::syntax::stray_doc(place(*it))).collect();
    Some(Parsed { item: Arc::new(tree), errors: Arc::from([]), warnings })
}

/// The damaged items of a file: which of them are mended, and that there are others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Damage {
    /// The first ones, which are mended.
    pub mended: Vec<ItemKey>,
    /// The first one that is left as it is.
    pub first_left: Option<ItemKey>,
    /// How many are left.
    pub n_left: usize,
}

/// Which items of a file are damaged. Mending costs more than reading, so a file has a share of it.
#[salsa::tracked(returns(ref))]
pub fn damage(db: &dyn Db, file: SourceFile) -> Damage {
    let mut found = Damage::default();
    for item in items(db, file).iter().filter(|it| sound(db, **it).is_none()) {
        if found.mended.len() < ITEMS_MENDED_MAX {
            found.mended.push(item.key(db).clone());
            continue;
        }
        found.first_left.get_or_insert_with(|| item.key(db).clone());
        found.n_left += 1;
    }
    found
}

/// Whether a damaged item is mended: so narrow that what happens to others leaves it equal.
#[salsa::tracked(returns(copy))]
fn is_mended<'db>(db: &'db dyn Db, item: ItemSource<'db>) -> bool {
    let key = item.key(db);
    file(db, key.file).is_none_or(|it| damage(db, it).mended.contains(key))
}

/// An item's tree. One that is damaged is mended, unless there are too many of these in the file.
#[salsa::tracked(returns(ref))]
pub fn parsed<'db>(db: &'db dyn Db, item: ItemSource<'db>) -> Parsed {
    if let Some(tree) = sound(db, item) {
        return tree.clone();
    }
    let key = item.key(db);
    if !is_mended(db, item) {
        let span = Span::new(0, item.text(db).len() as u32);
        let kind = ItemKind::Broken(None);
        let item = Item { docs: SmolStr::default(), public: false, kind, span };
        let [errors, warnings] = [Arc::from([]), Arc::from([])];
        return Parsed { item: Arc::new(item), errors, warnings };
    }
    let result = tile_syntax::parse_item(item.text(db));
    let errors = result.errors.iter().map(|it| crate::report::syntax::error(key, it)).collect();
    Parsed { item: Arc::new(result.item), errors, warnings: Arc::from([]) }
}

/// The file of that number.
pub fn file(db: &dyn Db, number: u32) -> Option<SourceFile> {
    Package::get(db).files(db).get(number as usize).copied()
}

/// The item of that key.
pub fn item_source<'db>(db: &'db dyn Db, key: &ItemKey) -> Option<ItemSource<'db>> {
    let file = file(db, key.file)?;
    let number = *numbers_by_key(db, file).get(key)?;
    items(db, file).get(number).copied()
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
        false => *starts_by_key(db, file).get(&place.item)?,
    };
    Some((file, place.span.shifted(start)))
}

/// The items of a text by their keys.
fn keyed(file: u32, text: &str, chunks: &[Chunk]) -> Vec<(ItemKey, Span)> {
    let mut seen = rustc_hash::FxHashMap::<SmolStr, u32>::default();
    let keyed = chunks.iter().map(|chunk| {
        let base = name_of(&text[chunk.lo as usize..chunk.hi as usize]);
        let n = seen.entry(base.clone()).or_default();
        let item = if *n == 0 { base } else { SmolStr::from(format!("{base}#{n}")) };
        *n += 1;
        (ItemKey { file, item }, Span::new(chunk.lo, chunk.hi))
    });
    keyed.collect()
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
