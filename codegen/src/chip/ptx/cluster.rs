//! Clusters. Sources: PTX ISA 9.7.9.23 (mapa), 9.7.13.3 (barrier.cluster), 9.7.13.15 (mbarrier); LLVM 22, "User
//! Guide for NVPTX Backend".

use inkwell::IntPredicate;
use inkwell::values::{IntValue, PointerValue};

use super::Ptx;
use crate::chip::cluster::{Clusters, Reach};
use crate::emit::Emit;

/// Arrives at an mbarrier of any block of the cluster.
fn arrive<'c>(emit: &Emit<'c>, at: PointerValue<'c>, count: u32, reach: Reach) {
    let count = if count == 1 { String::new() } else { format!(", {count}") };
    let order = match reach {
        Reach::Block => "",
        Reach::Cluster => ".release.cluster",
    };
    let text = format!("mbarrier.arrive{order}.shared::cluster.b64 _, [$0]{count};");
    emit.assembly(text, "r".to_owned(), None, &[at.into()]);
}

impl Clusters for Ptx {
    fn declare_cluster(&self, emit: &Emit<'_>, extents: [u32; 3]) {
        let [x, y, z] = extents;
        emit.attribute("nvvm.cluster_dim", &format!("{x},{y},{z}"));
    }

    fn cluster_rank<'c>(&self, emit: &Emit<'c>) -> IntValue<'c> {
        self.register(emit, "llvm.nvvm.read.ptx.sreg.cluster.ctarank")
    }

    fn neighbour<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        rank: IntValue<'c>,
    ) -> PointerValue<'c> {
        let args = [at.into(), rank.into()];
        let there = emit.intrinsic("llvm.nvvm.mapa.shared.cluster", &[], &args);
        there.expect("an address has a value").into_pointer_value()
    }

    fn cluster_barrier(&self, emit: &Emit<'_>) {
        emit.intrinsic("llvm.nvvm.barrier.cluster.arrive.aligned", &[], &[]);
        emit.intrinsic("llvm.nvvm.barrier.cluster.wait.aligned", &[], &[]);
    }

    fn arrive_on<'c>(&self, emit: &Emit<'c>, at: PointerValue<'c>, count: u32, reach: Reach) {
        let elected = self.is_one_of(emit, 1);
        emit.when(elected, || arrive(emit, at, count, reach));
    }

    fn arrive_everywhere<'c>(
        &self,
        emit: &Emit<'c>,
        at: PointerValue<'c>,
        blocks: u32,
        count: u32,
        reach: Reach,
    ) {
        // A lane for each block: one instruction of the warp.
        let lane = self.register(emit, "llvm.nvvm.read.ptx.sreg.laneid");
        let is_one = emit.icmp(IntPredicate::ULT, lane, emit.int(blocks));
        emit.when(is_one, || arrive(emit, self.neighbour(emit, at, lane), count, reach));
    }
}
