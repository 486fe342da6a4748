//! What lints promise: the mended program of a page does with less of what its warning is about, in what `sim`
//! counts, in the code that is emitted, or in what the assembler says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tile_codegen::SimEngine;
use tile_language::analysis::Facts;
use tile_language::analysis::sectors::{Span, sectors};
use tile_language::host::HostRun;
use tile_language::op::{MemoryOp, Op};
use tile_language::query::Database;
use tile_language::target::TargetId;
use tile_tests::{Block, blocks, files, root, tilec};

use crate::assembly::{build, tool};

/// A lint's code, a test for both programs of its page, what `sim` counts, and how many times less of it there is.
type Promise = (&'static str, &'static str, &'static str, u64);

const PROMISES: &[Promise] = &[
    (
        "P0110",
        "let x = randn(f32[64, 64], seed: 1);\n    let y = zeros(f32[64, 64]);\n    double(x, y);\n    \
         expect_equal(y, x + x);",
        "global_load_sectors",
        8,
    ),
    (
        "P0111",
        "let x = randn(f32[64, 64], seed: 1);\n    let y = zeros(f32[64, 64]);\n    transpose(x, y);\n    \
         expect_equal(y, x.t());",
        "shared_load_wavefronts",
        8,
    ),
];

/// What `sim` counts in a run of a program's only test.
fn counted(program: &str, body: &str, name: &str) -> u64 {
    let mut db = Database::default();
    let text = format!("{program}\ntest \"t\" {{\n    {body}\n}}\n");
    let file = db.set_file("page.tile", &text);
    let target = TargetId::from_name("sm_90a").expect("the target exists");
    let mut engine = SimEngine::new(target);
    let mut host = HostRun::new(&mut engine, 0);
    let key = db.tests(file)[0].key.clone();
    let end = db.run_test(&key, target, &mut host);
    assert!(end.diagnostics.is_empty() && end.failure.is_none(), "{text}\n{end:?}");
    host.counts.iter().filter(|it| it.0.1 == name).map(|it| it.1).sum()
}

/// The failing program of a page and the mended one.
fn programs(code: &str) -> [String; 2] {
    let page = root().join(format!("docs/diagnostics/{code}.md"));
    let page = fs::read_to_string(page).expect("every code has a page");
    let is_program = |it: &Block| it.info.starts_with("tile");
    let mut found = blocks(&page).into_iter().filter(is_program).map(|it| it.text);
    [(); 2].map(|()| found.next().expect("a page has two programs"))
}

/// The program as PTX for `sm_90a`, in a file of its folder.
fn ptx(program: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for the program");
    let source = folder.path().join("page.tile");
    fs::write(&source, program).expect("the program can be written");
    let (out, built) = build(&source, "sm_90a");
    let found = files(&built, "ptx").pop().expect("there is a kernel");
    (out, found)
}

/// How often a mnemonic begins with one of these words.
fn count(path: &Path, words: &[&str]) -> usize {
    let text = fs::read_to_string(path).expect("PTX is text");
    let begins = |it: &&str| words.iter().any(|word| it.trim_start().starts_with(word));
    text.lines().filter(begins).count()
}

#[test]
fn what_sim_counts_is_less_in_mended_programs() {
    for &(code, body, name, factor) in PROMISES {
        let [wrong, mended] = programs(code).map(|it| counted(&it, body, name));
        assert!(factor * mended <= wrong, "{code}: {wrong} {name}, then {mended}");
    }
}

#[test]
fn a_mask_that_is_always_true_costs_a_comparison() {
    let [wrong, mended] = programs("P0112").map(|it| {
        let (_out, path) = ptx(&it);
        count(&path, &["setp", "@"])
    });
    assert!(mended < wrong, "{wrong} then {mended}");
}

#[test]
fn a_counted_remainder_is_no_division() {
    let [wrong, mended] = programs("P0114").map(|it| {
        let (_out, path) = ptx(&it);
        count(&path, &["rem.", "div."])
    });
    assert_eq!((wrong > 0, mended), (true, 0));
}

#[test]
fn a_kernel_with_a_warning_about_registers_spills_and_the_mended_one_does_not() {
    let Some(ptxas) = tool(&["ptxas"]) else {
        eprintln!("not checked: there is no `ptxas` in PATH");
        return;
    };
    let spills = |program: String| {
        let (_out, path) = ptx(&program);
        let cubin = path.with_extension("checked");
        let said = Command::new(&ptxas)
            .args(["-arch=sm_90a", "-v"])
            .args([path.as_os_str(), "-o".as_ref(), cubin.as_os_str()])
            .output()
            .expect("the tool was found");
        !String::from_utf8_lossy(&said.stderr).contains(" 0 bytes spill stores")
    };
    assert_eq!(programs("P0113").map(spills), [true, false]);
}

/// A kernel that copies a tile of `T` in a layout, from and to rows of 64 elements.
fn copying(dtype: &str, [regs, lanes]: [[u32; 2]; 2], order: [u32; 2]) -> String {
    format!(
        "kernel bring(x: global {dtype}[64, 64], y: global mut {dtype}[64, 64])\n    grid [1]\n    warps 4\n{{\n    \
         const L = blocked(regs: {regs:?}, lanes: {lanes:?}, warps: [2, 2], order: {order:?});\n    \
         let (i, j) = coords([64, 64] @ L);\n    store(y.at(i, j), load(x.at(i, j)));\n}}\n"
    )
}

#[test]
fn the_sectors_that_are_told_are_those_that_sim_counts() {
    let all_regs = [[1, 1], [1, 4], [4, 1], [2, 2], [1, 8]];
    let all_lanes = [[1, 32], [2, 16], [4, 8], [8, 4], [16, 2], [32, 1]];
    let target = TargetId::from_name("sm_90a").expect("the target exists");
    for (regs, lanes) in all_regs.into_iter().flat_map(|it| all_lanes.map(|lanes| (it, lanes))) {
        for (dtype, order) in [("f32", [1, 0]), ("bf16", [1, 0]), ("f32", [0, 1])] {
            let program = copying(dtype, [regs, lanes], order);
            let mut db = Database::default();
            let file = db.set_file("page.tile", &program);
            let (_, kernel) = db.kernels(file, target).pop().expect("the kernel has no mistake");
            let facts = Facts::of(&kernel);
            let mut told = None;
            kernel.body.walk(&mut |inst| {
                if matches!(inst.op, Op::Memory(MemoryOp::Load { .. })) {
                    told = sectors(&kernel, &facts, inst, Span::First);
                }
            });
            let body = format!(
                "let x = zeros({dtype}[64, 64]);\n    let y = zeros({dtype}[64, 64]);\n    bring(x, y);"
            );
            let [requests, found] = ["requests", "sectors"]
                .map(|it| counted(&program, &body, &format!("global_load_{it}")));
            let told = u64::from(told.expect("a load of a tile has sectors").touched);
            assert_eq!(told * requests, found, "{program}");
        }
    }
}

#[test]
fn a_role_that_wants_more_registers_than_it_has_is_told() {
    let path = root().join("examples/hopper/matmul.tile");
    let text = fs::read_to_string(path).expect("there is the example");
    let folder = tempfile::tempdir().expect("a folder for the program");
    let source = folder.path().join("matmul.tile");
    let file = source.display().to_string();
    let check = |regs: &str| {
        fs::write(&source, text.replace("regs 232", regs)).expect("the program can be written");
        tilec(["check", &file, "--target", "sm_90a", "--format", "json"]).out
    };
    assert_eq!(check("regs 232"), "");
    let told = check("regs 96");
    assert!(told.contains("P0113"), "{told}");
    assert!(
        told.contains("role `math[0]` wants about 146 registers a thread at once, and has 96"),
        "{told}"
    );
    assert_eq!(check("regs 232"), "");
    let report = tilec(["report", &file, "--target", "sm_90a"]).out;
    let line = "role `math[0]` wants about 146 registers a thread, has 232";
    assert!(report.contains(line), "{report}");
}

/// A section of the page about three kernels: a test for its programs, and what is counted of each.
type Section = (&'static str, &'static str, &'static [&'static [&'static str]]);

const SECTIONS: &[Section] = &[
    (
        "Transpose",
        "let x = randn(f32[256, 128], seed: 1);\n    let y = zeros(f32[128, 256]);\n    turn(x, y);\n    \
         expect_equal(y, x.t());",
        &[
            &["global_load_sectors", "global_store_sectors"],
            &["shared_load_wavefronts", "shared_store_wavefronts"],
            &["instructions"],
        ],
    ),
    (
        "Softmax",
        "let x = randn(f32[4, 4000], seed: 1);\n    let y = zeros(f32[4, 4000]);\n    soft(x, y);\n    \
         expect_close(y, ref::softmax(x, axis: 1), rtol: 1e-4);",
        &[&["global_load_requests", "global_store_requests"], &["instructions"]],
    ),
    (
        "Matmul",
        "let a = randn(T[128, 128], seed: 1);\n    let b = randn(T[128, 128], seed: 2);\n    \
         let c = zeros(f32[128, 128]);\n    mul(a, b, c);\n    expect_close(c, ref::matmul(a, b), rtol: 1e-2, atol: 1e-2);",
        &[
            &["matrix_instructions"],
            &["shared_load_wavefronts", "shared_store_wavefronts", "shared_copy_wavefronts"],
            &["instructions"],
        ],
    ),
];

/// `1,234,567`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|it| str::from_utf8(it).expect("digits")).collect();
    groups.join(",")
}

#[test]
fn the_page_about_three_kernels_says_what_sim_counts() {
    let page = fs::read_to_string(root().join("docs/slow-to-fast.md")).expect("there is the page");
    let mut missing = Vec::new();
    for &(title, body, columns) in SECTIONS {
        let (_, section) = page.split_once(&format!("## {title}\n")).expect("the section is there");
        let section = section.split("\n## ").next().unwrap_or_default();
        let programs = blocks(section).into_iter().filter(|it| it.info.starts_with("tile"));
        for (n, program) in programs.enumerate() {
            let dtype = if program.text.contains("bf16") { "bf16" } else { "f32" };
            let body = body.replace('T', dtype);
            let sum =
                |names: &&[&str]| names.iter().map(|it| counted(&program.text, &body, it)).sum();
            let cells: Vec<String> = columns.iter().map(sum).map(grouped).collect();
            let row = format!("| {} | {} |", n + 1, cells.join(" | "));
            if !section.contains(&row) {
                missing.push(format!("{title}: {row}"));
            }
        }
    }
    assert!(missing.is_empty(), "the page does not say\n{}", missing.join("\n"));
}
