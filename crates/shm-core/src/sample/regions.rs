//! The table of regions: how one passes from the publisher that fills it to the subscribers that pin it.
//!
//! The order of every store and every byte lock stands here and in `ring.rs`. What the kernel keeps
//! is asked for through [`Pins`] and [`Claims`], so that a model checker runs this very code
//! (`crate::model`).

use crate::layout::Region;
use crate::sync::{AtomicU64, Ordering, fence, load_acquire};

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
        // Release, because no later change may be seen before the zero by who finds the byte unlocked
        // after this publisher's death: pairs with the acquiring load in `pin`.
        fence(Ordering::Release);
    }

    /// Says that a claimed region belongs to the record that is about to be written at `position`.
    ///
    /// Only while holding the segment's lock. From here on nobody can claim it, because `position` is
    /// not below `last`: so its byte is unlocked, and subscribers find it free to pin.
    pub(crate) fn name<L: Claims>(self, locks: &L, region: u16, position: u64, bytes: u64) {
        let entry = self.entry(region);
        let start = self.large_bytes.load(Ordering::Relaxed);
        entry.start.store(start, Ordering::Relaxed);
        // Release, because who finds the position finds `start`: pairs with the load in `is_free`.
        entry.position.store(position, Ordering::Release);
        // Release, because who takes the sum for far enough must find the entry: pairs with `is_free`.
        self.large_bytes
            .store(start.wrapping_add(bytes), Ordering::Release);
        locks.release(region);
    }

    /// Takes back what a publisher that died with the lock said of records that it did not commit.
    ///
    /// Only while holding the segment's lock.
    pub(crate) fn recover(self) {
        let last = self.last.load(Ordering::Relaxed);
        for entry in self.table {
            if entry.position.load(Ordering::Relaxed) > last {
                entry.position.store(0, Ordering::Release);
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
            // Only now nobody can change it.
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
        load_acquire(&self.entry(region).position) == position
    }

    fn is_free(self, region: u16, retention: Retention) -> bool {
        let entry = self.entry(region);
        let position = load_acquire(&entry.position);
        if position == 0 {
            return true;
        }
        // A position above `last` is of a sample that is being published, or of a publisher that died
        // with the lock and whose successor has yet to take it back.
        if position >= load_acquire(self.last) {
            return false;
        }
        match retention {
            Retention::GiveWay => true,
            Retention::Keep(bytes) => {
                let sum = load_acquire(self.large_bytes);
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
