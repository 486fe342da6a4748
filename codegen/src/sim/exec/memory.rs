//! Loads, stores, atomics and copies, lane by lane in ascending order.

use super::super::bytecode::{
    Access, Addressing, Atomic, AtomicOp, IntOp, Order, Pointer, Row, Scope, Slot, Space,
};
use super::super::count::Traffic;
use super::super::error::{Kind, SimError};
use super::super::memory::{LOCAL, Region, SHARED, describe, region_of};
use super::super::race::How;
use super::lanes::Integer;
use super::warp::Rows;
use super::window::{Window, same_memory};
use super::{Turn, decode, encode, lanes_of, real2_wide};
use crate::sim::Vendor;
use crate::sim::bytecode::Rounding;

/// Bytes that a lane stores at once, at most.
const STORE_MAX: usize = 256;
/// What the widest store of a machine has, which needs less room.
const STORE_USUAL: usize = 16;

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn load(&mut self, table: u32, addr: Row) -> Result<(), SimError> {
        let program = self.program;
        let access = &program.code.accesses[table as usize];
        let lanes = self.lanes_at(access, addr)?;
        self.count(access, &lanes.addresses, false);
        let how = if access.order.is_atomic() { How::AtomicRead } else { How::Read };
        let mut rest = self.mask;
        while rest != 0 {
            let (region, here) = same_memory(access.space, &lanes.addresses, rest);
            rest &= !here;
            let (rows, mut window) = self.open(region);
            window.foresee(lanes_of(here).map(|lane| lanes.place(access, lane).0));
            for lane in lanes_of(here) {
                let (at, len) = lanes.place(access, lane);
                let bytes = if len == 0 { &[] } else { window.read(at, len, lane, how)? };
                for part in &access.parts {
                    let (from, to) = (part.offset as usize, part.offset as usize + part.len());
                    let bits = bytes.get(from..to).map_or(0, read_bytes);
                    rows.write(part.slot, lane, bits);
                }
            }
        }
        if access.order.is_atomic() {
            self.order_access(access, &lanes.addresses, false);
        }
        Ok(())
    }

    pub(super) fn store(&mut self, table: u32, addr: Row) -> Result<(), SimError> {
        let program = self.program;
        let access = &program.code.accesses[table as usize];
        if access.bytes as usize > STORE_MAX {
            let message = format!("a store of {} bytes a lane", access.bytes);
            return Err(SimError::unsupported(message));
        }
        let lanes = self.lanes_at(access, addr)?;
        self.count(access, &lanes.addresses, true);
        if access.order.is_atomic() {
            self.order_access(access, &lanes.addresses, true);
        }
        let mut rest = self.mask;
        while rest != 0 {
            let (region, here) = same_memory(access.space, &lanes.addresses, rest);
            rest &= !here;
            let (rows, mut window) = self.open(region);
            window.foresee(lanes_of(here).map(|lane| lanes.place(access, lane).0));
            for lane in lanes_of(here) {
                let (at, len) = lanes.place(access, lane);
                if len > STORE_USUAL {
                    store_lane::<STORE_MAX, L>(access, rows, &mut window, (at, len), lane)?;
                } else if len > 0 {
                    store_lane::<STORE_USUAL, L>(access, rows, &mut window, (at, len), lane)?;
                }
            }
        }
        Ok(())
    }

    /// Where every active lane accesses memory, at places where its type may lie.
    fn lanes_at(&mut self, access: &Access, addr: Row) -> Result<Lanes<L>, SimError> {
        let addresses = self.addresses(access, addr);
        let lens = match access.addressing {
            Addressing::Pointer { .. } => [access.bytes; L],
            Addressing::Resource { .. } => {
                std::array::from_fn(|lane| self.in_bounds(access, addr, lane))
            }
        };
        let present = lanes_of(self.mask).filter(|&lane| lens[lane] > 0);
        let present = present.fold(0, |lanes, lane| lanes | 1 << lane);
        self.check_aligned(access.space, &addresses, (access.bytes, access.align), present)?;
        self.await_own(access.space, &addresses, access.bytes, self.mask);
        Ok(Lanes { addresses, lens })
    }

    /// Addresses of accesses of `bytes` must be multiples of `align`.
    pub(super) fn check_aligned(
        &self,
        space: Space,
        addresses: &[u64; L],
        (bytes, align): (u32, u32),
        mask: u64,
    ) -> Result<(), SimError> {
        let is_off = |lane: &usize| !addresses[*lane].is_multiple_of(u64::from(align));
        let Some(lane) = lanes_of(mask).find(is_off) else {
            return Ok(());
        };
        let (region, at) = region_of(space, addresses[lane]);
        let name = describe(region);
        let message = format!(
            "an access of {bytes} bytes at byte {at} of {name}, which is not a multiple of {align}"
        );
        Err(SimError::new(Kind::Misaligned, message).at_lane(lane as u32))
    }

    /// The address of every active lane.
    pub(super) fn addresses(&mut self, access: &Access, addr: Row) -> [u64; L] {
        let offset = u64::from(access.offset);
        match access.addressing {
            Addressing::Pointer { wide: true } => {
                self.get::<u64>(addr).map(|it| it.wrapping_add(offset))
            }
            Addressing::Pointer { wide: false } => {
                self.get::<u32>(addr).map(|it| u64::from(it.wrapping_add(offset as u32)))
            }
            Addressing::Resource { base, scalar_offset, .. } => {
                let base = self.get::<u64>(base);
                let scalar = self.get::<u32>(scalar_offset);
                let offsets = self.get::<u32>(addr);
                std::array::from_fn(|lane| {
                    base[lane] + u64::from(scalar[lane]) + u64::from(offsets[lane]) + offset
                })
            }
        }
    }

    /// How many leading bytes of the access take part: all, except beyond the end of a buffer
    /// resource, which is checked for every dword (CDNA3 ISA 9.1).
    pub(super) fn in_bounds(&self, access: &Access, addr: Row, lane: usize) -> u32 {
        let Addressing::Resource { records, scalar_offset, .. } = access.addressing else {
            return access.bytes;
        };
        let records = self.warp.rows.wides[records as usize][lane];
        let start = u64::from(self.warp.rows.words[addr as usize][lane])
            + u64::from(self.warp.rows.words[scalar_offset as usize][lane]);
        let unit = access.bytes.min(4);
        let fits = |n: &u32| start + u64::from(*n) <= records;
        (0..=access.bytes).step_by(unit.max(1) as usize).filter(fits).max().unwrap_or(0)
    }

    pub(super) fn count(&mut self, access: &Access, addresses: &[u64; L], store: bool) {
        if self.mask == 0 {
            return;
        }
        let first = self.mask.trailing_zeros() as usize;
        let (region, _) = region_of(access.space, addresses[first]);
        let traffic = Traffic { bytes: access.bytes, store, mask: self.mask };
        match region {
            Region::Shared => self.counts.shared(self.pc, traffic, addresses, &self.program.banks),
            Region::Buffer(_) | Region::Variable(_) => {
                self.counts.global(self.pc, traffic, addresses);
                self.count_memory(access.bytes);
            }
            Region::Local => self.counts.local_accesses += 1,
            // How other blocks' banks serve a warp is not known.
            Region::Peer(_) | Region::Arguments => {}
        }
    }

    /// An atomic load or store as synchronisation.
    fn order_access(&mut self, access: &Access, addresses: &[u64; L], store: bool) {
        let Some(race) = &mut self.race else {
            return;
        };
        for lane in lanes_of(self.mask) {
            let key = region_of(access.space, addresses[lane]);
            race.synchronise(self.agent, key, access.order, access.scope, store);
        }
    }

    pub(super) fn fence(&mut self, order: Order, scope: Scope) {
        // LLVM lets a release wait for the wave's copies to shared memory (AMDGPU memory model).
        if order.releases() && scope > Scope::Warp && self.program.vendor == Vendor::Amd {
            self.await_memory(0);
        }
        if let Some(race) = &mut self.race {
            race.fence(self.agent, order, scope);
        }
    }

    pub(super) fn release(&mut self) {
        if let Some(race) = &mut self.race {
            race.fence(self.agent, Order::Release, Scope::Block);
        }
    }

    pub(super) fn atomic(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let atomic = &program.code.atomics[table as usize];
        let access = &atomic.access;
        let lanes = self.lanes_at(access, atomic.addr)?;
        self.counts.atomics += 1;
        if access.space != Space::Shared {
            self.count_memory(access.bytes);
        }
        for lane in lanes_of(self.mask) {
            let (at, len) = lanes.place(access, lane);
            if len < access.bytes as usize {
                access.parts.iter().for_each(|part| self.warp.rows.write(part.slot, lane, 0));
                continue;
            }
            let key = region_of(access.space, lanes.addresses[lane]);
            let (rows, mut window) = self.open(key.0);
            exchange(atomic, rows, window.exchange(at, len, lane)?, lane);
            if let Some(race) = &mut self.race {
                race.synchronise(self.agent, key, access.order, access.scope, false);
                race.synchronise(self.agent, key, access.order, access.scope, true);
            }
        }
        Ok(())
    }

    pub(super) fn copy_bytes(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let copy = &program.code.copies[table as usize];
        for lane in lanes_of(self.mask) {
            let len = self.warp.rows.read(copy.len, lane) as u32 as usize;
            let bytes = match copy.from {
                Ok(from) => {
                    let (region, at) = self.pointed(from, len, lane);
                    let (_, mut window) = self.open(region);
                    window.read_any(at, len, lane)?.to_vec()
                }
                Err(value) => vec![self.warp.rows.words[value as usize][lane] as u8; len],
            };
            let (region, at) = self.pointed(copy.to, len, lane);
            let (_, mut window) = self.open(region);
            window.claim(at, len, lane, How::Write)?.copy_from_slice(&bytes);
        }
        Ok(())
    }

    /// The memory that a lane's pointer is in, and where.
    fn pointed(&mut self, pointer: Pointer, len: usize, lane: usize) -> (Region, u64) {
        let addr = self.warp.rows.read(pointer.row, lane);
        self.await_own(pointer.space, &[addr; L], len as u32, 1 << lane);
        region_of(pointer.space, addr)
    }

    pub(super) fn generic(&mut self, space: Space, d: Row, a: Slot) {
        let tag = if space == Space::Shared { SHARED } else { LOCAL };
        let row: [u64; L] = std::array::from_fn(|lane| tag | self.warp.rows.read(a, lane));
        self.put(d, row);
    }

    pub(super) fn windowed(&mut self, space: Space, d: Slot, a: Row) {
        debug_assert!(matches!(space, Space::Shared | Space::Local));
        for lane in lanes_of(self.mask) {
            let bits = self.warp.rows.wides[a as usize][lane] & (SHARED - 1);
            self.warp.rows.write(d, lane, bits);
        }
    }

    pub(super) fn is_space(&mut self, space: Space, d: Row, a: Row) {
        let row = self.get::<u64>(a);
        let is = |addr: u64| match region_of(Space::Generic, addr).0 {
            Region::Shared | Region::Peer(_) => space == Space::Shared,
            Region::Local => space == Space::Local,
            Region::Buffer(_) | Region::Variable(_) => space == Space::Global,
            Region::Arguments => space == Space::Constant,
        };
        let flags = lanes_of(self.mask).filter(|&lane| is(row[lane]));
        let flags = flags.fold(0, |flags, lane| flags | 1 << lane);
        self.put_flag(d, flags);
    }
}

/// Where the lanes of an access touch memory.
struct Lanes<const L: usize> {
    addresses: [u64; L],
    /// How many bytes of each take part.
    lens: [u32; L],
}

impl<const L: usize> Lanes<L> {
    /// A lane's offset in its memory, and how many bytes.
    #[inline]
    fn place(&self, access: &Access, lane: usize) -> (u64, usize) {
        (region_of(access.space, self.addresses[lane]).1, self.lens[lane] as usize)
    }
}

/// Stores the parts that lie in the first `len` bytes, which are at most `MAX`.
#[inline]
fn store_lane<const MAX: usize, const L: usize>(
    access: &Access,
    rows: &Rows<L>,
    window: &mut Window<'_>,
    (at, len): (u64, usize),
    lane: usize,
) -> Result<(), SimError> {
    let mut bytes = [0u8; MAX];
    let mut stored = 0;
    let parts = || {
        access
            .parts
            .iter()
            .map(|part| (part, part.offset as usize))
            .filter(|(part, from)| from + part.len() <= len)
    };
    for (part, from) in parts() {
        write_bytes(&mut bytes[from..from + part.len()], rows.read(part.slot, lane));
        stored += part.len();
    }
    if stored == len && !access.order.is_atomic() {
        return window.write(at, &bytes[..len], lane);
    }
    let how = if access.order.is_atomic() { How::AtomicWrite } else { How::Write };
    for (part, from) in parts() {
        let to = window.claim(at + from as u64, part.len(), lane, how)?;
        to.copy_from_slice(&bytes[from..from + part.len()]);
    }
    Ok(())
}

/// Reads and changes the parts of an atomic access.
fn exchange<const L: usize>(atomic: &Atomic, rows: &mut Rows<L>, bytes: &mut [u8], lane: usize) {
    for (part, &value) in atomic.access.parts.iter().zip(&atomic.values) {
        let (from, len) = (part.offset as usize, part.len());
        let bytes = &mut bytes[from..from + len];
        let value = rows.read(value, lane);
        let expected = atomic.expected.map(|slot| rows.read(slot, lane));
        let old = read_bytes(bytes);
        let new = match expected {
            Some(expected) if expected != old => old,
            Some(_) => value,
            None => combine(atomic.op, 8 * len as u32, old, value),
        };
        write_bytes(bytes, new);
        rows.write(part.slot, lane, old);
        if let (Some(stored), Some(expected)) = (atomic.stored, expected) {
            rows.write(Slot::Flag(stored), lane, u64::from(expected == old));
        }
    }
}

/// At most 8 bytes as a number.
#[inline]
pub(super) fn read_bytes(bytes: &[u8]) -> u64 {
    match *bytes {
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ => {
            let mut res = [0; 8];
            res[..bytes.len()].copy_from_slice(bytes);
            u64::from_le_bytes(res)
        }
    }
}

/// The first of a number's bytes.
#[inline]
pub(super) fn write_bytes(bytes: &mut [u8], bits: u64) {
    let all = bits.to_le_bytes();
    match bytes.len() {
        2 => bytes.copy_from_slice(&all[..2]),
        4 => bytes.copy_from_slice(&all[..4]),
        len => bytes.copy_from_slice(&all[..len]),
    }
}

/// What an atomic operation leaves in memory.
pub(super) fn combine(op: AtomicOp, bits: u32, old: u64, value: u64) -> u64 {
    let mask = if bits == 64 { !0 } else { (1 << bits) - 1 };
    let wide = |x: u64, signed: bool| {
        let shift = 64 - bits;
        if signed { ((x << shift) as i64 >> shift) as u64 } else { x }
    };
    let signed = matches!(op, AtomicOp::Int(IntOp::MinSigned | IntOp::MaxSigned));
    let res = match op {
        AtomicOp::Exchange | AtomicOp::CompareExchange => value,
        AtomicOp::Int(op) => u64::apply(op, wide(old, signed), wide(value, signed)),
        AtomicOp::Nand => !(old & value),
        AtomicOp::Real(op, real) => {
            let res = real2_wide(op, decode(real, old), decode(real, value));
            encode(real, res, Rounding::Nearest, false)
        }
        AtomicOp::IncWrap if old >= value => 0,
        AtomicOp::IncWrap => old + 1,
        AtomicOp::DecWrap if old == 0 || old > value => value,
        AtomicOp::DecWrap => old - 1,
    };
    res & mask
}
