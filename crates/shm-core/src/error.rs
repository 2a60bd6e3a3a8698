//! What can go wrong with a segment: one enum an operation; each text says what is wrong and what to do.

mod attach;
mod code;
mod invalid_sample;
mod list;
mod lock;
mod polling;
#[cfg(feature = "presence")]
mod presence;
mod publish;
mod read;
mod remove;
mod semaphore;

use std::fmt;
use std::io;
use std::path::Path;

pub use attach::AttachError;
pub use code::ErrorCode;
pub use invalid_sample::InvalidSample;
pub use list::ListError;
pub use lock::LockError;
pub use polling::Polling;
#[cfg(feature = "presence")]
pub use presence::PresenceError;
pub use publish::PublishError;
pub use read::ReadError;
pub use remove::RemoveError;
pub use semaphore::SemaphoreError;

use crate::key::Key;
use crate::lock_holder::{LockHolder, UserName};

fn write_orphaned(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    write!(
        f,
        "The segment \"{key}\" was removed, moved away or replaced by another program: open it again."
    )
}

fn write_no_memory(f: &mut fmt::Formatter<'_>, key: &Key, bytes: usize) -> fmt::Result {
    write!(
        f,
        "There is no memory for a copy of the {bytes} bytes in the segment \"{key}\": end other programs, or raise the \
         limit (ulimit -v)."
    )
}

fn write_file_size_limit(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
    write!(
        f,
        "The file size limit of this process (ulimit -f) does not permit it to write the segment \"{key}\": raise it \
         (ulimit -f unlimited). A segment's file is long, but takes no more memory than its content."
    )
}

fn write_busy(f: &mut fmt::Formatter<'_>, key: &Key, holder: &LockHolder) -> fmt::Result {
    write!(
        f,
        "{holder} holds the lock under which the segment \"{key}\" is created, attached to and removed: try again, or end that \
         program (it may be stopped). Share the segment with no other users (mode 600) if it only reads."
    )
}

fn write_other_user(f: &mut fmt::Formatter<'_>, key: &Key, owner: u32) -> fmt::Result {
    let owner = UserName(owner);
    write!(
        f,
        "The segment \"{key}\" belongs to user {owner}, who alone creates, changes and removes it, and takes the lock of a block; \
         others only read samples, root too. Do it as that user."
    )
}

fn write_file_system(
    f: &mut fmt::Formatter<'_>,
    directory: &Path,
    kind: &str,
    doing: &str,
) -> fmt::Result {
    write!(
        f,
        "The directory {} is on a file system ({kind}) that cannot hold segments ({doing} is not possible there): \
         set SHM_CORE_DIR to a directory on a tmpfs, or leave it out for /dev/shm.",
        directory.display()
    )
}

fn write_forked(f: &mut fmt::Formatter<'_>, key: &Key) -> fmt::Result {
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

/// As many bytes of memory of our own; nothing where there are not so many.
pub(crate) fn try_zeroed(bytes: usize) -> Option<Vec<u8>> {
    let mut memory = Vec::new();
    memory.try_reserve_exact(bytes).ok()?;
    memory.resize(bytes, 0);
    Some(memory)
}
