//! Why a segment was not removed.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::{AttachError, AttachErrorKind, ErrorCode, ForeignReason, impl_parts};
use crate::key::Key;
use crate::lock_holder::{LockHolder, UserName};
use crate::participant::Participant;

/// Why a segment was not removed.
#[derive(Debug, Error)]
#[error("cannot remove segment \"{key}\": {kind}")]
pub struct RemoveError {
    key: Key,
    kind: RemoveErrorKind,
    source: Option<io::Error>,
}

impl_parts!(RemoveError, RemoveErrorKind);

/// What kept a segment from being removed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoveErrorKind {
    /// There is no segment under the key.
    #[error("no such segment")]
    NotFound,
    /// The segment has participants, and its removal was not forced.
    #[error("in use by {}", list(by))]
    InUse {
        /// The participants.
        by: Vec<Participant>,
    },
    /// The name is taken by a file that is not a segment of the expected owner; it is left alone.
    #[error("{} {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why it is not such a segment.
        reason: ForeignReason,
    },
    /// The operating system does not permit it.
    #[error("permission denied")]
    Permission,
    /// Another process held the lock under which segments are created, attached to and removed for
    /// longer than the timeout.
    #[error("lifecycle lock is held by {holder}")]
    Busy {
        /// The process that holds it.
        holder: LockHolder,
    },
    /// The segment belongs to another user ([`Options::owner`](crate::Options::owner)). Only that
    /// user may remove it, so root has to become that user first.
    #[error("segment belongs to user {}", UserName(*owner))]
    OtherUser {
        /// The user id of its owner.
        owner: u32,
    },
    /// The segment could not be opened for another reason.
    #[error(transparent)]
    Open(Box<AttachErrorKind>),
}

fn list(attached: &[Participant]) -> String {
    let names: Vec<_> = attached.iter().map(Participant::to_string).collect();
    names.join(", ")
}

impl RemoveErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::InUse { .. } => ErrorCode::InUse,
            Self::Foreign { .. } => ErrorCode::Foreign,
            Self::Permission => ErrorCode::PermissionDenied,
            Self::Busy { .. } => ErrorCode::Busy,
            Self::OtherUser { .. } => ErrorCode::OtherUser,
            Self::Open(kind) => kind.code(),
        }
    }
}

impl From<AttachError> for RemoveError {
    fn from(error: AttachError) -> Self {
        let (key, kind, source) = error.into_parts();
        let kind = match kind {
            AttachErrorKind::NotFound => RemoveErrorKind::NotFound,
            AttachErrorKind::Foreign { path, reason } => RemoveErrorKind::Foreign { path, reason },
            AttachErrorKind::Permission => RemoveErrorKind::Permission,
            AttachErrorKind::Busy { holder } => RemoveErrorKind::Busy { holder },
            AttachErrorKind::OtherUser { owner } => RemoveErrorKind::OtherUser { owner },
            kind => RemoveErrorKind::Open(Box::new(kind)),
        };
        Self { key, kind, source }
    }
}
