//! The bytes of a segment. `docs/LAYOUT.md` is the normative text, which defines which process
//! writes which field when.
//!
//! All fields are atomics, so that references to them stay sound while other processes store to
//! them.

#[cfg(not(loom))]
use std::mem::offset_of;
use std::ops::{Range, RangeInclusive};

use crate::sync::{AtomicU32, AtomicU64};
use crate::sys::Shared;

/// The first eight bytes of a segment.
pub(crate) const MAGIC: [u8; 8] = *b"SHM-CORE";
/// The layout that this crate reads and writes.
pub(crate) const VERSION: u32 = 2;
/// The maximum number of participants with a slot: publishers, and handles of a block or a
/// semaphore.
pub(crate) const SLOTS: usize = 128;
/// The number of regions, which are numbered from 1; 0 means none. Chosen so that the control area
/// with its table takes 16 KiB.
pub(crate) const REGIONS: usize = 191;

/// The maximum number of a semaphore's available units, and of units that a slot holds.
pub(crate) const MAX_UNITS: u32 = 0x7fff;
/// The records of a semaphore's slots: record i is word `i / 16` of line `i % 16`, so that the
/// first sixteen slots have cache lines of their own.
pub(crate) type UnitRecords = [[AtomicU64; UNIT_COLUMNS]; UNIT_LINES];
/// The number of records in a line.
pub(crate) const UNIT_COLUMNS: usize = LINE_BYTES / 8;
/// The number of lines.
const UNIT_LINES: usize = SLOTS / UNIT_COLUMNS;

/// Returns the offset of a slot's record in the table.
pub(crate) const fn unit_record_offset(slot: u8) -> usize {
    let slot = slot as usize;
    LINE_BYTES * (slot % UNIT_LINES) + 8 * (slot / UNIT_LINES)
}

/// The length of the control area, which precedes all data.
pub(crate) const CONTROL_BYTES: usize = size_of::<Control>();
/// The offset of a block's bytes: a multiple of every page size in use on Linux.
pub(crate) const BLOCK_OFFSET: u64 = 0x1_0000;
/// The maximum length of a block, chosen as that of a region.
pub(crate) const MAX_BLOCK_BYTES: u64 = REGION_STRIDE;

/// The offset of the ring; control area and ring are mapped together.
pub(crate) const RING_OFFSET: usize = CONTROL_BYTES;
/// The alignment of records: the size of a cache line.
pub(crate) const LINE_BYTES: usize = 64;
/// The bounds of a ring's length, which is a power of two.
pub(crate) const RING_BYTES: RangeInclusive<u64> = 1 << 14..=1 << 30;
/// The length of a ring unless its creator chooses another.
pub(crate) const DEFAULT_RING_BYTES: u64 = 1 << 18;
/// The maximum length of a payload in the ring, unless an eighth of the ring is shorter.
pub(crate) const INLINE_BYTES: u64 = 1 << 14;
/// Positions and sequences are below this, so that arithmetic with them never wraps.
pub(crate) const POSITIONS: u64 = 1 << 62;

/// The distance of regions: region i begins at i times this.
pub(crate) const REGION_STRIDE: u64 = 1 << 36;
/// The maximum length of a payload: that of a region.
pub(crate) const MAX_PAYLOAD_BYTES: u64 = REGION_STRIDE;
/// The length of a file that has one byte in the last region.
pub(crate) const LONGEST_FILE: u64 = REGION_STRIDE * REGIONS as u64 + 1;

/// The offset of the lock bytes, far behind all data.
const LOCKS: u64 = 1 << 60;
/// The byte that is locked during create, attach, detach and remove.
pub(crate) const LIFECYCLE_BYTE: u64 = LOCKS;
const SLOT_BYTES: u64 = LOCKS + 0x1_0000;
const REGION_BYTES: u64 = LOCKS + 0x2_0000;
const READER_BYTES: u64 = LOCKS + 0x1_0000_0000;
/// Reserved for subscribers that must not miss a record, to record how far they have read.
#[cfg_attr(loom, expect(dead_code, reason = "kept for lossless subscribers"))]
const HOLD_BYTES: u64 = LOCKS + 0x100_0000_0000;
/// The bound of process ids (`PID_MAX_LIMIT` of the Linux kernel, 2^22).
const MAX_PID: u64 = 1 << 22;
/// The maximum number of slots of a header of any version.
pub(crate) const MAX_SLOTS: u32 = 0x1_0000;

/// Returns the lock byte of a slot, which is write-locked while its holder is alive.
pub(crate) const fn slot_byte(slot: usize) -> u64 {
    SLOT_BYTES + slot as u64
}

/// Returns the lock bytes of the first `count` slots.
pub(crate) const fn slot_bytes(count: u64) -> Range<u64> {
    SLOT_BYTES..SLOT_BYTES + count
}

/// Returns the slot of a lock byte.
pub(crate) const fn slot_of_byte(byte: u64) -> u64 {
    byte - SLOT_BYTES
}

/// Returns the lock byte of a region: read-locked by a pin, write-locked by a claim.
pub(crate) const fn region_byte(region: u16) -> u64 {
    REGION_BYTES + region as u64
}

/// Returns the offset of a region in the file.
pub(crate) const fn region_offset(region: u16) -> u64 {
    REGION_STRIDE * region as u64
}

/// Returns the lock byte that shows that a subscriber with this process id is attached.
pub(crate) const fn reader_byte(pid: u32) -> u64 {
    READER_BYTES + (pid as u64 % MAX_PID)
}

/// Returns the lock bytes of all subscribers.
pub(crate) const fn reader_bytes() -> Range<u64> {
    READER_BYTES..READER_BYTES + MAX_PID
}

/// Returns the process id of a subscriber's lock byte.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range of bytes is 2^22 long"
)]
pub(crate) const fn pid_of_byte(byte: u64) -> u32 {
    (byte - READER_BYTES) as u32
}

/// Bits of [`Header::flags`].
pub(crate) mod flags {
    /// The segment stays when the last participant detaches. Sticky.
    pub(crate) const PERSISTENT: u32 = 1 << 0;
    /// The segment has lost its name, or is about to. Sticky.
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
    /// A participant of a block that reads and writes.
    pub(crate) const BLOCK_READ_WRITE: u32 = 2;
    /// A participant of a block that only reads.
    pub(crate) const BLOCK_READ_ONLY: u32 = 3;
    /// A participant of a semaphore.
    pub(crate) const SEMAPHORE: u32 = 4;
}

/// The segment's header. The first 24 bytes are the same in every version.
///
/// Words that different processes write are 128 bytes apart, because processors prefetch cache
/// lines in pairs.
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
    /// The position of the newest complete record: the only commit point. In a semaphore: its
    /// [`units`](Self::units).
    pub(crate) last: AtomicU64,
    reserved_last: [AtomicU64; 15],
    /// The position of the oldest record that is intact.
    pub(crate) oldest: AtomicU64,
    reserved_oldest: [AtomicU64; 15],
    /// Reserved for publishers that wait for subscribers: the position up to which one wants to
    /// evict.
    wanted: AtomicU64,
    reserved_wanted: [AtomicU64; 15],
    /// Reserved for publishers that wait for subscribers: the word on which they sleep.
    waiting: AtomicU32,
    reserved_waiting: [AtomicU32; 31],
    /// The sum of the memory of all large samples ever published.
    pub(crate) large_bytes: AtomicU64,
    reserved_large: [AtomicU64; 15],
    /// Counts the announced changes of a block; processes that wait for one sleep on it.
    pub(crate) changes: AtomicU32,
    reserved_changes: [AtomicU32; 31],
}

/// What a slot's holder reports about itself, for display.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// Incremented by every claim; its low 22 bits go into the lock word.
    pub(crate) generation: AtomicU32,
    pub(crate) pid: AtomicU32,
    pub(crate) since: AtomicU64,
    pub(crate) access: AtomicU32,
    pub(crate) token: AtomicU32,
    pub(crate) program: [AtomicU64; 5],
}

/// The table entry of a region.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Region {
    /// The position of the record that names the region; 0 while the region may be written.
    pub(crate) position: AtomicU64,
    /// The value of [`Header::large_bytes`] before its sample.
    pub(crate) start: AtomicU64,
    /// The lower bound of the region's memory: at least so many bytes from its beginning have
    /// memory.
    pub(crate) reserved_bytes: AtomicU64,
    /// The upper bound of the region's memory: behind so many bytes from its beginning there is
    /// none.
    pub(crate) allocated_max: AtomicU64,
}

impl Header {
    /// Returns the word of a semaphore, which has no records: its waiters sleep on the word on
    /// which subscribers sleep in a segment of samples.
    #[inline]
    pub(crate) fn units(&self) -> &AtomicU64 {
        &self.last
    }
}

#[cfg(all(loom, test))]
impl Region {
    /// Creates a region for the model checker, which has no mapped memory.
    pub(crate) fn new_for_model() -> Self {
        Self {
            position: AtomicU64::new(0),
            start: AtomicU64::new(0),
            reserved_bytes: AtomicU64::new(0),
            allocated_max: AtomicU64::new(0),
        }
    }
}

/// The control area: everything before the data.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Control {
    pub(crate) header: Header,
    pub(crate) slots: [Slot; SLOTS],
    /// Entry 0 is unused: region 0 means none.
    pub(crate) regions: [Region; REGIONS + 1],
    /// The records of how many units each slot of a semaphore holds.
    pub(crate) units: UnitRecords,
}

#[expect(unsafe_code, reason = "a promise about the type above")]
// SAFETY: `Control` and everything in it are atomics or arrays of atomics, and its alignment is 64.
unsafe impl Shared for Control {}

impl Control {
    /// Returns the entry of a region, whose number is at most [`REGIONS`].
    pub(crate) fn region(&self, region: u16) -> &Region {
        &self.regions[usize::from(region)]
    }
}

// The model checker's atomics are larger than the hardware's.
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
    // The ranges of lock bytes do not overlap.
    assert!(SLOT_BYTES + MAX_SLOTS as u64 <= REGION_BYTES);
    assert!(REGION_BYTES + REGIONS as u64 <= READER_BYTES);
    assert!(READER_BYTES + MAX_PID <= HOLD_BYTES);
};
