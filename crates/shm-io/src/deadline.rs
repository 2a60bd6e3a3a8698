//! Time limits.

use std::thread;
use std::time::{Duration, Instant};

/// How long a read waits for a lock that another process holds.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// How long it waits for a lock even if the caller has less time left: a process that attaches or
/// detaches holds one for microseconds.
const GRACE: Duration = Duration::from_millis(50);

/// A moment until which to wait, or none.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the moment that is `timeout` from now; none if `timeout` is `None`.
    #[must_use]
    pub fn within(timeout: Option<Duration>) -> Deadline {
        // A deadline beyond what the clock can express is as good as none.
        Deadline(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns how much time is left; `None` if there is no deadline.
    #[must_use]
    pub fn left(self) -> Option<Duration> {
        self.0
            .map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// Returns `true` if the deadline has passed.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    /// Returns how long to wait for the lock of another process: as long as is left, between 50 ms and
    /// [`TIMEOUT`].
    pub(crate) fn lock_timeout(self) -> Duration {
        self.left()
            .map_or(TIMEOUT, |left| left.max(GRACE).min(TIMEOUT))
    }

    /// Sleeps until `due`. Returns `false` if the deadline came first.
    pub(crate) fn sleep_until(self, due: Instant) -> bool {
        let pause = due.saturating_duration_since(Instant::now());
        let left = self.left().unwrap_or(Duration::MAX);
        thread::sleep(pause.min(left));
        pause <= left
    }
}
