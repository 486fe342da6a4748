//! Rings of one role: what the passes make of them, and that the checker and the interpreter agree on
//! which programs hang.

use std::fmt::Write as _;
use std::sync::Arc;

use tile_language::diagnostic::Code;
use tile_language::ir::Kernel;
use tile_language::op::{CopyOp, Op, SyncOp};
use tile_language::pass::{Order, prepare};
use tile_language::query::Database;
use tile_language::target::TargetId;

fn target() -> TargetId {
    TargetId::from_name("sm_80").expect("a row of the table")
}

fn kernel(text: &str) -> Arc<Kernel> {
    let mut db = Database::default();
    let file = db.set_file("rings.tile", text);
    let kernels = db.kernels(file, target());
    let (_, kernel) = kernels.into_iter().next().unwrap_or_else(|| panic!("{text}"));
    kernel
}

/// A kernel that drains every tile of a tensor, with `ahead` stages filled before.
fn filled_ahead(stages: u32, ahead: u32) -> String {
    format!(
        "kernel k(x: global f32[n], y: global mut f32[n]) where n % 4 == 0 grid [1] warps 2 {{
    const L = blocked(regs: [2], lanes: [32], warps: [2]);
    let xt = x.tiles([128]);
    let count = xt.count(0);
    let ring = Ring[{stages}](x: xt.tile);
    for t in 0..min({ahead}, count) {{
        copy(xt[t], into: ring.fill().x);
    }}
    for t in 0..count {{
        let slot = ring.drain();
        let i = t * 128 + iota(128) @ L;
        store(y.at(i), slot.x.load(L), mask: i < n);
        slot.release();
        if t + {ahead} < count {{
            copy(xt[t + {ahead}], into: ring.fill().x);
        }}
    }}
}}
"
    )
}

#[test]
fn a_drain_leaves_the_younger_stages_in_flight_and_meets_once_a_turn() {
    for (stages, ahead) in [(2, 1), (3, 2), (4, 3), (5, 2), (8, 7)] {
        let kernel = kernel(&filled_ahead(stages, ahead));
        let mut waits = Vec::new();
        kernel.body.walk(&mut |inst| {
            if let Op::Copy(CopyOp::Wait { in_flight }) = inst.op {
                waits.push(in_flight);
            }
        });
        assert_eq!(waits, [ahead - 1], "{stages} stages, {ahead} ahead");
        let prepared = prepare(&kernel);
        let is_barrier = |it: &&tile_language::pass::Placed| it.order == Order::Barrier;
        let n_barriers = prepared.placed.iter().filter(is_barrier).count();
        // With as many stages ahead as there are, a stage is filled again in the turn that reads it.
        assert_eq!(n_barriers, 1, "{stages} stages, {ahead} ahead");
        prepared.kernel.body.walk(&mut |inst| {
            assert!(
                !matches!(inst.op, Op::Sync(SyncOp::Mbarriers { .. } | SyncOp::Wait)),
                "a ring of one role needs no mbarriers"
            );
        });
    }
}

/// Takes from a ring of `stages`, in the order of the letters: `f` fills and `d` drains a stage.
fn in_order(stages: usize, hands: &str) -> String {
    let mut body = String::new();
    for hand in hands.chars() {
        let _ = match hand {
            'f' => writeln!(body, "    ring.fill().x.store(v);"),
            _ => writeln!(body, "    v = v + ring.drain().x.load(L);"),
        };
    }
    format!(
        "kernel k(y: global mut f32[64]) grid [1] warps 1 {{
    const L = blocked(regs: [2], lanes: [32], warps: [1]);
    let ring = Ring[{stages}](x: f32[64] @ plain());
    var v = zeros(f32[64]) @ L;
{body}    store(y.at(iota(64) @ L), v);
}}
"
    )
}

/// Whether a hand waits for ever: a fill of a ring that is full, a drain of one that is empty.
fn hangs(stages: usize, hands: &str) -> bool {
    let mut full = 0;
    hands.chars().any(|hand| {
        let stuck = if hand == 'f' { full == stages } else { full == 0 };
        full = if hand == 'f' { full + 1 } else { full.saturating_sub(1) };
        stuck
    })
}

#[test]
fn a_program_is_refused_if_and_only_if_a_hand_waits_for_ever() {
    let mut db = Database::default();
    for stages in 1..=3 {
        for number in 0..64u32 {
            let hands: String =
                (0..6).map(|at| if number >> at & 1 == 0 { 'f' } else { 'd' }).collect();
            let file = db.set_file("rings.tile", &in_order(stages, &hands));
            let found = db.check(file, &[target()]);
            let is_refused = found.iter().any(|it| it.code == Code::E0704);
            assert_eq!(is_refused, hangs(stages, &hands), "{stages} stages: {hands}");
        }
    }
}
