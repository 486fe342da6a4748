//! The last step: a kernel without what nothing uses, its values numbered in order.
//!
//! Carried values that a loop never changes are replaced by what they were before it; instructions
//! without effects whose results nothing uses are dropped; what is left is numbered in the order of
//! definition, so that the text of a kernel does not depend on how the elaborator came to it.

use smallvec::SmallVec;

use crate::ir::{Extent, FactKind, Inst, Kernel, Region, Value, ValueDecl};
use crate::op::{Effects, FlowOp, Op};

/// The tidied kernel.
pub(crate) fn tidy(mut kernel: Kernel) -> Kernel {
    let mut subst: Vec<Value> = (0..kernel.values.len() as u32).map(Value).collect();
    settle(&mut kernel.body, &mut subst);
    replace(&mut kernel.body, &subst);
    let mut live = Live { marked: vec![false; kernel.values.len()] };
    for value in roots(&kernel) {
        live.mark(value);
    }
    while live.sweep(&kernel.body) {}
    prune(&mut kernel.body, &live);
    renumber(kernel)
}

/// How many operands of a loop stand before its carried values.
fn carried_from(op: &Op) -> Option<usize> {
    match op {
        Op::Flow(FlowOp::For { .. }) => Some(3),
        Op::Flow(FlowOp::While) => Some(0),
        _ => None,
    }
}

fn find(subst: &[Value], value: Value) -> Value {
    let mut value = value;
    while subst[value.0 as usize] != value {
        value = subst[value.0 as usize];
    }
    value
}

/// Finds carried values that never change, inner loops first.
fn settle(region: &mut Region, subst: &mut Vec<Value>) {
    for inst in &mut region.insts {
        for inner in &mut inst.regions {
            settle(inner, subst);
        }
        let Some(from) = carried_from(&inst.op) else { continue };
        let params_from = usize::from(from == 3);
        let last = inst.regions.len() - 1;
        for k in (0..inst.results.len()).rev() {
            let init = find(subst, inst.operands[from + k]);
            let param = inst.regions[last].params[params_from + k];
            let end = find(subst, inst.regions[last].yields[k]);
            if end != param && end != init {
                continue;
            }
            subst[param.0 as usize] = init;
            subst[inst.results[k].0 as usize] = init;
            inst.operands.remove(from + k);
            inst.results.remove(k);
            inst.regions[last].yields.remove(k);
            for (n, region) in inst.regions.iter_mut().enumerate() {
                if n < last {
                    let outer = region.params[params_from + k];
                    subst[outer.0 as usize] = init;
                }
                region.params.remove(params_from + k);
            }
        }
    }
}

fn replace(region: &mut Region, subst: &[Value]) {
    for inst in &mut region.insts {
        inst.operands.iter_mut().for_each(|it| *it = find(subst, *it));
        inst.regions.iter_mut().for_each(|it| replace(it, subst));
    }
    region.yields.iter_mut().for_each(|it| *it = find(subst, *it));
}

fn roots(kernel: &Kernel) -> Vec<Value> {
    let mut roots = kernel.body.params.clone();
    for tensor in &kernel.tensors {
        roots.push(tensor.base);
        let extents = tensor.dims.iter().chain(&tensor.strides);
        roots.extend(extents.filter_map(|it| match it {
            Extent::Value(it) => Some(*it),
            Extent::Const(_) => None,
        }));
    }
    roots
}

struct Live {
    marked: Vec<bool>,
}

impl Live {
    fn mark(&mut self, value: Value) -> bool {
        !std::mem::replace(&mut self.marked[value.0 as usize], true)
    }

    fn is(&self, value: Value) -> bool {
        self.marked[value.0 as usize]
    }

    /// Marks what live instructions use, from the end to the beginning; whether anything was new.
    fn sweep(&mut self, region: &Region) -> bool {
        let mut new = false;
        for inst in region.insts.iter().rev() {
            if !self.keeps(inst) {
                continue;
            }
            let from = carried_from(&inst.op);
            let fixed = from.unwrap_or(inst.operands.len());
            for operand in &inst.operands[..fixed] {
                new |= self.mark(*operand);
            }
            if let Some(from) = from {
                new |= self.sweep_carried(inst, from);
            } else {
                for region in &inst.regions {
                    for (result, value) in inst.results.iter().zip(&region.yields) {
                        if self.is(*result) {
                            new |= self.mark(*value);
                        }
                    }
                }
            }
            if inst.op == Op::Flow(FlowOp::While) {
                new |= self.mark(inst.regions[0].yields[0]);
            }
            for region in &inst.regions {
                new |= self.sweep(region);
            }
        }
        new
    }

    fn sweep_carried(&mut self, inst: &Inst, from: usize) -> bool {
        let params_from = usize::from(from == 3);
        let mut new = false;
        for k in 0..inst.results.len() {
            let params = inst.regions.iter().map(|it| it.params[params_from + k]);
            let used = self.is(inst.results[k]) || params.clone().any(|it| self.is(it));
            if !used {
                continue;
            }
            new |= self.mark(inst.operands[from + k]);
            new |= self.mark(inst.results[k]);
            new |= self.mark(inst.regions[inst.regions.len() - 1].yields[k]);
            for param in params {
                new |= self.mark(param);
            }
        }
        new
    }

    /// Whether an instruction does something, or something uses its results.
    fn keeps(&self, inst: &Inst) -> bool {
        if inst.results.iter().any(|it| self.is(*it)) {
            return true;
        }
        match inst.op.row().effects {
            Effects::Pure => false,
            Effects::Read | Effects::Write | Effects::ReadWrite => true,
            Effects::Regions => {
                // A `while` may never end, which a person should see.
                let endless = inst.op == Op::Flow(FlowOp::While);
                endless || inst.regions.iter().any(|it| it.insts.iter().any(|it| self.keeps(it)))
            }
        }
    }
}

fn prune(region: &mut Region, live: &Live) {
    region.insts.retain(|it| live.keeps(it));
    for inst in &mut region.insts {
        let from = carried_from(&inst.op);
        let is_flow = !inst.regions.is_empty();
        for k in (0..inst.results.len()).rev() {
            if !is_flow || live.is(inst.results[k]) {
                continue;
            }
            inst.results.remove(k);
            let last = inst.regions.len() - 1;
            if let Some(from) = from {
                inst.operands.remove(from + k);
                let params_from = usize::from(from == 3);
                inst.regions[last].yields.remove(k);
                for region in &mut inst.regions {
                    region.params.remove(params_from + k);
                }
            } else {
                for region in &mut inst.regions {
                    region.yields.remove(k);
                }
            }
        }
        inst.regions.iter_mut().for_each(|it| prune(it, live));
    }
}

struct Numbers {
    old: Vec<ValueDecl>,
    new: Vec<ValueDecl>,
    map: Vec<Option<Value>>,
}

impl Numbers {
    fn define(&mut self, value: &mut Value) {
        let number = Value(self.new.len() as u32);
        self.new.push(self.old[value.0 as usize].clone());
        self.map[value.0 as usize] = Some(number);
        *value = number;
    }

    fn of(&self, value: Value) -> Value {
        self.map[value.0 as usize].expect("V1: a value is defined before its uses")
    }

    fn region(&mut self, region: &mut Region) {
        region.params.iter_mut().for_each(|it| self.define(it));
        for inst in &mut region.insts {
            inst.operands = inst.operands.iter().map(|it| self.of(*it)).collect::<SmallVec<_>>();
            inst.regions.iter_mut().for_each(|it| self.region(it));
            inst.results.iter_mut().for_each(|it| self.define(it));
        }
        region.yields.iter_mut().for_each(|it| *it = self.of(*it));
    }
}

fn renumber(mut kernel: Kernel) -> Kernel {
    let old = std::mem::take(&mut kernel.values);
    let map = vec![None; old.len()];
    let mut numbers = Numbers { old, new: Vec::new(), map };
    numbers.region(&mut kernel.body);
    for tensor in &mut kernel.tensors {
        tensor.base = numbers.of(tensor.base);
        for extent in tensor.dims.iter_mut().chain(&mut tensor.strides) {
            if let Extent::Value(it) = extent {
                *it = numbers.of(*it);
            }
        }
    }
    for fact in &mut kernel.facts {
        match &mut fact.kind {
            FactKind::Divisible { value, .. } | FactKind::Range { value, .. } => {
                *value = numbers.of(*value)
            }
            FactKind::AtMost { a, b } => (*a, *b) = (numbers.of(*a), numbers.of(*b)),
        }
    }
    kernel.values = numbers.new;
    kernel
}
