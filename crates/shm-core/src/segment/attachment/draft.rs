//! A segment before it has its name: its file, and its head.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::layout::{self, flags};
use crate::options::Options;
use crate::segment::file::{Head, draft_name};
use crate::segment::kind::Kind;
use crate::sys::{self, ByteLock};

/// How a segment's file is created before it has its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Draft {
    /// Without a name, so that a crash leaves nothing.
    Unnamed,
    /// Under a temporary name, if the file system does not support unnamed files; `list` removes
    /// what a crash leaves.
    Temporary,
}

impl Draft {
    /// Creates the file; returns it with its temporary name, if it has one.
    pub(super) fn make(self, options: &Options) -> io::Result<(fs::File, Option<PathBuf>)> {
        let directory = options.directory_path();
        if self == Self::Unnamed {
            match sys::create_unnamed(&directory) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                other => return other.map(|file| (file, None)),
            }
        }
        let path = directory.join(draft_name());
        sys::create_temporary(&path).map(|file| (file, Some(path)))
    }
}

/// Locks slot 0 and writes the head, before anything else: so that no process removes the file
/// while its creator is alive, and the next list does if the creator has died.
pub(super) fn begin(file: &fs::File, kind: Kind, persistent: bool) -> io::Result<()> {
    if !sys::try_lock_byte(file, layout::slot_byte(0), ByteLock::Write)? {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    let flags = if persistent { flags::PERSISTENT } else { 0 };
    sys::write_at(file, &Head::encode(kind, flags), 0)
}
