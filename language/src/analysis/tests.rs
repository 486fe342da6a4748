//! Widths and warnings of small kernels in the IR's text.

use super::*;
use crate::ir::parse::parse;
use crate::ir::samples;

/// Every access of a kernel: bytes a thread and instruction, and what limits it.
fn widths(text: &str) -> Vec<String> {
    let kernel = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let facts = Facts::of(&kernel);
    let mut found = Vec::new();
    kernel.body.walk(&mut |inst| {
        if let Some(it) = access(&kernel, &facts, inst) {
            let limit =
                it.limit.map_or("nothing".to_owned(), |it| format!("{it:?}").to_lowercase());
            found.push(format!("{} of {} elements, limit: {limit}", it.elems, it.ideal_elems));
        }
    });
    found
}

/// Every warning of a kernel, with its reasons and help.
fn told(text: &str) -> Vec<String> {
    let kernel = parse(text).unwrap_or_else(|error| panic!("{error}"));
    let words = |it: &crate::diagnostic::Diagnostic| {
        let reasons = it.reasons.iter().map(|it| format!("\n  because {}", it.message));
        let help = it.help.iter().map(|it| format!("\n  help: {it}"));
        format!("{}: {}{}", it.code, it.message, reasons.chain(help).collect::<String>())
    };
    findings(&kernel).iter().map(words).collect()
}

#[test]
fn facts_in_the_where_clause_give_full_width() {
    assert_eq!(widths(samples::ADD), ["4 of 4 elements, limit: nothing"; 3]);
    assert_eq!(widths(samples::SOFTMAX), ["4 of 4 elements, limit: nothing"; 2]);
    assert!(told(samples::ADD).is_empty());
}

#[test]
fn a_mask_that_can_end_anywhere_is_named_with_the_size_to_bound() {
    let text = samples::ADD.replace("    fact divisible %n by 4\n", "");
    assert_eq!(widths(&text), ["1 of 4 elements, limit: mask"; 3]);
    assert_eq!(
        told(&text)[0],
        "P0101: this load is 4 bytes a thread where 16 would fit\
         \n  because the mask `i < ends` can change inside a group of 4 elements\
         \n  because nothing is known to divide `n`\
         \n  help: if the callers allow it, add `where n % 4 == 0`"
    );
}

#[test]
fn rows_that_begin_anywhere_are_named_with_the_size_to_bound() {
    let text = samples::SOFTMAX.replace("    fact divisible %cols by 4\n", "");
    assert_eq!(widths(&text), ["1 of 4 elements, limit: alignment"; 2]);
    assert_eq!(
        told(&text)[0],
        "P0101: this load is 4 bytes a thread where 16 would fit\
         \n  because row `r` starts at `r * cols`, so its alignment is 4 bytes\
         \n  because nothing is known to divide `cols`\
         \n  help: if the callers allow it, add `where cols % 4 == 0`"
    );
}

#[test]
fn a_tile_that_no_thread_can_hold_is_refused_alone() {
    let layout = |registers: u32| {
        let bases: Vec<String> = (0..registers).map(|bit| format!("[{}]", 32u64 << bit)).collect();
        format!(
            "kernel \"k\" for sm_90a warps 1 {{
                plan k threads 32
                grid [1]
                layout #L = [{}] register {} lane [1] [2] [4] [8] [16]
                body () {{ %a: f32[{}] @ #L = tile.const<0> }}
            }}",
            32u64 << registers,
            bases.join(" "),
            32u64 << registers,
        )
    };
    assert!(told(&layout(12)).is_empty());
    let told = told(&layout(13));
    assert_eq!(
        told,
        ["E0550: a tile of shape [262144] takes 8192 registers in each thread, `sm_90a` has 255\
          \n  help: spread it over more warps or blocks, or go over it in a loop a chunk at a time"]
    );
}

#[test]
fn a_divisor_of_two_gives_half_the_width() {
    let text = samples::SOFTMAX.replace("divisible %cols by 4", "divisible %cols by 2");
    assert_eq!(widths(&text), ["2 of 4 elements, limit: alignment"; 2]);
}

#[test]
fn a_base_that_is_less_aligned_limits_every_row() {
    let text = samples::ADD
        .replace("at %z dims [%n] strides [1] align 16", "at %z dims [%n] strides [1] align 8");
    assert_eq!(widths(&text)[2], "2 of 4 elements, limit: alignment");
    assert!(told(&text)[0].contains("`z` is aligned to 8 bytes"));
}

#[test]
fn a_size_that_is_unknown_on_both_sides_of_a_transpose_limits_both() {
    assert_eq!(
        widths(samples::TRANSPOSE),
        ["1 of 4 elements, limit: alignment", "1 of 4 elements, limit: alignment"]
    );
}

#[test]
fn values_from_memory_are_blamed_on_nobody() {
    let told = told(samples::ATOMICS);
    assert!(told.iter().all(|it| !it.contains("scattered")), "{told:#?}");
}

#[test]
fn an_unmasked_access_is_inside_when_ranges_say_so() {
    // `counts[bin]` has 64 elements and `bin` runs from 0 to 63; `x[at]` is below `n` by the loop.
    assert!(told(samples::ATOMICS).iter().all(|it| !it.starts_with("W0601")));
    let text = samples::ADD.replace(
        "memory.store<all, normal> %pz, %sum, %live",
        "memory.store<all, normal> %pz, %sum",
    );
    let told = told(&text);
    assert!(told[0].starts_with("W0601: this store is not masked"), "{told:#?}");
}
