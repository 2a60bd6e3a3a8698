//! How many of the pictures that follow each other were shown, and how late.

use std::fmt;
use std::time::{Duration, Instant};

use crate::picture::draw_latency::DrawLatency;
use crate::session::monitor::Update;
use crate::tr;

/// How often the figures change: faster than this nobody reads them.
const REFRESH: Duration = Duration::from_millis(500);

/// How much a single latency counts in the one that is told, as a part of 1.
const WEIGHT: u32 = 8;

/// Counts what of a run of samples was drawn.
#[derive(Debug, Default)]
pub struct StreamStats {
    shown: u64,
    skipped: u64,
    latency: Option<Duration>,
    /// Of the newest, which is counted when the next one comes.
    current: Option<DrawLatency>,
    /// What is told until the next refresh.
    told: Option<(Figures, Instant)>,
}

/// What a [`StreamStats`] has counted: `118 shown, 2 skipped, 9 ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Samples that were drawn.
    pub shown: u64,
    /// Samples that were not: published too fast to be read, or replaced before they were drawn.
    pub skipped: u64,
    /// From publication to drawing, on average of late.
    pub latency: Duration,
}

impl StreamStats {
    /// Counts the newest sample, and what became of the one before. Tells whether there are
    /// figures that were not told before.
    pub fn take(&mut self, update: &Update) -> bool {
        if update.is_again {
            return false;
        }
        if let Some(draw_latency) = self.current.replace(update.draw_latency.clone()) {
            match draw_latency.latency() {
                Some(latency) => {
                    self.shown += 1;
                    self.latency = Some(match self.latency {
                        Some(average) => (average * (WEIGHT - 1) + latency) / WEIGHT,
                        None => latency,
                    });
                }
                None => self.skipped += 1,
            }
        }
        self.skipped += update.skipped;
        self.refresh(Instant::now())
    }

    /// Returns what was counted; `None` until something was shown and followed by something else.
    pub fn figures(&self) -> Option<Figures> {
        self.told.map(|(figures, _)| figures)
    }

    fn refresh(&mut self, now: Instant) -> bool {
        let Some(latency) = self.latency else {
            return false;
        };
        let is_due = |at: Instant| now.duration_since(at) >= REFRESH;
        if self.told.is_some_and(|(_, at)| !is_due(at)) {
            return false;
        }
        let figures = Figures {
            shown: self.shown,
            skipped: self.skipped,
            latency,
        };
        self.told = Some((figures, now));
        true
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tr!(
            "figures",
            shown = self.shown,
            skipped = self.skipped,
            latency = self.latency.as_millis().to_string()
        ))
    }
}
