//! Output of a command: standard output or a file.

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

/// The destination of a content.
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

/// Writes to standard output. A closed pipe, as behind `| head`, is not an error.
pub(crate) fn print(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    self::write(write).map(|_| ())
}

/// Writes to standard output, and escapes control characters if that is a terminal. Returns `false`
/// if the reading end of the pipe is closed.
pub(crate) fn write(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<bool, OutputError> {
    let mut stdout = terminal::stdout();
    match write(&mut stdout).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(source) if source.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(source) => Err(OutputError {
            destination: "standard output".to_owned(),
            source,
        }),
    }
}

/// Writes a value to standard output as indented JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), OutputError> {
    print(|stdout| {
        json::write_pretty(&mut *stdout, value)?;
        stdout.write_all(b"\n")
    })
}

/// The error of writing to an [`Output`].
#[derive(Debug)]
pub(crate) struct OutputError {
    destination: String,
    source: io::Error,
}

impl OutputError {
    /// Creates the error of writing to `path`.
    pub(crate) fn at(path: &Path, source: io::Error) -> OutputError {
        OutputError {
            destination: path.display().to_string(),
            source,
        }
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = tr!(
            "output-failed",
            place = self.destination,
            reason = self.source
        );
        let remedy = save_file::remedy(&self.source);
        formatter.write_str(&language::sentences([failure, remedy]))
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
