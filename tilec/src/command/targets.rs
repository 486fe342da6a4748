//! `tilec targets`: the table of targets.

use serde_json::{Value, json};
use tile_language::target::{TARGETS, Target};

use crate::cli::{self, TableFormat};
use crate::io::Style;
use crate::{Exit, Failure, Io};

pub(super) fn run(args: &cli::Targets, io: &mut Io<'_>) -> Result<Exit, Failure> {
    match args.format {
        TableFormat::Json => {
            io.line(TARGETS.iter().map(object).collect::<Value>())?;
        }
        TableFormat::Human => show(io)?,
    }
    Ok(Exit::Fine)
}

fn object(target: &Target) -> Value {
    json!({
        "name": target.name,
        "description": target.doc,
        "lanes": target.lanes,
        "shared_bytes_block_max": target.smem_block_bytes_max,
        "registers_thread_max": target.regs_thread_max,
        "warps_block_max": target.warps_block_max,
        "access_bytes_max": target.access_bytes_max,
        "capabilities": target.caps.iter().map(|it| it.name()).collect::<Vec<_>>(),
    })
}

fn show(io: &mut Io<'_>) -> Result<(), Failure> {
    for target in TARGETS {
        let name = io.paint(Style::Strong, format!("{:<8}", target.name));
        io.line(format!("{name} {}", target.doc))?;
        io.line(format!(
            "         {} lanes a warp, {} KiB of shared memory a block, {} registers a thread, {} warps a block",
            target.lanes,
            target.smem_block_bytes_max / 1024,
            target.regs_thread_max,
            target.warps_block_max,
        ))?;
        let caps: Vec<&str> = target.caps.iter().map(|it| it.name()).collect();
        io.line(format!("         {}", io.paint(Style::Faint, caps.join(" "))))?;
    }
    Ok(())
}
