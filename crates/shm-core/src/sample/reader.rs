//! What a subscriber and its samples share: the open file, its pins, what it has mapped and decoded.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{InvalidSample, ReadError};
use crate::layout::{self, Control};
use crate::message::{Annotations, Metadata};
use crate::sample::cursor::{Found, PinRegion, Scratch};
use crate::sample::regions::{Pinned, Pins, Regions};
use crate::sample::ring::Ring;
use crate::sample::{Payload, Sample, SampleSource};
use crate::segment::SegmentFile;
use crate::sys::{self, ByteLock, FileFacts, ForkMark, Mapping};

/// An open segment of samples, mapped for reading.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) segment: SegmentFile,
    pub(super) mapping: Mapping,
    pub(crate) id: u128,
    ring_words: usize,
    /// Pins of this open file, by region: the kernel counts them once, so they are counted here.
    pins: Mutex<Vec<u32>>,
    fork: ForkMark,
    /// Its file lives in memory, so that reading a hole allocates.
    is_in_memory: bool,
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

/// Mappings of regions are kept, so that they stay warm; so is the last metadata, because most
/// samples are of the same kind as the one before.
#[derive(Debug)]
pub(super) struct RegionCache {
    /// By region, as far as any was read; most segments use the first few.
    mappings: Vec<Option<Arc<Mapping>>>,
    /// By region, likewise.
    backed: Vec<Backed>,
    /// The metadata that was decoded last, as it was encoded.
    encoded: Vec<u8>,
    source: Arc<SampleSource>,
}

impl Reader {
    pub(super) fn new(segment: SegmentFile, mapping: Mapping, id: u128, ring_bytes: u64) -> Self {
        Self {
            is_in_memory: sys::is_in_memory(&segment.file),
            segment,
            mapping,
            id,
            ring_words: usize::try_from(ring_bytes / 8).unwrap_or(usize::MAX),
            pins: Mutex::default(),
            fork: ForkMark::here(),
        }
    }

    #[inline]
    pub(super) fn control(&self) -> &Control {
        self.mapping.view()
    }

    #[inline]
    pub(super) fn ring(&self) -> Ring<'_> {
        let header = &self.control().header;
        let words = self.mapping.words(layout::RING_OFFSET, self.ring_words);
        Ring::new(&header.last, &header.oldest, words)
    }

    pub(super) fn check_process(&self) -> Result<(), ReadError> {
        if self.fork.is_elsewhere() {
            return Err(ReadError::Forked {
                key: self.segment.key.clone(),
            });
        }
        Ok(())
    }

    pub(super) fn facts(&self) -> Result<FileFacts, ReadError> {
        sys::facts(&self.segment.file)
            .map_err(|error| ReadError::io(&self.segment.key, "looking", error))
    }

    pub(super) fn truncated(&self) -> ReadError {
        ReadError::Truncated {
            key: self.segment.key.clone(),
        }
    }

    pub(super) fn invalid(&self, reason: InvalidSample) -> ReadError {
        ReadError::Invalid {
            key: self.segment.key.clone(),
            reason,
        }
    }

    fn regions(&self) -> Regions<'_> {
        let control = self.control();
        let header = &control.header;
        Regions::new(&header.last, &header.large_bytes, &control.regions)
    }

    fn pins(&self) -> MutexGuard<'_, Vec<u32>> {
        // Every change under it is complete before anything can panic.
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maps a region's first `length` bytes, or more, unless the file ends before.
    fn map(&self, region: u16, length: usize) -> Result<Mapping, ReadError> {
        const LEAST: usize = 1 << 16;
        let generous = length.max(LEAST).next_power_of_two();
        Mapping::read_only(&self.segment.file, layout::region_offset(region), generous)
            .map_err(|error| ReadError::io(&self.segment.key, "mapping", error))
    }
}

impl PinRegion for Reader {
    type Error = ReadError;

    fn pin(&self, region: u16, position: u64) -> Result<Pinned, ReadError> {
        self.regions().pin(self, region, position)
    }
}

impl Pins for Reader {
    type Error = ReadError;

    fn try_pin(&self, region: u16) -> Result<bool, ReadError> {
        let mut pins = self.pins();
        let index = usize::from(region);
        if pins.len() <= index {
            pins.resize(index + 1, 0);
        }
        let count = &mut pins[index];
        let byte = layout::region_byte(region);
        if *count == 0
            && !sys::try_lock_byte(&self.segment.file, byte, ByteLock::Read)
                .map_err(|error| ReadError::io(&self.segment.key, "pinning", error))?
        {
            return Ok(false);
        }
        *count += 1;
        Ok(true)
    }

    fn release(&self, region: u16) {
        // In a forked child the lock is the parent's, shared: not ours to give back.
        if self.fork.is_elsewhere() {
            return;
        }
        let mut pins = self.pins();
        let Some(count) = pins.get_mut(usize::from(region)) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            let freed = sys::unlock_byte(&self.segment.file, layout::region_byte(region));
            debug_assert!(freed.is_ok(), "unlocking cannot fail on an open file");
        }
    }
}

impl RegionCache {
    pub(super) fn new(reader: Reader) -> Self {
        let source = SampleSource {
            reader: Arc::new(reader),
            metadata: Metadata::Text,
            annotations: Annotations::new(),
        };
        Self {
            mappings: Vec::new(),
            backed: Vec::new(),
            encoded: Vec::new(),
            source: Arc::new(source),
        }
    }

    #[inline]
    pub(super) fn reader(&self) -> &Reader {
        &self.source.reader
    }

    /// Makes a sample of what the cursor found; what it pinned is released where that fails.
    #[inline]
    pub(super) fn sample(
        &mut self,
        found: &Found,
        scratch: &mut Scratch,
    ) -> Result<Sample, ReadError> {
        let bytes = found.record.payload_bytes;
        let payload = match found.region {
            None => Payload::Private(std::mem::take(&mut scratch.payload)),
            Some(region) => match self.mapped(region, bytes) {
                Ok(mapping) => Payload::Pinned {
                    reader: Arc::clone(&self.source.reader),
                    region,
                    mapping,
                },
                Err(error) => {
                    self.reader().release(region);
                    return Err(error);
                }
            },
        };
        // From here on dropping the payload releases the region.
        let source = self.source(&scratch.metadata, bytes)?;
        Ok(Sample {
            source,
            record: found.record,
            skipped: found.skipped,
            payload,
        })
    }

    /// Maps a pinned region's first `bytes`, if there is memory for so many.
    fn mapped(&mut self, region: u16, bytes: u64) -> Result<Arc<Mapping>, ReadError> {
        let reader = self.reader();
        let facts = reader.facts()?;
        if facts.size < layout::region_offset(region) + bytes {
            return Err(reader.truncated());
        }
        self.check_memory(region, bytes, &facts)?;
        let length = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
        let index = usize::from(region);
        if self.mappings.len() <= index {
            self.mappings.resize(index + 1, None);
        }
        let mapped = &mut self.mappings[index];
        let is_long_enough = |mapping: &Arc<Mapping>| mapping.len() >= length;
        let mapping = match mapped.take().filter(is_long_enough) {
            Some(mapping) => mapping,
            None => Arc::new(self.source.reader.map(region, length)?),
        };
        Ok(Arc::clone(mapped.insert(mapping)))
    }

    /// Checks that a region has memory for what it claims, before anything of it is touched:
    /// publishers reserve before they publish, and reading what has no memory would allocate it.
    ///
    /// The walk over its pages takes a tenth of the time of copying them. So what was found is kept,
    /// and holds for as long as nobody has changed the file other than through a mapping: that takes
    /// no memory away, and all else is seen in the time of the last change.
    fn check_memory(
        &mut self,
        region: u16,
        claimed: u64,
        facts: &FileFacts,
    ) -> Result<(), ReadError> {
        let reader = &self.source.reader;
        let has_memory = |memory: u64| {
            if memory < claimed {
                return Err(reader.invalid(InvalidSample::Memory { bytes: claimed }));
            }
            Ok(())
        };
        // The ring has memory, too.
        let ring = layout::RING_OFFSET as u64 + reader.ring().bytes();
        has_memory(facts.allocated.saturating_sub(ring))?;
        if !reader.is_in_memory {
            return Ok(());
        }
        let index = usize::from(region);
        if self.backed.len() <= index {
            self.backed.resize(index + 1, Backed::default());
        }
        let backed = &mut self.backed[index];
        if backed.changed != facts.changed || backed.bytes < claimed {
            let start = layout::region_offset(region);
            let memory = sys::memory_of(&reader.segment.file, start..start + claimed)
                .map_err(|error| ReadError::io(&reader.segment.key, "looking", error))?;
            has_memory(memory)?;
            *backed = Backed::found(claimed, facts.changed);
        }
        Ok(())
    }

    /// Decodes metadata, unless it is what was decoded last.
    #[inline]
    fn source(
        &mut self,
        encoded: &[u8],
        payload_bytes: u64,
    ) -> Result<Arc<SampleSource>, ReadError> {
        let checked = if encoded == self.encoded {
            self.source.metadata.check(payload_bytes)
        } else {
            Metadata::from_bytes(encoded, payload_bytes).map(|(metadata, annotations)| {
                self.encoded = encoded.to_vec();
                let reader = Arc::clone(&self.source.reader);
                self.source = Arc::new(SampleSource {
                    reader,
                    metadata,
                    annotations,
                });
            })
        };
        match checked {
            Ok(()) => Ok(Arc::clone(&self.source)),
            Err(error) => Err(self.reader().invalid(InvalidSample::Metadata(error))),
        }
    }
}
