//! Wording of what does not fit a target: E05xx.

use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Kernel, SiteId};

/// E0550: a tile has thousands of registers a thread.
pub fn tile_too_large(kernel: &Kernel, site: SiteId, shape: &[u32], registers: u32) -> Diagnostic {
    let target = kernel.target.row();
    let extents = shape.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    Diagnostic {
        code: Code::E0550,
        severity: Code::E0550.severity(),
        message: format!(
            "a tile of shape [{extents}] takes {registers} registers in each thread, `{}` has {}",
            target.name, target.regs_thread_max
        ),
        place: kernel.sites[site.0 as usize].place.clone(),
        reasons: Vec::new(),
        help: Some(
            "spread it over more warps or blocks, or go over it in a loop a chunk at a time"
                .to_owned(),
        ),
        fixes: Vec::new(),
    }
}
