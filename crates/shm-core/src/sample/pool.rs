//! A publisher's view of the regions: claiming, growing, letting go, giving memory back.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::PublishError;
use crate::layout::{
    self, Entry, METADATA_CAPACITY, REGION_HEAD_BYTES, REGIONS, SMALL_PAYLOAD_BYTES,
};
use crate::lock_holder::LockHolder;
use crate::message::{Metadata, MetadataError};
use crate::sample::exchange;
use crate::sample::exchange::{Claims, Pins};
use crate::segment::Attachment;
use crate::sync::Ordering;
use crate::sys::{self, ByteLock, WritableMapping};

/// Over how many samples "the largest of late" looks back.
const RECENT: usize = 8;
/// Every so many publications memory that is no longer needed is given back.
const TRIM_EVERY: u64 = 16;
/// The same where there was none the last time: only other publishers can have left some since.
const TRIM_SELDOM: u64 = 1024;
/// Memory below this is not worth a system call to give back.
const WORTH_TRIMMING: u64 = 1 << 20;
/// From this length on a payload that has no memory yet is written through the file.
const WRITTEN_FRESH: u64 = 1 << 14;
/// What processors fetch at once; a wrong guess costs speed only.
const CACHE_LINE: usize = 64;
/// How many regions stay claimed after small samples, beside the one that is ready: the latest,
/// and the one before, which slow readers may still be copying.
const KEPT: usize = 2;
/// Who publishes small samples within this time of each other is hasty, and keeps its regions.
const HASTY: Duration = Duration::from_millis(100);
/// Regions above this are always given back, so that there is room for everybody however many
/// publishers keep theirs.
const LAST_KEPT: u16 = 64;

/// What a publisher knows of the regions. One publisher, one pool, behind a mutex.
#[derive(Debug)]
pub(crate) struct Pool {
    mappings: [Option<Arc<WritableMapping>>; REGIONS + 1],
    /// Regions that this handle holds the byte of. The kernel would grant it
    /// twice to the same open file, so it has to be remembered here.
    claimed: [bool; REGIONS + 1],
    /// Claimed ahead for the next loan, off the path that readers wait for.
    ready: Option<u16>,
    /// Published, and still claimed, the oldest first: small samples are read without a pin, so
    /// that who publishes them hastily can do without giving bytes back and claiming them again.
    kept: VecDeque<u16>,
    /// What was published last, as it was encoded, and the region that has it in its head already.
    metadata: Metadata,
    encoded: Box<[u8; METADATA_CAPACITY]>,
    metadata_bytes: usize,
    likened: Option<u16>,
    /// How much of each region is known to lie within the file, whatever its entry says.
    within_file: [u64; REGIONS + 1],
    /// How much of each region this publisher knows to be written to. What is only reserved looks
    /// like a hole to readers that cannot ask for more (LAYOUT.md, section 7).
    written: [u64; REGIONS + 1],
    /// The sample that this publisher put into each region last: where another stands there, others
    /// have used the region since.
    own: [u64; REGIONS + 1],
    recent: [u64; RECENT],
    /// Never trim below this: the caller reserved it.
    floor: u64,
    published: u64,
    /// When the last one was, by the wall clock, if it was small.
    small_at: u64,
    /// How many publications make it time to look for memory to give back.
    trim_at: u64,
}

impl Pool {
    pub(crate) fn new(floor: u64) -> Self {
        Self {
            mappings: std::array::from_fn(|_| None),
            claimed: [false; REGIONS + 1],
            ready: None,
            kept: VecDeque::with_capacity(KEPT + 1),
            metadata: Metadata::Text,
            encoded: Box::new([0; METADATA_CAPACITY]),
            metadata_bytes: 0,
            likened: None,
            within_file: [0; REGIONS + 1],
            written: [0; REGIONS + 1],
            own: [0; REGIONS + 1],
            recent: [0; RECENT],
            floor,
            published: 0,
            small_at: 0,
            trim_at: TRIM_EVERY,
        }
    }

    /// Claims a region with memory for `payload` bytes, and maps it.
    pub(crate) fn take(
        &mut self,
        attachment: &Attachment,
        payload: u64,
    ) -> Result<(u16, Arc<WritableMapping>), PublishError> {
        self.take_with(attachment, |pool, region| {
            let mapping = pool.grow(attachment, region, payload)?;
            Ok((region, Arc::clone(mapping)))
        })
    }

    /// Claims a region, and copies a payload into it.
    pub(crate) fn take_filled(
        &mut self,
        attachment: &Attachment,
        payload: &[u8],
    ) -> Result<u16, PublishError> {
        self.take_with(attachment, |pool, region| {
            pool.fill(attachment, region, payload)?;
            Ok(region)
        })
    }

    fn take_with<T>(
        &mut self,
        attachment: &Attachment,
        prepare: impl FnOnce(&mut Self, u16) -> Result<T, PublishError>,
    ) -> Result<T, PublishError> {
        let region = match self.ready.take() {
            Some(region) => region,
            None => self.claim_or_reuse(attachment)?,
        };
        let prepared = prepare(self, region);
        if prepared.is_err() {
            self.put_back(attachment, region);
        }
        prepared
    }

    /// Copies a payload into a claimed region.
    #[expect(unsafe_code, reason = "a slice of claimed memory")]
    fn fill(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: &[u8],
    ) -> Result<(), PublishError> {
        let length = payload.len() as u64;
        let bytes = METADATA_CAPACITY as u64 + length;
        if length >= WRITTEN_FRESH && !is_reserved(attachment, region, bytes) {
            self.grow(attachment, region, 0)?;
            if self.write_fresh(attachment, region, payload).is_ok() {
                return self.grow(attachment, region, length).map(drop);
            }
            // What is wrong, or that idle memory elsewhere helps, is found out below.
        }
        let mapping = self.grow(attachment, region, length)?;
        // SAFETY: the region's byte is write-locked and it is not on loan, so
        // nobody else reads or writes it (LAYOUT.md, invariant I4).
        unsafe { mapping.slice_mut(METADATA_CAPACITY, payload.len()) }.copy_from_slice(payload);
        Ok(())
    }

    /// Writes a payload to where there is no memory yet: through the file, because then it is neither
    /// cleared first nor fetched page by page, which would take twice as long as the copy.
    fn write_fresh(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: &[u8],
    ) -> io::Result<()> {
        let bytes = METADATA_CAPACITY as u64 + payload.len() as u64;
        let offset = layout::region_offset(region) + METADATA_CAPACITY as u64;
        self.obtain(attachment, region, bytes, || {
            sys::write_at(&attachment.segment.file, payload, offset)
        })?;
        self.written[usize::from(region)] = bytes;
        Ok(())
    }

    /// Makes sure that a claimed region has memory for `payload` bytes, and maps all of it.
    pub(crate) fn grow(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: u64,
    ) -> Result<&Arc<WritableMapping>, PublishError> {
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
        let mapped = &mut self.mappings[usize::from(region)];
        let long_enough = |mapping: &Arc<WritableMapping>| mapping.len() as u64 >= bytes;
        let mapping = match mapped.take().filter(long_enough) {
            Some(mapping) => mapping,
            None => map(attachment, region, bytes)
                .map_err(|error| PublishError::io(key, "mapping", payload, error))?,
        };
        Ok(mapped.insert(mapping))
    }

    /// Writes metadata in front of a claimed region's payload, unless it stands there already; its
    /// length.
    #[expect(unsafe_code, reason = "a slice of claimed memory")]
    pub(crate) fn describe(
        &mut self,
        region: u16,
        metadata: &Metadata,
        payload_bytes: u64,
    ) -> Result<usize, MetadataError> {
        if self.likened == Some(region) && self.metadata == *metadata {
            metadata.check(payload_bytes)?;
            return Ok(self.metadata_bytes);
        }
        // Not known any more, should this fail.
        self.likened = None;
        self.metadata_bytes = metadata.encode(payload_bytes, &mut self.encoded)?;
        self.metadata = metadata.clone();
        if let Some(mapping) = &self.mappings[usize::from(region)] {
            // SAFETY: the region's byte is write-locked, and whoever has it on
            // loan is publishing it, so nobody else reads or writes it
            // (LAYOUT.md, invariant I4).
            let head = unsafe { mapping.slice_mut(0, self.metadata_bytes) };
            head.copy_from_slice(&self.encoded[..self.metadata_bytes]);
        }
        Ok(self.metadata_bytes)
    }

    /// Makes sure that all of a payload counts as written to, also what nobody has filled.
    pub(crate) fn touch(&mut self, region: u16, payload: u64) {
        let end = METADATA_CAPACITY as u64 + payload;
        let written = &mut self.written[usize::from(region)];
        if *written < end
            && let Some(mapping) = &self.mappings[usize::from(region)]
            && let (Ok(from), Ok(to)) = (usize::try_from(*written), usize::try_from(end))
        {
            mapping.touch(from..to);
            *written = end;
        }
    }

    /// Tells whether a peer has cut off memory of a region that was written to.
    pub(crate) fn was_truncated(&self, region: u16) -> bool {
        let mapping = self.mappings[usize::from(region)].as_ref();
        mapping.is_some_and(|mapping| mapping.was_truncated())
    }

    /// The time of a publication. Of a small and hasty one by the last tick, some milliseconds ago:
    /// the exact time takes longer than all the rest.
    pub(crate) fn moment(&self, payload: u64) -> u64 {
        let tick = sys::unix_nanos_of_tick();
        if self.is_hasty(tick, payload) {
            tick
        } else {
            sys::unix_nanos()
        }
    }

    fn is_hasty(&self, moment: u64, payload: u64) -> bool {
        let since = Duration::from_nanos(moment.abs_diff(self.small_at));
        since < HASTY && payload <= SMALL_PAYLOAD_BYTES as u64
    }

    /// Keeps a region that was not published for the next loan, or frees it.
    pub(crate) fn put_back(&mut self, attachment: &Attachment, region: u16) {
        if self.ready.is_none() {
            self.ready = Some(region);
        } else {
            self.let_go(attachment, region);
        }
    }

    /// After a publication: gives the region's byte back, or keeps it; claims the next region, and
    /// now and then gives memory back.
    pub(crate) fn published(&mut self, attachment: &Attachment, region: u16, entry: &Entry) {
        let payload = entry.payload_bytes;
        self.own[usize::from(region)] = entry.generation;
        let is_kept = region <= LAST_KEPT && self.is_hasty(entry.published, payload);
        let is_small = payload <= SMALL_PAYLOAD_BYTES as u64;
        self.small_at = if is_small { entry.published } else { 0 };
        self.kept.push_back(region);
        if !is_kept {
            self.let_kept_go(attachment);
        }
        let slot = usize::try_from(self.published % RECENT as u64).unwrap_or(0);
        self.recent[slot] = METADATA_CAPACITY as u64 + payload;
        self.published += 1;
        self.prepare_next(attachment);
        if let Some(next) = self.ready.filter(|_| is_kept) {
            self.liken(next, payload);
        }
        if payload > WORTH_TRIMMING {
            self.trim_at = self
                .trim_at
                .min(self.published.next_multiple_of(TRIM_EVERY));
        }
        if self.published >= self.trim_at {
            let found = self.trim(attachment, 1);
            self.trim_at = self.published + if found { TRIM_EVERY } else { TRIM_SELDOM };
        }
    }

    fn prepare_next(&mut self, attachment: &Attachment) {
        if self.ready.is_none() && self.kept.len() > KEPT {
            self.ready = self.reuse_kept(attachment);
        }
        if self.ready.is_none() {
            // Where none is free now, the next loan tries again and says so.
            self.ready = self.claim(attachment).ok().flatten();
        }
        if let Some(region) = self.ready {
            self.shrink(attachment, region);
        }
    }

    /// Makes the next region look like the one that was published last: most samples have the
    /// metadata and the length of the one before, and the cache lines, which readers have had, are
    /// then fetched off the path that readers wait for.
    #[expect(unsafe_code, reason = "slices of claimed memory")]
    fn liken(&mut self, next: u16, payload: u64) {
        let Some(mapping) = &self.mappings[usize::from(next)] else {
            return;
        };
        let payload = usize::try_from(payload).unwrap_or(0);
        // SAFETY: the region's byte is write-locked and it is not on loan, so
        // nobody else reads or writes it (LAYOUT.md, invariant I4).
        let region = unsafe { mapping.slice_mut(0, METADATA_CAPACITY + payload) };
        let (head, payload) = region.split_at_mut(METADATA_CAPACITY);
        let (head, metadata) = (
            &mut head[..self.metadata_bytes],
            &self.encoded[..self.metadata_bytes],
        );
        // What stands there already is not written, so that readers keep its cache line.
        if head != metadata {
            head.copy_from_slice(metadata);
        }
        for line in payload.chunks_mut(CACHE_LINE) {
            line[0] = 0;
        }
        self.likened = Some(next);
    }

    /// Takes the kept region that was published first, unless it is the latest.
    fn reuse_kept(&mut self, attachment: &Attachment) -> Option<u16> {
        let is_free = |region: &u16| exchange(attachment.control()).reuse(*region);
        self.kept.pop_front_if(|region| is_free(region))
    }

    /// Gives a region's byte back.
    fn let_go(&mut self, attachment: &Attachment, region: u16) {
        attachment.release(region);
        self.claimed[usize::from(region)] = false;
        self.likened = self.likened.filter(|&likened| likened != region);
    }

    fn let_kept_go(&mut self, attachment: &Attachment) {
        while let Some(region) = self.kept.pop_front() {
            self.let_go(attachment, region);
        }
    }

    /// Overwrites every region that can be claimed; how many could not, because somebody reads them.
    pub(crate) fn erase(&mut self, attachment: &Attachment) -> io::Result<usize> {
        let mut pinned = 0;
        let ready = self.ready.take();
        if let Some(region) = ready {
            self.let_go(attachment, region);
        }
        self.let_kept_go(attachment);
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
        let offset = layout::region_offset(region);
        self.obtain(attachment, region, bytes, || {
            sys::reserve(&attachment.segment.file, offset, bytes)
        })
    }

    /// Lets `allocate` obtain memory for so many bytes from a claimed region's beginning.
    ///
    /// Whoever dies between two of these stores leaves true bounds: at least `reserved_bytes` have
    /// memory, at most `touched_bytes` do (invariant I8).
    fn obtain(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
        allocate: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let entry = attachment.control().region(region);
        let touched = touched(attachment, region).max(bytes);
        entry.touched_bytes.store(touched, Ordering::Relaxed);
        let written = &mut self.written[usize::from(region)];
        *written = entry.reserved_bytes.load(Ordering::Relaxed).min(*written);
        allocate()?;
        entry.reserved_bytes.store(bytes, Ordering::Relaxed);
        let within_file = &mut self.within_file[usize::from(region)];
        *within_file = bytes.max(*within_file);
        Ok(())
    }

    /// Claims the first region that is free; nothing where none is.
    fn claim(&mut self, attachment: &Attachment) -> io::Result<Option<u16>> {
        for region in regions() {
            if self.try_claim(attachment, region)? {
                return Ok(Some(region));
            }
        }
        Ok(None)
    }

    /// Claims a region, or takes back one that was kept where others hold all the rest.
    fn claim_or_reuse(&mut self, attachment: &Attachment) -> Result<u16, PublishError> {
        let claimed = self.claim(attachment);
        match claimed {
            Ok(Some(region)) => return Ok(region),
            Ok(None) => {}
            Err(error) => {
                return Err(PublishError::io(
                    attachment.key(),
                    "claiming a region",
                    0,
                    error,
                ));
            }
        }
        self.reuse_kept(attachment)
            .ok_or_else(|| regions_full(attachment))
    }

    /// Claims a region unless it is the latest, on loan, or read by somebody.
    fn try_claim(&mut self, attachment: &Attachment, region: u16) -> io::Result<bool> {
        let index = usize::from(region);
        if self.claimed[index] {
            return Ok(false);
        }
        let entry = attachment.control().region(region);
        if entry.generation.load(Ordering::Relaxed) != self.own[index] {
            self.written[index] = 0;
        }
        let is_claimed = exchange(attachment.control()).claim(attachment, region)?;
        if is_claimed {
            // Claiming has withdrawn what stood there.
            self.own[index] = 0;
        }
        self.claimed[index] = is_claimed;
        Ok(is_claimed)
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
    ///
    /// True where any region had enough to be worth it, whether or not it was free.
    fn trim(&mut self, attachment: &Attachment, spare: usize) -> bool {
        let mut free = 0;
        let mut found = false;
        for region in regions() {
            if touched(attachment, region) <= WORTH_TRIMMING {
                continue;
            }
            found = true;
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
        found
    }
}

/// All regions, the lowest first: so the same few stay warm.
fn regions() -> impl DoubleEndedIterator<Item = u16> {
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
    let held = regions().rev().map(layout::region_byte).find(is_held);
    PublishError::RegionsFull {
        key: attachment.key().clone(),
        holder: held.map_or(LockHolder::Unknown, |byte| {
            LockHolder::find(file, byte, ByteLock::Write)
        }),
    }
}

/// Maps a region's first `bytes`, and more: address space costs nothing, so growing seldom maps anew.
fn map(attachment: &Attachment, region: u16, bytes: u64) -> io::Result<Arc<WritableMapping>> {
    let length = bytes.next_power_of_two().min(layout::REGION_STRIDE);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let offset = layout::region_offset(region);
    WritableMapping::new(&attachment.segment.file, offset, length).map(Arc::new)
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
