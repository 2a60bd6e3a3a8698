//! The helper thread of this process. It waits for futexes and inotify events, and notifies the
//! [`Readiness`](crate::readiness::Readiness) of each registration. It starts with the first
//! registration and ends with the last.
//!
//! If io_uring cannot wait for futexes, further threads wait for up to 127 rings each.

mod futexes;
mod groups;
mod inotify;
mod thread;
mod uring;

use crate::sys::PerProcess;

pub(crate) use futexes::FutexWatch;
pub(crate) use inotify::{Events, PathWatch};

/// The registrations of this process.
#[derive(Debug, Default)]
struct Reactor {
    thread: thread::Thread,
    inotify: inotify::Inotify,
    futexes: futexes::Futexes,
    groups: groups::Groups,
}

fn reactor() -> &'static Reactor {
    static REACTOR: PerProcess<Reactor> = PerProcess::new();
    REACTOR.get(Reactor::default)
}
