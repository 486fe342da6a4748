//! What the operands of an elementwise operation become so that they agree: one element type, one
//! shape, one layout.
//!
//! # Rules
//! * U1: compile-time numbers take the type of the other side if they fit; tiles never change theirs.
//! * U2: dimensions of extent 1 repeat, scalars go everywhere, ranks never change by themselves.
//! * U3: closed tiles must agree in layout: the layout of the result, applied to each operand's
//!   extents, is that operand's layout.
//! * U4: open tiles are closed by the layout of the result; with no closed tile they must be alike,
//!   and the operation is done on what they were made from.

use tile_layout::Spec;
use tile_syntax::ast::Span;

use super::layouts::{apply, apply_quietly};
use super::numbers::constant_bits;
use crate::analysis::conversion_cost;
use crate::elab::cx::Elab;
use crate::elab::value::{Fill, Tile, TileLayout, Unplaced, Value};
use crate::ir::{self, Elem, Shape, Type};
use crate::op::TileOp;
use crate::report;

/// An operand, and the element type that it must have.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) value: Value,
    pub(super) elem: Elem,
    pub(super) span: Span,
}

/// Operands that agree.
#[derive(Debug)]
pub(super) struct Aligned {
    /// The operands in order, of one shape and layout.
    pub(super) values: Vec<ir::Value>,
    /// What the result's layout is.
    pub(super) layout: TileLayout,
}

/// The element of a value that has one.
pub(super) fn elem_of(cx: &Elab<'_>, value: &Value) -> Option<Elem> {
    match value {
        Value::Tile(it) => Some(cx.ty(it.value).elem),
        Value::Unplaced(it) => Some(it.elem),
        _ => None,
    }
}

/// The shape as programs see it: that of an open tile has its new dimensions.
pub(super) fn shape_of(cx: &Elab<'_>, tile: &Tile) -> Shape {
    let mut shape = cx.ty(tile.value).shape.clone();
    if let TileLayout::Open { new_axes, .. } = &tile.layout {
        for &axis in new_axes {
            shape.insert(axis as usize, 1);
        }
    }
    shape
}

/// The element type that all operands with one have (U1); that of the numbers' kind if none has one.
pub(super) fn common_elem(
    cx: &mut Elab<'_>,
    values: &[&Value],
    what: &str,
    span: Span,
) -> Option<Elem> {
    use crate::dtype::DType;
    let mut found: Option<Elem> = None;
    for value in values {
        let Some(elem) = elem_of(cx, value) else { continue };
        match found {
            Some(first) if first != elem => {
                let place = cx.place(span);
                cx.report(report::ops::elements_differ(place, what, first, elem));
                return None;
            }
            _ => found = Some(elem),
        }
    }
    let by_kind = |it: &&Value| match it {
        Value::Float(_) => DType::F32,
        Value::Bool(_) => DType::Bool,
        _ => DType::I32,
    };
    let is_float = |it: &&&Value| matches!(it, Value::Float(_));
    let kind = values.iter().find(is_float).or(values.first()).map_or(DType::I32, by_kind);
    Some(found.unwrap_or(Elem::Data(kind)))
}

/// Brings operands to one shape and layout, and numbers to their types.
pub(super) fn align(cx: &mut Elab<'_>, operands: &[Operand], span: Span) -> Option<Aligned> {
    for it in operands {
        check_kind(cx, it)?;
    }
    let Some(shape) = common_shape(cx, operands, span)? else {
        let values = operands.iter().map(|it| scalar(cx, it)).collect::<Option<_>>()?;
        return Some(Aligned { values, layout: TileLayout::Scalar });
    };
    match closing_layout(cx, operands, &shape) {
        Some((spec, from)) => {
            check_layouts(cx, operands, &spec, from, span)?;
            let values = operands
                .iter()
                .map(|it| close(cx, it, &spec, &shape, span))
                .collect::<Option<_>>()?;
            Some(Aligned { values, layout: TileLayout::Closed(spec) })
        }
        None => align_open(cx, operands, span),
    }
}

/// A tile in this layout and shape: expanded, repeated, placed as need be (U2 to U4).
pub(super) fn close(
    cx: &mut Elab<'_>,
    operand: &Operand,
    spec: &Spec,
    shape: &Shape,
    span: Span,
) -> Option<ir::Value> {
    let layout = apply(cx, spec, shape, span)?;
    let wanted = Type::tile(operand.elem, shape.clone(), layout);
    let placed = match &operand.value {
        Value::Tile(tile) => match &tile.layout {
            TileLayout::Scalar => {
                return Some(cx.emit_one(TileOp::Splat, &[tile.value], wanted, span));
            }
            TileLayout::Closed(own) => {
                agree(cx, tile, own, spec, span)?;
                tile.value
            }
            TileLayout::Open { new_axes, .. } => expand(cx, tile, new_axes, spec, span)?,
        },
        Value::Unplaced(it) => place(cx, it, spec, span)?,
        number => {
            let bits = constant_bits(cx, number, operand.elem, operand.span)?;
            return Some(cx.emit_one(TileOp::Const { bits }, &[], wanted, span));
        }
    };
    if cx.ty(placed).shape == *shape {
        return Some(placed);
    }
    Some(cx.emit_one(TileOp::Broadcast, &[placed], wanted, span))
}

/// A tile that waited for its layout.
pub(super) fn place(
    cx: &mut Elab<'_>,
    tile: &Unplaced,
    spec: &Spec,
    span: Span,
) -> Option<ir::Value> {
    let layout = apply(cx, spec, &tile.shape, span)?;
    let ty = Type::tile(tile.elem, tile.shape.clone(), layout);
    match &tile.fill {
        Fill::Count(first) => {
            let index = cx.emit_one(TileOp::Index { axis: 0 }, &[], ty.clone(), span);
            if *first == 0 {
                return Some(index);
            }
            let bits = constant_bits(cx, &Value::Int(*first), tile.elem, span)?;
            let first = cx.emit_one(TileOp::Const { bits }, &[], ty.clone(), span);
            Some(cx.emit_one(
                TileOp::Binary { op: crate::op::tile::BinaryOp::Add },
                &[index, first],
                ty,
                span,
            ))
        }
        Fill::Same(Value::Tile(scalar)) => {
            Some(cx.emit_one(TileOp::Splat, &[scalar.value], ty, span))
        }
        Fill::Same(number) => {
            let bits = constant_bits(cx, number, tile.elem, span)?;
            Some(cx.emit_one(TileOp::Const { bits }, &[], ty, span))
        }
    }
}

/// An open tile under a parent layout: its new dimensions are put in one after the other.
fn expand(
    cx: &mut Elab<'_>,
    tile: &Tile,
    new_axes: &[u32],
    spec: &Spec,
    span: Span,
) -> Option<ir::Value> {
    // The layouts between: the parent with all but the first `n` new dimensions sliced away.
    let layers: Vec<Spec> = (0..=new_axes.len())
        .map(|n| {
            new_axes[n..]
                .iter()
                .rev()
                .fold(spec.clone(), |it, &axis| Spec::Slice(Box::new(it), axis))
        })
        .collect();
    let child = cx.ty(tile.value).clone();
    if apply(cx, &layers[0], &child.shape, span)?
        != *child.layout.as_ref().expect("V2: an open tile is made from a tile")
    {
        let place = cx.place(span);
        let texts = (super::describe_spec(&layers[0]), super::describe_open(&tile.layout));
        let diagnostic = report::layouts::open_does_not_fit(place, &texts.0, &texts.1);
        let diagnostic = with_origin(cx, diagnostic, tile.value);
        cx.report(diagnostic);
        return None;
    }
    let mut value = tile.value;
    let mut shape = child.shape.clone();
    for (&axis, layer) in new_axes.iter().zip(&layers[1..]) {
        shape.insert(axis as usize, 1);
        let layout = apply(cx, layer, &shape, span)?;
        let ty = Type::tile(child.elem, shape.clone(), layout);
        value = cx.emit_one(TileOp::Expand { axis }, &[value], ty, span);
    }
    Some(value)
}

/// Reports a closed tile whose layout is not that of `from`, which decides (U3).
fn check_layouts(
    cx: &mut Elab<'_>,
    operands: &[Operand],
    spec: &Spec,
    from: ir::Value,
    span: Span,
) -> Option<()> {
    for operand in operands {
        let Value::Tile(Tile { value, layout: TileLayout::Closed(own) }) = &operand.value else {
            continue;
        };
        let ty = cx.ty(*value).clone();
        let wanted = apply_quietly(cx, spec, &ty.shape);
        if wanted == ty.layout {
            continue;
        }
        let place = cx.place(span);
        let cost = wanted
            .zip(ty.layout.as_ref())
            .map(|(to, own)| conversion_cost(cx.target(), own, &to, ty.elem.bits()));
        let facts = report::layouts::Mismatch {
            wanted: super::describe_spec(spec),
            wanted_from: cx.layout_origin(from),
            got: super::describe_spec(own),
            got_from: cx.layout_origin(*value),
            cost,
            operand: (operand.span != span).then(|| cx.place(operand.span)),
        };
        cx.report(report::layouts::layouts_differ(place, &facts));
        return None;
    }
    Some(())
}

/// Reports a closed tile that `@` states to be in another layout than it is.
fn agree(cx: &mut Elab<'_>, tile: &Tile, own: &Spec, spec: &Spec, span: Span) -> Option<()> {
    let ty = cx.ty(tile.value).clone();
    if apply_quietly(cx, spec, &ty.shape) == ty.layout {
        return Some(());
    }
    let place = cx.place(span);
    let texts = (super::describe_spec(spec), super::describe_spec(own));
    let diagnostic = report::layouts::states_another(place, &texts.0, &texts.1);
    let diagnostic = with_origin(cx, diagnostic, tile.value);
    cx.report(diagnostic);
    None
}

/// Adds where a tile's layout comes from.
fn with_origin(
    cx: &Elab<'_>,
    diagnostic: crate::diagnostic::Diagnostic,
    value: ir::Value,
) -> crate::diagnostic::Diagnostic {
    match cx.layout_origin(value) {
        Some(place) => diagnostic.because(place, "this layout comes from here"),
        None => diagnostic,
    }
}

/// Only numbers, tiles and scalars can take part.
fn check_kind(cx: &mut Elab<'_>, operand: &Operand) -> Option<()> {
    match &operand.value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Tile(_) | Value::Unplaced(_) => {
            Some(())
        }
        Value::Error => None,
        other => {
            let (place, got) = (cx.place(operand.span), super::describe(cx, other));
            cx.report(report::ops::not_a_number(place, &got));
            None
        }
    }
}

/// The extents that all operands repeat to; `None` inside if all are scalars.
fn common_shape(cx: &mut Elab<'_>, operands: &[Operand], span: Span) -> Option<Option<Shape>> {
    let mut common: Option<Shape> = None;
    for operand in operands {
        let shape = match &operand.value {
            Value::Tile(tile) if tile.layout != TileLayout::Scalar => shape_of(cx, tile),
            Value::Unplaced(it) => it.shape.clone(),
            _ => continue,
        };
        common = match common {
            None => Some(shape),
            Some(so_far) => match broadcast(&so_far, &shape) {
                Some(shape) => Some(shape),
                None => {
                    let place = cx.place(span);
                    cx.report(report::ops::shapes_differ(place, &so_far, &shape));
                    return None;
                }
            },
        };
    }
    Some(common)
}

fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    let extent = |(&a, &b): (&u32, &u32)| match (a, b) {
        (1, other) | (other, 1) => Some(other),
        (a, b) => (a == b).then_some(a),
    };
    (a.len() == b.len()).then(|| a.iter().zip(b).map(extent).collect())?
}

/// The layout of the result and the tile that decides it: one of the result's shape if there is
/// one, otherwise one whose layout can be spread over that shape.
fn closing_layout(cx: &Elab<'_>, operands: &[Operand], shape: &Shape) -> Option<(Spec, ir::Value)> {
    let closed = |it: &Operand| match &it.value {
        Value::Tile(Tile { value, layout: TileLayout::Closed(spec) }) => {
            Some((spec.clone(), *value))
        }
        _ => None,
    };
    let all: Vec<(Spec, ir::Value)> = operands.iter().filter_map(closed).collect();
    let full = all.iter().find(|(_, value)| cx.ty(*value).shape == *shape);
    full.or_else(|| all.iter().find(|(spec, _)| apply_quietly(cx, spec, shape).is_some()))
        .or(all.first())
        .cloned()
}

/// Without a closed tile: all tiles are open alike, and the operation is done on their children.
fn align_open(cx: &mut Elab<'_>, operands: &[Operand], span: Span) -> Option<Aligned> {
    let tile = |it: &Operand| match &it.value {
        Value::Tile(tile) if tile.layout != TileLayout::Scalar => Some(tile.clone()),
        _ => None,
    };
    let tiles: Vec<Tile> = operands.iter().filter_map(tile).collect();
    let unplaced = operands.iter().any(|it| matches!(it.value, Value::Unplaced(_)));
    let Some(TileLayout::Open { child, .. }) = tiles.first().map(|it| it.layout.clone()) else {
        let place = cx.place(span);
        cx.report(report::layouts::no_layout(place));
        return None;
    };
    let alike = |it: &Tile| {
        it.layout == tiles[0].layout && cx.ty(it.value).shape == cx.ty(tiles[0].value).shape
    };
    if unplaced || !tiles.iter().all(alike) {
        report_open(cx, &tiles, span);
        return None;
    }
    let shape = cx.ty(tiles[0].value).shape.clone();
    let on_child = |it: &Operand| match tile(it) {
        Some(tile) => Operand {
            value: Value::Tile(Tile { layout: TileLayout::Closed(child.clone()), ..tile }),
            ..it.clone()
        },
        None => it.clone(),
    };
    let inner: Vec<Operand> = operands.iter().map(on_child).collect();
    let values =
        inner.iter().map(|it| close(cx, it, &child, &shape, span)).collect::<Option<_>>()?;
    Some(Aligned { values, layout: tiles[0].layout.clone() })
}

/// Reports tiles that nothing closes, with the parents that their children were sliced from.
pub(super) fn report_open(cx: &mut Elab<'_>, tiles: &[Tile], span: Span) {
    let parent = |it: &Tile| match &it.layout {
        TileLayout::Open { child: Spec::Slice(parent, axis), new_axes }
            if new_axes.contains(axis) =>
        {
            Some(super::describe_spec(parent))
        }
        _ => None,
    };
    let mut candidates: Vec<String> = tiles.iter().filter_map(parent).collect();
    candidates.dedup();
    let place = cx.place(span);
    cx.report(report::layouts::open(place, &candidates));
}

/// A scalar operand, or a number as one.
fn scalar(cx: &mut Elab<'_>, operand: &Operand) -> Option<ir::Value> {
    match &operand.value {
        Value::Tile(tile) => Some(tile.value),
        number => {
            let bits = constant_bits(cx, number, operand.elem, operand.span)?;
            let ty = Type::single(operand.elem);
            Some(cx.emit_one(TileOp::Const { bits }, &[], ty, operand.span))
        }
    }
}
