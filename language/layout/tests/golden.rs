//! Golden values of constructors: bases as published for the same layouts, and lane maps of the
//! instructions as the vendors' manuals give them.

use tile_layout::{In, Layout, Machine, Spec};

const LANES_32: Machine = Machine { lanes: 32, warps: 1 };

fn bases(layout: &Layout, input: In) -> String {
    let one = |it: &[u32]| it.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    layout.bases(input).iter().map(|it| one(it)).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(spec: &Spec, shape: &[u32], machine: Machine, reg: &str, lane: &str, warp: &str) {
    let layout = spec.apply(shape, machine).unwrap();
    assert_eq!(bases(&layout, In::Register), reg, "registers of {layout}");
    assert_eq!(bases(&layout, In::Lane), lane, "lanes of {layout}");
    assert_eq!(bases(&layout, In::Warp), warp, "warps of {layout}");
}

#[track_caller]
fn check_memory(spec: &Spec, shape: &[u32], elem_bits: u32, offset: &str) {
    let layout = spec.apply_in_memory(shape, elem_bits).unwrap();
    assert_eq!(bases(&layout, In::Offset), offset);
}

fn machine(lanes: u32, warps: u32) -> Machine {
    Machine { lanes, warps }
}

#[test]
fn blocked_covers_a_row() {
    check(&Spec::blocked(&[1], &[4], &[4]), &[16], machine(4, 4), "", "1 2", "4 8");
    check(&Spec::blocked(&[4], &[4], &[4]), &[8], machine(4, 4), "1 2", "4 0", "0 0");
}

#[test]
fn blocked_column_major_repeats_in_registers() {
    let spec = Spec::Blocked {
        regs: vec![8, 1],
        lanes: vec![8, 4],
        warps: vec![1, 4],
        order: Some(vec![0, 1]),
    };
    let reg = "1,0 2,0 4,0 0,16 0,32";
    check(&spec, &[64, 64], machine(32, 4), reg, "8,0 16,0 32,0 0,1 0,2", "0,4 0,8");
}

#[test]
fn mma_accumulators() {
    let spec = Spec::Mma { warps: vec![1, 1] };
    let lane = "0,2 0,4 1,0 2,0 4,0";
    check(&spec, &[16, 16], LANES_32, "0,1 8,0 0,8", lane, "");
    check(&spec, &[32, 32], LANES_32, "0,1 8,0 0,8 0,16 16,0", lane, "");
}

#[test]
fn wgmma_accumulators() {
    let lane = "0,2 0,4 1,0 2,0 4,0";
    let spec = Spec::Wgmma { n: 16 };
    check(&spec, &[64, 16], machine(32, 4), "0,1 8,0 0,8", lane, "16,0 32,0");
    check(&spec, &[64, 16], machine(32, 8), "0,1 8,0 0,8", lane, "16,0 32,0 0,0");
}

#[test]
fn mma_operands() {
    let acc = Spec::Mma { warps: vec![1, 1] };
    let reg = "0,1 0,2 0,4 8,0 0,32";
    check(&acc.clone().a(8), &[16, 64], LANES_32, reg, "0,8 0,16 1,0 2,0 4,0", "");
    check(&acc.b(8), &[64, 8], LANES_32, "1,0 2,0 4,0 32,0", "8,0 16,0 0,1 0,2 0,4", "");
}

#[test]
fn mfma_accumulators_of_doubles() {
    let (m, n, k, warps) = (16, 16, 4, vec![1, 2]);
    let spec = Spec::Mfma { m, n, k, warps, transposed: false, wide: true };
    check(&spec, &[16, 32], machine(64, 2), "4,0 8,0", "0,1 0,2 0,4 0,8 1,0 2,0", "0,16");
}

#[test]
fn mfma_accumulators() {
    let spec = |size, warps: [u32; 2]| Spec::Mfma {
        m: size,
        n: size,
        k: 8,
        warps: warps.to_vec(),
        transposed: false,
        wide: false,
    };
    let lane_32 = "0,1 0,2 0,4 0,8 0,16 4,0";
    check(&spec(32, [1, 1]), &[32, 32], machine(64, 1), "1,0 2,0 8,0 16,0", lane_32, "");
    let lane_16 = "0,1 0,2 0,4 0,8 4,0 8,0";
    check(&spec(16, [2, 4]), &[16, 16], machine(64, 8), "1,0 2,0", lane_16, "0,0 0,0 0,0");
    let reg = "1,0 2,0 8,0 16,0";
    check(&spec(32, [2, 4]), &[64, 32], machine(64, 8), reg, lane_32, "0,0 0,0 32,0");
    let reg = "1,0 2,0 8,0 16,0 64,0";
    check(&spec(32, [2, 4]), &[128, 128], machine(64, 8), reg, lane_32, "0,32 0,64 32,0");
}

#[test]
fn mfma_operands() {
    let acc = Spec::Mfma { m: 16, n: 16, k: 16, warps: vec![2, 4], transposed: false, wide: false };
    let reg = "0,1 0,2 0,16 0,32 0,64 32,0 64,0";
    let lane = "1,0 2,0 4,0 8,0 0,4 0,8";
    check(&acc.a(4), &[128, 128], machine(64, 8), reg, lane, "0,0 0,0 16,0");
}

#[test]
fn wmma_accumulators_and_operands() {
    let spec = |version| Spec::Wmma { version, k: 16, warps: vec![1, 1], transposed: false };
    check(&spec(1), &[16, 16], LANES_32, "2,0 4,0 8,0", "0,1 0,2 0,4 0,8 1,0", "");
    for version in [2, 3] {
        check(&spec(version), &[16, 16], LANES_32, "1,0 2,0 4,0", "0,1 0,2 0,4 0,8 8,0", "");
    }
    let lane = "1,0 2,0 4,0 8,0 0,8";
    check(&spec(3).a(8), &[16, 32], LANES_32, "0,1 0,2 0,4 0,16", lane, "");
}

#[test]
fn swizzled_rows() {
    let spec = |vec, per_phase, max_phase| Spec::Swizzled {
        vec,
        per_phase,
        max_phase,
        order: Some(vec![1, 0]),
    };
    let columns = "0,1 0,2 0,4 0,8 0,16";
    check_memory(&spec(1, 2, 4), &[32, 32], 16, &format!("{columns} 1,0 2,1 4,2 8,0 16,0"));
    check_memory(&spec(2, 2, 4), &[32, 32], 16, &format!("{columns} 1,0 2,2 4,4 8,0 16,0"));
    check_memory(&spec(2, 1, 4), &[4, 8], 16, "0,1 0,2 0,4 1,2 2,4");
}

#[test]
fn nvmma_core_tiles() {
    let spec = |swizzle| Spec::Nvmma { swizzle, transposed: false };
    check_memory(&spec(32), &[8, 16], 16, "0,1 0,2 0,4 0,8 1,0 2,0 4,8");
    check_memory(&spec(64), &[8, 32], 16, "0,1 0,2 0,4 0,8 0,16 1,0 2,8 4,16");
    check_memory(&spec(128), &[8, 64], 16, "0,1 0,2 0,4 0,8 0,16 0,32 1,8 2,16 4,32");
}

#[test]
fn nvmma_is_the_hardware_xor_of_addresses() {
    // Bits 6:4 of a byte address take bits 9:7, and so on (PTX ISA 5.5.7).
    for (swizzle, bits) in [(32, 1), (64, 2), (128, 3)] {
        let (rows, columns) = (64, swizzle / 2);
        let spec = Spec::Nvmma { swizzle, transposed: false };
        let layout = spec.apply_in_memory(&[rows, columns], 16).unwrap();
        for row in 0..rows {
            for column in 0..columns {
                let plain = (row * columns + column) * 2;
                let wanted = plain ^ ((plain >> 7 & ((1 << bits) - 1)) << 4);
                assert_eq!(layout.offset_of(&[row, column]) * 2, wanted);
            }
        }
    }
}

#[test]
fn nvmma_transposed_moves_the_contiguous_dimension_to_the_front() {
    let straight = Spec::Nvmma { swizzle: 64, transposed: false };
    let turned = Spec::Nvmma { swizzle: 64, transposed: true };
    let straight = straight.apply_in_memory(&[64, 128], 16).unwrap();
    assert_eq!(straight.permute(&[1, 0]), turned.apply_in_memory(&[128, 64], 16).unwrap());
}

#[test]
fn tensor_memory_accumulators_of_64_rows() {
    let spec = Spec::TmemAcc { m: 64, n: 64 };
    let tall = spec.apply_in_memory(&[128, 64], 32).unwrap();
    assert_eq!(bases(&tall, In::Row), "1,0 2,0 4,0 8,0 64,0 16,0 32,0");
    let small = spec.apply_in_memory(&[64, 64], 32).unwrap();
    assert_eq!(bases(&small, In::Row), "1,0 2,0 4,0 8,0 0,0 16,0 32,0");
}

#[test]
fn tensor_memory_scales_sit_where_the_matrix_unit_reads_them() {
    // Row m, scale j: lane m mod 32, replicated by 32; column m / 32, byte j (PTX ISA 9.7.16.10.7).
    let layout = Spec::TmemScales.apply_in_memory(&[128, 4], 8).unwrap();
    for lane in [13, 45, 77, 109] {
        assert_eq!(layout.index_in_cell(lane, 2 * 4 + 2)[..], [77, 2]);
    }
    assert_eq!(layout.cell_of(&[77, 2]), (13, 10));
}

#[test]
fn lane_13_of_mma_holds_what_the_manual_says() {
    let held = |spec: Spec, shape: &[u32], lane, warp, machine| -> Vec<(u32, u32)> {
        let layout = spec.apply(shape, machine).unwrap();
        let element = |reg| layout.index_of(reg, lane, warp);
        (0..layout.registers()).map(element).map(|it| (it[0], it[1])).collect()
    };
    let acc = Spec::Mma { warps: vec![1, 1] };
    let c = held(acc.clone(), &[16, 8], 13, 0, LANES_32);
    assert_eq!(c, [(3, 2), (3, 3), (11, 2), (11, 3)]);
    let a = held(acc.clone().a(2), &[16, 16], 13, 0, LANES_32);
    assert_eq!(a, [(3, 2), (3, 3), (11, 2), (11, 3), (3, 10), (3, 11), (11, 10), (11, 11)]);
    let b = held(acc.b(2), &[16, 8], 13, 0, LANES_32);
    assert_eq!(b, [(2, 3), (3, 3), (10, 3), (11, 3)]);
    let d = held(Spec::Wgmma { n: 16 }, &[64, 16], 13, 2, machine(32, 4));
    let wanted = [(35, 2), (35, 3), (43, 2), (43, 3), (35, 10), (35, 11), (43, 10), (43, 11)];
    assert_eq!(d, wanted);
}

#[test]
fn mfma_lanes_hold_what_the_manual_says() {
    let acc = |size, k| Spec::Mfma {
        m: size,
        n: size,
        k,
        warps: vec![1, 1],
        transposed: false,
        wide: false,
    };
    let at = |spec: Spec, shape: &[u32], lane, slot| -> (u32, u32) {
        let index = spec.apply(shape, machine(64, 1)).unwrap().index_of(slot, lane, 0);
        (index[0], index[1])
    };
    assert_eq!(at(acc(32, 8), &[32, 32], 33, 5), (13, 1));
    assert_eq!(at(acc(32, 8).a(4), &[32, 8], 33, 2), (1, 6));
    assert_eq!(at(acc(16, 32).a(8), &[16, 32], 17, 3), (1, 11));
    assert_eq!(at(acc(16, 64).a(16), &[16, 64], 17, 3), (1, 19));
}

#[test]
fn repetitions_are_the_most_significant_registers() {
    let layout = Spec::blocked(&[2, 2], &[1, 4], &[1, 1]).apply(&[6, 24], machine(4, 1)).unwrap();
    assert_eq!(layout.registers(), 4 * 9);
    assert_eq!(layout.index_of(0, 1, 0)[..], [0, 2]);
    assert_eq!(layout.index_of(4, 1, 0)[..], [0, 10]);
    assert_eq!(layout.index_of(4 * 3, 1, 0)[..], [2, 2]);
}

#[test]
fn a_slice_keeps_one_copy_in_registers_and_all_lanes() {
    let parent = Spec::blocked(&[1, 4], &[8, 4], &[2, 2]);
    check(&parent.slice(1), &[64], machine(32, 4), "16 32", "0 0 1 2 4", "0 8");
}

#[test]
fn a_dimension_that_waits_to_be_broadcast_is_the_slice_with_one_element_more() {
    let specs = [
        Spec::Mma { warps: vec![2, 2] },
        Spec::Wgmma { n: 64 },
        Spec::blocked(&[1, 4], &[8, 4], &[2, 2]),
    ];
    for spec in specs {
        let column = spec.apply(&[64, 1], machine(32, 4)).unwrap();
        let slice = spec.clone().slice(1).apply(&[64], machine(32, 4)).unwrap();
        assert_eq!(column.slice(1), slice, "{spec:?}");
    }
}
