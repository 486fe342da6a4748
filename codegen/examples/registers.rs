//! How far the estimate of registers is from what assemblers say.
//!
//! `cargo run -p tile-codegen --example registers -- examples/*.tile` compiles the kernels of the
//! files for every target and prints a line each, worst last, and the distribution of the errors. The
//! constants of `tile_language::analysis::pressure` come from it. Kernels of NVIDIA's need `ptxas`.

use std::env;
use std::fs;
use std::io::{self, Write};

use tile_codegen::BuildOptions;
use tile_language::analysis::pressure;
use tile_language::query::Database;
use tile_language::target::{TARGETS, TargetId};

/// Errors up to each of these are counted.
const BOUNDS: [u32; 4] = [4, 8, 12, 24];

struct Row {
    name: String,
    estimate: u32,
    found: u32,
}

impl Row {
    fn error(&self) -> u32 {
        self.estimate.abs_diff(self.found)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut db = Database::default();
    let mut files = Vec::new();
    for path in env::args().skip(1) {
        files.push(db.set_file(&path, &fs::read_to_string(&path)?));
    }
    let mut rows = Vec::new();
    for (n, target) in TARGETS.iter().enumerate() {
        for (name, kernel) in files.iter().flat_map(|&it| db.kernels(it, TargetId(n as u8))) {
            let made = tile_codegen::build(&kernel, &BuildOptions::default())?;
            if let Some(found) = made.resources.registers {
                let name = format!("{name} for {}", target.name);
                rows.push(Row { name, estimate: pressure(&kernel).registers, found });
            }
        }
    }
    rows.sort_by_key(Row::error);
    let mut out = io::stdout().lock();
    for it in &rows {
        writeln!(out, "{:40} estimated {:>3}, {:>3}", it.name, it.estimate, it.found)?;
    }
    for bound in BOUNDS {
        let n = rows.iter().filter(|it| it.error() <= bound).count();
        writeln!(out, "within {bound:>2} registers: {n} of {}", rows.len())?;
    }
    Ok(())
}
