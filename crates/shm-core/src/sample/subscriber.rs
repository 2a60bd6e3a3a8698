//! The reading side.

mod wait;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::deadline::{Backoff, Deadline};
use crate::error::{AttachError, AttachErrorKind, ReadError, ReadErrorKind};
use crate::interrupter::Interrupter;
use crate::key::Key;
use crate::layout;
use crate::notifier::Notifier;
use crate::options::Options;
use crate::participant::Participant;
use crate::process::Process;
use crate::readiness::WakeFlag;
use crate::sample::cursor::{Cursor, ReadMode, ReadStep};
use crate::sample::decoding::DecodingCache;
use crate::sample::mapped_regions::MappedRegions;
use crate::sample::reader::Reader;
use crate::sample::{Iter, KeyWatch, Next, Sample, Stored, WaitResult};
use crate::segment::{self, Attachment, Head, SegmentFile, SegmentId};
use crate::sequence::Sequence;
use crate::sys::{self, ByteLock, Mapping, OpenMode};
use crate::wait_set::{Awaitable, Source, Waitable};

/// How often a wait checks for what causes no wake-up, such as a crash of the publisher.
pub(super) const LIVENESS_INTERVAL: Duration = Duration::from_secs(1);
/// How many attempts to read a record follow each other without a pause: an overrun is a race that
/// was lost by nanoseconds.
const MAX_SPINS: u32 = 64;

/// Reads the samples under a key: the newest, or all in order; sleeps until there are more.
///
/// Opens the segment read-only: a subscriber cannot change a byte of it, delay a publisher, or keep
/// the segment alive when its last publisher leaves. A subscriber that is slower than the
/// publishers for longer than the ring lasts misses samples, and each [`Sample`] reports how many.
/// Each subscriber serves one thread at a time; create one per thread.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{Key, Message, Next, Options, Publisher, Subscriber};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("news")?;
/// let publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
/// assert!(subscriber.latest()?.is_none());
///
/// publisher.publish_text("héllo")?;
/// publisher.publish_text("世界")?;
/// drop(publisher);
///
/// let mut texts = Vec::new();
/// while let Next::Sample(sample) = subscriber.next(Duration::from_secs(1))? {
///     texts.push(sample.to_message()?);
/// }
/// assert_eq!(texts, [Message::Text("héllo".into()), Message::Text("世界".into())]);
/// # Ok(()) }
/// ```
///
/// A subscriber cannot publish:
///
/// ```compile_fail
/// # fn publish(subscriber: &shm_core::Subscriber) {
/// subscriber.publish_text("no").unwrap();
/// # }
/// ```
///
/// as a publisher can:
///
/// ```
/// # fn publish(publisher: &shm_core::Publisher) {
/// publisher.publish_text("yes").unwrap();
/// # }
/// ```
pub struct Subscriber {
    reader: Arc<Reader>,
    regions: MappedRegions,
    decoding: DecodingCache,
    cursor: Cursor,
    /// The buffer that the next sample is read into.
    stored: Arc<Stored>,
    had_publisher: bool,
    last_liveness_check: Instant,
    /// The ring's `last` at that check: a process that has published since was a publisher, too.
    last_at_liveness_check: u64,
    /// The name was found to lead elsewhere.
    is_removed: bool,
    /// Set by an interrupter, if there is one.
    interruption: Option<Arc<WakeFlag>>,
    lock_timeout: Duration,
}

impl Subscriber {
    /// Attaches to the samples under a key. The newest is the first to be read.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if the key has no segment, and the other kinds of
    /// [`AttachErrorKind`].
    pub fn attach(key: &Key, options: &Options) -> Result<Self, AttachError> {
        Self::attach_until(key, options, Deadline::after(options.lock_timeout()))
    }

    /// Attaches, as [`attach`](Self::attach) does, with a deadline instead of a timeout.
    pub(super) fn attach_until(
        key: &Key,
        options: &Options,
        deadline: Deadline,
    ) -> Result<Self, AttachError> {
        let (segment, head) = SegmentFile::locate(key, options, OpenMode::ReadOnly, deadline)?;
        if head.kind != layout::kind::SAMPLES {
            return Err(AttachError::new(key, AttachErrorKind::WrongKind));
        }
        segment.check_data(&head)?;
        let presence = layout::reader_byte(Process::current().pid());
        // Only for listings: nothing depends on it.
        let _is_locked = sys::try_lock_byte(&segment.file, presence, ByteLock::Read);
        let subscriber = Self::new(segment, &head, options.lock_timeout())?;
        subscriber.reader.segment.unlock_lifecycle()?;
        Ok(subscriber)
    }

    /// Attaches to the segment that this process is already attached to, wherever its name leads.
    pub(super) fn within(
        attachment: &Attachment,
        lock_timeout: Duration,
    ) -> Result<Self, AttachError> {
        let (key, other) = (attachment.key(), &attachment.segment);
        let file = sys::reopen(&other.file, OpenMode::ReadOnly).map_err(|source| {
            let doing = "reopening it";
            AttachError::new(key, AttachErrorKind::Io { doing }).with_source(source)
        })?;
        let segment = SegmentFile::new(file, key, other.path.clone());
        Self::new(segment, attachment.head(), lock_timeout)
    }

    fn new(segment: SegmentFile, head: &Head, lock_timeout: Duration) -> Result<Self, AttachError> {
        let mapping = Mapping::read_only(&segment.file, 0, head.mapped_bytes())
            .map_err(|error| AttachError::io(&segment.key, "mapping", error))?;
        let reader = Arc::new(Reader::new(segment, mapping, head.id, head.ring_bytes));
        let decoding = DecodingCache::new(Arc::clone(&reader));
        Ok(Self {
            last_at_liveness_check: reader.ring().last(),
            cursor: Cursor::at_newest(reader.ring()),
            stored: Stored::empty(&decoding.source),
            reader,
            regions: MappedRegions::default(),
            decoding,
            had_publisher: true,
            last_liveness_check: Instant::now(),
            is_removed: false,
            interruption: None,
            lock_timeout,
        })
    }

    /// Waits up to `timeout` (forever if `None`) for the key to appear, then attaches.
    ///
    /// Sleeps until something appears in the directory; does not poll. Use a [`KeyWatch`] to wait
    /// repeatedly.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Timeout`] if it did not appear in time, and those of
    /// [`attach`](Self::attach) except `NotFound`.
    pub fn attach_within(
        key: &Key,
        options: &Options,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Self, AttachError> {
        KeyWatch::new(key, options)?.attach_within(timeout)
    }

    /// Moves back to the oldest sample in the ring, which is the next to be read.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use shm_core::{Key, Options, Publisher, Subscriber};
    ///
    /// let options = Options::new().directory(directory.path());
    /// let key = Key::new("log")?;
    /// let publisher = Publisher::open(&key, &options)?;
    /// for line in ["one", "two", "three"] {
    ///     publisher.publish_text(line)?;
    /// }
    /// let mut late = Subscriber::attach(&key, &options)?.from_oldest();
    /// drop(publisher);
    /// let lines: Result<Vec<_>, _> = late.iter().map(|sample| sample?.to_message()).collect();
    /// assert_eq!(lines?.len(), 3);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_oldest(mut self) -> Self {
        self.cursor.rewind(self.reader.ring());
        self
    }

    /// Moves to the sample with this sequence, which is the next to be read.
    ///
    /// If it was evicted, the oldest sample after it is read, and [`Sample::skipped`] counts all
    /// that were evicted. If it is not published yet, the next sample to be published is read.
    /// `from_sequence(1)` reads the same samples as [`from_oldest`](Self::from_oldest), and also
    /// counts those that were evicted before.
    #[must_use]
    pub fn from_sequence(mut self, sequence: impl Into<Sequence>) -> Self {
        self.cursor.seek(self.reader.ring(), sequence.into().get());
        self
    }

    /// Returns the sequence of the sample that is read next if none is missed, for
    /// [`from_sequence`](Self::from_sequence); `None` if it is not known: after
    /// [`from_oldest`](Self::from_oldest) before anything was read, and after damage.
    #[must_use]
    pub fn next_sequence(&self) -> Option<Sequence> {
        self.cursor.next_sequence().map(Sequence::new)
    }

    /// Skips everything that was published: only later samples are read.
    #[must_use]
    pub fn from_now(mut self) -> Self {
        self.cursor.skip_all(self.reader.ring());
        self
    }

    /// Moves back to the newest sample, so that it is returned again.
    pub fn reread(&mut self) {
        self.cursor = Cursor::at_newest(self.reader.ring());
    }

    /// Returns the segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.reader.segment.key
    }

    /// Returns the segment's random id.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.reader.id
    }

    /// Returns the newest sample; `None` if it was read already, was erased, or none was published.
    ///
    /// Samples before it that were not read count as [skipped](Sample::skipped).
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Invalid`] if the record is damaged (reported once; the next call continues
    /// with what is published after it), [`ReadErrorKind::Truncated`] if the file was truncated,
    /// [`ReadErrorKind::Busy`] if another process prevents reading until the timeout of the
    /// [`Options`].
    pub fn latest(&mut self) -> Result<Option<Sample>, ReadError> {
        self.latest_within(self.lock_timeout)
    }

    /// Returns the newest sample, as [`latest`](Self::latest) does, with this `timeout` instead of
    /// that of the [`Options`].
    ///
    /// # Errors
    ///
    /// Those of [`latest`](Self::latest).
    pub fn latest_within(&mut self, timeout: Duration) -> Result<Option<Sample>, ReadError> {
        match self.read(ReadMode::Latest, || Deadline::after(timeout))? {
            Some(Next::Sample(sample)) => Ok(Some(sample)),
            _ => Ok(None),
        }
    }

    /// Returns the next sample in order; waits for it up to `timeout`, forever if `None`.
    ///
    /// After the last publisher has left, everything that it published is still returned first.
    ///
    /// # Errors
    ///
    /// Those of [`latest`](Self::latest).
    pub fn next(&mut self, timeout: impl Into<Option<Duration>>) -> Result<Next, ReadError> {
        let timeout = timeout.into();
        let lock_timeout = self.lock_timeout;
        // Set before the first wait: mostly there is none, and reading the clock costs as much as
        // reading a sample.
        let mut waiting = None;
        if self.is_interrupted() {
            return Ok(Next::Interrupted);
        }
        loop {
            let sooner = || {
                let end = waiting.unwrap_or_else(|| Deadline::after_option(timeout));
                end.or_sooner(Deadline::after(lock_timeout))
            };
            if let Some(next) = self.read(ReadMode::Next, sooner)? {
                return Ok(next);
            }
            let deadline = *waiting.get_or_insert_with(|| Deadline::after_option(timeout));
            return Ok(match self.wait_until(deadline)? {
                WaitResult::New => continue,
                WaitResult::PublisherGone => Next::PublisherGone,
                WaitResult::Removed => Next::Removed,
                WaitResult::Interrupted => Next::Interrupted,
                WaitResult::Timeout => Next::Timeout,
            });
        }
    }

    /// Returns an iterator over all samples in order, which ends when the last publisher has left,
    /// and sleeps between samples.
    ///
    /// Skips clearings silently. Continues after damage; ends after any other error and when an
    /// [`Interrupter`] interrupts it.
    pub fn iter(&mut self) -> Iter<'_> {
        Iter {
            subscriber: self,
            has_ended: false,
        }
    }

    /// Returns a handle that ends a wait of this subscriber from another thread or a signal
    /// handler.
    pub fn interrupter(&mut self) -> Interrupter {
        Interrupter(Arc::clone(self.interruption.get_or_insert_default()))
    }

    /// Creates a descriptor that becomes readable when there may be a sample to read or an end to
    /// report.
    ///
    /// # Errors
    ///
    /// If the system has no more descriptors, inotify watches or threads.
    pub fn notifier(&self) -> io::Result<Notifier> {
        Notifier::new(self)
    }

    /// Converts the subscriber to a stream of all samples in order, for tasks of any executor.
    ///
    /// # Errors
    ///
    /// Those of [`notifier`](Self::notifier).
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// use async_io::block_on; // or tokio
    /// use futures_lite::StreamExt;
    /// use shm_core::{Key, Options, Publisher, Subscriber};
    ///
    /// # let options = Options::new().directory(directory.path());
    /// # let key = Key::new("tasks")?;
    /// let publisher = Publisher::open(&key, &options)?;
    /// publisher.publish_text("hello")?;
    ///
    /// let mut samples = Subscriber::attach(&key, &options)?.into_stream()?;
    /// let sample = block_on(samples.next()).expect("something was published")?;
    /// assert_eq!(sample.payload(), b"hello");
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "async")]
    pub fn into_stream(self) -> io::Result<crate::SampleStream> {
        crate::SampleStream::new(self)
    }

    pub(crate) fn reader(&self) -> &Arc<Reader> {
        &self.reader
    }

    /// Returns the ring's `last` while nothing is unread, for a futex wait; `None` if something is.
    pub(crate) fn seen(&self) -> Option<u64> {
        self.cursor.seen(self.reader.ring())
    }

    /// Returns `true` if something is unread. Makes no system call, so it is suited to polling.
    #[inline]
    #[must_use]
    pub fn has_unread(&self) -> bool {
        self.cursor.has_unread(self.reader.ring())
    }

    /// Blocks until something is unread; up to `timeout`, forever if `None`.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if the file was truncated.
    pub fn wait(&mut self, timeout: impl Into<Option<Duration>>) -> Result<WaitResult, ReadError> {
        self.wait_until(Deadline::after_option(timeout.into()))
    }

    /// Returns the other participants, from other processes: publishers and subscribers.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        segment::peers(&self.reader.segment.file)
    }

    /// Reads a sample or a clearing; returns `None` if nothing is unread.
    #[inline]
    fn read(
        &mut self,
        mode: ReadMode,
        deadline: impl Fn() -> Deadline,
    ) -> Result<Option<Next>, ReadError> {
        self.reader.check_process()?;
        let (mut passed, mut spins) = (0, 0);
        let mut waiting = None;
        loop {
            let reader = &*self.reader;
            if Arc::strong_count(&self.stored) > 1 {
                // The caller keeps the previous sample.
                self.stored = Stored::empty(&self.decoding.source);
            }
            let stored = Arc::get_mut(&mut self.stored).expect("it has no other owner");
            let pin = |region, position| reader.pin(region, position);
            let step = self
                .cursor
                .try_read(reader.ring(), mode, &mut stored.copied, pin)
                .map_err(|error| ReadError::io(&reader.segment.key, "pinning", error))?;
            if reader.mapping.was_truncated() {
                return Err(reader.truncated());
            }
            match step {
                ReadStep::Sample(found) => {
                    let (regions, decoding) = (&mut self.regions, &mut self.decoding);
                    stored.complete(&found, &self.reader, regions, decoding)?;
                    let sample = Sample(Arc::clone(&self.stored));
                    if found.region.is_some() {
                        // The pin ends with the caller's sample.
                        self.stored = Stored::empty(&self.decoding.source);
                    }
                    return Ok(Some(Next::Sample(sample)));
                }
                ReadStep::Cleared { skipped } => return Ok(Some(Next::Cleared { skipped })),
                ReadStep::Empty => return Ok(None),
                ReadStep::Damaged(reason) => return Err(reader.invalid(reason)),
                // A ring has no more records; only a malicious peer makes the loop longer.
                ReadStep::Retry if passed < reader.ring().records() => {
                    passed += 1;
                    continue;
                }
                ReadStep::Retry | ReadStep::Overrun | ReadStep::Contended => spins += 1,
            }
            if spins < MAX_SPINS {
                std::hint::spin_loop();
                continue;
            }
            // Only here: reading the clock costs as much as reading a sample.
            let (backoff, deadline) = waiting.get_or_insert_with(|| (Backoff::new(), deadline()));
            if !backoff.pause(*deadline) {
                return Err(ReadError::new(self.key(), ReadErrorKind::Busy));
            }
        }
    }
}

impl Waitable for Subscriber {}

impl Source for Subscriber {
    fn awaited(&self) -> Awaitable<'_> {
        Awaitable::Ring(self)
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("key", self.key())
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}
