//! NVIDIA: what only PTX has. Sources: PTX ISA 9.0; LLVM 22, "User Guide for NVPTX Backend".

mod cluster;
mod engine;
mod mma;
mod sync;
mod wgmma;

use inkwell::attributes::AttributeLoc;
use inkwell::module::Module;
use inkwell::types::BasicTypeEnum;
use inkwell::values::{FloatValue, FunctionValue, IntValue, PointerValue};
use tile_language::op::memory::{Cache, Evict, Scope};
use tile_language::target::mma::MatrixId;
use tile_language::target::{Cap, Target};

use super::matrix::WarpGroups;
use super::{Approx, Chip, CopyConditions, Hints, InFlight, Meeting, Resource};
use crate::emit::{Emit, Val};
use crate::lower::Hook;

/// LLVM's calling convention of a PTX kernel.
const PTX_KERNEL: u32 = 71;
/// What a kernel can declare without asking the driver for more (CUDA C++ Programming Guide,
/// "Features and Technical Specifications").
const STATIC_SHARED_BYTES_MAX: u32 = 48 * 1024;
/// The mask of `shfl.sync` that names all lanes.
const ALL_LANES: u32 = u32::MAX;
/// The clamp of `shfl.sync` for a segment of the whole warp.
const WHOLE_WARP: u32 = 31;

/// NVIDIA's half of the lowering.
pub(super) struct Ptx {
    pub(super) target: &'static Target,
}

impl Ptx {
    fn register<'c>(&self, emit: &Emit<'c>, name: &str) -> IntValue<'c> {
        emit.intrinsic(name, &[], &[]).expect("a special register has a value").into_int_value()
    }

    fn shuffle_by<'c>(
        &self,
        emit: &Emit<'c>,
        name: &str,
        word: IntValue<'c>,
        selector: IntValue<'c>,
    ) -> IntValue<'c> {
        let args =
            [emit.int(ALL_LANES).into(), word.into(), selector.into(), emit.int(WHOLE_WARP).into()];
        emit.intrinsic(name, &[], &args).expect("a shuffle has a value").into_int_value()
    }
}

impl Chip for Ptx {
    fn triple(&self) -> &'static str {
        "nvptx64-nvidia-cuda"
    }

    fn cpu(&self) -> &'static str {
        self.target.name
    }

    fn features(&self, instructions: &[MatrixId]) -> &'static str {
        // `wgmma` of mixed integers came with 8.4 (PTX ISA 9.7.15.5, notes).
        let least = match self.target {
            it if it.has(Cap::Tcgen05) => 86,
            it if it.has(Cap::Wgmma) => 84,
            _ => 80,
        };
        match instructions.iter().map(|it| mma::version(it.row())).fold(least, u32::max) {
            80 => "+ptx80",
            84 => "+ptx84",
            86 => "+ptx86",
            _ => "+ptx87",
        }
    }

    fn static_shared_bytes_max(&self) -> u32 {
        STATIC_SHARED_BYTES_MAX
    }

    fn declare_kernel(&self, emit: &Emit<'_>, threads: u32, start_regs: Option<u32>) {
        emit.function.set_call_conventions(PTX_KERNEL);
        emit.attribute("nvvm.reqntid", &format!("{threads},1,1"));
        if let Some(regs) = start_regs {
            emit.attribute("nvvm.maxnreg", &regs.min(self.target.regs_thread_max).to_string());
        }
        emit.known_attribute(AttributeLoc::Function, "nounwind", 0);
    }

    fn widen_registers(&self, _function: FunctionValue<'_>) -> bool {
        false
    }

    fn thread<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        self.register(emit, "llvm.nvvm.read.ptx.sreg.tid.x")
    }

    fn block_id<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c> {
        let axis = ["x", "y", "z"][axis as usize];
        self.register(emit, &format!("llvm.nvvm.read.ptx.sreg.ctaid.{axis}"))
    }

    fn num_blocks<'c>(&self, emit: &Emit<'c>, axis: u32) -> IntValue<'c> {
        let axis = ["x", "y", "z"][axis as usize];
        self.register(emit, &format!("llvm.nvvm.read.ptx.sreg.nctaid.{axis}"))
    }

    fn shuffle_xor<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, mask: u32) -> IntValue<'c> {
        self.shuffle_by(emit, "llvm.nvvm.shfl.sync.bfly.i32", word, emit.int(mask))
    }

    fn shuffle<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>, lane: IntValue<'c>) -> IntValue<'c> {
        self.shuffle_by(emit, "llvm.nvvm.shfl.sync.idx.i32", word, lane)
    }

    fn first_lane<'c>(&self, emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c> {
        self.shuffle(emit, word, emit.int(0))
    }

    fn uniform<'c>(&self, _emit: &Emit<'c>, word: IntValue<'c>) -> IntValue<'c> {
        word
    }

    fn barrier(&self, emit: &Emit<'_>, meeting: Meeting) {
        match meeting {
            Meeting::Block => {
                emit.intrinsic(
                    "llvm.nvvm.barrier.cta.sync.aligned.all",
                    &[],
                    &[emit.int(0).into()],
                );
            }
            Meeting::Warp => self.warp_barrier(emit),
            Meeting::Named { id, threads } => {
                let args = [emit.int(id).into(), emit.int(threads).into()];
                emit.intrinsic("llvm.nvvm.barrier.cta.sync.aligned.count", &[], &args);
            }
        }
    }

    fn warp_barrier(&self, emit: &Emit<'_>) {
        emit.intrinsic("llvm.nvvm.bar.warp.sync", &[], &[emit.int(ALL_LANES).into()]);
    }

    fn resource_bytes_max(&self) -> u64 {
        0
    }

    fn resource<'c>(&self, _emit: &Emit<'c>, _base: PointerValue<'c>) -> Resource<'c> {
        unreachable!("no size was offered")
    }

    /// Accesses are predicated: a short branch costs nothing.
    fn load_or_zeros<'c>(
        &self,
        _emit: &Emit<'c>,
        _ty: BasicTypeEnum<'c>,
        _from: PointerValue<'c>,
        _align: u32,
        _mask: IntValue<'c>,
        _resource: Option<Resource<'c>>,
    ) -> Option<Val<'c>> {
        None
    }

    fn store_where<'c>(
        &self,
        _emit: &Emit<'c>,
        _value: Val<'c>,
        _to: PointerValue<'c>,
        _mask: IntValue<'c>,
        _resource: Option<Resource<'c>>,
    ) -> bool {
        false
    }

    fn start_copy<'c>(
        &self,
        emit: &Emit<'c>,
        to: PointerValue<'c>,
        from: PointerValue<'c>,
        bytes: u32,
        conditions: CopyConditions<'c>,
    ) {
        // Sixteen bytes go past the first cache level, which nobody would look in again.
        let level = if bytes == 16 { "cg" } else { "ca" };
        let mut args: Vec<Val<'c>> = vec![to.into(), from.into()];
        let mut constraints = "r,l".to_owned();
        let mut place = |arg: IntValue<'c>| {
            args.push(arg.into());
            constraints += ",b";
            format!("${}", args.len() - 1)
        };
        let when = conditions.when.map_or(String::new(), |it| format!("@{} ", place(it)));
        // The predicate at the end says that the source is left alone.
        let ignores = conditions.mask.map(|it| emit.not(it));
        let ignores = ignores.map_or(String::new(), |it| format!(", {}", place(it)));
        let text = format!("{when}cp.async.{level}.shared.global [$0], [$1], {bytes}{ignores};");
        emit.assembly(text, constraints, None, &args);
    }

    fn load_matrices<'c>(
        &self,
        emit: &Emit<'c>,
        from: PointerValue<'c>,
        count: u32,
        transposed: bool,
    ) -> Vec<IntValue<'c>> {
        let order = if transposed { "trans." } else { "" };
        let name = format!("llvm.nvvm.ldmatrix.sync.aligned.m8n8.x{count}.{order}b16");
        let loaded = emit
            .intrinsic(&name, &[from.get_type().into()], &[from.into()])
            .expect("a load has a value");
        match count {
            1 => vec![loaded.into_int_value()],
            n => (0..n).map(|it| emit.field(loaded, it).into_int_value()).collect(),
        }
    }

    fn store_matrices<'c>(
        &self,
        emit: &Emit<'c>,
        to: PointerValue<'c>,
        words: &[IntValue<'c>],
        transposed: bool,
    ) {
        let order = if transposed { "trans." } else { "" };
        let name = format!("llvm.nvvm.stmatrix.sync.aligned.m8n8.x{}.{order}b16", words.len());
        let args: Vec<Val<'c>> =
            std::iter::once(to.into()).chain(words.iter().map(|&it| it.into())).collect();
        emit.intrinsic(&name, &[to.get_type().into()], &args);
    }

    fn load_columns<'c>(
        &self,
        _emit: &Emit<'c>,
        _from: PointerValue<'c>,
        _element: BasicTypeEnum<'c>,
        _n: u32,
    ) -> Vec<Val<'c>> {
        unreachable!("no target of NVIDIA has `ds_read_tr`")
    }

    fn commit_copies(&self, emit: &Emit<'_>) {
        emit.intrinsic("llvm.nvvm.cp.async.commit.group", &[], &[]);
    }

    fn await_copies(&self, emit: &Emit<'_>, in_flight: Option<InFlight>) {
        match in_flight.map(|it| emit.int(it.groups).into()) {
            Some(n) => emit.intrinsic("llvm.nvvm.cp.async.wait.group", &[], &[n]),
            None => emit.intrinsic("llvm.nvvm.cp.async.wait.all", &[], &[]),
        };
    }

    fn barrier_beside_copies(&self, emit: &Emit<'_>) {
        self.barrier(emit, Meeting::Block);
    }

    fn mark_copies(&self, _emit: &Emit<'_>) {}

    fn warp_groups(&self) -> &dyn WarpGroups {
        self
    }

    fn scope(&self, scope: Scope) -> &'static str {
        match scope {
            Scope::Block => "block",
            Scope::Cluster if self.target.has(Cap::Cluster) => "cluster",
            // Without clusters a cluster is the block itself.
            Scope::Cluster => "block",
            Scope::Device => "device",
            Scope::System => "",
        }
    }

    fn approximate<'c>(
        &self,
        emit: &Emit<'c>,
        function: Approx,
        x: FloatValue<'c>,
    ) -> FloatValue<'c> {
        let call = |name: &str| {
            emit.intrinsic(name, &[], &[x.into()]).expect("it has a value").into_float_value()
        };
        match function {
            Approx::Exp2 => emit.float_intrinsic("llvm.nvvm.ex2.approx", &[x]),
            Approx::Log2 => call("llvm.nvvm.lg2.approx.f"),
            Approx::Rcp => emit.approximate_divide(emit.real(x, 1.0), x),
            Approx::Rsqrt => call("llvm.nvvm.rsqrt.approx.f"),
            Approx::Sin => call("llvm.nvvm.sin.approx.f"),
            Approx::Cos => call("llvm.nvvm.cos.approx.f"),
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
        let Some(shape) = Words::of(ty) else { return emit.load(ty, from, align) };
        let regs: Vec<String> = (0..shape.n).map(|it| format!("${it}")).collect();
        let text = format!(
            "ld.global{}{} {}, [${}];",
            modifier(hints, "ca"),
            shape.suffix(),
            shape.operand(&regs),
            shape.n
        );
        let results = vec![format!("={}", shape.constraint()); shape.n as usize].join(",");
        let word = emit.int_type(shape.bits);
        let result: BasicTypeEnum<'c> = match shape.n {
            1 => word.into(),
            n => emit.context.struct_type(&vec![word.into(); n as usize], false).into(),
        };
        let loaded = emit
            .assembly(text, format!("{results},l"), Some(result), &[from.into()])
            .expect("a load has a value");
        let words: Vec<Val<'c>> = match shape.n {
            1 => vec![loaded],
            n => (0..n).map(|it| emit.field(loaded, it)).collect(),
        };
        emit.bitcast(emit.pack(&words), ty)
    }

    fn hinted_store<'c>(
        &self,
        emit: &Emit<'c>,
        value: Val<'c>,
        to: PointerValue<'c>,
        align: u32,
        hints: Hints,
    ) {
        let Some(shape) = Words::of(value.get_type()) else {
            emit.store(value, to, align);
            return;
        };
        let regs: Vec<String> = (1..=shape.n).map(|it| format!("${it}")).collect();
        let text = format!(
            "st.global{}{} [$0], {};",
            modifier(hints, "wb"),
            shape.suffix(),
            shape.operand(&regs)
        );
        let operands = vec![shape.constraint(); shape.n as usize].join(",");
        let word: BasicTypeEnum<'c> = emit.int_type(shape.bits).into();
        let words = emit.bitcast(
            value,
            if shape.n == 1 { word } else { crate::emit::vector_type(word, shape.n) },
        );
        let mut args = vec![Val::from(to)];
        args.extend(emit.unpack(words, shape.n as usize));
        emit.assembly(text, format!("l,{operands}"), None, &args);
    }

    fn resolve_hooks<'c>(&self, module: &Module<'c>, hooks: &[Hook]) {
        super::hooks::through_vprintf(module, hooks);
    }
}

/// A value as the words of one access: `n` words of `bits` bits.
struct Words {
    n: u32,
    bits: u32,
}

impl Words {
    fn of(ty: BasicTypeEnum<'_>) -> Option<Words> {
        let bits = crate::emit::width(ty);
        match bits {
            16 | 32 | 64 => Some(Words { n: 1, bits }),
            128 => Some(Words { n: 4, bits: 32 }),
            _ => None,
        }
    }

    fn suffix(&self) -> String {
        if self.n == 1 {
            format!(".b{}", self.bits)
        } else {
            format!(".v{}.b{}", self.n, self.bits)
        }
    }

    fn operand(&self, regs: &[String]) -> String {
        if self.n == 1 { regs[0].clone() } else { format!("{{{}}}", regs.join(", ")) }
    }

    fn constraint(&self) -> &'static str {
        match self.bits {
            16 => "h",
            32 => "r",
            _ => "l",
        }
    }
}

/// The modifier of an access; an eviction priority and a cache operator exclude each other, and the
/// priority is the stronger wish.
fn modifier(hints: Hints, default: &'static str) -> String {
    match (hints.evict, hints.cache) {
        (Evict::First, _) => ".L1::evict_first".to_owned(),
        (Evict::Last, _) => ".L1::evict_last".to_owned(),
        (Evict::Normal, Cache::All) => format!(".{default}"),
        (Evict::Normal, Cache::Global) => ".cg".to_owned(),
        (Evict::Normal, Cache::Streaming) => ".cs".to_owned(),
    }
}
