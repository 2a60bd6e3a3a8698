//! A watch for names that appear in a directory or disappear.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::reactor::{Events, PathWatch};
use crate::readiness::Readiness;
use crate::sys::{PollFd, PollFlags, poll};

/// How often a forked child, which is not notified, polls.
const CHILD_POLL_PERIOD: Duration = Duration::from_millis(100);

/// Wakes a thread that waits for a file to appear or disappear.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    readiness: Arc<Readiness>,
    watches: Vec<PathWatch>,
}

/// Readable if an event has occurred that was not cleared.
impl AsFd for DirectoryWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readiness.descriptor()
    }
}

impl DirectoryWatch {
    /// Creates a watch without directories.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            readiness: Arc::new(Readiness::with_descriptor()?),
            watches: Vec::new(),
        })
    }

    /// Adds a directory: names that appear in it from now on are noticed.
    pub(crate) fn add(&mut self, directory: &Path) -> io::Result<()> {
        let path = PathWatch::new(directory, Events::ARRIVALS, "", &self.readiness)?;
        self.watches.push(path);
        Ok(())
    }

    /// Adds a directory: names that begin with `prefix` and appear or disappear from now on are
    /// noticed.
    pub(crate) fn add_for_changes(&mut self, directory: &Path, prefix: &str) -> io::Result<()> {
        let path = PathWatch::new(directory, Events::CHANGES, prefix, &self.readiness)?;
        self.watches.push(path);
        Ok(())
    }

    /// Blocks until an event has occurred since the last call, for at most `timeout`; returns
    /// `true` if one has. The caller finds out itself what has changed.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<bool> {
        if self.readiness.is_forked() {
            // A forked child is not notified, and events that its parent has not cleared would keep
            // it from sleeping.
            std::thread::sleep(timeout.min(CHILD_POLL_PERIOD));
            return Ok(self.clear());
        }
        poll(&mut [PollFd::new(self, PollFlags::IN)], Some(timeout))?;
        Ok(self.clear())
    }

    /// Returns `true` if an event has occurred that was not cleared.
    pub(crate) fn has_happened(&self) -> bool {
        self.readiness.has_happened()
    }

    /// Clears the events; returns `true` if there were any.
    pub(crate) fn clear(&self) -> bool {
        self.readiness.take() != 0
    }
}
