//! The warning that waiting polls because the system has no events left.

use std::sync::Once;

use shm_core::Polling;

use crate::text::explain::Explain;
use crate::text::terminal;

/// Prints once to standard error why the program polls.
pub fn warn_once(polling: &Polling) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| terminal::print_error(polling.explain()));
}
