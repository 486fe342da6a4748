//! Layouts of shared and of tensor memory.
//!
//! Sources: PTX ISA 5.5.7 (swizzle modes of the copy engine), 9.7.16.2 and 9.7.16.10 (tensor memory,
//! accumulators and scale factors).

use super::tile::{Tile, check_rank, checked_order, power_of_two, row_major};
use super::{Spec, SpecError};
use crate::layout::{Coords, In, Layout, boxed, check_shape};

/// The copy engine moves at most this many elements of a dimension at once.
const BOX_EXTENT_MAX: u32 = 256;

pub(super) fn apply(spec: &Spec, shape: &[u32], elem_bits: u32) -> Result<Layout, SpecError> {
    check_shape(shape)?;
    match spec {
        Spec::Plain => plain(shape, &row_major(shape.len())),
        Spec::Swizzled { vec, per_phase, max_phase, order } => {
            let order = memory_order(order.as_deref(), shape)?;
            swizzled([*vec, *per_phase, *max_phase], &order, shape)
        }
        Spec::Crosswise { vec } => crosswise(*vec, shape),
        Spec::Nvmma { swizzle, transposed } => nvmma(*swizzle, *transposed, shape, elem_bits),
        Spec::Padded { pads, order } => padded(pads, order.as_deref(), shape),
        Spec::SharedLinear { offsets } => {
            let bases = offsets.iter().map(|it| Coords::from_slice(it)).collect();
            Ok(Layout::try_new(shape, vec![(In::Offset, bases)])?)
        }
        Spec::TmemAcc { m, n } => tmem_acc(*m, *n, shape),
        Spec::TmemScales => tmem_scales(shape),
        Spec::Explicit(layout) if layout.is_register_layout() => Err(SpecError::OfRegisters),
        Spec::Explicit(layout) if layout.shape() == shape => Ok(layout.clone()),
        Spec::Explicit(layout) => {
            Err(SpecError::Shape { wanted: layout.shape().to_vec(), got: shape.to_vec() })
        }
        Spec::Blocked { .. }
        | Spec::Slice(..)
        | Spec::Linear { .. }
        | Spec::Mma { .. }
        | Spec::Wgmma { .. }
        | Spec::Mfma { .. }
        | Spec::Wmma { .. }
        | Spec::Operand { .. } => Err(SpecError::OfRegisters),
    }
}

fn memory_order(order: Option<&[u32]>, shape: &[u32]) -> Result<Vec<usize>, SpecError> {
    if let Some(order) = order {
        check_rank(order.len(), shape)?;
    }
    checked_order(order, shape.len())
}

fn plain(shape: &[u32], order: &[usize]) -> Result<Layout, SpecError> {
    Tile::new(shape.len()).fill(shape, In::Offset, order).finish(shape)
}

fn swizzled(
    [vec, per_phase, max_phase]: [u32; 3],
    order: &[usize],
    shape: &[u32],
) -> Result<Layout, SpecError> {
    for (name, value) in [("vec", vec), ("per_phase", per_phase), ("max_phase", max_phase)] {
        power_of_two(name, value)?;
    }
    let &[column, row, ..] = order else { return plain(shape, order) };
    let extents = boxed(shape);
    let mut tile = Tile::new(shape.len()).put(extents[column], In::Offset, column);
    let mut at = 1;
    while at < extents[row] {
        let mut basis = vec![0; shape.len()];
        basis[row] = at;
        basis[column] = vec.saturating_mul(at / per_phase % max_phase) % extents[column];
        tile = tile.at(In::Offset, &basis);
        at *= 2;
    }
    tile.fill(shape, In::Offset, order).finish(shape)
}

/// Pieces of `vec` neighbours of a column; the pieces of a row follow each other, then other rows' pieces.
///
/// Eight pieces go once around the banks. Which one a piece lies in is bits 0, 1 and 4 of its column
/// with bits 3 and 5 added to the first two and the lowest bit of its row to the last, so that pieces
/// meet in no bank
/// * when lanes read neighbouring columns, in the groups in which AMD serves reads of 16 bytes
///   (columns 0 to 3 with 20 to 23) and if lanes from 16 on read the next piece of a column;
/// * when lanes write every eighth column, eight of them together.
///
/// Bit 2 is added to none, so that a thread reaches the columns on both its sides from one address.
fn crosswise(vec: u32, shape: &[u32]) -> Result<Layout, SpecError> {
    power_of_two("vec", vec)?;
    let rank = shape.len();
    let Some(row) = rank.checked_sub(2) else { return plain(shape, &row_major(rank)) };
    let (column, extents) = (rank - 1, boxed(shape));
    let piece = vec.min(extents[row]);
    let at = |axis: usize, index: u32, also: u32| {
        let mut basis = vec![0; rank];
        basis[axis] = index;
        basis[column] |= if also < extents[column] { also } else { 0 };
        basis
    };
    let mut tile = Tile::new(rank).put(piece, In::Offset, row);
    for bit in [0, 1, 4, 2, 3].into_iter().chain(5..32) {
        let also = match bit {
            3 => 1 << 0,
            5 => 1 << 1,
            _ => 0,
        };
        if 1 << bit < extents[column] {
            tile = tile.at(In::Offset, &at(column, 1 << bit, also));
        }
    }
    if piece < extents[row] {
        tile = tile.at(In::Offset, &at(row, piece, 1 << 4));
    }
    let order: Vec<usize> = (0..rank - 1).rev().collect();
    tile.fill(shape, In::Offset, &order).finish(shape)
}

fn padded(pads: &[(u32, u32)], order: Option<&[u32]>, shape: &[u32]) -> Result<Layout, SpecError> {
    for &(interval, _) in pads {
        power_of_two("interval", interval)?;
    }
    let order = memory_order(order, shape)?;
    let whole = plain(shape, &order)?;
    let length = pads.iter().try_fold(u64::from(whole.offsets()), |sum, &(interval, pad)| {
        sum.checked_add(u64::from(whole.offsets() / interval) * u64::from(pad))
    });
    if length.is_none_or(|it| it > 1 << 30) {
        return Err(SpecError::Layout(crate::LayoutError::TooLarge));
    }
    Ok(Layout::with_padding(shape, whole.inputs().to_vec(), pads.to_vec())?)
}

fn nvmma(
    swizzle: u32,
    transposed: bool,
    shape: &[u32],
    elem_bits: u32,
) -> Result<Layout, SpecError> {
    if ![0, 32, 64, 128].contains(&swizzle) {
        let possible = "0, 32, 64 and 128";
        return Err(SpecError::Argument { name: "swizzle", value: swizzle, possible });
    }
    power_of_two("bits of an element", elem_bits)?;
    let rank = shape.len();
    if rank == 0 {
        return plain(shape, &[]);
    }
    // Slowest first; the last one is contiguous.
    let axes: Vec<usize> =
        if transposed { (1..rank).chain([0]).collect() } else { (0..rank).collect() };
    let (&inner, outer) = axes.split_last().expect("L2: a tile has a dimension");
    let mut sizes: Coords = boxed(shape).iter().map(|&it| it.min(BOX_EXTENT_MAX)).collect();
    let grow: Vec<usize> = outer.iter().rev().copied().chain([inner]).collect();
    if swizzle == 0 {
        let order: Vec<usize> = axes.iter().rev().copied().collect();
        let tile = Tile::new(rank).fill(&sizes, In::Offset, &order);
        return tile.fill(shape, In::Offset, &grow).finish(shape);
    }
    let columns = swizzle * 8 / elem_bits;
    if boxed(shape)[inner] < columns {
        let bytes = boxed(shape)[inner] * elem_bits / 8;
        return Err(SpecError::Narrow { bytes, swizzle });
    }
    sizes[inner] = columns;
    // 16-byte units move within a row; the pattern repeats every 8 rows of 128 bytes.
    let (unit, rows_alike, patterns) = (128 / elem_bits, 128 / swizzle, swizzle / 16);
    let mut tile = Tile::new(rank).put(columns, In::Offset, inner);
    let mut row = 1;
    for &d in outer.iter().rev() {
        let mut at = 1;
        while at < sizes[d] {
            let mut basis = vec![0; rank];
            basis[d] = at;
            basis[inner] = if row < 8 { unit * (row / rows_alike % patterns) } else { 0 };
            tile = tile.at(In::Offset, &basis);
            (at, row) = (at * 2, row * 2);
        }
    }
    tile.fill(shape, In::Offset, &grow).finish(shape)
}

fn tmem_acc(m: u32, n: u32, shape: &[u32]) -> Result<Layout, SpecError> {
    check_rank(2, shape)?;
    power_of_two("n", n)?;
    let extents = boxed(shape);
    for (axis, wanted) in [(0, m.min(64)), (1, n)] {
        if extents[axis] < wanted {
            return Err(SpecError::Small { axis: axis as u32, extent: shape[axis], wanted });
        }
    }
    let tile = match m {
        128 => Tile::new(2).put(128, In::Row, 0).put(n, In::Col, 1),
        64 => {
            // 16 of each warp's 32 rows are used; the other 16 hold a second block, if there is one.
            let second: [u32; 2] = match (extents[0] > 64, extents[1] > n) {
                (true, _) => [64, 0],
                (false, true) => [0, n],
                (false, false) => [0, 0],
            };
            let tile = Tile::new(2).put(16, In::Row, 0).put(n, In::Col, 1);
            tile.at(In::Row, &second).at(In::Row, &[16, 0]).at(In::Row, &[32, 0])
        }
        _ => return Err(SpecError::Argument { name: "m", value: m, possible: "64 and 128" }),
    };
    tile.fill(shape, In::Col, &[0, 1]).finish(shape)
}

fn tmem_scales(shape: &[u32]) -> Result<Layout, SpecError> {
    check_rank(2, shape)?;
    Tile::new(2)
        .put(32, In::Row, 0)
        .copies(4, In::Row)
        .put(4, In::Col, 1)
        .put(2, In::Col, 0)
        .fill(shape, In::Col, &[0, 1])
        .finish(shape)
}
