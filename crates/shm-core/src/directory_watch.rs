//! A directory watched for names that come and go.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::reactor::{Events, PathWatch};
use crate::readiness::Readiness;
use crate::sys::{PollFd, PollFlags, poll};

/// How often a forked child looks by itself.
const IN_A_CHILD: Duration = Duration::from_millis(100);

/// Wakes a thread that waits for a file to appear or to go away.
#[derive(Debug)]
pub(crate) struct DirectoryWatch {
    readiness: Arc<Readiness>,
    watches: Vec<PathWatch>,
}

/// Readable as soon as something has happened.
impl AsFd for DirectoryWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.readiness.descriptor()
    }
}

impl DirectoryWatch {
    /// Watches nothing yet.
    pub(crate) fn of_nothing() -> io::Result<Self> {
        Ok(Self {
            readiness: Arc::new(Readiness::with_descriptor()?),
            watches: Vec::new(),
        })
    }

    /// Watches one more directory: names that appear in it from now on are noticed.
    pub(crate) fn add(&mut self, directory: &Path) -> io::Result<()> {
        let path = PathWatch::new(directory, Events::ARRIVALS, "", &self.readiness)?;
        self.watches.push(path);
        Ok(())
    }

    /// Watches one more directory: names that begin with `prefix`, and appear or go away from now on, are
    /// noticed.
    pub(crate) fn add_for_changes(&mut self, directory: &Path, prefix: &str) -> io::Result<()> {
        let path = PathWatch::new(directory, Events::CHANGES, prefix, &self.readiness)?;
        self.watches.push(path);
        Ok(())
    }

    /// Sleeps until something has happened since the last call, at most for `timeout`; returns whether
    /// it has. Says nothing about what: the caller looks for its own.
    pub(crate) fn wait(&self, timeout: Duration) -> io::Result<bool> {
        if self.readiness.is_forked() {
            // A forked child is not notified, and what its parent has not cleared would never let it
            // sleep.
            std::thread::sleep(timeout.min(IN_A_CHILD));
            return Ok(self.clear());
        }
        poll(&mut [PollFd::new(self, PollFlags::IN)], Some(timeout))?;
        Ok(self.clear())
    }

    /// Returns `true` if something has happened that was not cleared.
    pub(crate) fn has_happened(&self) -> bool {
        self.readiness.has_happened()
    }

    /// Forgets what has happened so far; returns whether anything has.
    pub(crate) fn clear(&self) -> bool {
        self.readiness.take() != 0
    }
}
