//! What is known of every value: contiguity, divisibility, constancy, range.
//!
//! # Definition
//! For a tile and each of its dimensions `d`, three powers of two:
//! * `contiguity`: every aligned group of that many neighbours along `d` counts up by one;
//! * `constancy`: every aligned group of that many neighbours along `d` is one value;
//! * `divisor`: divides the first value of every group of `contiguity` neighbours.
//!
//! A scalar has only a divisor. Pointers count in elements, a divisor
//! that of their distance from address 0; one that does not even stand at an element has the divisor 0.
//! Besides, the smallest and largest value over all elements, and scalars that all elements are below.
//!
//! # Laws (checked against evaluation in `tests`)
//! * A1: a fact holds for every element at every launch that satisfies the plan.
//! * A2: joining facts never strengthens one, so loops reach a fixed point.
//!
//! After Triton's AxisInfo in spirit; the divisor here is that of a *group's first value*, kept
//! through additions that make groups smaller.

use smallvec::SmallVec;
use tile_plan::{AbiSlot, ParamKind};

use super::transfer;
use crate::dtype::DType;
use crate::ir::{FactKind, Inst, Kernel, Region, Value};
use crate::op::{FlowOp, Op};

/// Larger than any divisor that matters: what divides zero.
pub const ANY_DIVISOR: u64 = 1 << 40;

/// The three numbers of one dimension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Neighbours that count up by one.
    pub contiguity: u32,
    /// Neighbours that are equal.
    pub constancy: u32,
    /// What divides the first of each contiguous group.
    pub divisor: u64,
}

impl Axis {
    /// Nothing is known.
    pub const UNKNOWN: Axis = Axis { contiguity: 1, constancy: 1, divisor: 1 };

    /// What divides the values at multiples of `group` along this dimension.
    pub fn start_divisor(self, group: u32) -> u64 {
        if self.contiguity <= 1 || group.is_multiple_of(self.contiguity) {
            self.divisor
        } else {
            gcd(self.divisor, u64::from(group))
        }
    }

    /// What divides every value along this dimension.
    pub fn every_divisor(self) -> u64 {
        if self.contiguity <= 1 { self.divisor } else { 1 }
    }

    fn join(self, other: Axis) -> Axis {
        let contiguity = self.contiguity.min(other.contiguity);
        let divisor = gcd(self.start_divisor(contiguity), other.start_divisor(contiguity));
        Axis { contiguity, constancy: self.constancy.min(other.constancy), divisor }
    }
}

/// What is known of one value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// One entry a dimension; for a scalar one entry that carries its divisor.
    pub axes: SmallVec<[Axis; 4]>,
    /// The smallest value, if bounded.
    pub lo: Option<i64>,
    /// The largest value, if bounded.
    pub hi: Option<i64>,
    /// Scalars that every element is less than.
    pub below: SmallVec<[Value; 2]>,
}

impl Known {
    /// Nothing is known of a value of that rank.
    pub fn unknown(rank: usize) -> Known {
        Known {
            axes: SmallVec::from_elem(Axis::UNKNOWN, rank.max(1)),
            lo: None,
            hi: None,
            below: SmallVec::new(),
        }
    }

    /// One number in every element.
    pub fn constant(value: i64, shape: &[u32]) -> Known {
        let mut known = Known::uniform(divisor_of(value), shape);
        (known.lo, known.hi) = (Some(value), Some(value));
        known
    }

    /// One unknown value with a known divisor in every element.
    pub fn uniform(divisor: u64, shape: &[u32]) -> Known {
        let axis = |extent: u32| Axis { contiguity: 1, constancy: power_of_two(extent), divisor };
        let axes = if shape.is_empty() {
            SmallVec::from_elem(Axis { contiguity: 1, constancy: 1, divisor }, 1)
        } else {
            shape.iter().map(|&it| axis(it)).collect()
        };
        Known { axes, lo: None, hi: None, below: SmallVec::new() }
    }

    /// The number that every element is, if that is known.
    pub fn value(&self) -> Option<i64> {
        self.lo.filter(|lo| self.hi == Some(*lo))
    }

    /// What divides every element.
    pub fn divisor(&self) -> u64 {
        self.axes.iter().map(|it| it.every_divisor()).max().unwrap_or(1)
    }

    /// What holds of both.
    pub fn join(&self, other: &Known) -> Known {
        Known {
            axes: self.axes.iter().zip(&other.axes).map(|(a, b)| a.join(*b)).collect(),
            lo: self.lo.zip(other.lo).map(|(a, b)| a.min(b)),
            hi: self.hi.zip(other.hi).map(|(a, b)| a.max(b)),
            below: self.below.iter().copied().filter(|it| other.below.contains(it)).collect(),
        }
    }

    /// The same without bounds that a loop has moved.
    fn widened(mut self, before: &Known) -> Known {
        if self.lo != before.lo {
            self.lo = None;
        }
        if self.hi != before.hi {
            self.hi = None;
        }
        self
    }
}

/// What is known of the values of a kernel.
#[derive(Clone, Debug)]
pub struct Facts {
    known: Vec<Known>,
}

impl Facts {
    /// Analyses a kernel. Linear in its size times the depth of its loops.
    pub fn of(kernel: &Kernel) -> Facts {
        let known = kernel.values.iter().map(|it| Known::unknown(it.ty.shape.len())).collect();
        let mut facts = Facts { known };
        facts.enter(kernel);
        facts.region(kernel, &kernel.body);
        facts
    }

    /// What is known of a value.
    pub fn of_value(&self, value: Value) -> &Known {
        &self.known[value.0 as usize]
    }

    pub(super) fn set(&mut self, value: Value, known: Known) {
        self.known[value.0 as usize] = known;
    }

    /// What the launch plan promises of the kernel's parameters.
    fn enter(&mut self, kernel: &Kernel) {
        for tensor in &kernel.tensors {
            let align = elements_of(tensor.align, tensor.dtype);
            self.set(tensor.base, Known::uniform(align, &[]));
            for extent in &tensor.dims {
                if let crate::ir::Extent::Value(size) = extent {
                    self.set(*size, Known { lo: Some(0), ..self.of_value(*size).clone() });
                }
            }
        }
        for (&param, slot) in kernel.body.params.iter().zip(&kernel.plan.abi) {
            if let Some(align) = pointer_align(kernel, slot) {
                let crate::ir::Elem::Pointer(dtype) = kernel.ty(param).elem else { continue };
                self.set(param, Known::uniform(elements_of(align, dtype), &[]));
            }
        }
        for fact in &kernel.facts {
            self.promise(&fact.kind);
        }
    }

    fn promise(&mut self, fact: &FactKind) {
        match *fact {
            FactKind::Divisible { value, divisor } => {
                let known = &mut self.known[value.0 as usize];
                let power = divisor & divisor.wrapping_neg();
                known.axes[0].divisor = known.axes[0].divisor.max(power);
            }
            FactKind::Range { value, lo, hi } => {
                let known = &mut self.known[value.0 as usize];
                known.lo = tighter(known.lo, lo, i64::max);
                known.hi = tighter(known.hi, hi, i64::min);
            }
            FactKind::AtMost { a, b } => {
                let hi = self.of_value(b).hi;
                let known = &mut self.known[a.0 as usize];
                known.hi = tighter(known.hi, hi, i64::min);
            }
        }
    }

    fn region(&mut self, kernel: &Kernel, region: &Region) {
        for inst in &region.insts {
            self.inst(kernel, inst);
        }
    }

    fn inst(&mut self, kernel: &Kernel, inst: &Inst) {
        match &inst.op {
            Op::Flow(FlowOp::If) => self.branch(kernel, inst),
            Op::Flow(FlowOp::For { .. }) => self.count(kernel, inst),
            Op::Flow(FlowOp::While) => self.repeat(kernel, inst),
            Op::Flow(FlowOp::Roles { .. }) => {
                inst.regions.iter().for_each(|it| self.region(kernel, it));
            }
            Op::Tile(op) => transfer::tile(self, kernel, inst, op),
            Op::Memory(op) => transfer::memory(self, kernel, inst, op),
            Op::Shared(_) | Op::Copy(_) | Op::Sync(_) | Op::Mma(_) => {
                for &result in &inst.results {
                    self.set(result, Known::unknown(kernel.ty(result).shape.len()));
                }
            }
        }
    }

    fn branch(&mut self, kernel: &Kernel, inst: &Inst) {
        for region in &inst.regions {
            self.region(kernel, region);
        }
        for (i, &result) in inst.results.iter().enumerate() {
            let joined = inst
                .regions
                .iter()
                .map(|it| self.of_value(it.yields[i]).clone())
                .reduce(|a, b| a.join(&b));
            self.set(result, joined.expect("V5: an `if` has two regions"));
        }
    }

    fn count(&mut self, kernel: &Kernel, inst: &Inst) {
        let body = &inst.regions[0];
        let (lo, hi, step) = (inst.operands[0], inst.operands[1], inst.operands[2]);
        let (first, last, by) = (self.of_value(lo), self.of_value(hi), self.of_value(step));
        let index = Known {
            axes: SmallVec::from_elem(
                Axis { contiguity: 1, constancy: 1, divisor: gcd(first.divisor(), by.divisor()) },
                1,
            ),
            lo: first.lo,
            hi: last.hi.map(|it| it.saturating_sub(1)),
            below: std::iter::once(hi).chain(last.below.iter().copied()).collect(),
        };
        self.set(body.params[0], index);
        self.carry(kernel, inst, &inst.operands[3..], &body.params[1..], body, &[]);
    }

    fn repeat(&mut self, kernel: &Kernel, inst: &Inst) {
        let (cond, body) = (&inst.regions[0], &inst.regions[1]);
        self.carry(kernel, inst, &inst.operands, &body.params, body, &[cond]);
    }

    /// Runs a loop's regions until what is known of the carried values no longer changes.
    fn carry(
        &mut self,
        kernel: &Kernel,
        inst: &Inst,
        inits: &[Value],
        params: &[Value],
        body: &Region,
        heads: &[&Region],
    ) {
        let mut carried: Vec<Known> = inits.iter().map(|it| self.of_value(*it).clone()).collect();
        loop {
            for (i, known) in carried.iter().enumerate() {
                self.set(params[i], known.clone());
                for head in heads {
                    self.set(head.params[i], known.clone());
                }
            }
            for head in heads {
                self.region(kernel, head);
            }
            self.region(kernel, body);
            let next: Vec<Known> = carried
                .iter()
                .zip(&body.yields)
                .map(|(known, it)| known.join(self.of_value(*it)).widened(known))
                .collect();
            if next == carried {
                break;
            }
            carried = next;
        }
        for (&result, known) in inst.results.iter().zip(carried) {
            self.set(result, known);
        }
    }
}

/// What divides the address of a raw pointer argument, in bytes.
fn pointer_align(kernel: &Kernel, slot: &AbiSlot) -> Option<u32> {
    let AbiSlot::Address(param) = *slot else { return None };
    match kernel.plan.params.get(param as usize)?.kind {
        ParamKind::Pointer { align, .. } => Some(align),
        ParamKind::Tensor { .. } | ParamKind::Scalar { .. } => None,
    }
}

/// Elements that an alignment in bytes stands for: what divides the number of one that begins there. Of
/// elements whose width is no power of two its largest power of two counts.
pub(super) fn elements_of(align: u32, dtype: DType) -> u64 {
    let bits = u64::from(align & align.wrapping_neg()) * 8;
    bits >> dtype.storage_bits().trailing_zeros()
}

fn tighter(a: Option<i64>, b: Option<i64>, choose: fn(i64, i64) -> i64) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (a, b) => a.or(b),
    }
}

/// The greatest power of two that divides both powers of two.
pub(crate) fn gcd(a: u64, b: u64) -> u64 {
    a.min(b)
}

/// The greatest power of two that divides `value`.
pub(super) fn divisor_of(value: i64) -> u64 {
    if value == 0 { ANY_DIVISOR } else { (1 << value.trailing_zeros()).min(ANY_DIVISOR) }
}

/// The greatest power of two that divides an extent.
pub(super) fn power_of_two(extent: u32) -> u32 {
    1 << extent.trailing_zeros().min(31)
}
