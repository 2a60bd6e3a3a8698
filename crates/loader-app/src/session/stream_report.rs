//! What a stream reports, and the trait that controls it.

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gui_common::text::language;
use gui_common::text::units;
use gui_common::tr;
use shm_core::ImageMetadata;
use shm_io::Address;

use super::{LoadError, Loaded};

/// Controls a stream: waits between frames, may stop it, and receives its events.
pub(crate) trait StreamControl {
    /// Blocks until `due`, or not at all if it is `None`; breaks to stop the stream.
    fn wait(&mut self, due: Option<Instant>) -> ControlFlow<()>;

    /// Called when the first frame is published.
    fn begun(&mut self, loaded: &Loaded, frame: &ImageMetadata);

    /// Called once a second.
    fn report(&mut self, progress: &StreamProgress);

    /// Returns `true` if a segment that another process removes is created again.
    fn restores(&self) -> bool {
        false
    }

    /// Called when the segment was created again, with the last frame.
    fn restored(&mut self, _loaded: &Loaded) {}

    /// Called at the first of several frames that are skipped one after the other.
    fn frames_skipped(&mut self, reason: &LoadError);
}

/// The progress of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StreamProgress {
    /// The number of published frames.
    pub(crate) frames: u64,
    /// The frames per second since the last report.
    pub(crate) rate: f64,
    /// A text about the parts of the source that cannot be shown.
    pub(crate) notice: Option<String>,
}

/// The result of a stream.
#[derive(Debug)]
pub(crate) struct StreamSummary {
    /// The key of the segment.
    pub(crate) key: Address,
    /// The numbers of frames and bytes.
    pub(crate) totals: StreamTotals,
    /// Why the stream ended.
    pub(crate) end: StreamEnd,
}

/// The totals of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamTotals {
    /// The number of published frames.
    pub(crate) frames: u64,
    /// The number of their bytes.
    pub(crate) bytes: u64,
    /// The number of frames that were skipped for lack of memory or because the lock timed out.
    pub(crate) skipped: u64,
    /// The time from the first frame to the last.
    pub(crate) time: Duration,
}

/// Why a stream ended.
#[derive(Debug)]
pub(crate) enum StreamEnd {
    /// The source has no more frames.
    Finished,
    /// The user stopped it.
    Stopped,
    /// A frame could not be read or published.
    Failed(LoadError),
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only one decimal place is shown"
)]
pub(super) fn per_second(frames: u64, time: Duration) -> f64 {
    frames as f64 / time.as_secs_f64().max(f64::EPSILON)
}

impl fmt::Display for StreamProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = units::count(self.frames);
        let rate = format!("{:.1}", self.rate);
        f.write_str(&tr!("streaming-report", frames = frames, rate = rate))
    }
}

impl fmt::Display for StreamSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StreamTotals {
            frames,
            bytes,
            skipped,
            time,
        } = self.totals;
        let written = units::count(frames);
        let bytes = units::bytes(bytes);
        // `frames` frames have `frames - 1` intervals.
        let streamed = match frames {
            0 | 1 => tr!(
                "streamed",
                count = frames,
                frames = written,
                bytes = bytes,
                key = self.key
            ),
            _ => tr!(
                "streamed-in-time",
                frames = written,
                bytes = bytes,
                key = self.key,
                seconds = format!("{:.1}", time.as_secs_f64()),
                rate = format!("{:.1}", per_second(frames - 1, time))
            ),
        };
        let skipped = match skipped {
            0 => None,
            more => Some(tr!("streamed-left-out", frames = units::count(more))),
        };
        f.write_str(&language::sentences([streamed].into_iter().chain(skipped)))
    }
}
