//! What comes out for the machines: every example is accepted by the real assemblers, and kernels whose
//! facts allow it move 16 bytes a thread.
//!
//! NVIDIA's assembler and disassembler are no free software and may be absent; the tests that need them
//! then say so and look at the PTX alone. AMD's are LLVM's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tile_tests::{files, root, tilec};

/// Builds a file for a target into a fresh folder, and gives the folder of that target.
#[track_caller]
pub(crate) fn build(source: &Path, target: &str) -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().expect("a folder for the output");
    let answer = tilec([
        "build".into(),
        source.as_os_str().to_owned(),
        "--target".into(),
        target.into(),
        "--out".into(),
        out.path().as_os_str().to_owned(),
    ]);
    assert_eq!(
        answer.exit,
        tilec::Exit::Fine,
        "{}: {}{}",
        source.display(),
        answer.out,
        answer.err
    );
    let folder = out.path().join(target);
    (out, folder)
}

pub(crate) fn tool(names: &[&str]) -> Option<String> {
    let found = names.iter().find(|it| Command::new(it).arg("--version").output().is_ok());
    found.map(|it| (*it).to_owned())
}

/// The examples for a target: those that are named for another vendor's are not.
fn examples(target: &str) -> Vec<PathBuf> {
    let other = if target.starts_with("gfx") { "_sm" } else { "_gfx" };
    let is_for =
        |it: &PathBuf| !it.file_stem().is_some_and(|it| it.to_string_lossy().contains(other));
    let is_for = |it: &PathBuf| {
        is_for(it) && (target == "sm_90a" || !it.parent().is_some_and(|it| it.ends_with("hopper")))
    };
    files(&root().join("examples"), "tile").into_iter().filter(is_for).collect()
}

fn run(program: &str, arguments: &[&std::ffi::OsStr]) -> String {
    let done = Command::new(program).args(arguments).output().expect("the tool was found");
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {arguments:?}: {err}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn every_example_is_accepted_by_the_assembler_of_its_nvidia_targets() {
    let Some(ptxas) = tool(&["ptxas"]) else {
        eprintln!("not checked: there is no `ptxas` in PATH");
        return;
    };
    for target in ["sm_80", "sm_90a", "sm_100a"] {
        for example in examples(target) {
            let (_out, folder) = build(&example, target);
            for ptx in files(&folder, "ptx") {
                let cubin = ptx.with_extension("checked");
                let arch = format!("-arch={target}");
                run(&ptxas, &[arch.as_ref(), ptx.as_os_str(), "-o".as_ref(), cubin.as_os_str()]);
            }
        }
    }
}

#[test]
fn every_example_links_for_its_amd_targets_and_is_read_back() {
    let readelf = tool(&["llvm-readelf-22", "llvm-readelf"]).expect("LLVM's tools are installed");
    for target in ["gfx942", "gfx950"] {
        for example in examples(target) {
            let (_out, folder) = build(&example, target);
            let objects = files(&folder, "hsaco");
            assert!(!objects.is_empty(), "{} has no code object", example.display());
            for object in objects {
                let name =
                    object.file_stem().expect("it has a name").to_string_lossy().into_owned();
                let notes = run(&readelf, &["--notes".as_ref(), object.as_os_str()]);
                assert!(notes.contains(&format!("{name}.kd")), "{notes}");
                assert!(notes.contains(&format!("amdgcn-amd-amdhsa--{target}")), "{notes}");
            }
        }
    }
}

/// Kernels that must move 16 bytes a thread, and how many wide loads and stores they have at least.
const WIDE: &[(&str, &str, usize, usize)] = &[
    ("add", "add", 2, 1),
    ("softmax", "softmax", 1, 1),
    ("rms_norm", "rms_norm", 2, 1),
    ("layer_norm", "layer_norm", 4, 1),
];

#[track_caller]
fn holds(text: &str, mnemonics: &[&str], least: usize, what: &str) {
    let count = text.lines().filter(|it| mnemonics.iter().any(|m| it.contains(m))).count();
    assert!(count >= least, "{what}: {count} of {mnemonics:?}, at least {least} wanted\n{text}");
}

#[test]
fn facts_give_sixteen_bytes_a_thread_on_nvidia() {
    for &(file, kernel, loads, stores) in WIDE {
        let (_out, folder) = build(&root().join(format!("examples/{file}.tile")), "sm_90a");
        let ptx = fs::read_to_string(folder.join(format!("{kernel}.ptx"))).expect("there is PTX");
        holds(&ptx, &["ld.global.v4.b32", "ld.global.v2.b64", "v4.b32"], loads, kernel);
        holds(&ptx, &["st.global.v4.b32", "st.global.v2.b64", "v4.b32"], stores, kernel);

        let cubin = folder.join(format!("{kernel}.cubin"));
        let Some(nvdisasm) = tool(&["nvdisasm"]).filter(|_| cubin.exists()) else {
            eprintln!("not checked: there is no `nvdisasm` in PATH");
            continue;
        };
        let sass = run(&nvdisasm, &[cubin.as_os_str()]);
        holds(&sass, &["LDG.E.128", "LDG.E.EF.128", "LDG.E.EL.128"], loads, kernel);
        holds(&sass, &["STG.E.128"], stores, kernel);
    }
}

#[test]
fn facts_give_sixteen_bytes_a_thread_on_amd() {
    for &(file, kernel, loads, stores) in WIDE {
        let (_out, folder) = build(&root().join(format!("examples/{file}.tile")), "gfx942");
        let text =
            fs::read_to_string(folder.join(format!("{kernel}.s"))).expect("there is assembly");
        holds(&text, &["global_load_dwordx4", "buffer_load_dwordx4"], loads, kernel);
        holds(&text, &["global_store_dwordx4", "buffer_store_dwordx4"], stores, kernel);
    }
}

/// What the assembler says of a kernel of `examples/hopper`, and its machine code.
fn of_hopper(file: &str, kernel: &str, tools: (&str, &str)) -> (String, String) {
    let (_out, folder) = build(&root().join(format!("examples/hopper/{file}.tile")), "sm_90a");
    let ptx = folder.join(format!("{kernel}.ptx"));
    let cubin = ptx.with_extension("checked");
    let mut assemble = Command::new(tools.0);
    assemble.args(["-arch=sm_90a", "-v"]).arg(&ptx).arg("-o").arg(&cubin);
    let done = assemble.output().expect("the tool was found");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    (said, run(tools.1, &["-c".as_ref(), cubin.as_os_str()]))
}

#[test]
fn kernels_for_hopper_spill_nothing_and_no_product_is_serialised() {
    let (Some(ptxas), Some(nvdisasm)) = (tool(&["ptxas"]), tool(&["nvdisasm"])) else {
        eprintln!("not checked: there is no `ptxas` or no `nvdisasm` in PATH");
        return;
    };
    for (file, kernel, product, n_boxes) in [
        ("matmul", "gemm", "HGMMA.64x256x16", 2),
        ("matmul", "gemm_ping_pong", "HGMMA.64x256x16", 2),
        ("matmul_cluster", "gemm_cluster", "HGMMA.64x256x16", 2),
        ("matmul_fp8", "gemm_fp8", "QGMMA.64x128x32", 2),
        ("matmul_grouped", "gemm_grouped", "HGMMA.64x128x16", 2),
        ("matmul_stream_k", "gemm_stream_k", "HGMMA.64x128x16", 2),
        ("mixture", "mixture", "HGMMA.64x128x16", 1),
        ("attention", "attention", "HGMMA.64x128x16", 2),
        ("attention", "attention_256", "HGMMA.64x256x16", 2),
        ("attention_backward", "attention_keys", "HGMMA.64x128x16", 2),
        ("attention_backward", "attention_queries", "HGMMA.64x128x16", 2),
        ("attention_fp8", "attention_fp8", "QGMMA.64x128x32", 2),
    ] {
        let (said, sass) = of_hopper(file, kernel, (&ptxas, &nvdisasm));
        assert!(said.contains("0 bytes spill stores, 0 bytes spill loads"), "{kernel}: {said}");
        assert!(!said.to_lowercase().contains("wgmma"), "{kernel}: {said}");
        holds(&sass, &[product], 4, kernel);
        holds(&sass, &["UTMALDG"], n_boxes, kernel);
        holds(&sass, &["USETMAXREG.TRY_ALLOC"], 1, kernel);
        holds(&sass, &["USETMAXREG.DEALLOC"], 1, kernel);
    }
}

#[test]
fn a_factor_that_blocks_share_is_multicast_and_given_back_without_a_fence() {
    let (Some(ptxas), Some(nvdisasm)) = (tool(&["ptxas"]), tool(&["nvdisasm"])) else {
        eprintln!("not checked: there is no `ptxas` or no `nvdisasm` in PATH");
        return;
    };
    let (_, sass) = of_hopper("matmul_cluster", "gemm_cluster", (&ptxas, &nvdisasm));
    holds(&sass, &["UTMALDG.2D.MULTICAST"], 1, "the copy to both blocks");
    holds(&sass, &["SYNCS.ARRIVE.TRANS64.RED.A1T0"], 2, "arrivals in both blocks");
    // The start and the end of the kernel alone order memory across the device.
    let fences = sass.lines().filter(|it| it.contains("CGAERRBAR")).count();
    assert_eq!(fences, 2, "{sass}");
}

#[test]
fn the_loop_of_the_matmul_for_hopper_has_one_wait_of_each_kind_and_its_products_in_a_row() {
    let (Some(ptxas), Some(nvdisasm)) = (tool(&["ptxas"]), tool(&["nvdisasm"])) else {
        eprintln!("not checked: there is no `ptxas` or no `nvdisasm` in PATH");
        return;
    };
    let (_, sass) = of_hopper("matmul", "gemm", (&ptxas, &nvdisasm));
    let order = ["SYNCS.PHASECHK", "WARPGROUP", "HGMMA", "SYNCS.ARRIVE"];
    let lines = sass.lines().filter_map(|line| order.iter().find(|it| line.contains(**it)));
    let all: Vec<&str> = lines.copied().collect();
    let products = ["HGMMA"; 4];
    let around = [&["SYNCS.PHASECHK", "WARPGROUP"][..], &products, &["WARPGROUP", "SYNCS.ARRIVE"]];
    let turn = around.concat();
    let turns = all.windows(turn.len()).filter(|it| *it == turn).count();
    // One for each half.
    assert_eq!(turns, 2, "{all:?}");
}

#[test]
fn without_the_fact_accesses_are_narrow_and_still_right() {
    let text = fs::read_to_string(root().join("examples/softmax.tile")).expect("an example");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("softmax.tile");
    fs::write(&file, text.replace("cols <= BLOCK, cols % 4 == 0", "cols <= BLOCK"))
        .expect("written");
    let path = file.as_os_str();

    let checked = tilec(["check".as_ref(), path, "--format".as_ref(), "json".as_ref()]);
    assert!(checked.codes().contains(&"P0101".to_owned()), "{}", checked.out);
    assert!(checked.out.contains("nothing is known to divide `cols`"), "{}", checked.out);
    assert!(checked.out.contains("cols % 4 == 0"), "the fix is offered: {}", checked.out);

    let (_out, built) = build(&file, "sm_90a");
    let ptx = fs::read_to_string(built.join("softmax.ptx")).expect("there is PTX");
    assert!(!ptx.contains("ld.global.v4"), "{ptx}");

    let tested = tilec(["test".as_ref(), path, "--on".as_ref(), "interp,sim".as_ref()]);
    assert_eq!(tested.exit, tilec::Exit::Fine, "{}{}", tested.out, tested.err);
}
