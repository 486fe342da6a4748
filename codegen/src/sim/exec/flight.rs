//! Copies that end later.
//!
//! A copy reads when it starts and writes at the last moment at which it may: when its warp waits
//! for it. A program that forgets the wait then finds what was there before. On NVIDIA a lane
//! collects its copies in groups and waits for all but the newest ones (PTX ISA 9.7.9.25.3). On AMD a
//! wave counts its operations on global memory, which end in order (CDNA3 ISA 4.4). An mbarrier may wait for a lane's
//! copies, too, whatever groups they are in.

use super::super::bytecode::{AsyncCopy, Landing, Space};
use super::super::count::Traffic;
use super::super::error::SimError;
use super::super::mbarrier::Hold;
use super::super::memory::{Region, Tracked, region_of};
use super::super::race::{How, Later};
use super::window::{offset, same_memory};
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
    is_apart: bool,
    bytes: [u8; BYTES_MAX],
}

/// The copies of a warp that have not ended, oldest first.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Flights {
    queue: Vec<Flight>,
    /// The time of each lane's next copies (NVIDIA), or the number of the newest operation on global memory, the same for
    /// every lane (AMD).
    times: Vec<u32>,
    /// Of each lane, the times of the last copies of its groups.
    groups: Vec<Vec<u32>>,
}

impl Flights {
    pub(super) fn new(lanes: usize) -> Self {
        Flights { queue: Vec::new(), times: vec![1; lanes], groups: vec![Vec::new(); lanes] }
    }

    /// The time of a lane's copies up to now; later ones have another.
    pub(super) fn hand_over(&mut self, lane: usize) -> u32 {
        self.times[lane] += 1;
        self.times[lane] - 1
    }

    /// Ends the copies that an mbarrier waits for; the time up to which no copy of the warp is on its way.
    pub(super) fn end(&mut self, hold: Hold, shared: &mut Tracked) -> u32 {
        self.land(shared, |it| it.lane == hold.lane && it.time <= hold.time);
        self.known(hold.time)
    }

    fn land(&mut self, shared: &mut Tracked, ends: impl Fn(&Flight) -> bool) {
        self.queue.retain(|flight| {
            let lands = ends(flight);
            if lands {
                shared.write(flight.to as usize, &flight.bytes[..usize::from(flight.len)]);
            }
            !lands
        });
    }

    fn known(&self, time: u32) -> u32 {
        let first = self.queue.iter().map(|flight| flight.time).min();
        first.map_or(time, |first| time.min(first - 1))
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn async_copy(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let copy = &program.code.async_copies[table as usize];
        let from = self.addresses(&copy.from, copy.from_addr);
        let to = self.landings(copy);
        self.count_copy(copy, &from, &to);
        let (bytes, mask) = (copy.from.bytes, self.mask);
        let lens: [u32; L] = std::array::from_fn(|lane| self.read_len(copy, lane));
        let reading = lanes_of(mask).filter(|&lane| lens[lane] > 0);
        let reading = reading.fold(0, |lanes, lane| lanes | 1 << lane);
        self.check_aligned(copy.from.space, &from, (bytes, copy.from.align), reading)?;
        self.check_aligned(Space::Shared, &to, (bytes, copy.to_align), mask)?;
        self.await_own(copy.from.space, &from, bytes, reading);
        self.await_own(Space::Shared, &to, bytes, mask);
        let times = std::array::from_fn(|lane| self.warp.flights.times[lane]);
        let fetched = self.fetch(copy, (&from, &lens), &times, reading)?;
        let (_, mut window) = self.open(Region::Shared);
        window.foresee(lanes_of(mask).map(|lane| offset(to[lane])));
        for lane in lanes_of(mask) {
            window.reserve(offset(to[lane]), bytes as usize, lane, times[lane])?;
        }
        self.warp.flights.queue.extend(lanes_of(mask).map(|lane| Flight {
            lane: lane as u8,
            len: bytes as u8,
            time: times[lane],
            to: offset(to[lane]) as u32,
            is_apart: copy.is_apart,
            bytes: fetched[lane],
        }));
        Ok(())
    }

    /// Where the active lanes write.
    fn landings(&self, copy: &AsyncCopy) -> [u64; L] {
        let address = |lane: usize| self.warp.rows.read(copy.to, lane);
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

    /// How many bytes a lane reads; the others that it copies are zeros.
    fn read_len(&self, copy: &AsyncCopy, lane: usize) -> u32 {
        if copy.ignore.is_some_and(|flag| self.flag(flag) >> lane & 1 != 0) {
            return 0;
        }
        let within = self.in_bounds(&copy.from, copy.from_addr, lane);
        let wanted = copy.read.map(|row| self.warp.rows.words[row as usize][lane]);
        wanted.unwrap_or(within).min(within)
    }

    /// What the lanes of `mask` read.
    fn fetch(
        &mut self,
        copy: &AsyncCopy,
        (from, lens): (&[u64; L], &[u32; L]),
        times: &[u32; L],
        mask: u64,
    ) -> Result<[[u8; BYTES_MAX]; L], SimError> {
        let mut fetched = [[0; BYTES_MAX]; L];
        let mut rest = mask;
        while rest != 0 {
            let (region, here) = same_memory(copy.from.space, from, rest);
            rest &= !here;
            let (_, mut window) = self.open(region);
            window.foresee(lanes_of(here).map(|lane| region_of(copy.from.space, from[lane]).1));
            for lane in lanes_of(here) {
                let (len, flight) = (lens[lane] as usize, Some(Later::Copy(times[lane])));
                let at = region_of(copy.from.space, from[lane]).1;
                let bytes = window.read_in_flight(at, len, lane, How::Fetch, flight)?;
                match bytes.first_chunk() {
                    Some(all) => fetched[lane] = *all,
                    None => fetched[lane][..len].copy_from_slice(bytes),
                }
            }
        }
        Ok(fetched)
    }

    fn count_copy(&mut self, copy: &AsyncCopy, from: &[u64; L], to: &[u64; L]) {
        self.count(&copy.from, from, false);
        let traffic = Traffic { bytes: copy.from.bytes, store: true, mask: self.mask };
        self.counts.shared(self.pc, traffic, to, &self.program.banks);
    }

    pub(super) fn commit_copies(&mut self) {
        for lane in lanes_of(self.mask) {
            let last = self.warp.flights.hand_over(lane);
            self.warp.flights.groups[lane].push(last);
        }
    }

    /// Ends all but the `pending` newest groups of every active lane.
    pub(super) fn await_copies(&mut self, pending: u32) {
        let groups = &self.warp.flights.groups;
        let closed = |lane: usize| {
            let n = groups[lane].len().saturating_sub(pending as usize);
            groups[lane][..n].last().copied().unwrap_or(0)
        };
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
    /// (`SIInsertWaitcnts`, LDS DMA), unless it was told that they never meet: such a copy ends, and all
    /// before it.
    pub(super) fn await_own(&mut self, space: Space, addresses: &[u64; L], len: u32, mask: u64) {
        if self.warp.flights.queue.is_empty() || self.program.vendor != Vendor::Amd {
            return;
        }
        let touched = |it: &Flight, lane: usize| {
            let (region, at) = region_of(space, addresses[lane]);
            let (start, end) = (u64::from(it.to), u64::from(it.to) + u64::from(it.len));
            region == Region::Shared && at < end && start < at + u64::from(len)
        };
        let overlaps = |it: &&Flight| !it.is_apart && lanes_of(mask).any(|lane| touched(it, lane));
        let last = self.warp.flights.queue.iter().filter(overlaps).map(|it| it.time).max();
        if let Some(last) = last {
            self.land(|flight| flight.time <= last);
            self.learn(last);
        }
    }

    fn land(&mut self, ends: impl Fn(&Flight) -> bool) {
        self.warp.flights.land(self.shared, ends);
    }

    /// The warp knows of the end of its copies up to `time`, as far as none of them is on its way.
    fn learn(&mut self, time: u32) {
        let time = self.warp.flights.known(time);
        if let Some(race) = &mut self.race {
            race.landed(self.agent, time);
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
