//! The edits that the compiler offers with its findings, for one place, one code or a whole file.

use tile_language::db::{self, Db, SourceFile};
use tile_language::diagnostic::{Code, Diagnostic, Fix};
use tile_syntax::ast::Span;

/// A fix whose places are found.
#[derive(Clone, PartialEq, Debug)]
pub struct Repair {
    /// What it does, as a menu entry.
    pub title: String,
    /// What it mends.
    pub mends: Diagnostic,
    /// Replacements of text.
    pub edits: Vec<(SourceFile, Span, String)>,
    /// Whether it is the best of its finding.
    pub is_best: bool,
}

/// The fixes of findings that touch `range`.
pub fn at(db: &dyn Db, file: SourceFile, found: &[Diagnostic], range: Span) -> Vec<Repair> {
    let touches = |it: &&Diagnostic| {
        db::resolve(db, &it.place)
            .is_some_and(|(at, span)| at == file && span.lo <= range.hi && range.lo <= span.hi)
    };
    found.iter().filter(touches).flat_map(|it| of(db, it)).collect()
}

/// The best fixes of all findings of one code, or of any if `code` is `None`: those that do not
/// overlap one before them.
pub fn all(
    db: &dyn Db,
    found: &[Diagnostic],
    code: Option<Code>,
) -> Vec<(SourceFile, Span, String)> {
    let meant = found.iter().filter(|it| code.is_none_or(|code| code == it.code));
    let best = meant.filter_map(|it| of(db, it).into_iter().next());
    let mut taken: Vec<(SourceFile, Span, String)> = Vec::new();
    for it in best {
        let overlaps = |edit: &(SourceFile, Span, String)| {
            taken.iter().any(|it| it.0 == edit.0 && clash(it.1, edit.1))
        };
        if !it.edits.iter().any(overlaps) {
            taken.extend(it.edits);
        }
    }
    taken
}

/// Whether two replacements cannot both be made; two insertions at one place cannot.
fn clash(a: Span, b: Span) -> bool {
    (a.lo < b.hi && b.lo < a.hi) || a.lo == b.lo
}

/// The fixes of a finding, best first.
fn of(db: &dyn Db, it: &Diagnostic) -> Vec<Repair> {
    let edits = |fix: &Fix| -> Option<Vec<(SourceFile, Span, String)>> {
        let resolved = fix.edits.iter().map(|it| {
            let (file, span) = db::resolve(db, &it.place)?;
            (file.folder(db) != "std").then(|| (file, span, it.text.clone()))
        });
        resolved.collect()
    };
    let fixes = it.fixes.iter().filter_map(|fix| Some((fix, edits(fix)?)));
    let repairs = fixes.enumerate().map(|(n, (fix, edits))| Repair {
        title: fix.title.clone(),
        mends: it.clone(),
        edits,
        is_best: n == 0,
    });
    repairs.collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn a_missing_token_is_put_in() {
        let it = Fixture::new("fn f() {\n    let a = 1$0\n    let b = 2\n}\n");
        let found = it.db.check(it.file, &[]);
        let repairs = at(&it.db, it.file, &found, Span::new(it.cursor, it.cursor));
        let titles: Vec<&str> = repairs.iter().map(|it| it.title.as_str()).collect();
        assert_snapshot!(titles.join("\n"), @"write `;`");
        let mut edits = all(&it.db, &found, Some(found[0].code));
        edits.sort_by_key(|it| it.1);
        let mut text = it.text().to_owned();
        for (_, span, new) in edits.iter().rev() {
            text.replace_range(span.lo as usize..span.hi as usize, new);
        }
        assert_snapshot!(text, @r"
        fn f() {
            let a = 1;
            let b = 2;
        }
        ");
    }
}
