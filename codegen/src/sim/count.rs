//! Counts: what the hardware would have to do for the accesses that were made.
//!
//! * Global memory: a request of a warp costs the number of distinct 32-byte sectors it touches
//!   (CUDA programming guide, device memory accesses).
//! * Shared memory: lanes are served in groups; a group costs the largest number of distinct words
//!   in one bank. Which lanes make a group, and how many banks there are, the target's row says
//!   ([`BankModel`]); the words are those of the addresses that passed by.
//!
//! Costs are kept by operation, and added up by line and by kind at the end.

use std::collections::BTreeMap;

use tile_layout::banks::{BankModel, Direction, Group};

use super::bytecode::{Code, Op};

/// Bytes of a sector of global memory.
const SECTOR: u64 = 32;
/// Bytes of a word of shared memory.
const WORD: u64 = 4;
/// Lanes of the widest warp.
const LANES_MAX: usize = 64;
/// Stands for no word in a bank.
const FREE: u64 = u64::MAX;
/// Banks of the target that has the most.
const BANKS_MAX: usize = 64;

/// How a target serves shared memory, ready for counting.
#[derive(Clone, Debug)]
pub(super) struct Banks {
    /// Reads and writes of 4, 8, 12 and 16 bytes a lane.
    served: [[Served; 4]; 2],
}

/// One width and direction.
#[derive(Clone, Debug)]
struct Served {
    banks: u64,
    /// The lanes of every group, as masks.
    groups: Vec<u64>,
}

impl Served {
    fn new(group: &Group, lanes: u32) -> Self {
        let mut masks: BTreeMap<u64, u64> = BTreeMap::new();
        for lane in 0..u64::from(lanes) {
            *masks.entry(group.of(lane)).or_default() |= 1 << lane;
        }
        Served { banks: u64::from(group.banks), groups: masks.into_values().collect() }
    }
}

impl Banks {
    pub(super) fn new(model: &BankModel, lanes: u32) -> Self {
        let widths = |direction| {
            [4, 8, 12, 16].map(|bytes| Served::new(model.group(bytes, direction), lanes))
        };
        Banks { served: [widths(Direction::Read), widths(Direction::Write)] }
    }

    fn served(&self, traffic: Traffic) -> &Served {
        let class = (traffic.bytes.max(1).div_ceil(4) - 1).min(3) as usize;
        &self.served[usize::from(traffic.store)][class]
    }
}

/// A request of a warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traffic {
    pub(super) bytes: u32,
    pub(super) store: bool,
    pub(super) mask: u64,
}

/// Requests to one memory with their cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cost {
    /// Accesses of a warp.
    pub requests: u64,
    /// What they cost: sectors of global memory, wavefronts of shared memory.
    pub units: u64,
    /// What they would cost at best.
    pub ideal: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Cost) {
        self.requests += other.requests;
        self.units += other.units;
        self.ideal += other.ideal;
    }
}

/// What an access does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Way {
    /// Memory to registers.
    Load,
    /// Registers to memory.
    Store,
    /// Global to shared memory, past the registers.
    Copy,
}

/// The accesses of one kind that a line of the source made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SiteCost {
    /// The debug line, none for instructions without one.
    pub line: Option<u32>,
    /// What they do.
    pub way: Way,
    /// Global memory.
    pub global: Cost,
    /// Shared memory.
    pub shared: Cost,
}

/// How the addresses of a request lie to each other. Requests of an operation with one pattern cost the
/// same: all addresses differ by one distance, which moves sectors as they are, and turns all banks.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Pattern {
    mask: u64,
    /// Bytes of the first address beyond the last sector or word.
    phase: u64,
    /// Distances to the first address, zero for lanes that are not active.
    distances: [u64; LANES_MAX],
}

impl Pattern {
    fn new<const L: usize>(mask: u64, unit: u64, addresses: &[u64; L]) -> Self {
        let base = addresses[mask.trailing_zeros() as usize % L];
        let mut distances = [0; LANES_MAX];
        for lane in 0..L {
            let active = (mask >> lane & 1).wrapping_neg();
            distances[lane] = addresses[lane].wrapping_sub(base) & active;
        }
        Pattern { mask, phase: base % unit, distances }
    }
}

/// The last pattern of an operation with its cost.
#[derive(Clone, Debug, Default)]
struct Known(Option<Box<(Pattern, Cost)>>);

impl Known {
    fn recall(&self, pattern: &Pattern) -> Option<Cost> {
        self.0.as_ref().filter(|known| known.0 == *pattern).map(|known| known.1)
    }

    fn remember(&mut self, pattern: Pattern, cost: Cost) {
        self.0 = Some(Box::new((pattern, cost)));
    }
}

/// Everything that is counted in a launch.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) barriers: u64,
    pub(super) barrier_waits: u64,
    pub(super) divergent_branches: u64,
    pub(super) atomics: u64,
    pub(super) local_accesses: u64,
    /// The costs of every operation on global and shared memory.
    costs: Vec<[Cost; 2]>,
    patterns: Vec<[Known; 2]>,
    /// How often warps began to run at an operation, less how often they stopped before it: a block's operations
    /// ran as often as the sum of these from its first one on.
    entered: Vec<i64>,
    crowded: Vec<(u64, u64)>,
    sectors: Vec<u64>,
}

impl Counts {
    pub(super) fn new(code: &Code) -> Self {
        let n = code.ops.len();
        Counts {
            entered: vec![0; n],
            costs: vec![[Cost::default(); 2]; n],
            patterns: vec![Default::default(); n],
            ..Counts::default()
        }
    }

    /// A warp begins to run at `pc`.
    pub(super) fn enter(&mut self, pc: u32) {
        self.entered[pc as usize] += 1;
    }

    /// A warp stops before it runs what is at `pc`, inside of a block.
    pub(super) fn leave(&mut self, pc: u32) {
        self.entered[pc as usize] -= 1;
    }

    pub(super) fn global<const L: usize>(
        &mut self,
        pc: u32,
        traffic: Traffic,
        addresses: &[u64; L],
    ) {
        let pattern = Pattern::new(traffic.mask, SECTOR, addresses);
        let cost = match self.patterns[pc as usize][0].recall(&pattern) {
            Some(cost) => cost,
            None => {
                let cost = self.sectors(traffic, addresses);
                self.patterns[pc as usize][0].remember(pattern, cost);
                cost
            }
        };
        self.costs[pc as usize][0] += cost;
    }

    /// The number of distinct sectors.
    fn sectors<const L: usize>(&mut self, traffic: Traffic, addresses: &[u64; L]) -> Cost {
        self.sectors.clear();
        for lane in super::exec::lanes_of(traffic.mask) {
            let first = addresses[lane] / SECTOR;
            let last = (addresses[lane] + u64::from(traffic.bytes.max(1)) - 1) / SECTOR;
            self.sectors.extend(first..=last);
        }
        self.sectors.sort_unstable();
        self.sectors.dedup();
        let bytes = u64::from(traffic.mask.count_ones()) * u64::from(traffic.bytes);
        Cost { requests: 1, units: self.sectors.len() as u64, ideal: bytes.div_ceil(SECTOR) }
    }

    pub(super) fn shared<const L: usize>(
        &mut self,
        pc: u32,
        traffic: Traffic,
        addresses: &[u64; L],
        banks: &Banks,
    ) {
        let pattern = Pattern::new(traffic.mask, WORD, addresses);
        let cost = match self.patterns[pc as usize][1].recall(&pattern) {
            Some(cost) => cost,
            None => {
                let cost = self.groups(traffic, addresses, banks);
                self.patterns[pc as usize][1].remember(pattern, cost);
                cost
            }
        };
        self.costs[pc as usize][1] += cost;
    }

    /// The wavefronts of every group of lanes.
    fn groups<const L: usize>(
        &mut self,
        traffic: Traffic,
        addresses: &[u64; L],
        banks: &Banks,
    ) -> Cost {
        let served = banks.served(traffic);
        let mut cost = Cost { requests: 1, ..Cost::default() };
        for group in served.groups.iter().map(|it| it & traffic.mask).filter(|&it| it != 0) {
            cost.units += self.wavefronts(served.banks, traffic.bytes, group, addresses);
            cost.ideal += 1;
        }
        cost
    }

    /// The largest number of distinct words in one bank among the lanes of `group`.
    fn wavefronts<const L: usize>(
        &mut self,
        banks: u64,
        bytes: u32,
        group: u64,
        addresses: &[u64; L],
    ) -> u64 {
        let mut words = [FREE; BANKS_MAX];
        self.crowded.clear();
        for lane in super::exec::lanes_of(group) {
            let first = addresses[lane] / WORD;
            let last = (addresses[lane] + u64::from(bytes.max(1)) - 1) / WORD;
            for word in first..=last {
                let bank = &mut words[(word % banks) as usize % BANKS_MAX];
                if *bank == FREE {
                    *bank = word;
                } else if *bank != word {
                    self.crowded.push((word % banks, word));
                }
            }
        }
        self.crowded.sort_unstable();
        self.crowded.dedup();
        let more = self.crowded.chunk_by(|a, b| a.0 == b.0).map(<[_]>::len).max();
        1 + more.unwrap_or(0) as u64
    }

    /// The counts by name. Instructions are of bytecode: an access or a fused operation is one.
    pub(super) fn report(&self, code: &Code, lanes: u32) -> BTreeMap<String, u64> {
        let mut res = BTreeMap::new();
        let mut add = |name: &str, n: u64| *res.entry(name.to_owned()).or_insert(0) += n;
        let mut sums = BTreeMap::from(
            [Way::Load, Way::Store, Way::Copy].map(|way| (way, [Cost::default(); 2])),
        );
        for (op, costs) in code.ops.iter().zip(&self.costs) {
            let Some(way) = way(op, code) else {
                continue;
            };
            let sum = sums.get_mut(&way).expect("every way has its sums");
            (0..2).for_each(|memory| sum[memory] += costs[memory]);
        }
        for (way, [global, shared]) in sums {
            let what = match way {
                Way::Load => "load",
                Way::Store => "store",
                Way::Copy => "copy",
            };
            add(&format!("global_{what}_requests"), global.requests);
            add(&format!("global_{what}_sectors"), global.units);
            add(&format!("global_{what}_sectors_ideal"), global.ideal);
            add(&format!("shared_{what}_requests"), shared.requests);
            add(&format!("shared_{what}_wavefronts"), shared.units);
            add(&format!("shared_{what}_wavefronts_ideal"), shared.ideal);
        }
        add("atomics", self.atomics);
        add("barriers", self.barriers);
        add("barrier_waits", self.barrier_waits);
        add("divergent_branches", self.divergent_branches);
        add("local_accesses", self.local_accesses);
        add("lanes", u64::from(lanes));
        self.mix(code, &mut add);
        res
    }

    /// The costs by line and way, in that order.
    pub(super) fn sites(&self, code: &Code) -> Vec<SiteCost> {
        let mut sums: BTreeMap<(u32, Way), [Cost; 2]> = BTreeMap::new();
        for ((op, costs), origin) in code.ops.iter().zip(&self.costs).zip(&code.origins) {
            if let Some(way) = way(op, code)
                && costs.iter().any(|it| it.requests > 0)
            {
                let sum = sums.entry((origin.line, way)).or_default();
                (0..2).for_each(|memory| sum[memory] += costs[memory]);
            }
        }
        let sites = sums.into_iter().map(|((line, way), [global, shared])| SiteCost {
            line: (line != 0).then_some(line),
            way,
            global,
            shared,
        });
        sites.collect()
    }

    fn mix(&self, code: &Code, add: &mut impl FnMut(&str, u64)) {
        let mut times = 0i64;
        for (op, &entered) in code.ops.iter().zip(&self.entered) {
            times += entered;
            if let Some(name) = class(op) {
                let times = times as u64;
                add(name, times);
                add("instructions", times);
            }
            if ends_block(op) {
                times = 0;
            }
        }
    }
}

/// What an operation does with memory, none if nothing that has a cost.
fn way(op: &Op, code: &Code) -> Option<Way> {
    match *op {
        Op::Load { .. } | Op::TransposedRead { .. } => Some(Way::Load),
        Op::Store { .. } => Some(Way::Store),
        Op::MatrixMove { table } if code.matrix_moves[table as usize].store => Some(Way::Store),
        Op::MatrixMove { .. } => Some(Way::Load),
        Op::AsyncCopy { .. } => Some(Way::Copy),
        _ => None,
    }
}

fn ends_block(op: &Op) -> bool {
    matches!(
        op,
        Op::Jump { .. } | Op::Branch { .. } | Op::Switch { .. } | Op::Return | Op::Trap { .. }
    )
}

/// The class of an operation in the instruction mix, none for what is no instruction.
fn class(op: &Op) -> Option<&'static str> {
    Some(match op {
        Op::Copy { .. } | Op::Restrict { .. } | Op::Restore | Op::Repack { .. } => return None,
        Op::Int { .. }
        | Op::Bit { .. }
        | Op::Funnel { .. }
        | Op::Test { .. }
        | Op::Flag { .. }
        | Op::Select { .. }
        | Op::SignExtend { .. }
        | Op::Widen { .. }
        | Op::Narrow { .. }
        | Op::Special { .. }
        | Op::MapPeer { .. }
        | Op::ToGeneric { .. }
        | Op::FromGeneric { .. }
        | Op::IsSpace { .. } => "integer_instructions",
        Op::Real1 { .. }
        | Op::Real2 { .. }
        | Op::Fma { .. }
        | Op::Scale { .. }
        | Op::RealTest { .. }
        | Op::Class { .. } => "real_instructions",
        Op::Convert { .. } | Op::FromInt { .. } | Op::ToInt { .. } => "conversion_instructions",
        Op::Load { .. }
        | Op::MatrixMove { .. }
        | Op::TransposedRead { .. }
        | Op::Store { .. }
        | Op::Atomic { .. }
        | Op::CopyBytes { .. }
        | Op::AsyncCopy { .. }
        | Op::MoveBox { .. } => "memory_instructions",
        Op::Product { .. } | Op::GroupProduct { .. } => "matrix_instructions",
        Op::Shuffle { .. } | Op::Vote { .. } | Op::Cross { .. } => "lane_instructions",
        Op::Barrier { .. }
        | Op::ArriveAtCluster
        | Op::AwaitCluster
        | Op::Mbarrier { .. }
        | Op::PublishMbarriers
        | Op::CommitBoxes
        | Op::AwaitBoxes { .. }
        | Op::ShowEngine
        | Op::WarpSync { .. }
        | Op::Fence { .. }
        | Op::Release
        | Op::CommitProducts
        | Op::AwaitProducts { .. }
        | Op::CommitCopies
        | Op::AwaitCopies { .. }
        | Op::AwaitMemory { .. } => "sync_instructions",
        Op::Jump { .. } | Op::Branch { .. } | Op::Switch { .. } | Op::Return | Op::Trap { .. } => {
            "control_instructions"
        }
        Op::Print { .. } | Op::Hook { .. } => "hook_instructions",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wavefronts of one read.
    fn read(bytes: u32, model: &BankModel, lanes: u32, address: impl Fn(usize) -> usize) -> u64 {
        let mut counts = Counts {
            costs: vec![[Cost::default(); 2]],
            patterns: vec![Default::default()],
            ..Counts::default()
        };
        let addresses: [u64; 64] = std::array::from_fn(|lane| address(lane) as u64);
        let mask = if lanes == 64 { !0 } else { (1 << lanes) - 1 };
        let traffic = Traffic { bytes, store: false, mask };
        counts.shared(0, traffic, &addresses, &Banks::new(model, lanes));
        counts.costs[0][1].units
    }

    #[test]
    fn nvidia_wavefronts_are_the_textbook_ones() {
        let golden = [
            (4, 4, 1),
            (4, 8, 2),
            (4, 128, 32),
            (4, 132, 1),
            (4, 0, 1),
            (8, 8, 2),
            (8, 16, 4),
            (16, 16, 4),
            (16, 32, 8),
            (16, 128, 32),
            (16, 144, 4),
            (2, 64, 16),
            (1, 1, 1),
        ];
        for (bytes, stride, expected) in golden {
            let got = read(bytes, &BankModel::NVIDIA, 32, |lane| lane * stride);
            assert_eq!(got, expected, "{bytes} bytes, stride {stride}");
        }
    }

    #[test]
    fn contiguous_16_byte_reads_cost_8_groups_on_gfx942_and_4_on_gfx950() {
        assert_eq!(read(16, &BankModel::CDNA3, 64, |lane| 16 * lane), 8);
        assert_eq!(read(16, &BankModel::CDNA4, 64, |lane| 16 * lane), 4);
    }

    #[test]
    fn a_matrix_operand_read_costs_what_was_measured() {
        // Lane l reads row l % 16, 16-byte column l / 16, of rows `pitch` bytes apart.
        for (pitch, gfx942, gfx950) in
            [(128, 32, 16), (144, 16, 8), (160, 8, 4), (256, 32, 32), (272, 16, 8)]
        {
            for (model, expected) in [(BankModel::CDNA3, gfx942), (BankModel::CDNA4, gfx950)] {
                let got = read(16, &model, 64, |lane| lane % 16 * pitch + lane / 16 * 16);
                assert_eq!(got, expected, "{model:?}, pitch {pitch}");
            }
        }
        // The same tile with 16-byte columns exchanged by the row.
        let swizzled = |lane: usize| lane % 16 * 128 + ((16 * (lane / 16)) ^ (16 * (lane % 8)));
        assert_eq!(read(16, &BankModel::CDNA3, 64, swizzled), 8);
        assert_eq!(read(16, &BankModel::CDNA4, 64, swizzled), 4);
    }
}
