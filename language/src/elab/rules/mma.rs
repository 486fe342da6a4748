//! Products of tiles on matrix units.
//!
//! The accumulator decides: its layout names the family and, with the types, the instruction; the
//! operands must be in the layouts that belong to it, compared as maps. Every number of neighbours
//! along `k` that fills registers and leaves no lane without work is legal, the same for both
//! operands.

use tile_layout::{Side, Spec};

use super::args::Args;
use super::layouts::apply_quietly;
use super::unify;
use crate::analysis::conversion_cost;
use crate::dtype::DType;
use crate::elab::cx::Elab;
use crate::elab::value::{Tile, TileLayout, Value};
use crate::ir::{self, Elem};
use crate::op::MmaOp;
use crate::report::mma as wording;
use crate::target::Cap;
use crate::target::mma::{self as table, MatrixFamily, MatrixId, MatrixRow};

/// `mma(a, b, acc)`
pub(crate) fn mma(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if cx.target().has(Cap::Mma) { product(cx, args, MatrixFamily::Mma) } else { None }
}

/// `mfma(a, b, acc)`
pub(crate) fn mfma(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    if cx.target().has(Cap::Mfma) { product(cx, args, MatrixFamily::Mfma) } else { None }
}

/// `C.k_width(T)`
pub(crate) fn k_width(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let spec = args.layout(cx, "layout")?;
    let pack = (32 / args.dtype(cx, "T")?.bits()).max(1);
    let natural = match spec {
        Spec::Mma { .. } | Spec::Wgmma { .. } => pack,
        Spec::Mfma { m, k, .. } => (m * k / 64).max(1),
        Spec::Wmma { .. } => 8,
        _ => {
            args.mismatch(cx, args.arg("layout"), super::layouts::AN_ACCUMULATOR);
            return None;
        }
    };
    Some(Value::Int(i128::from(natural)))
}

/// `matrix::depth(A, B, T, m:)`
pub(crate) fn depth(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let types = element_types(cx, args)?;
    let m = match args.get("m") {
        Some(_) => args.below(cx, "m", u32::MAX)?,
        None => 16,
    };
    let depths = table::of_types(cx.target(), types).filter(|it| it.row().m == m);
    let deepest = depths.map(|it| it.row().k).max().unwrap_or(0);
    Some(Value::Int(i128::from(deepest)))
}

/// `matrix::missing(A, B, T)`: the warning stands at the call of the function that asks.
pub(crate) fn missing(cx: &mut Elab<'_>, args: &Args) -> Option<Value> {
    let types = element_types(cx, args)?;
    let place = cx.call_place().unwrap_or_else(|| cx.place(args.span));
    cx.report(wording::without_unit(place, cx.target().name, types));
    Some(Value::unit())
}

fn element_types(cx: &mut Elab<'_>, args: &Args) -> Option<[DType; 3]> {
    Some([args.dtype(cx, "A")?, args.dtype(cx, "B")?, args.dtype(cx, "T")?])
}

/// What the accumulator decides.
struct Sum {
    tile: Tile,
    /// The accumulator's constructor.
    spec: Spec,
    row: &'static MatrixRow,
    id: MatrixId,
    /// What messages call the family.
    what: &'static str,
}

fn product(cx: &mut Elab<'_>, args: &Args, family: MatrixFamily) -> Option<Value> {
    let what = args.row.path;
    let Value::Tile(tile @ Tile { layout: TileLayout::Closed(own), .. }) = args.value("acc") else {
        not_placed(cx, args, "acc");
        return None;
    };
    let spec = accumulator(cx, args, tile.value, own, family)?;
    check_shapes(cx, args, tile.value)?;
    let id = instruction(cx, args, tile.value, &spec, family)?;
    let sum = Sum { tile: tile.clone(), spec, row: id.row(), id, what };
    let (a, wide) = operand(cx, args, &sum, Side::A, &legal_widths(cx, args, &sum))?;
    let (b, _) = operand(cx, args, &sum, Side::B, &wide)?;
    let ty = cx.ty(sum.tile.value).clone();
    let op = MmaOp::Mma { instruction: sum.id };
    let value = cx.emit_one(op, &[a, b, sum.tile.value], ty, args.span);
    Some(Value::Tile(Tile { value, layout: sum.tile.layout }))
}

/// Reports an argument that is no tile, or one whose layout is not decided.
pub(super) fn not_placed(cx: &mut Elab<'_>, args: &Args, name: &str) {
    let arg = args.arg(name);
    match &arg.value {
        Value::Tile(tile @ Tile { layout: TileLayout::Open { .. }, .. }) => {
            unify::report_open(cx, std::slice::from_ref(tile), arg.span);
        }
        Value::Unplaced(_) => {
            let place = cx.place(arg.span);
            cx.report(wording::acc_without_layout(place, args.row.path));
        }
        _ => args.mismatch(cx, arg, "a tile in the layout of an accumulator"),
    }
}

/// The accumulator's constructor; also for one that got its layout as a map.
fn accumulator(
    cx: &mut Elab<'_>,
    args: &Args,
    value: ir::Value,
    own: &Spec,
    family: MatrixFamily,
) -> Option<Spec> {
    match (family, own) {
        (MatrixFamily::Mma, Spec::Mma { .. }) | (MatrixFamily::Mfma, Spec::Mfma { .. }) => {
            return Some(own.clone());
        }
        _ => {}
    }
    let ty = cx.ty(value).clone();
    let warps = cx.machine().warps;
    let splits = (0..=warps.trailing_zeros()).map(|it| vec![warps >> it, 1 << it]);
    let fits = |it: &Spec| apply_quietly(cx, it, &ty.shape) == ty.layout;
    let found = splits.map(|warps| Spec::Mma { warps }).find(fits);
    if let Some(found) = found.filter(|_| family == MatrixFamily::Mma) {
        return Some(found);
    }
    let place = cx.place(args.arg("acc").span);
    cx.report(wording::no_accumulator(place, args.row.path, &super::describe_spec(own)));
    None
}

/// The shape of an operand that has one.
pub(super) fn shape_of(cx: &Elab<'_>, value: &Value) -> Option<ir::Shape> {
    match value {
        Value::Tile(tile) => Some(unify::shape_of(cx, tile)),
        Value::Unplaced(it) => Some(it.shape.clone()),
        _ => None,
    }
}

fn check_shapes(cx: &mut Elab<'_>, args: &Args, acc: ir::Value) -> Option<()> {
    let mut shapes = Vec::new();
    for name in ["a", "b"] {
        let Some(shape) = shape_of(cx, args.value(name)) else {
            args.mismatch(cx, args.arg(name), "a tile");
            return None;
        };
        shapes.push(shape);
    }
    let acc = cx.ty(acc).shape.clone();
    let is_product = match (&shapes[0][..], &shapes[1][..], &acc[..]) {
        ([lead_a @ .., m, k], [lead_b @ .., k_b, n], [lead @ .., m_acc, n_acc]) => {
            lead_a == lead && lead_b == lead && (m, k, n) == (m_acc, k_b, n_acc)
        }
        _ => false,
    };
    if !is_product {
        let place = cx.place(args.span);
        cx.report(wording::shapes(place, &shapes[0], &shapes[1], &acc));
    }
    is_product.then_some(())
}

/// Element types of the operands and the accumulator; reports pointers.
fn types(cx: &mut Elab<'_>, args: &Args) -> Option<[DType; 3]> {
    let mut found = Vec::new();
    for name in ["a", "b", "acc"] {
        match unify::elem_of(cx, args.value(name)) {
            Some(Elem::Data(it)) => found.push(it),
            Some(Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier | Elem::Map) | None => {
                args.mismatch(cx, args.arg(name), "a tile of numbers");
                return None;
            }
        }
    }
    found.try_into().ok()
}

/// The instruction for the accumulator, or what the target has instead.
fn instruction(
    cx: &mut Elab<'_>,
    args: &Args,
    acc: ir::Value,
    spec: &Spec,
    family: MatrixFamily,
) -> Option<MatrixId> {
    let types = types(cx, args)?;
    let shape = cx.ty(acc).shape.clone();
    let depth = *shape_of(cx, args.value("a"))?.last()?;
    let extents =
        [("`m`", shape[shape.len() - 2]), ("`n`", shape[shape.len() - 1]), ("`k`", depth)];
    let (target, place) = (cx.target(), cx.place(args.span));
    if let Some(id) = table::find(target, types, spec, depth) {
        let row = id.row();
        let units = [row.m, row.n, row.k];
        let rest = |&((_, extent), unit): &((&str, u32), u32)| extent % unit != 0;
        let Some(((name, extent), unit)) = extents.into_iter().zip(units).find(rest) else {
            return Some(id);
        };
        cx.report(wording::extent(place, name, extent, row.name, unit));
        return None;
    }
    let having: Vec<MatrixId> = table::of_types(target, types).collect();
    let acc = accumulator_facts(cx, acc, spec);
    if having.is_empty() {
        let rows = MatrixId::all().map(MatrixId::row);
        let rows = rows.filter(|it| it.family == family && target.has(it.cap));
        let mut all: Vec<[DType; 3]> = Vec::new();
        for types in rows.map(|it| [it.a, it.b, it.acc]) {
            if !all.contains(&types) {
                all.push(types);
            }
        }
        cx.report(wording::no_types(place, args.row.path, target.name, types, &all));
        return None;
    }
    // The accumulator's instruction exists, but for another depth of the tiles.
    let least = having.iter().map(|it| it.row().k).min().filter(|_| family == MatrixFamily::Mma);
    let own = having.iter().find(|it| table::find(target, types, spec, it.row().k) == Some(**it));
    match least.or(own.map(|it| it.row().k)).zip(own) {
        Some((unit, own)) => {
            cx.report(wording::extent(place, "`k`", depth, own.row().name, unit));
        }
        None => {
            let names: Vec<String> = having.iter().map(|it| accumulator_of(it.row())).collect();
            cx.report(wording::no_shape(place, args.row.path, target.name, types, &acc, &names));
        }
    }
    None
}

/// The constructor of an instruction's accumulator, as a message names it.
fn accumulator_of(row: &MatrixRow) -> String {
    match row.family {
        MatrixFamily::Mma => "mma::acc(…)".to_owned(),
        MatrixFamily::Mfma => {
            let elem = if row.acc == DType::F64 { ", T: f64" } else { "" };
            format!("mfma::acc(m: {}, n: {}, k: {}, …{elem})", row.m, row.n, row.k)
        }
    }
}

pub(super) fn accumulator_facts(
    cx: &Elab<'_>,
    acc: ir::Value,
    spec: &Spec,
) -> wording::Accumulator {
    wording::Accumulator { layout: super::describe_spec(spec), from: cx.layout_origin(acc) }
}

/// The widths that the instruction can take along `k`, the natural one first.
fn legal_widths(cx: &Elab<'_>, args: &Args, sum: &Sum) -> Vec<u32> {
    let depth = shape_of(cx, args.value("a")).and_then(|it| it.last().copied()).unwrap_or(1);
    // Lanes beyond the power of two in the depth would hold copies.
    let most = (1 << depth.trailing_zeros()) / sum.row.k_lanes();
    let natural = sum.row.k_width().min(most);
    let all = (0..31).map(|it| sum.row.k_pack() << it).take_while(|&it| it <= most);
    std::iter::once(natural).chain(all.filter(|&it| it != natural)).collect()
}

/// The operand as the instruction takes it, and the widths for which it does; reports another layout.
fn operand(
    cx: &mut Elab<'_>,
    args: &Args,
    sum: &Sum,
    side: Side,
    widths: &[u32],
) -> Option<(ir::Value, Vec<u32>)> {
    let name = if side == Side::A { "a" } else { "b" };
    let arg = args.arg(name);
    let wanted =
        |width: u32| Spec::Operand { of: Box::new(sum.spec.clone()), side, k_width: width };
    let (value, own) = match &arg.value {
        Value::Tile(Tile { value, layout: TileLayout::Closed(own) }) => (*value, own.clone()),
        Value::Unplaced(it) => {
            let value = unify::place(cx, it, &wanted(widths[0]), arg.span)?;
            return Some((value, vec![widths[0]]));
        }
        _ => {
            not_placed(cx, args, name);
            return None;
        }
    };
    let ty = cx.ty(value).clone();
    let matching =
        widths.iter().copied().filter(|&it| apply_quietly(cx, &wanted(it), &ty.shape) == ty.layout);
    let matching: Vec<u32> = matching.collect();
    if !matching.is_empty() {
        return Some((value, matching));
    }
    let wanted = wanted(widths[0]);
    let to = apply_quietly(cx, &wanted, &ty.shape);
    let cost = to
        .zip(ty.layout.as_ref())
        .map(|(to, own)| conversion_cost(cx.target(), own, &to, ty.elem.bits()));
    let facts = wording::WrongOperand {
        name,
        got: super::describe_spec(&own),
        got_from: cx.layout_origin(value),
        wanted: super::describe_spec(&wanted),
        cost,
    };
    let acc = accumulator_facts(cx, sum.tile.value, &sum.spec);
    let place = cx.place(arg.span);
    cx.report(wording::operand_layout(place, sum.what, &acc, &facts));
    None
}
