//! Products of small matrices that a warp holds together.
//!
//! A product has three steps: the lanes' registers become matrices in row-major order, the matrices
//! are multiplied, the result goes back. Registers and matrices have long runs of elements in common
//! ([`Moves`]), so that most of the moving is of whole vectors of the host. Sums are fused chains over `k`; the devices' order and
//! width inside a block of `k` are not documented (NVIDIA) or differ (AMD), so results in single
//! precision agree within a tolerance. Integers are exact.

use std::ops::{BitAnd, BitOr, Shl, Shr};
use std::sync::OnceLock;

use super::super::bytecode::{Arithmetic, Number, Operand, Product, Real, Rounding, Scale, Slot};
use super::Turn;
use super::lanes::Lane;
use super::number::{decode, encode, f16_to_f32, f32_to_f16};
use super::warp::Rows;

/// Elements of the largest matrix, over all of its blocks.
const ELEMENTS_MAX: usize = 2048;
/// Elements that move at once, at most.
const RUN_MAX: usize = 8;
/// Room for a matrix, and for a run from any of its elements on, so that no run needs a check.
const ROOM: usize = ELEMENTS_MAX + RUN_MAX;

/// The matrices of a product while it is computed.
struct Matrices<T: Term> {
    left: [T; ROOM],
    right: [T; ROOM],
    sum: [T; ROOM],
}

impl<T: Term> Matrices<T> {
    fn new() -> Box<Self> {
        let zeros = [T::default(); ROOM];
        Box::new(Matrices { left: zeros, right: zeros, sum: zeros })
    }
}

/// Room for the matrices of a product, kept from one to the next.
pub(in crate::sim) struct Scratch {
    single: Box<Matrices<f32>>,
    double: Box<Matrices<f64>>,
    integer: Box<Matrices<i64>>,
}

impl Scratch {
    pub(in crate::sim) fn new() -> Self {
        Scratch { single: Matrices::new(), double: Matrices::new(), integer: Matrices::new() }
    }
}

impl<const L: usize> Turn<'_, '_, L> {
    pub(super) fn product(&mut self, product: &Product) {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what the function is compiled for.
            unsafe { perform_fused(&mut self.warp.rows, product, self.scratch) };
            return;
        }
        perform(&mut self.warp.rows, product, self.scratch);
    }
}

/// [`perform`] with instructions for fused multiply-adds, which are calls of a function without.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn perform_fused<const L: usize>(rows: &mut Rows<L>, product: &Product, scratch: &mut Scratch) {
    perform(rows, product, scratch);
}

#[inline(always)]
fn perform<const L: usize>(rows: &mut Rows<L>, product: &Product, scratch: &mut Scratch) {
    match product.arithmetic {
        Arithmetic::Single => compute(rows, product, &mut scratch.single),
        Arithmetic::Double => compute(rows, product, &mut scratch.double),
        Arithmetic::Integer { .. } => compute(rows, product, &mut scratch.integer),
    }
}

#[inline(always)]
fn compute<T: Term, const L: usize>(
    rows: &mut Rows<L>,
    product: &Product,
    matrices: &mut Matrices<T>,
) {
    T::gather(rows, &product.left, &mut matrices.left);
    T::gather(rows, &product.right, &mut matrices.right);
    T::gather(rows, &product.sum, &mut matrices.sum);
    if let Some([left, right]) = product.scales {
        let [_, m, n, k] = product.extents;
        rescale(rows, left, &mut matrices.left[..m * k], |at| at / k + m * (at % k / 32));
        rescale(rows, right, &mut matrices.right[..k * n], |at| at % n + m * (at / n / 32));
    }
    match product.extents[2] {
        4 => multiply::<T, 4, 4>(matrices, product.extents),
        8 => multiply::<T, 8, 4>(matrices, product.extents),
        16 => multiply::<T, 16, 2>(matrices, product.extents),
        _ => multiply::<T, 32, 2>(matrices, product.extents),
    }
    let saturates = product.arithmetic == Arithmetic::Integer { saturates: true };
    T::scatter(rows, &product.d, &matrices.sum, saturates);
}

/// Multiplies every element by the power of two that `lane_of` its place holds.
#[inline(always)]
fn rescale<T: Term, const L: usize>(
    rows: &Rows<L>,
    scale: Scale,
    elements: &mut [T],
    lane_of: impl Fn(usize) -> usize,
) {
    let row = &rows.words[scale.row as usize];
    for (at, element) in elements.iter_mut().enumerate() {
        let exponent = row[lane_of(at)] >> (8 * scale.byte) & 0xff;
        // 255 is NaN (OCP microscaling formats, E8M0).
        let power = if exponent == 255 { f64::NAN } else { 2f64.powi(exponent as i32 - 127) };
        *element = element.times(power);
    }
}

/// `sum += left * right` for every block, `R` rows of `N` columns at a time.
#[inline(always)]
fn multiply<T: Term, const N: usize, const R: usize>(
    matrices: &mut Matrices<T>,
    [blocks, m, _, k]: [usize; 4],
) {
    for block in 0..blocks {
        let right = &matrices.right[block * k * N..][..k * N];
        let (right, _) = right.as_chunks::<N>();
        let (sums, _) = matrices.sum[block * m * N..][..m * N].as_chunks_mut::<N>();
        let (sums, _) = sums.as_chunks_mut::<R>();
        let left = matrices.left[block * m * k..][..m * k].chunks_exact(R * k);
        for (sums, left) in sums.iter_mut().zip(left) {
            let rows: [&[T]; R] = std::array::from_fn(|r| &left[r * k..][..k]);
            let mut res = *sums;
            for (at, b) in right.iter().enumerate() {
                for r in 0..R {
                    let a = rows[r][at];
                    for j in 0..N {
                        res[r][j] = T::fused(a, b[j], res[r][j]);
                    }
                }
            }
            *sums = res;
        }
    }
}

/// A number that products are computed in.
trait Term: Copy + Default {
    /// `a * b + c` with one rounding.
    fn fused(a: Self, b: Self, c: Self) -> Self;

    /// The product with a power of two.
    fn times(self, power: f64) -> Self;

    /// Puts the lanes' elements into their places.
    fn gather<const L: usize>(rows: &Rows<L>, operand: &Operand, out: &mut [Self; ROOM]);

    /// Gives the lanes the elements of a result.
    fn scatter<const L: usize>(
        rows: &mut Rows<L>,
        operand: &Operand,
        from: &[Self; ROOM],
        saturates: bool,
    );
}

impl Term for f32 {
    #[inline(always)]
    fn fused(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    fn times(self, power: f64) -> f32 {
        (f64::from(self) * power) as f32
    }

    #[inline(always)]
    fn gather<const L: usize>(rows: &Rows<L>, operand: &Operand, out: &mut [f32; ROOM]) {
        match operand.number {
            Number::Real(Real::F16) => gather(rows, operand, out, |it| f16_to_f32(it as u32)),
            Number::Real(Real::Bf16) => {
                gather(rows, operand, out, |it| f32::from_bits((it as u32) << 16));
            }
            Number::Real(Real::F32) => gather(rows, operand, out, |it| f32::from_bits(it as u32)),
            Number::Truncated => {
                gather(rows, operand, out, |it| f32::from_bits(it as u32 & !0x1fff));
            }
            Number::Real(real) => {
                let table = small_values(real);
                gather(rows, operand, out, |it| table[it as usize & 0xff]);
            }
            Number::Signed { .. } | Number::Unsigned { .. } => {
                unreachable!("B2: integers are summed as integers")
            }
        }
    }

    #[inline(always)]
    fn scatter<const L: usize>(rows: &mut Rows<L>, operand: &Operand, from: &[f32; ROOM], _: bool) {
        if operand.number == Number::Real(Real::F16) {
            scatter(rows, operand, from, |it| f32_to_f16(it).into());
        } else {
            let code = |it: f32| u64::from(if it.is_nan() { 0x7fc0_0000 } else { it.to_bits() });
            scatter(rows, operand, from, code);
        }
    }
}

impl Term for f64 {
    #[inline(always)]
    fn fused(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }

    fn times(self, power: f64) -> f64 {
        self * power
    }

    #[inline(always)]
    fn gather<const L: usize>(rows: &Rows<L>, operand: &Operand, out: &mut [f64; ROOM]) {
        gather(rows, operand, out, f64::from_bits);
    }

    #[inline(always)]
    fn scatter<const L: usize>(rows: &mut Rows<L>, operand: &Operand, from: &[f64; ROOM], _: bool) {
        scatter(rows, operand, from, |it| encode(Real::F64, it, Rounding::Nearest, false));
    }
}

impl Term for i64 {
    #[inline(always)]
    fn fused(a: i64, b: i64, c: i64) -> i64 {
        // At most 128 products of 16 bits and one number of 32.
        a * b + c
    }

    fn times(self, _: f64) -> i64 {
        unreachable!("B2: integers have no scales")
    }

    #[inline(always)]
    fn gather<const L: usize>(rows: &Rows<L>, operand: &Operand, out: &mut [i64; ROOM]) {
        if let Number::Signed { bits } = operand.number {
            let spare = 64 - u32::from(bits);
            gather(rows, operand, out, |it| (it << spare) as i64 >> spare);
        } else {
            gather(rows, operand, out, |it| it as i64);
        }
    }

    #[inline(always)]
    fn scatter<const L: usize>(
        rows: &mut Rows<L>,
        operand: &Operand,
        from: &[i64; ROOM],
        saturates: bool,
    ) {
        let bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
        let code = |it: i64| if saturates { it.clamp(bounds.0, bounds.1) } else { it };
        scatter(rows, operand, from, |it| (code(it) as u32).into());
    }
}

/// Decodes every element of an operand into its place.
#[inline(always)]
fn gather<T: Term, const L: usize>(
    rows: &Rows<L>,
    operand: &Operand,
    out: &mut [T; ROOM],
    decode: impl Fn(u64) -> T,
) {
    match operand.rows[0] {
        Slot::Word(_) => collect::<u32, T, L>(u32::rows(rows), operand, out, decode),
        Slot::Wide(_) => collect::<u64, T, L>(u64::rows(rows), operand, out, decode),
        Slot::Flag(_) => unreachable!("B2: no matrix has elements of one bit"),
    }
}

/// Encodes every element of a result into its lane's register.
#[inline(always)]
fn scatter<T: Term, const L: usize>(
    rows: &mut Rows<L>,
    operand: &Operand,
    from: &[T; ROOM],
    encode: impl Fn(T) -> u64,
) {
    match operand.rows[0] {
        Slot::Word(_) => distribute::<u32, T, L>(u32::rows_mut(rows), operand, from, encode),
        Slot::Wide(_) => distribute::<u64, T, L>(u64::rows_mut(rows), operand, from, encode),
        Slot::Flag(_) => unreachable!("B2: no matrix has elements of one bit"),
    }
}

/// The bits of one element.
trait Code:
    Lane
    + Into<u64>
    + Shl<u32, Output = Self>
    + Shr<u32, Output = Self>
    + BitAnd<Output = Self>
    + BitOr<Output = Self>
{
    fn of(bits: u64) -> Self;
}

impl Code for u32 {
    #[inline(always)]
    fn of(bits: u64) -> u32 {
        bits as u32
    }
}

impl Code for u64 {
    #[inline(always)]
    fn of(bits: u64) -> u64 {
        bits
    }
}

/// [`gather`] from rows of type `A`.
#[inline(always)]
fn collect<A: Code, T: Term, const L: usize>(
    rows: &[[A; L]],
    operand: &Operand,
    out: &mut [T; ROOM],
    decode: impl Fn(u64) -> T,
) {
    match (operand.moves.group, operand.moves.stride, operand.moves.run) {
        (2, 1, 8) => collect_runs::<A, T, 2, 1, 8, L>(rows, operand, out, decode),
        (1, 1, 8) => collect_runs::<A, T, 1, 1, 8, L>(rows, operand, out, decode),
        (1, 4, 8) => collect_runs::<A, T, 1, 4, 8, L>(rows, operand, out, decode),
        (4, 1, 4) => collect_runs::<A, T, 4, 1, 4, L>(rows, operand, out, decode),
        _ => collect_runs::<A, T, 1, 1, 1, L>(rows, operand, out, decode),
    }
}

/// [`collect`] for groups of `G` slots, lanes `S` apart, and runs of `R` elements.
#[inline(always)]
fn collect_runs<
    A: Code,
    T: Term,
    const G: usize,
    const S: usize,
    const R: usize,
    const L: usize,
>(
    rows: &[[A; L]],
    operand: &Operand,
    out: &mut [T; ROOM],
    decode: impl Fn(u64) -> T,
) {
    let bits = u32::from(operand.bits);
    let ones = A::of(if bits == 64 { !0 } else { (1u64 << bits) - 1 });
    for (g, starts) in operand.moves.starts.chunks_exact(G * L / R).enumerate() {
        let columns: [_; G] = std::array::from_fn(|s| {
            let (row, shift) = slot(operand, g * G + s);
            (&rows[row], shift)
        });
        let mut group = [[T::default(); G]; L];
        for lane in 0..L {
            for s in 0..G {
                let (row, shift) = columns[s];
                group[lane][s] = decode((row[by_stride::<S, L>(lane)] >> shift & ones).into());
            }
        }
        let (runs, _) = group.as_flattened().as_chunks::<R>();
        for (run, &start) in runs.iter().zip(starts) {
            let start = usize::from(start) % ELEMENTS_MAX;
            out[start..start + R].copy_from_slice(run);
        }
    }
}

/// The row that an operand's slot `s` is in, by its index in its file, and the lowest of its bits there.
#[inline(always)]
fn slot(operand: &Operand, s: usize) -> (usize, u32) {
    let (Slot::Flag(row) | Slot::Word(row) | Slot::Wide(row)) = operand.rows[s / operand.packed];
    (row as usize, (s % operand.packed) as u32 * u32::from(operand.bits))
}

/// The lane that is at a place in the order of lanes `S` apart.
#[inline(always)]
fn by_stride<const S: usize, const L: usize>(at: usize) -> usize {
    at / (L / S) + at % (L / S) * S
}

/// [`scatter`] to rows of type `A`.
#[inline(always)]
fn distribute<A: Code, T: Term, const L: usize>(
    rows: &mut [[A; L]],
    operand: &Operand,
    from: &[T; ROOM],
    encode: impl Fn(T) -> u64,
) {
    match (operand.moves.group, operand.moves.stride, operand.moves.run) {
        (2, 1, 8) => distribute_runs::<A, T, 2, 1, 8, L>(rows, operand, from, encode),
        (1, 1, 8) => distribute_runs::<A, T, 1, 1, 8, L>(rows, operand, from, encode),
        (1, 4, 8) => distribute_runs::<A, T, 1, 4, 8, L>(rows, operand, from, encode),
        (4, 1, 4) => distribute_runs::<A, T, 4, 1, 4, L>(rows, operand, from, encode),
        _ => distribute_runs::<A, T, 1, 1, 1, L>(rows, operand, from, encode),
    }
}

/// [`distribute`] for groups of `G` slots, lanes `S` apart, and runs of `R` elements.
#[inline(always)]
fn distribute_runs<
    A: Code,
    T: Term,
    const G: usize,
    const S: usize,
    const R: usize,
    const L: usize,
>(
    rows: &mut [[A; L]],
    operand: &Operand,
    from: &[T; ROOM],
    encode: impl Fn(T) -> u64,
) {
    for (g, starts) in operand.moves.starts.chunks_exact(G * L / R).enumerate() {
        let mut group = [[T::default(); G]; L];
        let (runs, _) = group.as_flattened_mut().as_chunks_mut::<R>();
        for (run, &start) in runs.iter_mut().zip(starts) {
            let start = usize::from(start) % ELEMENTS_MAX;
            run.copy_from_slice(&from[start..start + R]);
        }
        for s in 0..G {
            let (row, shift) = slot(operand, g * G + s);
            let row = &mut rows[row];
            for (at, elements) in group.iter().enumerate() {
                let lane = by_stride::<S, L>(at);
                let before = if shift == 0 { A::default() } else { row[lane] };
                row[lane] = before | A::of(encode(elements[s])) << shift;
            }
        }
    }
}

/// The values of every code of a format of at most 8 bits.
fn small_values(real: Real) -> &'static [f32; 256] {
    static TABLES: [OnceLock<[f32; 256]>; 7] = [const { OnceLock::new() }; 7];
    let table = match real {
        Real::E4m3 => 0,
        Real::E5m2 => 1,
        Real::E4m3Fnuz => 2,
        Real::E5m2Fnuz => 3,
        Real::E2m3 => 4,
        Real::E3m2 => 5,
        Real::E2m1 => 6,
        Real::F16 | Real::Bf16 | Real::F32 | Real::F32Flush | Real::F64 => {
            unreachable!("B2: these have more than 8 bits")
        }
    };
    TABLES[table].get_or_init(|| std::array::from_fn(|code| decode(real, code as u64) as f32))
}
