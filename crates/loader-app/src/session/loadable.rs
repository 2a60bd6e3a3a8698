//! The kinds of content that a session can load.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gui_common::desktop::clipboard::Pixels;
use gui_common::picture::limit::Limit;
use shm_core::{BytesMetadata, ImageMetadata, PixelFormat};
use shm_io::Payload;

use super::LoadError;
use crate::media_type;
use crate::picture_file::PictureFile;
use crate::progress::{ProgressReader, ReadProgress};

/// Content to load.
#[derive(Debug)]
pub(crate) enum Loadable {
    /// A text.
    Text(String),
    /// A picture file, and the progress of decoding it.
    Picture(PathBuf, Arc<ReadProgress>),
    /// Decoded pixels, such as those of the clipboard.
    Pixels(Pixels),
    /// Any bytes.
    Bytes(ByteSource),
}

impl Loadable {
    /// Returns `true` if it can be read a second time; a pipe cannot.
    pub(super) fn is_repeatable(&self) -> bool {
        !matches!(self, Loadable::Bytes(_))
    }

    /// Returns the payload to publish. `copies` is the number of copies of a picture's pixels that
    /// are in memory at once; a picture that needs more than `limit` is refused.
    pub(super) fn payload(
        &mut self,
        limit: Limit,
        copies: u64,
    ) -> Result<Payload<'_, LoadError>, LoadError> {
        Ok(match self {
            Loadable::Text(text) => Payload::Text(text),
            Loadable::Picture(path, progress) => {
                let picture = PictureFile::open(path, limit, Arc::clone(progress))
                    .and_then(|picture| picture.check_copies(copies))
                    .map_err(LoadError::Picture)?;
                let metadata = picture.metadata().clone();
                let decode =
                    |pixels: &mut [u8]| picture.decode_into(pixels).map_err(LoadError::Picture);
                Payload::Picture(metadata, Box::new(decode))
            }
            Loadable::Pixels(picture) => Payload::Pixels(pixels_metadata(picture)?, &picture.rgba),
            Loadable::Bytes(bytes) => Payload::Bytes {
                metadata: bytes.metadata()?,
                expected: bytes.expected,
                read: Box::new(|buffer| bytes.read(buffer)),
            },
        })
    }
}

/// Bytes that are read straight into shared memory.
pub(crate) struct ByteSource {
    reader: Box<dyn Read + Send>,
    /// The expected number of bytes; 0 if it is not known.
    expected: usize,
    /// The media type, if the file's extension has one.
    media_type: Option<&'static str>,
    /// The file name to publish with the bytes.
    file_name: Option<String>,
    /// The name of the source in errors.
    name: String,
    /// Counts what is read, and can cancel it.
    progress: Arc<ReadProgress>,
}

impl ByteSource {
    /// Opens a file of any kind, including a FIFO, so that `<(command)` of the shell works.
    ///
    /// # Errors
    ///
    /// Returns [`LoadError::Bytes`] if the file cannot be opened or is a folder.
    pub(crate) fn open(path: &Path) -> Result<ByteSource, LoadError> {
        ByteSource::open_with_progress(path, Arc::default())
    }

    /// Opens a file like [`Self::open`], and counts what is read in `progress`.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`Self::open`].
    pub(crate) fn open_with_progress(
        path: &Path,
        progress: Arc<ReadProgress>,
    ) -> Result<ByteSource, LoadError> {
        let opened = File::open(path).and_then(|file| {
            let stat = file.metadata()?;
            if stat.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Ok((file, stat.len()))
        });
        let (file, length) = opened.map_err(|source| LoadError::Bytes {
            name: path.display().to_string(),
            source,
        })?;
        Ok(ByteSource {
            reader: Box::new(ProgressReader::new(file, length, Arc::clone(&progress))),
            expected: usize::try_from(length).unwrap_or(0),
            media_type: media_type::of_name(path),
            file_name: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned()),
            name: path.display().to_string(),
            progress,
        })
    }

    /// Returns a source that reads standard input to its end.
    pub(crate) fn stdin() -> ByteSource {
        ByteSource {
            reader: Box::new(io::stdin()),
            expected: 0,
            media_type: None,
            file_name: None,
            name: "Standard input".to_owned(),
            progress: Arc::default(),
        }
    }

    /// Returns the metadata to publish. Peeks at the content if the extension has no media type.
    fn metadata(&mut self) -> Result<BytesMetadata, LoadError> {
        let media_type = match self.media_type {
            Some(media_type) => media_type,
            None => media_type::of_content(&self.peek()?),
        };
        let metadata = BytesMetadata::new(media_type);
        Ok(match &self.file_name {
            Some(name) => metadata.with_file_name(name),
            None => metadata,
        })
    }

    /// Returns the first bytes; later reads return them again.
    fn peek(&mut self) -> Result<Vec<u8>, LoadError> {
        let mut head = vec![0; media_type::HEAD_BYTES];
        let mut filled = 0;
        while filled < head.len() {
            match self.read(&mut head[filled..])? {
                0 => break,
                count => filled += count,
            }
        }
        head.truncate(filled);
        let rest = mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(io::Cursor::new(head.clone()).chain(rest));
        Ok(head)
    }

    /// Reads some bytes; returns 0 only at the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LoadError> {
        loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if self.progress.is_cancelled() => {
                    return Err(LoadError::Cancelled {
                        name: self.name.clone(),
                    });
                }
                result => {
                    return result.map_err(|source| LoadError::Bytes {
                        name: self.name.clone(),
                        source,
                    });
                }
            }
        }
    }
}

impl fmt::Debug for ByteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Returns the metadata of a picture whose number of bytes matches its sides.
fn pixels_metadata(picture: &Pixels) -> Result<ImageMetadata, LoadError> {
    ImageMetadata::packed(PixelFormat::Rgba8, picture.width, picture.height)
        .ok()
        .filter(|metadata| metadata.payload_bytes() == picture.rgba.len())
        .ok_or(LoadError::Pixels)
}
