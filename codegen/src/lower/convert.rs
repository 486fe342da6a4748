//! Plans of the layout crate, carried out: conversions, halves and butterflies.
//!
//! What a change of layout does is decided by [`Movement`], which the editor shows; here its steps
//! become renamings, selects, shuffles, and accesses to scratch with the barriers that they need.

use tile_language::analysis::Movement;
use tile_language::ir::Inst;
use tile_layout::plan::{BarrierScope, Exchange, ExchangeGroup, RoundAccess, Shared, SharedSide};
use tile_layout::{Halves, Plan, PlanStep};

use super::Lower;
use super::cell::Cell;
use super::index::linear;
use crate::emit::{Val, vector_type, width};

/// Bits of the word that a shuffle moves.
const WORD_BITS: u32 = 32;

impl<'c> Lower<'_, 'c> {
    /// The same tile in another layout, or element `i` where element `i ^ mask` was.
    pub(crate) fn moved_whole(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let Some(Movement::Whole(plan)) = Movement::of(self.kernel, inst) else {
            panic!("V2: a tile that changes its layout has one")
        };
        self.run(&plan, self.get(inst.operands[0]))
    }

    /// Opens a tile along one index bit. Where nobody asks which half is which, a thread's own half
    /// and its partner's are given as they are, without a select.
    pub(crate) fn halves(&mut self, inst: &Inst) {
        let Some(Movement::Opened(plan)) = Movement::of(self.kernel, inst) else {
            panic!("V2: a tile that is opened has a layout")
        };
        let values = self.get(inst.operands[0]);
        let (low, high) = match plan {
            Halves::Registers { low, high } => (renamed(&values, &low), renamed(&values, &high)),
            Halves::Apart { low, high } => {
                (self.run(&low, values.clone()), self.run(&high, values))
            }
            Halves::Partner { partner, lanes, warps } => {
                let other = self.run(&partner, values.clone());
                if self.uses.is_symmetric(inst.results[0]) {
                    (values, other)
                } else {
                    let is_high = self.parity(lanes, warps);
                    let pick = |high: &[Val<'c>], low: &[Val<'c>]| {
                        let pairs = high.iter().zip(low);
                        pairs.map(|(&high, &low)| self.emit.select(is_high, high, low)).collect()
                    };
                    let low: Vec<Val<'c>> = pick(&other, &values);
                    (low, pick(&values, &other))
                }
            }
        };
        self.set(inst.results[0], low);
        self.set(inst.results[1], high);
    }

    /// Runs a plan on the slots of a tile.
    fn run(&mut self, plan: &Plan, values: Vec<Val<'c>>) -> Vec<Val<'c>> {
        plan.steps.iter().fold(values, |values, step| match step {
            PlanStep::Permute { from } => renamed(&values, from),
            PlanStep::Swap { xor, lanes, warps } => self.swap(*xor, *lanes, *warps, &values),
            PlanStep::Exchange(it) => self.exchange(it, values),
            PlanStep::Shared(it) => self.through_plan(it, plan.registers_after as usize, &values),
        })
    }

    /// Whether an odd number of these bits of the lane and of the warp are set.
    fn parity(&mut self, lanes: u32, warps: u32) -> inkwell::values::IntValue<'c> {
        self.thread_parity(lanes | warps << self.lanes.trailing_zeros())
    }

    fn swap(&mut self, xor: u32, lanes: u32, warps: u32, values: &[Val<'c>]) -> Vec<Val<'c>> {
        let swaps = self.parity(lanes, warps);
        let one = |at: usize| self.emit.select(swaps, values[at ^ xor as usize], values[at]);
        (0..values.len()).map(one).collect()
    }

    /// Images of the bits of a thread's number, from those of lanes and warps.
    pub(crate) fn thread_images(&self, lanes: &[u32], warps: &[u32]) -> Vec<u32> {
        let mut images = lanes.to_vec();
        images.resize(self.lanes.trailing_zeros() as usize, 0);
        images.extend(warps);
        images.resize(self.n_thread_bits(), 0);
        images
    }

    fn exchange(&mut self, exchange: &Exchange, mut values: Vec<Val<'c>>) -> Vec<Val<'c>> {
        let images = self.thread_images(&exchange.lanes, &exchange.warps);
        for group in &exchange.groups {
            let words = self.words(group, &values);
            let moved: Vec<Val<'c>> = words
                .into_iter()
                .map(|word| match exchange.is_butterfly() {
                    true => self.shuffle_xor(word, group.xor),
                    false => self.shuffle_from(word, &images, group.xor),
                })
                .collect();
            self.unpack_words(group, &moved, &mut values);
        }
        values
    }

    /// The registers of a group as values to shuffle: one word if they fit.
    fn words(&self, group: &ExchangeGroup, values: &[Val<'c>]) -> Vec<Val<'c>> {
        let members: Vec<Val<'c>> = group.registers.iter().map(|&it| values[it as usize]).collect();
        if !fits_word(&members) {
            return members;
        }
        let emit = &self.emit;
        let memory: Vec<Val<'c>> = members.iter().map(|&it| self.to_memory(it)).collect();
        let packed = emit.int_type(width(memory[0].get_type()) * memory.len() as u32);
        vec![emit.bitcast(emit.pack(&memory), packed.into())]
    }

    fn unpack_words(&self, group: &ExchangeGroup, moved: &[Val<'c>], values: &mut [Val<'c>]) {
        let n = group.registers.len();
        let first = values[group.registers[0] as usize].get_type();
        let members = if moved.len() == n && moved[0].get_type() == first {
            moved.to_vec()
        } else {
            let vector = vector_type(self.memory_type(first), n as u32);
            self.emit.unpack(self.emit.bitcast(moved[0], vector), n)
        };
        for (&register, value) in group.registers.iter().zip(members) {
            values[register as usize] = self.loaded_as(value, first);
        }
    }

    /// The value of the lane that is affine in this thread's number.
    fn shuffle_from(&mut self, value: Val<'c>, images: &[u32], xor: u32) -> Val<'c> {
        let thread = self.thread();
        let emit = &self.emit;
        let lane = emit.at_head(|| emit.xor(linear(emit, thread, images), emit.int(xor)));
        self.in_words(value, |it, word| it.chip.shuffle(&it.emit, word, lane))
    }
}

/// Whether several values travel as one word.
fn fits_word(values: &[Val<'_>]) -> bool {
    let bits = values.iter().map(|it| width(it.get_type()).max(8)).sum::<u32>();
    values.len() > 1 && bits <= WORD_BITS
}

fn renamed<'c>(values: &[Val<'c>], from: &[u32]) -> Vec<Val<'c>> {
    from.iter().map(|&it| values[it as usize]).collect()
}

/// Trips through shared memory.
impl<'c> Lower<'_, 'c> {
    fn through_plan(&mut self, plan: &Shared, n_after: usize, values: &[Val<'c>]) -> Vec<Val<'c>> {
        let region = self.take_scratch(plan.bytes);
        let idle = self.idle_threads(&plan.store);
        let owner = self.is_owner(idle);
        let [store, load] =
            [&plan.store, &plan.load].map(|side| self.thread_images(&side.lanes, &side.warps));
        let element = values[0].get_type();
        let mut results = vec![element.const_zero(); n_after];
        for (at, round) in plan.rounds.iter().enumerate() {
            if at > 0 {
                self.synchronise(plan.barrier, &region);
            }
            let base = self.of_thread(&store);
            let write = |lower: &Self| {
                for access in &round.stores {
                    let at = lower.plan_address(&region, base, &store, access);
                    let first = access.registers.iter().map(|it| values[it[0] as usize]);
                    let members: Vec<Val<'c>> = first.map(|it| lower.to_memory(it)).collect();
                    let cell = Cell::whole(members[0].get_type());
                    lower.store_row(plan.store.means, at, &members, cell);
                }
            };
            match owner {
                Some(owner) => self.emit.when(owner, || write(self)),
                None => write(self),
            }
            self.synchronise(plan.barrier, &region);
            let base = self.of_thread(&load);
            for access in &round.loads {
                let at = self.plan_address(&region, base, &load, access);
                let n = plan.load.vector;
                let cell = Cell::whole(self.memory_type(element));
                let loaded = self.load_row(plan.load.means, n, at, cell);
                for (registers, value) in access.registers.iter().zip(loaded) {
                    let value = self.loaded_as(value, element);
                    registers.iter().for_each(|&it| results[it as usize] = value);
                }
            }
        }
        results
    }

    /// The bits of a thread's number that must be clear in those that store.
    fn idle_threads(&self, side: &SharedSide) -> u32 {
        let n_lane_bits = self.lanes.trailing_zeros();
        let held = (1u32 << side.lanes.len()) - 1;
        // A layout of fewer lanes than the warp has is repeated over the others.
        let lanes = side.idle_lanes | ((self.lanes - 1) & !held);
        lanes | side.idle_warps << n_lane_bits
    }

    fn synchronise(&mut self, scope: BarrierScope, region: &std::ops::Range<u32>) {
        match scope {
            BarrierScope::Block => self.publish(region),
            // The region stays taken: other warps may be at any point of their own exchange.
            BarrierScope::Warp => self.chip.warp_barrier(&self.emit),
        }
    }

    fn plan_address(
        &self,
        region: &std::ops::Range<u32>,
        base: inkwell::values::IntValue<'c>,
        images: &[u32],
        access: &RoundAccess,
    ) -> inkwell::values::PointerValue<'c> {
        let varying = images.iter().fold(0, |it, image| it | image);
        let at = self.join_index(base, varying, access.offset);
        self.scratch_address(region, at, 1)
    }
}
