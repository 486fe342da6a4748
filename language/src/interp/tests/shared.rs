//! Shared memory and copies in flight.

use super::{address, f32s, i32s, run, to_f32s, to_i32s};
use crate::engine::{Failure, Word};
use crate::ir::parse::parse;
use crate::ir::samples;

#[test]
fn a_box_is_turned_in_swizzled_memory() {
    let (m, n) = (40u16, 70u16);
    let u16s = |it: Vec<u16>| -> Vec<u8> { it.into_iter().flat_map(u16::to_le_bytes).collect() };
    let mut buffers = [u16s((0..m * n).collect()), u16s(vec![0; usize::from(m * n)])];
    let words = [address(0), address(1), Word::Bits(m.into()), Word::Bits(n.into())];
    run(samples::TURN, [2, 3, 1], &words, &mut buffers, 5).unwrap();
    let turned = (0..n).flat_map(|j| (0..m).map(move |i| i * n + j)).collect();
    assert_eq!(buffers[1], u16s(turned));
}

/// The sums that `samples::RING` makes of `m` rows of 100.
fn ring(text: &str, m: usize) -> Result<(), Failure> {
    let n = 100;
    let x: Vec<f32> = (0..m * n).map(|it| (it * 7 % 64) as f32).collect();
    let mut buffers = [f32s(x.iter().copied()), f32s(vec![-1.0; 8 * n])];
    let words = [address(0), address(1), Word::Bits(m as u64), Word::Bits(n as u64)];
    run(text, [2, 1, 1], &words, &mut buffers, 1)?;
    let mut wanted = vec![0.0; 8 * n];
    x.iter().enumerate().for_each(|(at, it)| wanted[at % (8 * n)] += it);
    assert_eq!(to_f32s(&buffers[1]), wanted, "{m}");
    Ok(())
}

#[test]
fn a_ring_of_buffers_is_filled_ahead_for_any_number_of_turns() {
    for m in [1, 8, 9, 16, 17, 24, 31, 64, 65] {
        ring(samples::RING, m).unwrap();
    }
}

#[test]
fn a_missing_wait_is_found_with_both_places() {
    let failure = ring(&samples::RING.replace("copy.wait<1>", "copy.wait<2>"), 64).unwrap_err();
    insta::assert_snapshot!(said(samples::RING, &failure), @"
    this reads element [0, 0, 0] of `ring` while a copy into it is in flight
    at: %v: f32[8, 64] @ #SUM = shared.load %stage
    this copy is in flight: copy.async %first, %px, %in
    a copy has landed when its group has been waited for
    ");
}

#[test]
fn groups_that_are_not_closed_do_not_land() {
    let text = samples::RING.replace("copy.commit", "");
    let failure = ring(&text, 64).unwrap_err();
    assert_eq!(failure.because.len(), 1);
}

#[test]
fn values_are_counted_in_shared_memory() {
    let n = 1000;
    let x: Vec<i32> = (0..n).map(|it| it * it % 67).collect();
    let mut buffers = [i32s(x.iter().copied()), i32s(vec![7; 64]), i32s(vec![7; 64])];
    let words = [address(0), address(1), address(2), Word::Bits(n as u64)];
    run(samples::BINS, [1, 1, 1], &words, &mut buffers, 0).unwrap();
    let mut counts = vec![0; 64];
    x.iter().filter(|it| **it < 64).for_each(|it| counts[*it as usize] += 1);
    assert_eq!(to_i32s(&buffers[1]), counts);
    let seen = counts.iter().zip(0..).map(|(&n, bin)| if n == 0 { -1 } else { bin });
    assert_eq!(to_i32s(&buffers[2]), seen.collect::<Vec<i32>>());
}

/// What a failure says, with the text of each of its places.
fn said(text: &str, failure: &Failure) -> String {
    let kernel = parse(text).unwrap();
    let line = |site: crate::ir::SiteId| {
        let span = &kernel.sites[site.0 as usize].place.span;
        text[span.lo as usize..].lines().next().unwrap_or_default().trim().to_owned()
    };
    let mut lines = vec![failure.message.clone()];
    lines.extend(failure.site.map(|it| format!("at: {}", line(it))));
    lines.extend(failure.because.iter().map(|(site, why)| format!("{why}: {}", line(*site))));
    lines.extend(failure.details.iter().cloned());
    lines.join("\n")
}

/// A kernel over `x: i32[n]` and scalar `k` with these instructions.
fn small(insts: &str) -> String {
    format!(
        r#"kernel "small" for sm_90a warps 1 {{
            plan small threads 32
            param x: tensor i32 [n] align 4 mut
            param k: scalar i32
            symbol n: 32
            grid [1]
            layout #L = [32] lane [1] [2] [4] [8] [16]
            layout #T = [4, 32] register [1, 0] [2, 0] lane [0, 1] [0, 2] [0, 4] [0, 8] [0, 16]
            layout #N = [64] register [32] lane [1] [2] [4] [8] [16]
            memory #ROW = 32 [1, 2, 4, 8, 16] 0
            memory #ROWS = 4 [36, 72] 0, 32 [1, 2, 4, 8, 16] 0
            memory #ROWS8 = 4 [36, 72] 0, 8 [1, 2, 4] 0 mixed 12
            memory #ONE = 32 [1, 2, 4, 8, 16] 0 mixed 12
            memory #THREE = 3 [] 32, 32 [1, 2, 4, 8, 16] 0
            memory #NIBBLES = 64 [1, 2, 4, 8, 16, 32] 0
            memory #WORDS = 8 [1, 2, 4] 0
            tensor x: i32 at %x dims [%n] strides [1] align 4 mut
            body (%x: *i32 = address x, %n: i32 = symbol n, %k: i32 = scalar k) {{
                %i: i32[32] @ #L = tile.index<0>
                %px: *i32[32] @ #L = memory.at<0> %i
                {insts}
            }}
        }}"#
    )
}

/// What a run over 40 elements with `k = 3` says; nothing if it ends.
fn says(insts: &str) -> String {
    let text = small(insts);
    let mut buffers = [i32s(0..40)];
    let words = [address(0), Word::Bits(40), Word::Bits(3)];
    match run(&text, [1, 1, 1], &words, &mut buffers, 0) {
        Ok(_) => String::new(),
        Err(failure) => said(&text, &failure),
    }
}

/// The first 32 elements after a run.
fn leaves(insts: &str) -> Vec<i32> {
    let mut buffers = [i32s(0..40)];
    let words = [address(0), Word::Bits(40), Word::Bits(3)];
    run(&small(insts), [1, 1, 1], &words, &mut buffers, 0).unwrap();
    to_i32s(&buffers[0])[..32].to_vec()
}

#[test]
fn what_nobody_has_written_is_not_read_from_shared_memory() {
    insta::assert_snapshot!(says(
        "%s buf: shared i32 @ #ROW = shared.alloc<16>
         %v: i32[32] @ #L = shared.load %s"
    ), @"
    this reads element [0] of `buf`, which nothing has written yet
    at: %v: i32[32] @ #L = shared.load %s
    shared memory holds nothing at first
    ");
    insta::assert_snapshot!(says(
        "%s buf: shared i32 @ #THREE = shared.alloc<16>
         %one: i32 = tile.const<1>
         %two: i32 = tile.const<2>
         %a: shared i32 @ #ROW = shared.index<0> %s, %one
         %b: shared i32 @ #ROW = shared.index<0> %s, %two
         shared.store %a, %i
         %v: i32[32] @ #L = shared.load %b"
    ), @"
    this reads element [2, 0] of `buf`, which nothing has written yet
    at: %v: i32[32] @ #L = shared.load %b
    shared memory holds nothing at first
    ");
}

#[test]
fn every_run_of_an_allocation_begins_anew() {
    insta::assert_snapshot!(says(
        "%zero: i32 = tile.const<0>
         %one: i32 = tile.const<1>
         flow.for %zero, %k, %one {
            (%t: i32)
            %s buf: shared i32 @ #ROW = shared.alloc<16>
            %first: bool = tile.cmp<lt> %t, %one
            flow.if %first { shared.store %s, %i } { }
            %v: i32[32] @ #L = shared.load %s
         }"
    ), @"
    this reads element [0] of `buf`, which nothing has written yet
    at: %v: i32[32] @ #L = shared.load %s
    shared memory holds nothing at first
    ");
}

#[test]
fn indices_and_slices_stay_inside() {
    let three = "%s buf: shared i32 @ #THREE = shared.alloc<16>";
    insta::assert_snapshot!(
        says(&format!("{three}\n%a: shared i32 @ #ROW = shared.index<0> %s, %k")), @"
    index 3 of dimension 0 is outside of shared memory, which has extent 3 there
    at: %a: shared i32 @ #ROW = shared.index<0> %s, %k
    ");
    let slice = |start: &str| {
        says(&format!(
            "%s buf: shared i32 @ #ROWS = shared.alloc<16>
             %minus: i32 = tile.const<-8>
             %far: i32 = tile.const<32>
             %a: shared i32 @ #ROWS8 = shared.slice<1> %s, {start}"
        ))
    };
    insta::assert_snapshot!([slice("%k"), slice("%minus"), slice("%far")].join("\n"), @"
    a slice of 8 along dimension 1 begins at 3, which is no multiple of 8
    at: %a: shared i32 @ #ROWS8 = shared.slice<1> %s, %k
    shared memory is laid out in pieces of 8 there, and a view cuts none
    a slice of 8 along dimension 1 begins at -8, the extent is 32
    at: %a: shared i32 @ #ROWS8 = shared.slice<1> %s, %minus
    a slice of 8 along dimension 1 begins at 32, the extent is 32
    at: %a: shared i32 @ #ROWS8 = shared.slice<1> %s, %far
    ");
}

#[test]
fn views_of_swizzled_memory_are_the_elements_of_the_whole() {
    let rows = leaves(
        "%s: shared i32 @ #ROWS = shared.alloc<16>
         %r: i32[4, 32] @ #T = tile.index<0>
         %c: i32[4, 32] @ #T = tile.index<1>
         %thousand: i32[4, 32] @ #T = tile.const<1000>
         %up: i32[4, 32] @ #T = tile.binary<mul> %r, %thousand
         %v: i32[4, 32] @ #T = tile.binary<add> %up, %c
         shared.store %s, %v
         %row: shared i32 @ #ONE = shared.index<0> %s, %k
         %w: i32[32] @ #L = shared.load %row
         memory.store<all, normal> %px, %w",
    );
    assert_eq!(rows, (3000..3032).collect::<Vec<i32>>());
}

#[test]
fn masked_elements_become_zero_and_a_condition_copies_nothing() {
    let insts = |when: &str| {
        format!(
            "%s: shared i32 @ #ROW = shared.alloc<16>
             %ks: i32[32] @ #L = tile.splat %k
             %low: bool[32] @ #L = tile.cmp<lt> %i, %ks
             %when: bool = tile.const<{when}>
             copy.async %s, %px, %low, %when
             copy.commit
             copy.wait<0>
             %v: i32[32] @ #L = shared.load %s
             memory.store<all, normal> %px, %v"
        )
    };
    let mut wanted = vec![0; 32];
    wanted[..3].copy_from_slice(&[0, 1, 2]);
    assert_eq!(leaves(&insts("true")), wanted);
    insta::assert_snapshot!(says(&insts("false")), @"
    this reads element [0] of `s`, which nothing has written yet
    at: %v: i32[32] @ #L = shared.load %s
    shared memory holds nothing at first
    ");
}

#[test]
fn a_copy_reads_when_it_starts_and_a_fetch_has_landed() {
    let text = "%s: shared i32 @ #ROW = shared.alloc<16>
        copy.async %s, %px
        copy.commit
        %f: shared i32 @ #ROW = copy.fetch<16> %px
        %a: i32[32] @ #L = shared.load %f
        copy.wait<0>
        %b: i32[32] @ #L = shared.load %s
        %v: i32[32] @ #L = tile.binary<add> %a, %b
        memory.store<all, normal> %px, %v";
    assert_eq!(leaves(text), (0..32).map(|it| 2 * it).collect::<Vec<i32>>());
}

#[test]
fn a_copy_in_flight_is_not_touched() {
    let says_of = |touch: &str| {
        let copy = "%s buf: shared i32 @ #ROW = shared.alloc<16>
            copy.async %s, %px
            copy.commit";
        says(&format!("{copy}\n{touch}"))
    };
    insta::assert_snapshot!(says_of("%v: i32[32] @ #L = shared.load %s"), @"
    this reads element [0] of `buf` while a copy into it is in flight
    at: %v: i32[32] @ #L = shared.load %s
    this copy is in flight: copy.async %s, %px
    a copy has landed when its group has been waited for
    ");
    let others = [
        "shared.store %s, %i",
        "copy.async %s, %px",
        "%v: i32[32] @ #L = shared.gather<0> %s, %i",
        "shared.scatter<0> %s, %i, %i",
        "%v: i32[32] @ #L = shared.atomic<add, 0> %s, %i, %i",
    ];
    let first_line = |it: &&str| says_of(it).lines().next().unwrap_or_default().to_owned();
    insta::assert_snapshot!(others.iter().map(first_line).collect::<Vec<_>>().join("\n"), @"
    this writes element [0] of `buf` while a copy into it is in flight
    this copies into element [0] of `buf` while a copy into it is in flight
    this reads element [0] of `buf` while a copy into it is in flight
    this writes element [0] of `buf` while a copy into it is in flight
    this writes element [0] of `buf` while a copy into it is in flight
    ");
}

/// A loop of three turns over a buffer with a copy that is not waited for in its own turn.
fn outliving(insts: &str) -> String {
    says(&format!(
        "%zero: i32 = tile.const<0>
         %one: i32 = tile.const<1>
         flow.for %zero, %k, %one {{
            (%t: i32)
            %s buf: shared i32 @ #ROW = shared.alloc<16>
            {insts}
            copy.async %s, %px
            copy.commit
         }}"
    ))
}

#[test]
fn a_copy_in_flight_outlives_its_buffer() {
    assert_eq!(outliving("copy.wait<0>"), "");
    let touched = outliving("").lines().next().unwrap_or_default().to_owned();
    insta::assert_snapshot!(touched, @"this copies into element [0] of `buf` while a copy into it is in flight");
    let left = outliving("copy.wait<0> %v: i32[32] @ #L = shared.load %s");
    insta::assert_snapshot!(left.lines().next().unwrap_or_default(), @"this reads element [0] of `buf`, which nothing has written yet");
}

#[test]
fn a_copy_that_nobody_waits_for_may_end_with_the_kernel() {
    assert_eq!(says("%s: shared i32 @ #ROW = shared.alloc<16> copy.async %s, %px copy.commit"), "");
}

#[test]
fn bytes_are_seen_as_elements_of_other_types() {
    let rows = leaves(
        "%s: shared f4e2m1 @ #NIBBLES = shared.alloc<16>
         %u: f4e2m1[64] @ #N = tile.const<0x2>
         shared.store %s, %u
         %w: shared i32 @ #WORDS = shared.recast %s
         %p: i32[32] @ #L = tile.index<0>
         %seven: i32[32] @ #L = tile.const<7>
         %at: i32[32] @ #L = tile.binary<and> %p, %seven
         %v: i32[32] @ #L = shared.gather<0> %w, %at
         memory.store<all, normal> %px, %v",
    );
    assert_eq!(rows, [0x2222_2222; 32]);
}

#[test]
fn different_values_for_one_place_are_found() {
    let scattered = |value: &str| {
        says(&format!(
            "%s buf: shared i32 @ #ROW = shared.alloc<16>
             %sixteen: i32[32] @ #L = tile.const<16>
             %at: i32[32] @ #L = tile.binary<rem> %i, %sixteen
             shared.scatter<0> %s, %at, {value}"
        ))
    };
    assert_eq!(scattered("%at"), "");
    insta::assert_snapshot!(scattered("%i"), @r"
    elements [0] and [16] of this tile differ and are both written to element [0] of `buf`
    at: shared.scatter<0> %s, %at, %i
    which one is kept depends on the order of the warps
    ");
}

#[test]
fn picked_indices_are_inside_where_they_are_used() {
    let picked = |mask: &str| {
        says(&format!(
            "%s buf: shared i32 @ #ROW = shared.alloc<16>
             shared.store %s, %i
             %three: i32[32] @ #L = tile.splat %k
             %at: i32[32] @ #L = tile.binary<add> %i, %three
             %last: i32[32] @ #L = tile.const<32>
             %in: bool[32] @ #L = tile.cmp<lt> %at, %last
             %v: i32[32] @ #L = shared.gather<0> %s, %at{mask}"
        ))
    };
    assert_eq!(picked(", %in"), "");
    insta::assert_snapshot!(picked(""), @"
    index 32 of dimension 0 is outside of shared memory, which has extent 32 there
    at: %v: i32[32] @ #L = shared.gather<0> %s, %at
    at element [29] of the tile
    ");
}
