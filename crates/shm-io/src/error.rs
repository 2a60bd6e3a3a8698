//! Errors of reading.

use qt_bridge::ReadingError;
use shm_core::{AttachError, AttachErrorKind, LockError, ReadError};

/// Why nothing was read from a segment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The segment cannot be attached to, usually because it does not exist.
    #[error(transparent)]
    Attach(AttachError),
    /// The segment is damaged, or was truncated while it was read.
    #[error(transparent)]
    Read(ReadError),
    /// The lock of a block was not acquired.
    #[error(transparent)]
    Lock(LockError),
    /// The segment of a Qt program cannot be read.
    #[error(transparent)]
    Qt(ReadingError),
}

impl SourceError {
    /// Returns `true` if there is no such segment.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            SourceError::Attach(error) => *error.kind() == AttachErrorKind::NotFound,
            SourceError::Qt(error) => error.is_not_found(),
            SourceError::Read(_) | SourceError::Lock(_) => false,
        }
    }

    /// Returns `true` if the segment could not be attached to, for any reason.
    #[must_use]
    pub fn is_attach(&self) -> bool {
        matches!(
            self,
            SourceError::Attach(_) | SourceError::Qt(ReadingError::Segment(_))
        )
    }

    /// Returns `true` if a segment of shm-core is not shared with the calling user.
    #[must_use]
    pub fn is_not_shared(&self) -> bool {
        matches!(self, SourceError::Attach(error) if *error.kind() == AttachErrorKind::Permission)
    }

    /// Returns `true` if a Qt program held or reset the lock: a later read may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        use qt_bridge::LockErrorKind::{Lost, Timeout};
        matches!(
            self,
            SourceError::Qt(ReadingError::Lock(error)) if matches!(error.kind(), Timeout { .. } | Lost)
        )
    }

    /// Returns `true` if the segment of a Qt program exists, and only its content cannot be read.
    #[must_use]
    pub fn is_about_content(&self) -> bool {
        matches!(
            self,
            SourceError::Qt(ReadingError::Lock(_) | ReadingError::Stream { .. })
        )
    }
}
