//! What instructions do with shared memory: which buffer, which part of it, reading or writing.
//!
//! # Idea
//! A view is a chain of indices, slices and recasts from its buffer on (rule V10), so the part of the
//! buffer that it covers is a range of every dimension, up to a recast or an overlay; there new dimensions begin,
//! and what was said of the old ones stays true. Parts are told apart dimension by dimension, by
//! numbers with one origin ([`super::number`]).

use rustc_hash::FxHashMap;
use smallvec::{SmallVec, smallvec};
use tile_layout::MemoryMap;

use super::number::{Number, Numbers};
use crate::ir::{Inst, Kernel, SiteId, Value};
use crate::op::{CopyOp, MmaOp, Op, SharedOp, SyncOp};
use crate::protocol::Event;

/// What is known of scalars, and what makes views.
pub(crate) trait Scalars {
    /// What defines a value; `None` for parameters.
    fn definition(&self, value: Value) -> Option<&Inst>;

    /// The number that a scalar is.
    fn of_value(&self, value: Value) -> Number;
}

impl Scalars for Numbers<'_> {
    fn definition(&self, value: Value) -> Option<&Inst> {
        Numbers::definition(self, value)
    }

    fn of_value(&self, value: Value) -> Number {
        Numbers::of_value(self, value)
    }
}

/// What makes each value.
pub(crate) type Definitions<'a> = FxHashMap<Value, &'a Inst>;

/// What makes the values of a kernel.
pub(crate) fn definitions(kernel: &Kernel) -> Definitions<'_> {
    let mut found = FxHashMap::default();
    kernel.body.walk(&mut |inst| found.extend(inst.results.iter().map(|&it| (it, inst))));
    found
}

/// The scalars of one event of a run: all are numbers.
pub(crate) struct Now<'e, 'a> {
    /// The event.
    pub(crate) event: &'e Event<'a>,
    /// What makes the views that it is about.
    pub(crate) definitions: &'e Definitions<'e>,
}

impl Scalars for Now<'_, '_> {
    fn definition(&self, value: Value) -> Option<&Inst> {
        self.definitions.get(&value).copied()
    }

    fn of_value(&self, value: Value) -> Number {
        Number::constant(self.event.scalar(value))
    }
}

/// What is done with a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// It is read.
    Read,
    /// It is written.
    Write,
    /// It is changed in one step, which others may do at the same time.
    Atomic,
    /// A copy writes it, beside the program.
    Copy,
    /// A copy reads it, beside the program.
    CopyOut,
    /// A copy that writes it is waited for.
    Wait,
    /// A product reads it, beside the program.
    Multiply,
}

impl Verb {
    /// What the access is called.
    pub fn name(self) -> &'static str {
        match self {
            Verb::Read => "read",
            Verb::Write => "write",
            Verb::Atomic => "atomic",
            Verb::Copy => "copy",
            Verb::CopyOut => "copy out",
            Verb::Wait => "wait",
            Verb::Multiply => "product",
        }
    }

    /// Whether it changes the place.
    pub(super) fn changes(self) -> bool {
        match self {
            Verb::Write | Verb::Atomic | Verb::Copy => true,
            Verb::Read | Verb::CopyOut | Verb::Wait | Verb::Multiply => false,
        }
    }

    fn conflicts(self, other: Verb) -> bool {
        let reads = |it| matches!(it, Verb::Read | Verb::CopyOut | Verb::Wait | Verb::Multiply);
        !(reads(self) && reads(other) || self == Verb::Atomic && other == Verb::Atomic)
    }
}

/// An access to shared memory.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Touch {
    /// The `shared.alloc` or `copy.fetch` that made the buffer.
    pub(crate) buffer: Value,
    pub(crate) part: Part,
    pub(crate) verb: Verb,
    pub(crate) site: SiteId,
}

impl Touch {
    /// What an instruction itself does, without its regions; a product may read two places.
    pub(crate) fn of(
        inst: &Inst,
        scalars: &dyn Scalars,
        map_of: MapOf<'_>,
    ) -> SmallVec<[Touch; 2]> {
        let (views, verb): (&[Value], Verb) = match &inst.op {
            Op::Shared(SharedOp::Load | SharedOp::Gather { .. }) => {
                (&inst.operands[..1], Verb::Read)
            }
            Op::Shared(SharedOp::Store | SharedOp::Scatter { .. }) => {
                (&inst.operands[..1], Verb::Write)
            }
            Op::Shared(SharedOp::Atomic { .. }) => (&inst.operands[..1], Verb::Atomic),
            Op::Copy(CopyOp::Async) => (&inst.operands[..1], Verb::Copy),
            Op::Copy(CopyOp::Fetch { .. }) => (&inst.results[..1], Verb::Write),
            Op::Mma(MmaOp::Wgmma { .. }) => {
                // The left factor may be in registers.
                let in_registers =
                    scalars.definition(inst.operands[0]).is_none_or(|it| !is_viewing(it));
                (&inst.operands[usize::from(in_registers)..2], Verb::Multiply)
            }
            Op::Copy(CopyOp::Box { .. }) => (&inst.operands[1..2], Verb::Copy),
            Op::Copy(CopyOp::BoxOut { .. }) => (&inst.operands[1..2], Verb::CopyOut),
            Op::Copy(CopyOp::Land) => (&inst.operands[..1], Verb::Wait),
            Op::Shared(
                SharedOp::Alloc { .. }
                | SharedOp::Index { .. }
                | SharedOp::Slice { .. }
                | SharedOp::Recast
                | SharedOp::Overlay
                | SharedOp::On,
            )
            | Op::Copy(
                CopyOp::Commit
                | CopyOp::Hold
                | CopyOp::Signal { .. }
                | CopyOp::Wait { .. }
                | CopyOp::Prefetch { .. }
                | CopyOp::WaitOut { .. },
            )
            | Op::Flow(_)
            | Op::Tile(_)
            | Op::Memory(_)
            | Op::Mma(MmaOp::Mma { .. } | MmaOp::Wait { .. })
            | Op::Sync(_) => return SmallVec::new(),
        };
        let touch = |&view: &Value| {
            let (buffer, part) = Part::of_view(view, scalars, map_of);
            Touch { buffer, part, verb, site: inst.site }
        };
        views.iter().map(touch).collect()
    }

    /// What somebody may do with a view that an instruction gives away.
    pub(super) fn written(
        view: Value,
        inst: &Inst,
        scalars: &dyn Scalars,
        map_of: MapOf<'_>,
    ) -> Touch {
        let (buffer, part) = Part::of_view(view, scalars, map_of);
        Touch { buffer, part, verb: Verb::Write, site: inst.site }
    }

    /// Whether both are the same access as far as conflicts go.
    pub(super) fn is_like(&self, other: &Touch) -> bool {
        self.buffer == other.buffer && self.verb == other.verb && self.part == other.part
    }

    /// Whether their order matters if they share an element.
    pub(crate) fn conflicts(&self, other: &Touch) -> bool {
        self.verb.conflicts(other.verb)
    }

    /// With every number as `f` says that it reads elsewhere, in any number of ways. A constant that is not one stage but the
    /// first of several indices stays what it is.
    pub(super) fn seen(&self, f: &impl Fn(Number) -> Vec<Number>) -> Touch {
        let mut touch = self.clone();
        for piece in &mut touch.part.0 {
            for (span, dim) in piece.ranges.iter_mut().zip(piece.map.dims()) {
                let is_constant = 1 < span.len && span.start.iter().any(|it| it.known().is_some());
                if span.len != dim.extent && !is_constant {
                    span.start = span.start.iter().flat_map(|it| f(*it)).collect();
                }
            }
        }
        touch
    }
}

/// Whether an instruction makes a view.
fn is_viewing(inst: &Inst) -> bool {
    matches!(
        inst.op,
        Op::Shared(
            SharedOp::Alloc { .. }
                | SharedOp::Index { .. }
                | SharedOp::Slice { .. }
                | SharedOp::Recast
                | SharedOp::Overlay
                | SharedOp::On
        ) | Op::Copy(CopyOp::Fetch { .. })
            | Op::Sync(SyncOp::Permit)
    )
}

/// The map of a view.
pub(crate) type MapOf<'a> = &'a dyn Fn(Value) -> MemoryMap;

/// A part of a buffer: what each recast on the way left of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Part(Vec<Piece>);

#[derive(Clone, PartialEq, Debug)]
struct Piece {
    map: MemoryMap,
    ranges: Vec<Span>,
}

/// Indices of one dimension.
#[derive(Clone, PartialEq, Debug)]
struct Span {
    /// Numbers that the first of them is, all equal; none if it could be any.
    start: SmallVec<[Number; 1]>,
    len: u32,
}

impl Part {
    /// The buffer that a view is of, and the part.
    fn of_view(view: Value, scalars: &dyn Scalars, map_of: MapOf<'_>) -> (Value, Part) {
        let mut chain = Vec::new();
        let mut buffer = view;
        let buffer = loop {
            let inst = scalars.definition(buffer).expect("V10: views are made by instructions");
            match &inst.op {
                Op::Shared(
                    SharedOp::Index { .. }
                    | SharedOp::Slice { .. }
                    | SharedOp::Recast
                    | SharedOp::Overlay,
                ) => chain.push(inst),
                // The same part, of another block.
                Op::Shared(SharedOp::On) => {}
                _ => break buffer,
            }
            buffer = inst.operands[0];
        };
        let mut pieces = vec![Piece::whole(map_of(buffer))];
        let mut open = pieces[0].dims();
        for inst in chain.into_iter().rev() {
            let piece = pieces.last_mut().expect("the whole is a piece");
            match &inst.op {
                Op::Shared(SharedOp::Index { axis }) => {
                    let axis = open.remove(*axis as usize);
                    piece.ranges[axis].narrow(scalars.of_value(inst.operands[1]), 1);
                }
                Op::Shared(SharedOp::Slice { axis }) => {
                    let len = map_of(inst.results[0]).dims()[*axis as usize].extent;
                    let start = scalars.of_value(inst.operands[1]);
                    piece.ranges[open[*axis as usize]].narrow(start, len);
                }
                _ => {
                    pieces.push(Piece::whole(map_of(inst.results[0])));
                    open = pieces[pieces.len() - 1].dims();
                }
            }
        }
        (buffer, Part(pieces))
    }

    /// Whether the two surely have no element in common; both are of one buffer.
    pub(crate) fn is_apart(&self, other: &Part) -> bool {
        for (a, b) in self.0.iter().zip(&other.0) {
            if a.map != b.map {
                return false;
            }
            if a.ranges.iter().zip(&b.ranges).any(|(a, b)| a.is_apart(b)) {
                return true;
            }
            // Dimensions of a recast mean the same only in the same place.
            if a != b || a.ranges.iter().any(|it| it.start.is_empty()) {
                return false;
            }
        }
        false
    }
}

impl Piece {
    fn whole(map: MemoryMap) -> Piece {
        let whole = |len| Span { start: smallvec![Number::constant(0)], len };
        let ranges = map.dims().iter().map(|it| whole(it.extent)).collect();
        Piece { map, ranges }
    }

    fn dims(&self) -> Vec<usize> {
        (0..self.ranges.len()).collect()
    }
}

impl Span {
    fn narrow(&mut self, start: Number, len: u32) {
        self.start = self.start.iter().filter_map(|it| it.plus(start)).collect();
        self.len = len;
    }

    fn is_apart(&self, other: &Span) -> bool {
        let apart = |a: &Number| other.start.iter().any(|b| a.is_apart(self.len, *b, other.len));
        self.start.iter().any(apart)
    }
}
