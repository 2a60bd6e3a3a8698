//! Errors of presence.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::ErrorCode;
use crate::error::code::os_error;

/// Why viewers cannot be told of, or a viewer cannot report.
///
/// Publishing and reading do not depend on presence.
#[derive(Debug)]
#[non_exhaustive]
pub enum PresenceError {
    /// No directory is safe for a socket.
    NoDirectory {
        /// What is wrong with each candidate.
        reason: String,
    },
    /// An error of the operating system.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The underlying error.
        source: io::Error,
    },
}

impl PresenceError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl PresenceError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoDirectory { .. } => ErrorCode::Unsupported,
            Self::Io { .. } => ErrorCode::System,
        }
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::NoDirectory { .. } => None,
            Self::Io { source, .. } => os_error(source),
        }
    }
}

impl fmt::Display for PresenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Who watches cannot be told here; all else works. ")?;
        match self {
            Self::NoDirectory { reason } => write!(
                f,
                "There is no directory for a socket ({reason}): set XDG_RUNTIME_DIR to one that is yours alone (mode 700)."
            ),
            Self::Io { doing, source } => write!(f, "The system says ({doing}): {source}."),
        }
    }
}

impl Error for PresenceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoDirectory { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}
