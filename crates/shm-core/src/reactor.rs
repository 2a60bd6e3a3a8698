//! The helper threads of this process. They wait for futexes and inotify events, and notify the [`Readiness`](crate::readiness::Readiness) of each registration.
//!
//! One thread sleeps on the futexes of up to 127 rings, and one more on each further 127; one reads all
//! inotify events. They start with the first registration and end with the last.

mod futexes;
mod inotify;

use crate::sys::PerProcess;

pub(crate) use futexes::FutexWatch;
pub(crate) use inotify::{Events, PathWatch};

/// What the threads of this process work on.
#[derive(Debug, Default)]
struct Reactor {
    futexes: futexes::Futexes,
    inotify: inotify::Inotify,
}

fn reactor() -> &'static Reactor {
    static REACTOR: PerProcess<Reactor> = PerProcess::new();
    REACTOR.get(Reactor::default)
}
