//! Registrations of the reactor: they add and remove what its threads wait for, and wake them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::futexes::{self, FutexWord, futexes};
use super::groups::groups;
use super::inotify::{self, Events, inotify};
use super::{thread, uring};
use crate::readiness::Readiness;
use crate::sys::{self, ForkMark};

/// A registration of a word, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct FutexWatch {
    id: u64,
    fork: ForkMark,
}

impl FutexWatch {
    /// Waits for the word to differ from `seen`; registers without waiting if that is `None`.
    ///
    /// # Errors
    ///
    /// If the system has no more threads or descriptors.
    pub(crate) fn new(
        source: Arc<dyn FutexWord>,
        seen: Option<u64>,
        readiness: &Arc<Readiness>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        let entry = futexes::Entry {
            id,
            source,
            seen,
            readiness: Arc::clone(readiness),
        };
        if uring::is_available() {
            futexes().add(entry);
            thread::wake().inspect_err(|_| {
                futexes().change(id, |entries, at| entries.swap_remove(at));
            })?;
        } else {
            groups().add(entry)?;
        }
        Ok(Self {
            id,
            fork: ForkMark::here(),
        })
    }

    /// Waits for the word to differ from `seen`, until that is notified.
    pub(crate) fn arm(&self, seen: u64) {
        self.change(|entries, at| entries[at].seen = Some(seen));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<futexes::Entry>, usize) -> T) -> Option<T> {
        // A forked child has no such thread.
        if self.fork.is_elsewhere() {
            return None;
        }
        if uring::is_available() {
            let result = futexes().change(self.id, change)?;
            // The thread runs, because the entry was registered.
            let _woken = thread::wake();
            Some(result)
        } else {
            groups().change(self.id, change)
        }
    }
}

impl Drop for FutexWatch {
    fn drop(&mut self) {
        let removed = self.change(|entries, at| entries.swap_remove(at));
        // Not under the lock: dropping the readiness drops a waker, and perhaps a task that waits.
        drop(removed);
    }
}

/// A watch of a path, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct PathWatch {
    id: u64,
    fork: ForkMark,
}

impl PathWatch {
    /// Notifies a readiness at these events; for a directory, at events of names that begin with
    /// `prefix`.
    ///
    /// # Errors
    ///
    /// If the path does not exist, or the system has no more inotify watches.
    pub(crate) fn new(
        path: &Path,
        events: Events,
        prefix: &str,
        readiness: &Arc<Readiness>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        inotify().add(path, events, |watch| inotify::Entry {
            id,
            watch,
            events,
            prefix: prefix.into(),
            readiness: Arc::clone(readiness),
        })?;
        thread::wake().inspect_err(|_| inotify().remove(id))?;
        Ok(Self {
            id,
            fork: ForkMark::here(),
        })
    }
}

impl Drop for PathWatch {
    fn drop(&mut self) {
        // A forked child has no such thread, and the kernel's list of watches is the parent's.
        if !self.fork.is_elsewhere() {
            inotify().remove(self.id);
            // The thread runs, because the path was registered.
            let _woken = thread::wake();
        }
    }
}
