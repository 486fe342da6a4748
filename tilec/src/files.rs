//! Source files: which ones a path stands for, and their text.
//!
//! A directory stands for every `.tile` file in it and below, in the order of their paths; folders
//! whose names begin with a dot are passed over. Line endings of any system are text like any
//! other; a byte-order mark is dropped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The largest source file, in bytes: spans are 32-bit and no kernel comes near it.
const SOURCE_BYTES_MAX: u64 = 16 << 20;

/// The extension of source files.
pub(crate) const EXTENSION: &str = "tile";

/// A file with its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SourceFile {
    /// As the caller named it, or the directory it was found in with the rest appended.
    pub(crate) path: PathBuf,
    /// Its text.
    pub(crate) text: String,
}

/// The files that `paths` stand for, each once, in order.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|source| unreadable(path, source))?;
        let before = found.len();
        if metadata.is_dir() {
            walk(path, &mut found)?;
            if found.len() == before {
                return Err(Failure::NothingThere { path: path.clone() });
            }
        } else {
            found.push(path.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|it| seen.insert(it.clone()));
    Ok(found)
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(directory).map_err(|source| unreadable(directory, source))?;
    let mut paths = entries
        .map(|it| it.map(|it| it.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|source| unreadable(directory, source))?;
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|it| it.as_encoded_bytes().starts_with(b"."));
        let is_link = path.is_symlink();
        if hidden {
            continue;
        }
        if path.is_dir() && !is_link {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|it| it == EXTENSION) {
            found.push(path);
        }
    }
    Ok(())
}

/// The other source files in the folders of `paths`, as far as they can be read: what a `use` may
/// name.
pub(crate) fn neighbours(paths: &[PathBuf]) -> Vec<SourceFile> {
    let folder = |it: &PathBuf| match it.parent() {
        Some(it) if !it.as_os_str().is_empty() => it.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut folders: Vec<PathBuf> = paths.iter().map(folder).collect();
    folders.sort();
    folders.dedup();
    let mut found = Vec::new();
    for folder in folders {
        let mut there: Vec<PathBuf> =
            fs::read_dir(&folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
        there.sort();
        there.retain(|it| it.extension().is_some_and(|it| it == EXTENSION));
        there.retain(|it| !paths.iter().any(|known| same(known, it)));
        found.extend(there.iter().filter_map(|it| read(it).ok()));
    }
    found
}

fn same(a: &Path, b: &Path) -> bool {
    a.file_name() == b.file_name() && a.canonicalize().ok() == b.canonicalize().ok()
}

/// Reads a source file.
pub(crate) fn read(path: &Path) -> Result<SourceFile, Failure> {
    let bytes_there = fs::metadata(path).map_err(|source| unreadable(path, source))?.len();
    if SOURCE_BYTES_MAX < bytes_there {
        let path = path.to_owned();
        return Err(Failure::TooLarge { path, bytes: bytes_there, max: SOURCE_BYTES_MAX });
    }
    let bytes = fs::read(path).map_err(|source| unreadable(path, source))?;
    let text = String::from_utf8(bytes).map_err(|error| not_text(path, &error))?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(SourceFile { path: path.to_owned(), text })
}

/// Writes a file, and the folders above it. A file that has that content is left as it is, so that
/// whoever watches it sees a change only where there is one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failure = |source| Failure::Write { path: path.to_owned(), source };
    if fs::read(path).is_ok_and(|it| it == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failure)?;
    }
    fs::write(path, bytes).map_err(failure)
}

fn unreadable(path: &Path, source: io::Error) -> Failure {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Failure::NotFound { path },
        _ => Failure::Read { path, source },
    }
}

fn not_text(path: &Path, error: &std::string::FromUtf8Error) -> Failure {
    let offset = error.utf8_error().valid_up_to();
    let bytes = error.as_bytes();
    let line = 1 + bytes[..offset].iter().filter(|&&it| it == b'\n').count();
    Failure::NotText { path: path.to_owned(), line, byte: bytes[offset] }
}
