//! Words: languages, explanations of errors, units, and what is safe to write to a terminal or window.

pub mod explain;
pub mod group;
pub mod hex;
pub mod language;
pub mod sharing;
pub mod shell;
pub mod terminal;
pub mod typed_path;
pub mod units;
pub mod visible;
