//! The limit on nesting, kept before a tree is built.
//!
//! Trees are walked and dropped recursively, so their depth must be bounded whatever is typed. An
//! open bracket is a level, and so is every operator, call, field and `else` of one expression,
//! because chains lean to the left. What is deeper is left out, with a hole in its place, and is
//! one mistake. Walking is linear and does not recurse.

use crate::ast::Span;
use crate::brackets::partners;
use crate::lex::Lexeme;
use crate::repair::Change;
use crate::token::Token;

/// How many levels an item may have.
pub const LEVELS_MAX: usize = 256;

/// `tokens`, whose brackets match, without what is too deep.
pub(crate) fn limit(tokens: Vec<Lexeme>) -> (Vec<Lexeme>, Vec<Change>) {
    if tokens.len() <= LEVELS_MAX {
        return (tokens, vec![]);
    }
    let partners = partners(&tokens);
    let mut walk = Walk { out: Vec::with_capacity(tokens.len()), changes: vec![], levels: vec![0] };
    let mut at = 0;
    while at < tokens.len() {
        at = walk.step(&tokens, &partners, at);
    }
    (walk.out, walk.changes)
}

struct Walk {
    out: Vec<Lexeme>,
    changes: Vec<Change>,
    /// The levels down to each open bracket, with the chain that is being read in the last.
    levels: Vec<usize>,
}

impl Walk {
    /// Takes the token at `at`, and says which is next.
    fn step(&mut self, tokens: &[Lexeme], partners: &[usize], at: usize) -> usize {
        let it = tokens[at];
        let here = *self.levels.last().expect("the item's own level stays");
        if here >= LEVELS_MAX && deepens(it.token) {
            return self.skip(tokens, partners, at);
        }
        match it.token {
            _ if it.token.is_opener() => {
                *self.levels.last_mut().expect("as above") += 1;
                self.levels.push(here + 1);
            }
            _ if it.token.is_closer() => {
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
                let next = tokens.get(at + 1).map(|it| it.token);
                if it.token == Token::RBrace && next != Some(Token::Else) {
                    self.restart();
                }
            }
            Token::Semi | Token::Comma => self.restart(),
            token if deepens(token) => *self.levels.last_mut().expect("as above") = here + 1,
            _ => {}
        }
        self.out.push(it);
        at + 1
    }

    /// A new chain begins at the level of the innermost open bracket.
    fn restart(&mut self) {
        let depth = self.levels.len();
        let base = if depth > 1 { self.levels[depth - 2] } else { 0 };
        self.levels[depth - 1] = base;
    }

    /// Leaves out what is too deep: the inside of a bracket, or the rest of a chain.
    fn skip(&mut self, tokens: &[Lexeme], partners: &[usize], at: usize) -> usize {
        let from = tokens[at];
        let place = self.out.last().map_or(0, |it| it.span.hi);
        let hole = |token| Lexeme { token, span: Span::new(place, place), ..from };
        self.changes.push(Change::too_deep(from.span));
        if from.token == Token::Else {
            return skip_branches(tokens, partners, at);
        }
        let after_operand = self.out.last().is_some_and(|it| it.token.ends_operand());
        if from.token == Token::LBrace {
            self.out.push(from);
            self.out.push(tokens[partners[at]]);
            return partners[at] + 1;
        }
        if !after_operand {
            self.out.push(hole(Token::ExprHole));
        }
        let mut end = at;
        while end < tokens.len() && !ends_chain(tokens[end].token) {
            end = partners[end].max(end) + 1;
        }
        end
    }
}

/// The end of the branches from the `else` at `at` on.
fn skip_branches(tokens: &[Lexeme], partners: &[usize], at: usize) -> usize {
    let mut end = at;
    while tokens.get(end).is_some_and(|it| it.token == Token::Else) {
        while end < tokens.len() && tokens[end].token != Token::LBrace {
            end = partners[end].max(end) + 1;
        }
        end = partners.get(end).map_or(end, |it| it + 1);
    }
    end
}

fn ends_chain(token: Token) -> bool {
    token.is_closer() || matches!(token, Token::Semi | Token::Comma | Token::LBrace)
}

/// Whether a tree is one level deeper after this token.
fn deepens(token: Token) -> bool {
    use Token::*;
    match token {
        Comma | Colon | Path | Assign | Arrow => false,
        Question | Not | OrOr | Or | If | Else | Global | Shared | Tmem | Tiles | List | Peers
        | Workspace => true,
        _ => token.is_joint() || token.is_opener(),
    }
}
