//! What is wanted at the cursor.
//!
//! The item is read with a made-up name in place of the word at the cursor; where that name ended up
//! in the tree is the answer. What the tree does not hold (a head without a body, an item without
//! its keyword) is seen in the tokens before.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_language::db::{self, Db, SourceFile};
use tile_language::ir::ItemKey;
use tile_syntax::ast::{
    ClauseKind, Expr, ExprKind, Generic, Item, ItemKind, Param, Pattern, Span, UseTree,
};
use tile_syntax::{Lexeme, Token, lex};

use crate::ide::syntax::{self, ItemAt, Visitor};

/// The made-up name.
const MADE_UP: &str = "__completed_here";

/// What is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Site {
    /// A new name, a number, a comment: nothing that could be offered.
    Nothing,
    /// A new item.
    Items,
    /// A member of what ends at this byte of the item.
    Members {
        /// The byte.
        end: u32,
    },
    /// The rest of a path.
    Path(Vec<SmolStr>),
    /// The rest of the path of a `use`.
    Use(Vec<SmolStr>),
    /// After `requires`.
    Capabilities,
    /// After `for` in the head of a `build` or a test.
    Targets,
    /// After `on` in the head of a test.
    Engines,
    /// Between the parameters of a function and its body.
    Clauses,
    /// After the span of a loop.
    Notes,
    /// A type.
    Type,
    /// After `@`, for what ends at this byte of the item.
    Layout {
        /// The byte.
        end: u32,
    },
    /// Where a statement begins.
    Statement,
    /// A value.
    Expression,
}

/// The cursor with what is around it.
pub(super) struct Context {
    /// The word at the cursor, in bytes of the file.
    pub(super) word: Span,
    /// What is wanted there.
    pub(super) site: Site,
    /// The item, read with the made-up name; `at` is the word's first byte.
    pub(super) item: Option<ItemAt>,
    /// Whether the item is a kernel.
    pub(super) in_kernel: bool,
}

impl Context {
    /// What is wanted at a byte of a file.
    pub(super) fn at(db: &dyn Db, file: SourceFile, byte: u32) -> Context {
        let text = file.text(db);
        let word = word_around(text, byte);
        let nothing = |site| Context { word, site, item: None, in_kernel: false };
        let Some((key, start, own)) = item_before(db, file, word.lo) else {
            return nothing(Site::Items);
        };
        let at = word.lo - start;
        let before = &text[start as usize..word.lo as usize];
        let after = own.get((word.hi - start) as usize..).unwrap_or_default();
        let word_text = &text[word.lo as usize..word.hi as usize];
        if is_in_text(&format!("{before}{word_text}{after}"), at) {
            return nothing(Site::Nothing);
        }
        let tokens = lex(before).tokens;
        let tree = Arc::new(read(before, after, &tokens));
        let in_kernel = leads_with(&tokens, Token::Kernel);
        let site = by_tokens(&tokens, before)
            .or_else(|| by_tree(&tree))
            .unwrap_or_else(|| statement_or_value(&tokens));
        Context { word, site, item: Some(ItemAt { key, start, at, tree }), in_kernel }
    }

    /// The word at the cursor.
    pub(super) fn word_text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.word.lo as usize..self.word.hi as usize]
    }
}

/// The item with the made-up name. While its head is written, nothing follows that would close its brackets
/// or be its body; then it is read as if they stood there.
fn read(before: &str, after: &str, tokens: &[Lexeme]) -> Item {
    let made = tile_syntax::parse_item(&format!("{before}{MADE_UP}{after}"));
    if made.errors.is_empty() || tokens.iter().any(|it| it.token == Token::LBrace) {
        return made.item;
    }
    let mut open: Vec<Token> = Vec::new();
    for it in tokens {
        open.extend(it.token.closer());
        if open.last() == Some(&it.token) {
            open.pop();
        }
    }
    let closers: String = open.iter().rev().map(|it| it.text()).collect();
    let closed = tile_syntax::parse_item(&format!("{before}{MADE_UP}{closers} {{ }}"));
    if closed.errors.len() < made.errors.len() { closed.item } else { made.item }
}

/// The letters around a byte.
fn word_around(text: &str, byte: u32) -> Span {
    let at = byte as usize;
    let is_letter = |it: char| it.is_alphanumeric() || it == '_';
    let lo = text[..at].trim_end_matches(is_letter).len();
    let hi = text.len() - text[at..].trim_start_matches(is_letter).len();
    Span::new(lo as u32, hi as u32)
}

/// The item that a byte stands in or after, with its first byte and its text; `None` if that item is
/// complete before the byte.
fn item_before(db: &dyn Db, file: SourceFile, byte: u32) -> Option<(ItemKey, u32, &str)> {
    let starts = db::item_starts(db, file);
    let (key, start) = starts.iter().rev().find(|it| it.1 <= byte)?;
    let before = file.text(db).get(*start as usize..byte as usize)?;
    let tokens = lex(before).tokens;
    let is_over = depth(&tokens) == 0
        && tokens.last().is_some_and(|it| matches!(it.token, Token::RBrace | Token::Semi));
    let text = db::item_source(db, key)?.text(db);
    (!is_over).then_some((key.clone(), *start, text.as_str()))
}

fn depth(tokens: &[Lexeme]) -> usize {
    tokens.iter().fold(0usize, |depth, it| {
        (depth + usize::from(it.token.is_opener()))
            .saturating_sub(usize::from(it.token.is_closer()))
    })
}

/// Whether a byte stands in a comment, a string or a number.
fn is_in_text(text: &str, at: u32) -> bool {
    let line = text[..at as usize].rfind('\n').map_or(0, |it| it + 1);
    let before = &text[line..at as usize];
    let in_comment =
        lex(before).trivia.iter().any(|it| matches!(it, tile_syntax::Trivia::Comment { .. }));
    let tokens = lex(text).tokens;
    let inside = tokens.iter().find(|it| it.span.lo < at && at < it.span.hi + 1);
    in_comment
        || inside.is_some_and(|it| match it.token {
            Token::Str | Token::OpenStr => at < it.span.hi || it.token == Token::OpenStr,
            Token::Int | Token::Float | Token::BadNumber => true,
            _ => false,
        })
        || text[at as usize..].starts_with(|it: char| it.is_ascii_digit())
}

fn leads_with(tokens: &[Lexeme], wanted: Token) -> bool {
    tokens.iter().map(|it| it.token).find(|it| *it != Token::Pub) == Some(wanted)
}

/// What the tokens before the word say by themselves.
fn by_tokens(tokens: &[Lexeme], text: &str) -> Option<Site> {
    let only_pub = tokens.iter().all(|it| it.token == Token::Pub);
    if only_pub {
        return Some(Site::Items);
    }
    let (last, before) = tokens.split_last()?;
    match last.token {
        Token::Dot => {
            return Some(
                before.last().map_or(Site::Nothing, |it| Site::Members { end: it.span.hi }),
            );
        }
        Token::At => {
            return Some(
                before.last().map_or(Site::Nothing, |it| Site::Layout { end: it.span.hi }),
            );
        }
        // What these declare is a new name.
        Token::Let
        | Token::Var
        | Token::Const
        | Token::Fn
        | Token::Kernel
        | Token::Struct
        | Token::Enum => return Some(Site::Nothing),
        Token::For if depth(tokens) > 0 => return Some(Site::Nothing),
        _ => {}
    }
    if leads_with(tokens, Token::Use) {
        return Some(Site::Use(use_path(tokens, text)));
    }
    if last.token == Token::Path {
        return Some(Site::Path(path_before(before, text)));
    }
    head(tokens)
}

/// A word between the head of an item and its body.
fn head(tokens: &[Lexeme]) -> Option<Site> {
    if depth(tokens) != 0 || tokens.iter().any(|it| it.token == Token::LBrace) {
        return loop_head(tokens);
    }
    let first = tokens.iter().map(|it| it.token).find(|it| *it != Token::Pub)?;
    let last_word =
        tokens.iter().rev().map(|it| it.token).find(|it| it.is_word() && *it != Token::Name)?;
    let last = tokens.last()?.token;
    match first {
        Token::Kernel | Token::Fn | Token::Iter => {
            let has_params = tokens.iter().any(|it| it.token == Token::RParen);
            let ends = matches!(last, Token::RParen | Token::RBracket | Token::Name | Token::Int);
            if last_word == Token::Requires && matches!(last, Token::Requires | Token::Comma) {
                Some(Site::Capabilities)
            } else if has_params && ends {
                Some(Site::Clauses)
            } else {
                None
            }
        }
        Token::Build | Token::Test | Token::Bench => match (last_word, last) {
            (Token::For, Token::For | Token::Comma) => Some(Site::Targets),
            (Token::On, Token::On | Token::Comma) => Some(Site::Engines),
            _ => None,
        },
        _ => None,
    }
}

/// A word between the span of a loop and its body.
fn loop_head(tokens: &[Lexeme]) -> Option<Site> {
    let from = tokens
        .iter()
        .rposition(|it| matches!(it.token, Token::Semi | Token::LBrace | Token::RBrace))?;
    let own = &tokens[from + 1..];
    let is_loop = own.iter().take(2).any(|it| it.token == Token::For)
        && own.iter().any(|it| it.token == Token::In);
    let last = own.last()?.token;
    let ends = matches!(last, Token::Name | Token::Int | Token::RParen | Token::RBracket);
    (is_loop && ends && depth(own) == 0).then_some(Site::Notes)
}

fn path_before(tokens: &[Lexeme], text: &str) -> Vec<SmolStr> {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [before @ .., last] = rest
        && last.token.is_word()
    {
        path.insert(0, SmolStr::new(&text[last.span.lo as usize..last.span.hi as usize]));
        match before {
            [more @ .., it] if it.token == Token::Path => rest = more,
            _ => break,
        }
    }
    path
}

/// The path of a `use` up to the cursor, groups included.
fn use_path(tokens: &[Lexeme], text: &str) -> Vec<SmolStr> {
    let (mut path, mut outer): (Vec<SmolStr>, Vec<usize>) = (Vec::new(), Vec::new());
    for it in tokens.iter().filter(|it| !matches!(it.token, Token::Pub | Token::Use)) {
        match it.token {
            Token::LBrace => outer.push(path.len()),
            Token::RBrace => drop(outer.pop()),
            Token::Comma => path.truncate(outer.last().copied().unwrap_or(0)),
            token if token.is_word() => {
                path.push(SmolStr::new(&text[it.span.lo as usize..it.span.hi as usize]));
            }
            _ => {}
        }
    }
    path
}

/// Where the made-up name stands in the tree.
fn by_tree(tree: &Item) -> Option<Site> {
    if let ItemKind::Use(it) = &tree.kind {
        return names_it(it).then_some(Site::Use(Vec::new()));
    }
    let mut finder = Finder { found: None };
    syntax::walk(tree, &mut finder);
    let ItemKind::Kernel(it) = &tree.kind else { return finder.found };
    let in_clause = it.clauses.iter().any(|it| match &it.kind {
        ClauseKind::Requires(caps) => caps.iter().any(|it| it.text == MADE_UP),
        _ => false,
    });
    if in_clause { Some(Site::Capabilities) } else { finder.found }
}

fn names_it(it: &UseTree) -> bool {
    it.path.iter().any(|it| it.text == MADE_UP) || it.group.iter().any(names_it)
}

struct Finder {
    found: Option<Site>,
}

impl Finder {
    fn ty(&mut self, ty: Option<&Expr>) {
        if ty.is_some_and(is_made_up) {
            self.found = Some(Site::Type);
        }
    }
}

impl<'t> Visitor<'t> for Finder {
    fn expr(&mut self, expr: &'t Expr) {
        match &*expr.kind {
            ExprKind::At(of, layout) if is_made_up(layout) => {
                self.found = Some(Site::Layout { end: of.span.hi });
            }
            ExprKind::Memory(it) if is_made_up(&it.ty) => self.found = Some(Site::Type),
            ExprKind::Memory(it) => {
                if let ExprKind::Bracket(base, _) = &*it.ty.kind
                    && is_made_up(base)
                {
                    self.found = Some(Site::Type);
                }
            }
            _ => {}
        }
    }

    fn binding(&mut self, pattern: &'t Pattern, ty: Option<&'t Expr>, _value: Option<&'t Expr>) {
        self.ty(ty);
        if matches!(&pattern.kind, tile_syntax::ast::PatternKind::Name(it) if it.text == MADE_UP) {
            self.found = Some(Site::Nothing);
        }
    }

    fn generic(&mut self, it: &'t Generic) {
        self.ty(it.ty.as_ref());
    }

    fn param(&mut self, it: &'t Param) {
        self.ty(it.ty.as_ref());
    }
}

fn is_made_up(expr: &Expr) -> bool {
    matches!(&*expr.kind, ExprKind::Path(path) if path.len() == 1 && path[0].text == MADE_UP)
}

fn statement_or_value(tokens: &[Lexeme]) -> Site {
    match tokens.last().map(|it| it.token) {
        Some(Token::LBrace | Token::RBrace | Token::Semi) => Site::Statement,
        _ => Site::Expression,
    }
}
