//! What SharedMemoryLoad and ShowSharedMem share: looks, key field, forms of Qt, status line, content pane,
//! clipboard, dropped files, typed paths, what is remembered, the language, shortcuts and their
//! overlay, saving, work off the window's thread, signals, the door to the terminal, and how much memory a
//! picture may take.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod alarm;
mod camera;
pub mod clipboard;
pub mod content_pane;
mod copy_writer;
pub mod display;
pub mod drop_target;
pub mod explain;
pub mod file_dialog;
pub mod focus;
pub mod form_choice;
pub mod group;
pub mod help;
pub mod hex;
pub mod icon;
pub mod key_field;
pub mod language;
pub mod limit;
pub mod meter;
pub mod picture;
mod picture_view;
pub mod pixels;
pub mod polling;
pub mod save_file;
pub mod settings;
pub mod sharing;
pub mod shell;
pub mod shortcut;
pub mod signals;
pub mod snapshot;
pub mod status;
pub mod tally;
pub mod terminal;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod theme;
pub mod typed_path;
pub mod unchorded;
pub mod unheard;
pub mod units;
pub mod visible;
pub mod watch;
pub mod worker;
