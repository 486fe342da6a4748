//! What the rules of operations ask of the elaborator: emit, report, place, call.

use smallvec::SmallVec;
use smol_str::SmolStr;
use tile_layout::Machine;
use tile_syntax::ast::Span;

use super::builder::Builder;
use super::value::{Arg, Value};
use crate::diagnostic::{Code, Diagnostic, Reason};
use crate::ir::{self, ItemKey, Place, Site, SiteId, Type};
use crate::op::{FlowOp, MemoryOp, Op, TileOp};
use crate::target::{Cap, Target, TargetId};

/// One run of the elaborator.
pub struct Elab<'a> {
    pub(super) target: TargetId,
    pub(super) machine: Machine,
    pub(super) ir: Builder,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) frames: Vec<Frame>,
    pub(super) _marker: std::marker::PhantomData<&'a ()>,
}

/// A function that is being run.
pub(super) struct Frame {
    /// The item that its spans are relative to.
    pub(super) item: ItemKey,
    /// The call that it was entered through.
    pub(super) caller: Option<SiteId>,
}

impl Elab<'_> {
    /// The target compiled for.
    pub fn target(&self) -> &'static Target {
        self.target.row()
    }

    /// Lanes and warps that register layouts are spread over.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// Says that what stands at `span` works only on targets with `cap`; reports it if this target lacks it.
    pub fn need(&mut self, cap: Cap, what: &str, span: Span) {
        let _ = (cap, what, span);
    }

    /// The place of a span of the item at hand.
    pub fn place(&self, span: Span) -> Place {
        let frame = self.frames.last().expect("code is run in a frame");
        Place { item: frame.item.clone(), span }
    }

    /// Keeps a finding, with the calls that lead to it. The same one at the same place is kept once.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        let known = |it: &Diagnostic| it.code == diagnostic.code && it.place == diagnostic.place;
        if self.diagnostics.iter().any(known) {
            return;
        }
        let mut caller = self.frames.last().and_then(|it| it.caller);
        while let Some(id) = caller {
            let site = &self.ir.sites[id.0 as usize];
            diagnostic
                .reasons
                .push(Reason { place: site.place.clone(), message: "called here".to_owned() });
            caller = site.caller;
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reports that a form of the language has no meaning in this release.
    pub fn unsupported(&mut self, what: &str, span: Span) -> Value {
        let place = self.place(span);
        self.report(crate::report::comptime::unsupported(place, what));
        Value::Error
    }

    /// The number of a place in the kernel's table.
    pub fn site(&mut self, span: Span) -> SiteId {
        let site =
            Site { place: self.place(span), caller: self.frames.last().and_then(|it| it.caller) };
        self.ir.site(site)
    }

    /// The type of an IR value.
    pub fn ty(&self, value: ir::Value) -> &Type {
        &self.ir.values[value.0 as usize].ty
    }

    /// A tensor argument.
    pub fn tensor(&self, tensor: u32) -> &ir::Tensor {
        &self.ir.tensors[tensor as usize]
    }

    /// Appends an instruction without regions.
    pub fn emit(
        &mut self,
        op: impl Into<Op>,
        operands: &[ir::Value],
        results: &[Type],
        span: Span,
    ) -> SmallVec<[ir::Value; 1]> {
        let site = self.site(span);
        self.ir.emit(op.into(), operands, results, Vec::new(), site)
    }

    /// Appends an instruction with one result.
    pub fn emit_one(
        &mut self,
        op: impl Into<Op>,
        operands: &[ir::Value],
        result: Type,
        span: Span,
    ) -> ir::Value {
        self.emit(op, operands, &[result], span)[0]
    }

    /// Calls a closure or a function with these values.
    pub fn call_value(&mut self, callee: &Value, args: Vec<Value>, span: Span) -> Value {
        let args = args.into_iter().map(|value| Arg { name: None, value, span }).collect();
        self.call(callee, args, span)
    }

    /// Calls a closure or a function with these arguments.
    pub fn call(&mut self, callee: &Value, args: Vec<Arg>, span: Span) -> Value {
        let _ = (callee, args);
        self.unsupported("this call", span)
    }

    /// Where the layout of a value was chosen.
    pub fn layout_origin(&self, value: ir::Value) -> Option<Place> {
        self.ir.layout_origin(value).map(|it| self.site_place(it))
    }

    /// The tensor argument that a pointer points into.
    pub fn tensor_behind(&self, pointer: ir::Value) -> Option<u32> {
        self.ir.tensor_behind(pointer)
    }

    /// The text of a place in the kernel's table.
    pub fn site_place(&self, site: SiteId) -> Place {
        self.ir.sites[site.0 as usize].place.clone()
    }

    /// The name that a message gives to an argument.
    pub fn name_of(&self, value: ir::Value) -> &SmolStr {
        &self.ir.values[value.0 as usize].name
    }

    /// A diagnostic of this code at `span`, without reasons, help and fixes.
    pub fn diagnostic(&self, code: Code, message: String, span: Span) -> Diagnostic {
        Diagnostic::new(code, message, self.place(span))
    }
}

impl From<TileOp> for Op {
    fn from(op: TileOp) -> Op {
        Op::Tile(op)
    }
}

impl From<MemoryOp> for Op {
    fn from(op: MemoryOp) -> Op {
        Op::Memory(op)
    }
}

impl From<FlowOp> for Op {
    fn from(op: FlowOp) -> Op {
        Op::Flow(op)
    }
}
