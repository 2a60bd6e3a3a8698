//! Why nothing was published.

use qt_bridge::{LockError, SegmentError, StreamError};
use shm_core::{AttachError, PublishError, ReadError};

/// Why nothing was published. What was published before stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The segment could not be created or attached to.
    #[error("{0}")]
    Attach(#[source] AttachError),
    /// The payload could not be put into it.
    #[error("{0}")]
    Publish(#[source] PublishError),
    /// What was published in a lost segment cannot be read back.
    #[error("{0}")]
    ReadBack(#[source] ReadError),
    /// It could not be put into a segment for Qt programs.
    #[error("{0}")]
    Qt(#[source] qt_bridge::PublishError),
    /// It does not go into the stream that was asked for.
    #[error("{0}")]
    Stream(#[source] StreamError),
}

impl SinkError {
    /// Returns `true` if the segment was removed, so that nothing is published any more.
    #[must_use]
    pub fn is_orphaned(&self) -> bool {
        matches!(self, SinkError::Publish(PublishError::Orphaned { .. }))
    }

    /// Returns `true` if there is no segment to publish into, or no memory for it.
    #[must_use]
    pub fn is_about_segment(&self) -> bool {
        matches!(
            self,
            SinkError::Attach(_)
                | SinkError::Publish(PublishError::NoSpace { .. })
                | SinkError::Qt(qt_bridge::PublishError::Segment(_))
        )
    }

    /// Returns `true` if the next frame may be published nevertheless.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            SinkError::Publish(error) => matches!(
                error,
                PublishError::NoSpace { .. }
                    | PublishError::RegionsFull { .. }
                    | PublishError::Busy { .. }
            ),
            SinkError::Qt(error) => match error {
                qt_bridge::PublishError::Lock(error) => {
                    matches!(error, LockError::Timeout { .. } | LockError::Lost { .. })
                }
                qt_bridge::PublishError::Segment(error) => matches!(
                    error,
                    SegmentError::OutOfResources { .. }
                        | SegmentError::Lock(LockError::Timeout { .. })
                ),
                qt_bridge::PublishError::TooSmall { .. } => true,
                _ => false,
            },
            SinkError::Stream(error) => matches!(error, StreamError::NoMemory { .. }),
            SinkError::Attach(_) | SinkError::ReadBack(_) => false,
        }
    }
}
