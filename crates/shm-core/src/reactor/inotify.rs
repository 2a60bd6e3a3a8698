//! Files and directories that are watched, with a single inotify instance, because a user has few.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sys::{self, PathEvent, PerProcess};

pub(crate) use crate::sys::Events;

/// Delays after which the notification of a closed file is repeated, because the kernel reports the
/// close slightly before it releases the locks on the file.
const REPEAT_DELAYS: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_secs(1),
];

/// The watched paths.
#[derive(Debug, Default)]
pub(super) struct Inotify(Mutex<Option<Watched>>);

/// Returns the watched paths of this process.
pub(super) fn inotify() -> &'static Inotify {
    static INOTIFY: PerProcess<Inotify> = PerProcess::new();
    INOTIFY.get(Inotify::default)
}

#[derive(Debug)]
struct Watched {
    inotify: Arc<OwnedFd>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    /// The watch descriptor of the path.
    pub(super) watch: i32,
    pub(super) events: Events,
    /// Only names in a directory that begin with this are notified.
    pub(super) prefix: Vec<u8>,
    pub(super) readiness: Arc<Readiness>,
}

impl Inotify {
    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        // Every change under the lock is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(
        &self,
        path: &Path,
        events: Events,
        entry: impl FnOnce(i32) -> Entry,
    ) -> io::Result<()> {
        let mut guard = self.watched();
        let watched = match &mut *guard {
            Some(watched) => watched,
            none => none.insert(Watched {
                inotify: Arc::new(sys::create_inotify()?),
                entries: Vec::new(),
            }),
        };
        let watch = sys::watch_path(&watched.inotify, path, events);
        let added = watch.map(|watch| watched.entries.push(entry(watch)));
        if watched.entries.is_empty() {
            *guard = None;
        }
        added
    }

    /// Returns the instance, if anything is watched.
    pub(super) fn instance(&self) -> Option<Arc<OwnedFd>> {
        let watched = self.watched();
        watched.as_ref().map(|watched| Arc::clone(&watched.inotify))
    }

    pub(super) fn remove(&self, id: u64) {
        // Dropped after the lock is released: dropping the readiness drops a waker, and perhaps a
        // task.
        let removed;
        let mut guard = self.watched();
        let Some(watched) = &mut *guard else { return };
        let Some(at) = watched.entries.iter().position(|entry| entry.id == id) else {
            return;
        };
        removed = watched.entries.swap_remove(at);
        if watched
            .entries
            .iter()
            .all(|entry| entry.watch != removed.watch)
        {
            sys::unwatch_path(&watched.inotify, removed.watch);
        }
        if watched.entries.is_empty() {
            *guard = None;
        }
        drop(guard);
    }
}

/// Pending repetitions of notifications, because locks are released slightly after the event.
#[derive(Debug, Default)]
pub(super) struct Repeats(Vec<(Instant, Arc<Readiness>)>);

impl Repeats {
    /// Returns the time until the next one is due.
    pub(super) fn next(&self) -> Option<Duration> {
        let now = Instant::now();
        let times = self.0.iter();
        times
            .map(|(due, _)| due.saturating_duration_since(now))
            .min()
    }

    /// Notifies those that are due.
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

    /// Reads events, and notifies the readinesses that they concern.
    pub(super) fn dispatch(&mut self, instance: &OwnedFd) {
        let mut concerned = Vec::new();
        let read = sys::read_path_events(instance, |event| concerned.extend(concerned_by(&event)));
        debug_assert!(read.is_ok(), "an inotify instance can be read: {read:?}");
        let now = Instant::now();
        // Not under the lock: a task that is woken may drop its registration.
        for (readiness, is_closing) in concerned {
            readiness.notify(DATA | LIVENESS);
            if is_closing {
                let repeats = REPEAT_DELAYS.map(|after| (now + after, Arc::clone(&readiness)));
                self.0.extend(repeats);
            }
        }
    }
}

/// Returns the readinesses that an event concerns, and whether their notification is to be
/// repeated.
fn concerned_by(event: &PathEvent<'_>) -> Vec<(Arc<Readiness>, bool)> {
    let watched = inotify().watched();
    let entries = watched.iter().flat_map(|watched| &watched.entries);
    entries
        .filter(|entry| {
            event.is_overflow()
                || (entry.watch == event.watch()
                    && (event.is_watch_removed()
                        || (event.is_any_of(entry.events)
                            && event.name().starts_with(&entry.prefix))))
        })
        .map(|entry| {
            // Under the lock, so that a source that is added to a set afterwards is found ready.
            entry.readiness.note(DATA | LIVENESS);
            let is_closing = event.is_overflow() || event.is_any_of(Events::OF_FILE);
            (Arc::clone(&entry.readiness), is_closing)
        })
        .collect()
}
