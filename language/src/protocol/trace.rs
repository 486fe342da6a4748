//! The events of one run of a kernel's skeleton.

use super::skeleton::{Skeleton, is_event};
use crate::ir::{Elem, Inst, Region, Value};
use crate::op::{FlowOp, Op, TileOp};
use crate::value;

/// Events of one run after which it is left undecided.
const EVENTS_MAX: usize = 50_000;

/// What happens at one instruction, with the scalars as they are then.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    /// The instruction's number in the order of the text.
    pub(crate) no: usize,
    /// The instruction.
    pub(crate) inst: &'a Inst,
    /// Indices that the instruction's views have, by the value of the index.
    indices: Vec<(Value, i64)>,
    /// The barrier that it is about: the list, and the place in it.
    barrier: Option<(Value, Vec<i64>)>,
    /// Views of other blocks' memory, with the numbers of these.
    ranks: Vec<(Value, i64)>,
}

impl Event<'_> {
    /// The barrier that it is about: the list, and the place in it.
    pub(crate) fn barrier(&self) -> Option<(Value, Vec<i64>)> {
        self.barrier.clone()
    }

    /// The number in the cluster of the block whose memory a view is of, if it is another one's.
    pub(crate) fn rank(&self, view: Value) -> Option<usize> {
        let found = self.ranks.iter().find(|it| it.0 == view)?;
        usize::try_from(found.1).ok()
    }

    /// A scalar that the event was about.
    pub(crate) fn scalar(&self, value: Value) -> i64 {
        let found = self.indices.iter().find(|it| it.0 == value);
        found.expect("what steers is computed").1
    }
}

/// The events of the run of block `rank` of a cluster with these free scalars: those before the roles, or of all there is, and then a list for
/// each role. `None` if the run is too long.
pub(super) fn trace<'a>(
    skeleton: &Skeleton<'a>,
    choice: &[u64],
    rank: u32,
) -> Option<Vec<Vec<Event<'a>>>> {
    let mut known = vec![None; skeleton.kernel.values.len()];
    for (free, &bits) in skeleton.free.iter().zip(choice) {
        for value in &free.values {
            known[value.0 as usize] = Some(value::from_int(free.dtype, bits.into()));
        }
    }
    let (events, roles) = (Vec::new(), Vec::new());
    let mut tracing = Tracing { skeleton, choice, rank, known, events, roles, n_turns: 0 };
    tracing.region(&skeleton.kernel.body)?;
    Some(std::iter::once(tracing.events).chain(tracing.roles).collect())
}

struct Tracing<'s, 'a> {
    skeleton: &'s Skeleton<'a>,
    choice: &'s [u64],
    rank: u32,
    known: Vec<Option<u64>>,
    events: Vec<Event<'a>>,
    roles: Vec<Vec<Event<'a>>>,
    n_turns: usize,
}

impl<'a> Tracing<'_, 'a> {
    fn get(&self, value: Value) -> Option<u64> {
        self.known[value.0 as usize]
    }

    fn int(&self, value: Value) -> Option<i64> {
        let dtype = self.skeleton.kernel.ty(value).elem.data()?;
        i64::try_from(value::to_int(dtype, self.get(value)?)).ok()
    }

    fn set(&mut self, value: Value, bits: Option<u64>) {
        if self.skeleton.steers.contains(&value) && bits.is_some() {
            self.known[value.0 as usize] = bits;
        }
    }

    fn region(&mut self, region: &'a Region) -> Option<()> {
        region.insts.iter().try_for_each(|inst| self.inst(inst))
    }

    fn inst(&mut self, inst: &'a Inst) -> Option<()> {
        if is_event(inst) {
            return self.event(inst);
        }
        match &inst.op {
            Op::Tile(op) if inst.results.iter().any(|it| self.skeleton.steers.contains(it)) => {
                let bits = self.compute(op, inst);
                self.set(inst.results[0], bits);
                Some(())
            }
            Op::Flow(op) if self.skeleton.relevant.contains(&std::ptr::from_ref(inst)) => {
                self.flow(op, inst)
            }
            _ => Some(()),
        }
    }

    fn event(&mut self, inst: &'a Inst) -> Option<()> {
        let (mut indices, mut ranks) = (Vec::new(), Vec::new());
        for &value in inst.operands.iter().chain(&inst.results) {
            if self.skeleton.kernel.ty(value).is_view() {
                self.indices_of(value, &mut indices)?;
                if let Some(rank) = self.skeleton.rank(value) {
                    ranks.push((value, self.int(rank)?));
                }
            } else if let Some(it) = self.int(value) {
                indices.push((value, it));
            }
        }
        let no = self.skeleton.numbers[&std::ptr::from_ref(inst)];
        let is_barrier = |it: &&Value| self.skeleton.kernel.ty(**it).elem == Elem::Barrier;
        let barrier = inst.operands.iter().find(is_barrier).map(|&it| {
            let place = self.skeleton.indices(it).into_iter().filter_map(|it| self.int(it));
            (self.skeleton.buffer(it), place.collect())
        });
        self.events.push(Event { no, inst, indices, barrier, ranks });
        (self.events.len() <= EVENTS_MAX).then_some(())
    }

    /// The indices on the way from a view to its buffer.
    fn indices_of(&self, view: Value, found: &mut Vec<(Value, i64)>) -> Option<()> {
        for at in self.skeleton.indices(view) {
            found.push((at, self.int(at)?));
        }
        Some(())
    }

    fn compute(&self, op: &TileOp, inst: &Inst) -> Option<u64> {
        let dtype = |at: usize| self.skeleton.kernel.ty(inst.operands[at]).elem.data();
        let bits = |at: usize| self.get(inst.operands[at]);
        match op {
            TileOp::Const { bits } => Some(*bits),
            TileOp::ClusterRank => Some(self.rank.into()),
            TileOp::Unary { op } => Some(value::unary(*op, dtype(0)?, bits(0)?)),
            TileOp::Binary { op } => value::binary(*op, dtype(0)?, bits(0)?, bits(1)?),
            TileOp::Cmp { op } => Some(u64::from(value::cmp(*op, dtype(0)?, bits(0)?, bits(1)?))),
            TileOp::Select => bits(if bits(0)? != 0 { 1 } else { 2 }),
            TileOp::Cast { round } => {
                let to = self.skeleton.kernel.ty(inst.results[0]).elem.data()?;
                Some(value::cast(dtype(0)?, to, *round, bits(0)?))
            }
            // Free, and chosen.
            _ => self.get(inst.results[0]),
        }
        .or_else(|| self.get(inst.results[0]))
    }

    fn flow(&mut self, op: &FlowOp, inst: &'a Inst) -> Option<()> {
        match op {
            FlowOp::If => {
                let holds = self.get(inst.operands[0])? != 0;
                let region = &inst.regions[usize::from(!holds)];
                self.region(region)?;
                self.hand_over(&inst.results, &region.yields);
                Some(())
            }
            FlowOp::For { .. } => self.run_for(inst),
            FlowOp::Roles { .. } => {
                for region in &inst.regions {
                    let before = std::mem::take(&mut self.events);
                    self.region(region)?;
                    self.roles.push(std::mem::replace(&mut self.events, before));
                }
                Some(())
            }
            FlowOp::While => None,
        }
    }

    fn run_for(&mut self, inst: &'a Inst) -> Option<()> {
        let body = &inst.regions[0];
        let bound = |at: usize| self.int(inst.operands[at]);
        let (lo, hi, step) = match self.skeleton.turns.get(&std::ptr::from_ref(inst)) {
            Some(&free) => (0, i64::try_from(self.choice[free]).ok()?, 1),
            None => (bound(0)?, bound(1)?, bound(2)?),
        };
        let dtype = self.skeleton.kernel.ty(inst.operands[0]).elem.data()?;
        self.hand_over(&body.params[1..], &inst.operands[3..]);
        let mut at = lo;
        while at < hi {
            self.known[body.params[0].0 as usize] = Some(value::from_int(dtype, at.into()));
            self.region(body)?;
            self.hand_over(&body.params[1..], &body.yields);
            at = at.checked_add(step.max(1))?;
            self.n_turns += 1;
            (self.n_turns <= EVENTS_MAX).then_some(())?;
        }
        let params = body.params[1..].to_vec();
        self.hand_over(&inst.results, &params);
        Some(())
    }

    /// Hands values over a region's border, all at once.
    fn hand_over(&mut self, to: &[Value], from: &[Value]) {
        let bits: Vec<Option<u64>> = from.iter().map(|&it| self.get(it)).collect();
        for (&to, bits) in to.iter().zip(bits) {
            self.known[to.0 as usize] = bits;
        }
    }
}
