//! The ring: how records pass from publishers to subscribers, and in which order their words are stored.
//!
//! Publishers hold the segment's lock. A subscriber holds nothing: it copies a record, and asks
//! afterwards whether the record was still intact. The order of all stores and loads stands here and
//! in `regions.rs`, and a model checker runs this very code (`crate::model`).
//!
//! Positions count bytes and never wrap; a record lies at its position modulo the ring's length.

use crate::error::InvalidSample;
use crate::layout::{LINE_BYTES, POSITIONS};
use crate::process::Process;
use crate::sample::clock::When;
use crate::sample::record::{self, Bounds, HEADER_WORDS, Kind, Record, Shape};
use crate::sync::{self, Access, AtomicU64, Ordering, fence, load_acquire};

/// The shared words that records pass through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring<'a> {
    last: &'a AtomicU64,
    oldest: &'a AtomicU64,
    words: &'a [AtomicU64],
}

/// What a publisher remembers of the newest record, so that it need not fetch the line from the
/// subscribers that have read it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newest {
    position: u64,
    /// Where the next record begins.
    end: u64,
    sequence: u64,
}

/// What stands in a record beside its header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Payload<'a> {
    /// The payload itself.
    Inline(&'a [u8]),
    /// The number of the region that has it, and its length.
    Large { region: u16, bytes: u64 },
    /// Nothing: everything before is erased.
    Cleared,
}

/// What a publisher says of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    metadata: &'a [u8],
    payload: Payload<'a>,
    shape: Shape,
    writer: Process,
}

/// Where a record will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Where the record goes.
    pub(crate) position: u64,
    pub(crate) sequence: u64,
    total_bytes: u32,
    /// Fills the end of the ring before it.
    padding_bytes: u32,
}

impl<'a> Ring<'a> {
    /// Sees a ring; its length is a power of two.
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

    /// How many records it can hold.
    pub(crate) fn records(self) -> u64 {
        self.bytes() / LINE_BYTES as u64
    }

    pub(crate) fn bounds(self) -> Bounds {
        Bounds::of(self.bytes())
    }

    /// Writes what a fresh ring begins with, so that an empty one is no special case.
    ///
    /// Relaxed: nobody sees the file before it has its name.
    pub(crate) fn begin(self, writer: Process) {
        self.store_header(0, &Record::cleared(0, writer));
    }

    // What publishers do, holding the lock.

    /// Checks that records can be written behind the newest.
    pub(crate) fn check_newest(self, newest: &mut Option<Newest>) -> Result<(), InvalidSample> {
        self.newest(newest).map(drop)
    }

    /// Makes room for a record, evicting the oldest ones where that is needed.
    ///
    /// # Errors
    ///
    /// Where the newest record is not one: a peer has written over it.
    #[inline]
    pub(crate) fn make_room(
        self,
        newest: &mut Option<Newest>,
        draft: &Draft<'_>,
    ) -> Result<Room, InvalidSample> {
        let newest = self.newest(newest)?;
        let total = draft.shape.total_bytes as u64;
        let offset = newest.end & self.mask();
        let padding = if offset + total > self.bytes() {
            self.bytes() - offset
        } else {
            0
        };
        let end = newest.end + padding + total;
        let oldest = self.sound_oldest(newest.position);
        if end - oldest > self.bytes() {
            self.evict(oldest, end - self.bytes(), newest.position);
        }
        Ok(Room {
            position: newest.end + padding,
            sequence: newest.sequence + 1,
            total_bytes: length(total),
            padding_bytes: length(padding),
        })
    }

    /// Writes a record where room was made, and commits it. A death before the last store leaves nothing.
    #[inline]
    pub(crate) fn append(
        self,
        newest: &mut Option<Newest>,
        room: Room,
        draft: &Draft<'_>,
        when: When,
    ) {
        let record = draft.record(room, when);
        if room.padding_bytes > 0 {
            let padding = Record {
                kind: Kind::Padding,
                total_bytes: room.padding_bytes,
                metadata_bytes: 0,
                payload_bytes: 0,
                ..record
            };
            self.store_header(room.position - u64::from(room.padding_bytes), &padding);
        }
        self.store_header(room.position, &record);
        let words = self.words_at(room.position, room.total_bytes);
        let payload_at = draft.shape.payload_at();
        if !draft.metadata.is_empty() {
            sync::copy_in(&words[Record::metadata_at()..], draft.metadata);
        }
        match draft.payload {
            Payload::Inline(bytes) => sync::copy_in(&words[payload_at..], bytes),
            Payload::Large { region, .. } => {
                words[payload_at].store(region.into(), Ordering::Relaxed);
            }
            Payload::Cleared => {}
        }
        // Release, because whoever sees the position sees the record, and the entry and the payload of
        // a region that it names: pairs with `load_acquire` in `last`.
        self.last.store(room.position, Ordering::Release);
        *newest = Some(Newest {
            position: room.position,
            end: room.position + u64::from(room.total_bytes),
            sequence: room.sequence,
        });
    }

    /// Fetches the lines in which a record will lie, unless another publisher is faster.
    #[inline]
    pub(crate) fn prepare(self, newest: Option<Newest>, draft: &Draft<'_>) {
        if let Some(newest) = newest {
            let bytes = draft.shape.total_bytes as u64;
            self.prefetch(newest.end, bytes, Access::Write);
        }
    }

    /// Erases every record but the newest, which says so.
    pub(crate) fn erase(self) {
        let last = self.last.load(Ordering::Relaxed);
        self.store_oldest(last);
        let kept = index(last & self.mask());
        let kept = kept..kept + LINE_BYTES / 8;
        for (index, word) in self.words.iter().enumerate() {
            if !kept.contains(&index) {
                word.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Returns `true` if the newest record says that everything before it is erased.
    pub(crate) fn is_cleared(self) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let record = is_position(last).then(|| self.header(last));
        matches!(record, Some(Ok(record)) if record.kind == Kind::Cleared)
    }

    /// Begins anew behind whatever a peer has written over: nothing that stands there is believed.
    pub(crate) fn restart(self, newest: &mut Option<Newest>, writer: Process) {
        // What this publisher remembers is true; of what a peer may have written only the better half
        // is taken, so that positions never run out.
        let seen = self.last.load(Ordering::Relaxed);
        let seen = if seen < POSITIONS / 2 { seen } else { 0 };
        let (end, sequence) = newest.map_or((seen, 0), |newest| (newest.end, newest.sequence));
        let position = end.next_multiple_of(self.bytes()) + self.bytes();
        // Before anything is written: where the new record goes another may still be read.
        self.store_oldest(position);
        self.store_header(position, &Record::cleared(sequence + 1, writer));
        // Release, as in `append`.
        self.last.store(position, Ordering::Release);
        *newest = Some(Newest {
            position,
            end: position + LINE_BYTES as u64,
            sequence: sequence + 1,
        });
    }

    /// The newest record: from memory, or read where another publisher has published since.
    #[inline]
    fn newest(self, known: &mut Option<Newest>) -> Result<Newest, InvalidSample> {
        let last = self.last.load(Ordering::Relaxed);
        match *known {
            Some(newest) if newest.position == last => Ok(newest),
            _ => self.read_newest(known, last),
        }
    }

    #[cold]
    fn read_newest(self, known: &mut Option<Newest>, last: u64) -> Result<Newest, InvalidSample> {
        // Nobody honest comes half as far as positions and sequences go; a peer that says so would lead
        // publishers to where nothing can be read.
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

    /// `oldest`; set right where a peer has written over it.
    #[inline]
    fn sound_oldest(self, last: u64) -> u64 {
        let oldest = self.oldest.load(Ordering::Relaxed);
        if is_position(oldest) && oldest <= last && last - oldest <= self.bytes() {
            return oldest;
        }
        self.store_oldest(last);
        last
    }

    /// Gives up records from `oldest` on until none lies before `least`; never the newest.
    ///
    /// An eighth of the ring at once, because every store of `oldest` takes its line from all readers.
    #[cold]
    fn evict(self, oldest: u64, least: u64, last: u64) {
        let least = least.max(oldest + self.bytes() / 8);
        let mut position = oldest;
        for _ in 0..self.records() {
            if position >= least || position >= last {
                break;
            }
            let offset = position & self.mask();
            let lengths = self.words[index(offset) + 1].load(Ordering::Relaxed);
            match record::length(lengths, offset, self.bounds()) {
                Some(total) => position += u64::from(total),
                // A peer wrote here: nothing before the newest record is believed.
                None => position = last,
            }
        }
        self.store_oldest(position.min(last));
    }

    /// Says, before anything of it changes, that nothing before `position` is intact.
    fn store_oldest(self, position: u64) {
        // Release, because whoever goes there must find the record that this publisher, or the one
        // before it, wrote there: pairs with `oldest_acquire`.
        self.oldest.store(position, Ordering::Release);
        // Release, because no later store into the ring may be seen before this one: pairs with the
        // Acquire fence in `is_intact`.
        fence(Ordering::Release);
    }

    fn store_header(self, position: u64, record: &Record) {
        let start = index(position & self.mask());
        let words = self.words[start..].first_chunk::<HEADER_WORDS>();
        let words = words.expect("records begin at lines, and a header is no longer");
        let values = record.words();
        for i in 0..HEADER_WORDS {
            words[i].store(values[i], Ordering::Relaxed);
        }
    }

    // What subscribers do.

    /// Fetches the lines in which a record of this length probably lies: all at once, where reading
    /// them waits for one after the other.
    #[inline]
    pub(crate) fn expect(self, position: u64, total_bytes: u32) {
        self.prefetch(position, total_bytes.into(), Access::Read);
    }

    #[inline]
    fn prefetch(self, position: u64, total_bytes: u64, access: Access) {
        const MOST: u64 = 64 * LINE_BYTES as u64;
        let offset = position & self.mask();
        let end = (offset + total_bytes.min(MOST)).min(self.bytes());
        sync::prefetch(&self.words[index(offset)..index(end)], access);
    }

    /// The position of the newest complete record.
    #[inline]
    pub(crate) fn last(self) -> u64 {
        load_acquire(self.last)
    }

    /// The word that subscribers sleep on.
    pub(crate) fn last_word(self) -> &'a AtomicU64 {
        self.last
    }

    /// The position of the oldest record that is intact, as a place to go on reading.
    pub(crate) fn oldest_acquire(self) -> u64 {
        load_acquire(self.oldest)
    }

    /// Copies and checks a header. What it says counts only if the record is intact afterwards.
    #[inline]
    pub(crate) fn header(self, position: u64) -> Result<Record, InvalidSample> {
        let offset = position & self.mask();
        let start = index(offset);
        let words = self.words.get(start..).unwrap_or_default();
        let words = words.first_chunk::<HEADER_WORDS>();
        let words = words.ok_or(InvalidSample::Position)?;
        let copy = std::array::from_fn(|i| words[i].load(Ordering::Relaxed));
        Record::parse(&copy, offset, self.bounds())
    }

    /// Copies the metadata of a record whose header was checked.
    #[inline]
    pub(crate) fn copy_metadata(self, position: u64, record: &Record, metadata: &mut [u8]) {
        let words = self.words_at(position, record.total_bytes);
        sync::copy_out(&words[Record::metadata_at()..], metadata);
    }

    /// Copies what a record whose header was checked has of the payload.
    #[inline]
    pub(crate) fn copy_payload(self, position: u64, record: &Record, payload: &mut [u8]) {
        let words = self.words_at(position, record.total_bytes);
        sync::copy_out(&words[record.payload_at()..], payload);
    }

    /// Returns `true` if a record, and so what was copied out of it, was intact all the time.
    #[inline]
    pub(crate) fn is_intact(self, position: u64) -> bool {
        // Acquire, because the copies made before must not move behind this look: pairs with the
        // Release fence in `store_oldest`.
        fence(Ordering::Acquire);
        self.oldest.load(Ordering::Relaxed) <= position
    }

    fn words_at(self, position: u64, total_bytes: u32) -> &'a [AtomicU64] {
        let start = index(position & self.mask());
        &self.words[start..start + index(total_bytes.into())]
    }

    #[inline]
    fn mask(self) -> u64 {
        self.bytes() - 1
    }
}

impl Payload<'_> {
    /// The length of the sample's payload.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Payload::Inline(bytes) => bytes.len() as u64,
            Payload::Large { bytes, .. } => *bytes,
            Payload::Cleared => 0,
        }
    }
}

impl<'a> Draft<'a> {
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
    fn record(&self, room: Room, when: When) -> Record {
        let kind = match self.payload {
            Payload::Inline(_) => Kind::Inline,
            Payload::Large { .. } => Kind::Large,
            Payload::Cleared => Kind::Cleared,
        };
        Record {
            kind,
            sequence: room.sequence,
            total_bytes: room.total_bytes,
            metadata_bytes: u16::try_from(self.metadata.len()).unwrap_or(u16::MAX),
            payload_bytes: self.payload.bytes(),
            published: when.wall,
            monotonic: when.monotonic,
            writer: self.writer,
        }
    }
}

/// Returns `true` if a word can be a position.
#[inline]
pub(crate) fn is_position(word: u64) -> bool {
    word < POSITIONS && word.is_multiple_of(LINE_BYTES as u64)
}

/// A number of bytes as an index of words.
#[inline]
fn index(bytes: u64) -> usize {
    usize::try_from(bytes / 8).unwrap_or(usize::MAX)
}

fn length(bytes: u64) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
