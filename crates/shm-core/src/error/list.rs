//! Why the segments could not be listed, or one of them not be inspected.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::code::os_error;
use crate::error::{AttachError, ErrorCode};
use crate::key::KeyError;

/// Why the segments in a directory could not be listed.
#[derive(Debug, Error)]
#[error("cannot list the segments in {}: {kind}", directory.display())]
pub struct ListError {
    directory: PathBuf,
    kind: ListErrorKind,
    source: Option<io::Error>,
}

/// What kept the segments from being listed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ListErrorKind {
    /// The directory cannot be read; the source has the reason.
    #[error("directory is not readable")]
    Directory,
    /// The directory is on a file system that cannot hold segments.
    #[error("file system {kind} cannot hold segments")]
    FileSystem {
        /// The kind of file system, such as `vfat`.
        kind: String,
    },
}

/// Why a listed name cannot be inspected.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListedError {
    /// The name is not UTF-8, so it is not a key.
    #[error("name is not UTF-8")]
    NotUtf8,
    /// The name is not a valid key.
    #[error(transparent)]
    Name(KeyError),
    /// The file is not a segment of this user, or cannot be opened.
    #[error(transparent)]
    Attach(AttachError),
}

impl ListError {
    /// Creates the error of listing a directory.
    #[must_use]
    pub fn new(directory: &Path, kind: ListErrorKind) -> Self {
        Self {
            directory: directory.to_owned(),
            kind,
            source: None,
        }
    }

    /// Creates the error of reading a directory.
    #[must_use]
    pub fn unreadable(directory: &Path, source: io::Error) -> Self {
        let error = Self::new(directory, ListErrorKind::Directory);
        let source = Some(source);
        Self { source, ..error }
    }

    /// Returns the directory of the segments.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> &ListErrorKind {
        &self.kind
    }

    /// Returns the code of the kind, which keeps its number in every version.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            ListErrorKind::Directory => ErrorCode::System,
            ListErrorKind::FileSystem { .. } => ErrorCode::Unsupported,
        }
    }

    /// Returns the operating system's error number (`errno`) if the underlying error has one.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        self.source.as_ref().and_then(os_error)
    }
}
