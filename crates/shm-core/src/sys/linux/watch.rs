//! A directory watched for names that appear in it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

/// Wakes whoever waits for a file to appear.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    inotify: OwnedFd,
}

impl DirectoryWatch {
    /// Begins to watch: what appears from now on is noticed.
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        // A link made to an unnamed file arrives as CREATE; a rename as MOVED_TO.
        inotify::add_watch(
            &inotify,
            directory,
            WatchFlags::CREATE | WatchFlags::MOVED_TO,
        )?;
        Ok(Self { inotify })
    }

    /// Sleeps until some name has appeared, at most for `timeout`.
    ///
    /// Says nothing about which: the caller looks for its own.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        match poll(
            &mut [PollFd::new(&self.inotify, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(Errno::INTR) => self.drain(),
            Err(error) => Err(error.into()),
        }
    }

    fn drain(&self) -> io::Result<()> {
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
