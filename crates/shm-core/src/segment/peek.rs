//! The newest sample's record, read without mapping, pinning or attaching.

use std::fs::File;
use std::mem::offset_of;

use crate::layout::{self, Header};
use crate::message::Metadata;
use crate::sample::record::{Bounds, HEADER_WORDS, Kind, Record};
use crate::sample::ring::is_position;
use crate::segment::file::Head;
use crate::segment::{Latest, moment};
use crate::sys;

/// How often to look again where publishers are faster than this.
const ATTEMPTS: usize = 16;

/// Tells of the sample that a look at the head found to be the newest; `None` if there is none or it
/// makes no sense.
///
/// What is read here is only shown to people: reads of a file are not atomic.
pub(crate) fn latest(file: &File, head: &Head) -> Option<Latest> {
    let mut last = head.last;
    for _ in 0..ATTEMPTS {
        if !is_position(last) {
            return None;
        }
        if let Some(found) = attempt(file, head.ring_bytes, last) {
            return found;
        }
        last = word(file, offset_of!(Header, last))?;
    }
    None
}

/// `None` if the record is not intact any more.
fn attempt(file: &File, ring_bytes: u64, last: u64) -> Option<Option<Latest>> {
    let read = read(file, ring_bytes, last);
    let is_intact = word(file, offset_of!(Header, oldest)).is_some_and(|oldest| oldest <= last);
    is_intact.then_some(read)
}

fn read(file: &File, ring_bytes: u64, last: u64) -> Option<Latest> {
    let offset = last & (ring_bytes - 1);
    let at = layout::RING_OFFSET as u64 + offset;
    let mut bytes = [0; HEADER_WORDS * 8];
    sys::read_exact_at(file, &mut bytes, at).ok()?;
    let words = std::array::from_fn(|word| {
        u64::from_le_bytes(std::array::from_fn(|byte| bytes[8 * word + byte]))
    });
    let record = Record::parse(&words, offset, Bounds::of(ring_bytes)).ok()?;
    if !matches!(record.kind, Kind::Inline | Kind::Large) {
        return None;
    }
    let mut encoded = vec![0; record.metadata_bytes.into()];
    sys::read_exact_at(file, &mut encoded, at + bytes.len() as u64).ok()?;
    Some(Latest {
        metadata: Metadata::decode(&encoded, record.payload_bytes).ok()?,
        bytes: record.payload_bytes,
        sequence: record.sequence,
        writer: record.writer,
        published: moment(record.published),
    })
}

fn word(file: &File, offset: usize) -> Option<u64> {
    let mut bytes = [0; 8];
    sys::read_exact_at(file, &mut bytes, offset as u64).ok()?;
    Some(u64::from_le_bytes(bytes))
}
