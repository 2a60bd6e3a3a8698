//! How a region passes between publishers and readers: claimed, published, copied or pinned.
//!
//! The order of every store and every byte lock stands here and nowhere else.
//! What the kernel keeps is asked for through [`Pins`] and [`Claims`], so that a model
//! checker runs this very code (`crate::model`).

use crate::layout::{Entry, LatestWord, Region, SMALL_PAYLOAD_BYTES};
use crate::sync::{AtomicU64, Ordering, load_acquire};

/// What a reader can do with a region's byte, as one open file sees it.
pub(crate) trait Pins {
    /// Why a lock could not even be asked for.
    type Error;
    /// Takes the byte for reading; false where somebody has claimed it.
    fn try_pin(&self, region: u16) -> Result<bool, Self::Error>;
    /// Gives back one pin, or a claim.
    fn release(&self, region: u16);
}

/// What a publisher can do besides.
pub(crate) trait Claims: Pins {
    /// Takes the byte for writing; false where anybody else holds it.
    fn try_claim(&self, region: u16) -> Result<bool, Self::Error>;
    /// Turns a claim into a pin, atomically.
    fn admit_readers(&self, region: u16) -> Result<(), Self::Error>;
}

/// The shared words that the exchange is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange<'a> {
    latest: &'a AtomicU64,
    regions: &'a [Region],
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(latest: &'a AtomicU64, regions: &'a [Region]) -> Self {
        Self { latest, regions }
    }

    /// The word that names the latest sample, and all that was written before it.
    #[inline]
    pub(crate) fn latest(self) -> LatestWord {
        LatestWord::from_bits(load_acquire(self.latest))
    }

    /// Claims a region unless it is the latest, or held by somebody else.
    pub(crate) fn claim<L: Claims>(self, locks: &L, region: u16) -> Result<bool, L::Error> {
        if self.is_latest(region) || !locks.try_claim(region)? {
            return Ok(false);
        }
        // Its last claimer may have published it between our look and our
        // lock. From here on nobody can: publishing needs this byte.
        let is_claimed = self.reuse(region);
        if !is_claimed {
            locks.release(region);
        }
        Ok(is_claimed)
    }

    /// Makes a region that is claimed ready to be filled anew, unless it is the latest.
    #[inline]
    pub(crate) fn reuse(self, region: u16) -> bool {
        let is_free = !self.is_latest(region);
        if is_free {
            Entry::withdraw(self.region(region));
        }
        is_free
    }

    /// Publishes a claimed region as the latest sample. Only while holding the lock.
    ///
    /// The claim is still held afterwards, or has become a pin; the caller
    /// wakes the sleepers, then gives it back, or keeps the claim of a small
    /// sample until it is not the latest any more.
    pub(crate) fn publish<L: Claims>(
        self,
        locks: &L,
        region: u16,
        entry: Entry,
    ) -> Result<LatestWord, L::Error> {
        let next = self.latest().next(Some(region));
        let generation = next.generation();
        Entry {
            generation,
            ..entry
        }
        .store(self.region(region));
        // Nobody pins a small sample, so nobody waits for this either.
        if entry.payload_bytes > SMALL_PAYLOAD_BYTES as u64 {
            locks.admit_readers(region)?;
        }
        self.store_latest(next);
        Ok(next)
    }

    /// Says that there is no latest sample. Only while holding the lock.
    pub(crate) fn clear(self) -> LatestWord {
        let next = self.latest().next(None);
        self.store_latest(next);
        next
    }

    /// A private copy of the entry that `latest` names; nothing where it has moved on.
    #[inline]
    pub(crate) fn entry(self, region: u16, generation: u64) -> Option<Entry> {
        let entry = Entry::load(self.region(region));
        (entry.generation == generation).then_some(entry)
    }

    /// Keeps what was copied out of a region without a lock only if it belongs to `entry`.
    #[inline]
    pub(crate) fn copied<T>(self, region: u16, entry: &Entry, copy: T) -> Option<T> {
        entry.is_still(self.region(region)).then_some(copy)
    }

    /// Pins a region while it holds the sample of this generation; nothing where it has moved on.
    pub(crate) fn pin<L: Pins>(
        self,
        locks: &L,
        region: u16,
        generation: u64,
    ) -> Result<Option<Entry>, L::Error> {
        if !locks.try_pin(region)? {
            return Ok(None);
        }
        // Once more, because only now nobody changes it.
        let entry = self.entry(region, generation);
        if entry.is_none() {
            locks.release(region);
        }
        Ok(entry)
    }

    #[inline]
    fn is_latest(self, region: u16) -> bool {
        self.latest().region() == Some(region)
    }

    fn store_latest(self, latest: LatestWord) {
        // Release, because whoever sees the word sees the entry and the
        // payload that it names: pairs with `load_acquire`.
        self.latest.store(latest.bits(), Ordering::Release);
    }

    fn region(self, region: u16) -> &'a Region {
        &self.regions[usize::from(region)]
    }
}
