//! `loader-app frames`: a stream from standard input, or of the test pattern.

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

use super::memory::Memory;
use super::ring::Ring;
use super::share::Share;
use super::{CommandError, presence, tell, tell_restored};
use crate::frames::{self, FrameError, Frames, Rate, RawVideo, TestPattern};
use crate::session::{Control, End, LoadError, Loaded, Report, Session};

pub(super) const EXAMPLES: &str = "\
Examples:
  ffmpeg -i clip.mp4 -f rawvideo -pix_fmt rgba - | loader-app frames --size 1280x720 --fps 25 -
  loader-app frames --test-pattern
  loader-app frames --test-pattern --size 3840x2160 --fps 30 --count 900
  loader-app frames --test-pattern --retain 64M --count 100
  loader-app frames --size 30000x20000 --limit 3G - <scans.rgba

The names of the formats are ffmpeg's for rgba, bgra and gray; its -pix_fmt rgb24, bgr24 and
gray16le are rgb, bgr and gray16 here, and are taken by those names, too. A frame becomes visible
when all of it has come. A reader that is slow misses frames and sees the newest, but for those
that --retain keeps: viewer-app follow reads them in order.

Under the key of a Qt program (--key qt:NAME) each frame is a QImage with a PNG file, as QDataStream
writes it: no Qt program is woken by it, and making the file takes longer than showing it.

Each frame of the test pattern shows its number, the first being 1: in digits, and in the bottom
row in 32 cells of equal width, the highest bit at the left, where white is 1.";

/// What the test pattern has where nothing else is asked for.
const USUAL_SIZE: Size = Size {
    width: 1280,
    height: 720,
};
const USUAL_RATE: u16 = 30;

/// The arguments of `loader-app frames`.
#[derive(Clone, Debug, Args)]
pub(crate) struct FramesArguments {
    /// The size of each frame in pixels, such as 1280x720.
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,

    /// What a pixel consists of: one byte a channel, in this order; gray16 two, the low one first.
    #[arg(long, value_enum, default_value_t = Format::Rgba)]
    format: Format,

    /// How many frames a second, such as 25, 29.97 or 30000/1001; "max" for as fast as they come.
    ///
    /// Without it video is as fast as it comes, and the test pattern has 30.
    #[arg(long, value_name = "N")]
    fps: Option<Speed>,

    /// Draws a moving test pattern instead of reading video.
    #[arg(long, conflicts_with = "input")]
    test_pattern: bool,

    /// Ends after so many frames of the test pattern.
    #[arg(long, value_name = "N", requires = "test_pattern", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Leaves the last frame in place when it ends, until `viewer-app remove`.
    #[arg(long)]
    persist: bool,

    /// Goes on in a new segment, with the last frame first, where another program removes, moves away
    /// or replaces this one, instead of ending with 1.
    #[arg(long)]
    restore: bool,

    /// How much memory a frame may take.
    #[command(flatten)]
    memory: Memory,

    /// Who else may read it.
    #[command(flatten)]
    share: Share,

    /// How much stays for slow readers.
    #[command(flatten)]
    ring: Ring,

    /// Standard input, which is also read without it.
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
    /// As fast as they come.
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
    pub(super) fn share(&self) -> Share {
        self.share
    }

    pub(super) fn ring(&self) -> Ring {
        self.ring
    }

    /// Says what no argument can tell by itself.
    pub(super) fn problem(&self) -> Option<String> {
        if self.size.is_none() && !self.test_pattern {
            return Some(
                "Raw video does not tell its size, so --size has to: write the width and height \
                 that its writer has, such as --size 1280x720 (ffmpeg says them of its output)."
                    .to_owned(),
            );
        }
        let size = self.shape().err().map(|error| error.to_string());
        size.or_else(|| self.share.problem())
    }

    fn shape(&self) -> Result<ImageMetadata, FrameError> {
        let Size { width, height } = self.size.unwrap_or(USUAL_SIZE);
        frames::shape(self.format.into(), width, height, self.memory.limit)
    }

    fn open<'t>(&self, termination: &'t Termination) -> Result<Box<dyn Frames + 't>, CommandError> {
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
            None => self.test_pattern.then(|| Rate::per_second(USUAL_RATE)),
        }
    }
}

/// Streams until the frames end or a signal arrives, and prints a line when it begins and one when
/// it ends.
pub(super) fn run(
    arguments: &FramesArguments,
    key: &Address,
    verbose: bool,
) -> Result<(), CommandError> {
    let termination = Termination::catch().map_err(CommandError::Signals)?;
    let mut frames = arguments.open(&termination)?;
    let mut session = Session::new(arguments.ring.apply(arguments.share.apply(Options::new())));
    if verbose {
        session = session.telling_who_watches(presence::printed());
    }
    let mut terminal = Terminal {
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
        let kept = session.sink.persist();
        kept.map_err(|error| CommandError::Load(error.into()))?;
    }
    terminal::print(&streamed);
    session.sink.release();
    match streamed.end {
        End::Finished | End::Stopped => Ok(()),
        End::Failed(error) if error.is_removed() => Err(CommandError::Lost(key.clone())),
        End::Failed(error) => Err(CommandError::Load(error)),
    }
}

/// The terminal, or the script, as what controls a stream.
struct Terminal<'a> {
    termination: &'a Termination,
    arguments: &'a FramesArguments,
    verbose: bool,
    progress: terminal::Progress,
}

impl Terminal<'_> {
    /// Prints a line of its own to stderr.
    fn tell(&mut self, line: &str) {
        self.progress.erase();
        tell(line);
    }
}

impl Control for Terminal<'_> {
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
            self.tell(&format!("warning: {warning}"));
        }
        let size = units::bytes(loaded.bytes);
        let size_and_place = match loaded.form {
            None => format!(
                "{size} a frame, into {} (sequence {})",
                loaded.key, loaded.sequence
            ),
            Some(form) => format!(
                "{size} the first frame, into {} as {}",
                loaded.key,
                form_choice::name(form)
            ),
        };
        terminal::print(format_args!(
            "Streaming {} × {} {}, {size_and_place}.",
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
        tell_restored(&loaded.key, Some(loaded));
    }

    fn report(&mut self, report: &Report) {
        if self.verbose {
            tell(&report.to_string());
        } else {
            self.progress.show(report);
        }
    }

    fn left_out(&mut self, reason: &LoadError) {
        self.tell(&format!(
            "warning: Frames are left out, and the last one stays. {}",
            reason.remedy()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_two_numbers_that_a_picture_can_have() {
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
