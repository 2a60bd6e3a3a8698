//! Locks on single bytes of an open file, which the kernel releases when the process ends.
//!
//! These are open-file-description locks (`F_OFD_SETLK`, Linux 3.15): they belong to one `open`,
//! not to a process, so two handles in one process exclude each other, and closing another
//! descriptor of the same file releases nothing. rustix does not offer them, so this uses libc.
#![expect(
    unsafe_code,
    reason = "fcntl with a flock argument has no safe wrapper in rustix"
)]

use std::fs::File;
use std::io;
use std::mem;
use std::ops::Range;
use std::os::fd::AsRawFd;

/// The kind of a byte lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteLock {
    /// Shared with other readers of the byte.
    Read,
    /// Exclusive to one open file.
    Write,
}

impl ByteLock {
    fn kind(self) -> libc::c_int {
        match self {
            Self::Read => libc::F_RDLCK,
            Self::Write => libc::F_WRLCK,
        }
    }
}

/// Acquires or converts the lock on a byte; returns `false` if another open file has a conflicting
/// lock.
///
/// Converting from write to read is atomic and cannot fail for a conflict.
pub(crate) fn try_lock_byte(file: &File, byte: u64, lock: ByteLock) -> io::Result<bool> {
    match control(
        file,
        libc::F_OFD_SETLK,
        &mut request(lock.kind(), byte..byte + 1)?,
    ) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Unlocks a byte; does nothing if it was not locked.
pub(crate) fn unlock_byte(file: &File, byte: u64) -> io::Result<()> {
    control(
        file,
        libc::F_OFD_SETLK,
        &mut request(libc::F_UNLCK, byte..byte + 1)?,
    )
}

/// Unlocks every byte from `first` on.
pub(crate) fn unlock_bytes_from(file: &File, first: u64) -> io::Result<()> {
    // Length 0 means: to the end of every file.
    control(
        file,
        libc::F_OFD_SETLK,
        &mut request(libc::F_UNLCK, first..first)?,
    )
}

/// A lock of another open file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundLock {
    /// The part of the lock that lies in the requested range.
    pub(crate) bytes: Range<u64>,
    /// The kind of the lock.
    pub(crate) kind: ByteLock,
    /// The process, if the lock belongs to one (`F_SETLK`) rather than to an open file.
    pub(crate) process: Option<u32>,
}

/// Returns a lock in `range`, not always the first, by which *another* open file prevents `wanted`.
///
/// Only a write lock prevents a read lock. Locks of the same open file are never reported.
pub(crate) fn refusing_lock(
    file: &File,
    range: Range<u64>,
    wanted: ByteLock,
) -> io::Result<Option<FoundLock>> {
    let mut question = request(wanted.kind(), range.clone())?;
    control(file, libc::F_OFD_GETLK, &mut question)?;
    let kind = match libc::c_int::from(question.l_type) {
        libc::F_UNLCK => return Ok(None),
        libc::F_RDLCK => ByteLock::Read,
        _ => ByteLock::Write,
    };
    // The lock may begin before the range and end after it; length 0 means: without end.
    let start = u64::try_from(question.l_start).unwrap_or(0);
    let length = u64::try_from(question.l_len)
        .ok()
        .filter(|&length| length > 0);
    let end = length.map_or(u64::MAX, |length| start.saturating_add(length));
    Ok(Some(FoundLock {
        bytes: start.max(range.start)..end.min(range.end),
        kind,
        process: u32::try_from(question.l_pid).ok().filter(|&pid| pid > 0),
    }))
}

fn request(kind: libc::c_int, range: Range<u64>) -> io::Result<libc::flock> {
    let beyond = |_| io::Error::from(io::ErrorKind::InvalidInput);
    // SAFETY: `flock` consists of integers only, for which all zeros is a valid value; `l_pid` must
    // be zero for these locks.
    let mut request: libc::flock = unsafe { mem::zeroed() };
    request.l_type = libc::c_short::try_from(kind).map_err(beyond)?;
    request.l_whence = libc::c_short::try_from(libc::SEEK_SET).map_err(beyond)?;
    request.l_start = libc::off_t::try_from(range.start).map_err(beyond)?;
    request.l_len = libc::off_t::try_from(range.end - range.start).map_err(beyond)?;
    Ok(request)
}

fn control(file: &File, command: libc::c_int, request: &mut libc::flock) -> io::Result<()> {
    loop {
        // SAFETY: the descriptor is open while `file` is borrowed, and `request` is a valid flock
        // that the call may read and overwrite.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), command, std::ptr::from_mut(request)) };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
