//! Products of small matrices that a warp holds together.
//!
//! A product has three steps: the lanes' registers become matrices in row-major order, the matrices
//! are multiplied, the result goes back. Sums are fused chains over `k`; the devices' order and
//! width inside a block of `k` are not documented (NVIDIA) or differ (AMD), so results in single
//! precision agree within a tolerance. Integers are exact.

use std::sync::OnceLock;

use super::super::bytecode::{Arithmetic, Number, Operand, Product, Real, Rounding, Scale, Slot};
use super::number::{decode, encode, f16_to_f32, f32_to_f16};
use super::{Turn, Warp};

/// Elements of the largest matrix, over all of its blocks.
const ELEMENTS_MAX: usize = 2048;

/// The matrices of a product while it is computed.
struct Matrices<T> {
    left: [T; ELEMENTS_MAX],
    right: [T; ELEMENTS_MAX],
    sum: [T; ELEMENTS_MAX],
}

impl<T: Term> Matrices<T> {
    fn new() -> Box<Self> {
        let zeros = [T::default(); ELEMENTS_MAX];
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
            unsafe { perform_fused(self.warp, product, self.scratch) };
            return;
        }
        perform(self.warp, product, self.scratch);
    }
}

/// [`perform`] with instructions for fused multiply-adds, which are calls of a function without.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn perform_fused<const L: usize>(warp: &mut Warp<L>, product: &Product, scratch: &mut Scratch) {
    perform(warp, product, scratch);
}

#[inline(always)]
fn perform<const L: usize>(warp: &mut Warp<L>, product: &Product, scratch: &mut Scratch) {
    match product.arithmetic {
        Arithmetic::Single => compute(warp, product, &mut scratch.single),
        Arithmetic::Double => compute(warp, product, &mut scratch.double),
        Arithmetic::Integer { .. } => compute(warp, product, &mut scratch.integer),
    }
}

#[inline(always)]
fn compute<T: Term, const L: usize>(
    warp: &mut Warp<L>,
    product: &Product,
    matrices: &mut Matrices<T>,
) {
    T::gather(warp, &product.left, &mut matrices.left);
    T::gather(warp, &product.right, &mut matrices.right);
    T::gather(warp, &product.sum, &mut matrices.sum);
    if let Some([left, right]) = product.scales {
        let [_, m, n, k] = product.extents;
        rescale(warp, left, &mut matrices.left[..m * k], |at| at / k + m * (at % k / 32));
        rescale(warp, right, &mut matrices.right[..k * n], |at| at % n + m * (at / n / 32));
    }
    match product.extents[2] {
        4 => multiply::<T, 4>(matrices, product.extents),
        8 => multiply::<T, 8>(matrices, product.extents),
        16 => multiply::<T, 16>(matrices, product.extents),
        _ => multiply::<T, 32>(matrices, product.extents),
    }
    let saturates = product.arithmetic == Arithmetic::Integer { saturates: true };
    T::scatter(warp, &product.d, &matrices.sum, saturates);
}

/// Multiplies every element by the power of two that `lane_of` its place holds.
#[inline(always)]
fn rescale<T: Term, const L: usize>(
    warp: &Warp<L>,
    scale: Scale,
    elements: &mut [T],
    lane_of: impl Fn(usize) -> usize,
) {
    let row = &warp.words[scale.row as usize];
    for (at, element) in elements.iter_mut().enumerate() {
        let exponent = row[lane_of(at)] >> (8 * scale.byte) & 0xff;
        // 255 is NaN (OCP microscaling formats, E8M0).
        let power = if exponent == 255 { f64::NAN } else { 2f64.powi(exponent as i32 - 127) };
        *element = element.times(power);
    }
}

/// `sum += left * right` for every block, `N` columns at a time.
#[inline(always)]
fn multiply<T: Term, const N: usize>(matrices: &mut Matrices<T>, [blocks, m, _, k]: [usize; 4]) {
    for block in 0..blocks {
        let right = &matrices.right[block * k * N..][..k * N];
        let (right, _) = right.as_chunks::<N>();
        for i in block * m..(block + 1) * m {
            let sum: &mut [T] = &mut matrices.sum[i * N..][..N];
            let mut sums = [T::default(); N];
            sums.copy_from_slice(sum);
            for (&a, b) in matrices.left[i * k..][..k].iter().zip(right) {
                for j in 0..N {
                    sums[j] = T::fused(a, b[j], sums[j]);
                }
            }
            sum.copy_from_slice(&sums);
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
    fn gather<const L: usize>(warp: &Warp<L>, operand: &Operand, out: &mut [Self; ELEMENTS_MAX]);

    /// Gives the lanes the elements of a result.
    fn scatter<const L: usize>(
        warp: &mut Warp<L>,
        operand: &Operand,
        from: &[Self; ELEMENTS_MAX],
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
    fn gather<const L: usize>(warp: &Warp<L>, operand: &Operand, out: &mut [f32; ELEMENTS_MAX]) {
        match operand.number {
            Number::Real(Real::F16) => gather(warp, operand, out, |it| f16_to_f32(it as u32)),
            Number::Real(Real::Bf16) => {
                gather(warp, operand, out, |it| f32::from_bits((it as u32) << 16));
            }
            Number::Real(Real::F32) => gather(warp, operand, out, |it| f32::from_bits(it as u32)),
            Number::Truncated => {
                gather(warp, operand, out, |it| f32::from_bits(it as u32 & !0x1fff));
            }
            Number::Real(real) => {
                let table = small_values(real);
                gather(warp, operand, out, |it| table[it as usize & 0xff]);
            }
            Number::Signed { .. } | Number::Unsigned { .. } => {
                unreachable!("B2: integers are summed as integers")
            }
        }
    }

    #[inline(always)]
    fn scatter<const L: usize>(
        warp: &mut Warp<L>,
        operand: &Operand,
        from: &[f32; ELEMENTS_MAX],
        _: bool,
    ) {
        if operand.number == Number::Real(Real::F16) {
            scatter(warp, operand, from, |it| u64::from(f32_to_f16(it)));
        } else {
            let code = |it: f32| if it.is_nan() { 0x7fc0_0000 } else { it.to_bits() };
            scatter(warp, operand, from, |it| u64::from(code(it)));
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
    fn gather<const L: usize>(warp: &Warp<L>, operand: &Operand, out: &mut [f64; ELEMENTS_MAX]) {
        gather(warp, operand, out, f64::from_bits);
    }

    #[inline(always)]
    fn scatter<const L: usize>(
        warp: &mut Warp<L>,
        operand: &Operand,
        from: &[f64; ELEMENTS_MAX],
        _: bool,
    ) {
        scatter(warp, operand, from, |it| encode(Real::F64, it, Rounding::Nearest, false));
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
    fn gather<const L: usize>(warp: &Warp<L>, operand: &Operand, out: &mut [i64; ELEMENTS_MAX]) {
        if let Number::Signed { bits } = operand.number {
            let spare = 64 - u32::from(bits);
            gather(warp, operand, out, |it| (it << spare) as i64 >> spare);
        } else {
            gather(warp, operand, out, |it| it as i64);
        }
    }

    #[inline(always)]
    fn scatter<const L: usize>(
        warp: &mut Warp<L>,
        operand: &Operand,
        from: &[i64; ELEMENTS_MAX],
        saturates: bool,
    ) {
        let bounds = (i64::from(i32::MIN), i64::from(i32::MAX));
        let code = |it: i64| if saturates { it.clamp(bounds.0, bounds.1) } else { it };
        scatter(warp, operand, from, |it| u64::from(code(it) as u32));
    }
}

/// Decodes every element of an operand into its place.
#[inline(always)]
fn gather<T: Term, const L: usize>(
    warp: &Warp<L>,
    operand: &Operand,
    out: &mut [T; ELEMENTS_MAX],
    decode: impl Fn(u64) -> T,
) {
    let ones = if operand.bits == 64 { !0 } else { (1u64 << operand.bits) - 1 };
    let (places, _) = operand.places.as_chunks::<L>();
    for (&row, places) in operand.rows.iter().zip(places.chunks(operand.packed)) {
        for (e, places) in places.iter().enumerate() {
            let shift = e as u32 * u32::from(operand.bits);
            match row {
                Slot::Wide(row) => {
                    let row = &warp.wides[row as usize];
                    place(out, places, |lane| decode(row[lane] >> shift & ones));
                }
                Slot::Word(row) => {
                    let row = &warp.words[row as usize];
                    place(out, places, |lane| decode(u64::from(row[lane] >> shift & ones as u32)));
                }
                Slot::Flag(_) => unreachable!("B2: no matrix has elements of one bit"),
            }
        }
    }
}

/// Puts an element of every lane into its place. All are computed first, which a processor does
/// for several lanes at once.
#[inline(always)]
fn place<T: Term, const L: usize>(
    out: &mut [T; ELEMENTS_MAX],
    places: &[u16; L],
    element: impl Fn(usize) -> T,
) {
    let elements: [T; L] = std::array::from_fn(element);
    for lane in 0..L {
        out[places[lane] as usize % ELEMENTS_MAX] = elements[lane];
    }
}

/// Encodes every element of a result into its lane's register.
#[inline(always)]
fn scatter<T: Term, const L: usize>(
    warp: &mut Warp<L>,
    operand: &Operand,
    from: &[T; ELEMENTS_MAX],
    encode: impl Fn(T) -> u64,
) {
    let (places, _) = operand.places.as_chunks::<L>();
    for (&row, places) in operand.rows.iter().zip(places.chunks(operand.packed)) {
        let mut codes = [0u64; L];
        for (e, places) in places.iter().enumerate() {
            let shift = e as u32 * u32::from(operand.bits);
            let elements: [T; L] =
                std::array::from_fn(|lane| from[places[lane] as usize % ELEMENTS_MAX]);
            for lane in 0..L {
                codes[lane] |= encode(elements[lane]) << shift;
            }
        }
        match row {
            Slot::Wide(row) => warp.wides[row as usize] = codes,
            Slot::Word(row) => warp.words[row as usize] = codes.map(|it| it as u32),
            Slot::Flag(_) => unreachable!("B2: no matrix has elements of one bit"),
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
