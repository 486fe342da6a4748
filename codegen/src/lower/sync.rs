//! Order between roles: mbarriers.
//!
//! # Idea
//! A role arrives once a warp: the warp's lanes meet, so that what each of them read and wrote comes before, and one lane
//! arrives for all, with the weight that [`BarrierList`] gives it. Every thread waits by itself, so that each sees what
//! was published. Phases are counted from the start; the hardware is asked for their parity, and that no waiter is
//! lapped is the protocol's promise. The phase before the first counts as complete, so a wait for no phases needs nothing.
//!
//! [`BarrierList`]: tile_language::analysis::mbarriers::BarrierList
//!
//! # Invariants
//! * B1: every mbarrier of the kernel is initialised by one thread at the very start, and all threads meet before any is used.

use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use tile_language::ir::{Inst, Value};
use tile_language::op::SyncOp;

use super::Lower;
use crate::chip::Meeting;

/// Bytes of an mbarrier.
const BYTES: u32 = 8;

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation that makes order between threads.
    pub(crate) fn sync(&mut self, op: &SyncOp, inst: &Inst) {
        match op {
            SyncOp::Barrier => self.meet(),
            SyncOp::ClusterBarrier => self.meet_cluster(),
            SyncOp::FenceAsync => self.chip.show_engine(&self.emit),
            SyncOp::Mbarriers { .. } => self.place_buffer(inst.results[0]),
            SyncOp::Wait => self.wait(inst.operands[0], inst.operands[1]),
            SyncOp::Test => self.ask(inst),
            SyncOp::Meet { barrier, waits } => self.come(*barrier, *waits),
            SyncOp::Arrive { everywhere } => {
                if self.arrives_elsewhere(op, inst.operands[0]) {
                    self.arrive_at_neighbours(inst.operands[0], *everywhere);
                } else {
                    self.arrive(inst.operands[0], None);
                }
            }
            SyncOp::Expect { bytes } => self.arrive(inst.operands[0], Some(*bytes)),
            SyncOp::Permit | SyncOp::End => {
                panic!("the pass `permits` leaves no permits in a kernel")
            }
        }
    }

    /// One thread initialises every mbarrier of the kernel (invariant B1), one after the other: the hardware takes their
    /// addresses from registers that a warp shares.
    pub(crate) fn init_barriers(&mut self) {
        if self.mbarriers.lists.is_empty() {
            return;
        }
        let is_first = self.is_first_thread();
        let (emit, chip) = (&self.emit, &self.chip);
        emit.when(is_first, || {
            for list in &self.mbarriers.lists {
                let start = self.allocation.of_value(list.value).offset;
                for number in 0..list.n {
                    let at = emit.int(start + number * BYTES);
                    let at = emit.offset(emit.i8().into(), self.scratch.address(), at);
                    chip.init_mbarrier(emit, at, list.count());
                }
            }
        });
    }

    /// All threads meet, and see the mbarriers initialised.
    pub(crate) fn open_barriers(&mut self) {
        if !self.mbarriers.lists.is_empty() {
            self.chip.publish_mbarriers(&self.emit);
        }
        self.meet();
    }

    /// The role comes to a named barrier; if it waits, its own threads have met besides.
    fn come(&mut self, number: u32, waits: bool) {
        let it = self.named_barriers.iter().find(|it| it.number == number);
        let it = it.expect("E0750: a named barrier is mentioned in roles");
        let (id, threads) = (it.id, it.warps * self.lanes);
        if waits {
            self.chip.barrier(&self.emit, Meeting::Named { id, threads });
            self.have_met();
        } else {
            self.chip.come(&self.emit, id, threads);
        }
    }

    /// Whether a barrier has completed so many phases: what all threads of the role agree on.
    fn ask(&mut self, inst: &Inst) {
        let (address, parity) = self.phase(inst.operands[0], inst.operands[1]);
        let seen = self.chip.ask_mbarrier(&self.emit, address, parity);
        let agreed = self.chip.all(&self.emit, self.team.meeting, seen);
        self.set(inst.results[0], vec![agreed.into()]);
    }

    /// The address of a barrier, and the parity of the last of so many phases.
    fn phase(&mut self, barrier: Value, phases: Value) -> (PointerValue<'c>, IntValue<'c>) {
        let (address, phases) = (self.barrier(barrier), self.scalar(phases).into_int_value());
        let emit = &self.emit;
        // The last of so many phases has the parity of their number less one.
        let before = emit.sub(emit.zext(phases, emit.i32()), emit.int(1));
        (address, emit.and(before, emit.int(1)))
    }

    fn wait(&mut self, barrier: Value, phases: Value) {
        if !self.team.is_role() {
            self.open_barriers();
        }
        let (address, parity) = self.phase(barrier, phases);
        self.chip.await_mbarrier(&self.emit, address, parity, self.reach_of_arrivals());
    }

    /// The role arrives; with bytes that its first warp tells the barrier of.
    fn arrive(&mut self, barrier: Value, bytes: Option<u32>) {
        let address = self.barrier(barrier);
        let list = self.mbarriers.list(barrier);
        let whole = list.most_warps;
        let share = list.share(self.team.warps.min(whole));
        if self.team.is_role() {
            self.chip.warp_barrier(&self.emit);
            let is_first = self.is_first_warp();
            self.chip.arrive(&self.emit, address, share, bytes.map(|it| (is_first, it)));
            return;
        }
        // Before the roles the block arrives as one role would.
        self.open_barriers();
        let (thread, lanes) = (self.thread(), self.emit.int(self.lanes));
        let is_first = self.emit.icmp(IntPredicate::ULT, thread, lanes);
        self.emit.when(is_first, || {
            let bytes = bytes.map(|it| (self.emit.bool(true), it));
            self.chip.arrive(&self.emit, address, whole, bytes);
        });
    }

    /// The phase of the barrier that is open waits for the copies that each thread has started.
    pub(crate) fn hold(&mut self, barrier: Value) {
        let address = self.barrier(barrier);
        self.chip.hold_for_copies(&self.emit, address);
    }

    /// Whether this is the first warp of its role.
    pub(crate) fn is_first_warp(&mut self) -> IntValue<'c> {
        if self.team.warps == 1 {
            return self.emit.bool(true);
        }
        let thread = self.thread();
        self.emit.icmp(IntPredicate::ULT, thread, self.emit.int(self.lanes))
    }

    /// The address of one barrier.
    fn barrier(&self, barrier: Value) -> PointerValue<'c> {
        self.view_address(barrier)
    }
}
