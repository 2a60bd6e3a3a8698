//! An open directory: operations on its names apply to that directory, wherever its path leads
//! meanwhile.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};

use super::file::{FileStat, remove_exactly_in, retry};

/// A directory that stays the same even if its path changes.
#[derive(Debug)]
pub(crate) struct Directory(OwnedFd);

impl Directory {
    const FLAGS: OFlags = OFlags::RDONLY
        .union(OFlags::DIRECTORY)
        .union(OFlags::CLOEXEC);

    /// Opens the directory at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let opened = retry(|| rustix::fs::openat(CWD, path, Self::FLAGS, Mode::empty()))?;
        Ok(Self(opened))
    }

    /// Opens a subdirectory, following no link.
    pub(crate) fn open_in(&self, name: &str) -> io::Result<Self> {
        let flags = Self::FLAGS | OFlags::NOFOLLOW;
        let opened = retry(|| rustix::fs::openat(&self.0, name, flags, Mode::empty()))?;
        Ok(Self(opened))
    }

    /// Creates a subdirectory that no other user may enter; leaves an existing one unchanged.
    pub(crate) fn make_in(&self, name: &str) -> io::Result<()> {
        match retry(|| rustix::fs::mkdirat(&self.0, name, Mode::RWXU)) {
            Err(rustix::io::Errno::EXIST) => Ok(()),
            other => Ok(other?),
        }
    }

    pub(crate) fn stat(&self) -> io::Result<FileStat> {
        Ok(FileStat::of(&retry(|| rustix::fs::fstat(&self.0))?))
    }

    /// Returns the status of the file with this name, following no link.
    pub(crate) fn stat_of(&self, name: &str) -> io::Result<FileStat> {
        let look = || rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW);
        Ok(FileStat::of(&retry(look)?))
    }

    /// Returns the names in the directory that are UTF-8.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            if let Ok(name) = entry?.file_name().to_str() {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(retry(|| rustix::fs::renameat(&self.0, from, &self.0, to))?)
    }

    /// Removes a name if it belongs to the file of this identity
    /// ([`remove_exactly`](super::remove_exactly)).
    pub(crate) fn remove_exactly(
        &self,
        name: &str,
        identity: (u64, u64),
        aside: &str,
    ) -> io::Result<bool> {
        remove_exactly_in(&self.0, Path::new(name), identity, Path::new(aside))
    }

    /// Returns a short path to this directory, valid only in this process while it is open.
    pub(crate) fn own_path(&self) -> PathBuf {
        format!("/proc/self/fd/{}", self.0.as_raw_fd()).into()
    }
}
