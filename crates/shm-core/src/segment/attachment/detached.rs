//! A lock that is held without a guard, between one call and another.

use super::Attachment;
use super::raw_guard::{RawGuard, thread_token};
use crate::error::{LockError, LockErrorKind};
use crate::sync::Ordering;

/// The bit of [`Attachment::detached`] that is set while the lock is held without a guard. The
/// other bits are the state of the guard, such as [`RawGuard::ABANDONED`].
const DETACHED: u64 = 1 << 62;
/// The bit that is set if a change was announced, so that the release wakes the processes that wait
/// for it.
const ANNOUNCED: u64 = 1 << 61;

impl RawGuard<'_> {
    /// Ends the guard without releasing the lock; returns `true` if a holder died with it and no
    /// process has repaired since.
    pub(crate) fn detach(self) -> bool {
        let (abandoned, attachment) = (self.is_abandoned(), self.attachment());
        // Relaxed, here and below, because threads access the word under the lock.
        attachment
            .detached
            .store(self.into_state() | DETACHED, Ordering::Relaxed);
        abandoned
    }
}

impl Attachment {
    /// Releases the lock that this thread holds without a guard.
    pub(crate) fn unlock_detached(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.detached.store(0, Ordering::Relaxed);
        drop(RawGuard::from_state(self, state & !(DETACHED | ANNOUNCED)));
        if state & ANNOUNCED != 0 {
            self.wake_change_waiters();
        }
        Ok(())
    }

    /// Announces a change; the lock stays held.
    pub(crate) fn announce_detached(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.count_change();
        self.detached.store(state | ANNOUNCED, Ordering::Relaxed);
        Ok(())
    }

    /// Marks the data as whole again; the lock stays held.
    pub(crate) fn mark_repaired(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.detached
            .store(state & !RawGuard::ABANDONED, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the state that [`RawGuard::detach`] stored, if this thread called it.
    fn detached_state(&self) -> Result<u64, LockError> {
        if self.is_forked() {
            return Err(LockError::new(self.key(), LockErrorKind::Forked));
        }
        // Relaxed, because only the calling thread stores its own token.
        let is_holder = self.holding_thread.load(Ordering::Relaxed) == thread_token();
        match self.detached.load(Ordering::Relaxed) {
            state if is_holder && state & DETACHED != 0 => Ok(state),
            // A guard that holds the lock releases it itself, because its slices may be in use.
            _ => Err(LockError::new(self.key(), LockErrorKind::NotHeld)),
        }
    }

    /// Releases a lock that is held without a guard when the handle is dropped, whichever thread
    /// holds it, because no other thread has the handle any more. The data may be half-written, so
    /// the lock is left abandoned, as after a death. Detaching wakes all waiters afterwards.
    pub(super) fn abandon_detached(&self) {
        let state = self.detached.swap(0, Ordering::Relaxed);
        if state & DETACHED != 0 {
            let state = state & !(DETACHED | ANNOUNCED);
            drop(RawGuard::from_state(self, state | RawGuard::ABANDONED));
        }
    }
}
