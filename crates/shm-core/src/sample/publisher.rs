//! The writing side.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytemuck::NoUninit;

use crate::deadline::Deadline;
use crate::error::{AttachError, AttachErrorKind, PublishError, PublishErrorKind};
use crate::key::Key;
use crate::layout::access;
use crate::message::{Annotations, ArrayMetadata, Element, Message, Metadata, MetadataError};
use crate::options::Options;
use crate::participant::Participant;
use crate::sample::clock::Clock;
use crate::sample::encoding::EncodingCache;
use crate::sample::pool::RegionPool;
use crate::sample::regions::RegionTable;
use crate::sample::ring::{NewRecord, Newest, Payload};
use crate::sample::subscriber::Subscriber;
use crate::segment::{Attachment, Detached, Kind, Permissions, RawGuard, SegmentId};
use crate::sequence::Sequence;
use crate::sys;

/// The annotations of most samples.
pub(super) static NO_ANNOTATIONS: Annotations = Annotations::new();

/// Publishes samples under a key; creates the segment or joins an existing one.
///
/// Several publishers may share a key; their samples are numbered in one sequence. Several threads
/// may use a publisher at once. Dropping it leaves the segment; the last publisher to leave removes
/// the segment, unless it is persistent.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{Key, Metadata, Options, Publisher, Subscriber};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("frames")?;
/// let publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
///
/// let mut loan = publisher.loan(1 << 20)?; // filled in shared memory
/// loan.fill(7);
/// loan.publish(&Metadata::bytes("application/octet-stream"))?;
///
/// let sample = subscriber.latest()?.expect("something was published");
/// assert_eq!(sample.payload(), vec![7; 1 << 20]);
/// # Ok(()) }
/// ```
pub struct Publisher {
    pub(super) attachment: Attachment,
    state: Mutex<State>,
    lock_timeout: Duration,
    wakes: bool,
}

/// The state of a publisher between samples.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pool: RegionPool,
    newest: Option<Newest>,
    encoding: EncodingCache,
    clock: Clock,
}

impl Publisher {
    /// Creates the segment, or joins it if it exists.
    ///
    /// # Errors
    ///
    /// See [`AttachErrorKind`].
    pub fn open(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let kind = Kind::Samples {
            ring_bytes: options.ring_length(),
            retain_bytes: options.retained_bytes(),
        };
        let attachment = Attachment::open_or_create(key, options, kind, access::PUBLISHER)?;
        let state = State {
            pool: RegionPool::new(options.reserved_bytes()),
            newest: None,
            encoding: EncodingCache::new(),
            clock: Clock::default(),
        };
        let publisher = Self {
            attachment,
            state: Mutex::new(state),
            lock_timeout: options.lock_timeout(),
            wakes: options.notifies(),
        };
        publisher.warm(options.reserved_bytes())?;
        Ok(publisher)
    }

    /// Returns the segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// Returns the segment's random id.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.attachment.id()
    }

    /// Returns the directory of the segment.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.attachment.directory()
    }

    /// Returns `true` if this publisher created the segment, `false` if it joined one.
    #[must_use]
    pub fn created(&self) -> bool {
        self.attachment.created()
    }

    /// Copies `payload` into shared memory and publishes it; returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`loan`](Self::loan) and [`Loan::publish`](crate::LoanOf::publish).
    pub fn publish(&self, metadata: &Metadata, payload: &[u8]) -> Result<Sequence, PublishError> {
        self.publish_with(metadata, &NO_ANNOTATIONS, payload)
    }

    /// Publishes a payload, as [`publish`](Self::publish) does, with annotations.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_with(
        &self,
        metadata: &Metadata,
        annotations: &Annotations,
        payload: &[u8],
    ) -> Result<Sequence, PublishError> {
        self.check_process()?;
        let mut state = self.state();
        if self.is_inline(payload.len()) {
            return self.put(&mut state, metadata, annotations, Payload::Inline(payload));
        }
        let region = state.pool.acquire_filled(&self.attachment, payload)?;
        let bytes = payload.len() as u64;
        self.put_region(&mut state, metadata, annotations, region, bytes)
    }

    /// Publishes a value as bytes, to be read with [`Sample::read`](crate::Sample::read); returns
    /// the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # use shm_core::{Key, Options, Publisher, Subscriber};
    /// # let options = Options::new().directory(directory.path());
    /// # let key = Key::new("pose")?;
    /// # let publisher = Publisher::open(&key, &options)?;
    /// publisher.publish_value(&[1.5_f64, -2.0, 0.25])?;
    ///
    /// let sample = Subscriber::attach(&key, &options)?.latest()?.expect("it was published");
    /// assert_eq!(sample.read::<[f64; 3]>()?, [1.5, -2.0, 0.25]);
    /// # Ok(()) }
    /// ```
    pub fn publish_value<T: NoUninit>(&self, value: &T) -> Result<Sequence, PublishError> {
        self.publish(&Metadata::bytes(""), bytemuck::bytes_of(value))
    }

    /// Publishes numbers as an array of one dimension, to be read with
    /// [`Sample::as_slice`](crate::Sample::as_slice); returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_slice<T: Element>(&self, elements: &[T]) -> Result<Sequence, PublishError> {
        let length = elements.len() as u64;
        let array =
            ArrayMetadata::new(T::TYPE, [length]).map_err(|error| self.metadata_error(error))?;
        self.publish(&Metadata::Array(array), bytemuck::cast_slice(elements))
    }

    /// Publishes a text; returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_text(&self, text: &str) -> Result<Sequence, PublishError> {
        self.publish(&Metadata::Text, text.as_bytes())
    }

    /// Publishes a message; returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`publish`](Self::publish).
    pub fn publish_message(&self, message: &Message) -> Result<Sequence, PublishError> {
        self.publish(&message.metadata(), message.payload())
    }

    /// Erases everything that was published; returns how many regions could not be erased.
    ///
    /// The ring is overwritten, and the memory of all regions is released to the system, except for
    /// regions that readers or other publishers hold. Those are overwritten when they are used
    /// again. Subscribers are notified of the clearing. Also repairs a ring that another program
    /// damaged.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::Removed`] if the segment was removed,
    /// [`PublishErrorKind::Busy`] if another publisher holds the lock for too long.
    pub fn clear(&self) -> Result<usize, PublishError> {
        self.check_process()?;
        let mut state = self.state();
        let State {
            pool,
            newest,
            clock,
            ..
        } = &mut *state;
        let guard = self.lock(pool)?;
        let (ring, writer) = (self.attachment.ring(), self.attachment.process());
        let cleared = NewRecord::new(&[], Payload::Cleared, writer);
        match ring.make_room(newest, &cleared) {
            Ok(room) => ring.append(newest, room, &cleared, clock.now()),
            Err(_) => ring.reset(newest, writer),
        }
        // Positions of future records that a peer wrote would prevent claims of their regions
        // forever.
        RegionTable::of(self.attachment.control()).recover();
        ring.erase();
        let erased = pool.erase(&self.attachment);
        drop(guard);
        sys::wake_all_low(ring.last_word());
        erased.map_err(|error| PublishError::io(self.key(), "overwriting", 0, error))
    }

    /// Erases everything, as [`clear`](Self::clear) does, if another program has damaged the ring
    /// so that nothing can be published; returns `true` if it was damaged.
    ///
    /// # Errors
    ///
    /// Those of [`clear`](Self::clear).
    pub fn repair(&self) -> Result<bool, PublishError> {
        self.check_process()?;
        let is_damaged = {
            let mut state = self.state();
            let State { pool, newest, .. } = &mut *state;
            let _guard = self.lock(pool)?;
            self.attachment.ring().newest(newest).is_err()
        };
        if is_damaged {
            self.clear()?;
        }
        Ok(is_damaged)
    }

    /// Returns `true` if the segment was removed, moved away or replaced: its key leads to another
    /// segment or to none, and publishing fails with [`PublishErrorKind::Removed`].
    ///
    /// Makes a system call. A program that only keeps its published samples alive, and publishes
    /// nothing for long, should check once a second.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.attachment.is_removed()
    }

    /// Returns the permissions of the segment: an existing segment keeps the mode and the group
    /// that its creator chose. `None` if the system does not report them.
    #[must_use]
    pub fn permissions(&self) -> Option<Permissions> {
        let stat = self.attachment.segment.stat().ok()?;
        Some(Permissions::of(&stat))
    }

    /// Returns the length of the segment's ring, bytes: the length that its creator chose, rounded
    /// up.
    #[must_use]
    pub fn ring_bytes(&self) -> u64 {
        self.attachment.head().ring_bytes
    }

    /// Returns how many bytes of large samples the segment retains beside the newest, as its
    /// creator chose.
    #[must_use]
    pub fn retain_bytes(&self) -> u64 {
        self.attachment.retain_bytes()
    }

    /// Returns `true` if the segment outlives its last publisher.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.attachment.is_persistent()
    }

    /// Makes the segment outlive its last publisher, as [`Options::persistent`] does when it is
    /// created.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if the segment is [removed](Self::is_removed), so that no
    /// process would find it; [`AttachErrorKind::Busy`] if another process holds the lifecycle lock
    /// for too long.
    pub fn persist(&self) -> Result<(), AttachError> {
        let deadline = Deadline::after(self.lock_timeout);
        if self.attachment.persist(deadline)? {
            Ok(())
        } else {
            Err(AttachError::new(self.key(), AttachErrorKind::NotFound))
        }
    }

    /// Attaches a subscriber to this segment, wherever its name leads: it can also read what was
    /// published into a segment that is [removed](Self::is_removed).
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Io`] if the file cannot be reopened, which requires /proc.
    pub fn subscribe(&self) -> Result<Subscriber, AttachError> {
        Subscriber::within(&self.attachment, self.lock_timeout)
    }

    /// Returns the other participants, from other processes: publishers and subscribers.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        self.attachment.peers()
    }

    /// Detaches, as dropping does; returns whether the segment was removed because this was the
    /// last participant that keeps it.
    pub fn detach(mut self) -> Detached {
        Detached {
            removed: self.attachment.leave(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves at worst a claimed region that is not used.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_process(&self) -> Result<(), PublishError> {
        if self.attachment.is_forked() {
            return Err(PublishError::new(self.key(), PublishErrorKind::Forked));
        }
        Ok(())
    }

    /// Returns `true` if a payload of this length lies in the ring.
    pub(super) fn is_inline(&self, bytes: usize) -> bool {
        bytes as u64 <= self.attachment.ring().bounds().inline_bytes()
    }

    /// Publishes a region that was claimed and filled; frees it if that fails.
    pub(super) fn put_region(
        &self,
        state: &mut State,
        metadata: &Metadata,
        annotations: &Annotations,
        region: u16,
        bytes: u64,
    ) -> Result<Sequence, PublishError> {
        let memory = state.pool.state(region);
        memory.touch(bytes);
        let published = if memory.was_truncated() {
            Err(PublishError::new(self.key(), PublishErrorKind::Removed))
        } else {
            let payload = Payload::Large { region, bytes };
            self.put(state, metadata, annotations, payload)
        };
        if published.is_err() {
            state.pool.recycle(&self.attachment, region);
        }
        published
    }

    /// Writes a record, and wakes the subscribers.
    #[inline]
    pub(super) fn put(
        &self,
        state: &mut State,
        metadata: &Metadata,
        annotations: &Annotations,
        payload: Payload<'_>,
    ) -> Result<Sequence, PublishError> {
        let State {
            pool,
            newest,
            encoding,
            clock,
        } = state;
        let (attachment, ring) = (&self.attachment, self.attachment.ring());
        let bytes = payload.bytes();
        encoding
            .update(metadata, annotations, bytes)
            .map_err(|error| self.metadata_error(error))?;
        if encoding.bytes.len() > ring.bounds().metadata_bytes() {
            let ring_bytes = ring.bytes();
            let kind = PublishErrorKind::MetadataTooLong { ring_bytes };
            return Err(PublishError::new(self.key(), kind));
        }
        let record = NewRecord::new(&encoding.bytes, payload, attachment.process());
        // First, because it takes as long as reading the clock and locking, and overlaps with both.
        ring.prefetch_next(*newest, &record);
        let when = clock.now();
        // The lock checks too, but skips many checks during a burst.
        if attachment.is_found_removed(when.monotonic) {
            return Err(PublishError::new(self.key(), PublishErrorKind::Removed));
        }
        let guard = self.lock(pool)?;
        let reservation = ring
            .make_room(newest, &record)
            .map_err(|reason| PublishError::new(self.key(), PublishErrorKind::Damaged(reason)))?;
        if let Payload::Large { region, .. } = payload {
            pool.name(attachment, region, reservation.position);
        }
        ring.append(newest, reservation, &record, when);
        drop(guard);
        if self.wakes {
            sys::wake_all_low(ring.last_word());
        }
        // For the next record, which mostly has the same length.
        ring.prefetch_next(*newest, &record);
        let in_region = matches!(payload, Payload::Large { .. });
        pool.note_published(attachment, if in_region { bytes } else { 0 });
        Ok(Sequence::new(reservation.sequence))
    }

    /// Acquires the segment's lock, and recovers from a publisher that died with it.
    #[inline]
    fn lock(&self, pool: &mut RegionPool) -> Result<RawGuard<'_>, PublishError> {
        let deadline = || Deadline::after(self.lock_timeout);
        let mut guard = self
            .attachment
            .lock(deadline)
            .map_err(|error| PublishError::lock(&error))?;
        if guard.is_abandoned() {
            self.recover(pool);
            guard.repaired();
        }
        Ok(guard)
    }

    /// Resets the entries of regions that belong to a record that was not committed, and finishes a
    /// clearing that was committed. The uncommitted record itself needs nothing: no word refers to
    /// it.
    #[cold]
    fn recover(&self, pool: &mut RegionPool) {
        let ring = self.attachment.ring();
        RegionTable::of(self.attachment.control()).recover();
        if ring.is_cleared() {
            ring.erase();
            // A region that can't be erased now is overwritten when it is used again.
            let _pinned = pool.erase(&self.attachment);
        }
        sys::wake_all_low(ring.last_word());
    }

    #[cold]
    fn metadata_error(&self, error: MetadataError) -> PublishError {
        PublishError::new(self.key(), PublishErrorKind::Metadata(error))
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("key", self.key())
            .finish_non_exhaustive()
    }
}
