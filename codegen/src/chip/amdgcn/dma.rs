//! Loads from global memory straight to LDS, and the waits and barriers that leave them in flight.
//!
//! # Idea
//! A wave's lanes write one after another from an address in M0, the swizzle of the memory being in
//! the order in which lanes read. VMCNT counts the wave's operations on global memory, which end in
//! order. LLVM would wait for all of them in two places: at a release fence of the workgroup, and
//! before every access to LDS that may meet such a load. A barrier beside copies therefore waits for
//! LDS alone and orders the code by fences of the wave, which cost nothing; and accesses are marked
//! as apart from copies, which is true where the waits are that the compiler has put in.
//!
//! Sources: CDNA4 ISA 4.4 (counters), 9.1.9 and 10.3 (loads to LDS); LLVM 22, `SIInsertWaitcnts`.

use inkwell::values::{FunctionValue, InstructionOpcode, InstructionValue, PointerValue};
use inkwell::{AddressSpace, AtomicOrdering};

use crate::emit::{Emit, SHARED, Val};

/// `s_waitcnt` that waits for nothing, without VMCNT: its bits are 0 to 3 and 14 to 15.
const NO_OTHERS: u32 = 0x0f70;
/// `s_waitcnt` for all operations on LDS and nothing else.
const LDS_DONE: u32 = 0xc07f;
/// VMCNT at its most waits for nothing.
const VMCNT_MAX: u32 = 63;
/// The load.
const LOAD: &str = "llvm.amdgcn.global.load.lds";
/// Transposing reads of LDS, the only other intrinsics that read it.
const READS: &str = "llvm.amdgcn.ds.read.tr";

/// Starts a copy of `bytes` a lane; `to` is where the first lane of the wave writes.
pub(super) fn start<'c>(emit: &Emit<'c>, to: PointerValue<'c>, from: PointerValue<'c>, bytes: u32) {
    let none = emit.int(0).into();
    emit.intrinsic(LOAD, &[], &[from.into(), to.into(), emit.int(bytes).into(), none, none]);
}

/// Waits until at most `n` of the wave's operations on global memory are in flight.
pub(super) fn wait(emit: &Emit<'_>, n: u32) {
    let n = n.min(VMCNT_MAX);
    wait_for(emit, NO_OTHERS | n & 15 | (n >> 4) << 14);
}

fn wait_for(emit: &Emit<'_>, counters: u32) {
    emit.intrinsic("llvm.amdgcn.s.waitcnt", &[], &[emit.int(counters).into()]);
}

/// All threads of the block meet, while copies stay in flight.
pub(super) fn barrier(emit: &Emit<'_>) {
    emit.fence(AtomicOrdering::Release, "wavefront");
    wait_for(emit, LDS_DONE);
    emit.intrinsic("llvm.amdgcn.s.barrier", &[], &[]);
    emit.fence(AtomicOrdering::Acquire, "workgroup");
}

/// Says of all accesses to LDS whether they are copies: the two kinds never meet unordered.
pub(super) fn mark(emit: &Emit<'_>) {
    let domain = emit.context.metadata_node(&[emit.context.metadata_string("lds").into()]);
    let scope = |name: &str| {
        let it = [emit.context.metadata_string(name).into(), domain.into()];
        emit.context.metadata_node(&[emit.context.metadata_node(&it).into()])
    };
    let (copies, accesses) = (scope("copies"), scope("accesses"));
    let [own, others] = ["alias.scope", "noalias"].map(|it| emit.context.get_kind_id(it));
    for inst in instructions(emit.function) {
        let (mine, theirs) = match kind(inst) {
            Some(Kind::Copy) => (copies, accesses),
            Some(Kind::Access) => (accesses, copies),
            None => continue,
        };
        inst.set_metadata(mine, own).expect("the note is a node");
        inst.set_metadata(theirs, others).expect("the note is a node");
    }
}

fn instructions(function: FunctionValue<'_>) -> Vec<InstructionValue<'_>> {
    function.get_basic_blocks().into_iter().flat_map(|it| it.get_instructions()).collect()
}

enum Kind {
    Copy,
    Access,
}

/// What an instruction does with LDS.
fn kind(inst: InstructionValue<'_>) -> Option<Kind> {
    let operand = |at: u32| inst.get_operand(at).and_then(|it| it.value());
    let is_shared = |at: u32| match operand(at) {
        Some(Val::PointerValue(it)) => {
            it.get_type().get_address_space() == AddressSpace::from(SHARED)
        }
        _ => false,
    };
    match inst.get_opcode() {
        InstructionOpcode::Load if is_shared(0) => Some(Kind::Access),
        InstructionOpcode::Store if is_shared(1) => Some(Kind::Access),
        InstructionOpcode::AtomicRMW if is_shared(0) => Some(Kind::Access),
        InstructionOpcode::Call => {
            let callee = operand(inst.get_num_operands().checked_sub(1)?)?.into_pointer_value();
            let name = callee.get_name().to_string_lossy().into_owned();
            if name.starts_with(LOAD) {
                Some(Kind::Copy)
            } else {
                name.starts_with(READS).then_some(Kind::Access)
            }
        }
        _ => None,
    }
}
