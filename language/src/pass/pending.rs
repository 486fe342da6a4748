//! Products in flight: which values are pending, and how far each wait has to wait.
//!
//! # Definition
//! The product of an `mma.wgmma` is *pending* until an `mma.wait` leaves fewer groups in flight than are younger. A pending
//! value may be added to, be waited for, be carried by a loop and yielded by a branch; every other use is a [`Misuse`].
//! What was added to is *taken*: its registers are the sum's, and nobody may use it but the sum.
//!
//! # Idea
//! One walk in order, with the pending values of a point and for each the least number of groups that started after its
//! own, over all ways there. A value pending on one way is pending. A value waited for inside a branch or a loop
//! counts as pending again after it: what is ready there is the wait's result, and the registers that it names.
//!
//! # Establishes
//! * [`settle`]: every `mma.wait` has a number. One that the program did not give is the number of groups younger than
//!   its operand's on every way, up to what the instruction counts. A wait for all groups stands at the end of a kernel or role
//!   in which one may be in flight.
//! * [`thread`]: what a wait makes ready is among its operands, and its results are used from there on. So nothing moves
//!   a use of the registers before the wait.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::place::new_inst;
use crate::ir::{Inst, Kernel, Region, SiteId, Value, ValueDecl};
use crate::op::{FlowOp, MmaOp, Op};

/// The most groups that the instruction lets stay.
const IN_FLIGHT_MAX: u32 = 7;

/// A use of a product as if it were there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Misuse {
    /// Where the product starts.
    pub start: SiteId,
    /// Where more was added to it, if that is what makes the use wrong.
    pub taken: Option<SiteId>,
    /// The use.
    pub at: SiteId,
}

/// A pending value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Product {
    start: SiteId,
    taken: Option<SiteId>,
    /// Groups that surely started after its own.
    n_younger: u32,
}

/// The pending values of a point.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct State(BTreeMap<Value, Product>);

impl State {
    fn join(&mut self, other: &State) {
        for (value, it) in &other.0 {
            let mine = self.0.entry(*value).or_insert(*it);
            mine.n_younger = mine.n_younger.min(it.n_younger);
            mine.taken = mine.taken.or(it.taken);
        }
    }

    /// What a loop or branch hands over, under another name.
    fn hand_over(&mut self, from: &[Value], to: &[Value], state: &State) {
        for (from, to) in from.iter().zip(to) {
            if let Some(it) = state.0.get(from) {
                let one = State(BTreeMap::from([(*to, *it)]));
                self.join(&one);
            }
        }
    }
}

/// Every use of a product in flight that has to wait.
pub fn misuses(kernel: &Kernel) -> Vec<Misuse> {
    let mut walk = Walk::default();
    if has_products(kernel) {
        walk.region(&kernel.body, State::default());
    }
    walk.misuses
}

/// The kernel with a number at every wait.
pub fn settle(mut kernel: Kernel) -> Kernel {
    if !has_products(&kernel) {
        return kernel;
    }
    let mut walk = Walk::default();
    walk.region(&kernel.body, State::default());
    let mut next = 0;
    number(&mut kernel.body, &mut next, &walk);
    kernel
}

/// The kernel whose waits hand on what they make ready.
pub(super) fn thread(mut kernel: Kernel) -> Kernel {
    if !has_products(&kernel) {
        return kernel;
    }
    let mut walk = Walk::default();
    walk.region(&kernel.body, State::default());
    let body = std::mem::take(&mut kernel.body);
    let mut threading = Threading { kernel: &mut kernel, walk: &walk, next: 0 };
    let body = threading.region(body, &mut FxHashMap::default());
    kernel.body = body;
    kernel
}

fn has_products(kernel: &Kernel) -> bool {
    let mut found = false;
    kernel.body.walk(&mut |inst| found |= matches!(inst.op, Op::Mma(MmaOp::Wgmma { .. })));
    found
}

/// What the walk finds, by the number of the instruction in the order of the text.
#[derive(Default)]
struct Walk {
    next: usize,
    misuses: Vec<Misuse>,
    /// How many groups a wait lets stay.
    numbers: BTreeMap<usize, u32>,
    /// What a wait makes ready besides its operands.
    ready: BTreeMap<usize, Vec<Value>>,
    /// Roles, and the kernel as `usize::MAX`, at whose end products may be in flight: the instruction and the region.
    ends: BTreeMap<(usize, usize), SiteId>,
}

/// The kernel's own body among [`Walk::ends`].
const BODY: (usize, usize) = (usize::MAX, 0);

impl Walk {
    fn region(&mut self, region: &Region, mut state: State) -> State {
        let is_body = self.next == 0;
        for inst in &region.insts {
            let no = self.next;
            self.next += 1;
            state = self.inst(no, inst, state);
        }
        if is_body {
            self.note_end(BODY, &state);
        }
        state
    }

    fn note_end(&mut self, end: (usize, usize), state: &State) {
        if let Some(it) = state.0.values().next() {
            self.ends.insert(end, it.start);
        }
    }

    fn inst(&mut self, no: usize, inst: &Inst, mut state: State) -> State {
        match &inst.op {
            Op::Flow(FlowOp::If) => {
                self.uses(inst, &inst.operands, &state);
                let mut after = state.clone();
                for region in &inst.regions {
                    let end = self.region(region, state.clone());
                    after.join(&inner(&end, &state));
                    after.hand_over(&region.yields, &inst.results, &end);
                }
                after
            }
            Op::Flow(FlowOp::For { .. }) => self.repeat(inst, 3, state),
            Op::Flow(FlowOp::While) => self.repeat(inst, 0, state),
            Op::Flow(FlowOp::Roles { .. }) => {
                for (at, region) in inst.regions.iter().enumerate() {
                    let end = self.region(region, State::default());
                    self.note_end((no, at), &end);
                }
                State::default()
            }
            Op::Mma(MmaOp::Wgmma { .. }) => {
                self.uses(inst, &inst.operands[..2], &state);
                self.accumulate(inst, &mut state);
                state
            }
            Op::Mma(MmaOp::Wait { in_flight }) => {
                self.wait(no, inst, *in_flight, &mut state);
                state
            }
            Op::Mma(MmaOp::Mma { .. })
            | Op::Tile(_)
            | Op::Memory(_)
            | Op::Shared(_)
            | Op::Copy(_)
            | Op::Sync(_) => {
                self.uses(inst, &inst.operands, &state);
                state
            }
        }
    }

    /// Uses that want the elements.
    fn uses(&mut self, inst: &Inst, operands: &[Value], state: &State) {
        for value in operands {
            if let Some(it) = state.0.get(value) {
                self.misuse(inst, it);
            }
        }
    }

    fn misuse(&mut self, inst: &Inst, it: &Product) {
        let found = Misuse { start: it.start, taken: it.taken, at: inst.site };
        if !self.misuses.contains(&found) {
            self.misuses.push(found);
        }
    }

    fn accumulate(&mut self, inst: &Inst, state: &mut State) {
        let acc = inst.operands[2];
        if let Some(it) = state.0.get(&acc).filter(|it| it.taken.is_some()).copied() {
            self.misuse(inst, &it);
        }
        for it in state.0.values_mut() {
            it.n_younger = (it.n_younger + 1).min(IN_FLIGHT_MAX);
        }
        if let Some(it) = state.0.get_mut(&acc) {
            it.taken = Some(inst.site);
        }
        let made = Product { start: inst.site, taken: None, n_younger: 0 };
        state.0.insert(inst.results[0], made);
    }

    fn wait(&mut self, no: usize, inst: &Inst, asked: Option<u32>, state: &mut State) {
        for value in &inst.operands {
            if let Some(it) = state.0.get(value).filter(|it| it.taken.is_some()).copied() {
                self.misuse(inst, &it);
            }
        }
        let of_operands = inst.operands.iter().filter_map(|it| state.0.get(it));
        let derived = of_operands.map(|it| it.n_younger).min().unwrap_or(IN_FLIGHT_MAX);
        let number = asked.unwrap_or(derived);
        self.numbers.insert(no, number);
        let is_ready = |it: &Product| number <= it.n_younger;
        let others = state.0.iter().filter(|(value, it)| {
            is_ready(it) && it.taken.is_none() && !inst.operands.contains(value)
        });
        self.ready.insert(no, others.map(|it| *it.0).collect());
        let handed = inst.operands.iter().zip(&inst.results);
        let handed = handed.filter_map(|(from, to)| Some((*to, *state.0.get(from)?)));
        let handed: Vec<(Value, Product)> = handed.filter(|it| !is_ready(&it.1)).collect();
        state.0.retain(|_, it| !is_ready(it));
        state.0.extend(handed);
    }

    /// A loop, until what comes over its back edge is in what it begins with; `first` operands are its bounds.
    fn repeat(&mut self, inst: &Inst, first: usize, mut before: State) -> State {
        self.uses(inst, &inst.operands[..first], &before);
        let inits = &inst.operands[first..];
        let last = inst.regions.len() - 1;
        let params = &inst.regions[last].params[inst.regions[last].params.len() - inits.len()..];
        let mut head = before.clone();
        head.hand_over(inits, params, &before);
        for init in inits {
            if let Some(it) = head.0.get_mut(init) {
                it.taken = it.taken.or(Some(inst.site));
            }
        }
        let at = self.next;
        let end = loop {
            self.next = at;
            let mut state = head.clone();
            if last == 1 {
                let mut cond = head.clone();
                cond.hand_over(params, &inst.regions[0].params, &head);
                self.region(&inst.regions[0], cond);
            }
            state = self.region(&inst.regions[last], state);
            let mut next = head.clone();
            next.join(&inner(&state, &before));
            next.hand_over(&inst.regions[last].yields, params, &state);
            if next == head {
                break state;
            }
            head = next;
        };
        // After no turn the results are what the loop began with, to which nothing was added.
        let entry = before.clone();
        before.join(&inner(&end, &entry));
        before.hand_over(inits, &inst.results, &entry);
        before.hand_over(&inst.regions[last].yields, &inst.results, &end);
        for init in inits {
            if let Some(it) = before.0.get_mut(init) {
                it.taken = it.taken.or(Some(inst.site));
            }
        }
        before
    }
}

/// What of an inner region's end the outer region knows by name.
fn inner(end: &State, outer: &State) -> State {
    let known = end.0.iter().filter(|it| outer.0.contains_key(it.0));
    State(known.map(|(value, it)| (*value, *it)).collect())
}

/// Puts the numbers in, and waits at the ends.
fn number(region: &mut Region, next: &mut usize, walk: &Walk) {
    let is_body = *next == 0;
    for inst in &mut region.insts {
        let no = *next;
        *next += 1;
        if let Op::Mma(MmaOp::Wait { in_flight }) = &mut inst.op {
            *in_flight = walk.numbers.get(&no).copied();
        }
        for (at, inner) in inst.regions.iter_mut().enumerate() {
            number(inner, next, walk);
            end(inner, walk.ends.get(&(no, at)));
        }
    }
    if is_body {
        end(region, walk.ends.get(&BODY));
    }
}

fn end(region: &mut Region, site: Option<&SiteId>) {
    if let Some(&site) = site {
        region.insts.push(new_inst(Op::Mma(MmaOp::Wait { in_flight: Some(0) }), site));
    }
}

struct Threading<'k, 'w> {
    kernel: &'k mut Kernel,
    walk: &'w Walk,
    next: usize,
}

impl Threading<'_, '_> {
    /// The region with the values of `now` for those that waits made ready.
    fn region(&mut self, mut region: Region, now: &mut FxHashMap<Value, Value>) -> Region {
        for inst in &mut region.insts {
            let no = self.next;
            self.next += 1;
            for operand in &mut inst.operands {
                *operand = now.get(operand).copied().unwrap_or(*operand);
            }
            if let Op::Mma(MmaOp::Wait { .. }) = inst.op {
                self.hand_on(no, inst, now);
            }
            for inner in &mut inst.regions {
                *inner = self.region(std::mem::take(inner), &mut now.clone());
            }
        }
        for value in &mut region.yields {
            *value = now.get(value).copied().unwrap_or(*value);
        }
        region
    }

    fn hand_on(&mut self, no: usize, inst: &mut Inst, now: &mut FxHashMap<Value, Value>) {
        for value in self.walk.ready.get(&no).into_iter().flatten() {
            let current = now.get(value).copied().unwrap_or(*value);
            if inst.operands.contains(&current) {
                continue;
            }
            let made = Value(self.kernel.values.len() as u32);
            let decl = &self.kernel.values[value.0 as usize];
            let decl = ValueDecl { ty: decl.ty.clone(), name: decl.name.clone() };
            self.kernel.values.push(decl);
            inst.operands.push(current);
            inst.results.push(made);
        }
        let handed: Vec<(Value, Value)> =
            inst.operands.iter().copied().zip(inst.results.iter().copied()).collect();
        for (from, to) in handed {
            now.values_mut().filter(|it| **it == from).for_each(|it| *it = to);
            now.insert(from, to);
        }
    }
}
