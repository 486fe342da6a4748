//! AMD: what only AMDGCN has. Sources: LLVM 22, "User Guide for AMDGPU Backend"; CDNA3 and CDNA4 ISA.

mod buffer;
mod cluster;
mod dma;
mod engine;
mod mfma;
mod sync;

use inkwell::AtomicOrdering;
use inkwell::FloatPredicate;
use inkwell::attributes::AttributeLoc;
use inkwell::module::Module;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{BasicValue as _, FloatValue, FunctionValue, IntValue, PointerValue};
use tile_language::op::memory::{Cache, Evict, Scope};
use tile_language::target::Target;
use tile_language::target::mma::MatrixId;

use super::matrix::WarpGroups;
use super::{Approx, Chip, CopyConditions, Hints, InFlight, Meeting, Resource};
use crate::emit::{Emit, Val, vector_type, width};
use crate::lower::Hook;
use buffer::RESOURCE_BYTES;

/// LLVM's calling convention of an AMDGPU kernel.
const AMDGPU_KERNEL: u32 = 91;
/// The attribute that keeps values out of accumulation registers, a second file as large as the first. Moving values
/// between the two costs instructions, so it is for kernels that the first file does not hold.
const ONE_FILE: &str = "amdgpu-agpr-alloc";
/// The `ds_swizzle_b32` offset that keeps all five lane bits and flips none.
const SWIZZLE_KEEP: u32 = 0x1f;
/// Where the flipped bits stand in that offset.
const SWIZZLE_XOR_SHIFT: u32 = 10;

/// AMD's half of the lowering.
pub(super) struct Amdgcn {
    pub(super) target: &'static Target,
}

/// The DPP control that reads the lane whose number differs by `mask`, if there is one on CDNA.
///
/// `quad_perm` within four lanes; in a row of 16, a rotation by 8 and the two mirrors.
fn dpp_xor(mask: u32) -> Option<u32> {
    match mask {
        1 => Some(0xb1),
        2 => Some(0x4e),
        3 => Some(0x1b),
        7 => Some(0x141),
        8 => Some(0x128),
        15 => Some(0x140),
        _ => None,
    }
}

impl Amdgcn {
    fn id<'c>(&self, emit: &Emit<'c>, name: &str) -> IntValue<'c> {
        emit.intrinsic(name, &[], &[]).expect("an id has a value").into_int_value()
    }

    fn lane<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        let all = emit.int(u32::MAX).into();
        let low = emit
            .intrinsic("llvm.amdgcn.mbcnt.lo", &[], &[all, emit.int(0).into()])
            .expect("it has a value");
        emit.intrinsic("llvm.amdgcn.mbcnt.hi", &[], &[all, low])
            .expect("it has a value")
            .into_int_value()
    }

    /// The lane's number, computed once.
    fn own_lane<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        emit.at_head(|| self.lane(emit))
    }

    /// `v_rsq_f32` takes subnormals for zero: they are scaled up by 2^24, the result up by 2^12.
    fn rsqrt<'c>(&self, emit: &Emit<'c>, x: FloatValue<'c>) -> FloatValue<'c> {
        let tiny = emit.fcmp(FloatPredicate::OLT, x, emit.real(x, f64::from(f32::MIN_POSITIVE)));
        let scaled = emit.fmul(x, emit.real(x, 16_777_216.0));
        let root = emit.float_intrinsic("llvm.amdgcn.rsq", &[emit.select_float(tiny, scaled, x)]);
        emit.select_float(tiny, emit.fmul(root, emit.real(x, 4096.0)), root)
    }

    /// `v_sin_f32` and `v_cos_f32` take revolutions.
    fn circular<'c>(&self, emit: &Emit<'c>, name: &str, x: FloatValue<'c>) -> FloatValue<'c> {
        let revolutions = emit.fmul(x, emit.real(x, std::f64::consts::FRAC_1_PI / 2.0));
        emit.float_intrinsic(name, &[revolutions])
    }
}

impl Chip for Amdgcn {
    fn triple(&self) -> &'static str {
        "amdgcn-amd-amdhsa"
    }

    fn cpu(&self) -> &'static str {
        self.target.name
    }

    fn features(&self, _: &[MatrixId]) -> &'static str {
        ""
    }

    fn static_shared_bytes_max(&self) -> u32 {
        self.target.smem_block_bytes_max
    }

    fn declare_kernel(&self, emit: &Emit<'_>, threads: u32, _start_regs: Option<u32>) {
        emit.function.set_call_conventions(AMDGPU_KERNEL);
        emit.attribute("amdgpu-flat-work-group-size", &format!("{threads},{threads}"));
        emit.attribute("uniform-work-group-size", "true");
        // The meaning of some intrinsics depends on it: which kind of f8 they multiply.
        emit.attribute("target-cpu", self.target.name);
        emit.attribute(ONE_FILE, "0,0");
        emit.known_attribute(AttributeLoc::Function, "nounwind", 0);
    }

    fn widen_registers(&self, function: FunctionValue<'_>) -> bool {
        let is_kept = function.get_string_attribute(AttributeLoc::Function, ONE_FILE).is_some();
        function.remove_string_attribute(AttributeLoc::Function, ONE_FILE);
        is_kept
    }

    fn thread<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        self.id(emit, "llvm.amdgcn.workitem.id.x")
    }

    fn block_id<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c> {
        let axis = ["x", "y", "z"][axis as usize];
        self.id(emit, &format!("llvm.amdgcn.workgroup.id.{axis}"))
    }

    fn num_blocks<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c> {
        // The hidden arguments begin with the three block counts (code object V5 and later).
        let hidden = emit
            .intrinsic("llvm.amdgcn.implicitarg.ptr", &[], &[])
            .expect("it has a value")
            .into_pointer_value();
        let at = emit.offset(emit.i32().into(), hidden, emit.int(axis));
        let count = emit.load(emit.i32().into(), at, 4);
        emit.mark(count, "invariant.load");
        count.into_int_value()
    }

    fn shuffle_xor<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, mask: u32) -> IntValue<'c> {
        if let Some(control) = dpp_xor(mask) {
            let all = emit.int(0xf).into();
            let args = [
                word.into(),
                word.into(),
                emit.int(control).into(),
                all,
                all,
                emit.bool(true).into(),
            ];
            let moved = emit.intrinsic("llvm.amdgcn.update.dpp", &[emit.i32().into()], &args);
            return moved.expect("it has a value").into_int_value();
        }
        if mask <= SWIZZLE_KEEP {
            let pattern = emit.int(SWIZZLE_KEEP | (mask << SWIZZLE_XOR_SHIFT));
            let moved =
                emit.intrinsic("llvm.amdgcn.ds.swizzle", &[], &[word.into(), pattern.into()]);
            return moved.expect("it has a value").into_int_value();
        }
        let lane = emit.at_head(|| emit.xor(self.lane(emit), emit.int(mask)));
        self.shuffle(emit, word, lane)
    }

    fn shuffle<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, lane: IntValue<'c>) -> IntValue<'c> {
        let address = emit.shl(lane, emit.int(2));
        let moved = emit.intrinsic("llvm.amdgcn.ds.bpermute", &[], &[address.into(), word.into()]);
        moved.expect("it has a value").into_int_value()
    }

    fn first_lane<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c> {
        emit.int_intrinsic("llvm.amdgcn.readfirstlane", &[word])
    }

    fn uniform<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c> {
        self.first_lane(emit, word)
    }

    fn barrier(&self, emit: &Emit<'_>, _meeting: Meeting) {
        // `s_barrier` waits for no memory: only the fences around it order what was written.
        emit.fence(AtomicOrdering::Release, "workgroup");
        emit.intrinsic("llvm.amdgcn.s.barrier", &[], &[]);
        emit.fence(AtomicOrdering::Acquire, "workgroup");
    }

    fn warp_barrier(&self, emit: &Emit<'_>) {
        emit.fence(AtomicOrdering::Release, "wavefront");
        emit.intrinsic("llvm.amdgcn.wave.barrier", &[], &[]);
        emit.fence(AtomicOrdering::Acquire, "wavefront");
    }

    fn resource_bytes_max(&self) -> u64 {
        RESOURCE_BYTES.into()
    }

    fn resource<'c>(&self, emit: &Emit<'c>, base: PointerValue<'c>) -> Resource<'c> {
        buffer::resource(emit, base)
    }

    fn load_or_zeros<'c>(
        &self,
        emit: &Emit<'c>,
        ty: BasicTypeEnum<'c>,
        from: PointerValue<'c>,
        align: u32,
        mask: IntValue<'c>,
        resource: Option<Resource<'c>>,
    ) -> Option<Val<'c>> {
        let bounded = resource.and_then(|it| buffer::load(emit, ty, from, mask, it));
        Some(bounded.unwrap_or_else(|| {
            let from = buffer::address_or_zeros(emit, self.own_lane(emit), from, mask);
            emit.load(ty, from, align)
        }))
    }

    fn store_where<'c>(
        &self,
        emit: &Emit<'c>,
        value: Val<'c>,
        to: PointerValue<'c>,
        mask: IntValue<'c>,
        resource: Option<Resource<'c>>,
    ) -> bool {
        resource.is_some_and(|it| buffer::store(emit, value, to, mask, it))
    }

    fn start_copy<'c>(
        &self,
        emit: &Emit<'c>,
        to: PointerValue<'c>,
        from: PointerValue<'c>,
        bytes: u32,
        conditions: CopyConditions<'c>,
    ) {
        let from = match conditions.mask {
            Some(mask) => buffer::address_or_zeros(emit, self.own_lane(emit), from, mask),
            None => from,
        };
        match conditions.when {
            Some(when) => emit.when(when, || dma::start(emit, to, from, bytes)),
            None => dma::start(emit, to, from, bytes),
        }
    }

    fn load_matrices<'c>(
        &self,
        _emit: &Emit<'c>,
        _from: PointerValue<'c>,
        _count: u32,
        _transposed: bool,
    ) -> Vec<IntValue<'c>> {
        unreachable!("no target of AMD has `ldmatrix`")
    }

    fn store_matrices<'c>(
        &self,
        _emit: &Emit<'c>,
        _to: PointerValue<'c>,
        _words: &[IntValue<'c>],
        _transposed: bool,
    ) {
        unreachable!("no target of AMD has `stmatrix`")
    }

    fn load_columns<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        element: BasicTypeEnum<'c>,
        n: u32,
    ) -> Vec<Val<'c>> {
        let column = vector_type(element, n);
        // The instruction for bytes gives two words.
        let (name, ty) = match width(element) {
            16 => ("llvm.amdgcn.ds.read.tr16.b64", vector_type(emit.int_type(16).into(), n)),
            _ => ("llvm.amdgcn.ds.read.tr8.b64", vector_type(emit.i32().into(), 2)),
        };
        let loaded = emit.intrinsic(name, &[ty], &[from.into()]).expect("a load has a value");
        emit.unpack(emit.bitcast(loaded, column), n as usize)
    }

    /// The hardware knows no groups.
    fn commit_copies(&self, _emit: &Emit<'_>) {}

    fn await_copies(&self, emit: &Emit<'_>, in_flight: Option<InFlight>) {
        dma::wait(emit, in_flight.map_or(0, |it| it.copies));
    }

    fn barrier_beside_copies(&self, emit: &Emit<'_>) {
        dma::barrier(emit);
    }

    fn mark_copies(&self, emit: &Emit<'_>) {
        dma::mark(emit);
    }

    fn warp_groups(&self) -> &dyn WarpGroups {
        unreachable!("no target of AMD has `wgmma`")
    }

    fn scope(&self, scope: Scope) -> &'static str {
        match scope {
            Scope::Block | Scope::Cluster => "workgroup",
            Scope::Device => "agent",
            Scope::System => "",
        }
    }

    fn approximate<'c>(
        &self,
        emit: &Emit<'c>,
        function: Approx,
        x: FloatValue<'c>,
    ) -> FloatValue<'c> {
        match function {
            // The generic functions are `v_exp_f32` and `v_log_f32` with the scaling that keeps subnormals.
            Approx::Exp2 => emit.float_intrinsic("llvm.exp2", &[x]),
            Approx::Log2 => emit.float_intrinsic("llvm.log2", &[x]),
            Approx::Rcp => emit.divide_within(emit.real(x, 1.0), x, 1.0),
            Approx::Rsqrt => self.rsqrt(emit, x),
            Approx::Sin => self.circular(emit, "llvm.amdgcn.sin", x),
            Approx::Cos => self.circular(emit, "llvm.amdgcn.cos", x),
        }
    }

    fn hinted_load<'c>(
        &self,
        emit: &Emit<'c>,
        ty: BasicTypeEnum<'c>,
        from: PointerValue<'c>,
        align: u32,
        hints: Hints,
    ) -> Val<'c> {
        let it = emit.load(ty, from, align);
        if is_streaming(hints) {
            emit.mark_nontemporal(it.as_instruction_value().expect("a load is an instruction"));
        }
        it
    }

    fn hinted_store<'c>(
        &self,
        emit: &Emit<'c>,
        value: Val<'c>,
        to: PointerValue<'c>,
        align: u32,
        hints: Hints,
    ) {
        let it = emit.store(value, to, align);
        if is_streaming(hints) {
            emit.mark_nontemporal(it);
        }
    }

    fn resolve_hooks<'c>(&self, module: &Module<'c>, hooks: &[Hook]) {
        super::hooks::through_trap(module, hooks);
    }
}

/// CDNA has one wish that both words come to: `nt`, not kept.
fn is_streaming(hints: Hints) -> bool {
    hints.cache == Cache::Streaming || hints.evict == Evict::First
}
