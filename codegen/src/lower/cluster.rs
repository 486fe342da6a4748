//! Clusters: views of other blocks' memory, meetings of the cluster, arrivals at other blocks' mbarriers.
//!
//! # Idea
//! A view of another block is a [`Place`](super::views::Place) with another base: what lies where is the same in
//! all blocks. No block is reached before it runs nor after it has gone, since all meet at the start of a kernel in
//! which blocks reach each other, and at its end.
//!
//! # Invariants
//! * N1: all threads of a cluster come to a meeting of the cluster together: the start, the end, and places that are
//!   on the same way in all blocks (E0742).

use tile_language::ir::{Inst, Value};
use tile_language::op::{Op, SharedOp, SyncOp};

use super::Lower;
use crate::chip::Reach;

impl Lower<'_, '_> {
    /// All blocks of the cluster run, and see each other's mbarriers.
    pub(crate) fn open_cluster(&mut self) {
        if self.neighbours.exist() {
            if !self.mbarriers.lists.is_empty() {
                self.chip.publish_mbarriers(&self.emit);
            }
            self.meet_cluster();
        }
    }

    /// No block needs the memory of another one any more.
    pub(crate) fn close_cluster(&mut self) {
        if self.neighbours.exist() {
            self.chip.cluster_barrier(&self.emit);
        }
    }

    /// All threads of the cluster meet.
    pub(crate) fn meet_cluster(&mut self) {
        self.chip.cluster_barrier(&self.emit);
        self.have_met();
    }

    /// The role arrives at barriers of other blocks: the one that `barrier` is, or those of the same place everywhere.
    pub(crate) fn arrive_at_neighbours(&mut self, barrier: Value, everywhere: bool) {
        let (at, reach) = (self.view_address(barrier), self.reach_of_arrivals());
        let list = self.mbarriers.list(barrier);
        let (whole, blocks) = (list.most_warps, self.kernel.plan.cluster_size());
        let share = list.share(self.team.warps.min(whole));
        let arrive = |it: &Self, count| {
            if everywhere {
                it.chip.arrive_everywhere(&it.emit, at, blocks, count, reach);
            } else {
                it.chip.arrive_on(&it.emit, at, count, reach);
            }
        };
        if self.team.is_role() {
            self.chip.warp_barrier(&self.emit);
            arrive(self, share);
            return;
        }
        // Before the roles the block arrives as one role would.
        self.open_barriers();
        let is_first = self.is_first_warp();
        self.emit.when(is_first, || arrive(self, whole));
    }

    /// How far an arrival's order has to reach: to all blocks if warps access the
    /// memory of others; what copy engines bring to them is ordered by its bytes.
    pub(crate) fn reach_of_arrivals(&self) -> Reach {
        let mut reaches = false;
        self.kernel.body.walk(&mut |inst: &Inst| {
            let is_access = matches!(
                inst.op,
                Op::Shared(
                    SharedOp::Load
                        | SharedOp::Gather { .. }
                        | SharedOp::Store
                        | SharedOp::Scatter { .. }
                        | SharedOp::Atomic { .. }
                )
            );
            reaches |= is_access && self.is_on(inst.operands[0]);
        });
        if reaches { Reach::Cluster } else { Reach::Block }
    }

    /// Whether a view is of another block's memory.
    pub(crate) fn is_on(&self, view: Value) -> bool {
        self.neighbours.is_on(view)
    }

    /// Whether an arrival is at another block's barrier.
    pub(crate) fn arrives_elsewhere(&self, op: &SyncOp, barrier: Value) -> bool {
        matches!(op, SyncOp::Arrive { everywhere: true }) || self.is_on(barrier)
    }
}
