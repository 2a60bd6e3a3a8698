//! Why units of a semaphore were not acquired, released or forgotten.

use std::error::Error;
use std::fmt;

use crate::error::{ErrorCode, write_forked, write_orphaned};
use crate::key::Key;
use crate::layout::MAX_UNITS;
use crate::segment::Attached;

/// Why an operation of a [`Semaphore`](crate::Semaphore) failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SemaphoreError {
    /// Too few units became available before the timeout.
    Timeout {
        /// The segment.
        key: Key,
        /// Another process that holds units, where a record names one. Boxed, so that acquiring
        /// moves few bytes.
        holder: Option<Box<Attached>>,
    },
    /// More units than a semaphore can count would be available, or held by one handle.
    TooMany {
        /// The segment.
        key: Key,
        /// How many units the operation was about.
        units: u32,
    },
    /// The segment was removed, moved away or replaced.
    Orphaned {
        /// The segment.
        key: Key,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
}

impl SemaphoreError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Timeout { .. } => ErrorCode::Timeout,
            Self::TooMany { .. } => ErrorCode::InvalidArgument,
            Self::Orphaned { .. } => ErrorCode::Orphaned,
            Self::Forked { .. } => ErrorCode::Forked,
        }
    }

    /// Returns `None`: no error of the operating system is behind it.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

impl fmt::Display for SemaphoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout {
                key,
                holder: Some(holder),
            } => write!(
                f,
                "The semaphore \"{key}\" has too few units: {} (pid {}) holds some. Wait for it, or end it.",
                holder.program, holder.process
            ),
            Self::Timeout { key, holder: None } => write!(
                f,
                "The semaphore \"{key}\" has too few units, and no other program holds any: wait for one to release some."
            ),
            Self::TooMany { key, units } => write!(
                f,
                "The semaphore \"{key}\" counts to {MAX_UNITS}: {units} units are too many."
            ),
            Self::Orphaned { key } => write_orphaned(f, key),
            Self::Forked { key } => write_forked(f, key),
        }
    }
}

impl Error for SemaphoreError {}
