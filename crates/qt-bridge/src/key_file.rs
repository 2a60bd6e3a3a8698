//! The empty files whose inodes make System V keys.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::fault::Fault;
use crate::ownership;
use crate::sys::system_v;
use crate::sysvipc;

/// The mode that Qt gives to a key file.
const MODE: u32 = 0o640;

/// Makes a key file where there is none; true where it did. The number that it stands for beside it.
pub(crate) fn ensure(file: &Path, project: u8) -> Result<(i32, bool), Fault> {
    let user = ownership::this_user();
    ownership::check_folder(file, user)?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(file);
    let is_new = match made {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(Fault::io("making the key file", error)),
    };
    Ok((number(file, project, user)?, is_new))
}

/// The number that a key file stands for, if it is a file of this user's.
pub(crate) fn number(file: &Path, project: u8, owner: u32) -> Result<i32, Fault> {
    ownership::check_folder(file, owner)?;
    let facts = ownership::file_of(file, owner)?;
    Ok(system_v::ipc_key(&facts, project))
}

/// Returns `true` if a key file of this user's still stands for the number.
pub(crate) fn is(file: &Path, project: u8, number: i32, owner: u32) -> bool {
    ownership::file_of(file, owner).is_ok_and(|facts| system_v::ipc_key(&facts, project) == number)
}

/// Removes a key file of ours that still stands for the number, and that Qt could have made: empty,
/// and with no more rights than Qt gives.
pub(crate) fn remove(file: &Path, project: u8, number: i32) {
    let is_as_made = ownership::file_of(file, ownership::this_user()).is_ok_and(|facts| {
        facts.len() == 0
            && facts.mode() & 0o7777 & !MODE == 0
            && system_v::ipc_key(&facts, project) == number
    });
    if is_as_made {
        // Somebody else may have been faster, and the directory may forbid it: then it stays.
        fs::remove_file(file).ok();
    }
}

/// Whose a semaphore or a segment is that the system denies us, and why that is so.
///
/// `table` is a file in `/proc/sysvipc`.
pub(crate) fn denied(file: &Path, table: &str, number: i32, owner: u32, error: io::Error) -> Fault {
    const DOING: &str = "opening";
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Fault::io(DOING, error);
    }
    let found = sysvipc::field(table, ("key", number), "uid");
    match found.and_then(|found| u32::try_from(found).ok()) {
        Some(found) if found != owner => Fault::OtherUser {
            file: file.to_owned(),
            owner: found,
        },
        _ => Fault::io(DOING, error),
    }
}
