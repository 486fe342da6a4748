//! The layout that a plain access to row-major memory wants.

use crate::layout::boxed;
use crate::spec::{Machine, Spec};

/// Bytes that one thread moves at best in one access.
const ACCESS_BYTES: u32 = 16;

/// A blocked layout in which every thread holds up to 16 bytes in a row of the last dimension and
/// neighbouring threads hold neighbouring pieces, first along the last dimension.
///
/// Threads get fewer elements where the shape has too few for all of them, but whole bytes.
pub fn coalesced(shape: &[u32], elem_bits: u32, machine: Machine) -> Spec {
    let rank = shape.len();
    let extents = boxed(shape);
    let n_elements: u32 = extents.iter().product();
    let n_threads = machine.lanes.saturating_mul(machine.warps);
    let wanted = (ACCESS_BYTES * 8 / elem_bits.max(1)).max(1);
    let wanted = 1 << wanted.ilog2();
    let share = (n_elements / n_threads).max(whole_bytes(elem_bits));
    let vector = wanted.min(share).min(extents.last().copied().unwrap_or(1));
    let mut regs = vec![1; rank];
    let mut rest: Vec<u32> = extents.to_vec();
    if let Some(last) = regs.last_mut() {
        *last = vector;
        rest[rank - 1] /= vector;
    }
    let mut spread = |mut places: u32| {
        let mut counts = vec![1; rank];
        for d in (0..rank).rev() {
            counts[d] = places.min(rest[d]);
            rest[d] /= counts[d];
            places /= counts[d];
        }
        counts
    };
    let lanes = spread(machine.lanes);
    let warps = spread(machine.warps);
    Spec::Blocked { regs, lanes, warps, order: None }
}

/// The fewest elements of that width that are whole bytes.
pub fn whole_bytes(elem_bits: u32) -> u32 {
    8 >> elem_bits.trailing_zeros().min(3)
}
