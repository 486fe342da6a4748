//! Kernels: heads become launch plans and IR parameters, bodies become regions.
//!
//! The head is read in this order: compile-time arguments, `warps`, parameters (which bind the
//! sizes), `where`, `grid`. Then the body is run once.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_layout::Machine;
use tile_plan::{AbiSlot, Check, LaunchPlan, ParamKind, Symbol};
use tile_syntax::ast::{
    self, BracketArg, ClauseKind, Expr, ExprKind, Fn, ItemKind, Memory, Param, PatternKind, Span,
};

use super::builder::Builder;
use super::call::GivenGeneric;
use super::cx::{Elab, Mode};
use super::tidy::tidy;
use super::value::{TypeValue, Value};
use crate::db::{self, Db};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::dtype::DType;
use crate::ir::{self, Clauses, Elem, Extent, Fact, FactKind, ItemKey, Kernel, Tensor, Type};
use crate::names::{self, DeclKind, Found};
use crate::op::TileOp;
use crate::op::tile::{BinaryOp, Round};
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
    params: Vec<ir::Value>,
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
        self.machine = Machine { lanes: self.target().lanes, warps };
        let mut head = Head::default();
        head.plan.kernel = decl.name.text.to_string();
        head.plan.threads = warps * self.target().lanes;
        self.ir.open(Vec::new());
        self.params(decl, &mut head);
        self.clauses(decl, &mut head);
        if let Some(body) = &decl.body {
            self.run_body(body);
        }
        let mut body = self.ir.close();
        body.params = head.params;
        let clauses = self.clauses_of(decl);
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
        (!failed).then(|| tidy(kernel))
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
        let has_roles =
            |it: &ast::Block| it.stmts.iter().any(|it| matches!(it.kind, ast::StmtKind::Roles(_)));
        let Some(expr) = clause else {
            if decl.body.as_ref().is_some_and(has_roles) {
                self.unsupported("`roles`", decl.name.span);
            } else if decl.body.is_some() {
                self.report(report::types::no_warps(self.place(decl.name.span), &decl.name.text));
            }
            return None;
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

    fn params(&mut self, decl: &Fn, head: &mut Head) {
        for param in &decl.params {
            self.bind_sizes(param, head);
        }
        for (n, param) in decl.params.iter().enumerate() {
            self.param(param, n as u32, head);
        }
        for n in 0..head.symbols.len() {
            head.params.push(head.symbols[n]);
            head.plan.abi.push(AbiSlot::Symbol(n as u32));
        }
    }

    /// Declares every name that stands alone as a size of a tensor.
    fn bind_sizes(&mut self, param: &Param, head: &mut Head) {
        let Some((memory, _)) = param.ty.as_ref().and_then(memory_of) else { return };
        let (_, dims) = shape_of(memory);
        let strides = memory
            .strides
            .iter()
            .flatten()
            .filter_map(|it| name_of(it).map(|name| (name, 64, it.span)));
        let mut names: Vec<(SmolStr, u32, Span)> = Vec::new();
        for dim in dims {
            match dim {
                BracketArg::Value(expr) => {
                    names.extend(name_of(expr).map(|name| (name, 32, expr.span)))
                }
                BracketArg::Named(name, ty) => {
                    let bits = match self.eval_type(ty) {
                        Some(TypeValue::Scalar(DType::I64)) => 64,
                        Some(TypeValue::Scalar(DType::I32)) => 32,
                        Some(other) => {
                            let got = self.describe(&Value::Type(other));
                            self.report(report::types::mismatch(
                                self.place(ty.span),
                                "i32 or i64",
                                &got,
                            ));
                            32
                        }
                        None => 32,
                    };
                    names.push((name.text.clone(), bits, name.span));
                }
                BracketArg::Whole(_) => {}
            }
        }
        names.extend(strides);
        for (name, bits, span) in names {
            if self.local(&name).is_some() || self.is_constant(&name) {
                continue;
            }
            let dtype = if bits == 64 { DType::I64 } else { DType::I32 };
            let value = self.ir.value(Type::scalar(dtype));
            self.declare(name.clone(), Value::scalar(value), false);
            head.symbols.push(value);
            head.plan.symbols.push(Symbol { name: name.to_string(), bits });
            let site = self.site(span);
            self.ir
                .facts
                .push(Fact { kind: FactKind::Range { value, lo: Some(0), hi: None }, site });
        }
    }

    /// Whether a constant of the file, or one that it uses, has that name.
    fn is_constant(&self, name: &SmolStr) -> bool {
        let found = names::resolve(self.db, self.frame().file, std::slice::from_ref(name));
        found.iter().any(|it| matches!(it, Found::Decl(it) if it.kind == DeclKind::Const))
    }

    fn param(&mut self, param: &Param, n: u32, head: &mut Head) {
        let PatternKind::Name(name) = &param.pattern.kind else { return };
        let Some(ty) = &param.ty else {
            self.report(report::types::untyped_param(self.place(name.span), &name.text));
            return;
        };
        if let Some((memory, optional)) = memory_of(ty) {
            return self.tensor_param(name, memory, optional, n, head);
        }
        match self.eval_type(ty) {
            Some(TypeValue::Scalar(dtype)) => {
                let value = self.ir.value(Type::scalar(dtype));
                self.declare(name.text.clone(), Value::scalar(value), false);
                head.params.push(value);
                head.scalars.push((n, name.text.clone(), value));
                head.plan.abi.push(AbiSlot::Scalar(n));
                let default = param.default.as_ref().and_then(|it| self.plan_default(it, dtype));
                let kind = ParamKind::Scalar { dtype: dtype.name().to_owned(), default };
                head.plan.params.push(tile_plan::Param { name: name.text.to_string(), kind });
            }
            Some(_) => {
                let what = format!("a kernel's parameter of type `{}`", self.text_of(ty.span));
                self.unsupported(&what, ty.span);
                self.declare(name.text.clone(), Value::Error, false);
            }
            None => self.declare(name.text.clone(), Value::Error, false),
        }
    }

    fn plan_default(&mut self, expr: &Expr, dtype: DType) -> Option<tile_plan::Scalar> {
        let value = self.eval_const(expr);
        match (&value, dtype.is_float()) {
            (Value::Error, _) => None,
            (Value::Int(it), true) => Some(tile_plan::Scalar::Float(*it as f64)),
            (Value::Float(it), true) => Some(tile_plan::Scalar::Float(*it)),
            (Value::Bool(it), false) if dtype == DType::Bool => {
                Some(tile_plan::Scalar::Int((*it).into()))
            }
            (Value::Int(it), false) if super::types::literal_fits(&value, dtype) => {
                Some(tile_plan::Scalar::Int(*it as i64))
            }
            _ => {
                let got = self.describe(&value);
                self.report(report::types::mismatch(self.place(expr.span), dtype.name(), &got));
                None
            }
        }
    }

    fn tensor_param(
        &mut self,
        name: &ast::Name,
        memory: &Memory,
        optional: bool,
        n: u32,
        head: &mut Head,
    ) {
        let plain = memory.space == ast::Space::Global && memory.of.is_none() && !memory.zeroed;
        let (base, dims) = shape_of(memory);
        let dtype = match (plain, self.eval_type(base)) {
            (true, Some(TypeValue::Scalar(it))) => it,
            (true, Some(other)) => {
                let got = self.describe(&Value::Type(other));
                self.report(report::types::no_shape(self.place(base.span), &got));
                return self.declare(name.text.clone(), Value::Error, false);
            }
            (true, None) => return self.declare(name.text.clone(), Value::Error, false),
            (false, _) => {
                self.unsupported("a parameter in memory other than `global`", memory.ty.span);
                return self.declare(name.text.clone(), Value::Error, false);
            }
        };
        let ty = Type::single(Elem::Pointer(dtype));
        let address = self.ir.value(ty);
        self.ir.values[address.0 as usize].name = name.text.clone();
        head.params.push(address);
        head.plan.abi.push(AbiSlot::Address(n));
        let (mut extents, mut sizes) = (Vec::new(), Vec::new());
        for dim in dims {
            let (extent, size) = self.dimension(dim, head);
            extents.push(extent);
            sizes.push(size);
        }
        let strides = match &memory.strides {
            None => self.contiguous(&extents, name.span),
            Some(strides) => strides.iter().map(|it| self.extent(it, head).0).collect(),
        };
        if strides.len() != extents.len() {
            self.report(report::types::stride_count(
                self.place(name.span),
                extents.len(),
                strides.len(),
            ));
        }
        let plan_strides = memory
            .strides
            .as_ref()
            .map(|it| it.iter().map(|it| self.extent(it, head).1).collect::<Vec<_>>());
        let align = match &memory.align {
            Some(it) => self.eval_int(it).and_then(|it| u32::try_from(it).ok()).unwrap_or(16),
            None => 16,
        };
        let site = self.site(name.span);
        let dim_sites = dims.iter().map(|it| self.site(bracket_span(it))).collect();
        let number = self.ir.tensors.len() as u32;
        self.ir.tensors.push(Tensor {
            name: name.text.clone(),
            dtype,
            base: address,
            dims: extents,
            strides,
            mutable: memory.mutable,
            optional,
            align,
            site,
            dim_sites,
        });
        let kind = ParamKind::Tensor {
            dtype: dtype.name().to_owned(),
            dims: sizes,
            strides: plan_strides,
            align,
            mutable: memory.mutable,
            optional,
        };
        head.plan.params.push(tile_plan::Param { name: name.text.to_string(), kind });
        let value = if optional { Value::MaybeTensor(number) } else { Value::Tensor(number) };
        self.declare(name.text.clone(), value, false);
    }

    fn dimension(&mut self, dim: &BracketArg, head: &Head) -> (Extent, tile_plan::Expr) {
        match dim {
            BracketArg::Value(expr) => self.extent(expr, head),
            BracketArg::Named(name, _) => {
                let path =
                    Expr { kind: Box::new(ExprKind::Path(vec![name.clone()])), span: name.span };
                self.extent(&path, head)
            }
            BracketArg::Whole(span) => {
                self.report(report::types::not_an_extent(self.place(*span)));
                (Extent::Const(1), tile_plan::Expr::Int(1))
            }
        }
    }

    /// A size or stride: its value in the kernel, and at launch.
    fn extent(&mut self, expr: &Expr, head: &Head) -> (Extent, tile_plan::Expr) {
        let size = self.launch_expr(expr, head);
        let size = size.unwrap_or(tile_plan::Expr::Int(1));
        if let tile_plan::Expr::Int(it) = size {
            return (Extent::Const(it), size);
        }
        match self.eval(expr) {
            Value::Tile(it) => (Extent::Value(it.value), size),
            Value::Int(it) => (Extent::Const(it as i64), size),
            _ => (Extent::Const(1), size),
        }
    }

    /// Row-major strides of these extents.
    fn contiguous(&mut self, extents: &[Extent], span: Span) -> Vec<Extent> {
        let mut strides = vec![Extent::Const(1); extents.len()];
        for n in (0..extents.len().saturating_sub(1)).rev() {
            strides[n] = match (strides[n + 1], extents[n + 1]) {
                (Extent::Const(a), Extent::Const(b)) => Extent::Const(a.saturating_mul(b)),
                (Extent::Const(1), it) | (it, Extent::Const(1)) => it,
                (a, b) => {
                    let (a, b) = (self.wide(a, span), self.wide(b, span));
                    let op = TileOp::Binary { op: BinaryOp::Mul };
                    Extent::Value(self.emit_one(op, &[a, b], Type::scalar(DType::I64), span))
                }
            };
        }
        strides
    }

    /// An extent as an `i64` of the IR.
    fn wide(&mut self, extent: Extent, span: Span) -> ir::Value {
        let i64_type = Type::scalar(DType::I64);
        match extent {
            Extent::Const(it) => {
                self.emit_one(TileOp::Const { bits: it as u64 }, &[], i64_type, span)
            }
            Extent::Value(it) if *self.ty(it) == i64_type => it,
            Extent::Value(it) => {
                let op = TileOp::Cast { round: Round::Nearest };
                self.emit_one(op, &[it], i64_type, span)
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
                }
                ClauseKind::Requires(caps) => {
                    for cap in caps {
                        self.required(cap, &decl.name.text);
                    }
                }
                ClauseKind::Cluster(_) => drop(self.unsupported("`cluster`", clause.span)),
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

/// The memory type of a parameter, and whether the argument may be absent.
pub(super) fn memory_of(ty: &Expr) -> Option<(&Memory, bool)> {
    match &*ty.kind {
        ExprKind::Memory(it) => Some((it, matches!(&*it.ty.kind, ExprKind::Optional(_)))),
        ExprKind::Optional(inner) => memory_of(inner).map(|it| (it.0, true)),
        ExprKind::Paren(inner) => memory_of(inner),
        _ => None,
    }
}

/// Elements and dimensions of a memory type.
fn shape_of(memory: &Memory) -> (&Expr, &[BracketArg]) {
    let ty = match &*memory.ty.kind {
        ExprKind::Optional(inner) => inner,
        _ => &memory.ty,
    };
    match &*ty.kind {
        ExprKind::Bracket(base, dims) => (base, dims),
        _ => (ty, &[]),
    }
}

fn bracket_span(arg: &BracketArg) -> Span {
    match arg {
        BracketArg::Value(expr) => expr.span,
        BracketArg::Named(name, _) => name.span,
        BracketArg::Whole(span) => *span,
    }
}

fn name_of(expr: &Expr) -> Option<SmolStr> {
    match &*expr.kind {
        ExprKind::Path(path) if path.len() == 1 => Some(path[0].text.clone()),
        _ => None,
    }
}
