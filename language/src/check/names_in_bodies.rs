//! Unknown names in items, also in those that no kernel reaches.
//!
//! Which names nothing declares is found with the meanings of all others ([`names::mentions`]). What only
//! an instance can know is left to it: variants of an expected enum, functions of host code.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use tile_syntax::ast::ItemKind;

use crate::db::{self, Db, ItemSource, Package, SourceFile};
use crate::diagnostic::Diagnostic;
use crate::elab;
use crate::ir::Place;
use crate::names::mentions::{self, Stand, Unknown};
use crate::names::{self, DeclKind};
use crate::report;

/// Names that mean something without a declaration, but no value of their own.
const WORDS: [&str; 5] = ["None", "_", "self", "static_assert", "print"];

/// Unknown names in an item.
#[salsa::tracked(returns(ref))]
pub(super) fn item<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    item: ItemSource<'db>,
) -> Arc<[Diagnostic]> {
    let kind = &db::parsed(db, item).item.kind;
    let place = |span| Place { item: item.key(db).clone(), span };
    if let ItemKind::Tune(it) = kind {
        let tune = report::comptime::unsupported(place(it.kernel.span), "`tune`");
        return Arc::new([tune]);
    }
    let in_host_code = matches!(kind, ItemKind::Test(_) | ItemKind::Bench(_));
    let unknown = mentions::mentions(db, file, item).unknown.iter();
    let wrong = unknown.filter(|it| !is_left_open(db, it, in_host_code));
    let report = |it: &Unknown| {
        let near = near(db, file, it);
        report::names::unknown(place(it.span), &it.name, near.as_deref())
    };
    wrong.map(report).collect()
}

/// Whether a name may mean something that only an instance knows.
fn is_left_open(db: &dyn Db, it: &Unknown, in_host_code: bool) -> bool {
    let of_host = || {
        let path: Vec<SmolStr> = it.name.split("::").map(SmolStr::new).collect();
        it.name == "expect_error" || crate::host::knows(&path)
    };
    WORDS.contains(&it.name.as_str())
        || match it.stand {
            Stand::Value => in_host_code || names_of_variants(db).contains(&it.name),
            Stand::Callee => in_host_code && of_host(),
            Stand::Name | Stand::Word => false,
        }
}

/// The name that may have been meant.
fn near(db: &dyn Db, file: SourceFile, it: &Unknown) -> Option<SmolStr> {
    let last = it.name.rsplit("::").next().unwrap_or(&it.name);
    let visible = names::visible(db, file);
    let words = elab::words_of_language();
    let known = it.scope.iter().cloned().chain(visible).chain(words);
    let known: Vec<SmolStr> = known.collect();
    names::suggest::nearest(last, known.iter().map(SmolStr::as_str))
}

/// The names of all variants of all enums: what a lone name may be where an enum is expected.
#[salsa::tracked(returns(ref))]
fn names_of_variants(db: &dyn Db) -> FxHashSet<SmolStr> {
    let files = Package::get(db).files(db);
    let decls = files.iter().flat_map(|it| &names::module(db, *it).decls);
    let variants = decls.flat_map(|it| match &it.kind {
        DeclKind::Enum(variants) => &variants[..],
        _ => &[],
    });
    variants.cloned().collect()
}
