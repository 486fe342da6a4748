//! Repeats a recording on a device: right results, and times beside a copy of as many bytes.
//!
//! ```sh
//! tilec test examples --target sm_90a --record DIR      # anywhere, on the CPU
//! tilec bench benches --target sm_90a --record TIMED
//! cargo run --release -p tile-runtime --example replay -- DIR TIMED    # where the device is
//! ```
//!
//! Needs no compiler and no LLVM: what is built and recorded elsewhere is run here. Launches whose
//! results were recorded are judged; the others are timed by the device's own clock, the middle of
//! [`RUNS`], and their bytes a second stand beside those of a copy within the device's memory. The
//! exit code is 1 if a result is wrong, 3 if a launch was impossible.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use tile_plan::AbiSlot;
use tile_runtime::gpu::{Buffer, MachineWord};
use tile_runtime::manifest::ObjectKind;
use tile_runtime::recording::{RecordedLaunch, RecordedWord};
use tile_runtime::{Geometry, Gpu, Module, Recording};

/// How often a timed launch is made; the first [`WARM_UP`] do not count.
const RUNS: usize = 51;
const WARM_UP: usize = 10;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Default)]
struct Tally {
    right: usize,
    wrong: usize,
    other_target: usize,
}

fn main() -> ExitCode {
    let folders: Vec<_> = std::env::args_os().skip(1).collect();
    if folders.is_empty() {
        let _ =
            writeln!(io::stderr(), "usage: replay FOLDER… (made by `tilec test --record FOLDER`)");
        return ExitCode::from(2);
    }
    let mut tally = Tally::default();
    let replayed = Gpu::open(0)
        .map_err(Into::into)
        .and_then(|gpu| folders.iter().try_for_each(|it| replay(&gpu, Path::new(it), &mut tally)));
    let Tally { right, wrong, other_target } = tally;
    let _ =
        writeln!(io::stdout(), "{right} right, {wrong} wrong, {other_target} for other targets");
    match replayed {
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(3)
        }
        Ok(()) => ExitCode::from(u8::from(wrong > 0)),
    }
}

fn replay(gpu: &Gpu, folder: &Path, tally: &mut Tally) -> Fallible<()> {
    let recording = Recording::open(folder)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} on {}", folder.display(), gpu.name())?;
    for launch in recording.launches() {
        if !gpu.runs(&recording.kernel(launch).target)? {
            tally.other_target += 1;
        } else if launch.is_timed() {
            writeln!(out, "  {}", time(gpu, &recording, launch)?)?;
        } else {
            judge(gpu, &recording, launch, tally, &mut out)?;
        }
    }
    Ok(())
}

/// A kernel on the device with the memory of one launch.
struct Ready {
    module: Module,
    symbol: String,
    geometry: Geometry,
    buffers: Vec<Buffer>,
    words: Vec<MachineWord>,
}

impl Ready {
    fn new(gpu: &Gpu, recording: &Recording, launch: &RecordedLaunch) -> Fallible<Ready> {
        let kernel = recording.kernel(launch);
        let kinds = [ObjectKind::Cubin, ObjectKind::Ptx];
        let (_, image) = recording.library().object(kernel, &kinds)?;
        let mut buffers = Vec::new();
        for buffer in &launch.buffers {
            buffers.push(gpu.upload(&recording.before(buffer)?)?);
        }
        let address = |number: u32| buffers[number as usize].address();
        let word = |(it, slot): (&RecordedWord, &AbiSlot)| match it {
            RecordedWord::Buffer(number) => Ok(MachineWord::Bits(address(*number))),
            RecordedWord::Null => Ok(MachineWord::absent(slot)),
            RecordedWord::Bits(bits) => Ok(MachineWord::Bits(*bits)),
            RecordedWord::Map { buffer, map } => MachineWord::map(gpu, map, address(*buffer)),
        };
        let words = launch.words.iter().zip(&kernel.plan.abi).map(word);
        let words = words.collect::<Result<Vec<_>, _>>()?;
        Ok(Ready {
            module: gpu.load(&image)?,
            symbol: kernel.name.clone(),
            geometry: Geometry::of(kernel, launch.grid),
            words,
            buffers,
        })
    }

    fn launch(&self) -> Fallible<f32> {
        Ok(self.module.launch_words(&self.symbol, self.geometry, &self.words)?)
    }
}

fn judge(
    gpu: &Gpu,
    recording: &Recording,
    launch: &RecordedLaunch,
    tally: &mut Tally,
    out: &mut impl Write,
) -> Fallible<()> {
    let ready = Ready::new(gpu, recording, launch)?;
    ready.launch()?;
    let mut is_right = true;
    for (number, (there, recorded)) in ready.buffers.iter().zip(&launch.buffers).enumerate() {
        let Some(expected) = recording.after(recorded)? else {
            continue;
        };
        let found = recorded.compare(&there.download()?, &expected);
        if let Some((at, x, y)) = found.first {
            let (wrong, all, origin) = (found.wrong, found.elements, &launch.origin);
            writeln!(
                out,
                "  WRONG {origin}: `{}`, buffer {number}: {wrong} of {all}",
                ready.symbol
            )?;
            writeln!(out, "        element {at} is {x}, expected {y}")?;
            is_right = false;
        }
    }
    if is_right {
        tally.right += 1
    } else {
        tally.wrong += 1
    }
    Ok(())
}

/// A line with the time of a launch and its bytes a second, beside a copy of as many bytes.
fn time(gpu: &Gpu, recording: &Recording, launch: &RecordedLaunch) -> Fallible<String> {
    let ready = Ready::new(gpu, recording, launch)?;
    let bytes: u64 = launch.buffers.iter().map(|it| it.bytes).sum();
    let took = middle(|| ready.launch())?;
    // A copy reads and writes each byte, so that half of them make the same traffic.
    let half = vec![0; (bytes / 2) as usize];
    let (from, to) = (gpu.upload(&half)?, gpu.upload(&half)?);
    let copy = middle(|| Ok(to.copy_from(&from)?))?;
    let rate = |milliseconds: f32| bytes as f64 / f64::from(milliseconds) / 1e6;
    Ok(format!(
        "{}: {:.3} ms, {:.0} GB/s; a copy {:.0} GB/s: {:.0} %",
        launch.origin,
        took,
        rate(took),
        rate(copy),
        100.0 * copy / took
    ))
}

fn middle(mut run: impl FnMut() -> Fallible<f32>) -> Fallible<f32> {
    let mut times = (0..RUNS + WARM_UP).map(|_| run()).collect::<Fallible<Vec<f32>>>()?;
    let counted = &mut times[WARM_UP..];
    counted.sort_by(f32::total_cmp);
    Ok(counted[RUNS / 2])
}
