//! The example kernels: clean, formatted, and in agreement on both CPU engines and both widths of
//! warps.

use tile_tests::{root, tilec};

fn examples() -> String {
    root().join("examples").display().to_string()
}

#[test]
fn examples_check_clean_for_every_target() {
    let targets: Vec<&str> = tile_language::target::TARGETS.iter().map(|it| it.name).collect();
    let answer = tilec(["check", &examples(), "--format", "json", "--target", &targets.join(",")]);
    assert_eq!(answer.out, "", "{}", answer.err);
    assert_eq!(answer.exit, tilec::Exit::Fine, "{}", answer.err);
}

#[test]
fn examples_and_the_standard_library_are_formatted() {
    let library = root().join("stdlib").display().to_string();
    let answer = tilec(["fmt", "--check", &examples(), &library]);
    assert_eq!(answer.exit, tilec::Exit::Fine, "{}{}", answer.out, answer.err);
}

#[track_caller]
fn all_pass(engine: &str, target: &str) {
    let answer =
        tilec(["test", &examples(), "--on", engine, "--target", target, "--format", "json"]);
    let objects = answer.objects();
    let failed: Vec<String> = objects
        .iter()
        .filter(|it| it["status"] != "passed")
        .map(|it| serde_json::to_string_pretty(it).unwrap_or_default())
        .collect();
    assert!(failed.is_empty(), "{} tests fail:\n{}", failed.len(), failed.join("\n"));
    assert!(10 <= objects.len(), "{} tests ran: {}", objects.len(), answer.err);
}

#[test]
fn examples_agree_with_their_references_on_the_interpreter_with_32_lanes() {
    all_pass("interp", "sm_90a");
}

#[test]
fn examples_agree_with_their_references_on_the_interpreter_with_64_lanes() {
    all_pass("interp", "gfx942");
}

#[test]
fn examples_agree_with_their_references_on_the_simulator_with_32_lanes() {
    all_pass("sim", "sm_90a");
}

#[test]
fn examples_agree_with_their_references_on_the_simulator_with_64_lanes() {
    all_pass("sim", "gfx942");
}
