//! Types: expressions that evaluate to [`Value::Type`], and values seen as members of one.
//!
//! # Definition
//! [`Elab::coerce`] gives a value as a member of a type, or reports why it is none: literals become
//! scalars, words become variants, everything else must fit as it is. [`Elab::infer`] binds
//! compile-time parameters that stand alone in a parameter's type, from an argument.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_layout::Spec;
use tile_syntax::ast::{BracketArg, Expr, ExprKind, Memory, Span};

use super::cx::{Elab, Mode};
use super::params::shape_of;
use super::rules;
use super::value::{Kind, SharedType, Stages, Tile, TileLayout, TypeValue, Value};
use crate::dtype::{Class, DType};
use crate::ir;
use crate::report;

/// Compile-time parameters with what is known of them.
pub(super) type Bindings = Vec<(SmolStr, Option<Value>)>;

impl Elab<'_> {
    /// A type expression's type.
    pub(super) fn eval_type(&mut self, expr: &Expr) -> Option<TypeValue> {
        let value = self.eval_const(expr);
        self.as_type(value, expr.span)
    }

    /// A value as a type: tuples, records and arrays of types are types.
    pub(super) fn as_type(&mut self, value: Value, span: Span) -> Option<TypeValue> {
        match value {
            Value::Type(it) => Some(it),
            Value::Error => None,
            Value::Tuple(parts) => {
                let parts: Option<Vec<Value>> = parts
                    .iter()
                    .map(|it| self.as_type(it.clone(), span).map(Value::Type))
                    .collect();
                Some(TypeValue::Tuple(parts?.into()))
            }
            Value::Record(parts) => {
                let parts: Option<Vec<(SmolStr, Value)>> = parts
                    .iter()
                    .map(|(name, it)| {
                        Some((name.clone(), Value::Type(self.as_type(it.clone(), span)?)))
                    })
                    .collect();
                Some(TypeValue::Record(parts?.into()))
            }
            Value::Array(parts) if parts.len() == 1 => {
                let inner = self.as_type(parts[0].clone(), span)?;
                Some(TypeValue::List(Arc::new(Value::Type(inner))))
            }
            other => {
                let got = self.describe(&other);
                self.report(report::types::not_a_type(self.place(span), &got));
                None
            }
        }
    }

    pub(super) fn pointer_type(&mut self, operand: &Expr, span: Span) -> Value {
        match self.eval_type(operand) {
            Some(TypeValue::Scalar(dtype)) => Value::Type(TypeValue::Pointer(dtype)),
            Some(TypeValue::Tile { elem: ir::Elem::Data(dtype), shape, layout }) => {
                Value::Type(TypeValue::Tile { elem: ir::Elem::Pointer(dtype), shape, layout })
            }
            Some(other) => {
                let got = self.describe(&Value::Type(other));
                self.error(report::types::not_a_pointee(self.place(span), &got))
            }
            None => Value::Error,
        }
    }

    /// `f32[128, 64]`: a shape on an element type.
    pub(super) fn shape_type(&mut self, ty: TypeValue, args: &[BracketArg], span: Span) -> Value {
        let elem = match ty {
            TypeValue::Scalar(dtype) => ir::Elem::Data(dtype),
            TypeValue::Pointer(dtype) => ir::Elem::Pointer(dtype),
            TypeValue::Barrier(shape) if shape.is_empty() => ir::Elem::Barrier,
            other => {
                let got = self.describe(&Value::Type(other));
                return self.error(report::types::no_shape(self.place(span), &got));
            }
        };
        let mut extents = Vec::new();
        for arg in args {
            let BracketArg::Value(expr) = arg else {
                return self.error(report::types::not_an_extent(self.place(span)));
            };
            let value = self.eval_const(expr);
            match value {
                Value::Array(parts) | Value::Tuple(parts) if args.len() == 1 => {
                    for part in parts.iter() {
                        let Some(n) = self.as_int(part.clone(), expr.span) else {
                            return Value::Error;
                        };
                        extents.push((n, expr.span));
                    }
                }
                value => {
                    let Some(n) = self.as_int(value, expr.span) else { return Value::Error };
                    extents.push((n, expr.span));
                }
            }
        }
        self.tile_type(elem, &extents, span)
    }

    fn tile_type(&mut self, elem: ir::Elem, extents: &[(i128, Span)], span: Span) -> Value {
        if elem == ir::Elem::Barrier {
            let numbers: Vec<i128> = extents.iter().map(|it| it.0).collect();
            return match rules::sync::barrier_type(&numbers) {
                Some(ty) => Value::Type(ty),
                None => self.error(report::types::extents(self.place(span), &numbers)),
            };
        }
        let fits = |n: i128| (1..=i128::from(u32::MAX)).contains(&n);
        let total = extents.iter().try_fold(1i128, |it, (n, _)| it.checked_mul(*n));
        let tile = extents.iter().all(|it| fits(it.0)) && total.is_some_and(|it| it <= 1 << 24);
        if tile && self.mode != Mode::Host {
            let shape = extents.iter().map(|it| it.0 as u32).collect();
            return Value::Type(TypeValue::Tile { elem, shape, layout: None });
        }
        match (self.mode, elem) {
            (Mode::Host, ir::Elem::Data(elem))
                if extents.iter().all(|it| (0..1 << 40).contains(&it.0)) =>
            {
                let shape = extents.iter().map(|it| it.0 as u64).collect();
                Value::Type(TypeValue::Host { elem, shape })
            }
            _ => {
                let shown: Vec<i128> = extents.iter().map(|it| it.0).collect();
                self.error(report::types::extents(self.place(span), &shown))
            }
        }
    }

    /// `T @ L` on a tile type.
    pub(super) fn type_at(&mut self, ty: TypeValue, spec: Spec, span: Span) -> Value {
        match ty {
            TypeValue::Tile { elem, shape, layout: None } => {
                Value::Type(TypeValue::Tile { elem, shape, layout: Some(spec) })
            }
            TypeValue::Host { elem, shape }
                if shape.iter().all(|it| (1..=1 << 24).contains(it)) =>
            {
                let shape = shape.iter().map(|it| *it as u32).collect();
                Value::Type(TypeValue::Tile {
                    elem: ir::Elem::Data(elem),
                    shape,
                    layout: Some(spec),
                })
            }
            other => {
                let got = self.describe(&Value::Type(other));
                self.error(report::types::no_layout(self.place(span), &got))
            }
        }
    }

    /// `global T[m, k]` as a value: only its element and rank; a kernel's head reads the rest.
    pub(super) fn memory_type(&mut self, memory: &Memory, span: Span) -> Value {
        use tile_syntax::ast::Space;
        if memory.space == Space::Shared {
            let Some(of) = self.eval_type(&memory.ty) else { return Value::Error };
            let found = rules::shared_type(self, of, span);
            return found.map_or(Value::Error, Value::Type);
        }
        if memory.space != Space::Global {
            return self.unsupported("memory other than `global` and `shared`", span);
        }
        let (base, dims) = shape_of(memory);
        let rank = dims.len() as u32;
        let optional = matches!(&*memory.ty.kind, ExprKind::Optional(_));
        match self.eval_type(base) {
            Some(TypeValue::Scalar(elem)) if optional => {
                let tensor = Value::Type(TypeValue::Tensor { elem, rank });
                Value::Type(TypeValue::Optional(Arc::new(tensor)))
            }
            Some(TypeValue::Scalar(elem)) => Value::Type(TypeValue::Tensor { elem, rank }),
            Some(other) => {
                let got = self.describe(&Value::Type(other));
                self.error(report::types::no_shape(self.place(span), &got))
            }
            None => Value::Error,
        }
    }

    /// `value` as a member of `ty`; reports why it is none.
    pub(super) fn coerce(&mut self, value: Value, ty: &TypeValue, span: Span) -> Value {
        match self.try_coerce(value.clone(), ty, span) {
            Some(it) => it,
            None => {
                let (want, got) = (self.describe(&Value::Type(ty.clone())), self.describe(&value));
                self.error(report::types::mismatch(self.place(span), &want, &got))
            }
        }
    }

    /// `None` if it is no member; [`Value::Error`] if that was reported already.
    fn try_coerce(&mut self, value: Value, ty: &TypeValue, span: Span) -> Option<Value> {
        if value == Value::Error {
            return Some(Value::Error);
        }
        match (ty, &value) {
            (TypeValue::Optional(_), Value::None | Value::MaybeTensor(_)) => Some(value),
            (TypeValue::Optional(inner), _) => match &**inner {
                Value::Type(inner) => self.try_coerce(value, inner, span),
                _ => None,
            },
            (TypeValue::Enum(want), Value::Word(_)) => {
                Some(self.word_as_variant(value, &want.clone(), span))
            }
            (TypeValue::Enum(want), Value::Function(it)) => {
                let variant = self.variant(want, &it.name());
                variant.map(|n| Value::Variant(want.clone(), n))
            }
            (_, Value::Word(_)) => Some(self.no_word(value, span)),
            (TypeValue::Kind(kind), _) => self.of_kind(*kind, value, span),
            (TypeValue::Scalar(dtype), _) => self.as_scalar(value, *dtype, span),
            (TypeValue::Pointer(dtype), Value::Tile(it)) => {
                let got = self.ty(it.value);
                (got.is_scalar() && got.elem == ir::Elem::Pointer(*dtype)).then_some(value)
            }
            (TypeValue::Tile { elem, shape, layout }, Value::Tile(it)) => {
                let it = it.clone();
                self.as_tile(it, *elem, shape, layout.as_ref(), span)
            }
            (TypeValue::Tile { layout: Some(spec), .. }, Value::Unplaced(_)) => {
                let placed = rules::at_layout(self, value, Value::Layout(spec.clone()), span);
                self.try_coerce(placed, ty, span)
            }
            (_, Value::View(_) | Value::Barriers(_) | Value::Stages(_)) => {
                self.as_memory(value, ty, span)
            }
            (TypeValue::Struct(want, args), Value::Permit(_, it)) => {
                (it.ty == *want && self.same_args(args, &it.args.clone())).then_some(value)
            }
            (TypeValue::Struct(want, args), Value::Struct(it)) => {
                (it.ty == *want && self.same_args(args, &it.args.clone())).then_some(value)
            }
            (TypeValue::Enum(want), Value::Variant(got, _)) => (want == got).then_some(value),
            (TypeValue::Tuple(types), Value::Tuple(parts)) => {
                let parts = self.coerce_all(parts.to_vec(), types, span)?;
                Some(Value::Tuple(parts.into()))
            }
            (TypeValue::Record(types), Value::Record(parts)) => {
                let names = parts.iter().map(|it| &it.0);
                if !names.eq(types.iter().map(|it| &it.0)) {
                    return None;
                }
                let wanted: Vec<Value> = types.iter().map(|it| it.1.clone()).collect();
                let given = parts.iter().map(|it| it.1.clone()).collect();
                let done = self.coerce_all(given, &wanted, span)?;
                Some(Value::Record(types.iter().map(|it| it.0.clone()).zip(done).collect()))
            }
            (TypeValue::Array(inner, n), Value::Array(parts)) if parts.len() == *n as usize => {
                let types = vec![(**inner).clone(); parts.len()];
                Some(Value::Array(self.coerce_all(parts.to_vec(), &types, span)?.into()))
            }
            (TypeValue::List(inner), Value::Array(parts)) => {
                let types = vec![(**inner).clone(); parts.len()];
                Some(Value::Array(self.coerce_all(parts.to_vec(), &types, span)?.into()))
            }
            (TypeValue::Span, Value::Range(_))
            | (TypeValue::NamedBarrier, Value::NamedBarrier(_)) => Some(value),
            (TypeValue::Pointer(elem), Value::Host(tensor)) => {
                let (dtype, _) = self.host.as_deref()?.describe(*tensor);
                (dtype == *elem).then_some(value)
            }
            (TypeValue::Tensor { elem, rank }, Value::Host(tensor)) => {
                let (dtype, shape) = self.host.as_deref()?.describe(*tensor);
                (dtype == *elem && shape.len() == *rank as usize).then_some(value)
            }
            (TypeValue::Tensor { elem, rank }, Value::Tensor(n)) => {
                let tensor = self.tensor(*n);
                (tensor.dtype == *elem && tensor.dims.len() == *rank as usize).then_some(value)
            }
            _ => None,
        }
    }

    /// A view, barriers or stages as a member of a type.
    fn as_memory(&mut self, value: Value, ty: &TypeValue, span: Span) -> Option<Value> {
        match (ty, &value) {
            (TypeValue::Shared(want), Value::View(it)) => {
                let ty = self.ty(it.value);
                let same = ty.elem == ir::Elem::Shared(want.dtype) && ty.shape == want.shape;
                // A layout that is asked for is the view's map.
                let map = want.layout.as_ref().map(|_| rules::memory_map(self, want, span));
                let fits = map.is_none_or(|map| map.as_ref() == self.ty(it.value).memory.as_ref());
                (same && fits).then_some(value)
            }
            // A stage's field: memory for a tile in the layout that its type has.
            (
                TypeValue::Tile { elem: ir::Elem::Data(dtype), shape, layout: Some(layout) },
                Value::View(_),
            ) if !layout.is_for_registers() => {
                let want = SharedType {
                    dtype: *dtype,
                    shape: shape.clone(),
                    layout: Some(layout.clone()),
                };
                self.try_coerce(value, &TypeValue::Shared(want), span)
            }
            (TypeValue::Barrier(shape), Value::Barriers(it)) => {
                (self.ty(*it).shape[..] == shape[..]).then_some(value)
            }
            (TypeValue::Array(inner, n), Value::Barriers(it)) => {
                let shape = &self.ty(*it).shape;
                let of = TypeValue::Barrier(shape.iter().skip(1).copied().collect());
                (shape.first() == Some(n) && **inner == Value::Type(of)).then_some(value)
            }
            (TypeValue::Array(inner, n), Value::Stages(it)) => {
                let held = self.type_of_stage(it);
                (it.n == *n && held.map(Value::Type).as_ref() == Some(&**inner)).then_some(value)
            }
            _ => None,
        }
    }

    fn coerce_all(
        &mut self,
        values: Vec<Value>,
        types: &[Value],
        span: Span,
    ) -> Option<Vec<Value>> {
        if values.len() != types.len() {
            return None;
        }
        let pairs = values.into_iter().zip(types);
        pairs
            .map(|(value, ty)| match ty {
                Value::Type(ty) => self.try_coerce(value, ty, span),
                _ => Some(Value::Error),
            })
            .collect()
    }

    fn of_kind(&mut self, kind: Kind, value: Value, span: Span) -> Option<Value> {
        let fits = match (kind, &value) {
            (Kind::Int, Value::Int(_))
            | (Kind::Float, Value::Float(_))
            | (Kind::Bool, Value::Bool(_))
            | (Kind::Str, Value::Str(_))
            | (Kind::Type, Value::Type(_))
            | (Kind::Layout, Value::Layout(_))
            | (Kind::Record, Value::Record(_)) => true,
            (Kind::Float, Value::Int(it)) => return Some(Value::Float(*it as f64)),
            (Kind::Record, Value::Type(TypeValue::Record(it))) => {
                return Some(Value::Record(it.clone()));
            }
            (Kind::Type, Value::Tuple(_) | Value::Array(_)) => {
                return Some(self.as_type(value, span).map_or(Value::Error, Value::Type));
            }
            _ => false,
        };
        fits.then_some(value)
    }

    fn as_scalar(&mut self, value: Value, dtype: DType, span: Span) -> Option<Value> {
        match &value {
            Value::Tile(it) => {
                let got = self.ty(it.value);
                (got.is_scalar() && got.elem == ir::Elem::Data(dtype)).then_some(value)
            }
            // `bool` is a kind too: what is known stays known, so that `static if` can ask it.
            Value::Bool(_) if dtype == DType::Bool => Some(value),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) if self.mode == Mode::Kernel => {
                if !literal_fits(&value, dtype) {
                    return None;
                }
                Some(match rules::materialize(self, &value, ir::Elem::Data(dtype), span) {
                    Some(it) => Value::scalar(it),
                    None => Value::Error,
                })
            }
            Value::Int(it) if dtype.is_float() => Some(Value::Float(*it as f64)),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                literal_fits(&value, dtype).then_some(value)
            }
            _ => None,
        }
    }

    fn as_tile(
        &mut self,
        tile: Tile,
        elem: ir::Elem,
        shape: &[u32],
        layout: Option<&Spec>,
        span: Span,
    ) -> Option<Value> {
        if let (TileLayout::Open { .. }, Some(spec)) = (&tile.layout, layout) {
            let closed =
                rules::at_layout(self, Value::Tile(tile), Value::Layout(spec.clone()), span);
            let Value::Tile(tile) = closed else { return Some(Value::Error) };
            return self.as_tile(tile, elem, shape, Some(spec), span);
        }
        let got = self.ty(tile.value);
        if got.elem != elem || got.shape[..] != *shape {
            return None;
        }
        let same = match (layout, &got.layout) {
            (Some(spec), Some(got)) => spec.apply(shape, self.machine).is_ok_and(|it| it == *got),
            _ => true,
        };
        same.then_some(Value::Tile(tile))
    }

    /// Whether two lists of compile-time arguments are the same; layouts are compared as written.
    pub(super) fn same_args(&mut self, a: &[Value], b: &[Value]) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.same_known(a, b))
    }

    pub(super) fn same_known(&mut self, a: &Value, b: &Value) -> bool {
        if a == b || *a == Value::Error || *b == Value::Error {
            return true;
        }
        match (a, b) {
            (Value::Layout(_), Value::Layout(_)) => {
                let span = Span::default();
                rules::binary(self, tile_syntax::ast::BinaryOp::Eq, a.clone(), b.clone(), span)
                    == Value::Bool(true)
            }
            _ => false,
        }
    }

    /// Binds the parameters that stand alone in `ty`, a parameter's type, from its argument.
    pub(super) fn infer(&mut self, ty: &Expr, value: &Value, bindings: &mut Bindings) {
        match &*ty.kind {
            ExprKind::Paren(inner) | ExprKind::Optional(inner) => {
                self.infer(inner, value, bindings)
            }
            ExprKind::Path(path) if path.len() == 1 => {
                if let Some(ty) = self.type_of(value) {
                    bind(bindings, &path[0].text, Value::Type(ty));
                }
            }
            ExprKind::At(inner, layout) => {
                if let (Some(name), Value::Tile(Tile { layout: TileLayout::Closed(spec), .. })) =
                    (alone(layout), value)
                {
                    bind(bindings, name, Value::Layout(spec.clone()));
                }
                self.infer(inner, value, bindings);
            }
            ExprKind::Unary(_, inner) => self.infer_pointee(inner, value, bindings),
            ExprKind::Bracket(base, args) => self.infer_bracket(base, args, value, bindings),
            ExprKind::Memory(memory) => self.infer(&memory.ty, value, bindings),
            ExprKind::Tuple(types) => {
                if let Value::Tuple(parts) = value {
                    types
                        .iter()
                        .zip(parts.iter())
                        .for_each(|(ty, it)| self.infer(ty, it, bindings));
                }
            }
            ExprKind::Record(types) => {
                if let Value::Record(parts) = value {
                    types
                        .iter()
                        .zip(parts.iter())
                        .for_each(|((_, ty), it)| self.infer(ty, &it.1, bindings));
                }
            }
            ExprKind::Array(types) => {
                if let (Value::Array(parts), [ty]) = (value, &types[..]) {
                    parts.iter().take(1).for_each(|it| self.infer(ty, it, bindings));
                }
            }
            ExprKind::Repeat(ty, count) => {
                if let Value::Stages(it) = value {
                    if let (Some(name), Some(held)) = (alone(ty), self.type_of_stage(it)) {
                        bind(bindings, name, Value::Type(held));
                    }
                    if let Some(name) = alone(count) {
                        bind(bindings, name, Value::Int(it.n.into()));
                    }
                }
                if let Value::Array(parts) = value {
                    if let Some(name) = alone(count) {
                        bind(bindings, name, Value::Int(parts.len() as i128));
                    }
                    parts.iter().take(1).for_each(|it| self.infer(ty, it, bindings));
                }
            }
            _ => {}
        }
    }

    fn infer_pointee(&mut self, ty: &Expr, value: &Value, bindings: &mut Bindings) {
        let Value::Tile(tile) = value else { return };
        let ir::Elem::Pointer(dtype) = self.ty(tile.value).elem else { return };
        if let Some(name) = alone(ty) {
            bind(bindings, name, Value::Type(TypeValue::Scalar(dtype)));
        }
    }

    /// Elements and extents of a tile as values, for the parameters in a tile's type.
    fn infer_bracket(
        &mut self,
        base: &Expr,
        args: &[BracketArg],
        value: &Value,
        bindings: &mut Bindings,
    ) {
        let known: Vec<Value> = match value {
            Value::Struct(it) => it.args.to_vec(),
            Value::Tile(tile) => {
                let shape = self.tile_shape(tile);
                let elem = self.ty(tile.value).elem;
                match (&*base.kind, elem) {
                    (ExprKind::Unary(_, inner), ir::Elem::Pointer(_)) => {
                        self.infer_pointee(inner, value, bindings)
                    }
                    (_, ir::Elem::Data(dtype)) => {
                        if let Some(name) = alone(base) {
                            bind(bindings, name, Value::Type(TypeValue::Scalar(dtype)));
                        }
                    }
                    _ => {}
                }
                shape.iter().map(|it| Value::Int((*it).into())).collect()
            }
            Value::View(view) => {
                let ty = self.ty(view.value).clone();
                if let (Some(name), ir::Elem::Shared(dtype)) = (alone(base), ty.elem) {
                    bind(bindings, name, Value::Type(TypeValue::Scalar(dtype)));
                }
                ty.shape.iter().map(|it| Value::Int((*it).into())).collect()
            }
            Value::Unplaced(it) => {
                if let (Some(name), ir::Elem::Data(dtype)) = (alone(base), it.elem) {
                    bind(bindings, name, Value::Type(TypeValue::Scalar(dtype)));
                }
                it.shape.iter().map(|it| Value::Int((*it).into())).collect()
            }
            Value::Tensor(n) => {
                let dtype = self.tensor(*n).dtype;
                if let Some(name) = alone(base) {
                    bind(bindings, name, Value::Type(TypeValue::Scalar(dtype)));
                }
                let dims = self.tensor(*n).dims.clone();
                dims.iter().map(extent_value).collect()
            }
            _ => return,
        };
        for (arg, value) in args.iter().zip(known) {
            match arg {
                BracketArg::Value(expr) => {
                    if let Some(name) = alone(expr) {
                        bind(bindings, name, value);
                    }
                }
                BracketArg::Named(..) | BracketArg::Whole(_) => {}
            }
        }
    }

    /// Extents of a tile as the program sees it, new dimensions included.
    pub(super) fn tile_shape(&self, tile: &Tile) -> Vec<u32> {
        let mut shape = self.ty(tile.value).shape.to_vec();
        if let TileLayout::Open { new_axes, .. } = &tile.layout {
            new_axes.iter().for_each(|&axis| shape.insert(axis as usize, 1));
        }
        shape
    }

    /// The type of what each of some stages holds.
    fn type_of_stage(&self, stages: &Stages) -> Option<TypeValue> {
        self.held(&stages.all, 1)
    }

    /// The type of a part of a stage's memory, without its first dimensions.
    fn held(&self, value: &Value, n_stages: usize) -> Option<TypeValue> {
        let each = |it: &Value| self.held(it, n_stages).map(Value::Type);
        match value {
            Value::View(view) => {
                let ty = self.ty(view.value);
                let ir::Elem::Shared(dtype) = ty.elem else { return None };
                let shape = ty.shape[n_stages..].into();
                let layout = view.layout.clone();
                Some(rules::sync::held_type(&SharedType { dtype, shape, layout }))
            }
            Value::Barriers(it) => Some(TypeValue::Barrier(self.ty(*it).shape[n_stages..].into())),
            Value::Record(parts) => {
                let parts = parts.iter().map(|(name, it)| Some((name.clone(), each(it)?)));
                Some(TypeValue::Record(parts.collect::<Option<Vec<_>>>()?.into()))
            }
            Value::Tuple(parts) => {
                Some(TypeValue::Tuple(parts.iter().map(each).collect::<Option<Vec<_>>>()?.into()))
            }
            _ => None,
        }
    }

    /// The type of a value, where it has one that can be written.
    pub(super) fn type_of(&self, value: &Value) -> Option<TypeValue> {
        Some(match value {
            Value::Tile(tile) => {
                let ty = self.ty(tile.value);
                match (&tile.layout, ty.elem) {
                    (TileLayout::Scalar, ir::Elem::Data(it)) => TypeValue::Scalar(it),
                    (TileLayout::Scalar, ir::Elem::Pointer(it)) => TypeValue::Pointer(it),
                    (layout, elem) => {
                        let layout = match layout {
                            TileLayout::Closed(spec) => Some(spec.clone()),
                            TileLayout::Scalar | TileLayout::Open { .. } => None,
                        };
                        TypeValue::Tile { elem, shape: self.tile_shape(tile).into(), layout }
                    }
                }
            }
            Value::Int(_) => TypeValue::Kind(Kind::Int),
            Value::Float(_) => TypeValue::Kind(Kind::Float),
            Value::Bool(_) => TypeValue::Kind(Kind::Bool),
            Value::Str(_) => TypeValue::Kind(Kind::Str),
            Value::Type(_) => TypeValue::Kind(Kind::Type),
            Value::Layout(_) => TypeValue::Kind(Kind::Layout),
            Value::Struct(it) | Value::Permit(_, it) => {
                TypeValue::Struct(it.ty.clone(), it.args.clone())
            }
            Value::View(_) | Value::Barriers(_) => return self.held(value, 0),
            Value::NamedBarrier(_) => TypeValue::NamedBarrier,
            Value::Variant(ty, _) => TypeValue::Enum(ty.clone()),
            Value::Range(_) => TypeValue::Span,
            Value::Tuple(parts) => {
                let parts: Option<Vec<Value>> =
                    parts.iter().map(|it| self.type_of(it).map(Value::Type)).collect();
                TypeValue::Tuple(parts?.into())
            }
            Value::Record(parts) => {
                let parts: Option<Vec<(SmolStr, Value)>> = parts
                    .iter()
                    .map(|(n, it)| Some((n.clone(), Value::Type(self.type_of(it)?))))
                    .collect();
                TypeValue::Record(parts?.into())
            }
            Value::Array(parts) => {
                let first = self.type_of(parts.first()?)?;
                TypeValue::Array(Arc::new(Value::Type(first)), parts.len() as u32)
            }
            _ => return None,
        })
    }
}

/// A size of a tensor as a value.
pub(super) fn extent_value(extent: &ir::Extent) -> Value {
    match extent {
        ir::Extent::Const(it) => Value::Int((*it).into()),
        ir::Extent::Value(it) => Value::scalar(*it),
    }
}

/// The name that a type's part consists of.
fn alone(expr: &Expr) -> Option<&SmolStr> {
    match &*expr.kind {
        ExprKind::Path(path) if path.len() == 1 => Some(&path[0].text),
        ExprKind::Paren(inner) => alone(inner),
        _ => None,
    }
}

fn bind(bindings: &mut Bindings, name: &SmolStr, value: Value) {
    if let Some((_, slot @ None)) = bindings.iter_mut().find(|it| it.0 == *name) {
        *slot = Some(value);
    }
}

/// Whether a number known now can be of that type.
pub(super) fn literal_fits(value: &Value, dtype: DType) -> bool {
    match (value, dtype.class()) {
        (Value::Bool(_), Class::Bool) => true,
        (Value::Int(_) | Value::Float(_), Class::Float(_)) => true,
        (Value::Int(it), Class::Signed) => {
            let half = 1i128 << (dtype.bits() - 1);
            (-half..half).contains(it)
        }
        (Value::Int(it), Class::Unsigned) => (0..1i128 << dtype.bits()).contains(it),
        _ => false,
    }
}
