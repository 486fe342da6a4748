//! AMD's intrinsics (CDNA3 and CDNA4 instruction set architectures; LLVM AMDGPU user guide).

use super::super::bytecode::{
    Access, Addressing, Atomic, AtomicOp, Order, Part, Rounding, Scope, Space,
};
use super::super::memory::{ARGUMENTS, DISPATCH_AT, IMPLICIT_AT};
use super::*;

const ABI: &str = "LLVM AMDGPU user guide, kernel prologue and implicit arguments";

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row_of("llvm.amdgcn.workitem.id.x", ABI, Rule::Special(Special::Thread(0))),
    row_of("llvm.amdgcn.workitem.id.y", ABI, Rule::Special(Special::Thread(1))),
    row_of("llvm.amdgcn.workitem.id.z", ABI, Rule::Special(Special::Thread(2))),
    row_of("llvm.amdgcn.workgroup.id.x", ABI, Rule::Special(Special::Block(0))),
    row_of("llvm.amdgcn.workgroup.id.y", ABI, Rule::Special(Special::Block(1))),
    row_of("llvm.amdgcn.workgroup.id.z", ABI, Rule::Special(Special::Block(2))),
    row_of("llvm.amdgcn.implicitarg.ptr", ABI, Rule::With(implicit_arguments)),
    row_of("llvm.amdgcn.dispatch.ptr", ABI, Rule::With(dispatch_packet)),
    row_of("llvm.amdgcn.wavefrontsize", ABI, Rule::With(wavefront_size)),
    row_of("llvm.amdgcn.s.barrier", "CDNA3 ISA 4.3, s_barrier", Rule::With(barrier)),
    row_of("llvm.amdgcn.wave.barrier", "LLVM AMDGPU intrinsics: orders code only", Rule::Ignore),
    row_of("llvm.amdgcn.sched.barrier", "LLVM AMDGPU intrinsics: orders code only", Rule::Ignore),
    row_of(
        "llvm.amdgcn.sched.group.barrier",
        "LLVM AMDGPU intrinsics: orders code only",
        Rule::Ignore,
    ),
    row_of("llvm.amdgcn.iglp.opt", "LLVM AMDGPU intrinsics: orders code only", Rule::Ignore),
    row_of("llvm.amdgcn.s.setprio", "CDNA3 ISA, s_setprio", Rule::Ignore),
    row_of("llvm.amdgcn.s.sleep", "CDNA3 ISA, s_sleep", Rule::Ignore),
    row_of("llvm.amdgcn.s.waitcnt", "CDNA3 ISA 4.4, s_waitcnt", Rule::With(copies::wait_counters)),
    row_of(
        "llvm.amdgcn.global.load.lds",
        "CDNA3 ISA 10.3, global_load with the LDS bit",
        Rule::With(copies::load_to_shared),
    ),
    row_of(
        "llvm.amdgcn.raw.ptr.buffer.load.lds",
        "CDNA3 ISA 9.1.9, buffer_load with the LDS bit",
        Rule::With(copies::buffer_to_shared),
    ),
    row_of("llvm.amdgcn.ds.bpermute", "CDNA3 ISA, ds_bpermute_b32", Rule::With(gather)),
    row_of("llvm.amdgcn.ds.permute", "CDNA3 ISA, ds_permute_b32", Rule::With(scatter)),
    row_of("llvm.amdgcn.ds.swizzle", "CDNA3 ISA, ds_swizzle_b32", Rule::With(swizzle)),
    row_of("llvm.amdgcn.readlane", "CDNA3 ISA, v_readlane_b32", Rule::With(read_lane)),
    row_of("llvm.amdgcn.readfirstlane", "CDNA3 ISA, v_readfirstlane_b32", Rule::With(read_first)),
    row_of("llvm.amdgcn.writelane", "CDNA3 ISA, v_writelane_b32", Rule::With(write_lane)),
    row_of("llvm.amdgcn.update.dpp", "CDNA3 ISA, data parallel primitives", Rule::With(update_dpp)),
    row_of("llvm.amdgcn.mov.dpp", "CDNA3 ISA, data parallel primitives", Rule::With(move_dpp)),
    row_of(
        "llvm.amdgcn.permlane16.swap",
        "CDNA4 ISA, v_permlane16_swap_b32",
        Rule::With(swap_rows),
    ),
    row_of(
        "llvm.amdgcn.permlane32.swap",
        "CDNA4 ISA, v_permlane32_swap_b32",
        Rule::With(swap_rows),
    ),
    row_of("llvm.amdgcn.mbcnt.lo", "CDNA3 ISA, v_mbcnt_lo_u32_b32", Rule::With(mask_count)),
    row_of("llvm.amdgcn.mbcnt.hi", "CDNA3 ISA, v_mbcnt_hi_u32_b32", Rule::With(mask_count)),
    row_of("llvm.amdgcn.ballot", "LLVM AMDGPU intrinsics, ballot", Rule::With(ballot)),
    row_of("llvm.amdgcn.exp2", "CDNA3 ISA, v_exp_f32", Rule::With(flushing)),
    row_of("llvm.amdgcn.log", "CDNA3 ISA, v_log_f32 (base 2)", Rule::With(flushing)),
    row_of("llvm.amdgcn.rcp", "CDNA3 ISA, v_rcp_f32", Rule::Real1(Real1::Rcp)),
    row_of("llvm.amdgcn.rsq", "CDNA3 ISA, v_rsq_f32", Rule::Real1(Real1::Rsqrt)),
    row_of("llvm.amdgcn.sqrt", "CDNA3 ISA, v_sqrt_f32", Rule::Real1(Real1::Sqrt)),
    row_of("llvm.amdgcn.sin", "CDNA3 ISA, v_sin_f32", Rule::Real1(Real1::SinTurns)),
    row_of("llvm.amdgcn.cos", "CDNA3 ISA, v_cos_f32", Rule::Real1(Real1::CosTurns)),
    row_of("llvm.amdgcn.fract", "CDNA3 ISA, v_fract_f32", Rule::Real1(Real1::Fract)),
    row_of("llvm.amdgcn.fmed3", "CDNA3 ISA, v_med3_f32", Rule::With(median)),
    row_of("llvm.amdgcn.mul.u24", "CDNA3 ISA, v_mul_u32_u24", Rule::With(product24)),
    row_of("llvm.amdgcn.mul.i24", "CDNA3 ISA, v_mul_i32_i24", Rule::With(product24)),
    row_of("llvm.amdgcn.perm", "CDNA3 ISA, v_perm_b32", Rule::With(permute_bytes)),
    row_of("llvm.amdgcn.ubfe", "CDNA3 ISA, v_bfe_u32", Rule::With(extract_bits)),
    row_of("llvm.amdgcn.cvt.pkrtz", "CDNA3 ISA, v_cvt_pkrtz_f16_f32", Rule::With(pack_halves)),
    row_of("llvm.amdgcn.cvt.pk.fp8.f32", "CDNA3 ISA, v_cvt_pk_fp8_f32", Rule::With(pack_bytes)),
    row_of("llvm.amdgcn.cvt.pk.bf8.f32", "CDNA3 ISA, v_cvt_pk_bf8_f32", Rule::With(pack_bytes)),
    row_of("llvm.amdgcn.cvt.pk.f32.fp8", "CDNA3 ISA, v_cvt_pk_f32_fp8", Rule::With(unpack_bytes)),
    row_of("llvm.amdgcn.cvt.pk.f32.bf8", "CDNA3 ISA, v_cvt_pk_f32_bf8", Rule::With(unpack_bytes)),
    row_of("llvm.amdgcn.cvt.f32.fp8", "CDNA3 ISA, v_cvt_f32_fp8", Rule::With(unpack_byte)),
    row_of("llvm.amdgcn.cvt.f32.bf8", "CDNA3 ISA, v_cvt_f32_bf8", Rule::With(unpack_byte)),
    row_of(
        "llvm.amdgcn.make.buffer.rsrc",
        "CDNA3 ISA 9.1, buffer resource descriptor",
        Rule::With(make_resource),
    ),
    row_of(
        "llvm.amdgcn.raw.ptr.buffer.load",
        "CDNA3 ISA 9.1, buffer_load",
        Rule::With(buffer_load),
    ),
    row_of(
        "llvm.amdgcn.raw.ptr.buffer.store",
        "CDNA3 ISA 9.1, buffer_store",
        Rule::With(buffer_store),
    ),
    row_of(
        "llvm.amdgcn.raw.ptr.buffer.atomic",
        "CDNA3 ISA 9.1, buffer_atomic",
        Rule::With(buffer_atomic),
    ),
    row_of("llvm.amdgcn.mfma", "CDNA3 and CDNA4 ISA 7, matrix lane maps", Rule::With(matrix::mfma)),
    row_of(
        "llvm.amdgcn.mfma.scale.f32",
        "CDNA4 ISA 7, scaled matrix products",
        Rule::With(matrix::scaled_mfma),
    ),
    row_of(
        "llvm.amdgcn.ds.read.tr4.b64",
        "CDNA4 ISA 11.4, ds_read_b64_tr_b4",
        Rule::With(rows::read_transposed),
    ),
    row_of(
        "llvm.amdgcn.ds.read.tr6.b96",
        "CDNA4 ISA 11.4, ds_read_b96_tr_b6",
        Rule::With(rows::read_transposed),
    ),
    row_of(
        "llvm.amdgcn.ds.read.tr8.b64",
        "CDNA4 ISA 11.4, ds_read_b64_tr_b8",
        Rule::With(rows::read_transposed),
    ),
    row_of(
        "llvm.amdgcn.ds.read.tr16.b64",
        "CDNA4 ISA 11.4, ds_read_b64_tr_b16",
        Rule::With(rows::read_transposed),
    ),
    row_of(
        "llvm.amdgcn.is.shared",
        "LLVM AMDGPU user guide, address spaces",
        Rule::With(is_shared),
    ),
    row_of("llvm.amdgcn.endpgm", "CDNA3 ISA, s_endpgm", Rule::With(end)),
];

fn pointer_into_arguments<'m>(
    lower: &mut Lower<'m>,
    call: &Call<'m>,
    offset: u64,
) -> Result<(), SimError> {
    let address = lower.wide_of(ARGUMENTS + offset);
    lower.bind(call.inst, vec![Slot::Wide(address)]);
    Ok(())
}

fn implicit_arguments<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    pointer_into_arguments(lower, call, IMPLICIT_AT)
}

fn dispatch_packet<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    pointer_into_arguments(lower, call, DISPATCH_AT)
}

fn wavefront_size<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let size = lower.word_of(lower.lanes);
    lower.bind(call.inst, vec![Slot::Word(size)]);
    Ok(())
}

/// Waits for the waves of the workgroup and orders no memory: fences around it do.
fn barrier<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit_barrier(Barrier {
        mode: BarrierMode::Sync,
        id: None,
        threads: None,
        aligned: false,
        orders_memory: false,
        flag: None,
        d: None,
    });
    Ok(())
}

fn gather<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (a, b) = (lower.word_arg(call, 0)?, lower.word_arg(call, 1)?);
    cross(lower, call, CrossMode::Gather, a, b)
}

fn scatter<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (a, b) = (lower.word_arg(call, 0)?, lower.word_arg(call, 1)?);
    cross(lower, call, CrossMode::Scatter, a, b)
}

fn cross<'m>(
    lower: &mut Lower<'m>,
    call: &Call<'m>,
    mode: CrossMode,
    a: RowId,
    b: RowId,
) -> Result<(), SimError> {
    let d = lower.word();
    lower.emit_cross(Cross { mode, d, also: None, a, b });
    lower.bind(call.inst, vec![Slot::Word(d)]);
    Ok(())
}

fn swizzle<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let pattern = lower.immediate(call, 1)? as u16;
    let a = lower.word_arg(call, 0)?;
    cross(lower, call, CrossMode::Swizzle { pattern }, a, a)
}

fn read_lane<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let lane = lower.word_arg(call, 1)?;
    let res = lower.cross_words(call.args[0], CrossMode::ReadLane, lane, None)?;
    lower.bind(call.inst, res);
    Ok(())
}

fn read_first<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let unused = lower.word_of(0);
    let res = lower.cross_words(call.args[0], CrossMode::ReadFirst, unused, None)?;
    lower.bind(call.inst, res);
    Ok(())
}

/// `writelane(value, lane, old)`.
fn write_lane<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let own = lower.word();
    lower.emit(Op::Special { what: Special::Lane, d: own });
    let lane = lower.slot(call.args[1])?;
    let here = lower.equal(32, lane, Slot::Word(own));
    let (value, old) = (lower.slot(call.args[0])?, lower.slot(call.args[2])?);
    let res = lower.choose(here, value, old);
    lower.bind(call.inst, vec![res]);
    Ok(())
}

fn dpp<'m>(lower: &mut Lower<'m>, call: &Call<'m>, first: usize) -> Result<CrossMode, SimError> {
    Ok(CrossMode::Dpp {
        ctrl: lower.immediate(call, first)? as u16,
        row_mask: lower.immediate(call, first + 1)? as u8,
        bank_mask: lower.immediate(call, first + 2)? as u8,
        bound: lower.immediate(call, first + 3)? != 0,
    })
}

fn update_dpp<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mode = dpp(lower, call, 2)?;
    let res = lower.cross_words(call.args[1], mode, 0, Some(call.args[0]))?;
    lower.bind(call.inst, res);
    Ok(())
}

fn move_dpp<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mode = dpp(lower, call, 1)?;
    let res = lower.cross_words(call.args[0], mode, 0, Some(call.args[0]))?;
    lower.bind(call.inst, res);
    Ok(())
}

fn swap_rows<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let unit = if call.name.contains("permlane16") { 16 } else { 32 };
    let (a, b) = (lower.word_arg(call, 0)?, lower.word_arg(call, 1)?);
    let (d, also) = (lower.word(), lower.word());
    let mode = CrossMode::SwapRows { unit };
    lower.emit_cross(Cross { mode, d, also: Some(also), a, b });
    lower.bind(call.inst, vec![Slot::Word(d), Slot::Word(also)]);
    Ok(())
}

fn mask_count<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let low = call.name.ends_with("lo");
    let mode = if low { CrossMode::MaskCountLow } else { CrossMode::MaskCountHigh };
    let (a, b) = (lower.word_arg(call, 0)?, lower.word_arg(call, 1)?);
    cross(lower, call, mode, a, b)
}

fn ballot<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let value = Slot::Flag(lower.flag_arg(call, 0)?);
    let d = lower.fresh_all(call.inst.ty())?;
    lower.emit_vote(Vote { mode: VoteMode::Ballot, members: None, value, d: d[0], also: None });
    lower.bind(call.inst, d);
    Ok(())
}

/// `v_exp_f32` and `v_log_f32` neither read nor write subnormals.
fn flushing<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let op = if call.name.contains("exp2") { Real1::Exp2 } else { Real1::Log2 };
    let real = match lower.real_of(call.args[0].ty())? {
        Real::F32 => Real::F32Flush,
        other => other,
    };
    lower.map1(call.inst, |lower, a| Ok(lower.real1(op, real, a)))
}

fn median<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let real = lower.real_of_call(call)?;
    lower.map3(call, |lower, a, b, c| {
        let least = lower.real2(Real2::MinNumber, real, a, b);
        let most = lower.real2(Real2::MaxNumber, real, a, b);
        let upper = lower.real2(Real2::MinNumber, real, most, c);
        Ok(lower.real2(Real2::MaxNumber, real, least, upper))
    })
}

fn product24<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let signed = call.name.contains("i24");
    lower.map2(call.inst, |lower, _, a, b| {
        let cut = |lower: &mut Lower<'m>, slot| {
            let low = lower.masked(24, slot);
            if signed { lower.sign_extended(24, low) } else { low }
        };
        let (a, b) = (cut(lower, a), cut(lower, b));
        lower.int(IntOp::Mul, 32, a, b)
    })
}

/// `v_perm_b32`: selector bytes 0 to 3 name bytes of the second operand, 4 to 7 of the first.
fn permute_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let selector = lower.immediate(call, 2)?;
    let (a, b) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let bytes = lower.repack(&[b, a], &[32, 32], &[Scalar::Int(8); 8]);
    let mut picked = Vec::new();
    for i in 0..4 {
        picked.push(match (selector >> (8 * i) & 0xff) as usize {
            at @ 0..8 => bytes[at],
            12 => lower.constant(Scalar::Int(8), 0),
            at if at > 12 => lower.constant(Scalar::Int(8), 0xff),
            _ => return Err(SimError::unsupported("sign selectors of `v_perm_b32`")),
        });
    }
    let res = lower.repack(&picked, &[8; 4], &[Scalar::Int(32)]);
    lower.bind(call.inst, res);
    Ok(())
}

fn extract_bits<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (offset, width) = (lower.immediate(call, 1)? & 31, lower.immediate(call, 2)? & 31);
    let a = lower.slot(call.args[0])?;
    let by = lower.constant(Scalar::Int(32), offset);
    let moved = lower.int(IntOp::Lshr, 32, a, by)?;
    let res = lower.masked(width as u32, moved);
    lower.bind(call.inst, vec![res]);
    Ok(())
}

fn pack_halves<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mut halves = Vec::new();
    for &arg in &call.args[..2] {
        let a = lower.slot(arg)?;
        halves.push(lower.convert(Real::F32, Real::F16, Rounding::Zero, a));
    }
    lower.bind(call.inst, halves);
    Ok(())
}

impl Lower<'_> {
    /// The 8-bit format that the name of an instruction means on this target.
    pub(super) fn byte_format(&self, name: &str) -> Real {
        match (name.contains("bf8"), self.fnuz) {
            (false, false) => Real::E4m3,
            (false, true) => Real::E4m3Fnuz,
            (true, false) => Real::E5m2,
            (true, true) => Real::E5m2Fnuz,
        }
    }
}

/// `cvt.pk.fp8.f32(a, b, old, upper)`: two bytes into one half of `old`.
fn pack_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let to = lower.byte_format(&call.name);
    let (a, b) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let low = lower.convert(Real::F32, to, Rounding::Nearest, a);
    let high = lower.convert(Real::F32, to, Rounding::Nearest, b);
    let old = lower.slot(call.args[2])?;
    let halves = lower.repack(&[old], &[32], &[Scalar::Int(16); 2]);
    let res = if lower.immediate(call, 3)? != 0 {
        lower.repack(&[halves[0], low, high], &[16, 8, 8], &[Scalar::Int(32)])
    } else {
        lower.repack(&[low, high, halves[1]], &[8, 8, 16], &[Scalar::Int(32)])
    };
    lower.bind(call.inst, res);
    Ok(())
}

/// `cvt.pk.f32.fp8(packed, upper)`.
fn unpack_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let from = lower.byte_format(&call.name);
    let first = if lower.immediate(call, 1)? != 0 { 2 } else { 0 };
    let a = lower.slot(call.args[0])?;
    let bytes = lower.repack(&[a], &[32], &[Scalar::Int(8); 4]);
    let res: Vec<Slot> = bytes[first..first + 2]
        .iter()
        .map(|&byte| lower.convert(from, Real::F32, Rounding::Nearest, byte))
        .collect();
    lower.bind(call.inst, res);
    Ok(())
}

/// `cvt.f32.fp8(packed, byte)`.
fn unpack_byte<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let from = lower.byte_format(&call.name);
    let at = lower.immediate(call, 1)? as usize & 3;
    let a = lower.slot(call.args[0])?;
    let bytes = lower.repack(&[a], &[32], &[Scalar::Int(8); 4]);
    let res = lower.convert(from, Real::F32, Rounding::Nearest, bytes[at]);
    lower.bind(call.inst, vec![res]);
    Ok(())
}

/// `make.buffer.rsrc(base, stride, num_records, flags)`.
fn make_resource<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    if lower.immediate(call, 1)? & 0x3fff != 0 {
        return Err(SimError::unsupported("buffer resources with a stride"));
    }
    let base = lower.slot(call.args[0])?;
    let bits = lower.element_bits_of(call.args[2].ty())?;
    let records = lower.slot(call.args[2])?;
    let records = lower.resize(false, bits, 64, records);
    lower.bind(call.inst, vec![base, records]);
    Ok(())
}

fn buffer_access<'m>(
    lower: &mut Lower<'m>,
    call: &Call<'m>,
    first: usize,
    parts: Vec<Part>,
) -> Result<(Access, RowId), SimError> {
    let resource = lower.slots(call.args[first])?;
    let offset = lower.word_arg(call, first + 1)?;
    let scalar_offset = lower.word_arg(call, first + 2)?;
    let bytes = parts.iter().map(|part| part.offset + u32::from(part.bytes)).max();
    let bytes = bytes.unwrap_or(0);
    let access = Access {
        space: Space::Global,
        addressing: Addressing::Resource {
            base: row(resource[0]),
            records: row(resource[1]),
            scalar_offset,
        },
        offset: 0,
        bytes,
        align: bytes.min(4),
        order: Order::Plain,
        scope: Scope::Device,
        parts,
    };
    Ok((access, offset))
}

fn buffer_load<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let slots = lower.fresh_all(call.inst.ty())?;
    let parts = lower.parts(call.inst.ty(), &slots)?;
    let (access, addr) = buffer_access(lower, call, 0, parts)?;
    lower.emit_load(access, addr);
    lower.bind(call.inst, slots);
    Ok(())
}

fn buffer_store<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let slots = lower.slots(call.args[0])?;
    let parts = lower.parts(call.args[0].ty(), &slots)?;
    let (access, addr) = buffer_access(lower, call, 1, parts)?;
    lower.emit_store(access, addr);
    Ok(())
}

/// `raw.ptr.buffer.atomic.op(value, resource, offset, scalar offset, aux)`.
fn buffer_atomic<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mut real = |op| lower.real_of(call.args[0].ty()).map(|real| AtomicOp::Real(op, real));
    let op = match call.words.first().map_or("", String::as_str) {
        "swap" => AtomicOp::Exchange,
        "add" => AtomicOp::Int(IntOp::Add),
        "sub" => AtomicOp::Int(IntOp::Sub),
        "smin" => AtomicOp::Int(IntOp::MinSigned),
        "umin" => AtomicOp::Int(IntOp::MinUnsigned),
        "smax" => AtomicOp::Int(IntOp::MaxSigned),
        "umax" => AtomicOp::Int(IntOp::MaxUnsigned),
        "and" => AtomicOp::Int(IntOp::And),
        "or" => AtomicOp::Int(IntOp::Or),
        "xor" => AtomicOp::Int(IntOp::Xor),
        "fadd" => real(Real2::Add)?,
        "fmin" => real(Real2::MinNumber)?,
        "fmax" => real(Real2::MaxNumber)?,
        _ => return Err(SimError::unsupported(format!("a call of `{}`", call.name))),
    };
    let slots = lower.fresh_all(call.inst.ty())?;
    let parts = lower.parts(call.args[0].ty(), &slots)?;
    let (mut access, addr) = buffer_access(lower, call, 1, parts)?;
    access.order = Order::Relaxed;
    let values = lower.slots(call.args[0])?.to_vec();
    lower.emit_atomic(Atomic { op, access, addr, values, expected: None, stored: None });
    lower.bind(call.inst, slots);
    Ok(())
}

fn is_shared<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (d, a) = (lower.flag(), row(lower.slot(call.args[0])?));
    lower.emit(Op::IsSpace { space: Space::Shared, d, a });
    lower.bind(call.inst, vec![Slot::Flag(d)]);
    Ok(())
}

fn end<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::Return);
    Ok(())
}
