//! The laws of memory maps: an element of a view is the element of the whole at the same place.

use proptest::prelude::*;
use tile_layout::banks::{BankModel, Direction};
use tile_layout::{Layout, Machine, MemoryMap, SharedAccess, Spec, ViewError};

/// Buffers of every constructor, with the element's bits.
fn buffer() -> impl Strategy<Value = (Layout, u32)> {
    let extent = || prop::sample::select(vec![8u32, 16, 24, 32, 64]);
    let spec = prop_oneof![
        Just(Spec::Plain),
        (0u32..4, 0u32..3, 0u32..4).prop_map(|(v, p, m)| Spec::Swizzled {
            vec: 1 << v,
            per_phase: 1 << p,
            max_phase: 1 << m,
            order: None,
        }),
        Just(Spec::Swizzled { vec: 4, per_phase: 1, max_phase: 4, order: Some(vec![0, 1]) }),
        (0u32..5).prop_map(|v| Spec::Crosswise { vec: 1 << v }),
        Just(Spec::Nvmma { swizzle: 0, transposed: false }),
        Just(Spec::Padded { pads: vec![(32, 8)], order: None }),
        Just(Spec::Padded { pads: vec![(16, 4), (64, 8)], order: None }),
    ];
    (spec, extent(), extent(), prop::sample::select(vec![8u32, 16, 32]))
        .prop_map(|(spec, m, n, bits)| (spec.apply_in_memory(&[m, n], bits).unwrap(), bits))
}

fn indices(shape: &[u32]) -> Vec<Vec<u32>> {
    shape.iter().fold(vec![vec![]], |all, &extent| {
        all.iter().flat_map(|it| (0..extent).map(move |at| [&it[..], &[at]].concat())).collect()
    })
}

proptest! {
    #[test]
    fn a_map_is_the_inverse_of_its_layout((layout, _) in buffer()) {
        let map = MemoryMap::of(&layout);
        for index in indices(layout.shape()) {
            prop_assert_eq!(map.offset_of(&index), layout.offset_of(&index));
        }
        prop_assert_eq!(map.buffer_len(), layout.buffer_len());
    }

    #[test]
    fn a_slice_of_a_stage_is_where_the_whole_has_it(
        (layout, _) in buffer(), stages in 1u32..6, stage in 0u32..6, extent in 0u32..4, start in 0u32..8,
    ) {
        let whole = MemoryMap::of(&layout).stacked(stages);
        let (stage, extent) = (stage % stages, 1 << extent);
        let start = start % (layout.shape()[1] / extent) * extent;
        let taken = whole.contribution(0, stage);
        let one = whole.without(0);
        let taken = taken.and(one.contribution(1, start));
        let view = one.slice(1, extent).unwrap();
        for index in indices(&view.shape()) {
            let here = taken.and(view.contribution_of(&index)).offset();
            let there = whole.offset_of(&[stage, index[0], start + index[1]]);
            prop_assert_eq!(view.with_padding(here), there);
        }
    }

    #[test]
    fn a_transposed_view_swaps_indices((layout, _) in buffer()) {
        let map = MemoryMap::of(&layout);
        let turned = map.permute(&[1, 0]);
        for index in indices(layout.shape()) {
            prop_assert_eq!(turned.offset_of(&[index[1], index[0]]), map.offset_of(&index));
        }
    }

    #[test]
    fn a_reshaped_view_keeps_row_major_order((layout, _) in buffer(), by in 0u32..4) {
        let map = MemoryMap::of(&layout);
        let (m, n) = (layout.shape()[0], layout.shape()[1]);
        let by = 1 << by;
        let shapes = [vec![m * n], vec![m / by, by, n], vec![m, n / by, by], vec![by, m / by, n]];
        for shape in shapes {
            // An odd factor that is not outermost cannot be split from what lies inside it.
            let Ok(view) = map.reshape(&shape) else { continue };
            let flat: Vec<_> = indices(&shape);
            for (index, old) in flat.iter().zip(indices(&[m, n])) {
                prop_assert_eq!(view.offset_of(index), map.offset_of(&old));
            }
        }
        if m.is_power_of_two() && n.is_power_of_two() {
            prop_assert!(map.reshape(&[m * n]).is_ok());
        }
    }

    #[test]
    fn other_elements_lie_in_the_same_bytes((layout, bits) in buffer(), to in prop::sample::select(vec![8u32, 16, 32])) {
        let map = MemoryMap::of(&layout);
        let Ok(view) = map.reinterpret(bits, to) else { return Ok(()) };
        for index in indices(&view.shape()) {
            let bit = index[1] * to;
            let old = map.offset_of(&[index[0], bit / bits]) * bits + bit % bits;
            prop_assert_eq!(view.offset_of(&index) * to, old);
        }
    }
}

#[test]
fn what_cuts_the_memory_is_refused() {
    let map = MemoryMap::of(&Spec::Plain.apply_in_memory(&[96, 64], 16).unwrap());
    assert_eq!(
        map.slice(0, 24),
        Err(ViewError::Extent { axis: 0, extent: 24, most: 32 }),
        "rows repeat after 32"
    );
    assert!(map.slice(0, 64).is_ok() && map.slice(0, 8).is_ok());
    let swizzle = Spec::Swizzled { vec: 1, per_phase: 1, max_phase: 8, order: None };
    let mixed = MemoryMap::of(&swizzle.apply_in_memory(&[8, 8], 16).unwrap());
    let found = mixed.reinterpret(16, 32);
    assert_eq!(found, Err(ViewError::Reinterpret { from: 16, to: 32, together: 2, needed: 2 }));
}

proptest! {
    #[test]
    fn a_sweep_goes_through_memory_in_order((layout, bits) in buffer(), warps in 0u32..3) {
        let machine = Machine { lanes: 32, warps: 1 << warps };
        let map = MemoryMap::of(&layout);
        let sweep = tile_layout::sweep(&map, bits, machine);
        let has_columns = map.dims()[1].columns.first() != Some(&1);
        if !map.padding().is_empty() || layout.n_repetitions() > 1 || has_columns {
            return Ok(());
        }
        let vector = sweep.contiguous(1).min(128 / bits);
        let offset = |register, thread: u32| map.offset_of(&sweep.index_of(register, thread % 32, thread / 32));
        let n = layout.offsets() / vector;
        for thread in 1..n.min(machine.lanes * machine.warps) {
            prop_assert_eq!(offset(0, thread), offset(0, thread - 1) + vector);
        }
    }
}

proptest! {
    #[test]
    fn a_sweep_across_columns_reaches_everything_once(
        (m, n, vec) in (3u32..8, 3u32..8, 1u32..4),
        bits in prop::sample::select(vec![8u32, 16, 32]),
        warps in 0u32..4,
    ) {
        let machine = Machine { lanes: 64, warps: 1 << warps };
        let layout = Spec::Crosswise { vec: 1 << vec }.apply_in_memory(&[1 << m, 1 << n], bits).unwrap();
        let sweep = tile_layout::sweep(&MemoryMap::of(&layout), bits, machine);
        let held = (1u64 << (m + n)).div_ceil(u64::from(machine.lanes * machine.warps));
        prop_assert_eq!(u64::from(sweep.registers()), held);
        let places = (0..64 << warps).flat_map(|thread| {
            let sweep = &sweep;
            (0..sweep.registers()).map(move |at| sweep.index_of(at, thread % 64, thread / 64))
        });
        prop_assert_eq!(places.collect::<std::collections::HashSet<_>>().len(), 1 << (m + n));
    }
}

/// A tile of 32 by 128 elements of 16 bits that four waves bring row by row and read by columns.
#[test]
fn columns_that_lie_together_meet_in_no_bank() {
    let machine = Machine { lanes: 64, warps: 4 };
    let layout = Spec::Crosswise { vec: 8 }.apply_in_memory(&[32, 128], 16).unwrap();
    let map = MemoryMap::of(&layout);
    let sweep = tile_layout::sweep(&map, 16, machine);
    assert_eq!(sweep.contiguous(1), 8, "rows are read 16 bytes a thread");
    let write = SharedAccess::new(&sweep, &map, 16);
    assert_eq!((write.bytes, write.conflicts(16, &BankModel::CDNA3, Direction::Write)), (4, 0));
    for (m, k) in [(32, 8), (16, 16)] {
        let acc = Spec::Mfma { m, n: m, k, warps: vec![2, 2], transposed: false, wide: false };
        let read = SharedAccess::new(&acc.b(8).apply(&[32, 128], machine).unwrap(), &map, 16);
        let conflicts = read.conflicts(16, &BankModel::CDNA3, Direction::Read);
        assert_eq!((read.bytes, conflicts), (16, 0), "{m}");
    }
}
