//! Splitting a file into items, before anything is known to be right.
//!
//! *Hard* starters (`kernel NAME`, `struct NAME`, `impl NAME`, `test "…"`, …) cut wherever they
//! stand: they can occur nowhere inside an item. *Soft* ones (`fn`, `const`, `iter NAME`) cut where
//! no bracket is open, and inside an item whose brackets do not match also in the first column.
//! Brackets are matched with a stack that ignores closers of nothing, so that one bracket too many
//! does not cut a kernel in half.

use crate::lex::{CommentKind, Lexed, Lexeme, Trivia, lex};
use crate::token::Token;

/// An item's place in a file, with its docs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Chunk {
    /// The first byte: of the docs, if there are any.
    pub lo: u32,
    /// One past the last token.
    pub hi: u32,
}

/// The places of the items of `text`, in order. White space, comments other than docs, and what
/// cannot be read between items belong to no chunk; all tokens belong to one.
pub fn split(text: &str) -> Vec<Chunk> {
    chunks(&lex(text))
}

/// As [`split`], of a text whose tokens are known.
pub fn chunks(lexed: &Lexed) -> Vec<Chunk> {
    let tokens = &lexed.tokens;
    let mut starts = starts(tokens);
    starts.push(tokens.len());
    let mut before = 0;
    starts
        .windows(2)
        .map(|it| {
            let first = tokens[it[0]].span.lo;
            let from = lexed.trivia.partition_point(|it| it.lo() < before);
            let to = lexed.trivia.partition_point(|it| it.lo() < first);
            let lo = lexed.trivia[from..to].iter().find(|it| is_doc(it)).map_or(first, Trivia::lo);
            before = tokens[it[1] - 1].span.hi;
            Chunk { lo, hi: before }
        })
        .collect()
}

fn is_doc(trivia: &Trivia) -> bool {
    matches!(trivia, Trivia::Comment { kind: CommentKind::Doc, .. })
}

/// The indices of the tokens that begin items; the first token always does.
pub(crate) fn starts(tokens: &[Lexeme]) -> Vec<usize> {
    let mut starts = vec![];
    let mut stack: Vec<Token> = vec![];
    let mut balanced = BalancedUntil::default();
    for at in 0..tokens.len() {
        let begins = starts.is_empty() || {
            let item = *starts.last().expect("it is not empty");
            !is_prefixed(tokens, item, at)
                && match starter(tokens, at) {
                    Some(Starter::Hard) => true,
                    Some(Starter::Soft) => {
                        let outer = tokens[item].indent;
                        (stack.is_empty() && tokens[at].indent <= outer && ended(tokens, at))
                            || (at_margin(tokens, at) && !balanced.is_balanced(tokens, item, at))
                    }
                    None => false,
                }
        };
        if begins {
            starts.push(at);
            stack.clear();
        }
        let token = tokens[at].token;
        if let Some(closer) = token.closer() {
            stack.push(closer);
        } else if token.is_closer()
            && let Some(opener) = stack.iter().rposition(|&it| it == token)
        {
            stack.truncate(opener);
        }
    }
    starts
}

enum Starter {
    Hard,
    Soft,
}

/// Whether the token at `at` only continues what `pub` at `item` began.
fn is_prefixed(tokens: &[Lexeme], item: usize, at: usize) -> bool {
    at == item + 1 && tokens[item].token == Token::Pub
}

fn at_margin(tokens: &[Lexeme], at: usize) -> bool {
    tokens[at].first && tokens[at].indent == 0
}

/// Whether something has come to its end before the token at `at`.
fn ended(tokens: &[Lexeme], at: usize) -> bool {
    tokens[at].first || matches!(tokens[at - 1].token, Token::Semi | Token::RBrace)
}

fn starter(tokens: &[Lexeme], at: usize) -> Option<Starter> {
    use Token::*;
    let token_at = |at: usize| tokens.get(at).map(|it| it.token);
    let margin = at_margin(tokens, at);
    let before = at.checked_sub(1).and_then(token_at);
    if (matches!(before, Some(Dot | Path)) || token_at(at + 1) == Some(Colon)) && !margin {
        return None;
    }
    let token = token_at(at)?;
    if token == Pub {
        return match token_at(at + 1) {
            Some(Kernel | Struct | Enum | Impl | Use | Permit) => Some(Starter::Hard),
            _ => Some(Starter::Soft),
        };
    }
    if before == Some(Pub) {
        return None;
    }
    let named = token_at(at + 1).is_some_and(Token::is_word);
    let new_line = tokens[at].first;
    match token {
        Kernel | Struct | Enum | Impl if named || new_line => Some(Starter::Hard),
        Use => Some(Starter::Hard),
        Test | Bench if token_at(at + 1) == Some(Str) => Some(Starter::Hard),
        Build if named && token_at(at + 2) == Some(Assign) => Some(Starter::Hard),
        Tune | Permit if named && margin => Some(Starter::Hard),
        Tune if named && token_at(at + 2) == Some(For) => Some(Starter::Hard),
        Permit if named => Some(Starter::Soft),
        Const | Fn => Some(Starter::Soft),
        Iter if named => Some(Starter::Soft),
        _ => None,
    }
}

/// Remembers how far the brackets of an item have been found to match.
#[derive(Default)]
struct BalancedUntil {
    item: Option<usize>,
    verdict: bool,
}

impl BalancedUntil {
    /// Whether the brackets of the item that begins at `item` match up to the next token in the
    /// first column, after `at`, at which nothing is open.
    fn is_balanced(&mut self, tokens: &[Lexeme], item: usize, at: usize) -> bool {
        if self.item != Some(item) {
            self.item = Some(item);
            self.verdict = matches_from(tokens, item, at);
        }
        self.verdict
    }
}

/// Whether the brackets from `item` on match until nothing is open any more after `at`.
fn matches_from(tokens: &[Lexeme], item: usize, at: usize) -> bool {
    let mut stack = vec![];
    for (here, it) in tokens.iter().enumerate().skip(item) {
        if let Some(closer) = it.token.closer() {
            stack.push(closer);
        } else if it.token.is_closer() && stack.pop() != Some(it.token) {
            return false;
        }
        if at < here && stack.is_empty() {
            return true;
        }
        // A hard starter ends the item, whatever is open.
        if at < here && matches!(starter(tokens, here), Some(Starter::Hard)) {
            return stack.is_empty();
        }
    }
    stack.is_empty()
}
