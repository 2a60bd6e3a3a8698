//! Why the segments could not be listed.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::code::os_error;
use crate::error::{ErrorCode, write_file_system};

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
    /// The directory is on a file system where there can be no segments.
    FileSystem {
        /// The directory.
        path: PathBuf,
        /// The kind of file system, such as `vfat`.
        kind: String,
    },
}

impl ListError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Directory { .. } => ErrorCode::System,
            Self::FileSystem { .. } => ErrorCode::Unsupported,
        }
    }

    /// Returns the operating system's error number (`errno`) if such an error is the cause and was
    /// kept.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        match self {
            Self::Directory { source, .. } => os_error(source),
            Self::FileSystem { .. } => None,
        }
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory { path, source } => write!(
                f,
                "The directory {} is not readable ({source}): check that it exists, or set SHM_CORE_DIR to another.",
                path.display()
            ),
            Self::FileSystem { path, kind } => {
                write_file_system(f, path, kind, "making long files with holes")
            }
        }
    }
}

impl Error for ListError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory { source, .. } => Some(source),
            Self::FileSystem { .. } => None,
        }
    }
}
