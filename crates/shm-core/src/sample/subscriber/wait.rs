//! How a subscriber waits, and what ends a wait.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{LIVENESS_INTERVAL, Subscriber};
use crate::deadline::Deadline;
use crate::error::ReadError;
use crate::layout::flags;
use crate::reactor::PathWatch;
use crate::readiness::{LIVENESS, Readiness};
use crate::sample::WaitResult;
use crate::sync::{Ordering, SPINS};
use crate::sys::{self, Awaited};

impl Subscriber {
    pub(super) fn wait_until(&mut self, deadline: Deadline) -> Result<WaitResult, ReadError> {
        self.reader.check_process()?;
        loop {
            if self.is_interrupted() {
                return Ok(WaitResult::Interrupted);
            }
            let ring = self.reader.ring();
            if self.cursor.has_unread(ring) {
                return Ok(self.report_unread());
            }
            let is_due = self.is_marked_removed()
                || self.reader.take_liveness_request()
                || self.last_liveness_check.elapsed() >= LIVENESS_INTERVAL;
            if is_due {
                if let Some(end) = self.check_liveness()? {
                    return Ok(end);
                }
            }
            if deadline.is_over() {
                return Ok(WaitResult::Timeout);
            }
            if self.spin() {
                return Ok(self.report_unread());
            }
            let ring = self.reader.ring();
            if let Some(seen) = self.cursor.seen(ring) {
                self.sleep(seen, deadline);
            }
            // A wake-up without a new record: a publisher has left.
            let interruption = self.interruption.as_ref();
            if !self.has_unread() && !interruption.is_some_and(|flag| flag.is_woken()) {
                if let Some(end) = self.check_liveness()? {
                    return Ok(end);
                }
            }
        }
    }

    /// Sleeps until the ring's `last` is no longer `seen`.
    fn sleep(&self, seen: u64, deadline: Deadline) {
        /// How often an interruption is polled if the kernel cannot wait on several words.
        const INTERRUPTION_INTERVAL: Duration = Duration::from_millis(20);
        let word = self.reader.ring().last_word();
        let Some(interruption) = &self.interruption else {
            return sys::wait_low(word, seen, deadline.remaining(LIVENESS_INTERVAL));
        };
        let words = [
            Awaited::low_half(word, seen),
            Awaited::private(interruption.word(), 0),
        ];
        if sys::wait_any(&words, Some(deadline.remaining(LIVENESS_INTERVAL))).is_err() {
            sys::wait_low(word, seen, deadline.remaining(INTERRUPTION_INTERVAL));
        }
    }

    /// Returns `true` once for each interruption.
    pub(super) fn is_interrupted(&self) -> bool {
        let interruption = self.interruption.as_ref();
        interruption.is_some_and(|word| word.is_woken() && word.clear())
    }

    /// Reports new records before a lost name, but only once. Otherwise a publisher that continues
    /// to publish into the removed segment would be followed forever.
    fn report_unread(&mut self) -> WaitResult {
        if self.is_removed {
            return WaitResult::Removed;
        }
        if self.last_liveness_check.elapsed() >= LIVENESS_INTERVAL {
            self.last_liveness_check = Instant::now();
            self.is_removed = self.reader.segment.is_name_lost();
        }
        WaitResult::New
    }

    /// Spins before sleeping: a sleep and a wake-up cost many times as much, and in a ping-pong of
    /// messages the next arrives before that.
    fn spin(&self) -> bool {
        let ring = self.reader.ring();
        (0..SPINS).any(|_| {
            std::hint::spin_loop();
            self.cursor.has_unread(ring)
        })
    }

    fn is_marked_removed(&self) -> bool {
        let header = &self.reader.control().header;
        header.flags.load(Ordering::Relaxed) & flags::REMOVED != 0
    }

    /// Notifies a readiness when the last publisher or the name may be gone; immediately if one is
    /// and this was not reported.
    pub(crate) fn watch_for_an_end(&self, readiness: &Arc<Readiness>) -> io::Result<PathWatch> {
        let watch = self.reader.watch_for_an_end(readiness)?;
        // After the watch was added, so that no event is missed in between.
        let has_publisher = self.reader.has_publisher().unwrap_or(true);
        let is_unreported =
            self.had_publisher || self.reader.ring().last() != self.last_at_liveness_check;
        let is_name_lost = || self.is_marked_removed() || self.reader.segment.is_name_lost();
        if (is_unreported && !has_publisher) || (!self.is_removed && is_name_lost()) {
            readiness.notify(LIVENESS);
        }
        Ok(watch)
    }

    /// Checks what causes no wake-up: whether a publisher is alive, and whether the segment has its
    /// name.
    fn check_liveness(&mut self) -> Result<Option<WaitResult>, ReadError> {
        self.last_liveness_check = Instant::now();
        let reader = Arc::clone(&self.reader);
        let error = |error| ReadError::io(&reader.segment.key, "looking for publishers", error);
        if reader.mapping.was_truncated() {
            return Err(reader.truncated());
        }
        // Before the check: a publication after it is seen by the next check.
        let last = reader.ring().last();
        let has_publisher = reader.has_publisher().map_err(error)?;
        // The publisher may have published before it left: that is returned first.
        if self.has_unread() {
            return Ok(None);
        }
        let has_published = std::mem::replace(&mut self.last_at_liveness_check, last) != last;
        let had_publisher = std::mem::replace(&mut self.had_publisher, has_publisher);
        if (had_publisher || has_published) && !has_publisher {
            return Ok(Some(WaitResult::PublisherGone));
        }
        self.is_removed = self.is_marked_removed() || self.reader.segment.is_name_lost();
        Ok(self.is_removed.then_some(WaitResult::Removed))
    }
}
