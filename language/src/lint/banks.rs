//! P0111: the banks of shared memory repeat an access, though another layout of the buffer would not make them.
//!
//! Candidates are swizzles and paddings of the buffer. Each is tried on all accesses to it, through the
//! same views, by the analysis that the lowering uses: how often the banks serve a warp, with repetitions, and with
//! more accesses where they become narrower. The warning is given if one of them saves a quarter, and names the best.

use tile_layout::banks::Direction;
use tile_layout::{Layout, MemoryMap, Spec};

use super::Subject;
use crate::analysis::{copy_access, shared_cost};
use crate::diagnostic::Diagnostic;
use crate::ir::{Inst, Value};
use crate::op::{CopyOp, Op, SharedOp};
use crate::report;

/// Bytes that 32 banks serve at once.
const BANKS_BYTES: u32 = 128;

/// An access to a buffer through a view.
struct Use<'a> {
    view: Value,
    layout: &'a Layout,
    direction: Direction,
}

pub(super) fn warning(it: &Subject<'_>, inst: &Inst) -> Option<Diagnostic> {
    let here = access(it, inst)?;
    let (_, repeated) = turns(it, &here, it.kernel.ty(here.view).map());
    if repeated == 0 {
        return None;
    }
    let buffer = root(it, here.view)?;
    let Uses { uses, together } = uses(it, buffer)?;
    let all = |map: &MemoryMap| -> Option<u32> {
        uses.iter().map(|of| Some(turns(it, of, &seen(it, of.view, buffer, map)?).0)).sum()
    };
    let now = all(it.kernel.ty(buffer).map())?;
    let ty = it.kernel.ty(buffer);
    let bits = ty.elem.bits();
    // The first dimensions of stages come before those that a layout is for.
    let stages = ty.shape.len().checked_sub(2)?;
    let (stage, tile) = ty.shape.split_at(stages);
    let least = uses.iter().map(|of| turns(it, of, it.kernel.ty(of.view).map()));
    let least = least.map(|(all, repeated)| all - repeated).sum();
    let mut best: Option<(u32, Spec)> = None;
    for spec in candidates(tile, bits, together) {
        let Ok(layout) = spec.apply_in_memory(tile, bits) else { continue };
        let map = stage.iter().rev().fold(MemoryMap::of(&layout), |map, &n| map.stacked(n));
        let Some(then) = all(&map) else { continue };
        if best.as_ref().is_none_or(|it| then < it.0) {
            best = Some((then, spec));
        }
        if then <= least {
            break;
        }
    }
    let (then, best) = best?;
    (4 * then <= 3 * now)
        .then(|| report::lints::bank_conflicts(it.kernel, inst, repeated, (now, then, &best)))
}

/// Layouts of a matrix that spread its rows over the banks and keep that many elements together: those with wide accesses
/// first, and swizzles, which take no room, before paddings.
fn candidates(tile: &[u32], bits: u32, together: u32) -> Vec<Spec> {
    let row = tile[1];
    let vecs = [16u32, 8, 4].map(|bytes| (bytes * 8 / bits).max(together));
    let mut found = Vec::new();
    for vec in vecs {
        for (max_phase, per_phase) in
            [32, 16, 8, 4, 2].into_iter().flat_map(|n| [(n, 1), (n, 2), (n, 4)])
        {
            if vec * max_phase <= row && per_phase * max_phase <= tile[0] {
                found.push(Spec::Swizzled { vec, per_phase, max_phase, order: None });
            }
        }
    }
    found.extend(vecs.map(|vec| Spec::Padded { pads: vec![(row, vec)], order: None }));
    found
}

fn access<'a>(it: &Subject<'a>, inst: &Inst) -> Option<Use<'a>> {
    let (view, tile, direction) = match inst.op {
        Op::Shared(SharedOp::Load) => (inst.operands[0], inst.results[0], Direction::Read),
        Op::Shared(SharedOp::Store) => (inst.operands[0], inst.operands[1], Direction::Write),
        _ => return None,
    };
    let layout = it.kernel.ty(tile).layout.as_ref()?;
    Some(Use { view, layout, direction })
}

/// Times that the banks serve a warp in all accesses of a thread, and how many of them are repetitions.
fn turns(it: &Subject<'_>, of: &Use<'_>, map: &MemoryMap) -> (u32, u32) {
    let (row, bits) = (it.kernel.target.row(), it.kernel.ty(of.view).elem.bits());
    let cost = shared_cost(row, of.layout, map, bits, of.direction);
    let needed = (row.lanes * cost.bytes).div_ceil(BANKS_BYTES).max(1);
    (cost.n_accesses * (needed + cost.conflicts), cost.n_accesses * cost.conflicts)
}

/// The buffer or the fetched tile that a view is of, by indices, slices and other names alone.
fn root(it: &Subject<'_>, mut view: Value) -> Option<Value> {
    loop {
        let inst = it.defs.get(view)?;
        match inst.op {
            Op::Shared(SharedOp::Alloc { .. }) | Op::Copy(CopyOp::Fetch { .. }) => {
                return Some(view);
            }
            Op::Shared(SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast) => {
                view = inst.operands[0];
            }
            _ => return None,
        }
    }
}

/// What touches a buffer.
struct Uses<'a> {
    uses: Vec<Use<'a>>,
    /// Elements that a copy to it moves at once, which a layout has to leave together.
    together: u32,
}

/// All that touches a buffer; `None` if something does that wants a layout of its own: a matrix unit, a copy engine.
fn uses<'a>(it: &Subject<'a>, buffer: Value) -> Option<Uses<'a>> {
    let mut found = Uses { uses: Vec::new(), together: 1 };
    let mut is_free = true;
    it.kernel.body.walk(&mut |inst| {
        if inst.results.first() == Some(&buffer)
            && matches!(inst.op, Op::Copy(CopyOp::Fetch { .. }))
        {
            found.together = copy_access(it.kernel, it.facts, inst).elems;
        }
        if !inst.operands.iter().any(|&view| root(it, view) == Some(buffer)) {
            return;
        }
        match inst.op {
            Op::Shared(SharedOp::Load | SharedOp::Store) => found.uses.extend(access(it, inst)),
            Op::Shared(SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast) => {}
            Op::Copy(CopyOp::Async) => {
                let copy = copy_access(it.kernel, it.facts, inst);
                found.together = found.together.max(copy.elems);
            }
            _ => is_free = false,
        }
    });
    is_free.then_some(found)
}

/// The map of a view if its buffer had another one; `None` if there is no such view.
fn seen(it: &Subject<'_>, view: Value, buffer: Value, map: &MemoryMap) -> Option<MemoryMap> {
    if view == buffer {
        return Some(map.clone());
    }
    let inst = it.defs.get(view)?;
    let of = seen(it, inst.operands[0], buffer, map)?;
    let shape = &it.kernel.ty(view).shape;
    match inst.op {
        Op::Shared(SharedOp::Index { axis }) => Some(of.without(axis as usize)),
        Op::Shared(SharedOp::Slice { axis }) => of.slice(axis as usize, shape[axis as usize]).ok(),
        Op::Shared(SharedOp::Recast) => {
            let from = it.kernel.ty(inst.operands[0]).map();
            let is_turned =
                from.dims().len() == 2 && from.permute(&[1, 0]) == *it.kernel.ty(view).map();
            is_turned.then(|| of.permute(&[1, 0]))
        }
        _ => None,
    }
}
