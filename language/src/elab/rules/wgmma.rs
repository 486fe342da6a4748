//! Products that a warp group's matrix unit computes beside the program, and waits for them.
//!
//! The types decide the instruction, the accumulator's layout its width. What is in shared memory must lie
//! as a descriptor can say ([`Descriptor`]); which views that are follows from their maps alone, however they
//! were made.

use tile_layout::Spec;

use super::args::Args;
use super::layouts::apply_quietly;
use super::{cluster, mma, unify};
use crate::analysis::conversion_cost;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{Fill, Tile, TileLayout, Unplaced, Value, View};
use crate::ir::{self, Elem};
use crate::op::MmaOp;
use crate::report::mma as wording;
use crate::target::Cap;
use crate::target::wgmma::{Descriptor, ROWS, WgmmaId};

/// What messages call the operation.
const WHAT: &str = "wgmma";

/// A factor as the program gave it.
struct Factor {
    name: &'static str,
    dtype: DType,
    shape: ir::Shape,
}

/// The accumulator, and what it decides.
struct Sum {
    tile: Tile,
    spec: Spec,
    id: WgmmaId,
    n: u32,
}

/// `wgmma(a, b, acc)`
pub(crate) fn wgmma(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if !cx.target().has(Cap::Wgmma) {
        return None;
    }
    let (a, b) = (factor(cx, args, "a")?, factor(cx, args, "b")?);
    if !matches!(args.value("b"), Value::View(_)) {
        args.mismatch(cx, args.arg("b"), "a view of shared memory");
        return None;
    }
    let sum = sum(cx, args, &a, &b)?;
    let left = match args.value("a").clone() {
        Value::View(view) => in_memory(cx, args, &a, &view, [0, 1], ROWS, sum.id)?,
        _ => in_registers(cx, args, &sum)?,
    };
    let Value::View(view) = args.value("b").clone() else { return None };
    let right = in_memory(cx, args, &b, &view, [1, 0], sum.n, sum.id)?;
    let ty = cx.ty(sum.tile.value).clone();
    let op = MmaOp::Wgmma { instruction: sum.id, n: sum.n };
    let value = cx.emit_one(op, &[left, right, sum.tile.value], ty, args.span);
    Some(Value::Tile(Tile { value, layout: sum.tile.layout }))
}

/// `x.wait(in_flight: n)`
pub(crate) fn wait(cx: &mut Elab<'_>, args: &Args, tile: &Tile) -> Option<Value> {
    if let Some(phases) = args.get("n") {
        args.mismatch(cx, phases, "`in_flight: n`, the groups that may stay");
        return None;
    }
    // The instruction counts to 7.
    let in_flight = match args.get("in_flight") {
        Some(_) => Some(args.below(cx, "in_flight", 8)?),
        None => None,
    };
    let ty = cx.ty(tile.value).clone();
    let value = cx.emit_one(MmaOp::Wait { in_flight }, &[tile.value], ty, args.span);
    Some(Value::Tile(Tile { value, layout: tile.layout.clone() }))
}

fn factor(cx: &mut Elab<'_>, args: &Args, name: &'static str) -> Option<Factor> {
    let found = match args.value(name) {
        Value::View(view) => {
            if cluster::refuse_neighbours(cx, view.value, "a product", args.arg(name).span) {
                return None;
            }
            let ty = cx.ty(view.value);
            match ty.elem {
                Elem::Shared(dtype) => Some((dtype, ty.shape.clone())),
                Elem::Data(_) | Elem::Pointer(_) | Elem::Barrier | Elem::Map => None,
            }
        }
        value => {
            let dtype = unify::elem_of(cx, value).and_then(Elem::data);
            dtype.zip(mma::shape_of(cx, value))
        }
    };
    if found.is_none() {
        args.mismatch(cx, args.arg(name), "a view of shared memory, or a tile of numbers for `a`");
    }
    let (dtype, shape) = found?;
    Some(Factor { name, dtype, shape })
}

/// The accumulator that was given, or zeros.
fn sum(cx: &mut Elab<'_>, args: &Args, a: &Factor, b: &Factor) -> Option<Sum> {
    let ([m, k], [k_b, n]) = (&a.shape[..], &b.shape[..]) else {
        let place = cx.place(args.span);
        cx.report(wording::not_two_dimensions(place, &a.shape, &b.shape));
        return None;
    };
    let shape: ir::Shape = [*m, *n].into_iter().collect();
    let given = match args.get("acc").map(|it| &it.value) {
        None => None,
        Some(Value::Tile(tile @ Tile { layout: TileLayout::Closed(spec), .. })) => {
            Some((tile.clone(), spec.clone()))
        }
        Some(_) => {
            mma::not_placed(cx, args, "acc");
            return None;
        }
    };
    let acc_shape = given.as_ref().map_or(shape.clone(), |it| cx.ty(it.0.value).shape.clone());
    if k != k_b || acc_shape != shape {
        let place = cx.place(args.span);
        cx.report(wording::shapes(place, &a.shape, &b.shape, &acc_shape));
        return None;
    }
    let acc = match &given {
        Some((tile, _)) => cx.ty(tile.value).elem.data()?,
        None if a.dtype.is_int() => DType::I32,
        None => DType::F32,
    };
    let id = instruction(cx, args, [a.dtype, b.dtype, acc], *k)?;
    match given {
        Some((tile, own)) => {
            let spec = accumulator(cx, args, &tile, &own, id)?;
            let Spec::Wgmma { n } = spec else { return None };
            Some(Sum { tile, spec, id, n })
        }
        None => {
            let n = columns(cx, args, id, *n)?;
            let spec = Spec::Wgmma { n };
            let zeros = Unplaced { elem: Elem::Data(acc), shape, fill: Fill::Same(Value::Int(0)) };
            let value = unify::place(cx, &zeros, &spec, args.span)?;
            let tile = Tile { value, layout: TileLayout::Closed(spec.clone()) };
            Some(Sum { tile, spec, id, n })
        }
    }
}

fn instruction(cx: &mut Elab<'_>, args: &Args, types: [DType; 3], k: u32) -> Option<WgmmaId> {
    let place = cx.place(args.span);
    let Some(id) = WgmmaId::of_types(types) else {
        let having: Vec<[DType; 3]> =
            WgmmaId::all().map(|it| [it.row().a, it.row().b, it.row().acc]).collect();
        cx.report(wording::no_types(place, WHAT, cx.target().name, types, &having));
        return None;
    };
    let row = id.row();
    if !k.is_multiple_of(row.k) {
        cx.report(wording::extent(place, "`k`", k, row.name, row.k));
        return None;
    }
    Some(id)
}

/// The widest instruction of which the columns are a multiple.
fn columns(cx: &mut Elab<'_>, args: &Args, id: WgmmaId, extent: u32) -> Option<u32> {
    let found = id.row().columns_of(extent);
    if found.is_none() {
        let place = cx.place(args.span);
        cx.report(wording::extent(place, "`n`", extent, id.row().name, 8));
    }
    found
}

/// The accumulator's constructor; also for one that got its layout as a map.
fn accumulator(
    cx: &mut Elab<'_>,
    args: &Args,
    tile: &Tile,
    own: &Spec,
    id: WgmmaId,
) -> Option<Spec> {
    let ty = cx.ty(tile.value).clone();
    let extent = ty.shape[1];
    if let Spec::Wgmma { n } = own {
        if id.row().has_columns(*n) && extent.is_multiple_of(*n) {
            return Some(own.clone());
        }
        let place = cx.place(args.span);
        cx.report(wording::columns(place, extent, *n, id.row().name, id.row().columns_of(extent)));
        return None;
    }
    let spec = Spec::Wgmma { n: columns(cx, args, id, extent)? };
    if apply_quietly(cx, &spec, &ty.shape) == ty.layout {
        return Some(spec);
    }
    let place = cx.place(args.arg("acc").span);
    cx.report(wording::no_accumulator(place, WHAT, &super::describe_spec(own)));
    None
}

/// A factor in shared memory, if a descriptor can say how it lies.
fn in_memory(
    cx: &mut Elab<'_>,
    args: &Args,
    factor: &Factor,
    view: &View,
    axes: [usize; 2],
    part: u32,
    id: WgmmaId,
) -> Option<ir::Value> {
    let (bits, turns) = (factor.dtype.storage_bits(), id.row().turns());
    let map = cx.ty(view.value).map().clone();
    if Descriptor::of(&map, axes, bits, part, turns).is_some() {
        return Some(view.value);
    }
    let got = view.layout.as_ref().map(super::describe_spec);
    let depth = factor.shape[axes[1]] * bits / 8;
    let place = cx.place(args.arg(factor.name).span);
    let is_left = axes == [0, 1];
    cx.report(wording::no_descriptor(place, factor.name, got, factor.dtype, depth, is_left));
    None
}

/// The left factor in registers, in the layout that belongs to the accumulator.
fn in_registers(cx: &mut Elab<'_>, args: &Args, sum: &Sum) -> Option<ir::Value> {
    let wanted = sum.id.row().left(&sum.spec);
    let arg = args.arg("a");
    let (value, own) = match &arg.value {
        Value::Tile(Tile { value, layout: TileLayout::Closed(own) }) => (*value, own.clone()),
        Value::Unplaced(it) => return unify::place(cx, it, &wanted, arg.span),
        _ => {
            mma::not_placed(cx, args, "a");
            return None;
        }
    };
    let ty = cx.ty(value).clone();
    let to = apply_quietly(cx, &wanted, &ty.shape);
    if to == ty.layout {
        return Some(value);
    }
    let cost = to
        .zip(ty.layout.as_ref())
        .map(|(to, own)| conversion_cost(cx.target(), own, &to, ty.elem.bits()));
    let facts = wording::WrongOperand {
        name: "a",
        got: super::describe_spec(&own),
        got_from: cx.layout_origin(value),
        wanted: super::describe_spec(&wanted),
        cost,
    };
    let acc = mma::accumulator_facts(cx, sum.tile.value, &sum.spec);
    let place = cx.place(arg.span);
    cx.report(wording::operand_layout(place, WHAT, &acc, &facts));
    None
}
