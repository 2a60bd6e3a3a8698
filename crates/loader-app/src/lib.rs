//! SharedMemoryLoad: puts text, pictures and files into named shared memory, from a window or
//! from a command line.
#![forbid(unsafe_code)]
#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

pub mod app;
pub mod cli;
pub mod file_dialog;
pub mod frames;
pub mod media_type;
pub mod picture_file;
pub mod progress;
pub mod screen;
pub mod session;
