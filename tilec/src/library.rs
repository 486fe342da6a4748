//! Kernels as code: compiled for their targets, written to a folder, described for launchers and
//! for readers of reports.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use smol_str::SmolStr;
use tile_codegen::{Artifacts, BuildOptions, CodeObject as Wanted, Resources};
use tile_language::ir::Kernel;
use tile_language::target::TargetId;
use tile_runtime::manifest::{self, CodeObject, KernelEntry, Manifest, ObjectKind};

use crate::cli::Artifact;
use crate::files;
use crate::progress::Progress;
use crate::session::Session;
use crate::{Failure, Io};

/// Who made a library, in its manifest and reports.
pub(crate) const COMPILER: &str = concat!("tilec ", env!("CARGO_PKG_VERSION"));

/// One kernel compiled for one target.
pub(crate) struct Compiled {
    pub(crate) kernel: Arc<Kernel>,
    pub(crate) artifacts: Artifacts,
}

impl Compiled {
    pub(crate) fn target(&self) -> &'static str {
        self.kernel.target.row().name
    }
}

/// Compiles every kernel of the session, in the order of the sources, for every target.
pub(crate) fn compile(
    session: &Session,
    targets: &[TargetId],
    options: &BuildOptions,
    io: &Io<'_>,
) -> Result<Vec<Compiled>, Failure> {
    let mut kernels: Vec<Arc<Kernel>> =
        targets.iter().flat_map(|&target| session.kernels(target)).collect();
    refuse_equal_names(&kernels)?;
    let names: Vec<SmolStr> = kernels.iter().map(|it| it.name.clone()).collect();
    kernels.sort_by_key(|kernel| names.iter().position(|it| *it == kernel.name));
    let progress = Progress::new("compiling", kernels.len(), io);
    let compile_one = |kernel: Arc<Kernel>| {
        progress.at(format!("{} for {}", kernel.name, kernel.target.row().name));
        let artifacts = tile_codegen::build(&kernel, options).map_err(Failure::Build)?;
        progress.step();
        Ok(Compiled { kernel, artifacts })
    };
    kernels.into_iter().map(compile_one).collect()
}

/// A library has one kernel of a name for a target.
fn refuse_equal_names(kernels: &[Arc<Kernel>]) -> Result<(), Failure> {
    let mut seen = HashSet::new();
    match kernels.iter().find(|it| !seen.insert((&it.name, it.target))) {
        None => Ok(()),
        Some(it) => Err(Failure::Call(format!(
            "two kernels are called `{}`: a library has one of a name; build their files apart",
            it.name
        ))),
    }
}

/// What to ask of the code generator so that it makes the artifacts of `emit`, or all if empty.
pub(crate) fn options(emit: &[Artifact]) -> BuildOptions {
    let names_object = emit.iter().any(|it| matches!(it, Artifact::Cubin | Artifact::Hsaco));
    let code_object = match (emit.is_empty(), names_object) {
        (true, _) => Wanted::IfPossible,
        (false, true) => Wanted::Required,
        (false, false) => Wanted::Never,
    };
    let keeps_module = emit.is_empty() || emit.contains(&Artifact::Ll);
    BuildOptions { code_object, keeps_module }
}

/// Writes the artifacts of `emit`, or all if empty, with a manifest and a report beside them.
pub(crate) fn write(
    folder: &Path,
    compiled: &[Compiled],
    emit: &[Artifact],
) -> Result<Manifest, Failure> {
    let mut manifest = Manifest::new(COMPILER);
    for it in compiled {
        let stem = format!("{}/{}", it.target(), it.kernel.name);
        manifest.kernels.push(write_kernel(folder, &stem, it, emit)?);
    }
    files::write(&folder.join(manifest::FILE_NAME), manifest.to_json().as_bytes())?;
    let report = format!("{:#}\n", report(compiled));
    files::write(&folder.join("report.json"), report.as_bytes())?;
    Ok(manifest)
}

/// Writes the files of one kernel, which differ by their extensions; gives its row of the manifest.
pub(crate) fn write_kernel(
    folder: &Path,
    stem: &str,
    compiled: &Compiled,
    emit: &[Artifact],
) -> Result<KernelEntry, Failure> {
    let Compiled { kernel, artifacts } = compiled;
    let mut objects = Vec::new();
    for (kind, content) in contents(artifacts) {
        if !emit.is_empty() && !emit.contains(&artifact(kind)) {
            continue;
        }
        let file = format!("{stem}.{}", kind.extension());
        files::write(&folder.join(&file), content)?;
        objects.push(CodeObject::describe(kind, file, content));
    }
    Ok(KernelEntry {
        name: kernel.name.to_string(),
        target: compiled.target().to_owned(),
        plan: (*kernel.plan).clone(),
        dynamic_shared_bytes: artifacts.resources.dynamic_shared_bytes,
        resources: summary(&artifacts.resources),
        objects,
    })
}

/// The code that a device can load: the machine code, or else what its driver compiles; with the bytes
/// of shared memory that a launch of it asks for.
pub(crate) fn device_image(kernel: &Kernel) -> Result<(Vec<u8>, u32), tile_codegen::BuildError> {
    let artifacts = tile_codegen::build(kernel, &BuildOptions::default())?;
    let text = artifacts.ptx.map(String::into_bytes);
    let image = artifacts.cubin.or(artifacts.hsaco).or(text).unwrap_or_default();
    Ok((image, artifacts.resources.dynamic_shared_bytes))
}

/// What each kernel needs, as one JSON value.
pub(crate) fn report(compiled: &[Compiled]) -> Value {
    let kernels = compiled.iter().map(|it| {
        let Compiled { kernel, artifacts } = it;
        let resources = &artifacts.resources;
        let accesses = resources
            .accesses
            .iter()
            .map(|access| json!({ "bytes": access.bytes, "count": access.n_accesses }));
        json!({
            "name": kernel.name.as_str(),
            "target": it.target(),
            "threads": kernel.plan.threads,
            "registers": resources.registers,
            "spill_bytes": resources.spill_bytes,
            "shared_bytes": resources.shared_bytes,
            "stack_bytes": resources.stack_bytes,
            "blocks_per_multiprocessor": resources.blocks_per_sm,
            "occupancy": resources.occupancy_percent.map(|it| f64::from(it) / 100.0),
            "instructions": resources.instructions,
            "accesses": accesses.collect::<Value>(),
        })
    });
    json!({ "compiler": COMPILER, "kernels": kernels.collect::<Value>() })
}

fn summary(resources: &Resources) -> manifest::Resources {
    manifest::Resources {
        registers: resources.registers,
        spill_bytes: resources.spill_bytes,
        shared_bytes: Some(resources.shared_bytes),
        stack_bytes: resources.stack_bytes,
    }
}

fn contents(artifacts: &Artifacts) -> impl Iterator<Item = (ObjectKind, &[u8])> {
    fn text(it: &Option<String>) -> Option<&[u8]> {
        it.as_deref().map(str::as_bytes)
    }
    [
        (ObjectKind::Ll, text(&artifacts.llvm_ir)),
        (ObjectKind::Ptx, text(&artifacts.ptx)),
        (ObjectKind::Cubin, artifacts.cubin.as_deref()),
        (ObjectKind::S, text(&artifacts.assembly)),
        (ObjectKind::Hsaco, artifacts.hsaco.as_deref()),
    ]
    .into_iter()
    .filter_map(|(kind, content)| Some((kind, content?)))
}

fn artifact(kind: ObjectKind) -> Artifact {
    match kind {
        ObjectKind::Ll => Artifact::Ll,
        ObjectKind::Ptx => Artifact::Ptx,
        ObjectKind::Cubin => Artifact::Cubin,
        ObjectKind::S => Artifact::S,
        ObjectKind::Hsaco => Artifact::Hsaco,
    }
}
