//! What the compiler puts into kernels of roles for the copy engine and the matrix units: fences and waits.

use std::sync::Arc;

use tile_language::ir::Kernel;
use tile_language::op::{CopyOp, Op};
use tile_language::pass::{self, Order, Verb};
use tile_language::query::Database;
use tile_language::target::TargetId;

const MIXTURE: &str = include_str!("../../examples/hopper/mixture.tile");
const MATMUL: &str = include_str!("../../examples/hopper/matmul.tile");

fn kernels(text: &str) -> Vec<Arc<Kernel>> {
    let mut db = Database::default();
    let file = db.set_file("kernels.tile", text);
    let target = TargetId::from_name("sm_90a").expect("a row of the table");
    db.kernels(file, target).into_iter().map(|it| it.1).collect()
}

/// Waits until boxes are written, not only read.
fn written(kernel: &Kernel) -> usize {
    let mut n = 0;
    kernel.body.walk(&mut |inst| {
        n += usize::from(matches!(inst.op, Op::Copy(CopyOp::WaitOut { read: false, .. })));
    });
    n
}

#[test]
fn what_one_roles_warps_copy_each_role_that_multiplies_fences_before_its_products() {
    let kernels = kernels(MIXTURE);
    let fences =
        pass::prepare(&kernels[0]).placed.into_iter().filter(|it| it.order == Order::Fence);
    let why: Vec<_> = fences.map(|it| (it.why.first.0, it.why.second.0)).collect();
    assert_eq!(why, [(Verb::Copy, Verb::Multiply); 2]);
}

#[test]
fn what_the_copy_engine_brings_needs_no_fence_and_what_nobody_looks_at_no_wait() {
    for kernel in kernels(MATMUL) {
        let placed = pass::prepare(&kernel).placed;
        assert!(placed.iter().all(|it| it.order != Order::Fence), "{placed:?}");
        assert_eq!(written(&kernel), 0);
    }
}

/// A role sends a box and then does something.
fn sends(and_then: &str, other: &str) -> usize {
    let text = format!(
        "kernel sent(y: global mut f32[64], z: global mut f32[64]) grid [1] {{
            const L = blocked(regs: [2], lanes: [32], warps: [1]);
            let yt = y.tiles([64]);
            let s: shared yt.tile;
            let told: barrier;
            roles {{
                one: warps 1 {{
                    s.store(zeros(f32[64] @ L));
                    copy(s, into: yt[0]);
                    {and_then}
                }}
                two: warps 1 {{ {other} }}
            }}
        }}"
    );
    written(&kernels(&text)[0])
}

#[test]
fn a_box_is_written_before_its_role_or_one_that_is_told_looks_there() {
    let look = "store(z.at(iota(64) @ L), load(y.at(iota(64) @ L)));";
    let elsewhere = "store(z.at(iota(64) @ L), zeros(f32[64] @ L));";
    assert_eq!(sends(look, ""), 1);
    assert_eq!(sends(elsewhere, ""), 0);
    assert_eq!(sends(&format!("for i in 0..3 {{ {look} copy(s, into: yt[0]); }}"), ""), 1);
    assert_eq!(sends("told.arrive();", &format!("told.wait(1); {look}")), 1);
    assert_eq!(sends("told.arrive();", &format!("told.wait(1); {elsewhere}")), 0);
}
