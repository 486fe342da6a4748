//! Views of shared memory: places, loads and stores, and accesses by index.
//!
//! # Idea
//! A view is no value of LLVM's but a [`Place`]: the byte where its buffer begins, a sum and an
//! exclusive or that its indices contributed. Which registers move together, and what the thread and
//! the register add to an address, is the layout crate's [`SharedAccess`]; here it becomes
//! arithmetic. Bits of a register's offset that nothing else can have are added last, as a constant
//! that folds into the instruction; the others are combined by exclusive or before.
//!
//! # Invariants
//! * P1: bits of [`Place::shift`] outside of [`Place::shift_bits`] are 0.
//! * P2: a place's sum has none of the bits that the columns of its view's map have, so that adding
//!   a column's bit never carries (memory maps: every bit that is not mixed has one owner).

use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};
use tile_language::analysis::shared_access;
use tile_language::ir::{Inst, Type, Value};
use tile_language::op::SharedOp;
use tile_language::op::memory::{AtomicOp, Order, Scope};
use tile_layout::banks::Direction;
use tile_layout::{AccessGroup, Layout, MemoryMap, SharedAccess, SharedMeans, SharedModel};

use super::cell::Cell;
use super::index::linear;
use super::memory::{ordering, rmw};
use super::transfer::SAME;
use super::{HookKind, Lower};
use crate::emit::{Val, width};

/// Where a view lies, in [`Units`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'c> {
    /// Where the memory of another block begins; none for the block's own.
    base: Option<PointerValue<'c>>,
    /// The byte where the buffer begins.
    buffer: u32,
    /// From there, by addition.
    start: IntValue<'c>,
    /// And by exclusive or with the columns of what is accessed.
    shift: IntValue<'c>,
    /// The bits that `shift` can have.
    shift_bits: u32,
}

/// What distances in a view are counted in: bytes, so that they add up to addresses and their bits are
/// combined by exclusive or as those of offsets are. Elements whose width is three times a power of two
/// count in three bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Units {
    elem_bits: u32,
}

impl Units {
    /// The units of so many elements, rounded down.
    fn of(self, elements: u32) -> u32 {
        ((u64::from(elements) << self.elem_bits.trailing_zeros()) / 8) as u32
    }

    /// Bytes of one.
    fn bytes(self) -> u32 {
        self.elem_bits >> self.elem_bits.trailing_zeros()
    }
}

/// What the thread and the place add to the addresses of an access, in units.
pub(crate) struct Addresses<'c> {
    place: Place<'c>,
    /// The part that the groups' constants are exclusive-or'ed to, and the bits that it can have.
    low: (IntValue<'c>, u32),
    /// For every step of the access, the thread's part, its bits, and the stride.
    steps: Vec<(IntValue<'c>, u32, u32)>,
    padding: Vec<(u32, u32)>,
    units: Units,
}

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation on shared memory.
    pub(crate) fn shared(&mut self, op: &SharedOp, inst: &Inst) {
        match op {
            SharedOp::Alloc { .. } => self.place_buffer(inst.results[0]),
            SharedOp::Index { axis } => self.taken(*axis as usize, 1, inst),
            SharedOp::Slice { axis } => {
                let len = self.kernel.ty(inst.results[0]).shape[*axis as usize];
                let unit = self.kernel.ty(inst.operands[0]).map().slice_unit(*axis as usize, len);
                if self.options.is_checked {
                    self.check_start(*axis, len, unit, inst);
                }
                self.taken(*axis as usize, unit, inst);
            }
            SharedOp::Recast | SharedOp::Overlay => {
                let place = self.place(inst.operands[0]);
                self.places.insert(inst.results[0], place);
            }
            SharedOp::On => self.neighbour_view(inst),
            SharedOp::Load => self.load_view(inst),
            SharedOp::Store => self.store_view(inst),
            SharedOp::Gather { axis } => self.gather_view(*axis as usize, inst),
            SharedOp::Scatter { axis } => self.scatter_view(*axis as usize, inst),
            SharedOp::Atomic { op, axis } => self.atomic_view(*op, *axis as usize, inst),
        }
    }

    /// Gives a buffer, or a list of mbarriers, its place.
    pub(crate) fn place_buffer(&mut self, buffer: Value) {
        let zero = self.emit.int(0);
        let place = self.allocation.of_value(buffer).offset;
        let place = Place { base: None, buffer: place, start: zero, shift: zero, shift_bits: 0 };
        self.places.insert(buffer, place);
    }

    /// The address of the first element of a view.
    pub(crate) fn view_address(&self, view: Value) -> PointerValue<'c> {
        let (emit, place) = (&self.emit, self.place(view));
        let at = emit.add(emit.int(place.buffer), emit.add(place.start, place.shift));
        emit.offset(emit.i8().into(), self.base(place), at)
    }

    /// The address of a view in a pattern that the hardware makes.
    pub(crate) fn box_address(&self, view: Value) -> PointerValue<'c> {
        let (emit, place) = (&self.emit, self.place(view));
        let at = emit.add(emit.int(place.buffer), place.start);
        emit.offset(emit.i8().into(), self.base(place), at)
    }

    /// Where the memory begins that a place is in.
    fn base(&self, place: Place<'c>) -> PointerValue<'c> {
        place.base.unwrap_or_else(|| self.scratch.address())
    }

    /// The same place of another block.
    fn neighbour_view(&mut self, inst: &Inst) {
        let rank = self.scalar(inst.operands[1]).into_int_value();
        let own = self.scratch.address();
        let base = self.chip.neighbour(&self.emit, own, rank);
        let place = Place { base: Some(base), ..self.place(inst.operands[0]) };
        self.places.insert(inst.results[0], place);
    }

    fn place(&self, view: Value) -> Place<'c> {
        *self.places.get(&view).expect("V1: a view is defined before its uses")
    }

    fn taken(&mut self, axis: usize, unit: u32, inst: &Inst) {
        let view = inst.operands[0];
        let ty = self.kernel.ty(view);
        let at = self.scalar(inst.operands[1]).into_int_value();
        let place = self.place_at(self.place(view), ty.map(), units(ty), axis, at, unit);
        self.places.insert(inst.results[0], place);
    }

    /// Stops a checked engine where a slice begins that cuts what lies together, or ends outside. Every
    /// thread asks, so that none gets to the accesses before.
    fn check_start(&mut self, axis: u32, len: u32, unit: u32, inst: &Inst) {
        let extent = self.kernel.ty(inst.operands[0]).shape[axis as usize];
        let start = self.scalar(inst.operands[1]).into_int_value();
        let start = self.to_long(start, self.dtype(inst.operands[1]));
        let emit = &self.emit;
        let cut = emit.and(start, emit.long(u64::from(unit - 1)));
        let cuts = emit.icmp(IntPredicate::NE, cut, emit.long(0));
        // A negative beginning is a large one.
        let last = emit.long(u64::from(extent - len));
        let is_outside = emit.icmp(IntPredicate::UGT, start, last);
        let is_refused = emit.or(cuts, is_outside);
        let kind = HookKind::Slice { axis, extent, len, unit };
        self.call_hook_when(is_refused, "slice", kind, inst, &[start.into()]);
    }

    /// The place at index `at` of a dimension, which is a multiple of `unit`.
    fn place_at(
        &self,
        place: Place<'c>,
        map: &MemoryMap,
        units: Units,
        axis: usize,
        at: IntValue<'c>,
        unit: u32,
    ) -> Place<'c> {
        let emit = &self.emit;
        let dim = &map.dims()[axis];
        let n_columns = dim.columns.len() as u32;
        let has_steps = dim.extent >> n_columns > 1;
        let low = if has_steps { emit.and(at, emit.int((1 << n_columns) - 1)) } else { at };
        let part = |bits: u32| {
            let columns = dim.columns.iter().enumerate();
            let image = |(bit, it): (usize, &u32)| {
                if unit >> bit > 1 { 0 } else { units.of(it & bits) }
            };
            let images: Vec<u32> = columns.map(image).collect();
            let all = images.iter().fold(0, |all, it| all | it);
            (if all == 0 { emit.int(0) } else { linear(emit, low, &images) }, all)
        };
        let (shift, shift_bits) = part(map.mixed());
        let (mut start, _) = part(!map.mixed());
        if has_steps {
            let steps = emit.lshr(at, emit.int(n_columns));
            start = emit.add(start, emit.mul(steps, emit.int(units.of(dim.stride))));
        }
        Place {
            base: place.base,
            buffer: place.buffer,
            start: emit.add(place.start, start),
            shift: emit.xor(place.shift, shift),
            shift_bits: place.shift_bits | shift_bits,
        }
    }
}

/// Addresses.
impl<'c> Lower<'_, 'c> {
    /// The part of the addresses of an access that its groups share.
    pub(crate) fn addresses(&mut self, view: Value, access: &SharedAccess) -> Addresses<'c> {
        let place = self.place(view);
        self.addresses_at(place, view, access, Self::of_thread)
    }

    /// As [`Lower::addresses`], for the first lane of the warp instead of each.
    pub(crate) fn warp_addresses(&mut self, view: Value, access: &SharedAccess) -> Addresses<'c> {
        let place = self.place(view);
        let mut first = access.clone();
        first.lanes.fill(0);
        self.addresses_at(place, view, &first, Self::of_warp)
    }

    /// Whether a view's place may lie within what the lanes of a warp write one after another.
    pub(crate) fn cuts_lines(&self, view: Value, access: &SharedAccess) -> bool {
        let bytes = access.bytes << access.lanes.len();
        self.place(view).shift_bits & (bytes - 1) != 0
    }

    fn addresses_at(
        &mut self,
        place: Place<'c>,
        view: Value,
        access: &SharedAccess,
        of: impl Fn(&mut Self, &[u32]) -> IntValue<'c>,
    ) -> Addresses<'c> {
        let units = units(self.kernel.ty(view));
        let scaled = |it: &[u32]| it.iter().map(|&it| units.of(it)).collect::<Vec<u32>>();
        let images = self.thread_images(&scaled(&access.lanes), &scaled(&access.warps));
        let varying = images.iter().fold(0, |all, it| all | it);
        let thread = of(self, &images);
        let low = (self.emit.xor(thread, place.shift), varying | place.shift_bits);
        let steps = access.steps.iter().map(|step| {
            let images = self.thread_images(&step.lanes, &step.warps);
            let varying = images.iter().fold(0, |all, it| all | it);
            (of(self, &images), varying, units.of(step.stride))
        });
        let steps = steps.collect();
        let padding = self.kernel.ty(view).map().padding().iter();
        let padding = padding.map(|&(interval, pad)| (units.of(interval), units.of(pad))).collect();
        Addresses { place, low, steps, padding, units }
    }

    /// The address of a group's first element.
    pub(crate) fn address(&self, of: &Addresses<'c>, group: &AccessGroup) -> PointerValue<'c> {
        let emit = &self.emit;
        let (low, varying) = of.low;
        let [group_low, high] = [group.low, group.high].map(|it| of.units.of(it));
        // Whole intervals and bits of nobody else need not be looked at when padding is counted.
        let is_apart = of.padding.iter().all(|it| high % it.0 == 0);
        let fixed = if is_apart { high + (group_low & !varying) } else { 0 };
        let mut at = emit.xor(low, emit.int(group_low & varying));
        if !is_apart {
            at = emit.add(at, emit.int(high + (group_low & !varying)));
        }
        for (&(step, varying, stride), &own) in of.steps.iter().zip(&group.steps) {
            let steps = self.join_index(step, varying, own);
            at = emit.add(at, emit.mul(steps, emit.int(stride)));
        }
        let unit = of.units.bytes();
        let bytes = |it: IntValue<'c>| if unit == 1 { it } else { emit.mul(it, emit.int(unit)) };
        let mut res = self.base(of.place);
        if of.padding.is_empty() {
            // The part that a loop does not change first.
            res = emit.offset(emit.i8().into(), res, bytes(at));
            res = emit.offset(emit.i8().into(), res, bytes(of.place.start));
        } else {
            let plain = emit.add(of.place.start, at);
            let pads = of.padding.iter().map(|&(interval, pad)| {
                emit.mul(emit.udiv(plain, emit.int(interval)), emit.int(pad))
            });
            let padded = pads.fold(plain, |sum, it| emit.add(sum, it));
            res = emit.offset(emit.i8().into(), res, bytes(padded));
        }
        let pads: u32 = of.padding.iter().map(|&(interval, pad)| fixed / interval * pad).sum();
        emit.offset(emit.i8().into(), res, emit.int(of.place.buffer + (fixed + pads) * unit))
    }

    /// The layout of a tile that is read from or written to a view; a scalar has the one without bits.
    fn tile_layout(&self, tile: Value) -> Layout {
        self.kernel.ty(tile).layout.clone().unwrap_or_else(|| Layout::new(&[], Vec::new()))
    }

    /// How a tile moves to or from a view.
    fn view_access(&self, view: Value, tile: Value, direction: Direction) -> SharedAccess {
        let (ty, target) = (self.kernel.ty(view), self.kernel.target.row());
        let (layout, bits) = (self.tile_layout(tile), ty.elem.bits());
        if self.is_on(view) {
            // Matrices are moved within a block.
            let plain = SharedModel::plain(target.banks);
            return plain.access(&layout, ty.map(), bits, direction);
        }
        shared_access(target, &layout, ty.map(), bits, direction)
    }
}

/// What distances in a view of that type are counted in.
fn units(ty: &Type) -> Units {
    Units { elem_bits: ty.elem.bits() }
}

/// Loads and stores.
impl<'c> Lower<'_, 'c> {
    fn load_view(&mut self, inst: &Inst) {
        let (view, result) = (inst.operands[0], inst.results[0]);
        let access = self.view_access(view, result, Direction::Read);
        let addresses = self.addresses(view, &access);
        let element = self.register_type(result);
        let n_slots = self.spread(self.kernel.ty(result)).n_slots();
        let mut slots = vec![element.const_zero(); n_slots];
        for group in &access.groups {
            let from = self.address(&addresses, group);
            let cell = self.cell(self.dtype(result));
            let values = self.load_row(access.means, access.vector, from, cell);
            for (registers, value) in group.registers.iter().zip(values) {
                let value = self.loaded_as(value, element);
                registers.iter().for_each(|&it| slots[it as usize] = value);
            }
        }
        if self.kernel.ty(result).is_scalar() {
            slots[0] = self.in_words(slots[0], |it, word| it.chip.uniform(&it.emit, word));
        }
        self.set(result, slots);
    }

    fn store_view(&mut self, inst: &Inst) {
        let (view, value) = (inst.operands[0], inst.operands[1]);
        let access = self.view_access(view, value, Direction::Write);
        let addresses = self.addresses(view, &access);
        let slots = self.get(value);
        let owner = self.storing_thread(value);
        let write = |lower: &Self| {
            for group in &access.groups {
                let registers = group.registers.iter().map(|it| slots[it[0] as usize]);
                let values: Vec<Val<'c>> = registers.map(|it| lower.to_memory(it)).collect();
                let cell = lower.cell(lower.dtype(value));
                lower.store_row(access.means, lower.address(&addresses, group), &values, cell);
            }
        };
        match owner {
            Some(owner) => self.emit.when(owner, || write(self)),
            None => write(self),
        }
    }

    /// The elements that one access moves for a thread, by position, as they lie in memory.
    pub(crate) fn load_row(
        &self,
        means: SharedMeans,
        n: u32,
        from: PointerValue<'c>,
        cell: Cell<'c>,
    ) -> Vec<Val<'c>> {
        let emit = &self.emit;
        match means {
            SharedMeans::Vector => {
                let (ty, align) = cell.access(emit, n as usize);
                cell.split(emit, emit.load(ty, from, align), n as usize)
            }
            SharedMeans::Matrix { count, transposed } => {
                let n = (n / count) as usize;
                let (ty, _) = cell.access(emit, n);
                let words = self.chip.load_matrices(emit, from, count, transposed).into_iter();
                words.flat_map(|it| emit.unpack(emit.bitcast(it.into(), ty), n)).collect()
            }
            SharedMeans::TransposeRead => self.chip.load_columns(emit, from, cell.element, n),
        }
    }

    /// Writes the elements of one access, given by position as they lie in memory.
    pub(crate) fn store_row(
        &self,
        means: SharedMeans,
        to: PointerValue<'c>,
        values: &[Val<'c>],
        cell: Cell<'c>,
    ) {
        let emit = &self.emit;
        match means {
            SharedMeans::Vector => {
                let (_, align) = cell.access(emit, values.len());
                emit.store(cell.join(emit, values), to, align);
            }
            SharedMeans::Matrix { count, transposed } => {
                let word = |it: &[Val<'c>]| {
                    emit.bitcast(emit.pack(it), emit.i32().into()).into_int_value()
                };
                let n = values.len() / count as usize;
                let words: Vec<IntValue<'c>> = values.chunks(n).map(word).collect();
                self.chip.store_matrices(emit, to, &words, transposed);
            }
            SharedMeans::TransposeRead => unreachable!("it reads"),
        }
    }

    /// Whether this thread is the one of its copies that stores; `None` if every thread is.
    pub(crate) fn storing_thread(&mut self, tile: Value) -> Option<IntValue<'c>> {
        let ty = self.kernel.ty(tile);
        if ty.is_scalar() {
            return Some(self.is_first_thread());
        }
        self.is_owner(self.spread(ty).copies().threads)
    }
}

/// What an access by index works on.
struct Picked<'c> {
    /// The address of every slot.
    addresses: Vec<PointerValue<'c>>,
    /// Whether a slot takes part; `None` if all do.
    conditions: Option<Vec<IntValue<'c>>>,
}

/// Accesses by index.
impl<'c> Lower<'_, 'c> {
    /// The elements that the indices pick, and which of them take part.
    fn picked(
        &mut self,
        axis: usize,
        [view, index]: [Value; 2],
        mask: Option<Value>,
        owner: Option<IntValue<'c>>,
    ) -> Picked<'c> {
        let ty = self.kernel.ty(view);
        let (map, units) = (ty.map(), units(ty));
        let access = SharedAccess::along(&self.tile_layout(index), map, axis, ty.elem.bits());
        let place = self.place(view);
        let indices = self.get(index);
        let mut addresses = Vec::new();
        for (group, at) in access.groups.iter().zip(&indices) {
            let place = self.place_at(place, map, units, axis, at.into_int_value(), 1);
            let of = self.addresses_at(place, view, &access, Self::of_thread);
            addresses.push(self.address(&of, group));
        }
        let masks = mask.map(|it| self.masks(it, indices.len()));
        let conditions = match (masks, owner) {
            (Some(masks), Some(owner)) => {
                Some(masks.into_iter().map(|it| self.emit.and(owner, it)).collect())
            }
            (Some(masks), None) => Some(masks),
            (None, owner) => owner.map(|it| vec![it; indices.len()]),
        };
        Picked { addresses, conditions }
    }

    fn gather_view(&mut self, axis: usize, inst: &Inst) {
        let (view, index) = (inst.operands[0], inst.operands[1]);
        let picked = self.picked(axis, [view, index], inst.operands.get(2).copied(), None);
        let element = self.register_type(inst.results[0]);
        let (ty, align) = Cell::whole(self.memory_type(element)).access(&self.emit, 1);
        let one = |(slot, &from): (usize, &PointerValue<'c>)| {
            let read = || vec![self.loaded_as(self.emit.load(ty, from, align), element)];
            match &picked.conditions {
                Some(it) => self.emit.when_or(it[slot], &[element.const_zero()], read)[0],
                None => read()[0],
            }
        };
        let slots = picked.addresses.iter().enumerate().map(one).collect();
        self.set(inst.results[0], slots);
    }

    fn scatter_view(&mut self, axis: usize, inst: &Inst) {
        let (view, index, value) = (inst.operands[0], inst.operands[1], inst.operands[2]);
        let owner = self.storing_thread(index);
        let picked = self.picked(axis, [view, index], inst.operands.get(3).copied(), owner);
        let copies = self.spread(self.kernel.ty(index)).copies().regs;
        for (slot, value) in self.get(value).into_iter().enumerate() {
            let value = self.to_memory(value);
            let write = || {
                let align = width(value.get_type()) / 8;
                self.emit.store(value, picked.addresses[slot], align);
            };
            match &picked.conditions {
                _ if slot as u64 & copies != 0 => {}
                Some(it) => self.emit.when(it[slot], write),
                None => write(),
            }
        }
    }

    fn atomic_view(&mut self, op: AtomicOp, axis: usize, inst: &Inst) {
        let (view, index, value) = (inst.operands[0], inst.operands[1], inst.operands[2]);
        let result = inst.results[0];
        let owner = self.storing_thread(index);
        let picked = self.picked(axis, [view, index], inst.operands.get(3).copied(), owner);
        let spread = self.spread(self.kernel.ty(index));
        let copies = spread.copies();
        let operation = rmw(op, self.dtype(value));
        let scope = if self.is_on(view) { Scope::Cluster } else { Scope::Block };
        let (order, scope) = (ordering(Order::Relaxed), self.chip.scope(scope));
        let zero = self.register_type(result).const_zero();
        let mut old = vec![zero; spread.n_slots()];
        for (slot, value) in self.get(value).into_iter().enumerate() {
            if slot as u64 & copies.regs != 0 {
                continue;
            }
            let to = picked.addresses[slot];
            let act = || vec![self.emit.atomic(operation, to, value, order, scope)];
            old[slot] = match &picked.conditions {
                Some(it) => self.emit.when_or(it[slot], &[zero], act)[0],
                None => act()[0],
            };
        }
        if self.uses.is_used(result) && copies.threads != 0 {
            old = self.through_shared(&old, &spread, &spread, &SAME);
        }
        self.copy_slots(&spread, &mut old);
        self.set(result, old);
    }
}
