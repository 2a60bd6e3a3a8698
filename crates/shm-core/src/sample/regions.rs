//! The region table: how a region passes from the publisher that fills it to the subscribers that
//! pin it.
//!
//! The order of every store and every byte lock is defined here and in `ring.rs`. Byte locks are
//! taken through [`RegionLocks`], so that a model checker runs this very code (`crate::model`).
//!
//! All loads and stores here are relaxed, because the kernel orders them: an entry is changed
//! between locking and unlocking its byte (or, by `recover`, under the segment's lock), and a value
//! that matters is only read under the byte's lock. The kernel guards the list of byte locks with a
//! spin lock, so the process that acquires the byte sees all that its last holder stored, also if
//! that holder was killed. Checks without the byte save a system call, and nothing depends on them.

use std::io;

use crate::layout::{Control, Region};
use crate::sync::{self, AtomicU64, Ordering};
use crate::sys::ByteLock;

/// The byte locks of the regions, as one open file sees them.
pub(crate) trait RegionLocks {
    /// Locks the region's byte: for reading to pin it, for writing to claim it. Returns `false` if
    /// another open file has a lock that conflicts.
    fn try_lock(&self, region: u16, lock: ByteLock) -> io::Result<bool>;
    /// Releases one pin, or a claim.
    fn release(&self, region: u16);
}

/// How an attempt to pin a region ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PinOutcome {
    /// The region holds the sample, and keeps it until the pin is released.
    Pinned,
    /// The region holds another sample, or is about to.
    Reused,
    /// The region holds the sample, but its byte is locked for writing: by a publisher that is
    /// about to unlock it, or by a malicious one.
    Contended,
}

/// Which regions may be claimed although late subscribers could still read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Those after which more than this many bytes of large samples were published.
    Keep(u64),
    /// All but that of the newest sample, because memory is needed.
    Ignore,
}

/// The shared words of the region table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RegionTable<'a> {
    pub(crate) last: &'a AtomicU64,
    pub(crate) large_bytes: &'a AtomicU64,
    pub(crate) entries: &'a [Region],
}

impl<'a> RegionTable<'a> {
    pub(crate) fn of(control: &'a Control) -> Self {
        Self {
            last: &control.header.last,
            large_bytes: &control.header.large_bytes,
            entries: &control.regions,
        }
    }

    /// Claims a region unless it is needed, or locked by another open file. Its old content can no
    /// longer be pinned; a subscriber that has pinned it prevents the claim.
    pub(crate) fn claim(
        self,
        locks: &impl RegionLocks,
        region: u16,
        retention: Retention,
    ) -> io::Result<bool> {
        // The first check saves a system call.
        if !self.is_free(region, retention) || !locks.try_lock(region, ByteLock::Write)? {
            return Ok(false);
        }
        // Only this check counts: until the byte was locked, another publisher could publish the
        // region.
        if !self.is_free(region, retention) {
            locks.release(region);
            return Ok(false);
        }
        // Before anything in the region changes: no record may be read from it.
        self.entry(region).position.store(0, Ordering::Relaxed);
        // The byte's lock orders this for every process that acquires it. But a publisher that is
        // killed leaves what it has done so far, and that must not be a change of the payload
        // without the zero.
        sync::order_stores_before_death();
        Ok(true)
    }

    /// Assigns a claimed region to the record that is about to be written at `position`.
    ///
    /// Only while holding the segment's lock. From here on no publisher can claim it, because
    /// `position` is not below `last`; so its byte is unlocked, and subscribers can pin it.
    pub(crate) fn name(self, locks: &impl RegionLocks, region: u16, position: u64, bytes: u64) {
        let entry = self.entry(region);
        let start = self.large_bytes.load(Ordering::Relaxed);
        entry.start.store(start, Ordering::Relaxed);
        entry.position.store(position, Ordering::Relaxed);
        self.large_bytes
            .store(start.wrapping_add(bytes), Ordering::Relaxed);
        // A process that locks the byte from here on sees the entry and the payload: the kernel
        // orders both.
        locks.release(region);
    }

    /// Resets entries whose record was not committed because its publisher died with the lock.
    ///
    /// Only while holding the segment's lock.
    pub(crate) fn recover(self) {
        let last = self.last.load(Ordering::Relaxed);
        for entry in self.entries {
            if entry.position.load(Ordering::Relaxed) > last {
                // Relaxed, because the next publisher to name the region comes after this by the
                // segment's lock. A claimer that sees the old position compares it to `last`, and
                // treats the region as needed, or, once another record is committed there, as free,
                // which it is.
                entry.position.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Pins a region while it belongs to the record at `position`.
    pub(crate) fn pin(
        self,
        locks: &impl RegionLocks,
        region: u16,
        position: u64,
    ) -> io::Result<PinOutcome> {
        let is_locked = locks.try_lock(region, ByteLock::Read)?;
        // If it is locked, no publisher can change the entry any more; the byte's lock orders the
        // load.
        let is_same = self.position(region) == position;
        Ok(match (is_locked, is_same) {
            (true, true) => PinOutcome::Pinned,
            (false, true) => PinOutcome::Contended,
            (true, false) => {
                locks.release(region);
                PinOutcome::Reused
            }
            (false, false) => PinOutcome::Reused,
        })
    }

    /// Returns the position of the record that names a region, or named it, for choosing the
    /// oldest.
    pub(crate) fn position(self, region: u16) -> u64 {
        self.entry(region).position.load(Ordering::Relaxed)
    }

    /// Under the byte's lock the entry is the latest. `last` and `large_bytes` only grow, and an
    /// older value of either makes the region count as needed: so neither load is ordered.
    fn is_free(self, region: u16, retention: Retention) -> bool {
        let entry = self.entry(region);
        let position = entry.position.load(Ordering::Relaxed);
        if position == 0 {
            return true;
        }
        // A position above `last` belongs to a sample that is being published, or to a publisher
        // that died with the lock and whose successor has not yet recovered the table.
        if position >= self.last.load(Ordering::Relaxed) {
            return false;
        }
        match retention {
            Retention::Ignore => true,
            Retention::Keep(bytes) => {
                let sum = self.large_bytes.load(Ordering::Relaxed);
                let since = sum.wrapping_sub(entry.start.load(Ordering::Relaxed));
                // Signed: invalid words of a peer make it retained forever, not free at once.
                i64::try_from(since)
                    .is_ok_and(|since| since > i64::try_from(bytes).unwrap_or(i64::MAX))
            }
        }
    }

    fn entry(self, region: u16) -> &'a Region {
        &self.entries[usize::from(region)]
    }
}
