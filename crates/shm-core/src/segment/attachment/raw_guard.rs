//! The lock of a segment, taken by who is attached.

use std::time::Duration;

use super::Attachment;
use super::unlink_check::UnlinkCheck;
use crate::deadline::Deadline;
use crate::error::{LockError, LockErrorKind};
use crate::layout;
use crate::lock::{self, AcquireError, HolderProbe, Owner};
use crate::segment::participants::{self, Participant};
use crate::sync::Ordering;
use crate::sys::{self, ByteLock};

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct RawGuard<'a> {
    attachment: &'a Attachment,
    /// What the handle's word goes back to, and [`ABANDONED`](Self::ABANDONED). One word, because
    /// a flag of its own would be moved in pieces, which costs as much as a lock.
    state: u64,
}

impl Attachment {
    /// Takes the lock if nobody has it.
    #[inline]
    pub(crate) fn try_lock(&self) -> Result<RawGuard<'_>, LockError> {
        match self.lock_fast() {
            Some(held) => Ok(held),
            None => self.try_lock_slow(),
        }
    }

    /// Takes the lock, waiting for it until the deadline, which is asked for only where there is a wait.
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

    /// Takes the lock where nothing at all stands in the way, and no look at the clock is due.
    ///
    /// So small that it becomes part of its caller: what is passed through memory must be written
    /// before the lock is let go again, and that took a third of the time of both.
    #[inline]
    fn lock_fast(&self) -> Option<RawGuard<'_>> {
        let state = self.holding_thread.load(Ordering::Relaxed);
        let is_unwatched = (1..=UnlinkCheck::MAX_SKIPS).contains(&state);
        if !is_unwatched || self.is_forked() || self.is_marked_removed() {
            return None;
        }
        lock::take_free(&self.control().header.lock, self.me).then(|| self.held(false, state - 1))
    }

    #[inline(never)]
    fn try_lock_slow(&self) -> Result<RawGuard<'_>, LockError> {
        let unwatched = self.check_caller()?;
        match lock::try_acquire(&self.control().header.lock, self.me) {
            Some(taken) => Ok(self.held(taken.abandoned, unwatched)),
            None => self.try_take_over(unwatched),
        }
    }

    #[inline(never)]
    fn lock_slow(&self, deadline: impl FnOnce() -> Deadline) -> Result<RawGuard<'_>, LockError> {
        let unwatched = self.check_caller()?;
        match lock::acquire(&self.control().header.lock, self.me, deadline, self) {
            Ok(taken) => Ok(self.held(taken.abandoned, unwatched)),
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

    /// A lock that is not free may still be a dead holder's: asked at once, not after a wait.
    #[cold]
    fn try_take_over(&self, unwatched: u64) -> Result<RawGuard<'_>, LockError> {
        match lock::acquire(
            &self.control().header.lock,
            self.me,
            || Deadline::after(Duration::ZERO),
            self,
        ) {
            Ok(taken) => Ok(self.held(taken.abandoned, unwatched)),
            Err(AcquireError::Aborted) => Err(LockError::new(self.key(), LockErrorKind::Removed)),
            Err(AcquireError::TimedOut(_)) => {
                Err(LockError::new(self.key(), LockErrorKind::WouldBlock))
            }
        }
    }

    #[inline]
    fn held(&self, abandoned: bool, unwatched: u64) -> RawGuard<'_> {
        self.holding_thread.store(thread_token(), Ordering::Relaxed);
        RawGuard {
            attachment: self,
            state: unwatched | if abandoned { RawGuard::ABANDONED } else { 0 },
        }
    }

    /// Checks that locking makes sense here; how many locks may follow without a look at the clock.
    fn check_caller(&self) -> Result<u64, LockError> {
        // Only the calling thread itself ever stores its own token, so Relaxed shows it the truth.
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

    /// Checks the name where that is due: `None` if it is lost, else how often this is not to be
    /// asked again.
    #[cold]
    pub(crate) fn poll_name(&self) -> Option<u64> {
        match self.unlink_check.poll_name() {
            None if self.check_name() => None,
            skip_budget => Some(skip_budget.unwrap_or(0)),
        }
    }

    /// Asks the kernel whether the holder of a slot lives.
    pub(crate) fn is_slot_held(&self, slot: u8) -> bool {
        // A lock of one's own open file is never reported; one's own slot lives by definition.
        if slot == self.me.slot() {
            return true;
        }
        let byte = layout::slot_byte(slot.into());
        // Where the kernel does not answer, nobody is declared dead.
        sys::refusing_lock(&self.segment.file, byte..byte + 1, ByteLock::Read)
            .map_or(true, |lock| lock.is_some())
    }

    /// What the holder of a slot says of itself.
    pub(crate) fn holder_of(&self, slot: u8) -> Option<Participant> {
        participants::holder_of(&self.segment.file, layout::slot_byte(slot.into()))
    }

    /// Why locking makes no sense here.
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

    /// The guard of a lock that is held: what [`into_state`](Self::into_state) has ended.
    pub(super) fn from_state(attachment: &'a Attachment, state: u64) -> Self {
        Self { attachment, state }
    }

    /// Ends the guard without letting go of the lock.
    pub(super) fn into_state(self) -> u64 {
        std::mem::ManuallyDrop::new(self).state
    }

    pub(super) fn attachment(&self) -> &'a Attachment {
        self.attachment
    }

    /// Returns `true` if a holder died, and nobody has repaired since.
    #[inline]
    pub(crate) fn is_abandoned(&self) -> bool {
        self.state & Self::ABANDONED != 0
    }

    /// Says that the data is whole again.
    #[inline]
    pub(crate) fn repaired(&mut self) {
        self.state &= !Self::ABANDONED;
    }
}

impl Drop for RawGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A guard that came along through a fork: the lock is the parent's.
        if self.attachment.is_forked() {
            return;
        }
        let word = &self.attachment.holding_thread;
        word.store(self.state & !Self::ABANDONED, Ordering::Relaxed);
        lock::release(&self.attachment.control().header.lock, self.is_abandoned());
    }
}

/// A number that differs from thread to thread of a process, and is never 0.
#[inline]
pub(super) fn thread_token() -> u64 {
    thread_local!(static ANCHOR: u8 = const { 0 });
    ANCHOR.with(|anchor| std::ptr::from_ref(anchor).addr() as u64)
}
