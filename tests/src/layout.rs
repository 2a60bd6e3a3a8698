//! Offsets in a segment, from docs/LAYOUT.md alone: for peers that bypass the library.

/// The length of the control area.
pub const CONTROL: usize = 0x4000;
/// The flags of the segment.
pub const FLAGS: usize = 0x10;
/// The lock word.
pub const LOCK: usize = 0x80;
/// The position of the newest complete record.
pub const LAST: usize = 0x100;
/// The position of the oldest record that is intact.
pub const OLDEST: usize = 0x180;
/// How much memory large samples ever had.
pub const LARGE_BYTES: usize = 0x300;
/// The first slot.
pub const SLOTS: usize = 0x400;
/// The length of a slot.
pub const SLOT: usize = 64;
/// The entry of region 0, which is unused.
pub const TABLE: usize = 0x2400;
/// The length of an entry.
pub const ENTRY: usize = 32;
/// The last region.
pub const REGIONS: usize = 191;
/// Where the ring begins.
pub const RING: usize = 0x4000;
/// The default size of the ring.
pub const RING_BYTES: usize = 1 << 18;
/// The longest payload in the ring.
pub const INLINE: usize = 1 << 14;
/// Region i begins at i times this.
pub const REGION_STRIDE: u64 = 1 << 36;
