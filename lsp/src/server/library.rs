//! The standard library and the pages of diagnostics as documents that an editor can open.
//!
//! They are part of this program and have no files. A client that opens documents of the scheme `tile`
//! gets `tile:/std/reduce.tile` and asks this server for the text. Any other client gets files:
//! copies in the user's cache, written once a version, which nobody is meant to change.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tile_language::db::SourceFile;
use tile_language::query::Database;
use tower_lsp::ls_types::Uri;

use super::files::SCHEME;
use crate::pages;

/// How the documents are called.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) enum Home {
    /// By URIs of the scheme `tile`.
    #[default]
    Virtual,
    /// By files below this folder.
    Folder(PathBuf),
}

impl Home {
    /// The folder of this version in the user's cache.
    pub(super) fn in_cache() -> Home {
        let of = |name: &str| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
        let cache = of("XDG_CACHE_HOME")
            .or_else(|| of("LOCALAPPDATA"))
            .or_else(|| of("HOME").map(|it| it.join(".cache")))
            .unwrap_or_else(env::temp_dir);
        Home::Folder(cache.join("tile").join(env!("CARGO_PKG_VERSION")))
    }

    /// The URI of a document, `std/reduce.tile` or `diagnostics/E0201.md`.
    pub(super) fn uri(&self, name: &str) -> Option<Uri> {
        match self {
            Home::Virtual => Uri::from_str(&format!("{SCHEME}:/{name}")).ok(),
            Home::Folder(folder) => Uri::from_file_path(folder.join(name)),
        }
    }

    /// The page of a diagnostic's code.
    pub(super) fn page(&self, code: &str) -> Option<Uri> {
        pages::page(code).and_then(|_| self.uri(&format!("diagnostics/{code}.md")))
    }

    /// Writes the documents, where they are files and are not there. What cannot be written is
    /// missing when somebody goes there; nothing else depends on it.
    pub(super) fn write(&self, library: &[(String, String)]) {
        let Home::Folder(folder) = self else { return };
        for (name, text) in library {
            write(&folder.join(name), text);
        }
        for (code, text) in pages::all() {
            write(&folder.join("diagnostics").join(format!("{code}.md")), text);
        }
    }
}

fn write(path: &Path, text: &str) {
    if fs::read(path).is_ok_and(|it| it == text.as_bytes()) {
        return;
    }
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    // Written beside and moved, so that another server never reads half a file.
    let draft = path.with_extension(format!("{}.draft", std::process::id()));
    let _ = made.and_then(|()| fs::write(&draft, text)).and_then(|()| {
        let mut permissions = fs::metadata(&draft)?.permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&draft, permissions)?;
        fs::rename(&draft, path)
    });
}

/// Names and texts of the library's files.
pub(super) fn texts(db: &Database) -> Vec<(String, String)> {
    let text = |it: SourceFile| (it.path(db).clone(), it.text(db).clone());
    db.library().into_iter().map(text).collect()
}

/// The text of a document of the scheme `tile`, by its path.
pub(super) fn text(db: &Database, path: &str) -> Option<String> {
    let name = path.trim_start_matches('/');
    if let Some(code) = name.strip_prefix("diagnostics/").and_then(|it| it.strip_suffix(".md")) {
        return pages::page(code).map(str::to_owned);
    }
    let file = db.library().into_iter().find(|it| it.path(db) == name)?;
    Some(file.text(db).clone())
}
