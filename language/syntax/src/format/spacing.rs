//! How many spaces stand between two tokens on one line.

use crate::lex::Lexeme;
use crate::token::Token;

/// What a token is beyond its kind, as far as spaces depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Plain,
    /// An operator before its only operand.
    Prefix,
    /// The `|` before a closure's parameters.
    ClosureOpen,
    /// The `|` after them.
    ClosureClose,
}

/// The spaces before each token on the line of the one before it.
pub(super) fn spaces(tokens: &[Lexeme], in_use: &[bool]) -> Vec<usize> {
    let uses = uses(tokens);
    (0..tokens.len())
        .map(|at| match at.checked_sub(1) {
            None => 0,
            Some(before) => usize::from(spaced(tokens, &uses, in_use, before, at)),
        })
        .collect()
}

fn uses(tokens: &[Lexeme]) -> Vec<Role> {
    let mut uses = vec![Role::Plain; tokens.len()];
    let mut open: Vec<usize> = vec![];
    let mut depth = 0usize;
    for at in 0..tokens.len() {
        let after_operand = at > 0 && tokens[at - 1].token.ends_operand();
        match tokens[at].token {
            Token::Or if open.last() == Some(&depth) => {
                open.pop();
                uses[at] = Role::ClosureClose;
            }
            Token::Or if !after_operand => {
                open.push(depth);
                uses[at] = Role::ClosureOpen;
            }
            Token::Minus | Token::Star | Token::Not if !after_operand => uses[at] = Role::Prefix,
            token if token.is_opener() => depth += 1,
            token if token.is_closer() => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    uses
}

fn spaced(tokens: &[Lexeme], uses: &[Role], in_use: &[bool], left: usize, right: usize) -> bool {
    use Token::*;
    let (a, b) = (tokens[left].token, tokens[right].token);
    // Where joined they would be one other token: `8 . 0`, `| |`.
    let after = tokens.get(right + 1).map(|it| it.token);
    if (a, b, after) == (Int, Dot, Some(Int)) && !follows_dot(tokens, left) {
        return true;
    }
    if (uses[left], uses[right]) == (Role::ClosureOpen, Role::ClosureClose) {
        return true;
    }
    if uses[left] == Role::Prefix
        || uses[left] == Role::ClosureOpen
        || uses[right] == Role::ClosureClose
    {
        return false;
    }
    match (a, b) {
        (_, Comma | Semi | RParen | RBracket | Question | Dot | Path) => false,
        (LParen | LBracket | Dot | Path, _) => false,
        (LBrace, RBrace) => false,
        (LBrace, _) => !in_use[left],
        (_, RBrace) => !in_use[right],
        (Comma, Colon) => true,
        (_, Colon) => false,
        (Range | RangeIn, _) => false,
        (_, Range | RangeIn) => !a.ends_operand(),
        (Init, LParen | LBracket) => false,
        (_, LParen | LBracket) => !a.ends_operand(),
        _ => true,
    }
}

/// Whether the token at `at` is a tuple's field.
fn follows_dot(tokens: &[Lexeme], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|it| tokens[it].token == Token::Dot)
}
