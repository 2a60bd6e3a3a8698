//! The memory that decoding a JPEG file needs, and the parts of it that the decoder reads.
//!
//! The decoder would read the whole file into memory, including the metadata of cameras, fill
//! missing parts with gray, and allocate by the sizes in the header. So the file is parsed first,
//! from marker to marker.

mod frame_header;
mod parser;
mod range_reader;

use std::io::{self, BufRead, ErrorKind, Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

pub(super) use frame_header::FrameHeader;

use parser::MarkerParser;
use range_reader::RangeReader;

/// The first byte of every marker.
const MARKER: u8 = 0xFF;

/// The most ranges of a file that the decoder reads; encoders produce far fewer.
const MAX_RANGES: usize = 4_096;

/// The facts about a JPEG file that determine its memory and orientation.
#[derive(Debug, Default)]
pub(super) struct JpegInfo {
    /// The frame header, if its coding process is supported.
    pub(super) frame: Option<FrameHeader>,
    /// The number of components in the first scan.
    first_scan: usize,
    /// The number of blocks of coefficients in all scans together.
    pub(super) block_passes: u64,
    /// The orientation in the EXIF metadata.
    pub(super) orientation: Option<Orientation>,
    /// The ranges of the file that the decoder reads.
    ranges: Vec<Range<u64>>,
    /// Whether the ranges cover the whole picture.
    is_bare: bool,
}

/// Why a JPEG file could not be parsed.
#[derive(Debug)]
pub(super) enum JpegError {
    /// The file ends before the picture does.
    Truncated,
    /// The file is not a JPEG file.
    NotJpeg,
    /// The decoder would read more than the limit; the frame header, if it was already found.
    TooLong(Option<FrameHeader>),
    /// The file cannot be read.
    Io(io::Error),
}

impl From<io::Error> for JpegError {
    fn from(error: io::Error) -> JpegError {
        match error.kind() {
            ErrorKind::UnexpectedEof => JpegError::Truncated,
            _ => JpegError::Io(error),
        }
    }
}

impl JpegInfo {
    /// Parses a file up to the end of its picture. Thumbnails inside segments are skipped.
    ///
    /// # Errors
    ///
    /// Returns a [`JpegError`] if the file is not a complete JPEG file, or if the decoder would
    /// read more than `max_bytes`.
    pub(super) fn read(file: impl BufRead + Seek, max_bytes: u64) -> Result<JpegInfo, JpegError> {
        let mut parser = MarkerParser::new(file, max_bytes)?;
        while parser.step()? {}
        Ok(parser.info)
    }

    /// Parses a picture within another file, up to its first scan. Returns `None` if the picture
    /// contains anything that the decoder would not read: the decoder of that file reads all of it.
    pub(super) fn read_tile(file: impl BufRead + Seek) -> Result<Option<JpegInfo>, JpegError> {
        let mut parser = MarkerParser::new(file, u64::MAX)?;
        while parser.info.first_scan == 0 {
            if !parser.step()? {
                return Err(JpegError::NotJpeg);
            }
        }
        let info = parser.info;
        Ok(Some(info).filter(|info| info.is_bare))
    }

    /// Returns the number of bytes that the decoder reads.
    pub(super) fn length(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| range.end - range.start)
            .sum()
    }

    /// Returns the bytes that the decoder allocates, without the file and the decoded pixels.
    pub(super) fn working_bytes(&self) -> u64 {
        let Some(frame) = &self.frame else {
            return 0;
        };
        // The decoder holds one row of MCUs; for a non-interleaved or progressive picture, also all
        // coefficients.
        let holds_all = frame.is_progressive() || self.first_scan < frame.component_count();
        let coefficients = if holds_all { frame.blocks() * 128 } else { 0 };
        coefficients + frame.row_bytes()
    }

    /// Returns the number of components of the picture.
    pub(super) fn components(&self) -> u64 {
        self.frame
            .as_ref()
            .map_or(0, |frame| frame.component_count() as u64)
    }

    /// Returns a reader of the ranges that the decoder reads.
    pub(super) fn into_reader<F: Read + Seek>(self, file: F) -> RangeReader<F> {
        RangeReader::new(file, self.ranges)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::{Cursor, SeekFrom};

    fn info(file: &[u8]) -> Result<JpegInfo, JpegError> {
        JpegInfo::read(Cursor::new(file), u64::MAX)
    }

    /// Returns the bytes that the decoder reads.
    fn read_by_decoder(file: &[u8]) -> Vec<u8> {
        let mut read = Vec::new();
        let mut reader = info(file).unwrap().into_reader(Cursor::new(file));
        reader.read_to_end(&mut read).unwrap();
        read
    }

    fn segment(code: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(bytes.len() + 2).unwrap().to_be_bytes();
        [&[MARKER, code], &length[..], bytes].concat()
    }

    /// Returns a frame header of three components, the first of which has four blocks per MCU.
    fn frame(code: u8, width: u16, height: u16) -> Vec<u8> {
        let [w, h] = [width, height].map(u16::to_be_bytes);
        segment(
            code,
            &[
                8, h[0], h[1], w[0], w[1], 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1,
            ],
        )
    }

    const START: &[u8] = b"\xFF\xD8";
    const END: &[u8] = b"\xFF\xD9";
    const SCAN: &[u8] = b"\xFF\xDA\x00\x0C\x03\x01\0\x02\0\x03\0\0\x3F\0";

    #[test]
    fn a_file_without_its_end_marker_is_truncated() {
        let thumbnail = b"\xFF\xE1\x00\x06\xFF\xD8\xFF\xD9";
        let pixels = b"pixels\xFF\x00pixels\xFF\xD0pixels";
        let end = b"\xFF\xFF\xD9";
        let cut = [START, thumbnail, SCAN, pixels].concat();
        let whole = [&cut, end.as_slice(), b"more"].concat();
        info(&whole).unwrap();
        for length in 0..cut.len() {
            let error = info(&cut[..length]).unwrap_err();
            assert!(matches!(error, JpegError::Truncated), "{length}: {error:?}");
        }
        // A length of 0 must not cause an endless loop.
        let error = info(b"\xFF\xD8\xFF\xE0\x00\x00").unwrap_err();
        assert!(matches!(error, JpegError::NotJpeg), "{error:?}");
    }

    #[test]
    fn the_decoder_reads_only_tables_and_pixels() {
        let (table, frame) = (segment(0xDB, &[0; 65]), frame(0xC0, 9, 9));
        let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01");
        let pixels = b"a\xFF\x00b\xFF\xD1c";
        let needed = [START, &table, &adobe, &frame, SCAN, pixels, END].concat();
        assert_eq!(read_by_decoder(&needed), needed);
        let comment = segment(0xFE, b"words");
        let profile = segment(0xE2, b"ICC_PROFILE\0\x01\x01profile");
        // A frame header inside a segment of metadata.
        let trap = segment(
            0xE1,
            &[b"http://ns.adobe.com/xap/1.0/\0", &frame[..]].concat(),
        );
        let stuffed = [
            START,
            &profile,
            &table,
            b"garbage",
            &adobe,
            &trap,
            b"\xFF\xD8",
            &frame,
            &comment,
            SCAN,
            pixels,
            &comment,
            END,
            b"another picture",
        ]
        .concat();
        assert_eq!(read_by_decoder(&stuffed), needed);
    }

    #[test]
    fn the_memory_is_computed_from_the_headers() {
        let one_scan = |frame: &[u8]| [START, frame, SCAN, b"pixels", END].concat();
        // 4,096 MCUs of six blocks of 64 coefficients of two bytes.
        let coefficients = 4_096 * 6 * 128;
        let progressive = info(&one_scan(&frame(0xC2, 1_024, 1_024))).unwrap();
        let row = progressive.working_bytes() - coefficients;
        assert!(row < 1 << 20, "{row}");
        let baseline = info(&one_scan(&frame(0xC0, 1_024, 1_024))).unwrap();
        assert_eq!(baseline.working_bytes(), row);
        assert_eq!(baseline.block_passes, 4_096 * 6);
        // Non-interleaved: the decoder holds the coefficients of all components.
        let single = b"\xFF\xDA\x00\x08\x01\x01\0\0\x3F\0";
        let scans = [START, &frame(0xC0, 1_024, 1_024), &single.repeat(3), END].concat();
        let one_by_one = info(&scans).unwrap();
        assert_eq!(one_by_one.working_bytes(), row + coefficients);
        assert_eq!(one_by_one.block_passes, 4_096 * 4 * 3);
    }

    #[test]
    fn a_file_that_is_too_long_is_not_read_to_its_end() {
        struct Endless(u64);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += buffer.len() as u64;
                buffer.fill(7);
                Ok(buffer.len())
            }
        }
        impl Seek for Endless {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Err(ErrorKind::Unsupported.into())
            }
        }
        struct File(io::BufReader<io::Chain<Cursor<Vec<u8>>, Endless>>);
        impl Read for File {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(buffer)
            }
        }
        impl BufRead for File {
            fn fill_buf(&mut self) -> io::Result<&[u8]> {
                self.0.fill_buf()
            }
            fn consume(&mut self, count: usize) {
                self.0.consume(count);
            }
        }
        impl Seek for File {
            fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
                Err(ErrorKind::Unsupported.into())
            }
        }
        let start = Cursor::new([START, SCAN].concat());
        let mut file = File(io::BufReader::new(start.chain(Endless(0))));
        let error = JpegInfo::read(&mut file, 1 << 20).unwrap_err();
        assert!(matches!(error, JpegError::TooLong(None)), "{error:?}");
        assert!(file.0.get_ref().get_ref().1.0 < 2 << 20);
    }
}
