//! The commands: they use the same [`Session`] as the window.

mod error;
mod form;
mod frames;
mod memory;
mod picture;
mod presence;
mod ring;
mod share;
mod stay;

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{Args, Subcommand};
use gui_common::desktop::signals::Termination;
use gui_common::picture::limit::Limit;
use gui_common::text::terminal;
use gui_common::tr;
use shm_core::Options;
use shm_io::Address;

pub(crate) use self::error::CommandError;

use self::form::FormOption;
use self::frames::FramesArguments;
use self::memory::MemoryOption;
use self::ring::RingOptions;
use self::share::ShareOptions;
use self::stay::StayOptions;
use crate::session::{ByteSource, Loadable, Loaded, Session};

const TEXT_EXAMPLES: &str = "\
Examples:
  loader-app text \"Hello, 世界\"            stay attached until Ctrl-C
  loader-app text --for 10s \"Back soon\"    stay attached for ten seconds
  date | loader-app text --persist         keep it, and return at once
  loader-app text --restore \"Hello\"        load it again if a cleaner removes it
  loader-app text --mode 644 \"Hello, all\"  let every user read it
  loader-app text --group video \"Hello\"    let the group video read it
  loader-app text --ring 16M \"Hello\"       keep up to 16 MiB of older samples
  loader-app --key Notes text - <notes.txt
  loader-app --key qt:K text --as cstring \"Hello, Qt\"";

const IMAGE_EXAMPLES: &str = "\
Examples:
  loader-app image cat.png
  loader-app image --for 2m scan.tiff
  loader-app --key Photo image --persist photo.jpg
  loader-app image --limit 4G panorama.tif
  loader-app image --retain 64M cat.png    keep up to 64 MiB of older pictures

Formats: PNG, JPEG, GIF, BMP, WebP, TIFF, PNM, QOI, ICO and XPM, detected by content. The picture is
published as raw pixels, upright, at most 65,535 a side. The memory it needs is computed from its
header. The default limit of 1 GiB admits about 350 megapixels without alpha in PNG, TIFF, BMP, QOI
or baseline JPEG; half of that in a JPEG whose EXIF orientation rotates it; 110 to 170 in a
progressive JPEG; a third under the key of a Qt program.";

const FILE_EXAMPLES: &str = "\
Examples:
  loader-app file report.pdf
  tar c src | loader-app file -
  loader-app file --ring 1M --persist part.bin
  loader-app --key Dump file --persist core.bin";

/// A command of loader-app.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load a text.
    #[command(after_help = TEXT_EXAMPLES)]
    Text {
        /// The options of the segment.
        #[command(flatten)]
        options: LoadOptions,
        /// The text. Without it, or with "-", read UTF-8 from standard input.
        text: Option<String>,
    },
    /// Load a picture, as raw pixels.
    #[command(after_help = IMAGE_EXAMPLES)]
    Image {
        /// The options of the segment.
        #[command(flatten)]
        options: LoadOptions,
        /// The memory limit.
        #[command(flatten)]
        memory: MemoryOption,
        /// The picture file.
        file: PathBuf,
    },
    /// Load the bytes of a file. Its extension, or else its content, determines the media type.
    #[command(after_help = FILE_EXAMPLES)]
    File {
        /// The options of the segment.
        #[command(flatten)]
        options: LoadOptions,
        /// The file. With "-", read standard input.
        file: PathBuf,
    },
    /// Stream frames: raw video from standard input, or a moving test pattern.
    #[command(after_help = frames::EXAMPLES)]
    Frames(FramesArguments),
}

impl Command {
    /// Checks combinations of arguments that the parser does not. `program` is the definition of
    /// the command line.
    ///
    /// # Errors
    ///
    /// Returns the usage error, ready to print.
    pub(crate) fn check(&self, program: &mut clap::Command) -> Result<(), clap::Error> {
        let (name, message) = match self {
            Command::Frames(arguments) => ("frames", arguments.usage_error()),
            Command::Text { options, .. } => ("text", options.share.usage_error()),
            Command::Image { options, .. } => ("image", options.share.usage_error()),
            Command::File { options, .. } => ("file", options.share.usage_error()),
        };
        let Some(message) = message else {
            return Ok(());
        };
        program.build();
        let command = match program.find_subcommand_mut(name) {
            Some(command) => command,
            None => program,
        };
        Err(command.error(ErrorKind::ValueValidation, message))
    }

    /// Rejects options that this kind of key does not support.
    fn check_key_kind(&self, key: &Address) -> Result<(), CommandError> {
        let (share, ring, form) = match self {
            Command::Text { options, .. }
            | Command::Image { options, .. }
            | Command::File { options, .. } => (options.share, options.ring, options.form.form()),
            Command::Frames(arguments) => (arguments.share(), arguments.ring(), None),
        };
        let is_qt = key.qt().is_some();
        match form {
            Some(_) if !is_qt => Err(CommandError::FormNeedsQtKey),
            _ if is_qt && share.is_set() => Err(CommandError::ModeOfQtKey),
            _ if is_qt && ring.is_set() => Err(CommandError::RingOfQtKey),
            _ => Ok(()),
        }
    }
}

/// The options that all commands but `frames` share.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct LoadOptions {
    /// How long to stay attached.
    #[command(flatten)]
    stay: StayOptions,
    /// The access of other users.
    #[command(flatten)]
    share: ShareOptions,
    /// The retention of older samples.
    #[command(flatten)]
    ring: RingOptions,
    /// The form for Qt programs.
    #[command(flatten)]
    form: FormOption,
}

impl LoadOptions {
    /// Prints the warnings about the segment to stderr.
    fn print_warnings(self, loaded: &Loaded) {
        let found = [
            loaded.warning(),
            self.share.warning(loaded),
            self.ring.warning(loaded),
        ];
        for warning in found.into_iter().flatten() {
            log(&format!("warning: {warning}"));
        }
    }
}

/// Runs a command: loads the content, prints one line, and stays attached for as long as the
/// options say; or streams. If `verbose`, prints lines about viewers to stderr.
///
/// # Errors
///
/// Returns a [`CommandError`] if the command fails.
pub(crate) fn run(command: Command, key: &Address, verbose: bool) -> Result<(), CommandError> {
    command.check_key_kind(key)?;
    let mut limit = Limit::DEFAULT;
    let (load_options, content) = match command {
        Command::Text { options, text } => (options, Loadable::Text(read_text(text)?)),
        Command::Image {
            options,
            memory,
            file,
        } => {
            limit = memory.limit;
            (options, Loadable::Picture(file, Arc::default()))
        }
        Command::File { options, file } => (options, Loadable::Bytes(open_bytes(&file)?)),
        Command::Frames(arguments) => return frames::run(&arguments, key, verbose),
    };
    let LoadOptions {
        stay,
        share,
        ring,
        form,
    } = load_options;
    let options = ring.apply(share.apply(Options::new()));
    let mut session = Session::new(options).picture_limit(limit);
    session.sink.set_form(form.form());
    if verbose {
        session = session.report_viewers(presence::print_changes());
    }
    let (loaded, caught) = match content {
        // Decoding may take long, so a signal cancels it.
        Loadable::Picture(path, progress) => {
            let termination = Termination::catch().map_err(CommandError::Signals)?;
            let loaded = picture::load(&mut session, key, path, &progress, &termination)?;
            (loaded, Some(termination))
        }
        // A signal ends the process, and the kernel detaches it from the segment.
        mut content => {
            let loaded = session.load(key, &mut content);
            (loaded.map_err(CommandError::Load)?, None)
        }
    };
    load_options.print_warnings(&loaded);
    if stay.persist {
        let persisted = session.sink.persist();
        persisted.map_err(|error| CommandError::Load(error.into()))?;
        terminal::print(&loaded);
        session.sink.release();
        return Ok(());
    }
    // Signals are caught before the line is printed: its reader may send one at once.
    let termination = match caught {
        Some(termination) => termination,
        None => Termination::catch().map_err(CommandError::Signals)?,
    };
    // A closed standard output does not release the segment.
    terminal::print(&loaded);
    if stay.duration.is_none() && terminal::is_stderr_terminal() {
        log("Attached until Ctrl-C.");
    }
    stay.wait(&mut session, &termination)?;
    session.sink.release();
    Ok(())
}

/// Logs the loss of a segment, and what was loaded again.
fn log_restored(key: &Address, loaded: Option<&Loaded>) {
    log(&format!("warning: {}", tr!("lost", key = key)));
    if let Some(loaded) = loaded {
        if let Some(warning) = loaded.warning() {
            log(&format!("warning: {warning}"));
        }
        log(&format!("Restored: {loaded}"));
    }
}

/// Returns the text of the argument, or else of standard input.
fn read_text(argument: Option<String>) -> Result<String, CommandError> {
    if let Some(text) = argument.filter(|text| text != "-") {
        return Ok(text);
    }
    if io::stdin().is_terminal() {
        log("Type the text, then press Ctrl-D at the start of a line.");
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

fn open_bytes(file: &Path) -> Result<ByteSource, CommandError> {
    if file == Path::new("-") {
        Ok(ByteSource::stdin())
    } else {
        ByteSource::open(file).map_err(CommandError::Load)
    }
}

/// Prints a line to stderr, after the name of the program.
pub(crate) fn log(line: &str) {
    terminal::print_error(format_args!("loader-app: {line}"));
}
