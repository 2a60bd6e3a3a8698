//! The lock of a segment, acquired through an attachment.

use std::time::Duration;

use super::Attachment;
use super::unlink_check::UnlinkCheck;
use crate::deadline::Deadline;
use crate::error::{LockError, LockErrorKind};
use crate::layout;
use crate::lock::{self, AcquireError, HolderProbe, Owner};
use crate::participant::Participant;
use crate::segment::participants;
use crate::sync::Ordering;
use crate::sys::{self, ByteLock};

/// The guard of the lock, which releases it when it is dropped.
#[derive(Debug)]
pub(crate) struct RawGuard<'a> {
    attachment: &'a Attachment,
    /// The value that `holding_thread` gets at the release, and [`ABANDONED`](Self::ABANDONED). One
    /// word, because a separate flag would be moved in pieces, which costs as much as a lock.
    state: u64,
}

impl Attachment {
    /// Acquires the lock if no process holds it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Result<RawGuard<'_>, LockError> {
        match self.lock_fast() {
            Some(held) => Ok(held),
            None => self.try_lock_slow(),
        }
    }

    /// Acquires the lock; waits for it until the deadline, which is computed only if there is a
    /// wait.
    #[inline]
    pub(crate) fn lock(
        &self,
        deadline: impl FnOnce() -> Deadline,
    ) -> Result<RawGuard<'_>, LockError> {
        match self.lock_fast() {
            Some(held) => Ok(held),
            None => self.lock_slow(deadline),
        }
    }

    /// Acquires the lock if it is free and unabandoned, and reading the clock is not due.
    ///
    /// Small, so that it is inlined: values passed through memory would have to be written before
    /// the lock is released, which took a third of the time of acquire and release.
    #[inline]
    fn lock_fast(&self) -> Option<RawGuard<'_>> {
        let state = self.holding_thread.load(Ordering::Relaxed);
        let skips_clock = (1..=UnlinkCheck::MAX_SKIPS).contains(&state);
        if !skips_clock || self.is_forked() || self.is_marked_removed() {
            return None;
        }
        lock::take_free(&self.control().header.lock, self.me).then(|| self.held(false, state - 1))
    }

    #[inline(never)]
    fn try_lock_slow(&self) -> Result<RawGuard<'_>, LockError> {
        let skip_budget = self.check_caller()?;
        match lock::try_acquire(&self.control().header.lock, self.me) {
            Some(acquired) => Ok(self.held(acquired.abandoned, skip_budget)),
            None => self.try_take_over(skip_budget),
        }
    }

    #[inline(never)]
    fn lock_slow(&self, deadline: impl FnOnce() -> Deadline) -> Result<RawGuard<'_>, LockError> {
        let skip_budget = self.check_caller()?;
        match lock::acquire(&self.control().header.lock, self.me, deadline, self) {
            Ok(acquired) => Ok(self.held(acquired.abandoned, skip_budget)),
            Err(acquire_error) => Err(self.acquire_error(acquire_error)),
        }
    }

    #[cold]
    fn acquire_error(&self, why: AcquireError) -> LockError {
        match why {
            AcquireError::Aborted => LockError::new(self.key(), LockErrorKind::Removed),
            AcquireError::TimedOut(holder) => self.timeout_error(holder),
        }
    }

    /// Acquires a lock that is not free if its holder is dead, which is checked at once, without a
    /// wait.
    #[cold]
    fn try_take_over(&self, skip_budget: u64) -> Result<RawGuard<'_>, LockError> {
        match lock::acquire(
            &self.control().header.lock,
            self.me,
            || Deadline::after(Duration::ZERO),
            self,
        ) {
            Ok(acquired) => Ok(self.held(acquired.abandoned, skip_budget)),
            Err(AcquireError::Aborted) => Err(LockError::new(self.key(), LockErrorKind::Removed)),
            Err(AcquireError::TimedOut(_)) => {
                Err(LockError::new(self.key(), LockErrorKind::WouldBlock))
            }
        }
    }

    #[inline]
    fn held(&self, abandoned: bool, skip_budget: u64) -> RawGuard<'_> {
        self.holding_thread.store(thread_token(), Ordering::Relaxed);
        RawGuard {
            attachment: self,
            state: skip_budget | if abandoned { RawGuard::ABANDONED } else { 0 },
        }
    }

    /// Checks that the caller may lock; returns how many acquisitions may follow without reading
    /// the clock.
    fn check_caller(&self) -> Result<u64, LockError> {
        // Relaxed, because only the calling thread stores its own token.
        let state = self.holding_thread.load(Ordering::Relaxed);
        if self.is_forked() || state == thread_token() || self.is_marked_removed() {
            return Err(self.refusal());
        }
        match state {
            0 => self.watch_name(),
            1..=UnlinkCheck::MAX_SKIPS => Ok(state - 1),
            // Another thread holds the lock.
            _ => Ok(0),
        }
    }

    #[cold]
    fn watch_name(&self) -> Result<u64, LockError> {
        self.poll_name().ok_or_else(|| self.refusal())
    }

    /// Checks the name if that is due: returns `None` if it is lost, else how many checks may be
    /// skipped.
    #[cold]
    pub(crate) fn poll_name(&self) -> Option<u64> {
        match self.unlink_check.poll_name() {
            None if self.check_name() => None,
            skip_budget => Some(skip_budget.unwrap_or(0)),
        }
    }

    /// Asks the kernel whether the holder of a slot is alive.
    pub(crate) fn is_slot_held(&self, slot: u8) -> bool {
        // The kernel does not report locks of the caller's own open file.
        if slot == self.me.slot() {
            return true;
        }
        let byte = layout::slot_byte(slot.into());
        // If the kernel does not answer, the holder counts as alive.
        sys::refusing_lock(&self.segment.file, byte..byte + 1, ByteLock::Read)
            .map_or(true, |lock| lock.is_some())
    }

    /// Reads what the holder of a slot reports about itself.
    pub(crate) fn holder_of(&self, slot: u8) -> Option<Participant> {
        participants::holder_of(&self.segment.file, layout::slot_byte(slot.into()))
    }

    /// Returns why the caller may not lock.
    #[cold]
    fn refusal(&self) -> LockError {
        if self.is_forked() {
            LockError::new(self.key(), LockErrorKind::Forked)
        } else if self.holding_thread.load(Ordering::Relaxed) == thread_token() {
            LockError::new(self.key(), LockErrorKind::WouldDeadlock)
        } else {
            LockError::new(self.key(), LockErrorKind::Removed)
        }
    }

    #[cold]
    fn timeout_error(&self, holder: Option<Owner>) -> LockError {
        let holder = holder.and_then(|owner| self.holder_of(owner.slot()));
        LockError::new(
            self.key(),
            LockErrorKind::Timeout {
                holder: holder.map(Box::new),
            },
        )
    }
}

impl HolderProbe for Attachment {
    fn is_alive(&self, holder: Owner) -> bool {
        self.is_slot_held(holder.slot())
    }

    fn should_abort(&self) -> bool {
        self.is_removed()
    }
}

impl<'a> RawGuard<'a> {
    pub(super) const ABANDONED: u64 = 1 << 63;

    /// Creates the guard of a lock that is held; the inverse of [`into_state`](Self::into_state).
    pub(super) fn from_state(attachment: &'a Attachment, state: u64) -> Self {
        Self { attachment, state }
    }

    /// Ends the guard without releasing the lock.
    pub(super) fn into_state(self) -> u64 {
        std::mem::ManuallyDrop::new(self).state
    }

    pub(super) fn attachment(&self) -> &'a Attachment {
        self.attachment
    }

    /// Returns `true` if a holder died, and no process has repaired since.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state & Self::ABANDONED != 0
    }

    /// Marks the data as whole again.
    #[inline]
    pub(crate) fn repaired(&mut self) {
        self.state &= !Self::ABANDONED;
    }
}

impl Drop for RawGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // In a forked child, the lock is the parent's.
        if self.attachment.is_forked() {
            return;
        }
        let word = &self.attachment.holding_thread;
        word.store(self.state & !Self::ABANDONED, Ordering::Relaxed);
        lock::release(&self.attachment.control().header.lock, self.is_abandoned());
    }
}

/// Returns a number that is unique among the threads of a process, and never 0.
#[inline]
pub(super) fn thread_token() -> u64 {
    thread_local!(static ANCHOR: u8 = const { 0 });
    ANCHOR.with(|anchor| std::ptr::from_ref(anchor).addr() as u64)
}
