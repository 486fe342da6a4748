//! The copy engine: boxes of tensors, moved beside the threads (PTX ISA 9.7.9.25.5; CUDA C++ Programming Guide, "Tensor
//! Memory Access").
//!
//! # Definition
//! A box that comes in is read when it starts and lands as late as its mbarrier lets it; one that goes out is read and
//! written as late as its thread's waits let it. So a wait that is missing finds what was there before, and a write
//! that comes too early goes out. Units of 16 bytes are permuted by the absolute address. What the box has outside of
//! its tensor comes in as zeros, whose bytes count, and does not go out.

use std::collections::BTreeMap;

use super::super::bytecode::{AtomicOp, BoxCopy, BoxWay, Combining, IntOp, Real, Real2};
use super::super::error::{Kind, SimError};
use super::super::mbarrier::Landing;
use super::super::memory::{EngineMap, Memory, Region, Tracked};
use super::super::race::{How, Later};
use super::memory::{combine, read_bytes, write_bytes};
use super::window::offset;
use super::{Turn, lanes_of};

/// Bytes that are moved together.
const UNIT: usize = 16;
/// What divides the address of a box in shared memory.
const PLACE_ALIGN: u64 = 128;

/// Sixteen bytes of shared memory, and what of them is inside of the tensor.
#[derive(Clone, Copy, Debug)]
struct Unit {
    shared: u64,
    /// The first byte of the tensor's buffer, the first of the unit's, and how many.
    inside: Option<(u64, usize, usize)>,
}

/// A box on its way out.
#[derive(Clone, Debug)]
struct OutBox {
    lane: usize,
    buffer: u32,
    units: Vec<Unit>,
    /// How elements are combined with what is there, and their bytes.
    reduce: Option<(AtomicOp, usize)>,
    /// When it has been read and when it has been written, in the time of the lane's copies.
    times: [u32; 2],
}

/// The boxes of a warp on their way out: groups of each lane that may not have been read, the oldest first, and those in no
/// group.
#[derive(Clone, Debug, Default)]
pub(super) struct OutBoxes {
    groups: Vec<(usize, Vec<OutBox>)>,
    open: Vec<OutBox>,
    /// By lane: when the last of those will have been written that are known to have been read.
    read: BTreeMap<usize, u32>,
}

impl<const L: usize> Turn<'_, '_, L> {
    /// Each lane starts a box.
    pub(super) fn move_box(&mut self, copy: &BoxCopy) -> Result<(), SimError> {
        for lane in lanes_of(self.mask) {
            self.move_one(copy, lane).map_err(|it| it.at_lane(lane as u32))?;
        }
        Ok(())
    }

    fn move_one(&mut self, copy: &BoxCopy, lane: usize) -> Result<(), SimError> {
        let address = self.warp.rows.read(copy.map, lane);
        let Some(map) = self.memory.maps.get(&address).cloned() else {
            return Err(undefined(format!("there is no tensor map at {address:#x}")));
        };
        let index = |row: &u32| i64::from(self.warp.rows.words[*row as usize][lane] as i32);
        let corner: Vec<i64> = copy.corner.iter().map(index).collect();
        if corner.len() != map.bound.sizes.len() {
            let (got, rank) = (corner.len(), map.bound.sizes.len());
            return Err(undefined(format!("a box of {got} dimensions of a tensor map of {rank}")));
        }
        let shared = offset(self.warp.rows.read(copy.shared, lane)) + u64::from(copy.offset);
        if !shared.is_multiple_of(PLACE_ALIGN) {
            let message = format!(
                "a box at byte {shared} of shared memory, which is not a multiple of {PLACE_ALIGN}"
            );
            return Err(SimError::new(Kind::Misaligned, message));
        }
        let units = units(&map, &corner, shared);
        match copy.way {
            BoxWay::In { told, offset: more, blocks } => {
                let told = offset(self.warp.rows.read(told, lane)) + u64::from(more);
                let regions = match blocks {
                    Some(it) => self.blocks_of(self.warp.rows.read(it, lane))?,
                    None => vec![Region::Shared],
                };
                self.bring(&map, &units, told, lane, &regions)
            }
            BoxWay::Out { reduce } => {
                if let Some(axis) = corner.iter().position(|it| *it < 0) {
                    let at = corner[axis];
                    return Err(undefined(format!(
                        "a box that goes out begins at {at} of the engine's dimension {axis}"
                    )));
                }
                let dtype = map.bound.map.dtype.as_str();
                let reduce = match reduce.map(|it| (it, operation(it, dtype))) {
                    None => None,
                    Some((_, Some(op))) => Some((op, map.bound.map.bits as usize / 8)),
                    Some((it, None)) => {
                        return Err(undefined(format!("a reduction {it:?} of `{dtype}`")));
                    }
                };
                self.send(&map, units, reduce, lane)
            }
        }
    }

    fn bring(
        &mut self,
        map: &EngineMap,
        units: &[Unit],
        told: u64,
        lane: usize,
        regions: &[Region],
    ) -> Result<(), SimError> {
        let time = self.warp.flights.hand_over(lane);
        let mut pieces = Vec::with_capacity(units.len());
        let (_, mut window) = self.open(Region::Buffer(map.buffer));
        for unit in units {
            let mut bytes = [0; UNIT];
            if let Some((from, first, len)) = unit.inside {
                let found =
                    window.read_in_flight(from, len, lane, How::Fetch, Some(Later::Copy(time)))?;
                bytes[first..first + len].copy_from_slice(found);
            }
            pieces.push((unit.shared, bytes));
        }
        let landing = Landing { agent: self.agent, time, bytes: map.bound.map.box_bytes(), pieces };
        for &region in regions {
            let (_, mut window) = self.open(region);
            for unit in units {
                window.reserve(unit.shared, UNIT, lane, time)?;
            }
            self.mbarriers_in(region)?.get(told)?.bring(landing.clone())?;
        }
        Ok(())
    }

    /// The memories of the blocks that a mask names.
    fn blocks_of(&self, mask: u64) -> Result<Vec<Region>, SimError> {
        let n_blocks = self.place.peers.len().max(1);
        if mask == 0 || mask >> n_blocks != 0 {
            let message =
                format!("a box for the blocks {mask:#b} of a cluster that has {n_blocks}");
            return Err(undefined(message));
        }
        Ok((0..n_blocks as u32).filter(|it| mask >> it & 1 != 0).map(Region::Peer).collect())
    }

    fn send(
        &mut self,
        map: &EngineMap,
        units: Vec<Unit>,
        reduce: Option<(AtomicOp, usize)>,
        lane: usize,
    ) -> Result<(), SimError> {
        let times = [self.warp.flights.hand_over(lane), self.warp.flights.hand_over(lane)];
        let (_, mut window) = self.open(Region::Shared);
        for unit in units.iter().filter(|it| it.inside.is_some()) {
            window.read_in_flight(
                unit.shared,
                UNIT,
                lane,
                How::Take,
                Some(Later::Copy(times[0])),
            )?;
        }
        let (_, mut window) = self.open(Region::Buffer(map.buffer));
        for (to, _, len) in units.iter().filter_map(|it| it.inside) {
            match reduce {
                Some(_) => window.reserve_to_combine(to, len, lane, times[1])?,
                None => window.reserve(to, len, lane, times[1])?,
            }
        }
        self.warp.out_boxes.open.push(OutBox { lane, buffer: map.buffer, units, reduce, times });
        Ok(())
    }

    /// Closes the open group of each lane.
    pub(super) fn commit_boxes(&mut self) {
        let out = &mut self.warp.out_boxes;
        for lane in lanes_of(self.mask) {
            let (own, others) =
                std::mem::take(&mut out.open).into_iter().partition(|it| it.lane == lane);
            out.open = others;
            out.groups.push((lane, own));
        }
    }

    /// Each lane waits for all but its `pending` youngest groups; `read` if it is enough that they have been read.
    pub(super) fn await_boxes(&mut self, pending: u32, read: bool) {
        for lane in lanes_of(self.mask) {
            let groups = std::mem::take(&mut self.warp.out_boxes.groups);
            let of_lane = groups.iter().filter(|it| it.0 == lane).count();
            let mut ends = of_lane.saturating_sub(pending as usize);
            for (owner, group) in groups {
                if owner != lane || ends == 0 {
                    self.warp.out_boxes.groups.push((owner, group));
                    continue;
                }
                ends -= 1;
                for it in &group {
                    it.land(self.shared, self.memory);
                    if let Some(race) = &mut self.race {
                        race.landed(self.agent, it.times[usize::from(!read)]);
                    }
                    if read {
                        self.warp.out_boxes.read.insert(lane, it.times[1]);
                    }
                }
            }
            // What was read before all that is left has been written, too.
            if pending == 0
                && !read
                && let Some(time) = self.warp.out_boxes.read.remove(&lane)
                && let Some(race) = &mut self.race
            {
                race.landed(self.agent, time);
            }
        }
    }

    /// A thread that ends leaves no box of its own behind that has not been read.
    pub(super) fn leave_boxes(&self) -> Result<(), SimError> {
        let out = &self.warp.out_boxes;
        let left = out.groups.iter().flat_map(|it| &it.1).chain(&out.open);
        match left.map(|it| it.lane).find(|it| self.mask >> it & 1 != 0) {
            Some(lane) => {
                let message = "a thread ends while a box that it has sent may still be read";
                Err(undefined(message.to_owned()).at_lane(lane as u32))
            }
            None => Ok(()),
        }
    }
}

impl OutBox {
    fn land(&self, shared: &Tracked, memory: &mut Memory<'_>) {
        for unit in &self.units {
            let Some((to, first, len)) = unit.inside else { continue };
            let (from, to) = (unit.shared as usize + first, to as usize);
            let (from, to_bytes) = (
                &shared.bytes[from..from + len],
                &mut memory.buffers[self.buffer as usize][to..to + len],
            );
            match self.reduce {
                None => to_bytes.copy_from_slice(from),
                Some((op, bytes)) => {
                    let elements = to_bytes.chunks_exact_mut(bytes).zip(from.chunks_exact(bytes));
                    for (to, from) in elements {
                        let bits = 8 * bytes as u32;
                        write_bytes(to, combine(op, bits, read_bytes(to), read_bytes(from)));
                    }
                }
            }
            if let Some(written) = memory.written.get_mut(&self.buffer) {
                written.mark(to, len);
            }
        }
    }
}

/// What a reduction does to elements of a type; `None` if the engine does not do it.
fn operation(it: Combining, dtype: &str) -> Option<AtomicOp> {
    let real = match dtype {
        "f32" => Some(Real::F32),
        "f16" => Some(Real::F16),
        "bf16" => Some(Real::Bf16),
        _ => None,
    };
    let is_signed = matches!(dtype, "i32" | "i64");
    let is_int = is_signed || matches!(dtype, "u32" | "u64");
    match (it, real) {
        (Combining::Add, Some(real)) => Some(AtomicOp::Real(Real2::Add, real)),
        (_, Some(_)) => None,
        _ if !is_int => None,
        (Combining::Add, None) => Some(AtomicOp::Int(IntOp::Add)),
        (Combining::Min, None) if is_signed => Some(AtomicOp::Int(IntOp::MinSigned)),
        (Combining::Min, None) => Some(AtomicOp::Int(IntOp::MinUnsigned)),
        (Combining::Max, None) if is_signed => Some(AtomicOp::Int(IntOp::MaxSigned)),
        (Combining::Max, None) => Some(AtomicOp::Int(IntOp::MaxUnsigned)),
        (Combining::And, None) => Some(AtomicOp::Int(IntOp::And)),
        (Combining::Or, None) => Some(AtomicOp::Int(IntOp::Or)),
        (Combining::Xor, None) => Some(AtomicOp::Int(IntOp::Xor)),
    }
}

/// The units of a box: the row's first, then those of the next rows in the engine's order.
fn units(map: &EngineMap, corner: &[i64], shared: u64) -> Vec<Unit> {
    let of = &map.bound.map;
    let element = of.bits as usize / 8;
    let row_bytes = of.extents[0] as usize * element;
    let pitch = if of.swizzle == 0 { row_bytes } else { of.swizzle as usize };
    let n_rows: u32 = of.extents[1..].iter().product();
    let mut units = Vec::new();
    for row in 0..n_rows {
        let mut at = corner.to_vec();
        let mut rest = row;
        for (at, &extent) in at[1..].iter_mut().zip(&of.extents[1..]) {
            *at += i64::from(rest % extent);
            rest /= extent;
        }
        for first in (0..row_bytes).step_by(UNIT) {
            let dense = shared + (row as usize * pitch + first) as u64;
            let moved = (dense >> 7 & u64::from(of.swizzle.max(16) / 16 - 1)) << 4;
            let n = UNIT / element;
            let mut index = at.clone();
            index[0] += (first / element) as i64;
            // What is before the first index, and up to the last one.
            let skipped = usize::try_from(-index[0]).unwrap_or(0).min(n);
            index[0] += skipped as i64;
            let left = map.bound.sizes[0] as i64 - index[0];
            let len = usize::try_from(left).unwrap_or(0).min(n - skipped);
            let from = if len == 0 { None } else { map.bound.offset(index) };
            let inside = from.map(|from| (from, skipped * element, len * element));
            units.push(Unit { shared: dense ^ moved, inside });
        }
    }
    units
}

fn undefined(message: String) -> SimError {
    SimError::new(Kind::Undefined, message)
}
