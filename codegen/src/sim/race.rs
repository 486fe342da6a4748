//! Races: two accesses to a byte, one of them a write, with no order between them.
//!
//! Every warp of the grid is an *agent* with a vector clock (Lamport 1978, Mattern 1988). Its own
//! entry grows whenever it lets others know of what it did: at barriers, releases, and where the
//! lanes of the warp synchronise. Barriers and release/acquire pairs join clocks. For every piece of
//! shared and global memory a [`Shadow`] remembers the accesses that no later one has replaced
//! (after FastTrack, Flanagan and Freund 2009); an access that conflicts with one that its own
//! clock does not know is a race.
//!
//! * On NVIDIA a barrier orders memory by itself. On AMD it only waits: what was released by a
//!   fence before it is acquired by a fence after it.
//! * On NVIDIA two lanes of one warp race too, unless `bar.warp.sync` or a barrier lies between.
//!   AMD lanes run in lock-step.
//! * A write of the value that is already there, by another agent, is not a race but counted:
//!   replicated layouts do it.
//!
//! * An mbarrier hands what its arrivals knew to those that see the phase complete. A lane that arrives speaks for
//!   itself: of the other lanes of its warp it knows what was before they last synchronised.
//! * A copy that ends later is an agent of its own: it is checked when it starts, by what its warp
//!   knows then, and known to a lane that waited for its end. On NVIDIA the other lanes of its warp
//!   have to synchronise with that lane (PTX ISA, `cp.async.wait_group`).
//! * A copy engine that reads shared memory sees what warps wrote if a fence of its proxy lies between, on the way of
//!   the order (PTX ISA 8.6): what is known of a warp and what was shown of it are two entries of a clock.
//!
//! * A product of a warp group reads as an agent of its own, too, until the warp has waited for it.
//!
//! Blocks have no order among each other except through atomics of device scope, meetings of their cluster, and
//! mbarriers that one of them arrives at in another one.

mod shadow;

use shadow::Cell;
pub(super) use shadow::{How, Later, Shadow, Touch, Visitor};

use super::bytecode::{Order, Scope};
use super::memory::Region;

/// Added to the number of a warp, the agent that its asynchronous copies are.
const FLIGHT: u32 = 1 << 31;
/// Added to the number of a warp: what copy engines have been shown of it.
const SHOWN: u32 = 1 << 30;
/// Added to the number of a warp, the agent that its products beside the program are.
const PRODUCT: u32 = 1 << 29;

/// What an agent knows of the others: their times, by agent, ascending.
#[derive(Clone, Debug, Default)]
struct Clock(Vec<(u32, u32)>);

impl Clock {
    fn get(&self, agent: u32) -> u32 {
        let at = self.0.binary_search_by_key(&agent, |&(agent, _)| agent);
        at.map_or(0, |at| self.0[at].1)
    }

    fn raise(&mut self, agent: u32, time: u32) {
        match self.0.binary_search_by_key(&agent, |&(agent, _)| agent) {
            Ok(at) => self.0[at].1 = self.0[at].1.max(time),
            Err(at) => self.0.insert(at, (agent, time)),
        }
    }

    fn set(&mut self, agent: u32, time: u32) {
        match self.0.binary_search_by_key(&agent, |&(agent, _)| agent) {
            Ok(at) => self.0[at].1 = time,
            Err(at) => self.0.insert(at, (agent, time)),
        }
    }

    fn join(&mut self, other: &Clock) {
        for &(agent, time) in &other.0 {
            self.raise(agent, time);
        }
    }
}

/// The clocks of a warp.
#[derive(Clone, Debug, Default)]
struct Agent {
    time: u32,
    /// Lanes that have accessed memory at this time.
    touched: u64,
    clock: Clock,
    /// What its last release fence made known.
    released: Clock,
    /// What an acquire fence will learn.
    pending: Clock,
    /// Copies that have ended, as the lane knows that started one; the others learn it with the next
    /// order among the lanes.
    landed: u32,
}

impl Agent {
    /// Its lanes know what each of them knew.
    fn share(&mut self, agent: u32) {
        if self.landed > 0 {
            self.clock.raise(agent | FLIGHT, self.landed);
        }
    }

    fn tick(&mut self, agent: u32) {
        self.time += 1;
        self.touched = 0;
        self.clock.raise(agent, self.time);
    }
}

/// A block that runs: its warps and its shared memory.
#[derive(Debug)]
struct Resident {
    block: u32,
    agents: Vec<Agent>,
    shared: Vec<Cell>,
}

/// The race checker of a launch.
#[derive(Debug)]
pub(super) struct Race {
    /// Warps in a block.
    warps: u32,
    /// Whether lanes of one warp race.
    lanes_race: bool,
    // Invariant: ascending by block.
    residents: Vec<Resident>,
    barriers: std::collections::BTreeMap<(u32, u32), Clock>,
    published: std::collections::BTreeMap<(Region, u64, Option<u32>), Clock>,
    /// By block and byte: what the open phase's arrivals knew, and what those of the last complete one did.
    mbarriers: std::collections::BTreeMap<(u32, u64), (Clock, Clock)>,
    /// By cluster: what those knew that have come to the open meeting, and those of the last one.
    clusters: std::collections::BTreeMap<u32, (Clock, Clock)>,
    buffers: Vec<Vec<Cell>>,
    variables: Vec<Vec<Cell>>,
    /// Writes of a value that was there already, by another warp without order.
    pub(super) rewrites: u64,
}

impl Race {
    pub(super) fn new(warps: u32, lanes_race: bool) -> Self {
        Race {
            warps,
            lanes_race,
            residents: Vec::new(),
            barriers: std::collections::BTreeMap::new(),
            published: std::collections::BTreeMap::new(),
            mbarriers: std::collections::BTreeMap::new(),
            clusters: std::collections::BTreeMap::new(),
            buffers: Vec::new(),
            variables: Vec::new(),
            rewrites: 0,
        }
    }

    /// A block begins: its warps know nothing of others.
    pub(super) fn start_block(&mut self, block: u32) {
        let mut agents = vec![Agent::default(); self.warps as usize];
        for (warp, agent) in agents.iter_mut().enumerate() {
            agent.tick(block * self.warps + warp as u32);
        }
        let at = self.residents.partition_point(|it| it.block < block);
        self.residents.insert(at, Resident { block, agents, shared: Vec::new() });
    }

    /// A block is over: nobody can touch its shared memory any more.
    pub(super) fn end_block(&mut self, block: u32) {
        self.residents.retain(|it| it.block != block);
        self.barriers.retain(|&(it, _), _| it != block);
        self.mbarriers.retain(|&(it, _), _| it != block);
    }

    fn resident(residents: &mut [Resident], block: u32) -> &mut Resident {
        let at = residents.partition_point(|it| it.block < block);
        &mut residents[at]
    }

    fn agent(&mut self, agent: u32) -> &mut Agent {
        let resident = Race::resident(&mut self.residents, agent / self.warps);
        &mut resident.agents[(agent % self.warps) as usize]
    }

    /// A warp comes to a barrier.
    pub(super) fn arrive(&mut self, agent: u32, id: u32, orders_memory: bool) {
        let it = self.agent(agent);
        it.share(agent);
        let known = if orders_memory { it.clock.clone() } else { it.released.clone() };
        it.tick(agent);
        self.barriers.entry((agent / self.warps, id)).or_default().join(&known);
    }

    /// A warp goes on after a barrier.
    pub(super) fn depart(&mut self, agent: u32, id: u32, orders_memory: bool) {
        let Some(clock) = self.barriers.get(&(agent / self.warps, id)).cloned() else {
            return;
        };
        let it = self.agent(agent);
        if orders_memory { &mut it.clock } else { &mut it.pending }.join(&clock);
    }

    /// Everyone has left a barrier.
    pub(super) fn reset_barrier(&mut self, block: u32, id: u32) {
        self.barriers.remove(&(block, id));
    }

    /// An mbarrier begins anew.
    pub(super) fn reset_mbarrier(&mut self, block: u32, at: u64) {
        self.mbarriers.remove(&(block, at));
    }

    /// The lanes of a warp arrive at an mbarrier of a block.
    pub(super) fn arrive_mbarrier(&mut self, agent: u32, (block, at): (u32, u64), lanes: u64) {
        let it = self.agent(agent);
        let speaks_for_all = it.touched != 0 && it.touched & !lanes == 0;
        let mut known = it.clock.clone();
        if speaks_for_all {
            it.tick(agent);
        } else {
            known.set(agent, it.time - 1);
        }
        self.gate(block, at).0.join(&known);
    }

    /// Copies of a warp up to `time` have ended, for which a phase waited.
    pub(super) fn land_at_mbarrier(&mut self, agent: u32, (block, at): (u32, u64), time: u32) {
        self.gate(block, at).0.raise(agent | FLIGHT, time);
    }

    /// The open phase is complete.
    pub(super) fn complete_mbarrier(&mut self, block: u32, at: u64) {
        let gate = self.gate(block, at);
        gate.1 = std::mem::take(&mut gate.0);
    }

    /// A warp goes on after the phase that is complete.
    pub(super) fn pass_mbarrier(&mut self, agent: u32, at: u64) {
        let known = self.gate(agent / self.warps, at).1.clone();
        self.agent(agent).clock.join(&known);
    }

    fn gate(&mut self, block: u32, at: u64) -> &mut (Clock, Clock) {
        self.mbarriers.entry((block, at)).or_default()
    }

    /// A warp comes to a meeting of its cluster.
    pub(super) fn arrive_at_cluster(&mut self, agent: u32, cluster: u32) {
        let it = self.agent(agent);
        it.share(agent);
        let known = it.clock.clone();
        it.tick(agent);
        self.clusters.entry(cluster).or_default().0.join(&known);
    }

    /// All of a cluster have come.
    pub(super) fn complete_cluster(&mut self, cluster: u32) {
        let gate = self.clusters.entry(cluster).or_default();
        gate.1 = std::mem::take(&mut gate.0);
    }

    /// A warp goes on after a meeting of its cluster.
    pub(super) fn pass_cluster(&mut self, agent: u32, cluster: u32) {
        let known = self.clusters.entry(cluster).or_default().1.clone();
        self.agent(agent).clock.join(&known);
    }

    /// Copy engines are shown what lanes of a warp know; of its own accesses, if the lanes speak for all that made some.
    pub(super) fn show_engine(&mut self, agent: u32, lanes: u64) {
        let it = self.agent(agent);
        let speaks_for_all = it.touched & !lanes == 0;
        let known = it.clock.clone();
        for &(of, time) in known.0.iter().filter(|it| it.0 & (FLIGHT | SHOWN | PRODUCT) == 0) {
            let is_part = of == agent && !speaks_for_all;
            it.clock.raise(of | SHOWN, time - u32::from(is_part));
        }
    }

    /// The lanes of a warp synchronise.
    pub(super) fn warp_sync(&mut self, agent: u32) {
        let it = self.agent(agent);
        it.share(agent);
        it.tick(agent);
    }

    /// The copies of a warp up to `time` have ended, and it knows. Where lanes run in lock-step, all of
    /// them do, and what has landed in shared memory needs no fence to be seen by others.
    pub(super) fn landed(&mut self, agent: u32, time: u32) {
        let by_all = !self.lanes_race;
        let it = self.agent(agent);
        it.landed = it.landed.max(time);
        if by_all {
            it.share(agent);
            it.released.raise(agent | FLIGHT, time);
        }
    }

    /// The products of a warp up to `time` have ended, and all of its lanes know.
    pub(super) fn multiplied(&mut self, agent: u32, time: u32) {
        self.agent(agent).clock.raise(agent | PRODUCT, time);
    }

    pub(super) fn fence(&mut self, agent: u32, order: Order, scope: Scope) {
        let it = self.agent(agent);
        if order.acquires() && scope > Scope::Warp {
            let pending = std::mem::take(&mut it.pending);
            it.clock.join(&pending);
        }
        if order.releases() && scope > Scope::Warp {
            it.share(agent);
            it.released = it.clock.clone();
            it.tick(agent);
        }
    }

    /// One half of an atomic access as synchronisation: a load learns, a store makes known.
    pub(super) fn synchronise(
        &mut self,
        agent: u32,
        (region, at): (Region, u64),
        order: Order,
        scope: Scope,
        store: bool,
    ) {
        if scope <= Scope::Warp {
            return;
        }
        let block = agent / self.warps;
        if !store {
            for key in [(region, at, None), (region, at, Some(block))] {
                if let Some(clock) = self.published.get(&key).cloned() {
                    let it = self.agent(agent);
                    if order.acquires() { &mut it.clock } else { &mut it.pending }.join(&clock);
                }
            }
            return;
        }
        let it = self.agent(agent);
        it.share(agent);
        let known = if order.releases() { it.clock.clone() } else { it.released.clone() };
        if known.0.is_empty() {
            return;
        }
        if order.releases() {
            it.tick(agent);
        }
        let reach = if scope <= Scope::Block { Some(block) } else { None };
        self.published.entry((region, at, reach)).or_default().join(&known);
    }

    /// Opens the shadow of a memory that others than one lane can reach.
    pub(super) fn open(&mut self, region: Region, visitor: Visitor) -> Shadow<'_> {
        let own = visitor.agent / self.warps;
        let mut of_peer = None;
        let resident = if visitor.block == own {
            Race::resident(&mut self.residents, own)
        } else {
            let at = |block| self.residents.partition_point(|it| it.block < block);
            let places = [at(own), at(visitor.block)];
            let both = self.residents.get_disjoint_mut(places);
            let [own, peer] = both.expect("blocks that are reached are resident");
            of_peer = Some(&mut peer.shared);
            own
        };
        let cells = match region {
            Region::Buffer(i) => list(&mut self.buffers, i as usize),
            Region::Variable(i) => list(&mut self.variables, i as usize),
            Region::Shared | Region::Peer(_) | Region::Arguments | Region::Local => {
                of_peer.unwrap_or(&mut resident.shared)
            }
        };
        let agent = &mut resident.agents[(visitor.agent % self.warps) as usize];
        agent.touched |= visitor.lanes;
        let rules = (self.warps, self.lanes_race);
        Shadow::new((region, cells), visitor, agent, rules, &mut self.rewrites)
    }
}

fn list(all: &mut Vec<Vec<Cell>>, index: usize) -> &mut Vec<Cell> {
    if all.len() <= index {
        all.resize_with(index + 1, Vec::new);
    }
    &mut all[index]
}
