//! The memory of regions: reserved, written, mapped, and released to the system.

use std::borrow::Borrow;
use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::layout::{self, Region};
use crate::segment::Attachment;
use crate::sync::Ordering;
use crate::sys::{self, Mapping, WritableMapping};

/// A region of a publisher's segment.
#[derive(Clone, Copy)]
pub(super) struct RegionRef<'a> {
    pub(super) attachment: &'a Attachment,
    pub(super) number: u16,
}

impl<'a> RegionRef<'a> {
    fn entry(self) -> &'a Region {
        self.attachment.control().region(self.number)
    }

    fn file(self) -> &'a File {
        &self.attachment.segment.file
    }

    fn offset(self) -> u64 {
        layout::region_offset(self.number)
    }

    /// Returns the upper bound of the memory that the region has.
    pub(super) fn allocated_max(self) -> u64 {
        let bytes = self.entry().allocated_max.load(Ordering::Relaxed);
        // Untrusted: no region is longer than its stride.
        bytes.min(layout::REGION_STRIDE)
    }

    /// Returns `true` if the region's entry claims memory for its first `bytes`.
    fn is_reserved(self, bytes: u64) -> bool {
        self.entry().reserved_bytes.load(Ordering::Relaxed) >= bytes
    }

    /// Returns how much memory the region counts as for retention.
    pub(super) fn charge(self) -> u64 {
        const PAGE: u64 = 4096;
        self.allocated_max().max(PAGE)
    }

    /// Releases the memory of a claimed region beyond `keep` bytes to the system.
    pub(super) fn release_memory(self, keep: u64) -> io::Result<()> {
        let entry = self.entry();
        let allocated = self.allocated_max();
        if allocated <= keep {
            return Ok(());
        }
        let reserved = entry.reserved_bytes.load(Ordering::Relaxed).min(keep);
        entry.reserved_bytes.store(reserved, Ordering::Relaxed);
        // Rounded up, because memory is reserved in whole pages.
        let end = allocated.next_multiple_of(layout::BLOCK_OFFSET);
        sys::punch(self.file(), self.offset() + keep, end - keep)?;
        entry.allocated_max.store(keep, Ordering::Relaxed);
        Ok(())
    }
}

/// Returns a cached mapping of a region if it has at least `bytes`; otherwise replaces it by what
/// `map` returns for a length.
///
/// Maps more than `bytes`: address space costs nothing, and a growing sample is seldom mapped again.
pub(super) fn map_cached<M: Borrow<Mapping>>(
    cache: &mut Option<Arc<M>>,
    bytes: u64,
    map: impl FnOnce(usize) -> io::Result<M>,
) -> io::Result<Arc<M>> {
    const MIN_MAPPED_BYTES: u64 = 1 << 16;
    let is_long_enough = |mapping: &Arc<M>| M::borrow(mapping).len() as u64 >= bytes;
    let mapping = match cache.take().filter(is_long_enough) {
        Some(mapping) => mapping,
        None => {
            let length = bytes.max(MIN_MAPPED_BYTES).next_power_of_two();
            let length = length.min(layout::REGION_STRIDE);
            Arc::new(map(usize::try_from(length).unwrap_or(usize::MAX))?)
        }
    };
    Ok(Arc::clone(cache.insert(mapping)))
}

/// What a publisher knows of a region, whatever its entry claims.
#[derive(Debug, Default)]
pub(super) struct RegionState {
    mapping: Option<Arc<WritableMapping>>,
    /// How many bytes of the region are known to lie within the file.
    in_file_bytes: u64,
    /// How many bytes of the region this publisher knows to be written to. Memory that is only
    /// reserved looks like a hole to readers that can use nothing but `SEEK_HOLE` (LAYOUT.md,
    /// section 8).
    written_bytes: u64,
    /// This handle holds the lock on the region's byte. The kernel would grant it twice to the same
    /// open file, so it is recorded here.
    pub(super) is_claimed: bool,
    /// The position of the record by which this publisher named the region last: if the entry has
    /// another, other publishers have used the region since.
    pub(super) own_position: u64,
}

impl RegionState {
    /// Maps a claimed region's first `bytes`, which are reserved.
    pub(super) fn map(
        &mut self,
        of: RegionRef<'_>,
        bytes: u64,
    ) -> io::Result<Arc<WritableMapping>> {
        map_cached(&mut self.mapping, bytes, |length| {
            WritableMapping::new(of.file(), of.offset(), length)
        })
    }

    /// Writes a payload into a claimed region without memory for it; returns `false` if it has
    /// memory.
    ///
    /// Writes through the file, because the kernel then neither zeroes the new memory nor faults it
    /// in page by page, which would take twice as long as the copy.
    pub(super) fn write_unreserved(
        &mut self,
        of: RegionRef<'_>,
        payload: &[u8],
    ) -> io::Result<bool> {
        let bytes = payload.len() as u64;
        if of.is_reserved(bytes) {
            return Ok(false);
        }
        self.allocate_with(of, bytes, || sys::write_at(of.file(), payload, of.offset()))?;
        self.written_bytes = bytes;
        Ok(true)
    }

    /// Forgets how much of the region is written to, because another publisher has used it since.
    pub(super) fn forget_written(&mut self) {
        self.written_bytes = 0;
    }

    /// Returns `true` if a peer has truncated the file under memory that was written to.
    pub(super) fn was_truncated(&self) -> bool {
        let mapping = self.mapping.as_ref();
        mapping.is_some_and(|mapping| mapping.was_truncated())
    }

    /// Ensures that all of a payload counts as written to, including what was not filled.
    pub(super) fn touch(&mut self, bytes: u64) {
        let range = (self.written_bytes.try_into(), bytes.try_into());
        if let (true, Some(mapping), (Ok(from), Ok(to))) =
            (self.written_bytes < bytes, &self.mapping, range)
        {
            mapping.touch(from..to);
            self.written_bytes = bytes;
        }
    }

    /// Reserves memory for a claimed region's first `bytes`, unless it has as much already.
    pub(super) fn reserve(&mut self, of: RegionRef<'_>, bytes: u64) -> io::Result<()> {
        if of.is_reserved(bytes) {
            // Untrusted: a write beyond the end of the file would raise SIGBUS.
            if self.in_file_bytes < bytes && sys::stat(of.file())?.size >= of.offset() + bytes {
                self.in_file_bytes = bytes;
            }
            if self.in_file_bytes >= bytes {
                return Ok(());
            }
        }
        self.allocate_with(of, bytes, || sys::reserve(of.file(), of.offset(), bytes))
    }

    /// Runs `allocate`, which allocates memory for a claimed region's first `bytes`.
    ///
    /// A crash between two of these stores leaves true bounds: at least `reserved_bytes` have
    /// memory, at most `allocated_max` do (invariant I7).
    fn allocate_with(
        &mut self,
        of: RegionRef<'_>,
        bytes: u64,
        allocate: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        let entry = of.entry();
        let allocated = of.allocated_max().max(bytes);
        entry.allocated_max.store(allocated, Ordering::Relaxed);
        let reserved = entry.reserved_bytes.load(Ordering::Relaxed);
        self.written_bytes = self.written_bytes.min(reserved);
        allocate()?;
        entry.reserved_bytes.store(bytes, Ordering::Relaxed);
        self.in_file_bytes = self.in_file_bytes.max(bytes);
        Ok(())
    }
}
