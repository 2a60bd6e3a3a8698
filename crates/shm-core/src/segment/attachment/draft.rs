//! A segment before it has its name: its file, and what it begins with.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::Kind;
use crate::layout::{self, flags};
use crate::options::Options;
use crate::segment::file::{Head, draft_name};
use crate::sys::{self, ByteLock};

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
        let path = directory.join(draft_name());
        sys::create_temporary(&path).map(|file| (file, Some(path)))
    }
}

/// Says whose file this is and what it becomes, first of all: so that nobody sweeps it while its
/// maker lives, and somebody does when it is dead.
pub(super) fn begin(file: &fs::File, kind: Kind, persistent: bool) -> io::Result<()> {
    if !sys::try_lock_byte(file, layout::slot_byte(0), ByteLock::Write)? {
        return Err(io::ErrorKind::ResourceBusy.into());
    }
    let flags = if persistent { flags::PERSISTENT } else { 0 };
    sys::write_at(file, &Head::encode(kind, flags), 0)
}
