//! The errors of the dialog's library, which it tells its log and nobody else.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use rfd::FileHandle;

use super::Answer;

/// What the library's records are called after.
const LIBRARY: &str = "rfd";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many errors there were at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Errors(u64);

impl Errors {
    pub(super) fn so_far() -> Errors {
        static LISTENING: Once = Once::new();
        LISTENING.call_once(|| {
            // Where somebody else has the log already, what failed counts as cancelled.
            if log::set_logger(&Listener).is_ok() {
                log::set_max_level(LevelFilter::Error);
            }
        });
        Errors(COUNT.load(Ordering::Relaxed))
    }

    /// Tells what an end means, after which so many errors were seen as now.
    pub(super) fn judge(self, chosen: Option<FileHandle>) -> Answer {
        match chosen {
            Some(file) => Answer::Chosen(file.path().to_owned()),
            None if COUNT.load(Ordering::Relaxed) == self.0 => Answer::Cancelled,
            None => Answer::NotShown,
        }
    }
}

/// Counts the library's errors, and lets everything else pass.
struct Listener;

impl Log for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() == log::Level::Error && metadata.target().starts_with(LIBRARY)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_of_the_library_tells_a_failure_from_a_cancellation() {
        let errors = Errors::so_far();
        assert_eq!(errors.judge(None), Answer::Cancelled);
        log::error!(target: "somebody", "something else went wrong");
        log::warn!(target: "rfd::backend", "the dialog is shown by another program");
        assert_eq!(errors.judge(None), Answer::Cancelled);
        log::error!(target: "rfd::backend", "there is no dialog");
        assert_eq!(errors.judge(None), Answer::NotShown);
        assert_eq!(Errors::so_far().judge(None), Answer::Cancelled);
    }
}
