//! Whose a file, a segment or a semaphore is.
//!
//! Nothing of another user is believed, written or removed, by root no more than by anybody else: the
//! kernel lets root through, so these checks have to stop it.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::fault::Fault;
use crate::sys::system_v::Identity;

/// Returns the user as which this process acts.
pub(crate) fn this_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Refuses what another user owns.
pub(crate) fn check_owner(file: &Path, found: u32, owner: u32) -> Result<(), Fault> {
    if found == owner {
        return Ok(());
    }
    Err(Fault::OtherUser {
        file: file.to_owned(),
        owner: found,
    })
}

/// Refuses what is not a regular file of the owner: also a symbolic link, and a file that has
/// another name, by which one key would lead to what another key means.
pub(crate) fn check_file(file: &Path, facts: &Metadata, owner: u32) -> Result<(), Fault> {
    check_owner(file, facts.uid(), owner)?;
    if facts.is_file() && facts.nlink() <= 1 {
        return Ok(());
    }
    Err(Fault::Foreign {
        file: file.to_owned(),
    })
}

/// Looks at a file itself, and not at what a symbolic link leads to: no call waits for a pipe.
pub(crate) fn file_of(file: &Path, owner: u32) -> Result<Metadata, Fault> {
    let facts =
        fs::symlink_metadata(file).map_err(|error| Fault::io("looking at the key file", error))?;
    check_file(file, &facts, owner)?;
    Ok(facts)
}

/// Refuses a System V object that another user owns or made: who made it may change it for ever.
///
/// `number` is what the key file stands for: where the object has another one, it was removed.
pub(crate) fn check_object(
    file: &Path,
    found: Identity,
    number: i32,
    owner: u32,
) -> Result<(), Fault> {
    if found.number != number {
        let removed = io::Error::from_raw_os_error(libc::EIDRM);
        return Err(Fault::io("looking at it", removed));
    }
    check_owner(file, found.creator, owner)?;
    check_owner(file, found.owner, owner)
}

/// Refuses a folder in which another user could put one of our files in the place of another.
///
/// Root's folders are trusted, and in `/tmp` the sticky bit keeps users from each other's files.
pub(crate) fn check_folder(file: &Path, owner: u32) -> Result<(), Fault> {
    const OTHERS_WRITE: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    let folder = file.parent().unwrap_or(file);
    let facts = fs::metadata(folder)
        .map_err(|error| Fault::io("looking at the folder of the key file", error))?;
    let is_trusted = [0, this_user(), owner].contains(&facts.uid());
    let is_open = facts.mode() & OTHERS_WRITE != 0 && facts.mode() & STICKY == 0;
    if is_trusted && !is_open {
        return Ok(());
    }
    Err(Fault::Folder {
        folder: folder.to_owned(),
    })
}
