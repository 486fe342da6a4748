//! Analyses of tile IR: what is known of values, and what follows for memory.
//!
//! * [`facts`]: contiguity, divisibility, constancy and range of every value.
//! * [`access`]: how wide each load and store is, and what keeps it from being wider.
//! * [`sectors`](mod@sectors): how much of global memory a warp's access touches.
//! * [`copies`]: how a copy from global to shared memory is made.
//! * [`shared`]: how a tile moves between registers and a view of shared memory.
//! * [`budget`]: tiles that no thread can hold, buffers that no block can.
//! * [`expenses`](expenses()): what moving elements costs, place by place.
//! * [`pressure`](mod@pressure): how many registers a thread needs, where, and for what.
//! * [`role_map`]: which warps are whose, and how the register file is shared between them.
//! * [`meetings`]: which roles meet at a named barrier.
//! * [`mbarriers`]: who arrives at a barrier, and what the hardware counts.
//! * [`neighbours`]: what blocks of a cluster reach of each other.
//! * `uniform`: what blocks of a cluster do together, under conditions that are equal in all of them.
//! * `packed`: accesses to elements smaller than a byte that take a part of one.
//! * [`bounds`]: which accesses are neither masked nor provably inside their tensor.
//!
//! The lowering and the editor ask the same functions: the width that a warning talks about is the
//! width that is emitted. An analysis reads a kernel and nothing else.

pub mod access;
pub mod bounds;
pub mod budget;
pub mod copies;
mod expenses;
mod explain;
pub mod facts;
mod form;
#[cfg(test)]
mod laws;
mod machinery;
pub mod mbarriers;
pub mod meetings;
mod movement;
pub mod neighbours;
mod packed;
pub mod pressure;
pub mod role_map;
pub mod sectors;
pub mod shared;
mod streams;
mod tensors;
#[cfg(test)]
mod tests;
mod transfer;
mod uniform;

pub use access::{Access, Limit, access};
pub use copies::{CopyAccess, copy_access};
pub use expenses::{Expense, Moved, SharedCost, expenses, shared_cost};
pub(crate) use explain::Defs;
pub use explain::{Cause, Why};
pub use facts::Facts;
pub use mbarriers::Mbarriers;
pub use movement::Movement;
pub use neighbours::Neighbours;
pub use pressure::pressure;
pub use role_map::RoleMap;
pub use shared::{conversion_cost, shared_access};
pub use tensors::pointed_tensors;
pub use uniform::Parted;

use crate::diagnostic::{Diagnostic, Severity};
use crate::ir::Kernel;
use crate::{lint, pass, protocol, report};

/// Everything that the analyses have to say about a kernel, in the order of its text.
///
/// What is too large to compile is said alone.
pub fn findings(kernel: &Kernel) -> Vec<Diagnostic> {
    let facts = Facts::of(kernel);
    let mut found: Vec<Diagnostic> = Vec::new();
    kernel.body.walk(&mut |inst| {
        found.extend(packed::error(kernel, &facts, inst));
        found.extend(budget::error(kernel, inst));
    });
    found.extend(pass::misuses(kernel).iter().map(|it| report::mma::pending(kernel, it)));
    found.extend(protocol::stuck(kernel).map(|it| report::sync::stuck(kernel, &it)));
    found.extend(machinery::error(kernel));
    found.extend(uniform::parted(kernel).map(|it| report::cluster::parted(kernel, &it)));
    if kernel.roles().is_some() || Neighbours::of(kernel).exist() {
        found.extend(report::sync::verdict(kernel, &protocol::check(kernel)));
    }
    found.extend(budget::shared_error(kernel));
    if let Some(error) = found.iter().position(|it| it.severity == Severity::Error) {
        return vec![found.swap_remove(error)];
    }
    found.extend(lint::findings(kernel, &facts));
    found.extend(
        pass::needless_fences(kernel)
            .iter()
            .map(|it| report::performance::needless_fence(kernel, *it)),
    );
    let refusals = pass::refusals(kernel);
    found.extend(refusals.iter().map(|it| report::performance::not_ahead(kernel, it)));
    found.dedup();
    found
}
