use proptest::prelude::*;

use super::*;

/// Bits that matter: zeros, ones, the smallest, the largest, infinities, NaNs, and neighbours.
fn edges(dtype: DType) -> Vec<u64> {
    let mask = u64::MAX >> (64 - dtype.bits());
    let sign = 1u64 << (dtype.bits() - 1);
    let mut all = vec![0, 1, 2, 3, 7, sign - 1, sign, sign + 1, mask, mask - 1];
    if dtype.is_float() {
        for x in [
            1.0,
            -1.0,
            0.5,
            1.5,
            -2.75,
            3.0,
            1e-3,
            100.0,
            1e30,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ] {
            all.push(value::encode(dtype, x, Round::Nearest));
        }
    }
    all.iter()
        .map(|it| if dtype == DType::Tf32 { it & !0x1fff & mask } else { it & mask })
        .collect()
}

fn pairs(dtype: DType) -> (Vec<u64>, Vec<u64>) {
    let all = edges(dtype);
    let both = all.iter().flat_map(|&x| all.iter().map(move |&y| (x, y)));
    both.unzip()
}

fn same(dtype: DType, got: u64, wanted: u64) -> bool {
    let nan = |it| dtype.is_float() && value::decode(dtype, it).is_nan();
    got == wanted || nan(got) && nan(wanted)
}

fn numbers() -> impl Iterator<Item = DType> {
    DType::ALL.iter().copied().filter(|&it| it != DType::Bool)
}

fn defined_on_ints(op: UnaryOp) -> bool {
    matches!(
        op,
        UnaryOp::Neg
            | UnaryOp::Not
            | UnaryOp::Abs
            | UnaryOp::Popcount
            | UnaryOp::LeadingZeros
            | UnaryOp::ReverseBits
    )
}

fn defined_on_floats(op: UnaryOp) -> bool {
    !matches!(op, UnaryOp::Not | UnaryOp::Popcount | UnaryOp::LeadingZeros | UnaryOp::ReverseBits)
}

#[test]
fn every_unary_operation_is_the_scalar_one() {
    for dtype in numbers() {
        let elem = Elem::Data(dtype);
        let bits = edges(dtype);
        let x = Elements::from_bits(elem, bits.iter().copied());
        for &op in UnaryOp::ALL {
            if if dtype.is_float() { defined_on_floats(op) } else { defined_on_ints(op) } {
                let got = unary(op, elem, &x);
                for (at, &bits) in bits.iter().enumerate() {
                    let wanted = value::unary(op, dtype, bits);
                    assert!(same(dtype, got.bits(at), wanted), "{} {dtype} {bits:#x}", op.name());
                }
            }
        }
    }
}

#[test]
fn every_binary_operation_is_the_scalar_one() {
    for dtype in numbers() {
        let elem = Elem::Data(dtype);
        let (xs, ys) = pairs(dtype);
        for &op in BinaryOp::ALL {
            let on_ints_only = matches!(
                op,
                BinaryOp::And
                    | BinaryOp::Or
                    | BinaryOp::Xor
                    | BinaryOp::Shl
                    | BinaryOp::Shr
                    | BinaryOp::MulHigh
            );
            if dtype.is_float() && on_ints_only {
                continue;
            }
            let divides = matches!(op, BinaryOp::Div | BinaryOp::Rem) && dtype.is_int();
            let kept = || xs.iter().zip(&ys).filter(|it| !divides || *it.1 != 0);
            let x = Elements::from_bits(elem, kept().map(|it| *it.0));
            let y = Elements::from_bits(elem, kept().map(|it| *it.1));
            let (got, _) = binary(op, elem, &x, &y);
            for (at, (&x, &y)) in kept().enumerate() {
                let wanted = value::binary(op, dtype, x, y).unwrap();
                assert!(same(dtype, got.bits(at), wanted), "{} {dtype} {x:#x} {y:#x}", op.name());
            }
        }
    }
}

#[test]
fn comparisons_and_fma_are_the_scalar_ones() {
    for dtype in numbers() {
        let elem = Elem::Data(dtype);
        let (xs, ys) = pairs(dtype);
        let zs: Vec<u64> = xs.iter().rev().copied().collect();
        let data = |bits: &[u64]| Elements::from_bits(elem, bits.iter().copied());
        let (x, y, z) = (data(&xs), data(&ys), data(&zs));
        for &op in CmpOp::ALL {
            let got = cmp(op, elem, &x, &y);
            for at in 0..xs.len() {
                assert_eq!(got.bools()[at], value::cmp(op, dtype, xs[at], ys[at]));
            }
        }
        let got = fma(elem, &x, &y, &z);
        for at in 0..xs.len() {
            let wanted = value::fma(dtype, xs[at], ys[at], zs[at]);
            assert!(
                same(dtype, got.bits(at), wanted),
                "{dtype} {:#x} {:#x} {:#x}",
                xs[at],
                ys[at],
                zs[at]
            );
        }
    }
}

#[test]
fn every_cast_is_the_scalar_one() {
    for &from in DType::ALL {
        let (all, exhaustive) = (0..1 << from.bits().min(16), from.bits() <= 8);
        let narrow = || all.step_by(if exhaustive { 1 } else { 37 }).chain(edges(from)).collect();
        let bits: Vec<u64> = if from.bits() <= 16 { narrow() } else { edges(from) };
        let x = Elements::from_bits(Elem::Data(from), bits.iter().copied());
        for &to in DType::ALL {
            for &round in Round::ALL {
                let got = cast(from, to, round, &x);
                for (at, &bits) in bits.iter().enumerate() {
                    let wanted = value::cast(from, to, round, bits);
                    assert!(
                        same(to, got.bits(at), wanted),
                        "{from} to {to} {}: {bits:#x}",
                        round.name()
                    );
                }
            }
        }
    }
}

#[test]
fn widening_from_16_bits_is_the_scalar_one_for_all_bits() {
    for from in [DType::F16, DType::Bf16] {
        let all = Elements::from_bits(Elem::Data(from), 0..1 << 16);
        let got = cast(from, DType::F32, Round::Nearest, &all);
        for bits in 0..1 << 16 {
            let wanted = value::cast(from, DType::F32, Round::Nearest, bits);
            assert!(same(DType::F32, got.bits(bits as usize), wanted), "{from} {bits:#x}");
        }
    }
}

#[test]
fn overflow_and_division_by_zero_are_found_where_they_are() {
    let i32s = |v: &[i32]| Elements::I32(v.to_vec());
    let elem = Elem::Data(DType::I32);
    let found = |op, x: &[i32], y: &[i32]| binary(op, elem, &i32s(x), &i32s(y)).1;
    assert_eq!(found(BinaryOp::Add, &[1, i32::MAX], &[1, 1]), Some(Finding::Overflow(1)));
    assert_eq!(found(BinaryOp::Sub, &[i32::MIN, 0], &[1, 0]), Some(Finding::Overflow(0)));
    assert_eq!(found(BinaryOp::Mul, &[1 << 16, 3], &[1 << 15, 3]), Some(Finding::Overflow(0)));
    assert_eq!(found(BinaryOp::Mul, &[-1 << 16, 3], &[1 << 15, 3]), None);
    assert_eq!(found(BinaryOp::Rem, &[1, 2, 3], &[1, 1, 0]), Some(Finding::DivisionByZero(2)));
    let max = Elements::U32(vec![u32::MAX]);
    assert_eq!(binary(BinaryOp::Add, Elem::Data(DType::U32), &max, &max).1, None);
}

proptest! {
    #[test]
    fn conversions_to_16_bits_are_the_scalar_ones(bits in proptest::collection::vec(any::<u32>(), 64)) {
        let x = Elements::from_bits(Elem::Data(DType::F32), bits.iter().map(|&it| it.into()));
        for to in [DType::F16, DType::Bf16] {
            let got = cast(DType::F32, to, Round::Nearest, &x);
            for (at, &bits) in bits.iter().enumerate() {
                let wanted = value::cast(DType::F32, to, Round::Nearest, bits.into());
                prop_assert!(same(to, got.bits(at), wanted), "{to} {bits:#x}");
            }
        }
    }

    #[test]
    fn integers_and_floats_of_any_bits_agree_with_the_scalar_ones(x in any::<u64>(), y in any::<u64>()) {
        for dtype in numbers() {
            let mask = u64::MAX >> (64 - dtype.bits()) & if dtype == DType::Tf32 { !0x1fff } else { u64::MAX };
            let elem = Elem::Data(dtype);
            let (x, y) = (x & mask, y & mask);
            let (a, b) = (Elements::filled(elem, x, 1), Elements::filled(elem, y, 1));
            for op in [BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Min, BinaryOp::MaxNan] {
                let wanted = value::binary(op, dtype, x, y).unwrap();
                prop_assert!(same(dtype, binary(op, elem, &a, &b).0.bits(0), wanted), "{} {dtype}", op.name());
            }
        }
    }
}
