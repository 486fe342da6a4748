//! Layouts as values: constructors, slices, operands, questions, equality as maps.

use tile_layout::banks::Direction;
use tile_layout::{In, Layout, Machine, MemoryMap, Spec};
use tile_syntax::ast::Span;

use super::args::Args;
use crate::analysis::shared_access;
use crate::elab::cx::Elab;
use crate::elab::value::{TypeValue, Value};
use crate::report;

/// The map of a layout for these extents; reports a layout that does not fit them.
pub(super) fn apply(cx: &mut Elab<'_>, spec: &Spec, shape: &[u32], span: Span) -> Option<Layout> {
    match apply_on(cx.machine(), spec, shape) {
        Ok(layout) => Some(layout),
        Err(error) => {
            let (place, text) = (cx.place(span), super::describe_spec(spec));
            cx.report(report::layouts::does_not_fit(place, &text, shape, &error.to_string()));
            None
        }
    }
}

/// The map of a layout for these extents; `None` if it does not fit them.
pub(super) fn apply_quietly(cx: &Elab<'_>, spec: &Spec, shape: &[u32]) -> Option<Layout> {
    apply_on(cx.machine(), spec, shape).ok()
}

/// A layout that has its shape already is also one for extents of 1 in its place (what a broadcast
/// repeats), and for larger ones where it has 1 (what a broadcast gives).
fn apply_on(
    machine: Machine,
    spec: &Spec,
    shape: &[u32],
) -> Result<Layout, tile_layout::SpecError> {
    let Spec::Explicit(layout) = spec else { return spec.apply(shape, machine) };
    let without = |it: Layout, axis: usize| match it.rank() {
        1 => it.expand(0).slice(1),
        _ => it.slice(axis).expand(axis),
    };
    let narrowed = |layout: &Layout| {
        let axes = (0..shape.len()).filter(|&axis| shape[axis] == 1 && layout.shape()[axis] != 1);
        axes.fold(layout.clone(), without)
    };
    if layout.rank() != shape.len() || layout.shape() == shape {
        return spec.apply(shape, machine);
    }
    let narrow = narrowed(layout);
    if narrow.shape() == shape { Ok(narrow) } else { narrow.spread(shape) }
}

/// The layout as a constructor if that gives `layout` for its shape, otherwise as the map itself.
pub(super) fn named(cx: &Elab<'_>, candidate: Option<Spec>, layout: &Layout) -> Spec {
    let fits = |it: &Spec| apply_quietly(cx, it, layout.shape()).as_ref() == Some(layout);
    candidate.filter(fits).unwrap_or_else(|| Spec::Explicit(layout.clone()))
}

/// Whether two layouts are the same map for every shape that one of them is for.
///
/// Constructors are compared on shapes that both fill twice over in every dimension, so that all
/// their registers, lanes and warps count and the order in which they go on shows.
pub(super) fn same_map(cx: &Elab<'_>, a: &Spec, b: &Spec) -> bool {
    if a == b {
        return true;
    }
    let shape: Vec<u32> = match (given_shape(a), given_shape(b)) {
        (Some(shape), _) | (_, Some(shape)) => shape,
        (None, None) => match a.rank().or(b.rank()) {
            Some(rank) if a.rank() == b.rank() => {
                vec![largest_tile(cx.machine(), rank); rank as usize]
            }
            _ => return false,
        },
    };
    let applied = apply_quietly(cx, a, &shape);
    applied.is_some() && applied == apply_quietly(cx, b, &shape)
}

fn given_shape(spec: &Spec) -> Option<Vec<u32>> {
    match spec {
        Spec::Explicit(layout) => Some(layout.shape().into()),
        _ => None,
    }
}

/// An extent that a tile of either layout fits into in `rank` dimensions, within the limit of a tile's size.
fn largest_tile(machine: Machine, rank: u32) -> u32 {
    let wanted = 16 * machine.lanes * machine.warps;
    let bits = wanted.next_power_of_two().trailing_zeros().min(28 / rank.max(1));
    1 << bits
}

/// A list of numbers that may be left out.
fn optional_numbers(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<Option<Vec<u32>>> {
    match args.get(name) {
        Some(_) => args.numbers(cx, name).map(Some),
        None => Some(None),
    }
}

fn number(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<u32> {
    args.below(cx, name, u32::MAX)
}

fn number_or(cx: &mut Elab<'_>, args: &Args, name: &str, default: u32) -> Option<u32> {
    match args.get(name) {
        Some(_) => number(cx, args, name),
        None => Some(default),
    }
}

fn flag(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<bool> {
    match args.get(name).map(|it| (it, &it.value)) {
        None => Some(false),
        Some((_, Value::Bool(it))) => Some(*it),
        Some((arg, _)) => {
            args.mismatch(cx, arg, "a bool known at compile time");
            None
        }
    }
}

/// A list of lists of numbers; empty if left out.
fn bases(cx: &mut Elab<'_>, args: &Args, name: &str) -> Option<Vec<Vec<u32>>> {
    let Some(arg) = args.get(name) else { return Some(Vec::new()) };
    let coordinate = |it: &Value| match it {
        Value::Int(it) => u32::try_from(*it).ok(),
        _ => None,
    };
    let basis = |it: &Value| match it {
        Value::Array(items) | Value::Tuple(items) => {
            items.iter().map(coordinate).collect::<Option<Vec<u32>>>()
        }
        single => coordinate(single).map(|it| vec![it]),
    };
    let list = match &arg.value {
        Value::Array(items) => items.iter().map(basis).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    if list.is_none() {
        args.mismatch(cx, arg, "a list of bases, each a tuple of integers known at compile time");
    }
    list
}

fn done(spec: Spec) -> Option<Value> {
    Some(Value::Layout(spec))
}

/// `blocked(regs:, lanes:, warps:, order:)`
pub(crate) fn blocked(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let regs = args.numbers(cx, "regs")?;
    let (lanes, warps) = (args.numbers(cx, "lanes")?, args.numbers(cx, "warps")?);
    for (name, list) in [("lanes", &lanes), ("warps", &warps)] {
        if list.len() != regs.len() {
            let place = cx.place(args.arg(name).span);
            cx.report(report::layouts::ranks_differ(place, name, list.len(), regs.len()));
            return None;
        }
    }
    let order = optional_numbers(cx, args, "order")?;
    done(Spec::Blocked { regs, lanes, warps, order })
}

/// `linear(regs:, lanes:, warps:)`
pub(crate) fn linear(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let regs = bases(cx, args, "regs")?;
    let lanes = bases(cx, args, "lanes")?;
    let warps = bases(cx, args, "warps")?;
    done(Spec::Linear { regs, lanes, warps })
}

/// `mma::acc(warps:)`
pub(crate) fn mma_acc(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let warps = args.numbers(cx, "warps")?;
    done(Spec::Mma { warps })
}

/// `wgmma::acc(n:)`
pub(crate) fn wgmma_acc(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let n = number(cx, args, "n")?;
    done(Spec::Wgmma { n })
}

/// `mfma::acc(m:, n:, k:, warps:, transposed:, T:)`
pub(crate) fn mfma_acc(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (m, n, k) = (number(cx, args, "m")?, number(cx, args, "n")?, number(cx, args, "k")?);
    let warps = args.numbers(cx, "warps")?;
    let transposed = flag(cx, args, "transposed")?;
    let wide = args.get("T").is_some() && args.dtype(cx, "T")?.bits() == 64;
    done(Spec::Mfma { m, n, k, warps, transposed, wide })
}

/// `wmma::acc(version:, k:, warps:, transposed:)`
pub(crate) fn wmma_acc(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (version, k) = (number(cx, args, "version")?, number(cx, args, "k")?);
    let warps = args.numbers(cx, "warps")?;
    let transposed = flag(cx, args, "transposed")?;
    done(Spec::Wmma { version, k, warps, transposed })
}

/// `plain()`
pub(crate) fn plain(_: &mut Elab<'_>, _: &Args) -> Option<Value> {
    done(Spec::Plain)
}

/// `swizzled(vec:, per_phase:, max_phase:, order:)`
pub(crate) fn swizzled(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (vec, per_phase) = (number(cx, args, "vec")?, number(cx, args, "per_phase")?);
    let max_phase = number(cx, args, "max_phase")?;
    let order = optional_numbers(cx, args, "order")?;
    done(Spec::Swizzled { vec, per_phase, max_phase, order })
}

/// `crosswise(vec:)`
pub(crate) fn crosswise(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    done(Spec::Crosswise { vec: number(cx, args, "vec")? })
}

/// `nvmma(swizzle:, transposed:)`
pub(crate) fn nvmma(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let swizzle = number(cx, args, "swizzle")?;
    let transposed = flag(cx, args, "transposed")?;
    done(Spec::Nvmma { swizzle, transposed })
}

/// `padded([(interval, pad)…], order:)`
pub(crate) fn padded(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let pairs = bases(cx, args, "pads")?;
    let pads: Option<Vec<(u32, u32)>> =
        pairs.iter().map(|it| Some((*it.first()?, *it.get(1)?))).collect();
    if pads.is_none() {
        args.mismatch(cx, args.arg("pads"), "a list of pairs (interval, pad)");
    }
    let order = optional_numbers(cx, args, "order")?;
    done(Spec::Padded { pads: pads?, order })
}

/// `shared_linear(offsets:)`
pub(crate) fn shared_linear(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let offsets = bases(cx, args, "offsets")?;
    done(Spec::SharedLinear { offsets })
}

/// `tcgen05::acc(m:, n:)`
pub(crate) fn tmem_acc(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (m, n) = (number(cx, args, "m")?, number(cx, args, "n")?);
    done(Spec::TmemAcc { m, n })
}

/// `tcgen05::scales()`
pub(crate) fn tmem_scales(_: &mut Elab<'_>, _: &Args) -> Option<Value> {
    done(Spec::TmemScales)
}

/// `blocked::coalesced(shape, T)`
pub(crate) fn coalesced(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let shape = args.numbers(cx, "shape")?;
    let dtype = args.dtype(cx, "T")?;
    let elements = shape.iter().try_fold(1u32, |so_far, &it| so_far.checked_mul(it));
    if shape.is_empty() || !elements.is_some_and(|it| (1..=1 << 30).contains(&it)) {
        args.mismatch(cx, args.arg("shape"), "a list of extents with 1 to 2^30 elements in all");
        return None;
    }
    done(tile_layout::coalesced(&shape, dtype.storage_bits(), cx.machine()))
}

/// `L.slice(axis)`
pub(crate) fn slice(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let spec = args.layout(cx, "layout")?;
    let Some(rank) = spec.rank().filter(|&it| it > 1 && spec.is_for_registers()) else {
        args.mismatch(cx, args.arg("layout"), "a layout for registers of at least two dimensions");
        return None;
    };
    let axis = args.below(cx, "axis", rank)?;
    match spec {
        Spec::Explicit(layout) => done(Spec::Explicit(layout.slice(axis as usize))),
        spec => done(spec.slice(axis)),
    }
}

/// What a question about an accumulator wants.
pub(super) const AN_ACCUMULATOR: &str = "the layout of an accumulator, such as `mma::acc(…)`";

/// The accumulator that an operand's layout is asked of.
fn accumulator(cx: &mut Elab<'_>, args: &Args) -> Option<Spec> {
    let spec = args.layout(cx, "layout")?;
    if matches!(spec, Spec::Mma { .. } | Spec::Wgmma { .. } | Spec::Mfma { .. } | Spec::Wmma { .. })
    {
        return Some(spec);
    }
    args.mismatch(cx, args.arg("layout"), AN_ACCUMULATOR);
    None
}

/// `C.a(k_width:)`
pub(crate) fn operand_a(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let spec = accumulator(cx, args)?;
    let k_width = number_or(cx, args, "k_width", 2)?;
    done(spec.a(k_width))
}

/// `C.b(k_width:)`
pub(crate) fn operand_b(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let spec = accumulator(cx, args)?;
    let k_width = number_or(cx, args, "k_width", 2)?;
    done(spec.b(k_width))
}

/// The map of the layout and the shape that a question is about.
fn subject(cx: &mut Elab<'_>, args: &Args) -> Option<Layout> {
    let spec = args.layout(cx, "layout")?;
    let shape = args.numbers(cx, "shape")?;
    apply(cx, &spec, &shape, args.span)
}

fn count(it: u32) -> Option<Value> {
    Some(Value::Int(i128::from(it)))
}

fn list(items: impl IntoIterator<Item = u32>) -> Value {
    Value::Array(items.into_iter().map(|it| Value::Int(i128::from(it))).collect())
}

/// `L.registers(shape)`
pub(crate) fn registers(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    count(subject(cx, args)?.registers())
}

/// `L.replication(shape)`
pub(crate) fn replication(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let layout = subject(cx, args)?;
    let copies = [In::Register, In::Lane, In::Warp].map(|it| layout.free_mask(it).count_ones());
    count(1 << copies.iter().sum::<u32>())
}

/// `L.owner(index, shape)`
pub(crate) fn owner(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let layout = subject(cx, args)?;
    let index = args.numbers(cx, "index")?;
    let is_inside =
        index.len() == layout.rank() && index.iter().zip(layout.shape()).all(|(i, n)| i < n);
    if !is_inside {
        args.mismatch(cx, args.arg("index"), "an index inside the shape");
        return None;
    }
    let (register, lane, warp) = layout.owner(&index);
    let names = ["register", "lane", "warp"].map(Into::into);
    let values = [register, lane, warp].map(|it| Value::Int(i128::from(it)));
    Some(Value::Record(names.into_iter().zip(values).collect()))
}

/// `L.index(register, lane, warp, shape)`
pub(crate) fn index_of(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let layout = subject(cx, args)?;
    let register = args.below(cx, "register", layout.registers())?;
    let lane = args.below(cx, "lane", layout.lanes())?;
    let warp = args.below(cx, "warp", layout.warps())?;
    Some(list(layout.index_of(register, lane, warp)))
}

/// `L.bits(axis, shape)`
pub(crate) fn bits(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let layout = subject(cx, args)?;
    let axis = args.below(cx, "axis", layout.rank() as u32)?;
    Some(list(layout.reduction_bits(axis as usize)))
}

/// The bits of an index in the order in which reductions fold them, as a list.
pub(super) fn fold_order(layout: &Layout, axis: u32) -> Value {
    list(layout.reduction_bits(axis as usize))
}

/// `layout::bank_conflicts(registers, shared, T)`
pub(crate) fn bank_conflicts(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let (registers, shared) = (args.layout(cx, "registers")?, args.layout(cx, "shared")?);
    let Value::Type(TypeValue::Tile { elem, shape, .. }) = args.value("T") else {
        args.mismatch(cx, args.arg("T"), "the type of a tile, `f32[64, 64]`");
        return None;
    };
    let registers = apply(cx, &registers, shape, args.span)?;
    let bits = elem.data().map_or(elem.bits(), |it| it.storage_bits());
    let buffer = match shared.apply_in_memory(shape, bits) {
        Ok(it) => it,
        Err(error) => {
            let (place, text) = (cx.place(args.span), super::describe_spec(&shared));
            cx.report(report::layouts::does_not_fit(place, &text, shape, &error.to_string()));
            return None;
        }
    };
    let (target, map) = (cx.target(), MemoryMap::of(&buffer));
    let conflicts = |direction| {
        let access = shared_access(target, &registers, &map, bits, direction);
        access.conflicts(bits, &target.banks, direction)
    };
    count(conflicts(Direction::Read).max(conflicts(Direction::Write)))
}
