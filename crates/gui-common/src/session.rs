//! Work off the window's thread: monitors of segments, snapshots, worker threads.
//!
//! A module belongs here if it may block, because it reads a segment or waits for one. Everything
//! here runs on threads of its own and sends results to the window as messages. What only one
//! program does with segments belongs in its `session` folder.

pub mod monitor;
pub mod polling;
pub mod snapshot;
pub mod worker;
