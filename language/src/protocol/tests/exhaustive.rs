//! Every order of events of a small run, one after the other: what the proof by one run is compared with.
//!
//! Nothing here knows of clocks. A state is how far each role is, what each barrier has counted, and which copies
//! are in flight; copies land whenever they like. A wait sees the parity of a phase, as on a device.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::meetings::named_barriers;
use crate::ir::{Kernel, Value};
use crate::op::{CopyOp, MmaOp, Op, SyncOp};
use crate::pass::touch::{self, Touch};
use crate::protocol::trace::Event;

/// States after which a run is left.
const STATES_MAX: usize = 40_000;

/// What all orders of a run have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// No order goes wrong.
    Right,
    /// This happens in one.
    Wrong(&'static str),
    /// There are too many states.
    TooMany,
}

/// One event, with what it is about as numbers.
#[derive(Clone, Copy, Debug)]
enum Action {
    Access(usize),
    Start(usize),
    /// A box that a barrier hears of: the access, the barrier, bytes.
    Box(usize, usize, i64),
    Out(usize),
    AwaitOut(usize),
    /// A product that makes so many accesses from that one on.
    Multiply(usize, usize),
    AwaitProducts(usize),
    Commit,
    Await(usize),
    Hold(usize),
    Signal(usize, i64),
    Wait(usize, i64),
    Arrive(usize, i64),
    /// A named barrier of that number, and whether the role waits there.
    Meet(u32, bool),
    Nothing,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Owner {
    Open,
    Group(usize),
    /// A box on its way out, of that number.
    Out(usize),
    /// A product of that number; they are done in their order.
    Product(usize),
    /// A barrier that is held open, or that hears of bytes when the last of the ticket's copies lands.
    Ticket {
        id: usize,
        barrier: usize,
        bytes: Option<i64>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
struct Flight {
    touch: usize,
    role: usize,
    owner: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
struct Barrier {
    arrived: u32,
    held: u32,
    bytes: i64,
    completed: i64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct State {
    next: Vec<usize>,
    groups: Vec<usize>,
    out: Vec<usize>,
    products: Vec<usize>,
    barriers: Vec<Barrier>,
    flights: Vec<Flight>,
    tickets: usize,
    /// By named barrier: how many have come in the open phase, and phases that are over.
    meetings: BTreeMap<u32, (usize, usize)>,
    /// By role that waits at a named barrier: the phase that has to be over.
    standing: Vec<Option<usize>>,
}

/// Searches all orders of one run.
pub(super) fn search(kernel: &Kernel, lists: &[Vec<Event<'_>>]) -> Outcome {
    let search = Search::of(kernel, lists);
    let first = State {
        next: vec![0; lists.len()],
        groups: vec![0; lists.len()],
        out: vec![0; lists.len()],
        products: vec![0; lists.len()],
        barriers: vec![Barrier::default(); search.wanted.len()],
        flights: Vec::new(),
        tickets: 0,
        meetings: BTreeMap::new(),
        standing: vec![None; lists.len()],
    };
    let mut seen: FxHashSet<State> = FxHashSet::default();
    let mut open = vec![first];
    while let Some(state) = open.pop() {
        if !seen.insert(state.clone()) {
            continue;
        }
        if STATES_MAX < seen.len() {
            return Outcome::TooMany;
        }
        if search.races(&state) {
            return Outcome::Wrong("race");
        }
        match search.moves(&state) {
            Err(what) => return Outcome::Wrong(what),
            Ok(next) if next.is_empty() && !search.is_done(&state) => {
                return Outcome::Wrong("hang");
            }
            Ok(next) => open.extend(next),
        }
    }
    Outcome::Right
}

struct Search {
    lists: Vec<Vec<Action>>,
    /// By touch and touch: whether their order matters.
    conflicts: Vec<Vec<bool>>,
    /// By barrier: arrivals of a phase.
    wanted: Vec<u32>,
    /// By named barrier: roles that come in a phase.
    met_by: FxHashMap<u32, usize>,
}

impl Search {
    fn of(kernel: &Kernel, lists: &[Vec<Event<'_>>]) -> Search {
        let mut arrivals: FxHashMap<Value, u32> = FxHashMap::default();
        kernel.body.walk(&mut |inst| {
            if let Op::Sync(SyncOp::Mbarriers { arrivals: n, .. }) = inst.op {
                arrivals.insert(inst.results[0], n.max(1));
            }
        });
        let definitions = touch::definitions(kernel);
        let map_of = |it| kernel.ty(it).map().clone();
        let mut touches: Vec<Touch> = Vec::new();
        let mut numbers = FxHashMap::default();
        let mut wanted = Vec::new();
        let mut action = |event: &Event<'_>| {
            let mut barrier = || {
                let key = event.barrier().expect("the event is about a barrier");
                *numbers.entry(key.clone()).or_insert_with(|| {
                    wanted.push(arrivals[&key.0]);
                    wanted.len() - 1
                })
            };
            match event.inst.op {
                Op::Sync(SyncOp::Wait) => {
                    Action::Wait(barrier(), event.scalar(event.inst.operands[1]))
                }
                Op::Sync(SyncOp::Arrive { .. }) => Action::Arrive(barrier(), 0),
                Op::Sync(SyncOp::Expect { bytes }) => Action::Arrive(barrier(), bytes.into()),
                Op::Sync(SyncOp::Meet { barrier, waits }) => Action::Meet(barrier, waits),
                Op::Copy(CopyOp::Hold) => Action::Hold(barrier()),
                Op::Copy(CopyOp::Signal { bytes }) => Action::Signal(barrier(), bytes.into()),
                Op::Copy(CopyOp::Commit) => Action::Commit,
                Op::Mma(MmaOp::Wait { in_flight }) => {
                    Action::AwaitProducts(in_flight.unwrap_or(0) as usize)
                }
                Op::Copy(CopyOp::WaitOut { in_flight, .. }) => Action::AwaitOut(in_flight as usize),
                Op::Copy(CopyOp::Wait { in_flight }) => Action::Await(in_flight as usize),
                _ => {
                    let now = touch::Now { event, definitions: &definitions };
                    let made = Touch::of(event.inst, &now, &map_of);
                    let (at, n) = (touches.len(), made.len());
                    touches.extend(made);
                    match event.inst.op {
                        _ if n == 0 => Action::Nothing,
                        Op::Mma(MmaOp::Wgmma { .. }) => Action::Multiply(at, n),
                        Op::Copy(CopyOp::Box { .. }) => {
                            let map = kernel.tensor_map(event.inst.operands[0]);
                            let bytes = map.expect("V3: a box has a map").box_bytes();
                            Action::Box(at, barrier(), bytes.into())
                        }
                        Op::Copy(CopyOp::BoxOut { .. }) => Action::Out(at),
                        Op::Copy(_) => Action::Start(at),
                        _ => Action::Access(at),
                    }
                }
            }
        };
        let lists = lists.iter().map(|it| it.iter().map(&mut action).collect()).collect();
        let conflict = |a: &Touch, b: &Touch| {
            a.buffer == b.buffer && a.conflicts(b) && !a.part.is_apart(&b.part)
        };
        let conflicts = touches.iter().map(|a| touches.iter().map(|b| conflict(a, b)).collect());
        let conflicts = conflicts.collect();
        let met_by = named_barriers(kernel).iter().map(|it| (it.number, it.roles.len())).collect();
        Search { lists, conflicts, wanted, met_by }
    }

    /// The action that a role does next; roles begin when what comes before them is done.
    fn next(&self, state: &State, role: usize) -> Option<Action> {
        let begun = role == 0 || state.next[0] == self.lists[0].len();
        self.lists[role].get(state.next[role]).copied().filter(|_| begun)
    }

    fn is_done(&self, state: &State) -> bool {
        state.next.iter().zip(&self.lists).all(|(&next, list)| next == list.len())
    }

    /// Whether two accesses could be made now, and their order matters.
    fn races(&self, state: &State) -> bool {
        let mut now: Vec<usize> = state.flights.iter().map(|it| it.touch).collect();
        for role in 0..self.lists.len() {
            if let Some(Action::Access(touch)) = self.next(state, role) {
                now.push(touch);
            }
        }
        let pairs = now.iter().enumerate().flat_map(|(n, a)| now[..n].iter().map(move |b| (a, b)));
        pairs.into_iter().any(|(&a, &b)| self.conflicts[a][b])
    }

    /// The states that come next; what goes wrong on the way there.
    fn moves(&self, state: &State) -> Result<Vec<State>, &'static str> {
        let mut found = Vec::new();
        for role in 0..self.lists.len() {
            let Some(action) = self.next(state, role) else { continue };
            let mut next = state.clone();
            if self.act(&mut next, role, action)? {
                next.next[role] += 1;
                found.push(next);
            } else if next != *state {
                // It has come to a barrier, and waits there.
                found.push(next);
            }
        }
        for at in 0..state.flights.len() {
            if !is_next(state, &state.flights[at]) {
                continue;
            }
            let mut next = state.clone();
            let flight = next.flights.remove(at);
            if let Owner::Ticket { id, barrier, bytes } = flight.owner
                && !next
                    .flights
                    .iter()
                    .any(|it| matches!(it.owner, Owner::Ticket { id: other, .. } if other == id))
            {
                self.hear(&mut next, barrier, bytes)?;
            }
            found.push(next);
        }
        Ok(found)
    }

    /// Does an action; whether it could be done.
    fn act(&self, state: &mut State, role: usize, action: Action) -> Result<bool, &'static str> {
        match action {
            Action::Access(_) | Action::Nothing => {}
            Action::Start(touch) => {
                state.flights.push(Flight { touch, role, owner: Owner::Open });
                state.flights.sort_unstable();
            }
            Action::Box(touch, barrier, bytes) => {
                let (id, bytes) = (state.tickets, Some(bytes));
                state.tickets += 1;
                let owner = Owner::Ticket { id, barrier, bytes };
                state.flights.push(Flight { touch, role, owner });
                state.flights.sort_unstable();
            }
            Action::Out(touch) => {
                let owner = Owner::Out(state.out[role]);
                state.out[role] += 1;
                state.flights.push(Flight { touch, role, owner });
                state.flights.sort_unstable();
            }
            Action::Multiply(first, n) => {
                let owner = Owner::Product(state.products[role]);
                state.products[role] += 1;
                state.flights.extend((first..first + n).map(|touch| Flight { touch, role, owner }));
                state.flights.sort_unstable();
            }
            Action::AwaitProducts(in_flight) => {
                let done = state.products[role].saturating_sub(in_flight);
                let waits = |it: &Flight| {
                    it.role == role && matches!(it.owner, Owner::Product(n) if n < done)
                };
                return Ok(!state.flights.iter().any(waits));
            }
            Action::AwaitOut(in_flight) => {
                let landed = state.out[role].saturating_sub(in_flight);
                let waits = |it: &Flight| {
                    it.role == role && matches!(it.owner, Owner::Out(n) if n < landed)
                };
                return Ok(!state.flights.iter().any(waits));
            }
            Action::Meet(barrier, waits) => return Ok(self.meet(state, role, barrier, waits)),
            Action::Commit => {
                let group = Owner::Group(state.groups[role]);
                state.groups[role] += 1;
                own(state, role, group);
            }
            Action::Await(in_flight) => {
                let landed = state.groups[role].saturating_sub(in_flight);
                let waits = |it: &Flight| {
                    it.role == role && matches!(it.owner, Owner::Group(n) if n < landed)
                };
                return Ok(!state.flights.iter().any(waits));
            }
            Action::Hold(barrier) => {
                state.barriers[barrier].held += 1;
                self.hand(state, role, barrier, None)?;
            }
            Action::Signal(barrier, bytes) => self.hand(state, role, barrier, Some(bytes))?,
            Action::Arrive(barrier, bytes) => {
                state.barriers[barrier].arrived += 1;
                state.barriers[barrier].bytes += bytes;
                self.count(state, barrier)?;
            }
            Action::Wait(barrier, wanted) => {
                let completed = state.barriers[barrier].completed;
                let passes = wanted <= 0 || (completed - wanted).rem_euclid(2) == 0;
                if passes && wanted != completed && 0 < wanted {
                    return Err("a wait goes on because of another phase");
                }
                return Ok(passes);
            }
        }
        Ok(true)
    }

    /// Lets a role come to a named barrier if it has not yet; whether it goes on.
    fn meet(&self, state: &mut State, role: usize, barrier: u32, waits: bool) -> bool {
        let (came, over) = state.meetings.entry(barrier).or_default();
        if let Some(phase) = state.standing[role] {
            let is_over = phase < *over;
            state.standing[role] = (!is_over).then_some(phase);
            return is_over;
        }
        let phase = *over;
        *came += 1;
        if *came == self.met_by[&barrier] {
            (*came, *over) = (0, *over + 1);
            return true;
        }
        state.standing[role] = waits.then_some(phase);
        !waits
    }

    /// Hands a role's open copies to a barrier.
    fn hand(
        &self,
        state: &mut State,
        role: usize,
        barrier: usize,
        bytes: Option<i64>,
    ) -> Result<(), &'static str> {
        let has_some = state.flights.iter().any(|it| it.role == role && it.owner == Owner::Open);
        if !has_some {
            return self.hear(state, barrier, bytes);
        }
        let id = state.tickets;
        state.tickets += 1;
        own(state, role, Owner::Ticket { id, barrier, bytes });
        Ok(())
    }

    /// A barrier hears that copies have landed.
    fn hear(
        &self,
        state: &mut State,
        barrier: usize,
        bytes: Option<i64>,
    ) -> Result<(), &'static str> {
        match bytes {
            Some(bytes) => state.barriers[barrier].bytes -= bytes,
            None => state.barriers[barrier].held -= 1,
        }
        self.count(state, barrier)
    }

    fn count(&self, state: &mut State, barrier: usize) -> Result<(), &'static str> {
        let wanted = self.wanted[barrier];
        let it = &mut state.barriers[barrier];
        if wanted < it.arrived {
            return Err("too many arrivals");
        }
        if it.arrived == wanted && it.held == 0 && it.bytes == 0 {
            *it = Barrier { completed: it.completed + 1, ..Barrier::default() };
        }
        Ok(())
    }
}

/// Whether something in flight can be done now: products are done in their order.
fn is_next(state: &State, flight: &Flight) -> bool {
    let Owner::Product(number) = flight.owner else { return true };
    let older =
        |it: &Flight| it.role == flight.role && matches!(it.owner, Owner::Product(n) if n < number);
    !state.flights.iter().any(older)
}

/// Gives a role's open copies an owner.
fn own(state: &mut State, role: usize, owner: Owner) {
    let open = state.flights.iter_mut().filter(|it| it.role == role && it.owner == Owner::Open);
    open.for_each(|it| it.owner = owner);
    state.flights.sort_unstable();
}
