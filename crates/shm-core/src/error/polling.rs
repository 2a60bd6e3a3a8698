//! Why waiting looks again and again instead of sleeping until something happens.

use std::error::Error;
use std::fmt;
use std::io;

use crate::error::ErrorCode;
use crate::error::code::os_error;

/// Why waiting looks again and again instead of sleeping until something happens: the system gives
/// no more events about a directory.
///
/// Waiting works all the same; news are noticed a moment later, and the processor is never quite idle.
#[derive(Debug)]
pub struct Polling {
    source: io::Error,
}

impl Polling {
    /// The directory itself may be what is missing: then there is nothing to look at either.
    pub(crate) fn instead_of(source: io::Error) -> Result<Self, io::Error> {
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Err(source),
            _ => Ok(Self { source }),
        }
    }
}

impl Polling {
    /// Returns the error's code, which no change of its fields changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::System
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        os_error(&self.source)
    }
}

impl fmt::Display for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The system gives no events about the directory of segments ({}), so it is looked at some times a second instead: \
             end programs that watch files, or raise fs.inotify.max_user_instances and max_user_watches.",
            self.source
        )
    }
}

impl Error for Polling {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}
