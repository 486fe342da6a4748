//! Named barriers in a run: roles that come, and what those know that go on.

use rustc_hash::{FxHashMap, FxHashSet};

use super::clock::Clock;
use crate::ir::{SiteId, Value};
use crate::op::Op;
use crate::pass::touch::Definitions;

/// A named barrier in a run.
#[derive(Default)]
pub(super) struct Meeting {
    /// The roles that have come in the open phase, and where.
    came: Vec<(usize, SiteId)>,
    /// What those have said.
    open: Clock,
    /// The last that came.
    last: Option<SiteId>,
    /// What the end of each phase knows.
    completed: Vec<Clock>,
}

impl Meeting {
    /// Phases that are over.
    pub(super) fn n_completed(&self) -> usize {
        self.completed.len()
    }

    /// What the end of a phase knows, if it is over.
    pub(super) fn completed(&self, phase: usize) -> Option<&Clock> {
        self.completed.get(phase)
    }

    /// A role that knows something comes, and says something to the `wanted` roles that meet; refused with the place of an
    /// earlier coming that it could be taken for.
    pub(super) fn come(
        &mut self,
        role: usize,
        site: SiteId,
        knows: &Clock,
        said: &Clock,
        wanted: usize,
    ) -> Result<(), SiteId> {
        if let Some((_, first)) = self.came.iter().find(|it| it.0 == role) {
            return Err(*first);
        }
        if self.completed.last().is_some_and(|it| !knows.contains(it)) {
            return Err(self.last.unwrap_or(site));
        }
        self.came.push((role, site));
        self.open.join(said);
        self.last = Some(site);
        if self.came.len() == wanted {
            self.came.clear();
            self.completed.push(std::mem::take(&mut self.open));
        }
        Ok(())
    }
}

/// What a role knew when it had loaded what a value is made of; `None` if that is nothing.
pub(super) fn stands_for(
    value: Value,
    definitions: &Definitions<'_>,
    loaded: &FxHashMap<Value, Clock>,
) -> Option<Clock> {
    let (mut open, mut seen) = (vec![value], FxHashSet::default());
    let mut known: Option<Clock> = None;
    while let Some(value) = open.pop() {
        if !seen.insert(value) {
            continue;
        }
        if let Some(clock) = loaded.get(&value) {
            known.get_or_insert_default().join(clock);
        } else if let Some(inst) = definitions.get(&value)
            && let Op::Tile(_) = inst.op
        {
            open.extend(&inst.operands);
        }
    }
    known
}
