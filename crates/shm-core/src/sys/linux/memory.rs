//! How much memory a range of a file has.
//!
//! In a file system in memory, a read of a hole through a mapping allocates it. So an untrusted
//! length counts only as far as its own range has memory: the blocks of the whole file may lie
//! anywhere.
#![expect(unsafe_code, reason = "calls that rustix does not offer")]

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::file::retry;

/// The number of the system call, which libc lacks: the same on every processor but Alpha.
const CACHESTAT: libc::c_long = 451;

/// Returns how many bytes of a range that begins at a page have memory: all if all are written to,
/// otherwise as many as the kernel confirms, including reserved memory.
pub(crate) fn memory_of(file: &File, range: Range<u64>) -> io::Result<u64> {
    let length = range.end - range.start;
    let written = written_from(file, range.start)?;
    if written >= length {
        return Ok(length);
    }
    // There, reserved memory that was never written to counts as a hole.
    Ok(reserved_in(file, range).map_or(written, |reserved| reserved.max(written)))
}

/// Returns how many bytes from an offset on have been written to, up to the first hole.
fn written_from(file: &File, offset: u64) -> io::Result<u64> {
    match retry(|| rustix::fs::seek(file, SeekFrom::Hole(offset))) {
        Ok(hole) => Ok(hole.saturating_sub(offset)),
        // The file ends before.
        Err(Errno::NXIO) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// Returns how many bytes of a range have memory, whether or not it was written to (`cachestat`,
/// Linux 6.5); an error if the kernel does not report it, as it does not to readers of files of
/// other users.
pub(crate) fn reserved_in(file: &File, range: Range<u64>) -> io::Result<u64> {
    let length = range.end - range.start;
    let range = [range.start, length];
    // Cached, dirty, under writeback, evicted (here: swapped out), recently evicted; in pages.
    let mut counts = [0_u64; 5];
    // SAFETY: the descriptor is open while it is borrowed; the kernel reads two words and writes
    // five, which are the lengths of the arrays.
    let answer = unsafe {
        libc::syscall(
            CACHESTAT,
            file.as_raw_fd(),
            range.as_ptr(),
            counts.as_mut_ptr(),
            0,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    let pages = counts[0].saturating_add(counts[3]);
    Ok(pages.saturating_mul(page_size() as u64).min(length))
}

/// Returns the length of a page.
///
/// Uses libc, because rustix's way causes a fatal signal under valgrind.
pub(super) fn page_size() -> usize {
    // SAFETY: the call reads a system constant, and accesses no memory of this process.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;
    use crate::sys;

    const MIB: u64 = 1 << 20;

    fn file() -> Option<File> {
        let file = sys::create_unnamed(std::path::Path::new("/dev/shm")).ok()?;
        sys::is_in_memory(&file).then_some(file)
    }

    #[test]
    fn only_memory_of_the_range_counts() {
        let Some(file) = file() else { return };
        file.set_len(64 * MIB).unwrap();
        file.write_all_at(&vec![1; 8 << 20], 32 * MIB).unwrap();
        assert_eq!(memory_of(&file, 0..8 * MIB).unwrap(), 0);
        assert_eq!(memory_of(&file, 32 * MIB..40 * MIB).unwrap(), 8 * MIB);
        assert!(memory_of(&file, 36 * MIB..44 * MIB).unwrap() < 8 * MIB);
        assert_eq!(memory_of(&file, 128 * MIB..129 * MIB).unwrap(), 0);
    }

    #[test]
    fn reserved_memory_counts_if_the_kernel_reports_it() {
        let Some(file) = file() else { return };
        sys::reserve(&file, 0, MIB).unwrap();
        if reserved_in(&file, 0..MIB).is_ok() {
            assert_eq!(memory_of(&file, 0..MIB).unwrap(), MIB);
            assert_eq!(memory_of(&file, 0..MIB - 4000).unwrap(), MIB - 4000);
        }
        assert!(memory_of(&file, 0..2 * MIB).unwrap() < 2 * MIB);
    }
}
