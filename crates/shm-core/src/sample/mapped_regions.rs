//! The regions that a subscriber has mapped: they are kept, so that they stay warm.

use std::sync::Arc;

use crate::error::{InvalidSample, ReadError};
use crate::layout;
use crate::sample::reader::Reader;
use crate::sys::{self, FileStat, Mapping};

/// What is known of each region, as far as any was read; most segments use the first few.
#[derive(Debug, Default)]
pub(super) struct MappedRegions {
    mappings: Vec<Option<Arc<Mapping>>>,
    backed: Vec<Backed>,
}

/// How much of a region had memory when it was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Backed {
    bytes: u64,
    /// When the file had been changed last by then.
    changed: u64,
}

impl Backed {
    /// How old a change must be to be told from a later one: the kernel's clock for it may stand
    /// still for as long as a tick, at most a hundredth of a second.
    const SETTLED: u64 = 20_000_000;

    fn found(bytes: u64, changed: u64) -> Self {
        match changed.saturating_add(Self::SETTLED) < sys::unix_nanos() {
            true => Self { bytes, changed },
            // Looked at again next time.
            false => Self::default(),
        }
    }
}

impl MappedRegions {
    /// Maps a pinned region's first `bytes`, if there is memory for so many.
    pub(super) fn map(
        &mut self,
        reader: &Reader,
        region: u16,
        bytes: u64,
    ) -> Result<Arc<Mapping>, ReadError> {
        let stat = reader.stat()?;
        if stat.size < layout::region_offset(region) + bytes {
            return Err(reader.truncated());
        }
        self.check_memory(reader, region, bytes, &stat)?;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
        let index = usize::from(region);
        if self.mappings.len() <= index {
            self.mappings.resize(index + 1, None);
        }
        let mapped = &mut self.mappings[index];
        let is_long_enough = |mapping: &Arc<Mapping>| mapping.len() >= length;
        let mapping = match mapped.take().filter(is_long_enough) {
            Some(mapping) => mapping,
            None => Arc::new(reader.map(region, length)?),
        };
        Ok(Arc::clone(mapped.insert(mapping)))
    }

    /// Checks that a region has memory for what it claims, before anything of it is touched:
    /// publishers reserve before they publish, and reading what has no memory would allocate it.
    ///
    /// The walk over its pages takes a tenth of the time of copying them. So what was found is kept,
    /// and holds for as long as no process has changed the file other than through a mapping: that takes
    /// no memory away, and all else is seen in the time of the last change.
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
        if !reader.is_in_memory {
            return Ok(());
        }
        let index = usize::from(region);
        if self.backed.len() <= index {
            self.backed.resize(index + 1, Backed::default());
        }
        let backed = &mut self.backed[index];
        if backed.changed != stat.changed || backed.bytes < claimed {
            let start = layout::region_offset(region);
            let memory = sys::memory_of(&reader.segment.file, start..start + claimed)
                .map_err(|error| ReadError::io(&reader.segment.key, "looking", error))?;
            has_memory(memory)?;
            *backed = Backed::found(claimed, stat.changed);
        }
        Ok(())
    }
}
