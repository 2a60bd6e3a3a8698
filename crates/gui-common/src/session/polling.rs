//! Saying that waiting polls, where the system has no event left.

use std::sync::Once;

use shm_core::Polling;

use crate::text::explain::Explain;
use crate::text::terminal;

/// Says on standard error why the program polls, once, however often it begins to wait.
pub fn tell_once(polling: &Polling) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| terminal::warn(polling.explain()));
}
