//! Vector clocks: what an event knows of the others.
//!
//! # Definition
//! An *agent* does its events in order: a role, or a copy in flight. A clock says of each agent how many of its events
//! happen before. An event happens before another one if and only if the other's clock covers it (Mattern 1989).

/// What happened before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Clock(Vec<u32>);

/// One event: an agent, and which of its events it is, from 1 on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp {
    pub(super) agent: usize,
    pub(super) at: u32,
}

impl Clock {
    /// Whether an event happened before.
    pub(super) fn covers(&self, it: Stamp) -> bool {
        it.at <= self.0.get(it.agent).copied().unwrap_or(0)
    }

    /// Whether all that another clock knows is known here.
    pub(super) fn contains(&self, other: &Clock) -> bool {
        (0..).zip(&other.0).all(|(agent, &at)| self.covers(Stamp { agent, at }))
    }

    /// The last event of an agent that is known here.
    pub(super) fn last_of(&self, agent: usize) -> Stamp {
        Stamp { agent, at: self.0.get(agent).copied().unwrap_or(0) }
    }

    /// Learns what another clock knows.
    pub(super) fn join(&mut self, other: &Clock) {
        self.0.resize(self.0.len().max(other.0.len()), 0);
        self.0.iter_mut().zip(&other.0).for_each(|(mine, &it)| *mine = (*mine).max(it));
    }

    /// The next event of an agent.
    pub(super) fn tick(&mut self, agent: usize) -> Stamp {
        self.0.resize(self.0.len().max(agent + 1), 0);
        self.0[agent] += 1;
        Stamp { agent, at: self.0[agent] }
    }
}
