//! Death after a store, which ends a process of a model wherever it is.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

std::thread_local! {
    /// Whose process dies, and after how many more of its stores. (The checker runs all threads
    /// of a model on one thread of the system.)
    static PLAN: Cell<Option<(u8, u32)>> = const { Cell::new(None) };
}

/// What a process that dies unwinds with.
struct Death;

/// Says which slot's process is to die, after how many of its next stores; 1 is the first.
pub(crate) fn plan(slot: u8, stores: u32) {
    PLAN.set(Some((slot, stores)));
}

/// Runs a process; true where it died of the plan.
pub(crate) fn process(steps: impl FnOnce()) -> bool {
    let ended = panic::catch_unwind(AssertUnwindSafe(steps));
    PLAN.set(None);
    match ended {
        Ok(()) => false,
        Err(death) if death.is::<Death>() => true,
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// Ends the process of this slot where it is its time.
pub(crate) fn stored_by(slot: u8) {
    match PLAN.get() {
        Some((dying, 1)) if dying == slot => {
            // Not by `panic!`, which prints.
            panic::resume_unwind(Box::new(Death));
        }
        Some((dying, stores)) if dying == slot => PLAN.set(Some((dying, stores - 1))),
        _ => {}
    }
}
