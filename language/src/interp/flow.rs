//! Loops, branches and roles: regions run with their parameters bound.
//!
//! # Idea
//! A [`Task`] is a role as it runs, or the block before its roles: a stack of regions, each with its next
//! instruction. Nothing of a task lies on the machine's stack, so that it can stop at a wait and go on later.

use std::rc::Rc;

use super::elements::Elements;
use super::lifetimes::{Step, Steps};
use super::{Block, Fault};
use crate::dtype::DType;
use crate::ir::{Elem, Value};
use crate::op::{FlowOp, Op};
use crate::value;

/// Turns of one `while` after which it is taken to be endless: blocks run one after another, so that
/// waiting for a later block never ends.
const WHILE_TURNS_MAX: u64 = 1 << 24;

/// A role as it runs.
pub(super) struct Task<'s, 'a> {
    frames: Vec<Frame<'s, 'a>>,
}

/// A region that is entered.
struct Frame<'s, 'a> {
    steps: &'s Steps<'a>,
    next: usize,
    kind: Kind,
}

/// What becomes of a region's yields.
enum Kind {
    /// A kernel's body or a role: nothing.
    Body,
    /// The results of the branch.
    Branch,
    /// A turn of a `for`, with the index that it has.
    Turn { dtype: DType, at: i128, end: i128, by: i128 },
    /// Whether a `while` goes on, in this turn.
    Question { turn: u64, carried: Vec<Rc<Elements>> },
    /// The next carried values of a `while`, after this turn.
    WhileTurn { turn: u64 },
}

/// How far a task came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// To its end.
    Done,
    /// To a wait that cannot go on yet.
    Waits,
    /// To the roles of the kernel.
    Roles,
}

impl<'s, 'a> Task<'s, 'a> {
    /// A task at the beginning of a region whose parameters are bound.
    pub(super) fn new(steps: &'s Steps<'a>) -> Task<'s, 'a> {
        Task { frames: vec![Frame { steps, next: 0, kind: Kind::Body }] }
    }

    /// The instruction that is next.
    pub(super) fn step(&self) -> Option<&'s Step<'a>> {
        let frame = self.frames.last()?;
        frame.steps.steps.get(frame.next)
    }

    /// Goes on to the instruction after a meeting.
    pub(super) fn pass(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.next += 1;
        }
    }
}

impl<'a> Block<'_, 'a> {
    /// Runs a task until it ends or has to wait.
    pub(super) fn go_on<'s>(&mut self, task: &mut Task<'s, 'a>) -> Result<Progress, Fault> {
        loop {
            let Some(frame) = task.frames.last_mut() else { return Ok(Progress::Done) };
            let Some(step) = frame.steps.steps.get(frame.next) else {
                self.leave(task)?;
                continue;
            };
            match &step.inst.op {
                Op::Flow(FlowOp::Roles { .. }) => return Ok(Progress::Roles),
                Op::Flow(op) => {
                    self.enter_step(step);
                    match self.begin_flow(op, step)? {
                        Some(inner) => task.frames.push(inner),
                        None => self.finish(task),
                    }
                }
                _ => {
                    if !self.step(step)? {
                        return Ok(Progress::Waits);
                    }
                    frame.next += 1;
                }
            }
        }
    }

    /// After an instruction with regions: its last uses are over.
    fn finish(&mut self, task: &mut Task<'_, 'a>) {
        if let Some(frame) = task.frames.last_mut() {
            let step = &frame.steps.steps[frame.next];
            frame.next += 1;
            self.forget(&step.dead);
        }
    }

    /// The first region of an instruction; none if it runs none and its results are bound.
    fn begin_flow<'s>(
        &mut self,
        op: &FlowOp,
        step: &'s Step<'a>,
    ) -> Result<Option<Frame<'s, 'a>>, Fault> {
        match op {
            FlowOp::If => {
                let holds = self.get(step.inst.operands[0]).bools()[0];
                let steps = &step.regions[usize::from(!holds)];
                Ok(Some(Frame { steps, next: 0, kind: Kind::Branch }))
            }
            FlowOp::For { .. } => self.begin_for(step),
            FlowOp::While => {
                let carried: Vec<Rc<Elements>> =
                    step.inst.operands.iter().map(|&it| self.share(it)).collect();
                Ok(Some(self.question(step, 0, carried)))
            }
            FlowOp::Roles { .. } => unreachable!("roles are begun by the cluster"),
        }
    }

    fn begin_for<'s>(&mut self, step: &'s Step<'a>) -> Result<Option<Frame<'s, 'a>>, Fault> {
        let [lo, hi, by, init @ ..] = &step.inst.operands[..] else {
            panic!("V3: a loop has its three bounds");
        };
        let dtype = self.dtype(*lo);
        let int = |it: Value| value::to_int(dtype, self.get(it).bits(0));
        let (at, end, by) = (int(*lo), int(*hi), int(*by));
        if by <= 0 {
            return Err(Fault::Step(by));
        }
        let carried: Vec<Rc<Elements>> = init.iter().map(|&it| self.share(it)).collect();
        if end <= at {
            self.bind(&step.inst.results, carried);
            return Ok(None);
        }
        self.begin_turn(&step.regions[0], dtype, at, carried);
        Ok(Some(Frame {
            steps: &step.regions[0],
            next: 0,
            kind: Kind::Turn { dtype, at, end, by },
        }))
    }

    fn begin_turn(&mut self, body: &Steps<'a>, dtype: DType, at: i128, carried: Vec<Rc<Elements>>) {
        let index = Elements::filled(Elem::Data(dtype), value::from_int(dtype, at), 1);
        self.bind(&body.region.params[..1], vec![Rc::new(index)]);
        self.bind(&body.region.params[1..], carried);
    }

    fn question<'s>(
        &mut self,
        step: &'s Step<'a>,
        turn: u64,
        carried: Vec<Rc<Elements>>,
    ) -> Frame<'s, 'a> {
        let steps = &step.regions[0];
        self.bind(&steps.region.params, carried.clone());
        Frame { steps, next: 0, kind: Kind::Question { turn, carried } }
    }

    /// Leaves a region whose instructions are done.
    fn leave(&mut self, task: &mut Task<'_, 'a>) -> Result<(), Fault> {
        let frame = task.frames.pop().expect("a region that is left was entered");
        let yields: Vec<Rc<Elements>> =
            frame.steps.region.yields.iter().map(|&it| self.share(it)).collect();
        let Some(outer) = task.frames.last() else { return Ok(()) };
        let step = &outer.steps.steps[outer.next];
        let next = match frame.kind {
            Kind::Body => None,
            Kind::Branch => {
                self.bind(&step.inst.results, yields);
                None
            }
            Kind::Turn { dtype, at, end, by } => {
                let at = at + by;
                if at < end {
                    self.begin_turn(frame.steps, dtype, at, yields);
                    let kind = Kind::Turn { dtype, at, end, by };
                    Some(Frame { steps: frame.steps, next: 0, kind })
                } else {
                    self.bind(&step.inst.results, yields);
                    None
                }
            }
            Kind::Question { turn, carried } if yields[0].bools()[0] => {
                let steps = &step.regions[1];
                self.bind(&steps.region.params, carried);
                Some(Frame { steps, next: 0, kind: Kind::WhileTurn { turn } })
            }
            Kind::Question { carried, .. } => {
                self.bind(&step.inst.results, carried);
                None
            }
            Kind::WhileTurn { turn } if turn + 1 < WHILE_TURNS_MAX => {
                Some(self.question(step, turn + 1, yields))
            }
            Kind::WhileTurn { .. } => {
                self.enter_step(step);
                return Err(Fault::Endless(WHILE_TURNS_MAX));
            }
        };
        match next {
            Some(frame) => task.frames.push(frame),
            None => self.finish(task),
        }
        Ok(())
    }

    fn dtype(&self, value: Value) -> DType {
        self.machine.kernel.ty(value).elem.data().expect("V9: a bound is an integer")
    }
}
