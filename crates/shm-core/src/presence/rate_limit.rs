//! A rate limit: an action runs at once after a pause, else a period after the last.

use std::time::{Duration, Instant};

/// The shortest time between two actions: people do not read faster, and a viewer that shows
/// 60 frames a second must not wake its publisher 60 times.
const PERIOD: Duration = Duration::from_millis(100);

/// Limits how often an action runs.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    last: Option<Instant>,
}

impl RateLimit {
    /// Returns how long to wait; zero if the action may run now.
    pub(super) fn remaining(&self) -> Duration {
        self.last
            .map_or(Duration::ZERO, |last| PERIOD.saturating_sub(last.elapsed()))
    }

    pub(super) fn is_due(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Records that the action ran.
    pub(super) fn step(&mut self) {
        self.last = Some(Instant::now());
    }
}
