//! Which words are special where they stand.
//!
//! The lexer makes a token of every word that is special anywhere. This pass turns those outside
//! their context back into names, so that a function may be called `test`, an argument `warps` and
//! a field `tiles`, while the grammar stays LR(1):
//!
//! * after `.`, `::`, `fn` and `iter`, and before `:`, every word is a name;
//! * item words (`test`, `build`, …) are special at the start of an item, members of an `impl`;
//! * clause words are special between `kernel`, `fn`, `iter`, `init` or `tune` and the body, outside
//!   brackets; `on` in the head of a test; `warps`, `regs` and `on` in the head of a role;
//! * `roles`, `elect` and `trust` are special where a statement begins and their block follows;
//! * `strides`, `align` and `zeroed` are special after an operand.

use crate::lex::Lexeme;
use crate::token::Token;

/// Turns the special words of one item, or of a part of one, that are out of context into names.
pub(crate) fn resolve(tokens: &mut [Lexeme], start: Start) {
    let is_use = leads_with(tokens, Token::Use);
    let mut pass = Pass::new(start);
    for at in 0..tokens.len() {
        let token = tokens[at].token;
        let around = Around {
            first: tokens[at].first,
            before: at.checked_sub(1).map(|before| tokens[before].token),
            next: tokens.get(at + 1).map(|it| it.token),
            next_but_one: tokens.get(at + 2).map(|it| it.token),
        };
        if token.is_word() && token != Token::Name {
            let kept = if is_use {
                matches!(token, Token::Use | Token::As | Token::Pub)
            } else {
                pass.is_special(token, around)
            };
            if !kept {
                tokens[at].token = Token::Name;
            }
        }
        pass.step(tokens[at].token, around);
    }
}

/// Whether `word` is the first token after an optional `pub`.
pub(crate) fn leads_with(tokens: &[Lexeme], word: Token) -> bool {
    tokens.iter().map(|it| it.token).find(|&it| it != Token::Pub) == Some(word)
}

/// What the tokens are a part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Start {
    /// A whole item.
    Item,
    /// Statements.
    Body,
}

#[derive(Clone, Copy)]
struct Around {
    /// Whether the word is the first on its line.
    first: bool,
    before: Option<Token>,
    next: Option<Token>,
    next_but_one: Option<Token>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    /// `(` or `[`
    List,
    /// A block, or what a struct or an enum holds.
    Block,
    /// What `roles` holds.
    Roles,
    /// What an `impl` holds.
    Members,
}

/// Between an opening word and the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Head {
    Function,
    Test,
    Tune,
    Role,
}

struct Pass {
    frames: Vec<Frame>,
    /// The head that we are in, and how many frames were open where it began.
    head: Option<(Head, usize)>,
    roles_next: bool,
    impl_next: bool,
    at_item_start: bool,
}

impl Pass {
    fn new(start: Start) -> Pass {
        let frames = match start {
            Start::Item => vec![],
            Start::Body => vec![Frame::Block],
        };
        let at_item_start = start == Start::Item;
        Pass { frames, head: None, roles_next: false, impl_next: false, at_item_start }
    }

    /// Whether `word` means what it is special for.
    fn is_special(&self, word: Token, around: Around) -> bool {
        use Token::*;
        let Around { first, before, next, next_but_one } = around;
        let begins = matches!(word, Let | Var | For | While | If | Return | Yield | Static | Const);
        if matches!(before, Some(Dot | Path | Fn | Iter)) && !(first && begins) {
            return false;
        }
        let labels = next == Some(Colon);
        let name_next = next.is_some_and(Token::is_word);
        let after_operand = before.is_some_and(Token::ends_operand);
        match word {
            Use | Pub | Const | Struct | Enum | Impl | Fn | Kernel | Let | Var | Mut | If
            | Else | For | In | While | Return | Static | Yield | True | False | As | Break
            | Continue | Step | Global | Shared | Tmem | Tiles | List | Peers | Workspace => {
                !labels
            }
            Permit | Build | Tune => self.at_item_start && name_next,
            Test | Bench => self.at_item_start && next == Some(Str),
            Iter => (self.at_item_start || self.begins_member(before)) && name_next,
            Init => self.begins_member(before) && matches!(next, Some(LParen | LBracket)),
            Own => {
                matches!(before, Some(LBrace | Comma)) && name_next && next_but_one == Some(Colon)
            }
            Where => self.in_head(Head::Function) || self.in_head(Head::Tune),
            Grid | Cluster => {
                self.in_head(Head::Function) && (first || next == Some(LBracket)) && !labels
            }
            Requires | Allow => self.in_head(Head::Function) && name_next,
            Expect => self.in_head(Head::Function) && next != Some(LParen),
            Pdl => self.in_head(Head::Function) && !matches!(next, Some(Path | Dot)),
            Resident => self.in_head(Head::Function) && before == Some(RBracket),
            Warps if labels => false,
            Warps => self.in_head(Head::Function) || self.in_head(Head::Role),
            Regs => self.in_head(Head::Role) && !labels,
            On => self.in_head(Head::Test) || (self.in_head(Head::Role) && name_next),
            Roles | Elect => (first || begins_statement(before)) && next == Some(LBrace),
            Trust => (first || begins_statement(before)) && next == Some(Str),
            Strides => after_operand && next == Some(LBracket),
            Align => after_operand && matches!(next, Some(Int | Name | LParen)),
            Zeroed => after_operand,
            _ => true,
        }
    }

    fn begins_member(&self, before: Option<Token>) -> bool {
        let in_members = self.frames.last() == Some(&Frame::Members) && self.head.is_none();
        in_members && (begins_statement(before) || before == Some(Token::Pub))
    }

    /// Whether we are in such a head and outside its brackets.
    fn in_head(&self, head: Head) -> bool {
        self.head == Some((head, self.frames.len()))
    }

    fn begin_head(&mut self, head: Head) {
        self.head = Some((head, self.frames.len()));
    }

    /// Takes note of a token whose meaning is decided.
    fn step(&mut self, token: Token, around: Around) {
        use Token::*;
        match token {
            Kernel | Fn | Iter | Init => self.begin_head(Head::Function),
            Test | Bench => self.begin_head(Head::Test),
            Tune => self.begin_head(Head::Tune),
            Impl => self.impl_next = true,
            Roles => self.roles_next = true,
            Colon if self.frames.last() == Some(&Frame::Roles) => self.begin_head(Head::Role),
            LParen | LBracket => self.frames.push(Frame::List),
            LBrace => self.open_block(),
            RParen | RBracket | RBrace => {
                self.frames.pop();
            }
            Semi if self.head.is_some_and(|(_, depth)| depth >= self.frames.len()) => {
                self.head = None;
            }
            _ => {}
        }
        self.at_item_start &= token == Pub && around.before.is_none();
    }

    fn open_block(&mut self) {
        let frame = if std::mem::take(&mut self.roles_next) {
            Frame::Roles
        } else if std::mem::take(&mut self.impl_next) {
            Frame::Members
        } else {
            Frame::Block
        };
        if self.head.is_some_and(|(_, depth)| depth >= self.frames.len()) {
            self.head = None;
        }
        self.frames.push(frame);
    }
}

fn begins_statement(before: Option<Token>) -> bool {
    matches!(before, None | Some(Token::LBrace | Token::RBrace | Token::Semi | Token::Hole))
}
