//! Icons: which of a file's pictures is taken, and whether that is a PNG file.

use std::io::{self, Read, Seek, SeekFrom};

/// What a PNG file begins with.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1A\n";

/// One of the pictures in a file.
#[derive(Clone, Copy)]
struct Entry {
    /// The more bits and pixels, the better.
    rank: (u16, u32),
    offset: u32,
}

/// Goes to the best picture of an icon file, and returns whether that is a PNG file.
pub(super) fn seek_png(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let Some(entry) = best(file)? else {
        return Ok(false);
    };
    let offset = SeekFrom::Start(entry.offset.into());
    file.seek(offset)?;
    let mut first = [0; PNG.len()];
    file.read_exact(&mut first)?;
    file.seek(offset)?;
    Ok(first == PNG)
}

/// Chooses as the decoder of all other icons does: of equal ones the last where that is the best, and
/// else the first.
fn best(file: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut header = [0; 6];
    file.read_exact(&mut header)?;
    let [.., low, high] = header;
    let mut entries = Vec::new();
    for _ in 0..u16::from_le_bytes([low, high]) {
        let mut entry = [0; 16];
        file.read_exact(&mut entry)?;
        let [
            width,
            height,
            _,
            _,
            _,
            _,
            b0,
            b1,
            _,
            _,
            _,
            _,
            o0,
            o1,
            o2,
            o3,
        ] = entry;
        let side = |side| if side == 0 { 256 } else { u32::from(side) };
        entries.push(Entry {
            rank: (u16::from_le_bytes([b0, b1]), side(width) * side(height)),
            offset: u32::from_le_bytes([o0, o1, o2, o3]),
        });
    }
    let last = entries.pop();
    Ok(last.map(|last| {
        let better = |best: Entry, entry: Entry| if entry.rank > best.rank { entry } else { best };
        entries.into_iter().fold(last, better)
    }))
}
