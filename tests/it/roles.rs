//! Kernels of roles on every engine: the suite's programs in many orders, and through NVIDIA's assembler.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tile_tests::{blocks, root, tilec};

/// The programs of the suite's page that have tests, a file each.
fn programs() -> (tempfile::TempDir, Vec<PathBuf>) {
    let page = fs::read_to_string(root().join("tests/suite/roles.md")).expect("pages are text");
    let folder = tempfile::tempdir().expect("a folder for the programs");
    let with_tests = blocks(&page).into_iter().filter(|it| it.info.starts_with("tile test"));
    let write = |(number, block): (usize, tile_tests::Block)| {
        let path = folder.path().join(format!("program_{number}.tile"));
        fs::write(&path, &block.text).expect("a program can be written");
        path
    };
    let files = with_tests.enumerate().map(write).collect();
    (folder, files)
}

#[test]
fn every_order_of_events_gives_the_same_on_every_engine() {
    let (_folder, programs) = programs();
    assert!(!programs.is_empty());
    for program in &programs {
        for seed in ["1", "2", "3"] {
            let file = program.display().to_string();
            let targets = ["--target", "sm_80,sm_90a", "--on", "interp,sim", "--seed", seed];
            let answer = tilec(["test", &file].into_iter().chain(targets));
            assert_eq!(answer.exit, tilec::Exit::Fine, "seed {seed}\n{}{}", answer.out, answer.err);
        }
    }
}

#[test]
fn the_assembler_takes_them_and_makes_what_the_hardware_has() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !has("ptxas") || !has("nvdisasm") {
        eprintln!("not checked: there is no `ptxas` or no `nvdisasm` in PATH");
        return;
    }
    let (_folder, programs) = programs();
    for program in &programs {
        let waits = ["SYNCS.PHASECHK.TRANS64.TRYWAIT", "SYNCS.ARRIVE.TRANS64"];
        for (target, wanted) in [("sm_80", &["ATOMS.ARRIVE.64"][..]), ("sm_90a", &waits)] {
            let out = tempfile::tempdir().expect("a folder for the output");
            let (file, to) = (program.display().to_string(), out.path().display().to_string());
            let answer = tilec(["build", &file, "--target", target, "--out", &to]);
            assert_eq!(answer.exit, tilec::Exit::Fine, "{}{}", answer.out, answer.err);
            for cubin in tile_tests::files(out.path(), "cubin") {
                let shown = Command::new("nvdisasm").arg("-c").arg(&cubin).output();
                let text = shown.expect("it was found").stdout;
                let text = String::from_utf8_lossy(&text).into_owned();
                for wanted in wanted {
                    assert!(text.contains(wanted), "{wanted} in {}", cubin.display());
                }
            }
        }
    }
}
