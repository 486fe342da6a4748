//! The `shared` and `copy` families: buffers, views, and copies that land when they are waited for.
//!
//! # Definition
//! A buffer holds nothing each time its `shared.alloc` runs. A copy in flight reads
//! global memory when it starts and writes shared memory when its group lands, at the last moment
//! at which a `copy.wait` lets it; until then its elements may not be touched, so that a wait which
//! is missing is found whenever it could matter. Copies that nobody waits for never land.
//!
//! Views are never carried by loops nor yielded by branches (V10), so they are kept beside the
//! tiles, by value.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::buffers::{Flight, Flights, Refusal, Runs, View};
use super::elements::Elements;
use super::shape::Axis;
use super::sync::{Mbarriers, Meetings};
use super::{Block, Fault, memory};
use crate::ir::{Elem, Inst, SiteId, Type, Value};
use crate::op::{CopyOp, Op, SharedOp};
use crate::report::runtime as wording;

/// Shared memory of a block that runs.
pub(super) struct Shared {
    /// By value: the views.
    views: Vec<Option<View>>,
    pub(super) flights: Flights,
    pub(super) mbarriers: Mbarriers,
    pub(super) meetings: Meetings,
    /// Copies that land when a wait for their barrier goes on.
    pub(super) landing: FxHashMap<(Value, u32), Vec<Flight>>,
}

impl Shared {
    pub(super) fn new(n_values: usize) -> Shared {
        Shared {
            views: vec![None; n_values],
            flights: Flights::default(),
            mbarriers: Mbarriers::default(),
            meetings: Meetings::default(),
            landing: FxHashMap::default(),
        }
    }
}

/// What is wrong with a use of shared memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Misuse {
    /// An index that a view does not have; in a tile of indices the one at `at`.
    Index { axis: u32, index: i64, extent: u32, at: Vec<u32> },
    /// A slice that begins where none can.
    Start { axis: u32, start: i64, extent: u32, len: u32, unit: u32 },
    /// An element that nothing has written.
    Unwritten { element: String },
    /// An element that several of a tile, with different values, are written to.
    Twice { element: String, from: [usize; 2] },
    /// An element that a copy in flight will write; one that the role itself started, or that a barrier waits for,
    /// starts at `copy`.
    InFlight { element: String, copy: Option<SiteId> },
    /// An element that a product or a box in flight reads.
    BeingRead { element: String },
}

impl<'a> Block<'_, 'a> {
    pub(super) fn shared(&mut self, op: &SharedOp, inst: &'a Inst) -> Result<(), Fault> {
        match *op {
            SharedOp::Alloc { .. } => {
                self.begin(inst);
                Ok(())
            }
            SharedOp::Index { axis } => self.take(inst, axis, Self::check_index),
            SharedOp::Slice { axis } => self.take(inst, axis, Self::check_start),
            SharedOp::Recast => {
                let (from, to) = (self.ty(inst.operands[0]).elem, self.ty(inst.results[0]).elem);
                let view = self.view(inst.operands[0]).rescaled(from, to);
                self.set_view(inst.results[0], view);
                Ok(())
            }
            SharedOp::Overlay => {
                let view = self.view(inst.operands[0]).named(inst.results[0]);
                self.set_view(inst.results[0], view);
                Ok(())
            }
            SharedOp::On => self.neighbour(inst),
            SharedOp::Load => {
                let data = self.read_view(inst.operands[0])?;
                self.bind(&inst.results, vec![Rc::new(data)]);
                Ok(())
            }
            SharedOp::Store => {
                let (view, runs) = self.place(inst.operands[0]);
                let stored = runs.store(&view, self.operand(inst, 1));
                stored.map_err(|it| self.refused(&view, &runs, it))
            }
            SharedOp::Gather { axis } => {
                let data =
                    self.by_index(inst, axis, 2, |runs, view, at, _| runs.load_one(view, at))?;
                self.bind(&inst.results, vec![Rc::new(data)]);
                Ok(())
            }
            SharedOp::Scatter { axis } => {
                let values = self.share(inst.operands[2]);
                // The element that a place was written from.
                let mut writers: FxHashMap<usize, usize> = FxHashMap::default();
                self.by_index(inst, axis, 3, |runs, view, at, number| {
                    let first = *writers.entry(at).or_insert(number);
                    if values.bits(first) != values.bits(number) {
                        return Err(Refusal::Twice { at, from: [first, number] });
                    }
                    runs.store_one(view, at, values.bits(number)).map(|()| 0)
                })?;
                Ok(())
            }
            SharedOp::Atomic { op, axis } => {
                let values = self.share(inst.operands[2]);
                let dtype = self.ty(inst.results[0]).elem.data().expect("V3: atomics give numbers");
                let data = self.by_index(inst, axis, 3, |runs, view, at, number| {
                    let before = runs.load_one(view, at)?;
                    let after = memory::applied(op, dtype, before, values.bits(number));
                    runs.store_one(view, at, after).map(|()| before)
                })?;
                self.bind(&inst.results, vec![Rc::new(data)]);
                Ok(())
            }
        }
    }

    pub(super) fn copy(&mut self, op: &CopyOp, inst: &'a Inst) -> Result<(), Fault> {
        match op {
            CopyOp::Async => {
                let ([view, pointer], rest) = inst.operands.split_at(2) else {
                    panic!("V3: a copy has a view and pointers");
                };
                let (conditions, masks): (Vec<Value>, Vec<Value>) =
                    rest.iter().partition(|&&it| self.ty(it).is_scalar());
                if conditions.iter().any(|&it| !self.get(it).bools()[0]) {
                    return Ok(());
                }
                let values = self.copied(*pointer, masks.first().copied())?;
                let (view, runs) = self.place(*view);
                let started = self.own.shared.flights.start(
                    view.clone(),
                    Rc::clone(&runs),
                    values,
                    inst.site,
                );
                started.map_err(|it| self.refused(&view, &runs, it))
            }
            CopyOp::Commit => {
                self.own.shared.flights.commit();
                Ok(())
            }
            CopyOp::Hold => {
                self.hand_flights(inst.operands[0]);
                Ok(())
            }
            CopyOp::Signal { bytes } => {
                self.hand_flights(inst.operands[0]);
                self.arrive(inst.operands[0], inst.site, 0, -i64::from(*bytes));
                Ok(())
            }
            CopyOp::Wait { in_flight } => {
                self.own.shared.flights.wait(*in_flight as usize);
                Ok(())
            }
            CopyOp::Box { multicast, .. } => self.box_in(*multicast, inst),
            CopyOp::BoxOut { reduce, .. } => self.box_out(inst, *reduce),
            // There is no cache.
            CopyOp::Prefetch { .. } => Ok(()),
            CopyOp::WaitOut { in_flight, .. } => {
                let boxes = &mut self.own.shared.flights.boxes_out;
                boxes.drain(..boxes.len().saturating_sub(*in_flight as usize));
                Ok(())
            }
            CopyOp::Land => unreachable!("the pass `waits` leaves no `copy.land`"),
            CopyOp::Fetch { .. } => {
                self.begin(inst);
                let values = self.copied(inst.operands[0], inst.operands.get(1).copied())?;
                let (view, runs) = self.place(inst.results[0]);
                runs.store(&view, &values).map_err(|it| self.refused(&view, &runs, it))
            }
        }
    }

    /// What a copy reads: the elements behind pointers, 0 where the mask is false.
    fn copied(&self, pointer: Value, mask: Option<Value>) -> Result<Elements, Fault> {
        let Elem::Pointer(dtype) = self.ty(pointer).elem else {
            panic!("V3: a copy reads through pointers");
        };
        let mask = mask.map(|it| self.get(it).bools());
        self.machine.memory.load(dtype, self.get(pointer).places(), mask, None)
    }

    /// The buffer of an allocation begins.
    pub(super) fn begin(&mut self, inst: &Inst) {
        let value = inst.results[0];
        let view = match &self.own.shared.views[value.0 as usize] {
            // Others may have reached it already.
            Some(_) if self.machine.neighbours.reach(value) => return,
            Some(before) => before.begin_again(),
            None => View::of_new(value, self.ty(value), self.rank),
        };
        self.set_view(value, view);
    }

    /// The view of the same place in another block of the cluster.
    fn neighbour(&mut self, inst: &Inst) -> Result<(), Fault> {
        let wanted = self.operand(inst, 1).index(0);
        let rank = usize::try_from(wanted).ok().filter(|&it| it < self.others.len());
        let rank = rank.ok_or(Fault::Rank(wanted))?;
        let view = self.view(inst.operands[0]).clone();
        let view = self.view_on(&view, rank);
        self.set_view(inst.results[0], view);
        Ok(())
    }

    /// The same place in a block of the cluster, which need not have come to the allocation.
    pub(super) fn view_on(&mut self, view: &View, rank: usize) -> View {
        let ty = self.ty(view.whole);
        let theirs = &mut self.block_mut(rank).shared.views[view.whole.0 as usize];
        let whole = theirs.get_or_insert_with(|| View::of_new(view.whole, ty, rank));
        view.on(whole)
    }

    /// An index or a slice: the view whose place is further on by what `check` accepts.
    fn take(
        &mut self,
        inst: &Inst,
        axis: u32,
        check: impl Fn(&Type, &Type, u32, i64) -> Result<u32, Misuse>,
    ) -> Result<(), Fault> {
        let (from, to) = (self.ty(inst.operands[0]), self.ty(inst.results[0]));
        let wanted = self.operand(inst, 1).index(0);
        let at = check(from, to, axis, wanted).map_err(Fault::Shared)?;
        let more = from.map().contribution(axis as usize, at);
        let view = self.view(inst.operands[0]).at(more);
        self.set_view(inst.results[0], view);
        Ok(())
    }

    fn check_index(from: &Type, _: &Type, axis: u32, index: i64) -> Result<u32, Misuse> {
        let extent = from.shape[axis as usize];
        let inside = u32::try_from(index).ok().filter(|it| *it < extent);
        inside.ok_or_else(|| Misuse::Index { axis, index, extent, at: vec![] })
    }

    fn check_start(from: &Type, to: &Type, axis: u32, start: i64) -> Result<u32, Misuse> {
        let (extent, len) = (from.shape[axis as usize], to.shape[axis as usize]);
        let unit = from.map().slice_unit(axis as usize, len);
        let possible = |it: &u32| it.is_multiple_of(unit) && *it <= extent - len;
        let start_or_none = u32::try_from(start).ok().filter(possible);
        start_or_none.ok_or(Misuse::Start { axis, start, extent, len, unit })
    }

    /// For each element of the indices: what `change` gives for the element of the view that is picked
    /// along `axis`, given also the element's number; 0 where the mask, which is operand `n_mask`, is false.
    fn by_index(
        &mut self,
        inst: &Inst,
        axis: u32,
        n_mask: usize,
        mut change: impl FnMut(&Runs, &View, usize, usize) -> Result<u64, Refusal>,
    ) -> Result<Elements, Fault> {
        let (view, runs) = self.place(inst.operands[0]);
        let Elem::Shared(dtype) = self.ty(inst.operands[0]).elem else {
            panic!("V2: a view is of shared memory");
        };
        let from = Axis::of(&self.ty(inst.operands[0]).shape, axis);
        let of_index = Axis::of(&self.ty(inst.operands[1]).shape, axis);
        let indices = self.operand(inst, 1);
        let mask = inst.operands.get(n_mask).map(|&it| self.get(it).bools());
        let mut res = Elements::with_capacity(Elem::Data(dtype), indices.len());
        for number in 0..indices.len() {
            if mask.is_some_and(|it| !it[number]) {
                res.push(0);
                continue;
            }
            let index = indices.index(number);
            let Some(at) = from.picked(of_index, number, index) else {
                let at = super::index_in(&self.ty(inst.operands[1]).shape, number);
                let extent = from.extent as u32;
                return Err(Fault::Shared(Misuse::Index { axis, index, extent, at }));
            };
            let found = change(&runs, &view, at, number);
            res.push(found.map_err(|it| self.refused(&view, &runs, it))?);
        }
        Ok(res)
    }

    pub(super) fn ty(&self, value: Value) -> &'a Type {
        self.machine.kernel.ty(value)
    }

    pub(super) fn view(&self, value: Value) -> &View {
        self.own.shared.views[value.0 as usize]
            .as_ref()
            .expect("V1: a value is defined before its uses")
    }

    fn set_view(&mut self, value: Value, view: View) {
        self.own.shared.views[value.0 as usize] = Some(view);
    }

    /// What a view holds.
    pub(super) fn read_view(&mut self, value: Value) -> Result<Elements, Fault> {
        let (view, runs) = self.place(value);
        runs.load(&view).map_err(|it| self.refused(&view, &runs, it))
    }

    /// A view and where its elements lie.
    pub(super) fn place(&mut self, value: Value) -> (View, Rc<Runs>) {
        let ty = self.ty(value);
        let runs = self.machine.runs[value.0 as usize].get_or_insert_with(|| Rc::new(Runs::of(ty)));
        let runs = Rc::clone(runs);
        (self.view(value).clone(), runs)
    }

    pub(super) fn refused(&self, view: &View, runs: &Runs, refusal: Refusal) -> Fault {
        let (Refusal::Unwritten(at)
        | Refusal::InFlight(at)
        | Refusal::BeingRead(at)
        | Refusal::Twice { at, .. }) = refusal;
        let byte = runs.first_byte(view, at);
        let element = self.element_name(view.whole, byte);
        Fault::Shared(match refusal {
            Refusal::Unwritten(_) => Misuse::Unwritten { element },
            Refusal::Twice { from, .. } => Misuse::Twice { element, from },
            Refusal::InFlight(_) => {
                let shared =
                    self.others[view.rank].as_ref().map_or(&self.own.shared, |it| &it.shared);
                let handed = shared.landing.values().flatten();
                let copy = self.own.shared.flights.writer(handed, &view.buffer, byte);
                Misuse::InFlight { element, copy }
            }
            Refusal::BeingRead(_) => Misuse::BeingRead { element },
        })
    }

    /// The element of a buffer, as it was declared, that has this byte: `[2, 0, 5] of `s``.
    fn element_name(&self, whole: Value, byte: usize) -> String {
        let ty = self.ty(whole);
        let bits = ty.elem.bits() as usize;
        let has_byte = |index: &[u32]| {
            let offset = ty.map().offset_of(index) as usize;
            (offset * bits / 8..((offset + 1) * bits).div_ceil(8)).contains(&byte)
        };
        let index = (0..ty.len()).map(|it| super::index_in(&ty.shape, it)).find(|it| has_byte(it));
        wording::shared_element(
            &index.unwrap_or_default(),
            &self.machine.kernel.values[whole.0 as usize].name,
        )
    }
}

impl Misuse {
    /// What happened, and the other places that explain it; `index_of` says which element of the tile of
    /// indices a number is.
    pub(super) fn wording(
        &self,
        op: &Op,
        index_of: impl Fn(usize) -> Vec<u32>,
    ) -> (wording::Wording, Vec<(SiteId, String)>) {
        match *self {
            Misuse::Index { axis, index, extent, ref at } => {
                (wording::view_index(index, axis, extent, at), vec![])
            }
            Misuse::Start { axis, start, extent, len, unit } => {
                (wording::view_start(start, len, axis, extent, unit), vec![])
            }
            Misuse::Unwritten { ref element } => (wording::shared_unwritten(element), vec![]),
            Misuse::Twice { ref element, from } => {
                (wording::shared_twice(element, &from.map(index_of)), vec![])
            }
            Misuse::InFlight { ref element, copy } => {
                let found = wording::shared_in_flight(verb(op), element);
                (found, copy.map(|it| (it, wording::shared_copy())).into_iter().collect())
            }
            Misuse::BeingRead { ref element } => {
                (wording::shared_being_read(verb(op), element), vec![])
            }
        }
    }
}

/// What an operation does with an element of shared memory.
fn verb(op: &Op) -> &'static str {
    match op {
        Op::Shared(SharedOp::Store | SharedOp::Scatter { .. } | SharedOp::Atomic { .. }) => {
            "writes"
        }
        Op::Copy(_) => "copies into",
        Op::Shared(_) | Op::Tile(_) | Op::Memory(_) | Op::Sync(_) | Op::Mma(_) | Op::Flow(_) => {
            "reads"
        }
    }
}
