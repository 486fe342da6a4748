//! Kernels: heads become launch plans and IR parameters, bodies become regions.
//!
//! The head is read in this order: compile-time arguments, `warps`, parameters (which bind the
//! sizes), `where`, `grid`. Then the body is run once.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;
use tile_layout::Machine;
use tile_plan::{AbiSlot, Check, LaunchPlan, Param, ParamKind, TensorMap};
use tile_syntax::ast::{ClauseKind, Expr, Fn, ItemKind, Span};

use super::builder::Builder;
use super::call::GivenGeneric;
use super::cx::{Elab, Mode};
use super::observe::Observed;
use super::roles::{last_roles, roles_of};
use super::tidy::tidy;
use super::value::Value;
use crate::db::{self, Db};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::ir::{self, Clauses, ItemKey, Kernel};
use crate::op::{CopyOp, Op, SharedOp, SyncOp};
use crate::pass;
use crate::report;
use crate::target::TargetId;

/// What became of an instance.
#[derive(Clone, PartialEq, Debug)]
pub struct Elaborated {
    /// The kernel, if nothing is wrong with it.
    pub kernel: Option<Arc<Kernel>>,
    /// What is wrong with it.
    pub diagnostics: Arc<[Diagnostic]>,
    /// Warnings that its `allow` clauses silence.
    pub allowed: Arc<[Code]>,
    /// Whether it could exist: a kernel whose compile-time parameters lack defaults has no canonical instance.
    pub exists: bool,
}

/// The head of a kernel while it is read.
#[derive(Default)]
pub(super) struct Head {
    pub(super) plan: LaunchPlan,
    /// Values of symbols, by number.
    pub(super) symbols: Vec<ir::Value>,
    /// Values of scalar parameters, by the parameter's number.
    pub(super) scalars: Vec<(u32, SmolStr, ir::Value)>,
    pub(super) params: Vec<ir::Value>,
    /// The struct parameter whose fields are read, with a dot after it: `cfg.`.
    pub(super) owner: String,
}

/// Elaborates the kernel of `key` with these compile-time arguments.
pub fn elaborate(
    db: &dyn Db,
    key: &ItemKey,
    args: &[(SmolStr, Value)],
    name: &str,
    target: TargetId,
) -> Elaborated {
    let nothing = Elaborated {
        kernel: None,
        diagnostics: Arc::from([]),
        allowed: Arc::from([]),
        exists: false,
    };
    let (Some(tree), Some(file)) = (db::item(db, key), db::file(db, key.file)) else {
        return nothing;
    };
    let ItemKind::Kernel(decl) = &tree.kind else { return nothing };
    if args.is_empty() && decl.generics.iter().any(|it| it.default.is_none()) {
        return nothing;
    }
    let mut cx = Elab::new(db, target, None);
    cx.push_frame(key.clone(), file, None);
    let kernel = cx.kernel(decl, args, name);
    let failed = cx.diagnostics.iter().any(|it| it.severity == Severity::Error);
    let allowed = decl.clauses.iter().filter_map(|it| match &it.kind {
        ClauseKind::Allow { code, .. } => Code::from_name(&code.text),
        _ => None,
    });
    Elaborated {
        kernel: kernel.filter(|_| !failed).map(Arc::new),
        diagnostics: cx.diagnostics.into(),
        allowed: allowed.collect(),
        exists: true,
    }
}

/// What the expressions and names of that instance are, as far as it could be elaborated.
pub fn observe(
    db: &dyn Db,
    key: &ItemKey,
    args: &[(SmolStr, Value)],
    target: TargetId,
) -> Observed {
    let (Some(tree), Some(file)) = (db::item(db, key), db::file(db, key.file)) else {
        return Observed::default();
    };
    let ItemKind::Kernel(decl) = &tree.kind else { return Observed::default() };
    let mut cx = Elab::new(db, target, None);
    cx.observer = Some(Box::default());
    cx.push_frame(key.clone(), file, None);
    cx.kernel(decl, args, "");
    cx.observer.take().map_or_else(Observed::default, |it| it.finish())
}

impl Elab<'_> {
    fn kernel(&mut self, decl: &Fn, args: &[(SmolStr, Value)], name: &str) -> Option<Kernel> {
        let span = decl.name.span;
        let mut given = Vec::new();
        for (name, value) in args {
            let name = (!name.is_empty()).then(|| name.clone());
            given.push(GivenGeneric { name, value: value.clone(), span });
        }
        self.head_generics(decl, given, span)?;
        self.mode = Mode::Kernel;
        let warps = self.warps(decl)?;
        // Roles have machines of their own; what comes before them is scalar.
        let has_roles = decl.body.as_ref().is_some_and(|it| roles_of(it).is_some());
        self.roles_at = decl.body.as_ref().and_then(last_roles);
        let all = if has_roles { 1 } else { warps };
        self.machine = Machine { lanes: self.target().lanes, warps: all };
        let mut head = Head::default();
        head.plan.kernel = decl.name.text.to_string();
        head.plan.threads = warps * self.target().lanes;
        self.ir.open(Vec::new());
        let clauses = self.clauses_of(decl);
        self.clauses = Some(clauses);
        for clause in &decl.clauses {
            if let ClauseKind::Cluster(extents) = &clause.kind {
                self.cluster_clause(extents, clause.span);
            }
        }
        head.plan.cluster = self.cluster.clone();
        self.params(decl, &mut head);
        self.clauses(decl, &mut head);
        if let Some(body) = &decl.body {
            self.run_body(body);
        }
        let mut body = self.ir.close();
        self.map_params(&mut head);
        body.params = head.params;
        set_arrivals(&mut body, &self.arrivals, &self.across);
        align_boxes(&mut body);
        let Builder { values, tensors, facts, sites, .. } = std::mem::take(&mut self.ir);
        let kernel = Kernel {
            name: SmolStr::new(name),
            target: self.target,
            warps,
            plan: Arc::new(head.plan),
            values,
            tensors,
            facts,
            clauses,
            sites,
            body,
        };
        let failed = self.diagnostics.iter().any(|it| it.severity == Severity::Error);
        (!failed).then(|| pass::written(pass::waits(pass::permits(pass::settle(tidy(kernel)))).0))
    }

    /// Gives the kernel its tensor maps.
    fn map_params(&mut self, head: &mut Head) {
        let is_tensor = |it: &(usize, &Param)| matches!(it.1.kind, ParamKind::Tensor { .. });
        let params = head.plan.params.iter().enumerate().filter(is_tensor);
        let numbers: Vec<u32> = params.map(|it| it.0 as u32).collect();
        for (map, value) in std::mem::take(&mut self.maps) {
            head.params.push(value);
            head.plan.abi.push(AbiSlot::Map(head.plan.maps.len() as u32));
            let param = numbers[map.param as usize];
            head.plan.maps.push(TensorMap { param, ..map });
        }
    }

    /// Where the head ends, for edits that add a clause.
    fn clauses_of(&mut self, decl: &Fn) -> Clauses {
        let end = decl
            .params
            .last()
            .map_or(decl.name.span, |it| it.ty.as_ref().map_or(it.pattern.span, |it| it.span));
        let text =
            self.text_of(Span::new(end.hi, decl.body.as_ref().map_or(end.hi, |it| it.span.lo)));
        let close = text.find(')').map_or(end.hi, |it| end.hi + it as u32 + 1);
        let head = self.site(Span::new(decl.name.span.lo, close));
        let mut conditions = decl.clauses.iter().filter_map(|it| match &it.kind {
            ClauseKind::Where(conditions) => conditions.last(),
            _ => None,
        });
        let last = conditions.next_back().map(|it| self.site(it.span));
        Clauses { head, last }
    }

    fn warps(&mut self, decl: &Fn) -> Option<u32> {
        let clause = decl.clauses.iter().find_map(|it| match &it.kind {
            ClauseKind::Warps(expr) => Some(expr),
            _ => None,
        });
        let roles = decl.body.as_ref().and_then(roles_of);
        let expr = match (clause, roles) {
            (Some(expr), None) => expr,
            (None, Some((roles, _))) => return self.role_heads(roles).map(|it| it.warps),
            (Some(_), Some((_, span))) => {
                self.report(report::sync::warps_twice(self.place(span)));
                return None;
            }
            (None, None) => {
                if decl.body.is_some() {
                    let name = &decl.name.text;
                    self.report(report::types::no_warps(self.place(decl.name.span), name));
                }
                return None;
            }
        };
        let n = self.eval_int(expr)?;
        let max = self.target().warps_block_max;
        match u32::try_from(n) {
            Ok(it) if it.is_power_of_two() && it <= max => Some(it),
            _ => {
                let target = self.target().name;
                self.report(report::types::warps(self.place(expr.span), n, max, target));
                None
            }
        }
    }

    fn clauses(&mut self, decl: &Fn, head: &mut Head) {
        let mut has_grid = false;
        for clause in &decl.clauses {
            match &clause.kind {
                ClauseKind::Where(conditions) => {
                    for cond in conditions {
                        self.where_clause(cond, head);
                    }
                }
                ClauseKind::Grid { dims, resident } => {
                    has_grid = true;
                    if !(1..=3).contains(&dims.len()) {
                        self.report(report::types::grid_rank(self.place(clause.span), dims.len()));
                    }
                    head.plan.resident = *resident;
                    head.plan.grid = dims
                        .iter()
                        .map(|it| self.launch_expr(it, head).unwrap_or(tile_plan::Expr::Int(1)))
                        .collect();
                    self.grid_of_clusters(&head.plan, clause.span);
                }
                ClauseKind::Requires(caps) => {
                    for cap in caps {
                        self.required(cap, &decl.name.text);
                    }
                }
                // It was read before the others.
                ClauseKind::Cluster(_) => {}
                ClauseKind::Pdl => drop(self.unsupported("`pdl`", clause.span)),
                ClauseKind::Expect(_) => {
                    self.report(report::comptime::contract_unchecked(self.place(clause.span)));
                }
                ClauseKind::Allow { code, .. } => {
                    if Code::from_name(&code.text).is_none() {
                        self.report(report::names::unknown_code(self.place(code.span), &code.text));
                    }
                }
                ClauseKind::Warps(_) => {}
            }
        }
        if !has_grid {
            self.report(report::types::no_grid(self.place(decl.name.span), &decl.name.text));
        }
    }

    /// Reports a grid that is known to be no whole number of clusters.
    fn grid_of_clusters(&mut self, plan: &LaunchPlan, span: Span) {
        for (axis, cluster) in plan.cluster_extents().into_iter().enumerate() {
            let blocks = match plan.grid.get(axis) {
                Some(tile_plan::Expr::Int(it)) => *it,
                Some(_) => continue,
                None => 1,
            };
            if blocks % i64::from(cluster) != 0 {
                self.report(report::cluster::grid(self.place(span), axis, blocks, cluster));
            }
        }
    }

    fn where_clause(&mut self, cond: &Expr, head: &mut Head) {
        match self.decide(cond) {
            Some(true) => return,
            Some(false) => {
                let text = self.text_of(cond.span);
                let here = self.place(cond.span);
                let kernel = head.plan.kernel.clone();
                self.report(report::types::where_fails(here.clone(), &kernel, &text, here));
                return;
            }
            None => {}
        }
        let Some(expr) = self.launch_expr(cond, head) else { return };
        self.facts_of(&expr, head, cond.span);
        head.plan.checks.push(Check { text: self.text_of(cond.span).to_string(), expr });
    }

    fn head_generics(&mut self, decl: &Fn, given: Vec<GivenGeneric>, span: Span) -> Option<()> {
        let bindings = self.explicit(&decl.generics, given, &decl.name.text, span)?;
        self.bind_generics(&decl.generics, bindings, &decl.name.text, span)
    }
}

/// Writes down how many roles arrive at mbarriers, where the program says it, and which pass between blocks.
fn set_arrivals(
    region: &mut ir::Region,
    said: &FxHashMap<ir::Value, u32>,
    reaching: &FxHashSet<ir::Value>,
) {
    for inst in &mut region.insts {
        if let Op::Sync(SyncOp::Mbarriers { arrivals, across }) = &mut inst.op {
            *arrivals = said.get(&inst.results[0]).copied().unwrap_or(*arrivals);
            *across = reaching.contains(&inst.results[0]);
        }
        inst.regions.iter_mut().for_each(|it| set_arrivals(it, said, reaching));
    }
}

/// Aligns the buffers that a copy engine reaches.
fn align_boxes(body: &mut ir::Region) {
    let mut behind: FxHashMap<ir::Value, ir::Value> = FxHashMap::default();
    let mut boxed = Vec::new();
    body.walk(&mut |inst| match inst.op {
        Op::Shared(
            SharedOp::Index { .. } | SharedOp::Slice { .. } | SharedOp::Recast | SharedOp::Overlay,
        ) => {
            behind.insert(inst.results[0], inst.operands[0]);
        }
        Op::Sync(SyncOp::Permit) => {
            behind.extend(inst.results.iter().copied().zip(inst.operands.iter().copied()))
        }
        Op::Copy(CopyOp::Box { .. } | CopyOp::BoxOut { .. }) => boxed.push(inst.operands[1]),
        _ => {}
    });
    for view in &mut boxed {
        while let Some(&of) = behind.get(view) {
            *view = of;
        }
    }
    align_buffers(body, &boxed);
}

fn align_buffers(region: &mut ir::Region, boxed: &[ir::Value]) {
    for inst in &mut region.insts {
        if let Op::Shared(SharedOp::Alloc { align }) = &mut inst.op
            && boxed.contains(&inst.results[0])
        {
            *align = ir::boxes::PLACE_ALIGN.max(*align);
        }
        inst.regions.iter_mut().for_each(|it| align_buffers(it, boxed));
    }
}
