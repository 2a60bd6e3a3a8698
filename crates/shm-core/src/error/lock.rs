//! Why the lock of a block was not taken, or not released.

use thiserror::Error;

use crate::error::{ErrorCode, HeldBy, impl_parts};
use crate::key::Key;
use crate::participant::Participant;

/// Why the lock of a block was not taken, or not released.
#[derive(Debug, Error)]
#[error("cannot lock segment \"{key}\": {kind}")]
pub struct LockError {
    key: Key,
    pub(crate) kind: LockErrorKind,
}

impl_parts!(LockError, LockErrorKind, no source);

/// What kept the lock of a block from being taken or released.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LockErrorKind {
    /// Another participant held it for longer than the timeout.
    #[error("timed out, held by {}", HeldBy(holder))]
    Timeout {
        /// The participant that held it, if a record names one. Boxed, so that taking the lock
        /// moves few bytes.
        holder: Option<Box<Participant>>,
    },
    /// It is held, and the caller did not want to wait.
    #[error("lock is held")]
    WouldBlock,
    /// The calling thread holds it already through this handle.
    #[error("lock is held by this thread already")]
    WouldDeadlock,
    /// The calling thread does not hold it through this handle, or holds it by a guard.
    #[error("lock is not held by this thread, or held by a guard")]
    NotHeld,
    /// The segment was removed, moved away or replaced.
    #[error("segment was removed, moved away or replaced")]
    Removed,
    /// There is no memory for a copy of the block.
    #[error("no memory for a copy of {bytes} bytes")]
    NoMemory {
        /// How many bytes a copy needs.
        bytes: usize,
    },
    /// The handle was made before a fork, in another process.
    #[error("handle belongs to the parent process")]
    Forked,
}

impl LockErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Timeout { .. } => ErrorCode::Timeout,
            Self::WouldBlock => ErrorCode::WouldBlock,
            Self::WouldDeadlock => ErrorCode::WouldDeadlock,
            Self::NotHeld => ErrorCode::NotHeld,
            Self::Removed => ErrorCode::Removed,
            Self::NoMemory { .. } => ErrorCode::NoMemory,
            Self::Forked => ErrorCode::Forked,
        }
    }
}
