//! Not more often than so many times a second, however much there is to say.

use std::time::{Duration, Instant};

/// The shortest time between two things that are said: people read no faster, and whoever shows
/// sixty frames a second need not wake its publisher sixty times.
const PERIOD: Duration = Duration::from_millis(100);

/// Says when the next may be said: at once after a silence, else a period after the last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    last: Option<Instant>,
}

impl Pace {
    /// How long to wait still; zero where it may be said now.
    pub(super) fn remaining(&self) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| PERIOD.saturating_sub(last.elapsed()))
    }

    pub(super) fn is_due(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Notes that something was said.
    pub(super) fn step(&mut self) {
        self.last = Some(Instant::now());
    }
}
