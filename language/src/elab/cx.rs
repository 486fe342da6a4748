//! What the rules of operations ask of the elaborator: emit, report, place, call.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;
use smol_str::SmolStr;
use tile_layout::Machine;
use tile_syntax::ast::{Block, Pattern, Span};

use super::builder::Builder;
use super::env::{Local, Slot, Write};
use super::host::{HostError, HostOps};
use super::loops::Carried;
use super::observe::Observer;
use super::permits::{Permit, PermitId};
use super::rules;
use super::value::{Arg, Value};
use crate::db::{Db, SourceFile};
use crate::diagnostic::{Code, Diagnostic, Reason};
use crate::ir::{self, ItemKey, Place, Site, SiteId, Type};
use crate::names::TypeRef;
use crate::op::{CopyOp, FlowOp, MemoryOp, MmaOp, Op, SharedOp, SyncOp, TileOp};
use crate::report;
use crate::target::{Cap, TARGETS, Target, TargetId};

/// How the evaluator treats what is not known at compile time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Run-time scalars become IR; loops become regions.
    Kernel,
    /// Everything must be known: brackets, constants, shapes, layouts, static conditions.
    Const,
    /// Host code: as at compile time, with whole tensors.
    Host,
}

/// One run of the elaborator.
pub struct Elab<'a> {
    pub(super) db: &'a dyn Db,
    pub(super) target: TargetId,
    pub(super) machine: Machine,
    pub(super) mode: Mode,
    pub(in crate::elab) ir: Builder,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) frames: Vec<Frame>,
    pub(super) slots: Vec<Slot>,
    pub(super) journal: Vec<Write>,
    /// Constants of files, each evaluated once; `None` while that is going on.
    pub(super) constants: FxHashMap<ItemKey, Option<Value>>,
    /// Which slots a loop carried, by where it stands: the first guess when it is run again.
    pub(super) carried: FxHashMap<SiteId, Vec<Carried>>,
    /// Where the roles of the kernel may stand.
    pub(super) roles_at: Option<Span>,
    /// Whether the code of a role is being run.
    pub(super) in_role: bool,
    /// The `elect` whose block is being run.
    pub(super) in_elect: Option<Place>,
    /// Named barriers that were declared.
    pub(super) n_named_barriers: u32,
    /// Blocks of a cluster along the axes of the grid; none if the kernel has no clusters.
    pub(super) cluster: Vec<u32>,
    /// What the copy engine is told of tensors; the number of a parameter in it is still the tensor's.
    pub(super) maps: Vec<(tile_plan::TensorMap, ir::Value)>,
    /// Where the kernel's head ends.
    pub(super) clauses: Option<ir::Clauses>,
    /// How many roles arrive at mbarriers, where the program says it.
    pub(super) arrivals: FxHashMap<ir::Value, u32>,
    /// Lists of mbarriers whose stages pass between all blocks of the cluster.
    pub(super) across: FxHashSet<ir::Value>,
    /// Every permit that was taken.
    pub(super) permits: Vec<Permit>,
    /// The permit whose stage a view is of.
    pub(super) permit_behind: FxHashMap<ir::Value, PermitId>,
    pub(super) steps: u64,
    pub(super) steps_max: u64,
    pub(super) host: Option<&'a mut dyn HostOps>,
    /// A failure of host code that ends the test.
    pub(super) failure: Option<Box<HostFailure>>,
    /// What was seen of expressions, if anybody asked.
    pub(super) observer: Option<Box<Observer>>,
}

/// What ended a test.
#[derive(Clone, PartialEq, Debug)]
pub struct HostFailure {
    /// Why.
    pub error: HostError,
    /// The expression of the host code.
    pub place: Place,
}

/// A function that is being run.
#[derive(Debug)]
pub(super) struct Frame {
    /// The item that its spans are relative to.
    pub(super) item: ItemKey,
    /// The file whose names it sees.
    pub(super) file: SourceFile,
    /// The call that it was entered through.
    pub(super) caller: Option<SiteId>,
    /// Names, innermost last.
    pub(super) locals: Vec<Local>,
    /// The type whose `impl` it stands in, with its compile-time arguments.
    pub(super) this: Option<(TypeRef, Arc<[Value]>)>,
    /// Whether it is the `init` of that type, where a constructor call makes the bare struct.
    pub(super) is_init: bool,
    /// What a `return` gave; statements stop as long as it is there.
    pub(super) returned: Option<Value>,
    /// How many regions were open where a `return` may stand.
    pub(super) return_depth: usize,
    /// How many slots there were when it was entered.
    pub(super) first_slot: usize,
    /// The loop that a `yield` runs, in the frame below.
    pub(super) yields_to: Option<Arc<LoopBody>>,
}

/// What a `yield` runs.
#[derive(Debug)]
pub(super) struct LoopBody {
    pub(super) patterns: Vec<Pattern>,
    pub(super) body: Block,
    /// What stands between the loop's head and its body.
    pub(super) notes: super::loops::Notes,
}

/// Steps that an instruction counts for: it is kept, and every later pass walks over it.
const STEPS_INST: u64 = 16;

/// Steps that one instance may take at compile time.
const STEPS_MAX: u64 = 1_000_000;

/// Steps between two looks at whether anybody still wants the result.
const STEPS_UNHEARD: u64 = 64;

impl<'a> Elab<'a> {
    /// An elaborator that has done nothing yet.
    pub(super) fn new(
        db: &'a dyn Db,
        target: TargetId,
        host: Option<&'a mut dyn HostOps>,
    ) -> Elab<'a> {
        Elab {
            db,
            target,
            machine: Machine { lanes: target.row().lanes, warps: 1 },
            mode: Mode::Const,
            ir: Builder::default(),
            diagnostics: Vec::new(),
            frames: Vec::new(),
            slots: Vec::new(),
            journal: Vec::new(),
            constants: FxHashMap::default(),
            carried: FxHashMap::default(),
            roles_at: None,
            in_role: false,
            in_elect: None,
            n_named_barriers: 0,
            cluster: Vec::new(),
            maps: Vec::new(),
            clauses: None,
            arrivals: FxHashMap::default(),
            across: FxHashSet::default(),
            permits: Vec::new(),
            permit_behind: FxHashMap::default(),
            steps: 0,
            steps_max: STEPS_MAX,
            host,
            failure: None,
            observer: None,
        }
    }
}

impl Elab<'_> {
    /// Counts a step; `false`, reported once, when there were too many.
    pub(super) fn step(&mut self, span: Span) -> bool {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_UNHEARD) {
            self.db.unwind_if_revision_cancelled();
        }
        if self.steps <= self.steps_max {
            return true;
        }
        if self.steps == self.steps_max + 1 {
            let most = self.steps_max;
            self.report(report::comptime::too_long(self.place(span), most));
        }
        false
    }

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
        if self.target().has(cap) {
            return;
        }
        let having: Vec<&str> = TARGETS.iter().filter(|it| it.has(cap)).map(|it| it.name).collect();
        let target = self.target().name;
        self.report(report::types::lacks(self.place(span), what, cap.name(), target, &having));
    }

    /// Reports a mistake; the result absorbs whatever is done to it.
    pub fn error(&mut self, diagnostic: Diagnostic) -> Value {
        self.report(diagnostic);
        Value::Error
    }

    /// How a value reads in a message.
    pub fn describe(&self, value: &Value) -> String {
        rules::describe(self, value)
    }

    pub(super) fn frame(&self) -> &Frame {
        self.frames.last().expect("code is run in a frame")
    }

    pub(super) fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("code is run in a frame")
    }

    /// The place of a span of the item at hand.
    pub fn place(&self, span: Span) -> Place {
        Place { item: self.frame().item.clone(), span }
    }

    /// Where the function that is being evaluated was called.
    pub fn call_place(&self) -> Option<Place> {
        self.frames.last()?.caller.map(|it| self.site_place(it))
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
            let (at, call) = (&diagnostic.place, &site.place);
            // A mistake of the caller stands inside the call already.
            let inside =
                at.item == call.item && call.span.lo <= at.span.lo && at.span.hi <= call.span.hi;
            if !inside {
                let message = report::names::CALLED_HERE.to_owned();
                diagnostic.reasons.push(Reason { place: call.clone(), message });
            }
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
        // The limit is reported by the next step of the evaluator.
        self.steps = (self.steps + STEPS_INST).min(self.steps_max.max(self.steps));
        let (op, site) = (op.into(), self.site(span));
        self.check_elected(&op, operands, results, span);
        let found = self.ir.emit(op.clone(), operands, results, Vec::new(), site);
        self.use_permits(&op, operands, &found, span);
        found
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

    /// The number of a new named barrier.
    pub fn new_named_barrier(&mut self) -> u32 {
        self.n_named_barriers += 1;
        self.n_named_barriers - 1
    }

    /// Says how many roles arrive at mbarriers.
    pub fn set_arrivals(&mut self, of: ir::Value, n: u32) {
        self.arrivals.insert(of, n);
    }

    /// Calls a closure or a function with these values.
    pub fn call_value(&mut self, callee: &Value, args: Vec<Value>, span: Span) -> Value {
        let args = args.into_iter().map(|value| Arg { name: None, value, span }).collect();
        self.call(callee, args, span)
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

    /// The parameter of the kernel that is a tensor map.
    pub(super) fn tensor_map(&mut self, map: &tile_plan::TensorMap) -> ir::Value {
        if let Some((_, known)) = self.maps.iter().find(|it| it.0 == *map) {
            return *known;
        }
        let value = self.ir.value(Type::single(ir::Elem::Map));
        let name = self.tensor(map.param).name.clone();
        self.ir.name(value, &name);
        self.maps.push((map.clone(), value));
        value
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

impl From<MmaOp> for Op {
    fn from(op: MmaOp) -> Op {
        Op::Mma(op)
    }
}

impl From<FlowOp> for Op {
    fn from(op: FlowOp) -> Op {
        Op::Flow(op)
    }
}

impl From<SharedOp> for Op {
    fn from(op: SharedOp) -> Op {
        Op::Shared(op)
    }
}

impl From<CopyOp> for Op {
    fn from(op: CopyOp) -> Op {
        Op::Copy(op)
    }
}

impl From<SyncOp> for Op {
    fn from(op: SyncOp) -> Op {
        Op::Sync(op)
    }
}
