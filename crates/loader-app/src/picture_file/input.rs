//! A picture file as decoders read it: with a fixed length, and with a check of the process's
//! memory at each read.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use gui_common::picture::limit::Limit;

use crate::progress::{ProgressReader, ReadProgress};

/// The growth beyond the limit that is allowed for the rest of the process.
const SLACK: u64 = 16 << 20;

/// A file that a decoder reads.
///
/// The memory of a decoder is computed before it starts. The header does not show the tables that a
/// file makes it build, but these grow only during reads: so each read checks the process's memory.
#[derive(Debug)]
pub(super) struct BoundedFile {
    file: ProgressReader<File>,
    /// The length at the start; bytes that are appended later are not read.
    length: u64,
    position: u64,
    memory: Arc<MemoryCheck>,
}

impl BoundedFile {
    pub(super) fn new(
        file: File,
        length: u64,
        progress: Arc<ReadProgress>,
        memory: Arc<MemoryCheck>,
    ) -> BoundedFile {
        BoundedFile {
            file: ProgressReader::new(file, length, progress),
            length,
            position: 0,
            memory,
        }
    }

    /// Returns the length of the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.memory.check()?;
        let left = self.length.saturating_sub(self.position);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read(&mut buffer[..length])?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for BoundedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        // The end of the file may have moved since it was opened.
        let position = match position {
            SeekFrom::End(distance) => match self.length.checked_add_signed(distance) {
                Some(position) => SeekFrom::Start(position),
                None => return Err(io::ErrorKind::InvalidInput.into()),
            },
            position => position,
        };
        self.position = self.file.seek(position)?;
        Ok(self.position)
    }
}

/// Checks how much the process has grown since a picture was opened.
#[derive(Debug)]
pub(super) struct MemoryCheck {
    /// The most resident memory that the process may have; `None` if the kernel does not report it.
    max_bytes: Option<u64>,
    was_exceeded: AtomicBool,
}

impl MemoryCheck {
    pub(super) fn new(limit: Limit) -> MemoryCheck {
        let max_bytes =
            resident_bytes().map(|bytes| bytes.saturating_add(limit.bytes()).saturating_add(SLACK));
        MemoryCheck {
            max_bytes,
            was_exceeded: AtomicBool::new(false),
        }
    }

    /// Returns `true` if a read failed because the process had exceeded its memory.
    pub(super) fn was_exceeded(&self) -> bool {
        self.was_exceeded.load(Relaxed)
    }

    fn check(&self) -> io::Result<()> {
        match self.max_bytes.zip(resident_bytes()) {
            Some((max_bytes, bytes)) if bytes > max_bytes => {
                // Decoders may replace the error by another.
                self.was_exceeded.store(true, Relaxed);
                Err(io::ErrorKind::OutOfMemory.into())
            }
            _ => Ok(()),
        }
    }
}

/// Returns the resident memory of the process, including shared memory.
fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs::OpenOptions;
    use std::io::Write;

    fn input(path: &std::path::Path, limit: Limit) -> BoundedFile {
        let length = path.metadata().unwrap().len();
        let memory = Arc::new(MemoryCheck::new(limit));
        BoundedFile::new(File::open(path).unwrap(), length, Arc::default(), memory)
    }

    #[test]
    fn appended_bytes_are_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("growing");
        fs::write(&path, b"four").unwrap();
        let mut input = input(&path, Limit::DEFAULT);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b" and more").unwrap();
        let mut read = Vec::new();
        input.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"four");
        assert_eq!(input.seek(SeekFrom::End(-1)).unwrap(), 3);
        assert_eq!(input.read(&mut [0; 8]).unwrap(), 1);
        assert_eq!(input.seek(SeekFrom::Start(9)).unwrap(), 9);
        assert_eq!(input.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn reads_fail_once_the_process_exceeds_its_memory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"bytes").unwrap();
        let mut input = input(&path, "1M".parse().unwrap());
        input.read_exact(&mut [0; 2]).unwrap();
        // Writing makes each page resident.
        let table = vec![7_u8; 128 << 20];
        let error = input.read(&mut [0; 2]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        assert!(input.memory.was_exceeded());
        drop(table);
    }
}
