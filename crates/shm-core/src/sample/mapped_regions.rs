//! The regions that a subscriber has mapped. Mappings are kept, so that their pages stay mapped.

use std::sync::Arc;

use crate::error::{InvalidSample, ReadError};
use crate::layout;
use crate::sample::memory::map_cached;
use crate::sample::reader::Reader;
use crate::sys::{self, FileStat, Mapping};

/// How old a change must be to be distinguishable from a later one: the kernel's coarse clock for
/// `st_ctime` advances once per tick, which is at most 10 ms.
const CTIME_GRANULARITY_NANOS: u64 = 20_000_000;

/// The regions that were read so far, by number; most segments use the first few.
#[derive(Debug, Default)]
pub(super) struct MappedRegions(Vec<MappedRegion>);

#[derive(Debug, Default)]
struct MappedRegion {
    mapping: Option<Arc<Mapping>>,
    /// How many bytes of the region had memory when that was checked.
    backed_bytes: u64,
    /// The time of the file's last change at that check.
    checked_ctime: u64,
}

impl MappedRegions {
    /// Maps a pinned region's first `bytes`, if they have memory.
    pub(super) fn map(
        &mut self,
        reader: &Reader,
        region: u16,
        bytes: u64,
    ) -> Result<Arc<Mapping>, ReadError> {
        let key = &reader.segment.key;
        let stat = sys::stat(&reader.segment.file)
            .map_err(|error| ReadError::io(key, "reading its status", error))?;
        let offset = layout::region_offset(region);
        if stat.size < offset + bytes {
            return Err(reader.truncated());
        }
        let index = usize::from(region);
        if self.0.len() <= index {
            self.0.resize_with(index + 1, MappedRegion::default);
        }
        let mapped = &mut self.0[index];
        mapped.check_memory(reader, region, bytes, &stat)?;
        map_cached(&mut mapped.mapping, bytes, |length| {
            Mapping::read_only(&reader.segment.file, offset, length)
        })
        .map_err(|error| ReadError::io(key, "mapping", error))
    }
}

impl MappedRegion {
    /// Checks that a region has the memory that it claims, before any of it is read: publishers
    /// reserve before they publish, and reading a hole would allocate it.
    ///
    /// The walk over the region's pages takes a tenth of the time of copying them. So its result is
    /// cached, and valid until a process changes the file other than through a mapping: a mapping
    /// takes no memory away, and every other change updates the time of the last change.
    fn check_memory(
        &mut self,
        reader: &Reader,
        region: u16,
        claimed: u64,
        stat: &FileStat,
    ) -> Result<(), ReadError> {
        let has_memory = |memory: u64| {
            if memory < claimed {
                return Err(reader.invalid(InvalidSample::Memory { bytes: claimed }));
            }
            Ok(())
        };
        // The ring has memory, too.
        let ring = layout::RING_OFFSET as u64 + reader.ring().bytes();
        has_memory(stat.allocated.saturating_sub(ring))?;
        let is_checked = self.checked_ctime == stat.changed && self.backed_bytes >= claimed;
        if !reader.is_in_memory || is_checked {
            return Ok(());
        }
        let start = layout::region_offset(region);
        let memory = sys::memory_of(&reader.segment.file, start..start + claimed)
            .map_err(|error| ReadError::io(&reader.segment.key, "checking its memory", error))?;
        has_memory(memory)?;
        let is_distinct = stat.changed.saturating_add(CTIME_GRANULARITY_NANOS) < sys::unix_nanos();
        // If a later change could have the same time, the next read checks again.
        (self.backed_bytes, self.checked_ctime) = match is_distinct {
            true => (claimed, stat.changed),
            false => (0, 0),
        };
        Ok(())
    }
}
