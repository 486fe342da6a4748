//! Lexing: text to tokens, with comments and blank lines in a side table and errors as data.
//!
//! No byte is refused: what belongs to no token is an error here and invisible to the parser. A
//! string that its line does not end gives the brackets and separators at the line's end back, so
//! that one forgotten `"` damages one statement.

use logos::Logos;

use crate::ast::Span;
use crate::error::{SyntaxError, SyntaxErrorKind, TextEdit};
use crate::token::Token;

/// A token with its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lexeme {
    /// Which token.
    pub token: Token,
    /// Where; empty if repair put it there.
    pub span: Span,
    /// Whether it is the first on its line.
    pub first: bool,
    /// Columns of white space at the start of its line.
    pub indent: u32,
}

impl Lexeme {
    /// Whether repair put it there.
    pub fn is_virtual(&self) -> bool {
        self.span.lo == self.span.hi
    }
}

/// What a comment is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommentKind {
    /// `//`
    Plain,
    /// `///`, documents what follows.
    Doc,
    /// `//!`, documents the file.
    FileDoc,
}

/// What stands between tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trivia {
    /// A comment up to the end of its line.
    Comment {
        /// With its slashes, without the line's end.
        span: Span,
        /// What it is for.
        kind: CommentKind,
        /// Whether it stands alone on its line.
        own_line: bool,
    },
    /// One or more empty lines.
    Blank {
        /// Where the first of them begins.
        at: u32,
    },
}

impl Trivia {
    /// Its first byte.
    pub fn lo(&self) -> u32 {
        match self {
            Trivia::Comment { span, .. } => span.lo,
            Trivia::Blank { at } => *at,
        }
    }
}

/// A text in tokens.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lexed {
    /// The tokens in order.
    pub tokens: Vec<Lexeme>,
    /// Comments and blank lines in order.
    pub trivia: Vec<Trivia>,
    /// What could not be read.
    pub errors: Vec<SyntaxError>,
}

/// Reads `text` into tokens. Texts of 4 GiB and more are cut there.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, at: 0, line: Line::default(), res: Lexed::default() };
    if text.starts_with('\u{feff}') {
        lexer.at = 3;
    }
    let end = text.len().min(u32::MAX as usize - 1);
    while lexer.at < end {
        lexer.next();
    }
    lexer.res
}

/// What is known of the line that is being read.
#[derive(Default)]
struct Line {
    indent: u32,
    has_token: bool,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: Line,
    res: Lexed,
}

impl Lexer<'_> {
    fn next(&mut self) {
        let mut tokens = Token::lexer(&self.text[self.at..]);
        while let Some(token) = tokens.next() {
            let (lo, hi) = (self.at + tokens.span().start, self.at + tokens.span().end);
            let span = Span::new(lo as u32, hi as u32);
            match token {
                Ok(Token::Space) => self.space(lo, hi),
                Ok(Token::Comment) => self.comment(span),
                Ok(Token::BlockComment) => return self.block_comment(lo),
                Ok(Token::OpenStr) => return self.open_string(lo, hi),
                Ok(Token::Float) if self.after_dot(lo) => self.split_float(span),
                Ok(Token::BadNumber) => self.bad_number(span),
                Ok(token) => self.push(token, span),
                Err(()) => self.unknown(span),
            }
        }
        self.at = self.text.len();
    }

    fn push(&mut self, token: Token, span: Span) {
        let first = !self.line.has_token;
        self.line.has_token = true;
        self.res.tokens.push(Lexeme { token, span, first, indent: self.line.indent });
    }

    fn error(&mut self, kind: SyntaxErrorKind, span: Span, fix: Option<TextEdit>) {
        self.res.errors.push(SyntaxError { kind, span, expected: vec![], because: None, fix });
    }

    fn space(&mut self, lo: usize, hi: usize) {
        let space = &self.text[lo..hi];
        let Some(last) = space.rfind('\n') else {
            if !self.line.has_token && lo == 0 {
                self.line.indent = columns(space);
            }
            return;
        };
        let lines = space.bytes().filter(|&it| it == b'\n').count();
        if lines > 1 || (lo == 0 && lines > 0) {
            let first = space.find('\n').expect("`last` was found");
            self.res.trivia.push(Trivia::Blank { at: (lo + first) as u32 });
        }
        self.line = Line { indent: columns(&space[last + 1..]), has_token: false };
    }

    fn comment(&mut self, span: Span) {
        let text = &self.text[span.lo as usize..span.hi as usize];
        let kind = if text.starts_with("//!") {
            CommentKind::FileDoc
        } else if text.starts_with("///") && !text.starts_with("////") {
            CommentKind::Doc
        } else {
            CommentKind::Plain
        };
        let own_line = !self.line.has_token;
        self.res.trivia.push(Trivia::Comment { span, kind, own_line });
    }

    /// There are no block comments; what looks like one is skipped, at most to its line's end.
    fn block_comment(&mut self, lo: usize) {
        let rest = &self.text[lo..];
        let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let hi = lo + rest[..line].find("*/").map_or(line, |at| at + 2);
        let span = Span::new(lo as u32, hi as u32);
        self.error(SyntaxErrorKind::BlockComment, span, None);
        self.at = hi;
    }

    /// A string that its line does not end: `{ ; ) ,` at the line's end are not part of it.
    fn open_string(&mut self, lo: usize, hi: usize) {
        let text = &self.text[lo..hi];
        let kept = text.trim_end_matches(|it: char| it.is_whitespace() || "{;),]".contains(it));
        let end = lo + kept.len().max(1);
        let span = Span::new(lo as u32, end as u32);
        let fix = TextEdit { span: Span::new(span.hi, span.hi), text: "\"".into() };
        self.error(SyntaxErrorKind::OpenString, span, Some(fix));
        self.push(Token::Str, span);
        self.at = end;
    }

    fn after_dot(&self, lo: usize) -> bool {
        matches!(self.res.tokens.last(),
            Some(it) if it.token == Token::Dot && it.span.hi as usize == lo)
    }

    /// `t.0.1`: two fields, not a float.
    fn split_float(&mut self, span: Span) {
        let text = &self.text[span.lo as usize..span.hi as usize];
        match text.find('.') {
            Some(dot) if text[dot + 1..].bytes().all(|it| it.is_ascii_digit()) => {
                let dot = span.lo + dot as u32;
                self.push(Token::Int, Span::new(span.lo, dot));
                self.push(Token::Dot, Span::new(dot, dot + 1));
                self.push(Token::Int, Span::new(dot + 1, span.hi));
            }
            _ => self.push(Token::Float, span),
        }
    }

    fn bad_number(&mut self, span: Span) {
        self.error(SyntaxErrorKind::Number, span, None);
        let text = &self.text[span.lo as usize..span.hi as usize];
        self.push(if text.contains('.') { Token::Float } else { Token::Int }, span);
    }

    /// Neighbouring characters that belong to no token are one error.
    fn unknown(&mut self, span: Span) {
        if let Some(last) = self.res.errors.last_mut()
            && last.kind == SyntaxErrorKind::Character
            && last.span.hi == span.lo
        {
            last.span.hi = span.hi;
            if let Some(fix) = &mut last.fix {
                fix.span.hi = span.hi;
            }
            return;
        }
        let fix = TextEdit { span, text: "".into() };
        self.error(SyntaxErrorKind::Character, span, Some(fix));
    }
}

/// The width of leading white space; a tab goes to the next multiple of four.
fn columns(space: &str) -> u32 {
    space.bytes().fold(0, |at, it| if it == b'\t' { at / 4 * 4 + 4 } else { at + 1 })
}
