//! What does not fit is an error with numbers, and nothing panics.

use proptest::prelude::*;
use tile_layout::{Machine, Side, Spec, coalesced, draw_svg, draw_text};

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        6 => (0u32..9).prop_map(|it| 1 << it),
        2 => 0u32..40,
        1 => any::<u32>(),
        1 => Just(1 << 31),
    ]
}

fn list() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(number(), 0..4)
}

fn spec() -> impl Strategy<Value = Spec> {
    let order = || prop::option::of(prop::collection::vec(0u32..4, 0..4));
    let bases = || prop::collection::vec(prop::collection::vec(number(), 1..3), 0..8);
    let acc = prop_oneof![
        list().prop_map(|warps| Spec::Mma { warps }),
        number().prop_map(|n| Spec::Wgmma { n }),
        (number(), number(), number(), list(), any::<bool>(), any::<bool>()).prop_map(
            |(m, n, k, warps, transposed, wide)| Spec::Mfma { m, n, k, warps, transposed, wide }
        ),
        (0u32..5, number(), list(), any::<bool>()).prop_map(|(version, k, warps, transposed)| {
            Spec::Wmma { version, k, warps, transposed }
        }),
    ];
    let leaf = prop_oneof![
        (list(), list(), list(), order()).prop_map(|(regs, lanes, warps, order)| Spec::Blocked {
            regs,
            lanes,
            warps,
            order
        }),
        (bases(), bases(), bases()).prop_map(|(regs, lanes, warps)| Spec::Linear {
            regs,
            lanes,
            warps
        }),
        acc,
        Just(Spec::Plain),
        (number(), number(), number(), order()).prop_map(|(vec, per_phase, max_phase, order)| {
            Spec::Swizzled { vec, per_phase, max_phase, order }
        }),
        number().prop_map(|vec| Spec::Crosswise { vec }),
        (number(), any::<bool>())
            .prop_map(|(swizzle, transposed)| Spec::Nvmma { swizzle, transposed }),
        (prop::collection::vec((number(), number()), 0..3), order())
            .prop_map(|(pads, order)| Spec::Padded { pads, order }),
        bases().prop_map(|offsets| Spec::SharedLinear { offsets }),
        (number(), number()).prop_map(|(m, n)| Spec::TmemAcc { m, n }),
        Just(Spec::TmemScales),
    ];
    leaf.prop_recursive(3, 4, 1, |inner| {
        prop_oneof![
            (inner.clone(), 0u32..40).prop_map(|(parent, axis)| parent.slice(axis)),
            (inner, any::<bool>(), number()).prop_map(|(of, left, k_width)| Spec::Operand {
                of: Box::new(of),
                side: if left { Side::A } else { Side::B },
                k_width,
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_arguments_give_a_layout_or_an_error(
        spec in spec(),
        shape in list(),
        elem_bits in prop_oneof![Just(4u32), Just(6), Just(8), Just(16), Just(32), Just(64)],
        lanes in prop_oneof![Just(32u32), Just(64)],
        warps in prop_oneof![4 => Just(4u32), 1 => Just(3), 1 => Just(0)],
    ) {
        let machine = Machine { lanes, warps };
        for found in [spec.apply(&shape, machine), spec.apply_in_memory(&shape, elem_bits)] {
            match found {
                Ok(layout) => prop_assert_eq!(layout.shape(), &shape[..]),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_coalesced_layout_fits_its_shape_and_is_drawn(
        shape in prop::collection::vec(1u32..65, 1..4),
        elem_bits in prop_oneof![Just(8u32), Just(16), Just(32), Just(64)],
        lanes in prop_oneof![Just(32u32), Just(64)],
        warps in prop_oneof![Just(1u32), Just(4), Just(8)],
    ) {
        let machine = Machine { lanes, warps };
        let layout = coalesced(&shape, elem_bits, machine).apply(&shape, machine).unwrap();
        prop_assert!(!draw_text(&layout).is_empty());
        prop_assert!(draw_svg(&layout).ends_with("</svg>\n"));
    }
}

#[track_caller]
fn refused(spec: &Spec, shape: &[u32], lanes: u32, warps: u32, wanted: &str) {
    let error = spec.apply(shape, Machine { lanes, warps }).unwrap_err();
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn refusals_say_the_numbers() {
    let four = Spec::blocked(&[1, 4], &[8, 4], &[4, 1]);
    refused(&four, &[64], 32, 4, "the layout has 2 dimensions, the shape has 1");
    refused(&four, &[64, 64], 32, 2, "the layout has 4 warps, the machine has 2");
    refused(
        &Spec::blocked(&[3], &[32], &[1]),
        &[96],
        32,
        1,
        "`regs` is 3, which is not a power of two",
    );
    refused(
        &Spec::blocked(&[1], &[64], &[1]),
        &[64],
        32,
        1,
        "the layout has 64 lanes, the machine has 32",
    );
    let acc = Spec::Mma { warps: vec![2, 2] };
    refused(&acc, &[8, 64], 32, 4, "dimension 0 has extent 8, one instruction covers 16");
    refused(
        &acc,
        &[64, 64],
        64,
        4,
        "the instruction wants lanes in multiples of 32, the machine has 64",
    );
    refused(&Spec::Plain, &[64], 32, 4, "the layout is one of memory, not of registers");
    refused(&four.a(2), &[64, 64], 32, 4, "the layout is no accumulator, so it has no operands");
    let half = Spec::Linear { regs: vec![], lanes: vec![vec![1], vec![2]], warps: vec![] };
    let wanted = "element [4] has no place: the bases reach 2^2 of 2^3 elements";
    refused(&half, &[8], 32, 1, wanted);
}

#[test]
fn coalesced_rows_are_16_bytes_a_thread() {
    let machine = Machine { lanes: 32, warps: 4 };
    assert_eq!(coalesced(&[4096], 16, machine), Spec::blocked(&[8], &[32], &[4]));
    assert_eq!(coalesced(&[64, 64], 32, machine), Spec::blocked(&[1, 4], &[2, 16], &[4, 1]));
    assert_eq!(coalesced(&[256], 32, machine), Spec::blocked(&[2], &[32], &[4]));
}
