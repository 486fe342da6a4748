//! Putting decisions into a kernel: instructions before instructions.

use smallvec::SmallVec;

use super::flow::{Conflict, Decisions, Order};
use crate::ir::{Inst, Kernel, Region, SiteId};
use crate::op::{CopyOp, MmaOp, Op, SyncOp};

/// An instruction that a pass put in, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    /// What it is.
    pub order: Order,
    /// The place of the instruction before which it stands.
    pub before: SiteId,
    /// The accesses that it orders.
    pub why: Conflict,
}

impl Order {
    fn op(self) -> Op {
        match self {
            Order::Commit => Op::Copy(CopyOp::Commit),
            Order::Wait { in_flight } => Op::Copy(CopyOp::Wait { in_flight }),
            Order::WaitOut { in_flight } => Op::Copy(CopyOp::WaitOut { in_flight, read: true }),
            Order::Written => Op::Copy(CopyOp::WaitOut { in_flight: 0, read: false }),
            Order::Products { in_flight } => Op::Mma(MmaOp::Wait { in_flight: Some(in_flight) }),
            Order::Barrier => Op::Sync(SyncOp::Barrier),
            Order::Fence => Op::Sync(SyncOp::FenceAsync),
        }
    }
}

/// An instruction without operands, results and regions.
pub(crate) fn new_inst(op: Op, site: SiteId) -> Inst {
    let (operands, results, regions) = (SmallVec::new(), SmallVec::new(), Vec::new());
    Inst { op, operands, results, regions, site }
}

/// Puts in what was decided; a list of it in the order of the text.
pub(super) fn place(kernel: &mut Kernel, decisions: &Decisions) -> Vec<Placed> {
    let mut placing = Placing { decisions, next: 0, placed: Vec::new() };
    placing.region(&mut kernel.body);
    placing.placed
}

struct Placing<'a> {
    decisions: &'a Decisions,
    next: usize,
    placed: Vec<Placed>,
}

impl Placing<'_> {
    fn region(&mut self, region: &mut Region) {
        let insts = std::mem::take(&mut region.insts);
        region.insts.reserve(insts.len());
        for mut inst in insts {
            for decision in self.decisions.get(&self.next).into_iter().flatten() {
                region.insts.push(new_inst(decision.order.op(), inst.site));
                let (order, why) = (decision.order, decision.why);
                self.placed.push(Placed { order, before: inst.site, why });
            }
            self.next += 1;
            inst.regions.iter_mut().for_each(|it| self.region(it));
            region.insts.push(inst);
        }
    }
}
