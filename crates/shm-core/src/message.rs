//! What a payload is: text, an image as raw pixels, an array of numbers, or bytes with a media
//! type.

mod annotations;
mod array;
mod codec;
mod error;
mod image;

use std::fmt;

pub use annotations::{Annotations, Origin};
pub use array::{ArrayMetadata, Element, ElementType};
pub use error::{MetadataError, MetadataField};
pub use image::{ImageMetadata, PixelFormat};

/// The kind of a sample's payload and its description; encoded in front of the payload.
///
/// # Examples
///
/// ```
/// use shm_core::{ArrayMetadata, ElementType, ImageMetadata, Metadata, PixelFormat};
///
/// let image = ImageMetadata::packed(PixelFormat::Rgba8, 640, 480)?.with_file_name("cat.png");
/// assert_eq!(image.payload_bytes(), 640 * 480 * 4);
/// assert_eq!(Metadata::from(image).kind(), "image");
///
/// let array = ArrayMetadata::new(ElementType::Float32, [3, 4])?;
/// assert_eq!(array.payload_bytes(), 3 * 4 * 4);
/// # Ok::<(), shm_core::MetadataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metadata {
    /// UTF-8 text.
    Text,
    /// Rows of pixels.
    Image(ImageMetadata),
    /// Numbers in one or more dimensions.
    Array(ArrayMetadata),
    /// Bytes of some media type; also any kind that only a later version of this library knows.
    Bytes(BytesMetadata),
}

/// The description of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BytesMetadata {
    /// The media type, such as `application/pdf`; at most 255 bytes. An empty one counts as
    /// [`OCTET_STREAM`](Self::OCTET_STREAM).
    pub media_type: String,
    /// The name of the file that the bytes come from; at most 255 bytes. An empty name counts as
    /// none.
    pub file_name: Option<String>,
}

/// A payload in private memory, with its metadata.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// The shape of the image.
        metadata: ImageMetadata,
        /// The rows, [`ImageMetadata::payload_bytes`] long.
        pixels: Vec<u8>,
    },
    /// An array.
    Array {
        /// The element type and shape.
        metadata: ArrayMetadata,
        /// The elements, [`ArrayMetadata::payload_bytes`] long.
        data: Vec<u8>,
    },
    /// Bytes.
    Bytes {
        /// The media type and file name.
        metadata: BytesMetadata,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// The maximum length of a name, a media type or user bytes: with all of them at this length the
/// metadata fits the smallest ring.
const MAX_NAME_BYTES: usize = 255;

impl Metadata {
    /// Returns metadata of bytes without a file name; truncates the media type to 255 bytes.
    #[must_use]
    pub fn bytes(media_type: &str) -> Self {
        Self::Bytes(BytesMetadata::new(media_type))
    }

    /// Returns "text", "image", "array" or "bytes".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image(_) => "image",
            Self::Array(_) => "array",
            Self::Bytes(_) => "bytes",
        }
    }

    /// Returns the payload's media type: `image/x-raw` for raw pixels, which have no registered
    /// one, and `application/octet-stream` for arrays.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Image(_) => "image/x-raw",
            Self::Array(_) => BytesMetadata::OCTET_STREAM,
            Self::Bytes(bytes) => &bytes.media_type,
        }
    }

    /// Returns the name of the file that the payload comes from.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        match self {
            Self::Text | Self::Array(_) => None,
            Self::Image(image) => image.file_name.as_deref(),
            Self::Bytes(bytes) => bytes.file_name.as_deref(),
        }
    }

    /// Encodes metadata and annotations, as docs/LAYOUT.md specifies in section 10, for a payload
    /// of this length. A text without annotations has an empty encoding.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if the metadata does not match the payload, or is out of bounds.
    pub fn to_bytes(
        &self,
        annotations: &Annotations,
        payload_bytes: u64,
    ) -> Result<Vec<u8>, MetadataError> {
        self.check(payload_bytes)?;
        annotations.check()?;
        if *self == Self::Text && annotations.is_empty() {
            return Ok(Vec::new());
        }
        Ok(codec::encode(self, annotations))
    }

    /// Decodes what [`to_bytes`](Self::to_bytes) or an untrusted process encoded, and checks it
    /// against the payload's length. Allocates at most as much as `encoded` is long.
    ///
    /// A kind, pixel format or element type that this version does not know is decoded as bytes of
    /// unknown media type.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] if the encoding is invalid, or does not match the payload.
    pub fn from_bytes(
        encoded: &[u8],
        payload_bytes: u64,
    ) -> Result<(Self, Annotations), MetadataError> {
        if encoded.is_empty() {
            return Ok((Self::Text, Annotations::new()));
        }
        let (metadata, annotations) = codec::decode(encoded)?;
        metadata.check(payload_bytes)?;
        Ok((metadata, annotations))
    }

    /// Checks the metadata against its own bounds and the payload's length.
    pub(crate) fn check(&self, payload_bytes: u64) -> Result<(), MetadataError> {
        match self {
            Self::Text => Ok(()),
            Self::Image(image) => image.check(payload_bytes),
            Self::Array(array) => array.check(payload_bytes),
            Self::Bytes(bytes) => bytes.check(),
        }
    }
}

impl From<ImageMetadata> for Metadata {
    fn from(image: ImageMetadata) -> Self {
        Self::Image(image)
    }
}

impl From<ArrayMetadata> for Metadata {
    fn from(array: ArrayMetadata) -> Self {
        Self::Array(array)
    }
}

impl From<BytesMetadata> for Metadata {
    fn from(bytes: BytesMetadata) -> Self {
        Self::Bytes(bytes)
    }
}

impl BytesMetadata {
    /// The media type of bytes whose type is unknown.
    pub const OCTET_STREAM: &str = "application/octet-stream";

    /// Returns the description of bytes without a file name; truncates the media type to 255 bytes.
    #[must_use]
    pub fn new(media_type: &str) -> Self {
        let media_type = match media_type {
            "" => Self::OCTET_STREAM,
            media_type => truncate_name(media_type),
        };
        Self {
            media_type: media_type.to_owned(),
            file_name: None,
        }
    }

    /// Sets the name of the file that the bytes come from, truncated to 255 bytes.
    #[must_use]
    pub fn with_file_name(mut self, file_name: &str) -> Self {
        self.file_name = Some(truncate_name(file_name).to_owned());
        self
    }

    fn check(&self) -> Result<(), MetadataError> {
        check_length(MetadataField::MediaType, &self.media_type)?;
        check_length(
            MetadataField::FileName,
            self.file_name.as_deref().unwrap_or_default(),
        )
    }
}

impl Message {
    /// Returns a message of bytes; truncates the names to 255 bytes.
    #[must_use]
    pub fn bytes(media_type: &str, file_name: Option<&str>, data: Vec<u8>) -> Self {
        let mut metadata = BytesMetadata::new(media_type);
        metadata.file_name = file_name.map(|name| truncate_name(name).to_owned());
        Self::Bytes { metadata, data }
    }

    /// Returns the metadata.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        match self {
            Self::Text(_) => Metadata::Text,
            Self::Image { metadata, .. } => Metadata::Image(metadata.clone()),
            Self::Array { metadata, .. } => Metadata::Array(metadata.clone()),
            Self::Bytes { metadata, .. } => Metadata::Bytes(metadata.clone()),
        }
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Image { pixels, .. } => pixels,
            Self::Array { data, .. } | Self::Bytes { data, .. } => data,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the payload: a text may be secret, and pixels are many.
        f.debug_struct("Message")
            .field("metadata", &self.metadata())
            .field("bytes", &self.payload().len())
            .finish()
    }
}

fn check_length(field: MetadataField, bytes: impl AsRef<[u8]>) -> Result<(), MetadataError> {
    let bytes = bytes.as_ref().len();
    if bytes > MAX_NAME_BYTES {
        return Err(MetadataError::TooLong { field, bytes });
    }
    Ok(())
}

fn truncate_name(name: &str) -> &str {
    let end = (0..=name.len().min(MAX_NAME_BYTES))
        .rev()
        .find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests;
