//! Clusters of blocks. In the examples the kernel has `cluster [2]`.

use super::rows;
use crate::elab::rules::cluster;

rows! {
    /// The number of this block in its cluster, from 0 on; the first axis counts fastest. Without a cluster it is 0.
    ///
    /// Example:
    /// ```tile
    /// let first = cluster_rank() == 0;
    /// ```
    Function "cluster_rank" () "cluster_rank() -> i32",
        cluster::rank, source "PTX ISA, %cluster_ctarank";

    /// Blocks of the cluster, known at compile time. Without a cluster it is 1.
    ///
    /// Example:
    /// ```tile
    /// const N = cluster_size();
    /// ```
    Function "cluster_size" () "cluster_size() -> int",
        cluster::size, source "language.md section 8";

    /// All blocks of the cluster meet; what any of them wrote to the shared memory of any block, all see after. It stands
    /// outside of roles, under conditions that are equal in all blocks.
    ///
    /// Errors: E0741 in a role, or in a kernel without `cluster`; E0742 not all blocks come to it
    ///
    /// Example:
    /// ```tile
    /// cluster_sync();
    /// ```
    Function "cluster_sync" () "cluster_sync()",
        cluster::sync, needs [Cluster], source "PTX ISA, barrier.cluster";

    /// The same place in the shared memory of another block of the cluster: to load, to store, to change in one step; of
    /// a barrier, to arrive at. The kernel begins and ends with a meeting of the cluster, which the compiler puts there.
    ///
    /// Shapes: the view has those of `x`
    /// Errors: E0741 copies and products do not reach other blocks; E0743 nothing orders what two blocks do; E0744 a
    /// barrier that others arrive at says no number
    ///
    /// Example:
    /// ```tile
    /// let s: shared f32[128];
    /// s.on(1 - cluster_rank()).store(x);
    /// cluster_sync();
    /// let theirs = s.load(L);
    /// ```
    Method "on" (x: Required, rank: Required) "s.on(rank: i32) -> as s",
        cluster::on, needs [Cluster], source "PTX ISA, mapa";

    /// Stages whose permits end at these barriers pass between all blocks of the cluster: an end is announced in each of
    /// them, and a copy to all blocks may fill them. That is how a ring is `across: cluster`.
    ///
    /// Example:
    /// ```tile
    /// let empty: barrier[2];
    /// empty.across();
    /// roles {
    ///     one: warps 1 { empty[0].wait(0); }
    /// }
    /// ```
    Method "across" (barrier: Required) "gates.across()",
        cluster::across, needs [Cluster], source "language.md section 8";
}
