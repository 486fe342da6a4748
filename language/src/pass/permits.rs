//! Permits: from the right to use a stage to what its end does.
//!
//! # Requires
//! A permit ends once on every way, and its views are used between; the elaborator says so.
//!
//! # Establishes
//! * No `sync.permit` and no `sync.end`. In a kernel of one role the end of a stage that copies fill closes their group,
//!   and every end arrives at its barrier. With roles the barrier expects the copies' bytes from the moment that
//!   the permit is taken, and they complete it; every other end arrives.
//! * The groups that ends close are as many on every way ([`super::groups`]).
//! * A copy that signals a barrier is the last of its group.
//! * Every `sync.mbarriers` says how many roles arrive in a phase: each that ends permits there or arrives by hand.

use rustc_hash::{FxHashMap, FxHashSet};

use super::groups;
use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, Value};
use crate::op::{CopyOp, FlowOp, Op, SharedOp, SyncOp};

/// The kernel without permits.
pub fn permits(mut kernel: Kernel) -> Kernel {
    let mut uses = Uses::default();
    uses.region(&kernel, &kernel.body, 0);
    if uses.barriers.is_empty() {
        return kernel;
    }
    rewrite(&mut kernel.body, &uses);
    if uses.n_roles == 0 && (!uses.filled.is_empty() || uses.signals) {
        groups::even(&mut kernel);
    }
    kernel
}

/// What is done with permits and barriers.
#[derive(Default)]
struct Uses {
    /// What a permit's results were before.
    operands: FxHashMap<Value, Value>,
    /// The permit, named by its `ends`, that a view is of.
    permit_of: FxHashMap<Value, Value>,
    /// Permits whose stages copies fill, with the bytes of these.
    filled: FxHashMap<Value, u32>,
    /// Bytes that a copy brings.
    copied: FxHashMap<Value, u32>,
    /// Roles of the kernel; none if it is one.
    n_roles: u32,
    /// The list of mbarriers that a barrier is of.
    barriers: FxHashMap<Value, Value>,
    /// Lists of mbarriers with the roles that arrive there.
    arrived: FxHashSet<(Value, u32)>,
    /// Whether copies signal barriers.
    signals: bool,
}

impl Uses {
    fn region(&mut self, kernel: &Kernel, region: &Region, role: u32) {
        for inst in &region.insts {
            self.inst(kernel, inst, role);
            let is_roles = matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
            for (number, inner) in (1..).zip(&inst.regions) {
                self.n_roles += u32::from(is_roles);
                self.region(kernel, inner, if is_roles { number } else { role });
            }
        }
    }

    fn inst(&mut self, kernel: &Kernel, inst: &Inst, role: u32) {
        match &inst.op {
            Op::Sync(SyncOp::Mbarriers { .. }) => {
                self.barriers.insert(inst.results[0], inst.results[0]);
            }
            Op::Sync(SyncOp::Permit) => {
                let ends = inst.results[0];
                for (&result, &operand) in inst.results.iter().zip(&inst.operands) {
                    self.operands.insert(result, operand);
                    self.permit_of.insert(result, ends);
                }
                let list = self.barriers[&inst.operands[0]];
                self.barriers.insert(ends, list);
            }
            Op::Shared(SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast) => {
                let (of, result) = (inst.operands[0], inst.results[0]);
                if let Some(&list) = self.barriers.get(&of) {
                    self.barriers.insert(result, list);
                }
                if let Some(&permit) = self.permit_of.get(&of) {
                    self.permit_of.insert(result, permit);
                }
            }
            Op::Copy(CopyOp::Async) => {
                let view = inst.operands[0];
                let bytes = bytes(kernel, view);
                if let Some(&permit) = self.permit_of.get(&view) {
                    *self.filled.entry(permit).or_default() += bytes;
                    self.copied.insert(view, bytes);
                }
            }
            Op::Copy(CopyOp::Signal { .. }) => self.signals = true,
            Op::Sync(SyncOp::End | SyncOp::Arrive | SyncOp::Expect { .. }) => {
                self.arrived.insert((self.barriers[&inst.operands[0]], role));
            }
            _ => {}
        }
    }
}

fn rewrite(region: &mut Region, uses: &Uses) {
    let before = |it: &mut Value| {
        while let Some(&operand) = uses.operands.get(it) {
            *it = operand;
        }
    };
    let insts = std::mem::take(&mut region.insts);
    for mut inst in insts {
        let first = inst.operands.first().copied();
        inst.operands.iter_mut().for_each(before);
        inst.regions.iter_mut().for_each(|it| rewrite(it, uses));
        match &mut inst.op {
            Op::Sync(SyncOp::Permit) => {
                // With roles the barrier knows from the start what the copies will bring.
                if let Some(&bytes) = uses.expected(inst.results[0]) {
                    region.insts.push(on_barrier(Op::Sync(SyncOp::Expect { bytes }), &inst));
                }
                continue;
            }
            Op::Sync(SyncOp::End) => {
                let filled = first.is_some_and(|it| uses.filled.contains_key(&it));
                if filled && 0 < uses.n_roles {
                    continue;
                }
                if filled {
                    region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
                }
                inst.op = Op::Sync(SyncOp::Arrive);
            }
            Op::Sync(SyncOp::Mbarriers { arrivals }) => {
                let here = uses.arrived.iter().filter(|it| it.0 == inst.results[0]);
                if *arrivals == 0 {
                    *arrivals = here.count() as u32;
                }
            }
            Op::Copy(CopyOp::Signal { .. }) if uses.n_roles == 0 => {
                region.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
            }
            _ => {}
        }
        let signal = signal(&inst, first, uses);
        region.insts.push(inst);
        region.insts.extend(signal);
    }
}

impl Uses {
    /// The bytes that copies bring to a permit's stage, in a kernel of roles.
    fn expected(&self, permit: Value) -> Option<&u32> {
        self.filled.get(&permit).filter(|_| 0 < self.n_roles)
    }

    /// The barrier of a permit as it was given.
    fn ends(&self, permit: Value) -> Value {
        let mut it = permit;
        while let Some(&operand) = self.operands.get(&it) {
            it = operand;
        }
        it
    }
}

/// What tells a permit's barrier of a copy into its stage; `view` is the copy's, as the permit handed it out.
fn signal(inst: &Inst, view: Option<Value>, uses: &Uses) -> Option<Inst> {
    let view = view.filter(|_| 0 < uses.n_roles && inst.op == Op::Copy(CopyOp::Async))?;
    let (&permit, &bytes) = (uses.permit_of.get(&view)?, uses.copied.get(&view)?);
    let mut signal = new_inst(Op::Copy(CopyOp::Signal { bytes }), inst.site);
    signal.operands.push(uses.ends(permit));
    Some(signal)
}

/// An operation on the first operand of an instruction, a barrier.
fn on_barrier(op: Op, inst: &Inst) -> Inst {
    let mut made = new_inst(op, inst.site);
    made.operands.push(inst.operands[0]);
    made
}

fn bytes(kernel: &Kernel, view: Value) -> u32 {
    let ty = kernel.ty(view);
    (ty.len() as u32 * ty.elem.bits()).div_ceil(8)
}
