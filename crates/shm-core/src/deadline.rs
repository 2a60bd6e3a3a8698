//! One absolute time, computed once from the caller's timeout.

use std::time::{Duration, Instant};

/// The time at which a wait ends, or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// Creates the deadline `timeout` from now. A timeout that is too long to add means never.
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(Instant::now().checked_add(timeout))
    }

    /// Creates the deadline `timeout` from now, or never if `None`.
    pub(crate) fn after_option(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self(None), Self::after)
    }

    /// Returns the earlier of two deadlines.
    pub(crate) fn or_sooner(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(other)) => Self(Some(one.min(other))),
            (one, other) => Self(one.or(other)),
        }
    }

    /// Returns `true` if the deadline has passed.
    pub(crate) fn is_over(self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }

    /// Returns the remaining time; `None` if there is no end.
    pub(crate) fn remaining_or_never(self) -> Option<Duration> {
        let end = self.0?;
        Some(end.saturating_duration_since(Instant::now()))
    }

    /// Returns the remaining time, but at most `slice`.
    pub(crate) fn remaining(self, slice: Duration) -> Duration {
        self.0.map_or(slice, |end| {
            end.saturating_duration_since(Instant::now()).min(slice)
        })
    }
}

/// Sleeps between attempts at an operation that has no wake-up: 20 µs at first, doubling to 5 ms.
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

    /// Sleeps; returns `false` if the deadline has passed.
    pub(crate) fn pause(&mut self, deadline: Deadline) -> bool {
        if deadline.is_over() {
            return false;
        }
        std::thread::sleep(deadline.remaining(self.next));
        self.next = (self.next * 2).min(Duration::from_millis(5));
        true
    }
}
