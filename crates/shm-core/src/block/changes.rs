//! Announcing changes of a block to other processes, and waiting for announcements.

use std::time::Duration;

use super::{Attach, Block, Guard, ReadWrite};
use crate::deadline::Deadline;
use crate::error::{LockError, LockErrorKind};
use crate::sys;

/// Why a wait for a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Changes were announced; the count so far, for the next wait.
    Announced(u32),
    /// The block was removed, renamed or replaced: no more changes are announced in it.
    Removed,
    /// The timeout expired.
    Timeout,
}

impl Guard<'_, ReadWrite> {
    /// Releases the lock, and wakes the threads of all processes that
    /// [wait](Block::wait_for_change) for a change of the block.
    ///
    /// Dropping the guard announces nothing, so that an uncontended release makes no system call.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use shm_core::{Change, Key, Options, Block};
    ///
    /// let options = Options::new().directory(directory.path());
    /// let key = Key::new("counter")?;
    /// let ours = Block::create(&key, 64, &options)?;
    /// let theirs = Block::attach_read_only(&key, &options)?;
    ///
    /// let seen = theirs.changes(); // before the bytes are read: no change is missed
    /// let mut guard = ours.lock()?.ignore_abandonment();
    /// guard[0] = 42;
    /// guard.announce();
    ///
    /// assert_eq!(theirs.wait_for_change(seen, None)?, Change::Announced(seen + 1));
    /// assert_eq!(theirs.lock()?.ignore_abandonment()[0], 42);
    /// # Ok(()) }
    /// ```
    pub fn announce(self) {
        self.raw.announce();
    }
}

impl Block<ReadWrite> {
    /// Announces a change while this thread holds the lock [without a guard](Self::lock_detached).
    /// The threads that [wait](Self::wait_for_change) for one are woken when the lock is released.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NotHeld`] if this thread does not hold the lock, or holds it by a guard,
    /// which has [`announce`](Guard::announce) of its own; [`LockErrorKind::Forked`] in a forked
    /// child.
    pub fn announce(&self) -> Result<(), LockError> {
        self.attachment.announce_detached()
    }
}

impl<A: Attach> Block<A> {
    /// Returns how many changes of the block were announced since it was created, modulo 2^32.
    /// Makes no system call, so it suits polling.
    #[inline]
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.attachment.changes()
    }

    /// Blocks until more changes were announced than `seen`, for at most `timeout` (forever if
    /// `None`).
    ///
    /// `seen` is what [`changes`](Self::changes) returned before the bytes were read, or what the
    /// last wait returned; if changes were announced since, it returns at once. Several threads may
    /// wait through one handle. A thread that waits while it holds the lock keeps others from
    /// changing anything.
    ///
    /// The removal of the block ends the wait: at once if it was removed with
    /// [`segment::remove`](crate::segment::remove), within a second if its file was removed or
    /// renamed. A change by a process that died before it woke the waiters is noticed within a
    /// second, too.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Forked`] in a forked child.
    pub fn wait_for_change(
        &self,
        seen: u32,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Change, LockError> {
        if self.attachment.is_forked() {
            return Err(LockError::new(self.key(), LockErrorKind::Forked));
        }
        let (attachment, deadline) = (&self.attachment, Deadline::after_option(timeout.into()));
        loop {
            // Untrusted input, which only decides when a wait ends; nothing is computed from it.
            let now = attachment.changes();
            if now != seen {
                return Ok(Change::Announced(now));
            }
            if attachment.is_marked_removed() || attachment.is_found_removed(sys::monotonic_nanos())
            {
                return Ok(Change::Removed);
            }
            if deadline.is_over() {
                return Ok(Change::Timeout);
            }
            attachment.sleep_until_changed(seen, deadline);
            // Woken without a change: a process has detached or removed the block.
            if attachment.changes() == seen && attachment.is_removed() {
                return Ok(Change::Removed);
            }
        }
    }
}
