//! Accesses to global memory that a mask leaves out without a branch.
//!
//! # Idea
//! A branch around an access splits a block, and with it what the scheduler can do. Where a tensor is
//! known to be small enough for offsets of 32 bits, the access goes through a buffer resource, and
//! what is masked gets an offset beyond its end: the hardware reads zeros there and drops writes.
//! Elsewhere a masked load reads zeros from a constant of the program.
//!
//! Source: CDNA3 ISA 9.1 (buffer resources); LLVM 22, "User Guide for AMDGPU Backend".

use inkwell::AddressSpace;
use inkwell::module::Linkage;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{IntValue, PointerValue};

use crate::chip::Resource;
use crate::emit::{Emit, GLOBAL, Val, vector_type, width};

/// Bytes of every resource; an access of the widest kind at an offset below it does not wrap.
pub(super) const RESOURCE_BYTES: u32 = 0x7fff_fff0;
/// An offset beyond every resource.
const BEYOND: u32 = 0x8000_0000;
/// The last word of a raw buffer's resource.
const FLAGS: u32 = 0x0002_7000;
/// The name of the constant in modules.
const ZEROS: &str = "zeros";
/// Bytes of the widest access.
const ZERO_BYTES: u32 = 16;
/// Every lane has zeros of its own.
const LANES: u32 = 64;

pub(super) fn resource<'c>(emit: &Emit<'c>, base: PointerValue<'c>) -> Resource<'c> {
    let descriptor_type = emit.context.ptr_type(AddressSpace::from(8));
    let args = [
        base.into(),
        emit.int_type(16).const_zero().into(),
        emit.long(RESOURCE_BYTES.into()).into(),
        emit.int(FLAGS).into(),
    ];
    let types = [descriptor_type.into(), base.get_type().into()];
    let descriptor = emit
        .intrinsic("llvm.amdgcn.make.buffer.rsrc", &types, &args)
        .expect("it has a value")
        .into_pointer_value();
    Resource { descriptor, base }
}

/// The type of words in which a value of `ty` is moved, if there is one.
fn words<'c>(emit: &Emit<'c>, ty: BasicTypeEnum<'c>) -> Option<BasicTypeEnum<'c>> {
    match width(ty) {
        bits @ (8 | 16 | 32) => Some(emit.int_type(bits).into()),
        bits @ (64 | 128) => Some(vector_type(emit.i32().into(), bits / 32)),
        _ => None,
    }
}

/// Where an access goes: from the resource's base, or beyond its end.
fn offset<'c>(
    emit: &Emit<'c>,
    at: PointerValue<'c>,
    mask: IntValue<'c>,
    resource: Resource<'c>,
) -> IntValue<'c> {
    let number = |it: PointerValue<'c>| emit.bitcast(it.into(), emit.i64().into()).into_int_value();
    let distance = emit.sub(number(at), number(resource.base));
    emit.select_int(mask, emit.zext(distance, emit.i32()), emit.int(BEYOND))
}

pub(super) fn load<'c>(
    emit: &Emit<'c>,
    ty: BasicTypeEnum<'c>,
    from: PointerValue<'c>,
    mask: IntValue<'c>,
    resource: Resource<'c>,
) -> Option<Val<'c>> {
    let moved = words(emit, ty)?;
    let zero = emit.int(0);
    let offset = offset(emit, from, mask, resource);
    let args = [resource.descriptor.into(), offset.into(), zero.into(), zero.into()];
    let loaded = emit.intrinsic("llvm.amdgcn.raw.ptr.buffer.load", &[moved], &args);
    Some(emit.bitcast(loaded.expect("a load has a value"), ty))
}

pub(super) fn store<'c>(
    emit: &Emit<'c>,
    value: Val<'c>,
    to: PointerValue<'c>,
    mask: IntValue<'c>,
    resource: Resource<'c>,
) -> bool {
    let Some(moved) = words(emit, value.get_type()) else { return false };
    let zero = emit.int(0);
    let value = emit.bitcast(value, moved);
    let offset = offset(emit, to, mask, resource);
    let args = [value, resource.descriptor.into(), offset.into(), zero.into(), zero.into()];
    emit.intrinsic("llvm.amdgcn.raw.ptr.buffer.store", &[moved], &args);
    true
}

/// `from`, or where the mask does not hold zeros of a constant.
///
/// Were it one address for all lanes, LLVM would compute it before each use, in loops too; a lane's own
/// address is computed once.
pub(super) fn address_or_zeros<'c>(
    emit: &Emit<'c>,
    lane: IntValue<'c>,
    from: PointerValue<'c>,
    mask: IntValue<'c>,
) -> PointerValue<'c> {
    let zeros = emit.module.get_global(ZEROS).unwrap_or_else(|| {
        let bytes = emit.i8().array_type(ZERO_BYTES * LANES);
        let it = emit.module.add_global(bytes, Some(AddressSpace::from(GLOBAL)), ZEROS);
        it.set_linkage(Linkage::Internal);
        it.set_constant(true);
        it.set_alignment(ZERO_BYTES);
        it.set_initializer(&bytes.const_zero());
        it
    });
    let zeros = emit.at_head(|| {
        let own = emit.i8().array_type(ZERO_BYTES);
        emit.offset(own.into(), zeros.as_pointer_value(), lane)
    });
    emit.select(mask, from.into(), zeros.into()).into_pointer_value()
}
