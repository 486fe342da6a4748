//! The simulator: runs a lowered LLVM module and judges it.
//!
//! It interprets the module that goes to instruction selection, of NVPTX and AMDGPU kernels alike,
//! a warp of 32 or 64 lanes at a time. It shares nothing with the lowering: what an intrinsic means
//! comes from the vendors' manuals ([`table`]), so that a wrong shuffle, address or barrier shows
//! as a wrong result or a finding. Memory is checked (bounds, alignment, reads of what nobody
//! wrote, races by vector clocks), and because every address passes by, what the hardware would do
//! for it is counted.
//!
//! # How it works
//! [`translate`] turns the LLVM function into flat operations over rows of lanes ([`bytecode`]);
//! [`exec`] runs them for one warp; [`schedule`] gives warps their turns, in an order that the seed
//! decides.
//!
//! # Not seen
//! Instruction selection, register allocation, the vendor's assembler, waits that the back end
//! inserts. Approximate functions differ from the device's in the last bits; `contract` is not
//! acted on.

mod bytecode;
mod count;
mod error;
mod exec;
mod fragment;
mod llvm;
mod mbarrier;
mod memory;
mod race;
mod schedule;
mod table;
mod translate;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::module::Module;

pub use bytecode::Space;
pub use count::{Cost, SiteCost, Way};
pub use error::{Kind, Place, SimError};

use bytecode::Code;
use count::Banks;
use tile_language::target::TargetId;
use tile_layout::banks::BankModel;

/// Who makes the target.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Vendor {
    /// NVPTX: 32 lanes that may run apart.
    Nvidia,
    /// AMDGPU: lanes in lock-step.
    Amd,
}

/// Lanes of a warp.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lanes {
    /// NVIDIA, and AMD's wave32.
    L32,
    /// AMD's wave64.
    L64,
}

/// Where lanes that diverged may meet again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Reconvergence {
    /// At the first block that both reach: what hardware usually does, and AMD always.
    #[default]
    Early,
    /// Only at operations that wait for other lanes: the least that NVIDIA promises.
    Late,
}

/// One argument of a kernel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Param {
    /// A number, zero-extended.
    Bits(u64),
    /// The address of a byte of a buffer.
    Buffer {
        /// Which of [`Launch::buffers`].
        index: usize,
        /// Bytes from its start.
        offset: u64,
    },
    /// The null pointer.
    Null,
    /// A struct, or what a `byval` parameter points at, as it lies in memory.
    Bytes(Vec<u8>),
    /// What a `byval` parameter points at: the tensor map of a tensor at the start of a buffer.
    Map {
        /// Which of [`Launch::buffers`].
        index: usize,
        /// Its sizes, strides and boxes.
        map: Box<tile_plan::BoundMap>,
    },
}

/// What to run a program on.
#[derive(Debug)]
pub struct Launch<'a> {
    /// Blocks along each axis.
    pub grid: [u32; 3],
    /// Threads of a block along each axis.
    pub threads: [u32; 3],
    /// Bytes of shared memory beyond what the kernel declares.
    pub dynamic_shared_bytes: u32,
    /// One for every parameter of the kernel.
    pub params: &'a [Param],
    /// Global memory.
    pub buffers: &'a mut [Vec<u8>],
    /// Buffers that hold nothing yet: reading what the kernel has not written is a finding.
    pub undefined: &'a [u32],
    /// Decides the order of warps.
    pub seed: u64,
    /// Whether to look for races.
    pub race_check: bool,
    /// Whether reading memory that nothing wrote is a finding.
    pub check_uninitialised: bool,
    /// Where lanes that diverged meet again.
    pub reconvergence: Reconvergence,
    /// Blocks that run at the same time.
    pub resident: u32,
    /// Operations of warps after which the launch is given up.
    pub steps_max: u64,
}

impl<'a> Launch<'a> {
    /// A launch with every check on, one block at a time.
    pub fn new(
        grid: [u32; 3],
        threads: [u32; 3],
        params: &'a [Param],
        buffers: &'a mut [Vec<u8>],
    ) -> Self {
        Launch {
            grid,
            threads,
            dynamic_shared_bytes: 0,
            params,
            buffers,
            undefined: &[],
            seed: 0,
            race_check: true,
            check_uninitialised: true,
            reconvergence: Reconvergence::Early,
            resident: 1,
            steps_max: 1 << 36,
        }
    }
}

/// A function without a body that the engine around the simulator understands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// The name of the function.
    pub function: String,
    /// Whether a call ends the launch: [`SimError::hook`] then says which it was.
    pub stops: bool,
}

/// One thread's call of a [`Hook`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HookReport {
    /// Which of the hooks.
    pub hook: usize,
    /// The block of the grid.
    pub block: [u32; 3],
    /// The thread in its block.
    pub thread: u32,
    /// The bits of every scalar that was passed.
    pub words: Vec<u64>,
}

/// What a run leaves behind besides the buffers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// What the kernel printed, a call of a lane each.
    pub printed: Vec<String>,
    /// Calls of hooks, in the order in which they happened.
    pub calls: Vec<HookReport>,
    /// What was counted, by name.
    pub counts: BTreeMap<String, u64>,
    /// What accesses to memory cost, by the line they came from.
    pub sites: Vec<SiteCost>,
}

/// A kernel, ready to run any number of times.
#[derive(Clone, Debug)]
pub struct Program {
    code: Code,
    kernel: String,
    vendor: Vendor,
    lanes: Lanes,
    banks: Banks,
    /// The function as text, for the places of findings.
    text: String,
}

/// How shared memory serves lanes on `cpu`: its row of the table of targets, or the model of most
/// targets with such warps.
fn bank_model(cpu: &str, lanes: u32) -> &'static BankModel {
    match TargetId::from_name(cpu) {
        Some(target) => &target.row().banks,
        None => BankModel::of_warp(lanes.ilog2()),
    }
}

impl Program {
    /// Translates the function `kernel` of `module` for warps of `lanes` lanes.
    pub fn translate(module: &Module<'_>, kernel: &str, lanes: Lanes) -> Result<Self, SimError> {
        Program::for_device(module, kernel, lanes, None, &[])
    }

    /// Like [`Program::translate`], for a module that calls `hooks`, on the processor `cpu` if the
    /// function does not name one itself.
    pub fn for_device(
        module: &Module<'_>,
        kernel: &str,
        lanes: Lanes,
        cpu: Option<&str>,
        hooks: &[Hook],
    ) -> Result<Self, SimError> {
        let reader = llvm::Reader::new(module);
        let triple = reader.triple();
        let vendor = match triple.split('-').next() {
            Some("nvptx64" | "nvptx") => Vendor::Nvidia,
            Some("amdgcn") => Vendor::Amd,
            _ => {
                let message = format!("a module for `{triple}`; `sim` runs nvptx64 and amdgcn");
                return Err(SimError::unsupported(message));
            }
        };
        let width = if lanes == Lanes::L32 { 32 } else { 64 };
        let function = reader.function(kernel);
        let named = function.and_then(|f| f.fn_attribute("target-cpu"));
        let cpu = named.as_deref().or(cpu).unwrap_or_default();
        let machine = translate::Machine { vendor, lanes: width, cpu };
        let code = translate::translate(reader, kernel, machine, hooks)?;
        let banks = Banks::new(bank_model(cpu, width), width);
        let text = function.map_or(String::new(), llvm::Value::print);
        Ok(Program { code, kernel: kernel.to_owned(), vendor, lanes, banks, text })
    }

    /// Like [`Program::translate`] for a module as text.
    pub fn from_text(text: &str, kernel: &str, lanes: Lanes) -> Result<Self, SimError> {
        let context = Context::create();
        let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "module");
        let module = context
            .create_module_from_ir(buffer)
            .map_err(|error| SimError::new(Kind::BadModule, error.to_string()))?;
        Program::translate(&module, kernel, lanes)
    }

    /// Runs every block of a launch to its end.
    pub fn run(&self, launch: Launch<'_>) -> Result<Report, SimError> {
        match self.lanes {
            Lanes::L32 => schedule::run::<32>(self, launch),
            Lanes::L64 => schedule::run::<64>(self, launch),
        }
    }

    /// The name of the kernel.
    pub fn kernel(&self) -> &str {
        &self.kernel
    }

    /// Bytes of shared memory that the kernel declares.
    pub fn shared_bytes(&self) -> u32 {
        self.code.shared_bytes
    }

    /// The instruction behind an operation.
    fn place(&self, pc: u32) -> Option<Place> {
        let origin = self.code.origins.get(pc as usize)?;
        let lines = self.text.lines().skip_while(|line| !line.starts_with("define"));
        let mut block = None;
        let mut index = 0;
        for line in lines.skip(1) {
            let starts = line.ends_with(':') || line.contains(": ") && !line.starts_with(' ');
            if starts && !line.is_empty() && !line.starts_with(' ') {
                block = Some(block.map_or(0, |b: u32| b + 1));
                index = 0;
            } else if line.starts_with("  ") && !line.trim_start().starts_with(['#', ';']) {
                let here = *block.get_or_insert(0);
                if here == origin.block && index == origin.instruction {
                    return Some(Place {
                        instruction: line.trim().to_owned(),
                        line: (origin.line != 0).then_some(origin.line),
                    });
                }
                index += 1;
            }
        }
        None
    }

    /// The debug line of an operation.
    fn line(&self, pc: u32) -> Option<u32> {
        self.code.origins.get(pc as usize).map(|it| it.line).filter(|&line| line != 0)
    }

    /// The instruction behind an operation, quoted, and its line.
    fn place_text(&self, pc: u32) -> String {
        let place = self.place(pc);
        place.map_or("`?`".to_owned(), |place| match place.line {
            Some(line) => format!("`{}` (line {line})", place.instruction),
            None => format!("`{}`", place.instruction),
        })
    }

    fn locate(&self, mut error: SimError, pc: u32) -> SimError {
        error.place = self.place(pc).map(Box::new);
        error
    }
}
