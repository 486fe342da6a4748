//! Growing selections: the word at a byte, what its brackets hold, the statement, the item, the file.
//!
//! Found in the tokens, so that it works in any text, however damaged.

use tile_language::db::{self, Db, SourceFile};
use tile_syntax::ast::Span;
use tile_syntax::{Lexeme, Token, lex};

/// The stretches around a byte, smallest first; each is inside the next.
pub fn selections(db: &dyn Db, file: SourceFile, at: u32) -> Vec<Span> {
    let text = file.text(db);
    let mut found = Vec::new();
    for (source, (_, start)) in db::items(db, file).iter().zip(db::item_starts(db, file)) {
        let item = source.text(db);
        let span = Span::new(*start, *start + item.len() as u32);
        if span.lo <= at && at <= span.hi {
            let inside = inside_item(&lex(item).tokens, at - span.lo);
            found.extend(inside.into_iter().map(|it| it.shifted(span.lo)));
            found.push(span);
            break;
        }
    }
    found.push(Span::new(0, text.len() as u32));
    let mut last = None;
    found.retain(|it| {
        let grows =
            last.is_none_or(|last: Span| it.lo <= last.lo && last.hi <= it.hi && *it != last);
        if grows {
            last = Some(*it);
        }
        grows
    });
    found
}

fn inside_item(tokens: &[Lexeme], at: u32) -> Vec<Span> {
    let holds = |it: &Lexeme| it.span.lo <= at && at <= it.span.hi;
    let words = tokens.iter().filter(|it| holds(it));
    let mut found: Vec<Span> =
        words.max_by_key(|it| it.token.is_word()).map(|it| it.span).into_iter().collect();
    for (lo, hi) in pairs_around(tokens, at) {
        let inside = &tokens[lo + 1..hi];
        let (open, close) = (tokens[lo].span, tokens[hi].span);
        if let Some(part) = part(inside, at, open.hi) {
            found.push(part);
        }
        if let (Some(first), Some(last)) = (inside.first(), inside.last()) {
            found.push(first.span.to(last.span));
        }
        found.push(open.to(close));
    }
    found
}

/// The pairs of brackets around a byte, innermost first, as numbers of tokens.
fn pairs_around(tokens: &[Lexeme], at: u32) -> Vec<(usize, usize)> {
    let (mut open, mut found) = (Vec::new(), Vec::new());
    for (n, it) in tokens.iter().enumerate() {
        if it.token.is_opener() {
            open.push(n);
        } else if it.token.is_closer()
            && let Some(lo) = open.pop()
            && tokens[lo].span.hi <= at
            && at <= it.span.lo
        {
            found.push((lo, n));
        }
    }
    found
}

/// What stands between two separators around a byte: an argument, a statement.
fn part(inside: &[Lexeme], at: u32, from: u32) -> Option<Span> {
    let (mut depth, mut lo, mut end) = (0usize, from, None);
    let mut first: Option<Span> = None;
    for it in inside {
        let ends = depth == 0 && matches!(it.token, Token::Comma | Token::Semi);
        depth += usize::from(it.token.is_opener());
        depth = depth.saturating_sub(usize::from(it.token.is_closer()));
        if !(ends && it.token == Token::Comma) {
            first = first.or(Some(it.span));
            end = Some(it.span);
        }
        let closes_block = depth == 0 && it.token == Token::RBrace;
        if ends || closes_block {
            if lo <= at && at <= it.span.hi {
                break;
            }
            (lo, first) = (it.span.hi, None);
        }
    }
    let span = first?.to(end?);
    (span.lo <= at && at <= span.hi).then_some(span)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn a_selection_grows_from_a_word_to_the_file() {
        let fixture = Fixture::new("fn f() {\n    let a = 1;\n    let b = g(x, h$0(y) + 2);\n}\n");
        let spans = selections(&fixture.db, fixture.file, fixture.cursor);
        let shown: Vec<String> =
            spans.iter().map(|it| format!("{:?}", fixture.slice(*it))).collect();
        assert_snapshot!(shown.join("\n"), @r#"
        "h"
        "h(y) + 2"
        "x, h(y) + 2"
        "(x, h(y) + 2)"
        "let b = g(x, h(y) + 2);"
        "let a = 1;\n    let b = g(x, h(y) + 2);"
        "{\n    let a = 1;\n    let b = g(x, h(y) + 2);\n}"
        "fn f() {\n    let a = 1;\n    let b = g(x, h(y) + 2);\n}"
        "fn f() {\n    let a = 1;\n    let b = g(x, h(y) + 2);\n}\n"
        "#);
    }
}
