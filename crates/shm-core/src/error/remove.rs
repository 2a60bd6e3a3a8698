//! Why a segment was not removed.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::code::os_error;
use crate::error::{AttachError, ErrorCode, write_busy, write_other_user};
use crate::key::Key;
use crate::lock_holder::LockHolder;
use crate::segment::Attached;

/// Why a segment was not removed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is nothing under this key.
    NotFound {
        /// The key asked for.
        key: Key,
    },
    /// Somebody is attached, and force was not asked for.
    InUse {
        /// The key asked for.
        key: Key,
        /// Who.
        by: Vec<Attached>,
    },
    /// The name is taken by something that is no segment of the expected owner; it is not touched.
    Foreign {
        /// The key asked for.
        key: Key,
        /// What it is, with its path.
        reason: String,
    },
    /// The system does not permit it.
    Permission {
        /// The key asked for.
        key: Key,
    },
    /// Somebody sits on the segment's lifecycle for longer than the timeout.
    Busy {
        /// The key asked for.
        key: Key,
        /// Who holds its lock.
        holder: LockHolder,
    },
    /// The segment is another user's ([`Options::owner`](crate::Options::owner)): that user alone
    /// removes it. Root becomes that user first.
    OtherUser {
        /// The key asked for.
        key: Key,
        /// The user id of its owner.
        owner: u32,
    },
    /// Something else that the system said.
    Io {
        /// The key asked for.
        key: Key,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl RemoveError {
    pub(crate) fn attach(error: AttachError) -> Self {
        match error {
            AttachError::NotFound { key } => Self::NotFound { key },
            AttachError::Foreign { key, reason } => Self::Foreign { key, reason },
            AttachError::Permission { key, .. } => Self::Permission { key },
            AttachError::Busy { key, holder } => Self::Busy { key, holder },
            AttachError::OtherUser { key, owner } => Self::OtherUser { key, owner },
            AttachError::Io { key, doing, source } => Self::Io { key, doing, source },
            other => {
                let key = other.key().clone();
                Self::Io {
                    key,
                    doing: "opening",
                    source: io::Error::other(other),
                }
            }
        }
    }
}

impl RemoveError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } => ErrorCode::NotFound,
            Self::InUse { .. } => ErrorCode::InUse,
            Self::Foreign { .. } => ErrorCode::Foreign,
            Self::Permission { .. } => ErrorCode::PermissionDenied,
            Self::Busy { .. } => ErrorCode::Busy,
            Self::OtherUser { .. } => ErrorCode::OtherUser,
            // Looking at the segment may fail in more ways than removing it has variants for.
            Self::Io { source, .. } => source
                .get_ref()
                .and_then(|inner| inner.downcast_ref())
                .map_or(ErrorCode::System, AttachError::code),
        }
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => os_error(source),
            Self::NotFound { .. }
            | Self::InUse { .. }
            | Self::Foreign { .. }
            | Self::Permission { .. }
            | Self::Busy { .. }
            | Self::OtherUser { .. } => None,
        }
    }
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { key } => {
                write!(
                    f,
                    "There is nothing in shared memory under the key \"{key}\": check the key."
                )
            }
            Self::InUse { key, by } => {
                write!(f, "The segment \"{key}\" is in use by ")?;
                for (index, user) in by.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{} (pid {})", user.program, user.process)?;
                }
                write!(f, ": end them first, or use force.")
            }
            Self::Foreign { key, reason } => {
                write!(
                    f,
                    "What stands under the key \"{key}\" is no segment, so it is left alone: {reason}. Choose another key, or have its owner remove it."
                )
            }
            Self::Permission { key } => write!(
                f,
                "The system does not permit to remove the segment \"{key}\": ask its owner to."
            ),
            Self::Busy { key, holder } => write_busy(f, key, holder),
            Self::OtherUser { key, owner } => write_other_user(f, key, *owner),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "The segment \"{key}\" was not removed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for RemoveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
