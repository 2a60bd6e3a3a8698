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

/// Whose a semaphore or a segment is that the system denies us, and why that is so.
///
/// `table` is a file in `/proc/sysvipc`.
pub(crate) fn denied(file: &Path, table: &str, number: i32, error: io::Error) -> Fault {
    const DOING: &str = "opening";
    if error.kind() != io::ErrorKind::PermissionDenied {
        return Fault::io(DOING, error);
    }
    match owner_of(table, number) {
        Some(owner) => Fault::Stranger {
            file: file.to_owned(),
            owner,
        },
        None => Fault::io(DOING, error),
    }
}

fn owner_of(table: &str, number: i32) -> Option<u32> {
    let text = fs::read_to_string(Path::new("/proc/sysvipc").join(table)).ok()?;
    let mut lines = text.lines();
    let column = lines
        .next()?
        .split_ascii_whitespace()
        .position(|name| name == "uid")?;
    let row = |line: &str| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = fields.first()?.parse() == Ok(number);
        is_it.then(|| fields.get(column)?.parse().ok())?
    };
    lines.find_map(row)
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
