//! Conversions through shared memory: an order of the elements that suits both sides.
//!
//! # The idea
//! The buffer's offset is split into *vector* bits (elements that both sides hold in registers, so
//! that one access moves them), *bank* bits (elements that one wavefront spreads over the banks) and
//! *segment* bits (the rest). Two lanes of a wavefront meet in a bank exactly if their elements
//! differ by a vector of the segments' span; so the segments are chosen outside the span of the
//! lanes of a wavefront, of the store's and of the load's. Two proper subspaces never make up the
//! whole space: while both spans leave something out, a unit vector or the sum of two lies outside
//! both. That sum is the familiar swizzle.
//!
//! Index bits that both sides hold in registers alone cut the conversion into rounds which use the
//! buffer one after the other, as far as that is needed to keep it small.

use super::gather::{Columns, Gather};
use super::{BarrierScope, PlanStep, Round, RoundAccess, Shared, SharedSide};
use crate::banks::{self, Direction};
use crate::bits::{Echelon, apply, complement, log2, ones};
use crate::layout::In;

/// Scratch memory that is worth another round of barriers to stay below.
const BYTES_WANTED: u32 = 32 << 10;

/// Bytes of the widest access.
const ACCESS_BYTES_MAX: u32 = 16;

pub(super) fn step(gather: &Gather<'_>, elem_bits: u32, keeps_warps: bool) -> PlanStep {
    let elem_bytes = elem_bits.next_power_of_two().max(8) / 8;
    let n_bits = gather.src.extents().iter().map(|&it| log2(it.into())).sum();
    let cut = Cut::new(gather, n_bits, elem_bytes);
    let store = cut.inside(&gather.from);
    let load = cut.inside(&gather.dst);
    let offsets = Offsets::new(&store, &load, n_bits - cut.bits.count_ones(), elem_bytes);

    let mut rounds = vec![Round::default(); (gather.repetitions << cut.bits.count_ones()) as usize];
    let copies = gather.src.free_mask(In::Register);
    let (store, stores) = offsets.side(&store, 0, elem_bytes, Direction::Write);
    let (load, loads) =
        offsets.side(&load, cut.squeeze(gather.constant), elem_bytes, Direction::Read);
    for repetition in 0..gather.repetitions {
        let registers = |from: &Columns, it: &Lot, constant: u64| {
            let round = cut.round(apply(&from.regs, it.registers[0]) ^ constant);
            let base = repetition << from.regs.len();
            let registers = it.registers.iter().map(|&register| base | register as u32).collect();
            let at = (repetition << cut.bits.count_ones()) + round;
            (at as usize, RoundAccess { offset: it.offset * elem_bytes, registers })
        };
        for lot in stores.iter().filter(|it| it.registers[0] & u64::from(copies) == 0) {
            let (round, access) = registers(&gather.from, lot, 0);
            rounds[round].stores.push(access);
        }
        for lot in &loads {
            let (round, access) = registers(&gather.dst, lot, gather.constant);
            rounds[round].loads.push(access);
        }
    }
    let idle_warps = gather.src.free_mask(In::Warp);
    let alone = keeps_warps && idle_warps == 0;
    PlanStep::Shared(Shared {
        bytes: elem_bytes << (n_bits - cut.bits.count_ones()),
        elem_bytes,
        barrier: if alone { BarrierScope::Warp } else { BarrierScope::Block },
        store: SharedSide { idle_lanes: gather.src.free_mask(In::Lane), idle_warps, ..store },
        load,
        rounds,
    })
}

/// Index bits that number the rounds.
struct Cut {
    bits: u64,
    n_bits: u32,
}

impl Cut {
    fn new(gather: &Gather<'_>, n_bits: u32, elem_bytes: u32) -> Cut {
        let (from, dst) = (&gather.from, &gather.dst);
        let across = [&from.lanes, &from.warps, &dst.lanes, &dst.warps];
        let across = across.into_iter().flatten().fold(0, |sum, &it| sum | it);
        let mut res = Cut { bits: 0, n_bits };
        for bit in (0..n_bits).rev() {
            let unit = 1u64 << bit;
            let small = u64::from(elem_bytes) << (n_bits - res.bits.count_ones());
            if small <= BYTES_WANTED.into() {
                break;
            }
            let held = from.regs.contains(&unit) && dst.regs.contains(&unit);
            if held && across & unit == 0 {
                res.bits |= unit;
            }
        }
        res
    }

    /// The number of the round that an element belongs to.
    fn round(&self, element: u64) -> u32 {
        ones(self.bits)
            .enumerate()
            .fold(0, |sum, (i, bit)| sum | ((element >> bit & 1) as u32) << i)
    }

    /// The element's index without the bits that number the rounds.
    fn squeeze(&self, element: u64) -> u64 {
        let kept = (0..self.n_bits).filter(|&bit| self.bits >> bit & 1 == 0);
        kept.enumerate().fold(0, |sum, (i, bit)| sum | (element >> bit & 1) << i)
    }

    fn inside(&self, columns: &Columns) -> Columns {
        let squeeze = |list: &Vec<u64>| list.iter().map(|&it| self.squeeze(it)).collect();
        Columns {
            regs: squeeze(&columns.regs),
            lanes: squeeze(&columns.lanes),
            warps: squeeze(&columns.warps),
        }
    }
}

/// The order of the elements in the buffer.
pub(super) struct Offsets {
    basis: Echelon,
}

/// Registers that one access moves.
struct Lot {
    offset: u32,
    registers: Vec<u64>,
}

impl Offsets {
    fn new(store: &Columns, load: &Columns, n_bits: u32, elem_bytes: u32) -> Offsets {
        let vector = vector(store, load, elem_bytes);
        let n_vector = vector.len() as u32;
        let bytes = elem_bytes << n_vector;
        let wavefront = |side: &Columns, direction| {
            let lanes = banks::served_together(side.lanes.len() as u32, bytes, direction);
            lanes.into_iter().map(|it| apply(&side.lanes, it)).collect::<Vec<_>>()
        };
        let n_bank =
            log2(u64::from(banks::ROW_BYTES / bytes.min(banks::ROW_BYTES))).min(n_bits - n_vector);
        let segments = segments(
            &vector,
            &wavefront(store, Direction::Write),
            &wavefront(load, Direction::Read),
            n_bits,
            n_bits - n_vector - n_bank,
        );
        let taken: Vec<u64> = vector.iter().chain(&segments).copied().collect();
        let bank = highest_complement(&taken, n_bits);
        Offsets { basis: Echelon::new(vector.into_iter().chain(bank).chain(segments)) }
    }

    fn of(&self, element: u64) -> u32 {
        self.basis.solve(element).expect("L3: vector, banks and segments span everything") as u32
    }

    fn side(
        &self,
        columns: &Columns,
        constant: u64,
        elem_bytes: u32,
        direction: Direction,
    ) -> (SharedSide, Vec<Lot>) {
        let of_all = |list: &[u64]| list.iter().map(|&it| self.of(it)).collect::<Vec<_>>();
        let (regs, lanes, warps) =
            (of_all(&columns.regs), of_all(&columns.lanes), of_all(&columns.warps));
        let constant = self.of(constant);
        let rest = [&lanes[..], &warps[..], &[constant]].concat();
        let members = members(&regs, &rest, ACCESS_BYTES_MAX / elem_bytes);
        let vector = 1u32 << members.len();
        let mask = members.iter().fold(0, |mask, &bit| mask | 1u64 << bit);
        let regs: Vec<u64> = regs.into_iter().map(u64::from).collect();
        let leaders = (0..1u64 << regs.len()).filter(|it| it & mask == 0);
        let lots = leaders.map(|leader| Lot {
            offset: apply(&regs, leader) as u32 ^ constant,
            registers: (0..vector)
                .map(|k| ones(k.into()).fold(leader, |at, i| at | 1 << members[i as usize]))
                .collect(),
        });
        let in_bytes = |list: &[u32]| list.iter().map(|&it| it * elem_bytes).collect::<Vec<_>>();
        let lanes = in_bytes(&lanes);
        let side = SharedSide {
            conflicts: banks::extra_wavefronts(&lanes, vector * elem_bytes, direction),
            lanes,
            warps: in_bytes(&warps),
            idle_lanes: 0,
            idle_warps: 0,
            vector,
        };
        (side, lots.collect())
    }
}

/// The register bits that hold neighbours in memory, the nearest first, as far as every access
/// then begins at a multiple of its size.
fn members(regs: &[u32], rest: &[u32], most: u32) -> Vec<u32> {
    let mut res = Vec::new();
    while 2u32 << res.len() <= most {
        let unit = 1u32 << res.len();
        let Some(bit) = regs.iter().position(|&it| it == unit) else { break };
        let inside = |it: &u32| it & unit != 0;
        let alone = regs.iter().filter(|it| inside(it)).count() == 1 && !rest.iter().any(inside);
        if !alone {
            break;
        }
        res.push(bit as u32);
    }
    res
}

/// Elements that stay together: those in registers on both sides, or enough of others to fill a bank.
fn vector(store: &Columns, load: &Columns, elem_bytes: u32) -> Vec<u64> {
    let most = log2((ACCESS_BYTES_MAX / elem_bytes).into()) as usize;
    let word = log2((4 / elem_bytes.min(4)).into()) as usize;
    let mut span = Echelon::default();
    let mut res = Vec::new();
    let mut take = |it: u64, limit: usize| {
        if res.len() < limit && it != 0 && span.add(it) {
            res.push(it);
        }
    };
    store.regs.iter().filter(|it| load.regs.contains(it)).for_each(|&it| take(it, most));
    let shared = |a: &[u64], b: &[u64]| -> Vec<u64> {
        a.iter().copied().filter(|it| b.contains(it)).collect()
    };
    let by_store = shared(&store.regs, &load.warps);
    let by_load = shared(&load.regs, &store.warps);
    let both = shared(&store.warps, &load.warps);
    let (first, second) =
        if by_store.len() >= by_load.len() { (by_store, by_load) } else { (by_load, by_store) };
    let rest = store.warps.iter().chain(&load.warps).copied();
    first.into_iter().chain(second).chain(both).chain(rest).for_each(|it| take(it, word));
    res
}

/// Vectors outside the span of either side's wavefront, as many as `wanted`; more if they must be.
fn segments(vector: &[u64], store: &[u64], load: &[u64], n_bits: u32, wanted: u32) -> Vec<u64> {
    let with_vector = |side: &[u64]| Echelon::new(vector.iter().chain(side).copied());
    let (mut by_store, mut by_load) = (with_vector(store), with_vector(load));
    let mut all = Echelon::new(vector.iter().copied());
    let mut res = Vec::new();
    let units = || (0..n_bits).map(|bit| 1u64 << bit);
    while (res.len() as u32) < wanted {
        let outside_store = units().find(|&it| !by_store.contains(it));
        let outside_load = units().find(|&it| !by_load.contains(it));
        let both = units().find(|&it| !by_store.contains(it) && !by_load.contains(it));
        let sum = outside_store.zip(outside_load).map(|(a, b)| a ^ b);
        let any = outside_store.or(outside_load).filter(|&it| !all.contains(it));
        let next = both.or(sum).or(any).or_else(|| units().find(|&it| !all.contains(it)));
        let next = next.expect("L3: fewer segments than bits of an index");
        by_store.add(next);
        by_load.add(next);
        all.add(next);
        res.push(next);
    }
    res
}

/// Unit vectors that complete `columns`, the highest that do, in ascending order.
fn highest_complement(columns: &[u64], n_bits: u32) -> Vec<u64> {
    let flip = |it: u64| it.reverse_bits() >> (64 - n_bits.max(1));
    let flipped: Vec<u64> = columns.iter().map(|&it| flip(it)).collect();
    let mut res: Vec<u64> = complement(&flipped, n_bits).into_iter().map(flip).collect();
    res.sort_unstable();
    res
}

impl Shared {
    pub(super) fn simulate<T: Clone>(&self, old: &[Vec<Vec<T>>]) -> Vec<Vec<Vec<T>>> {
        let after = self.rounds.iter().flat_map(|it| &it.loads).flat_map(|it| &it.registers).max();
        let after = after.map_or(0, |&it| it as usize + 1);
        let mut res: Vec<Vec<Vec<Option<T>>>> =
            old.iter().map(|lanes| lanes.iter().map(|_| vec![None; after]).collect()).collect();
        for round in &self.rounds {
            let mut memory: Vec<Option<T>> = vec![None; (self.bytes / self.elem_bytes) as usize];
            let cells = |side: &SharedSide, access: &RoundAccess, lane: usize, warp: usize| {
                let byte = side.address(access, lane as u32, warp as u32);
                assert_eq!(byte % (side.vector * self.elem_bytes), 0, "accesses are aligned");
                (byte / self.elem_bytes) as usize
            };
            for (warp, lanes) in old.iter().enumerate() {
                for (lane, registers) in lanes.iter().enumerate() {
                    if !self.store.is_active(lane as u32, warp as u32) {
                        continue;
                    }
                    for access in &round.stores {
                        let first = cells(&self.store, access, lane, warp);
                        for (k, &register) in access.registers.iter().enumerate() {
                            memory[first + k] = Some(registers[register as usize].clone());
                        }
                    }
                }
            }
            for (warp, lanes) in res.iter_mut().enumerate() {
                for (lane, registers) in lanes.iter_mut().enumerate() {
                    for access in &round.loads {
                        let first = cells(&self.load, access, lane, warp);
                        for (k, &register) in access.registers.iter().enumerate() {
                            registers[register as usize].clone_from(&memory[first + k]);
                        }
                    }
                }
            }
        }
        let whole = |it: Option<T>| it.expect("every register is loaded from a stored cell");
        res.into_iter()
            .map(|lanes| lanes.into_iter().map(|it| it.into_iter().map(whole).collect()).collect())
            .collect()
    }
}
