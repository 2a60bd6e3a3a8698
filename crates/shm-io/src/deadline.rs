//! Deadlines and default timeouts.

use std::thread;
use std::time::{Duration, Instant};

/// How long a read waits for a lock that another process holds.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// How long it waits for a lock even if the deadline is sooner: a process that attaches or detaches
/// holds one for microseconds.
const GRACE: Duration = Duration::from_millis(50);

/// An absolute deadline, or none.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Returns the deadline `timeout` from now; no deadline if `timeout` is `None`.
    #[must_use]
    pub fn within(timeout: Option<Duration>) -> Deadline {
        // A deadline later than the clock can express is the same as none.
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

    /// Returns how long to wait for a lock that another process holds: the time left, but between
    /// 50 ms and [`TIMEOUT`].
    pub(crate) fn lock_timeout(self) -> Duration {
        self.left()
            .map_or(TIMEOUT, |left| left.max(GRACE).min(TIMEOUT))
    }

    /// Sleeps until `due` or the deadline. Returns `false` if the deadline was first.
    pub(crate) fn sleep_until(self, due: Instant) -> bool {
        let pause = due.saturating_duration_since(Instant::now());
        let left = self.left().unwrap_or(Duration::MAX);
        thread::sleep(pause.min(left));
        pause <= left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_timeout_is_the_time_left_within_its_bounds() {
        let lock_timeout = |timeout| Deadline::within(timeout).lock_timeout();
        assert_eq!(lock_timeout(None), TIMEOUT);
        assert_eq!(lock_timeout(Some(Duration::MAX)), TIMEOUT);
        assert_eq!(lock_timeout(Some(10 * TIMEOUT)), TIMEOUT);
        assert_eq!(lock_timeout(Some(Duration::ZERO)), GRACE);
        let second = Duration::from_secs(1);
        let between = lock_timeout(Some(second));
        assert!(between > second / 2 && between <= second, "{between:?}");
    }

    #[test]
    fn a_deadline_passes_and_none_does_not() {
        assert!(Deadline::within(Some(Duration::ZERO)).is_over());
        assert!(!Deadline::within(Some(TIMEOUT)).is_over());
        assert!(!Deadline::within(None).is_over());
        assert_eq!(Deadline::within(None).left(), None);
    }

    #[test]
    fn sleeping_ends_at_the_earlier_of_due_time_and_deadline() {
        let soon = Duration::from_millis(20);
        let start = Instant::now();
        assert!(Deadline::within(None).sleep_until(start + soon));
        assert!(start.elapsed() >= soon);
        assert!(Deadline::within(Some(TIMEOUT)).sleep_until(Instant::now()));
        let late = Instant::now() + Duration::from_secs(3600);
        let start = Instant::now();
        assert!(!Deadline::within(Some(soon)).sleep_until(late));
        assert!(start.elapsed() >= soon);
    }
}
