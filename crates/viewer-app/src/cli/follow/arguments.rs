//! The arguments of `viewer-app follow`.

use std::time::Duration;

use clap::Args;
use gui_common::text::units;
use qt_bridge::Form;
use shm_io::Begin;

use super::pattern::PathPattern;
use crate::cli::failure::Failure;
use crate::cli::memory::MemoryOption;
use crate::output::Output;
use crate::owner::Owner;

#[derive(Debug, Args)]
#[command(
    after_help = "Starts with the newest sample, then prints all later ones in order, across
restarts of the publisher. Samples that are published faster than they are printed wait in the
ring of the segment: 256 KiB, or the size given to loader-app --ring. Of samples longer than 16
KiB, such as pictures, only the newest waits, and as many as loader-app --retain keeps. Samples
that are overrun before they are read are missed: their number is printed to standard error once
a second and in total at the end, and is \"skipped\" in --json. A Qt segment has no ring: it is
polled, and only the latest content is printed; --json does not list the processes attached to
it, viewer-app info does.

A text is printed as one line, in a pipe too: line ends as \\n, tabs as \\t, other control
characters as \\u{..}, a backslash as \\\\; on a terminal invisible characters are escaped too,
unless --no-escape is given. --json prints the exact text, one object per line. Pictures and
other bytes are described in one line.

Each file of --output appears when it is complete; the file of --raw is replaced at the start,
and then grows.

Examples:
  viewer-app follow                               print each content until Ctrl-C
  viewer-app follow --new                         print only later samples
  viewer-app follow --oldest --until-end          print the whole ring, until its loader ends
  viewer-app follow --json --count 3              print three as JSON, for scripts
  viewer-app follow --timeout 10                  fail if nothing is published for 10 s
  viewer-app follow --output 'frame-%05d.png'     write frame-00001.png and so on
  viewer-app follow --output '%d.png' --limit 4G  allow more than 1 GiB of memory a picture
  viewer-app follow --raw - | ffmpeg -f rawvideo -pixel_format rgba -video_size 640x360 -i - out.mp4"
)]
pub(crate) struct Arguments {
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,

    /// Start with the oldest sample of the ring instead of the newest
    #[arg(long, conflicts_with = "new")]
    pub(super) oldest: bool,

    /// Print only samples published from now on
    #[arg(long)]
    pub(super) new: bool,

    /// Exit with code 0 when all publishers have been gone for one second, after at least one was
    /// seen; implied by --raw - and --output. With --oldest, existing samples count as a publisher
    /// seen
    #[arg(long)]
    pub(super) until_end: bool,

    /// Exit after N contents
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Fail if nothing is published for this long: seconds, or with a unit, such as 500ms or 2m
    #[arg(long, value_name = "SECONDS", value_parser = units::duration)]
    pub(super) timeout: Option<Duration>,

    /// Write each picture to a separate file: %d or %05d in PATTERN is its number, from 1
    #[arg(long, value_name = "PATTERN")]
    pub(super) output: Option<PathPattern>,

    /// The memory limit of pictures.
    #[command(flatten)]
    pub(super) memory: MemoryOption,

    /// Write the pixels of all pictures to FILE, or to standard output if FILE is "-"
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(super) raw: Option<Output>,

    /// Use the segments of USER, a name or a user id, instead of your own. They are only read. Root
    /// can read segments that USER does not share
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<Owner>,

    /// Decode the content of a Qt key as FORM: qstring, qbytearray, cstring, raw or qimage
    #[arg(long = "as", value_name = "FORM")]
    pub(super) form: Option<Form>,
}

impl Arguments {
    /// Returns `true` if pixels and JSON would both go to standard output.
    pub(crate) fn wants_stdout_twice(&self) -> bool {
        self.json && self.raw == Some(Output::Stdout)
    }

    pub(super) fn begin(&self) -> Begin {
        match (self.oldest, self.new) {
            (true, _) => Begin::Oldest,
            (_, true) => Begin::Now,
            _ => Begin::Newest,
        }
    }

    /// Returns `true` if following ends with the publishers: implied for pixels on standard output
    /// and for files, whose readers wait for the end.
    pub(super) fn ends(&self) -> bool {
        self.until_end || self.output.is_some() || self.raw == Some(Output::Stdout)
    }

    /// Refuses options that need a segment with a ring.
    pub(super) fn refuse_qt(&self) -> Result<(), Failure> {
        let options = [
            ("--oldest", self.oldest),
            ("--new", self.new),
            ("--until-end", self.until_end),
        ];
        match options.iter().find(|(_, is_set)| *is_set) {
            None => Ok(()),
            Some((option, _)) => Err(Failure::new(format!(
                "A Qt segment has a single content and does not report that its publisher has \
                 detached: leave {option} out."
            ))),
        }
    }
}
