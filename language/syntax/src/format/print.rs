//! Writing tokens in their order, each after the comments before it.

use crate::format::INDENT;
use crate::format::lines::{Gap, Layout};
use crate::lex::{Lexed, Trivia};
use crate::token::Token;

pub(super) fn print(text: &str, lexed: &Lexed, layout: &Layout) -> String {
    let mut printer = Printer {
        text,
        out: String::with_capacity(text.len() + text.len() / 8),
        column: 0,
        trivia: lexed.trivia.iter().peekable(),
    };
    for (at, it) in lexed.tokens.iter().enumerate() {
        let closes = it.token.is_closer();
        let opens = at.checked_sub(1).is_none_or(|it| lexed.tokens[it].token.is_opener());
        printer.before(it.span.lo, layout.gaps[at], layout.forced[at], closes, opens);
        printer.write(&text[it.span.lo as usize..it.span.hi as usize]);
        if layout.commas[at] {
            printer.write(Token::Comma.text());
        }
    }
    printer.before(text.len() as u32, Gap::Line(0), 0, true, lexed.tokens.is_empty());
    let mut out = printer.out;
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

struct Printer<'a, I: Iterator<Item = &'a Trivia>> {
    text: &'a str,
    out: String,
    /// Columns written on the last line.
    column: usize,
    trivia: std::iter::Peekable<I>,
}

impl<'a, I: Iterator<Item = &'a Trivia>> Printer<'a, I> {
    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn spaces(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
        self.column += count;
    }

    fn new_line(&mut self, indent: usize, blank: bool) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if blank {
                self.out.push('\n');
            }
        }
        self.column = 0;
        self.spaces(indent);
    }

    /// Writes what stands before the token at byte `hi`: comments, then white space.
    fn before(&mut self, hi: u32, gap: Gap, forced: usize, closes: bool, opens: bool) {
        let (mut blank, mut comments) = (false, 0);
        let indent = match gap {
            Gap::Line(indent) => indent,
            Gap::Spaces(_) => forced,
        };
        let inner = if closes && hi as usize != self.text.len() { indent + INDENT } else { indent };
        while let Some(it) = self.trivia.next_if(|it| it.lo() < hi) {
            let Trivia::Comment { span, own_line, .. } = it else {
                blank = true;
                continue;
            };
            let comment = self.text[span.lo as usize..span.hi as usize].trim_end();
            if *own_line {
                self.new_line(inner, blank && !(opens && comments == 0));
            } else {
                let column = self.source_column(span.lo);
                let gap = column.saturating_sub(self.column).max(1);
                self.spaces(gap);
            }
            self.write(comment);
            comments += 1;
            blank = false;
        }
        match gap {
            Gap::Spaces(count) if comments == 0 => self.spaces(count),
            _ => self.new_line(indent, blank && !closes && !(opens && comments == 0)),
        }
    }

    /// The column at which the byte `at` stands in the text that is formatted.
    fn source_column(&self, at: u32) -> usize {
        let line = self.text[..at as usize].rfind('\n').map_or(0, |it| it + 1);
        self.text[line..at as usize].chars().count()
    }
}
