//! A publisher's view of the regions: claiming, growing, letting go, giving memory back.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use crate::error::PublishError;
use crate::layout::{self, METADATA_CAPACITY, REGION_HEAD_BYTES, REGIONS};
use crate::sample::exchange;
use crate::sample::exchange::{Claims, Pins};
use crate::segment::Attachment;
use crate::sync::Ordering;
use crate::sys::{self, ByteLock, WritableMapping};

/// Over how many samples "the largest of late" looks back.
const RECENT: usize = 8;
/// Every so many publications memory that is no longer needed is given back.
const TRIM_EVERY: u64 = 16;
/// Memory below this is not worth a system call to give back.
const WORTH_TRIMMING: u64 = 1 << 20;

/// What a publisher knows of the regions. One publisher, one pool, behind a mutex.
#[derive(Debug)]
pub(crate) struct Pool {
    mappings: HashMap<u16, Arc<WritableMapping>>,
    /// Regions that this handle holds the byte of. The kernel would grant it
    /// twice to the same open file, so it has to be remembered here.
    claimed: [bool; REGIONS + 1],
    /// Claimed ahead for the next loan, off the path that readers wait for.
    ready: Option<u16>,
    /// How much of each region is known to lie within the file, whatever its entry says.
    within_file: [u64; REGIONS + 1],
    recent: [u64; RECENT],
    /// Never trim below this: the caller reserved it.
    floor: u64,
    published: u64,
}

impl Pool {
    pub(crate) fn new(floor: u64) -> Self {
        Self {
            mappings: HashMap::new(),
            claimed: [false; REGIONS + 1],
            ready: None,
            within_file: [0; REGIONS + 1],
            recent: [0; RECENT],
            floor,
            published: 0,
        }
    }

    /// Claims a region with memory for `payload` bytes, and maps it.
    pub(crate) fn take(
        &mut self,
        attachment: &Attachment,
        payload: u64,
    ) -> Result<(u16, Arc<WritableMapping>), PublishError> {
        let region = match self.ready.take() {
            Some(region) => region,
            None => self.claim(attachment)?,
        };
        match self.grow(attachment, region, payload) {
            Ok(mapping) => Ok((region, mapping)),
            Err(error) => {
                self.put_back(attachment, region);
                Err(error)
            }
        }
    }

    /// Makes sure that a claimed region has memory for `payload` bytes, and maps all of it.
    pub(crate) fn grow(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: u64,
    ) -> Result<Arc<WritableMapping>, PublishError> {
        let key = attachment.key();
        if payload > layout::MAX_PAYLOAD_BYTES {
            return Err(PublishError::TooLarge {
                key: key.clone(),
                bytes: payload,
            });
        }
        let bytes = (METADATA_CAPACITY as u64 + payload).max(REGION_HEAD_BYTES);
        if let Err(error) = self.reserve(attachment, region, bytes) {
            // What lies idle in other regions may be what is missing here.
            self.trim(attachment, 0);
            if error.kind() != io::ErrorKind::StorageFull
                || self.reserve(attachment, region, bytes).is_err()
            {
                return Err(PublishError::io(key, "reserving memory", payload, error));
            }
        }
        if let Some(mapping) = self
            .mappings
            .get(&region)
            .filter(|mapping| mapping.len() as u64 >= bytes)
        {
            return Ok(Arc::clone(mapping));
        }
        // Address space costs nothing: map generously, so that growing seldom maps anew.
        let length = bytes.next_power_of_two().min(layout::REGION_STRIDE);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let offset = layout::region_offset(region);
        let mapping = WritableMapping::new(&attachment.segment.file, offset, length)
            .map_err(|error| PublishError::io(key, "mapping", payload, error))?;
        let mapping = Arc::new(mapping);
        self.mappings.insert(region, Arc::clone(&mapping));
        Ok(mapping)
    }

    /// Keeps a region that was not published for the next loan, or frees it.
    pub(crate) fn put_back(&mut self, attachment: &Attachment, region: u16) {
        if self.ready.is_none() {
            self.ready = Some(region);
        } else {
            self.let_go(attachment, region);
        }
    }

    /// Gives a region's byte back.
    pub(crate) fn let_go(&mut self, attachment: &Attachment, region: u16) {
        attachment.release(region);
        self.claimed[usize::from(region)] = false;
    }

    /// After a publication: claims the next region, and now and then gives memory back.
    pub(crate) fn prepare_next(&mut self, attachment: &Attachment, payload: u64) {
        let slot = usize::try_from(self.published % RECENT as u64).unwrap_or(0);
        self.recent[slot] = METADATA_CAPACITY as u64 + payload;
        self.published += 1;
        if self.ready.is_none() {
            // Where none is free now, the next loan tries again and says so.
            self.ready = self.claim(attachment).ok();
        }
        if let Some(region) = self.ready {
            self.shrink(attachment, region);
        }
        if self.published.is_multiple_of(TRIM_EVERY) {
            self.trim(attachment, 1);
        }
    }

    /// Overwrites every region that can be claimed; how many could not, because somebody reads them.
    pub(crate) fn erase(&mut self, attachment: &Attachment) -> io::Result<usize> {
        let mut pinned = 0;
        let ready = self.ready.take();
        if let Some(region) = ready {
            self.let_go(attachment, region);
        }
        for region in regions() {
            if touched(attachment, region) == 0 || self.claimed[usize::from(region)] {
                continue;
            }
            if !self.try_claim(attachment, region)? {
                pinned += 1;
                continue;
            }
            let blanked = blank(attachment, region);
            self.let_go(attachment, region);
            blanked?;
        }
        Ok(pinned)
    }

    /// Reserves memory from a claimed region's beginning, unless it has as much already.
    ///
    /// Whoever dies between two of these stores leaves true bounds: at least `reserved_bytes` have
    /// memory, at most `touched_bytes` do (invariant I8).
    fn reserve(&mut self, attachment: &Attachment, region: u16, bytes: u64) -> io::Result<()> {
        let within_file = &mut self.within_file[usize::from(region)];
        if is_reserved(attachment, region, bytes) {
            // A liar's word would lead behind the end of the file, where writing is a signal.
            if *within_file < bytes && reaches(attachment, region, bytes)? {
                *within_file = bytes;
            }
            if *within_file >= bytes {
                return Ok(());
            }
        }
        let entry = attachment.control().region(region);
        let touched = touched(attachment, region).max(bytes);
        entry.touched_bytes.store(touched, Ordering::Relaxed);
        let offset = layout::region_offset(region);
        sys::reserve(&attachment.segment.file, offset, bytes)?;
        entry.reserved_bytes.store(bytes, Ordering::Relaxed);
        *within_file = bytes.max(*within_file);
        Ok(())
    }

    fn claim(&mut self, attachment: &Attachment) -> Result<u16, PublishError> {
        let key = attachment.key();
        for region in regions() {
            match self.try_claim(attachment, region) {
                Ok(true) => return Ok(region),
                Ok(false) => {}
                Err(error) => return Err(PublishError::io(key, "claiming a region", 0, error)),
            }
        }
        Err(PublishError::RegionsFull { key: key.clone() })
    }

    /// Claims a region unless it is the latest, on loan, or read by somebody.
    fn try_claim(&mut self, attachment: &Attachment, region: u16) -> io::Result<bool> {
        let claimed = &mut self.claimed[usize::from(region)];
        if !*claimed {
            *claimed = exchange(attachment.control()).claim(attachment, region)?;
            return Ok(*claimed);
        }
        Ok(false)
    }

    /// Gives back what a claimed region has beyond twice the largest sample of late.
    fn shrink(&self, attachment: &Attachment, region: u16) {
        let needed = self
            .recent
            .iter()
            .copied()
            .fold(self.floor.max(REGION_HEAD_BYTES), u64::max);
        let touched = touched(attachment, region);
        if touched > needed.saturating_mul(2) && touched - needed > WORTH_TRIMMING {
            // Where this fails the memory stays ours until the segment ends: no harm but its size.
            let _kept = give_back(
                attachment,
                region,
                needed.next_multiple_of(REGION_HEAD_BYTES),
            );
        }
    }

    /// Gives back the memory of free regions; the first `spare` of them keep what is needed of late.
    fn trim(&mut self, attachment: &Attachment, spare: usize) {
        let mut free = 0;
        for region in regions() {
            if touched(attachment, region) <= WORTH_TRIMMING || self.claimed[usize::from(region)] {
                continue;
            }
            if !matches!(self.try_claim(attachment, region), Ok(true)) {
                continue;
            }
            free += 1;
            if free > spare {
                let _kept = give_back(attachment, region, REGION_HEAD_BYTES);
            } else {
                self.shrink(attachment, region);
            }
            self.let_go(attachment, region);
        }
    }
}

/// All regions, the lowest first: so the same few stay warm.
fn regions() -> impl Iterator<Item = u16> {
    1..=u16::try_from(REGIONS).unwrap_or(u16::MAX)
}

/// Overwrites what a claimed region keeps, and gives back the rest.
#[expect(unsafe_code, reason = "a slice of claimed memory")]
fn blank(attachment: &Attachment, region: u16) -> io::Result<()> {
    let has_head = is_reserved(attachment, region, REGION_HEAD_BYTES)
        && reaches(attachment, region, REGION_HEAD_BYTES)?;
    if !has_head {
        return give_back(attachment, region, 0);
    }
    // Through memory, because no limit on the size of files concerns that.
    let offset = layout::region_offset(region);
    let length = usize::try_from(REGION_HEAD_BYTES).unwrap_or(0);
    let head = WritableMapping::new(&attachment.segment.file, offset, length)?;
    // SAFETY: the region's byte is write-locked, so nobody else reads or
    // writes it (LAYOUT.md, invariant I4), and this is the only slice of it.
    unsafe { head.slice_mut(0, length) }.fill(0);
    give_back(attachment, region, REGION_HEAD_BYTES)
}

/// How much memory a region has, at the most.
fn touched(attachment: &Attachment, region: u16) -> u64 {
    let entry = attachment.control().region(region);
    // A stranger's word: no region is longer than its room.
    entry
        .touched_bytes
        .load(Ordering::Relaxed)
        .min(layout::REGION_STRIDE)
}

/// Tells whether a region's entry says that so many bytes from its beginning have memory.
fn is_reserved(attachment: &Attachment, region: u16, bytes: u64) -> bool {
    let entry = attachment.control().region(region);
    entry.reserved_bytes.load(Ordering::Relaxed) >= bytes
}

/// Tells whether the file is long enough for so many bytes of a region.
fn reaches(attachment: &Attachment, region: u16, bytes: u64) -> io::Result<bool> {
    let size = sys::facts(&attachment.segment.file)?.size;
    Ok(size >= layout::region_offset(region) + bytes)
}

/// Gives a claimed region's memory behind `keep` bytes back to the system.
fn give_back(attachment: &Attachment, region: u16, keep: u64) -> io::Result<()> {
    let entry = attachment.control().region(region);
    let touched = touched(attachment, region);
    if touched <= keep {
        return Ok(());
    }
    let reserved = entry.reserved_bytes.load(Ordering::Relaxed).min(keep);
    entry.reserved_bytes.store(reserved, Ordering::Relaxed);
    // Rounded up, because memory is reserved in whole pages.
    let end = touched.next_multiple_of(layout::BLOCK_OFFSET);
    sys::punch(
        &attachment.segment.file,
        layout::region_offset(region) + keep,
        end - keep,
    )?;
    entry.touched_bytes.store(keep, Ordering::Relaxed);
    Ok(())
}

impl Pins for Attachment {
    type Error = io::Error;

    fn try_pin(&self, region: u16) -> io::Result<bool> {
        sys::try_lock_byte(
            &self.segment.file,
            layout::region_byte(region),
            ByteLock::Read,
        )
    }

    fn release(&self, region: u16) {
        let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
        debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
    }
}

impl Claims for Attachment {
    fn try_claim(&self, region: u16) -> io::Result<bool> {
        sys::try_lock_byte(
            &self.segment.file,
            layout::region_byte(region),
            ByteLock::Write,
        )
    }

    fn admit_readers(&self, region: u16) -> io::Result<()> {
        if self.try_pin(region)? {
            return Ok(());
        }
        // Nobody else can hold a byte that we hold for writing.
        Err(io::ErrorKind::ResourceBusy.into())
    }
}
