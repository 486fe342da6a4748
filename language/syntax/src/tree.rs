//! Building the tree: what the grammar's actions call.
//!
//! [`Cx`] knows the text and the tokens, so it turns token indices into spans, names and docs, and
//! folds flat operator lists by [`power`]. What is wrong without being ungrammatical (a chained
//! comparison, an unknown escape) is collected in `Cx::errors`.

use std::cell::RefCell;

use smol_str::{SmolStr, SmolStrBuilder};

use crate::ast::*;
use crate::error::{SyntaxError, SyntaxErrorKind};
use crate::lex::{CommentKind, Lexeme, Trivia};

/// What was parsed.
pub(crate) enum Root {
    Item(Item),
    Body(Body),
    Roles,
    Members,
    Expr(Expr),
}

/// What actions need to know, and what they find out.
pub(crate) struct Cx<'a> {
    text: &'a str,
    tokens: &'a [Lexeme],
    trivia: &'a [Trivia],
    /// Mistakes that are not ungrammatical.
    pub(crate) errors: Vec<SyntaxError>,
    /// Which trivia document something.
    documenting: RefCell<Vec<std::ops::Range<usize>>>,
}

/// What follows a function's name.
pub(crate) struct Signature {
    pub(crate) generics: Vec<Generic>,
    pub(crate) params: Vec<Param>,
    pub(crate) result: Option<Expr>,
    pub(crate) clauses: Vec<Clause>,
    pub(crate) body: Block,
}

impl Signature {
    pub(crate) fn of(self, kind: FnKind, name: Name) -> Fn {
        let Signature { generics, params, result, clauses, body } = self;
        Fn { kind, name, generics, params, result, clauses, body: body.if_written() }
    }
}

/// What stands between braces.
pub(crate) struct Body {
    stmts: Vec<Stmt>,
    value: Option<Box<Expr>>,
}

impl Body {
    /// A last `if … else` or block without `;` is the value, wherever the grammar put it.
    pub(crate) fn new(mut stmts: Vec<Stmt>, value: Option<Expr>) -> Body {
        let value = value.or_else(|| {
            stmts.pop_if(|it| matches!(&it.kind, StmtKind::Expr(expr) if is_value(expr))).map(
                |it| match it.kind {
                    StmtKind::Expr(expr) => expr,
                    _ => unreachable!("only expressions were taken"),
                },
            )
        });
        Body { stmts, value: value.map(Box::new) }
    }

    pub(crate) fn block(self, span: Span) -> Block {
        Block { stmts: self.stmts, value: self.value, span }
    }
}

/// Whether an expression that stands as a statement without `;` can be a block's value.
fn is_value(expr: &Expr) -> bool {
    match &*expr.kind {
        ExprKind::Block(_) => true,
        ExprKind::If(it) => it.otherwise.is_some(),
        _ => false,
    }
}

impl Block {
    /// The block, unless repair made it up.
    pub(crate) fn if_written(self) -> Option<Block> {
        (self.span.lo < self.span.hi).then_some(self)
    }
}

impl Pattern {
    /// The pattern of a name; `_` matches anything.
    pub fn of(name: Name) -> Pattern {
        let span = name.span;
        let kind = if name.text == "_" { PatternKind::Ignore } else { PatternKind::Name(name) };
        Pattern { kind, span }
    }
}

/// How tightly an operator binds; more is tighter. The formatter and fixes ask as well.
pub fn power(op: BinaryOp) -> u8 {
    use BinaryOp::*;
    match op {
        Mul | Div | Rem => 10,
        Add | Sub => 9,
        Shl | Shr => 8,
        BitAnd => 7,
        BitXor => 6,
        BitOr => 5,
        Eq | Ne | Lt | Le | Gt | Ge => 4,
        And => 3,
        Or => 2,
    }
}

const COMPARISON: u8 = 4;

impl<'a> Cx<'a> {
    pub(crate) fn new(text: &'a str, tokens: &'a [Lexeme], trivia: &'a [Trivia]) -> Self {
        Cx { text, tokens, trivia, errors: vec![], documenting: RefCell::default() }
    }

    /// The span of the tokens from `lo` up to and without `hi`.
    pub(crate) fn span(&self, lo: usize, hi: usize) -> Span {
        if lo < hi {
            Span::new(self.tokens[lo].span.lo, self.tokens[hi - 1].span.hi)
        } else {
            let at = lo.checked_sub(1).map_or(0, |before| self.tokens[before].span.hi);
            Span::new(at, at)
        }
    }

    fn slice(&self, at: usize) -> &'a str {
        let Span { lo, hi } = self.tokens[at].span;
        &self.text[lo as usize..hi as usize]
    }

    pub(crate) fn name(&self, at: usize) -> Name {
        Name { text: self.slice(at).into(), span: self.tokens[at].span }
    }

    /// Text of the doc comments between the token at `at` and the one before it.
    pub(crate) fn docs(&self, at: usize) -> SmolStr {
        let lo = at.checked_sub(1).map_or(0, |before| self.tokens[before].span.hi);
        let hi = self.tokens[at].span.lo;
        let from = self.trivia.partition_point(|it| it.lo() < lo);
        let to = self.trivia.partition_point(|it| it.lo() < hi).max(from);
        self.documenting.borrow_mut().push(from..to);
        doc_text(self.text, &self.trivia[from..to], CommentKind::Doc)
    }

    /// Doc comments that document nothing; lines that follow one another are one.
    pub(crate) fn stray_docs(&self) -> Vec<Span> {
        let documenting = self.documenting.borrow();
        let mut stray: Vec<Span> = vec![];
        let mut last = None;
        for (n, it) in self.trivia.iter().enumerate() {
            let Trivia::Comment { span, kind: CommentKind::Doc, .. } = it else { continue };
            if documenting.iter().any(|it| it.contains(&n)) {
                continue;
            }
            match stray.last_mut() {
                Some(run) if last.map(|it: usize| it + 1) == Some(n) => run.hi = span.hi,
                _ => stray.push(*span),
            }
            last = Some(n);
        }
        stray
    }

    pub(crate) fn item(&self, lo: usize, hi: usize, public: bool, kind: ItemKind) -> Item {
        Item { docs: self.docs(lo), public, kind, span: self.span(lo, hi) }
    }

    pub(crate) fn expr(&self, lo: usize, hi: usize, kind: ExprKind) -> Expr {
        Expr { kind: Box::new(kind), span: self.span(lo, hi) }
    }

    pub(crate) fn path(&self, lo: usize, hi: usize, path: Vec<Name>) -> Expr {
        let missing = path.len() == 1 && path[0].text.is_empty();
        self.expr(lo, hi, if missing { ExprKind::Missing } else { ExprKind::Path(path) })
    }

    pub(crate) fn int(&self, at: usize) -> Expr {
        let text = self.slice(at).replace('_', "");
        let (digits, radix) = match text.get(..2) {
            Some("0x") => (&text[2..], 16),
            Some("0b") => (&text[2..], 2),
            Some("0o") => (&text[2..], 8),
            _ => (&text[..], 10),
        };
        let is_number = !digits.is_empty() && digits.chars().all(|it| it.is_digit(radix));
        let value = u128::from_str_radix(digits, radix).ok();
        self.expr(at, at + 1, if is_number { ExprKind::Int(value) } else { ExprKind::Missing })
    }

    pub(crate) fn float(&self, at: usize) -> Expr {
        let text = self.slice(at);
        let is_number = text.replace('_', "").parse::<f64>().is_ok();
        let kind = if is_number { ExprKind::Float(text.into()) } else { ExprKind::Missing };
        self.expr(at, at + 1, kind)
    }

    pub(crate) fn tuple_field(&mut self, lo: usize, hi: usize, base: Expr, at: usize) -> Expr {
        let index = self.slice(at).parse().unwrap_or(u32::MAX);
        let span = self.tokens[at].span;
        self.expr(lo, hi, ExprKind::TupleField(base, index, span))
    }

    pub(crate) fn tuple(&self, lo: usize, hi: usize, first: Expr, mut rest: Vec<Expr>) -> Expr {
        rest.insert(0, first);
        self.expr(lo, hi, ExprKind::Tuple(rest))
    }

    pub(crate) fn record(
        &self,
        lo: usize,
        hi: usize,
        first: (Name, Expr),
        mut rest: Vec<(Name, Expr)>,
    ) -> Expr {
        rest.insert(0, first);
        self.expr(lo, hi, ExprKind::Record(rest))
    }

    pub(crate) fn range(
        &self,
        lo: usize,
        hi: usize,
        from: Option<Expr>,
        kind: RangeKind,
        to: Option<Expr>,
        step: Option<Expr>,
    ) -> Expr {
        self.expr(lo, hi, ExprKind::Range(Range { lo: from, hi: to, kind, step }))
    }

    /// `T @ L?` is an optional `T @ L`: no layout is optional.
    pub(crate) fn at(&self, lo: usize, hi: usize, tile: Expr, layout: Expr) -> Expr {
        match *layout.kind {
            ExprKind::Optional(layout) => {
                let span = tile.span.to(layout.span);
                let inner = Expr { kind: Box::new(ExprKind::At(tile, layout)), span };
                self.expr(lo, hi, ExprKind::Optional(inner))
            }
            kind => {
                let layout = Expr { kind: Box::new(kind), span: layout.span };
                self.expr(lo, hi, ExprKind::At(tile, layout))
            }
        }
    }

    /// `global T[n]?` is an optional tensor: a tensor of optional elements does not exist.
    pub(crate) fn memory(&self, lo: usize, hi: usize, mut memory: Memory) -> Expr {
        match *memory.ty.kind {
            ExprKind::Optional(ty) => {
                memory.ty = ty;
                let span = self.span(lo, hi);
                let inner = Expr { kind: Box::new(ExprKind::Memory(memory)), span };
                self.expr(lo, hi, ExprKind::Optional(inner))
            }
            kind => {
                memory.ty = Expr { kind: Box::new(kind), span: memory.ty.span };
                self.expr(lo, hi, ExprKind::Memory(memory))
            }
        }
    }

    /// `expect_error("E0201") { … }`: the block is a last argument, a closure of nothing.
    pub(crate) fn call_with_block(
        &self,
        lo: usize,
        hi: usize,
        callee: Expr,
        mut args: Vec<Arg>,
        body: Block,
    ) -> Expr {
        let span = body.span;
        let body = Expr { kind: Box::new(ExprKind::Block(body)), span };
        let value = Expr { kind: Box::new(ExprKind::Closure(vec![], body)), span };
        args.push(Arg { name: None, spread: false, value });
        self.expr(lo, hi, ExprKind::Call(callee, args))
    }

    /// Of two clauses alike the last counts.
    pub(crate) fn role(
        &self,
        lo: usize,
        hi: usize,
        name: Name,
        copies: Option<(Name, Expr)>,
        clauses: Vec<RoleClause>,
        body: Block,
    ) -> Role {
        let (mut warps, mut regs, mut on) = (None, None, None);
        for clause in clauses {
            match clause {
                RoleClause::Warps(n) => warps = Some(n),
                RoleClause::Regs(n) => regs = Some(n),
                RoleClause::On(name) => on = Some(name),
            }
        }
        Role { name, copies, warps, regs, on, body, span: self.span(lo, hi) }
    }

    /// Shapes `first op x op y …` by the operators' powers, all to the left.
    pub(crate) fn fold(&mut self, first: Expr, rest: Vec<(usize, BinaryOp, Expr)>) -> Expr {
        let mut operands = vec![first];
        let mut operators: Vec<BinaryOp> = vec![];
        for (at, op, operand) in rest {
            let new = power(op);
            while operators.last().is_some_and(|&it| power(it) >= new) {
                let top = operators.pop().expect("it was looked at");
                reduce(&mut operands, top);
                if new == COMPARISON && power(top) == COMPARISON {
                    self.chained(at);
                    // A hole, so that nobody compares the first comparison's answer.
                    if let Some(chain) = operands.last_mut() {
                        *chain.kind = ExprKind::Missing;
                    }
                }
            }
            operators.push(op);
            operands.push(operand);
        }
        while let Some(op) = operators.pop() {
            reduce(&mut operands, op);
        }
        operands.pop().expect("there is a first operand")
    }

    fn chained(&mut self, at: usize) {
        self.errors.push(SyntaxError {
            kind: SyntaxErrorKind::ChainedComparison,
            span: self.tokens[at].span,
            expected: vec![],
            because: None,
            fix: None,
        });
    }

    pub(crate) fn str_expr(&mut self, at: usize) -> Expr {
        let (text, _) = self.string(at);
        self.expr(at, at + 1, ExprKind::Str(text))
    }

    /// The string's text with its escapes resolved.
    pub(crate) fn string(&mut self, at: usize) -> (SmolStr, Span) {
        let span = self.tokens[at].span;
        let quoted = self.slice(at);
        let inner = quoted.strip_prefix('"').unwrap_or(quoted);
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        if !inner.contains('\\') {
            return (inner.into(), span);
        }
        let mut text = SmolStrBuilder::new();
        let mut rest = inner.char_indices().peekable();
        while let Some((from, it)) = rest.next() {
            if it != '\\' {
                text.push(it);
                continue;
            }
            match rest.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((_, '0')) => text.push('\0'),
                Some((_, it @ ('\\' | '"' | '\''))) => text.push(it),
                // Braces stay escaped: `print` and `assert` read them again.
                Some((_, it @ ('{' | '}'))) => {
                    text.push('\\');
                    text.push(it);
                }
                other => {
                    let len = other.map_or(1, |(_, it)| 1 + it.len_utf8());
                    let lo = span.lo + 1 + from as u32;
                    self.errors.push(SyntaxError {
                        kind: SyntaxErrorKind::Escape,
                        span: Span::new(lo, lo + len as u32),
                        expected: vec![],
                        because: None,
                        fix: None,
                    });
                }
            }
        }
        (text.finish(), span)
    }
}

/// A clause of a role's head.
pub(crate) enum RoleClause {
    Warps(Expr),
    Regs(Expr),
    On(Name),
}

fn reduce(operands: &mut Vec<Expr>, op: BinaryOp) {
    let right = operands.pop().expect("an operator has a right operand");
    let left = operands.pop().expect("an operator has a left operand");
    let span = left.span.to(right.span);
    operands.push(Expr { kind: Box::new(ExprKind::Binary(op, left, right)), span });
}

/// The comments of `kind` in `trivia` without their slashes, joined with newlines.
pub(crate) fn doc_text(text: &str, trivia: &[Trivia], kind: CommentKind) -> SmolStr {
    let lines: Vec<&str> = trivia
        .iter()
        .filter_map(|it| match it {
            Trivia::Comment { span, kind: other, .. } if *other == kind => {
                let line = &text[span.lo as usize + 3..span.hi as usize];
                Some(line.strip_prefix(' ').unwrap_or(line))
            }
            _ => None,
        })
        .collect();
    lines.join("\n").into()
}
