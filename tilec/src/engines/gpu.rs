//! The `gpu` engine: kernels on a real device, through the runtime.
//!
//! Every launch compiles its kernel, or takes the code of an earlier launch of the same one, copies
//! the tensors there, launches, and copies them back. The count [`DEVICE_NANOSECONDS`] is the
//! launch alone, by the device's own clock; that is what `tilec bench` shows.

use std::collections::HashMap;

use tile_language::engine::{Engine, Failure, Launch, Outcome, Word};
use tile_language::ir::Kernel;
use tile_plan::{AbiSlot, Device};
use tile_runtime::gpu::{Buffer, MachineWord};
use tile_runtime::{Geometry, Gpu, GpuError, Module};

/// The name of the count that says how long a launch took on the device, without the copies.
pub(crate) const DEVICE_NANOSECONDS: &str = "device_nanoseconds";

/// A device with the code that was loaded so far.
pub(crate) struct GpuEngine {
    gpu: Gpu,
    modules: HashMap<String, Loaded>,
}

/// A kernel on the device.
struct Loaded {
    module: Module,
    dynamic_shared_bytes: u32,
}

impl GpuEngine {
    /// The first device of this machine.
    pub(crate) fn open() -> Result<Self, GpuError> {
        Ok(GpuEngine { gpu: Gpu::open(0)?, modules: HashMap::new() })
    }

    /// Whether code for that target runs on the device.
    pub(crate) fn runs(&self, target: &str) -> bool {
        self.gpu.runs(target).unwrap_or(false)
    }

    fn loaded(&mut self, kernel: &Kernel) -> Result<&Loaded, Failure> {
        let key = format!("{} {kernel}", kernel.target.row().name);
        if !self.modules.contains_key(&key) {
            let (image, dynamic_shared_bytes) =
                crate::library::device_image(kernel).map_err(failure)?;
            let module = self.gpu.load(&image).map_err(failure)?;
            self.modules.insert(key.clone(), Loaded { module, dynamic_shared_bytes });
        }
        Ok(&self.modules[&key])
    }
}

impl Engine for GpuEngine {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn device(&self) -> Device {
        // Residency is the kernel's; one block a multiprocessor always holds.
        Device { sms: self.gpu.sms(), blocks_per_sm: 1 }
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure> {
        let gpu = self.gpu.clone();
        let Loaded { module, dynamic_shared_bytes } = self.loaded(launch.kernel)?;
        let upload = |it: &Vec<u8>| gpu.upload(it);
        let buffers: Vec<Buffer> =
            launch.buffers.iter().map(upload).collect::<Result<_, _>>().map_err(failure)?;
        let address = |buffer: u32| buffers[buffer as usize].address();
        let word = |(it, slot): (&Word, &AbiSlot)| match it {
            Word::Address(Some(buffer)) => Ok(MachineWord::Bits(address(*buffer))),
            Word::Address(None) => Ok(MachineWord::absent(slot)),
            Word::Bits(bits) => Ok(MachineWord::Bits(*bits)),
            Word::Map { buffer, map } => MachineWord::map(&gpu, map, address(*buffer)),
        };
        let words = launch.words.iter().zip(&launch.kernel.plan.abi).map(word);
        let words = words.collect::<Result<Vec<_>, _>>().map_err(failure)?;
        let geometry = Geometry {
            grid: launch.grid,
            threads: launch.kernel.plan.threads,
            dynamic_shared_bytes: *dynamic_shared_bytes,
            resident: launch.kernel.plan.resident,
            cluster_size: launch.kernel.plan.cluster_size(),
        };
        let took = module.launch_words(&launch.kernel.name, geometry, &words).map_err(failure)?;
        for (there, here) in buffers.iter().zip(launch.buffers.iter_mut()) {
            *here = there.download().map_err(failure)?;
        }
        let nanoseconds = (f64::from(took) * 1e6) as u64;
        let counts = [(DEVICE_NANOSECONDS.to_owned(), nanoseconds)].into();
        Ok(Outcome { counts, ..Outcome::default() })
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure {
        message: error.to_string(),
        site: None,
        block: None,
        details: Vec::new(),
        because: Vec::new(),
    }
}
