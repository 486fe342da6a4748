//! Types become scalars, values become rows, constants become bits.

use std::rc::Rc;

use super::super::bytecode::{Part, Real, Slot};
use super::super::error::SimError;
use super::super::llvm::{Opcode, Type, TypeKind, Value, ValueKind};
use super::super::memory::PATTERN;
use super::Lower;

/// A scalar type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) enum Scalar {
    Int(u32),
    Real(Real),
    Pointer(u32),
    /// The two halves of a buffer resource: its base address and its size in bytes.
    Resource,
}

/// A scalar of an aggregate, with its byte offset in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sim) struct Leaf {
    pub(in crate::sim) scalar: Scalar,
    pub(in crate::sim) offset: u32,
}

/// AMDGPU's address space of buffer resources.
const RESOURCE_SPACE: u32 = 8;
/// Aggregates of more scalars than this are refused: no kernel has them in registers.
const LEAVES_MAX: u64 = 1 << 14;

impl<'m> Lower<'m> {
    /// The scalars of `ty` in memory order.
    pub(in crate::sim) fn leaves(&mut self, ty: Type<'m>) -> Result<Rc<[Leaf]>, SimError> {
        if let Some(known) = self.leaves.get(&ty) {
            return Ok(known.clone());
        }
        let mut res = Vec::new();
        self.collect_leaves(ty, 0, &mut res)?;
        let res: Rc<[Leaf]> = res.into();
        self.leaves.insert(ty, res.clone());
        Ok(res)
    }

    fn collect_leaves(
        &self,
        ty: Type<'m>,
        offset: u64,
        out: &mut Vec<Leaf>,
    ) -> Result<(), SimError> {
        let refuse = || SimError::unsupported(format!("values of type `{}`", ty.print()));
        let mut push = |scalar| {
            out.push(Leaf { scalar, offset: offset as u32 });
        };
        match ty.kind() {
            TypeKind::LLVMVoidTypeKind => {}
            TypeKind::LLVMIntegerTypeKind if ty.int_width() <= 64 => {
                push(Scalar::Int(ty.int_width()))
            }
            TypeKind::LLVMHalfTypeKind => push(Scalar::Real(Real::F16)),
            TypeKind::LLVMBFloatTypeKind => push(Scalar::Real(Real::Bf16)),
            TypeKind::LLVMFloatTypeKind => push(Scalar::Real(self.single)),
            TypeKind::LLVMDoubleTypeKind => push(Scalar::Real(Real::F64)),
            TypeKind::LLVMPointerTypeKind if ty.address_space() == RESOURCE_SPACE => {
                push(Scalar::Resource);
                push(Scalar::Resource);
            }
            TypeKind::LLVMPointerTypeKind => push(Scalar::Pointer(ty.address_space())),
            TypeKind::LLVMVectorTypeKind => {
                let step = self.reader.store_size(ty.element());
                self.collect_elements(ty.element(), u64::from(ty.vector_len()), step, offset, out)?;
            }
            TypeKind::LLVMArrayTypeKind => {
                let step = self.reader.size(ty.element());
                self.collect_elements(ty.element(), ty.array_len(), step, offset, out)?;
            }
            TypeKind::LLVMStructTypeKind => {
                for i in 0..ty.field_count() {
                    let at = offset + self.reader.field_offset(ty, i);
                    self.collect_leaves(ty.field(i), at, out)?;
                }
            }
            _ => return Err(refuse()),
        }
        Ok(())
    }

    fn collect_elements(
        &self,
        element: Type<'m>,
        len: u64,
        step: u64,
        offset: u64,
        out: &mut Vec<Leaf>,
    ) -> Result<(), SimError> {
        if len > LEAVES_MAX {
            return Err(SimError::unsupported(format!("values of {len} elements")));
        }
        for i in 0..len {
            self.collect_leaves(element, offset + i * step, out)?;
        }
        Ok(())
    }

    /// The only scalar of `ty`.
    pub(in crate::sim) fn scalar_type(&mut self, ty: Type<'m>) -> Result<Scalar, SimError> {
        match self.leaves(ty)?[..] {
            [leaf] => Ok(leaf.scalar),
            _ => Err(SimError::unsupported(format!("`{}` as a scalar", ty.print()))),
        }
    }

    /// Bits of a scalar.
    pub(in crate::sim) fn width(&self, scalar: Scalar) -> u32 {
        match scalar {
            Scalar::Int(bits) => bits,
            Scalar::Real(Real::F16 | Real::Bf16) => 16,
            Scalar::Real(Real::F32 | Real::F32Flush) => 32,
            Scalar::Real(Real::F64) | Scalar::Resource => 64,
            Scalar::Real(_) => 8,
            Scalar::Pointer(space) => 8 * self.reader.pointer_size(space),
        }
    }

    /// A new row for a scalar.
    pub(in crate::sim) fn fresh(&mut self, scalar: Scalar) -> Slot {
        match self.width(scalar) {
            1 => Slot::Flag(self.flag()),
            2..=32 => Slot::Word(self.word()),
            _ => Slot::Wide(self.wide()),
        }
    }

    /// New rows for every scalar of `ty`.
    pub(in crate::sim) fn fresh_all(&mut self, ty: Type<'m>) -> Result<Vec<Slot>, SimError> {
        let leaves = self.leaves(ty)?;
        Ok(leaves.iter().map(|leaf| self.fresh(leaf.scalar)).collect())
    }

    /// The rows of a value that was already translated, or of a constant.
    pub(in crate::sim) fn slots(&mut self, value: Value<'m>) -> Result<Rc<[Slot]>, SimError> {
        if let Some(known) = self.values.get(&value) {
            return Ok(known.clone());
        }
        if !value.is_constant() {
            let message = format!("the value `{}` before its definition", value.print());
            return Err(SimError::unsupported(message));
        }
        let bits = self.constant_bits(value)?;
        let leaves = self.leaves(value.ty())?;
        let slots: Rc<[Slot]> = leaves
            .iter()
            .zip(&bits)
            .map(|(leaf, &bits)| self.constant(leaf.scalar, bits))
            .collect();
        self.values.insert(value, slots.clone());
        Ok(slots)
    }

    /// The row of a value that is one scalar.
    pub(in crate::sim) fn slot(&mut self, value: Value<'m>) -> Result<Slot, SimError> {
        match self.slots(value)?[..] {
            [slot] => Ok(slot),
            _ => Err(SimError::unsupported(format!("`{}` as a scalar", value.print()))),
        }
    }

    /// A row that always holds `bits`.
    pub(in crate::sim) fn constant(&mut self, scalar: Scalar, bits: u64) -> Slot {
        let width = self.width(scalar);
        let file = match width {
            1 => 0,
            2..=32 => 1,
            _ => 2,
        };
        if let Some(&slot) = self.constants.get(&(file, bits)) {
            return slot;
        }
        let slot = self.fresh(scalar);
        self.constants.insert((file, bits), slot);
        self.code.constants.push((slot, bits));
        slot
    }

    /// The bits of every scalar of a constant.
    pub(in crate::sim) fn constant_bits(&mut self, value: Value<'m>) -> Result<Vec<u64>, SimError> {
        let leaves = self.leaves(value.ty())?;
        if value.is_undef() {
            return Ok(leaves.iter().map(|leaf| self.undefined(leaf.scalar)).collect());
        }
        match value.kind() {
            ValueKind::LLVMConstantAggregateZeroValueKind
            | ValueKind::LLVMConstantPointerNullValueKind => Ok(vec![0; leaves.len()]),
            ValueKind::LLVMConstantArrayValueKind
            | ValueKind::LLVMConstantStructValueKind
            | ValueKind::LLVMConstantVectorValueKind
            | ValueKind::LLVMConstantDataArrayValueKind
            | ValueKind::LLVMConstantDataVectorValueKind => self.element_bits(value),
            ValueKind::LLVMConstantIntValueKind | ValueKind::LLVMConstantFPValueKind
                if value.ty().kind() == TypeKind::LLVMVectorTypeKind =>
            {
                self.element_bits(value)
            }
            _ => Ok(vec![self.scalar_bits(value)?]),
        }
    }

    fn element_bits(&mut self, value: Value<'m>) -> Result<Vec<u64>, SimError> {
        let mut res = Vec::new();
        let mut i = 0;
        let len = aggregate_len(value.ty());
        while i < len {
            let Some(element) = value.element(i as u32) else {
                break;
            };
            res.extend(self.constant_bits(element)?);
            i += 1;
        }
        Ok(res)
    }

    fn scalar_bits(&mut self, value: Value<'m>) -> Result<u64, SimError> {
        match value.kind() {
            ValueKind::LLVMConstantIntValueKind => Ok(value.const_int()),
            ValueKind::LLVMConstantFPValueKind => Ok(value.float_bits()),
            ValueKind::LLVMGlobalVariableValueKind => {
                self.variables.get(&value).copied().ok_or_else(|| {
                    SimError::unsupported(format!("the global variable `@{}`", value.name()))
                })
            }
            ValueKind::LLVMFunctionValueKind => Ok(0),
            ValueKind::LLVMConstantExprValueKind => self.expression_bits(value),
            _ => Err(SimError::unsupported(format!("the constant `{}`", value.print()))),
        }
    }

    fn expression_bits(&mut self, value: Value<'m>) -> Result<u64, SimError> {
        let mut args = Vec::new();
        for operand in value.operands() {
            args.push((self.scalar_bits_or_zero(operand)?, operand));
        }
        let scalar = self.scalar_type(value.ty())?;
        let width = self.width(scalar);
        let bits = match value.const_opcode() {
            Opcode::LLVMAdd => args[0].0.wrapping_add(args[1].0),
            Opcode::LLVMSub => args[0].0.wrapping_sub(args[1].0),
            Opcode::LLVMXor => args[0].0 ^ args[1].0,
            Opcode::LLVMTrunc
            | Opcode::LLVMPtrToInt
            | Opcode::LLVMPtrToAddr
            | Opcode::LLVMIntToPtr
            | Opcode::LLVMBitCast => args[0].0,
            Opcode::LLVMAddrSpaceCast => {
                let from = args[0].1.ty().address_space();
                self.cast_address(args[0].0, from, value.ty().address_space())
            }
            Opcode::LLVMGetElementPtr => {
                let mut sum = args[0].0;
                let indices: Vec<_> = args[1..].to_vec();
                sum = sum.wrapping_add(self.constant_offset(value.gep_source(), &indices)?);
                sum
            }
            _ => {
                let message = format!("the constant expression `{}`", value.print());
                return Err(SimError::unsupported(message));
            }
        };
        Ok(truncate(bits, width))
    }

    fn scalar_bits_or_zero(&mut self, value: Value<'m>) -> Result<u64, SimError> {
        if value.is_undef() || value.kind() == ValueKind::LLVMConstantPointerNullValueKind {
            return Ok(0);
        }
        let bits = self.scalar_bits(value)?;
        match value.ty().kind() {
            TypeKind::LLVMIntegerTypeKind => Ok(sign_extend(bits, value.ty().int_width())),
            _ => Ok(bits),
        }
    }

    fn constant_offset(
        &mut self,
        source: Type<'m>,
        indices: &[(u64, Value<'m>)],
    ) -> Result<u64, SimError> {
        let mut sum = 0u64;
        let mut ty = source;
        for (level, &(index, _)) in indices.iter().enumerate() {
            if level == 0 {
                sum = sum.wrapping_add(index.wrapping_mul(self.reader.size(ty)));
                continue;
            }
            if ty.kind() == TypeKind::LLVMStructTypeKind {
                sum = sum.wrapping_add(self.reader.field_offset(ty, index as u32));
                ty = ty.field(index as u32);
            } else {
                ty = ty.element();
                sum = sum.wrapping_add(index.wrapping_mul(self.reader.size(ty)));
            }
        }
        Ok(sum)
    }

    /// What an undefined scalar holds: a pattern that shows up in results, never zero.
    fn undefined(&self, scalar: Scalar) -> u64 {
        match scalar {
            Scalar::Real(Real::F16) => 0x7fa5,
            Scalar::Real(Real::Bf16) => 0x7fa5,
            Scalar::Real(Real::F32 | Real::F32Flush) => 0x7fa5_a5a5,
            Scalar::Real(Real::F64) => 0x7ffa_5a5a_5a5a_5a5a,
            _ => truncate(u64::from_ne_bytes([PATTERN; 8]), self.width(scalar)),
        }
    }

    /// The memory form of a constant.
    pub(in crate::sim) fn write_constant(
        &mut self,
        value: Value<'m>,
        bytes: &mut [u8],
    ) -> Result<(), SimError> {
        let leaves = self.leaves(value.ty())?;
        for (leaf, bits) in leaves.iter().zip(self.constant_bits(value)?) {
            let len = self.width(leaf.scalar).div_ceil(8) as usize;
            let at = leaf.offset as usize;
            bytes[at..at + len].copy_from_slice(&bits.to_le_bytes()[..len]);
        }
        Ok(())
    }

    /// The scalars of `ty` as parts of a memory access, held by `slots`.
    pub(in crate::sim) fn parts(
        &mut self,
        ty: Type<'m>,
        slots: &[Slot],
    ) -> Result<Vec<Part>, SimError> {
        let leaves = self.leaves(ty)?;
        let packed = ty.kind() == TypeKind::LLVMVectorTypeKind && leaves.len() > 1;
        let mut res = Vec::new();
        for (leaf, &slot) in leaves.iter().zip(slots) {
            let width = self.width(leaf.scalar);
            if packed && !width.is_multiple_of(8) {
                return Err(SimError::unsupported(format!("`{}` in memory", ty.print())));
            }
            res.push(Part {
                offset: leaf.offset,
                bytes: width.div_ceil(8).next_power_of_two() as u8,
                slot,
            });
        }
        Ok(res)
    }
}

/// Parts of a constant aggregate.
fn aggregate_len(ty: Type<'_>) -> u64 {
    match ty.kind() {
        TypeKind::LLVMVectorTypeKind => u64::from(ty.vector_len()),
        TypeKind::LLVMArrayTypeKind => ty.array_len(),
        TypeKind::LLVMStructTypeKind => u64::from(ty.field_count()),
        _ => 1,
    }
}

/// The low `width` bits.
pub(in crate::sim) fn truncate(bits: u64, width: u32) -> u64 {
    if width >= 64 { bits } else { bits & ((1 << width) - 1) }
}

/// Copies bit `width - 1` upwards.
pub(in crate::sim) fn sign_extend(bits: u64, width: u32) -> u64 {
    if width >= 64 {
        return bits;
    }
    let shift = 64 - width;
    (((bits << shift) as i64) >> shift) as u64
}
