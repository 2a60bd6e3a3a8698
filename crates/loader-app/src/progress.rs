//! How far a file has been read, and whether anybody still wants it.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Shared by the thread that reads a file and those that wait for it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    read: AtomicU64,
    /// 0 as long as the file is not open.
    total: AtomicU64,
    is_cancelled: AtomicBool,
}

impl Progress {
    /// Asks the reader to give up, which it does when it reads the next time.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Relaxed);
    }

    /// Returns `true` if the reader was asked to give up.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Relaxed)
    }

    /// Returns how much of the file has been read, from 0 to 1; 0 as long as it is not open.
    pub(crate) fn fraction(&self) -> f32 {
        let total = self.total.load(Relaxed).max(1);
        // A decoder may read parts twice.
        let read = self.read.load(Relaxed).min(total);
        #[expect(clippy::cast_possible_truncation, reason = "a number from 0 to 1")]
        let fraction = (read as f64 / total as f64) as f32;
        fraction
    }
}

/// A file that tells a [`Progress`] what is read of it, and fails when it is cancelled.
#[derive(Debug)]
pub(crate) struct ProgressReader<R> {
    file: R,
    progress: Arc<Progress>,
}

impl<R> ProgressReader<R> {
    /// Watches a file of `total` bytes.
    pub(crate) fn new(file: R, total: u64, progress: Arc<Progress>) -> ProgressReader<R> {
        progress.read.store(0, Relaxed);
        progress.total.store(total, Relaxed);
        ProgressReader { file, progress }
    }
}

impl<R: Read> Read for ProgressReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            // Not `Interrupted`: that asks to be tried again.
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
    fn what_is_read_is_counted_until_it_is_cancelled() {
        let progress = Arc::new(Progress::default());
        assert_eq!(progress.fraction(), 0.0);
        let mut file = ProgressReader::new(Cursor::new([7; 8]), 8, Arc::clone(&progress));
        let mut buffer = [0; 6];
        file.read_exact(&mut buffer).unwrap();
        assert_eq!(progress.fraction(), 0.75);
        // What is read again does not count beyond the end.
        file.rewind().unwrap();
        file.read_exact(&mut buffer).unwrap();
        assert_eq!(progress.fraction(), 1.0);
        progress.cancel();
        file.read_exact(&mut buffer[..1]).unwrap_err();
    }
}
