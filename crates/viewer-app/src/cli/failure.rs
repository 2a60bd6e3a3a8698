//! The error of a command, and refusals that several commands share.

use std::{fmt, io};

use gui_common::desktop::save_file::SaveFileError;
use gui_common::picture::pixels::PixelsError;
use gui_common::text::explain::Explain;
use gui_common::text::terminal;
use qt_bridge::Form;
use shm_core::{ListError, ReadError};
use shm_io::{Address, AddressError, RemovalError, SourceError};

use crate::export::ExportError;
use crate::output::OutputError;
use crate::picture_file::PictureFileError;
use crate::session::{ENTER_TEXT_FIRST, FetchError};

/// The error of a command: what failed and what the user can do.
#[derive(Debug)]
pub(crate) struct Failure {
    headline: Option<&'static str>,
    sentences: String,
}

impl Failure {
    pub(crate) fn new(sentences: impl Into<String>) -> Failure {
        Failure {
            headline: None,
            sentences: sentences.into(),
        }
    }

    /// Prints the error to standard error, each sentence in one line: names in it are escaped.
    pub(crate) fn print(&self) {
        if let Some(headline) = self.headline {
            terminal::print_error(headline);
        }
        terminal::print_error(&self.sentences);
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Failure {
        Failure {
            headline: matches!(error, FetchError::Nothing { .. }).then_some(ENTER_TEXT_FIRST),
            sentences: error.to_string(),
        }
    }
}

/// Converts each error type: those of this program print their own remedy, those of a library are
/// explained.
macro_rules! impl_from {
    ($($error:ty => $sentences:expr;)*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                let sentences: fn(&$error) -> String = $sentences;
                Failure::new(sentences(&error))
            }
        })*
    };
}

impl_from! {
    AddressError => Explain::explain;
    ListError => Explain::explain;
    ReadError => Explain::explain;
    RemovalError => Explain::explain;
    SourceError => Explain::explain;
    ExportError => ToString::to_string;
    OutputError => ToString::to_string;
    PictureFileError => ToString::to_string;
    PixelsError => ToString::to_string;
    SaveFileError => ToString::to_string;
    fmt::Error => ToString::to_string;
    io::Error => ToString::to_string;
}

/// Refuses `--as` for a key that is not a Qt key.
pub(crate) fn refuse_form(address: &Address, form: Option<Form>) -> Result<(), Failure> {
    if address.own().is_none() || form.is_none() {
        return Ok(());
    }
    Err(Failure::new(
        "--as applies only to keys of Qt programs: write it as qt:KEY, or leave --as out.",
    ))
}

/// Refuses to write binary data to a terminal.
pub(super) fn refuse_terminal(what: &str) -> Result<(), Failure> {
    if terminal::is_stdout_escaped() {
        return Err(Failure::new(format!(
            "{what} would garble the terminal. Write it to a file with --output FILE, pipe it to \
             another program, or print it anyway with --no-escape."
        )));
    }
    Ok(())
}
