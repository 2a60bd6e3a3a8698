//! The new file beside the target: without a name, or under a random one.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, linkat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::Existing;
use super::target::{Target, is_same};
use super::unfinished::Name;

/// What the names of drafts begin with. Of the target's name they have only a hash: one of 255 bytes
/// leaves no room for more.
const PREFIX: &str = ".unfinished-";

/// A file that is not yet complete; removed unless it gets the target's name.
#[derive(Debug)]
pub(super) struct Draft(Option<Name>);

impl Draft {
    /// Creates one beside the target.
    pub(super) fn create(target: &Target, mode: Mode) -> io::Result<(Draft, File)> {
        if let Some(file) = create_unnamed(&target.directory, mode)? {
            return Ok((Draft(None), file));
        }
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let flags = flags | OFlags::CLOEXEC;
        let (name, file) = Name::take(&target.directory, &prefix_of(&target.name), |name| {
            let file = File::from(openat(&target.directory, name, flags, mode)?);
            match file.try_lock() {
                // Another process's cleanup has locked it, and may remove it at any time.
                Err(TryLockError::WouldBlock) => {
                    unlinkat(&target.directory, name, AtFlags::empty()).ok();
                    Err(Errno::EXIST.into())
                }
                _ if fstat(&file)?.st_nlink == 0 => Err(Errno::EXIST.into()),
                // Without file locks there is no cleanup either.
                _ => Ok(file),
            }
        })?;
        Ok((Draft(Some(name)), file))
    }

    /// Gives the complete file the target's name.
    pub(super) fn rename(self, target: &Target, file: &File, existing: Existing) -> io::Result<()> {
        let name = match self.0 {
            Some(name) => name,
            None => match link_unnamed(file, &target.directory, &target.name) {
                Err(Errno::EXIST) if existing == Existing::Replace => {
                    // Before it is visible: a cleanup removes an unlocked file.
                    file.try_lock().ok();
                    let prefix = prefix_of(&target.name);
                    let link =
                        |name: &str| Ok(link_unnamed(file, &target.directory, name.as_ref())?);
                    Name::take(&target.directory, &prefix, link)?.0
                }
                linked => return Ok(linked?),
            },
        };
        name.rename(&target.name, existing)?;
        // It may be written for a long time.
        file.unlock().ok();
        Ok(())
    }
}

/// Creates a file without a name. Returns `None` if the file system does not support it, or if
/// /proc is missing, which is needed to name it.
fn create_unnamed(directory: &OwnedFd, mode: Mode) -> io::Result<Option<File>> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = match openat(directory, ".", flags, mode) {
        Ok(file) => file,
        // Kernels that do not know the flag take it for O_DIRECTORY and return EISDIR or EINVAL.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let own = statat(CWD, own_path(&file), AtFlags::empty());
    let has_path = own.is_ok_and(|own| fstat(&file).is_ok_and(|stat| is_same(&own, &stat)));
    Ok(has_path.then(|| File::from(file)))
}

fn link_unnamed(file: &File, directory: &OwnedFd, name: &OsStr) -> rustix::io::Result<()> {
    linkat(
        CWD,
        own_path(file),
        directory,
        name,
        AtFlags::SYMLINK_FOLLOW,
    )
}

fn own_path(file: &impl AsRawFd) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Returns what the names of a target's drafts begin with.
pub(super) fn prefix_of(target: &OsStr) -> String {
    format!("{PREFIX}{:016x}-", hash(target.as_bytes()))
}

/// Returns `true` if a name has the form of a draft's: two times 16 hexadecimal digits behind [`PREFIX`].
pub(super) fn is_draft(name: &str) -> bool {
    let is_number = |text: &str| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        text.len() == 16 && text.bytes().all(is_digit)
    };
    let numbers = name
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(target, random)| is_number(target) && is_number(random))
}

/// FNV-1a: the same in every version of the program.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_exact_draft_name_is_a_draft() {
        let prefix = prefix_of("out.png".as_ref());
        assert!(is_draft(&format!("{prefix}0123456789abcdef")));
        for name in [
            prefix.clone(),
            format!("{prefix}0123456789abcde"),
            format!("{prefix}0123456789abcdef0"),
            format!("{prefix}0123456789ABCDEF"),
            format!("{prefix}0123456789abcdef.png"),
            format!("{PREFIX}0123456789abcdef"),
            format!("x{prefix}0123456789abcdef"),
            "out.png".to_owned(),
        ] {
            assert!(!is_draft(&name), "{name}");
        }
        assert_ne!(prefix, prefix_of("out2.png".as_ref()));
    }
}
