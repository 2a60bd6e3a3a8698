//! The regions of a publisher: claimed, named by a record, erased, and their memory released.

use std::io;
use std::sync::Arc;

use crate::error::{PublishError, PublishErrorKind};
use crate::layout::{self, REGIONS};
use crate::lock_holder::LockHolder;
use crate::sample::memory::{RegionRef, RegionState};
use crate::sample::regions::{RegionLocks, RegionTable, Retention};
use crate::segment::Attachment;
use crate::sys::{self, ByteLock, WritableMapping};

/// How many samples count as recent.
const RECENT: usize = 8;
/// After how many publications memory that is no longer needed is released.
const TRIM_INTERVAL: u64 = 16;
/// The same if the last trim found no memory: only other publishers can have left some since.
const IDLE_TRIM_INTERVAL: u64 = 1024;
/// Less memory than this is not worth a system call to release it.
const MIN_TRIM_BYTES: u64 = 1 << 20;

/// The regions as one publisher sees them; guarded by its mutex.
#[derive(Debug)]
pub(crate) struct RegionPool {
    regions: [RegionState; REGIONS + 1],
    /// Payload lengths of the recent samples; inline ones count as 0.
    recent: [u64; RECENT],
    /// Memory that is never trimmed, because the caller reserved it.
    floor: u64,
    published: u64,
    /// The number of publications at which the next trim is due.
    trim_at: u64,
}

impl RegionPool {
    pub(crate) fn new(floor: u64) -> Self {
        Self {
            regions: std::array::from_fn(|_| RegionState::default()),
            recent: [0; RECENT],
            floor,
            published: 0,
            trim_at: TRIM_INTERVAL,
        }
    }

    /// Claims a region with memory for `bytes`, and maps it.
    pub(crate) fn acquire(
        &mut self,
        attachment: &Attachment,
        bytes: u64,
    ) -> Result<(u16, Arc<WritableMapping>), PublishError> {
        self.claim_and(attachment, |pool, region| {
            pool.grow(attachment, region, bytes)
        })
    }

    /// Claims a region, and copies a payload into it.
    #[expect(unsafe_code, reason = "a slice of claimed memory")]
    pub(crate) fn acquire_filled(
        &mut self,
        attachment: &Attachment,
        payload: &[u8],
    ) -> Result<u16, PublishError> {
        let bytes = payload.len() as u64;
        let fill = |pool: &mut Self, number| {
            let region = RegionRef { attachment, number };
            // If this fails, `grow` below reports the cause, or releases idle memory and retries.
            let is_valid = bytes <= layout::MAX_PAYLOAD_BYTES;
            if is_valid
                && matches!(
                    pool.state(number).write_unreserved(region, payload),
                    Ok(true)
                )
            {
                return Ok(());
            }
            let mapping = pool.grow(attachment, number, bytes)?;
            // SAFETY: the region's byte is write-locked and it is not on loan, so no other
            // process or thread reads or writes it (LAYOUT.md, invariant I4).
            unsafe { mapping.slice_mut(0, payload.len()) }.copy_from_slice(payload);
            Ok(())
        };
        let (region, ()) = self.claim_and(attachment, fill)?;
        Ok(region)
    }

    /// Ensures that a claimed region has memory for `bytes`, and maps all of it.
    pub(crate) fn grow(
        &mut self,
        attachment: &Attachment,
        number: u16,
        bytes: u64,
    ) -> Result<Arc<WritableMapping>, PublishError> {
        let key = attachment.key();
        if bytes > layout::MAX_PAYLOAD_BYTES {
            return Err(PublishError::new(key, PublishErrorKind::TooLarge { bytes }));
        }
        // At least one, because an empty range cannot be mapped.
        let bytes = bytes.max(1);
        let region = RegionRef { attachment, number };
        self.reserve(region, bytes)
            .map_err(|error| PublishError::io(key, "reserving memory", bytes, error))?;
        self.state(number)
            .map(region, bytes)
            .map_err(|error| PublishError::io(key, "mapping", bytes, error))
    }

    /// Frees a claimed region that was not published.
    pub(crate) fn recycle(&mut self, attachment: &Attachment, region: u16) {
        attachment.release(region);
        self.state(region).is_claimed = false;
    }

    /// Assigns a claimed region to the record that is about to be written at `position`, which ends
    /// the claim. Only while holding the segment's lock.
    pub(super) fn name(&mut self, attachment: &Attachment, number: u16, position: u64) {
        let charge = RegionRef { attachment, number }.charge();
        RegionTable::of(attachment.control()).name(attachment, number, position, charge);
        let state = self.state(number);
        state.is_claimed = false;
        state.own_position = position;
    }

    /// Records a publication of `bytes` in a region; trims from time to time.
    #[inline]
    pub(crate) fn note_published(&mut self, attachment: &Attachment, bytes: u64) {
        let slot = usize::try_from(self.published % RECENT as u64).unwrap_or(0);
        self.recent[slot] = bytes;
        self.published += 1;
        if bytes > MIN_TRIM_BYTES {
            let soon = self.published.next_multiple_of(TRIM_INTERVAL);
            self.trim_at = self.trim_at.min(soon);
        }
        if self.published >= self.trim_at {
            self.trim(attachment);
        }
    }

    /// Erases every region that can be claimed; returns how many could not, because they are pinned
    /// or on loan.
    ///
    /// Only while holding the segment's lock, after a clearing was published.
    pub(crate) fn erase(&mut self, attachment: &Attachment) -> io::Result<usize> {
        let mut pinned = 0;
        for number in region_numbers() {
            let region = RegionRef { attachment, number };
            if region.allocated_max() > 0
                && !self.state(number).is_claimed
                && !self.shrink(region, Retention::Ignore, 0)?
            {
                pinned += 1;
            }
        }
        Ok(pinned)
    }

    pub(super) fn state(&mut self, region: u16) -> &mut RegionState {
        &mut self.regions[usize::from(region)]
    }

    /// Claims a region, a free one or else that of the oldest sample, and runs `prepare` on it;
    /// frees the region if that fails.
    fn claim_and<T>(
        &mut self,
        attachment: &Attachment,
        prepare: impl FnOnce(&mut Self, u16) -> Result<T, PublishError>,
    ) -> Result<(u16, T), PublishError> {
        let key = attachment.key();
        for (number, retention) in candidates(attachment) {
            let is_claimed = self
                .try_claim(RegionRef { attachment, number }, retention)
                .map_err(|error| PublishError::io(key, "claiming a region", 0, error))?;
            if is_claimed {
                return match prepare(self, number) {
                    Ok(prepared) => Ok((number, prepared)),
                    Err(error) => {
                        self.recycle(attachment, number);
                        Err(error)
                    }
                };
            }
        }
        Err(regions_full(attachment))
    }

    fn try_claim(&mut self, region: RegionRef<'_>, retention: Retention) -> io::Result<bool> {
        let (attachment, number) = (region.attachment, region.number);
        let table = RegionTable::of(attachment.control());
        let state = self.state(number);
        if state.is_claimed {
            return Ok(false);
        }
        if table.position(number) != state.own_position {
            state.forget_written();
        }
        state.is_claimed = table.claim(attachment, number, retention)?;
        if state.is_claimed {
            // The claim has set the entry's position to 0.
            state.own_position = 0;
        }
        Ok(state.is_claimed)
    }

    /// Reserves memory; if the file system is full, releases what is idle, then what is retained.
    fn reserve(&mut self, region: RegionRef<'_>, bytes: u64) -> io::Result<()> {
        let attachment = region.attachment;
        let mut reserved = self.state(region.number).reserve(region, bytes);
        for (number, retention) in candidates(attachment) {
            let is_full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
            if !reserved.as_ref().is_err_and(is_full) {
                break;
            }
            let other = RegionRef { attachment, number };
            if other.allocated_max() > 0 && matches!(self.shrink(other, retention, 0), Ok(true)) {
                reserved = self.state(region.number).reserve(region, bytes);
            }
        }
        reserved
    }

    /// Releases memory that samples like the recent ones do not need.
    #[cold]
    fn trim(&mut self, attachment: &Attachment) {
        let needed = self.recent.iter().copied().fold(self.floor, u64::max);
        let retention = Retention::Keep(attachment.retain_bytes());
        let (mut has_spare, mut found) = (false, false);
        for number in region_numbers() {
            let region = RegionRef { attachment, number };
            let allocated = region.allocated_max();
            if allocated <= MIN_TRIM_BYTES {
                continue;
            }
            found = true;
            // One free region keeps what the next sample needs.
            let keep = if has_spare { 0 } else { needed };
            let is_worth_it =
                allocated > keep.saturating_mul(2) && allocated - keep > MIN_TRIM_BYTES;
            let keep = if is_worth_it {
                keep.next_multiple_of(layout::BLOCK_OFFSET)
            } else {
                allocated
            };
            // If this fails, the memory stays allocated until the segment ends, which is harmless.
            has_spare |= matches!(self.shrink(region, retention, keep), Ok(true));
        }
        let interval = if found {
            TRIM_INTERVAL
        } else {
            IDLE_TRIM_INTERVAL
        };
        self.trim_at = self.published + interval;
    }

    /// Releases the memory of a region beyond `keep` bytes; returns `false` if it cannot be
    /// claimed.
    fn shrink(
        &mut self,
        region: RegionRef<'_>,
        retention: Retention,
        keep: u64,
    ) -> io::Result<bool> {
        if !self.try_claim(region, retention)? {
            return Ok(false);
        }
        let released = region.release_memory(keep);
        self.recycle(region.attachment, region.number);
        released.map(|()| true)
    }
}

/// All regions, the lowest first, so that the same few stay in use.
fn region_numbers() -> impl DoubleEndedIterator<Item = u16> {
    1..=u16::try_from(REGIONS).unwrap_or(u16::MAX)
}

/// The regions in the order in which they are claimed: those that are not needed, then all others,
/// the one with the oldest sample first.
fn candidates(attachment: &Attachment) -> impl Iterator<Item = (u16, Retention)> {
    let keep = Retention::Keep(attachment.retain_bytes());
    let oldest_first = || {
        let mut numbers: Vec<_> = region_numbers().collect();
        // Each position is loaded once: a sort needs positions that do not change meanwhile.
        let table = RegionTable::of(attachment.control());
        numbers.sort_by_cached_key(|&number| table.position(number));
        numbers
    };
    let retained = std::iter::once_with(oldest_first).flatten();
    region_numbers()
        .map(move |number| (number, keep))
        .chain(retained.map(|number| (number, Retention::Ignore)))
}

/// Reports that no region is free, and a process that holds one.
///
/// Searches from the last region, because well-behaved readers pin the first few.
#[cold]
fn regions_full(attachment: &Attachment) -> PublishError {
    let file = &attachment.segment.file;
    let is_held = |byte: &u64| {
        matches!(
            sys::refusing_lock(file, *byte..*byte + 1, ByteLock::Write),
            Ok(Some(_))
        )
    };
    let held = region_numbers()
        .rev()
        .map(layout::region_byte)
        .find(is_held);
    let holder = held.map_or(LockHolder::Unknown, |byte| {
        LockHolder::find(file, byte, ByteLock::Write)
    });
    PublishError::new(attachment.key(), PublishErrorKind::RegionsFull { holder })
}

impl RegionLocks for Attachment {
    fn try_lock(&self, region: u16, lock: ByteLock) -> io::Result<bool> {
        sys::try_lock_byte(&self.segment.file, layout::region_byte(region), lock)
    }

    fn release(&self, region: u16) {
        let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
        debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
    }
}
