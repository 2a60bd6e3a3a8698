//! Why a sample was not published.

use std::io;

use thiserror::Error;

use crate::error::{ErrorCode, InvalidSample, LockError, LockErrorKind, impl_parts, is_no_space};
use crate::key::Key;
use crate::lock_holder::LockHolder;
use crate::message::MetadataError;

/// Why a sample was not published.
#[derive(Debug, Error)]
#[error("cannot publish to segment \"{key}\": {kind}")]
pub struct PublishError {
    key: Key,
    pub(crate) kind: PublishErrorKind,
    source: Option<io::Error>,
}

impl_parts!(PublishError, PublishErrorKind);

/// What kept a sample from being published.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// There is no space for it; what was published before stays readable.
    #[error("no space left in shared memory for {bytes} bytes")]
    NoSpace {
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// It is longer than a region can be.
    #[error("{bytes} bytes are too many for a sample (at most 64 GiB)")]
    TooLarge {
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// The process's file size limit forbids it; segments need it to be unlimited.
    #[error("file size limit of this process exceeded")]
    FileSizeLimit,
    /// The metadata does not fit the payload, or its own bounds.
    #[error("invalid metadata: {0}")]
    Metadata(MetadataError),
    /// The metadata is too long for a record of the segment's ring.
    #[error("metadata is too long for a ring of {ring_bytes} bytes")]
    MetadataTooLong {
        /// The size of the ring.
        ring_bytes: u64,
    },
    /// The segment was removed, moved away or replaced: no subscriber would find the sample.
    #[error("segment was removed, moved away or replaced")]
    Removed,
    /// Every region is pinned by a reader or on loan.
    #[error("no free region, readers hold all of them ({holder} among others)")]
    RegionsFull {
        /// One of the processes that keep regions from being used.
        holder: LockHolder,
    },
    /// Another program has written over the ring; clearing repairs it.
    #[error("ring is damaged: {0}")]
    Damaged(InvalidSample),
    /// Another publisher held the lock for longer than the timeout.
    #[error("lock is held by another publisher")]
    Busy,
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

impl PublishErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::NoSpace { .. } => ErrorCode::NoSpace,
            Self::TooLarge { .. } => ErrorCode::InvalidArgument,
            Self::FileSizeLimit => ErrorCode::FileSizeLimit,
            Self::Metadata(_) | Self::MetadataTooLong { .. } => ErrorCode::InvalidMetadata,
            Self::Removed => ErrorCode::Removed,
            Self::RegionsFull { .. } => ErrorCode::Full,
            Self::Damaged(_) => ErrorCode::Invalid,
            Self::Busy => ErrorCode::Busy,
            Self::Forked => ErrorCode::Forked,
            Self::Io { .. } => ErrorCode::System,
        }
    }
}

impl PublishError {
    #[cold]
    pub(crate) fn io(key: &Key, doing: &'static str, bytes: u64, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::FileTooLarge => PublishErrorKind::FileSizeLimit,
            _ if is_no_space(&source) => PublishErrorKind::NoSpace { bytes },
            _ => PublishErrorKind::Io { doing },
        };
        Self::new(key, kind).with_source(source)
    }

    #[cold]
    pub(crate) fn lock(error: &LockError) -> Self {
        let kind = match error.kind() {
            LockErrorKind::Removed => PublishErrorKind::Removed,
            LockErrorKind::Forked => PublishErrorKind::Forked,
            LockErrorKind::Timeout { .. }
            | LockErrorKind::WouldBlock
            | LockErrorKind::WouldDeadlock
            | LockErrorKind::NotHeld
            | LockErrorKind::NoMemory { .. } => PublishErrorKind::Busy,
        };
        Self::new(error.key(), kind)
    }
}
