//! How the elements of a tile that one thread holds differ from each other.
//!
//! A thread that holds eight elements of `iota(N)` needs one register: the others are that one plus
//! constants, which instructions add for nothing. A thread that holds eight elements of a loaded
//! tile needs eight. [`Form`] says, for every dimension, which of the two it is.

use smallvec::SmallVec;
use tile_layout::{In, Layout};

use crate::ir::{Elem, Extent, Inst, Kernel, Region, Type, Value};
use crate::op::tile::{BinaryOp, UnaryOp};
use crate::op::{CopyOp, FlowOp, MemoryOp, Op, SharedOp, TileOp};

/// How elements differ along one dimension.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Along {
    /// Not at all.
    Same,
    /// By numbers that are known at compile time.
    Step,
    /// By anything.
    Free,
}

/// How the elements of a value differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Form {
    /// One entry a dimension.
    pub(super) axes: SmallVec<[Along; 4]>,
    /// Whether it is a number of the program's text, or an argument: no register holds it.
    pub(super) is_given: bool,
    /// Whether all threads of the block hold the same.
    pub(super) is_uniform: bool,
}

impl Form {
    fn all(ty: &Type, along: Along) -> Form {
        let axes = SmallVec::from_elem(along, ty.shape.len());
        Form { axes, is_given: false, is_uniform: along == Along::Same }
    }

    /// 32-bit registers that one thread needs for a value of this form.
    pub(super) fn words(&self, ty: &Type) -> u32 {
        if self.is_given || ty.is_view() {
            return 0;
        }
        let elements = ty.layout.as_ref().map_or(1, |it| self.different(it));
        let bits = match ty.elem {
            Elem::Data(it) if it.bits() == 1 => return 0,
            Elem::Data(it) => it.bits(),
            Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier => 64,
            // It stays where the launch has put it.
            Elem::Map => return 0,
        };
        (elements * u64::from(bits)).div_ceil(32) as u32
    }

    /// Registers of the layout whose elements no constant leads to from another one's.
    fn different(&self, layout: &Layout) -> u64 {
        let is_free = |axis: usize| self.axes.get(axis) == Some(&Along::Free);
        let bits = layout.bases(In::Register).iter();
        let free = bits.filter(|it| it.iter().enumerate().any(|(d, &c)| c != 0 && is_free(d)));
        let repetitions = layout.repetitions();
        let repeats = repetitions.iter().enumerate().filter(|it| is_free(it.0));
        repeats.fold(1 << free.count(), |n, it| n * u64::from(*it.1))
    }

    fn is_same(&self) -> bool {
        self.axes.iter().all(|&it| it == Along::Same)
    }
}

/// The forms of all values of a kernel, by number.
pub(super) fn forms(kernel: &Kernel) -> Vec<Form> {
    let unknown = |it: &crate::ir::ValueDecl| Form::all(&it.ty, Along::Free);
    let mut walk = Walk { kernel, forms: kernel.values.iter().map(unknown).collect() };
    for &it in &kernel.body.params {
        walk.forms[it.0 as usize] =
            Form { axes: SmallVec::new(), is_given: true, is_uniform: true };
    }
    walk.region(&kernel.body);
    walk.forms
}

struct Walk<'a> {
    kernel: &'a Kernel,
    forms: Vec<Form>,
}

impl Walk<'_> {
    fn region(&mut self, region: &Region) {
        for inst in &region.insts {
            for inner in &inst.regions {
                self.enter(inst, inner);
                self.region(inner);
            }
            for (n, &result) in inst.results.iter().enumerate() {
                self.forms[result.0 as usize] = self.result(inst, n);
            }
        }
    }

    /// Parameters of a region: a loop's own number is the same in all threads, as is every scalar.
    fn enter(&mut self, inst: &Inst, region: &Region) {
        let carried = matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While));
        for &it in region.params.iter().filter(|_| carried) {
            let ty = self.kernel.ty(it);
            let along = if ty.is_scalar() { Along::Same } else { Along::Free };
            self.forms[it.0 as usize] = Form::all(ty, along);
        }
    }

    fn of(&self, value: Value) -> &Form {
        &self.forms[value.0 as usize]
    }

    fn result(&self, inst: &Inst, n: usize) -> Form {
        let ty = self.kernel.ty(inst.results[n]);
        let plain = Form::all(ty, if ty.is_scalar() { Along::Same } else { Along::Free });
        match &inst.op {
            Op::Tile(op) => self.tile(op, inst, ty),
            Op::Memory(MemoryOp::At { tensor }) => self.address(*tensor, inst, ty),
            Op::Memory(MemoryOp::Offset) => self.both(inst, ty, |a, b| a.max(b)),
            Op::Memory(
                MemoryOp::IsPresent { .. }
                | MemoryOp::Load { .. }
                | MemoryOp::Store { .. }
                | MemoryOp::Atomic { .. }
                | MemoryOp::AtomicCas { .. }
                | MemoryOp::Print { .. }
                | MemoryOp::Assert { .. }
                | MemoryOp::Assume,
            )
            | Op::Mma(_)
            | Op::Shared(
                SharedOp::Alloc { .. }
                | SharedOp::Index { .. }
                | SharedOp::Slice { .. }
                | SharedOp::Recast
                | SharedOp::Overlay
                | SharedOp::On
                | SharedOp::Load
                | SharedOp::Store
                | SharedOp::Gather { .. }
                | SharedOp::Scatter { .. }
                | SharedOp::Atomic { .. },
            )
            | Op::Copy(
                CopyOp::Async
                | CopyOp::Land
                | CopyOp::Commit
                | CopyOp::Hold
                | CopyOp::Signal { .. }
                | CopyOp::Wait { .. }
                | CopyOp::Fetch { .. }
                | CopyOp::Box { .. }
                | CopyOp::BoxOut { .. }
                | CopyOp::Prefetch { .. }
                | CopyOp::WaitOut { .. },
            )
            | Op::Sync(_)
            | Op::Flow(FlowOp::If | FlowOp::For { .. } | FlowOp::While | FlowOp::Roles { .. }) => {
                plain
            }
        }
    }

    fn tile(&self, op: &TileOp, inst: &Inst, ty: &Type) -> Form {
        let free = || {
            let same = inst.operands.iter().all(|&it| self.of(it).is_same());
            Form {
                is_uniform: inst.operands.iter().all(|&it| self.of(it).is_uniform),
                ..Form::all(ty, if same { Along::Same } else { Along::Free })
            }
        };
        match op {
            TileOp::Const { .. } => Form { is_given: true, ..Form::all(ty, Along::Same) },
            TileOp::Index { axis } => {
                let mut form = Form::all(ty, Along::Same);
                form.axes[*axis as usize] = Along::Step;
                form.is_uniform = false;
                form
            }
            TileOp::BlockId { .. } | TileOp::NumBlocks { .. } | TileOp::ClusterRank => {
                Form { is_given: true, ..Form::all(ty, Along::Same) }
            }
            TileOp::Splat => {
                let given = self.of(inst.operands[0]).is_given;
                Form { is_given: given, ..Form::all(ty, Along::Same) }
            }
            TileOp::Broadcast => {
                let from = self.kernel.ty(inst.operands[0]);
                let mut form = self.of(inst.operands[0]).clone();
                for (axis, along) in form.axes.iter_mut().enumerate() {
                    if from.shape[axis] != ty.shape[axis] {
                        *along = Along::Same;
                    }
                }
                form
            }
            TileOp::Expand { axis } => {
                let mut form = self.of(inst.operands[0]).clone();
                form.axes.insert(*axis as usize, Along::Same);
                form
            }
            TileOp::Squeeze { axis } => {
                let mut form = self.of(inst.operands[0]).clone();
                form.axes.remove(*axis as usize);
                form
            }
            TileOp::Permute { perm } => {
                let from = self.of(inst.operands[0]);
                let axes = perm.iter().map(|&it| from.axes[it as usize]).collect();
                Form { axes, ..from.clone() }
            }
            TileOp::Binary { op: BinaryOp::Add | BinaryOp::Sub } => {
                self.both(inst, ty, |a, b| a.max(b))
            }
            TileOp::Binary { op: BinaryOp::Mul | BinaryOp::Shl } => {
                let given = |n: usize| self.is_number(inst.operands[n]);
                let known = given(0) || given(1);
                self.both(inst, ty, |a, b| match a.max(b) {
                    Along::Step if !known => Along::Free,
                    along => along,
                })
            }
            TileOp::Unary { op: UnaryOp::Neg } | TileOp::Cast { .. } => {
                let from = self.of(inst.operands[0]);
                let integer = matches!(ty.elem, Elem::Data(it) if it.is_int());
                match integer && from.axes.len() == ty.shape.len() {
                    true => from.clone(),
                    false => free(),
                }
            }
            TileOp::Unary { .. }
            | TileOp::Binary { .. }
            | TileOp::Cmp { .. }
            | TileOp::Select
            | TileOp::Fma
            | TileOp::Bits
            | TileOp::Reshape
            | TileOp::Join
            | TileOp::Split
            | TileOp::Halves { .. }
            | TileOp::Butterfly { .. }
            | TileOp::Gather { .. }
            | TileOp::Histogram
            | TileOp::Convert => free(),
        }
    }

    /// Whether a value is a number that is known at compile time.
    fn is_number(&self, value: Value) -> bool {
        let form = self.of(value);
        form.is_given && form.is_uniform && !self.kernel.body.params.contains(&value)
    }

    /// Dimension by dimension, from both operands.
    fn both(&self, inst: &Inst, ty: &Type, join: impl Fn(Along, Along) -> Along) -> Form {
        let (a, b) = (self.of(inst.operands[0]), self.of(inst.operands[1]));
        if a.axes.len() != b.axes.len() {
            return Form::all(ty, Along::Free);
        }
        let axes = a.axes.iter().zip(&b.axes).map(|(&a, &b)| join(a, b)).collect();
        Form { axes, is_given: false, is_uniform: a.is_uniform && b.is_uniform }
    }

    /// `x.at(i, j)`: a step of an index is a step of the address if the stride is known.
    fn address(&self, tensor: u32, inst: &Inst, ty: &Type) -> Form {
        let strides = &self.kernel.tensors[tensor as usize].strides;
        let mut form = Form::all(ty, Along::Same);
        for (&index, &stride) in inst.operands.iter().zip(strides) {
            let of = self.of(index);
            form.is_uniform &= of.is_uniform;
            for (along, &more) in form.axes.iter_mut().zip(&of.axes) {
                let scaled = match (more, stride) {
                    (Along::Step, Extent::Value(_)) => Along::Free,
                    (more, _) => more,
                };
                *along = (*along).max(scaled);
            }
        }
        form
    }
}
