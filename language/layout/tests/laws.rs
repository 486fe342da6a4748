//! The laws of the algebra, each checked on the definition for random small maps.

use proptest::prelude::*;
use tile_layout::{BitPermutation, Dim, In, Layout, LinearMap, Machine, Spec};

const R: Dim = Dim::In(In::Register);
const L: Dim = Dim::In(In::Lane);
const X: Dim = Dim::Axis(0);
const Y: Dim = Dim::Axis(1);

fn map_between(ins: [(Dim, u32); 2], outs: [(Dim, u32); 2]) -> impl Strategy<Value = LinearMap> {
    let (n_in, n_out) = (ins[0].1 + ins[1].1, outs[0].1 + outs[1].1);
    prop::collection::vec(0u64..1 << n_out, n_in as usize)
        .prop_map(move |columns| LinearMap::new(ins.into(), outs.into(), columns))
}

fn map() -> impl Strategy<Value = LinearMap> {
    (0u32..4, 0u32..4, 0u32..4, 0u32..4)
        .prop_flat_map(|(a, b, c, d)| map_between([(R, a), (L, b)], [(X, c), (Y, d)]))
}

fn invertible() -> impl Strategy<Value = LinearMap> {
    (1u32..4, 1u32..4).prop_flat_map(|(a, b)| {
        // A product of a lower and an upper triangle with ones on the diagonal, in a random order.
        let n = (a + b) as usize;
        let sides = prop::collection::vec(any::<u64>(), 2 * n);
        (sides, Just((0..n).collect::<Vec<_>>()).prop_shuffle()).prop_map(move |(noise, order)| {
            let mask = (1u64 << n) - 1;
            let lower: Vec<u64> =
                (0..n).map(|i| (1 << i) | (noise[i] & mask & !((2 << i) - 1))).collect();
            let upper = order.iter().map(|&i| (1 << i) | (noise[n + i] & ((1 << i) - 1)));
            let columns = upper.map(|it| tile_layout::bits::apply(&lower, it)).collect();
            LinearMap::new(vec![(R, a), (L, b)], vec![(X, b), (Y, a)], columns)
        })
    })
}

fn inputs(map: &LinearMap) -> std::ops::Range<u64> {
    0..1 << map.columns().len()
}

/// The values of one dimension inside a flat vector.
fn part(dims: &[(Dim, u32)], flat: u64, dim: Dim) -> u64 {
    let mut at = 0;
    for &(it, n) in dims {
        if it == dim {
            return flat >> at & ((1 << n) - 1);
        }
        at += n;
    }
    0
}

fn size(dims: &[(Dim, u32)], dim: Dim) -> u32 {
    dims.iter().find(|it| it.0 == dim).map_or(0, |it| it.1)
}

proptest! {
    #[test]
    fn the_identity_is_neutral(m in map()) {
        let identity = |dims: &[(Dim, u32)]| dims.iter()
            .fold(LinearMap::empty(), |it, &(dim, n)| it.product(&LinearMap::identity(n, dim, dim)));
        prop_assert_eq!(&m.compose(&identity(m.ins())), &m);
        prop_assert_eq!(&identity(m.outs()).compose(&m), &m);
        prop_assert_eq!(&LinearMap::empty().product(&m), &m);
        prop_assert_eq!(&m.product(&LinearMap::empty()), &m);
    }

    #[test]
    fn composition_is_application_one_after_the_other(
        (inner, outer) in (0u32..4, 0u32..4).prop_flat_map(|(a, b)| (
            map_between([(R, 2), (L, 3)], [(X, a), (Y, b)]),
            // The outer map lists its inputs in the other order.
            map_between([(Y, b), (X, a)], [(R, 3), (L, 1)]),
        ))
    ) {
        let both = outer.compose(&inner);
        for x in inputs(&inner) {
            let between = inner.apply(x);
            let (at_x, at_y) = (part(inner.outs(), between, X), part(inner.outs(), between, Y));
            prop_assert_eq!(both.apply(x), outer.apply(at_y | at_x << size(inner.outs(), Y)));
        }
    }

    #[test]
    fn composition_is_associative(
        a in map_between([(R, 2), (L, 1)], [(X, 2), (Y, 2)]),
        b in map_between([(X, 2), (Y, 2)], [(R, 1), (L, 3)]),
        c in map_between([(R, 1), (L, 3)], [(X, 2), (Y, 1)]),
    ) {
        prop_assert_eq!(c.compose(&b).compose(&a), c.compose(&b.compose(&a)));
    }

    #[test]
    fn a_product_acts_low_as_the_first_and_high_as_the_second(a in map(), b in map()) {
        let both = a.product(&b);
        for x in inputs(&a) {
            for y in inputs(&b) {
                let dims = |dim| part(a.ins(), x, dim) | part(b.ins(), y, dim) << size(a.ins(), dim);
                let flat = dims(R) | dims(L) << size(both.ins(), R);
                let image = both.apply(flat);
                for dim in [X, Y] {
                    let wanted = part(a.outs(), a.apply(x), dim)
                        | part(b.outs(), b.apply(y), dim) << size(a.outs(), dim);
                    prop_assert_eq!(part(both.outs(), image, dim), wanted);
                }
            }
        }
    }

    #[test]
    fn an_inverse_undoes_a_map(m in invertible()) {
        let back = m.invert().expect("made to be invertible");
        for x in inputs(&m) {
            prop_assert_eq!(back.apply(m.apply(x)), x);
        }
    }

    #[test]
    fn a_pseudo_inverse_finds_a_preimage_with_free_bits_zero(m in map()) {
        let Some(back) = m.pseudo_invert() else {
            prop_assert!(!m.is_surjective());
            return Ok(());
        };
        let free = m.free_masks();
        let n_first = size(m.ins(), R);
        let mask = free[0].1 | free[1].1 << n_first;
        for y in inputs(&back) {
            prop_assert_eq!(m.apply(back.apply(y)), y);
            prop_assert_eq!(back.apply(y) & mask, 0);
        }
    }

    #[test]
    fn inverting_and_composing_solves_the_equation(
        (wanted, outer) in (0u32..4, 0u32..4).prop_flat_map(|(a, b)| (
            map_between([(R, 2), (L, 2)], [(X, a), (Y, b)]),
            map_between([(R, 3), (L, 3)], [(X, a), (Y, b)]),
        ))
    ) {
        match wanted.invert_and_compose(&outer) {
            Some(x) => prop_assert_eq!(outer.compose(&x), wanted),
            None => prop_assert!(!outer.is_surjective()),
        }
    }

    #[test]
    fn division_undoes_the_product_from_either_side(a in map(), b in map()) {
        let both = a.product(&b);
        prop_assert_eq!(both.divide_left(&a).expect("a is the left factor"), b.clone());
        prop_assert_eq!(both.divide_right(&b).expect("b is the right factor"), a);
    }

    #[test]
    fn a_quotient_of_a_division_multiplies_back(m in map(), a in map()) {
        if let Some(q) = m.divide_left(&a) {
            prop_assert_eq!(a.product(&q), m.clone());
        }
        if let Some(q) = m.divide_right(&a) {
            prop_assert_eq!(q.product(&a), m);
        }
    }

    #[test]
    fn a_quotient_takes_out_an_identity(m in map(), n in 0u32..4) {
        let warp = Dim::In(In::Warp);
        let whole = m.product(&LinearMap::identity(n, warp, warp));
        prop_assert_eq!(whole.quotient(&[warp]), Some(m));
        let shifted = LinearMap::new(vec![(warp, 2)], vec![(warp, 2)], vec![2, 1]);
        prop_assert_eq!(shifted.quotient(&[warp]), None);
    }

    #[test]
    fn a_slice_forgets_one_output_and_a_sublayout_the_rest(m in map()) {
        let row = m.slice(Y);
        let corner = m.sublayout(&[R], &[Y]);
        for x in inputs(&m) {
            prop_assert_eq!(row.apply(x), part(m.outs(), m.apply(x), X));
        }
        for r in 0..1 << size(m.ins(), R) {
            prop_assert_eq!(corner.apply(r), part(m.outs(), m.apply(r), Y));
        }
    }

    #[test]
    fn reshapes_keep_the_flat_map_and_transposes_the_values(m in map()) {
        let flat = m.reshape_ins(vec![(R, m.columns().len() as u32)]).reshape_outs(vec![(X, m.outs()[0].1 + m.outs()[1].1)]);
        let turned = m.transpose_ins(&[L, R]).transpose_outs(&[Y, X]);
        for x in inputs(&m) {
            prop_assert_eq!(flat.apply(x), m.apply(x));
            let (r, l) = (part(m.ins(), x, R), part(m.ins(), x, L));
            let image = turned.apply(l | r << size(m.ins(), L));
            for dim in [X, Y] {
                prop_assert_eq!(part(turned.outs(), image, dim), part(m.outs(), m.apply(x), dim));
            }
        }
    }

    #[test]
    fn concatenation_joins_inputs_or_outputs(m in map()) {
        let warp = Dim::In(In::Warp);
        let other = LinearMap::new(vec![(warp, 0)], m.outs().to_vec(), vec![]);
        let joined = m.concat_ins(&other);
        prop_assert_eq!(joined.columns(), m.columns());
        let (x, y) = (m.slice(Y), m.slice(X));
        prop_assert_eq!(x.concat_outs(&y), m);
    }

    #[test]
    fn resizing_an_input_cuts_high_bits_or_adds_copies(m in map(), n in 0u32..6) {
        let sized = m.resize_in(L, n);
        let kept = size(m.ins(), L).min(n) + size(m.ins(), R);
        for x in inputs(&sized) {
            prop_assert_eq!(sized.apply(x), m.apply(x & ((1 << kept) - 1)));
        }
    }

    #[test]
    fn free_bits_change_nothing_that_others_cannot(m in map()) {
        let free: u32 = m.free_masks().iter().map(|it| it.1.count_ones()).sum();
        prop_assert_eq!(free as usize + tile_layout::bits::rank(m.columns()) as usize, m.columns().len());
    }

    #[test]
    fn consecutive_inputs_are_consecutive_outputs(m in map()) {
        let n = m.n_consecutive(R, X);
        for x in inputs(&m).filter(|it| it & (n - 1) == 0) {
            for k in 0..n {
                prop_assert_eq!(m.apply(x + k), m.apply(x) + k);
            }
        }
    }

    #[test]
    fn a_bit_permutation_moves_values_as_it_moves_columns(
        m in map_between([(R, 3), (L, 2)], [(X, 3), (Y, 2)]),
        from in Just(vec![0u32, 1, 2]).prop_shuffle(),
    ) {
        let action = BitPermutation { input: R, from };
        let moved = action.apply(&m);
        for lane in 0..4 {
            let values: Vec<u64> = (0..8).map(|r| m.apply(r | lane << 3)).collect();
            let wanted: Vec<u64> = (0..8).map(|r| moved.apply(r | lane << 3)).collect();
            prop_assert_eq!(action.apply_to(&values), wanted);
        }
        let distinct = BitPermutation::without_copies(&m, R).apply(&m);
        prop_assert!(distinct.sublayout(&[R], &[X, Y]).is_injective());
    }

    #[test]
    fn a_permutation_for_a_division_makes_it_succeed(m in map(), n in 0u32..3) {
        let by = LinearMap::identity(n, R, X);
        if let Some(action) = m.permutation_for_divide(R, &by) {
            prop_assert!(action.apply(&m).divide_left(&by).is_some());
        } else {
            prop_assert!(m.divide_left(&by).is_none());
        }
    }
}

fn any_layout() -> impl Strategy<Value = Layout> {
    let counts = |n: usize| prop::collection::vec(prop_oneof![Just(1u32), Just(2), Just(4)], n);
    (1usize..=3).prop_flat_map(move |rank| {
        let extents = prop::collection::vec(prop_oneof![1u32..=8, Just(12), Just(16)], rank);
        (counts(rank), counts(rank), counts(rank), extents).prop_map(
            |(regs, lanes, warps, shape)| {
                let machine = Machine { lanes: 64, warps: 64 };
                Spec::blocked(&regs, &lanes, &warps).apply(&shape, machine).unwrap()
            },
        )
    })
}

proptest! {
    #[test]
    fn the_owner_of_an_index_holds_it(layout in any_layout()) {
        let shape = layout.shape();
        let n: u32 = shape.iter().product();
        for flat in 0..n {
            let mut rest = flat;
            let mut index: Vec<u32> = shape.iter().rev().map(|&extent| { let at = rest % extent; rest /= extent; at }).collect();
            index.reverse();
            let (register, lane, warp) = layout.owner(&index);
            prop_assert_eq!(&layout.index_of(register, lane, warp)[..], &index[..]);
        }
        let held = layout.registers() * layout.lanes() * layout.warps();
        let copies: u32 = [In::Register, In::Lane, In::Warp].into_iter().map(|it| layout.free_mask(it).count_ones()).sum();
        prop_assert_eq!(held, n << copies);
    }

    #[test]
    fn a_layout_and_its_text_are_the_same(layout in any_layout()) {
        prop_assert_eq!(layout.to_string().parse::<Layout>(), Ok(layout));
    }

    #[test]
    fn a_text_cut_anywhere_is_an_error_or_a_layout(layout in any_layout(), cut in 0usize..100) {
        let text = layout.to_string();
        let _ = text[..cut.min(text.len())].parse::<Layout>();
        let _ = format!("{})", &text[..cut.min(text.len())]).parse::<Layout>();
    }

    #[test]
    fn transforms_keep_every_element_in_its_thread(layout in any_layout(), pick in any::<u32>()) {
        let rank = layout.rank();
        let axis = pick as usize % (rank + 1);
        let wider = layout.expand(axis);
        prop_assert_eq!(&wider.slice(axis), &layout);
        let turned: Vec<u32> = (0..rank as u32).rev().collect();
        prop_assert_eq!(&layout.permute(&turned).permute(&turned), &layout);
        prop_assert_eq!(&layout.join().split().unwrap(), &layout);
        let flat = [layout.shape().iter().product::<u32>()];
        if let Ok(row) = layout.reshape(&flat) {
            prop_assert_eq!(&row.reshape(layout.shape()).unwrap(), &layout);
            for register in 0..layout.registers() {
                let index = layout.index_of(register, 3 % layout.lanes(), 1);
                let at = index.iter().zip(layout.shape()).fold(0, |at, (&i, &extent)| at * extent + i);
                prop_assert_eq!(row.index_of(register, 3 % layout.lanes(), 1)[0], at);
            }
        }
    }

    #[test]
    fn contiguous_registers_hold_neighbours(layout in any_layout()) {
        for axis in 0..layout.rank() {
            let n = layout.contiguous(axis);
            let bits = layout.vector_registers(axis, n).unwrap();
            let first = layout.index_of(0, 1, 1);
            for k in 0..n {
                let register = bits.iter().enumerate().fold(0, |at, (i, &bit)| at | (k >> i & 1) << bit);
                let mut wanted = first.clone();
                wanted[axis] += k;
                prop_assert_eq!(layout.index_of(register, 1, 1), wanted);
            }
            prop_assert_eq!(first[axis] % n, 0);
        }
    }
}

#[test]
fn every_one_bit_map_obeys_the_product_law() {
    // All maps from two bits to two bits, exhaustively, against division.
    let all = || {
        (0..16u64).map(|it| {
            LinearMap::new(vec![(R, 1), (L, 1)], vec![(X, 1), (Y, 1)], vec![it & 3, it >> 2])
        })
    };
    for a in all() {
        for b in all() {
            let both = a.product(&b);
            assert_eq!(both.divide_left(&a), Some(b.clone()));
            assert_eq!(both.divide_right(&b), Some(a.clone()));
            assert_eq!(both.is_invertible(), a.is_invertible() && b.is_invertible());
        }
    }
}

#[test]
fn a_slice_of_a_parent_is_the_parents_row() {
    let machine = Machine { lanes: 32, warps: 4 };
    let specs = [
        (Spec::blocked(&[1, 4], &[8, 4], &[2, 2]), vec![64, 32]),
        (Spec::Mma { warps: vec![2, 2] }, vec![64, 32]),
        (Spec::Wgmma { n: 64 }, vec![128, 64]),
        (Spec::Mma { warps: vec![4, 1] }.a(2), vec![64, 96]),
    ];
    for (spec, shape) in specs {
        for axis in [0, 1] {
            let whole = spec.apply(&shape, machine).unwrap().slice(axis as usize);
            let row = spec.clone().slice(axis).apply(&[shape[1 - axis as usize]], machine).unwrap();
            assert_eq!(whole, row, "{spec:?} sliced at {axis}");
        }
    }
}
