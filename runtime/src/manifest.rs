//! The manifest of a library: what `tilec build` made and what a launcher must know of it.
//!
//! # Invariants
//! * M1: a manifest of another format or version is refused, never guessed at.
//! * M2: a code object is handed out only if its length and hash are those of the manifest.
//! * M3: names of files are relative and stay inside the library.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tile_plan::LaunchPlan;

/// The word that marks a manifest of this format.
pub const FORMAT: &str = "tile-library";

/// The version of the format that this crate writes and reads.
pub const VERSION: u32 = 1;

/// The name of the manifest in its directory.
pub const FILE_NAME: &str = "manifest.json";

/// What a library holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// The compiler that made it, with its version.
    pub compiler: String,
    /// A row for each kernel and target, in the order of the sources and then of the targets.
    pub kernels: Vec<KernelEntry>,
}

/// One kernel for one target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KernelEntry {
    /// The instance's name, which is the symbol in its code objects.
    pub name: String,
    /// The target.
    pub target: String,
    /// How it is launched.
    pub plan: LaunchPlan,
    /// Bytes of shared memory that a launch asks for, because they are more than a kernel may declare.
    #[serde(default)]
    pub dynamic_shared_bytes: u32,
    /// What it needs, as far as the assembler said.
    pub resources: Resources,
    /// Its files.
    pub objects: Vec<CodeObject>,
}

/// What a kernel needs. `None` where nothing could say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Resources {
    /// Registers of a thread.
    pub registers: Option<u32>,
    /// Bytes spilled by a thread.
    pub spill_bytes: Option<u32>,
    /// Bytes of shared memory a block.
    pub shared_bytes: Option<u32>,
    /// Bytes of stack a thread.
    pub stack_bytes: Option<u32>,
}

/// One file of a kernel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CodeObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its path, relative to the manifest.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

/// Kinds of files, by extension.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectKind {
    /// The LLVM module.
    Ll,
    /// NVIDIA's virtual assembly, which the driver compiles.
    Ptx,
    /// NVIDIA's machine code.
    Cubin,
    /// AMD's assembly.
    S,
    /// AMD's machine code.
    Hsaco,
}

impl ObjectKind {
    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            ObjectKind::Ll => "ll",
            ObjectKind::Ptx => "ptx",
            ObjectKind::Cubin => "cubin",
            ObjectKind::S => "s",
            ObjectKind::Hsaco => "hsaco",
        }
    }
}

/// Why a library cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are the words of the sentences")]
pub enum LibraryError {
    #[error("cannot read `{}`: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` is truncated: it ends in the middle of line {line}", path.display())]
    Truncated { path: PathBuf, line: usize },
    #[error("`{}` is no manifest of a Tile library: {why}", path.display())]
    Foreign { path: PathBuf, why: String },
    #[error("`{}` has version {found} of the format, this program reads version {VERSION}", path.display())]
    OtherVersion { path: PathBuf, found: u64 },
    #[error("`{}` names the file `{file}`, which would lie outside the library", path.display())]
    Outside { path: PathBuf, file: String },
    #[error("`{}` is not the file that was built: {why}", path.display())]
    Changed { path: PathBuf, why: String },
    #[error("the library has no kernel `{kernel}` for `{target}`; it has {there}")]
    NoKernel { kernel: String, target: String, there: String },
    #[error("the library has no {wanted} of `{kernel}` for `{target}`")]
    NoObject { kernel: String, target: String, wanted: &'static str },
}

/// A directory that `tilec build` made, with its manifest read and checked.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
    manifest: Manifest,
}

impl Library {
    /// Reads the manifest of `folder`.
    pub fn open(folder: &Path) -> Result<Library, LibraryError> {
        let path = folder.join(FILE_NAME);
        let text = fs::read_to_string(&path)
            .map_err(|source| LibraryError::Read { path: path.clone(), source })?;
        let manifest = parse(&path, &text)?;
        for object in manifest.kernels.iter().flat_map(|it| &it.objects) {
            if !stays_inside(&object.file) {
                return Err(LibraryError::Outside { path, file: object.file.clone() });
            }
        }
        Ok(Library { folder: folder.to_owned(), manifest })
    }

    /// What it holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The row of a kernel for a target.
    pub fn kernel(&self, name: &str, target: &str) -> Result<&KernelEntry, LibraryError> {
        let kernels = &self.manifest.kernels;
        kernels.iter().find(|it| it.name == name && it.target == target).ok_or_else(|| {
            let there: Vec<_> =
                kernels.iter().map(|it| format!("`{}` for `{}`", it.name, it.target)).collect();
            let there = if there.is_empty() { "no kernels".to_owned() } else { there.join(", ") };
            LibraryError::NoKernel { kernel: name.to_owned(), target: target.to_owned(), there }
        })
    }

    /// The content of a kernel's file of the first of `kinds` that it has.
    pub fn object(
        &self,
        kernel: &KernelEntry,
        kinds: &[ObjectKind],
    ) -> Result<(ObjectKind, Vec<u8>), LibraryError> {
        let found = kinds.iter().find_map(|kind| kernel.objects.iter().find(|it| it.kind == *kind));
        let object = found.ok_or_else(|| LibraryError::NoObject {
            kernel: kernel.name.clone(),
            target: kernel.target.clone(),
            wanted: kinds.first().map_or("file", |it| it.extension()),
        })?;
        Ok((object.kind, self.read(object)?))
    }

    fn read(&self, object: &CodeObject) -> Result<Vec<u8>, LibraryError> {
        let path = self.folder.join(&object.file);
        let bytes =
            fs::read(&path).map_err(|source| LibraryError::Read { path: path.clone(), source })?;
        if bytes.len() as u64 != object.bytes {
            let why = format!("it has {} bytes where {} were written", bytes.len(), object.bytes);
            return Err(LibraryError::Changed { path, why });
        }
        if sha256(&bytes) != object.sha256 {
            return Err(LibraryError::Changed { path, why: "its hash differs".to_owned() });
        }
        Ok(bytes)
    }
}

impl Manifest {
    /// An empty manifest of this version.
    pub fn new(compiler: impl Into<String>) -> Self {
        let format = FORMAT.to_owned();
        Manifest { format, version: VERSION, compiler: compiler.into(), kernels: Vec::new() }
    }

    /// Its text: JSON, the same bytes for the same content.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest has string keys only");
        text.push('\n');
        text
    }
}

impl CodeObject {
    /// The row of a file with that content.
    pub fn describe(kind: ObjectKind, file: impl Into<String>, content: &[u8]) -> Self {
        let bytes = content.len() as u64;
        CodeObject { kind, file: file.into(), bytes, sha256: sha256(content) }
    }
}

/// The parts that every version has.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u64,
}

fn parse(path: &Path, text: &str) -> Result<Manifest, LibraryError> {
    let refuse = |error: serde_json::Error| {
        let path = path.to_owned();
        if error.is_eof() {
            LibraryError::Truncated { path, line: error.line() }
        } else {
            LibraryError::Foreign { path, why: error.to_string() }
        }
    };
    let header: Header = serde_json::from_str(text).map_err(refuse)?;
    if header.format != FORMAT {
        let why = format!("its format is `{}`", header.format);
        return Err(LibraryError::Foreign { path: path.to_owned(), why });
    }
    if header.version != u64::from(VERSION) {
        return Err(LibraryError::OtherVersion { path: path.to_owned(), found: header.version });
    }
    serde_json::from_str(text).map_err(refuse)
}

pub(crate) fn stays_inside(file: &str) -> bool {
    !file.is_empty() && Path::new(file).components().all(|it| matches!(it, Component::Normal(_)))
}

/// The SHA-256 of `bytes`, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|it| format!("{it:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(
        edit: impl FnOnce(String) -> String,
    ) -> (tempfile::TempDir, Result<Library, String>) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ptx = b".version 8.6\n";
        let entry = KernelEntry {
            name: "copy".to_owned(),
            target: "sm_90a".to_owned(),
            plan: LaunchPlan::default(),
            dynamic_shared_bytes: 0,
            resources: Resources { registers: Some(16), ..Resources::default() },
            objects: vec![CodeObject::describe(ObjectKind::Ptx, "sm_90a/copy.ptx", ptx)],
        };
        let mut manifest = Manifest::new("tilec 0.1.0");
        manifest.kernels.push(entry);
        fs::create_dir(folder.path().join("sm_90a")).expect("a folder");
        fs::write(folder.path().join("sm_90a/copy.ptx"), ptx).expect("a file");
        fs::write(folder.path().join(FILE_NAME), edit(manifest.to_json())).expect("a manifest");
        let library = Library::open(folder.path()).map_err(|it| it.to_string());
        (folder, library)
    }

    #[track_caller]
    fn refused(edit: impl FnOnce(String) -> String, expect: &str) {
        let (_folder, library) = library(edit);
        let message = library.expect_err("the library is refused");
        assert!(message.contains(expect), "{message}");
    }

    #[test]
    fn what_was_written_is_read() {
        let (_folder, library) = library(|it| it);
        let library = library.expect("the library opens");
        let kernel = library.kernel("copy", "sm_90a").expect("the kernel is there");
        let (kind, bytes) = library
            .object(kernel, &[ObjectKind::Cubin, ObjectKind::Ptx])
            .expect("its PTX is there");
        assert_eq!((kind, bytes.as_slice()), (ObjectKind::Ptx, b".version 8.6\n".as_slice()));
        let missing = library.kernel("copy", "gfx942").expect_err("no such target").to_string();
        assert_eq!(
            missing,
            "the library has no kernel `copy` for `gfx942`; it has `copy` for `sm_90a`"
        );
    }

    #[test]
    fn m1_another_format_or_version_is_refused() {
        refused(|it| it.replace("\"version\": 1", "\"version\": 7"), "has version 7 of the format");
        refused(|it| it.replace(FORMAT, "zip"), "its format is `zip`");
        refused(|_| "{}".to_owned(), "is no manifest of a Tile library: missing field `format`");
        refused(|it| it[..it.len() / 2].to_owned(), "is truncated");
        refused(|_| String::new(), "is truncated");
    }

    #[test]
    fn m2_a_changed_file_is_refused() {
        for (content, why) in [(".version 8.7\n", "its hash differs"), ("", "it has 0 bytes")] {
            let (folder, library) = library(|it| it);
            let library = library.expect("the library opens");
            fs::write(folder.path().join("sm_90a/copy.ptx"), content).expect("a file");
            let kernel = library.kernel("copy", "sm_90a").expect("the kernel is there");
            let error = library.object(kernel, &[ObjectKind::Ptx]).expect_err("it was changed");
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn m3_files_stay_inside_the_library() {
        for file in ["../x.ptx", "/etc/passwd", "a/../../b"] {
            refused(|it| it.replace("sm_90a/copy.ptx", file), "outside the library");
        }
    }
}
