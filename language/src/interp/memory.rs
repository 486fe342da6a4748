//! Global memory: checked loads, stores and atomics.
//!
//! # Definition
//! A pointer is a word: whether an index was outside of its tensor (1 bit), the buffer's number
//! plus 1, or 0 for null (15 bits), and a distance in *bits* from the buffer's start (48 bits, biased),
//! because elements may be smaller than a byte. A kernel that reads a pointer's own bits sees an
//! ordinary byte address instead ([`to_address`]).
//!
//! # Checks
//! Every access: the tensor is present, each index is within its extent (not only the address
//! within the buffer), the address is aligned. Between blocks: no two blocks store different
//! values to one element, unless the kernel orders its blocks by acquiring or releasing atomics.
//!
//! Loads and stores go by runs of neighbouring elements, each copied at once.

use std::ops::Range;

use super::elements::Elements;
use super::rows::Pointers;
use super::writers::{Contested, Writers};
use super::{Access, Fault};
use crate::dtype::DType;
use crate::ir::Elem;
use crate::op::memory::AtomicOp;
use crate::op::tile::BinaryOp;
use crate::value;

const OUTSIDE: u64 = 1 << 63;
const BUFFER_SHIFT: u32 = 48;
const BUFFER_MASK: u64 = 0x7fff;
const OFFSET_MASK: u64 = (1 << BUFFER_SHIFT) - 1;
const OFFSET_BIAS: i64 = 1 << (BUFFER_SHIFT - 1);
/// A byte address holds the buffer's number plus 1 from this bit on.
const ADDRESS_SHIFT: u32 = 44;

/// How far a pointer may be from its buffer, in bits; arithmetic stops there instead of wrapping.
const OFFSET_MAX: i64 = OFFSET_BIAS - 1;

/// The null pointer.
pub(super) const NULL: u64 = OFFSET_BIAS as u64;

/// The pointer to the start of a buffer.
pub(super) fn pointer(buffer: u32) -> u64 {
    NULL | (u64::from(buffer) + 1) << BUFFER_SHIFT
}

/// The buffer that a pointer points into; `None` for null.
pub(super) fn buffer_of(pointer: u64) -> Option<usize> {
    ((pointer >> BUFFER_SHIFT & BUFFER_MASK) as usize).checked_sub(1)
}

/// Distance from the buffer's start in bits.
pub(super) fn offset_of(pointer: u64) -> i64 {
    (pointer & OFFSET_MASK) as i64 - OFFSET_BIAS
}

/// The pointer `bits` further on; it is no longer marked as outside.
pub(super) fn moved(pointer: u64, bits: i64) -> u64 {
    let offset = offset_of(pointer).saturating_add(bits).clamp(-OFFSET_MAX, OFFSET_MAX);
    pointer & (BUFFER_MASK << BUFFER_SHIFT) | (offset + OFFSET_BIAS) as u64
}

/// Whether the pointer `bits` further on is within the range of pointers.
pub(super) fn offset_fits(pointer: u64, bits: i64) -> bool {
    offset_of(pointer).checked_add(bits).is_some_and(|it| (-OFFSET_MAX..=OFFSET_MAX).contains(&it))
}

/// The pointer, marked as made with an index outside of its tensor.
pub(super) fn outside(pointer: u64) -> u64 {
    pointer | OUTSIDE
}

fn is_outside(pointer: u64) -> bool {
    pointer & OUTSIDE != 0
}

/// The byte address that a kernel sees when it looks at a pointer's bits; null is 0.
pub(super) fn to_address(pointer: u64) -> u64 {
    match buffer_of(pointer) {
        Some(buffer) => {
            ((buffer as u64 + 1) << ADDRESS_SHIFT).wrapping_add_signed(offset_of(pointer) >> 3)
        }
        None => 0,
    }
}

/// The pointer that a byte address means.
pub(super) fn from_address(address: u64) -> u64 {
    match (address >> ADDRESS_SHIFT & BUFFER_MASK) as u32 {
        0 => NULL,
        number => moved(pointer(number - 1), ((address & ((1 << ADDRESS_SHIFT) - 1)) as i64) << 3),
    }
}

/// A stretch of neighbouring elements.
struct Run {
    buffer: usize,
    /// Bits from the buffer's start.
    bits: u64,
    /// The first element's position in the tile.
    at: usize,
    len: usize,
}

impl Run {
    /// The bytes that the elements touch.
    fn bytes(&self, dtype: DType) -> Range<usize> {
        let end = self.bits + self.len as u64 * u64::from(dtype.storage_bits());
        (self.bits / 8) as usize..end.div_ceil(8) as usize
    }
}

/// How many of the first bools are `wanted`, found by stretches because those are tested at once.
fn leading(bools: &[bool], wanted: bool) -> usize {
    const STRETCH: usize = 64;
    let is_whole = |it: &&[bool]| it.iter().fold(true, |acc, &it| acc & (it == wanted));
    let whole = bools.chunks_exact(STRETCH).take_while(is_whole).count() * STRETCH;
    let rest = bools[whole..].iter().take_while(|&&it| it == wanted);
    whole + rest.count()
}

/// The buffers of a launch with what is known of their elements.
pub(super) struct Memory<'a> {
    buffers: &'a mut [Vec<u8>],
    /// For every buffer.
    writers: Vec<Writers>,
    /// For every buffer that held nothing at first, for every byte whether it has been written.
    written: Vec<Option<Vec<bool>>>,
    /// Whether stores of different blocks to one place are looked for.
    pub(super) finds_races: bool,
    /// The block that runs, plus 1.
    pub(super) block: u32,
    /// The first place that two blocks stored different values to.
    pub(super) race: Option<Race>,
}

/// Two blocks stored different values to one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Race {
    pub(super) buffer: usize,
    pub(super) byte: usize,
    /// The block that stored there before.
    pub(super) earlier: u32,
}

impl<'a> Memory<'a> {
    pub(super) fn new(
        buffers: &'a mut [Vec<u8>],
        undefined: &[u32],
        finds_races: bool,
    ) -> Memory<'a> {
        let writers = vec![Writers::default(); buffers.len()];
        let held = |number: usize| undefined.contains(&(number as u32));
        let written = buffers.iter().enumerate();
        let written =
            written.map(|(it, bytes)| held(it).then(|| vec![false; bytes.len()])).collect();
        Memory { buffers, writers, written, finds_races, block: 0, race: None }
    }

    /// Notes bytes as written.
    fn define(&mut self, buffer: usize, range: Range<usize>) {
        if let Some(written) = &mut self.written[buffer] {
            written[range].fill(true);
        }
    }

    /// Refuses to read bytes of which one has not been written.
    fn defined(&self, buffer: usize, range: Range<usize>, at: usize) -> Result<(), Fault> {
        let first = range.start;
        let missing =
            self.written[buffer].as_ref().and_then(|it| it[range].iter().position(|it| !it));
        match missing {
            None => Ok(()),
            Some(it) => {
                Err(Fault::Access { access: Access::Undefined { buffer, byte: first + it }, at })
            }
        }
    }

    /// Checks the access at `at` to an element, and gives its buffer and distance in bits.
    fn check(&self, dtype: DType, pointer: u64, at: usize) -> Result<(usize, u64), Fault> {
        let fault = |access| Err(Fault::Access { access, at });
        if is_outside(pointer) {
            return fault(Access::Index);
        }
        let Some(buffer) = buffer_of(pointer) else {
            return fault(Access::Null);
        };
        let width = u64::from(dtype.storage_bits());
        let offset = offset_of(pointer);
        let len = (self.buffers[buffer].len() as u64) << 3;
        match u64::try_from(offset) {
            Ok(bits) if bits + width <= len => {
                if bits % width == 0 {
                    Ok((buffer, bits))
                } else {
                    fault(Access::Misaligned { buffer, bits })
                }
            }
            _ => fault(Access::Address { buffer, offset, len }),
        }
    }

    /// The next run of neighbours from position `at` on, where `mask` holds.
    fn run(
        &self,
        dtype: DType,
        pointers: Pointers<'_>,
        mask: Option<&[bool]>,
        at: usize,
    ) -> Result<Run, Fault> {
        let (buffer, bits) = self.check(dtype, pointers.at(at), at)?;
        let width = u64::from(dtype.storage_bits());
        let fitting = (((self.buffers[buffer].len() as u64) << 3) - bits) / width;
        let most = (pointers.len() - at).min(usize::try_from(fitting).unwrap_or(usize::MAX));
        let most = mask.map_or(most, |mask| leading(&mask[at..at + most], true));
        let len = pointers.neighbours(at, most, width);
        Ok(Run { buffer, bits, at, len })
    }

    /// Reads an element a pointer; where `mask` is false, `other`, or zero.
    pub(super) fn load(
        &self,
        dtype: DType,
        pointers: Pointers<'_>,
        mask: Option<&[bool]>,
        other: Option<&Elements>,
    ) -> Result<Elements, Fault> {
        let mut res = Elements::with_capacity(Elem::Data(dtype), pointers.len());
        let mut at = 0;
        while at < pointers.len() {
            let masked = mask.map_or(0, |it| leading(&it[at..], false));
            if masked > 0 {
                match other {
                    Some(other) => res.extend_from(other, at, masked),
                    None => (0..masked).for_each(|_| res.push(0)),
                }
                at += masked;
                continue;
            }
            let run = self.run(dtype, pointers, mask, at)?;
            self.defined(run.buffer, run.bytes(dtype), at)?;
            self.read(dtype, &run, &mut res);
            at += run.len;
        }
        Ok(res)
    }

    fn read(&self, dtype: DType, run: &Run, res: &mut Elements) {
        let bytes = &self.buffers[run.buffer];
        if dtype.bits().is_multiple_of(8) {
            let width = dtype.bits() as usize / 8;
            let first = (run.bits / 8) as usize;
            return res.extend_from_bytes(&bytes[first..first + run.len * width]);
        }
        let first = run.bits / u64::from(dtype.storage_bits());
        for position in first..first + run.len as u64 {
            res.push(value::read(dtype, bytes, position).expect("the run lies in the buffer"));
        }
    }

    /// Writes an element a pointer where `mask` holds.
    pub(super) fn store(
        &mut self,
        dtype: DType,
        pointers: Pointers<'_>,
        values: &Elements,
        mask: Option<&[bool]>,
    ) -> Result<(), Fault> {
        let mut at = 0;
        while at < pointers.len() {
            let masked = mask.map_or(0, |it| leading(&it[at..], false));
            if masked > 0 {
                at += masked;
                continue;
            }
            let run = self.run(dtype, pointers, mask, at)?;
            self.write(dtype, &run, values);
            at += run.len;
        }
        Ok(())
    }

    fn write(&mut self, dtype: DType, run: &Run, values: &Elements) {
        let first = run.bits / u64::from(dtype.storage_bits());
        let range = run.bytes(dtype);
        self.define(run.buffer, range.clone());
        let contested = self.contested(run.buffer, range.clone());
        let bytes = &mut self.buffers[run.buffer];
        if dtype.bits().is_multiple_of(8) {
            values.write_bytes(run.at, run.len, &mut bytes[range.clone()]);
        } else {
            for step in 0..run.len {
                let position = first + step as u64;
                value::write(dtype, bytes, position, values.bits(run.at + step))
                    .expect("the run lies in the buffer");
            }
        }
        if let Some(contested) = contested {
            let changed = contested.changed(&bytes[range]);
            self.race = changed.map(|(byte, earlier)| Race { buffer: run.buffer, byte, earlier });
        }
    }

    /// Notes this block as the writer of bytes; gives what they were if another block wrote any and
    /// nothing was found so far.
    fn contested(&mut self, buffer: usize, range: Range<usize>) -> Option<Contested> {
        if !self.finds_races {
            return None;
        }
        let bytes = &self.buffers[buffer];
        let foreign = self.writers[buffer].note(bytes.len(), range.clone(), self.block);
        let foreign = foreign.filter(|_| self.race.is_none());
        foreign.map(|it| Contested::new(range.clone(), &bytes[range], it))
    }

    /// Changes the element at one pointer by `change`; gives what was there before.
    fn update(
        &mut self,
        dtype: DType,
        pointer: u64,
        at: usize,
        change: impl FnOnce(u64) -> Option<u64>,
    ) -> Result<u64, Fault> {
        let (buffer, bits) = self.check(dtype, pointer, at)?;
        let position = bits / u64::from(dtype.storage_bits());
        let touched = Run { buffer, bits, at, len: 1 }.bytes(dtype);
        self.defined(buffer, touched, at)?;
        let bytes = &mut self.buffers[buffer];
        let before = value::read(dtype, bytes, position).expect("checked above");
        if let Some(after) = change(before) {
            value::write(dtype, bytes, position, after).expect("checked above");
        }
        Ok(before)
    }

    /// Changes elements one after another in the tile's order; gives what was there before.
    pub(super) fn atomic(
        &mut self,
        op: AtomicOp,
        dtype: DType,
        pointers: &[u64],
        values: &Elements,
        mask: Option<&[bool]>,
    ) -> Result<Elements, Fault> {
        let mut res = Elements::with_capacity(Elem::Data(dtype), pointers.len());
        for (at, &pointer) in pointers.iter().enumerate() {
            let before = if mask.is_none_or(|it| it[at]) {
                self.update(dtype, pointer, at, |before| {
                    Some(applied(op, dtype, before, values.bits(at)))
                })?
            } else {
                0
            };
            res.push(before);
        }
        Ok(res)
    }

    /// Puts in values where memory is as expected; gives what was there before.
    pub(super) fn compare_and_swap(
        &mut self,
        dtype: DType,
        pointers: &[u64],
        expected: &Elements,
        values: &Elements,
        mask: Option<&[bool]>,
    ) -> Result<Elements, Fault> {
        let mut res = Elements::with_capacity(Elem::Data(dtype), pointers.len());
        for (at, &pointer) in pointers.iter().enumerate() {
            let before = if mask.is_none_or(|it| it[at]) {
                let swap = |before| (before == expected.bits(at)).then(|| values.bits(at));
                self.update(dtype, pointer, at, swap)?
            } else {
                0
            };
            res.push(before);
        }
        Ok(res)
    }
}

/// What an atomic leaves in memory.
pub(super) fn applied(op: AtomicOp, dtype: DType, before: u64, operand: u64) -> u64 {
    let combine = |op| value::binary(op, dtype, before, operand).expect("no atomic divides");
    match op {
        AtomicOp::Add => combine(BinaryOp::Add),
        AtomicOp::Min => combine(BinaryOp::Min),
        AtomicOp::Max => combine(BinaryOp::Max),
        AtomicOp::And => combine(BinaryOp::And),
        AtomicOp::Or => combine(BinaryOp::Or),
        AtomicOp::Xor => combine(BinaryOp::Xor),
        AtomicOp::Exchange => operand,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_move_without_wrapping() {
        let start = pointer(3);
        assert_eq!((buffer_of(start), offset_of(start)), (Some(3), 0));
        let there = moved(start, -40);
        assert_eq!((buffer_of(there), offset_of(there)), (Some(3), -40));
        assert_eq!(offset_of(moved(start, i64::MAX)), OFFSET_MAX);
        assert_eq!(buffer_of(moved(start, i64::MIN)), Some(3));
        assert_eq!(buffer_of(NULL), None);
        assert!(!is_outside(moved(outside(start), 8)));
    }

    #[test]
    fn addresses_are_pointers_in_bytes() {
        let there = moved(pointer(1), 12 * 8);
        assert_eq!(to_address(there) & 0xfff, 12);
        assert_eq!(from_address(to_address(there)), there);
        assert_eq!((to_address(NULL), from_address(0)), (0, NULL));
    }
}
