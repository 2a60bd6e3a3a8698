//! The thread behind a server or a client, and how it ends.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::PresenceError;
use crate::sys::{self, EventFd, ForkMark};

/// Owns a thread that sleeps on sockets. Dropping it notifies the thread and joins it.
#[derive(Debug)]
pub(super) struct WorkerThread {
    eventfd: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
    fork: ForkMark,
}

impl WorkerThread {
    /// Starts the thread; `work` sleeps on the eventfd beside its sockets.
    pub(super) fn start(
        name: &str,
        work: impl FnOnce(Arc<EventFd>) + Send + 'static,
    ) -> Result<Self, PresenceError> {
        let fork = ForkMark::here();
        let started = || -> io::Result<Self> {
            let eventfd = Arc::new(EventFd::new()?);
            let its = Arc::clone(&eventfd);
            let thread = Some(sys::spawn_helper(name, move || work(its))?);
            Ok(Self {
                eventfd,
                thread,
                fork,
            })
        };
        started().map_err(PresenceError::io("starting its thread"))
    }

    /// Returns `true` if this is a copy in a forked child: the thread and its sockets are the
    /// parent's.
    pub(super) fn is_forked(&self) -> bool {
        self.fork.is_elsewhere()
    }

    /// Wakes the thread.
    pub(super) fn ring(&self) {
        self.eventfd.notify();
    }
}

impl Drop for WorkerThread {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        if self.is_forked() {
            // A forked child has no such thread.
            std::mem::forget(thread);
            return;
        }
        self.eventfd.notify();
        // A thread cannot join itself: it ends by the flag.
        if thread.thread().id() != thread::current().id() {
            // If it panicked it has ended, too.
            let _ended = thread.join();
        }
    }
}
