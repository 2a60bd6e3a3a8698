//! A directory watched for names that appear in it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use super::bell::{PollFd, PollFlags, poll};

/// Wakes whoever waits for a file to appear.
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

    /// Watches nothing yet.
    pub(crate) fn of_nothing() -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify })
    }

    /// Watches one more directory.
    pub(crate) fn add(&self, directory: &Path) -> io::Result<()> {
        // A link made to an unnamed file arrives as CREATE; a rename as MOVED_TO.
        inotify::add_watch(
            &self.inotify,
            directory,
            WatchFlags::CREATE | WatchFlags::MOVED_TO,
        )?;
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

    /// Forgets what has appeared so far.
    pub(crate) fn drain(&self) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(_) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
