//! What SharedMemoryLoad and ShowSharedMem share: looks, key field, forms of Qt, status line, content pane,
//! clipboard, dropped files, typed paths, what is remembered, the language, shortcuts and their
//! overlay, saving, work off the window's thread, signals, the door to the terminal, and how much memory a
//! picture may take.
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
