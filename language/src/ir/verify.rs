//! The verifier: the rules V1 to V12 that every kernel keeps between any two passes.
//!
//! A violation is a broken promise of the compiler, never a mistake in a program; engines and
//! analyses may rely on every rule without asking again. The rules are listed in [`super`] and at
//! [`Rule`]; each has a test that breaks it and nothing else.

mod memory;
mod mma;
mod plan;
mod shared;
mod sync;
mod tile;

use std::fmt;

use super::{Elem, Extent, Inst, Kernel, Region, SiteId, Type, Value};
use crate::op::flow::Role;
use crate::op::{FlowOp, Op};

/// The rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Rule {
    /// A value is defined once, before its uses, in its own region or one around it.
    V1,
    /// A tile has a layout if and only if its rank is at least 1, and the layout's extents are its
    /// shape; a view has a memory map of its shape and no layout.
    V2,
    /// Operands and results have the types that the operation's row asks for.
    V3,
    /// Elementwise operands have equal shapes and layouts.
    V4,
    /// A region yields what its owner expects, in number and type.
    V5,
    /// Masks are bool and cover the pointers.
    V6,
    /// Tensor numbers and sites exist.
    V7,
    /// Grid, symbols and parameters agree with the launch plan.
    V8,
    /// Conditions and bounds are scalars.
    V9,
    /// A view is neither carried by a loop nor yielded by a branch.
    V10,
    /// A product's types, shapes and layouts are those of its matrix instruction.
    V11,
    /// Roles come last, each with a region and with warps of its own.
    V12,
}

/// A rule that a kernel breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// What is so, in a sentence without full stop.
    pub message: String,
    /// The instruction's site, if it is about one.
    pub site: Option<SiteId>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.message)?;
        match self.site {
            Some(site) => write!(f, " at {site}"),
            None => Ok(()),
        }
    }
}

/// Everything that `kernel` breaks, in order of the text; empty if it is sound.
pub fn verify(kernel: &Kernel) -> Vec<Violation> {
    let n_values = kernel.values.len();
    let mut verifier = Verifier {
        kernel,
        visible: vec![false; n_values],
        defined: vec![false; n_values],
        site: None,
        found: vec![],
    };
    verifier.values();
    verifier.plan();
    verifier.sites();
    verifier.region(&kernel.body);
    verifier.yields(&kernel.body, &[]);
    verifier.tensors();
    verifier.facts();
    verifier.found
}

struct Verifier<'a> {
    kernel: &'a Kernel,
    // Defined at this point of the walk, in a region that is still open.
    visible: Vec<bool>,
    // Defined at some point of the walk.
    defined: Vec<bool>,
    site: Option<SiteId>,
    found: Vec<Violation>,
}

impl<'a> Verifier<'a> {
    fn broken(&mut self, rule: Rule, message: impl Into<String>) {
        self.found.push(Violation { rule, message: message.into(), site: self.site });
    }

    fn require(&mut self, rule: Rule, holds: bool, message: impl FnOnce() -> String) {
        if !holds {
            self.broken(rule, message());
        }
    }

    /// The type of a value that exists.
    fn ty(&self, value: Value) -> Option<&'a Type> {
        self.kernel.values.get(value.0 as usize).map(|it| &it.ty)
    }

    fn values(&mut self) {
        for (number, decl) in self.kernel.values.iter().enumerate() {
            let ty = &decl.ty;
            let sound = match (&ty.layout, &ty.memory, ty.elem) {
                (None, Some(map), Elem::Shared(_) | Elem::Barrier) => {
                    map.shape()[..] == ty.shape[..]
                }
                (None, None, Elem::Data(_) | Elem::Pointer(_) | Elem::Map) => ty.shape.is_empty(),
                (Some(layout), None, Elem::Data(_) | Elem::Pointer(_)) => {
                    !ty.shape.is_empty() && layout.shape() == &ty.shape[..]
                }
                _ => false,
            };
            self.require(Rule::V2, sound, || {
                format!("%{number} has a layout that is not of its shape")
            });
            let extents = ty.shape.iter().all(|&it| 1 <= it);
            self.require(Rule::V2, extents, || format!("%{number} has an extent of 0"));
        }
    }

    fn sites(&mut self) {
        let sites = &self.kernel.sites;
        for (number, site) in sites.iter().enumerate() {
            let mut steps = 0;
            let mut caller = site.caller;
            while let Some(id) = caller.filter(|_| steps <= sites.len()) {
                steps += 1;
                caller = sites.get(id.0 as usize).and_then(|it| it.caller);
                let known = (id.0 as usize) < sites.len();
                self.require(Rule::V7, known, || {
                    format!("!{number} was called from {id}, which does not exist")
                });
            }
            self.require(Rule::V7, steps <= sites.len(), || {
                format!("!{number} was called from itself")
            });
        }
    }

    /// Checks a site that an instruction, a tensor or a fact names, and reports there from now on.
    fn enter(&mut self, site: SiteId) {
        self.site = None;
        let known = (site.0 as usize) < self.kernel.sites.len();
        self.require(Rule::V7, known, || format!("{site} does not exist"));
        self.site = known.then_some(site);
    }

    fn tensors(&mut self) {
        let kernel = self.kernel;
        for tensor in &kernel.tensors {
            tensor.dim_sites.iter().for_each(|&it| self.enter(it));
            self.enter(tensor.site);
            self.require(Rule::V7, tensor.dim_sites.len() == tensor.dims.len(), || {
                format!("`{}` has a place for some extents only", tensor.name)
            });
            let name = &tensor.name;
            let sound = self.ty(tensor.base).is_some_and(|it| *it == pointer(tensor.dtype));
            self.require(Rule::V7, sound, || {
                format!("the base of `{name}` is no pointer to {}", tensor.dtype)
            });
            let ranks = tensor.dims.len() == tensor.strides.len();
            self.require(Rule::V7, ranks, || {
                format!("`{name}` has another number of strides than of extents")
            });
            for extent in tensor.dims.iter().chain(&tensor.strides) {
                if let Extent::Value(value) = *extent {
                    self.top_level_scalar(value, || format!("an extent of `{name}`"));
                }
            }
        }
        self.site = None;
    }

    fn facts(&mut self) {
        let kernel = self.kernel;
        self.enter(kernel.clauses.head);
        kernel.clauses.last.into_iter().for_each(|it| self.enter(it));
        for fact in &kernel.facts {
            self.enter(fact.site);
            match fact.kind {
                super::FactKind::Divisible { value, divisor } => {
                    self.top_level_scalar(value, || "a fact".to_owned());
                    self.require(Rule::V7, 1 <= divisor, || "a fact divides by 0".to_owned());
                }
                super::FactKind::Range { value, .. } => {
                    self.top_level_scalar(value, || "a fact".to_owned())
                }
                super::FactKind::AtMost { a, b } => {
                    self.top_level_scalar(a, || "a fact".to_owned());
                    self.top_level_scalar(b, || "a fact".to_owned());
                }
            }
        }
        self.site = None;
    }

    /// Extents and facts speak of integers that the body itself defines.
    fn top_level_scalar(&mut self, value: Value, whose: impl Fn() -> String) {
        let visible = self.visible.get(value.0 as usize).copied().unwrap_or(false);
        self.require(Rule::V1, visible, || {
            format!("{} is {value}, which the body does not define", whose())
        });
        let int = self
            .ty(value)
            .is_some_and(|it| it.is_scalar() && it.elem.data().is_some_and(|it| it.is_int()));
        self.require(Rule::V7, int, || {
            format!("{} is {value}, which is no scalar integer", whose())
        });
    }

    fn define(&mut self, value: Value) {
        let Some(defined) = self.defined.get_mut(value.0 as usize) else {
            return self.broken(Rule::V1, format!("{value} is not in the kernel's list of values"));
        };
        let first = !std::mem::replace(defined, true);
        self.visible[value.0 as usize] = true;
        self.require(Rule::V1, first, || format!("{value} is defined twice"));
    }

    fn used(&mut self, value: Value) -> bool {
        let visible = self.visible.get(value.0 as usize).copied().unwrap_or(false);
        self.require(Rule::V1, visible, || format!("{value} is used where it is not defined"));
        visible
    }

    /// Checks the contents of a region; its values stay visible.
    fn region(&mut self, region: &'a Region) {
        region.params.iter().for_each(|&it| self.define(it));
        for inst in &region.insts {
            self.inst(inst);
        }
        self.site = None;
        for &value in &region.yields {
            self.used(value);
        }
    }

    fn inst(&mut self, inst: &'a Inst) {
        self.enter(inst.site);
        let mut known = true;
        for &value in &inst.operands {
            known &= self.used(value);
        }
        known &= inst.results.iter().all(|it| (it.0 as usize) < self.kernel.values.len());
        for region in &inst.regions {
            let visible = self.visible.clone();
            self.region(region);
            self.visible = visible;
        }
        self.enter(inst.site);
        if known {
            match &inst.op {
                Op::Flow(op) => self.flow(op, inst),
                Op::Tile(op) => self.tile(op, inst),
                Op::Memory(op) => self.memory(op, inst),
                Op::Shared(op) => self.shared(op, inst),
                Op::Copy(op) => self.copy(op, inst),
                Op::Sync(op) => self.sync(op, inst),
                Op::Mma(op) => self.mma(op, inst),
            }
        }
        inst.results.iter().for_each(|&it| self.define(it));
    }

    fn flow(&mut self, op: &FlowOp, inst: &'a Inst) {
        match op {
            FlowOp::If => self.check_if(inst),
            FlowOp::For { .. } => self.check_for(inst),
            FlowOp::While => self.check_while(inst),
            FlowOp::Roles { roles } => self.check_roles(roles, inst),
        }
    }

    fn check_if(&mut self, inst: &'a Inst) {
        let ([cond], [then, other]) = (&inst.operands[..], &inst.regions[..]) else {
            return self.broken(Rule::V3, "`flow.if` has one operand and two regions");
        };
        self.condition(*cond);
        let results = self.types(&inst.results);
        for region in [then, other] {
            self.params(region, &[]);
            self.yields(region, &results);
        }
    }

    fn check_for(&mut self, inst: &'a Inst) {
        let ([lo, hi, step, init @ ..], [body]) = (&inst.operands[..], &inst.regions[..]) else {
            return self.broken(Rule::V3, "`flow.for` has at least three operands and one region");
        };
        let index = self.ty(*lo).cloned();
        for bound in [lo, hi, step] {
            let ty = self.ty(*bound);
            let scalar =
                ty.is_some_and(|it| it.is_scalar() && it.elem.data().is_some_and(|it| it.is_int()));
            self.require(Rule::V9, scalar, || {
                format!("the bound {bound} of a loop is no scalar integer")
            });
            let same = self.ty(*bound) == index.as_ref();
            self.require(Rule::V3, same, || {
                format!("the bound {bound} of a loop has another type than its first")
            });
        }
        let carried = self.types(init);
        let params: Vec<&Type> = index.iter().chain(carried.iter().copied()).collect();
        self.params(body, &params);
        self.yields(body, &carried);
        self.results(inst, &carried);
    }

    fn check_roles(&mut self, roles: &[Role], inst: &'a Inst) {
        let sides = inst.operands.is_empty() && inst.results.is_empty();
        self.require(Rule::V12, sides, || "roles take and give nothing".to_owned());
        let last = comes_last(&self.kernel.body, inst);
        self.require(Rule::V12, last, || "roles are the last thing in a kernel".to_owned());
        let same = roles.len() == inst.regions.len();
        self.require(Rule::V12, same, || "there is a region for each role".to_owned());
        let mut taken = vec![false; self.kernel.warps as usize];
        for role in roles {
            let warps = role.first_warp as usize..(role.first_warp + role.warps) as usize;
            let free = taken.get_mut(warps).filter(|it| !it.contains(&true));
            let apart = free.map(|it| it.fill(true)).is_some();
            self.require(Rule::V12, apart, || {
                format!(
                    "the warps of `{}` are those of another role, or not the block's",
                    role.name
                )
            });
        }
        for region in &inst.regions {
            self.params(region, &[]);
            self.yields(region, &[]);
        }
    }

    fn check_while(&mut self, inst: &'a Inst) {
        let [cond, body] = &inst.regions[..] else {
            return self.broken(Rule::V3, "`flow.while` has two regions");
        };
        let carried = self.types(&inst.operands);
        self.params(cond, &carried);
        self.params(body, &carried);
        match cond.yields[..] {
            [it] => self.condition(it),
            _ => self.broken(Rule::V5, "the first region of `flow.while` yields one bool"),
        }
        self.yields(body, &carried);
        self.results(inst, &carried);
    }

    fn types(&self, values: &[Value]) -> Vec<&'a Type> {
        values.iter().filter_map(|&it| self.ty(it)).collect()
    }

    fn condition(&mut self, value: Value) {
        let sound = self.ty(value).is_some_and(|it| *it == Type::scalar(crate::dtype::DType::Bool));
        self.require(Rule::V9, sound, || format!("the condition {value} is no scalar bool"));
    }

    fn params(&mut self, region: &'a Region, wanted: &[&Type]) {
        let views = self.types(&region.params).iter().any(|it| it.is_view());
        self.require(Rule::V10, !views, || "a region takes a view".to_owned());
        let same = self.types(&region.params) == wanted;
        self.require(Rule::V5, same, || {
            "a region's parameters are not what its owner hands in".to_owned()
        });
    }

    fn yields(&mut self, region: &'a Region, wanted: &[&Type]) {
        let views = self.types(&region.yields).iter().any(|it| it.is_view());
        self.require(Rule::V10, !views, || "a region yields a view".to_owned());
        let same = self.types(&region.yields) == wanted;
        self.require(Rule::V5, same, || {
            "a region does not yield what its owner expects".to_owned()
        });
    }

    fn results(&mut self, inst: &'a Inst, wanted: &[&Type]) {
        let same = self.types(&inst.results) == wanted;
        self.require(Rule::V5, same, || "the results are not what the region yields".to_owned());
    }
}

/// The type of a scalar pointer.
fn pointer(dtype: crate::dtype::DType) -> Type {
    Type { elem: super::Elem::Pointer(dtype), ..Type::scalar(dtype) }
}

/// Whether nothing of a region comes after the instruction, which is in it or on a way through its last `if`.
fn comes_last(region: &Region, inst: &Inst) -> bool {
    region.insts.last().is_some_and(|last| {
        let is_if = matches!(last.op, Op::Flow(FlowOp::If));
        std::ptr::eq(last, inst) || is_if && last.regions.iter().any(|it| comes_last(it, inst))
    })
}

#[cfg(test)]
mod tests;
