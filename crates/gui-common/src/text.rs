//! Text for people: languages, explanations of errors, units, and escaping for terminals and
//! windows.
//!
//! A module belongs here if it returns, parses or escapes text. All text that a window shows comes
//! from the Fluent files in `languages`; all output to a terminal goes through [`terminal`]; all
//! text that a window draws goes through [`visible`].

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
