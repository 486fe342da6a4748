//! Permits: rights to use a stage, each of which ends exactly once.
//!
//! # Definition
//! Constructing a permit's type takes the right; it ends at `release()`, at the end of the scope of
//! the name that holds it, or, if no name does, at the end of the statement. The views of its stage may be used
//! until then. A permit is held by one name: it is never in a variable, a struct or a role's capture.
//!
//! # Idea
//! Whether a permit has ended is a state beside the values, since scopes, branches and loops are run in the order
//! of the text. A branch is run from the state before it, and both ways must agree afterwards; a loop must leave
//! what was taken before it as it is.

use std::sync::Arc;

use super::cx::Elab;
use super::env;
use super::value::{StructValue, Value};
use crate::ir::{self, Place, SiteId};
use crate::op::{Op, SharedOp, SyncOp};
use crate::report;
use tile_syntax::ast::Span;

/// A number for each permit that elaboration has taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PermitId(u32);

/// A permit.
#[derive(Clone, Debug)]
pub(super) struct Permit {
    /// The barrier that it was given; the IR's name for it.
    ends: ir::Value,
    taken: SiteId,
    ended: Option<SiteId>,
    /// How many regions were open where it was taken.
    depth: usize,
}

/// Who hears of a copy into a permit's stage.
pub(super) struct Told {
    /// The barrier.
    pub(super) ends: ir::Value,
    /// Where the permit was taken.
    pub(super) taken: Place,
    /// Whether what is done here is done once for each time that the permit is taken.
    pub(super) is_on_every_way: bool,
}

/// Which permits had ended at a point.
#[derive(Clone, Debug)]
pub(super) struct Ended(Vec<Option<SiteId>>);

impl Elab<'_> {
    /// The permit that the fields of its struct make: views become the permit's own.
    pub(super) fn take_permit(&mut self, mut it: StructValue, span: Span) -> Value {
        let mut operands = Vec::new();
        let mut ends = None;
        for field in &it.fields {
            env::leaves(field, &mut |leaf| match leaf {
                Value::View(view) => operands.push(view.value),
                Value::Barriers(barrier) => ends = Some(*barrier),
                _ => {}
            });
        }
        let Some(ends) = ends else { return Value::Error };
        operands.insert(0, ends);
        let types: Vec<ir::Type> = operands.iter().map(|at| self.ty(*at).clone()).collect();
        let results = self.emit(SyncOp::Permit, &operands, &types, span);
        let id = PermitId(self.permits.len() as u32);
        let taken = self.site(span);
        let depth = self.ir.depth();
        self.permits.push(Permit { ends: results[0], taken, ended: None, depth });
        for &result in &results[1..] {
            self.permit_behind.insert(result, id);
        }
        let mut views = results[1..].iter();
        for field in &mut it.fields {
            *field = env::with_leaves_of(field, &mut |leaf| match leaf {
                Value::View(view) => {
                    let value = *views.next().expect("a view for each view");
                    Value::View(super::value::View { value, layout: view.layout.clone() })
                }
                Value::Barriers(_) => Value::Barriers(results[0]),
                other => other.clone(),
            });
        }
        Value::Permit(id, Arc::new(it))
    }

    /// Remembers that a view is of a permit's stage, and reports a use of one that has ended.
    pub(super) fn use_permits(
        &mut self,
        op: &Op,
        operands: &[ir::Value],
        results: &[ir::Value],
        span: Span,
    ) {
        for operand in operands {
            let Some(&id) = self.permit_behind.get(operand) else { continue };
            match op {
                Op::Shared(
                    SharedOp::Index { .. }
                    | SharedOp::Slice { .. }
                    | SharedOp::Recast
                    | SharedOp::On,
                ) => {
                    self.permit_behind.extend(results.iter().map(|it| (*it, id)));
                }
                _ => self.check_held(id, span),
            }
        }
    }

    /// Who hears of a copy into a view, if that is of a permit's stage.
    pub(super) fn told_by(&self, view: ir::Value) -> Option<Told> {
        let permit = &self.permits[self.permit_behind.get(&view)?.0 as usize];
        let mut taken = permit.taken;
        while let Some(caller) = self.ir.sites[taken.0 as usize].caller {
            taken = caller;
        }
        let taken = self.site_place(taken);
        let is_on_every_way = permit.depth == self.ir.depth();
        Some(Told { ends: permit.ends, taken, is_on_every_way })
    }

    /// Reports a use of a permit after its end.
    pub(super) fn check_held(&mut self, id: PermitId, span: Span) {
        let permit = &self.permits[id.0 as usize];
        if let Some(end) = permit.ended {
            let (taken, end) = (self.site_place(permit.taken), self.site_place(end));
            self.report(report::sync::permit_ended(self.place(span), taken, end));
        }
    }

    /// Ends a permit here.
    pub(super) fn end_permit(&mut self, id: PermitId, site: SiteId) {
        let permit = &mut self.permits[id.0 as usize];
        permit.ended = Some(site);
        let ends = permit.ends;
        self.ir.emit(SyncOp::End.into(), &[ends], &[], Vec::new(), site);
    }

    /// Ends the permits that names from a slot on hold, but those that `kept` holds.
    pub(super) fn end_held(&mut self, first_slot: usize, kept: &Value) {
        if self.permits.is_empty() {
            return;
        }
        let kept = permits_in(kept);
        let held: Vec<PermitId> =
            self.slots.iter().skip(first_slot).flat_map(|it| permits_in(&it.value)).collect();
        for id in held {
            self.end_unless(id, &kept);
        }
    }

    /// Where a permit was taken that has not ended.
    pub(super) fn held_permit(&self) -> Option<Place> {
        let held = self.permits.iter().find(|it| it.ended.is_none())?;
        Some(self.site_place(held.taken))
    }

    /// How many permits there were.
    pub(super) fn n_permits(&self) -> usize {
        self.permits.len()
    }

    /// Ends the permits taken since then that nothing holds.
    pub(super) fn end_temporaries(&mut self, since: usize) {
        if self.permits.len() == since {
            return;
        }
        let mut held: Vec<PermitId> =
            self.slots.iter().flat_map(|it| permits_in(&it.value)).collect();
        held.extend(self.frames.iter().filter_map(|it| it.returned.as_ref()).flat_map(permits_in));
        for id in since..self.permits.len() {
            self.end_unless(PermitId(id as u32), &held);
        }
    }

    fn end_unless(&mut self, id: PermitId, kept: &[PermitId]) {
        let permit = &self.permits[id.0 as usize];
        if permit.ended.is_none() && !kept.contains(&id) {
            self.end_permit(id, permit.taken);
        }
    }

    /// Which permits have ended.
    pub(super) fn ended(&self) -> Ended {
        Ended(self.permits.iter().map(|it| it.ended).collect())
    }

    /// Goes back to the state of a point; permits taken since are as they are.
    pub(super) fn back_to(&mut self, before: &Ended) {
        for (permit, ended) in self.permits.iter_mut().zip(&before.0) {
            permit.ended = *ended;
        }
    }

    /// Reports permits, taken before, that one of two ways has ended and the other has not.
    pub(super) fn agree_on(&mut self, before: &Ended, a: &Ended, b: &Ended, span: Span) {
        for (number, (a, b)) in a.0.iter().zip(&b.0).enumerate().take(before.0.len()) {
            if a.is_some() == b.is_some() {
                continue;
            }
            let end = a.or(*b);
            let taken = self.site_place(self.permits[number].taken);
            self.permits[number].ended = end;
            let end = end.map(|it| self.site_place(it));
            self.report(report::sync::ends_on_some_paths(self.place(span), taken, end));
        }
    }

    /// Reports permits that were taken before a loop and ended in it.
    pub(super) fn unchanged_by_loop(&mut self, before: &Ended, span: Span) {
        let now = self.ended();
        for (number, (was, is)) in before.0.iter().zip(&now.0).enumerate() {
            if let (None, Some(end)) = (was, is) {
                let taken = self.site_place(self.permits[number].taken);
                let end = self.site_place(*end);
                self.report(report::sync::ends_in_loop(self.place(span), taken, end));
            }
        }
    }

    /// Reports a permit that something other than a name would hold.
    pub(super) fn refuse_permits(&mut self, value: &Value, holder: &str, span: Span) -> bool {
        let Some(id) = permits_in(value).first().copied() else { return false };
        let taken = self.site_place(self.permits[id.0 as usize].taken);
        self.report(report::sync::permit_kept(self.place(span), holder, taken));
        true
    }
}

/// The permits in a value.
fn permits_in(value: &Value) -> Vec<PermitId> {
    let mut found = Vec::new();
    env::leaves(value, &mut |leaf| {
        if let Value::Permit(id, _) = leaf {
            found.push(*id);
        }
    });
    found
}
