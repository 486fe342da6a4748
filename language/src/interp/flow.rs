//! Loops and branches: regions run with their parameters bound.

use std::rc::Rc;

use super::elements::Elements;
use super::lifetimes::{Step, Steps};
use super::{Block, Fault};
use crate::dtype::DType;
use crate::ir::{Elem, Value};
use crate::op::FlowOp;
use crate::value;

/// Turns of one `while` after which it is taken to be endless: blocks run one after another, so that
/// waiting for a later block never ends.
const WHILE_TURNS_MAX: u64 = 1 << 24;

impl<'a> Block<'_, 'a> {
    pub(super) fn flow(&mut self, op: &FlowOp, step: &Step<'a>) -> Result<(), Fault> {
        match op {
            FlowOp::If => self.run_if(step),
            FlowOp::For { .. } => self.run_for(step),
            FlowOp::While => self.run_while(step),
        }
    }

    fn run_if(&mut self, step: &Step<'a>) -> Result<(), Fault> {
        let holds = self.get(step.inst.operands[0]).bools()[0];
        let yielded = self.region(&step.regions[usize::from(!holds)], vec![])?;
        self.bind(&step.inst.results, yielded);
        Ok(())
    }

    fn run_for(&mut self, step: &Step<'a>) -> Result<(), Fault> {
        let [lo, hi, by, init @ ..] = &step.inst.operands[..] else {
            panic!("V3: a loop has its three bounds");
        };
        let dtype = self.dtype(*lo);
        let int = |it: Value| value::to_int(dtype, self.get(it).bits(0));
        let (mut at, end, by) = (int(*lo), int(*hi), int(*by));
        if by <= 0 {
            return Err(Fault::Step(by));
        }
        let mut carried: Vec<Rc<Elements>> = init.iter().map(|&it| self.share(it)).collect();
        while at < end {
            let index = Rc::new(Elements::filled(Elem::Data(dtype), value::from_int(dtype, at), 1));
            carried.insert(0, index);
            carried = self.region(&step.regions[0], carried)?;
            at += by;
        }
        self.bind(&step.inst.results, carried);
        Ok(())
    }

    fn run_while(&mut self, step: &Step<'a>) -> Result<(), Fault> {
        let mut carried: Vec<Rc<Elements>> =
            step.inst.operands.iter().map(|&it| self.share(it)).collect();
        for _ in 0..WHILE_TURNS_MAX {
            let goes_on = self.region(&step.regions[0], carried.clone())?;
            if !goes_on[0].bools()[0] {
                self.bind(&step.inst.results, carried);
                return Ok(());
            }
            carried = self.region(&step.regions[1], carried)?;
        }
        Err(Fault::Endless(WHILE_TURNS_MAX))
    }

    /// Runs a region with these parameters; gives what it yields.
    pub(super) fn region(
        &mut self,
        steps: &Steps<'a>,
        params: Vec<Rc<Elements>>,
    ) -> Result<Vec<Rc<Elements>>, Fault> {
        self.bind(&steps.region.params, params);
        for step in &steps.steps {
            self.step(step)?;
        }
        Ok(steps.region.yields.iter().map(|&it| self.share(it)).collect())
    }

    fn dtype(&self, value: Value) -> DType {
        self.machine.kernel.ty(value).elem.data().expect("V9: a bound is an integer")
    }
}
