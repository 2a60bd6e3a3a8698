//! Opens a window, or explains in one sentence why it cannot be opened.
//!
//! If no display answers, or a library of the window system is missing, the window library panics
//! while it creates its event loop. [`open`] checks first, and converts the remaining panics into
//! errors.

use std::env;
use std::fmt;
use std::net::TcpStream;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::path::PathBuf;
use std::{any::Any, io};

/// The beginning of the panic message if the event loop cannot be created.
const EVENT_LOOP_PANIC: &str = "Create event loop";

/// The error of opening a window.
#[derive(Debug)]
#[non_exhaustive]
pub enum DisplayError {
    /// Neither `WAYLAND_DISPLAY` nor `DISPLAY` names one.
    None,
    /// The display that a variable names does not answer.
    NoAnswer {
        /// The variable and its value, as `DISPLAY=:7`.
        variable: String,
        /// The OS error.
        source: io::Error,
    },
    /// It answers but cannot be used: a permission or a library is missing.
    Unusable {
        /// The message of the window library.
        reason: String,
    },
}

impl fmt::Display for DisplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DisplayError::None => {
                f.write_str("There is no display: neither WAYLAND_DISPLAY nor DISPLAY is set.")
            }
            DisplayError::NoAnswer { variable, source } => {
                write!(f, "The display {variable} does not answer ({source}).")
            }
            DisplayError::Unusable { reason } => write!(
                f,
                "The display cannot be used ({reason}): this user may not be permitted to, or a \
                 library of the window system is missing."
            ),
        }
    }
}

impl std::error::Error for DisplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DisplayError::NoAnswer { source, .. } => Some(source),
            DisplayError::None | DisplayError::Unusable { .. } => None,
        }
    }
}

/// Runs an application's window: `run` is its `Application::run`. Returns after all work under Qt's
/// locks is finished.
///
/// # Errors
///
/// [`DisplayError`] if no window could be opened. Other panics are resumed.
pub fn open(run: impl FnOnce() -> iced::Result) -> Result<(), DisplayError> {
    check()?;
    let loud = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_about_event_loop(info) {
            loud(info);
        }
    }));
    let outcome = panic::catch_unwind(AssertUnwindSafe(run));
    // Threads of the window may still be running.
    shm_io::critical::finish();
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(DisplayError::Unusable {
            reason: error.to_string(),
        }),
        Err(payload) => match message_of(payload.as_ref()) {
            Some(message) if concerns_opening(message) => Err(DisplayError::Unusable {
                reason: reason_in(message).to_owned(),
            }),
            _ => panic::resume_unwind(payload),
        },
    }
}

/// Checks that a display answers, without opening a window.
///
/// # Errors
///
/// [`DisplayError`] if none does.
pub fn check() -> Result<(), DisplayError> {
    let mut found = Err(DisplayError::None);
    for (name, reach) in [
        (
            "WAYLAND_DISPLAY",
            reach_wayland as fn(&str) -> io::Result<()>,
        ),
        ("DISPLAY", reach_x11),
    ] {
        let Some(value) = env::var(name).ok().filter(|value| !value.is_empty()) else {
            continue;
        };
        match reach(&value) {
            Ok(()) => return Ok(()),
            // The first that does not answer is the one that would have been used.
            Err(source) if matches!(found, Err(DisplayError::None)) => {
                found = Err(DisplayError::NoAnswer {
                    variable: format!("{name}={value}"),
                    source,
                });
            }
            Err(_) => {}
        }
    }
    found
}

fn reach_wayland(display: &str) -> io::Result<()> {
    // `join` keeps an absolute name unchanged.
    let socket = PathBuf::from(env::var_os("XDG_RUNTIME_DIR").unwrap_or_default()).join(display);
    UnixStream::connect(socket).map(drop)
}

/// Connects to `[host]:number[.screen]`; no host and `unix` mean this computer.
fn reach_x11(display: &str) -> io::Result<()> {
    let malformed = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "it has not the form host:number",
        )
    };
    let (host, rest) = display.rsplit_once(':').ok_or_else(malformed)?;
    let number = rest.split('.').next().unwrap_or(rest);
    let number: u16 = number.parse().map_err(|_| malformed())?;
    if host.is_empty() || host == "unix" {
        let path = format!("/tmp/.X11-unix/X{number}");
        return UnixStream::connect(&path)
            .or_else(|refused| {
                SocketAddr::from_abstract_name(&path)
                    .and_then(|address| UnixStream::connect_addr(&address))
                    .map_err(|_| refused)
            })
            .map(drop);
    }
    let port = number.checked_add(6000).ok_or_else(malformed)?;
    let host = host.trim_start_matches("tcp/");
    TcpStream::connect((host, port)).map(drop)
}

fn is_about_event_loop(info: &PanicHookInfo<'_>) -> bool {
    message_of(info.payload()).is_some_and(concerns_opening)
}

/// Returns `true` if a panic reports that the window system could not be reached, and not a later
/// failure.
fn concerns_opening(message: &str) -> bool {
    message.starts_with(EVENT_LOOP_PANIC)
        || (message.starts_with("Library libxkbcommon") && message.contains("could not be loaded"))
}

/// Extracts the error from a panic message, without the source location.
fn reason_in(message: &str) -> &str {
    match message.split_once("error: ") {
        // Two brackets were opened before it.
        Some((_, reason)) => reason.strip_suffix(" })").unwrap_or(reason),
        None => message.trim_end_matches('.'),
    }
}

fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_display_name_is_refused() {
        for display in ["", "7", ":", ":x", "host:70000", ":-1"] {
            let error = reach_x11(display).expect_err(display);
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{display}");
        }
    }

    #[test]
    fn a_display_without_a_server_is_refused() {
        reach_x11(":64999.0").expect_err("no server");
        reach_wayland("/nonexistent/wayland-0").expect_err("no server");
    }

    #[test]
    fn the_reason_is_extracted_from_a_panic_message() {
        let message =
            "Create event loop: Os(OsError { line: 7, file: \"x\", error: Misc(\"gone\") })";
        assert_eq!(reason_in(message), "Misc(\"gone\")");
        assert_eq!(
            reason_in("Library x.so could not be loaded."),
            "Library x.so could not be loaded"
        );
    }

    #[test]
    fn only_panics_of_opening_the_display_are_caught() {
        assert!(concerns_opening(
            "Create event loop: Os(OsError { line: 1 })"
        ));
        assert!(concerns_opening(
            "Library libxkbcommon-x11.so could not be loaded."
        ));
        assert!(!concerns_opening("index out of bounds"));
    }
}
