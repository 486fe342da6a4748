//! Kernels with one thing changed in their synchronisation: what somebody could get wrong who wrote it by hand.
//!
//! Of roles that are copies of each other the first one is changed. A change that no kernel could have, since a value
//! would be used before it is there, is none.

use tile_language::dtype::DType;
use tile_language::ir::{
    Elem, Inst, Kernel, Region, SiteId, Type, Value, ValueDecl, verify::verify,
};
use tile_language::op::tile::{BinaryOp, CmpOp};
use tile_language::op::{CopyOp, FlowOp, MmaOp, Op, SyncOp, TileOp};
use tile_language::value;

/// What becomes of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// It is left out.
    Drop,
    /// It is done twice.
    Double,
    /// It is done after the next event of its region.
    Later,
    /// It is done before the last event of its region.
    Sooner,
    /// A wait for more or fewer phases, a loop of more or fewer turns, more or fewer arrivals, stages of a ring.
    Count(i64),
    /// Half of the bytes.
    Half,
    /// More bytes by 16.
    More,
    /// One group more stays in flight.
    InFlight,
    /// It is about the barrier that the region took before.
    OtherBarrier,
    /// The role ends here.
    Leave,
}

impl Change {
    /// In words.
    pub(crate) fn words(self, op: &Op) -> &'static str {
        let is_loop = matches!(op, Op::Flow(FlowOp::For { .. }));
        match self {
            Change::Drop => "dropped",
            Change::Double => "twice",
            Change::Later => "after the next event",
            Change::Sooner => "before the last event",
            Change::Count(by) if is_loop && 0 < by => "a turn more",
            Change::Count(_) if is_loop => "a turn less",
            Change::Count(by) if 0 < by => "one more",
            Change::Count(_) => "one fewer",
            Change::Half => "half the bytes",
            Change::More => "16 bytes more",
            Change::InFlight => "one more stays in flight",
            Change::OtherBarrier => "of the barrier before",
            Change::Leave => "the role ends before it",
        }
    }
}

/// A change of an instruction.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// The role that it is in; empty before the roles.
    pub(crate) role: String,
    /// The operation, with its number among those of the role if that is not the first.
    pub(crate) what: String,
    pub(crate) change: Change,
    pub(crate) kernel: Kernel,
    /// The way to the instruction: which one of a region, and which region of it.
    way: Vec<(usize, usize)>,
}

impl Mutant {
    /// The region that the instruction is in, in the kernel as it was, and which one it is.
    pub(crate) fn place<'k>(&self, before: &'k Kernel) -> (&'k Region, usize) {
        let (&(last, _), way) = self.way.split_last().expect("a way ends at an instruction");
        let inside = |region: &'k Region, &(inst, inner): &(usize, usize)| {
            &region.insts[inst].regions[inner]
        };
        (way.iter().fold(&before.body, inside), last)
    }

    /// The instruction, in the kernel as it was.
    pub(crate) fn inst<'k>(&self, before: &'k Kernel) -> &'k Inst {
        let (region, at) = self.place(before);
        &region.insts[at]
    }

    /// Whether it stands in a loop of its role.
    pub(crate) fn is_in_loop(&self, before: &Kernel) -> bool {
        let mut region = &before.body;
        self.way[..self.way.len() - 1].iter().any(|&(inst, inner)| {
            let owner = &region.insts[inst];
            region = &owner.regions[inner];
            matches!(owner.op, Op::Flow(FlowOp::For { .. }))
        })
    }
}

/// Whether an instruction is one that orders others, or starts something that is waited for.
pub(crate) fn is_event(inst: &Inst) -> bool {
    match &inst.op {
        Op::Copy(_) => true,
        Op::Sync(it) => !matches!(it, SyncOp::Mbarriers { .. }),
        Op::Mma(it) => !matches!(it, MmaOp::Mma { .. }),
        Op::Flow(_) | Op::Tile(_) | Op::Memory(_) | Op::Shared(_) => false,
    }
}

fn has_events(inst: &Inst) -> bool {
    let inner = || inst.regions.iter().flat_map(|it| &it.insts);
    is_event(inst) || inner().any(has_events)
}

/// Every change of a kernel that the verifier accepts.
pub(crate) fn mutants(kernel: &Kernel) -> Vec<Mutant> {
    let mut found = Vec::new();
    let mut walk = Walk { kernel, role: String::new(), seen: Vec::new(), found: &mut found };
    walk.region(&kernel.body, &mut Vec::new());
    found.retain(|it| it.kernel != *kernel && verify(&it.kernel).is_empty());
    found
}

struct Walk<'k, 'f> {
    kernel: &'k Kernel,
    role: String,
    /// Operations of the role so far.
    seen: Vec<String>,
    found: &'f mut Vec<Mutant>,
}

impl<'k> Walk<'k, '_> {
    fn region(&mut self, region: &'k Region, way: &mut Vec<(usize, usize)>) {
        for (at, inst) in region.insts.iter().enumerate() {
            for change in self.changes(region, at) {
                way.push((at, 0));
                self.add(inst, change, way);
                way.pop();
            }
            self.seen.push(inst.op.row().name.to_owned());
            self.inside(inst, at, way);
        }
    }

    fn inside(&mut self, inst: &'k Inst, at: usize, way: &mut Vec<(usize, usize)>) {
        let mut copied: Option<&str> = None;
        for (number, inner) in inst.regions.iter().enumerate() {
            if let Op::Flow(FlowOp::Roles { roles }) = &inst.op {
                let name = roles[number].name.as_str();
                if copied == Some(name) {
                    continue;
                }
                copied = Some(name);
                name.clone_into(&mut self.role);
                self.seen.clear();
            }
            way.push((at, number));
            self.region(inner, way);
            way.pop();
        }
    }

    fn changes(&self, region: &Region, at: usize) -> Vec<Change> {
        let inst = &region.insts[at];
        let mut res = Vec::new();
        if is_event(inst) {
            res.push(Change::Drop);
        }
        if is_event(inst) && inst.results.is_empty() {
            res.extend([Change::Double, Change::Later]);
        }
        match &inst.op {
            Op::Sync(SyncOp::Wait) => {
                res.extend([Change::Count(1), Change::Count(-1), Change::OtherBarrier]);
            }
            Op::Sync(SyncOp::Mbarriers { .. }) => {
                res.extend([Change::Count(1), Change::Count(-1)]);
            }
            Op::Sync(SyncOp::Arrive { .. }) => res.extend([Change::Sooner, Change::OtherBarrier]),
            Op::Sync(SyncOp::Expect { .. }) => {
                res.extend([Change::Half, Change::More, Change::OtherBarrier]);
            }
            Op::Copy(CopyOp::Box { .. }) => res.push(Change::OtherBarrier),
            Op::Copy(CopyOp::WaitOut { .. }) | Op::Mma(MmaOp::Wait { .. }) => {
                res.push(Change::InFlight);
            }
            Op::Flow(FlowOp::For { .. }) if has_events(inst) => {
                res.extend([Change::Count(1), Change::Count(-1)]);
                if !self.role.is_empty() {
                    res.push(Change::Leave);
                }
            }
            // A release that is left to a later turn.
            Op::Flow(FlowOp::If) if inst.results.is_empty() && has_events(inst) => {
                res.push(Change::Sooner);
            }
            // How many stages a ring has: the number that the next stage is compared with.
            Op::Tile(TileOp::Const { .. }) if is_depth(region, at) => {
                res.extend([Change::Count(1), Change::Count(-1)]);
            }
            _ => {}
        }
        res
    }

    fn add(&mut self, inst: &Inst, change: Change, way: &[(usize, usize)]) {
        let mut kernel = self.kernel.clone();
        let mut body = std::mem::take(&mut kernel.body);
        if edit(&mut body, way, change, &mut kernel.values).is_none() {
            return;
        }
        kernel.body = body;
        let name = inst.op.row().name;
        let number = 1 + self.seen.iter().filter(|it| *it == name).count();
        let what = if number == 1 { name.to_owned() } else { format!("{name} {number}") };
        let (role, way) = (self.role.clone(), way.to_vec());
        self.found.push(Mutant { role, what, change, kernel, way });
    }
}

/// Whether a constant is compared with the stage after this one, in a role that goes round a ring.
fn is_depth(region: &Region, at: usize) -> bool {
    let depth = region.insts[at].results[0];
    let compares =
        |it: &Inst| it.op == Op::Tile(TileOp::Cmp { op: CmpOp::Eq }) && it.operands[1] == depth;
    let Some(compare) = region.insts[at..].iter().find(|it| compares(it)) else { return false };
    let decides = |it: &Inst| {
        it.op == Op::Flow(FlowOp::If)
            && it.operands[0] == compare.results[0]
            && it.results.len() == 2
    };
    region.insts[at..].iter().any(decides)
}

/// Changes the instruction at the end of a way; `None` if there is nothing that it could become.
fn edit(
    region: &mut Region,
    way: &[(usize, usize)],
    change: Change,
    values: &mut Vec<ValueDecl>,
) -> Option<()> {
    let &[(at, _)] = way else {
        let ((inst, inner), rest) = way.split_first().expect("a way ends at an instruction");
        return edit(&mut region.insts[*inst].regions[*inner], rest, change, values);
    };
    match change {
        Change::Drop => drop_inst(region, at),
        Change::Double => region.insts.insert(at + 1, region.insts[at].clone()),
        Change::Later => {
            let by = region.insts[at + 1..].iter().position(has_events)?;
            let inst = region.insts.remove(at);
            region.insts.insert(at + by + 1, inst);
        }
        Change::Sooner => {
            let to = region.insts[..at].iter().rposition(has_events)?;
            let inst = region.insts.remove(at);
            region.insts.insert(to, inst);
        }
        Change::Half => scale_bytes(&mut region.insts[at], |it| it / 2),
        Change::More => scale_bytes(&mut region.insts[at], |it| it + 16),
        Change::InFlight => match &mut region.insts[at].op {
            Op::Copy(CopyOp::WaitOut { in_flight, .. }) => *in_flight += 1,
            Op::Mma(MmaOp::Wait { in_flight }) => *in_flight = Some(in_flight.unwrap_or(0) + 1),
            _ => return None,
        },
        Change::OtherBarrier => other_barrier(region, at, values)?,
        Change::Leave => {
            region.insts.truncate(at);
            region.yields.clear();
        }
        Change::Count(by) => count(region, at, by, values),
    }
    Some(())
}

/// Leaves an instruction out; what it gave is what it was given.
fn drop_inst(region: &mut Region, at: usize) {
    let inst = region.insts.remove(at);
    if let Op::Mma(MmaOp::Wgmma { .. }) = inst.op {
        rename(region, inst.results[0], inst.operands[2]);
        return;
    }
    for (&result, &operand) in inst.results.iter().zip(&inst.operands) {
        rename(region, result, operand);
    }
}

fn rename(region: &mut Region, from: Value, to: Value) {
    let swap = |it: &mut Value| {
        if *it == from {
            *it = to;
        }
    };
    for inst in &mut region.insts {
        inst.operands.iter_mut().for_each(swap);
        inst.regions.iter_mut().for_each(|it| rename(it, from, to));
    }
    region.yields.iter_mut().for_each(swap);
}

fn scale_bytes(inst: &mut Inst, f: impl Fn(u32) -> u32) {
    if let Op::Sync(SyncOp::Expect { bytes }) = &mut inst.op {
        *bytes = f(*bytes);
    }
}

/// Gives an instruction the barrier that was last taken before its own, of another list.
fn other_barrier(region: &mut Region, at: usize, values: &[ValueDecl]) -> Option<()> {
    let is_barrier = |it: &Value| values[it.0 as usize].ty.elem == Elem::Barrier;
    let own = region.insts[at].operands.iter().position(is_barrier)?;
    let barrier = region.insts[at].operands[own];
    let takes = |it: &&Inst| it.results.first().is_some_and(&is_barrier);
    let taken = || region.insts[..at].iter().filter(takes);
    let list = taken().find(|it| it.results[0] == barrier)?.operands.first().copied();
    let other = taken().rfind(|it| it.operands.first().copied() != list)?;
    region.insts[at].operands[own] = other.results[0];
    Some(())
}

fn count(region: &mut Region, at: usize, by: i64, values: &mut Vec<ValueDecl>) {
    match &mut region.insts[at].op {
        Op::Sync(SyncOp::Mbarriers { arrivals, .. }) => {
            *arrivals = arrivals.saturating_add_signed(by as i32).max(1);
            return;
        }
        Op::Tile(TileOp::Const { bits }) => {
            *bits = bits.wrapping_add_signed(by);
            return;
        }
        _ => {}
    }
    let site = region.insts[at].site;
    let old = region.insts[at].operands[1];
    let dtype = values[old.0 as usize].ty.elem.data().expect("a count is a number");
    let number = TileOp::Const { bits: value::from_int(dtype, by.into()) };
    let number = made(number, &[], dtype, site, values);
    let sum = TileOp::Binary { op: BinaryOp::Add };
    let sum = made(sum, &[old, number.results[0]], dtype, site, values);
    region.insts[at].operands[1] = sum.results[0];
    region.insts.insert(at, sum);
    region.insts.insert(at, number);
}

fn made(
    op: TileOp,
    operands: &[Value],
    dtype: DType,
    site: SiteId,
    values: &mut Vec<ValueDecl>,
) -> Inst {
    let result = Value(values.len() as u32);
    values.push(ValueDecl { ty: Type::scalar(dtype), name: "".into() });
    let operands = operands.iter().copied().collect();
    Inst { op: op.into(), operands, results: [result].into_iter().collect(), regions: vec![], site }
}
