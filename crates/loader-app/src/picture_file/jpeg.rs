//! Whether a JPEG file is all there. Its decoder does not tell: it paints grey what is missing.

use std::io::{self, BufRead, ErrorKind, Seek};

/// What begins every marker.
const MARKER: u8 = 0xFF;

/// Walks from marker to marker, and returns whether the one that ends a picture comes.
///
/// Small pictures inside segments, as cameras put them there, do not count; nor does what follows
/// the end.
pub(super) fn is_complete(file: impl BufRead + Seek) -> io::Result<bool> {
    match walk(file) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        result => result.map(|()| true),
    }
}

/// Goes up to the end of the picture.
fn walk(mut file: impl BufRead + Seek) -> io::Result<()> {
    loop {
        // Between the markers of a picture's scans lie its pixels.
        file.skip_until(MARKER)?;
        let mut code = read_byte(&mut file)?;
        while code == MARKER {
            code = read_byte(&mut file)?;
        }
        match code {
            // End of image.
            0xD9 => return Ok(()),
            // A byte of pixels that looks like a marker, or one of the markers without a segment.
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            _ => {
                let length = [read_byte(&mut file)?, read_byte(&mut file)?];
                // The length counts itself.
                file.seek_relative(i64::from(u16::from_be_bytes(length)) - 2)?;
            }
        }
    }
}

fn read_byte(file: &mut impl BufRead) -> io::Result<u8> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Cursor;

    #[test]
    fn only_the_marker_at_the_end_counts() {
        let start = b"\xFF\xD8";
        let thumbnail = b"\xFF\xE1\x00\x06\xFF\xD8\xFF\xD9";
        let scan = b"\xFF\xDA\x00\x03\x01pixels\xFF\x00pixels\xFF\xD0pixels";
        let end = b"\xFF\xFF\xD9";
        let cut = [start.as_slice(), thumbnail, scan].concat();
        let whole = [&cut, end.as_slice(), b"more"].concat();
        assert!(is_complete(Cursor::new(&whole)).unwrap());
        for length in 0..cut.len() {
            assert!(
                !is_complete(Cursor::new(&cut[..length])).unwrap(),
                "{length}"
            );
        }
        // A segment that is shorter than its own length does not lead round in a circle.
        assert!(!is_complete(Cursor::new(b"\xFF\xD8\xFF\xE0\x00\x00")).unwrap());
    }
}
