//! The bytes of a segment; `docs/LAYOUT.md` is the normative text and says who writes what when.
//!
//! Everything here is made of atomics, so that a reference to it stays sound
//! while other processes change what it shows.

#[cfg(not(loom))]
use std::mem::offset_of;
use std::ops::{Range, RangeInclusive};

use crate::sync::{AtomicU32, AtomicU64};
use crate::sys::Shared;

/// The first eight bytes of a segment.
pub(crate) const MAGIC: [u8; 8] = *b"SHM-CORE";
/// The layout that this crate reads and writes.
pub(crate) const VERSION: u32 = 2;
/// How many publishers, or processes that use a block or a semaphore, a segment has room for.
pub(crate) const SLOTS: usize = 128;
/// Regions are numbered from 1 to this; 0 means none. So many that control and table fit in 16 KiB.
pub(crate) const REGIONS: usize = 191;

/// The most units that a semaphore has available, and the most that a slot holds.
pub(crate) const MAX_UNITS: u32 = 0x7fff;
/// The slots' records of a semaphore: record i is word `i / 16` of line `i % 16`, so that the first
/// sixteen slots have lines of their own.
pub(crate) type UnitRecords = [[AtomicU64; UNIT_COLUMNS]; UNIT_LINES];
/// How many records stand in a line, and how many lines there are.
pub(crate) const UNIT_COLUMNS: usize = LINE_BYTES / 8;
const UNIT_LINES: usize = SLOTS / UNIT_COLUMNS;

/// Where the record of a slot begins, from the beginning of the table.
pub(crate) const fn unit_record_offset(slot: u8) -> usize {
    let slot = slot as usize;
    LINE_BYTES * (slot % UNIT_LINES) + 8 * (slot / UNIT_LINES)
}

/// The control area's length in the file: what precedes all data.
pub(crate) const CONTROL_BYTES: usize = size_of::<Control>();
/// Where a block's bytes begin: a multiple of every page size in use on Linux.
pub(crate) const BLOCK_OFFSET: u64 = 0x1_0000;
/// The longest block: as long as a region, for want of a better bound.
pub(crate) const MAX_BLOCK_BYTES: u64 = REGION_STRIDE;

/// Where the ring begins; control area and ring are mapped as one.
pub(crate) const RING_OFFSET: usize = CONTROL_BYTES;
/// Records begin at multiples of this, which is what processors fetch at once.
pub(crate) const LINE_BYTES: usize = 64;
/// How long a ring can be: a power of two within these bounds.
pub(crate) const RING_BYTES: RangeInclusive<u64> = 1 << 14..=1 << 30;
/// How long a ring is unless its creator says otherwise.
pub(crate) const DEFAULT_RING_BYTES: u64 = 1 << 18;
/// Payloads up to this long lie in the ring, unless an eighth of the ring is shorter.
pub(crate) const INLINE_BYTES: u64 = 1 << 14;
/// Positions and sequences are below this, so that arithmetic with them never wraps.
pub(crate) const POSITIONS: u64 = 1 << 62;

/// Region i begins at i times this.
pub(crate) const REGION_STRIDE: u64 = 1 << 36;
/// The longest payload: a region.
pub(crate) const MAX_PAYLOAD_BYTES: u64 = REGION_STRIDE;
/// The least length of file that holds something in every region.
pub(crate) const LONGEST_FILE: u64 = REGION_STRIDE * REGIONS as u64 + 1;

/// Lock bytes, far behind all data.
const LOCKS: u64 = 1 << 60;
/// Held for the moments of create, attach, detach and remove.
pub(crate) const LIFECYCLE_BYTE: u64 = LOCKS;
const SLOT_BYTES: u64 = LOCKS + 0x1_0000;
const REGION_BYTES: u64 = LOCKS + 0x2_0000;
const READER_BYTES: u64 = LOCKS + 0x1_0000_0000;
/// Where subscribers that must not miss a record will say how far they have read.
#[cfg_attr(loom, expect(dead_code, reason = "kept for lossless subscribers"))]
const HOLD_BYTES: u64 = LOCKS + 0x100_0000_0000;
/// Process ids are below this (PID_MAX_LIMIT of the Linux kernel, 2^22).
const MAX_PID: u64 = 1 << 22;
/// The most slots that a header of whatever version can claim to have.
pub(crate) const MAX_SLOTS: u32 = 0x1_0000;

/// The byte that says that a slot's holder lives.
pub(crate) const fn slot_byte(slot: usize) -> u64 {
    SLOT_BYTES + slot as u64
}

/// The bytes of slots 0 to `count`.
pub(crate) const fn slot_bytes(count: u64) -> Range<u64> {
    SLOT_BYTES..SLOT_BYTES + count
}

/// The slot that a byte belongs to.
pub(crate) const fn slot_of_byte(byte: u64) -> u64 {
    byte - SLOT_BYTES
}

/// The byte that pins a region, or says that it is being filled.
pub(crate) const fn region_byte(region: u16) -> u64 {
    REGION_BYTES + region as u64
}

/// Where a region begins in the file.
pub(crate) const fn region_offset(region: u16) -> u64 {
    REGION_STRIDE * region as u64
}

/// The byte that shows a subscriber's presence.
pub(crate) const fn reader_byte(pid: u32) -> u64 {
    READER_BYTES + (pid as u64 % MAX_PID)
}

/// The bytes of all subscribers.
pub(crate) const fn reader_bytes() -> Range<u64> {
    READER_BYTES..READER_BYTES + MAX_PID
}

/// The process that a presence byte belongs to.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range of bytes is 2^22 long"
)]
pub(crate) const fn pid_of_byte(byte: u64) -> u32 {
    (byte - READER_BYTES) as u32
}

/// Bits of [`Header::flags`].
pub(crate) mod flags {
    /// Stays when the last one leaves. Sticky.
    pub(crate) const PERSISTENT: u32 = 1 << 0;
    /// Has lost its name, or is about to. Sticky.
    pub(crate) const REMOVED: u32 = 1 << 1;
}

/// Values of [`Header::kind`].
pub(crate) mod kind {
    /// One block of bytes of a fixed size.
    pub(crate) const BLOCK: u32 = 1;
    /// Published samples.
    pub(crate) const SAMPLES: u32 = 2;
    /// A counting semaphore.
    pub(crate) const SEMAPHORE: u32 = 3;
}

/// Values of [`Slot::access`].
pub(crate) mod access {
    /// A publisher of samples.
    pub(crate) const PUBLISHER: u32 = 1;
    /// Participant to a block, reading and writing.
    pub(crate) const BLOCK_READ_WRITE: u32 = 2;
    /// Participant to a block, reading only.
    pub(crate) const BLOCK_READ_ONLY: u32 = 3;
    /// Participant to a semaphore.
    pub(crate) const SEMAPHORE: u32 = 4;
}

/// The segment's head. The first 24 bytes are frozen for ever, whatever the version.
///
/// Words that different processes write lie 128 bytes apart, because processors fetch lines in pairs.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Header {
    pub(crate) magic: AtomicU64,
    pub(crate) version: AtomicU32,
    pub(crate) slot_count: AtomicU32,
    pub(crate) flags: AtomicU32,
    pub(crate) kind: AtomicU32,
    pub(crate) id: [AtomicU64; 2],
    pub(crate) created: AtomicU64,
    pub(crate) block_bytes: AtomicU64,
    pub(crate) ring_bytes: AtomicU64,
    pub(crate) retain_bytes: AtomicU64,
    reserved: [AtomicU64; 7],
    pub(crate) lock: AtomicU32,
    reserved_lock: [AtomicU32; 31],
    /// Position of the newest complete record: the only commit point. Of a semaphore:
    /// [`units`](Self::units).
    pub(crate) last: AtomicU64,
    reserved_last: [AtomicU64; 15],
    /// Position of the oldest record that is intact.
    pub(crate) oldest: AtomicU64,
    reserved_oldest: [AtomicU64; 15],
    /// For publishers that wait for readers: what one would like to evict up to.
    wanted: AtomicU64,
    reserved_wanted: [AtomicU64; 15],
    /// For publishers that wait for readers: where they sleep.
    waiting: AtomicU32,
    reserved_waiting: [AtomicU32; 31],
    /// Memory ever given to large samples.
    pub(crate) large_bytes: AtomicU64,
    reserved_large: [AtomicU64; 15],
    /// Counts the announced changes of a block; processes that wait for one sleep on it.
    pub(crate) changes: AtomicU32,
    reserved_changes: [AtomicU32; 31],
}

/// What a slot's holder says of itself, for people to read.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// Raised by every claim; its low 22 bits go into the lock word.
    pub(crate) generation: AtomicU32,
    pub(crate) pid: AtomicU32,
    pub(crate) since: AtomicU64,
    pub(crate) access: AtomicU32,
    pub(crate) token: AtomicU32,
    pub(crate) program: [AtomicU64; 5],
}

/// What a region holds.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Region {
    /// Position of the record that names the region; 0 while it may be written.
    pub(crate) position: AtomicU64,
    /// What [`Header::large_bytes`] was before its sample.
    pub(crate) start: AtomicU64,
    /// So many bytes from the region's beginning have memory of their own, or more.
    pub(crate) reserved_bytes: AtomicU64,
    /// Behind so many bytes from the region's beginning there is no memory.
    pub(crate) allocated_max: AtomicU64,
}

impl Header {
    /// The word of a semaphore: it has no records, and waiters sleep where those for samples do.
    #[inline]
    pub(crate) fn units(&self) -> &AtomicU64 {
        &self.last
    }
}

#[cfg(all(loom, test))]
impl Region {
    /// A region of the model checker's, which has no mapped memory.
    pub(crate) fn new_for_model() -> Self {
        Self {
            position: AtomicU64::new(0),
            start: AtomicU64::new(0),
            reserved_bytes: AtomicU64::new(0),
            allocated_max: AtomicU64::new(0),
        }
    }
}

/// Everything before the data.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Control {
    pub(crate) header: Header,
    pub(crate) slots: [Slot; SLOTS],
    /// Entry 0 is unused: region 0 means none.
    pub(crate) regions: [Region; REGIONS + 1],
    /// How many units each slot of a semaphore holds.
    pub(crate) units: UnitRecords,
}

#[expect(unsafe_code, reason = "a promise about the type above")]
// SAFETY: `Control` and all that it contains are atomics or arrays of them,
// and its alignment is 64.
unsafe impl Shared for Control {}

impl Control {
    /// The entry of a region, which is at most [`REGIONS`].
    pub(crate) fn region(&self, region: u16) -> &Region {
        &self.regions[usize::from(region)]
    }
}

// A model checker's atomics are larger than the hardware's.
#[cfg(not(loom))]
const _: () = {
    assert!(offset_of!(Header, magic) == 0);
    assert!(offset_of!(Header, version) == 8);
    assert!(offset_of!(Header, slot_count) == 12);
    assert!(offset_of!(Header, flags) == 16);
    assert!(offset_of!(Header, kind) == 20);
    assert!(offset_of!(Header, id) == 24);
    assert!(offset_of!(Header, created) == 40);
    assert!(offset_of!(Header, block_bytes) == 48);
    assert!(offset_of!(Header, ring_bytes) == 56);
    assert!(offset_of!(Header, retain_bytes) == 64);
    assert!(offset_of!(Header, lock) == 0x80);
    assert!(offset_of!(Header, last) == 0x100);
    assert!(offset_of!(Header, oldest) == 0x180);
    assert!(offset_of!(Header, wanted) == 0x200);
    assert!(offset_of!(Header, waiting) == 0x280);
    assert!(offset_of!(Header, large_bytes) == 0x300);
    assert!(offset_of!(Header, changes) == 0x380);
    assert!(size_of::<Header>() == 0x400);

    assert!(offset_of!(Slot, generation) == 0);
    assert!(offset_of!(Slot, pid) == 4);
    assert!(offset_of!(Slot, since) == 8);
    assert!(offset_of!(Slot, access) == 16);
    assert!(offset_of!(Slot, token) == 20);
    assert!(offset_of!(Slot, program) == 24);
    assert!(size_of::<Slot>() == 64);

    assert!(offset_of!(Region, position) == 0);
    assert!(offset_of!(Region, start) == 8);
    assert!(offset_of!(Region, reserved_bytes) == 16);
    assert!(offset_of!(Region, allocated_max) == 24);
    assert!(size_of::<Region>() == 32);

    assert!(offset_of!(Control, header) == 0);
    assert!(offset_of!(Control, slots) == 0x400);
    assert!(offset_of!(Control, regions) == 0x2400);
    assert!(offset_of!(Control, units) == 0x3c00);
    assert!(size_of::<Control>() == 0x4000);
    assert!(CONTROL_BYTES as u64 <= BLOCK_OFFSET);
    // The ring ends before the first region, the last region before the lock bytes.
    assert!(RING_OFFSET as u64 + *RING_BYTES.end() <= REGION_STRIDE);
    assert!(REGION_STRIDE * (REGIONS as u64 + 1) < LOCKS);
    // No range of lock bytes meets another.
    assert!(SLOT_BYTES + MAX_SLOTS as u64 <= REGION_BYTES);
    assert!(REGION_BYTES + REGIONS as u64 <= READER_BYTES);
    assert!(READER_BYTES + MAX_PID <= HOLD_BYTES);
};
