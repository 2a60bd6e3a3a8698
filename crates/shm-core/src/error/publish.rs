//! Why a sample was not published.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::code::os_error;
use crate::error::{
    ErrorCode, InvalidSample, LockError, is_no_space, write_file_size_limit, write_forked,
    write_orphaned,
};
use crate::key::Key;
use crate::lock_holder::LockHolder;

/// Why a sample was not published.
#[derive(Debug)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no room for it; what was published before stays readable.
    NoSpace {
        /// The segment.
        key: Key,
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// It is longer than a region can be.
    TooLarge {
        /// The segment.
        key: Key,
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// The process's file size limit forbids it; segments need it to be unlimited.
    FileSizeLimit {
        /// The segment.
        key: Key,
    },
    /// The metadata does not fit the payload, or its own bounds.
    Metadata {
        /// The segment.
        key: Key,
        /// What is wrong with it.
        reason: String,
    },
    /// The segment was removed by somebody: what is published here is seen by nobody.
    Orphaned {
        /// The segment.
        key: Key,
    },
    /// Every region is pinned by a reader or on loan.
    RegionsFull {
        /// The segment.
        key: Key,
        /// One of those who keep regions from being used.
        holder: LockHolder,
    },
    /// Another program has written over the ring; clearing it mends that.
    Damaged {
        /// The segment.
        key: Key,
        /// What is wrong.
        reason: InvalidSample,
    },
    /// Another publisher holds the lock and does not let go.
    Busy {
        /// The segment.
        key: Key,
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

impl PublishError {
    pub(crate) fn io(key: &Key, doing: &'static str, bytes: u64, source: io::Error) -> Self {
        let key = key.clone();
        match source.kind() {
            io::ErrorKind::FileTooLarge => Self::FileSizeLimit { key },
            _ if is_no_space(&source) => Self::NoSpace { key, bytes },
            _ => Self::Io { key, doing, source },
        }
    }

    pub(crate) fn lock(error: LockError) -> Self {
        match error {
            LockError::Orphaned { key } => Self::Orphaned { key },
            LockError::Forked { key } => Self::Forked { key },
            LockError::Timeout { key, .. }
            | LockError::WouldBlock { key }
            | LockError::WouldDeadlock { key }
            | LockError::NotHeld { key }
            | LockError::NoMemory { key, .. } => Self::Busy { key },
        }
    }
}

impl PublishError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoSpace { .. } => ErrorCode::NoSpace,
            Self::TooLarge { .. } => ErrorCode::InvalidArgument,
            Self::FileSizeLimit { .. } => ErrorCode::FileSizeLimit,
            Self::Metadata { .. } => ErrorCode::InvalidMetadata,
            Self::Orphaned { .. } => ErrorCode::Orphaned,
            Self::RegionsFull { .. } => ErrorCode::Full,
            Self::Damaged { .. } => ErrorCode::Invalid,
            Self::Busy { .. } => ErrorCode::Busy,
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
            Self::NoSpace { .. }
            | Self::TooLarge { .. }
            | Self::FileSizeLimit { .. }
            | Self::Metadata { .. }
            | Self::Orphaned { .. }
            | Self::RegionsFull { .. }
            | Self::Damaged { .. }
            | Self::Busy { .. }
            | Self::Forked { .. } => None,
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpace { key, bytes } => write!(
                f,
                "There is no room in shared memory for {bytes} bytes in the segment \"{key}\"; what was loaded before stays. \
                 Remove what is not needed, or enlarge the file system (containers give 64 MB unless told otherwise; \
                 with Docker, --shm-size)."
            ),
            Self::TooLarge { key, bytes } => write!(
                f,
                "{bytes} bytes are too many for one sample of the segment \"{key}\": the most is 64 GiB."
            ),
            Self::FileSizeLimit { key } => write_file_size_limit(f, key),
            Self::Metadata { key, reason } => {
                write!(
                    f,
                    "What was to be loaded into the segment \"{key}\" is not in order: {reason}."
                )
            }
            Self::Orphaned { key } => write_orphaned(f, key),
            Self::RegionsFull {
                key,
                holder: LockHolder::Unknown,
            } => write!(
                f,
                "All regions of the segment \"{key}\" are in use by its readers: end some of them."
            ),
            Self::Damaged { key, reason } => write!(
                f,
                "Another program has damaged the segment \"{key}\": {reason}. Clear it, or remove it and load again."
            ),
            Self::RegionsFull { key, holder } => write!(
                f,
                "{holder} and maybe others keep all regions of the segment \"{key}\" for reading: end that program, \
                 or share the segment with no other users (mode 600)."
            ),
            Self::Busy { key } => write!(
                f,
                "Another program is publishing into the segment \"{key}\" and does not get done: try again, or end that program \
                 (it may be stopped)."
            ),
            Self::Forked { key } => write_forked(f, key),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "Publishing into the segment \"{key}\" failed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
