//! Recording: the launches of tests and benchmarks, with what memory holds before and after, for
//! programs that repeat them on a device without a compiler ([`tile_runtime::recording`]).
//!
//! What is expected is what `interp` gives. A result may be as far from it as the loosest
//! `expect_close` of the test on that type allows, twice, because both may be off in opposite
//! directions; types of which nothing is said have their usual tolerance.

use std::collections::HashMap;
use std::path::Path;

use tile_language::dtype::DType;
use tile_language::engine::{Engine, Failure as Stop, Launch, Outcome, Word};
use tile_language::host::{Closeness, Tolerance};
use tile_language::interp::Interp;
use tile_language::ir::Kernel;
use tile_language::target::TargetId;
use tile_plan::{AbiSlot, ParamKind};
use tile_runtime::manifest::{self, Manifest};
use tile_runtime::recording::{
    self, Index, RecordedBuffer, RecordedLaunch, RecordedWord, data_file,
};

use crate::cli::Selection;
use crate::library::{self, Compiled};
use crate::progress::Progress;
use crate::session::{Case, CaseKind, Session};
use crate::{Failure, Io, files, testing};

/// Records what the selected cases launch for each target, on whatever engines they are meant to run.
/// Cases that fail are left out.
pub(crate) fn record(
    session: &Session,
    kind: CaseKind,
    selection: &Selection,
    targets: &[TargetId],
    folder: &Path,
    io: &Io<'_>,
) -> Result<(), Failure> {
    let mut writer = Writer::new(folder);
    let cases: Vec<Case> = testing::cases(session, kind, selection).collect();
    let progress = Progress::new("recording", cases.len(), io);
    for case in &cases {
        progress.at(&case.title);
        for &target in targets.iter().filter(|it| testing::allows(&case.targets, it)) {
            let mut recorder = Recorder::new(kind, target);
            let verdict = session.run(case, target, &mut recorder, selection.seed);
            if verdict.findings.is_empty() {
                let origin = format!("{}: {}", case.file, case.title);
                for launch in recorder.launches {
                    writer.add(&origin, launch, &verdict.closeness)?;
                }
            }
        }
        progress.step();
    }
    writer.finish()
}

/// One launch, as the engine saw it.
struct Seen {
    kernel: Kernel,
    grid: [u32; 3],
    words: Vec<Word>,
    undefined: Vec<u32>,
    before: Vec<Vec<u8>>,
    /// Nothing for a benchmark, which is not run.
    after: Option<Vec<Vec<u8>>>,
}

/// An engine that keeps what it is given: of tests with what `interp` makes of it, of benchmarks
/// without running them.
struct Recorder {
    interp: Interp,
    kind: CaseKind,
    launches: Vec<Seen>,
}

impl Recorder {
    fn new(kind: CaseKind, target: TargetId) -> Recorder {
        Recorder { interp: Interp::new(target), kind, launches: Vec::new() }
    }
}

impl Engine for Recorder {
    fn name(&self) -> &'static str {
        self.interp.name()
    }

    fn device(&self) -> tile_plan::Device {
        self.interp.device()
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Stop> {
        let mut seen = Seen {
            kernel: launch.kernel.clone(),
            grid: launch.grid,
            words: launch.words.to_vec(),
            undefined: launch.undefined.to_vec(),
            before: launch.buffers.to_vec(),
            after: None,
        };
        let mut outcome = Outcome::default();
        if self.kind == CaseKind::Test {
            let Launch { kernel, grid, words, buffers, undefined, seed } = launch;
            let again = Launch { kernel, grid, words, buffers: &mut *buffers, undefined, seed };
            outcome = self.interp.run(again)?;
            seen.after = Some(buffers.to_vec());
        }
        self.launches.push(seen);
        Ok(outcome)
    }
}

struct Writer<'a> {
    folder: &'a Path,
    manifest: Manifest,
    /// The rows of kernels by their text and target, and their files of tile IR.
    rows: HashMap<(String, TargetId), (u32, String)>,
    launches: Vec<RecordedLaunch>,
}

impl<'a> Writer<'a> {
    fn new(folder: &'a Path) -> Self {
        let manifest = Manifest::new(library::COMPILER);
        Writer { folder, manifest, rows: HashMap::new(), launches: Vec::new() }
    }

    fn add(&mut self, origin: &str, seen: Seen, closeness: &[Closeness]) -> Result<(), Failure> {
        let (kernel, ir) = self.kernel(&seen.kernel)?;
        let words = seen.words.iter().map(|it| match it {
            Word::Address(Some(number)) => RecordedWord::Buffer(*number),
            Word::Address(None) => RecordedWord::Null,
            Word::Bits(bits) => RecordedWord::Bits(*bits),
            Word::Map { buffer, map } => {
                RecordedWord::Map { buffer: *buffer, map: (**map).clone() }
            }
        });
        let mut buffers = Vec::new();
        for number in 0..seen.before.len() {
            buffers.push(self.buffer(&seen, number, closeness)?);
        }
        self.launches.push(RecordedLaunch {
            origin: origin.to_owned(),
            kernel,
            ir,
            grid: seen.grid,
            words: words.collect(),
            buffers,
        });
        Ok(())
    }

    fn buffer(
        &self,
        seen: &Seen,
        number: usize,
        closeness: &[Closeness],
    ) -> Result<RecordedBuffer, Failure> {
        let dtype = element_type(seen, number);
        let before = &seen.before[number];
        // A benchmark takes as long whatever its numbers are, but not whatever its indices are.
        let is_filling = seen.after.is_none() && dtype.is_float();
        let Tolerance { rtol, atol } = tolerance(dtype, closeness);
        Ok(RecordedBuffer {
            dtype: dtype.name().to_owned(),
            bytes: before.len() as u64,
            before: if is_filling { None } else { Some(self.data(before)?) },
            after: seen.after.as_ref().map(|it| self.data(&it[number])).transpose()?,
            undefined: seen.undefined.contains(&(number as u32)),
            rtol: 2.0 * rtol,
            atol: 2.0 * atol,
        })
    }

    fn data(&self, content: &[u8]) -> Result<String, Failure> {
        let file = data_file(content);
        files::write(&self.folder.join(&file), content)?;
        Ok(file)
    }

    /// The row of a kernel and its file of tile IR; builds it when it is seen first.
    fn kernel(&mut self, kernel: &Kernel) -> Result<(u32, String), Failure> {
        let key = (kernel.to_string(), kernel.target);
        if let Some(known) = self.rows.get(&key) {
            return Ok(known.clone());
        }
        let artifacts =
            tile_codegen::build(kernel, &library::options(&[])).map_err(Failure::Build)?;
        let compiled = Compiled { kernel: kernel.clone().into(), artifacts };
        let row = self.manifest.kernels.len() as u32;
        // Kernels of different files may have one name.
        let stem = format!("{}/{row}-{}", compiled.target(), kernel.name);
        let entry = library::write_kernel(self.folder, &stem, &compiled, &[])?;
        let ir = format!("{stem}.ir");
        files::write(&self.folder.join(&ir), key.0.as_bytes())?;
        self.manifest.kernels.push(entry);
        self.rows.insert(key, (row, ir.clone()));
        Ok((row, ir))
    }

    fn finish(self) -> Result<(), Failure> {
        let write =
            |name: &str, text: String| files::write(&self.folder.join(name), text.as_bytes());
        write(manifest::FILE_NAME, self.manifest.to_json())?;
        write(recording::FILE_NAME, Index::new(self.launches).to_json())
    }
}

/// What a buffer holds: what the first parameter says that has it.
fn element_type(seen: &Seen, number: usize) -> DType {
    let plan = &seen.kernel.plan;
    let mut slots = plan.abi.iter().zip(&seen.words);
    let param = slots.find_map(|(slot, word)| match (slot, word) {
        (AbiSlot::Address(param), Word::Address(Some(it))) if *it as usize == number => {
            plan.params.get(*param as usize)
        }
        _ => None,
    });
    let name = param.and_then(|it| match &it.kind {
        ParamKind::Tensor { dtype, .. } | ParamKind::Pointer { dtype, .. } => Some(dtype),
        ParamKind::Scalar { .. } => None,
    });
    name.and_then(|it| DType::from_name(it)).expect("every buffer is a tensor's or a pointer's")
}

/// How far numbers of a type may be off: as far as the test says, or as is usual.
fn tolerance(dtype: DType, closeness: &[Closeness]) -> Tolerance {
    let said = closeness.iter().filter(|it| it.dtype == dtype).map(|it| it.within);
    said.fold(Tolerance::of(dtype), |acc, it| Tolerance {
        rtol: acc.rtol.max(it.rtol),
        atol: acc.atol.max(it.atol),
    })
}
