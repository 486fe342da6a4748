//! Repair: a tree for every text.

use crate::error::{SyntaxError, SyntaxErrorKind, Unreadable};
use crate::parse::{Source, resolve, strict};
use crate::token::Token;
use crate::tree::{Cx, Root};

/// Parses `source` as what `go` asks for, mending what is broken.
pub(crate) fn parse(source: &Source<'_>, go: Token) -> (Option<Root>, Vec<SyntaxError>) {
    let mut tokens = source.tokens.clone();
    resolve(&mut tokens, go);
    let mut cx = Cx::new(source.text, &tokens, &source.trivia);
    let res = strict(&mut cx, go, &tokens);
    let mut errors = source.errors.clone();
    errors.append(&mut cx.errors);
    match res {
        Ok(root) => (Some(root), errors),
        Err(stop) => {
            let span = tokens.get(stop.at).map_or(source.span(), |it| it.span);
            errors.push(SyntaxError {
                kind: SyntaxErrorKind::Unreadable(Unreadable::Item),
                span,
                expected: vec![],
                because: None,
                fix: None,
            });
            (None, errors)
        }
    }
}
