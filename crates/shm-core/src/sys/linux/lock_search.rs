//! Searches for the process that holds a lock.
//!
//! The kernel names no process for a lock of an open file (`/proc/locks` has −1 there). But
//! `/proc/PID/fdinfo` lists the locks of each file that a process has open. It is readable for root
//! and for the same user.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::file::stat;

/// The maximum number of open files that a search examines.
const MAX_FILES: usize = 1 << 17;
/// The maximum duration of a search.
const TIMEOUT: Duration = Duration::from_millis(500);
/// How much of the fdinfo of one open file is read: several thousand locks.
const MAX_FDINFO_BYTES: u64 = 1 << 18;

/// The result of a search for the holder of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockSearch {
    /// The process that holds the lock, or one that has inherited it.
    Found(u32),
    /// No readable process holds it, and there are others.
    Hidden,
    /// No process is visible here.
    NotFound,
}

/// Finds a process that has `file` open and holds a lock on `byte` of it.
pub(crate) fn find_lock(file: &File, byte: u64) -> LockSearch {
    let Ok(identity) = stat(file).map(|stat| stat.identity) else {
        return LockSearch::NotFound;
    };
    let Ok(processes) = fs::read_dir("/proc") else {
        return LockSearch::NotFound;
    };
    let mut budget = Budget {
        files: MAX_FILES,
        until: Instant::now() + TIMEOUT,
    };
    let mut outcome = LockSearch::NotFound;
    for process in processes.flatten() {
        let pid = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        let Some(pid) = pid else { continue };
        match holds(&process.path(), identity, byte, &mut budget) {
            Some(true) => return LockSearch::Found(pid),
            Some(false) => {}
            None => outcome = LockSearch::Hidden,
        }
        if budget.is_spent() {
            return LockSearch::Hidden;
        }
    }
    outcome
}

/// What remains of the limits of a search.
struct Budget {
    files: usize,
    until: Instant,
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.files == 0 || Instant::now() >= self.until
    }
}

/// Returns `true` if a process holds the byte; `None` if it is not readable.
fn holds(process: &Path, identity: (u64, u64), byte: u64, budget: &mut Budget) -> Option<bool> {
    let files = match fs::read_dir(process.join("fd")) {
        Ok(files) => files,
        // The process has ended meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Some(false),
        Err(_) => return None,
    };
    for file in files.flatten() {
        budget.files = budget.files.saturating_sub(1);
        if budget.is_spent() {
            return None;
        }
        // Follows the link to the file that is open there.
        let is_same =
            fs::metadata(file.path()).is_ok_and(|found| (found.dev(), found.ino()) == identity);
        if is_same && has_lock(&process.join("fdinfo").join(file.file_name()), byte) {
            return Some(true);
        }
    }
    Some(false)
}

/// Returns `true` if an open file has a lock on the byte.
fn has_lock(fdinfo: &Path, byte: u64) -> bool {
    let Ok(file) = File::open(fdinfo) else {
        return false;
    };
    BufReader::new(file.take(MAX_FDINFO_BYTES))
        .lines()
        .map_while(Result::ok)
        .any(|line| is_lock_on(&line, byte))
}

/// Parses a line such as `lock: 1: OFDLCK ADVISORY READ -1 00:1b:6 1152921504606846976 EOF`.
fn is_lock_on(line: &str, byte: u64) -> bool {
    let mut words = line.split_whitespace();
    let is_byte_lock = words.next() == Some("lock:")
        && words
            .nth(1)
            .is_some_and(|kind| kind == "OFDLCK" || kind == "POSIX");
    let (first, last) = (words.nth(4), words.next());
    let (Some(first), Some(last)) = (first.and_then(|first| first.parse().ok()), last) else {
        return false;
    };
    let last = if last == "EOF" {
        Some(u64::MAX)
    } else {
        last.parse().ok()
    };
    is_byte_lock && last.is_some_and(|last| (first..=last).contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::is_lock_on;

    #[test]
    fn lines_of_the_kernel_are_parsed() {
        let one = "lock:\t1: OFDLCK ADVISORY  READ -1 00:1b:6 100 199";
        assert!(is_lock_on(one, 100) && is_lock_on(one, 199));
        assert!(!is_lock_on(one, 99) && !is_lock_on(one, 200));
        let all = "lock:\t7: POSIX  ADVISORY  WRITE 4711 fe:00:6 0 EOF";
        assert!(is_lock_on(all, 0) && is_lock_on(all, u64::MAX));
        for other in [
            "lock:\t1: FLOCK  ADVISORY  WRITE 4711 00:1b:6 0 EOF",
            "pos:\t0",
            "lock:\t1: OFDLCK ADVISORY  READ -1 00:1b:6 100",
            "lock:\t1: OFDLCK ADVISORY  READ -1 00:1b:6 x y",
            "lock:",
            "",
        ] {
            assert!(!is_lock_on(other, 100), "{other}");
        }
    }
}
