//! Repair: a tree for every text.
//!
//! Brackets first ([`crate::brackets`]), then the depth ([`crate::depth`]), then as long as the
//! strict parser stops: the cheapest *single* edit after which the whole text parses; else edits and
//! ways to finish on the [region](crate::region) alone; else a hole in the region's place. Every
//! round mends what the parser stopped at, so the number of rounds is bounded.
//!
//! Every token that the parser takes on the way is counted: past a bound the item is given up.
//!
//! Repair works on tokens. Those that it makes up are empty and stand at the end of the token
//! before them; changes at one place are one mistake.

use std::cell::Cell;

use smol_str::SmolStr;

use crate::ast::Span;
use crate::brackets;
use crate::depth;
use crate::error::{Because, Expected, SyntaxError, SyntaxErrorKind, TextEdit, Unreadable};
use crate::expected;
use crate::lex::Lexeme;
use crate::parse::{Source, Stop, resolve, strict};
use crate::region;
use crate::token::Token;
use crate::tree::{Cx, Root};

/// After so many rounds the item is given up.
const ROUNDS_MAX: usize = 48;

/// How often repair may look at every token of an item, on top of [`LOOKS_MIN`]; then the item is given up.
const LOOKS_PER_TOKEN: u64 = 256;

/// How many looks even the smallest item has: tokens, counted each time that the parser takes one.
const LOOKS_MIN: u64 = 1 << 20;

/// What `source` is, if it is what `go` asks for and nothing is wrong with it, with the doc comments that
/// document nothing.
pub(crate) fn read(source: &Source<'_>, go: Token) -> Option<(Root, Vec<Span>)> {
    if !source.errors.is_empty() {
        return None;
    }
    let work = Work::new(source, go);
    if !work.changes.is_empty() {
        return None;
    }
    let mut cx = Cx::new(source.text, &work.tokens, &source.trivia);
    let root = strict(&mut cx, go, &work.tokens).ok()?;
    let stray = cx.stray_docs();
    cx.errors.is_empty().then_some((root, stray))
}

/// How many tokens repair looks at for the item `text`, and how many it may: the first is never larger.
pub fn mending_work(text: &str) -> (u64, u64) {
    let source = Source::new(text);
    let mut work = Work::new(&source, Token::GoItem);
    let most = work.looks.get();
    work.run(&mut Vec::new());
    (most - work.looks.get(), most)
}

/// Parses `source` as what `go` asks for, mending what is broken. `None` if nothing helped.
pub(crate) fn parse(source: &Source<'_>, go: Token) -> (Option<Root>, Vec<SyntaxError>) {
    let mut work = Work::new(source, go);
    let mut errors = source.errors.clone();
    let root = work.run(&mut errors);
    let holes = characters(&source.errors);
    let found = report(source.text, work.changes);
    errors.extend(found.into_iter().filter(|it| !beside(source.text, &holes, it.span)));
    errors.sort_by_key(|it| (it.span.lo, it.span.hi));
    (root, errors)
}

/// Where characters were left out that begin no token.
fn characters(errors: &[SyntaxError]) -> Vec<Span> {
    let left_out = |it: &&SyntaxError| it.kind == SyntaxErrorKind::Character;
    errors.iter().filter(left_out).map(|it| it.span).collect()
}

/// Whether only blanks stand between `span` and a hole: what is wrong there is the hole's doing.
fn beside(text: &str, holes: &[Span], span: Span) -> bool {
    let blank =
        |lo: u32, hi: u32| lo <= hi && text[lo as usize..hi as usize].bytes().all(|it| it == b' ');
    holes.iter().any(|it| blank(it.hi, span.lo) || blank(span.hi, it.lo))
}

/// What repair did at one place.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) span: Span,
    pub(crate) expected: Vec<Expected>,
    pub(crate) because: Option<Because>,
    /// For a missing `}`: the indentation of the line that it would stand on.
    indent: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) enum ChangeKind {
    Missing(Token, Expected),
    Stray,
    Instead(Token),
    Unreadable(Unreadable),
    TooDeep,
    Foreign(Token),
}

impl Change {
    pub(crate) fn new(kind: ChangeKind, span: Span) -> Change {
        Change { kind, span, expected: vec![], because: None, indent: None }
    }

    pub(crate) fn missing(
        at: u32,
        token: Token,
        because: Option<Because>,
        indent: Option<u32>,
    ) -> Change {
        let kind = ChangeKind::Missing(token, class(token));
        Change { because, indent, ..Change::new(kind, Span::new(at, at)) }
    }

    pub(crate) fn stray(it: Lexeme) -> Change {
        Change::new(ChangeKind::Stray, it.span)
    }

    pub(crate) fn too_deep(span: Span) -> Change {
        Change::new(ChangeKind::TooDeep, span)
    }
}

/// Tokens on their way to being parsable.
pub(crate) struct Work<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) go: Token,
    pub(crate) tokens: Vec<Lexeme>,
    pub(crate) changes: Vec<Change>,
    /// How many tokens may still be looked at.
    looks: Cell<u64>,
}

impl<'a> Work<'a> {
    fn new(source: &'a Source<'a>, go: Token) -> Work<'a> {
        let mut tokens = source.tokens.clone();
        let mut changes = vec![];
        if !brackets::is_balanced(&tokens) {
            (tokens, changes) = brackets::mend(&tokens);
        }
        let (mut tokens, deep) = depth::limit(tokens);
        changes.extend(deep);
        resolve(&mut tokens, go);
        let looks = Cell::new(LOOKS_MIN + LOOKS_PER_TOKEN * tokens.len() as u64);
        Work { source, go, tokens, changes, looks }
    }

    fn run(&mut self, errors: &mut Vec<SyntaxError>) -> Option<Root> {
        for _ in 0..ROUNDS_MAX {
            let mut cx = Cx::new(self.source.text, &self.tokens, &self.source.trivia);
            if !self.look(self.tokens.len()) {
                break;
            }
            match strict(&mut cx, self.go, &self.tokens) {
                Ok(root) => {
                    errors.append(&mut cx.errors);
                    return Some(root);
                }
                Err(stop) if !self.mend(&stop) => break,
                Err(_) => {}
            }
        }
        self.changes.push(Change::new(
            ChangeKind::Unreadable(Unreadable::Item),
            self.tokens.first().map_or(Span::default(), |it| it.span),
        ));
        None
    }

    /// Changes the tokens so that the parser gets past `stop`. `false` if nothing is left to try.
    fn mend(&mut self, stop: &Stop) -> bool {
        let edits = single_edits(&self.tokens, stop);
        let whole = |tokens: &[Lexeme]| self.parses(self.go, tokens);
        let found = edits.iter().find(|it| whole(&apply(&self.tokens, std::slice::from_ref(*it))));
        if let Some(edit) = found.cloned() {
            self.accept(vec![edit], stop);
            return true;
        }
        region::mend(self, stop)
    }

    /// Whether `tokens` parse as what `go` asks for.
    pub(crate) fn parses(&self, go: Token, tokens: &[Lexeme]) -> bool {
        self.stop(go, tokens).is_none()
    }

    /// Where the strict parser stops in `tokens`; at the first if there were too many looks.
    pub(crate) fn stop(&self, go: Token, tokens: &[Lexeme]) -> Option<Stop> {
        if !self.look(tokens.len()) {
            return Some(Stop { at: 0, expected: Vec::new() });
        }
        strict(&mut Cx::new(self.source.text, tokens, &self.source.trivia), go, tokens).err()
    }

    /// Counts a look at so many tokens; `false` if that is too many.
    fn look(&self, n_tokens: usize) -> bool {
        let left = self.looks.get();
        let cost = n_tokens as u64 + 1;
        self.looks.set(left.saturating_sub(cost));
        cost <= left
    }

    /// Makes `edits` part of the text, and a change of each.
    pub(crate) fn accept(&mut self, edits: Vec<Edit>, stop: &Stop) {
        let expected = expected::classes(&expected::tokens(&stop.expected));
        let because = self.open_at(stop.at).filter(|it| it.token != Token::LBrace);
        for edit in &edits {
            let mut before = edit.at.checked_sub(1).map(|it| self.tokens[it].token);
            for mut change in edit.changes(&self.tokens) {
                if let ChangeKind::Missing(token, class) = &mut change.kind {
                    if *token == Token::Name {
                        *class = self.class_after(before, stop.at, &expected);
                    }
                    before = Some(*token);
                }
                if let ChangeKind::Stray | ChangeKind::Unreadable(_) = change.kind {
                    change.expected.clone_from(&expected);
                }
                change.because = change.because.or(because);
                self.changes.push(change);
            }
        }
        self.tokens = apply(&self.tokens, &edits);
    }

    /// What a missing name after the token `before` is to the person who has not written it.
    fn class_after(&self, before: Option<Token>, at: usize, expected: &[Expected]) -> Expected {
        let in_head = self.go == Token::GoItem
            && !self.tokens[..at.min(self.tokens.len())].iter().any(|it| it.token == Token::LBrace);
        match before {
            Some(Token::Colon | Token::Arrow) if in_head => Expected::Type,
            Some(Token::LParen | Token::Comma) if !in_head => Expected::Argument,
            Some(Token::Dot | Token::Path | Token::Let | Token::Var | Token::For) => Expected::Name,
            Some(it) if it.is_joint() || it == Token::In => Expected::Expression,
            _ if expected.contains(&Expected::Expression) => Expected::Expression,
            _ => Expected::Name,
        }
    }

    /// The bracket that is open where the token at `at` stands.
    fn open_at(&self, at: usize) -> Option<Because> {
        let mut closed = 0;
        for it in self.tokens[..at.min(self.tokens.len())].iter().rev() {
            if it.token.is_closer() {
                closed += 1;
            } else if it.token.is_opener() {
                if closed == 0 {
                    return Some(Because { span: it.span, token: it.token });
                }
                closed -= 1;
            }
        }
        None
    }
}

/// A replacement of tokens.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// The first token that is replaced, or the one before which tokens are put.
    pub(crate) at: usize,
    /// How many are replaced.
    pub(crate) removed: usize,
    /// By what; made-up tokens have no text.
    pub(crate) inserted: Vec<Token>,
    /// How unlikely it is that this is what was meant.
    pub(crate) cost: u32,
    /// What the mistake is, if not told by what was put in and left out.
    pub(crate) unreadable: Option<Unreadable>,
}

impl Edit {
    pub(crate) fn insert(at: usize, inserted: &[Token], cost: u32) -> Edit {
        Edit { at, removed: 0, inserted: inserted.to_vec(), cost, unreadable: None }
    }

    pub(crate) fn delete(at: usize, cost: u32) -> Edit {
        Edit { at, removed: 1, inserted: vec![], cost, unreadable: None }
    }

    pub(crate) fn replace(at: usize, by: Token, cost: u32) -> Edit {
        Edit { at, removed: 1, inserted: vec![by], cost, unreadable: None }
    }

    /// Tokens that stand for what could not be read.
    pub(crate) fn hole(
        at: usize,
        removed: usize,
        inserted: &[Token],
        what: Unreadable,
        cost: u32,
    ) -> Edit {
        Edit { at, removed, inserted: inserted.to_vec(), cost, unreadable: Some(what) }
    }

    fn changes(&self, tokens: &[Lexeme]) -> Vec<Change> {
        let removed = &tokens[self.at..self.at + self.removed];
        let place = self.at.checked_sub(1).map_or(0, |it| tokens[it].span.hi);
        if let Some(what) = self.unreadable {
            let span = match (removed.first(), removed.last()) {
                (Some(first), Some(last)) => first.span.to(last.span),
                _ => Span::new(place, place),
            };
            return vec![Change::new(ChangeKind::Unreadable(what), span)];
        }
        if let ([it], [by]) = (removed, &self.inserted[..])
            && !is_foreign(it.token)
        {
            return vec![Change::new(ChangeKind::Instead(*by), it.span)];
        }
        let foreign = removed.iter().any(|it| is_foreign(it.token));
        let stray = removed.iter().filter(|it| !it.is_virtual()).map(|it| {
            if is_foreign(it.token) {
                Change::new(ChangeKind::Foreign(it.token), it.span)
            } else {
                Change::stray(*it)
            }
        });
        let missing = self
            .inserted
            .iter()
            .filter(|_| !foreign)
            .map(|&it| Change::missing(place, it, None, None));
        stray.chain(missing).collect()
    }
}

/// `tokens` with `edits`, which are in order and do not overlap.
pub(crate) fn apply(tokens: &[Lexeme], edits: &[Edit]) -> Vec<Lexeme> {
    let mut out: Vec<Lexeme> = Vec::with_capacity(tokens.len() + 4);
    let mut from = 0;
    for edit in edits {
        out.extend_from_slice(&tokens[from..edit.at]);
        let removed = &tokens[edit.at..edit.at + edit.removed];
        let before = out.last().copied();
        let place = before.map_or(0, |it| it.span.hi);
        let model = removed.first().copied().or(before);
        for (nth, &token) in edit.inserted.iter().enumerate() {
            let span = match (removed.first(), removed.last()) {
                (Some(first), Some(last)) if nth == 0 && takes_place(token) => {
                    first.span.to(last.span)
                }
                _ => Span::new(place, place),
            };
            let first = nth == 0 && edit.removed > 0 && model.is_some_and(|it| it.first);
            let indent = model.map_or(0, |it| it.indent);
            out.push(Lexeme { token, span, first, indent });
        }
        from = edit.at + edit.removed;
    }
    out.extend_from_slice(&tokens[from..]);
    out
}

/// A word of other languages that this one does not have. What is put in its place is no mistake.
fn is_foreign(token: Token) -> bool {
    matches!(token, Token::Break | Token::Continue | Token::As)
}

/// Whether a token that stands for others has their place; a made-up name has no text instead.
fn takes_place(token: Token) -> bool {
    matches!(token, Token::Hole | Token::ExprHole) || token.is_written()
}

/// The single edits that may help where the parser stopped, most likely first. Brackets are left
/// alone: they match, and indentation knows more about them.
pub(crate) fn single_edits(tokens: &[Lexeme], stop: &Stop) -> Vec<Edit> {
    let at = stop.at;
    // The parser may have reduced before it stopped, and then expects less than would have done.
    let mut fits = expected::tokens(&stop.expected);
    fits.extend(USUAL);
    fits.sort();
    fits.dedup();
    let it = tokens.get(at).copied();
    let before = at.checked_sub(1).map(|it| tokens[it]);
    let new_line = it.is_none_or(|it| it.first);
    let doubled = matches!((before, it), (Some(before), Some(it))
        if before.token == it.token && !before.is_virtual());
    let mut edits = vec![];
    for &token in &fits {
        if let Some(cost) = insertion_cost(token, new_line, it, before) {
            edits.push(Edit::insert(at, &[token], cost));
        }
    }
    if new_line && before.is_some_and(|it| it.token.is_joint()) {
        edits.push(Edit::insert(at, &[Token::Name, Token::Semi], 5));
    }
    if let Some(it) = it
        && !it.token.is_opener()
        && !it.token.is_closer()
    {
        let cost = if doubled && !new_line { 1 } else { deletion_cost(it.token, new_line) };
        edits.push(Edit::delete(at, cost));
        for &token in &fits {
            if let Some(cost) = replacement_cost(it.token, token) {
                edits.push(Edit::replace(at, token, cost));
            }
        }
    }
    if let Some(before) = before
        && !before.is_virtual()
        && !before.token.is_opener()
        && !before.token.is_closer()
    {
        if begins_like_a_declaration(tokens, at) {
            edits.push(Edit::replace(at - 1, Token::Let, 0));
        }
        let cost = if doubled && new_line { 1 } else { deletion_cost(before.token, false) + 1 };
        edits.push(Edit::delete(at - 1, cost));
        let swaps = [Token::Semi, Token::Comma, Token::Eq, Token::Assign, Token::Colon];
        for token in swaps {
            if let Some(cost) = replacement_cost(before.token, token) {
                edits.push(Edit::replace(at - 1, token, cost + 3));
            }
        }
    }
    edits.sort_by_key(|it| it.cost);
    edits
}

/// Whether the name at `at` is declared as other languages do it: `int r = 3;`
fn begins_like_a_declaration(tokens: &[Lexeme], at: usize) -> bool {
    let is = |at: usize, token: Token| tokens.get(at).is_some_and(|it| it.token == token);
    let begins = |at: usize| {
        at.checked_sub(1).is_none_or(|before| {
            matches!(tokens[before].token, Token::LBrace | Token::RBrace | Token::Semi)
        })
    };
    is(at, Token::Name) && is(at - 1, Token::Name) && is(at + 1, Token::Assign) && begins(at - 1)
}

/// What is forgotten or mistaken most.
const USUAL: &[Token] = {
    use Token::*;
    &[Semi, Comma, Name, Colon, Assign, Eq, Plus]
};

/// Words that begin something are seldom there by mistake, nor are the ends of lines.
fn deletion_cost(token: Token, new_line: bool) -> u32 {
    let begins = matches!(token, Token::For | Token::While | Token::If | Token::Fn | Token::Kernel);
    5 + u32::from(new_line) * 3 + u32::from(begins) * 8 + u32::from(token == Token::Semi) * 6
}

fn insertion_cost(
    token: Token,
    new_line: bool,
    it: Option<Lexeme>,
    before: Option<Lexeme>,
) -> Option<u32> {
    let joined = it.is_some_and(|it| it.token.is_joint() || it.token.is_closer());
    let dangling = before.is_some_and(|it| it.token.is_joint());
    match token {
        Token::Semi if new_line => Some(2),
        Token::Semi => Some(if it.is_some_and(|it| it.token == Token::RBrace) { 2 } else { 9 }),
        Token::Comma => Some(if before.is_some_and(|it| it.token == Token::Comma) { 8 } else { 3 }),
        Token::Name => Some(if joined || dangling || new_line { 4 } else { 7 }),
        Token::Colon | Token::Assign | Token::In | Token::Path => Some(4),
        Token::Plus => Some(7),
        Token::Or => Some(8),
        Token::For | Token::Str | Token::Fn => Some(9),
        _ => None,
    }
}

fn replacement_cost(found: Token, wanted: Token) -> Option<u32> {
    use Token::*;
    match (found, wanted) {
        (Assign, Eq) | (Eq, Assign) => Some(2),
        (As, Plus) => Some(1),
        (Break | Continue, Name) => Some(1),
        (Semi, Comma)
        | (Comma, Semi)
        | (Colon, Semi)
        | (Colon, Comma)
        | (Semi, Colon)
        | (Colon, Assign)
        | (Assign, Colon)
        | (Dot, Comma)
        | (Colon, Path)
        | (Dot, Range) => Some(4),
        (found, Name) if found.is_word() => Some(4),
        (found, Name) if found != Semi => Some(8),
        (found, Semi) if !found.is_word() && found != Dot => Some(8),
        (found, Comma) if found.is_joint() => Some(7),
        _ => None,
    }
}

/// The mistakes that `changes` are. Changes at one place are one mistake.
fn report(text: &str, mut changes: Vec<Change>) -> Vec<SyntaxError> {
    changes.sort_by_key(|it| (it.span.lo, it.span.hi));
    let mut errors: Vec<SyntaxError> = vec![];
    for change in changes {
        let error = change.error(text);
        if let Some(last) = errors.last_mut()
            && last.absorb(&error)
        {
            continue;
        }
        errors.push(error);
    }
    errors
}

impl Change {
    fn error(self, text: &str) -> SyntaxError {
        let Change { kind, span, expected, because, indent } = self;
        let there = || SmolStr::from(&text[span.lo as usize..span.hi as usize]);
        let edit = |text: SmolStr| Some(TextEdit { span, text });
        let (kind, fix) = match kind {
            ChangeKind::Missing(token, class) => {
                (SyntaxErrorKind::Missing(vec![class]), edit(written(token, indent)))
            }
            ChangeKind::Stray => (SyntaxErrorKind::Stray(there()), edit("".into())),
            ChangeKind::Instead(token) => {
                let fix = token.is_written().then(|| token.text().into()).and_then(edit);
                (SyntaxErrorKind::Instead(there(), class(token)), fix)
            }
            ChangeKind::Unreadable(what) => (SyntaxErrorKind::Unreadable(what), None),
            ChangeKind::TooDeep => (SyntaxErrorKind::TooDeep, None),
            ChangeKind::Foreign(token) => (SyntaxErrorKind::Foreign(token), None),
        };
        let fix = fix
            .filter(|it| it.text.is_empty() || it.span.lo < it.span.hi || !it.text.contains('?'));
        SyntaxError { kind, span, expected, because, fix }
    }
}

/// What a person calls a missing token.
fn class(token: Token) -> Expected {
    match token {
        Token::Name => Expected::Name,
        Token::ExprHole => Expected::Expression,
        Token::Plus => Expected::Operator,
        Token::Str => Expected::String,
        token => Expected::Token(token),
    }
}

/// The text that stands for a missing token; `?` where only the author knows.
fn written(token: Token, indent: Option<u32>) -> SmolStr {
    match (token, indent) {
        (Token::RBrace, Some(indent)) => format!("\n{}}}", " ".repeat(indent as usize)).into(),
        (Token::Plus, _) => "?".into(),
        (token, _) if token.is_written() => {
            let text = token.text();
            if token.is_word() || token == Token::LBrace {
                format!(" {text}").into()
            } else {
                text.into()
            }
        }
        _ => "?".into(),
    }
}

impl SyntaxError {
    /// Takes in a mistake at the same place; `false` if it is another one.
    fn absorb(&mut self, other: &SyntaxError) -> bool {
        let here = self.span == other.span;
        match (&mut self.kind, &other.kind) {
            (SyntaxErrorKind::Missing(what), SyntaxErrorKind::Missing(more)) if here => {
                what.extend(more.iter().copied());
                self.fix = match (self.fix.take(), &other.fix) {
                    (Some(mut fix), Some(more)) => {
                        fix.text = format!("{}{}", fix.text, more.text).into();
                        Some(fix)
                    }
                    _ => None,
                };
                true
            }
            (SyntaxErrorKind::Stray(text), SyntaxErrorKind::Stray(more))
                if self.span.hi + 1 == other.span.lo =>
            {
                *text = format!("{text} {more}").into();
                self.span.hi = other.span.hi;
                if let Some(fix) = &mut self.fix {
                    fix.span.hi = other.span.hi;
                }
                true
            }
            (SyntaxErrorKind::Missing(_), SyntaxErrorKind::Unreadable(_)) => {
                self.span.lo == other.span.lo
            }
            (SyntaxErrorKind::Unreadable(_), _) => {
                self.span.lo <= other.span.lo && other.span.hi <= self.span.hi
            }
            _ => false,
        }
    }
}
