//! Everything that is made of a kernel for its target.

use inkwell::context::Context;
use tile_language::ir::Kernel;
use tile_language::target::Vendor;

use crate::assembler::{self, find_ptxas};
use crate::backend::Backend;
use crate::error::BuildError;
use crate::link::{self, find_lld};
use crate::lower::{LowerOptions, Lowered};
use crate::report::Resources;

/// What to make besides the assembly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CodeObject {
    /// A code object if the tool for it is found.
    #[default]
    IfPossible,
    /// A code object; a missing tool is an error.
    Required,
    /// None.
    Never,
}

/// How a kernel is built.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct BuildOptions {
    /// Whether a code object is made.
    pub code_object: CodeObject,
    /// Whether the optimised LLVM module is kept as text.
    pub keeps_module: bool,
}

/// What was made of a kernel.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Artifacts {
    /// The optimised LLVM module, if it was asked for.
    pub llvm_ir: Option<String>,
    /// PTX, for NVIDIA.
    pub ptx: Option<String>,
    /// The assembled kernel, for NVIDIA.
    pub cubin: Option<Vec<u8>>,
    /// AMDGCN assembly, for AMD.
    pub assembly: Option<String>,
    /// The linked code object, for AMD.
    pub hsaco: Option<Vec<u8>>,
    /// What it costs.
    pub resources: Resources,
}

/// Builds a kernel for its target. The same kernel gives the same bytes.
pub fn build(kernel: &Kernel, options: &BuildOptions) -> Result<Artifacts, BuildError> {
    let backend = Backend::new(kernel.target)?;
    let context = Context::create();
    let lowered = backend.module(&context, kernel, LowerOptions::default())?;
    let text = || lowered.module.print_to_string().to_string();
    let mut made = Artifacts { llvm_ir: options.keeps_module.then(text), ..Artifacts::default() };
    made.resources.shared_bytes = lowered.shared_bytes;
    made.resources.dynamic_shared_bytes = lowered.dynamic_shared_bytes;
    made.resources.accesses.clone_from(&lowered.accesses);
    backend.resolve_hooks(&lowered);
    let target = kernel.target.row();
    let assembly = assembled(kernel, &backend, &lowered, &mut made)?;
    made.resources.count_instructions(&assembly, target.vendor);
    match target.vendor {
        Vendor::Nvidia => {
            assemble(kernel, &assembly, options, &mut made)?;
            made.ptx = Some(assembly);
        }
        Vendor::Amd => {
            link(kernel, &backend, &lowered, options, &mut made)?;
            made.assembly = Some(assembly);
        }
    }
    made.resources.estimate_occupancy(target, kernel.warps);
    Ok(made)
}

/// The assembly; of a kernel that spills with all the registers that there are.
fn assembled(
    kernel: &Kernel,
    backend: &Backend,
    lowered: &Lowered<'_>,
    made: &mut Artifacts,
) -> Result<String, BuildError> {
    let assembly = backend.assembly(lowered, &kernel.name)?;
    if kernel.target.row().vendor != Vendor::Amd {
        return Ok(assembly);
    }
    made.resources.add_amd_metadata(&assembly);
    let spills = made.resources.spill_bytes.is_some_and(|it| 0 < it);
    if !spills || !backend.widen_registers(lowered, &kernel.name) {
        return Ok(assembly);
    }
    let assembly = backend.assembly(lowered, &kernel.name)?;
    made.resources.add_amd_metadata(&assembly);
    Ok(assembly)
}

fn assemble(
    kernel: &Kernel,
    ptx: &str,
    options: &BuildOptions,
    made: &mut Artifacts,
) -> Result<(), BuildError> {
    let missing = |kernel: &Kernel| BuildError::Missing {
        kernel: kernel.name.to_string(),
        form: "a cubin",
        tool: "`ptxas`",
        remedy: assembler::REMEDY,
    };
    let ptxas = match options.code_object {
        CodeObject::Never => return Ok(()),
        CodeObject::Required => find_ptxas().ok_or_else(|| missing(kernel))?,
        CodeObject::IfPossible => match find_ptxas() {
            Some(it) => it,
            None => return Ok(()),
        },
    };
    let (cubin, report) =
        assembler::assemble(&ptxas, ptx, kernel.target.row().name, &kernel.name, &[])?;
    made.resources.add_ptxas(report);
    made.cubin = Some(cubin);
    Ok(())
}

fn link(
    kernel: &Kernel,
    backend: &Backend,
    lowered: &Lowered<'_>,
    options: &BuildOptions,
    made: &mut Artifacts,
) -> Result<(), BuildError> {
    let missing = |kernel: &Kernel| BuildError::Missing {
        kernel: kernel.name.to_string(),
        form: "a code object",
        tool: "LLD",
        remedy: link::REMEDY,
    };
    let lld = match options.code_object {
        CodeObject::Never => return Ok(()),
        CodeObject::Required => find_lld().ok_or_else(|| missing(kernel))?,
        CodeObject::IfPossible => match find_lld() {
            Some(it) => it,
            None => return Ok(()),
        },
    };
    let object = backend.object(lowered, &kernel.name)?;
    made.hsaco = Some(link::link(&lld, &object, &kernel.name)?);
    Ok(())
}
