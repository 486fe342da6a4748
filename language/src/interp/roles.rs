//! Roles side by side: one runs until it has to wait, then another one goes on.
//!
//! Which one is the launch's seed's choice: with seed 0 they take turns in order, each as far as it can go; with
//! another one each may also stop after any step that orders roles. The order of all steps is a function of the
//! seed, so what went wrong once goes wrong again.

use super::buffers::Flights;
use super::flow::{Progress, Task};
use super::lifetimes::Step;
use super::{Block, Fault};
use crate::op::{FlowOp, Op};

/// A role with what is its own.
struct Running<'s, 'a> {
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

impl<'a> Block<'_, 'a> {
    /// Runs the roles of a kernel to their ends.
    pub(super) fn roles<'s>(&mut self, step: &'s Step<'a>) -> Result<(), Fault> {
        let Op::Flow(FlowOp::Roles { .. }) = &step.inst.op else { return Ok(()) };
        let mut roles: Vec<Running<'s, 'a>> = step
            .regions
            .iter()
            .map(|it| Running { task: Task::new(it), flights: Flights::default(), done: false })
            .collect();
        let mut waiting = 0;
        let mut at = 0;
        while roles.iter().any(|it| !it.done) {
            at = match &mut self.chance {
                Some(chance) if waiting == 0 => chance.below(roles.len()),
                _ => (at + 1) % roles.len(),
            };
            if roles[at].done {
                waiting += usize::from(0 < waiting);
            } else if self.turn(at, &mut roles[at])? {
                waiting = 0;
            } else {
                waiting += 1;
            }
            if roles.len() < waiting {
                return Err(self.hang(&mut roles));
            }
        }
        Ok(())
    }

    /// Lets a role go on; whether it came any further.
    fn turn(&mut self, number: usize, role: &mut Running<'_, 'a>) -> Result<bool, Fault> {
        self.shared.meetings.role = number;
        std::mem::swap(&mut self.shared.flights, &mut role.flights);
        let before = self.machine.n_insts;
        let progress = self.go_on(&mut role.task);
        std::mem::swap(&mut self.shared.flights, &mut role.flights);
        role.done = progress? == Progress::Done;
        Ok(role.done || self.machine.n_insts != before)
    }

    /// What the first of the roles that wait waits for.
    fn hang(&mut self, roles: &mut [Running<'_, 'a>]) -> Fault {
        let waits = roles.iter().filter(|it| !it.done).filter_map(|it| it.task.step());
        let steps: Vec<&Step<'a>> = waits.collect();
        let first = steps.first().expect("a role that is not done has a step");
        self.site = Some((first.inst.site, first.inst));
        let others = steps[1..].iter().map(|it| it.inst.site).collect();
        self.stuck(first.inst, others)
    }
}
