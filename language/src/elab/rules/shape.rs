//! Operations on a tile's shape and layout: what moves elements, or only their names.
//!
//! Where an operation leaves every element in its thread, the layout crate carries the layout
//! along; the result keeps the constructor's name when that constructor gives the same map.
//! Tuples of tiles go through part by part.

use tile_layout::{Layout, Spec};
use tile_syntax::ast::Span;

use super::args::Args;
use super::layouts::{apply, fold_order, named};
use super::shared;
use super::unify::{self, Operand, shape_of};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::rules::Index;
use crate::elab::value::{Tile, TileLayout, TypeValue, Value};
use crate::ir::{Elem, Shape, Type};
use crate::op::TileOp;
use crate::report;

/// A closed tile with its type.
struct Closed {
    tile: Tile,
    spec: Spec,
    ty: Type,
}

impl Closed {
    fn layout(&self) -> &Layout {
        self.ty.layout.as_ref().expect("V2: a closed tile has a layout")
    }

    fn rank(&self) -> u32 {
        self.ty.shape.len() as u32
    }
}

/// The tile of a value that must be closed.
fn closed(cx: &mut Elab<'_>, args: &Args, value: &Value) -> Option<Closed> {
    match value {
        Value::Tile(tile) => match &tile.layout {
            TileLayout::Closed(spec) => Some(Closed {
                tile: tile.clone(),
                spec: spec.clone(),
                ty: cx.ty(tile.value).clone(),
            }),
            TileLayout::Open { .. } => {
                unify::report_open(cx, std::slice::from_ref(tile), args.span);
                None
            }
            TileLayout::Scalar => {
                args.mismatch(cx, args.arg("x"), "a tile");
                None
            }
        },
        Value::Unplaced(_) => {
            let place = cx.place(args.span);
            cx.report(report::layouts::no_layout(place));
            None
        }
        _ => {
            args.mismatch(cx, args.arg("x"), "a tile");
            None
        }
    }
}

/// Runs `f` on a tile, or on every tile of a tuple.
fn each(
    cx: &mut Elab<'_>,
    args: &Args,
    value: &Value,
    f: &mut dyn FnMut(&mut Elab<'_>, Closed) -> Option<Value>,
) -> Option<Value> {
    if let Value::Tuple(parts) = value {
        let parts = parts.iter().map(|it| each(cx, args, it, f)).collect::<Option<_>>()?;
        return Some(Value::Tuple(parts));
    }
    let tile = closed(cx, args, value)?;
    f(cx, tile)
}

/// A tile in a layout that was carried along.
fn carried(
    cx: &Elab<'_>,
    value: crate::ir::Value,
    candidate: Option<Spec>,
    layout: &Layout,
) -> Value {
    Value::Tile(Tile { value, layout: TileLayout::Closed(named(cx, candidate, layout)) })
}

fn emit_carried(
    cx: &mut Elab<'_>,
    op: TileOp,
    of: &Closed,
    candidate: Option<Spec>,
    layout: Layout,
    span: Span,
) -> Value {
    let shape: Shape = layout.shape().into();
    let ty = Type::tile(of.ty.elem, shape, layout.clone());
    let value = cx.emit_one(op, &[of.tile.value], ty, span);
    carried(cx, value, candidate, &layout)
}

/// Reports why a layout cannot be carried along.
fn carry<T>(cx: &mut Elab<'_>, span: Span, result: Result<T, tile_layout::SpecError>) -> Option<T> {
    match result {
        Ok(it) => Some(it),
        Err(error) => {
            let place = cx.place(span);
            cx.report(report::layouts::cannot_carry(place, &error.to_string()));
            None
        }
    }
}

/// The axis argument; it may be left out for rank 1.
fn axis(cx: &mut Elab<'_>, args: &Args, rank: u32) -> Option<u32> {
    if args.get("axis").is_none() && rank == 1 {
        return Some(0);
    }
    if args.get("axis").is_none() {
        let place = cx.place(args.span);
        cx.report(report::ops::missing_argument(place, args.row, "axis"));
        return None;
    }
    args.below(cx, "axis", rank)
}

/// `x.halves(axis, bit:)`
pub(crate) fn halves(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let mut pairs = |cx: &mut Elab<'_>, it: Closed| {
        let axis = axis(cx, args, it.rank())?;
        let bit = args.below(cx, "bit", 31)?;
        let layout = carry(cx, args.span, it.layout().without_bit(axis as usize, bit))?;
        let ty = Type::tile(it.ty.elem, layout.shape().into(), layout.clone());
        let results =
            cx.emit(TileOp::Halves { axis, bit }, &[it.tile.value], &[ty.clone(), ty], args.span);
        let half = |cx: &Elab<'_>, value| carried(cx, value, Some(it.spec.clone()), &layout);
        Some(Value::Tuple([half(cx, results[0]), half(cx, results[1])].into()))
    };
    let opened = each(cx, args, args.value("x"), &mut pairs)?;
    Some(if matches!(args.value("x"), Value::Tuple(_)) { transpose(&opened) } else { opened })
}

/// `((a0, a1), (b0, b1))` as `((a0, b0), (a1, b1))`, through nested tuples.
fn transpose(pairs: &Value) -> Value {
    let side = |n: usize| side_of(pairs, n);
    Value::Tuple([side(0), side(1)].into())
}

fn side_of(pairs: &Value, n: usize) -> Value {
    match pairs {
        Value::Tuple(parts) if matches!(parts.first(), Some(Value::Tuple(_))) => {
            Value::Tuple(parts.iter().map(|it| side_of(it, n)).collect())
        }
        Value::Tuple(pair) => pair[n].clone(),
        other => other.clone(),
    }
}

/// `x.butterfly(mask, axis:)`
pub(crate) fn butterfly(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    each(cx, args, args.value("x"), &mut |cx, it| {
        let axis = axis(cx, args, it.rank())?;
        let extent = it.ty.shape[axis as usize];
        let mask = args.below(cx, "mask", 1 << extent.trailing_zeros())?;
        let value =
            cx.emit_one(TileOp::Butterfly { axis, mask }, &[it.tile.value], it.ty, args.span);
        Some(Value::Tile(Tile { value, layout: it.tile.layout }))
    })
}

/// `x.squeeze(axis)`
pub(crate) fn squeeze(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    each(cx, args, args.value("x"), &mut |cx, it| {
        let axis = axis(cx, args, it.rank())?;
        let extent = it.ty.shape[axis as usize];
        if extent != 1 {
            let place = cx.place(args.span);
            cx.report(report::ops::not_one(place, axis, extent));
            return None;
        }
        if it.rank() == 1 {
            let ty = Type::single(it.ty.elem);
            return Some(Value::scalar(cx.emit_one(
                TileOp::Squeeze { axis },
                &[it.tile.value],
                ty,
                args.span,
            )));
        }
        let layout = it.layout().slice(axis as usize);
        let candidate = match &it.spec {
            Spec::Explicit(_) => None,
            spec => Some(spec.clone().slice(axis)),
        };
        Some(emit_carried(cx, TileOp::Squeeze { axis }, &it, candidate, layout, args.span))
    })
}

/// `x.expand(axis)`: what `x[:, None]` says, by number.
pub(crate) fn expand(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    each(cx, args, args.value("x"), &mut |cx, it| {
        let axis = args.below(cx, "axis", it.rank() + 1)?;
        let layout = TileLayout::Open { child: it.spec, new_axes: vec![axis] };
        Some(Value::Tile(Tile { value: it.tile.value, layout }))
    })
}

/// `x[:, None]`
pub(super) fn bracket(
    cx: &mut Elab<'_>,
    tile: &Tile,
    indices: &[Index],
    span: Span,
) -> Option<Value> {
    let mut new_axes = Vec::new();
    let mut whole = 0;
    for (position, index) in indices.iter().enumerate() {
        match index {
            Index::Whole(_) => whole += 1,
            Index::New(_) => new_axes.push(position as u32),
            Index::Value(_, at) | Index::Slice { span: at, .. } => {
                let place = cx.place(*at);
                cx.report(report::ops::no_element_access(place));
                return None;
            }
        }
    }
    let rank = cx.ty(tile.value).shape.len();
    match &tile.layout {
        TileLayout::Closed(child) if whole == rank => {
            if new_axes.is_empty() {
                return Some(Value::Tile(tile.clone()));
            }
            let layout = TileLayout::Open { child: child.clone(), new_axes };
            Some(Value::Tile(Tile { value: tile.value, layout }))
        }
        TileLayout::Open { .. } => {
            unify::report_open(cx, std::slice::from_ref(tile), span);
            None
        }
        TileLayout::Closed(_) | TileLayout::Scalar => {
            let place = cx.place(span);
            cx.report(report::ops::wrong_index_count(place, rank, whole));
            None
        }
    }
}

/// `x.reshape(shape)`
pub(crate) fn reshape(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let shape = args.numbers(cx, "shape")?;
    if let Value::View(view) = args.value("x") {
        return shared::reshape(cx, view, &shape, args.span);
    }
    each(cx, args, args.value("x"), &mut |cx, it| {
        let count =
            |it: &[u32]| it.iter().fold(1u64, |so_far, &it| so_far.saturating_mul(it.into()));
        if count(&shape) != count(&it.ty.shape) {
            let place = cx.place(args.span);
            cx.report(report::ops::counts_differ(place, &it.ty.shape, &shape));
            return None;
        }
        let layout = carry(cx, args.span, it.layout().reshape(&shape))?;
        Some(emit_carried(cx, TileOp::Reshape, &it, None, layout, args.span))
    })
}

/// `x.permute(order)`
pub(crate) fn permute(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let perm = args.numbers(cx, "order")?;
    let check = |cx: &mut Elab<'_>, rank: u32| {
        let mut sorted = perm.clone();
        sorted.sort_unstable();
        let sound = sorted.iter().copied().eq(0..rank);
        if !sound {
            args.mismatch(cx, args.arg("order"), "each dimension once");
        }
        sound.then_some(())
    };
    if let Value::View(view) = args.value("x") {
        check(cx, cx.ty(view.value).shape.len() as u32)?;
        return shared::permute(cx, view, &perm, args.span);
    }
    each(cx, args, args.value("x"), &mut |cx, it| {
        check(cx, it.rank())?;
        Some(permuted(cx, &it, perm.clone(), args.span))
    })
}

fn permuted(cx: &mut Elab<'_>, it: &Closed, perm: Vec<u32>, span: Span) -> Value {
    let layout = it.layout().permute(&perm);
    emit_carried(cx, TileOp::Permute { perm }, it, None, layout, span)
}

/// `x.t()`
pub(crate) fn transposed(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let exchanged = |cx: &mut Elab<'_>, rank: u32| -> Option<Vec<u32>> {
        if rank < 2 {
            args.mismatch(cx, args.arg("x"), "a tile of at least two dimensions");
            return None;
        }
        Some((0..rank - 2).chain([rank - 1, rank - 2]).collect())
    };
    if let Value::View(view) = args.value("x") {
        let perm = exchanged(cx, cx.ty(view.value).shape.len() as u32)?;
        return shared::permute(cx, view, &perm, args.span);
    }
    each(cx, args, args.value("x"), &mut |cx, it| {
        let perm = exchanged(cx, it.rank())?;
        Some(permuted(cx, &it, perm, args.span))
    })
}

/// `x.broadcast(shape)`
pub(crate) fn broadcast(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let shape = args.numbers(cx, "shape")?;
    each(cx, args, args.value("x"), &mut |cx, it| {
        let repeats = |(&from, &to): (&u32, &u32)| from == to || from == 1;
        if it.ty.shape.len() != shape.len() || !it.ty.shape.iter().zip(&shape).all(repeats) {
            let place = cx.place(args.span);
            cx.report(report::ops::shapes_differ(place, &it.ty.shape, &shape));
            return None;
        }
        let layout = apply(cx, &it.spec, &shape, args.span)?;
        Some(emit_carried(cx, TileOp::Broadcast, &it, Some(it.spec.clone()), layout, args.span))
    })
}

/// `join(x, y)`
pub(crate) fn join(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (x, y) = (args.value("x").clone(), args.value("y").clone());
    let elem = unify::common_elem(cx, &[&x, &y], "join", args.span)?;
    let operand = |value| Operand { value, elem, span: args.span };
    let aligned = unify::align(cx, &[operand(x), operand(y)], args.span)?;
    let ty = cx.ty(aligned.values[0]).clone();
    let Some(layout) = ty.layout.filter(|_| matches!(aligned.layout, TileLayout::Closed(_))) else {
        args.mismatch(cx, args.arg("x"), "a tile");
        return None;
    };
    if ty.shape.iter().map(|&it| u64::from(it)).product::<u64>() > 1 << 29 {
        let place = cx.place(args.span);
        cx.report(report::ops::too_large(place));
        return None;
    }
    let joined = layout.join();
    let ty = Type::tile(elem, joined.shape().into(), joined.clone());
    let value = cx.emit_one(TileOp::Join, &aligned.values, ty, args.span);
    Some(carried(cx, value, None, &joined))
}

/// `x.split()`
pub(crate) fn split(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if let Value::View(view) = args.value("x") {
        let Some(arg) = args.get("n") else {
            let place = cx.place(args.span);
            cx.report(report::ops::missing_argument(place, args.row, "n"));
            return None;
        };
        let extent = cx.ty(view.value).shape.first().copied().unwrap_or(1);
        let n = args.below(cx, "n", extent + 1)?;
        return shared::split(cx, view, n, arg.span);
    }
    if let Some(arg) = args.get("n") {
        args.mismatch(cx, arg, "nothing: a tile is split in its two halves");
        return None;
    }
    each(cx, args, args.value("x"), &mut |cx, it| {
        let layout = carry(cx, args.span, it.layout().split())?;
        let ty = Type::tile(it.ty.elem, layout.shape().into(), layout.clone());
        let results = cx.emit(TileOp::Split, &[it.tile.value], &[ty.clone(), ty], args.span);
        let half = |cx: &Elab<'_>, value| carried(cx, value, None, &layout);
        Some(Value::Tuple([half(cx, results[0]), half(cx, results[1])].into()))
    })
}

/// `x.gather(index, axis:)`
pub(crate) fn gather(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if let Value::View(_) = args.value("x") {
        return shared::gather(cx, args);
    }
    if let Some(arg) = args.get("mask") {
        args.mismatch(cx, arg, "nothing: every index of a tile is inside of it");
        return None;
    }
    let index_arg = args.arg("index");
    let index = match &index_arg.value {
        Value::Tile(tile) if cx.ty(tile.value).elem == Elem::Data(DType::I32) => {
            closed(cx, args, &index_arg.value)?
        }
        _ => {
            args.mismatch(cx, index_arg, "a tile of `i32`");
            return None;
        }
    };
    each(cx, args, args.value("x"), &mut |cx, it| {
        let axis = axis(cx, args, it.rank())?;
        let matches = |d: usize| d as u32 == axis || it.ty.shape[d] == index.ty.shape[d];
        if it.rank() != index.rank() || !(0..it.ty.shape.len()).all(matches) {
            let place = cx.place(args.span);
            cx.report(report::ops::shapes_differ(place, &it.ty.shape, &index.ty.shape));
            return None;
        }
        let ty = index.ty.with_elem(it.ty.elem);
        let value =
            cx.emit_one(TileOp::Gather { axis }, &[it.tile.value, index.tile.value], ty, args.span);
        Some(Value::Tile(Tile { value, layout: index.tile.layout.clone() }))
    })
}

/// `x.take(index, axis:)`
pub(crate) fn take(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    each(cx, args, args.value("x"), &mut |cx, it| {
        let axis = axis(cx, args, it.rank())?;
        let extent = it.ty.shape[axis as usize];
        let index = args.below(cx, "index", extent)?;
        if extent == 1 {
            return Some(Value::Tile(it.tile));
        }
        let mut shape = it.ty.shape.clone();
        shape[axis as usize] = 1;
        let layout = apply(cx, &it.spec, &shape, args.span)?;
        let ty = Type::tile(Elem::Data(DType::I32), shape, layout);
        let bits = u64::from(index);
        let index = cx.emit_one(TileOp::Const { bits }, &[], ty.clone(), args.span);
        let op = TileOp::Gather { axis };
        let value = cx.emit_one(op, &[it.tile.value, index], ty.with_elem(it.ty.elem), args.span);
        Some(Value::Tile(Tile { value, layout: TileLayout::Closed(it.spec.clone()) }))
    })
}

/// `x.histogram(T, mask:)`
pub(crate) fn histogram(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let it = closed(cx, args, args.value("x"))?;
    if it.ty.elem != Elem::Data(DType::I32) {
        args.mismatch(cx, args.arg("x"), "a tile of `i32`");
        return None;
    }
    let into = args.arg("T");
    let (shape, spec) = match &into.value {
        Value::Type(TypeValue::Tile {
            elem: Elem::Data(DType::I32),
            shape,
            layout: Some(spec),
        }) if shape.len() == 1 => (shape.clone(), spec.clone()),
        _ => {
            args.mismatch(cx, into, "the result's type, `i32[n] @ L`");
            return None;
        }
    };
    let layout = apply(cx, &spec, &shape, into.span)?;
    let mut operands = vec![it.tile.value];
    if let Some(mask) = args.get("mask").filter(|it| it.value != Value::Bool(true)) {
        let mask =
            Operand { value: mask.value.clone(), elem: Elem::Data(DType::Bool), span: mask.span };
        if unify::elem_of(cx, &mask.value).is_some_and(|it| it != mask.elem) {
            args.mismatch(cx, args.arg("mask"), "a bool");
            return None;
        }
        operands.push(unify::close(cx, &mask, &it.spec, &it.ty.shape, args.span)?);
    }
    let ty = Type::tile(Elem::Data(DType::I32), shape, layout);
    let value = cx.emit_one(TileOp::Histogram, &operands, ty, args.span);
    Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec) }))
}

/// `x.convert(L)`
pub(crate) fn convert(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let spec = args.layout(cx, "layout")?;
    if let Value::Tile(Tile { layout: TileLayout::Open { .. }, .. }) | Value::Unplaced(_) =
        args.value("x")
    {
        return at_layout(cx, args.value("x").clone(), &spec, args.span);
    }
    each(cx, args, args.value("x"), &mut |cx, it| {
        let layout = apply(cx, &spec, &it.ty.shape, args.span)?;
        let result = TileLayout::Closed(spec.clone());
        if layout == *it.layout() {
            return Some(Value::Tile(Tile { value: it.tile.value, layout: result }));
        }
        let ty = Type { layout: Some(layout), ..it.ty };
        let value = cx.emit_one(TileOp::Convert, &[it.tile.value], ty, args.span);
        Some(Value::Tile(Tile { value, layout: result }))
    })
}

/// `x @ L`: gives a tile without layout or an open one its layout, and states that of a closed one.
pub(super) fn at_layout(cx: &mut Elab<'_>, value: Value, spec: &Spec, span: Span) -> Option<Value> {
    let (elem, shape) = match &value {
        Value::Unplaced(it) => (it.elem, it.shape.clone()),
        Value::Tile(tile) if tile.layout != TileLayout::Scalar => {
            (cx.ty(tile.value).elem, shape_of(cx, tile))
        }
        Value::Array(items) => return tile_type(cx, items, spec, span),
        other => {
            let (place, got) = (cx.place(span), super::describe(cx, other));
            cx.report(report::layouts::takes_no_layout(place, &got));
            return None;
        }
    };
    let value = unify::close(cx, &Operand { value, elem, span }, spec, &shape, span)?;
    Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec.clone()) }))
}

/// `[M, N] @ L`: where coordinates live.
fn tile_type(cx: &mut Elab<'_>, extents: &[Value], spec: &Spec, span: Span) -> Option<Value> {
    let extent = |it: &Value| match it {
        Value::Int(it) => u32::try_from(*it).ok().filter(|&it| it > 0),
        _ => None,
    };
    let Some(shape) = extents.iter().map(extent).collect::<Option<Shape>>() else {
        let place = cx.place(span);
        cx.report(report::ops::no_shape(place));
        return None;
    };
    apply(cx, spec, &shape, span)?;
    Some(Value::Type(TypeValue::Tile {
        elem: Elem::Data(DType::I32),
        shape,
        layout: Some(spec.clone()),
    }))
}

/// The first tile of a value: itself, or that of a tuple.
pub(super) fn first(value: &Value) -> &Value {
    match value {
        Value::Tuple(parts) => parts.first().map_or(value, first),
        _ => value,
    }
}

/// `x.fold_bits(axis)`
pub(crate) fn fold_bits(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let it = closed(cx, args, first(args.value("x")))?;
    let axis = axis(cx, args, it.rank())?;
    Some(fold_order(it.layout(), axis))
}

/// `x.extent(axis)`
pub(crate) fn extent(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let it = closed(cx, args, first(args.value("x")))?;
    let axis = axis(cx, args, it.rank())?;
    Some(Value::Int(i128::from(it.ty.shape[axis as usize])))
}

/// `value.name` on a tile.
pub(super) fn field(cx: &mut Elab<'_>, tile: &Tile, name: &str, span: Span) -> Option<Value> {
    match name {
        "shape" => {
            let shape = shape_of(cx, tile);
            Some(Value::Array(shape.iter().map(|&it| Value::Int(i128::from(it))).collect()))
        }
        "rank" => Some(Value::Int(shape_of(cx, tile).len() as i128)),
        "is_view" => Some(Value::Bool(false)),
        "dtype" => Some(Value::Type(match cx.ty(tile.value).elem {
            Elem::Data(it) | Elem::Shared(it) => TypeValue::Scalar(it),
            Elem::Pointer(it) => TypeValue::Pointer(it),
            Elem::Barrier | Elem::Map => panic!("V2: a tile has numbers or pointers"),
        })),
        "layout" => Some(match &tile.layout {
            TileLayout::Closed(spec) => Value::Layout(spec.clone()),
            TileLayout::Open { .. } => {
                unify::report_open(cx, std::slice::from_ref(tile), span);
                Value::Error
            }
            TileLayout::Scalar => {
                let place = cx.place(span);
                cx.report(report::layouts::scalar_has_none(place));
                Value::Error
            }
        }),
        _ => None,
    }
}
