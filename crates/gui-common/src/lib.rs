//! What SharedMemoryLoad and ShowSharedMem share: theme, key field, Qt forms, status line, content
//! pane, clipboard, dropped files, typed paths, settings, language, shortcuts and help, saving,
//! background work, signals, terminal output, and the memory limit of pictures.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

pub mod desktop;
pub mod picture;
pub mod session;
pub mod settings;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod text;
pub mod widget;
