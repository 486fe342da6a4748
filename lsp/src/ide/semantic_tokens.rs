//! What each word of a text is, for colours that know more than a grammar.
//!
//! Tokens give keywords, numbers, strings and comments; the mentions of an item give what its names
//! mean. A name whose meaning is not known is left to the editor's grammar.

use rustc_hash::FxHashMap;
use tile_language::db::{self, Db, SourceFile};
use tile_language::names::mentions::{self, Access, LocalKind, Meaning};
use tile_syntax::ast::{FnKind, ItemKind, Span};
use tile_syntax::{Token, Trivia, lex};

macro_rules! legend {
    ($(#[$doc:meta])* $name:ident, $all:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum $name { $($variant,)* }

        /// What clients call them, in order.
        pub const $all: &[&str] = &[$($text),*];
    };
}

legend! {
    /// What a word is. All but `space` are the protocol's own.
    Kind, KINDS {
        Comment = "comment",
        Keyword = "keyword",
        Number = "number",
        String = "string",
        Operator = "operator",
        Namespace = "namespace",
        Type = "type",
        Struct = "struct",
        Enum = "enum",
        EnumMember = "enumMember",
        TypeParameter = "typeParameter",
        Parameter = "parameter",
        Variable = "variable",
        Property = "property",
        Function = "function",
        Method = "method",
        Space = "space",
    }
}

legend! {
    /// What else is known of it; bits of a set in this order.
    Modifier, MODIFIERS {
        Declaration = "declaration",
        Readonly = "readonly",
        Static = "static",
        Modification = "modification",
        Documentation = "documentation",
        DefaultLibrary = "defaultLibrary",
        Kernel = "kernel",
    }
}

/// A word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Word {
    /// Where, in bytes of the file. Never over the end of a line.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
    /// A bit for each [`Modifier`].
    pub modifiers: u32,
}

/// The words of a file that begin in `range`, in order; they do not overlap.
pub fn words(db: &dyn Db, file: SourceFile, range: Span) -> Vec<Word> {
    let mut found = Vec::new();
    for (source, (_, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        let len = source.text(db).len() as u32;
        if *start < range.hi && range.lo < start + len {
            let words = of_item(db, file, *source).iter();
            found.extend(words.map(|it| Word { span: it.span.shifted(*start), ..*it }));
        }
    }
    found.extend(comments_between(db, file));
    found.retain(|it| range.lo <= it.span.lo && it.span.lo < range.hi);
    found.sort_unstable();
    found.dedup_by_key(|it| it.span.lo);
    found
}

/// The words of an item, relative to it.
#[salsa::tracked(returns(ref))]
fn of_item<'db>(db: &'db dyn Db, file: SourceFile, source: db::ItemSource<'db>) -> Vec<Word> {
    let lexed = lex(source.text(db));
    let names = names(db, file, source);
    let mut found: Vec<Word> = lexed.trivia.iter().filter_map(comment).collect();
    for (n, it) in lexed.tokens.iter().enumerate() {
        let around = (n.checked_sub(1).map(|n| lexed.tokens[n].token), lexed.tokens.get(n + 1));
        let word = match names.get(&it.span.lo).filter(|_| it.token.is_word()) {
            Some(name) => Some(*name),
            None => kind_in_place(it.token, around.0, around.1.map(|it| it.token))
                .map(|kind| Word { span: it.span, kind, modifiers: 0 }),
        };
        found.extend(word);
    }
    found.sort_unstable();
    found
}

fn comments_between(db: &dyn Db, file: SourceFile) -> Vec<Word> {
    let starts = db::item_starts(db, file);
    let ends = db::items(db, file).iter().zip(starts);
    let inside: Vec<Span> = ends
        .map(|(source, (_, start))| Span::new(*start, *start + source.text(db).len() as u32))
        .collect();
    let lexed = lex(file.text(db));
    let is_between = |it: &Word| {
        let next = inside.partition_point(|item| item.hi <= it.span.lo);
        inside.get(next).is_none_or(|item| it.span.lo < item.lo)
    };
    lexed.trivia.iter().filter_map(comment).filter(is_between).collect()
}

fn comment(it: &Trivia) -> Option<Word> {
    let Trivia::Comment { span, kind, .. } = it else { return None };
    let is_doc = *kind != tile_syntax::CommentKind::Plain;
    let modifiers = if is_doc { bit(Modifier::Documentation) } else { 0 };
    Some(Word { span: *span, kind: Kind::Comment, modifiers })
}

fn bit(it: Modifier) -> u32 {
    1 << it as u32
}

/// What a token is between its neighbours: a word before a colon names an argument, one after a dot a
/// field, whatever it is elsewhere.
fn kind_in_place(token: Token, before: Option<Token>, after: Option<Token>) -> Option<Kind> {
    match (before, after) {
        (Some(Token::Dot), _) if token.is_word() => Some(Kind::Property),
        (Some(Token::LParen | Token::Comma | Token::LBracket), Some(Token::Colon))
            if token.is_word() =>
        {
            Some(Kind::Parameter)
        }
        _ => kind_of_token(token),
    }
}

fn kind_of_token(token: Token) -> Option<Kind> {
    use Token::*;
    match token {
        Int | Float | BadNumber => Some(Kind::Number),
        Str | OpenStr => Some(Kind::String),
        Global | Shared | Tmem | Tiles | Peers | Workspace => Some(Kind::Space),
        Name => None,
        it if it.is_word() => Some(Kind::Keyword),
        Path | Dot | Comma | Semi | Colon | LParen | RParen | LBracket | RBracket | LBrace
        | RBrace => None,
        it if it.is_written() => Some(Kind::Operator),
        _ => None,
    }
}

/// The names of an item by their first bytes. Of several meanings the first that has a colour counts.
fn names<'db>(
    db: &'db dyn Db,
    file: SourceFile,
    source: db::ItemSource<'db>,
) -> FxHashMap<u32, Word> {
    let mentions = mentions::mentions(db, file, source);
    let mut found = FxHashMap::default();
    for it in &mentions.list {
        let Some((kind, mut modifiers)) = class(db, mentions, &it.means) else { continue };
        modifiers |= match it.access {
            Access::Declares => bit(Modifier::Declaration),
            Access::Writes => bit(Modifier::Modification),
            Access::Reads | Access::Calls | Access::Labels => 0,
        };
        found.entry(it.span.lo).or_insert(Word { span: it.span, kind, modifiers });
    }
    found
}

fn class(db: &dyn Db, own: &mentions::Mentions, means: &Meaning) -> Option<(Kind, u32)> {
    let readonly = bit(Modifier::Readonly);
    let library = |key: &tile_language::ir::ItemKey| {
        let is_library = db::file(db, key.file).is_some_and(|it| it.folder(db) == "std");
        if is_library { bit(Modifier::DefaultLibrary) } else { 0 }
    };
    Some(match means {
        Meaning::Local(_, n) => match own.locals.get(*n as usize).map(|it| it.kind) {
            Some(LocalKind::Var) => (Kind::Variable, 0),
            Some(LocalKind::Const) => (Kind::Variable, readonly | bit(Modifier::Static)),
            Some(LocalKind::Let | LocalKind::Pattern | LocalKind::Size) | None => {
                (Kind::Variable, readonly)
            }
        },
        Meaning::Param { item, member, name } => {
            (kind_of_parameter(db, item, *member, name), readonly)
        }
        Meaning::Item(key) => {
            let (kind, modifiers) = kind_of_item(db, key)?;
            (kind, modifiers | library(key))
        }
        Meaning::Member(key, n) => {
            let tree = db::item(db, key)?;
            let ItemKind::Impl(it) = &tree.kind else { return None };
            match &it.members.get(*n as usize)?.kind {
                ItemKind::Const(_) => (Kind::Variable, readonly | bit(Modifier::Static)),
                _ => (Kind::Method, library(key)),
            }
        }
        Meaning::Field(key, _) => (Kind::Property, library(key)),
        Meaning::Variant(key, _) => (Kind::EnumMember, library(key)),
        Meaning::Module(_) => (Kind::Namespace, 0),
        Meaning::Builtin(_) => (Kind::Function, bit(Modifier::DefaultLibrary)),
        Meaning::Word => (Kind::Type, bit(Modifier::DefaultLibrary)),
    })
}

fn kind_of_parameter(
    db: &dyn Db,
    item: &tile_language::ir::ItemKey,
    member: Option<u32>,
    name: &str,
) -> Kind {
    let Some(tree) = db::item(db, item) else { return Kind::Parameter };
    let generics = match (&tree.kind, member) {
        (ItemKind::Fn(it) | ItemKind::Kernel(it), None) => &it.generics,
        (ItemKind::Impl(it), Some(n)) => match it.members.get(n as usize).map(|it| &it.kind) {
            Some(ItemKind::Fn(it)) => &it.generics,
            _ => return Kind::Parameter,
        },
        _ => return Kind::TypeParameter,
    };
    let is_generic = generics.iter().any(|it| it.name.text == name);
    if is_generic { Kind::TypeParameter } else { Kind::Parameter }
}

fn kind_of_item(db: &dyn Db, key: &tile_language::ir::ItemKey) -> Option<(Kind, u32)> {
    Some(match &db::item(db, key)?.kind {
        ItemKind::Const(_) => (Kind::Variable, bit(Modifier::Readonly) | bit(Modifier::Static)),
        ItemKind::Struct(_) | ItemKind::Permit(_) => (Kind::Struct, 0),
        ItemKind::Enum(_) => (Kind::Enum, 0),
        ItemKind::Kernel(_) | ItemKind::Build(_) => (Kind::Function, bit(Modifier::Kernel)),
        ItemKind::Fn(it) if it.kind == FnKind::Init => (Kind::Method, 0),
        ItemKind::Fn(_) => (Kind::Function, 0),
        ItemKind::Use(_)
        | ItemKind::Impl(_)
        | ItemKind::Tune(_)
        | ItemKind::Test(_)
        | ItemKind::Bench(_)
        | ItemKind::Broken(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn words_are_what_they_mean() {
        let it = Fixture::new(
            "// note\nuse std::softmax::Online;\n/// Doubles.\nkernel k[B: int = 4](x: global mut f32[n])\n    \
             grid [n]\n    warps 1\n{\n    var a = x.at(0);\n    a = exp(B);\n}\n",
        );
        let all = Span::new(0, it.text().len() as u32);
        let shown = words(&it.db, it.file, all).into_iter().map(|word| {
            let set = MODIFIERS.iter().enumerate().filter(|(n, _)| word.modifiers >> n & 1 == 1);
            let set: String = set.map(|(_, name)| format!(" {name}")).collect();
            format!("{} = {}{set}", it.slice(word.span), KINDS[word.kind as usize])
        });
        let shown: Vec<String> = shown.filter(|it| !it.ends_with("operator")).collect();
        assert_snapshot!(shown.join("\n"), @r"
        // note = comment
        use = keyword
        softmax = namespace
        Online = struct defaultLibrary
        /// Doubles. = comment documentation
        kernel = keyword
        k = function declaration kernel
        B = typeParameter declaration readonly
        int = type defaultLibrary
        4 = number
        x = parameter declaration readonly
        global = space
        mut = keyword
        f32 = type defaultLibrary
        n = variable declaration readonly
        grid = keyword
        n = variable readonly
        warps = keyword
        1 = number
        var = keyword
        a = variable declaration
        x = parameter readonly
        at = function defaultLibrary
        0 = number
        a = variable modification
        exp = function defaultLibrary
        B = typeParameter readonly
        ");
    }

    #[test]
    fn a_word_that_names_an_argument_or_a_field_is_no_keyword() {
        let it = Fixture::new(
            "const L = blocked(regs: [4], lanes: [32], warps: [4]);\nfn f(c: Cfg) -> int { c.warps }\n",
        );
        let all = Span::new(0, it.text().len() as u32);
        let found = words(&it.db, it.file, all).into_iter();
        let reserved = found.filter(|word| ["regs", "warps"].contains(&it.slice(word.span)));
        let kinds: Vec<&str> = reserved.map(|it| KINDS[it.kind as usize]).collect();
        assert_eq!(kinds, ["parameter", "parameter", "property"]);
    }
}
