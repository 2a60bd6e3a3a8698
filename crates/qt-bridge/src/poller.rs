//! Reading the content of a Qt segment, once or whenever it changes.

use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::error::{LockError, LockErrorKind, SegmentError, SegmentErrorKind};
use crate::key::{Kind, QtKey};
use crate::lock::Lock;
use crate::memory::Memory;
use crate::stream::{DEFAULT_LIMIT, Form, ReadAt, StreamError, Value, check_limit};
use crate::sys::signal::BlockedSignals;

/// How many times a read is tried if a Qt program resets the lock meanwhile.
const ATTEMPTS: u32 = 3;

/// Streams shorter than this, in bytes, do not make the buffer shrink.
const SMALL: usize = 1 << 20;

/// The content that was read from a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The form that the caller chose, or that was detected.
    pub form: Form,
    /// The content.
    pub value: Value,
    /// The segment's length, bytes.
    pub size: usize,
    /// A digest of the stream, to compare contents.
    pub digest: Digest,
}

/// A digest of a stream: equal for equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    length: usize,
    sum: u64,
}

/// Reads the content of a segment in the given form, or in the form that is detected.
///
/// Waits up to `timeout` for the lock, copies the stream while it holds it, and decodes the copy
/// after releasing it. Qt programs that create, attach to or detach from the segment at the same
/// time are not disturbed. Removes nothing, not even leftovers of a crash.
///
/// # Errors
///
/// [`ReadingError`] if the segment cannot be attached to, its lock not be acquired, or its content
/// not be decoded.
pub fn read(key: &QtKey, form: Option<Form>, timeout: Duration) -> Result<Reading, ReadingError> {
    read_within(key, form, timeout, DEFAULT_LIMIT)
}

/// Does what [`read`] does, but takes at most `limit` bytes of memory instead of [`DEFAULT_LIMIT`].
///
/// # Errors
///
/// [`ReadingError`] if the segment cannot be attached to, its lock not be acquired, or its content
/// not be decoded.
pub fn read_within(
    key: &QtKey,
    form: Option<Form>,
    timeout: Duration,
    limit: u64,
) -> Result<Reading, ReadingError> {
    let mut capture = Capture::new(limit);
    capture.copy(key, form, timeout)?;
    capture.read(key, capture.digest())
}

/// A private copy of a stream, which no other process can change.
#[derive(Debug)]
struct Capture {
    /// The most bytes to copy, and then the most to decode the copy into.
    limit: u64,
    /// The form it was copied in; `None` if nothing was written to the segment yet.
    form: Option<Form>,
    bytes: Vec<u8>,
    /// The segment's length.
    size: usize,
    /// How long copying took, without the wait for the lock.
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

    /// Copies the stream in a segment.
    fn copy(
        &mut self,
        key: &QtKey,
        form: Option<Form>,
        timeout: Duration,
    ) -> Result<(), ReadingError> {
        let mut attempt = 1;
        loop {
            let copied = match key.is_ours() {
                true => self.copy_locked(key, form, timeout),
                false => self.copy_unlocked(key, form),
            };
            match copied {
                Err(ReadingError::Lock(error))
                    if *error.kind() == LockErrorKind::Lost && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn copy_locked(
        &mut self,
        key: &QtKey,
        form: Option<Form>,
        timeout: Duration,
    ) -> Result<(), ReadingError> {
        // Comes first: if there is no segment, no lock should be created for it.
        Memory::find(key)?;
        let is_system_v = key.kind() == Kind::SystemV;
        // If a signal killed the process here, a POSIX lock would stay held forever.
        let _blocked = (!is_system_v).then(BlockedSignals::new);
        let mut lock = match Lock::find(key).map_err(ReadingError::Lock)? {
            Some(lock) => lock,
            // No process can hold a lock that does not exist. If it were created here, it would be
            // removed while other processes use it.
            None if !is_system_v => {
                let copied = self.copy_once(key, form);
                return match Lock::find(key) {
                    Ok(None) => copied,
                    // Another process created it, and may have written meanwhile.
                    _ => Err(ReadingError::Lock(LockError::new(key, LockErrorKind::Lost))),
                };
            }
            None => Lock::open(key).map_err(ReadingError::Lock)?,
        };
        lock.acquire(timeout).map_err(ReadingError::Lock)?;
        let copied = self.copy_once(key, form);
        // A process that waits for a System V semaphore is woken by the removal, and creates
        // another. With a POSIX one there would be two.
        if lock.is_creator() && is_system_v {
            lock.remove(key.lock() == key.segment());
            return copied;
        }
        match lock.release() {
            // The copy may be torn.
            Err(error) if *error.kind() == LockErrorKind::Lost && copied.is_ok() => {
                Err(ReadingError::Lock(error))
            }
            _ => copied,
        }
    }

    /// Copies a segment of another user. Acquiring its lock would change it, so it is not acquired:
    /// two consecutive copies have to be equal instead.
    fn copy_unlocked(&mut self, key: &QtKey, form: Option<Form>) -> Result<(), ReadingError> {
        self.copy_once(key, form)?;
        let first = self.digest();
        self.copy_once(key, form)?;
        match self.digest() == first {
            true => Ok(()),
            false => Err(ReadingError::Lock(LockError::new(key, LockErrorKind::Lost))),
        }
    }

    /// Copies the stream once. The caller holds the lock, or compares copies.
    fn copy_once(&mut self, key: &QtKey, form: Option<Form>) -> Result<(), ReadingError> {
        let began = Instant::now();
        let memory = Memory::attach(key, true)?;
        let filled = self.copy_stream(&memory, form);
        self.cost = began.elapsed();
        filled.map_err(|source| ReadingError::stream(key, source))
    }

    fn copy_stream(&mut self, memory: &Memory, form: Option<Form>) -> Result<(), StreamError> {
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
        // Memory of a stream that was long once is freed.
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

    /// Decodes the copy.
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

/// Only the stream was copied. The bytes after it do not matter, and read as zeros.
impl ReadAt for Capture {
    fn size(&self) -> usize {
        self.size
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        let copied = self.bytes.get(offset..).unwrap_or_default();
        let count = copied.len().min(buffer.len());
        let (start, rest) = buffer.split_at_mut(count);
        start.copy_from_slice(&copied[..count]);
        rest.fill(0);
        Ok(())
    }
}

/// Refuses a stream whose length exceeds the memory that its segment occupies: copying it would
/// allocate memory for bytes that were never written, here and in the segment.
fn check_written(memory: &Memory, extent: usize) -> Result<(), StreamError> {
    /// Tolerates some pages that the kernel does not count.
    const MAX_UNWRITTEN: u64 = 16 << 20;
    let bytes = extent as u64;
    match memory.present() {
        Some(present) if bytes > present.saturating_add(MAX_UNWRITTEN) => {
            Err(StreamError::Unwritten { bytes, present })
        }
        _ => Ok(()),
    }
}

/// Returns `true` if nothing was written yet: a new segment is all zeros. (An empty string alone in
/// a segment is four zeros.)
fn is_blank(memory: &Memory) -> Result<bool, StreamError> {
    const LONGEST_STREAM_OF_ZEROS: usize = 4;
    let mut start = [0; 4096];
    let count = start.len().min(memory.size());
    memory.read_at(0, &mut start[..count])?;
    Ok(count > LONGEST_STREAM_OF_ZEROS && start[..count].iter().all(|byte| *byte == 0))
}

impl ReadAt for Memory {
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

/// Polls a segment for changes: Qt has no wake-up.
///
/// The caller sleeps for [`interval`](Self::interval) between polls. That is 200 ms, or longer for
/// a long stream, so that polling uses at most a twentieth of a processor's and of the lock's time.
#[derive(Debug)]
pub struct Poller {
    key: QtKey,
    form: Option<Form>,
    timeout: Duration,
    /// The digest of the content that was returned last.
    last: Option<Digest>,
    /// Kept, so that the next poll reuses its memory.
    capture: Capture,
    cost: Duration,
}

/// The outcome of a poll.
#[derive(Debug)]
pub enum PollResult {
    /// The content differs from the previous one.
    New(Reading),
    /// The content is the same as before.
    Unchanged,
    /// There is no segment.
    NotFound,
}

impl Poller {
    /// The shortest interval between two polls.
    pub const MIN_INTERVAL: Duration = Duration::from_millis(200);

    /// How many times longer the interval is than a poll takes.
    const INTERVAL_FACTOR: u32 = 20;

    /// Creates a poller, which does not read anything yet.
    #[must_use]
    pub fn new(key: &QtKey, form: Option<Form>, timeout: Duration) -> Self {
        Self {
            key: key.clone(),
            form,
            timeout,
            last: None,
            capture: Capture::new(DEFAULT_LIMIT),
            cost: Duration::ZERO,
        }
    }

    /// Sets how many bytes of memory a poll may take; the default is [`DEFAULT_LIMIT`].
    #[must_use]
    pub fn with_limit(mut self, limit: u64) -> Self {
        self.capture.limit = limit;
        self
    }

    /// Returns the key of the segment.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Returns how long to wait before the next poll.
    #[must_use]
    pub fn interval(&self) -> Duration {
        (Self::INTERVAL_FACTOR * self.cost).max(Self::MIN_INTERVAL)
    }

    /// Reads the segment, and compares its content with that of the previous poll.
    ///
    /// # Errors
    ///
    /// [`ReadingError`] if the content cannot be read, on every poll until that changes.
    pub fn poll(&mut self) -> Result<PollResult, ReadingError> {
        self.cost = Duration::ZERO;
        if let Err(error) = self.capture.copy(&self.key, self.form, self.timeout) {
            self.last = None;
            return match error {
                ReadingError::Segment(error) if *error.kind() == SegmentErrorKind::NotFound => {
                    Ok(PollResult::NotFound)
                }
                error => Err(error),
            };
        }
        let began = Instant::now();
        let result = self.decode();
        self.cost = self.capture.cost + began.elapsed();
        result
    }

    fn decode(&mut self) -> Result<PollResult, ReadingError> {
        let digest = self.capture.digest();
        if self.last == Some(digest) {
            return Ok(PollResult::Unchanged);
        }
        self.last = None;
        let reading = self.capture.read(&self.key, digest)?;
        self.last = Some(digest);
        Ok(PollResult::New(reading))
    }
}

/// Why the content of a segment could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The segment cannot be attached to, usually because it does not exist.
    #[error(transparent)]
    Segment(SegmentError),
    /// The lock was not acquired.
    #[error(transparent)]
    Lock(LockError),
    /// The bytes are not of the form that the caller chose.
    #[error("cannot read Qt segment \"{key}\": {source}")]
    Stream {
        /// The segment.
        key: QtKey,
        /// Why they are not.
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
