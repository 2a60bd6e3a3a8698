//! What stands in a Qt segment now, and what comes next.

use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::error::{LockError, LockErrorKind, SegmentError, SegmentErrorKind};
use crate::key::{Kind, QtKey};
use crate::lock::Lock;
use crate::memory::Memory;
use crate::stream::{DEFAULT_LIMIT, Form, Source, StreamError, Value, check_limit};
use crate::sys::signal::Shield;

/// How often it is read again because a Qt program reset the lock meanwhile.
const ATTEMPTS: u32 = 3;

/// For a stream of this length no memory is given back before it is copied, bytes.
const SMALL: usize = 1 << 20;

/// What was read from a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The form that was asked for, or recognised.
    pub form: Form,
    /// The content.
    pub value: Value,
    /// The segment's length, bytes.
    pub size: usize,
    /// What tells it from others.
    pub digest: Digest,
}

/// What tells one stream from another: the same for the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    length: usize,
    sum: u64,
}

/// Reads what stands in a segment: as a form, or as what it is recognised to be.
///
/// It is copied under the lock, which is waited for at most so long, so that Qt programs that make or
/// leave the segment at the same time do not notice; and understood when the lock is given back.
/// Nothing is removed, not even what a crash left behind.
///
/// # Errors
///
/// [`ReadingError`], which says what is wrong and what to do.
pub fn read(key: &QtKey, form: Option<Form>, patience: Duration) -> Result<Reading, ReadingError> {
    read_within(key, form, patience, DEFAULT_LIMIT)
}

/// Does what [`read`] does, with another limit to the memory that it takes than [`DEFAULT_LIMIT`].
///
/// # Errors
///
/// [`ReadingError`], which says what is wrong and what to do.
pub fn read_within(
    key: &QtKey,
    form: Option<Form>,
    patience: Duration,
    limit: u64,
) -> Result<Reading, ReadingError> {
    let mut capture = Capture::new(limit);
    capture.take(key, form, patience)?;
    capture.read(key, capture.digest())
}

/// A stream that was copied out of a segment, so that nobody writes into it any more.
#[derive(Debug)]
struct Capture {
    /// How many bytes it may copy, and then make of the copy.
    limit: u64,
    /// As what it was copied; nothing where nothing was written yet.
    form: Option<Form>,
    bytes: Vec<u8>,
    /// The segment's length.
    size: usize,
    /// How long it took, but for the wait for the lock.
    cost: Duration,
}

impl Capture {
    fn new(limit: u64) -> Self {
        Self {
            limit,
            form: None,
            bytes: Vec::new(),
            size: 0,
            cost: Duration::ZERO,
        }
    }

    /// Copies the stream that stands in a segment.
    fn take(
        &mut self,
        key: &QtKey,
        form: Option<Form>,
        patience: Duration,
    ) -> Result<(), ReadingError> {
        let mut attempt = 1;
        loop {
            let taken = match key.is_ours() {
                true => self.take_once(key, form, patience),
                false => self.take_unlocked(key, form),
            };
            match taken {
                Err(ReadingError::Lock(error))
                    if *error.kind() == LockErrorKind::Lost && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn take_once(
        &mut self,
        key: &QtKey,
        form: Option<Form>,
        patience: Duration,
    ) -> Result<(), ReadingError> {
        // First, so that where there is nothing, no lock is made of it.
        Memory::find(key)?;
        let is_system_v = key.kind() == Kind::SystemV;
        // Killed by a signal, this would leave a POSIX lock taken for ever.
        let _shield = (!is_system_v).then(Shield::raise);
        let mut lock = match Lock::find(key).map_err(ReadingError::Lock)? {
            Some(lock) => lock,
            // Nobody can hold what is not there, and made here it would be removed under others.
            None if !is_system_v => {
                let copied = self.fill(key, form);
                return match Lock::find(key) {
                    Ok(None) => copied,
                    // Somebody has it now, and may have written meanwhile.
                    _ => Err(ReadingError::Lock(LockError::new(key, LockErrorKind::Lost))),
                };
            }
            None => Lock::open(key).map_err(ReadingError::Lock)?,
        };
        lock.take(patience).map_err(ReadingError::Lock)?;
        let copied = self.fill(key, form);
        // Who waits for it is told, and makes another; with a POSIX one there would be two.
        if lock.is_creator() && is_system_v {
            lock.remove(key.lock() == key.segment());
            return copied;
        }
        match lock.give_back() {
            // What was read may be mixed.
            Err(error) if *error.kind() == LockErrorKind::Lost && copied.is_ok() => {
                Err(ReadingError::Lock(error))
            }
            _ => copied,
        }
    }

    /// Copies what belongs to another user. Its lock is not touched, because taking it would change it:
    /// instead two copies that follow each other have to be the same.
    fn take_unlocked(&mut self, key: &QtKey, form: Option<Form>) -> Result<(), ReadingError> {
        self.fill(key, form)?;
        let first = self.digest();
        self.fill(key, form)?;
        match self.digest() == first {
            true => Ok(()),
            false => Err(ReadingError::Lock(LockError::new(key, LockErrorKind::Lost))),
        }
    }

    /// Copies it; the lock is taken.
    fn fill(&mut self, key: &QtKey, form: Option<Form>) -> Result<(), ReadingError> {
        let began = Instant::now();
        let memory = Memory::attach(key, true)?;
        let filled = self.fill_from(&memory, form);
        self.cost = began.elapsed();
        filled.map_err(|source| ReadingError::stream(key, source))
    }

    fn fill_from(&mut self, memory: &Memory, form: Option<Form>) -> Result<(), StreamError> {
        self.size = memory.size();
        self.form = match form {
            None if is_blank(memory)? => None,
            None => Some(Form::recognise(memory)?),
            chosen => chosen,
        };
        let extent = match self.form {
            Some(form) => form.extent(memory, self.limit)?,
            None => 0,
        };
        check_limit(extent, self.limit)?;
        check_written(memory, extent)?;
        // What was long once does not stay in memory for ever.
        if self.bytes.capacity() / 8 > extent.max(SMALL) {
            self.bytes = Vec::new();
        }
        let missing = extent.saturating_sub(self.bytes.len());
        self.bytes
            .try_reserve_exact(missing)
            .map_err(|_| StreamError::NoMemory { bytes: extent })?;
        self.bytes.resize(extent, 0);
        Ok(memory.read_at(0, &mut self.bytes)?)
    }

    fn digest(&self) -> Digest {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.bytes);
        Digest {
            length: self.bytes.len(),
            sum: hasher.finish(),
        }
    }

    /// Understands it.
    fn read(&self, key: &QtKey, digest: Digest) -> Result<Reading, ReadingError> {
        let form = self.form.unwrap_or(Form::QString);
        let value = match self.form {
            Some(form) => form
                .read_within(self, self.limit)
                .map_err(|source| ReadingError::stream(key, source))?,
            None => Value::Text(None),
        };
        Ok(Reading {
            form,
            value,
            size: self.size,
            digest,
        })
    }
}

/// Of the segment only the stream was copied; what stands behind it does not matter, and reads as zeros.
impl Source for Capture {
    fn size(&self) -> usize {
        self.size
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        let copied = self.bytes.get(offset..).unwrap_or_default();
        let count = copied.len().min(buffer.len());
        let (beginning, behind) = buffer.split_at_mut(count);
        beginning.copy_from_slice(&copied[..count]);
        behind.fill(0);
        Ok(())
    }
}

/// Refuses a stream that says to be longer than what is in memory of its segment: to copy it would
/// make memory of what was never written, here and in the segment.
fn check_written(memory: &Memory, extent: usize) -> Result<(), StreamError> {
    /// A page may be left out now and then.
    const MOST_UNWRITTEN: u64 = 16 << 20;
    let bytes = extent as u64;
    match memory.present() {
        Some(present) if bytes > present.saturating_add(MOST_UNWRITTEN) => {
            Err(StreamError::Unwritten { bytes, present })
        }
        _ => Ok(()),
    }
}

/// Returns `true` if nothing was written yet: a segment begins with zeros. An empty string that stands
/// there alone has four of them.
fn is_blank(memory: &Memory) -> Result<bool, StreamError> {
    const LONGEST_STREAM_OF_ZEROS: usize = 4;
    let mut beginning = [0; 4096];
    let count = beginning.len().min(memory.size());
    memory.read_at(0, &mut beginning[..count])?;
    Ok(count > LONGEST_STREAM_OF_ZEROS && beginning[..count].iter().all(|byte| *byte == 0))
}

impl Source for Memory {
    fn size(&self) -> usize {
        self.size()
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        match offset.checked_add(buffer.len()) {
            Some(end) if end <= self.size() => self.copy_out(offset, buffer),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Follows a segment by looking again and again: nothing wakes who waits for a Qt program.
///
/// It looks five times a second at most, and less often at what is long, so that it takes a twentieth
/// of the time of processor and lock at most.
#[derive(Debug)]
pub struct Follower {
    key: QtKey,
    form: Option<Form>,
    patience: Duration,
    /// What stood there last.
    last: Option<Digest>,
    /// Kept, so that its memory is there for the next look.
    capture: Capture,
    cost: Duration,
}

/// What a look has brought.
#[derive(Debug)]
pub enum Step {
    /// There is something else than before.
    New(Reading),
    /// It is what it was.
    Same,
    /// There is no segment.
    Gone,
}

impl Follower {
    /// The shortest time between two looks.
    pub const PAUSE: Duration = Duration::from_millis(200);

    /// How many times longer the time between two looks is than a look.
    const SHARE: u32 = 20;

    /// Begins to follow; looks only when asked.
    #[must_use]
    pub fn new(key: &QtKey, form: Option<Form>, patience: Duration) -> Self {
        Self {
            key: key.clone(),
            form,
            patience,
            last: None,
            capture: Capture::new(DEFAULT_LIMIT),
            cost: Duration::ZERO,
        }
    }

    /// Sets how many bytes of memory a look may take; [`DEFAULT_LIMIT`] where this is not called.
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.capture.limit = limit;
        self
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// How long to wait before the next look.
    #[must_use]
    pub fn pause(&self) -> Duration {
        (Self::SHARE * self.cost).max(Self::PAUSE)
    }

    /// Looks.
    ///
    /// # Errors
    ///
    /// [`ReadingError`] where what is there cannot be read; each time, until that changes.
    pub fn look(&mut self) -> Result<Step, ReadingError> {
        self.cost = Duration::ZERO;
        if let Err(error) = self.capture.take(&self.key, self.form, self.patience) {
            self.last = None;
            return match error {
                ReadingError::Segment(error) if *error.kind() == SegmentErrorKind::NotFound => {
                    Ok(Step::Gone)
                }
                error => Err(error),
            };
        }
        let began = Instant::now();
        let step = self.understand();
        self.cost = self.capture.cost + began.elapsed();
        step
    }

    fn understand(&mut self) -> Result<Step, ReadingError> {
        let digest = self.capture.digest();
        if self.last == Some(digest) {
            return Ok(Step::Same);
        }
        self.last = None;
        let reading = self.capture.read(&self.key, digest)?;
        self.last = Some(digest);
        Ok(Step::New(reading))
    }
}

/// Why the content of a segment could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The segment cannot be attached to; mostly because there is none.
    #[error(transparent)]
    Segment(SegmentError),
    /// The lock was not taken.
    #[error(transparent)]
    Lock(LockError),
    /// The bytes are not of the form that was asked for.
    #[error("cannot read Qt segment \"{key}\": {source}")]
    Stream {
        /// The segment.
        key: QtKey,
        /// What is wrong.
        source: StreamError,
    },
}

impl ReadingError {
    fn stream(key: &QtKey, source: StreamError) -> Self {
        let key = key.clone();
        Self::Stream { key, source }
    }

    /// Returns the key of the segment that the operation was for.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        match self {
            Self::Segment(error) => error.key(),
            Self::Lock(error) => error.key(),
            Self::Stream { key, .. } => key,
        }
    }

    /// Returns `true` if there is no segment.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Segment(error) if *error.kind() == SegmentErrorKind::NotFound)
    }
}

impl From<SegmentError> for ReadingError {
    fn from(error: SegmentError) -> Self {
        match error.into_lock_error() {
            Ok(error) => Self::Lock(error),
            Err(error) => Self::Segment(error),
        }
    }
}
