//! Operations between lanes, against the manuals' definitions.

use super::*;

#[track_caller]
fn check(on: On, body: &str, declarations: &str, expected: impl Fn(u32) -> u32) {
    let expected: Vec<u32> = (0..64).map(expected).collect();
    assert_eq!(program(on, &(each_thread(body) + declarations)).words(64), expected);
}

const SHUFFLES: &str = "
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32)
declare i32 @llvm.nvvm.shfl.sync.up.i32(i32, i32, i32, i32)
declare {i32, i1} @llvm.nvvm.shfl.sync.down.i32p(i32, i32, i32, i32)
";

#[test]
fn a_butterfly_exchanges_lanes() {
    check(
        On::Nvidia,
        "%r = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %tid, i32 5, i32 31)",
        SHUFFLES,
        |tid| tid ^ 5,
    );
}

#[test]
fn an_index_counts_within_its_segment() {
    // Segments of eight lanes: the mask 0b11000 is in bits 8 to 12, the bound is 31.
    check(
        On::Nvidia,
        "%x = mul i32 %tid, 3
         %r = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %tid, i32 %x, i32 6175)",
        SHUFFLES,
        |tid| tid & !7 | (tid * 3) & 7,
    );
}

#[test]
fn up_and_down_stop_at_their_bounds_and_say_so() {
    check(
        On::Nvidia,
        "%r = call i32 @llvm.nvvm.shfl.sync.up.i32(i32 -1, i32 %tid, i32 3, i32 0)",
        SHUFFLES,
        |tid| if tid % 32 >= 3 { tid - 3 } else { tid },
    );
    check(
        On::Nvidia,
        "%p = call {i32, i1} @llvm.nvvm.shfl.sync.down.i32p(i32 -1, i32 %tid, i32 3, i32 31)
         %v = extractvalue {i32, i1} %p, 0
         %f = extractvalue {i32, i1} %p, 1
         %g = zext i1 %f to i32
         %h = shl i32 %g, 8
         %r = or i32 %v, %h",
        SHUFFLES,
        |tid| if tid % 32 < 29 { (tid + 3) | 256 } else { tid },
    );
}

#[test]
fn lanes_of_a_shuffle_wait_for_each_other() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %odd = trunc i32 %tid to i1
  br i1 %odd, label %a, label %b
a:
  %x = mul i32 %tid, 2
  br label %meet
b:
  %y = add i32 %tid, 100
  br label %meet
meet:
  %v = phi i32 [ %x, %a ], [ %y, %b ]
  %r = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %v, i32 1, i32 31)
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  ret void
}
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
";
    for reconvergence in [Reconvergence::Early, Reconvergence::Late] {
        let mut run = program(On::Nvidia, body);
        run.reconvergence = reconvergence;
        let expected: Vec<u32> = (0..64)
            .map(|tid: u32| if tid % 2 == 1 { tid - 1 + 100 } else { (tid + 1) * 2 })
            .collect();
        assert_eq!(run.words(64), expected, "{reconvergence:?}");
    }
}

#[test]
fn a_shuffle_that_not_all_its_members_reach_is_found() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %low = icmp ult i32 %tid, 16
  br i1 %low, label %a, label %b
a:
  %r = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %tid, i32 1, i32 31)
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  br label %b
b:
  %q = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %tid, i32 2, i32 31)
  ret void
}
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
";
    let error = program(On::Nvidia, body).threads(32).finding();
    assert_eq!(error.kind, Kind::Divergence, "{error}");
}

#[test]
fn votes_and_reductions_take_the_members_of_the_warp() {
    check(
        On::Nvidia,
        "%third = urem i32 %tid, 3
         %f = icmp eq i32 %third, 0
         %b = call i32 @llvm.nvvm.vote.ballot.sync(i32 -1, i1 %f)
         %m = call i32 @llvm.nvvm.redux.sync.umax(i32 %tid, i32 -1)
         %h = lshr i32 %tid, 3
         %s = call i32 @llvm.nvvm.match.any.sync.i32(i32 -1, i32 %h)
         %x = xor i32 %b, %s
         %r = add i32 %x, %m",
        "declare i32 @llvm.nvvm.vote.ballot.sync(i32, i1)
         declare i32 @llvm.nvvm.redux.sync.umax(i32, i32)
         declare i32 @llvm.nvvm.match.any.sync.i32(i32, i32)\n",
        |tid| {
            let first = tid & !31;
            let ballot =
                (0..32).filter(|lane| (first + lane) % 3 == 0).fold(0u32, |b, l| b | 1 << l);
            let same = 0xffu32 << (tid & 24);
            (ballot ^ same).wrapping_add(first + 31)
        },
    );
}

#[test]
fn amd_lanes_are_gathered_and_scattered() {
    let declarations = "declare i32 @llvm.amdgcn.ds.bpermute(i32, i32)
         declare i32 @llvm.amdgcn.ds.permute(i32, i32)\n";
    check(
        On::Amd,
        "%x = mul i32 %tid, 20
         %r = call i32 @llvm.amdgcn.ds.bpermute(i32 %x, i32 %tid)",
        declarations,
        |tid| (tid * 5) % 64,
    );
    check(
        On::Amd,
        "%x = mul i32 %tid, 20
         %r = call i32 @llvm.amdgcn.ds.permute(i32 %x, i32 %tid)",
        declarations,
        // 13 is the inverse of 5 modulo 64.
        |tid| (tid * 13) % 64,
    );
}

#[test]
fn swizzles_permute_quads_and_mask_lanes() {
    let declarations = "declare i32 @llvm.amdgcn.ds.swizzle(i32, i32 immarg)\n";
    check(
        On::Amd,
        "%r = call i32 @llvm.amdgcn.ds.swizzle(i32 %tid, i32 32795)",
        declarations,
        // 0x801b: the quad in reverse.
        |tid| tid ^ 3,
    );
    check(
        On::Amd,
        "%r = call i32 @llvm.amdgcn.ds.swizzle(i32 %tid, i32 16415)",
        declarations,
        // and 31, xor 16.
        |tid| tid ^ 16,
    );
}

#[test]
fn data_parallel_primitives_move_within_rows() {
    let declarations = "declare i32 @llvm.amdgcn.update.dpp.i32(i32, i32, i32 immarg, i32 immarg, i32 immarg, i1 immarg)\n";
    let moved = |ctrl: u32, bound: bool, rows: u32| {
        format!(
            "%r = call i32 @llvm.amdgcn.update.dpp.i32(i32 999, i32 %tid, i32 {ctrl}, i32 {rows}, i32 15, i1 {bound})"
        )
    };
    // row_shl:1 reads the next lane.
    check(On::Amd, &moved(0x101, false, 15), declarations, |tid| {
        if tid % 16 < 15 { tid + 1 } else { 999 }
    });
    // row_shr:1 with bound_ctrl reads zero where there is no lane.
    check(
        On::Amd,
        &moved(0x111, true, 15),
        declarations,
        |tid| if tid % 16 > 0 { tid - 1 } else { 0 },
    );
    // row_ror:4
    check(On::Amd, &moved(0x124, false, 15), declarations, |tid| tid & !15 | ((tid + 12) % 16));
    // row_mirror and row_half_mirror
    check(On::Amd, &moved(0x140, false, 15), declarations, |tid| tid ^ 15);
    check(On::Amd, &moved(0x141, false, 15), declarations, |tid| tid ^ 7);
    // row_bcast:15 into the odd rows only, as a wave-wide reduction does.
    check(On::Amd, &moved(0x142, false, 10), declarations, |tid| {
        if tid / 16 % 2 == 1 { (tid & !15) - 1 } else { 999 }
    });
    // row_newbcast:3
    check(On::Amd, &moved(0x153, false, 15), declarations, |tid| tid & !15 | 3);
}

#[test]
fn lanes_below_are_counted_and_one_lane_is_read_by_all() {
    check(
        On::Amd,
        "%l = call i32 @llvm.amdgcn.mbcnt.lo(i32 -1, i32 0)
         %h = call i32 @llvm.amdgcn.mbcnt.hi(i32 -1, i32 %l)
         %x = mul i32 %tid, 7
         %f = call i32 @llvm.amdgcn.readlane.i32(i32 %x, i32 9)
         %w = zext i32 %x to i64
         %g = call i64 @llvm.amdgcn.readfirstlane.i64(i64 %w)
         %t = trunc i64 %g to i32
         %s = add i32 %h, %f
         %r = add i32 %s, %t",
        "declare i32 @llvm.amdgcn.mbcnt.lo(i32, i32)
         declare i32 @llvm.amdgcn.mbcnt.hi(i32, i32)
         declare i64 @llvm.amdgcn.readfirstlane.i64(i64)
         declare i32 @llvm.amdgcn.readlane.i32(i32, i32)\n",
        |tid| tid + 63,
    );
}

#[test]
fn gfx950_swaps_halves_between_two_registers() {
    check(
        On::Amd,
        "%b = add i32 %tid, 100
         %s = call {i32, i32} @llvm.amdgcn.permlane32.swap(i32 %tid, i32 %b, i1 false, i1 false)
         %x = extractvalue {i32, i32} %s, 0
         %y = extractvalue {i32, i32} %s, 1
         %z = shl i32 %y, 16
         %r = or i32 %x, %z",
        "declare {i32, i32} @llvm.amdgcn.permlane32.swap(i32, i32, i1 immarg, i1 immarg)\n",
        |tid| if tid < 32 { tid | (tid + 32) << 16 } else { (tid - 32 + 100) | (tid + 100) << 16 },
    );
}
