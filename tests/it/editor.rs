//! What an editor shows is what the command line reports and what stands in the code.

use serde_json::Value;
use tile_language::query::Database;
use tile_language::target::TargetId;
use tile_lsp::ide::hover;
use tile_lsp::ide::shown::Shown;
use tile_tests::tilec;

const KERNEL: &str = "\
kernel scale(x: global f32[n], y: global mut f32[n], by: f32)
    where n % 4 == 0
    grid [cdiv(n, 1024)]
    warps 4
{
    let i = block_id(0) * 1024 + iota(1024) @ blocked(regs: [4], lanes: [64], warps: [4]);
    let s: shared f32[1024];
    s.store(load(x.at(i), mask: i < n, other: 0.0));
    store(y.at(i), s.load(blocked(regs: [4], lanes: [64], warps: [4])) * by, mask: i < n);
}
";

/// A target whose assembler is LLVM's own.
const TARGET: &str = "gfx942";

/// The hover of the first place where `word` stands.
fn hovered(word: &str) -> String {
    let mut db = Database::default();
    let file = db.set_file("scale.tile", KERNEL);
    let at = KERNEL.find(word).expect("the kernel has that word") as u32;
    let shown = Shown::of(TargetId::from_name(TARGET).expect("a target of the table"));
    hover::hover(&db, file, at + 1, &shown).expect("something stands there").text
}

/// The kernel in a folder.
struct OnDisk {
    _folder: tempfile::TempDir,
    path: String,
}

impl OnDisk {
    fn new() -> OnDisk {
        let folder = tempfile::tempdir().expect("a folder for the kernel");
        let path = folder.path().join("scale.tile");
        std::fs::write(&path, KERNEL).expect("a file in it");
        OnDisk { path: path.display().to_string(), _folder: folder }
    }

    /// The answer of a command with `--format json`.
    fn told(&self, command: &str, options: &[&str]) -> Value {
        let mut arguments = vec![command, &self.path, "--target", TARGET, "--format", "json"];
        arguments.extend(options);
        let answer = tilec(arguments);
        assert_eq!(answer.exit, tilec::Exit::Fine, "{}", answer.err);
        serde_json::from_str(&answer.out).expect("the answer is JSON")
    }
}

#[test]
fn a_hover_says_what_the_report_and_the_assembly_say() {
    let disk = OnDisk::new();
    let report = disk.told("report", &[]);
    let kernel = &report["kernels"][0];
    let hover = hovered("load(x.at");
    let bytes = kernel["accesses"][0]["bytes"].as_u64().expect("the first access has a width");
    assert!(hover.contains(&format!("load: {bytes} B a thread")), "{hover}");

    let listing = disk.told("listing", &["--kernel", "scale", "--form", "s"]);
    let text = listing["text"].as_str().expect("a listing has its text");
    let words = bytes / 4;
    assert!(text.contains(&format!("_load_dwordx{words}")), "{text}");
    assert_eq!(listing["registers"], kernel["registers"]);

    let needs = hovered("scale(");
    assert!(needs.contains("4096 B of shared memory"), "{needs}");
    assert_eq!(kernel["shared_bytes"], 4096);
}

#[test]
fn lines_of_a_listing_lead_back_to_the_program() {
    let listing = OnDisk::new().told("listing", &["--kernel", "scale", "--form", "s"]);
    let text: Vec<&str> = listing["text"].as_str().expect("a text").lines().collect();
    let line_of = |wanted: &str| {
        let pairs = listing["lines"].as_array().expect("pairs of lines");
        let pair = pairs
            .iter()
            .find(|it| text[it[0].as_u64().expect("a line of the text") as usize].contains(wanted));
        pair.expect("the instruction has a line")[1].as_u64().expect("a line of the program")
    };
    let written = |wanted: &str| {
        KERNEL.lines().position(|it| it.contains(wanted)).expect("it is written") as u64
    };
    assert_eq!(line_of("load_dwordx4 v["), written("load(x.at"));
    assert_eq!(line_of("ds_write_b128"), written("s.store"));
    assert_eq!(line_of("ds_read_b128"), written("s.load"));
    assert_eq!(line_of("store_dwordx4 v["), written("store(y.at"));
}

#[test]
fn the_picture_of_a_layout_is_that_of_the_command() {
    let hover = hovered("i = block_id");
    let drawn = tilec([
        "layout",
        "blocked(regs: [4], lanes: [64], warps: [4])",
        "--shape",
        "1024",
        "--target",
        TARGET,
    ]);
    let summary = drawn.out.lines().nth(1).expect("a drawing has a summary");
    assert!(hover.contains(summary), "{hover}\n{summary}");
    let first_cell = "0.0:0-3";
    assert!(hover.contains(first_cell) && drawn.out.contains(first_cell), "{hover}");
}
