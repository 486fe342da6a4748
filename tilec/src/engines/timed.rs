//! An engine that counts how long its launches take.

use std::time::{Duration, Instant};

use tile_language::engine::{Engine, Failure, Launch, Outcome};
use tile_plan::Device;

use super::gpu::DEVICE_NANOSECONDS;

/// Another engine with a clock around it.
pub(crate) struct Timed {
    engine: Box<dyn Engine>,
    /// The launches so far: by the device's own clock where there is one, without copies.
    pub(crate) spent: Duration,
}

impl Timed {
    pub(crate) fn new(engine: Box<dyn Engine>) -> Self {
        Timed { engine, spent: Duration::ZERO }
    }
}

impl Engine for Timed {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn device(&self) -> Device {
        self.engine.device()
    }

    fn run(&mut self, launch: Launch<'_>) -> Result<Outcome, Failure> {
        let start = Instant::now();
        let outcome = self.engine.run(launch)?;
        let on_device = outcome.counts.get(DEVICE_NANOSECONDS);
        self.spent += on_device.map_or_else(|| start.elapsed(), |it| Duration::from_nanos(*it));
        Ok(outcome)
    }
}
