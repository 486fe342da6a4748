//! The block's place in the grid, and what a kernel tells people and the checked engines.

use super::args::Args;
use super::arithmetic::scalar_type;
use super::numbers::materialize;
use super::unify::elem_of;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::Value;
use crate::ir::{self, Elem};
use crate::op::{MemoryOp, SyncOp, TileOp};
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

/// `print` and `static_assert` look at the text of their arguments, so the evaluator runs them where
/// they stand; this is what is left of one that was handed around as a value.
pub(crate) fn written_out(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    cx.unsupported(&format!("`{}` under another name", args.row.path), args.span);
    None
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
        _ => {
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

/// `block_sync()`
pub(crate) fn block_sync(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if cx.in_role {
        cx.report(report::roles::block_in_role(cx.place(args.span)));
        return None;
    }
    cx.emit(SyncOp::Barrier, &[], &[], args.span);
    Some(Value::unit())
}
