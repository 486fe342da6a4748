//! The command line: exit codes, the forms that scripts rely on, and clear words for what is wrong
//! with a call or with the machine.

use std::fs;
use std::path::Path;

use tile_tests::{Answer, tilec};
use tilec::Exit;

const CLEAN: &str = "\
kernel scale(x: global f32[n], y: global mut f32[n], by: f32)
    where n % 4 == 0
    grid [cdiv(n, 512)]
    warps 4
{
    let i = block_id(0) * 512 + iota(512) @ blocked(regs: [4], lanes: [32], warps: [4]);
    let v = load(x.at(i), mask: i < n, other: 0.0);
    store(y.at(i), v * by, mask: i < n);
}

test \"doubles\" {
    let x = arange(f32[1000]);
    let y = zeros(f32[1000]);
    scale(x, y, 2.0);
    expect_close(y, x * 2.0);
}
";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &[u8])]) -> Folder {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).expect("a file in it");
        }
        Folder(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn root(&self) -> &Path {
        self.0.path()
    }
}

#[track_caller]
fn complains(answer: &Answer, exit: Exit, words: &str) {
    assert!(answer.err.contains(words), "{words:?} is not in {:?}", answer.err);
    assert_eq!(answer.exit, exit, "{}", answer.err);
}

#[test]
fn a_clean_file_checks_clean() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile"), "--format", "json"]);
    assert_eq!((answer.exit, answer.out.as_str()), (Exit::Fine, ""), "{}", answer.err);
}

/// [`CLEAN`] without the fact that rows begin where 16 bytes do.
fn narrow() -> String {
    CLEAN.replace("    where n % 4 == 0\n", "")
}

#[test]
fn a_call_gives_warnings_their_levels() {
    let folder = Folder::with(&[("a.tile", narrow().as_bytes())]);
    let path = folder.path("a.tile");
    let check = |levels: &[&str]| {
        let answer = tilec([&["check", &path, "--target", "sm_90a"], levels].concat());
        (answer.exit, answer.err.lines().last().unwrap_or_default().to_owned())
    };
    assert_eq!(check(&[]), (Exit::Fine, "2 warnings".to_owned()));
    assert_eq!(check(&["--allow", "P0101"]), (Exit::Fine, "2 allowed".to_owned()));
    assert_eq!(check(&["--deny", "P0101"]), (Exit::Program, "2 errors".to_owned()));
    assert_eq!(check(&["--deny", "warnings"]).0, Exit::Program);
    assert_eq!(check(&["--deny", "warnings", "--warn", "P0101"]).0, Exit::Fine);
    let build = tilec(["build", &path, "--deny", "P0101", "--out", &folder.path("out")]);
    assert_eq!(build.exit, Exit::Program);
    assert!(!folder.root().join("out").exists());
}

#[test]
fn a_level_is_for_a_warning_that_exists_and_for_one_level() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let path = folder.path("a.tile");
    let check = |levels: &[&str]| tilec([&["check", path.as_str()], levels].concat());
    complains(&check(&["--allow", "P9999"]), Exit::Call, "there is no diagnostic `P9999`");
    complains(&check(&["--deny", "E0101"]), Exit::Call, "`E0101` is no warning");
    complains(&check(&["--deny", "P0101", "--allow", "P0101"]), Exit::Call, "given two levels");
}

#[test]
fn a_finding_is_one_json_object_with_places_from_one() {
    let source = CLEAN.replace("v * by", "v * bye");
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile"), "--format", "json"]);
    assert_eq!(answer.exit, Exit::Program, "{}", answer.err);
    let objects = answer.objects();
    assert_eq!(objects.len(), 1, "{}", answer.out);
    let finding = &objects[0];
    assert_eq!(finding["severity"], "error");
    assert_eq!(finding["line"], 8);
    assert_eq!(finding["column"], 24);
    assert_eq!(finding["end_line"], 8);
    assert_eq!(finding["end_column"], 27);
    assert_eq!(finding["file"], folder.path("a.tile"));
    assert!(finding["reasons"].is_array() && finding["fixes"].is_array(), "{finding}");
}

#[test]
fn people_see_the_code_the_text_and_the_help() {
    let source = CLEAN.replace("    where n % 4 == 0\n", "");
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile")]);
    for words in ["warning[P0101]", "a.tile", "help", "2 warnings"] {
        assert!(
            answer.err.to_lowercase().contains(&words.to_lowercase()),
            "{words}: {}",
            answer.err
        );
    }
    assert_eq!(answer.exit, Exit::Fine, "a warning is no error");
}

#[test]
fn a_log_for_code_hosts_names_rule_and_region() {
    let source = CLEAN.replace("v * by", "v * bye");
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile"), "--format", "sarif"]);
    let log = &answer.objects()[0];
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(
        log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"],
        8
    );
}

#[test]
fn a_missing_file_is_the_callers_mistake() {
    complains(&tilec(["check", "no/such.tile"]), Exit::Call, "`no/such.tile` does not exist");
}

#[test]
fn a_folder_stands_for_the_files_in_it() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes()), ("b.txt", b"no")]);
    let root = folder.root().display().to_string();
    assert_eq!(tilec(["check", &root]).exit, Exit::Fine);
    let empty = Folder::with(&[]);
    let root = empty.root().display().to_string();
    complains(&tilec(["check", &root]), Exit::Call, "there is no .tile file in");
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_line() {
    let folder = Folder::with(&[("a.tile", b"// fine\n\xff\xfe")]);
    let answer = tilec(["check", &folder.path("a.tile")]);
    complains(&answer, Exit::Call, "is not UTF-8 text: line 2 has the byte 0xff");
}

#[test]
fn line_endings_of_other_systems_and_byte_order_marks_are_fine() {
    let source = format!("\u{feff}{}", CLEAN.replace('\n', "\r\n"));
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile"), "--format", "json"]);
    assert_eq!((answer.exit, answer.out.as_str()), (Exit::Fine, ""), "{}", answer.err);
}

#[test]
#[cfg(unix)]
fn a_folder_without_permission_is_the_machines_fault() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let locked = folder.root().join("locked");
    fs::create_dir(&locked).expect("a folder");
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("its permissions");
    let answer = tilec(["check", &locked.display().to_string()]);
    // The superuser reads everything, and finds it empty.
    let readable = fs::read_dir(&locked).is_ok();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o700)).expect("its permissions");
    if readable {
        complains(&answer, Exit::Call, "there is no .tile file in");
    } else {
        complains(&answer, Exit::Machine, "permission denied");
    }
}

#[test]
fn an_unknown_target_is_answered_with_the_known_ones() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let answer = tilec(["check", &folder.path("a.tile"), "--target", "sm_12"]);
    complains(&answer, Exit::Call, "there is no target `sm_12`; there are sm_80, sm_90a");
}

#[test]
fn a_call_that_makes_no_sense_exits_with_2() {
    complains(&tilec(["chekc"]), Exit::Call, "unrecognized subcommand");
    complains(&tilec(["check"]), Exit::Call, "PATH");
    assert_eq!(tilec(["--help"]).exit, Exit::Fine);
    assert!(tilec(["--version"]).out.starts_with("tilec "));
}

#[test]
fn explain_shows_the_page_of_a_code() {
    let answer = tilec(["explain", "p0101"]);
    assert!(answer.out.starts_with("# P0101"), "{}", answer.out);
    complains(&tilec(["explain", "P9999"]), Exit::Call, "there is nothing to explain");
}

#[test]
fn targets_are_listed_for_people_and_for_tools() {
    assert!(tilec(["targets"]).out.contains("gfx942"));
    let rows = tilec(["targets", "--format", "json"]).objects();
    assert!(rows[0].as_array().is_some_and(|it| it.iter().any(|it| it["name"] == "sm_90a")));
}

#[test]
fn doctor_says_what_it_found() {
    let answer = tilec(["doctor"]);
    for words in ["LLVM", "ptxas", "CUDA driver"] {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
}

#[test]
fn fmt_lists_what_is_not_formatted_and_then_formats_it() {
    let source = CLEAN.replace("let v = load", "let   v=load");
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let file = folder.path("a.tile");
    let answer = tilec(["fmt", "--check", &file]);
    assert_eq!(answer.exit, Exit::Program);
    assert!(answer.out.contains("a.tile"), "{}", answer.out);
    assert_eq!(tilec(["fmt", &file]).exit, Exit::Fine);
    assert_eq!(tilec(["fmt", "--check", &file]).exit, Exit::Fine);
    let text = fs::read_to_string(&file).expect("the file is there");
    assert!(text.contains("let v = load"), "{text}");
}

#[test]
fn fmt_leaves_a_file_that_cannot_be_read_alone() {
    let source = "kernel k(x: global f32[n]) grid [1] warps 4 { let = = ; }\n";
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let file = folder.path("a.tile");
    assert_eq!(tilec(["fmt", &file]).exit, Exit::Program);
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), source);
}

#[test]
fn layout_draws_who_holds_what() {
    let folder = Folder::with(&[]);
    let svg = folder.path("map.svg");
    let layout = "blocked(regs: [1, 8], lanes: [8, 4], warps: [4, 1])";
    let answer = tilec(["layout", layout, "--shape", "32x64", "--svg", &svg]);
    assert_eq!(answer.exit, Exit::Fine, "{}", answer.err);
    assert!(!answer.out.is_empty());
    assert!(fs::read_to_string(&svg).expect("the picture is there").contains("<svg"));
    complains(&tilec(["layout", layout, "--shape", "32xx"]), Exit::Call, "32xx");
}

#[test]
fn layout_says_what_another_layout_and_a_buffer_cost() {
    let rows = "blocked(regs: [1, 8], lanes: [4, 8], warps: [4, 1])";
    let columns = "blocked(regs: [8, 1], lanes: [8, 4], warps: [1, 4])";
    let plain = ["layout", rows, "--shape", "64x64", "--target", "sm_90a"];
    let asked = |more: [&str; 2]| tilec(plain.into_iter().chain(more).collect::<Vec<_>>()).out;
    let cost = asked(["--to", columns]);
    assert!(
        cost.contains("8 KiB of shared memory") && cost.contains("no bank conflicts"),
        "{cost}"
    );
    let read = asked(["--access", "plain()"]);
    assert!(read.contains("reads 16 bytes a thread at once: 4 accesses, no bank"), "{read}");
    let banks = tilec(["layout", "plain()", "--shape", "4x64", "--banks"]).out;
    assert!(banks.starts_with("banks, by element (2 a cell)"), "{banks}");
    complains(&tilec(["layout", rows, "--shape", "64x64", "--banks"]), Exit::Call, "--banks");
}

#[test]
fn tests_run_on_the_engines_that_are_named() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let file = folder.path("a.tile");
    let answer = tilec(["test", &file, "--on", "interp,sim", "--format", "json"]);
    assert_eq!(answer.exit, Exit::Fine, "{}{}", answer.out, answer.err);
    let objects = answer.objects();
    let engines: Vec<&str> = objects.iter().filter_map(|it| it["engine"].as_str()).collect();
    assert!(engines.contains(&"interp") && engines.contains(&"sim"), "{engines:?}");
    let none = tilec(["test", &file, "--filter", "triples", "--format", "json"]);
    assert_eq!(none.out, "");
}

#[test]
fn a_failing_test_shows_the_first_wrong_elements() {
    let source = CLEAN.replace("x * 2.0", "x * 3.0");
    let folder = Folder::with(&[("a.tile", source.as_bytes())]);
    let answer = tilec(["test", &folder.path("a.tile"), "--on", "interp", "--target", "sm_90a"]);
    assert_eq!(answer.exit, Exit::Program, "{}", answer.err);
    assert!(answer.err.contains("[1]"), "the index of the first wrong element: {}", answer.err);
    assert!(answer.out.contains("0 passed, 1 failed"), "{}", answer.out);
}

#[test]
fn build_makes_code_a_manifest_and_a_report() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let out = folder.root().join("out");
    let out_text = out.display().to_string();
    let file = folder.path("a.tile");
    let answer = tilec(["build", &file, "--target", "sm_90a,gfx942", "--out", &out_text]);
    assert_eq!(answer.exit, Exit::Fine, "{}{}", answer.out, answer.err);
    for made in ["sm_90a/scale.ptx", "gfx942/scale.s", "manifest.json", "report.json"] {
        assert!(out.join(made).is_file(), "{made} was not made");
    }
    let again = folder.root().join("again");
    let again_text = again.display().to_string();
    tilec(["build", &file, "--target", "sm_90a", "--emit", "ptx", "--out", &again_text]);
    assert!(again.join("sm_90a/scale.ptx").is_file());
    assert!(!again.join("sm_90a/scale.ll").exists(), "only what was asked for is made");
    let same = fs::read(out.join("sm_90a/scale.ptx")).expect("PTX");
    assert_eq!(
        same,
        fs::read(again.join("sm_90a/scale.ptx")).expect("PTX"),
        "builds are deterministic"
    );
}

#[test]
fn report_lists_buffers_and_the_barriers_between_accesses() {
    let text = "kernel turn(x: global f32[64], y: global mut f32[64])
    grid [1]
    warps 2
{
    const L = blocked(regs: [1], lanes: [32], warps: [2]);
    let s: shared f32[64] @ plain();
    s.store(load(x.at(iota(64) @ L)));
    store(y.at(iota(64) @ L), s.load(L));
}
";
    let folder = Folder::with(&[("a.tile", text.as_bytes())]);
    let answer = tilec(["report", &folder.path("a.tile"), "--target", "gfx942"]);
    assert_eq!(answer.exit, Exit::Fine, "{}", answer.err);
    for line in ["  s: 256 B at byte 0\n", "  barrier before the read at "] {
        assert!(answer.out.contains(line), "{}", answer.out);
    }
    assert!(answer.out.contains("a.tile:8, after the write at "), "{}", answer.out);
}

#[test]
fn report_says_what_a_kernel_needs() {
    let folder = Folder::with(&[("a.tile", CLEAN.as_bytes())]);
    let file = folder.path("a.tile");
    let answer = tilec(["report", &file, "--target", "gfx942", "--format", "json"]);
    assert_eq!(answer.exit, Exit::Fine, "{}", answer.err);
    let report: serde_json::Value = serde_json::from_str(&answer.out).expect("one JSON value");
    let kernel = &report["kernels"][0];
    assert_eq!(kernel["name"], "scale");
    assert_eq!(kernel["spill_bytes"], 0);
    assert!(kernel["registers"].as_u64().is_some_and(|it| it > 0), "{kernel}");
}
