//! Clusters: the memory of the other blocks, and meetings of all of them (PTX ISA 9.7.9.23, 9.7.13.3).
//!
//! # Definition
//! An address of shared memory of another block has the block's number, plus one, from bit 24 on. A meeting has two
//! halves: a lane that has arrived goes on, and waits at the other half until all lanes of all blocks that have not
//! returned have arrived.

use super::super::bytecode::Row;
use super::super::error::{Kind, SimError};
use super::super::mbarrier::Mbarriers;
use super::super::memory::{PEER_SHIFT, Region, SHARED_MAX, Tracked};
use super::warp::Wait;
use super::{Flow, Turn, lanes_of};

/// Another block of the cluster, as a warp reaches it.
#[derive(Debug)]
pub(in crate::sim) struct Peer<'t> {
    /// Its number in the grid.
    pub(in crate::sim) linear: u32,
    pub(in crate::sim) shared: &'t mut Tracked,
    pub(in crate::sim) mbarriers: &'t mut Mbarriers,
}

/// Where a warp stands among the blocks of its cluster.
#[derive(Debug)]
pub(in crate::sim) struct Place<'t> {
    /// The number of its own block.
    pub(in crate::sim) rank: u32,
    /// The blocks by number; none for the own, and for those that have ended.
    pub(in crate::sim) peers: Vec<Option<Peer<'t>>>,
}

impl<const L: usize> Turn<'_, '_, L> {
    /// `mapa`: the same place in another block.
    pub(super) fn map_peer(&mut self, d: Row, a: Row, rank: Row) -> Result<(), SimError> {
        let (addresses, ranks) = (self.get::<u32>(a), self.get::<u32>(rank));
        let n_blocks = self.place.peers.len().max(1) as u32;
        if let Some(lane) = lanes_of(self.mask).find(|&it| n_blocks <= ranks[it]) {
            let message = format!("block {} of a cluster that has {n_blocks}", ranks[lane]);
            return Err(SimError::new(Kind::Undefined, message).at_lane(lane as u32));
        }
        let there = |lane: usize| {
            let offset = addresses[lane] & (SHARED_MAX as u32 - 1);
            offset | ranks[lane].wrapping_add(1) << PEER_SHIFT
        };
        let row: [u32; L] = std::array::from_fn(there);
        self.put(d, row);
        Ok(())
    }

    /// A memory as this block calls it: its own is no neighbour's.
    pub(super) fn own_name(&self, region: Region) -> Region {
        if region == Region::Peer(self.place.rank) { Region::Shared } else { region }
    }

    /// The number in the grid of the block whose shared memory it is.
    pub(super) fn block_of(&self, region: Region) -> Result<u32, SimError> {
        match self.own_name(region) {
            Region::Peer(rank) => match self.place.peers.get(rank as usize) {
                Some(Some(peer)) => Ok(peer.linear),
                Some(None) | None => Err(ended(rank)),
            },
            _ => Ok(self.agent / self.geometry.warps),
        }
    }

    /// The mbarriers of a block's shared memory.
    pub(super) fn mbarriers_in(&mut self, region: Region) -> Result<&mut Mbarriers, SimError> {
        match self.own_name(region) {
            Region::Peer(rank) => match self.place.peers.get_mut(rank as usize) {
                Some(Some(peer)) => Ok(peer.mbarriers),
                Some(None) | None => Err(ended(rank)),
            },
            _ => Ok(self.mbarriers),
        }
    }

    /// The lanes arrive at the meeting of the cluster.
    pub(super) fn arrive_at_cluster(&mut self) -> Result<Flow, SimError> {
        if !self.together_all() {
            return Ok(Flow::Pick);
        }
        if self.warp.arrived & self.mask != 0 {
            let message =
                "a lane arrives at a meeting of the cluster before it has waited for the last one";
            return Err(SimError::new(Kind::Undefined, message));
        }
        self.warp.arrived |= self.mask;
        if let Some(race) = &mut self.race {
            race.arrive_at_cluster(self.agent, self.geometry.cluster_of(self.agent));
        }
        // Who arrives last lets the others go on.
        self.pc += 1;
        self.park(Wait::Ready);
        Ok(Flow::Pick)
    }

    /// The lanes wait until all of the cluster have arrived.
    pub(super) fn await_cluster(&mut self) -> Flow {
        if self.warp.met & self.mask != self.mask {
            self.park(Wait::Cluster);
            return Flow::Pick;
        }
        self.warp.met &= !self.mask;
        if let Some(race) = &mut self.race {
            race.pass_cluster(self.agent, self.geometry.cluster_of(self.agent));
        }
        Flow::Next
    }
}

fn ended(rank: u32) -> SimError {
    let message = format!("the shared memory of block {rank} of the cluster, which has ended");
    SimError::new(Kind::Undefined, message)
}
