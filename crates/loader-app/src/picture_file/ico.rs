//! Icon files: finds the best picture, and whether it is a PNG file.

use std::io::{self, Read, Seek, SeekFrom};

/// The signature of a PNG file.
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1A\n";

/// A picture in an icon file.
#[derive(Clone, Copy)]
struct IconEntry {
    /// The bits per pixel, then the number of pixels; higher is better.
    rank: (u16, u32),
    offset: u32,
}

/// Seeks to the best picture of an icon file, and returns `true` if it is a PNG file.
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

/// Returns the same picture as the decoder of `image`: among equally good ones the last of the file
/// if that is the best, or else the first.
fn best(file: &mut impl Read) -> io::Result<Option<IconEntry>> {
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
        entries.push(IconEntry {
            rank: (u16::from_le_bytes([b0, b1]), side(width) * side(height)),
            offset: u32::from_le_bytes([o0, o1, o2, o3]),
        });
    }
    let last = entries.pop();
    Ok(last.map(|last| {
        let better =
            |best: IconEntry, entry: IconEntry| if entry.rank > best.rank { entry } else { best };
        entries.into_iter().fold(last, better)
    }))
}
