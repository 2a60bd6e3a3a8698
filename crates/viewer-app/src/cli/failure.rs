//! How a command fails, and what it refuses to do.

use std::error::Error;

use app_kit::terminal;
use qt_bridge::Form;
use shm_io::Address;

use crate::session::ENTER_TEXT_FIRST;

/// Why a command could not do its work: what is wrong and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    sentences: String,
}

impl Failure {
    pub(crate) fn new(sentences: impl Into<String>) -> Failure {
        Failure {
            sentences: sentences.into(),
        }
    }

    /// Says it on standard error, in one line: no name in it can begin another.
    pub(crate) fn tell(&self) {
        let headline = format!("{ENTER_TEXT_FIRST}\n");
        let mut sentences = self.sentences.as_str();
        if let Some(rest) = sentences.strip_prefix(&headline) {
            terminal::warn(ENTER_TEXT_FIRST);
            sentences = rest;
        }
        terminal::warn(sentences);
    }
}

/// Every error of the program says in whole sentences what to do; a failure repeats them.
impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::new(error.to_string())
    }
}

/// Refuses `--as` where no Qt program streams.
pub(crate) fn refuse_form(address: &Address, form: Option<Form>) -> Result<(), Failure> {
    if address.own().is_none() || form.is_none() {
        return Ok(());
    }
    Err(Failure::new(
        "--as says what a Qt program streams, and this key is not of one: write it as qt:KEY, or \
         leave --as out.",
    ))
}

/// Refuses to write to a terminal what is no text.
pub(super) fn refuse_terminal(what: &str) -> Result<(), Failure> {
    if terminal::is_stdout_escaped() {
        return Err(Failure::new(format!(
            "{what} would garble the terminal. Write it to a file with --output FILE, pipe it to \
             another program, or have it written all the same with --no-escape."
        )));
    }
    Ok(())
}
