//! Counts: what the hardware would have to do for the accesses that were made.
//!
//! * Global memory: a request of a warp costs the number of distinct 32-byte sectors it touches
//!   (CUDA programming guide, device memory accesses).
//! * Shared memory: lanes are served in phases; a phase costs the largest number of distinct words
//!   in one bank. Which lanes share a phase, and how many banks there are, is a fact of the target:
//!   [`Banks`].

use std::collections::BTreeMap;

use super::bytecode::{Code, Op};

/// Bytes of a sector of global memory.
const SECTOR: u64 = 32;

/// How a target serves shared memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Banks {
    /// 32 banks; phases of 32, 16 and 8 lanes for 4, 8 and 16 bytes (CUDA programming guide,
    /// compute capability 5.x and later).
    Nvidia,
    /// 32 banks; measured phases of gfx942 (ROCKE profiles, nod-ai; the 16-byte read pairs lanes
    /// 0-3 with 20-23).
    Gfx942,
    /// As gfx942, but 8- and 16-byte reads see 64 banks (measured on MI350X).
    Gfx950,
}

impl Banks {
    fn count(self, traffic: Traffic) -> u64 {
        match self {
            Banks::Gfx950 if !traffic.store && traffic.bytes >= 8 => 64,
            _ => 32,
        }
    }

    /// Lanes with the same number are served together.
    fn phase(self, lane: usize, traffic: Traffic) -> usize {
        let bit = |n: usize| lane >> n & 1;
        let pairs = traffic.bytes.max(4).div_ceil(4).next_power_of_two().trailing_zeros();
        match (self, pairs.min(2), traffic.store) {
            (Banks::Nvidia, 0, _) => 0,
            (Banks::Nvidia, 1, _) => lane / 16,
            (Banks::Nvidia, ..) => lane / 8,
            (Banks::Gfx942 | Banks::Gfx950, 0, _) => bit(5),
            (Banks::Gfx950, 1, false) => bit(5),
            (Banks::Gfx942 | Banks::Gfx950, 1, _) => bit(5) * 2 + bit(4),
            (Banks::Gfx942, _, false) => bit(5) * 4 + (bit(4) ^ bit(2)) * 2 + bit(3),
            (Banks::Gfx950, _, false) => bit(5) * 2 + (bit(4) ^ bit(3) ^ bit(2)),
            (Banks::Gfx942 | Banks::Gfx950, _, true) => bit(5) * 4 + bit(4) * 2 + bit(3),
        }
    }
}

/// A request of a warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traffic {
    pub(super) bytes: u32,
    pub(super) store: bool,
    pub(super) mask: u64,
}

/// Requests of one kind with their cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Cost {
    requests: u64,
    units: u64,
    ideal: u64,
}

/// Everything that is counted in a launch.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) barriers: u64,
    pub(super) barrier_waits: u64,
    pub(super) divergent_branches: u64,
    pub(super) atomics: u64,
    pub(super) local_accesses: u64,
    global: [Cost; 2],
    shared: [Cost; 2],
    /// How often a block was entered, by its first operation.
    entered: Vec<u32>,
    scratch: Vec<(u32, u32, u64)>,
    sectors: Vec<u64>,
}

impl Counts {
    pub(super) fn new(code: &Code) -> Self {
        Counts { entered: vec![0; code.ops.len()], ..Counts::default() }
    }

    /// A warp begins to run at `pc`.
    pub(super) fn enter(&mut self, pc: u32) {
        self.entered[pc as usize] += 1;
    }

    pub(super) fn global<const L: usize>(&mut self, traffic: Traffic, addresses: &[u64; L]) {
        self.sectors.clear();
        let lanes = super::exec::lanes_of(traffic.mask);
        for lane in lanes {
            let first = addresses[lane] / SECTOR;
            let last = (addresses[lane] + u64::from(traffic.bytes.max(1)) - 1) / SECTOR;
            self.sectors.extend(first..=last);
        }
        self.sectors.sort_unstable();
        self.sectors.dedup();
        let cost = &mut self.global[usize::from(traffic.store)];
        cost.requests += 1;
        cost.units += self.sectors.len() as u64;
        cost.ideal +=
            (u64::from(traffic.mask.count_ones()) * u64::from(traffic.bytes)).div_ceil(SECTOR);
    }

    pub(super) fn shared<const L: usize>(
        &mut self,
        traffic: Traffic,
        addresses: &[u64; L],
        banks: Banks,
    ) {
        self.scratch.clear();
        let count = banks.count(traffic);
        for lane in super::exec::lanes_of(traffic.mask) {
            let first = addresses[lane] / 4;
            let last = (addresses[lane] + u64::from(traffic.bytes.max(1)) - 1) / 4;
            let phase = banks.phase(lane, traffic) as u32;
            self.scratch.extend((first..=last).map(|word| (phase, (word % count) as u32, word)));
        }
        self.scratch.sort_unstable();
        self.scratch.dedup();
        let cost = &mut self.shared[usize::from(traffic.store)];
        cost.requests += 1;
        cost.units += wavefronts(&self.scratch);
        cost.ideal += phases(&self.scratch);
    }

    /// The counts by name. Instructions are of bytecode: an access or a fused operation is one.
    pub(super) fn report(&self, code: &Code, lanes: u32) -> BTreeMap<String, u64> {
        let mut res = BTreeMap::new();
        let mut add = |name: &str, n: u64| *res.entry(name.to_owned()).or_insert(0) += n;
        for (i, what) in ["load", "store"].into_iter().enumerate() {
            let (global, shared) = (self.global[i], self.shared[i]);
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

    fn mix(&self, code: &Code, add: &mut impl FnMut(&str, u64)) {
        let mut times = 0;
        for (op, &entered) in code.ops.iter().zip(&self.entered) {
            times += u64::from(entered);
            if let Some(name) = class(op) {
                add(name, times);
                add("instructions", times);
            }
            if ends_block(op) {
                times = 0;
            }
        }
    }
}

fn wavefronts(sorted: &[(u32, u32, u64)]) -> u64 {
    let mut total = 0;
    let by_phase = sorted.chunk_by(|a, b| a.0 == b.0);
    for phase in by_phase {
        let by_bank = phase.chunk_by(|a, b| a.1 == b.1);
        total += by_bank.map(<[_]>::len).max().unwrap_or(0) as u64;
    }
    total
}

fn phases(sorted: &[(u32, u32, u64)]) -> u64 {
    sorted.chunk_by(|a, b| a.0 == b.0).count() as u64
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
        | Op::AsyncCopy { .. } => "memory_instructions",
        Op::Product { .. } => "matrix_instructions",
        Op::Shuffle { .. } | Op::Vote { .. } | Op::Cross { .. } => "lane_instructions",
        Op::Barrier { .. }
        | Op::WarpSync { .. }
        | Op::Fence { .. }
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

    fn shared(bytes: u32, stride: u64, banks: Banks, lanes: usize) -> u64 {
        let mut counts = Counts::default();
        let addresses: [u64; 64] = std::array::from_fn(|lane| lane as u64 * stride);
        let mask = if lanes == 64 { !0 } else { (1 << lanes) - 1 };
        let traffic = Traffic { bytes, store: false, mask };
        counts.shared(traffic, &addresses, banks);
        counts.shared[0].units
    }

    #[test]
    fn nvidia_wavefronts_are_the_textbook_ones() {
        let golden = [
            (4, 4, 1),
            (4, 8, 2),
            (4, 128, 32),
            (4, 132, 1),
            (4, 0, 1),
            (16, 16, 4),
            (16, 32, 8),
            (16, 128, 32),
            (16, 144, 4),
            (2, 64, 16),
        ];
        for (bytes, stride, expected) in golden {
            assert_eq!(
                shared(bytes, stride, Banks::Nvidia, 32),
                expected,
                "{bytes} bytes, stride {stride}"
            );
        }
    }

    #[test]
    fn contiguous_16_byte_reads_cost_8_phases_on_gfx942_and_4_on_gfx950() {
        assert_eq!(shared(16, 16, Banks::Gfx942, 64), 8);
        assert_eq!(shared(16, 16, Banks::Gfx950, 64), 4);
    }

    #[test]
    fn a_matrix_operand_read_costs_what_was_measured() {
        // Lane l reads row l % 16, 16-byte column l / 16, of rows `pitch` bytes apart.
        for (pitch, gfx942, gfx950) in
            [(128, 32, 16), (144, 16, 8), (160, 8, 4), (256, 32, 32), (272, 16, 8)]
        {
            for (banks, expected) in [(Banks::Gfx942, gfx942), (Banks::Gfx950, gfx950)] {
                let mut counts = Counts::default();
                let address = |lane: usize| (lane % 16 * pitch + lane / 16 * 16) as u64;
                let traffic = Traffic { bytes: 16, store: false, mask: !0 };
                counts.shared::<64>(traffic, &std::array::from_fn(address), banks);
                assert_eq!(counts.shared[0].units, expected, "{banks:?}, pitch {pitch}");
            }
        }
    }
}
