//! The latest sample's entry, read without mapping, pinning or attaching.

use std::fs::File;
use std::mem::offset_of;

use crate::damage::Damage;
use crate::layout::{self, Control, Entry, Header, LatestWord, Region};
use crate::message::Metadata;
use crate::process::Process;
use crate::segment::{Latest, moment};
use crate::sys;

/// How often to look again where a publisher is faster than we are.
const ATTEMPTS: usize = 16;

/// Tells of the sample that a look at the header found to be the latest; nothing where there is
/// none, or publishers are always faster than the look.
pub(crate) fn latest(file: &File, mut word: LatestWord) -> Result<Option<Latest>, Damage> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = attempt(file, word) {
            return found;
        }
        let mut bytes = [0; 8];
        let at = offset_of!(Header, latest) as u64;
        if sys::read_exact_at(file, &mut bytes, at).is_err() {
            break;
        }
        word = LatestWord::from_bits(u64::from_le_bytes(bytes));
    }
    Ok(None)
}

/// `None` where the region has another sample by now.
fn attempt(file: &File, word: LatestWord) -> Option<Result<Option<Latest>, Damage>> {
    if let Some(damage) = word.damage() {
        return Some(Err(damage));
    }
    let Some(region) = word.region() else {
        return Some(Ok(None));
    };
    let mut room = [0; layout::METADATA_CAPACITY];
    let read = sys::read_at(file, &mut room, layout::region_offset(region)).ok()?;
    // After the metadata: a region that was named as the latest, and still has that generation,
    // had it all the time.
    let entry = read_entry(file, region)?;
    if entry.generation != word.generation() {
        return None;
    }
    Some(describe(&entry, &room[..read]).map(Some))
}

/// Tells what an entry says, with the beginning of its region.
fn describe(entry: &Entry, region: &[u8]) -> Result<Latest, Damage> {
    entry.check()?;
    let encoded = &region[..entry.metadata_bytes.min(region.len())];
    let metadata = Metadata::decode(encoded, entry.payload_bytes).map_err(Damage::Metadata)?;
    Ok(Latest {
        metadata,
        bytes: entry.payload_bytes,
        generation: entry.generation,
        writer: entry.writer,
        published: moment(entry.published),
    })
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
