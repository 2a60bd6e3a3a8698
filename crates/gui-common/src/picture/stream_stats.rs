//! Statistics of a live stream: pictures shown and skipped, and the latency.

use std::fmt;
use std::time::{Duration, Instant};

use crate::picture::draw_latency::DrawLatency;
use crate::session::monitor::Update;
use crate::tr;

/// The interval at which the figures change, long enough to read them.
const REFRESH: Duration = Duration::from_millis(500);

/// The reciprocal weight of one latency in the moving average.
const WEIGHT: u32 = 8;

/// Counts the drawn and skipped samples of a stream.
#[derive(Debug, Default)]
pub struct StreamStats {
    shown: u64,
    skipped: u64,
    latency: Option<Duration>,
    /// The newest sample, which is counted when the next one arrives.
    current: Option<DrawLatency>,
    /// The figures shown until the next refresh.
    shown_figures: Option<(Figures, Instant)>,
}

/// The figures of a [`StreamStats`]: `118 shown, 2 skipped, 9 ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Samples that were drawn.
    pub shown: u64,
    /// Samples that were not drawn: not read in time, or replaced before they were drawn.
    pub skipped: u64,
    /// The moving average of the latency from publication to drawing.
    pub latency: Duration,
}

impl StreamStats {
    /// Counts the newest sample and the outcome of the one before. Returns `true` if the figures
    /// have changed.
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

    /// Returns the figures, or `None` until one sample was drawn and followed by another.
    pub fn figures(&self) -> Option<Figures> {
        self.shown_figures.map(|(figures, _)| figures)
    }

    fn refresh(&mut self, now: Instant) -> bool {
        let Some(latency) = self.latency else {
            return false;
        };
        let is_due = |at: Instant| now.duration_since(at) >= REFRESH;
        if self.shown_figures.is_some_and(|(_, at)| !is_due(at)) {
            return false;
        }
        let figures = Figures {
            shown: self.shown,
            skipped: self.skipped,
            latency,
        };
        self.shown_figures = Some((figures, now));
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
