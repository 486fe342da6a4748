//! From an AMD object to a code object that a driver loads: LLD, as a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::error::BuildError;

/// How to get a linker.
pub(crate) const REMEDY: &str = "install LLD (Debian: `lld-22`), or name it in `TILE_LLD`";

/// LLD for ELF, if there is one: `TILE_LLD`, or on the `PATH` with the version of our LLVM first.
pub fn find_lld() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(search).clone()
}

fn search() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TILE_LLD") {
        let named = PathBuf::from(named);
        return named.is_file().then_some(named);
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let on_path = |name: &str| folders.iter().map(|it| it.join(name)).find(|it| it.is_file());
    on_path("ld.lld-22").or_else(|| on_path("ld.lld"))
}

/// Links an object.
pub(crate) fn link(lld: &Path, object: &[u8], kernel: &str) -> Result<Vec<u8>, BuildError> {
    let failed =
        |source| BuildError::Run { kernel: kernel.to_owned(), tool: lld.to_owned(), source };
    let folder = tempfile::tempdir().map_err(failed)?;
    let (input, output) = (folder.path().join("kernel.o"), folder.path().join("kernel.hsaco"));
    std::fs::write(&input, object).map_err(failed)?;
    let done = Command::new(lld)
        .arg("-shared")
        .arg(&input)
        .arg("-o")
        .arg(&output)
        .output()
        .map_err(failed)?;
    if !done.status.success() {
        let message = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        return Err(BuildError::Refused {
            kernel: kernel.to_owned(),
            tool: lld.to_owned(),
            message,
        });
    }
    std::fs::read(&output).map_err(failed)
}
