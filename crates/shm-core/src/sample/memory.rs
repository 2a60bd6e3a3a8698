//! The memory of regions: reserved, written, mapped, and given back to the system.

use std::io;
use std::sync::Arc;

use crate::layout::{self, REGIONS};
use crate::segment::Attachment;
use crate::sync::Ordering;
use crate::sys::{self, WritableMapping};

/// What a publisher knows of the memory of regions, whatever their entries say.
#[derive(Debug)]
pub(super) struct RegionMemory {
    mappings: [Option<Arc<WritableMapping>>; REGIONS + 1],
    /// How much of each region is known to lie within the file.
    within_file: [u64; REGIONS + 1],
    /// How much of each region this publisher knows to be written to. What is only reserved looks
    /// like a hole to readers that cannot ask for more (LAYOUT.md, section 8).
    written: [u64; REGIONS + 1],
}

impl RegionMemory {
    pub(super) fn new() -> Self {
        Self {
            mappings: std::array::from_fn(|_| None),
            within_file: [0; REGIONS + 1],
            written: [0; REGIONS + 1],
        }
    }

    /// Maps a claimed region's first `bytes`, which are reserved.
    pub(super) fn map(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
    ) -> io::Result<Arc<WritableMapping>> {
        let mapped = &mut self.mappings[usize::from(region)];
        let is_long_enough = |mapping: &Arc<WritableMapping>| mapping.len() as u64 >= bytes;
        let mapping = match mapped.take().filter(is_long_enough) {
            Some(mapping) => mapping,
            None => map_generously(attachment, region, bytes)?,
        };
        Ok(Arc::clone(mapped.insert(mapping)))
    }

    /// Writes a payload into a claimed region that has no memory for it yet; false where it has.
    ///
    /// Through the file, because memory that is not there yet is then neither cleared first nor
    /// fetched page by page, which would take twice as long as the copy.
    pub(super) fn write_fresh(
        &mut self,
        attachment: &Attachment,
        region: u16,
        payload: &[u8],
    ) -> io::Result<bool> {
        let bytes = payload.len() as u64;
        if is_reserved(attachment, region, bytes) {
            return Ok(false);
        }
        let file = &attachment.segment.file;
        let offset = layout::region_offset(region);
        self.obtain(attachment, region, bytes, || {
            sys::write_at(file, payload, offset)
        })?;
        self.written[usize::from(region)] = bytes;
        Ok(true)
    }

    /// Forgets how much of a region is written to: another publisher has used it since.
    pub(super) fn distrust(&mut self, region: u16) {
        self.written[usize::from(region)] = 0;
    }

    /// Returns `true` if a peer has cut off memory of a region that was written to.
    pub(super) fn was_truncated(&self, region: u16) -> bool {
        let mapping = self.mappings[usize::from(region)].as_ref();
        mapping.is_some_and(|mapping| mapping.was_truncated())
    }

    /// Makes sure that all of a payload counts as written to, also what was not filled.
    pub(super) fn touch(&mut self, region: u16, bytes: u64) {
        let written = &mut self.written[usize::from(region)];
        if *written < bytes
            && let Some(mapping) = &self.mappings[usize::from(region)]
            && let (Ok(from), Ok(to)) = (usize::try_from(*written), usize::try_from(bytes))
        {
            mapping.touch(from..to);
            *written = bytes;
        }
    }

    /// Reserves memory from a claimed region's beginning, unless it has as much already.
    pub(super) fn reserve(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
    ) -> io::Result<()> {
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
    /// A death between two of these stores leaves true bounds: at least `reserved_bytes` have
    /// memory, at most `allocated_max` do (invariant I7).
    fn obtain(
        &mut self,
        attachment: &Attachment,
        region: u16,
        bytes: u64,
        allocate: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let entry = attachment.control().region(region);
        let touched = touched(attachment, region).max(bytes);
        entry.allocated_max.store(touched, Ordering::Relaxed);
        let written = &mut self.written[usize::from(region)];
        *written = entry.reserved_bytes.load(Ordering::Relaxed).min(*written);
        allocate()?;
        entry.reserved_bytes.store(bytes, Ordering::Relaxed);
        let within_file = &mut self.within_file[usize::from(region)];
        *within_file = bytes.max(*within_file);
        Ok(())
    }
}

/// How much memory a region takes, for the sum by which samples are retained.
pub(super) fn charge(attachment: &Attachment, region: u16) -> u64 {
    const PAGE: u64 = 4096;
    touched(attachment, region).max(PAGE)
}

/// Maps a region's first `bytes`, and more: address space costs nothing, so growing seldom maps anew.
fn map_generously(
    attachment: &Attachment,
    region: u16,
    bytes: u64,
) -> io::Result<Arc<WritableMapping>> {
    const LEAST: u64 = 1 << 16;
    let length = bytes.max(LEAST).next_power_of_two();
    let length = usize::try_from(length.min(layout::REGION_STRIDE)).unwrap_or(usize::MAX);
    let offset = layout::region_offset(region);
    WritableMapping::new(&attachment.segment.file, offset, length).map(Arc::new)
}

/// How much memory a region has, at the most.
pub(super) fn touched(attachment: &Attachment, region: u16) -> u64 {
    let entry = attachment.control().region(region);
    // Untrusted: no region is longer than its room.
    entry
        .allocated_max
        .load(Ordering::Relaxed)
        .min(layout::REGION_STRIDE)
}

/// Returns `true` if a region's entry says that so many bytes from its beginning have memory.
fn is_reserved(attachment: &Attachment, region: u16, bytes: u64) -> bool {
    let entry = attachment.control().region(region);
    entry.reserved_bytes.load(Ordering::Relaxed) >= bytes
}

/// Returns `true` if the file is long enough for so many bytes of a region.
fn reaches(attachment: &Attachment, region: u16, bytes: u64) -> io::Result<bool> {
    let size = sys::stat(&attachment.segment.file)?.size;
    Ok(size >= layout::region_offset(region) + bytes)
}

/// Gives a claimed region's memory behind `keep` bytes back to the system.
pub(super) fn give_back(attachment: &Attachment, region: u16, keep: u64) -> io::Result<()> {
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
    entry.allocated_max.store(keep, Ordering::Relaxed);
    Ok(())
}
