//! As many groups of copies on every way through a kernel.
//!
//! A wait counts the groups that may stay in flight, so it can leave as many as are younger on *every* way that leads to
//! it. A way on which a stage is not filled has a group fewer, and one such way would make every wait wait for
//! all. Groups may be empty and cost nothing, so ways that lack some get empty ones:
//! * of an `if`, the branch that closes fewer; where the other closes its last ones at its end, they are closed after
//!   the `if` instead, for both;
//! * of a loop of at most a few turns, `for t in 0..min(2, n)`, the turns that did not happen.

use rustc_hash::FxHashMap;

use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, SiteId, Value, ValueDecl};
use crate::op::tile::BinaryOp;
use crate::op::{CopyOp, FlowOp, Op, SyncOp, TileOp};
use crate::value::to_int;

/// Turns of a loop up to which those that did not happen are made up for.
const TURNS_MAX: i64 = 64;

/// Evens out the groups of a kernel.
pub(super) fn even(kernel: &mut Kernel) {
    let mut constants = FxHashMap::default();
    let mut bounds = FxHashMap::default();
    kernel.body.walk(&mut |inst| match &inst.op {
        Op::Tile(TileOp::Const { bits }) => {
            let dtype = kernel.ty(inst.results[0]).elem.data().filter(|it| it.is_int());
            if let Some(value) = dtype.and_then(|it| i64::try_from(to_int(it, *bits)).ok()) {
                constants.insert(inst.results[0], value);
            }
        }
        Op::Tile(TileOp::Binary { op: BinaryOp::Min }) => {
            let bound = inst.operands.iter().copied().find(|it| constants.contains_key(it));
            bounds.extend(bound.map(|it| (inst.results[0], it)));
        }
        _ => {}
    });
    let mut body = std::mem::take(&mut kernel.body);
    let mut evening = Evening { values: &mut kernel.values, constants, bounds };
    evening.region(&mut body);
    kernel.body = body;
}

struct Evening<'a> {
    values: &'a mut Vec<ValueDecl>,
    constants: FxHashMap<Value, i64>,
    /// A minimum, and the constant that it is at most.
    bounds: FxHashMap<Value, Value>,
}

impl Evening<'_> {
    /// Evens out a region; how many groups it closes, if that is a number.
    fn region(&mut self, region: &mut Region) -> Option<u32> {
        let mut closed = Some(0);
        let insts = std::mem::take(&mut region.insts);
        for mut inst in insts {
            let site = inst.site;
            let mut after = Vec::new();
            let closes = match &inst.op {
                Op::Copy(CopyOp::Commit) => Some(1),
                Op::Flow(FlowOp::If) => self.branch(&mut inst, &mut after),
                Op::Flow(FlowOp::For { .. }) => self.turns(&mut inst, &mut after),
                Op::Flow(FlowOp::While) => {
                    let each: Vec<Option<u32>> =
                        inst.regions.iter_mut().map(|it| self.region(it)).collect();
                    each.iter().all(|it| *it == Some(0)).then_some(0)
                }
                _ => Some(0),
            };
            region.insts.push(inst);
            closed = closed.zip(closes).map(|(a, b)| a + b);
            region.insts.extend(after.into_iter().map(|it| match it {
                After::Commit => new_inst(Op::Copy(CopyOp::Commit), site),
                After::Inst(it) => it,
            }));
        }
        closed
    }

    fn branch(&mut self, inst: &mut Inst, after: &mut Vec<After>) -> Option<u32> {
        let site = inst.site;
        let [a, b] = &mut inst.regions[..] else { panic!("V3: an `if` has two regions") };
        let (n_a, n_b) = (self.region(a)?, self.region(b)?);
        let (more, fewer) = if n_a < n_b { (b, a) } else { (a, b) };
        for _ in 0..n_a.abs_diff(n_b) {
            if drop_last(more) {
                after.push(After::Commit);
            } else {
                fewer.insts.push(new_inst(Op::Copy(CopyOp::Commit), site));
            }
        }
        Some(n_a.max(n_b))
    }

    fn turns(&mut self, inst: &mut Inst, after: &mut Vec<After>) -> Option<u32> {
        let each = self.region(&mut inst.regions[0])?;
        if each == 0 {
            return Some(0);
        }
        let [lo, hi, step] = [inst.operands[0], inst.operands[1], inst.operands[2]];
        let number = |it: &Value| self.constants.get(it).copied();
        let most = self.bounds.get(&hi).copied().or_else(|| number(&hi).map(|_| hi))?;
        let (first, last, step_by) = (number(&lo)?, number(&most)?, number(&step)?);
        let n_turns = last.checked_sub(first)?.max(0);
        if step_by != 1 || TURNS_MAX < n_turns {
            return None;
        }
        if most != hi {
            let from = self.max(lo, hi, inst.site, after);
            let mut body = Region { params: vec![self.like(lo)], ..Region::default() };
            for _ in 0..each {
                body.insts.push(new_inst(Op::Copy(CopyOp::Commit), inst.site));
            }
            let op = FlowOp::For { unroll: None, stages: None };
            let mut missing = new_inst(Op::Flow(op), inst.site);
            missing.operands = [from, most, step].into_iter().collect();
            missing.regions = vec![body];
            after.push(After::Inst(missing));
        }
        u32::try_from(n_turns).ok()?.checked_mul(each)
    }

    fn like(&mut self, value: Value) -> Value {
        let decl = ValueDecl { ty: self.values[value.0 as usize].ty.clone(), name: "".into() };
        self.values.push(decl);
        Value(self.values.len() as u32 - 1)
    }

    /// The larger: the turns that happened end there.
    fn max(&mut self, a: Value, b: Value, site: SiteId, after: &mut Vec<After>) -> Value {
        let result = self.like(a);
        let mut inst = new_inst(Op::Tile(TileOp::Binary { op: BinaryOp::Max }), site);
        inst.operands = [a, b].into_iter().collect();
        inst.results.push(result);
        after.push(After::Inst(inst));
        result
    }
}

/// What stands after an instruction.
enum After {
    Commit,
    Inst(Inst),
}

/// Takes away the last instruction that closes a group, if only order between threads comes after it.
fn drop_last(region: &mut Region) -> bool {
    for at in (0..region.insts.len()).rev() {
        match &region.insts[at].op {
            Op::Copy(CopyOp::Commit) => {
                region.insts.remove(at);
                return true;
            }
            Op::Sync(SyncOp::Arrive { .. }) | Op::Copy(CopyOp::Hold | CopyOp::Signal { .. }) => {}
            _ => return false,
        }
    }
    false
}
