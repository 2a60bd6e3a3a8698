//! The participants of a segment: found by the kernel's locks, described by their slots.

use std::fs::File;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use crate::escape::escaped_name;
use crate::layout::{self, access};
use crate::participant::{Access, Participant};
use crate::process::Process;
use crate::sys::{self, ByteLock};

/// The most subscribers that are listed, so that a process that locks millions of bytes costs
/// little.
const MAX_READERS: usize = 1024;
/// The most queries for their locks, whatever the kernel answers.
const MAX_QUERIES: usize = 4 * MAX_READERS;

/// Returns the participants that are attached through another open file than this.
///
/// A process that publishes and subscribes is listed once, as the publisher.
pub(crate) fn participants(file: &File) -> Vec<Participant> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    participants_beside(
        file,
        find_held(file, slots, LockKind::Slot).map(|held| held.start),
    )
}

/// Does the same if it is already known which slot's byte the kernel reports first, if any.
pub(crate) fn participants_beside(file: &File, slot: Option<u64>) -> Vec<Participant> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    let slots = slot.map_or(Vec::new(), |slot| {
        let unqueried = sides(slots, &(slot..slot + 1));
        held_bytes(file, vec![slot], unqueried, layout::SLOTS, LockKind::Slot)
    });
    let readers = vec![layout::reader_bytes()];
    let readers = held_bytes(file, Vec::new(), readers, MAX_READERS, LockKind::Reader);
    let mut participants: Vec<_> = slots
        .into_iter()
        .filter_map(|byte| holder_of(file, byte))
        .collect();
    for reader in readers.into_iter().map(reader_of) {
        let is_known = |holder: &Participant| holder.process.is(reader.process);
        if !participants.iter().any(is_known) {
            participants.push(reader);
        }
    }
    participants
}

/// Returns the participants of other processes than the calling one.
pub(crate) fn peers(file: &File) -> Vec<Participant> {
    let mut peers = participants(file);
    peers.retain(|one| !one.process.is_current());
    peers
}

/// Reads what the holder of a slot reports about itself; `None` if the slot cannot be read.
pub(crate) fn holder_of(file: &File, byte: u64) -> Option<Participant> {
    let slot = layout::slot_of_byte(byte);
    let mut record = [0; size_of::<layout::Slot>()];
    let offset = std::mem::offset_of!(layout::Control, slots) as u64 + slot * record.len() as u64;
    sys::read_exact_at(file, &mut record, offset).ok()?;
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| record[at + i]));
    let since = u64::from_le_bytes(std::array::from_fn(|i| record[8 + i]));
    let name = record[24..]
        .split(|&byte| byte == 0)
        .next()
        .unwrap_or_default();
    let reads_only = u32_at(16) == access::BLOCK_READ_ONLY;
    Some(Participant {
        process: Process::stored(u32_at(4), u32_at(20)),
        program: escaped_name(&String::from_utf8_lossy(name)),
        access: if reads_only {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        },
        since: UNIX_EPOCH.checked_add(Duration::from_nanos(since)),
    })
}

fn reader_of(byte: u64) -> Participant {
    let process = Process::with_pid(layout::pid_of_byte(byte));
    let program = sys::program_of(process.pid()).unwrap_or_default();
    Participant {
        process,
        program: escaped_name(&program),
        access: Access::ReadOnly,
        since: None,
    }
}

/// What a byte belongs to, and so by which kind of lock it is held.
#[derive(Clone, Copy, Debug)]
enum LockKind {
    /// A slot, by a write lock: locks of a process that may only read the segment do not count.
    Slot,
    /// A subscriber, by a read lock of one byte.
    Reader,
}

/// Returns the bytes that other open files hold, in order: the known ones, and those in some
/// ranges.
fn held_bytes(
    file: &File,
    mut bytes: Vec<u64>,
    mut unqueried: Vec<Range<u64>>,
    max: usize,
    kind: LockKind,
) -> Vec<u64> {
    // The kernel reports one lock of a range, not the first: both sides of it are queried next.
    for _ in 0..MAX_QUERIES {
        let Some(range) = unqueried.pop() else { break };
        if bytes.len() >= max {
            break;
        }
        if let Some(held) = find_held(file, range.clone(), kind) {
            // Each subscriber has one byte. A lock of more bytes is not a subscriber's.
            if held.end - held.start == 1 {
                bytes.push(held.start);
            }
            unqueried.extend(sides(range, &held));
        }
    }
    bytes.sort_unstable();
    bytes
}

/// Finds bytes of a range that another open file holds.
fn find_held(file: &File, range: Range<u64>, kind: LockKind) -> Option<Range<u64>> {
    let conflicting = match kind {
        LockKind::Slot => ByteLock::Read,
        LockKind::Reader => ByteLock::Write,
    };
    let found = sys::refusing_lock(file, range, conflicting).ok()??.bytes;
    match kind {
        // Each byte of the lock is a slot of its own.
        LockKind::Slot => Some(found.start..found.start + 1),
        LockKind::Reader => Some(found),
    }
}

/// Returns the parts of a range on both sides of some bytes in it.
fn sides(range: Range<u64>, bytes: &Range<u64>) -> Vec<Range<u64>> {
    let sides = [range.start..bytes.start, bytes.end..range.end];
    sides.into_iter().filter(|side| !side.is_empty()).collect()
}
