//! One number for each way to fail, whichever operation it is that fails.

use std::error::Error;
use std::fmt;
use std::io;

/// The kind of an error, whichever operation it comes from: what `code()` of every error returns.
///
/// For bindings, exit statuses and protocols. Names and numbers keep their meaning in every version
/// and are never reused; 0 means success. Rust programs match on the variants of the errors
/// themselves, which have more details.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{ErrorCode, Key, Options, Subscriber};
///
/// let options = Options::new().directory(directory.path());
/// let error = Subscriber::attach(&Key::new("nothing")?, &options).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::NotFound);
/// assert_eq!((error.code().as_i32(), error.code().name()), (4, "not_found"));
///
/// assert_eq!(Key::new("a/b").unwrap_err().code(), ErrorCode::InvalidKey);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum ErrorCode {
    /// The name breaks a rule of [`Key`](crate::Key).
    InvalidKey = 1,
    /// A requested size, offset or type is out of bounds.
    InvalidArgument = 2,
    /// The metadata contradicts itself, its bounds or the payload's length.
    InvalidMetadata = 3,
    /// There is no segment under the key.
    NotFound = 4,
    /// There is a segment under the key already.
    AlreadyExists = 5,
    /// A block if samples were expected, or the reverse.
    WrongKind = 6,
    /// The segment has a layout version that this library does not know.
    OtherVersion = 7,
    /// The name is taken by a file that is not a segment of the expected owner.
    Foreign = 8,
    /// The segment belongs to another user, and the operation writes to it.
    OtherUser = 9,
    /// The operating system does not permit it.
    PermissionDenied = 10,
    /// The directory is not suitable: its file system cannot hold segments, or no directory is safe
    /// for sockets.
    Unsupported = 11,
    /// The file system is full.
    NoSpace = 12,
    /// There is not enough memory for a private copy.
    NoMemory = 13,
    /// The process's limit on the size of files forbids it.
    FileSizeLimit = 14,
    /// No slot or region can be claimed: all are in use, or locks of other processes block them.
    Full = 15,
    /// The segment has participants, and its removal was not forced.
    InUse = 16,
    /// Another process held an internal lock for longer than the timeout of the
    /// [`Options`](crate::Options).
    Busy = 17,
    /// The caller's timeout expired.
    Timeout = 18,
    /// The lock is held, and the operation does not block.
    WouldBlock = 19,
    /// The calling thread holds the lock already through this handle.
    WouldDeadlock = 20,
    /// The calling thread does not hold the lock through this handle.
    NotHeld = 21,
    /// The segment was removed, renamed or replaced.
    Removed = 22,
    /// Another program truncated the file.
    Truncated = 23,
    /// The segment's content contradicts the layout.
    Invalid = 24,
    /// The handle was made before a fork, in another process.
    Forked = 25,
    /// Another error of the operating system: `os_error()` returns it.
    System = 26,
}

impl ErrorCode {
    /// Returns the number: positive, and the same in every version.
    #[must_use]
    pub const fn as_i32(self) -> i32 {
        self as i32
    }

    /// Returns the name in snake case, such as `not_found`: the same in every version.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidKey => "invalid_key",
            Self::InvalidArgument => "invalid_argument",
            Self::InvalidMetadata => "invalid_metadata",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::WrongKind => "wrong_kind",
            Self::OtherVersion => "other_version",
            Self::Foreign => "foreign",
            Self::OtherUser => "other_user",
            Self::PermissionDenied => "permission_denied",
            Self::Unsupported => "unsupported",
            Self::NoSpace => "no_space",
            Self::NoMemory => "no_memory",
            Self::FileSizeLimit => "file_size_limit",
            Self::Full => "full",
            Self::InUse => "in_use",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::WouldBlock => "would_block",
            Self::WouldDeadlock => "would_deadlock",
            Self::NotHeld => "not_held",
            Self::Removed => "removed",
            Self::Truncated => "truncated",
            Self::Invalid => "invalid",
            Self::Forked => "forked",
            Self::System => "system",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Returns the OS error number of an error, or of the first of its causes that has one.
pub(super) fn os_error(source: &io::Error) -> Option<i32> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(source);
    while let Some(error) = cause {
        let number = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::raw_os_error);
        if number.is_some() {
            return number;
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
