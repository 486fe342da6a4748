//! Roles and blocks of a cluster side by side: one runs until it has to wait, then another one goes on.
//!
//! A *strand* is what runs by itself: a block up to its roles, then each of its roles. Which one goes on is the launch's
//! seed's choice: with seed 0 they take turns in order, each as far as it can go; with
//! another one each may also stop after any step that orders roles. The order of all steps is a function of the
//! seed, so what went wrong once goes wrong again.

use super::buffers::Flights;
use super::flow::{Progress, Task};
use super::lifetimes::{Step, Steps};
use super::{Block, Fault};
use crate::op::{Op, SyncOp};

/// A block before its roles, or a role, with what is its own.
struct Strand<'s, 'a> {
    /// The number of its block in the cluster.
    rank: usize,
    /// The number of the role in its block.
    number: usize,
    task: Task<'s, 'a>,
    flights: Flights,
    done: bool,
}

/// Numbers that a seed makes, one after the other (SplitMix64, Steele et al. 2014).
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The numbers of a seed; none for 0.
    pub(super) fn of_seed(seed: u64) -> Option<Chance> {
        (seed != 0).then_some(Chance(seed))
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

impl<'s, 'a> Strand<'s, 'a> {
    fn new(rank: usize, number: usize, steps: &'s Steps<'a>) -> Self {
        Strand { rank, number, task: Task::new(steps), flights: Flights::default(), done: false }
    }

    /// Whether it stands where all blocks of the cluster meet.
    fn meets(&self) -> bool {
        let next = self.task.step().map(|it| &it.inst.op);
        !self.done && next == Some(&Op::Sync(SyncOp::ClusterBarrier))
    }
}

impl<'a> Block<'_, 'a> {
    /// Runs the blocks of a cluster, whose parameters are bound, to their ends.
    pub(super) fn run_cluster<'s>(&mut self, steps: &'s Steps<'a>) -> Result<(), Fault> {
        let n_blocks = self.others.len();
        let mut strands: Vec<Strand<'s, 'a>> =
            (0..n_blocks).map(|it| Strand::new(it, 0, steps)).collect();
        let mut waiting = 0;
        let mut at = strands.len() - 1;
        while strands.iter().any(|it| !it.done) {
            at = match &mut self.chance {
                Some(chance) if waiting == 0 => chance.below(strands.len()),
                _ => (at + 1) % strands.len(),
            };
            if strands[at].done {
                waiting += usize::from(0 < waiting);
            } else if self.turn(&mut strands, at)? {
                waiting = 0;
            } else {
                waiting += 1;
            }
            if strands.iter().filter(|it| it.meets()).count() == n_blocks {
                strands.iter_mut().filter(|it| it.meets()).for_each(|it| it.task.pass());
                waiting = 0;
            }
            if strands.len() < waiting {
                return Err(self.hang(&strands));
            }
        }
        Ok(())
    }

    /// Lets a strand go on; whether it came any further.
    fn turn<'s>(&mut self, strands: &mut Vec<Strand<'s, 'a>>, at: usize) -> Result<bool, Fault> {
        let strand = &mut strands[at];
        self.enter_block(strand.rank);
        self.own.shared.meetings.role = strand.number;
        std::mem::swap(&mut self.own.shared.flights, &mut strand.flights);
        let before = self.machine.n_insts;
        let progress = self.go_on(&mut strand.task);
        std::mem::swap(&mut self.own.shared.flights, &mut strand.flights);
        match progress? {
            Progress::Waits => Ok(self.machine.n_insts != before),
            Progress::Done => {
                strand.done = true;
                Ok(true)
            }
            Progress::Roles => {
                let step = strand.task.step().expect("a task that stops stands at an instruction");
                let rank = strand.rank;
                let roles = step.regions.iter().enumerate();
                let mut roles = roles.map(|(number, it)| Strand::new(rank, number, it));
                match roles.next() {
                    Some(first) => strands[at] = first,
                    None => strands[at].done = true,
                }
                let roles: Vec<Strand<'s, 'a>> = roles.collect();
                strands.splice(at + 1..at + 1, roles);
                Ok(true)
            }
        }
    }

    /// What the first of the strands that wait waits for.
    fn hang(&mut self, strands: &[Strand<'_, 'a>]) -> Fault {
        let left = strands.iter().filter(|it| !it.done);
        let mut waits: Vec<(usize, &Step<'a>)> =
            left.filter_map(|it| Some((it.rank, it.task.step()?))).collect();
        // A wait for a barrier says more than a meeting that nobody else comes to.
        waits.sort_by_key(|it| it.1.inst.op == Op::Sync(SyncOp::ClusterBarrier));
        let (rank, first) = *waits.first().expect("a strand that is not done has a step");
        self.enter_block(rank);
        self.site = Some((first.inst.site, first.inst));
        if first.inst.op == Op::Sync(SyncOp::ClusterBarrier) {
            return Fault::Parted;
        }
        let others = waits[1..].iter().map(|it| it.1.inst.site).collect();
        self.stuck(first.inst, others)
    }
}
