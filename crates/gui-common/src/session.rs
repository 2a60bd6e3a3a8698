//! Work beside the window's thread: watching a segment, snapshots, worker threads.

pub mod polling;
pub mod snapshot;
pub mod watch;
pub mod worker;
