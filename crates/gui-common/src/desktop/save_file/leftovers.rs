//! Leftovers of killed saves, removed by the next save of the same target.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat, unlinkat};

use super::draft::{is_draft, prefix_of};
use super::target::{Target, is_own, is_same, kind};

/// The folder of a series, and the drafts in it when it was listed. Open, so that no other folder
/// gets its inode.
static LISTED: Mutex<Option<(Arc<OwnedFd>, Vec<String>)>> = Mutex::new(None);

/// Removes the drafts of earlier saves of a target that were killed.
///
/// A leftover is a regular file of the user with the name of a draft that no living process has
/// locked. If a removal fails, the next save tries again. A save `in_series` relies on what was
/// listed before: to list a folder of 100,000 pictures for each of them would cost more than to
/// save it.
pub(super) fn sweep(target: &Target, is_in_series: bool) {
    let prefix = prefix_of(&target.name);
    let drafts = drafts_in(&target.directory, is_in_series).unwrap_or_default();
    for name in drafts.iter().filter(|name| name.starts_with(&prefix)) {
        sweep_one(&target.directory, name).ok();
    }
}

/// Returns the drafts in a folder; those of a series are listed once.
fn drafts_in(folder: &Arc<OwnedFd>, is_in_series: bool) -> io::Result<Vec<String>> {
    if !is_in_series {
        return list(folder);
    }
    let mut listed = LISTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((before, drafts)) = &*listed
        && is_same(&fstat(before)?, &fstat(folder)?)
    {
        return Ok(drafts.clone());
    }
    let drafts = list(folder)?;
    *listed = Some((Arc::clone(folder), drafts.clone()));
    Ok(drafts)
}

fn list(folder: &OwnedFd) -> io::Result<Vec<String>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listing = Dir::new(openat(folder, ".", flags, Mode::empty())?)?;
    let drafts = listing.map_while(Result::ok).filter_map(|entry| {
        let name = entry.file_name().to_str().ok()?;
        is_draft(name).then(|| name.to_owned())
    });
    Ok(drafts.collect())
}

fn sweep_one(directory: &OwnedFd, name: &str) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |access| openat(directory, name, flags | access, Mode::empty());
    // Its mode may permit only reading or only writing.
    let file = File::from(open(OFlags::RDONLY).or_else(|_| open(OFlags::WRONLY))?);
    let stat = fstat(&file)?;
    let is_ours = kind(&stat) == FileType::RegularFile && is_own(&stat) && stat.st_nlink == 1;
    if is_ours && file.try_lock().is_ok() {
        let now = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if is_same(&now, &stat) {
            unlinkat(directory.as_fd(), name, AtFlags::empty())?;
        }
    }
    Ok(())
}
