//! Files: opening, creating without a name, reserving memory, status.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FallocateFlags, FileType, Gid, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use rustix::process::Resource;

/// The access with which a segment's file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenMode {
    /// For publishers, users of blocks and semaphores, and removal.
    ReadWrite,
    /// For subscribers and listings: cannot change a byte.
    ReadOnly,
}

/// The status of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileStat {
    /// Device and inode number, which identify the file.
    pub(crate) identity: (u64, u64),
    /// The number of its names.
    pub(crate) names: u64,
    /// The owner's user id.
    pub(crate) owner: u32,
    /// The group id.
    pub(crate) group: u32,
    /// Apparent size, bytes.
    pub(crate) size: u64,
    /// Allocated memory, bytes.
    pub(crate) allocated: u64,
    /// The type of the file.
    pub(crate) kind: FileType,
    /// Permission bits.
    pub(crate) mode: u32,
    /// The time of the last change other than through a mapping, nanoseconds since 1970; from the
    /// kernel's own clock, so that no process can choose it.
    pub(crate) changed: u64,
}

impl FileStat {
    #[expect(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the width of stat's fields differs from one architecture to the next"
    )]
    pub(super) fn of(stat: &rustix::fs::Stat) -> Self {
        Self {
            identity: (u64::from(stat.st_dev), u64::from(stat.st_ino)),
            names: stat.st_nlink as u64,
            owner: stat.st_uid,
            group: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            // st_blocks counts units of 512 bytes on every file system (stat(2)).
            allocated: u64::try_from(stat.st_blocks)
                .unwrap_or(0)
                .saturating_mul(512),
            kind: FileType::from_raw_mode(stat.st_mode),
            mode: Mode::from_raw_mode(stat.st_mode).as_raw_mode(),
            changed: u64::try_from(stat.st_ctime)
                .unwrap_or(0)
                .saturating_mul(1_000_000_000)
                .saturating_add(u64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        }
    }
}

/// Opens the file at `path`, following no link and not blocking on a FIFO.
pub(crate) fn open_segment(path: &Path, mode: OpenMode) -> io::Result<File> {
    let access = match mode {
        OpenMode::ReadWrite => OFlags::RDWR,
        OpenMode::ReadOnly => OFlags::RDONLY,
    };
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = retry(|| rustix::fs::open(path, flags, Mode::empty()))?;
    Ok(File::from(fd))
}

/// Reopens an open file: the result is another open file, with byte locks of its own.
///
/// Opens it through /proc, so its name does not matter; `NotFound` if /proc is missing.
pub(crate) fn reopen(file: &File, mode: OpenMode) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let access = match mode {
        OpenMode::ReadWrite => OFlags::RDWR,
        OpenMode::ReadOnly => OFlags::RDONLY,
    };
    let fd = retry(|| rustix::fs::open(path.as_str(), access | OFlags::CLOEXEC, Mode::empty()))?;
    Ok(File::from(fd))
}

/// Creates a file without a name in `directory` (`O_TMPFILE`).
///
/// `Unsupported` if the file system or the kernel does not support it.
pub(crate) fn create_unnamed(directory: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match retry(|| rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR)) {
        Ok(fd) => Ok(File::from(fd)),
        // EISDIR is returned by a kernel that interprets the flag as O_DIRECTORY.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            Err(io::ErrorKind::Unsupported.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Distinguishes an empty file under a temporary name from files of other programs: the sticky bit,
/// which no program sets on a file, and which is cleared in the last step before the file is named.
pub(crate) const DRAFT_MARK: u32 = Mode::SVTX.bits();

/// Creates a file under a temporary name, with the [mark](DRAFT_MARK) of one; fails if the name is
/// taken.
pub(crate) fn create_temporary(path: &Path) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = retry(|| rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR | Mode::SVTX))?;
    Ok(File::from(fd))
}

/// Links a file without a name to its name, atomically; `AlreadyExists` if the name is taken.
///
/// Links it through /proc, which needs no privileges; `NotFound` if /proc is missing.
pub(crate) fn link_unnamed(file: &File, path: &Path) -> io::Result<()> {
    let from = format!("/proc/self/fd/{}", file.as_raw_fd());
    retry(|| rustix::fs::linkat(CWD, from.as_str(), CWD, path, AtFlags::SYMLINK_FOLLOW))?;
    Ok(())
}

/// Removes the name `path` if it belongs to the file of this identity; returns `false` if another
/// file has the name.
///
/// The kernel removes names, not files. So the file is renamed to `aside` first, which no other
/// process uses, and only then checked for the last time. If another file got the name meanwhile,
/// it gets it back. If the file system cannot do that, only the check directly before removal
/// remains.
pub(crate) fn remove_exactly(path: &Path, identity: (u64, u64), aside: &Path) -> io::Result<bool> {
    remove_exactly_in(CWD, path, identity, aside)
}

/// Removes a name as [`remove_exactly`] does, in an open directory.
pub(super) fn remove_exactly_in(
    directory: impl AsFd,
    name: &Path,
    identity: (u64, u64),
    aside: &Path,
) -> io::Result<bool> {
    let at = directory.as_fd();
    let is_it = |name: &Path| -> io::Result<bool> {
        let stat = retry(|| rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW))?;
        Ok(FileStat::of(&stat).identity == identity)
    };
    let rename = |from: &Path, to: &Path| {
        retry(|| rustix::fs::renameat_with(at, from, at, to, RenameFlags::NOREPLACE))
    };
    let unlink = |name: &Path| retry(|| rustix::fs::unlinkat(at, name, AtFlags::empty()));
    if !is_it(name)? {
        return Ok(false);
    }
    match rename(name, aside) {
        Ok(()) => {}
        Err(Errno::INVAL | Errno::NOSYS) => {
            unlink(name)?;
            return Ok(true);
        }
        Err(error) => return Err(error.into()),
    }
    if is_it(aside)? {
        unlink(aside)?;
        return Ok(true);
    }
    rename(aside, name)?;
    Ok(false)
}

/// Sets the permission bits, regardless of the umask.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    retry(|| rustix::fs::fchmod(file, Mode::from_raw_mode(mode)))?;
    Ok(())
}

/// Changes the group of the file.
///
/// # Errors
///
/// `PermissionDenied` if this process is no member of the group; `InvalidInput` if the number is no
/// valid group.
pub(crate) fn set_group(file: &File, group: u32) -> io::Result<()> {
    // The kernel interprets this number as "no change".
    if group == u32::MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    retry(|| rustix::fs::fchown(file, None, Some(Gid::from_raw(group))))?;
    Ok(())
}

/// Returns the status of an open file.
pub(crate) fn stat(file: &File) -> io::Result<FileStat> {
    Ok(FileStat::of(&retry(|| rustix::fs::fstat(file))?))
}

/// Returns the status of the file at `path`, following no link.
pub(crate) fn stat_at(path: &Path) -> io::Result<FileStat> {
    Ok(FileStat::of(&retry(|| rustix::fs::lstat(path))?))
}

/// Returns `true` if an error means that a path leads to no file, rather than that access is
/// denied.
pub(crate) fn is_dead_end(error: &io::Error) -> bool {
    let nowhere = [libc::ENOENT, libc::ENOTDIR, libc::ELOOP];
    error
        .raw_os_error()
        .is_some_and(|code| nowhere.contains(&code))
}

/// Reserves memory for `length` bytes from `offset`, so that a write there cannot fail later.
///
/// # Errors
///
/// `StorageFull` if the file system is full; `FileTooLarge` if the process's file size limit
/// forbids it (checked first, because the kernel answers a violation with a fatal signal).
pub(crate) fn reserve(file: &File, offset: u64, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let end = offset
        .checked_add(length)
        .ok_or(io::ErrorKind::FileTooLarge)?;
    check_size_limit(end)?;
    retry(|| rustix::fs::fallocate(file, FallocateFlags::empty(), offset, length))?;
    Ok(())
}

/// Checks that the file system supports files of this `length`, by extending this one temporarily.
///
/// Succeeds if a limit of the process forbids it, because then nothing is known.
pub(crate) fn try_length(file: &File, length: u64) -> io::Result<()> {
    if check_size_limit(length).is_err() {
        return Ok(());
    }
    let now = stat(file)?.size;
    file.set_len(length)?;
    file.set_len(now)
}

/// Releases the memory of a range to the system; the range then reads as zeros.
pub(crate) fn punch(file: &File, offset: u64, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    retry(|| rustix::fs::fallocate(file, flags, offset, length))?;
    Ok(())
}

/// Writes bytes.
///
/// # Errors
///
/// `FileTooLarge` if the process's file size limit forbids it.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    check_size_limit(offset.saturating_add(bytes.len() as u64))?;
    file.write_all_at(bytes, offset)
}

/// Checks the limit before the call, because the kernel answers a violation with a fatal signal,
/// even if the file is already longer.
fn check_size_limit(end: u64) -> io::Result<()> {
    let limit = rustix::process::getrlimit(Resource::Fsize).current;
    if limit.is_some_and(|limit| end > limit) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(())
}

/// Reads as much of a range as the file has; returns how many bytes.
pub(crate) fn read_at(file: &File, destination: &mut [u8], offset: u64) -> io::Result<usize> {
    let read = retry(|| rustix::io::pread(file, &mut *destination, offset))?;
    Ok(read)
}

/// Reads a whole range; `UnexpectedEof` if the file ends before.
///
/// Unlike a read through a mapping, this neither allocates memory for holes nor raises a signal.
pub(crate) fn read_exact_at(file: &File, destination: &mut [u8], offset: u64) -> io::Result<()> {
    file.read_exact_at(destination, offset)
}

pub(super) fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    rustix::io::retry_on_intr(&mut call)
}
