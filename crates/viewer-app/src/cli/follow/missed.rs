//! What was missed, told on standard error.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gui_common::text::terminal;

/// How long one line stands before the next.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts what was missed and what was taken, and tells of it: a line a second at most, and a sum.
#[derive(Debug, Default)]
pub(super) struct Missed {
    state: Mutex<MissedState>,
}

#[derive(Debug, Default)]
struct MissedState {
    taken: u64,
    missed: u64,
    /// What no line has told yet.
    untold: u64,
    told: Option<Instant>,
}

impl Missed {
    pub(super) fn count_taken(&self) {
        self.state().taken += 1;
    }

    /// Counts what was missed, and says so if the last line is old enough.
    pub(super) fn count(&self, missed: u64) {
        let mut state = self.state();
        // The number is a peer's.
        state.missed = state.missed.saturating_add(missed);
        state.untold = state.untold.saturating_add(missed);
        drop(state);
        self.tell_if_due();
    }

    /// Returns how long the next line is to be waited for; `None` where there is nothing to tell.
    pub(super) fn due(&self) -> Option<Duration> {
        let state = self.state();
        (state.untold > 0).then(|| state.pause())
    }

    pub(super) fn tell_if_due(&self) {
        let mut state = self.state();
        if state.untold > 0 && state.pause().is_zero() {
            terminal::print_error(format_args!("Missed {}.", samples(state.untold)));
            state.untold = 0;
            state.told = Some(Instant::now());
        }
    }

    /// Says how many were missed in all, if any were.
    pub(super) fn tell_sum(&self) {
        let mut state = self.state();
        if state.missed > 0 {
            terminal::print_error(format_args!(
                "Missed {} in all, and took {}. What comes faster than it is taken stays longer in a \
                 longer ring: loader-app text --ring 16M; pictures, and what else is longer than 16 KiB, \
                 with --retain 64M.",
                samples(state.missed),
                state.taken
            ));
            state.untold = 0;
        }
    }

    fn state(&self) -> MutexGuard<'_, MissedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MissedState {
    fn pause(&self) -> Duration {
        let stands = self.told.map(|told| told.elapsed());
        stands.map_or(Duration::ZERO, |stands| PAUSE.saturating_sub(stands))
    }
}

fn samples(count: u64) -> String {
    match count {
        1 => "1 sample".to_owned(),
        count => format!("{count} samples"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_tells_of_all_that_came_since_the_last() {
        let missed = Missed::default();
        assert_eq!(missed.due(), None);
        missed.count(3);
        assert_eq!(missed.state().untold, 0, "the first is told at once");
        missed.count(u64::MAX);
        missed.count(2);
        assert_eq!(missed.state().untold, u64::MAX);
        assert!(missed.due().is_some_and(|due| due <= PAUSE));
        missed.state().told = Instant::now().checked_sub(PAUSE);
        assert_eq!(missed.due(), Some(Duration::ZERO));
        missed.tell_if_due();
        assert_eq!(missed.due(), None);
        assert_eq!(missed.state().missed, u64::MAX);
    }
}
