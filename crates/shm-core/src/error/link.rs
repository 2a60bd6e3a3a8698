//! Why watchers cannot be counted, or a watcher cannot say that it watches.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::ErrorCode;
use crate::error::code::os_error;
use crate::lock_holder::UserName;

/// Why watchers cannot be counted, or a watcher cannot say that it watches.
///
/// Publishing and reading need no link: they work all the same.
#[derive(Debug, Error)]
#[error("cannot link publisher and watchers: {kind}")]
pub struct LinkError {
    kind: LinkErrorKind,
    source: Option<io::Error>,
}

/// What kept publisher and watchers from being linked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkErrorKind {
    /// There is no directory in which a socket would be safe.
    #[error("no directory is safe for a socket{}", list(candidates))]
    NoDirectory {
        /// The directories that were considered.
        candidates: Vec<UnsafeDirectory>,
    },
    /// An operation of the operating system failed; the source says how.
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
    /// Why not.
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

impl LinkError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            kind: LinkErrorKind::Io { doing },
            source: Some(source),
        }
    }

    /// Creates the error of a kind.
    #[must_use]
    pub fn new(kind: LinkErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> &LinkErrorKind {
        &self.kind
    }

    /// Returns the code of the kind, which keeps its number in every version.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            LinkErrorKind::NoDirectory { .. } => ErrorCode::Unsupported,
            LinkErrorKind::Io { .. } => ErrorCode::System,
        }
    }

    /// Returns the operating system's error number (`errno`) if the underlying error has one.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(os_error)
    }
}
