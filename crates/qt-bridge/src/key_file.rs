//! Key files: empty files whose inodes determine System V keys.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::fault::Fault;
use crate::ownership;
use crate::sys::system_v;
use crate::sysvipc;

/// The mode of a key file, as Qt sets it.
const MODE: u32 = 0o640;

/// Creates a key file if there is none. Returns its System V key, and whether it was created.
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
        Err(error) => return Err(Fault::io("creating the key file", error)),
    };
    Ok((number(file, project, user)?, is_new))
}

/// Returns the System V key of a key file, if `owner` owns the file.
pub(crate) fn number(file: &Path, project: u8, owner: u32) -> Result<i32, Fault> {
    ownership::check_folder(file, owner)?;
    let stat = ownership::file_of(file, owner)?;
    Ok(system_v::ipc_key(&stat, project))
}

/// Returns `true` if a key file of `owner` still has this System V key.
pub(crate) fn is(file: &Path, project: u8, number: i32, owner: u32) -> bool {
    ownership::file_of(file, owner).is_ok_and(|stat| system_v::ipc_key(&stat, project) == number)
}

/// Removes a key file of this user if it still has this System V key, and Qt could have created it:
/// empty, and with no more permissions than Qt sets.
pub(crate) fn remove(file: &Path, project: u8, number: i32) {
    let is_as_made = ownership::file_of(file, ownership::this_user()).is_ok_and(|stat| {
        stat.len() == 0
            && stat.mode() & 0o7777 & !MODE == 0
            && system_v::ipc_key(&stat, project) == number
    });
    if is_as_made {
        // Another process may have been faster, or the directory may forbid it: then it stays.
        fs::remove_file(file).ok();
    }
}

/// Makes the error of a semaphore or a segment that the kernel denied access to: names its owner,
/// if it is another user.
///
/// `table` is the name of a file in `/proc/sysvipc`.
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
