//! Latest-value publication: a [`Publisher`] publishes samples of any size, a [`Subscriber`] reads
//! the latest in place or is woken by the next.
//!
//! This is not a queue: a subscriber that is slower than its publisher misses
//! samples, and each [`Sample`] says how many. In return no reader ever
//! blocks, delays or damages a writer, nor can it change a byte: it opens the
//! segment read-only.
//!
//! Payloads live in *regions* of the segment's file. A publisher claims a
//! region that nobody reads, fills it at leisure ([`Loan`]), then names it as
//! the latest. A subscriber pins the region it reads. Claims and pins are byte
//! locks kept by the kernel, so a process that dies anywhere frees what it held.

pub(crate) mod exchange;
mod key_watch;
mod pool;
mod publisher;
mod subscriber;
mod view;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use exchange::{Exchange, Pins as _};
pub use key_watch::KeyWatch;
pub use publisher::{Loan, Publisher};
pub use subscriber::{Subscriber, Wait};

use crate::error::{ReadError, try_zeroed};
use crate::layout::{self, Entry, METADATA_CAPACITY};
use crate::message::{Message, Metadata};
use crate::process::Process;
use crate::segment::moment;
use crate::sys::{self, Mapping};
use subscriber::Reader;

/// One published sample, as a subscriber found it.
///
/// A payload of more than 4 KB stays where it was published, and is pinned:
/// the publisher does not reuse its memory while the sample lives. A shorter
/// one is a private copy. Outlives its [`Subscriber`].
pub struct Sample {
    origin: Arc<Origin>,
    entry: Entry,
    skipped: u64,
    payload: Payload,
}

/// What samples of one kind in a row have in common: counted once for all of it, because counting
/// costs as much as a small sample's copy.
#[derive(Debug)]
struct Origin {
    reader: Arc<Reader>,
    metadata: Metadata,
}

/// Where a sample's payload is.
enum Payload {
    /// Copied: nothing is held.
    Private(Vec<u8>),
    /// In place: the region stays pinned until the sample is dropped.
    Pinned { region: u16, mapping: Arc<Mapping> },
}

impl Sample {
    /// The id of its segment, as [`Subscriber::id`] tells it: generations begin anew with each.
    #[must_use]
    pub fn segment(&self) -> u128 {
        self.origin.reader.id
    }

    /// The sample's number: each publication in a segment raises it, a clear too.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.entry.generation
    }

    /// How many samples were published since the last one this subscriber saw, without being seen.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What the payload is; checked against its length.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.origin.metadata
    }

    /// The payload, in place where it is longer than 4 KB.
    ///
    /// Writers of the same user are trusted not to change it meanwhile; no
    /// writer that keeps to the layout does. Who does not trust them uses
    /// [`copy_to`](Self::copy_to) or [`to_message`](Self::to_message).
    #[must_use]
    #[expect(unsafe_code, reason = "a slice of pinned memory")]
    pub fn payload(&self) -> &[u8] {
        match &self.payload {
            Payload::Private(bytes) => bytes,
            Payload::Pinned { mapping, .. } => {
                // SAFETY: the pin, a read lock on the region's byte that ends
                // with `self`, keeps every writer from claiming the region
                // (LAYOUT.md, invariant I5); the length was checked against
                // the mapping when the sample was made.
                unsafe { mapping.slice(METADATA_CAPACITY, self.len()) }
            }
        }
    }

    /// The payload's length, bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        // Bounded by the mapping, or by what was copied, when the sample was made.
        usize::try_from(self.entry.payload_bytes).unwrap_or(usize::MAX)
    }

    /// Tells whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the payload's first bytes, as many as fit `destination`.
    ///
    /// Reads the file rather than the mapping: no signal, whatever others do
    /// to the file meanwhile.
    ///
    /// # Errors
    ///
    /// [`ReadError::Truncated`] where the file was cut short.
    pub fn copy_to(&self, destination: &mut [u8]) -> Result<(), ReadError> {
        let length = destination.len().min(self.len());
        let destination = &mut destination[..length];
        match &self.payload {
            Payload::Private(bytes) => destination.copy_from_slice(&bytes[..length]),
            Payload::Pinned { region, .. } => {
                let offset = layout::region_offset(*region) + METADATA_CAPACITY as u64;
                sys::read_exact_at(&self.origin.reader.segment.file, destination, offset).map_err(
                    |error| ReadError::io(&self.origin.reader.segment.key, "copying", error),
                )?;
            }
        }
        Ok(())
    }

    /// Copies the payload into a message of its own; text is proven to be UTF-8 after it was copied.
    ///
    /// # Errors
    ///
    /// [`ReadError::Truncated`] where the file was cut short;
    /// [`ReadError::Invalid`] where a text is not UTF-8;
    /// [`ReadError::NoMemory`] where there is none for a copy.
    pub fn to_message(&self) -> Result<Message, ReadError> {
        let bytes = self.len();
        let key = || self.origin.reader.segment.key.clone();
        let mut data =
            try_zeroed(bytes).ok_or_else(|| ReadError::NoMemory { key: key(), bytes })?;
        self.copy_to(&mut data)?;
        Ok(match self.origin.metadata.clone() {
            Metadata::Text => Message::Text(String::from_utf8(data).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                self.invalid(format!("the text is not UTF-8 at byte {at}"))
            })?),
            Metadata::Image(metadata) => Message::Image {
                metadata,
                pixels: data,
            },
            Metadata::Bytes { media_type, source } => Message::Bytes {
                media_type,
                source,
                data,
            },
        })
    }

    /// Tells whether everything read in place so far was really there.
    ///
    /// # Errors
    ///
    /// [`ReadError::Truncated`] where the file was cut short under the reader,
    /// which survived it by [`guard_against_truncation`](crate::guard_against_truncation).
    pub fn verify(&self) -> Result<(), ReadError> {
        match &self.payload {
            Payload::Pinned { mapping, .. } if mapping.was_truncated() => {
                Err(ReadError::Truncated {
                    key: self.origin.reader.segment.key.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    /// The process that published it.
    #[must_use]
    pub fn writer(&self) -> Process {
        self.entry.writer
    }

    /// When it was published, by the publisher's wall clock.
    #[must_use]
    pub fn published(&self) -> SystemTime {
        moment(self.entry.published)
    }

    fn invalid(&self, reason: String) -> ReadError {
        ReadError::Invalid {
            key: self.origin.reader.segment.key.clone(),
            reason,
        }
    }
}

/// The words of a segment that the exchange is about.
pub(crate) fn exchange(control: &layout::Control) -> Exchange<'_> {
    Exchange::new(&control.header.latest, &control.regions)
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the payload: it may be a secret, and it may be long.
        f.debug_struct("Sample")
            .field("generation", &self.generation())
            .field("metadata", self.metadata())
            .field("bytes", &self.len())
            .field("pinned", &matches!(self.payload, Payload::Pinned { .. }))
            .finish_non_exhaustive()
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        if let Payload::Pinned { region, .. } = self.payload {
            self.origin.reader.release(region);
        }
    }
}
