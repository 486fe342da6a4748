//! From a name to its declaration, to the type of what it means, and to everywhere it is used.

use rustc_hash::FxHashSet;
use smol_str::SmolStr;
use tile_language::db::{self, Db, Package, SourceFile};
use tile_language::names::mentions::{self, Access, Declaration, Meaning};
use tile_language::names::neighbours;
use tile_syntax::ast::Span;

/// A use of a name, in bytes of a file.
#[derive(Clone, PartialEq, Debug)]
pub struct Usage {
    /// The file.
    pub file: SourceFile,
    /// The name.
    pub span: Span,
    /// What is done with it.
    pub access: Access,
}

/// Where the name at a byte is declared, with the name's own place.
pub fn declarations(db: &dyn Db, file: SourceFile, at: u32) -> Vec<(Span, Declaration)> {
    let found = mentions::at(db, file, at).into_iter();
    let declared = found.filter_map(|(span, it)| Some((span, mentions::declaration(db, &it)?)));
    unique(declared.collect())
}

/// Where the struct or enum is declared of which the name at a byte is a value.
pub fn type_declarations(db: &dyn Db, file: SourceFile, at: u32) -> Vec<(Span, Declaration)> {
    let found = mentions::at(db, file, at).into_iter();
    let declared = found.filter_map(|(span, it)| {
        let item = Meaning::Item(mentions::type_of(db, &it)?.item);
        Some((span, mentions::declaration(db, &item)?))
    });
    unique(declared.collect())
}

fn unique(mut found: Vec<(Span, Declaration)>) -> Vec<(Span, Declaration)> {
    let mut kept: Vec<(Span, Declaration)> = Vec::new();
    found.retain(|it| {
        let is_new = !kept.contains(it);
        kept.extend(is_new.then(|| it.clone()));
        is_new
    });
    found
}

/// Every use of what the name at a byte means, its declaration included, in the order of files and
/// places.
pub fn usages(db: &dyn Db, file: SourceFile, at: u32) -> Vec<Usage> {
    let meanings = mentions::at(db, file, at).into_iter().map(|it| it.1);
    let mut found: Vec<Usage> = meanings.flat_map(|it| usages_of(db, file, &it)).collect();
    found.sort_by_key(|it| (it.file.number(db), it.span));
    found.dedup();
    found
}

/// Every use of one meaning. What the compiler provides has no declaration; its uses are those of
/// the file `from`.
pub fn usages_of(db: &dyn Db, from: SourceFile, means: &Meaning) -> Vec<Usage> {
    let declared = mentions::declaration(db, means);
    let files = match (&declared, means) {
        (Some(it), Meaning::Local(..)) => vec![it.file],
        (Some(it), _) if it.file.folder(db) == "std" => Package::get(db).files(db).clone(),
        (Some(it), _) => neighbours(db, it.file),
        (None, _) => vec![from],
    };
    let mut found: Vec<Usage> = files.into_iter().flat_map(|it| usages_in(db, it, means)).collect();
    found.sort_by_key(|it| (it.file.number(db), it.span));
    found
}

/// Every use of one meaning in a file.
pub fn usages_in(db: &dyn Db, file: SourceFile, means: &Meaning) -> Vec<Usage> {
    let own = match means {
        Meaning::Local(key, _) => Some(key),
        _ => None,
    };
    let mut found = Vec::new();
    for (source, (_, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        if own.is_some_and(|it| it != source.key(db)) {
            continue;
        }
        let list = &mentions::mentions(db, file, *source).list;
        let same = list.iter().filter(|it| it.means == *means);
        found.extend(same.map(|it| Usage {
            file,
            span: it.span.shifted(*start),
            access: it.access,
        }));
    }
    found
}

/// The uses in a file of what the name at a byte means; one place is one use.
pub fn highlights(db: &dyn Db, file: SourceFile, at: u32) -> Vec<Usage> {
    let meanings: FxHashSet<Meaning> =
        mentions::at(db, file, at).into_iter().map(|it| it.1).collect();
    let mut found: Vec<Usage> = meanings.iter().flat_map(|it| usages_in(db, file, it)).collect();
    found.sort_by_key(|it| it.span);
    found.dedup_by_key(|it| it.span);
    found
}

/// The text of a name.
pub fn text(db: &dyn Db, file: SourceFile, span: Span) -> SmolStr {
    SmolStr::new(file.text(db).get(span.lo as usize..span.hi as usize).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    /// The line of each declaration, with the declared name in brackets.
    #[track_caller]
    fn declared(text: &str) -> String {
        let it = Fixture::new(text);
        let found = declarations(&it.db, it.file, it.cursor);
        let lines = found.iter().map(|(_, it2)| shown(&it.db, it2.file, it2.name));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn shown(db: &dyn Db, file: SourceFile, span: Span) -> String {
        let text = file.text(db);
        let (lo, hi) = (span.lo as usize, span.hi as usize);
        let start = text[..lo].rfind('\n').map_or(0, |it| it + 1);
        let end = text[hi..].find('\n').map_or(text.len(), |it| hi + it);
        let path = file.path(db);
        format!("{path}: {}[{}]{}", &text[start..lo], &text[lo..hi], &text[hi..end])
    }

    /// All uses, one a line.
    #[track_caller]
    fn used(text: &str) -> String {
        let it = Fixture::new(text);
        let found = usages(&it.db, it.file, it.cursor);
        let lines = found
            .iter()
            .map(|usage| format!("{:?} {}", usage.access, shown(&it.db, usage.file, usage.span)));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_local_is_the_nearest_one_of_its_name() {
        let text = "fn f(a: i32) { let a = a + 1; let b = a$0; }";
        assert_snapshot!(declared(text), @"main.tile: fn f(a: i32) { let [a] = a + 1; let b = a; }");
    }

    #[test]
    fn a_name_of_another_file_is_found_through_use() {
        let text = "//- other.tile\npub fn twice(x: i32) -> i32 { x + x }\n\
                    //- main.tile\nuse other::twice;\nfn f() { let b = twi$0ce(1); }\n";
        assert_snapshot!(declared(text), @"other.tile: pub fn [twice](x: i32) -> i32 { x + x }");
    }

    #[test]
    fn a_method_of_the_library_is_found() {
        let text = "fn f(x: f32[128]) { let s = x.su$0m(axis: 0); }";
        assert_snapshot!(declared(text), @"std/reduce.tile: pub fn [sum](self, axis: int) { reduce(self, axis, |a, b| a + b) }");
    }

    #[test]
    fn members_of_a_struct_are_found_by_the_type_of_the_receiver() {
        let text = "struct Place { m: i32, n: i32 }\n\
                    impl Place { fn up(self) -> Place { Place(m: self.m - 1, n: self.n) } }\n\
                    fn f(p: Place) { let q = p.up(); let m = q.m$0; }\n";
        assert_snapshot!(declared(text), @"main.tile: struct Place { [m]: i32, n: i32 }");
        assert_snapshot!(used(text), @r"
        Declares main.tile: struct Place { [m]: i32, n: i32 }
        Labels main.tile: impl Place { fn up(self) -> Place { Place([m]: self.m - 1, n: self.n) } }
        Reads main.tile: impl Place { fn up(self) -> Place { Place(m: self.[m] - 1, n: self.n) } }
        Reads main.tile: fn f(p: Place) { let q = p.up(); let m = q.[m]; }
        ");
    }

    #[test]
    fn sizes_and_compile_time_parameters_are_names() {
        let text = "kernel k[B: int = 64](x: global f32[n])\n    where n <= B\n    grid [n]\n    warps 1\n\
                    { let j = iota(B$0); let live = j < n; }\n\
                    build small = k[B: 32];\n";
        assert_snapshot!(used(text), @r"
        Declares main.tile: kernel k[[B]: int = 64](x: global f32[n])
        Reads main.tile:     where n <= [B]
        Reads main.tile: { let j = iota([B]); let live = j < n; }
        Labels main.tile: build small = k[[B]: 32];
        ");
    }

    #[test]
    fn a_size_is_declared_where_it_is_written_first() {
        let text = "fn f(x: global f32[n], y: global f32[n]) { let a = n$0; }";
        assert_snapshot!(used(text), @r"
        Declares main.tile: fn f(x: global f32[[n]], y: global f32[n]) { let a = n; }
        Reads main.tile: fn f(x: global f32[n], y: global f32[[n]]) { let a = n; }
        Reads main.tile: fn f(x: global f32[n], y: global f32[n]) { let a = [n]; }
        ");
    }

    #[test]
    fn writes_are_told_from_reads() {
        let text = "fn f() { var a$0 = 1; a += 2; let b = a; }";
        assert_snapshot!(used(text), @r"
        Declares main.tile: fn f() { var [a] = 1; a += 2; let b = a; }
        Writes main.tile: fn f() { var a = 1; [a] += 2; let b = a; }
        Reads main.tile: fn f() { var a = 1; a += 2; let b = [a]; }
        ");
    }

    #[test]
    fn the_type_of_a_value_is_found() {
        let it = Fixture::new(
            "struct Place { m: i32 }\nfn make() -> Place { Place(m: 1) }\nfn f() { let p$0 = make(); }\n",
        );
        let found = type_declarations(&it.db, it.file, it.cursor);
        let lines: Vec<String> =
            found.iter().map(|(_, to)| shown(&it.db, to.file, to.name)).collect();
        assert_snapshot!(lines.join("\n"), @"main.tile: struct [Place] { m: i32 }");
    }

    #[test]
    fn files_of_other_folders_do_not_see_each_other() {
        let text = "//- a/one.tile\npub fn f() { }\n//- b/main.tile\nfn g() { f$0(); }\n\
                    //- b/one.tile\npub fn h() { }\n";
        assert_snapshot!(declared(text), @"");
    }
}
