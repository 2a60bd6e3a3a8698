//! What can be wrong with a stream.

use std::io;

use thiserror::Error;

use super::Form;

/// Why a value is not in a stream, or does not go into one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are not of this form.
    #[error("not a {form}: {reason}")]
    NotThis {
        /// The form that they were read as.
        form: Form,
        /// What is wrong.
        reason: NotThisReason,
    },
    /// The form cannot hold the value that is to be written.
    #[error("cannot be written as {form}: {reason}")]
    Unfit {
        /// The form that it was to be written as.
        form: Form,
        /// What is in the way.
        reason: UnfitReason,
    },
    /// It is longer than a stream can say.
    #[error("{bytes} bytes are too many for a stream (at most 4 GiB)")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Reading it takes more memory than the caller lets it take.
    #[error("needs {bytes} bytes of memory, more than the limit of {limit}")]
    Limit {
        /// How many bytes it takes.
        bytes: u64,
        /// How many it may take.
        limit: u64,
    },
    /// It claims to be longer than what was ever written into the segment.
    #[error("claims {bytes} bytes, {present} were written")]
    Unwritten {
        /// How many bytes it claims to have.
        bytes: u64,
        /// How many of the segment are in memory.
        present: u64,
    },
    /// There is no memory for a copy.
    #[error("no memory for a copy of {bytes} bytes")]
    NoMemory {
        /// How many bytes it needs.
        bytes: usize,
    },
    /// No form has this name.
    #[error("unknown form, known are {}", Form::NAMES.map(|(name, _)| name).join(", "))]
    Unknown,
    /// The segment was cut short by another program while it was read.
    #[error("segment was cut short")]
    Truncated,
    /// The segment cannot be read or written.
    #[error("segment cannot be read or written")]
    Io(#[source] io::Error),
}

/// What is wrong with bytes that are not of a form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotThisReason {
    /// They are fewer than the head takes.
    #[error("there are only {bytes} bytes")]
    TooShort {
        /// How many there are.
        bytes: usize,
    },
    /// They claim to be longer than they are.
    #[error("it claims {bytes} bytes, and there are {room}")]
    Length {
        /// How many they claim.
        bytes: usize,
        /// How many there are.
        room: usize,
    },
    /// They are no whole number of UTF-16 units.
    #[error("{bytes} bytes are not a whole number of UTF-16 units")]
    Odd {
        /// How many there are.
        bytes: usize,
    },
    /// They do not begin with the mark of a picture.
    #[error("it begins with {found} instead of 1")]
    Mark {
        /// What they begin with.
        found: u32,
    },
    /// They do not end with NUL.
    #[error("it does not end with NUL")]
    NoNul,
    /// The PNG file in them cannot be decoded.
    #[error("the PNG file: {message}")]
    Png {
        /// What the decoder says.
        message: String,
    },
}

/// What keeps a value from being written in a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnfitReason {
    /// It is a picture, which only [`Form::QImage`] holds.
    #[error("a picture is streamed as qimage")]
    IsPicture,
    /// It is no picture.
    #[error("this is not a picture")]
    NoPicture,
    /// The bytes are not UTF-8.
    #[error("the bytes are not UTF-8")]
    NotUtf8,
    /// It contains a NUL, where a C string ends.
    #[error("it contains NUL, where a C string ends")]
    Nul,
    /// The pixels do not have the length that the sides of the picture need.
    #[error("its sides do not fit its bytes")]
    Sides,
    /// The rows are longer than the stride.
    #[error("its rows are longer than they say")]
    Rows,
    /// The pixels cannot be encoded as a PNG file.
    #[error("no PNG file can be made of it")]
    NoPng,
}

impl StreamError {
    /// Returns the error of a picture that is to be written in a form that is not for pictures.
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
