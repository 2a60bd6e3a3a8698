//! A ring and its records, validated by the rules of docs/LAYOUT.md, section 7.

use std::{fs::File, os::unix::fs::FileExt};

use super::mutation::number_at;
use crate::layout;

/// Flags of a record.
pub(super) const INLINE: u16 = 0;
pub(super) const PADDING: u16 = 1;
pub(super) const CLEARED: u16 = 2;
pub(super) const LARGE: u16 = 4;

/// Positions and sequences are below this.
const END: u64 = 1 << 62;

/// The ring of an open segment, with the size that it had when it was opened.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    bytes: u64,
}

/// A valid record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) position: u64,
    pub(super) sequence: u64,
    pub(super) total_bytes: u64,
    pub(super) flags: u16,
    pub(super) payload_bytes: u64,
    pub(super) published: u64,
    pub(super) writer_pid: u32,
    pub(super) metadata: Vec<u8>,
    /// From the record's beginning.
    pub(super) payload_at: usize,
    /// The part of the payload in the record: all of it, or the region's number.
    pub(super) stored: Vec<u8>,
}

impl Ring {
    pub(super) fn of(file: &File) -> Ring {
        Ring {
            file: file.try_clone().expect("a duplicate descriptor"),
            bytes: number_at(file, 0x38, 8),
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn last(&self) -> u64 {
        number_at(&self.file, layout::LAST, 8)
    }

    pub(super) fn oldest(&self) -> u64 {
        number_at(&self.file, layout::OLDEST, 8)
    }

    /// Returns the file offset of a position.
    pub(super) fn file_offset(&self, position: u64) -> usize {
        layout::RING + usize::try_from(position % self.bytes).expect("64 bits")
    }

    /// Returns the position in a region's entry.
    pub(super) fn position_of_region(&self, region: u64) -> u64 {
        let entry = usize::try_from(region).expect("64 bits") * layout::ENTRY;
        number_at(&self.file, layout::TABLE + entry, 8)
    }

    /// Returns the record at a position, or `None` if it is damaged.
    pub(super) fn record_at(&self, position: u64) -> Option<Record> {
        let place = self.file_offset(position);
        let number = |offset: usize, width: usize| number_at(&self.file, place + offset, width);
        let [total, metadata_bytes, flags] =
            [(8, 4), (12, 2), (14, 2)].map(|(at, width)| number(at, width));
        let payload_bytes = number(16, 8);
        let (longest, stored_bytes) = match u16::try_from(flags).ok()? {
            INLINE => (self.inline_bytes(), payload_bytes),
            LARGE => (layout::REGION_STRIDE, 8),
            PADDING | CLEARED => (0, 0),
            _ => return None,
        };
        let behind_metadata = 48 + metadata_bytes;
        let fits_a_line = behind_metadata.next_multiple_of(8) + stored_bytes.min(64) <= 64;
        let step = if fits_a_line { 8 } else { 64 };
        let payload_at = behind_metadata.next_multiple_of(step);
        let is_in_order = total.is_multiple_of(64)
            && (64..=self.bytes / 4).contains(&total)
            && position % self.bytes + total <= self.bytes
            && metadata_bytes <= self.bytes / 8 - 128
            && payload_bytes <= longest
            && payload_at + stored_bytes <= total
            && number(0, 8) < END;
        is_in_order.then(|| Record {
            position,
            sequence: number(0, 8),
            total_bytes: total,
            flags: u16::try_from(flags).expect("two bytes"),
            payload_bytes,
            published: number(24, 8),
            writer_pid: u32::try_from(number(40, 4)).expect("four bytes"),
            metadata: self.bytes_at(place + 48, metadata_bytes),
            payload_at: usize::try_from(payload_at).expect("64 bits"),
            stored: self.bytes_at(
                place + usize::try_from(payload_at).expect("64 bits"),
                stored_bytes,
            ),
        })
    }

    /// Returns all records from the oldest on, for a ring that is not corrupted yet.
    pub(super) fn valid_records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut position = self.oldest();
        while position <= self.last() {
            let record = self.record_at(position).expect("the ring is valid");
            position += record.total_bytes;
            records.push(record);
        }
        records
    }

    /// Returns all bytes of the ring.
    pub(super) fn content(&self) -> Vec<u8> {
        self.bytes_at(layout::RING, self.bytes)
    }

    /// Returns the length of the longest inline payload.
    fn inline_bytes(&self) -> u64 {
        (layout::INLINE as u64).min(self.bytes / 8)
    }

    fn bytes_at(&self, place: usize, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(length).expect("at most a ring")];
        let _behind_the_end = self.file.read_at(&mut bytes, place as u64);
        bytes
    }
}

impl Record {
    /// Returns the region that a large record names.
    pub(super) fn region(&self) -> u64 {
        let number = self.stored.first_chunk().expect("a large record's word");
        u64::from_le_bytes(*number)
    }
}

/// Returns `true` if this can be a position.
pub(super) fn is_position(word: u64) -> bool {
    word < END && word.is_multiple_of(64)
}
