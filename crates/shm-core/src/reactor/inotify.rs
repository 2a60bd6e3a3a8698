//! A thread that reads what the kernel tells of files and directories: one inotify instance, because a
//! user has few of them.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::reactor;
use crate::readiness::{DATA, LIVENESS, Readiness};
use crate::sys::{self, EventFd, ForkMark, PathEvent, PollFd, PollFlags};

pub(crate) use crate::sys::Events;

/// The kernel tells that a file was closed a moment before it gives back the locks on it: so long after
/// the event it is said again.
const AGAIN: [Duration; 3] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(100),
];

/// All paths that are watched.
#[derive(Debug, Default)]
pub(super) struct Inotify(Mutex<Option<Watched>>);

#[derive(Debug)]
struct Watched {
    inotify: Arc<OwnedFd>,
    /// Rung whenever the entries change.
    eventfd: Arc<EventFd>,
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
        let mut watched = self.watched();
        let watched = match &mut *watched {
            Some(watched) => watched,
            none => none.insert(begin()?),
        };
        let watch = sys::watch_path(&watched.inotify, path, events);
        if let Ok(watch) = watch {
            watched.entries.push(entry(watch));
        }
        // The thread ends if this was the first, and failed.
        watched.eventfd.notify();
        watch.map(drop)
    }

    fn remove(&self, id: u64) {
        let mut guard = self.watched();
        let Some(watched) = &mut *guard else { return };
        let Some(at) = watched.entries.iter().position(|entry| entry.id == id) else {
            return;
        };
        let gone = watched.entries.swap_remove(at);
        if watched
            .entries
            .iter()
            .all(|entry| entry.watch != gone.watch)
        {
            sys::unwatch_path(&watched.inotify, gone.watch);
        }
        watched.eventfd.notify();
    }
}

/// Begins a list, and the thread that serves it.
fn begin() -> io::Result<Watched> {
    let (inotify, eventfd) = (Arc::new(sys::watch_nothing()?), Arc::new(EventFd::new()?));
    let (its_inotify, its_eventfd) = (Arc::clone(&inotify), Arc::clone(&eventfd));
    // It looks at the list only after this has let go of it.
    sys::spawn_helper("shm-core inotify", move || {
        serve(&its_inotify, &its_eventfd)
    })?;
    Ok(Watched {
        inotify,
        eventfd,
        entries: Vec::new(),
    })
}

/// The thread: ends when nothing is watched any more.
fn serve(inotify: &OwnedFd, eventfd: &EventFd) {
    let mut later: Vec<(Instant, Arc<Readiness>)> = Vec::new();
    loop {
        {
            let mut watched = reactor().inotify.watched();
            if watched
                .as_ref()
                .is_none_or(|watched| watched.entries.is_empty())
            {
                *watched = None;
                return;
            }
        }
        let now = Instant::now();
        let next = later
            .iter()
            .map(|(due, _)| due.saturating_duration_since(now))
            .min();
        let mut fds = [
            PollFd::new(inotify, PollFlags::IN),
            PollFd::new(eventfd, PollFlags::IN),
        ];
        if sys::poll(&mut fds, next).is_err() {
            // No memory for the call: not for ever.
            std::thread::sleep(AGAIN[2]);
        }
        eventfd.clear();
        let now = Instant::now();
        later.retain(|(due, readiness)| {
            let is_due = *due <= now;
            if is_due {
                readiness.notify(LIVENESS);
            }
            !is_due
        });
        let mut raised = Vec::new();
        let read = sys::read_path_events(inotify, |event| raised.extend(concerned(&event)));
        debug_assert!(read.is_ok(), "an inotify instance can be read: {read:?}");
        // Not under the lock: a task that is woken may drop what it waits with.
        for (readiness, is_closing) in raised {
            readiness.notify(DATA | LIVENESS);
            if is_closing {
                later.extend(AGAIN.map(|after| (now + after, Arc::clone(&readiness))));
            }
        }
    }
}

/// Whom an event concerns, and whether it is to be told again.
fn concerned(event: &PathEvent<'_>) -> Vec<(Arc<Readiness>, bool)> {
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
            (
                Arc::clone(&entry.readiness),
                event.is_one_of(Events::OF_FILE),
            )
        })
        .collect()
}
