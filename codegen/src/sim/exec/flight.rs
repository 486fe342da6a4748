//! Copies that end later.
//!
//! A copy reads when it starts and writes at the last moment at which it may: when its warp waits
//! for it. A program that forgets the wait then finds what was there before. On NVIDIA a lane
//! collects its copies in groups and waits for all but the newest ones (PTX ISA 9.7.9.25.3). On AMD a
//! wave counts its operations on global memory, which end in order (CDNA3 ISA 4.4).

use super::super::bytecode::{AsyncCopy, Landing};
use super::super::count::Traffic;
use super::super::error::SimError;
use super::super::memory::{Range, Region};
use super::super::race::{How, Touch};
use super::{Turn, lanes_of};
use crate::sim::Vendor;

/// Bytes that a lane copies, at most.
const BYTES_MAX: usize = 16;

/// A lane's copy on its way.
#[derive(Clone, Copy, Debug)]
struct Flight {
    lane: u8,
    len: u8,
    /// Its group, or its number among the wave's operations; from 1.
    time: u32,
    to: u32,
    bytes: [u8; BYTES_MAX],
}

/// The copies of a warp that have not ended, oldest first.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Flights {
    queue: Vec<Flight>,
    /// The number of the group that each lane's next copies belong to (NVIDIA), or of the newest
    /// operation on global memory, the same for every lane (AMD).
    times: Vec<u32>,
}

impl Flights {
    pub(super) fn new(lanes: usize) -> Self {
        Flights { queue: Vec::new(), times: vec![1; lanes] }
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn async_copy(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let copy = &program.code.async_copies[table as usize];
        let from = self.addresses(&copy.from, copy.from_addr);
        let to = self.landings(copy);
        self.count_copy(copy, &from, &to);
        for lane in lanes_of(self.mask) {
            let bytes = self.fetch(copy, from[lane], lane)?;
            let len = copy.from.bytes;
            let range = self.aligned(to[lane], len, u64::from(copy.to_align), lane)?;
            let time = self.warp.flights.times[lane];
            self.touch_by_copy(range, len, lane, How::Land)?;
            self.warp.flights.queue.push(Flight {
                lane: lane as u8,
                len: len as u8,
                time,
                to: range.at as u32,
                bytes,
            });
        }
        Ok(())
    }

    /// Where the active lanes write.
    fn landings(&self, copy: &AsyncCopy) -> [u64; L] {
        let address = |lane: usize| self.warp.read(copy.to, lane);
        match copy.landing {
            Landing::Scattered { offset } => {
                std::array::from_fn(|lane| address(lane) + u64::from(offset))
            }
            Landing::Lined { offset, step } => {
                let first = address((self.mask.trailing_zeros() as usize).min(L - 1));
                std::array::from_fn(|lane| {
                    first + u64::from(offset) + lane as u64 * u64::from(step)
                })
            }
        }
    }

    /// What a lane copies: what it reads, then zeros.
    fn fetch(
        &mut self,
        copy: &AsyncCopy,
        addr: u64,
        lane: usize,
    ) -> Result<[u8; BYTES_MAX], SimError> {
        let mut bytes = [0; BYTES_MAX];
        let ignored = copy.ignore.is_some_and(|flag| self.flag(flag) >> lane & 1 != 0);
        let wanted = copy.read.map(|row| self.warp.words[row as usize][lane]);
        let within = self.in_bounds(&copy.from, copy.from_addr, lane);
        let len = if ignored { 0 } else { wanted.unwrap_or(within).min(within) };
        if len == 0 {
            return Ok(bytes);
        }
        let range = self.locate(&copy.from, addr, len, lane)?;
        self.touch_by_copy(range, len, lane, How::Fetch)?;
        self.check_written(range, len, lane)?;
        let len = len as usize;
        bytes[..len].copy_from_slice(&self.view().bytes(range.region)[range.at..range.at + len]);
        Ok(bytes)
    }

    fn touch_by_copy(
        &mut self,
        range: Range,
        len: u32,
        lane: usize,
        how: How,
    ) -> Result<(), SimError> {
        self.await_own(range, len);
        let flight = Some(self.warp.flights.times[lane]);
        let Some(race) = &mut self.race else {
            return Ok(());
        };
        if matches!(range.region, Region::Local | Region::Arguments) {
            return Ok(());
        }
        let (region, at) = (range.region, range.at as u64);
        let (agent, pc, lane) = (self.agent, self.pc, lane as u8);
        race.touch(Touch { region, at, len, agent, lane, pc, how, flight }).map_err(|conflict| {
            conflict.explain(self.program, self.geometry).at_lane(u32::from(lane))
        })
    }

    fn count_copy(&mut self, copy: &AsyncCopy, from: &[u64; L], to: &[u64; L]) {
        self.count(&copy.from, from, false);
        let traffic = Traffic { bytes: copy.from.bytes, store: true, mask: self.mask };
        self.counts.shared(self.pc, traffic, to, &self.program.banks);
    }

    pub(super) fn commit_copies(&mut self) {
        for lane in lanes_of(self.mask) {
            self.warp.flights.times[lane] += 1;
        }
    }

    /// Ends all but the `pending` newest groups of every active lane.
    pub(super) fn await_copies(&mut self, pending: u32) {
        let times = &self.warp.flights.times;
        let closed = |lane: usize| (times[lane] - 1).saturating_sub(pending);
        let known = lanes_of(self.mask).map(closed).min().unwrap_or(0);
        let last: Vec<u32> =
            (0..L).map(|lane| if self.mask >> lane & 1 != 0 { closed(lane) } else { 0 }).collect();
        self.land(|flight| flight.time <= last[usize::from(flight.lane)]);
        self.learn(known);
    }

    /// Ends all but the `pending` newest of the wave's operations.
    pub(super) fn await_memory(&mut self, pending: u32) {
        let last = self.warp.flights.times[0].saturating_sub(pending);
        self.land(|flight| flight.time <= last);
        self.learn(last);
    }

    /// Before the wave touches bytes that a copy of its own is still to write, LLVM waits for it
    /// (`SIInsertWaitcnts`, LDS DMA): such a copy ends, and all before it.
    pub(super) fn await_own(&mut self, range: Range, len: u32) {
        if self.warp.flights.queue.is_empty()
            || range.region != Region::Shared
            || self.program.vendor != Vendor::Amd
        {
            return;
        }
        let (start, end) = (range.at as u32, range.at as u32 + len);
        let overlaps = |it: &&Flight| it.to < end && start < it.to + u32::from(it.len);
        let last = self.warp.flights.queue.iter().filter(overlaps).map(|it| it.time).max();
        if let Some(last) = last {
            self.land(|flight| flight.time <= last);
            self.learn(last);
        }
    }

    fn land(&mut self, ends: impl Fn(&Flight) -> bool) {
        let shared = &mut *self.shared;
        self.warp.flights.queue.retain(|flight| {
            let lands = ends(flight);
            if lands {
                let (at, len) = (flight.to as usize, usize::from(flight.len));
                shared.bytes[at..at + len].copy_from_slice(&flight.bytes[..len]);
                shared.mark(at, len);
            }
            !lands
        });
    }

    /// The warp knows of the end of its copies up to `time`, as far as none of them is on its way.
    fn learn(&mut self, time: u32) {
        let first = self.warp.flights.queue.iter().map(|flight| flight.time).min();
        let time = first.map_or(time, |first| time.min(first - 1));
        let by_fences = self.program.vendor == Vendor::Amd;
        if let Some(race) = &mut self.race {
            race.landed(self.agent, time, by_fences);
        }
    }

    /// An access to global memory of `bytes` a lane begins: one operation for each 16 bytes.
    pub(super) fn count_memory(&mut self, bytes: u32) {
        if self.program.vendor == Vendor::Amd {
            let by = bytes.div_ceil(BYTES_MAX as u32);
            self.warp.flights.times.iter_mut().for_each(|time| *time += by);
        }
    }
}
