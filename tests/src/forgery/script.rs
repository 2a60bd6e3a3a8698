//! The bytes that a fuzzer gives, read as choices.

/// Reads choices from the front; behind the end there are zeros.
#[derive(Debug)]
pub(super) struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub(super) fn new(data: &'a [u8]) -> Script<'a> {
        Script { rest: data }
    }

    pub(super) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// As many bytes as there still are, at most `count`.
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        bytes
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// A number of up to eight bytes.
    pub(super) fn number(&mut self, width: usize) -> u64 {
        let mut number = [0; 8];
        let bytes = self.bytes(width.min(8));
        number[..bytes.len()].copy_from_slice(bytes);
        u64::from_le_bytes(number)
    }

    /// One of `things`, by a byte.
    pub(super) fn pick<'t, T>(&mut self, things: &'t [T]) -> &'t T {
        &things[usize::from(self.byte()) % things.len()]
    }

    /// A number of `width` bytes that stands in for an honest one: any, a remarkable one, one
    /// that is off by little, or one with a single bit turned.
    pub(super) fn instead_of(&mut self, honest: u64, width: usize) -> u64 {
        match self.byte() % 4 {
            0 => self.number(width),
            1 => *self.pick(&REMARKABLE),
            2 => honest.wrapping_add_signed(i64::from(self.byte().cast_signed())),
            _ => honest ^ 1 << (usize::from(self.byte()) % (8 * width)),
        }
    }
}

/// Numbers at which something in the layout begins or ends.
const REMARKABLE: [u64; 40] = [
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
