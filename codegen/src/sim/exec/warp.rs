//! A warp: the rows that its values live in, and where its lanes are.

use super::super::Program;
use super::super::bytecode::{Code, Slot};
use super::super::mbarrier::Hold;
use super::super::memory::Tracked;
use super::boxes::OutBoxes;
use super::flight::Flights;
use super::group::Products;

/// What rows hold before anything is written to them: a pattern, never zeros.
const FRESH: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// Lanes of a warp at one place of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Fragment {
    pub(in crate::sim) pc: u32,
    pub(in crate::sim) mask: u64,
    pub(in crate::sim) wait: Wait,
}

/// What a fragment waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Wait {
    /// Nothing.
    Ready,
    /// Other lanes of its warp.
    Lanes,
    /// The phase of an mbarrier; it asks again when one has completed.
    Phase,
    /// The other blocks of its cluster.
    Cluster,
    /// The barrier `id`, at the operation with the table entry `table`.
    Barrier { id: u32, table: u32 },
}

/// The three files of rows.
#[derive(Debug)]
pub(in crate::sim) struct Rows<const L: usize> {
    pub(super) flags: Vec<u64>,
    pub(super) words: Vec<[u32; L]>,
    pub(super) wides: Vec<[u64; L]>,
}

impl<const L: usize> Rows<L> {
    fn new(code: &Code) -> Self {
        let mut rows = Rows {
            flags: vec![0; code.flags as usize],
            words: vec![[FRESH as u32; L]; code.words as usize],
            wides: vec![[FRESH; L]; code.wides as usize],
        };
        for &(slot, bits) in &code.constants {
            rows.fill(slot, bits);
        }
        rows
    }

    /// Gives every lane of a row the same value.
    pub(in crate::sim) fn fill(&mut self, slot: Slot, bits: u64) {
        match slot {
            Slot::Flag(row) => self.flags[row as usize] = if bits & 1 != 0 { !0 } else { 0 },
            Slot::Word(row) => self.words[row as usize] = [bits as u32; L],
            Slot::Wide(row) => self.wides[row as usize] = [bits; L],
        }
    }

    /// A row, zero-extended.
    pub(super) fn all(&self, slot: Slot) -> [u64; L] {
        match slot {
            Slot::Flag(row) => {
                let flags = self.flags[row as usize];
                std::array::from_fn(|lane| flags >> lane & 1)
            }
            Slot::Word(row) => self.words[row as usize].map(u64::from),
            Slot::Wide(row) => self.wides[row as usize],
        }
    }

    #[inline]
    pub(super) fn read(&self, slot: Slot, lane: usize) -> u64 {
        match slot {
            Slot::Flag(row) => self.flags[row as usize] >> lane & 1,
            Slot::Word(row) => u64::from(self.words[row as usize][lane]),
            Slot::Wide(row) => self.wides[row as usize][lane],
        }
    }

    #[inline]
    pub(in crate::sim) fn write(&mut self, slot: Slot, lane: usize, bits: u64) {
        match slot {
            Slot::Flag(row) => {
                let row = &mut self.flags[row as usize];
                *row = *row & !(1 << lane) | (bits & 1) << lane;
            }
            Slot::Word(row) => self.words[row as usize][lane] = bits as u32,
            Slot::Wide(row) => self.wides[row as usize][lane] = bits,
        }
    }
}

/// A warp.
#[derive(Debug)]
pub(in crate::sim) struct Warp<const L: usize> {
    pub(in crate::sim) index: u32,
    pub(in crate::sim) rows: Rows<L>,
    pub(super) local: Tracked,
    pub(in crate::sim) fragments: Vec<Fragment>,
    /// Copies that have not ended.
    pub(super) flights: Flights,
    /// Boxes that have not gone out.
    pub(super) out_boxes: OutBoxes,
    /// Products that have not ended.
    pub(super) products: Products,
    /// Lanes that have not returned.
    pub(in crate::sim) live: u64,
    /// Lanes that have come to the open meeting of the cluster.
    pub(in crate::sim) arrived: u64,
    /// Lanes whose last meeting of the cluster is complete, and that have not gone on.
    pub(in crate::sim) met: u64,
}

impl<const L: usize> Warp<L> {
    /// Ends the copies that an mbarrier waits for; the time up to which no copy of the warp is on its way.
    pub(in crate::sim) fn end_copies(&mut self, hold: Hold, shared: &mut Tracked) -> u32 {
        self.flights.end(hold, shared)
    }

    pub(super) const FULL: u64 = if L == 64 { !0 } else { (1 << L) - 1 };

    /// A warp of `program` with `lanes` lanes, ready to start.
    pub(in crate::sim) fn new(program: &Program, index: u32, lanes: u32) -> Self {
        let code = &program.code;
        let mut warp = Warp {
            index,
            rows: Rows::new(code),
            local: Tracked::new(code.local_bytes as usize * L),
            fragments: Vec::new(),
            flights: Flights::new(L),
            out_boxes: OutBoxes::default(),
            products: Products::new(),
            live: 0,
            arrived: 0,
            met: 0,
        };
        warp.restart(lanes);
        warp
    }

    /// Makes the warp ready to start again, with `lanes` lanes; constants and arguments stay.
    pub(in crate::sim) fn restart(&mut self, lanes: u32) {
        self.live = if lanes as usize >= L { Self::FULL } else { (1 << lanes) - 1 };
        self.fragments = vec![Fragment { pc: 0, mask: self.live, wait: Wait::Ready }];
        (self.arrived, self.met) = (0, 0);
        self.flights = Flights::new(L);
        self.products = Products::new();
        self.local.reset();
    }
}
