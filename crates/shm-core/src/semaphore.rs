//! A counting semaphore whose units come back from processes that die: what `QSystemSemaphore`
//! offers, done right.

mod units;
mod word;

use std::fmt;
use std::time::Duration;

pub(crate) use units::{HolderProbe, Units};
pub(crate) use word::{UnitRecord, Word};

use crate::deadline::Deadline;
use crate::error::{AttachError, AttachErrorKind, SemaphoreError, SemaphoreErrorKind};
use crate::key::Key;
use crate::layout::{Control, MAX_UNITS, UNIT_COLUMNS, access};
use crate::options::Options;
use crate::segment::{Attachment, Detached, Kind, Participant};
use crate::sync::{AtomicU64, Ordering};
use units::{AcquireError, TooMany};

/// A named counting semaphore that survives the death of those who hold units of it.
///
/// It has a number of *units*. [`acquire`](Self::acquire) takes some, and waits for them while
/// too few are available; [`release`](Self::release) gives some back. Units that a process holds
/// when it dies, or that a handle holds when it is dropped, become available by themselves, unless
/// they were [forgotten](Self::forget). Who releases more than it holds adds new units: that is how
/// one process signals to another.
///
/// The last one to leave removes the semaphore, unless it is persistent. May be used by several
/// threads at once: they hold units together. Waiters have no order among each other.
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
    /// The attachment's own, ready for use.
    slot: u8,
    /// The sequence of the word at the last look at the clock, and how many operations from there
    /// on go without one: `{sequence: 32, count: 32}`. Only loaded where no look is due.
    looked: AtomicU64,
}

impl Semaphore {
    /// The most units that can be available, and the most that one handle can hold.
    pub const MAX_UNITS: u32 = MAX_UNITS;

    /// Makes a semaphore with so many units available, and attaches to it.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::AlreadyExists`] where another process keeps one alive under the key,
    /// [`AttachErrorKind::Units`] where there are more than [`MAX_UNITS`](Self::MAX_UNITS).
    pub fn create(key: &Key, units: u32, options: &Options) -> Result<Self, AttachError> {
        let kind = semaphore_of(key, units)?;
        Attachment::create(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    /// Attaches to the semaphore under the key.
    ///
    /// # Errors
    ///
    /// [`AttachErrorKind::NotFound`] where there is none.
    pub fn open(key: &Key, options: &Options) -> Result<Self, AttachError> {
        let kind = Kind::Semaphore { units: 0 };
        Attachment::attach(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    /// Attaches to the semaphore under the key, or makes one with so many units where there is none.
    ///
    /// One that exists keeps the units that it has.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Self::create) and [`open`](Self::open) but for `AlreadyExists` and
    /// `NotFound`.
    pub fn open_or_create(key: &Key, units: u32, options: &Options) -> Result<Self, AttachError> {
        let kind = semaphore_of(key, units)?;
        Attachment::open_or_create(key, options, kind, access::SEMAPHORE).map(Self::new)
    }

    fn new(attachment: Attachment) -> Self {
        Self {
            slot: attachment.slot(),
            attachment,
            looked: AtomicU64::new(0),
        }
    }

    /// The semaphore's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        self.attachment.key()
    }

    /// Returns `true` if this handle made the semaphore.
    #[must_use]
    pub fn created(&self) -> bool {
        self.attachment.created()
    }

    /// Acquires `n` units at once, waiting for them up to `timeout`, forever if `None`.
    ///
    /// Blocks while fewer are available. Units of a process that has died are available within
    /// about 20 ms. Acquiring no unit succeeds at once.
    ///
    /// # Errors
    ///
    /// [`SemaphoreErrorKind::Timeout`] names a process that holds units;
    /// [`SemaphoreErrorKind::TooMany`] where this handle would hold more than
    /// [`MAX_UNITS`](Self::MAX_UNITS); [`SemaphoreErrorKind::Removed`] where the semaphore was removed
    /// (noticed within a second where a program used rm or mv); [`SemaphoreErrorKind::Forked`] in a
    /// forked child.
    #[inline]
    pub fn acquire(
        &self,
        n: u32,
        timeout: impl Into<Option<Duration>>,
    ) -> Result<(), SemaphoreError> {
        if self.take_quickly(n) {
            return Ok(());
        }
        self.acquire_slowly(n, timeout.into())
    }

    /// Acquires `n` units at once if they are available; returns `false` if they are not.
    ///
    /// Does not wait. Units of processes that have died are available at once.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire) but for `Timeout`.
    #[inline]
    pub fn try_acquire(&self, n: u32) -> Result<bool, SemaphoreError> {
        if self.take_quickly(n) {
            return Ok(true);
        }
        self.try_acquire_slowly(n)
    }

    /// Makes `n` units available, and wakes as many who wait for one.
    ///
    /// They are taken out of those that this handle holds; what is beyond them is new.
    ///
    /// # Errors
    ///
    /// [`SemaphoreErrorKind::TooMany`] where more than [`MAX_UNITS`](Self::MAX_UNITS) would be
    /// available; then nothing is changed. And `Removed` and `Forked` as for
    /// [`acquire`](Self::acquire); where units are only given back, `Removed` may be left to the
    /// next acquisition.
    #[inline]
    pub fn release(&self, n: u32) -> Result<(), SemaphoreError> {
        // Who holds units has acquired them, and was told then what there was to tell.
        let is_usable = n <= MAX_UNITS && !self.attachment.is_forked();
        if is_usable && self.units().give_quickly(n) {
            return Ok(());
        }
        self.release_slowly(n)
    }

    /// Takes `n` units out of those that this handle holds, or all where it holds fewer, and
    /// returns how many those were: they are consumed, and not given back when this process dies.
    ///
    /// For a consumer: acquire a unit that a producer has released, do the work, forget the unit.
    /// Where the consumer dies before, the unit is there for another.
    ///
    /// # Errors
    ///
    /// `Removed` and `Forked` as for [`acquire`](Self::acquire).
    pub fn forget(&self, n: u32) -> Result<u32, SemaphoreError> {
        self.check()?;
        Ok(self.units().forget(n))
    }

    /// How many units are available at this moment. Another process may acquire them next.
    #[must_use]
    pub fn available(&self) -> u32 {
        self.units().available()
    }

    /// How many units this handle holds.
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

    /// Returns `true` if the semaphore was removed, moved away or replaced: whoever looks for its
    /// key finds another or none, and operations fail with [`SemaphoreErrorKind::Removed`].
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.attachment.is_removed()
    }

    /// Releases what this handle holds and detaches, as dropping does; says
    /// whether this was the last participant that keeps the segment, so that it was removed.
    pub fn detach(mut self) -> Detached {
        Detached {
            removed: self.attachment.leave(),
        }
    }

    #[inline]
    fn units(&self) -> Units<'_, UNIT_COLUMNS> {
        units_of(self.attachment.control(), self.slot)
    }

    /// Takes units where nothing at all stands in the way, and no look at the clock is due.
    #[inline]
    fn take_quickly(&self, n: u32) -> bool {
        n <= MAX_UNITS
            && self.is_usable()
            && self.units().take_quickly(n, |at| self.is_look_due(at))
    }

    #[inline]
    fn is_usable(&self) -> bool {
        !self.attachment.is_forked() && !self.attachment.is_marked_removed()
    }

    /// Returns `true` if it is time to ask whether the name is lost. A look at the clock costs more
    /// than an operation, and a count of its own would cost a store; the word counts anyway.
    #[inline]
    fn is_look_due(&self, sequence: u32) -> bool {
        // Relaxed: a hint for this process alone.
        let looked = self.looked.load(Ordering::Relaxed);
        let since = sequence.wrapping_sub(high(looked)) & Word::SEQUENCES;
        since >= low(looked)
    }

    #[inline(never)]
    fn acquire_slowly(&self, n: u32, timeout: Option<Duration>) -> Result<(), SemaphoreError> {
        self.check_units(n)?;
        let deadline = || Deadline::after_option(timeout);
        self.units()
            .acquire(n, deadline, &self.attachment)
            .map_err(|error| self.not_acquired(error, n))
    }

    #[inline(never)]
    fn try_acquire_slowly(&self, n: u32) -> Result<bool, SemaphoreError> {
        self.check_units(n)?;
        self.units()
            .try_acquire(n, &self.attachment)
            .map_err(|error| self.not_acquired(error, n))
    }

    #[inline(never)]
    fn release_slowly(&self, n: u32) -> Result<(), SemaphoreError> {
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

    /// Checks that an operation makes sense here, and looks at the clock where that is due.
    fn check(&self) -> Result<(), SemaphoreError> {
        if !self.is_usable() {
            return Err(self.refusal());
        }
        let sequence = self.units().sequence();
        if self.is_look_due(sequence) {
            let count = self.attachment.poll_name();
            let count = count.ok_or_else(|| self.refusal())?;
            let looked = u64::from(sequence) << 32 | count.min(u64::from(u32::MAX));
            self.looked.store(looked, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Why an operation makes no sense here.
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
    fn not_acquired(&self, error: AcquireError, units: u32) -> SemaphoreError {
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

/// The units of a semaphore's segment, as a slot sees them.
#[inline]
pub(crate) fn units_of(control: &Control, slot: u8) -> Units<'_, UNIT_COLUMNS> {
    Units::new(control.header.units(), &control.units, slot)
}

fn semaphore_of(key: &Key, units: u32) -> Result<Kind, AttachError> {
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
