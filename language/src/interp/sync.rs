//! The `sync` family: mbarriers as counters of arrivals and completed phases.
//!
//! A tile at a time the threads of a role need no order among themselves. An mbarrier is found by its
//! buffer and its place in it, as every view is. A wait for a phase that nothing has completed never
//! ends where there is one role; a wait for a phase that later ones have overtaken would never end on
//! a device, where a wait sees the parity of the phase only. At a named barrier every role that mentions it comes
//! once a phase.

use std::cmp::Ordering;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::buffers::{Flight, View};
use super::elements::Elements;
use super::{Block, Fault};
use crate::dtype::DType;
use crate::ir::{Elem, Inst, SiteId, Value};
use crate::op::{Op, SyncOp};
use crate::report::runtime as wording;

/// The mbarriers of a block, by buffer and place.
#[derive(Debug, Default)]
pub(super) struct Mbarriers(FxHashMap<(Value, u32), Mbarrier>);

/// One mbarrier.
#[derive(Clone, Copy, Debug, Default)]
struct Mbarrier {
    /// Roles that have arrived in the phase that is not complete.
    arrived: u32,
    /// Bytes that are expected and have not landed; fewer than none if they landed first.
    bytes: i64,
    /// Phases that are complete.
    completed: i64,
    last: Option<SiteId>,
}

/// A wait that never ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Stuck {
    /// What is waited for.
    wanted: i64,
    /// What there is.
    completed: i64,
    /// The last arrival at the barrier.
    last: Option<SiteId>,
    /// Where the other roles wait.
    others: Vec<SiteId>,
}

impl Stuck {
    /// What happened, and the other places that explain it.
    pub(super) fn wording(&self) -> (wording::Wording, Vec<(SiteId, String)>) {
        let last = self.last.map(|it| (it, wording::last_arrival()));
        let others = self.others.iter().map(|it| (*it, wording::waits_too()));
        (wording::stuck(self.wanted, self.completed), last.into_iter().chain(others).collect())
    }
}

/// The named barriers of a block, and the role that is running.
#[derive(Debug, Default)]
pub(super) struct Meetings {
    /// The role that is running.
    pub(super) role: usize,
    all: FxHashMap<u32, Meeting>,
    /// By role that waits: the phase that has to be over.
    waiting: FxHashMap<usize, u64>,
}

/// A named barrier.
#[derive(Debug, Default)]
struct Meeting {
    /// The roles that have come in the open phase, and where.
    came: Vec<(usize, SiteId)>,
    completed: u64,
}

/// Roles that do not meet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Apart {
    /// A role has come twice to one phase, first here.
    Twice(SiteId),
    /// A role waits and the others do not come; where they wait.
    Alone(Vec<SiteId>),
}

impl Apart {
    /// What happened, and the other places that explain it.
    pub(super) fn wording(&self) -> (wording::Wording, Vec<(SiteId, String)>) {
        match self {
            Apart::Twice(first) => (wording::came_twice(), vec![(*first, wording::came_first())]),
            Apart::Alone(others) => {
                let others = others.iter().map(|it| (*it, wording::waits_too()));
                (wording::nobody_comes(), others.collect())
            }
        }
    }
}

impl<'a> Block<'_, 'a> {
    /// Lets the role come to a named barrier if it has not yet; whether it goes on.
    pub(super) fn meets(&mut self, barrier: u32, waits: bool, site: SiteId) -> Result<bool, Fault> {
        let wanted = self.machine.met_by[&barrier];
        let Meetings { role, all, waiting } = &mut self.own.shared.meetings;
        let it = all.entry(barrier).or_default();
        if let Some(phase) = waiting.get(role) {
            let is_over = *phase < it.completed;
            if is_over {
                waiting.remove(role);
            }
            return Ok(is_over);
        }
        if let Some((_, first)) = it.came.iter().find(|it| it.0 == *role) {
            return Err(Fault::Apart(Apart::Twice(*first)));
        }
        let phase = it.completed;
        it.came.push((*role, site));
        if it.came.len() == wanted {
            it.came.clear();
            it.completed += 1;
            return Ok(true);
        }
        if waits {
            waiting.insert(*role, phase);
        }
        Ok(!waits)
    }

    pub(super) fn sync(&mut self, op: &SyncOp, inst: &'a Inst) -> Result<(), Fault> {
        match op {
            // The block asks whether roles have met before it goes on.
            SyncOp::Barrier | SyncOp::ClusterBarrier | SyncOp::FenceAsync | SyncOp::Meet { .. } => {
                Ok(())
            }
            SyncOp::Test => {
                let is_complete = self.is_ready(inst)?;
                if is_complete {
                    self.land(inst.operands[0]);
                }
                let answer = Elements::filled(Elem::Data(DType::Bool), is_complete.into(), 1);
                self.set(inst.results[0], Rc::new(answer));
                Ok(())
            }
            SyncOp::Mbarriers { .. } => {
                self.begin(inst);
                if !self.machine.neighbours.reach(inst.results[0]) {
                    self.own.shared.mbarriers.0.retain(|key, _| key.0 != inst.results[0]);
                }
                Ok(())
            }
            // The block asks whether it can go on before it does.
            SyncOp::Wait => {
                self.land(inst.operands[0]);
                Ok(())
            }
            SyncOp::Arrive { everywhere } => {
                let at = self.view(inst.operands[0]).clone();
                let blocks = if *everywhere { 0..self.others.len() } else { at.rank..at.rank + 1 };
                blocks.for_each(|it| self.arrive_on(it, &at, inst.site, 1, 0));
                Ok(())
            }
            SyncOp::Expect { bytes } => {
                self.arrive(inst.operands[0], inst.site, 1, i64::from(*bytes));
                Ok(())
            }
            SyncOp::Permit | SyncOp::End => panic!("permits are gone before a kernel runs"),
        }
    }

    /// Lets the copies land that a barrier was told of.
    fn land(&mut self, barrier: Value) {
        let key = self.key(barrier);
        self.own.shared.landing.remove(&key).into_iter().flatten().for_each(|it| it.land());
    }

    fn mbarrier(&mut self, value: Value) -> &mut Mbarrier {
        let (key, rank) = (self.key(value), self.view(value).rank);
        self.block_mut(rank).shared.mbarriers.0.entry(key).or_default()
    }

    /// What a barrier is found by: its buffer, and its place in it.
    fn key(&self, value: Value) -> (Value, u32) {
        let view = self.view(value);
        (view.whole, view.place.start)
    }

    /// Hands the copies in no group to a barrier: they land when a wait for it goes on, the last moment at which they
    /// may. Where a group was closed for them there are none.
    pub(super) fn hand_flights(&mut self, barrier: Value) {
        let key = self.key(barrier);
        let flights = self.own.shared.flights.take_open();
        self.own.shared.landing.entry(key).or_default().extend(flights);
    }

    /// Hands a copy to the barrier of that place in a block of the cluster.
    pub(super) fn hand_flight(&mut self, rank: usize, barrier: Value, flight: Flight) {
        let key = self.key(barrier);
        self.block_mut(rank).shared.landing.entry(key).or_default().push(flight);
    }

    /// Whether a wait can go on: its phase is complete, and no later one.
    pub(super) fn is_ready(&mut self, inst: &Inst) -> Result<bool, Fault> {
        let wanted = self.operand(inst, 1).index(0);
        let completed = self.mbarrier(inst.operands[0]).completed;
        match completed.cmp(&wanted) {
            Ordering::Less => Ok(false),
            Ordering::Equal => Ok(true),
            Ordering::Greater => Err(self.stuck(inst, Vec::new())),
        }
    }

    /// A wait that never ends, with the other roles' waits.
    pub(super) fn stuck(&mut self, inst: &Inst, others: Vec<SiteId>) -> Fault {
        if let Op::Sync(SyncOp::Meet { .. }) = inst.op {
            return Fault::Apart(Apart::Alone(others));
        }
        let wanted = self.operand(inst, 1).index(0);
        let Mbarrier { completed, last, .. } = *self.mbarrier(inst.operands[0]);
        Fault::Stuck(Stuck { wanted, completed, last, others })
    }

    /// Arrivals at a barrier, and bytes that it is to expect; those that have landed count against them.
    pub(super) fn arrive(&mut self, barrier: Value, site: SiteId, roles: u32, bytes: i64) {
        let at = self.view(barrier).clone();
        self.arrive_on(at.rank, &at, site, roles, bytes);
    }

    /// As [`Block::arrive`], at the barrier of that place in a block of the cluster.
    pub(super) fn arrive_on(
        &mut self,
        rank: usize,
        at: &View,
        site: SiteId,
        roles: u32,
        bytes: i64,
    ) {
        let wanted = self.machine.arrivals[&at.whole].max(1);
        let key = (at.whole, at.place.start);
        let barrier = self.block_mut(rank).shared.mbarriers.0.entry(key).or_default();
        barrier.arrived += roles;
        barrier.bytes += bytes;
        barrier.last = Some(site);
        if wanted <= barrier.arrived && barrier.bytes == 0 {
            barrier.arrived -= wanted;
            barrier.completed += 1;
        }
    }
}
