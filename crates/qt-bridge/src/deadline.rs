//! An absolute deadline, computed once from the caller's timeout.

use std::time::{Duration, Instant};

/// When a wait ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the deadline `timeout` from now; none if that is later than the clock can express.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// Returns the time left, at most `slice`.
    pub(crate) fn remaining(self, slice: Duration) -> Duration {
        self.0.map_or(slice, |end| {
            end.saturating_duration_since(Instant::now()).min(slice)
        })
    }

    pub(crate) fn is_over(self) -> bool {
        self.remaining(Duration::MAX).is_zero()
    }
}
