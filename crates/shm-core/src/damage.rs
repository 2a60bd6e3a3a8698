//! What is wrong with the latest sample of a segment.

use std::fmt;

use crate::message::MetadataError;

/// What is wrong with what a segment says of its latest sample: it is damaged, or was written by
/// a program that lies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// It says to be where no sample can be.
    Nowhere {
        /// The region that is named.
        region: u16,
        /// The generation that is named.
        generation: u64,
    },
    /// Its payload is longer than one can be.
    Payload {
        /// The length that it claims, bytes.
        bytes: u64,
    },
    /// Its metadata is longer than there is room for.
    MetadataLength {
        /// The length that it claims, bytes.
        bytes: usize,
    },
    /// Its metadata says nothing, or what cannot be.
    Metadata(MetadataError),
}

/// Writes it as the end of a sentence.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere { region, generation } => write!(
                f,
                "its latest sample has the number {generation} in region {region}, and there is none such"
            ),
            Self::Payload { bytes } => write!(f, "it claims a payload of {bytes} bytes"),
            Self::MetadataLength { bytes } => write!(f, "it claims metadata of {bytes} bytes"),
            Self::Metadata(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Damage {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Metadata(error) => Some(error),
            _ => None,
        }
    }
}
