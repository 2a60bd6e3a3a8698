//! One absolute moment, computed once from the patience that a caller has.

use std::time::{Duration, Instant};

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now; a patience too long to add has no end.
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now().checked_add(patience))
    }

    /// What is left, but no longer than `slice`.
    pub(crate) fn remaining(self, slice: Duration) -> Duration {
        self.0.map_or(slice, |end| {
            end.saturating_duration_since(Instant::now()).min(slice)
        })
    }

    pub(crate) fn is_over(self) -> bool {
        self.remaining(Duration::MAX).is_zero()
    }
}
