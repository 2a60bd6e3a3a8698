//! When to check whether a segment still has its name.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Ordering};
use crate::sys;

/// Decides when to ask the kernel whether the name still leads to the segment: once a second.
///
/// Reading the clock costs more than a lock. So the faster acquisitions follow each other, the more
/// of them skip it; an acquisition more than a millisecond after the last reading is followed by
/// one. A publisher has read the clock anyway.
#[derive(Debug)]
pub(super) struct UnlinkCheck {
    times: Mutex<Times>,
    /// When the name was checked last, by the monotonic clock.
    checked_at: AtomicU64,
}

#[derive(Debug)]
struct Times {
    clock_read: Instant,
    name_checked: Instant,
    skip_budget: u64,
}

impl UnlinkCheck {
    const PERIOD: Duration = Duration::from_secs(1);
    const BURST_WINDOW: Duration = Duration::from_millis(1);
    pub(super) const MAX_SKIPS: u64 = 1024;

    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            times: Mutex::new(Times {
                clock_read: now,
                name_checked: now,
                skip_budget: 0,
            }),
            checked_at: AtomicU64::new(sys::monotonic_nanos()),
        }
    }

    /// Returns how many acquisitions may follow without reading the clock; `None` if a check of the
    /// name is due.
    #[cold]
    pub(super) fn poll_name(&self) -> Option<u64> {
        let Ok(mut times) = self.times.try_lock() else {
            return Some(0);
        };
        let now = Instant::now();
        times.skip_budget = if now.duration_since(times.clock_read) < Self::BURST_WINDOW {
            (2 * times.skip_budget).clamp(1, Self::MAX_SKIPS)
        } else {
            0
        };
        times.clock_read = now;
        let is_due = now.duration_since(times.name_checked) >= Self::PERIOD;
        (!is_due).then_some(times.skip_budget)
    }

    /// Returns `true` if a check of the name is due; `now` is the monotonic time.
    #[inline]
    pub(super) fn is_due(&self, now: u64) -> bool {
        const PERIOD: u64 = UnlinkCheck::PERIOD.as_secs() * 1_000_000_000;
        now.saturating_sub(self.checked_at.load(Ordering::Relaxed)) >= PERIOD
    }

    /// Records that the name was checked and leads to the segment. A lost name is checked again
    /// each time.
    #[cold]
    pub(super) fn record_named(&self) {
        self.checked_at
            .store(sys::monotonic_nanos(), Ordering::Relaxed);
        if let Ok(mut times) = self.times.try_lock() {
            times.name_checked = Instant::now();
        }
    }
}
