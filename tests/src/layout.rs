//! Where things are in a segment, from docs/LAYOUT.md alone: for peers that go past the library.

/// The length of the control area.
pub const CONTROL: usize = 0x7000;
/// The word that says what is so for everybody.
pub const FLAGS: usize = 0x10;
/// The lock word.
pub const LOCK: usize = 0x80;
/// The word that names the latest sample.
pub const LATEST: usize = 0x100;
/// The first slot.
pub const SLOTS: usize = 0x1000;
/// The length of a slot.
pub const SLOT: usize = 64;
/// The entry of region 0.
pub const ENTRIES: usize = 0x3000;
/// The length of an entry.
pub const ENTRY: usize = 64;
/// Region i begins at i times this.
pub const REGION_STRIDE: u64 = 1 << 36;
/// The room for encoded metadata in front of a payload.
pub const METADATA_ROOM: usize = 1024;
/// The longest payload that is copied without a pin.
pub const SMALL_PAYLOAD: usize = 4096;
