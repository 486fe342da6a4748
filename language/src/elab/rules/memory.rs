//! Global memory: pointers, masks, loads, stores, atomics.

use tile_syntax::ast::Span;

use super::args::Args;
use super::arithmetic::{self, emit_aligned};
use super::unify::{Operand, align, elem_of};
use crate::dtype::{Class, DType};
use crate::elab::cx::Elab;
use crate::elab::value::{Arg, Tile, Value};
use crate::ir::{Elem, Extent, Type};
use crate::op::memory::{AtomicOp, Cache, Evict, Order, Scope};
use crate::op::tile::Round;
use crate::op::{MemoryOp, TileOp};
use crate::report;
use crate::target::Cap;

const BOOL: Elem = Elem::Data(DType::Bool);

/// The tensor that a method is called on.
pub(super) fn tensor(cx: &mut Elab<'_>, args: &Args) -> Option<u32> {
    let arg = args.arg("tensor");
    match arg.value {
        Value::Tensor(it) => Some(it),
        Value::MaybeTensor(it) => {
            let (place, name) = (cx.place(arg.span), cx.tensor(it).name.clone());
            cx.report(report::memory::may_be_absent(place, &name));
            None
        }
        _ => {
            args.mismatch(cx, arg, "a tensor argument");
            None
        }
    }
}

/// One index a dimension, each `i32` or `i64`.
fn indices(cx: &mut Elab<'_>, args: &Args, tensor: u32) -> Option<Vec<Operand>> {
    let rank = cx.tensor(tensor).dims.len();
    if args.rest().len() != rank {
        let (place, got) = (cx.place(args.span), args.rest().len());
        let (name, site) = (cx.tensor(tensor).name.clone(), cx.tensor(tensor).site);
        let declared = Some(cx.site_place(site));
        cx.report(report::memory::wrong_rank(place, &name, rank, got, declared));
        return None;
    }
    args.rest().iter().map(|arg| index(cx, args, arg)).collect()
}

fn index(cx: &mut Elab<'_>, args: &Args, arg: &Arg) -> Option<Operand> {
    let elem = match (&arg.value, elem_of(cx, &arg.value)) {
        (_, Some(elem @ Elem::Data(DType::I32 | DType::I64))) => elem,
        (Value::Int(it), _) if i32::try_from(*it).is_ok() => Elem::Data(DType::I32),
        (Value::Int(_), _) => Elem::Data(DType::I64),
        _ => {
            args.mismatch(cx, arg, "an index of type `i32` or `i64`");
            return None;
        }
    };
    Some(Operand { value: arg.value.clone(), elem, span: arg.span })
}

/// `x.at(i, j)`
pub(crate) fn at(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let tensor = tensor(cx, args)?;
    let operands = indices(cx, args, tensor)?;
    let elem = Elem::Pointer(cx.tensor(tensor).dtype);
    if operands.is_empty() {
        let ty = Type::single(elem);
        return Some(Value::scalar(cx.emit_one(MemoryOp::At { tensor }, &[], ty, args.span)));
    }
    emit_aligned(cx, MemoryOp::At { tensor }, &operands, elem, args.span)
}

/// `x.has(i, j)`
pub(crate) fn has(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let tensor = tensor(cx, args)?;
    let operands = indices(cx, args, tensor)?;
    inside(cx, tensor, operands, args.span)
}

/// Whether indices are inside of a tensor, from below and from above.
pub(super) fn inside(
    cx: &mut Elab<'_>,
    tensor: u32,
    operands: Vec<Operand>,
    span: Span,
) -> Option<Value> {
    use tile_syntax::ast::BinaryOp as Op;
    let mut all = Value::Bool(true);
    for (axis, operand) in operands.into_iter().enumerate() {
        let dim = extent(cx, tensor, axis, operand.elem, span)?;
        let index = widened(cx, operand, &dim, span)?;
        let low = arithmetic::binary(cx, Op::Ge, index.clone(), Value::Int(0), span)?;
        let high = arithmetic::binary(cx, Op::Lt, index, dim, span)?;
        let inside = arithmetic::binary(cx, Op::And, low, high, span)?;
        all = arithmetic::binary(cx, Op::And, all, inside, span)?;
    }
    Some(all)
}

/// An extent of a tensor as it is: a number, or a scalar of its own type.
pub(super) fn extent_value(cx: &Elab<'_>, tensor: u32, axis: usize) -> Value {
    match cx.tensor(tensor).dims[axis] {
        Extent::Const(it) => Value::Int(i128::from(it)),
        Extent::Value(it) => Value::scalar(it),
    }
}

/// An extent of a tensor in the type of its index, or wider if it needs that.
fn extent(cx: &mut Elab<'_>, tensor: u32, axis: usize, elem: Elem, span: Span) -> Option<Value> {
    match cx.tensor(tensor).dims[axis] {
        Extent::Const(it) => Some(Value::Int(i128::from(it))),
        Extent::Value(value) if cx.ty(value).elem == elem => Some(Value::scalar(value)),
        Extent::Value(value) if elem == Elem::Data(DType::I64) => {
            let ty = arithmetic::scalar_type(DType::I64);
            Some(Value::scalar(cx.emit_one(
                TileOp::Cast { round: Round::Nearest },
                &[value],
                ty,
                span,
            )))
        }
        Extent::Value(value) => Some(Value::scalar(value)),
    }
}

/// An index as wide as the extent that it is compared with; a compile-time one as a scalar.
fn widened(cx: &mut Elab<'_>, operand: Operand, dim: &Value, span: Span) -> Option<Value> {
    let wanted = elem_of(cx, dim).unwrap_or(operand.elem);
    match &operand.value {
        Value::Tile(tile) if operand.elem != wanted => {
            let ty = cx.ty(tile.value).with_elem(wanted);
            let value =
                cx.emit_one(TileOp::Cast { round: Round::Nearest }, &[tile.value], ty, span);
            Some(Value::Tile(Tile { value, layout: tile.layout.clone() }))
        }
        Value::Int(_) => {
            super::numbers::materialize(cx, &operand.value, wanted, operand.span).map(Value::scalar)
        }
        _ => Some(operand.value),
    }
}

/// `p.offset(n)`
pub(crate) fn offset(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (pointer, by) = (args.value("pointer").clone(), args.value("elements").clone());
    arithmetic::offset(cx, pointer, by, args.span)
}

/// The pointer of an access and what it points to.
fn pointer(cx: &mut Elab<'_>, args: &Args) -> Option<(Operand, DType)> {
    let arg = args.arg("pointer");
    match elem_of(cx, &arg.value) {
        Some(elem @ Elem::Pointer(pointee)) => {
            Some((Operand { value: arg.value.clone(), elem, span: arg.span }, pointee))
        }
        _ => {
            args.mismatch(cx, arg, "a pointer, such as `x.at(i)` gives");
            None
        }
    }
}

/// The mask of an access, unless everything takes part.
pub(super) fn mask(cx: &mut Elab<'_>, args: &Args) -> Option<Option<Operand>> {
    let Some(arg) = args.get("mask").filter(|it| it.value != Value::Bool(true)) else {
        return Some(None);
    };
    let is_bool = matches!(arg.value, Value::Bool(_)) || elem_of(cx, &arg.value) == Some(BOOL);
    if !is_bool {
        args.mismatch(cx, arg, "a bool");
        return None;
    }
    Some(Some(Operand { value: arg.value.clone(), elem: BOOL, span: arg.span }))
}

/// A value that goes into memory, of the type that is there.
pub(super) fn stored(cx: &mut Elab<'_>, arg: &Arg, pointee: DType) -> Option<Operand> {
    let wanted = Elem::Data(pointee);
    if let Some(got) = elem_of(cx, &arg.value).filter(|&it| it != wanted) {
        let place = cx.place(arg.span);
        cx.report(report::memory::stores_another_type(place, pointee, got, arg.span));
        return None;
    }
    Some(Operand { value: arg.value.clone(), elem: wanted, span: arg.span })
}

fn zero_of(dtype: DType) -> Value {
    if dtype == DType::Bool { Value::Bool(false) } else { Value::Int(0) }
}

const CACHE_WORDS: &str = "`all`, `global` or `streaming`";
/// How a copy combines elements with what is there.
pub(super) const REDUCE_WORDS: &str = "`add`, `min`, `max`, `and`, `or` or `xor`";
pub(super) const EVICT_WORDS: &str = "`normal`, `first` or `last`";
const ORDER_WORDS: &str = "`relaxed`, `acquire`, `release` or `acq_rel`";
const SCOPE_WORDS: &str = "`block`, `cluster`, `device` or `system`";

/// `load(p, mask:, other:, cache:, evict:)`
pub(crate) fn load(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (pointer, pointee) = pointer(cx, args)?;
    let cache = args.word(cx, "cache", Cache::All, Cache::from_name, CACHE_WORDS)?;
    let evict = args.word(cx, "evict", Evict::Normal, Evict::from_name, EVICT_WORDS)?;
    let zero = Arg { name: None, value: zero_of(pointee), span: args.span };
    let other = stored(cx, args.get("other").unwrap_or(&zero), pointee)?;
    let mut operands = vec![pointer];
    if let Some(mask) = mask(cx, args)? {
        operands.extend([mask, other]);
    }
    emit_aligned(cx, MemoryOp::Load { cache, evict }, &operands, Elem::Data(pointee), args.span)
}

/// Reports a write through a tensor that is not `mut`.
pub(super) fn check_mutable(cx: &mut Elab<'_>, args: &Args, pointer: &Operand) -> Option<()> {
    let Value::Tile(tile) = &pointer.value else { return Some(()) };
    let Some(tensor) = cx.tensor_behind(tile.value) else { return Some(()) };
    if cx.tensor(tensor).mutable {
        return Some(());
    }
    let (place, name) = (cx.place(args.span), cx.tensor(tensor).name.clone());
    let declared = cx.site_place(cx.tensor(tensor).site);
    cx.report(report::memory::not_mutable(place, &name, declared));
    None
}

/// `store(p, value, mask:, cache:, evict:)`
pub(crate) fn store(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (pointer, pointee) = pointer(cx, args)?;
    check_mutable(cx, args, &pointer)?;
    let cache = args.word(cx, "cache", Cache::All, Cache::from_name, CACHE_WORDS)?;
    let evict = args.word(cx, "evict", Evict::Normal, Evict::from_name, EVICT_WORDS)?;
    let mut operands = vec![pointer, stored(cx, args.arg("value"), pointee)?];
    operands.extend(mask(cx, args)?);
    let aligned = align(cx, &operands, args.span)?;
    cx.emit(MemoryOp::Store { cache, evict }, &aligned.values, &[], args.span);
    Some(Value::unit())
}

/// Whether an atomic takes elements of a type.
pub(super) fn atomic_takes(op: AtomicOp, dtype: DType) -> bool {
    let is_word = dtype.is_int() && dtype.bits() >= 32;
    match op {
        AtomicOp::Add => {
            is_word || matches!(dtype, DType::F32 | DType::F64 | DType::F16 | DType::Bf16)
        }
        AtomicOp::Min | AtomicOp::Max | AtomicOp::And | AtomicOp::Or | AtomicOp::Xor => is_word,
        AtomicOp::Exchange => {
            matches!(dtype.class(), Class::Float(_)) && dtype.bits() >= 32 || is_word
        }
    }
}

fn atomic_cap(op: AtomicOp, dtype: DType) -> Option<Cap> {
    match (op, dtype) {
        (AtomicOp::Add, DType::F64) => Some(Cap::AtomicAddF64),
        (AtomicOp::Add, DType::F16) => Some(Cap::AtomicAddF16),
        (AtomicOp::Add, DType::Bf16) => Some(Cap::AtomicAddBf16),
        _ => None,
    }
}

/// Says that the target must have an atomic.
pub(super) fn need_atomic(
    cx: &mut Elab<'_>,
    op: AtomicOp,
    dtype: DType,
    name: &'static str,
    span: Span,
) {
    if let Some(cap) = atomic_cap(op, dtype) {
        cx.need(cap, name, span);
    }
}

fn order_and_scope(cx: &mut Elab<'_>, args: &Args) -> Option<(Order, Scope)> {
    let order = args.word(cx, "order", Order::Relaxed, Order::from_name, ORDER_WORDS)?;
    let scope = args.word(cx, "scope", Scope::Device, Scope::from_name, SCOPE_WORDS)?;
    Some((order, scope))
}

fn atomic(cx: &mut Elab<'_>, args: &Args, op: AtomicOp) -> Option<Value> {
    let (pointer, pointee) = pointer(cx, args)?;
    check_mutable(cx, args, &pointer)?;
    if !atomic_takes(op, pointee) {
        let place = cx.place(args.span);
        cx.report(report::memory::no_such_atomic(place, args.row.path, pointee));
        return None;
    }
    need_atomic(cx, op, pointee, args.row.path, args.span);
    let (order, scope) = order_and_scope(cx, args)?;
    let mut operands = vec![pointer, stored(cx, args.arg("value"), pointee)?];
    operands.extend(mask(cx, args)?);
    emit_aligned(
        cx,
        MemoryOp::Atomic { op, order, scope },
        &operands,
        Elem::Data(pointee),
        args.span,
    )
}

/// A rule for each atomic, by the function `atomic` that stands beside it: `$form` is how it is called.
macro_rules! atomics {
    ($form:literal) => {
        atomics! {
            $form; atomic_add = Add, atomic_min = Min, atomic_max = Max, atomic_and = And,
            atomic_or = Or, atomic_xor = Xor, atomic_exchange = Exchange
        }
    };
    ($form:literal; $($name:ident = $op:ident),*) => {
        $(
            #[doc = concat!("`", stringify!($name), "` as ", $form)]
            pub(crate) fn $name(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
                atomic(cx, args, AtomicOp::$op)
            }
        )*
    };
}
pub(super) use atomics;

atomics!("`f(p, value, mask:, order:, scope:)`");

/// `atomic_cas(p, expected, value, mask:, order:, scope:)`
pub(crate) fn atomic_cas(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (pointer, pointee) = pointer(cx, args)?;
    check_mutable(cx, args, &pointer)?;
    if !atomic_takes(AtomicOp::Exchange, pointee) || pointee.is_float() {
        let place = cx.place(args.span);
        cx.report(report::memory::no_such_atomic(place, args.row.path, pointee));
        return None;
    }
    let (order, scope) = order_and_scope(cx, args)?;
    let mut operands = vec![pointer];
    operands.push(stored(cx, args.arg("expected"), pointee)?);
    operands.push(stored(cx, args.arg("value"), pointee)?);
    operands.extend(mask(cx, args)?);
    emit_aligned(
        cx,
        MemoryOp::AtomicCas { order, scope },
        &operands,
        Elem::Data(pointee),
        args.span,
    )
}

/// `value.name` on a tensor argument.
pub(super) fn field(cx: &mut Elab<'_>, tensor: u32, name: &str) -> Option<Value> {
    let it = cx.tensor(tensor);
    let extent = |it: &Extent| match it {
        Extent::Const(it) => Value::Int(i128::from(*it)),
        Extent::Value(it) => Value::scalar(*it),
    };
    match name {
        "shape" => Some(Value::Array(it.dims.iter().map(extent).collect())),
        "strides" => Some(Value::Array(it.strides.iter().map(extent).collect())),
        "rank" => Some(Value::Int(it.dims.len() as i128)),
        "dtype" => Some(Value::Type(crate::elab::value::TypeValue::Scalar(it.dtype))),
        "ptr" => Some(Value::scalar(it.base)),
        _ => None,
    }
}
