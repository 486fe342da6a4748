//! The symbols of a file, as a tree, and those of all files, by name.

use tile_language::db::{self, Db, Package, SourceFile};
use tile_syntax::ast::{Fn, FnKind, Generic, Item, ItemKind, Name, Span};

/// A declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Symbol {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The rest of what identifies it: compile-time parameters.
    pub detail: String,
    /// All of it, in bytes of the file.
    pub span: Span,
    /// Its name, in bytes of the file.
    pub name_span: Span,
    /// What is declared inside.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SymbolKind {
    Kernel,
    Function,
    Iterator,
    Method,
    Constructor,
    Constant,
    Struct,
    Permit,
    Enum,
    Variant,
    Field,
    Impl,
    Build,
    Tune,
    Test,
    Bench,
}

/// The symbols of a file, in order.
pub fn of_file(db: &dyn Db, file: SourceFile) -> Vec<Symbol> {
    let sources = db::items(db, file).iter().zip(db::item_starts(db, file));
    let symbols = sources.filter_map(|(source, (_, start))| {
        let mut symbol = symbol(&db::parsed(db, *source).item, false)?;
        symbol.shift(*start);
        Some(symbol)
    });
    symbols.collect()
}

/// Symbols of all files whose name has the letters of `query` in their order, best first.
pub fn of_package(db: &dyn Db, query: &str, most: usize) -> Vec<(SourceFile, Symbol)> {
    let mut found = Vec::new();
    for &file in Package::get(db).files(db) {
        for symbol in of_file(db, file) {
            symbol.each(&mut |it| {
                if let Some(rank) = rank(&it.name, query) {
                    let flat = Symbol { children: Vec::new(), ..it.clone() };
                    found.push((rank, file, flat));
                }
            });
        }
    }
    found.sort_by(|a, b| (a.0, &a.2.name).cmp(&(b.0, &b.2.name)));
    found.truncate(most);
    found.into_iter().map(|(_, file, symbol)| (file, symbol)).collect()
}

/// How far a name is from what was asked for; `None` if it lacks a letter.
fn rank(name: &str, query: &str) -> Option<usize> {
    let (name, query) = (name.to_lowercase(), query.to_lowercase());
    if let Some(at) = name.find(&query) {
        return Some(at.min(1) + usize::from(name.len() != query.len()));
    }
    let mut letters = name.chars();
    query.chars().all(|wanted| letters.any(|it| it == wanted)).then_some(3)
}

impl Symbol {
    fn shift(&mut self, by: u32) {
        self.span = self.span.shifted(by);
        self.name_span = self.name_span.shifted(by);
        self.children.iter_mut().for_each(|it| it.shift(by));
    }

    fn each(&self, f: &mut impl FnMut(&Symbol)) {
        f(self);
        self.children.iter().for_each(|it| it.each(f));
    }
}

fn symbol(item: &Item, is_member: bool) -> Option<Symbol> {
    let mut children = Vec::new();
    let (name, kind, generics): (&Name, SymbolKind, &[Generic]) = match &item.kind {
        ItemKind::Const(it) => (&it.name, SymbolKind::Constant, &[]),
        ItemKind::Struct(it) | ItemKind::Permit(it) => {
            let fields = it
                .fields
                .iter()
                .map(|it| leaf(&it.name, SymbolKind::Field, it.name.span.to(it.ty.span)));
            children.extend(fields);
            let is_permit = matches!(item.kind, ItemKind::Permit(_));
            let kind = if is_permit { SymbolKind::Permit } else { SymbolKind::Struct };
            (&it.name, kind, &it.generics)
        }
        ItemKind::Enum(it) => {
            let variants = it.variants.iter();
            children.extend(variants.map(|it| leaf(&it.0, SymbolKind::Variant, it.0.span)));
            (&it.name, SymbolKind::Enum, &[])
        }
        ItemKind::Impl(it) => {
            children.extend(it.members.iter().filter_map(|it| symbol(it, true)));
            (&it.name, SymbolKind::Impl, &it.generics)
        }
        ItemKind::Fn(it) | ItemKind::Kernel(it) => {
            (&it.name, kind_of_function(it, is_member), &it.generics)
        }
        ItemKind::Build(it) => (&it.name, SymbolKind::Build, &[]),
        ItemKind::Tune(it) => return Some(titled("tune", SymbolKind::Tune, item, it.kernel.span)),
        ItemKind::Test(it) => {
            return Some(titled(&it.title, SymbolKind::Test, item, it.title_span));
        }
        ItemKind::Bench(it) => {
            return Some(titled(&it.title, SymbolKind::Bench, item, it.title_span));
        }
        ItemKind::Broken(Some(name)) => (name, SymbolKind::Function, &[]),
        ItemKind::Use(_) | ItemKind::Broken(None) => return None,
    };
    let mut res = leaf(name, kind, item.span);
    res.children = children.into_iter().filter(|it| !it.name.is_empty()).collect();
    res.detail = detail(generics);
    (!res.name.is_empty()).then_some(res)
}

fn kind_of_function(it: &Fn, is_member: bool) -> SymbolKind {
    match it.kind {
        FnKind::Kernel => SymbolKind::Kernel,
        FnKind::Iter => SymbolKind::Iterator,
        FnKind::Init => SymbolKind::Constructor,
        FnKind::Fn if is_member => SymbolKind::Method,
        FnKind::Fn => SymbolKind::Function,
    }
}

fn leaf(name: &Name, kind: SymbolKind, span: Span) -> Symbol {
    let span = span.to(name.span);
    let (name, name_span) = (name.text.to_string(), name.span);
    Symbol { name, kind, detail: String::new(), span, name_span, children: Vec::new() }
}

fn titled(title: &str, kind: SymbolKind, item: &Item, name_span: Span) -> Symbol {
    let name = if title.is_empty() { "\"\"".to_owned() } else { title.to_owned() };
    let span = item.span.to(name_span);
    Symbol { name, kind, detail: String::new(), span, name_span, children: Vec::new() }
}

fn detail(generics: &[Generic]) -> String {
    let names: Vec<&str> = generics.iter().map(|it| it.name.text.as_str()).collect();
    if names.is_empty() { String::new() } else { format!("[{}]", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    fn lines(fixture: &Fixture, symbols: &[Symbol], depth: usize, out: &mut String) {
        for it in symbols {
            let name = fixture.slice(it.name_span);
            let indent = "  ".repeat(depth);
            out.push_str(&format!("{indent}{:?} {name}{}\n", it.kind, it.detail));
            lines(fixture, &it.children, depth + 1, out);
        }
    }

    #[test]
    fn declarations_stand_in_a_tree() {
        let fixture = Fixture::new(
            "/// A place.\nstruct Place { m: i32, n: i32 }\nimpl Place { fn up(self) { } }\n\
             enum Way { there, back }\nkernel k[B: int = 4](x: global mut f32[n]) grid [n] warps 1 { }\n\
             test \"it works\" { }\n",
        );
        let mut out = String::new();
        lines(&fixture, &of_file(&fixture.db, fixture.file), 0, &mut out);
        assert_snapshot!(out, @r#"
        Struct Place
          Field m
          Field n
        Impl Place
          Method up
        Enum Way
          Variant there
          Variant back
        Kernel k[B]
        Test "it works"
        "#);
    }

    #[test]
    fn the_nearest_name_is_first() {
        let fixture =
            Fixture::new("fn add_all() { }\nfn add() { }\nfn a_b_d() { }\nfn sub() { }\n");
        let found = of_package(&fixture.db, "add", 9);
        let own: Vec<&str> =
            found.iter().filter(|it| it.0 == fixture.file).map(|it| it.1.name.as_str()).collect();
        assert_eq!(own, ["add", "add_all"]);
    }
}
