//! The sample programs that the tests share.

use std::fs;
use std::path::PathBuf;

/// The sample programs, by name.
pub(crate) fn programs() -> Vec<(String, String)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut programs: Vec<_> = fs::read_dir(dir)
        .expect("the folder is part of the crate")
        .map(|it| it.expect("a readable entry").path())
        .filter(|it| it.extension().is_some_and(|it| it == "tile"))
        .map(|it| {
            let name = it.file_name().expect("it has one").to_string_lossy().into_owned();
            (name, fs::read_to_string(it).expect("UTF-8"))
        })
        .collect();
    programs.sort();
    programs
}
