//! A record of the ring: its header, and the positions of its metadata and payload.

use std::time::Duration;

use crate::error::InvalidSample;
use crate::layout::{INLINE_BYTES, LINE_BYTES, MAX_PAYLOAD_BYTES, POSITIONS, REGIONS};
use crate::process::Process;
use crate::sys;

/// The length of a header, in words, which are never accessed in other sizes.
pub(crate) const HEADER_WORDS: usize = 6;
/// The position of the metadata, in words from the record's beginning.
pub(crate) const METADATA_AT: usize = HEADER_WORDS;

/// The kind of a record; the values are the flags of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    /// A sample whose payload lies in the record.
    Inline = 0,
    /// Fills the end of the ring, if the next record does not fit there.
    Padding = 1,
    /// Erases everything before it.
    Cleared = 2,
    /// A sample whose payload lies in a region that the record names.
    Large = 4,
}

/// The position of a record's payload, and the record's length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// In words from the record's beginning.
    pub(crate) payload_at: usize,
    /// In bytes, a multiple of a line.
    pub(crate) total_bytes: usize,
}

/// The header of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: Kind,
    /// Counts publications from 1.
    pub(crate) sequence: u64,
    /// From the record's beginning to that of the next.
    pub(crate) total_bytes: u32,
    pub(crate) metadata_bytes: u16,
    pub(crate) payload_bytes: u64,
    /// Wall time, nanoseconds since 1970.
    pub(crate) published: u64,
    /// Monotonic time, nanoseconds.
    pub(crate) monotonic: u64,
    pub(crate) writer: Process,
}

/// Limits of lengths in a ring of a given length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    ring_bytes: u64,
}

impl Bounds {
    #[inline]
    pub(crate) fn of(ring_bytes: u64) -> Self {
        Self { ring_bytes }
    }

    /// Returns the longest record: three of them, one padding, leave the newest intact.
    #[inline]
    pub(crate) fn record_bytes(self) -> u64 {
        self.ring_bytes / 4
    }

    /// Returns the longest payload that lies in the ring.
    #[inline]
    pub(crate) fn inline_bytes(self) -> u64 {
        INLINE_BYTES.min(self.ring_bytes / 8)
    }

    /// Returns the longest metadata, which fits a record beside the longest payload.
    #[inline]
    pub(crate) fn metadata_bytes(self) -> usize {
        let most = (self.ring_bytes / 8).saturating_sub(2 * LINE_BYTES as u64);
        let most = usize::try_from(most);
        most.unwrap_or(usize::MAX).min(usize::from(u16::MAX))
    }

    /// Returns the length in the second word of a header, if a record of that length can lie at
    /// `offset` in the ring; to skip a record nothing else is needed.
    #[inline]
    pub(crate) fn length(self, lengths: u64, offset: u64) -> Option<u32> {
        let [total, _]: [u32; 2] = bytemuck::cast(lengths);
        self.is_length(total, offset).then_some(total)
    }

    #[inline]
    fn is_length(self, total: u32, offset: u64) -> bool {
        let total = u64::from(total);
        let is_lines = total != 0 && total % LINE_BYTES as u64 == 0;
        is_lines && total <= self.record_bytes() && offset + total <= self.ring_bytes
    }
}

impl Record {
    /// Returns a record that erases everything before it, without a time.
    pub(crate) fn cleared(sequence: u64, writer: Process) -> Self {
        Self {
            kind: Kind::Cleared,
            sequence,
            total_bytes: u32::try_from(LINE_BYTES).unwrap_or(u32::MAX),
            metadata_bytes: 0,
            payload_bytes: 0,
            published: 0,
            monotonic: 0,
            writer,
        }
    }

    /// Returns the time since it was published, by the monotonic clock; never negative.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_nanos(sys::monotonic_nanos().saturating_sub(self.monotonic))
    }

    /// Returns how many bytes lie at the payload's position: the payload, or the number of a
    /// region.
    #[inline]
    pub(crate) fn stored_bytes(&self) -> usize {
        match self.kind {
            Kind::Inline => usize::try_from(self.payload_bytes).unwrap_or(usize::MAX),
            Kind::Large => 8,
            Kind::Cleared | Kind::Padding => 0,
        }
    }

    /// Encodes the header.
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

    /// Decodes and checks a header from a private copy, so that every field can be trusted.
    ///
    /// `offset` is the position of the record in the ring.
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
        let [total_bytes, high]: [u32; 2] = bytemuck::cast(lengths);
        let [metadata_bytes, kind]: [u16; 2] = bytemuck::cast(high);
        let [pid, token]: [u32; 2] = bytemuck::cast(writer);
        let (kind, longest) = match kind {
            0 => (Kind::Inline, bounds.inline_bytes()),
            1 => (Kind::Padding, 0),
            2 => (Kind::Cleared, 0),
            4 => (Kind::Large, MAX_PAYLOAD_BYTES),
            _ => return Err(InvalidSample::Record),
        };
        if payload_bytes > longest {
            return Err(InvalidSample::Payload {
                bytes: payload_bytes,
            });
        }
        let record = Self {
            kind,
            sequence,
            total_bytes,
            metadata_bytes,
            payload_bytes,
            published,
            monotonic,
            writer: Process::stored(pid, token),
        };
        let is_whole = bounds.is_length(total_bytes, offset)
            && record.shape().total_bytes as u64 <= total_bytes.into()
            && usize::from(metadata_bytes) <= bounds.metadata_bytes();
        if !is_whole || sequence >= POSITIONS {
            return Err(InvalidSample::Record);
        }
        Ok(record)
    }

    #[inline]
    pub(crate) fn shape(&self) -> Shape {
        Shape::of(self.metadata_bytes.into(), self.stored_bytes())
    }
}

impl Shape {
    /// Returns the shape of a record with metadata and payload of these lengths.
    ///
    /// The payload follows the metadata if the record then fits one line; otherwise it begins at
    /// the next line.
    #[inline]
    pub(crate) fn of(metadata_bytes: usize, stored_bytes: usize) -> Self {
        let metadata_end = METADATA_AT * 8 + metadata_bytes;
        let next_word = round_up(metadata_end, 8);
        let payload_at = if next_word + stored_bytes <= LINE_BYTES {
            next_word
        } else {
            round_up(metadata_end, LINE_BYTES)
        };
        Self {
            payload_at: payload_at / 8,
            total_bytes: round_up(payload_at + stored_bytes, LINE_BYTES),
        }
    }
}

/// Checks the number of a region that a record names.
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
    fn an_encoded_header_decodes_to_the_same_record() {
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
    fn a_payload_fits_the_first_line_or_begins_at_a_line() {
        let shape = |metadata, stored| {
            let shape = Shape::of(metadata, stored);
            (shape.payload_at * 8, shape.total_bytes)
        };
        assert_eq!(shape(0, 16), (48, 64));
        assert_eq!(shape(0, 17), (64, 128));
        assert_eq!(shape(1, 8), (56, 64));
        assert_eq!(shape(9, 8), (64, 128));
        assert_eq!(shape(16, 0), (64, 64));
        assert_eq!(shape(17, 64), (128, 192));
    }

    #[test]
    fn headers_with_invalid_lengths_are_rejected() {
        let rejected = |change: fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            assert!(parse(&record, 0).is_err(), "{record:?}");
        };
        rejected(|record| record.total_bytes = 0);
        rejected(|record| record.total_bytes = 96);
        rejected(|record| record.total_bytes = 64);
        rejected(|record| record.total_bytes = 4096 + 64);
        rejected(|record| record.total_bytes = u32::MAX);
        rejected(|record| record.metadata_bytes = u16::MAX);
        rejected(|record| record.payload_bytes = 65);
        rejected(|record| record.payload_bytes = u64::MAX);
        rejected(|record| record.sequence = 1 << 62);
        assert!(parse(&record(), RING - 128).is_ok());
        assert!(
            parse(&record(), RING - 64).is_err(),
            "the record ends beyond the ring"
        );
        let mut words = record().words();
        words[1] |= 8 << 48;
        assert!(Record::parse(&words, 0, Bounds::of(RING)).is_err());
    }

    #[test]
    fn only_regions_of_the_table_are_valid() {
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
