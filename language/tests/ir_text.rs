//! The IR of every example: sound, and the same after printing and parsing.

use std::fs;
use std::path::PathBuf;

use tile_language::ir::parse::parse;
use tile_language::ir::verify::verify;
use tile_language::query::Database;
use tile_language::target::TargetId;

#[test]
fn every_example_is_sound_and_survives_its_text() {
    let mut db = Database::default();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut n_kernels = 0;
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "tile")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = db.set_file(&name, &fs::read_to_string(path).unwrap());
        for target in ["sm_80", "sm_90a", "gfx942"] {
            for (kernel_name, kernel) in db.kernels(file, TargetId::from_name(target).unwrap()) {
                let broken: Vec<String> = verify(&kernel).iter().map(ToString::to_string).collect();
                assert!(broken.is_empty(), "{name}, {kernel_name}, {target}: {broken:#?}");
                let text = kernel.to_string();
                let again = parse(&text)
                    .unwrap_or_else(|error| panic!("{name}, {kernel_name}: {error}\n{text}"));
                assert!(
                    again == *kernel,
                    "{name}, {kernel_name}, {target}: another kernel after printing and parsing"
                );
                n_kernels += 1;
            }
        }
    }
    assert!(30 <= n_kernels, "only {n_kernels} kernels");
}
