//! Paths watched for what happens to them (inotify).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// What is asked for of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Events(WatchFlags);

impl Events {
    /// Names that appear in a directory. A link made to an unnamed file arrives as CREATE; a rename as
    /// `MOVED_TO`.
    pub(crate) const ARRIVALS: Self = Self(WatchFlags::CREATE.union(WatchFlags::MOVED_TO));
    /// Names that appear in a directory, or go away.
    pub(crate) const CHANGES: Self = Self(
        Self::ARRIVALS
            .0
            .union(WatchFlags::DELETE)
            .union(WatchFlags::MOVED_FROM),
    );
    /// A file that is closed by a process that had it open for writing, or that loses its name.
    pub(crate) const OF_FILE: Self = Self(
        WatchFlags::CLOSE_WRITE
            .union(WatchFlags::ATTRIB)
            .union(WatchFlags::DELETE_SELF)
            .union(WatchFlags::MOVE_SELF),
    );
}

/// What happened to a path.
pub(crate) struct PathEvent<'a> {
    watch: i32,
    flags: ReadFlags,
    name: &'a [u8],
}

impl PathEvent<'_> {
    /// How the kernel calls the path, which [`watch_path`] returned.
    pub(crate) fn watch(&self) -> i32 {
        self.watch
    }

    /// The name in a directory that it concerns.
    pub(crate) fn name(&self) -> &[u8] {
        self.name
    }

    /// Returns `true` if events were lost, so that anything may have happened to any path.
    pub(crate) fn is_anything(&self) -> bool {
        self.flags.contains(ReadFlags::QUEUE_OVERFLOW)
    }

    /// Returns `true` if the path is gone, and with it the watch.
    pub(crate) fn is_the_end(&self) -> bool {
        self.flags.contains(ReadFlags::IGNORED)
    }

    pub(crate) fn is_one_of(&self, events: Events) -> bool {
        self.flags.bits() & events.0.bits() != 0
    }
}

/// An inotify instance that watches nothing yet.
pub(crate) fn watch_nothing() -> io::Result<OwnedFd> {
    let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
    Ok(inotify::init(flags)?)
}

/// Watches a path for these events, too; returns how they name it.
pub(crate) fn watch_path(inotify: &OwnedFd, path: &Path, events: Events) -> io::Result<i32> {
    let flags = events.0 | WatchFlags::MASK_ADD;
    Ok(inotify::add_watch(inotify, path, flags)?)
}

/// Watches a path no more.
pub(crate) fn unwatch_path(inotify: &OwnedFd, watch: i32) {
    // It fails only where the path has gone, and the watch with it.
    let _gone = inotify::remove_watch(inotify, watch);
}

/// Reads what has happened; waits for nothing.
pub(crate) fn read_path_events(
    inotify: &OwnedFd,
    mut see: impl FnMut(PathEvent<'_>),
) -> io::Result<()> {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(inotify, &mut buffer);
    loop {
        match events.next() {
            Ok(event) => see(PathEvent {
                watch: event.wd(),
                flags: event.events(),
                name: event.file_name().map_or(&[], |name| name.to_bytes()),
            }),
            Err(Errno::AGAIN) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
