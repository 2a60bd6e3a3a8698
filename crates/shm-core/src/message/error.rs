//! What is wrong with metadata.

use std::fmt;

use crate::error::ErrorCode;

use super::{ArrayMetadata, ImageMetadata, MAX_NAME_BYTES};

/// What is wrong with metadata, as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetadataError {
    /// A name or the user bytes are longer than 255 bytes.
    TooLong {
        /// Which of them.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A side of an image is 0 or above [`ImageMetadata::MAX_SIDE`].
    Sides {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The rows of an image are longer than its stride.
    Stride {
        /// The bytes of a row.
        row: u64,
        /// The bytes from row to row.
        stride: u64,
    },
    /// The payload does not have the length that the image needs.
    ImageLength {
        /// Stride × height.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// An array has no dimension, or more than [`ArrayMetadata::MAX_DIMENSIONS`].
    Dimensions {
        /// How many it has.
        count: usize,
    },
    /// The payload does not have the length that the array needs.
    ArrayLength {
        /// The product of its dimensions and the size of an element.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// An array needs more than 2^64 bytes.
    ArrayTooLarge,
    /// The encoded metadata ends too early.
    EndsEarly,
    /// A name in the encoded metadata is not UTF-8.
    NotUtf8,
    /// An annotation stands twice in the encoded metadata.
    Repeated,
    /// There are bytes behind the encoded metadata.
    BytesBehind,
}

impl MetadataError {
    /// Returns the error's code, which no change of its variants changes.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLong { .. }
            | Self::Sides { .. }
            | Self::Stride { .. }
            | Self::ImageLength { .. }
            | Self::Dimensions { .. }
            | Self::ArrayLength { .. }
            | Self::ArrayTooLarge
            | Self::EndsEarly
            | Self::NotUtf8
            | Self::Repeated
            | Self::BytesBehind => ErrorCode::InvalidMetadata,
        }
    }

    /// Returns `None`: no error of the operating system is behind it.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { what, bytes } => write!(
                f,
                "its {what} is {bytes} bytes long, and {MAX_NAME_BYTES} are the most"
            ),
            Self::Sides { width, height } => write!(
                f,
                "an image of {width} × {height} pixels is out of bounds (1 to {} a side)",
                ImageMetadata::MAX_SIDE
            ),
            Self::Stride { row, stride } => {
                write!(f, "rows of {row} bytes do not fit a stride of {stride}")
            }
            Self::ImageLength { needed, found } => write!(
                f,
                "the image needs {needed} bytes of pixels, and there are {found}"
            ),
            Self::Dimensions { count } => write!(
                f,
                "an array of {count} dimensions is out of bounds (1 to {})",
                ArrayMetadata::MAX_DIMENSIONS
            ),
            Self::ArrayLength { needed, found } => {
                write!(f, "the array needs {needed} bytes, and there are {found}")
            }
            Self::ArrayTooLarge => f.write_str("the array needs more bytes than there can be"),
            Self::EndsEarly => f.write_str("the metadata ends too early"),
            Self::NotUtf8 => f.write_str("a name in the metadata is not UTF-8"),
            Self::Repeated => f.write_str("the metadata says the same twice"),
            Self::BytesBehind => f.write_str("there are bytes behind the metadata"),
        }
    }
}

impl std::error::Error for MetadataError {}
