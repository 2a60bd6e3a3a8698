//! Publishes the frames of a stream, each when it is due.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use shm_core::ImageMetadata;
use shm_io::{Attempt, Draft, FrameSink, Sent, Unfinished};

use super::LoadError;
use super::stream_report::{StreamControl, StreamEnd, StreamProgress, StreamTotals, per_second};
use crate::frames::{FrameError, FrameInfo, FrameReader, FrameSchedule, NextFrame};

/// The interval of the progress reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// The interval of the checks whether the segment is still at its name while no frame is due.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Publishes the frames of a stream, each when it is due.
pub(super) struct Player<'a> {
    frames: &'a mut dyn FrameReader,
    pub(super) control: &'a mut dyn StreamControl,
    schedule: FrameSchedule,
    pub(super) totals: StreamTotals,
    /// When the first frame was published.
    began: Instant,
    /// When the last report was made, and the number of frames then.
    reported: (Instant, u64),
    /// Whether the last frame was skipped.
    is_skipping: bool,
    /// A frame whose segment was lost, to be published in the next one.
    pending: Option<PendingFrame>,
    /// When a lost segment was last created again.
    restored: Option<Instant>,
}

/// A drawn frame that is not published yet.
struct PendingFrame {
    frame: FrameInfo,
    due: Option<Instant>,
    begun: Unfinished,
}

/// The outcome of trying to publish the next frame.
enum PlayStep {
    Published(Sent, ImageMetadata),
    /// There was not enough memory for the frame.
    Skipped(LoadError),
    NoFrame,
    Finished,
    Stopped,
}

impl<'a> Player<'a> {
    pub(super) fn new(
        frames: &'a mut dyn FrameReader,
        control: &'a mut dyn StreamControl,
    ) -> Player<'a> {
        let now = Instant::now();
        Player {
            frames,
            control,
            schedule: FrameSchedule::default(),
            totals: StreamTotals::default(),
            began: now,
            reported: (now, 0),
            is_skipping: false,
            pending: None,
            restored: None,
        }
    }

    /// Returns `true` if the segment was lost and the control wants it created again.
    pub(super) fn should_restore(&self, error: &LoadError) -> bool {
        error.is_removed() && self.control.restores()
    }

    /// Blocks until the last restore is at least one poll interval ago: another process may remove
    /// each new segment at once.
    pub(super) fn cool_down(&mut self) -> ControlFlow<()> {
        let due = self.restored.map(|restored| restored + POLL_INTERVAL);
        self.control.wait(due)?;
        self.restored = Some(Instant::now());
        ControlFlow::Continue(())
    }

    /// Publishes the first frame; returns `None` if the stream ends before it.
    pub(super) fn first(
        &mut self,
        sink: &mut FrameSink<'_>,
    ) -> Result<Option<(Sent, ImageMetadata)>, LoadError> {
        loop {
            match self.step(sink)? {
                PlayStep::Published(published, shape) => {
                    self.began = Instant::now();
                    self.reported = (self.began, 1);
                    self.count(published);
                    return Ok(Some((published, shape)));
                }
                PlayStep::Skipped(error) => return Err(error),
                PlayStep::NoFrame => {}
                PlayStep::Finished | PlayStep::Stopped => return Ok(None),
            }
        }
    }

    /// Publishes all other frames.
    pub(super) fn rest(&mut self, sink: &mut FrameSink<'_>) -> StreamEnd {
        loop {
            match self.step(sink) {
                Ok(PlayStep::Published(published, _)) => {
                    self.is_skipping = false;
                    self.count(published);
                }
                Ok(PlayStep::Skipped(error)) => self.skip_frame(&error),
                Ok(PlayStep::NoFrame) => {}
                Ok(PlayStep::Finished) => {
                    // The last frame is shown for as long as its duration says.
                    return match self.control.wait(self.schedule.next()) {
                        ControlFlow::Continue(()) => StreamEnd::Finished,
                        ControlFlow::Break(()) => StreamEnd::Stopped,
                    };
                }
                Ok(PlayStep::Stopped) => return StreamEnd::Stopped,
                Err(error) => return StreamEnd::Failed(error),
            }
            self.report();
        }
    }

    /// Draws the next frame, and publishes it when it is due.
    fn step(&mut self, sink: &mut FrameSink<'_>) -> Result<PlayStep, LoadError> {
        if self.control.wait(None).is_break() {
            return Ok(PlayStep::Stopped);
        }
        if let Some(loss) = sink.loss() {
            return Err(loss.into());
        }
        let (frame, due, begun) = match self.pending.take() {
            Some(PendingFrame { frame, due, begun }) => (frame, due, Some(begun)),
            None => match self.frames.next() {
                Ok(NextFrame::Frame(frame)) => (frame, None, None),
                Ok(NextFrame::NoFrame) => return Ok(PlayStep::NoFrame),
                Ok(NextFrame::End) => return Ok(PlayStep::Finished),
                Err(error) => return stopped(error),
            },
        };
        let frames = &mut *self.frames;
        let drawn = match sink.draw(&frame.metadata, begun, &mut |pixels| frames.draw(pixels)) {
            Ok(Attempt::Drawn(draft)) => Ok(draft),
            Ok(Attempt::NoRoom(error)) => Err(error),
            Ok(Attempt::Damaged) => return Ok(PlayStep::NoFrame),
            Ok(Attempt::Lost(begun)) => {
                self.pending = Some(PendingFrame { frame, due, begun });
                return Ok(PlayStep::NoFrame);
            }
            Err(error) => return stopped(error),
        };
        let due = due.or_else(|| Some(self.schedule.due(Instant::now(), frame.duration?)));
        if let Some(due) = due
            && self.wait_until(due, sink).is_break()
        {
            return Ok(PlayStep::Stopped);
        }
        if let Some(loss) = sink.loss() {
            let begun = drawn.ok().map(Draft::into_unfinished);
            self.pending = begun.map(|begun| PendingFrame { frame, due, begun });
            return Err(loss.into());
        }
        match drawn.and_then(|draft| sink.publish(draft, &frame.metadata)) {
            Ok(published) => Ok(PlayStep::Published(published, frame.metadata)),
            Err(error) if error.is_passing() => Ok(PlayStep::Skipped(error.into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Blocks until a frame is due, or until the segment is found to be lost.
    fn wait_until(&mut self, due: Instant, sink: &FrameSink<'_>) -> ControlFlow<()> {
        loop {
            let poll = Instant::now() + POLL_INTERVAL;
            self.control.wait(Some(due.min(poll)))?;
            if due <= poll || sink.loss().is_some() {
                return ControlFlow::Continue(());
            }
        }
    }

    fn count(&mut self, published: Sent) {
        self.totals.frames += 1;
        self.totals.bytes += published.bytes;
        self.totals.time = self.began.elapsed();
    }

    fn skip_frame(&mut self, reason: &LoadError) {
        self.totals.skipped += 1;
        if !self.is_skipping {
            self.is_skipping = true;
            self.control.frames_skipped(reason);
        }
    }

    fn report(&mut self) {
        let (when, frames) = self.reported;
        let since = when.elapsed();
        if since < REPORT_INTERVAL {
            return;
        }
        self.reported = (Instant::now(), self.totals.frames);
        self.control.report(&StreamProgress {
            frames: self.totals.frames,
            rate: per_second(self.totals.frames - frames, since),
            notice: self.frames.notice(),
        });
    }
}

/// Returns a stop by the user as a step, and other errors as failures.
fn stopped(error: FrameError) -> Result<PlayStep, LoadError> {
    match error {
        FrameError::Stopped => Ok(PlayStep::Stopped),
        error => Err(LoadError::Frames(error)),
    }
}
