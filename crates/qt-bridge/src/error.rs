//! Errors of segments and locks: one struct for each operation, with the key, a kind, and the OS
//! error as the source.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::fault::Fault;
use crate::key::QtKey;
use crate::user::{User, listed};

/// Qt's name of an error (`QSharedMemory::SharedMemoryError`,
/// `QSystemSemaphore::SystemSemaphoreError`).
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
#[derive(Debug, Error)]
#[error("cannot open Qt segment \"{key}\": {kind}")]
pub struct SegmentError {
    key: QtKey,
    pub(crate) kind: SegmentErrorKind,
    source: Option<io::Error>,
}

/// The kinds of [`SegmentError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SegmentErrorKind {
    /// There is no segment under the key.
    #[error("no such segment")]
    NotFound,
    /// There is already a segment under the key.
    #[error("segment exists already, used by {}", listed(users))]
    AlreadyExists {
        /// The processes that are seen to use it.
        users: Vec<User>,
    },
    /// Processes use it, and removal was not forced.
    #[error("in use by {}", listed(users))]
    InUse {
        /// The processes that are seen to use it.
        users: Vec<User>,
    },
    /// The size is out of bounds.
    #[error("size of {size} bytes is out of bounds")]
    Size {
        /// The size asked for, bytes.
        size: usize,
    },
    /// No memory is left, or a limit of the system is reached.
    #[error("no space left, or a limit reached")]
    OutOfResources,
    /// The name belongs to another user.
    #[error("{} belongs to user {owner}", file.display())]
    OtherUser {
        /// The file that belongs to that user.
        file: PathBuf,
        /// That user's id.
        owner: u32,
    },
    /// The object of this name is not a segment. It is left unchanged.
    #[error("{} is not what Qt creates", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// Another user can replace the key files in their directory.
    #[error("another user can replace files in {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// The operating system denied access.
    #[error("permission denied")]
    Permission,
    /// The lock was not acquired.
    #[error(transparent)]
    Lock(LockErrorKind),
    /// Another system call failed; see the source.
    #[error("{doing} failed")]
    Io {
        /// The operation.
        doing: &'static str,
    },
}

/// Why a lock or a semaphore was not acquired or released.
#[derive(Debug, Error)]
#[error("cannot lock Qt segment \"{key}\": {kind}")]
pub struct LockError {
    key: QtKey,
    pub(crate) kind: LockErrorKind,
    source: Option<io::Error>,
}

/// The kinds of [`LockError`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LockErrorKind {
    /// Another process held it for longer than the timeout.
    #[error("timed out, {}", held(holder.as_ref(), users))]
    Timeout {
        /// The process that holds it; known for System V only.
        holder: Option<User>,
        /// The processes that have it open; empty if the holder is known.
        users: Vec<User>,
    },
    /// A Qt program reset or removed the lock while it was held, so that another process may have
    /// written at the same time. For a segment of another user, whose lock is not acquired: it was
    /// written while it was read.
    #[error("lock was reset or removed while it was held")]
    Lost,
    /// The name belongs to another user.
    #[error("{} belongs to user {owner}", file.display())]
    OtherUser {
        /// The file that belongs to that user.
        file: PathBuf,
        /// That user's id.
        owner: u32,
    },
    /// The object of this name is not a semaphore. It is left unchanged.
    #[error("{} is not what Qt creates", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// Another user can replace the key files in their directory.
    #[error("another user can replace files in {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
    },
    /// The directory of the key files does not exist.
    #[error("folder of the key files does not exist")]
    NoFolder,
    /// The key names a segment of another user, which is read-only.
    #[error("segment of another user is read-only")]
    ReadOnly,
    /// Another system call failed; see the source.
    #[error("{doing} failed")]
    Io {
        /// The operation.
        doing: &'static str,
    },
}

fn held(holder: Option<&User>, users: &[User]) -> String {
    match holder {
        Some(holder) => format!("held by {holder}"),
        None => format!("open in {}", listed(users)),
    }
}

/// Implements what both errors have in common.
macro_rules! impl_parts {
    ($error:ident, $kind:ident) => {
        impl $error {
            /// Creates the error of an operation on the segment `key`.
            #[cold]
            #[must_use]
            pub fn new(key: &QtKey, kind: $kind) -> Self {
                Self {
                    key: key.clone(),
                    kind,
                    source: None,
                }
            }

            /// Sets the underlying OS error.
            #[must_use]
            pub fn with_source(self, source: io::Error) -> Self {
                let source = Some(source);
                Self { source, ..self }
            }

            /// Returns the key of the segment that the operation was for.
            #[must_use]
            pub fn key(&self) -> &QtKey {
                &self.key
            }

            /// Returns the kind of the error.
            #[must_use]
            pub fn kind(&self) -> &$kind {
                &self.kind
            }

            /// Returns Qt's name of the error.
            #[must_use]
            pub fn meaning(&self) -> Meaning {
                self.kind.meaning()
            }

            /// Returns the operating system's error number (`errno`) if the underlying error has one.
            #[must_use]
            pub fn os_error(&self) -> Option<i32> {
                self.source.as_ref().and_then(io::Error::raw_os_error)
            }
        }
    };
}

impl_parts!(SegmentError, SegmentErrorKind);
impl_parts!(LockError, LockErrorKind);

impl SegmentErrorKind {
    fn meaning(&self) -> Meaning {
        match self {
            Self::NotFound => Meaning::NotFound,
            Self::AlreadyExists { .. } | Self::InUse { .. } => Meaning::AlreadyExists,
            Self::Size { .. } => Meaning::InvalidSize,
            Self::OutOfResources => Meaning::OutOfResources,
            Self::OtherUser { .. } | Self::Folder { .. } | Self::Permission => {
                Meaning::PermissionDenied
            }
            Self::Foreign { .. } => Meaning::KeyError,
            Self::Lock(kind) => kind.meaning(),
            Self::Io { .. } => Meaning::UnknownError,
        }
    }
}

impl LockErrorKind {
    fn meaning(&self) -> Meaning {
        match self {
            Self::OtherUser { .. } | Self::Folder { .. } | Self::ReadOnly => {
                Meaning::PermissionDenied
            }
            Self::Foreign { .. } => Meaning::KeyError,
            Self::Timeout { .. } | Self::Lost | Self::NoFolder | Self::Io { .. } => {
                Meaning::LockError
            }
        }
    }
}

impl SegmentError {
    pub(crate) fn of(key: &QtKey, fault: Fault) -> Self {
        let kind = match fault {
            Fault::OtherUser { file, owner } => SegmentErrorKind::OtherUser { file, owner },
            Fault::Foreign { file } => SegmentErrorKind::Foreign { file },
            Fault::Folder { folder } => SegmentErrorKind::Folder { folder },
            Fault::Io { doing, source } => return Self::io(key, doing, source),
            fault @ (Fault::Timeout | Fault::Lost) => return LockError::of(key, fault).into(),
        };
        Self::new(key, kind)
    }

    pub(crate) fn io(key: &QtKey, doing: &'static str, source: io::Error) -> Self {
        let kind = match source.raw_os_error() {
            Some(libc::ENOENT | libc::EIDRM) => SegmentErrorKind::NotFound,
            Some(libc::EACCES | libc::EPERM) => SegmentErrorKind::Permission,
            Some(
                libc::ENOMEM
                | libc::ENOSPC
                | libc::EMFILE
                | libc::ENFILE
                | libc::EDQUOT
                | libc::EFBIG,
            ) => SegmentErrorKind::OutOfResources,
            _ => SegmentErrorKind::Io { doing },
        };
        Self::new(key, kind).with_source(source)
    }

    /// Returns the lock's error if it is one, and `self` if not.
    pub(crate) fn into_lock_error(self) -> Result<LockError, Self> {
        let Self { key, kind, source } = self;
        match kind {
            SegmentErrorKind::Lock(kind) => Ok(LockError { key, kind, source }),
            kind => Err(Self { key, kind, source }),
        }
    }
}

impl LockError {
    pub(crate) fn of(key: &QtKey, fault: Fault) -> Self {
        let kind = match fault {
            Fault::OtherUser { file, owner } => LockErrorKind::OtherUser { file, owner },
            Fault::Foreign { file } => LockErrorKind::Foreign { file },
            Fault::Folder { folder } => LockErrorKind::Folder { folder },
            Fault::Lost => LockErrorKind::Lost,
            Fault::Timeout => LockErrorKind::Timeout {
                holder: None,
                users: Vec::new(),
            },
            Fault::Io { doing, source } => {
                let kind = match source.kind() {
                    io::ErrorKind::NotFound => LockErrorKind::NoFolder,
                    _ => LockErrorKind::Io { doing },
                };
                return Self::new(key, kind).with_source(source);
            }
        };
        Self::new(key, kind)
    }
}

impl From<LockError> for SegmentError {
    fn from(error: LockError) -> Self {
        let LockError { key, kind, source } = error;
        let kind = SegmentErrorKind::Lock(kind);
        Self { key, kind, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_error_survives_conversion_to_a_segment_error_and_back() {
        let key: QtKey = "qt:k".parse().unwrap();
        let source = io::Error::from_raw_os_error(libc::EIO);
        let error = LockError::of(&key, Fault::io("locking", source));
        let error = SegmentError::from(error);
        assert_eq!(error.meaning(), Meaning::LockError);
        let error = error.into_lock_error().unwrap();
        assert_eq!(*error.kind(), LockErrorKind::Io { doing: "locking" });
        assert_eq!(error.os_error(), Some(libc::EIO));
        assert_eq!(
            error.to_string(),
            "cannot lock Qt segment \"qt:k\": locking failed"
        );
        let none = SegmentError::new(&key, SegmentErrorKind::NotFound);
        assert!(none.into_lock_error().is_err());
    }

    #[test]
    fn a_missing_directory_is_an_error_of_its_own() {
        let key: QtKey = "qt:k".parse().unwrap();
        let fault = Fault::io("opening", io::ErrorKind::NotFound.into());
        assert_eq!(*LockError::of(&key, fault).kind(), LockErrorKind::NoFolder);
    }
}
