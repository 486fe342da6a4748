//! What the compiler measured: registers as an assembler counts them, in the place of the estimate.
//!
//! A measurement is of a text; when the text changes, the estimate stands again.

use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHasher};
use smol_str::SmolStr;
use tile_language::target::TargetId;

/// Measurements that are kept; all are forgotten when there are more.
const KERNELS_MAX: usize = 4096;

/// What one instance needs, as measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measurement {
    /// 32-bit registers of a thread.
    pub registers: u32,
    /// Bytes of registers that were spilled.
    pub spill_bytes: u32,
    /// Bytes of shared memory of a block.
    pub shared_bytes: u32,
}

/// Which instance of which text.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    text: u64,
    instance: SmolStr,
    target: TargetId,
}

/// All measurements. Shared by the copies of a snapshot.
#[derive(Debug, Default)]
pub struct Measured {
    known: Mutex<FxHashMap<Key, Measurement>>,
    has_news: AtomicBool,
}

impl Measured {
    /// What is known of an instance of a text.
    pub fn get(&self, text: &str, instance: &str, target: TargetId) -> Option<Measurement> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&Key::new(text, instance, target)).copied()
    }

    /// Takes in a measurement.
    pub fn set(&self, text: &str, instance: &str, target: TargetId, found: Measurement) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if KERNELS_MAX <= known.len() {
            known.clear();
        }
        let before = known.insert(Key::new(text, instance, target), found);
        if before != Some(found) {
            self.has_news.store(true, Ordering::Release);
        }
    }

    /// Whether something was measured since this was asked last that was not known.
    pub fn take_news(&self) -> bool {
        self.has_news.swap(false, Ordering::AcqRel)
    }
}

impl Key {
    fn new(text: &str, instance: &str, target: TargetId) -> Key {
        let mut hasher = FxHasher::default();
        text.hash(&mut hasher);
        Key { text: hasher.finish(), instance: SmolStr::new(instance), target }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_of_one_text() {
        let (measured, target) = (Measured::default(), TargetId(0));
        let found = Measurement { registers: 40, spill_bytes: 0, shared_bytes: 1024 };
        measured.set("kernel a", "a", target, found);
        assert_eq!(measured.get("kernel a", "a", target), Some(found));
        assert_eq!(measured.get("kernel a ", "a", target), None);
        assert_eq!(measured.get("kernel a", "a", TargetId(1)), None);
    }
}
