//! Why nothing was published.

use qt_bridge::{LockErrorKind, SegmentErrorKind, StreamError};
use shm_core::{AttachError, PublishError, PublishErrorKind, ReadError};

/// Why nothing was published. What was published before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The segment could not be created or attached to.
    #[error(transparent)]
    Attach(AttachError),
    /// The payload could not be put into it.
    #[error(transparent)]
    Publish(PublishError),
    /// What was published in a lost segment cannot be read back.
    #[error(transparent)]
    ReadBack(ReadError),
    /// It could not be put into a segment for Qt programs.
    #[error(transparent)]
    Qt(qt_bridge::PublishError),
    /// It does not go into the stream that was asked for.
    #[error(transparent)]
    Stream(StreamError),
}

impl SinkError {
    /// Returns `true` if the segment was removed, so that nothing is published any more.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self, SinkError::Publish(error) if *error.kind() == PublishErrorKind::Removed)
    }

    /// Returns `true` if there is no segment to publish into, or no memory for it.
    #[must_use]
    pub fn is_about_segment(&self) -> bool {
        match self {
            SinkError::Attach(_) | SinkError::Qt(qt_bridge::PublishError::Segment(_)) => true,
            SinkError::Publish(error) => matches!(error.kind(), PublishErrorKind::NoSpace { .. }),
            SinkError::ReadBack(_) | SinkError::Qt(_) | SinkError::Stream(_) => false,
        }
    }

    /// Returns `true` if the next frame may be published nevertheless.
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
