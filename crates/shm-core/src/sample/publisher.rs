//! The writing end.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytemuck::NoUninit;

use crate::deadline::Deadline;
use crate::error::{AttachError, AttachErrorKind, InvalidSample, PublishError, PublishErrorKind};
use crate::key::Key;
use crate::layout::access;
use crate::message::{Annotations, ArrayMetadata, Element, Message, Metadata, MetadataError};
use crate::options::Options;
use crate::sample::clock::Clock;
use crate::sample::encoding::Encoding;
use crate::sample::loan::{Loan, OwnedLoan};
use crate::sample::memory;
use crate::sample::pool::{self, RegionPool};
use crate::sample::ring::{Draft, Newest, Payload};
use crate::sample::subscriber::Subscriber;
use crate::segment::{Attachment, Detached, Kind, Participant, Permissions, RawGuard, SegmentId};
use crate::sequence::Sequence;
use crate::sys;

/// How many regions [`Options::reserve`] warms: the newest, the one before, the next.
const RESERVED_REGIONS: usize = 3;

/// What most samples have beside their metadata.
pub(super) static NO_ANNOTATIONS: Annotations = Annotations::new();

/// Publishes samples under a key; creates the segment or joins the one that is there.
///
/// Several publishers may share a key; their samples are numbered in one sequence.
/// May be used by several threads at once. Dropping it leaves the segment; the
/// last publisher to leave removes it, unless it is persistent.
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
/// let mut loan = publisher.loan(1 << 20)?; // filled where it will be read
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

/// What a publisher remembers from one sample to the next.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pool: RegionPool,
    newest: Option<Newest>,
    encoding: Encoding,
    clock: Clock,
}

impl Publisher {
    /// Creates the segment, or joins it where it exists.
    ///
    /// # Errors
    ///
    /// [`AttachError`] says what is wrong and what to do.
    pub fn open(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let kind = Kind::Samples {
            ring_bytes: options.ring_length(),
            retain_bytes: options.retained_bytes(),
        };
        let attachment = Attachment::open_or_create(key, options, kind, access::PUBLISHER)?;
        let state = State {
            pool: RegionPool::new(options.reserved_bytes()),
            newest: None,
            encoding: Encoding::new(),
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

    /// The segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// The segment's random id.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.attachment.id()
    }

    /// Returns the directory in which the segment has its name.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.attachment.directory()
    }

    /// Returns `true` if this publisher created the segment, `false` if it joined one.
    #[must_use]
    pub fn created(&self) -> bool {
        self.attachment.created()
    }

    /// Returns `len` bytes to fill in place; no subscriber sees them before they are published.
    ///
    /// Up to 16 KiB (less in a small ring) they are private memory, which is copied when it is
    /// published; longer loans lie in shared memory already. Their content is arbitrary.
    ///
    /// # Errors
    ///
    /// [`PublishErrorKind::NoSpace`] if the file system is full,
    /// [`PublishErrorKind::RegionsFull`] if readers and loans hold all regions.
    pub fn loan(&self, len: usize) -> Result<Loan<'_>, PublishError> {
        Loan::new(self, len)
    }

    /// Returns `len` bytes to fill in place, as [`loan`](Self::loan) does, in a loan that keeps the
    /// publisher: it can be sent to another thread, stored, and outlive the caller's publisher.
    ///
    /// The publisher detaches when it and the last of these loans have been dropped.
    ///
    /// # Errors
    ///
    /// Those of [`loan`](Self::loan).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use std::sync::Arc;
    /// use shm_core::{Key, Metadata, Options, Publisher, Subscriber};
    ///
    /// let options = Options::new().directory(directory.path());
    /// let key = Key::new("frames")?;
    /// let publisher = Arc::new(Publisher::open(&key, &options)?);
    /// let mut subscriber = Subscriber::attach(&key, &options)?;
    ///
    /// let mut loan = publisher.loan_owned(1 << 20)?;
    /// let camera = std::thread::spawn(move || {
    ///     loan.fill(7);
    ///     loan.publish(&Metadata::bytes(""))
    /// });
    /// camera.join().expect("it does not panic")?;
    /// assert!(subscriber.latest()?.is_some());
    /// # Ok(()) }
    /// ```
    pub fn loan_owned(self: &Arc<Self>, len: usize) -> Result<OwnedLoan, PublishError> {
        OwnedLoan::new(Arc::clone(self), len)
    }

    /// Copies `payload` into shared memory and publishes it; returns the sample's sequence.
    ///
    /// # Errors
    ///
    /// Those of [`loan`](Self::loan) and [`Loan::publish`](crate::LoanOf::publish).
    pub fn publish(&self, metadata: &Metadata, payload: &[u8]) -> Result<Sequence, PublishError> {
        self.publish_with(metadata, &NO_ANNOTATIONS, payload)
    }

    /// Publishes a payload, as [`publish`](Self::publish) does, with what stands beside its metadata.
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
        let region = state.pool.take_filled(&self.attachment, payload)?;
        let bytes = payload.len() as u64;
        self.put_region(&mut state, metadata, annotations, region, bytes)
    }

    /// Publishes a value as bytes, which [`Sample::read`](crate::Sample::read) gives back; returns the
    /// sample's sequence.
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

    /// Publishes numbers as an array of one dimension, which
    /// [`Sample::as_slice`](crate::Sample::as_slice) gives back; returns the sample's sequence.
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

    /// Erases everything that was published, without leaving.
    ///
    /// The ring and all regions are overwritten or given back to the system, but for regions that
    /// readers or other publishers hold: returns how many. Those are overwritten when they are used
    /// again. Subscribers are told of the clearing. Also mends a ring that another program damaged.
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
        let held = self.lock(pool)?;
        let (ring, writer) = (self.attachment.ring(), self.attachment.process());
        let cleared = Draft::new(&[], Payload::Cleared, writer);
        match ring.make_room(newest, &cleared) {
            Ok(room) => ring.append(newest, room, &cleared, clock.now()),
            Err(_) => ring.restart(newest, writer),
        }
        // What a peer says of records to come would keep regions from being claimed for ever.
        pool::regions(&self.attachment).recover();
        ring.erase();
        let erased = pool.erase(&self.attachment);
        drop(held);
        sys::wake_all_low(ring.last_word());
        erased.map_err(|error| PublishError::io(self.key(), "overwriting", 0, error))
    }

    /// Erases everything, as [`clear`](Self::clear) does, if another program has damaged the ring so
    /// that nothing can be published; returns `true` if that was so.
    ///
    /// # Errors
    ///
    /// Those of [`clear`](Self::clear).
    pub fn repair(&self) -> Result<bool, PublishError> {
        self.check_process()?;
        let is_damaged = {
            let mut state = self.state();
            let State { pool, newest, .. } = &mut *state;
            let _held = self.lock(pool)?;
            self.attachment.ring().check_newest(newest).is_err()
        };
        if is_damaged {
            self.clear()?;
        }
        Ok(is_damaged)
    }

    /// Returns `true` if the segment was removed, moved away or replaced: whoever looks for its key finds
    /// another or none, and publishing fails with [`PublishErrorKind::Removed`].
    ///
    /// Asks the kernel where the name leads. A program that publishes nothing for long, and only
    /// keeps what it has published alive, asks once a second.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.attachment.is_removed()
    }

    /// Who may open the segment: one that was there already keeps the mode and the group that its
    /// creator chose. `None` where the system does not say.
    #[must_use]
    pub fn permissions(&self) -> Option<Permissions> {
        let stat = self.attachment.segment.stat().ok()?;
        Some(Permissions::of(&stat))
    }

    /// Returns the length of the segment's ring: that which its creator chose, rounded up.
    #[must_use]
    pub fn ring_bytes(&self) -> u64 {
        self.attachment.head().ring_bytes
    }

    /// Returns how much memory of large samples the segment keeps beside the newest, as its creator chose.
    #[must_use]
    pub fn retain_bytes(&self) -> u64 {
        self.attachment.retain_bytes()
    }

    /// Returns `true` if the segment stays when the last one leaves.
    #[must_use]
    pub fn is_persistent(&self) -> bool {
        self.attachment.is_persistent()
    }

    /// Keeps the segment when the last one leaves, as [`Options::persistent`] does from the
    /// beginning.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] where the segment is [orphaned](Self::is_removed), so that nobody
    /// would find it; [`AttachErrorKind::Busy`] where somebody else does not get done.
    pub fn persist(&self) -> Result<(), AttachError> {
        let deadline = Deadline::after(self.lock_timeout);
        if self.attachment.persist(deadline)? {
            Ok(())
        } else {
            Err(AttachError::new(self.key(), AttachErrorKind::NotFound))
        }
    }

    /// Attaches a subscriber to this very segment, wherever its name leads by now: what was
    /// published into a segment that is [orphaned](Self::is_removed) can be read back with it.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Io`] where the system does not let the file be opened once more (it takes
    /// /proc).
    pub fn subscribe(&self) -> Result<Subscriber, AttachError> {
        Subscriber::within(&self.attachment, self.lock_timeout)
    }

    /// Everybody else who is attached, from other processes: publishers and subscribers.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        self.attachment.peers()
    }

    /// Detaches, as dropping does; says whether this was the last participant that keeps the segment,
    /// so that it was removed.
    pub fn detach(mut self) -> Detached {
        Detached {
            removed: self.attachment.leave(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held leaves at worst a region claimed that nobody uses.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_process(&self) -> Result<(), PublishError> {
        if self.attachment.is_forked() {
            return Err(PublishError::new(self.key(), PublishErrorKind::Forked));
        }
        Ok(())
    }

    /// Returns `true` if a payload so long lies in the ring.
    pub(super) fn is_inline(&self, bytes: usize) -> bool {
        bytes as u64 <= self.attachment.ring().bounds().inline_bytes()
    }

    /// Reserves and touches the regions that samples of this size will use.
    fn warm(&self, bytes: u64) -> Result<(), AttachError> {
        let Ok(len @ 1..) = usize::try_from(bytes) else {
            return Ok(());
        };
        if self.is_inline(len) {
            return Ok(());
        }
        let warmed: Result<Vec<Loan<'_>>, PublishError> = (0..RESERVED_REGIONS)
            .map(|_| {
                let mut loan = self.loan(len)?;
                loan.fill(0);
                Ok(loan)
            })
            .collect();
        match warmed {
            Ok(_) => Ok(()),
            Err(error) if *error.kind() == PublishErrorKind::FileSizeLimit => {
                Err(AttachError::new(self.key(), AttachErrorKind::FileSizeLimit))
            }
            Err(error) => Err(AttachError::new(self.key(), AttachErrorKind::NoSpace)
                .with_source(io::Error::other(error))),
        }
    }

    /// Publishes a region that was claimed and filled; where that fails it is free again.
    pub(super) fn put_region(
        &self,
        state: &mut State,
        metadata: &Metadata,
        annotations: &Annotations,
        region: u16,
        bytes: u64,
    ) -> Result<Sequence, PublishError> {
        state.pool.memory.touch(region, bytes);
        let published = if state.pool.memory.was_truncated(region) {
            Err(PublishError::new(self.key(), PublishErrorKind::Removed))
        } else {
            let payload = Payload::Large { region, bytes };
            self.put(state, metadata, annotations, payload)
        };
        if published.is_err() {
            state.pool.put_back(&self.attachment, region);
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
            .renew(metadata, annotations, bytes)
            .map_err(|error| self.metadata_error(error))?;
        if encoding.bytes().len() > ring.bounds().metadata_bytes() {
            let ring_bytes = ring.bytes();
            let kind = PublishErrorKind::MetadataTooLong { ring_bytes };
            return Err(PublishError::new(self.key(), kind));
        }
        let draft = Draft::new(encoding.bytes(), payload, attachment.process());
        // Before all else, because it takes as long as the looks at the clock and the lock.
        ring.prepare(*newest, &draft);
        let when = clock.now();
        // The lock looks too, but lets many through unseen after a burst.
        if attachment.is_found_removed(when.monotonic) {
            return Err(PublishError::new(self.key(), PublishErrorKind::Removed));
        }
        let held = self.lock(pool)?;
        let room = ring
            .make_room(newest, &draft)
            .map_err(|reason| self.damaged(reason))?;
        if let Payload::Large { region, .. } = payload {
            let charge = memory::charge(attachment, region);
            pool::regions(attachment).name(attachment, region, room.position, charge);
            pool.handed_over(region, room.position);
        }
        ring.append(newest, room, &draft, when);
        drop(held);
        if self.wakes {
            sys::wake_all_low(ring.last_word());
        }
        // For the next record, which is mostly as long.
        ring.prepare(*newest, &draft);
        let in_region = matches!(payload, Payload::Large { .. });
        pool.published(attachment, if in_region { bytes } else { 0 });
        Ok(Sequence::new(room.sequence))
    }

    /// Takes the segment's lock, and puts right what a publisher that died with it left.
    #[inline]
    fn lock(&self, pool: &mut RegionPool) -> Result<RawGuard<'_>, PublishError> {
        let deadline = || Deadline::after(self.lock_timeout);
        let mut held = self
            .attachment
            .lock(deadline)
            .map_err(|error| PublishError::lock(&error))?;
        if held.is_abandoned() {
            self.recover(pool);
            held.repaired();
        }
        Ok(held)
    }

    /// A record that was not committed is named by nothing. What is left to do: entries of regions that
    /// name such a record, and a clearing that was committed and not finished.
    #[cold]
    fn recover(&self, pool: &mut RegionPool) {
        let ring = self.attachment.ring();
        pool::regions(&self.attachment).recover();
        if ring.is_cleared() {
            ring.erase();
            // What can't be erased now is when it is used again.
            let _pinned = pool.erase(&self.attachment);
        }
        sys::wake_all_low(ring.last_word());
    }

    #[cold]
    fn metadata_error(&self, error: MetadataError) -> PublishError {
        PublishError::new(self.key(), PublishErrorKind::Metadata(error))
    }

    fn damaged(&self, reason: InvalidSample) -> PublishError {
        PublishError::new(self.key(), PublishErrorKind::Damaged(reason))
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("key", self.key())
            .finish_non_exhaustive()
    }
}
