//! NVIDIA's intrinsics (PTX ISA 9.0, the section of the instruction each stands for).

use super::super::bytecode::{Order, Print, Rounding, Scope, Shuffle, ShuffleMode, Trap};
use super::*;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row_of("llvm.nvvm.read.ptx.sreg.tid.x", "PTX ISA 10, %tid", Rule::Special(Special::Thread(0))),
    row_of("llvm.nvvm.read.ptx.sreg.tid.y", "PTX ISA 10, %tid", Rule::Special(Special::Thread(1))),
    row_of("llvm.nvvm.read.ptx.sreg.tid.z", "PTX ISA 10, %tid", Rule::Special(Special::Thread(2))),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ntid.x",
        "PTX ISA 10, %ntid",
        Rule::Special(Special::BlockSize(0)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ntid.y",
        "PTX ISA 10, %ntid",
        Rule::Special(Special::BlockSize(1)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ntid.z",
        "PTX ISA 10, %ntid",
        Rule::Special(Special::BlockSize(2)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ctaid.x",
        "PTX ISA 10, %ctaid",
        Rule::Special(Special::Block(0)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ctaid.y",
        "PTX ISA 10, %ctaid",
        Rule::Special(Special::Block(1)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.ctaid.z",
        "PTX ISA 10, %ctaid",
        Rule::Special(Special::Block(2)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.nctaid.x",
        "PTX ISA 10, %nctaid",
        Rule::Special(Special::GridSize(0)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.nctaid.y",
        "PTX ISA 10, %nctaid",
        Rule::Special(Special::GridSize(1)),
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.nctaid.z",
        "PTX ISA 10, %nctaid",
        Rule::Special(Special::GridSize(2)),
    ),
    row_of("llvm.nvvm.read.ptx.sreg.laneid", "PTX ISA 10, %laneid", Rule::Special(Special::Lane)),
    row_of("llvm.nvvm.read.ptx.sreg.warpid", "PTX ISA 10, %warpid", Rule::Special(Special::Warp)),
    row_of(
        "llvm.nvvm.read.ptx.sreg.nwarpid",
        "PTX ISA 10, %nwarpid",
        Rule::Special(Special::WarpCount),
    ),
    row_of("llvm.nvvm.read.ptx.sreg.warpsize", "PTX ISA 10, WARP_SZ", Rule::With(warp_size)),
    row_of(
        "llvm.nvvm.read.ptx.sreg.dynamic_smem_size",
        "PTX ISA 10, %dynamic_smem_size",
        Rule::Special(Special::DynamicShared),
    ),
    row_of("llvm.nvvm.read.ptx.sreg.clock", "PTX ISA 10, %clock", Rule::Special(Special::Clock)),
    row_of("llvm.nvvm.barrier.cta.sync", "PTX ISA 9.7.13.1, barrier", Rule::With(barrier)),
    row_of("llvm.nvvm.barrier.cta.arrive", "PTX ISA 9.7.13.1, barrier", Rule::With(barrier)),
    row_of(
        "llvm.nvvm.barrier.cta.red",
        "PTX ISA 9.7.13.1, barrier.red",
        Rule::With(barrier_reduce),
    ),
    row_of(
        "llvm.nvvm.fence.mbarrier_init.release.cluster",
        "PTX ISA 9.7.13.4, fence.mbarrier_init",
        Rule::With(publish_mbarriers),
    ),
    row_of(
        "llvm.nvvm.setmaxnreg",
        "PTX ISA 9.7.19.5, setmaxnreg: registers are not counted here",
        Rule::Ignore,
    ),
    row_of(
        "llvm.nvvm.read.ptx.sreg.cluster.ctarank",
        "PTX ISA 10, %cluster_ctarank",
        Rule::Special(Special::ClusterRank),
    ),
    row_of("llvm.nvvm.mapa.shared.cluster", "PTX ISA 9.7.9.23, mapa", Rule::With(map_peer)),
    row_of(
        "llvm.nvvm.barrier.cluster.arrive",
        "PTX ISA 9.7.13.3, barrier.cluster",
        Rule::With(arrive_at_cluster),
    ),
    row_of(
        "llvm.nvvm.barrier.cluster.wait",
        "PTX ISA 9.7.13.3, barrier.cluster",
        Rule::With(await_cluster),
    ),
    row_of("llvm.nvvm.bar.warp.sync", "PTX ISA 9.7.13.2, bar.warp.sync", Rule::With(warp_sync)),
    row_of("llvm.nvvm.membar.cta", "PTX ISA 9.7.13.4, membar", Rule::With(membar)),
    row_of("llvm.nvvm.membar.gl", "PTX ISA 9.7.13.4, membar", Rule::With(membar)),
    row_of("llvm.nvvm.membar.sys", "PTX ISA 9.7.13.4, membar", Rule::With(membar)),
    row_of("llvm.nvvm.activemask", "PTX ISA 9.7.13.9, activemask", Rule::With(active_mask)),
    row_of("llvm.nvvm.shfl.sync.idx", "PTX ISA 9.7.9.6, shfl.sync", Rule::With(shuffle)),
    row_of("llvm.nvvm.shfl.sync.up", "PTX ISA 9.7.9.6, shfl.sync", Rule::With(shuffle)),
    row_of("llvm.nvvm.shfl.sync.down", "PTX ISA 9.7.9.6, shfl.sync", Rule::With(shuffle)),
    row_of("llvm.nvvm.shfl.sync.bfly", "PTX ISA 9.7.9.6, shfl.sync", Rule::With(shuffle)),
    row_of("llvm.nvvm.vote.any.sync", "PTX ISA 9.7.13.8, vote.sync", Rule::With(vote)),
    row_of("llvm.nvvm.vote.all.sync", "PTX ISA 9.7.13.8, vote.sync", Rule::With(vote)),
    row_of("llvm.nvvm.vote.uni.sync", "PTX ISA 9.7.13.8, vote.sync", Rule::With(vote)),
    row_of("llvm.nvvm.vote.ballot.sync", "PTX ISA 9.7.13.8, vote.sync", Rule::With(vote)),
    row_of("llvm.nvvm.redux.sync", "PTX ISA 9.7.13.11, redux.sync", Rule::With(redux)),
    row_of("llvm.nvvm.match.any.sync", "PTX ISA 9.7.13.10, match.sync", Rule::With(match_any)),
    row_of("llvm.nvvm.match.all.sync", "PTX ISA 9.7.13.10, match.sync", Rule::With(match_all)),
    row_of("llvm.nvvm.elect.sync", "PTX ISA 9.7.13.14, elect.sync", Rule::With(elect)),
    row_of("llvm.nvvm.ex2.approx", "PTX ISA 9.7.3.21, ex2", Rule::Real1(Real1::Exp2)),
    row_of("llvm.nvvm.lg2.approx", "PTX ISA 9.7.3.20, lg2", Rule::Real1(Real1::Log2)),
    row_of("llvm.nvvm.rcp.approx", "PTX ISA 9.7.3.13, rcp", Rule::Real1(Real1::Rcp)),
    row_of("llvm.nvvm.rcp.rn", "PTX ISA 9.7.3.13, rcp", Rule::Real1(Real1::Rcp)),
    row_of("llvm.nvvm.rsqrt.approx", "PTX ISA 9.7.3.16, rsqrt", Rule::Real1(Real1::Rsqrt)),
    row_of("llvm.nvvm.sqrt.approx", "PTX ISA 9.7.3.15, sqrt", Rule::Real1(Real1::Sqrt)),
    row_of("llvm.nvvm.sqrt.rn", "PTX ISA 9.7.3.15, sqrt", Rule::Real1(Real1::Sqrt)),
    row_of("llvm.nvvm.sqrt.f", "PTX ISA 9.7.3.15, sqrt", Rule::Real1(Real1::Sqrt)),
    row_of("llvm.nvvm.sin.approx", "PTX ISA 9.7.3.18, sin", Rule::Real1(Real1::Sin)),
    row_of("llvm.nvvm.cos.approx", "PTX ISA 9.7.3.19, cos", Rule::Real1(Real1::Cos)),
    row_of("llvm.nvvm.tanh.approx", "PTX ISA 9.7.3.22, tanh", Rule::Real1(Real1::Tanh)),
    row_of("llvm.nvvm.floor", "PTX ISA 9.7.9.21, cvt.rmi", Rule::Real1(Real1::Floor)),
    row_of("llvm.nvvm.ceil", "PTX ISA 9.7.9.21, cvt.rpi", Rule::Real1(Real1::Ceil)),
    row_of("llvm.nvvm.trunc", "PTX ISA 9.7.9.21, cvt.rzi", Rule::Real1(Real1::Trunc)),
    row_of("llvm.nvvm.round", "PTX ISA 9.7.9.21, cvt.rni", Rule::Real1(Real1::RoundEven)),
    row_of("llvm.nvvm.saturate", "PTX ISA 9.7.9.21, cvt.sat", Rule::Real1(Real1::Saturate)),
    row_of("llvm.nvvm.fabs", "PTX ISA 9.7.3.9, abs", Rule::Real1(Real1::Abs)),
    row_of("llvm.nvvm.fmin", "PTX ISA 9.7.3.11, min", Rule::With(minimum)),
    row_of("llvm.nvvm.fmax", "PTX ISA 9.7.3.12, max", Rule::With(minimum)),
    row_of("llvm.nvvm.add.rn", "PTX ISA 9.7.3.3, add", Rule::Real2(Real2::Add)),
    row_of("llvm.nvvm.mul.rn", "PTX ISA 9.7.3.5, mul", Rule::Real2(Real2::Mul)),
    row_of("llvm.nvvm.div.rn", "PTX ISA 9.7.3.8, div", Rule::Real2(Real2::Div)),
    row_of("llvm.nvvm.div.approx", "PTX ISA 9.7.3.8, div", Rule::Real2(Real2::Div)),
    row_of("llvm.nvvm.div.full", "PTX ISA 9.7.3.8, div", Rule::Real2(Real2::Div)),
    row_of("llvm.nvvm.fma.rn", "PTX ISA 9.7.3.6, fma", Rule::With(fused)),
    row_of("llvm.nvvm.mulhi.i", "PTX ISA 9.7.1.3, mul.hi", Rule::Int(IntOp::MulHighSigned)),
    row_of("llvm.nvvm.mulhi.ui", "PTX ISA 9.7.1.3, mul.hi", Rule::Int(IntOp::MulHighUnsigned)),
    row_of("llvm.nvvm.mulhi.ll", "PTX ISA 9.7.1.3, mul.hi", Rule::Int(IntOp::MulHighSigned)),
    row_of("llvm.nvvm.mulhi.ull", "PTX ISA 9.7.1.3, mul.hi", Rule::Int(IntOp::MulHighUnsigned)),
    row_of("llvm.nvvm.prmt", "PTX ISA 9.7.9.7, prmt", Rule::With(permute_bytes)),
    row_of("llvm.nvvm.f2i", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.f2ui", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.f2ll", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.f2ull", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.d2i", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.d2ui", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.d2ll", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.d2ull", "PTX ISA 9.7.9.21, cvt", Rule::With(to_int)),
    row_of("llvm.nvvm.d2f", "PTX ISA 9.7.9.21, cvt", Rule::With(convert)),
    row_of("llvm.nvvm.f2f16", "PTX ISA 9.7.9.21, cvt", Rule::With(convert)),
    row_of("llvm.nvvm.f2bf16", "PTX ISA 9.7.9.21, cvt", Rule::With(convert)),
    row_of("llvm.nvvm.ff2f16x2", "PTX ISA 9.7.9.21, cvt", Rule::With(convert_pair)),
    row_of("llvm.nvvm.ff2bf16x2", "PTX ISA 9.7.9.21, cvt", Rule::With(convert_pair)),
    row_of("llvm.nvvm.ff.to.e4m3x2", "PTX ISA 9.7.9.21, cvt", Rule::With(convert_pair)),
    row_of("llvm.nvvm.ff.to.e5m2x2", "PTX ISA 9.7.9.21, cvt", Rule::With(convert_pair)),
    row_of("llvm.nvvm.f16x2.to.e4m3x2", "PTX ISA 9.7.9.21, cvt", Rule::With(narrow_halves)),
    row_of("llvm.nvvm.f16x2.to.e5m2x2", "PTX ISA 9.7.9.21, cvt", Rule::With(narrow_halves)),
    row_of("llvm.nvvm.e4m3x2.to.f16x2", "PTX ISA 9.7.9.21, cvt", Rule::With(widen_bytes)),
    row_of("llvm.nvvm.e5m2x2.to.f16x2", "PTX ISA 9.7.9.21, cvt", Rule::With(widen_bytes)),
    row_of("llvm.nvvm.prefetch", "PTX ISA 9.7.9.15, prefetch", Rule::Ignore),
    row_of("llvm.nvvm.nanosleep", "PTX ISA 9.7.19.3, nanosleep", Rule::Ignore),
    row_of("llvm.nvvm.exit", "PTX ISA 9.7.12.6, exit", Rule::With(exit)),
    row_of("llvm.nvvm.isspacep.shared", "PTX ISA 9.7.9.19, isspacep", Rule::With(is_space)),
    row_of("llvm.nvvm.isspacep.global", "PTX ISA 9.7.9.19, isspacep", Rule::With(is_space)),
    row_of("llvm.nvvm.isspacep.local", "PTX ISA 9.7.9.19, isspacep", Rule::With(is_space)),
    row_of(
        "llvm.nvvm.ldmatrix.sync.aligned",
        "PTX ISA 9.7.14.5.15, ldmatrix",
        Rule::With(rows::load_matrices),
    ),
    row_of(
        "llvm.nvvm.stmatrix.sync.aligned",
        "PTX ISA 9.7.14.5.16, stmatrix",
        Rule::With(rows::store_matrices),
    ),
    row_of(
        "llvm.nvvm.cp.async.ca.shared.global",
        "PTX ISA 9.7.9.25.3.1, cp.async",
        Rule::With(copies::start),
    ),
    row_of(
        "llvm.nvvm.cp.async.cg.shared.global",
        "PTX ISA 9.7.9.25.3.1, cp.async",
        Rule::With(copies::start),
    ),
    row_of(
        "llvm.nvvm.cp.async.commit.group",
        "PTX ISA 9.7.9.25.3.2, cp.async.commit_group",
        Rule::With(copies::commit),
    ),
    row_of(
        "llvm.nvvm.cp.async.wait.group",
        "PTX ISA 9.7.9.25.3.3, cp.async.wait_group",
        Rule::With(copies::wait_group),
    ),
    row_of(
        "llvm.nvvm.cp.async.wait.all",
        "PTX ISA 9.7.9.25.3.3, cp.async.wait_all",
        Rule::With(copies::wait_all),
    ),
    row_of(
        "llvm.nvvm.wgmma.fence.sync.aligned",
        "PTX ISA 9.7.15.7.1, wgmma.fence: registers are values here",
        Rule::Ignore,
    ),
    row_of(
        "llvm.nvvm.wgmma.commit_group.sync.aligned",
        "PTX ISA 9.7.15.7.2, wgmma.commit_group",
        Rule::With(group::commit),
    ),
    row_of(
        "llvm.nvvm.wgmma.wait_group.sync.aligned",
        "PTX ISA 9.7.15.7.3, wgmma.wait_group",
        Rule::With(group::wait),
    ),
    row_of("llvm.nvvm.mma", "PTX ISA 9.7.14.5, mma", Rule::With(matrix::mma)),
    row_of("__nvvm_reflect", "LLVM NVPTX user guide, reflection parameters", Rule::With(reflect)),
    row_of(
        "llvm.nvvm.reflect",
        "LLVM NVPTX user guide, reflection parameters",
        Rule::With(reflect),
    ),
    row_of("vprintf", "CUDA programming guide, formatted output", Rule::With(print)),
    row_of("__assertfail", "CUDA programming guide, assertions", Rule::With(assert_failed)),
];

fn warp_size<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let size = lower.word_of(lower.lanes);
    lower.bind(call.inst, vec![Slot::Word(size)]);
    Ok(())
}

fn barrier<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let arrive = call.name.starts_with("llvm.nvvm.barrier.cta.arrive");
    let barrier = Barrier {
        mode: if arrive { BarrierMode::Arrive } else { BarrierMode::Sync },
        id: Some(lower.word_arg(call, 0)?),
        threads: if call.has("count") { Some(lower.word_arg(call, 1)?) } else { None },
        aligned: call.has("aligned"),
        orders_memory: true,
        flag: None,
        d: None,
    };
    lower.emit_barrier(barrier);
    Ok(())
}

fn barrier_reduce<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mode = if call.has("popc") {
        VoteMode::Ballot
    } else if call.has("and") {
        VoteMode::All
    } else {
        VoteMode::Any
    };
    let counted = call.has("count");
    let result = lower.fresh_all(call.inst.ty())?;
    let barrier = Barrier {
        mode: BarrierMode::Reduce(mode),
        id: Some(lower.word_arg(call, 0)?),
        threads: if counted { Some(lower.word_arg(call, 1)?) } else { None },
        aligned: call.has("aligned"),
        orders_memory: true,
        flag: Some(lower.flag_arg(call, 1 + usize::from(counted))?),
        d: Some(result[0]),
    };
    lower.emit_barrier(barrier);
    lower.bind(call.inst, result);
    Ok(())
}

fn publish_mbarriers<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::PublishMbarriers);
    Ok(())
}

fn map_peer<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (a, rank) = (lower.word_arg(call, 0)?, lower.word_arg(call, 1)?);
    let d = lower.word();
    lower.emit(Op::MapPeer { d, a, rank });
    lower.bind(call.inst, vec![Slot::Word(d)]);
    Ok(())
}

fn arrive_at_cluster<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    if call.has("relaxed") {
        return Err(SimError::unsupported(format!("`{}`", call.name)));
    }
    lower.emit(Op::ArriveAtCluster);
    Ok(())
}

fn await_cluster<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::AwaitCluster);
    Ok(())
}

fn warp_sync<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let members = lower.word_arg(call, 0)?;
    lower.emit(Op::WarpSync { members });
    Ok(())
}

fn membar<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let scope = if call.name.ends_with("cta") { Scope::Block } else { Scope::Device };
    lower.emit(Op::Fence { order: Order::AcqRel, scope });
    Ok(())
}

fn active_mask<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (d, value) = (Slot::Word(lower.word()), Slot::Flag(lower.flag_of(true)));
    lower.emit_vote(Vote { mode: VoteMode::Ballot, members: None, value, d, also: None });
    lower.bind(call.inst, vec![d]);
    Ok(())
}

/// `{ value, flag } = shfl.sync(members, value, lane, clamp)`; names that end in `p` return both.
fn shuffle<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mode = match call.name.split('.').nth(4) {
        Some("idx") => ShuffleMode::Index,
        Some("up") => ShuffleMode::Up,
        Some("down") => ShuffleMode::Down,
        _ => ShuffleMode::Butterfly,
    };
    let result = lower.fresh_all(call.inst.ty())?;
    let shuffle = Shuffle {
        mode,
        members: lower.word_arg(call, 0)?,
        d: row(result[0]),
        valid: result.get(1).map(|&slot| row(slot)),
        value: lower.word_arg(call, 1)?,
        lane: lower.word_arg(call, 2)?,
        clamp: lower.word_arg(call, 3)?,
    };
    lower.emit_shuffle(shuffle);
    lower.bind(call.inst, result);
    Ok(())
}

impl Lower<'_> {
    pub(super) fn emit_shuffle(&mut self, shuffle: Shuffle) {
        let table = self.code.shuffles.len() as u32;
        self.code.shuffles.push(shuffle);
        self.emit(Op::Shuffle { table });
    }
}

fn vote<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let mode = match call.name.split('.').nth(3) {
        Some("any") => VoteMode::Any,
        Some("all") => VoteMode::All,
        Some("uni") => VoteMode::Uniform,
        _ => VoteMode::Ballot,
    };
    let members = Some(lower.word_arg(call, 0)?);
    let value = Slot::Flag(lower.flag_arg(call, 1)?);
    let result = lower.fresh_all(call.inst.ty())?;
    lower.emit_vote(Vote { mode, members, value, d: result[0], also: None });
    lower.bind(call.inst, result);
    Ok(())
}

fn redux<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let op = match call.words.first().map(String::as_str) {
        Some("add") => IntOp::Add,
        Some("umin") => IntOp::MinUnsigned,
        Some("umax") => IntOp::MaxUnsigned,
        Some("min") => IntOp::MinSigned,
        Some("max") => IntOp::MaxSigned,
        Some("and") => IntOp::And,
        Some("or") => IntOp::Or,
        Some("xor") => IntOp::Xor,
        _ => return Err(SimError::unsupported(format!("a call of `{}`", call.name))),
    };
    let value = Slot::Word(lower.word_arg(call, 0)?);
    let members = Some(lower.word_arg(call, 1)?);
    let d = Slot::Word(lower.word());
    lower.emit_vote(Vote { mode: VoteMode::Reduce(op), members, value, d, also: None });
    lower.bind(call.inst, vec![d]);
    Ok(())
}

fn match_any<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let members = Some(lower.word_arg(call, 0)?);
    let value = lower.slot(call.args[1])?;
    let d = Slot::Word(lower.word());
    lower.emit_vote(Vote { mode: VoteMode::MatchAny, members, value, d, also: None });
    lower.bind(call.inst, vec![d]);
    Ok(())
}

fn match_all<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let members = Some(lower.word_arg(call, 0)?);
    let value = lower.slot(call.args[1])?;
    let result = lower.fresh_all(call.inst.ty())?;
    let also = result.get(1).map(|&slot| row(slot));
    lower.emit_vote(Vote { mode: VoteMode::MatchAll, members, value, d: result[0], also });
    lower.bind(call.inst, result);
    Ok(())
}

/// The lowest active lane is elected; the manual leaves the choice open.
fn elect<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let members = lower.word_arg(call, 0)?;
    let result = lower.fresh_all(call.inst.ty())?;
    let lane = Slot::Word(lower.bit_row(BitOp::TrailingZeros, members));
    let own = lower.word();
    // The lanes meet, and their accesses stay unordered.
    let (value, d) = (Slot::Flag(lower.flag_of(true)), Slot::Word(lower.word()));
    let mode = VoteMode::Ballot;
    lower.emit_vote(Vote { mode, members: Some(members), value, d, also: None });
    lower.emit(Op::Special { what: Special::Lane, d: own });
    let chosen = lower.equal(32, lane, Slot::Word(own));
    lower.emit(Op::Copy { d: result[0], a: lane });
    lower.emit(Op::Copy { d: result[1], a: Slot::Flag(chosen) });
    lower.bind(call.inst, result);
    Ok(())
}

impl Lower<'_> {
    fn bit_row(&mut self, op: BitOp, a: RowId) -> RowId {
        let d = self.word();
        self.emit(Op::Bit { op, wide: false, d, a });
        d
    }
}

fn minimum<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    if call.has("xorsign") {
        return Err(SimError::unsupported(format!("a call of `{}`", call.name)));
    }
    let least = call.name.starts_with("llvm.nvvm.fmin");
    let op = match (least, call.has("nan")) {
        (true, false) => Real2::MinNumber,
        (true, true) => Real2::Minimum,
        (false, false) => Real2::MaxNumber,
        (false, true) => Real2::Maximum,
    };
    let real = lower.real_of_call(call)?;
    lower.map2(call.inst, |lower, _, a, b| Ok(lower.real2(op, real, a, b)))
}

fn fused<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let real = lower.real_of_call(call)?;
    let then = if call.has("relu") {
        Some(Real1::Relu)
    } else if call.has("sat") {
        Some(Real1::Saturate)
    } else {
        None
    };
    lower.map3(call, |lower, a, b, c| {
        let res = lower.fma(real, a, b, c);
        Ok(then.map_or(res, |op| lower.real1(op, real, res)))
    })
}

/// `prmt.b32` in its default mode: every nibble of the selector names one of eight bytes, bit 3
/// asks for its sign instead.
fn permute_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let plain = call.words.is_empty() && call.args.len() == 3;
    let selector = if plain { lower.immediate(call, 2)? } else { 1 << 3 };
    if selector & 0x8888 != 0 {
        return Err(SimError::unsupported(format!("this form of `{}`", call.name)));
    }
    let (a, b) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let bytes = lower.repack(&[a, b], &[32, 32], &[Scalar::Int(8); 8]);
    let picked: Vec<Slot> = (0..4).map(|i| bytes[(selector >> (4 * i) & 7) as usize]).collect();
    let res = lower.repack(&picked, &[8; 4], &[Scalar::Int(32)]);
    lower.bind(call.inst, res);
    Ok(())
}

fn rounding(call: &Call<'_>) -> Rounding {
    for (word, rounding) in [
        ("rz", Rounding::Zero),
        ("rm", Rounding::Down),
        ("rp", Rounding::Up),
        ("rna", Rounding::Away),
    ] {
        if call.has(word) {
            return rounding;
        }
    }
    Rounding::Nearest
}

fn to_int<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let real = lower.real_of_call(call)?;
    let bits = lower.element_bits_of(call.inst.ty())?;
    let signed = !call.name.split('.').any(|word| word.contains("2u"));
    let round = rounding(call);
    lower.map1(call.inst, |lower, a| Ok(lower.int_of_real(signed, real, round, bits, a)))
}

fn convert<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let from = lower.real_of_call(call)?;
    let to = match lower.element_scalar(call.inst.ty())? {
        Scalar::Real(real) => real,
        _ if call.name.contains("bf16") => Real::Bf16,
        _ => Real::F16,
    };
    let (round, relu, finite) = (rounding(call), call.has("relu"), call.has("satfinite"));
    lower.map1(call.inst, |lower, a| Ok(lower.convert_fully(from, to, round, finite, relu, a)))
}

impl Lower<'_> {
    /// A conversion with everything that `cvt` can add to it.
    pub(super) fn convert_fully(
        &mut self,
        from: Real,
        to: Real,
        round: Rounding,
        finite: bool,
        relu: bool,
        a: Slot,
    ) -> Slot {
        let a = if relu { self.real1(Real1::Relu, from, a) } else { a };
        let d = self.fresh(Scalar::Real(to));
        self.emit(Op::Convert { from, to, round, finite, d: row(d), a: row(a) });
        d
    }
}

/// Two sources in one register: the first goes to the upper half.
fn convert_pair<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let from = lower.real_of(call.args[0].ty())?;
    let (to, finite) = match call.name.split('.').nth(2) {
        Some("ff2bf16x2") => (Real::Bf16, call.has("satfinite")),
        Some("ff2f16x2") => (Real::F16, call.has("satfinite")),
        _ if call.name.contains("e4m3x2") => (Real::E4m3, true),
        _ => (Real::E5m2, true),
    };
    let (round, relu) = (rounding(call), call.has("relu"));
    let (high, low) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let high = lower.convert_fully(from, to, round, finite, relu, high);
    let low = lower.convert_fully(from, to, round, finite, relu, low);
    lower.bind_packed(call, &[low, high], to)
}

impl<'m> Lower<'m> {
    /// Binds packed reals to whatever type the intrinsic returns.
    fn bind_packed(&mut self, call: &Call<'m>, slots: &[Slot], real: Real) -> Result<(), SimError> {
        let width = self.width(Scalar::Real(real));
        let leaves = self.leaves(call.inst.ty())?;
        let wanted: Vec<Scalar> = leaves.iter().map(|leaf| leaf.scalar).collect();
        let widths = vec![width; slots.len()];
        let res = self.repack(slots, &widths, &wanted);
        self.bind(call.inst, res);
        Ok(())
    }
}

fn narrow_halves<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let to = if call.name.contains("e4m3x2") { Real::E4m3 } else { Real::E5m2 };
    let relu = call.has("relu");
    let halves = lower.slots(call.args[0])?;
    let bytes: Vec<Slot> = halves
        .iter()
        .map(|&half| lower.convert_fully(Real::F16, to, Rounding::Nearest, true, relu, half))
        .collect();
    lower.bind_packed(call, &bytes, to)
}

fn widen_bytes<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let from = if call.name.contains("e4m3x2") { Real::E4m3 } else { Real::E5m2 };
    let relu = call.has("relu");
    let packed = lower.slot(call.args[0])?;
    let bytes = lower.repack(&[packed], &[16], &[Scalar::Int(8); 2]);
    let halves: Vec<Slot> = bytes
        .iter()
        .map(|&byte| {
            let half = lower.convert(from, Real::F16, Rounding::Nearest, byte);
            if relu { lower.real1(Real1::Relu, Real::F16, half) } else { half }
        })
        .collect();
    lower.bind_packed(call, &halves, Real::F16)
}

fn exit<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::Return);
    Ok(())
}

fn is_space<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    use super::super::bytecode::Space;
    let space = match call.name.rsplit('.').next() {
        Some("shared") => Space::Shared,
        Some("local") => Space::Local,
        _ => Space::Global,
    };
    let (d, a) = (lower.flag(), row(lower.slot(call.args[0])?));
    lower.emit(Op::IsSpace { space, d, a });
    lower.bind(call.inst, vec![Slot::Flag(d)]);
    Ok(())
}

fn reflect<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let zero = lower.word_of(0);
    lower.bind(call.inst, vec![Slot::Word(zero)]);
    Ok(())
}

fn print<'m>(lower: &mut Lower<'m>, call: &Call<'m>) -> Result<(), SimError> {
    let (format, args) = (lower.slot(call.args[0])?, lower.slot(call.args[1])?);
    let d = Slot::Word(lower.word());
    let table = lower.code.prints.len() as u32;
    lower.code.prints.push(Print { format, args, d });
    lower.emit(Op::Print { table });
    lower.bind(call.inst, vec![d]);
    Ok(())
}

fn assert_failed<'m>(lower: &mut Lower<'m>, _: &Call<'m>) -> Result<(), SimError> {
    lower.emit(Op::Trap { why: Trap::Assert });
    Ok(())
}
