//! The ring: how records pass from publishers to subscribers, and in which order their words are
//! stored.
//!
//! Publishers hold the segment's lock. Subscribers hold no lock: a subscriber copies a record, and
//! checks afterwards that the record was still intact. The order of all stores and loads is defined
//! here and in `regions.rs`, and a model checker runs this very code (`crate::model`).
//!
//! Positions count bytes and never wrap; a record lies at its position modulo the ring's length.

use crate::error::InvalidSample;
use crate::layout::{LINE_BYTES, POSITIONS};
use crate::process::Process;
use crate::sample::clock::Timestamps;
use crate::sample::record::{Bounds, HEADER_WORDS, Kind, METADATA_AT, Record, Shape};
use crate::sync::{self, Access, AtomicU64, Ordering, fence, load_acquire};

/// The shared words of the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring<'a> {
    last: &'a AtomicU64,
    oldest: &'a AtomicU64,
    words: &'a [AtomicU64],
}

/// The newest record as a publisher remembers it, so that the publisher need not fetch its cache
/// line from the subscribers that have read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    position: u64,
    /// The position of the next record.
    end: u64,
    sequence: u64,
}

/// The payload of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// The payload itself.
    Inline(&'a [u8]),
    /// The number of the region that has the payload, and the payload's length.
    Large { region: u16, bytes: u64 },
    /// None: everything before the record is erased.
    Cleared,
}

/// A record to be written, except for its position, sequence and time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRecord<'a> {
    metadata: &'a [u8],
    payload: Payload<'a>,
    shape: Shape,
    writer: Process,
}

/// Space in the ring for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    /// The position of the record.
    pub(crate) position: u64,
    pub(crate) sequence: u64,
    total_bytes: u32,
    /// The length of the padding before the record, which fills the end of the ring.
    padding_bytes: u32,
}

impl<'a> Ring<'a> {
    /// Returns a ring of words; its length is a power of two.
    pub(crate) fn new(last: &'a AtomicU64, oldest: &'a AtomicU64, words: &'a [AtomicU64]) -> Self {
        debug_assert!(words.len().is_power_of_two(), "positions map by a mask");
        Self {
            last,
            oldest,
            words,
        }
    }

    pub(crate) fn bytes(self) -> u64 {
        self.words.len() as u64 * 8
    }

    /// Returns how many records the ring can hold.
    pub(crate) fn records(self) -> u64 {
        self.bytes() / LINE_BYTES as u64
    }

    pub(crate) fn bounds(self) -> Bounds {
        Bounds::of(self.bytes())
    }

    /// Writes the first record of a new ring, so that an empty ring is no special case.
    ///
    /// Relaxed, because no other process sees the file before it has its name.
    pub(crate) fn begin(self, writer: Process) {
        self.store_header(0, &Record::cleared(0, writer));
    }

    // For publishers that hold the lock.

    /// Reserves space for a record, and evicts the oldest records if necessary.
    ///
    /// # Errors
    ///
    /// If the newest record is invalid because a peer has overwritten it.
    #[inline]
    pub(crate) fn make_room(
        self,
        newest: &mut Option<Newest>,
        record: &NewRecord<'_>,
    ) -> Result<Reservation, InvalidSample> {
        let newest = self.newest(newest)?;
        let total = record.shape.total_bytes as u64;
        let offset = newest.end & self.mask();
        let padding = if offset + total > self.bytes() {
            self.bytes() - offset
        } else {
            0
        };
        let end = newest.end + padding + total;
        let oldest = self.checked_oldest(newest.position);
        if end - oldest > self.bytes() {
            self.evict(oldest, end - self.bytes(), newest.position);
        }
        Ok(Reservation {
            position: newest.end + padding,
            sequence: newest.sequence + 1,
            total_bytes: u32::try_from(total).unwrap_or(u32::MAX),
            padding_bytes: u32::try_from(padding).unwrap_or(u32::MAX),
        })
    }

    /// Writes a record into reserved space, and commits it with the last store. A crash before that
    /// store leaves no record.
    #[inline]
    pub(crate) fn append(
        self,
        newest: &mut Option<Newest>,
        at: Reservation,
        new: &NewRecord<'_>,
        when: Timestamps,
    ) {
        let record = new.header(at, when);
        if at.padding_bytes > 0 {
            let padding = Record {
                kind: Kind::Padding,
                total_bytes: at.padding_bytes,
                metadata_bytes: 0,
                payload_bytes: 0,
                ..record
            };
            self.store_header(at.position - u64::from(at.padding_bytes), &padding);
        }
        self.store_header(at.position, &record);
        let words = self.words_at(at.position, at.total_bytes);
        let payload_at = new.shape.payload_at;
        if !new.metadata.is_empty() {
            sync::copy_in(&words[METADATA_AT..], new.metadata);
        }
        match new.payload {
            Payload::Inline(bytes) => sync::copy_in(&words[payload_at..], bytes),
            Payload::Large { region, .. } => {
                words[payload_at].store(region.into(), Ordering::Relaxed);
            }
            Payload::Cleared => {}
        }
        self.commit(newest, at.position, at.total_bytes.into(), at.sequence);
    }

    /// Makes a complete record the newest.
    #[inline]
    fn commit(self, newest: &mut Option<Newest>, position: u64, total_bytes: u64, sequence: u64) {
        // Release, because a subscriber that sees the position sees the record, and the entry and
        // the payload of a region that it names: pairs with `load_acquire` in `last`.
        self.last.store(position, Ordering::Release);
        *newest = Some(Newest {
            position,
            end: position + total_bytes,
            sequence,
        });
    }

    /// Prefetches the lines of the next record, unless another publisher writes one first.
    #[inline]
    pub(crate) fn prefetch_next(self, newest: Option<Newest>, record: &NewRecord<'_>) {
        if let Some(newest) = newest {
            let bytes = record.shape.total_bytes as u64;
            self.prefetch(newest.end, bytes, Access::Write);
        }
    }

    /// Erases every record but the newest, which is a clearing.
    pub(crate) fn erase(self) {
        let last = self.last.load(Ordering::Relaxed);
        self.store_oldest(last);
        let kept = word_index(last & self.mask());
        let kept = kept..kept + LINE_BYTES / 8;
        for (index, word) in self.words.iter().enumerate() {
            if !kept.contains(&index) {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Returns `true` if the newest record is a clearing.
    pub(crate) fn is_cleared(self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let record = is_position(last).then(|| self.header(last));
        matches!(record, Some(Ok(record)) if record.kind == Kind::Cleared)
    }

    /// Begins again after everything that a peer has overwritten: nothing in the ring is trusted.
    pub(crate) fn reset(self, newest: &mut Option<Newest>, writer: Process) {
        // What this publisher remembers is true. A position that a peer may have written is used
        // only if it is in the lower half, so that positions never run out.
        let seen = self.last.load(Ordering::Relaxed);
        let seen = if seen < POSITIONS / 2 { seen } else { 0 };
        let (end, sequence) = newest.map_or((seen, 0), |newest| (newest.end, newest.sequence));
        let position = end.next_multiple_of(self.bytes()) + self.bytes();
        // Before anything is written: another record may still be read where the new one goes.
        self.store_oldest(position);
        self.store_header(position, &Record::cleared(sequence + 1, writer));
        self.commit(newest, position, LINE_BYTES as u64, sequence + 1);
    }

    /// Returns the newest record: as remembered, or read if another publisher has published since.
    ///
    /// # Errors
    ///
    /// If it is invalid: then no record can be written after it.
    #[inline]
    pub(crate) fn newest(self, known: &mut Option<Newest>) -> Result<Newest, InvalidSample> {
        let last = self.last.load(Ordering::Relaxed);
        match *known {
            Some(newest) if newest.position == last => Ok(newest),
            _ => self.read_newest(known, last),
        }
    }

    #[cold]
    fn read_newest(self, known: &mut Option<Newest>, last: u64) -> Result<Newest, InvalidSample> {
        // No well-behaved publisher reaches half of all positions and sequences. A peer that claims
        // to would make publishers write where nothing can be read.
        if !is_position(last) || last >= POSITIONS / 2 {
            return Err(InvalidSample::Position);
        }
        let record = self.header(last)?;
        if record.kind == Kind::Padding || record.sequence >= POSITIONS / 2 {
            return Err(InvalidSample::Record);
        }
        let newest = Newest {
            position: last,
            end: last + u64::from(record.total_bytes),
            sequence: record.sequence,
        };
        *known = Some(newest);
        Ok(newest)
    }

    /// Returns `oldest`, and corrects it if a peer has overwritten it.
    #[inline]
    fn checked_oldest(self, last: u64) -> u64 {
        let oldest = self.oldest.load(Ordering::Relaxed);
        if is_position(oldest) && oldest <= last && last - oldest <= self.bytes() {
            return oldest;
        }
        self.store_oldest(last);
        last
    }

    /// Evicts records from `oldest` on until none lies before `target`; never the newest.
    ///
    /// Evicts an eighth of the ring at once, because every store of `oldest` invalidates its cache
    /// line in all readers.
    #[cold]
    fn evict(self, oldest: u64, target: u64, last: u64) {
        let target = target.max(oldest + self.bytes() / 8);
        let mut position = oldest;
        for _ in 0..self.records() {
            if position >= target || position >= last {
                break;
            }
            let offset = position & self.mask();
            let lengths = self.words[word_index(offset) + 1].load(Ordering::Relaxed);
            match self.bounds().length(lengths, offset) {
                Some(total) => position += u64::from(total),
                // A peer wrote here: nothing before the newest record is trusted.
                None => position = last,
            }
        }
        self.store_oldest(position.min(last));
    }

    /// Announces, before any of it changes, that nothing before `position` is intact.
    fn store_oldest(self, position: u64) {
        // Release, because a subscriber that continues there must see the record that this
        // publisher, or the one before it, wrote there: pairs with `load_acquire` in `oldest`.
        self.oldest.store(position, Ordering::Release);
        // Release, because no later store into the ring may be seen before this one: pairs with the
        // Acquire fence in `is_intact`.
        fence(Ordering::Release);
    }

    fn store_header(self, position: u64, record: &Record) {
        let start = word_index(position & self.mask());
        let words = self.words[start..].first_chunk::<HEADER_WORDS>();
        let words = words.expect("records begin at lines, and a header is no longer");
        let values = record.words();
        for i in 0..HEADER_WORDS {
            words[i].store(values[i], Ordering::Relaxed);
        }
    }

    // For subscribers.

    /// Prefetches the lines of a record with this expected length: all at once, while reading them
    /// would wait for each in turn.
    #[inline]
    pub(crate) fn prefetch_record(self, position: u64, total_bytes: u32) {
        self.prefetch(position, total_bytes.into(), Access::Read);
    }

    #[inline]
    fn prefetch(self, position: u64, total_bytes: u64, access: Access) {
        const MAX_PREFETCH_BYTES: u64 = 64 * LINE_BYTES as u64;
        let offset = position & self.mask();
        let end = (offset + total_bytes.min(MAX_PREFETCH_BYTES)).min(self.bytes());
        sync::prefetch(&self.words[word_index(offset)..word_index(end)], access);
    }

    /// Returns the position of the newest complete record.
    #[inline]
    pub(crate) fn last(self) -> u64 {
        load_acquire(self.last)
    }

    /// Returns the word that subscribers sleep on.
    pub(crate) fn last_word(self) -> &'a AtomicU64 {
        self.last
    }

    /// Returns the position of the oldest intact record, from which a subscriber can continue.
    pub(crate) fn oldest(self) -> u64 {
        load_acquire(self.oldest)
    }

    /// Copies and checks a header. The result is valid only if the record is intact afterwards.
    #[inline]
    pub(crate) fn header(self, position: u64) -> Result<Record, InvalidSample> {
        let offset = position & self.mask();
        let words = self.words.get(word_index(offset)..).unwrap_or_default();
        let words = words.first_chunk::<HEADER_WORDS>();
        let words = words.ok_or(InvalidSample::Position)?;
        let copy = std::array::from_fn(|i| words[i].load(Ordering::Relaxed));
        Record::parse(&copy, offset, self.bounds())
    }

    /// Copies the metadata and the stored payload of a record whose header was checked.
    #[inline]
    pub(crate) fn copy_out(
        self,
        position: u64,
        record: &Record,
        metadata: &mut [u8],
        payload: &mut [u8],
    ) {
        let words = self.words_at(position, record.total_bytes);
        sync::copy_out(&words[METADATA_AT..], metadata);
        sync::copy_out(&words[record.shape().payload_at..], payload);
    }

    /// Returns `true` if a record, and so what was copied out of it, was intact until now.
    #[inline]
    pub(crate) fn is_intact(self, position: u64) -> bool {
        // Acquire, because the copies made before must not move after this load: pairs with the
        // Release fence in `store_oldest`.
        fence(Ordering::Acquire);
        self.oldest.load(Ordering::Relaxed) <= position
    }

    fn words_at(self, position: u64, total_bytes: u32) -> &'a [AtomicU64] {
        let start = word_index(position & self.mask());
        &self.words[start..start + word_index(total_bytes.into())]
    }

    #[inline]
    fn mask(self) -> u64 {
        self.bytes() - 1
    }
}

impl Payload<'_> {
    /// Returns the length of the sample's payload.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Payload::Inline(bytes) => bytes.len() as u64,
            Payload::Large { bytes, .. } => *bytes,
            Payload::Cleared => 0,
        }
    }
}

impl<'a> NewRecord<'a> {
    #[inline]
    pub(crate) fn new(metadata: &'a [u8], payload: Payload<'a>, writer: Process) -> Self {
        let stored = match payload {
            Payload::Inline(bytes) => bytes.len(),
            Payload::Large { .. } => 8,
            Payload::Cleared => 0,
        };
        Self {
            metadata,
            payload,
            shape: Shape::of(metadata.len(), stored),
            writer,
        }
    }

    #[inline]
    fn header(&self, at: Reservation, when: Timestamps) -> Record {
        let kind = match self.payload {
            Payload::Inline(_) => Kind::Inline,
            Payload::Large { .. } => Kind::Large,
            Payload::Cleared => Kind::Cleared,
        };
        Record {
            kind,
            sequence: at.sequence,
            total_bytes: at.total_bytes,
            metadata_bytes: u16::try_from(self.metadata.len()).unwrap_or(u16::MAX),
            payload_bytes: self.payload.bytes(),
            published: when.wall,
            monotonic: when.monotonic,
            writer: self.writer,
        }
    }
}

/// Returns `true` if a word is a valid position.
#[inline]
pub(crate) fn is_position(word: u64) -> bool {
    word < POSITIONS && word % LINE_BYTES as u64 == 0
}

/// Converts a number of bytes to an index of words.
#[inline]
fn word_index(bytes: u64) -> usize {
    usize::try_from(bytes / 8).unwrap_or(usize::MAX)
}
