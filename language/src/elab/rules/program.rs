//! The block's place in the grid, and what a kernel tells people and the checked engines.

use super::args::Args;
use super::arithmetic::scalar_type;
use super::numbers::materialize;
use super::unify::{self, elem_of};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{TileLayout, Value};
use crate::ir::{self, Elem};
use crate::op::{MemoryOp, TileOp};
use crate::report;

fn grid_axis(cx: &mut Elab<'_>, args: &Args) -> Option<u32> {
    match args.get("axis") {
        Some(_) => args.below(cx, "axis", 3),
        None => Some(0),
    }
}

/// `block_id(axis)`
pub(crate) fn block_id(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let axis = grid_axis(cx, args)?;
    Some(Value::scalar(cx.emit_one(
        TileOp::BlockId { axis },
        &[],
        scalar_type(DType::I32),
        args.span,
    )))
}

/// `num_blocks(axis)`
pub(crate) fn num_blocks(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let axis = grid_axis(cx, args)?;
    Some(Value::scalar(cx.emit_one(
        TileOp::NumBlocks { axis },
        &[],
        scalar_type(DType::I32),
        args.span,
    )))
}

/// `num_warps()`
pub(crate) fn num_warps(cx: &mut Elab<'_>, _: &Args) -> Option<Value> {
    Some(Value::Int(i128::from(cx.machine().warps)))
}

/// `print("m = {m}")`; the evaluator hands over the named values as `m: m`.
pub(crate) fn print(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let text = args.text(cx, "text")?;
    let mut pieces = vec![String::new()];
    let mut values = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        pieces.last_mut().expect("there is always a piece").push_str(before);
        rest = after;
        let name = name.trim();
        let Some(arg) = args.rest().iter().find(|it| it.name.as_deref() == Some(name)) else {
            let place = cx.place(args.span);
            cx.report(report::ops::nothing_to_print(place, name));
            return None;
        };
        match known_text(&arg.value) {
            Some(text) => pieces.last_mut().expect("there is always a piece").push_str(&text),
            None => {
                values.push(printed(cx, args, &arg.value)?);
                pieces.push(String::new());
            }
        }
    }
    pieces.last_mut().expect("there is always a piece").push_str(rest);
    cx.emit(MemoryOp::Print { pieces }, &values, &[], args.span);
    Some(Value::unit())
}

/// What is known now goes into the text.
fn known_text(value: &Value) -> Option<String> {
    match value {
        Value::Int(it) => Some(it.to_string()),
        Value::Float(it) => Some(it.to_string()),
        Value::Bool(it) => Some(it.to_string()),
        Value::Str(it) => Some(it.to_string()),
        _ => None,
    }
}

fn printed(cx: &mut Elab<'_>, args: &Args, value: &Value) -> Option<ir::Value> {
    match value {
        Value::Tile(tile) if tile.layout == TileLayout::Scalar => Some(tile.value),
        other => {
            let (place, got) = (cx.place(args.span), super::describe(cx, other));
            cx.report(report::ops::not_printable(place, &got));
            None
        }
    }
}

/// A condition in every element, as an IR value; `None` inside if it is known to hold.
fn condition(cx: &mut Elab<'_>, args: &Args) -> Option<Option<ir::Value>> {
    let arg = args.arg("cond");
    match &arg.value {
        Value::Bool(true) => Some(None),
        Value::Bool(false) => {
            materialize(cx, &arg.value, Elem::Data(DType::Bool), arg.span).map(Some)
        }
        Value::Tile(tile) if elem_of(cx, &arg.value) == Some(Elem::Data(DType::Bool)) => {
            Some(Some(tile.value))
        }
        Value::Tile(_) | Value::Unplaced(_) => {
            args.mismatch(cx, arg, "a bool");
            None
        }
        other => {
            if let Value::Tile(tile) = other {
                unify::report_open(cx, std::slice::from_ref(tile), args.span);
            }
            args.mismatch(cx, arg, "a bool");
            None
        }
    }
}

/// `assert(cond, message)`
pub(crate) fn assert(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let message = match args.get("message") {
        Some(_) => args.text(cx, "message")?.to_string(),
        None => "an assertion does not hold".to_owned(),
    };
    if let Some(cond) = condition(cx, args)? {
        cx.emit(MemoryOp::Assert { message }, &[cond], &[], args.span);
    }
    Some(Value::unit())
}

/// `assume(cond)`
pub(crate) fn assume(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if let Some(cond) = condition(cx, args)? {
        cx.emit(MemoryOp::Assume, &[cond], &[], args.span);
    }
    Some(Value::unit())
}

/// `static_assert(cond, why)`
pub(crate) fn static_assert(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let why = match args.get("why") {
        Some(_) => args.text(cx, "why")?,
        None => "".into(),
    };
    match args.value("cond") {
        Value::Bool(true) => Some(Value::unit()),
        Value::Bool(false) => {
            let place = cx.place(args.span);
            cx.report(report::ops::static_assertion(place, &why));
            None
        }
        _ => {
            args.mismatch(cx, args.arg("cond"), "a bool known at compile time");
            None
        }
    }
}
