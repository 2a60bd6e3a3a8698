//! How a subscriber waits, and what ends a wait.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{SLICE, Subscriber};
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
            if self.cursor.has_news(ring) {
                return Ok(self.tell_news());
            }
            let is_due = self.is_marked_removed()
                || self.reader.is_asked_for_a_look()
                || self.last_liveness_check.elapsed() >= SLICE;
            if is_due && let Some(end) = self.look_for_an_end()? {
                return Ok(end);
            }
            if deadline.is_over() {
                return Ok(WaitResult::Timeout);
            }
            if self.spin() {
                return Ok(self.tell_news());
            }
            let ring = self.reader.ring();
            if let Some(seen) = self.cursor.seen(ring) {
                self.sleep(seen, deadline);
            }
            // A wake-up without news: a publisher has left.
            if !self.has_news()
                && !self
                    .interruption
                    .as_ref()
                    .is_some_and(|word| word.is_woken())
                && let Some(end) = self.look_for_an_end()?
            {
                return Ok(end);
            }
        }
    }

    /// Sleeps until the ring shows something else than `seen`.
    fn sleep(&self, seen: u64, deadline: Deadline) {
        /// How soon an interruption is noticed where the kernel lets sleep on one word alone.
        const SHORT: Duration = Duration::from_millis(20);
        let word = self.reader.ring().last_word();
        let Some(interruption) = &self.interruption else {
            return sys::wait_low(word, seen, deadline.remaining(SLICE));
        };
        let words = [
            Awaited::low_half(word, seen),
            Awaited::private(interruption.word(), 0),
        ];
        if sys::wait_any(&words, Some(deadline.remaining(SLICE))).is_err() {
            sys::wait_low(word, seen, deadline.remaining(SHORT));
        }
    }

    /// Returns whether it was interrupted; told once.
    pub(super) fn is_interrupted(&self) -> bool {
        let interruption = self.interruption.as_ref();
        interruption.is_some_and(|word| word.is_woken() && word.clear())
    }

    /// What is new is told before that the name is lost, but only once: a publisher that goes on all
    /// the same would be followed for ever.
    fn tell_news(&mut self) -> WaitResult {
        if self.is_removed {
            return WaitResult::Removed;
        }
        if self.last_liveness_check.elapsed() >= SLICE {
            self.last_liveness_check = Instant::now();
            self.is_removed = self.reader.segment.is_name_lost();
        }
        WaitResult::New
    }

    /// Looks a while before sleeping: falling asleep and being woken costs many times as much, and
    /// where messages go to and fro the next is there before that.
    fn spin(&self) -> bool {
        let ring = self.reader.ring();
        (0..SPINS).any(|_| {
            std::hint::spin_loop();
            self.cursor.has_news(ring)
        })
    }

    fn is_marked_removed(&self) -> bool {
        let header = &self.reader.control().header;
        header.flags.load(Ordering::Relaxed) & flags::REMOVED != 0
    }

    /// Has a readiness notified when the last publisher or the name may have gone; at once if they have
    /// and this was not told.
    pub(crate) fn watch_for_an_end(&self, readiness: &Arc<Readiness>) -> io::Result<PathWatch> {
        let watch = self.reader.watch_for_an_end(readiness)?;
        // After it, so that nothing comes in between.
        let has_publisher = self.reader.has_publisher().unwrap_or(true);
        let may_tell = self.had_publisher || self.reader.ring().last() != self.looked_at;
        let is_name_lost = || self.is_marked_removed() || self.reader.segment.is_name_lost();
        if (may_tell && !has_publisher) || (!self.is_removed && is_name_lost()) {
            readiness.notify(LIVENESS);
        }
        Ok(watch)
    }

    /// Asks the kernel what no wake-up tells: whether a publisher lives, and the segment has a name.
    fn look_for_an_end(&mut self) -> Result<Option<WaitResult>, ReadError> {
        self.last_liveness_check = Instant::now();
        let reader = Arc::clone(&self.reader);
        let error = |error| ReadError::io(&reader.segment.key, "asking who is attached", error);
        if reader.mapping.was_truncated() {
            return Err(reader.truncated());
        }
        // Before the look: a publication after it is seen by the next.
        let last = reader.ring().last();
        let has_publisher = reader.has_publisher().map_err(error)?;
        // A publication may have come before its publisher's end: that goes first.
        if self.has_news() {
            return Ok(None);
        }
        let has_published = std::mem::replace(&mut self.looked_at, last) != last;
        let had_publisher = std::mem::replace(&mut self.had_publisher, has_publisher);
        if (had_publisher || has_published) && !has_publisher {
            return Ok(Some(WaitResult::PublisherGone));
        }
        self.is_removed = self.is_marked_removed() || self.reader.segment.is_name_lost();
        Ok(self.is_removed.then_some(WaitResult::Removed))
    }
}
