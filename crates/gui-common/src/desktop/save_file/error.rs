//! The error of saving a file, with its remedy.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::text::language;
use crate::tr;

/// The error of saving a file.
#[derive(Debug)]
pub struct SaveFileError {
    path: PathBuf,
    problem: Problem,
}

/// The cause.
#[derive(Debug)]
pub(super) enum Problem {
    /// An OS error.
    System(io::Error),
    /// A symbolic link that may belong to another user.
    Link,
    /// A pipe that no process has open for reading.
    NoReader,
    /// A pipe or a device of another user in a world-writable folder.
    Foreign,
    /// A terminal, which interprets control characters.
    Terminal,
    /// A socket or a block device.
    NotAFile,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Problem {
        Problem::System(error)
    }
}

impl From<Errno> for Problem {
    fn from(error: Errno) -> Problem {
        Problem::System(error.into())
    }
}

impl SaveFileError {
    pub(super) fn new(path: &Path, problem: Problem) -> SaveFileError {
        SaveFileError {
            path: path.to_owned(),
            problem,
        }
    }

    /// Creates the error `source` of writing to `path`.
    pub fn at(path: &Path, source: io::Error) -> SaveFileError {
        SaveFileError::new(path, Problem::System(source))
    }

    /// Returns `true` if nothing was written because the file exists.
    pub fn is_taken(&self) -> bool {
        matches!(&self.problem, Problem::System(error) if error.kind() == ErrorKind::AlreadyExists)
    }

    /// Returns the cause, as a part of a sentence.
    pub fn reason(&self) -> String {
        match &self.problem {
            Problem::System(error) => error.to_string(),
            Problem::Link => tr!("output-link"),
            Problem::NoReader => tr!("output-no-reader"),
            Problem::Foreign => tr!("output-foreign"),
            Problem::Terminal => tr!("output-terminal"),
            Problem::NotAFile => tr!("output-not-a-file"),
        }
    }

    fn remedy(&self) -> String {
        match &self.problem {
            Problem::System(error) => remedy(error),
            Problem::Link => tr!("output-link-remedy"),
            Problem::NoReader => tr!("output-no-reader-remedy"),
            Problem::Foreign | Problem::Terminal | Problem::NotAFile => {
                tr!("output-not-a-file-remedy")
            }
        }
    }
}

impl fmt::Display for SaveFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.path.display();
        let failure = tr!("output-failed", place = place, reason = self.reason());
        f.write_str(&language::sentences([failure, self.remedy()]))
    }
}

impl std::error::Error for SaveFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::System(error) => Some(error),
            _ => None,
        }
    }
}

/// Returns the remedy for an error of writing, as a sentence.
pub fn remedy(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => tr!("output-not-found"),
        ErrorKind::PermissionDenied => tr!("output-not-permitted"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => tr!("output-no-space"),
        ErrorKind::FileTooLarge => tr!("output-too-large"),
        ErrorKind::IsADirectory => tr!("output-is-folder"),
        ErrorKind::AlreadyExists => tr!("output-taken"),
        _ => tr!("output-other"),
    }
}
