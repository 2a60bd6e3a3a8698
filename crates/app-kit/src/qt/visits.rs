//! What is done under Qt's locks: the program does not end in the middle of it, since a POSIX lock
//! would then stay held for ever.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::PATIENCE;

/// How long the end of the program waits: longer than a visit waits for a lock.
const GRACE: Duration = PATIENCE.saturating_add(Duration::from_secs(1));

/// Those of this process.
static VISITS: Visits = Visits::new();

/// Does on any thread what takes Qt's lock. Where the program [ends](finish_visits), it is not begun,
/// and the thread waits for that end.
pub fn visit<T>(work: impl FnOnce() -> T) -> T {
    let _visit = VISITS.begin();
    work()
}

/// Waits, for the end of the program, until nothing is done under Qt's locks, and lets nothing begin.
pub fn finish_visits() {
    VISITS.finish(GRACE);
}

#[derive(Debug)]
struct Visits {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    going_on: usize,
    are_over: bool,
}

impl Visits {
    const fn new() -> Visits {
        Visits {
            state: Mutex::new(State {
                going_on: 0,
                are_over: false,
            }),
            changed: Condvar::new(),
        }
    }

    fn begin(&self) -> Visit<'_> {
        let state = self
            .changed
            .wait_while(self.state(), |state| state.are_over);
        state.unwrap_or_else(PoisonError::into_inner).going_on += 1;
        Visit(self)
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
struct Visit<'a>(&'a Visits);

impl Drop for Visit<'_> {
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
        let visits = Visits::new();
        assert!(visits.finish(Duration::ZERO));
        let visits = Visits::new();
        let one = visits.begin();
        let another = visits.begin();
        drop(one);
        assert!(!visits.finish(Duration::from_millis(10)));
        thread::scope(|scope| {
            scope.spawn(|| drop(another));
            assert!(visits.finish(Duration::MAX));
        });
    }

    #[test]
    fn nothing_begins_after_the_end() {
        static ENDED: Visits = Visits::new();
        ENDED.finish(Duration::ZERO);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let _visit = ENDED.begin();
            sender.send(()).ok();
        });
        let begun = receiver.recv_timeout(Duration::from_millis(50));
        assert_eq!(begun, Err(RecvTimeoutError::Timeout));
    }
}
