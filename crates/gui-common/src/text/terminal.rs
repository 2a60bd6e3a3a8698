//! The door through which both programs write: a terminal gets nothing that steers or deceives.
//!
//! Texts, names and errors may contain what other users chose. Where a stream is a terminal, hidden
//! characters ([`shm_core::escape`]) reach it escaped, except for line feeds and tabs. Into a pipe or a
//! file everything goes as it is, and to a terminal too with [`EscapeOption`]. Lints forbid `println!`
//! and its like, so that all of both programs goes through here.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door that everybody else goes through"
)]

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

/// Whether everything goes raw, wherever it goes.
static IS_RAW: AtomicBool = AtomicBool::new(false);

/// The option of both programs that has everything written as it is.
#[derive(Clone, Copy, Debug, Args)]
pub struct EscapeOption {
    /// Write control and invisible characters to a terminal as they are. Without it they are
    /// shown there as \r, \u{1b} and the like; a pipe or a file gets everything as it is. In a name
    /// or a message, which is one line, a line end or a tab is always \n or \t; a backslash stays
    #[arg(long, global = true)]
    no_escape: bool,
}

impl EscapeOption {
    /// Lets everything through, where that was asked for.
    pub fn apply(self) {
        if self.no_escape {
            escape_nothing();
        }
    }
}

/// Writes everything as it is from now on, to a terminal too.
pub(crate) fn escape_nothing() {
    IS_RAW.store(true, Ordering::Relaxed);
}

/// Locks standard output, for what is written in many pieces. Who has written the last one flushes it.
pub fn stdout() -> Escaping<CopyWriter<StdoutLock<'static>>> {
    // Copied first, because what is written may lie in shared memory that a peer cuts short.
    Escaping::new(CopyWriter::new(io::stdout().lock()), is_stdout_escaped())
}

/// Returns whether hidden characters are escaped on standard output.
pub fn is_stdout_escaped() -> bool {
    is_escaped(&io::stdout())
}

/// Returns whether standard output is a terminal.
pub fn is_stdout_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns whether standard error is a terminal, where somebody may read what a script would not.
pub fn is_stderr_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Makes of a text what can stand in a line of standard output: its line ends and tabs are always
/// escaped, and its other hidden characters where that is a terminal.
pub fn line(text: &str) -> Cow<'_, str> {
    one_line(text, is_stdout_escaped())
}

/// Prints a line, and says nothing where nobody listens any more.
pub fn print(words: impl fmt::Display) {
    let mut stdout = stdout();
    writeln!(stdout, "{}", line(&words.to_string()))
        .and_then(|()| stdout.flush())
        .ok();
}

/// Says something in a line of standard error. Where nobody listens any more, it stays unsaid.
pub fn print_error(words: impl fmt::Display) {
    let mut said = one_line(&words.to_string(), is_escaped(&io::stderr())).into_owned();
    said.push('\n');
    // At once, so that the lines of several threads do not mix.
    io::stderr().lock().write_all(said.as_bytes()).ok();
}

/// Erases the line that the cursor is in.
const ERASE: &str = "\r\x1b[K";

/// A line of a terminal that tells how far something is, and is written over again and again.
#[derive(Debug, Default)]
pub struct Progress {
    is_shown: bool,
}

impl Progress {
    /// Shows these words in place of the last ones; a script that reads standard error is told nothing.
    pub fn show(&mut self, words: impl fmt::Display) {
        if is_stderr_terminal() {
            self.is_shown = true;
            steer(&one_line(&words.to_string(), is_escaped(&io::stderr())));
        }
    }

    /// Makes room for what is written next.
    pub fn erase(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            steer("");
        }
    }
}

/// Writes over the line that the cursor is in.
fn steer(words: &str) {
    let written = [ERASE, words].concat();
    io::stderr().lock().write_all(written.as_bytes()).ok();
}

/// Ends the program as clap does: with the help on standard output, or with what is wrong with the
/// arguments, which may contain anything, on standard error.
pub fn exit(error: &clap::Error) -> ! {
    if error.use_stderr() {
        write_text_to_stderr(&error.render().to_string());
    } else {
        // Help and version: the program's own words, in the colours of a terminal.
        error.print().ok();
    }
    process::exit(error.exit_code());
}

/// Lets the message of a panic go through the door too: it may quote what was read.
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

/// Escapes the hidden characters of what is written through it, except for line feeds and tabs. What
/// is not UTF-8 is written as `\x9b`, because some terminals take a byte for a control.
#[derive(Debug)]
pub struct Escaping<W: Write> {
    inner: W,
    is_escaped: bool,
    /// The beginning of a character whose end was not written yet.
    begun: Begun,
}

/// Returns whether a byte can be the first one of a hidden character: most bytes of most texts cannot,
/// and are passed over without decoding them.
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
    /// Writes to `inner`, and escapes where that is asked for.
    pub fn new(inner: W, is_escaped: bool) -> Escaping<W> {
        Escaping {
            inner,
            is_escaped,
            begun: Begun::default(),
        }
    }

    /// Writes what it can of a chunk, and keeps the beginning of its last character.
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
                // The next byte begins something else.
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

    /// Writes the beginning of a character that has no end.
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

    /// Writes what is left, the beginning of a character too: who flushes has said all.
    fn flush(&mut self) -> io::Result<()> {
        self.give_up()?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests;
