//! The process whose lock blocks an operation.

use std::fmt;
use std::fs::File;

use crate::escape::escaped_name;
use crate::sys::{self, ByteLock, LockSearch};

/// The process whose lock blocks an operation, as far as the kernel reports it.
///
/// For error messages. A user who may read a segment can hold locks on it, and so block some
/// operations ([`Options::mode`](crate::Options::mode)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockHolder {
    /// A process that this one may inspect.
    Process {
        /// Its process id.
        pid: u32,
        /// The file name of its program; "unknown" if that cannot be determined.
        program: String,
        /// The id of its user.
        user: u32,
    },
    /// A process of another user, which this process may not inspect.
    OtherUser,
    /// No visible process: it has released the lock, or belongs to another pid namespace.
    #[default]
    Unknown,
}

impl LockHolder {
    /// Finds the process whose lock on a byte conflicts with `wanted`. The work is bounded but not
    /// small, so this is for errors only.
    pub(crate) fn find(file: &File, byte: u64, wanted: ByteLock) -> Self {
        let Ok(Some(lock)) = sys::refusing_lock(file, byte..byte + 1, wanted) else {
            return Self::Unknown;
        };
        if let Some(pid) = lock.process {
            return Self::process(pid);
        }
        match sys::find_lock(file, byte) {
            LockSearch::Found(pid) => Self::process(pid),
            LockSearch::Hidden => Self::OtherUser,
            LockSearch::NotFound => Self::Unknown,
        }
    }

    fn process(pid: u32) -> Self {
        match sys::user_of(pid) {
            Some(user) => Self::Process {
                pid,
                program: escaped_name(&sys::program_of(pid).unwrap_or_default()),
                user,
            },
            None => Self::Unknown,
        }
    }
}

/// Formats as a noun: `camera (pid 4711, user anna (uid 1000))`, `another program`.
impl fmt::Display for LockHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process { pid, program, user } => {
                write!(f, "{program} (pid {pid}, user {})", UserName(*user))
            }
            Self::OtherUser => f.write_str("a process of another user"),
            Self::Unknown => f.write_str("another program"),
        }
    }
}

/// A user id that is displayed with the user's name, `anna (uid 1000)`, or alone if there is no
/// name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserName(pub u32);

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(id) = self;
        match sys::user_name(*id) {
            Some(name) => write!(f, "{} (uid {id})", escaped_name(&name)),
            None => id.fmt(f),
        }
    }
}
