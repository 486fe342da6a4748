//! Which scalars steer a kernel's synchronisation, and which choices of them are looked at.
//!
//! # Definition
//! A value *steers* if it is a bound of a loop with events in it, the condition of a branch with events in it, an index
//! of a view or a count of phases, or if a value that steers is computed from it. A steering value that does not
//! change in loops and is no sum, product, extremum, comparison or selection of others is *free*: runs
//! choose it, among the numbers that the kernel's facts allow. Of a loop whose step is not known, and whose index does not
//! steer, only the number of turns matters: that is free, and the same for loops of equal bounds. Equal computations of equal operands are one value. A
//! steering value that changes in a loop and cannot be computed makes the skeleton undecided.

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use crate::analysis::facts::{Facts, Known, gcd};
use crate::dtype::DType;
use crate::ir::{Elem, Inst, Kernel, Region, Value};
use crate::op::tile::BinaryOp;
use crate::op::{FlowOp, MmaOp, Op, SharedOp, SyncOp, TileOp};

/// Runs after which a kernel is left undecided.
const RUNS_MAX: usize = 4096;

/// Long turns of an outer loop.
const OUTER_TURNS: u64 = 3;

/// What steers a kernel.
pub(super) struct Skeleton<'a> {
    pub(super) kernel: &'a Kernel,
    /// Values that steer.
    pub(super) steers: FxHashSet<Value>,
    /// The free ones, each with all the values that are equal to it.
    pub(super) free: Vec<Free>,
    /// Loops and branches with events in them, or with results that steer.
    pub(super) relevant: FxHashSet<*const Inst>,
    /// Numbers of instructions in the order of the text.
    pub(super) numbers: FxHashMap<*const Inst, usize>,
    /// Loops whose number of turns is free: which of the free ones it is.
    pub(super) turns: FxHashMap<*const Inst, usize>,
    definitions: FxHashMap<Value, Definition<'a>>,
}

/// A scalar that runs choose.
pub(super) struct Free {
    pub(super) values: Vec<Value>,
    pub(super) dtype: DType,
    /// The numbers that it is chosen to be.
    choices: Vec<u64>,
    /// By how much it grows for one more turn of a loop that it bounds; 0 if it bounds none.
    step: u64,
}

/// Whether an instruction itself is an event.
pub(super) fn is_event(inst: &Inst) -> bool {
    match &inst.op {
        Op::Shared(it) => !matches!(
            it,
            SharedOp::Alloc { .. }
                | SharedOp::Index { .. }
                | SharedOp::Slice { .. }
                | SharedOp::Recast
                | SharedOp::Overlay
                | SharedOp::On
        ),
        Op::Copy(_) => true,
        Op::Sync(it) => !matches!(it, SyncOp::Mbarriers { .. }),
        Op::Mma(it) => !matches!(it, MmaOp::Mma { .. }),
        Op::Flow(_) | Op::Tile(_) | Op::Memory(_) => false,
    }
}

impl<'a> Skeleton<'a> {
    /// The skeleton of a kernel; `None` if something that steers it cannot be computed.
    pub(super) fn of(kernel: &'a Kernel) -> Option<Skeleton<'a>> {
        let mut finding = Finding::of(kernel);
        finding.region(&kernel.body);
        while let Some((value, use_)) = finding.wanted.pop() {
            finding.steer(value, use_)?;
        }
        let depth = stages(kernel);
        let mut skeleton = Skeleton {
            kernel,
            steers: finding.steers,
            free: Vec::new(),
            relevant: finding.relevant,
            numbers: finding.numbers,
            turns: FxHashMap::default(),
            definitions: finding.definitions,
        };
        let n_turns = u64::from(2 * depth + 3);
        let facts = Facts::of(kernel);
        for (class, values) in finding.free {
            let dtype = kernel.ty(values[0]).elem.data()?;
            let known = facts.of_value(values[0]);
            let choices = match (dtype, finding.bounds.get(&class)) {
                (DType::Bool, _) => vec![0, 1],
                (_, Some(steps)) => steps.choices(n_turns, known),
                (_, None) => Steps::ONE.choices(3, known),
            };
            let step = finding.bounds.get(&class).map_or(0, |it| it.divisor);
            skeleton.free.push(Free { values, dtype, choices, step });
        }
        let mut by_bounds = FxHashMap::default();
        for (inst, bounds) in finding.turns {
            let free = &mut skeleton.free;
            let at = *by_bounds.entry(bounds).or_insert_with(|| {
                let choices = (0..n_turns).collect();
                free.push(Free { values: Vec::new(), dtype: DType::I32, choices, step: 1 });
                free.len() - 1
            });
            skeleton.turns.insert(inst, at);
        }
        let n_runs = skeleton
            .free
            .iter()
            .try_fold(1usize, |n, it| n.checked_mul(it.choices.len()).filter(|&it| it <= RUNS_MAX));
        n_runs.map(|_| skeleton)
    }

    /// The scalars that say which part of its buffer a view is.
    pub(super) fn indices(&self, view: Value) -> Vec<Value> {
        way(&self.definitions, view).1
    }

    /// The number of the block whose memory a view is of, if it is another one's.
    pub(super) fn rank(&self, view: Value) -> Option<Value> {
        way(&self.definitions, view).2
    }

    /// The buffer that a view is of.
    pub(super) fn buffer(&self, view: Value) -> Value {
        way(&self.definitions, view).0
    }

    /// What the free scalars of a choice are, those that have a name.
    pub(super) fn named(&self, choice: &[u64]) -> Vec<(SmolStr, u64)> {
        let named = self.free.iter().zip(choice).filter_map(|(free, &n)| {
            let name = free.values.iter().map(|it| &self.kernel.values[it.0 as usize].name);
            name.filter(|it| !it.is_empty()).min().map(|it| (it.clone(), n))
        });
        named.collect()
    }

    /// Every choice of the free scalars, in their order. Where loops stand in loops, three long turns of the outer
    /// one, or more short ones, show what any number shows.
    pub(super) fn choices(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        let longest = self.free.iter().filter(|it| 0 < it.step).map(|it| it.choices.len() as u64);
        let turns_max = OUTER_TURNS * longest.max().unwrap_or(1);
        self.all_choices().filter(move |choice| {
            let turns = self.free.iter().zip(choice).filter(|(it, _)| 0 < it.step);
            let turns = turns.map(|(it, n)| (n / it.step).max(1));
            turns.fold(1, u64::saturating_mul) <= turns_max
        })
    }

    fn all_choices(&self) -> impl Iterator<Item = Vec<u64>> + '_ {
        let n_runs: usize = self.free.iter().map(|it| it.choices.len()).product();
        (0..n_runs).map(|run| {
            let mut rest = run;
            let choice = |it: &Free| {
                let at = rest % it.choices.len();
                rest /= it.choices.len();
                it.choices[at]
            };
            self.free.iter().map(choice).collect()
        })
    }
}

/// Steps of the loops that a value bounds.
#[derive(Clone, Copy, Debug)]
struct Steps {
    /// What divides all of them.
    divisor: u64,
    most: u64,
}

impl Steps {
    const ONE: Steps = Steps { divisor: 1, most: 1 };

    fn and(self, step: u64) -> Steps {
        Steps { divisor: gcd(self.divisor, step), most: self.most.max(step) }
    }

    /// Numbers from the least that the facts allow on, for so many different numbers of turns of each loop.
    fn choices(self, n_turns: u64, known: &Known) -> Vec<u64> {
        let by = self.divisor / gcd(self.divisor, known.divisor()) * known.divisor();
        let least = u64::try_from(known.lo.unwrap_or(0)).unwrap_or(0).next_multiple_of(by);
        let n = n_turns * (self.most / by).max(1);
        let is_possible = |it: &u64| known.hi.is_none_or(|hi| i128::from(*it) <= i128::from(hi));
        let all: Vec<u64> = (0..n).map(|it| least + it * by).take_while(is_possible).collect();
        // What the facts say cannot be is not run; one number remains for what is never one.
        if all.is_empty() { vec![least] } else { all }
    }
}

/// The largest number of stages of anything.
fn stages(kernel: &Kernel) -> u32 {
    let mut most = 1;
    kernel.body.walk(&mut |inst| {
        let made = match &inst.op {
            Op::Shared(SharedOp::Alloc { .. }) | Op::Sync(SyncOp::Mbarriers { .. }) => {
                &inst.results[..]
            }
            _ => &[],
        };
        for value in made {
            let ty = kernel.ty(*value);
            let is_staged = ty.elem == Elem::Barrier || 2 < ty.shape.len();
            most = most.max(ty.shape.first().copied().filter(|_| is_staged).unwrap_or(1));
        }
    });
    most.min(16)
}

/// The buffer of a view, the scalars that say which part of it the view is, and the block that it is on.
fn way(
    definitions: &FxHashMap<Value, Definition<'_>>,
    view: Value,
) -> (Value, Vec<Value>, Option<Value>) {
    let (mut view, mut found, mut rank) = (view, Vec::new(), None);
    while let Some(Definition::Result(inst, _)) = definitions.get(&view).copied() {
        match &inst.op {
            Op::Shared(SharedOp::Index { .. } | SharedOp::Slice { .. }) => {
                found.push(inst.operands[1]);
            }
            Op::Shared(SharedOp::Recast | SharedOp::Overlay) => {}
            Op::Shared(SharedOp::On) => rank = rank.or(Some(inst.operands[1])),
            _ => break,
        }
        view = inst.operands[0];
    }
    (view, found, rank)
}

/// What a steering value is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// A bound, or part of one, of a loop with that step.
    Bound(u64),
    /// Anything else.
    Other,
}

struct Finding<'a> {
    kernel: &'a Kernel,
    definitions: FxHashMap<Value, Definition<'a>>,
    /// Values that are the same in every turn of every loop.
    fixed: FxHashSet<Value>,
    /// The class of equal values that a value is in.
    classes: FxHashMap<Value, u32>,
    by_key: FxHashMap<(Op, Vec<u32>), u32>,
    steers: FxHashSet<Value>,
    free: Vec<(u32, Vec<Value>)>,
    /// The steps of the loops that a class bounds.
    bounds: FxHashMap<u32, Steps>,
    relevant: FxHashSet<*const Inst>,
    numbers: FxHashMap<*const Inst, usize>,
    wanted: Vec<(Value, Use)>,
    /// Loops of which only the number of turns matters, in the order of the text, with the classes of their bounds.
    turns: Vec<(*const Inst, [u32; 3])>,
    n_loops: u32,
}

/// What makes a value.
#[derive(Clone, Copy)]
enum Definition<'a> {
    /// An instruction's result of that number.
    Result(&'a Inst, usize),
    /// A parameter of that number of a loop's region.
    Param(&'a Inst, usize),
}

impl<'a> Finding<'a> {
    fn of(kernel: &'a Kernel) -> Finding<'a> {
        Finding {
            kernel,
            definitions: FxHashMap::default(),
            fixed: kernel.body.params.iter().copied().collect(),
            classes: FxHashMap::default(),
            by_key: FxHashMap::default(),
            steers: FxHashSet::default(),
            free: Vec::new(),
            bounds: FxHashMap::default(),
            relevant: FxHashSet::default(),
            numbers: FxHashMap::default(),
            wanted: Vec::new(),
            turns: Vec::new(),
            n_loops: 0,
        }
    }

    /// Collects definitions and what events want; whether there are any in the region.
    fn region(&mut self, region: &'a Region) -> bool {
        let mut events = false;
        for inst in &region.insts {
            self.numbers.insert(inst, self.numbers.len());
            let is_loop = matches!(inst.op, Op::Flow(FlowOp::For { .. } | FlowOp::While));
            for region in &inst.regions {
                for (n, &param) in region.params.iter().enumerate() {
                    self.definitions.insert(param, Definition::Param(inst, n));
                }
            }
            for (n, &result) in inst.results.iter().enumerate() {
                self.definitions.insert(result, Definition::Result(inst, n));
            }
            self.n_loops += u32::from(is_loop);
            let mut inside = false;
            for region in &inst.regions {
                inside |= self.region(region);
            }
            self.n_loops -= u32::from(is_loop);
            self.classify(inst);
            if inside {
                self.want_flow(inst);
            }
            if is_event(inst) {
                self.want_event(inst);
            }
            events |= inside || is_event(inst);
        }
        events
    }

    /// Gives scalars their classes, and finds which are fixed.
    fn classify(&mut self, inst: &'a Inst) {
        // What a test answers is another thing in another order of events.
        if inst.op == Op::Sync(SyncOp::Test) {
            return;
        }
        let pure = matches!(inst.op, Op::Tile(_)) && inst.regions.is_empty();
        let fixed =
            inst.regions.is_empty() && inst.operands.iter().all(|it| self.fixed.contains(it));
        for &result in &inst.results {
            if (pure && fixed) || (self.n_loops == 0 && inst.regions.is_empty()) {
                self.fixed.insert(result);
            }
        }
        if let ([result], true) = (&inst.results[..], pure) {
            let operands = inst.operands.iter().map(|it| self.class(*it)).collect();
            let next = self.classes.len() as u32 + self.by_key.len() as u32;
            let class = *self.by_key.entry((inst.op.clone(), operands)).or_insert(next);
            self.classes.insert(*result, class);
        }
    }

    fn class(&mut self, value: Value) -> u32 {
        let next = self.classes.len() as u32 + self.by_key.len() as u32;
        *self.classes.entry(value).or_insert(next)
    }

    /// Remembers that a class bounds a loop with that step; whether that is news.
    fn bound(&mut self, class: u32, step: u64) -> bool {
        let before = self.bounds.get(&class).copied();
        let steps = before.map_or(Steps { divisor: step, most: step }, |it| it.and(step));
        self.bounds.insert(class, steps);
        before.is_none_or(|it| (it.divisor, it.most) != (steps.divisor, steps.most))
    }

    /// A positive constant.
    fn constant(&self, value: Value) -> Option<u64> {
        let Some(Definition::Result(inst, _)) = self.definitions.get(&value) else { return None };
        let Op::Tile(TileOp::Const { bits }) = inst.op else { return None };
        let dtype = self.kernel.ty(value).elem.data()?;
        u64::try_from(crate::value::to_int(dtype, bits)).ok().filter(|&it| 0 < it)
    }

    fn want_flow(&mut self, inst: &'a Inst) {
        self.relevant.insert(inst);
        match &inst.op {
            Op::Flow(FlowOp::If) => self.wanted.push((inst.operands[0], Use::Other)),
            Op::Flow(FlowOp::For { .. }) => {
                let bounds = [inst.operands[0], inst.operands[1], inst.operands[2]];
                let step = self.constant(bounds[2]);
                let is_indexed = self.steers.contains(&inst.regions[0].params[0]);
                self.turns.retain(|it| it.0 != std::ptr::from_ref(inst));
                if step.is_none() && !is_indexed && bounds.iter().all(|it| self.fixed.contains(it))
                {
                    let classes = bounds.map(|it| self.class(it));
                    self.turns.push((inst, classes));
                } else {
                    let usage = Use::Bound(step.unwrap_or(1));
                    self.wanted.extend(bounds.map(|it| (it, usage)));
                }
            }
            Op::Flow(FlowOp::While) => self.wanted.push((inst.regions[0].yields[0], Use::Other)),
            _ => {}
        }
    }

    /// Indices of the views that an event is about, and phases.
    fn want_event(&mut self, inst: &'a Inst) {
        let values: Vec<Value> = inst.operands.iter().chain(&inst.results).copied().collect();
        for value in values {
            if self.kernel.ty(value).is_view() {
                self.want_view(value);
            }
        }
        if let Op::Sync(SyncOp::Wait | SyncOp::Test) = inst.op {
            self.wanted.push((inst.operands[1], Use::Other));
        }
    }

    fn want_view(&mut self, view: Value) {
        let (_, indices, rank) = way(&self.definitions, view);
        self.wanted.extend(indices.into_iter().chain(rank).map(|it| (it, Use::Other)));
    }

    /// Marks a value as steering, and asks for what it is computed from.
    fn steer(&mut self, value: Value, usage: Use) -> Option<()> {
        let known = !self.steers.insert(value);
        let class = self.class(value);
        let is_news = match usage {
            Use::Bound(step) => self.bound(class, step),
            Use::Other => false,
        };
        if known && !is_news {
            return Some(());
        }
        match self.definitions.get(&value).copied() {
            Some(Definition::Param(inst, n)) => self.steer_param(inst, n, usage),
            Some(Definition::Result(inst, n)) if !inst.regions.is_empty() => {
                self.steer_result(inst, n, usage)
            }
            Some(Definition::Result(inst, _)) if self.is_computed(inst, value) => {
                self.wanted.extend(inst.operands.iter().map(|&it| (it, usage)));
                Some(())
            }
            _ if self.fixed.contains(&value) && self.kernel.ty(value).is_scalar() => {
                match self.free.iter_mut().find(|it| it.0 == class) {
                    Some((_, values)) if values.contains(&value) => {}
                    Some((_, values)) => values.push(value),
                    None => self.free.push((class, vec![value])),
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Whether a run computes the value: all that changes, and sums of what does not.
    fn is_computed(&self, inst: &Inst, value: Value) -> bool {
        let Op::Tile(op) = &inst.op else { return false };
        let computes = match op {
            TileOp::Const { .. }
            | TileOp::ClusterRank
            | TileOp::Cmp { .. }
            | TileOp::Select
            | TileOp::Unary { .. }
            | TileOp::Cast { .. } => true,
            // Quotients of what is free would be few numbers of turns; they are free themselves.
            TileOp::Binary { op } => is_linear(*op) || !self.fixed.contains(&value),
            _ => false,
        };
        let scalars = inst.operands.iter().chain([&value]).all(|it| {
            let ty = self.kernel.ty(*it);
            ty.is_scalar() && ty.elem.data().is_some_and(|it| it.is_int() || it == DType::Bool)
        });
        scalars && computes
    }

    fn steer_param(&mut self, inst: &'a Inst, n: usize, usage: Use) -> Option<()> {
        let Op::Flow(FlowOp::For { .. }) = inst.op else { return None };
        self.want_flow(inst);
        if 0 < n {
            self.wanted.push((inst.operands[n + 2], usage));
            self.wanted.push((inst.regions[0].yields[n - 1], usage));
        }
        Some(())
    }

    fn steer_result(&mut self, inst: &'a Inst, n: usize, usage: Use) -> Option<()> {
        self.want_flow(inst);
        match &inst.op {
            Op::Flow(FlowOp::For { .. }) => {
                self.wanted.push((inst.operands[n + 3], usage));
                self.wanted.push((inst.regions[0].yields[n], usage));
                Some(())
            }
            Op::Flow(FlowOp::If) => {
                self.wanted.extend(inst.regions.iter().map(|it| (it.yields[n], usage)));
                Some(())
            }
            _ => None,
        }
    }
}

/// Whether a run computes such a number from others even if it never changes.
fn is_linear(op: BinaryOp) -> bool {
    match op {
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor => true,
        BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::MinNan
        | BinaryOp::MaxNan
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::MulHigh => false,
    }
}
