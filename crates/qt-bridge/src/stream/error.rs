//! What can be wrong with a stream; each text says what, and what to do.

use std::error::Error;
use std::fmt;
use std::io;

use super::Form;

/// Why something is not in a stream, or does not go into one.
#[derive(Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// What stands there is not of this form.
    NotThis {
        /// What it was read as.
        form: Form,
        /// What is wrong, as the end of a sentence.
        reason: String,
    },
    /// The form cannot hold what is to be written.
    Unfit {
        /// What it was to be written as.
        form: Form,
        /// What is in the way.
        reason: &'static str,
    },
    /// It is longer than a stream can say.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Reading it takes more memory than the caller lets it take.
    Limit {
        /// How many bytes it takes.
        bytes: u64,
        /// How many it may take.
        limit: u64,
    },
    /// It says to be longer than what was ever written into the segment.
    Unwritten {
        /// How many bytes it says to have.
        bytes: u64,
        /// How many of the segment are in memory.
        present: u64,
    },
    /// There is no memory for a copy.
    NoMemory {
        /// How many bytes it needs.
        bytes: usize,
    },
    /// No form is called so.
    Unknown,
    /// The system's word.
    Io(io::Error),
}

impl StreamError {
    /// What is said where a picture is to be written in a form that is not for pictures.
    #[must_use]
    pub fn picture_as(form: Form) -> Self {
        Self::Unfit {
            form,
            reason: "a picture is streamed as qimage",
        }
    }
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThis { form, reason } => write!(
                f,
                "What stands there is no {form}: {reason}. Choose another form (--as, or beside the key), or let it be recognised."
            ),
            Self::Unfit { form, reason } => {
                write!(
                    f,
                    "It cannot be written as {form}: {reason}. Choose another form (--as, or beside the key)."
                )
            }
            Self::TooLong { bytes } => write!(
                f,
                "{bytes} bytes are too many: a stream of Qt has 4 GiB at most."
            ),
            Self::Limit { bytes, limit } => write!(
                f,
                "To read it takes {bytes} bytes of memory, and the limit is {limit}: load something smaller."
            ),
            Self::Unwritten { bytes, present } => write!(
                f,
                "It says to be {bytes} bytes long, and only {present} were ever written there: load it again."
            ),
            Self::NoMemory { bytes } => write!(
                f,
                "There is no memory for a copy of {bytes} bytes: end other programs, or raise the limit (ulimit -v)."
            ),
            Self::Unknown => {
                let names = Form::NAMES.map(|(name, _)| name);
                write!(f, "A form is one of {}.", names.join(", "))
            }
            Self::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => f.write_str(
                "The segment was cut short by another program while it was read: load it again.",
            ),
            Self::Io(error) => write!(f, "The segment cannot be read or written: {error}."),
        }
    }
}

impl Error for StreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}
