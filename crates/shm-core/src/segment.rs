//! Segments as things with a name: listed, looked at, removed.
//!
//! Looking never attaches: whoever only looks is seen by nobody and keeps
//! nothing alive. Creating and attaching is done by [`Publisher`],
//! [`Subscriber`], [`Block`] and [`Semaphore`].
//!
//! [`Publisher`]: crate::Publisher
//! [`Subscriber`]: crate::Subscriber
//! [`Block`]: crate::Block
//! [`Semaphore`]: crate::Semaphore

mod attachment;
mod file;
mod id;
mod participants;
mod peek;
mod permissions;
mod watch;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) use attachment::{Attachment, Kind, RawGuard};
#[cfg(feature = "presence")]
pub(crate) use file::is_hex;
pub(crate) use file::{Head, SegmentFile};
pub use id::SegmentId;
pub use participants::{Access, Participant};
pub(crate) use participants::{peers, readable};
pub use permissions::{Permissions, Readers};
pub use watch::Watch;

use crate::deadline::Deadline;
use crate::error::{
    AttachError, AttachErrorKind, InvalidSample, ListError, ListErrorKind, ListedError,
    RemoveError, RemoveErrorKind,
};
use crate::key::{self, Key};
use crate::layout;
use crate::message::{Annotations, Metadata};
use crate::options::Options;
use crate::process::Process;
use crate::sequence::Sequence;
use crate::sys::{self, FileStat, OpenMode};

/// What can be told of a segment from outside.
#[derive(Clone, Debug)]
pub struct Info {
    /// Its key.
    pub key: Key,
    /// Random, made when it was created: tells it from another under the same key.
    pub id: SegmentId,
    /// What it holds.
    pub content: Content,
    /// Stays when the last one leaves.
    pub persistent: bool,
    /// When it was created.
    pub created: SystemTime,
    /// Who may open it: its file's permission bits, 0600 unless somebody shared it.
    pub mode: u32,
    /// The id of the group that the bits for the group are about.
    pub group: u32,
    /// Memory truly in use, bytes, the control area included.
    pub reserved_bytes: u64,
    /// Who is attached.
    pub attached: Vec<Participant>,
}

impl Info {
    /// Who may open it.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions {
            mode: self.mode,
            group: self.group,
        }
    }
}

/// What a segment holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// One block of bytes.
    Block {
        /// Its length, bytes.
        size: u64,
    },
    /// A counting semaphore.
    Semaphore {
        /// How many units can be acquired.
        available: u32,
        /// How many units are held, by all processes together.
        held: u32,
    },
    /// Published samples.
    Samples {
        /// The newest; `None` if nothing was published yet or it was cleared.
        latest: Option<Latest>,
        /// The length of the ring, which keeps the last samples.
        ring_bytes: u64,
        /// How many bytes of large samples are kept beside the newest, at the least.
        retain_bytes: u64,
    },
    /// Published samples, of which the latest cannot be read.
    Damaged {
        /// What is wrong with it.
        damage: InvalidSample,
    },
}

/// What can be told of the latest sample without reading its payload.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What the payload is.
    pub metadata: Metadata,
    /// What stands beside it.
    pub annotations: Annotations,
    /// The payload's length, bytes.
    pub bytes: u64,
    /// The sample's number.
    pub sequence: Sequence,
    /// The process that published it.
    pub writer: Process,
    /// When, by the publisher's wall clock.
    pub published: SystemTime,
    /// How long ago that was when it was looked, by a clock that nobody sets.
    pub age: Duration,
}

/// One name in the directory.
#[derive(Debug)]
pub struct Listed {
    /// The key; the end of the file name, as far as it can be shown, where it is none.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// What it is, or why it cannot be told.
    pub segment: Result<Info, ListedError>,
}

/// Lists the user's segments in the order of their names, and removes stale ones.
///
/// A file under a segment's name that is none is listed with the reason and left alone. Does not wait
/// for other processes.
///
/// # Errors
///
/// [`ListError`] where the directory cannot be read.
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
    // Asked once for all: the environment, and who we are.
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
        let shown = name.to_string_lossy();
        if name
            .to_str()
            .is_some_and(|name| file::is_draft_name(name, &draft))
        {
            file::sweep_draft(&entry.path());
        } else if let Some(shown) = shown.strip_prefix(&prefix) {
            if name.to_str().is_some() {
                listed.extend(look_at(shown, entry.path(), options));
            } else {
                listed.push(Listed {
                    name: shown.to_owned(),
                    path: entry.path(),
                    segment: Err(ListedError::NotUtf8),
                });
            }
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(listed)
}

/// Tells of one segment, removing it instead where it is stale.
///
/// # Errors
///
/// [`AttachErrorKind::NotFound`] where there is none, or only stale remains; and
/// what else keeps the name from being a segment of this user.
pub fn info(key: &Key, options: &Options) -> Result<Info, AttachError> {
    inspect(key, options.path_of(key), options)
}

fn inspect(key: &Key, path: PathBuf, options: &Options) -> Result<Info, AttachError> {
    let (segment, stat) = SegmentFile::look(key, path, options)?;
    let head = segment.head()?;
    let slot = segment.held_slot(head.slot_count)?;
    if head.is_removed() || (slot.is_none() && !head.is_persistent()) {
        drop(segment);
        // Somebody may be coming or going at this moment; then it is not ours to judge.
        let _left_to_others = file::reclaim(key, options);
        return Err(AttachError::new(key, AttachErrorKind::NotFound));
    }
    segment.check_version_by(&stat, &head)?;
    Ok(describe(&segment, &stat, &head, slot))
}

/// What to do with a segment that has participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Leave it.
    IfUnused,
    /// Remove it all the same.
    Forced,
}

/// What became of the segment when a handle detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "says whether the segment was removed; drop the handle if that does not matter"]
pub struct Detached {
    /// The segment was removed, because no other participant keeps it.
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
        created: system_time(head.created),
        mode: stat.mode,
        group: stat.group,
        reserved_bytes: stat.allocated,
        attached: participants::participants_beside(&segment.file, slot),
    }
}

/// What stands under one name; nothing where it was stale, or went away while we looked.
fn look_at(name: &str, path: PathBuf, options: &Options) -> Option<Listed> {
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

/// A stored time; the epoch where it is beyond what the system can express.
pub(crate) fn system_time(nanos: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_nanos(nanos))
        .unwrap_or(UNIX_EPOCH)
}
