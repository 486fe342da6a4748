//! The register layout that goes through a buffer in the order of its offsets.
//!
//! Neighbouring threads touch neighbouring bytes of shared memory, so such an access has no bank
//! conflicts whatever the swizzle, and copies that write a warp's bytes in a row (AMD's loads to LDS)
//! can be used. The swizzle shows on the other side: the threads of a row read its pieces in the
//! swizzle's order. Where columns of a row-major tile lie together, no thread can have neighbours of both
//! sides in a row: there a thread holds a few of each.

use smallvec::SmallVec;

use crate::bits::log2;
use crate::layout::{Coords, In, Layout};
use crate::memory_map::MemoryMap;
use crate::spec::Machine;

/// Bytes that a thread moves at once.
const ACCESS_BYTES: u32 = 16;
/// Bytes below which a write to shared memory takes as long as one of this many.
const WORD_BYTES: u32 = 4;

/// The layout in which `machine` sweeps through a buffer of elements of `elem_bits` bits: as many
/// neighbours a thread as 16 bytes hold, if they lie together along the last dimension; then lanes,
/// then warps, then more registers, by ascending offset. A buffer in which columns lie together is
/// swept [across](across) them.
pub fn sweep(map: &MemoryMap, elem_bits: u32, machine: Machine) -> Layout {
    let shape = map.shape();
    let order = in_offset_order(map);
    let last = shape.len() - 1;
    let is_in_column = |it: &&Coords| it[last] == 0 && it.iter().sum::<u32>().is_power_of_two();
    let column = order.iter().take_while(is_in_column).count();
    let together = together(&order, last, elem_bits);
    let rows = order.iter().filter(|it| it[last] != 0).count();
    if together == 0 && column > 0 && rows > 0 {
        let order = across(map, &order[..column], elem_bits, machine);
        return spread(&shape, order, machine);
    }
    spread(&shape, (together, order), machine)
}

/// How many of the lowest bits a thread takes: neighbours along the last dimension that the memory
/// keeps together.
fn together(order: &[Coords], last: usize, elem_bits: u32) -> usize {
    let wanted = log2(u64::from((ACCESS_BYTES * 8 / elem_bits.max(8)).max(1))) as usize;
    let is_next = |(bit, at): &(usize, &Coords)| {
        at.iter().enumerate().all(|(d, &it)| it == if d == last { 1 << bit } else { 0 })
    };
    let mut together = order.iter().enumerate().take(wanted).take_while(is_next).count();
    // A swizzle of these bits would put them in another order in other threads.
    let own = |n: usize| order[n..].iter().all(|it| it[last].trailing_zeros() as usize >= n);
    while !own(together) {
        together -= 1;
    }
    together
}

/// The first bits to registers, then lanes, then warps, the rest to registers.
fn spread(shape: &[u32], (n, order): (usize, Vec<Coords>), machine: Machine) -> Layout {
    let mut bases = order.into_iter();
    let mut registers: Vec<Coords> = bases.by_ref().take(n).collect();
    let zero: Coords = SmallVec::from_elem(0, shape.len());
    let mut places = |n: u32| -> Vec<Coords> {
        let n = log2(u64::from(n.next_power_of_two())) as usize;
        let mut taken: Vec<Coords> = bases.by_ref().take(n).collect();
        taken.resize(n, zero.clone());
        taken
    };
    let (lanes, warps) = (places(machine.lanes), places(machine.warps));
    registers.extend(bases);
    Layout::new(shape, vec![(In::Register, registers), (In::Lane, lanes), (In::Warp, warps)])
}

/// Index bits for threads that hold a part of some rows and of some columns, and how many of those
/// bits are registers: both sides are moved in pieces, and what is exchanged is in one thread.
///
/// `column` are the bits of the pieces in memory. Of what a thread holds, the words of a piece come
/// first, then the 16 bytes of a row, then the 16 bytes of a piece. Eight lanes go on along a row,
/// and as many as a piece still needs along it, which is when its banks are all written.
fn across(
    map: &MemoryMap,
    column: &[Coords],
    elem_bits: u32,
    machine: Machine,
) -> (usize, Vec<Coords>) {
    const LANE_BITS_ALONG: usize = 3;
    let shape = map.shape();
    let bits = |axis: usize| -> Vec<Coords> {
        let at = |bit: u32| (0..shape.len()).map(|it| u32::from(it == axis) << bit).collect();
        (0..shape[axis].trailing_zeros()).map(at).collect()
    };
    let row = bits(shape.len() - 1);
    let others = (0..shape.len() - 1).rev().flat_map(bits);
    let others: Vec<Coords> = others.filter(|it| !column.contains(it)).collect();
    let warps = machine.warps.next_power_of_two();
    let n_threads = log2(u64::from(machine.lanes) * u64::from(warps));
    let all = row.len() + column.len() + others.len();
    let held = all.saturating_sub(n_threads as usize);
    let fits = |bytes: u32| log2(u64::from((bytes * 8 / elem_bits.max(8)).max(1))) as usize;
    let words = fits(WORD_BYTES).min(column.len()).min(held);
    let of_row = fits(ACCESS_BYTES).min(row.len()).min(held - words);
    let of_column = fits(ACCESS_BYTES).min(column.len()).min(held - of_row);
    let (row, rest_of_row) = row.split_at(of_row);
    let (along, rest_of_row) = rest_of_row.split_at(LANE_BITS_ALONG.min(rest_of_row.len()));
    let (column, rest_of_column) = column.split_at(of_column);
    let order = [row, column, along, rest_of_column, rest_of_row, &others];
    (of_row + of_column, order.concat())
}

/// Indices that generate the power-of-two box, each the one at the next higher offset that no sum
/// of those before it has.
fn in_offset_order(map: &MemoryMap) -> Vec<Coords> {
    let shape = map.shape();
    // (offset, index) of every index bit; bits above the columns are whole units further on.
    let mut rows: Vec<(u64, Coords)> = Vec::new();
    for (axis, dim) in map.dims().iter().enumerate() {
        for bit in 0..shape[axis].trailing_zeros() {
            let mut index: Coords = SmallVec::from_elem(0, shape.len());
            index[axis] = 1 << bit;
            let units = |it: u32| u64::from(dim.stride) << it;
            let offset = match dim.columns.get(bit as usize) {
                Some(&column) => u64::from(column),
                None => units(bit - dim.columns.len() as u32),
            };
            rows.push((offset, index));
        }
    }
    // Offsets become distinct in their highest bits: the reduced echelon form of the columns.
    let mut done: Vec<(u64, Coords)> = Vec::new();
    while let Some(at) = (0..rows.len()).max_by_key(|&it| rows[it].0) {
        let pivot = rows.swap_remove(at);
        let lead = 1u64 << (63 - pivot.0.max(1).leading_zeros());
        for row in rows.iter_mut().chain(&mut done).filter(|it| it.0 & lead != 0) {
            row.0 ^= pivot.0;
            row.1.iter_mut().zip(&pivot.1).for_each(|(a, b)| *a ^= b);
        }
        done.push(pivot);
    }
    done.reverse();
    done.into_iter().map(|it| it.1).collect()
}
