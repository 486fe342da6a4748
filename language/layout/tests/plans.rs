//! Conversions between random pairs of layouts, run by the reference: every register ends up with
//! the element that the destination's layout names.

use proptest::prelude::*;
use tile_layout::banks::{BankModel, Direction, shared_vector};
use tile_layout::plan::{RoundAccess, Shared, SharedSide};
use tile_layout::{
    Coords, CostClass, Halves, In, Layout, Machine, MatrixForm, Plan, PlanStep, SharedMeans,
    SharedModel, Spec,
};

/// The shared memories of machines with that many lanes, with matrices and without.
fn models(lanes: u32) -> Vec<SharedModel> {
    use MatrixForm::{Columns, Rows, Transposing};
    if lanes == 64 {
        let cdna4 = SharedModel::plain(BankModel::CDNA4);
        return vec![
            SharedModel::plain(BankModel::CDNA3),
            SharedModel { reads: &[Transposing], ..cdna4 },
        ];
    }
    let plain = SharedModel::plain(BankModel::NVIDIA);
    let reads = SharedModel { reads: &[Rows, Columns], ..plain };
    vec![plain, reads, SharedModel { writes: &[Rows, Columns], ..reads }]
}

/// What every register of every thread holds, as element indices.
fn filled(layout: &Layout) -> Vec<Vec<Vec<Coords>>> {
    let thread =
        |lane, warp| (0..layout.registers()).map(|r| layout.index_of(r, lane, warp)).collect();
    let lanes = |warp| (0..layout.lanes()).map(|lane| thread(lane, warp)).collect();
    (0..layout.warps()).map(lanes).collect()
}

/// A random order of the bits of an index dealt out to registers, lanes and warps, with copies
/// where there are fewer bits than places, and sums of two bits now and then.
fn random_layout(shape: Vec<u32>, machine: Machine) -> impl Strategy<Value = Layout> {
    let extents: Vec<u32> = shape.iter().map(|&it| 1 << it.trailing_zeros()).collect();
    let units: Vec<Coords> = (0..shape.len())
        .flat_map(|d| {
            let (rank, n_bits) = (shape.len(), extents[d].trailing_zeros());
            (0..n_bits).map(move |bit| {
                let mut unit = Coords::from_elem(0, rank);
                unit[d] = 1 << bit;
                unit
            })
        })
        .collect();
    let (n_lanes, n_warps) = (machine.lanes.trailing_zeros(), machine.warps.trailing_zeros());
    let n_places = (n_lanes + n_warps) as usize;
    let n_units = units.len();
    let copies = prop::collection::vec(any::<bool>(), n_places);
    let mixes = prop::collection::vec((0..n_units.max(1), 0..n_units.max(1)), 0..3);
    (Just(units).prop_shuffle(), copies, mixes, any::<bool>()).prop_map(
        move |(units, copies, mixes, mixed)| {
            let mut units = units;
            for (a, b) in mixes.into_iter().filter(|&(a, b)| mixed && a != b && n_units > 1) {
                let other = units[b].clone();
                units[a].iter_mut().zip(&other).for_each(|(x, y)| *x ^= y);
            }
            let zero = Coords::from_elem(0, shape.len());
            let mut units = units.into_iter();
            let mut places: Vec<Coords> = copies
                .iter()
                .map(|&copy| if copy { zero.clone() } else { units.next().unwrap_or(zero.clone()) })
                .collect();
            let warps = places.split_off(n_lanes as usize);
            let ins = vec![(In::Register, units.collect()), (In::Lane, places), (In::Warp, warps)];
            Layout::new(&shape, ins)
        },
    )
}

fn shape() -> impl Strategy<Value = Vec<u32>> {
    let extent = prop_oneof![8 => (0u32..6).prop_map(|it| 1 << it), 1 => Just(3u32), 1 => Just(12)];
    prop::collection::vec(extent, 1..=4)
        .prop_filter("small enough to run", |it| it.iter().product::<u32>() <= 4096)
}

fn machine() -> impl Strategy<Value = Machine> {
    (prop_oneof![Just(32), Just(64)], prop_oneof![Just(1), Just(2), Just(4), Just(8)])
        .prop_map(|(lanes, warps)| Machine { lanes, warps })
}

fn pair() -> impl Strategy<Value = (Layout, Layout)> {
    (shape(), machine()).prop_flat_map(|(shape, machine)| {
        (random_layout(shape.clone(), machine), random_layout(shape, machine))
    })
}

fn width() -> impl Strategy<Value = u32> {
    prop_oneof![Just(1), Just(4), Just(6), Just(8), Just(16), Just(32), Just(64)]
}

fn blocked(rank: usize, machine: Machine) -> impl Strategy<Value = Spec> {
    let deal = move |places: u32| {
        prop::collection::vec(0..rank, places.trailing_zeros() as usize).prop_map(move |dims| {
            let mut counts = vec![1; rank];
            dims.into_iter().for_each(|d| counts[d] *= 2);
            counts
        })
    };
    let order = Just((0..rank as u32).collect::<Vec<_>>()).prop_shuffle();
    (deal(8), deal(machine.lanes), deal(machine.warps), order).prop_map(
        |(regs, lanes, warps, order)| Spec::Blocked { regs, lanes, warps, order: Some(order) },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_plan_brings_every_element_where_the_destination_wants_it((src, dst) in pair(), bits in width()) {
        for model in models(src.lanes()) {
            let plan = Plan::convert(&src, &dst, bits, &model);
            prop_assert_eq!(plan.registers_before, src.registers());
            prop_assert_eq!(plan.registers_after, dst.registers());
            prop_assert_eq!(plan.simulate(&filled(&src)), filled(&dst));
        }
    }

    #[test]
    fn no_conversion_has_bank_conflicts((src, dst) in pair(), bits in width()) {
        for model in models(src.lanes()) {
            let plan = Plan::convert(&src, &dst, bits, &model);
            for step in &plan.steps {
                let PlanStep::Shared(it) = step else { continue };
                for (side, direction) in [(&it.store, Direction::Write), (&it.load, Direction::Read)] {
                    prop_assert_eq!(side.conflicts, 0);
                    let lists = it.rounds.iter().map(|round| match direction {
                        Direction::Write => &round.stores,
                        Direction::Read => &round.loads,
                    });
                    for access in lists.flatten() {
                        let most = words_of_a_bank(it, side, access, &model.banks, direction);
                        prop_assert_eq!(most, 1, "{:?}", plan);
                    }
                }
            }
        }
    }
}

/// By looking at every address: the most words of one bank that lanes served together want.
fn words_of_a_bank(
    of: &Shared,
    side: &SharedSide,
    access: &RoundAccess,
    model: &BankModel,
    direction: Direction,
) -> usize {
    assert!(of.elem_bytes <= side.bytes);
    let group = model.group(side.bytes, direction);
    let n_lanes = match side.means {
        SharedMeans::Matrix { count, .. } => 8 * count,
        SharedMeans::Vector | SharedMeans::TransposeRead => 1 << side.lanes.len(),
    };
    let mut words =
        std::collections::BTreeMap::<(u64, u32), std::collections::BTreeSet<u32>>::new();
    for lane in 0..n_lanes {
        let first = side.address(access, lane, 0) / 4;
        for word in first..first + side.bytes.div_ceil(4) {
            let bank = (group.of(lane.into()), word % group.banks);
            words.entry(bank).or_default().insert(word);
        }
    }
    words.values().map(std::collections::BTreeSet::len).max().unwrap_or(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn blocked_and_sliced_layouts_convert(
        (src, dst, shape, machine) in (1usize..=3, machine()).prop_flat_map(|(rank, machine)| {
            let extents = prop::collection::vec((0u32..6).prop_map(|it| 1 << it), rank);
            (blocked(rank + 1, machine), blocked(rank, machine), extents, Just(machine))
        }),
        axis in 0u32..2,
        bits in width(),
    ) {
        let src = src.slice(axis).apply(&shape, machine).unwrap();
        let dst = dst.apply(&shape, machine).unwrap();
        for (from, to) in [(&src, &dst), (&dst, &src)] {
            for model in models(machine.lanes) {
                let plan = Plan::convert(from, to, bits, &model);
                prop_assert_eq!(plan.simulate(&filled(from)), filled(to));
            }
        }
    }

    #[test]
    fn halves_are_the_elements_with_the_bit_clear_and_set((layout, _) in pair(), pick in 0usize..64, bits in width()) {
        let open: Vec<(usize, u32)> = (0..layout.rank())
            .flat_map(|d| (0..layout.extents()[d].trailing_zeros()).map(move |bit| (d, bit)))
            .collect();
        prop_assume!(!open.is_empty());
        let (axis, bit) = open[pick % open.len()];
        let result = layout.without_bit(axis, bit).unwrap();
        let wanted = |set: u32| -> Vec<Vec<Vec<Coords>>> {
            let mut res = filled(&result);
            let low = (1 << bit) - 1;
            for it in res.iter_mut().flatten().flatten() {
                it[axis] = (it[axis] & low) | (it[axis] & !low) << 1 | set << bit;
            }
            res
        };
        let held = filled(&layout);
        let (low, high) = open_by(&Halves::plan(&layout, axis, bit, bits, &best_model(&layout)).unwrap(), &held);
        prop_assert_eq!(low, wanted(0));
        prop_assert_eq!(high, wanted(1));
    }

    #[test]
    fn a_butterfly_exchanges_elements_by_index((layout, _) in pair(), pick in any::<u32>(), bits in width()) {
        let axis = pick as usize % layout.rank();
        let mask = (pick >> 8) % layout.extents()[axis];
        let mut wanted = filled(&layout);
        wanted.iter_mut().flatten().flatten().for_each(|it| it[axis] ^= mask);
        let plan = Plan::butterfly(&layout, axis, mask, bits, &best_model(&layout));
        prop_assert_eq!(plan.simulate(&filled(&layout)), wanted);
    }
}

/// The model with the most means.
fn best_model(layout: &Layout) -> SharedModel {
    *models(layout.lanes()).last().unwrap()
}

type Registers = Vec<Vec<Vec<Coords>>>;

fn open_by(halves: &Halves, held: &Registers) -> (Registers, Registers) {
    match halves {
        Halves::Registers { low, high } => {
            let pick = |from: &Vec<u32>| -> Registers {
                let thread =
                    |it: &Vec<Coords>| from.iter().map(|&r| it[r as usize].clone()).collect();
                held.iter().map(|lanes| lanes.iter().map(thread).collect()).collect()
            };
            (pick(low), pick(high))
        }
        Halves::Partner { partner, lanes, warps } => {
            let other = partner.simulate(held);
            let is_high = |lane: usize, warp: usize| {
                ((lane as u32 & lanes).count_ones() + (warp as u32 & warps).count_ones()) % 2 == 1
            };
            let choose = |high: bool| -> Registers {
                let thread = |warp: usize, lane: usize| {
                    let own = is_high(lane, warp) == high;
                    if own { held[warp][lane].clone() } else { other[warp][lane].clone() }
                };
                let lanes =
                    |warp: usize| (0..held[warp].len()).map(|it| thread(warp, it)).collect();
                (0..held.len()).map(lanes).collect()
            };
            (choose(false), choose(true))
        }
        Halves::Apart { low, high } => (low.simulate(held), high.simulate(held)),
    }
}

fn convert(src: &Spec, dst: &Spec, shape: &[u32], warps: u32, elem_bits: u32) -> Plan {
    let machine = Machine { lanes: 32, warps };
    let apply = |spec: &Spec| spec.apply(shape, machine).unwrap();
    Plan::convert(&apply(src), &apply(dst), elem_bits, &SharedModel::plain(BankModel::NVIDIA))
}

#[test]
fn equal_maps_cost_nothing() {
    let a = Spec::blocked(&[1, 4], &[8, 4], &[4, 1]);
    let b = Spec::Blocked {
        regs: vec![1, 4],
        lanes: vec![8, 4],
        warps: vec![4, 1],
        order: Some(vec![1, 0]),
    };
    assert_eq!(convert(&a, &b, &[64, 64], 4, 32).steps, []);
}

#[test]
fn another_order_of_registers_is_a_permutation() {
    let a = Spec::blocked(&[4, 1], &[4, 8], &[1, 1]);
    let b = Spec::blocked(&[1, 1], &[4, 8], &[1, 1]);
    let plan = convert(&a, &b, &[16, 8], 1, 32);
    assert_eq!(plan.cost(32).class, CostClass::Shared, "rows move between lanes");
    let c = Spec::Blocked {
        regs: vec![4, 4],
        lanes: vec![4, 8],
        warps: vec![1, 1],
        order: Some(vec![0, 1]),
    };
    let d = Spec::Blocked {
        regs: vec![4, 4],
        lanes: vec![4, 8],
        warps: vec![1, 1],
        order: Some(vec![1, 0]),
    };
    let lanes_alike = |spec: &Spec| spec.apply(&[16, 32], Machine { lanes: 32, warps: 1 }).unwrap();
    let (c, d) = (lanes_alike(&c), lanes_alike(&d));
    let only_registers = Layout::new(
        &[16, 32],
        vec![
            (In::Register, d.bases(In::Register).to_vec()),
            (In::Lane, c.bases(In::Lane).to_vec()),
        ],
    );
    let plan = Plan::convert(&c, &only_registers, 32, &best_model(&c));
    assert_eq!(plan.cost(32).class, CostClass::Registers);
}

#[test]
fn one_bit_between_lanes_and_registers_is_shuffled() {
    let a = Spec::Linear {
        regs: vec![vec![32]],
        lanes: [1, 2, 4, 8, 16].map(|it| vec![it]).into(),
        warps: vec![],
    };
    let b = Spec::Linear {
        regs: vec![vec![1]],
        lanes: [32, 2, 4, 8, 16].map(|it| vec![it]).into(),
        warps: vec![],
    };
    let cost = convert(&a, &b, &[64], 1, 32).cost(32);
    assert_eq!((cost.class, cost.shuffles, cost.selects), (CostClass::Shuffles, 1, 4));
}

#[test]
fn sixteen_bit_elements_travel_in_pairs() {
    let regs = vec![vec![64], vec![128]];
    let a = Spec::Linear {
        regs: regs.clone(),
        lanes: [1, 2, 4, 8, 16].map(|it| vec![it]).into(),
        warps: vec![vec![32]],
    };
    let b = Spec::Linear {
        regs,
        lanes: [16, 8, 4, 2, 1].map(|it| vec![it]).into(),
        warps: vec![vec![32]],
    };
    assert_eq!(convert(&a, &b, &[256], 2, 16).cost(16).shuffles, 2);
    assert_eq!(convert(&a, &b, &[256], 2, 32).cost(32).shuffles, 4);
}

#[test]
fn a_transpose_finds_the_xor_swizzle() {
    let bits = |list: [u32; 5], d: usize| -> Vec<Vec<u32>> {
        list.map(|it| if d == 0 { vec![it, 0] } else { vec![0, it] }).into()
    };
    let along = [1, 2, 4, 8, 16];
    let a = Spec::Linear { regs: bits(along, 0), lanes: bits(along, 1), warps: vec![] };
    let b = Spec::Linear { regs: bits(along, 1), lanes: bits(along, 0), warps: vec![] };
    let plan = convert(&a, &b, &[32, 32], 1, 32);
    let [PlanStep::Shared(it)] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!((it.store.conflicts, it.load.conflicts, it.bytes), (0, 0, 4096));
    assert_eq!(it.barrier, tile_layout::plan::BarrierScope::Warp);
    // Stores are wide, as a thread's row is spread over the lanes of the load; loads reach all banks.
    assert_eq!((it.store.vector, it.load.vector), (4, 1));
    let banks = |lanes: &[u32]| lanes.iter().map(|it| it / 4 % 32).fold(0, |sum, it| sum | it);
    assert_eq!(banks(&it.load.lanes), 31);
}

#[test]
fn a_fragment_is_read_as_matrices_where_the_machine_can() {
    let rows = Spec::blocked(&[1, 8], &[4, 8], &[4, 1]);
    let operand = Spec::Mma { warps: vec![4, 1] }.a(2);
    let [plain, reads, both] = models(32)[..] else { panic!("three kinds of machines") };
    let plan = |from: &Spec, to: &Spec, model: &SharedModel| {
        let machine = Machine { lanes: 32, warps: 4 };
        let [from, to] = [from, to].map(|it| it.apply(&[64, 64], machine).unwrap());
        let plan = Plan::convert(&from, &to, 16, model);
        let [PlanStep::Shared(it)] = &plan.steps[..] else { panic!("{plan:?}") };
        let count = |list: &Vec<RoundAccess>| list.len();
        let [stores, loads] = [count(&it.rounds[0].stores), count(&it.rounds[0].loads)];
        (it.store.means, stores, it.load.means, loads)
    };
    let four = SharedMeans::Matrix { count: 4, transposed: false };
    let own = SharedMeans::Vector;
    assert_eq!(plan(&rows, &operand, &plain), (own, 4, own, 16));
    assert_eq!(plan(&rows, &operand, &reads), (own, 4, four, 4));
    // The fragment's registers are one row of the matrices that the other side reads.
    assert_eq!(plan(&operand, &rows, &reads), (own, 4, four, 4));
    assert_eq!(plan(&operand, &rows, &both), (own, 4, four, 4));
    let columns = Spec::blocked(&[8, 1], &[8, 4], &[1, 4]);
    let transposed = SharedMeans::Matrix { count: 4, transposed: true };
    assert_eq!(plan(&columns, &operand, &reads), (own, 4, transposed, 4));
}

#[test]
fn large_tiles_go_in_rounds() {
    let a = Spec::blocked(&[1, 4], &[8, 4], &[4, 1]);
    let b = Spec::blocked(&[1, 4], &[4, 8], &[4, 1]);
    let plan = convert(&a, &b, &[256, 128], 4, 32);
    let [PlanStep::Shared(it)] = &plan.steps[..] else { panic!("{plan:?}") };
    assert!(it.bytes <= 32 << 10, "{} bytes", it.bytes);
    assert_eq!(it.rounds.len() as u32 * it.bytes, 256 * 128 * 4);
    assert_eq!((it.store.vector, it.load.vector), (4, 4));
}

#[test]
fn known_bank_conflicts() {
    let machine = Machine { lanes: 32, warps: 8 };
    let acc = Spec::Mma { warps: vec![2, 4] }.a(2);
    assert!(acc.is_for_registers());
    let mma = Spec::Mma { warps: vec![2, 4] }.slice(0);
    assert!(mma.rank() == Some(1));
    let rows_of_4 = small_mma([2, 4], &[4, 64], machine);
    let plain = Spec::Plain.apply_in_memory(&[4, 64], 16).unwrap();
    let model = &BankModel::NVIDIA;
    assert_eq!(model.bank_conflicts(&rows_of_4, &plain, 16, Direction::Write), 3);

    let machine = Machine { lanes: 32, warps: 4 };
    let acc = Spec::Wgmma { n: 32 }.apply(&[128, 64], machine).unwrap();
    let swizzled = Spec::Nvmma { swizzle: 128, transposed: false };
    let swizzled = swizzled.apply_in_memory(&[128, 64], 32).unwrap();
    assert_eq!(model.bank_conflicts(&acc, &swizzled, 32, Direction::Write), 1);
}

/// An accumulator's map cut down to fewer rows than one instruction has.
fn small_mma(warps: [u32; 2], shape: &[u32], machine: Machine) -> Layout {
    let rows = 16 * warps[0];
    let whole = Spec::Mma { warps: warps.into() }.apply(&[rows, shape[1]], machine).unwrap();
    let clip = |it: &Coords| -> Coords {
        it.iter().zip(shape).map(|(&c, &n)| if c < n { c } else { 0 }).collect()
    };
    let ins =
        whole.inputs().iter().map(|(input, bases)| (*input, bases.iter().map(clip).collect()));
    Layout::new(shape, ins.collect()).without_copies_in_registers()
}

fn swizzle() -> impl Strategy<Value = Spec> {
    let power = |most: u32| (0..=most).prop_map(|it| 1u32 << it);
    prop_oneof![
        Just(Spec::Plain),
        (power(3), power(2), power(3)).prop_map(|(vec, per_phase, max_phase)| {
            Spec::Swizzled { vec, per_phase, max_phase, order: None }
        }),
        prop_oneof![Just(0), Just(32), Just(64), Just(128)]
            .prop_map(|swizzle| Spec::Nvmma { swizzle, transposed: false }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_formula_for_bank_conflicts_agrees_with_counting(
        (layout, machine) in machine().prop_flat_map(|machine| {
            (random_layout(vec![32, 64], machine), Just(machine))
        }),
        spec in swizzle(),
        bits in prop_oneof![Just(16u32), Just(32)],
        reads in any::<bool>(),
    ) {
        let shared = spec.apply_in_memory(&[32, 64], bits).unwrap();
        let direction = if reads { Direction::Read } else { Direction::Write };
        let vector = shared_vector(&layout, &shared, bits);
        let models: &[BankModel] = match machine.lanes {
            64 => &[BankModel::CDNA3, BankModel::CDNA4],
            _ => &[BankModel::NVIDIA],
        };
        for model in models {
            let counted = model.counted_wavefronts(&layout, &shared, bits, vector, direction);
            prop_assert_eq!(machine.lanes, layout.lanes());
            prop_assert_eq!(model.bank_conflicts(&layout, &shared, bits, direction), counted - 1);
        }
    }
}

#[test]
fn padding_takes_the_place_of_a_swizzle() {
    let machine = Machine { lanes: 32, warps: 1 };
    let columns = Spec::blocked(&[1, 1], &[32, 1], &[1, 1]).apply(&[32, 32], machine).unwrap();
    let plain = Spec::Plain.apply_in_memory(&[32, 32], 32).unwrap();
    let padded = Spec::Padded { pads: vec![(32, 1)], order: None };
    let padded = padded.apply_in_memory(&[32, 32], 32).unwrap();
    // Rows of 128 bytes: the 8 lanes that read 16 bytes at once all begin in one bank.
    let model = &BankModel::NVIDIA;
    assert_eq!(model.bank_conflicts(&columns, &plain, 32, Direction::Read), 7);
    assert_eq!(model.bank_conflicts(&columns, &padded, 32, Direction::Read), 0);
    assert_eq!(padded.buffer_len(), 32 * 33 - 1);
}
