//! Why units of a semaphore were not acquired or released.

use thiserror::Error;

use crate::error::{ErrorCode, HeldBy, impl_parts};
use crate::key::Key;
use crate::layout::MAX_UNITS;
use crate::participant::Participant;

/// Why an operation of a [`Semaphore`](crate::Semaphore) failed.
#[derive(Debug, Error)]
#[error("semaphore \"{key}\": {kind}")]
pub struct SemaphoreError {
    key: Key,
    kind: SemaphoreErrorKind,
}

impl_parts!(SemaphoreError, SemaphoreErrorKind, no source);

/// What kept an operation of a [`Semaphore`](crate::Semaphore) from succeeding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SemaphoreErrorKind {
    /// Too few units became available before the timeout.
    #[error("timed out, units are held by {}", HeldBy(holder))]
    Timeout {
        /// Another process that holds units, if a record names one. Boxed, so that acquiring
        /// moves few bytes.
        holder: Option<Box<Participant>>,
    },
    /// More units than a semaphore can count would be available, or held by one handle.
    #[error("{units} units are too many (it counts to {MAX_UNITS})")]
    TooMany {
        /// How many units the operation was about.
        units: u32,
    },
    /// The segment was removed, moved away or replaced.
    #[error("segment was removed, moved away or replaced")]
    Removed,
    /// The handle was made before a fork, in another process.
    #[error("handle belongs to the parent process")]
    Forked,
}

impl SemaphoreErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Timeout { .. } => ErrorCode::Timeout,
            Self::TooMany { .. } => ErrorCode::InvalidArgument,
            Self::Removed => ErrorCode::Removed,
            Self::Forked => ErrorCode::Forked,
        }
    }
}
