//! The newest sample's record, and the units of a semaphore, read without mapping or attaching.

use std::fs::File;
use std::mem::offset_of;

use crate::error::InvalidSample;
use crate::layout::{self, Header};
use crate::message::Metadata;
use crate::sample::record::{Bounds, HEADER_WORDS, Kind, Record};
use crate::sample::ring::is_position;
use crate::segment::file::Head;
use crate::segment::info::{Content, Latest};
use crate::semaphore::word::{UnitRecord, Word};
use crate::sys;
use crate::time::system_time;

/// How many times to read again if publishers overtake the reads.
const ATTEMPTS: usize = 16;

/// Reads the record that the head names as the newest; `None` if there is none, or publishers
/// overtake every attempt.
///
/// For display only, because reads of a file are not atomic.
pub(crate) fn latest(file: &File, head: &Head) -> Result<Option<Latest>, InvalidSample> {
    let mut last = head.last;
    let mut has_moved = false;
    for _ in 0..ATTEMPTS {
        if !is_position(last) {
            return Err(InvalidSample::Position);
        }
        if let Some(record) = read_record(file, head.ring_bytes, last) {
            return record;
        }
        let Some(newer) = word(file, offset_of!(Header, last)) else {
            return Ok(None);
        };
        has_moved |= newer != last;
        last = newer;
    }
    // An honest publisher that overtakes the reads moves both words.
    if has_moved {
        Ok(None)
    } else {
        Err(InvalidSample::Position)
    }
}

/// Counts the units of a semaphore whose word is in the head.
///
/// For display only, because the word and the records are not read at one moment.
pub(crate) fn units(file: &File, head: &Head) -> Content {
    let word = Word::from_bits(head.last);
    let mut records = [0; size_of::<layout::UnitRecords>()];
    let table = offset_of!(layout::Control, units) as u64;
    if sys::read_exact_at(file, &mut records, table).is_err() {
        // As in a mapping, where truncated memory reads as zeros.
        records.fill(0);
    }
    let held_by = |slot: u8| {
        if word.operator() == Some(slot) {
            return word.held();
        }
        let at = layout::unit_record_offset(slot);
        let record = u64::from_le_bytes(std::array::from_fn(|byte| records[at + byte]));
        UnitRecord::from_bits(record).held()
    };
    Content::Semaphore {
        available: word.available(),
        held: (0..).take(layout::SLOTS).map(held_by).sum(),
    }
}

/// Reads a record; `None` if it is no longer intact, or the file was truncated.
fn read_record(
    file: &File,
    ring_bytes: u64,
    last: u64,
) -> Option<Result<Option<Latest>, InvalidSample>> {
    let offset = last & (ring_bytes - 1);
    let at = layout::RING_OFFSET as u64 + offset;
    let mut bytes = [0; HEADER_WORDS * 8];
    sys::read_exact_at(file, &mut bytes, at).ok()?;
    let words = std::array::from_fn(|word| {
        u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * word + byte]))
    });
    let record = Record::parse(&words, offset, Bounds::of(ring_bytes));
    let metadata_bytes = record.as_ref().map_or(0, |record| record.metadata_bytes);
    let mut encoded = vec![0; metadata_bytes.into()];
    sys::read_exact_at(file, &mut encoded, at + bytes.len() as u64).ok()?;
    let oldest = word(file, offset_of!(Header, oldest))?;
    (oldest <= last).then(|| record.and_then(|record| describe(&record, &encoded)))
}

/// Decodes a record; `None` if it is not a sample.
fn describe(record: &Record, encoded: &[u8]) -> Result<Option<Latest>, InvalidSample> {
    match record.kind {
        Kind::Inline | Kind::Large => {}
        Kind::Cleared => return Ok(None),
        Kind::Padding => return Err(InvalidSample::Record),
    }
    let (metadata, annotations) =
        Metadata::from_bytes(encoded, record.payload_bytes).map_err(InvalidSample::Metadata)?;
    Ok(Some(Latest {
        metadata,
        annotations,
        bytes: record.payload_bytes,
        sequence: record.sequence.into(),
        writer: record.writer,
        published: system_time(record.published),
        age: record.age(),
    }))
}

fn word(file: &File, offset: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    sys::read_exact_at(file, &mut bytes, offset as u64).ok()?;
    Some(u64::from_le_bytes(bytes))
}
