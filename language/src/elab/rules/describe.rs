//! How values, types and layouts read in messages: as a program would write them.

use tile_layout::{In, Layout, Spec};

use super::unify::shape_of;
use crate::elab::cx::Elab;
use crate::elab::value::{Kind, TileLayout, TypeValue, Value};
use crate::ir::Elem;

/// A value: what it is and, if it is short, which.
pub(super) fn value(cx: &Elab<'_>, it: &Value) -> String {
    match it {
        Value::Int(it) => it.to_string(),
        Value::Float(it) => float(*it),
        Value::Bool(it) => it.to_string(),
        Value::Str(it) => format!("{it:?}"),
        Value::None => "none".to_owned(),
        Value::Type(it) => ty(it),
        Value::Layout(it) => spec(it),
        Value::Tuple(parts) => format!("({})", list(parts, |it| value(cx, it))),
        Value::Record(fields) => {
            format!("({})", list(fields, |(name, it)| format!("{name}: {}", value(cx, it))))
        }
        Value::Array(items) => format!("[{}]", list(items, |it| value(cx, it))),
        Value::Struct(it) => it.ty.item.item.to_string(),
        Value::Variant(of, _) => format!("a variant of {}", of.item.item),
        Value::Range(_) => "a span".to_owned(),
        Value::Closure(_) => "a closure".to_owned(),
        Value::Function(_) => "a function".to_owned(),
        Value::Tile(it) => {
            let layout = match &it.layout {
                TileLayout::Scalar => String::new(),
                TileLayout::Closed(layout) => format!(" @ {}", spec(layout)),
                open @ TileLayout::Open { .. } => format!(" @ {}", open_layout(open)),
            };
            format!("{}{}{layout}", elem(cx.ty(it.value).elem), shape(&shape_of(cx, it)))
        }
        Value::Unplaced(it) => format!("{}{} without a layout", elem(it.elem), shape(&it.shape)),
        Value::Tensor(it) => format!("the tensor `{}`", cx.tensor(*it).name),
        Value::MaybeTensor(it) => {
            format!("the tensor `{}`, which may be absent", cx.tensor(*it).name)
        }
        Value::View(it) => {
            let ty = cx.ty(it.value);
            format!("{}{}", elem(ty.elem), shape(&ty.shape))
        }
        Value::Barriers(it) => format!("barrier{}", shape(&cx.ty(*it).shape)),
        Value::NamedBarrier(_) => "a named barrier".to_owned(),
        Value::Stages(it) => format!("{} stages", it.n),
        Value::Permit(_, it) => format!("a permit `{}`", it.ty.item.item),
        Value::Tiles(it) => format!("a tiled view of `{}`", cx.tensor(it.tensor).name),
        Value::Box(it) => format!("a tile of `{}`", cx.tensor(it.tiles.tensor).name),
        Value::Flight(_) => "a copy in flight".to_owned(),
        Value::Target => "the target".to_owned(),
        Value::Host(_) => "a tensor of host code".to_owned(),
        Value::Word(it) => it.to_string(),
        Value::Error => "nothing".to_owned(),
    }
}

fn float(it: f64) -> String {
    if it.is_finite() && it.fract() == 0.0 && it.abs() < 1e15 {
        format!("{it:.1}")
    } else {
        it.to_string()
    }
}

fn list<T>(items: &[T], f: impl FnMut(&T) -> String) -> String {
    items.iter().map(f).collect::<Vec<_>>().join(", ")
}

/// An element type.
pub(super) fn elem(it: Elem) -> String {
    match it {
        Elem::Data(it) => it.to_string(),
        Elem::Pointer(it) => format!("*{it}"),
        Elem::Shared(it) => format!("shared {it}"),
        Elem::Barrier => "barrier".to_owned(),
        Elem::Map => "tensor map".to_owned(),
    }
}

/// `[128, 64]`; nothing for a scalar.
pub(super) fn shape(it: &[u32]) -> String {
    if it.is_empty() { String::new() } else { format!("[{}]", list(it, u32::to_string)) }
}

/// A type as it is written.
pub(super) fn ty(it: &TypeValue) -> String {
    match it {
        TypeValue::Kind(it) => kind(*it).to_owned(),
        TypeValue::Scalar(it) => it.to_string(),
        TypeValue::Pointer(it) => format!("*{it}"),
        TypeValue::Tile { elem: of, shape: extents, layout } => {
            let layout = layout.as_ref().map_or(String::new(), |it| format!(" @ {}", spec(it)));
            format!("{}{}{layout}", elem(*of), shape(extents))
        }
        TypeValue::Shared(it) => {
            let layout = it.layout.as_ref().map_or(String::new(), |it| format!(" @ {}", spec(it)));
            format!("shared {}{}{layout}", it.dtype, shape(&it.shape))
        }
        TypeValue::Barrier(extents) => format!("barrier{}", shape(extents)),
        TypeValue::NamedBarrier => "named_barrier".to_owned(),
        TypeValue::Struct(of, _) | TypeValue::Enum(of) => of.item.item.to_string(),
        TypeValue::Tuple(parts) => format!("({})", list(parts, part)),
        TypeValue::Record(fields) => {
            format!("({})", list(fields, |(name, it)| format!("{name}: {}", part(it))))
        }
        TypeValue::Array(of, n) => format!("[{}; {n}]", part(of)),
        TypeValue::List(of) => format!("[{}]", part(of)),
        TypeValue::Optional(of) => format!("{}?", part(of)),
        TypeValue::Span => "span".to_owned(),
        TypeValue::Host { elem, shape } => format!("{elem}[{}]", list(shape, u64::to_string)),
        TypeValue::Tensor { elem, rank } => format!("a tensor of `{elem}` with {rank} dimensions"),
    }
}

fn part(it: &Value) -> String {
    match it {
        Value::Type(it) => ty(it),
        _ => "_".to_owned(),
    }
}

fn kind(it: Kind) -> &'static str {
    match it {
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Bool => "bool",
        Kind::Str => "str",
        Kind::Type => "type",
        Kind::Layout => "layout",
        Kind::Record => "record",
    }
}

/// A layout as it is written.
pub(super) fn spec(it: &Spec) -> String {
    let order = |order: &Option<Vec<u32>>| {
        order.as_ref().map_or(String::new(), |it| format!(", order: {it:?}"))
    };
    match it {
        Spec::Blocked { regs, lanes, warps, order: dims } => {
            format!("blocked(regs: {regs:?}, lanes: {lanes:?}, warps: {warps:?}{})", order(dims))
        }
        Spec::Slice(parent, axis) => format!("{}.slice({axis})", spec(parent)),
        Spec::Linear { regs, lanes, warps } => {
            format!(
                "linear(regs: {}, lanes: {}, warps: {})",
                bases(regs),
                bases(lanes),
                bases(warps)
            )
        }
        Spec::Mma { warps } => format!("mma::acc(warps: {warps:?})"),
        Spec::Wgmma { n } => format!("wgmma::acc(n: {n})"),
        Spec::Mfma { m, n, k, warps, transposed, wide } => {
            let transposed = if *transposed { ", transposed: true" } else { "" };
            let elem = if *wide { ", T: f64" } else { "" };
            format!("mfma::acc(m: {m}, n: {n}, k: {k}, warps: {warps:?}{transposed}{elem})")
        }
        Spec::Wmma { version, k, warps, transposed } => {
            format!(
                "wmma::acc(version: {version}, k: {k}, warps: {warps:?}, transposed: {transposed})"
            )
        }
        Spec::Operand { of, side, k_width } => {
            let side = match side {
                tile_layout::Side::A => "a",
                tile_layout::Side::B => "b",
            };
            format!("{}.{side}(k_width: {k_width})", spec(of))
        }
        Spec::Plain => "plain()".to_owned(),
        Spec::Swizzled { vec, per_phase, max_phase, order: dims } => {
            format!(
                "swizzled(vec: {vec}, per_phase: {per_phase}, max_phase: {max_phase}{})",
                order(dims)
            )
        }
        Spec::Crosswise { vec } => format!("crosswise(vec: {vec})"),
        Spec::Nvmma { swizzle, transposed } => {
            format!("nvmma(swizzle: {swizzle}, transposed: {transposed})")
        }
        Spec::Padded { pads, order: dims } => format!("padded({pads:?}{})", order(dims)),
        Spec::SharedLinear { offsets } => format!("shared_linear({})", bases(offsets)),
        Spec::TmemAcc { m, n } => format!("tcgen05::acc(m: {m}, n: {n})"),
        Spec::TmemScales => "tcgen05::scales()".to_owned(),
        Spec::Explicit(layout) => explicit(layout),
    }
}

fn bases(list_of: &[Vec<u32>]) -> String {
    let basis = |it: &Vec<u32>| match &it[..] {
        [single] => single.to_string(),
        several => format!("({})", list(several, u32::to_string)),
    };
    format!("[{}]", list(list_of, basis))
}

/// A map without a constructor, as the constructor that takes bases.
fn explicit(layout: &Layout) -> String {
    let of = |input| {
        let vectors: Vec<Vec<u32>> = layout.bases(input).iter().map(|it| it.to_vec()).collect();
        bases(&vectors)
    };
    format!("linear(regs: {}, lanes: {}, warps: {})", of(In::Register), of(In::Lane), of(In::Warp))
}

/// An open layout: what is known of its parents.
pub(super) fn open_layout(it: &TileLayout) -> String {
    match it {
        TileLayout::Scalar => String::new(),
        TileLayout::Closed(it) => spec(it),
        TileLayout::Open { child, new_axes } => {
            let axes = list(new_axes, u32::to_string);
            format!("any layout whose slice at {axes} is {}", spec(child))
        }
    }
}
