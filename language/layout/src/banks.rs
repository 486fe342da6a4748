//! Banks of shared memory: how often a warp's access must be repeated.
//!
//! Shared memory has 32 banks of 4 bytes. The lanes of a warp are served in groups, which depend on
//! the width of the access; lanes of one group that want different words of one bank wait for each
//! other, lanes that want the same word do not.
//!
//! Sources: CUDA Programming Guide, "shared memory" (warps of 32); AMD CDNA3 ISA 11.1 and AMD's
//! measurements of which lanes of a wave of 64 share a phase.

use crate::bits::{apply, log2, rank};
use crate::layout::{In, Layout};

/// Bytes that all banks deliver at once.
pub const ROW_BYTES: u32 = 128;

/// Whether an access reads or writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// From shared memory.
    Read,
    /// To shared memory.
    Write,
}

/// A basis of the lanes that are served together in an access of `bytes` a lane, of a warp with
/// `lane_bits` bits.
pub fn served_together(lane_bits: u32, bytes: u32, direction: Direction) -> Vec<u64> {
    let units = |n: u32| (0..n.min(lane_bits)).map(|bit| 1 << bit).collect();
    match (lane_bits, bytes, direction) {
        (_, 0..=4, _) => units(5),
        (_, 5..=8, _) => units(4),
        // A wave of 64 reads 16 bytes a lane with lanes 0 to 3 and 20 to 23 first.
        (6, _, Direction::Read) => vec![0b1, 0b10, 0b10100],
        (_, _, _) => units(3),
    }
}

/// How many wavefronts an access needs beyond those that its width needs: `lanes` says what every
/// bit of the lane adds (exclusive or) to the byte address.
pub fn extra_wavefronts(lanes: &[u32], bytes: u32, direction: Direction) -> u32 {
    let columns: Vec<u64> = lanes.iter().map(|&it| u64::from(it / 4)).collect();
    let group = served_together(lanes.len() as u32, bytes, direction);
    let words: Vec<u64> = group.into_iter().map(|it| apply(&columns, it)).collect();
    let banks: Vec<u64> = words.iter().map(|it| it % u64::from(ROW_BYTES / 4)).collect();
    (1 << (rank(&words) - rank(&banks))) - 1
}

/// The extra wavefronts of one access between registers in `layout` and a buffer in `shared`, with
/// accesses as wide as both allow.
///
/// # Panics
/// If the shapes differ.
pub fn bank_conflicts(
    layout: &Layout,
    shared: &Layout,
    elem_bits: u32,
    direction: Direction,
) -> u32 {
    assert_eq!(layout.shape(), shared.shape(), "V3: one tile has one shape");
    let elem_bytes = elem_bits.max(8) / 8;
    let vector = shared_vector(layout, shared, elem_bits);
    if shared.padding().is_empty() {
        let offset = |basis: &crate::Coords| shared.offset_of(basis) * elem_bytes;
        let lanes: Vec<u32> = layout.bases(In::Lane).iter().map(offset).collect();
        return extra_wavefronts(&lanes, vector * elem_bytes, direction);
    }
    counted_wavefronts(layout, shared, elem_bytes, vector, direction) - 1
}

/// How many elements one access moves between registers in `layout` and a buffer in `shared`.
pub fn shared_vector(layout: &Layout, shared: &Layout, elem_bits: u32) -> u32 {
    let most = (128 / elem_bits.max(8)).max(1);
    let padding = shared.padding().iter().flat_map(|&(interval, pad)| [interval, pad]);
    let most =
        padding.filter(|&it| it != 0).fold(most, |most, it| most.min(1 << it.trailing_zeros()));
    let plain = Layout::new(shared.shape(), shared.inputs().to_vec());
    let offset = |basis: &crate::Coords| plain.offset_of(basis);
    let regs: Vec<u32> = layout.bases(In::Register).iter().map(offset).collect();
    let rest: Vec<u32> =
        [In::Lane, In::Warp].into_iter().flat_map(|it| layout.bases(it)).map(offset).collect();
    let mut n = 1;
    while n < most {
        let inside = |it: &&u32| **it & n != 0;
        let alone = regs.contains(&n)
            && regs.iter().filter(inside).count() == 1
            && rest.iter().filter(inside).count() == 0;
        if !alone {
            break;
        }
        n *= 2;
    }
    n
}

/// Wavefronts of the worst group of lanes of any access, by looking at every address.
pub fn counted_wavefronts(
    layout: &Layout,
    shared: &Layout,
    elem_bytes: u32,
    vector: u32,
    direction: Direction,
) -> u32 {
    let bytes = vector * elem_bytes;
    let group = served_together(log2(layout.lanes().into()), bytes, direction);
    let mut worst = 1;
    for register in 0..layout.registers() {
        for start in 0..layout.lanes() {
            let mut words = std::collections::BTreeSet::new();
            for member in 0..1u64 << group.len() {
                let lane = start ^ apply(&group, member) as u32;
                let first = shared.offset_of(&layout.index_of(register, lane, 0)) * elem_bytes;
                // Addresses inside one access go together: its first word stands for it.
                words.insert(first / bytes.max(4) * (bytes.max(4) / 4));
            }
            let mut banks = [0; 32];
            words.into_iter().for_each(|word| banks[word as usize % 32] += 1);
            worst = worst.max(banks.into_iter().max().unwrap_or(1));
        }
    }
    worst
}
