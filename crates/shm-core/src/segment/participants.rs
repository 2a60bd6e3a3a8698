//! Who is attached: from the kernel's locks, with what the slots say about them.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::escape;
use crate::layout::{self, access};
use crate::process::Process;
use crate::sys::{self, ByteLock};

/// The most subscribers that are told of, so that a stranger who locks millions of bytes costs little.
const MOST_READERS: usize = 1024;
/// How often the kernel is asked for them, whatever it answers.
const MOST_QUESTIONS: usize = 4 * MOST_READERS;

/// Somebody who is attached to a segment, for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
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

/// Writes its program and its process id: `camera (pid 4711)`.
impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.program, self.process)
    }
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
pub(crate) fn participants(file: &File) -> Vec<Participant> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    participants_beside(
        file,
        held_in(file, slots, Held::Slot).map(|held| held.start),
    )
}

/// The same, where it is known already which slot's byte the kernel names first, if any.
pub(crate) fn participants_beside(file: &File, slot: Option<u64>) -> Vec<Participant> {
    let slots = layout::slot_bytes(layout::SLOTS as u64);
    let slots = slot.map_or(Vec::new(), |slot| {
        let unasked = sides(slots, &(slot..slot + 1));
        held(file, vec![slot], unasked, layout::SLOTS, Held::Slot)
    });
    let readers = vec![layout::reader_bytes()];
    let readers = held(file, Vec::new(), readers, MOST_READERS, Held::Reader);
    let mut everybody: Vec<_> = slots
        .into_iter()
        .filter_map(|byte| holder_of(file, byte))
        .collect();
    for reader in readers.into_iter().map(reader_of) {
        let is_known = |holder: &Participant| holder.process.is(reader.process);
        if !everybody.iter().any(is_known) {
            everybody.push(reader);
        }
    }
    everybody
}

/// Everybody who is attached from another process than this.
pub(crate) fn peers(file: &File) -> Vec<Participant> {
    let mut everybody = participants(file);
    everybody.retain(|one| !one.process.is_current());
    everybody
}

/// What the holder of a slot says of itself; nothing where the slot cannot be read.
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
        program: readable(&String::from_utf8_lossy(name)),
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

/// What a byte stands for, and so by which lock it is held.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// By a write lock: what who may only read the segment locks counts for nothing.
    Slot,
    /// By a read lock, of one byte.
    Reader,
}

/// The bytes that other open files hold, in order: those that are known, and those in some ranges.
fn held(
    file: &File,
    mut bytes: Vec<u64>,
    mut unasked: Vec<Range<u64>>,
    most: usize,
    by: Held,
) -> Vec<u64> {
    // The kernel names one lock in a range, not the first: both sides of it are still to be asked.
    for _ in 0..MOST_QUESTIONS {
        let Some(range) = unasked.pop() else { break };
        if bytes.len() >= most {
            break;
        }
        if let Some(held) = held_in(file, range.clone(), by) {
            // Each subscriber has one byte. Who locks more of them is none.
            if held.end - held.start == 1 {
                bytes.push(held.start);
            }
            unasked.extend(sides(range, &held));
        }
    }
    bytes.sort_unstable();
    bytes
}

/// Bytes of a range that another open file holds.
fn held_in(file: &File, range: Range<u64>, by: Held) -> Option<Range<u64>> {
    let wanted = match by {
        Held::Slot => ByteLock::Read,
        Held::Reader => ByteLock::Write,
    };
    let found = sys::refusing_lock(file, range, wanted).ok()??.bytes;
    match by {
        // Each byte by itself is a slot that is taken.
        Held::Slot => Some(found.start..found.start + 1),
        Held::Reader => Some(found),
    }
}

/// What is left of a range on both sides of some bytes in it.
fn sides(range: Range<u64>, bytes: &Range<u64>) -> Vec<Range<u64>> {
    let sides = [range.start..bytes.start, bytes.end..range.end];
    sides.into_iter().filter(|side| !side.is_empty()).collect()
}
