//! Why it cannot be told who watches, or not said that one does.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::ErrorCode;
use crate::error::code::os_error;

/// Why it cannot be told who watches, or not said that one does.
///
/// Publishing and reading need no link: they work all the same.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// There is no directory in which a socket would be safe.
    NoPlace {
        /// What is wrong with each that was looked at.
        reason: String,
    },
    /// Something that the system said.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl LinkError {
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}

impl LinkError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NoPlace { .. } => ErrorCode::Unsupported,
            Self::Io { .. } => ErrorCode::System,
        }
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::NoPlace { .. } => None,
            Self::Io { source, .. } => os_error(source),
        }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Who watches cannot be told here; all else works. ")?;
        match self {
            Self::NoPlace { reason } => write!(
                f,
                "There is no directory for a socket ({reason}): set XDG_RUNTIME_DIR to one that is yours alone (mode 700)."
            ),
            Self::Io { doing, source } => write!(f, "The system says ({doing}): {source}."),
        }
    }
}

impl Error for LinkError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoPlace { .. } => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}
