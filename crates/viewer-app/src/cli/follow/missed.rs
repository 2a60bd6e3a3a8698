//! The number of missed samples, printed to standard error.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gui_common::text::terminal;

/// The minimum interval between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts missed and written samples, and prints the missed ones: at most one line a second, and a
/// total.
#[derive(Debug, Default)]
pub(super) struct MissedCounter {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: u64,
    missed: u64,
    /// Missed since the last line.
    unprinted: u64,
    last_line: Option<Instant>,
}

impl MissedCounter {
    pub(super) fn count_written(&self) {
        self.counts().written += 1;
    }

    /// Counts missed samples, and prints a line if the interval has passed.
    pub(super) fn count(&self, missed: u64) {
        let mut counts = self.counts();
        // Saturating, because the number is untrusted input.
        counts.missed = counts.missed.saturating_add(missed);
        counts.unprinted = counts.unprinted.saturating_add(missed);
        drop(counts);
        self.print_if_due();
    }

    /// Returns the time until the next line is due, or `None` if there is nothing to print.
    pub(super) fn due(&self) -> Option<Duration> {
        let counts = self.counts();
        (counts.unprinted > 0).then(|| counts.pause())
    }

    pub(super) fn print_if_due(&self) {
        let mut counts = self.counts();
        if counts.unprinted > 0 && counts.pause().is_zero() {
            terminal::print_error(format_args!("Missed {}.", samples(counts.unprinted)));
            counts.unprinted = 0;
            counts.last_line = Some(Instant::now());
        }
    }

    /// Prints the total, if any samples were missed.
    pub(super) fn print_total(&self) {
        let mut counts = self.counts();
        if counts.missed > 0 {
            terminal::print_error(format_args!(
                "Missed {} in all, and read {}. A longer ring keeps samples longer: loader-app text \
                 --ring 16M; for pictures and other samples longer than 16 KiB, add --retain 64M.",
                samples(counts.missed),
                counts.written
            ));
            counts.unprinted = 0;
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn pause(&self) -> Duration {
        let since = self.last_line.map(|last_line| last_line.elapsed());
        since.map_or(Duration::ZERO, |since| INTERVAL.saturating_sub(since))
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
    fn one_line_a_second_counts_all_samples_missed_since_the_last() {
        let missed = MissedCounter::default();
        assert_eq!(missed.due(), None);
        missed.count(3);
        assert_eq!(missed.counts().unprinted, 0, "the first is printed at once");
        missed.count(u64::MAX);
        missed.count(2);
        assert_eq!(missed.counts().unprinted, u64::MAX);
        assert!(missed.due().is_some_and(|due| due <= INTERVAL));
        missed.counts().last_line = Instant::now().checked_sub(INTERVAL);
        assert_eq!(missed.due(), Some(Duration::ZERO));
        missed.print_if_due();
        assert_eq!(missed.due(), None);
        assert_eq!(missed.counts().missed, u64::MAX);
    }
}
