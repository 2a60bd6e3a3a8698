//! What is wrong with a sample that a peer has written.

use thiserror::Error;

use crate::message::MetadataError;

/// Why a sample, or the positions that lead to it, are invalid.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidSample {
    /// The positions of the newest and the oldest record contradict each other.
    #[error("the positions of its records contradict each other")]
    Position,
    /// A record's header claims lengths or flags that no publisher writes.
    #[error("a record has an impossible header")]
    Record,
    /// A record's sequence is below that of the record before it.
    #[error("a record goes back to sequence {sequence}")]
    Sequence {
        /// The sequence that it claims.
        sequence: u64,
    },
    /// A record claims a payload longer than any can be.
    #[error("it claims a payload of {bytes} bytes")]
    Payload {
        /// The length that it claims.
        bytes: u64,
    },
    /// A record names a region that does not exist.
    #[error("it names region {number}, which does not exist")]
    Region {
        /// The region's number.
        number: u64,
    },
    /// A record claims more memory than its region has.
    #[error("it claims {bytes} bytes, and has no memory for as many")]
    Memory {
        /// The length that it claims.
        bytes: u64,
    },
    /// The metadata does not decode, or contradicts the payload's length.
    #[error(transparent)]
    Metadata(MetadataError),
    /// The text is not UTF-8.
    #[error("the text is not UTF-8 at byte {valid_up_to}")]
    Text {
        /// The number of valid bytes before the first invalid one.
        valid_up_to: usize,
    },
}
