//! The desktop's clipboard, with pictures and files too.
//!
//! On X11 and Wayland the program that copies serves the content until another program copies. So a
//! thread keeps the content while the window is open, and hands it to the desktop's clipboard
//! manager, if there is one, when the window closes.

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
    /// Whether something was copied, which is handed to the clipboard manager before the window
    /// closes.
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

/// The content of the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasted {
    /// Files, as file managers copy them.
    Files(Vec<PathBuf>),
    /// A text.
    Text(String),
    /// A picture.
    Picture(Pixels),
    /// Nothing, or another type.
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
    /// Creates a clipboard without a connection.
    pub fn new() -> Clipboard {
        Clipboard::default()
    }

    /// Puts something into the clipboard.
    pub fn copy(&mut self, copied: Copied) -> Task<Result<(), ClipboardError>> {
        self.has_copied = true;
        self.call(move |connection| connection.copy(copied))
    }

    /// Reads the clipboard: prefers files to a text, and a text to a picture.
    ///
    /// Office programs offer a picture with every copied text; the user means the text.
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
            // Another program may be slow to deliver the pasted content.
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
        // Some programs answer a request for files with text: what fails as one type may succeed as
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

/// Records why an offered type could not be read.
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

/// The error of a clipboard operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClipboardError {
    /// The clipboard thread failed.
    Worker(WorkerError),
    /// There is no connection to the display server.
    Closed,
    /// The offered content is invalid, such as a damaged picture.
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
