//! The arguments of `viewer-app follow`.

use std::time::Duration;

use clap::Args;
use gui_common::text::units;
use qt_bridge::Form;
use shm_io::Begin;

use super::pattern::Pattern;
use crate::cli::failure::Failure;
use crate::cli::memory::Memory;
use crate::output::Output;
use crate::user::User;

#[derive(Debug, Args)]
#[command(
    after_help = "Begins with the newest that is there, and then prints everything that comes, in order, whoever
loads it: loaders may go and come. What comes faster than it is printed waits in the ring of the
segment, which its loader made: 256 KiB, or what loader-app --ring says. Of what is longer than
16 KiB, as pictures are, only the newest waits, and what loader-app --retain keeps. What is gone before
it was read is missed: standard error says how many, once a second, and a sum at the end; so does
\"skipped\" of --json. Under the key of a Qt program there is no ring: of what comes faster than it
is looked, the latest is printed; and --json tells nobody who is attached: viewer-app info does.

A text is one line, in a pipe too: its line ends are written as \\n, tabs as \\t, other control
characters as \\u{..}, a backslash as \\\\; on a terminal also invisible characters, unless
--no-escape. --json has it exactly, in one object a line. Pictures and other
bytes are described in a line.

Each file of --output appears when it is whole; that of --raw is replaced at once, and then grows.

Examples:
  viewer-app follow                               until Ctrl-C
  viewer-app follow --new                         only what comes from now on
  viewer-app follow --oldest --until-end          all that the ring has, until its loader ends
  viewer-app follow --json --count 3              three of them, for programs
  viewer-app follow --timeout 10                  fail when nothing comes for 10 s
  viewer-app follow --output 'frame-%05d.png'     pictures as frame-00001.png and so on
  viewer-app follow --output '%d.png' --limit 4G  pictures that take more than 1 GiB to write
  viewer-app follow --raw - | ffmpeg -f rawvideo -pixel_format rgba -video_size 640x360 -i - out.mp4"
)]
pub(crate) struct Arguments {
    /// Print one JSON object a line
    #[arg(long)]
    pub(super) json: bool,

    /// Begin with the oldest that the ring has, not with the newest
    #[arg(long, conflicts_with = "new")]
    pub(super) oldest: bool,

    /// Print only what comes from now on
    #[arg(long)]
    pub(super) new: bool,

    /// End, with exit code 0, when the loader that was seen has been gone for a second and no other has come;
    /// --raw - and --output always do. With --oldest, what is there counts as a loader that was seen
    #[arg(long)]
    pub(super) until_end: bool,

    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Fail when nothing new comes for so long: seconds, or with a unit, such as 500ms or 2m
    #[arg(long, value_name = "SECONDS", value_parser = units::duration)]
    pub(super) timeout: Option<Duration>,

    /// Write each picture to a file of its own: %d or %05d in PATTERN is its number, from 1
    #[arg(long, value_name = "PATTERN")]
    pub(super) output: Option<Pattern>,

    /// How much memory a picture may take.
    #[command(flatten)]
    pub(super) memory: Memory,

    /// Write the pixels of all pictures to FILE, or to standard output if FILE is "-"
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(super) raw: Option<Output>,

    /// Look among what USER shares, a name or a user id, instead of your own. Root names it to read
    /// what is not shared, too. Nobody writes or removes what is of others
    #[arg(long, value_name = "USER")]
    pub(super) owner: Option<User>,

    /// Take what a Qt program streams for qstring, qbytearray, cstring, raw or qimage
    #[arg(long = "as", value_name = "FORM")]
    pub(super) form: Option<Form>,
}

impl Arguments {
    /// Returns `true` if pixels and JSON would get mixed up.
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

    /// Returns `true` if to end when the loaders have: what reads pixels, or a folder of files, wants an end.
    pub(super) fn ends(&self) -> bool {
        self.until_end || self.output.is_some() || self.raw == Some(Output::Stdout)
    }

    /// Refuses what only a segment with a ring can do.
    pub(super) fn refuse_of_qt(&self) -> Result<(), Failure> {
        let asked = [
            ("--oldest", self.oldest),
            ("--new", self.new),
            ("--until-end", self.until_end),
        ];
        match asked.iter().find(|(_, is_asked)| *is_asked) {
            None => Ok(()),
            Some((option, _)) => Err(Failure::new(format!(
                "The segment of a Qt program has one content, and nothing tells when its loader has \
                 left: leave {option} out."
            ))),
        }
    }
}
