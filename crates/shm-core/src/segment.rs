//! Listing, inspecting and removing segments by name.
//!
//! These functions do not attach: a process that only inspects a segment is not a participant and
//! keeps nothing alive. [`Publisher`], [`Subscriber`], [`Block`] and [`Semaphore`] create and
//! attach.
//!
//! [`Publisher`]: crate::Publisher
//! [`Subscriber`]: crate::Subscriber
//! [`Block`]: crate::Block
//! [`Semaphore`]: crate::Semaphore

mod attachment;
mod file;
mod id;
mod info;
mod kind;
mod participants;
mod peek;
mod permissions;
mod watch;

use std::fs;
use std::path::PathBuf;

pub(crate) use attachment::{Attachment, RawGuard};
#[cfg(feature = "presence")]
pub(crate) use file::is_hex;
pub(crate) use file::{Head, SegmentFile};
pub use id::SegmentId;
pub use info::{Content, Info, Latest, Listed};
pub(crate) use kind::Kind;
pub(crate) use participants::peers;
pub use permissions::{Permissions, Readers};
pub use watch::Watch;

use crate::deadline::Deadline;
use crate::error::{
    AttachError, AttachErrorKind, ListError, ListErrorKind, ListedError, RemoveError,
    RemoveErrorKind,
};
use crate::key::{self, Key};
use crate::layout;
use crate::options::Options;
use crate::sys::{self, FileStat, OpenMode};

/// Lists the user's segments in the order of their names, and removes stale ones.
///
/// A file that has a segment's name but is not a segment is listed with the reason and left alone.
/// Does not wait for other processes.
///
/// # Errors
///
/// [`ListError`] if the directory cannot be read.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// use shm_core::{Key, Options, Publisher, segment};
///
/// let options = Options::new().directory(directory.path());
/// let publisher = Publisher::open(&Key::new("greeting")?, &options)?;
/// publisher.publish_text("hello")?;
/// assert_eq!(segment::list(&options)?[0].name, "greeting");
/// # Ok(()) }
/// ```
pub fn list(options: &Options) -> Result<Vec<Listed>, ListError> {
    // Looked up once for all segments: the environment, and the effective user.
    let directory = options.directory_path();
    let options = &options
        .clone()
        .directory(&directory)
        .owner(options.owner_id());
    if let Some(kind) = sys::unfit_file_system(&directory) {
        return Err(ListError::new(
            &directory,
            ListErrorKind::FileSystem { kind },
        ));
    }
    let failed = |source| ListError::unreadable(&directory, source);
    let prefix = key::file_prefix(options.owner_id());
    let draft = file::draft_prefix();
    let mut listed = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let text = name.to_string_lossy();
        if name
            .to_str()
            .is_some_and(|name| file::is_draft_name(name, &draft))
        {
            file::sweep_draft(&entry.path());
        } else if let Some(key) = text.strip_prefix(&prefix) {
            if name.to_str().is_some() {
                listed.extend(inspect_file(key, entry.path(), options));
            } else {
                listed.push(Listed {
                    name: key.to_owned(),
                    path: entry.path(),
                    segment: Err(ListedError::NotUtf8),
                });
            }
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}

/// Returns the properties of one segment. Removes it if it is stale.
///
/// # Errors
///
/// [`AttachErrorKind::NotFound`] if the key has no segment, or only a stale one; another kind if
/// the file is not a segment of this user.
pub fn info(key: &Key, options: &Options) -> Result<Info, AttachError> {
    inspect(key, options.path_of(key), options)
}

fn inspect(key: &Key, path: PathBuf, options: &Options) -> Result<Info, AttachError> {
    let (segment, stat) = SegmentFile::open_to_inspect(key, path, options)?;
    let head = segment.head()?;
    let slot = segment.held_slot(head.slot_count)?;
    if head.is_removed() || (slot.is_none() && !head.is_persistent()) {
        drop(segment);
        // If another process attaches or detaches at this moment, the segment is left to that.
        let _left_to_others = file::reclaim(key, options);
        return Err(AttachError::new(key, AttachErrorKind::NotFound));
    }
    segment.check_version_with(&stat, &head)?;
    Ok(describe(&segment, &stat, &head, slot))
}

/// What [`remove`] does with a segment that has participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Leaves it, and fails.
    IfUnused,
    /// Removes it.
    Forced,
}

/// The effect on the segment of detaching a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "it reports whether the segment was removed; if that does not matter, drop the handle"]
pub struct Detached {
    /// The segment was removed, because this was the last participant and it was not persistent.
    pub removed: bool,
}

/// Removes the segment under a key, whether persistent or not.
///
/// Participants keep the memory until they detach; their next operation fails with `Removed`.
///
/// # Errors
///
/// [`RemoveErrorKind::InUse`] if the segment has participants, unless the removal is
/// [`Forced`](Removal::Forced); [`RemoveErrorKind::NotFound`] if there is none, or only a stale one
/// (which is removed).
pub fn remove(key: &Key, options: &Options, removal: Removal) -> Result<(), RemoveError> {
    attachment::check_owner(key, options)?;
    let deadline = Deadline::after(options.lock_timeout());
    let (segment, head) = SegmentFile::locate(key, options, OpenMode::ReadWrite, deadline)?;
    let by = participants::participants(&segment.file);
    if !by.is_empty() && removal == Removal::IfUnused {
        return Err(RemoveError::new(key, RemoveErrorKind::InUse { by }));
    }
    Ok(segment.remove(&head)?)
}

fn describe(segment: &SegmentFile, stat: &FileStat, head: &Head, slot: Option<u64>) -> Info {
    let content = match head.kind {
        layout::kind::BLOCK => Content::Block {
            size: head.block_bytes,
        },
        layout::kind::SEMAPHORE => peek::units(&segment.file, head),
        _ => match peek::latest(&segment.file, head) {
            Ok(latest) => Content::Samples {
                latest,
                ring_bytes: head.ring_bytes,
                retain_bytes: head.retain_bytes,
            },
            Err(damage) => Content::Damaged { damage },
        },
    };
    Info {
        key: segment.key.clone(),
        id: head.id,
        content,
        persistent: head.is_persistent(),
        created: crate::time::system_time(head.created),
        mode: stat.mode,
        group: stat.group,
        reserved_bytes: stat.allocated,
        attached: participants::participants_beside(&segment.file, slot),
    }
}

/// Inspects one file; returns `None` if it was stale, or was removed meanwhile.
fn inspect_file(name: &str, path: PathBuf, options: &Options) -> Option<Listed> {
    let segment = match Key::new(name) {
        Err(error) => Err(ListedError::Name(error)),
        Ok(key) => match inspect(&key, path.clone(), options) {
            Err(error) if *error.kind() == AttachErrorKind::NotFound => return None,
            other => other.map_err(ListedError::Attach),
        },
    };
    Some(Listed {
        name: name.to_owned(),
        path,
        segment,
    })
}
