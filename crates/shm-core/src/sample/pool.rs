//! The regions of a publisher: claimed, named by a record, erased, and their memory given back.

use std::io;
use std::sync::Arc;

use crate::error::{PublishError, PublishErrorKind};
use crate::layout::{self, REGIONS};
use crate::lock_holder::LockHolder;
use crate::sample::memory::{self, RegionMemory};
use crate::sample::regions::{Claims, Pins, Regions, Retention};
use crate::segment::Attachment;
use crate::sys::{self, ByteLock, WritableMapping};

/// Over how many samples "the largest of the last" looks back.
const RECENT: usize = 8;
/// Every so many publications memory that is no longer needed is given back.
const TRIM_EVERY: u64 = 16;
/// The same where there was none the last time: only other publishers can have left some since.
const TRIM_SELDOM: u64 = 1024;
/// Memory below this is not worth a system call to give back.
const WORTH_TRIMMING: u64 = 1 << 20;

/// What a publisher knows of the regions. One publisher, one pool, behind a mutex.
#[derive(Debug)]
pub(crate) struct RegionPool {
    pub(super) memory: RegionMemory,
    /// Regions that this handle holds the byte of. The kernel would grant it twice to the same open
    /// file, so it is remembered here.
    claimed: [bool; REGIONS + 1],
    /// The position of the record by which this publisher named each region last: if another stands
    /// there, other publishers have used the region since.
    own: [u64; REGIONS + 1],
    /// Lengths of the last samples; inline ones count as nothing.
    recent: [u64; RECENT],
    /// Never trim below this: the caller reserved it.
    floor: u64,
    published: u64,
    /// How many publications make it time to look for memory to give back.
    trim_at: u64,
}

impl RegionPool {
    pub(crate) fn new(floor: u64) -> Self {
        Self {
            memory: RegionMemory::new(),
            claimed: [false; REGIONS + 1],
            own: [0; REGIONS + 1],
            recent: [0; RECENT],
            floor,
            published: 0,
            trim_at: TRIM_EVERY,
        }
    }

    /// Claims a region with memory for `bytes`, and maps it.
    pub(crate) fn take(
        &mut self,
        attachment: &Attachment,
        bytes: u64,
    ) -> Result<(u16, Arc<WritableMapping>), PublishError> {
        let region = self.claim(attachment)?;
        match self.grow(attachment, region, bytes) {
            Ok(mapping) => Ok((region, mapping)),
            Err(error) => {
                self.put_back(attachment, region);
                Err(error)
            }
        }
    }

    /// Claims a region, and copies a payload into it.
    pub(crate) fn take_filled(
        &mut self,
        attachment: &Attachment,
        payload: &[u8],
    ) -> Result<u16, PublishError> {
        let region = self.claim(attachment)?;
        let filled = self.fill(attachment, region, payload);
        if filled.is_err() {
            self.put_back(attachment, region);
        }
        filled.map(|()| region)
    }

    /// Makes sure that a claimed region has memory for `bytes`, and maps all of it.
    pub(crate) fn grow(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
    ) -> Result<Arc<WritableMapping>, PublishError> {
        let key = attachment.key();
        if bytes > layout::MAX_PAYLOAD_BYTES {
            return Err(PublishError::new(key, PublishErrorKind::TooLarge { bytes }));
        }
        // Never nothing, which cannot be mapped.
        let bytes = bytes.max(1);
        self.reserve_or_make_room(attachment, region, bytes)
            .map_err(|error| PublishError::io(key, "reserving memory", bytes, error))?;
        self.memory
            .map(attachment, region, bytes)
            .map_err(|error| PublishError::io(key, "mapping", bytes, error))
    }

    /// Frees a region that was not published.
    pub(crate) fn put_back(&mut self, attachment: &Attachment, region: u16) {
        attachment.release(region);
        self.claimed[usize::from(region)] = false;
    }

    /// Notes that a region was named by the record at `position`, and so is not claimed any more.
    pub(crate) fn handed_over(&mut self, region: u16, position: u64) {
        let index = usize::from(region);
        self.claimed[index] = false;
        self.own[index] = position;
    }

    /// Notes a publication of so many bytes in a region; now and then gives memory back.
    #[inline]
    pub(crate) fn published(&mut self, attachment: &Attachment, bytes: u64) {
        let slot = usize::try_from(self.published % RECENT as u64).unwrap_or(0);
        self.recent[slot] = bytes;
        self.published += 1;
        if bytes > WORTH_TRIMMING {
            let soon = self.published.next_multiple_of(TRIM_EVERY);
            self.trim_at = self.trim_at.min(soon);
        }
        if self.published >= self.trim_at {
            self.trim(attachment);
        }
    }

    /// Erases every region that can be claimed; how many could not, because somebody reads them.
    ///
    /// Only while holding the segment's lock, after a clearing was published.
    pub(crate) fn erase(&mut self, attachment: &Attachment) -> io::Result<usize> {
        let mut pinned = 0;
        for region in all() {
            if memory::touched(attachment, region) == 0 || self.claimed[usize::from(region)] {
                continue;
            }
            if self.try_claim(attachment, region, Retention::GiveWay)? {
                let erased = memory::give_back(attachment, region, 0);
                self.put_back(attachment, region);
                erased?;
            } else {
                pinned += 1;
            }
        }
        Ok(pinned)
    }

    /// Copies a payload into a claimed region.
    #[expect(unsafe_code, reason = "a slice of claimed memory")]
    fn fill(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: &[u8],
    ) -> Result<(), PublishError> {
        let bytes = payload.len() as u64;
        // What is wrong, or that idle memory elsewhere helps, is found out below.
        if bytes <= layout::MAX_PAYLOAD_BYTES
            && let Ok(true) = self.memory.write_fresh(attachment, region, payload)
        {
            return Ok(());
        }
        let mapping = self.grow(attachment, region, bytes)?;
        // SAFETY: the region's byte is write-locked and it is not on loan, so
        // nobody else reads or writes it (LAYOUT.md, invariant I4).
        unsafe { mapping.slice_mut(0, payload.len()) }.copy_from_slice(payload);
        Ok(())
    }

    /// Claims a region: one that nobody needs, else the one whose sample is the oldest.
    fn claim(&mut self, attachment: &Attachment) -> Result<u16, PublishError> {
        let key = attachment.key();
        let failed = |error| PublishError::io(key, "claiming a region", 0, error);
        let retention = Retention::Keep(attachment.retain_bytes());
        for region in all() {
            if self
                .try_claim(attachment, region, retention)
                .map_err(failed)?
            {
                return Ok(region);
            }
        }
        for region in oldest_first(attachment) {
            if self
                .try_claim(attachment, region, Retention::GiveWay)
                .map_err(failed)?
            {
                return Ok(region);
            }
        }
        Err(regions_full(attachment))
    }

    fn try_claim(
        &mut self,
        attachment: &Attachment,
        region: u16,
        retention: Retention,
    ) -> io::Result<bool> {
        let index = usize::from(region);
        if self.claimed[index] {
            return Ok(false);
        }
        if regions(attachment).position(region) != self.own[index] {
            self.memory.distrust(region);
        }
        let is_claimed = regions(attachment).claim(attachment, region, retention)?;
        if is_claimed {
            // Claiming has withdrawn what stood there.
            self.own[index] = 0;
        }
        self.claimed[index] = is_claimed;
        Ok(is_claimed)
    }

    /// Reserves memory; where there is none left, gives up what is idle, then what is retained.
    fn reserve_or_make_room(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
    ) -> io::Result<()> {
        let is_full = |reserved: &io::Result<()>| {
            reserved
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::StorageFull)
        };
        let mut reserved = self.memory.reserve(attachment, region, bytes);
        let retention = Retention::Keep(attachment.retain_bytes());
        let idle = all().map(|region| (region, retention));
        let retained = oldest_first(attachment);
        let retained = retained
            .into_iter()
            .map(|region| (region, Retention::GiveWay));
        for (other, retention) in idle.chain(retained) {
            if !is_full(&reserved) {
                break;
            }
            if memory::touched(attachment, other) > 0
                && matches!(self.try_claim(attachment, other, retention), Ok(true))
            {
                let _kept = memory::give_back(attachment, other, 0);
                self.put_back(attachment, other);
                reserved = self.memory.reserve(attachment, region, bytes);
            }
        }
        reserved
    }

    /// Gives memory back that samples like the last ones do not need.
    #[cold]
    fn trim(&mut self, attachment: &Attachment) {
        let needed = self.recent.iter().copied().fold(self.floor, u64::max);
        let retention = Retention::Keep(attachment.retain_bytes());
        let (mut has_spare, mut found) = (false, false);
        for region in all() {
            let touched = memory::touched(attachment, region);
            if touched <= WORTH_TRIMMING {
                continue;
            }
            found = true;
            if !matches!(self.try_claim(attachment, region, retention), Ok(true)) {
                continue;
            }
            // One free region keeps what the next sample needs.
            let keep = if has_spare { 0 } else { needed };
            if touched > keep.saturating_mul(2) && touched - keep > WORTH_TRIMMING {
                // Where this fails the memory stays until the segment ends: no harm but its size.
                let _kept = memory::give_back(
                    attachment,
                    region,
                    keep.next_multiple_of(layout::BLOCK_OFFSET),
                );
            }
            has_spare = true;
            self.put_back(attachment, region);
        }
        self.trim_at = self.published + if found { TRIM_EVERY } else { TRIM_SELDOM };
    }
}

/// The table of regions of a segment.
pub(crate) fn regions(attachment: &Attachment) -> Regions<'_> {
    let control = attachment.control();
    let header = &control.header;
    Regions::new(&header.last, &header.large_bytes, &control.regions)
}

/// All regions, the lowest first: so the same few stay warm.
fn all() -> impl DoubleEndedIterator<Item = u16> {
    1..=u16::try_from(REGIONS).unwrap_or(u16::MAX)
}

/// Says that no region is free, and who has one.
///
/// Not the first: what honest readers read lies in the first few.
#[cold]
fn regions_full(attachment: &Attachment) -> PublishError {
    let file = &attachment.segment.file;
    let is_held = |byte: &u64| {
        matches!(
            sys::refusing_lock(file, *byte..*byte + 1, ByteLock::Write),
            Ok(Some(_))
        )
    };
    let held = all().rev().map(layout::region_byte).find(is_held);
    PublishError::new(
        attachment.key(),
        PublishErrorKind::RegionsFull {
            holder: held.map_or(LockHolder::Unknown, |byte| {
                LockHolder::find(file, byte, ByteLock::Write)
            }),
        },
    )
}

fn oldest_first(attachment: &Attachment) -> Vec<u16> {
    let mut order: Vec<_> = all().collect();
    // Each is looked at once: positions that change meanwhile make no order.
    order.sort_by_cached_key(|&region| regions(attachment).position(region));
    order
}

impl Pins for Attachment {
    type Error = io::Error;

    fn try_pin(&self, region: u16) -> io::Result<bool> {
        let byte = layout::region_byte(region);
        sys::try_lock_byte(&self.segment.file, byte, ByteLock::Read)
    }

    fn release(&self, region: u16) {
        let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
        debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
    }
}

impl Claims for Attachment {
    fn try_claim(&self, region: u16) -> io::Result<bool> {
        let byte = layout::region_byte(region);
        sys::try_lock_byte(&self.segment.file, byte, ByteLock::Write)
    }
}
