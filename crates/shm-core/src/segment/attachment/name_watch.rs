//! When to look whether a segment has its name still.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Says when it is time to ask the kernel whether the segment has a name still: once a second.
///
/// A look at the clock costs more than a lock. So the more hastily locks
/// follow each other, the more are let through without one; a leisurely one
/// is always followed by a look.
#[derive(Debug)]
pub(super) struct NameWatch(Mutex<Times>);

#[derive(Debug)]
struct Times {
    clock_read: Instant,
    name_checked: Instant,
    let_through: u64,
}

impl NameWatch {
    const PERIOD: Duration = Duration::from_secs(1);
    const HASTY: Duration = Duration::from_millis(1);
    pub(super) const MOST_LET_THROUGH: u64 = 1024;

    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Times {
            clock_read: now,
            name_checked: now,
            let_through: 0,
        }))
    }

    /// How many locks may follow without a look at the clock; none where the name is to be checked.
    #[cold]
    pub(super) fn look_at_the_clock(&self) -> Option<u64> {
        let Ok(mut times) = self.0.try_lock() else {
            return Some(0);
        };
        let now = Instant::now();
        times.let_through = if now.duration_since(times.clock_read) < Self::HASTY {
            (2 * times.let_through).clamp(1, Self::MOST_LET_THROUGH)
        } else {
            0
        };
        times.clock_read = now;
        if now.duration_since(times.name_checked) >= Self::PERIOD {
            times.name_checked = now;
            return None;
        }
        Some(times.let_through)
    }
}
