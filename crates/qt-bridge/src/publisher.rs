//! What is loaded for Qt programs, and the segment that keeps it alive.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::error::{LockError, LockErrorKind, SegmentError, SegmentErrorKind};
use crate::key::{Kind, QtKey};
use crate::segment::{Departure, ReadWrite, Segment};
use crate::stream::Stream;
use crate::sys::signal::Shield;
use crate::user::{User, listed};

/// How often a stream is written anew because a Qt program reset the lock meanwhile.
const ATTEMPTS: u32 = 3;

/// Puts streams under one key, each in the place of the one before.
///
/// A stream that fits into the segment is written over the one before, so that Qt programs that stay
/// attached see it. For a longer one the segment is made anew, as Qt programs do it, or made longer
/// where it is a POSIX one.
#[derive(Debug)]
pub struct Publisher {
    key: QtKey,
    patience: Duration,
    segment: Option<Segment<ReadWrite>>,
    /// How far the segment may hold something.
    filled: usize,
}

impl Publisher {
    /// Prepares to publish. Each wait ends after `patience`.
    #[must_use]
    pub fn new(key: &QtKey, patience: Duration) -> Self {
        Self {
            key: key.clone(),
            patience,
            segment: None,
            filled: 0,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Returns `true` if something is published, and Qt programs that attach now would find it.
    #[must_use]
    pub fn is_found(&self) -> bool {
        self.segment.as_ref().is_some_and(Segment::is_current)
    }

    /// Publishes a stream.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; what was published before stays.
    pub fn publish(&mut self, stream: &Stream<'_>) -> Result<(), PublishError> {
        // Whoever reads raw bytes reads all of them.
        self.filled = usize::MAX;
        self.publish_with_room(stream, stream.size())
    }

    /// Publishes a stream, and makes a segment of `room` bytes for it where it needs a new one.
    ///
    /// Streams of different lengths then follow each other in one segment, and Qt programs that stay
    /// attached see each of them. They have to tell their own length, as all but raw ones do: behind
    /// them only what was published before is blanked.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; what was published before stays.
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
        let patience = self.patience;
        let segment = match self.segment.take_if(|segment| !segment.is_current()) {
            // Somebody removed it, or its key file: those who come now would not find it.
            Some(lost) => {
                drop(lost);
                None
            }
            None => self.segment.take(),
        };
        let mut segment = match segment {
            Some(segment) if segment.size() >= stream.size() => segment,
            Some(segment) => self.enlarge(segment, stream, room)?,
            None => self.enter(stream, room)?,
        };
        let filled = self.filled.min(segment.size());
        let written = write(&mut segment, stream, filled, patience);
        self.segment = Some(segment);
        if written.is_ok() {
            self.filled = stream.size();
        }
        written
    }

    /// Makes a segment, or joins the one that is there.
    fn enter(
        &mut self,
        stream: &Stream<'_>,
        room: usize,
    ) -> Result<Segment<ReadWrite>, PublishError> {
        match Segment::create(&self.key, room, self.patience) {
            Err(SegmentError {
                kind: SegmentErrorKind::AlreadyExists { .. },
                ..
            }) => {
                let mut segment = Segment::attach(&self.key, self.patience)?;
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

    /// Makes room for a longer stream; what stands there stays where that does not work.
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
        let before = match self.copy_of(&mut segment) {
            Ok(before) => before,
            Err(error) => {
                self.segment = Some(segment);
                return Err(error);
            }
        };
        drop(segment);
        self.enter(stream, room).inspect_err(|_| {
            // Under the same key there is room for one at a time, so it is put back.
            let again = Segment::create(&self.key, before.len(), self.patience);
            self.segment = again.ok().and_then(|mut segment| {
                segment
                    .lock(self.patience)
                    .ok()?
                    .copy_from(0, &before)
                    .ok()?;
                Some(segment)
            });
        })
    }

    /// Leaves what is published there, for whoever comes: until the last of them leaves.
    pub fn keep(&mut self) {
        if let Some(segment) = self.segment.take() {
            segment.keep();
        }
    }

    fn copy_of(&self, segment: &mut Segment<ReadWrite>) -> Result<Vec<u8>, PublishError> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(segment.size())
            .map_err(|_| PublishError::write(&self.key, io::ErrorKind::OutOfMemory.into()))?;
        copy.resize(segment.size(), 0);
        let guard = segment.lock(self.patience).map_err(PublishError::Lock)?;
        guard
            .copy_to(0, &mut copy)
            .map_err(|source| PublishError::write(&self.key, source))?;
        Ok(copy)
    }

    /// Lets go of what is published. `None` where nothing is.
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
    patience: Duration,
) -> Result<(), PublishError> {
    let key = segment.key().clone();
    // Killed by a signal, this would leave a POSIX lock taken for ever.
    let _shield = (key.kind() == Kind::PosixRealtime).then(Shield::raise);
    let mut guard = segment.lock(patience).map_err(PublishError::Lock)?;
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
    /// The lock was not taken, or was reset again and again.
    #[error(transparent)]
    Lock(LockError),
    /// The segment is too short, and cannot be replaced while others use it.
    #[error(
        "cannot publish to Qt segment \"{key}\": {size} bytes, {needed} are needed, in use by {}",
        listed(users)
    )]
    TooSmall {
        /// The segment.
        key: QtKey,
        /// Its length.
        size: usize,
        /// How long it should be.
        needed: usize,
        /// The processes that are seen to use it.
        users: Vec<User>,
    },
    /// It could not be written.
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
