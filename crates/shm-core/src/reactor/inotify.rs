//! Files and directories that are watched: with one inotify instance, because a user has few of them.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{reactor, thread};
use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sys::{self, ForkMark, PathEvent};

pub(crate) use crate::sys::Events;

/// The kernel tells that a file was closed a moment before it gives back the locks on it: so long after
/// the event it is said again.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
];

/// All paths that are watched.
#[derive(Debug, Default)]
pub(super) struct Inotify(Mutex<Option<Watched>>);

#[derive(Debug)]
struct Watched {
    inotify: Arc<OwnedFd>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    /// How the kernel calls the path in its events.
    watch: i32,
    events: Events,
    /// Names in a directory begin so, or are of no interest.
    prefix: Vec<u8>,
    readiness: Arc<Readiness>,
}

/// A path that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct PathWatch {
    id: u64,
    fork: ForkMark,
}

impl PathWatch {
    /// Notifies at these events: of names that begin with `prefix`, where it is a directory.
    ///
    /// # Errors
    ///
    /// Where the path is not there, or the system gives no more events.
    pub(crate) fn new(
        path: &Path,
        events: Events,
        prefix: &str,
        readiness: &Arc<Readiness>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        reactor().inotify.add(path, events, |watch| Entry {
            id,
            watch,
            events,
            prefix: prefix.into(),
            readiness: Arc::clone(readiness),
        })?;
        Ok(Self {
            id,
            fork: ForkMark::here(),
        })
    }
}

impl Drop for PathWatch {
    fn drop(&mut self) {
        // In a forked child there is no such thread, and the kernel's list is the parent's.
        if !self.fork.is_elsewhere() {
            reactor().inotify.remove(self.id);
        }
    }
}

impl Inotify {
    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        // Every change under it is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, path: &Path, events: Events, entry: impl FnOnce(i32) -> Entry) -> io::Result<()> {
        let mut guard = self.watched();
        let watched = match &mut *guard {
            Some(watched) => watched,
            none => none.insert(Watched {
                inotify: Arc::new(sys::watch_nothing()?),
                entries: Vec::new(),
            }),
        };
        let watch = sys::watch_path(&watched.inotify, path, events);
        let added = watch.map(|watch| {
            let entry = entry(watch);
            let id = entry.id;
            watched.entries.push(entry);
            id
        });
        if watched.entries.is_empty() {
            *guard = None;
        }
        drop(guard);
        let id = added?;
        thread::wake().inspect_err(|_| self.remove(id))
    }

    /// The instance, while anything is watched.
    pub(super) fn instance(&self) -> Option<Arc<OwnedFd>> {
        let watched = self.watched();
        watched.as_ref().map(|watched| Arc::clone(&watched.inotify))
    }

    fn remove(&self, id: u64) {
        // Dropped after the lock: with the readiness ends a waker, and maybe a task that waits, too.
        let gone;
        let mut guard = self.watched();
        let Some(watched) = &mut *guard else { return };
        let Some(at) = watched.entries.iter().position(|entry| entry.id == id) else {
            return;
        };
        gone = watched.entries.swap_remove(at);
        if watched
            .entries
            .iter()
            .all(|entry| entry.watch != gone.watch)
        {
            sys::unwatch_path(&watched.inotify, gone.watch);
        }
        if watched.entries.is_empty() {
            *guard = None;
        }
        drop(guard);
        // It runs, because the entry was there.
        let _woken = thread::wake();
    }
}

/// Notifications to be repeated, because a lock outlives the event of its file's end by a moment.
#[derive(Debug, Default)]
pub(super) struct Repeats(Vec<(Instant, Arc<Readiness>)>);

impl Repeats {
    /// How long until the next is due.
    pub(super) fn next(&self) -> Option<Duration> {
        let now = Instant::now();
        let times = self.0.iter();
        times
            .map(|(due, _)| due.saturating_duration_since(now))
            .min()
    }

    /// Notifies what is due.
    pub(super) fn notify_due(&mut self) {
        let now = Instant::now();
        self.0.retain(|(due, readiness)| {
            let is_due = *due <= now;
            if is_due {
                readiness.notify(LIVENESS);
            }
            !is_due
        });
    }

    /// Reads events, and notifies whom they concern.
    pub(super) fn dispatch(&mut self, inotify: &OwnedFd) {
        let mut concerned = Vec::new();
        let read = sys::read_path_events(inotify, |event| concerned.extend(of_event(&event)));
        debug_assert!(read.is_ok(), "an inotify instance can be read: {read:?}");
        let now = Instant::now();
        // Not under the lock: a task that is woken may drop what it waits with.
        for (readiness, is_closing) in concerned {
            readiness.notify(DATA | LIVENESS);
            if is_closing {
                let again = AGAIN.map(|after| (now + after, Arc::clone(&readiness)));
                self.0.extend(again);
            }
        }
    }
}

/// Whom an event concerns, and whether that is to be repeated.
fn of_event(event: &PathEvent<'_>) -> Vec<(Arc<Readiness>, bool)> {
    let watched = reactor().inotify.watched();
    let entries = watched.iter().flat_map(|watched| &watched.entries);
    entries
        .filter(|entry| {
            event.is_anything()
                || (entry.watch == event.watch()
                    && (event.is_the_end()
                        || (event.is_one_of(entry.events)
                            && event.name().starts_with(&entry.prefix))))
        })
        .map(|entry| {
            // Under the lock, so that a source that is added to a set after it is found ready.
            entry.readiness.note(DATA | LIVENESS);
            let is_closing = event.is_anything() || event.is_one_of(Events::OF_FILE);
            (Arc::clone(&entry.readiness), is_closing)
        })
        .collect()
}
