//! Values in registers: constants and indices, elementwise functions, and everything that only says
//! where elements are.

use std::collections::{HashMap, HashSet};

use inkwell::values::IntValue;
use inkwell::{AtomicOrdering, AtomicRMWBinOp};
use smallvec::SmallVec;
use tile_language::dtype::Class;
use tile_language::ir::{Elem, Inst, Kernel, Region, Type, Value};
use tile_language::op::tile::BinaryOp;
use tile_language::op::{Op, TileOp};

use super::Lower;
use super::index::{At, Spread};
use super::transfer::Pull;
use crate::emit::Val;

/// How often values are used, and which halves may change places.
pub(crate) struct Uses {
    used: HashSet<Value>,
    symmetric: HashSet<Value>,
}

impl Uses {
    /// Looks through a kernel once.
    pub(crate) fn of(kernel: &Kernel) -> Uses {
        let mut counts: HashMap<Value, usize> = HashMap::new();
        let mut pairs: HashMap<(Value, Value), usize> = HashMap::new();
        count_yields(&kernel.body, &mut counts);
        kernel.body.walk(&mut |inst| {
            for &it in &inst.operands {
                *counts.entry(it).or_default() += 1;
            }
            for region in &inst.regions {
                for &it in &region.yields {
                    *counts.entry(it).or_default() += 1;
                }
            }
            if let (Op::Tile(TileOp::Binary { op }), &[a, b]) = (&inst.op, inst.operands.as_slice())
                && commutes(*op)
            {
                *pairs.entry((a.min(b), a.max(b))).or_default() += 1;
            }
        });
        let mut symmetric = HashSet::new();
        kernel.body.walk(&mut |inst| {
            if let (Op::Tile(TileOp::Halves { .. }), &[low, high]) =
                (&inst.op, inst.results.as_slice())
            {
                let n = |it: Value| counts.get(&it).copied().unwrap_or(0);
                let together = pairs.get(&(low.min(high), low.max(high))).copied().unwrap_or(0);
                if n(low) == together && n(high) == together {
                    symmetric.insert(low);
                }
            }
        });
        Uses { used: counts.into_keys().collect(), symmetric }
    }

    /// Whether the halves of which this is the lower are only used together and may change places.
    pub(crate) fn is_symmetric(&self, low: Value) -> bool {
        self.symmetric.contains(&low)
    }

    /// Whether anything uses the value.
    pub(crate) fn is_used(&self, value: Value) -> bool {
        self.used.contains(&value)
    }
}

fn count_yields(region: &Region, counts: &mut HashMap<Value, usize>) {
    for &it in &region.yields {
        *counts.entry(it).or_default() += 1;
    }
}

/// Whether operands in the other order give the same bits.
fn commutes(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Add
        | BinaryOp::Mul
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::MinNan
        | BinaryOp::MaxNan
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
        | BinaryOp::MulHigh => true,
        BinaryOp::Sub | BinaryOp::Div | BinaryOp::Rem | BinaryOp::Shl | BinaryOp::Shr => false,
    }
}

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation on values in registers.
    pub(crate) fn tile(&mut self, op: &TileOp, inst: &Inst) {
        match op {
            TileOp::Halves { .. } => return self.halves(inst),
            TileOp::Split => return self.split(inst),
            _ => {}
        }
        let result = inst.results[0];
        let ty = self.kernel.ty(result);
        let slots = match op {
            TileOp::Halves { .. } | TileOp::Split => {
                unreachable!("they have two results and were lowered above")
            }
            TileOp::Const { bits } => vec![self.constant(ty, *bits); self.spread(ty).n_slots()],
            TileOp::Index { axis } => self.index(ty, *axis as usize),
            TileOp::BlockId { axis } => {
                vec![self.emit.at_head(|| self.chip.block_id(&self.emit, *axis)).into()]
            }
            TileOp::ClusterRank => {
                vec![self.emit.at_head(|| self.chip.cluster_rank(&self.emit)).into()]
            }
            TileOp::NumBlocks { axis } => {
                vec![self.emit.at_head(|| self.chip.num_blocks(&self.emit, *axis)).into()]
            }
            TileOp::Unary { op } => {
                self.each(inst, |it, x| it.unary(*op, it.dtype(inst.operands[0]), x[0]))
            }
            TileOp::Binary { op } => {
                self.each(inst, |it, x| it.binary(*op, it.dtype(inst.operands[0]), x[0], x[1]))
            }
            TileOp::Cmp { op } => {
                let elem = self.kernel.ty(inst.operands[0]).elem;
                self.each(inst, |it, x| it.compare(*op, elem, x[0], x[1]).into())
            }
            TileOp::Fma => {
                self.each(inst, |it, x| it.fma(it.dtype(inst.operands[0]), x[0], x[1], x[2]))
            }
            TileOp::Select => {
                self.each(inst, |it, x| it.emit.select(x[0].into_int_value(), x[1], x[2]))
            }
            TileOp::Cast { round } => {
                let (from, to) = (self.dtype(inst.operands[0]), self.dtype(result));
                self.each(inst, |it, x| it.cast(x[0], from, to, *round))
            }
            TileOp::Bits => self.bits(inst),
            TileOp::Splat => vec![self.scalar(inst.operands[0]); self.spread(ty).n_slots()],
            TileOp::Broadcast => self.broadcast(inst),
            TileOp::Expand { axis } => {
                let axis = *axis as usize;
                self.moved(inst, &|rep| without(rep, axis), &|packed| packed)
            }
            TileOp::Squeeze { axis } => self.squeeze(*axis as usize, inst),
            TileOp::Reshape => self.reshape(inst),
            TileOp::Permute { perm } => self.permute(perm, inst),
            TileOp::Join => self.join(inst),
            TileOp::Butterfly { .. } | TileOp::Convert => self.moved_whole(inst),
            TileOp::Gather { axis } => self.gather(*axis as usize, inst),
            TileOp::Histogram => self.histogram(inst),
        };
        self.set(result, slots);
    }

    /// Applies a function to the elements of all operands, slot by slot; scalars stand for every slot.
    /// Slots that are known to be equal are computed once: masks whose bound is a multiple of the access
    /// are one comparison an access.
    fn each(&mut self, inst: &Inst, f: impl Fn(&mut Self, &[Val<'c>]) -> Val<'c>) -> Vec<Val<'c>> {
        let operands: Vec<Vec<Val<'c>>> = inst.operands.iter().map(|&it| self.get(it)).collect();
        let n = operands.iter().map(Vec::len).max().expect("an elementwise function has operands");
        let firsts = self.equal_slots(inst.results[0], n);
        let mut slots: Vec<Val<'c>> = Vec::with_capacity(n);
        for (slot, first) in firsts.into_iter().enumerate() {
            let elements: SmallVec<[Val<'c>; 3]> =
                operands.iter().map(|it| it[slot.min(it.len() - 1)]).collect();
            slots.push(if first < slot { slots[first] } else { f(self, &elements) });
        }
        slots
    }

    /// For each of the `n` slots of a value the first one that is known to be equal to it.
    fn equal_slots(&self, value: Value, n: usize) -> Vec<usize> {
        let ty = self.kernel.ty(value);
        if n == 1 {
            return vec![0];
        }
        let spread = self.spread(ty);
        // Index bits that move an element within its group of equal ones.
        let axes = self.facts.of_value(value).axes.iter().enumerate();
        let within = axes.fold(0, |bits, (axis, it)| {
            let group = it.constancy.trailing_zeros().min(spread.axis_bits(axis));
            bits | ((1 << group) - 1) << spread.shift[axis]
        });
        let mut firsts: HashMap<At, usize> = HashMap::new();
        let group = |slot: usize| {
            let At { rep, packed } = spread.at(slot);
            At { rep, packed: packed & !within }
        };
        (0..n).map(|slot| *firsts.entry(group(slot)).or_insert(slot)).collect()
    }

    fn constant(&self, ty: &Type, bits: u64) -> Val<'c> {
        let Elem::Data(dtype) = ty.elem else { panic!("V3: constants are numbers") };
        match dtype.class() {
            Class::Float(_) if dtype.bits() > 8 => {
                let number = self.emit.int_type(dtype.bits()).const_int(bits, false);
                self.emit.bitcast(number.into(), self.float_type(dtype).into())
            }
            Class::Bool => self.emit.bool(bits != 0).into(),
            Class::Float(_) => self.emit.i8().const_int(bits, false).into(),
            Class::Signed | Class::Unsigned => {
                self.emit.int_type(dtype.bits()).const_int(bits, false).into()
            }
        }
    }

    fn index(&mut self, ty: &Type, axis: usize) -> Vec<Val<'c>> {
        let spread = self.spread(ty);
        self.indices(&spread, axis).into_iter().map(Val::from).collect()
    }

    fn bits(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let to = self.register_type(inst.results[0]);
        self.each(inst, |it, x| {
            let memory = it.emit.bitcast(it.to_memory(x[0]), it.memory_type(to));
            it.loaded_as(memory, to)
        })
    }
}

/// Shape operations: where the elements of the result come from.
impl<'c> Lower<'_, 'c> {
    fn moved(
        &mut self,
        inst: &Inst,
        rep: &dyn Fn(&[u32]) -> SmallVec<[u32; 4]>,
        packed: &dyn Fn(u32) -> u32,
    ) -> Vec<Val<'c>> {
        let (source, result) = (self.kernel.ty(inst.operands[0]), self.kernel.ty(inst.results[0]));
        let (source, result) = (self.spread(source), self.spread(result));
        let values = self.get(inst.operands[0]);
        self.pull(&values, &source, &result, &Pull { rep, packed })
    }

    /// A dimension of extent 1 has no index bits, so packed indices stay what they are.
    fn squeeze(&mut self, axis: usize, inst: &Inst) -> Vec<Val<'c>> {
        let slots = self.moved(inst, &|rep| with(rep, axis, 0), &|packed| packed);
        if !self.kernel.ty(inst.results[0]).is_scalar() {
            return slots;
        }
        slots
            .into_iter()
            .map(|it| self.in_words(it, |it, word| it.chip.uniform(&it.emit, word)))
            .collect()
    }

    fn broadcast(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let source = self.spread(self.kernel.ty(inst.operands[0]));
        let result = self.spread(self.kernel.ty(inst.results[0]));
        let is_repeated = |axis: usize| source.shape[axis] != result.shape[axis];
        let rep = |rep: &[u32]| {
            rep.iter()
                .enumerate()
                .map(|(axis, &it)| if is_repeated(axis) { 0 } else { it })
                .collect()
        };
        let packed = |packed: u32| {
            let kept = (0..source.shape.len()).filter(|&axis| !is_repeated(axis));
            kept.fold(0, |it, axis| it | result.axis(packed, axis) << source.shift[axis])
        };
        self.moved(inst, &rep, &packed)
    }

    /// Row-major order is the order of packed indices; repetitions keep their number.
    fn reshape(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let source = self.spread(self.kernel.ty(inst.operands[0]));
        let result = self.spread(self.kernel.ty(inst.results[0]));
        let rep = |rep: &[u32]| {
            source.at(result.slot(rep, 0) >> result.regs.len() << source.regs.len()).rep
        };
        self.moved(inst, &rep, &|packed| packed)
    }

    fn permute(&mut self, perm: &[u32], inst: &Inst) -> Vec<Val<'c>> {
        let source = self.spread(self.kernel.ty(inst.operands[0]));
        let result = self.spread(self.kernel.ty(inst.results[0]));
        let rep = |rep: &[u32]| {
            let mut it: SmallVec<[u32; 4]> = rep.into();
            perm.iter().zip(rep).for_each(|(&from, &at)| it[from as usize] = at);
            it
        };
        let packed = |packed: u32| {
            let axes = perm.iter().enumerate();
            axes.fold(0, |it, (axis, &from)| {
                it | result.axis(packed, axis) << source.shift[from as usize]
            })
        };
        self.moved(inst, &rep, &packed)
    }

    /// The new last dimension is the lowest index bit; a slot comes from the operand that it names.
    fn join(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let (source, result) = (self.kernel.ty(inst.operands[0]), self.kernel.ty(inst.results[0]));
        let (source, result) = (self.spread(source), self.spread(result));
        let pull = Pull { rep: &|rep| without(rep, rep.len() - 1), packed: &|packed| packed >> 1 };
        let pulled: Vec<Vec<Val<'c>>> = inst
            .operands
            .iter()
            .map(|&it| self.pull(&self.get(it), &source, &result, &pull))
            .collect();
        let chooses: Vec<u32> = result.threads.iter().map(|it| it & 1).collect();
        let by_thread = chooses.iter().enumerate().fold(0, |it, (at, bit)| it | bit << at);
        (0..result.n_slots())
            .map(|slot| {
                let own = (result.at(slot).packed & 1) as usize;
                if by_thread == 0 {
                    return pulled[own][slot];
                }
                let other = self.thread_parity(by_thread);
                self.emit.select(other, pulled[1 - own][slot], pulled[own][slot])
            })
            .collect()
    }

    fn split(&mut self, inst: &Inst) {
        for (bit, &result) in inst.results.iter().enumerate() {
            let source = self.spread(self.kernel.ty(inst.operands[0]));
            let spread = self.spread(self.kernel.ty(result));
            let pull = Pull {
                rep: &|rep| with(rep, rep.len(), 0),
                packed: &|packed| packed << 1 | bit as u32,
            };
            let values = self.get(inst.operands[0]);
            let slots = self.pull(&values, &source, &spread, &pull);
            self.set(result, slots);
        }
    }
}

/// Without the number of dimension `axis`.
fn without(rep: &[u32], axis: usize) -> SmallVec<[u32; 4]> {
    rep.iter().enumerate().filter(|it| it.0 != axis).map(|it| *it.1).collect()
}

/// With a number for a new dimension before `axis`.
fn with(rep: &[u32], axis: usize, number: u32) -> SmallVec<[u32; 4]> {
    let mut it: SmallVec<[u32; 4]> = rep.into();
    it.insert(axis, number);
    it
}

/// What a tile of indices decides.
impl<'c> Lower<'_, 'c> {
    /// The tile lies in shared memory while its elements are picked.
    fn gather(&mut self, axis: usize, inst: &Inst) -> Vec<Val<'c>> {
        let source = self.spread(self.kernel.ty(inst.operands[0]));
        let result = self.spread(self.kernel.ty(inst.results[0]));
        let values = self.get(inst.operands[0]);
        let picked = self.get(inst.operands[1]);
        let is_signed = self.dtype(inst.operands[1]).is_signed();
        let region = self.spill(&values, &source);
        self.publish(&region);
        let ty = values[0].get_type();
        let bytes = super::shared::slot_bytes(ty);
        // The part of the place that the index does not decide.
        let rest = |packed: u32| {
            let others = (0..result.shape.len()).filter(|&it| it != axis);
            others.fold(0, |it, other| it | result.axis(packed, other) << source.shift[other])
        };
        let threads: Vec<u32> = result.threads.iter().map(|&it| rest(it)).collect();
        let base = self.of_thread(&threads);
        let varying = threads.iter().fold(0, |it, image| it | image);
        (0..result.n_slots())
            .map(|slot| {
                let mut at = result.at(slot);
                at.packed = rest(at.packed);
                at.rep[axis] = 0;
                let fixed = self.scratch_index(&source, &at, base, varying);
                let index = picked[slot.min(picked.len() - 1)].into_int_value();
                let index = if is_signed {
                    self.emit.sext(index, self.emit.i32())
                } else {
                    self.emit.zext(index, self.emit.i32())
                };
                let place = self.emit.add(fixed, self.gathered_part(&source, axis, index));
                let loaded = self.emit.load(
                    self.memory_type(ty),
                    self.scratch_address(&region, place, bytes),
                    bytes,
                );
                self.loaded_as(loaded, ty)
            })
            .collect()
    }

    /// What an index along `axis` adds to a place in scratch.
    fn gathered_part(&self, source: &Spread, axis: usize, index: IntValue<'c>) -> IntValue<'c> {
        let emit = &self.emit;
        let bits = source.axis_bits(axis);
        let inside = emit.and(index, emit.int((1 << bits) - 1));
        let inside = emit.shl(inside, emit.int(source.shift[axis]));
        if source.odd[axis] == 1 {
            return inside;
        }
        let box_bits: u32 = (0..source.shape.len()).map(|it| source.axis_bits(it)).sum();
        let step: u32 = source.odd[axis + 1..].iter().product::<u32>() << box_bits;
        emit.add(inside, emit.mul(emit.lshr(index, emit.int(bits)), emit.int(step)))
    }

    /// Counted with atomics in shared memory.
    fn histogram(&mut self, inst: &Inst) -> Vec<Val<'c>> {
        let result = self.spread(self.kernel.ty(inst.results[0]));
        let n_bins: u32 = result.shape.iter().product();
        let region = self.take_scratch(n_bins * 4);
        self.clear_bins(&region, n_bins);
        self.meet();
        self.count(inst, &region, n_bins);
        self.publish(&region);
        let base = self.of_thread(&result.threads.clone());
        let varying = result.threads.iter().fold(0, |it, image| it | image);
        let wanted = self.register_type(inst.results[0]).into_int_type();
        (0..result.n_slots())
            .map(|slot| {
                // Bins lie by their number: repetitions of the box follow one another.
                let place = self.scratch_index(&result, &result.at(slot), base, varying);
                let count = self.emit.load(
                    self.emit.i32().into(),
                    self.scratch_address(&region, place, 4),
                    4,
                );
                self.emit.zext(count.into_int_value(), wanted).into()
            })
            .collect()
    }

    fn clear_bins(&mut self, region: &std::ops::Range<u32>, n_bins: u32) {
        let thread = self.thread();
        let n_threads = self.team.warps * self.lanes;
        for first in (0..n_bins).step_by(n_threads as usize) {
            let bin = self.emit.add(thread, self.emit.int(first));
            let clear = || {
                let to = self.scratch_address(region, bin, 4);
                self.emit.store(self.emit.int(0).into(), to, 4);
            };
            if first + n_threads <= n_bins {
                clear();
            } else {
                let is_bin = self.emit.icmp(inkwell::IntPredicate::ULT, bin, self.emit.int(n_bins));
                self.emit.when(is_bin, clear);
            }
        }
    }

    fn count(&mut self, inst: &Inst, region: &std::ops::Range<u32>, n_bins: u32) {
        let spread = self.spread(self.kernel.ty(inst.operands[0]));
        let copies = spread.copies();
        let owner = self.is_owner(copies.threads);
        let values = self.get(inst.operands[0]);
        let masks = inst.operands.get(1).map(|&it| self.get(it));
        for slot in (0..spread.n_slots()).filter(|&it| it as u64 & copies.regs == 0) {
            let value = values[slot].into_int_value();
            // Compared in its own type, where a negative number is large.
            let limit = value.get_type().const_int(u64::from(n_bins), false);
            let holds_all = value.get_type().get_bit_width() < 32
                && 1u64 << value.get_type().get_bit_width() <= u64::from(n_bins);
            let mut counts = if holds_all {
                self.emit.bool(true)
            } else {
                self.emit.icmp(inkwell::IntPredicate::ULT, value, limit)
            };
            if let Some(masks) = &masks {
                counts = self.emit.and(counts, masks[slot.min(masks.len() - 1)].into_int_value());
            }
            if let Some(owner) = owner {
                counts = self.emit.and(counts, owner);
            }
            self.emit.when(counts, || {
                let bin = self.emit.zext(value, self.emit.i32());
                let to = self.scratch_address(region, bin, 4);
                let scope = self.chip.scope(tile_language::op::memory::Scope::Block);
                self.emit.atomic(
                    AtomicRMWBinOp::Add,
                    to,
                    self.emit.int(1).into(),
                    AtomicOrdering::Monotonic,
                    scope,
                );
            });
        }
    }
}
