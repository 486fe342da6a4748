//! Register layouts: recipes as products of identities.
//!
//! Sources: PTX ISA 9.7.14.5 and 9.7.15.5 (fragments of mma.sync and wgmma), the lane maps of the
//! CDNA3 and CDNA4 ISA documents and of the RDNA3 and RDNA4 ones (MFMA, WMMA).

use super::tile::{Tile, check_rank, checked_order, power_of_two, row_major};
use super::{Machine, Side, Spec, SpecError};
use crate::bits::log2;
use crate::layout::{Coords, In, Layout, check_shape};

/// How the extents of a shape relate to an instruction's: dimensions that a slice took out, and those
/// of extent 1 that wait to be broadcast, may be smaller than one instruction.
struct Request<'a> {
    shape: &'a [u32],
    sliced: u64,
    machine: Machine,
}

pub(super) fn apply(spec: &Spec, shape: &[u32], machine: Machine) -> Result<Layout, SpecError> {
    check_shape(shape)?;
    let ones = (0..shape.len()).filter(|&it| shape[it] == 1);
    let sliced = ones.fold(0, |mask, it| mask | 1 << it);
    let layout = build(spec, &Request { shape, sliced, machine })?;
    replicate(layout, machine)
}

fn build(spec: &Spec, request: &Request<'_>) -> Result<Layout, SpecError> {
    match spec {
        Spec::Blocked { regs, lanes, warps, order } => {
            blocked(regs, lanes, warps, order.as_deref(), request)
        }
        Spec::Slice(parent, axis) => slice(parent, *axis, request),
        Spec::Linear { regs, lanes, warps } => linear([regs, lanes, warps], request.shape),
        Spec::Mma { .. } | Spec::Wgmma { .. } | Spec::Mfma { .. } | Spec::Wmma { .. } => {
            accumulator(spec, request)
        }
        Spec::Operand { of, side, k_width } => operand(of, *side, *k_width, request),
        Spec::Explicit(layout) => explicit(layout, request.shape),
        Spec::Plain
        | Spec::Swizzled { .. }
        | Spec::Crosswise { .. }
        | Spec::Nvmma { .. }
        | Spec::Padded { .. }
        | Spec::SharedLinear { .. }
        | Spec::TmemAcc { .. }
        | Spec::TmemScales => Err(SpecError::OfMemory),
    }
}

fn explicit(layout: &Layout, shape: &[u32]) -> Result<Layout, SpecError> {
    if !layout.is_register_layout() {
        return Err(SpecError::OfMemory);
    }
    if layout.shape() != shape {
        return Err(SpecError::Shape { wanted: layout.shape().to_vec(), got: shape.to_vec() });
    }
    Ok(layout.clone())
}

fn slice(parent: &Spec, axis: u32, request: &Request<'_>) -> Result<Layout, SpecError> {
    let rank = parent.rank().unwrap_or(request.shape.len() as u32 + 1);
    if axis >= rank {
        return Err(SpecError::Axis { axis, rank });
    }
    check_rank(rank as usize - 1, request.shape)?;
    if let Spec::Explicit(layout) = parent {
        let taken = layout.slice(axis as usize);
        return explicit(&taken, request.shape);
    }
    let axis = axis as usize;
    let mut shape = request.shape.to_vec();
    shape.insert(axis, 1);
    check_shape(&shape)?;
    let below = request.sliced & ((1 << axis) - 1);
    let sliced = below | 1 << axis | (request.sliced & !below) << 1;
    let whole = build(parent, &Request { shape: &shape, sliced, machine: request.machine })?;
    if shape.len() == 1 {
        return Err(SpecError::Axis { axis: axis as u32, rank: 0 });
    }
    Ok(whole.slice(axis))
}

fn blocked(
    regs: &[u32],
    lanes: &[u32],
    warps: &[u32],
    order: Option<&[u32]>,
    request: &Request<'_>,
) -> Result<Layout, SpecError> {
    let rank = regs.len();
    for list in [lanes, warps] {
        if list.len() != rank {
            return Err(SpecError::Rank { wanted: rank as u32, got: list.len() as u32 });
        }
    }
    check_rank(rank, request.shape)?;
    for (name, list) in [("regs", regs), ("lanes", lanes), ("warps", warps)] {
        list.iter().try_for_each(|&it| power_of_two(name, it).map(drop))?;
    }
    let order = checked_order(order, rank)?;
    Tile::new(rank)
        .put_all(regs, In::Register, &order)
        .put_all(lanes, In::Lane, &order)
        .put_all(warps, In::Warp, &order)
        .fill(request.shape, In::Register, &order)
        .finish(request.shape)
}

fn linear(bases: [&Vec<Vec<u32>>; 3], shape: &[u32]) -> Result<Layout, SpecError> {
    let inputs = [In::Register, In::Lane, In::Warp];
    let ins = inputs
        .into_iter()
        .zip(bases)
        .map(|(input, list)| (input, list.iter().map(|it| Coords::from_slice(it)).collect()));
    Ok(Layout::try_new(shape, ins.collect())?)
}

/// The instruction behind an accumulator, as far as operands need it.
struct Unit<'a> {
    /// Rows, columns.
    size: [u32; 2],
    /// Warps by dimension, the instruction's dimensions last.
    warps: Vec<u32>,
    /// Warps vary along dimensions in this order.
    warp_order: Vec<usize>,
    family: Family,
    spec: &'a Spec,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// Groups of four lanes hold a row: `mma.sync`, `wgmma`.
    Quad,
    /// 64 lanes.
    Mfma,
    /// 32 lanes, of a generation.
    Wmma(u32),
}

fn unit(spec: &Spec, machine: Machine) -> Result<Unit<'_>, SpecError> {
    let one_of = |name, value, allowed: &[u32], possible| {
        if allowed.contains(&value) {
            Ok(())
        } else {
            Err(SpecError::Argument { name, value, possible })
        }
    };
    let (size, warps, family) = match spec {
        Spec::Mma { warps } => ([16, 8], warps.clone(), Family::Quad),
        Spec::Wgmma { n } => {
            if *n % 8 != 0 || *n == 0 || *n > 256 {
                return Err(SpecError::Argument {
                    name: "n", value: *n, possible: "8, 16, … 256"
                });
            }
            if !machine.warps.is_multiple_of(4) {
                return Err(SpecError::Machine { input: In::Warp, wanted: 4, got: machine.warps });
            }
            ([16, *n], vec![machine.warps, 1], Family::Quad)
        }
        Spec::Mfma { m, n, k, warps, wide, .. } => {
            if *wide {
                one_of("m", *m, &[16], "16 for elements of 64 bits")?;
            }
            one_of("m", *m, &[16, 32], "16 and 32")?;
            one_of("n", *n, &[*m], "the value of `m`")?;
            power_of_two("k", *k)?;
            ([*m, *n], warps.clone(), Family::Mfma)
        }
        Spec::Wmma { version, k, warps, .. } => {
            one_of("version", *version, &[1, 2, 3], "1, 2 and 3")?;
            power_of_two("k", *k)?;
            ([16, 16], warps.clone(), Family::Wmma(*version))
        }
        _ => return Err(SpecError::NoOperands),
    };
    if warps.len() < 2 {
        return Err(SpecError::Rank { wanted: 2, got: warps.len() as u32 });
    }
    warps.iter().try_for_each(|&it| power_of_two("warps", it).map(drop))?;
    let wanted = if family == Family::Mfma { 64 } else { 32 };
    if machine.lanes != wanted {
        return Err(SpecError::Machine { input: In::Lane, wanted, got: machine.lanes });
    }
    let warp_order = row_major(warps.len());
    Ok(Unit { size, warps, warp_order, family, spec })
}

fn accumulator(spec: &Spec, request: &Request<'_>) -> Result<Layout, SpecError> {
    let unit = unit(spec, request.machine)?;
    let rank = unit.warps.len();
    check_rank(rank, request.shape)?;
    let (m, n) = (rank - 2, rank - 1);
    let rows = if matches!(spec, Spec::Wgmma { .. }) { 64 } else { unit.size[0] };
    check_size([(m, rows), (n, unit.size[1])], request)?;
    let tile = match (unit.family, unit.spec) {
        (Family::Quad, _) => quad(Tile::new(rank), 2, n, m).put(2, In::Register, m),
        (Family::Mfma, Spec::Mfma { transposed, wide, .. }) => {
            let (m, n) = if *transposed { (n, m) } else { (m, n) };
            let side = unit.size[0];
            if *wide {
                let tile = Tile::new(rank).put(16, In::Lane, n).put(4, In::Lane, m);
                return warps_and_rest(tile.put(4, In::Register, m), &unit, request);
            }
            Tile::new(rank)
                .put(4, In::Register, m)
                .put(side, In::Lane, n)
                .put(64 / side, In::Lane, m)
                .put(side * side / 256, In::Register, m)
        }
        (Family::Wmma(version), Spec::Wmma { transposed, .. }) => {
            let (m, n) = if *transposed { (n, m) } else { (m, n) };
            let tile = Tile::new(rank);
            if version == 1 {
                // Even rows in the lower lanes, odd ones in the upper.
                let tile = tile.put(16, In::Lane, n).put(2, In::Lane, m);
                tile.put(8, In::Register, m)
            } else {
                tile.put(8, In::Register, m).put(16, In::Lane, n).put(2, In::Lane, m)
            }
        }
        (Family::Mfma | Family::Wmma(_), _) => return Err(SpecError::NoOperands),
    };
    warps_and_rest(tile, &unit, request)
}

/// An instruction's tile spread over the warps and then repeated to the shape.
///
/// A wgmma's columns beyond 8 belong to the instruction, those of the others are repetitions; either
/// way they come before the next rows.
fn warps_and_rest(tile: Tile, unit: &Unit<'_>, request: &Request<'_>) -> Result<Layout, SpecError> {
    let rank = unit.warps.len();
    let (m, n) = (rank - 2, rank - 1);
    let tile = tile.put_all(&unit.warps, In::Warp, &unit.warp_order);
    tile.fill(request.shape, In::Register, &[&[n, m][..], &row_major(m)].concat())
        .finish(request.shape)
}

/// `width` registers and 4 lanes along `inner`, 8 lanes along `outer`.
fn quad(tile: Tile, width: u32, inner: usize, outer: usize) -> Tile {
    tile.put(width, In::Register, inner).put(4, In::Lane, inner).put(8, In::Lane, outer)
}

fn operand(
    of: &Spec,
    side: Side,
    k_width: u32,
    request: &Request<'_>,
) -> Result<Layout, SpecError> {
    let unit = unit(of, request.machine)?;
    power_of_two("k_width", k_width)?;
    if matches!(of, Spec::Wgmma { .. }) && side == Side::B {
        return Err(SpecError::NoOperands);
    }
    let rank = unit.warps.len();
    check_rank(rank, request.shape)?;
    let (outer, k) = match side {
        Side::A => (rank - 2, rank - 1),
        Side::B => (rank - 1, rank - 2),
    };
    let tile = Tile::new(rank);
    let tile = match unit.family {
        Family::Quad => {
            let tile = quad(tile, k_width, k, outer);
            let tile = if side == Side::A { tile.put(2, In::Register, outer) } else { tile };
            tile.put(2, In::Register, k)
        }
        Family::Mfma => {
            let across = unit.size[0];
            let tile = tile.put(k_width, In::Register, k).put(across, In::Lane, outer);
            tile.put(64 / across, In::Lane, k)
        }
        Family::Wmma(1) => {
            tile.put(k_width, In::Register, k).put(16, In::Lane, outer).copies(2, In::Lane)
        }
        Family::Wmma(_) => {
            tile.put(k_width, In::Register, k).put(16, In::Lane, outer).put(2, In::Lane, k)
        }
    };
    // Warps that differ in the other operand's dimension hold copies.
    let tile = unit.warp_order.iter().fold(tile, |tile, &d| {
        if d == k {
            tile.copies(unit.warps[d], In::Warp)
        } else {
            tile.put(unit.warps[d], In::Warp, d)
        }
    });
    tile.fill(request.shape, In::Register, &[&[k, outer][..], &row_major(rank - 2)].concat())
        .finish(request.shape)
}

fn check_size(wanted: [(usize, u32); 2], request: &Request<'_>) -> Result<(), SpecError> {
    for (axis, wanted) in wanted {
        let extent = request.shape[axis];
        if extent < wanted && request.sliced >> axis & 1 == 0 {
            return Err(SpecError::Small { axis: axis as u32, extent, wanted });
        }
    }
    Ok(())
}

/// Spreads a layout over all lanes and warps of the machine.
fn replicate(layout: Layout, machine: Machine) -> Result<Layout, SpecError> {
    let mut ins = vec![(In::Register, layout.bases(In::Register).to_vec())];
    for (input, got) in [(In::Lane, machine.lanes), (In::Warp, machine.warps)] {
        let mut bases = layout.bases(input).to_vec();
        let wanted = 1u32.checked_shl(bases.len() as u32).unwrap_or(u32::MAX);
        let name = if input == In::Lane { "lanes" } else { "warps" };
        power_of_two(name, got)?;
        if wanted > got {
            return Err(SpecError::Places { input, wanted, got });
        }
        bases.resize(log2(got.into()) as usize, Coords::from_elem(0, layout.rank()));
        ins.push((input, bases));
    }
    Ok(Layout::try_new(layout.shape(), ins)?)
}
