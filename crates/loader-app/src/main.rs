//! SharedMemoryLoad: loads text, pictures and files into named shared memory, from a window or from
//! the command line. This file parses the arguments, then opens the window or runs a command.
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

use app::LaunchSettings;
use cli::{Command, CommandError};

const EXAMPLES: &str = "\
Examples:
  loader-app                                   open the window
  loader-app text \"Hello, 世界\"                load a text, and stay attached until Ctrl-C
  loader-app --key Photo image cat.png         load a picture under another key
  tar c src | loader-app file --persist -      load bytes, and keep them after exit
  loader-app frames --test-pattern             stream a moving test pattern
  loader-app --key qt:K text Hello             load a text for a program that uses QSharedMemory

A segment exists while a program is attached to it; with --persist it exists until
`viewer-app remove`. `viewer-app show` reads its content.";

/// Load text, pictures and files into named shared memory.
///
/// Without a command, open the window of SharedMemoryLoad.
#[derive(Debug, Parser)]
#[command(name = "loader-app", version, about, after_help = EXAMPLES)]
struct Arguments {
    /// Load under this key: a name, or the key of a Qt program, such as qt:NAME or posix:/name
    /// [default: MySharedMemory; in the window, the last one used].
    #[arg(long, global = true, value_name = "KEY", value_parser = explain::address)]
    key: Option<Address>,

    /// Open the window with this form for the key of a Qt program: qstring, qbytearray, cstring,
    /// raw or qimage. With a command, put the option after the command.
    #[arg(long = "as", value_name = "FORM", requires = "key")]
    form: Option<Form>,

    /// Print viewers, the progress of a stream, and the window's status lines (as `status: …`) to
    /// stderr.
    #[arg(long, global = true)]
    verbose: bool,

    /// Use this language in the window and its status lines: en or zh-CN [default: the locale's].
    /// Commands print English.
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
        Err(message) => {
            cli::log(&message);
            ExitCode::FAILURE
        }
    }
}

/// Checks combinations of arguments that the parser does not.
fn check(arguments: &Arguments) -> Result<(), clap::Error> {
    let Some(command) = &arguments.command else {
        return Ok(());
    };
    let mut program = Arguments::command();
    if arguments.form.is_some() {
        let message = "put --as after the command: loader-app text --as qstring …";
        return Err(program.error(ErrorKind::ArgumentConflict, message));
    }
    command.check(&mut program)
}

fn run(arguments: Arguments) -> Result<(), String> {
    // Before the first mapping: the session reads its segment in place, and another process can
    // truncate the file.
    shm_core::guard_against_truncation()
        .map_err(|error| format!("Cannot install the SIGBUS handler: {error}."))?;
    match arguments.command {
        Some(command) => {
            let key = arguments
                .key
                .map_or_else(|| explain::address(DEFAULT_KEY), Ok)?;
            cli::run(command, &key, arguments.verbose).map_err(|error| error.to_string())
        }
        None => {
            language::set(arguments.lang.unwrap_or_else(Language::of_locale));
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
        return Err(CommandError::FormNeedsQtKey.to_string());
    }
    let run = || {
        let settings = LaunchSettings {
            key: arguments.key,
            form: arguments.form,
            directory: None,
            verbose: arguments.verbose,
            saved: settings::load_for("loader-app"),
        };
        app::application(settings).run()
    };
    display::open(run).map_err(|error| {
        format!(
            "{error} Without a window, load from the command line: loader-app text \"Hello\" \
             (see loader-app --help)."
        )
    })
}
