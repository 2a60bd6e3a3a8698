//! Critical sections: the program does not end while it holds a lock of a Qt program, because a POSIX
//! lock would then stay held for ever, or while it writes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::deadline::TIMEOUT;

/// How long the end of the program waits: longer than a section waits for a lock.
const GRACE: Duration = TIMEOUT.saturating_add(Duration::from_secs(1));

/// The sections of this process.
static SECTIONS: Sections = Sections::new();

/// Runs what should not end half-way, such as what takes the lock of a Qt program. After [`finish`] it does not run: the thread blocks until
/// the process ends.
pub fn section<T>(work: impl FnOnce() -> T) -> T {
    let _section = SECTIONS.begin();
    work()
}

/// Blocks until no thread is in a critical section, for 3 s at most, and lets none enter one.
///
/// A program calls it before it ends while other threads may read.
pub fn finish() {
    SECTIONS.finish(GRACE);
}

#[derive(Debug)]
struct Sections {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    going_on: usize,
    are_over: bool,
}

impl Sections {
    const fn new() -> Sections {
        Sections {
            state: Mutex::new(State {
                going_on: 0,
                are_over: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn begin(&self) -> Section<'_> {
        let state = self
            .changed
            .wait_while(self.state(), |state| state.are_over);
        state.unwrap_or_else(PoisonError::into_inner).going_on += 1;
        Section(self)
    }

    /// Returns `true` if all came to an end in time.
    fn finish(&self, grace: Duration) -> bool {
        self.state().are_over = true;
        let waited = self
            .changed
            .wait_timeout_while(self.state(), grace, |state| state.going_on > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.going_on == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that goes on, until this is dropped.
struct Section<'a>(&'a Sections);

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.0.state().going_on -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;

    use super::*;

    #[test]
    fn the_end_waits_for_what_was_begun() {
        let sections = Sections::new();
        assert!(sections.finish(Duration::ZERO));
        let sections = Sections::new();
        let one = sections.begin();
        let another = sections.begin();
        drop(one);
        assert!(!sections.finish(Duration::from_millis(10)));
        thread::scope(|scope| {
            scope.spawn(|| drop(another));
            assert!(sections.finish(Duration::MAX));
        });
    }

    #[test]
    fn nothing_begins_after_the_end() {
        static ENDED: Sections = Sections::new();
        ENDED.finish(Duration::ZERO);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let _section = ENDED.begin();
            sender.send(()).ok();
        });
        let begun = receiver.recv_timeout(Duration::from_millis(50));
        assert_eq!(begun, Err(RecvTimeoutError::Timeout));
    }
}
