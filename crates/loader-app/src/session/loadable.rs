//! What can be loaded.

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
use crate::progress::{Progress, ProgressReader};

/// Something to load.
#[derive(Debug)]
pub(crate) enum Loadable {
    /// A text.
    Text(String),
    /// A picture file, to be decoded, and who is told how far that is.
    Picture(PathBuf, Arc<Progress>),
    /// A picture from elsewhere, such as the clipboard.
    Pixels(Pixels),
    /// Any bytes.
    Bytes(Bytes),
}

impl Loadable {
    /// Returns whether it can be loaded a second time: what came through a pipe cannot.
    pub(super) fn is_repeatable(&self) -> bool {
        !matches!(self, Loadable::Bytes(_))
    }

    /// Makes ready to publish it; a picture is refused that takes more memory than `limit`, where its
    /// pixels are there so many times.
    pub(super) fn payload(
        &mut self,
        limit: Limit,
        copies: u64,
    ) -> Result<Payload<'_, LoadError>, LoadError> {
        Ok(match self {
            Loadable::Text(text) => Payload::Text(text),
            Loadable::Picture(path, progress) => {
                let picture = PictureFile::open(path, limit, Arc::clone(progress))
                    .and_then(|picture| picture.with_room_for(copies))
                    .map_err(LoadError::Picture)?;
                let metadata = picture.metadata().clone();
                let decode =
                    |pixels: &mut [u8]| picture.decode_into(pixels).map_err(LoadError::Picture);
                Payload::Picture(metadata, Box::new(decode))
            }
            Loadable::Pixels(picture) => Payload::Pixels(described(picture)?, &picture.rgba),
            Loadable::Bytes(bytes) => Payload::Bytes {
                metadata: bytes.metadata()?,
                expected: bytes.expected,
                read: Box::new(|buffer| bytes.read(buffer)),
            },
        })
    }
}

/// Bytes that are read straight into shared memory.
pub(crate) struct Bytes {
    reader: Box<dyn Read + Send>,
    /// How many there should be, where that is known.
    expected: usize,
    /// What the name says it is.
    media_type: Option<&'static str>,
    /// A file name, to be published with the bytes.
    file_name: Option<String>,
    /// What errors call it.
    name: String,
    /// Who may cancel it.
    progress: Arc<Progress>,
}

impl Bytes {
    /// Opens a file of any kind: a FIFO too, so that `<(command)` of the shell works.
    ///
    /// # Errors
    ///
    /// [`LoadError::Bytes`] where it cannot be opened, or is a folder.
    pub(crate) fn open(path: &Path) -> Result<Bytes, LoadError> {
        Bytes::open_watched(path, Arc::default())
    }

    /// Does what [`Self::open`] does, and tells `progress` while the bytes are read.
    ///
    /// # Errors
    ///
    /// [`LoadError`], as [`Self::open`] has it.
    pub(crate) fn open_watched(path: &Path, progress: Arc<Progress>) -> Result<Bytes, LoadError> {
        let opened = File::open(path).and_then(|file| {
            let facts = file.metadata()?;
            if facts.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            Ok((file, facts.len()))
        });
        let (file, length) = opened.map_err(|source| LoadError::Bytes {
            name: path.display().to_string(),
            source,
        })?;
        Ok(Bytes {
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

    /// Reads standard input to its end.
    pub(crate) fn stdin() -> Bytes {
        Bytes {
            reader: Box::new(io::stdin()),
            expected: 0,
            media_type: None,
            file_name: None,
            name: "Standard input".to_owned(),
            progress: Arc::default(),
        }
    }

    /// Returns what they are published as. Reads how they begin if the name does not say what they are.
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

    /// Returns how they begin; they are read once more after that.
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

    /// Reads some bytes; none only at the end.
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

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bytes")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Describes a picture whose sides and bytes fit each other.
fn described(picture: &Pixels) -> Result<ImageMetadata, LoadError> {
    ImageMetadata::packed(PixelFormat::Rgba8, picture.width, picture.height)
        .ok()
        .filter(|metadata| metadata.payload_bytes() == picture.rgba.len())
        .ok_or(LoadError::Pixels)
}
