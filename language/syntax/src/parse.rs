//! From tokens to trees: the strict parser, and what is built from it.
//!
//! [`parse_item`] is a function of the item's text alone, spans included, so that an edit
//! elsewhere leaves its result equal.

use lalrpop_util::ParseError;
use lalrpop_util::lalrpop_mod;
use smol_str::SmolStr;

use crate::ast::{Block, Expr, ExprKind, Item, ItemKind, Span};
use crate::error::SyntaxError;
use crate::lex::{CommentKind, Lexeme, Trivia, lex};
use crate::repair;
use crate::split::chunks;
use crate::token::Token;
use crate::tree::{Body, Cx, Root, doc_text};
use crate::words::{self, Start};

lalrpop_mod!(
    #[allow(clippy::all, unreachable_pub, missing_docs, unused_qualifications)]
    #[allow(clippy::too_many_lines, clippy::str_to_string)]
    grammar
);

/// An item with what is wrong with it. Equal for equal text.
#[derive(Clone, PartialEq, Debug)]
pub struct ParsedItem {
    /// The tree; what could not be parsed is a hole in it.
    pub item: Item,
    /// Mistakes, in the order of their places, relative to the text that was parsed.
    pub errors: Vec<SyntaxError>,
}

/// A file with what is wrong with it.
#[derive(Clone, PartialEq, Debug)]
pub struct ParsedFile {
    /// Text of the `//!` lines, without the slashes, joined with newlines.
    pub docs: SmolStr,
    /// The items with the byte at which each one's text begins.
    pub items: Vec<(u32, ParsedItem)>,
    /// Mistakes between items, relative to the file.
    pub errors: Vec<SyntaxError>,
}

impl ParsedFile {
    /// All mistakes, relative to the file, in order.
    pub fn all_errors(&self) -> Vec<SyntaxError> {
        let inner = self.items.iter().flat_map(|(offset, parsed)| {
            parsed.errors.iter().map(|it| it.clone().shifted(*offset))
        });
        let mut errors: Vec<_> = self.errors.iter().cloned().chain(inner).collect();
        errors.sort_by_key(|it| it.span);
        errors
    }
}

/// Parses a file.
pub fn parse_file(text: &str) -> ParsedFile {
    let lexed = lex(text);
    let chunks = chunks(&lexed);
    let items = chunks
        .iter()
        .map(|it| (it.lo, parse_item(&text[it.lo as usize..it.hi as usize])))
        .collect();
    let outside = |it: &&SyntaxError| {
        let at = chunks.partition_point(|chunk| chunk.hi <= it.span.lo);
        chunks.get(at).is_none_or(|chunk| it.span.lo < chunk.lo)
    };
    let errors = lexed.errors.iter().filter(outside).cloned().collect();
    ParsedFile { docs: doc_text(text, &lexed.trivia, CommentKind::FileDoc), items, errors }
}

/// The item that `text` is, with the places of doc comments in it that document nothing; `None` if
/// anything is wrong with it.
pub fn read_item(text: &str) -> Option<(Item, Vec<Span>)> {
    let source = Source::new(text);
    match repair::read(&source, Token::GoItem)? {
        (Root::Item(item), stray) => Some((item, stray)),
        _ => None,
    }
}

/// Parses the text of one item, as [`crate::split()`] cuts it.
pub fn parse_item(text: &str) -> ParsedItem {
    let source = Source::new(text);
    let (root, errors) = repair::parse(&source, Token::GoItem);
    let item = match root {
        Some(Root::Item(item)) => item,
        _ => Item {
            docs: doc_text(text, &source.trivia, CommentKind::Doc),
            public: false,
            kind: ItemKind::Broken(None),
            span: source.span(),
        },
    };
    ParsedItem { item, errors }
}

/// Parses an expression that stands alone, such as the layout that `tilec layout` draws.
pub fn parse_expr(text: &str) -> (Expr, Vec<SyntaxError>) {
    let source = Source::new(text);
    let (root, errors) = repair::parse(&source, Token::GoExpr);
    let expr = match root {
        Some(Root::Expr(expr)) => expr,
        _ => Expr { kind: Box::new(ExprKind::Missing), span: source.span() },
    };
    (expr, errors)
}

/// Parses statements that stand alone, such as an example in a docstring.
pub fn parse_body(text: &str) -> (Block, Vec<SyntaxError>) {
    let source = Source::new(text);
    let (root, errors) = repair::parse(&source, Token::GoBody);
    let body = match root {
        Some(Root::Body(body)) => body,
        _ => Body::new(vec![], None),
    };
    (body.block(source.span()), errors)
}

/// A text in tokens, ready to be parsed.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Lexeme>,
    pub(crate) trivia: Vec<Trivia>,
    pub(crate) errors: Vec<SyntaxError>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let lexed = lex(text);
        Source { text, tokens: lexed.tokens, trivia: lexed.trivia, errors: lexed.errors }
    }

    /// From the first token to the last.
    pub(crate) fn span(&self) -> Span {
        match (self.tokens.first(), self.tokens.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }
}

/// Where the strict parser stopped.
#[derive(Debug)]
pub(crate) struct Stop {
    /// The index of the token that does not fit; the number of tokens if more were expected.
    pub(crate) at: usize,
    /// The tokens that would have fitted, in the grammar's spelling.
    pub(crate) expected: Vec<String>,
}

/// Parses `tokens`, whose words are resolved, as what `go` asks for.
pub(crate) fn strict(cx: &mut Cx<'_>, go: Token, tokens: &[Lexeme]) -> Result<Root, Stop> {
    // The start token takes the place of no token: its location is that of the first.
    let input = std::iter::once((0, go, 0))
        .chain(tokens.iter().enumerate().map(|(at, it)| (at, it.token, at + 1)))
        .map(Ok);
    grammar::RootParser::new().parse(cx, input).map_err(|error| match error {
        ParseError::UnrecognizedToken { token: (at, ..), expected } => Stop { at, expected },
        ParseError::UnrecognizedEof { expected, .. } => Stop { at: tokens.len(), expected },
        ParseError::ExtraToken { token: (at, ..) } => Stop { at, expected: vec![] },
        ParseError::InvalidToken { location } => Stop { at: location, expected: vec![] },
        ParseError::User { error } => match error {},
    })
}

/// Resolves the words of a whole text that is parsed as `go`.
pub(crate) fn resolve(tokens: &mut [Lexeme], go: Token) {
    let start = if go == Token::GoItem { Start::Item } else { Start::Body };
    words::resolve(tokens, start);
}
