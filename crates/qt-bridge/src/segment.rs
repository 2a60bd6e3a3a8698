//! A segment of a Qt program, created and attached to by Qt's rules.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use crate::error::{LockError, SegmentError, SegmentErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::{NativeName, QtKey};
use crate::key_file;
use crate::lock::{Lock, check_is_ours};
use crate::memory::Memory;
use crate::ownership;
use crate::stream::Source;
use crate::sys::system_v::SegmentId;
use crate::user::User;

/// How long who leaves last waits for the lock before it leaves the segment behind.
const PARTING: Duration = Duration::from_secs(1);

/// Marks a handle that reads and writes.
#[derive(Debug)]
pub struct ReadWrite;

/// Marks a handle that reads.
#[derive(Debug)]
pub struct ReadOnly;

/// What a handle may do with its segment; [`ReadWrite`] or [`ReadOnly`].
#[expect(
    private_bounds,
    reason = "sealed: there are two ways to attach, and no third"
)]
pub trait Attach: Sealed {}

impl Attach for ReadWrite {}
impl Attach for ReadOnly {}

trait Sealed {
    const IS_READ_ONLY: bool;
}

impl Sealed for ReadWrite {
    const IS_READ_ONLY: bool = false;
}

impl Sealed for ReadOnly {
    const IS_READ_ONLY: bool = true;
}

/// A segment that Qt programs know as a `QSharedMemory`, with its lock.
///
/// Its bytes are copied in and out under the lock, through the [`Guard`]: Qt
/// programs may write them at any time. Every wait ends after the caller's patience. A handle is
/// for one thread at a time, so it cannot lock twice.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use qt_bridge::{QtKey, Segment};
///
/// let patience = Duration::from_secs(1);
/// let key: QtKey = "qt:MySharedMemory".parse()?;
/// let mut segment = Segment::attach_read_only(&key, patience)?;
/// let mut first = [0; 4];
/// segment.lock(patience)?.copy_to(0, &mut first)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Segment<A: Attach> {
    /// `None` once it was left.
    memory: Option<Memory>,
    lock: Option<Lock>,
    key: QtKey,
    /// Whether this handle made it.
    is_creator: bool,
    access: PhantomData<A>,
}

/// What became of a segment that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The last one has left: it is gone.
    Removed,
    /// Others use it.
    InUse,
    /// It stays although nobody is seen to use it: POSIX segments of others do, and what is locked.
    Kept,
}

impl Segment<ReadWrite> {
    /// Makes a segment of `size` bytes, all zero, and attaches to it.
    ///
    /// A System V segment that nobody is attached to was left by a crash, and is replaced.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::AlreadyExists`] where somebody uses one (or, for a POSIX segment, where there
    /// is one), [`SegmentErrorKind::Size`] for none or too many bytes, [`SegmentErrorKind::Lock`] where
    /// somebody holds the lock for longer than `patience`.
    pub fn create(key: &QtKey, size: usize, patience: Duration) -> Result<Self, SegmentError> {
        if size == 0 {
            let key = key.clone();
            return Err(SegmentError::new(&key, SegmentErrorKind::Size { size }));
        }
        Self::enter(key, patience, |key| Memory::create(key, size), true)
    }

    /// Attaches to the segment under the key.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::NotFound`] where there is none, [`SegmentErrorKind::Lock`] where somebody holds
    /// the lock for longer than `patience`.
    pub fn attach(key: &QtKey, patience: Duration) -> Result<Self, SegmentError> {
        Self::join(key, patience)
    }

    /// Makes a POSIX segment longer, where it is shorter, and returns true; a System V segment keeps
    /// its size: false. Who has it in memory goes on seeing its beginning.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::OutOfResources`] where there is no room.
    pub fn grow(&mut self, size: usize) -> Result<bool, SegmentError> {
        let key = &self.key;
        match &mut self.memory {
            Some(memory) => memory.grow(key, size),
            None => Ok(false),
        }
    }
}

impl Segment<ReadOnly> {
    /// Attaches to the segment under the key for reading.
    ///
    /// # Errors
    ///
    /// Those of [`attach`](Segment::attach).
    pub fn attach_read_only(key: &QtKey, patience: Duration) -> Result<Self, SegmentError> {
        Self::join(key, patience)
    }
}

impl<A: Attach> Segment<A> {
    fn join(key: &QtKey, patience: Duration) -> Result<Self, SegmentError> {
        // First, so that where there is nothing, no lock is made of it.
        check_is_ours(key)?;
        Memory::find(key)?;
        Self::enter(
            key,
            patience,
            |key| Memory::attach(key, A::IS_READ_ONLY),
            false,
        )
    }

    /// Gets the memory under the lock.
    fn enter(
        key: &QtKey,
        patience: Duration,
        get: impl FnOnce(&QtKey) -> Result<Memory, SegmentError>,
        is_creator: bool,
    ) -> Result<Self, SegmentError> {
        let mut lock = Lock::open(key)?;
        lock.take(patience)?;
        match get(key) {
            Ok(memory) => {
                // Where a Qt program has reset it, the lock is free all the same.
                lock.give_back().ok();
                Ok(Self {
                    memory: Some(memory),
                    lock: Some(lock),
                    key: key.clone(),
                    is_creator,
                    access: PhantomData,
                })
            }
            Err(error) => {
                let is_system_v = matches!(key.lock(), NativeName::SystemV { .. });
                // Who waits for a System V lock is told, and makes another. With a POSIX one there
                // would be two, so it stays, as Qt leaves it.
                if lock.is_creator() && is_system_v {
                    // Under a native key the file may be that of somebody's segment.
                    lock.remove(matches!(
                        error,
                        SegmentError {
                            kind: SegmentErrorKind::AlreadyExists { .. },
                            ..
                        }
                    ));
                } else {
                    lock.give_back().ok();
                }
                Err(error)
            }
        }
    }

    /// The segment's key.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// The segment's length, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::size)
    }

    /// Takes the lock, waiting for it so long; with no patience, only if it is free.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`] says who holds it, where that is known.
    #[inline]
    pub fn lock(&mut self, patience: Duration) -> Result<Guard<'_, A>, LockError> {
        if let Some(lock) = &mut self.lock {
            lock.take(patience)?;
        }
        Ok(Guard {
            segment: self,
            is_held: true,
        })
    }

    /// Who else is seen to use it: processes of this user, in this container.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        let users = self.memory.as_ref().map(|memory| memory.users(&self.key));
        users.unwrap_or_default()
    }

    /// Returns `true` if others use it: as the system counts them, or else as far as they are seen.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_shared(&self.key))
    }

    /// Returns `true` if programs that attach now would find this segment.
    ///
    /// False where somebody has removed it, or its key file: cleaners of `/tmp` do that.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_current(&self.key))
    }

    /// Leaves the segment. The last one removes it, with its lock.
    ///
    /// A POSIX segment stays, as with Qt, unless this handle made it and nobody is seen to use it.
    /// Dropping does the same.
    #[must_use = "tells what became of it; drop the handle where that does not matter"]
    pub fn detach(mut self) -> Departure {
        self.leave()
    }

    /// Leaves the segment, and leaves it there, for whoever comes: until the last of them leaves.
    pub fn keep(mut self) {
        self.memory = None;
    }

    fn leave(&mut self) -> Departure {
        let (Some(memory), Some(mut lock)) = (self.memory.take(), self.lock.take()) else {
            return Departure::Kept;
        };
        let is_current = memory.is_current(&self.key);
        let departure = match memory {
            Memory::SystemV {
                id,
                number,
                attached,
            } => {
                drop(attached);
                leave_system_v(&self.key, id, number, &mut lock)
            }
            Memory::Posix { .. } if !self.is_creator || !is_current => Departure::Kept,
            Memory::Posix { file, .. } => {
                drop(file);
                leave_posix(&self.key, &mut lock)
            }
        };
        match departure {
            // The lock is taken.
            Departure::Removed => lock.remove(false),
            // As Qt does, who made the lock takes it along: others make it anew when they need it. But
            // not while somebody holds it.
            Departure::InUse | Departure::Kept => {
                let is_system_v = matches!(self.key.lock(), NativeName::SystemV { .. });
                if lock.is_creator() && is_system_v && lock.take_as_it_is() {
                    let is_shared = self.key.lock() == self.key.segment();
                    lock.remove(is_shared && Memory::find(&self.key).is_ok());
                }
            }
        }
        departure
    }
}

/// Removes a segment that nobody is attached to; then the lock is taken.
fn leave_system_v(key: &QtKey, id: SegmentId, number: i32, lock: &mut Lock) -> Departure {
    let is_alone = || {
        let user = ownership::this_user();
        id.facts().is_ok_and(|facts| {
            let found = facts.identity;
            facts.attached == 0
                && (found.number, found.owner, found.creator) == (number, user, user)
        })
    };
    if !is_alone() {
        return Departure::InUse;
    }
    // Whoever is just attaching has the lock.
    if lock.take(PARTING).is_err() {
        return Departure::Kept;
    }
    if !is_alone() || id.remove().is_err() {
        lock.give_back().ok();
        return Departure::InUse;
    }
    // Under a native key the lock needs it yet, and takes it along.
    if key.lock() != key.segment() {
        remove_key_file(key, number);
    }
    Departure::Removed
}

/// Removes a segment that nobody is seen to use; then the lock is taken.
fn leave_posix(key: &QtKey, lock: &mut Lock) -> Departure {
    if lock.take(PARTING).is_err() {
        return Departure::Kept;
    }
    if !Memory::users_of(key).is_empty() {
        lock.give_back().ok();
        return Departure::InUse;
    }
    match Memory::remove(key) {
        Ok(_) => Departure::Removed,
        Err(_) => {
            lock.give_back().ok();
            Departure::Kept
        }
    }
}

impl<A: Attach> Drop for Segment<A> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<A: Attach> fmt::Debug for Segment<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("key", &self.key)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// The segment's bytes, for as long as the lock is held; dropping it lets go.
#[derive(Debug)]
#[must_use = "dropping it lets go of the lock at once"]
pub struct Guard<'a, A: Attach> {
    segment: &'a mut Segment<A>,
    is_held: bool,
}

impl<A: Attach> Guard<'_, A> {
    /// Copies bytes out.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` where they are not all within the segment.
    pub fn copy_to(&self, offset: usize, destination: &mut [u8]) -> io::Result<()> {
        self.check(offset, destination.len())?;
        match &self.segment.memory {
            Some(memory) => memory.copy_out(offset, destination),
            None => Ok(()),
        }
    }

    /// Lets go of the lock.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Lost`] where a Qt program has reset the lock while it was held, so that what was
    /// read or written may be mixed with what others wrote. Dropping does not tell.
    pub fn unlock(mut self) -> Result<(), LockError> {
        self.release()
    }

    fn release(&mut self) -> Result<(), LockError> {
        if !std::mem::take(&mut self.is_held) {
            return Ok(());
        }
        match &mut self.segment.lock {
            Some(lock) => lock.give_back(),
            None => Ok(()),
        }
    }

    fn check(&self, offset: usize, length: usize) -> io::Result<()> {
        match offset.checked_add(length) {
            Some(end) if end <= self.segment.size() => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Guard<'_, ReadWrite> {
    /// Copies bytes in.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` where they do not fit into the segment.
    pub fn copy_from(&mut self, offset: usize, source: &[u8]) -> io::Result<()> {
        self.check(offset, source.len())?;
        match &self.segment.memory {
            Some(memory) => memory.copy_in(offset, source),
            None => Ok(()),
        }
    }

    /// Makes zeros of what stands from `start` to `end`, or to the end of the segment.
    pub(crate) fn blank(&mut self, start: usize, end: usize) -> io::Result<()> {
        let end = end.min(self.segment.size());
        match &self.segment.memory {
            Some(memory) if start < end => memory.blank(start, end),
            _ => Ok(()),
        }
    }

    /// Writes one thing after another, from the beginning.
    pub fn writer(&mut self) -> impl io::Write {
        Writer { guard: self, at: 0 }
    }
}

impl<A: Attach> Drop for Guard<'_, A> {
    #[inline]
    fn drop(&mut self) {
        self.release().ok();
    }
}

impl<A: Attach> Source for Guard<'_, A> {
    fn size(&self) -> usize {
        self.segment.size()
    }

    fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        self.copy_to(offset, buffer)
    }
}

struct Writer<'g, 'a> {
    guard: &'g mut Guard<'a, ReadWrite>,
    at: usize,
}

impl io::Write for Writer<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.guard.copy_from(self.at, bytes)?;
        self.at += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells how long the segment under a key is, without attaching to it.
///
/// # Errors
///
/// [`SegmentErrorKind::NotFound`] where there is none.
pub fn size(key: &QtKey) -> Result<usize, SegmentError> {
    Memory::find(key).map(|facts| facts.size)
}

/// Who is seen to use the segment under a key: processes of this user, in this container.
#[must_use]
pub fn users(key: &QtKey) -> Vec<User> {
    Memory::users_of(key)
}

/// Removes a segment and its lock by name, whatever state they are in.
///
/// Without `force` only what nobody is seen to use, nor counted by the system to be attached to. With
/// it, who uses it keeps the memory, and a lock that a killed program held is let go.
///
/// # Errors
///
/// [`SegmentErrorKind::NotFound`] where there is neither segment nor lock, [`SegmentErrorKind::InUse`].
pub fn remove(key: &QtKey, force: bool) -> Result<(), SegmentError> {
    check_is_ours(key)?;
    let is_there = check_unused(key, force)?;
    let of = |fault: Fault| SegmentError::of(key, fault);
    let mut lock = Handle::find(key.lock()).map_err(of)?;
    if !is_there && lock.is_none() {
        return Err(SegmentError::new(key, SegmentErrorKind::NotFound));
    }
    let patience = if force { Duration::ZERO } else { PARTING };
    if let Some(lock) = &mut lock {
        match lock.take(patience) {
            Err(fault) if !force => return Err(of(fault)),
            _ => {}
        }
    }
    // Somebody may have come before the lock was taken.
    let number = match check_unused(key, force) {
        Ok(false) => None,
        Ok(true) => Memory::remove(key)?,
        Err(error) => {
            if let Some(lock) = &mut lock {
                lock.give_back().ok();
            }
            return Err(error);
        }
    };
    if let Some(lock) = lock {
        lock.remove(false);
        lock.free();
    }
    if let Some(number) = number {
        remove_key_file(key, number);
    }
    Ok(())
}

/// Returns `true` if there is a segment; with `force` whoever uses it.
fn check_unused(key: &QtKey, force: bool) -> Result<bool, SegmentError> {
    let facts = match Memory::find(key) {
        Ok(facts) => facts,
        Err(error) if *error.kind() == SegmentErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let users = Memory::users_of(key);
    let is_counted = facts.attached.is_some_and(|attached| attached > 0);
    if !force && (is_counted || !users.is_empty()) {
        let key = key.clone();
        return Err(SegmentError::new(&key, SegmentErrorKind::InUse { users }));
    }
    Ok(true)
}

fn remove_key_file(key: &QtKey, number: i32) {
    if let NativeName::SystemV { file, project } = key.segment() {
        key_file::remove(file, *project, number);
    }
}
