//! Waits for boxes on their way out, before somebody looks at what they write.
//!
//! # Requires
//! Permits are gone ([`super::permits`]).
//!
//! # Establishes
//! * Before a role reads or changes a tensor to which a box of its own may still be on its way, other than by a box on its way
//!   out, and before it arrives at a barrier in a kernel where another role does so, stands a `copy.wait_out` that
//!   ends when its boxes are written.
//!
//! Tensors are told apart by their parameters; what is behind a pointer of unknown origin may be any. Boxes on their way
//! out are in no order among themselves, and a program that sends two to one place wants none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::flow::{Conflict, Decision, Decisions, Order};
use super::place::place;
use super::touch::Verb;
use crate::analysis::pointed_tensors;
use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MemoryOp, Op, SyncOp};

/// The kernel with these waits.
pub fn written(mut kernel: Kernel) -> Kernel {
    let mut sends = false;
    kernel.body.walk(&mut |inst| sends |= matches!(inst.op, Op::Copy(CopyOp::BoxOut { .. })));
    if !sends {
        return kernel;
    }
    let mut walk = Walk {
        kernel: &kernel,
        tensors: pointed_tensors(&kernel),
        params: tensor_params(&kernel),
        others: BTreeSet::new(),
        next: 0,
        decisions: Decisions::new(),
    };
    walk.region(&kernel.body, Sent::new());
    let decisions = walk.decisions;
    place(&mut kernel, &decisions);
    kernel
}

/// The parameter of each tensor.
fn tensor_params(kernel: &Kernel) -> Vec<u32> {
    let is_tensor =
        |it: &(u32, &tile_plan::Param)| matches!(it.1.kind, tile_plan::ParamKind::Tensor { .. });
    (0..).zip(&kernel.plan.params).filter(is_tensor).map(|it| it.0).collect()
}

/// Tensors to which boxes may be on their way, with where the first was sent.
type Sent = BTreeMap<u32, SiteId>;

struct Walk<'a> {
    kernel: &'a Kernel,
    tensors: HashMap<Value, u32>,
    params: Vec<u32>,
    /// In a role, what the other roles look at.
    others: BTreeSet<u32>,
    next: usize,
    decisions: Decisions,
}

impl Walk<'_> {
    fn region(&mut self, region: &Region, mut sent: Sent) -> Sent {
        for inst in &region.insts {
            let no = self.next;
            self.next += 1;
            sent = self.inst(no, inst, sent);
        }
        sent
    }

    fn inst(&mut self, no: usize, inst: &Inst, mut sent: Sent) -> Sent {
        match &inst.op {
            Op::Flow(FlowOp::If) => {
                let mut joined = self.region(&inst.regions[0], sent.clone());
                joined.extend(self.region(&inst.regions[1], sent));
                return joined;
            }
            Op::Flow(FlowOp::For { .. } | FlowOp::While) => {
                let first = self.next;
                loop {
                    self.next = first;
                    let mut end = sent.clone();
                    for region in &inst.regions {
                        end.extend(self.region(region, end.clone()));
                    }
                    if end.len() == sent.len() {
                        return end;
                    }
                    sent = end;
                }
            }
            Op::Flow(FlowOp::Roles { .. }) => {
                for (own, region) in inst.regions.iter().enumerate() {
                    let others = inst.regions.iter().enumerate().filter(|it| it.0 != own);
                    self.others = others.flat_map(|it| self.looked_at(it.1)).collect();
                    self.region(region, sent.clone());
                }
                return Sent::new();
            }
            Op::Copy(CopyOp::BoxOut { .. }) => {
                if let Some(map) = self.kernel.tensor_map(inst.operands[0]) {
                    sent.entry(map.param).or_insert(inst.site);
                }
            }
            Op::Copy(CopyOp::WaitOut { in_flight: 0, read: false }) => sent.clear(),
            Op::Sync(SyncOp::Arrive { .. } | SyncOp::Expect { .. } | SyncOp::Meet { .. }) => {
                let told = sent.iter().find(|it| self.others.contains(it.0)).map(|it| *it.1);
                self.wait(no, inst, told, &mut sent);
            }
            _ => {
                let looked = self.touched(inst);
                let found = sent.iter().find(|it| looked.contains(it.0)).map(|it| *it.1);
                self.wait(no, inst, found, &mut sent);
            }
        }
        sent
    }

    fn wait(&mut self, no: usize, inst: &Inst, box_out: Option<SiteId>, sent: &mut Sent) {
        let Some(site) = box_out else { return };
        let why = Conflict { first: (Verb::CopyOut, site), second: (Verb::Read, inst.site) };
        self.decisions.insert(no, vec![Decision { order: Order::Written, why }]);
        sent.clear();
    }

    /// The tensors that a role looks at.
    fn looked_at(&self, region: &Region) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        region.walk(&mut |inst| found.extend(self.touched(inst)));
        found
    }

    /// The tensors that an instruction reads or changes, but for boxes on their way out.
    fn touched(&self, inst: &Inst) -> Vec<u32> {
        let pointer = match &inst.op {
            Op::Memory(
                MemoryOp::Load { .. }
                | MemoryOp::Store { .. }
                | MemoryOp::Atomic { .. }
                | MemoryOp::AtomicCas { .. },
            )
            | Op::Copy(CopyOp::Fetch { .. }) => inst.operands[0],
            Op::Copy(CopyOp::Async) => inst.operands[1],
            Op::Copy(CopyOp::Box { .. }) => {
                let map = self.kernel.tensor_map(inst.operands[0]);
                return map.map(|it| it.param).into_iter().collect();
            }
            _ => return Vec::new(),
        };
        match self.tensors.get(&pointer) {
            Some(&tensor) => vec![self.params[tensor as usize]],
            None => self.params.clone(),
        }
    }
}
