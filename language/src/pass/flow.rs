//! Accesses to shared memory along the control flow, and the order that they need.
//!
//! # Definition
//! At every point of a kernel there is a set of *pending* accesses: those that another thread may not
//! have finished (no barrier since), and copies and products in flight with the number of groups that are surely
//! younger. Two accesses *conflict* if they may touch one element, are not both reads and not both
//! atomics. Before the later of two that conflict stands what the [`Rule`] asks for:
//! * [`Rule::Landed`]: a copy has landed and a product has read; a wait is put where none is sure;
//! * [`Rule::Met`]: besides, the threads have met since.
//!
//! # Idea
//! One walk in order. A branch's ways are walked each and joined; a loop is walked until what comes
//! over its back edge is in what it began with. What comes over a back edge is of the turn before:
//! its numbers are rewritten ([`Numbers::a_turn_later`]), so that stage `s` of a ring is stage `s - 1`
//! a turn later, and remains another stage than `s`; in the first turn, the stages that were filled
//! before the loop are related to its counters ([`Numbers::entering`]). If only accesses before a loop ask for order in
//! it, the order is made before the loop, once.
//!
//! # Invariants
//! * F1: a decision depends on the walk's last visit alone; in loops that is the settled one.
//! * F2: threads that wait for a copy know of their own part of it only, so it counts as written where
//!   it is waited for, and a barrier follows before others touch it.

use std::collections::BTreeMap;
use std::ops::Range;

use rustc_hash::FxHashSet;

use super::allocation::Allocation;
use super::number::{Number, Numbers};
use super::touch::{Touch, Verb};
use crate::ir::{Inst, Kernel, Region, SiteId, Value};
use crate::op::{CopyOp, FlowOp, MmaOp, Op, SyncOp};

/// Visits of a loop after which its beginning only grows.
const ROUNDS_EXACT: u32 = 24;
/// Visits of a loop after which numbers are forgotten.
const ROUNDS_NUMBERED: u32 = 64;

/// What has to be between two accesses that conflict.
#[derive(Clone, Copy)]
pub(super) enum Rule<'a> {
    /// Copies have landed.
    Landed,
    /// Copies have landed and all threads have met; buffers share bytes as allocated.
    Met(&'a Allocation),
}

/// What makes an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// A `copy.commit`: a copy was in no group yet.
    Commit,
    /// A `copy.wait`.
    Wait {
        /// Groups that may stay in flight.
        in_flight: u32,
    },
    /// A `copy.wait_out`: boxes on their way out have been read.
    WaitOut {
        /// Boxes that may stay in flight.
        in_flight: u32,
    },
    /// A `copy.wait_out`: boxes on their way out have been written.
    Written,
    /// An `mma.wait`.
    Products {
        /// Groups of products that may stay in flight.
        in_flight: u32,
    },
    /// A `sync.barrier`.
    Barrier,
    /// A `sync.fence_async`.
    Fence,
}

/// Two accesses that conflict, the earlier one first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conflict {
    /// The earlier one.
    pub first: (Verb, SiteId),
    /// The later one.
    pub second: (Verb, SiteId),
}

/// An order that has to be made before an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decision {
    pub(super) order: Order,
    pub(super) why: Conflict,
}

/// Decisions by the number of the instruction that they stand before, counted in order of the text.
pub(super) type Decisions = BTreeMap<usize, Vec<Decision>>;

/// How far a pending access is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flight {
    /// It has happened, for the thread that made it.
    Done,
    /// A copy with at least so many younger groups.
    Closed { n_younger: u32 },
    /// A copy that is in no group yet.
    Open,
    /// A box on its way out with at least so many younger ones.
    Out { n_younger: u32 },
    /// A product with at least so many younger groups.
    Product { n_younger: u32 },
}

impl Flight {
    /// Waits that would end it, the fewer the more.
    fn distance(self) -> u32 {
        match self {
            Flight::Done => u32::MAX,
            Flight::Closed { n_younger }
            | Flight::Out { n_younger }
            | Flight::Product { n_younger } => n_younger + 1,
            Flight::Open => 0,
        }
    }

    fn is_in_flight(self) -> bool {
        self != Flight::Done
    }
}

/// An access that another thread may not have finished, or a copy in flight.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pending {
    touch: Touch,
    flight: Flight,
}

impl Pending {
    /// An access that is made now.
    pub(super) fn of(touch: Touch) -> Pending {
        let flight = match touch.verb {
            Verb::Copy => Flight::Open,
            Verb::CopyOut => Flight::Out { n_younger: 0 },
            Verb::Multiply => Flight::Product { n_younger: 0 },
            Verb::Read | Verb::Write | Verb::Atomic | Verb::Wait => Flight::Done,
        };
        Pending { touch, flight }
    }

    /// The conflict of this with a later access.
    pub(super) fn before(&self, later: &Touch) -> Conflict {
        Conflict { first: (self.touch.verb, self.touch.site), second: (later.verb, later.site) }
    }
}

impl Rule<'_> {
    /// What has to be made after a pending access, before one that conflicts.
    pub(super) fn orders(self, pending: &Pending) -> Vec<Order> {
        let mut orders = match pending.flight {
            Flight::Done => vec![],
            Flight::Closed { n_younger } => vec![Order::Wait { in_flight: n_younger }],
            Flight::Open => vec![Order::Commit, Order::Wait { in_flight: 0 }],
            Flight::Product { n_younger } => vec![Order::Products { in_flight: n_younger }],
            // After it the role meets.
            Flight::Out { n_younger } => return vec![Order::WaitOut { in_flight: n_younger }],
        };
        if matches!(self, Rule::Met(_)) {
            orders.push(Order::Barrier);
        }
        orders
    }

    fn may_conflict(self, first: &Touch, second: &Touch) -> bool {
        if !first.conflicts(second) {
            return false;
        }
        if first.buffer == second.buffer {
            return !first.part.is_apart(&second.part);
        }
        match self {
            Rule::Landed => false,
            Rule::Met(allocation) => allocation.share_bytes(first.buffer, second.buffer),
        }
    }

    /// Makes an order; what nobody has to wait for any more is forgotten.
    pub(super) fn make(self, order: Order, state: &mut State) {
        state.make(order);
        if matches!(self, Rule::Landed) {
            state.0.retain(|it| it.flight.is_in_flight());
        }
    }
}

/// What is pending at a point.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct State(Vec<Pending>);

impl State {
    /// What conflicts with an access and asks for the most.
    pub(super) fn nearest(&self, touch: &Touch, rule: Rule<'_>) -> Option<Pending> {
        let conflicts = self.0.iter().filter(|it| rule.may_conflict(&it.touch, touch));
        conflicts.min_by_key(|it| it.flight.distance()).cloned()
    }

    /// Takes up an access, if anything may have to wait for it.
    pub(super) fn access(&mut self, new: Pending, rule: Rule<'_>) {
        if matches!(new.flight, Flight::Out { .. }) {
            for it in &mut self.0 {
                if let Flight::Out { n_younger } = &mut it.flight {
                    *n_younger += 1;
                }
            }
        }
        if new.flight.is_in_flight() || matches!(rule, Rule::Met(_)) {
            self.add(new);
        }
    }

    /// Copies in no group are a barrier's from here on: who waits for it waits for them.
    fn hand_over(&mut self) {
        self.0.retain(|it| it.flight != Flight::Open);
    }

    /// The buffers that copies in flight write and products in flight read.
    pub(super) fn buffers_in_flight(&self) -> impl Iterator<Item = Value> + '_ {
        self.0.iter().filter(|it| it.flight.is_in_flight()).map(|it| it.touch.buffer)
    }

    /// The youngest product in flight that reads what will be written.
    fn multiplied(&self, touch: &Touch, rule: Rule<'_>) -> Option<Pending> {
        let products = self.0.iter().filter(|it| matches!(it.flight, Flight::Product { .. }));
        let read = products.filter(|it| rule.may_conflict(&it.touch, touch));
        read.min_by_key(|it| it.flight.distance()).cloned()
    }

    /// The youngest box on its way out.
    fn last_out(&self) -> Option<&Pending> {
        self.0.iter().find(|it| it.flight == Flight::Out { n_younger: 0 })
    }

    fn add(&mut self, new: Pending) {
        match self.0.iter_mut().find(|it| it.touch.is_like(&new.touch)) {
            Some(old) if old.flight.distance() <= new.flight.distance() => {}
            Some(old) => old.flight = new.flight,
            None => self.0.push(new),
        }
    }

    fn join(&mut self, other: State) {
        other.0.into_iter().for_each(|it| self.add(it));
    }

    fn contains(&self, other: &State) -> bool {
        other.0.iter().all(|it| {
            let found = self.0.iter().find(|mine| mine.touch.is_like(&it.touch));
            found.is_some_and(|mine| mine.flight.distance() <= it.flight.distance())
        })
    }

    fn seen(self, f: impl Fn(Number) -> Vec<Number>) -> State {
        let mut res = State::default();
        for it in self.0 {
            res.add(Pending { touch: it.touch.seen(&f), flight: it.flight });
        }
        res
    }

    fn commit(&mut self) {
        for it in &mut self.0 {
            it.flight = match it.flight {
                Flight::Done | Flight::Product { .. } => it.flight,
                Flight::Closed { n_younger } => Flight::Closed { n_younger: n_younger + 1 },
                Flight::Open => Flight::Closed { n_younger: 0 },
                Flight::Out { n_younger } => Flight::Out { n_younger },
            };
        }
    }

    fn wait(&mut self, in_flight: u32) {
        for it in &mut self.0 {
            if matches!(it.flight, Flight::Closed { n_younger } if in_flight <= n_younger) {
                it.flight = Flight::Done;
            }
        }
    }

    /// A product starts, as a group of its own.
    pub(super) fn multiply(&mut self) {
        for it in &mut self.0 {
            if let Flight::Product { n_younger } = &mut it.flight {
                *n_younger += 1;
            }
        }
    }

    fn await_products(&mut self, in_flight: u32) {
        for it in &mut self.0 {
            if matches!(it.flight, Flight::Product { n_younger } if in_flight <= n_younger) {
                it.flight = Flight::Done;
            }
        }
    }

    fn make(&mut self, order: Order) {
        match order {
            Order::Commit => self.commit(),
            Order::Wait { in_flight } => self.wait(in_flight),
            Order::WaitOut { in_flight } => self.0.retain(
                |it| !matches!(it.flight, Flight::Out { n_younger } if in_flight <= n_younger),
            ),
            Order::Products { in_flight } => self.await_products(in_flight),
            Order::Barrier => self.0.retain(|it| it.flight.is_in_flight()),
            Order::Written | Order::Fence => {}
        }
    }
}

/// What the walk finds.
pub(super) struct Found {
    pub(super) decisions: Decisions,
    /// The instructions after which copies into a buffer, or products of it, may be in flight.
    pub(super) in_flight: BTreeMap<Value, Range<usize>>,
}

/// What is in order and what is not.
pub(super) fn walk(kernel: &Kernel, rule: Rule<'_>) -> Found {
    let mut walk = Walk {
        kernel,
        numbers: Numbers::of(kernel),
        rule,
        next: 0,
        contested: None,
        decisions: Decisions::new(),
        in_flight: BTreeMap::new(),
    };
    walk.region(&kernel.body, State::default());
    walk.decisions.retain(|_, it| !it.is_empty());
    Found { decisions: walk.decisions, in_flight: walk.in_flight }
}

struct Walk<'a> {
    kernel: &'a Kernel,
    numbers: Numbers<'a>,
    rule: Rule<'a>,
    /// The number of the next instruction.
    next: usize,
    /// In a role, the buffers of which an access may have to wait for another one of the role.
    contested: Option<FxHashSet<Value>>,
    decisions: Decisions,
    in_flight: BTreeMap<Value, Range<usize>>,
}

impl<'a> Walk<'a> {
    fn region(&mut self, region: &'a Region, mut state: State) -> State {
        for inst in &region.insts {
            let no = self.next;
            self.next += 1;
            self.decisions.remove(&no);
            state = self.inst(no, inst, state);
            self.note_in_flight(no, &state);
        }
        state
    }

    fn inst(&mut self, no: usize, inst: &'a Inst, mut state: State) -> State {
        match &inst.op {
            Op::Flow(FlowOp::If) => {
                let mut joined = self.region(&inst.regions[0], state.clone());
                joined.join(self.region(&inst.regions[1], state));
                return joined;
            }
            Op::Flow(FlowOp::For { .. } | FlowOp::While) => return self.repeat(no, inst, state),
            // All threads meet before the roles; what a role does another one sees through barriers only.
            Op::Flow(FlowOp::Roles { .. }) => {
                self.rule.make(Order::Barrier, &mut state);
                for region in &inst.regions {
                    self.contested = Some(self.contested_in(region));
                    self.region(region, state.clone());
                }
                return State::default();
            }
            Op::Copy(CopyOp::Commit) => self.rule.make(Order::Commit, &mut state),
            Op::Copy(CopyOp::Wait { in_flight }) => {
                self.rule.make(Order::Wait { in_flight: *in_flight }, &mut state)
            }
            Op::Sync(SyncOp::Barrier | SyncOp::ClusterBarrier) => {
                self.rule.make(Order::Barrier, &mut state)
            }
            Op::Copy(CopyOp::Hold | CopyOp::Signal { .. }) => state.hand_over(),
            Op::Copy(CopyOp::WaitOut { in_flight, .. }) => {
                self.rule.make(Order::WaitOut { in_flight: *in_flight }, &mut state)
            }
            Op::Mma(MmaOp::Wait { in_flight }) => {
                let in_flight = in_flight.unwrap_or(0);
                self.rule.make(Order::Products { in_flight }, &mut state);
            }
            Op::Sync(SyncOp::Arrive { .. } | SyncOp::Expect { .. }) => {
                self.announce(no, inst, &inst.operands[1..], &mut state);
            }
            Op::Sync(SyncOp::Meet { waits, .. }) => {
                self.announce(no, inst, &[], &mut state);
                if *waits {
                    self.rule.make(Order::Barrier, &mut state);
                }
            }
            Op::Copy(
                CopyOp::Async
                | CopyOp::Land
                | CopyOp::Fetch { .. }
                | CopyOp::Box { .. }
                | CopyOp::BoxOut { .. }
                | CopyOp::Prefetch { .. },
            )
            | Op::Sync(
                SyncOp::Mbarriers { .. }
                | SyncOp::Wait
                | SyncOp::Test
                | SyncOp::FenceAsync
                | SyncOp::Permit
                | SyncOp::End,
            )
            | Op::Shared(_)
            | Op::Tile(_)
            | Op::Mma(MmaOp::Mma { .. } | MmaOp::Wgmma { .. })
            | Op::Memory(_) => {}
        }
        let map_of = |it| self.kernel.ty(it).map().clone();
        let touches = Touch::of(inst, &self.numbers, &map_of);
        touches.iter().for_each(|it| self.order(no, it, &mut state));
        if let Op::Mma(MmaOp::Wgmma { .. }) = inst.op {
            state.multiply();
        }
        // From its start on a box is its barrier's.
        if !matches!(inst.op, Op::Copy(CopyOp::Box { .. })) {
            let is_contested =
                |it: &Touch| self.contested.as_ref().is_none_or(|all| all.contains(&it.buffer));
            let touches = touches.into_iter().filter(is_contested);
            touches.for_each(|it| state.access(Pending::of(it), self.rule));
        }
        state
    }

    /// The buffers that a role writes or copies out of, and those that share bytes with another one that it touches. What a role
    /// only reads others write, and barriers keep that apart.
    fn contested_in(&self, region: &Region) -> FxHashSet<Value> {
        let map_of = |it| self.kernel.ty(it).map().clone();
        let (mut touched, mut contested) = (FxHashSet::default(), FxHashSet::default());
        region.walk(&mut |inst| {
            for touch in Touch::of(inst, &self.numbers, &map_of) {
                if touch.verb.changes() || touch.verb == Verb::CopyOut {
                    contested.insert(touch.buffer);
                }
                touched.insert(touch.buffer);
            }
        });
        if let Rule::Met(allocation) = self.rule {
            let shares =
                |a: &&Value| touched.iter().any(|b| *a != b && allocation.share_bytes(**a, *b));
            contested.extend(touched.iter().filter(shares));
        }
        contested
    }

    /// Makes the order that an access needs.
    fn order(&mut self, no: usize, touch: &Touch, state: &mut State) {
        while let Some(nearest) = state.nearest(touch, self.rule) {
            let why = nearest.before(touch);
            for order in self.rule.orders(&nearest) {
                self.rule.make(order, state);
                self.decisions.entry(no).or_default().push(Decision { order, why });
            }
        }
    }

    /// An arrival: others may write from now on what products in flight, and boxes on their way out, have not read.
    fn announce(&mut self, no: usize, inst: &Inst, given: &[Value], state: &mut State) {
        let map_of = |it| self.kernel.ty(it).map().clone();
        for &view in given {
            let touch = Touch::written(view, inst, &self.numbers, &map_of);
            if let Some(product) = state.multiplied(&touch, self.rule) {
                let Flight::Product { n_younger: in_flight } = product.flight else { continue };
                let (order, why) = (Order::Products { in_flight }, product.before(&touch));
                self.rule.make(order, state);
                self.decisions.entry(no).or_default().push(Decision { order, why });
            }
        }
        let Some(last) = state.last_out() else { return };
        let first = (last.touch.verb, last.touch.site);
        let why = Conflict { first, second: (Verb::Write, inst.site) };
        let order = Order::WaitOut { in_flight: 0 };
        self.rule.make(order, state);
        self.decisions.entry(no).or_default().push(Decision { order, why });
    }

    fn note_in_flight(&mut self, no: usize, state: &State) {
        for buffer in state.buffers_in_flight() {
            let range = self.in_flight.entry(buffer).or_insert(no..no + 1);
            *range = range.start.min(no)..range.end.max(no + 1);
        }
    }

    /// A loop, with the order that only what is before it asks for made before it.
    fn repeat(&mut self, no: usize, inst: &'a Inst, before: State) -> State {
        let first = self.next;
        let after = self.settle(no, inst, before.clone());
        let inside = self.take_decisions(first);
        let mut ordered = before.clone();
        let flights = before.0.iter().map(|it| it.flight);
        let wanted = inside.values().flatten().map(|it| it.order);
        let orders = self.orders_before(wanted, flights);
        orders.iter().for_each(|&it| self.rule.make(it, &mut ordered));
        if ordered != before {
            self.next = first;
            let after = self.settle(no, inst, ordered);
            let fewer = self.take_decisions(first);
            let missing = inside.iter().find(|it| it.1.len() > fewer.get(it.0).map_or(0, Vec::len));
            if let Some((_, missing)) = missing.filter(|_| count(&fewer) < count(&inside)) {
                let why = missing[0].why;
                let made = orders.iter().map(|&order| Decision { order, why });
                self.decisions.insert(no, made.collect());
                self.decisions.extend(fewer);
                return after;
            }
        }
        self.decisions.extend(inside);
        after
    }

    /// What could be made before a loop in which this is wanted.
    fn orders_before(
        &self,
        wanted: impl Iterator<Item = Order>,
        mut flights: impl Iterator<Item = Flight>,
    ) -> Vec<Order> {
        let mut orders = Vec::new();
        let (mut in_flight, mut out, mut products, mut meets) = (None, None, None, false);
        let least = |of: Option<u32>, n: u32| Some(of.map_or(n, |it| it.min(n)));
        for order in wanted {
            match order {
                Order::Commit => in_flight = Some(0),
                Order::Wait { in_flight: n } => in_flight = least(in_flight, n),
                Order::WaitOut { in_flight: n } => out = least(out, n),
                Order::Products { in_flight: n } => products = least(products, n),
                Order::Barrier => meets = true,
                Order::Written | Order::Fence => {}
            }
        }
        if let Some(in_flight) = in_flight {
            if flights.any(|it| it == Flight::Open) {
                orders.push(Order::Commit);
            }
            orders.push(Order::Wait { in_flight });
        }
        orders.extend(out.map(|in_flight| Order::WaitOut { in_flight }));
        orders.extend(products.map(|in_flight| Order::Products { in_flight }));
        if meets {
            orders.push(Order::Barrier);
        }
        orders
    }

    /// The decisions since an instruction, up to here.
    fn take_decisions(&mut self, first: usize) -> Decisions {
        let mut taken = self.decisions.split_off(&first);
        self.decisions.extend(taken.split_off(&self.next));
        taken
    }

    /// Walks a loop until it is settled; what is pending after it.
    fn settle(&mut self, no: usize, inst: &'a Inst, before: State) -> State {
        let first = self.next;
        let entry = before.clone().seen(|it| self.numbers.entering(no, it));
        let mut head = entry.clone();
        for round in 0.. {
            self.next = first;
            let (exit, back) = self.turn(inst, head.clone(), &before);
            let mut next = entry.clone();
            next.join(back.seen(|it| self.numbers.a_turn_later(no, it).into_iter().collect()));
            if head.contains(&next) {
                return exit.seen(|it| self.numbers.outside(no, it).into_iter().collect());
            }
            if ROUNDS_NUMBERED < round {
                let known = |it: Number| it.known().map(Number::constant).into_iter().collect();
                next = next.seen(known);
            }
            if ROUNDS_EXACT < round {
                head.join(next);
            } else {
                head = next;
            }
        }
        unreachable!("a loop's beginning grows until it has everything")
    }

    /// One turn: what is pending where the loop ends, and over the back edge.
    fn turn(&mut self, inst: &'a Inst, head: State, before: &State) -> (State, State) {
        match &inst.regions[..] {
            [body] => {
                let back = self.region(body, head);
                let mut exit = before.clone();
                exit.join(back.clone());
                (exit, back)
            }
            [cond, body] => {
                let exit = self.region(cond, head);
                let back = self.region(body, exit.clone());
                (exit, back)
            }
            _ => panic!("V3: a loop has one region or two"),
        }
    }
}

fn count(decisions: &Decisions) -> usize {
    decisions.values().map(Vec::len).sum()
}
