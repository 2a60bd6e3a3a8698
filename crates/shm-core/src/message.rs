//! What a payload is: text, an image as raw pixels, or bytes with a media type.

mod codec;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Says what a sample's payload is; encoded in front of it.
///
/// # Examples
///
/// ```
/// use shm_core::{ImageMetadata, Metadata, PixelFormat};
///
/// let image = ImageMetadata::packed(PixelFormat::Rgba8, 640, 480)?.with_source("cat.png");
/// assert_eq!(image.payload_bytes(), 640 * 480 * 4);
/// assert_eq!(Metadata::Image(image).kind(), "image");
/// # Ok::<(), shm_core::MetadataError>(())
/// ```
// The order of the variants and fields is the encoding: see docs/LAYOUT.md, "Metadata".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metadata {
    /// UTF-8 text.
    Text,
    /// Rows of pixels.
    Image(ImageMetadata),
    /// Bytes of some media type.
    Bytes {
        /// Such as `application/pdf`; at most 255 bytes.
        media_type: String,
        /// Where they come from, such as a file name; at most 255 bytes.
        source: Option<String>,
    },
}

/// The shape of an image's pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageMetadata {
    /// What a pixel consists of.
    pub format: PixelFormat,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from the beginning of a row to that of the next.
    pub stride: u32,
    /// Where it comes from, such as a file name; at most 255 bytes.
    pub source: Option<String>,
}

/// What a pixel consists of: one byte a channel, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PixelFormat {
    /// Luminance.
    Gray8,
    /// Red, green, blue.
    Rgb8,
    /// Red, green, blue, alpha (not premultiplied).
    Rgba8,
    /// Blue, green, red, alpha (not premultiplied).
    Bgra8,
}

/// A payload of its own with what it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// An image.
    Image {
        /// Its shape.
        metadata: ImageMetadata,
        /// Its rows, [`ImageMetadata::payload_bytes`] long.
        pixels: Vec<u8>,
    },
    /// Bytes.
    Bytes {
        /// Their media type.
        media_type: String,
        /// Where they come from.
        source: Option<String>,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// What is wrong with metadata, as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataError(String);

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MetadataError {}

/// The longest source name and media type, bytes: two of them and the numbers fit the room in
/// front of the payload with space to spare.
const MAX_NAME_BYTES: usize = 255;

impl Metadata {
    /// "text", "image" or "bytes".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image(_) => "image",
            Self::Bytes { .. } => "bytes",
        }
    }

    /// The payload's media type; raw pixels have none that is registered, and say `image/x-raw`.
    #[must_use]
    pub fn media_type(&self) -> &str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Image(_) => "image/x-raw",
            Self::Bytes { media_type, .. } => media_type,
        }
    }

    /// Where the payload comes from, such as a file name.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Text => None,
            Self::Image(image) => image.source.as_deref(),
            Self::Bytes { source, .. } => source.as_deref(),
        }
    }

    /// Checks the metadata against its own bounds and the payload's length.
    pub(crate) fn check(&self, payload_bytes: u64) -> Result<(), MetadataError> {
        if let Some(source) = self.source() {
            check_name("source name", source)?;
        }
        match self {
            Self::Text => Ok(()),
            Self::Bytes { media_type, .. } => check_name("media type", media_type),
            Self::Image(image) => image.check(payload_bytes),
        }
    }

    /// Encodes it; a text, which most small samples are, as nothing.
    pub(crate) fn encode(&self, payload_bytes: u64) -> Result<Vec<u8>, MetadataError> {
        self.check(payload_bytes)?;
        if *self == Self::Text {
            return Ok(Vec::new());
        }
        codec::encode(self).map_err(MetadataError)
    }

    /// Decodes a private copy of what a stranger wrote, and checks it.
    pub(crate) fn decode(encoded: &[u8], payload_bytes: u64) -> Result<Self, MetadataError> {
        if encoded.is_empty() {
            return Ok(Self::Text);
        }
        let metadata = codec::decode::<Self>(encoded).map_err(MetadataError)?;
        metadata.check(payload_bytes)?;
        Ok(metadata)
    }
}

impl ImageMetadata {
    /// The longest side, pixels.
    pub const MAX_SIDE: u32 = 65_535;

    /// An image whose rows follow each other without a gap.
    ///
    /// # Errors
    ///
    /// [`MetadataError`] where a side is 0 or above [`MAX_SIDE`](Self::MAX_SIDE).
    pub fn packed(format: PixelFormat, width: u32, height: u32) -> Result<Self, MetadataError> {
        check_sides(width, height)?;
        let bytes = format.bytes_per_pixel();
        // At most 65,535 × 4.
        let stride = width * u32::try_from(bytes).unwrap_or(4);
        Ok(Self {
            format,
            width,
            height,
            stride,
            source: None,
        })
    }

    /// The same image with where it comes from; cut at 255 bytes.
    #[must_use]
    pub fn with_source(mut self, source: &str) -> Self {
        self.source = Some(cut_name(source).to_owned());
        self
    }

    /// The payload's length, bytes: stride × height.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.stride as usize * self.height as usize
    }

    fn check(&self, payload_bytes: u64) -> Result<(), MetadataError> {
        check_sides(self.width, self.height)?;
        let row = u64::from(self.width) * self.format.bytes_per_pixel() as u64;
        let stride = u64::from(self.stride);
        if stride < row {
            return Err(MetadataError(format!(
                "rows of {row} bytes do not fit a stride of {stride}"
            )));
        }
        let needed = stride * u64::from(self.height);
        if needed != payload_bytes {
            let text =
                format!("the image needs {needed} bytes of pixels, and there are {payload_bytes}");
            return Err(MetadataError(text));
        }
        Ok(())
    }
}

impl PixelFormat {
    /// How many bytes a pixel takes.
    #[must_use]
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Rgba8 | Self::Bgra8 => 4,
        }
    }

    /// "gray", "rgb", "rgba" or "bgra".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gray8 => "gray",
            Self::Rgb8 => "rgb",
            Self::Rgba8 => "rgba",
            Self::Bgra8 => "bgra",
        }
    }
}

impl Message {
    /// Bytes of some media type; the source cut at 255 bytes.
    #[must_use]
    pub fn bytes(media_type: &str, source: Option<&str>, data: Vec<u8>) -> Self {
        let source = source.map(|source| cut_name(source).to_owned());
        Self::Bytes {
            media_type: cut_name(media_type).to_owned(),
            source,
            data,
        }
    }

    /// What the payload is.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        match self {
            Self::Text(_) => Metadata::Text,
            Self::Image { metadata, .. } => Metadata::Image(metadata.clone()),
            Self::Bytes {
                media_type, source, ..
            } => Metadata::Bytes {
                media_type: media_type.clone(),
                source: source.clone(),
            },
        }
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Image { pixels, .. } => pixels,
            Self::Bytes { data, .. } => data,
        }
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text may be a secret, and pixels are many.
        f.debug_struct("Message")
            .field("metadata", &self.metadata())
            .field("bytes", &self.payload().len())
            .finish()
    }
}

fn check_sides(width: u32, height: u32) -> Result<(), MetadataError> {
    let sides = 1..=ImageMetadata::MAX_SIDE;
    if sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    let most = ImageMetadata::MAX_SIDE;
    Err(MetadataError(format!(
        "an image of {width} × {height} pixels is out of bounds (1 to {most} a side)"
    )))
}

fn check_name(what: &str, name: &str) -> Result<(), MetadataError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(MetadataError(format!(
            "its {what} is {} bytes long, and {MAX_NAME_BYTES} are the most",
            name.len()
        )));
    }
    Ok(())
}

fn cut_name(name: &str) -> &str {
    let end = (0..=name.len().min(MAX_NAME_BYTES))
        .rev()
        .find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(metadata: &Metadata, payload_bytes: u64) -> Vec<u8> {
        metadata.encode(payload_bytes).unwrap()
    }

    /// The bytes that docs/LAYOUT.md writes down: whoever changes them changes the format.
    #[test]
    fn the_encoding_is_the_one_that_the_document_shows() {
        assert_eq!(encoded(&Metadata::Text, 5), []);
        let image = ImageMetadata::packed(PixelFormat::Rgba8, 640, 2)
            .unwrap()
            .with_source("a.png");
        let golden = [
            1, 2, 251, 0x80, 0x02, 2, 251, 0x00, 0x0a, 1, 5, b'a', b'.', b'p', b'n', b'g',
        ];
        assert_eq!(encoded(&Metadata::Image(image), 640 * 4 * 2), golden);
        let bytes = Metadata::Bytes {
            media_type: "a/b".into(),
            source: None,
        };
        assert_eq!(encoded(&bytes, 0), [2, 3, b'a', b'/', b'b', 0]);
        let wide = ImageMetadata {
            stride: 70_000,
            ..ImageMetadata::packed(PixelFormat::Gray8, 1, 1).unwrap()
        };
        assert_eq!(
            encoded(&Metadata::Image(wide), 70_000),
            [1, 0, 1, 1, 252, 0x70, 0x11, 0x01, 0x00, 0]
        );
    }

    #[test]
    fn what_was_encoded_comes_back_and_nothing_else_does() {
        let image = ImageMetadata::packed(PixelFormat::Rgb8, 3, 2).unwrap();
        let metadata = Metadata::Image(image);
        let bytes = encoded(&metadata, 18);
        assert_eq!(Metadata::decode(&bytes, 18).unwrap(), metadata);
        for cut in 1..bytes.len() {
            assert!(Metadata::decode(&bytes[..cut], 18).is_err(), "cut at {cut}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(
            Metadata::decode(&longer, 18).is_err(),
            "bytes behind the metadata"
        );
        assert!(
            Metadata::decode(&bytes, 17).is_err(),
            "a payload of another length"
        );
        assert!(Metadata::decode(&[9], 0).is_err(), "an unknown kind");
        let endless = [2, 253, 255, 255, 255, 255, 255, 255, 255, 127];
        assert!(
            Metadata::decode(&endless, 0).is_err(),
            "a length from a liar"
        );
    }

    #[test]
    fn impossible_images_are_refused() {
        assert!(ImageMetadata::packed(PixelFormat::Gray8, 0, 1).is_err());
        assert!(ImageMetadata::packed(PixelFormat::Gray8, 65_536, 1).is_err());
        let good = ImageMetadata::packed(PixelFormat::Rgba8, 2, 2).unwrap();
        let narrow = Metadata::Image(ImageMetadata {
            stride: 7,
            ..good.clone()
        });
        assert!(narrow.check(14).is_err(), "rows longer than the stride");
        let huge = Metadata::Image(ImageMetadata {
            stride: u32::MAX,
            height: 65_535,
            ..good
        });
        assert!(huge.check(u64::MAX).is_err());
        assert!(
            Metadata::Bytes {
                media_type: "x".repeat(256),
                source: None
            }
            .check(0)
            .is_err()
        );
    }

    #[test]
    fn the_longest_metadata_fits_its_room() {
        let longest = Metadata::Bytes {
            media_type: "x".repeat(255),
            source: Some("y".repeat(255)),
        };
        assert!(encoded(&longest, 0).len() < codec::MOST_BYTES);
    }

    #[test]
    fn names_are_cut_at_a_character() {
        assert_eq!(cut_name(&"é".repeat(200)).len(), 254);
        assert_eq!(cut_name("short"), "short");
    }
}
