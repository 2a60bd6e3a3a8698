//! Stored times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Converts a stored time; returns the epoch if it is beyond what `SystemTime` can express.
pub(crate) fn system_time(nanos: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_nanos(nanos))
        .unwrap_or(UNIX_EPOCH)
}
