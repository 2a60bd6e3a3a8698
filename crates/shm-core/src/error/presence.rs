//! Errors of presence.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::code::ErrorCode;
use crate::error::code::os_error;
use crate::lock_holder::UserName;

/// Why a publisher cannot listen for viewers, or a viewer cannot report.
///
/// Publishing and reading do not depend on presence.
#[derive(Debug, Error)]
#[error("cannot report presence: {kind}")]
pub struct PresenceError {
    kind: PresenceErrorKind,
    source: Option<io::Error>,
}

/// What went wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PresenceErrorKind {
    /// No directory is safe for a socket.
    #[error("no directory is safe for a socket{}", list(candidates))]
    NoDirectory {
        /// The directories that were considered.
        candidates: Vec<UnsafeDirectory>,
    },
    /// An operation of the operating system failed; the source has the details.
    #[error("{doing} failed")]
    Io {
        /// The operation.
        doing: &'static str,
    },
}

/// A directory in which a socket would not be safe, or cannot be.
#[derive(Debug, Error)]
#[error("{} {reason}", path.display())]
pub struct UnsafeDirectory {
    /// The directory.
    pub path: PathBuf,
    /// Why it is not safe.
    pub reason: UnsafeReason,
}

/// Why a socket would not be safe in a directory, or cannot be there.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UnsafeReason {
    /// It belongs to another user.
    #[error("belongs to user {}", UserName(*owner))]
    Owner {
        /// The user id of its owner.
        owner: u32,
    },
    /// Other users have access.
    #[error("is open to others (mode {mode:o})")]
    Mode {
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system does not let it be used.
    #[error("cannot be used: {0}")]
    Io(io::Error),
}

fn list(candidates: &[UnsafeDirectory]) -> String {
    candidates.iter().map(|one| format!("; {one}")).collect()
}

impl PresenceError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            kind: PresenceErrorKind::Io { doing },
            source: Some(source),
        }
    }

    /// Creates the error of a kind.
    #[must_use]
    pub fn new(kind: PresenceErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> &PresenceErrorKind {
        &self.kind
    }

    /// Returns the code of the kind, which keeps its number in every version.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            PresenceErrorKind::NoDirectory { .. } => ErrorCode::Unsupported,
            PresenceErrorKind::Io { .. } => ErrorCode::System,
        }
    }

    /// Returns the operating system's error number (`errno`) if the underlying error has one.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(os_error)
    }
}
