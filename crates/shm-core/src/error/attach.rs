//! Why a segment could not be created, attached to or looked at.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::{
    is_no_space, write_busy, write_file_size_limit, write_file_system, write_other_user,
};
use crate::key::Key;
use crate::lock_holder::LockHolder;

/// Why a segment could not be created, attached to or looked at.
#[derive(Debug)]
#[non_exhaustive]
pub enum AttachError {
    /// There is nothing under this key, or only what a crash left behind.
    NotFound {
        /// The key asked for.
        key: Key,
    },
    /// There is a living or persistent segment under this key already.
    AlreadyExists {
        /// The key asked for.
        key: Key,
    },
    /// The name is taken by something that is no segment of the expected owner; it is not touched.
    Foreign {
        /// The key asked for.
        key: Key,
        /// What it is, with its path.
        reason: String,
    },
    /// The segment has a layout that this program does not know.
    Version {
        /// The key asked for.
        key: Key,
        /// The layout's version.
        found: u32,
    },
    /// A segment of another kind: a block, say, where samples were expected.
    WrongKind {
        /// The key asked for.
        key: Key,
    },
    /// The system does not permit it.
    Permission {
        /// The key asked for.
        key: Key,
        /// The system's word.
        source: io::Error,
    },
    /// It cannot be given to this group: mostly because the process is no member of it.
    Group {
        /// The key asked for.
        key: Key,
        /// The group's id.
        group: u32,
        /// The system's word.
        source: io::Error,
    },
    /// The directory is on a file system where there can be no segments.
    FileSystem {
        /// The key asked for.
        key: Key,
        /// The directory.
        directory: PathBuf,
        /// The kind of file system, such as `vfat`.
        kind: String,
        /// What is not possible there.
        doing: &'static str,
    },
    /// There is no room for it.
    NoSpace {
        /// The key asked for.
        key: Key,
        /// The system's word.
        source: io::Error,
    },
    /// The process's file size limit forbids it; segments need it to be unlimited.
    FileSizeLimit {
        /// The key asked for.
        key: Key,
    },
    /// Every slot is taken.
    SlotsFull {
        /// The key asked for.
        key: Key,
        /// How many there are.
        slots: usize,
    },
    /// Slots are free, but read locks of a process that may only read the segment keep them from
    /// being claimed.
    SlotsBlocked {
        /// The key asked for.
        key: Key,
        /// Who holds those locks.
        holder: LockHolder,
    },
    /// Somebody sits on the segment's lifecycle for longer than the timeout.
    Busy {
        /// The key asked for.
        key: Key,
        /// Who holds its lock.
        holder: LockHolder,
    },
    /// The segment is another user's ([`Options::owner`](crate::Options::owner)), and the operation
    /// writes to it. That is refused to everybody else, root too.
    OtherUser {
        /// The key asked for.
        key: Key,
        /// The user id of its owner.
        owner: u32,
    },
    /// The key did not appear in time.
    Timeout {
        /// The key asked for.
        key: Key,
    },
    /// A block of this size cannot be made.
    Size {
        /// The key asked for.
        key: Key,
        /// The size asked for, bytes.
        size: usize,
    },
    /// A semaphore of so many units cannot be made.
    Units {
        /// The key asked for.
        key: Key,
        /// How many were asked for.
        units: u32,
    },
    /// Something else that the system said.
    Io {
        /// The key asked for.
        key: Key,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl AttachError {
    pub(crate) fn io(key: &Key, doing: &'static str, source: io::Error) -> Self {
        let key = key.clone();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { key },
            io::ErrorKind::PermissionDenied => Self::Permission { key, source },
            io::ErrorKind::FileTooLarge => Self::FileSizeLimit { key },
            _ if is_no_space(&source) => Self::NoSpace { key, source },
            _ => Self::Io { key, doing, source },
        }
    }
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { key } => write!(
                f,
                "There is nothing in shared memory under the key \"{key}\": load something first, or check the key."
            ),
            Self::AlreadyExists { key } => write!(
                f,
                "There is a segment under the key \"{key}\" already: attach to it, remove it, or choose another key."
            ),
            Self::Foreign { key, reason } => write!(
                f,
                "The key \"{key}\" is taken by something else: {reason}. Choose another key, or have its owner remove it."
            ),
            Self::Version { key, found } => write!(
                f,
                "The segment \"{key}\" has layout version {found}, and this program knows version {}: use programs of one release.",
                crate::layout::VERSION
            ),
            Self::WrongKind { key } => write!(
                f,
                "The segment \"{key}\" is of another kind (it holds samples, a block or a semaphore, and none can stand for another): choose another key."
            ),
            Self::Permission { key, .. } => write!(
                f,
                "The system does not permit access to the segment \"{key}\": check who owns it and its mode, and the directory's."
            ),
            Self::Group { key, group, .. } => write_group(f, key, *group),
            Self::FileSystem {
                directory,
                kind,
                doing,
                ..
            } => write_file_system(f, directory, kind, doing),
            Self::NoSpace { key, .. } => write!(
                f,
                "There is no room in shared memory for the segment \"{key}\": remove what is not needed, or enlarge the file system \
                 (containers give 64 MB unless told otherwise; with Docker, --shm-size)."
            ),
            Self::FileSizeLimit { key } => write_file_size_limit(f, key),
            Self::SlotsFull { key, slots } => write!(
                f,
                "All {slots} places of the segment \"{key}\" are taken: end a program that is attached to it."
            ),
            Self::SlotsBlocked { key, holder } => write!(
                f,
                "{holder} keeps the free places of the segment \"{key}\" locked, though it may only read it: end that program, \
                 or share the segment with no other users (mode 600)."
            ),
            Self::Busy { key, holder } => write_busy(f, key, holder),
            Self::OtherUser { key, owner } => write_other_user(f, key, *owner),
            Self::Timeout { key } => {
                write!(
                    f,
                    "Nothing appeared in shared memory under the key \"{key}\" in time."
                )
            }
            Self::Size { key, size } => write!(
                f,
                "A block of {size} bytes cannot be made under the key \"{key}\": the size is 1 byte to 64 GiB."
            ),
            Self::Units { key, units } => write_units(f, key, *units),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "The segment \"{key}\" is not accessible ({doing}): {source}."
                )
            }
        }
    }
}

fn write_units(f: &mut fmt::Formatter<'_>, key: &Key, units: u32) -> fmt::Result {
    write!(
        f,
        "A semaphore of {units} units cannot be made under the key \"{key}\": it counts to {}.",
        crate::layout::MAX_UNITS
    )
}

fn write_group(f: &mut fmt::Formatter<'_>, key: &Key, group: u32) -> fmt::Result {
    write!(
        f,
        "The segment \"{key}\" cannot be given to the group {group}, of which this process is no member: choose a group \
         of yours, as the command id tells them, or have yourself added to it and log in again."
    )
}

impl Error for AttachError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Permission { source, .. }
            | Self::Group { source, .. }
            | Self::NoSpace { source, .. }
            | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl AttachError {
    /// The key that the error is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::NotFound { key }
            | Self::AlreadyExists { key }
            | Self::Foreign { key, .. }
            | Self::Version { key, .. }
            | Self::WrongKind { key }
            | Self::Permission { key, .. }
            | Self::Group { key, .. }
            | Self::FileSystem { key, .. }
            | Self::NoSpace { key, .. }
            | Self::FileSizeLimit { key }
            | Self::SlotsFull { key, .. }
            | Self::SlotsBlocked { key, .. }
            | Self::Busy { key, .. }
            | Self::OtherUser { key, .. }
            | Self::Timeout { key }
            | Self::Size { key, .. }
            | Self::Units { key, .. }
            | Self::Io { key, .. } => key,
        }
    }
}
