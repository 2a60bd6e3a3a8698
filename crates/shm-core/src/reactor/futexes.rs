//! Rings whose futex is waited for.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{reactor, thread, uring};
use crate::readiness::{DATA, Readiness};
use crate::sample::Reader;
use crate::sys::{self, ForkMark};

/// The rings that the reactor's thread waits for with io_uring.
#[derive(Debug, Default)]
pub(super) struct Futexes(Mutex<Vec<Entry>>);

/// A ring that is waited for.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) reader: Arc<Reader>,
    /// What the word is as long as nothing is new; `None` after a notification that was not cleared.
    pub(super) seen: Option<u64>,
    pub(super) readiness: Arc<Readiness>,
}

/// A ring that is slept on; its mapping stays as long as this.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) id: u64,
    pub(super) reader: Arc<Reader>,
    pub(super) seen: u64,
    pub(super) readiness: Arc<Readiness>,
}

/// A ring that is waited for until this is dropped.
#[derive(Debug)]
pub(crate) struct FutexWatch {
    id: u64,
    fork: ForkMark,
}

impl FutexWatch {
    /// Waits for a ring to show something else than `seen`; for nothing where that is `None`.
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

    /// Waits for the ring to show something else than `seen`, until that is notified.
    pub(crate) fn arm(&self, seen: u64) {
        self.change(|entries, at| entries[at].seen = Some(seen));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Entry>, usize) -> T) -> Option<T> {
        // In a forked child there is no such thread.
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
        let gone = self.change(|entries, at| entries.swap_remove(at));
        // Not under the lock: with the readiness ends a waker, and maybe a task that waits, too.
        drop(gone);
    }
}

impl Futexes {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Every change under it is complete before anything can panic.
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
        let changed = change(&mut entries, at);
        drop(entries);
        // It runs, because the entry was there.
        let _woken = thread::wake();
        Some(changed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Notifies what has come already; returns what is to be waited for.
    pub(super) fn notify_news(&self) -> Vec<Armed> {
        let (armed, news) = look_at(&mut self.entries());
        // Not under the lock: a task that is woken may drop what it waits with.
        for readiness in news {
            readiness.notify(DATA);
        }
        armed
    }

    /// Notes that an entry is notified: nothing more is, before it is armed again.
    pub(super) fn disarm(&self, id: u64) {
        let mut entries = self.entries();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.id == id) {
            entry.seen = None;
        }
    }
}

/// What is to be waited for of some entries, and what has come already.
pub(super) fn look_at(entries: &mut [Entry]) -> (Vec<Armed>, Vec<Arc<Readiness>>) {
    let (mut armed, mut news) = (Vec::new(), Vec::new());
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
            news.push(Arc::clone(&entry.readiness));
        }
    }
    (armed, news)
}
