//! A segment before it has its name: its file, and what it begins with.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::Kind;
use crate::layout::{self, Control, flags};
use crate::options::Options;
use crate::sync::Ordering;
use crate::sys;

/// How a segment's file is made before it has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    /// Without any name: nothing is left behind, whatever happens.
    Unnamed,
    /// Under a temporary name, where the system cannot do the other; `list` sweeps what a crash leaves.
    Temporary,
}

impl Draft {
    /// Makes the file; beside it its temporary name, if it has one.
    pub(super) fn make(self, options: &Options) -> io::Result<(fs::File, Option<PathBuf>)> {
        let directory = options.directory_path();
        if self == Self::Unnamed {
            match sys::create_unnamed(&directory) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                other => return other.map(|file| (file, None)),
            }
        }
        let path = directory.join(temporary_name());
        sys::create_temporary(&path).map(|file| (file, Some(path)))
    }
}

/// What temporary names begin with; they are no keys' names.
pub(crate) fn temporary_prefix() -> String {
    format!(".shm-core.{}.", sys::effective_user())
}

fn temporary_name() -> String {
    format!("{}{:016x}.tmp", temporary_prefix(), sys::random_u64())
}

/// Writes what a segment begins with.
///
/// Relaxed throughout: nobody sees the file before it is named, and naming goes through the kernel.
pub(super) fn write_header(control: &Control, kind: Kind, persistent: bool) {
    let header = &control.header;
    header
        .magic
        .store(u64::from_le_bytes(layout::MAGIC), Ordering::Relaxed);
    header.version.store(layout::VERSION, Ordering::Relaxed);
    header.slot_count.store(
        u32::try_from(layout::SLOTS).unwrap_or(u32::MAX),
        Ordering::Relaxed,
    );
    header.flags.store(
        if persistent { flags::PERSISTENT } else { 0 },
        Ordering::Relaxed,
    );
    header.kind.store(kind.code(), Ordering::Relaxed);
    header.created.store(sys::unix_nanos(), Ordering::Relaxed);
    for half in &header.id {
        half.store(sys::random_u64(), Ordering::Relaxed);
    }
    match kind {
        Kind::Block { bytes } => header.block_bytes.store(bytes, Ordering::Relaxed),
        Kind::Samples {
            ring_bytes,
            retain_bytes,
        } => {
            header.ring_bytes.store(ring_bytes, Ordering::Relaxed);
            header.retain_bytes.store(retain_bytes, Ordering::Relaxed);
        }
    }
}
