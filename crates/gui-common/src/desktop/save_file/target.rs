//! The target of a path: an open folder, a name in it, and the existing file.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, PROC_SUPER_MAGIC, Stat, fcntl_getfl, fcntl_setfl, fstat,
    fstatfs, openat, readlinkat, statat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::Existing;
use super::error::Problem;

/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// Where a file is to be saved.
#[derive(Debug)]
pub(super) struct Target {
    /// Refers to the same folder even if its path changes.
    pub(super) directory: Arc<OwnedFd>,
    pub(super) name: OsString,
    pub(super) found: Found,
}

/// The existing file.
#[derive(Debug)]
pub(super) enum Found {
    Nothing,
    /// A regular file of the user, opened with `O_PATH`.
    Own(OwnedFd),
    /// A regular file of another user.
    Foreign,
    /// A target that is written directly, opened for writing.
    Stream(File),
}

/// Returns `true` if something other than a folder exists at `path`, including a dangling link.
pub fn is_taken(path: &Path) -> bool {
    statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| kind(&stat) != FileType::Directory)
}

impl Target {
    /// Finds where a file is to be saved. Follows links as the module says.
    pub(super) fn find(path: &Path, existing: Existing) -> Result<Target, Problem> {
        let (mut directory, mut name) = open_parent(CWD, path.as_os_str())?;
        for _ in 0..MOST_LINKS {
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let entry = match openat(&directory, &name, flags, Mode::empty()) {
                Ok(entry) => entry,
                Err(Errno::NOENT) => return Ok(Target::new(directory, name, Found::Nothing)),
                Err(error) => return Err(error.into()),
            };
            let stat = fstat(&entry)?;
            let found = match kind(&stat) {
                FileType::Directory => return Err(Errno::ISDIR.into()),
                _ if existing == Existing::Keep => return Err(Errno::EXIST.into()),
                FileType::RegularFile if is_own(&stat) => Found::Own(entry),
                FileType::RegularFile => Found::Foreign,
                FileType::Symlink => {
                    if !is_trusted_link(&fstat(&directory)?, &stat) {
                        return Err(Problem::Link);
                    }
                    if fstatfs(&directory)?.f_type == PROC_SUPER_MAGIC {
                        // It points to an open file of a process that has no path.
                        let file = open_stream(&directory, &name, OFlags::APPEND)?;
                        Found::Stream(file)
                    } else {
                        let leads_to = readlinkat(&entry, "", Vec::new())?.into_bytes();
                        let leads_to = OsString::from_vec(leads_to);
                        (directory, name) = open_parent(&directory, &leads_to)?;
                        continue;
                    }
                }
                FileType::Fifo | FileType::CharacterDevice => {
                    refuse_foreign(&fstat(&directory)?, &stat)?;
                    let file = open_stream(&directory, &name, OFlags::NOFOLLOW)?;
                    if !is_same(&fstat(&file)?, &stat) {
                        return Err(Errno::STALE.into());
                    }
                    Found::Stream(file)
                }
                _ => return Err(Problem::NotAFile),
            };
            return Ok(Target::new(directory, name, found));
        }
        Err(Errno::LOOP.into())
    }

    fn new(directory: OwnedFd, name: OsString, found: Found) -> Target {
        Target {
            directory: Arc::new(directory),
            name,
            found,
        }
    }
}

/// Opens the parent folder of a path, and returns the file name. The kernel follows the links in
/// the parent path, as usual.
fn open_parent(base: impl AsFd, path: &OsStr) -> Result<(OwnedFd, OsString), Problem> {
    let bytes = path.as_bytes();
    let start = bytes.iter().rposition(|&byte| byte == b'/');
    let (parent, name) = bytes.split_at(start.map_or(0, |slash| slash + 1));
    if bytes.is_empty() {
        return Err(Errno::NOENT.into());
    }
    if matches!(name, b"" | b"." | b"..") {
        return Err(Errno::ISDIR.into());
    }
    let parent = if parent.is_empty() { b"." } else { parent };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = openat(base, parent, flags, Mode::empty())?;
    Ok((directory, OsStr::from_bytes(name).to_owned()))
}

/// Returns `true` if no other user can have made a link, or put it where it is.
fn is_trusted_link(directory: &Stat, link: &Stat) -> bool {
    let mode = Mode::from_raw_mode(directory.st_mode);
    let is_open = mode.contains(Mode::WOTH) && !mode.contains(Mode::SVTX);
    let is_roots = |stat: &Stat| stat.st_uid == 0;
    let is_ours = is_own(directory) && is_own(link) && !is_open;
    let is_systems =
        is_roots(directory) && is_roots(link) && !mode.intersects(Mode::WGRP.union(Mode::WOTH));
    // Another user may have created a hard link to it, if the kernel permits it.
    link.st_nlink == 1 && (is_ours || is_systems)
}

/// Refuses a pipe of another user in a world-writable folder, as the kernel does
/// (`protected_fifos`) when it is asked to create one.
fn refuse_foreign(directory: &Stat, entry: &Stat) -> Result<(), Problem> {
    let mode = Mode::from_raw_mode(directory.st_mode);
    let is_shared = mode.contains(Mode::SVTX) && mode.intersects(Mode::WGRP.union(Mode::WOTH));
    if is_shared && !is_own(entry) && entry.st_uid != directory.st_uid {
        return Err(Problem::Foreign);
    }
    Ok(())
}

/// Opens a target that is written directly. Does not block until a pipe has a reader.
fn open_stream(directory: &OwnedFd, name: &OsStr, how: OFlags) -> Result<File, Problem> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | how;
    let opened = match openat(directory, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NXIO) => {
            let stat = statat(directory, name, AtFlags::empty())?;
            return Err(match kind(&stat) {
                FileType::Fifo => Problem::NoReader,
                FileType::Socket => Problem::NotAFile,
                _ => Errno::NXIO.into(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    match kind(&fstat(&opened)?) {
        FileType::RegularFile | FileType::Fifo | FileType::CharacterDevice => {}
        _ => return Err(Problem::NotAFile),
    }
    if opened.is_terminal() {
        return Err(Problem::Terminal);
    }
    let flags = fcntl_getfl(&opened)?;
    fcntl_setfl(&opened, flags - OFlags::NONBLOCK)?;
    Ok(File::from(opened))
}

pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

pub(super) fn is_own(stat: &Stat) -> bool {
    stat.st_uid == geteuid().as_raw()
}

pub(super) fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}
