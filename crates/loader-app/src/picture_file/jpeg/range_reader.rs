//! Reads the parts of a file that the decoder needs.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::vec;

/// Reads several ranges of a file, one after the other.
#[derive(Debug)]
pub(in super::super) struct RangeReader<F> {
    file: F,
    ranges: vec::IntoIter<Range<u64>>,
    /// The remaining bytes of the current range.
    remaining: u64,
}

impl<F> RangeReader<F> {
    pub(super) fn new(file: F, ranges: Vec<Range<u64>>) -> RangeReader<F> {
        RangeReader {
            file,
            ranges: ranges.into_iter(),
            remaining: 0,
        }
    }
}

impl<F: Read + Seek> Read for RangeReader<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.remaining == 0 {
            let Some(range) = self.ranges.next() else {
                return Ok(0);
            };
            self.file.seek(SeekFrom::Start(range.start))?;
            self.remaining = range.end - range.start;
        }
        let count = self.file.by_ref().take(self.remaining).read(buffer)?;
        self.remaining -= count as u64;
        if count == 0 && !buffer.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(count)
    }
}

/// `JpegDecoder` requires `Seek`, but never calls it.
impl<F> Seek for RangeReader<F> {
    fn seek(&mut self, _position: SeekFrom) -> io::Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }
}
