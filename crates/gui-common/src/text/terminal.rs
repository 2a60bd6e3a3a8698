//! The terminal output of both programs: no control character of untrusted input reaches a
//! terminal.
//!
//! Texts, names and errors may contain untrusted input. If a stream is a terminal, hidden
//! characters ([`shm_core::escape`]) are escaped, except for line feeds and tabs. A pipe or a file
//! gets everything unchanged, and so does a terminal with [`EscapeOption`]. Lints forbid `println!`
//! and similar macros, so that all output goes through this module.
#![expect(clippy::disallowed_methods, reason = "all other code uses this module")]

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, IsTerminal, Stderr, Stdout, StdoutLock, Write};
use std::panic;
use std::process;
use std::str;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use shm_core::escape;

use crate::desktop::copy_writer::CopyWriter;

/// Whether nothing is escaped, even on a terminal.
static IS_RAW: AtomicBool = AtomicBool::new(false);

/// The option of both programs that turns escaping off.
#[derive(Clone, Copy, Debug, Args)]
pub struct EscapeOption {
    /// Write control and invisible characters to a terminal as they are. Without it they are
    /// shown there as \r, \u{1b} and the like; a pipe or a file gets everything as it is. In a name
    /// or a message, which is one line, a line end or a tab is always \n or \t; a backslash stays
    #[arg(long, global = true)]
    no_escape: bool,
}

impl EscapeOption {
    /// Applies the option.
    pub fn apply(self) {
        if self.no_escape {
            escape_nothing();
        }
    }
}

/// Turns escaping off for the process.
pub(crate) fn escape_nothing() {
    IS_RAW.store(true, Ordering::Relaxed);
}

/// Locks standard output for output in many pieces. The caller flushes it after the last one.
pub fn stdout() -> Escaping<CopyWriter<StdoutLock<'static>>> {
    // Copied first, because the bytes may lie in shared memory that a peer truncates.
    Escaping::new(CopyWriter::new(io::stdout().lock()), is_stdout_escaped())
}

/// Returns `true` if hidden characters are escaped on standard output.
pub fn is_stdout_escaped() -> bool {
    is_escaped(&io::stdout())
}

/// Returns `true` if standard output is a terminal.
pub fn is_stdout_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns `true` if standard error is a terminal, and so read by a user and not by a script.
pub fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Escapes a text for one line of standard output: line ends and tabs always, other hidden
/// characters if it is a terminal.
pub fn line(text: &str) -> Cow<'_, str> {
    one_line(text, is_stdout_escaped())
}

/// Prints a line to standard output. A closed pipe is ignored.
pub fn print(words: impl fmt::Display) {
    let mut stdout = stdout();
    writeln!(stdout, "{}", line(&words.to_string()))
        .and_then(|()| stdout.flush())
        .ok();
}

/// Prints a line to standard error. A closed pipe is ignored.
pub fn print_error(words: impl fmt::Display) {
    let mut said = one_line(&words.to_string(), is_escaped(&io::stderr())).into_owned();
    said.push('\n');
    // In one write, so that the lines of several threads do not mix.
    io::stderr().lock().write_all(said.as_bytes()).ok();
}

/// The control sequence that erases the current line.
const ERASE: &str = "\r\x1b[K";

/// A progress line on a terminal, overwritten by each update.
#[derive(Debug, Default)]
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Shows a progress text in place of the last one; does nothing unless standard error is a
    /// terminal.
    pub fn show(&mut self, words: impl fmt::Display) {
        if is_stderr_terminal() {
            self.is_shown = true;
            steer(&one_line(&words.to_string(), is_escaped(&io::stderr())));
        }
    }

    /// Erases the progress line, so that other output can follow.
    pub fn erase(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            steer("");
        }
    }
}

/// Overwrites the current line.
fn steer(words: &str) {
    let written = [ERASE, words].concat();
    io::stderr().lock().write_all(written.as_bytes()).ok();
}

/// Ends the program as clap does: prints the help to standard output, or the error of the
/// arguments, which are untrusted input, to standard error.
pub fn exit(error: &clap::Error) -> ! {
    if error.use_stderr() {
        write_text_to_stderr(&error.render().to_string());
    } else {
        // Help and version: trusted text, with terminal colours.
        error.print().ok();
    }
    process::exit(error.exit_code());
}

/// Escapes panic messages too, because they may quote untrusted input.
pub fn guard_panics() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let mut said = format!("thread '{}' {info}\n", thread.name().unwrap_or("?"));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            // Writing to a String does not fail.
            writeln!(said, "stack backtrace:\n{backtrace}").ok();
        }
        write_text_to_stderr(&said);
    }));
}

fn write_text_to_stderr(text: &str) {
    let mut stderr = Escaping::new(io::stderr().lock(), is_escaped(&io::stderr()));
    stderr.write_all(text.as_bytes()).ok();
}

/// A stream of the process.
trait Stream: IsTerminal {}

impl Stream for Stdout {}
impl Stream for Stderr {}

fn is_escaped(stream: &impl Stream) -> bool {
    stream.is_terminal() && !IS_RAW.load(Ordering::Relaxed)
}

fn one_line(text: &str, is_escaped: bool) -> Cow<'_, str> {
    if is_escaped {
        return escape::line(text);
    }
    match text.contains(['\n', '\t']) {
        true => text.replace('\n', r"\n").replace('\t', r"\t").into(),
        false => text.into(),
    }
}

/// A writer that escapes hidden characters, except for line feeds and tabs. Bytes that are not
/// UTF-8 are written as `\x9b`, because some terminals interpret single bytes as control
/// characters.
#[derive(Debug)]
pub struct Escaping<W: Write> {
    inner: W,
    is_escaped: bool,
    /// The first bytes of a character that is not yet complete.
    begun: Begun,
}

/// Returns `true` if a byte can begin a hidden character. Most bytes of most texts cannot, and are
/// skipped without decoding.
fn may_begin_hidden(byte: &u8) -> bool {
    !matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

/// Up to three bytes of a character.
#[derive(Debug, Default)]
struct Begun {
    bytes: [u8; 4],
    length: usize,
}

impl<W: Write> Escaping<W> {
    /// Creates a writer to `inner` that escapes if `is_escaped`.
    pub fn new(inner: W, is_escaped: bool) -> Escaping<W> {
        Escaping {
            inner,
            is_escaped,
            begun: Begun::default(),
        }
    }

    /// Writes a chunk, and keeps an incomplete character at its end.
    fn write_escaped(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.begun.length > 0 {
            let Some((first, rest)) = bytes.split_first() else {
                return Ok(());
            };
            self.begun.bytes[self.begun.length] = *first;
            let joined = self.begun.bytes;
            let joined = &joined[..=self.begun.length];
            match str::from_utf8(joined) {
                Ok(character) => {
                    self.begun.length = 0;
                    self.write_text(character)?;
                    bytes = rest;
                }
                Err(error) if error.error_len().is_none() => {
                    self.begun.length += 1;
                    bytes = rest;
                }
                // The next byte begins another character.
                Err(_) => self.give_up()?,
            }
        }
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.write_text(chunk.valid())?;
            let invalid = chunk.invalid();
            let is_begun = str::from_utf8(invalid)
                .is_err_and(|error| error.error_len().is_none() && chunks.peek().is_none());
            if is_begun {
                self.begun.bytes[..invalid.len()].copy_from_slice(invalid);
                self.begun.length = invalid.len();
            } else {
                self.write_bytes(invalid)?;
            }
        }
        Ok(())
    }

    fn write_text(&mut self, text: &str) -> io::Result<()> {
        let (mut written, mut at) = (0, 0);
        while let Some(next) = text.as_bytes()[at..].iter().position(may_begin_hidden) {
            let Some(character) = text[at + next..].chars().next() else {
                break;
            };
            let start = at + next;
            at = start + character.len_utf8();
            if escape::is_hidden_in_text(character) {
                self.inner.write_all(&text.as_bytes()[written..start])?;
                write!(self.inner, "{}", character.escape_default())?;
                written = at;
            }
        }
        self.inner.write_all(&text.as_bytes()[written..])
    }

    fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        bytes
            .iter()
            .try_for_each(|byte| write!(self.inner, r"\x{byte:02x}"))
    }

    /// Writes the bytes of an incomplete character.
    fn give_up(&mut self) -> io::Result<()> {
        let Begun { bytes, length } = std::mem::take(&mut self.begun);
        self.write_bytes(&bytes[..length])
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_escaped {
            return self.inner.write(bytes);
        }
        self.write_escaped(bytes)?;
        Ok(bytes.len())
    }

    /// Writes the rest, including an incomplete character: after a flush nothing follows.
    fn flush(&mut self) -> io::Result<()> {
        self.give_up()?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
