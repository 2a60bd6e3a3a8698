//! Who is attached: from the kernel's locks, with what the slots say about them.

use std::fs::File;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::escape;
use crate::layout::{self, access};
use crate::process::Process;
use crate::sys;

/// The most subscribers that are told of, so that a stranger who locks millions of bytes costs little.
const MOST_READERS: usize = 1024;

/// Somebody who is attached to a segment, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Who it is.
    pub process: Process,
    /// File name of the program, as it says, with hidden characters [escaped](crate::escape);
    /// "unknown" where it cannot be told.
    pub program: String,
    /// What it may do.
    pub access: Access,
    /// Since when, where it says so.
    pub since: Option<SystemTime>,
}

/// What somebody who is attached may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A publisher, or attached to a block for reading and writing.
    ReadWrite,
    /// A subscriber, or attached to a block for reading only.
    ReadOnly,
}

/// Everybody who is attached through another open file than this.
///
/// A process that publishes and reads along is told of once, as the publisher.
pub(crate) fn everybody(file: &File) -> Vec<Attached> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    everybody_beside(file, sys::held_byte(file, slots).ok().flatten())
}

/// The same, where it is known already which slot's byte the kernel names first, if any.
pub(crate) fn everybody_beside(file: &File, slot: Option<u64>) -> Vec<Attached> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    let slots = slot.map_or(Vec::new(), |slot| {
        held(file, vec![slot], sides(slots, slot), layout::SLOTS)
    });
    let readers = vec![layout::reader_bytes()];
    let readers = held(file, Vec::new(), readers, MOST_READERS);
    let mut everybody: Vec<_> = slots
        .into_iter()
        .filter_map(|byte| holder_of(file, byte))
        .collect();
    for reader in readers.into_iter().map(reader_of) {
        let is_known = |holder: &Attached| holder.process.is(reader.process);
        if !everybody.iter().any(is_known) {
            everybody.push(reader);
        }
    }
    everybody
}

/// Everybody who is attached from another process than this.
pub(crate) fn others(file: &File) -> Vec<Attached> {
    let mut everybody = everybody(file);
    everybody.retain(|one| !one.process.is_current());
    everybody
}

/// What the holder of a slot says of itself; nothing where the slot cannot be read.
pub(crate) fn holder_of(file: &File, byte: u64) -> Option<Attached> {
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
    Some(Attached {
        process: Process::stored(u32_at(4), u32_at(20)),
        program: readable(&String::from_utf8_lossy(name)),
        access: if reads_only {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        },
        since: UNIX_EPOCH.checked_add(Duration::from_nanos(since)),
    })
}

fn reader_of(byte: u64) -> Attached {
    let process = Process::with_pid(layout::pid_of_byte(byte));
    let program = sys::program_of(process.pid()).unwrap_or_default();
    Attached {
        process,
        program: readable(&program),
        access: Access::ReadOnly,
        since: None,
    }
}

/// The name that another process gives itself, with its hidden characters escaped; "unknown" where
/// it gives none.
pub(crate) fn readable(name: &str) -> String {
    match name {
        "" => "unknown".into(),
        name => escape::line(name).into_owned(),
    }
}

/// The bytes that other open files hold, in order: those that are known, and those in some ranges.
fn held(file: &File, mut bytes: Vec<u64>, mut unasked: Vec<Range<u64>>, most: usize) -> Vec<u64> {
    // The kernel names one lock in a range, not the first: both sides of it are still to be asked.
    while let Some(range) = unasked.pop() {
        if bytes.len() >= most {
            break;
        }
        if let Ok(Some(byte)) = sys::held_byte(file, range.clone()) {
            bytes.push(byte);
            unasked.extend(sides(range, byte));
        }
    }
    bytes.sort_unstable();
    bytes
}

/// What is left of a range on both sides of a byte.
fn sides(range: Range<u64>, byte: u64) -> Vec<Range<u64>> {
    let sides = [range.start..byte, byte + 1..range.end];
    sides.into_iter().filter(|side| !side.is_empty()).collect()
}
