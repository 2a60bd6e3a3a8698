//! What can go wrong with a segment or its lock; each text says what is wrong and what to do.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::fault::Fault;
use crate::key::{Kind, QtKey};
use crate::user::{User, listed};

/// What Qt would call an error (`QSharedMemory::SharedMemoryError`, and that of `QSystemSemaphore`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// `PermissionDenied`
    PermissionDenied,
    /// `InvalidSize`
    InvalidSize,
    /// `KeyError`
    KeyError,
    /// `AlreadyExists`
    AlreadyExists,
    /// `NotFound`
    NotFound,
    /// `LockError`
    LockError,
    /// `OutOfResources`
    OutOfResources,
    /// `UnknownError`
    UnknownError,
}

/// Why a segment could not be created, attached to or removed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SegmentError {
    /// There is no segment under this key.
    NotFound {
        /// The key asked for.
        key: QtKey,
    },
    /// There is one already.
    AlreadyExists {
        /// The key asked for.
        key: QtKey,
        /// Who is seen to use it.
        users: Vec<User>,
    },
    /// Somebody uses it, and force was not asked for.
    InUse {
        /// The key asked for.
        key: QtKey,
        /// Who is seen to use it.
        users: Vec<User>,
    },
    /// A segment of this size cannot be made.
    Size {
        /// The key asked for.
        key: QtKey,
        /// The size asked for, bytes.
        size: usize,
    },
    /// There is no room for it.
    OutOfResources {
        /// The key asked for.
        key: QtKey,
        /// The system's word.
        source: io::Error,
    },
    /// The name is another user's.
    Stranger {
        /// The key asked for.
        key: QtKey,
        /// What is theirs.
        file: PathBuf,
        /// Their user id.
        owner: u32,
    },
    /// What has the name is no segment; it is not touched.
    Foreign {
        /// The key asked for.
        key: QtKey,
        /// What it is.
        file: PathBuf,
    },
    /// Another user could exchange the key files in their folder.
    Folder {
        /// The key asked for.
        key: QtKey,
        /// The folder.
        folder: PathBuf,
    },
    /// The system does not permit it.
    Permission {
        /// The key asked for.
        key: QtKey,
        /// The system's word.
        source: io::Error,
    },
    /// The lock was not taken.
    Lock(LockError),
    /// Something else that the system said.
    Io {
        /// The key asked for.
        key: QtKey,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

/// Why a lock or a semaphore was not taken or given back.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody had it for longer than the caller's patience.
    Timeout {
        /// Whose lock it is.
        key: QtKey,
        /// Who has it; only System V knows.
        holder: Option<User>,
        /// Who has it open; only of interest where the holder is not known.
        users: Vec<User>,
    },
    /// A Qt program has reset or removed it while it was held: somebody may have written at the same time.
    /// Or, where the segment is another user's, whose lock is not taken: it was written meanwhile.
    Lost {
        /// Whose lock it is.
        key: QtKey,
    },
    /// The name is another user's.
    Stranger {
        /// Whose lock it is.
        key: QtKey,
        /// What is theirs.
        file: PathBuf,
        /// Their user id.
        owner: u32,
    },
    /// What has the name is no semaphore; it is not touched.
    Foreign {
        /// Whose lock it is.
        key: QtKey,
        /// What it is.
        file: PathBuf,
    },
    /// Another user could exchange the key files in their folder.
    Folder {
        /// Whose lock it is.
        key: QtKey,
        /// The folder.
        folder: PathBuf,
    },
    /// The key is for a segment of another user, which can only be read.
    ReadOnly {
        /// Whose lock it is.
        key: QtKey,
    },
    /// Something else that the system said.
    Io {
        /// Whose lock it is.
        key: QtKey,
        /// What was being done.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
}

impl SegmentError {
    /// What Qt would call it.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::NotFound { .. } => Meaning::NotFound,
            Self::AlreadyExists { .. } | Self::InUse { .. } => Meaning::AlreadyExists,
            Self::Size { .. } => Meaning::InvalidSize,
            Self::OutOfResources { .. } => Meaning::OutOfResources,
            Self::Stranger { .. } | Self::Folder { .. } | Self::Permission { .. } => {
                Meaning::PermissionDenied
            }
            Self::Foreign { .. } => Meaning::KeyError,
            Self::Lock(error) => error.meaning(),
            Self::Io { .. } => Meaning::UnknownError,
        }
    }

    /// The key that the error is about.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        match self {
            Self::NotFound { key }
            | Self::AlreadyExists { key, .. }
            | Self::InUse { key, .. }
            | Self::Size { key, .. }
            | Self::OutOfResources { key, .. }
            | Self::Stranger { key, .. }
            | Self::Foreign { key, .. }
            | Self::Folder { key, .. }
            | Self::Permission { key, .. }
            | Self::Io { key, .. } => key,
            Self::Lock(error) => error.key(),
        }
    }

    pub(crate) fn of(key: &QtKey, fault: Fault) -> Self {
        let key = key.clone();
        match fault {
            Fault::Stranger { file, owner } => Self::Stranger { key, file, owner },
            Fault::Foreign { file } => Self::Foreign { key, file },
            Fault::Folder { folder } => Self::Folder { key, folder },
            Fault::Io { doing, source } => Self::io(&key, doing, source),
            fault @ (Fault::Timeout | Fault::Lost) => Self::Lock(LockError::of(&key, fault)),
        }
    }

    pub(crate) fn io(key: &QtKey, doing: &'static str, source: io::Error) -> Self {
        let key = key.clone();
        match source.raw_os_error() {
            Some(libc::ENOENT | libc::EIDRM) => Self::NotFound { key },
            Some(libc::EACCES | libc::EPERM) => Self::Permission { key, source },
            Some(
                libc::ENOMEM
                | libc::ENOSPC
                | libc::EMFILE
                | libc::ENFILE
                | libc::EDQUOT
                | libc::EFBIG,
            ) => Self::OutOfResources { key, source },
            _ => Self::Io { key, doing, source },
        }
    }
}

impl LockError {
    /// What Qt would call it.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match self {
            Self::Stranger { .. } | Self::Folder { .. } | Self::ReadOnly { .. } => {
                Meaning::PermissionDenied
            }
            Self::Foreign { .. } => Meaning::KeyError,
            Self::Timeout { .. } | Self::Lost { .. } | Self::Io { .. } => Meaning::LockError,
        }
    }

    /// The key that the error is about.
    #[must_use]
    pub fn key(&self) -> &QtKey {
        match self {
            Self::Timeout { key, .. }
            | Self::Lost { key }
            | Self::Stranger { key, .. }
            | Self::Foreign { key, .. }
            | Self::Folder { key, .. }
            | Self::ReadOnly { key }
            | Self::Io { key, .. } => key,
        }
    }

    pub(crate) fn of(key: &QtKey, fault: Fault) -> Self {
        let key = key.clone();
        match fault {
            Fault::Stranger { file, owner } => Self::Stranger { key, file, owner },
            Fault::Foreign { file } => Self::Foreign { key, file },
            Fault::Folder { folder } => Self::Folder { key, folder },
            Fault::Io { doing, source } => Self::Io { key, doing, source },
            Fault::Lost => Self::Lost { key },
            Fault::Timeout => Self::Timeout {
                key,
                holder: None,
                users: Vec::new(),
            },
        }
    }
}

impl From<LockError> for SegmentError {
    fn from(error: LockError) -> Self {
        Self::Lock(error)
    }
}

impl fmt::Display for SegmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { key } => write!(
                f,
                "There is nothing in shared memory under the Qt key \"{key}\": load something first, or check the key."
            ),
            Self::AlreadyExists { key, users } => write_already_exists(f, key, users),
            Self::InUse { key, users } => write!(
                f,
                "The Qt segment \"{key}\" is in use by {}: end that first, or use force.",
                listed(users)
            ),
            Self::Size { key, size } => write!(
                f,
                "A Qt segment of {size} bytes cannot be made under the key \"{key}\": it has 1 byte at least, and at most what the \
                 system allows (ipcs -l)."
            ),
            Self::OutOfResources { key, source } => write!(
                f,
                "There is no room in shared memory for the Qt segment \"{key}\" ({source}): remove what is not needed (viewer-app list, \
                 ipcs), or raise the limit (ipcs -l shows it; containers give 64 MB of /dev/shm unless told otherwise)."
            ),
            Self::Stranger { key, file, owner } => write_stranger(f, key, file, *owner),
            Self::Foreign { key, file } => write_foreign(f, key, file),
            Self::Folder { key, folder } => write_folder(f, key, folder),
            Self::Permission { key, source } if !key.is_ours() => write!(
                f,
                "User {} does not let others read the Qt segment \"{key}\" ({source}): Qt programs never do. Read it as that user, \
                 or as root.",
                key.owner()
            ),
            Self::Permission { key, source } => write!(
                f,
                "The system does not permit access to the Qt segment \"{key}\" ({source}): another user has a segment with its number \
                 (ipcs -m shows whose). Have that user remove it, or set TMPDIR to a folder of your own for both programs."
            ),
            Self::Lock(error) => error.fmt(f),
            Self::Io { key, doing, source } => {
                write!(
                    f,
                    "The Qt segment \"{key}\" is not accessible ({doing}): {source}."
                )
            }
        }
    }
}

fn write_already_exists(f: &mut fmt::Formatter<'_>, key: &QtKey, users: &[User]) -> fmt::Result {
    write!(f, "There is a Qt segment under the key \"{key}\" already")?;
    match (users, key.kind()) {
        ([], Kind::PosixRealtime) => write!(
            f,
            ", and nobody is seen to use it: attach to it, or remove it (Qt never removes segments of this kind)."
        ),
        (users, _) => write!(
            f,
            ", in use by {}: attach to it, end what uses it, or choose another key.",
            listed(users)
        ),
    }
}

fn write_stranger(
    f: &mut fmt::Formatter<'_>,
    key: &QtKey,
    file: &std::path::Path,
    owner: u32,
) -> fmt::Result {
    write!(
        f,
        "The Qt key \"{key}\" is taken by the user with the id {owner} ({}): have that user remove it, choose another key, or \
         set TMPDIR to a folder of your own for both programs.",
        file.display()
    )
}

fn write_foreign(f: &mut fmt::Formatter<'_>, key: &QtKey, file: &std::path::Path) -> fmt::Result {
    write!(
        f,
        "The Qt key \"{key}\" is taken by something else: {} is not what Qt makes. Choose another key, or have its owner remove it.",
        file.display()
    )
}

fn write_folder(f: &mut fmt::Formatter<'_>, key: &QtKey, folder: &std::path::Path) -> fmt::Result {
    write!(
        f,
        "In the folder {} another user could exchange the key file of \"{key}\": set TMPDIR to a folder of your own, or to /tmp, for \
         both programs.",
        folder.display()
    )
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout {
                key,
                holder: Some(holder),
                ..
            } => write!(
                f,
                "The Qt lock of \"{key}\" is held by {holder}: wait for it, or end it."
            ),
            Self::Timeout { key, users, .. } => match (key.kind(), &users[..]) {
                (Kind::PosixRealtime, []) => write!(
                    f,
                    "The Qt lock of \"{key}\" is held, and no program is seen that has it open: its holder was probably killed, and a \
                     lock of this kind then stays held for ever. Remove it with force (viewer-app remove --force)."
                ),
                _ => write!(
                    f,
                    "The Qt lock of \"{key}\" is held; {} has it open. Wait for it, or end it. (A lock of this kind stays held for ever \
                     when its holder is killed: then end all of these programs and remove it with force.)",
                    listed(users)
                ),
            },
            Self::Lost { key } if !key.is_ours() => write!(
                f,
                "The Qt segment \"{key}\" of user {} changed while it was read, and the lock of another user is not taken: look again.",
                key.owner()
            ),
            Self::Lost { key } => write!(
                f,
                "A Qt program has reset the lock of \"{key}\" while it was held here (each create() does that): what was read or \
                 written may be mixed with that of others. Do it again."
            ),
            Self::Stranger { key, file, owner } => write_stranger(f, key, file, *owner),
            Self::Foreign { key, file } => write_foreign(f, key, file),
            Self::Folder { key, folder } => write_folder(f, key, folder),
            Self::ReadOnly { key } => write!(
                f,
                "The Qt segment \"{key}\" of user {} can only be read: what belongs to another user is not written, locked or \
                 removed. Do that as that user.",
                key.owner()
            ),
            Self::Io { key, source, .. } if source.kind() == io::ErrorKind::NotFound => write!(
                f,
                "The folder for the key file of \"{key}\" is not there ({source}): set TMPDIR to one that is, for both programs."
            ),
            Self::Io { key, doing, source } => write!(
                f,
                "The Qt lock of \"{key}\" is not accessible ({doing}): {source}. Choose another key, or have its owner remove it."
            ),
        }
    }
}

impl Error for SegmentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::OutOfResources { source, .. }
            | Self::Permission { source, .. }
            | Self::Io { source, .. } => Some(source),
            Self::Lock(error) => Some(error),
            _ => None,
        }
    }
}

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
