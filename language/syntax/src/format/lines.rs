//! Where lines break, and where adjacent lines are aligned.

use crate::brackets::partners;
use crate::format::spacing::spaces;
use crate::format::{COLUMNS_MAX, INDENT};
use crate::lex::{Lexed, Lexeme, Trivia};
use crate::token::Token;
use crate::words::leads_with;

/// What stands before a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gap {
    /// So many spaces.
    Spaces(usize),
    /// A new line with this indentation.
    Line(usize),
}

/// The decisions, one for each token.
pub(super) struct Layout {
    pub(super) gaps: Vec<Gap>,
    /// Tokens after which a comma is added.
    pub(super) commas: Vec<bool>,
    /// The indentation of the line that a comment before the token forces.
    pub(super) forced: Vec<usize>,
}

/// What stands in braces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Braces {
    Block,
    Fields,
    Use,
}

/// What adjacent lines can be aligned as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Binding(Token),
    Field,
    Function,
}

pub(super) fn lay_out(text: &str, lexed: &Lexed) -> Layout {
    let tokens = &lexed.tokens;
    let braces = braces(tokens);
    let in_use: Vec<bool> = braces.iter().map(|it| *it == Braces::Use).collect();
    let count = tokens.len();
    let mut lines = Lines {
        text,
        tokens,
        trivia: &lexed.trivia,
        partners: partners(tokens),
        spaces: spaces(tokens, &in_use),
        braces,
        broken: vec![false; count],
        layout: Layout {
            gaps: vec![Gap::Spaces(0); count],
            commas: vec![false; count],
            forced: vec![0; count],
        },
    };
    lines.sequence(0, count, 0);
    lines.layout
}

/// What stands in the braces at each token; closing braces as their openers.
fn braces(tokens: &[Lexeme]) -> Vec<Braces> {
    let partners = partners(tokens);
    let mut braces = vec![Braces::Block; tokens.len()];
    let mut starts = crate::split::starts(tokens);
    starts.push(tokens.len());
    for it in starts.windows(2) {
        let item = &tokens[it[0]..it[1]];
        let is_use = leads_with(item, Token::Use);
        let has_fields =
            [Token::Struct, Token::Permit, Token::Enum].iter().any(|&it| leads_with(item, it));
        let mut openers = (it[0]..it[1]).filter(|&at| tokens[at].token == Token::LBrace);
        let marked: Vec<usize> = if is_use {
            openers.collect()
        } else if has_fields {
            openers.next().into_iter().collect()
        } else {
            vec![]
        };
        for open in marked {
            let kind = if is_use { Braces::Use } else { Braces::Fields };
            braces[open] = kind;
            braces[partners[open]] = kind;
        }
    }
    braces
}

struct Lines<'a> {
    text: &'a str,
    tokens: &'a [Lexeme],
    trivia: &'a [Trivia],
    partners: Vec<usize>,
    spaces: Vec<usize>,
    braces: Vec<Braces>,
    /// Opening brackets whose inside stands on lines of its own.
    broken: Vec<bool>,
    layout: Layout,
}

impl Lines<'_> {
    /// Statements, members or items, each on lines of its own.
    fn sequence(&mut self, lo: usize, hi: usize, indent: usize) {
        let parts = self.parts(lo, hi);
        for &(lo, hi) in &parts {
            self.layout.gaps[lo] = Gap::Line(indent);
            self.layout.forced[lo] = indent;
            if !self.function_with_clauses(lo, hi, indent) {
                self.line(lo, hi, indent);
            }
        }
        self.align(&parts);
    }

    /// Cuts a sequence after each `;` and after each block that nothing continues.
    fn parts(&self, lo: usize, hi: usize) -> Vec<(usize, usize)> {
        let mut parts = vec![];
        let (mut start, mut at) = (lo, lo);
        while at < hi {
            let next = self.partners[at].max(at) + 1;
            let ends = match self.tokens[next - 1].token {
                Token::Semi => true,
                Token::RBrace => {
                    let goes_on = |it: &Lexeme| {
                        it.token.is_closer()
                            || matches!(it.token, Token::Else | Token::Semi | Token::Comma)
                    };
                    next >= hi || !goes_on(&self.tokens[next])
                }
                _ => false,
            };
            if ends || next >= hi {
                parts.push((start, next));
                start = next;
            }
            at = next;
        }
        parts
    }

    /// A function whose clauses stand on lines of their own; `false` if this is none.
    fn function_with_clauses(&mut self, lo: usize, hi: usize, indent: usize) -> bool {
        let word = self.tokens[lo..hi].iter().find(|it| it.token != Token::Pub);
        let is_function = word.is_some_and(|it| {
            matches!(it.token, Token::Kernel | Token::Fn | Token::Iter | Token::Init)
        });
        let body = self.partners[hi - 1];
        if !is_function || self.tokens[body].token != Token::LBrace {
            return false;
        }
        let mut clauses = self.level(lo, body).filter(|&at| is_clause(self.tokens[at].token));
        let Some(first) = clauses.next() else { return false };
        let rest: Vec<usize> = clauses.collect();
        let is_kernel = word.is_some_and(|it| it.token == Token::Kernel);
        let on_one_line = self.tokens[lo + 1..hi].iter().all(|it| !it.first);
        if !is_kernel && on_one_line && self.overflow(lo, hi, indent).is_none() {
            return false;
        }
        self.line(lo, first, indent);
        let mut starts = vec![first];
        starts.extend(rest);
        starts.push(body);
        for it in starts.windows(2) {
            self.layout.gaps[it[0]] = Gap::Line(indent + INDENT);
            self.layout.forced[it[0]] = indent + INDENT;
            self.clause(it[0], it[1], indent + INDENT);
            if self.tokens[it[0]].token == Token::Grid && self.source_spaces(it[0] + 1) > 1 {
                self.layout.gaps[it[0] + 1] = Gap::Spaces(2);
            }
        }
        self.layout.gaps[body] = Gap::Line(indent);
        self.layout.forced[body] = indent;
        if body + 1 < hi - 1 || self.comment_inside(body) {
            self.break_group(body, indent);
        }
        true
    }

    /// A clause; if it is too long it is broken after commas.
    fn clause(&mut self, lo: usize, hi: usize, indent: usize) {
        let fits = self.overflow(lo, hi, indent).is_none();
        let commas: Vec<usize> =
            self.level(lo, hi).filter(|&at| self.tokens[at].token == Token::Comma).collect();
        if fits || commas.is_empty() {
            return self.line(lo, hi, indent);
        }
        let mut starts = vec![lo];
        starts.extend(commas.iter().map(|it| it + 1).filter(|&it| it < hi));
        starts.push(hi);
        let mut column = indent;
        for it in starts.windows(2) {
            self.line(it[0], it[1], indent + INDENT);
            let width = self.width(it[0], it[1]);
            if it[0] == lo {
                column += width;
            } else if column + 1 + width <= COLUMNS_MAX {
                self.layout.gaps[it[0]] = Gap::Spaces(1);
                column += 1 + width;
            } else {
                self.layout.gaps[it[0]] = Gap::Line(indent + INDENT);
                column = indent + INDENT + width;
            }
        }
    }

    /// The tokens from `lo` to `hi` that stand in no bracket opened there, with those brackets.
    fn level(&self, lo: usize, hi: usize) -> impl Iterator<Item = usize> + '_ {
        let mut at = lo;
        std::iter::from_fn(move || {
            (at < hi).then(|| {
                let here = at;
                at = self.partners[at].max(at) + 1;
                here
            })
        })
    }

    /// The columns of tokens on one line.
    fn width(&self, lo: usize, hi: usize) -> usize {
        (lo..hi).map(|at| self.token_width(at) + if at == lo { 0 } else { self.spaces[at] }).sum()
    }

    fn token_width(&self, at: usize) -> usize {
        let span = self.tokens[at].span;
        self.text[span.lo as usize..span.hi as usize].chars().count()
    }

    /// Lays out what begins a line at `lo`: on this line as far as it goes, in broken brackets
    /// where it must not or does not fit.
    fn line(&mut self, lo: usize, hi: usize, indent: usize) {
        for at in lo + 1..hi {
            self.layout.gaps[at] = Gap::Spaces(self.spaces[at]);
            self.layout.forced[at] = indent + INDENT;
        }
        let mut at = lo;
        while at < hi {
            self.broken[at] = self.must_break(at);
            at = if self.broken[at] { self.partners[at] } else { at + 1 };
        }
        while let Some((from, at)) = self.overflow(lo, hi, indent) {
            let Some(open) = self.group_to_break(from, at) else { break };
            self.broken[open] = true;
        }
        let mut at = lo;
        while at < hi {
            if self.broken[at] {
                self.break_group(at, indent);
                at = self.partners[at];
            } else {
                at += 1;
            }
        }
    }

    /// The first token that ends beyond the last column, and where its line begins.
    fn overflow(&self, lo: usize, hi: usize, indent: usize) -> Option<(usize, usize)> {
        let (mut at, mut start, mut column) = (lo, lo, indent);
        while at < hi {
            column += if at == lo { 0 } else { self.spaces[at] } + self.token_width(at);
            column += usize::from(self.layout.commas[at]);
            if column > COLUMNS_MAX {
                return Some((start, at));
            }
            if self.broken[at] {
                at = self.partners[at];
                start = at;
                column = indent + 1;
            }
            at += 1;
        }
        None
    }

    /// The bracket to break so that the token at `at` comes to another line: the outermost that
    /// holds it, else the last before it.
    fn group_to_break(&self, from: usize, at: usize) -> Option<usize> {
        let mut before = None;
        let mut here = if self.broken[self.partners[from]] { from + 1 } else { from };
        while here < at {
            let close = self.partners[here];
            if self.tokens[here].token.is_opener() && here + 1 < close {
                if at <= close {
                    return Some(here);
                }
                before = Some(here);
                here = close;
            }
            here += 1;
        }
        before
    }

    /// Whether the inside of the bracket that opens at `open` must have its own lines.
    fn must_break(&self, open: usize) -> bool {
        let close = self.partners[open];
        if !self.tokens[open].token.is_opener() {
            return false;
        }
        if self.comment_inside(open) {
            return true;
        }
        if close == open + 1 {
            return false;
        }
        let several_lines = self.tokens[open + 1..=close].iter().any(|it| it.first);
        match (self.tokens[open].token, self.braces[open]) {
            // A block around something broken has several lines afterwards, so it is broken too.
            (Token::LBrace, Braces::Block) => {
                several_lines
                    || self.is_long(open)
                    || (open + 1..close)
                        .any(|at| self.tokens[at].token.is_opener() && self.is_long(at))
            }
            (Token::LBrace, Braces::Fields) => several_lines || self.is_long(open),
            _ => self.is_long(open),
        }
    }

    /// Whether a bracket must have its own lines for what stands in it, however it is written: a
    /// block of several statements, a list that ends in a comma.
    fn is_long(&self, open: usize) -> bool {
        let close = self.partners[open];
        let ends_in_comma = open + 1 < close && self.tokens[close - 1].token == Token::Comma;
        match (self.tokens[open].token, self.braces[open]) {
            (Token::LBrace, Braces::Block) => self.parts(open + 1, close).len() > 1,
            (Token::LBrace, Braces::Fields) => ends_in_comma,
            _ => ends_in_comma && !self.is_tuple_of_one(open),
        }
    }

    /// Whether a comment stands in this bracket and in no bracket inside it.
    fn comment_inside(&self, open: usize) -> bool {
        let close = self.partners[open];
        self.level(open + 1, close).any(|at| self.comment_before(at)) || self.comment_before(close)
    }

    fn comment_before(&self, at: usize) -> bool {
        self.trivia_before(at).iter().any(|it| matches!(it, Trivia::Comment { .. }))
    }

    fn trivia_before(&self, at: usize) -> &[Trivia] {
        let lo = at.checked_sub(1).map_or(0, |it| self.tokens[it].span.hi);
        let from = self.trivia.partition_point(|it| it.lo() < lo);
        let to = self.trivia.partition_point(|it| it.lo() < self.tokens[at].span.lo);
        &self.trivia[from..to.max(from)]
    }

    /// `(x,)`
    fn is_tuple_of_one(&self, open: usize) -> bool {
        let close = self.partners[open];
        let commas =
            self.level(open + 1, close).filter(|&at| self.tokens[at].token == Token::Comma).count();
        self.is_grouping(open) && commas == 1
    }

    /// A `(` that is neither a call's nor a function's.
    fn is_grouping(&self, open: usize) -> bool {
        let before = open.checked_sub(1).map(|it| self.tokens[it].token);
        let follows = before.is_some_and(|it| it.ends_operand() || it == Token::Init);
        self.tokens[open].token == Token::LParen && !follows
    }

    /// Puts the inside of a bracket on lines of its own.
    fn break_group(&mut self, open: usize, indent: usize) {
        let close = self.partners[open];
        self.broken[open] = true;
        self.layout.gaps[close] = Gap::Line(indent);
        self.layout.forced[close] = indent;
        if self.tokens[open].token == Token::LBrace && self.braces[open] == Braces::Block {
            return self.sequence(open + 1, close, indent + INDENT);
        }
        let elements = self.elements(open);
        if let Some(&(_, hi)) = elements.last()
            && self.takes_last_comma(open)
        {
            self.layout.commas[hi - 1] = true;
        }
        for &(lo, hi) in &elements {
            self.layout.gaps[lo] = Gap::Line(indent + INDENT);
            self.layout.forced[lo] = indent + INDENT;
            self.line(lo, hi, indent + INDENT);
        }
        self.align(&elements);
    }

    /// The elements of a list, each with the comma or `;` after it.
    fn elements(&self, open: usize) -> Vec<(usize, usize)> {
        let close = self.partners[open];
        let mut elements = vec![];
        let mut start = open + 1;
        for at in self.level(open + 1, close) {
            if matches!(self.tokens[at].token, Token::Comma | Token::Semi) {
                elements.push((start, at + 1));
                start = at + 1;
            }
        }
        if start < close {
            elements.push((start, close));
        }
        elements
    }

    /// Whether a comma may stand after the last element and does not yet.
    fn takes_last_comma(&self, open: usize) -> bool {
        let close = self.partners[open];
        let mut inside = self.level(open + 1, close).map(|at| self.tokens[at].token);
        let has = |token| self.level(open + 1, close).any(|at| self.tokens[at].token == token);
        let refuses = inside.any(|it| matches!(it, Token::Semi | Token::In));
        self.tokens[close - 1].token != Token::Comma
            && !refuses
            && (!self.is_grouping(open) || has(Token::Comma))
    }

    /// Aligns runs of adjacent one-line parts of one kind in which the author padded one.
    fn align(&mut self, parts: &[(usize, usize)]) {
        let mut run: Vec<(usize, usize)> = vec![];
        let mut kind = None;
        for (nth, &(lo, hi)) in parts.iter().enumerate() {
            let column = self.column(lo, hi);
            let joins = 0 < nth && self.trivia_before(lo).iter().all(is_trailing_comment);
            if column.map(|it| it.0) != kind || !joins {
                self.align_run(&run);
                run.clear();
                kind = column.map(|it| it.0);
            }
            if let Some((_, at)) = column {
                run.push((lo, at));
            }
        }
        self.align_run(&run);
    }

    /// What a part is aligned as, and the token that is; `None` if it takes several lines.
    fn column(&self, lo: usize, hi: usize) -> Option<(Column, usize)> {
        let lines = &self.layout.gaps[lo + 1..hi];
        if lines.iter().any(|it| matches!(it, Gap::Line(_))) {
            return None;
        }
        let word = lo + usize::from(self.tokens[lo].token == Token::Pub);
        let find = |token| self.level(lo, hi).find(|&at| self.tokens[at].token == token);
        match self.tokens.get(word)?.token {
            token @ (Token::Let | Token::Var | Token::Const) => {
                Some((Column::Binding(token), find(Token::Assign)?))
            }
            Token::Fn | Token::Iter | Token::Init => Some((Column::Function, find(Token::LBrace)?)),
            Token::Name | Token::Own => {
                let colon = lo + 1 + usize::from(self.tokens[lo].token == Token::Own);
                let is_field = self.tokens.get(colon)?.token == Token::Colon && colon + 1 < hi;
                is_field.then_some((Column::Field, colon + 1))
            }
            _ => None,
        }
    }

    fn align_run(&mut self, run: &[(usize, usize)]) {
        let padded = run.iter().any(|&(_, at)| self.source_spaces(at) > 1);
        let Some(&(first, _)) = run.first() else { return };
        let Gap::Line(indent) = self.layout.gaps[first] else { return };
        let widths: Vec<usize> = run.iter().map(|&(lo, at)| self.width(lo, at)).collect();
        let (Some(&least), Some(&most)) = (widths.iter().min(), widths.iter().max()) else {
            return;
        };
        if !padded || most - least > 12 {
            return;
        }
        let ends = |lo: usize, at: usize| self.parts_end(lo, at);
        let too_wide = run
            .iter()
            .zip(&widths)
            .any(|(&(lo, at), width)| indent + ends(lo, at) + most - width > COLUMNS_MAX);
        if too_wide {
            return;
        }
        for (&(_, at), width) in run.iter().zip(widths) {
            self.layout.gaps[at] = Gap::Spaces(1 + most - width);
        }
    }

    /// The width of the line that begins at `lo` and goes on at least to `at`.
    fn parts_end(&self, lo: usize, at: usize) -> usize {
        let on_line = |it: &usize| !matches!(self.layout.gaps[*it], Gap::Line(_));
        let hi = (at..self.tokens.len()).take_while(on_line).last().map_or(at, |it| it + 1);
        self.width(lo, hi)
    }

    /// The spaces before the token in the text that is formatted.
    fn source_spaces(&self, at: usize) -> usize {
        match at.checked_sub(1) {
            Some(before) if !self.tokens[at].first => {
                (self.tokens[at].span.lo - self.tokens[before].span.hi) as usize
            }
            _ => 0,
        }
    }
}

fn is_trailing_comment(trivia: &Trivia) -> bool {
    matches!(trivia, Trivia::Comment { own_line: false, .. })
}

fn is_clause(token: Token) -> bool {
    use Token::*;
    matches!(token, Where | Grid | Warps | Cluster | Requires | Expect | Allow | Pdl)
}
