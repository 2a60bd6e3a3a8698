//! Errors of decoding and encoding streams.

use std::io;

use thiserror::Error;

use super::Form;

/// Why a stream was not decoded, or a value not encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are not of this form.
    #[error("not a {form}: {reason}")]
    NotThis {
        /// The form in which they were read.
        form: Form,
        /// Why they are not.
        reason: NotThisReason,
    },
    /// The form cannot represent the value.
    #[error("cannot be written as {form}: {reason}")]
    Unfit {
        /// The form in which it was to be written.
        form: Form,
        /// Why it cannot.
        reason: UnfitReason,
    },
    /// The value is longer than a stream can be.
    #[error("{bytes} bytes are too many for a stream (at most 4 GiB)")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Decoding takes more memory than the caller's limit.
    #[error("needs {bytes} bytes of memory, more than the limit of {limit}")]
    Limit {
        /// How many bytes it would take.
        bytes: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The stream claims more bytes than were ever written to the segment.
    #[error("claims {bytes} bytes, {present} were written")]
    Unwritten {
        /// How many bytes it claims.
        bytes: u64,
        /// How many of the segment are in memory.
        present: u64,
    },
    /// Allocating memory for a copy failed.
    #[error("no memory for a copy of {bytes} bytes")]
    NoMemory {
        /// How many bytes it needs.
        bytes: usize,
    },
    /// No form has this name.
    #[error("unknown form, known are {}", Form::NAMES.map(|(name, _)| name).join(", "))]
    Unknown,
    /// Another process truncated the segment while it was read.
    #[error("segment was truncated")]
    Truncated,
    /// The segment cannot be read or written.
    #[error("segment cannot be read or written")]
    Io(#[source] io::Error),
}

/// Why bytes are not of a form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotThisReason {
    /// They are fewer than the number at the start takes.
    #[error("there are only {bytes} bytes")]
    TooShort {
        /// How many there are.
        bytes: usize,
    },
    /// The length exceeds the bytes.
    #[error("it claims {bytes} bytes, and there are {room}")]
    Length {
        /// How many they claim.
        bytes: usize,
        /// How many there are.
        room: usize,
    },
    /// The length is not a whole number of UTF-16 units.
    #[error("{bytes} bytes are not a whole number of UTF-16 units")]
    Odd {
        /// How many there are.
        bytes: usize,
    },
    /// They do not begin with the number 1, which precedes a picture.
    #[error("it begins with {found} instead of 1")]
    Mark {
        /// The number they begin with.
        found: u32,
    },
    /// They do not end with NUL.
    #[error("it does not end with NUL")]
    NoNul,
    /// The PNG file in them cannot be decoded.
    #[error("the PNG file: {message}")]
    Png {
        /// The decoder's message.
        message: String,
    },
}

/// Why a form cannot represent a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnfitReason {
    /// It is a picture, which only [`Form::QImage`] represents.
    #[error("a picture is streamed as qimage")]
    IsPicture,
    /// It is not a picture.
    #[error("this is not a picture")]
    NoPicture,
    /// The bytes are not UTF-8.
    #[error("the bytes are not UTF-8")]
    NotUtf8,
    /// It contains a NUL, where a C string ends.
    #[error("it contains NUL, where a C string ends")]
    Nul,
    /// The number of bytes does not match the size of the picture.
    #[error("its size does not match its bytes")]
    Sides,
    /// A row is longer than the stride.
    #[error("its rows are longer than the stride")]
    Rows,
    /// The pixels cannot be encoded as a PNG file.
    #[error("it cannot be encoded as PNG")]
    NoPng,
}

impl StreamError {
    /// Returns the error of writing a picture in a form that is not for pictures.
    #[must_use]
    pub fn picture_as(form: Form) -> Self {
        let reason = UnfitReason::IsPicture;
        Self::Unfit { form, reason }
    }
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}
