//! Bytes as `hexdump -C` writes them.

use std::fmt::{self, Write as _};

/// The number of bytes in one line.
pub(crate) const BYTES_PER_LINE: usize = 16;

/// Formats `bytes` as lines of the offset, sixteen bytes in hexadecimal, and the printable ones as
/// text.
///
/// ```text
/// 00000000  48 65 6c 6c 6f                                    |Hello|
/// ```
pub fn dump(bytes: &[u8]) -> String {
    bytes
        .chunks(BYTES_PER_LINE)
        .enumerate()
        .map(|(line, bytes)| {
            Line {
                offset: line * BYTES_PER_LINE,
                bytes,
            }
            .to_string()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

struct Line<'a> {
    offset: usize,
    bytes: &'a [u8],
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}  ", self.offset)?;
        for column in 0..BYTES_PER_LINE {
            match self.bytes.get(column) {
                Some(byte) => write!(formatter, "{byte:02x} ")?,
                None => formatter.write_str("   ")?,
            }
            if column == BYTES_PER_LINE / 2 - 1 {
                formatter.write_char(' ')?;
            }
        }
        formatter.write_str(" |")?;
        for byte in self.bytes {
            let is_printable = byte.is_ascii_graphic() || *byte == b' ';
            formatter.write_char(if is_printable { char::from(*byte) } else { '.' })?;
        }
        formatter.write_char('|')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_hexdump() {
        let bytes: Vec<u8> = (0x3a..0x4c).collect();
        assert_eq!(
            dump(&bytes),
            "00000000  3a 3b 3c 3d 3e 3f 40 41  42 43 44 45 46 47 48 49  |:;<=>?@ABCDEFGHI|\n\
             00000010  4a 4b                                             |JK|"
        );
    }

    #[test]
    fn unprintable_bytes_become_dots() {
        assert!(dump(&[0, 0x7f, 0xff, b'a']).ends_with("|...a|"));
    }

    #[test]
    fn no_bytes_give_no_lines() {
        assert_eq!(dump(&[]), "");
    }
}
