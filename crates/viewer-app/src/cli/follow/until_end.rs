//! `--until-end`: detects that all publishers have gone.

use std::time::{Duration, Instant};

use shm_io::{Content, Follower};

/// How long all publishers must be absent: one may be restarting.
const ABSENCE: Duration = Duration::from_secs(1);

/// The delay before the first check.
const FIRST_CHECK: Duration = Duration::from_millis(10);

/// Tracks whether a publisher was seen, and since when there is none.
#[derive(Debug)]
pub(super) struct UntilEnd {
    started: Instant,
    has_seen_publisher: bool,
    has_checked: bool,
    absent_since: Option<Instant>,
}

impl UntilEnd {
    /// Starts tracking. With `counts_existing`, the existing samples count as a publisher seen.
    pub(super) fn new(counts_existing: bool) -> UntilEnd {
        UntilEnd {
            started: Instant::now(),
            has_seen_publisher: counts_existing,
            has_checked: false,
            absent_since: None,
        }
    }

    /// Returns the longest time to wait before the next check.
    pub(super) fn pause(&self) -> Duration {
        match self.absent_since {
            // A publisher that is attached now may detach soon, and still counts as seen.
            None if !self.has_checked => FIRST_CHECK,
            None => ABSENCE,
            Some(since) => ABSENCE.saturating_sub(since.elapsed()),
        }
    }

    /// Records that a content was read: its publisher is attached, or was a moment ago.
    pub(super) fn record_content(&mut self, content: &Content, follower: &Follower) {
        self.absent_since = None;
        // A sample published before the start does not prove that its publisher was seen.
        let is_new = content
            .age()
            .is_some_and(|age| age < self.started.elapsed());
        self.has_seen_publisher = self.has_seen_publisher || is_new || follower.has_publisher();
    }

    /// Checks for publishers after a wait without content. Returns `true` if following ends.
    pub(super) fn check(&mut self, follower: &Follower) -> bool {
        self.has_checked = true;
        if follower.has_publisher() {
            self.has_seen_publisher = true;
            self.absent_since = None;
            return false;
        }
        let since = *self.absent_since.get_or_insert_with(Instant::now);
        self.has_seen_publisher && since.elapsed() >= ABSENCE
    }
}
