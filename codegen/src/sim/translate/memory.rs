//! Loads, stores, atomics, pointers.

use super::super::bytecode::{Access, Addressing, Atomic, AtomicOp, Order, Space};
use super::super::llvm::{IntPredicate, Ordering, RmwOp, TypeKind};
use super::super::memory::{LOCAL, SHARED};
use super::arith::row;
use super::*;

/// Private memory that a thread may declare, in bytes.
const LOCAL_MAX: u64 = 1 << 20;
/// Private memory starts here, so that no variable has the address null.
const LOCAL_START: u32 = 16;

impl<'m> Lower<'m> {
    /// The memory behind an address space number (NVPTX and AMDGPU user guides, address spaces).
    pub(in crate::sim) fn space(&self, number: u32) -> Result<Space, SimError> {
        match (number, self.vendor) {
            (0, _) => Ok(Space::Generic),
            (1, _) => Ok(Space::Global),
            (3, _) | (7, Vendor::Nvidia) => Ok(Space::Shared),
            (4, _) | (101, Vendor::Nvidia) => Ok(Space::Constant),
            (5, _) => Ok(Space::Local),
            _ => Err(SimError::unsupported(format!("address space {number}"))),
        }
    }

    pub(super) fn alloca(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let ty = inst.allocated_type();
        let count = self.constant_bits(inst.operand(0));
        let count = count.map_err(|_| SimError::unsupported("an allocation of variable size"))?[0];
        let size = self.reader.size(ty).saturating_mul(count);
        let align = u64::from(inst.alignment().max(1));
        let start = u64::from(self.code.local_bytes.max(LOCAL_START)).next_multiple_of(align);
        if size > LOCAL_MAX || start + size > LOCAL_MAX {
            return Err(SimError::unsupported(format!("{size} bytes of private memory")));
        }
        self.code.local_bytes = (start + size) as u32;
        let scalar = self.scalar_type(inst.ty())?;
        let address = match self.space(inst.ty().address_space())? {
            Space::Generic => LOCAL | start,
            _ => start,
        };
        let slot = self.constant(scalar, address);
        self.bind(inst, vec![slot]);
        Ok(())
    }

    pub(super) fn load(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let slots = self.fresh_all(inst.ty())?;
        let (pointer, order, scope) =
            (inst.operand(0), order_of(inst.ordering()), self.scope(inst.scope_id()));
        let access = self.access(pointer, inst.ty(), &slots, inst.alignment(), order, scope)?;
        let addr = row(self.slot(pointer)?);
        self.emit_load(access, addr);
        self.bind(inst, slots);
        Ok(())
    }

    pub(super) fn store(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let (value, pointer) = (inst.operand(0), inst.operand(1));
        let slots = self.slots(value)?;
        let (order, scope) = (order_of(inst.ordering()), self.scope(inst.scope_id()));
        let access = self.access(pointer, value.ty(), &slots, inst.alignment(), order, scope)?;
        let addr = row(self.slot(pointer)?);
        self.emit_store(access, addr);
        Ok(())
    }

    /// A load of `access` through the row `addr`.
    pub(in crate::sim) fn emit_load(&mut self, access: Access, addr: Row) {
        let table = self.code.accesses.len() as u32;
        self.code.accesses.push(access);
        self.emit(Op::Load { access: table, addr });
    }

    /// A store of `access` through the row `addr`.
    pub(in crate::sim) fn emit_store(&mut self, access: Access, addr: Row) {
        let table = self.code.accesses.len() as u32;
        self.code.accesses.push(access);
        self.emit(Op::Store { access: table, addr });
    }

    /// An access to a value of type `ty` through `pointer`.
    pub(in crate::sim) fn access(
        &mut self,
        pointer: Value<'m>,
        ty: Type<'m>,
        slots: &[Slot],
        align: u32,
        order: Order,
        scope: Scope,
    ) -> Result<Access, SimError> {
        let space = pointer.ty().address_space();
        Ok(Access {
            space: self.space(space)?,
            addressing: Addressing::Pointer { wide: self.reader.pointer_size(space) == 8 },
            offset: 0,
            bytes: self.reader.store_size(ty) as u32,
            align: align.max(1),
            order,
            scope,
            parts: self.parts(ty, slots)?,
        })
    }

    pub(super) fn element_pointer(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let base = inst.operand(0);
        let lanes = self.leaves(inst.ty())?.len();
        let bases = self.slots(base)?;
        let bits = self.element_bits_of(inst.ty())?;
        let mut res = Vec::with_capacity(lanes);
        for lane in 0..lanes {
            let mut sum = bases[lane.min(bases.len() - 1)];
            let mut fixed = 0u64;
            let mut ty = inst.gep_source();
            for (level, index) in inst.operands().into_iter().skip(1).enumerate() {
                let stride = if level == 0 {
                    self.reader.size(ty)
                } else if ty.kind() == TypeKind::LLVMStructTypeKind {
                    let field = self.constant_bits(index)?[0] as u32;
                    fixed = fixed.wrapping_add(self.reader.field_offset(ty, field));
                    ty = ty.field(field);
                    continue;
                } else {
                    ty = ty.element();
                    self.reader.size(ty)
                };
                let index_bits = self.element_bits_of(index.ty())?;
                if index.is_constant() && !index.is_undef() {
                    let all = self.constant_bits(index)?;
                    let value = sign_extend(all[lane.min(all.len() - 1)], index_bits);
                    fixed = fixed.wrapping_add(value.wrapping_mul(stride));
                } else {
                    let slots = self.slots(index)?;
                    let slot = slots[lane.min(slots.len() - 1)];
                    sum = self.add_scaled(sum, bits, slot, index_bits, stride)?;
                }
            }
            res.push(self.add_constant(sum, bits, fixed)?);
        }
        self.bind(inst, res);
        Ok(())
    }

    fn add_scaled(
        &mut self,
        sum: Slot,
        bits: u32,
        index: Slot,
        index_bits: u32,
        stride: u64,
    ) -> Result<Slot, SimError> {
        let index = self.resize(true, index_bits, bits, index);
        let scaled = if stride == 1 {
            index
        } else {
            let factor = self.constant(Scalar::Int(bits), truncate(stride, bits));
            self.int(IntOp::Mul, bits, index, factor)?
        };
        self.int(IntOp::Add, bits, sum, scaled)
    }

    /// `slot + value` on `bits`-bit integers.
    pub(in crate::sim) fn add_constant(
        &mut self,
        slot: Slot,
        bits: u32,
        value: u64,
    ) -> Result<Slot, SimError> {
        let value = truncate(value, bits);
        if value == 0 {
            return Ok(slot);
        }
        let value = self.constant(Scalar::Int(bits), value);
        self.int(IntOp::Add, bits, slot, value)
    }

    pub(super) fn address_space_cast(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let from = self.space(inst.operand(0).ty().address_space())?;
        let number = inst.ty().address_space();
        let to = self.space(number)?;
        let scalar = Scalar::Pointer(number);
        self.map1(inst, |lower, a| {
            if from == to || (!is_windowed(from) && !is_windowed(to)) {
                return Ok(a);
            }
            if is_windowed(from) {
                let d = lower.wide();
                lower.emit(Op::ToGeneric { space: from, d, a });
                return Ok(Slot::Wide(d));
            }
            let d = lower.fresh(scalar);
            lower.emit(Op::FromGeneric { space: to, d, a: row(a) });
            Ok(d)
        })
    }

    /// The address `bits` after a cast between address spaces.
    pub(super) fn cast_address(&self, bits: u64, from: u32, to: u32) -> u64 {
        match (self.space(from), self.space(to)) {
            (Ok(Space::Shared), Ok(Space::Generic)) => SHARED | bits,
            (Ok(Space::Local), Ok(Space::Generic)) => LOCAL | bits,
            (Ok(Space::Generic), Ok(Space::Shared | Space::Local)) => shared_offset(bits),
            _ => bits,
        }
    }

    pub(super) fn fence(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let order = order_of(inst.ordering());
        let scope = self.scope(inst.scope_id());
        self.emit(Op::Fence { order, scope });
        Ok(())
    }

    pub(super) fn atomic_rmw(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let (pointer, value) = (inst.operand(0), inst.operand(1));
        let op = self.rmw_op(inst)?;
        let slots = self.fresh_all(inst.ty())?;
        let values = self.slots(value)?.to_vec();
        let (order, scope) = (order_of(inst.ordering()), self.scope(inst.scope_id()));
        let access = self.access(pointer, value.ty(), &slots, inst.alignment(), order, scope)?;
        let addr = row(self.slot(pointer)?);
        self.emit_atomic(Atomic { op, access, addr, values, expected: None, stored: None });
        self.bind(inst, slots);
        Ok(())
    }

    /// Appends an atomic operation.
    pub(in crate::sim) fn emit_atomic(&mut self, atomic: Atomic) {
        let table = self.code.atomics.len() as u32;
        self.code.atomics.push(atomic);
        self.emit(Op::Atomic { table });
    }

    fn rmw_op(&mut self, inst: Value<'m>) -> Result<AtomicOp, SimError> {
        use RmwOp::*;
        let op = inst.rmw_op();
        let real2 = match op {
            LLVMAtomicRMWBinOpFAdd => Some(Real2::Add),
            LLVMAtomicRMWBinOpFSub => Some(Real2::Sub),
            LLVMAtomicRMWBinOpFMax => Some(Real2::MaxNumber),
            LLVMAtomicRMWBinOpFMin => Some(Real2::MinNumber),
            LLVMAtomicRMWBinOpFMaximum => Some(Real2::Maximum),
            LLVMAtomicRMWBinOpFMinimum => Some(Real2::Minimum),
            _ => None,
        };
        if let Some(real2) = real2 {
            return Ok(AtomicOp::Real(real2, self.real_of(inst.ty())?));
        }
        Ok(match op {
            LLVMAtomicRMWBinOpXchg => AtomicOp::Exchange,
            LLVMAtomicRMWBinOpAdd => AtomicOp::Int(IntOp::Add),
            LLVMAtomicRMWBinOpSub => AtomicOp::Int(IntOp::Sub),
            LLVMAtomicRMWBinOpAnd => AtomicOp::Int(IntOp::And),
            LLVMAtomicRMWBinOpOr => AtomicOp::Int(IntOp::Or),
            LLVMAtomicRMWBinOpXor => AtomicOp::Int(IntOp::Xor),
            LLVMAtomicRMWBinOpMax => AtomicOp::Int(IntOp::MaxSigned),
            LLVMAtomicRMWBinOpMin => AtomicOp::Int(IntOp::MinSigned),
            LLVMAtomicRMWBinOpUMax => AtomicOp::Int(IntOp::MaxUnsigned),
            LLVMAtomicRMWBinOpUMin => AtomicOp::Int(IntOp::MinUnsigned),
            LLVMAtomicRMWBinOpNand => AtomicOp::Nand,
            LLVMAtomicRMWBinOpUIncWrap => AtomicOp::IncWrap,
            LLVMAtomicRMWBinOpUDecWrap => AtomicOp::DecWrap,
            LLVMAtomicRMWBinOpUSubSat => AtomicOp::Int(IntOp::SubSatUnsigned),
            _ => return Err(SimError::unsupported("this atomic operation")),
        })
    }

    pub(super) fn compare_exchange(&mut self, inst: Value<'m>) -> Result<(), SimError> {
        let (pointer, expected, value) = (inst.operand(0), inst.operand(1), inst.operand(2));
        let old = self.fresh_all(value.ty())?;
        let stored = self.flag();
        let (order, scope) = (order_of(inst.success_ordering()), self.scope(inst.scope_id()));
        let access = self.access(pointer, value.ty(), &old, inst.alignment(), order, scope)?;
        let atomic = Atomic {
            op: AtomicOp::CompareExchange,
            access,
            addr: row(self.slot(pointer)?),
            values: self.slots(value)?.to_vec(),
            expected: Some(self.slot(expected)?),
            stored: Some(stored),
        };
        self.emit_atomic(atomic);
        let mut res = old;
        res.push(Slot::Flag(stored));
        self.bind(inst, res);
        Ok(())
    }

    /// Whether two rows of `bits` bits are equal.
    pub(in crate::sim) fn equal(&mut self, bits: u32, a: Slot, b: Slot) -> Row {
        self.test(IntPredicate::LLVMIntEQ, bits, a, b)
    }
}

/// Spaces whose addresses start at zero and are a window of the generic ones.
fn is_windowed(space: Space) -> bool {
    matches!(space, Space::Shared | Space::Local)
}

/// LLVM's memory order as ours. Sequential consistency is acquire and release here: blocks and
/// warps run one at a time, so there is one order of all accesses anyway.
pub(in crate::sim) fn order_of(order: Ordering) -> Order {
    match order {
        Ordering::LLVMAtomicOrderingNotAtomic => Order::Plain,
        Ordering::LLVMAtomicOrderingUnordered | Ordering::LLVMAtomicOrderingMonotonic => {
            Order::Relaxed
        }
        Ordering::LLVMAtomicOrderingAcquire => Order::Acquire,
        Ordering::LLVMAtomicOrderingRelease => Order::Release,
        Ordering::LLVMAtomicOrderingAcquireRelease
        | Ordering::LLVMAtomicOrderingSequentiallyConsistent => Order::AcqRel,
    }
}
