//! How a tile moves between registers and a view: by which instruction, and what the banks make of it.
//!
//! The layout crate says what each instruction could move; here the target says which it has.
//! Instructions for matrices touch the same bytes as a thread's own accesses of four bytes or less
//! would, so the banks serve them at least as well: they are taken wherever they fit, unless a thread
//! moves sixteen bytes at once anyway.

use tile_layout::banks::Direction;
use tile_layout::{Layout, MatrixForm, MemoryMap, SharedAccess};

use crate::target::{Cap, Target};

/// Bytes that no instruction for matrices surpasses.
const WIDE_BYTES: u32 = 16;

/// How a target moves a tile in `layout` to or from a view with that map.
pub fn shared_access(
    target: &Target,
    layout: &Layout,
    map: &MemoryMap,
    elem_bits: u32,
    direction: Direction,
) -> SharedAccess {
    let own = SharedAccess::new(layout, map, elem_bits);
    let has_copies = layout.free_mask(tile_layout::In::Lane) != 0;
    let forms: &[MatrixForm] = match direction {
        Direction::Read if target.has(Cap::Ldmatrix) => &[MatrixForm::Rows, MatrixForm::Columns],
        Direction::Read if target.has(Cap::DsReadTr) => &[MatrixForm::Transposing],
        // All lanes of a warp store together, so none may be idle.
        Direction::Write if target.has(Cap::Stmatrix) && !has_copies => {
            &[MatrixForm::Rows, MatrixForm::Columns]
        }
        Direction::Read | Direction::Write => &[],
    };
    if own.bytes >= WIDE_BYTES {
        return own;
    }
    let by = |form: &MatrixForm| SharedAccess::matrices(layout, map, elem_bits, *form);
    forms.iter().find_map(by).unwrap_or(own)
}
