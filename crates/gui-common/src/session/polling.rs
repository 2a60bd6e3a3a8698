//! Saying that waiting polls, where the system has no event left.

use std::sync::Once;

use shm_core::Polling;

use crate::text::explain::Explain;
use crate::text::terminal;

/// Says on standard error why the program polls, once, however often it begins to wait.
pub fn warn_once(polling: &Polling) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| terminal::print_error(polling.explain()));
}
