//! When frames are due.

use std::time::{Duration, Instant};

/// The delay up to which a late frame is due in the past, so that the stream catches up. After a
/// longer delay the schedule restarts, so that a stalled video does not fast-forward.
const MAX_CATCH_UP: Duration = Duration::from_millis(250);

/// Computes when frames are due. The times are absolute, so that delays do not accumulate.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameSchedule {
    next: Option<Instant>,
}

impl FrameSchedule {
    /// Returns when a frame is due that is ready at `now` and is shown for `duration`.
    pub(crate) fn due(&mut self, now: Instant, duration: Duration) -> Instant {
        let due = match self.next {
            Some(next) if now.saturating_duration_since(next) <= MAX_CATCH_UP => next,
            _ => now,
        };
        // If the sum overflows, the schedule restarts at the next frame.
        self.next = due.checked_add(duration);
        due
    }

    /// Returns when the next frame is due.
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
    fn frames_are_due_at_the_rate_however_long_each_takes() {
        let rate: Rate = "30000/1001".parse().unwrap();
        let mut schedule = FrameSchedule::default();
        let began = Instant::now();
        for frame in 0..100_000 {
            // Each frame is ready at another offset from its due time, early or late.
            let ready =
                began + rate.start_of(frame) + MILLISECOND * u32::try_from(frame % 40).unwrap();
            let ready = ready.checked_sub(MILLISECOND * 20).unwrap_or(ready);
            let ready = if frame == 0 { began } else { ready };
            assert_eq!(
                schedule.due(ready, rate.duration_of(frame)),
                began + rate.start_of(frame)
            );
        }
    }

    #[test]
    fn the_schedule_catches_up_after_a_short_delay_and_restarts_after_a_long_one() {
        let tick = MILLISECOND * 40;
        let mut schedule = FrameSchedule::default();
        let began = Instant::now();
        assert_eq!(schedule.due(began, tick), began);
        let late = began + tick + MILLISECOND * 200;
        assert_eq!(schedule.due(late, tick), began + tick, "due in the past");
        assert_eq!(schedule.due(late, tick), began + tick * 2);
        let hung = began + MILLISECOND * 5_000;
        assert_eq!(schedule.due(hung, tick), hung, "the schedule restarts");
        assert_eq!(schedule.next(), Some(hung + tick));
    }
}
