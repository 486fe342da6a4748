//! The shadow of memory: which accesses to a piece of it no later one has replaced.
//!
//! An access of a warp to one memory opens a [`Shadow`], which looks up once what its lanes share.

use smallvec::SmallVec;

use super::super::Program;
use super::super::error::{Kind, SimError};
use super::super::memory::{Region, describe};
use super::super::schedule::Geometry;
use super::{Agent, FLIGHT, PRODUCT, SHOWN};

/// Bytes whose accesses are remembered together: as many as a lane moves at most.
const CELL: usize = 16;
/// Stands for more than one lane.
const MANY: u8 = 0x7f;
/// Set in a record's lane if others wrote the same value.
const AGREED: u8 = 0x80;

/// How an access touches memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum How {
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
    /// A copy engine combines elements with what is there, each in one step.
    Combine,
    /// A copy engine reads what threads may have written.
    Take,
    /// A read of a product that ends later.
    Multiply,
}

impl How {
    fn writes(self) -> bool {
        !matches!(self, How::Read | How::AtomicRead | How::Fetch | How::Take | How::Multiply)
    }

    fn is_atomic(self) -> bool {
        matches!(self, How::Atomic | How::AtomicRead | How::AtomicWrite | How::Combine)
    }

    /// Whether it reads by a path of its own, past what threads have not shown.
    fn is_beside(self) -> bool {
        matches!(self, How::Take | How::Multiply)
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
            How::Combine => "has a copy engine combine into",
            How::Take => "has a copy engine copy from",
            How::Multiply => "starts to multiply",
        }
    }
}

/// When an access ends that is a part of something beside the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Later {
    /// In the time of the warp's copies.
    Copy(u32),
    /// In the time of the warp's products.
    Product(u32),
}

/// One lane's access.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Touch {
    pub(in crate::sim) at: usize,
    pub(in crate::sim) len: usize,
    pub(in crate::sim) lane: usize,
    pub(in crate::sim) how: How,
    /// When what the access is a part of ends; `None` if it is over at once.
    pub(in crate::sim) flight: Option<Later>,
}

/// An access that a cell remembers.
#[derive(Clone, Copy, Debug)]
struct Record {
    agent: u32,
    time: u32,
    pc: u32,
    /// Which of the cell's bytes.
    bytes: u16,
    /// The lane or [`MANY`], and [`AGREED`].
    lane: u8,
    how: How,
}

impl Record {
    fn lane(&self) -> u8 {
        self.lane & !AGREED
    }

    fn is_agreed(&self) -> bool {
        self.lane & AGREED != 0
    }

    fn reads(&self) -> bool {
        matches!(self.how, How::Read | How::Fetch | How::Take | How::Multiply)
    }
}

/// The accesses to [`CELL`] bytes: a line of the host's cache, unless they are many.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(super) struct Cell(SmallVec<[Record; 3]>);

impl Cell {
    fn wrote(&self, agent: u32, bytes: u16) -> bool {
        self.0.iter().any(|r| r.agent == agent && r.how.writes() && r.bytes & bytes != 0)
    }

    fn agree(&mut self, bytes: u16) {
        for record in &mut self.0 {
            if record.how.writes() && record.bytes & bytes != 0 {
                record.lane |= AGREED;
            }
        }
    }

    /// Whether nobody can tell in which order two accesses came, because all writes of the word
    /// wrote the same value.
    fn excuses(&self, record: &Record, agent: u32, how: How, bytes: u16) -> bool {
        match (record.how.writes(), how) {
            (true, How::Rewrite) => true,
            (true, How::Read) => record.is_agreed() && self.wrote(agent, bytes),
            (false, How::Rewrite) => self.wrote(record.agent, bytes),
            _ => false,
        }
    }

    /// The place of the record that `record` is a later one of: by its agent, of its kind, covered by it.
    fn earlier(&self, record: &Record) -> Option<usize> {
        self.0.iter().position(|it| {
            it.agent == record.agent && it.how == record.how && it.bytes & !record.bytes == 0
        })
    }

    /// Takes in an access. It replaces what it covers: its agent's earlier access of the same kind,
    /// and everything if it writes a new value. `across` says whether agents of other blocks can be
    /// there, and how many warps a block has.
    #[inline]
    fn insert(&mut self, mut record: Record, across: Option<u32>) {
        if let Some(at) = self.earlier(&record) {
            let same = &mut self.0[at];
            if same.time == record.time && same.lane() != record.lane() {
                record.lane |= MANY;
            }
            if !record.how.writes() {
                *same = record;
                return;
            }
        }
        if record.how.writes() && !record.is_agreed() {
            if self.0.iter().all(|it| it.bytes & !record.bytes == 0) {
                self.0.clear();
            } else {
                self.0.retain(|it| it.bytes & !record.bytes != 0);
            }
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
        if self.0.len() < 2 {
            return false;
        }
        let block = |r: &Record| (r.agent & !(FLIGHT | PRODUCT)) / warps;
        let alike = |r: &&Record| r.reads() && r.bytes & record.bytes == record.bytes;
        let others = self.0.iter().filter(|r| alike(r) && block(r) != block(record));
        let mut others = others.map(block);
        let first = others.next();
        record.reads() && others.any(|it| Some(it) != first)
    }
}

/// Two accesses without order.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Conflict {
    region: Region,
    byte: usize,
    earlier: Record,
    later: Record,
}

impl Conflict {
    /// The finding in words.
    pub(in crate::sim) fn explain(&self, program: &Program, geometry: &Geometry) -> SimError {
        let name = describe(self.region);
        let message =
            format!("two accesses to byte {} of {name} without order between them", self.byte);
        let does = |it: &Record| {
            let agent = it.agent & !(FLIGHT | PRODUCT);
            let [x, y, z] = geometry.block(agent / geometry.warps);
            let lane = match it.lane() {
                MANY => String::new(),
                lane => format!(", lane {lane}"),
            };
            let warp = agent % geometry.warps;
            format!("block ({x}, {y}, {z}), warp {warp}{lane} {} it", it.how.verb())
        };
        let mut error = SimError::new(Kind::Race, message);
        if let Some(line) = program.line(self.earlier.pc) {
            error.others.push((line, does(&self.earlier)));
        }
        if self.later.how.is_beside() {
            error = error.because("copy engines see what a fence of their proxy has shown them");
        }
        for it in [&self.earlier, &self.later] {
            error = error.because(format!("{} at {}", does(it), program.place_text(it.pc)));
        }
        error
    }
}

/// What a warp knows.
struct Known<'r> {
    warp: u32,
    agent: &'r Agent,
    /// Whether lanes of one warp race.
    lanes_race: bool,
    /// What its clock says of the agents that were asked for last.
    times: [(u32, u32); 8],
}

impl Known<'_> {
    #[inline]
    fn time(&mut self, agent: u32) -> u32 {
        // A warp and its copies have neighbouring places.
        let slot = &mut self.times[agent.rotate_left(1) as usize % 8];
        if slot.0 != agent {
            *slot = (agent, self.agent.clock.get(agent));
        }
        slot.1
    }

    /// Whether copy engines see a write.
    fn is_shown(&mut self, record: &Record) -> bool {
        record.agent & FLIGHT != 0 || self.time(record.agent | SHOWN) >= record.time
    }

    /// Whether an access is known to be over by a lane of the warp.
    #[inline]
    fn is_before(&mut self, record: &Record, lane: u8) -> bool {
        let is_own_lane = record.lane() == lane;
        if record.agent == self.warp {
            return !self.lanes_race || is_own_lane || record.time < self.agent.time;
        }
        self.time(record.agent) >= record.time
            || record.agent == self.warp | FLIGHT && is_own_lane && record.time <= self.agent.landed
    }
}

/// One memory as the race checker sees it, open for an access of a warp.
pub(in crate::sim) struct Shadow<'r> {
    region: Region,
    cells: &'r mut Vec<Cell>,
    /// The warp.
    agent: u32,
    time: u32,
    pc: u32,
    known: Known<'r>,
    across: Option<u32>,
    rewrites: &'r mut u64,
}

/// Who opens a shadow, and where in the program.
#[derive(Clone, Copy, Debug)]
pub(in crate::sim) struct Visitor {
    pub(in crate::sim) agent: u32,
    /// The block whose shared memory it is, if it is some.
    pub(in crate::sim) block: u32,
    pub(in crate::sim) pc: u32,
    pub(in crate::sim) lanes: u64,
}

impl<'r> Shadow<'r> {
    pub(super) fn new(
        (region, cells): (Region, &'r mut Vec<Cell>),
        visitor: Visitor,
        agent: &'r Agent,
        (warps, lanes_race): (u32, bool),
        rewrites: &'r mut u64,
    ) -> Self {
        let warp = visitor.agent;
        Shadow {
            region,
            cells,
            agent: warp,
            time: agent.time,
            pc: visitor.pc,
            known: Known { warp, agent, lanes_race, times: [(u32::MAX, 0); 8] },
            across: (!matches!(region, Region::Shared | Region::Peer(_))).then_some(warps),
            rewrites,
        }
    }

    /// Says that an access to a byte follows: what is known of it comes nearer while others are checked.
    #[inline]
    pub(in crate::sim) fn foresee(&self, at: usize) {
        #[cfg(target_arch = "x86_64")]
        if let Some(cell) = self.cells.get(at / CELL) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a hint; the address is that of a cell.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(cell).cast()) };
        }
    }

    /// Checks and remembers an access.
    #[inline]
    pub(in crate::sim) fn touch(&mut self, touch: Touch) -> Result<(), Box<Conflict>> {
        let end = touch.at + touch.len;
        let mut at = touch.at;
        while at < end {
            let next = end.min((at / CELL + 1) * CELL);
            self.touch_cell(at, next - at, &touch)?;
            at = next;
        }
        Ok(())
    }

    /// [`Shadow::touch`] for `len` bytes at `at`, which are of one cell.
    #[inline]
    fn touch_cell(&mut self, at: usize, len: usize, touch: &Touch) -> Result<(), Box<Conflict>> {
        let (number, low) = (at / CELL, at % CELL);
        if self.cells.len() <= number {
            self.cells.resize_with(number + 1, Cell::default);
        }
        let (agent, time) = match touch.flight {
            Some(Later::Copy(time)) => (self.agent | FLIGHT, time),
            Some(Later::Product(time)) => (self.agent | PRODUCT, time),
            None => (self.agent, self.time),
        };
        let bytes = (((1u32 << len) - 1) << low) as u16;
        let (lane, how) = (touch.lane as u8, touch.how);
        let mut record = Record { agent, time, pc: self.pc, bytes, lane, how };
        if self.is_agreed(number, &record)? {
            *self.rewrites += 1;
            self.cells[number].agree(bytes);
            record.lane |= AGREED;
        }
        self.cells[number].insert(record, self.across);
        Ok(())
    }

    /// Whether `later` is like an access that nothing orders but that wrote the same value.
    #[inline]
    fn is_agreed(&mut self, number: usize, later: &Record) -> Result<bool, Box<Conflict>> {
        let cell = &self.cells[number];
        let mut is_agreed = false;
        for record in &cell.0 {
            let bytes = record.bytes & later.bytes;
            if bytes == 0 || !conflict(record.how, later.how) {
                continue;
            }
            let is_before = self.known.is_before(record, later.lane);
            if is_before && (!later.how.is_beside() || self.known.is_shown(record)) {
                continue;
            }
            if !cell.excuses(record, self.agent, later.how, bytes) {
                let byte = number * CELL + bytes.trailing_zeros() as usize;
                let (region, earlier, later) = (self.region, *record, *later);
                return Err(Box::new(Conflict { region, byte, earlier, later }));
            }
            is_agreed |= later.how == How::Rewrite;
        }
        Ok(is_agreed)
    }
}

/// Whether two accesses to the same bytes need an order.
fn conflict(a: How, b: How) -> bool {
    (a.writes() || b.writes()) && !(a.is_atomic() && b.is_atomic())
}
