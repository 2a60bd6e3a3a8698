//! What can go wrong below the errors that callers see.

use std::io;
use std::path::PathBuf;

/// What can go wrong with an object of the system.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The name is another user's.
    OtherUser { file: PathBuf, owner: u32 },
    /// What is there is no object of this kind.
    Foreign { file: PathBuf },
    /// Another user could exchange the key files in this folder.
    Folder { folder: PathBuf },
    /// It did not come within the time.
    Timeout,
    /// Somebody took it away, or gave what was ours.
    Lost,
    /// The system's word.
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
