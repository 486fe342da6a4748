//! Copies by the copy engine: which boxes it moves, and what it must be told.
//!
//! # Idea
//! In a role, on a target that has one, the engine moves a box of a tiled view between a tensor and memory that
//! lies as it writes ([`crate::ir::boxes`]); wide memory is several boxes. What the engine can never move, because of
//! its type, layout or a mask, the warps move. What it could move if something were known is an error that
//! says what.

use tile_layout::MemoryMap;
use tile_plan::TensorMap;
use tile_plan::map::{EXTENT_MAX, GRAIN};
use tile_syntax::ast::{BinaryOp, Span};

use super::args::Args;
use super::{cluster, numbers, shared, sync};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{TileBox, Value, View};
use crate::ir::{self, Elem, Extent, FactKind, Type, boxes};
use crate::op::memory::{AtomicOp, Evict};
use crate::op::tile::{self, Round};
use crate::op::{CopyOp, Op, SharedOp, TileOp};
use crate::report;
use crate::report::boxes::Missing;
use crate::target::Cap;

const I32: Elem = Elem::Data(DType::I32);

/// Boxes that one copy may be cut into; more are better moved by warps.
const PIECES_MAX: u32 = 64;

/// Which way a copy goes.
pub(super) enum Way {
    /// The copy engine moves it, box by box.
    Engine(Boxes),
    /// The warps of the role move it.
    Warps,
}

/// What the engine is to do for one copy.
pub(super) struct Boxes {
    map: TensorMap,
    /// The dimension of the view that a dimension of the tensor is; none for those it lacks.
    of_view: Vec<Option<usize>>,
    /// Extents of one box, by the tensor's dimensions.
    piece: Vec<u32>,
}

/// Which way a copy between a box and a view goes; `None`, reported, if a fact is missing.
pub(super) fn way(cx: &mut Elab<'_>, args: &Args, it: &TileBox, view: &View) -> Option<Way> {
    let by_engine = cx.in_role && cx.target().has(Cap::Tma) && !it.tiles.by_warps;
    if !by_engine || args.get("mask").is_some() {
        return Some(Way::Warps);
    }
    match boxes_of(cx, it, cx.ty(view.value).map()) {
        Ok(Some(boxes)) if keeps_place(cx, view, &boxes) => Some(Way::Engine(boxes)),
        Ok(_) => Some(Way::Warps),
        Err(missing) => {
            let tensor = cx.tensor(it.tiles.tensor);
            let (name, declared) = (tensor.name.clone(), cx.site_place(tensor.site));
            let place = cx.place(args.span);
            let after =
                cx.clauses.map(|it| (cx.site_place(it.last.unwrap_or(it.head)), it.last.is_some()));
            cx.report(report::boxes::missing(place, &name, declared, &missing, after));
            None
        }
    }
}

/// How the engine moves a box; `None` if it never could.
fn boxes_of(cx: &Elab<'_>, it: &TileBox, map: &MemoryMap) -> Result<Option<Boxes>, Missing> {
    let tensor = cx.tensor(it.tiles.tensor);
    let bits = tensor.dtype.storage_bits();
    let Some(swizzle) = swizzle_of(map, bits) else { return Ok(None) };
    let Some(axes) = engine_axes(&tensor.strides)? else { return Ok(None) };
    let mut of_view = Vec::new();
    let mut next = 0..;
    for extent in &it.tiles.extents {
        of_view.push(extent.and_then(|_| next.next()));
    }
    let whole: Vec<u32> = it.tiles.extents.iter().map(|it| it.unwrap_or(1)).collect();
    let found = pieces(&whole, &axes, swizzle * 8 / bits.max(1)).into_iter().find_map(|piece| {
        let extents = axes.iter().map(|&axis| piece[axis as usize]).collect();
        let (param, axes, dtype) = (it.tiles.tensor, axes.clone(), tensor.dtype.name().to_owned());
        let of = TensorMap { param, axes, extents, dtype, bits, swizzle };
        let lies_so = sliced(map, &of_view, &piece).is_some_and(|it| boxes::lies_so(&of, &it));
        lies_so.then_some((of, piece))
    });
    let Some((of, piece)) = found else { return Ok(None) };
    let boxes = Boxes { map: of, of_view, piece };
    if !strides_can_fit(&tensor.strides, bits) {
        return Ok(None);
    }
    if u64::from(tensor.align) % GRAIN != 0 {
        return Err(Missing::Address { align: tensor.align });
    }
    for &axis in &axes[1..] {
        stride_fits(cx, it.tiles.tensor, axis as usize)?;
    }
    Ok(Some(boxes))
}

/// Whether the engine combines elements of a type in that way (PTX ISA, cp.reduce.async.bulk.tensor).
pub(super) fn reduces(op: AtomicOp, dtype: DType) -> bool {
    use DType::{Bf16, F16, F32, I32, I64, U32, U64};
    match op {
        AtomicOp::Add => matches!(dtype, U32 | I32 | U64 | F32 | F16 | Bf16),
        AtomicOp::Min | AtomicOp::Max => matches!(dtype, U32 | I32 | U64 | I64),
        AtomicOp::And | AtomicOp::Or | AtomicOp::Xor => matches!(dtype, U32 | I32 | U64 | I64),
        AtomicOp::Exchange => false,
    }
}

/// Tells the engine which boxes will be wanted; where it could not move them nothing is done.
pub(super) fn prefetch(
    cx: &mut Elab<'_>,
    args: &Args,
    it: &TileBox,
    memory: &MemoryMap,
    evict: Evict,
) -> Option<Value> {
    let by_engine = cx.in_role && cx.target().has(Cap::Tma) && !it.tiles.by_warps;
    if !by_engine {
        return Some(Value::unit());
    }
    let Ok(Some(boxes)) = boxes_of(cx, it, memory) else { return Some(Value::unit()) };
    let map = cx.tensor_map(&boxes.map);
    let shape = memory.shape();
    for (_, firsts) in boxes.parts(&shape) {
        let mut operands = vec![map];
        for (corner, first) in it.corner.iter().zip(firsts) {
            operands.push(coordinate(cx, corner, first, args.span)?);
        }
        cx.emit(CopyOp::Prefetch { evict }, &operands, &[], args.span);
    }
    Some(Value::unit())
}

impl Boxes {
    /// The boxes of memory of a shape: which of the tensor's dimensions are cut, and where each begins.
    fn parts(&self, shape: &[u32]) -> Vec<(Vec<u32>, Vec<u32>)> {
        let n_pieces =
            |axis: usize| self.of_view[axis].map_or(1, |at| shape[at] / self.piece[axis]);
        let counts: Vec<u32> = (0..self.piece.len()).map(n_pieces).collect();
        let part = |number: u32| {
            let mut rest = number;
            let mut firsts = vec![0; counts.len()];
            for axis in (0..counts.len()).rev() {
                firsts[axis] = rest % counts[axis] * self.piece[axis];
                rest /= counts[axis];
            }
            (counts.clone(), firsts)
        };
        (0..counts.iter().product()).map(part).collect()
    }
}

/// The permutation that a map was made with, in bytes.
fn swizzle_of(map: &MemoryMap, bits: u32) -> Option<u32> {
    let unit = 128 / bits.max(1);
    match map.mixed() {
        0 => Some(0),
        it if it.is_multiple_of(unit) => {
            Some(16 * (it / unit + 1)).filter(|it| it.is_power_of_two())
        }
        _ => None,
    }
}

/// The tensor's dimensions as the engine counts them: the contiguous one, then the others from the last on; `None` if
/// none is contiguous.
fn engine_axes(strides: &[Extent]) -> Result<Option<Vec<u32>>, Missing> {
    let Some(inner) = strides.iter().rposition(|it| *it == Extent::Const(1)) else {
        let may_be = strides.iter().any(|it| matches!(it, Extent::Value(_)));
        return if may_be { Err(Missing::Contiguous) } else { Ok(None) };
    };
    let others = (0..strides.len()).rev().filter(|it| *it != inner);
    Ok(Some(std::iter::once(inner).chain(others).map(|it| it as u32).collect()))
}

/// Extents that a box may be cut into, the largest first; `columns` are the elements of a row that is permuted.
fn pieces(whole: &[u32], axes: &[u32], columns: u32) -> [Vec<u32>; 3] {
    let inner = axes[0];
    let cut = |divide: fn(u32) -> u32| {
        let extent = |(axis, &extent): (usize, &u32)| match columns {
            0 => divide(extent),
            _ if axis == inner as usize => columns,
            _ => divide(extent),
        };
        whole.iter().enumerate().map(extent).collect()
    };
    let largest = |extent: u32| {
        (1..=extent.min(EXTENT_MAX)).rev().find(|it| extent.is_multiple_of(*it)).unwrap_or(1)
    };
    let power = |extent: u32| (1 << extent.trailing_zeros()).min(EXTENT_MAX);
    // Rows of one matrix, where those before it are laid out apart.
    let mut matrix: Vec<u32> = cut(largest);
    let beyond = axes[1..].iter().filter(|&&axis| 1 < whole[axis as usize]).skip(1);
    beyond.for_each(|&axis| matrix[axis as usize] = 1);
    [cut(largest), cut(power), matrix]
}

/// The map of one piece of a view.
fn sliced(map: &MemoryMap, of_view: &[Option<usize>], piece: &[u32]) -> Option<MemoryMap> {
    let mut n_pieces = 1;
    let mut taken = map.clone();
    for (axis, &extent) in of_view.iter().zip(piece) {
        let Some(axis) = *axis else { continue };
        let whole = map.dims()[axis].extent;
        if !whole.is_multiple_of(extent) {
            return None;
        }
        n_pieces *= whole / extent;
        taken = taken.slice(axis, extent).ok()?;
    }
    (n_pieces <= PIECES_MAX).then_some(taken)
}

/// Whether every box of a view begins where the engine can put one, given that its buffer does.
fn keeps_place(cx: &Elab<'_>, view: &View, boxes: &Boxes) -> bool {
    let ty = cx.ty(view.value);
    let of_pieces = boxes.of_view.iter().zip(&boxes.piece).all(|(axis, &extent)| match *axis {
        Some(axis) if extent < ty.shape[axis] => boxes::keeps_place(ty, axis, extent),
        Some(_) | None => true,
    });
    let mut at = view.value;
    while let Some(inst) = cx.ir.definition(at) {
        let of = *inst.operands.first().unwrap_or(&at);
        let keeps = match inst.op {
            Op::Shared(SharedOp::Index { axis }) => boxes::keeps_place(cx.ty(of), axis as usize, 1),
            Op::Shared(SharedOp::Slice { axis }) => {
                boxes::keeps_place(cx.ty(of), axis as usize, cx.ty(at).shape[axis as usize])
            }
            Op::Shared(SharedOp::Recast | SharedOp::Overlay) => true,
            Op::Sync(crate::op::SyncOp::Permit) => {
                let number = inst.results.iter().position(|it| *it == at);
                at = inst.operands[number.expect("V1: the instruction makes it")];
                continue;
            }
            _ => return of_pieces,
        };
        if !keeps {
            return false;
        }
        at = of;
    }
    of_pieces
}

/// Whether some launch has strides that are multiples of 16 bytes.
fn strides_can_fit(strides: &[Extent], bits: u32) -> bool {
    strides.iter().all(|it| match it {
        Extent::Const(1) | Extent::Value(_) => true,
        Extent::Const(it) => (it * i64::from(bits / 8)).unsigned_abs().is_multiple_of(GRAIN),
    })
}

/// Whether the stride of a dimension is known to be a multiple of 16 bytes.
fn stride_fits(cx: &Elab<'_>, tensor: u32, axis: usize) -> Result<(), Missing> {
    let tensor = cx.tensor(tensor);
    let wanted = GRAIN / u64::from(tensor.dtype.storage_bits() / 8).clamp(1, GRAIN);
    let Extent::Value(stride) = tensor.strides[axis] else { return Ok(()) };
    let mut known = 1;
    let mut last = None;
    for factor in factors(cx, stride) {
        match factor {
            Extent::Const(it) => known *= power_of_two_in(it.unsigned_abs()),
            Extent::Value(it) => {
                known *= divisor(cx, it);
                last.get_or_insert(it);
            }
        }
    }
    let Some(last) = last.filter(|_| known % wanted != 0) else { return Ok(()) };
    let of = divisor(cx, last) * wanted / known;
    Err(Missing::Divisor { name: cx.name_of(last).to_string(), of, axis })
}

/// What a product of sizes is made of, the innermost dimension's first.
fn factors(cx: &Elab<'_>, value: ir::Value) -> Vec<Extent> {
    let Some(inst) = cx.ir.definition(value) else { return vec![Extent::Value(value)] };
    match inst.op {
        Op::Tile(TileOp::Const { bits }) => vec![Extent::Const(bits as i64)],
        Op::Tile(TileOp::Cast { .. }) => factors(cx, inst.operands[0]),
        Op::Tile(TileOp::Binary { op: tile::BinaryOp::Mul }) => {
            inst.operands.iter().flat_map(|it| factors(cx, *it)).collect()
        }
        _ => vec![Extent::Value(value)],
    }
}

/// The largest power of two that is known to divide a size.
fn divisor(cx: &Elab<'_>, size: ir::Value) -> u64 {
    let divisors = cx.ir.facts.iter().filter_map(|it| match it.kind {
        FactKind::Divisible { value, divisor } if value == size => Some(power_of_two_in(divisor)),
        _ => None,
    });
    divisors.max().unwrap_or(1)
}

fn power_of_two_in(it: u64) -> u64 {
    1 << it.trailing_zeros().min(32)
}

/// A box of a tensor to shared memory.
pub(super) fn bring(
    cx: &mut Elab<'_>,
    args: &Args,
    from: &TileBox,
    to: &View,
    boxes: &Boxes,
    evict: Evict,
    multicast: bool,
) -> Option<Value> {
    let barrier = match args.get("signal") {
        Some(_) => sync::barrier(cx, args, "signal")?,
        None => match cx.told_by(to.value) {
            Some(told) if multicast && !cluster::is_across(cx, told.ends) => {
                let place = cx.place(args.span);
                cx.report(report::cluster::cast_alone(place, told.taken));
                return None;
            }
            Some(told) if told.is_on_every_way => told.ends,
            Some(told) => {
                let place = cx.place(args.span);
                cx.report(report::boxes::on_some_ways(place, told.taken));
                return None;
            }
            None => {
                let (place, name) =
                    (cx.place(args.span), cx.tensor(from.tiles.tensor).name.clone());
                cx.report(report::boxes::nobody_told(place, &name));
                return None;
            }
        },
    };
    each(cx, args.span, from, to, boxes, |cx, map, view, corner| {
        let operands: Vec<ir::Value> = [map, view, barrier].into_iter().chain(corner).collect();
        cx.emit(CopyOp::Box { evict, multicast }, &operands, &[], args.span);
    })
}

/// Shared memory to a box of a tensor.
pub(super) fn take(
    cx: &mut Elab<'_>,
    span: Span,
    from: &View,
    to: &TileBox,
    boxes: &Boxes,
    (evict, reduce): (Evict, Option<AtomicOp>),
) -> Option<Value> {
    each(cx, span, to, from, boxes, |cx, map, view, corner| {
        let operands: Vec<ir::Value> = [map, view].into_iter().chain(corner).collect();
        cx.emit(CopyOp::BoxOut { evict, reduce }, &operands, &[], span);
    })
}

/// Calls `emit` with the map, the view and the corner of each box.
fn each(
    cx: &mut Elab<'_>,
    span: Span,
    it: &TileBox,
    view: &View,
    boxes: &Boxes,
    mut emit: impl FnMut(&mut Elab<'_>, ir::Value, ir::Value, Vec<ir::Value>),
) -> Option<Value> {
    let map = cx.tensor_map(&boxes.map);
    let shape = cx.ty(view.value).shape.clone();
    for (counts, firsts) in boxes.parts(&shape) {
        let mut part = view.value;
        let mut corner = Vec::new();
        for axis in (0..counts.len()).rev() {
            if let Some(at) = boxes.of_view[axis].filter(|_| 1 < counts[axis]) {
                part = slice(cx, part, at, firsts[axis], boxes.piece[axis], span)?;
            }
            corner.push(coordinate(cx, &it.corner[axis], firsts[axis], span)?);
        }
        corner.reverse();
        emit(cx, map, part, corner);
    }
    Some(Value::unit())
}

fn slice(
    cx: &mut Elab<'_>,
    view: ir::Value,
    axis: usize,
    first: u32,
    extent: u32,
    span: Span,
) -> Option<ir::Value> {
    let ty = cx.ty(view).clone();
    let map = ty.map().slice(axis, extent).expect("V3: the piece was tried before");
    let start = shared::index_value(cx, &Value::Int(first.into()), span)?;
    let op = SharedOp::Slice { axis: axis as u32 };
    Some(cx.emit_one(op, &[view, start], Type::viewed(ty.elem, map), span))
}

/// An index of a dimension, `first` further on, as the engine takes it.
fn coordinate(cx: &mut Elab<'_>, corner: &Value, first: u32, span: Span) -> Option<ir::Value> {
    let moved = match first {
        0 => corner.clone(),
        _ => cx.apply(BinaryOp::Add, corner.clone(), Value::Int(first.into()), span),
    };
    let is_wide =
        matches!(&moved, Value::Tile(it) if cx.ty(it.value).elem == Elem::Data(DType::I64));
    if !is_wide {
        return numbers::materialize(cx, &moved, I32, span);
    }
    // Where no tensor reaches, all places are alike.
    let wide = Type::scalar(DType::I64);
    let mut value = numbers::materialize(cx, &moved, wide.elem, span)?;
    for (op, bound) in [(tile::BinaryOp::Min, i32::MAX), (tile::BinaryOp::Max, i32::MIN)] {
        let bits = i64::from(bound) as u64;
        let bound = cx.emit_one(TileOp::Const { bits }, &[], wide.clone(), span);
        value = cx.emit_one(TileOp::Binary { op }, &[value, bound], wide.clone(), span);
    }
    let cast = TileOp::Cast { round: Round::Nearest };
    Some(cx.emit_one(cast, &[value], Type::scalar(DType::I32), span))
}
