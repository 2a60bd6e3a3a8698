//! The command line: its options, commands and errors.

mod describe;
mod failure;
mod follow;
mod info;
mod list;
mod memory;
mod remove;
mod show;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use gui_common::text::explain;
use gui_common::text::language::Language;
use gui_common::text::terminal::{self, EscapeOption};
use qt_bridge::Form;
use shm_io::Address;

pub(crate) use failure::{Failure, refuse_form};

/// Show the content of named shared memory. Without a command, open a window.
#[derive(Debug, Parser)]
#[command(
    name = "viewer-app",
    version,
    after_help = "Examples:
  viewer-app                        open the window ShowSharedMem
  viewer-app show                   print the text in MySharedMemory
  viewer-app show --key Frames --output frame.png
  viewer-app follow                 print each text that is loaded, one per line
  viewer-app list                   list all segments and the programs attached
  viewer-app --key qt:K show        print what a QSharedMemory program shares

Set the environment variable SHM_CORE_DIR to use another directory than /dev/shm."
)]
pub(crate) struct Cli {
    /// Use the segment with this name, or with this key of a Qt program, such as qt:NAME or
    /// posix:/name [default: MySharedMemory; in the window, the last key used]
    #[arg(long, global = true, value_name = "KEY", value_parser = explain::address)]
    pub(crate) key: Option<Address>,

    /// Decode the content of a Qt key as FORM in the window: qstring, qbytearray, cstring, raw or
    /// qimage. Commands take this option after their name
    #[arg(long = "as", value_name = "FORM", requires = "key")]
    pub(crate) form: Option<Form>,

    /// Print each status line of the window to stderr too, as "status: …"
    #[arg(long)]
    pub(crate) verbose: bool,

    /// Use this language in the window and its status lines: en or zh-CN [default: the locale's].
    /// Commands print English
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Language>,

    #[command(flatten)]
    escape: EscapeOption,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// Parses the arguments of the process. Exits with code 2 if they are invalid.
    pub(crate) fn read() -> Cli {
        let cli = Cli::try_read(std::env::args_os()).unwrap_or_else(|error| terminal::exit(&error));
        cli.escape.apply();
        cli
    }

    fn try_read(
        arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Cli, clap::Error> {
        let cli = Cli::try_parse_from(arguments)?;
        let conflict = match &cli.command {
            Some(_) if cli.form.is_some() => {
                "Write --as after the name of the command: viewer-app show --as qstring."
            }
            Some(Command::Show(arguments)) if arguments.wants_stdout_twice() => {
                "--json and --output - both write to standard output. Name a file for --output."
            }
            Some(Command::Follow(arguments)) if arguments.wants_stdout_twice() => {
                "--json and --raw - both write to standard output. Name a file for --raw."
            }
            _ => return Ok(cli),
        };
        Err(Cli::command().error(ErrorKind::ArgumentConflict, conflict))
    }
}

/// A command that runs without a window.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a text, or write a picture or other bytes to a file
    Show(show::Arguments),
    /// Print or write each new content as it is published, until Ctrl-C
    Follow(follow::Arguments),
    /// Print the state of a segment and the processes attached to it, without reading its content;
    /// only the content of a Qt segment is read, because its kind is not stored elsewhere
    Info(info::Arguments),
    /// List all segments, and the files that are named like segments but are not valid ones
    List(list::Arguments),
    /// Remove the segment KEY
    Remove(remove::Arguments),
}

/// Runs a command.
pub(crate) fn run(address: &Address, command: Command) -> Result<(), Failure> {
    match command {
        Command::Show(arguments) => show::run(address, &arguments),
        Command::Follow(arguments) => follow::run(address, arguments),
        Command::Info(arguments) => info::run(address, &arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Remove(arguments) => remove::run(address, &arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_key_is_optional_and_accepted_before_and_after_the_command() {
        let window = Cli::try_read(["viewer-app"]).expect("no argument is needed");
        assert_eq!(window.key, None);
        assert!(window.command.is_none());
        for line in [
            ["viewer-app", "--key", "K", "show"],
            ["viewer-app", "show", "--key", "K"],
        ] {
            let cli = Cli::try_read(line).expect("both orders are usual");
            assert_eq!(cli.key.as_ref().map(Address::as_str), Some("K"));
        }
    }

    #[test]
    fn invalid_arguments_are_rejected_while_parsing() {
        for (line, kind) in [
            (&["--key", "a/b"][..], ErrorKind::ValueValidation),
            (&["--key", ""], ErrorKind::ValueValidation),
            (&["--key", "shm:x", "info"], ErrorKind::ValueValidation),
            (&["--key", "qt:", "info"], ErrorKind::ValueValidation),
            (&["show", "--as", "qpixmap"], ErrorKind::ValueValidation),
            (&["--as", "raw"], ErrorKind::MissingRequiredArgument),
            (
                &["--key", "qt:K", "--as", "raw", "show"],
                ErrorKind::ArgumentConflict,
            ),
            (&["show", "--wait", "soon"], ErrorKind::ValueValidation),
            (
                &["show", "--json", "--output", "-"],
                ErrorKind::ArgumentConflict,
            ),
            (
                &["follow", "--json", "--raw", "-"],
                ErrorKind::ArgumentConflict,
            ),
            (
                &["follow", "--output", "f%d.png", "--raw", "f"],
                ErrorKind::ArgumentConflict,
            ),
            (&["follow", "--count", "0"], ErrorKind::ValueValidation),
            (&["follow", "--count", "x"], ErrorKind::ValueValidation),
            (&["follow", "--timeout", "-1"], ErrorKind::UnknownArgument),
            (
                &["follow", "--output", "frame.png"],
                ErrorKind::ValueValidation,
            ),
            (
                &["follow", "--output", "f%d.mp4"],
                ErrorKind::ValueValidation,
            ),
            (&["info", "--json", "--hex"], ErrorKind::ArgumentConflict),
            (&["paint"], ErrorKind::InvalidSubcommand),
            (&["remove", "K"], ErrorKind::UnknownArgument),
        ] {
            let line = ["viewer-app"].iter().chain(line);
            let error = Cli::try_read(line.clone()).expect_err("it is wrong usage");
            assert_eq!(error.kind(), kind, "{line:?}");
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }
}
