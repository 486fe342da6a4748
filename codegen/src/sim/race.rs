//! Races: two accesses to a byte, one of them a write, with no order between them.
//!
//! Every warp of the grid is an *agent* with a vector clock (Lamport 1978, Mattern 1988). Its own
//! entry grows whenever it lets others know of what it did: at barriers, releases, and where the
//! lanes of the warp synchronise. Barriers and release/acquire pairs join clocks. For every piece of
//! shared and global memory a [`Cell`] remembers the accesses that no later one has replaced
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
//! * A copy that ends later is an agent of its own: it is checked when it starts, by what its warp
//!   knows then, and known to a warp that waited for its end.
//!
//! Blocks have no order among each other except through atomics of device scope.

use smallvec::SmallVec;

use super::Program;
use super::bytecode::{Order, Scope};
use super::error::{Kind, SimError};
use super::memory::{Region, describe};
use super::schedule::Geometry;

/// Added to the number of a warp, the agent that its asynchronous copies are.
const FLIGHT: u32 = 1 << 31;
/// Bytes whose accesses are remembered together: as many as a lane moves at most.
const CELL: u64 = 16;
/// Stands for more than one lane.
const MANY: u8 = u8::MAX;

/// How an access touches memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum How {
    Read,
    Write,
    /// A write of the value that is there.
    Rewrite,
    AtomicRead,
    AtomicWrite,
    Atomic,
    /// The two ends of an asynchronous copy.
    Fetch,
    Land,
}

impl How {
    fn writes(self) -> bool {
        !matches!(self, How::Read | How::AtomicRead | How::Fetch)
    }

    fn is_atomic(self) -> bool {
        matches!(self, How::Atomic | How::AtomicRead | How::AtomicWrite)
    }

    fn verb(self) -> &'static str {
        match self {
            How::Read => "reads",
            How::Write | How::Rewrite => "writes",
            How::AtomicRead => "atomically reads",
            How::AtomicWrite => "atomically writes",
            How::Atomic => "atomically updates",
            How::Fetch => "starts to copy from",
            How::Land => "starts to copy to",
        }
    }
}

/// One lane's access.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    pub(super) region: Region,
    pub(super) at: u64,
    pub(super) len: u32,
    pub(super) agent: u32,
    pub(super) lane: u8,
    pub(super) pc: u32,
    pub(super) how: How,
    /// When the copy ends that the access is a part of, in the time of the warp's copies.
    pub(super) flight: Option<u32>,
}

/// An access that a cell remembers.
#[derive(Clone, Copy, Debug)]
struct Record {
    agent: u32,
    time: u32,
    pc: u32,
    /// Which of the cell's bytes.
    bytes: u16,
    lane: u8,
    how: How,
    /// Others wrote the same value.
    agreed: bool,
}

/// The accesses to [`CELL`] bytes.
#[derive(Clone, Debug, Default)]
struct Cell(SmallVec<[Record; 4]>);

impl Cell {
    fn wrote(&self, agent: u32, bytes: u16) -> bool {
        self.0.iter().any(|r| r.agent == agent && r.how.writes() && r.bytes & bytes != 0)
    }

    fn agree(&mut self, bytes: u16) {
        for record in &mut self.0 {
            record.agreed |= record.how.writes() && record.bytes & bytes != 0;
        }
    }

    /// Whether an access is like one that nothing orders but that wrote the same value.
    fn check(
        &self,
        touch: &Touch,
        bytes: u16,
        agent: &Agent,
        lanes_race: bool,
    ) -> Result<bool, Record> {
        let mut agreed = false;
        for record in &self.0 {
            if record.bytes & bytes == 0
                || !conflicts(record, touch)
                || is_ordered(record, touch, agent, lanes_race)
            {
                continue;
            }
            if !excused(self, record, touch, record.bytes & bytes) {
                return Err(*record);
            }
            agreed |= touch.how == How::Rewrite;
        }
        Ok(agreed)
    }

    /// Takes in an access. It replaces what it covers: its agent's earlier access of the same kind,
    /// and everything if it writes a new value. `across` says whether agents of other blocks can be
    /// there, and how many warps a block has.
    fn insert(&mut self, mut record: Record, agreed: bool, across: Option<u32>) {
        let own = |r: &Record| {
            r.agent == record.agent && r.how == record.how && r.bytes & !record.bytes == 0
        };
        if let Some(same) = self.0.iter_mut().find(|r| own(r)) {
            if same.time == record.time && same.lane != record.lane {
                record.lane = MANY;
            }
            if !record.how.writes() {
                *same = record;
                return;
            }
        }
        if record.how.writes() && !agreed {
            self.0.retain(|r| r.bytes & !record.bytes != 0);
        } else if let Some(warps) = across
            && self.is_read_by_two_others(&record, warps)
        {
            // A later write races with one of two readers in unordered blocks, whatever it is.
            return;
        }
        self.0.push(record);
    }

    /// Whether `record` is a read of what two other blocks have read too.
    fn is_read_by_two_others(&self, record: &Record, warps: u32) -> bool {
        let reads = |how: How| matches!(how, How::Read | How::Fetch);
        let block = |r: &Record| (r.agent & !FLIGHT) / warps;
        let alike = |r: &&Record| reads(r.how) && r.bytes & record.bytes == record.bytes;
        let others = self.0.iter().filter(|r| alike(r) && block(r) != block(record));
        let mut others = others.map(block);
        let first = others.next();
        reads(record.how) && others.any(|it| Some(it) != first)
    }
}

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
    clock: Clock,
    /// What its last release fence made known.
    released: Clock,
    /// What an acquire fence will learn.
    pending: Clock,
}

impl Agent {
    fn tick(&mut self, agent: u32) {
        self.time += 1;
        self.clock.raise(agent, self.time);
    }
}

/// Two accesses without order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict {
    touch: Touch,
    byte: u64,
    earlier: Record,
}

impl Conflict {
    /// The finding in words.
    pub(super) fn explain(&self, program: &Program, geometry: &Geometry) -> SimError {
        let name = describe(self.touch.region);
        let message =
            format!("two accesses to byte {} of {name} without order between them", self.byte);
        let who = |agent: u32, lane: u8| {
            let agent = agent & !FLIGHT;
            let [x, y, z] = geometry.block(agent / geometry.warps);
            let lane = if lane == MANY { String::new() } else { format!(", lane {lane}") };
            format!("block ({x}, {y}, {z}), warp {}{lane}", agent % geometry.warps)
        };
        let (earlier, later) = (&self.earlier, &self.touch);
        let mut error = SimError::new(Kind::Race, message);
        if let Some(line) = program.line(earlier.pc) {
            let what = format!("{} {} it", who(earlier.agent, earlier.lane), earlier.how.verb());
            error.others.push((line, what));
        }
        error
            .because(format!(
                "{} {} it at `{}`",
                who(earlier.agent, earlier.lane),
                earlier.how.verb(),
                program.place_text(earlier.pc)
            ))
            .because(format!(
                "{} {} it at `{}`",
                who(later.agent, later.lane),
                later.how.verb(),
                program.place_text(later.pc)
            ))
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
        self.residents.push(Resident { block, agents, shared: Vec::new() });
    }

    /// A block is over: nobody can touch its shared memory any more.
    pub(super) fn end_block(&mut self, block: u32) {
        self.residents.retain(|it| it.block != block);
        self.barriers.retain(|&(it, _), _| it != block);
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

    /// The lanes of a warp synchronise.
    pub(super) fn warp_sync(&mut self, agent: u32) {
        self.agent(agent).tick(agent);
    }

    /// The copies of a warp up to `time` have ended, and it knows. Where memory is ordered by fences
    /// (`released`), what has landed in shared memory needs none to be seen.
    pub(super) fn landed(&mut self, agent: u32, time: u32, released: bool) {
        let it = self.agent(agent);
        it.clock.raise(agent | FLIGHT, time);
        if released {
            it.released.raise(agent | FLIGHT, time);
        }
    }

    pub(super) fn fence(&mut self, agent: u32, order: Order, scope: Scope) {
        let it = self.agent(agent);
        if order.acquires() && scope > Scope::Warp {
            let pending = std::mem::take(&mut it.pending);
            it.clock.join(&pending);
        }
        if order.releases() && scope > Scope::Warp {
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

    /// Checks and remembers an access.
    pub(super) fn touch(&mut self, touch: Touch) -> Result<(), Conflict> {
        let (first, last) = (touch.at / CELL, (touch.at + u64::from(touch.len) - 1) / CELL);
        let resident = Race::resident(&mut self.residents, touch.agent / self.warps);
        let cells = match touch.region {
            Region::Buffer(i) => list(&mut self.buffers, i as usize),
            Region::Variable(i) => list(&mut self.variables, i as usize),
            _ => &mut resident.shared,
        };
        if cells.len() <= last as usize {
            cells.resize_with(last as usize + 1, Cell::default);
        }
        let agent = &resident.agents[(touch.agent % self.warps) as usize];
        let (by, time) = match touch.flight {
            Some(time) => (touch.agent | FLIGHT, time),
            None => (touch.agent, agent.time),
        };
        let across = (touch.region != Region::Shared).then_some(self.warps);
        for (number, cell) in (first..=last).zip(&mut cells[first as usize..]) {
            let low = touch.at.saturating_sub(number * CELL).min(CELL);
            let high = (touch.at + u64::from(touch.len) - number * CELL).min(CELL);
            let bytes = ((1u32 << high) - (1 << low)) as u16;
            let agreed = cell.check(&touch, bytes, agent, self.lanes_race).map_err(|earlier| {
                let byte = number * CELL + u64::from((earlier.bytes & bytes).trailing_zeros());
                Conflict { touch, byte, earlier }
            })?;
            if agreed {
                self.rewrites += 1;
                cell.agree(bytes);
            }
            let (pc, lane, how) = (touch.pc, touch.lane, touch.how);
            let record = Record { agent: by, time, pc, bytes, lane, how, agreed };
            cell.insert(record, agreed, across);
        }
        Ok(())
    }
}

fn list(all: &mut Vec<Vec<Cell>>, index: usize) -> &mut Vec<Cell> {
    if all.len() <= index {
        all.resize_with(index + 1, Vec::new);
    }
    &mut all[index]
}

/// Whether two accesses to the same bytes need an order.
fn conflicts(record: &Record, touch: &Touch) -> bool {
    let writes = record.how.writes() || touch.how.writes();
    writes && !(record.how.is_atomic() && touch.how.is_atomic())
}

fn is_ordered(record: &Record, touch: &Touch, agent: &Agent, lanes_race: bool) -> bool {
    if record.agent == touch.agent {
        return !lanes_race || record.lane == touch.lane || record.time < agent.time;
    }
    agent.clock.get(record.agent) >= record.time
}

/// Whether nobody can tell in which order two accesses came, because all writes of the word wrote
/// the same value.
fn excused(cell: &Cell, record: &Record, touch: &Touch, bytes: u16) -> bool {
    match (record.how.writes(), touch.how) {
        (true, How::Rewrite) => true,
        (true, How::Read) => record.agreed && cell.wrote(touch.agent, bytes),
        (false, How::Rewrite) => cell.wrote(record.agent, bytes),
        _ => false,
    }
}
