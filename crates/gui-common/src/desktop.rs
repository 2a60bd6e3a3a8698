//! What the desktop and the operating system offer: clipboard, dialogs, files, display, signals.

pub mod clipboard;
pub(crate) mod copy_writer;
pub mod display;
pub mod file_dialog;
pub mod save_file;
pub mod signals;
