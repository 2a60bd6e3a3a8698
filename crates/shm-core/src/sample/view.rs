//! What a subscriber has seen of a segment: regions that it has mapped, metadata that it has read.

use std::sync::Arc;

use crate::error::ReadError;
use crate::layout::{self, Entry, METADATA_CAPACITY, SMALL_PAYLOAD_BYTES};
use crate::message::Metadata;
use crate::sample::exchange::Pins;
use crate::sample::subscriber::Reader;
use crate::sample::{Origin, Payload, exchange};
use crate::sys::{self, FileFacts, Mapping};

/// A sample as it was found: its entry, where its payload is, whence it comes.
pub(super) type Found = (Entry, Payload, Arc<Origin>);

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
pub(super) struct View {
    /// By region, as far as any was read; most segments use the first few.
    mappings: Vec<Option<Arc<Mapping>>>,
    /// By region, likewise.
    backed: Vec<Backed>,
    /// Where metadata and a small payload are copied to, as they lie in a region, before they are
    /// known to be whole.
    room: Vec<u8>,
    /// The metadata that was decoded last, as it was encoded.
    encoded: Vec<u8>,
    origin: Arc<Origin>,
}

impl View {
    pub(super) fn new(reader: Reader) -> Self {
        let origin = Origin {
            reader: Arc::new(reader),
            metadata: Metadata::Text,
        };
        Self {
            mappings: Vec::new(),
            backed: Vec::new(),
            room: vec![0; METADATA_CAPACITY],
            encoded: Vec::new(),
            origin: Arc::new(origin),
        }
    }

    #[inline]
    pub(super) fn reader(&self) -> &Reader {
        &self.origin.reader
    }

    /// Reads the sample of this generation in this region; nothing where it has moved on.
    pub(super) fn read(
        &mut self,
        region: u16,
        generation: u64,
    ) -> Result<Option<Found>, ReadError> {
        let Some(entry) = exchange(self.reader().control()).entry(region, generation) else {
            return Ok(None);
        };
        if entry.payload_bytes <= SMALL_PAYLOAD_BYTES as u64 {
            self.copy_small(region, entry)
        } else {
            self.pin_large(region, generation)
        }
    }

    /// Copies a small sample, without a pin: whole if the region still holds it afterwards.
    fn copy_small(&mut self, region: u16, entry: Entry) -> Result<Option<Found>, ReadError> {
        let checked = entry.check();
        checked.map_err(|damage| self.reader().damaged(&damage))?;
        self.map(region, METADATA_CAPACITY + SMALL_PAYLOAD_BYTES)?;
        let Some(Some(mapping)) = self.mappings.get(usize::from(region)) else {
            return Ok(None);
        };
        let end = METADATA_CAPACITY + usize::try_from(entry.payload_bytes).unwrap_or(0);
        if self.room.len() < end {
            self.room.resize(end, 0);
        }
        let payload = &mut self.room[METADATA_CAPACITY..end];
        mapping.copy_out(METADATA_CAPACITY, payload);
        let payload = payload.to_vec();
        mapping.copy_out(0, &mut self.room[..entry.metadata_bytes]);
        let control = self.origin.reader.control();
        let Some(payload) = exchange(control).copied(region, &entry, payload) else {
            return Ok(None);
        };
        if mapping.was_truncated() {
            return Err(self.reader().truncated());
        }
        let payload = Payload::Private(payload);
        Ok(Some((entry, payload, self.origin(&entry)?)))
    }

    /// Pins a large sample where it lies.
    fn pin_large(&mut self, region: u16, generation: u64) -> Result<Option<Found>, ReadError> {
        let reader = self.reader();
        let Some(entry) = exchange(reader.control()).pin(reader, region, generation)? else {
            return Ok(None);
        };
        let found = self.look_at_pinned(region, entry);
        if found.is_err() {
            self.reader().release(region);
        }
        found.map(Some)
    }

    fn look_at_pinned(&mut self, region: u16, entry: Entry) -> Result<Found, ReadError> {
        let reader = self.reader();
        let checked = entry.check();
        checked.map_err(|damage| reader.damaged(&damage))?;
        let end = METADATA_CAPACITY as u64 + entry.payload_bytes;
        let facts = reader.facts()?;
        if facts.size < layout::region_offset(region) + end {
            return Err(reader.truncated());
        }
        let length = usize::try_from(end).unwrap_or(usize::MAX);
        self.check_memory(region, end, &facts)?;
        let mapping = Arc::clone(self.map(region, length)?);
        mapping.copy_out(0, &mut self.room[..entry.metadata_bytes]);
        let payload = Payload::Pinned { region, mapping };
        Ok((entry, payload, self.origin(&entry)?))
    }

    /// Checks that a region has memory for what it claims, before anything of it is touched.
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
        let reader = &self.origin.reader;
        reader.check_claim(facts.allocated, claimed)?;
        if !reader.is_in_memory {
            return Ok(());
        }
        let index = usize::from(region);
        if self.backed.len() <= index {
            self.backed.resize(index + 1, Backed::default());
        }
        let backed = &mut self.backed[index];
        if backed.changed != facts.changed || backed.bytes < claimed {
            reader.check_memory(region, claimed)?;
            *backed = Backed::found(claimed, facts.changed);
        }
        Ok(())
    }

    /// Decodes what stands in the room for metadata, unless it is what was decoded last.
    fn origin(&mut self, entry: &Entry) -> Result<Arc<Origin>, ReadError> {
        let encoded = &self.room[..entry.metadata_bytes];
        let checked = if encoded == self.encoded && !encoded.is_empty() {
            self.origin.metadata.check(entry.payload_bytes)
        } else {
            Metadata::decode(encoded, entry.payload_bytes).map(|metadata| {
                self.encoded = encoded.to_vec();
                let reader = Arc::clone(&self.origin.reader);
                self.origin = Arc::new(Origin { reader, metadata });
            })
        };
        match checked {
            Ok(()) => Ok(Arc::clone(&self.origin)),
            Err(error) => Err(self.reader().invalid(error.to_string())),
        }
    }

    /// Maps a region's first `length` bytes, or more.
    ///
    /// The file is so long when they are mapped: a liar may name a region behind its end, and
    /// reading there would be a signal.
    fn map(&mut self, region: u16, length: usize) -> Result<&Arc<Mapping>, ReadError> {
        let index = usize::from(region);
        if self.mappings.len() <= index {
            self.mappings.resize(index + 1, None);
        }
        let mapped = &mut self.mappings[index];
        let is_long_enough = |mapping: &Arc<Mapping>| mapping.len() >= length;
        if !mapped.as_ref().is_some_and(is_long_enough) {
            *mapped = Some(Arc::new(self.origin.reader.map(region, length)?));
        }
        mapped
            .as_ref()
            .ok_or_else(|| self.origin.reader.truncated())
    }
}
