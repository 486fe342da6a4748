//! No target of AMD's has clusters.

use inkwell::values::{IntValue, PointerValue};

use super::Amdgcn;
use crate::chip::cluster::{Clusters, Reach};
use crate::emit::Emit;

/// Why nothing of clusters comes here.
const E0217: &str = "E0217: no kernel with clusters is lowered for a target without them";

impl Clusters for Amdgcn {
    fn declare_cluster(&self, _emit: &Emit<'_>, _extents: [u32; 3]) {
        unreachable!("{E0217}")
    }

    fn cluster_rank<'c>(&self, _emit: &Emit<'c>) -> IntValue<'c> {
        unreachable!("{E0217}")
    }

    fn neighbour<'c>(
        &self,
        _emit: &Emit<'c>,
        _at: PointerValue<'c>,
        _rank: IntValue<'c>,
    ) -> PointerValue<'c> {
        unreachable!("{E0217}")
    }

    fn cluster_barrier(&self, _emit: &Emit<'_>) {
        unreachable!("{E0217}")
    }

    fn arrive_on<'c>(&self, _emit: &Emit<'c>, _at: PointerValue<'c>, _count: u32, _reach: Reach) {
        unreachable!("{E0217}")
    }

    fn arrive_everywhere<'c>(
        &self,
        _emit: &Emit<'c>,
        _at: PointerValue<'c>,
        _blocks: u32,
        _count: u32,
        _reach: Reach,
    ) {
        unreachable!("{E0217}")
    }
}
