//! Why the lock was not taken, or not let go.

use std::error::Error;
use std::fmt;

use crate::error::{ErrorCode, write_forked, write_no_memory, write_orphaned};
use crate::key::Key;
use crate::segment::Attached;

/// Why the lock was not taken, or not let go.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody held it for longer than the caller's patience.
    Timeout {
        /// The segment.
        key: Key,
        /// Who held it, where a record tells. Boxed, so that taking the lock moves few bytes.
        holder: Option<Box<Attached>>,
    },
    /// Somebody holds it, and the caller did not want to wait.
    WouldBlock {
        /// The segment.
        key: Key,
    },
    /// The calling thread holds it already through this very handle.
    WouldDeadlock {
        /// The segment.
        key: Key,
    },
    /// The calling thread does not hold it through this handle, or holds it by a guard.
    NotHeld {
        /// The segment.
        key: Key,
    },
    /// The segment was removed while the caller waited.
    Orphaned {
        /// The segment.
        key: Key,
    },
    /// There is no memory for a copy of the block.
    NoMemory {
        /// The segment.
        key: Key,
        /// How many bytes a copy needs.
        bytes: usize,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
}

impl LockError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Timeout { .. } => ErrorCode::Timeout,
            Self::WouldBlock { .. } => ErrorCode::WouldBlock,
            Self::WouldDeadlock { .. } => ErrorCode::WouldDeadlock,
            Self::NotHeld { .. } => ErrorCode::NotHeld,
            Self::Orphaned { .. } => ErrorCode::Orphaned,
            Self::NoMemory { .. } => ErrorCode::NoMemory,
            Self::Forked { .. } => ErrorCode::Forked,
        }
    }

    /// Returns `None`: no error of the operating system is behind it.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout {
                key,
                holder: Some(holder),
            } => write!(
                f,
                "The lock of the segment \"{key}\" is held by {} (pid {}): wait for it, or end it.",
                holder.program, holder.process
            ),
            Self::Timeout { key, holder: None } => {
                write!(
                    f,
                    "The lock of the segment \"{key}\" is held by another program: wait for it, or end it."
                )
            }
            Self::WouldBlock { key } => {
                write!(
                    f,
                    "The lock of the segment \"{key}\" is held at the moment: try again, or wait for it."
                )
            }
            Self::WouldDeadlock { key } => write!(
                f,
                "This thread holds the lock of the segment \"{key}\" already: let go of the first guard before locking again."
            ),
            Self::NotHeld { key } => write!(
                f,
                "This thread does not hold the lock of the segment \"{key}\" through this handle, or holds it by a guard: \
                 lock it first, or drop the guard."
            ),
            Self::Orphaned { key } => write_orphaned(f, key),
            Self::NoMemory { key, bytes } => write_no_memory(f, key, *bytes),
            Self::Forked { key } => write_forked(f, key),
        }
    }
}

impl Error for LockError {}
