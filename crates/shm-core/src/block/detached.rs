//! Locking and unlocking as two calls, and the address of the bytes, for callers that cannot keep a
//! guard.

use std::time::Duration;

use super::{Attach, Block, ReadWrite};
use crate::deadline::Deadline;
use crate::error::LockError;
#[cfg(doc)]
use crate::error::LockErrorKind;

/// The state of a block whose lock was acquired without a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// The last holder released the lock.
    Clean,
    /// A holder died with the lock and no process has [repaired](Block::mark_repaired) the bytes
    /// since: they may be half-written.
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
/// It is the same lock as that of the guards, and the thread that acquires it releases it. A thread
/// that ends before that leaves it held. A handle that is dropped before that releases it and
/// leaves it abandoned, as the death of its process does: the bytes may be half-written.
impl<A: Attach> Block<A> {
    /// Acquires the lock and keeps it until [`unlock_detached`](Self::unlock_detached); blocks for
    /// at most `timeout` (forever if `None`).
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`](crate::LockErrorKind::Timeout) if another process or thread holds
    /// it for too long, [`LockErrorKind::WouldDeadlock`](crate::LockErrorKind::WouldDeadlock) if
    /// this thread holds it already through this handle, by a guard or without; and those of
    /// [`lock`](Self::lock).
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

    /// Acquires the lock if no live process or thread holds it, and keeps it until
    /// [`unlock_detached`](Self::unlock_detached). Does not block; returns what
    /// [`lock_detached`](Self::lock_detached) returns.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::WouldBlock`](crate::LockErrorKind::WouldBlock) if another process or thread
    /// holds it; and those of [`lock`](Self::lock).
    pub fn try_lock_detached(&self) -> Result<LockState, LockError> {
        Ok(LockState::new(self.attachment.try_lock()?.detach()))
    }

    /// Releases the lock that this thread acquired with [`lock_detached`](Self::lock_detached) or
    /// [`try_lock_detached`](Self::try_lock_detached).
    ///
    /// Also works after the block was removed.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NotHeld`](crate::LockErrorKind::NotHeld) if this thread does not hold it
    /// without a guard through this handle (it may hold it by a guard, or through another handle);
    /// [`LockErrorKind::Forked`](crate::LockErrorKind::Forked) in a forked child.
    pub fn unlock_detached(&self) -> Result<(), LockError> {
        self.attachment.unlock_detached()
    }

    /// Returns the address of the block's first byte; [`size`](Self::size) bytes are mapped there.
    ///
    /// The address stays the same while the handle lives, also when the handle is moved. Other
    /// processes change the bytes, so reading them is defined only while the lock is held through
    /// this handle. The caller's `unsafe` code that dereferences the address has to ensure that.
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.mapped.mapping().as_ptr()
    }
}

impl Block<ReadWrite> {
    /// Marks the bytes as whole again after a holder's death, so that the next holder acquires a
    /// clean lock. The lock stays held.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NotHeld`](crate::LockErrorKind::NotHeld) if this thread does not hold the
    /// lock, or holds it by a guard; [`LockErrorKind::Forked`](crate::LockErrorKind::Forked) in a
    /// forked child.
    pub fn mark_repaired(&self) -> Result<(), LockError> {
        self.attachment.mark_repaired()
    }

    /// Returns the address of the block's first byte, for reading and writing.
    ///
    /// The conditions of [`as_ptr`](Self::as_ptr) apply. Reading and writing are defined only while
    /// the lock is held through this handle, and writing only while no slice of a guard is in use.
    #[must_use]
    pub fn as_mut_ptr(&self) -> *mut u8 {
        self.mapped.0.as_mut_ptr()
    }
}
