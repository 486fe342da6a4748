//! Which layouts fit what stands before `@`.

use tile_language::elab::observe::Nature;
use tile_language::elab::value::{TypeValue, Value};
use tile_layout::{Machine, Spec};

use crate::ide::shown::ShownInstance;

/// More warps than any role has: how many a layout asks for is said elsewhere.
const WARPS_MAX: u32 = 64;

/// What a layout is wanted for.
pub(super) struct Placed {
    /// Its extents, if they can be seen.
    shape: Option<Vec<u32>>,
    /// Bits of its elements if it may lie in memory.
    memory_bits: Option<u32>,
    lanes: u32,
}

impl Placed {
    /// Of what stands before `@`, if it is known.
    pub(super) fn of(instances: &[ShownInstance<'_>], nature: Option<&Nature>) -> Placed {
        let lanes = instances.first().map_or(32, |it| it.target.row().lanes);
        let (shape, memory_bits) = match nature {
            Some(Nature::Unplaced { shape, .. }) => (Some(shape.to_vec()), None),
            Some(Nature::Tile { ty, .. }) => (Some(ty.shape.to_vec()), None),
            Some(Nature::Type(TypeValue::Tile { elem, shape, .. })) => {
                let bits = elem.data().map(|it| it.storage_bits());
                (Some(shape.to_vec()), bits)
            }
            Some(Nature::Array(parts)) => (parts.iter().map(extent).collect(), None),
            _ => (None, None),
        };
        Placed { shape, memory_bits, lanes }
    }

    /// Whether one of these values is a layout that fits; why not, if none does. `None` if none is a layout.
    pub(super) fn verdict(&self, natures: &[Nature]) -> Option<Result<(), String>> {
        let specs = natures.iter().filter_map(|it| match it {
            Nature::Layout(it) => Some(it),
            _ => None,
        });
        specs.map(|it| self.fits(it)).reduce(Result::or)
    }

    fn fits(&self, spec: &Spec) -> Result<(), String> {
        let Some(shape) = &self.shape else { return Ok(()) };
        let machine = Machine { lanes: self.lanes, warps: WARPS_MAX };
        let Err(error) = spec.apply(shape, machine) else { return Ok(()) };
        if self.memory_bits.is_some_and(|it| spec.apply_in_memory(shape, it).is_ok()) {
            return Ok(());
        }
        Err(format!("does not fit {shape:?}: {error}"))
    }
}

fn extent(nature: &Nature) -> Option<u32> {
    match nature {
        Nature::Known(Value::Int(it)) => u32::try_from(*it).ok(),
        _ => None,
    }
}
