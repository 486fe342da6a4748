//! Paths of `use` items that name files, as links to them.

use tile_language::db::{self, Db, SourceFile};
use tile_language::names::mentions::{self, Meaning};
use tile_syntax::ast::{ItemKind, Span};

/// The names of files in the `use` items of a file, and the files.
pub fn links(db: &dyn Db, file: SourceFile) -> Vec<(Span, SourceFile)> {
    let mut found = Vec::new();
    for (source, (_, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        if !matches!(db::parsed(db, *source).item.kind, ItemKind::Use(_)) {
            continue;
        }
        for it in &mentions::mentions(db, file, *source).list {
            if let Meaning::Module(number) = it.means
                && let Some(to) = db::file(db, number)
            {
                found.push((it.span.shifted(*start), to));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn files_in_use_items_are_links() {
        let it = Fixture::new(
            "//- other.tile\npub fn f() { }\n//- main.tile\n$0use other::f;\nuse std::softmax::Online;\n",
        );
        let found: Vec<(&str, &str)> = links(&it.db, it.file)
            .into_iter()
            .map(|(span, to)| (it.slice(span), to.path(&it.db).as_str()))
            .collect();
        assert_eq!(found, [("other", "other.tile"), ("softmax", "std/softmax.tile")]);
    }
}
