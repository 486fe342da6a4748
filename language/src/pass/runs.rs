//! Order in shared memory, found by running the kernel's synchronisation.
//!
//! The walk of [`super::flow`] knows of every point what may be pending there, for all runs at once; what two
//! roles of a ring do under conditions of their own it cannot tell apart. Where the kernel has mbarriers and its
//! synchronisation can be run ([`crate::protocol`]), the same question is asked of every run instead: which accesses
//! conflict, and how many groups of copies are younger, is seen and not deduced. A decision is made for an
//! instruction, so each of its turns in each run obeys it.

use std::collections::BTreeMap;

use super::flow::{Conflict, Decision, Decisions, Found, Order, Pending, Rule, State};
use super::touch::{Definitions, Now, Touch, definitions};
use crate::ir::{Kernel, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SyncOp};
use crate::protocol::{self, Event};

/// What is in order and what is not; `None` if the runs do not tell.
pub(super) fn walk(kernel: &Kernel, rule: Rule<'_>) -> Option<Found> {
    let (mut has_barriers, mut has_roles) = (false, false);
    kernel.body.walk(&mut |inst| {
        has_barriers |= matches!(inst.op, Op::Sync(SyncOp::Mbarriers { .. }));
        has_roles |= matches!(inst.op, Op::Flow(FlowOp::Roles { .. }));
    });
    if !has_barriers || has_roles {
        return None;
    }
    let runs = protocol::runs(kernel)?;
    let mut ordering = Ordering {
        kernel,
        rule,
        definitions: definitions(kernel),
        sites: BTreeMap::new(),
        in_flight: BTreeMap::new(),
        changed: true,
    };
    while std::mem::take(&mut ordering.changed) {
        ordering.in_flight.clear();
        runs.iter().for_each(|it| ordering.run(it));
    }
    let decisions: Decisions =
        ordering.sites.iter().map(|(&no, site)| (no, site.decisions())).collect();
    Some(Found { decisions, in_flight: ordering.in_flight })
}

/// What has to be made before an instruction.
#[derive(Default)]
struct Site {
    commit: Option<Conflict>,
    wait: Option<(u32, Conflict)>,
    products: Option<(u32, Conflict)>,
    barrier: Option<Conflict>,
}

impl Site {
    fn decisions(&self) -> Vec<Decision> {
        let mut res = Vec::new();
        res.extend(self.commit.map(|why| Decision { order: Order::Commit, why }));
        let wait = self.wait;
        res.extend(wait.map(|(in_flight, why)| Decision { order: Order::Wait { in_flight }, why }));
        let products = self.products;
        res.extend(
            products.map(|(in_flight, why)| Decision { order: Order::Products { in_flight }, why }),
        );
        res.extend(self.barrier.map(|why| Decision { order: Order::Barrier, why }));
        res
    }

    /// Takes an order up; whether it is more than there was.
    fn add(&mut self, order: Order, why: Conflict) -> bool {
        match order {
            Order::Commit if self.commit.is_none() => self.commit = Some(why),
            Order::Wait { in_flight } if self.wait.is_none_or(|it| in_flight < it.0) => {
                self.wait = Some((in_flight, why));
            }
            Order::Products { in_flight } if self.products.is_none_or(|it| in_flight < it.0) => {
                self.products = Some((in_flight, why));
            }
            Order::Barrier if self.barrier.is_none() => self.barrier = Some(why),
            // Boxes are moved in roles, and those are not decided here.
            Order::Commit
            | Order::Wait { .. }
            | Order::WaitOut { .. }
            | Order::Written
            | Order::Products { .. }
            | Order::Barrier
            | Order::Fence => {
                return false;
            }
        }
        true
    }
}

struct Ordering<'a> {
    kernel: &'a Kernel,
    rule: Rule<'a>,
    definitions: Definitions<'a>,
    sites: BTreeMap<usize, Site>,
    in_flight: BTreeMap<Value, std::ops::Range<usize>>,
    changed: bool,
}

impl<'a> Ordering<'a> {
    fn run(&mut self, events: &[Event<'a>]) {
        let mut state = State::default();
        for event in events {
            let site = self.sites.get(&event.no).map(Site::decisions).unwrap_or_default();
            site.iter().for_each(|it| self.rule.make(it.order, &mut state));
            self.event(event, &mut state);
            for buffer in state.buffers_in_flight() {
                let range = self.in_flight.entry(buffer).or_insert(event.no..event.no + 1);
                *range = range.start.min(event.no)..range.end.max(event.no + 1);
            }
        }
    }

    fn event(&mut self, event: &Event<'a>, state: &mut State) {
        match event.inst.op {
            Op::Copy(CopyOp::Commit) => self.rule.make(Order::Commit, state),
            Op::Copy(CopyOp::Wait { in_flight }) => {
                self.rule.make(Order::Wait { in_flight }, state)
            }
            Op::Sync(SyncOp::Barrier | SyncOp::ClusterBarrier) => {
                self.rule.make(Order::Barrier, state)
            }
            Op::Mma(MmaOp::Wait { in_flight }) => {
                let in_flight = in_flight.unwrap_or(0);
                self.rule.make(Order::Products { in_flight }, state);
            }
            _ => {}
        }
        let map_of = |it| self.kernel.ty(it).map().clone();
        let now = Now { event, definitions: &self.definitions };
        let touches = Touch::of(event.inst, &now, &map_of);
        touches.iter().for_each(|it| self.order(event.no, it, state));
        if let Op::Mma(MmaOp::Wgmma { .. }) = event.inst.op {
            state.multiply();
        }
        touches.into_iter().for_each(|it| state.access(Pending::of(it), self.rule));
    }

    /// Makes the order that an access needs.
    fn order(&mut self, no: usize, touch: &Touch, state: &mut State) {
        while let Some(nearest) = state.nearest(touch, self.rule) {
            let why = nearest.before(touch);
            for order in self.rule.orders(&nearest) {
                self.rule.make(order, state);
                self.changed |= self.sites.entry(no).or_default().add(order, why);
            }
        }
    }
}
