//! Windows: one memory, open for the lanes of one operation.
//!
//! What the lanes of an operation access lies in one memory as a rule. Everything that depends on the
//! memory alone is looked up when the window on it opens; what is left for each lane is whether its bytes
//! exist, whether somebody has written them, and whether an access to them races.

use super::super::Program;
use super::super::bytecode::Space;
use super::super::error::{Kind, SimError};
use super::super::memory::{PEER_SHIFT, Region, Written, describe, outside, region_of};
use super::super::race::{How, Later, Shadow, Touch, Visitor};
use super::super::schedule::Geometry;
use super::warp::{Rows, Warp};
use super::{Turn, lanes_of};

/// One memory, open for an operation.
pub(super) struct Window<'w> {
    region: Region,
    bytes: &'w mut [u8],
    written: Option<&'w mut Written>,
    /// Bytes that a lane may address.
    size: usize,
    /// Bytes between what two lanes call byte 0: private memory of a thread lies one after another.
    stride: usize,
    shadow: Option<Shadow<'w>>,
    check_uninitialised: bool,
    program: &'w Program,
    geometry: &'w Geometry,
}

impl<const L: usize> Turn<'_, '_, L> {
    /// Opens a window on a memory, beside the rows of the warp.
    pub(super) fn open(&mut self, region: Region) -> (&mut Rows<L>, Window<'_>) {
        let region = self.own_name(region);
        // Of a block that has ended nothing is there.
        let block = self.block_of(region).ok();
        let Warp { rows, local, .. } = &mut *self.warp;
        let memory = &mut *self.memory;
        let (bytes, written): (&mut [u8], _) = match region {
            Region::Buffer(i) => (bytes_of(memory.buffers, i), memory.written.get_mut(&i)),
            Region::Variable(i) => (bytes_of(&mut memory.variables, i), None),
            Region::Arguments => (&mut memory.arguments, None),
            Region::Shared => (&mut self.shared.bytes, Some(&mut self.shared.written)),
            Region::Peer(rank) => match self.place.peers.get_mut(rank as usize) {
                Some(Some(it)) => (&mut it.shared.bytes, Some(&mut it.shared.written)),
                Some(None) | None => (&mut [], None),
            },
            Region::Local => (&mut local.bytes, Some(&mut local.written)),
        };
        let private = self.program.code.local_bytes as usize;
        let (size, stride) =
            if region == Region::Local { (private, private) } else { (bytes.len(), 0) };
        let block = block.unwrap_or(self.agent / self.geometry.warps);
        let visitor = Visitor { agent: self.agent, block, pc: self.pc, lanes: self.mask };
        let can_race = size > 0 && !matches!(region, Region::Local | Region::Arguments);
        let race = self.race.as_deref_mut().filter(|_| can_race);
        let window = Window {
            region,
            bytes,
            written,
            size,
            stride,
            shadow: race.map(|race| race.open(region, visitor)),
            check_uninitialised: self.check_uninitialised,
            program: self.program,
            geometry: self.geometry,
        };
        (rows, window)
    }
}

/// An address of shared memory as an offset into it.
pub(super) fn offset(addr: u64) -> u64 {
    region_of(Space::Shared, addr).1
}

/// The memory that the lowest lane of `mask` accesses, and the lanes that access the same.
pub(super) fn same_memory<const L: usize>(
    space: Space,
    addresses: &[u64; L],
    mask: u64,
) -> (Region, u64) {
    let region = |lane: usize| region_of(space, addresses[lane]).0;
    let first = region(mask.trailing_zeros() as usize);
    let is_one = match space {
        Space::Local => true,
        // No address names another block.
        Space::Shared => addresses.iter().fold(0, |all, it| all | it) >> PEER_SHIFT == 0,
        Space::Generic | Space::Global | Space::Constant => false,
    };
    if is_one {
        return (first, mask);
    }
    let here = lanes_of(mask).filter(|&lane| region(lane) == first);
    (first, here.fold(0, |lanes, lane| lanes | 1 << lane))
}

fn bytes_of(all: &mut [Vec<u8>], index: u32) -> &mut [u8] {
    all.get_mut(index as usize).map_or(&mut [], Vec::as_mut_slice)
}

impl Window<'_> {
    /// Where byte `at` of a lane is, if all `len` bytes there exist.
    #[inline]
    fn locate(&self, at: u64, len: usize, lane: usize) -> Result<usize, SimError> {
        if at.saturating_add(len as u64) > self.size as u64 {
            return Err(outside(self.region, at, len, self.size).at_lane(lane as u32));
        }
        Ok(at as usize + lane * self.stride)
    }

    /// Says that these lanes' accesses follow, at these offsets.
    #[inline]
    pub(super) fn foresee(&self, offsets: impl Iterator<Item = u64>) {
        if let Some(shadow) = &self.shadow {
            offsets.for_each(|at| shadow.foresee(at as usize));
        }
    }

    /// Bytes as they are, without a question whether anyone may read them.
    pub(super) fn peek(&self, at: u64, len: usize, lane: usize) -> Result<&[u8], SimError> {
        let at = self.locate(at, len, lane)?;
        Ok(&self.bytes[at..at + len])
    }

    /// Reads bytes that somebody must have written.
    #[inline]
    pub(super) fn read(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
        how: How,
    ) -> Result<&[u8], SimError> {
        self.read_in_flight(at, len, lane, how, None)
    }

    /// [`Window::read`] of as many bytes as the host knows of while it compiles.
    #[inline]
    pub(super) fn read_row<const N: usize>(
        &mut self,
        at: u64,
        lane: usize,
        how: How,
    ) -> Result<[u8; N], SimError> {
        let bytes = self.read(at, N, lane, how)?;
        Ok(*bytes.first_chunk().expect("B4: as many bytes as were asked for"))
    }

    /// Reads bytes, written or not.
    pub(super) fn read_any(&mut self, at: u64, len: usize, lane: usize) -> Result<&[u8], SimError> {
        let at = self.locate(at, len, lane)?;
        self.touch(Touch { at, len, lane, how: How::Read, flight: None })?;
        Ok(&self.bytes[at..at + len])
    }

    /// [`Window::read`] by a copy or a product that ends at `flight`.
    #[inline]
    pub(super) fn read_in_flight(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
        how: How,
        flight: Option<Later>,
    ) -> Result<&[u8], SimError> {
        let at = self.locate(at, len, lane)?;
        self.touch(Touch { at, len, lane, how, flight })?;
        self.check_written(at, len, lane)?;
        Ok(&self.bytes[at..at + len])
    }

    /// Writes bytes. A write of what is there is told from others.
    #[inline]
    pub(super) fn write(&mut self, at: u64, bytes: &[u8], lane: usize) -> Result<(), SimError> {
        let here = self.locate(at, bytes.len(), lane)?;
        let is_same = self.bytes[here..here + bytes.len()] == *bytes
            && self.first_unwritten(here, bytes.len()).is_none();
        let how = if is_same { How::Rewrite } else { How::Write };
        self.claim(at, bytes.len(), lane, how)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Bytes to be written.
    #[inline]
    pub(super) fn claim(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
        how: How,
    ) -> Result<&mut [u8], SimError> {
        let at = self.claimed(at, len, lane, how)?;
        Ok(self.marked(at, len))
    }

    /// Starts a copy to `len` bytes, which ends at `flight`.
    #[inline]
    pub(super) fn reserve(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
        flight: u32,
    ) -> Result<(), SimError> {
        let at = self.locate(at, len, lane)?;
        self.touch(Touch { at, len, lane, how: How::Land, flight: Some(Later::Copy(flight)) })
    }

    /// Bytes that something that ends at `flight` will combine with what is there, each element in one step.
    pub(super) fn reserve_to_combine(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
        flight: u32,
    ) -> Result<(), SimError> {
        let at = self.locate(at, len, lane)?;
        self.check_written(at, len, lane)?;
        self.touch(Touch { at, len, lane, how: How::Combine, flight: Some(Later::Copy(flight)) })
    }

    /// Bytes that are read and changed atomically.
    pub(super) fn exchange(
        &mut self,
        at: u64,
        len: usize,
        lane: usize,
    ) -> Result<&mut [u8], SimError> {
        let here = self.claimed(at, len, lane, How::Atomic)?;
        self.check_written(here, len, lane)?;
        Ok(self.marked(here, len))
    }

    fn claimed(&mut self, at: u64, len: usize, lane: usize, how: How) -> Result<usize, SimError> {
        let at = self.locate(at, len, lane)?;
        if self.region == Region::Arguments {
            let message = "the kernel writes to its arguments";
            return Err(SimError::new(Kind::ReadOnly, message));
        }
        self.touch(Touch { at, len, lane, how, flight: None })?;
        Ok(at)
    }

    fn marked(&mut self, at: usize, len: usize) -> &mut [u8] {
        if let Some(written) = &mut self.written {
            written.mark(at, len);
        }
        &mut self.bytes[at..at + len]
    }

    #[inline]
    fn touch(&mut self, touch: Touch) -> Result<(), SimError> {
        let Some(shadow) = &mut self.shadow else {
            return Ok(());
        };
        shadow.touch(touch).map_err(|conflict| {
            conflict.explain(self.program, self.geometry).at_lane(touch.lane as u32)
        })
    }

    #[inline]
    fn first_unwritten(&self, at: usize, len: usize) -> Option<usize> {
        self.written.as_ref()?.first_missing(at, len)
    }

    #[inline]
    fn check_written(&self, at: usize, len: usize, lane: usize) -> Result<(), SimError> {
        if !self.check_uninitialised {
            return Ok(());
        }
        match self.first_unwritten(at, len) {
            None => Ok(()),
            Some(at) => {
                let name = describe(self.region);
                let message = format!("byte {at} of {name} is read before anything has written it");
                Err(SimError::new(Kind::Uninitialised, message).at_lane(lane as u32))
            }
        }
    }
}
