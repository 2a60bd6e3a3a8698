//! The table of regions: how one passes from the publisher that fills it to the subscribers that pin it.
//!
//! The order of every store and every byte lock stands here and in `ring.rs`. What the kernel keeps
//! is asked for through [`Pins`] and [`Claims`], so that a model checker runs this very code
//! (`crate::model`).
//!
//! All loads and stores here are relaxed, because the kernel orders them: an entry is changed between
//! locking and unlocking its byte (or, by `recover`, under the segment's lock), and what counts is only
//! read under the byte's lock. Within the kernel a spin lock guards the list of byte locks, so who
//! gets the byte sees all that its last holder stored, also where that one was killed. Looks without
//! the byte spare a system call, and nothing depends on them.

use crate::layout::Region;
use crate::sync::{self, AtomicU64, Ordering};

/// What a subscriber can do with a region's byte, as one open file sees it.
pub(crate) trait Pins {
    /// Why a lock could not even be asked for.
    type Error;
    /// Locks the byte for reading; false where a publisher has claimed it.
    fn try_pin(&self, region: u16) -> Result<bool, Self::Error>;
    /// Gives back one pin, or a claim.
    fn release(&self, region: u16);
}

/// What a publisher can do besides.
pub(crate) trait Claims: Pins {
    /// Locks the byte for writing; false where any other open file has locked it.
    fn try_claim(&self, region: u16) -> Result<bool, Self::Error>;
}

/// How an attempt to pin a region ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pinned {
    /// It has the sample, and keeps it until it is released.
    Yes,
    /// It has another sample by now, or will have.
    MovedOn,
    /// It has the sample, and yet its byte is locked for writing: by a publisher that is about to
    /// unlock it, or by one that lies.
    Refused,
}

/// Which regions may be taken from late subscribers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Those behind which so many bytes were published since.
    Keep(u64),
    /// All but that of the newest sample: memory is needed.
    GiveWay,
}

/// The shared words that regions pass through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Regions<'a> {
    last: &'a AtomicU64,
    large_bytes: &'a AtomicU64,
    table: &'a [Region],
}

impl<'a> Regions<'a> {
    pub(crate) fn new(
        last: &'a AtomicU64,
        large_bytes: &'a AtomicU64,
        table: &'a [Region],
    ) -> Self {
        Self {
            last,
            large_bytes,
            table,
        }
    }

    /// Claims a region unless it is needed, or locked by another open file. Its old content is gone
    /// for all that come; who has pinned it keeps it from being claimed.
    pub(crate) fn claim<L: Claims>(
        self,
        locks: &L,
        region: u16,
        retention: Retention,
    ) -> Result<bool, L::Error> {
        // The first look spares a system call.
        if !self.is_free(region, retention) || !locks.try_claim(region)? {
            return Ok(false);
        }
        // Only this one counts: until the byte was locked, another publisher could publish the region.
        if !self.is_free(region, retention) {
            locks.release(region);
            return Ok(false);
        }
        self.withdraw(region);
        Ok(true)
    }

    /// Says, before anything in a claimed region changes, that no record may be read from it.
    pub(crate) fn withdraw(self, region: u16) {
        self.entry(region).position.store(0, Ordering::Relaxed);
        // The byte's lock orders this for all who get it. Yet a publisher that is killed leaves what it
        // has done so far, and that may not be a change of the payload without the zero.
        sync::keep_order_until_death();
    }

    /// Says that a claimed region belongs to the record that is about to be written at `position`.
    ///
    /// Only while holding the segment's lock. From here on nobody can claim it, because `position` is
    /// not below `last`: so its byte is unlocked, and subscribers find it free to pin.
    pub(crate) fn name<L: Claims>(self, locks: &L, region: u16, position: u64, bytes: u64) {
        let entry = self.entry(region);
        let start = self.large_bytes.load(Ordering::Relaxed);
        entry.start.store(start, Ordering::Relaxed);
        entry.position.store(position, Ordering::Relaxed);
        self.large_bytes
            .store(start.wrapping_add(bytes), Ordering::Relaxed);
        // Who locks the byte from here on finds the entry, and the payload: the kernel orders both.
        locks.release(region);
    }

    /// Takes back what a publisher that died with the lock said of records that it did not commit.
    ///
    /// Only while holding the segment's lock.
    pub(crate) fn recover(self) {
        let last = self.last.load(Ordering::Relaxed);
        for entry in self.table {
            if entry.position.load(Ordering::Relaxed) > last {
                // Relaxed, because the next to name the region comes after this by the segment's lock;
                // a claimer that finds the old position compares it to `last`, and takes it for needed,
                // or, once another record stands there, for free, as it is.
                entry.position.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Pins a region while it belongs to the record at `position`.
    pub(crate) fn pin<L: Pins>(
        self,
        locks: &L,
        region: u16,
        position: u64,
    ) -> Result<Pinned, L::Error> {
        if locks.try_pin(region)? {
            // Only now nobody can change it; the byte's lock orders the load.
            if self.belongs_to(region, position) {
                return Ok(Pinned::Yes);
            }
            locks.release(region);
            return Ok(Pinned::MovedOn);
        }
        if self.belongs_to(region, position) {
            Ok(Pinned::Refused)
        } else {
            Ok(Pinned::MovedOn)
        }
    }

    /// Where the record is, or was, that names a region; for choosing the oldest.
    pub(crate) fn position(self, region: u16) -> u64 {
        self.entry(region).position.load(Ordering::Relaxed)
    }

    fn belongs_to(self, region: u16, position: u64) -> bool {
        self.position(region) == position
    }

    /// Under the byte's lock the entry is the latest. `last` and `large_bytes` only grow, and an older
    /// value of either takes the region for needed: so neither load is ordered.
    fn is_free(self, region: u16, retention: Retention) -> bool {
        let entry = self.entry(region);
        let position = entry.position.load(Ordering::Relaxed);
        if position == 0 {
            return true;
        }
        // A position above `last` is of a sample that is being published, or of a publisher that died
        // with the lock and whose successor has yet to take it back.
        if position >= self.last.load(Ordering::Relaxed) {
            return false;
        }
        match retention {
            Retention::GiveWay => true,
            Retention::Keep(bytes) => {
                let sum = self.large_bytes.load(Ordering::Relaxed);
                let since = sum.wrapping_sub(entry.start.load(Ordering::Relaxed));
                // Signed: a peer's nonsense counts as retained for ever, not as free at once.
                i64::try_from(since)
                    .is_ok_and(|since| since > i64::try_from(bytes).unwrap_or(i64::MAX))
            }
        }
    }

    fn entry(self, region: u16) -> &'a Region {
        &self.table[usize::from(region)]
    }
}
