//! UTF-16 in big endian, as `QString` is streamed, to and from UTF-8: a chunk in the cache at a time,
//! and ASCII many characters at once.

use std::io::{self, Write};

use super::{CHUNK, Source, StreamError};

/// How many ASCII characters are looked at together.
const BLOCK: usize = 32;

/// How many UTF-16 units a text has.
pub(super) fn units(text: &str) -> usize {
    // Each character has one byte that is no continuation; those of four bytes become two units.
    // Summed up in pieces that the compiler does many at once.
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

/// Writes a text.
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

/// Fills the buffer as far as it goes: how many bytes of it, with how many of the text.
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
        // At most a block of characters, then ASCII is tried again.
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

/// Reads a text of so many bytes. Of half a surrogate pair U+FFFD is made.
pub(super) fn read(
    source: &impl Source,
    offset: usize,
    length: usize,
) -> Result<String, StreamError> {
    let mut text = String::new();
    text.try_reserve(length / 2)
        .map_err(|_| StreamError::NoMemory { bytes: length / 2 })?;
    let mut chunk = [0; CHUNK];
    // The first half of a pair, whose second is in the next chunk.
    let mut half = None;
    let mut done = 0;
    while done < length {
        let count = CHUNK.min(length - done);
        source.read_at(offset + done, &mut chunk[..count])?;
        let (pairs, _) = chunk[..count].as_chunks::<2>();
        text.try_reserve(3 * (pairs.len() + 1))
            .map_err(|_| StreamError::NoMemory { bytes: length })?;
        half = append(&mut text, pairs, half);
        done += count;
    }
    if half.is_some() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Ok(text)
}

/// Appends units; returns the first half of a pair where that stands at the end.
fn append(text: &mut String, pairs: &[[u8; 2]], mut half: Option<u16>) -> Option<u16> {
    let mut rest = pairs;
    while !rest.is_empty() {
        if half.is_none()
            && let Some((block, tail)) = rest.split_first_chunk::<BLOCK>()
            && let Some(ascii) = ascii_of(block)
            && let Ok(ascii) = std::str::from_utf8(&ascii)
        {
            text.push_str(ascii);
            rest = tail;
            continue;
        }
        let (some, tail) = rest.split_at(rest.len().min(BLOCK));
        for pair in some {
            half = push(text, u16::from_be_bytes(*pair), half);
        }
        rest = tail;
    }
    half
}

/// The characters of a block, if all of them are ASCII.
fn ascii_of(block: &[[u8; 2]; BLOCK]) -> Option<[u8; BLOCK]> {
    let others = block
        .iter()
        .fold(0, |others, [high, low]| others | high | (low & 0x80));
    (others == 0).then(|| block.map(|[_, low]| low))
}

/// Appends a unit to what stands before it; returns the first half of a pair.
fn push(text: &mut String, unit: u16, half: Option<u16>) -> Option<u16> {
    const LOW: std::ops::RangeInclusive<u16> = 0xdc00..=0xdfff;
    match half {
        Some(high) if LOW.contains(&unit) => {
            let code = 0x1_0000 + (u32::from(high & 0x3ff) << 10) + u32::from(unit & 0x3ff);
            text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            return None;
        }
        Some(_) => text.push(char::REPLACEMENT_CHARACTER),
        None => {}
    }
    match char::from_u32(u32::from(unit)) {
        Some(character) => {
            text.push(character);
            None
        }
        None if LOW.contains(&unit) => {
            text.push(char::REPLACEMENT_CHARACTER);
            None
        }
        None => Some(unit),
    }
}
