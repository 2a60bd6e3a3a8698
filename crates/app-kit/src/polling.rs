//! Saying that waiting polls, where the system has no event left.

use std::io::{self, Write};
use std::sync::Once;

use shm_core::Polling;

use crate::explain::Explain;

/// Says on standard error why the program polls, once, however often it begins to wait.
///
/// Where nobody listens any more, it stays unsaid.
pub fn tell_once(polling: Option<&Polling>) {
    static TOLD: Once = Once::new();
    if let Some(polling) = polling {
        TOLD.call_once(|| {
            writeln!(io::stderr().lock(), "{}", polling.explain()).ok();
        });
    }
}
