//! Engines: what can run a kernel. The interpreter is here, `sim` and the GPU in other crates.
//!
//! The caller binds arguments by the kernel's launch plan, so that an engine sees only machine
//! words, buffers and a grid, and a refused launch reads the same on every engine.

use crate::ir::{Kernel, SiteId};

/// Something that runs kernels.
pub trait Engine {
    /// The word of the language: `interp`, `sim`, `gpu`.
    fn name(&self) -> &'static str;

    /// What launch expressions may ask of the device.
    fn device(&self) -> tile_plan::Device;

    /// Runs every block of the grid to its end.
    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure>;
}

/// One bound launch.
#[derive(Debug)]
pub struct Launch<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Blocks along each axis; none is zero.
    pub grid: [u32; 3],
    /// The machine words, in the order of `kernel.plan.abi`.
    pub words: &'a [Word],
    /// Memory of the tensors.
    pub buffers: &'a mut [Vec<u8>],
    /// Buffers that hold nothing yet: checked engines refuse to read what the kernel has not written.
    pub undefined: &'a [u32],
    /// Steers every random choice of the engine, the order of warps for one.
    pub seed: u64,
}

/// One machine word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// The start of a buffer, or null for an absent tensor.
    Address(Option<u32>),
    /// A number, zero-extended.
    Bits(u64),
    /// A tensor map of the tensor that begins where a buffer does.
    Map {
        /// The buffer.
        buffer: u32,
        /// Sizes, strides and boxes.
        map: Box<tile_plan::BoundMap>,
    },
}

/// What a run leaves behind besides the buffers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Outcome {
    /// What `print` wrote, in an order that is the same for the same seed.
    pub printed: Vec<String>,
    /// Findings that did not stop the run: overflows, for one.
    pub warnings: Vec<Failure>,
    /// What was counted, by name: `global_load_sectors`, `instructions`.
    pub counts: std::collections::BTreeMap<String, u64>,
}

/// Why a run stopped.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// What happened, in a sentence without full stop.
    pub message: String,
    /// Where in the kernel.
    pub site: Option<SiteId>,
    /// The block in which it happened.
    pub block: Option<[u32; 3]>,
    /// Facts that explain it: indices, extents.
    pub details: Vec<String>,
    /// Other places of the kernel that explain it, each with what happened there: the other access.
    pub because: Vec<(SiteId, String)>,
}
