//! The command line: the same session as the window's, without a window.

mod form;
mod frames;
mod memory;
mod picture;
mod presence;
mod ring;
mod share;

use std::fmt;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Subcommand};
use gui_common::desktop::signals::{Ended, Termination};
use gui_common::picture::limit::Limit;
use gui_common::text::language;
use gui_common::text::terminal;
use gui_common::text::units;
use gui_common::tr;
use shm_core::Options;
use shm_io::{Address, Deadline};

use self::form::StreamedAs;
use self::frames::FramesArguments;
use self::memory::Memory;
use self::ring::Ring;
use self::share::Share;
use crate::session::{self, Bytes, LoadError, Loadable, Loaded, Session};

/// How often it is looked whether what is loaded can be found still.
const LOOK: Duration = Duration::from_secs(1);

const TEXT_EXAMPLES: &str = "\
Examples:
  loader-app text \"Hello, 世界\"            stays until Ctrl-C
  loader-app text --for 10s \"Back soon\"    stays for ten seconds
  date | loader-app text --persist         leaves it there, and returns
  loader-app text --restore \"Hello\"        loads it again where a cleaner removes it
  loader-app text --mode 644 \"Hello, all\"  lets every user read it
  loader-app text --group video \"Hello\"    lets the group video read it
  loader-app text --ring 16M \"Hello\"       makes room for what others load after it
  loader-app --key Notes text - <notes.txt
  loader-app --key qt:K text --as cstring \"Hello, Qt\"";

const IMAGE_EXAMPLES: &str = "\
Examples:
  loader-app image cat.png
  loader-app image --for 2m scan.tiff
  loader-app --key Photo image --persist photo.jpg
  loader-app image --limit 4G panorama.tif
  loader-app image --retain 64M cat.png    keeps 64 MiB of the pictures that others load before their last

PNG, JPEG, GIF, BMP, WebP, TIFF, PNM, QOI, ICO and XPM are known, by content. The picture
travels as raw pixels, upright, at most 65,535 a side. What it takes is reckoned from its header.
The default of 1 GiB admits some 350 megapixels without opacity in PNG, TIFF, BMP, QOI or baseline
JPEG; half of that in a JPEG that is turned, as its camera notes; 110 to 170 in a progressive JPEG; a
third under the key of a Qt program.";

const FILE_EXAMPLES: &str = "\
Examples:
  loader-app file report.pdf
  tar c src | loader-app file -
  loader-app file --ring 1M --persist part.bin
  loader-app --key Dump file --persist core.bin";

/// What to load.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Loads a text.
    #[command(after_help = TEXT_EXAMPLES)]
    Text {
        /// How it lies in shared memory.
        #[command(flatten)]
        placing: Placing,
        /// The text; without it, or with "-", UTF-8 is read from standard input.
        text: Option<String>,
    },
    /// Loads a picture, as raw pixels.
    #[command(after_help = IMAGE_EXAMPLES)]
    Image {
        /// How it lies in shared memory.
        #[command(flatten)]
        placing: Placing,
        /// How much memory it may take.
        #[command(flatten)]
        memory: Memory,
        /// The picture file.
        file: PathBuf,
    },
    /// Loads any bytes; the ending of the name, or else the content, tells their media type.
    #[command(after_help = FILE_EXAMPLES)]
    File {
        /// How it lies in shared memory.
        #[command(flatten)]
        placing: Placing,
        /// The file; "-" reads standard input.
        file: PathBuf,
    },
    /// Streams frames: raw video from standard input, or a moving test pattern.
    #[command(after_help = frames::EXAMPLES)]
    Frames(FramesArguments),
}

impl Command {
    /// Checks what no argument can tell by itself. `program` is the command line's definition.
    ///
    /// # Errors
    ///
    /// The usage error, ready to be printed.
    pub(crate) fn check(&self, program: &mut clap::Command) -> Result<(), clap::Error> {
        let (name, problem) = match self {
            Command::Frames(arguments) => ("frames", arguments.problem()),
            Command::Text { placing, .. } => ("text", placing.share.problem()),
            Command::Image { placing, .. } => ("image", placing.share.problem()),
            Command::File { placing, .. } => ("file", placing.share.problem()),
        };
        let Some(problem) = problem else {
            return Ok(());
        };
        program.build();
        let command = match program.find_subcommand_mut(name) {
            Some(command) => command,
            None => program,
        };
        Err(command.error(ErrorKind::ValueValidation, problem))
    }

    /// Refuses what only the other kind of key can do.
    fn refuse_of_others(&self, key: &Address) -> Result<(), CommandError> {
        let (share, ring, form) = match self {
            Command::Text { placing, .. }
            | Command::Image { placing, .. }
            | Command::File { placing, .. } => {
                (placing.share, placing.ring, placing.streamed.form())
            }
            Command::Frames(arguments) => (arguments.share(), arguments.ring(), None),
        };
        let is_qt = key.qt().is_some();
        match form {
            Some(_) if !is_qt => Err(CommandError::FormOfQt),
            _ if is_qt && share.is_asked_for() => Err(CommandError::ModeOfQt),
            _ if is_qt && ring.is_asked_for() => Err(CommandError::RingOfQt),
            _ => Ok(()),
        }
    }
}

/// How what is loaded lies in shared memory.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Placing {
    /// How long to stay attached.
    #[command(flatten)]
    stay: Stay,
    /// Who else may read it.
    #[command(flatten)]
    share: Share,
    /// How much stays for slow readers.
    #[command(flatten)]
    ring: Ring,
    /// What Qt programs read.
    #[command(flatten)]
    streamed: StreamedAs,
}

impl Placing {
    /// Says everything that is to be known of where it was loaded.
    fn warn(self, loaded: &Loaded) {
        let found = [
            loaded.warning(),
            self.share.warning(loaded),
            self.ring.warning(loaded),
        ];
        for warning in found.into_iter().flatten() {
            tell(&format!("warning: {warning}"));
        }
    }
}

/// How long to stay attached.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Stay {
    /// Returns at once and leaves the content in place, until `viewer-app remove`.
    #[arg(long)]
    persist: bool,

    /// Stays for this long, such as 500ms, 10s or 2m, instead of until Ctrl-C.
    #[arg(long = "for", value_name = "DURATION", value_parser = units::duration, conflicts_with = "persist")]
    duration: Option<Duration>,

    /// Loads it again where another program removes, moves away or replaces what was loaded, instead
    /// of ending with 1.
    ///
    /// That is looked for once a second. systemd-logind does it, unless RemoveIPC=no is set, when you
    /// log out; and so do cleaners of /dev/shm.
    #[arg(long, conflicts_with = "persist")]
    restore: bool,
}

/// Why a command was not done.
#[derive(Debug)]
#[non_exhaustive]
pub(crate) enum CommandError {
    /// Nothing was loaded.
    Load(LoadError),
    /// What came from standard input is no text.
    NotUtf8 {
        /// The first byte that does not fit, counted from 0.
        offset: usize,
    },
    /// Standard input could not be read.
    Stdin(io::Error),
    /// Standard input is a keyboard, where video should come from.
    NoVideo,
    /// The video ended before its first frame.
    NoFrames,
    /// It could not be waited for the end.
    Signals(io::Error),
    /// What was loaded was taken away by another program.
    Lost(Address),
    /// `--as` with a key that is not of a Qt program.
    FormOfQt,
    /// `--mode` with a key of a Qt program.
    ModeOfQt,
    /// `--ring` with a key of a Qt program.
    RingOfQt,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommandError::Load(error) => error.fmt(f),
            CommandError::NotUtf8 { offset } => write!(
                f,
                "Standard input is not UTF-8 text: the byte at offset {offset} does not fit. \
                 To load bytes as they are: loader-app file -"
            ),
            CommandError::Stdin(error) => {
                write!(f, "Standard input cannot be read: {error}.")
            }
            CommandError::NoVideo => f.write_str(
                "Video is read from standard input, and that is a terminal. Pipe it in, as in \
                 ffmpeg … | loader-app frames …, or use --test-pattern.",
            ),
            CommandError::NoFrames => f.write_str(
                "Standard input ended before there was a frame, so nothing was loaded. Look what \
                 the program that should write the video says.",
            ),
            CommandError::FormOfQt => f.write_str(
                "--as says what a Qt program reads, and this key is not of one: write it as qt:KEY, or \
                 leave --as out.",
            ),
            CommandError::ModeOfQt => f.write_str(
                "Under a key of a Qt program nothing can be shared with other users: leave --mode out, \
                 and --group.",
            ),
            CommandError::RingOfQt => f.write_str(
                "A segment of a Qt program has one content and no ring: leave --ring out, and --retain.",
            ),
            CommandError::Lost(key) => f.write_str(&language::sentences([
                tr!("lost", key = key),
                session::remedy_of_loss(),
                "With --restore it is loaded again by itself.".to_owned(),
            ])),
            CommandError::Signals(error) => write!(
                f,
                "It cannot be waited for Ctrl-C ({error}), so nothing stays loaded. Try --persist."
            ),
        }
    }
}

impl std::error::Error for CommandError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CommandError::Load(error) => Some(error),
            CommandError::Stdin(error) | CommandError::Signals(error) => Some(error),
            CommandError::NotUtf8 { .. }
            | CommandError::NoVideo
            | CommandError::NoFrames
            | CommandError::FormOfQt
            | CommandError::ModeOfQt
            | CommandError::RingOfQt
            | CommandError::Lost(_) => None,
        }
    }
}

/// Loads, prints one line, if `verbose` others about who watches, and stays attached as long as it is asked to; or streams.
///
/// # Errors
///
/// [`CommandError`], in a sentence for people.
pub(crate) fn run(command: Command, key: &Address, verbose: bool) -> Result<(), CommandError> {
    command.refuse_of_others(key)?;
    let mut limit = Limit::DEFAULT;
    let (placing, content) = match command {
        Command::Text { placing, text } => (placing, Loadable::Text(text_of(text)?)),
        Command::Image {
            placing,
            memory,
            file,
        } => {
            limit = memory.limit;
            (placing, Loadable::Picture(file, Arc::default()))
        }
        Command::File { placing, file } => (placing, Loadable::Bytes(bytes_of(&file)?)),
        Command::Frames(arguments) => return frames::run(&arguments, key, verbose),
    };
    let options = placing.ring.apply(placing.share.apply(Options::new()));
    let mut session = Session::new(options).limiting_pictures(limit);
    session.sink.set_form(placing.streamed.form());
    if verbose {
        session = session.telling_who_watches(presence::printed());
    }
    let (loaded, caught) = match content {
        // Decoding may take long, and can be stopped.
        Loadable::Picture(path, progress) => {
            let termination = Termination::catch().map_err(CommandError::Signals)?;
            let loaded = picture::load(&mut session, key, path, &progress, &termination)?;
            (loaded, Some(termination))
        }
        // A signal ends the process, and the kernel lets go of its segment.
        mut content => {
            let loaded = session.load(key, &mut content);
            (loaded.map_err(CommandError::Load)?, None)
        }
    };
    placing.warn(&loaded);
    let stay = placing.stay;
    if stay.persist {
        let kept = session.sink.persist();
        kept.map_err(|error| CommandError::Load(error.into()))?;
        terminal::print(&loaded);
        session.sink.release();
        return Ok(());
    }
    // Caught before the line is printed: whoever reads it may send a signal at once.
    let termination = match caught {
        Some(termination) => termination,
        None => Termination::catch().map_err(CommandError::Signals)?,
    };
    // A reader that has gone is no reason to let go of what is loaded.
    terminal::print(&loaded);
    if stay.duration.is_none() && terminal::is_stderr_terminal() {
        tell("It stays until Ctrl-C.");
    }
    stay.keep(&mut session, &termination)?;
    session.sink.release();
    Ok(())
}

impl Stay {
    /// Waits for the end, and looks meanwhile whether what is loaded can be found still.
    fn keep(self, session: &mut Session, termination: &Termination) -> Result<(), CommandError> {
        let time = Deadline::within(self.duration);
        let mut lost = None;
        while !time.is_over() {
            let left = time.left().unwrap_or(LOOK).min(LOOK);
            if termination.wait(Some(left)) == Ended::Signal {
                return Ok(());
            }
            lost = session.sink.release_if_lost().or(lost);
            if let Some(key) = lost.take() {
                if !self.restore {
                    return Err(CommandError::Lost(key));
                }
                match session.restore() {
                    // Another program took it away at once: the next look tries again.
                    Err(error) if error.is_removed() => lost = Some(key),
                    loaded => tell_restored(&key, loaded.map_err(CommandError::Load)?.as_ref()),
                }
            }
        }
        Ok(())
    }
}

/// Says that what was lost is loaded again.
fn tell_restored(key: &Address, loaded: Option<&Loaded>) {
    tell(&format!("warning: {}", tr!("lost", key = key)));
    if let Some(loaded) = loaded {
        if let Some(warning) = loaded.warning() {
            tell(&format!("warning: {warning}"));
        }
        tell(&format!("Restored: {loaded}"));
    }
}

fn text_of(argument: Option<String>) -> Result<String, CommandError> {
    if let Some(text) = argument.filter(|text| text != "-") {
        return Ok(text);
    }
    if io::stdin().is_terminal() {
        tell("Write the text, then press Ctrl-D at the beginning of a line.");
    }
    let mut bytes = Vec::new();
    io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(CommandError::Stdin)?;
    String::from_utf8(bytes).map_err(|error| CommandError::NotUtf8 {
        offset: error.utf8_error().valid_up_to(),
    })
}

fn bytes_of(file: &Path) -> Result<Bytes, CommandError> {
    if file == Path::new("-") {
        Ok(Bytes::stdin())
    } else {
        Bytes::open(file).map_err(CommandError::Load)
    }
}

/// Says something beside the output.
pub(crate) fn tell(line: &str) {
    terminal::warn(format_args!("loader-app: {line}"));
}
