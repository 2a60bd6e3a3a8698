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
mod watch;

pub(crate) use futexes::FutexWord;
pub(crate) use inotify::Events;
pub(crate) use watch::{FutexWatch, PathWatch};
