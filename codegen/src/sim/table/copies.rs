//! Copies from global to shared memory that end later, and the waits for them.

use super::super::bytecode::{Access, Addressing, AsyncCopy, Landing, Order, Scope, Space};
use super::*;

/// A counter at this value waits for nothing (CDNA3 ISA 4.4: six bits of VMCNT).
const VMCNT_MAX: u64 = 63;

/// The source of a copy of `bytes` a lane.
pub(super) fn plain_source(addressing: Addressing, bytes: u32) -> Access {
    Access {
        space: Space::Global,
        addressing,
        offset: 0,
        bytes,
        align: bytes,
        order: Order::Plain,
        scope: Scope::Device,
        parts: Vec::new(),
    }
}

impl Lower<'_> {
    /// Appends an asynchronous copy.
    pub(super) fn emit_async_copy(&mut self, copy: AsyncCopy) {
        let table = self.code.async_copies.len() as u32;
        self.code.async_copies.push(copy);
        self.emit(Op::AsyncCopy { table });
    }
}

/// `cp.async.ca.shared.global.16(to, from)`, `….16.s(to, from, bytes to read)`.
pub(super) fn start<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let bytes = call.words.first().and_then(|it| it.parse::<u32>().ok());
    let bytes = bytes
        .filter(|it| matches!(it, 4 | 8 | 16))
        .ok_or_else(|| SimError::unsupported(format!("a call of `{}`", call.name)))?;
    let (to, from) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let read = if call.has("s") { Some(lower.word_arg(call, 2)?) } else { None };
    let addressing = Addressing::Pointer { wide: matches!(from, Slot::Wide(_)) };
    lower.emit_async_copy(AsyncCopy {
        from: plain_source(addressing, bytes),
        from_addr: row(from),
        to,
        landing: Landing::Scattered { offset: 0 },
        to_align: bytes,
        read,
        ignore: None,
        is_apart: false,
    });
    Ok(())
}

pub(super) fn commit<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::CommitCopies);
    Ok(())
}

pub(super) fn wait_group<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let pending = lower.immediate(call, 0)? as u32;
    lower.emit(Op::AwaitCopies { pending });
    Ok(())
}

/// As a commit and a wait for every group.
pub(super) fn wait_all<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::CommitCopies);
    lower.emit(Op::AwaitCopies { pending: 0 });
    Ok(())
}

/// VMCNT is in bits 0 to 3 and 14 to 15 of the immediate. LGKMCNT, in bits 8 to 11, counts operations on
/// LDS, which end at once here: a wait for all of them is what a release to the workgroup comes to, whose
/// waves see each other's stores to global memory anyway (LLVM, "User Guide for AMDGPU Backend", memory
/// model of gfx942).
pub(super) fn wait_counters<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let immediate = lower.immediate(call, 0)?;
    let pending = immediate & 15 | immediate >> 14 << 4 & 48;
    if pending < VMCNT_MAX {
        lower.emit(Op::AwaitMemory { pending: pending as u32 });
    }
    if immediate >> 8 & 15 == 0 {
        lower.emit(Op::Release);
    }
    Ok(())
}

/// Bytes that the lanes of a copy are apart in shared memory: a word, or four for more than one.
fn step(lower: &mut Lower<'_>, call: &Call<'_>, size: u64) -> Result<u32, SimError> {
    match size {
        4 => Ok(4),
        12 | 16 if !lower.fnuz => Ok(16),
        _ => Err(SimError::unsupported(format!("`{}` of {size} bytes", call.name))),
    }
}

/// `global.load.lds(from, to, bytes, offset, cache policy)`: the offset is added to both.
pub(super) fn load_to_shared<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (from, to) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let (size, offset) = (lower.immediate(call, 2)?, lower.immediate(call, 3)? as u32);
    let step = step(lower, call, size)?;
    let addressing = Addressing::Pointer { wide: true };
    let from_access = Access { offset, align: 4, ..plain_source(addressing, size as u32) };
    lower.emit_async_copy(AsyncCopy {
        from: from_access,
        from_addr: row(from),
        to,
        landing: Landing::Lined { offset, step },
        to_align: 4,
        read: None,
        ignore: None,
        is_apart: call.inst.has_note("noalias"),
    });
    Ok(())
}

/// `raw.ptr.buffer.load.lds(resource, to, bytes, offset, scalar offset, immediate offset, policy)`.
/// Lanes beyond the end of the buffer write zeros.
pub(super) fn buffer_to_shared<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let size = lower.immediate(call, 2)?;
    let step = step(lower, call, size)?;
    let offset = lower.immediate(call, 5)? as u32;
    let to = lower.slot(call.args[1])?;
    let resource = lower.slots(call.args[0])?;
    let own_offset = lower.slot(call.args[3])?;
    let from_addr = row(lower.add_constant(own_offset, 32, u64::from(offset))?);
    let addressing = Addressing::Resource {
        base: row(resource[0]),
        records: row(resource[1]),
        scalar_offset: lower.word_arg(call, 4)?,
    };
    lower.emit_async_copy(AsyncCopy {
        from: Access { align: 4, ..plain_source(addressing, size as u32) },
        from_addr,
        to,
        landing: Landing::Lined { offset, step },
        to_align: 4,
        read: None,
        ignore: None,
        is_apart: call.inst.has_note("noalias"),
    });
    Ok(())
}
