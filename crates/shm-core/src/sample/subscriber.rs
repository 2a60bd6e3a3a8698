//! The reading end.

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
use crate::process::Process;
use crate::readiness::WakeFlag;
use crate::sample::cursor::{Cursor, Turn, Which};
use crate::sample::decoding::Decoding;
use crate::sample::mapped_regions::MappedRegions;
use crate::sample::reader::Reader;
use crate::sample::{Iter, KeyWatch, Next, Sample, Stored, WaitResult};
use crate::segment::SegmentId;
use crate::segment::{self, Attachment, Head, Participant, SegmentFile};
use crate::sequence::Sequence;
use crate::sys::{self, ByteLock, Mapping, OpenMode};
use crate::wait_set::{Awaitable, Source, Waitable};

/// A wait looks again at least this often: for what makes no wake-up, such as a publisher's death.
pub(super) const SLICE: Duration = Duration::from_secs(1);
/// So many attempts to read a record follow each other at once: who was overtaken lost by nanoseconds.
const EAGER_TURNS: u32 = 64;

/// Reads the samples under a key: the newest, or all in order; sleeps until there are more.
///
/// Opens the segment read-only: nothing it does can change a byte of it, delay a publisher, or
/// keep the segment alive when its last publisher leaves. A subscriber that is slower than the
/// publishers for longer than the ring lasts misses samples, and each [`Sample`] says how many. For
/// one thread at a time; make one for each.
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
    decoding: Decoding,
    cursor: Cursor,
    /// What the next sample is read into.
    stored: Arc<Stored>,
    had_publisher: bool,
    last_liveness_check: Instant,
    /// What the ring showed then: a process that has published since was a publisher, too.
    looked_at: u64,
    /// Whether the name was found to lead elsewhere.
    is_removed: bool,
    /// Set by an interrupter, if there is any.
    interruption: Option<Arc<WakeFlag>>,
    lock_timeout: Duration,
}

impl Subscriber {
    /// Attaches to the samples under a key. The newest is the first to be read.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if there is nothing; [`AttachError`] says what else can be.
    pub fn attach(key: &Key, options: &Options) -> Result<Self, AttachError> {
        Self::attach_until(key, options, Deadline::after(options.lock_timeout()))
    }

    /// Does what [`attach`](Self::attach) does, until a moment of the caller's.
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
        // Only shown to people: nothing depends on it.
        let _shown = sys::try_lock_byte(&segment.file, presence, ByteLock::Read);
        let mapping = map(&segment, &head)?;
        segment.unlock_lifecycle()?;
        Ok(Self::new(segment, mapping, &head, options.lock_timeout()))
    }

    /// Attaches to the very segment that this process is attached to, whatever its name leads to.
    pub(super) fn within(
        attachment: &Attachment,
        lock_timeout: Duration,
    ) -> Result<Self, AttachError> {
        let (key, theirs) = (attachment.key(), &attachment.segment);
        let file = sys::reopen(&theirs.file, OpenMode::ReadOnly).map_err(|source| {
            AttachError::new(
                key,
                AttachErrorKind::Io {
                    doing: "opening it once more",
                },
            )
            .with_source(source)
        })?;
        let segment = SegmentFile::new(file, key, theirs.path.clone());
        let mapping = map(&segment, attachment.head())?;
        Ok(Self::new(segment, mapping, attachment.head(), lock_timeout))
    }

    fn new(segment: SegmentFile, mapping: Mapping, head: &Head, lock_timeout: Duration) -> Self {
        let reader = Arc::new(Reader::new(segment, mapping, head.id, head.ring_bytes));
        let decoding = Decoding::new(Arc::clone(&reader));
        Self {
            looked_at: reader.ring().last(),
            cursor: Cursor::at_newest(reader.ring()),
            stored: Arc::new(Stored::empty(decoding.source())),
            reader,
            regions: MappedRegions::default(),
            decoding,
            had_publisher: true,
            last_liveness_check: Instant::now(),
            is_removed: false,
            interruption: None,
            lock_timeout,
        }
    }

    /// Waits up to `timeout` (forever if `None`) for the key to appear, then attaches.
    ///
    /// Sleeps until something appears in the directory; does not poll. For waiting again and again
    /// there is [`KeyWatch`].
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::Timeout`] if it did not appear in time, and those of
    /// [`attach`](Self::attach) but for `NotFound`.
    pub fn attach_within(
        key: &Key,
        options: &Options,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<Self, AttachError> {
        KeyWatch::new(key, options)?.attach_within(timeout)
    }

    /// Goes back to the oldest sample there is: it is the next to be read.
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

    /// Goes to the sample with this sequence: it is the next to be read.
    ///
    /// If it is there no more, the oldest after it is read, and [`Sample::skipped`] counts it and all
    /// others that are gone; if it is still to come, what comes next is. `from_sequence(1)` reads what
    /// [`from_oldest`](Self::from_oldest) does, and counts what was evicted before.
    #[must_use]
    pub fn from_sequence(mut self, sequence: impl Into<Sequence>) -> Self {
        self.cursor.seek(self.reader.ring(), sequence.into().get());
        self
    }

    /// Returns the sequence of the sample that is read next if none is missed, for
    /// [`from_sequence`](Self::from_sequence); `None` where that is not known: after
    /// [`from_oldest`](Self::from_oldest) before anything was read, and after damage.
    #[must_use]
    pub fn next_sequence(&self) -> Option<Sequence> {
        self.cursor.next_sequence().map(Sequence::new)
    }

    /// Passes everything that is there: only what comes from now on is read.
    #[must_use]
    pub fn from_now(mut self) -> Self {
        self.cursor.skip_all(self.reader.ring());
        self
    }

    /// Goes back to the newest sample, so that it is returned once more.
    pub fn reread(&mut self) {
        self.cursor = Cursor::at_newest(self.reader.ring());
    }

    /// The segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.reader.segment.key
    }

    /// The segment's random id.
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
    /// [`ReadErrorKind::Invalid`] if what stands there makes no sense (told once; the next call goes on
    /// with what is published after it), [`ReadErrorKind::Truncated`] if the file was cut short,
    /// [`ReadErrorKind::Busy`] if another process keeps it from being read.
    pub fn latest(&mut self) -> Result<Option<Sample>, ReadError> {
        self.latest_within(self.lock_timeout)
    }

    /// Does what [`latest`](Self::latest) does, and gives up after `timeout` where somebody keeps
    /// the sample from being read, instead of after that of the [`Options`].
    ///
    /// # Errors
    ///
    /// Those of [`latest`](Self::latest).
    pub fn latest_within(&mut self, timeout: Duration) -> Result<Option<Sample>, ReadError> {
        Ok(
            match self.read(Which::Latest, || Deadline::after(timeout))? {
                Read::Sample(sample) => Some(sample),
                Read::Cleared { .. } | Read::Nothing => None,
            },
        )
    }

    /// Returns the next sample in order; waits for it up to `timeout`, forever if `None`.
    ///
    /// After the last publisher has left, first everything that it published is returned.
    ///
    /// # Errors
    ///
    /// Those of [`latest`](Self::latest).
    pub fn next(&mut self, timeout: impl Into<Option<Duration>>) -> Result<Next, ReadError> {
        let timeout = timeout.into();
        let lock_timeout = self.lock_timeout;
        // Begins with the first wait: mostly there is none, and a look at the clock costs as much as
        // a sample.
        let mut waiting = None;
        if self.is_interrupted() {
            return Ok(Next::Interrupted);
        }
        loop {
            let sooner = || {
                let end = waiting.unwrap_or_else(|| Deadline::after_option(timeout));
                end.or_sooner(Deadline::after(lock_timeout))
            };
            match self.read(Which::Next, sooner)? {
                Read::Sample(sample) => return Ok(Next::Sample(sample)),
                Read::Cleared { skipped } => return Ok(Next::Cleared { skipped }),
                Read::Nothing => {}
            }
            let deadline = *waiting.get_or_insert_with(|| Deadline::after_option(timeout));
            match self.wait_until(deadline)? {
                WaitResult::New => {}
                WaitResult::PublisherGone => return Ok(Next::PublisherGone),
                WaitResult::Removed => return Ok(Next::Removed),
                WaitResult::Interrupted => return Ok(Next::Interrupted),
                WaitResult::Timeout => return Ok(Next::Timeout),
            }
        }
    }

    /// Returns every sample in order until the last publisher has gone; sleeps in between.
    ///
    /// Passes clearings silently. Goes on after damage, and ends after other errors and where an
    /// [`Interrupter`] says so.
    pub fn iter(&mut self) -> Iter<'_> {
        Iter {
            subscriber: self,
            has_ended: false,
        }
    }

    /// Makes something that ends a wait of this subscriber from another thread or a signal handler.
    pub fn interrupter(&mut self) -> Interrupter {
        Interrupter(Arc::clone(self.interruption.get_or_insert_default()))
    }

    /// Makes a descriptor that is readable when there may be something to read, or an end to be told of.
    ///
    /// # Errors
    ///
    /// Where the system has no more descriptors, events of files or threads.
    pub fn notifier(&self) -> io::Result<Notifier> {
        Notifier::new(self)
    }

    /// Makes a stream of all samples in order, for tasks of any executor.
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

    /// What the ring shows as long as nothing is new; `None` where something is.
    pub(crate) fn seen(&self) -> Option<u64> {
        self.cursor.seen(self.reader.ring())
    }

    /// Returns `true` if there is something that was not read. Makes no system call: for polling.
    #[inline]
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.cursor.has_news(self.reader.ring())
    }

    /// Sleeps until there is something that was not read; up to `timeout`, forever if `None`.
    ///
    /// # Errors
    ///
    /// [`ReadErrorKind::Truncated`] if the file was cut short.
    pub fn wait(&mut self, timeout: impl Into<Option<Duration>>) -> Result<WaitResult, ReadError> {
        self.wait_until(Deadline::after_option(timeout.into()))
    }

    /// Everybody else who is attached, from other processes: publishers and subscribers.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        segment::peers(&self.reader.segment.file)
    }

    #[inline]
    fn read(&mut self, which: Which, deadline: impl Fn() -> Deadline) -> Result<Read, ReadError> {
        self.reader.check_process()?;
        let (mut walked, mut turns) = (0, 0);
        let mut waiting = None;
        loop {
            let reader = &*self.reader;
            if Arc::strong_count(&self.stored) > 1 {
                // The caller keeps the sample before.
                self.stored = Arc::new(Stored::empty(self.decoding.source()));
            }
            let stored = Arc::get_mut(&mut self.stored).expect("it has no other owner");
            let turn = self
                .cursor
                .turn(reader.ring(), which, &mut stored.copied, reader)?;
            if reader.mapping.was_truncated() {
                return Err(reader.truncated());
            }
            match turn {
                Turn::Sample(found) => {
                    let (regions, decoding) = (&mut self.regions, &mut self.decoding);
                    stored.complete(&found, &self.reader, regions, decoding)?;
                    return Ok(Read::Sample(self.give_out()));
                }
                Turn::Cleared { skipped } => return Ok(Read::Cleared { skipped }),
                Turn::Nothing => return Ok(Read::Nothing),
                Turn::Damaged(reason) => return Err(reader.invalid(reason)),
                // So many records a ring has; only a peer that lies meanwhile leads on.
                Turn::Again if walked < reader.ring().records() => {
                    walked += 1;
                    continue;
                }
                Turn::Again | Turn::Overrun | Turn::Refused => turns += 1,
            }
            if turns < EAGER_TURNS {
                std::hint::spin_loop();
                continue;
            }
            // Only here: a look at the clock costs as much as a sample.
            let (backoff, deadline) = waiting.get_or_insert_with(|| (Backoff::new(), deadline()));
            if !backoff.pause(*deadline) {
                return Err(ReadError::new(self.key(), ReadErrorKind::Busy));
            }
        }
    }

    /// Gives out what was read. What is pinned is not kept: it ends with the caller's.
    #[inline]
    fn give_out(&mut self) -> Sample {
        if self.stored.pin.is_none() {
            return Sample(Arc::clone(&self.stored));
        }
        let next = Arc::new(Stored::empty(self.decoding.source()));
        Sample(std::mem::replace(&mut self.stored, next))
    }
}

fn map(segment: &SegmentFile, head: &Head) -> Result<Mapping, AttachError> {
    Mapping::read_only(&segment.file, 0, head.mapped_bytes())
        .map_err(|error| AttachError::io(&segment.key, "mapping", error))
}

/// What reading led to.
enum Read {
    Sample(Sample),
    Cleared { skipped: u64 },
    Nothing,
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
