//! A function called from host code with whole tensors: a kernel of one block around it.
//!
//! Every tensor becomes a tensor argument of exactly its extents and is loaded whole, spread over
//! the block's threads; numbers keep what they are. What the function gives is stored to new
//! tensors; a scalar becomes a tensor of one element.

use std::sync::Arc;

use smol_str::SmolStr;
use tile_layout::{Machine, Spec};
use tile_plan::{AbiSlot, Expr as Plan, LaunchPlan, ParamKind};
use tile_syntax::ast::Span;

use super::builder::Builder;
use super::call::{Given, GivenGeneric};
use super::cx::{Elab, Mode};
use super::env;
use super::tidy::tidy;
use super::value::{Tile, TileLayout, TypeValue, Value};
use crate::dtype::DType;
use crate::host::TensorId;
use crate::ir::{self, Clauses, Elem, Extent, ItemKey, Kernel, Shape, Tensor, Type};
use crate::op::memory::{Cache, Evict, MemoryOp};
use crate::op::tile::TileOp;

/// Warps of the block that runs a wrapped function.
const WARPS: u32 = 4;

/// The kernel while it is made.
struct Wrapper {
    plan: LaunchPlan,
    params: Vec<ir::Value>,
    given: Vec<Value>,
}

impl Elab<'_> {
    pub(super) fn wrap_on_host(
        &mut self,
        item: &ItemKey,
        member: Option<u32>,
        generics: Vec<GivenGeneric>,
        given: Vec<Given>,
        span: Span,
    ) -> Value {
        let mut inner = Elab::new(self.db, self.target, None);
        inner.machine = Machine { lanes: inner.target().lanes, warps: WARPS };
        inner.mode = Mode::Kernel;
        let frame = self.frame();
        inner.push_frame(frame.item.clone(), frame.file, None);
        inner.ir.open(Vec::new());
        let mut wrapper =
            Wrapper { plan: LaunchPlan::default(), params: Vec::new(), given: Vec::new() };
        wrapper.plan.kernel = "a function of one block".to_owned();
        wrapper.plan.threads = WARPS * inner.target().lanes;
        wrapper.plan.grid = vec![Plan::Int(1)];
        let Some(host) = self.host.as_deref() else { return Value::Error };
        let mut inside = Vec::new();
        for it in given {
            let value =
                inner.load_all(&it.value, &mut wrapper, &|tensor| host.describe(tensor), span);
            inside.push(Given { value, place: None, ..it });
        }
        let result = inner.call_fn(item, member, generics, inside, span);
        let outputs = inner.store_all(&result, &mut wrapper, span);
        let mut body = inner.ir.close();
        body.params = std::mem::take(&mut wrapper.params);
        let failed = result == Value::Error || !inner.diagnostics.is_empty();
        self.diagnostics.append(&mut inner.diagnostics);
        if failed {
            return Value::Error;
        }
        let head = inner.site(span);
        let clauses = Clauses { head, last: None };
        let Builder { values, tensors, facts, sites, .. } = std::mem::take(&mut inner.ir);
        let kernel = tidy(Kernel {
            name: SmolStr::new("one_block"),
            target: self.target,
            warps: WARPS,
            plan: Arc::new(wrapper.plan),
            values,
            tensors,
            facts,
            clauses,
            sites,
            body,
        });
        self.launch_wrapped(&result, kernel, wrapper.given, outputs, span)
    }

    fn launch_wrapped(
        &mut self,
        result: &Value,
        kernel: Kernel,
        mut args: Vec<Value>,
        outputs: Vec<(DType, Vec<u64>)>,
        span: Span,
    ) -> Value {
        let Some(host) = self.host.as_deref_mut() else { return Value::Error };
        let made: Vec<Value> = outputs
            .iter()
            .map(|(dtype, shape)| Value::Host(host.allocate(*dtype, shape)))
            .collect();
        args.extend(made.iter().cloned());
        let kernel = Arc::new(kernel);
        let done = self.on_host(span, |host| host.launch(&kernel, &args).map(|()| Value::unit()));
        if done == Value::Error {
            return Value::Error;
        }
        let mut made = made.into_iter();
        let mut leaves = Vec::new();
        env::leaves(result, &mut |it| leaves.push(it.clone()));
        let mut leaves = leaves.into_iter();
        env::with_leaves(result, &mut || match leaves.next() {
            Some(Value::Tile(_)) => made.next().unwrap_or(Value::Error),
            Some(other) => other,
            None => Value::Error,
        })
    }

    /// A value of host code inside the kernel: tensors are loaded whole.
    fn load_all(
        &mut self,
        value: &Value,
        wrapper: &mut Wrapper,
        describe: &dyn Fn(TensorId) -> (DType, Vec<u64>),
        span: Span,
    ) -> Value {
        let mut leaves = Vec::new();
        env::leaves(value, &mut |it| leaves.push(it.clone()));
        let mut loaded = leaves.into_iter().map(|it| match it {
            Value::Host(tensor) => {
                let (dtype, shape) = describe(tensor);
                let number = self.wrapped_tensor(dtype, &shape, false, wrapper, span);
                wrapper.given.push(Value::Host(tensor));
                self.load_whole(number, dtype, &shape, span)
            }
            other => other,
        });
        let mut loaded: Vec<Value> = loaded.by_ref().collect();
        loaded.reverse();
        env::with_leaves(value, &mut || loaded.pop().unwrap_or(Value::Error))
    }

    /// A tensor argument of exactly these extents.
    fn wrapped_tensor(
        &mut self,
        dtype: DType,
        shape: &[u64],
        mutable: bool,
        wrapper: &mut Wrapper,
        span: Span,
    ) -> u32 {
        let pointer = Type::single(Elem::Pointer(dtype));
        let base = self.ir.value(pointer);
        wrapper.params.push(base);
        let param = wrapper.plan.params.len() as u32;
        wrapper.plan.abi.push(AbiSlot::Address(param));
        let dims: Vec<Plan> = shape.iter().map(|it| Plan::Int(*it as i64)).collect();
        let name = format!("tensor{param}");
        let kind = ParamKind::Tensor {
            dtype: dtype.name().to_owned(),
            dims,
            strides: None,
            align: 16,
            mutable,
            optional: false,
        };
        wrapper.plan.params.push(tile_plan::Param { name: name.clone(), kind });
        let mut strides = vec![1i64; shape.len()];
        for n in (0..shape.len().saturating_sub(1)).rev() {
            strides[n] = strides[n + 1] * shape[n + 1] as i64;
        }
        let site = self.site(span);
        self.ir.tensors.push(Tensor {
            name: SmolStr::from(name),
            dtype,
            base,
            dims: shape.iter().map(|it| Extent::Const(*it as i64)).collect(),
            strides: strides.into_iter().map(Extent::Const).collect(),
            mutable,
            optional: false,
            align: 16,
            site,
            dim_sites: vec![site; shape.len()],
        });
        self.ir.tensors.len() as u32 - 1
    }

    /// Pointers to every element of a tensor, spread over the block.
    fn whole(
        &mut self,
        tensor: u32,
        dtype: DType,
        shape: &[u64],
        spec: Option<&Spec>,
        span: Span,
    ) -> Option<Tile> {
        let extents: Shape = shape.iter().map(|it| *it as u32).collect();
        let fits = shape.iter().product::<u64>() <= 1 << 20 && shape.iter().all(|it| *it >= 1);
        if !fits {
            let shown: Vec<i128> = shape.iter().map(|it| i128::from(*it)).collect();
            self.report(crate::report::types::extents(self.place(span), &shown));
            return None;
        }
        let spec = match spec {
            Some(it) => it.clone(),
            None => {
                let shape: Vec<Value> = extents.iter().map(|it| Value::Int((*it).into())).collect();
                let dtype = Value::Type(TypeValue::Scalar(dtype));
                match self.call_builtin(
                    &["blocked", "coalesced"],
                    vec![Value::Array(shape.into()), dtype],
                    span,
                ) {
                    Value::Layout(it) => it,
                    _ => return None,
                }
            }
        };
        let layout = spec.apply(&extents, self.machine).ok()?;
        let mut indices = Vec::new();
        for axis in 0..extents.len() as u32 {
            let ty = Type::tile(Elem::Data(DType::I32), extents.clone(), layout.clone());
            indices.push(self.emit_one(TileOp::Index { axis }, &[], ty, span));
        }
        let ty = Type::tile(Elem::Pointer(dtype), extents, layout);
        let value = self.emit_one(MemoryOp::At { tensor }, &indices, ty, span);
        Some(Tile { value, layout: TileLayout::Closed(spec) })
    }

    fn load_whole(&mut self, tensor: u32, dtype: DType, shape: &[u64], span: Span) -> Value {
        let op = MemoryOp::Load { cache: Cache::All, evict: Evict::Normal };
        if shape.is_empty() {
            let pointer = self.ir.tensors[tensor as usize].base;
            let value = self.emit_one(op, &[pointer], Type::scalar(dtype), span);
            return Value::scalar(value);
        }
        let Some(at) = self.whole(tensor, dtype, shape, None, span) else { return Value::Error };
        let ty = self.ty(at.value).with_elem(Elem::Data(dtype));
        let value = self.emit_one(op, &[at.value], ty, span);
        Value::Tile(Tile { value, layout: at.layout })
    }

    /// Stores every tile of a result to a tensor of its own; gives their types.
    fn store_all(
        &mut self,
        result: &Value,
        wrapper: &mut Wrapper,
        span: Span,
    ) -> Vec<(DType, Vec<u64>)> {
        let mut tiles = Vec::new();
        env::leaves(result, &mut |it| {
            if let Value::Tile(it) = it {
                tiles.push(it.clone());
            }
        });
        let mut outputs = Vec::new();
        for tile in tiles {
            let ty = self.ty(tile.value).clone();
            let Some(dtype) = ty.elem.data() else { continue };
            let shape: Vec<u64> = ty.shape.iter().map(|it| u64::from(*it)).collect();
            let number = self.wrapped_tensor(dtype, &shape, true, wrapper, span);
            let pointer = match &tile.layout {
                TileLayout::Closed(spec) => {
                    self.whole(number, dtype, &shape, Some(spec), span).map(|it| it.value)
                }
                TileLayout::Scalar => Some(self.ir.tensors[number as usize].base),
                TileLayout::Open { .. } => None,
            };
            if let Some(pointer) = pointer {
                let op = MemoryOp::Store { cache: Cache::All, evict: Evict::Normal };
                self.emit(op, &[pointer, tile.value], &[], span);
            }
            outputs.push((dtype, shape));
        }
        outputs
    }

    /// `print("m = {m}")`: pieces of text and the scalars between them.
    pub(super) fn print(&mut self, args: &[tile_syntax::ast::Arg], span: Span) -> Value {
        use tile_syntax::ast::ExprKind;
        let text = match args {
            [it] => match &*it.value.kind {
                ExprKind::Str(text) => text.clone(),
                _ => {
                    return self.error(crate::report::types::mismatch(
                        self.place(it.value.span),
                        "a string in quotes",
                        "an expression",
                    ));
                }
            },
            _ => {
                return self.error(crate::report::types::missing_argument(
                    self.place(span),
                    "text",
                    "print",
                ));
            }
        };
        let mut pieces = vec![String::new()];
        let mut values = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            pieces.last_mut().expect("there is a first piece").push_str(before);
            let Some((inside, after)) = after.split_once('}') else {
                rest = after;
                break;
            };
            let (expr, errors) = tile_syntax::parse_expr(inside);
            let value = if errors.is_empty() { self.eval_at(&expr, span) } else { Value::Error };
            match value {
                Value::Tile(it) if it.layout == TileLayout::Scalar => {
                    values.push(it.value);
                    pieces.push(String::new());
                }
                Value::Error => {
                    return self.error(crate::report::types::operands(
                        self.place(span),
                        "print",
                        inside,
                        "text",
                    ));
                }
                known @ (Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Str(_)) => {
                    let shown = match known {
                        Value::Int(it) => it.to_string(),
                        Value::Float(it) => it.to_string(),
                        Value::Str(it) => it.to_string(),
                        other => (other == Value::Bool(true)).to_string(),
                    };
                    pieces.last_mut().expect("there is a first piece").push_str(&shown);
                }
                other => {
                    let got = self.describe(&other);
                    return self.error(crate::report::types::mismatch(
                        self.place(span),
                        "a scalar",
                        &got,
                    ));
                }
            }
            rest = after;
        }
        pieces.last_mut().expect("there is a first piece").push_str(rest);
        if self.mode == Mode::Kernel {
            self.emit(MemoryOp::Print { pieces }, &values, &[], span);
        }
        Value::unit()
    }

    /// The value of an expression cut out of a string: every mistake in it is at `span`.
    fn eval_at(&mut self, expr: &tile_syntax::ast::Expr, span: Span) -> Value {
        let before = self.diagnostics.len();
        let value = self.eval(expr);
        let place = self.place(span);
        self.diagnostics[before..].iter_mut().for_each(|it| it.place = place.clone());
        value
    }
}
