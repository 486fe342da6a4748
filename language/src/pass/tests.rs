//! Passes on IR text: what is put in, and where.

use super::*;
use crate::ir::parse::parse;
use crate::ir::verify::verify;
use crate::target::TargetId;

mod laws;

/// A kernel of four warps with these instructions; `%p` are pointers, `%v` a tile of 128 elements.
fn with(insts: &str) -> Kernel {
    for_target("sm_80", insts)
}

fn for_target(target: &str, insts: &str) -> Kernel {
    let lanes = TargetId::from_name(target).expect("a target").row().lanes;
    let warps = 128 / lanes;
    let text = format!(
        r#"kernel "k" for {target} warps {warps} {{
            plan k threads 128
            param x: tensor f32 [n] align 16
            param y: tensor f32 [n] align 16 mut
            symbol n: 32
            grid [1]
            layout #L = [128] blocked regs [1] lanes [{lanes}] warps [{warps}] order [0]
            memory #one = 128 [1, 2, 4, 8, 16, 32, 64] 0
            memory #turned = 128 [2, 1, 4, 8, 16, 32, 64] 0
            memory #half = 64 [1, 2, 4, 8, 16, 32] 0
            memory #two = 2 [] 128, 128 [1, 2, 4, 8, 16, 32, 64] 0
            memory #three = 3 [] 128, 128 [1, 2, 4, 8, 16, 32, 64] 0
            tensor x: f32 at %x dims [%n] strides [1] align 16
            tensor y: f32 at %y dims [%n] strides [1] align 16 mut
            body (%x: *f32 = address x, %y: *f32 = address y, %n: i32 = symbol n) {{
                %zero: i32 = tile.const<0>
                %unit: i32 = tile.const<1>
                %stages: i32 = tile.const<3>
                %i: i32[128] @ #L = tile.index<0>
                %p: *f32[128] @ #L = memory.at<0> %i
                %v: f32[128] @ #L = tile.const<1.0>
                {insts}
            }}
        }}"#
    );
    let kernel = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    sound(&kernel);
    kernel
}

#[track_caller]
fn sound(kernel: &Kernel) {
    let found: Vec<String> = verify(kernel).iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{found:#?}\n{kernel}");
}

/// The instructions, without places.
fn body(kernel: &Kernel) -> String {
    let text = kernel.to_string();
    let lines = text.lines().skip_while(|it| !it.contains("body ("));
    let lines = lines.skip_while(|it| !it.ends_with(") {")).skip(1);
    let lines = lines.take_while(|it| *it != "    }").map(|it| {
        let site = it.rfind(" !").filter(|at| !it[at + 2..].contains('%'));
        let end = if it.ends_with('{') { "{" } else { "" };
        let text = site.map_or(it.to_owned(), |at| format!("{} {end}", &it[..at]));
        text.strip_prefix("        ").unwrap_or(&text).trim_end().to_owned()
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// What the passes before the lowering make of these instructions.
#[track_caller]
fn prepared(insts: &str) -> String {
    let prepared = prepare(&with(insts));
    sound(&prepared.kernel);
    body(&prepared.kernel)
}

/// Barriers in a text.
fn n_barriers(text: &str) -> usize {
    text.matches("sync.barrier").count()
}

#[test]
fn what_is_written_is_read_after_a_barrier() {
    insta::assert_snapshot!(prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         shared.store %s, %v
         %a: f32[128] @ #L = shared.load %s
         %b: f32[128] @ #L = shared.load %s
         shared.store %s, %b"
    ));
}

#[test]
fn parts_that_share_nothing_need_no_order() {
    let text = prepared(
        "%s: shared f32 @ #two = shared.alloc<16>
         %s0: shared f32 @ #one = shared.index<0> %s, %zero
         %s1: shared f32 @ #one = shared.index<0> %s, %unit
         shared.store %s0, %v
         %a: f32[128] @ #L = shared.load %s1
         shared.store %s1, %a",
    );
    assert_eq!(n_barriers(&text), 1, "{text}");
}

#[test]
fn an_index_that_is_one_further_is_another_part() {
    let text = prepared(
        "%s: shared f32 @ #three = shared.alloc<16>
         %n1: i32 = tile.binary<add> %n, %unit
         %here: shared f32 @ #one = shared.index<0> %s, %n
         %next: shared f32 @ #one = shared.index<0> %s, %n1
         shared.store %here, %v
         %a: f32[128] @ #L = shared.load %next",
    );
    assert_eq!(n_barriers(&text), 0, "{text}");
}

#[test]
fn a_recast_keeps_what_was_said_of_its_view() {
    let text = prepared(
        "%s: shared f32 @ #two = shared.alloc<16>
         %s0: shared f32 @ #one = shared.index<0> %s, %zero
         %r0: shared f32 @ #one = shared.recast %s0
         %s1: shared f32 @ #one = shared.index<0> %s, %unit
         %r1: shared f32 @ #one = shared.recast %s1
         shared.store %r0, %v
         %a: f32[128] @ #L = shared.load %r1
         %b: f32[128] @ #L = shared.load %s0",
    );
    assert_eq!(n_barriers(&text), 1, "{text}");
}

#[test]
fn a_loop_orders_its_turns() {
    insta::assert_snapshot!(prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         %sum: f32[128] @ #L = flow.for %zero, %n, %unit, %v {
             (%t: i32, %acc: f32[128] @ #L)
             shared.store %s, %acc
             %a: f32[128] @ #L = shared.load %s
             %next: f32[128] @ #L = tile.binary<add> %acc, %a
             yield %next
         }"
    ));
}

#[test]
fn what_only_the_code_before_a_loop_asks_for_is_done_before_it() {
    insta::assert_snapshot!(prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         shared.store %s, %v
         %sum: f32[128] @ #L = flow.for %zero, %n, %unit, %v {
             (%t: i32, %acc: f32[128] @ #L)
             %a: f32[128] @ #L = shared.load %s
             %next: f32[128] @ #L = tile.binary<add> %acc, %a
             yield %next
         }"
    ));
}

#[test]
fn a_copy_is_waited_for_at_its_first_use() {
    insta::assert_snapshot!(prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         %o: shared f32 @ #one = shared.alloc<16>
         copy.async %s, %p
         copy.async %o, %p
         %a: f32[128] @ #L = shared.load %s
         shared.store %o, %a"
    ));
}

#[test]
fn a_wait_leaves_what_is_younger_on_every_path() {
    let text = prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         %o: shared f32 @ #one = shared.alloc<16>
         %c: bool = tile.cmp<lt> %n, %unit
         copy.async %s, %p
         copy.commit
         flow.if %c {
             copy.async %o, %p
             copy.commit
         } {
         }
         %a: f32[128] @ #L = shared.load %s",
    );
    assert!(text.contains("copy.wait<0>"), "{text}");
}

/// The waits of a text, by what they leave in flight.
fn waits_in(text: &str) -> Vec<&str> {
    let after = |it: &'_ str| it.find('>').unwrap_or(0);
    text.split("copy.wait<").skip(1).map(|it| &it[..after(it)]).collect()
}

#[test]
fn a_copy_that_is_asked_for_lands_and_younger_ones_fly_on() {
    let text = prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         %t: shared f32 @ #one = shared.alloc<16>
         copy.async %s, %p
         copy.async %t, %p
         copy.land %s
         %a: f32[128] @ #L = shared.load %s
         copy.land %t
         copy.land %t",
    );
    assert_eq!(waits_in(&text), ["1", "0"], "{text}");
    assert!(!text.contains("copy.land"), "{text}");
}

#[test]
fn a_copy_that_is_asked_for_lands_on_every_way() {
    let text = prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         %t: shared f32 @ #one = shared.alloc<16>
         %c: bool = tile.cmp<lt> %n, %unit
         copy.async %s, %p
         flow.if %c {
             copy.async %t, %p
         } {
         }
         copy.land %s",
    );
    assert_eq!(waits_in(&text), ["0"], "{text}");
}

#[test]
fn of_a_loop_the_copy_of_the_turn_is_asked_for() {
    let text = prepared(
        "%s: shared f32 @ #two = shared.alloc<16>
         %two: i32 = tile.const<2>
         flow.for %zero, %n, %unit {
             (%t: i32)
             %at: i32 = tile.binary<rem> %t, %two
             %st: shared f32 @ #one = shared.index<0> %s, %at
             copy.async %st, %p
             copy.land %st
         }",
    );
    assert_eq!(waits_in(&text), ["0"], "{text}");
}

#[test]
fn a_copy_without_a_group_gets_one_where_it_is_wanted() {
    insta::assert_snapshot!(prepared(
        "%s: shared f32 @ #one = shared.alloc<16>
         copy.async %s, %p
         copy.commit
         copy.async %s, %p
         %a: f32[128] @ #L = shared.load %s"
    ));
}

/// A loop over three stages: filled two turns ahead, the number of the stage kept by `next`.
fn ring(next: &str) -> String {
    format!(
        "%s: shared f32 @ #three = shared.alloc<16>
         %two: i32 = tile.const<2>
         %s0: shared f32 @ #one = shared.index<0> %s, %zero
         %s1: shared f32 @ #one = shared.index<0> %s, %unit
         copy.async %s0, %p
         copy.commit
         copy.async %s1, %p
         copy.commit
         %sum: f32[128] @ #L, %end: i32 = flow.for %zero, %n, %unit, %v, %zero {{
             (%t: i32, %acc: f32[128] @ #L, %k: i32)
             {next}
             %full: shared f32 @ #one = shared.index<0> %s, %stage
             %a: f32[128] @ #L = shared.load %full
             %sum1: f32[128] @ #L = tile.binary<add> %acc, %a
             %empty: shared f32 @ #one = shared.index<0> %s, %free
             copy.async %empty, %p
             copy.commit
             yield %sum1, %next
         }}"
    )
}

#[test]
fn a_ring_by_remainders_has_one_wait_and_one_barrier_a_turn() {
    insta::assert_snapshot!(prepared(&ring(
        "%stage: i32 = tile.binary<rem> %t, %stages
         %t2: i32 = tile.binary<add> %t, %two
         %free: i32 = tile.binary<rem> %t2, %stages
         %next: i32 = tile.binary<add> %k, %unit"
    )));
}

#[test]
fn a_ring_by_counters_that_go_round_has_one_wait_and_one_barrier_a_turn() {
    let text = prepared(&ring(
        "%stage: i32 = tile.binary<add> %k, %zero
         %k1: i32 = tile.binary<add> %k, %unit
         %round: bool = tile.cmp<eq> %k1, %stages
         %next: i32 = tile.select %round, %zero, %k1
         %k2: i32 = tile.binary<add> %k, %two
         %over: bool = tile.cmp<ge> %k2, %stages
         %less: i32 = tile.binary<sub> %k2, %stages
         %free: i32 = tile.select %over, %less, %k2",
    ));
    assert_eq!(n_barriers(&text), 1, "{text}");
    assert_eq!(text.matches("copy.wait<1>").count(), 1, "{text}");
}

#[test]
fn a_ring_whose_stages_cannot_be_told_apart_waits_for_everything() {
    let text = prepared(&ring(
        "%stage: i32 = tile.binary<rem> %t, %stages
         %free: i32 = tile.binary<mul> %t, %t
         %next: i32 = tile.binary<add> %k, %unit",
    ));
    assert_eq!(n_barriers(&text), 2, "{text}");
    assert!(text.contains("copy.wait<0>"), "{text}");
}

/// Names, bytes and places of the buffers.
fn places(insts: &str) -> Vec<(String, u32, u32)> {
    let allocation = prepare(&with(insts)).allocation;
    let row = |it: &Buffer| (it.name.to_string(), it.bytes, it.offset);
    allocation.buffers.iter().map(row).collect()
}

#[test]
fn buffers_whose_lives_do_not_overlap_share_bytes() {
    let insts = "%a: shared f32 @ #one = shared.alloc<16>
         %b: shared f32 @ #two = shared.alloc<16>
         %c: shared f32 @ #one = shared.alloc<16>
         shared.store %a, %v
         %x0: f32[128] @ #L = shared.load %a
         shared.store %c, %x0
         %b0: shared f32 @ #one = shared.index<0> %b, %zero
         shared.store %b0, %x0
         %x1: f32[128] @ #L = shared.load %c";
    let wanted = [("a", 512, 0), ("b", 1024, 0), ("c", 512, 1024)];
    assert_eq!(places(insts), wanted.map(|(a, b, c)| (a.to_owned(), b, c)));
    let text = prepared(insts);
    assert_eq!(n_barriers(&text), 2, "the second is between `a` and `b`: {text}");
}

#[test]
fn a_buffer_older_than_a_loop_lives_through_it() {
    let insts = "%a: shared f32 @ #one = shared.alloc<16>
         flow.for %zero, %n, %unit {
             (%t: i32)
             shared.store %a, %v
             %b: shared f32 @ #one = shared.alloc<16>
             shared.store %b, %v
             %x0: f32[128] @ #L = shared.load %b
             %c: shared f32 @ #one = shared.alloc<16>
             shared.store %c, %v
         }
         %d: shared f32 @ #one = shared.alloc<16>
         shared.store %d, %v";
    let wanted = [("a", 512, 0), ("b", 512, 512), ("c", 512, 512), ("d", 512, 0)];
    assert_eq!(places(insts), wanted.map(|(a, b, c)| (a.to_owned(), b, c)));
}

#[test]
fn a_copy_in_flight_keeps_its_buffer_alive() {
    let insts = "%a: shared f32 @ #one = shared.alloc<16>
         copy.async %a, %p
         %b: shared f32 @ #one = shared.alloc<16>
         shared.store %b, %v";
    let wanted = [("a", 512, 0), ("b", 512, 512)];
    assert_eq!(places(insts), wanted.map(|(a, b, c)| (a.to_owned(), b, c)));
}

#[test]
fn a_buffer_that_nobody_uses_has_no_bytes() {
    let prepared = prepare(&with("%a: shared f32 @ #one = shared.alloc<16>"));
    assert_eq!(prepared.allocation.bytes, 0);
}

#[test]
fn a_fetch_becomes_a_buffer_that_has_landed() {
    insta::assert_snapshot!(prepared(
        "flow.for %zero, %n, %unit {
             (%t: i32)
             %a: shared f32 @ #one = copy.fetch<16> %p
             %x0: f32[128] @ #L = shared.load %a
         }"
    ));
}

#[test]
fn fetches_that_follow_each_other_land_together() {
    let text = prepared(
        "flow.for %zero, %n, %unit {
             (%t: i32)
             %a: shared f32 @ #one = copy.fetch<16> %p
             %b: shared f32 @ #one = copy.fetch<16> %p
             %x0: f32[128] @ #L = shared.load %a
             %x1: f32[128] @ #L = shared.load %b
         }",
    );
    assert_eq!(text.matches("copy.wait").count(), 1, "{text}");
    assert_eq!(n_barriers(&text), 2, "one for what has landed, one before the next copy: {text}");
}

#[test]
fn what_is_prepared_needs_no_more() {
    let once = prepare(&with(&ring(
        "%stage: i32 = tile.binary<rem> %t, %stages
         %t2: i32 = tile.binary<add> %t, %two
         %free: i32 = tile.binary<rem> %t2, %stages
         %next: i32 = tile.binary<add> %k, %unit",
    )));
    assert!(!once.placed.is_empty());
    let again = prepare(&once.kernel);
    assert!(again.placed.is_empty(), "{:?}", again.placed);
}

/// A sum over rows of `x` by fetches, in `n` stages; `more` stands before the sum.
fn fetching(n: u32, more: &str) -> String {
    format!(
        "%rows: i32 = tile.const<128>
         %sum: f32[128] @ #L = flow.for<0, {n}> %zero, %n, %unit, %v {{
             (%t: i32, %acc: f32[128] @ #L)
             %first: i32 = tile.binary<mul> %t, %rows
             %firsts: i32[128] @ #L = tile.splat %first
             %at: i32[128] @ #L = tile.binary<add> %firsts, %i
             %from: *f32[128] @ #L = memory.at<0> %at
             %s: shared f32 @ #one = copy.fetch<16> %from
             {more}
             %a: f32[128] @ #L = shared.load %s
             %next: f32[128] @ #L = tile.binary<add> %acc, %a
             yield %next
         }}
         %to: *f32[128] @ #L = memory.at<1> %i
         memory.store<all, normal> %to, %sum"
    )
}

#[test]
fn a_fetch_is_copied_two_turns_ahead() {
    insta::assert_snapshot!(prepared(&fetching(3, "")));
}

#[test]
fn without_asynchronous_copies_a_fetch_is_loaded_a_turn_ahead() {
    // The lanes of a wave do not write one after another.
    let fetching = fetching(2, "").replace("#one", "#turned");
    let prepared = prepare(&for_target("gfx942", &fetching));
    sound(&prepared.kernel);
    insta::assert_snapshot!(body(&prepared.kernel));
}

#[test]
fn a_turn_of_a_pipelined_loop_has_one_barrier() {
    for target in ["sm_80", "gfx942"] {
        for n in 2..7 {
            let kernel = prepare(&for_target(target, &fetching(n, ""))).kernel;
            let text = body(&kernel);
            let turn = &text[text.find("flow.for").unwrap()..];
            assert_eq!(n_barriers(turn), 1, "{target}, {n} stages\n{text}");
            assert_eq!(n_barriers(&text), 1, "{target}, {n} stages\n{text}");
        }
    }
}

#[test]
fn a_loop_of_one_stage_fetches_when_it_needs_to() {
    let text = prepared(&fetching(1, ""));
    assert!(!text.contains("flow.for<"), "{text}");
    assert_eq!(text.matches("copy.async").count(), 1, "{text}");
}

#[test]
fn loads_go_into_registers_a_turn_ahead() {
    insta::assert_snapshot!(prepared(
        "%rows: i32 = tile.const<128>
         %sum: f32[128] @ #L = flow.for<0, 2> %zero, %n, %unit, %v {
             (%t: i32, %acc: f32[128] @ #L)
             %first: i32 = tile.binary<mul> %t, %rows
             %firsts: i32[128] @ #L = tile.splat %first
             %at: i32[128] @ #L = tile.binary<add> %firsts, %i
             %from: *f32[128] @ #L = memory.at<0> %at
             %a: f32[128] @ #L = memory.load<all, normal> %from
             %next: f32[128] @ #L = tile.binary<add> %acc, %a
             yield %next
         }
         %to: *f32[128] @ #L = memory.at<1> %i
         memory.store<all, normal> %to, %sum"
    ));
}

/// What is refused, in words.
fn refused(insts: &str) -> String {
    let kernel = with(insts);
    let refusals = refusals(&kernel);
    refusals.iter().map(|it| format!("{:?}", it.why)).collect::<Vec<String>>().join("; ")
}

#[test]
fn what_depends_on_the_turn_before_is_not_done_ahead() {
    let insts =
        "%sum: f32[128] @ #L, %where: i32[128] @ #L = flow.for<0, 3> %zero, %n, %unit, %v, %i {
             (%t: i32, %acc: f32[128] @ #L, %at: i32[128] @ #L)
             %from: *f32[128] @ #L = memory.at<0> %at
             %s: shared f32 @ #one = copy.fetch<16> %from
             %a: f32[128] @ #L = shared.load %s
             %next: i32[128] @ #L = tile.cast<zero> %a
             yield %a, %next
         }";
    assert!(refused(insts).starts_with("Carried {"), "{}", refused(insts));
    let text = prepared(insts);
    assert!(text.contains("copy.wait<0>") && !text.contains("flow.for<"), "{text}");
}

#[test]
fn what_the_loop_may_write_is_not_read_ahead() {
    let store = "%there: *f32[128] @ #L = memory.at<1> %at
             memory.store<all, normal> %there, %acc";
    assert_eq!(refused(&fetching(3, store)), "", "`x` is not written");
    let insts = fetching(3, store).replace("memory.at<0>", "memory.at<1>");
    assert!(refused(&insts).starts_with("Written("), "{}", refused(&insts));
}

#[test]
fn a_fetch_in_a_branch_stays_there() {
    let insts = "%c: bool = tile.cmp<lt> %n, %unit
         flow.for<0, 3> %zero, %n, %unit {
             (%t: i32)
             flow.if %c {
                 %s: shared f32 @ #one = copy.fetch<16> %p
                 %a: f32[128] @ #L = shared.load %s
             } {
             }
         }";
    assert!(refused(insts).starts_with("Inside("), "{}", refused(insts));
    assert!(prepared(insts).contains("copy.wait<0>"));
}

#[test]
fn a_loop_with_nothing_to_do_ahead_says_so() {
    let insts = "flow.for<0, 3> %zero, %n, %unit { (%t: i32) }";
    assert_eq!(refused(insts), "Nothing");
}
