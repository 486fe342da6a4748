//! Formatting as small edits, so that cursors and folds stay where they are.
//!
//! The formatter lays out a whole text; an edit is made of each run of lines that differs. A text with
//! syntax errors is left alone, and so is a line while it is typed: then only its indentation follows
//! the brackets around it.

use tile_syntax::ast::Span;
use tile_syntax::{Token, lex};

/// Columns of a level, as the formatter has it.
const INDENT: usize = 4;

/// A replacement of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// The edits that format a text; `None` if it has syntax errors.
pub fn document(text: &str) -> Option<Vec<Edit>> {
    Some(line_edits(text, &tile_syntax::format(text).ok()?))
}

/// The edits that format the items that `range` touches.
pub fn range(text: &str, range: Span) -> Option<Vec<Edit>> {
    let Some((span, new)) = tile_syntax::format_range(text, range).ok()? else {
        return Some(Vec::new());
    };
    let old = &text[span.lo as usize..span.hi as usize];
    let edits = line_edits(old, &new).into_iter();
    Some(edits.map(|it| Edit { span: it.span.shifted(span.lo), ..it }).collect())
}

/// The edit that indents the line of a byte as the brackets around it say.
pub fn indentation(text: &str, at: u32) -> Option<Edit> {
    let start = text[..at as usize].rfind('\n').map_or(0, |it| it + 1);
    let line = &text[start..];
    let blank = line.len() - line.trim_start_matches([' ', '\t']).len();
    let lexed = lex(text);
    let mut depth = 0usize;
    for it in lexed.tokens.iter().take_while(|it| (it.span.lo as usize) < start) {
        depth += usize::from(it.token.is_opener());
        depth = depth.saturating_sub(usize::from(it.token.is_closer()));
    }
    let first = lexed.tokens.iter().find(|it| start + blank == it.span.lo as usize);
    let closes = first.is_some_and(|it| it.token.is_closer());
    let is_clause = first.is_some_and(|it| is_clause(it.token)) && depth == 0;
    let levels = depth.saturating_sub(usize::from(closes)) + usize::from(is_clause);
    let want = " ".repeat(INDENT * levels);
    let span = Span::new(start as u32, (start + blank) as u32);
    let in_string = lexed.tokens.iter().any(|it| {
        it.token == Token::Str && (it.span.lo as usize) < start && start < it.span.hi as usize
    });
    (line[..blank] != want && !in_string).then_some(Edit { span, text: want })
}

fn is_clause(token: Token) -> bool {
    use Token::*;
    matches!(token, Where | Grid | Warps | Cluster | Requires | Expect | Allow | Pdl)
}

/// The edits of whole lines that make one text the other.
fn line_edits(old: &str, new: &str) -> Vec<Edit> {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut edits = Vec::new();
    let (mut i, mut j, mut at) = (0, 0, 0u32);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            at += a[i].len() as u32;
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (skip_a, skip_b) = next_match(&a[i..], &b[j..]);
        let len: usize = a[i..i + skip_a].iter().map(|it| it.len()).sum();
        let span = Span::new(at, at + len as u32);
        edits.push(Edit { span, text: b[j..j + skip_b].concat() });
        at = span.hi;
        (i, j) = (i + skip_a, j + skip_b);
    }
    edits
}

/// How many lines of each are passed over up to the nearest line that both have, blank ones aside.
fn next_match(a: &[&str], b: &[&str]) -> (usize, usize) {
    const NEAR: usize = 64;
    for distance in 1..NEAR {
        for skip_a in 0..=distance {
            let skip_b = distance - skip_a;
            if let (Some(x), Some(y)) = (a.get(skip_a), b.get(skip_b))
                && x == y
                && !x.trim().is_empty()
            {
                return (skip_a, skip_b);
            }
        }
    }
    (a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn applied(text: &str, edits: &[Edit]) -> String {
        let mut text = text.to_owned();
        for it in edits.iter().rev() {
            text.replace_range(it.span.lo as usize..it.span.hi as usize, &it.text);
        }
        text
    }

    #[test]
    fn only_lines_that_differ_are_replaced() {
        let text = "fn f() {\n    let a = 1;\n  let b=2;\n    let c = 3;\n}\n";
        let edits = document(text).expect("the text has no errors");
        assert_eq!(edits.len(), 1);
        assert_eq!(edits[0].text, "    let b = 2;\n");
        assert_eq!(applied(text, &edits), tile_syntax::format(text).expect("it has none"));
    }

    #[test]
    fn a_text_with_errors_is_left_alone() {
        assert_eq!(document("fn f( {"), None);
    }

    #[test]
    fn a_new_line_is_indented_by_its_brackets() {
        let indented = |text: &str| {
            let at = text.find("$0").expect("there is a cursor");
            let text = text.replacen("$0", "", 1);
            let edit = indentation(&text, at as u32);
            applied(&text, &edit.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(indented("fn f() {\n$0"), "fn f() {\n    ");
        assert_eq!(
            indented("fn f() {\n    if a {\n        b;\n        }$0"),
            "fn f() {\n    if a {\n        b;\n    }"
        );
        assert_eq!(indented("kernel k()\nwhere$0"), "kernel k()\n    where");
    }

    proptest! {
        #[test]
        fn edits_make_one_text_the_other(a in "[ab\n]{0,30}", b in "[ab\n]{0,30}") {
            prop_assert_eq!(applied(&a, &line_edits(&a, &b)), b);
        }
    }
}
