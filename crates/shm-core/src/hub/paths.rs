//! A thread that reads what the kernel tells of files and directories: one inotify instance, because a
//! user has few of them.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::hub;
use crate::alarm::{Alarm, LOOK, NEWS};
use crate::sys::{self, Bell, ForkMark, PathEvent, PollFd, PollFlags};

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
pub(super) struct Paths(Mutex<Option<Watched>>);

#[derive(Debug)]
struct Watched {
    inotify: Arc<OwnedFd>,
    /// Rung whenever the entries change.
    bell: Arc<Bell>,
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
    alarm: Arc<Alarm>,
}

/// A path that is watched until this is dropped.
#[derive(Debug)]
pub(crate) struct PathWatch {
    id: u64,
    fork: ForkMark,
}

impl PathWatch {
    /// Raises an alarm at these events: of names that begin with `prefix`, where it is a directory.
    ///
    /// # Errors
    ///
    /// Where the path is not there, or the system gives no more events.
    pub(crate) fn new(
        path: &Path,
        events: Events,
        prefix: &str,
        alarm: &Arc<Alarm>,
    ) -> io::Result<Self> {
        let id = sys::random_u64();
        hub().paths.add(path, events, |watch| Entry {
            id,
            watch,
            events,
            prefix: prefix.into(),
            alarm: Arc::clone(alarm),
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
            hub().paths.remove(self.id);
        }
    }
}

impl Paths {
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
        watched.bell.ring();
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
        watched.bell.ring();
    }
}

/// Begins a list, and the thread that serves it.
fn begin() -> io::Result<Watched> {
    let (inotify, bell) = (Arc::new(sys::watch_nothing()?), Arc::new(Bell::new()?));
    let (its_inotify, its_bell) = (Arc::clone(&inotify), Arc::clone(&bell));
    // It looks at the list only after this has let go of it.
    sys::spawn_helper("shm-core paths", move || serve(&its_inotify, &its_bell))?;
    Ok(Watched {
        inotify,
        bell,
        entries: Vec::new(),
    })
}

/// The thread: ends when nothing is watched any more.
fn serve(inotify: &OwnedFd, bell: &Bell) {
    let mut later: Vec<(Instant, Arc<Alarm>)> = Vec::new();
    loop {
        {
            let mut watched = hub().paths.watched();
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
            PollFd::new(bell, PollFlags::IN),
        ];
        if sys::poll(&mut fds, next).is_err() {
            // No memory for the call: not for ever.
            std::thread::sleep(AGAIN[2]);
        }
        bell.silence();
        let now = Instant::now();
        later.retain(|(due, alarm)| {
            let is_due = *due <= now;
            if is_due {
                alarm.raise(LOOK);
            }
            !is_due
        });
        let mut raised = Vec::new();
        let read = sys::read_path_events(inotify, |event| raised.extend(concerned(&event)));
        debug_assert!(read.is_ok(), "an inotify instance can be read: {read:?}");
        // Not under the lock: a task that is woken may drop what it waits with.
        for (alarm, is_closing) in raised {
            alarm.raise(NEWS | LOOK);
            if is_closing {
                later.extend(AGAIN.map(|after| (now + after, Arc::clone(&alarm))));
            }
        }
    }
}

/// Whom an event concerns, and whether it is to be told again.
fn concerned(event: &PathEvent<'_>) -> Vec<(Arc<Alarm>, bool)> {
    let watched = hub().paths.watched();
    let entries = watched.iter().flat_map(|watched| &watched.entries);
    entries
        .filter(|entry| {
            event.is_anything()
                || (entry.watch == event.watch()
                    && (event.is_the_end()
                        || (event.is_one_of(entry.events)
                            && event.name().starts_with(&entry.prefix))))
        })
        .map(|entry| (Arc::clone(&entry.alarm), event.is_one_of(Events::OF_FILE)))
        .collect()
}
