//! A counting semaphore that recovers the units of processes that die: the counterpart of
//! `QSystemSemaphore`.

pub(crate) mod units;
pub(crate) mod word;

use std::fmt;
use std::time::Duration;

pub(crate) use units::{HolderProbe, Units, units_of};
pub(crate) use word::Word;

use crate::deadline::Deadline;
use crate::error::{AttachError, AttachErrorKind, SemaphoreError, SemaphoreErrorKind};
use crate::key::Key;
use crate::layout::{MAX_UNITS, UNIT_COLUMNS, access};
use crate::options::Options;
use crate::participant::Participant;
use crate::segment::{Attachment, Detached, Kind};
use crate::sync::{AtomicU64, Ordering};
use units::{AcquireError, TooMany};

/// A named counting semaphore that survives the death of processes that hold units of it.
///
/// It has a number of *units*. [`acquire`](Self::acquire) takes some, and blocks while too few are
/// available; [`release`](Self::release) returns some. Units that a process holds when it dies, or
/// that a handle holds when it is dropped, become available again, unless they were
/// [forgotten](Self::forget). A handle that releases more units than it holds adds new ones: so one
/// process signals another.
///
/// The semaphore is removed when the last participant detaches, unless it is persistent. Several
/// threads may use a handle at once; they hold its units together. Waiters are not served in order.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use std::time::Duration;
/// use shm_core::{ErrorCode, Key, Options, Semaphore};
///
/// let options = Options::new().directory(directory.path());
/// let key = Key::new("seats")?;
/// let ours = Semaphore::create(&key, 2, &options)?;
/// let theirs = Semaphore::open(&key, &options)?;
///
/// ours.acquire(2, None)?;
/// assert!(!theirs.try_acquire(1)?);
/// let refused = theirs.acquire(1, Duration::ZERO);
/// assert_eq!(refused.unwrap_err().code(), ErrorCode::Timeout);
///
/// drop(ours); // or the death of its process
/// theirs.acquire(1, None)?;
/// assert_eq!((theirs.held()?, theirs.available()), (1, 1));
/// # Ok(()) }
/// ```
pub struct Semaphore {
    attachment: Attachment,
    /// The attachment's slot, cached.
    slot: u8,
    /// The sequence of the word when the clock was read last, and how many operations after that
    /// skip reading it: `{sequence: 32, count: 32}`. Only loaded if no check is due.
    last_check: AtomicU64,
}

impl Semaphore {
    /// The maximum number of available units, and of units that one handle can hold.
    pub const MAX_UNITS: u32 = MAX_UNITS;

    /// Creates a semaphore with `units` available units, and attaches to it.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::AlreadyExists`] if the key has a segment that is in use or persistent,
    /// [`AttachErrorKind::Units`] if `units` is above [`MAX_UNITS`](Self::MAX_UNITS).
    pub fn create(key: &Key, units: u32, options: &Options) -> Result<Self, AttachError> {
        let kind = semaphore_kind(key, units)?;
        Attachment::create(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    /// Attaches to the semaphore under the key.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] if the key has no segment, [`AttachErrorKind::WrongKind`] if
    /// it has one that is not a semaphore.
    pub fn open(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let kind = Kind::Semaphore { units: 0 };
        Attachment::attach(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    /// Attaches to the semaphore under the key, or creates one with `units` available units if
    /// there is none.
    ///
    /// A semaphore that exists keeps its units.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create) and [`open`](Self::open) but for `AlreadyExists` and
    /// `NotFound`.
    pub fn open_or_create(key: &Key, units: u32, options: &Options) -> Result<Self, AttachError> {
        let kind = semaphore_kind(key, units)?;
        Attachment::open_or_create(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    fn new(attachment: Attachment) -> Self {
        Self {
            slot: attachment.slot(),
            attachment,
            last_check: AtomicU64::new(0),
        }
    }

    /// Returns the semaphore's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// Returns `true` if this handle created the semaphore.
    #[must_use]
    pub fn created(&self) -> bool {
        self.attachment.created()
    }

    /// Acquires `n` units together; blocks while fewer are available, for at most `timeout`
    /// (forever if `None`).
    ///
    /// Units of a process that has died become available within about 20 ms. Acquiring zero units
    /// succeeds at once.
    ///
    /// # Errors
    ///
    /// [`SemaphoreErrorKind::Timeout`], which names a process that holds units;
    /// [`SemaphoreErrorKind::TooMany`] if this handle would hold more than
    /// [`MAX_UNITS`](Self::MAX_UNITS); [`SemaphoreErrorKind::Removed`] if the semaphore was removed
    /// (noticed within a second if its file was removed or renamed); [`SemaphoreErrorKind::Forked`]
    /// in a forked child.
    #[inline]
    pub fn acquire(
        &self,
        n: u32,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<(), SemaphoreError> {
        if self.take_fast(n) {
            return Ok(());
        }
        self.acquire_slow(n, timeout.into())
    }

    /// Acquires `n` units together if they are available; returns `false` if they are not.
    ///
    /// Does not block. Units of processes that have died count as available.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire) but for `Timeout`.
    #[inline]
    pub fn try_acquire(&self, n: u32) -> Result<bool, SemaphoreError> {
        if self.take_fast(n) {
            return Ok(true);
        }
        self.try_acquire_slow(n)
    }

    /// Makes `n` units available, and wakes up to `n` waiters.
    ///
    /// Units that this handle holds are released first; those beyond are new.
    ///
    /// # Errors
    ///
    /// [`SemaphoreErrorKind::TooMany`] if more than [`MAX_UNITS`](Self::MAX_UNITS) would be
    /// available; then nothing changes. `Removed` and `Forked` as for [`acquire`](Self::acquire);
    /// if only held units are released, `Removed` may be reported by the next acquisition instead.
    #[inline]
    pub fn release(&self, n: u32) -> Result<(), SemaphoreError> {
        // Held units were acquired before, and that acquisition has checked for the removal.
        let is_usable = n <= MAX_UNITS && !self.attachment.is_forked();
        if is_usable && self.units().give_fast(n) {
            return Ok(());
        }
        self.release_slow(n)
    }

    /// Consumes `n` of the units that this handle holds, or all if it holds fewer, and returns how
    /// many those were. They do not become available when the handle is dropped or the process
    /// dies.
    ///
    /// For a consumer that acquires a unit which a producer has released, does the work, and
    /// forgets the unit. If the consumer dies before, the unit is available to another.
    ///
    /// # Errors
    ///
    /// `Removed` and `Forked` as for [`acquire`](Self::acquire).
    pub fn forget(&self, n: u32) -> Result<u32, SemaphoreError> {
        self.check()?;
        Ok(self.units().forget(n))
    }

    /// Returns how many units are available. Another process may acquire them at any time.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.units().available()
    }

    /// Returns how many units this handle holds.
    ///
    /// # Errors
    ///
    /// [`SemaphoreErrorKind::Forked`] in a forked child, which holds none.
    pub fn held(&self) -> Result<u32, SemaphoreError> {
        if self.attachment.is_forked() {
            return Err(self.refusal());
        }
        Ok(self.units().held())
    }

    /// Returns the participants of other processes.
    #[must_use]
    pub fn peers(&self) -> Vec<Participant> {
        self.attachment.peers()
    }

    /// Returns `true` if the semaphore was removed, renamed or replaced: its key has another
    /// segment or none, and operations fail with [`SemaphoreErrorKind::Removed`].
    ///
    /// Makes system calls.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.attachment.is_removed()
    }

    /// Releases the units that this handle holds and detaches, as dropping does; returns whether
    /// the segment was removed because this was the last participant.
    pub fn detach(mut self) -> Detached {
        Detached {
            removed: self.attachment.leave(),
        }
    }

    #[inline]
    fn units(&self) -> Units<'_, UNIT_COLUMNS> {
        units_of(self.attachment.control(), self.slot)
    }

    /// Takes units if there is no contention, and no check of the name is due.
    #[inline]
    fn take_fast(&self, n: u32) -> bool {
        n <= MAX_UNITS
            && self.is_usable()
            && self
                .units()
                .take_fast(n, |sequence| self.is_check_due(sequence))
    }

    #[inline]
    fn is_usable(&self) -> bool {
        !self.attachment.is_forked() && !self.attachment.is_marked_removed()
    }

    /// Returns `true` if a check of the name is due. Reading the clock costs more than an
    /// operation, and a counter would cost a store; the word counts operations anyway.
    #[inline]
    fn is_check_due(&self, sequence: u32) -> bool {
        // Relaxed, because it is a hint for this process only.
        let last_check = self.last_check.load(Ordering::Relaxed);
        let since = sequence.wrapping_sub(high(last_check)) & Word::SEQUENCES;
        since >= low(last_check)
    }

    #[inline(never)]
    fn acquire_slow(&self, n: u32, timeout: Option<Duration>) -> Result<(), SemaphoreError> {
        self.check_units(n)?;
        let deadline = || Deadline::after_option(timeout);
        self.units()
            .acquire(n, deadline, &self.attachment)
            .map_err(|error| self.acquire_error(error, n))
    }

    #[inline(never)]
    fn try_acquire_slow(&self, n: u32) -> Result<bool, SemaphoreError> {
        self.check_units(n)?;
        self.units()
            .try_acquire(n, &self.attachment)
            .map_err(|error| self.acquire_error(error, n))
    }

    #[inline(never)]
    fn release_slow(&self, n: u32) -> Result<(), SemaphoreError> {
        self.check_units(n)?;
        self.units().release(n).map_err(|TooMany| self.too_many(n))
    }

    fn check_units(&self, n: u32) -> Result<(), SemaphoreError> {
        self.check()?;
        if n > MAX_UNITS {
            return Err(self.too_many(n));
        }
        Ok(())
    }

    /// Checks that the caller may use the semaphore, and checks the name if that is due.
    fn check(&self) -> Result<(), SemaphoreError> {
        if !self.is_usable() {
            return Err(self.refusal());
        }
        let sequence = self.units().sequence();
        if self.is_check_due(sequence) {
            let count = self.attachment.poll_name();
            let count = count.ok_or_else(|| self.refusal())?;
            let last_check = u64::from(sequence) << 32 | count.min(u64::from(u32::MAX));
            self.last_check.store(last_check, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Returns why the caller may not use the semaphore.
    #[cold]
    fn refusal(&self) -> SemaphoreError {
        if self.attachment.is_forked() {
            SemaphoreError::new(self.key(), SemaphoreErrorKind::Forked)
        } else {
            SemaphoreError::new(self.key(), SemaphoreErrorKind::Removed)
        }
    }

    #[cold]
    fn too_many(&self, units: u32) -> SemaphoreError {
        SemaphoreError::new(self.key(), SemaphoreErrorKind::TooMany { units })
    }

    #[cold]
    fn acquire_error(&self, error: AcquireError, units: u32) -> SemaphoreError {
        match error {
            AcquireError::Aborted => SemaphoreError::new(self.key(), SemaphoreErrorKind::Removed),
            AcquireError::TooMany => {
                SemaphoreError::new(self.key(), SemaphoreErrorKind::TooMany { units })
            }
            AcquireError::TimedOut(slot) => SemaphoreError::new(
                self.key(),
                SemaphoreErrorKind::Timeout {
                    holder: slot
                        .and_then(|slot| self.attachment.holder_of(slot))
                        .map(Box::new),
                },
            ),
        }
    }
}

impl HolderProbe for Attachment {
    fn is_alive(&self, slot: u8) -> bool {
        self.is_slot_held(slot)
    }

    fn should_abort(&self) -> bool {
        self.is_removed()
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("key", self.key())
            .field("available", &self.available())
            .finish_non_exhaustive()
    }
}

fn semaphore_kind(key: &Key, units: u32) -> Result<Kind, AttachError> {
    if units <= MAX_UNITS {
        Ok(Kind::Semaphore { units })
    } else {
        Err(AttachError::new(key, AttachErrorKind::Units { units }))
    }
}

#[inline]
fn high(pair: u64) -> u32 {
    u32::try_from(pair >> 32).unwrap_or(u32::MAX)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
fn low(pair: u64) -> u32 {
    pair as u32
}
