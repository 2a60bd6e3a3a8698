//! Work beside the window's thread: watching a segment, snapshots, worker threads.

pub mod monitor;
pub mod polling;
pub mod snapshot;
pub mod worker;
