//! When frames are due.

use std::time::{Duration, Instant};

/// How late a frame may be and still be caught up with. Beyond that the schedule begins anew: a
/// video that hung for a while should go on, and not run.
const LATE: Duration = Duration::from_millis(250);

/// A schedule of absolute moments, so that what one frame loses the next one makes up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    next: Option<Instant>,
}

impl Pace {
    /// Returns when the frame is due that is ready `now`, and stands as long as `lasts` says.
    pub(crate) fn due(&mut self, now: Instant, lasts: Duration) -> Instant {
        let due = match self.next {
            Some(next) if now.saturating_duration_since(next) <= LATE => next,
            _ => now,
        };
        // What lasts beyond all time is the last that is due.
        self.next = due.checked_add(lasts);
        due
    }

    /// Returns when the frame after the last one is due: until then the last one stands.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::frames::Rate;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn frames_are_due_where_the_rate_puts_them_however_long_each_takes() {
        let rate: Rate = "30000/1001".parse().unwrap();
        let mut pace = Pace::default();
        let began = Instant::now();
        for frame in 0..100_000 {
            // Each is ready at another moment, before or shortly after it is due.
            let ready =
                began + rate.time_of(frame) + MILLISECOND * u32::try_from(frame % 40).unwrap();
            let ready = ready.checked_sub(MILLISECOND * 20).unwrap_or(ready);
            let ready = if frame == 0 { began } else { ready };
            assert_eq!(
                pace.due(ready, rate.lasts(frame)),
                began + rate.time_of(frame)
            );
        }
    }

    #[test]
    fn a_short_delay_is_made_up_and_a_long_one_is_not() {
        let tick = MILLISECOND * 40;
        let mut pace = Pace::default();
        let began = Instant::now();
        assert_eq!(pace.due(began, tick), began);
        let late = began + tick + MILLISECOND * 200;
        assert_eq!(pace.due(late, tick), began + tick, "due in the past");
        assert_eq!(pace.due(late, tick), began + tick * 2);
        let hung = began + MILLISECOND * 5_000;
        assert_eq!(pace.due(hung, tick), hung, "nothing is run through");
        assert_eq!(pace.next(), Some(hung + tick));
    }
}
