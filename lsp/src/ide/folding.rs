//! What can be folded: brackets over several lines, runs of comments and of `use` items.

use tile_language::db::{Db, SourceFile};
use tile_syntax::ast::Span;
use tile_syntax::{Lexeme, Token, Trivia, lex};

use super::line_index::{LineIndex, line_index};

/// A stretch that can be folded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fold {
    /// The line that stays.
    pub first: u32,
    /// The last line that goes.
    pub last: u32,
    /// What it is.
    pub kind: FoldKind,
}

/// What is folded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FoldKind {
    /// What stands in brackets.
    Code,
    /// Comments.
    Comment,
    /// `use` items.
    Imports,
}

/// What can be folded in a file, in order.
pub fn folds(db: &dyn Db, file: SourceFile) -> Vec<Fold> {
    let lexed = lex(file.text(db));
    let lines = line_index(db, file);
    let mut found = brackets(&lexed.tokens, lines);
    found.extend(comments(&lexed.trivia, lines));
    found.extend(imports(&lexed.tokens, lines));
    found.sort();
    found.dedup_by_key(|it| it.first);
    found
}

fn brackets(tokens: &[Lexeme], lines: &LineIndex) -> Vec<Fold> {
    let (mut found, mut open) = (Vec::new(), Vec::<Lexeme>::new());
    for it in tokens {
        if it.token.is_opener() {
            open.push(*it);
            continue;
        }
        // A bracket without a partner closes nothing: the one around it is still open.
        let partner = open.iter().rposition(|opener| opener.token.closer() == Some(it.token));
        if let (true, Some(at)) = (it.token.is_closer(), partner) {
            let (first, close) = (lines.line(open[at].span.lo), lines.line(it.span.lo));
            open.truncate(at);
            if first + 1 < close {
                found.push(Fold { first, last: close - 1, kind: FoldKind::Code });
            }
        }
    }
    found
}

fn comments(trivia: &[Trivia], lines: &LineIndex) -> Vec<Fold> {
    let own_lines = trivia.iter().filter_map(|it| match it {
        Trivia::Comment { span, kind, own_line: true } => Some((lines.line(span.lo), *kind)),
        _ => None,
    });
    let mut found: Vec<Fold> = Vec::new();
    let mut run = None;
    for (line, kind) in own_lines {
        run = match run {
            Some((first, last, of)) if last + 1 == line && of == kind => Some((first, line, of)),
            _ => Some((line, line, kind)),
        };
        if let Some((first, last, _)) = run.filter(|it| it.0 < it.1) {
            found.retain(|it| it.first != first);
            found.push(Fold { first, last, kind: FoldKind::Comment });
        }
    }
    found
}

fn imports(tokens: &[Lexeme], lines: &LineIndex) -> Option<Fold> {
    let uses = tokens.iter().filter(|it| it.first && it.token == Token::Use);
    let first = uses.clone().next()?;
    let run: Vec<Span> = tokens
        .split(|it| it.token == Token::Semi)
        .skip_while(|it| it.first() != Some(first))
        .take_while(|it| it.iter().take(2).any(|it| it.token == Token::Use))
        .map(|it| it[0].span.to(it[it.len() - 1].span))
        .collect();
    let (first, last) = (lines.line(first.span.lo), lines.line(run.last()?.hi));
    (first < last).then_some(Fold { first, last, kind: FoldKind::Imports })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ide::fixture::Fixture;

    #[test]
    fn bodies_comments_and_imports_fold() {
        let fixture = Fixture::new(
            "use std::a;\nuse std::b;\n\n// one\n// two\nfn f() {\n    g(\n        1,\n    );\n}\n",
        );
        let found: Vec<_> = folds(&fixture.db, fixture.file)
            .into_iter()
            .map(|it| (it.first, it.last, it.kind))
            .collect();
        let expected = [
            (0, 1, FoldKind::Imports),
            (3, 4, FoldKind::Comment),
            (5, 8, FoldKind::Code),
            (6, 7, FoldKind::Code),
        ];
        assert_eq!(found, expected);
    }
}
