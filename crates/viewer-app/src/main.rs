//! ShowSharedMem: shows, lists and removes what sits in named shared memory, in a window or on a
//! terminal.
#![forbid(unsafe_code)]

mod app;
mod cli;
mod export;
mod file_dialog;
mod output;
mod picture_file;
mod report;
mod screen;
mod session;
mod user;

use std::process::ExitCode;

use crate::cli::{Cli, Failure};

fn main() -> ExitCode {
    match run(Cli::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            cli::warn(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Cli) -> Result<(), Failure> {
    // Before anything is mapped: pictures are read in place, and their loader may be faulty.
    shm_core::guard_against_truncation()?;
    match arguments.command {
        Some(command) => cli::run(&arguments.key, command),
        None => open_window(arguments),
    }
}

fn open_window(arguments: Cli) -> Result<(), Failure> {
    let key = arguments.key.clone();
    app_kit::display::open(|| app::application(arguments.key, arguments.verbose).run()).map_err(
        |error| {
            Failure::new(format!(
                "{error}\nWithout a window: viewer-app show --key {}",
                app_kit::shell::quoted(key.as_str())
            ))
        },
    )
}
