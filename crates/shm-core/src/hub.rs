//! The helper threads of this process. They wait for what makes no descriptor readable and wakes no
//! task, and raise the [`Alarm`](crate::alarm::Alarm)s of those who asked.
//!
//! One thread sleeps on the words of up to 127 rings, and further ones on the next 127 each; one reads
//! inotify events for everybody. They begin with the first who asks and end with the last who has asked.

mod paths;
mod words;

use crate::sys::PerProcess;

pub(crate) use paths::{Events, PathWatch};
pub(crate) use words::WordWatch;

/// What the threads of this process work on.
#[derive(Debug, Default)]
struct Hub {
    words: words::Words,
    paths: paths::Paths,
}

fn hub() -> &'static Hub {
    static HUB: PerProcess<Hub> = PerProcess::new();
    HUB.get(Hub::default)
}
