//! What expressions and names turned out to be while an instance was elaborated.
//!
//! # Definition
//! An elaborator that is asked to keeps, for every expression that it evaluates and every name that
//! it binds, a [`Nature`]: its type with shape and layout, or its value if that is known at compile
//! time. The key is the place, relative to its item, so a library function that a kernel calls has
//! natures too. A place that is visited again (a loop that is unrolled, a function that is called
//! twice) keeps each different nature once, in the order in which they came.
//!
//! # Invariants
//! * Nothing is kept of a try that is thrown away: a loop's body is seen as it was emitted.
//! * A nature holds no handle on IR values: it stands for itself.
//! * Who does not ask pays one test of a pointer an expression.

use std::fmt::Write;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use tile_layout::{MemoryMap, Spec};
use tile_syntax::ast::{ItemKind, Span};

use super::cx::Elab;
use super::rules;
use super::value::{Fill, TileLayout, TypeValue, Value};
use crate::db;
use crate::dtype::DType;
use crate::ir::{Elem, Extent, ItemKey, Shape, Type};
use crate::names::{FnRef, TypeRef};

/// Different natures of one place that are kept; the rest of an unrolled loop says nothing new.
const NATURES_MAX: usize = 8;

/// What an expression is.
#[derive(Clone, PartialEq, Debug)]
pub enum Nature {
    /// A number, a bool, a string or `none`, known at compile time.
    Known(Value),
    /// A variant of an enum.
    Variant(TypeRef, SmolStr),
    /// A type, or a shape with or without a layout.
    Type(TypeValue),
    /// A layout.
    Layout(Spec),
    /// A tile or a scalar in registers.
    Tile {
        /// Elements, shape and applied layout; of an open tile those without its new dimensions.
        ty: Type,
        /// The layout as it was constructed.
        layout: TileLayout,
        /// The constant in scope that is this layout.
        name: SmolStr,
    },
    /// A tile that waits for its layout.
    Unplaced {
        /// Elements.
        elem: Elem,
        /// Extents.
        shape: Shape,
        /// Whether it counts, as `iota` does.
        counts: bool,
    },
    /// A view of shared memory.
    View {
        /// Elements.
        dtype: DType,
        /// Where they lie.
        map: MemoryMap,
        /// The layout that it was declared with, if it is whole.
        layout: Option<Spec>,
    },
    /// Barriers, one for each index.
    Barriers(Shape),
    /// A barrier that roles meet at.
    NamedBarrier,
    /// Stages of memory: how many, and all of them.
    Stages(u32, Box<Nature>),
    /// A tensor argument.
    Tensor {
        /// As it is declared: `global mut f32[rows, cols]`.
        text: String,
        /// Elements.
        dtype: DType,
        /// Dimensions.
        rank: u32,
        /// Whether it may be absent.
        optional: bool,
    },
    /// A tensor cut into boxes.
    Tiles {
        /// The tensor's name.
        tensor: SmolStr,
        /// Elements.
        dtype: DType,
        /// Extents of a box; `None` picks a single index.
        extents: Vec<Option<u32>>,
        /// How a box lies in shared memory.
        layout: Spec,
    },
    /// One of those boxes.
    Box {
        /// The tensor's name.
        tensor: SmolStr,
        /// Elements.
        dtype: DType,
        /// Extents.
        extents: Vec<Option<u32>>,
    },
    /// A struct's value.
    Struct {
        /// The struct.
        ty: TypeRef,
        /// Its compile-time arguments.
        args: Vec<Nature>,
        /// Its fields, in order.
        fields: Vec<Nature>,
    },
    /// A tuple.
    Tuple(Vec<Nature>),
    /// A record.
    Record(Vec<(SmolStr, Nature)>),
    /// An array.
    Array(Vec<Nature>),
    /// A span of integers.
    Range(Vec<Nature>),
    /// A closure.
    Closure,
    /// A function.
    Function(FnRef),
    /// The target compiled for.
    Target,
    /// A tensor of host code.
    Host {
        /// Elements.
        dtype: DType,
        /// Extents.
        shape: Vec<u64>,
    },
}

/// The natures of one place.
#[derive(Clone, PartialEq, Debug)]
pub struct Seen {
    /// The bytes, relative to the item.
    pub span: Span,
    /// What stood there, each different nature once.
    pub natures: Vec<Nature>,
}

/// Everything that was seen of one instance.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Observed {
    items: FxHashMap<ItemKey, Vec<Seen>>,
}

impl Observed {
    /// What stood exactly at this place; empty if nothing was seen there.
    pub fn at(&self, item: &ItemKey, span: Span) -> &[Nature] {
        let seen = self.of_item(item);
        match seen.binary_search_by_key(&span, |it| it.span) {
            Ok(at) => &seen[at].natures,
            Err(_) => &[],
        }
    }

    /// The smallest place around an offset at which something was seen.
    pub fn around(&self, item: &ItemKey, offset: u32) -> Option<&Seen> {
        let holds = |it: &&Seen| it.span.lo <= offset && offset <= it.span.hi;
        self.of_item(item).iter().filter(holds).min_by_key(|it| it.span.hi - it.span.lo)
    }

    /// What was seen of an item, in the order of its text.
    pub fn of_item(&self, item: &ItemKey) -> &[Seen] {
        self.items.get(item).map_or(&[], Vec::as_slice)
    }
}

/// What an elaborator that is asked to keeps.
#[derive(Debug, Default)]
pub(super) struct Observer {
    seen: FxHashMap<(ItemKey, Span), Vec<Nature>>,
    /// The places of all natures, in the order in which they were kept.
    log: Vec<(ItemKey, Span)>,
}

impl Observer {
    fn keep(&mut self, key: (ItemKey, Span), nature: Nature) {
        let natures = self.seen.entry(key.clone()).or_default();
        if natures.len() < NATURES_MAX && !natures.contains(&nature) {
            natures.push(nature);
            self.log.push(key);
        }
    }

    fn forget_since(&mut self, mark: usize) {
        for key in self.log.drain(mark..).rev() {
            self.seen.get_mut(&key).expect("what is logged was kept").pop();
        }
    }

    /// All of it, by item and place.
    pub(super) fn finish(self) -> Observed {
        let mut items: FxHashMap<ItemKey, Vec<Seen>> = FxHashMap::default();
        for ((item, span), natures) in self.seen.into_iter().filter(|it| !it.1.is_empty()) {
            items.entry(item).or_default().push(Seen { span, natures });
        }
        items.values_mut().for_each(|it| it.sort_by_key(|it| it.span));
        Observed { items }
    }
}

impl Elab<'_> {
    /// Keeps what stands at a span of the item at hand, if anybody asked.
    pub(super) fn observe(&mut self, span: Span, value: &Value) {
        if self.observer.is_none() {
            return;
        }
        let Some(nature) = self.nature(value) else { return };
        let key = (self.frame().item.clone(), span);
        if let Some(observer) = &mut self.observer {
            observer.keep(key, nature);
        }
    }

    /// A point that [`Elab::forget_since`] goes back to.
    pub(super) fn observer_mark(&self) -> usize {
        self.observer.as_ref().map_or(0, |it| it.log.len())
    }

    /// Forgets what was seen since, in a try that is thrown away.
    pub(super) fn forget_since(&mut self, mark: usize) {
        if let Some(observer) = &mut self.observer {
            observer.forget_since(mark);
        }
    }

    /// What a value is; `None` for what made no sense and for bare words.
    fn nature(&self, value: &Value) -> Option<Nature> {
        Some(match value {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Str(_) | Value::None => {
                Nature::Known(value.clone())
            }
            Value::Variant(of, n) => Nature::Variant(of.clone(), self.name_of_variant(of, *n)?),
            Value::Type(it) => Nature::Type(it.clone()),
            Value::Layout(it) => Nature::Layout(it.clone()),
            Value::Tuple(parts) => Nature::Tuple(self.natures(parts)?),
            Value::Array(parts) => Nature::Array(self.natures(parts)?),
            Value::Record(fields) => {
                let field = |it: &(SmolStr, Value)| Some((it.0.clone(), self.nature(&it.1)?));
                Nature::Record(fields.iter().map(field).collect::<Option<_>>()?)
            }
            Value::Barriers(it) => Nature::Barriers(self.ty(*it).shape.clone()),
            Value::NamedBarrier(_) => Nature::NamedBarrier,
            Value::Stages(it) => Nature::Stages(it.n, Box::new(self.nature(&it.all)?)),
            Value::Struct(it) | Value::Permit(_, it) => Nature::Struct {
                ty: it.ty.clone(),
                args: self.natures(&it.args)?,
                fields: self.natures(&it.fields)?,
            },
            Value::Range(it) => Nature::Range(
                [&it.lo, &it.hi].into_iter().map(|it| self.nature(it)).collect::<Option<_>>()?,
            ),
            Value::Closure(_) => Nature::Closure,
            Value::Function(it) => Nature::Function(it.clone()),
            Value::Tile(it) => Nature::Tile {
                ty: self.ty(it.value).clone(),
                layout: it.layout.clone(),
                name: self.name_of_layout(&it.layout),
            },
            Value::Unplaced(it) => Nature::Unplaced {
                elem: it.elem,
                shape: it.shape.clone(),
                counts: matches!(it.fill, Fill::Count(_)),
            },
            Value::Tensor(it) => self.tensor_nature(*it, false),
            Value::MaybeTensor(it) => self.tensor_nature(*it, true),
            Value::View(it) => {
                let ty = self.ty(it.value);
                let Elem::Shared(dtype) = ty.elem else { return None };
                Nature::View { dtype, map: ty.memory.clone()?, layout: it.layout.clone() }
            }
            Value::Tiles(it) => {
                let tensor = self.tensor(it.tensor);
                Nature::Tiles {
                    tensor: tensor.name.clone(),
                    dtype: tensor.dtype,
                    extents: it.extents.clone(),
                    layout: it.layout.clone(),
                }
            }
            Value::Box(it) => {
                let tensor = self.tensor(it.tiles.tensor);
                Nature::Box {
                    tensor: tensor.name.clone(),
                    dtype: tensor.dtype,
                    extents: it.tiles.extents.clone(),
                }
            }
            Value::Target => Nature::Target,
            Value::Host(it) => {
                let (dtype, shape) = self.host.as_deref()?.describe(*it);
                Nature::Host { dtype, shape }
            }
            Value::Flight(_) | Value::Word(_) | Value::Error => return None,
        })
    }

    fn natures(&self, values: &[Value]) -> Option<Vec<Nature>> {
        values.iter().map(|it| self.nature(it)).collect()
    }

    fn tensor_nature(&self, tensor: u32, optional: bool) -> Nature {
        let it = self.tensor(tensor);
        let extent = |it: &Extent| match it {
            Extent::Const(it) => it.to_string(),
            Extent::Value(it) => self.name_of(*it).to_string(),
        };
        let dims: Vec<String> = it.dims.iter().map(extent).collect();
        let mutable = if it.mutable { "mut " } else { "" };
        let absent = if optional { "?" } else { "" };
        let text = format!("global {mutable}{}[{}]{absent}", it.dtype, dims.join(", "));
        Nature::Tensor { text, dtype: it.dtype, rank: it.dims.len() as u32, optional }
    }

    fn name_of_variant(&self, of: &TypeRef, n: u32) -> Option<SmolStr> {
        let tree = db::item(self.db, &of.item)?;
        let ItemKind::Enum(it) = &tree.kind else { return None };
        Some(it.variants.get(n as usize)?.0.text.clone())
    }

    /// The innermost constant in scope that is this layout; empty if none is.
    fn name_of_layout(&self, layout: &TileLayout) -> SmolStr {
        let TileLayout::Closed(spec) = layout else { return SmolStr::default() };
        let is_it = |it: &&super::env::Local| match self.slots.get(it.place.slot as usize) {
            Some(slot) => {
                it.place.path.is_empty() && matches!(&slot.value, Value::Layout(it) if it == spec)
            }
            None => false,
        };
        let local = self.frame().locals.iter().rev().find(is_it);
        local.map_or_else(SmolStr::default, |it| it.name.clone())
    }
}

impl Nature {
    /// How it reads where a type is wanted: `f32[128] @ blocked(…)`, `i32`, `256`.
    pub fn text(&self) -> String {
        self.text_with(&mut |layout, _| rules::describe_spec(layout))
    }

    /// As [`Nature::text`], with the names of layouts that have one, and no layout otherwise.
    pub fn short_text(&self) -> String {
        self.text_with(&mut |_, name| name.to_owned())
    }

    /// The text, with layouts as `layout` gives them from the layout and its name.
    fn text_with(&self, layout: &mut dyn FnMut(&Spec, &str) -> String) -> String {
        match self {
            Nature::Known(it) => known(it),
            Nature::Variant(of, name) => format!("{}::{name}", of.item.item),
            Nature::Type(it) => rules::describe_type(it),
            Nature::Layout(it) => rules::describe_spec(it),
            Nature::Tile { ty, layout: TileLayout::Closed(spec), name } => {
                format!("{}{}", elements(ty.elem, &ty.shape), at(&layout(spec, name)))
            }
            Nature::Tile { ty, layout: TileLayout::Scalar, .. } => elements(ty.elem, &[]),
            Nature::Tile { ty, layout: TileLayout::Open { new_axes, .. }, .. } => {
                let mut shape = ty.shape.clone();
                new_axes.iter().for_each(|&it| shape.insert(it as usize, 1));
                elements(ty.elem, &shape)
            }
            Nature::Unplaced { elem, shape, .. } => elements(*elem, shape),
            Nature::View { dtype, map, layout: spec } => {
                let shape = rules::describe_shape(&map.shape());
                let spec = spec.as_ref().map_or_else(String::new, |it| layout(it, ""));
                format!("shared {dtype}{shape}{}", at(&spec))
            }
            Nature::Tensor { text, .. } => text.clone(),
            Nature::Tiles { tensor, dtype, extents, layout: spec } => {
                let boxes = format!("{dtype}{} of `{tensor}`", boxed(extents));
                format!("tiles {boxes}{}", at(&layout(spec, "")))
            }
            Nature::Box { tensor, dtype, extents } => {
                format!("{dtype}{} of `{tensor}`", boxed(extents))
            }
            Nature::Struct { ty, args, .. } => {
                let args = list(args, layout);
                let args = if args.is_empty() { args } else { format!("[{args}]") };
                format!("{}{args}", ty.item.item)
            }
            Nature::Tuple(parts) => format!("({})", list(parts, layout)),
            Nature::Record(fields) => {
                let mut out = String::new();
                for (n, (name, it)) in fields.iter().enumerate() {
                    let comma = if n == 0 { "" } else { ", " };
                    let _ = write!(out, "{comma}{name}: {}", it.text_with(layout));
                }
                format!("({out})")
            }
            Nature::Array(parts) => format!("[{}]", list(parts, layout)),
            Nature::Range(ends) => {
                let ends: Vec<String> = ends.iter().map(|it| it.text_with(layout)).collect();
                ends.join("..")
            }
            Nature::Barriers(shape) => elements(Elem::Barrier, shape),
            Nature::NamedBarrier => "named_barrier".to_owned(),
            Nature::Stages(n, all) => format!("{n} stages of {}", all.text_with(layout)),
            Nature::Closure => "closure".to_owned(),
            Nature::Function(it) => format!("fn {}", it.name()),
            Nature::Target => "target".to_owned(),
            Nature::Host { dtype, shape } if shape.is_empty() => dtype.to_string(),
            Nature::Host { dtype, shape } => format!("{dtype}{shape:?}"),
        }
    }

    /// Whether it is known at compile time.
    pub fn is_known(&self) -> bool {
        match self {
            Nature::Known(_) | Nature::Variant(..) | Nature::Type(_) | Nature::Layout(_) => true,
            Nature::Tuple(parts) | Nature::Array(parts) | Nature::Range(parts) => {
                parts.iter().all(Nature::is_known)
            }
            Nature::Record(fields) => fields.iter().all(|it| it.1.is_known()),
            Nature::Tile { .. }
            | Nature::Unplaced { .. }
            | Nature::View { .. }
            | Nature::Barriers(_)
            | Nature::NamedBarrier
            | Nature::Stages(..)
            | Nature::Tensor { .. }
            | Nature::Tiles { .. }
            | Nature::Box { .. }
            | Nature::Struct { .. }
            | Nature::Closure
            | Nature::Function(_)
            | Nature::Target
            | Nature::Host { .. } => false,
        }
    }
}

fn known(it: &Value) -> String {
    match it {
        Value::Float(it) => format!("{it:?}"),
        Value::Int(it) => it.to_string(),
        Value::Bool(it) => it.to_string(),
        Value::Str(it) => format!("{it:?}"),
        _ => "none".to_owned(),
    }
}

fn elements(elem: Elem, shape: &[u32]) -> String {
    format!("{}{}", rules::describe_elem(elem), rules::describe_shape(shape))
}

fn at(layout: &str) -> String {
    if layout.is_empty() { String::new() } else { format!(" @ {layout}") }
}

fn boxed(extents: &[Option<u32>]) -> String {
    let extent = |it: &Option<u32>| it.map_or_else(|| "_".to_owned(), |it| it.to_string());
    format!("[{}]", extents.iter().map(extent).collect::<Vec<_>>().join(", "))
}

fn list(parts: &[Nature], layout: &mut dyn FnMut(&Spec, &str) -> String) -> String {
    let texts: Vec<String> = parts.iter().map(|it| it.text_with(layout)).collect();
    texts.join(", ")
}
