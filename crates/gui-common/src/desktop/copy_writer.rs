//! A writer that copies its input before it calls the kernel.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};

/// The size of the buffer.
const CAPACITY: usize = 128 * 1024;

/// The most bytes taken by one write: less than [`CAPACITY`], so that `BufWriter` always copies.
const CHUNK: usize = CAPACITY / 2;

/// A writer that passes only its own memory to the kernel, never the caller's.
///
/// A payload is read in place from shared memory, which a peer can truncate at any time. The kernel
/// then fails the write (`EFAULT`, "Bad address"), as if the file were at fault. Copied first, it
/// is an ordinary read, which [`guard_against_truncation`](shm_core::guard_against_truncation)
/// survives and `verify` reports.
#[derive(Debug)]
pub struct CopyWriter<W: Write>(BufWriter<W>);

impl<W: Write> CopyWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> CopyWriter<W> {
        CopyWriter(BufWriter::with_capacity(CAPACITY, inner))
    }

    /// Flushes the buffer and returns the inner writer.
    ///
    /// # Errors
    ///
    /// Returns the error of the last write.
    pub fn into_inner(self) -> io::Result<W> {
        self.0.into_inner().map_err(|error| error.into_error())
    }
}

impl<W: Write> Write for CopyWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(CHUNK)])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Seek> Seek for CopyWriter<W> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.0.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records the addresses of its input.
    #[derive(Default)]
    struct Places {
        written: Vec<u8>,
        places: Vec<usize>,
    }

    impl Write for Places {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.places.push(bytes.as_ptr().addr());
            self.written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_callers_memory_is_never_passed_to_the_kernel() {
        let payload: Vec<u8> = (0..=u8::MAX).cycle().take(1_000_000).collect();
        let mut writer = CopyWriter::new(Places::default());
        writer.write_all(b"before").unwrap();
        writer.write_all(&payload).unwrap();
        let places = writer.into_inner().unwrap();
        assert!(places.written == [b"before", payload.as_slice()].concat());
        let payload = payload.as_ptr_range();
        let range = payload.start.addr()..payload.end.addr();
        assert!(places.places.iter().all(|place| !range.contains(place)));
    }
}
