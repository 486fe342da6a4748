//! Lowering: from tile IR to an LLVM module.
//!
//! # Idea
//! A tile becomes one LLVM value a register slot, a scalar one value. The program's structure
//! becomes basic blocks; where elements live becomes arithmetic on the thread's number
//! ([`index`]); a change of place becomes moves, shuffles or a trip through shared memory
//! ([`transfer`], [`shared`]). The families of operations are lowered in the files of their names.
//!
//! # Invariants
//! * W1: every instruction of the kernel is lowered once, in order, so that values are there when
//!   they are used (the verifier's V1).
//! * W2: all threads of a block take the same way through the control flow; what only some threads
//!   do is inside a branch that meets again at once and contains no barrier and no shuffle.
//! * W3: an element held by several threads has the same bits in all of them.
//!
//! Absent on purpose: optimisation (LLVM's passes are in [`crate::passes`]) and anything that
//! looks at a vendor (that is [`crate::chip`]).

mod approximate;
mod boxes;
mod cast;
mod cell;
mod cluster;
mod convert;
mod copy;
mod elementwise;
mod exact;
mod flights;
mod flow;
pub(crate) mod index;
mod memory;
mod mma;
mod order;
mod remainder;
mod roles;
mod shared;
mod sync;
mod tile;
mod transfer;
mod views;
mod wgmma;

use std::collections::HashMap;

use inkwell::attributes::AttributeLoc;
use inkwell::context::Context;
use inkwell::module::Module;
use inkwell::types::{BasicMetadataTypeEnum, BasicTypeEnum};
use inkwell::values::{IntValue, PointerValue};
use tile_language::analysis::meetings::{NamedBarrier, named_barriers};
use tile_language::analysis::{Facts, Mbarriers, Neighbours, RoleMap};
use tile_language::dtype::DType;
use tile_language::ir::{Elem, Inst, Kernel, Region, SiteId, Type, Value};
use tile_language::op::Op;
use tile_language::pass::{self, Allocation, Prepared};
use tile_language::target::mma::MatrixId;

use crate::chip::{self, Chip, Resource};
use crate::emit::{Emit, GLOBAL, Lines, Val};
use flights::Flights;
use order::GlobalOrder;
use roles::Team;
use shared::Scratch;
use views::Place;

/// What is lowered besides the kernel itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LowerOptions {
    /// Whether `assume` is tested, as the checked engines do; instructions have lines then.
    pub is_checked: bool,
    /// Whether every instruction has the number of its site, counted from 1, as its line.
    pub has_lines: bool,
    /// Whether the kernel has been prepared: waits and barriers are where they stand, and nowhere
    /// else. A test takes one away and sees what happens.
    pub is_prepared: bool,
}

/// A kernel as an LLVM module, before any pass.
#[derive(Debug)]
pub struct Lowered<'c> {
    /// The module; it has one function with a body, named as the kernel.
    pub module: Module<'c>,
    /// Calls to functions without a body, and what they stand for.
    pub hooks: Vec<Hook>,
    /// Bytes of shared memory of a block.
    pub shared_bytes: u32,
    /// Of those, what a launcher has to ask for: all of it where it is more than a kernel can
    /// declare, otherwise 0.
    pub dynamic_shared_bytes: u32,
    /// How wide the accesses to global memory are.
    pub accesses: Vec<AccessWidth>,
    /// The matrix instructions, each once.
    pub instructions: Vec<MatrixId>,
}

/// A call that an engine understands by the function's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// The function that is called.
    pub function: String,
    /// What the call means.
    pub kind: HookKind,
    /// Where it was written.
    pub site: SiteId,
}

/// What the call of a hook means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HookKind {
    /// Writes a line; every operand is the bits of a number of that type, zero-extended to 64.
    /// Floats narrower than `f64` come as `f64`, integers sign- or zero-extended.
    Print {
        /// One more piece than operands.
        pieces: Vec<String>,
        /// Types of the operands as written.
        dtypes: Vec<DType>,
    },
    /// The thread that calls it found an assertion violated.
    Assert {
        /// What is said.
        message: String,
    },
    /// The thread that calls it found an assumption violated.
    Assume,
    /// The thread that calls it takes a slice of a view that begins, at its operand, where none can.
    Slice {
        /// The dimension.
        axis: u32,
        /// Of the view.
        extent: u32,
        /// Of the slice.
        len: u32,
        /// What divides the beginning.
        unit: u32,
    },
}

/// The width of one access to global memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccessWidth {
    /// The load or store.
    pub site: SiteId,
    /// Bytes that one thread moves at once.
    pub bytes: u32,
    /// How many such accesses a thread makes.
    pub n_accesses: u32,
}

/// The lowering of one kernel.
pub(crate) struct Lower<'a, 'c> {
    pub(crate) kernel: &'a Kernel,
    pub(crate) emit: Emit<'c>,
    pub(crate) chip: Box<dyn Chip>,
    pub(crate) lanes: u32,
    options: LowerOptions,
    lines: Option<Lines<'c>>,
    values: Vec<Option<Vec<Val<'c>>>>,
    /// The threads that run the code at hand.
    team: Team,
    mbarriers: Mbarriers,
    named_barriers: Vec<NamedBarrier>,
    /// What blocks reach of each other.
    neighbours: Neighbours,
    thread: Option<IntValue<'c>>,
    /// Those of a warp's first thread, which all its threads have in one register.
    warp_functions: HashMap<Vec<u32>, IntValue<'c>>,
    thread_functions: HashMap<Vec<u32>, IntValue<'c>>,
    scratch: Scratch<'c>,
    allocation: &'a Allocation,
    /// Instructions begun, in order of the text.
    n_insts: usize,
    /// The number of this one.
    inst: usize,
    /// Regions of scratch that it has taken.
    n_scratch_uses: usize,
    places: HashMap<Value, Place<'c>>,
    /// What bounds a tensor, by its number.
    resources: HashMap<u32, Resource<'c>>,
    order: GlobalOrder,
    /// What waits leave in flight, if the kernel has copies that whole warps start.
    flights: Option<Flights>,
    uses: tile::Uses,
    facts: Facts,
    hooks: Vec<Hook>,
    accesses: Vec<AccessWidth>,
    instructions: Vec<MatrixId>,
}

/// Lowers a kernel that the verifier accepts.
pub fn lower<'c>(context: &'c Context, kernel: &Kernel, options: LowerOptions) -> Lowered<'c> {
    let Prepared { kernel, allocation, .. } = &if options.is_prepared {
        let allocation = Allocation::of(kernel);
        Prepared { kernel: kernel.clone(), allocation, placed: Vec::new() }
    } else {
        pass::prepare(kernel)
    };
    let target = kernel.target.row();
    let chip = chip::of(target);
    let module = context.create_module(&kernel.name);
    let params: Vec<BasicMetadataTypeEnum<'c>> =
        kernel.body.params.iter().map(|&it| param_type(context, kernel.ty(it)).into()).collect();
    let function =
        module.add_function(&kernel.name, context.void_type().fn_type(&params, false), None);
    let emit = Emit::new(context, module, function);
    chip.declare_kernel(&emit, kernel.warps * target.lanes, start_regs(kernel));
    if !kernel.plan.cluster.is_empty() {
        chip.declare_cluster(&emit, kernel.plan.cluster_extents());
    }
    emit.attribute("target-cpu", chip.cpu());
    let facts = Facts::of(kernel);
    let warps_of = roles::warps_of(kernel);
    let mut lower = Lower {
        kernel,
        scratch: Scratch::new(&emit),
        allocation,
        n_insts: 0,
        inst: 0,
        n_scratch_uses: 0,
        places: HashMap::new(),
        resources: HashMap::new(),
        emit,
        chip,
        lanes: target.lanes,
        lines: None,
        options,
        values: vec![None; kernel.values.len()],
        team: Team::block(kernel.warps),
        mbarriers: Mbarriers::of(kernel),
        named_barriers: named_barriers(kernel),
        neighbours: Neighbours::of(kernel),
        thread: None,
        warp_functions: HashMap::new(),
        thread_functions: HashMap::new(),
        order: GlobalOrder::new(kernel, |it| {
            index::Spread::of(kernel.ty(it), target.lanes, warps_of(it)).is_held_once()
        }),
        flights: Flights::of(kernel, &facts),
        uses: tile::Uses::of(kernel),
        facts,
        hooks: Vec::new(),
        accesses: Vec::new(),
        instructions: Vec::new(),
    };
    if options.is_checked || options.has_lines {
        lower.lines = Some(lower.emit.lines(&kernel.name));
    }
    lower.bind_params();
    lower.declare_maps();
    lower.init_barriers();
    lower.open_cluster();
    lower.region(&kernel.body);
    lower.close_cluster();
    if lower.flights.is_some() {
        lower.chip.mark_copies(&lower.emit);
    }
    if let Some(lines) = &lower.lines {
        Emit::finish_lines(lines);
    }
    let static_max = lower.chip.static_shared_bytes_max();
    lower.scratch.finish(&lower.emit, allocation, static_max);
    let shared_bytes = allocation.bytes;
    let dynamic_shared_bytes = if shared_bytes > static_max { shared_bytes } else { 0 };
    let (hooks, accesses, instructions) = (lower.hooks, lower.accesses, lower.instructions);
    let module = lower.emit.finish();
    Lowered { module, hooks, shared_bytes, dynamic_shared_bytes, accesses, instructions }
}

/// Registers that a thread starts with, if roles hand them to each other.
fn start_regs(kernel: &Kernel) -> Option<u32> {
    let (_, roles) = kernel.roles()?;
    RoleMap::of(roles, kernel.warps, kernel.target.row()).start_regs
}

/// How a machine word of the kernel arrives: as it lies in memory.
fn param_type<'c>(context: &'c Context, ty: &Type) -> BasicTypeEnum<'c> {
    match ty.elem {
        Elem::Data(DType::Bool) => context.i8_type().into(),
        elem => element_type(context, elem),
    }
}

/// The type of an element in a register.
pub(crate) fn element_type<'c>(context: &'c Context, elem: Elem) -> BasicTypeEnum<'c> {
    let dtype = match elem {
        Elem::Data(dtype) => dtype,
        // Where the launch has put it.
        Elem::Map => return context.ptr_type(inkwell::AddressSpace::default()).into(),
        Elem::Pointer(_) | Elem::Shared(_) | Elem::Barrier => {
            return context.ptr_type(inkwell::AddressSpace::from(GLOBAL)).into();
        }
    };
    match dtype {
        DType::Bool => context.bool_type().into(),
        DType::I8 | DType::U8 => context.i8_type().into(),
        DType::I16 | DType::U16 => context.i16_type().into(),
        DType::I32 | DType::U32 => context.i32_type().into(),
        DType::I64 | DType::U64 => context.i64_type().into(),
        DType::F16 => context.f16_type().into(),
        DType::Bf16 => context.bf16_type().into(),
        DType::Tf32 | DType::F32 => context.f32_type().into(),
        DType::F64 => context.f64_type().into(),
        // The small formats have no arithmetic of their own: they are kept as their bits.
        DType::F8E4M3
        | DType::F8E5M2
        | DType::F8E4M3Fnuz
        | DType::F8E5M2Fnuz
        | DType::F6E2M3
        | DType::F6E3M2
        | DType::F4E2M1
        | DType::F8E8M0 => context.i8_type().into(),
    }
}

impl<'c> Lower<'_, 'c> {
    fn bind_params(&mut self) {
        for (at, &param) in self.kernel.body.params.iter().enumerate() {
            let raw = self
                .emit
                .function
                .get_nth_param(at as u32)
                .expect("V8: a parameter a machine word");
            let name = &self.kernel.values[param.0 as usize].name;
            raw.set_name(name);
            if let Elem::Pointer(_) = self.kernel.ty(param).elem {
                // What a raw pointer points to may be reached through others and written.
                let tensor = self.kernel.tensors.iter().find(|it| it.base == param);
                if let Some(tensor) = tensor
                    && !tensor.optional
                {
                    let at = AttributeLoc::Param(at as u32);
                    self.emit.known_attribute(at, "align", u64::from(tensor.align.max(1)));
                    if !tensor.mutable {
                        self.emit.known_attribute(at, "readonly", 0);
                    }
                }
            }
            let wanted = self.register_type(param);
            let value = self.emit.at_head(|| self.loaded_as(raw, wanted));
            self.set(param, vec![value]);
        }
    }

    /// Lowers the instructions of a region; its yields are then defined.
    pub(crate) fn region(&mut self, region: &Region) {
        for inst in &region.insts {
            (self.inst, self.n_scratch_uses) = (self.n_insts, 0);
            self.n_insts += 1;
            self.inst(inst);
        }
    }

    fn inst(&mut self, inst: &Inst) {
        if let Some(lines) = &self.lines {
            self.emit.at_line(lines, inst.site.0 + 1);
        }
        match &inst.op {
            Op::Flow(op) => self.flow(op, inst),
            Op::Tile(op) => self.tile(op, inst),
            Op::Memory(op) => self.memory(op, inst),
            Op::Shared(op) => self.shared(op, inst),
            Op::Copy(op) => self.copy(op, inst),
            Op::Sync(op) => self.sync(op, inst),
            Op::Mma(op) => self.mma(op, inst),
        }
    }

    /// The slots of a value.
    pub(crate) fn get(&self, value: Value) -> Vec<Val<'c>> {
        self.values[value.0 as usize].clone().expect("V1: a value is defined before its uses")
    }

    /// The only slot of a scalar.
    pub(crate) fn scalar(&self, value: Value) -> Val<'c> {
        self.get(value)[0]
    }

    /// Defines a value.
    pub(crate) fn set(&mut self, value: Value, slots: Vec<Val<'c>>) {
        self.values[value.0 as usize] = Some(slots);
    }

    /// The type of a value's elements in registers.
    pub(crate) fn register_type(&self, value: Value) -> BasicTypeEnum<'c> {
        element_type(self.emit.context, self.kernel.ty(value).elem)
    }

    /// The element type of a value that is no pointer.
    pub(crate) fn dtype(&self, value: Value) -> DType {
        self.kernel.ty(value).elem.data().expect("V3: the operand is a number")
    }

    /// The number of this thread among those that run this code.
    pub(crate) fn thread(&mut self) -> IntValue<'c> {
        let (emit, chip, lanes) = (&self.emit, &self.chip, self.lanes);
        let Team { first_warp, warps, .. } = self.team;
        let is_block = !self.team.is_role();
        let number = || {
            let thread = chip.thread(emit);
            if is_block {
                thread
            } else if first_warp.is_multiple_of(warps) {
                emit.and(thread, emit.int(warps * lanes - 1))
            } else {
                emit.sub(thread, emit.int(first_warp * lanes))
            }
        };
        *self.thread.get_or_insert_with(|| emit.at_head(number))
    }

    /// Whether this is the thread that acts for them.
    pub(crate) fn is_first_thread(&mut self) -> IntValue<'c> {
        let thread = self.thread();
        self.emit.icmp(inkwell::IntPredicate::EQ, thread, self.emit.int(0))
    }

    /// The type in memory of what has this type in a register.
    pub(crate) fn memory_type(&self, ty: BasicTypeEnum<'c>) -> BasicTypeEnum<'c> {
        if ty == self.emit.i1().into() { self.emit.i8().into() } else { ty }
    }

    /// A value as it lies in memory.
    pub(crate) fn to_memory(&self, value: Val<'c>) -> Val<'c> {
        match value {
            Val::IntValue(it) if it.get_type() == self.emit.i1() => {
                self.emit.zext(it, self.emit.i8()).into()
            }
            other => other,
        }
    }

    /// What lay in memory as a value of that type; a `bool` is true if its byte is not zero.
    pub(crate) fn loaded_as(&self, value: Val<'c>, ty: BasicTypeEnum<'c>) -> Val<'c> {
        if ty == self.emit.i1().into() {
            self.emit.is_set(value.into_int_value()).into()
        } else {
            value
        }
    }

    /// Adds a hook and calls it with 64-bit operands.
    pub(crate) fn call_hook(
        &mut self,
        name: &str,
        kind: HookKind,
        site: SiteId,
        operands: &[Val<'c>],
    ) {
        let function = format!("tile_{name}_{}", self.hooks.len());
        self.emit.external(&function, None, operands);
        self.hooks.push(Hook { function, kind, site });
    }

    /// A pointer value out of a slot.
    pub(crate) fn pointer(value: Val<'c>) -> PointerValue<'c> {
        value.into_pointer_value()
    }
}
