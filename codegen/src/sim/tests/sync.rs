//! Barriers, races, deadlocks.

use super::*;

/// Every thread writes shared memory, `SYNC`, and reads what its mirror wrote.
const MIRROR: &str = "@s = internal addrspace(3) global [64 x i32] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %p = getelementptr i32, ptr addrspace(3) @s, i32 %tid
  %x = mul i32 %tid, 3
  store i32 %x, ptr addrspace(3) %p, align 4
  SYNC
  %m = sub i32 63, %tid
  %q = getelementptr i32, ptr addrspace(3) @s, i32 %m
  %r = load i32, ptr addrspace(3) %q, align 4
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %o, align 4
  ret void
}
";

fn mirror(sync: &str) -> String {
    MIRROR.replace("SYNC", sync)
}

#[test]
fn a_barrier_orders_shared_memory() {
    for on in On::BOTH {
        let expected: Vec<u32> = (0..64).map(|tid| (63 - tid) * 3).collect();
        for seed in 0..5 {
            let mut run = program(on, &mirror("BARRIER"));
            run.seed = seed;
            assert_eq!(run.words(64), expected, "{on:?}");
        }
    }
}

#[test]
fn what_comes_after_a_barrier_is_counted_once() {
    for on in On::BOTH {
        // Everyone reads what it wrote itself, so that the barrier may be left out.
        let own = |sync: &str| mirror(sync).replace("sub i32 63, %tid", "add i32 %tid, 0");
        let counted = ["BARRIER", ""].map(|sync| {
            let report = program(on, &own(sync)).on(&[buffer(0)], &mut [vec![0; 256]]);
            report.counts["integer_instructions"]
        });
        assert_eq!(counted[0], counted[1], "{on:?}");
    }
}

#[test]
fn a_missing_barrier_is_found_with_both_accesses() {
    let mut run = program(On::Nvidia, &mirror("")).threads(64);
    // Whatever the order, one of the warps reads too early: before the write, or without order.
    let mut races = 0;
    for seed in 0..8 {
        run.seed = seed;
        let error = run.finding();
        assert_eq!(error.kind, Kind::Uninitialised, "{error}");
        races += 1;
    }
    assert_eq!(races, 8);
    let initialised = mirror("")
        .replace("%x = mul", "store i32 0, ptr addrspace(3) %p, align 4\n  BARRIER\n  %x = mul");
    let error = program(On::Nvidia, &initialised).finding();
    assert_eq!(error.kind, Kind::Race, "{error}");
    assert_eq!(error.details.len(), 2);
    assert!(error.details.iter().any(|it| it.contains("store i32 %x")), "{error}");
    assert!(error.details.iter().any(|it| it.contains("load i32")), "{error}");
}

#[test]
fn on_amd_a_barrier_without_fences_orders_nothing() {
    let bare = "call void @llvm.amdgcn.s.barrier()";
    let body = mirror(bare).replace("63, %tid", "191, %tid").replace("[64 x i32]", "[192 x i32]");
    let mut run = program(On::Amd, &body).threads(192);
    let mut buffers = [vec![0; 768]];
    let error = run.try_on(&[buffer(0)], &mut buffers).unwrap_err();
    assert_eq!(error.kind, Kind::Race, "{error}");
    run = program(On::Amd, &body.replace(bare, "BARRIER")).threads(192);
    run.on(&[buffer(0)], &mut buffers);
    assert_eq!(words_of(&buffers[0])[0], 191 * 3);
}

#[test]
fn lanes_of_an_nvidia_warp_need_an_order_too() {
    let exchange = |sync: &str| {
        mirror(sync).replace("63, %tid", "31, %tid")
            + "declare void @llvm.nvvm.bar.warp.sync(i32)\n"
    };
    let error = program(On::Nvidia, &exchange("")).threads(32).finding();
    assert_eq!(error.kind, Kind::Race, "{error}");
    let synced = exchange("call void @llvm.nvvm.bar.warp.sync(i32 -1)");
    let words = program(On::Nvidia, &synced).threads(32).words(32);
    assert_eq!(words[0], 93);
    // AMD lanes are in step.
    let words = program(On::Amd, &mirror("")).threads(64).words(64);
    assert_eq!(words[0], 189);
}

#[test]
fn one_value_from_many_writers_is_no_race_but_counted() {
    let body = "@s = internal addrspace(3) global i32 poison, align 4
define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  store i32 VALUE, ptr addrspace(3) @s, align 4
  BARRIER
  %r = load i32, ptr addrspace(3) @s, align 4
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %o, align 4
  ret void
}
";
    let mut buffers = [vec![0; 256]];
    let same = program(On::Nvidia, &body.replace("VALUE", "7"));
    let report = same.on(&[buffer(0)], &mut buffers);
    assert!(report.counts["same_value_writes"] > 0);
    assert_eq!(program(On::Nvidia, &body.replace("VALUE", "%tid")).finding().kind, Kind::Race);
}

#[test]
fn shared_memory_that_nothing_wrote_is_found() {
    let body = mirror("BARRIER").replace("i32 63, %tid", "i32 64, %tid").replace("[64 x", "[65 x");
    for on in On::BOTH {
        let error = program(on, &body).finding();
        assert_eq!(error.kind, Kind::Uninitialised, "{error}");
        assert_eq!(
            error.message,
            "byte 256 of shared memory is read before anything has written it"
        );
    }
}

#[test]
fn a_barrier_that_some_warps_never_reach_is_a_deadlock() {
    let body = "define ptx_kernel void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %low = icmp ult i32 %tid, 32
  br i1 %low, label %a, label %b
a:
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 1, i32 64)
  br label %end
b:
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 2, i32 64)
  br label %end
end:
  ret void
}
declare void @llvm.nvvm.barrier.cta.sync.aligned.count(i32, i32)
";
    let error = program(On::Nvidia, body).finding();
    assert_eq!(error.kind, Kind::Deadlock);
    assert_eq!(error.details.len(), 2);
    assert!(error.details[0].contains("warp 0, lanes 0-31 wait for barrier 1"), "{error}");
    // With the same barrier on both sides they meet.
    program(On::Nvidia, &body.replace("i32 2, i32 64", "i32 1, i32 64")).words(64);
}

#[test]
fn a_barrier_in_divergent_control_flow_is_found() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %low = icmp ult i32 %tid, 7
  br i1 %low, label %a, label %end
a:
  BARRIER
  br label %end
end:
  ret void
}
";
    for on in On::BOTH {
        assert_eq!(program(on, body).finding().kind, Kind::Divergence);
    }
}

#[test]
fn warps_that_returned_do_not_hold_a_barrier_up() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %low = icmp ult i32 %tid, 64
  br i1 %low, label %a, label %end
a:
  BARRIER
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %tid, ptr addrspace(1) %o, align 4
  br label %end
end:
  ret void
}
";
    for on in On::BOTH {
        assert_eq!(program(on, body).threads(256).words(64)[63], 63);
    }
}

#[test]
fn blocks_that_write_one_word_race_unless_atomically() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
  %block = CTAID
  WRITE
  ret void
}
";
    for on in On::BOTH {
        let plain = body.replace("WRITE", "store i32 %block, ptr addrspace(1) %out, align 4");
        let error = program(on, &plain).threads(1).grid(2).finding();
        assert_eq!(error.kind, Kind::Race, "{error}");
        assert!(error.details[0].starts_with("block (0, 0, 0)"), "{error}");
        let atomic =
            body.replace("WRITE", "%o = atomicrmw add ptr addrspace(1) %out, i32 %block monotonic");
        assert_eq!(program(on, &atomic).threads(1).grid(4).words(1), [6]);
    }
}

#[test]
fn the_last_block_may_read_what_others_released() {
    // Every block writes its part, then counts itself; the last one adds the parts up.
    let body = "define KERNEL void @k(ptr addrspace(1) %a) {
entry:
  %block = CTAID
  %slot = add i32 %block, 2
  %p = getelementptr i32, ptr addrspace(1) %a, i32 %slot
  store i32 5, ptr addrspace(1) %p, align 4
  %n = atomicrmw add ptr addrspace(1) %a, i32 1 ORDER
  %last = icmp eq i32 %n, 2
  br i1 %last, label %sum, label %end
sum:
  %p0 = getelementptr i32, ptr addrspace(1) %a, i32 2
  %p1 = getelementptr i32, ptr addrspace(1) %a, i32 3
  %p2 = getelementptr i32, ptr addrspace(1) %a, i32 4
  %x0 = load i32, ptr addrspace(1) %p0, align 4
  %x1 = load i32, ptr addrspace(1) %p1, align 4
  %x2 = load i32, ptr addrspace(1) %p2, align 4
  %s0 = add i32 %x0, %x1
  %s1 = add i32 %s0, %x2
  %o = getelementptr i32, ptr addrspace(1) %a, i32 1
  store i32 %s1, ptr addrspace(1) %o, align 4
  br label %end
end:
  ret void
}
";
    for on in On::BOTH {
        let ordered = program(on, &body.replace("ORDER", "acq_rel")).threads(1).grid(3);
        assert_eq!(ordered.words(8)[..2], [3, 15]);
        let relaxed = program(on, &body.replace("ORDER", "monotonic")).threads(1).grid(3);
        assert_eq!(relaxed.finding().kind, Kind::Race);
    }
}

#[test]
fn a_barrier_can_count_the_threads_that_agree() {
    let body = each_thread(
        "%f = icmp ult i32 %tid, 40
         %r = call i32 @llvm.nvvm.barrier.cta.red.popc.aligned.all(i32 0, i1 %f)",
    ) + "declare i32 @llvm.nvvm.barrier.cta.red.popc.aligned.all(i32, i1)\n";
    assert_eq!(program(On::Nvidia, &body).words(64), [40; 64]);
}

#[test]
fn hooks_are_reported_and_can_stop() {
    use crate::sim::Hook;
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %x = zext i32 %tid to i64
  %two = icmp ult i32 %tid, 2
  br i1 %two, label %a, label %end
a:
  call void @tile_print0(i64 %x, i64 9)
  br label %end
end:
  ret void
}
declare void @tile_print0(i64, i64)
";
    for stops in [false, true] {
        let context = inkwell::context::Context::create();
        let text = On::Amd.module(body);
        let text = inkwell::memory_buffer::MemoryBuffer::create_from_memory_range_copy(
            text.as_bytes(),
            "m",
        );
        let module = context.create_module_from_ir(text).unwrap();
        let hooks = [Hook { function: "tile_print0".to_owned(), stops }];
        let program = Program::for_device(&module, "k", Lanes::L64, None, &hooks).unwrap();
        let mut buffers = [vec![0; 4]];
        let params = [buffer(0)];
        let result = program.run(Launch::new([1, 1, 1], [64, 1, 1], &params, &mut buffers));
        match result {
            Ok(report) => {
                let calls: Vec<_> =
                    report.calls.iter().map(|it| (it.thread, it.words.clone())).collect();
                assert_eq!(calls, [(0, vec![0, 9]), (1, vec![1, 9])]);
                assert!(!stops);
            }
            Err(error) => assert_eq!((error.hook.map(|it| it.hook), stops), (Some(0), true)),
        }
    }
}
