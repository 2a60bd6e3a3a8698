//! Paths watched for events (inotify).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// The events that a path is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Events(WatchFlags);

impl Events {
    /// Names that appear in a directory. A link to an unnamed file is reported as CREATE, a rename
    /// as `MOVED_TO`.
    pub(crate) const ARRIVALS: Self = Self(WatchFlags::CREATE.union(WatchFlags::MOVED_TO));
    /// Names that appear in a directory or disappear.
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

/// An event of a path.
pub(crate) struct PathEvent<'a> {
    watch: i32,
    flags: ReadFlags,
    name: &'a [u8],
}

impl PathEvent<'_> {
    /// Returns the watch descriptor that [`watch_path`] returned.
    pub(crate) fn watch(&self) -> i32 {
        self.watch
    }

    /// Returns the name in the directory that the event concerns.
    pub(crate) fn name(&self) -> &[u8] {
        self.name
    }

    /// Returns `true` if the queue overflowed, so that events of any path may be lost.
    pub(crate) fn is_overflow(&self) -> bool {
        self.flags.contains(ReadFlags::QUEUE_OVERFLOW)
    }

    /// Returns `true` if the watch was removed, because the path is gone.
    pub(crate) fn is_watch_removed(&self) -> bool {
        self.flags.contains(ReadFlags::IGNORED)
    }

    pub(crate) fn is_any_of(&self, events: Events) -> bool {
        self.flags.bits() & events.0.bits() != 0
    }
}

/// Creates an inotify instance without watches.
pub(crate) fn create_inotify() -> io::Result<OwnedFd> {
    let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
    Ok(inotify::init(flags)?)
}

/// Adds these events to the watch of a path; returns its watch descriptor.
pub(crate) fn watch_path(inotify: &OwnedFd, path: &Path, events: Events) -> io::Result<i32> {
    let flags = events.0 | WatchFlags::MASK_ADD;
    Ok(inotify::add_watch(inotify, path, flags)?)
}

/// Removes the watch of a path.
pub(crate) fn unwatch_path(inotify: &OwnedFd, watch: i32) {
    // Fails only if the path, and with it the watch, is gone.
    let _gone = inotify::remove_watch(inotify, watch);
}

/// Reads pending events without blocking.
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
