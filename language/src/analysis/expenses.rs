//! What moving elements costs, place by place: changes of layout, and accesses to shared memory.
//!
//! # Invariant
//! What is said of an instruction is what the lowering emits for it: both read [`Movement`] and
//! [`shared_access`].

use tile_layout::banks::Direction;
use tile_layout::{Cost, Layout, MemoryMap, SharedMeans};

use super::{Movement, shared_access};
use crate::ir::{Inst, Kernel, Place, SiteId, Value};
use crate::op::{Op, SharedOp};
use crate::target::Target;

/// What one instruction moves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expense {
    /// The instruction's place, with the calls that lead there.
    pub site: SiteId,
    /// Where it was written: in the library, if that is where it stands.
    pub place: Place,
    /// What it costs.
    pub what: Moved,
}

/// What is moved, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Elements between registers, lanes and warps.
    Between(Cost),
    /// A tile between registers and shared memory.
    Shared(SharedCost),
}

/// What a tile's way to or from shared memory costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SharedCost {
    /// Whether it is read or written.
    pub direction: Direction,
    /// What moves the elements.
    pub means: SharedMeans,
    /// Bytes that one access moves for one thread.
    pub bytes: u32,
    /// Accesses of a thread.
    pub n_accesses: u32,
    /// How often the banks must repeat one of them beyond what its width needs.
    pub conflicts: u32,
}

/// The expenses of a kernel in the order of its text; what is said twice of a place is there once.
pub fn expenses(kernel: &Kernel) -> Vec<Expense> {
    let mut found: Vec<Expense> = Vec::new();
    kernel.body.walk(&mut |inst| {
        let Some(what) = expense(kernel, inst) else { return };
        let place = kernel.sites[inst.site.0 as usize].place.clone();
        let new = Expense { site: inst.site, place, what };
        if !found.contains(&new) {
            found.push(new);
        }
    });
    found
}

fn expense(kernel: &Kernel, inst: &Inst) -> Option<Moved> {
    let access =
        |tile, direction| Moved::Shared(between(kernel, inst.operands[0], tile, direction));
    match inst.op {
        Op::Shared(SharedOp::Load) => Some(access(inst.results[0], Direction::Read)),
        Op::Shared(SharedOp::Store) => Some(access(inst.operands[1], Direction::Write)),
        Op::Tile(_) => {
            let bits = kernel.ty(*inst.operands.first()?).elem.bits();
            let movement = Movement::of(kernel, inst)?;
            // Halves that are registers of their own are only names.
            (!movement.plans().is_empty()).then(|| Moved::Between(movement.cost(bits)))
        }
        Op::Shared(_) | Op::Memory(_) | Op::Flow(_) | Op::Copy(_) | Op::Sync(_) | Op::Mma(_) => {
            None
        }
    }
}

/// What the accesses between a view and a tile cost.
fn between(kernel: &Kernel, view: Value, tile: Value, direction: Direction) -> SharedCost {
    let ty = kernel.ty(view);
    let scalar = Layout::new(&[], Vec::new());
    let layout = kernel.ty(tile).layout.as_ref().unwrap_or(&scalar);
    shared_cost(kernel.target.row(), layout, ty.map(), ty.elem.bits(), direction)
}

/// What a tile in `layout` pays on a target on its way to or from a view with that map.
pub fn shared_cost(
    target: &Target,
    layout: &Layout,
    map: &MemoryMap,
    elem_bits: u32,
    direction: Direction,
) -> SharedCost {
    let access = shared_access(target, layout, map, elem_bits, direction);
    SharedCost {
        direction,
        means: access.means,
        bytes: access.vector * elem_bits.div_ceil(8),
        n_accesses: access.groups.len() as u32,
        conflicts: access.conflicts(elem_bits, &target.banks, direction),
    }
}
