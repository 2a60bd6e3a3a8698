//! SharedMemoryLoad: puts text, pictures and files into named shared memory, from a window or from a
//! command line. Here: the arguments, then the window or a command.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod app;
mod cli;
mod file_dialog;
mod frames;
mod media_type;
mod picture_file;
mod progress;
mod screen;
mod session;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use gui_common::desktop::display;
use gui_common::desktop::save_file::Cleanup;
use gui_common::settings;
use gui_common::text::explain;
use gui_common::text::language::{self, Language};
use gui_common::text::terminal::{self, EscapeOption};
use gui_common::widget::key_field::DEFAULT_KEY;
use qt_bridge::Form;
use shm_io::Address;

use app::Settings;
use cli::{Command, CommandError};

const EXAMPLES: &str = "\
Examples:
  loader-app                                   open the window
  loader-app text \"Hello, 世界\"                load a text, and stay until Ctrl-C
  loader-app --key Photo image cat.png         load a picture under another key
  tar c src | loader-app file --persist -      load bytes, and leave them there
  loader-app frames --test-pattern             stream a moving picture
  loader-app --key qt:K text Hello             load a text for a program that uses QSharedMemory

What is loaded lives as long as a program that loaded it is attached, or until
`viewer-app remove` where --persist was given. `viewer-app show` reads it.";

/// Puts text, pictures and files into named shared memory.
///
/// Without a command it opens the window SharedMemoryLoad.
#[derive(Debug, Parser)]
#[command(name = "loader-app", version, about, after_help = EXAMPLES)]
struct Arguments {
    /// The name under which other programs find it, or the key of a Qt program, such as qt:NAME or
    /// posix:/name [default: MySharedMemory; in the window, the last one there].
    #[arg(long, global = true, value_name = "KEY", value_parser = explain::address)]
    key: Option<Address>,

    /// Begins the window with this form of what is under the key of a Qt program: qstring, qbytearray,
    /// cstring, raw or qimage. A command takes it behind its name.
    #[arg(long = "as", value_name = "FORM", requires = "key")]
    form: Option<Form>,

    /// Prints to stderr who watches what is loaded, how a stream goes, and the window's status lines,
    /// as `status: …`.
    #[arg(long, global = true)]
    verbose: bool,

    /// The language of the window, and of its status lines: en or zh-CN [default: the locale's].
    /// Commands speak English.
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,

    #[command(flatten)]
    escape: EscapeOption,

    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let _cleanup = Cleanup;
    terminal::guard_panics();
    let arguments = Arguments::try_parse().unwrap_or_else(|error| terminal::exit(&error));
    check(&arguments).unwrap_or_else(|error| terminal::exit(&error));
    arguments.escape.apply();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            cli::tell(&sentence);
            ExitCode::FAILURE
        }
    }
}

/// Checks what no argument can tell by itself.
fn check(arguments: &Arguments) -> Result<(), clap::Error> {
    let Some(command) = &arguments.command else {
        return Ok(());
    };
    let mut program = Arguments::command();
    if arguments.form.is_some() {
        let words = "A command takes --as behind its name: loader-app text --as qstring …";
        return Err(program.error(ErrorKind::ArgumentConflict, words));
    }
    command.check(&mut program)
}

fn run(arguments: Arguments) -> Result<(), String> {
    // Before anything is mapped: what is loaded is read back in place, and others can cut it short.
    shm_core::guard_against_truncation()
        .map_err(|error| format!("The handler of SIGBUS cannot be installed: {error}."))?;
    match arguments.command {
        Some(command) => {
            let key = arguments
                .key
                .map_or_else(|| explain::address(DEFAULT_KEY), Ok)?;
            cli::run(command, &key, arguments.verbose).map_err(|error| error.to_string())
        }
        None => {
            language::choose(arguments.lang.unwrap_or_else(Language::of_locale));
            open_window(arguments)
        }
    }
}

fn open_window(arguments: Arguments) -> Result<(), String> {
    if arguments.form.is_some()
        && arguments
            .key
            .as_ref()
            .is_some_and(|key| key.own().is_some())
    {
        return Err(CommandError::FormOfQt.to_string());
    }
    let run = || {
        let settings = Settings {
            key: arguments.key,
            form: arguments.form,
            directory: None,
            verbose: arguments.verbose,
            remembered: settings::load_for("loader-app"),
        };
        app::application(settings).run()
    };
    display::open(run).map_err(|error| {
        format!(
            "{error} Without a window, load from the command line: loader-app text \"Hello\" \
             (loader-app --help tells more)."
        )
    })
}
