//! What is wrong with metadata.

use thiserror::Error;

use crate::error::ErrorCode;

use super::{ArrayMetadata, ImageMetadata, MAX_NAME_BYTES};

/// What is wrong with metadata.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A name or the user bytes are longer than 255 bytes.
    #[error("its {field} is {bytes} bytes long, and {MAX_NAME_BYTES} are the most")]
    TooLong {
        /// Which of them.
        field: MetadataField,
        /// How long it is.
        bytes: usize,
    },
    /// A side of an image is 0 or above [`ImageMetadata::MAX_SIDE`].
    #[error(
        "an image of {width} × {height} pixels is out of bounds (1 to {} a side)",
        ImageMetadata::MAX_SIDE
    )]
    Sides {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The rows of an image are longer than its stride.
    #[error("rows of {row} bytes do not fit a stride of {stride}")]
    Stride {
        /// The bytes of a row.
        row: u64,
        /// The bytes from row to row.
        stride: u64,
    },
    /// The payload does not have the length that the image needs.
    #[error("the image needs {needed} bytes of pixels, and there are {found}")]
    ImageLength {
        /// Stride × height.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// An array has no dimension, or more than [`ArrayMetadata::MAX_DIMENSIONS`].
    #[error(
        "an array of {count} dimensions is out of bounds (1 to {})",
        ArrayMetadata::MAX_DIMENSIONS
    )]
    Dimensions {
        /// How many it has.
        count: usize,
    },
    /// The payload does not have the length that the array needs.
    #[error("the array needs {needed} bytes, and there are {found}")]
    ArrayLength {
        /// The product of its dimensions and the size of an element.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// An array needs more than 2^64 bytes.
    #[error("the array needs more bytes than there can be")]
    ArrayTooLarge,
    /// The encoded metadata ends too early.
    #[error("the metadata ends too early")]
    EndsEarly,
    /// A name in the encoded metadata is not UTF-8.
    #[error("a name in the metadata is not UTF-8")]
    NotUtf8,
    /// An annotation stands twice in the encoded metadata.
    #[error("the metadata says the same twice")]
    Repeated,
    /// There are bytes behind the encoded metadata.
    #[error("there are bytes behind the metadata")]
    BytesBehind,
}

impl MetadataError {
    /// Returns [`ErrorCode::InvalidMetadata`].
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidMetadata
    }

    /// Returns `None`: no error of the operating system is behind it.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

/// A part of the metadata whose length is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataField {
    /// The name of the file that the content is from.
    #[error("file name")]
    FileName,
    /// The media type of bytes.
    #[error("media type")]
    MediaType,
    /// The bytes that the publisher's program adds for itself.
    #[error("user data")]
    UserData,
    /// The name of the publisher's host.
    #[error("host name")]
    HostName,
    /// The name of the publisher's program.
    #[error("program name")]
    ProgramName,
}
