//! Samples: a [`Publisher`] publishes payloads of any length, and a [`Subscriber`] reads the newest
//! or all in order, and sleeps until there are more.
//!
//! Samples pass through a *ring* of records in shared memory, which keeps the newest records that
//! fit. A subscriber that is too slow for that misses samples, and each [`Sample`] reports how
//! many. In return no subscriber ever blocks, delays or corrupts a publisher: it opens the segment
//! read-only, and cannot change a byte of it.
//!
//! Payloads up to 16 KiB lie in the ring, and are copied out. Longer ones lie in *regions* of the
//! segment's file. A publisher claims a region that no process reads, fills it without a lock
//! ([`Loan`]), then writes a record that names it. A subscriber pins the region that it reads.
//! Claims and pins are byte locks of the kernel, which releases them when their process ends or
//! crashes.

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
use crate::sequence::Sequence;
use crate::sys::{self, Mapping};
use crate::time::system_time;
use cursor::{Copied, Found};
use decoding::DecodingCache;
use mapped_regions::MappedRegions;
pub(crate) use reader::Reader;
use record::Record;
use regions::RegionLocks as _;

/// A published sample, as a subscriber read it.
///
/// A payload of more than 16 KiB (less in a small ring) is read in place, and pinned: publishers do
/// not reuse its memory while the sample or a clone of it exists. A shorter payload is a private
/// copy. A sample may outlive its [`Subscriber`]; a clone shares everything with the original.
#[derive(Clone)]
pub struct Sample(Arc<Stored>);

/// The content of a sample.
///
/// A subscriber keeps a reference to that of a short sample and, after the caller has dropped the
/// sample, reads the next into it: an allocation costs as much as all the rest of reading.
#[derive(Debug)]
struct Stored {
    source: Arc<SampleSource>,
    record: Record,
    skipped: u64,
    copied: Copied,
    /// The region that holds the payload, if it was not copied.
    pin: Option<Pin>,
}

/// What consecutive samples with the same metadata share, behind one reference count, because
/// counting costs as much as copying a small sample.
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
    /// Returns the id of its segment, as [`Subscriber::id`] does. Each segment has its own
    /// sequences.
    #[must_use]
    pub fn segment(&self) -> SegmentId {
        self.0.source.reader.id
    }

    /// Returns the sample's sequence: it grows by one with each publication or clearing in a
    /// segment.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        Sequence::new(self.0.record.sequence)
    }

    /// Returns how many samples this subscriber missed directly before this one: since the previous
    /// sample that it read, or, for its first sample, since it attached.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.0.skipped
    }

    /// Returns the metadata, which was checked against the length of the payload.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.0.source.metadata
    }

    /// Returns the annotations.
    #[must_use]
    pub fn annotations(&self) -> &Annotations {
        &self.0.source.annotations
    }

    /// Returns the annotation of the publishing program, such as a frame number; mostly empty.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        &self.0.source.annotations.user
    }

    /// Returns where the sample was published first; `None` if that was here.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.0.source.annotations.origin.as_deref()
    }

    /// Returns the payload, in place if it is longer than 16 KiB.
    ///
    /// The bytes do not move while the sample or a clone of it exists: their address stays the same
    /// when the sample is moved, cloned or sent to another thread, and when its [`Subscriber`]
    /// reads other samples or is dropped. So an owner of the sample may store the address beside
    /// it.
    ///
    /// Writers of the same user are trusted not to change the bytes meanwhile; no writer that
    /// follows the layout does. If they are not trusted, use [`copy_to`](Self::copy_to) or
    /// [`to_message`](Self::to_message).
    #[must_use]
    #[expect(unsafe_code, reason = "a slice of pinned memory")]
    pub fn payload(&self) -> &[u8] {
        match &self.0.pin {
            None => &self.0.copied.payload,
            Some(pin) => {
                // SAFETY: the pin, a read lock on the region's byte that ends with `self`, prevents
                // every writer from claiming the region (LAYOUT.md, invariant I5); the length was
                // checked against the mapping when the sample was created.
                unsafe { pin.mapping.slice(0, self.len()) }
            }
        }
    }

    /// Returns the payload's length, bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        // Bounded by the mapping, or by what was copied, when the sample was created.
        usize::try_from(self.0.record.payload_bytes).unwrap_or(usize::MAX)
    }

    /// Returns `true` if the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the payload's first bytes, as many as fit `destination`.
    ///
    /// Reads the file rather than the mapping, so that it causes no signal if another process
    /// truncates the file.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if the file was truncated.
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

    /// Copies the payload into a message; a text is checked to be UTF-8 after it was copied.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if the file was truncated;
    /// [`ReadErrorKind::Invalid`] if a text is not UTF-8;
    /// [`ReadErrorKind::NoMemory`] if there is no memory for the copy.
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

    /// Copies a value out of the payload, whatever its alignment.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Size`] if the payload has another length than the value;
    /// [`ReadErrorKind::Truncated`] if the file was truncated.
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

    /// Returns the payload as a slice of values: in place if it is aligned, otherwise copied.
    /// `None` if its length is no multiple of theirs.
    ///
    /// Ignores [`metadata`](Self::metadata): any payload can be read as numbers. Trusts writers as
    /// [`payload`](Self::payload) does.
    #[must_use]
    pub fn as_slice<T: AnyBitPattern>(&self) -> Option<Cow<'_, [T]>> {
        let payload = self.payload();
        let size = size_of::<T>();
        if size == 0 || payload.len() % size != 0 {
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

    /// Checks that everything that was read in place so far was in the file.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if the file was truncated, and the read returned zeros because
    /// of [`guard_against_truncation`](crate::guard_against_truncation).
    pub fn verify(&self) -> Result<(), ReadError> {
        match &self.0.pin {
            Some(pin) if pin.mapping.was_truncated() => Err(pin.reader.truncated()),
            _ => Ok(()),
        }
    }

    /// Returns the process that published the sample.
    #[must_use]
    pub fn writer(&self) -> Process {
        self.0.record.writer
    }

    /// Returns the time of publication, by the publisher's wall clock.
    #[must_use]
    pub fn published(&self) -> SystemTime {
        system_time(self.0.record.published)
    }

    /// Returns the time since publication, by the monotonic clock; never negative.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.record.age()
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the payload, which may be secret, and long.
        f.debug_struct("Sample")
            .field("sequence", &self.sequence())
            .field("metadata", self.metadata())
            .field("bytes", &self.len())
            .field("pinned", &self.0.pin.is_some())
            .finish_non_exhaustive()
    }
}

impl Stored {
    /// Returns a buffer for the next sample.
    #[cold]
    fn empty(source: &Arc<SampleSource>) -> Arc<Self> {
        Arc::new(Self {
            source: Arc::clone(source),
            record: Record::cleared(0, Process::with_pid(0)),
            skipped: 0,
            copied: Copied::default(),
            pin: None,
        })
    }

    /// Completes the copied sample with what the cursor found; releases its pin if that fails.
    #[inline]
    fn complete(
        &mut self,
        found: &Found,
        reader: &Arc<Reader>,
        regions: &mut MappedRegions,
        decoding: &mut DecodingCache,
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
        if let Err(error) = decoding.update(&self.copied.metadata, bytes) {
            self.pin = None;
            return Err(reader.invalid(InvalidSample::Metadata(error)));
        }
        if !Arc::ptr_eq(&self.source, &decoding.source) {
            self.source = Arc::clone(&decoding.source);
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
