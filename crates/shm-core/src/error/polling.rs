//! Why waiting polls instead of sleeping until an event.

use std::io;

use thiserror::Error;

use crate::error::code::ErrorCode;
use crate::error::code::os_error;

/// Why waiting polls instead of sleeping until an event: the operating system reports no events of
/// a directory, for example because no inotify instance is left.
///
/// Waits still work, but notice changes later, and wake up periodically.
#[derive(Debug, Error)]
#[error("no file system events, polling instead")]
pub struct Polling {
    source: io::Error,
}

impl Polling {
    /// Fails with `error` if the directory itself is missing, so that polling is not possible
    /// either.
    pub(crate) fn instead_of(source: io::Error) -> Result<Self, io::Error> {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Err(source),
            _ => Ok(Self { source }),
        }
    }

    /// Returns the error's code, which keeps its number in every version.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::System
    }

    /// Returns the operating system's error number (`errno`) if the underlying error has one.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        os_error(&self.source)
    }
}
