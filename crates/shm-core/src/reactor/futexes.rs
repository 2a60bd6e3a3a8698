//! Rings whose futex is waited on.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{reactor, thread, uring};
use crate::readiness::{DATA, Readiness};
use crate::sample::Reader;
use crate::sys::{self, ForkMark};

/// The rings that the reactor's thread waits on with io_uring.
#[derive(Debug, Default)]
pub(super) struct Futexes(Mutex<Vec<Entry>>);

/// A registered ring.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) reader: Arc<Reader>,
    /// The word's value while nothing is new; `None` after a notification that was not cleared.
    pub(super) seen: Option<u64>,
    pub(super) readiness: Arc<Readiness>,
}

/// A ring that a thread waits on; keeps its mapping.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) id: u64,
    pub(super) reader: Arc<Reader>,
    pub(super) seen: u64,
    pub(super) readiness: Arc<Readiness>,
}

/// A registration of a ring, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct FutexWatch {
    id: u64,
    fork: ForkMark,
}

impl FutexWatch {
    /// Waits for the ring's `last` to differ from `seen`; registers without waiting if that is
    /// `None`.
    ///
    /// # Errors
    ///
    /// If the system has no more threads or descriptors.
    pub(crate) fn new(
        reader: &Arc<Reader>,
        seen: Option<u64>,
        readiness: &Arc<Readiness>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        let entry = Entry {
            id,
            reader: Arc::clone(reader),
            seen,
            readiness: Arc::clone(readiness),
        };
        if uring::is_available() {
            reactor().futexes.add(entry)?;
        } else {
            reactor().groups.add(entry)?;
        }
        Ok(Self {
            id,
            fork: ForkMark::here(),
        })
    }

    /// Waits for the ring's `last` to differ from `seen`, until that is notified.
    pub(crate) fn arm(&self, seen: u64) {
        self.change(|entries, at| entries[at].seen = Some(seen));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Entry>, usize) -> T) -> Option<T> {
        // A forked child has no such thread.
        if self.fork.is_elsewhere() {
            return None;
        }
        if uring::is_available() {
            reactor().futexes.change(self.id, change)
        } else {
            reactor().groups.change(self.id, change)
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

impl Futexes {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Every change under the lock is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, entry: Entry) -> io::Result<()> {
        let id = entry.id;
        self.entries().push(entry);
        thread::wake().inspect_err(|_| self.entries().retain(|entry| entry.id != id))
    }

    fn change<T>(&self, id: u64, change: impl FnOnce(&mut Vec<Entry>, usize) -> T) -> Option<T> {
        let mut entries = self.entries();
        let at = entries.iter().position(|entry| entry.id == id)?;
        let result = change(&mut entries, at);
        drop(entries);
        // The thread runs, because the entry was registered.
        let _woken = thread::wake();
        Some(result)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Notifies the entries that have changed; returns those to wait on.
    pub(super) fn notify_changed(&self) -> Vec<Armed> {
        let (armed, changed) = split_changed(&mut self.entries());
        // Not under the lock: a task that is woken may drop its registration.
        for readiness in changed {
            readiness.notify(DATA);
        }
        armed
    }

    /// Records that an entry was notified: it is not notified again before it is armed.
    pub(super) fn disarm(&self, id: u64) {
        let mut entries = self.entries();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
            entry.seen = None;
        }
    }
}

/// Returns the entries to wait on, and the readinesses of those that have changed.
pub(super) fn split_changed(entries: &mut [Entry]) -> (Vec<Armed>, Vec<Arc<Readiness>>) {
    let (mut armed, mut changed) = (Vec::new(), Vec::new());
    for entry in entries {
        let Some(seen) = entry.seen else { continue };
        if entry.reader.ring().last() == seen {
            armed.push(Armed {
                id: entry.id,
                reader: Arc::clone(&entry.reader),
                seen,
                readiness: Arc::clone(&entry.readiness),
            });
        } else {
            entry.seen = None;
            changed.push(Arc::clone(&entry.readiness));
        }
    }
    (armed, changed)
}
