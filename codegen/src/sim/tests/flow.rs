//! Divergence: lanes that go different ways meet again and keep their values.

use super::*;

#[track_caller]
fn check(body: &str, expected: impl Fn(u32) -> u32) {
    for on in On::BOTH {
        for reconvergence in [Reconvergence::Early, Reconvergence::Late] {
            let mut run = program(on, body);
            run.reconvergence = reconvergence;
            let expected: Vec<u32> = (0..64).map(&expected).collect();
            assert_eq!(run.words(64), expected, "{on:?} {reconvergence:?}");
        }
    }
}

#[test]
fn a_lane_that_leaves_a_loop_keeps_its_last_value() {
    check(
        "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %sum = phi i32 [ 0, %entry ], [ %more, %loop ]
  %more = add i32 %sum, %i
  %next = add i32 %i, 1
  %go = icmp ule i32 %next, %tid
  br i1 %go, label %loop, label %end
end:
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %more, ptr addrspace(1) %p, align 4
  ret void
}
",
        |tid| tid * (tid + 1) / 2,
    );
}

#[test]
fn nested_loops_with_an_early_way_out_of_both() {
    check(
        "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  br label %outer
outer:
  %i = phi i32 [ 0, %entry ], [ %i2, %latch ]
  %n = phi i32 [ 0, %entry ], [ %n2, %latch ]
  br label %inner
inner:
  %j = phi i32 [ 0, %outer ], [ %j2, %more ]
  %m = phi i32 [ %n, %outer ], [ %m2, %more ]
  %m2 = add i32 %m, 1
  %hit = icmp eq i32 %m2, %tid
  br i1 %hit, label %end, label %more
more:
  %j2 = add i32 %j, 1
  %inside = icmp ult i32 %j2, 5
  br i1 %inside, label %inner, label %latch
latch:
  %n2 = phi i32 [ %m2, %more ]
  %i2 = add i32 %i, 1
  %again = icmp ult i32 %i2, 6
  br i1 %again, label %outer, label %end
end:
  %res = phi i32 [ %m2, %inner ], [ 1000, %latch ]
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %res, ptr addrspace(1) %p, align 4
  ret void
}
",
        |tid| if (1..=30).contains(&tid) { tid } else { 1000 },
    );
}

#[test]
fn a_switch_sends_every_lane_its_way() {
    check(
        "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  %low = and i32 %tid, 7
  %c = trunc i32 %low to i8
  switch i8 %c, label %other [ i8 0, label %zero
                               i8 3, label %three
                               i8 5, label %three ]
zero:
  br label %end
three:
  %three.v = mul i32 %tid, 3
  br label %end
other:
  ret void
end:
  %r = phi i32 [ 7, %zero ], [ %three.v, %three ]
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  ret void
}
",
        |tid| match tid % 8 {
            0 => 7,
            3 | 5 => tid * 3,
            _ => 0,
        },
    );
}

#[test]
fn phis_that_exchange_their_values_read_before_they_write() {
    check(
        "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  %tid = TID
  br label %loop
loop:
  %a = phi i32 [ 1, %entry ], [ %b, %loop ]
  %b = phi i32 [ 2, %entry ], [ %a, %loop ]
  %i = phi i32 [ 0, %entry ], [ %i2, %loop ]
  %i2 = add i32 %i, 1
  %go = icmp ult i32 %i2, %tid
  br i1 %go, label %loop, label %end
end:
  %ten = mul i32 %a, 10
  %r = add i32 %ten, %b
  %p = getelementptr i32, ptr addrspace(1) %out, i32 %tid
  store i32 %r, ptr addrspace(1) %p, align 4
  ret void
}
",
        |tid| if tid % 2 == 0 && tid > 0 { 21 } else { 12 },
    );
}

#[test]
fn unreachable_and_trap_are_findings_with_a_place() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %bad = icmp eq i32 %tid, 41
  br i1 %bad, label %stop, label %end
stop:
  call void @llvm.trap()
  unreachable
end:
  ret void
}
declare void @llvm.trap()
";
    for on in On::BOTH {
        let error = program(on, body).finding();
        assert_eq!(error.kind, Kind::Trap);
        assert_eq!(
            error.place.map(|place| place.instruction).as_deref(),
            Some("call void @llvm.trap()")
        );
        let lane = if on == On::Nvidia { 9 } else { 41 };
        assert_eq!((error.warp, error.lane), (Some(u16::from(on == On::Nvidia)), Some(lane)));
    }
}

#[test]
fn an_endless_loop_is_given_up() {
    let body = "define KERNEL void @k(ptr addrspace(1) %out) {
entry:
  br label %loop
loop:
  br label %loop
}
";
    let run = program(On::Nvidia, body);
    let mut buffers = [vec![0; 4]];
    let params = [buffer(0)];
    let mut launch = Launch::new([1, 1, 1], [32, 1, 1], &params, &mut buffers);
    launch.steps_max = 1 << 20;
    assert_eq!(run.program.run(launch).map_err(|error| error.kind), Err(Kind::TooLong));
}
