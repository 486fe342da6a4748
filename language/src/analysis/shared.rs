//! How a tile moves between registers and a view, and from layout to layout, on a target.

use tile_layout::banks::Direction;
use tile_layout::{Cost, Layout, MemoryMap, Plan, SharedAccess};

use crate::target::Target;

/// How a target moves a tile in `layout` to or from a view with that map.
pub fn shared_access(
    target: &Target,
    layout: &Layout,
    map: &MemoryMap,
    elem_bits: u32,
    direction: Direction,
) -> SharedAccess {
    target.shared_model().access(layout, map, elem_bits, direction)
}

/// What a target pays to bring elements of `elem_bits` bits from one layout to another.
pub fn conversion_cost(target: &Target, from: &Layout, to: &Layout, elem_bits: u32) -> Cost {
    Plan::convert(from, to, elem_bits, &target.shared_model()).cost(elem_bits)
}
