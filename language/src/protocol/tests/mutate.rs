//! Kernels with one thing changed: an event dropped, doubled or done later, a count or a bound off by one.

use crate::dtype::DType;
use crate::ir::{Inst, Kernel, Region, SiteId, Type, Value, ValueDecl};
use crate::op::tile::BinaryOp;
use crate::op::{CopyOp, FlowOp, Op, SyncOp, TileOp};
use crate::pass::new_inst;
use crate::protocol::skeleton::is_event;
use crate::value;

/// What is changed at an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    Drop,
    Double,
    /// Done after the next event of the region.
    Later,
    /// A wait for more or fewer phases, a loop of more or fewer turns, more or fewer arrivals.
    Count(i64),
    /// Half the bytes.
    Half,
}

/// The instructions that can be changed, each with its changes.
pub(super) fn changes(kernel: &Kernel) -> Vec<(usize, Change)> {
    let mut found = Vec::new();
    let mut at = 0;
    kernel.body.walk(&mut |inst| {
        found.extend(of(inst).into_iter().map(|it| (at, it)));
        at += 1;
    });
    found
}

fn of(inst: &Inst) -> Vec<Change> {
    let mut res = Vec::new();
    if is_event(inst) && inst.results.is_empty() {
        res.extend([Change::Drop, Change::Double, Change::Later]);
    }
    match inst.op {
        Op::Sync(SyncOp::Wait | SyncOp::Mbarriers { .. }) | Op::Flow(FlowOp::For { .. }) => {
            res.extend([Change::Count(1), Change::Count(-1)]);
        }
        Op::Sync(SyncOp::Expect { .. }) | Op::Copy(CopyOp::Signal { .. }) => res.push(Change::Half),
        _ => {}
    }
    res
}

/// The kernel with a change at its instruction of that number.
pub(super) fn changed(kernel: &Kernel, at: usize, change: Change) -> Kernel {
    let mut kernel = kernel.clone();
    let mut body = std::mem::take(&mut kernel.body);
    let mut next = 0;
    edit(&mut body, &mut next, at, change, &mut kernel.values);
    kernel.body = body;
    kernel
}

/// Walks as [`Region::walk`] does; whether the instruction was found.
fn edit(
    region: &mut Region,
    next: &mut usize,
    at: usize,
    change: Change,
    values: &mut Vec<ValueDecl>,
) -> bool {
    for n in 0..region.insts.len() {
        if *next == at {
            apply(region, n, change, values);
            return true;
        }
        *next += 1;
        for inner in &mut region.insts[n].regions {
            if edit(inner, next, at, change, values) {
                return true;
            }
        }
    }
    false
}

fn apply(region: &mut Region, n: usize, change: Change, values: &mut Vec<ValueDecl>) {
    match change {
        Change::Drop => {
            region.insts.remove(n);
        }
        Change::Double => region.insts.insert(n + 1, region.insts[n].clone()),
        Change::Later => {
            let later = region.insts[n + 1..].iter().position(is_event);
            if let Some(by) = later {
                let inst = region.insts.remove(n);
                region.insts.insert(n + by + 1, inst);
            }
        }
        Change::Half => match &mut region.insts[n].op {
            Op::Sync(SyncOp::Expect { bytes }) | Op::Copy(CopyOp::Signal { bytes }) => *bytes /= 2,
            _ => {}
        },
        Change::Count(by) => count(region, n, by, values),
    }
}

fn count(region: &mut Region, n: usize, by: i64, values: &mut Vec<ValueDecl>) {
    if let Op::Sync(SyncOp::Mbarriers { arrivals, .. }) = &mut region.insts[n].op {
        *arrivals = arrivals.saturating_add_signed(by as i32).max(1);
        return;
    }
    let site = region.insts[n].site;
    let old = region.insts[n].operands[1];
    let dtype = values[old.0 as usize].ty.elem.data().expect("a count is a number");
    let mut made = |op: TileOp, operands: &[Value]| made(op, operands, dtype, site, values);
    let number = made(TileOp::Const { bits: value::from_int(dtype, by.into()) }, &[]);
    let sum = made(TileOp::Binary { op: BinaryOp::Add }, &[old, number.results[0]]);
    region.insts[n].operands[1] = sum.results[0];
    region.insts.insert(n, sum);
    region.insts.insert(n, number);
}

fn made(
    op: TileOp,
    operands: &[Value],
    dtype: DType,
    site: SiteId,
    values: &mut Vec<ValueDecl>,
) -> Inst {
    let mut inst = new_inst(op.into(), site);
    inst.operands.extend_from_slice(operands);
    inst.results.push(Value(values.len() as u32));
    values.push(ValueDecl { ty: Type::scalar(dtype), name: "".into() });
    inst
}
