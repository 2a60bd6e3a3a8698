//! Samples: a [`Publisher`] publishes payloads of any size, a [`Subscriber`] reads the newest or all
//! in order, and sleeps until there are more.
//!
//! Samples pass through a *ring* of records in shared memory, which keeps as many of the last ones as
//! it has room for. A subscriber that is slower for longer than that misses samples, and each
//! [`Sample`] says how many. In return no reader ever blocks, delays or damages a publisher, nor can
//! it change a byte: it opens the segment read-only.
//!
//! Payloads up to 16 KiB lie in the ring, and are copied out. Longer ones lie in *regions* of the
//! segment's file. A publisher claims a region that nobody reads, fills it at leisure ([`Loan`]), then
//! writes a record that names it. A subscriber pins the region that it reads. Claims and pins are
//! byte locks kept by the kernel, so a process that dies anywhere frees what it held.

pub(crate) mod clock;
pub(crate) mod cursor;
mod decoding;
mod encoding;
mod key_watch;
mod loan;
mod mapped_regions;
mod memory;
mod next;
pub(crate) mod pool;
mod publisher;
mod reader;
pub(crate) mod record;
pub(crate) mod regions;
pub(crate) mod ring;
mod subscriber;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytemuck::AnyBitPattern;

pub use key_watch::KeyWatch;
pub use loan::{Loan, LoanOf, OwnedLoan};
pub use next::{Iter, Next, WaitResult};
pub use publisher::Publisher;
pub use subscriber::Subscriber;

use crate::error::{InvalidSample, ReadError, ReadErrorKind, try_zeroed};
use crate::layout;
use crate::message::{Annotations, Message, Metadata, Origin};
use crate::process::Process;
use crate::segment::SegmentId;
use crate::segment::system_time;
use crate::sequence::Sequence;
use crate::sys::{self, Mapping};
use cursor::{Copied, Found};
use decoding::Decoding;
use mapped_regions::MappedRegions;
pub(crate) use reader::Reader;
use record::Record;
use regions::Pins as _;

/// One published sample, as a subscriber found it.
///
/// A payload of more than 16 KiB (less in a small ring) stays where it was published, and is pinned:
/// publishers do not reuse its memory while the sample or a clone of it lives. A shorter
/// one is a private copy. Outlives its [`Subscriber`]; a clone shares all of it.
#[derive(Clone)]
pub struct Sample(Arc<Stored>);

/// What a sample consists of.
///
/// A subscriber keeps that of a short sample and, once the caller has dropped it, reads the next into
/// it: to allocate and to free costs as much as all the rest of reading.
#[derive(Debug)]
struct Stored {
    source: Arc<SampleSource>,
    record: Record,
    skipped: u64,
    copied: Copied,
    /// Where the payload is, if it was not copied.
    pin: Option<Pin>,
}

/// What samples of one kind in a row have in common: counted once for all of it, because counting
/// costs as much as a small sample's copy.
#[derive(Debug)]
struct SampleSource {
    reader: Arc<Reader>,
    metadata: Metadata,
    annotations: Annotations,
}

/// A region that stays pinned until this is dropped.
#[derive(Debug)]
struct Pin {
    reader: Arc<Reader>,
    region: u16,
    mapping: Arc<Mapping>,
}

impl Sample {
    /// The id of its segment, as [`Subscriber::id`] tells it: sequences begin anew with each.
    #[must_use]
    pub fn segment(&self) -> SegmentId {
        self.0.source.reader.id
    }

    /// The sample's number: every publication in a segment has the next, and so has every clearing.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        Sequence::new(self.0.record.sequence)
    }

    /// How many samples were published between the one that this subscriber read before and this,
    /// and were not read; since it attached if this is its first.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.0.skipped
    }

    /// What the payload is; checked against its length.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.source.metadata
    }

    /// What stands beside the metadata.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.0.source.annotations
    }

    /// The bytes that the publisher's program put beside it, such as a frame number; mostly none.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        &self.0.source.annotations.user
    }

    /// Where it was published first; `None` if that was here.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.0.source.annotations.origin.as_deref()
    }

    /// Returns the payload, in place if it is longer than 16 KiB.
    ///
    /// The bytes do not move while the sample or a clone of it lives: their address is the same after
    /// the sample itself was moved, cloned or sent to another thread, and whatever its
    /// [`Subscriber`] reads meanwhile or when that is dropped. So an owner of the sample may keep the
    /// address beside it.
    ///
    /// Writers of the same user are trusted not to change it meanwhile; no
    /// writer that keeps to the layout does. Who does not trust them uses
    /// [`copy_to`](Self::copy_to) or [`to_message`](Self::to_message).
    #[must_use]
    #[expect(unsafe_code, reason = "a slice of pinned memory")]
    pub fn payload(&self) -> &[u8] {
        match &self.0.pin {
            None => &self.0.copied.payload,
            Some(pin) => {
                // SAFETY: the pin, a read lock on the region's byte that ends
                // with `self`, keeps every writer from claiming the region
                // (LAYOUT.md, invariant I5); the length was checked against
                // the mapping when the sample was made.
                unsafe { pin.mapping.slice(0, self.len()) }
            }
        }
    }

    /// The payload's length, bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        // Bounded by the mapping, or by what was copied, when the sample was made.
        usize::try_from(self.0.record.payload_bytes).unwrap_or(usize::MAX)
    }

    /// Returns `true` if the payload is empty.
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
    /// [`ReadErrorKind::Truncated`] where the file was cut short.
    pub fn copy_to(&self, destination: &mut [u8]) -> Result<(), ReadError> {
        let length = destination.len().min(self.len());
        let destination = &mut destination[..length];
        match &self.0.pin {
            None => destination.copy_from_slice(&self.0.copied.payload[..length]),
            Some(Pin { reader, region, .. }) => {
                reader.check_process()?;
                let offset = layout::region_offset(*region);
                sys::read_exact_at(&reader.segment.file, destination, offset)
                    .map_err(|error| ReadError::io(&reader.segment.key, "copying", error))?;
            }
        }
        Ok(())
    }

    /// Copies the payload into a message of its own; text is proven to be UTF-8 after it was copied.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] where the file was cut short;
    /// [`ReadErrorKind::Invalid`] where a text is not UTF-8;
    /// [`ReadErrorKind::NoMemory`] where there is none for a copy.
    pub fn to_message(&self) -> Result<Message, ReadError> {
        let bytes = self.len();
        let mut data = try_zeroed(bytes).ok_or_else(|| {
            ReadError::new(
                &self.0.source.reader.segment.key,
                ReadErrorKind::NoMemory { bytes },
            )
        })?;
        self.copy_to(&mut data)?;
        Ok(match self.0.source.metadata.clone() {
            Metadata::Text => Message::Text(String::from_utf8(data).map_err(|error| {
                self.0.source.reader.invalid(InvalidSample::Text {
                    valid_up_to: error.utf8_error().valid_up_to(),
                })
            })?),
            Metadata::Image(metadata) => Message::Image {
                metadata,
                pixels: data,
            },
            Metadata::Array(metadata) => Message::Array { metadata, data },
            Metadata::Bytes(metadata) => Message::Bytes { metadata, data },
        })
    }

    /// Copies a value out of the payload, wherever that lies.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Size`] if the payload is not exactly as long;
    /// [`ReadErrorKind::Truncated`] if the file was cut short.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use shm_core::{Key, Options, Publisher, Subscriber, bytemuck};
    ///
    /// #[derive(Clone, Copy)]
    /// #[repr(C)]
    /// struct Pose { x: f64, y: f64 }
    /// // Or `#[derive(bytemuck::Pod, bytemuck::Zeroable)]`.
    /// unsafe impl bytemuck::Zeroable for Pose {}
    /// unsafe impl bytemuck::Pod for Pose {}
    ///
    /// # let options = Options::new().directory(directory.path());
    /// # let key = Key::new("pose")?;
    /// # let publisher = Publisher::open(&key, &options)?;
    /// publisher.publish_value(&Pose { x: 1.0, y: 2.0 })?;
    /// let sample = Subscriber::attach(&key, &options)?.latest()?.expect("it was published");
    /// let pose: Pose = sample.read()?;
    /// assert_eq!((pose.x, pose.y), (1.0, 2.0));
    /// # Ok(()) }
    /// ```
    pub fn read<T: AnyBitPattern>(&self) -> Result<T, ReadError> {
        let wrong_size = |_| {
            ReadError::new(
                &self.0.source.reader.segment.key,
                ReadErrorKind::Size {
                    bytes: self.len(),
                    wanted: size_of::<T>(),
                },
            )
        };
        let value = bytemuck::try_pod_read_unaligned(self.payload()).map_err(wrong_size)?;
        self.verify()?;
        Ok(value)
    }

    /// The payload as a slice of values: in place if it lies there aligned, else copied. `None` if its
    /// length is no multiple of theirs.
    ///
    /// Does not ask whether [`metadata`](Self::metadata) says so: any payload can be looked at as
    /// numbers. What is said of [`payload`](Self::payload) goes for this, too.
    #[must_use]
    pub fn as_slice<T: AnyBitPattern>(&self) -> Option<Cow<'_, [T]>> {
        let payload = self.payload();
        let size = size_of::<T>();
        if size == 0 || !payload.len().is_multiple_of(size) {
            return None;
        }
        Some(match bytemuck::try_cast_slice(payload) {
            Ok(in_place) => Cow::Borrowed(in_place),
            Err(_) => payload
                .chunks_exact(size)
                .map(bytemuck::pod_read_unaligned)
                .collect(),
        })
    }

    /// Returns `true` if everything read in place so far was really there.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] where the file was cut short under the reader,
    /// which survived it by [`guard_against_truncation`](crate::guard_against_truncation).
    pub fn verify(&self) -> Result<(), ReadError> {
        match &self.0.pin {
            Some(pin) if pin.mapping.was_truncated() => Err(pin.reader.truncated()),
            _ => Ok(()),
        }
    }

    /// The process that published it.
    #[must_use]
    pub fn writer(&self) -> Process {
        self.0.record.writer
    }

    /// When it was published, by the publisher's wall clock.
    #[must_use]
    pub fn published(&self) -> SystemTime {
        system_time(self.0.record.published)
    }

    /// How long ago it was published, by a clock that nobody sets: never negative.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.record.age()
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the payload: it may be a secret, and it may be long.
        f.debug_struct("Sample")
            .field("sequence", &self.sequence())
            .field("metadata", self.metadata())
            .field("bytes", &self.len())
            .field("pinned", &self.0.pin.is_some())
            .finish_non_exhaustive()
    }
}

impl Stored {
    /// One with room for the next sample.
    #[cold]
    fn empty(source: &Arc<SampleSource>) -> Self {
        Self {
            source: Arc::clone(source),
            record: Record::cleared(0, Process::with_pid(0)),
            skipped: 0,
            copied: Copied::default(),
            pin: None,
        }
    }

    /// Adds to what was copied what the cursor found; what it pinned is released where that fails.
    #[inline]
    fn complete(
        &mut self,
        found: &Found,
        reader: &Arc<Reader>,
        regions: &mut MappedRegions,
        decoding: &mut Decoding,
    ) -> Result<(), ReadError> {
        let bytes = found.record.payload_bytes;
        if let Some(region) = found.region {
            let mapping = regions
                .map(reader, region, bytes)
                .inspect_err(|_| reader.release(region))?;
            self.pin = Some(Pin {
                reader: Arc::clone(reader),
                region,
                mapping,
            });
        }
        if let Err(error) = decoding.renew(&self.copied.metadata, bytes) {
            self.pin = None;
            return Err(reader.invalid(InvalidSample::Metadata(error)));
        }
        if !Arc::ptr_eq(&self.source, decoding.source()) {
            self.source = Arc::clone(decoding.source());
        }
        self.record = found.record;
        self.skipped = found.skipped;
        Ok(())
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.reader.release(self.region);
    }
}
