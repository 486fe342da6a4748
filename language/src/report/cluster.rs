//! Wording of what concerns clusters of blocks: E074x, W0104.

use crate::analysis::Parted;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Kernel, Place};

/// How blocks run together, for reports.
pub fn extent(extents: &[u32], reaches: bool) -> String {
    let shape: Vec<String> = extents.iter().map(u32::to_string).collect();
    let what = if reaches {
        "reach each other's shared memory; all meet at the start and at the end"
    } else {
        "do not reach each other's shared memory"
    };
    format!("clusters of {} blocks, which {what}", shape.join(" x "))
}

/// E0740: a cluster that no device runs.
pub fn extents(place: Place, found: &[i128], max: u32) -> Diagnostic {
    let message = format!("no device runs a cluster of {found:?} blocks");
    Diagnostic::new(Code::E0740, message, place)
        .help(format!("a cluster has one to three axes and at most {max} blocks"))
}

/// E0740: a grid that is no whole number of clusters.
pub fn grid(place: Place, axis: usize, blocks: i64, cluster: u32) -> Diagnostic {
    let message = format!(
        "the grid has {blocks} blocks along axis {axis}, which is no multiple of the {cluster} of a cluster"
    );
    Diagnostic::new(Code::E0740, message, place).help(format!("make it a multiple of {cluster}"))
}

/// W0104: a cluster that not every device runs.
pub fn large(place: Place, size: u32, usual: u32) -> Diagnostic {
    let message = format!("a cluster of {size} blocks, where devices promise {usual}");
    Diagnostic::new(Code::W0104, message, place)
        .help("a launch fails on devices that cannot run it")
}

/// E0741: something of clusters in a kernel that has none.
pub fn none(place: Place, what: &str, head: Option<Place>) -> Diagnostic {
    let message = format!("{what} stands in a kernel without a `cluster`");
    let it = Diagnostic::new(Code::E0741, message, place);
    let it = match head {
        Some(head) => it.because(head, "its head says of no cluster"),
        None => it,
    };
    it.help("add `cluster [2]` to the head of the kernel")
}

/// E0741: a meeting of all threads of a cluster in one role.
pub fn sync_in_role(place: Place) -> Diagnostic {
    let message = "all threads of the cluster meet at a `cluster_sync()`, a role is some of them";
    Diagnostic::new(Code::E0741, message.to_owned(), place)
        .help("order the roles of different blocks by barriers: `bar.on(rank).arrive()`")
}

/// E0741: memory of another block where only the block's own can be.
pub fn out_of_reach(place: Place, what: &str) -> Diagnostic {
    let message = format!("{what} does not reach the shared memory of another block");
    Diagnostic::new(Code::E0741, message, place)
        .help("what reaches it are `load`, `store`, atomics and, of a barrier, `arrive`")
}

/// E0741: a block that the cluster does not have.
pub fn rank_outside(place: Place, rank: i128, size: u32) -> Diagnostic {
    let message = format!("block {rank} of a cluster that has {size}");
    Diagnostic::new(Code::E0741, message, place)
        .help(format!("blocks of it have the numbers 0 to {}", size - 1))
}

/// E0742: blocks that do something together go different ways before.
pub fn parted(kernel: &Kernel, it: &Parted) -> Diagnostic {
    let message =
        "the blocks of a cluster do this together, and some of them may not come to it".to_owned();
    Diagnostic::new(Code::E0742, message, kernel.outer_place(it.together).clone())
        .because(kernel.outer_place(it.parts).clone(), "here blocks of one cluster may go different ways")
        .help("let bounds and conditions around it follow from sizes, arguments and `block_id(0) / cluster_size()`")
}

/// E0744: a barrier that other blocks arrive at and that does not say how often.
pub fn uncounted(place: Place, made: Place) -> Diagnostic {
    let message =
        "how many arrivals complete a phase of this barrier does not follow from the uses"
            .to_owned();
    Diagnostic::new(Code::E0744, message, place)
        .because(made, "the barrier, at which other blocks arrive")
        .help("say it: `bar.arrivals(n)`")
}

/// E0745: a box for all blocks in a stage of which only one block knows.
pub fn cast_alone(place: Place, taken: Place) -> Diagnostic {
    let message =
        "this lands in all blocks of the cluster, and the others do not say that the stage is free"
            .to_owned();
    Diagnostic::new(Code::E0745, message, place)
        .because(taken, "the stage is taken here")
        .help("make the ring `across: cluster`")
}

/// E0741: a copy to all blocks that warps would have to make.
pub fn cast_by_warps(place: Place) -> Diagnostic {
    let message = "only a copy engine brings a box to all blocks of a cluster".to_owned();
    Diagnostic::new(Code::E0741, message, place)
        .help("copy a box of a tiled view in a role, without `by: warps`")
}

/// E0741: barriers between blocks in a kernel without roles.
pub fn without_roles(place: Place) -> Diagnostic {
    let message = "blocks arrive at each other's barriers in roles".to_owned();
    Diagnostic::new(Code::E0741, message, place)
        .help("without roles, let the blocks meet: `cluster_sync()`")
}
