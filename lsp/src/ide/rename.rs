//! Renaming: every place that says the name, and the proof that nothing else changes its meaning.
//!
//! The edits are made in a second database, and every name of every file that could be touched is
//! looked up again: each must mean the declaration that it meant before. So whatever rules scopes
//! have, a clash is found.

use std::fmt;

use smol_str::SmolStr;
use tile_language::check;
use tile_language::db::{self, Db, SourceFile};
use tile_language::diagnostic::Severity;
use tile_language::names::mentions::{self, Meaning};
use tile_language::names::neighbours;
use tile_language::query::Database;
use tile_syntax::ast::Span;
use tile_syntax::lex;

use super::navigation::{self, Usage};

/// Why something cannot be renamed.
#[derive(Clone, PartialEq, Debug)]
pub enum NoRename {
    /// No name stands there, or none whose declaration is known.
    NoName,
    /// The compiler provides it.
    OfCompiler(SmolStr),
    /// The standard library declares it.
    OfLibrary(SmolStr),
    /// It is a file.
    Module(SmolStr),
    /// The new name is none.
    NotAName(String),
    /// A name at this place would mean something else.
    Clash {
        /// The new name.
        new: String,
        /// The file.
        path: String,
        /// The line, from 1.
        line: u32,
        /// What would mean something else.
        name: String,
    },
}

impl fmt::Display for NoRename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRename::NoName => write!(f, "no name with a known declaration stands here"),
            NoRename::OfCompiler(name) => write!(f, "`{name}` is part of the language"),
            NoRename::OfLibrary(name) => write!(f, "`{name}` belongs to the standard library"),
            NoRename::Module(name) => {
                write!(f, "`{name}` is a file: it is called what the file is called")
            }
            NoRename::NotAName(new) => write!(f, "`{new}` is not a name"),
            NoRename::Clash { new, path, line, name } => write!(
                f,
                "with the name `{new}`, `{name}` in line {line} of {path} would mean something else"
            ),
        }
    }
}

/// The name at a byte, if it can be renamed.
pub fn prepare(db: &dyn Db, file: SourceFile, at: u32) -> Result<(Span, SmolStr), NoRename> {
    let found = mentions::at(db, file, at);
    let (span, _) = found.first().ok_or(NoRename::NoName)?;
    let name = navigation::text(db, file, *span);
    for (_, means) in &found {
        match means {
            Meaning::Builtin(_) | Meaning::Word => return Err(NoRename::OfCompiler(name)),
            Meaning::Module(_) if found.len() == 1 => return Err(NoRename::Module(name)),
            _ => {}
        }
        let declared = mentions::declaration(db, means).ok_or(NoRename::NoName)?;
        let is_alias = navigation::text(db, declared.file, declared.name) != name;
        if declared.file.folder(db) == "std" && !is_alias && !matches!(means, Meaning::Module(_)) {
            return Err(NoRename::OfLibrary(name));
        }
    }
    Ok((*span, name))
}

/// The places that have to say `new` so that what the name at a byte means is called that.
pub fn rename(
    db: &dyn Db,
    file: SourceFile,
    at: u32,
    new: &str,
) -> Result<Vec<(SourceFile, Span)>, NoRename> {
    let (_, old) = prepare(db, file, at)?;
    let tokens = lex(new);
    let is_name = matches!(&tokens.tokens[..], [it] if it.token.is_word()
        && it.span == Span::new(0, new.len() as u32));
    if !is_name {
        return Err(NoRename::NotAName(new.to_owned()));
    }
    if old == new {
        return Ok(Vec::new());
    }
    let mut places: Vec<(SourceFile, Span)> = navigation::usages(db, file, at)
        .into_iter()
        .filter(|it: &Usage| navigation::text(db, it.file, it.span) == old)
        .map(|it| (it.file, it.span))
        .collect();
    // The name of a `use` is an alias where the declaration is called otherwise: it stays in its file.
    if !declares(db, file, at, &old) {
        places.retain(|it| it.0 == file);
    }
    places.dedup();
    prove(db, file, &places, new)?;
    Ok(places)
}

/// Whether what the name at a byte means is declared by that name.
fn declares(db: &dyn Db, file: SourceFile, at: u32, name: &str) -> bool {
    let meanings = mentions::at(db, file, at);
    meanings.iter().any(|(_, it)| {
        let declared = mentions::declaration(db, it);
        declared.is_some_and(|it| navigation::text(db, it.file, it.name) == name)
    })
}

/// Finds a name that would mean something else.
fn prove(
    db: &dyn Db,
    from: SourceFile,
    places: &[(SourceFile, Span)],
    new: &str,
) -> Result<(), NoRename> {
    let is_of_user = |it: &SourceFile| it.folder(db) != "std";
    let files: Vec<SourceFile> = neighbours(db, from).into_iter().filter(is_of_user).collect();
    let edits_of = |file: SourceFile| -> Vec<Span> {
        places.iter().filter(|it| it.0 == file).map(|it| it.1).collect()
    };
    let mut changed = Database::default();
    for &file in &files {
        let mut text = file.text(db).clone();
        for span in edits_of(file).iter().rev() {
            text.replace_range(span.lo as usize..span.hi as usize, new);
        }
        changed.add_file(file.path(db), &text);
    }
    let copies: Vec<SourceFile> = (0..)
        .map_while(|n| db::file(&changed, n))
        .filter(|it| it.folder(&changed) != "std")
        .collect();
    for (&file, &copy) in files.iter().zip(&copies) {
        let moved = |file: SourceFile, span: Span| moved(span, &edits_of(file), new);
        let clash = |span: Span| {
            let text = copy.text(&changed);
            NoRename::Clash {
                new: new.to_owned(),
                path: file.path(db).clone(),
                line: 1 + text[..span.lo as usize].matches('\n').count() as u32,
                name: navigation::text(&changed, copy, span).to_string(),
            }
        };
        let mut before: Vec<(Span, Meant)> = Vec::new();
        for (span, means) in meanings(db, file, db) {
            let meant = meant(db, &means, moved);
            before.push((moved(file, span), meant));
        }
        let after: Vec<(Span, Meant)> = meanings(&changed, copy, db)
            .into_iter()
            .map(|(span, means)| (span, meant(&changed, &means, |_, it| it)))
            .collect();
        let differs = |(a, b): (&(Span, Meant), &(Span, Meant))| a != b;
        let first = before.iter().zip(&after).position(differs);
        let uneven = (before.len() != after.len()).then(|| before.len().min(after.len()));
        if let Some(n) = first.or(uneven) {
            return Err(clash(after.get(n).or(before.get(n)).map_or(Span::default(), |it| it.0)));
        }
        // Two declarations of one name, which no use has to tell apart.
        let wrong = errors(&changed, copy);
        if errors(db, file).len() < wrong.len() {
            let at_new = wrong.iter().find(|it| navigation::text(&changed, copy, **it) == new);
            return Err(clash(*at_new.unwrap_or(&wrong[0])));
        }
    }
    Ok(())
}

/// Where a file has errors of syntax and names.
fn errors(db: &dyn Db, file: SourceFile) -> Vec<Span> {
    let errors = check::file(db, file).iter().filter(|it| it.severity == Severity::Error);
    errors.filter_map(|it| Some(db::resolve(db, &it.place)?.1)).collect()
}

/// What a name means, in terms that survive a renaming.
#[derive(Clone, PartialEq, Debug)]
enum Meant {
    /// A declaration at a place of a file.
    Declared(String, Span),
    /// Something of the compiler.
    Given(Meaning),
}

fn meant(db: &dyn Db, means: &Meaning, moved: impl Fn(SourceFile, Span) -> Span) -> Meant {
    match mentions::declaration(db, means) {
        Some(it) => Meant::Declared(it.file.path(db).clone(), moved(it.file, it.name)),
        None => Meant::Given(means.clone()),
    }
}

/// What the names of a file mean. The second database is nobody else's, so nothing would cancel its
/// queries: `asked` is the one that knows whether the answer is still wanted.
fn meanings(db: &dyn Db, file: SourceFile, asked: &dyn Db) -> Vec<(Span, Meaning)> {
    let sources = db::items(db, file).iter().zip(db::item_starts(db, file));
    let all = sources.flat_map(|(source, (_, start))| {
        asked.unwind_if_revision_cancelled();
        let list = mentions::mentions(db, file, *source).list.iter();
        list.map(|it| (it.span.shifted(*start), it.means.clone()))
    });
    all.collect()
}

/// Where a span is after every one of `edits`, which are in order, was replaced by `new`.
fn moved(span: Span, edits: &[Span], new: &str) -> Span {
    let shift = |at: u32, counts: &dyn Fn(&Span) -> bool| {
        let before = edits.iter().filter(|it| counts(it));
        let by: i64 = before.map(|it| new.len() as i64 - i64::from(it.hi - it.lo)).sum();
        (i64::from(at) + by) as u32
    };
    let lo = shift(span.lo, &|it| it.hi <= span.lo);
    let hi = shift(span.hi, &|it| it.hi <= span.hi);
    Span::new(lo, hi)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    /// The texts with the new name in them, or why not.
    #[track_caller]
    fn renamed(text: &str, new: &str) -> String {
        let it = Fixture::new(text);
        let places = match rename(&it.db, it.file, it.cursor, new) {
            Ok(places) => places,
            Err(refusal) => return refusal.to_string(),
        };
        let mut files: Vec<SourceFile> = places.iter().map(|it| it.0).collect();
        files.dedup();
        let texts = files.into_iter().map(|file| {
            let mut text = file.text(&it.db).clone();
            for (_, span) in places.iter().filter(|it| it.0 == file).rev() {
                text.replace_range(span.lo as usize..span.hi as usize, new);
            }
            text
        });
        texts.collect::<Vec<_>>().join("---\n")
    }

    #[test]
    fn all_uses_and_labels_follow() {
        let text =
            "fn scale(x: f32, by$0: f32) -> f32 { x * by }\nfn f() { scale(1.0, by: 2.0); }\n";
        assert_snapshot!(renamed(text, "factor"), @r"
        fn scale(x: f32, factor: f32) -> f32 { x * factor }
        fn f() { scale(1.0, factor: 2.0); }
        ");
    }

    #[test]
    fn other_files_follow() {
        let text = "//- other.tile\npub fn twice(x: i32) -> i32 { x + x }\n\
                    //- main.tile\nuse other::twice;\nfn f() { let b = twi$0ce(1); }\n";
        assert_snapshot!(renamed(text, "double"), @r"
        pub fn double(x: i32) -> i32 { x + x }
        ---
        use other::double;
        fn f() { let b = double(1); }
        ");
    }

    #[test]
    fn an_alias_is_renamed_where_it_stands() {
        let text = "//- other.tile\npub fn twice(x: i32) -> i32 { x + x }\n\
                    //- main.tile\nuse other::twice as two;\nfn f() { let b = tw$0o(1); }\n";
        assert_snapshot!(renamed(text, "double"), @r"
        use other::twice as double;
        fn f() { let b = double(1); }
        ");
    }

    #[test]
    fn a_clash_is_refused() {
        let text = "fn f(a$0: i32, b: i32) -> i32 { let c = b; a + c }";
        assert_snapshot!(renamed(text, "c"), @"with the name `c`, `c` in line 1 of main.tile would mean something else");
        let text = "fn g() { }\nfn h$0() { g(); }";
        assert_snapshot!(renamed(text, "g"), @"with the name `g`, `g` in line 2 of main.tile would mean something else");
    }

    #[test]
    fn what_is_not_ours_stays() {
        assert_snapshot!(renamed("fn f(x: f32[128]) { x.su$0m(axis: 0); }", "total"), @"`sum` belongs to the standard library");
        assert_snapshot!(renamed("fn f() { let a = io$0ta(4); }", "count"), @"`iota` is part of the language");
        assert_snapshot!(renamed("fn f() { let a$0 = 1; }", "let"), @"with the name `let`, `let` in line 1 of main.tile would mean something else");
        assert_snapshot!(renamed("fn f() { let a$0 = 1; }", "1b"), @"`1b` is not a name");
        assert_snapshot!(renamed("fn f() { let a = 1; }$0", "b"), @"no name with a known declaration stands here");
    }
}
