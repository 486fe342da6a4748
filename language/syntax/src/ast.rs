//! The syntax tree: what a `.tile` file says, before anything is known about its names.
//!
//! One tree an item. Spans are byte offsets relative to the *item's* first byte, so that an edit
//! above an item leaves its tree equal to what it was. Types are expressions (`f32[128] @ L` is an
//! index and an `@`), so there is no second grammar. A place that could not be parsed holds
//! [`ExprKind::Missing`], [`StmtKind::Hole`] or a [`Name`] with empty text: consumers give those an
//! error type and stay silent, because the syntax error was already reported.
//!
//! Absent on purpose: comments and blank lines, which live in a side table ([`crate::trivia`]).

use smol_str::SmolStr;

/// A half-open range of bytes. Relative to an item in trees, to the file in reports.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    /// The first byte.
    pub lo: u32,
    /// One past the last byte.
    pub hi: u32,
}

impl Span {
    /// The span from `lo` up to and without `hi`.
    pub fn new(lo: u32, hi: u32) -> Self {
        Span { lo, hi }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.lo.min(other.lo), self.hi.max(other.hi))
    }

    /// The same span, `by` bytes further on.
    pub fn shifted(self, by: u32) -> Span {
        Span::new(self.lo + by, self.hi + by)
    }
}

/// An identifier with its place. Empty text means that the name is missing from the source.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Name {
    /// The text; empty if missing.
    pub text: SmolStr,
    /// Where it stands.
    pub span: Span,
}

/// One item: the unit of parsing, of repair and of incremental checking.
#[derive(Clone, PartialEq, Debug)]
pub struct Item {
    /// Text of the `///` lines above, without the slashes, joined with newlines; empty if none.
    pub docs: SmolStr,
    /// Whether `pub` stands before it.
    pub public: bool,
    /// What it declares.
    pub kind: ItemKind,
    /// The whole item without its docs.
    pub span: Span,
}

/// What an item declares.
#[derive(Clone, PartialEq, Debug)]
pub enum ItemKind {
    /// `use std::softmax::Online;`
    Use(Box<UseTree>),
    /// `const S: layout = nvmma(swizzle: 128);`
    Const(Box<Const>),
    /// `struct Place { m: i32, n: i32 }`
    Struct(Box<Struct>),
    /// `permit Slot[T: record] { stage: T, ends: barrier }`
    Permit(Box<Struct>),
    /// `enum Readers { all, one }`
    Enum(Box<Enum>),
    /// `impl Place { … }`
    Impl(Box<Impl>),
    /// `fn`, `iter` or, in an `impl`, `init`.
    Fn(Box<Fn>),
    /// `kernel name[…](…) clauses { … }`
    Kernel(Box<Fn>),
    /// `build name = kernel[…] for target, …;`
    Build(Box<Build>),
    /// `tune kernel for N in …, … where …;`
    Tune(Box<Tune>),
    /// `test "title" on interp for sm_90a { … }`
    Test(Box<Test>),
    /// `bench "title" { … }`
    Bench(Box<Test>),
    /// Beyond repair; the syntax error says why. The name is kept where it could be read.
    Broken(Option<Name>),
}

/// One branch of a `use`: `a::b`, `a::b as c`, `a::{b, c}`.
#[derive(Clone, PartialEq, Debug)]
pub struct UseTree {
    /// The names before the group or the end.
    pub path: Vec<Name>,
    /// The name it gets here, if another.
    pub alias: Option<Name>,
    /// What stands in braces after the path; empty if there are none.
    pub group: Vec<UseTree>,
}

/// A constant, at file level, in an `impl` or in a body.
#[derive(Clone, PartialEq, Debug)]
pub struct Const {
    /// Its name.
    pub name: Name,
    /// Its declared type.
    pub ty: Option<Expr>,
    /// Its value.
    pub value: Expr,
}

/// A compile-time parameter in brackets: `BM: int = 128`.
#[derive(Clone, PartialEq, Debug)]
pub struct Generic {
    /// Its name.
    pub name: Name,
    /// Its kind; in an `impl` head it is left out.
    pub ty: Option<Expr>,
    /// The value of the canonical instance.
    pub default: Option<Expr>,
}

/// A struct or a permit.
#[derive(Clone, PartialEq, Debug)]
pub struct Struct {
    /// Its name.
    pub name: Name,
    /// Compile-time parameters.
    pub generics: Vec<Generic>,
    /// Fields in order.
    pub fields: Vec<Field>,
}

/// A field of a struct, or a permit.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Text of its `///` lines.
    pub docs: SmolStr,
    /// Marked `own`: every role has its own.
    pub own: bool,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Expr,
    /// What it is when a constructor call leaves it out.
    pub default: Option<Expr>,
}

/// An enum: a list of names.
#[derive(Clone, PartialEq, Debug)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// The variants with their docs, in order.
    pub variants: Vec<(Name, SmolStr)>,
}

/// Methods of a struct, permit or enum.
#[derive(Clone, PartialEq, Debug)]
pub struct Impl {
    /// The type's name.
    pub name: Name,
    /// Names for its compile-time parameters, by position.
    pub generics: Vec<Generic>,
    /// `fn`, `iter`, `init` and `const` items.
    pub members: Vec<Item>,
}

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FnKind {
    /// An ordinary function.
    Fn,
    /// Only `for` calls it; `yield` runs the loop's body.
    Iter,
    /// The constructor of the `impl`'s type.
    Init,
    /// A kernel.
    Kernel,
}

/// A function, an iterator, a constructor or a kernel.
#[derive(Clone, PartialEq, Debug)]
pub struct Fn {
    /// Which of them.
    pub kind: FnKind,
    /// Its name (`init` for a constructor).
    pub name: Name,
    /// Compile-time parameters.
    pub generics: Vec<Generic>,
    /// Run-time parameters.
    pub params: Vec<Param>,
    /// The result's type, if stated.
    pub result: Option<Expr>,
    /// `where`, `grid`, … in order.
    pub clauses: Vec<Clause>,
    /// The body; `None` if it was lost to a syntax error.
    pub body: Option<Block>,
}

/// A parameter of a function or a closure.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Text of its `///` lines.
    pub docs: SmolStr,
    /// Marked `var`: the caller's variable is changed (`var self`).
    pub var: bool,
    /// Marked `..`: a record of the remaining named arguments.
    pub rest: bool,
    /// What the argument is bound to; a plain name except in closures.
    pub pattern: Pattern,
    /// Its type, if stated.
    pub ty: Option<Expr>,
    /// What it is when left out.
    pub default: Option<Expr>,
}

/// A clause between a head and its body.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// Which, with its operands.
    pub kind: ClauseKind,
    /// The whole clause.
    pub span: Span,
}

/// The clauses.
#[derive(Clone, PartialEq, Debug)]
pub enum ClauseKind {
    /// `where a, b`
    Where(Vec<Expr>),
    /// `grid [x, y, z] resident`
    Grid {
        /// One to three extents.
        dims: Vec<Expr>,
        /// All blocks run at once.
        resident: bool,
    },
    /// `warps n`
    Warps(Expr),
    /// `cluster [n]`
    Cluster(Vec<Expr>),
    /// `requires a, b`
    Requires(Vec<Name>),
    /// `expect contract, …`
    Expect(Vec<Expr>),
    /// `allow P0101 "why"`
    Allow {
        /// The diagnostic's code.
        code: Name,
        /// The reason given.
        why: SmolStr,
    },
    /// `pdl`
    Pdl,
}

/// `build name = kernel[…] for target, …;`
#[derive(Clone, PartialEq, Debug)]
pub struct Build {
    /// The instance's name in the library.
    pub name: Name,
    /// The kernel with its compile-time arguments.
    pub kernel: Expr,
    /// Targets; empty means all that the package names.
    pub targets: Vec<Name>,
}

/// `tune kernel for N in …, … where …;`
#[derive(Clone, PartialEq, Debug)]
pub struct Tune {
    /// The kernel.
    pub kernel: Expr,
    /// Parameters and the values that they range over.
    pub axes: Vec<(Name, Expr)>,
    /// Which combinations count.
    pub conditions: Vec<Expr>,
}

/// A test or a bench.
#[derive(Clone, PartialEq, Debug)]
pub struct Test {
    /// Its title.
    pub title: SmolStr,
    /// Where the title stands.
    pub title_span: Span,
    /// Engines it is restricted to; empty means all.
    pub engines: Vec<Name>,
    /// Targets it is restricted to; empty means all.
    pub targets: Vec<Name>,
    /// Host code.
    pub body: Option<Block>,
}

/// A block: statements, and the value of its last expression if that has no `;`.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Statements in order.
    pub stmts: Vec<Stmt>,
    /// The value.
    pub value: Option<Box<Expr>>,
    /// With its braces.
    pub span: Span,
}

/// A statement.
#[derive(Clone, PartialEq, Debug)]
pub struct Stmt {
    /// Which.
    pub kind: StmtKind,
    /// Without the `;`'s trailing space, with the `;`.
    pub span: Span,
}

/// `let` binds once; `var` may be assigned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Binding {
    /// `let`
    Let,
    /// `var`
    Var,
}

/// The statements.
#[derive(Clone, PartialEq, Debug)]
pub enum StmtKind {
    /// `let pattern: ty = value;` A `let` with a memory type and no value allocates.
    Let {
        /// `let` or `var`.
        binding: Binding,
        /// What is bound.
        pattern: Pattern,
        /// The declared type.
        ty: Option<Expr>,
        /// The value.
        value: Option<Expr>,
    },
    /// `const N = …;`
    Const(Box<Const>),
    /// `place = value;`, `place += value;`
    Assign {
        /// What is assigned.
        place: Expr,
        /// The operator of `+=` and its like.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// An expression for its effect; `if` and blocks stand here without `;`.
    Expr(Expr),
    /// `for a, b in span notes { … }`
    For(Box<For>),
    /// `while cond { … }`
    While(Box<While>),
    /// `return value;`
    Return(Option<Expr>),
    /// `yield value;`
    Yield(Option<Expr>),
    /// `roles { … }`
    Roles(Vec<Role>),
    /// `elect { … }`
    Elect(Block),
    /// `trust "why" { … }`
    Trust {
        /// The reason given.
        why: SmolStr,
        /// What is trusted.
        body: Block,
    },
    /// Could not be parsed; what is known of its block is kept.
    Hole(Option<Block>),
}

/// A `for` loop.
#[derive(Clone, PartialEq, Debug)]
pub struct For {
    /// `static for`: unrolled at compile time.
    pub is_static: bool,
    /// One pattern, or several for an iterator that yields a tuple.
    pub patterns: Vec<Pattern>,
    /// The span or the call of an `iter`.
    pub iter: Expr,
    /// `pipelined(3)`, `unroll(4)`.
    pub notes: Vec<Note>,
    /// The body.
    pub body: Block,
}

/// A `while` loop.
#[derive(Clone, PartialEq, Debug)]
pub struct While {
    /// Goes on as long as this holds.
    pub cond: Cond,
    /// As on `for`.
    pub notes: Vec<Note>,
    /// The body.
    pub body: Block,
}

/// A note on a loop: a name with arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Note {
    /// Its name.
    pub name: Name,
    /// Its arguments.
    pub args: Vec<Arg>,
}

/// What `if` and `while` ask.
#[derive(Clone, PartialEq, Debug)]
pub enum Cond {
    /// A boolean.
    Expr(Expr),
    /// `let pattern = optional`: holds if there is a value.
    Let(Pattern, Expr),
}

/// One role of `roles { … }`.
#[derive(Clone, PartialEq, Debug)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// `[half in 0..2]`: the copies, and the constant that tells them apart.
    pub copies: Option<(Name, Expr)>,
    /// `warps n`
    pub warps: Option<Expr>,
    /// `regs n`
    pub regs: Option<Expr>,
    /// `on leader`
    pub on: Option<Name>,
    /// Its code.
    pub body: Block,
    /// The whole role.
    pub span: Span,
}

/// What a `let`, a loop or a closure's parameter binds.
#[derive(Clone, PartialEq, Debug)]
pub struct Pattern {
    /// Which.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// The patterns.
#[derive(Clone, PartialEq, Debug)]
pub enum PatternKind {
    /// A name.
    Name(Name),
    /// `_`
    Ignore,
    /// `(a, b)`
    Tuple(Vec<Pattern>),
}

/// An expression or a type.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Which.
    pub kind: Box<ExprKind>,
    /// Where.
    pub span: Span,
}

impl Expr {
    /// The name that a size or stride binds: `n` alone, or with a number added or taken away, `n + 1`.
    pub fn bound_size(&self) -> Option<&Name> {
        match &*self.kind {
            ExprKind::Path(path) if path.len() == 1 => path.first(),
            ExprKind::Binary(BinaryOp::Add | BinaryOp::Sub, name, number) => {
                let is_number = matches!(&*number.kind, ExprKind::Int(_));
                let is_name = matches!(&*name.kind, ExprKind::Path(path) if path.len() == 1);
                (is_number && is_name).then(|| name.bound_size())?
            }
            _ => None,
        }
    }
}

/// How a range ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RangeKind {
    /// `a..b`
    Exclusive,
    /// `a..=b`
    Inclusive,
    /// `a ..+ n`
    Length,
}

/// The words that say where data lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Space {
    /// `global`
    Global,
    /// `shared`
    Shared,
    /// `tmem`
    Tmem,
    /// `tiles`
    Tiles,
    /// `list`
    List,
    /// `peers`
    Peers,
    /// `workspace`
    Workspace,
}

/// The expressions.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// An integer; `None` if it does not fit 128 bits.
    Int(Option<u128>),
    /// A float, as written.
    Float(SmolStr),
    /// A string, unescaped.
    Str(SmolStr),
    /// `true`, `false`
    Bool(bool),
    /// `a::b::c`, one name or more; `None`, `inf` and `none` are names.
    Path(Vec<Name>),
    /// `-x`, `!x`, `*T`
    Unary(UnaryOp, Expr),
    /// `a + b`
    Binary(BinaryOp, Expr, Expr),
    /// `x @ L`
    At(Expr, Expr),
    /// `f(a, b: c)`
    Call(Expr, Vec<Arg>),
    /// `x[…]`: compile-time arguments, a shape, an index or a slice, as `x` decides.
    Bracket(Expr, Vec<BracketArg>),
    /// `x.name`
    Field(Expr, Name),
    /// `x.0`
    TupleField(Expr, u32, Span),
    /// `(a, b)`, `()`, `(a,)`
    Tuple(Vec<Expr>),
    /// `(a: T, b: U)`
    Record(Vec<(Name, Expr)>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `[value; count]`
    Repeat(Expr, Expr),
    /// `a..b step c`; open ends only inside brackets.
    Range(Range),
    /// `T?`
    Optional(Expr),
    /// `global mut T[m, k] strides [s, 1] align 16`
    Memory(Memory),
    /// `if … { … } else …`
    If(If),
    /// `{ … }`
    Block(Block),
    /// `|a, b| e`
    Closure(Vec<Param>, Expr),
    /// A parenthesised expression, kept so that the formatter and fixes see it.
    Paren(Expr),
    /// Missing from the source.
    Missing,
}

/// A range.
#[derive(Clone, PartialEq, Debug)]
pub struct Range {
    /// The first.
    pub lo: Option<Expr>,
    /// The end or the length.
    pub hi: Option<Expr>,
    /// Which of them `hi` is.
    pub kind: RangeKind,
    /// The distance.
    pub step: Option<Expr>,
}

/// A memory type.
#[derive(Clone, PartialEq, Debug)]
pub struct Memory {
    /// Where it lives.
    pub space: Space,
    /// `list global`, `list workspace`: the word after `list`.
    pub of: Option<Space>,
    /// `mut`
    pub mutable: bool,
    /// `zeroed`
    pub zeroed: bool,
    /// Elements, shape and layout.
    pub ty: Expr,
    /// `strides [s, 1]`
    pub strides: Option<Vec<Expr>>,
    /// `align n`
    pub align: Option<Expr>,
}

/// An `if`, as statement or expression.
#[derive(Clone, PartialEq, Debug)]
pub struct If {
    /// `static if`: decided at compile time, the other branch is not checked per instance.
    pub is_static: bool,
    /// The question.
    pub cond: Cond,
    /// If it holds.
    pub then: Block,
    /// Otherwise: a block or another `if`.
    pub otherwise: Option<Expr>,
}

/// An argument of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// `name:`, if given.
    pub name: Option<Name>,
    /// `..record`: its fields as named arguments.
    pub spread: bool,
    /// The value.
    pub value: Expr,
}

/// What may stand in brackets.
#[derive(Clone, PartialEq, Debug)]
pub enum BracketArg {
    /// A value; ranges and `None` are values too.
    Value(Expr),
    /// `BM: 128`
    Named(Name, Expr),
    /// A lone `:`, a whole dimension.
    Whole(Span),
}

/// Operators with one operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-x`
    Neg,
    /// `!x`
    Not,
    /// `*T`, the type of pointers to `T`
    Pointer,
}

/// Operators with two operands, loosest last.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum BinaryOp {
    Mul,
    Div,
    Rem,
    Add,
    Sub,
    Shl,
    Shr,
    BitAnd,
    BitXor,
    BitOr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    And,
    Or,
}
