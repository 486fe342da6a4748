//! Runs a warp.
//!
//! Lanes that diverged are *fragments*: a program counter and a mask. The fragment with the lowest
//! counter runs, and fragments that meet at the start of a block become one; the order of blocks
//! (see [`super::translate`]) makes that the earliest possible place. Writes keep the lanes that
//! are not active, so a lane that left a loop keeps its last value.
//!
//! With [`Reconvergence::Late`] fragments meet only where an operation waits for other lanes. That
//! is legal since Volta, and shows what a program gets wrong by relying on more.

mod boxes;
mod cluster;
mod cross;
mod flight;
mod group;
mod lanes;
mod matrix;
mod mbarrier;
mod memory;
mod number;
mod print;
mod rows;
mod warp;
mod window;

use super::bytecode::{Barrier, BarrierMode, Op, Special, Trap};
use super::count::Counts;
use super::error::{Kind, SimError};
use super::mbarrier::Mbarriers;
use super::memory::{Memory, Tracked};
use super::race::Race;
use super::schedule::{Geometry, Random};
use super::{HookReport, Program, Reconvergence};

pub(super) use cluster::{Peer, Place};
pub(super) use cross::tally;
use lanes::real2_wide;
pub(super) use matrix::Scratch;
use number::decode;
pub(super) use number::encode;
#[cfg(test)]
pub(super) use number::f16_to_f32 as half_value;
pub(super) use warp::{Fragment, Wait, Warp};

/// Operations that a warp runs before others get their turn: enough to make progress, few enough
/// that a loop that waits for another warp does not starve it.
const TURN_STEPS: u64 = 1 << 16;

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pause {
    /// It ran long enough.
    Yield,
    /// Every fragment waits.
    Blocked,
    /// Every lane returned.
    Done,
}

/// Lanes of a mask in ascending order.
pub(super) fn lanes_of(mask: u64) -> impl Iterator<Item = usize> {
    let mut rest = mask;
    std::iter::from_fn(move || {
        (rest != 0).then(|| {
            let lane = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            lane
        })
    })
}

/// An arrival at a barrier, for the scheduler to act on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) id: u32,
    pub(super) table: u32,
    pub(super) mask: u64,
    pub(super) threads: Option<u32>,
    /// The flags of a barrier that reduces.
    pub(super) votes: u64,
}

/// One warp's turn, with everything it may touch.
pub(super) struct Turn<'t, 'a, const L: usize> {
    pub(super) program: &'t Program,
    pub(super) geometry: &'t Geometry,
    pub(super) block: [u32; 3],
    pub(super) warp: &'t mut Warp<L>,
    pub(super) shared: &'t mut Tracked,
    pub(super) mbarriers: &'t mut Mbarriers,
    pub(super) place: Place<'t>,
    pub(super) memory: &'t mut Memory<'a>,
    pub(super) race: Option<&'t mut Race>,
    /// The number of this warp among all of the grid.
    pub(super) agent: u32,
    pub(super) counts: &'t mut Counts,
    pub(super) scratch: &'t mut Scratch,
    pub(super) random: &'t mut Random,
    pub(super) printed: &'t mut Vec<String>,
    pub(super) calls: &'t mut Vec<HookReport>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) reconvergence: Reconvergence,
    pub(super) check_uninitialised: bool,
    pub(super) mask: u64,
    pub(super) saved_mask: u64,
    pub(super) pc: u32,
    pub(super) steps: u64,
}

/// What an operation does to the flow of control.
enum Flow {
    Next,
    Goto(u32),
    /// The fragment is parked, split or gone.
    Pick,
}

impl<'a, const L: usize> Turn<'_, 'a, L> {
    /// Runs until the warp waits, returns or has had its turn.
    pub(super) fn run(&mut self) -> Result<Pause, SimError> {
        while let Some(at) = self.pick() {
            let fragment = self.warp.fragments.swap_remove(at);
            (self.pc, self.mask) = (fragment.pc, fragment.mask);
            self.run_fragment()?;
            if self.steps > TURN_STEPS {
                return Ok(Pause::Yield);
            }
        }
        if self.warp.fragments.is_empty() {
            return Ok(Pause::Done);
        }
        let waits_outside =
            |f: &Fragment| matches!(f.wait, Wait::Barrier { .. } | Wait::Phase | Wait::Cluster);
        if self.warp.fragments.iter().any(waits_outside) {
            return Ok(Pause::Blocked);
        }
        let parked = self.warp.fragments[0];
        (self.pc, self.mask) = (parked.pc, parked.mask);
        let missing = self.warp.live & !parked.mask;
        let message = format!("lanes {} wait for lanes that never come", mask_text(parked.mask));
        Err(SimError::new(Kind::Divergence, message)
            .because(format!("the other lanes of the warp are {}", mask_text(missing))))
    }

    /// The fragment to run next, after merging those that are at the same place.
    fn pick(&mut self) -> Option<usize> {
        let fragments = &mut self.warp.fragments;
        let ready = |f: &Fragment| f.wait == Wait::Ready;
        if self.reconvergence == Reconvergence::Late {
            let n = fragments.iter().filter(|f| ready(f)).count() as u32;
            let chosen = (n > 0).then(|| self.random.below(n) as usize)?;
            let mut all = fragments.iter().enumerate().filter(|(_, f)| ready(f));
            return all.nth(chosen).map(|(at, _)| at);
        }
        let pc = fragments.iter().filter(|f| ready(f)).map(|f| f.pc).min()?;
        let here = |f: &Fragment| ready(f) && f.pc == pc;
        let mask = fragments.iter().filter(|f| here(f)).fold(0, |mask, f| mask | f.mask);
        fragments.retain(|f| !here(f));
        fragments.push(Fragment { pc, mask, wait: Wait::Ready });
        Some(fragments.len() - 1)
    }

    fn run_fragment(&mut self) -> Result<(), SimError> {
        self.counts.enter(self.pc);
        loop {
            let op = self.program.code.ops[self.pc as usize];
            self.steps += 1;
            match self.step(op)? {
                Flow::Next => self.pc += 1,
                Flow::Goto(pc) => {
                    self.pc = pc;
                    if !self.warp.fragments.is_empty() || self.steps > TURN_STEPS {
                        let mask = self.mask;
                        self.warp.fragments.push(Fragment { pc, mask, wait: Wait::Ready });
                        return Ok(());
                    }
                    self.counts.enter(pc);
                }
                Flow::Pick => return Ok(()),
            }
        }
    }

    /// The fragment waits inside of its block.
    fn park(&mut self, wait: Wait) {
        self.counts.leave(self.pc);
        self.warp.fragments.push(Fragment { pc: self.pc, mask: self.mask, wait });
    }

    fn step(&mut self, op: Op) -> Result<Flow, SimError> {
        match op {
            Op::Copy { d, a } => self.copy(d, a),
            Op::Int { op, wide, d, a, b } => self.int(op, wide, d, a, b)?,
            Op::Bit { op, wide, d, a } => self.bit(op, wide, d, a),
            Op::Funnel { left, wide, d, a, b, c } => self.funnel(left, wide, d, a, b, c),
            Op::Test { test, wide, d, a, b } => self.test(test, wide, d, a, b),
            Op::Flag { op, d, a, b } => self.flags(op, d, a, b),
            Op::Select { d, flag, a, b } => self.select(d, flag, a, b),
            Op::SignExtend { bits, d, a } => self.sign_extend(bits, d, a),
            Op::Widen { signed, d, a } => self.widen(signed, d, a),
            Op::Narrow { d, a } => self.narrow(d, a),
            Op::Repack { table } => self.repack(table),
            Op::Real1 { op, real, d, a } => self.real1(op, real, d, a),
            Op::Real2 { op, real, d, a, b } => self.real2(op, real, d, a, b),
            Op::Fma { real, d, a, b, c } => self.fma(real, d, a, b, c),
            Op::Scale { real, d, a, b } => self.scale(real, d, a, b),
            Op::RealTest { test, real, d, a, b } => self.real_test(test, real, d, a, b),
            Op::Class { mask, real, d, a } => self.class(mask, real, d, a),
            Op::Convert { from, to, round, finite, d, a } => {
                self.convert(from, to, round, finite, d, a)
            }
            Op::FromInt { signed, wide, real, d, a } => self.real_of_int(signed, wide, real, d, a),
            Op::ToInt { signed, real, round, bits, d, a } => {
                self.int_of_real(signed, real, round, bits, d, a)
            }
            Op::Special { what, d } => self.special(what, d),
            Op::Load { access, addr } => self.load(access, addr)?,
            Op::Store { access, addr } => self.store(access, addr)?,
            Op::Atomic { table } => self.atomic(table)?,
            Op::CopyBytes { table } => self.copy_bytes(table)?,
            Op::AsyncCopy { table } => self.async_copy(table)?,
            Op::CommitCopies => self.commit_copies(),
            Op::AwaitCopies { pending } => self.await_copies(pending),
            Op::AwaitMemory { pending } => self.await_memory(pending),
            Op::ToGeneric { space, d, a } => self.generic(space, d, a),
            Op::FromGeneric { space, d, a } => self.windowed(space, d, a),
            Op::IsSpace { space, d, a } => self.is_space(space, d, a),
            Op::Cross { table } => self.cross(table)?,
            Op::Fence { order, scope } => self.fence(order, scope),
            Op::Release => self.release(),
            Op::MapPeer { d, a, rank } => self.map_peer(d, a, rank)?,
            Op::PublishMbarriers => self.mbarriers.publish(self.warp.index),
            Op::MoveBox { table } => {
                let program = self.program;
                self.move_box(&program.code.boxes[table as usize])?;
            }
            Op::CommitBoxes => self.commit_boxes(),
            Op::AwaitBoxes { pending, read } => self.await_boxes(pending, read),
            Op::ShowEngine => {
                if let Some(race) = &mut self.race {
                    race.show_engine(self.agent, self.mask);
                }
            }
            Op::Restrict { flag, keep } => self.restrict(flag, keep),
            Op::Restore => self.mask = self.saved_mask,
            Op::Print { table } => self.print(table)?,
            Op::Hook { table } => self.hook(table)?,
            _ => return self.control(op),
        }
        Ok(Flow::Next)
    }

    fn control(&mut self, op: Op) -> Result<Flow, SimError> {
        let program = self.program;
        match op {
            Op::Shuffle { table } => {
                let shuffle = &program.code.shuffles[table as usize];
                Ok(if self.together(shuffle.members)? {
                    self.shuffle(shuffle)?
                } else {
                    Flow::Pick
                })
            }
            Op::Product { table } => {
                let whole = self.whole_warp()?;
                if whole {
                    self.product(&program.code.products[table as usize]);
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::GroupProduct { table } => {
                let whole = self.whole_warp()?;
                if whole {
                    self.group_product(&program.code.group_products[table as usize])?;
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::CommitProducts => {
                let whole = self.whole_warp()?;
                if whole {
                    self.commit_products();
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::AwaitProducts { table } => {
                let whole = self.whole_warp()?;
                if whole {
                    let wait = &program.code.product_waits[table as usize];
                    self.await_products(wait.pending, &wait.rows);
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::MatrixMove { table } => {
                let whole = self.whole_warp()?;
                if whole {
                    self.matrix_move(&program.code.matrix_moves[table as usize])?;
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::TransposedRead { table } => {
                let whole = self.whole_warp()?;
                if whole {
                    self.transposed_read(&program.code.transposed_reads[table as usize])?;
                }
                Ok(if whole { Flow::Next } else { Flow::Pick })
            }
            Op::Vote { table } => {
                let vote = &program.code.votes[table as usize];
                let here = match vote.members {
                    Some(members) => self.together(members)?,
                    None => true,
                };
                Ok(if here { self.vote(vote)? } else { Flow::Pick })
            }
            Op::WarpSync { members } => {
                let here = self.together(members)?;
                if here && let Some(race) = &mut self.race {
                    race.warp_sync(self.agent);
                }
                Ok(if here { Flow::Next } else { Flow::Pick })
            }
            Op::ArriveAtCluster => self.arrive_at_cluster(),
            Op::AwaitCluster => Ok(self.await_cluster()),
            Op::Mbarrier { table } => self.mbarrier(&program.code.mbarriers[table as usize]),
            Op::Barrier { table } => self.barrier(table, &program.code.barriers[table as usize]),
            Op::Jump { edge } => Ok(Flow::Goto(self.take(edge, self.mask))),
            Op::Branch { flag, yes, no } => Ok(self.branch(self.flag(flag), yes, no)),
            Op::Switch { table } => Ok(self.switch(table)),
            Op::Return => {
                self.leave_boxes()?;
                self.warp.live &= !self.mask;
                Ok(Flow::Pick)
            }
            Op::Trap { why } => Err(self.trap(why)),
            _ => unreachable!("every other operation is in `step`"),
        }
    }

    /// Makes the copies of an edge for the lanes of `mask`; the answer is its target.
    fn take(&mut self, edge: u32, mask: u64) -> u32 {
        let program = self.program;
        let edge = &program.code.edges[edge as usize];
        let all = std::mem::replace(&mut self.mask, mask);
        for &(to, from) in &edge.moves {
            self.copy(to, from);
        }
        self.mask = all;
        edge.target
    }

    fn branch(&mut self, flag: u64, yes: u32, no: u32) -> Flow {
        let (taken, other) = (self.mask & flag, self.mask & !flag);
        if other == 0 {
            return Flow::Goto(self.take(yes, taken));
        }
        if taken == 0 {
            return Flow::Goto(self.take(no, other));
        }
        self.counts.divergent_branches += 1;
        self.split(yes, taken);
        self.split(no, other);
        Flow::Pick
    }

    fn split(&mut self, edge: u32, mask: u64) {
        let pc = self.take(edge, mask);
        self.warp.fragments.push(Fragment { pc, mask, wait: Wait::Ready });
    }

    fn switch(&mut self, table: u32) -> Flow {
        let program = self.program;
        let switch = &program.code.switches[table as usize];
        let mut rest = self.mask;
        for &(value, edge) in &switch.cases {
            let here =
                lanes_of(rest).filter(|&lane| self.warp.rows.read(switch.value, lane) == value);
            let mask = here.fold(0, |mask, lane| mask | 1 << lane);
            if mask != 0 {
                self.split(edge, mask);
                rest &= !mask;
            }
        }
        if rest != 0 {
            self.split(switch.otherwise, rest);
        }
        Flow::Pick
    }

    /// Whether all `members` are here. If not, the fragment waits for them.
    fn together(&mut self, members: u32) -> Result<bool, SimError> {
        let first = self.mask.trailing_zeros() as usize;
        let members = u64::from(self.warp.rows.words[members as usize][first.min(L - 1)]);
        if self.mask & !members != 0 {
            let lane = (self.mask & !members).trailing_zeros();
            let message =
                format!("a lane runs an operation whose member mask {members:#x} leaves it out");
            return Err(SimError::new(Kind::Divergence, message).at_lane(lane));
        }
        Ok(self.gathered(members & self.warp.live))
    }

    /// Whether all lanes that have not returned are here. If not, the fragment waits for them.
    fn together_all(&mut self) -> bool {
        self.gathered(self.warp.live)
    }

    /// Whether every lane of the warp is here, for operations that need all. If not, the fragment
    /// waits for those that have not returned.
    fn whole_warp(&mut self) -> Result<bool, SimError> {
        if !self.together_all() {
            return Ok(false);
        }
        if self.mask != Warp::<L>::FULL {
            let missing = mask_text(Warp::<L>::FULL & !self.mask);
            let message = format!("lanes {missing} do not take part in an operation of all lanes");
            return Err(SimError::new(Kind::Divergence, message));
        }
        Ok(true)
    }

    fn gathered(&mut self, needed: u64) -> bool {
        let pc = self.pc;
        let meets = |f: &Fragment| f.pc == pc && f.wait == Wait::Lanes && f.mask & needed != 0;
        let met = self.warp.fragments.iter().filter(|f| meets(f));
        self.mask |= met.fold(0, |mask, f| mask | f.mask);
        self.warp.fragments.retain(|f| !meets(f));
        if self.mask & needed == needed {
            return true;
        }
        self.park(Wait::Lanes);
        false
    }

    fn barrier(&mut self, table: u32, barrier: &Barrier) -> Result<Flow, SimError> {
        if (barrier.aligned || barrier.id.is_none()) && !self.together_all() {
            return Ok(Flow::Pick);
        }
        self.counts.barriers += 1;
        let first = self.mask.trailing_zeros() as usize;
        let word = |turn: &Self, row: u32| turn.warp.rows.words[row as usize][first];
        let id = barrier.id.map_or(0, |row| word(self, row));
        if id >= 16 {
            let message = format!("barrier {id}: a block has barriers 0 to 15");
            return Err(SimError::new(Kind::Undefined, message));
        }
        self.arrivals.push(Arrival {
            id,
            table,
            mask: self.mask,
            threads: barrier.threads.map(|row| word(self, row)),
            votes: barrier.flag.map_or(0, |row| self.flag(row) & self.mask),
        });
        if let Some(race) = &mut self.race {
            race.arrive(self.agent, id, barrier.orders_memory);
        }
        self.pc += 1;
        match barrier.mode {
            BarrierMode::Arrive => self.park(Wait::Ready),
            BarrierMode::Sync | BarrierMode::Reduce(_) => self.park(Wait::Barrier { id, table }),
        }
        Ok(Flow::Pick)
    }

    fn restrict(&mut self, flag: u32, keep: bool) {
        self.saved_mask = self.mask;
        let flag = self.flag(flag);
        self.mask &= if keep { flag } else { !flag };
    }

    /// Every active lane calls a hook, in ascending order.
    fn hook(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let call = &program.code.hook_calls[table as usize];
        for lane in lanes_of(self.mask) {
            let words = call.args.iter().map(|&slot| self.warp.rows.read(slot, lane)).collect();
            let thread = self.warp.index * L as u32 + lane as u32;
            let report = HookReport { hook: call.hook, block: self.block, thread, words };
            if call.stops {
                let mut error = SimError::new(Kind::Trap, "an assertion of the kernel fails");
                error.hook = Some(Box::new(report));
                return Err(error.at_lane(lane as u32));
            }
            self.calls.push(report);
        }
        Ok(())
    }

    fn trap(&self, why: Trap) -> SimError {
        let message = match why {
            Trap::Abort => "the kernel traps",
            Trap::Unreachable => "control reaches a place that is declared unreachable",
            Trap::Assert => "an assertion of the kernel fails",
        };
        SimError::new(Kind::Trap, message).at_lane(self.mask.trailing_zeros())
    }

    fn special(&mut self, what: Special, d: u32) {
        let first = self.warp.index * L as u32;
        let threads = self.geometry.threads;
        let row: [u32; L] = std::array::from_fn(|lane| {
            let thread = first + lane as u32;
            match what {
                Special::Thread(0) => thread % threads[0],
                Special::Thread(1) => thread / threads[0] % threads[1],
                Special::Thread(_) => thread / (threads[0] * threads[1]),
                Special::Block(axis) => self.block[usize::from(axis)],
                Special::BlockSize(axis) => threads[usize::from(axis)],
                Special::GridSize(axis) => self.geometry.grid[usize::from(axis)],
                Special::Lane => lane as u32,
                Special::Warp => self.warp.index,
                Special::WarpCount => self.geometry.warps,
                Special::Clock => self.steps as u32,
                Special::ClusterRank => self.place.rank,
                Special::DynamicShared => self.geometry.dynamic_shared_bytes,
            }
        });
        self.put(d, row);
    }
}

/// Lanes of a mask in words: `0-15, 31`.
pub(super) fn mask_text(mask: u64) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for lane in lanes_of(mask) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == lane => *last = lane,
            _ => runs.push((lane, lane)),
        }
    }
    let text = runs.iter().map(|&(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    text.collect::<Vec<_>>().join(", ")
}
