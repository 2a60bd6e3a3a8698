//! `--until-end`: the end of those who publish is the end.

use std::time::{Duration, Instant};

use app_kit::follower::Follower;
use shm_core::Sample;

/// How long no publisher has been there when it is the end: one may only be starting anew.
const ABSENCE: Duration = Duration::from_secs(1);

/// Notes whether publishers were seen, and since when there is none.
#[derive(Debug)]
pub(super) struct UntilEnd {
    began: Instant,
    is_seen: bool,
    absent: Option<Instant>,
}

impl UntilEnd {
    /// Begins; with `everything` what is there already counts as a publisher that was seen.
    pub(super) fn new(everything: bool) -> UntilEnd {
        UntilEnd {
            began: Instant::now(),
            is_seen: everything,
            absent: None,
        }
    }

    /// Returns how long to wait at most for what comes next.
    pub(super) fn pause(&self) -> Duration {
        let absent = self.absent.map(|since| since.elapsed());
        absent.map_or(ABSENCE, |absent| ABSENCE.saturating_sub(absent))
    }

    /// A sample came: a publisher is there, or was a moment ago.
    pub(super) fn hear(&mut self, sample: &Sample) {
        self.absent = None;
        // What was there before tells nothing of who is still to come.
        self.is_seen |= sample.age() < self.began.elapsed();
    }

    /// Nothing came: looks who is there. Tells whether this is the end.
    pub(super) fn look(&mut self, follower: &Follower) -> bool {
        if follower.has_publisher() {
            self.is_seen = true;
            self.absent = None;
            return false;
        }
        let since = *self.absent.get_or_insert_with(Instant::now);
        self.is_seen && since.elapsed() >= ABSENCE
    }
}
