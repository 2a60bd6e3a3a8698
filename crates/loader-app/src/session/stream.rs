//! Frames into shared memory, one after the other, each when it is due.

mod stage;

use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use app_kit::{language, say, units};
use qt_bridge::{Address, Form, LockErrorKind, QtKey, SegmentErrorKind, StreamError, User};
use shm_core::{ImageMetadata, Key, PublishErrorKind};

use self::stage::{Attempt, Begun, Pictures, Published, Stage};
use super::{Capacity, LoadError, Loaded, Released, Session, owner_of_content};
use crate::frames::{Found, Frame, FrameError, Frames, Pace};

/// How often it is told how a stream goes.
const REPORT: Duration = Duration::from_secs(1);

/// How often it is looked whether the segment can be found still, while no frame is due or none comes.
const LOOK: Duration = Duration::from_secs(1);

/// Whoever has a stream played: waits for its frames, may stop it, and is told how it goes.
pub trait Control {
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
pub struct Report {
    /// How many frames were published.
    pub frames: u64,
    /// How many a second, of late.
    pub rate: f64,
    /// What of the source is left out.
    pub notice: Option<String>,
}

/// What was streamed.
#[derive(Debug)]
pub struct Streamed {
    /// Where to.
    pub key: Address,
    /// How much.
    pub tally: Tally,
    /// Why it came to an end.
    pub end: End,
}

/// What a stream came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many frames were published.
    pub frames: u64,
    /// How many bytes they had.
    pub bytes: u64,
    /// How many frames were left out, because there was no room for them, or the lock was not to be had.
    pub left_out: u64,
    /// From the first frame to the last.
    pub time: Duration,
}

/// Why a stream came to an end.
#[derive(Debug)]
pub enum End {
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
    pub fn stream(
        &mut self,
        address: impl Into<Address>,
        frames: &mut dyn Frames,
        control: &mut dyn Control,
    ) -> Result<Option<Streamed>, LoadError> {
        let address = address.into();
        // One that somebody has removed is made anew: frames cannot be read a second time.
        self.release_if_lost();
        let mut player = Player::new(frames, control);
        let begun = loop {
            let begun = match &address {
                Address::Own(key) => self.begin_own(key, &mut player),
                Address::Qt(key) => self.begin_qt(key, &mut player),
            };
            match begun {
                Err(error) if player.is_to_be_restored(&error) => {
                    if player.cool_down().is_break() {
                        return Ok(None);
                    }
                    self.release_if_lost();
                }
                begun => break begun?,
            }
        };
        let Some((loaded, shape)) = begun else {
            return Ok(None);
        };
        player.control.begun(&loaded, &shape);
        let end = self.play_rest(&mut player);
        let tally = player.tally;
        if matches!(end, End::Failed(_)) {
            self.release_if_lost();
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
            let end = match (&self.publisher, self.qt.publisher()) {
                (Some(publisher), _) => player.rest(&mut &*publisher),
                (None, Some(publisher)) => player.rest(&mut Pictures::of(publisher)),
                (None, None) => End::Finished,
            };
            match end {
                End::Failed(error) if player.is_to_be_restored(&error) => {}
                end => return end,
            }
            if player.cool_down().is_break() {
                return End::Stopped;
            }
            self.release_if_lost();
            match self.restore() {
                Ok(Some(loaded)) => player.control.restored(&loaded),
                Ok(None) => return End::Finished,
                Err(error) => return End::Failed(error),
            }
        }
    }

    /// Publishes the first frame; `None` where there is none.
    fn begin_own(
        &mut self,
        key: &Key,
        player: &mut Player<'_>,
    ) -> Result<Option<(Loaded, ImageMetadata)>, LoadError> {
        let replaced = owner_of_content(key, &self.options);
        let kept = self.publisher.as_ref();
        if let Some(publisher) = kept.filter(|publisher| publisher.key() == key) {
            let first = player.first(&mut &*publisher)?;
            return Ok(first.map(|(published, shape)| {
                let loaded = begun(key.into(), published, replaced, None);
                let permissions = publisher.permissions();
                (
                    Loaded {
                        permissions,
                        capacity: Some(Capacity::of(publisher)),
                        ..loaded
                    },
                    shape,
                )
            }));
        }
        let publisher = super::open(key, &self.options)?;
        // On failure the new publisher is dropped, and with it a segment that it made.
        let Some((published, shape)) = player.first(&mut &publisher)? else {
            return Ok(None);
        };
        let (permissions, capacity) = (publisher.permissions(), Capacity::of(&publisher));
        let released = self.hold(Some(publisher)).map(Released::from);
        let released = released.or_else(|| self.qt.release());
        let loaded = Loaded {
            released,
            permissions,
            capacity: Some(capacity),
            ..begun(key.into(), published, replaced, None)
        };
        Ok(Some((loaded, shape)))
    }

    /// Does the same under a key of Qt programs.
    fn begin_qt(
        &mut self,
        key: &QtKey,
        player: &mut Player<'_>,
    ) -> Result<Option<(Loaded, ImageMetadata)>, LoadError> {
        let first = self
            .qt
            .publish_frames(key, |publisher| player.first(&mut Pictures::of(publisher)))?;
        let Some(first) = first else {
            return Ok(None);
        };
        let (published, shape) = first.what;
        let released = self.hold(None).map(Released::from).or(first.released);
        let form = Some(Form::QImage);
        let loaded = Loaded {
            released,
            ..begun(key.clone().into(), published, first.replaced, form)
        };
        Ok(Some((loaded, shape)))
    }
}

/// What is said of the first frame.
fn begun(key: Address, published: Published, replaced: Option<User>, form: Option<Form>) -> Loaded {
    Loaded {
        key,
        kind: "image",
        bytes: published.bytes,
        sequence: published.sequence,
        form,
        replaced,
        released: None,
        permissions: None,
        capacity: None,
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
    begun: Begun,
}

/// What came of looking for a frame.
enum Step {
    Published(Published, ImageMetadata),
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
    fn first<S: Stage>(
        &mut self,
        stage: &mut S,
    ) -> Result<Option<(Published, ImageMetadata)>, LoadError> {
        loop {
            match self.step(stage)? {
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
    fn rest<S: Stage>(&mut self, stage: &mut S) -> End {
        loop {
            match self.step(stage) {
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
    fn step<S: Stage>(&mut self, stage: &mut S) -> Result<Step, LoadError> {
        if self.control.wait(None).is_break() {
            return Ok(Step::Stopped);
        }
        if let Some(loss) = stage.loss() {
            return Err(loss);
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
        let drawn = match stage.draw(self.frames, &frame.metadata, begun) {
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
            && self.wait_until(due, stage).is_break()
        {
            return Ok(Step::Stopped);
        }
        if let Some(loss) = stage.loss() {
            let begun = drawn.ok().map(S::take_out);
            self.pending = begun.map(|begun| Pending { frame, due, begun });
            return Err(loss);
        }
        match drawn.and_then(|draft| stage.publish(draft, &frame.metadata)) {
            Ok(published) => Ok(Step::Published(published, frame.metadata)),
            Err(error) if is_passing(&error) => Ok(Step::LeftOut(error)),
            Err(error) => Err(error),
        }
    }

    /// Waits until a frame is due; not so long where the segment is lost meanwhile.
    fn wait_until<S: Stage>(&mut self, due: Instant, stage: &S) -> ControlFlow<()> {
        loop {
            let look = Instant::now() + LOOK;
            self.control.wait(Some(due.min(look)))?;
            if due <= look || stage.loss().is_some() {
                return ControlFlow::Continue(());
            }
        }
    }

    fn count(&mut self, published: Published) {
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

/// Returns whether the next frame may go through all the same.
fn is_passing(error: &LoadError) -> bool {
    match error {
        LoadError::Publish(error) => matches!(
            error.kind(),
            PublishErrorKind::NoSpace { .. }
                | PublishErrorKind::RegionsFull { .. }
                | PublishErrorKind::Busy
        ),
        LoadError::Qt(error) => match error {
            qt_bridge::PublishError::Lock(error) => matches!(
                error.kind(),
                LockErrorKind::Timeout { .. } | LockErrorKind::Lost
            ),
            qt_bridge::PublishError::Segment(error) => matches!(
                error.kind(),
                SegmentErrorKind::OutOfResources
                    | SegmentErrorKind::Lock(LockErrorKind::Timeout { .. })
            ),
            qt_bridge::PublishError::TooSmall { .. } => true,
            _ => false,
        },
        LoadError::Stream(error) => matches!(error, StreamError::NoMemory { .. }),
        _ => false,
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
        f.write_str(&say!("streaming-report", frames = frames, rate = rate))
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
            0 | 1 => say!(
                "streamed",
                count = frames,
                frames = written,
                bytes = bytes,
                key = self.key
            ),
            _ => say!(
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
            more => Some(say!("streamed-left-out", frames = units::count(more))),
        };
        f.write_str(&language::sentences([streamed].into_iter().chain(left_out)))
    }
}
