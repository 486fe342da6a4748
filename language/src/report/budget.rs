//! Wording of what does not fit a target: E05xx.

use crate::diagnostic::{Code, Diagnostic, Reason};
use crate::ir::{Kernel, SiteId};
use crate::pass::{Allocation, Buffer};

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
        steps: Vec::new(),
        help: Some(
            "spread it over more warps or blocks, or go over it in a loop a chunk at a time"
                .to_owned(),
        ),
        fixes: Vec::new(),
    }
}

/// Buffers that are named, the largest first.
const NAMED_MAX: usize = 6;

/// E0551: a kernel's buffers, with the scratch of its instructions, take more shared memory than a
/// block of the target can have.
pub fn shared_too_large(kernel: &Kernel, allocation: &Allocation) -> Diagnostic {
    let target = kernel.target.row();
    let place = |site: SiteId| kernel.outer_place(site).clone();
    let mut buffers: Vec<&Buffer> = allocation.buffers.iter().collect();
    buffers.sort_by_key(|it| std::cmp::Reverse(it.bytes));
    let reasons = buffers.iter().take(NAMED_MAX).map(|it| Reason {
        place: place(it.site),
        message: match it.n_stages {
            1 => format!("{} takes {}", named(it), bytes(it.bytes)),
            n => format!("{} takes {}: {n} of {}", named(it), bytes(it.bytes), bytes(it.bytes / n)),
        },
    });
    let mut reasons: Vec<Reason> = reasons.collect();
    let (most, buffers) = (target.smem_block_bytes_max, allocation.buffer_bytes());
    let over = allocation.scratch.iter().find(|it| buffers <= most && most < it.range.end);
    reasons.extend(over.map(|it| Reason {
        place: place(it.site),
        message: format!("this takes {} of scratch while it runs", bytes(it.range.len() as u32)),
    }));
    let (what, taken, help) = match over {
        None => ("buffers", buffers, "make the largest tiles smaller, or take fewer stages"),
        Some(it) => (
            "buffers and scratch",
            it.range.end,
            "make the largest tiles smaller, take fewer stages, or let buffers end before the scratch is needed",
        ),
    };
    Diagnostic {
        code: Code::E0551,
        severity: Code::E0551.severity(),
        message: format!(
            "the kernel's {what} take {} of shared memory, a block of `{}` has {}",
            bytes(taken),
            target.name,
            bytes(most)
        ),
        place: place(kernel.clauses.head),
        reasons,
        steps: Vec::new(),
        help: Some(help.to_owned()),
        fixes: Vec::new(),
    }
}

fn named(buffer: &Buffer) -> String {
    if buffer.name.is_empty() { "this".to_owned() } else { format!("`{}`", buffer.name) }
}

/// A size for people.
fn bytes(n: u32) -> String {
    if n.is_multiple_of(1024) { format!("{} KiB", n / 1024) } else { format!("{n} bytes") }
}
