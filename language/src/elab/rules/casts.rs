//! Changes of element type: `.to(T)` converts, `.bits(T)` reinterprets.

use super::args::Args;
use super::stochastic;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{Tile, TypeValue, Unplaced, Value};
use crate::ir::Elem;
use crate::op::TileOp;
use crate::op::tile::Round;
use crate::report;

/// `x.to(T, round:)`
pub(crate) fn to(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let dtype = args.dtype(cx, "T")?;
    if let Some(bits) = args.get("round").and_then(|it| stochastic::bits_of(&it.value)) {
        return stochastic::convert(cx, args, dtype, bits);
    }
    let words = "`nearest`, `zero`, `up`, `down` or `stochastic(bits)`";
    let round = args.word(cx, "round", Round::Nearest, Round::from_name, words)?;
    convert(cx, args, args.value("x"), dtype, round)
}

fn convert(cx: &mut Elab<'_>, args: &Args, x: &Value, dtype: DType, round: Round) -> Option<Value> {
    match x {
        Value::Tuple(parts) => {
            let parts = parts
                .iter()
                .map(|it| convert(cx, args, it, dtype, round))
                .collect::<Option<_>>()?;
            Some(Value::Tuple(parts))
        }
        Value::Unplaced(it) => {
            let fill = match &it.fill {
                crate::elab::value::Fill::Same(Value::Tile(scalar)) => {
                    let scalar = cast(cx, args, scalar, dtype, round)?;
                    crate::elab::value::Fill::Same(scalar)
                }
                other => other.clone(),
            };
            let it = Unplaced { elem: Elem::Data(dtype), fill, ..(**it).clone() };
            Some(Value::Unplaced(it.into()))
        }
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => number(cx, args, x, dtype),
        Value::Tile(tile) => cast(cx, args, tile, dtype, round),
        _ => {
            args.mismatch(cx, args.arg("x"), "a tile or a number");
            None
        }
    }
}

/// A compile-time number becomes a scalar of the type.
fn number(cx: &mut Elab<'_>, args: &Args, x: &Value, dtype: DType) -> Option<Value> {
    let number = match (x, dtype.is_float()) {
        (Value::Int(it), true) => Value::Float(*it as f64),
        (Value::Float(it), false) if dtype.is_int() && it.is_finite() => {
            Value::Int(it.trunc() as i128)
        }
        (Value::Bool(it), _) if dtype != DType::Bool => Value::Int(i128::from(*it)),
        (other, _) => other.clone(),
    };
    super::numbers::materialize(cx, &number, Elem::Data(dtype), args.span).map(Value::scalar)
}

fn cast(cx: &mut Elab<'_>, args: &Args, tile: &Tile, dtype: DType, round: Round) -> Option<Value> {
    let ty = cx.ty(tile.value).clone();
    match ty.elem {
        Elem::Data(from) if from == dtype => Some(Value::Tile(tile.clone())),
        Elem::Data(_) => {
            let result = ty.with_elem(Elem::Data(dtype));
            let value = cx.emit_one(TileOp::Cast { round }, &[tile.value], result, args.span);
            Some(Value::Tile(Tile { value, layout: tile.layout.clone() }))
        }
        Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map => {
            let place = cx.place(args.span);
            cx.report(report::ops::wrong_elements(place, "`to`", "numbers or bools", ty.elem));
            None
        }
    }
}

/// `x.bits(T)`
pub(crate) fn bits(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let dtype = args.dtype(cx, "T")?;
    let tile = args.tile(cx, "x")?;
    let ty = cx.ty(tile.value).clone();
    if ty.elem == Elem::Data(dtype) {
        return Some(Value::Tile(tile));
    }
    if ty.elem.bits() != dtype.bits() {
        let place = cx.place(args.span);
        cx.report(report::ops::widths_differ(place, ty.elem, Elem::Data(dtype)));
        return None;
    }
    let value =
        cx.emit_one(TileOp::Bits, &[tile.value], ty.with_elem(Elem::Data(dtype)), args.span);
    Some(Value::Tile(Tile { value, layout: tile.layout }))
}

/// `T.name` on a type.
pub(super) fn field(ty: &TypeValue, name: &str) -> Option<Value> {
    let (elem, shape, layout) = match ty {
        TypeValue::Scalar(it) => (Elem::Data(*it), None, None),
        TypeValue::Pointer(it) => (Elem::Pointer(*it), None, None),
        TypeValue::Tile { elem, shape, layout } => (*elem, Some(shape), layout.as_ref()),
        _ => return None,
    };
    match name {
        "bits" => Some(Value::Int(i128::from(elem.bits()))),
        "dtype" => elem.data().map(|it| Value::Type(TypeValue::Scalar(it))),
        "shape" => {
            shape.map(|it| Value::Array(it.iter().map(|&it| Value::Int(i128::from(it))).collect()))
        }
        "layout" => layout.map(|it| Value::Layout(it.clone())),
        _ => None,
    }
}
