//! Conversions through shared memory.
//!
//! # The idea
//! Scratch memory is a buffer whose offsets are chosen for this conversion ([`super::offsets`]); both
//! sides then are accesses to a view as any others, and priced as such ([`SharedModel`]). The order is
//! taken in which both together have the fewest conflicts and then the lowest price. By the theorem
//! there is one without conflicts, which a property of the tests states for every plan.
//!
//! Index bits that both sides hold in registers alone cut the conversion into rounds which use the
//! buffer one after the other, as far as that is needed to keep it small.

use smallvec::smallvec;

use super::gather::{Columns, Gather};
use super::offsets::{self, Order, Side};
use super::{BarrierScope, PlanStep, Round, RoundAccess, Shared, SharedSide};
use crate::access::{MatrixForm, SharedAccess, SharedModel};
use crate::banks::Direction;
use crate::bits::{apply, complement, log2, ones};
use crate::layout::{Coords, In, Layout};
use crate::memory_map::{MapDim, MemoryMap};

/// Scratch memory that is worth another round of barriers to stay below.
const BYTES_WANTED: u32 = 32 << 10;

pub(super) fn step(
    gather: &Gather<'_>,
    elem_bits: u32,
    keeps_warps: bool,
    model: &SharedModel,
) -> PlanStep {
    let elem_bytes = elem_bits.next_power_of_two().max(8) / 8;
    let n_bits = gather.src.extents().iter().map(|&it| log2(it.into())).sum();
    let cut = Cut::new(gather, n_bits, elem_bytes);
    let columns = [cut.inside(&gather.from), cut.inside(&gather.dst)];
    let has_copies = gather.src.free_mask(In::Lane) != 0;
    // A constant turns the positions of a row, which only a thread's own accesses can undo.
    let reads = if gather.constant == 0 { model.reads } else { &[] };
    let model = SharedModel { reads, ..*model };
    let sides = [(0, Direction::Write), (1, Direction::Read)].map(|(at, direction)| Side {
        columns: &columns[at],
        direction,
        forms: model.forms(has_copies, direction),
    });
    let n_inside = n_bits - cut.bits.count_ones();
    let scratch = Scratch { model: &model, n_bits: n_inside, elem_bytes };
    let [store, load] = scratch.best(&sides, cut.squeeze(gather.constant));

    let mut rounds = vec![Round::default(); (gather.repetitions << cut.bits.count_ones()) as usize];
    for repetition in 0..gather.repetitions {
        for (at, round) in cut.rounds(&gather.from, &store, 0) {
            let at = (repetition << cut.bits.count_ones()) + at;
            rounds[at as usize].stores.push(round.repeated(repetition << gather.from.regs.len()));
        }
        for (at, round) in cut.rounds(&gather.dst, &load, gather.constant) {
            let at = (repetition << cut.bits.count_ones()) + at;
            rounds[at as usize].loads.push(round.repeated(repetition << gather.dst.regs.len()));
        }
    }
    let idle_warps = gather.src.free_mask(In::Warp);
    let alone = keeps_warps && idle_warps == 0;
    let idle_lanes = gather.src.free_mask(In::Lane);
    PlanStep::Shared(Shared {
        bytes: elem_bytes << n_inside,
        elem_bytes,
        barrier: if alone { BarrierScope::Warp } else { BarrierScope::Block },
        store: SharedSide { idle_lanes, idle_warps, ..store.side },
        load: load.side,
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

    /// The accesses of every round. Inside, registers of different rounds look like copies.
    fn rounds(&self, columns: &Columns, of: &Priced, constant: u64) -> Vec<(u32, RoundAccess)> {
        let mut res = Vec::new();
        for (offset, members) in &of.accesses {
            for round in 0..1 << self.bits.count_ones() {
                let is_here =
                    |it: &u32| self.round(apply(&columns.regs, (*it).into()) ^ constant) == round;
                let here = |it: &Vec<u32>| it.iter().copied().filter(is_here).collect::<Vec<_>>();
                let registers: Vec<Vec<u32>> = members.iter().map(here).collect();
                res.push((round, RoundAccess { offset: *offset, registers }));
            }
        }
        res
    }
}

impl RoundAccess {
    fn repeated(self, base: u32) -> RoundAccess {
        let registers = self.registers.into_iter();
        let moved = |list: Vec<u32>| list.into_iter().map(|it| base | it).collect();
        RoundAccess { registers: registers.map(moved).collect(), ..self }
    }
}

/// The buffer that a conversion goes through.
struct Scratch<'a> {
    model: &'a SharedModel,
    n_bits: u32,
    elem_bytes: u32,
}

/// How a side moves the elements of a round, and what that costs.
struct Priced {
    side: SharedSide,
    /// The part of the offset that is the registers', in bytes, and for each position the registers.
    accesses: Vec<(u32, Vec<Vec<u32>>)>,
    /// Instructions, and times that the banks serve a warp.
    price: u32,
}

impl Scratch<'_> {
    /// Both sides in the best order.
    fn best(&self, sides: &[Side<'_>; 2], constant: u64) -> [Priced; 2] {
        let orders = offsets::orders(sides, self.model, self.n_bits, self.elem_bytes);
        let both = orders.iter().map(|order| {
            [self.priced(order, 0, &sides[0], 0), self.priced(order, 1, &sides[1], constant)]
        });
        let key = |it: &[Priced; 2]| {
            let [a, b] = it;
            (a.side.conflicts + b.side.conflicts, a.price + b.price)
        };
        both.min_by_key(key).expect("the order of the theorem is always there")
    }

    fn priced(&self, order: &Order, at: usize, side: &Side<'_>, constant: u64) -> Priced {
        let elem_bits = self.elem_bytes * 8;
        let columns = side.columns;
        let images = |list: &[u64]| -> Vec<Coords> {
            list.iter().map(|&it| smallvec![order.of(it)]).collect()
        };
        // Who wants a part of the elements has registers for the others that nothing asks for.
        let held = columns.regs.iter().chain(&columns.lanes).chain(&columns.warps).copied();
        let others = complement(&held.collect::<Vec<_>>(), self.n_bits);
        let registers = [&columns.regs[..], &others].concat();
        let layout = Layout::new(
            &[1 << self.n_bits],
            vec![
                (In::Register, images(&registers)),
                (In::Lane, images(&columns.lanes)),
                (In::Warp, images(&columns.warps)),
            ],
        );
        let offsets = (0..self.n_bits).map(|bit| 1 << bit).collect();
        let dim = MapDim { extent: 1 << self.n_bits, columns: offsets, stride: 0 };
        let map = MemoryMap::new(vec![dim], Vec::new(), 0);
        let own = |most| SharedAccess::up_to(&layout, &map, elem_bits, most);
        let by = |form: &MatrixForm| SharedAccess::matrices(&layout, &map, elem_bits, *form);
        let accesses = [own(order.vectors[at]), own(u32::MAX)].into_iter();
        let accesses = accesses.chain(side.forms.iter().filter_map(by));
        let asked = 1 << columns.regs.len();
        let priced = accesses.map(|it| self.price(it, side.direction, asked, order.of(constant)));
        let key = |it: &Priced| (it.side.conflicts, it.price);
        priced.min_by_key(key).expect("a thread can always move its elements itself")
    }

    fn price(
        &self,
        mut access: SharedAccess,
        direction: Direction,
        n_registers: u32,
        constant: u32,
    ) -> Priced {
        let elem_bits = self.elem_bytes * 8;
        for group in &mut access.groups {
            group.registers.iter_mut().for_each(|it| it.retain(|&it| it < n_registers));
        }
        access.groups.retain(|it| it.registers.iter().any(|it| !it.is_empty()));
        let in_bytes = |it: &[u32]| it.iter().map(|&it| it * self.elem_bytes).collect();
        // Inside of a row a constant changes positions, outside of it the row.
        let turn = constant & (access.vector - 1);
        let accesses = access.groups.iter().map(|group| {
            let positions = 0..group.registers.len();
            let members = positions.map(|it| group.registers[it ^ turn as usize].clone());
            ((group.low ^ (constant - turn)) * self.elem_bytes, members.collect())
        });
        Priced {
            accesses: accesses.collect(),
            price: access.groups.len() as u32
                + self.model.wavefronts(&access, elem_bits, direction),
            side: SharedSide {
                means: access.means,
                vector: access.vector,
                bytes: access.bytes,
                lanes: in_bytes(&access.lanes),
                warps: in_bytes(&access.warps),
                idle_lanes: 0,
                idle_warps: 0,
                conflicts: access.conflicts(elem_bits, &self.model.banks, direction),
            },
        }
    }
}

impl Shared {
    pub(super) fn simulate<T: Clone>(&self, old: &[Vec<Vec<T>>]) -> Vec<Vec<Vec<T>>> {
        let loads = self.rounds.iter().flat_map(|it| &it.loads);
        let after = loads.flat_map(|it| it.registers.iter().flatten()).max();
        let after = after.map_or(0, |&it| it as usize + 1);
        let mut res: Vec<Vec<Vec<Option<T>>>> =
            old.iter().map(|lanes| lanes.iter().map(|_| vec![None; after]).collect()).collect();
        for round in &self.rounds {
            let mut memory: Vec<Option<T>> = vec![None; (self.bytes / self.elem_bytes) as usize];
            for (warp, lanes) in old.iter().enumerate() {
                for (lane, registers) in lanes.iter().enumerate() {
                    if !self.store.is_active(lane as u32, warp as u32) {
                        continue;
                    }
                    for (access, position, list) in round.stores.iter().flat_map(positions) {
                        let cell = self.cell(&self.store, access, position, [lane, warp]);
                        memory[cell] = Some(registers[list[0] as usize].clone());
                    }
                }
            }
            for (warp, lanes) in res.iter_mut().enumerate() {
                for (lane, registers) in lanes.iter_mut().enumerate() {
                    for (access, position, list) in round.loads.iter().flat_map(positions) {
                        let cell = self.cell(&self.load, access, position, [lane, warp]);
                        for &register in list {
                            registers[register as usize].clone_from(&memory[cell]);
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

    /// Where the element at a position of a thread's access lies, in elements.
    fn cell(
        &self,
        side: &SharedSide,
        access: &RoundAccess,
        position: u32,
        [lane, warp]: [usize; 2],
    ) -> usize {
        let (from, at) = side.means.behind(lane as u32, position, self.elem_bytes * 8);
        let byte = side.address(access, from, warp as u32);
        assert_eq!(byte % side.bytes, 0, "accesses are aligned");
        (byte / self.elem_bytes + at) as usize
    }
}

/// An access with every position and the registers there.
fn positions(access: &RoundAccess) -> impl Iterator<Item = (&RoundAccess, u32, &Vec<u32>)> {
    access.registers.iter().enumerate().map(move |(at, list)| (access, at as u32, list))
}
