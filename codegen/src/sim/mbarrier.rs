//! The mbarriers of a block (PTX ISA 9.7.13.15).
//!
//! # Definition
//! An mbarrier has a phase, a number of arrivals that each phase counts, arrivals that the open phase still waits for, and bytes that
//! have been announced and have not come. A phase completes when both are none. A wait asks for a parity, so it sees the open
//! phase and the one before, and no other.
//!
//! Copies of a thread that an mbarrier waits for land as late as they may: when nothing else is missing and somebody asks. A
//! program that does not wait finds what was there before. The schedule may also let them land once nothing else is missing.

use std::collections::BTreeMap;

use super::error::{Kind, SimError};

/// Bytes of an mbarrier, and what its address is a multiple of.
pub(super) const BYTES: u64 = 8;
/// The largest count of arrivals, and of bytes.
const COUNT_MAX: u32 = (1 << 20) - 1;

/// Copies of a lane that an mbarrier waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    pub(super) warp: u32,
    pub(super) lane: u8,
    /// The last moment, in the time of the lane's copies, at which one of them started.
    pub(super) time: u32,
}

/// A box that a copy engine brings.
#[derive(Clone, Debug)]
pub(super) struct Landing {
    /// The warp that started it, of all in the grid.
    pub(super) agent: u32,
    /// When it ends, in the time of that warp's copies.
    pub(super) time: u32,
    /// Bytes that the mbarrier hears of.
    pub(super) bytes: u32,
    /// What is written where.
    pub(super) pieces: Vec<(u64, [u8; 16])>,
}

/// One mbarrier.
#[derive(Clone, Debug)]
pub(super) struct Mbarrier {
    expected: u32,
    pending: u32,
    bytes: i64,
    completed: u64,
    holds: Vec<Hold>,
    landings: Vec<Landing>,
    /// Whether a lane found its phase open and sleeps.
    is_asked: bool,
    /// Whether copy engines know of it: a fence came after its initialisation.
    is_published: bool,
    /// The warp that initialised it.
    owner: u32,
    /// Whether a phase has completed and nobody was told.
    is_new: bool,
}

/// Those of a block, by their first byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Mbarriers(BTreeMap<u64, Mbarrier>);

impl Mbarriers {
    /// None.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Makes one.
    pub(super) fn init(&mut self, at: u64, count: u32, owner: u32) -> Result<(), SimError> {
        if count == 0 || COUNT_MAX < count {
            return Err(undefined(format!("an mbarrier that counts {count} arrivals")));
        }
        let live = self.0.range(..at + BYTES).next_back().filter(|it| at < it.0 + BYTES);
        if let Some((other, _)) = live {
            let message = format!("an mbarrier at byte {at}, where the one at byte {other} is");
            return Err(undefined(message));
        }
        let (holds, landings) = (Vec::new(), Vec::new());
        let (is_asked, is_published) = (false, false);
        let fresh = Mbarrier {
            expected: count,
            pending: count,
            bytes: 0,
            completed: 0,
            holds,
            landings,
            is_asked,
            is_published,
            owner,
            is_new: false,
        };
        self.0.insert(at, fresh);
        Ok(())
    }

    /// Ends one.
    pub(super) fn inval(&mut self, at: u64) -> Result<(), SimError> {
        self.get(at)?;
        self.0.remove(&at);
        Ok(())
    }

    /// The one at a byte.
    pub(super) fn get(&mut self, at: u64) -> Result<&mut Mbarrier, SimError> {
        let missing = || undefined(format!("there is no mbarrier at byte {at} of shared memory"));
        self.0.get_mut(&at).ok_or_else(missing)
    }

    /// What a warp has initialised, copy engines know of.
    pub(super) fn publish(&mut self, owner: u32) {
        self.0.values_mut().filter(|it| it.owner == owner).for_each(|it| it.is_published = true);
    }

    /// Whether a phase has completed since the last question.
    pub(super) fn has_completed(&mut self) -> bool {
        self.0.values_mut().fold(false, |any, it| any | std::mem::take(&mut it.is_new))
    }

    /// The mbarriers that miss nothing but copies, with these: those that lanes sleep for, and if it is `early` all.
    pub(super) fn held(&mut self, early: bool) -> Vec<(u64, Vec<Hold>, Vec<Landing>)> {
        let lands = |it: &Mbarrier| (early || it.is_asked) && it.misses_copies_alone();
        let held = self.0.iter_mut().filter(|(_, it)| lands(it));
        let take =
            |it: &mut Mbarrier| (std::mem::take(&mut it.holds), std::mem::take(&mut it.landings));
        held.map(|(&at, it)| (at, take(it)))
            .map(|(at, (holds, landings))| (at, holds, landings))
            .collect()
    }
}

impl Mbarrier {
    /// Whether the phase of that parity is complete. If not, somebody sleeps until it is.
    pub(super) fn asks(&mut self, parity: u32) -> bool {
        let is_complete = self.completed & 1 != u64::from(parity & 1);
        self.is_asked |= !is_complete;
        is_complete
    }

    /// Arrivals; whether they complete the phase.
    pub(super) fn arrive(&mut self, n: u32) -> Result<bool, SimError> {
        if self.pending < n {
            let message = format!(
                "{n} arrivals at an mbarrier whose phase waits for {} of {}",
                self.pending, self.expected
            );
            return Err(undefined(message));
        }
        self.pending -= n;
        Ok(self.settle())
    }

    /// More bytes to come, of copies that an engine makes.
    pub(super) fn expect(&mut self, bytes: u32) -> Result<(), SimError> {
        self.check_published()?;
        self.add_bytes(i64::from(bytes))
    }

    /// A copy engine brings a box, and will tell.
    pub(super) fn bring(&mut self, landing: Landing) -> Result<(), SimError> {
        self.check_published()?;
        self.landings.push(landing);
        Ok(())
    }

    fn check_published(&self) -> Result<(), SimError> {
        if self.is_published {
            return Ok(());
        }
        let message = "a copy engine is told of an mbarrier that no fence has made known to it";
        Err(undefined(message.to_owned()))
    }

    /// Bytes have come; whether they complete the phase.
    pub(super) fn complete(&mut self, bytes: u32) -> Result<bool, SimError> {
        self.add_bytes(-i64::from(bytes))?;
        Ok(self.settle())
    }

    fn add_bytes(&mut self, bytes: i64) -> Result<(), SimError> {
        self.bytes += bytes;
        if self.bytes.unsigned_abs() <= u64::from(COUNT_MAX) {
            return Ok(());
        }
        Err(undefined(format!("an mbarrier counts {} bytes, more than {COUNT_MAX}", self.bytes)))
    }

    /// An arrival comes when copies have ended.
    pub(super) fn hold(&mut self, hold: Hold, counts_more: bool) {
        self.pending += u32::from(counts_more);
        self.holds.push(hold);
    }

    fn misses_copies_alone(&self) -> bool {
        let bytes: i64 = self.landings.iter().map(|it| i64::from(it.bytes)).sum();
        let is_held = !self.holds.is_empty() || !self.landings.is_empty();
        is_held && self.bytes == bytes && self.pending as usize == self.holds.len()
    }

    fn settle(&mut self) -> bool {
        let completes = self.pending == 0 && self.bytes == 0;
        if completes {
            self.pending = self.expected;
            self.completed += 1;
            (self.is_asked, self.is_new) = (false, true);
        }
        completes
    }
}

fn undefined(message: String) -> SimError {
    SimError::new(Kind::Undefined, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(count: u32) -> Mbarriers {
        let mut all = Mbarriers::default();
        all.init(16, count, 0).expect("it is free");
        all
    }

    #[test]
    fn a_phase_completes_when_all_have_arrived_and_all_bytes_have_come() {
        let mut all = one(2);
        all.publish(0);
        let it = all.get(16).expect("it is there");
        assert!(it.asks(1) && !it.asks(0));
        it.expect(64).expect("it is published");
        assert!(!it.arrive(2).expect("both"));
        assert!(it.complete(64).expect("all bytes"));
        assert!(it.asks(0) && !it.asks(1));
    }

    #[test]
    fn bytes_may_come_before_they_are_expected() {
        let mut all = one(1);
        all.publish(0);
        let it = all.get(16).expect("it is there");
        assert!(!it.complete(32).expect("early bytes"));
        it.expect(32).expect("it is published");
        assert!(it.arrive(1).expect("the last"));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let mut all = one(1);
        assert!(all.init(20, 1, 0).is_err(), "it overlaps");
        assert!(all.init(32, 0, 0).is_err(), "nobody arrives");
        assert!(all.get(24).is_err(), "there is none");
        let it = all.get(16).expect("it is there");
        assert!(it.arrive(2).is_err(), "one too many");
        assert!(it.expect(8).is_err(), "the engine knows nothing of it");
        all.inval(16).expect("it is there");
        assert!(all.get(16).is_err());
    }

    #[test]
    fn copies_land_when_somebody_asks_and_nothing_else_is_missing() {
        let mut all = one(1);
        let hold = Hold { warp: 0, lane: 3, time: 1 };
        all.get(16).expect("it is there").hold(hold, true);
        assert!(!all.get(16).expect("it is there").arrive(1).expect("the role"));
        assert!(all.held(false).is_empty(), "nobody asks");
        assert!(!all.get(16).expect("it is there").asks(0));
        let held = all.held(false);
        assert_eq!(
            held.iter().map(|it| (it.0, &it.1[..])).collect::<Vec<_>>(),
            [(16, &[hold][..])]
        );
        assert!(all.get(16).expect("it is there").arrive(1).expect("the copies"));
    }
}
