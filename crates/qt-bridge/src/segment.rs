//! Segments of Qt programs, created, attached to and removed by Qt's rules.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

#[cfg(doc)]
use crate::error::LockErrorKind;
use crate::error::{LockError, SegmentError, SegmentErrorKind};
use crate::fault::Fault;
use crate::handle::Handle;
use crate::key::{NativeName, QtKey};
use crate::key_file;
use crate::lock::{Lock, check_is_ours};
use crate::memory::Memory;
use crate::ownership;
use crate::stream::ReadAt;
use crate::sys::system_v::SegmentId;
use crate::user::User;

/// How long the last process to detach waits for the lock, before it leaves the segment behind.
const DETACH_TIMEOUT: Duration = Duration::from_secs(1);

/// Marks a handle with read and write access.
#[derive(Debug)]
pub struct ReadWrite;

/// Marks a handle with read access.
#[derive(Debug)]
pub struct ReadOnly;

/// The access of a handle to its segment: [`ReadWrite`] or [`ReadOnly`].
#[expect(private_bounds, reason = "sealed: there are two kinds of access")]
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

/// A segment that Qt programs use as a `QSharedMemory`, with its lock.
///
/// Its bytes are copied in and out under the lock, through the [`Guard`], and never borrowed: Qt
/// programs may write them at any time. Every wait ends after the caller's timeout. Locking takes
/// `&mut self`, so a handle cannot lock twice.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use qt_bridge::{QtKey, Segment};
///
/// let timeout = Duration::from_secs(1);
/// let key: QtKey = "qt:MySharedMemory".parse()?;
/// let mut segment = Segment::attach_read_only(&key, timeout)?;
/// let mut first = [0; 4];
/// segment.lock(timeout)?.copy_to(0, &mut first)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Segment<A: Attach> {
    /// `None` after detaching.
    memory: Option<Memory>,
    lock: Option<Lock>,
    key: QtKey,
    /// Whether this handle created it.
    is_creator: bool,
    access: PhantomData<A>,
}

/// What happened to a segment on detaching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// This was the last process: the segment was removed.
    Removed,
    /// Other processes use it.
    InUse,
    /// It stays although no other process is seen to use it: a POSIX segment that another handle
    /// created, or a segment whose lock is held.
    Kept,
}

impl Segment<ReadWrite> {
    /// Creates a segment of `size` bytes, all zero, and attaches to it.
    ///
    /// A System V segment to which no process is attached is a leftover of a crash, and is
    /// replaced.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::AlreadyExists`] if a process uses the segment (or, for POSIX, if there
    /// is one), [`SegmentErrorKind::Size`] if `size` is 0 or too large, [`SegmentErrorKind::Lock`]
    /// if another process holds the lock for longer than `timeout`.
    pub fn create(key: &QtKey, size: usize, timeout: Duration) -> Result<Self, SegmentError> {
        if size == 0 {
            let key = key.clone();
            return Err(SegmentError::new(&key, SegmentErrorKind::Size { size }));
        }
        Self::open_locked(key, timeout, |key| Memory::create(key, size), true)
    }

    /// Attaches to the segment under the key.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::NotFound`] if there is none, [`SegmentErrorKind::Lock`] if another
    /// process holds the lock for longer than `timeout`.
    pub fn attach(key: &QtKey, timeout: Duration) -> Result<Self, SegmentError> {
        Self::attach_existing(key, timeout)
    }

    /// Extends a POSIX segment to `size` bytes if it is shorter, and returns `true`. Returns
    /// `false` for a System V segment, which keeps its size. Processes that have mapped the segment
    /// still see its old part.
    ///
    /// # Errors
    ///
    /// [`SegmentErrorKind::OutOfResources`] if there is no memory.
    pub fn grow(&mut self, size: usize) -> Result<bool, SegmentError> {
        let key = &self.key;
        match &mut self.memory {
            Some(memory) => memory.grow(key, size),
            None => Ok(false),
        }
    }
}

impl Segment<ReadOnly> {
    /// Attaches to the segment under the key with read access.
    ///
    /// # Errors
    ///
    /// Those of [`attach`](Segment::attach).
    pub fn attach_read_only(key: &QtKey, timeout: Duration) -> Result<Self, SegmentError> {
        Self::attach_existing(key, timeout)
    }
}

impl<A: Attach> Segment<A> {
    fn attach_existing(key: &QtKey, timeout: Duration) -> Result<Self, SegmentError> {
        // Comes first: if there is no segment, no lock should be created for it.
        check_is_ours(key)?;
        Memory::find(key)?;
        Self::open_locked(
            key,
            timeout,
            |key| Memory::attach(key, A::IS_READ_ONLY),
            false,
        )
    }

    /// Creates or attaches to the memory while holding the lock.
    fn open_locked(
        key: &QtKey,
        timeout: Duration,
        get: impl FnOnce(&QtKey) -> Result<Memory, SegmentError>,
        is_creator: bool,
    ) -> Result<Self, SegmentError> {
        let mut lock = Lock::open(key)?;
        lock.acquire(timeout)?;
        match get(key) {
            Ok(memory) => {
                // If a Qt program has reset the lock, it is free anyway.
                lock.release().ok();
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
                // A process that waits for a System V lock is woken by its removal, and creates
                // another. With a POSIX lock there would be two, so it stays, as with Qt.
                if lock.is_creator() && is_system_v {
                    // Under a native key the file may be the key file of a segment in use.
                    lock.remove(matches!(
                        error,
                        SegmentError {
                            kind: SegmentErrorKind::AlreadyExists { .. },
                            ..
                        }
                    ));
                } else {
                    lock.release().ok();
                }
                Err(error)
            }
        }
    }

    /// Returns the key of the segment.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        &self.key
    }

    /// Returns the length of the segment in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::size)
    }

    /// Acquires the lock, waiting up to `timeout`. With a zero timeout it only tries.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`] with the process that holds the lock, if that is known;
    /// [`LockErrorKind::Lost`] if other processes keep the lock from being exclusive.
    #[inline]
    pub fn lock(&mut self, timeout: Duration) -> Result<Guard<'_, A>, LockError> {
        if let Some(lock) = &mut self.lock {
            lock.acquire(timeout)?;
        }
        Ok(Guard {
            segment: self,
            is_held: true,
        })
    }

    /// Returns the other processes that are seen to use it: processes of this user in this
    /// container.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        let users = self.memory.as_ref().map(|memory| memory.users(&self.key));
        users.unwrap_or_default()
    }

    /// Returns `true` if other processes use it: by the kernel's count for System V, as far as they
    /// are seen for POSIX.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_shared(&self.key))
    }

    /// Returns `true` if a program that attaches now finds this segment.
    ///
    /// Returns `false` if the segment or its key file was removed, for example by a cleaner of
    /// `/tmp`.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let memory = self.memory.as_ref();
        memory.is_some_and(|memory| memory.is_current(&self.key))
    }

    /// Detaches from the segment. The last process to detach removes it and its lock.
    ///
    /// A POSIX segment stays, as with Qt, unless this handle created it and no other process is
    /// seen to use it. Dropping the handle does the same.
    #[must_use = "returns what happened to the segment; drop the handle if that does not matter"]
    pub fn detach(mut self) -> Departure {
        self.detach_once()
    }

    /// Detaches, and leaves the segment for other programs: it stays until the last program that
    /// attaches later detaches.
    pub fn keep(mut self) {
        self.memory = None;
    }

    fn detach_once(&mut self) -> Departure {
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
                detach_system_v(&self.key, id, number, &mut lock)
            }
            Memory::Posix { .. } if !self.is_creator || !is_current => Departure::Kept,
            Memory::Posix { file, .. } => {
                drop(file);
                detach_posix(&self.key, &mut lock)
            }
        };
        match departure {
            // `detach_system_v` and `detach_posix` have acquired the lock.
            Departure::Removed => lock.remove(false),
            // As with Qt, the creator of the lock removes it, and other processes create it again
            // when they need it. Not while another process holds it.
            Departure::InUse | Departure::Kept => {
                let is_system_v = matches!(self.key.lock(), NativeName::SystemV { .. });
                if lock.is_creator() && is_system_v && lock.try_acquire_existing() {
                    let is_shared = self.key.lock() == self.key.segment();
                    lock.remove(is_shared && Memory::find(&self.key).is_ok());
                }
            }
        }
        departure
    }
}

/// Removes a segment to which no process is attached. The lock is acquired if it returns
/// [`Departure::Removed`].
fn detach_system_v(key: &QtKey, id: SegmentId, number: i32, lock: &mut Lock) -> Departure {
    let is_alone = || {
        let user = ownership::this_user();
        id.stat().is_ok_and(|stat| {
            let found = stat.identity;
            stat.attached == 0 && (found.number, found.owner, found.creator) == (number, user, user)
        })
    };
    if !is_alone() {
        return Departure::InUse;
    }
    // A process that is attaching holds the lock.
    if lock.acquire(DETACH_TIMEOUT).is_err() {
        return Departure::Kept;
    }
    if !is_alone() || id.remove().is_err() {
        lock.release().ok();
        return Departure::InUse;
    }
    // Under a native key the lock uses the same file, and removes it later.
    if key.lock() != key.segment() {
        remove_key_file(key, number);
    }
    Departure::Removed
}

/// Removes a segment that no other process is seen to use. The lock is acquired if it returns
/// [`Departure::Removed`].
fn detach_posix(key: &QtKey, lock: &mut Lock) -> Departure {
    if lock.acquire(DETACH_TIMEOUT).is_err() {
        return Departure::Kept;
    }
    if !Memory::users_of(key).is_empty() {
        lock.release().ok();
        return Departure::InUse;
    }
    match Memory::remove(key) {
        Ok(_) => Departure::Removed,
        Err(_) => {
            lock.release().ok();
            Departure::Kept
        }
    }
}

impl<A: Attach> Drop for Segment<A> {
    fn drop(&mut self) {
        self.detach_once();
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

/// Access to the bytes of a segment while its lock is held. Dropping the guard releases the lock.
#[derive(Debug)]
#[must_use = "dropping the guard releases the lock at once"]
pub struct Guard<'a, A: Attach> {
    segment: &'a mut Segment<A>,
    is_held: bool,
}

impl<A: Attach> Guard<'_, A> {
    /// Copies bytes out.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the range exceeds the segment.
    pub fn copy_to(&self, offset: usize, destination: &mut [u8]) -> io::Result<()> {
        self.check(offset, destination.len())?;
        match &self.segment.memory {
            Some(memory) => memory.copy_out(offset, destination),
            None => Ok(()),
        }
    }

    /// Releases the lock.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Lost`] if a Qt program reset the lock while it was held, so that another
    /// process may have written at the same time. Dropping the guard does not report that.
    pub fn unlock(mut self) -> Result<(), LockError> {
        self.release()
    }

    fn release(&mut self) -> Result<(), LockError> {
        if !std::mem::take(&mut self.is_held) {
            return Ok(());
        }
        match &mut self.segment.lock {
            Some(lock) => lock.release(),
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
    /// `UnexpectedEof` if the range exceeds the segment.
    pub fn copy_from(&mut self, offset: usize, source: &[u8]) -> io::Result<()> {
        self.check(offset, source.len())?;
        match &self.segment.memory {
            Some(memory) => memory.copy_in(offset, source),
            None => Ok(()),
        }
    }

    /// Zeroes the bytes from `start` to `end`, or to the end of the segment.
    pub(crate) fn blank(&mut self, start: usize, end: usize) -> io::Result<()> {
        let end = end.min(self.segment.size());
        match &self.segment.memory {
            Some(memory) if start < end => memory.blank(start, end),
            _ => Ok(()),
        }
    }

    /// Returns a writer that starts at the first byte of the segment.
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

impl<A: Attach> ReadAt for Guard<'_, A> {
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

/// Returns the length of the segment under a key in bytes, without attaching to it.
///
/// # Errors
///
/// [`SegmentErrorKind::NotFound`] if there is none.
pub fn size(key: &QtKey) -> Result<usize, SegmentError> {
    Memory::find(key).map(|stat| stat.size)
}

/// Returns the other processes that are seen to use the segment under a key: processes of this user
/// in this container.
#[must_use]
pub fn users(key: &QtKey) -> Vec<User> {
    Memory::users_of(key)
}

/// Removes a segment and its lock by key, whatever state they are in.
///
/// Without `force`, only if no process is seen to use the segment or counted as attached by the
/// kernel. With `force`, processes that use it keep their memory, and a lock that a killed program
/// held is removed.
///
/// # Errors
///
/// [`SegmentErrorKind::NotFound`] if there is neither a segment nor a lock,
/// [`SegmentErrorKind::InUse`] if processes use it.
pub fn remove(key: &QtKey, force: bool) -> Result<(), SegmentError> {
    check_is_ours(key)?;
    let is_there = check_unused(key, force)?;
    let of = |fault: Fault| SegmentError::of(key, fault);
    let mut lock = Handle::find(key.lock()).map_err(of)?;
    if !is_there && lock.is_none() {
        return Err(SegmentError::new(key, SegmentErrorKind::NotFound));
    }
    let timeout = if force {
        Duration::ZERO
    } else {
        DETACH_TIMEOUT
    };
    if let Some(lock) = &mut lock {
        match lock.acquire(timeout) {
            Err(fault) if !force => return Err(of(fault)),
            _ => {}
        }
    }
    // A process may have attached before the lock was acquired.
    let number = match check_unused(key, force) {
        Ok(false) => None,
        Ok(true) => Memory::remove(key)?,
        Err(error) => {
            if let Some(lock) = &mut lock {
                lock.release().ok();
            }
            return Err(error);
        }
    };
    if let Some(lock) = lock {
        lock.remove(false);
        lock.wake_waiters();
    }
    if let Some(number) = number {
        remove_key_file(key, number);
    }
    Ok(())
}

/// Returns `true` if there is a segment. Unless `force`, refuses one that is in use.
fn check_unused(key: &QtKey, force: bool) -> Result<bool, SegmentError> {
    let stat = match Memory::find(key) {
        Ok(stat) => stat,
        Err(error) if *error.kind() == SegmentErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let users = Memory::users_of(key);
    let is_counted = stat.attached.is_some_and(|attached| attached > 0);
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
