//! Why the segments could not be listed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the segments could not be listed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError {
    /// The directory is not readable.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Directory { path, source } = self;
        let path = path.display();
        write!(
            f,
            "The directory {path} is not readable ({source}): check that it exists, or set SHM_CORE_DIR to another."
        )
    }
}

impl Error for ListError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Directory { source, .. } = self;
        Some(source)
    }
}
