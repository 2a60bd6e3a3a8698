//! Where contents are written, one at a time and each whole.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a file that is being written may take after a signal.
const GRACE: Duration = Duration::from_secs(3);

/// Where contents are written; it is not left in the middle of one.
#[derive(Debug, Default)]
pub(super) struct Desk {
    state: Mutex<DeskState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum DeskState {
    #[default]
    Free,
    Busy,
    Closed,
}

impl Desk {
    /// Does `work`, and nothing where the desk was closed.
    pub(super) fn at_work<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        if self.change(DeskState::Free, DeskState::Busy) {
            let done = work();
            self.change(DeskState::Busy, DeskState::Free);
            return Some(done);
        }
        None
    }

    /// Waits until the work that was begun is done, and lets none begin.
    pub(super) fn close(&self) {
        let waited = self
            .changed
            .wait_timeout_while(self.state(), GRACE, |state| *state == DeskState::Busy);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = DeskState::Closed;
    }

    fn change(&self, from: DeskState, to: DeskState) -> bool {
        let mut state = self.state();
        let is_right = *state == from;
        if is_right {
            *state = to;
        }
        self.changed.notify_all();
        is_right
    }

    fn state(&self) -> MutexGuard<'_, DeskState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_begins_at_a_closed_desk() {
        let desk = Desk::default();
        assert_eq!(desk.at_work(|| 7), Some(7));
        desk.close();
        assert_eq!(desk.at_work(|| 7), None);
    }

    #[test]
    fn a_desk_is_closed_when_its_work_is_done() {
        let desk = Desk::default();
        let (begun, waits) = mpsc::channel();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                desk.at_work(|| {
                    begun.send(()).expect("the other end is there");
                    thread::yield_now();
                    is_done.store(true, Ordering::SeqCst);
                })
            });
            waits.recv().expect("the work begins");
            desk.close();
            assert!(is_done.load(Ordering::SeqCst));
        });
    }
}
