//! A directory watched for names that come and go.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use super::bell::{PollFd, PollFlags, poll};

/// A link made to an unnamed file arrives as CREATE; a rename as `MOVED_TO`.
const ARRIVALS: WatchFlags = WatchFlags::CREATE.union(WatchFlags::MOVED_TO);

const DEPARTURES: WatchFlags = WatchFlags::DELETE.union(WatchFlags::MOVED_FROM);

/// Wakes whoever waits for a file to appear, or to go away.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    inotify: OwnedFd,
}

/// Readable as soon as a name has appeared.
impl AsFd for DirectoryWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

impl DirectoryWatch {
    /// Begins to watch: what appears from now on is noticed.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let watch = Self::of_nothing()?;
        watch.add(directory)?;
        Ok(watch)
    }

    /// Begins to watch: what appears or goes away from now on is noticed.
    pub(crate) fn of_changes(directory: &Path) -> io::Result<Self> {
        let watch = Self::of_nothing()?;
        inotify::add_watch(&watch.inotify, directory, ARRIVALS | DEPARTURES)?;
        Ok(watch)
    }

    /// Watches nothing yet.
    pub(crate) fn of_nothing() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify })
    }

    /// Watches one more directory.
    pub(crate) fn add(&self, directory: &Path) -> io::Result<()> {
        inotify::add_watch(&self.inotify, directory, ARRIVALS)?;
        Ok(())
    }

    /// Sleeps until some name has appeared, at most for `timeout`.
    ///
    /// Says nothing about which: the caller looks for its own.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<()> {
        poll(
            &mut [PollFd::new(&self.inotify, PollFlags::IN)],
            Some(timeout),
        )?;
        self.drain()
    }

    /// Sleeps until something has happened to some name, at most for `timeout`. Tells whether any
    /// of those names began with `prefix`.
    pub(crate) fn wait_for_any(&self, prefix: &str, timeout: Duration) -> io::Result<bool> {
        poll(
            &mut [PollFd::new(&self.inotify, PollFlags::IN)],
            Some(timeout),
        )?;
        // What an overflow lost, or the end of the directory took along, may be anything.
        let anything = ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED;
        let mut has_any = false;
        self.read(|event| {
            let name = event.file_name().map_or(&[][..], |name| name.to_bytes());
            has_any |= name.starts_with(prefix.as_bytes()) || event.events().intersects(anything);
        })?;
        Ok(has_any)
    }

    /// Forgets what has appeared so far.
    pub(crate) fn drain(&self) -> io::Result<()> {
        self.read(|_| {})
    }

    fn read(&self, mut see: impl FnMut(inotify::Event<'_>)) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(event) => see(event),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
