//! Where a command writes what it found: standard output, or a file.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use gui_common::desktop::save_file;
use gui_common::text::language;
use gui_common::text::terminal;
use gui_common::tr;
use serde::Serialize;

use crate::json;

/// Where to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl From<OsString> for Output {
    fn from(argument: OsString) -> Output {
        if argument == "-" {
            Output::Stdout
        } else {
            Output::File(argument.into())
        }
    }
}

/// Writes to standard output. That nobody listens any more, as behind `| head`, is no error.
pub(crate) fn print(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    is_heard(write).map(|_| ())
}

/// Writes to standard output, through the door that keeps a terminal safe, and tells whether anybody
/// listens.
pub(crate) fn is_heard(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<bool, OutputError> {
    let mut stdout = terminal::stdout();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(source) if source.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(OutputError {
            place: "standard output".to_owned(),
            source,
        }),
    }
}

/// Writes a value to standard output as JSON, over several lines.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), OutputError> {
    print(|stdout| {
        json::write_pretty(&mut *stdout, value)?;
        stdout.write_all(b"\n")
    })
}

/// What could not be written, and why.
#[derive(Debug)]
pub(crate) struct OutputError {
    place: String,
    source: io::Error,
}

impl OutputError {
    /// Says that `source` happened while writing to `path`.
    pub(crate) fn at(path: &Path, source: io::Error) -> OutputError {
        OutputError {
            place: path.display().to_string(),
            source,
        }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = tr!("output-failed", place = self.place, reason = self.source);
        let remedy = save_file::remedy(&self.source);
        formatter.write_str(&language::sentences([failure, remedy]))
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
