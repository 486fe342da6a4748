//! Shared memory: buffers, views of them, reads and writes.
//!
//! A `shared` type says an element type, extents and a layout of memory. The layout is for the last
//! dimensions; those before it are stages, whole buffers one after the other. Taking an index or a
//! slice, transposing, reshaping and reinterpreting give views: the same bytes, found by another
//! map ([`MemoryMap`]).

use tile_layout::{MemoryMap, Spec, ViewError};
use tile_syntax::ast::Span;

use super::args::Args;
use super::layouts::apply;
use super::memory::{atomic_takes, atomics, mask, stored};
use super::unify::{self, Operand};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::rules::Index;
use crate::elab::value::{SharedType, Tile, TileLayout, TypeValue, Value, View};
use crate::ir::{self, Elem, Type};
use crate::op::SharedOp;
use crate::op::memory::AtomicOp;
use crate::report;

const I32: Elem = Elem::Data(DType::I32);

/// Elements of a buffer; far more than any target's shared memory holds, and few enough to count.
const ELEMENTS_MAX: u32 = 1 << 20;

/// Bytes that a buffer is aligned to: any access of one thread, or the swizzle's period.
pub(super) fn alignment(spec: &Spec) -> u32 {
    match spec {
        Spec::Nvmma { swizzle, .. } => (8 * swizzle).max(128),
        _ => 16,
    }
}

/// The map of a buffer: the layout over the last dimensions, stages before them.
pub(super) fn map_of(cx: &mut Elab<'_>, ty: &SharedType, span: Span) -> Option<MemoryMap> {
    let spec = ty.layout.as_ref().unwrap_or(&Spec::Plain);
    let n_elements = ty.shape.iter().try_fold(1u32, |n, &it| n.checked_mul(it));
    if n_elements.is_none_or(|it| it > ELEMENTS_MAX) {
        let place = cx.place(span);
        cx.report(report::shared::too_many_elements(place, &ty.shape, ELEMENTS_MAX));
        return None;
    }
    let rank = ty.shape.len();
    let own = spec.rank().map_or(rank.min(2), |it| it as usize);
    let stages = rank.saturating_sub(own);
    match spec.apply_in_memory(&ty.shape[stages..], ty.dtype.storage_bits()) {
        Ok(layout) => {
            let inner = MemoryMap::of(&layout);
            Some(ty.shape[..stages].iter().rev().fold(inner, |map, &n| map.stacked(n)))
        }
        Err(error) => {
            let (place, text) = (cx.place(span), super::describe_spec(spec));
            let shape = &ty.shape[stages..];
            cx.report(report::layouts::does_not_fit(place, &text, shape, &error.to_string()));
            None
        }
    }
}

/// `let s: shared T;`
pub(crate) fn allocate(cx: &mut Elab<'_>, ty: &SharedType, span: Span) -> Option<Value> {
    let map = map_of(cx, ty, span)?;
    let align = alignment(ty.layout.as_ref().unwrap_or(&Spec::Plain));
    let value = cx.emit_one(SharedOp::Alloc { align }, &[], Type::view(ty.dtype, map), span);
    Some(Value::View(View { value, layout: ty.layout.clone() }))
}

/// `alias(a, b)`
pub(crate) fn alias(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let [a, b] = ["a", "b"].map(|it| whole_buffer(cx, args, it));
    let (a, b) = (a?, b?);
    if cx.ir.overlay(a, b).is_none() {
        let [first, second] = [a, b].map(|it| cx.name_of(it).clone());
        let place = cx.place(args.span);
        cx.report(report::shared::not_in_one_block(place, &first, &second));
        return None;
    }
    Some(Value::unit())
}

/// A buffer as it was declared.
fn whole_buffer(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<ir::Value> {
    let taken = view(cx, args, name)?;
    let is_whole = cx.ir.is_buffer(taken.value);
    if !is_whole {
        args.mismatch(cx, args.arg(name), "a buffer as it was declared, no part of one");
    }
    is_whole.then_some(taken.value)
}

/// `shared T`: the type of memory for what `T` says.
pub(crate) fn shared_type(cx: &mut Elab<'_>, of: TypeValue, span: Span) -> Option<TypeValue> {
    let of = match of {
        TypeValue::Array(inner, n) => {
            let Value::Type(inner) = &*inner else { return None };
            let TypeValue::Shared(mut ty) = shared_type(cx, inner.clone(), span)? else {
                return None;
            };
            ty.shape.insert(0, n);
            return Some(TypeValue::Shared(ty));
        }
        TypeValue::Tile { elem: Elem::Data(dtype), shape, layout } => {
            SharedType { dtype, shape, layout }
        }
        it @ TypeValue::Shared(_) => return Some(it),
        other => {
            let (place, got) = (cx.place(span), super::describe(cx, &Value::Type(other)));
            cx.report(report::shared::not_in_memory(place, &got));
            return None;
        }
    };
    if let Some(layout) = of.layout.as_ref().filter(|it| it.is_for_registers()) {
        let (place, text) = (cx.place(span), super::describe_spec(layout));
        cx.report(report::shared::layout_of_registers(place, &text));
        return None;
    }
    Some(TypeValue::Shared(of))
}

/// The number type of a view's elements.
pub(super) fn dtype_of(cx: &Elab<'_>, view: &View) -> DType {
    match cx.ty(view.value).elem {
        Elem::Shared(it) => it,
        Elem::Data(_) | Elem::Pointer(_) | Elem::Barrier | Elem::Map => {
            panic!("V2: a view's elements are in shared memory")
        }
    }
}

fn map(cx: &Elab<'_>, view: &View) -> MemoryMap {
    cx.ty(view.value).map().clone()
}

/// The view that a method is called on.
fn view(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<View> {
    let arg = args.arg(name);
    match &arg.value {
        Value::View(it) => Some(it.clone()),
        _ => {
            args.mismatch(cx, arg, "a view of shared memory");
            None
        }
    }
}

/// `s[i]`, `s[:, q * 64 ..+ 64]`
pub(super) fn bracket(
    cx: &mut Elab<'_>,
    of: &View,
    indices: &[Index],
    span: Span,
) -> Option<Value> {
    let rank = cx.ty(of.value).shape.len();
    if indices.len() > rank {
        let place = cx.place(span);
        cx.report(report::ops::wrong_index_count(place, rank, indices.len()));
        return None;
    }
    let mut taken = of.clone();
    let mut axis = 0;
    for index in indices {
        match index {
            Index::Whole(_) => axis += 1,
            Index::New(at) => {
                let place = cx.place(*at);
                cx.report(report::shared::no_new_dimension(place));
                return None;
            }
            Index::Value(at, place) => taken = indexed(cx, &taken, axis, at, *place)?,
            Index::Slice { start, len, span } => {
                taken = sliced(cx, &taken, axis, start, *len, *span)?;
                axis += 1;
            }
        }
    }
    Some(Value::View(taken))
}

/// The layout of what is left when a dimension before the layout's own is taken.
fn inner_layout(cx: &Elab<'_>, of: &View, axis: usize) -> Option<Spec> {
    let rank = cx.ty(of.value).shape.len();
    let layout = of.layout.as_ref()?;
    // Where nothing is permuted, a row lies as a matrix of one row does.
    let is_row =
        (axis, rank) == (0, 2) && matches!(layout, Spec::Nvmma { swizzle: 0, transposed: false });
    let own = layout.rank().map_or(2, |it| it as usize);
    (is_row || axis + own < rank).then(|| layout.clone())
}

fn indexed(cx: &mut Elab<'_>, of: &View, axis: usize, at: &Value, span: Span) -> Option<View> {
    let extent = cx.ty(of.value).shape[axis];
    if let Value::Int(it) = at
        && !(0..i128::from(extent)).contains(it)
    {
        let place = cx.place(span);
        cx.report(report::types::index_bounds(place, *it, extent as usize));
        return None;
    }
    let at = index_value(cx, at, span)?;
    let layout = inner_layout(cx, of, axis);
    let ty = Type::view(dtype_of(cx, of), map(cx, of).without(axis));
    let op = SharedOp::Index { axis: axis as u32 };
    Some(View { value: cx.emit_one(op, &[of.value, at], ty, span), layout })
}

fn sliced(
    cx: &mut Elab<'_>,
    of: &View,
    axis: usize,
    start: &Value,
    len: u32,
    span: Span,
) -> Option<View> {
    let extent = cx.ty(of.value).shape[axis];
    let whole = map(cx, of);
    let inner = check_view(cx, whole.slice(axis, len), span)?;
    if let Value::Int(it) = start {
        let unit = whole.slice_unit(axis, len);
        let end = it.saturating_add(len.into());
        if *it < 0 || end > i128::from(extent) {
            let place = cx.place(span);
            cx.report(report::types::slice_bounds(place, *it, end, extent as usize));
            return None;
        }
        if it % i128::from(unit) != 0 {
            let error = ViewError::Start { start: *it as u32, extent: len, unit };
            return check_view(cx, Err(error), span);
        }
        if len == extent {
            return Some(of.clone());
        }
    }
    let start = index_value(cx, start, span)?;
    let ty = Type::view(dtype_of(cx, of), inner);
    let op = SharedOp::Slice { axis: axis as u32 };
    let layout = inner_layout(cx, of, axis);
    Some(View { value: cx.emit_one(op, &[of.value, start], ty, span), layout })
}

/// A scalar `i32` that an index is.
pub(super) fn index_value(cx: &mut Elab<'_>, at: &Value, span: Span) -> Option<ir::Value> {
    match at {
        Value::Tile(it) if *cx.ty(it.value) == Type::scalar(DType::I32) => Some(it.value),
        Value::Int(_) => super::numbers::materialize(cx, at, I32, span),
        other => {
            let (place, got) = (cx.place(span), super::describe(cx, other));
            cx.report(report::types::mismatch(place, "a scalar `i32`", &got));
            None
        }
    }
}

fn check_view<T>(cx: &mut Elab<'_>, found: Result<T, ViewError>, span: Span) -> Option<T> {
    match found {
        Ok(it) => Some(it),
        Err(error) => {
            let place = cx.place(span);
            cx.report(report::shared::no_such_view(place, &error));
            None
        }
    }
}

fn recast(cx: &mut Elab<'_>, of: &View, dtype: DType, to: MemoryMap, span: Span) -> Value {
    let value = cx.emit_one(SharedOp::Recast, &[of.value], Type::view(dtype, to), span);
    Value::View(View { value, layout: None })
}

/// `s.permute(order)`
pub(super) fn permute(cx: &mut Elab<'_>, of: &View, perm: &[u32], span: Span) -> Option<Value> {
    let turned = map(cx, of).permute(perm);
    let dtype = dtype_of(cx, of);
    Some(recast(cx, of, dtype, turned, span))
}

/// `s.reshape(shape)`
pub(super) fn reshape(cx: &mut Elab<'_>, of: &View, shape: &[u32], span: Span) -> Option<Value> {
    let dtype = dtype_of(cx, of);
    let to = check_view(cx, map(cx, of).reshape(shape), span)?;
    Some(recast(cx, of, dtype, to, span))
}

/// `s.reinterpret(T)`
pub(crate) fn reinterpret(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let of = view(cx, args, "x")?;
    let to = args.dtype(cx, "T")?;
    let from = dtype_of(cx, &of);
    if cx.ty(of.value).shape.is_empty() && from.storage_bits() != to.storage_bits() {
        args.mismatch(cx, args.arg("T"), "a type of the same width, for a single element");
        return None;
    }
    let is_whole = |it: DType| it.storage_bits().is_power_of_two();
    if !is_whole(from) || !is_whole(to) {
        args.mismatch(cx, args.arg("T"), "a type whose width is a power of two");
        return None;
    }
    let same = from.storage_bits() == to.storage_bits();
    let seen = if same {
        Ok(map(cx, &of))
    } else {
        map(cx, &of).reinterpret(from.storage_bits(), to.storage_bits())
    };
    let seen = check_view(cx, seen, args.span)?;
    Some(recast(cx, &of, to, seen, args.span))
}

/// `s.split(n)`: the first dimension in `n` equal parts.
pub(super) fn split(cx: &mut Elab<'_>, of: &View, n: u32, span: Span) -> Option<Value> {
    let extent = cx.ty(of.value).shape.first().copied().unwrap_or(1);
    if n == 0 || !extent.is_multiple_of(n) {
        let place = cx.place(span);
        cx.report(report::shared::uneven_split(place, extent, n));
        return None;
    }
    let len = extent / n;
    let part = |it: u32| sliced(cx, of, 0, &Value::Int(i128::from(it * len)), len, span);
    let parts: Option<Vec<View>> = (0..n).map(part).collect();
    Some(Value::Array(parts?.into_iter().map(Value::View).collect()))
}

/// `s.load(L)`
pub(crate) fn load(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let of = view(cx, args, "x")?;
    let elem = Elem::Data(dtype_of(cx, &of));
    let shape = cx.ty(of.value).shape.clone();
    if shape.is_empty() {
        let value = cx.emit_one(SharedOp::Load, &[of.value], Type::single(elem), args.span);
        return Some(Value::scalar(value));
    }
    if args.get("layout").is_none() {
        let place = cx.place(args.span);
        cx.report(report::ops::missing_argument(place, args.row, "layout"));
        return None;
    }
    let spec = args.layout(cx, "layout")?;
    let layout = apply(cx, &spec, &shape, args.arg("layout").span)?;
    let ty = Type::tile(elem, shape, layout);
    let value = cx.emit_one(SharedOp::Load, &[of.value], ty, args.span);
    Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec) }))
}

/// `s.store(x)`
pub(crate) fn store(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let of = view(cx, args, "x")?;
    let dtype = dtype_of(cx, &of);
    let value = stored(cx, args.arg("value"), dtype)?;
    let shape = cx.ty(of.value).shape.clone();
    let Some(value) = whole_tile(cx, &value, &shape)? else {
        let (place, got) = (cx.place(args.arg("value").span), super::describe(cx, &value.value));
        let wanted = super::describe_shape(&shape);
        cx.report(report::types::mismatch(place, &format!("a tile of shape {wanted}"), &got));
        return None;
    };
    cx.emit(SharedOp::Store, &[of.value, value], &[], args.span);
    Some(Value::unit())
}

/// The tile of exactly that shape that a value is; `Some(None)` if it is none.
fn whole_tile(cx: &mut Elab<'_>, it: &Operand, shape: &ir::Shape) -> Option<Option<ir::Value>> {
    match &it.value {
        Value::Tile(tile @ Tile { layout: TileLayout::Open { .. }, .. }) => {
            unify::report_open(cx, std::slice::from_ref(tile), it.span);
            None
        }
        Value::Tile(tile) => Some((cx.ty(tile.value).shape == *shape).then_some(tile.value)),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if shape.is_empty() => {
            super::numbers::materialize(cx, &it.value, it.elem, it.span).map(Some)
        }
        _ => Some(None),
    }
}

/// View, axis, and the operands after the view: index, values, mask.
fn by_index(
    cx: &mut Elab<'_>,
    args: &Args,
    values: &[&str],
) -> Option<(View, u32, unify::Aligned)> {
    let of = view(cx, args, "x")?;
    let dtype = dtype_of(cx, &of);
    let shape = cx.ty(of.value).shape.clone();
    let axis = if args.get("axis").is_none() && shape.len() == 1 {
        0
    } else {
        args.below(cx, "axis", shape.len() as u32)?
    };
    let index = args.arg("index");
    let index = Operand { value: index.value.clone(), elem: I32, span: index.span };
    if unify::elem_of(cx, &index.value) != Some(I32) {
        args.mismatch(cx, args.arg("index"), "a tile of `i32`");
        return None;
    }
    let mut operands = vec![index];
    for &name in values {
        operands.push(stored(cx, args.arg(name), dtype)?);
    }
    operands.extend(mask(cx, args)?);
    let aligned = unify::align(cx, &operands, args.span)?;
    let got = cx.ty(aligned.values[0]).shape.clone();
    let fits = got.len() == shape.len()
        && got.iter().zip(&shape).enumerate().all(|(at, (a, b))| at == axis as usize || a == b);
    if !fits {
        let place = cx.place(args.arg("index").span);
        cx.report(report::shared::index_shape(place, &shape, &got, axis));
        return None;
    }
    Some((of, axis, aligned))
}

/// `s.gather(index, axis:, mask:)`
pub(super) fn gather(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (of, axis, aligned) = by_index(cx, args, &[])?;
    let ty = cx.ty(aligned.values[0]).with_elem(Elem::Data(dtype_of(cx, &of)));
    let operands: Vec<ir::Value> = std::iter::once(of.value).chain(aligned.values).collect();
    let value = cx.emit_one(SharedOp::Gather { axis }, &operands, ty, args.span);
    Some(Value::Tile(Tile { value, layout: aligned.layout }))
}

/// `s.scatter(index, value, axis:, mask:)`
pub(crate) fn scatter(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (of, axis, aligned) = by_index(cx, args, &["value"])?;
    let operands: Vec<ir::Value> = std::iter::once(of.value).chain(aligned.values).collect();
    cx.emit(SharedOp::Scatter { axis }, &operands, &[], args.span);
    Some(Value::unit())
}

fn atomic(cx: &mut Elab<'_>, args: &Args, op: AtomicOp) -> Option<Value> {
    let of = view(cx, args, "x")?;
    let dtype = dtype_of(cx, &of);
    if !atomic_takes(op, dtype) {
        let place = cx.place(args.span);
        cx.report(report::memory::no_such_atomic(place, args.row.path, dtype));
        return None;
    }
    let (of, axis, aligned) = by_index(cx, args, &["value"])?;
    let ty = cx.ty(aligned.values[0]).with_elem(Elem::Data(dtype));
    let operands: Vec<ir::Value> = std::iter::once(of.value).chain(aligned.values).collect();
    let value = cx.emit_one(SharedOp::Atomic { op, axis }, &operands, ty, args.span);
    Some(Value::Tile(Tile { value, layout: aligned.layout }))
}

atomics!("`s.f(index, value, axis:, mask:)`");

/// `s.name` on a view.
pub(super) fn field(cx: &Elab<'_>, of: &View, name: &str) -> Option<Value> {
    let ty = cx.ty(of.value);
    match name {
        "shape" => Some(Value::Array(ty.shape.iter().map(|&it| Value::Int(it.into())).collect())),
        "rank" => Some(Value::Int(ty.shape.len() as i128)),
        "dtype" => Some(Value::Type(TypeValue::Scalar(dtype_of(cx, of)))),
        "is_view" => Some(Value::Bool(true)),
        "bytes" => {
            let bits = ty.len() as u64 * u64::from(ty.elem.bits());
            Some(Value::Int(i128::from(bits.div_ceil(8))))
        }
        "layout" => of.layout.clone().map(Value::Layout),
        _ => None,
    }
}
