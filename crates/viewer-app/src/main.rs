//! ShowSharedMem: shows, lists and removes named shared memory segments, in a window or on the
//! command line.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod app;
mod cli;
mod export;
mod file_dialog;
mod json;
mod npy;
mod output;
mod owner;
mod picture_file;
mod report;
mod screen;
mod session;

use std::process::ExitCode;

use gui_common::desktop::save_file::Cleanup;
use gui_common::settings;
use gui_common::text::language::{self, Language};
use gui_common::text::terminal;
use gui_common::widget::key_field::DEFAULT_KEY;
use shm_io::Address;

use crate::cli::{Cli, Failure};

fn main() -> ExitCode {
    let _cleanup = Cleanup;
    terminal::guard_panics();
    match run(Cli::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Cli) -> Result<(), Failure> {
    // Before the first mapping: payloads are read in place, and a faulty publisher may truncate the
    // file.
    shm_core::guard_against_truncation()?;
    match arguments.command {
        Some(command) => {
            let key = arguments.key.map_or_else(|| DEFAULT_KEY.parse(), Ok)?;
            cli::run(&key, command)
        }
        None => {
            language::set(arguments.lang.unwrap_or_else(Language::of_locale));
            open_window(arguments)
        }
    }
}

fn open_window(arguments: Cli) -> Result<(), Failure> {
    let Cli {
        key, form, verbose, ..
    } = arguments;
    if let Some(key) = &key {
        cli::refuse_form(key, form)?;
    }
    let wanted_key = key.as_ref().map_or(DEFAULT_KEY, Address::as_str).to_owned();
    let run = || {
        let settings = app::Settings {
            key,
            form,
            is_verbose: verbose,
            remembered: settings::load_for("viewer-app"),
        };
        app::application(settings).run()
    };
    gui_common::desktop::display::open(run).map_err(|error| {
        Failure::new(format!(
            "{error} Without a window: viewer-app show --key {}",
            gui_common::text::shell::quoted(&wanted_key)
        ))
    })
}
