//! Tiles out of nothing: counting, filling, coordinates.

use super::args::Args;
use super::layouts::apply;
use super::numbers::{constant_bits, materialize};
use super::unify::shape_of;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{Fill, Tile, TileLayout, TypeValue, Unplaced, Value};
use crate::ir::{Elem, Shape, Type};
use crate::op::TileOp;
use crate::report;

const I32: Elem = Elem::Data(DType::I32);

fn extent(cx: &mut Elab<'_>, args: &Args, name: &str, got: i128) -> Option<u32> {
    if let Some(it) = u32::try_from(got).ok().filter(|it| (1..=1 << 30).contains(it)) {
        return Some(it);
    }
    args.mismatch(cx, args.arg(name), "an extent from 1 to 2^30");
    None
}

/// `iota(n)`
pub(crate) fn iota(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let n = args.int(cx, "n")?;
    let n = extent(cx, args, "n", n)?;
    Some(counting(0, n))
}

/// `arange(start, end)`
pub(crate) fn arange(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (start, end) = (args.int(cx, "start")?, args.int(cx, "end")?);
    let n = extent(cx, args, "end", end.saturating_sub(start))?;
    for end in [start, end - 1] {
        constant_bits(cx, &Value::Int(end), I32, args.span)?;
    }
    Some(counting(start, n))
}

fn counting(first: i128, n: u32) -> Value {
    let shape = Shape::from_slice(&[n]);
    Value::Unplaced(Unplaced { elem: I32, shape, fill: Fill::Count(first) }.into())
}

/// `full(value, T)`
pub(crate) fn full(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let value = args.value("value").clone();
    filled(cx, args, value)
}

/// `zeros(T)`
pub(crate) fn zeros(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let zero = number_like(args, 0);
    filled(cx, args, zero)
}

/// `ones(T)`
pub(crate) fn ones(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let one = number_like(args, 1);
    filled(cx, args, one)
}

/// 0 or 1 as the type wants it: a bool for `bool`.
fn number_like(args: &Args, number: i128) -> Value {
    let elem = match args.value("T") {
        Value::Type(TypeValue::Scalar(it) | TypeValue::Tile { elem: Elem::Data(it), .. }) => {
            Some(*it)
        }
        _ => None,
    };
    match elem {
        Some(DType::Bool) => Value::Bool(number != 0),
        _ => Value::Int(number),
    }
}

fn filled(cx: &mut Elab<'_>, args: &Args, value: Value) -> Option<Value> {
    match args.value("T") {
        Value::Type(TypeValue::Scalar(dtype)) => {
            check_elem(cx, args, &value, Elem::Data(*dtype))?;
            materialize(cx, &value, Elem::Data(*dtype), args.span).map(Value::scalar)
        }
        Value::Type(TypeValue::Tile { elem, shape, layout }) => {
            check_elem(cx, args, &value, *elem)?;
            let fill = Fill::Same(value);
            let tile = Unplaced { elem: *elem, shape: shape.clone(), fill };
            match layout {
                Some(spec) => {
                    let value = super::unify::place(cx, &tile, spec, args.span)?;
                    Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec.clone()) }))
                }
                None => Some(Value::Unplaced(tile.into())),
            }
        }
        _ => {
            args.mismatch(cx, args.arg("T"), "a type such as `f32[128] @ L`");
            None
        }
    }
}

/// Reports a fill that is neither a number of the type nor a scalar of it.
fn check_elem(cx: &mut Elab<'_>, args: &Args, value: &Value, elem: Elem) -> Option<()> {
    match value {
        Value::Tile(tile) if tile.layout == TileLayout::Scalar => {
            let got = cx.ty(tile.value).elem;
            if got == elem {
                return Some(());
            }
            let place = cx.place(args.span);
            cx.report(report::ops::elements_differ(place, args.row.path, elem, got));
            None
        }
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            constant_bits(cx, value, elem, args.span).map(|_| ())
        }
        _ => {
            args.mismatch(cx, args.arg("value"), "a number or a scalar");
            None
        }
    }
}

/// `index(x, axis)`
pub(crate) fn index(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::Tile(tile @ Tile { layout: TileLayout::Closed(spec), .. }) =
        super::shape::first(args.value("x"))
    else {
        args.mismatch(cx, args.arg("x"), "a tile with a layout");
        return None;
    };
    let ty = cx.ty(tile.value).with_elem(I32);
    let axis = args.below(cx, "axis", ty.shape.len() as u32)?;
    let value = cx.emit_one(TileOp::Index { axis }, &[], ty, args.span);
    Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec.clone()) }))
}

/// `coords([M, N] @ L)`, `coords(x)`
pub(crate) fn coords(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (shape, spec) = match args.value("of") {
        Value::Type(TypeValue::Tile { shape, layout: Some(spec), .. }) => {
            (shape.clone(), spec.clone())
        }
        Value::Tile(Tile { value, layout: TileLayout::Closed(spec) }) => {
            (cx.ty(*value).shape.clone(), spec.clone())
        }
        Value::Tile(tile @ Tile { layout: TileLayout::Open { .. }, .. }) => {
            let shape = shape_of(cx, tile);
            debug_assert!(!shape.is_empty(), "an open tile has dimensions");
            super::unify::report_open(cx, std::slice::from_ref(tile), args.span);
            return None;
        }
        _ => {
            args.mismatch(cx, args.arg("of"), "a tile, or a shape with a layout: `[M, N] @ L`");
            return None;
        }
    };
    let along = |cx: &mut Elab<'_>, axis: usize| {
        let mut extents: Shape = shape.iter().map(|_| 1).collect();
        extents[axis] = shape[axis];
        let layout = apply(cx, &spec, &extents, args.span)?;
        let ty = Type::tile(I32, extents, layout);
        let value = cx.emit_one(TileOp::Index { axis: axis as u32 }, &[], ty, args.span);
        Some(Value::Tile(Tile { value, layout: TileLayout::Closed(spec.clone()) }))
    };
    let parts = (0..shape.len()).map(|axis| along(cx, axis)).collect::<Option<_>>()?;
    Some(Value::Tuple(parts))
}
