//! Whole programs through the front end.

use std::fs;
use std::path::PathBuf;

use tile_language::diagnostic::Severity;
use tile_language::query::Database;
use tile_language::target::TargetId;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The errors of a text, one a line: place, code, message.
fn errors(path: &str, text: &str, targets: &[&str]) -> String {
    let mut db = Database::default();
    let file = db.set_file(path, text);
    let targets: Vec<TargetId> = targets.iter().map(|it| TargetId::from_name(it).unwrap()).collect();
    let mut shown = String::new();
    for it in db.check(file, &targets).iter().filter(|it| it.severity == Severity::Error) {
        let at = db.locate(&it.place).unwrap();
        let before = &at.file.text(&db)[..at.span.lo as usize];
        let line = before.matches('\n').count() + 1;
        shown += &format!("{}:{line}: {} {}\n", at.file.path(&db), it.code, it.message);
        for reason in &it.reasons {
            if let Some(at) = db.locate(&reason.place) {
                let line = at.file.text(&db)[..at.span.lo as usize].matches('\n').count() + 1;
                shown += &format!("    {}:{line}: {}\n", at.file.path(&db), reason.message);
            }
        }
    }
    shown
}

#[test]
fn every_example_is_without_error_for_every_target() {
    let mut wrong = String::new();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder("examples")).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "tile")) {
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        wrong += &errors(&name, &text, &["sm_80", "sm_90a", "gfx942"]);
    }
    assert_eq!(wrong, "");
}
