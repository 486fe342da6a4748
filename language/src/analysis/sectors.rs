//! How many sectors of global memory a warp's accesses touch, and how few would do.
//!
//! Global memory moves in sectors of 32 bytes, on both vendors' machines. What lies together is known from the
//! facts of the pointer: along one dimension neighbours follow each other in memory, along the others
//! equal elements are one place and different ones are apart. Runs are taken to begin where a sector
//! does: one that begins elsewhere touches a sector more.
//!
//! Source: CUDA C++ Best Practices Guide, "Coalesced Access to Global Memory"; what `sim` counts.

use std::collections::BTreeSet;

use super::access::{access, parts};
use super::facts::Facts;
use crate::ir::{Elem, Inst, Kernel};

/// Bytes of global memory that are moved together.
pub const SECTOR_BYTES: u32 = 32;

/// The sectors of accesses of one warp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sectors {
    /// How many they touch.
    pub touched: u32,
    /// How many their bytes would fill.
    pub least: u32,
    /// The dimension along which neighbours of the tile are neighbours in memory; `None` if none are known to be.
    pub along: Option<u32>,
    /// Bytes of the tile that lie together.
    pub run_bytes: u32,
}

/// Which of a warp's accesses to a tile are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The first instruction.
    First,
    /// All of them: what one instruction leaves of a sector, the next may take.
    All,
}

/// The sectors of a load, a store or a copy of a tile; `None` for everything else.
pub fn sectors(kernel: &Kernel, facts: &Facts, inst: &Inst, span: Span) -> Option<Sectors> {
    let access = access(kernel, facts, inst)?;
    let pointer = parts(kernel, inst)?.pointer;
    let ty = kernel.ty(pointer);
    let (Elem::Pointer(dtype), Some(layout)) = (ty.elem, &ty.layout) else { return None };
    let bits = dtype.storage_bits();
    let axes = &facts.of_value(pointer).axes;
    let longest = (0..axes.len()).max_by_key(|&d| (axes[d].contiguity, d))?;
    let along = (axes[longest].contiguity > 1).then_some(longest);

    let registers = if span == Span::First { 1 } else { layout.registers() };
    let (mut places, mut touched) = (BTreeSet::new(), BTreeSet::new());
    for register in (0..registers).step_by(access.elems as usize) {
        for lane in 0..layout.lanes() {
            let mut at = layout.index_of(register, lane, 0);
            let mut first = 0;
            for (d, (at, axis)) in at.iter_mut().zip(axes).enumerate() {
                if along == Some(d) {
                    first = *at % axis.contiguity * bits / 8;
                    *at /= axis.contiguity;
                } else {
                    *at /= axis.constancy.max(1);
                }
            }
            let last = first + access.bytes.max(1) - 1;
            touched.extend((first / SECTOR_BYTES..=last / SECTOR_BYTES).map(|it| (at.clone(), it)));
            places.insert((at, first));
        }
    }
    let least = (places.len() as u32 * access.bytes).div_ceil(SECTOR_BYTES).max(1);
    let run = along.map_or(1, |d| axes[d].contiguity.min(ty.shape[d]));
    Some(Sectors {
        touched: touched.len() as u32,
        least,
        along: along.map(|it| it as u32),
        run_bytes: run * bits / 8,
    })
}
