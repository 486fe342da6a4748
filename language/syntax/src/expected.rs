//! What the grammar could have taken, folded into classes that a person thinks in.
//!
//! The parser's own list is exact and long: thirty-one tokens for `let x = ;`. A class stands for
//! all tokens that only begin or continue something of that class.

use crate::error::Expected;
use crate::token::Token;

/// The tokens that the grammar names in `expected`, which is in its own spelling.
pub(crate) fn tokens(expected: &[String]) -> Vec<Token> {
    expected.iter().filter_map(|it| token(it)).collect()
}

fn token(spelling: &str) -> Option<Token> {
    match spelling {
        "NAME" => Some(Token::Name),
        "INT" => Some(Token::Int),
        "FLOAT" => Some(Token::Float),
        "STR" => Some(Token::Str),
        _ => Token::from_text(spelling.trim_matches('"')),
    }
}

/// The classes that `tokens` make up, most telling first.
pub(crate) fn classes(tokens: &[Token]) -> Vec<Expected> {
    use Token::*;
    let has = |token| tokens.contains(&token);
    let mut rest = tokens.to_vec();
    let mut classes = vec![];
    let mut fold = |class, condition: bool, members: fn(Token) -> bool, rest: &mut Vec<Token>| {
        if condition {
            classes.push(class);
            rest.retain(|&it| !members(it));
        }
    };
    fold(Expected::Item, has(Kernel) && has(Struct), begins_item, &mut rest);
    fold(Expected::Statement, has(Let) && has(Return), begins_statement, &mut rest);
    fold(Expected::Clause, has(Grid) && has(Requires), is_clause, &mut rest);
    fold(Expected::Expression, has(Int) && has(Name), begins_expression, &mut rest);
    fold(Expected::Operator, has(Plus) && has(Slash), continues_expression, &mut rest);
    let pattern = rest.contains(&Name) && rest.contains(&LParen);
    fold(Expected::Pattern, pattern, |it| matches!(it, Name | LParen), &mut rest);
    fold(Expected::Name, rest.contains(&Name), |it| it == Name, &mut rest);
    fold(Expected::String, rest.contains(&Str), |it| it == Str, &mut rest);
    let mut exact: Vec<_> = rest.into_iter().map(Expected::Token).collect();
    exact.sort();
    exact.extend(classes);
    exact
}

fn begins_item(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Use | Pub
            | Const
            | Struct
            | Permit
            | Enum
            | Impl
            | Fn
            | Iter
            | Init
            | Kernel
            | Build
            | Tune
            | Test
            | Bench
    )
}

fn begins_statement(token: Token) -> bool {
    use Token::*;
    begins_expression(token)
        || matches!(token, Let | Var | Const | For | While | Return | Yield | Roles | Elect | Trust)
}

fn begins_expression(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Name | Int
            | Float
            | Str
            | True
            | False
            | LParen
            | LBracket
            | LBrace
            | Minus
            | Not
            | Star
            | Or
            | OrOr
            | If
            | Static
            | Global
            | Shared
            | Tmem
            | Tiles
            | List
            | Peers
            | Workspace
    )
}

fn is_clause(token: Token) -> bool {
    use Token::*;
    matches!(token, Where | Grid | Warps | Cluster | Requires | Expect | Allow | Pdl)
}

/// Whether what follows an operand can begin with it.
fn continues_expression(token: Token) -> bool {
    use Token::*;
    matches!(
        token,
        Dot | Path
            | At
            | Question
            | LParen
            | LBracket
            | Range
            | RangeIn
            | RangeLen
            | Plus
            | Minus
            | Star
            | Slash
            | Percent
            | Shl
            | Shr
            | And
            | Or
            | Xor
            | AndAnd
            | OrOr
            | Eq
            | Ne
            | Lt
            | Le
            | Gt
            | Ge
            | Assign
            | AddAssign
            | SubAssign
            | MulAssign
            | DivAssign
            | RemAssign
            | AndAssign
            | OrAssign
            | XorAssign
            | ShlAssign
            | ShrAssign
            | Step
            | Zeroed
            | Strides
            | Align
    )
}
