//! The progress of reading a file, and its cancellation.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// The progress of reading a file, shared by the reading thread and the threads that wait for it.
#[derive(Debug, Default)]
pub(crate) struct ReadProgress {
    read: AtomicU64,
    /// 0 until the file is open.
    total: AtomicU64,
    is_cancelled: AtomicBool,
}

impl ReadProgress {
    /// Cancels the reader: its next read fails.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Relaxed);
    }

    /// Returns `true` if the reader is cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Relaxed)
    }

    /// Returns the fraction of the file that has been read, from 0 to 1; 0 until it is open.
    pub(crate) fn fraction(&self) -> f32 {
        let total = self.total.load(Relaxed).max(1);
        // A decoder may read parts of the file twice.
        let read = self.read.load(Relaxed).min(total);
        #[expect(clippy::cast_possible_truncation, reason = "a number from 0 to 1")]
        let fraction = (read as f64 / total as f64) as f32;
        fraction
    }
}

/// A reader that counts the bytes it reads in a [`ReadProgress`], and fails once that is cancelled.
#[derive(Debug)]
pub(crate) struct ProgressReader<R> {
    file: R,
    progress: Arc<ReadProgress>,
}

impl<R> ProgressReader<R> {
    /// Wraps a file of `total` bytes.
    pub(crate) fn new(file: R, total: u64, progress: Arc<ReadProgress>) -> ProgressReader<R> {
        progress.read.store(0, Relaxed);
        progress.total.store(total, Relaxed);
        ProgressReader { file, progress }
    }
}

impl<R: Read> Read for ProgressReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            // Not `Interrupted`: callers retry that.
            return Err(io::Error::other("cancelled"));
        }
        let count = self.file.read(buffer)?;
        self.progress.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for ProgressReader<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Cursor;

    #[test]
    fn reads_are_counted_and_fail_after_cancellation() {
        let progress = Arc::new(ReadProgress::default());
        assert_eq!(progress.fraction(), 0.0);
        let mut file = ProgressReader::new(Cursor::new([7; 8]), 8, Arc::clone(&progress));
        let mut buffer = [0; 6];
        file.read_exact(&mut buffer).unwrap();
        assert_eq!(progress.fraction(), 0.75);
        // Bytes that are read twice do not count beyond the total.
        file.rewind().unwrap();
        file.read_exact(&mut buffer).unwrap();
        assert_eq!(progress.fraction(), 1.0);
        progress.cancel();
        file.read_exact(&mut buffer[..1]).unwrap_err();
    }
}
