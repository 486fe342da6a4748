//! Stages that products in flight read: where their permits end.

use tile_language::query::Database;
use tile_language::target::TargetId;

/// What a role of a kernel does in order: flow, products, barriers.
fn order(body: &str) -> String {
    let text = format!(
        "kernel k(a: global bf16[n, 64, 64], c: global mut f32[64, 64]) grid [1] {{
            let at = a.tiles([_, 64, 64], nvmma(swizzle: 128));
            let ring = Ring[3](x: at.tile);
            roles {{
                load: warps 1 {{
                    for t, slot in ring.fill(0..n) {{ copy(at[t, 0, 0], into: slot.x); }}
                }}
                math: warps 4 {{
                    const C = wgmma::acc(n: 64);
                    let (i, j) = coords([64, 64] @ C);
                    {body}
                }}
            }}
        }}"
    );
    let target = TargetId::from_name("sm_90a").expect("a row of the table");
    let mut db = Database::default();
    let file = db.set_file("k.tile", &text);
    let found = db.check(file, &[target]);
    assert!(found.iter().all(|it| !it.code.to_string().starts_with('E')), "{found:#?}");
    let (_, kernel) = db.kernels(file, target).remove(0);
    let text = kernel.to_string();
    let math = text.split("mma.").next().map_or(0, |it| it.rfind("sync.wait").unwrap_or(0));
    let start = text[..math].rfind("flow.for").unwrap_or(math);
    let lines = text[start..].lines().filter_map(|line| {
        let indent = line.len() - line.trim_start().len();
        let words = ["flow.if", "flow.for", "mma.wgmma", "mma.wait", "sync.wait", "sync.arrive"];
        let word = words.iter().find(|it| line.contains(**it))?;
        let number = line.split_once(*word)?.1.split([' ', ',']).next()?;
        Some(format!("{}{word}{number}", " ".repeat(indent / 2)))
    });
    let lines: Vec<String> = lines.collect();
    let least = lines.iter().map(|it| it.len() - it.trim_start().len()).min().unwrap_or(0);
    lines.iter().map(|it| format!("{}\n", it[least..].trim_end_matches(','))).collect()
}

#[test]
fn a_stage_whose_product_stays_in_flight_is_given_back_a_turn_later() {
    insta::assert_snapshot!(order(
        "var acc = zeros(f32[64, 64] @ C);
        for t, slot in ring.drain(0..n) {
            acc = wgmma(slot.x, slot.x, acc);
            acc.wait(in_flight: 1);
        }
        store(c.at(i, j), acc.wait());"
    ));
}

#[test]
fn a_stage_whose_product_is_waited_for_is_given_back_at_once() {
    insta::assert_snapshot!(order(
        "var acc = zeros(f32[64, 64] @ C);
        for t, slot in ring.drain(0..n) {
            let part = wgmma(slot.x, slot.x);
            acc = acc + part.wait();
        }
        store(c.at(i, j), acc);"
    ));
}

#[test]
fn a_stage_borrowed_before_the_loop_is_given_back_in_it_without_a_question() {
    insta::assert_snapshot!(order(
        "if n > 0 {
            let first = ring.drain();
            var acc = wgmma(first.x, first.x);
            first.release();
            for t in 1..n {
                let slot = ring.drain();
                acc = wgmma(slot.x, slot.x, acc);
                acc.wait(in_flight: 1);
            }
            store(c.at(i, j), acc.wait());
        }"
    ));
}
