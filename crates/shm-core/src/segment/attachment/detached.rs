//! A lock that is held without a guard, between one call and another.

use super::Attachment;
use super::raw_guard::{RawGuard, thread_token};
use crate::error::{LockError, LockErrorKind};
use crate::sync::Ordering;

/// In [`Attachment::detached`]: the lock is held without a guard. Beside it stands what the guard
/// kept, [`RawGuard::ABANDONED`] among it.
const DETACHED: u64 = 1 << 62;
/// Beside it: a change was announced, and the processes that wait for it are to be woken.
const ANNOUNCED: u64 = 1 << 61;

impl RawGuard<'_> {
    /// Keeps the lock when the guard ends; returns `true` if a holder died with it and nobody has
    /// repaired since.
    pub(crate) fn detach(self) -> bool {
        let (abandoned, attachment) = (self.is_abandoned(), self.attachment());
        // Relaxed, here and below: threads pass the word on under the lock.
        attachment
            .detached
            .store(self.into_state() | DETACHED, Ordering::Relaxed);
        abandoned
    }
}

impl Attachment {
    /// Lets go of the lock that this thread holds without a guard.
    pub(crate) fn unlock_detached(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.detached.store(0, Ordering::Relaxed);
        drop(RawGuard::from_state(self, state & !(DETACHED | ANNOUNCED)));
        if state & ANNOUNCED != 0 {
            self.wake_waiting();
        }
        Ok(())
    }

    /// Announces a change of what the lock guards, which stays held.
    pub(crate) fn announce_detached(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.count_change();
        self.detached.store(state | ANNOUNCED, Ordering::Relaxed);
        Ok(())
    }

    /// Says that the data is whole again; the lock stays held.
    pub(crate) fn mark_repaired(&self) -> Result<(), LockError> {
        let state = self.detached_state()?;
        self.detached
            .store(state & !RawGuard::ABANDONED, Ordering::Relaxed);
        Ok(())
    }

    /// What [`RawGuard::detach`] left, if it was this thread that called it.
    fn detached_state(&self) -> Result<u64, LockError> {
        if self.is_forked() {
            return Err(LockError::new(self.key(), LockErrorKind::Forked));
        }
        // Only the calling thread itself ever stores its own token, so Relaxed shows it the truth.
        let is_holder = self.holding_thread.load(Ordering::Relaxed) == thread_token();
        match self.detached.load(Ordering::Relaxed) {
            state if is_holder && state & DETACHED != 0 => Ok(state),
            // Where a guard holds it, the guard lets go: slices live as long.
            _ => Err(LockError::new(self.key(), LockErrorKind::NotHeld)),
        }
    }

    /// Lets go of a lock that is held without a guard when the handle ends: of whichever thread,
    /// because no other has the handle any more. What the lock guards may be half-written, so the
    /// next holder is told what it would be told after a death. Detaching wakes all sleepers anyway.
    pub(super) fn abandon_detached(&self) {
        let state = self.detached.swap(0, Ordering::Relaxed);
        if state & DETACHED != 0 {
            let state = state & !(DETACHED | ANNOUNCED);
            drop(RawGuard::from_state(self, state | RawGuard::ABANDONED));
        }
    }
}
