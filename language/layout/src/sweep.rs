//! The register layout that goes through a buffer in the order of its offsets.
//!
//! Neighbouring threads touch neighbouring bytes of shared memory, so such an access has no bank
//! conflicts whatever the swizzle, and copies that write a warp's bytes in a row (AMD's loads to LDS)
//! can be used. The swizzle shows on the other side: the threads of a row read its pieces in the
//! swizzle's order.

use smallvec::SmallVec;

use crate::bits::log2;
use crate::layout::{Coords, In, Layout};
use crate::memory_map::MemoryMap;
use crate::spec::Machine;

/// Bytes that a thread moves at once.
const ACCESS_BYTES: u32 = 16;

/// The layout in which `machine` sweeps through a buffer of elements of `elem_bits` bits: as many
/// neighbours a thread as 16 bytes hold, if they lie together along the last dimension; then lanes,
/// then warps, then more registers, by ascending offset.
pub fn sweep(map: &MemoryMap, elem_bits: u32, machine: Machine) -> Layout {
    let shape = map.shape();
    let order = in_offset_order(map);
    let wanted = log2(u64::from((ACCESS_BYTES * 8 / elem_bits.max(8)).max(1))) as usize;
    let last = shape.len() - 1;
    let is_next = |(bit, at): &(usize, &Coords)| {
        at.iter().enumerate().all(|(d, &it)| it == if d == last { 1 << bit } else { 0 })
    };
    let mut together = order.iter().enumerate().take(wanted).take_while(is_next).count();
    // A swizzle of these bits would put them in another order in other threads.
    let own = |n: usize| order[n..].iter().all(|it| it[last].trailing_zeros() as usize >= n);
    while !own(together) {
        together -= 1;
    }
    let mut bases = order.into_iter();
    let mut registers: Vec<Coords> = bases.by_ref().take(together).collect();
    let zero: Coords = SmallVec::from_elem(0, shape.len());
    let mut places = |n: u32| -> Vec<Coords> {
        let n = log2(u64::from(n.next_power_of_two())) as usize;
        let mut taken: Vec<Coords> = bases.by_ref().take(n).collect();
        taken.resize(n, zero.clone());
        taken
    };
    let (lanes, warps) = (places(machine.lanes), places(machine.warps));
    registers.extend(bases);
    Layout::new(&shape, vec![(In::Register, registers), (In::Lane, lanes), (In::Warp, warps)])
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
