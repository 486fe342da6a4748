//! The standard library on the interpreter: its tests, and the examples in its documentation.

use tile_language::db::SourceFile;
use tile_language::host::HostRun;
use tile_language::interp::Interp;
use tile_language::query::Database;
use tile_language::target::TargetId;

/// Runs the tests of a file for a target; gives those that failed, with why.
fn failures(db: &Database, file: SourceFile, target: TargetId) -> String {
    let mut wrong = String::new();
    for test in db.tests(file).iter().filter(|it| !it.is_bench) {
        let is_meant = |list: &[smol_str::SmolStr], name: &str| {
            list.is_empty() || list.iter().any(|it| it == name)
        };
        if !is_meant(&test.engines, "interp") || !is_meant(&test.targets, target.row().name) {
            continue;
        }
        let mut engine = Interp::new(target);
        let mut run = HostRun::new(&mut engine, 1);
        let end = db.run_test(&test.key, target, &mut run);
        let at = format!("{} for {}, {}", file.path(db), target.row().name, test.title);
        for it in end
            .diagnostics
            .iter()
            .filter(|it| it.severity == tile_language::diagnostic::Severity::Error)
        {
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

/// The fenced programs in the `///` and `//!` lines of a file.
fn documented(text: &str) -> Vec<String> {
    let docs = text.lines().filter_map(|it| {
        let it = it.trim_start();
        it.strip_prefix("///")
            .or_else(|| it.strip_prefix("//!"))
            .map(|it| it.strip_prefix(' ').unwrap_or(it))
    });
    let mut found = Vec::new();
    let mut lines = docs.into_iter();
    while let Some(line) = lines.next() {
        if line == "```tile" {
            let program: Vec<&str> = lines.by_ref().take_while(|it| *it != "```").collect();
            found.push(program.join("\n") + "\n");
        }
    }
    found
}

#[test]
fn every_example_in_the_librarys_documentation_is_clean_and_passes() {
    let mut db = Database::default();
    let mut wrong = String::new();
    let mut n_examples = 0;
    for file in db.library() {
        for program in documented(&file.text(&db).clone()) {
            n_examples += 1;
            let path = format!("{}_{n_examples}.tile", file.module(&db).join("_"));
            let shown = db.set_file(&path, &program);
            for target in targets() {
                for it in db.check(shown, &[target]) {
                    wrong += &format!("{path}: {} {}\n{program}", it.code, it.message);
                }
                wrong += &failures(&db, shown, target);
            }
        }
    }
    assert_eq!(wrong, "");
    assert!(5 <= n_examples, "{n_examples} examples were found");
}
