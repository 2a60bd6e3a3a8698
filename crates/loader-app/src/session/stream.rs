//! Frames into shared memory, one after the other, each when it is due.

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use gui_common::text::language;
use gui_common::text::units;
use gui_common::tr;
use shm_core::ImageMetadata;
use shm_io::{Address, Attempt, Draft, FrameSink, Sent, Unfinished};

use super::{LoadError, Loaded, Session};
use crate::frames::{Found, Frame, FrameError, Frames, Pace};

/// How often it is told how a stream goes.
const REPORT: Duration = Duration::from_secs(1);

/// How often it is looked whether the segment can be found still, while no frame is due or none comes.
const LOOK: Duration = Duration::from_secs(1);

/// Whoever has a stream played: waits for its frames, may stop it, and is told how it goes.
pub(crate) trait Control {
    /// Waits until `due`, or not at all where nothing is due; breaks to stop the stream.
    fn wait(&mut self, due: Option<Instant>) -> ControlFlow<()>;

    /// The first frame is in shared memory.
    fn begun(&mut self, loaded: &Loaded, frame: &ImageMetadata);

    /// Tells once a second how it goes.
    fn report(&mut self, report: &Report);

    /// Returns `true` if a segment that others take away is made anew.
    fn restores(&self) -> bool {
        false
    }

    /// It was made anew, with the frame that stood there last.
    fn restored(&mut self, _loaded: &Loaded) {}

    /// Frames are left out from now on, until one goes through again.
    fn left_out(&mut self, reason: &LoadError);
}

/// How a stream goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Report {
    /// How many frames were published.
    pub(crate) frames: u64,
    /// How many a second, of late.
    pub(crate) rate: f64,
    /// What of the source is left out.
    pub(crate) notice: Option<String>,
}

/// What was streamed.
#[derive(Debug)]
pub(crate) struct Streamed {
    /// Where to.
    pub(crate) key: Address,
    /// How much.
    pub(crate) tally: Tally,
    /// Why it came to an end.
    pub(crate) end: End,
}

/// What a stream came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many frames were published.
    pub(crate) frames: u64,
    /// How many bytes they had.
    pub(crate) bytes: u64,
    /// How many frames were left out, because there was no room for them, or the lock was not to be had.
    pub(crate) left_out: u64,
    /// From the first frame to the last.
    pub(crate) time: Duration,
}

/// Why a stream came to an end.
#[derive(Debug)]
pub(crate) enum End {
    /// There are no more frames.
    Finished,
    /// Somebody stopped it.
    Stopped,
    /// It could not go on.
    Failed(LoadError),
}

impl Session {
    /// Publishes frames under `key` until they end or somebody stops it. The last one stays loaded.
    ///
    /// As [`Session::load`] does, it lets go of what is loaded under another key once the first frame
    /// is there. A later frame for which there is no room is left out: the one before it stays. `None`
    /// means that it was stopped before there was a frame, or that there are none.
    ///
    /// # Errors
    ///
    /// [`LoadError`] where not even the first frame could be published; what was loaded before stays.
    pub(crate) fn stream(
        &mut self,
        address: impl Into<Address>,
        frames: &mut dyn Frames,
        control: &mut dyn Control,
    ) -> Result<Option<Streamed>, LoadError> {
        let address = address.into();
        // One that somebody has removed is made anew: frames cannot be read a second time.
        self.sink.release_if_lost();
        let mut player = Player::new(frames, control);
        let begun = loop {
            match self.sink.begin(&address, |sink| player.first(sink)) {
                Err(error) if player.is_to_be_restored(&error) => {
                    if player.cool_down().is_break() {
                        return Ok(None);
                    }
                    self.sink.release_if_lost();
                }
                begun => break begun?,
            }
        };
        let Some((shape, published)) = begun else {
            return Ok(None);
        };
        let loaded = Loaded(published);
        player.control.begun(&loaded, &shape);
        let end = self.play_rest(&mut player);
        let tally = player.tally;
        if matches!(end, End::Failed(_)) {
            self.sink.release_if_lost();
        }
        Ok(Some(Streamed {
            key: address,
            tally,
            end,
        }))
    }

    /// Publishes all frames after the first, in segments that are made anew where that is wanted.
    fn play_rest(&mut self, player: &mut Player<'_>) -> End {
        loop {
            let sink = self.sink.frames();
            let end = sink.map_or(End::Finished, |mut sink| player.rest(&mut sink));
            match end {
                End::Failed(error) if player.is_to_be_restored(&error) => {}
                end => return end,
            }
            if player.cool_down().is_break() {
                return End::Stopped;
            }
            self.sink.release_if_lost();
            match self.restore() {
                Ok(Some(loaded)) => player.control.restored(&loaded),
                Ok(None) => return End::Finished,
                Err(error) => return End::Failed(error),
            }
        }
    }
}

/// Frames on their way into a segment.
struct Player<'a> {
    frames: &'a mut dyn Frames,
    control: &'a mut dyn Control,
    pace: Pace,
    tally: Tally,
    /// When the first frame was published.
    began: Instant,
    /// When it was told last how it goes, and how many frames there were then.
    reported: (Instant, u64),
    is_leaving_out: bool,
    /// A frame that found its segment lost, to be published in the next.
    pending: Option<Pending>,
    /// When a segment was made anew last.
    restored: Option<Instant>,
}

/// A frame on its way.
struct Pending {
    frame: Frame,
    due: Option<Instant>,
    begun: Unfinished,
}

/// What came of looking for a frame.
enum Step {
    Published(Sent, ImageMetadata),
    /// There was a frame, and no room for it.
    LeftOut(LoadError),
    NoFrame,
    Finished,
    Stopped,
}

impl<'a> Player<'a> {
    fn new(frames: &'a mut dyn Frames, control: &'a mut dyn Control) -> Player<'a> {
        let now = Instant::now();
        Player {
            frames,
            control,
            pace: Pace::default(),
            tally: Tally::default(),
            began: now,
            reported: (now, 0),
            is_leaving_out: false,
            pending: None,
            restored: None,
        }
    }

    /// Returns `true` if this is the loss of a segment that is to be made anew.
    fn is_to_be_restored(&self, error: &LoadError) -> bool {
        error.is_removed() && self.control.restores()
    }

    /// Waits until a segment was made anew a second ago at least: others may take it away at once.
    fn cool_down(&mut self) -> ControlFlow<()> {
        let due = self.restored.map(|restored| restored + LOOK);
        self.control.wait(due)?;
        self.restored = Some(Instant::now());
        ControlFlow::Continue(())
    }

    /// Publishes the first frame; `None` where there is none.
    fn first(
        &mut self,
        sink: &mut FrameSink<'_>,
    ) -> Result<Option<(Sent, ImageMetadata)>, LoadError> {
        loop {
            match self.step(sink)? {
                Step::Published(published, shape) => {
                    self.began = Instant::now();
                    self.reported = (self.began, 1);
                    self.count(published);
                    return Ok(Some((published, shape)));
                }
                Step::LeftOut(error) => return Err(error),
                Step::NoFrame => {}
                Step::Finished | Step::Stopped => return Ok(None),
            }
        }
    }

    /// Publishes all other frames.
    fn rest(&mut self, sink: &mut FrameSink<'_>) -> End {
        loop {
            match self.step(sink) {
                Ok(Step::Published(published, _)) => {
                    self.is_leaving_out = false;
                    self.count(published);
                }
                Ok(Step::LeftOut(error)) => self.leave_out(&error),
                Ok(Step::NoFrame) => {}
                Ok(Step::Finished) => {
                    // The last frame stands as long as any other.
                    return match self.control.wait(self.pace.next()) {
                        ControlFlow::Continue(()) => End::Finished,
                        ControlFlow::Break(()) => End::Stopped,
                    };
                }
                Ok(Step::Stopped) => return End::Stopped,
                Err(error) => return End::Failed(error),
            }
            self.tell();
        }
    }

    /// Draws the next frame, and publishes it when it is due.
    fn step(&mut self, sink: &mut FrameSink<'_>) -> Result<Step, LoadError> {
        if self.control.wait(None).is_break() {
            return Ok(Step::Stopped);
        }
        if let Some(loss) = sink.loss() {
            return Err(loss.into());
        }
        let (frame, due, begun) = match self.pending.take() {
            Some(Pending { frame, due, begun }) => (frame, due, Some(begun)),
            None => match self.frames.find() {
                Ok(Found::Frame(frame)) => (frame, None, None),
                Ok(Found::NoFrame) => return Ok(Step::NoFrame),
                Ok(Found::End) => return Ok(Step::Finished),
                Err(error) => return stopped(error),
            },
        };
        let frames = &mut *self.frames;
        let drawn = match sink.draw(&frame.metadata, begun, &mut |pixels| frames.draw(pixels)) {
            Ok(Attempt::Drawn(draft)) => Ok(draft),
            Ok(Attempt::NoRoom(error)) => Err(error),
            Ok(Attempt::Damaged) => return Ok(Step::NoFrame),
            Ok(Attempt::Lost(begun)) => {
                self.pending = Some(Pending { frame, due, begun });
                return Ok(Step::NoFrame);
            }
            Err(error) => return stopped(error),
        };
        let due = due.or_else(|| Some(self.pace.due(Instant::now(), frame.lasts?)));
        if let Some(due) = due
            && self.wait_until(due, sink).is_break()
        {
            return Ok(Step::Stopped);
        }
        if let Some(loss) = sink.loss() {
            let begun = drawn.ok().map(Draft::into_unfinished);
            self.pending = begun.map(|begun| Pending { frame, due, begun });
            return Err(loss.into());
        }
        match drawn.and_then(|draft| sink.publish(draft, &frame.metadata)) {
            Ok(published) => Ok(Step::Published(published, frame.metadata)),
            Err(error) if error.is_passing() => Ok(Step::LeftOut(error.into())),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until a frame is due; not so long where the segment is lost meanwhile.
    fn wait_until(&mut self, due: Instant, sink: &FrameSink<'_>) -> ControlFlow<()> {
        loop {
            let look = Instant::now() + LOOK;
            self.control.wait(Some(due.min(look)))?;
            if due <= look || sink.loss().is_some() {
                return ControlFlow::Continue(());
            }
        }
    }

    fn count(&mut self, published: Sent) {
        self.tally.frames += 1;
        self.tally.bytes += published.bytes;
        self.tally.time = self.began.elapsed();
    }

    fn leave_out(&mut self, reason: &LoadError) {
        self.tally.left_out += 1;
        if !self.is_leaving_out {
            self.is_leaving_out = true;
            self.control.left_out(reason);
        }
    }

    fn tell(&mut self) {
        let (when, frames) = self.reported;
        let since = when.elapsed();
        if since < REPORT {
            return;
        }
        self.reported = (Instant::now(), self.tally.frames);
        self.control.report(&Report {
            frames: self.tally.frames,
            rate: per_second(self.tally.frames - frames, since),
            notice: self.frames.notice(),
        });
    }
}

/// Takes it for the end that was asked for, or for a failure.
fn stopped(error: FrameError) -> Result<Step, LoadError> {
    match error {
        FrameError::Stopped => Ok(Step::Stopped),
        error => Err(LoadError::Frames(error)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "people read one decimal place of it"
)]
fn per_second(frames: u64, time: Duration) -> f64 {
    frames as f64 / time.as_secs_f64().max(f64::EPSILON)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let frames = units::count(self.frames);
        let rate = format!("{:.1}", self.rate);
        f.write_str(&tr!("streaming-report", frames = frames, rate = rate))
    }
}

impl fmt::Display for Streamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            frames,
            bytes,
            left_out,
            time,
        } = self.tally;
        let written = units::count(frames);
        let bytes = units::bytes(bytes);
        // Between two frames there is one interval.
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
        let left_out = match left_out {
            0 => None,
            more => Some(tr!("streamed-left-out", frames = units::count(more))),
        };
        f.write_str(&language::sentences([streamed].into_iter().chain(left_out)))
    }
}
