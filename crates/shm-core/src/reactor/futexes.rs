//! Words in shared memory that are waited on.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sync::{AtomicU64, load_acquire};
use crate::sys::PerProcess;

/// A word in shared memory that a thread can wait on; the value keeps its mapping.
pub(crate) trait FutexWord: fmt::Debug + Send + Sync {
    /// Returns the word; its low half is the futex.
    fn futex_word(&self) -> &AtomicU64;
}

/// The words that the reactor's thread waits on with io_uring.
#[derive(Debug, Default)]
pub(super) struct Futexes(Mutex<Vec<Entry>>);

/// Returns the registered words of this process.
pub(super) fn futexes() -> &'static Futexes {
    static FUTEXES: PerProcess<Futexes> = PerProcess::new();
    FUTEXES.get(Futexes::default)
}

/// A registered word.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) source: Arc<dyn FutexWord>,
    /// The word's value while nothing is new; `None` after a notification that was not cleared.
    pub(super) seen: Option<u64>,
    pub(super) readiness: Arc<Readiness>,
}

/// A word that a thread waits on.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) id: u64,
    pub(super) source: Arc<dyn FutexWord>,
    pub(super) seen: u64,
    pub(super) readiness: Arc<Readiness>,
}

impl Armed {
    /// Notifies its readiness after a wake-up.
    pub(super) fn notify(&self) {
        let is_new = load_acquire(self.source.futex_word()) != self.seen;
        // A wake-up without a new record: a publisher has left.
        self.readiness
            .notify(if is_new { DATA } else { DATA | LIVENESS });
    }
}

impl Futexes {
    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        // Every change under the lock is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, entry: Entry) {
        self.entries().push(entry);
    }

    /// Changes an entry; returns `None` if it is not registered.
    pub(super) fn change<T>(
        &self,
        id: u64,
        change: impl FnOnce(&mut Vec<Entry>, usize) -> T,
    ) -> Option<T> {
        let mut entries = self.entries();
        let at = entries.iter().position(|entry| entry.id == id)?;
        Some(change(&mut entries, at))
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
        if load_acquire(entry.source.futex_word()) == seen {
            armed.push(Armed {
                id: entry.id,
                source: Arc::clone(&entry.source),
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
