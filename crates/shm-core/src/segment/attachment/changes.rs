//! The word that counts the announced changes of a block, and the sleep on it.

use std::time::Duration;

use super::Attachment;
use super::raw_guard::RawGuard;
use crate::deadline::Deadline;
use crate::sync::{Ordering, SPINS};
use crate::sys;

/// A wait looks again at least this often: for what makes no wake-up, such as a lost name.
const SLICE: Duration = Duration::from_secs(1);

impl RawGuard<'_> {
    /// Lets go of the lock, and wakes the processes that wait for a change. In this order, because
    /// they take the lock first of all.
    pub(crate) fn announce(self) {
        let attachment = self.attachment();
        // A guard that came along through a fork: there is nothing that this process has changed.
        if attachment.is_forked() {
            return;
        }
        attachment.count_change();
        drop(self);
        attachment.wake_waiting();
    }
}

impl Attachment {
    /// How many changes were announced; wraps.
    #[inline]
    pub(crate) fn changes(&self) -> u32 {
        // Relaxed, because it says nothing of the bytes: these are read under the lock.
        self.control().header.changes.load(Ordering::Relaxed)
    }

    /// Raises the word; the caller holds the lock.
    pub(super) fn count_change(&self) {
        let changes = &self.control().header.changes;
        changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Wakes the processes that wait for a change.
    pub(super) fn wake_waiting(&self) {
        sys::wake_all(&self.control().header.changes);
    }

    /// Sleeps while the word is `seen`, for a second at most. May return early for no reason.
    ///
    /// Looks a while before: falling asleep and being woken costs many times as much.
    pub(crate) fn sleep_until_changed(&self, seen: u32, deadline: Deadline) {
        let has_changed = (0..SPINS).any(|_| {
            std::hint::spin_loop();
            self.changes() != seen
        });
        if !has_changed {
            let word = &self.control().header.changes;
            sys::wait(word, seen, deadline.remaining(SLICE));
        }
    }
}
