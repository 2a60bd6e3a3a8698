//! Publishing streams for Qt programs.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::error::{LockError, LockErrorKind, SegmentError, SegmentErrorKind};
use crate::key::{Kind, QtKey};
use crate::segment::{Departure, ReadWrite, Segment};
use crate::stream::Stream;
use crate::sys::signal::BlockedSignals;
use crate::user::{User, listed};

/// How many times a stream is written if a Qt program resets the lock meanwhile.
const ATTEMPTS: u32 = 3;

/// Publishes streams under one key, each replacing the one before.
///
/// A stream that fits into the segment overwrites the one before, so that Qt programs that stay
/// attached see it. For a longer stream a System V segment is removed and created again, as Qt
/// programs do, and a POSIX segment is extended.
#[derive(Debug)]
pub struct Publisher {
    key: QtKey,
    timeout: Duration,
    segment: Option<Segment<ReadWrite>>,
    /// The length of the part that may be non-zero, in bytes.
    filled: usize,
}

impl Publisher {
    /// Prepares to publish. Each wait ends after `timeout`.
    #[must_use]
    pub fn new(key: &QtKey, timeout: Duration) -> Self {
        Self {
            key: key.clone(),
            timeout,
            segment: None,
            filled: 0,
        }
    }

    /// Returns the key of the segment.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Returns `true` if something is published, and a Qt program that attaches now finds it.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.segment.as_ref().is_some_and(Segment::is_current)
    }

    /// Publishes a stream.
    ///
    /// # Errors
    ///
    /// [`PublishError`]. The stream that was published before stays.
    pub fn publish(&mut self, stream: &Stream<'_>) -> Result<(), PublishError> {
        // A reader of raw bytes reads the whole segment.
        self.filled = usize::MAX;
        self.publish_with_room(stream, stream.size())
    }

    /// Publishes a stream. A segment that has to be created or extended for it gets `room` bytes.
    ///
    /// So streams of different lengths fit into one segment, and Qt programs that stay attached see
    /// each of them. The streams have to contain their length, as all but raw ones do: only bytes
    /// of the previous stream are zeroed after the new one.
    ///
    /// # Errors
    ///
    /// [`PublishError`]. The stream that was published before stays.
    pub fn publish_with_room(
        &mut self,
        stream: &Stream<'_>,
        room: usize,
    ) -> Result<(), PublishError> {
        let room = room.max(stream.size());
        let mut attempt = 1;
        loop {
            match self.publish_once(stream, room) {
                Err(PublishError::Lock(error))
                    if *error.kind() == LockErrorKind::Lost && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn publish_once(&mut self, stream: &Stream<'_>, room: usize) -> Result<(), PublishError> {
        let timeout = self.timeout;
        let segment = match self.segment.take_if(|segment| !segment.is_current()) {
            // It or its key file was removed: a process that attaches now would not find it.
            Some(lost) => {
                drop(lost);
                None
            }
            None => self.segment.take(),
        };
        let mut segment = match segment {
            Some(segment) if segment.size() >= stream.size() => segment,
            Some(segment) => self.enlarge(segment, stream, room)?,
            None => self.create_or_attach(stream, room)?,
        };
        let filled = self.filled.min(segment.size());
        let written = write(&mut segment, stream, filled, timeout);
        self.segment = Some(segment);
        if written.is_ok() {
            self.filled = stream.size();
        }
        written
    }

    /// Creates a segment, or attaches to the existing one.
    fn create_or_attach(
        &mut self,
        stream: &Stream<'_>,
        room: usize,
    ) -> Result<Segment<ReadWrite>, PublishError> {
        match Segment::create(&self.key, room, self.timeout) {
            Err(SegmentError {
                kind: SegmentErrorKind::AlreadyExists { .. },
                ..
            }) => {
                let mut segment = Segment::attach(&self.key, self.timeout)?;
                self.filled = usize::MAX;
                if segment.size() >= stream.size() || segment.grow(room)? {
                    Ok(segment)
                } else {
                    Err(too_small(&segment, stream))
                }
            }
            created => Ok(created?),
        }
    }

    /// Makes room for a longer stream. On failure the previous content stays.
    fn enlarge(
        &mut self,
        mut segment: Segment<ReadWrite>,
        stream: &Stream<'_>,
        room: usize,
    ) -> Result<Segment<ReadWrite>, PublishError> {
        match segment.grow(room) {
            Ok(true) => return Ok(segment),
            Ok(false) => {}
            Err(error) => {
                self.segment = Some(segment);
                return Err(error.into());
            }
        }
        if segment.is_shared() {
            let error = too_small(&segment, stream);
            self.segment = Some(segment);
            return Err(error);
        }
        let before = match self.copy_out(&mut segment) {
            Ok(before) => before,
            Err(error) => {
                self.segment = Some(segment);
                return Err(error);
            }
        };
        drop(segment);
        self.create_or_attach(stream, room).inspect_err(|_| {
            // A key has one segment at a time, so the previous one was removed first: it is put
            // back.
            let again = Segment::create(&self.key, before.len(), self.timeout);
            self.segment = again.ok().and_then(|mut segment| {
                segment
                    .lock(self.timeout)
                    .ok()?
                    .copy_from(0, &before)
                    .ok()?;
                Some(segment)
            });
        })
    }

    /// Detaches, and leaves the content for other programs: it stays until the last program that
    /// attaches later detaches.
    pub fn keep(&mut self) {
        if let Some(segment) = self.segment.take() {
            segment.keep();
        }
    }

    fn copy_out(&self, segment: &mut Segment<ReadWrite>) -> Result<Vec<u8>, PublishError> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(segment.size())
            .map_err(|_| PublishError::write(&self.key, io::ErrorKind::OutOfMemory.into()))?;
        copy.resize(segment.size(), 0);
        let guard = segment.lock(self.timeout).map_err(PublishError::Lock)?;
        guard
            .copy_to(0, &mut copy)
            .map_err(|source| PublishError::write(&self.key, source))?;
        Ok(copy)
    }

    /// Detaches from the segment. Returns `None` if nothing is published.
    pub fn release(&mut self) -> Option<Departure> {
        self.segment.take().map(Segment::detach)
    }
}

fn too_small(segment: &Segment<ReadWrite>, stream: &Stream<'_>) -> PublishError {
    PublishError::TooSmall {
        key: segment.key().clone(),
        size: segment.size(),
        needed: stream.size(),
        users: segment.users(),
    }
}

fn write(
    segment: &mut Segment<ReadWrite>,
    stream: &Stream<'_>,
    filled: usize,
    timeout: Duration,
) -> Result<(), PublishError> {
    let key = segment.key().clone();
    // If a signal killed the process here, a POSIX lock would stay held forever.
    let _blocked = (key.kind() == Kind::PosixRealtime).then(BlockedSignals::new);
    let mut guard = segment.lock(timeout).map_err(PublishError::Lock)?;
    let written = (|| {
        stream.write_to(&mut guard.writer())?;
        guard.blank(stream.size(), filled)
    })();
    written.map_err(|source| PublishError::write(&key, source))?;
    guard.unlock().map_err(PublishError::Lock)
}

/// Why a stream was not published.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The segment could not be created or attached to.
    #[error(transparent)]
    Segment(SegmentError),
    /// The lock was not acquired, or was reset on each attempt.
    #[error(transparent)]
    Lock(LockError),
    /// The segment is too short, and cannot be replaced while other processes use it.
    #[error(
        "cannot publish to Qt segment \"{key}\": {size} bytes, {needed} are needed, in use by {}",
        listed(users)
    )]
    TooSmall {
        /// The segment.
        key: QtKey,
        /// Its length in bytes.
        size: usize,
        /// The length that the stream needs, in bytes.
        needed: usize,
        /// The processes that are seen to use it.
        users: Vec<User>,
    },
    /// The segment could not be written.
    #[error("cannot write Qt segment \"{key}\"")]
    Write {
        /// The segment.
        key: QtKey,
        /// The underlying OS error.
        source: io::Error,
    },
}

impl PublishError {
    fn write(key: &QtKey, source: io::Error) -> Self {
        let key = key.clone();
        Self::Write { key, source }
    }

    /// Returns the key of the segment that the operation was for.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        match self {
            Self::Segment(error) => error.key(),
            Self::Lock(error) => error.key(),
            Self::TooSmall { key, .. } | Self::Write { key, .. } => key,
        }
    }
}

impl From<SegmentError> for PublishError {
    fn from(error: SegmentError) -> Self {
        Self::Segment(error)
    }
}
