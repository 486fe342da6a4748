//! The matrix instructions of a warp group: `wgmma`, which reads shared memory and runs beside the program.
//!
//! # Definition
//! Four warps together compute `acc = a · b + acc` on `a` of 64 × k, `b` of k × n and `acc` of 64 × n elements. The
//! accumulator is in their registers, as `wgmma::acc(n:)` says; `b` is in shared memory; `a` is there, too, or in registers
//! as the accumulator's `.a(k_width:)`. What is in shared memory is given by a [`Descriptor`].
//!
//! Sources: PTX ISA 9.7.15.2 and 9.7.15.3 (shapes and types), 9.7.15.5 (registers and descriptors).
//!
//! Absent on purpose: sparse factors and elements of one bit.

mod descriptor;

use tile_layout::Spec;

use crate::dtype::DType;
use crate::dtype::DType::*;

pub use descriptor::{Descriptor, Major};

/// Rows of `a` and of the accumulator in one instruction.
pub const ROWS: u32 = 64;
/// Bytes of a row of `a` that one instruction multiplies, whatever the type.
pub const DEPTH_BYTES: u32 = 32;
/// Warps that execute one instruction together.
pub const WARPS: u32 = 4;
/// The most columns of an instruction.
const COLUMNS_MAX: u32 = 256;

/// One instruction, but for its number of columns.
#[derive(Clone, Copy, Debug)]
pub struct WgmmaRow {
    /// Its name, the shape and then the types of the accumulator and the factors.
    pub name: &'static str,
    /// Elements of the left factor.
    pub a: DType,
    /// Elements of the right factor.
    pub b: DType,
    /// Elements of the accumulator.
    pub acc: DType,
    /// Columns of `a` and rows of `b`.
    pub k: u32,
}

/// An instruction: an index into [`WGMMA_ROWS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WgmmaId(u16);

impl WgmmaId {
    /// Its row.
    pub fn row(self) -> &'static WgmmaRow {
        &WGMMA_ROWS[usize::from(self.0)]
    }

    /// Every instruction, in the order of the table.
    pub fn all() -> impl Iterator<Item = WgmmaId> {
        (0..WGMMA_ROWS.len() as u16).map(WgmmaId)
    }

    /// The instruction of that name.
    pub fn from_name(name: &str) -> Option<WgmmaId> {
        WgmmaId::all().find(|it| it.row().name == name)
    }

    /// The instruction that multiplies elements of these types.
    pub fn of_types([a, b, acc]: [DType; 3]) -> Option<WgmmaId> {
        WgmmaId::all().find(|it| {
            let row = it.row();
            [row.a, row.b, row.acc] == [a, b, acc]
        })
    }
}

impl WgmmaRow {
    /// Neighbours along `k` that one register of a lane holds: the `k_width` of `a` in registers.
    pub fn k_width(&self) -> u32 {
        32 / self.a.storage_bits()
    }

    /// Whether factors in shared memory may lie with their neighbours along `k` apart.
    pub fn turns(&self) -> bool {
        self.a.storage_bits() == 16
    }

    /// Whether there is an instruction with so many columns.
    pub fn has_columns(&self, n: u32) -> bool {
        let by = if self.acc == I32 && 24 < n { 16 } else { 8 };
        0 < n && n <= COLUMNS_MAX && n.is_multiple_of(by)
    }

    /// The most columns of an instruction of which an extent is a multiple.
    pub fn columns_of(&self, extent: u32) -> Option<u32> {
        let divides = |it: &u32| self.has_columns(*it) && extent.is_multiple_of(*it);
        (1..=COLUMNS_MAX / 8).rev().map(|it| it * 8).find(divides)
    }

    /// The layout of `a` in registers that belongs to an accumulator.
    pub fn left(&self, acc: &Spec) -> Spec {
        acc.clone().a(self.k_width())
    }
}

const fn row(name: &'static str, [acc, a, b]: [DType; 3], k: u32) -> WgmmaRow {
    WgmmaRow { name, a, b, acc, k }
}

/// The table.
#[rustfmt::skip]
pub const WGMMA_ROWS: &[WgmmaRow] = &[
    row("m64nNk16.f32.f16.f16", [F32, F16, F16], 16),
    row("m64nNk16.f16.f16.f16", [F16, F16, F16], 16),
    row("m64nNk16.f32.bf16.bf16", [F32, Bf16, Bf16], 16),
    row("m64nNk8.f32.tf32.tf32", [F32, Tf32, Tf32], 8),
    row("m64nNk32.f32.e4m3.e4m3", [F32, F8E4M3, F8E4M3], 32),
    row("m64nNk32.f32.e4m3.e5m2", [F32, F8E4M3, F8E5M2], 32),
    row("m64nNk32.f32.e5m2.e4m3", [F32, F8E5M2, F8E4M3], 32),
    row("m64nNk32.f32.e5m2.e5m2", [F32, F8E5M2, F8E5M2], 32),
    row("m64nNk32.f16.e4m3.e4m3", [F16, F8E4M3, F8E4M3], 32),
    row("m64nNk32.f16.e4m3.e5m2", [F16, F8E4M3, F8E5M2], 32),
    row("m64nNk32.f16.e5m2.e4m3", [F16, F8E5M2, F8E4M3], 32),
    row("m64nNk32.f16.e5m2.e5m2", [F16, F8E5M2, F8E5M2], 32),
    row("m64nNk32.s32.s8.s8", [I32, I8, I8], 32),
    row("m64nNk32.s32.s8.u8", [I32, I8, U8], 32),
    row("m64nNk32.s32.u8.s8", [I32, U8, I8], 32),
    row("m64nNk32.s32.u8.u8", [I32, U8, U8], 32),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_as_deep_as_its_bytes_and_named_once() {
        for id in WgmmaId::all() {
            let row = id.row();
            assert_eq!(row.k * row.a.storage_bits(), DEPTH_BYTES * 8, "{}", row.name);
            assert_eq!(WgmmaId::from_name(row.name), Some(id));
            assert_eq!(WgmmaId::of_types([row.a, row.b, row.acc]), Some(id));
        }
    }

    #[test]
    fn integers_have_fewer_widths() {
        let of = |types| WgmmaId::of_types(types).unwrap().row();
        let (halves, bytes) = (of([F16, F16, F32]), of([I8, I8, I32]));
        assert!(halves.has_columns(40) && !bytes.has_columns(40));
        assert!(!halves.has_columns(12) && !halves.has_columns(264));
        assert_eq!((halves.columns_of(80), bytes.columns_of(72)), (Some(80), Some(24)));
        assert_eq!((halves.columns_of(512), halves.columns_of(12)), (Some(256), None));
    }
}
