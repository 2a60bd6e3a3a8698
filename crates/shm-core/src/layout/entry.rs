//! A private copy of a region's table entry.

use crate::damage::Damage;
use crate::layout::{MAX_PAYLOAD_BYTES, METADATA_CAPACITY, Region};
use crate::process::Process;
use crate::sync::{Ordering, load_acquire};

/// What a region's entry said at the moment of copying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) generation: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) metadata_bytes: usize,
    pub(crate) writer: Process,
    pub(crate) published: u64,
}

impl Entry {
    /// Copies the entry; consistent as long as [`Entry::is_still`] holds afterwards, or a pin does.
    pub(crate) fn load(region: &Region) -> Self {
        Self {
            // First, and acquiring: what is copied below is at least as new.
            generation: load_acquire(&region.generation),
            payload_bytes: region.payload_bytes.load(Ordering::Relaxed),
            metadata_bytes: region.metadata_bytes.load(Ordering::Relaxed) as usize,
            writer: Process::stored(
                region.writer_pid.load(Ordering::Relaxed),
                region.writer_token.load(Ordering::Relaxed),
            ),
            published: region.published.load(Ordering::Relaxed),
        }
    }

    /// Tells whether the region still holds the same sample, so that all that was copied since
    /// [`Entry::load`] belongs to it.
    pub(crate) fn is_still(&self, region: &Region) -> bool {
        // Acquire, because the copies made before must not move behind this
        // look: pairs with the Release fence in `Entry::withdraw`.
        crate::sync::fence(Ordering::Acquire);
        region.generation.load(Ordering::Relaxed) == self.generation
    }

    /// Says, before anything in the region changes, that it holds no sample any more.
    pub(crate) fn withdraw(region: &Region) {
        // Release, because whoever finds the zero must also find that `latest`
        // has moved on: pairs with the acquiring load in `Entry::load`.
        region.generation.store(0, Ordering::Release);
        // Release, because no later change may be seen before the zero: pairs
        // with the Acquire fence in `Entry::is_still`.
        crate::sync::fence(Ordering::Release);
    }

    /// Writes the entry, complete before its generation appears.
    pub(crate) fn store(&self, region: &Region) {
        region
            .payload_bytes
            .store(self.payload_bytes, Ordering::Relaxed);
        let metadata_bytes = u32::try_from(self.metadata_bytes).unwrap_or(u32::MAX);
        region
            .metadata_bytes
            .store(metadata_bytes, Ordering::Relaxed);
        region
            .writer_pid
            .store(self.writer.pid(), Ordering::Relaxed);
        region
            .writer_token
            .store(self.writer.token(), Ordering::Relaxed);
        region.published.store(self.published, Ordering::Relaxed);
        // Release, because whoever sees the generation sees the entry and the
        // payload: pairs with the acquiring load in `Entry::load`.
        region.generation.store(self.generation, Ordering::Release);
    }

    /// Checks the lengths before anything is computed from them.
    pub(crate) fn check(&self) -> Result<(), Damage> {
        if self.payload_bytes > MAX_PAYLOAD_BYTES {
            let bytes = self.payload_bytes;
            return Err(Damage::Payload { bytes });
        }
        if self.metadata_bytes > METADATA_CAPACITY {
            let bytes = self.metadata_bytes;
            return Err(Damage::MetadataLength { bytes });
        }
        Ok(())
    }
}
