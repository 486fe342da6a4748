//! Every test of the standard library and of the examples, on the interpreter.

use std::fs;
use std::path::PathBuf;

use tile_language::db::SourceFile;
use tile_language::host::HostRun;
use tile_language::interp::Interp;
use tile_language::query::Database;
use tile_language::target::TargetId;

/// Runs the tests of a file for a target; gives those that failed, with why.
fn failures(db: &Database, file: SourceFile, target: TargetId) -> String {
    let mut wrong = String::new();
    for test in db.tests(file).iter().filter(|it| !it.is_bench) {
        let is_meant = |list: &[smol_str::SmolStr], name: &str| list.is_empty() || list.iter().any(|it| it == name);
        if !is_meant(&test.engines, "interp") || !is_meant(&test.targets, target.row().name) {
            continue;
        }
        let mut engine = Interp::new(target);
        let mut run = HostRun::new(&mut engine, 1);
        let end = db.run_test(&test.key, target, &mut run);
        let at = format!("{} for {}, {}", file.path(db), target.row().name, test.title);
        for it in end.diagnostics.iter().filter(|it| it.severity == tile_language::diagnostic::Severity::Error) {
            wrong += &format!("{at}: {} {}\n", it.code, it.message);
        }
        for it in &run.warnings {
            wrong += &format!("{at}: {} {:?}\n", it.1.message, it.1.details);
        }
        if let Some(it) = end.failure {
            wrong += &format!("{at}: {} {:?}\n", it.error.message, it.error.details);
        }
    }
    wrong
}

fn targets() -> [TargetId; 2] {
    ["sm_90a", "gfx942"].map(|it| TargetId::from_name(it).unwrap())
}

#[test]
fn the_library_passes_its_own_tests() {
    let db = Database::default();
    let mut wrong = String::new();
    for file in db.library() {
        for target in targets() {
            wrong += &failures(&db, file, target);
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn the_examples_pass_their_tests() {
    let mut db = Database::default();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut wrong = String::new();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "tile")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = db.set_file(&name, &fs::read_to_string(path).unwrap());
        for target in targets() {
            wrong += &failures(&db, file, target);
        }
    }
    assert_eq!(wrong, "");
}
