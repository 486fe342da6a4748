//! Global memory: addresses, loads, stores, atomics, and what a kernel tells the world.
//!
//! # Idea
//! Slots that lie side by side in memory are moved by one access, as wide as the analysis of
//! accesses allows. What a mask or the ownership of copies leaves out is branched around, one
//! branch for all accesses that share a condition. A scalar that other threads may change is read
//! by one thread and handed round, so that it has one value (the language's section 3).

use std::collections::HashMap;
use std::ops::Range;

use inkwell::values::{IntValue, PointerValue};
use inkwell::{AtomicOrdering, AtomicRMWBinOp};
use tile_language::analysis::access;
use tile_language::dtype::{Class, DType};
use tile_language::ir::{Elem, Extent, Inst, Value};
use tile_language::op::MemoryOp;
use tile_language::op::memory::{AtomicOp, Cache, Evict, Order, Scope};

use super::cell::Cell;
use super::index::{At, Spread};
use super::order::AccessKind;
use super::transfer::SAME;
use super::{AccessWidth, HookKind, Lower};
use crate::chip::{Hints, Resource};
use crate::emit::{Val, width};

/// Slots that one access moves, by ascending address.
type Group = Range<usize>;

/// A load or a store with its operands.
pub(super) struct Request<'c> {
    groups: Vec<Group>,
    pointers: Vec<Val<'c>>,
    /// For every group, whether it takes part; `None` if all do.
    conditions: Option<Vec<IntValue<'c>>>,
    pub(super) cell: Cell<'c>,
    hints: Hints,
    is_constant: bool,
    /// What bounds the pointers, if something is left out and the hardware can.
    resource: Option<Resource<'c>>,
}

impl<'c> Request<'c> {
    /// Groups that share a condition, in order.
    fn by_condition(&self) -> Vec<(Option<IntValue<'c>>, Vec<&Group>)> {
        let mut parts: Vec<(Option<IntValue<'c>>, Vec<&Group>)> = Vec::new();
        for (at, group) in self.groups.iter().enumerate() {
            let condition = self.conditions.as_ref().map(|it| it[at]);
            match parts.last_mut() {
                Some(part) if part.0 == condition => part.1.push(group),
                _ => parts.push((condition, vec![group])),
            }
        }
        parts
    }
}

impl<'c> Lower<'_, 'c> {
    /// Lowers an operation on global memory.
    pub(crate) fn memory(&mut self, op: &MemoryOp, inst: &Inst) {
        let kind = AccessKind::of_op(op);
        if let Some(kind) = kind {
            self.order_before(inst.operands[0], kind);
        }
        self.memory_op(op, inst);
        if let Some(kind) = kind {
            self.order.add(inst.operands[0], kind);
        }
    }

    /// Waits for what must come before an access to global memory.
    pub(super) fn order_before(&mut self, pointers: Value, kind: AccessKind) {
        if self.order.needs_landing(pointers, kind) {
            self.chip.await_copies(&self.emit, None);
            self.order.land();
        }
        if self.order.needs_barrier(pointers, kind) {
            self.meet();
        }
    }

    fn memory_op(&mut self, op: &MemoryOp, inst: &Inst) {
        match op {
            MemoryOp::At { tensor } => self.at(*tensor, inst),
            MemoryOp::IsPresent { tensor } => self.is_present(*tensor, inst),
            MemoryOp::Offset => self.offset(inst),
            MemoryOp::Load { cache, evict } => self.load(inst, self.hints(*cache, *evict)),
            MemoryOp::Store { cache, evict } => self.store(inst, self.hints(*cache, *evict)),
            MemoryOp::Atomic { op, order, scope } => self.atomic(inst, *order, *scope, Some(*op)),
            MemoryOp::AtomicCas { order, scope } => self.atomic(inst, *order, *scope, None),
            MemoryOp::Print { pieces } => self.print(pieces, inst),
            MemoryOp::Assert { message } => {
                self.test(inst, "assert", HookKind::Assert { message: message.clone() });
            }
            MemoryOp::Assume => {
                if self.options.is_checked {
                    self.test(inst, "assume", HookKind::Assume);
                }
            }
        }
    }

    /// Wishes for the caches mean nothing to a checked engine.
    fn hints(&self, cache: Cache, evict: Evict) -> Hints {
        if self.options.is_checked { Hints::NONE } else { Hints { cache, evict } }
    }

    fn extent(&self, extent: Extent) -> IntValue<'c> {
        match extent {
            Extent::Const(it) => self.emit.long(it as u64),
            Extent::Value(it) => self.to_long(self.scalar(it).into_int_value(), self.dtype(it)),
        }
    }

    pub(super) fn to_long(&self, value: IntValue<'c>, dtype: DType) -> IntValue<'c> {
        if dtype.is_signed() {
            self.emit.sext(value, self.emit.i64())
        } else {
            self.emit.zext(value, self.emit.i64())
        }
    }

    fn at(&mut self, tensor: u32, inst: &Inst) {
        let tensor = &self.kernel.tensors[tensor as usize];
        let base = Self::pointer(self.scalar(tensor.base));
        let pointee = tensor.dtype;
        let n_slots = self.spread(self.kernel.ty(inst.results[0])).n_slots();
        let mut pointers = vec![base; n_slots];
        // Rows before columns: the part of an address that slots share is computed once.
        let mut known: HashMap<(PointerValue<'c>, IntValue<'c>), PointerValue<'c>> = HashMap::new();
        for (axis, &index) in inst.operands.iter().enumerate() {
            let dtype = self.dtype(index);
            let stride = tensor.strides[axis];
            let indices = self.get(index);
            for (pointer, index) in pointers.iter_mut().zip(indices) {
                let index = index.into_int_value();
                *pointer = *known.entry((*pointer, index)).or_insert_with(|| {
                    let index = self.to_long(index, dtype);
                    let elements = match stride {
                        Extent::Const(1) => index,
                        other => self.emit.mul_nsw(index, self.extent(other)),
                    };
                    self.offset_by(*pointer, elements, pointee)
                });
            }
            known.clear();
        }
        self.set(inst.results[0], pointers.into_iter().map(Val::from).collect());
    }

    fn is_present(&mut self, tensor: u32, inst: &Inst) {
        let base = Self::pointer(self.scalar(self.kernel.tensors[tensor as usize].base));
        let given = self
            .emit
            .builder()
            .build_is_not_null(base, "")
            .expect("M1: the builder stands in a block");
        self.set(inst.results[0], vec![given.into()]);
    }

    fn offset(&mut self, inst: &Inst) {
        let Elem::Pointer(dtype) = self.kernel.ty(inst.operands[0]).elem else {
            panic!("V3: offsets move pointers")
        };
        let by = self.dtype(inst.operands[1]);
        let moved = self.get(inst.operands[0]).into_iter().zip(self.get(inst.operands[1]));
        let moved = moved
            .map(|(pointer, elements)| {
                let elements = self.to_long(elements.into_int_value(), by);
                self.offset_by(Self::pointer(pointer), elements, dtype).into()
            })
            .collect();
        self.set(inst.results[0], moved);
    }

    /// The pointer so many elements further on, which is exact where that is whole bytes.
    fn offset_by(
        &self,
        pointer: PointerValue<'c>,
        elements: IntValue<'c>,
        dtype: DType,
    ) -> PointerValue<'c> {
        let emit = &self.emit;
        let bits = dtype.storage_bits();
        if bits.is_multiple_of(8) {
            let of = super::element_type(emit.context, Elem::Data(dtype));
            return emit.offset(self.memory_type(of), pointer, elements);
        }
        let bits = emit.mul_nsw(elements, emit.long(bits.into()));
        emit.offset(emit.i8().into(), pointer, emit.ashr(bits, emit.long(3)))
    }

    /// Elements of that type in memory.
    pub(super) fn cell(&self, dtype: DType) -> Cell<'c> {
        let element = self.memory_type(super::element_type(self.emit.context, Elem::Data(dtype)));
        Cell::packed(element, dtype.storage_bits())
    }
}

/// Loads and stores.
impl<'c> Lower<'_, 'c> {
    fn load(&mut self, inst: &Inst, hints: Hints) {
        let result = inst.results[0];
        if self.kernel.ty(result).is_scalar() {
            return self.load_scalar(inst, hints);
        }
        let spread = self.spread(self.kernel.ty(result));
        let masks = inst.operands.get(1).map(|&it| self.masks(it, spread.n_slots()));
        let others = inst.operands.get(2).map(|&it| self.get(it));
        let request = self.request(inst, inst.operands[0], masks, None, hints);
        let element = self.register_type(result);
        let other = |slot: usize| match &others {
            Some(it) => self.to_memory(it[slot.min(it.len() - 1)]),
            None => request.cell.element.const_zero(),
        };
        let slots = self.read(&request, other).into_iter();
        let mut slots: Vec<Val<'c>> = slots.map(|it| self.loaded_as(it, element)).collect();
        self.copy_slots(&spread, &mut slots);
        self.set(result, slots);
    }

    /// The slots of a load as they are in memory, those of groups that are left out from `other`;
    /// slots that are copies of others are zero.
    pub(super) fn read(
        &self,
        request: &Request<'c>,
        other: impl Fn(usize) -> Val<'c>,
    ) -> Vec<Val<'c>> {
        let mut slots = vec![request.cell.element.const_zero(); request.pointers.len()];
        for (condition, groups) in request.by_condition() {
            let read = || groups.iter().map(|it| self.load_group(request, it)).collect::<Vec<_>>();
            let read = match condition {
                None => read(),
                Some(condition) => {
                    let instead = |group: &&Group| {
                        let elements: Vec<Val<'c>> = (**group).clone().map(&other).collect();
                        request.cell.join(&self.emit, &elements)
                    };
                    let instead: Vec<Val<'c>> = groups.iter().map(instead).collect();
                    self.load_without_branch(request, &groups, condition, &instead)
                        .unwrap_or_else(|| self.emit.when_or(condition, &instead, read))
                }
            };
            for (group, value) in groups.iter().zip(read) {
                let values = request.cell.split(&self.emit, value, group.len());
                slots[(*group).clone()].copy_from_slice(&values);
            }
        }
        slots
    }

    fn load_group(&self, request: &Request<'c>, group: &Group) -> Val<'c> {
        let (ty, align) = request.cell.access(&self.emit, group.len());
        let from = Self::pointer(request.pointers[group.start]);
        if request.hints != Hints::NONE {
            return self.chip.hinted_load(&self.emit, ty, from, align, request.hints);
        }
        let it = self.emit.load(ty, from, align);
        if request.is_constant {
            self.emit.mark(it, "invariant.load");
        }
        it
    }

    /// The groups where `condition` holds, elsewhere `instead`, if the chip can do without a branch.
    fn load_without_branch(
        &self,
        request: &Request<'c>,
        groups: &[&Group],
        condition: IntValue<'c>,
        instead: &[Val<'c>],
    ) -> Option<Vec<Val<'c>>> {
        if request.hints != Hints::NONE {
            return None;
        }
        let load = |(group, &other): (&&Group, &Val<'c>)| {
            let (ty, align) = request.cell.access(&self.emit, group.len());
            let from = Self::pointer(request.pointers[group.start]);
            let emit = &self.emit;
            let loaded =
                self.chip.load_or_zeros(emit, ty, from, align, condition, request.resource)?;
            let is_zero = other == ty.const_zero();
            Some(if is_zero { loaded } else { emit.select(condition, loaded, other) })
        };
        groups.iter().zip(instead).map(load).collect()
    }

    /// What bounds the tensor behind the pointers, if its bytes are known to be few enough.
    pub(super) fn resource(&mut self, pointers: Value) -> Option<Resource<'c>> {
        let number = self.order.tensor(pointers)?;
        if let Some(&it) = self.resources.get(&number) {
            return Some(it);
        }
        let tensor = &self.kernel.tensors[number as usize];
        let most = |it: Extent| match it {
            Extent::Const(it) => Some(it),
            Extent::Value(it) => self.facts.of_value(it).hi,
        };
        let reach =
            tensor.dims.iter().zip(&tensor.strides).try_fold(1i64, |reach, (dim, stride)| {
                most(*dim)?.checked_sub(1)?.checked_mul(most(*stride)?)?.checked_add(reach)
            })?;
        let bits = u64::try_from(reach).ok()?.checked_mul(tensor.dtype.storage_bits().into())?;
        let bytes = bits.div_ceil(8);
        if self.chip.resource_bytes_max() < bytes {
            return None;
        }
        let base = Self::pointer(self.scalar(tensor.base));
        let it = self.emit.at_head(|| self.chip.resource(&self.emit, base));
        self.resources.insert(number, it);
        Some(it)
    }

    /// Whether nothing writes what the pointers point to while the kernel runs.
    pub(super) fn is_constant(&self, pointers: Value) -> bool {
        self.order.tensor(pointers).is_some_and(|it| !self.kernel.tensors[it as usize].mutable)
    }

    /// A scalar is one value for the block: what others may change is read once and handed round.
    fn load_scalar(&mut self, inst: &Inst, hints: Hints) {
        let pointer = Self::pointer(self.scalar(inst.operands[0]));
        let mask = inst.operands.get(1).map(|&it| self.scalar(it).into_int_value());
        let wanted = self.register_type(inst.results[0]);
        let other = inst.operands.get(2).map_or(wanted.const_zero(), |&it| self.scalar(it));
        let is_constant = self.is_constant(inst.operands[0]);
        let request = Request {
            groups: std::iter::once(0..1).collect(),
            pointers: vec![pointer.into()],
            conditions: None,
            cell: Cell::whole(self.memory_type(wanted)),
            hints,
            is_constant,
            resource: None,
        };
        let other = self.to_memory(other);
        let read = |lower: &Self| vec![lower.load_group(&request, &request.groups[0])];
        let loaded = if is_constant {
            match mask {
                Some(mask) => self.emit.when_or(mask, &[other], || read(self))[0],
                None => read(self)[0],
            }
        } else {
            self.done_once(mask, other, |lower| read(lower)[0])
        };
        let loaded = self.loaded_as(loaded, wanted);
        self.set(inst.results[0], vec![loaded]);
    }

    fn store(&mut self, inst: &Inst, hints: Hints) {
        let ty = self.kernel.ty(inst.operands[0]);
        let spread = self.spread(ty);
        let owner = if ty.is_scalar() {
            Some(self.is_first_thread())
        } else {
            self.is_owner(spread.copies().threads)
        };
        let masks = inst.operands.get(2).map(|&it| self.masks(it, spread.n_slots()));
        let request = self.request(inst, inst.operands[0], masks, owner, hints);
        let values = self.get(inst.operands[1]);
        for (condition, groups) in request.by_condition() {
            let packed = |group: &Group| {
                let values: Vec<Val<'c>> =
                    group.clone().map(|it| self.to_memory(values[it])).collect();
                request.cell.join(&self.emit, &values)
            };
            let write = || {
                groups.iter().for_each(|it| self.store_group(&request, it, packed(it)));
            };
            match condition {
                Some(condition) if request.resource.is_some() && hints == Hints::NONE => {
                    for group in &groups {
                        let to = Self::pointer(request.pointers[group.start]);
                        let (emit, resource) = (&self.emit, request.resource);
                        if !self.chip.store_where(emit, packed(group), to, condition, resource) {
                            emit.when(condition, || {
                                self.store_group(&request, group, packed(group));
                            });
                        }
                    }
                }
                Some(condition) => self.emit.when(condition, write),
                None => write(),
            }
        }
    }

    fn store_group(&self, request: &Request<'c>, group: &Group, value: Val<'c>) {
        let (_, align) = request.cell.access(&self.emit, group.len());
        let to = Self::pointer(request.pointers[group.start]);
        if request.hints != Hints::NONE {
            return self.chip.hinted_store(&self.emit, value, to, align, request.hints);
        }
        self.emit.store(value, to, align);
    }

    /// The slots of a mask, one for each of `n`.
    pub(super) fn masks(&self, mask: Value, n: usize) -> Vec<IntValue<'c>> {
        let slots = self.get(mask);
        (0..n).map(|it| slots[it.min(slots.len() - 1)].into_int_value()).collect()
    }

    /// Groups the slots of an access by the width that the analysis found.
    pub(super) fn request(
        &mut self,
        inst: &Inst,
        pointers: Value,
        masks: Option<Vec<IntValue<'c>>>,
        owner: Option<IntValue<'c>>,
        hints: Hints,
    ) -> Request<'c> {
        let Elem::Pointer(dtype) = self.kernel.ty(pointers).elem else {
            panic!("V3: accesses take pointers")
        };
        let cell = self.cell(dtype);
        let spread = self.spread(self.kernel.ty(pointers));
        let groups = groups(&spread, self.access_elements(inst));
        self.accesses.push(AccessWidth {
            site: inst.site,
            bytes: cell.bytes(groups[0].len()),
            n_accesses: groups.len() as u32,
        });
        let condition = |group: &Group| match (&masks, owner) {
            (Some(masks), Some(owner)) => Some(self.emit.and(owner, masks[group.start])),
            (Some(masks), None) => Some(masks[group.start]),
            (None, owner) => owner,
        };
        let conditions: Option<Vec<IntValue<'c>>> = groups.iter().map(condition).collect();
        let is_constant = self.is_constant(pointers);
        let resource = conditions.as_ref().and_then(|_| self.resource(pointers));
        Request {
            groups,
            pointers: self.get(pointers),
            conditions,
            cell,
            hints,
            is_constant,
            resource,
        }
    }

    /// Elements that one access moves.
    pub(super) fn access_elements(&self, inst: &Inst) -> usize {
        access(self.kernel, &self.facts, inst).map_or(1, |it| it.elems as usize)
    }

    /// Gives slots that hold the same element the value of the first of them.
    pub(super) fn copy_slots(&self, spread: &Spread, slots: &mut [Val<'c>]) {
        let mut first: HashMap<At, usize> = HashMap::new();
        for slot in 0..slots.len() {
            slots[slot] = slots[*first.entry(spread.at(slot)).or_insert(slot)];
        }
    }
}

/// Slots by groups of `n`, which are neighbours in memory; slots that are copies are left out.
fn groups(spread: &Spread, n: usize) -> Vec<Group> {
    let copies = spread.copies().regs;
    let first = (0..spread.n_slots()).step_by(n).filter(|&it| it as u64 & copies == 0);
    first.map(|it| it..it + n).collect()
}

/// Atomics.
impl<'c> Lower<'_, 'c> {
    /// `op` is `None` for compare-and-swap.
    fn atomic(&mut self, inst: &Inst, order: Order, scope: Scope, op: Option<AtomicOp>) {
        let ty = self.kernel.ty(inst.operands[0]);
        let is_used = inst.results.iter().any(|&it| self.uses.is_used(it));
        let mask_at = if op.is_some() { 2 } else { 3 };
        // What the block has done before must be seen by whoever sees this.
        if matches!(order, Order::Release | Order::AcqRel) {
            self.meet();
        }
        if ty.is_scalar() {
            let mask = inst.operands.get(mask_at).map(|&it| self.scalar(it).into_int_value());
            self.atomic_scalar(inst, mask, order, scope, op, is_used);
        } else {
            self.atomic_tile(inst, mask_at, order, scope, op, is_used);
        }
        if matches!(order, Order::Acquire | Order::AcqRel) {
            self.meet();
        }
    }

    fn atomic_scalar(
        &mut self,
        inst: &Inst,
        mask: Option<IntValue<'c>>,
        order: Order,
        scope: Scope,
        op: Option<AtomicOp>,
        is_used: bool,
    ) {
        if is_used {
            let zero = self.register_type(inst.results[0]).const_zero();
            let old =
                self.done_once(mask, zero, |lower| lower.atomic_element(inst, 0, order, scope, op));
            self.set(inst.results[0], vec![old]);
            return;
        }
        let first = self.is_first_thread();
        let condition = mask.map_or(first, |mask| self.emit.and(first, mask));
        self.emit.when(condition, || {
            self.atomic_element(inst, 0, order, scope, op);
        });
        for &it in &inst.results {
            let zero = self.register_type(it).const_zero();
            self.set(it, vec![zero]);
        }
    }

    fn atomic_tile(
        &mut self,
        inst: &Inst,
        mask_at: usize,
        order: Order,
        scope: Scope,
        op: Option<AtomicOp>,
        is_used: bool,
    ) {
        let spread = self.spread(self.kernel.ty(inst.operands[0]));
        let copies = spread.copies();
        let owner = self.is_owner(copies.threads);
        let masks = inst.operands.get(mask_at).map(|&it| self.masks(it, spread.n_slots()));
        let zero = self.register_type(inst.operands[1]).const_zero();
        let mut old = vec![zero; spread.n_slots()];
        for slot in (0..spread.n_slots()).filter(|&it| it as u64 & copies.regs == 0) {
            let condition = match (&masks, owner) {
                (Some(masks), Some(owner)) => Some(self.emit.and(owner, masks[slot])),
                (Some(masks), None) => Some(masks[slot]),
                (None, owner) => owner,
            };
            let act = || vec![self.atomic_element(inst, slot, order, scope, op)];
            old[slot] = match condition {
                Some(condition) => self.emit.when_or(condition, &[zero], act)[0],
                None => act()[0],
            };
        }
        if is_used && copies.threads != 0 {
            old = self.through_shared(&old, &spread, &spread, &SAME);
        }
        self.copy_slots(&spread, &mut old);
        if let Some(&result) = inst.results.first() {
            self.set(result, old);
        }
    }

    /// One atomic of this thread; what was in memory before.
    fn atomic_element(
        &self,
        inst: &Inst,
        slot: usize,
        order: Order,
        scope: Scope,
        op: Option<AtomicOp>,
    ) -> Val<'c> {
        let emit = &self.emit;
        let to = Self::pointer(self.get(inst.operands[0])[slot]);
        let scope = self.chip.scope(scope);
        let order = ordering(order);
        let value = self.get(inst.operands[1])[slot];
        if let Some(op) = op {
            return emit.atomic(rmw(op, self.dtype(inst.operands[1])), to, value, order, scope);
        }
        let ty = value.get_type();
        let whole: inkwell::types::BasicTypeEnum<'c> = emit.int_type(width(ty)).into();
        let expected = emit.bitcast(value, whole).into_int_value();
        let value = emit.bitcast(self.get(inst.operands[2])[slot], whole).into_int_value();
        emit.bitcast(emit.compare_exchange(to, expected, value, order, scope), ty)
    }

    /// The value that the first thread makes where `mask` holds, elsewhere `other`; in all threads.
    fn done_once(
        &mut self,
        mask: Option<IntValue<'c>>,
        other: Val<'c>,
        make: impl FnOnce(&Self) -> Val<'c>,
    ) -> Val<'c> {
        let first = self.is_first_thread();
        let condition = mask.map_or(first, |mask| self.emit.and(first, mask));
        if self.team.warps == 1 {
            let made = self.emit.when_or(condition, &[other], || vec![make(self)])[0];
            return self.in_words(made, |it, word| it.chip.first_lane(&it.emit, word));
        }
        let ty = other.get_type();
        let bytes = super::shared::slot_bytes(ty);
        let region = self.take_scratch(bytes);
        let at = self.scratch_address(&region, self.emit.int(0), bytes);
        self.emit.when(first, || {
            let made = match mask {
                Some(mask) => self.emit.when_or(mask, &[other], || vec![make(self)])[0],
                None => make(self),
            };
            self.emit.store(self.to_memory(made), at, bytes);
        });
        self.publish(&region);
        let handed = self.loaded_as(self.emit.load(self.memory_type(ty), at, bytes), ty);
        self.in_words(handed, |it, word| it.chip.uniform(&it.emit, word))
    }
}

pub(super) fn ordering(order: Order) -> AtomicOrdering {
    match order {
        Order::Relaxed => AtomicOrdering::Monotonic,
        Order::Acquire => AtomicOrdering::Acquire,
        Order::Release => AtomicOrdering::Release,
        Order::AcqRel => AtomicOrdering::AcquireRelease,
    }
}

pub(super) fn rmw(op: AtomicOp, dtype: DType) -> AtomicRMWBinOp {
    let class = dtype.class();
    match op {
        AtomicOp::Add if dtype.is_float() => AtomicRMWBinOp::FAdd,
        AtomicOp::Add => AtomicRMWBinOp::Add,
        AtomicOp::Min => match class {
            Class::Signed => AtomicRMWBinOp::Min,
            Class::Unsigned | Class::Bool => AtomicRMWBinOp::UMin,
            Class::Float(_) => AtomicRMWBinOp::FMin,
        },
        AtomicOp::Max => match class {
            Class::Signed => AtomicRMWBinOp::Max,
            Class::Unsigned | Class::Bool => AtomicRMWBinOp::UMax,
            Class::Float(_) => AtomicRMWBinOp::FMax,
        },
        AtomicOp::And => AtomicRMWBinOp::And,
        AtomicOp::Or => AtomicRMWBinOp::Or,
        AtomicOp::Xor => AtomicRMWBinOp::Xor,
        AtomicOp::Exchange => AtomicRMWBinOp::Xchg,
    }
}

/// What a kernel tells the world.
impl<'c> Lower<'_, 'c> {
    fn print(&mut self, pieces: &[String], inst: &Inst) {
        let dtypes: Vec<DType> = inst.operands.iter().map(|&it| self.dtype(it)).collect();
        let operands: Vec<Val<'c>> = inst.operands.iter().map(|&it| self.printable(it)).collect();
        let first = self.is_first_thread();
        let kind = HookKind::Print { pieces: pieces.to_vec(), dtypes };
        self.call_hook_when(first, "print", kind, inst, &operands);
    }

    /// The 64 bits that a hook gets for a number.
    fn printable(&self, value: Value) -> Val<'c> {
        let dtype = self.dtype(value);
        let it = self.scalar(value);
        match dtype.class() {
            Class::Float(_) => self.emit.float_bits(self.to_double(it, dtype)).into(),
            Class::Bool | Class::Signed | Class::Unsigned => {
                self.to_long(it.into_int_value(), dtype).into()
            }
        }
    }

    fn test(&mut self, inst: &Inst, name: &str, kind: HookKind) {
        let slots = self.get(inst.operands[0]);
        let all = slots
            .iter()
            .map(|it| it.into_int_value())
            .reduce(|a, b| self.emit.and(a, b))
            .expect("a tile has slots");
        let violated = self.emit.not(all);
        let condition = if self.kernel.ty(inst.operands[0]).is_scalar() {
            let first = self.is_first_thread();
            self.emit.and(first, violated)
        } else {
            violated
        };
        self.call_hook_when(condition, name, kind, inst, &[]);
    }

    pub(super) fn call_hook_when(
        &mut self,
        condition: IntValue<'c>,
        name: &str,
        kind: HookKind,
        inst: &Inst,
        operands: &[Val<'c>],
    ) {
        let (act, join) = (self.emit.block(), self.emit.block());
        self.emit.branch(condition, act, join);
        self.emit.enter(act);
        self.call_hook(name, kind, inst.site, operands);
        self.emit.jump(join);
        self.emit.enter(join);
    }
}
