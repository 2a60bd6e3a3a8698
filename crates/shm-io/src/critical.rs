//! Critical sections, during which the program does not exit: a POSIX lock of a Qt program would
//! stay held forever, or a file be half-written.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::deadline::TIMEOUT;

/// How long the exit of the program is delayed: longer than a section waits for a lock.
const GRACE: Duration = TIMEOUT.saturating_add(Duration::from_secs(1));

/// The critical sections of this process.
static SECTIONS: Sections = Sections::new();

/// Runs `work` as a critical section. After [`finish`], does not run it, and blocks until the
/// process exits.
pub fn section<T>(work: impl FnOnce() -> T) -> T {
    let _section = SECTIONS.begin();
    work()
}

/// Blocks until no thread is in a critical section, at most 3 s, and keeps threads from entering
/// one.
///
/// A program calls this before it exits while other threads may read or write.
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
    running: usize,
    finished: bool,
}

impl Sections {
    const fn new() -> Sections {
        Sections {
            state: Mutex::new(State {
                running: 0,
                finished: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn begin(&self) -> Section<'_> {
        let state = self
            .changed
            .wait_while(self.state(), |state| state.finished);
        state.unwrap_or_else(PoisonError::into_inner).running += 1;
        Section(self)
    }

    /// Returns `true` if all sections ended in time.
    fn finish(&self, grace: Duration) -> bool {
        self.state().finished = true;
        let waited = self
            .changed
            .wait_timeout_while(self.state(), grace, |state| state.running > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.running == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running section, which ends when this is dropped.
struct Section<'a>(&'a Sections);

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.0.state().running -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, RecvTimeoutError};
    use std::thread;

    use super::*;

    #[test]
    fn finish_waits_for_running_sections() {
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
    fn no_section_starts_after_finish() {
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
