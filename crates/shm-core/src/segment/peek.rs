//! The latest sample's entry, read without mapping, pinning or attaching.

use std::fs::File;
use std::mem::offset_of;

use crate::layout::{self, Control, Entry, Header, LatestWord, Region};
use crate::message::Metadata;
use crate::process::Process;
use crate::segment::{Latest, moment};
use crate::sys;

/// How often to look again where a publisher is faster than we are.
const ATTEMPTS: usize = 16;

/// Tells of the sample that a look at the header found to be the latest; nothing where there is none or
/// it makes no sense.
pub(crate) fn latest(file: &File, mut word: LatestWord) -> Option<Latest> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = attempt(file, word) {
            return found;
        }
        let mut bytes = [0; 8];
        sys::read_exact_at(file, &mut bytes, offset_of!(Header, latest) as u64).ok()?;
        word = LatestWord::from_bits(u64::from_le_bytes(bytes));
    }
    None
}

/// `None` where the region has another sample by now.
fn attempt(file: &File, word: LatestWord) -> Option<Option<Latest>> {
    let Some(region) = word.region() else {
        return Some(None);
    };
    let mut room = [0; layout::METADATA_CAPACITY];
    let read = sys::read_at(file, &mut room, layout::region_offset(region)).ok()?;
    // After the metadata: a region that was named as the latest, and still has that generation,
    // had it all the time.
    let entry = read_entry(file, region)?;
    if entry.generation != word.generation() {
        return None;
    }
    if entry.check().is_err() || read < entry.metadata_bytes {
        return Some(None);
    }
    let encoded = &room[..entry.metadata_bytes];
    let Ok(metadata) = Metadata::decode(encoded, entry.payload_bytes) else {
        return Some(None);
    };
    Some(Some(Latest {
        metadata,
        bytes: entry.payload_bytes,
        generation: entry.generation,
        writer: entry.writer,
        published: moment(entry.published),
    }))
}

fn read_entry(file: &File, region: u16) -> Option<Entry> {
    let mut bytes = [0; size_of::<Region>()];
    let offset = offset_of!(Control, regions) + usize::from(region) * bytes.len();
    sys::read_exact_at(file, &mut bytes, offset as u64).ok()?;
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    Some(Entry {
        generation: u64_at(offset_of!(Region, generation)),
        payload_bytes: u64_at(offset_of!(Region, payload_bytes)),
        metadata_bytes: usize::try_from(u32_at(offset_of!(Region, metadata_bytes))).ok()?,
        writer: Process::stored(
            u32_at(offset_of!(Region, writer_pid)),
            u32_at(offset_of!(Region, writer_token)),
        ),
        published: u64_at(offset_of!(Region, published)),
    })
}
