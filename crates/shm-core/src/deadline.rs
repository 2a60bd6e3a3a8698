//! One absolute moment, computed once from the duration that a caller gave.

use std::time::{Duration, Instant};

/// When to give up; or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now. A duration too long to add means never.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// So long from now, or never.
    pub(crate) fn after_option(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self(None), Self::after)
    }

    /// The earlier of two moments.
    pub(crate) fn or_sooner(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Returns `true` if the moment has come.
    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }

    /// What is left; `None` where there is no end.
    pub(crate) fn remaining_or_never(self) -> Option<Duration> {
        let end = self.0?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// What is left, but no longer than `slice`.
    pub(crate) fn remaining(self, slice: Duration) -> Duration {
        self.0.map_or(slice, |end| {
            end.saturating_duration_since(Instant::now()).min(slice)
        })
    }
}

/// Sleeps between attempts at something that no event announces: short at first, then longer.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self {
            next: Duration::from_micros(20),
        }
    }

    /// Sleeps a while; false where the deadline has come.
    pub(crate) fn pause(&mut self, deadline: Deadline) -> bool {
        if deadline.is_over() {
            return false;
        }
        std::thread::sleep(deadline.remaining(self.next));
        self.next = (self.next * 2).min(Duration::from_millis(5));
        true
    }
}
