//! The reactor's thread, which polls the inotify instance and the io_uring while anything is
//! registered.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::futexes::futexes;
use super::inotify::{Repeats, inotify};
use super::uring::Ring;
use crate::sys::{self, EventFd, PerProcess, PollFd, PollFlags};

/// How long the thread sleeps if the system has no memory or no descriptors for a call.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The eventfd that wakes the thread, while it runs.
#[derive(Debug, Default)]
struct Thread(Mutex<Option<Arc<EventFd>>>);

fn thread() -> &'static Thread {
    static THREAD: PerProcess<Thread> = PerProcess::new();
    THREAD.get(Thread::default)
}

impl Thread {
    fn wakes(&self) -> MutexGuard<'_, Option<Arc<EventFd>>> {
        // Every change under the lock is a single store.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the thread process the registrations; starts it if it does not run.
pub(super) fn wake() -> io::Result<()> {
    let mut wakes = thread().wakes();
    if let Some(eventfd) = &*wakes {
        eventfd.notify();
        return Ok(());
    }
    let eventfd = Arc::new(EventFd::new()?);
    let own_eventfd = Arc::clone(&eventfd);
    sys::spawn_helper("shm-core", move || serve(&own_eventfd))?;
    *wakes = Some(eventfd);
    Ok(())
}

fn serve(eventfd: &EventFd) {
    let mut repeats = Repeats::default();
    let mut ring = None;
    loop {
        if stop_if_idle() {
            return;
        }
        let retry_after = arm(&mut ring);
        let instance = inotify().instance();
        let mut fds = vec![PollFd::new(eventfd, PollFlags::IN)];
        fds.extend(ring.iter().map(|ring| PollFd::new(ring, PollFlags::IN)));
        fds.extend(instance.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let timeout = retry_after.into_iter().chain(repeats.next()).min();
        if sys::poll(&mut fds, timeout).is_err() {
            std::thread::sleep(RETRY_DELAY);
        }
        eventfd.clear();
        repeats.notify_due();
        if let Some(instance) = instance {
            repeats.dispatch(&instance);
        }
        if let Some(ring) = &mut ring {
            ring.complete();
        }
    }
}

/// Returns `true` if nothing is registered: then the thread ends, and the next registration starts
/// another.
fn stop_if_idle() -> bool {
    let mut wakes = thread().wakes();
    let is_idle = inotify().instance().is_none() && futexes().is_empty();
    if is_idle {
        *wakes = None;
    }
    is_idle
}

/// Waits for the registered futexes; returns the time until the next attempt if that fails.
fn arm(ring: &mut Option<Ring>) -> Option<Duration> {
    if futexes().is_empty() {
        return None;
    }
    if ring.is_none() {
        *ring = Ring::new().ok();
    }
    if ring.as_mut().is_some_and(|ring| ring.arm().is_ok()) {
        return None;
    }
    // No memory or no descriptors, or the program has given up the permission since.
    *ring = None;
    futexes().notify_changed();
    Some(RETRY_DELAY)
}
