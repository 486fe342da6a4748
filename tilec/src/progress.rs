//! Progress of long work, shown only where a person watches.

use indicatif::{ProgressBar, ProgressStyle};

use crate::Io;

/// A bar for `steps` steps of `what`; invisible if nobody watches.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(what: &str, steps: usize, io: &Io<'_>) -> Self {
        if !io.interactive() {
            return Progress(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{prefix:.bold} {bar:30} {pos}/{len} {wide_msg}")
            .expect("the template is well formed");
        let bar = ProgressBar::new(steps as u64).with_style(style);
        bar.set_prefix(what.to_owned());
        Progress(bar)
    }

    /// Says what is being done now.
    pub(crate) fn at(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
