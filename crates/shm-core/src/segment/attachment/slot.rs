//! The slot of a segment that describes a participant.

use crate::error::{AttachError, AttachErrorKind};
use crate::escape;
use crate::layout::{self, Control};
use crate::lock::{self, Owner};
use crate::lock_holder::LockHolder;
use crate::process::Process;
use crate::segment::file::SegmentFile;
use crate::segment::kind::Kind;
use crate::semaphore::units::units_of;
use crate::sync::Ordering;
use crate::sys::{self, ByteLock};

/// Claims a free slot. The caller holds the lifecycle byte, or the file has no name yet.
pub(super) fn claim_slot(
    segment: &SegmentFile,
    control: &Control,
    kind: Kind,
    access: u32,
) -> Result<Owner, AttachError> {
    for (index, slot) in control.slots.iter().enumerate() {
        let byte = layout::slot_byte(index);
        let free = sys::try_lock_byte(&segment.file, byte, ByteLock::Write)
            .map_err(|error| AttachError::io(&segment.key, "claiming a slot", error))?;
        if !free {
            continue;
        }
        let number = u8::try_from(index).unwrap_or(u8::MAX);
        // First, because the last holder of this slot may have died with the lock.
        lock::release_dead_owner(&control.header.lock, number);
        if let Kind::Semaphore { .. } = kind {
            // It may have died with units, too.
            units_of(control, number).give_back(number);
        }
        let generation = slot.generation.load(Ordering::Relaxed).wrapping_add(1);
        slot.generation.store(generation, Ordering::Relaxed);
        let this = Process::current();
        slot.pid.store(this.pid(), Ordering::Relaxed);
        slot.token.store(this.token(), Ordering::Relaxed);
        slot.since.store(sys::unix_nanos(), Ordering::Relaxed);
        slot.access.store(access, Ordering::Relaxed);
        write_program(slot);
        return Ok(Owner::new(number, generation));
    }
    Err(no_slot(segment))
}

/// Returns why no slot could be claimed: all are held, or read locks block some.
#[cold]
fn no_slot(segment: &SegmentFile) -> AttachError {
    let is_blocked = |byte: &u64| {
        let lock = sys::refusing_lock(&segment.file, *byte..*byte + 1, ByteLock::Write);
        lock.is_ok_and(|lock| lock.is_some_and(|lock| lock.kind == ByteLock::Read))
    };
    match layout::slot_bytes(layout::SLOTS as u64).find(is_blocked) {
        Some(byte) => AttachError::new(
            &segment.key,
            AttachErrorKind::SlotsBlocked {
                holder: LockHolder::find(&segment.file, byte, ByteLock::Write),
            },
        ),
        None => AttachError::new(
            &segment.key,
            AttachErrorKind::SlotsFull {
                slots: layout::SLOTS,
            },
        ),
    }
}

fn write_program(slot: &layout::Slot) {
    let name = sys::program_name();
    let mut bytes = escape::truncated(&name, slot.program.len() * 8).bytes();
    for word in &slot.program {
        let next = std::array::from_fn(|_| bytes.next().unwrap_or(0));
        word.store(u64::from_le_bytes(next), Ordering::Relaxed);
    }
}
