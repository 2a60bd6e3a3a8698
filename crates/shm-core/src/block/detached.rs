//! Lock and unlock as two calls, and the address of the bytes: for callers that cannot keep a guard.

use std::time::Duration;

use super::{Attach, Block, ReadWrite};
use crate::deadline::Deadline;
use crate::error::LockError;

/// The state of a block whose lock was taken without a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// The last holder released the lock.
    Clean,
    /// A holder died with the lock and no process has [repaired](Block::mark_repaired) the bytes since:
    /// they may be half-written.
    Abandoned,
}

impl LockState {
    fn new(is_abandoned: bool) -> Self {
        if is_abandoned {
            Self::Abandoned
        } else {
            Self::Clean
        }
    }
}

/// The lock without a guard: for languages without lifetimes, and for interfaces such as Qt's. In
/// Rust, [`lock`](Block::lock) is safer.
///
/// It is one lock, whichever way it is taken, and the thread that takes it lets it go. A thread that
/// ends before that leaves it held. A handle that is dropped before that lets it go, and leaves it
/// abandoned, as the death of its process does: the bytes may be half-written.
impl<A: Attach> Block<A> {
    /// Takes the lock and keeps it until [`unlock_detached`](Self::unlock_detached); waits for it up
    /// to `timeout`, forever if `None`.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`](crate::LockErrorKind::Timeout) if another process or thread holds it for too long,
    /// [`LockErrorKind::WouldDeadlock`](crate::LockErrorKind::WouldDeadlock) if this thread holds it already through this handle, by a guard
    /// or without; and those of [`lock`](Self::lock).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use shm_core::{Block, Key, LockErrorKind, LockState, Options};
    ///
    /// let options = Options::new().directory(directory.path());
    /// let block = Block::create(&Key::new("counter")?, 64, &options)?;
    ///
    /// if block.lock_detached(None)? == LockState::Abandoned {
    ///     // Make the bytes whole again, then:
    ///     block.mark_repaired()?;
    /// }
    /// // SAFETY: this thread holds the lock, has no guard, and stays within the block.
    /// unsafe { block.as_mut_ptr().write(42) };
    /// block.unlock_detached()?;
    ///
    /// assert_eq!(block.lock()?.ignore_abandonment()[0], 42);
    /// assert_eq!(block.unlock_detached().unwrap_err().kind(), &LockErrorKind::NotHeld);
    /// # Ok(()) }
    /// ```
    pub fn lock_detached(
        &self,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<LockState, LockError> {
        let timeout = timeout.into();
        let raw = self.attachment.lock(|| Deadline::after_option(timeout))?;
        Ok(LockState::new(raw.detach()))
    }

    /// Takes the lock if no living process or thread has it, and keeps it until
    /// [`unlock_detached`](Self::unlock_detached). Returns what
    /// [`lock_detached`](Self::lock_detached) returns.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::WouldBlock`](crate::LockErrorKind::WouldBlock) if another process or thread holds it; and those of
    /// [`lock`](Self::lock).
    pub fn try_lock_detached(&self) -> Result<LockState, LockError> {
        Ok(LockState::new(self.attachment.try_lock()?.detach()))
    }

    /// Lets go of the lock that this thread took with [`lock_detached`](Self::lock_detached) or
    /// [`try_lock_detached`](Self::try_lock_detached).
    ///
    /// Works on a block that was removed, too.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NotHeld`](crate::LockErrorKind::NotHeld) if this thread does not hold it so: not at all, through another handle,
    /// or by a guard; [`LockErrorKind::Forked`](crate::LockErrorKind::Forked) in a forked child.
    pub fn unlock_detached(&self) -> Result<(), LockError> {
        self.attachment.unlock_detached()
    }

    /// Returns the address of the block's first byte; [`size`](Self::size) bytes are mapped there.
    ///
    /// The address stays the same while the handle lives, also when the handle is moved. Other
    /// processes change the bytes: reading them is defined only while the lock is held through this
    /// handle. Dereferencing takes `unsafe`, and that is its condition.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.mapped.mapping().as_ptr()
    }
}

impl Block<ReadWrite> {
    /// Says that the bytes are whole again after a holder's death; the next holder is not told any
    /// more. The lock stays held.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NotHeld`](crate::LockErrorKind::NotHeld) if this thread does not hold the lock, or holds it by a guard;
    /// [`LockErrorKind::Forked`](crate::LockErrorKind::Forked) in a forked child.
    pub fn mark_repaired(&self) -> Result<(), LockError> {
        self.attachment.mark_repaired()
    }

    /// Returns the address of the block's first byte, for reading and writing.
    ///
    /// What [`as_ptr`](Self::as_ptr) says goes for this, too. Reading and writing are defined only
    /// while the lock is held through this handle, and writing only while no slice of a guard is in
    /// use.
    #[must_use]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.mapped.0.as_mut_ptr()
    }
}
