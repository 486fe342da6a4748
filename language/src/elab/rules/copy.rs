//! Tiled views of tensors, and copies between global and shared memory.
//!
//! `a.tiles([BM, BK], S)` cuts a tensor into boxes; `at[i, t]` is one of them. Nothing is emitted
//! until a copy moves one: then a copy engine is told where it begins ([`super::boxes`]), or the role's warps make a
//! pointer an element, in a layout that sweeps through the shared side in the order of its offsets, and a mask that
//! is false outside of the tensor.

use std::sync::Arc;

use tile_layout::{MemoryMap, Spec, sweep};
use tile_syntax::ast::{BinaryOp, Span};

use super::args::Args;
use super::arithmetic;
use super::boxes::{self, Way};
use super::layouts::apply;
use super::memory::{self, EVICT_WORDS, REDUCE_WORDS, check_mutable, mask};
use super::unify::{self, Operand};
use super::{cluster, shared, sync};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::rules::Index;
use crate::elab::value::{SharedType, Tile, TileBox, TileLayout, Tiles, TypeValue, Value, View};
use crate::ir::{self, Elem, Shape, Type};
use crate::op::memory::{AtomicOp, Cache, Evict, Order, Scope};
use crate::op::{CopyOp, MemoryOp, SharedOp, TileOp};
use crate::report;

const I32: Elem = Elem::Data(DType::I32);

/// `x.tiles(extents, layout, by:)`
pub(crate) fn tiles(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let tensor = memory::tensor(cx, args)?;
    let extents = args.arg("extents");
    let Value::Array(parts) = &extents.value else {
        args.mismatch(cx, extents, "a list with an extent, or `_`, for each dimension");
        return None;
    };
    let rank = cx.tensor(tensor).dims.len();
    if parts.len() != rank {
        let (place, name) = (cx.place(extents.span), cx.tensor(tensor).name.clone());
        let declared = cx.site_place(cx.tensor(tensor).site);
        cx.report(report::memory::tiles_rank(place, &name, rank, parts.len(), declared));
        return None;
    }
    let extent = |it: &Value| match it {
        Value::Word(word) if word == "_" => Some(None),
        Value::Int(it) => u32::try_from(*it).ok().filter(|&it| it > 0).map(Some),
        _ => None,
    };
    let Some(extents) = parts.iter().map(extent).collect::<Option<Vec<_>>>() else {
        args.mismatch(cx, args.arg("extents"), "a list with an extent, or `_`, for each dimension");
        return None;
    };
    let layout = match args.get("layout") {
        Some(_) => args.layout(cx, "layout")?,
        None => Spec::Plain,
    };
    args.word(cx, "by", (), |it| (it == "warps").then_some(()), "`warps`")?;
    let by_warps = args.get("by").is_some();
    let tiles = Tiles { tensor, extents, layout, by_warps };
    shared::map_of(cx, &tiles.memory_type(cx.tensor(tensor).dtype), args.span)?;
    Some(Value::Tiles(Arc::new(tiles)))
}

impl Tiles {
    /// Extents of one box, `_` left out.
    fn shape(&self) -> Shape {
        self.extents.iter().flatten().copied().collect()
    }

    /// The memory that one box fills.
    fn memory_type(&self, dtype: DType) -> SharedType {
        SharedType { dtype, shape: self.shape(), layout: Some(self.layout.clone()) }
    }
}

/// `at[i, t]`: the box with these numbers.
pub(super) fn bracket(
    cx: &mut Elab<'_>,
    tiles: &Arc<Tiles>,
    indices: &[Index],
    span: Span,
) -> Option<Value> {
    let mut numbers = Vec::new();
    for index in indices {
        match index {
            Index::Value(it, at) => numbers.push((it.clone(), *at)),
            Index::Whole(at) | Index::New(at) | Index::Slice { span: at, .. } => {
                let place = cx.place(*at);
                cx.report(report::memory::box_number(place));
                return None;
            }
        }
    }
    let corner = check_corner(cx, tiles, &numbers, span)?;
    let scaled = |(it, extent): (Value, &Option<u32>)| match extent {
        Some(extent) => Some(cx.apply(BinaryOp::Mul, it, Value::Int(i128::from(*extent)), span)),
        None => Some(it),
    };
    let corner = corner.into_iter().zip(&tiles.extents).map(scaled).collect::<Option<_>>()?;
    Some(Value::Box(Arc::new(TileBox { tiles: tiles.clone(), corner })))
}

/// `at.corner(r, c)`: the box that begins at an element.
pub(crate) fn corner(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let tiles = tiled(cx, args)?;
    let numbers: Vec<(Value, Span)> =
        args.rest().iter().map(|it| (it.value.clone(), it.span)).collect();
    let corner = check_corner(cx, &tiles, &numbers, args.span)?;
    Some(Value::Box(Arc::new(TileBox { tiles, corner })))
}

/// One scalar integer a dimension.
fn check_corner(
    cx: &mut Elab<'_>,
    tiles: &Tiles,
    numbers: &[(Value, Span)],
    span: Span,
) -> Option<Vec<Value>> {
    if numbers.len() != tiles.extents.len() {
        let (place, name) = (cx.place(span), cx.tensor(tiles.tensor).name.clone());
        let declared = cx.site_place(cx.tensor(tiles.tensor).site);
        let (rank, got) = (tiles.extents.len(), numbers.len());
        cx.report(report::memory::tiles_rank(place, &name, rank, got, declared));
        return None;
    }
    for (number, at) in numbers {
        let is_scalar = match number {
            Value::Int(_) => true,
            Value::Tile(it) => {
                let ty = cx.ty(it.value);
                ty.is_scalar() && matches!(ty.elem, Elem::Data(DType::I32 | DType::I64))
            }
            _ => false,
        };
        if !is_scalar {
            let (place, got) = (cx.place(*at), super::describe(cx, number));
            cx.report(report::types::mismatch(place, "a scalar `i32` or `i64`", &got));
            return None;
        }
    }
    Some(numbers.iter().map(|it| it.0.clone()).collect())
}

fn tiled(cx: &mut Elab<'_>, args: &Args) -> Option<Arc<Tiles>> {
    match args.value("tiles") {
        Value::Tiles(it) => Some(it.clone()),
        _ => {
            args.mismatch(cx, args.arg("tiles"), "a tiled view, such as `x.tiles(…)` gives");
            None
        }
    }
}

/// `at.count(d)`: how many boxes cover the tensor along a dimension.
pub(crate) fn count(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let tiles = tiled(cx, args)?;
    let axis = args.below(cx, "axis", tiles.extents.len() as u32)? as usize;
    let dim = memory::extent_value(cx, tiles.tensor, axis);
    let Some(extent) = tiles.extents[axis].map(i128::from) else { return Some(dim) };
    // The sum of scalars wraps for a size within one box of its type's end, which the interpreter reports.
    if let Value::Int(it) = dim {
        return Some(Value::Int((it + extent - 1) / extent));
    }
    let sum = cx.apply(BinaryOp::Add, dim, Value::Int(extent - 1), args.span);
    Some(cx.apply(BinaryOp::Div, sum, Value::Int(extent), args.span))
}

/// `at.name` on a tiled view.
pub(super) fn tiles_field(cx: &Elab<'_>, tiles: &Tiles, name: &str) -> Option<Value> {
    let dtype = cx.tensor(tiles.tensor).dtype;
    match name {
        "tile" => Some(Value::Type(TypeValue::Tile {
            elem: Elem::Data(dtype),
            shape: tiles.shape(),
            layout: Some(tiles.layout.clone()),
        })),
        "shape" => {
            Some(Value::Array(tiles.shape().iter().map(|&it| Value::Int(it.into())).collect()))
        }
        "layout" => Some(Value::Layout(tiles.layout.clone())),
        "dtype" => Some(Value::Type(TypeValue::Scalar(dtype))),
        _ => None,
    }
}

/// Pointers to the elements of a box in a register layout, and where they are inside of the tensor.
fn pointers(
    cx: &mut Elab<'_>,
    it: &TileBox,
    spec: &Spec,
    span: Span,
) -> Option<(ir::Value, Option<Operand>)> {
    let shape = it.tiles.shape();
    let mut operands = Vec::new();
    let mut axis = 0;
    for (corner, extent) in it.corner.iter().zip(&it.tiles.extents) {
        let value = match extent {
            None => corner.clone(),
            Some(extent) => {
                let mut extents: Shape = shape.iter().map(|_| 1).collect();
                extents[axis] = *extent;
                let layout = apply(cx, spec, &extents, span)?;
                let op = TileOp::Index { axis: axis as u32 };
                let index = cx.emit_one(op, &[], Type::tile(I32, extents, layout), span);
                let index = Tile { value: index, layout: TileLayout::Closed(spec.clone()) };
                axis += 1;
                along(cx, corner, index, span)?
            }
        };
        let elem = unify::elem_of(cx, &value).unwrap_or(I32);
        operands.push(Operand { value, elem, span });
    }
    let inside = memory::inside(cx, it.tiles.tensor, operands.clone(), span)?;
    let elem = Elem::Pointer(cx.tensor(it.tiles.tensor).dtype);
    let op = MemoryOp::At { tensor: it.tiles.tensor };
    let Value::Tile(pointer) = arithmetic::emit_aligned(cx, op, &operands, elem, span)? else {
        return None;
    };
    let whole = Operand { value: Value::Tile(pointer), elem, span };
    let pointer = unify::close(cx, &whole, spec, &shape, span)?;
    let bool = Elem::Data(DType::Bool);
    let mask = (inside != Value::Bool(true)).then_some(Operand { value: inside, elem: bool, span });
    Some((pointer, mask))
}

/// A corner plus the index inside of the box, as wide as the corner.
fn along(cx: &mut Elab<'_>, corner: &Value, index: Tile, span: Span) -> Option<Value> {
    let wide = Elem::Data(DType::I64);
    let index = if unify::elem_of(cx, corner) == Some(wide) {
        let ty = cx.ty(index.value).with_elem(wide);
        let op = TileOp::Cast { round: crate::op::tile::Round::Nearest };
        let value = cx.emit_one(op, &[index.value], ty, span);
        Tile { value, ..index }
    } else {
        index
    };
    match corner {
        Value::Int(0) => Some(Value::Tile(index)),
        _ => arithmetic::binary(cx, BinaryOp::Add, corner.clone(), Value::Tile(index), span),
    }
}

/// A mask in the layout and shape of pointers; nothing if all take part.
fn closed_mask(
    cx: &mut Elab<'_>,
    masks: impl IntoIterator<Item = Option<Operand>>,
    spec: &Spec,
    shape: &Shape,
    span: Span,
) -> Option<Option<ir::Value>> {
    let mut all: Option<ir::Value> = None;
    for mask in masks.into_iter().flatten() {
        let mask = unify::close(cx, &mask, spec, shape, span)?;
        all = Some(match all {
            None => mask,
            Some(other) => {
                let op = TileOp::Binary { op: crate::op::tile::BinaryOp::And };
                let ty = cx.ty(mask).clone();
                cx.emit_one(op, &[other, mask], ty, span)
            }
        });
    }
    Some(all)
}

/// One side of a copy.
enum Side {
    /// Shared memory.
    View(View),
    /// A box of a tensor.
    Box(Arc<TileBox>),
    /// Pointers to global memory.
    Pointers(Tile),
}

fn side(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<Side> {
    let arg = args.arg(name);
    match &arg.value {
        Value::View(it) => Some(Side::View(it.clone())),
        Value::Box(it) => Some(Side::Box(it.clone())),
        Value::Tile(it) if matches!(cx.ty(it.value).elem, Elem::Pointer(_)) => {
            Some(Side::Pointers(it.clone()))
        }
        _ => {
            args.mismatch(
                cx,
                arg,
                "a view of shared memory, a tile of a tiled view, or a tile of pointers",
            );
            None
        }
    }
}

/// `copy(from, into: to, mask:)`
pub(crate) fn copy(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (from, to) = (side(cx, args, "from")?, side(cx, args, "into")?);
    if let (Side::View(_), Some(signal)) = (&from, args.get("signal")) {
        let place = cx.place(signal.span);
        cx.report(report::memory::signal_out(place));
        return None;
    }
    for it in [&from, &to] {
        if let Side::View(view) = it
            && cluster::refuse_neighbours(cx, view.value, "a copy", args.span)
        {
            return None;
        }
    }
    match (from, to) {
        (Side::View(from), to @ (Side::Box(_) | Side::Pointers(_))) => {
            out_of_shared(cx, args, &from, &to)
        }
        (from @ (Side::Box(_) | Side::Pointers(_)), Side::View(to)) => {
            into_shared(cx, args, &from, &to)
        }
        (Side::View(_), Side::View(_)) | (Side::Box(_) | Side::Pointers(_), _) => {
            let place = cx.place(args.span);
            cx.report(report::memory::copy_between(place));
            None
        }
    }
}

/// Global memory as pointers that go with a view: their layout, and the mask.
fn global_side(
    cx: &mut Elab<'_>,
    args: &Args,
    global: &Side,
    map: &MemoryMap,
    dtype: DType,
    given: Option<Operand>,
) -> Option<(ir::Value, Option<ir::Value>, Spec)> {
    let (span, shape) = (args.span, map.shape());
    match global {
        Side::Box(it) => {
            let spec = Spec::Explicit(sweep(map, dtype.storage_bits(), cx.machine()));
            let (pointer, inside) = pointers(cx, it, &spec, span)?;
            let mask = closed_mask(cx, [inside, given], &spec, &shape, span)?;
            Some((pointer, mask, spec))
        }
        Side::Pointers(it) => {
            let TileLayout::Closed(spec) = it.layout.clone() else {
                unify::report_open(cx, std::slice::from_ref(it), span);
                return None;
            };
            let mask = closed_mask(cx, [given], &spec, &shape, span)?;
            Some((it.value, mask, spec))
        }
        Side::View(_) => None,
    }
}

/// Both sides of a copy have one element type and shape.
fn check_types(
    cx: &mut Elab<'_>,
    global: &Side,
    map: &MemoryMap,
    dtype: DType,
    span: Span,
) -> Option<()> {
    let wanted: Shape = map.shape();
    let (shape, got) = match global {
        Side::Box(it) => (it.tiles.shape(), cx.tensor(it.tiles.tensor).dtype),
        Side::Pointers(it) => match cx.ty(it.value).elem {
            Elem::Pointer(dtype) => (unify::shape_of(cx, it), dtype),
            Elem::Data(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map => return None,
        },
        Side::View(_) => return None,
    };
    if shape != wanted || got != dtype {
        let place = cx.place(span);
        let global = format!("{got}{}", super::describe_shape(&shape));
        let shared = format!("{dtype}{}", super::describe_shape(&wanted));
        cx.report(report::memory::copy_types(place, &global, &shared));
        return None;
    }
    Some(())
}

fn into_shared(cx: &mut Elab<'_>, args: &Args, from: &Side, to: &View) -> Option<Value> {
    if let Some(reduce) = args.get("reduce") {
        let place = cx.place(reduce.span);
        cx.report(report::memory::reduce_in(place));
        return None;
    }
    let (map, dtype) = (cx.ty(to.value).map().clone(), shared::dtype_of(cx, to));
    check_types(cx, from, &map, dtype, args.span)?;
    // Copies by warps have no such wish.
    let evict = args.word(cx, "evict", Evict::Normal, Evict::from_name, EVICT_WORDS)?;
    args.word(cx, "multicast", (), |it| (it == "all").then_some(()), "`all`")?;
    let multicast = args.get("multicast").map(|it| it.span);
    if let Side::Box(from) = from
        && let Way::Engine(boxes) = boxes::way(cx, args, from, to)?
    {
        // In a cluster of one block all are this one.
        let is_cast = multicast.is_some() && 1 < cx.cluster.iter().product::<u32>();
        return boxes::bring(cx, args, from, to, &boxes, evict, is_cast);
    }
    if let Some(span) = multicast {
        let place = cx.place(span);
        cx.report(report::cluster::cast_by_warps(place));
        return None;
    }
    let given = mask(cx, args)?;
    let (pointer, mask, _) = global_side(cx, args, from, &map, dtype, given)?;
    let signalled = match args.get("signal") {
        Some(_) => Some(sync::barrier(cx, args, "signal")?),
        None => None,
    };
    let operands: Vec<ir::Value> = [to.value, pointer].into_iter().chain(mask).collect();
    cx.emit(CopyOp::Async, &operands, &[], args.span);
    if let Some(barrier) = signalled {
        let bits = map.shape().iter().product::<u32>() * dtype.storage_bits();
        cx.emit(CopyOp::Signal { bytes: bits.div_ceil(8) }, &[barrier], &[], args.span);
        return Some(Value::unit());
    }
    // The stage of a permit is complete when the ring says so.
    let is_stage = cx.permit_behind.contains_key(&to.value);
    Some(if is_stage { Value::unit() } else { Value::Flight(to.value) })
}

/// `c.wait()`, of what `copy` gave
pub(super) fn land(cx: &mut Elab<'_>, view: ir::Value, span: Span) -> Value {
    cx.emit(CopyOp::Land, &[view], &[], span);
    Value::unit()
}

fn out_of_shared(cx: &mut Elab<'_>, args: &Args, from: &View, to: &Side) -> Option<Value> {
    if let Side::Box(it) = to
        && !cx.tensor(it.tiles.tensor).mutable
    {
        let tensor = cx.tensor(it.tiles.tensor);
        let (name, declared) = (tensor.name.clone(), cx.site_place(tensor.site));
        let place = cx.place(args.span);
        cx.report(report::memory::not_mutable(place, &name, declared));
        return None;
    }
    if let Side::Pointers(it) = to {
        let elem = cx.ty(it.value).elem;
        let operand = Operand { value: Value::Tile(it.clone()), elem, span: args.span };
        check_mutable(cx, args, &operand)?;
    }
    let (map, dtype) = (cx.ty(from.value).map().clone(), shared::dtype_of(cx, from));
    check_types(cx, to, &map, dtype, args.span)?;
    let evict = args.word(cx, "evict", Evict::Normal, Evict::from_name, EVICT_WORDS)?;
    let reduce = reduction(cx, args, dtype)?;
    if let Side::Box(to) = to
        && reduce.is_none_or(|it| boxes::reduces(it, dtype))
        && let Way::Engine(boxes) = boxes::way(cx, args, to, from)?
    {
        return boxes::take(cx, args.span, from, to, &boxes, (evict, reduce));
    }
    let given = mask(cx, args)?;
    let (pointer, mask, spec) = global_side(cx, args, to, &map, dtype, given)?;
    let shape = map.shape();
    let layout = apply(cx, &spec, &shape, args.span)?;
    let ty = Type::tile(Elem::Data(dtype), shape, layout);
    let value = cx.emit_one(SharedOp::Load, &[from.value], ty, args.span);
    let operands: Vec<ir::Value> = [pointer, value].into_iter().chain(mask).collect();
    if let Some(op) = reduce {
        let before = cx.ty(value).clone();
        let op = MemoryOp::Atomic { op, order: Order::Relaxed, scope: Scope::Device };
        cx.emit(op, &operands, &[before], args.span);
        return Some(Value::unit());
    }
    let op = MemoryOp::Store { cache: Cache::All, evict };
    cx.emit(op, &operands, &[], args.span);
    Some(Value::unit())
}

/// `reduce: add`: how what comes is combined with what is there.
fn reduction(cx: &mut Elab<'_>, args: &Args, dtype: DType) -> Option<Option<AtomicOp>> {
    if args.get("reduce").is_none() {
        return Some(None);
    }
    let op = args.word(cx, "reduce", AtomicOp::Add, AtomicOp::combining, REDUCE_WORDS)?;
    if !memory::atomic_takes(op, dtype) {
        let (place, name) = (cx.place(args.span), format!("copy(…, reduce: {})", op.name()));
        cx.report(report::memory::no_such_atomic(place, &name, dtype));
        return None;
    }
    memory::need_atomic(cx, op, dtype, "copy", args.span);
    Some(Some(op))
}

/// `prefetch(at[i, t])`
pub(crate) fn prefetch(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::Box(it) = args.value("from").clone() else {
        args.mismatch(cx, args.arg("from"), "a tile of a tiled view, `at[i, t]`");
        return None;
    };
    let evict = args.word(cx, "evict", Evict::Normal, Evict::from_name, EVICT_WORDS)?;
    let memory = it.tiles.memory_type(cx.tensor(it.tiles.tensor).dtype);
    let map = shared::map_of(cx, &memory, args.span)?;
    boxes::prefetch(cx, args, &it, &map, evict)
}

/// `fetch(at[i, t])`
pub(crate) fn fetch(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::Box(it) = args.value("from").clone() else {
        args.mismatch(cx, args.arg("from"), "a tile of a tiled view, `at[i, t]`");
        return None;
    };
    let dtype = cx.tensor(it.tiles.tensor).dtype;
    let ty = it.tiles.memory_type(dtype);
    let map = shared::map_of(cx, &ty, args.span)?;
    let side = Side::Box(it.clone());
    let (pointer, mask, _) = global_side(cx, args, &side, &map, dtype, None)?;
    let operands: Vec<ir::Value> = std::iter::once(pointer).chain(mask).collect();
    let align = shared::alignment(&it.tiles.layout);
    let value = cx.emit_one(CopyOp::Fetch { align }, &operands, Type::view(dtype, map), args.span);
    Some(Value::View(View { value, layout: ty.layout }))
}

/// `copies::group()`
pub(crate) fn group(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    cx.emit(CopyOp::Commit, &[], &[], args.span);
    Some(Value::unit())
}

/// `copies::wait(in_flight:)`
pub(crate) fn wait(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let in_flight = match args.get("in_flight") {
        Some(_) => args.below(cx, "in_flight", 64)?,
        None => 0,
    };
    cx.emit(CopyOp::Wait { in_flight }, &[], &[], args.span);
    Some(Value::unit())
}
