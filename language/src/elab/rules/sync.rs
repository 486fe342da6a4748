//! Barriers, permits, and stages of what lies in shared memory.

use rustc_hash::FxHashSet;
use tile_layout::{MemoryMap, Spec};
use tile_syntax::ast::Span;

use super::args::Args;
use super::{cluster, copy, shared, wgmma};
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::env;
use crate::elab::rules::Index;
use crate::elab::value::{SharedType, Stages, TypeValue, Value};
use crate::ir::{self, Elem, Shape, Type};
use crate::op::{Op, SharedOp, SyncOp};
use crate::report;

/// mbarriers of one list; far more than a kernel has stages.
const BARRIERS_MAX: u32 = 4096;

/// `let full: barrier[4];`
fn barriers(cx: &mut Elab<'_>, shape: &[u32], span: Span) -> Option<Value> {
    if shape.iter().product::<u32>() > BARRIERS_MAX {
        let place = cx.place(span);
        cx.report(report::shared::too_many_elements(place, shape, BARRIERS_MAX));
        return None;
    }
    let one = Spec::Plain.apply_in_memory(&[1], Elem::Barrier.bits()).ok()?;
    let one = MemoryMap::of(&one).without(0);
    let map = shape.iter().rev().fold(one, |map, &n| map.stacked(n));
    let op = SyncOp::Mbarriers { arrivals: 0, across: false };
    Some(Value::Barriers(cx.emit_one(op, &[], Type::barriers(map), span)))
}

/// Memory for a type: buffers, barriers, and stages of records of them.
pub(crate) fn allocate(cx: &mut Elab<'_>, ty: &TypeValue, span: Span) -> Option<Value> {
    match ty {
        TypeValue::Shared(it) => shared::allocate(cx, it, span),
        TypeValue::Barrier(shape) => barriers(cx, shape, span),
        TypeValue::NamedBarrier => Some(Value::NamedBarrier(cx.new_named_barrier())),
        TypeValue::Record(fields) => {
            let each = fields.iter().map(|(name, it)| Some((name.clone(), part(cx, it, span)?)));
            Some(Value::Record(each.collect::<Option<Vec<_>>>()?.into()))
        }
        TypeValue::Tuple(parts) => {
            let each = parts.iter().map(|it| part(cx, it, span));
            Some(Value::Tuple(each.collect::<Option<Vec<_>>>()?.into()))
        }
        TypeValue::Array(of, n) => match &**of {
            // Lists of lists are buffers of their own: what is counted at compile time.
            Value::Type(of @ (TypeValue::Array(..) | TypeValue::NamedBarrier)) => {
                let each = (0..*n).map(|_| allocate(cx, of, span));
                Some(Value::Array(each.collect::<Option<Vec<_>>>()?.into()))
            }
            Value::Type(of) => staged(cx, of, *n, span),
            _ => None,
        },
        other => {
            let (place, got) = (cx.place(span), super::describe(cx, &Value::Type(other.clone())));
            cx.report(report::shared::not_in_memory(place, &got));
            None
        }
    }
}

fn part(cx: &mut Elab<'_>, ty: &Value, span: Span) -> Option<Value> {
    match ty {
        Value::Type(ty) => allocate(cx, ty, span),
        _ => None,
    }
}

/// `[T; n]`: one buffer with the stages one after the other for each part of `T`.
fn staged(cx: &mut Elab<'_>, of: &TypeValue, n: u32, span: Span) -> Option<Value> {
    let wide = with_stages(of, n);
    let all = allocate(cx, &wide, span)?;
    Some(match all {
        it @ (Value::View(_) | Value::Barriers(_)) => it,
        all => Value::Stages(Stages { n, all }.into()),
    })
}

/// A type of memory with another dimension in front of all its parts.
fn with_stages(ty: &TypeValue, n: u32) -> TypeValue {
    let each = |it: &Value| match it {
        Value::Type(it) => Value::Type(with_stages(it, n)),
        other => other.clone(),
    };
    match ty {
        TypeValue::Shared(it) => {
            let mut it = it.clone();
            it.shape.insert(0, n);
            TypeValue::Shared(it)
        }
        TypeValue::Barrier(shape) => {
            TypeValue::Barrier(std::iter::once(n).chain(shape.iter().copied()).collect())
        }
        TypeValue::Record(fields) => {
            TypeValue::Record(fields.iter().map(|(name, it)| (name.clone(), each(it))).collect())
        }
        TypeValue::Tuple(parts) => TypeValue::Tuple(parts.iter().map(each).collect()),
        other => other.clone(),
    }
}

/// `stages[i]`
pub(super) fn stage(
    cx: &mut Elab<'_>,
    of: &Stages,
    indices: &[Index],
    span: Span,
) -> Option<Value> {
    let [Index::Value(at, _)] = indices else {
        let place = cx.place(span);
        cx.report(report::ops::wrong_index_count(place, 1, indices.len()));
        return None;
    };
    if let Value::Int(at) = at
        && !(0..i128::from(of.n)).contains(at)
    {
        let place = cx.place(span);
        cx.report(report::types::index_bounds(place, *at, of.n as usize));
        return None;
    }
    let mut failed = false;
    let taken = env::with_leaves_of(&of.all, &mut |leaf| {
        let found = match leaf {
            Value::View(view) => shared::bracket(cx, view, indices, span),
            Value::Barriers(it) => barrier_at(cx, *it, indices, span),
            other => Some(other.clone()),
        };
        failed |= found.is_none();
        found.unwrap_or(Value::Error)
    });
    (!failed).then_some(taken)
}

/// `full[i]`
pub(super) fn barrier_at(
    cx: &mut Elab<'_>,
    of: ir::Value,
    indices: &[Index],
    span: Span,
) -> Option<Value> {
    let shape = cx.ty(of).shape.clone();
    if indices.len() > shape.len() {
        let place = cx.place(span);
        cx.report(report::ops::wrong_index_count(place, shape.len(), indices.len()));
        return None;
    }
    let mut taken = of;
    for index in indices {
        let Index::Value(at, at_span) = index else {
            let place = cx.place(span);
            cx.report(report::sync::barrier_index(place));
            return None;
        };
        let extent = cx.ty(taken).shape[0];
        if let Value::Int(at) = at
            && !(0..i128::from(extent)).contains(at)
        {
            let place = cx.place(*at_span);
            cx.report(report::types::index_bounds(place, *at, extent as usize));
            return None;
        }
        let at = shared::index_value(cx, at, *at_span)?;
        let ty = Type::barriers(cx.ty(taken).map().without(0));
        taken = cx.emit_one(SharedOp::Index { axis: 0 }, &[taken, at], ty, span);
    }
    Some(Value::Barriers(taken))
}

/// The single barrier that an argument is.
pub(super) fn barrier(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<ir::Value> {
    match args.value(name) {
        Value::Barriers(it) if cx.ty(*it).shape.is_empty() => Some(*it),
        Value::Barriers(it) => {
            let (place, shape) = (cx.place(args.arg(name).span), cx.ty(*it).shape.clone());
            cx.report(report::sync::one_barrier(place, &shape));
            None
        }
        _ => {
            args.mismatch(cx, args.arg(name), "a barrier");
            None
        }
    }
}

/// `full.wait(n)`, and `x.wait(in_flight:)` of a product
pub(crate) fn wait(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if let Value::Flight(view) = *args.value("x") {
        return Some(copy::land(cx, view, args.span));
    }
    if let Value::Tile(tile) = args.value("x") {
        return wgmma::wait(cx, args, &tile.clone());
    }
    if let Value::NamedBarrier(number) = *args.value("x") {
        return meet(cx, number, true, None, args.span);
    }
    let barrier = barrier(cx, args, "x")?;
    if let Some(groups) = args.get("in_flight") {
        args.mismatch(cx, groups, "the number of phases to wait for");
        return None;
    }
    let Some(phases) = args.get("n") else {
        args.mismatch(cx, args.arg("x"), "a barrier with the number of phases to wait for");
        return None;
    };
    if cluster::refuse_neighbours(cx, barrier, "a wait", args.span) {
        return None;
    }
    let phases = shared::index_value(cx, &phases.value, phases.span)?;
    cx.emit(SyncOp::Wait, &[barrier, phases], &[], args.span);
    Some(Value::unit())
}

/// `empty.arrive()`
pub(crate) fn arrive(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if let Value::NamedBarrier(number) = *args.value("barrier") {
        return meet(cx, number, false, None, args.span);
    }
    let barrier = barrier(cx, args, "barrier")?;
    cluster::check_arrival(cx, barrier, args.span);
    cx.emit(SyncOp::Arrive { everywhere: false }, &[barrier], &[], args.span);
    Some(Value::unit())
}

/// A role comes to a named barrier.
fn meet(
    cx: &mut Elab<'_>,
    barrier: u32,
    waits: bool,
    after: Option<ir::Value>,
    span: Span,
) -> Option<Value> {
    if !cx.in_role {
        cx.report(report::roles::named_outside(cx.place(span)));
        return None;
    }
    cx.emit(SyncOp::Meet { barrier, waits }, after.as_slice(), &[], span);
    Some(Value::unit())
}

/// `beat.sync(after:)`
pub(crate) fn meet_all(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::NamedBarrier(number) = *args.value("barrier") else {
        args.mismatch(cx, args.arg("barrier"), "a named barrier");
        return None;
    };
    let after = match args.get("after") {
        None => None,
        Some(arg) => match &arg.value {
            Value::Tile(it) if was_loaded(cx, it.value) => Some(it.value),
            Value::Error => return None,
            _ => {
                cx.report(report::roles::stands_for_nothing(cx.place(arg.span)));
                return None;
            }
        },
    };
    meet(cx, number, true, after, args.span)
}

/// Whether a value is made of what was loaded from shared memory, in this region.
fn was_loaded(cx: &Elab<'_>, value: ir::Value) -> bool {
    let (mut open, mut seen) = (vec![value], FxHashSet::default());
    while let Some(value) = open.pop() {
        let Some(inst) = cx.ir.definition(value).filter(|_| seen.insert(value)) else { continue };
        match inst.op {
            Op::Shared(SharedOp::Load) => return true,
            Op::Tile(_) => open.extend(&inst.operands),
            _ => {}
        }
    }
    false
}

/// `full.test(n)`
pub(crate) fn test(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let barrier = barrier(cx, args, "barrier")?;
    if !cx.in_role {
        cx.report(report::roles::test_outside(cx.place(args.span)));
        return None;
    }
    let phases = args.arg("n");
    let phases = shared::index_value(cx, &phases.value, phases.span)?;
    let ty = Type::scalar(DType::Bool);
    Some(Value::scalar(cx.emit_one(SyncOp::Test, &[barrier, phases], ty, args.span)))
}

/// `fence_async()`
pub(crate) fn fence_async(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    cx.emit(SyncOp::FenceAsync, &[], &[], args.span);
    Some(Value::unit())
}

/// `full.expect(bytes)`
pub(crate) fn expect(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let barrier = barrier(cx, args, "barrier")?;
    if cluster::refuse_neighbours(cx, barrier, "`expect`", args.span) {
        return None;
    }
    let bytes = args.below(cx, "bytes", 1 << 20)?;
    cx.emit(SyncOp::Expect { bytes }, &[barrier], &[], args.span);
    Some(Value::unit())
}

/// `gates.arrivals(n)`
pub(crate) fn arrivals(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::Barriers(of) = *args.value("barrier") else {
        args.mismatch(cx, args.arg("barrier"), "barriers");
        return None;
    };
    let n = args.below(cx, "n", 65)?;
    cx.set_arrivals(of, n);
    Some(Value::unit())
}

/// `slot.release()`
pub(crate) fn release(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let Value::Permit(id, _) = args.value("permit") else {
        args.mismatch(cx, args.arg("permit"), "a permit");
        return None;
    };
    let (id, span) = (*id, args.span);
    cx.check_held(id, span);
    let site = cx.site(span);
    cx.end_permit(id, site);
    Some(Value::unit())
}

/// `stage.in_shared()`: a record of tiles' types as types of shared memory.
pub(crate) fn in_shared(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let arg = args.arg("record");
    let Some(ty) = cx.as_type(arg.value.clone(), arg.span) else { return Some(Value::Error) };
    shared_of(cx, &ty, args.span).map(Value::Type)
}

fn shared_of(cx: &mut Elab<'_>, ty: &TypeValue, span: Span) -> Option<TypeValue> {
    let mut each = |it: &Value| match it {
        Value::Type(it) => shared_of(cx, it, span).map(Value::Type),
        _ => None,
    };
    match ty {
        TypeValue::Record(fields) => {
            let fields = fields.iter().map(|(name, it)| Some((name.clone(), each(it)?)));
            Some(TypeValue::Record(fields.collect::<Option<Vec<_>>>()?.into()))
        }
        TypeValue::Tuple(parts) => {
            Some(TypeValue::Tuple(parts.iter().map(each).collect::<Option<Vec<_>>>()?.into()))
        }
        other => shared::shared_type(cx, other.clone(), span),
    }
}

/// The type of what memory holds, as it was before [`in_shared`]: a tile's with the layout of memory.
pub(crate) fn held_type(ty: &SharedType) -> TypeValue {
    let layout = ty.layout.clone().unwrap_or(Spec::Plain);
    TypeValue::Tile { elem: Elem::Data(ty.dtype), shape: ty.shape.clone(), layout: Some(layout) }
}

/// Extents of a type of barriers: `barrier[4]`.
pub(crate) fn barrier_type(extents: &[i128]) -> Option<TypeValue> {
    let shape: Option<Shape> =
        extents.iter().map(|&it| u32::try_from(it).ok().filter(|&it| it > 0)).collect();
    Some(TypeValue::Barrier(shape?))
}
