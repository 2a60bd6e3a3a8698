//! `--until-end`: the end of those who publish is the end.

use std::time::{Duration, Instant};

use shm_io::{Content, Follower};

/// How long no publisher has been there when it is the end: one may only be starting anew.
const ABSENCE: Duration = Duration::from_secs(1);

/// How soon the first look is.
const SOON: Duration = Duration::from_millis(10);

/// Notes whether publishers were seen, and since when there is none.
#[derive(Debug)]
pub(super) struct UntilEnd {
    began: Instant,
    is_seen: bool,
    has_looked: bool,
    absent: Option<Instant>,
}

impl UntilEnd {
    /// Begins; with `everything` what is there already counts as a publisher that was seen.
    pub(super) fn new(everything: bool) -> UntilEnd {
        UntilEnd {
            began: Instant::now(),
            is_seen: everything,
            has_looked: false,
            absent: None,
        }
    }

    /// Returns how long to wait at most for what comes next.
    pub(super) fn pause(&self) -> Duration {
        match self.absent {
            // Whoever is there now may leave at any moment, and then has been there.
            None if !self.has_looked => SOON,
            None => ABSENCE,
            Some(since) => ABSENCE.saturating_sub(since.elapsed()),
        }
    }

    /// A sample came: a publisher is there, or was a moment ago.
    pub(super) fn hear(&mut self, content: &Content, follower: &Follower) {
        self.absent = None;
        // What was there before tells nothing of who is still to come.
        let is_new = content.age().is_some_and(|age| age < self.began.elapsed());
        self.is_seen = self.is_seen || is_new || follower.has_publisher();
    }

    /// Nothing came: looks who is there. Tells whether this is the end.
    pub(super) fn look(&mut self, follower: &Follower) -> bool {
        self.has_looked = true;
        if follower.has_publisher() {
            self.is_seen = true;
            self.absent = None;
            return false;
        }
        let since = *self.absent.get_or_insert_with(Instant::now);
        self.is_seen && since.elapsed() >= ABSENCE
    }
}
