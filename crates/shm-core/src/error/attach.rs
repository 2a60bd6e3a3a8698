//! Why a segment could not be created, attached to or inspected.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::error::{ErrorCode, ForeignReason, impl_parts, is_no_space};
use crate::key::Key;
use crate::layout::{MAX_UNITS, VERSION};
use crate::lock_holder::{LockHolder, UserName};

/// Why a segment could not be created, attached to or inspected.
#[derive(Debug, Error)]
#[error("cannot open segment \"{key}\": {kind}")]
pub struct AttachError {
    key: Key,
    pub(crate) kind: AttachErrorKind,
    source: Option<io::Error>,
}

impl_parts!(AttachError, AttachErrorKind);

/// What kept a segment from being created, attached to or inspected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AttachErrorKind {
    /// There is no segment under the key, or only what a crash left behind.
    #[error("no such segment")]
    NotFound,
    /// There is a living or persistent segment under the key already.
    #[error("segment exists already")]
    AlreadyExists,
    /// The name is taken by a file that is no segment of the expected owner; it is not touched.
    #[error("{} {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Why it is no such segment.
        reason: ForeignReason,
    },
    /// The segment has a layout that this library does not know.
    #[error("layout version {found} is not supported, only version {VERSION}")]
    Version {
        /// The layout's version.
        found: u32,
    },
    /// A segment of another kind: a block, tr, where samples were expected.
    #[error("segment is of another kind")]
    WrongKind,
    /// The operating system does not permit it.
    #[error("permission denied")]
    Permission,
    /// It cannot be given to this group: mostly because the process is no member of it.
    #[error("cannot be given to group {group}")]
    Group {
        /// The group's id.
        group: u32,
    },
    /// The directory is on a file system that cannot hold segments.
    #[error("file system {kind} of {} does not support {doing}", directory.display())]
    FileSystem {
        /// The directory.
        directory: PathBuf,
        /// The kind of file system, such as `vfat`.
        kind: String,
        /// The operation that is not possible there.
        doing: &'static str,
    },
    /// The directory of the segments does not exist.
    #[error("directory {} does not exist", directory.display())]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// There is no space left in the file system.
    #[error("no space left in shared memory")]
    NoSpace,
    /// The process's file size limit forbids it; segments need it to be unlimited.
    #[error("file size limit of this process exceeded")]
    FileSizeLimit,
    /// Every slot is taken.
    #[error("no free slot ({slots} participants attached)")]
    SlotsFull {
        /// How many slots there are.
        slots: usize,
    },
    /// Slots are free, but read locks of a process that may only read the segment keep them from
    /// being claimed.
    #[error("free slots are locked by {holder}")]
    SlotsBlocked {
        /// The process that holds those locks.
        holder: LockHolder,
    },
    /// Another process held the lock under which segments are created, attached to and removed for
    /// longer than the timeout.
    #[error("lifecycle lock is held by {holder}")]
    Busy {
        /// The process that holds it.
        holder: LockHolder,
    },
    /// The segment is another user's ([`Options::owner`](crate::Options::owner)), and the operation
    /// writes to it. That is refused to every other user, root too.
    #[error("segment belongs to user {}", UserName(*owner))]
    OtherUser {
        /// The user id of its owner.
        owner: u32,
    },
    /// The segment did not appear in time.
    #[error("timed out waiting for the segment to appear")]
    Timeout,
    /// The size of a block is out of bounds.
    #[error("block size of {size} bytes is out of bounds (1 byte to 64 GiB)")]
    Size {
        /// The size asked for, bytes.
        size: usize,
    },
    /// A semaphore cannot count so many units.
    #[error("{units} units are too many for a semaphore (at most {MAX_UNITS})")]
    Units {
        /// How many were asked for.
        units: u32,
    },
    /// Another operation of the operating system failed; the source says how.
    #[error("{doing} failed")]
    Io {
        /// The operation.
        doing: &'static str,
    },
}

impl AttachErrorKind {
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound => ErrorCode::NotFound,
            Self::AlreadyExists => ErrorCode::AlreadyExists,
            Self::Foreign { .. } => ErrorCode::Foreign,
            Self::Version { .. } => ErrorCode::OtherVersion,
            Self::WrongKind => ErrorCode::WrongKind,
            Self::Permission | Self::Group { .. } => ErrorCode::PermissionDenied,
            Self::FileSystem { .. } => ErrorCode::Unsupported,
            Self::NoSpace => ErrorCode::NoSpace,
            Self::FileSizeLimit => ErrorCode::FileSizeLimit,
            Self::SlotsFull { .. } | Self::SlotsBlocked { .. } => ErrorCode::Full,
            Self::Busy { .. } => ErrorCode::Busy,
            Self::OtherUser { .. } => ErrorCode::OtherUser,
            Self::Timeout => ErrorCode::Timeout,
            Self::Size { .. } | Self::Units { .. } => ErrorCode::InvalidArgument,
            Self::NoDirectory { .. } | Self::Io { .. } => ErrorCode::System,
        }
    }
}

impl AttachError {
    #[cold]
    pub(crate) fn io(key: &Key, doing: &'static str, source: io::Error) -> Self {
        let kind = match source.kind() {
            io::ErrorKind::NotFound => return Self::new(key, AttachErrorKind::NotFound),
            io::ErrorKind::FileTooLarge => return Self::new(key, AttachErrorKind::FileSizeLimit),
            io::ErrorKind::PermissionDenied => AttachErrorKind::Permission,
            _ if is_no_space(&source) => AttachErrorKind::NoSpace,
            _ => AttachErrorKind::Io { doing },
        };
        Self::new(key, kind).with_source(source)
    }

    /// Takes the error apart, for one of another operation.
    pub(super) fn into_parts(self) -> (Key, AttachErrorKind, Option<io::Error>) {
        (self.key, self.kind, self.source)
    }
}
