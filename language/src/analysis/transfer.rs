//! How each operation makes facts of facts.
//!
//! One function a family and one arm an operation. An arm may say less than is true, never more:
//! [`Known::unknown`] is always right. Ranges saturate, and a sum or product that could leave its
//! type loses its range, since integers wrap.

use smallvec::SmallVec;

use super::facts::{ANY_DIVISOR, Axis, Facts, Known, divisor_of, elements_of, gcd, power_of_two};
use crate::dtype::DType;
use crate::ir::{Extent, Inst, Kernel, Type, Value};
use crate::op::tile::{BinaryOp, CmpOp, UnaryOp};
use crate::op::{MemoryOp, TileOp};

/// Facts of the results of an operation on registers.
pub(super) fn tile(facts: &mut Facts, kernel: &Kernel, inst: &Inst, op: &TileOp) {
    let ty = kernel.ty(inst.results[0]);
    let known = match op {
        TileOp::Const { bits } => constant(*bits, ty),
        TileOp::Index { axis } => index(*axis, &ty.shape),
        TileOp::BlockId { axis } => block_id(kernel, *axis),
        TileOp::NumBlocks { axis } => {
            let known = Known { lo: Some(1), ..Known::unknown(0) };
            multiply(
                &known,
                &Known::constant(kernel.plan.cluster_extents()[*axis as usize].into(), &[]),
            )
        }
        TileOp::ClusterRank => {
            let hi = i64::from(kernel.plan.cluster_size()) - 1;
            Known { lo: Some(0), hi: Some(hi), ..Known::unknown(0) }
        }
        TileOp::Unary { op } => unary(*op, facts.of_value(inst.operands[0])),
        TileOp::Binary { op } => binary(*op, facts, inst, ty),
        TileOp::Cmp { op } => compare(*op, facts, inst),
        TileOp::Fma => {
            let product =
                multiply(facts.of_value(inst.operands[0]), facts.of_value(inst.operands[1]));
            within(add(&product, facts.of_value(inst.operands[2])), ty)
        }
        TileOp::Select => select(facts, inst),
        TileOp::Cast { .. } => {
            cast(facts.of_value(inst.operands[0]), kernel.ty(inst.operands[0]), ty)
        }
        TileOp::Splat => splat(facts.of_value(inst.operands[0]), &ty.shape),
        TileOp::Broadcast => {
            broadcast(facts.of_value(inst.operands[0]), kernel.ty(inst.operands[0]), ty)
        }
        TileOp::Expand { axis } => expand(facts.of_value(inst.operands[0]), *axis, ty),
        TileOp::Squeeze { axis } => squeeze(facts.of_value(inst.operands[0]), *axis, ty),
        TileOp::Permute { perm } => permute(facts.of_value(inst.operands[0]), perm),
        TileOp::Convert => facts.of_value(inst.operands[0]).clone(),
        TileOp::Reshape | TileOp::Split | TileOp::Halves { .. } | TileOp::Butterfly { .. } => {
            scrambled(facts.of_value(inst.operands[0]), ty)
        }
        TileOp::Join => {
            scrambled(&facts.of_value(inst.operands[0]).join(facts.of_value(inst.operands[1])), ty)
        }
        TileOp::Gather { .. } => scrambled(facts.of_value(inst.operands[0]), ty),
        TileOp::Histogram => Known { lo: Some(0), ..Known::unknown(ty.shape.len()) },
        TileOp::Bits => Known::unknown(ty.shape.len()),
    };
    for &result in &inst.results {
        facts.set(result, known.clone());
    }
}

/// Facts of the results of an operation on memory.
pub(super) fn memory(facts: &mut Facts, kernel: &Kernel, inst: &Inst, op: &MemoryOp) {
    let known = match op {
        MemoryOp::At { tensor } => at(facts, kernel, inst, *tensor),
        MemoryOp::Offset => {
            offset(facts.of_value(inst.operands[0]), facts.of_value(inst.operands[1]))
        }
        MemoryOp::IsPresent { .. } => Known::unknown(0),
        MemoryOp::Load { .. } | MemoryOp::Atomic { .. } | MemoryOp::AtomicCas { .. } => {
            let Some(&result) = inst.results.first() else { return };
            Known::unknown(kernel.ty(result).shape.len())
        }
        MemoryOp::Store { .. }
        | MemoryOp::Print { .. }
        | MemoryOp::Assert { .. }
        | MemoryOp::Assume => return,
    };
    facts.set(inst.results[0], known);
}

fn constant(bits: u64, ty: &Type) -> Known {
    match ty.elem.data() {
        Some(it) if it.is_int() => Known::constant(signed(bits, it), &ty.shape),
        _ => Known::uniform(1, &ty.shape),
    }
}

fn signed(bits: u64, dtype: DType) -> i64 {
    let unused = 64 - dtype.bits();
    if dtype.is_signed() { ((bits << unused) as i64) >> unused } else { bits as i64 }
}

fn index(axis: u32, shape: &[u32]) -> Known {
    let axes = shape.iter().enumerate().map(|(d, &extent)| {
        let power = power_of_two(extent);
        if d == axis as usize {
            Axis {
                contiguity: power,
                constancy: 1,
                divisor: u64::from(power).max(start_of(extent)),
            }
        } else {
            Axis { contiguity: 1, constancy: power, divisor: 1 }
        }
    });
    let hi = i64::from(shape[axis as usize]) - 1;
    Known { axes: axes.collect(), lo: Some(0), hi: Some(hi), below: SmallVec::new() }
}

/// A power-of-two extent is one group, which starts at 0.
fn start_of(extent: u32) -> u64 {
    if extent.is_power_of_two() { ANY_DIVISOR } else { 1 }
}

fn block_id(kernel: &Kernel, axis: u32) -> Known {
    let mut known = Known { lo: Some(0), ..Known::unknown(0) };
    match kernel.plan.grid.get(axis as usize) {
        Some(tile_plan::Expr::Int(blocks)) => known.hi = Some(blocks - 1),
        Some(tile_plan::Expr::Symbol(number)) => {
            let slot = tile_plan::AbiSlot::Symbol(*number);
            let at = kernel.plan.abi.iter().position(|it| *it == slot);
            known.below.extend(at.map(|it| kernel.body.params[it]));
        }
        None => known.hi = Some(0),
        Some(_) => {}
    }
    known
}

fn unary(op: UnaryOp, x: &Known) -> Known {
    let rank = x.axes.len();
    let uniform = Known { axes: constancy_only(&x.axes), ..Known::unknown(rank) };
    match op {
        UnaryOp::Neg => Known {
            axes: x
                .axes
                .iter()
                .map(|it| Axis { contiguity: 1, divisor: it.every_divisor(), ..*it })
                .collect(),
            lo: x.hi.and_then(i64::checked_neg),
            hi: x.lo.and_then(i64::checked_neg),
            below: SmallVec::new(),
        },
        UnaryOp::Popcount | UnaryOp::LeadingZeros => Known { lo: Some(0), hi: Some(64), ..uniform },
        UnaryOp::Not
        | UnaryOp::Abs
        | UnaryOp::Sqrt
        | UnaryOp::Exp2
        | UnaryOp::Log2
        | UnaryOp::Rcp
        | UnaryOp::Rsqrt
        | UnaryOp::Sin
        | UnaryOp::Cos
        | UnaryOp::Tanh
        | UnaryOp::ExactExp2
        | UnaryOp::ExactLog2
        | UnaryOp::Floor
        | UnaryOp::Ceil
        | UnaryOp::Round
        | UnaryOp::Trunc
        | UnaryOp::ReverseBits => uniform,
    }
}

fn constancy_only(axes: &[Axis]) -> SmallVec<[Axis; 4]> {
    axes.iter().map(|it| Axis { constancy: it.constancy, ..Axis::UNKNOWN }).collect()
}

fn binary(op: BinaryOp, facts: &Facts, inst: &Inst, ty: &Type) -> Known {
    let (x, y) = (facts.of_value(inst.operands[0]), facts.of_value(inst.operands[1]));
    let known = match op {
        BinaryOp::Add => add(x, y),
        BinaryOp::Sub => subtract(x, y),
        BinaryOp::Mul => multiply(x, y),
        BinaryOp::Div => divide(x, y, is_never_negative(x, ty)),
        BinaryOp::Rem => remainder(x, y, is_never_negative(x, ty)),
        BinaryOp::Min => bounded(x, y, i64::min, true),
        BinaryOp::Max => bounded(x, y, i64::max, false),
        BinaryOp::Shl => shift_left(x, y),
        BinaryOp::Shr => shift_right(x, y),
        BinaryOp::And => mask(x, y),
        BinaryOp::Or | BinaryOp::Xor | BinaryOp::MinNan | BinaryOp::MaxNan | BinaryOp::MulHigh => {
            elementwise(x, y)
        }
    };
    within(known, ty)
}

/// Drops a range that could leave the type: the value may have wrapped.
fn within(known: Known, ty: &Type) -> Known {
    let Some(dtype) = ty.elem.data().filter(|it| it.is_int()) else {
        return Known { lo: None, hi: None, below: SmallVec::new(), ..known };
    };
    let (least, most) = match (dtype.is_signed(), dtype.bits()) {
        (true, 64) => (i64::MIN, i64::MAX),
        (true, bits) => (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1),
        (false, 64) => (0, i64::MAX),
        (false, bits) => (0, (1i64 << bits) - 1),
    };
    let fits = known.lo.is_some_and(|it| it >= least) && known.hi.is_some_and(|it| it <= most);
    if fits || (known.lo.is_none() && known.hi.is_none()) {
        known
    } else {
        // One open end says nothing about wrapping; only `below` of min and remainder survive.
        Known {
            lo: known.lo.filter(|it| *it >= least),
            hi: known.hi.filter(|it| *it <= most),
            ..known
        }
    }
}

fn combine(x: &Known, y: &Known, f: impl Fn(Axis, Axis) -> Axis) -> SmallVec<[Axis; 4]> {
    x.axes.iter().zip(&y.axes).map(|(a, b)| f(*a, *b)).collect()
}

fn elementwise(x: &Known, y: &Known) -> Known {
    let axes =
        combine(x, y, |a, b| Axis { constancy: a.constancy.min(b.constancy), ..Axis::UNKNOWN });
    Known { axes, ..Known::unknown(x.axes.len()) }
}

fn add(x: &Known, y: &Known) -> Known {
    let axes = combine(x, y, |a, b| {
        let contiguity = a.contiguity.min(b.constancy).max(a.constancy.min(b.contiguity));
        Axis {
            contiguity,
            constancy: a.constancy.min(b.constancy),
            divisor: gcd(a.start_divisor(contiguity), b.start_divisor(contiguity)),
        }
    });
    Known {
        axes,
        lo: x.lo.zip(y.lo).and_then(|(a, b)| a.checked_add(b)),
        hi: x.hi.zip(y.hi).and_then(|(a, b)| a.checked_add(b)),
        below: SmallVec::new(),
    }
}

fn subtract(x: &Known, y: &Known) -> Known {
    let axes = combine(x, y, |a, b| {
        let contiguity = a.contiguity.min(b.constancy);
        Axis {
            contiguity,
            constancy: a.constancy.min(b.constancy),
            divisor: gcd(a.start_divisor(contiguity), b.start_divisor(contiguity)),
        }
    });
    let stays_below = y.lo.is_some_and(|it| it >= 0);
    Known {
        axes,
        lo: x.lo.zip(y.hi).and_then(|(a, b)| a.checked_sub(b)),
        hi: x.hi.zip(y.lo).and_then(|(a, b)| a.checked_sub(b)),
        below: if stays_below && x.lo.is_some() { x.below.clone() } else { SmallVec::new() },
    }
}

fn multiply(x: &Known, y: &Known) -> Known {
    for (one, other) in [(x, y), (y, x)] {
        if one.value() == Some(1) {
            return other.clone();
        }
    }
    let axes = combine(x, y, |a, b| Axis {
        contiguity: 1,
        constancy: a.constancy.min(b.constancy),
        divisor: (a.every_divisor().saturating_mul(b.every_divisor())).min(ANY_DIVISOR),
    });
    let corners = x.lo.zip(x.hi).zip(y.lo.zip(y.hi)).and_then(|((a, b), (c, d))| {
        let all = [a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?];
        Some((*all.iter().min()?, *all.iter().max()?))
    });
    let lo = corners.map(|it| it.0).or_else(|| {
        let not_negative = x.lo.is_some_and(|it| it >= 0) && y.lo.is_some_and(|it| it >= 0);
        not_negative.then_some(0)
    });
    Known { axes, lo, hi: corners.map(|it| it.1), below: SmallVec::new() }
}

/// Whether every element is at least 0.
fn is_never_negative(x: &Known, ty: &Type) -> bool {
    let unsigned = ty.elem.data().is_some_and(|it| it.is_int() && !it.is_signed());
    unsigned || x.lo.is_some_and(|it| it >= 0)
}

/// Quotients go towards zero, so groups of negative numbers are not equal from their first one on.
fn divide(x: &Known, y: &Known, never_negative: bool) -> Known {
    let Some(by) = y.value().filter(|it| *it > 0) else { return elementwise(x, y) };
    let power = divisor_of(by);
    let axes = x
        .axes
        .iter()
        .map(|a| {
            let equal = if never_negative && by == power as i64 {
                gcd(u64::from(a.contiguity), gcd(a.divisor, power)) as u32
            } else {
                1
            };
            let divisor = if by == power as i64 { (a.every_divisor() / power).max(1) } else { 1 };
            Axis { contiguity: 1, constancy: a.constancy.max(equal), divisor }
        })
        .collect();
    Known { axes, lo: x.lo.map(|it| it / by), hi: x.hi.map(|it| it / by), below: SmallVec::new() }
}

/// Remainders have the sign of `x`, so groups of negative numbers do not count up from their first one.
fn remainder(x: &Known, y: &Known, never_negative: bool) -> Known {
    let Some(by) = y.value().filter(|it| *it > 0) else { return elementwise(x, y) };
    let power = divisor_of(by);
    let axes = x
        .axes
        .iter()
        .map(|a| {
            let group = gcd(u64::from(a.contiguity), gcd(a.divisor, power)) as u32;
            let contiguity = if never_negative { group } else { 1 };
            let divisor = if contiguity > 1 { a.divisor } else { a.every_divisor() };
            Axis { contiguity, constancy: a.constancy, divisor: gcd(divisor, power) }
        })
        .collect();
    let lo = if never_negative { 0 } else { 1 - by };
    Known { axes, lo: Some(lo), hi: Some(by - 1), below: SmallVec::new() }
}

fn shift_left(x: &Known, y: &Known) -> Known {
    match y.value() {
        Some(by @ 0..=40) => {
            multiply(x, &Known { lo: Some(1 << by), hi: Some(1 << by), ..power(by, y) })
        }
        _ => elementwise(x, y),
    }
}

fn shift_right(x: &Known, y: &Known) -> Known {
    match y.value() {
        Some(by @ 0..=40) if x.lo.is_some_and(|it| it >= 0) => {
            divide(x, &Known { lo: Some(1 << by), hi: Some(1 << by), ..power(by, y) }, true)
        }
        _ => elementwise(x, y),
    }
}

/// `2^by` in the place of the shift count `y`.
fn power(by: i64, y: &Known) -> Known {
    let axes = y.axes.iter().map(|it| Axis { divisor: 1 << by, ..*it }).collect();
    Known { axes, ..Known::unknown(y.axes.len()) }
}

/// `x & (2^k - 1)` is `x % 2^k`; with any other number only the range is known.
fn mask(x: &Known, y: &Known) -> Known {
    match y.value() {
        Some(it) if (0..i64::MAX).contains(&it) && (it + 1) & it == 0 => {
            let modulus = Known { lo: Some(it + 1), hi: Some(it + 1), ..y.clone() };
            remainder(x, &modulus, true)
        }
        Some(it) if it >= 0 => Known { lo: Some(0), hi: Some(it), ..elementwise(x, y) },
        _ => elementwise(x, y),
    }
}

/// Minimum and maximum: `below` of either survives a minimum, of both a maximum.
fn bounded(x: &Known, y: &Known, choose: fn(i64, i64) -> i64, is_min: bool) -> Known {
    let joined = x.join(y);
    let axes = combine(x, y, |a, b| Axis {
        contiguity: 1,
        constancy: a.constancy.min(b.constancy),
        divisor: gcd(a.every_divisor(), b.every_divisor()),
    });
    let end = |a: Option<i64>, b: Option<i64>, one_is_enough: bool| match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) if one_is_enough => a.or(b),
        _ => None,
    };
    let below =
        if is_min { x.below.iter().chain(&y.below).copied().collect() } else { joined.below };
    Known { axes, lo: end(x.lo, y.lo, !is_min), hi: end(x.hi, y.hi, is_min), below }
}

/// A comparison of a counting tile with one value is constant where neither can begin inside a group.
fn compare(op: CmpOp, facts: &Facts, inst: &Inst) -> Known {
    let (x, y) = (facts.of_value(inst.operands[0]), facts.of_value(inst.operands[1]));
    // `counting < limit` and `counting >= limit` change only at multiples of what divides both.
    let splits = |counting: Axis, limit: Axis| {
        let group = counting.contiguity.min(limit.constancy);
        gcd(u64::from(group), gcd(counting.start_divisor(group), limit.every_divisor())) as u32
    };
    let axes = combine(x, y, |a, b| {
        let plain = a.constancy.min(b.constancy);
        let counted = match op {
            CmpOp::Lt | CmpOp::Ge => splits(a, b),
            CmpOp::Gt | CmpOp::Le => splits(b, a),
            CmpOp::Eq | CmpOp::Ne => 1,
        };
        Axis { constancy: plain.max(counted), ..Axis::UNKNOWN }
    });
    Known { axes, lo: Some(0), hi: Some(1), below: SmallVec::new() }
}

fn select(facts: &Facts, inst: &Inst) -> Known {
    let [cond, x, y] = [0, 1, 2].map(|i| facts.of_value(inst.operands[i]));
    let mut joined = x.join(y);
    for (axis, c) in joined.axes.iter_mut().zip(&cond.axes) {
        let contiguity = axis.contiguity.min(c.constancy);
        axis.divisor = axis.start_divisor(contiguity);
        axis.contiguity = contiguity;
        axis.constancy = axis.constancy.min(c.constancy);
    }
    joined
}

fn cast(x: &Known, from: &Type, to: &Type) -> Known {
    let is_int = |ty: &Type| ty.elem.data().is_some_and(DType::is_int);
    if is_int(from) && is_int(to) {
        let known = within(x.clone(), to);
        let kept = known.lo == x.lo && known.hi == x.hi;
        let widens = to.elem.bits() >= from.elem.bits();
        if kept && widens { known } else { Known { below: SmallVec::new(), ..known } }
    } else {
        Known { axes: constancy_only(&x.axes), ..Known::unknown(x.axes.len()) }
    }
}

fn splat(x: &Known, shape: &[u32]) -> Known {
    let axes = Known::uniform(x.divisor(), shape).axes;
    Known { axes, ..x.clone() }
}

fn broadcast(x: &Known, from: &Type, to: &Type) -> Known {
    let axes = x.axes.iter().zip(&from.shape).zip(&to.shape).map(|((axis, &old), &new)| {
        if old == new {
            *axis
        } else {
            Axis { contiguity: 1, constancy: power_of_two(new), divisor: axis.every_divisor() }
        }
    });
    Known { axes: axes.collect(), ..x.clone() }
}

fn expand(x: &Known, axis: u32, ty: &Type) -> Known {
    if ty.shape.len() == 1 {
        return Known {
            axes: SmallVec::from_elem(Axis { divisor: x.divisor(), ..Axis::UNKNOWN }, 1),
            ..x.clone()
        };
    }
    let mut axes = x.axes.clone();
    axes.insert(axis as usize, Axis { contiguity: 1, constancy: 1, divisor: x.divisor() });
    Known { axes, ..x.clone() }
}

fn squeeze(x: &Known, axis: u32, ty: &Type) -> Known {
    if ty.is_scalar() {
        let divisor = x.divisor();
        return Known {
            axes: SmallVec::from_elem(Axis { divisor, ..Axis::UNKNOWN }, 1),
            ..x.clone()
        };
    }
    let mut axes = x.axes.clone();
    axes.remove(axis as usize);
    Known { axes, ..x.clone() }
}

fn permute(x: &Known, perm: &[u32]) -> Known {
    Known { axes: perm.iter().map(|&it| x.axes[it as usize]).collect(), ..x.clone() }
}

/// The same elements somewhere else: what holds of every element stays.
fn scrambled(x: &Known, ty: &Type) -> Known {
    let divisor = x.divisor();
    let rank = ty.shape.len().max(1);
    Known { axes: SmallVec::from_elem(Axis { divisor, ..Axis::UNKNOWN }, rank), ..x.clone() }
}

fn at(facts: &Facts, kernel: &Kernel, inst: &Inst, tensor: u32) -> Known {
    let tensor = &kernel.tensors[tensor as usize];
    let shape = &kernel.ty(inst.results[0]).shape;
    let elements = inst
        .operands
        .iter()
        .zip(&tensor.strides)
        .map(|(index, stride)| multiply(facts.of_value(*index), &extent(facts, *stride, shape)))
        .reduce(|a, b| add(&a, &b))
        .unwrap_or_else(|| Known::constant(0, shape));
    offset(&Known::uniform(elements_of(tensor.align, tensor.dtype), shape), &elements)
}

/// Pointers moved by elements.
fn offset(pointer: &Known, elements: &Known) -> Known {
    let axes = combine(pointer, elements, |p, e| {
        let contiguity = e.contiguity.min(p.constancy).max(p.contiguity.min(e.constancy));
        Axis {
            contiguity,
            constancy: p.constancy.min(e.constancy),
            divisor: gcd(p.start_divisor(contiguity), e.start_divisor(contiguity)),
        }
    });
    Known { axes, ..Known::unknown(pointer.axes.len()) }
}

pub(super) fn extent(facts: &Facts, extent: Extent, shape: &[u32]) -> Known {
    match extent {
        Extent::Const(it) => Known::constant(it, shape),
        Extent::Value(it) => splat(facts.of_value(it), shape),
    }
}

/// The value that defines an extent, if one does.
pub(super) fn extent_value(extent: Extent) -> Option<Value> {
    match extent {
        Extent::Const(_) => None,
        Extent::Value(it) => Some(it),
    }
}
