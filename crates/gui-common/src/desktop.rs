//! The services of the desktop and the operating system: clipboard, file dialogs, saving files,
//! the display, signals.
//!
//! A module belongs here if it talks to something outside the process other than a segment. It
//! knows nothing of keys and contents, and returns typed errors with a remedy.

pub mod clipboard;
pub(crate) mod copy_writer;
pub mod display;
pub mod file_dialog;
pub mod save_file;
pub mod signals;
