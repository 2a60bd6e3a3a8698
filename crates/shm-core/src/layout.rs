//! The bytes of a segment; `docs/LAYOUT.md` is the normative text and says who writes what when.
//!
//! Everything here is made of atomics, so that a reference to it stays sound
//! while other processes change what it shows.

mod entry;
mod latest;

#[cfg(not(loom))]
use std::mem::offset_of;
use std::ops::Range;

pub(crate) use entry::Entry;
pub(crate) use latest::{LatestWord, MAX_GENERATION};

use crate::sync::{AtomicU32, AtomicU64};
use crate::sys::Shared;

/// The first eight bytes of a segment.
pub(crate) const MAGIC: [u8; 8] = *b"SHM-CORE";
/// The layout that this crate reads and writes.
pub(crate) const VERSION: u32 = 1;
/// How many publishers and block attachers a segment has room for.
pub(crate) const SLOTS: usize = 128;
/// Regions are numbered from 1 to this; 0 means none.
pub(crate) const REGIONS: usize = 255;

/// The control area's length in the file: what precedes all data.
pub(crate) const CONTROL_BYTES: usize = size_of::<Control>();
/// Where a block's bytes begin: a multiple of every page size in use on Linux.
pub(crate) const BLOCK_OFFSET: u64 = 0x1_0000;
/// The longest block: as long as a region, for want of a better bound.
pub(crate) const MAX_BLOCK_BYTES: u64 = REGION_STRIDE;
/// Region i begins at i times this.
pub(crate) const REGION_STRIDE: u64 = 1 << 36;
/// A region begins with room for the encoded metadata; then comes the payload.
pub(crate) const METADATA_CAPACITY: usize = 1024;
/// The longest payload.
pub(crate) const MAX_PAYLOAD_BYTES: u64 = REGION_STRIDE - METADATA_CAPACITY as u64;
/// The least length of file that holds something in every region.
pub(crate) const LONGEST_FILE: u64 = REGION_STRIDE * REGIONS as u64 + REGION_HEAD_BYTES;
/// A payload up to this long is copied without a pin; a longer one is pinned.
pub(crate) const SMALL_PAYLOAD_BYTES: usize = 4096;
/// The part of a region whose memory, once reserved, is never given back (invariant I7).
pub(crate) const REGION_HEAD_BYTES: u64 = 8192;

/// Lock bytes, far behind all data.
const LOCKS: u64 = 1 << 60;
/// Held for the moments of create, attach, detach and remove.
pub(crate) const LIFECYCLE_BYTE: u64 = LOCKS;
const SLOT_BYTES: u64 = LOCKS + 0x1_0000;
const REGION_BYTES: u64 = LOCKS + 0x2_0000;
const READER_BYTES: u64 = LOCKS + 0x1_0000_0000;
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
}

/// Values of [`Slot::access`].
pub(crate) mod access {
    /// A publisher of samples.
    pub(crate) const PUBLISHER: u32 = 1;
    /// Attached to a block, reading and writing.
    pub(crate) const BLOCK_READ_WRITE: u32 = 2;
    /// Attached to a block, reading only.
    pub(crate) const BLOCK_READ_ONLY: u32 = 3;
}

/// The segment's head. The first 24 bytes are frozen for ever, whatever the version.
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
    reserved: [AtomicU64; 9],
    /// On a cache line of its own, with the one beside it that processors fetch along.
    pub(crate) lock: AtomicU32,
    reserved_lock: [AtomicU32; 31],
    /// On a cache line of its own, likewise.
    pub(crate) latest: AtomicU64,
    reserved_latest: [AtomicU64; 479],
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
#[repr(C, align(64))]
pub(crate) struct Region {
    /// The sample's number; 0 while there is none that may be read.
    pub(crate) generation: AtomicU64,
    pub(crate) payload_bytes: AtomicU64,
    pub(crate) metadata_bytes: AtomicU32,
    pub(crate) writer_pid: AtomicU32,
    pub(crate) published: AtomicU64,
    /// So many bytes from the region's beginning have memory of their own, or more.
    pub(crate) reserved_bytes: AtomicU64,
    /// Behind so many bytes from the region's beginning there is no memory.
    pub(crate) touched_bytes: AtomicU64,
    pub(crate) writer_token: AtomicU32,
    reserved: [AtomicU32; 3],
}

#[cfg(all(loom, test))]
impl Region {
    /// A region of the model checker's, which has no mapped memory.
    pub(crate) fn new_for_model() -> Self {
        Self {
            generation: AtomicU64::new(0),
            payload_bytes: AtomicU64::new(0),
            metadata_bytes: AtomicU32::new(0),
            writer_pid: AtomicU32::new(0),
            published: AtomicU64::new(0),
            reserved_bytes: AtomicU64::new(0),
            touched_bytes: AtomicU64::new(0),
            writer_token: AtomicU32::new(0),
            reserved: std::array::from_fn(|_| AtomicU32::new(0)),
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
    assert!(offset_of!(Header, lock) == 128);
    assert!(offset_of!(Header, latest) == 256);
    assert!(size_of::<Header>() == 4096);

    assert!(offset_of!(Slot, generation) == 0);
    assert!(offset_of!(Slot, pid) == 4);
    assert!(offset_of!(Slot, since) == 8);
    assert!(offset_of!(Slot, access) == 16);
    assert!(offset_of!(Slot, token) == 20);
    assert!(offset_of!(Slot, program) == 24);
    assert!(size_of::<Slot>() == 64);

    assert!(offset_of!(Region, generation) == 0);
    assert!(offset_of!(Region, payload_bytes) == 8);
    assert!(offset_of!(Region, metadata_bytes) == 16);
    assert!(offset_of!(Region, writer_pid) == 20);
    assert!(offset_of!(Region, published) == 24);
    assert!(offset_of!(Region, reserved_bytes) == 32);
    assert!(offset_of!(Region, touched_bytes) == 40);
    assert!(offset_of!(Region, writer_token) == 48);
    assert!(size_of::<Region>() == 64);

    assert!(offset_of!(Control, header) == 0);
    assert!(offset_of!(Control, slots) == 0x1000);
    assert!(offset_of!(Control, regions) == 0x3000);
    assert!(size_of::<Control>() == 0x7000);
    assert!(CONTROL_BYTES as u64 <= BLOCK_OFFSET);
    assert!((METADATA_CAPACITY + SMALL_PAYLOAD_BYTES) as u64 <= REGION_HEAD_BYTES);
    // The last region ends before the lock bytes begin.
    assert!(REGION_STRIDE * (REGIONS as u64 + 1) < LOCKS);
};
