//! The attributes that a new file takes from the one that it replaces: permissions, group, ACL.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Gid, Mode, XattrFlags, fchmod, fchown, fremovexattr, fsetxattr, fstat, getxattr};
use rustix::io::Errno;

/// The name under which the kernel keeps an ACL.
const ACL: &str = "system.posix_acl_access";

/// More than any file system stores for one.
const MOST_ACL_BYTES: usize = 64 * 1024;

/// The permissions of a file.
enum Acl {
    /// Only permission bits.
    None,
    /// An ACL.
    Some(Vec<u8>),
    /// Unknown.
    Unknown,
}

/// Gives a new file the permissions of the one that it replaces, which must be the user's own.
pub(super) fn keep(old: &OwnedFd, new: &File) -> io::Result<()> {
    let (before, now) = (fstat(old)?, fstat(new)?);
    // Neither set-user-ID nor set-group-ID nor sticky.
    let mode = Mode::from_raw_mode(before.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO);
    let group = Gid::from_raw(before.st_gid);
    let has_group = before.st_gid == now.st_gid || fchown(new, None, Some(group)).is_ok();
    match (has_group, read_acl(old)) {
        (true, Acl::Some(acl)) if fsetxattr(new, ACL, &acl, XattrFlags::empty()).is_ok() => Ok(()),
        (true, Acl::None) => set_mode(new, mode),
        _ => set_mode(new, without_group(mode)),
    }
}

/// Sets the permission bits, and removes the access that the default ACL of the folder gives.
fn set_mode(file: &File, mode: Mode) -> io::Result<()> {
    match fremovexattr(file, ACL) {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(fchmod(file, mode)?)
}

/// If the group has changed: removes the old group's permissions from the new group, and from all
/// others those that the old group did not have, because its members are now among the others.
fn without_group(mode: Mode) -> Mode {
    let others = Mode::from_raw_mode(mode.as_raw_mode() >> 3) & Mode::RWXO;
    mode & (Mode::RWXU | others)
}

fn read_acl(file: &OwnedFd) -> Acl {
    let mut acl = vec![0; MOST_ACL_BYTES];
    // The extended attributes of an `O_PATH` descriptor can be accessed only by its path.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    match getxattr(path, ACL, acl.as_mut_slice()) {
        Ok(length) => {
            acl.truncate(length);
            Acl::Some(acl)
        }
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Acl::None,
        Err(_) => Acl::Unknown,
    }
}
