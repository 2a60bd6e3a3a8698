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

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A sample whose payload lies in the record.
    Inline,
    /// A sample whose payload lies in a region that the record names.
    Large,
    /// Everything before it was erased.
    Cleared,
    /// Fills the end of the ring, where the next record does not fit.
    Padding,
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
    pub(crate) fn of(ring_bytes: u64) -> Self {
        Self { ring_bytes }
    }

    /// The longest record: three of them, one padding, leave the newest intact.
    pub(crate) fn record_bytes(self) -> u64 {
        self.ring_bytes / 4
    }

    /// The longest payload that lies in the ring.
    pub(crate) fn inline_bytes(self) -> u64 {
        INLINE_BYTES.min(self.ring_bytes / 8)
    }

    /// The longest metadata: beside the longest payload it fits a record.
    pub(crate) fn metadata_bytes(self) -> usize {
        let most = (self.ring_bytes / 8).saturating_sub(2 * LINE_BYTES as u64);
        let most = usize::try_from(most);
        most.unwrap_or(usize::MAX).min(usize::from(u16::MAX))
    }
}

impl Record {
    /// How long ago it was published, by a clock that nobody sets: never negative.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_nanos(sys::monotonic_nanos().saturating_sub(self.monotonic))
    }

    const CLEARED: u16 = 2;
    const LARGE: u16 = 4;
    const PADDING: u16 = 1;

    /// How many bytes of the payload lie in the record: all, or the number of a region.
    pub(crate) fn stored_bytes(&self) -> usize {
        match self.kind {
            Kind::Inline => usize::try_from(self.payload_bytes).unwrap_or(usize::MAX),
            Kind::Large => 8,
            Kind::Cleared | Kind::Padding => 0,
        }
    }

    /// The header as it lies in the ring.
    pub(crate) fn words(&self) -> [u64; HEADER_WORDS] {
        let flags = match self.kind {
            Kind::Inline => 0,
            Kind::Large => Self::LARGE,
            Kind::Cleared => Self::CLEARED,
            Kind::Padding => Self::PADDING,
        };
        let lengths = u64::from(self.total_bytes)
            | u64::from(self.metadata_bytes) << 32
            | u64::from(flags) << 48;
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
            Self::LARGE => Kind::Large,
            Self::CLEARED => Kind::Cleared,
            Self::PADDING => Kind::Padding,
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

    fn check(&self, offset: u64, bounds: Bounds) -> Result<(), InvalidSample> {
        let total = u64::from(self.total_bytes);
        let most = bounds.record_bytes().min(bounds.ring_bytes - offset);
        let fits =
            total.is_multiple_of(LINE_BYTES as u64) && (LINE_BYTES as u64..=most).contains(&total);
        let longest = match self.kind {
            Kind::Inline => bounds.inline_bytes(),
            Kind::Large => MAX_PAYLOAD_BYTES,
            Kind::Cleared | Kind::Padding => 0,
        };
        if !fits
            || self.sequence >= POSITIONS
            || usize::from(self.metadata_bytes) > bounds.metadata_bytes()
        {
            return Err(InvalidSample::Record);
        }
        if self.payload_bytes > longest {
            return Err(InvalidSample::Payload {
                bytes: self.payload_bytes,
            });
        }
        let needed = total_bytes(self.metadata_bytes.into(), self.stored_bytes());
        if needed as u64 > total {
            return Err(InvalidSample::Record);
        }
        Ok(())
    }

    /// Where the metadata lies, in words from the record's beginning.
    pub(crate) fn metadata_at() -> usize {
        HEADER_WORDS
    }

    /// Where the payload lies, in words from the record's beginning.
    pub(crate) fn payload_at(&self) -> usize {
        payload_offset(self.metadata_bytes.into(), self.stored_bytes()) / 8
    }
}

/// The number of a region that a record names, if it is one.
pub(crate) fn region_number(word: u64) -> Result<u16, InvalidSample> {
    u16::try_from(word)
        .ok()
        .filter(|region| (1..=REGIONS).contains(&usize::from(*region)))
        .ok_or(InvalidSample::Region { number: word })
}

/// The length of a record with so much metadata, and so much of the payload in it.
pub(crate) fn total_bytes(metadata_bytes: usize, stored_bytes: usize) -> usize {
    (payload_offset(metadata_bytes, stored_bytes) + stored_bytes).next_multiple_of(LINE)
}

/// Behind the metadata if the record then is one line, else at the beginning of a line.
fn payload_offset(metadata_bytes: usize, stored_bytes: usize) -> usize {
    let behind = HEADER_BYTES + metadata_bytes;
    let next_word = behind.next_multiple_of(8);
    if next_word + stored_bytes <= LINE {
        next_word
    } else {
        behind.next_multiple_of(LINE)
    }
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
        assert_eq!((payload_offset(0, 16), total_bytes(0, 16)), (48, 64));
        assert_eq!((payload_offset(0, 17), total_bytes(0, 17)), (64, 128));
        assert_eq!((payload_offset(1, 8), total_bytes(1, 8)), (56, 64));
        assert_eq!((payload_offset(9, 8), total_bytes(9, 8)), (64, 128));
        assert_eq!((payload_offset(16, 0), total_bytes(16, 0)), (64, 64));
        assert_eq!((payload_offset(17, 64), total_bytes(17, 64)), (128, 192));
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
            let total = total_bytes(bounds.metadata_bytes(), payload);
            assert!(total as u64 <= bounds.record_bytes(), "{ring_bytes}");
        }
    }
}
