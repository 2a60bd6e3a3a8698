//! What is wrong with a sample that a peer has written.

use std::fmt;

use crate::message::MetadataError;

/// What is wrong with a sample, or with the words that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidSample {
    /// The words that say which records there are contradict each other.
    Position,
    /// A record's header claims lengths or flags that no publisher writes.
    Record,
    /// A record's sequence is below that of the record before it.
    Sequence {
        /// What it claims.
        sequence: u64,
    },
    /// A record claims a payload longer than any can be.
    Payload {
        /// What it claims.
        bytes: u64,
    },
    /// A record names a region that does not exist.
    Region {
        /// What it names.
        number: u64,
    },
    /// A record claims more memory than its region has.
    Memory {
        /// What it claims.
        bytes: u64,
    },
    /// The metadata does not decode, or contradicts the payload's length.
    Metadata(MetadataError),
    /// The text is not UTF-8.
    Text {
        /// How many bytes before the first that is not.
        valid_up_to: usize,
    },
}

impl fmt::Display for InvalidSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position => f.write_str("the positions of its records contradict each other"),
            Self::Record => f.write_str("a record has an impossible header"),
            Self::Sequence { sequence } => write!(f, "a record goes back to sequence {sequence}"),
            Self::Payload { bytes } => write!(f, "it claims a payload of {bytes} bytes"),
            Self::Region { number } => write!(f, "it names region {number}, which does not exist"),
            Self::Memory { bytes } => {
                write!(f, "it claims {bytes} bytes, and has no memory for as many")
            }
            Self::Metadata(error) => error.fmt(f),
            Self::Text { valid_up_to } => write!(f, "the text is not UTF-8 at byte {valid_up_to}"),
        }
    }
}

impl std::error::Error for InvalidSample {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Metadata(error) => Some(error),
            _ => None,
        }
    }
}
