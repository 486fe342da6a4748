//! From two maps to a plan: where each place of the destination finds its element.

use super::{Plan, PlanStep, exchange, shared};
use crate::access::SharedModel;
use crate::bits::{Echelon, apply};
use crate::layout::{In, Layout};

/// Fetching `dst(p) + constant`, an element of `src`, into each place `p`.
pub(super) struct Gather<'a> {
    pub(super) src: &'a Layout,
    /// For every bit of a destination's place, the element of the source that it adds.
    pub(super) dst: Columns,
    /// The source's bases, likewise.
    pub(super) from: Columns,
    pub(super) constant: u64,
    /// Repetitions of the box; the same on both sides.
    pub(super) repetitions: u32,
}

/// Columns of a map from register, lane and warp.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) regs: Vec<u64>,
    pub(super) lanes: Vec<u64>,
    pub(super) warps: Vec<u64>,
}

impl Columns {
    fn new(layout: &Layout, columns: &[u64]) -> Columns {
        let (regs, rest) = columns.split_at(layout.bases(In::Register).len());
        let (lanes, warps) = rest.split_at(layout.bases(In::Lane).len());
        Columns { regs: regs.into(), lanes: lanes.into(), warps: warps.into() }
    }
}

/// Where the source's element for a bit of the destination's place lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Source {
    pub(super) register: u64,
    pub(super) lane: u64,
    pub(super) warp: u64,
}

/// The source's place as a linear (affine) function of the destination's.
#[derive(Debug)]
pub(super) struct Correction {
    pub(super) regs: Vec<Source>,
    pub(super) lanes: Vec<Source>,
    pub(super) warps: Vec<Source>,
    pub(super) constant: Source,
}

impl<'a> Gather<'a> {
    pub(super) fn new(
        src: &'a Layout,
        dst: &Layout,
        columns: Vec<u64>,
        constant: u64,
    ) -> Gather<'a> {
        assert_eq!(src.bases(In::Lane).len(), dst.bases(In::Lane).len(), "V3: lanes agree");
        assert_eq!(src.bases(In::Warp).len(), dst.bases(In::Warp).len(), "V3: warps agree");
        Gather {
            src,
            dst: Columns::new(dst, &columns),
            from: Columns::new(src, src.columns()),
            constant,
            repetitions: src.n_repetitions(),
        }
    }

    pub(super) fn plan(&self, elem_bits: u32, model: &SharedModel) -> Plan {
        let correction = self.correction();
        let steps = if correction.keeps_warps() && correction.keeps_lanes() {
            self.within_threads(&correction)
        } else {
            let shuffles =
                correction.keeps_warps().then(|| exchange::steps(self, &correction, elem_bits));
            let through = || vec![shared::step(self, elem_bits, correction.keeps_warps(), model)];
            shuffles.flatten().unwrap_or_else(through)
        };
        let registers_before = self.repetitions << self.from.regs.len();
        let registers_after = self.repetitions << self.dst.regs.len();
        Plan { steps, registers_before, registers_after }
    }

    /// The nearest source of each destination bit: the destination's own lane and warp, corrected
    /// by what its own copy lacks.
    fn correction(&self) -> Correction {
        let Columns { regs, lanes, warps } = &self.from;
        let span = Echelon::new(regs.iter().chain(lanes).chain(warps).copied());
        let place = |element: u64| {
            let bits = span.solve(element).expect("L3: the source holds every element");
            let (n, m) = (regs.len(), regs.len() + lanes.len());
            Source {
                register: bits & ((1 << n) - 1),
                lane: bits >> n & ((1 << lanes.len()) - 1),
                warp: bits >> m,
            }
        };
        let own = |(i, (&wanted, &held)): (usize, (&u64, &u64))| (place(wanted ^ held), 1u64 << i);
        Correction {
            regs: self.dst.regs.iter().map(|&it| place(it)).collect(),
            lanes: self
                .dst
                .lanes
                .iter()
                .zip(lanes)
                .enumerate()
                .map(own)
                .map(|(it, bit)| Source { lane: it.lane ^ bit, ..it })
                .collect(),
            warps: self
                .dst
                .warps
                .iter()
                .zip(warps)
                .enumerate()
                .map(own)
                .map(|(it, bit)| Source { warp: it.warp ^ bit, ..it })
                .collect(),
            constant: place(self.constant),
        }
    }

    fn within_threads(&self, correction: &Correction) -> Vec<PlanStep> {
        let lanes: Vec<u64> = correction.lanes.iter().map(|it| it.register).collect();
        let warps: Vec<u64> = correction.warps.iter().map(|it| it.register).collect();
        let regs: Vec<u64> = correction.regs.iter().map(|it| it.register).collect();
        let mut steps = swaps(&lanes, &warps);
        steps.extend(self.permute(&regs, correction.constant.register));
        steps
    }

    /// Register `j` becomes what `regs * j + constant` was, in every repetition; `None` if that is nothing.
    pub(super) fn permute(&self, regs: &[u64], constant: u64) -> Option<PlanStep> {
        let n_before = self.from.regs.len();
        let repetition = |r: u32| {
            let base = r << n_before;
            (0..1u64 << regs.len()).map(move |j| base | (apply(regs, j) ^ constant) as u32)
        };
        let from: Vec<u32> = (0..self.repetitions).flat_map(repetition).collect();
        let nothing = n_before == regs.len() && from.iter().copied().eq(0..from.len() as u32);
        (!nothing).then_some(PlanStep::Permute { from })
    }
}

impl Correction {
    fn keeps_warps(&self) -> bool {
        let own = |(i, it): (usize, &Source)| it.warp == 1 << i;
        let none = |it: &Source| it.warp == 0;
        self.warps.iter().enumerate().all(own)
            && self.regs.iter().chain(&self.lanes).chain([&self.constant]).all(none)
    }

    fn keeps_lanes(&self) -> bool {
        let own = |(i, it): (usize, &Source)| it.lane == 1 << i;
        let none = |it: &Source| it.lane == 0;
        self.lanes.iter().enumerate().all(own)
            && self.regs.iter().chain(&self.warps).chain([&self.constant]).all(none)
    }
}

/// Steps after which register `k` holds what register `k + lanes * lane + warps * warp` held.
pub(super) fn swaps(lanes: &[u64], warps: &[u64]) -> Vec<PlanStep> {
    let mut span = Echelon::default();
    let mut basis = Vec::new();
    for &column in lanes.iter().chain(warps) {
        if span.add(column) {
            basis.push(column);
        }
    }
    let chosen = Echelon::new(basis.iter().copied());
    let uses = |columns: &[u64], k: usize| {
        let bit = |column: &u64| chosen.solve(*column).is_some_and(|it| it >> k & 1 == 1);
        columns.iter().enumerate().filter(|it| bit(it.1)).fold(0, |mask, it| mask | 1u32 << it.0)
    };
    let swap = |(k, &xor): (usize, &u64)| PlanStep::Swap {
        xor: xor as u32,
        lanes: uses(lanes, k),
        warps: uses(warps, k),
    };
    basis.iter().enumerate().map(swap).collect()
}
