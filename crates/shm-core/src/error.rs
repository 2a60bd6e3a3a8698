//! What can go wrong: one enum an operation; each text says what is wrong and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::key::Key;
use crate::segment::Attached;

/// Why a name is no [`Key`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is empty.
    Empty,
    /// The name is longer than [`Key::MAX_BYTES`].
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The name has a character that no key may have.
    Character {
        /// The character.
        character: char,
        /// Where it stands, bytes from the beginning.
        at: usize,
    },
    /// The name begins with a `scheme:` prefix.
    Scheme {
        /// The prefix without its colon.
        scheme: String,
    },
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(
                f,
                "The key is empty: give the segment a name, such as MySharedMemory."
            ),
            Self::TooLong { bytes } => {
                let most = Key::MAX_BYTES;
                write!(
                    f,
                    "The key is {bytes} bytes long, and {most} are the most: choose a shorter one."
                )
            }
            Self::Character { character: '/', at } => {
                write!(
                    f,
                    "The key has a \"/\" at byte {at}: a key is a name, not a path."
                )
            }
            Self::Character { character, at } => {
                let code = u32::from(*character);
                write!(
                    f,
                    "The key has the control character U+{code:04X} at byte {at}: leave it out."
                )
            }
            Self::Scheme { scheme } => write!(
                f,
                "The key begins with \"{scheme}:\", which is reserved for other kinds of segment: \
                 leave the prefix out."
            ),
        }
    }
}

impl Error for KeyError {}

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
    /// A block where samples were expected, or the other way round.
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
    /// There is no room for it.
    NoSpace {
        /// The key asked for.
        key: Key,
        /// The system's word.
        source: io::Error,
    },
    /// Every slot is taken.
    SlotsFull {
        /// The key asked for.
        key: Key,
        /// How many there are.
        slots: usize,
    },
    /// Somebody sits on the segment's lifecycle for longer than the timeout.
    Busy {
        /// The key asked for.
        key: Key,
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
                "The segment \"{key}\" is of the other kind (a fixed block is not a series of samples): choose another key."
            ),
            Self::Permission { key, .. } => write!(
                f,
                "The system does not permit access to the segment \"{key}\": check who owns it and its mode, and the directory's."
            ),
            Self::NoSpace { key, .. } => write!(
                f,
                "There is no room in shared memory for the segment \"{key}\": remove what is not needed, or enlarge the file system \
                 (containers give 64 MB unless told otherwise; with Docker, --shm-size)."
            ),
            Self::SlotsFull { key, slots } => write!(
                f,
                "All {slots} places of the segment \"{key}\" are taken: end a program that is attached to it."
            ),
            Self::Busy { key } => write!(
                f,
                "Another program is creating, attaching to or removing the segment \"{key}\" and does not get done: try again, \
                 or end that program (it may be stopped)."
            ),
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
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "The segment \"{key}\" is not accessible ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for AttachError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Permission { source, .. }
            | Self::NoSpace { source, .. }
            | Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why the lock was not taken.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody held it for longer than the caller's patience.
    Timeout {
        /// The segment.
        key: Key,
        /// Who held it, where a record tells.
        holder: Option<Attached>,
    },
    /// Somebody holds it, and the caller did not want to wait.
    WouldBlock {
        /// The segment.
        key: Key,
    },
    /// The calling thread holds it already through this very handle.
    WouldDeadlock {
        /// The segment.
        key: Key,
    },
    /// The segment was removed while the caller waited.
    Orphaned {
        /// The segment.
        key: Key,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout {
                key,
                holder: Some(holder),
            } => write!(
                f,
                "The lock of the segment \"{key}\" is held by {} (pid {}): wait for it, or end it.",
                holder.program, holder.pid
            ),
            Self::Timeout { key, holder: None } => {
                write!(
                    f,
                    "The lock of the segment \"{key}\" is held by another program: wait for it, or end it."
                )
            }
            Self::WouldBlock { key } => {
                write!(
                    f,
                    "The lock of the segment \"{key}\" is held at the moment: try again, or wait for it."
                )
            }
            Self::WouldDeadlock { key } => write!(
                f,
                "This thread holds the lock of the segment \"{key}\" already: let go of the first guard before locking again."
            ),
            Self::Orphaned { key } => orphaned(f, key),
            Self::Forked { key } => forked(f, key),
        }
    }
}

impl Error for LockError {}

/// Why a sample was not published.
#[derive(Debug)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no room for it; what was published before stays readable.
    NoSpace {
        /// The segment.
        key: Key,
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// It is longer than a region can be, or than the process may make a file.
    TooLarge {
        /// The segment.
        key: Key,
        /// How many bytes were asked for.
        bytes: u64,
    },
    /// The metadata does not fit the payload, or its own bounds.
    Metadata {
        /// The segment.
        key: Key,
        /// What is wrong with it.
        reason: String,
    },
    /// The segment was removed by somebody: what is published here is seen by nobody.
    Orphaned {
        /// The segment.
        key: Key,
    },
    /// Every region is pinned by a reader or on loan.
    RegionsFull {
        /// The segment.
        key: Key,
    },
    /// Another publisher holds the lock and does not let go.
    Busy {
        /// The segment.
        key: Key,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
    /// Something else that the system said.
    Io {
        /// The segment.
        key: Key,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl PublishError {
    pub(crate) fn io(key: &Key, doing: &'static str, bytes: u64, source: io::Error) -> Self {
        let key = key.clone();
        match source.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge { key, bytes },
            _ if is_no_space(&source) => Self::NoSpace { key, bytes },
            _ => Self::Io { key, doing, source },
        }
    }

    pub(crate) fn lock(error: LockError) -> Self {
        match error {
            LockError::Orphaned { key } => Self::Orphaned { key },
            LockError::Forked { key } => Self::Forked { key },
            LockError::Timeout { key, .. }
            | LockError::WouldBlock { key }
            | LockError::WouldDeadlock { key } => Self::Busy { key },
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpace { key, bytes } => write!(
                f,
                "There is no room in shared memory for {bytes} bytes in the segment \"{key}\"; what was loaded before stays. \
                 Remove what is not needed, or enlarge the file system (containers give 64 MB unless told otherwise; \
                 with Docker, --shm-size)."
            ),
            Self::TooLarge { key, bytes } => write!(
                f,
                "{bytes} bytes are too many for one sample of the segment \"{key}\": the most is 64 GiB, or the file size limit \
                 of the process (ulimit -f)."
            ),
            Self::Metadata { key, reason } => {
                write!(
                    f,
                    "What was to be loaded into the segment \"{key}\" is not in order: {reason}."
                )
            }
            Self::Orphaned { key } => orphaned(f, key),
            Self::RegionsFull { key } => write!(
                f,
                "All regions of the segment \"{key}\" are in use by its readers: end some of them."
            ),
            Self::Busy { key } => write!(
                f,
                "Another program is publishing into the segment \"{key}\" and does not get done: try again, or end that program \
                 (it may be stopped)."
            ),
            Self::Forked { key } => forked(f, key),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "Publishing into the segment \"{key}\" failed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why a sample could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// What stands in the segment is not what its layout says.
    Invalid {
        /// The segment.
        key: Key,
        /// What is wrong.
        reason: String,
    },
    /// The file was cut short by somebody.
    Truncated {
        /// The segment.
        key: Key,
    },
    /// The latest sample could not be pinned in time, because somebody sits on its region.
    Busy {
        /// The segment.
        key: Key,
    },
    /// The handle was made before a fork, in another process.
    Forked {
        /// The segment.
        key: Key,
    },
    /// Something else that the system said.
    Io {
        /// The segment.
        key: Key,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl ReadError {
    pub(crate) fn io(key: &Key, doing: &'static str, source: io::Error) -> Self {
        let key = key.clone();
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated { key },
            _ => Self::Io { key, doing, source },
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { key, reason } => write!(
                f,
                "What stands in the segment \"{key}\" is damaged or was written by another program: {reason}. Load it again."
            ),
            Self::Truncated { key } => {
                write!(
                    f,
                    "The segment \"{key}\" was cut short by another program: remove it and load it again."
                )
            }
            Self::Busy { key } => write!(
                f,
                "Another program keeps the latest sample of the segment \"{key}\" from being read: try again, or end that program."
            ),
            Self::Forked { key } => forked(f, key),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "Reading the segment \"{key}\" failed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Why the segments could not be listed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ListError {
    /// The directory is not readable.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Directory { path, source } = self;
        let path = path.display();
        write!(
            f,
            "The directory {path} is not readable ({source}): check that it exists, or set SHM_CORE_DIR to another."
        )
    }
}

impl Error for ListError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let Self::Directory { source, .. } = self;
        Some(source)
    }
}

/// Why a segment was not removed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is nothing under this key.
    NotFound {
        /// The key asked for.
        key: Key,
    },
    /// Somebody is attached, and force was not asked for.
    InUse {
        /// The key asked for.
        key: Key,
        /// Who.
        by: Vec<Attached>,
    },
    /// The name is taken by something that is no segment of the expected owner; it is not touched.
    Foreign {
        /// The key asked for.
        key: Key,
        /// What it is, with its path.
        reason: String,
    },
    /// The system does not permit it.
    Permission {
        /// The key asked for.
        key: Key,
    },
    /// Somebody sits on the segment's lifecycle for longer than the timeout.
    Busy {
        /// The key asked for.
        key: Key,
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

impl RemoveError {
    pub(crate) fn attach(error: AttachError) -> Self {
        match error {
            AttachError::NotFound { key } => Self::NotFound { key },
            AttachError::Foreign { key, reason } => Self::Foreign { key, reason },
            AttachError::Permission { key, .. } => Self::Permission { key },
            AttachError::Busy { key } => Self::Busy { key },
            AttachError::Io { key, doing, source } => Self::Io { key, doing, source },
            other => {
                let key = other.key().clone();
                Self::Io {
                    key,
                    doing: "opening",
                    source: io::Error::other(other),
                }
            }
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
            | Self::NoSpace { key, .. }
            | Self::SlotsFull { key, .. }
            | Self::Busy { key }
            | Self::Timeout { key }
            | Self::Size { key, .. }
            | Self::Io { key, .. } => key,
        }
    }
}

impl fmt::Display for RemoveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { key } => {
                write!(
                    f,
                    "There is nothing in shared memory under the key \"{key}\": check the key."
                )
            }
            Self::InUse { key, by } => {
                write!(f, "The segment \"{key}\" is in use by ")?;
                for (index, user) in by.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{} (pid {})", user.program, user.pid)?;
                }
                write!(f, ": end them first, or use force.")
            }
            Self::Foreign { key, reason } => {
                write!(
                    f,
                    "What stands under the key \"{key}\" is no segment, so it is left alone: {reason}."
                )
            }
            Self::Permission { key } => write!(
                f,
                "The system does not permit to remove the segment \"{key}\": ask its owner to."
            ),
            Self::Busy { key } => write!(
                f,
                "Another program is creating, attaching to or removing the segment \"{key}\" and does not get done: try again, \
                 or end that program (it may be stopped)."
            ),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "The segment \"{key}\" was not removed ({doing}): {source}."
                )
            }
        }
    }
}

impl Error for RemoveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn orphaned(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    write!(
        f,
        "The segment \"{key}\" was removed by another program: open it again."
    )
}

fn forked(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    write!(
        f,
        "This handle of the segment \"{key}\" belongs to the parent process: open one of your own after fork."
    )
}

/// No memory left in the file system, or the user's share of it is used up.
fn is_no_space(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::OutOfMemory
    )
}
