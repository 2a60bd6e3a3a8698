//! A record of the ring: its header, and where its metadata and its payload lie.

use std::time::Duration;

use crate::error::InvalidSample;
use crate::layout::{INLINE_BYTES, LINE_BYTES, MAX_PAYLOAD_BYTES, POSITIONS, REGIONS};
use crate::process::Process;
use crate::sys;

/// The length of a header, in words that are never accessed in other sizes.
pub(crate) const HEADER_WORDS: usize = 6;
const HEADER_BYTES: usize = HEADER_WORDS * 8;
const LINE: usize = LINE_BYTES;

/// What a record is; the values are the flags of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// A sample whose payload lies in the record.
    Inline = 0,
    /// Fills the end of the ring, where the next record does not fit.
    Padding = 1,
    /// Everything before it was erased.
    Cleared = 2,
    /// A sample whose payload lies in a region that the record names.
    Large = 4,
}

/// Where in a record its payload lies, and how long the record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// From the record's beginning, bytes.
    payload_at: usize,
    pub(crate) total_bytes: usize,
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// Counts publications from 1.
    pub(crate) sequence: u64,
    /// From its beginning to that of the next.
    pub(crate) total_bytes: u32,
    pub(crate) metadata_bytes: u16,
    pub(crate) payload_bytes: u64,
    /// By the wall clock, nanoseconds since 1970.
    pub(crate) published: u64,
    /// By the clock that nobody sets, nanoseconds.
    pub(crate) monotonic: u64,
    pub(crate) writer: Process,
}

/// How long things can be in a ring of a certain length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    ring_bytes: u64,
}

impl Bounds {
    #[inline]
    pub(crate) fn of(ring_bytes: u64) -> Self {
        Self { ring_bytes }
    }

    /// The longest record: three of them, one padding, leave the newest intact.
    #[inline]
    pub(crate) fn record_bytes(self) -> u64 {
        self.ring_bytes / 4
    }

    /// The longest payload that lies in the ring.
    #[inline]
    pub(crate) fn inline_bytes(self) -> u64 {
        INLINE_BYTES.min(self.ring_bytes / 8)
    }

    /// The longest metadata: beside the longest payload it fits a record.
    #[inline]
    pub(crate) fn metadata_bytes(self) -> usize {
        let most = (self.ring_bytes / 8).saturating_sub(2 * LINE_BYTES as u64);
        let most = usize::try_from(most);
        most.unwrap_or(usize::MAX).min(usize::from(u16::MAX))
    }
}

impl Record {
    /// A record that says that everything before it is erased, of a time that is not known.
    pub(crate) fn cleared(sequence: u64, writer: Process) -> Self {
        Self {
            kind: Kind::Cleared,
            sequence,
            total_bytes: u32::try_from(LINE).unwrap_or(u32::MAX),
            metadata_bytes: 0,
            payload_bytes: 0,
            published: 0,
            monotonic: 0,
            writer,
        }
    }

    /// How long ago it was published, by a clock that nobody sets: never negative.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_nanos(sys::monotonic_nanos().saturating_sub(self.monotonic))
    }

    /// How many bytes of the payload lie in the record: all, or the number of a region.
    #[inline]
    pub(crate) fn stored_bytes(&self) -> usize {
        match self.kind {
            Kind::Inline => usize::try_from(self.payload_bytes).unwrap_or(usize::MAX),
            Kind::Large => 8,
            Kind::Cleared | Kind::Padding => 0,
        }
    }

    /// The header as it lies in the ring.
    #[inline]
    pub(crate) fn words(&self) -> [u64; HEADER_WORDS] {
        let lengths = u64::from(self.total_bytes)
            | u64::from(self.metadata_bytes) << 32
            | (self.kind as u64) << 48;
        [
            self.sequence,
            lengths,
            self.payload_bytes,
            self.published,
            self.monotonic,
            u64::from(self.writer.pid()) | u64::from(self.writer.token()) << 32,
        ]
    }

    /// Takes a header out of a private copy, and checks it: nothing has to be believed any more.
    ///
    /// `offset` is where it lies in the ring.
    #[inline]
    pub(crate) fn parse(
        words: &[u64; HEADER_WORDS],
        offset: u64,
        bounds: Bounds,
    ) -> Result<Self, InvalidSample> {
        let [
            sequence,
            lengths,
            payload_bytes,
            published,
            monotonic,
            writer,
        ] = *words;
        let kind = match half(lengths >> 48) {
            0 => Kind::Inline,
            1 => Kind::Padding,
            2 => Kind::Cleared,
            4 => Kind::Large,
            _ => return Err(InvalidSample::Record),
        };
        let record = Self {
            kind,
            sequence,
            total_bytes: low(lengths),
            metadata_bytes: half(lengths >> 32),
            payload_bytes,
            published,
            monotonic,
            writer: Process::stored(low(writer), low(writer >> 32)),
        };
        record.check(offset, bounds)?;
        Ok(record)
    }

    #[inline]
    fn check(&self, offset: u64, bounds: Bounds) -> Result<(), InvalidSample> {
        let longest = match self.kind {
            Kind::Inline => bounds.inline_bytes(),
            Kind::Large => MAX_PAYLOAD_BYTES,
            Kind::Cleared | Kind::Padding => 0,
        };
        if self.payload_bytes > longest {
            return Err(InvalidSample::Payload {
                bytes: self.payload_bytes,
            });
        }
        let is_whole = is_length(self.total_bytes, offset, bounds)
            && self.shape().total_bytes <= index(self.total_bytes)
            && usize::from(self.metadata_bytes) <= bounds.metadata_bytes();
        if !is_whole || self.sequence >= POSITIONS {
            return Err(InvalidSample::Record);
        }
        Ok(())
    }

    /// Where the metadata lies, in words from the record's beginning.
    pub(crate) fn metadata_at() -> usize {
        HEADER_WORDS
    }

    /// Where the payload lies, in words from the record's beginning.
    #[inline]
    pub(crate) fn payload_at(&self) -> usize {
        self.shape().payload_at()
    }

    #[inline]
    fn shape(&self) -> Shape {
        Shape::of(self.metadata_bytes.into(), self.stored_bytes())
    }
}

impl Shape {
    /// The shape of a record with so much metadata, and so much of the payload in it.
    ///
    /// The payload lies behind the metadata if the record then is one line, else at the beginning of a
    /// line.
    #[inline]
    pub(crate) fn of(metadata_bytes: usize, stored_bytes: usize) -> Self {
        let behind = HEADER_BYTES + metadata_bytes;
        let next_word = round_up(behind, 8);
        let payload_at = if next_word + stored_bytes <= LINE {
            next_word
        } else {
            round_up(behind, LINE)
        };
        Self {
            payload_at,
            total_bytes: round_up(payload_at + stored_bytes, LINE),
        }
    }

    /// Where the payload lies, in words from the record's beginning.
    #[inline]
    pub(crate) fn payload_at(self) -> usize {
        self.payload_at / 8
    }
}

/// The length that the second word of a header tells, if a record so long can lie at `offset`: all
/// that has to be known to pass it.
#[inline]
pub(crate) fn length(lengths: u64, offset: u64, bounds: Bounds) -> Option<u32> {
    let total = low(lengths);
    is_length(total, offset, bounds).then_some(total)
}

#[inline]
fn is_length(total: u32, offset: u64, bounds: Bounds) -> bool {
    let total = u64::from(total);
    let is_lines = total != 0 && total.is_multiple_of(LINE_BYTES as u64);
    is_lines && total <= bounds.record_bytes() && offset + total <= bounds.ring_bytes
}

/// The number of a region that a record names, if it is one.
pub(crate) fn region_number(word: u64) -> Result<u16, InvalidSample> {
    u16::try_from(word)
        .ok()
        .filter(|region| (1..=REGIONS).contains(&usize::from(*region)))
        .ok_or(InvalidSample::Region { number: word })
}

/// Rounds up to a multiple of a power of two.
#[inline]
fn round_up(bytes: usize, unit: usize) -> usize {
    (bytes + unit - 1) & !(unit - 1)
}

fn index(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what is meant"
)]
fn low(word: u64) -> u32 {
    word as u32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low quarter is what is meant"
)]
fn half(word: u64) -> u16 {
    word as u16
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const RING: u64 = 1 << 14;

    fn record() -> Record {
        Record {
            kind: Kind::Inline,
            sequence: 7,
            total_bytes: 128,
            metadata_bytes: 9,
            payload_bytes: 40,
            published: 1,
            monotonic: 2,
            writer: Process::stored(3, 4),
        }
    }

    fn parse(record: &Record, offset: u64) -> Result<Record, InvalidSample> {
        Record::parse(&record.words(), offset, Bounds::of(RING))
    }

    #[test]
    fn what_was_written_is_read_back() {
        for kind in [Kind::Inline, Kind::Large, Kind::Cleared, Kind::Padding] {
            let payload_bytes = match kind {
                Kind::Cleared | Kind::Padding => 0,
                Kind::Large => 1 << 30,
                _ => 40,
            };
            let record = Record {
                kind,
                payload_bytes,
                ..record()
            };
            assert_eq!(parse(&record, 0), Ok(record));
        }
    }

    #[test]
    fn a_payload_shares_the_first_line_or_begins_one() {
        let shape = |metadata, stored| {
            let shape = Shape::of(metadata, stored);
            (shape.payload_at, shape.total_bytes)
        };
        assert_eq!(shape(0, 16), (48, 64));
        assert_eq!(shape(0, 17), (64, 128));
        assert_eq!(shape(1, 8), (56, 64));
        assert_eq!(shape(9, 8), (64, 128));
        assert_eq!(shape(16, 0), (64, 64));
        assert_eq!(shape(17, 64), (128, 192));
    }

    #[test]
    fn lengths_that_do_not_fit_are_refused() {
        let refused = |change: fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            assert!(parse(&record, 0).is_err(), "{record:?}");
        };
        refused(|record| record.total_bytes = 0);
        refused(|record| record.total_bytes = 96);
        refused(|record| record.total_bytes = 64);
        refused(|record| record.total_bytes = 4096 + 64);
        refused(|record| record.total_bytes = u32::MAX);
        refused(|record| record.metadata_bytes = u16::MAX);
        refused(|record| record.payload_bytes = 65);
        refused(|record| record.payload_bytes = u64::MAX);
        refused(|record| record.sequence = 1 << 62);
        assert!(parse(&record(), RING - 128).is_ok());
        assert!(parse(&record(), RING - 64).is_err(), "it leaves the ring");
        let mut words = record().words();
        words[1] |= 8 << 48;
        assert!(Record::parse(&words, 0, Bounds::of(RING)).is_err());
    }

    #[test]
    fn only_regions_of_the_table_are_named() {
        assert_eq!(region_number(191), Ok(191));
        for number in [0, 192, 1 << 16 | 1, u64::MAX] {
            assert_eq!(region_number(number), Err(InvalidSample::Region { number }));
        }
    }

    #[test]
    fn the_longest_metadata_fits_beside_the_longest_payload() {
        for ring_bytes in [1 << 14, 1 << 18, 1 << 30] {
            let bounds = Bounds::of(ring_bytes);
            let payload = usize::try_from(bounds.inline_bytes()).unwrap();
            let total = Shape::of(bounds.metadata_bytes(), payload).total_bytes;
            assert!(total as u64 <= bounds.record_bytes(), "{ring_bytes}");
        }
    }
}
