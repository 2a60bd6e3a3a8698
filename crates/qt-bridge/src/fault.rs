//! Internal errors, which the errors of the public API are made of.

use std::io;
use std::path::PathBuf;

/// Why an operation on a file, a segment or a semaphore failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The name belongs to another user.
    OtherUser { file: PathBuf, owner: u32 },
    /// The object of this name is of another kind.
    Foreign { file: PathBuf },
    /// Another user can replace the key files in this directory.
    Folder { folder: PathBuf },
    /// The timeout passed.
    Timeout,
    /// Another process removed the lock, or released it while this one held it.
    Lost,
    /// The underlying OS error.
    Io {
        doing: &'static str,
        source: io::Error,
    },
}

impl Fault {
    pub(crate) fn io(doing: &'static str, source: io::Error) -> Self {
        Self::Io { doing, source }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
