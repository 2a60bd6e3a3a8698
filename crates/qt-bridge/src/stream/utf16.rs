//! Conversion between UTF-8 and big-endian UTF-16, as `QString` is streamed: in chunks that fit the
//! cache, and with SIMD for runs of one kind of character.

use std::borrow::Cow;
use std::io::{self, Write};

use super::{CHUNK, ReadAt, StreamError, check_limit};
use crate::sys::vector;

/// How many characters are converted together.
const BLOCK: usize = 32;

/// Returns the number of UTF-16 units of a text.
pub(super) fn units(text: &str) -> usize {
    // Each character has one byte that is not a continuation byte; characters of four bytes become
    // two units. Summed in pieces that the compiler vectorises.
    text.as_bytes()
        .chunks(255)
        .map(|piece| {
            let one = |byte: &u8| u8::from(byte & 0xc0 != 0x80);
            let two = |byte: &u8| u8::from(*byte >= 0xf0);
            let ones: u8 = piece.iter().map(one).fold(0, u8::wrapping_add);
            let twos: u8 = piece.iter().map(two).fold(0, u8::wrapping_add);
            usize::from(ones) + usize::from(twos)
        })
        .sum()
}

/// Writes a text as UTF-16.
pub(super) fn write(text: &str, writer: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0; CHUNK];
    let mut rest = text;
    while !rest.is_empty() {
        let (filled, taken) = fill(rest, &mut buffer);
        writer.write_all(&buffer[..filled])?;
        rest = &rest[taken..];
    }
    Ok(())
}

/// Converts as much text as fits into the buffer. Returns how many bytes of the buffer it filled,
/// and how many of the text it converted.
fn fill(text: &str, buffer: &mut [u8; CHUNK]) -> (usize, usize) {
    let bytes = text.as_bytes();
    let mut filled = 0;
    let mut taken = 0;
    while taken < bytes.len() {
        if let Some(block) = bytes[taken..].first_chunk::<BLOCK>()
            && block.is_ascii()
        {
            let Some(room) = buffer.get_mut(filled..filled + 2 * BLOCK) else {
                break;
            };
            for (pair, byte) in room.as_chunks_mut::<2>().0.iter_mut().zip(block) {
                *pair = [0, *byte];
            }
            filled += 2 * BLOCK;
            taken += BLOCK;
            continue;
        }
        // After a block of characters, the ASCII path is tried again.
        for character in text[taken..].chars().take(BLOCK) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units);
            let Some(room) = buffer.get_mut(filled..filled + 2 * units.len()) else {
                return (filled, taken);
            };
            for (pair, unit) in room.as_chunks_mut::<2>().0.iter_mut().zip(units) {
                *pair = unit.to_be_bytes();
            }
            filled += room.len();
            taken += character.len_utf8();
        }
    }
    (filled, taken)
}

/// Reads a text of `length` bytes. Replaces unpaired surrogates by U+FFFD.
pub(super) fn read(
    source: &impl ReadAt,
    offset: usize,
    length: usize,
    limit: u64,
) -> Result<String, StreamError> {
    check_limit(length, limit)?;
    let mut text = String::new();
    text.try_reserve(length / 2)
        .map_err(|_| StreamError::NoMemory { bytes: length / 2 })?;
    let mut chunk = [0; CHUNK];
    let mut decoder = Decoder::new();
    let mut done = 0;
    while done < length {
        let count = CHUNK.min(length - done);
        source.read_at(offset + done, &mut chunk[..count])?;
        let (pairs, _) = chunk[..count].as_chunks::<2>();
        let decoded = decoder.decode(pairs);
        check_limit(text.len() + decoded.len(), limit)?;
        text.try_reserve(decoded.len())
            .map_err(|_| StreamError::NoMemory { bytes: length })?;
        text.push_str(&decoded);
        done += count;
    }
    if decoder.half.is_some() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Ok(text)
}

/// Converts consecutive chunks to UTF-8.
struct Decoder {
    room: [u8; ROOM],
    filled: usize,
    /// A high surrogate at the end of a chunk, whose low surrogate is in the next.
    half: Option<u16>,
}

/// The longest output of a chunk: three bytes a unit, and U+FFFD for a pending surrogate.
const ROOM: usize = CHUNK / 2 * 3 + 3;

impl Decoder {
    fn new() -> Self {
        Self {
            room: [0; ROOM],
            filled: 0,
            half: None,
        }
    }

    fn decode(&mut self, pairs: &[[u8; 2]]) -> Cow<'_, str> {
        self.filled = 0;
        let decoder = &mut *self;
        vector::widest(Chunk { decoder, pairs });
        let decoded = &self.room[..self.filled];
        // The output is in the cache: validating it costs a tenth of producing it.
        match simdutf8::basic::from_utf8(decoded) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(decoded),
        }
    }

    #[inline(always)]
    fn append<const N: usize>(&mut self, bytes: [u8; N]) {
        self.room[self.filled..][..N].copy_from_slice(&bytes);
        self.filled += N;
    }

    #[inline(always)]
    fn append_unit(&mut self, unit: u16) {
        let [.., low] = unit.to_be_bytes();
        match unit {
            _ if self.half.is_some() => self.append_behind_half(unit),
            0..0x80 => self.append([low]),
            0x80..0x800 => self.append(two_bytes(unit)),
            0xd800..=0xdbff => self.half = Some(unit),
            0xdc00..=0xdfff => self.append(REPLACEMENT),
            _ => self.append(three_bytes(unit)),
        }
    }

    /// Appends a unit that follows a high surrogate.
    fn append_behind_half(&mut self, unit: u16) {
        match (self.half.take(), unit) {
            (Some(high), 0xdc00..=0xdfff) => {
                let code = 0x1_0000 + (u32::from(high & 0x3ff) << 10) + u32::from(unit & 0x3ff);
                let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                let mut bytes = [0; 4];
                character.encode_utf8(&mut bytes);
                self.append(bytes);
            }
            _ => {
                self.append(REPLACEMENT);
                self.append_unit(unit);
            }
        }
    }
}

const REPLACEMENT: [u8; 3] = three_bytes(0xfffd);

/// Encodes a unit from U+0080 to U+07FF.
#[inline(always)]
const fn two_bytes(unit: u16) -> [u8; 2] {
    [0xc0 | (unit >> 6 & 0x1f) as u8, continuation(unit)]
}

/// Encodes a unit from U+0800 on that is not a surrogate.
#[inline(always)]
const fn three_bytes(unit: u16) -> [u8; 3] {
    [
        0xe0 | (unit >> 12) as u8,
        continuation(unit >> 6),
        continuation(unit),
    ]
}

#[inline(always)]
const fn continuation(bits: u16) -> u8 {
    0x80 | (bits & 0x3f) as u8
}

/// The units to decode: the vectorised part of the work.
struct Chunk<'a> {
    decoder: &'a mut Decoder,
    pairs: &'a [[u8; 2]],
}

impl vector::Work for Chunk<'_> {
    #[inline(always)]
    fn work(self) {
        let Self { decoder, pairs } = self;
        let (blocks, rest) = pairs.as_chunks::<BLOCK>();
        for block in blocks {
            if decoder.half.is_none() && is_ascii(block) {
                decoder.append(block.map(|[_, low]| low));
            } else if decoder.half.is_none() && is_three_bytes_each(block) {
                let room = &mut decoder.room[decoder.filled..][..3 * BLOCK];
                for (bytes, pair) in room.as_chunks_mut().0.iter_mut().zip(block) {
                    *bytes = three_bytes(u16::from_be_bytes(*pair));
                }
                decoder.filled += 3 * BLOCK;
            } else {
                for pair in block {
                    decoder.append_unit(u16::from_be_bytes(*pair));
                }
            }
        }
        for pair in rest {
            decoder.append_unit(u16::from_be_bytes(*pair));
        }
    }
}

#[inline(always)]
fn is_ascii(block: &[[u8; 2]; BLOCK]) -> bool {
    let add = |others: u8, [high, low]: &[u8; 2]| others | high | (low & 0x80);
    block.iter().fold(0, add) == 0
}

#[inline(always)]
fn is_three_bytes_each(block: &[[u8; 2]; BLOCK]) -> bool {
    // Below U+0800, or a surrogate. Without a branch, so that the compiler vectorises it.
    let is_other = |[high, _]: &[u8; 2]| (high & 0xf8 == 0) | (high & 0xf8 == 0xd8);
    !block
        .iter()
        .fold(false, |other, pair| other | is_other(pair))
}
