//! What the lowering asks of a vendor's clusters: blocks that reach each other's shared memory.

use inkwell::values::{IntValue, PointerValue};

use crate::emit::Emit;

/// How far the order of an arrival reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// What the block's threads did; of other blocks' memory nothing was written.
    Block,
    /// What was written to the memory of any block of the cluster.
    Cluster,
}

/// A vendor's clusters.
pub(crate) trait Clusters {
    /// Makes the function a kernel whose blocks run in clusters of these extents.
    fn declare_cluster(&self, emit: &Emit<'_>, extents: [u32; 3]);

    /// The number of this block in its cluster, as `i32`.
    fn cluster_rank<'c>(&self, emit: &Emit<'c>) -> IntValue<'c>;

    /// The same place in the shared memory of another block.
    fn neighbour<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        rank: IntValue<'c>,
    ) -> PointerValue<'c>;

    /// All threads of the cluster meet, and see what any of them wrote.
    fn cluster_barrier(&self, emit: &Emit<'_>);

    /// The warp arrives so many times at an mbarrier of another block: a place that [`Clusters::neighbour`] gave.
    fn arrive_on<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>, count: u32, reach: Reach);

    /// The warp arrives so many times at the mbarrier of the same place in each of the cluster's blocks.
    fn arrive_everywhere<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        blocks: u32,
        count: u32,
        reach: Reach,
    );
}
