//! The empty files whose inodes make System V keys.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::fault::Fault;
use crate::sys::system_v;

/// Makes a key file where there is none; true where it did. The number that it stands for beside it.
pub(crate) fn ensure(file: &Path, project: u8) -> Result<(i32, bool), Fault> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(file);
    let is_new = match made {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(Fault::io("making the key file", error)),
    };
    Ok((number(file, project)?, is_new))
}

/// The number that a key file stands for, unless it is a stranger's.
pub(crate) fn number(file: &Path, project: u8) -> Result<i32, Fault> {
    let facts = fs::metadata(file).map_err(|error| Fault::io("looking at the key file", error))?;
    refuse_stranger(file, facts.uid())?;
    system_v::ipc_key(file, project).map_err(|error| Fault::io("looking at the key file", error))
}

/// Tells whether a key file still stands for the number.
pub(crate) fn is(file: &Path, project: u8, number: i32) -> bool {
    system_v::ipc_key(file, project).is_ok_and(|now| now == number)
}

/// Removes a key file that still stands for the number, and that nobody wrote anything into.
pub(crate) fn remove(file: &Path, project: u8, number: i32) {
    let is_ours = fs::symlink_metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() == 0);
    if is_ours && is(file, project, number) {
        // Somebody else may have been faster, and the directory may forbid it: then it stays.
        fs::remove_file(file).ok();
    }
}

/// A file of somebody else can be taken away at any time, and with it the segment.
pub(crate) fn refuse_stranger(file: &Path, owner: u32) -> Result<(), Fault> {
    let user = rustix::process::geteuid().as_raw();
    if owner == user || owner == 0 || user == 0 {
        return Ok(());
    }
    Err(Fault::Stranger {
        file: file.to_owned(),
        owner,
    })
}
