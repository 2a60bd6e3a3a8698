//! Parses a JPEG file from marker to marker.

use std::io::{self, BufRead, Read, Seek};
use std::ops::Range;

use image::metadata::Orientation;

use super::{FrameHeader, JpegError, JpegInfo, MARKER, MAX_RANGES};

/// Parses a file from marker to marker.
pub(super) struct MarkerParser<F> {
    file: F,
    position: u64,
    /// The bytes that the decoder may still read.
    remaining: u64,
    is_in_scan: bool,
    pub(super) info: JpegInfo,
}

impl<F: BufRead + Seek> MarkerParser<F> {
    /// Reads the start of a file, of which the decoder may read `max_bytes`.
    pub(super) fn new(mut file: F, max_bytes: u64) -> Result<MarkerParser<F>, JpegError> {
        let mut start = [0; 2];
        file.read_exact(&mut start)?;
        if start != [MARKER, 0xD8] {
            return Err(JpegError::NotJpeg);
        }
        let mut parser = MarkerParser {
            file,
            position: 2,
            remaining: max_bytes,
            is_in_scan: false,
            info: JpegInfo {
                is_bare: true,
                ..JpegInfo::default()
            },
        };
        parser.add_range(0..2)?;
        Ok(parser)
    }

    /// Reads the next marker and its segment; returns `false` at the end of the picture.
    pub(super) fn step(&mut self) -> Result<bool, JpegError> {
        let start = self.position;
        // The pixels lie between the markers of the scans.
        let limit = self.remaining.saturating_add(1);
        let skipped = self.file.by_ref().take(limit).skip_until(MARKER)? as u64;
        self.position += skipped;
        if skipped == limit {
            return Err(self.too_long());
        }
        let mut code = self.read_byte()?;
        while code == MARKER {
            code = self.read_byte()?;
        }
        let marker = self.position - 2;
        if self.is_in_scan {
            self.add_range(start..marker)?;
        } else if marker > start {
            self.info.is_bare = false;
        }
        match code {
            // End of image.
            0xD9 => {
                self.add_range(marker..self.position)?;
                return Ok(false);
            }
            // A stuffed byte or a restart marker within the pixels.
            0x00 | 0xD0..=0xD7 if self.is_in_scan => self.add_range(marker..self.position)?,
            0x00 | 0x01 | 0xD0..=0xD8 => self.info.is_bare = false,
            _ => self.read_segment(marker, code)?,
        }
        Ok(true)
    }

    fn read_segment(&mut self, marker: u64, code: u8) -> Result<(), JpegError> {
        self.is_in_scan = false;
        let length = u16::from_be_bytes([self.read_byte()?, self.read_byte()?]);
        // The length includes its own two bytes.
        let length = u64::from(length.checked_sub(2).ok_or(JpegError::NotJpeg)?);
        if Self::is_relevant(code, length) {
            let mut segment = vec![0; usize::try_from(length).unwrap_or(0)];
            self.file.read_exact(&mut segment)?;
            self.position += length;
            if self.parse_segment(code, &segment) {
                return self.add_range(marker..self.position);
            }
        } else {
            self.file
                .seek_relative(i64::try_from(length).unwrap_or(0))?;
            self.position += length;
        }
        self.info.is_bare = false;
        Ok(())
    }

    /// Returns `true` if the content of a segment may be relevant.
    fn is_relevant(code: u8, length: u64) -> bool {
        match code {
            // Frame headers, tables, scan headers.
            0xC0..=0xC7 | 0xC9..=0xCF | 0xDA..=0xDD => true,
            // APP0: a frame of a Motion JPEG video, which omits its tables.
            0xE0 => length >= 5,
            // APP1: EXIF metadata. APP14: the colour space.
            0xE1 | 0xEE => true,
            _ => false,
        }
    }

    /// Parses a segment, and returns `true` if the decoder reads it.
    fn parse_segment(&mut self, code: u8, segment: &[u8]) -> bool {
        let info = &mut self.info;
        match code {
            0xC0..=0xC2 if info.frame.is_none() && info.first_scan == 0 => {
                info.frame = FrameHeader::parse(segment, code == 0xC2);
            }
            0xDA => {
                self.is_in_scan = true;
                let count = segment.first().map_or(0, |count| usize::from(*count));
                let components = segment.get(1..).unwrap_or_default().as_chunks::<2>().0;
                let ids = components.iter().take(count).map(|[id, _]| *id);
                if info.first_scan == 0 {
                    info.first_scan = count.max(1);
                }
                let blocks = info.frame.as_ref().map_or(0, |frame| frame.blocks_of(ids));
                info.block_passes = info.block_passes.saturating_add(blocks);
            }
            0xE0 => return segment.starts_with(b"AVI1\0"),
            0xE1 => {
                if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                    info.orientation = Orientation::from_exif_chunk(exif);
                }
                return false;
            }
            0xEE => return segment.starts_with(b"Adobe") && segment.len() >= 12,
            _ => {}
        }
        true
    }

    /// Adds a range that the decoder reads.
    fn add_range(&mut self, range: Range<u64>) -> Result<(), JpegError> {
        match self.remaining.checked_sub(range.end - range.start) {
            Some(remaining) => self.remaining = remaining,
            None => return Err(self.too_long()),
        }
        let ranges = &mut self.info.ranges;
        let count = ranges.len();
        match ranges.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ if count == MAX_RANGES => return Err(JpegError::NotJpeg),
            _ => ranges.push(range),
        }
        Ok(())
    }

    fn too_long(&mut self) -> JpegError {
        JpegError::TooLong(self.info.frame.take())
    }

    fn read_byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.file.read_exact(&mut byte)?;
        self.position += 1;
        Ok(byte[0])
    }
}
