//! Who watches: viewers tell publishers that they are there, and what they have shown.
//!
//! A publisher's [`Audience`] listens at a local socket that is named after the
//! segment; a viewer's [`Seat`] goes to the sockets of all its publishers.
//! Everything else works without: where there is no place for a socket, who
//! watches cannot be told, and that is all.
//!
//! What is said is a stranger's word, though of the same user: it is for people
//! to read. The bytes are written down in `docs/LINK.md`.

mod attendant;
mod audience;
mod guest;
mod pace;
mod place;
mod record;
mod seat;

use std::path::Path;
use std::time::Duration;

pub use audience::Audience;
pub use seat::Seat;

use crate::process::Process;
use place::{Missing, Place};

/// Somebody who watches, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watcher {
    /// Who it is.
    pub process: Process,
    /// File name of the program; "unknown" where it does not say.
    pub program: String,
    /// What it has shown last; none before the first.
    pub shown: Option<Shown>,
}

/// A sample that somebody watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The sample's number.
    pub sequence: u64,
    /// How long after its publication it was shown.
    pub took: Duration,
}

/// Removes the sockets in this directory of segments, and where its sockets are otherwise, that
/// died with their publishers; those of `living` segments are left to the viewers.
pub(crate) fn sweep(segments: &Path, living: &[u128]) {
    for place in Place::all(segments, Missing::Leave).into_iter().flatten() {
        place.sweep(living);
    }
}
