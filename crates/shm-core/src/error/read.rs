//! Why a sample could not be read.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::code::os_error;
use crate::error::{ErrorCode, InvalidSample, write_forked, write_no_memory};
use crate::key::Key;

/// Why a sample could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// What stands in the segment is not what its layout says.
    Invalid {
        /// The segment.
        key: Key,
        /// What is wrong.
        reason: InvalidSample,
    },
    /// The file was cut short by somebody.
    Truncated {
        /// The segment.
        key: Key,
    },
    /// The latest sample could not be pinned in time, because somebody sits on its region.
    Busy {
        /// The segment.
        key: Key,
    },
    /// There is no memory for a copy.
    NoMemory {
        /// The segment.
        key: Key,
        /// How many bytes a copy needs.
        bytes: usize,
    },
    /// The payload does not have the length of the value that was asked for.
    Size {
        /// The segment.
        key: Key,
        /// The payload's length.
        bytes: usize,
        /// The value's.
        wanted: usize,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
    /// Something else that the system said.
    Io {
        /// The segment.
        key: Key,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl ReadError {
    /// Returns `true` if the next sample may be whole all the same.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Invalid { .. } | Self::Busy { .. })
    }

    pub(crate) fn io(key: &Key, doing: &'static str, source: io::Error) -> Self {
        let key = key.clone();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated { key },
            _ => Self::Io { key, doing, source },
        }
    }
}

impl ReadError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid { .. } => ErrorCode::Invalid,
            Self::Truncated { .. } => ErrorCode::Truncated,
            Self::Busy { .. } => ErrorCode::Busy,
            Self::NoMemory { .. } => ErrorCode::NoMemory,
            Self::Size { .. } => ErrorCode::InvalidArgument,
            Self::Forked { .. } => ErrorCode::Forked,
            Self::Io { .. } => ErrorCode::System,
        }
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => os_error(source),
            Self::Invalid { .. }
            | Self::Truncated { .. }
            | Self::Busy { .. }
            | Self::NoMemory { .. }
            | Self::Size { .. }
            | Self::Forked { .. } => None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { key, reason } => write!(
                f,
                "What stands in the segment \"{key}\" is damaged or was written by another program: {reason}. Load it again."
            ),
            Self::Truncated { key } => {
                write!(
                    f,
                    "The segment \"{key}\" was cut short by another program: remove it and load it again."
                )
            }
            Self::Busy { key } => write!(
                f,
                "Another program keeps the latest sample of the segment \"{key}\" from being read: try again, or end that program."
            ),
            Self::NoMemory { key, bytes } => write_no_memory(f, key, *bytes),
            Self::Size { key, bytes, wanted } => write!(
                f,
                "The sample of the segment \"{key}\" has {bytes} bytes, and the value that was asked for has {wanted}: \
                 use programs that agree on it."
            ),
            Self::Forked { key } => write_forked(f, key),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "Reading the segment \"{key}\" failed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Invalid { reason, .. } => Some(reason),
            _ => None,
        }
    }
}
