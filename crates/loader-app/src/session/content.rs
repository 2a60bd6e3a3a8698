//! What can be loaded, and how it gets into shared memory: without a copy on the way.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app_kit::clipboard::Pixels;
use app_kit::limit::Limit;
use qt_bridge::User;
use shm_core::{BytesMetadata, ImageMetadata, Loan, Metadata, PixelFormat, Publisher, Sample};

use super::{Capacity, LoadError, Loaded, Released};
use crate::media_type;
use crate::picture_file::PictureFile;
use crate::progress::{Progress, Watched};

/// Something to load.
#[derive(Debug)]
pub enum Content {
    /// A text.
    Text(String),
    /// A picture file, to be decoded, and who is told how far that is.
    Picture(PathBuf, Arc<Progress>),
    /// A picture from elsewhere, such as the clipboard.
    Pixels(Pixels),
    /// Any bytes.
    Bytes(Bytes),
}

impl Content {
    /// Returns whether it can be loaded a second time: what came through a pipe cannot.
    pub(super) fn is_repeatable(&self) -> bool {
        !matches!(self, Content::Bytes(_))
    }
}

/// Bytes that are read straight into shared memory.
pub struct Bytes {
    reader: Box<dyn Read + Send>,
    /// How many there should be, where that is known.
    pub(super) expected: usize,
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
    pub fn open(path: &Path) -> Result<Bytes, LoadError> {
        Bytes::open_watched(path, Arc::default())
    }

    /// Does what [`Self::open`] does, and tells `progress` while the bytes are read.
    ///
    /// # Errors
    ///
    /// [`LoadError`], as [`Self::open`] has it.
    pub fn open_watched(path: &Path, progress: Arc<Progress>) -> Result<Bytes, LoadError> {
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
            reader: Box::new(Watched::new(file, length, Arc::clone(&progress))),
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
    pub fn stdin() -> Bytes {
        Bytes {
            reader: Box::new(io::stdin()),
            expected: 0,
            media_type: None,
            file_name: None,
            name: "Standard input".to_owned(),
            progress: Arc::default(),
        }
    }

    /// What they are published as. Reads how they begin where the name does not say what they are.
    pub(super) fn metadata(&mut self) -> Result<BytesMetadata, LoadError> {
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
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, LoadError> {
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

/// A content that was found good as far as that can be told before it is read.
pub(super) enum Payload<'a> {
    Text(&'a str),
    Picture(PictureFile),
    Pixels(ImageMetadata, &'a [u8]),
    Bytes(&'a mut Bytes),
}

/// What came of it.
pub(super) struct Published {
    kind: &'static str,
    bytes: u64,
    sequence: u64,
}

impl Published {
    pub(super) fn into_loaded(
        self,
        publisher: &Publisher,
        replaced: Option<User>,
        released: Option<Released>,
    ) -> Loaded {
        Loaded {
            key: publisher.key().into(),
            kind: self.kind,
            bytes: self.bytes,
            sequence: self.sequence,
            form: None,
            replaced,
            released,
            permissions: publisher.permissions(),
            capacity: Some(Capacity::of(publisher)),
        }
    }
}

/// Publishes once more what stood in another segment; nothing where nothing stood there.
pub(super) fn publish_again(
    kept: Option<&Sample>,
    publisher: &Publisher,
) -> Result<Published, LoadError> {
    let Some(sample) = kept else {
        return Ok(Published {
            kind: "nothing",
            bytes: 0,
            sequence: 0,
        });
    };
    let mut loan = publisher.loan(sample.len()).map_err(LoadError::Publish)?;
    sample.copy_to(&mut loan).map_err(LoadError::Kept)?;
    let sequence = loan
        .publish(sample.metadata())
        .map_err(LoadError::Publish)?;
    Ok(Published {
        kind: sample.metadata().kind(),
        bytes: sample.len() as u64,
        sequence,
    })
}

impl<'a> Payload<'a> {
    /// Looks at a content; a picture is refused that takes more memory than `limit`.
    pub(super) fn open(content: &'a mut Content, limit: Limit) -> Result<Payload<'a>, LoadError> {
        Ok(match content {
            Content::Text(text) => Payload::Text(text),
            Content::Picture(path, progress) => Payload::Picture(
                PictureFile::open_watched(path, limit, Arc::clone(progress))
                    .map_err(LoadError::Picture)?,
            ),
            Content::Pixels(picture) => Payload::Pixels(described(picture)?, &picture.rgba),
            Content::Bytes(bytes) => Payload::Bytes(bytes),
        })
    }

    pub(super) fn publish(self, publisher: &Publisher) -> Result<Published, LoadError> {
        let (metadata, bytes, sequence) = match self {
            Payload::Text(text) => {
                let sequence = publisher.publish_text(text).map_err(LoadError::Publish)?;
                (Metadata::Text, text.len(), sequence)
            }
            Payload::Picture(picture) => {
                let metadata = Metadata::Image(picture.metadata().clone());
                let length = picture.metadata().payload_bytes();
                let mut loan = publisher.loan(length).map_err(LoadError::Publish)?;
                picture.decode_into(&mut loan).map_err(LoadError::Picture)?;
                let sequence = loan.publish(&metadata).map_err(LoadError::Publish)?;
                (metadata, length, sequence)
            }
            Payload::Pixels(metadata, pixels) => {
                let mut loan = publisher.loan(pixels.len()).map_err(LoadError::Publish)?;
                loan.copy_from_slice(pixels);
                let metadata = Metadata::Image(metadata);
                let sequence = loan.publish(&metadata).map_err(LoadError::Publish)?;
                (metadata, pixels.len(), sequence)
            }
            Payload::Bytes(bytes) => {
                let metadata = Metadata::from(bytes.metadata()?);
                let loan = read_to_end(bytes, publisher)?;
                let length = loan.len();
                let sequence = loan.publish(&metadata).map_err(LoadError::Publish)?;
                (metadata, length, sequence)
            }
        };
        Ok(Published {
            kind: metadata.kind(),
            bytes: bytes as u64,
            sequence,
        })
    }
}

/// Describes a picture whose sides and bytes fit each other.
fn described(picture: &Pixels) -> Result<ImageMetadata, LoadError> {
    ImageMetadata::packed(PixelFormat::Rgba8, picture.width, picture.height)
        .ok()
        .filter(|metadata| metadata.payload_bytes() == picture.rgba.len())
        .ok_or(LoadError::Pixels)
}

/// Reads into shared memory until nothing more comes; a pipe does not tell how much that will be.
fn read_to_end<'p>(bytes: &mut Bytes, publisher: &'p Publisher) -> Result<Loan<'p>, LoadError> {
    /// How much room is asked for where nothing is expected, and then at least.
    const STEP: usize = 64 * 1024;
    let room = match bytes.expected {
        0 => STEP,
        expected => expected,
    };
    let mut loan = publisher.loan(room).map_err(LoadError::Publish)?;
    let mut filled = 0;
    while filled < loan.len() {
        match bytes.read(&mut loan[filled..])? {
            0 => break,
            count => filled += count,
        }
        if filled == loan.len() {
            // Only another byte tells whether that was all. Most files end here, without having
            // asked for more than they have.
            let mut next = [0];
            if bytes.read(&mut next)? == 1 {
                // An eighth at a time: what is asked for in vain may be what does not fit.
                let more = STEP.max(filled / 8);
                loan.resize(filled + more).map_err(LoadError::Publish)?;
                loan[filled] = next[0];
                filled += 1;
            }
        }
    }
    loan.resize(filled).map_err(LoadError::Publish)?;
    Ok(loan)
}
