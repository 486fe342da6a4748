//! Syntax errors as data: what is wrong, what was expected, why, and the edit that mends it.
//!
//! No sentences: those are written where diagnostics are worded. Spans are relative to the text
//! that was parsed.

use smol_str::SmolStr;

use crate::ast::Span;
use crate::token::Token;

/// One mistake.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The smallest place that shows it; empty where something is missing.
    pub span: Span,
    /// What could have stood there, most likely first.
    pub expected: Vec<Expected>,
    /// What makes it so: the bracket that is open, the item that is unfinished.
    pub because: Option<Because>,
    /// The edit that mends it, as far as repair knows.
    pub fix: Option<TextEdit>,
}

/// The mistakes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum SyntaxErrorKind {
    /// These are missing, in this order.
    Missing(Vec<Expected>),
    /// This text does not belong here.
    Stray(SmolStr),
    /// The first stands where the second was meant.
    Instead(SmolStr, Expected),
    /// A statement, a clause, an item or an element of a list that could not be read.
    Unreadable(Unreadable),
    /// `a < b < c`
    ChainedComparison,
    /// More levels than [`crate::depth::LEVELS_MAX`].
    TooDeep,
    /// Characters that begin no token.
    Character,
    /// A string that its line does not end.
    OpenString,
    /// `\q` in a string: the span is the escape's.
    Escape,
    /// A number with letters in it.
    Number,
    /// `/*`
    BlockComment,
    /// `break`, `continue` or `as`, which the language does not have.
    Foreign(Token),
}

/// What could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unreadable {
    /// A statement.
    Statement,
    /// An expression, an argument or an element.
    Element,
    /// The head of a loop, a role or a branch.
    Head,
    /// A clause.
    Clause,
    /// What stands between an item's name and its body.
    Signature,
    /// A whole item.
    Item,
}

/// A class of things that may stand somewhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Expected {
    /// An expression.
    Expression,
    /// A type.
    Type,
    /// A name.
    Name,
    /// A pattern.
    Pattern,
    /// An argument.
    Argument,
    /// A statement.
    Statement,
    /// A clause such as `where`.
    Clause,
    /// An operator.
    Operator,
    /// A string.
    String,
    /// An item.
    Item,
    /// Exactly this token.
    Token(Token),
}

/// A place that explains an error.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Because {
    /// Where.
    pub span: Span,
    /// The token that stands there.
    pub token: Token,
}

/// A replacement of text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TextEdit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub text: SmolStr,
}

impl SyntaxError {
    /// The same error, `by` bytes further on.
    #[must_use]
    pub fn shifted(mut self, by: u32) -> SyntaxError {
        self.span = self.span.shifted(by);
        if let Some(because) = &mut self.because {
            because.span = because.span.shifted(by);
        }
        if let Some(fix) = &mut self.fix {
            fix.span = fix.span.shifted(by);
        }
        self
    }
}
