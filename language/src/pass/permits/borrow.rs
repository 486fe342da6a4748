//! Stages that products in flight still read: their permits end at the wait.
//!
//! # Requires
//! Every `mma.wait` has its number ([`crate::pass::settle`]), and a permit ends once on every way.
//!
//! # Establishes
//! * Where a permit ends and a product may still read its stage stands no `sync.end`. The role arrives at the permit's
//!   barrier after the first wait that does not leave that product in flight.
//! * Of a loop whose turns end with stages borrowed, the next turn's waits release them: the loop carries which
//!   stages these are. What the first turn has none of is carried with a flag, and its release depends on it.
//! * At the end of a branch, a role or a `while`'s turn no stage is borrowed that was not before, or all ways borrow the same;
//!   otherwise products are waited for there.

use rustc_hash::FxHashMap;
use smallvec::smallvec;

use super::super::place::new_inst;
use super::Uses;
use crate::dtype::DType;
use crate::ir::{Inst, Kernel, Region, SiteId, Type, Value, ValueDecl};
use crate::op::{FlowOp, MmaOp, Op, SharedOp, SyncOp, TileOp};

/// Visits of a loop after which its stages are released at the end of each turn instead.
const ROUNDS_MAX: u32 = 8;

/// Moves the ends of permits behind the products that use their stages.
pub(super) fn defer(kernel: &mut Kernel, uses: &Uses) {
    let mut body = std::mem::take(&mut kernel.body);
    let mut deferring = Deferring { values: &mut kernel.values, uses };
    deferring.roles(&mut body);
    kernel.body = body;
}

/// A stage whose permit has ended while a product may still read it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Borrowed {
    /// Where its end is announced.
    barrier: Path,
    /// Whether there is one; it always is if nothing says so.
    held: Option<Value>,
    /// Products that were surely started after the last that reads it.
    n_younger: u32,
    /// Where the permit ended.
    site: SiteId,
}

/// A barrier: the list, and the indices that lead to it, each with its dimension and the type of what it leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Path {
    list: Value,
    steps: Vec<(u32, Value, Type)>,
}

impl Path {
    /// Whether it is the same but for the indices.
    fn is_like(&self, other: &Path) -> bool {
        let same = |(a, b): (&(u32, Value, Type), &(u32, Value, Type))| (a.0, &a.2) == (b.0, &b.2);
        self.list == other.list
            && self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(same)
    }
}

/// What is borrowed at a point, the oldest first; and of each permit that is held and whose stage a product may read how many
/// were started since.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct State {
    borrowed: Vec<Borrowed>,
    read: FxHashMap<Value, u32>,
}

impl State {
    fn started(&mut self) {
        self.borrowed.iter_mut().for_each(|it| it.n_younger += 1);
        self.read.values_mut().for_each(|it| *it += 1);
    }

    /// Takes out what a wait releases.
    fn waited(&mut self, in_flight: u32) -> Vec<Borrowed> {
        self.read.retain(|_, n_younger| *n_younger < in_flight);
        let (done, open) = std::mem::take(&mut self.borrowed)
            .into_iter()
            .partition(|it| in_flight <= it.n_younger);
        self.borrowed = open;
        done
    }

    /// What holds on both ways; `None` if they do not borrow the same.
    fn join(mut self, other: &State) -> Option<State> {
        if self.borrowed.len() != other.borrowed.len() {
            return None;
        }
        for (mine, it) in self.borrowed.iter_mut().zip(&other.borrowed) {
            if (&mine.barrier, mine.held) != (&it.barrier, it.held) {
                return None;
            }
            mine.n_younger = mine.n_younger.min(it.n_younger);
        }
        self.join_reads(other);
        Some(self)
    }

    fn join_reads(&mut self, other: &State) {
        for (&permit, &n) in &other.read {
            let mine = self.read.entry(permit).or_insert(n);
            *mine = n.min(*mine);
        }
    }
}

/// What a loop carries for one borrowed stage.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Slot {
    /// A barrier like all of them.
    like: Path,
    flagged: bool,
    n_younger: u32,
    site: SiteId,
}

impl Slot {
    fn of(it: &Borrowed, flagged: bool) -> Slot {
        let (like, n_younger, site) = (it.barrier.clone(), it.n_younger, it.site);
        Slot { like, flagged: flagged || it.held.is_some(), n_younger, site }
    }
}

struct Deferring<'a> {
    values: &'a mut Vec<ValueDecl>,
    uses: &'a Uses,
}

impl Deferring<'_> {
    /// Each role starts with nothing borrowed.
    fn roles(&mut self, region: &mut Region) {
        for inst in &mut region.insts {
            if matches!(inst.op, Op::Flow(FlowOp::Roles { .. })) {
                for role in &mut inst.regions {
                    let mut state = State::default();
                    *role = self.region(std::mem::take(role), &mut state);
                    self.release_all(role, &mut state, inst.site);
                }
            } else {
                inst.regions.iter_mut().for_each(|it| self.roles(it));
            }
        }
    }

    fn region(&mut self, mut region: Region, state: &mut State) -> Region {
        for inst in std::mem::take(&mut region.insts) {
            self.inst(inst, state, &mut region.insts);
        }
        region
    }

    fn inst(&mut self, mut inst: Inst, state: &mut State, out: &mut Vec<Inst>) {
        match &inst.op {
            Op::Mma(MmaOp::Wgmma { .. }) => {
                state.started();
                let permits = inst.operands.iter().filter_map(|it| self.uses.permit_of.get(it));
                state.read.extend(permits.map(|it| (*it, 0)));
                out.push(inst);
            }
            Op::Mma(MmaOp::Wait { in_flight }) => {
                let done = state.waited(in_flight.expect("every wait has its number"));
                out.push(inst);
                done.iter().for_each(|it| self.release(it, out));
            }
            Op::Sync(SyncOp::End) => match state.read.remove(&inst.operands[0]) {
                Some(n_younger) => {
                    let barrier = self.path(self.uses.ends(inst.operands[0]));
                    let site = inst.site;
                    state.borrowed.push(Borrowed { barrier, held: None, n_younger, site });
                }
                None => out.push(inst),
            },
            Op::Flow(FlowOp::If) => {
                self.branch(&mut inst, state);
                out.push(inst);
            }
            Op::Flow(FlowOp::For { .. }) => self.repeat(inst, state, out),
            Op::Flow(FlowOp::While) => {
                let site = inst.site;
                self.wait_for_all(state, site, out);
                for region in &mut inst.regions {
                    *region = self.region(std::mem::take(region), state);
                    self.release_all(region, state, site);
                }
                out.push(inst);
            }
            _ => out.push(inst),
        }
    }

    fn branch(&mut self, inst: &mut Inst, state: &mut State) {
        let n_values = self.values.len();
        let before = inst.regions.clone();
        let mut ends = Vec::new();
        for region in &mut inst.regions {
            let mut end = state.clone();
            *region = self.region(std::mem::take(region), &mut end);
            ends.push(end);
        }
        let joined = ends.pop().and_then(|last| ends.into_iter().try_fold(last, |a, b| a.join(&b)));
        if let Some(joined) = joined {
            *state = joined;
            return;
        }
        self.values.truncate(n_values);
        inst.regions = before;
        let start = std::mem::take(state);
        for region in &mut inst.regions {
            let mut end = start.clone();
            *region = self.region(std::mem::take(region), &mut end);
            self.release_all(region, &mut end, inst.site);
        }
    }

    /// A loop, with as many stages borrowed at its beginning as at the end of each turn.
    fn repeat(&mut self, inst: Inst, state: &mut State, out: &mut Vec<Inst>) {
        let mut slots: Vec<Slot> = state.borrowed.iter().map(|it| Slot::of(it, false)).collect();
        let mut head = state.clone();
        for _ in 0..ROUNDS_MAX {
            let n_values = self.values.len();
            let mut turn = inst.clone();
            let mut end =
                State { borrowed: self.carried(&slots, &mut turn), read: head.read.clone() };
            turn.regions[0] = self.region(std::mem::take(&mut turn.regions[0]), &mut end);
            let Some(wanted) = common(&slots, &state.borrowed, &end.borrowed) else { break };
            let mut next = head.clone();
            next.join_reads(&end);
            if wanted == slots && next == head {
                self.hand_over(&slots, turn, state, end, out);
                return;
            }
            self.values.truncate(n_values);
            (slots, head) = (wanted, next);
        }
        self.wait_for_all(state, inst.site, out);
        let mut inst = inst;
        inst.regions[0] = self.region(std::mem::take(&mut inst.regions[0]), state);
        self.release_all(&mut inst.regions[0], state, inst.site);
        out.push(inst);
    }

    /// What a turn begins with: parameters of the loop's body.
    fn carried(&mut self, slots: &[Slot], inst: &mut Inst) -> Vec<Borrowed> {
        let params = &mut inst.regions[0].params;
        let mut borrowed = Vec::new();
        for slot in slots {
            let held = slot.flagged.then(|| self.value(Type::scalar(DType::Bool)));
            params.extend(held);
            let mut barrier = slot.like.clone();
            for (_, index, _) in &mut barrier.steps {
                *index = self.value(self.values[index.0 as usize].ty.clone());
                params.push(*index);
            }
            let (n_younger, site) = (slot.n_younger, slot.site);
            borrowed.push(Borrowed { barrier, held, n_younger, site });
        }
        borrowed
    }

    /// Gives the loop what its first turn begins with, what each ends with, and names for what is left.
    fn hand_over(
        &mut self,
        slots: &[Slot],
        mut inst: Inst,
        state: &mut State,
        end: State,
        out: &mut Vec<Inst>,
    ) {
        let mut inits = self.bits(slots, &state.borrowed, out);
        inst.operands.extend(inits.drain(..));
        let mut body = std::mem::take(&mut inst.regions[0]);
        let yields = self.bits(slots, &end.borrowed, &mut body.insts);
        body.yields.extend(yields);
        inst.regions[0] = body;
        let mut after = Vec::new();
        for slot in slots {
            let held = slot.flagged.then(|| self.value(Type::scalar(DType::Bool)));
            inst.results.extend(held);
            let mut barrier = slot.like.clone();
            for (_, index, _) in &mut barrier.steps {
                *index = self.value(self.values[index.0 as usize].ty.clone());
                inst.results.push(*index);
            }
            let (n_younger, site) = (slot.n_younger, slot.site);
            after.push(Borrowed { barrier, held, n_younger, site });
        }
        out.push(inst);
        state.borrowed = after;
        state.join_reads(&end);
    }

    /// The values of slots that are filled with these, the youngest last.
    fn bits(&mut self, slots: &[Slot], filled: &[Borrowed], out: &mut Vec<Inst>) -> Vec<Value> {
        let mut values = Vec::new();
        let n_absent = slots.len() - filled.len();
        for (slot, it) in
            slots.iter().zip((0..n_absent).map(|_| None).chain(filled.iter().map(Some)))
        {
            if slot.flagged {
                let held = it.and_then(|it| it.held);
                let site = slot.site;
                let held = held.unwrap_or_else(|| {
                    self.constant(it.is_some().into(), Type::scalar(DType::Bool), site, out)
                });
                values.push(held);
            }
            for (n, (_, like, _)) in slot.like.steps.iter().enumerate() {
                let ty = self.values[like.0 as usize].ty.clone();
                let index = it.map(|it| it.barrier.steps[n].1);
                values.push(index.unwrap_or_else(|| self.constant(0, ty, slot.site, out)));
            }
        }
        values
    }

    /// Waits for all products, and releases what they used.
    fn wait_for_all(&mut self, state: &mut State, site: SiteId, out: &mut Vec<Inst>) {
        if !state.borrowed.is_empty() {
            out.push(new_inst(Op::Mma(MmaOp::Wait { in_flight: Some(0) }), site));
            state.waited(0).iter().for_each(|it| self.release(it, out));
        }
    }

    fn release_all(&mut self, region: &mut Region, state: &mut State, site: SiteId) {
        let mut insts = std::mem::take(&mut region.insts);
        self.wait_for_all(state, site, &mut insts);
        region.insts = insts;
    }

    /// Arrives at the barrier of a stage, if there is one.
    fn release(&mut self, it: &Borrowed, out: &mut Vec<Inst>) {
        let mut insts = Vec::new();
        let mut barrier = it.barrier.list;
        for (axis, index, ty) in &it.barrier.steps {
            let mut step = new_inst(Op::Shared(SharedOp::Index { axis: *axis }), it.site);
            step.operands = smallvec![barrier, *index];
            barrier = self.value(ty.clone());
            step.results.push(barrier);
            insts.push(step);
        }
        let everywhere = self.uses.passes_on(it.barrier.list);
        let mut arrive = new_inst(Op::Sync(SyncOp::Arrive { everywhere }), it.site);
        arrive.operands.push(barrier);
        insts.push(arrive);
        let Some(held) = it.held else {
            out.extend(insts);
            return;
        };
        let mut branch = new_inst(Op::Flow(FlowOp::If), it.site);
        branch.operands.push(held);
        branch.regions = vec![Region { insts, ..Region::default() }, Region::default()];
        out.push(branch);
    }

    /// Where a barrier stands in its list.
    fn path(&self, barrier: Value) -> Path {
        let mut steps = Vec::new();
        let mut list = barrier;
        while let Some(&(of, axis, index)) = self.uses.index_of.get(&list) {
            steps.push((axis, index, self.values[list.0 as usize].ty.clone()));
            list = of;
        }
        steps.reverse();
        Path { list, steps }
    }

    fn value(&mut self, ty: Type) -> Value {
        self.values.push(ValueDecl { ty, name: "".into() });
        Value(self.values.len() as u32 - 1)
    }

    fn constant(&mut self, bits: u64, ty: Type, site: SiteId, out: &mut Vec<Inst>) -> Value {
        let mut inst = new_inst(TileOp::Const { bits }.into(), site);
        let value = self.value(ty);
        inst.results.push(value);
        out.push(inst);
        value
    }
}

/// Slots that hold what a loop begins with and what a turn ends with; `None` if these are of different lists.
fn common(slots: &[Slot], first: &[Borrowed], last: &[Borrowed]) -> Option<Vec<Slot>> {
    let n = slots.len().max(first.len()).max(last.len());
    let at = |list: &'_ [Borrowed], slot: usize| {
        slot.checked_sub(n - list.len()).map(|it| list[it].clone())
    };
    (0..n)
        .map(|slot| {
            let made = match (at(first, slot), at(last, slot)) {
                (Some(a), Some(b)) if a.barrier.is_like(&b.barrier) => {
                    let mut made = Slot::of(&a, b.held.is_some());
                    made.n_younger = made.n_younger.min(b.n_younger);
                    made
                }
                (Some(it), None) | (None, Some(it)) => Slot::of(&it, true),
                (Some(_), Some(_)) | (None, None) => return None,
            };
            let before = slot.checked_sub(n - slots.len()).map(|it| &slots[it]);
            let Some(before) = before else { return Some(made) };
            // What was found once is kept, so that the rounds come to an end.
            let (flagged, like) = (made.flagged || before.flagged, before.like.clone());
            let n_younger = made.n_younger.min(before.n_younger);
            before.like.is_like(&made.like).then_some(Slot { like, flagged, n_younger, ..made })
        })
        .collect()
}
