//! What a new file keeps of the one that it replaces: permissions, group, ACL.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::fs::{Gid, Mode, XattrFlags, fchmod, fchown, fremovexattr, fsetxattr, fstat, getxattr};
use rustix::io::Errno;

/// The name under which the kernel keeps an ACL.
const ACL: &str = "system.posix_acl_access";

/// More than any file system keeps of one.
const MOST_ACL_BYTES: usize = 64 * 1024;

/// Who may do what with a file.
enum Acl {
    /// Those whom the permission bits name.
    None,
    /// Those whom the ACL names.
    Some(Vec<u8>),
    /// It cannot be told.
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

/// Sets the permission bits, and lets nobody in whom the ACL of the folder names.
fn set_mode(file: &File, mode: Mode) -> io::Result<()> {
    match fremovexattr(file, ACL) {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(fchmod(file, mode)?)
}

/// Takes from a group that is another one now what the old one had; and from all others what the old
/// group did not have, because its members are among them now.
fn without_group(mode: Mode) -> Mode {
    let others = Mode::from_raw_mode(mode.as_raw_mode() >> 3) & Mode::RWXO;
    mode & (Mode::RWXU | others)
}

fn read_acl(file: &OwnedFd) -> Acl {
    let mut acl = vec![0; MOST_ACL_BYTES];
    // What is opened as a mere reference has no extended attributes but by its path.
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
