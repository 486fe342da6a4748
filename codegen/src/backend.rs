//! LLVM's half: target machines, passes, and text or objects out of a module.
//!
//! The front end owns the optimisation; LLVM's passes clean up what the lowering repeats. The list
//! is short because compile time is a feature: the large pipelines buy nothing here.

use std::sync::Once;

use inkwell::OptimizationLevel;
use inkwell::context::Context;
use inkwell::llvm_sys::support::LLVMParseCommandLineOptions;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{
    CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple,
};
use tile_language::ir::Kernel;
use tile_language::target::{Target as Row, TargetId, Vendor};

use crate::chip::{self, Chip};
use crate::error::BuildError;
use crate::lower::{LowerOptions, Lowered, lower};

/// What runs between the lowering and the instruction selection.
const PASSES: &str = "function(sroa,early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,\
                      loop-mssa(licm),gvn,instcombine<no-verify-fixpoint>,simplifycfg,dce)";

/// Options of LLVM that exist only as options of its command line.
///
/// Shared addresses of PTX have 32 bits.
fn set_command_line() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let args = [c"tilec".as_ptr(), c"-nvptx-short-ptr".as_ptr()];
        // SAFETY: the strings live forever, and no target machine exists yet: every one is made
        // after this function.
        unsafe { LLVMParseCommandLineOptions(args.len() as i32, args.as_ptr(), std::ptr::null()) };
    });
}

fn initialize(vendor: Vendor) {
    static NVIDIA: Once = Once::new();
    static AMD: Once = Once::new();
    let config = InitializationConfig {
        asm_parser: false,
        disassembler: false,
        machine_code: true,
        ..Default::default()
    };
    match vendor {
        Vendor::Nvidia => NVIDIA.call_once(|| Target::initialize_nvptx(&config)),
        Vendor::Amd => AMD.call_once(|| Target::initialize_amd_gpu(&config)),
    }
}

fn machine(row: &Row, chip: &dyn Chip, features: &str) -> Result<TargetMachine, BuildError> {
    let triple = TargetTriple::create(chip.triple());
    let missing = |message: String| BuildError::NoBackend { target: row.name, message };
    let found = Target::from_triple(&triple).map_err(|it| missing(it.to_string()))?;
    let (level, relocations) = (OptimizationLevel::Default, RelocMode::PIC);
    found
        .create_target_machine(
            &triple,
            chip.cpu(),
            features,
            level,
            relocations,
            CodeModel::Default,
        )
        .ok_or_else(|| missing("it does not know the processor".to_owned()))
}

/// A code generator for one target.
pub struct Backend {
    pub(crate) chip: Box<dyn Chip>,
    target: &'static Row,
    /// For kernels that need no more than every kernel.
    machine: TargetMachine,
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backend").field("cpu", &self.chip.cpu()).finish_non_exhaustive()
    }
}

impl Backend {
    /// The code generator for a target.
    pub fn new(target: TargetId) -> Result<Backend, BuildError> {
        set_command_line();
        let row = target.row();
        initialize(row.vendor);
        let chip = chip::of(row);
        let machine = machine(row, &*chip, chip.features(&[]))?;
        Ok(Backend { chip, target: row, machine })
    }

    /// The optimised module of a kernel: what `sim` runs and what instruction selection gets.
    pub fn module<'c>(
        &self,
        context: &'c Context,
        kernel: &Kernel,
        options: LowerOptions,
    ) -> Result<Lowered<'c>, BuildError> {
        let lowered = lower(context, kernel, options);
        let row = kernel.target.row();
        if lowered.shared_bytes > row.smem_block_bytes_max {
            return Err(BuildError::SharedMemory {
                kernel: kernel.name.to_string(),
                bytes: lowered.shared_bytes,
                target: row.name,
                limit: row.smem_block_bytes_max,
            });
        }
        let module = &lowered.module;
        module.set_triple(&TargetTriple::create(self.chip.triple()));
        module.set_data_layout(&self.machine.get_target_data().get_data_layout());
        let rejected =
            |message: String| BuildError::Rejected { kernel: kernel.name.to_string(), message };
        module.verify().map_err(|it| rejected(it.to_string()))?;
        let options = PassBuilderOptions::create();
        module.run_passes(PASSES, &self.machine, options).map_err(|it| rejected(it.to_string()))?;
        Ok(lowered)
    }

    /// Puts what a device can do in the place of the hooks; the module is for a device from then on.
    pub(crate) fn resolve_hooks(&self, lowered: &Lowered<'_>) {
        self.chip.resolve_hooks(&lowered.module, &lowered.hooks);
    }

    /// Lets a kernel that spills use registers that it was kept from; whether there are some.
    pub(crate) fn widen_registers(&self, lowered: &Lowered<'_>, kernel: &str) -> bool {
        let function = lowered.module.get_function(kernel);
        function.is_some_and(|it| self.chip.widen_registers(it))
    }

    /// The module as assembly: PTX or AMDGCN.
    pub(crate) fn assembly(
        &self,
        lowered: &Lowered<'_>,
        kernel: &str,
    ) -> Result<String, BuildError> {
        let bytes = self.write(lowered, kernel, FileType::Assembly, "assembly")?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.trim_end_matches('\0').to_owned())
    }

    /// The module as an object.
    pub(crate) fn object(
        &self,
        lowered: &Lowered<'_>,
        kernel: &str,
    ) -> Result<Vec<u8>, BuildError> {
        self.write(lowered, kernel, FileType::Object, "an object")
    }

    fn write(
        &self,
        lowered: &Lowered<'_>,
        kernel: &str,
        file: FileType,
        form: &'static str,
    ) -> Result<Vec<u8>, BuildError> {
        // Code generation rewrites the module that it is given.
        let module = lowered.module.clone();
        let features = self.chip.features(&lowered.instructions);
        let special = if features == self.chip.features(&[]) {
            None
        } else {
            Some(machine(self.target, &*self.chip, features)?)
        };
        let machine = special.as_ref().unwrap_or(&self.machine);
        let buffer = machine.write_to_memory_buffer(&module, file).map_err(|it| {
            BuildError::Write { kernel: kernel.to_owned(), form, message: it.to_string() }
        })?;
        Ok(buffer.as_slice().to_vec())
    }
}
