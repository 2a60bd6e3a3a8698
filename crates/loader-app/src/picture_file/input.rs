//! A picture file as decoders read it: as long as it was when it was opened, and no further than the
//! memory goes.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use gui_common::picture::limit::Limit;

use crate::progress::{Progress, ProgressReader};

/// How much the process may grow beyond the limit before nothing more is read: what else goes on in it.
const SLACK: u64 = 16 << 20;

/// A file that is read by a decoder.
///
/// What a decoder takes is reckoned before it begins. Tables that a file makes it build are not in
/// its header, though, and they grow only while it reads: so each read looks whether there is too much.
#[derive(Debug)]
pub(super) struct Input {
    file: ProgressReader<File>,
    /// What is written behind this place meanwhile is not read.
    length: u64,
    at: u64,
    gauge: Arc<Gauge>,
}

impl Input {
    pub(super) fn new(
        file: File,
        length: u64,
        progress: Arc<Progress>,
        gauge: Arc<Gauge>,
    ) -> Input {
        Input {
            file: ProgressReader::new(file, length, progress),
            length,
            at: 0,
            gauge,
        }
    }

    /// Returns how long the file is.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.gauge.check()?;
        let left = self.length.saturating_sub(self.at);
        let length = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read(&mut buffer[..length])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Input {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        // The end of the file may have moved.
        let position = match position {
            SeekFrom::End(distance) => match self.length.checked_add_signed(distance) {
                Some(position) => SeekFrom::Start(position),
                None => return Err(io::ErrorKind::InvalidInput.into()),
            },
            position => position,
        };
        self.at = self.file.seek(position)?;
        Ok(self.at)
    }
}

/// How much memory the process has taken since a picture was opened.
#[derive(Debug)]
pub(super) struct Gauge {
    /// The most that the process may have; `None` where the kernel does not tell what it has.
    most: Option<u64>,
    was_exceeded: AtomicBool,
}

impl Gauge {
    pub(super) fn new(limit: Limit) -> Gauge {
        let most =
            resident().map(|bytes| bytes.saturating_add(limit.bytes()).saturating_add(SLACK));
        Gauge {
            most,
            was_exceeded: AtomicBool::new(false),
        }
    }

    /// Returns whether reading was refused because the process had taken more than it may.
    pub(super) fn was_exceeded(&self) -> bool {
        self.was_exceeded.load(Relaxed)
    }

    fn check(&self) -> io::Result<()> {
        match self.most.zip(resident()) {
            Some((most, bytes)) if bytes > most => {
                // Decoders make something else of the error.
                self.was_exceeded.store(true, Relaxed);
                Err(io::ErrorKind::OutOfMemory.into())
            }
            _ => Ok(()),
        }
    }
}

/// Returns how much memory the process has, shared memory that it has touched included.
fn resident() -> Option<u64> {
    let told = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = told.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fs::OpenOptions;
    use std::io::Write;

    fn input(path: &std::path::Path, limit: Limit) -> Input {
        let length = path.metadata().unwrap().len();
        let gauge = Arc::new(Gauge::new(limit));
        Input::new(File::open(path).unwrap(), length, Arc::default(), gauge)
    }

    #[test]
    fn what_is_appended_meanwhile_is_not_read() {
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
    fn nothing_is_read_once_too_much_memory_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"bytes").unwrap();
        let mut input = input(&path, "1M".parse().unwrap());
        input.read_exact(&mut [0; 2]).unwrap();
        // Each page is touched.
        let table = vec![7_u8; 128 << 20];
        let error = input.read(&mut [0; 2]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        assert!(input.gauge.was_exceeded());
        drop(table);
    }
}
