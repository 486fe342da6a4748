//! The parameters of a kernel: tensors, scalars, raw pointers, and structs of these.
//!
//! # Definition
//! A struct is opened: each of its fields becomes a parameter of the launch plan under its path,
//! `cfg.rows`, and the body sees the struct put together from the fields' values. The sizes that
//! the tensors of a struct bind belong to the parameter, `cfg.n`, so that two parameters of one
//! struct type may have different sizes; inside the struct the name stands alone.
//!
//! Parameters are read twice: first the names of all sizes are declared, then the parameters, so that
//! an extent may be named where a later tensor binds it.

use std::sync::Arc;

use smol_str::{SmolStr, format_smolstr};
use tile_plan::{AbiSlot, ParamKind, Symbol};
use tile_syntax::ast::{
    self, BracketArg, Expr, ExprKind, Fn, Memory, Name, Param, PatternKind, Span, Struct,
};

use super::cx::Elab;
use super::env::ScopeMark;
use super::kernel::Head;
use super::value::{StructValue, TypeValue, Value};
use crate::dtype::DType;
use crate::ir::{self, Elem, Extent, Fact, FactKind, Tensor, Type};
use crate::names::{self, DeclKind, Found, TypeRef};
use crate::op::TileOp;
use crate::op::tile::{BinaryOp, Round};
use crate::report;

/// What a parameter is when a launch leaves it out.
type Default = Option<(Value, Span)>;

impl Elab<'_> {
    pub(super) fn params(&mut self, decl: &Fn, head: &mut Head) {
        for param in &decl.params {
            if let (PatternKind::Name(name), Some(ty)) = (&param.pattern.kind, &param.ty) {
                self.bind_sizes(ty, &name.text, head);
            }
        }
        for n in 0..head.symbols.len() {
            let name = SmolStr::new(&head.plan.symbols[n].name);
            if name.contains('.') {
                self.declare(name, Value::scalar(head.symbols[n]), false);
            }
        }
        for param in &decl.params {
            self.param(param, head);
        }
        for n in 0..head.symbols.len() {
            head.params.push(head.symbols[n]);
            head.plan.abi.push(AbiSlot::Symbol(n as u32));
        }
    }

    fn param(&mut self, param: &Param, head: &mut Head) {
        let PatternKind::Name(name) = &param.pattern.kind else { return };
        let Some(ty) = &param.ty else {
            self.report(report::types::untyped_param(self.place(name.span), &name.text));
            return;
        };
        let default = match &param.default {
            Some(it) if memory_of(ty).is_none() => Some((self.eval_const(it), it.span)),
            _ => None,
        };
        let value = self.argument(ty, name, &name.text, default, head);
        self.observe(name.span, &value);
        self.declare(name.text.clone(), value, false);
    }

    /// The value of one argument, or of one field of a struct; `path` is its name in the plan.
    fn argument(
        &mut self,
        ty: &Expr,
        name: &Name,
        path: &SmolStr,
        default: Default,
        head: &mut Head,
    ) -> Value {
        if let Some((memory, optional)) = memory_of(ty) {
            return self.tensor_param(name, path, memory, optional, head);
        }
        let number = head.plan.params.len() as u32;
        match self.eval_type(ty) {
            Some(TypeValue::Scalar(dtype)) => {
                let default = default.and_then(|it| self.plan_default(&it.0, it.1, dtype));
                let kind = ParamKind::Scalar { dtype: dtype.name().to_owned(), default };
                let value =
                    self.word(path, Type::scalar(dtype), kind, AbiSlot::Scalar(number), head);
                head.scalars.push((number, path.clone(), value));
                Value::scalar(value)
            }
            Some(TypeValue::Pointer(dtype)) => {
                let kind =
                    ParamKind::Pointer { dtype: dtype.name().to_owned(), align: bytes(dtype) };
                let slot = AbiSlot::Address(number);
                Value::scalar(self.word(path, pointer(dtype), kind, slot, head))
            }
            Some(TypeValue::Struct(ty_ref, args)) => {
                self.struct_param(&ty_ref, args, path, default, ty.span, head)
            }
            Some(_) => {
                let what = format!("a kernel's parameter of type `{}`", self.text_of(ty.span));
                self.unsupported(&what, ty.span)
            }
            None => Value::Error,
        }
    }

    /// A parameter that is one machine word.
    fn word(
        &mut self,
        path: &SmolStr,
        ty: Type,
        kind: ParamKind,
        slot: AbiSlot,
        head: &mut Head,
    ) -> ir::Value {
        let value = self.ir.value(ty);
        self.ir.values[value.0 as usize].name = path.clone();
        head.params.push(value);
        head.plan.abi.push(slot);
        head.plan.params.push(tile_plan::Param { name: path.to_string(), kind });
        value
    }

    fn struct_param(
        &mut self,
        ty: &TypeRef,
        args: Arc<[Value]>,
        path: &SmolStr,
        default: Default,
        span: Span,
        head: &mut Head,
    ) -> Value {
        let given = match default {
            Some((Value::Struct(it), at)) if it.ty == *ty => Some((it, at)),
            Some((Value::Error, _)) => return Value::Error,
            Some((other, at)) => {
                let want = self.describe(&Value::Type(TypeValue::Struct(ty.clone(), args)));
                let got = self.describe(&other);
                return self.error(report::types::mismatch(self.place(at), &want, &got));
            }
            None => None,
        };
        let fields = self.in_struct(ty, &args, path, span, head, |cx, decl, head| {
            let mut fields = Vec::new();
            for (n, field) in decl.fields.iter().enumerate() {
                let default = match (&given, &field.default) {
                    (Some((it, at)), _) => Some((it.fields[n].clone(), *at)),
                    (None, Some(it)) => Some((cx.eval_const(it), it.span)),
                    (None, None) => None,
                };
                let path = format_smolstr!("{path}.{}", field.name.text);
                fields.push(cx.argument(&field.ty, &field.name, &path, default, head));
            }
            fields
        });
        match fields {
            Some(fields) => Value::Struct(Arc::new(StructValue { ty: ty.clone(), args, fields })),
            None => Value::Error,
        }
    }

    /// Runs `f` where the fields of a struct are written, with the sizes of its tensors.
    fn in_struct<T>(
        &mut self,
        ty: &TypeRef,
        args: &[Value],
        path: &str,
        span: Span,
        head: &mut Head,
        f: impl FnOnce(&mut Self, &Struct, &mut Head) -> T,
    ) -> Option<T> {
        let decl = self.struct_decl(ty)?;
        let mark = ScopeMark::outermost(self.slots.len());
        if !self.enter(ty.item.clone(), span) {
            return None;
        }
        for (generic, value) in decl.generics.iter().zip(args) {
            self.declare(generic.name.text.clone(), value.clone(), false);
        }
        let outer = std::mem::replace(&mut head.owner, format!("{path}."));
        for (symbol, value) in head.plan.symbols.iter().zip(&head.symbols) {
            if let Some(name) = symbol.name.strip_prefix(&head.owner) {
                self.declare(SmolStr::new(name), Value::scalar(*value), false);
            }
        }
        let res = f(self, &decl, head);
        head.owner = outer;
        self.leave_frame(mark);
        Some(res)
    }

    /// Declares every name that stands alone as a size of a tensor.
    fn bind_sizes(&mut self, ty: &Expr, path: &str, head: &mut Head) {
        if let Some((memory, _)) = memory_of(ty) {
            return self.bind_sizes_of(memory, head);
        }
        if !self.names_a_struct(ty) {
            return;
        }
        let Some(TypeValue::Struct(ty_ref, args)) = self.eval_type(ty) else { return };
        self.in_struct(&ty_ref, &args, path, ty.span, head, |cx, decl, head| {
            for field in &decl.fields {
                let path = format!("{path}.{}", field.name.text);
                cx.bind_sizes(&field.ty, &path, head);
            }
        });
    }

    fn names_a_struct(&mut self, ty: &Expr) -> bool {
        let base = match &*ty.kind {
            ExprKind::Bracket(base, _) => base,
            _ => ty,
        };
        matches!(&*base.kind, ExprKind::Path(_))
            && matches!(self.callee(base, true), Some(super::path::Callee::Struct(_)))
    }

    fn bind_sizes_of(&mut self, memory: &Memory, head: &mut Head) {
        let (_, dims) = shape_of(memory);
        let strides = memory
            .strides
            .iter()
            .flatten()
            .filter_map(|it| it.bound_size().map(|name| (name.text.clone(), 64, name.span)));
        let mut names: Vec<(SmolStr, u32, Span)> = Vec::new();
        for dim in dims {
            match dim {
                BracketArg::Value(expr) => {
                    let name = expr.bound_size();
                    names.extend(name.map(|it| (it.text.clone(), 32, it.span)));
                }
                BracketArg::Named(name, ty) => {
                    names.push((name.text.clone(), self.size_bits(ty), name.span));
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
            let path = format!("{}{name}", head.owner);
            self.ir.values[value.0 as usize].name = SmolStr::new(&path);
            self.observe(span, &Value::scalar(value));
            self.declare(name, Value::scalar(value), false);
            head.symbols.push(value);
            head.plan.symbols.push(Symbol { name: path, bits });
            let site = self.site(span);
            self.ir
                .facts
                .push(Fact { kind: FactKind::Range { value, lo: Some(0), hi: None }, site });
        }
    }

    /// Bits of a size that says its type, `m: i64`.
    fn size_bits(&mut self, ty: &Expr) -> u32 {
        match self.eval_type(ty) {
            Some(TypeValue::Scalar(DType::I64)) => 64,
            Some(TypeValue::Scalar(DType::I32)) | None => 32,
            Some(other) => {
                let got = self.describe(&Value::Type(other));
                self.report(report::types::mismatch(self.place(ty.span), "i32 or i64", &got));
                32
            }
        }
    }

    /// Whether a constant of the file, or one that it uses, has that name.
    fn is_constant(&self, name: &SmolStr) -> bool {
        let found = names::resolve(self.db, self.frame().file, std::slice::from_ref(name));
        found.iter().any(|it| matches!(it, Found::Decl(it) if it.kind == DeclKind::Const))
    }

    /// The size `cfg.n`, which the tensors of a struct parameter bind.
    pub(super) fn size_of_param(&self, base: &Expr, name: &str) -> Option<Value> {
        let path = format!("{}.{name}", dotted(base)?);
        self.local(&path).map(|it| self.read(&it.place))
    }

    fn plan_default(
        &mut self,
        value: &Value,
        span: Span,
        dtype: DType,
    ) -> Option<tile_plan::Scalar> {
        match (value, dtype.is_float()) {
            (Value::Error, _) => None,
            (Value::Int(it), true) => Some(tile_plan::Scalar::Float(*it as f64)),
            (Value::Float(it), true) => Some(tile_plan::Scalar::Float(*it)),
            (Value::Bool(it), false) if dtype == DType::Bool => {
                Some(tile_plan::Scalar::Int((*it).into()))
            }
            (Value::Int(it), false) if super::types::literal_fits(value, dtype) => {
                Some(tile_plan::Scalar::Int(*it as i64))
            }
            _ => {
                let got = self.describe(value);
                self.report(report::types::mismatch(self.place(span), dtype.name(), &got));
                None
            }
        }
    }

    fn tensor_param(
        &mut self,
        name: &Name,
        path: &SmolStr,
        memory: &Memory,
        optional: bool,
        head: &mut Head,
    ) -> Value {
        let (base, dims) = shape_of(memory);
        let Some(dtype) = self.tensor_elem(memory, base) else { return Value::Error };
        let (mut extents, mut sizes) = (Vec::new(), Vec::new());
        for dim in dims {
            let (extent, size) = self.dimension(dim, head);
            extents.push(extent);
            sizes.push(size);
        }
        let (strides, plan_strides) = self.strides(memory, &extents, name.span, head);
        let spans: Vec<Span> = dims.iter().map(bracket_span).collect();
        self.hold_whole_bytes(
            dtype,
            &extents,
            memory.strides.is_some().then_some(&strides),
            &spans,
        );
        let align = match &memory.align {
            Some(it) => self.eval_int(it).and_then(|it| u32::try_from(it).ok()).unwrap_or(16),
            None => 16,
        };
        let mutable = memory.mutable;
        let kind = ParamKind::Tensor {
            dtype: dtype.name().to_owned(),
            dims: sizes,
            strides: plan_strides,
            align,
            mutable,
            optional,
        };
        let slot = AbiSlot::Address(head.plan.params.len() as u32);
        let address = self.word(path, pointer(dtype), kind, slot, head);
        let site = self.site(name.span);
        let dim_sites = dims.iter().map(|it| self.site(bracket_span(it))).collect();
        let number = self.ir.tensors.len() as u32;
        self.ir.tensors.push(Tensor {
            name: path.clone(),
            dtype,
            base: address,
            dims: extents,
            strides,
            mutable,
            optional,
            align,
            site,
            dim_sites,
        });
        if optional { Value::MaybeTensor(number) } else { Value::Tensor(number) }
    }

    /// Of elements smaller than a byte, neighbours in memory and what lies apart begin at whole bytes:
    /// refused where that is known not to be so, and a fact elsewhere, since a launch asks.
    fn hold_whole_bytes(
        &mut self,
        dtype: DType,
        extents: &[Extent],
        strides: Option<&Vec<Extent>>,
        spans: &[Span],
    ) {
        let whole = tile_layout::whole_bytes(dtype.storage_bits());
        if whole == 1 {
            return;
        }
        let held: Vec<(Extent, Span)> = match strides {
            None => extents.last().copied().zip(spans.last().copied()).into_iter().collect(),
            Some(strides) => {
                let of = |((&stride, &extent), &span)| {
                    (if stride == Extent::Const(1) { extent } else { stride }, span)
                };
                strides.iter().zip(extents).zip(spans).map(of).collect()
            }
        };
        for (it, span) in held {
            match it {
                Extent::Const(it) if it % i64::from(whole) != 0 => {
                    let place = self.place(span);
                    self.report(report::packed::extent(place, dtype, it, whole));
                }
                Extent::Const(_) => {}
                Extent::Value(value) => {
                    let kind = FactKind::Divisible { value, divisor: whole.into() };
                    let site = self.site(span);
                    self.ir.facts.push(Fact { kind, site });
                }
            }
        }
    }

    /// The elements of a tensor in global memory; `None`, reported, for what is none.
    fn tensor_elem(&mut self, memory: &Memory, base: &Expr) -> Option<DType> {
        let plain = memory.space == ast::Space::Global && memory.of.is_none() && !memory.zeroed;
        if !plain {
            self.unsupported("a parameter in memory other than `global`", memory.ty.span);
            return None;
        }
        match self.eval_type(base)? {
            TypeValue::Scalar(it) => Some(it),
            other => {
                let got = self.describe(&Value::Type(other));
                self.report(report::types::no_shape(self.place(base.span), &got));
                None
            }
        }
    }

    /// The strides of a tensor: in the kernel, and at launch if they are written.
    fn strides(
        &mut self,
        memory: &Memory,
        extents: &[Extent],
        span: Span,
        head: &Head,
    ) -> (Vec<Extent>, Option<Vec<tile_plan::Expr>>) {
        let Some(written) = &memory.strides else {
            return (self.contiguous(extents, span), None);
        };
        let (strides, plan): (Vec<Extent>, Vec<tile_plan::Expr>) =
            written.iter().map(|it| self.extent(it, head)).unzip();
        if strides.len() != extents.len() {
            let (dims, given) = (extents.len(), strides.len());
            self.report(report::types::stride_count(self.place(span), dims, given));
        }
        (strides, Some(plan))
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
pub(super) fn shape_of(memory: &Memory) -> (&Expr, &[BracketArg]) {
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

/// `cfg.inner` as text; `None` for what is no chain of names.
pub(super) fn dotted(expr: &Expr) -> Option<SmolStr> {
    match &*expr.kind {
        ExprKind::Path(path) if path.len() == 1 => Some(path[0].text.clone()),
        ExprKind::Field(base, name) => Some(format_smolstr!("{}.{}", dotted(base)?, name.text)),
        _ => None,
    }
}

/// Bytes of one number in memory; one for what is packed.
fn bytes(dtype: DType) -> u32 {
    dtype.storage_bits().div_ceil(8)
}

/// The address of one number.
fn pointer(dtype: DType) -> Type {
    Type::single(Elem::Pointer(dtype))
}
