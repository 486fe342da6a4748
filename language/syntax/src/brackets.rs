//! Matching brackets by indentation, for items in which they do not match.
//!
//! People lay out what they mean before they close it, so the lines say which bracket is missing:
//!
//! * a line that is not deeper than the line of an open `(` or `[` closes it, as do `;` at a line's
//!   end, a statement keyword, a clause word at a line's start, and a `}`;
//! * a line that is not deeper than the head of an open block closes the block;
//! * a deeper line after the head of a loop, a branch or a role opens the block that is missing;
//! * a `}` deeper than what it would close is stray, as is a closer that closes nothing.
//!
//! What it returns matches. Items whose brackets match never come here.

use crate::ast::Span;
use crate::error::Because;
use crate::lex::Lexeme;
use crate::repair::Change;
use crate::token::Token;

/// Whether every bracket has its partner.
pub(crate) fn is_balanced(tokens: &[Lexeme]) -> bool {
    let mut stack = vec![];
    for it in tokens {
        if let Some(closer) = it.token.closer() {
            stack.push(closer);
        } else if it.token.is_closer() && stack.pop() != Some(it.token) {
            return false;
        }
    }
    stack.is_empty()
}

/// The partner of every bracket of tokens that match; its own index for other tokens.
pub(crate) fn partners(tokens: &[Lexeme]) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..tokens.len()).collect();
    let mut stack = vec![];
    for (at, it) in tokens.iter().enumerate() {
        if it.token.is_opener() {
            stack.push(at);
        } else if it.token.is_closer()
            && let Some(opener) = stack.pop()
        {
            partners[at] = opener;
            partners[opener] = at;
        }
    }
    partners
}

/// `tokens` with brackets put in and left out until they match, and what was changed.
pub(crate) fn mend(tokens: &[Lexeme]) -> (Vec<Lexeme>, Vec<Change>) {
    let mut line = 0;
    let lines = tokens
        .iter()
        .map(|it| {
            line += u32::from(it.first);
            line
        })
        .collect();
    let mut mender = Mender {
        tokens,
        lines,
        out: Vec::with_capacity(tokens.len() + 4),
        changes: vec![],
        open: vec![Open { opener: None, line_indent: 0, head_indent: 0, head: None }],
    };
    for at in 0..tokens.len() {
        mender.step(at);
    }
    while mender.open.len() > 1 {
        mender.close_top();
    }
    (mender.out, mender.changes)
}

/// A bracket that is open; at the bottom the item, which is no bracket.
struct Open {
    opener: Option<Opener>,
    /// The indentation of its line.
    line_indent: u32,
    /// The indentation of the statement or item whose block it is.
    head_indent: u32,
    /// For blocks: the index of the first token of the statement that is being read.
    head: Option<usize>,
}

#[derive(Clone, Copy)]
struct Opener {
    token: Token,
    span: Span,
    line: u32,
}

impl Open {
    fn is_list(&self) -> bool {
        matches!(self.opener, Some(it) if it.token != Token::LBrace)
    }

    fn is_block(&self) -> bool {
        matches!(self.opener, Some(it) if it.token == Token::LBrace)
    }

    fn closer(&self) -> Option<Token> {
        self.opener.and_then(|it| it.token.closer())
    }
}

struct Mender<'a> {
    tokens: &'a [Lexeme],
    /// The line of each token, counted in lines with tokens.
    lines: Vec<u32>,
    out: Vec<Lexeme>,
    changes: Vec<Change>,
    open: Vec<Open>,
}

impl Mender<'_> {
    fn step(&mut self, at: usize) {
        let it = self.tokens[at];
        if it.first {
            self.begin_line(at);
        } else if self.begins_statement(at) && self.top().is_list() {
            self.close_lists();
        }
        if it.token == Token::Semi {
            self.semicolon(at);
        }
        if it.token.is_opener() {
            self.note_head(at);
            self.push_open(at, it);
        } else if it.token.is_closer() {
            self.closer(at);
        } else {
            self.note_head(at);
            self.out.push(it);
            if it.token == Token::Semi {
                self.top_mut().head = None;
            }
        }
    }

    fn top(&self) -> &Open {
        self.open.last().expect("the item itself is never closed")
    }

    fn top_mut(&mut self) -> &mut Open {
        self.open.last_mut().expect("the item itself is never closed")
    }

    /// The innermost block, or the item.
    fn block(&self) -> &Open {
        self.open.iter().rfind(|it| !it.is_list()).expect("the item itself is no list")
    }

    fn note_head(&mut self, at: usize) {
        let top = self.top_mut();
        if !top.is_list() && top.head.is_none() {
            top.head = Some(at);
        }
    }

    fn push_open(&mut self, at: usize, it: Lexeme) {
        let line_indent = it.indent;
        let top = self.top();
        let head_indent = match top.head {
            Some(head) if !top.is_list() => self.tokens[head].indent.min(line_indent),
            _ => line_indent,
        };
        let opener = Some(Opener { token: it.token, span: it.span, line: self.lines[at] });
        self.open.push(Open { opener, line_indent, head_indent, head: None });
        self.out.push(it);
    }

    /// Puts the closer of the innermost bracket after the last token.
    fn close_top(&mut self) {
        let open = self.open.pop().expect("the caller saw it");
        let opener = open.opener.expect("the caller saw a bracket");
        let closer = opener.token.closer().expect("it opens something");
        let because = Some(Because { span: opener.span, token: opener.token });
        self.insert(closer, because, (closer == Token::RBrace).then_some(open.head_indent));
        if closer == Token::RBrace && !self.top().is_list() {
            self.top_mut().head = None;
        }
    }

    fn insert(&mut self, token: Token, because: Option<Because>, indent: Option<u32>) {
        let place = self.out.last().map_or(0, |it| it.span.hi);
        let last = self.out.last().map_or(0, |it| it.indent);
        let span = Span::new(place, place);
        self.out.push(Lexeme { token, span, first: false, indent: last });
        self.changes.push(Change::missing(place, token, because, indent));
    }

    fn close_lists(&mut self) {
        while self.top().is_list() {
            self.close_top();
        }
    }

    fn begin_line(&mut self, at: usize) {
        let it = self.tokens[at];
        let in_head = self.in_function_head();
        if in_head && self.lacks_parameters(at) {
            self.close_lists();
            self.open_made_up(at, Token::LParen);
        } else if (in_head && self.looks_like_statement(at)) || self.lacks_block(at) {
            self.close_lists();
            self.open_made_up(at, Token::LBrace);
        } else if self.begins_statement(at) || (in_head && self.begins_clause(at)) {
            self.close_lists();
        }
        while it.indent <= self.top().line_indent
            && self.top().is_list()
            && self.top().closer() != Some(it.token)
        {
            self.close_top();
        }
        while self.top().is_block()
            && it.indent <= self.top().head_indent
            && it.token != Token::RBrace
        {
            self.close_top();
            while self.top().is_list() && it.indent <= self.top().line_indent {
                if self.top().closer() == Some(it.token) {
                    break;
                }
                self.close_top();
            }
        }
    }

    /// Whether the statement that is being read is a function's head so far.
    fn in_function_head(&self) -> bool {
        use Token::{Bench, Fn, Init, Iter, Kernel, Pub, Test};
        let Some(head) = self.block().head else { return false };
        let is_word =
            |it: &Lexeme| matches!(it.token, Kernel | Fn | Iter | Init | Test | Bench | Pub);
        let members = self.blocks() == 0 || self.in_impl();
        members && is_word(&self.tokens[head])
    }

    /// Whether the innermost block is what an `impl` holds.
    fn in_impl(&self) -> bool {
        let is_impl = self.tokens.iter().take(2).any(|it| it.token == Token::Impl);
        is_impl && self.blocks() == 1
    }

    /// Whether a parameter list that began before the line at `at` has no `(`: its `)` is ahead.
    fn lacks_parameters(&self, at: usize) -> bool {
        let head = self.block().head.unwrap_or(0);
        let in_list = matches!(self.top().opener, Some(it) if it.token == Token::LParen);
        if in_list || self.tokens[head..at].iter().any(|it| it.token == Token::LParen) {
            return false;
        }
        let mut depth = 0;
        for it in &self.tokens[at..] {
            match it.token {
                Token::LBrace | Token::Semi => return false,
                token if token.is_opener() => depth += 1,
                token if token.is_closer() && depth > 0 => depth -= 1,
                token if token.is_closer() => return token == Token::RParen,
                _ => {}
            }
        }
        false
    }

    /// Whether the line at `at` can only be a statement: a keyword, or a name with what follows a
    /// name in a statement.
    fn looks_like_statement(&self, at: usize) -> bool {
        use Token::*;
        let joined = at > 0 && self.tokens[at - 1].token.is_joint() && !self.top().is_list();
        let next = self.tokens.get(at + 1).map(|it| it.token);
        match self.tokens[at].token {
            If | Static | Roles | Elect | Const => next != Some(Colon),
            Name => {
                !joined && matches!(next, Some(Dot | LParen | LBracket | Path | Assign | AddAssign))
            }
            _ => self.begins_statement(at),
        }
    }

    fn begins_clause(&self, at: usize) -> bool {
        is_clause(self.tokens[at].token)
            && self.tokens.get(at + 1).is_none_or(|it| it.token != Token::Colon)
    }

    /// Whether only a statement can begin with the token at `at`; `var` also marks parameters.
    fn begins_statement(&self, at: usize) -> bool {
        use Token::{Colon, Comma, For, LParen, Let, Return, Var, While, Yield};
        let before = at.checked_sub(1).map(|it| self.tokens[it].token);
        let next = self.tokens.get(at + 1).map(|it| it.token);
        match self.tokens[at].token {
            Var => !matches!(before, Some(LParen | Comma)),
            Let | While | Return | Yield | For => {
                next != Some(Colon) && !matches!(before, Some(Token::Dot | Token::Path))
            }
            _ => false,
        }
    }

    /// Whether the line at `at` is the body of a head before it that has no `{`.
    fn lacks_block(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1).map(|it| self.tokens[it]) else { return false };
        if before.token == Token::Else {
            return self.tokens[at].indent > before.indent && !is_brace(self.tokens[at].token);
        }
        let block = self.block();
        let Some(head) = block.head else { return false };
        let it = self.tokens[at];
        let deeper = it.indent > self.tokens[head].indent;
        let joined = before.token.is_joint() || before.token.is_opener() || it.token.is_joint();
        let goes_on = joined && self.block_ahead(at);
        if !deeper || goes_on || it.token.is_closer() || is_brace(it.token) {
            return false;
        }
        let words = &self.tokens[head..at];
        if words.iter().any(|it| is_brace(it.token)) {
            return false;
        }
        let begins_member = matches!(it.token, Token::Pub | Token::Fn | Token::Iter | Token::Init);
        match words[0].token {
            Token::Impl => begins_member && !block.is_block(),
            Token::For | Token::While | Token::If | Token::Static => true,
            Token::Elect | Token::Roles => words.len() == 1,
            // `load: warps 1, regs 40`
            Token::Name => {
                let has = |token| words.iter().any(|it| it.token == token);
                block.is_block() && has(Token::Colon) && has(Token::Warps) && !has(Token::Assign)
            }
            _ => false,
        }
    }

    /// Whether a `{` comes before the end of the statement that goes on at `at`.
    fn block_ahead(&self, at: usize) -> bool {
        let ends = |it: &&Lexeme| is_brace(it.token) || it.token == Token::Semi;
        self.tokens[at..].iter().find(ends).is_some_and(|it| it.token == Token::LBrace)
    }

    /// Puts an opening bracket after the last token.
    fn open_made_up(&mut self, at: usize, token: Token) {
        let head = self.top().head.unwrap_or(0);
        let indent = self.tokens[head].indent;
        let because = Because { span: self.tokens[head].span, token: self.tokens[head].token };
        self.insert(token, Some(because), None);
        let span = self.out.last().expect("it was put there").span;
        let line = self.lines[at.saturating_sub(1)];
        let opener = Some(Opener { token, span, line });
        self.open.push(Open { opener, line_indent: indent, head_indent: indent, head: None });
    }

    /// A `;` ends what is open on its line, except in `[value; count]`.
    fn semicolon(&mut self, at: usize) {
        let ends_line = self.tokens.get(at + 1).is_none_or(|it| it.first);
        let in_array = matches!(self.top().opener, Some(it) if it.token == Token::LBracket);
        if ends_line || !in_array {
            self.close_lists();
        }
    }

    fn closer(&mut self, at: usize) {
        let it = self.tokens[at];
        if it.token == Token::RBrace {
            return self.right_brace(at);
        }
        let lists = self.open.iter().rev().take_while(|it| it.is_list());
        let Some(depth) = lists.into_iter().position(|open| open.closer() == Some(it.token)) else {
            return self.stray(at);
        };
        for _ in 0..depth {
            self.close_top();
        }
        self.close_with(it);
    }

    fn right_brace(&mut self, at: usize) {
        let it = self.tokens[at];
        let Some(block) = self.open.iter().rfind(|it| it.is_block()) else {
            return self.stray(at);
        };
        let opener = block.opener.expect("it is a block");
        let deeper = it.indent > block.line_indent.max(block.head_indent);
        if opener.line != self.lines[at] && deeper {
            let goes_on = self.tokens.get(at + 1).is_some_and(|it| !it.first);
            let after_brace = at > 0 && self.tokens[at - 1].token == Token::RBrace;
            if it.first || goes_on || (after_brace && self.lines[at - 1] == self.lines[at]) {
                return self.stray(at);
            }
        }
        self.close_lists();
        if it.first {
            while self.blocks() > 1 && it.indent < self.top().head_indent {
                self.close_top();
                self.close_lists();
            }
        }
        self.close_with(it);
        let goes_on = self.tokens.get(at + 1).is_some_and(|it| it.token == Token::Else);
        if !self.top().is_list() && !goes_on {
            self.top_mut().head = None;
        }
    }

    fn blocks(&self) -> usize {
        self.open.iter().filter(|it| it.is_block()).count()
    }

    fn close_with(&mut self, it: Lexeme) {
        self.open.pop();
        self.out.push(it);
    }

    fn stray(&mut self, at: usize) {
        let it = self.tokens[at];
        self.changes.push(Change::stray(it));
    }
}

fn is_brace(token: Token) -> bool {
    matches!(token, Token::LBrace | Token::RBrace)
}

fn is_clause(token: Token) -> bool {
    use Token::*;
    matches!(token, Where | Grid | Warps | Cluster | Requires | Expect | Allow | Pdl)
}
