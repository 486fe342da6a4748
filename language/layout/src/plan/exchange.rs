//! Conversions within a warp by shuffles.
//!
//! # The idea
//! A shuffle lets every lane read one register of one other lane, the sender choosing the register.
//! Lane `l` wants its register `j` from lane `A j + B l` (all of this is linear). For a fixed `j` two
//! lanes may want different registers of the same sender, which one shuffle cannot do. So round `j`
//! brings lane `l` its register `j + T l` instead, with `T` chosen such that lanes which read the same
//! sender in the same round want the same register. The sender's choice is then a function of the
//! sender's lane: selects before the shuffles; undoing `T` is selects after them.
//!
//! Each rank of either takes a select a register, so beyond a rank of one shared memory is cheaper.

use super::gather::{Correction, Gather, swaps};
use super::{Exchange, ExchangeGroup, PlanStep};
use crate::bits::{Echelon, apply, kernel, log2, rank};

/// Ranks of selects before or after the shuffles beyond which shared memory is used.
const RANK_MAX: u32 = 1;

/// The steps, if a few shuffles do it.
pub(super) fn steps(
    gather: &Gather<'_>,
    correction: &Correction,
    elem_bits: u32,
) -> Option<Vec<PlanStep>> {
    let turn = turn(correction)?;
    let rounds = Rounds::new(correction, &turn);
    let sender = rounds.sender();
    if rank(&turn) > RANK_MAX || rank(&sender) > RANK_MAX {
        return None;
    }
    let through = |lane: u64| apply(&sender, lane);
    let sender_warps: Vec<u64> =
        correction.warps.iter().map(|it| it.register ^ through(it.lane)).collect();
    let regs: Vec<u64> = correction.regs.iter().map(|it| it.register ^ through(it.lane)).collect();
    let constant = correction.constant.register ^ through(correction.constant.lane);

    let mut steps = swaps(&sender, &sender_warps);
    steps.extend(gather.permute(&regs, constant));
    steps.push(PlanStep::Exchange(exchange(gather, correction, &rounds, elem_bits)));
    steps.extend(swaps(&turn, &[]));
    Some(steps)
}

/// What a lane reads in a round: sender and register as functions of the reading lane.
struct Rounds {
    lanes: Vec<u64>,
    registers: Vec<u64>,
}

impl Rounds {
    fn new(correction: &Correction, turn: &[u64]) -> Rounds {
        let from_regs = |pick: fn(&super::gather::Source) -> u64, x| {
            let columns: Vec<u64> = correction.regs.iter().map(pick).collect();
            apply(&columns, x)
        };
        let both = correction.lanes.iter().zip(turn);
        Rounds {
            lanes: both.clone().map(|(it, &t)| it.lane ^ from_regs(|it| it.lane, t)).collect(),
            registers: both.map(|(it, &t)| it.register ^ from_regs(|it| it.register, t)).collect(),
        }
    }

    /// The register that a sender gives, as a function of its lane.
    fn sender(&self) -> Vec<u64> {
        let n_lanes = self.lanes.len();
        let units = (0..n_lanes).map(|bit| 1u64 << bit);
        let span = Echelon::new(self.lanes.iter().copied().chain(units.clone()));
        let mask = (1u64 << n_lanes) - 1;
        units
            .map(|unit| {
                let readers = span.solve(unit).expect("L3: the units span every lane");
                apply(&self.registers, readers & mask)
            })
            .collect()
    }
}

/// `T`: for each lane bit, by which registers the rounds are turned; `None` if there is no way.
fn turn(correction: &Correction) -> Option<Vec<u64>> {
    let mut turn = vec![0; correction.lanes.len()];
    loop {
        let rounds = Rounds::new(correction, &turn);
        let torn = kernel(&rounds.lanes);
        let Some(lanes) = torn.into_iter().find(|&it| apply(&rounds.registers, it) != 0) else {
            return Some(turn);
        };
        // The highest bit of a kernel vector is in no other one, so turning it mends only this one.
        let bit = 63 - lanes.leading_zeros();
        let reached = Echelon::new(rounds.lanes.iter().copied());
        let register = correction.regs.iter().position(|it| !reached.contains(it.lane))?;
        turn[bit as usize] ^= 1 << register;
    }
}

fn exchange(
    gather: &Gather<'_>,
    correction: &Correction,
    rounds: &Rounds,
    elem_bits: u32,
) -> Exchange {
    let narrow = |it: u64| it as u32;
    let mut res = Exchange {
        lanes: rounds.lanes.iter().copied().map(narrow).collect(),
        warps: correction.warps.iter().map(|it| narrow(it.lane)).collect(),
        groups: Vec::new(),
    };
    let by_register: Vec<u64> = correction.regs.iter().map(|it| it.lane).collect();
    // Registers that come from the same lane travel in one word.
    let together = log2(u64::from(32 / elem_bits.next_power_of_two().clamp(8, 32))) as usize;
    let riders: Vec<u32> = (0..by_register.len() as u32)
        .filter(|&bit| by_register[bit as usize] == 0)
        .take(together)
        .collect();
    let rider_mask = riders.iter().fold(0, |mask, &bit| mask | 1u32 << bit);
    let n_regs = by_register.len();
    let stays = res.is_butterfly();
    for leader in (0..gather.repetitions << n_regs).filter(|it| it & rider_mask == 0) {
        let round = u64::from(leader) & ((1 << n_regs) - 1);
        let xor = narrow(apply(&by_register, round) ^ correction.constant.lane);
        if stays && xor == 0 {
            continue;
        }
        let place = |k: u32| {
            riders.iter().enumerate().fold(leader, |at, (i, &bit)| at | (k >> i & 1) << bit)
        };
        let registers = (0..1 << riders.len()).map(place).collect();
        res.groups.push(ExchangeGroup { registers, xor });
    }
    res
}
