//! The word that counts the announced changes of a block, and waiting on it.

use std::time::Duration;

use super::Attachment;
use super::raw_guard::RawGuard;
use crate::deadline::Deadline;
use crate::sync::{Ordering, SPINS};
use crate::sys;

/// The longest sleep, after which a wait checks what causes no wake-up, such as a lost name.
const SLICE: Duration = Duration::from_secs(1);

impl RawGuard<'_> {
    /// Releases the lock, then wakes the processes that wait for a change, which acquire the lock
    /// first.
    pub(crate) fn announce(self) {
        let attachment = self.attachment();
        // In a forked child, the guard is the parent's, and this process has changed nothing.
        if attachment.is_forked() {
            return;
        }
        attachment.count_change();
        drop(self);
        attachment.wake_change_waiters();
    }
}

impl Attachment {
    /// Returns how many changes were announced; wraps.
    #[inline]
    pub(crate) fn changes(&self) -> u32 {
        // Relaxed, because it orders nothing: the bytes are read under the lock.
        self.control().header.changes.load(Ordering::Relaxed)
    }

    /// Increments the count; the caller holds the lock.
    pub(super) fn count_change(&self) {
        let changes = &self.control().header.changes;
        changes.fetch_add(1, Ordering::Relaxed);
    }

    /// Wakes the processes that wait for a change.
    pub(super) fn wake_change_waiters(&self) {
        sys::wake_all(&self.control().header.changes);
    }

    /// Blocks while the count is `seen`, for at most a second. May return spuriously.
    ///
    /// Spins first, because falling asleep and being woken costs many times as much.
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
