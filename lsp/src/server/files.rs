//! The files that the server knows: documents of the editor, files of its folders and the library.
//!
//! A document that is open is what the editor says it is; a file that is not is what the disk says.
//! The table says which file of the database a URI means and back; texts live in the database alone.
//! No client writes to files of the library.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};
use tile_language::db::SourceFile;
use tile_language::query::Database;
use tower_lsp::ls_types::Uri;

use super::library::Home;

/// The scheme of documents that only this server has.
pub(super) const SCHEME: &str = "tile";

/// The extension of source files.
const EXTENSION: &str = "tile";

/// The largest file that is read from disk, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The most files that are read from the folders of a workspace.
const FILES_MAX: usize = 20_000;

/// How many folders deep files are looked for.
const DEPTH_MAX: usize = 32;

/// A file as the disk has it.
pub(super) struct DiskFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// What is known of a file besides its text.
#[derive(Clone, Debug)]
struct Entry {
    file: SourceFile,
    uri: Uri,
    /// The version of the open document.
    version: Option<i32>,
}

/// The table of files.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    by_key: FxHashMap<String, u32>,
    entries: FxHashMap<u32, Entry>,
    /// How many files the library has; their numbers are the lowest.
    n_library: u32,
    /// Folders whose own files were read.
    folders: FxHashSet<PathBuf>,
}

/// What is the same for all spellings of a URI: the path of a file, or the text.
fn key(uri: &Uri) -> String {
    match path_of(uri) {
        Some(path) => path.to_string_lossy().into_owned(),
        None => uri.as_str().to_owned(),
    }
}

/// The path of a `file:` URI.
pub(super) fn path_of(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    is_file.then(|| uri.to_file_path().map(Cow::into_owned)).flatten()
}

impl Files {
    /// The files of the library, by the names that they have for this client.
    pub(super) fn of_library(db: &Database, home: &Home) -> Files {
        let mut files = Files::default();
        for file in db.library() {
            if let Some(uri) = home.uri(file.path(db)) {
                files.insert(file, file.number(db), uri);
            }
        }
        files.n_library = files.entries.len() as u32;
        files
    }

    /// Whether a file is the library's.
    fn is_of_library(&self, number: u32) -> bool {
        number < self.n_library
    }

    fn insert(&mut self, file: SourceFile, number: u32, uri: Uri) {
        self.by_key.insert(key(&uri), number);
        self.entries.insert(number, Entry { file, uri, version: None });
    }

    fn entry(&self, uri: &Uri) -> Option<&Entry> {
        self.entries.get(self.by_key.get(&key(uri))?)
    }

    fn entry_mut(&mut self, uri: &Uri) -> Option<&mut Entry> {
        self.entries.get_mut(self.by_key.get(&key(uri))?)
    }

    /// The file of a URI.
    pub(super) fn file(&self, uri: &Uri) -> Option<SourceFile> {
        self.entry(uri).map(|it| it.file)
    }

    /// The URI of the file with that number.
    pub(super) fn uri(&self, number: u32) -> Option<Uri> {
        self.entries.get(&number).map(|it| it.uri.clone())
    }

    /// The version of a document, if it is open.
    pub(super) fn version(&self, uri: &Uri) -> Option<i32> {
        self.entry(uri)?.version
    }

    /// The open documents, in the order of their numbers.
    pub(super) fn open(&self) -> Vec<(u32, SourceFile, i32)> {
        let open = self.entries.iter().filter_map(|(n, it)| Some((*n, it.file, it.version?)));
        let mut open: Vec<_> = open.collect();
        open.sort_by_key(|it| it.0);
        open
    }

    /// The files that are the user's, in the order of their numbers.
    pub(super) fn of_user(&self) -> Vec<(u32, SourceFile)> {
        let entries = self.entries.iter().filter(|it| !self.is_of_library(*it.0));
        let mut files: Vec<_> = entries.map(|(n, it)| (*n, it.file)).collect();
        files.sort_by_key(|it| it.0);
        files
    }

    /// Whether the files of a folder are there.
    pub(super) fn has_folder(&self, folder: &Path) -> bool {
        self.folders.contains(folder)
    }

    /// Notes that the files of a folder are there.
    pub(super) fn note_folder(&mut self, folder: PathBuf) {
        self.folders.insert(folder);
    }

    /// Opens a document, or takes over a new version of it.
    pub(super) fn set_open(&mut self, db: &mut Database, uri: &Uri, version: i32, text: &str) {
        self.set(db, uri, text);
        if let Some(entry) = self.entry_mut(uri) {
            entry.version = Some(version);
            entry.uri = uri.clone();
        }
    }

    /// Sets the text of a file, new or known. The library's files stay as they are.
    fn set(&mut self, db: &mut Database, uri: &Uri, text: &str) {
        match self.file(uri) {
            Some(file) if self.is_of_library(file.number(db)) => {}
            Some(file) => db.set_text(file, text),
            None => {
                let file = db.add_file(&key(uri), text);
                self.insert(file, file.number(db), uri.clone());
            }
        }
    }

    /// Whether taking over what the disk has would change nothing.
    pub(super) fn is_as_on_disk(&self, db: &Database, file: &DiskFile) -> bool {
        let Some(uri) = Uri::from_file_path(&file.path) else { return true };
        match self.file(&uri) {
            Some(known) => self.version(&uri).is_some() || *known.text(db) == file.text,
            None => false,
        }
    }

    /// Takes over what the disk has, where no document is open.
    pub(super) fn set_from_disk(&mut self, db: &mut Database, file: &DiskFile) {
        if let Some(uri) = Uri::from_file_path(&file.path)
            && self.version(&uri).is_none()
        {
            self.set(db, &uri, &file.text);
        }
    }

    /// Closes a document: the file is what the disk has, or gone. Whether anything changed.
    pub(super) fn close(&mut self, db: &mut Database, uri: &Uri) {
        let Some(entry) = self.entry_mut(uri) else { return };
        entry.version = None;
        self.reload(db, uri);
    }

    /// Reads a file again that may have changed, come or gone, unless it is open.
    pub(super) fn reload(&mut self, db: &mut Database, uri: &Uri) {
        let is_of_library = |it: SourceFile| self.is_of_library(it.number(db));
        if self.version(uri).is_some() || self.file(uri).is_some_and(is_of_library) {
            return;
        }
        match path_of(uri).and_then(|it| read(&it)) {
            Some(it) => self.set(db, uri, &it.text),
            None => self.remove(db, uri),
        }
    }

    fn remove(&mut self, db: &mut Database, uri: &Uri) {
        if let Some(number) = self.by_key.remove(&key(uri))
            && let Some(entry) = self.entries.remove(&number)
        {
            db.remove_file(entry.file);
        }
    }

    /// Forgets the files below a folder that are not open.
    pub(super) fn remove_folder(&mut self, db: &mut Database, folder: &Path) {
        let below = |it: &&Entry| {
            it.version.is_none() && path_of(&it.uri).is_some_and(|it| it.starts_with(folder))
        };
        let gone: Vec<Uri> = self.entries.values().filter(below).map(|it| it.uri.clone()).collect();
        gone.iter().for_each(|it| self.remove(db, it));
    }
}

/// A source file of the disk; `None` if it cannot be read, is no text or too large.
fn read(path: &Path) -> Option<DiskFile> {
    if FILE_BYTES_MAX < fs::metadata(path).ok()?.len() {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Some(DiskFile { path: path.to_owned(), text })
}

/// The source files of a folder itself: what a `use` of a file in it may name.
pub(super) fn beside(folder: &Path) -> Vec<DiskFile> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|it| it.path()).collect();
    paths.retain(|it| it.extension().is_some_and(|it| it == EXTENSION));
    paths.sort();
    paths.iter().filter_map(|it| read(it)).collect()
}

/// The source files of a folder and those below it, in the order of their paths. Links to folders
/// and folders whose names begin with a dot are passed over.
pub(super) fn below(folder: &Path) -> Vec<DiskFile> {
    let mut found = Vec::new();
    walk(folder, DEPTH_MAX, &mut found);
    found
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<DiskFile>) {
    found.extend(beside(folder));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_folder = |it: &fs::DirEntry| it.file_type().is_ok_and(|it| it.is_dir());
    let is_shown = |it: &fs::DirEntry| !it.file_name().as_encoded_bytes().starts_with(b".");
    let mut folders: Vec<PathBuf> =
        entries.filter(|it| is_folder(it) && is_shown(it)).map(|it| it.path()).collect();
    folders.sort();
    for it in folders {
        if depth == 0 || FILES_MAX <= found.len() {
            return;
        }
        walk(&it, depth - 1, found);
    }
}
