//! A directory watched for names that come and go.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

/// A link made to an unnamed file arrives as CREATE; a rename as `MOVED_TO`.
const ARRIVALS: WatchFlags = WatchFlags::CREATE.union(WatchFlags::MOVED_TO);

const DEPARTURES: WatchFlags = WatchFlags::DELETE.union(WatchFlags::MOVED_FROM);

/// Wakes whoever waits for names to appear in a directory, or to go away from it.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    inotify: OwnedFd,
}

impl DirectoryWatch {
    /// Begins to watch: what appears from now on is noticed.
    pub(crate) fn of_arrivals(directory: &Path) -> io::Result<Self> {
        Self::new(directory, ARRIVALS)
    }

    /// Begins to watch: what appears or goes away from now on is noticed.
    pub(crate) fn of_changes(directory: &Path) -> io::Result<Self> {
        Self::new(directory, ARRIVALS | DEPARTURES)
    }

    fn new(directory: &Path, what: WatchFlags) -> io::Result<Self> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        inotify::add_watch(&inotify, directory, what | WatchFlags::ONLYDIR)?;
        Ok(Self { inotify })
    }

    /// Sleeps until something has happened to some name, at most for `timeout`. Tells whether any
    /// of those names began with `prefix`.
    pub(crate) fn wait(&self, prefix: &str, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        };
        match poll(
            &mut [PollFd::new(&self.inotify, PollFlags::IN)],
            Some(&timeout),
        ) {
            Ok(_) | Err(Errno::INTR) => self.drain(prefix),
            Err(error) => Err(error.into()),
        }
    }

    fn drain(&self, prefix: &str) -> io::Result<bool> {
        // What is lost by an overflow, or by the end of the directory, may be anything.
        let anything = ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        let mut has_any = false;
        loop {
            match events.next() {
                Ok(event) => {
                    let name = event.file_name().map_or(&[][..], |name| name.to_bytes());
                    has_any |=
                        name.starts_with(prefix.as_bytes()) || event.events().intersects(anything);
                }
                Err(Errno::AGAIN) => return Ok(has_any),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
