//! The formatter: one way to lay a program out.
//!
//! It decides only which white space stands before each token; then [`print`](mod@print) writes the
//! tokens in their order, each after the comments that stand before it. So nothing can be lost or
//! moved, by construction. The rules:
//!
//! * four spaces a level, at most 100 columns where brackets allow it;
//! * a block that stands on one line and holds at most one statement stays on it if it fits;
//! * a list that ends in a comma has one element a line; another is joined if it fits. A list that
//!   must be broken gets its last comma: the only token that is ever added;
//! * clauses stand on lines of their own, except where a whole `fn` stands on one;
//! * blank lines stay, at most one at a time; a trailing comment keeps its column;
//! * alignment is the author's choice: where one of adjacent one-line declarations with the same
//!   keyword, fields or functions is padded in front of its `=`, type or `{`, all of them are
//!   aligned, and `grid` may be padded to the width of `where`. Nothing else is.
//!
//! A text with syntax errors is not formatted.

mod lines;
mod print;
mod spacing;

use crate::ast::Span;
use crate::error::SyntaxError;
use crate::lex::{Lexed, lex};
use crate::parse::parse_file;
use crate::split;
use crate::words::{self, Start};

/// How wide a line may be.
const COLUMNS_MAX: usize = 100;

/// How much deeper a level is.
const INDENT: usize = 4;

/// The text laid out, or what stands in the way.
pub fn format(text: &str) -> Result<String, Vec<SyntaxError>> {
    let errors = parse_file(text).all_errors();
    if !errors.is_empty() {
        return Err(errors);
    }
    let lexed = resolved(text);
    let layout = lines::lay_out(text, &lexed);
    Ok(print::print(text, &lexed, &layout))
}

/// The smallest replacement of lines that formats what `range` touches: the items that it
/// overlaps. `None` if they are formatted already.
pub fn format_range(text: &str, range: Span) -> Result<Option<(Span, String)>, Vec<SyntaxError>> {
    let formatted = format(text)?;
    let (old, new) = (split::split(text), split::split(&formatted));
    let touched = |it: &split::Chunk| it.lo <= range.hi && range.lo <= it.hi;
    let Some(first) = old.iter().position(touched) else { return Ok(None) };
    let last = old.iter().rposition(touched).unwrap_or(first);
    let span = Span::new(old[first].lo, old[last].hi);
    let by = &formatted[new[first].lo as usize..new[last].hi as usize];
    let there = &text[span.lo as usize..span.hi as usize];
    Ok((by != there).then(|| (span, by.to_owned())))
}

/// The tokens of a file with the words of each item resolved.
fn resolved(text: &str) -> Lexed {
    let mut lexed = lex(text);
    let mut starts = split::starts(&lexed.tokens);
    starts.push(lexed.tokens.len());
    for it in starts.windows(2) {
        words::resolve(&mut lexed.tokens[it[0]..it[1]], Start::Item);
    }
    lexed
}
