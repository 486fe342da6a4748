//! `tilec test --schedules`: what goes wrong in some orders only is found, and the command that is shown shows it again.

use std::fs;

use tile_tests::{Answer, tilec};
use tilec::Exit;

/// Blocks take tickets; the kernel is wrong if the sixth one of eight comes first.
const TICKETS: &str = "\
kernel tickets(count: global mut i32[1], wrong: global mut i32[1]) grid [8] warps 1 {
    let ticket = atomic_add(count.at(0), 1);
    if ticket == 0 && block_id(0) == 5 {
        store(wrong.at(0), 1);
    }
}

test \"the sixth block isn't the first\" {
    let (count, wrong) = (zeros(i32[1]), zeros(i32[1]));
    tickets(count, wrong);
    expect_equal(wrong, zeros(i32[1]));
}
";

/// A folder with the program, and its path.
fn program() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("tickets.tile");
    fs::write(&file, TICKETS).expect("a file in it");
    let path = file.display().to_string();
    (folder, path)
}

fn test(path: &str, engine: &str, more: &[&str]) -> Answer {
    let usual = ["test", path, "--on", engine, "--target", "sm_90a", "--format", "json"];
    tilec(usual.iter().chain(more))
}

#[test]
fn what_is_wrong_under_some_schedules_is_found_and_found_again() {
    let (_folder, path) = program();
    for engine in ["interp", "sim"] {
        assert_eq!(test(&path, engine, &[]).exit, Exit::Fine, "{engine}: the usual order is right");
        let answer = test(&path, engine, &["--schedules", "50"]);
        assert_eq!(answer.exit, Exit::Program, "{engine}");
        let outcome = &answer.objects()[0];
        let n_schedules = outcome["schedules"].as_u64().expect("a number");
        assert!((2..=50).contains(&n_schedules), "{engine}: {outcome}");
        let seed = outcome["seed"].as_u64().expect("a number").to_string();
        let title = "'the sixth block isn'\\''t the first'";
        let replay = format!("--filter {title} --on {engine} --target sm_90a --seed {seed}");
        let shown = outcome["replay"].as_str().expect("a failure has a command");
        assert!(shown.ends_with(&replay), "{shown}");
        let again = test(&path, engine, &["--seed", &seed]);
        assert_eq!(again.exit, Exit::Program, "{engine}: seed {seed} alone");
        assert_eq!(again.objects()[0]["findings"], outcome["findings"]);
    }
}

#[test]
fn schedules_begin_at_the_seed() {
    let (_folder, path) = program();
    let all = test(&path, "interp", &["--schedules", "50"]);
    let first = all.objects()[0]["seed"].as_u64().expect("a number");
    let from = (first - 1).to_string();
    let answer = test(&path, "interp", &["--seed", &from, "--schedules", "2"]);
    let outcome = &answer.objects()[0];
    assert_eq!((&outcome["seed"], &outcome["schedules"]), (&first.into(), &2.into()));
}

#[test]
fn there_is_no_run_under_no_schedule() {
    let (_folder, path) = program();
    assert_eq!(test(&path, "interp", &["--schedules", "0"]).exit, Exit::Call);
}
