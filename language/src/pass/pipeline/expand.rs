//! The expander: from a loop and any schedule to a prologue and a loop of overlapped iterations.
//!
//! # Idea
//! Turn `k` of the new loop does stage `s` for iteration `k + last - s`. Turns before the first have
//! only the stages whose iterations have begun; they are written out before the loop. There is no
//! epilogue: a stage before the last runs past the end in the last turns, and what it does there is
//! predicated off. A value that a later stage uses is carried as many turns as the stages are apart;
//! each stage that uses free carried values counts its own.
//!
//! # Invariants
//! * E1: a step of a stage before the last can be predicated: a copy, a load, or something without
//!   effect that matters.
//! * E2: rows only use what rows of their own or an earlier stage define.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::{SmallVec, smallvec};

use super::super::place::new_inst;
use super::schedule::{Row, Schedule, Step, define};
use crate::dtype::DType;
use crate::ir::{Elem, Inst, Kernel, Region, SiteId, Type, Value};
use crate::op::tile::{BinaryOp, CmpOp};
use crate::op::{CopyOp, FlowOp, MemoryOp, Op, TileOp};

/// The instructions that do what `looped` does, by the schedule.
pub(super) fn expand(kernel: &mut Kernel, looped: Inst, schedule: Schedule) -> Vec<Inst> {
    let mut expander = Expander::new(kernel, looped, schedule);
    expander.out.extend(expander.schedule.allocs.clone());
    for turn in 0..expander.schedule.last {
        expander.prologue(turn);
    }
    expander.steady();
    if expander.schedule.flies {
        let wait = Op::Copy(CopyOp::Wait { in_flight: 0 });
        expander.out.push(new_inst(wait, expander.looped.site));
    }
    expander.out
}

/// Values of the original body as they are in one stage of one turn.
#[derive(Default)]
struct Stage {
    values: FxHashMap<Value, Value>,
    /// Whether the iteration exists; `None` if that is sure.
    exists: Option<Value>,
    /// Whether the original names are this stage's.
    is_own: bool,
}

struct Expander<'k> {
    kernel: &'k mut Kernel,
    looped: Inst,
    schedule: Schedule,
    /// Step by result.
    definitions: FxHashMap<Value, usize>,
    /// Rows in the order of a turn.
    order: Vec<usize>,
    /// What rows define, by turn of the prologue.
    defined: FxHashMap<(Value, u32), Value>,
    /// Free carried values, by stage and number, as the next iteration of the stage has them.
    counted: FxHashMap<(u32, usize), Value>,
    out: Vec<Inst>,
}

impl<'k> Expander<'k> {
    fn new(kernel: &'k mut Kernel, looped: Inst, schedule: Schedule) -> Expander<'k> {
        let steps = schedule.steps.iter().enumerate();
        let definitions = steps
            .flat_map(|(at, step)| step.inst.results.iter().map(move |&it| (it, at)))
            .collect();
        let row = |it: usize| schedule.steps[it].row.map(|row| row.order);
        let mut order: Vec<usize> =
            (0..schedule.steps.len()).filter(|&it| row(it).is_some()).collect();
        order.sort_by_key(|&it| row(it));
        let (defined, counted) = (FxHashMap::default(), FxHashMap::default());
        Expander { kernel, looped, schedule, definitions, order, defined, counted, out: Vec::new() }
    }

    fn body(&self) -> &Region {
        &self.looped.regions[0]
    }

    fn site(&self) -> SiteId {
        self.looped.site
    }

    /// The carried values' numbers.
    fn carried(&self) -> std::ops::Range<usize> {
        0..self.body().yields.len()
    }

    fn row(&self, step: usize) -> Row {
        self.schedule.steps[step].row.expect("only rows are in the order of a turn")
    }

    /// Stages that have steps, the last included.
    fn stages(&self) -> Vec<u32> {
        let used: FxHashSet<u32> = self.order.iter().map(|&it| self.row(it).stage).collect();
        (0..=self.schedule.last).filter(|it| used.contains(it)).collect()
    }

    fn emit(&mut self, op: Op, operands: &[Value], ty: Type) -> Value {
        let result = define(self.kernel, ty, "");
        let mut inst = new_inst(op, self.site());
        inst.operands = SmallVec::from_slice(operands);
        inst.results = smallvec![result];
        self.out.push(inst);
        result
    }

    fn constant(&mut self, ty: Type, value: u32) -> Value {
        self.emit(Op::Tile(TileOp::Const { bits: value.into() }), &[], ty)
    }

    fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Value {
        let ty = self.kernel.ty(a).clone();
        self.emit(Op::Tile(TileOp::Binary { op }), &[a, b], ty)
    }

    fn is_below(&mut self, a: Value, b: Value) -> Value {
        let op = Op::Tile(TileOp::Cmp { op: CmpOp::Lt });
        self.emit(op, &[a, b], Type::scalar(DType::Bool))
    }

    /// `from` and `n` steps of the loop.
    fn ahead(&mut self, from: Value, n: u32) -> Value {
        let step = self.looped.operands[2];
        let by = match n {
            0 => return from,
            1 => step,
            _ => {
                let n = self.constant(self.kernel.ty(step).clone(), n);
                self.binary(BinaryOp::Mul, step, n)
            }
        };
        self.binary(BinaryOp::Add, from, by)
    }

    /// A turn before the first: `turn + 1` of them have begun iterations.
    fn prologue(&mut self, turn: u32) {
        let (last, [lo, hi]) = (self.schedule.last, [0, 1].map(|it| self.looped.operands[it]));
        let stages: Vec<u32> =
            self.stages().into_iter().filter(|&it| it <= turn && it < last).collect();
        let mut turns = FxHashMap::default();
        for &stage in &stages {
            let iteration = turn - stage;
            let index = self.ahead(lo, iteration);
            let exists = self.is_below(index, hi);
            let (ring, n_buffers) = self.schedule.ring;
            let number = self.constant(Type::scalar(DType::I32), iteration % n_buffers);
            let mut values = FxHashMap::from_iter([(self.body().params[0], index), (ring, number)]);
            for at in self.carried() {
                let begin = self.looped.operands[3 + at];
                let value = self.counted.get(&(stage, at)).copied().unwrap_or(begin);
                values.insert(self.body().params[1 + at], value);
            }
            turns.insert(stage, Stage { values, exists: Some(exists), is_own: false });
        }
        for step in self.order.clone() {
            let stage = self.row(step).stage;
            let Some(values) = turns.get_mut(&stage) else { continue };
            for (value, from) in self.crossing_into(step) {
                let found = self.defined[&(value, turn - (stage - from))];
                values.values.insert(value, found);
            }
            self.step(step, values);
            for &result in &self.schedule.steps[step].inst.results.clone() {
                self.defined.insert((result, turn), values.values[&result]);
            }
        }
        for &stage in &stages {
            let values = turns.get_mut(&stage).expect("every stage of the turn has its values");
            for at in self.counted_by(stage) {
                let next = self.value(self.body().yields[at], values);
                self.counted.insert((stage, at), next);
            }
        }
    }

    /// The values of other stages that a row uses, with their stages.
    fn crossing_into(&self, step: usize) -> Vec<(Value, u32)> {
        let stage = self.row(step).stage;
        let mut found = Vec::new();
        for_each_use(&self.schedule.steps[step].inst, &mut |value| {
            let row = self.definitions.get(&value).and_then(|it| self.schedule.steps[*it].row);
            if let Some(row) = row.filter(|it| it.stage < stage)
                && !found.contains(&(value, row.stage))
            {
                found.push((value, row.stage));
            }
        });
        found
    }

    /// The carried values that a stage before the last counts for itself.
    fn counted_by(&self, stage: u32) -> Vec<usize> {
        let mut wanted: FxHashSet<Value> = FxHashSet::default();
        let mut open: Vec<Value> = Vec::new();
        let of_stage = self.order.iter().filter(|&&it| self.row(it).stage == stage);
        of_stage.for_each(|&it| {
            for_each_use(&self.schedule.steps[it].inst, &mut |value| open.push(value))
        });
        while let Some(value) = open.pop() {
            if !wanted.insert(value) {
                continue;
            }
            if let Some(&step) = self.definitions.get(&value)
                && self.schedule.steps[step].row.is_none()
            {
                open.extend(&self.schedule.steps[step].inst.operands);
            }
            let carried = self.carried().find(|&it| self.body().params[1 + it] == value);
            open.extend(carried.map(|it| self.body().yields[it]));
        }
        self.carried().filter(|&it| wanted.contains(&self.body().params[1 + it])).collect()
    }

    /// A value in a stage; free instructions are put in where they are first wanted.
    fn value(&mut self, value: Value, stage: &mut Stage) -> Value {
        if let Some(&found) = stage.values.get(&value) {
            return found;
        }
        let Some(&step) = self.definitions.get(&value) else { return value };
        let Step { inst, row } = self.schedule.steps[step].clone();
        assert!(row.is_none(), "E2: a row uses what an earlier row defines");
        self.copy(inst, stage);
        stage.values[&value]
    }

    /// Does a row.
    fn step(&mut self, step: usize, stage: &mut Stage) {
        let inst = self.schedule.steps[step].inst.clone();
        self.copy(inst, stage);
    }

    /// Puts in an instruction with the values of a stage.
    fn copy(&mut self, mut inst: Inst, stage: &mut Stage) {
        let mut used = Vec::new();
        for_each_use(&inst, &mut |it| used.push(it));
        for value in used {
            let found = self.value(value, stage);
            stage.values.insert(value, found);
        }
        if !stage.is_own {
            self.rename_definitions(&inst, stage);
        }
        substitute(&mut inst, &stage.values);
        if stage.is_own {
            stage.values.extend(inst.results.iter().map(|&it| (it, it)));
        }
        if let Some(exists) = stage.exists {
            self.predicate(&mut inst, exists);
        }
        self.out.push(inst);
    }

    /// New values for everything that an instruction defines.
    fn rename_definitions(&mut self, inst: &Inst, stage: &mut Stage) {
        let params = inst.regions.iter().flat_map(|it| &it.params);
        for &value in inst.results.iter().chain(params) {
            let decl = &self.kernel.values[value.0 as usize];
            let (ty, name) = (decl.ty.clone(), decl.name.clone());
            stage.values.insert(value, define(self.kernel, ty, &name));
        }
        for inner in inst.regions.iter().flat_map(|it| &it.insts) {
            self.rename_definitions(inner, stage);
        }
    }

    /// Does an instruction only if its iteration exists.
    fn predicate(&mut self, inst: &mut Inst, exists: Value) {
        match &inst.op {
            // Which copies a warp has made is counted, so none of them may be left out.
            Op::Copy(CopyOp::Async) if self.kernel.target.row().copies_in_line() => {
                self.mask(inst, [1, 2], exists);
            }
            Op::Copy(CopyOp::Async) => inst.operands.push(exists),
            Op::Memory(MemoryOp::Load { .. }) => self.mask(inst, [0, 1], exists),
            // A group may be empty, and what is pure may be done in vain.
            Op::Copy(CopyOp::Commit) | Op::Tile(_) | Op::Memory(_) | Op::Shared(_) => {}
            Op::Copy(
                CopyOp::Wait { .. }
                | CopyOp::Land
                | CopyOp::Hold
                | CopyOp::Signal { .. }
                | CopyOp::Fetch { .. }
                | CopyOp::Box { .. }
                | CopyOp::BoxOut { .. }
                | CopyOp::Prefetch { .. }
                | CopyOp::WaitOut { .. },
            )
            | Op::Flow(_)
            | Op::Mma(_)
            | Op::Sync(_) => panic!("E1: a step that cannot be predicated is in the last stage"),
        }
    }
}

impl Expander<'_> {
    /// Leaves out everything of an access if its iteration does not exist; `places` are those of its
    /// pointers and its mask among the operands.
    fn mask(&mut self, inst: &mut Inst, places: [usize; 2], exists: Value) {
        let pointers = self.kernel.ty(inst.operands[places[0]]).with_elem(Elem::Data(DType::Bool));
        let mut mask = exists;
        if !pointers.is_scalar() {
            mask = self.emit(Op::Tile(TileOp::Splat), &[exists], pointers);
        }
        match inst.operands.get(places[1]).copied() {
            Some(given) => inst.operands[places[1]] = self.binary(BinaryOp::And, given, mask),
            None => inst.operands.push(mask),
        }
    }
}

/// A value that the new loop carries besides the original ones.
struct Carried {
    begin: Value,
    param: Value,
    next: Option<Value>,
}

/// A value that later stages use: as it was one turn ago, two turns ago and so on.
struct Chain {
    value: Value,
    from: u32,
    /// Where each is in the carried values.
    links: Vec<usize>,
}

impl Expander<'_> {
    /// The loop itself.
    fn steady(&mut self) {
        let outer = std::mem::take(&mut self.out);
        let mut carried: Vec<Carried> = Vec::new();
        let number = (!self.schedule.allocs.is_empty()).then(|| {
            // The first turn is that of iteration 0, whose buffer is number 0.
            let begin = define(self.kernel, Type::scalar(DType::I32), "");
            self.carry(&mut carried, begin)
        });
        let mut stages = self.steady_stages(number.map(|it| carried[it].param));
        let mut counters = Vec::new();
        let last = self.schedule.last;
        for stage in self.stages().into_iter().filter(|&it| it < last) {
            for at in self.counted_by(stage) {
                let place = self.carry(&mut carried, self.counted[&(stage, at)]);
                let values = stages.get_mut(&stage).expect("every stage has its values");
                values.values.insert(self.body().params[1 + at], carried[place].param);
                counters.push((stage, at, place));
            }
        }
        let chains = self.chains(&mut stages, &mut carried);
        for step in self.order.clone() {
            let values = stages.get_mut(&self.row(step).stage);
            self.step(step, values.expect("every stage has its values"));
        }
        for chain in &chains {
            let mut next = stages[&chain.from].values[&chain.value];
            for &link in &chain.links {
                carried[link].next = Some(next);
                next = carried[link].param;
            }
        }
        for (stage, at, place) in counters {
            let values = stages.get_mut(&stage).expect("every stage has its values");
            carried[place].next = Some(self.value(self.body().yields[at], values));
        }
        let own = stages.get_mut(&self.schedule.last).expect("the last stage has its values");
        let yields = self.body().yields.clone();
        let yields: Vec<Value> = yields.into_iter().map(|it| self.value(it, own)).collect();
        if let Some(at) = number {
            carried[at].next = Some(self.number_ahead(carried[at].param, 1));
        }
        let insts = std::mem::replace(&mut self.out, outer);
        self.close(insts, yields, carried, number);
    }

    /// Carries a value that begins so.
    fn carry(&mut self, carried: &mut Vec<Carried>, begin: Value) -> usize {
        let decl = &self.kernel.values[begin.0 as usize];
        let (ty, name) = (decl.ty.clone(), decl.name.clone());
        let param = define(self.kernel, ty, &name);
        carried.push(Carried { begin, param, next: None });
        carried.len() - 1
    }

    /// The stages of a turn of the loop; `number` is that of the last stage's buffer.
    fn steady_stages(&mut self, number: Option<Value>) -> FxHashMap<u32, Stage> {
        let (last, ring) = (self.schedule.last, self.schedule.ring.0);
        let (index, hi) = (self.body().params[0], self.looped.operands[1]);
        let mut stages = FxHashMap::default();
        for stage in self.stages() {
            let mut values = Stage { is_own: stage == last, ..Stage::default() };
            if stage < last {
                let own = self.ahead(index, last - stage);
                values.values.insert(index, own);
                values.exists = Some(self.is_below(own, hi));
            }
            if let Some(number) = number {
                let number = self.number_ahead(number, last - stage);
                values.values.insert(ring, number);
            }
            stages.insert(stage, values);
        }
        stages.entry(last).or_insert_with(|| Stage { is_own: true, ..Stage::default() });
        stages
    }

    /// The number of the buffer `n` iterations later: it goes round.
    fn number_ahead(&mut self, number: Value, n: u32) -> Value {
        let n_buffers = self.schedule.ring.1;
        let n = n % n_buffers;
        if n == 0 {
            return number;
        }
        let ty = Type::scalar(DType::I32);
        let [by, count] = [n, n_buffers].map(|it| self.constant(ty.clone(), it));
        let sum = self.binary(BinaryOp::Add, number, by);
        let fits = self.is_below(sum, count);
        let over = self.binary(BinaryOp::Sub, sum, count);
        self.emit(Op::Tile(TileOp::Select), &[fits, sum, over], ty)
    }

    /// Carries what later stages use; tells them where it is.
    fn chains(
        &mut self,
        stages: &mut FxHashMap<u32, Stage>,
        carried: &mut Vec<Carried>,
    ) -> Vec<Chain> {
        let mut chains: Vec<Chain> = Vec::new();
        for step in self.order.clone() {
            let stage = self.row(step).stage;
            for (value, from) in self.crossing_into(step) {
                let at = chains.iter().position(|it| it.value == value).unwrap_or_else(|| {
                    chains.push(Chain { value, from, links: Vec::new() });
                    chains.len() - 1
                });
                let n_turns = (stage - from) as usize;
                for ago in chains[at].links.len()..n_turns {
                    let begin = self.defined[&(value, self.schedule.last - 1 - ago as u32)];
                    chains[at].links.push(self.carry(carried, begin));
                }
                let values = stages.get_mut(&stage).expect("every stage has its values");
                values.values.insert(value, carried[chains[at].links[n_turns - 1]].param);
            }
        }
        chains
    }

    /// Puts the loop after what is before it.
    fn close(
        &mut self,
        insts: Vec<Inst>,
        yields: Vec<Value>,
        carried: Vec<Carried>,
        number: Option<usize>,
    ) {
        if let Some(at) = number {
            let mut zero = new_inst(Op::Tile(TileOp::Const { bits: 0 }), self.site());
            zero.results = smallvec![carried[at].begin];
            self.out.push(zero);
        }
        let mut inst = self.looped.clone();
        let Op::Flow(FlowOp::For { stages, .. }) = &mut inst.op else {
            panic!("only counted loops are pipelined")
        };
        *stages = None;
        let body = &mut inst.regions[0];
        (body.insts, body.yields) = (insts, yields);
        for Carried { begin, param, next } in carried {
            inst.operands.push(begin);
            body.params.push(param);
            body.yields.push(next.expect("everything carried has a next value"));
            let ty = self.kernel.ty(begin).clone();
            inst.results.push(define(self.kernel, ty, ""));
        }
        self.out.push(inst);
    }
}

/// Every value that an instruction or its regions mention as an operand.
fn for_each_use(inst: &Inst, f: &mut impl FnMut(Value)) {
    inst.operands.iter().for_each(|&it| f(it));
    for region in &inst.regions {
        region.insts.iter().for_each(|it| for_each_use(it, f));
        region.yields.iter().for_each(|&it| f(it));
    }
}

/// Replaces values, defined ones too.
fn substitute(inst: &mut Inst, values: &FxHashMap<Value, Value>) {
    let new = |it: &mut Value| *it = values.get(it).copied().unwrap_or(*it);
    inst.operands.iter_mut().for_each(new);
    inst.results.iter_mut().for_each(new);
    for region in &mut inst.regions {
        region.params.iter_mut().for_each(new);
        region.yields.iter_mut().for_each(new);
        region.insts.iter_mut().for_each(|it| substitute(it, values));
    }
}
