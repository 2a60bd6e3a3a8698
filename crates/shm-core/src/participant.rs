//! A participant of a segment, as others see it.

use std::fmt;
use std::time::SystemTime;

use crate::process::Process;

/// A participant of a segment, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// Its process.
    pub process: Process,
    /// The file name of its program, as the process reports it, with hidden characters
    /// [escaped](crate::escape); "unknown" if it is not known.
    pub program: String,
    /// Its access.
    pub access: Access,
    /// When it attached, if it reports that.
    pub since: Option<SystemTime>,
}

/// Displays its program and its process id: `camera (pid 4711)`.
impl fmt::Display for Participant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.program, self.process)
    }
}

/// The access of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A publisher, or attached to a block for reading and writing.
    ReadWrite,
    /// A subscriber, or attached to a block for reading only.
    ReadOnly,
}
