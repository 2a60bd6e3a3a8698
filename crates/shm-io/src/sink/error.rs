//! Errors of publishing.

use qt_bridge::{LockErrorKind, SegmentErrorKind, StreamError};
use shm_core::{AttachError, PublishError, PublishErrorKind, ReadError};

/// Why content was not published. The previous content stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The segment could not be created or attached to.
    #[error(transparent)]
    Attach(AttachError),
    /// The payload could not be published into it.
    #[error(transparent)]
    Publish(PublishError),
    /// The content of a lost segment cannot be read back.
    #[error(transparent)]
    ReadBack(ReadError),
    /// The stream could not be published for Qt programs.
    #[error(transparent)]
    Qt(qt_bridge::PublishError),
    /// The payload cannot be encoded in the chosen form.
    #[error(transparent)]
    Stream(StreamError),
}

impl SinkError {
    /// Returns `true` if the segment was removed.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self, SinkError::Publish(error) if *error.kind() == PublishErrorKind::Removed)
    }

    /// Returns `true` if the segment could not be created or attached to, or there is no memory for
    /// it.
    #[must_use]
    pub fn is_about_segment(&self) -> bool {
        match self {
            SinkError::Attach(_) | SinkError::Qt(qt_bridge::PublishError::Segment(_)) => true,
            SinkError::Publish(error) => matches!(error.kind(), PublishErrorKind::NoSpace { .. }),
            SinkError::ReadBack(_) | SinkError::Qt(_) | SinkError::Stream(_) => false,
        }
    }

    /// Returns `true` if publishing the next frame may succeed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            SinkError::Publish(error) => matches!(
                error.kind(),
                PublishErrorKind::NoSpace { .. }
                    | PublishErrorKind::RegionsFull { .. }
                    | PublishErrorKind::Busy
            ),
            SinkError::Qt(error) => match error {
                qt_bridge::PublishError::Lock(error) => {
                    matches!(
                        error.kind(),
                        LockErrorKind::Timeout { .. } | LockErrorKind::Lost
                    )
                }
                qt_bridge::PublishError::Segment(error) => matches!(
                    error.kind(),
                    SegmentErrorKind::OutOfResources
                        | SegmentErrorKind::Lock(LockErrorKind::Timeout { .. })
                ),
                qt_bridge::PublishError::TooSmall { .. } => true,
                _ => false,
            },
            SinkError::Stream(error) => matches!(error, StreamError::NoMemory { .. }),
            SinkError::Attach(_) | SinkError::ReadBack(_) => false,
        }
    }
}
