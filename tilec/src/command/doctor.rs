//! `tilec doctor`: what was found on this machine, and the one command that gets what is missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tile_runtime::{Gpu, gpu};

use crate::cli::{self, TableFormat};
use crate::io::Style;
use crate::{Exit, Failure, Io};

/// Something that a command may need.
struct Part {
    name: &'static str,
    /// What it is needed for.
    purpose: &'static str,
    /// Where or what it is; the reason if it is not there.
    found: Result<String, String>,
    /// What gets it.
    remedy: &'static str,
}

pub(super) fn run(args: &cli::Doctor, io: &mut Io<'_>) -> Result<Exit, Failure> {
    let parts = parts();
    match args.format {
        TableFormat::Json => io.line(parts.iter().map(object).collect::<Value>())?,
        TableFormat::Human => {
            for part in &parts {
                show(part, io)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn parts() -> Vec<Part> {
    let mut parts = vec![
        Part {
            name: "LLVM",
            purpose: "code for every target, and the simulator",
            found: Ok(tile_codegen::llvm_version()),
            remedy: "apt-get install llvm-22-dev",
        },
        Part {
            name: "ptxas",
            purpose: "cubins, and registers and spills of NVIDIA kernels",
            found: tool(tile_codegen::find_ptxas(), "release"),
            remedy: "pip install nvidia-cuda-nvcc",
        },
        Part {
            name: "LLD",
            purpose: "code objects for AMD",
            found: tool(tile_codegen::find_lld(), "LLD"),
            remedy: "apt-get install lld-22",
        },
    ];
    let devices = gpu::count();
    parts.push(Part {
        name: "CUDA driver",
        purpose: "running kernels on a device",
        found: devices.as_ref().map(|it| format!("{it} devices")).map_err(ToString::to_string),
        remedy: "install the driver of your device's vendor",
    });
    for ordinal in 0..devices.unwrap_or(0) {
        parts.push(Part {
            name: "device",
            purpose: "running kernels on a device",
            found: describe(ordinal).map_err(|it| it.to_string()),
            remedy: "see the reason above",
        });
    }
    parts
}

fn describe(ordinal: usize) -> Result<String, gpu::GpuError> {
    let gpu = Gpu::open(ordinal)?;
    Ok(format!("{}, sm_{}, {} multiprocessors", gpu.name(), gpu.capability()?, gpu.sms()))
}

/// Where a tool is and the line of its version that has `word`.
fn tool(path: Option<PathBuf>, word: &str) -> Result<String, String> {
    let path = path.ok_or_else(|| "not found".to_owned())?;
    Ok(match version(&path, word) {
        Some(version) => format!("{} ({version})", path.display()),
        None => path.display().to_string(),
    })
}

fn version(tool: &Path, word: &str) -> Option<String> {
    let said = Command::new(tool).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.lines().find(|it| it.contains(word)).map(|it| it.trim().to_owned())
}

fn object(part: &Part) -> Value {
    json!({
        "name": part.name,
        "purpose": part.purpose,
        "found": part.found.as_ref().ok(),
        "missing": part.found.as_ref().err(),
        "remedy": part.found.is_err().then_some(part.remedy),
    })
}

fn show(part: &Part, io: &mut Io<'_>) -> Result<(), Failure> {
    let name = format!("{:<12}", part.name);
    match &part.found {
        Ok(found) => io.line(format!("{} {name} {found}", io.paint(Style::Good, "✓"))),
        Err(why) => {
            io.line(format!("{} {name} {why}", io.paint(Style::Warning, "–")))?;
            io.line(format!("               it is needed for {}", part.purpose))?;
            io.line(format!("               {}", io.paint(Style::Code, part.remedy)))
        }
    }
}
