//! A block of bytes of a fixed size under a robust lock: the counterpart of `QSharedMemory`.

mod changes;
mod detached;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use bytemuck::{AnyBitPattern, NoUninit};

pub use changes::Change;
pub use detached::LockState;

use crate::deadline::Deadline;
use crate::error::{AttachError, AttachErrorKind, ErrorCode, LockError, LockErrorKind, try_zeroed};
use crate::key::Key;
use crate::layout::{self, BLOCK_OFFSET, access};
use crate::options::Options;
use crate::participant::Participant;
use crate::segment::{Attachment, Detached, Kind, RawGuard};
use crate::sys::{Mapping, WritableMapping};

/// The marker of a handle that reads and writes.
#[derive(Debug)]
pub struct ReadWrite(WritableMapping);

/// The marker of a handle that only reads: its block is mapped read-only.
#[derive(Debug)]
pub struct ReadOnly(Mapping);

/// The access of a handle to its block: [`ReadWrite`] or [`ReadOnly`].
#[expect(
    private_bounds,
    reason = "sealed: there are two ways to attach, and no third"
)]
pub trait Attach: Sealed {}

impl Attach for ReadWrite {}
impl Attach for ReadOnly {}

trait Sealed: Sized {
    const ACCESS: u32;
    fn map(attachment: &Attachment, length: usize) -> std::io::Result<Self>;
    fn mapping(&self) -> &Mapping;
}

impl Sealed for ReadWrite {
    const ACCESS: u32 = access::BLOCK_READ_WRITE;
    fn map(attachment: &Attachment, length: usize) -> std::io::Result<Self> {
        WritableMapping::new(&attachment.segment.file, BLOCK_OFFSET, length).map(Self)
    }
    fn mapping(&self) -> &Mapping {
        &self.0
    }
}

impl Sealed for ReadOnly {
    const ACCESS: u32 = access::BLOCK_READ_ONLY;
    fn map(attachment: &Attachment, length: usize) -> std::io::Result<Self> {
        Mapping::read_only(&attachment.segment.file, BLOCK_OFFSET, length).map(Self)
    }
    fn mapping(&self) -> &Mapping {
        &self.0
    }
}

/// A named block of bytes of a fixed size, guarded by a lock that survives the death of its holder.
///
/// The bytes are accessed through the guard that [`lock`](Self::lock) returns, or, if a guard
/// cannot be kept, between [`lock_detached`](Self::lock_detached) and
/// [`unlock_detached`](Self::unlock_detached). The block is removed when the last participant
/// detaches, unless it is persistent. Several threads may use a handle at once.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{Key, Options, Block};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("counter")?;
/// let ours = Block::create(&key, 64, &options)?;
/// let theirs = Block::attach_read_only(&key, &options)?;
///
/// let mut guard = ours.lock()?.repair_with(|bytes| bytes.fill(0));
/// guard.write(8, &42u64)?;
/// drop(guard);
///
/// assert_eq!(theirs.lock()?.ignore_abandonment().read::<u64>(8)?, 42);
/// # Ok(()) }
/// ```
///
/// A read-only handle cannot write:
///
/// ```compile_fail
/// # use shm_core::{ReadOnly, Block};
/// # fn write(block: &Block<ReadOnly>) {
/// block.lock().unwrap().ignore_abandonment().fill(0);
/// # }
/// ```
///
/// A handle for reading and writing can:
///
/// ```
/// # use shm_core::{ReadWrite, Block};
/// # fn write(block: &Block<ReadWrite>) {
/// block.lock().unwrap().ignore_abandonment().fill(0);
/// # }
/// ```
pub struct Block<A: Attach> {
    // Dropped before the attachment, so that the block is unmapped before the handle detaches.
    mapped: A,
    attachment: Attachment,
}

impl Block<ReadWrite> {
    /// Creates a block of `size` bytes, all zero, and attaches to it.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::AlreadyExists`] if the key has a segment that is in use or persistent,
    /// [`AttachErrorKind::Size`] if the size is 0 or above 64 GiB, [`AttachErrorKind::NoSpace`] if
    /// there is not enough memory.
    pub fn create(key: &Key, size: usize, options: &Options) -> Result<Self, AttachError> {
        let kind = block_kind(key, size)?;
        Self::map(Attachment::create(key, options, kind, ReadWrite::ACCESS)?)
    }

    /// Attaches to the block under the key.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if the key has no segment, [`AttachErrorKind::WrongKind`] if
    /// it has one that is not a block.
    pub fn attach(key: &Key, options: &Options) -> Result<Self, AttachError> {
        Self::map(Attachment::attach(
            key,
            options,
            Kind::Block { bytes: 0 },
            ReadWrite::ACCESS,
        )?)
    }

    /// Attaches to the block under the key, or creates one of `size` bytes if there is none.
    ///
    /// A block that exists keeps its own [`size`](Self::size), which may differ.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create) and [`attach`](Self::attach) but for
    /// `AlreadyExists` and `NotFound`.
    pub fn open_or_create(key: &Key, size: usize, options: &Options) -> Result<Self, AttachError> {
        let kind = block_kind(key, size)?;
        Self::map(Attachment::open_or_create(
            key,
            options,
            kind,
            ReadWrite::ACCESS,
        )?)
    }
}

impl Block<ReadOnly> {
    /// Attaches to the block under the key for reading: its bytes are mapped read-only.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if the key has no segment, [`AttachErrorKind::WrongKind`] if
    /// it has one that is not a block.
    pub fn attach_read_only(key: &Key, options: &Options) -> Result<Self, AttachError> {
        Self::map(Attachment::attach(
            key,
            options,
            Kind::Block { bytes: 0 },
            ReadOnly::ACCESS,
        )?)
    }
}

impl<A: Attach> Block<A> {
    fn map(attachment: Attachment) -> Result<Self, AttachError> {
        let key = attachment.key();
        let length = usize::try_from(attachment.block_bytes()).unwrap_or(usize::MAX);
        let mapped =
            A::map(&attachment, length).map_err(|error| AttachError::io(key, "mapping", error))?;
        Ok(Self { mapped, attachment })
    }

    /// Returns the block's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// Returns the block's length in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.mapped.mapping().len()
    }

    /// Acquires the lock; blocks until it is available.
    ///
    /// The death of a holder is detected within about 10 ms.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::WouldDeadlock`] if this thread already holds the lock through this handle,
    /// [`LockErrorKind::Removed`] if the block was removed (if its file was removed or renamed, a
    /// wait or a lock notices it within a second), [`LockErrorKind::Forked`] in a forked child.
    #[inline]
    pub fn lock(&self) -> Result<Locked<'_, A>, LockError> {
        self.attachment
            .lock(|| Deadline::after_option(None))
            .map(|raw| self.locked(raw))
    }

    /// Acquires the lock; blocks until it is available, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::Timeout`], which names the holder, and those of [`lock`](Self::lock).
    #[inline]
    pub fn lock_for(&self, timeout: Duration) -> Result<Locked<'_, A>, LockError> {
        self.attachment
            .lock(|| Deadline::after(timeout))
            .map(|raw| self.locked(raw))
    }

    /// Acquires the lock if no live process holds it. Does not block.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::WouldBlock`] if another process or thread holds it, and those of
    /// [`lock`](Self::lock).
    #[inline]
    pub fn try_lock(&self) -> Result<Locked<'_, A>, LockError> {
        self.attachment.try_lock().map(|raw| self.locked(raw))
    }

    /// Copies the whole block under the lock; waits for the lock up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`LockErrorKind::NoMemory`] if there is not enough memory for the copy, and those of
    /// [`lock_for`](Self::lock_for).
    pub fn snapshot(&self, timeout: Duration) -> Result<BlockSnapshot, LockError> {
        let bytes = self.size();
        let mut bytes = try_zeroed(bytes)
            .ok_or_else(|| LockError::new(self.key(), LockErrorKind::NoMemory { bytes }))?;
        let locked = self.lock_for(timeout)?;
        let is_abandoned = matches!(locked, Locked::Abandoned(_));
        bytes.copy_from_slice(&locked.ignore_abandonment());
        Ok(BlockSnapshot {
            bytes,
            is_abandoned,
        })
    }

    /// Returns `true` if the block was removed, renamed or replaced: its key has another segment or
    /// none, and locking fails with [`LockErrorKind::Removed`].
    ///
    /// Makes system calls. A program that does not lock for a long time calls this about once a
    /// second.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.attachment.is_removed()
    }

    /// Returns the participants of other processes.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        self.attachment.peers()
    }

    /// Detaches, as dropping does, and returns whether the segment was removed because this was the
    /// last participant.
    pub fn detach(mut self) -> Detached {
        Detached {
            removed: self.attachment.leave(),
        }
    }

    #[inline]
    fn locked<'a>(&'a self, raw: RawGuard<'a>) -> Locked<'a, A> {
        let abandoned = raw.is_abandoned();
        let guard = Guard {
            block: self,
            raw,
            not_send: PhantomData,
        };
        if abandoned {
            Locked::Abandoned(Abandoned(guard))
        } else {
            Locked::Clean(guard)
        }
    }
}

impl<A: Attach> fmt::Debug for Block<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Block")
            .field("key", self.key())
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// A copy of a block's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockSnapshot {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// A holder died with the lock and no process has repaired the bytes since: they may be
    /// half-written.
    pub is_abandoned: bool,
}

/// The acquired lock; whether a holder died with it is part of the type.
#[derive(Debug)]
#[must_use = "dropping it releases the lock at once"]
pub enum Locked<'a, A: Attach> {
    /// The last holder released the lock.
    Clean(Guard<'a, A>),
    /// A holder died with the lock, and no process has repaired the bytes since.
    Abandoned(Abandoned<'a, A>),
}

impl<'a, A: Attach> Locked<'a, A> {
    /// Returns the guard whether or not a holder died. If one did, the lock stays abandoned for the
    /// next holder.
    pub fn ignore_abandonment(self) -> Guard<'a, A> {
        match self {
            Self::Clean(guard) | Self::Abandoned(Abandoned(guard)) => guard,
        }
    }
}

impl<'a> Locked<'a, ReadWrite> {
    /// Runs `repair` on the bytes if a holder died, marks them as repaired, and returns the guard.
    pub fn repair_with(self, repair: impl FnOnce(&mut [u8])) -> Guard<'a, ReadWrite> {
        match self {
            Self::Clean(guard) => guard,
            Self::Abandoned(mut abandoned) => {
                repair(&mut abandoned.0);
                abandoned.repaired()
            }
        }
    }
}

/// The lock, acquired after a holder died with it: the bytes may be half-written.
#[derive(Debug)]
pub struct Abandoned<'a, A: Attach>(Guard<'a, A>);

impl<'a> Abandoned<'a, ReadWrite> {
    /// Marks the bytes as whole again, so that the next holder acquires a clean lock.
    pub fn repaired(mut self) -> Guard<'a, ReadWrite> {
        self.0.raw.repaired();
        self.0
    }
}

impl<A: Attach> Deref for Abandoned<'_, A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Abandoned<'_, ReadWrite> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// The guard of the lock, which dereferences to the block's bytes. Dropping it releases the lock,
/// also on a panic.
///
/// Stays on the thread that acquired the lock.
pub struct Guard<'a, A: Attach> {
    block: &'a Block<A>,
    raw: RawGuard<'a>,
    /// Not `Send`: the handle records which thread holds the lock.
    not_send: PhantomData<*const ()>,
}

/// The error of a typed access that goes beyond the end of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBounds {
    offset: usize,
    bytes: usize,
    size: usize,
}

impl OutOfBounds {
    /// Returns [`ErrorCode::InvalidArgument`].
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidArgument
    }

    /// Returns `None`, because there is no underlying OS error.
    #[must_use]
    pub fn os_error(&self) -> Option<i32> {
        None
    }
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            offset,
            bytes,
            size,
        } = self;
        write!(
            f,
            "{bytes} bytes at offset {offset} are beyond the end of the block of {size} bytes"
        )
    }
}

impl std::error::Error for OutOfBounds {}

impl<A: Attach> Guard<'_, A> {
    /// Copies a value of plain data out of the block, from a byte offset of any alignment.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if the value goes beyond the end of the block.
    pub fn read<T: AnyBitPattern>(&self, offset: usize) -> Result<T, OutOfBounds> {
        let range = self.range(offset, size_of::<T>())?;
        Ok(bytemuck::pod_read_unaligned(&self[range]))
    }

    fn range(&self, offset: usize, bytes: usize) -> Result<std::ops::Range<usize>, OutOfBounds> {
        let size = self.len();
        match offset.checked_add(bytes) {
            Some(end) if end <= size => Ok(offset..end),
            _ => Err(OutOfBounds {
                offset,
                bytes,
                size,
            }),
        }
    }
}

impl Guard<'_, ReadWrite> {
    /// Copies a value of plain data into the block, to a byte offset of any alignment.
    ///
    /// # Errors
    ///
    /// [`OutOfBounds`] if the value goes beyond the end of the block.
    pub fn write<T: NoUninit>(&mut self, offset: usize, value: &T) -> Result<(), OutOfBounds> {
        let range = self.range(offset, size_of::<T>())?;
        self[range].copy_from_slice(bytemuck::bytes_of(value));
        Ok(())
    }
}

#[expect(unsafe_code, reason = "a slice of locked memory")]
impl<A: Attach> Deref for Guard<'_, A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the lock is held as long as this guard lives, so no other participant writes the
        // block (LAYOUT.md, invariant I4); through this guard only `&mut self` writes.
        unsafe { self.block.mapped.mapping().slice(0, self.block.size()) }
    }
}

#[expect(unsafe_code, reason = "a slice of locked memory")]
impl DerefMut for Guard<'_, ReadWrite> {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: the lock is held as long as this guard lives, so no other participant reads or
        // writes the block (LAYOUT.md, invariant I4), and `&mut self` excludes other slices of this
        // guard.
        unsafe { self.block.mapped.0.slice_mut(0, self.block.size()) }
    }
}

impl<A: Attach> fmt::Debug for Guard<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("key", self.block.key())
            .finish_non_exhaustive()
    }
}

fn block_kind(key: &Key, size: usize) -> Result<Kind, AttachError> {
    let bytes = size as u64;
    if (1..=layout::MAX_BLOCK_BYTES).contains(&bytes) {
        Ok(Kind::Block { bytes })
    } else {
        Err(AttachError::new(key, AttachErrorKind::Size { size }))
    }
}
