//! A device behind the CUDA driver: modules, memory, launches, times.
//!
//! The driver's library is loaded when [`Gpu::open`] is first called; without one, or without a
//! device, that is a [`GpuError`] that says what is missing. This file and `descriptor.rs` are the only ones
//! with `unsafe`: every block says why the driver's rules are kept.

use std::ffi::{CString, c_void};
use std::fmt;
use std::sync::{Arc, OnceLock};

use cudarc::driver::sys::{
    self, CUdevice_attribute_enum as Attribute, CUevent_flags, CUjit_option,
};
use cudarc::driver::{CudaContext, CudaEvent, CudaStream, DriverError, result};
use tile_plan::{AbiSlot, Argument, Bound, BoundMap, Device, LaunchError, Word};

use crate::descriptor::Descriptor;
use crate::manifest::KernelEntry;

/// Shared memory that a launch may ask for without telling the driver before.
const SHARED_BYTES_USUAL: u32 = 48 << 10;
/// Blocks of a cluster that a launch need not ask for (CUDA C++ Programming Guide, "Thread Block Clusters").
const CLUSTER_BLOCKS_USUAL: u32 = 8;

/// Bytes of the zero that stands for what has no elements.
const NOTHING_BYTES: usize = 256;

/// Bytes of what the driver's compiler says of PTX that it refuses.
const LOG_BYTES: usize = 8 << 10;

/// Why a device could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are the words of the sentences")]
pub enum GpuError {
    #[error("there is no CUDA driver on this machine: libcuda.so was not found")]
    NoDriver,
    #[error("the CUDA driver finds no device: {0}")]
    NoDevice(String),
    #[error("this device is `{device}`, the code is for `{target}`")]
    OtherTarget { device: String, target: String },
    #[error("the device refused {doing}: {reason}")]
    Driver { doing: String, reason: String },
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

/// One device.
#[derive(Clone)]
pub struct Gpu {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    sms: u32,
    /// Where a zero lies, once somebody has asked.
    nothing: Arc<OnceLock<u64>>,
}

impl fmt::Debug for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gpu").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// How many devices the driver finds.
pub fn count() -> Result<usize, GpuError> {
    load_driver()?;
    let count = CudaContext::device_count().map_err(|it| GpuError::NoDevice(text(it)))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

impl Gpu {
    /// The device of that number.
    pub fn open(ordinal: usize) -> Result<Gpu, GpuError> {
        if count()? <= ordinal {
            return Err(GpuError::NoDevice(format!("there is none of number {ordinal}")));
        }
        let context = CudaContext::new(ordinal).map_err(|it| GpuError::NoDevice(text(it)))?;
        let sms = context
            .attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
            .map_err(|it| failed("its number of multiprocessors", it))?;
        let stream = context.default_stream();
        let nothing = Arc::default();
        Ok(Gpu { context, stream, sms: sms.unsigned_abs(), nothing })
    }

    /// What it calls itself.
    pub fn name(&self) -> String {
        self.context.name().unwrap_or_else(text)
    }

    /// Its architecture as a number: 90 for compute capability 9.0.
    pub fn capability(&self) -> Result<u32, GpuError> {
        let (major, minor) =
            self.context.compute_capability().map_err(|it| failed("its compute capability", it))?;
        Ok((major * 10 + minor).unsigned_abs())
    }

    /// Whether it runs code for a target: `sm_90a` is for devices of capability 9.0.
    pub fn runs(&self, target: &str) -> Result<bool, GpuError> {
        let number = target.trim_end_matches(|it: char| it.is_ascii_alphabetic());
        Ok(number == format!("sm_{}", self.capability()?))
    }

    /// Multiprocessors.
    pub fn sms(&self) -> u32 {
        self.sms
    }

    /// Loads PTX or a cubin.
    pub fn load(&self, image: &[u8]) -> Result<Module, GpuError> {
        self.bind()?;
        let mut image = image.to_vec();
        // The driver takes PTX as a string with a zero at its end; a cubin knows its own length.
        image.push(0);
        let mut log = vec![0u8; LOG_BYTES];
        let mut options = [
            CUjit_option::CU_JIT_ERROR_LOG_BUFFER,
            CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES,
        ];
        // The second value is the length itself, in the place of a pointer.
        let mut values = [log.as_mut_ptr().cast::<c_void>(), LOG_BYTES as *mut c_void];
        let mut module = std::ptr::null_mut();
        // SAFETY: image and log outlive the call, the image ends with a zero, a context is bound,
        // and there are as many values as options.
        let status = unsafe {
            sys::cuModuleLoadDataEx(
                &mut module,
                image.as_ptr().cast::<c_void>(),
                options.len() as u32,
                options.as_mut_ptr(),
                values.as_mut_ptr(),
            )
        };
        match status.result() {
            Ok(()) => Ok(Module { gpu: self.clone(), module }),
            Err(error) => {
                let said = log.split(|it| *it == 0).next().unwrap_or_default();
                let said = String::from_utf8_lossy(said).trim().to_owned();
                let reason =
                    if said.is_empty() { text(error) } else { format!("{}: {said}", text(error)) };
                Err(GpuError::Driver { doing: "to load the code".to_owned(), reason })
            }
        }
    }

    /// Memory of that many bytes with that content.
    pub fn upload(&self, bytes: &[u8]) -> Result<Buffer, GpuError> {
        self.bind()?;
        // SAFETY: a context is bound; the buffer frees the memory exactly once. The driver refuses
        // zero bytes, so there is always at least one.
        let address = unsafe { result::malloc_sync(bytes.len().max(1)) }
            .map_err(|it| failed(format!("{} bytes of memory", bytes.len()), it))?;
        let buffer = Buffer { gpu: self.clone(), address, bytes: bytes.len() };
        if !bytes.is_empty() {
            // SAFETY: the memory has that many bytes.
            unsafe { result::memcpy_htod_sync(address, bytes) }
                .map_err(|it| failed("a copy to its memory", it))?;
        }
        Ok(buffer)
    }

    /// The address of a zero, for what has no elements and must lie somewhere. It is kept as long as the context.
    fn nothing(&self) -> Result<u64, GpuError> {
        if let Some(it) = self.nothing.get() {
            return Ok(*it);
        }
        self.bind()?;
        // SAFETY: a context is bound; the memory is as large as what is written, and never freed by hand.
        let address = unsafe {
            result::malloc_sync(NOTHING_BYTES)
                .and_then(|it| result::memset_d8_sync(it, 0, NOTHING_BYTES).map(|()| it))
        };
        let address = address.map_err(|it| failed("memory of its own", it))?;
        Ok(*self.nothing.get_or_init(|| address))
    }

    /// The milliseconds between two marks on the stream around what `work` puts there, after its end.
    fn timed(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<(), GpuError>,
    ) -> Result<f32, GpuError> {
        let (first, last) = (self.event()?, self.event()?);
        first.record(&self.stream).map_err(|it| failed("to record an event", it))?;
        work()?;
        last.record(&self.stream).map_err(|it| failed("to record an event", it))?;
        self.context.synchronize().map_err(|it| failed(format!("to finish `{name}`"), it))?;
        first.elapsed_ms(&last).map_err(|it| failed("to time a launch", it))
    }

    fn event(&self) -> Result<CudaEvent, GpuError> {
        let event = self.context.new_event(Some(CUevent_flags::CU_EVENT_DEFAULT));
        event.map_err(|it| failed("to make an event", it))
    }

    fn bind(&self) -> Result<(), GpuError> {
        self.context.bind_to_thread().map_err(|it| failed("its context", it))
    }
}

/// Memory of a device.
#[derive(Debug)]
pub struct Buffer {
    gpu: Gpu,
    address: u64,
    bytes: usize,
}

impl Buffer {
    /// Where it begins on the device.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Its content.
    pub fn download(&self) -> Result<Vec<u8>, GpuError> {
        self.gpu.bind()?;
        let mut bytes = vec![0; self.bytes];
        if !bytes.is_empty() {
            // SAFETY: the memory has that many bytes, and the call waits for the copy.
            unsafe { result::memcpy_dtoh_sync(&mut bytes, self.address) }
                .map_err(|it| failed("a copy from its memory", it))?;
        }
        Ok(bytes)
    }

    /// Puts the content of `from` here, as far as both go, and gives the milliseconds that it took by
    /// the device's own clock.
    pub fn copy_from(&self, from: &Buffer) -> Result<f32, GpuError> {
        self.gpu.bind()?;
        let bytes = self.bytes.min(from.bytes);
        let stream = self.gpu.stream.cu_stream();
        self.gpu.timed("a copy", || {
            // SAFETY: both have at least that many bytes, and neither is freed before the copy's end,
            // which `timed` waits for.
            unsafe { result::memcpy_dtod_async(self.address, from.address, bytes, stream) }
                .map_err(|it| failed("a copy between its memories", it))
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.gpu.bind().is_ok() {
            // SAFETY: allocated by `upload`, freed only here; launches were waited for.
            let _ = unsafe { result::free_sync(self.address) };
        }
    }
}

/// Code on a device.
#[derive(Debug)]
pub struct Module {
    gpu: Gpu,
    module: sys::CUmodule,
}

impl Module {
    /// Launches a kernel of this module with arguments bound by its plan, and waits for its end. A
    /// tensor's address is the one in its argument. A grid with a zero launches nothing.
    pub fn launch(&self, kernel: &KernelEntry, args: &[Argument]) -> Result<Bound, GpuError> {
        let bound = kernel.plan.bind(args, &self.describe(kernel)?)?;
        if !bound.is_empty() {
            let geometry = Geometry::of(kernel, bound.grid);
            self.launch_words(&kernel.name, geometry, &machine_words(&self.gpu, &bound, args)?)?;
        }
        Ok(bound)
    }

    /// Launches the kernel `symbol` with machine words that were bound before, waits for its end, and
    /// gives the milliseconds that it took by the device's own clock.
    pub fn launch_words(
        &self,
        symbol: &str,
        geometry: Geometry,
        words: &[MachineWord],
    ) -> Result<f32, GpuError> {
        let kernel = self.kernel(symbol)?;
        self.gpu.timed(symbol, || self.start(kernel, symbol, geometry, words))
    }

    /// The time of each of `runs` launches in milliseconds, by the device's own clock.
    pub fn time(
        &self,
        kernel: &KernelEntry,
        args: &[Argument],
        runs: u32,
    ) -> Result<Vec<f32>, GpuError> {
        let bound = kernel.plan.bind(args, &self.describe(kernel)?)?;
        let words = machine_words(&self.gpu, &bound, args)?;
        let geometry = Geometry::of(kernel, bound.grid);
        let runs = if bound.is_empty() { 0 } else { runs };
        (0..runs).map(|_| self.launch_words(&kernel.name, geometry, &words)).collect()
    }

    /// What launch expressions may ask, for a kernel of this module.
    pub fn describe(&self, kernel: &KernelEntry) -> Result<Device, GpuError> {
        let function = self.kernel(&kernel.name)?;
        self.allow_shared(function, kernel.dynamic_shared_bytes)?;
        let mut blocks = 0;
        let threads = i32::try_from(kernel.plan.threads).unwrap_or(i32::MAX);
        // SAFETY: the kernel belongs to a loaded module and `blocks` outlives the call.
        let status = unsafe {
            sys::cuOccupancyMaxActiveBlocksPerMultiprocessor(
                &mut blocks,
                function,
                threads,
                kernel.dynamic_shared_bytes as usize,
            )
        };
        let blocks_per_sm = if status.result().is_ok() { blocks.unsigned_abs() } else { 1 };
        Ok(Device { sms: self.gpu.sms, blocks_per_sm })
    }

    fn kernel(&self, symbol: &str) -> Result<sys::CUfunction, GpuError> {
        self.gpu.bind()?;
        let name = CString::new(symbol).map_err(|it| GpuError::Driver {
            doing: "a kernel's name".to_owned(),
            reason: it.to_string(),
        })?;
        // SAFETY: the module is loaded as long as `self` lives.
        unsafe { result::module::get_function(self.module, name) }
            .map_err(|it| failed(format!("the kernel `{symbol}`"), it))
    }

    /// Lets launches of a kernel ask for that much shared memory.
    fn allow_shared(&self, kernel: sys::CUfunction, bytes: u32) -> Result<(), GpuError> {
        if bytes <= SHARED_BYTES_USUAL {
            return Ok(());
        }
        let attribute =
            sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        // SAFETY: the kernel belongs to a loaded module.
        unsafe { result::function::set_function_attribute(kernel, attribute, bytes as i32) }
            .map_err(|it| failed(format!("{bytes} bytes of shared memory a block"), it))
    }

    /// Lets a kernel run in clusters that not every device has.
    fn allow_cluster(&self, kernel: sys::CUfunction, blocks: u32) -> Result<(), GpuError> {
        if blocks <= CLUSTER_BLOCKS_USUAL {
            return Ok(());
        }
        let attribute =
            sys::CUfunction_attribute_enum::CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED;
        // SAFETY: the kernel belongs to a loaded module.
        unsafe { result::function::set_function_attribute(kernel, attribute, 1) }
            .map_err(|it| failed(format!("clusters of {blocks} blocks"), it))
    }

    fn start(
        &self,
        kernel: sys::CUfunction,
        symbol: &str,
        geometry: Geometry,
        words: &[MachineWord],
    ) -> Result<(), GpuError> {
        let Geometry { grid: [x, y, z], threads, dynamic_shared_bytes, resident, cluster_size } =
            geometry;
        self.allow_shared(kernel, dynamic_shared_bytes)?;
        self.allow_cluster(kernel, cluster_size)?;
        let mut pointers: Vec<*mut c_void> =
            words.iter().map(|it| it.as_ptr().cast_mut()).collect();
        let (grid, block, stream) = ((x, y, z), (threads, 1, 1), self.gpu.stream.cu_stream());
        // SAFETY: the plan gives the kernel's parameters in order, each a descriptor or at most 8 bytes and read
        // in its own width from the little-endian word; the call copies the words and writes none.
        let status = unsafe {
            if resident {
                result::launch_cooperative_kernel(
                    kernel,
                    grid,
                    block,
                    dynamic_shared_bytes,
                    stream,
                    &mut pointers,
                )
            } else {
                result::launch_kernel(
                    kernel,
                    grid,
                    block,
                    dynamic_shared_bytes,
                    stream,
                    &mut pointers,
                )
            }
        };
        status
            .map_err(|it| failed(format!("to launch `{symbol}` on a grid of {x} x {y} x {z}"), it))
    }
}

/// How large a launch is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Blocks along each axis.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub threads: u32,
    /// Bytes of shared memory that the launch asks for.
    pub dynamic_shared_bytes: u32,
    /// Whether all blocks run at once; the driver refuses more than fit.
    pub resident: bool,
    /// Blocks of a cluster, along which axes the code says itself.
    pub cluster_size: u32,
}

impl Geometry {
    /// That of a kernel on a grid.
    pub fn of(kernel: &KernelEntry, grid: [u32; 3]) -> Geometry {
        Geometry {
            grid,
            threads: kernel.plan.threads,
            dynamic_shared_bytes: kernel.dynamic_shared_bytes,
            resident: kernel.plan.resident,
            cluster_size: kernel.plan.cluster_size(),
        }
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if self.gpu.bind().is_ok() {
            // SAFETY: loaded by `Gpu::load`, unloaded only here; launches were waited for.
            let _ = unsafe { result::module::unload(self.module) };
        }
    }
}

/// One parameter of a kernel as the device reads it.
#[derive(Clone, Copy, Debug)]
pub enum MachineWord {
    /// A number or an address.
    Bits(u64),
    /// A tensor map.
    Map(Descriptor),
}

impl MachineWord {
    /// A tensor map of a tensor at that address.
    pub fn map(gpu: &Gpu, bound: &BoundMap, address: u64) -> Result<MachineWord, GpuError> {
        let address = if bound.sizes.contains(&0) { gpu.nothing()? } else { address };
        Descriptor::of(bound, address).map(MachineWord::Map)
    }

    /// What stands in a slot where the tensor is absent.
    pub fn absent(slot: &AbiSlot) -> MachineWord {
        match slot {
            AbiSlot::Map(_) => MachineWord::Map(Descriptor::of_absent()),
            AbiSlot::Address(_) | AbiSlot::Symbol(_) | AbiSlot::Scalar(_) => MachineWord::Bits(0),
        }
    }

    fn as_ptr(&self) -> *const c_void {
        match self {
            MachineWord::Bits(it) => std::ptr::from_ref(it).cast(),
            MachineWord::Map(it) => it.as_ptr(),
        }
    }
}

fn machine_words(
    gpu: &Gpu,
    bound: &Bound,
    args: &[Argument],
) -> Result<Vec<MachineWord>, GpuError> {
    let address = |param: u32| match args.get(param as usize) {
        Some(Argument::Tensor(it)) => it.address,
        _ => 0,
    };
    let word = |it: &Word| match *it {
        Word::Tensor(param) => Ok(MachineWord::Bits(address(param))),
        Word::Null => Ok(MachineWord::Bits(0)),
        Word::Bits(bits) => Ok(MachineWord::Bits(bits)),
        Word::Map(map) => match &bound.maps[map as usize] {
            Some(it) => MachineWord::map(gpu, it, address(it.map.param)),
            None => Ok(MachineWord::absent(&AbiSlot::Map(map))),
        },
    };
    bound.words.iter().map(word).collect()
}

fn load_driver() -> Result<(), GpuError> {
    // SAFETY: only tries to load the driver's library; its initialisers are the driver's.
    if unsafe { sys::is_culib_present() } { Ok(()) } else { Err(GpuError::NoDriver) }
}

pub(crate) fn failed(doing: impl Into<String>, error: DriverError) -> GpuError {
    GpuError::Driver { doing: doing.into(), reason: text(error) }
}

fn text(error: DriverError) -> String {
    let name = |it: Result<&std::ffi::CStr, _>| it.map(|it| it.to_string_lossy().into_owned());
    match (name(error.error_string()), name(error.error_name())) {
        (Ok(sentence), Ok(name)) => format!("{sentence} ({name})"),
        _ => format!("error {:?} of the driver", error.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_device_the_message_says_what_is_missing() {
        match Gpu::open(0) {
            Ok(gpu) => assert!(!gpu.name().is_empty()),
            Err(error) => {
                let message = error.to_string();
                assert!(message.contains("driver"), "{message}");
            }
        }
    }
}
