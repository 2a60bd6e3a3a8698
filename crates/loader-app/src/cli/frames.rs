//! `loader-app frames`: streams raw video from standard input, or the test pattern.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use gui_common::desktop::signals::{Ended, Termination};
use gui_common::text::terminal;
use gui_common::text::units;
use gui_common::widget::form_choice;
use shm_core::{ImageMetadata, Options, PixelFormat};
use shm_io::Address;

use super::memory::MemoryOption;
use super::ring::RingOptions;
use super::share::ShareOptions;
use super::{CommandError, log, log_restored, presence};
use crate::frames::{self, FrameError, FrameReader, Rate, RawVideo, TestPattern};
use crate::session::{LoadError, Loaded, Session, StreamControl, StreamEnd, StreamProgress};

pub(super) const EXAMPLES: &str = "\
Examples:
  ffmpeg -i clip.mp4 -f rawvideo -pix_fmt rgba - | loader-app frames --size 1280x720 --fps 25 -
  loader-app frames --test-pattern
  loader-app frames --test-pattern --size 3840x2160 --fps 30 --count 900
  loader-app frames --test-pattern --retain 64M --count 100
  loader-app frames --size 30000x20000 --limit 3G - <scans.rgba

The formats rgba, bgra and gray have the same names in ffmpeg; rgb, bgr and gray16 are ffmpeg's
rgb24, bgr24 and gray16le, and these names are accepted too. A frame becomes visible when it is
complete. A slow reader skips to the newest frame, except for the frames that --retain keeps:
viewer-app follow reads them in order.

Under the key of a Qt program (--key qt:NAME) each frame is a QImage that holds a PNG file, as
QDataStream writes it. Qt programs get no notification, and encoding takes longer than displaying.

Each frame of the test pattern shows its number, starting at 1: in digits, and in the bottom row in
32 cells of equal width, the highest bit at the left, where white is 1.";

/// The defaults of the test pattern.
const DEFAULT_SIZE: Size = Size {
    width: 1280,
    height: 720,
};
const DEFAULT_RATE: u16 = 30;

/// The arguments of `loader-app frames`.
#[derive(Clone, Debug, Args)]
pub(crate) struct FramesArguments {
    /// Read or draw frames of this size in pixels, such as 1280x720.
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,

    /// Use this pixel format: one byte per channel, in this order; gray16 has two bytes, the low
    /// one first.
    #[arg(long, value_enum, default_value_t = Format::Rgba)]
    format: Format,

    /// Publish N frames per second, such as 25, 29.97 or 30000/1001; "max" publishes each frame as
    /// soon as it is ready.
    ///
    /// The default is "max" for video and 30 for the test pattern.
    #[arg(long, value_name = "N")]
    fps: Option<Speed>,

    /// Draw a moving test pattern instead of reading video.
    #[arg(long, conflicts_with = "input")]
    test_pattern: bool,

    /// Stop after N frames of the test pattern.
    #[arg(long, value_name = "N", requires = "test_pattern", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Keep the last frame after exit, until `viewer-app remove`.
    #[arg(long)]
    persist: bool,

    /// Continue in a new segment, starting with the last frame, if another program removes, moves
    /// or replaces this one, instead of exiting with status 1.
    #[arg(long)]
    restore: bool,

    /// The memory limit of a frame.
    #[command(flatten)]
    memory: MemoryOption,

    /// The access of other users.
    #[command(flatten)]
    share: ShareOptions,

    /// The retention of older frames.
    #[command(flatten)]
    ring: RingOptions,

    /// Read standard input, which is the default.
    #[arg(value_name = "-", value_parser = ["-"])]
    input: Option<String>,
}

/// Width and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    width: u32,
    height: u32,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let sides = text.split_once(['x', 'X', '×']);
        let sides = sides.and_then(|(width, height)| Some((side(width)?, side(height)?)));
        match sides {
            Some((width, height)) => Ok(Size { width, height }),
            None => Err(format!(
                "write width x height in pixels, such as 1280x720, at most {} each",
                ImageMetadata::MAX_SIDE
            )),
        }
    }
}

fn side(text: &str) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let side = text.parse().ok().filter(|_| is_number)?;
    (1..=ImageMetadata::MAX_SIDE)
        .contains(&side)
        .then_some(side)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Rgba,
    #[value(alias = "rgb24")]
    Rgb,
    Bgra,
    #[value(alias = "bgr24")]
    Bgr,
    Gray,
    #[value(alias = "gray16le")]
    Gray16,
}

impl From<Format> for PixelFormat {
    fn from(format: Format) -> PixelFormat {
        match format {
            Format::Rgba => PixelFormat::Rgba8,
            Format::Rgb => PixelFormat::Rgb8,
            Format::Bgra => PixelFormat::Bgra8,
            Format::Gray => PixelFormat::Gray8,
            Format::Bgr => PixelFormat::Bgr8,
            Format::Gray16 => PixelFormat::Gray16,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speed {
    Paced(Rate),
    /// Each frame as soon as it is ready.
    Max,
}

impl FromStr for Speed {
    type Err = <Rate as FromStr>::Err;

    fn from_str(text: &str) -> Result<Speed, Self::Err> {
        match text {
            "max" => Ok(Speed::Max),
            text => text.parse().map(Speed::Paced),
        }
    }
}

impl FramesArguments {
    pub(super) fn share(&self) -> ShareOptions {
        self.share
    }

    pub(super) fn ring(&self) -> RingOptions {
        self.ring
    }

    /// Returns a message if the arguments contradict each other or one is missing.
    pub(super) fn usage_error(&self) -> Option<String> {
        if self.size.is_none() && !self.test_pattern {
            return Some(
                "raw video does not contain its size: give the width and height of its writer, such \
                 as --size 1280x720 (ffmpeg prints them for its output)"
                    .to_owned(),
            );
        }
        let size = self.shape().err().map(|error| error.to_string());
        size.or_else(|| self.share.usage_error())
    }

    fn shape(&self) -> Result<ImageMetadata, FrameError> {
        let Size { width, height } = self.size.unwrap_or(DEFAULT_SIZE);
        frames::shape(self.format.into(), width, height, self.memory.limit)
    }

    fn open<'t>(
        &self,
        termination: &'t Termination,
    ) -> Result<Box<dyn FrameReader + 't>, CommandError> {
        let failed = |error| CommandError::Load(LoadError::Frames(error));
        let shape = self.shape().map_err(failed)?;
        if self.test_pattern {
            let pattern = TestPattern::new(shape, self.rate(), self.count);
            return Ok(Box::new(pattern.map_err(failed)?));
        }
        if io::stdin().is_terminal() {
            return Err(CommandError::NoVideo);
        }
        let video = RawVideo::stdin(shape, self.rate(), termination);
        Ok(Box::new(video.map_err(CommandError::Stdin)?))
    }

    fn rate(&self) -> Option<Rate> {
        match self.fps {
            Some(Speed::Paced(rate)) => Some(rate),
            Some(Speed::Max) => None,
            None => self.test_pattern.then(|| Rate::per_second(DEFAULT_RATE)),
        }
    }
}

/// Streams until the frames end or a signal arrives. Prints a line at the first frame and one at
/// the end.
pub(super) fn run(
    arguments: &FramesArguments,
    key: &Address,
    verbose: bool,
) -> Result<(), CommandError> {
    let termination = Termination::catch().map_err(CommandError::Signals)?;
    let mut frames = arguments.open(&termination)?;
    let mut session = Session::new(arguments.ring.apply(arguments.share.apply(Options::new())));
    if verbose {
        session = session.report_viewers(presence::print_changes());
    }
    let mut terminal = TerminalControl {
        termination: &termination,
        arguments,
        verbose,
        progress: terminal::Progress::default(),
    };
    let streamed = session.stream(key, frames.as_mut(), &mut terminal);
    terminal.progress.erase();
    let streamed = streamed.map_err(|error| match error {
        error if error.is_removed() => CommandError::Lost(key.clone()),
        error => CommandError::Load(error),
    });
    let Some(streamed) = streamed? else {
        return match termination.wait(Some(Duration::ZERO)) {
            Ended::Signal => Ok(()),
            Ended::Timeout | Ended::Done => Err(CommandError::NoFrames),
        };
    };
    if arguments.persist {
        let persisted = session.sink.persist();
        persisted.map_err(|error| CommandError::Load(error.into()))?;
    }
    terminal::print(&streamed);
    session.sink.release();
    match streamed.end {
        StreamEnd::Finished | StreamEnd::Stopped => Ok(()),
        StreamEnd::Failed(error) if error.is_removed() => Err(CommandError::Lost(key.clone())),
        StreamEnd::Failed(error) => Err(CommandError::Load(error)),
    }
}

/// Controls a stream from the command line.
struct TerminalControl<'a> {
    termination: &'a Termination,
    arguments: &'a FramesArguments,
    verbose: bool,
    progress: terminal::Progress,
}

impl TerminalControl<'_> {
    /// Erases the progress line and prints a line to stderr.
    fn log(&mut self, line: &str) {
        self.progress.erase();
        log(line);
    }
}

impl StreamControl for TerminalControl<'_> {
    fn wait(&mut self, due: Option<Instant>) -> ControlFlow<()> {
        let left = due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now())
        });
        match self.termination.wait(Some(left)) {
            Ended::Timeout | Ended::Done => ControlFlow::Continue(()),
            Ended::Signal => ControlFlow::Break(()),
        }
    }

    fn begun(&mut self, loaded: &Loaded, frame: &ImageMetadata) {
        let arguments = self.arguments;
        let found = [
            loaded.warning(),
            arguments.share.warning(loaded),
            arguments.ring.warning(loaded),
        ];
        for warning in found.into_iter().flatten() {
            self.log(&format!("warning: {warning}"));
        }
        let size = units::bytes(loaded.bytes);
        let size_and_segment = match loaded.form {
            None => format!(
                "{size} per frame, into {} (sequence {})",
                loaded.key, loaded.sequence
            ),
            Some(form) => format!(
                "{size} for the first frame, into {} as {}",
                loaded.key,
                form_choice::name(form)
            ),
        };
        terminal::print(format_args!(
            "Streaming {} × {} {}, {size_and_segment}.",
            frame.width,
            frame.height,
            frame.format.name()
        ));
    }

    fn restores(&self) -> bool {
        self.arguments.restore
    }

    fn restored(&mut self, loaded: &Loaded) {
        self.progress.erase();
        log_restored(&loaded.key, Some(loaded));
    }

    fn report(&mut self, progress: &StreamProgress) {
        if self.verbose {
            log(&progress.to_string());
        } else {
            self.progress.show(progress);
        }
    }

    fn frames_skipped(&mut self, reason: &LoadError) {
        self.log(&format!(
            "warning: Frames are being skipped; the last frame stays. {}",
            reason.remedy()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_sides_within_the_bounds() {
        let size = |width, height| Ok(Size { width, height });
        assert_eq!("1280x720".parse::<Size>(), size(1280, 720));
        assert_eq!("1×65535".parse::<Size>(), size(1, 65_535));
        for text in [
            "", "x", "1280", "1280x", "0x1", "65536x1", "-1x1", "+1x1", "1x1x1", "1 x 1",
        ] {
            let error = text.parse::<Size>().expect_err(text);
            assert!(error.contains("such as 1280x720"), "{error}");
        }
    }
}
