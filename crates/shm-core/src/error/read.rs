//! Why a sample could not be read.

use std::io;

use thiserror::Error;

use crate::error::{ErrorCode, InvalidSample, impl_parts};
use crate::key::Key;

/// Why a sample could not be read.
#[derive(Debug, Error)]
#[error("cannot read segment \"{key}\": {kind}")]
pub struct ReadError {
    key: Key,
    pub(crate) kind: ReadErrorKind,
    source: Option<io::Error>,
}

impl_parts!(ReadError, ReadErrorKind);

/// What kept a sample from being read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The segment's bytes contradict its layout.
    #[error("invalid sample: {0}")]
    Invalid(InvalidSample),
    /// Another program truncated the file.
    #[error("segment was cut short")]
    Truncated,
    /// The latest sample could not be pinned in time, because another process locks its region.
    #[error("latest sample is locked by another process")]
    Busy,
    /// There is no memory for a copy.
    #[error("no memory for a copy of {bytes} bytes")]
    NoMemory {
        /// How many bytes a copy needs.
        bytes: usize,
    },
    /// The payload does not have the length of the requested value.
    #[error("payload has {bytes} bytes, value has {wanted}")]
    Size {
        /// The payload's length in bytes.
        bytes: usize,
        /// The value's length in bytes.
        wanted: usize,
    },
    /// The handle was made before a fork, in another process.
    #[error("handle belongs to the parent process")]
    Forked,
    /// Another operation of the operating system failed; the source has the details.
    #[error("{doing} failed")]
    Io {
        /// The operation.
        doing: &'static str,
    },
}

impl ReadErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::Invalid,
            Self::Truncated => ErrorCode::Truncated,
            Self::Busy => ErrorCode::Busy,
            Self::NoMemory { .. } => ErrorCode::NoMemory,
            Self::Size { .. } => ErrorCode::InvalidArgument,
            Self::Forked => ErrorCode::Forked,
            Self::Io { .. } => ErrorCode::System,
        }
    }
}

impl ReadError {
    #[cold]
    pub(crate) fn io(key: &Key, doing: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::new(key, ReadErrorKind::Truncated),
            _ => Self::new(key, ReadErrorKind::Io { doing }).with_source(source),
        }
    }

    /// Returns `true` if the next sample may be readable despite this error.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.kind, ReadErrorKind::Invalid(_) | ReadErrorKind::Busy)
    }
}
