//! The words of the language, each with its group and with what must stand around it.
//!
//! The parser knows exactly where a word is special ([`tile_syntax`], `words.rs`); a grammar of regular
//! expressions gets near: a word is plain after `.` and `::` and before `:`, and some words are special
//! only before certain things.

use tile_language::dtype::DType;
use tile_syntax::Token;

/// What a word is to a reader.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Group {
    /// Begins an item.
    Item,
    /// Begins a statement or stands in one.
    Control,
    /// Binds a name.
    Binding,
    /// Says something of an item: `grid`, `warps`.
    Clause,
    /// Begins a block of roles, or of one thread.
    Block,
    /// Names a memory.
    Memory,
    /// Changes what follows or precedes it.
    Modifier,
    /// Is a value.
    Constant,
}

impl Group {
    /// All of them.
    pub(crate) const ALL: [Group; 8] = [
        Group::Item,
        Group::Control,
        Group::Binding,
        Group::Clause,
        Group::Block,
        Group::Memory,
        Group::Modifier,
        Group::Constant,
    ];
}

/// What must follow a word for it to be special.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Next {
    /// Anything.
    Any,
    /// A name.
    Name,
    /// A name or a number.
    Operand,
    /// A string.
    Text,
    /// `{`
    Brace,
    /// `[`
    Bracket,
    /// `(` or `[`
    List,
    /// No `(`, `.` or `::`.
    Alone,
}

/// The group of a token and what must follow; `None` if it is no word.
pub(crate) fn place(token: Token) -> Option<(Group, Next)> {
    use Token::*;
    Some(match token {
        Use | Struct | Enum | Impl | Fn | Kernel => (Group::Item, Next::Any),
        Iter | Permit | Build | Tune => (Group::Item, Next::Name),
        Test | Bench => (Group::Item, Next::Text),
        Init => (Group::Item, Next::List),
        If | Else | For | In | While | Return | Yield | Break | Continue | Step | As => {
            (Group::Control, Next::Any)
        }
        Let | Var | Const => (Group::Binding, Next::Any),
        Where | Pdl | Resident | Expect => (Group::Clause, Next::Alone),
        Grid | Cluster => (Group::Clause, Next::Bracket),
        Warps | Regs => (Group::Clause, Next::Operand),
        Requires | Allow | On => (Group::Clause, Next::Name),
        Roles | Elect => (Group::Block, Next::Brace),
        Trust => (Group::Block, Next::Text),
        Global | Shared | Tmem | Tiles | List | Peers | Workspace => (Group::Memory, Next::Any),
        Pub | Mut | Static => (Group::Modifier, Next::Any),
        Own => (Group::Modifier, Next::Name),
        Strides => (Group::Modifier, Next::Bracket),
        Align => (Group::Modifier, Next::Operand),
        Zeroed => (Group::Modifier, Next::Alone),
        True | False => (Group::Constant, Next::Any),
        LParen | RParen | LBracket | RBracket | LBrace | RBrace | Semi | Comma | Colon | Path
        | Dot | Arrow | At | Question | Range | RangeIn | RangeLen | Assign | AddAssign
        | SubAssign | MulAssign | DivAssign | RemAssign | AndAssign | OrAssign | XorAssign
        | ShlAssign | ShrAssign | Plus | Minus | Star | Slash | Percent | Shl | Shr | And | Or
        | Xor | AndAnd | OrOr | Not | Eq | Ne | Lt | Le | Gt | Ge | Name | Int | Float
        | BadNumber | Str | OpenStr | Comment | BlockComment | Space | GoItem | GoBody
        | GoRoles | GoMembers | GoExpr | Hole | HoleHead | ExprHole => return None,
    })
}

/// The words of a group, with what must follow, in the order of the table of tokens.
pub(crate) fn of(group: Group) -> Vec<(Next, Vec<&'static str>)> {
    let mut found: Vec<(Next, Vec<&'static str>)> = Vec::new();
    for token in Token::WRITTEN {
        let Some((of, next)) = place(*token) else { continue };
        if of != group {
            continue;
        }
        match found.iter_mut().find(|it| it.0 == next) {
            Some(it) => it.1.push(token.text()),
            None => found.push((next, vec![token.text()])),
        }
    }
    found
}

/// The operators and punctuation that are written with more than brackets, longest first.
pub(crate) fn operators() -> Vec<&'static str> {
    let is_operator = |it: &Token| {
        !it.is_word()
            && !matches!(it, Token::Semi | Token::Comma | Token::Colon | Token::Dot)
            && !it.is_opener()
            && !it.is_closer()
    };
    let tokens = Token::WRITTEN.iter().copied().filter(is_operator);
    let mut found: Vec<&str> = tokens.map(Token::text).collect();
    found.sort_by_key(|it| std::cmp::Reverse(it.len()));
    found
}

/// The element types.
pub(crate) fn elements() -> Vec<&'static str> {
    DType::ALL.iter().map(|it| it.name()).collect()
}

/// The kinds of compile-time values that are no element types.
pub(crate) const KINDS: [&str; 6] = ["int", "type", "layout", "str", "record", "barrier"];

/// The other constants.
pub(crate) const VALUES: [&str; 2] = ["none", "inf"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_lexer_is_in_one_group() {
        let words = Token::WRITTEN.iter().filter(|it| it.is_word());
        let lost: Vec<&str> =
            words.filter(|it| place(**it).is_none()).map(|it| it.text()).collect();
        assert!(lost.is_empty(), "{lost:?}");
        let n_words = Token::WRITTEN.iter().filter(|it| it.is_word()).count();
        let n_placed: usize = Group::ALL.iter().flat_map(|it| of(*it)).map(|it| it.1.len()).sum();
        assert_eq!(n_words, n_placed);
    }
}
