//! What stands in a Qt segment now, and what comes next.

use std::error::Error;
use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::time::{Duration, Instant};

use crate::error::{LockError, SegmentError};
use crate::key::QtKey;
use crate::lock::Lock;
use crate::memory::Memory;
use crate::stream::{Form, Source, StreamError, Value};

/// What was read from a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The form that was asked for, or recognised.
    pub form: Form,
    /// The content.
    pub value: Value,
    /// The segment's length, bytes.
    pub size: usize,
}

/// Reads what stands in a segment: as a form, or as what it is recognised to be.
///
/// All of it is done under the lock, which is waited for at most so long, so that Qt programs that
/// make or leave the segment at the same time do not notice. Nothing is removed, not even what a
/// crash left behind.
///
/// # Errors
///
/// [`ReadingError`], which says what is wrong and what to do.
pub fn read(key: &QtKey, form: Option<Form>, patience: Duration) -> Result<Reading, ReadingError> {
    visit(key, patience, |memory| {
        let form = form.map_or_else(|| Form::recognise(memory), Ok)?;
        Ok(Reading {
            form,
            value: form.read(memory)?,
            size: memory.size(),
        })
    })
}

/// Looks at a segment under its lock, attached for no longer than that.
fn visit<T>(
    key: &QtKey,
    patience: Duration,
    look: impl FnOnce(&Memory) -> Result<T, StreamError>,
) -> Result<T, ReadingError> {
    // First, so that where there is nothing, no lock is made of it.
    Memory::find(key)?;
    let mut lock = Lock::open(key).map_err(ReadingError::Lock)?;
    lock.take(patience).map_err(ReadingError::Lock)?;
    let seen = Memory::attach(key, true)
        .map_err(ReadingError::Segment)
        .and_then(|memory| look(&memory).map_err(|source| ReadingError::stream(key, source)));
    if lock.is_creator() {
        lock.remove(key.lock() == key.segment());
        return seen;
    }
    match lock.give_back() {
        // What was read may be mixed.
        Err(error @ LockError::Lost { .. }) => Err(ReadingError::Lock(error)),
        _ => seen,
    }
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
    last: Option<(usize, u64)>,
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

    /// The longest.
    const LONGEST_PAUSE: Duration = Duration::from_secs(2);

    /// Begins to follow; looks only when asked.
    #[must_use]
    pub fn new(key: &QtKey, form: Option<Form>, patience: Duration) -> Self {
        Self {
            key: key.clone(),
            form,
            patience,
            last: None,
            cost: Duration::ZERO,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// How long to wait before the next look.
    #[must_use]
    pub fn pause(&self) -> Duration {
        (20 * self.cost).clamp(Self::PAUSE, Self::LONGEST_PAUSE)
    }

    /// Looks.
    ///
    /// # Errors
    ///
    /// [`ReadingError`] where what is there cannot be read; each time, until that changes.
    pub fn look(&mut self) -> Result<Step, ReadingError> {
        let began = Instant::now();
        let last = self.last;
        let form = self.form;
        let seen = visit(&self.key, self.patience, |memory| {
            let now = (memory.size(), sum(memory)?);
            if last == Some(now) {
                return Ok(None);
            }
            let form = form.map_or_else(|| Form::recognise(memory), Ok)?;
            let value = form.read(memory)?;
            let size = memory.size();
            Ok(Some((now, Reading { form, value, size })))
        });
        self.cost = began.elapsed();
        match seen {
            Ok(Some((now, reading))) => {
                self.last = Some(now);
                Ok(Step::New(reading))
            }
            Ok(None) => Ok(Step::Same),
            Err(ReadingError::Segment(SegmentError::NotFound { .. })) => {
                self.last = None;
                Ok(Step::Gone)
            }
            Err(error) => {
                self.last = None;
                Err(error)
            }
        }
    }
}

/// Sums up all bytes.
fn sum(source: &impl Source) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut chunk = [0; 16 * 1024];
    for start in (0..source.size()).step_by(chunk.len()) {
        let count = chunk.len().min(source.size() - start);
        source.read_at(start, &mut chunk[..count])?;
        hasher.write(&chunk[..count]);
    }
    Ok(hasher.finish())
}

/// Why there is nothing to show.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadingError {
    /// The segment cannot be attached to; mostly because there is none.
    Segment(SegmentError),
    /// The lock was not to be had.
    Lock(LockError),
    /// What stands there is not what was asked for.
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

    /// Tells whether there simply is no segment.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Segment(SegmentError::NotFound { .. }))
    }
}

impl From<SegmentError> for ReadingError {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Lock(error) => Self::Lock(error),
            error => Self::Segment(error),
        }
    }
}

impl fmt::Display for ReadingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segment(error) => error.fmt(f),
            Self::Lock(error) => error.fmt(f),
            Self::Stream { key, source } => write!(f, "Qt segment \"{key}\": {source}"),
        }
    }
}

impl Error for ReadingError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Segment(error) => Some(error),
            Self::Lock(error) => Some(error),
            Self::Stream { source, .. } => Some(source),
        }
    }
}
