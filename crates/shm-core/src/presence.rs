//! Presence: viewers report to publishers that they are attached to a segment, and what they have
//! shown.
//!
//! A publisher's [`PresenceServer`] listens on a local socket that is named after the segment; a
//! viewer's [`PresenceClient`] connects to the sockets of all publishers of the segment. Publishing
//! and reading do not depend on it: if no directory is safe for a socket, viewers are not
//! reported, and nothing else changes.
//!
//! Reports are untrusted, even from the same user: show them, and base no decision on them. The
//! bytes are specified in `docs/PRESENCE.md`.
//!
//! Needs the feature `presence`.

mod client;
mod connection;
mod protocol;
mod rate_limit;
mod server;
mod socket_directory;
mod worker_thread;

use std::time::Duration;

pub use client::PresenceClient;
pub use server::PresenceServer;

use crate::options::Options;
use crate::process::Process;
use crate::segment::Listed;
use crate::segment::SegmentId;
use crate::sequence::Sequence;
use socket_directory::{Missing, SocketDirectory};

/// A process that shows what a segment's publisher publishes, as it reports itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The process.
    pub process: Process,
    /// File name of its program, with hidden characters [escaped](crate::escape).
    pub program: String,
    /// Its last report; `None` if it has shown no sample yet.
    pub report: Option<Report>,
}

/// The report of a viewer about the sample that it has shown last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The sample's sequence.
    pub sequence: Sequence,
    /// The time from its publication until it was shown.
    pub latency: Duration,
}

/// Removes the sockets that killed publishers left behind, except those of the listed segments.
///
/// `segments` is what [`segment::list`](crate::segment::list) returned for the same options. A
/// socket of a segment that still exists is left to the next [`PresenceClient`], which removes it
/// when the connection is refused.
pub fn sweep(options: &Options, segments: &[Listed]) {
    let live: Vec<SegmentId> = segments
        .iter()
        .filter_map(|listed| Some(listed.segment.as_ref().ok()?.id))
        .collect();
    let directories = SocketDirectory::all(&options.directory_path(), Missing::Leave);
    for directory in directories.into_iter().flatten() {
        directory.sweep(&live);
    }
}
