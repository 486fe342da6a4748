//! What a machine's shared memory can do for a warp, and the access that it does best.
//!
//! Instructions for matrices touch the same bytes as a thread's own accesses of four bytes or less
//! would, so the banks serve them at least as well: they are taken wherever they fit, unless a thread
//! moves sixteen bytes at once anyway.

use super::{MatrixForm, SharedAccess, SharedMeans};
use crate::banks::{BankModel, Direction};
use crate::layout::{In, Layout};
use crate::memory_map::MemoryMap;

/// Bytes that no instruction for matrices surpasses.
const WIDE_BYTES: u32 = 16;

/// What a machine's shared memory can do for a warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SharedModel {
    /// How the banks serve the lanes.
    pub banks: BankModel,
    /// Matrices that it reads, preferred first.
    pub reads: &'static [MatrixForm],
    /// Matrices that it writes, preferred first.
    pub writes: &'static [MatrixForm],
}

impl SharedModel {
    /// Banks that serve threads, each for itself.
    pub const fn plain(banks: BankModel) -> SharedModel {
        SharedModel { banks, reads: &[], writes: &[] }
    }

    /// The matrices that a tile can move by. All lanes of a warp store together, so none may hold
    /// copies.
    pub(crate) fn forms(&self, has_copies: bool, direction: Direction) -> &'static [MatrixForm] {
        match direction {
            Direction::Read => self.reads,
            Direction::Write if has_copies => &[],
            Direction::Write => self.writes,
        }
    }

    /// How a tile in `layout` moves to or from a view with that map.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn access(
        &self,
        layout: &Layout,
        map: &MemoryMap,
        elem_bits: u32,
        direction: Direction,
    ) -> SharedAccess {
        let own = SharedAccess::new(layout, map, elem_bits);
        // A thread of a matrix holds its elements as they lie in memory, whole bytes each.
        if own.bytes >= WIDE_BYTES || elem_bits < 8 {
            return own;
        }
        let forms = self.forms(layout.free_mask(In::Lane) != 0, direction);
        let by = |form: &MatrixForm| SharedAccess::matrices(layout, map, elem_bits, *form);
        forms.iter().find_map(by).unwrap_or(own)
    }

    /// How often the banks serve a warp for all of an access, one instruction after the other.
    pub fn wavefronts(&self, access: &SharedAccess, elem_bits: u32, direction: Direction) -> u32 {
        let lane_bits = access.lanes.len() as u32;
        let together = self.banks.served_together(lane_bits, access.bytes, direction).len() as u32;
        let groups = match access.means {
            // Eight lanes give the addresses of one matrix.
            SharedMeans::Matrix { count, .. } => count,
            SharedMeans::Vector | SharedMeans::TransposeRead => 1 << (lane_bits - together),
        };
        let extra = access.conflicts(elem_bits, &self.banks, direction);
        access.groups.len() as u32 * groups * (1 + extra)
    }
}
