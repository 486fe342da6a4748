//! mbarriers: two warps of which one writes and the other one waits.

use super::*;

/// Warp 0 writes a word a lane, orders its lanes and arrives; warp 1 waits for the phase and reads.
const HANDED: &str = "@s = internal addrspace(3) global [34 x i32] poison, align 16
define KERNEL void @k(ptr addrspace(1) %out) {
  %tid = TID
  %bar = getelementptr i32, ptr addrspace(3) @s, i32 32
  %lane = and i32 %tid, 31
  %p = getelementptr i32, ptr addrspace(3) @s, i32 %lane
  %first = icmp eq i32 %tid, 0
  br i1 %first, label %init, label %met
init:
  call void asm sideeffect \"mbarrier.init.shared.b64 [$0], 1;\", \"r\"(ptr addrspace(3) %bar)
  br label %met
met:
  BARRIER
  %writes = icmp ult i32 %tid, 32
  br i1 %writes, label %write, label %wait
write:
  %x = mul i32 %tid, 3
  store i32 %x, ptr addrspace(3) %p, align 4
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  br i1 %first, label %arrive, label %end
arrive:
  ARRIVE
  br label %end
wait:
  %done = call i1 asm sideeffect \"mbarrier.try_wait.parity.shared::cta.b64 $0, [$1], $2;\", \"=b,r,r\"(ptr addrspace(3) %bar, i32 0)
  br i1 %done, label %read, label %wait
read:
  %r = load i32, ptr addrspace(3) %p, align 4
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %lane
  store i32 %r, ptr addrspace(1) %o, align 4
  br label %end
end:
  ret void
}
declare void @llvm.nvvm.bar.warp.sync(i32)
";

const ARRIVE: &str = "call void asm sideeffect \"mbarrier.arrive.shared::cta.b64 _, [$0];\", \
                      \"r\"(ptr addrspace(3) %bar)";

fn handed() -> String {
    HANDED.replace("ARRIVE", ARRIVE)
}

fn finding(text: &str, seed: u64) -> SimError {
    let mut run = program(On::Nvidia, text).threads(64);
    run.seed = seed;
    run.finding()
}

#[test]
fn a_phase_hands_over_what_was_written_before_the_arrival() {
    let expected: Vec<u32> = (0..32).map(|lane| lane * 3).collect();
    for seed in 0..8 {
        let mut run = program(On::Nvidia, &handed()).threads(64);
        run.seed = seed;
        assert_eq!(run.words(32), expected);
    }
}

#[test]
fn a_wait_for_what_nobody_arrives_at_is_a_hang_with_its_place() {
    let error = finding(&HANDED.replace("ARRIVE", ""), 0);
    assert_eq!(error.kind, Kind::Deadlock, "{error}");
    let place = |it: &String| it.contains("the phase of an mbarrier") && it.contains("try_wait");
    assert!(error.details.iter().any(place), "{error}");
}

#[test]
fn a_lane_that_arrives_speaks_for_others_only_after_they_have_met() {
    let alone = handed().replace("call void @llvm.nvvm.bar.warp.sync(i32 -1)\n", "");
    let error = finding(&alone, 0);
    assert_eq!(error.kind, Kind::Race, "{error}");
}

#[test]
fn what_is_not_waited_for_races() {
    let early = handed().replace("br i1 %done, label %read", "br i1 true, label %read");
    let found = |seed| {
        let mut run = program(On::Nvidia, &early).threads(64);
        run.seed = seed;
        run.try_on(&[buffer(0)], &mut [vec![0; 128]]).err().map(|it| it.kind)
    };
    let kinds: Vec<Kind> = (0..8).filter_map(found).collect();
    // A wait may sleep until the phase is complete whatever becomes of its answer.
    assert!(!kinds.is_empty());
    assert!(kinds.iter().all(|it| matches!(it, Kind::Race | Kind::Uninitialised)), "{kinds:?}");
}

#[test]
fn misuse_is_told() {
    let never_made = handed().replace("br i1 %first, label %init, label %met", "br label %met");
    assert_eq!(finding(&never_made, 0).kind, Kind::Undefined);
    let too_often = handed().replace("_, [$0];", "_, [$0], 2;");
    let error = finding(&too_often, 0);
    assert!(error.message.contains("2 arrivals"), "{error}");
    let announced = handed().replace(
        ".arrive.shared::cta.b64 _, [$0];",
        ".arrive.expect_tx.shared::cta.b64 _, [$0], 64;",
    );
    let error = finding(&announced, 0);
    assert!(error.message.contains("no fence"), "{error}");
    let crooked = handed().replace("@s, i32 32", "@s, i32 31");
    assert_eq!(finding(&crooked, 0).kind, Kind::Misaligned);
}
