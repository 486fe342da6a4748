//! Kernels that others compiled, against NumPy.
//!
//! `tests/foreign/compile.py` makes them with Triton, which is not part of this repository. Set
//! `TILE_FOREIGN_PYTHON` to a Python that has it, or `TILE_FOREIGN_CASES` to a folder that the script
//! has filled; without, the test says that it did nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

/// What the words of a `.case` file say.
#[derive(Default)]
struct Case {
    module: String,
    kernel: String,
    lanes: u32,
    grid: [u32; 3],
    threads: u32,
    shared: u32,
    buffers: Vec<Vec<u8>>,
    params: Vec<Param>,
    expected: Vec<Expected>,
}

struct Expected {
    buffer: usize,
    dtype: String,
    values: Vec<f64>,
    tolerance: f64,
}

#[test]
fn kernels_compiled_by_triton_compute_what_numpy_does() {
    if let Ok(dir) = std::env::var("TILE_FOREIGN_CASES") {
        return check_all(Path::new(&dir));
    }
    let Ok(python) = std::env::var("TILE_FOREIGN_PYTHON") else {
        eprintln!("SKIPPED: set TILE_FOREIGN_PYTHON to a Python with triton 3.9 and numpy");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/foreign/compile.py");
    let status = Command::new(python).arg(script).arg(dir.path()).status().unwrap();
    assert!(status.success(), "compile.py: {status}");
    check_all(dir.path());
}

fn check_all(dir: &Path) {
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|it| it.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|it| it == "case"));
    cases.sort();
    assert!(!cases.is_empty());
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|path| check(dir, path).err().map(|why| format!("{}: {why}", path.display())))
        .collect();
    eprintln!("{} of {} foreign kernels are right", cases.len() - failures.len(), cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn check(dir: &Path, path: &Path) -> Result<(), String> {
    let case = read(dir, path);
    let text = std::fs::read_to_string(dir.join(&case.module)).unwrap();
    let lanes = if case.lanes == 32 { Lanes::L32 } else { Lanes::L64 };
    let program =
        Program::from_text(&text, &case.kernel, lanes).map_err(|error| error.to_string())?;
    for seed in 0..3 {
        let mut buffers = case.buffers.clone();
        let mut launch = Launch::new(case.grid, [case.threads, 1, 1], &case.params, &mut buffers);
        launch.dynamic_shared_bytes = case.shared;
        launch.seed = seed;
        // Triton reads what nothing wrote where it does not use the value.
        launch.check_uninitialised = false;
        if seed == 2 && case.lanes == 32 {
            launch.reconvergence = Reconvergence::Late;
        }
        program.run(launch).map_err(|error| format!("seed {seed}: {error}"))?;
        for expected in &case.expected {
            compare(expected, &buffers[expected.buffer])?;
        }
    }
    Ok(())
}

fn compare(expected: &Expected, bytes: &[u8]) -> Result<(), String> {
    let size = bytes.len() / expected.values.len();
    for (i, (chunk, &want)) in bytes.chunks(size).zip(&expected.values).enumerate() {
        let mut word = [0; 8];
        word[..size].copy_from_slice(chunk);
        let bits = u64::from_le_bytes(word);
        let got = match expected.dtype.as_str() {
            "float32" => f64::from(f32::from_bits(bits as u32)),
            "float16" => f64::from(crate::sim::exec::half_value(bits as u32)),
            "int32" => f64::from(bits as u32 as i32),
            other => return Err(format!("no comparison for {other}")),
        };
        let limit = expected.tolerance * want.abs().max(1.0);
        if (got - want).abs() > limit || got.is_nan() != want.is_nan() {
            return Err(format!("element {i} of buffer {} is {got}, not {want}", expected.buffer));
        }
    }
    Ok(())
}

fn read(dir: &Path, path: &Path) -> Case {
    let mut case = Case::default();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |i: usize| words[i].parse::<u32>().unwrap();
        match words[0] {
            "module" => case.module = words[1].to_owned(),
            "kernel" => case.kernel = words[1].to_owned(),
            "lanes" => case.lanes = number(1),
            "grid" => case.grid = [number(1), number(2), number(3)],
            "threads" => case.threads = number(1),
            "shared" => case.shared = number(1),
            "buffer" => case.buffers.push(std::fs::read(dir.join(words[1])).unwrap()),
            "param" if words[1] == "buffer" => case.params.push(buffer(number(2) as usize)),
            "param" if words[1] == "null" => case.params.push(Param::Null),
            "param" => case.params.push(Param::Bits(u64::from(number(2)))),
            "expect" => {
                let bytes = std::fs::read(dir.join(words[3])).unwrap();
                let (values, _) = bytes.as_chunks();
                case.expected.push(Expected {
                    buffer: number(1) as usize,
                    dtype: words[2].to_owned(),
                    values: values.iter().map(|&it| f64::from_le_bytes(it)).collect(),
                    tolerance: words[4].parse().unwrap(),
                });
            }
            other => panic!("`{other}` in a case"),
        }
    }
    case
}
