//! The reading end.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::damage::Damage;
use crate::deadline::{Backoff, Deadline};
use crate::error::{AttachError, ReadError};
use crate::key::Key;
use crate::layout::{self, Control, LatestWord, flags};
use crate::options::Options;
use crate::process::Process;
use crate::sample::exchange::Pins;
use crate::sample::view::View;
use crate::sample::{KeyWatch, Sample, exchange};
use crate::segment::{self, Attached, Attachment, SegmentFile};
use crate::sync::{Ordering, SPINS};
use crate::sys::{self, ByteLock, FileFacts, ForkMark, Mapping, OpenMode};

/// A wait looks again at least this often: for what makes no wake-up, such as a publisher's death.
pub(super) const SLICE: Duration = Duration::from_secs(1);

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// There is something newer than what this subscriber saw last: a sample, or a clearing.
    New,
    /// The last publisher left, or died. Told once; a later wait goes on waiting for another.
    Ended,
    /// The segment was removed, moved away or replaced: what is loaded under its key appears
    /// elsewhere. Attach again.
    Orphaned,
    /// The time is over.
    Timeout,
}

/// Reads the latest sample under a key, and sleeps until there is a newer one.
///
/// Opens the segment read-only: nothing it does can change a byte of it, or
/// keep the segment alive when its last publisher leaves. For one thread at a
/// time; make one for each.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{Key, Message, Options, Publisher, Subscriber, Wait};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("news")?;
/// let publisher = Publisher::open(&key, &options)?;
/// let mut subscriber = Subscriber::attach(&key, &options)?;
/// assert!(subscriber.latest()?.is_none());
///
/// publisher.publish_text("héllo 世界")?;
/// assert_eq!(subscriber.wait(Some(Duration::from_secs(1)))?, Wait::New);
/// let sample = subscriber.latest()?.expect("something new");
/// assert_eq!(sample.to_message()?, Message::Text("héllo 世界".into()));
///
/// drop(publisher);
/// assert_eq!(subscriber.wait(None)?, Wait::Ended);
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
    view: View,
    /// What `latest` saw last.
    seen: LatestWord,
    /// The generation of the sample that `latest` gave out last; 0 for none.
    given: u64,
    publisher_seen: bool,
    looked: Instant,
    /// Whether the name was found to lead elsewhere.
    is_orphaned: bool,
    patience: Duration,
}

/// What a subscriber and its samples share.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) segment: SegmentFile,
    mapping: Mapping,
    pub(crate) id: u128,
    /// Pins of this open file, by region: the kernel counts them once, so they are counted here.
    pins: Mutex<Vec<u32>>,
    fork: ForkMark,
    /// Its file lives in memory, so that reading a hole allocates.
    pub(super) is_in_memory: bool,
}

impl Subscriber {
    /// Attaches to the samples under a key.
    ///
    /// # Errors
    ///
    /// [`AttachError::NotFound`] where there is nothing; [`AttachError`] says what else can be.
    pub fn attach(key: &Key, options: &Options) -> Result<Self, AttachError> {
        Self::attach_until(key, options, Deadline::after(options.patience()))
    }

    /// Does what [`attach`](Self::attach) does, until a moment of the caller's.
    pub(super) fn attach_until(
        key: &Key,
        options: &Options,
        deadline: Deadline,
    ) -> Result<Self, AttachError> {
        let (segment, head) = SegmentFile::locate(key, options, OpenMode::ReadOnly, deadline)?;
        if head.kind != layout::kind::SAMPLES {
            return Err(AttachError::WrongKind { key: key.clone() });
        }
        let presence = layout::reader_byte(Process::current().pid());
        // Only shown to people: nothing depends on it.
        let _shown = sys::try_lock_byte(&segment.file, presence, ByteLock::Read);
        let mapping = map_control(&segment)?;
        segment.unlock_lifecycle()?;
        Ok(Self::new(segment, mapping, head.id, options.patience()))
    }

    /// Attaches to the very segment that this process is attached to, whatever its name leads to.
    pub(super) fn within(attachment: &Attachment, patience: Duration) -> Result<Self, AttachError> {
        let (key, theirs) = (attachment.key(), &attachment.segment);
        let file = sys::reopen(&theirs.file).map_err(|source| AttachError::Io {
            key: key.clone(),
            doing: "opening it once more",
            source,
        })?;
        let segment = SegmentFile::new(file, key, theirs.path.clone());
        let mapping = map_control(&segment)?;
        Ok(Self::new(segment, mapping, attachment.id(), patience))
    }

    fn new(segment: SegmentFile, mapping: Mapping, id: u128, patience: Duration) -> Self {
        let reader = Reader {
            is_in_memory: sys::is_in_memory(&segment.file),
            segment,
            mapping,
            id,
            pins: Mutex::default(),
            fork: ForkMark::here(),
        };
        Self {
            view: View::new(reader),
            seen: LatestWord::from_bits(0),
            given: 0,
            publisher_seen: true,
            looked: Instant::now(),
            is_orphaned: false,
            patience,
        }
    }

    /// Attaches as soon as the key appears, waiting so long for it, or for ever.
    ///
    /// Sleeps until something appears in the directory; does not poll. Who waits again and again
    /// keeps a [`KeyWatch`].
    ///
    /// # Errors
    ///
    /// [`AttachError::Timeout`] where it did not appear in time, and those of
    /// [`attach`](Self::attach) but for `NotFound`.
    pub fn attach_within(
        key: &Key,
        options: &Options,
        timeout: Option<Duration>,
    ) -> Result<Self, AttachError> {
        KeyWatch::new(key, options)?.attach_within(timeout)
    }

    /// The segment's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.view.reader().segment.key
    }

    /// The segment's random id.
    #[must_use]
    pub fn id(&self) -> u128 {
        self.view.reader().id
    }

    /// The latest sample; none where nothing was published yet or it was cleared.
    ///
    /// # Errors
    ///
    /// [`ReadError::Invalid`] where what stands there makes no sense,
    /// [`ReadError::Truncated`] where the file was cut short,
    /// [`ReadError::Busy`] where somebody keeps it from being read.
    pub fn latest(&mut self) -> Result<Option<Sample>, ReadError> {
        self.latest_within(self.patience)
    }

    /// Does what [`latest`](Self::latest) does, and gives up after `timeout` where somebody keeps
    /// the sample from being read, instead of after that of the [`Options`].
    ///
    /// # Errors
    ///
    /// Those of [`latest`](Self::latest).
    pub fn latest_within(&mut self, timeout: Duration) -> Result<Option<Sample>, ReadError> {
        if self.view.reader().fork.is_elsewhere() {
            return Err(ReadError::Forked {
                key: self.key().clone(),
            });
        }
        let mut pace = Pace::new(timeout);
        loop {
            let latest = exchange(self.view.reader().control()).latest();
            if self.view.reader().mapping.was_truncated() {
                return Err(ReadError::Truncated {
                    key: self.key().clone(),
                });
            }
            if let Some(damage) = latest.damage() {
                self.seen = latest;
                return Err(self.view.reader().damaged(&damage));
            }
            let Some(region) = latest.region() else {
                self.seen = latest;
                return Ok(None);
            };
            if let Some((entry, payload, origin)) = self.view.read(region, latest.generation())? {
                self.seen = latest;
                let skipped = if self.given == 0 {
                    0
                } else {
                    entry.generation.saturating_sub(self.given + 1)
                };
                self.given = entry.generation;
                return Ok(Some(Sample {
                    origin,
                    entry,
                    skipped,
                    payload,
                }));
            }
            if !pace.again() {
                return Err(ReadError::Busy {
                    key: self.key().clone(),
                });
            }
        }
    }

    /// Tells, without a system call, whether there is something that [`latest`](Self::latest) has
    /// not seen: for those who poll.
    #[inline]
    #[must_use]
    pub fn has_news(&self) -> bool {
        exchange(self.view.reader().control()).latest() != self.seen
    }

    /// Sleeps until there is something newer than [`latest`](Self::latest) saw, at most for
    /// `timeout`, or for ever.
    ///
    /// # Errors
    ///
    /// [`ReadError::Truncated`] where the file was cut short.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Wait, ReadError> {
        if self.view.reader().fork.is_elsewhere() {
            return Err(ReadError::Forked {
                key: self.key().clone(),
            });
        }
        let deadline = Deadline::after_option(timeout);
        loop {
            if self.has_news() {
                return Ok(self.tell_news());
            }
            if (self.is_marked_removed() || self.looked.elapsed() >= SLICE)
                && let Some(end) = self.look_for_an_end()?
            {
                return Ok(end);
            }
            if deadline.is_over() {
                return Ok(Wait::Timeout);
            }
            if self.spin() {
                return Ok(self.tell_news());
            }
            let word = &self.view.reader().control().header.latest;
            sys::wait_low(word, self.seen.low(), deadline.remaining(SLICE));
            // Woken although nothing is new: somebody left.
            if !self.has_news()
                && let Some(end) = self.look_for_an_end()?
            {
                return Ok(end);
            }
        }
    }

    /// What is new is told before that the name is lost, but only once: a publisher that goes on all
    /// the same would be followed for ever.
    fn tell_news(&mut self) -> Wait {
        if self.is_orphaned {
            return Wait::Orphaned;
        }
        if self.looked.elapsed() >= SLICE {
            self.looked = Instant::now();
            self.is_orphaned = self.view.reader().segment.is_name_lost();
        }
        Wait::New
    }

    /// Looks a while before sleeping: falling asleep and being woken costs many times as much, and
    /// where messages go to and fro the next is there before that.
    fn spin(&self) -> bool {
        (0..SPINS).any(|_| {
            std::hint::spin_loop();
            self.has_news()
        })
    }

    /// Everybody else who is attached, from other processes: publishers and subscribers.
    #[must_use]
    pub fn others(&self) -> Vec<Attached> {
        segment::others(&self.view.reader().segment.file)
    }

    fn is_marked_removed(&self) -> bool {
        self.view
            .reader()
            .control()
            .header
            .flags
            .load(Ordering::Relaxed)
            & flags::REMOVED
            != 0
    }

    /// Asks the kernel what no wake-up tells: whether a publisher lives, and the name leads here.
    fn look_for_an_end(&mut self) -> Result<Option<Wait>, ReadError> {
        self.looked = Instant::now();
        let reader = self.view.reader();
        let error = |error| ReadError::io(&reader.segment.key, "asking who is attached", error);
        if reader.mapping.was_truncated() {
            return Err(ReadError::Truncated {
                key: reader.segment.key.clone(),
            });
        }
        let slots = layout::slot_bytes(layout::SLOTS as u64);
        let publishers = sys::refusing_lock(&reader.segment.file, slots, ByteLock::Read)
            .map_err(error)?
            .is_some();
        // A publication may have come before its publisher's end: that goes first.
        if self.has_news() {
            return Ok(None);
        }
        if std::mem::replace(&mut self.publisher_seen, publishers) && !publishers {
            return Ok(Some(Wait::Ended));
        }
        self.is_orphaned = self.is_marked_removed() || self.view.reader().segment.is_name_lost();
        Ok(self.is_orphaned.then_some(Wait::Orphaned))
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("key", self.key())
            .field("seen", &self.seen.generation())
            .finish_non_exhaustive()
    }
}

impl Reader {
    #[inline]
    pub(super) fn control(&self) -> &Control {
        self.mapping.view()
    }

    fn pins(&self) -> MutexGuard<'_, Vec<u32>> {
        // Every change under it is complete before anything can panic.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maps a region's first `length` bytes, or more, unless the file ends before.
    pub(super) fn map(&self, region: u16, length: usize) -> Result<Mapping, ReadError> {
        let offset = layout::region_offset(region);
        if self.facts()?.size < offset + length as u64 {
            return Err(self.truncated());
        }
        let generous = length.max(1 << 16).next_power_of_two();
        Mapping::read_only(&self.segment.file, offset, generous)
            .map_err(|error| ReadError::io(&self.segment.key, "mapping", error))
    }

    pub(super) fn facts(&self) -> Result<FileFacts, ReadError> {
        sys::facts(&self.segment.file)
            .map_err(|error| ReadError::io(&self.segment.key, "looking", error))
    }

    /// Checks that a region has memory for its first `claimed` bytes.
    ///
    /// Publishers reserve before they publish: who claims more than there is memory for lies, and
    /// reading that would allocate it.
    pub(super) fn check_memory(&self, region: u16, claimed: u64) -> Result<(), ReadError> {
        let start = layout::region_offset(region);
        let memory = sys::memory_of(&self.segment.file, start..start + claimed)
            .map_err(|error| ReadError::io(&self.segment.key, "looking", error))?;
        self.check_claim(memory, claimed)
    }

    pub(super) fn check_claim(&self, memory: u64, claimed: u64) -> Result<(), ReadError> {
        if memory < claimed {
            let reason = format!("it claims {claimed} bytes, and has memory for {memory}");
            return Err(self.invalid(reason));
        }
        Ok(())
    }

    pub(super) fn truncated(&self) -> ReadError {
        ReadError::Truncated {
            key: self.segment.key.clone(),
        }
    }

    pub(super) fn damaged(&self, damage: &Damage) -> ReadError {
        self.invalid(damage.to_string())
    }

    pub(super) fn invalid(&self, reason: String) -> ReadError {
        ReadError::Invalid {
            key: self.segment.key.clone(),
            reason,
        }
    }
}

impl Pins for Reader {
    type Error = ReadError;

    fn try_pin(&self, region: u16) -> Result<bool, ReadError> {
        let mut pins = self.pins();
        let index = usize::from(region);
        if pins.len() <= index {
            pins.resize(index + 1, 0);
        }
        let count = &mut pins[index];
        let byte = layout::region_byte(region);
        if *count == 0
            && !sys::try_lock_byte(&self.segment.file, byte, ByteLock::Read)
                .map_err(|error| ReadError::io(&self.segment.key, "pinning", error))?
        {
            return Ok(false);
        }
        *count += 1;
        Ok(true)
    }

    fn release(&self, region: u16) {
        // In a forked child the lock is the parent's, shared: not ours to give back.
        if self.fork.is_elsewhere() {
            return;
        }
        let mut pins = self.pins();
        let Some(count) = pins.get_mut(usize::from(region)) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
            debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
        }
    }
}

fn map_control(segment: &SegmentFile) -> Result<Mapping, AttachError> {
    Mapping::read_only(&segment.file, 0, layout::CONTROL_BYTES)
        .map_err(|error| AttachError::io(&segment.key, "mapping", error))
}

/// How a reader that was overtaken tries again: at once, for it lost by nanoseconds; after many
/// times with pauses, for then somebody sits on the region; until a deadline.
struct Pace {
    eager: u32,
    backoff: Backoff,
    patience: Duration,
    deadline: Option<Deadline>,
}

impl Pace {
    const EAGER: u32 = 1000;

    fn new(patience: Duration) -> Self {
        Self {
            eager: 0,
            backoff: Backoff::new(),
            patience,
            deadline: None,
        }
    }

    fn again(&mut self) -> bool {
        if self.eager < Self::EAGER {
            self.eager += 1;
            std::hint::spin_loop();
            return true;
        }
        let deadline = *self
            .deadline
            .get_or_insert_with(|| Deadline::after(self.patience));
        self.backoff.pause(deadline)
    }
}
