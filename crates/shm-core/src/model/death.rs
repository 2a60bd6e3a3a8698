//! Simulated death of a process after one of its stores.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

std::thread_local! {
    /// The slot of the process that dies, and the number of its remaining stores. (The checker runs
    /// all threads of a model on one OS thread.)
    static PLAN: Cell<Option<(u8, u32)>> = const { Cell::new(None) };
}

/// The panic payload of a process that dies.
struct Death;

/// Plans the death of the process of this slot after its n-th store from now, counted from 1.
pub(crate) fn plan(slot: u8, stores: u32) {
    PLAN.set(Some((slot, stores)));
}

/// Runs a process; returns `true` if it died as planned.
pub(crate) fn run_process(steps: impl FnOnce()) -> bool {
    let ended = panic::catch_unwind(AssertUnwindSafe(steps));
    PLAN.set(None);
    match ended {
        Ok(()) => false,
        Err(death) if death.is::<Death>() => true,
        Err(panic) => panic::resume_unwind(panic),
    }
}

/// Counts a store of the process of this slot, and ends the process if its death is planned here.
pub(crate) fn stored_by(slot: u8) {
    match PLAN.get() {
        Some((dying, 1)) if dying == slot => {
            // Unlike `panic!`, this prints nothing.
            panic::resume_unwind(Box::new(Death));
        }
        Some((dying, stores)) if dying == slot => PLAN.set(Some((dying, stores - 1))),
        _ => {}
    }
}
