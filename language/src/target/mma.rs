//! The matrix instructions of all targets: products of small tiles that a warp holds in registers.
//!
//! # Definition
//! A row is one instruction `acc = a · b + acc` on `a` of m × k, `b` of k × n and `acc` of m × n
//! elements. Where the elements are is a pair of formulas a family ([`MatrixRow::a`], [`MatrixRow::b`],
//! [`MatrixRow::acc`]): which element a lane holds in a *slot*, slots being counted in elements, in
//! the order of the instruction's registers.
//!
//! # Invariants (each is a test)
//! * T1: over all lanes and slots, the maps of a row reach every element exactly once.
//! * T2: the maps are linear over F2: a slot moves an element by the same amount in every lane.
//! * T3: `a` and `b` of a row agree in which `k` a lane's slots hold, so a permutation of `k` that both
//!   share changes nothing.
//!
//! Names are the manuals'. Sources: PTX ISA 9.0, section 9.7.14.5 (`mma`); "AMD Instinct MI300" (CDNA3)
//! and "MI350" (CDNA4) instruction set architecture, sections 7.1 to 7.3, and AMD's matrix instruction
//! calculator for the lane maps.
//!
//! Absent on purpose: sparse and block-scaled forms (so too `v_mfma_…_f8f6f4`, whose unscaled form is the scaled one
//! with scales of zero), element types that the language does not have
//! (`s4`, `u4`, `b1`), and the AMD forms that multiply several blocks at once (4x4, and 16x16 and 32x32
//! with the smallest `k`).

mod fragments;

use tile_layout::Spec;

use super::{Cap, Target};
use crate::dtype::DType;
use crate::dtype::DType::*;

pub use fragments::{Fragments, Step};

/// Which instructions a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MatrixFamily {
    /// `mma.sync` of PTX.
    Mma,
    /// `v_mfma` of CDNA.
    Mfma,
}

/// One matrix instruction.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRow {
    /// Its name in the vendor's manual.
    pub name: &'static str,
    /// Its family.
    pub family: MatrixFamily,
    /// Rows of `a` and of the accumulator.
    pub m: u32,
    /// Columns of `b` and of the accumulator.
    pub n: u32,
    /// Columns of `a` and rows of `b`.
    pub k: u32,
    /// Elements of the left operand.
    pub a: DType,
    /// Elements of the right operand.
    pub b: DType,
    /// Elements of the accumulator, which goes in and comes out.
    pub acc: DType,
    /// What a target that executes it has.
    pub cap: Cap,
}

/// A matrix instruction: an index into [`MATRIX_ROWS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MatrixId(pub u16);

impl MatrixId {
    /// Its row.
    pub fn row(self) -> &'static MatrixRow {
        &MATRIX_ROWS[usize::from(self.0)]
    }

    /// Every instruction, in the order of the table.
    pub fn all() -> impl Iterator<Item = MatrixId> {
        (0..MATRIX_ROWS.len() as u16).map(MatrixId)
    }

    /// The instruction of that name on targets that have `cap`; `None` if there is none.
    ///
    /// Both CDNA targets have instructions `v_mfma_…_fp8_fp8`, for different formats.
    pub fn from_name(name: &str, cap: Cap) -> Option<MatrixId> {
        MatrixId::all().find(|it| (it.row().name, it.row().cap) == (name, cap))
    }
}

/// The instructions of a target that multiply elements of these types.
pub fn of_types(
    target: &Target,
    [a, b, acc]: [DType; 3],
) -> impl Iterator<Item = MatrixId> + use<> {
    let caps = target.caps;
    MatrixId::all().filter(move |it| {
        let row = it.row();
        caps.contains(&row.cap) && [row.a, row.b, row.acc] == [a, b, acc]
    })
}

/// The instruction that multiplies elements of these types into the accumulator `spec` over `k_extent`:
/// the deepest that divides `k_extent`, of those with the accumulator's own shape.
///
/// `mfma::acc` names the depth of its instruction, so there is no choice.
pub fn find(target: &Target, types: [DType; 3], spec: &Spec, k_extent: u32) -> Option<MatrixId> {
    let fits = |it: &MatrixId| {
        let row = it.row();
        let is_shaped = match (row.family, spec) {
            (MatrixFamily::Mma, Spec::Mma { .. }) => true,
            (MatrixFamily::Mfma, Spec::Mfma { m, n, k, wide, .. }) => {
                [row.m, row.n, row.k] == [*m, *n, *k] && *wide == (row.acc == F64)
            }
            (MatrixFamily::Mma | MatrixFamily::Mfma, _) => false,
        };
        is_shaped && k_extent.is_multiple_of(row.k)
    };
    of_types(target, types).filter(fits).max_by_key(|it| it.row().k)
}

impl MatrixRow {
    /// Lanes that hold one instruction's operands.
    pub fn lanes(&self) -> u32 {
        match self.family {
            MatrixFamily::Mma => 32,
            MatrixFamily::Mfma => 64,
        }
    }

    /// Elements of `a` in a lane.
    pub fn a_slots(&self) -> u32 {
        self.m * self.k / self.lanes()
    }

    /// Elements of `b` in a lane.
    pub fn b_slots(&self) -> u32 {
        self.k * self.n / self.lanes()
    }

    /// Elements of the accumulator in a lane.
    pub fn acc_slots(&self) -> u32 {
        self.m * self.n / self.lanes()
    }

    /// Neighbours along `k` that one register of a lane holds; 1 for elements of 32 bits and more.
    ///
    /// Operands in layouts with this `k_width`, or a multiple of it, need no rearranging.
    pub fn k_pack(&self) -> u32 {
        (32 / self.a.bits()).max(1)
    }

    /// Neighbours along `k` that a lane holds as the manual lays them out: the natural `k_width`.
    pub fn k_width(&self) -> u32 {
        match self.family {
            MatrixFamily::Mma => self.k_pack(),
            MatrixFamily::Mfma => self.a_slots(),
        }
    }

    /// Lanes that share a row of `a`, each with its own `k`.
    pub fn k_lanes(&self) -> u32 {
        match self.family {
            MatrixFamily::Mma => 4,
            MatrixFamily::Mfma => 64 / self.m,
        }
    }

    /// Row and `k` of an element of `a`.
    pub fn a(&self, lane: u32, slot: u32) -> [u32; 2] {
        match self.family {
            // PTX ISA 9.7.14.5: registers go down by 8 rows, then on along `k`.
            MatrixFamily::Mma => {
                let pack = self.k_pack();
                let (register, e) = (slot / pack, slot % pack);
                let (down, on) =
                    if self.m == 8 { (0, register) } else { (register & 1, register >> 1) };
                [lane / 4 + 8 * down, lane % 4 * pack + e + 4 * pack * on]
            }
            // CDNA3 ISA 7.1: a lane holds neighbours along `k`.
            MatrixFamily::Mfma => [lane % self.m, self.a_slots() * (lane / self.m) + slot],
        }
    }

    /// `k` and column of an element of `b`.
    pub fn b(&self, lane: u32, slot: u32) -> [u32; 2] {
        match self.family {
            MatrixFamily::Mma => {
                let pack = self.k_pack();
                [lane % 4 * pack + slot % pack + 4 * pack * (slot / pack), lane / 4]
            }
            MatrixFamily::Mfma => [self.b_slots() * (lane / self.n) + slot, lane % self.n],
        }
    }

    /// Row and column of an element of the accumulator.
    pub fn acc(&self, lane: u32, slot: u32) -> [u32; 2] {
        match self.family {
            MatrixFamily::Mma => [lane / 4 + 8 * (slot >> 1), 2 * (lane % 4) + (slot & 1)],
            // CDNA3 ISA 7.1: doubles go round the groups of lanes first, other elements by fours.
            MatrixFamily::Mfma if self.acc == F64 => [4 * slot + lane / 16, lane % 16],
            MatrixFamily::Mfma => {
                let groups = 64 / self.n;
                [4 * groups * (slot / 4) + 4 * (lane / self.n) + slot % 4, lane % self.n]
            }
        }
    }
}

const fn mma(name: &'static str, shape: [u32; 3], types: [DType; 3], cap: Cap) -> MatrixRow {
    row(name, MatrixFamily::Mma, shape, types, cap)
}

const fn mfma(name: &'static str, shape: [u32; 3], types: [DType; 3], cap: Cap) -> MatrixRow {
    row(name, MatrixFamily::Mfma, shape, types, cap)
}

const fn row(
    name: &'static str,
    family: MatrixFamily,
    [m, n, k]: [u32; 3],
    [a, b, acc]: [DType; 3],
    cap: Cap,
) -> MatrixRow {
    MatrixRow { name, family, m, n, k, a, b, acc, cap }
}

/// The table. Shapes are m, n, k; types are those of `a`, `b` and the accumulator.
#[rustfmt::skip]
pub const MATRIX_ROWS: &[MatrixRow] = &[
    mma("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16", [16, 8, 8], [F16, F16, F16], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", [16, 8, 16], [F16, F16, F16], Cap::Mma),
    mma("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", [16, 8, 8], [F16, F16, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", [16, 8, 16], [F16, F16, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", [16, 8, 8], [Bf16, Bf16, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", [16, 8, 16], [Bf16, Bf16, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", [16, 8, 4], [Tf32, Tf32, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", [16, 8, 8], [Tf32, Tf32, F32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32", [16, 8, 16], [I8, I8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", [16, 8, 32], [I8, I8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.s32.s8.u8.s32", [16, 8, 16], [I8, U8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32", [16, 8, 32], [I8, U8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.s32.u8.s8.s32", [16, 8, 16], [U8, I8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32", [16, 8, 32], [U8, I8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k16.row.col.s32.u8.u8.s32", [16, 8, 16], [U8, U8, I32], Cap::Mma),
    mma("mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32", [16, 8, 32], [U8, U8, I32], Cap::Mma),
    mma("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64", [8, 8, 4], [F64, F64, F64], Cap::Mma),
    mma("mma.sync.aligned.m16n8k4.row.col.f64.f64.f64.f64", [16, 8, 4], [F64, F64, F64], Cap::MmaF64),
    mma("mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64", [16, 8, 8], [F64, F64, F64], Cap::MmaF64),
    mma("mma.sync.aligned.m16n8k16.row.col.f64.f64.f64.f64", [16, 8, 16], [F64, F64, F64], Cap::MmaF64),
    mma("mma.sync.aligned.m16n8k16.row.col.f16.e4m3.e4m3.f16", [16, 8, 16], [F8E4M3, F8E4M3, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f16", [16, 8, 32], [F8E4M3, F8E4M3, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f16.e4m3.e5m2.f16", [16, 8, 16], [F8E4M3, F8E5M2, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e5m2.f16", [16, 8, 32], [F8E4M3, F8E5M2, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f16.e5m2.e4m3.f16", [16, 8, 16], [F8E5M2, F8E4M3, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f16.e5m2.e4m3.f16", [16, 8, 32], [F8E5M2, F8E4M3, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f16.e5m2.e5m2.f16", [16, 8, 16], [F8E5M2, F8E5M2, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f16.e5m2.e5m2.f16", [16, 8, 32], [F8E5M2, F8E5M2, F16], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.e4m3.e4m3.f32", [16, 8, 16], [F8E4M3, F8E4M3, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32", [16, 8, 32], [F8E4M3, F8E4M3, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.e4m3.e5m2.f32", [16, 8, 16], [F8E4M3, F8E5M2, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32", [16, 8, 32], [F8E4M3, F8E5M2, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.e5m2.e4m3.f32", [16, 8, 16], [F8E5M2, F8E4M3, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e4m3.f32", [16, 8, 32], [F8E5M2, F8E4M3, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k16.row.col.f32.e5m2.e5m2.f32", [16, 8, 16], [F8E5M2, F8E5M2, F32], Cap::MmaFp8),
    mma("mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32", [16, 8, 32], [F8E5M2, F8E5M2, F32], Cap::MmaFp8),
    mfma("v_mfma_f32_32x32x2_f32", [32, 32, 2], [F32, F32, F32], Cap::Mfma),
    mfma("v_mfma_f32_16x16x4_f32", [16, 16, 4], [F32, F32, F32], Cap::Mfma),
    mfma("v_mfma_f32_32x32x8_f16", [32, 32, 8], [F16, F16, F32], Cap::Mfma),
    mfma("v_mfma_f32_16x16x16_f16", [16, 16, 16], [F16, F16, F32], Cap::Mfma),
    mfma("v_mfma_f32_32x32x8_bf16", [32, 32, 8], [Bf16, Bf16, F32], Cap::Mfma),
    mfma("v_mfma_f32_16x16x16_bf16", [16, 16, 16], [Bf16, Bf16, F32], Cap::Mfma),
    mfma("v_mfma_i32_32x32x16_i8", [32, 32, 16], [I8, I8, I32], Cap::Mfma),
    mfma("v_mfma_i32_16x16x32_i8", [16, 16, 32], [I8, I8, I32], Cap::Mfma),
    mfma("v_mfma_f64_16x16x4_f64", [16, 16, 4], [F64, F64, F64], Cap::Mfma),
    mfma("v_mfma_f32_32x32x4_xf32", [32, 32, 4], [Tf32, Tf32, F32], Cap::MfmaXf32),
    mfma("v_mfma_f32_16x16x8_xf32", [16, 16, 8], [Tf32, Tf32, F32], Cap::MfmaXf32),
    mfma("v_mfma_f32_32x32x16_fp8_fp8", [32, 32, 16], [F8E4M3Fnuz, F8E4M3Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_16x16x32_fp8_fp8", [16, 16, 32], [F8E4M3Fnuz, F8E4M3Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_32x32x16_fp8_bf8", [32, 32, 16], [F8E4M3Fnuz, F8E5M2Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_16x16x32_fp8_bf8", [16, 16, 32], [F8E4M3Fnuz, F8E5M2Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_32x32x16_bf8_fp8", [32, 32, 16], [F8E5M2Fnuz, F8E4M3Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_16x16x32_bf8_fp8", [16, 16, 32], [F8E5M2Fnuz, F8E4M3Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_32x32x16_bf8_bf8", [32, 32, 16], [F8E5M2Fnuz, F8E5M2Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_16x16x32_bf8_bf8", [16, 16, 32], [F8E5M2Fnuz, F8E5M2Fnuz, F32], Cap::MfmaFnuz),
    mfma("v_mfma_f32_32x32x16_fp8_fp8", [32, 32, 16], [F8E4M3, F8E4M3, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_16x16x32_fp8_fp8", [16, 16, 32], [F8E4M3, F8E4M3, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_32x32x16_fp8_bf8", [32, 32, 16], [F8E4M3, F8E5M2, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_16x16x32_fp8_bf8", [16, 16, 32], [F8E4M3, F8E5M2, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_32x32x16_bf8_fp8", [32, 32, 16], [F8E5M2, F8E4M3, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_16x16x32_bf8_fp8", [16, 16, 32], [F8E5M2, F8E4M3, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_32x32x16_bf8_bf8", [32, 32, 16], [F8E5M2, F8E5M2, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_16x16x32_bf8_bf8", [16, 16, 32], [F8E5M2, F8E5M2, F32], Cap::MfmaOcp),
    mfma("v_mfma_f32_32x32x16_f16", [32, 32, 16], [F16, F16, F32], Cap::MfmaWide),
    mfma("v_mfma_f32_16x16x32_f16", [16, 16, 32], [F16, F16, F32], Cap::MfmaWide),
    mfma("v_mfma_f32_32x32x16_bf16", [32, 32, 16], [Bf16, Bf16, F32], Cap::MfmaWide),
    mfma("v_mfma_f32_16x16x32_bf16", [16, 16, 32], [Bf16, Bf16, F32], Cap::MfmaWide),
    mfma("v_mfma_i32_32x32x32_i8", [32, 32, 32], [I8, I8, I32], Cap::MfmaWide),
    mfma("v_mfma_i32_16x16x64_i8", [16, 16, 64], [I8, I8, I32], Cap::MfmaWide),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What a map reaches, each place once.
    fn reached(
        row: &MatrixRow,
        slots: u32,
        map: impl Fn(u32, u32) -> [u32; 2],
    ) -> HashSet<[u32; 2]> {
        let places = (0..row.lanes()).flat_map(|lane| (0..slots).map(move |slot| (lane, slot)));
        places.map(|(lane, slot)| map(lane, slot)).collect()
    }

    fn grid(rows: u32, cols: u32) -> HashSet<[u32; 2]> {
        (0..rows).flat_map(|i| (0..cols).map(move |j| [i, j])).collect()
    }

    #[test]
    fn t1_maps_reach_every_element_once() {
        for row in MATRIX_ROWS {
            let (m, n, k) = (row.m, row.n, row.k);
            assert_eq!(reached(row, row.a_slots(), |l, s| row.a(l, s)), grid(m, k), "{}", row.name);
            assert_eq!(reached(row, row.b_slots(), |l, s| row.b(l, s)), grid(k, n), "{}", row.name);
            assert_eq!(
                reached(row, row.acc_slots(), |l, s| row.acc(l, s)),
                grid(m, n),
                "{}",
                row.name
            );
            let held = [row.a_slots(), row.b_slots(), row.acc_slots()].map(|it| it * row.lanes());
            assert_eq!(held, [m * k, k * n, m * n], "{}", row.name);
        }
    }

    #[test]
    fn t2_maps_are_linear() {
        for row in MATRIX_ROWS {
            type Map = fn(&MatrixRow, u32, u32) -> [u32; 2];
            let maps: [(Map, u32); 3] = [
                (MatrixRow::a, row.a_slots()),
                (MatrixRow::b, row.b_slots()),
                (MatrixRow::acc, row.acc_slots()),
            ];
            for (map, slots) in maps {
                for (lane, slot) in (0..row.lanes()).flat_map(|l| (0..slots).map(move |s| (l, s))) {
                    let sum = [0, 1].map(|d| map(row, lane, 0)[d] ^ map(row, 0, slot)[d]);
                    assert_eq!(map(row, lane, slot), sum, "{}", row.name);
                }
            }
        }
    }

    #[test]
    fn t3_lanes_hold_the_same_depths_of_a_and_b() {
        for row in MATRIX_ROWS {
            let depths = |slots: u32, map: &dyn Fn(u32) -> u32| -> HashSet<u32> {
                (0..slots).map(map).collect()
            };
            for lane in 0..row.lanes() {
                let a = depths(row.a_slots(), &|slot| row.a(lane, slot)[1]);
                let b = depths(row.b_slots(), &|slot| row.b(lane, slot)[0]);
                let same_group = (0..row.lanes())
                    .any(|it| depths(row.b_slots(), &|slot| row.b(it, slot)[0]) == a);
                assert!(a == b && same_group, "{}", row.name);
            }
        }
    }

    #[track_caller]
    fn golden(cap: Cap, name: &str, a: ([u32; 2], [u32; 2]), acc: ([u32; 2], [u32; 2])) {
        let row = MatrixId::from_name(name, cap).unwrap().row();
        assert_eq!((row.a(a.0[0], a.0[1]), row.acc(acc.0[0], acc.0[1])), (a.1, acc.1), "{name}");
    }

    /// Elements that the manuals' tables name.
    #[test]
    fn elements_lie_where_the_manuals_say() {
        let name = "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32";
        golden(Cap::Mma, name, ([5, 7], [9, 11]), ([5, 3], [9, 3]));
        golden(Cap::Mfma, "v_mfma_f32_32x32x8_f16", ([33, 2], [1, 6]), ([33, 5], [13, 1]));
        golden(Cap::MfmaWide, "v_mfma_f32_16x16x32_f16", ([17, 3], [1, 11]), ([17, 3], [7, 1]));
        golden(Cap::MfmaWide, "v_mfma_i32_16x16x64_i8", ([17, 3], [1, 19]), ([17, 3], [7, 1]));
        golden(Cap::Mfma, "v_mfma_f64_16x16x4_f64", ([17, 0], [1, 1]), ([37, 2], [10, 5]));
    }

    #[test]
    fn names_are_unique_on_every_target() {
        for target in crate::target::TARGETS {
            let rows = MATRIX_ROWS.iter().filter(|it| target.has(it.cap));
            let mut names: Vec<_> = rows.map(|it| it.name).collect();
            let n = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), n, "{}", target.name);
        }
    }
}
