//! Loads, stores, atomics and copies, lane by lane in ascending order.

use super::super::bytecode::{
    Access, Addressing, Atomic, AtomicOp, IntOp, Order, Pointer, Row, Scope, Slot, Space,
};
use super::super::count::Traffic;
use super::super::error::{Kind, SimError};
use super::super::memory::{LOCAL, Range, Region, SHARED, region_of};
use super::super::race::{How, Touch};
use super::lanes::Integer;
use super::{Turn, decode, encode, lanes_of, real2_wide};
use crate::sim::Vendor;
use crate::sim::bytecode::Rounding;

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn load(&mut self, table: u32, addr: Row) -> Result<(), SimError> {
        let program = self.program;
        let access = &program.code.accesses[table as usize];
        let addresses = self.addresses(access, addr);
        self.count(access, &addresses, false);
        for lane in lanes_of(self.mask) {
            let len = self.in_bounds(access, addr, lane);
            if len > 0 {
                self.load_lane(access, addresses[lane], len, lane)?;
            }
            for part in access.parts.iter().filter(|part| part.offset + u32::from(part.bytes) > len)
            {
                self.warp.write(part.slot, lane, 0);
            }
        }
        if access.order.is_atomic() {
            self.order_loads(access, &addresses);
        }
        Ok(())
    }

    fn load_lane(
        &mut self,
        access: &Access,
        addr: u64,
        len: u32,
        lane: usize,
    ) -> Result<(), SimError> {
        let range = self.locate(access, addr, len, lane)?;
        let how = if access.order.is_atomic() { How::AtomicRead } else { How::Read };
        self.touch(range, len, lane, how)?;
        self.check_written(range, len, lane)?;
        let local_bytes = self.program.code.local_bytes as usize;
        for part in &access.parts {
            let (at, bytes) = (range.at + part.offset as usize, usize::from(part.bytes));
            if part.offset + u32::from(part.bytes) > len {
                continue;
            }
            let view = super::View {
                memory: self.memory,
                shared: self.shared,
                local: &mut self.warp.local,
                local_bytes,
            };
            let bits = read_bytes(&view.bytes(range.region)[at..at + bytes]);
            self.warp.write(part.slot, lane, bits);
        }
        Ok(())
    }

    pub(super) fn store(&mut self, table: u32, addr: Row) -> Result<(), SimError> {
        let program = self.program;
        let access = &program.code.accesses[table as usize];
        let addresses = self.addresses(access, addr);
        self.count(access, &addresses, true);
        if access.order.is_atomic() {
            self.order_stores(access, &addresses);
        }
        for lane in lanes_of(self.mask) {
            let len = self.in_bounds(access, addr, lane);
            if len > 0 {
                self.store_lane(access, addresses[lane], len, lane)?;
            }
        }
        Ok(())
    }

    fn store_lane(
        &mut self,
        access: &Access,
        addr: u64,
        len: u32,
        lane: usize,
    ) -> Result<(), SimError> {
        let range = self.locate(access, addr, len, lane)?;
        let parts =
            || access.parts.iter().filter(|part| part.offset + u32::from(part.bytes) <= len);
        let mut bytes = [0u8; 256];
        let span = len as usize;
        if span > bytes.len() {
            return Err(SimError::unsupported(format!("a store of {span} bytes a lane")));
        }
        bytes[..span].copy_from_slice(&self.view().bytes(range.region)[range.at..range.at + span]);
        for part in parts() {
            let bits = self.warp.read(part.slot, lane).to_le_bytes();
            let (at, n) = (part.offset as usize, usize::from(part.bytes));
            bytes[at..at + n].copy_from_slice(&bits[..n]);
        }
        if !access.order.is_atomic()
            && access.parts.iter().map(|it| u32::from(it.bytes)).sum::<u32>() == len
        {
            return self.write_bytes(range, &bytes[..span], lane);
        }
        let how = if access.order.is_atomic() { How::AtomicWrite } else { How::Write };
        self.touch(range, len, lane, how)?;
        for part in parts() {
            let (at, n) = (part.offset as usize, usize::from(part.bytes));
            let part_range = Range { region: range.region, at: range.at + at };
            self.view().bytes_mut(part_range, n)?.copy_from_slice(&bytes[at..at + n]);
        }
        Ok(())
    }

    /// Writes bytes that no gaps are between. A write of what is there is told from others.
    pub(super) fn write_bytes(
        &mut self,
        range: Range,
        bytes: &[u8],
        lane: usize,
    ) -> Result<(), SimError> {
        let view = self.view();
        let same = view.bytes(range.region)[range.at..range.at + bytes.len()] == *bytes
            && view.first_unwritten(range, bytes.len()).is_none();
        let how = if same { How::Rewrite } else { How::Write };
        self.touch(range, bytes.len() as u32, lane, how)?;
        self.view().bytes_mut(range, bytes.len())?.copy_from_slice(bytes);
        Ok(())
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
    pub(super) fn in_bounds(&mut self, access: &Access, addr: Row, lane: usize) -> u32 {
        let Addressing::Resource { records, scalar_offset, .. } = access.addressing else {
            return access.bytes;
        };
        let records = self.warp.wides[records as usize][lane];
        let start = u64::from(self.warp.words[addr as usize][lane])
            + u64::from(self.warp.words[scalar_offset as usize][lane]);
        let unit = access.bytes.min(4);
        let fits = |n: &u32| start + u64::from(*n) <= records;
        (0..=access.bytes).step_by(unit.max(1) as usize).filter(fits).max().unwrap_or(0)
    }

    pub(super) fn locate(
        &mut self,
        access: &Access,
        addr: u64,
        len: u32,
        lane: usize,
    ) -> Result<Range, SimError> {
        if !addr.is_multiple_of(u64::from(access.align)) {
            let (region, at) = region_of(access.space, addr);
            let name = super::super::memory::describe(region);
            let message = format!(
                "an access of {} bytes at byte {at} of {name}, which is not a multiple of {}",
                access.bytes, access.align
            );
            return Err(SimError::new(Kind::Misaligned, message).at_lane(lane as u32));
        }
        self.view().locate(access.space, addr, len, lane as u32)
    }

    pub(super) fn check_written(
        &mut self,
        range: Range,
        len: u32,
        lane: usize,
    ) -> Result<(), SimError> {
        if !self.check_uninitialised {
            return Ok(());
        }
        match self.view().first_unwritten(range, len as usize) {
            None => Ok(()),
            Some(at) => {
                let name = super::super::memory::describe(range.region);
                let message = format!("byte {at} of {name} is read before anything has written it");
                Err(SimError::new(Kind::Uninitialised, message).at_lane(lane as u32))
            }
        }
    }

    /// Tells the race checker of an access.
    pub(super) fn touch(
        &mut self,
        range: Range,
        len: u32,
        lane: usize,
        how: How,
    ) -> Result<(), SimError> {
        self.await_own(range, len);
        let Some(race) = &mut self.race else {
            return Ok(());
        };
        if matches!(range.region, Region::Local | Region::Arguments) {
            return Ok(());
        }
        let touch = Touch {
            region: range.region,
            at: range.at as u64,
            len,
            agent: self.agent,
            lane: lane as u8,
            pc: self.pc,
            how,
            flight: None,
        };
        race.touch(touch)
            .map_err(|conflict| conflict.explain(self.program, self.geometry).at_lane(lane as u32))
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
            Region::Arguments => {}
        }
    }

    fn order_loads(&mut self, access: &Access, addresses: &[u64; L]) {
        for lane in lanes_of(self.mask) {
            let key = region_of(access.space, addresses[lane]);
            if let Some(race) = &mut self.race {
                race.synchronise(self.agent, key, access.order, access.scope, false);
            }
        }
    }

    fn order_stores(&mut self, access: &Access, addresses: &[u64; L]) {
        for lane in lanes_of(self.mask) {
            let key = region_of(access.space, addresses[lane]);
            if let Some(race) = &mut self.race {
                race.synchronise(self.agent, key, access.order, access.scope, true);
            }
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

    pub(super) fn atomic(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let atomic = &program.code.atomics[table as usize];
        let access = &atomic.access;
        let addresses = self.addresses(access, atomic.addr);
        self.counts.atomics += 1;
        if access.space != Space::Shared {
            self.count_memory(access.bytes);
        }
        for lane in lanes_of(self.mask) {
            let len = self.in_bounds(access, atomic.addr, lane);
            if len < access.bytes {
                access.parts.iter().for_each(|part| self.warp.write(part.slot, lane, 0));
                continue;
            }
            let range = self.locate(access, addresses[lane], access.bytes, lane)?;
            self.touch(range, access.bytes, lane, How::Atomic)?;
            self.check_written(range, access.bytes, lane)?;
            if let Some(race) = &mut self.race {
                let key = (range.region, range.at as u64);
                race.synchronise(self.agent, key, access.order, access.scope, false);
                race.synchronise(self.agent, key, access.order, access.scope, true);
            }
            self.exchange(atomic, range, lane)?;
        }
        Ok(())
    }

    fn exchange(&mut self, atomic: &Atomic, range: Range, lane: usize) -> Result<(), SimError> {
        for (part, &value) in atomic.access.parts.iter().zip(&atomic.values) {
            let len = usize::from(part.bytes);
            let here = Range { region: range.region, at: range.at + part.offset as usize };
            let bits = 8 * u32::from(part.bytes);
            let value = self.warp.read(value, lane);
            let expected = atomic.expected.map(|slot| self.warp.read(slot, lane));
            let mut view = self.view();
            let bytes = view.bytes_mut(here, len)?;
            let old = read_bytes(bytes);
            let new = match expected {
                Some(expected) if expected != old => old,
                Some(_) => value,
                None => combine(atomic.op, bits, old, value),
            };
            bytes.copy_from_slice(&new.to_le_bytes()[..len]);
            self.warp.write(part.slot, lane, old);
            if let (Some(stored), Some(expected)) = (atomic.stored, expected) {
                self.warp.write(Slot::Flag(stored), lane, u64::from(expected == old));
            }
        }
        Ok(())
    }

    pub(super) fn copy_bytes(&mut self, table: u32) -> Result<(), SimError> {
        let program = self.program;
        let copy = &program.code.copies[table as usize];
        for lane in lanes_of(self.mask) {
            let len = self.warp.read(copy.len, lane) as u32;
            let to = self.place(copy.to, len, lane)?;
            let bytes = match copy.from {
                Ok(from) => {
                    let from = self.place(from, len, lane)?;
                    self.touch(from, len, lane, How::Read)?;
                    self.view().bytes(from.region)[from.at..from.at + len as usize].to_vec()
                }
                Err(value) => vec![self.warp.words[value as usize][lane] as u8; len as usize],
            };
            self.touch(to, len, lane, How::Write)?;
            self.view().bytes_mut(to, len as usize)?.copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn place(&mut self, pointer: Pointer, len: u32, lane: usize) -> Result<Range, SimError> {
        let addr = self.warp.read(pointer.row, lane);
        self.view().locate(pointer.space, addr, len, lane as u32)
    }

    pub(super) fn generic(&mut self, space: Space, d: Row, a: Slot) {
        let tag = if space == Space::Shared { SHARED } else { LOCAL };
        let row: [u64; L] = std::array::from_fn(|lane| tag | self.warp.read(a, lane));
        self.put(d, row);
    }

    pub(super) fn windowed(&mut self, space: Space, d: Slot, a: Row) {
        debug_assert!(matches!(space, Space::Shared | Space::Local));
        for lane in lanes_of(self.mask) {
            let bits = self.warp.wides[a as usize][lane] & (SHARED - 1);
            self.warp.write(d, lane, bits);
        }
    }

    pub(super) fn is_space(&mut self, space: Space, d: Row, a: Row) {
        let row = self.get::<u64>(a);
        let is = |addr: u64| match region_of(Space::Generic, addr).0 {
            Region::Shared => space == Space::Shared,
            Region::Local => space == Space::Local,
            Region::Buffer(_) | Region::Variable(_) => space == Space::Global,
            Region::Arguments => space == Space::Constant,
        };
        let flags = lanes_of(self.mask).filter(|&lane| is(row[lane]));
        let flags = flags.fold(0, |flags, lane| flags | 1 << lane);
        self.put_flag(d, flags);
    }
}

fn read_bytes(bytes: &[u8]) -> u64 {
    let mut res = [0; 8];
    res[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(res)
}

/// What an atomic operation leaves in memory.
fn combine(op: AtomicOp, bits: u32, old: u64, value: u64) -> u64 {
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
