//! The text of Tile: tokens, syntax trees, repair and formatting.
//!
//! Any text gives a tree and a list of [`SyntaxError`]s; nothing here panics on what a person types,
//! and nothing recurses deeper than [`depth::LEVELS_MAX`] levels. The way of a text:
//!
//! 1. [`lex`]: tokens, with comments and blank lines in a side table;
//! 2. [`split`](split()): items, found before anything is known to be right;
//! 3. `words`: which words are special where they stand;
//! 4. the grammar, strict LR(1), with `tree` as its actions;
//! 5. if that fails, `brackets`, then `repair` and `region`: the edits after which it does not.
//!
//! [`format`](format()) prints through the tokens, so that it cannot lose a comment.

pub mod ast;
mod brackets;
pub mod depth;
mod error;
mod expected;
mod format;
mod lex;
mod parse;
mod region;
mod repair;
mod split;
mod token;
mod tree;
mod words;

pub use error::{Because, Expected, SyntaxError, SyntaxErrorKind, TextEdit, Unreadable};
pub use format::{format, format_range};
pub use lex::{CommentKind, Lexed, Lexeme, Trivia, lex};
pub use parse::{
    ParsedFile, ParsedItem, parse_body, parse_expr, parse_file, parse_item, read_item,
};
pub use repair::mending_work;
pub use split::{Chunk, chunks, split};
pub use token::Token;
pub use tree::power;
