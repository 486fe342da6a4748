//! Roles that work together: one run stands for every order of events.
//!
//! # Theorem
//! Let a run execute all events, and let for every barrier
//! * C1: every arrival and every byte that counted for phase `k` happen after phase `k - 1` is complete,
//! * C2: phase `k` complete only after every wait that phase `k - 1` let go on,
//! * C3: every wait that phase `k` let go on happen after phase `k - 1` is complete.
//!
//! Then what has happened determines every barrier's phase and whether a wait may go on, so an event can happen exactly when
//! those before it have, and all runs are the same partial order of events. No run hangs, and two accesses
//! race in some run if and only if the clocks of this one do not order them. (Sharma, Bauer and Aiken showed it for named
//! barriers, PPoPP 2015; phases, bytes, copies and products are the extension.)
//!
//! At a named barrier a role comes and waits in one step, so that C2 and C3 hold; C1 says that no role comes twice to a phase.
//! Blocks of a cluster that reach each other's shared memory are run together, each with its number; they meet where all of
//! them stand at a meeting of the cluster, which changes nothing in the theorem: it lets all go on or none.
//!
//! A copy engine that still brings a box when the block has ended writes into the memory of another one, so somebody
//! has to know that it has landed.
//!
//! So each choice of trip counts is run once, with a vector clock for every role, every copy and every product. Proxies are
//! not in the clocks: [`crate::pass`] puts the fences in.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::clock::{Clock, Stamp};
use super::meeting::{Meeting, stands_for};
use super::skeleton::Skeleton;
use super::timeline::{Counterexample, Told};
use super::trace::{Event, trace};
use crate::analysis::Neighbours;
use crate::analysis::meetings::named_barriers;
use crate::ir::{Kernel, SiteId, Value};
use crate::op::{CopyOp, MmaOp, Op, SharedOp, SyncOp};
use crate::pass::touch::{self, Touch};

/// What is known of a kernel's synchronisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing is wrong in any order of events.
    Right,
    /// This is wrong.
    Wrong(Box<Counterexample>),
    /// Something that steers it is not known, or there are too many runs.
    Undecided,
}

/// What is wrong with the synchronisation of roles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// No role can go on: the waits that they stand at.
    Hang(Vec<SiteId>),
    /// Two accesses that nothing orders.
    Race(SiteId, SiteId),
    /// Roles that do not meet at a named barrier: one comes twice to a phase, or before the last one is over.
    Apart(SiteId, SiteId),
    /// Two accesses by different blocks of a cluster that nothing orders.
    RaceOfBlocks(SiteId, SiteId),
    /// C1: an arrival that may count for an earlier phase, and what completes that one.
    Early(SiteId, SiteId),
    /// C2: a wait that the next phase may overtake, and what completes that one.
    Overtaken(SiteId, SiteId),
    /// C3: a wait that may go on because of an older phase, and the last arrival.
    Older(SiteId, SiteId),
    /// A copy into shared memory that nobody knows to have ended when the roles have.
    Abandoned(SiteId),
}

/// Comparisons of events after which a kernel is left undecided: a second at most.
const STEPS_MAX: usize = 1 << 26;

/// Checks a kernel of roles, or of blocks that reach each other.
pub fn check(kernel: &Kernel) -> Verdict {
    let Some(skeleton) = Skeleton::of(kernel) else { return Verdict::Undecided };
    let mut wanted = FxHashMap::default();
    kernel.body.walk(&mut |inst| {
        if let Op::Sync(SyncOp::Mbarriers { arrivals, .. }) = inst.op {
            wanted.insert(inst.results[0], arrivals.max(1));
        }
    });
    let definitions = touch::definitions(kernel);
    let met_by: FxHashMap<u32, usize> =
        named_barriers(kernel).iter().map(|it| (it.number, it.roles.len())).collect();
    let mut choices: Vec<Vec<u64>> = skeleton.choices().collect();
    // The first that is found is the shortest.
    choices.sort_by_key(|it| it.iter().sum::<u64>());
    let has_neighbours = Neighbours::of(kernel).exist();
    let n_blocks = if has_neighbours { kernel.plan.cluster_size() } else { 1 };
    let mut n_steps = 0;
    for choice in choices {
        let Some(lists) = lists_of(&skeleton, &choice, n_blocks) else { return Verdict::Undecided };
        // An access is compared with those before it.
        let n_events: usize = lists.iter().map(Vec::len).sum();
        n_steps += n_events * n_events.max(16);
        if STEPS_MAX < n_steps {
            return Verdict::Undecided;
        }
        let mut run = Run::new(kernel, &wanted, &met_by, &definitions, &lists, n_blocks as usize);
        if let Err(fault) = run.all() {
            let told = Told { lists: &lists, done: &run.done, next: &run.next };
            let found = told.counterexample(&skeleton, &choice, fault);
            return Verdict::Wrong(Box::new(found));
        }
    }
    Verdict::Right
}

/// The events of every block: what comes before its roles, and each role.
fn lists_of<'a>(
    skeleton: &Skeleton<'a>,
    choice: &[u64],
    n_blocks: u32,
) -> Option<Vec<Vec<Event<'a>>>> {
    let of_blocks: Option<Vec<_>> = (0..n_blocks).map(|it| trace(skeleton, choice, it)).collect();
    Some(of_blocks?.into_iter().flatten().collect())
}

/// An mbarrier in a run.
#[derive(Default)]
struct Mbarrier {
    arrived: u32,
    bytes: i64,
    /// What the arrivals of the open phase know.
    open: Clock,
    last: Option<SiteId>,
    /// What the completion of each phase knows.
    completed: Vec<Clock>,
    /// Waits that the last complete phase let go on.
    waits: Vec<(Stamp, SiteId)>,
}

/// Copies of a role that no barrier has taken over, with what they know.
#[derive(Clone, Default)]
struct Copies {
    /// Those in no group yet.
    open: Vec<Clock>,
    /// Groups in their order.
    groups: VecDeque<Vec<Clock>>,
}

/// An access that was made.
struct Access {
    /// The block that makes it.
    by: usize,
    touch: Touch,
    stamp: Stamp,
}

struct Run<'r, 'a> {
    kernel: &'r Kernel,
    wanted: &'r FxHashMap<Value, u32>,
    /// By named barrier: roles that come in a phase.
    met_by: &'r FxHashMap<u32, usize>,
    definitions: &'r touch::Definitions<'r>,
    /// Of each block: what comes before its roles, then each role.
    lists: &'r [Vec<Event<'a>>],
    n_blocks: usize,
    /// By role: whether it has begun.
    begun: Vec<bool>,
    /// By role: the next event.
    next: Vec<usize>,
    /// The events that happened, in their order: the role, and which of its events.
    done: Vec<(usize, usize)>,
    /// Boxes that copy engines bring.
    boxes: Vec<(Stamp, SiteId)>,
    /// By role: what it knows.
    clocks: Vec<Clock>,
    /// By role: its copies in flight.
    copies: Vec<Copies>,
    /// By role: boxes on their way out, the oldest first, with what they know.
    out: Vec<Vec<Clock>>,
    /// By role: the groups of its products in flight, what each of them reads.
    products: Vec<Vec<Vec<Clock>>>,
    n_agents: usize,
    barriers: FxHashMap<(usize, Value, Vec<i64>), Mbarrier>,
    /// By block and named barrier.
    meetings: FxHashMap<(usize, u32), Meeting>,
    /// By role that waits at a named barrier: the phase that has to be over.
    standing: Vec<Option<usize>>,
    /// By block: what a role knew when it had loaded something.
    loaded: Vec<FxHashMap<Value, Clock>>,
    /// By the block whose memory it is, and the buffer.
    accesses: FxHashMap<(usize, Value), Vec<Access>>,
}

impl<'r, 'a> Run<'r, 'a> {
    fn new(
        kernel: &'r Kernel,
        wanted: &'r FxHashMap<Value, u32>,
        met_by: &'r FxHashMap<u32, usize>,
        definitions: &'r touch::Definitions<'r>,
        lists: &'r [Vec<Event<'a>>],
        n_blocks: usize,
    ) -> Run<'r, 'a> {
        let n = lists.len();
        Run {
            kernel,
            wanted,
            met_by,
            definitions,
            lists,
            n_blocks,
            begun: vec![false; n],
            next: vec![0; n],
            done: Vec::new(),
            boxes: Vec::new(),
            clocks: vec![Clock::default(); n],
            copies: vec![Copies::default(); n],
            out: vec![Vec::new(); n],
            products: vec![Vec::new(); n],
            n_agents: n,
            barriers: FxHashMap::default(),
            meetings: FxHashMap::default(),
            standing: vec![None; n],
            loaded: vec![FxHashMap::default(); n_blocks],
            accesses: FxHashMap::default(),
        }
    }

    /// Runs every role to its end.
    fn all(&mut self) -> Result<(), Fault> {
        loop {
            let mut moved = false;
            for role in 0..self.lists.len() {
                moved |= self.begin(role);
                while self.begun[role] && self.go_on(role)? {
                    moved = true;
                }
            }
            moved |= self.meet_cluster();
            if !moved {
                break;
            }
        }
        let stand =
            |role: usize| self.lists[role].get(self.next[role]).filter(|_| self.begun[role]);
        let waits: Vec<SiteId> =
            (0..self.lists.len()).filter_map(stand).map(|it| it.inst.site).collect();
        if !waits.is_empty() {
            return Err(Fault::Hang(waits));
        }
        let is_known = |it: &Stamp| self.clocks.iter().any(|clock| clock.covers(*it));
        let abandoned = self.boxes.iter().find(|it| !is_known(&it.0));
        abandoned.map_or(Ok(()), |it| Err(Fault::Abandoned(it.1)))
    }

    /// What a block has in front of its roles.
    fn head_of(&self, role: usize) -> usize {
        let n_lists = self.lists.len() / self.n_blocks;
        role / n_lists * n_lists
    }

    /// The block that a role is of.
    fn block_of(&self, role: usize) -> usize {
        role / (self.lists.len() / self.n_blocks)
    }

    /// Begins a role if what comes before it is over; whether it did.
    fn begin(&mut self, role: usize) -> bool {
        let head = self.head_of(role);
        let is_over = self.next[head] == self.lists[head].len();
        if self.begun[role] || role != head && !is_over {
            return false;
        }
        self.begun[role] = true;
        if role != head {
            let before = self.clocks[head].clone();
            self.clocks[role].join(&before);
        }
        true
    }

    /// All blocks go on if each of them stands at a meeting of the cluster; whether they did.
    fn meet_cluster(&mut self) -> bool {
        let n_lists = self.lists.len() / self.n_blocks;
        let heads: Vec<usize> = (0..self.lists.len()).step_by(n_lists).collect();
        let meets = |role: &usize| {
            let next = self.lists[*role].get(self.next[*role]);
            next.is_some_and(|it| it.inst.op == Op::Sync(SyncOp::ClusterBarrier))
        };
        if !heads.iter().all(meets) {
            return false;
        }
        let mut all = Clock::default();
        for &head in &heads {
            self.clocks[head].tick(head);
            all.join(&self.clocks[head]);
        }
        for head in heads {
            self.clocks[head].join(&all);
            self.next[head] += 1;
        }
        true
    }

    /// The barrier that an event is about, in the block that it is on.
    fn key(&self, role: usize, event: &Event<'a>) -> Option<(usize, Value, Vec<i64>)> {
        let (list, place) = event.barrier()?;
        let on = event.inst.operands.iter().find_map(|it| event.rank(*it));
        Some((on.unwrap_or(self.block_of(role)), list, place))
    }

    /// The blocks whose barriers and memory an event is about.
    fn blocks_of(&self, role: usize, event: &Event<'a>) -> std::ops::Range<usize> {
        let is_everywhere = matches!(
            event.inst.op,
            Op::Sync(SyncOp::Arrive { everywhere: true })
                | Op::Copy(CopyOp::Box { multicast: true, .. })
        );
        let own = event.inst.operands.iter().find_map(|it| event.rank(*it));
        let own = own.unwrap_or(self.block_of(role));
        if is_everywhere { 0..self.n_blocks } else { own..own + 1 }
    }

    /// Does the next event of a role; whether there was one that could happen.
    fn go_on(&mut self, role: usize) -> Result<bool, Fault> {
        let Some(event) = self.lists[role].get(self.next[role]) else { return Ok(false) };
        match event.inst.op {
            Op::Sync(SyncOp::Wait) => {
                if !self.wait(role, event)? {
                    return Ok(false);
                }
            }
            Op::Sync(SyncOp::Meet { barrier, waits }) => {
                if !self.meet(role, event, barrier, waits)? {
                    return Ok(false);
                }
            }
            Op::Sync(SyncOp::ClusterBarrier) => return Ok(false),
            Op::Sync(SyncOp::Arrive { .. }) => self.arrive(role, event, 1, 0)?,
            Op::Sync(SyncOp::Expect { bytes }) => self.arrive(role, event, 1, bytes.into())?,
            Op::Copy(CopyOp::Commit) => {
                let copies = &mut self.copies[role];
                copies.groups.push_back(std::mem::take(&mut copies.open));
            }
            Op::Copy(CopyOp::Wait { in_flight }) => self.land(role, in_flight as usize),
            Op::Copy(CopyOp::Hold) => {
                self.land_in(role, event);
                self.arrive(role, event, 0, 0)?;
            }
            Op::Copy(CopyOp::Signal { bytes }) => {
                self.land_in(role, event);
                self.arrive(role, event, 0, -i64::from(bytes))?;
            }
            Op::Copy(CopyOp::Box { .. }) => {
                self.access(role, event)?;
                for (n, block) in self.blocks_of(role, event).rev().enumerate() {
                    let copy = self.copies[role].open.pop().expect("a box is a copy");
                    self.boxes.push((copy.last_of(self.n_agents - 1 - n), event.inst.site));
                    if let Some((_, list, place)) = self.key(role, event) {
                        self.barriers.entry((block, list, place)).or_default().open.join(&copy);
                    }
                }
                let map = self.kernel.tensor_map(event.inst.operands[0]);
                let bytes = map.map_or(0, |it| i64::from(it.box_bytes()));
                self.arrive(role, event, 0, -bytes)?;
            }
            Op::Mma(MmaOp::Wgmma { .. }) => {
                self.products[role].push(Vec::new());
                self.access(role, event)?;
            }
            Op::Mma(MmaOp::Wait { in_flight }) => {
                let products = &mut self.products[role];
                let n = products.len().saturating_sub(in_flight.unwrap_or(0) as usize);
                for read in products.drain(..n).flatten() {
                    self.clocks[role].join(&read);
                }
            }
            Op::Copy(CopyOp::WaitOut { in_flight, .. }) => {
                let out = &mut self.out[role];
                let n = out.len().saturating_sub(in_flight as usize);
                for copy in out.drain(..n) {
                    self.clocks[role].join(&copy);
                }
            }
            _ => self.access(role, event)?,
        }
        self.done.push((role, self.next[role]));
        self.next[role] += 1;
        Ok(true)
    }

    /// The role knows what all but its youngest groups of copies have written.
    fn land(&mut self, role: usize, in_flight: usize) {
        let groups = &mut self.copies[role].groups;
        let landed = groups.drain(..groups.len().saturating_sub(in_flight));
        landed.flatten().for_each(|it| self.clocks[role].join(&it));
    }

    /// The open phase of a barrier knows what the role's copies have written that are in no group.
    fn land_in(&mut self, role: usize, event: &Event<'a>) {
        let copies = std::mem::take(&mut self.copies[role].open);
        if let Some(key) = self.key(role, event) {
            let barrier = self.barriers.entry(key).or_default();
            copies.iter().for_each(|it| barrier.open.join(it));
        }
    }

    fn wait(&mut self, role: usize, event: &Event<'a>) -> Result<bool, Fault> {
        let Some(key) = self.key(role, event) else { return Ok(true) };
        let wanted = event.scalar(event.inst.operands[1]);
        let barrier = self.barriers.entry(key).or_default();
        let completed = barrier.completed.len() as i64;
        let site = event.inst.site;
        if completed < wanted {
            return Ok(false);
        }
        if wanted < completed {
            return Err(Fault::Overtaken(site, barrier.last.unwrap_or(site)));
        }
        let clock = &mut self.clocks[role];
        if 2 <= wanted && !clock.contains(&barrier.completed[wanted as usize - 2]) {
            return Err(Fault::Older(site, barrier.last.unwrap_or(site)));
        }
        if 1 <= wanted {
            clock.join(&barrier.completed[wanted as usize - 1]);
        }
        let stamp = clock.tick(role);
        barrier.waits.push((stamp, site));
        Ok(true)
    }

    fn arrive(
        &mut self,
        role: usize,
        event: &Event<'a>,
        roles: u32,
        bytes: i64,
    ) -> Result<(), Fault> {
        let Some((_, list, place)) = self.key(role, event) else { return Ok(()) };
        self.clocks[role].tick(role);
        self.blocks_of(role, event).try_for_each(|block| {
            let key = (block, list, place.clone());
            self.arrive_at(role, key, event.inst.site, roles, bytes)
        })
    }

    fn arrive_at(
        &mut self,
        role: usize,
        key: (usize, Value, Vec<i64>),
        site: SiteId,
        roles: u32,
        bytes: i64,
    ) -> Result<(), Fault> {
        let wanted = self.wanted.get(&key.1).copied().unwrap_or(1);
        let clock = self.clocks[role].clone();
        let barrier = self.barriers.entry(key).or_default();
        if barrier.completed.last().is_some_and(|it| !clock.contains(it)) {
            return Err(Fault::Early(site, barrier.last.unwrap_or(site)));
        }
        barrier.arrived += roles;
        barrier.bytes += bytes;
        barrier.open.join(&clock);
        let before = barrier.last.replace(site).unwrap_or(site);
        if wanted < barrier.arrived {
            return Err(Fault::Early(site, before));
        }
        if wanted <= barrier.arrived && barrier.bytes == 0 {
            let complete = std::mem::take(&mut barrier.open);
            let missed = barrier.waits.iter().find(|it| !complete.covers(it.0));
            if let Some(&(_, wait)) = missed {
                return Err(Fault::Overtaken(wait, site));
            }
            barrier.waits.clear();
            barrier.arrived -= wanted;
            barrier.completed.push(complete);
        }
        Ok(())
    }

    /// Comes to a named barrier, if the role has not yet; whether it goes on.
    fn meet(
        &mut self,
        role: usize,
        event: &Event<'a>,
        barrier: u32,
        waits: bool,
    ) -> Result<bool, Fault> {
        let block = self.block_of(role);
        let it = self.meetings.entry((block, barrier)).or_default();
        if self.standing[role].is_none() {
            let phase = it.n_completed();
            self.clocks[role].tick(role);
            let mut said = self.clocks[role].clone();
            if let Some(&after) = event.inst.operands.first() {
                said = stands_for(after, self.definitions, &self.loaded[block]).unwrap_or(said);
            }
            let knows = &self.clocks[role];
            it.come(role, event.inst.site, knows, &said, self.met_by[&barrier])
                .map_err(|first| Fault::Apart(event.inst.site, first))?;
            if !waits {
                return Ok(true);
            }
            self.standing[role] = Some(phase);
        }
        let phase = self.standing[role].expect("the role stands at the barrier");
        let Some(completed) = it.completed(phase) else { return Ok(false) };
        self.clocks[role].join(completed);
        self.standing[role] = None;
        Ok(true)
    }

    /// An access to shared memory: nothing that conflicts is unordered with it.
    fn access(&mut self, role: usize, event: &Event<'a>) -> Result<(), Fault> {
        let map_of = |it| self.kernel.ty(it).map().clone();
        let now = touch::Now { event, definitions: self.definitions };
        let touches = Touch::of(event.inst, &now, &map_of);
        let blocks = self.blocks_of(role, event);
        for block in blocks {
            touches.iter().cloned().try_for_each(|it| self.touch(role, block, it))?;
        }
        if let Op::Shared(SharedOp::Load) = event.inst.op {
            let by = self.block_of(role);
            self.loaded[by].insert(event.inst.results[0], self.clocks[role].clone());
        }
        Ok(())
    }

    fn touch(&mut self, role: usize, block: usize, touch: Touch) -> Result<(), Fault> {
        let by = self.block_of(role);
        let stamp = self.clocks[role].tick(role);
        let clock = self.clocks[role].clone();
        let races = |it: &&Access| {
            !clock.covers(it.stamp)
                && it.touch.conflicts(&touch)
                && !it.touch.part.is_apart(&touch.part)
        };
        let key = (block, touch.buffer);
        let others = self.accesses.entry(key).or_default();
        if let Some(other) = others.iter().find(races) {
            let sites = (other.touch.site, touch.site);
            return Err(if other.by == by {
                Fault::Race(sites.0, sites.1)
            } else {
                Fault::RaceOfBlocks(sites.0, sites.1)
            });
        }
        let beside = match touch.verb {
            touch::Verb::Copy => Some(&mut self.copies[role].open),
            touch::Verb::CopyOut => Some(&mut self.out[role]),
            touch::Verb::Multiply => self.products[role].last_mut(),
            touch::Verb::Read | touch::Verb::Write | touch::Verb::Atomic | touch::Verb::Wait => {
                None
            }
        };
        let stamp = beside.map_or(stamp, |copies| {
            // The copy or product is made after it was started, and only those know it that are told or wait for it.
            let agent = self.n_agents;
            self.n_agents += 1;
            let mut copy = clock;
            let stamp = copy.tick(agent);
            copies.push(copy);
            stamp
        });
        others.push(Access { by, touch, stamp });
        Ok(())
    }
}
