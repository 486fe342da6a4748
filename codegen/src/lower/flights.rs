//! How many copies are surely younger than those that a wait is for.
//!
//! # Idea
//! Where whole warps copy, the hardware knows no groups: a warp counts its operations on global
//! memory, which end in order, and waits until at most so many are in flight. So before a wait that
//! leaves some groups in flight, their copies are counted, over every way that leads there. To count
//! too few is to wait for too much, never for too little: the least number of all ways is taken,
//! copies that only some warps make count nothing, nor do loads and stores between them.

use std::collections::{HashMap, HashSet, VecDeque};

use tile_language::analysis::{Facts, copy_access};
use tile_language::ir::{Inst, Kernel, Region, Value};
use tile_language::op::{CopyOp, FlowOp, Op, SharedOp};

use super::index::Spread;

/// Groups that a wait can leave in flight.
const GROUPS_MAX: usize = 64;

/// The copies that are surely younger, by the number of the wait's instruction.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    younger: HashMap<usize, u32>,
}

impl Flights {
    /// Of a kernel; `None` if no copy of it is started by whole warps.
    pub(crate) fn of(kernel: &Kernel, facts: &Facts) -> Option<Flights> {
        if !kernel.target.row().copies_in_line() {
            return None;
        }
        let started = Started::of(kernel, facts);
        if started.copies.is_empty() {
            return None;
        }
        let mut walk = Walk { started, next: 0, found: Flights::default() };
        walk.region(&kernel.body, Counts::default());
        Some(walk.found)
    }

    /// Operations that may be in flight after a `copy.wait`, which is that instruction.
    pub(crate) fn after(&self, inst: usize) -> u32 {
        self.younger.get(&inst).copied().unwrap_or(0)
    }
}

/// The copies of a kernel that may be started.
struct Started {
    /// How many operations each surely is in every warp, by view and pointers.
    copies: HashMap<(Value, Value), u32>,
}

impl Started {
    fn of(kernel: &Kernel, facts: &Facts) -> Started {
        let mut copies = HashMap::new();
        let mut shifted: HashSet<Value> = HashSet::new();
        kernel.body.walk(&mut |inst| match &inst.op {
            // Parts of a view may lie where the lowering cannot start copies.
            Op::Shared(SharedOp::Index { axis } | SharedOp::Slice { axis }) => {
                let map = kernel.ty(inst.operands[0]).map();
                let columns = &map.dims()[*axis as usize].columns;
                let is_mixed = columns.iter().any(|it| it & map.mixed() != 0);
                if is_mixed || shifted.contains(&inst.operands[0]) {
                    shifted.extend(&inst.results);
                }
            }
            Op::Shared(SharedOp::Recast) if shifted.contains(&inst.operands[0]) => {
                shifted.extend(&inst.results);
            }
            Op::Copy(CopyOp::Async) => {
                let access = copy_access(kernel, facts, inst);
                let [view, pointers] = [inst.operands[0], inst.operands[1]];
                let is_scalar = |it: &Value| kernel.ty(*it).is_scalar();
                let is_sure = !inst.operands[2..].iter().any(is_scalar)
                    && !shifted.contains(&view)
                    && holds_once(kernel, pointers);
                let n = if is_sure { access.shared.groups.len() as u32 } else { 0 };
                if access.is_started {
                    copies.insert((view, pointers), n);
                }
            }
            _ => {}
        });
        Started { copies }
    }

    fn n_copies(&self, inst: &Inst) -> u32 {
        self.copies.get(&(inst.operands[0], inst.operands[1])).copied().unwrap_or(0)
    }
}

/// Whether no element of a tile is held by more than one thread.
fn holds_once(kernel: &Kernel, tile: Value) -> bool {
    Spread::of(kernel.ty(tile), kernel.target.row().lanes, kernel.warps).is_held_once()
}

/// The least numbers of copies on all ways to a point.
#[derive(Clone, PartialEq, Default)]
struct Counts {
    /// Since the last group was closed.
    open: u32,
    /// In each closed group, the youngest first; older ones may have none.
    closed: VecDeque<u32>,
}

impl Counts {
    fn commit(&mut self) {
        self.closed.push_front(self.open);
        self.closed.truncate(GROUPS_MAX);
        self.open = 0;
    }

    fn join(self, other: Counts) -> Counts {
        let closed = self.closed.into_iter().zip(other.closed);
        let closed = closed.map(|(a, b)| a.min(b)).collect();
        Counts { open: self.open.min(other.open), closed }
    }

    fn in_groups(&self, n: u32) -> u32 {
        self.open + self.closed.iter().take(n as usize).sum::<u32>()
    }
}

struct Walk {
    started: Started,
    /// The number of the next instruction: those in its regions come before it.
    next: usize,
    found: Flights,
}

impl Walk {
    fn region(&mut self, region: &Region, mut counts: Counts) -> Counts {
        for inst in &region.insts {
            counts = self.inst(inst, counts);
            self.next += 1;
        }
        counts
    }

    fn inst(&mut self, inst: &Inst, mut counts: Counts) -> Counts {
        match &inst.op {
            Op::Flow(FlowOp::If) => {
                let first = self.region(&inst.regions[0], counts.clone());
                return first.join(self.region(&inst.regions[1], counts));
            }
            Op::Flow(FlowOp::For { .. } | FlowOp::While) => return self.repeat(inst, counts),
            Op::Flow(FlowOp::Roles { .. }) => {
                unreachable!("E0713: a target that copies by whole warps has no roles")
            }
            Op::Copy(CopyOp::Async) => counts.open += self.started.n_copies(inst),
            Op::Copy(CopyOp::Commit) => counts.commit(),
            Op::Copy(CopyOp::Wait { in_flight }) => {
                self.found.younger.insert(self.next, counts.in_groups(*in_flight));
            }
            Op::Copy(
                CopyOp::Fetch { .. }
                | CopyOp::Land
                | CopyOp::Hold
                | CopyOp::Signal { .. }
                | CopyOp::Box { .. }
                | CopyOp::BoxOut { .. }
                | CopyOp::Prefetch { .. }
                | CopyOp::WaitOut { .. },
            )
            | Op::Tile(_)
            | Op::Memory(_)
            | Op::Shared(_)
            | Op::Mma(_)
            | Op::Sync(_) => {}
        }
        counts
    }

    /// A loop, until nothing that comes over its back edge is less than what it began with.
    fn repeat(&mut self, inst: &Inst, before: Counts) -> Counts {
        let first = self.next;
        let mut head = before;
        loop {
            self.next = first;
            let exits: Vec<Counts> = inst.regions.iter().fold(Vec::new(), |mut exits, region| {
                let from = exits.last().unwrap_or(&head).clone();
                exits.push(self.region(region, from));
                exits
            });
            let next = exits.last().cloned().unwrap_or_default().join(head.clone());
            if next == head {
                // A `while` ends after its condition, a `for` where it began.
                return if exits.len() == 2 { exits[0].clone() } else { head };
            }
            head = next;
        }
    }
}
