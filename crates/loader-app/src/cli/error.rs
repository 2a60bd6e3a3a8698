//! Why a command failed.

use std::{error, fmt, io};

use gui_common::text::language;
use gui_common::tr;
use shm_io::Address;

use crate::session::{self, LoadError};

/// Why a command failed.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// The content could not be loaded.
    Load(LoadError),
    /// Standard input is not UTF-8 text.
    NotUtf8 {
        /// The offset of the first invalid byte.
        offset: usize,
    },
    /// Standard input could not be read.
    Stdin(io::Error),
    /// Standard input is a terminal, not a source of video.
    NoVideo,
    /// The video ended before its first frame.
    NoFrames,
    /// Signals cannot be caught.
    Signals(io::Error),
    /// Another program removed, moved or replaced the segment.
    Lost(Address),
    /// `--as` with a key that does not belong to a Qt program.
    FormNeedsQtKey,
    /// `--mode` or `--group` with the key of a Qt program.
    ModeOfQtKey,
    /// `--ring` or `--retain` with the key of a Qt program.
    RingOfQtKey,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Load(error) => error.fmt(f),
            CommandError::NotUtf8 { offset } => write!(
                f,
                "Standard input is not UTF-8 text: the byte at offset {offset} is invalid. \
                 To load bytes as they are: loader-app file -"
            ),
            CommandError::Stdin(error) => {
                write!(f, "Standard input cannot be read: {error}.")
            }
            CommandError::NoVideo => f.write_str(
                "Video is read from standard input, but it is a terminal. Pipe the video in, as in \
                 ffmpeg … | loader-app frames …, or use --test-pattern.",
            ),
            CommandError::NoFrames => f.write_str(
                "Standard input ended before the first frame, so nothing was loaded. Check the \
                 messages of the program that writes the video.",
            ),
            CommandError::FormNeedsQtKey => f.write_str(
                "--as applies only to the key of a Qt program: write it as qt:KEY, or leave --as out.",
            ),
            CommandError::ModeOfQtKey => f.write_str(
                "The segment of a Qt program cannot be shared with other users: leave --mode out \
                 (and --group).",
            ),
            CommandError::RingOfQtKey => f.write_str(
                "The segment of a Qt program holds one content and has no ring: leave --ring out \
                 (and --retain).",
            ),
            CommandError::Lost(key) => f.write_str(&language::sentences([
                tr!("lost", key = key),
                session::loss_remedy(),
                "With --restore the program loads it again.".to_owned(),
            ])),
            CommandError::Signals(error) => write!(
                f,
                "Ctrl-C cannot be caught ({error}), so nothing stays loaded. Try --persist."
            ),
        }
    }
}

impl error::Error for CommandError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            CommandError::Load(error) => Some(error),
            CommandError::Stdin(error) | CommandError::Signals(error) => Some(error),
            CommandError::NotUtf8 { .. }
            | CommandError::NoVideo
            | CommandError::NoFrames
            | CommandError::FormNeedsQtKey
            | CommandError::ModeOfQtKey
            | CommandError::RingOfQtKey
            | CommandError::Lost(_) => None,
        }
    }
}
