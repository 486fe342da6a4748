//! Shape operations: where the elements of a result come from.
//!
//! # Idea
//! A shape operation is an affine map of index bits ([`Pull`]). Composed with the two layouts it
//! says for every slot of the result which register of the source it is, affine in the thread's
//! number. As layouts are carried along by shape operations, the element is in the same thread, and
//! the operation is a renaming; where another copy of it is nearer by register, a select. What lies
//! elsewhere goes through shared memory.
//!
//! # Laws
//! * T1: a route is found for every pull whose elements the source holds.
//! * T2: among equal elements the nearest is taken: a register of the own thread before others'.

use inkwell::values::IntValue;
use smallvec::SmallVec;

use super::Lower;
use super::index::{At, Spread};
use crate::emit::{Val, width};

/// Where the elements of a result come from.
pub(crate) struct Pull<'f> {
    /// Maps a repetition of the result to one of the source.
    pub(crate) rep: &'f dyn Fn(&[u32]) -> SmallVec<[u32; 4]>,
    /// Maps a packed index of the result to one of the source; affine over F2.
    pub(crate) packed: &'f dyn Fn(u32) -> u32,
}

impl Pull<'_> {
    /// The part of the map that is linear.
    fn image(&self, packed: u32) -> u32 {
        (self.packed)(packed) ^ (self.packed)(0)
    }
}

/// Every element comes from the same index.
pub(crate) const SAME: Pull<'static> = Pull { rep: &|rep| rep.into(), packed: &|packed| packed };

/// From where a slot is filled, for thread 0.
struct Source {
    rep: SmallVec<[u32; 4]>,
    register: u64,
    distance: u32,
}

/// From where all slots are filled.
struct Route {
    sources: Vec<Source>,
    /// What a bit of the thread's number adds to the register.
    registers: Vec<u64>,
    /// What a bit of the thread's number adds to the distance.
    distances: Vec<u32>,
}

/// Images in echelon form, each with the bits of (register, thread) that make it.
struct Solver {
    rows: Vec<(u32, u128)>,
}

/// Where the thread bits begin in a combination.
const THREAD_SHIFT: u32 = 64;

impl Solver {
    /// Registers come first, so that they are preferred (law T2).
    fn new(source: &Spread) -> Solver {
        let mut it = Solver { rows: Vec::new() };
        let regs = source.regs.iter().enumerate().map(|(at, &image)| (image, 1u128 << at));
        let threads = source
            .threads
            .iter()
            .enumerate()
            .map(|(at, &image)| (image, 1u128 << (THREAD_SHIFT + at as u32)));
        for (image, bit) in regs.chain(threads) {
            let (rest, combination) = it.reduce(image, bit);
            if rest != 0 {
                it.rows.push((rest, combination));
            }
        }
        it
    }

    fn reduce(&self, image: u32, combination: u128) -> (u32, u128) {
        self.rows.iter().fold((image, combination), |(rest, made), &(row, by)| {
            if rest ^ row < rest { (rest ^ row, made ^ by) } else { (rest, made) }
        })
    }

    /// The register bits and thread bits whose images sum to `image`.
    fn solve(&self, image: u32) -> Option<(u64, u32)> {
        let (rest, made) = self.reduce(image, 0);
        (rest == 0).then_some((made as u64, (made >> THREAD_SHIFT) as u32))
    }
}

impl Route {
    fn find(source: &Spread, result: &Spread, pull: &Pull<'_>) -> Option<Route> {
        let solver = Solver::new(source);
        let mut route = Route { sources: Vec::new(), registers: Vec::new(), distances: Vec::new() };
        for (at, &image) in result.threads.iter().enumerate() {
            // The difference between what this thread bit wants and what it has itself.
            let own = source.threads[at];
            let (register, distance) = solver.solve(pull.image(image) ^ own)?;
            route.registers.push(register);
            route.distances.push(distance);
        }
        for slot in 0..result.n_slots() {
            let at = result.at(slot);
            let (register, distance) = solver.solve((pull.packed)(at.packed))?;
            route.sources.push(Source { rep: (pull.rep)(&at.rep), register, distance });
        }
        Some(route)
    }

    /// All bits in which a thread's source can differ from itself.
    fn reach(&self) -> u32 {
        let distances = self.distances.iter().fold(0, |it, bits| it | bits);
        self.sources.iter().fold(distances, |it, source| it | source.distance)
    }
}

impl<'c> Lower<'_, 'c> {
    /// The result's slots, filled as `pull` says.
    pub(crate) fn pull(
        &mut self,
        values: &[Val<'c>],
        source: &Spread,
        result: &Spread,
        pull: &Pull<'_>,
    ) -> Vec<Val<'c>> {
        let route = Route::find(source, result, pull)
            .expect("T1: the source holds every element of the result");
        if route.reach() != 0 {
            return self.through_shared(values, source, result, pull);
        }
        self.pick_all(values, source, &route)
    }

    fn pick_all(&mut self, values: &[Val<'c>], source: &Spread, route: &Route) -> Vec<Val<'c>> {
        let one = |it: &Source| self.pick(values, source, &it.rep, it.register, &route.registers);
        route.sources.iter().map(one).collect()
    }

    /// The slot of a register that is affine in the thread's number.
    fn pick(
        &mut self,
        values: &[Val<'c>],
        source: &Spread,
        rep: &[u32],
        register: u64,
        by_thread: &[u64],
    ) -> Val<'c> {
        // Register bits that turn on the same thread bits turn together.
        let mut turns: Vec<(u32, u64)> = Vec::new();
        for bit in 0..source.regs.len() {
            let cause = by_thread
                .iter()
                .enumerate()
                .fold(0, |it, (at, image)| it | ((image >> bit & 1) as u32) << at);
            match turns.iter_mut().find(|it| it.0 == cause) {
                _ if cause == 0 => {}
                Some(turn) => turn.1 |= 1 << bit,
                None => turns.push((cause, 1 << bit)),
            }
        }
        self.pick_among(values, source, rep, register, &turns)
    }

    fn pick_among(
        &mut self,
        values: &[Val<'c>],
        source: &Spread,
        rep: &[u32],
        register: u64,
        turns: &[(u32, u64)],
    ) -> Val<'c> {
        let Some((&(cause, bits), rest)) = turns.split_first() else {
            return values[source.slot(rep, register)];
        };
        let turned = self.pick_among(values, source, rep, register ^ bits, rest);
        let kept = self.pick_among(values, source, rep, register, rest);
        let cond = self.thread_parity(cause);
        self.emit.select(cond, turned, kept)
    }

    /// Whether an odd number of these bits of the thread's number are set.
    pub(crate) fn thread_parity(&mut self, bits: u32) -> IntValue<'c> {
        let n = (u32::BITS - bits.leading_zeros()) as usize;
        let images: Vec<u32> = (0..n).map(|at| bits >> at & 1).collect();
        let parity = self.of_thread(&images);
        self.emit.is_set(parity)
    }

    /// The value of the lane whose number differs by `mask`.
    pub(crate) fn shuffle_xor(&mut self, value: Val<'c>, mask: u32) -> Val<'c> {
        if mask == 0 {
            return value;
        }
        self.in_words(value, |it, word| it.chip.shuffle_xor(&it.emit, word, mask))
    }

    /// Applies a function of 32-bit words to a value of any width.
    pub(crate) fn in_words(
        &self,
        value: Val<'c>,
        f: impl Fn(&Self, IntValue<'c>) -> IntValue<'c>,
    ) -> Val<'c> {
        let emit = &self.emit;
        let ty = value.get_type();
        let bits = width(ty);
        let whole = emit.int_type(bits);
        let number = emit.bitcast(value, whole.into()).into_int_value();
        let moved = if bits <= 32 {
            emit.zext(f(self, emit.zext(number, emit.i32())), whole)
        } else {
            let low = f(self, emit.zext(number, emit.i32()));
            let high = f(self, emit.zext(emit.lshr(number, emit.long(32)), emit.i32()));
            let high = emit.shl(emit.zext(high, whole), emit.long(32));
            emit.or(emit.zext(low, whole), high)
        };
        emit.bitcast(moved.into(), ty)
    }

    /// Where the result's slot stands in the source, for thread 0.
    pub(crate) fn pulled(at: &At, pull: &Pull<'_>) -> At {
        At { rep: (pull.rep)(&at.rep), packed: (pull.packed)(at.packed) }
    }
}

/// The packed index of the source for every bit of the result's thread number.
pub(crate) fn pulled_threads(result: &Spread, pull: &Pull<'_>) -> Vec<u32> {
    result.threads.iter().map(|&it| pull.image(it)).collect()
}
