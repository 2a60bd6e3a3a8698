//! Errors in metadata.

use thiserror::Error;

use crate::error::code::ErrorCode;

use super::{ArrayMetadata, ImageMetadata, MAX_NAME_BYTES};

/// An error in metadata.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// A name or the user bytes are longer than 255 bytes.
    #[error("{field} of {bytes} bytes is too long (at most {MAX_NAME_BYTES})")]
    TooLong {
        /// The field.
        field: MetadataField,
        /// Its length.
        bytes: usize,
    },
    /// A side of an image is 0 or above [`ImageMetadata::MAX_SIDE`].
    #[error(
        "image of {width} × {height} pixels is out of bounds (1 to {} a side)",
        ImageMetadata::MAX_SIDE
    )]
    Sides {
        /// The number of pixels in a row.
        width: u32,
        /// The number of rows.
        height: u32,
    },
    /// A row of the image is longer than its stride.
    #[error("row of {row} bytes does not fit a stride of {stride} bytes")]
    Stride {
        /// The length of a row, bytes.
        row: u64,
        /// The stride, bytes.
        stride: u64,
    },
    /// The payload does not have the length of the image.
    #[error("payload of {found} bytes for an image of {needed} bytes")]
    ImageLength {
        /// Stride × height.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// The array has no dimension, or more than [`ArrayMetadata::MAX_DIMENSIONS`].
    #[error(
        "array of {count} dimensions is out of bounds (1 to {})",
        ArrayMetadata::MAX_DIMENSIONS
    )]
    Dimensions {
        /// The number of dimensions.
        count: usize,
    },
    /// The payload does not have the length of the array.
    #[error("payload of {found} bytes for an array of {needed} bytes")]
    ArrayLength {
        /// The product of its dimensions and the size of an element.
        needed: u64,
        /// The payload's length.
        found: u64,
    },
    /// The array takes 2^64 bytes or more.
    #[error("array size overflows")]
    ArrayTooLarge,
    /// The encoded metadata is truncated.
    #[error("metadata is truncated")]
    EndsEarly,
    /// A name in the encoded metadata is not UTF-8.
    #[error("name in metadata is not UTF-8")]
    NotUtf8,
    /// An annotation occurs twice in the encoded metadata.
    #[error("duplicate annotation in metadata")]
    Repeated,
    /// There are bytes after the encoded metadata.
    #[error("trailing bytes after metadata")]
    BytesBehind,
}

impl MetadataError {
    /// Returns [`ErrorCode::InvalidMetadata`].
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidMetadata
    }

    /// Returns `None`, because it has no underlying OS error.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

/// A field of the metadata with a maximum length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetadataField {
    /// The name of the file that the content comes from.
    #[error("file name")]
    FileName,
    /// The media type of bytes.
    #[error("media type")]
    MediaType,
    /// The bytes of the publishing program.
    #[error("user data")]
    UserData,
    /// The name of the publisher's host.
    #[error("host name")]
    HostName,
    /// The name of the publisher's program.
    #[error("program name")]
    ProgramName,
}
