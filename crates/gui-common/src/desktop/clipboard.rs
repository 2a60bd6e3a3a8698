//! The desktop's clipboard, with pictures and files too.
//!
//! On X11 and Wayland the clipboard is a promise: whoever copies serves the content until
//! somebody else copies. So a thread keeps it for as long as the window lives, and hands it to
//! the desktop's clipboard manager, where there is one, when the window closes.

use std::fmt;
use std::path::PathBuf;

use arboard::ImageData;
use iced::Task;

use crate::session::worker::{OwnerThread, WorkerError};
use crate::tr;

/// A window's access to the clipboard; nothing is opened before it is used.
#[derive(Debug, Default)]
pub struct Clipboard {
    thread: Option<OwnerThread<Connection>>,
    /// Whether something was copied, which the desktop may want before the window is gone.
    has_copied: bool,
}

/// What can be copied.
#[derive(Clone, PartialEq, Eq)]
pub enum Copied {
    /// A text.
    Text(String),
    /// A picture; other programs get it as PNG.
    Picture(Pixels),
}

/// What was in the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// Files, as file managers copy them.
    Files(Vec<PathBuf>),
    /// A text.
    Text(String),
    /// A picture.
    Picture(Pixels),
    /// Nothing, or nothing of these.
    Nothing,
}

/// A picture in RGBA, one byte each, row after row.
#[derive(Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// As many bytes as four times width times height.
    pub rgba: Vec<u8>,
}

impl fmt::Debug for Pixels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pixels({} × {})", self.width, self.height)
    }
}

impl fmt::Debug for Copied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Copied::Text(text) => write!(formatter, "Text({} bytes)", text.len()),
            Copied::Picture(pixels) => pixels.fmt(formatter),
        }
    }
}

impl Clipboard {
    /// Begins without a connection.
    pub fn new() -> Clipboard {
        Clipboard::default()
    }

    /// Puts something into the clipboard.
    pub fn copy(&mut self, copied: Copied) -> Task<Result<(), ClipboardError>> {
        self.has_copied = true;
        self.call(move |connection| connection.copy(copied))
    }

    /// Takes what is in the clipboard: files before a text, a text before a picture.
    ///
    /// Office programs offer a picture of every text they copy; whoever copied words means words.
    pub fn paste(&mut self) -> Task<Result<Pasted, ClipboardError>> {
        self.call(Connection::paste)
    }

    fn call<T: Send + 'static>(
        &mut self,
        job: impl FnOnce(&mut Connection) -> Result<T, ClipboardError> + Send + 'static,
    ) -> Task<Result<T, ClipboardError>> {
        self.thread
            .get_or_insert_with(|| OwnerThread::start("clipboard", Connection::default))
            .call(job)
            .map(|answer| answer.map_err(ClipboardError::Worker)?)
    }
}

impl Drop for Clipboard {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take()
            && !self.has_copied
        {
            // Somebody else's program may take its time to hand over what was to be pasted.
            thread.leave();
        }
    }
}

/// The connection to the display server, once there is one.
#[derive(Default)]
struct Connection(Option<arboard::Clipboard>);

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

impl Connection {
    fn open(&mut self) -> Result<&mut arboard::Clipboard, ClipboardError> {
        if self.0.is_none() {
            self.0 = Some(arboard::Clipboard::new()?);
        }
        self.0.as_mut().ok_or(ClipboardError::Closed)
    }

    fn copy(&mut self, copied: Copied) -> Result<(), ClipboardError> {
        let clipboard = self.open()?;
        match copied {
            Copied::Text(text) => clipboard.set_text(text)?,
            Copied::Picture(picture) => clipboard.set_image(ImageData {
                width: picture.width as usize,
                height: picture.height as usize,
                bytes: picture.rgba.into(),
            })?,
        }
        Ok(())
    }

    fn paste(&mut self) -> Result<Pasted, ClipboardError> {
        let clipboard = self.open()?;
        let mut failure = None;
        // Some programs answer with words when asked for files: what fails as one thing may be
        // another.
        if let Some(files) = offered(clipboard.get().file_list(), &mut failure)
            && !files.is_empty()
        {
            return Ok(Pasted::Files(files));
        }
        if let Some(text) = offered(clipboard.get_text(), &mut failure) {
            return Ok(Pasted::Text(text));
        }
        if let Some(image) = offered(clipboard.get_image(), &mut failure) {
            return pixels_of(image).map(Pasted::Picture);
        }
        match failure {
            Some(error) => Err(error.into()),
            None => Ok(Pasted::Nothing),
        }
    }
}

/// Notes why something that is offered cannot be had.
fn offered<T>(got: Result<T, arboard::Error>, failure: &mut Option<arboard::Error>) -> Option<T> {
    match got {
        Ok(content) => Some(content),
        Err(arboard::Error::ContentNotAvailable) => None,
        Err(error) => {
            *failure = Some(error);
            None
        }
    }
}

fn pixels_of(image: ImageData<'_>) -> Result<Pixels, ClipboardError> {
    match (u32::try_from(image.width), u32::try_from(image.height)) {
        (Ok(width), Ok(height)) => Ok(Pixels {
            width,
            height,
            rgba: image.bytes.into_owned(),
        }),
        _ => Err(ClipboardError::Damaged),
    }
}

/// Why the clipboard could not be used.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClipboardError {
    /// Nobody could go and ask.
    Worker(WorkerError),
    /// There is no connection to the display server.
    Closed,
    /// What is offered cannot be understood, such as a damaged picture.
    Damaged,
    /// The display server or the program that copied did not answer as it should.
    System(String),
}

impl From<arboard::Error> for ClipboardError {
    fn from(error: arboard::Error) -> ClipboardError {
        match error {
            arboard::Error::ConversionFailure => ClipboardError::Damaged,
            arboard::Error::Unknown { description } => ClipboardError::System(description),
            error => ClipboardError::System(error.to_string()),
        }
    }
}

impl fmt::Display for ClipboardError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClipboardError::Worker(error) => error.fmt(formatter),
            ClipboardError::Closed => formatter.write_str(&tr!("clipboard-closed")),
            ClipboardError::Damaged => formatter.write_str(&tr!("clipboard-damaged")),
            ClipboardError::System(reason) => {
                let reason = reason.trim_end_matches('.');
                formatter.write_str(&tr!("clipboard-system", reason = reason))
            }
        }
    }
}

impl std::error::Error for ClipboardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ClipboardError::Worker(error) => Some(error),
            ClipboardError::Closed | ClipboardError::Damaged | ClipboardError::System(_) => None,
        }
    }
}
