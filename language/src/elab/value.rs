//! What an expression is while a kernel is elaborated: a compile-time value, or a handle on IR.
//!
//! The elaborator runs a kernel's body once. What is known at compile time (integers, layouts,
//! types, closures, tuples …) is a [`Value`] and leaves no trace; what is not is a [`Tile`], a handle
//! on a value of the IR, and every operation on it emits an instruction. Functions are inlined by
//! running their bodies with these values.
//!
//! [`Value::Error`] stands for what could not be made sense of; every operation on it gives
//! [`Value::Error`] without another message.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_layout::Spec;
use tile_syntax::ast::{self, Span};

use super::permits::PermitId;
use super::scope::Scope;
use crate::dtype::DType;
use crate::ir;
use crate::names::{FnRef, TypeRef};

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// An integer known now; takes the type of the other side where it meets a tile.
    Int(i128),
    /// A float known now; takes the type of the other side where it meets a tile.
    Float(f64),
    /// A bool known now.
    Bool(bool),
    /// A string.
    Str(SmolStr),
    /// `none`; an option with a value is the value.
    None,
    /// A type, also a shape with a layout.
    Type(TypeValue),
    /// A layout not yet applied to a shape.
    Layout(Spec),
    /// A tuple; `()` is the value of statements.
    Tuple(Arc<[Value]>),
    /// A record `(a: x, b: y)`.
    Record(Arc<[(SmolStr, Value)]>),
    /// An array.
    Array(Arc<[Value]>),
    /// A struct's value.
    Struct(Arc<StructValue>),
    /// A variant of an enum.
    Variant(TypeRef, u32),
    /// A span of integers, `a..b step c`.
    Range(Arc<RangeValue>),
    /// A closure with what it saw.
    Closure(Arc<Closure>),
    /// Functions of one name: declared ones, a compiler operation, or a method with its receiver.
    Function(FnRef),
    /// A tile or a scalar of the IR.
    Tile(Tile),
    /// A tile that waits for its layout: `iota(N)`, `zeros(f32[N])`.
    Unplaced(Arc<Unplaced>),
    /// A tensor argument: an index into [`ir::Kernel::tensors`].
    Tensor(u32),
    /// A tensor argument that may be absent; `if let` makes it a [`Value::Tensor`].
    MaybeTensor(u32),
    /// A view of shared memory.
    View(View),
    /// mbarriers of shared memory: an index each, or a single one.
    Barriers(ir::Value),
    /// A barrier that roles meet at: its number in the kernel.
    NamedBarrier(u32),
    /// Stages of something that lies in shared memory: an index gives one.
    Stages(Arc<Stages>),
    /// The right to use a stage, with its fields.
    Permit(PermitId, Arc<StructValue>),
    /// A tensor cut into boxes: `x.tiles([BM, BK], S)`.
    Tiles(Arc<Tiles>),
    /// One of those boxes: `at[i, t]`.
    Box(Arc<TileBox>),
    /// A copy in flight, by the view that it writes.
    Flight(ir::Value),
    /// The target compiled for: `target.lanes`, `target.has(mfma)`.
    Target,
    /// A whole tensor of host code.
    Host(crate::host::TensorId),
    /// A name that nothing declares, given as an argument or compared: a word of the callee or a
    /// variant of the enum on the other side. Never reaches the rules of operations.
    Word(SmolStr),
    /// What could not be made sense of; already reported.
    Error,
}

/// A tile of the IR, with what the elaborator knows of its layout.
#[derive(Clone, PartialEq, Debug)]
pub struct Tile {
    /// The IR's value. For an open tile, the tile without its new dimensions.
    pub value: ir::Value,
    /// Where its elements live.
    pub layout: TileLayout,
}

/// Whether a tile's layout is decided.
#[derive(Clone, PartialEq, Debug)]
pub enum TileLayout {
    /// A scalar has none.
    Scalar,
    /// This layout, applied to the tile's shape.
    Closed(Spec),
    /// `x[:, None]`: any parent whose slice is this layout. `None`s stand at these dimensions of the result.
    Open {
        /// Layout of the tile without its new dimensions.
        child: Spec,
        /// The new dimensions, ascending.
        new_axes: Vec<u32>,
    },
}

/// A view of shared memory.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    /// The IR's value.
    pub value: ir::Value,
    /// The layout that it was declared with, if it is whole.
    pub layout: Option<Spec>,
}

/// `n` stages: a value whose views and barriers have the stage as their first dimension.
#[derive(Clone, PartialEq, Debug)]
pub struct Stages {
    /// How many.
    pub n: u32,
    /// All of them.
    pub all: Value,
}

/// A type of shared memory: `shared bf16[2, 128, 64] @ S`.
#[derive(Clone, PartialEq, Debug)]
pub struct SharedType {
    /// Elements.
    pub dtype: DType,
    /// Extents, outermost first.
    pub shape: ir::Shape,
    /// `@ S`, over the last dimensions; row-major if left out.
    pub layout: Option<Spec>,
}

/// A tensor argument, cut into boxes.
#[derive(Clone, PartialEq, Debug)]
pub struct Tiles {
    /// Index into [`ir::Kernel::tensors`].
    pub tensor: u32,
    /// Extents of a box, one a dimension of the tensor; `None` for `_`, which picks a single index.
    pub extents: Vec<Option<u32>>,
    /// How a box lies in shared memory.
    pub layout: Spec,
    /// Whether the warps copy even where a copy engine could.
    pub by_warps: bool,
}

/// One box of a tiled view.
#[derive(Clone, PartialEq, Debug)]
pub struct TileBox {
    /// Of this view.
    pub tiles: Arc<Tiles>,
    /// The index of its first element, one number or scalar a dimension of the tensor.
    pub corner: Vec<Value>,
}

/// A tile that is known but for its layout; `@ L`, or an operation with a tile, places it.
#[derive(Clone, PartialEq, Debug)]
pub struct Unplaced {
    /// One element.
    pub elem: ir::Elem,
    /// Extents, outermost first.
    pub shape: ir::Shape,
    /// Its elements.
    pub fill: Fill,
}

/// The elements of a tile that waits for its layout.
#[derive(Clone, PartialEq, Debug)]
pub enum Fill {
    /// The index along the only dimension, plus the number.
    Count(i128),
    /// The same in every element: a compile-time number or a scalar.
    Same(Value),
}

/// A type as a value.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeValue {
    /// `int`, `bool`, `type`, `layout`, `str`, `record`: kinds of compile-time values.
    Kind(Kind),
    /// A scalar element type.
    Scalar(DType),
    /// `*T`
    Pointer(DType),
    /// `f32[128, 64]`, with `@ L` or without.
    Tile {
        /// Elements.
        elem: ir::Elem,
        /// Extents.
        shape: ir::Shape,
        /// `@ L`
        layout: Option<Spec>,
    },
    /// `shared T`: a view of shared memory.
    Shared(SharedType),
    /// `barrier`, or `barrier[4]` with its extents.
    Barrier(ir::Shape),
    /// `named_barrier`
    NamedBarrier,
    /// A struct with its arguments.
    Struct(TypeRef, Arc<[Value]>),
    /// An enum.
    Enum(TypeRef),
    /// `(T, U)`
    Tuple(Arc<[Value]>),
    /// `(a: T, b: U)`
    Record(Arc<[(SmolStr, Value)]>),
    /// `[T; n]`
    Array(Arc<Value>, u32),
    /// `[T]`: an array of any length.
    List(Arc<Value>),
    /// `T?`
    Optional(Arc<Value>),
    /// A span of integers.
    Span,
    /// The shape of a whole tensor of host code, whose extents may be zero or large: `f32[0, 1000]`.
    Host {
        /// Elements.
        elem: DType,
        /// Extents.
        shape: Arc<[u64]>,
    },
    /// `global mut T[m, k] …`: a tensor argument; only a kernel's parameters have it.
    Tensor {
        /// Elements.
        elem: DType,
        /// Number of dimensions.
        rank: u32,
    },
}

/// Kinds of compile-time values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "the names are the language's words")]
pub enum Kind {
    Int,
    Float,
    Bool,
    Str,
    Type,
    Layout,
    Record,
}

/// A struct's value.
#[derive(Clone, PartialEq, Debug)]
pub struct StructValue {
    /// The struct.
    pub ty: TypeRef,
    /// Its compile-time arguments, in order.
    pub args: Arc<[Value]>,
    /// Its fields, in order.
    pub fields: Vec<Value>,
}

/// `lo..hi step step`; the parts are integers or scalars.
#[derive(Clone, PartialEq, Debug)]
pub struct RangeValue {
    /// The first.
    pub lo: Value,
    /// One past the last.
    pub hi: Value,
    /// The distance.
    pub step: Value,
    /// From the end to the beginning.
    pub reversed: bool,
}

/// A closure: its text and the names that it saw.
#[derive(Clone, PartialEq, Debug)]
pub struct Closure {
    /// Parameters.
    pub params: Vec<ast::Param>,
    /// Body.
    pub body: ast::Expr,
    /// The names around it, captured by value.
    pub scope: Scope,
    /// The item that its spans are relative to.
    pub item: ir::ItemKey,
}

/// An evaluated argument of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Arg {
    /// `name:`, if given.
    pub name: Option<SmolStr>,
    /// Its value.
    pub value: Value,
    /// Where it stands, relative to the current item.
    pub span: Span,
}

impl Value {
    /// The value of a statement.
    pub fn unit() -> Value {
        Value::Tuple(Arc::from([]))
    }

    /// A scalar of the IR.
    pub fn scalar(value: ir::Value) -> Value {
        Value::Tile(Tile { value, layout: TileLayout::Scalar })
    }
}
