//! Places of elements: what a layout says, in the form that the lowering computes with.
//!
//! # Idea
//! The index of an element is packed into one word, the last dimension in the lowest bits, so that
//! a layout is a list of words: the image of every register, lane and warp bit. A thread's number
//! holds the lane bits and above them the warp bits, so the part of an index that depends on the
//! thread is a linear function of the thread's number: for every distance between a bit and where
//! it goes, one mask and one shift.
//!
//! # Invariants
//! * X1: the extent of a dimension is `odd · 2^k`; packed words cover the power-of-two box, and
//!   the repetition is the most significant part of the slot number, row-major over the dimensions.
//! * X2: a slot's index at thread 0 is [`Spread::at`]; at thread `t` its box part is xored with
//!   the images of the bits of `t`.

use inkwell::values::IntValue;
use smallvec::SmallVec;
use tile_language::ir::Type;
use tile_layout::{In, Layout};

use super::Lower;
use crate::emit::Emit;

/// A layout with its index bits packed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Spread {
    /// Extents, outermost first.
    pub(crate) shape: SmallVec<[u32; 4]>,
    /// Odd part of every extent.
    pub(crate) odd: SmallVec<[u32; 4]>,
    /// Where the bits of every dimension begin in a packed word.
    pub(crate) shift: SmallVec<[u32; 4]>,
    /// Images of register bits.
    pub(crate) regs: Vec<u32>,
    /// Images of the bits of a thread's number: those of lanes, then those of warps.
    pub(crate) threads: Vec<u32>,
    /// How many of [`Spread::threads`] are lane bits.
    pub(crate) n_lane_bits: usize,
}

/// Where one slot of a thread lies, for thread 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct At {
    /// Which repetition, one number a dimension.
    pub(crate) rep: SmallVec<[u32; 4]>,
    /// The packed index in the box.
    pub(crate) packed: u32,
}

impl Spread {
    /// The places of a type's elements on a machine of that many lanes and warps.
    pub(crate) fn of(ty: &Type, lanes: u32, warps: u32) -> Spread {
        let n_lane_bits = lanes.trailing_zeros() as usize;
        let n_thread_bits = n_lane_bits + warps.next_power_of_two().trailing_zeros() as usize;
        let shape: SmallVec<[u32; 4]> = ty.shape.iter().copied().collect();
        let mut shift: SmallVec<[u32; 4]> = SmallVec::from_elem(0, shape.len());
        let mut bits = 0;
        for axis in (0..shape.len()).rev() {
            shift[axis] = bits;
            bits += shape[axis].trailing_zeros();
        }
        let odd = shape.iter().map(|it| it >> it.trailing_zeros()).collect();
        let mut it = Spread {
            shape,
            odd,
            shift,
            regs: Vec::new(),
            threads: vec![0; n_thread_bits],
            n_lane_bits,
        };
        if let Some(layout) = &ty.layout {
            it.regs = it.images(layout, In::Register);
            for (at, image) in it.images(layout, In::Lane).into_iter().enumerate() {
                it.threads[at] = image;
            }
            for (at, image) in it.images(layout, In::Warp).into_iter().enumerate() {
                it.threads[n_lane_bits + at] = image;
            }
        }
        it
    }

    fn images(&self, layout: &Layout, input: In) -> Vec<u32> {
        layout.bases(input).iter().map(|coords| self.pack(coords)).collect()
    }

    /// Packs coordinates inside the box.
    pub(crate) fn pack(&self, coords: &[u32]) -> u32 {
        coords.iter().zip(&self.shift).fold(0, |packed, (&it, &shift)| packed | (it << shift))
    }

    /// The part of a packed index that belongs to `axis`.
    pub(crate) fn axis(&self, packed: u32, axis: usize) -> u32 {
        (packed >> self.shift[axis]) & ((1 << self.axis_bits(axis)) - 1)
    }

    /// Index bits of `axis` inside the box.
    pub(crate) fn axis_bits(&self, axis: usize) -> u32 {
        self.shape[axis].trailing_zeros()
    }

    /// Slots that a thread has.
    pub(crate) fn n_slots(&self) -> usize {
        self.n_reps() << self.regs.len()
    }

    fn n_reps(&self) -> usize {
        self.odd.iter().map(|&it| it as usize).product()
    }

    /// Where a slot lies for thread 0.
    pub(crate) fn at(&self, slot: usize) -> At {
        let mut rest = slot >> self.regs.len();
        let mut rep: SmallVec<[u32; 4]> = SmallVec::from_elem(0, self.odd.len());
        for axis in (0..self.odd.len()).rev() {
            rep[axis] = (rest % self.odd[axis] as usize) as u32;
            rest /= self.odd[axis] as usize;
        }
        At { rep, packed: xor_of(&self.regs, slot as u64) }
    }

    /// The slot of that repetition and register.
    pub(crate) fn slot(&self, rep: &[u32], register: u64) -> usize {
        let rep =
            rep.iter().zip(&self.odd).fold(0, |it, (&at, &odd)| it * odd as usize + at as usize);
        rep << self.regs.len() | register as usize
    }

    /// The index along `axis` of a slot, for thread 0.
    pub(crate) fn coordinate(&self, at: &At, axis: usize) -> u32 {
        at.rep[axis] << self.axis_bits(axis) | self.axis(at.packed, axis)
    }

    /// The images of thread bits along one axis.
    pub(crate) fn thread_part(&self, axis: usize) -> Vec<u32> {
        self.threads.iter().map(|&it| self.axis(it, axis)).collect()
    }

    /// Register and thread bits whose images are sums of the images of lower ones: the bits that
    /// only make copies. An element is held exactly once where all of them are zero.
    pub(crate) fn copies(&self) -> Copies {
        let mut span: Vec<u32> = Vec::new();
        let mut bits = |images: &[u32]| {
            let mut free = 0;
            for (at, &image) in images.iter().enumerate() {
                let rest = span.iter().fold(image, |rest, &it| rest.min(rest ^ it));
                if rest == 0 {
                    free |= 1 << at;
                } else {
                    span.push(rest);
                }
            }
            free
        };
        Copies { regs: bits(&self.regs), threads: bits(&self.threads) as u32 }
    }

    /// Whether no element is held by more than one thread.
    pub(crate) fn is_held_once(&self) -> bool {
        self.copies().threads == 0
    }
}

/// The bits that only make copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Copies {
    /// Of the register number.
    pub(crate) regs: u64,
    /// Of the thread's number.
    pub(crate) threads: u32,
}

/// The xor of the images of the set bits of `number`.
pub(crate) fn xor_of(images: &[u32], number: u64) -> u32 {
    images
        .iter()
        .enumerate()
        .filter(|&(at, _)| number >> at & 1 == 1)
        .fold(0, |it, (_, &image)| it ^ image)
}

/// A linear function of the bits of `input`: the xor of the images of its set bits.
pub(crate) fn linear<'c>(emit: &Emit<'c>, input: IntValue<'c>, images: &[u32]) -> IntValue<'c> {
    // One term for every distance that bits move; the bits of one term do not overlap.
    let mut terms: Vec<(i32, u32)> = Vec::new();
    for (from, &image) in images.iter().enumerate() {
        for to in (0..32).filter(|&it| image >> it & 1 == 1) {
            let distance = to - from as i32;
            match terms.iter_mut().find(|it| it.0 == distance) {
                Some(term) => term.1 |= 1 << from,
                None => terms.push((distance, 1 << from)),
            }
        }
    }
    let mut sum = emit.int(0);
    for (distance, mask) in terms {
        let kept = if mask == full_mask(images.len()) && distance >= 0 {
            input
        } else {
            emit.and(input, emit.int(mask))
        };
        let moved = match distance {
            0 => kept,
            up @ 1.. => emit.shl(kept, emit.int(up as u32)),
            down => emit.lshr(kept, emit.int(down.unsigned_abs())),
        };
        sum = if is_zero(sum) { moved } else { emit.xor(sum, moved) };
    }
    sum
}

/// The bits that an input of that many bits can have set; the thread's number has no others.
fn full_mask(n_bits: usize) -> u32 {
    if n_bits >= 32 { u32::MAX } else { (1 << n_bits) - 1 }
}

/// Whether it is the constant 0.
pub(crate) fn is_zero(it: IntValue<'_>) -> bool {
    it.is_const() && it.get_zero_extended_constant() == Some(0)
}

impl<'c> Lower<'_, 'c> {
    /// The places of a type's elements.
    pub(crate) fn spread(&self, ty: &Type) -> Spread {
        Spread::of(ty, self.lanes, self.team.warps)
    }

    /// Bits of a thread's number.
    pub(crate) fn n_thread_bits(&self) -> usize {
        (self.lanes.trailing_zeros() + self.team.warps.next_power_of_two().trailing_zeros())
            as usize
    }

    /// A linear function of the thread's number, computed once at the head of the kernel.
    pub(crate) fn of_thread(&mut self, images: &[u32]) -> IntValue<'c> {
        if images.iter().all(|&it| it == 0) {
            return self.emit.int(0);
        }
        // The input of `linear` has as many bits as there are images.
        let mut images = images.to_vec();
        images.resize(self.n_thread_bits(), 0);
        if let Some(&it) = self.thread_functions.get(&images) {
            return it;
        }
        let thread = self.thread();
        let it = self.emit.at_head(|| linear(&self.emit, thread, &images));
        self.thread_functions.insert(images, it);
        it
    }

    /// A linear function of the number of the warp's first thread, in a register that its threads share.
    pub(crate) fn of_warp(&mut self, images: &[u32]) -> IntValue<'c> {
        if let Some(&it) = self.warp_functions.get(images) {
            return it;
        }
        let own = self.of_thread(images);
        let (emit, chip) = (&self.emit, &self.chip);
        let it = if is_zero(own) { own } else { emit.at_head(|| chip.uniform(emit, own)) };
        self.warp_functions.insert(images.to_vec(), it);
        it
    }

    /// The index along `axis` of every slot, as `i32`.
    pub(crate) fn indices(&mut self, spread: &Spread, axis: usize) -> Vec<IntValue<'c>> {
        let part = spread.thread_part(axis);
        let varying = part.iter().fold(0, |it, image| it | image);
        let base = self.of_thread(&part);
        let one = |slot| {
            let constant = spread.coordinate(&spread.at(slot), axis);
            self.join_index(base, varying, constant)
        };
        (0..spread.n_slots()).map(one).collect()
    }

    /// `base ^ constant`, where `base` can have the bits `varying`: a sum where they do not meet,
    /// because a sum folds into the offset of an access.
    pub(crate) fn join_index(
        &self,
        base: IntValue<'c>,
        varying: u32,
        constant: u32,
    ) -> IntValue<'c> {
        let constant_value = self.emit.int(constant);
        if is_zero(base) {
            constant_value
        } else if constant == 0 {
            base
        } else if varying & constant == 0 {
            self.emit.add_disjoint(base, constant_value)
        } else {
            self.emit.xor(base, constant_value)
        }
    }
}
