//! Checks of the owner of files, segments and semaphores.
//!
//! Objects of other users are not trusted, written or removed. The kernel does not stop root, so
//! these checks do.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::fault::Fault;
use crate::sys::system_v::Identity;

/// Returns the effective user id of this process.
pub(crate) fn this_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Refuses an object that another user owns.
pub(crate) fn check_owner(file: &Path, found: u32, owner: u32) -> Result<(), Fault> {
    if found == owner {
        return Ok(());
    }
    Err(Fault::OtherUser {
        file: file.to_owned(),
        owner: found,
    })
}

/// Refuses everything but a regular file of the owner: also a symbolic link, and a file with a
/// second link, by which two keys could lead to one object.
pub(crate) fn check_file(file: &Path, stat: &Metadata, owner: u32) -> Result<(), Fault> {
    check_owner(file, stat.uid(), owner)?;
    if stat.is_file() && stat.nlink() <= 1 {
        return Ok(());
    }
    Err(Fault::Foreign {
        file: file.to_owned(),
    })
}

/// Returns the metadata of a file, without following a symbolic link, and after [`check_file`].
/// Does not open it, so a pipe does not block.
pub(crate) fn file_of(file: &Path, owner: u32) -> Result<Metadata, Fault> {
    let stat = fs::symlink_metadata(file)
        .map_err(|error| Fault::io("reading the state of the key file", error))?;
    check_file(file, &stat, owner)?;
    Ok(stat)
}

/// Refuses a System V object that another user owns or created: its creator may change it at any
/// time.
///
/// `number` is the System V key of the key file: if the object has another one, it was removed.
pub(crate) fn check_object(
    file: &Path,
    found: Identity,
    number: i32,
    owner: u32,
) -> Result<(), Fault> {
    if found.number != number {
        let removed = io::Error::from_raw_os_error(libc::EIDRM);
        return Err(Fault::io("reading its state", removed));
    }
    check_owner(file, found.creator, owner)?;
    check_owner(file, found.owner, owner)
}

/// Refuses a directory in which another user can replace key files of this one.
///
/// Directories of root are trusted, and in `/tmp` the sticky bit protects the files of each user.
pub(crate) fn check_folder(file: &Path, owner: u32) -> Result<(), Fault> {
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let folder = file.parent().unwrap_or(file);
    let stat = fs::metadata(folder)
        .map_err(|error| Fault::io("reading the state of the directory of the key file", error))?;
    let is_trusted = [0, this_user(), owner].contains(&stat.uid());
    let is_open = stat.mode() & OTHERS_WRITE != 0 && stat.mode() & STICKY == 0;
    if is_trusted && !is_open {
        return Ok(());
    }
    Err(Fault::Folder {
        folder: folder.to_owned(),
    })
}
