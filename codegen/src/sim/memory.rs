//! Memory of a launch: which addresses exist, what they hold, and what was never written.
//!
//! A generic address says which memory it means: the buffer `i` of the launch starts at
//! `(i + 1) << 36`, so that one shift finds it and nothing that a kernel adds to a pointer by
//! mistake reaches the next one; higher bits are tags of the other memories. Address 0 is in none.
//!
//! Shared and local memory, and buffers that begin with nothing in them, remember which bytes were
//! written. The first two start with a pattern, never with zeros.

use std::collections::BTreeMap;

use super::bytecode::Space;
use super::error::{Kind, SimError};

/// log2 of the distance of two buffers.
const BUFFER_SHIFT: u32 = 36;
const BUFFER_STEP: u64 = 1 << BUFFER_SHIFT;
/// Variables of the module: tag plus `index << 36`.
pub(super) const VARIABLES: u64 = 1 << 52;
/// Shared memory of the block: tag plus offset.
pub(super) const SHARED: u64 = 2 << 52;
/// Private memory of the thread: tag plus offset.
pub(super) const LOCAL: u64 = 3 << 52;
/// Arguments that are passed in memory, and what the driver tells a kernel about its launch.
pub(super) const ARGUMENTS: u64 = 4 << 52;
/// The parts of the arguments: AMD's implicit ones, the dispatch packet, what is passed by value.
pub(super) const IMPLICIT_AT: u64 = 0;
pub(super) const DISPATCH_AT: u64 = 256;
pub(super) const BY_VALUE_AT: u64 = 512;
/// Shared memory that a block can have is smaller than this.
pub(super) const SHARED_MAX: u64 = 1 << PEER_SHIFT;
/// From this bit on an address of shared memory names another block of the cluster: its number plus one.
pub(super) const PEER_SHIFT: u32 = 24;
/// Blocks of a cluster, at most.
const PEERS_MAX: u64 = 16;
/// What fresh memory holds.
pub(super) const PATTERN: u8 = 0xa5;

/// The address of byte 0 of buffer `index`.
pub(super) fn buffer_address(index: usize) -> u64 {
    (index as u64 + 1) << BUFFER_SHIFT
}

/// The address of byte 0 of variable `index` of the module.
pub(super) fn variable_address(index: usize) -> u64 {
    VARIABLES + ((index as u64) << BUFFER_SHIFT)
}

/// Which memory an address is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Region {
    Buffer(u32),
    Variable(u32),
    Arguments,
    Shared,
    /// Shared memory of that block of the cluster.
    Peer(u32),
    Local,
}

/// Which bytes were written, a bit each.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Vec<u64>);

impl Written {
    /// None of `len` bytes.
    pub(super) fn new(len: usize) -> Self {
        Written(vec![0; len.div_ceil(64)])
    }

    /// The first byte of a range that nothing has written.
    #[inline]
    pub(super) fn first_missing(&self, at: usize, len: usize) -> Option<usize> {
        if at % 64 + len <= 64 {
            let run = if len == 64 { !0 } else { (1u64 << len) - 1 };
            let missing = !(self.0[at / 64] >> (at % 64)) & run;
            return (missing != 0).then(|| at + missing.trailing_zeros() as usize);
        }
        (at..at + len).find(|&i| self.0[i / 64] >> (i % 64) & 1 == 0)
    }

    /// Remembers a write.
    #[inline]
    pub(super) fn mark(&mut self, at: usize, len: usize) {
        if at % 64 + len <= 64 {
            let run = if len == 64 { !0 } else { (1u64 << len) - 1 };
            self.0[at / 64] |= run << (at % 64);
        } else {
            (at..at + len).for_each(|i| self.0[i / 64] |= 1 << (i % 64));
        }
    }
}

/// Bytes that remember whether they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracked {
    pub(super) bytes: Vec<u8>,
    pub(super) written: Written,
}

impl Tracked {
    /// `len` bytes that nothing has written.
    pub(super) fn new(len: usize) -> Self {
        Tracked { bytes: vec![PATTERN; len], written: Written::new(len) }
    }

    /// Forgets all writes.
    pub(super) fn reset(&mut self) {
        self.bytes.fill(PATTERN);
        self.written.0.fill(0);
    }

    /// Writes bytes that exist.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.written.mark(at, bytes.len());
    }
}

/// Everything a launch can address, except what belongs to one warp.
#[derive(Debug)]
pub(super) struct Memory<'a> {
    pub(super) buffers: &'a mut [Vec<u8>],
    /// For buffers that begin with nothing in them, which bytes were written since.
    pub(super) written: BTreeMap<u32, Written>,
    pub(super) variables: Vec<Vec<u8>>,
    pub(super) arguments: Vec<u8>,
    /// Tensor maps by their address.
    pub(super) maps: BTreeMap<u64, EngineMap>,
}

/// A tensor map as a copy engine knows it.
#[derive(Clone, Debug)]
pub(super) struct EngineMap {
    /// The buffer with the tensor at its start.
    pub(super) buffer: u32,
    pub(super) bound: tile_plan::BoundMap,
}

/// An access to `len` bytes at byte `at` of a memory that has `size`.
pub(super) fn outside(region: Region, at: u64, len: usize, size: usize) -> SimError {
    let message = match region {
        Region::Buffer(u32::MAX) => {
            format!("an access of {len} bytes through {at:#x}, which is in no memory")
        }
        // Only a pointer that was moved backwards comes to the far end of a buffer's space.
        Region::Buffer(i) if at >= BUFFER_STEP / 2 => {
            let before = BUFFER_STEP - at;
            format!("an access of {len} bytes {before} bytes before buffer {}", i + 1)
        }
        _ => {
            let name = describe(region);
            format!("an access of {len} bytes at byte {at} of {name}, which has {size}")
        }
    };
    SimError::new(Kind::OutOfBounds, message)
}

/// Splits an address into memory and offset. What is in no memory is in buffer `u32::MAX`.
#[inline]
pub(super) fn region_of(space: Space, addr: u64) -> (Region, u64) {
    match space {
        Space::Shared => shared_region(addr & (SHARED - 1)),
        Space::Local => (Region::Local, addr & (SHARED - 1)),
        Space::Generic | Space::Global | Space::Constant => generic_region(addr),
    }
}

#[inline]
fn shared_region(addr: u64) -> (Region, u64) {
    match addr >> PEER_SHIFT {
        block @ 1..=PEERS_MAX => (Region::Peer(block as u32 - 1), addr & (SHARED_MAX - 1)),
        _ => (Region::Shared, addr),
    }
}

fn generic_region(addr: u64) -> (Region, u64) {
    let index = ((addr & (VARIABLES - 1)) >> BUFFER_SHIFT) as u32;
    let offset = addr & (BUFFER_STEP - 1);
    match addr >> 52 {
        0 if index > 0 => (Region::Buffer(index - 1), offset),
        1 => (Region::Variable(index), offset),
        2 => (Region::Shared, addr & (VARIABLES - 1)),
        3 => (Region::Local, addr & (VARIABLES - 1)),
        4 => (Region::Arguments, addr & (VARIABLES - 1)),
        _ => (Region::Buffer(u32::MAX), addr),
    }
}

/// A memory in words.
pub(super) fn describe(region: Region) -> String {
    match region {
        Region::Buffer(u32::MAX) => "no memory".to_owned(),
        Region::Buffer(i) => format!("buffer {i}"),
        Region::Variable(i) => format!("variable {i} of the module"),
        Region::Arguments => "the arguments".to_owned(),
        Region::Shared => "shared memory".to_owned(),
        Region::Peer(rank) => format!("shared memory of block {rank} of the cluster"),
        Region::Local => "private memory".to_owned(),
    }
}
