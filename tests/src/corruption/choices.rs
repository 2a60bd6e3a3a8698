//! The bytes of a fuzzer, read as choices.

/// Reads choices from the front; beyond the end it reads zeros.
#[derive(Debug)]
pub(super) struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub(super) fn new(data: &'a [u8]) -> Choices<'a> {
        Choices { rest: data }
    }

    pub(super) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// Returns up to `count` of the remaining bytes.
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Reads a number of up to eight bytes.
    pub(super) fn number(&mut self, width: usize) -> u64 {
        let mut number = [0; 8];
        let bytes = self.bytes(width.min(8));
        number[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(number)
    }

    /// Picks one of `things`, by a byte.
    pub(super) fn pick<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[usize::from(self.byte()) % things.len()]
    }

    /// Returns a number of `width` bytes to replace a valid one: any, a boundary, a nearby number,
    /// or the same with one bit flipped.
    pub(super) fn replacement_for(&mut self, valid: u64, width: usize) -> u64 {
        match self.byte() % 4 {
            0 => self.number(width),
            1 => *self.pick(&BOUNDARIES),
            2 => valid.wrapping_add_signed(i64::from(self.byte().cast_signed())),
            _ => valid ^ 1 << (usize::from(self.byte()) % (8 * width)),
        }
    }
}

/// Numbers at the boundaries of the layout.
const BOUNDARIES: [u64; 40] = [
    0,
    1,
    2,
    3,
    63,
    64,
    127,
    128,
    129,
    191,
    192,
    255,
    256,
    1920,
    2048,
    2049,
    4096,
    4160,
    8191,
    8192,
    0x37,
    0x38,
    0x3fff,
    0x4000,
    0x4001,
    0x8000,
    0x1_0000,
    (1 << 32) - 1,
    1 << 32,
    1 << 30,
    1 << 36,
    (1 << 36) + 1,
    3 << 36,
    (1 << 61) - 64,
    1 << 61,
    (1 << 62) - 64,
    (1 << 62) - 1,
    1 << 62,
    1 << 63,
    u64::MAX,
];
